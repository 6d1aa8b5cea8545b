"""Everything that can be chosen about a live camera."""

from __future__ import annotations

from typing import Annotated, Final, TypeAlias

from pydantic import Field

from capture.live.pin import parse_pin
from capture.options import option, options

MIN_SIDE_PX: Final = 16
MAX_SIDE_PX: Final = 8192
Side: TypeAlias = Annotated[int, Field(ge=MIN_SIDE_PX, le=MAX_SIDE_PX)]


@options
class LiveOptions:
    """What is asked of a camera, and how long is waited for it; it may deliver something else."""

    size_wh: tuple[Side, Side] = option(
        (1280, 720),
        unit="px",
        low=MIN_SIDE_PX,
        high=MAX_SIDE_PX,
        why="what kiosk webcams do at 30 fps",
    )
    fps: float = option(30.0, unit="1/s", low=1, high=240, why="13 frames in a slot of 500 ms")
    fourcc: str = option("MJPG", unit="", why="YUYV over USB 2 leaves 10 fps of 720p")
    buffers: int = option(
        0, unit="frames", low=0, high=10, why="0: the driver's own; few are overwritten while read"
    )
    camera_jpeg: bool = option(
        True, unit="", why="recordings then hold the camera's own bytes; V4L2 and streams only"
    )
    warmup_frames: int = option(
        10, unit="frames", low=0, high=120, why="after opening, exposure and stamps are not settled"
    )
    open_timeout_s: float = option(
        15.0, unit="s", low=0.5, high=120, why="MSMF takes up to 10 s to open a camera"
    )
    first_frame_s: float = option(
        5.0, unit="s", low=0.2, high=60, why="some cameras take seconds to start the stream"
    )
    stall_s: float = option(
        2.0, unit="s", low=0.2, high=60, why="lost after this long without a new frame"
    )
    backoff_s: float = option(
        0.5, unit="s", low=0.05, high=60, why="before the first attempt to reopen; then doubled"
    )
    backoff_max_s: float = option(
        10.0, unit="s", low=0.05, high=600, why="a replugged camera is back within this time"
    )
    lock_exposure: bool = option(True, unit="", why="auto exposure takes the light out again")
    lock_white_balance: bool = option(True, unit="", why="it takes the colours out again")
    lock_focus: bool = option(True, unit="", why="a hunting lens blurs a slot")
    exposure_ms: float | None = option(
        None, unit="ms", low=0.1, high=500, why="none: what auto exposure has found"
    )
    white_balance_k: float | None = option(
        None, unit="K", low=1500, high=15_000, why="none: what auto white balance has found"
    )
    mains_hz: int = option(
        50,
        unit="Hz",
        low=0,
        high=60,
        why="50 or 60: exposures of whole half periods show no flicker of lamps; 0: ignore",
    )
    max_frame_mb: float = option(
        16.0, unit="MB", low=0.1, high=256, why="a 4K frame at JPEG quality 95 has about 6 MB"
    )

    allow_virtual: bool = option(
        False, unit="", why="a program can feed a virtual camera any picture, a recorded one too"
    )
    pin: str = option(
        "", unit="VENDOR:PRODUCT[:SERIAL][@PORT]", why="the one camera to take; none: any"
    )

    controls_file: str = option(
        "",
        unit="path",
        why="how the camera was found, until it is given back; kiosk: beside the device key",
    )

    def __post_init__(self) -> None:
        if self.pin:
            parse_pin(self.pin)
        if self.mains_hz not in {0, 50, 60}:
            raise ValueError(f"mains_hz: expected 0, 50 or 60 Hz, got {self.mains_hz}")
        if self.fourcc and not (
            len(self.fourcc) == 4 and self.fourcc.isascii() and self.fourcc.isprintable()
        ):
            raise ValueError(
                f"fourcc: expected four characters such as MJPG, or none, got {self.fourcc!r}"
            )
