"""What the camera looks at: living people, or a picture of one held up to it."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from capture.simulator.colour import LINEAR_OF_CODE, ArrayF, ImageU8, codes_of_linear
from capture.simulator.lighting import screen_colour, vector_irradiance
from capture.simulator.options import PersonKind, SimulatorOptions
from capture.simulator.person.expression import Expression
from capture.simulator.person.identity import draw_identity
from capture.simulator.person.movement import Actor, Stance
from capture.simulator.person.pose import HeadPose, Lens, project
from capture.simulator.raster import lay_over, resized, table, tilted
from capture.simulator.scene.backdrop import Backdrop
from capture.simulator.scene.lit_scene import LitScene
from capture.simulator.scene.shading import RowLight
from capture.simulator.scene.stage import Staging

_MEDIUM_CM = (36.0, 27.0)
_MEDIUM_PX = (960, 720)
_BEZEL_CM = 1.2
_INNER_DISTANCE_CM = 60.0
_INNER_EYES_CM = 2.0
_TABLET_NITS = 250.0
_PICTURE_LIGHT = 0.40
_OTHER_STRENGTH = 0.35
_GLASS = 0.04
_OTHER_DWELL_S = 0.5
_OTHER_COLOURS = ((255, 0, 0), (0, 255, 0), (0, 0, 255))


class Room(Protocol):
    """Anything that can be photographed."""

    def render(self, t_s: float, exposure_s: float, light: RowLight) -> ImageU8:
        """Return (H, W, 3) uint8 sRGB B, G, R without noise, ``t_s`` into the session."""
        ...

    def main_at(self, t_s: float) -> Stance | None:
        """Return the main person's stance, None when nobody is there."""
        ...

    def people_at(self, t_s: float) -> int:
        """Return how many faces there are."""
        ...

    @property
    def eye_half_gap_cm(self) -> float:
        """Half the distance of the main person's eyes."""
        ...


class LivingRoom:
    """People of flesh and blood, as far as a simulator has them."""

    def __init__(self, options: SimulatorOptions, lens: Lens) -> None:
        self._stage = Staging(options)
        identity = draw_identity(options.seed, options.person.skin_tone)
        self.eye_half_gap_cm = identity.eye_half_gap_cm
        self._scene = LitScene(lens, options.screen, options.room, options.seed)

    def render(self, t_s: float, exposure_s: float, light: RowLight) -> ImageU8:
        """Return (H, W, 3) uint8 sRGB B, G, R without noise, ``t_s`` into the session."""
        return self._scene.render(self._stage.figures(t_s, exposure_s), light)

    def main_at(self, t_s: float) -> Stance | None:
        """Return the main person's stance, None when nobody is there."""
        return self._stage.main_at(t_s)

    def people_at(self, t_s: float) -> int:
        """Return how many faces there are."""
        return len(self._stage.figures(t_s, 0.0))


