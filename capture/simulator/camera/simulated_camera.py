"""A camera that sees the simulated person: exposures, stamps and delivery on one clock."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from capture.camera import CameraInfo, Provenance
from capture.clock import Clock
from capture.errors import CameraError
from capture.frame import Frame, ImageU8
from capture.light.illumination import Flip
from capture.simulator.camera.exposures import FrameClock, Shot
from capture.simulator.camera.sensor import FaceWindow, Sensor, light_scale
from capture.simulator.lighting import ambient_rows, row_weights, screen_rows
from capture.simulator.options import ControlLock, SimulatorOptions
from capture.simulator.person.movement import Stance
from capture.simulator.person.pose import Lens
from capture.simulator.scene.room import make_room
from capture.simulator.scene.shading import RowLight
from capture.simulator.scene.simulated_screen import LightSource
from capture.simulator.scene.truth import EyesPx, FrameTruth, eye_centres_px, true_label, view_pose

if TYPE_CHECKING:
    from pydantic import JsonValue

_BAND_ROWS = 8
_LOOK_BACK_NS = 1_000_000_000
_TRUTHS_KEPT = 20_000
_SETTLE_FRAMES = 5
_BACKLOG_FRAMES = 1
"""A driver's queue: what is older when it is asked for has been overwritten."""


