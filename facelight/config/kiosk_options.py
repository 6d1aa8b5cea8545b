"""What can be set about a kiosk besides the session, the plan and the screen."""

from __future__ import annotations

from typing import Literal

from capture.light.timeline import Timing
from capture.options import option, options


@options
class TimingOptions:
    """The lag from flip to frame stamp, until a profile or a session has measured it."""

    latency_ms: float = option(
        100.0, unit="ms", low=0.0, high=1000.0, why="middle of what ordinary kiosks have, 60 to 140"
    )
    uncertainty_ms: float = option(
        40.0, unit="ms", low=0.0, high=500.0, why="half of that range: labels stay right, at a cost"
    )
    measured_uncertainty_ms: float = option(
        12.0, unit="ms", low=0.0, high=500.0, why="95th percentile of a session's own estimate"
    )
    exposure_ms: float = option(
        33.333333,
        unit="ms",
        low=0.1,
        high=1000.0,
        why="the longest that still gives 30 fps; exactly this value means that it is not known",
    )
    readout_ms: float = option(
        30.0,
        unit="ms",
        low=0.0,
        high=1000.0,
        why="rolling shutters take 10 to 33; exactly this value means that it is not known",
    )

    scanout_ms: float = option(
        16.7, unit="ms", low=0.0, high=100.0, why="a 60 Hz panel paints its last row then"
    )
    settle_ms: float = option(
        12.0, unit="ms", low=0.0, high=100.0, why="LCD response after the row is painted"
    )

    def timing(self) -> Timing:
        """Return the timing to begin with."""
        return Timing(
            latency_ns=round(self.latency_ms * 1e6),
            latency_uncertainty_ns=round(self.uncertainty_ms * 1e6),
            exposure_ns=round(self.exposure_ms * 1e6),
            readout_ns=round(self.readout_ms * 1e6),
            scanout_ns=round(self.scanout_ms * 1e6),
            settle_ns=round(self.settle_ms * 1e6),
        )


@options
class KioskOptions:
    """How the kiosk looks and what it keeps."""

    camera: str = option("0", unit="", why="the first camera; better a stable id, see `cameras`")
    language: str = option("en", unit="", why="code of a language of ours, or a .toml file")
    languages: tuple[str, ...] = option(
        ("en", "es", "fr", "de", "zh", "ar"),
        unit="codes",
        why="offered until the session begins; codes or .toml files",
    )
    text_scale: float = option(
        1.0, unit="ratio", low=0.8, high=2.0, why="larger where people stand farther away"
    )
    fonts: str = option(
        "", unit="path", why="folder of fonts for languages that ours lack; then the system's"
    )
    theme: str = option("default", unit="", why="name of a theme of ours, or a .toml file")
    speech: Literal["off", "tones", "voice"] = option(
        "tones", unit="", why="tones guide who cannot see the screen; voice speaks every caption"
    )
    speech_folder: str = option(
        "", unit="path", why="your WAV files, LANGUAGE/KEY.wav; what is missing espeak-ng says"
    )
    speech_volume: float = option(
        0.7, unit="ratio", low=0.1, high=1.0, why="to begin with; the volume button changes it"
    )
    consent_file: str = option("", unit="path", why="the operator's own consent text, if any")
    display: int = option(0, unit="index", low=0, high=15, why="the kiosk's own display")
    windowed: bool = option(False, unit="", why="full screen lights the face")
    unsynced: bool = option(False, unit="", why="flips without a known time make wrong labels")
    screen_nits: float = option(
        300.0, unit="cd/m2", low=20.0, high=5000.0, why="brightness the flash check assumes"
    )
    control: str = option(
        "", unit="", why="127.0.0.1:PORT or unix:PATH for programs beside the kiosk; empty: none"
    )
    control_token_file: str = option(
        "", unit="path", why="holds the token that those programs send; needed with control"
    )
    control_origins: tuple[str, ...] = option(
        (), unit="origins", why="pages that may drive the kiosk from a browser on this machine"
    )
    control_anywhere: bool = option(
        False, unit="", why="an address other than loopback lets others on the network drive it"
    )
    metrics_file: str = option(
        "", unit="path", why="Prometheus text file, replaced every 15 s; empty: none"
    )
    settle_ms: float = option(
        700.0, unit="ms", low=0.0, high=5000.0, why="auto exposure reaches neutral grey within .7 s"
    )
    presence_ied_px: float = option(
        30.0, unit="px", low=10.0, high=500.0, why="a smaller face is somebody passing by"
    )