class FlatRoom:
    """A print or a tablet with a video, held where the face should be.

    The print scatters the screen's light as paper does: it follows the colours but has no relief.
    The tablet shows the same person lit by another random sequence, and its glass mirrors the
    screen a little.
    """

    def __init__(self, options: SimulatorOptions, lens: Lens) -> None:
        person = options.person
        self._options = options
        self._lens = lens
        self._backdrop = Backdrop(lens, options.screen, options.room, options.seed)
        hand = HeadPose(
            person.yaw_deg,
            person.pitch_deg,
            person.roll_deg,
            (person.x_cm, person.y_cm, -person.distance_cm),
        )
        self._hand = Actor(Stance(hand, Expression()), person.motion, options.seed)
        identity = draw_identity(options.seed, person.skin_tone)
        self.eye_half_gap_cm = identity.eye_half_gap_cm
        self._albedo = float(np.mean(identity.skin))
        inner_person = replace(
            person,
            kind=PersonKind.REAL,
            distance_cm=_INNER_DISTANCE_CM,
            x_cm=0.0,
            y_cm=_INNER_EYES_CM,
            yaw_deg=0.0,
            pitch_deg=0.0,
            roll_deg=0.0,
        )
        inner_lens = Lens(_MEDIUM_PX, _MEDIUM_PX[0] / _MEDIUM_CM[0] * _INNER_DISTANCE_CM)
        self._inner = LivingRoom(replace(options, person=inner_person), inner_lens)
        self._print = (
            self._inner.render(0.0, 0.0, self._inner_light(None))
            if person.kind is PersonKind.PRINT
            else None
        )

    def main_at(self, t_s: float) -> Stance | None:
        """Return the stance of the picture."""
        stance = self._hand.at(t_s)
        return stance if stance.present else None

    def people_at(self, t_s: float) -> int:
        """Return 1 while the picture is held up."""
        return int(self.main_at(t_s) is not None)

    def render(self, t_s: float, exposure_s: float, light: RowLight) -> ImageU8:
        """Return (H, W, 3) uint8 sRGB B, G, R without noise, ``t_s`` into the session."""
        codes = self._backdrop.render((), light)
        stance = self.main_at(t_s)
        if stance is None:
            return codes
        shown = self._print
        if shown is None:
            shown = self._inner.render(t_s, exposure_s, self._inner_light(t_s))
        self._hold_up(codes, shown, stance.pose, light)
        return codes

    def _inner_light(self, t_s: float | None) -> RowLight:
        """Return the light of the picture's own room: lamps and, for a video, other colours."""
        height = _MEDIUM_PX[1]
        level = _PICTURE_LIGHT / self._albedo**0.7
        lamps = np.full((height, 3), level, np.float32)
        if t_s is None:
            return RowLight(lamps, np.zeros_like(lamps), np.zeros(3, np.float32))
        seeds = [self._options.seed, 0x0E1, int(t_s // _OTHER_DWELL_S)]
        rng = np.random.default_rng(np.random.SeedSequence(seeds))
        colour = _OTHER_COLOURS[int(rng.integers(0, 3))]
        place = np.array([0.0, 0.0, -_INNER_DISTANCE_CM])
        white_lx = float(vector_irradiance(place, self._options.screen)[2])
        seen = screen_colour(colour)[::-1] * (_OTHER_STRENGTH * level / white_lx)
        screen = np.tile(seen.astype(np.float32), (height, 1))
        return RowLight(lamps, screen, np.zeros(3, np.float32))

    def _hold_up(self, codes: ImageU8, shown: ImageU8, pose: HeadPose, light: RowLight) -> None:
        """Paste the picture in place, lit as its surface is."""
        paper = self._print is not None
        margin = round(_BEZEL_CM * _MEDIUM_PX[0] / _MEDIUM_CM[0])
        edge = 225 if paper else 4
        framed = np.full(
            (shown.shape[0] + 2 * margin, shown.shape[1] + 2 * margin, 3), edge, np.uint8
        )
        framed[margin:-margin, margin:-margin] = shown
        corners = self._corners(pose)
        size = self._lens.size_wh
        left, top = np.maximum(np.floor(corners.min(axis=0)).astype(int), 0)
        right, bottom = np.minimum(np.ceil(corners.max(axis=0)).astype(int) + 1, size)
        if right - left < 2 or bottom - top < 2:
            return
        height, width = framed.shape[:2]
        source = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32) - 0.5
        target = (corners - (left, top)).astype(np.float32)
        warp = np.asarray(cv2.getPerspectiveTransform(source, target), np.float64)
        wh = (int(right - left), int(bottom - top))
        image = tilted(framed, warp, wh, cv2.BORDER_REPLICATE)
        cover = tilted(np.full((height, width), 255, np.uint8), warp, wh)
        flux = vector_irradiance(np.asarray(pose.eyes_cm), self._options.screen)
        facing = max(float(flux @ pose.attitude[:, 2]), 0.0)
        rows = slice(int(top), int(bottom))
        lit = _across(light.lamps[rows] + light.screen[rows] * np.float32(facing), wh)
        if paper:
            lit *= table(image, LINEAR_OF_CODE)
        else:
            lit *= np.float32(_GLASS)
            glowing = LINEAR_OF_CODE[:, None] * (light.unit * np.float32(_TABLET_NITS))
            lit += table(image, glowing.reshape(256, 1, 3))
        lay_over(codes[rows, int(left) : int(right)], codes_of_linear(lit), cover)

    def _corners(self, pose: HeadPose) -> NDArray[np.float64]:
        """Return (4, 2) pixels of the corners, clockwise from the upper left."""
        half_w, half_h = _MEDIUM_CM[0] / 2 + _BEZEL_CM, _MEDIUM_CM[1] / 2 + _BEZEL_CM
        flat = np.array([[-1, 1, 0], [1, 1, 0], [1, -1, 0], [-1, -1, 0]], float)
        flat = flat * (half_w, half_h, 1) - (0.0, _INNER_EYES_CM, 0.0)
        return project(self._lens, flat @ pose.attitude.T + np.asarray(pose.eyes_cm))


def _across(rows: ArrayF, wh: tuple[int, int]) -> ArrayF:
    """Spread (height, 3) values of rows over the width."""
    return resized(rows.reshape(-1, 1, 3), wh, cv2.INTER_NEAREST)


def make_room(options: SimulatorOptions, lens: Lens) -> Room:
    """Return the room that ``options.person.kind`` asks for."""
    if options.person.kind in {PersonKind.PRINT, PersonKind.REPLAY}:
        return FlatRoom(options, lens)
    return LivingRoom(options, lens)