class SimulatedCamera:
    """A ``Camera`` whose frames are rendered when they are read.

    Parameters
    ----------
    options : the session.
    clock : virtual, then ``read`` moves it to each frame's delivery; or the system's, then ``read``
        waits for it, and frames that come too late to be rendered are lost, as with any camera.
    screen : the light; a ``SimulatedScreen`` or a ``FlipHistory``.

    Raises
    ------
    CameraError
        options that exclude each other, or a portrait that cannot be used.
    """

    def __init__(self, options: SimulatorOptions, clock: Clock, screen: LightSource) -> None:
        camera = options.camera
        _check(options)
        self.options = options
        self._clock = clock
        self._screen = screen
        self._frames = FrameClock(options, clock.now_ns())
        focal_px = camera.size_wh[0] / 2 / np.tan(np.radians(camera.fov_deg) / 2)
        self._lens = Lens(camera.size_wh, float(focal_px))
        self._room = make_room(options, self._lens)
        self._sensor = Sensor(camera, options.seed)
        self._sensor.balance_for(np.asarray(options.room.tint)[::-1])
        self._planned: Shot | None = None
        self._held: tuple[ImageU8, FrameTruth] | None = None
        self._truths: OrderedDict[int, FrameTruth] = OrderedDict()
        self._closed = False
        if camera.control is ControlLock.FROM_START:
            self.settle()
            self._sensor.locked = True

    @property
    def info(self) -> CameraInfo:
        """What is known of the camera; provenance is always ``SIMULATED``."""
        options = self.options
        return CameraInfo(
            id=f"sim:{options.person.kind}:{options.seed}",
            name="simulated camera",
            size_wh=options.camera.size_wh,
            fps=options.camera.fps,
            provenance=Provenance.SIMULATED,
            details={"person": str(options.person.kind), "seed": str(options.seed)},
        )

    @property
    def lens(self) -> Lens:
        """The true pinhole."""
        return self._lens

    @property
    def controls(self) -> Mapping[str, JsonValue]:
        """What ``lock`` achieved, as of any camera; empty while nothing is locked or refused."""
        if self.options.camera.control is ControlLock.REFUSED:
            entry: JsonValue = {"locked": False, "problem": "the camera keeps it automatic"}
            return {"exposure": entry, "white_balance": entry}
        sensor = self._sensor
        if not sensor.locked:
            return {}
        gains: list[JsonValue] = [round(float(gain), 4) for gain in sensor.white_balance]
        return {
            "exposure": {
                "locked": True,
                "exposure_ms": self.options.camera.exposure_ms,
                "gain": round(sensor.gain, 4),
            },
            "white_balance": {"locked": True, "gains_bgr": gains},
        }

    def truth(self, seq: int) -> FrameTruth:
        """Return the truth of a delivered frame; the last 20 000 are kept.

        Raises
        ------
        CameraError
            no such frame.
        """
        if seq not in self._truths:
            raise CameraError(f"sim: there is no truth for frame {seq}: it was not delivered")
        return self._truths[seq]

    def lock(self) -> bool:
        """Freeze exposure and white balance; False where the camera refuses."""
        if self.options.camera.control is ControlLock.REFUSED:
            return False
        self._sensor.locked = True
        return True

    def unlock(self) -> None:
        """Give exposure and white balance back to the camera, unless they never were its own."""
        self._sensor.locked = self.options.camera.control is ControlLock.FROM_START

    def settle(self) -> None:
        """Let exposure and white balance converge on the scene as it is, without passing time."""
        now_ns = self._clock.now_ns()
        starts = np.full(2, now_ns, np.int64)
        flips = self._screen.since(now_ns - _LOOK_BACK_NS)
        seen, weights = row_weights(flips, starts, self._frames.exposure_ns, self.options.screen)
        t_s = self._seconds(now_ns)
        window = self._face_window(self._eyes(self._room.main_at(t_s)))
        for _ in range(_SETTLE_FRAMES):
            codes = self._room.render(t_s, 0.0, self._light(starts, seen, weights))
            self._sensor.meter(codes, window, rate=0.9)

    def rehearse(self, index: int) -> None:
        """Render what frame ``index`` would show under the light of now, and throw it away."""
        now_ns = self._clock.now_ns()
        t_s = self._seconds(now_ns) + index * self._frames.period_ns / 1e9
        starts = np.full(2, now_ns, np.int64)
        flips = self._screen.since(now_ns - _LOOK_BACK_NS)
        exposure_ns = self._frames.exposure_ns
        seen, weights = row_weights(flips, starts, exposure_ns, self.options.screen)
        codes = self._room.render(t_s, exposure_ns / 1e9, self._light(starts, seen, weights))
        self._sensor.develop(codes, index)

    def ready(self) -> bool:
        """Return whether ``read`` would return without waiting."""
        shot = self._due(self._clock.now_ns())
        if shot is None:
            return True
        self._planned = shot
        return shot.delivered_ns <= self._clock.now_ns()

    def read(self, timeout_s: float = 2.0) -> Frame | None:
        """Return the next frame, or None when the session's duration is over.

        Raises
        ------
        CameraError
            after ``close``, or when no frame is due within ``timeout_s``.
        """
        if self._closed:
            raise CameraError("sim: the camera is closed")
        now_ns = self._clock.now_ns()
        shot = self._due(now_ns)
        if shot is None:
            return None
        if shot.delivered_ns - now_ns > timeout_s * 1e9:
            self._planned = shot
            self._clock.sleep_until(now_ns + round(timeout_s * 1e9))
            raise CameraError(f"sim: no frame within {timeout_s:g} s")
        self._clock.sleep_until(shot.read_out_ns)
        pixels, truth = self._take(shot)
        self._clock.sleep_until(shot.delivered_ns)
        self._truths[shot.seq] = truth
        if len(self._truths) > _TRUTHS_KEPT:
            self._truths.popitem(last=False)
        return Frame(
            shot.seq, shot.stamped_ns, max(shot.delivered_ns, self._clock.now_ns()), pixels
        )

    def close(self) -> None:
        """Stop delivering; idempotent."""
        self._closed = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _due(self, now_ns: int) -> Shot | None:
        """Return the next frame that still arrives, None when the session is over."""
        stale_ns = now_ns - round(_BACKLOG_FRAMES * self._frames.period_ns)
        while True:
            shot = self._planned or self._frames.next_shot()
            self._planned = None
            ends_s = self.options.duration_s
            if ends_s > 0 and self._seconds(shot.exposed_ns) >= ends_s:
                self._planned = shot
                return None
            if not shot.dropped and shot.delivered_ns >= stale_ns:
                return shot

    def _seconds(self, t_ns: int) -> float:
        return (t_ns - self._frames.zero_ns) / 1e9

    def _take(self, shot: Shot) -> tuple[ImageU8, FrameTruth]:
        """Expose, develop and describe a frame; a repeat hands out the one before."""
        lag_ns = round(self.options.screen.lag_ms * 1e6)
        if shot.repeats and self._held is not None:
            pixels, held = self._held
            late_ns = shot.stamped_ns - held.exposed_ns + lag_ns
            return pixels, replace(held, latency_ns=late_ns, repeats=True)
        frames, height = self._frames, self._lens.size_wh[1]
        share = np.arange(_BAND_ROWS / 2, height, _BAND_ROWS) / height
        starts = shot.exposed_ns + np.rint(share * frames.readout_ns).astype(np.int64)
        flips = self._screen.since(shot.exposed_ns - _LOOK_BACK_NS)
        seen, weights = row_weights(flips, starts, frames.exposure_ns, self.options.screen)
        t_s = self._seconds(shot.exposed_ns)
        light = self._light(starts, seen, weights)
        codes = self._room.render(t_s, frames.exposure_ns / 1e9, light)
        pixels = self._sensor.develop(codes, shot.seq)
        stance = self._room.main_at(t_s)
        eyes = self._eyes(stance)
        self._sensor.meter(codes, self._face_window(eyes))
        truth = FrameTruth(
            label=true_label(seen, weights),
            exposed_ns=shot.exposed_ns,
            latency_ns=shot.stamped_ns - shot.exposed_ns + lag_ns,
            people=self._room.people_at(t_s),
            pose=view_pose(stance.pose) if stance else None,
            eyes_px=eyes,
        )
        self._held = pixels, truth
        return self._held

    def _eyes(self, stance: Stance | None) -> EyesPx | None:
        if stance is None:
            return None
        return eye_centres_px(stance.pose, self._room.eye_half_gap_cm, self._lens)

    def _face_window(self, eyes: EyesPx | None) -> FaceWindow | None:
        """Return the part of the frame that face-priority exposure looks at, None without any."""
        if eyes is None:
            return None
        (x0, y0), (x1, y1) = eyes
        middle_x, middle_y, gap = (x0 + x1) / 2, (y0 + y1) / 2, max(x1 - x0, 4.0)
        width, height = self._lens.size_wh
        left, right = (min(max(int(middle_x + k * gap), 0), width) for k in (-0.9, 0.9))
        top, bottom = (min(max(int(middle_y + k * gap), 0), height) for k in (-0.7, 1.6))
        return (left, top, right, bottom) if right - left > 2 and bottom - top > 2 else None

    def _light(
        self, starts: NDArray[np.int64], seen: Sequence[Flip | None], weights: NDArray[np.float64]
    ) -> RowLight:
        room, height = self.options.room, self._lens.size_wh[1]
        unit = self._sensor.scale
        lamps = ambient_rows(starts, self._frames.exposure_ns, room)[:, None]
        lamps = lamps * np.asarray(room.tint)[::-1] * (room.ambient_lx / np.pi)
        screen = screen_rows(seen, weights, self.options.screen)[:, ::-1] / np.pi
        return RowLight(
            light_scale(lamps * unit, height),
            light_scale(screen * unit, height),
            unit.astype(np.float32),
        )


def _check(options: SimulatorOptions) -> None:
    """Refuse what no camera can do."""
    camera, lag_ms = options.camera, options.screen.lag_ms
    if camera.latency_ms < lag_ms:
        raise CameraError(
            f"sim: latency: expected at least the display's lag ({lag_ms:g} ms), "
            f"got {camera.latency_ms:g} ms"
        )
    if camera.exposure_ms > 1000 / camera.fps:
        raise CameraError(
            f"sim: exposure: expected at most one frame interval ({1000 / camera.fps:.1f} ms at "
            f"{camera.fps:g} fps), got {camera.exposure_ms:g} ms"
        )
    if any(not 64 <= side <= 4096 or side % 2 for side in camera.size_wh):
        raise CameraError(
            f"sim: size: expected even sides from 64 to 4096, got "
            f"{camera.size_wh[0]}x{camera.size_wh[1]}"
        )
