"""Pose: portraits turned by known angles, moved off the axis, and mirrored."""

from __future__ import annotations

from pathlib import Path
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.figures import Figure
from bench.quality.render import Head, render
from capture.frame import Frame, ImageU8
from preprocess.face.face import Face, Pose
from preprocess.face.pose import angles_of, rotation_of
from preprocess.tracking.facemesh.facemesh import FaceMeshTracker

SINGLE = (-20.0, -10.0, 10.0, 20.0)
TURNS = (
    *(Pose(a, 0, 0) for a in SINGLE),
    *(Pose(0, a, 0) for a in SINGLE),
    *(Pose(0, 0, a) for a in SINGLE),
    *(Pose(a, b, 0) for a in (-14.0, 14.0) for b in (-14.0, 14.0)),
)
OFF_DEG = 17.0


def run(data: Path) -> list[Figure]:
    """Return the figures on the portraits, re-rendered from their own mesh."""
    errors: list[NDArray[np.float64]] = []
    off: list[NDArray[np.float64]] = []
    flipped: list[NDArray[np.float64]] = []
    slopes: list[float] = []
    with Viewer() as viewer:
        for path in sorted((data / "portraits").iterdir()):
            photo = np.asarray(cv2.imread(str(path)), dtype=np.uint8)
            head = Head.of(photo, viewer.face(photo).landmarks_px)
            straight = render(head, Pose(0, 0, 0))
            start = viewer.pose(straight)
            for turn in TURNS:
                read = viewer.pose(render(head, turn))
                errors.append(_angles(read) - _angles(turned(start, turn)))
                if turn.yaw_deg and not turn.pitch_deg:
                    slopes.append((read.yaw_deg - start.yaw_deg) / turn.yaw_deg)
            for side in (-OFF_DEG, OFF_DEG):
                aside = viewer.pose(render(head, Pose(0, 0, 0), off_deg=side))
                off.append(np.abs(_angles(aside) - _angles(start)))
            flipped += [_antisymmetry(viewer, picture) for picture in (straight, photo)]
    yaw, pitch, roll = np.abs(np.array(errors)).mean(axis=0)
    moved, mirror = np.mean(off, axis=0), np.mean(flipped, axis=0)
    return [
        Figure("views", len(errors)),
        Figure("mean error of yaw", float(yaw), "<= 2", "deg"),
        Figure("mean error of pitch", float(pitch), "<= 2.5", "deg"),
        Figure("mean error of roll", float(roll), "<= 0.7", "deg"),
        Figure("yaw read over yaw turned", float(np.mean(slopes))),
        Figure("17 degrees off-centre, mean change of yaw", float(moved[0]), "<= 3.5", "deg"),
        Figure("17 degrees off-centre, mean change of pitch", float(moved[1]), "<= 3.5", "deg"),
        Figure("mirror: mean difference of yaw", float(mirror[0]), "<= 1.5", "deg"),
        Figure("mirror: mean difference of pitch", float(mirror[1]), "<= 1.5", "deg"),
        Figure("mirror: mean difference of roll", float(mirror[2]), "<= 1.5", "deg"),
    ]


class Viewer:
    """One tracker for unrelated pictures: an empty one before each makes it seek anew."""

    def __init__(self) -> None:
        self._tracker = FaceMeshTracker()
        self._seq = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._tracker.close()

    def face(self, picture: ImageU8) -> Face:
        """Return the face once the tracker has settled on the picture."""
        self._look(np.zeros((64, 64, 3), np.uint8))
        for _ in range(3):
            face = self._look(picture)
        if face is None:
            raise ValueError("no face in the picture")
        return face

    def pose(self, picture: ImageU8) -> Pose:
        """Return the pose of the picture's face."""
        return self.face(picture).pose

    def _look(self, picture: ImageU8) -> Face | None:
        self._seq += 1
        return self._tracker.track(Frame(self._seq, self._seq, self._seq, picture))


def turned(start: Pose, turn: Pose) -> Pose:
    """Return the pose of a head that is turned further."""
    return angles_of(rotation_of(turn) @ rotation_of(start))


def _antisymmetry(viewer: Viewer, picture: ImageU8) -> NDArray[np.float64]:
    one, other = viewer.pose(picture), viewer.pose(np.ascontiguousarray(picture[:, ::-1]))
    return np.abs(_angles(one) - _angles(other) * (-1, 1, -1))


def _angles(pose: Pose) -> NDArray[np.float64]:
    return np.array([pose.yaw_deg, pose.pitch_deg, pose.roll_deg])
