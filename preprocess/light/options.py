"""Limits of the verdict on a session's light."""

from __future__ import annotations

from typing import Literal, TypeAlias

from capture.options import option, options

LightPolicy: TypeAlias = Literal["reject", "send"]


@options
class ResponseOptions:
    """Limits of the verdict; the figures were measured on real faces relit by computation."""

    imported: Literal["reject", "send"] = option(
        "reject",
        unit="",
        why="of light that does not answer: nothing but somebody's sidecar vouches for its colours",
    )
    own: Literal["reject", "send"] = option(
        "send",
        unit="",
        why="the kiosk's own flip log vouches for its colours, and a replay held before the camera "
        "is what the service must see",
    )
    present: float = option(
        0.5,
        unit="log-determinant",
        low=0.1,
        high=10,
        why="unlit faces stay below .4, a light of 5 % of the ambient above .6",
    )
    certain: float = option(
        1.1,
        unit="log-determinant",
        low=0.1,
        high=20,
        why="so strong it is light even where no order of the plan's colours explains it",
    )
    rho_ok: float = option(
        0.8, unit="correlation", low=0, high=1, why="a light of 5 % of the ambient reaches .83"
    )
    rho_least: float = option(
        0.5, unit="correlation", low=0, high=1, why="below, most of what was seen is not the plan"
    )
    rival_slots: float = option(
        0.4,
        unit="slots",
        low=0.1,
        high=5,
        why="another labelling must win by less than what one wrong slot costs",
    )
    p_limit: float = option(
        0.05, unit="probability", low=0.001, high=0.5, why="above, shuffled colours do as well"
    )
    snr_ok: float = option(
        6.0, unit="amplitude / sd", low=1, high=100, why="comfortable for a single frame"
    )
    faint: float = option(
        0.03, unit="screen / ambient", low=0.001, high=0.5, why="1 grey level at mid-tones"
    )
    bright_level: float = option(
        0.4, unit="linear light", low=0.05, high=1, why="sRGB 168 on skin: plenty of ambient light"
    )
    background_limit: float = option(
        0.8,
        unit="of the face's response",
        low=0.1,
        high=10,
        why="a wall that follows as much as the face: a flat picture, or light of the room; a "
        "person before a wall reaches .2, close to one .5",
    )
    sure_delay_ns: int = option(
        14_000_000,
        unit="ns",
        low=1_000_000,
        high=100_000_000,
        why="sd up to which a session is labelled by the delay that it shows itself",
    )
    clipped_ok: float = option(
        0.02, unit="share", low=0.001, high=1, why="clipped channels hide part of the light"
    )
    clipped_limit: float = option(
        0.25,
        unit="share",
        low=0.001,
        high=1,
        why="beyond, chroma tells more of clipping than light",
    )
    delay_low_ns: int = option(
        -40_000_000, unit="ns", low=-500_000_000, high=0, why="lying stamps show as early light"
    )
    delay_high_ns: int = option(
        400_000_000, unit="ns", low=50_000_000, high=2_000_000_000, why="hardware lags 40 to 250 ms"
    )
    delay_step_ns: int = option(
        5_000_000, unit="ns", low=1_000_000, high=50_000_000, why="a parabola does the rest"
    )
    rise_ns: int = option(
        0,
        unit="ns",
        low=0,
        high=100_000_000,
        why="time from a flip to half of its light where the display's is known; otherwise the "
        "delay counts to half light",
    )
    permutations: int = option(
        1000, unit="shuffles", low=100, high=100_000, why="resolves p to .001 in 20 ms"
    )
    seed: int = option(0, unit="seed", low=0, why="the same samples give the same p")
    min_samples: int = option(
        20, unit="frames", low=8, high=1000, why="two frames a slot, or there is nothing to fit"
    )
