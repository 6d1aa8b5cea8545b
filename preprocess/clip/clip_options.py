"""What can be set about a clip, and what its making reports."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

from capture.options import option, options
from preprocess.clip.clip import ImageType
from preprocess.clip.selection import SelectionRule
from preprocess.errors import OptionError

Container = Literal["webp", "jpeg", "png"]
Focus = Literal["every", "first", "none"]


@options
class ClipOptions:
    """Selection, container and limits of a clip.

    Raises
    ------
    pydantic.ValidationError
        for a value outside its range; names the field and the range.
    OptionError
        ``quality_min`` above ``quality``.
    """

    container: Container = option("webp", unit="", why="one animated WebP, or image files")
    focus: Focus = option(
        "every", unit="", why="which images carry the face rectangle; the service tracks the rest"
    )
    image_type: ImageType = option(
        "color", unit="", why="infrared: no light labels, no colour measures, imageType 1"
    )
    frames_per_colour: int = option(
        15,
        unit="frames",
        low=1,
        high=500,
        why="45 for three colours: 1.5 s of light at 30 a second",
    )
    max_frames: int = option(
        45, unit="frames", low=1, high=1000, why="the whole clip; shared out evenly to the colours"
    )
    min_per_colour: int = option(
        3, unit="frames", low=1, high=500, why="fewer give no median of the light's answer"
    )
    min_frames: int = option(
        8, unit="frames", low=1, high=1000, why="without light: `Face not found across sufficient`"
    )
    spacing_ms: int = option(
        1, unit="ms", low=1, high=1000, why="one frame an interval; 1 keeps times in ms increasing"
    )
    slot_gap_ms: int = option(
        300, unit="ms", low=1, high=10_000, why="below the shortest dwell of a plan, 334 ms"
    )
    window_ms: int = option(
        500,
        unit="ms",
        low=1,
        high=60_000,
        why="without light: spread over windows of a slot's length",
    )
    quality: int = option(
        90, unit="", low=1, high=100, why="PSNR of 42 dB on real footage at 0.55 bit a pixel"
    )
    quality_min: int = option(
        40, unit="", low=0, high=100, why="below it pores and edges go; then frames are dropped"
    )
    method: int = option(
        2,
        unit="",
        low=0,
        high=6,
        why="libwebp's effort: 4 takes 2.3 times as long for 14 % fewer bytes at equal PSNR",
    )
    live_method: int = option(
        0,
        unit="",
        low=0,
        high=6,
        why="effort on a machine that cannot keep up: two thirds of the time",
    )
    png_level: int = option(
        3, unit="", low=0, high=9, why="zlib's effort: camera noise hardly shrinks beyond it"
    )
    target_bytes: int = option(
        25_000_000,
        unit="bytes",
        low=1024,
        high=25_000_000,
        why="a file's limit: 25 MB in both readings of MB",
    )
    min_bytes: int = option(
        1024, unit="bytes", low=0, high=1024, why="1 KB in both readings of KB, for every file"
    )
    image_max_bytes: int = option(
        6_000_000,
        unit="bytes",
        low=1024,
        high=6_000_000,
        why="an image file: 6 MB in both readings",
    )
    workers: int = option(2, unit="threads", low=1, high=64, why="Pillow encodes without the GIL")
    pending_crops: int = option(
        8, unit="crops", low=1, high=256, why="raw crops that may wait: 12 MB at 720 pixels"
    )
    hold_back: int = option(
        8, unit="crops", low=0, high=256, why="without light: many lose at once and are not encoded"
    )
    hold_back_lit: int = option(
        0, unit="crops", low=0, high=256, why="with light a third lose; 8 to 64 where cores are few"
    )
    live: bool = option(
        False, unit="", why="fall back instead of waiting; bytes may then depend on the machine"
    )
    stall_s: float = option(
        60.0, unit="s", low=0.01, high=3600.0, why="an encoder silent for longer is an error"
    )

    def __post_init__(self) -> None:
        if self.quality_min > self.quality:
            raise OptionError(f"quality_min: {self.quality_min} is above quality {self.quality}")

    @property
    def infrared(self) -> bool:
        """Whether the pictures are of an infrared camera: grey, and lit by no screen."""
        return self.image_type == "infrared"

    @property
    def file_limit_bytes(self) -> int:
        """The most that one file may have."""
        if self.container == "webp":
            return self.target_bytes
        return min(self.target_bytes, self.image_max_bytes)

    @property
    def rule(self) -> SelectionRule:
        """The part that the selection needs."""
        return SelectionRule(
            frames_per_colour=self.frames_per_colour,
            max_frames=self.max_frames,
            spacing_ms=self.spacing_ms,
            slot_gap_ms=self.slot_gap_ms,
            window_ms=self.window_ms,
        )


@dataclass(frozen=True, slots=True)
class ClipReport:
    """What the making of a clip did; with ``live`` off the same for the same frames.

    Attributes
    ----------
    offered : candidates given to the builder.
    lost : of these, frames that others of their colour beat.
    dropped : winners left out so that the file meets its target.
    skipped : live only, frames passed over because the encoder could not keep up.
    recoded : stills made anew at the end, because the clip turned out shorter than expected.
    method : effort of the last still.
    quality_low, quality_high : range of the qualities in the clip; None before it is finished and
        for PNG.
    file_bytes : of all files.
    fallbacks : what was given up, one sentence each; empty when all went as asked.
    """

    offered: int = 0
    lost: int = 0
    dropped: int = 0
    skipped: int = 0
    recoded: int = 0
    method: int | None = None
    quality_low: int | None = None
    quality_high: int | None = None
    file_bytes: int = 0
    fallbacks: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, object]:
        """Return what ``result.json`` and the kiosk's event ``encoder`` say."""
        return asdict(self) | {"fallbacks": [*self.fallbacks]}
