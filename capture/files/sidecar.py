"""``NAME.illumination.json`` beside a video: which light the screen showed, and when.

The file is written by whoever recorded the session, so everything in it is checked, and so is
whether it belongs to that video at all.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, PrivateAttr, field_validator, model_validator

from capture.errors import SidecarError
from capture.files.jsonfile import FieldError, StrictModel, read_json_model, shortened
from capture.files.sidecar_checks import check_colours, check_units, spelled_as_ours
from capture.light.illumination import Flip, Rgb
from capture.light.timeline import Timeline, Timing

SUFFIX = ".illumination.json"
LIMIT_BYTES = 4_000_000
"""A sidecar of an hour at two flips a second has 0.5 MB."""

MAX_LATENCY_MS = 1000.0
"""Four times the longest lag of ordinary hardware (40-250 ms): beyond it is a slip of units."""

MAX_TIME_MS = 86_400_000.0
"""One day either way; a larger time is a wall clock or another unit."""

SLOWEST_EXPOSURE_NS = 133_333_333
"""7.5 fps: as far as webcams slow down in dim light."""

_LATE_NEUTRAL_NS = 1_000_000_000
_LONE_COLOUR_NS = 1_000_000_000
_SHORT_TAIL_NS = 2_000_000_000

Milliseconds = Annotated[float, Field(ge=-MAX_TIME_MS, le=MAX_TIME_MS)]
Channel = Annotated[int, Field(ge=0, le=255)]


def to_ns(milliseconds: float) -> int:
    """Return the nearest ns; exact for every time that was written from whole ns below 104 days."""
    return round(milliseconds * 1_000_000)


class FlipEntry(StrictModel):
    """One flip as it is written; ``colour`` null is neutral."""

    t_ms: Milliseconds
    colour: str | None
    rgb: list[Channel] = Field(min_length=3, max_length=3)

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, flip: Any) -> Any:
        unknown = sorted(map(str, set(flip) - set(cls.model_fields))) if type(flip) is dict else []
        if unknown:
            known = ", ".join(cls.model_fields)
            raise FieldError(f"unknown key; expected one of {known}", unknown[0])
        return flip

    @field_validator("colour", mode="before")
    @classmethod
    def _named(cls, colour: object) -> object:
        if colour is not None and not _is_name(colour):
            got = shortened(colour)
            raise FieldError(f"expected a printable name of 1 to 64 characters or null, got {got}")
        return colour

    def flip(self, origin_ns: int) -> Flip:
        """Return the flip on a clock that read ``origin_ns`` at ``t_ms`` 0."""
        rgb: Rgb = (self.rgb[0], self.rgb[1], self.rgb[2])
        return Flip(origin_ns + to_ns(self.t_ms), self.colour, rgb)


def _is_name(colour: object) -> bool:
    if not isinstance(colour, str) or not 1 <= len(colour) <= 64:
        return False
    return colour.isprintable() and not colour.isspace()


def in_order(flips: list[FlipEntry]) -> list[FlipEntry]:
    """Return the flips if each comes after the one before it; FieldError names the first not."""
    for index, flip in enumerate(flips[1:], 1):
        before_ms = flips[index - 1].t_ms
        if to_ns(flip.t_ms) <= to_ns(before_ms):
            problem = f"expected later than the one before ({before_ms:g} ms), got {flip.t_ms:g}"
            raise FieldError(problem, "flips", index, "t_ms")
    return flips


class Sidecar(StrictModel):
    """A sidecar's content; times in ms from the video's first pts, on the display's side.

    ``exposure_ms`` and what follows it default to the bounds of `Timing`. ``latency_ms`` may be
    absent: it is then measured from the session itself.
    """

    latency_ms: float | None = Field(default=None, ge=0, le=MAX_LATENCY_MS)
    latency_uncertainty_ms: float = Field(default=0.0, ge=0, le=500)
    exposure_ms: float | None = Field(default=None, gt=0, le=1000)
    readout_ms: float | None = Field(default=None, ge=0, le=1000)
    scanout_ms: float | None = Field(default=None, ge=0, le=100)
    settle_ms: float | None = Field(default=None, ge=0, le=100)
    end_ms: Milliseconds | None = None
    flips: list[FlipEntry] = Field(min_length=1)
    _path: Path = PrivateAttr(default=Path("sidecar"))

    @model_validator(mode="before")
    @classmethod
    def _spelled(cls, document: Any) -> Any:
        return spelled_as_ours(document)

    @model_validator(mode="after")
    def _consistent(self) -> Sidecar:
        in_order(self.flips)
        shown = [(entry.t_ms, entry.colour, entry.flip(0).rgb) for entry in self.flips]
        check_colours(shown)
        check_units(
            shown,
            {
                "latency_ms": self.latency_ms,
                "latency_uncertainty_ms": self.latency_uncertainty_ms,
                "exposure_ms": self.exposure_ms,
            },
        )
        if self.end_ms is not None and to_ns(self.end_ms) < to_ns(self.flips[-1].t_ms):
            raise FieldError("expected no earlier than the last flip", "end_ms")
        return self

    @property
    def path(self) -> Path:
        """The file that was read."""
        return self._path

    def timing(self, frame_interval_ns: int = 0) -> Timing:
        """Return lag (0 where none is declared) and guards as declared.

        An exposure that is not declared can last a frame interval where that is longer than the
        default's, up to 1/7.5 s: in dim light webcams halve their rate to expose longer.
        """
        bounds = Timing(0)
        exposure_ns = max(bounds.exposure_ns, min(frame_interval_ns, SLOWEST_EXPOSURE_NS))

        def stated(value_ms: float | None, otherwise_ns: int) -> int:
            return otherwise_ns if value_ms is None else to_ns(value_ms)

        return Timing(
            latency_ns=stated(self.latency_ms, 0),
            latency_uncertainty_ns=to_ns(self.latency_uncertainty_ms),
            exposure_ns=stated(self.exposure_ms, exposure_ns),
            readout_ns=stated(self.readout_ms, bounds.readout_ns),
            scanout_ns=stated(self.scanout_ms, bounds.scanout_ns),
            settle_ns=stated(self.settle_ms, bounds.settle_ns),
            exposure_stated=self.exposure_ms is not None,
        )

    def timeline(self, origin_ns: int = 0, frame_interval_ns: int = 0) -> Timeline:
        """Return the timeline on the clock that read ``origin_ns`` at the video's first pts.

        ``frame_interval_ns`` is the median distance of two frames, as for `timing`.
        """
        flips = [entry.flip(origin_ns) for entry in self.flips]
        end_ns = None if self.end_ms is None else origin_ns + to_ns(self.end_ms)
        return Timeline(flips, self.timing(frame_interval_ns), end_ns)

    def check_span(self, duration_ns: int) -> None:
        """Refuse a sidecar that cannot belong to a video of this length.

        What counts is where a flip shows up in the video, ``t_ms + latency_ms`` (0 if absent).

        - Longer: most colours begin after the video's end, or a neutral flip more than 1 s after
          all others. Where some do, the recording was cut or its stamps run too fast
          (`overrun_ns`): no error, but no session either. The closing neutral flip may fall just
          beyond the last frame.
        - Shorter, last flip a colour: the video runs on for more than 1.25 times the longest other
          dwell of a colour (1 s where there is none). Its frames would all be called clean.
        - Shorter, last flip neutral: the video runs on for more than 2 s and for longer than all
          flips together: another video's sidecar, or times in another unit. Shorter neutral tails
          are harmless: such frames are never sent as lit. Where a long one is real, a neutral flip
          repeated at its end says so.

        Parameters
        ----------
        duration_ns : from the first pts to the end of the last frame.

        Raises
        ------
        SidecarError
            with both figures.
        """
        latency_ms = self.latency_ms or 0.0
        latency_ns = to_ns(latency_ms)
        ends_ms = duration_ns / 1e6
        over = [to_ns(entry.t_ms) + latency_ns - duration_ns for entry in self.flips]
        beyond = [index for index, over_ns in enumerate(over) if over_ns >= 0]
        coloured = [index for index, entry in enumerate(self.flips) if entry.colour is not None]
        unseen = [index for index in beyond if self.flips[index].colour is not None]
        most = len(unseen) * 2 > len(coloured)
        late = [] if unseen else [index for index in beyond if over[index] >= _LATE_NEUTRAL_NS]
        if most or late:
            index = unseen[0] if most else late[0]
            raise SidecarError(
                self._path,
                f"flips[{index}].t_ms",
                f"longer than the video: {self.flips[index].t_ms:g} ms (+ {latency_ms:g} ms "
                f"latency) lies beyond the video's end at {ends_ms:.0f} ms",
            )
        last = self.flips[-1]
        tail_ns = duration_ns - latency_ns - to_ns(last.t_ms)
        allowed_ns = self._tail_limit_ns()
        if tail_ns > allowed_ns:
            shown = "neutral" if last.colour is None else last.colour
            raise SidecarError(
                self._path,
                f"flips[{len(self.flips) - 1}]",
                f"shorter than the video: the last flip ({shown}, {last.t_ms:g} ms) would last "
                f"{tail_ns / 1e6:.0f} ms to the video's end at {ends_ms:.0f} ms, "
                f"expected at most {allowed_ns / 1e6:.0f} ms",
            )

    def overrun_ns(self, duration_ns: int) -> int:
        """Return how far the last colour begins beyond the end of a video of this length, or 0."""
        last = max((to_ns(e.t_ms) for e in self.flips if e.colour is not None), default=0)
        return max(last + to_ns(self.latency_ms or 0.0) - duration_ns, 0)

    def _tail_limit_ns(self) -> int:
        times = [to_ns(entry.t_ms) for entry in self.flips]
        if self.flips[-1].colour is None:
            return max(_SHORT_TAIL_NS, times[-1] - times[0])
        dwells = [
            after - before
            for before, after, entry in zip(times, times[1:], self.flips, strict=False)
            if entry.colour is not None
        ]
        return max(dwells) * 5 // 4 if dwells else _LONE_COLOUR_NS


def read_sidecar(path: Path) -> Sidecar:
    """Read and check a sidecar.

    Raises
    ------
    SidecarError
        names the file, the field and what was expected.
    """
    sidecar = read_json_model(path, Sidecar, LIMIT_BYTES)
    sidecar._path = path
    return sidecar


def find_sidecar(video_path: Path) -> Path | None:
    """Return ``NAME.illumination.json`` beside ``NAME.mp4`` (or beside a folder NAME), if there."""
    named = video_path if video_path.name not in {"", ".."} else video_path.resolve()
    if not named.name:
        return None  # the root folder has nothing beside it
    path = named.with_name((named.name if named.is_dir() else named.stem) + SUFFIX)
    return path if path.exists() else None
