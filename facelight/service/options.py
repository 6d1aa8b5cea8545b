"""Every number the service lives by."""

from __future__ import annotations

from enum import StrEnum

from capture.options import option, options
from facelight.service.faults import Fault

DEFAULT_KEY = "local"
API_ROOT = "/face/v1.1-preview.1/detectLiveness/singleModal"
MODEL_VERSION = "2020-02-15-preview.01"
MODEL_VERSIONS = (MODEL_VERSION, "latest")


class Shape(StrEnum):
    """The two documented shapes of a 200."""

    NESTED = "nested"
    FLAT = "flat"


@options
class Limits:
    """What a request may weigh; the numbers of the contract, both readings of KB and MB met."""

    min_file_bytes: int = option(1024, unit="bytes", why="1 KB, the larger reading")
    max_image_bytes: int = option(6_000_000, unit="bytes", why="6 MB, the smaller reading")
    max_video_bytes: int = option(25_000_000, unit="bytes", why="25 MB, the smaller reading")
    max_body_bytes: int = option(
        160_000_000, unit="bytes", why="26 largest images; what one request may hold in memory"
    )
    max_metadata_bytes: int = option(
        2_000_000, unit="bytes", why="some 4000 entries of the contract's example"
    )
    max_parts: int = option(512, unit="parts", why="one part for every image of 8 s at 60 a second")
    max_entries: int = option(2000, unit="frames", why="a minute at 30 a second")
    max_side_px: int = option(8192, unit="px", why="above every camera; WebP itself ends at 16383")
    max_pixels: int = option(
        20_000_000, unit="px", why="5K video, phone pictures; decoding takes 25 bytes a pixel"
    )
    max_decoded_pixels: int = option(
        1_000_000_000, unit="px", why="480 frames of full HD; a bomb of 160 KB holds any number"
    )
    body_timeout_s: float = option(
        60.0, unit="s", why="a 25 MB video at 4 Mbit/s; then the contract's 408"
    )
    idle_timeout_s: float = option(
        10.0, unit="s", why="a body of which nothing more comes is unfinished; then 408"
    )
    judge_timeout_s: float = option(
        120.0, unit="s", why="ten times what 300 frames of 720p take on two cores; then 408"
    )


@options
class SessionRules:
    """How long sessions and tokens live, and how often a token may call."""

    life_s: int = option(48 * 3600, unit="s", why="contract, section 3")
    min_token_s: int = option(60, unit="s", why="contract, section 3")
    max_token_s: int = option(86_400, unit="s", why="contract, section 3")
    default_token_s: int = option(600, unit="s", why="contract, section 3")
    calls_per_token: int = option(3, unit="calls", why="contract, section 1")
    call_interval_s: float = option(5.0, unit="s", why="contract, section 1: one call per 5 s")
    max_sessions: int = option(10_000, unit="sessions", why="some 50 MB; the oldest goes first")


@options
class ServiceOptions:
    """How one service behaves."""

    key: str = DEFAULT_KEY
    shape: Shape = Shape.NESTED
    faults: tuple[Fault, ...] = ()
    fault_seed: int | None = None
    calls_per_minute: int | None = option(
        None, unit="calls/min", why="20 for a free-tier key; unlimited unless asked for"
    )
    bodies: int = option(
        4, unit="requests", why="largest bodies that have room in memory; what is beyond waits"
    )
    workers: int = option(
        2, unit="threads", why="the mesh already uses two cores; more only share them"
    )
    limits: Limits = Limits()
    sessions: SessionRules = SessionRules()
