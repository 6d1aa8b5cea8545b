"""What is really so in a simulated frame, whatever a tracker or a timeline says of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from capture.light.illumination import Flip
from capture.light.timeline import Label, LabelKind
from capture.simulator.lighting import ArrayD
from capture.simulator.person.pose import EYES_CM, HeadPose, Lens, project

PURE = 0.98
"""Least share of one light in every row's exposure for a frame to count as lit by it alone."""


EyesPx: TypeAlias = tuple[tuple[float, float], tuple[float, float]]


@dataclass(frozen=True, slots=True)
class TruePose:
    """View-relative pose in degrees, by the convention of ``preprocess.face.face.Pose``."""

    yaw_deg: float
    pitch_deg: float
    roll_deg: float


@dataclass(frozen=True, slots=True)
class FrameTruth:
    """The truth of one frame.

    Attributes
    ----------
    label : the light that the rows really saw; see ``true_label``.
    exposed_ns : when the first row's exposure began, session clock.
    latency_ns : frame stamp minus that, plus the display's lag: flip to stamp.
    people : faces in the room.
    pose, eyes_px : of the main person, None when absent; the eyes are the midpoints of the painted
        lid corners, left in the image first. FaceMesh reads their distance 3-5 % shorter.
    repeats : the pixels are those of the frame before.
    """

    label: Label
    exposed_ns: int
    latency_ns: int
    people: int
    pose: TruePose | None
    eyes_px: EyesPx | None
    repeats: bool = False

    @property
    def inter_eye_px(self) -> float | None:
        """Distance of the eye centres in the image."""
        if self.eyes_px is None:
            return None
        return float(np.hypot(*np.subtract(self.eyes_px[1], self.eyes_px[0])))


def eye_centres_px(pose: HeadPose, half_gap_cm: float, lens: Lens) -> EyesPx:
    """Return where the eyes of a head at ``pose`` are in the frame, left in the image first."""
    head = EYES_CM + np.array([[-half_gap_cm, 0.0, -0.2], [half_gap_cm, 0.0, -0.2]])
    left, right = project(lens, pose.to_world(head))
    return (float(left[0]), float(left[1])), (float(right[0]), float(right[1]))


def true_label(seen: Sequence[Flip | None], weights: ArrayD) -> Label:
    """Return the label by the light itself: every row at least ``PURE`` of one light.

    ``seen`` and ``weights`` are those of ``light.row_weights``. Flips that repeat the same light
    count as one. Light from before the first flip is not known to anybody: ``none``.
    """
    groups: dict[tuple[str | None, tuple[int, int, int]] | None, NDArray[np.float64]] = {}
    for index, flip in enumerate(seen):
        key = None if flip is None else (flip.colour, flip.rgb)
        groups[key] = groups.get(key, np.zeros(len(weights))) + weights[:, index]
    for key, shares in groups.items():
        if float(shares.min()) >= PURE:
            if key is None:
                return Label(LabelKind.NONE)
            colour, rgb = key
            kind = LabelKind.NEUTRAL if colour is None else LabelKind.CLEAN
            return Label(kind, colour, rgb)
    return Label(LabelKind.TRANSITION)


def view_pose(pose: HeadPose) -> TruePose:
    """Return the head's angles against the ray from the camera to its eyes."""
    x, y, z = np.asarray(pose.eyes_cm) / np.linalg.norm(pose.eyes_cm)
    ray = HeadPose(
        float(np.degrees(np.arctan2(-x, -z))), float(np.degrees(np.arcsin(y))), 0.0, (0, 0, 0)
    )
    relative = ray.attitude.T @ pose.attitude
    return TruePose(
        float(np.degrees(np.arcsin(-relative[2, 0]))),
        float(np.degrees(np.arctan2(relative[2, 1], relative[2, 2]))),
        float(np.degrees(np.arctan2(relative[1, 0], relative[0, 0]))),
    )
