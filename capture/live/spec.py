"""A camera from one line of text: index, path, stable id, file, stream or ``sim:``."""

from __future__ import annotations

import stat
import sys
from collections.abc import Callable
from pathlib import Path

from capture.camera import Camera
from capture.clock import Clock, SystemClock
from capture.errors import CameraError
from capture.files.recording import RecordingCamera
from capture.files.recording_format import SUFFIX
from capture.files.source import SourceKind, kind_of
from capture.files.video import VideoCamera
from capture.live.camera import LiveCamera
from capture.live.options import LiveOptions
from capture.live.paced import PacedCamera
from capture.live.reading.arrivals import CameraIdentity
from capture.live.reading.feed import OpenFeed
from capture.live.stream.mjpeg_http import open_http, parse_url
from capture.live.webcam.controls import CameraControls
from capture.live.webcam.device import DeviceFeed, OpenDevice, VideoDevice
from capture.live.webcam.discovery import device_of, list_cameras, stable_id
from capture.live.webcam.found_controls import FoundControls
from capture.live.webcam.identity import (
    DeviceIdentity,
    ensure_wanted,
    named_identity,
    read_identity,
)
from capture.live.webcam.opencv_device import open_opencv
from capture.live.webcam.properties import DIALECTS
from capture.live.webcam.v4l2 import LineControls
from capture.simulator.camera.sustained import open_sustained
from capture.simulator.scene.simulated_screen import LightSource
from capture.simulator.sim_spec import parse_spec

EXPECTED = (
    "expected an index, /dev/videoN, an id that 'facelight cameras' lists, a video file, "
    f"a recording NAME{SUFFIX}, http://HOST:PORT/stream.mjpg, or sim:"
)

__all__ = ["LiveOptions", "open_camera"]


def open_camera(
    spec: str,
    options: LiveOptions | None = None,
    clock: Clock | None = None,
    light: LightSource | None = None,
) -> Camera:
    """Open the camera that ``spec`` names and wait for its first frame.

    Parameters
    ----------
    spec : index, device path, stable id, video file, recording, ``http://`` URL or ``sim:``.
    options : what is asked of webcams and streams; ``sim:`` brings its own.
    clock : the session's; the system's by default.
    light : what lights the simulated person; needed by ``sim:`` only.

    Raises
    ------
    CameraError
        no such camera, or it cannot be opened; names ``spec`` and what was expected.
    SourceError
        a file that is none, or damaged.
    """
    options = options or LiveOptions()
    clock = clock or SystemClock()
    if spec.startswith("sim:"):
        return _simulated(spec, clock, light)
    if spec.startswith("http:"):
        return _stream(spec, options, clock)
    if "://" in spec:
        raise CameraError(f"camera {spec}: {EXPECTED}")
    if spec.isascii() and spec.isdigit() and len(spec) <= 4:
        return _by_index(int(spec), options, clock)
    path = Path(spec)
    if spec.startswith("/dev/"):
        return _device(path, options, clock)
    if link := device_of(spec):
        return _device(link, options, clock)
    if spec and path.exists():
        return _file(path, clock)
    raise CameraError(f"camera {spec or repr(spec)}: no such camera or file; {EXPECTED}")


def _simulated(spec: str, clock: Clock, light: LightSource | None) -> Camera:
    if light is None:
        raise CameraError(f"camera {spec}: a simulated person needs a screen as light source")
    return open_sustained(parse_spec(spec), clock, light)


def _stream(url: str, options: LiveOptions, clock: Clock) -> Camera:

    parse_url(url)
    return LiveCamera(
        lambda: open_http(url, options, clock), CameraIdentity(url, f"stream {url}"), options, clock
    )


def _file(path: Path, clock: Clock) -> Camera:

    kind = kind_of(path)
    if kind is SourceKind.RECORDING:
        return PacedCamera(RecordingCamera(path), clock)
    if kind is SourceKind.VIDEO:
        return PacedCamera(VideoCamera(path), clock)
    raise CameraError(f"camera {path}: a folder is no camera; {EXPECTED}")


def _by_index(index: int, options: LiveOptions, clock: Clock) -> Camera:
    if sys.platform == "linux":
        return _device(Path(f"/dev/video{index}"), options, clock)

    identity = CameraIdentity(str(index), f"camera {index}")

    def identify(device: VideoDevice) -> DeviceIdentity:
        return named_identity(identity.name, device.backend)

    opened = feed_opener(lambda wanted: open_opencv(index, wanted), None, options, clock, identify)
    return LiveCamera(opened, identity, options, clock)


def _device(path: Path, options: LiveOptions, clock: Clock) -> Camera:
    """Open a node; if it has a stable name it is by that name that it is opened again."""
    if sys.platform != "linux":
        raise CameraError(f"camera {path}: device paths are for Linux; {EXPECTED}")
    known = stable_id(path.resolve())
    address = (device_of(known) if known else None) or path
    check_node(address)
    node = address.resolve()
    names = {camera.device: camera.name for camera in list_cameras()}
    identity = CameraIdentity(known or str(path), names.get(str(node), node.name))

    def open_device(wanted: LiveOptions) -> VideoDevice:

        check_node(address)
        ensure_wanted(
            identity.id,
            read_identity(address.resolve()),
            allow_virtual=wanted.allow_virtual,
            pin=wanted.pin,
        )
        return open_opencv(str(address.resolve()), wanted)

    def identify(_device: VideoDevice) -> DeviceIdentity:
        return read_identity(address.resolve())

    opened = feed_opener(open_device, address, options, clock, identify, identity.id)
    return LiveCamera(opened, identity, options, clock)


def check_node(node: Path) -> None:
    """Say clearly why a device node cannot be opened, if it is clear.

    Raises
    ------
    CameraError
        missing, no device, no permission.
    """
    try:
        mode = node.stat().st_mode
    except OSError as error:
        raise CameraError(f"camera {node}: not plugged in ({error.strerror})") from error
    if not stat.S_ISCHR(mode):
        raise CameraError(f"camera {node}: not a device node")
    try:
        node.open("rb", buffering=0).close()
    except PermissionError as error:
        raise CameraError(
            f"camera {node}: no permission; add the user to the group that owns it (video)"
        ) from error
    except OSError as error:
        raise CameraError(f"camera {node}: cannot be opened: {error.strerror}") from error


def feed_opener(
    open_device: OpenDevice,
    node: Path | None,
    options: LiveOptions,
    clock: Clock,
    identify: Callable[[VideoDevice], DeviceIdentity] | None = None,
    camera: str = "",
) -> OpenFeed:
    """Return what opens a device with its controls.

    Parameters
    ----------
    node : where V4L2 is asked for what OpenCV does not know; None elsewhere.
    identify : who an opened device is, for recordings and events.
    camera : its id, under which ``options.controls_file`` keeps how it was found.
    """

    def memory(part: str) -> FoundControls | None:
        if not (options.controls_file and camera):
            return None
        return FoundControls(Path(options.controls_file), f"{camera}{part}")

    def opened() -> DeviceFeed:
        device = open_device(options)
        side = None
        if node is not None:
            side = LineControls(node, options.mains_hz, memory=memory("#line"))
        dialect = DIALECTS.get(device.backend)
        controls = CameraControls(device, dialect, options, side, memory(""))
        try:
            who = {} if identify is None else identify(device).details()
            return DeviceFeed(device, controls, clock, who)
        except CameraError:
            device.release()
            raise

    return opened
