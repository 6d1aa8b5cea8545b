"""A camera in another process: films a simulated head that is lit by what an Xvfb really shows.

Reads the framebuffer file of ``Xvfb -fbdir`` (XWD format) some 400 times a second, integrates that
light over the exposure of every row of every frame, and serves the frames as MJPEG over HTTP:

    python -m tests.e2e.optical_stream FRAMEBUFFER --truth truth.jsonl

prints ``listening on http://127.0.0.1:PORT/stream.mjpg``. Each frame carries its number in a JPEG
comment (``seq=N``); the truth file holds for each number the stamp and, for every colour, the
smallest and the largest share of it in the exposure of any row.

What makes it cheap enough for two cores: light is linear, so two pictures of the head (under the
lamps, under the white screen) give it under any colour.
"""

from __future__ import annotations

import argparse
import bisect
import json
import mmap
import signal
import struct
import sys
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from capture.light.illumination import NEUTRAL_RGB, PRIMARIES
from capture.simulator.camera.sensor import Sensor
from capture.simulator.colour import LINEAR_OF_CODE, codes_of_linear
from capture.simulator.lighting import CROSSTALK
from capture.simulator.options import CameraOptions, PersonOptions, SimulatorOptions
from capture.simulator.person.pose import Lens
from capture.simulator.scene.room import make_room
from capture.simulator.scene.shading import RowLight

SAMPLE_S = 0.0025
GRID = 24
"""Pixels between two of those whose mean is the screen's light."""
HISTORY = 4000
BAND_ROWS = 8
NAMES = {rgb: name for name, rgb in PRIMARIES.items()} | {NEUTRAL_RGB: "neutral"}


@dataclass(frozen=True)
class Optics:
    """How the camera sees; times in ms. ``latency_ms`` runs from a row's exposure to the stamp."""

    size_wh: tuple[int, int] = (640, 480)
    fps: float = 30.0
    exposure_ms: float = 16.0
    readout_ms: float = 20.0
    latency_ms: float = 85.0
    stamps: bool = True


class Framebuffer:
    """The picture of an Xvfb, read in place; no call to the X server."""

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        head = struct.unpack(">25I", self._map[:100])
        width, height, byte_order = head[4], head[5], head[7]
        if head[1] != 7 or head[11] != 32 or byte_order != 0:
            raise SystemExit(f"{path}: expected XWD 7, 32 bits a pixel, least byte first")
        start = head[0] + 12 * head[19]
        words = np.frombuffer(self._map, np.uint8, head[12] * height, start)
        self._pixels = words.reshape(height, head[12])[:, : width * 4].reshape(height, width, 4)
        self._field: tuple[int, int, int] = NEUTRAL_RGB

    def field(self) -> tuple[int, int, int]:
        """Return the sRGB of the corner, where nothing but the light's field is drawn."""
        b, g, r = (int(v) for v in self._pixels[2, 2, :3])
        return r, g, b

    def light(self) -> NDArray[np.float64]:
        """Return (3,) mean linear R, G, B of the whole screen; white is 1."""
        grid = self._pixels[GRID // 2 :: GRID, GRID // 2 :: GRID, 2::-1]
        mean: NDArray[np.float64] = LINEAR_OF_CODE[grid].mean(axis=(0, 1), dtype=np.float64)
        return mean


class Sampler(threading.Thread):
    """What the screen has shown, as a step function of time."""

    def __init__(self, screen: Framebuffer) -> None:
        super().__init__(daemon=True)
        self._screen = screen
        self._lock = threading.Lock()
        self._times: deque[int] = deque(maxlen=HISTORY)
        self._lights: deque[NDArray[np.float64]] = deque(maxlen=HISTORY)
        self._names: deque[str] = deque(maxlen=HISTORY)

    def run(self) -> None:
        before_ns = time.monotonic_ns()
        while True:
            light, name = self._screen.light(), NAMES.get(self._screen.field(), "other")
            now_ns = time.monotonic_ns()
            with self._lock:
                same = self._names and self._names[-1] == name
                if not (same and np.abs(self._lights[-1] - light).max() < 1e-4):
                    # it changed at some time since the last look
                    self._times.append((before_ns + now_ns) // 2)
                    self._lights.append(light)
                    self._names.append(name)
            before_ns = now_ns
            time.sleep(SAMPLE_S)

    def since(self, t_ns: int) -> tuple[list[int], NDArray[np.float64], list[str]]:
        """Return starts, (n, 3) light and names of the steps, the first of which covers t_ns."""
        with self._lock:
            times, lights, names = list(self._times), list(self._lights), list(self._names)
        first = max(0, bisect.bisect_right(times, t_ns) - 1)
        return times[first:], np.array(lights[first:]), names[first:]


class Head:
    """The simulated person as two pictures in linear light."""

    def __init__(self, optics: Optics, seed: int) -> None:
        width, height = optics.size_wh
        camera = CameraOptions(size_wh=optics.size_wh, fov_deg=50.0)
        options = SimulatorOptions(PersonOptions(motion=()), camera, seed=seed)
        room = make_room(options, Lens(optics.size_wh, width / 2 / np.tan(np.radians(25.0))))
        sensor = Sensor(camera, seed)
        tint = np.asarray(options.room.tint)[::-1]
        sensor.balance_for(tint)
        for share in (0.0, 1.0):  # exposure settles under lamps and neutral screen
            for _ in range(6):
                self.lamps, self.screen = (
                    LINEAR_OF_CODE[room.render(0.0, 0.0, light)]
                    for light in _basis(sensor, options)
                )
                both = self.lamps + self.screen * float(LINEAR_OF_CODE[128]) * share
                sensor.meter(codes_of_linear(both), None, 0.9)
        rng = np.random.default_rng(seed)
        noise = rng.standard_normal((height + 64, width + 64, 3)).astype(np.float32)
        self._noise = noise * np.float32(1.3)
        self._rng = rng

    def seen(self, rows: NDArray[np.float64], t_s: float) -> NDArray[np.uint8]:
        """Return (H, W, 3) BGR under (bands, 3) R, G, B of the screen, swaying a little."""
        height, width = self.lamps.shape[:2]
        camera = rows @ (CROSSTALK / CROSSTALK.sum(axis=1, keepdims=True)).T
        light = cv2.resize(camera[:, None, ::-1].astype(np.float32), (1, height))
        linear = self.lamps + self.screen * light.reshape(height, 1, 3)
        dx, dy = 1.5 * np.sin(t_s * 1.7), 0.8 * np.sin(t_s * 1.1 + 1)
        move = np.array([[1, 0, dx], [0, 1, dy]])
        linear = cv2.warpAffine(linear, move, (width, height), borderMode=cv2.BORDER_REPLICATE)
        codes = codes_of_linear(linear.astype(np.float32, copy=False)).astype(np.float32)
        y, x = self._rng.integers(0, 64, 2)
        codes += self._noise[y : y + height, x : x + width]
        return np.clip(np.rint(codes), 0, 255).astype(np.uint8)


def _basis(sensor: Sensor, options: SimulatorOptions) -> tuple[RowLight, RowLight]:
    height, unit = options.camera.size_wh[1], sensor.scale
    dark = np.zeros((height, 3), np.float32)
    tint = np.asarray(options.room.tint)[::-1]
    lamps = np.tile(unit * tint * (options.room.ambient_lx / np.pi), (height, 1))
    screen = np.tile(unit / np.pi, (height, 1))
    none = np.zeros(3, np.float32)
    return (
        RowLight(lamps.astype(np.float32), dark, none),
        RowLight(dark, screen.astype(np.float32), none),
    )


def row_shares(
    times_ns: Sequence[int], starts_ns: NDArray[np.int64], exposure_ns: int
) -> NDArray[np.float64]:
    """Return (rows, steps): which share of each row's exposure fell into each step of the light."""
    begins = np.array([starts_ns.min() - 1, *times_ns[1:]], np.float64)
    ends = np.append(begins[1:], np.inf)
    until = starts_ns[:, None] + exposure_ns
    overlap = np.minimum(until, ends) - np.maximum(starts_ns[:, None], begins)
    shares: NDArray[np.float64] = np.clip(overlap, 0, None) / exposure_ns
    return shares


class Filming(threading.Thread):
    """Exposes, renders and publishes frame after frame; what comes too late is left out."""

    def __init__(self, optics: Optics, sampler: Sampler, head: Head, truth: Path) -> None:
        super().__init__(daemon=True)
        self._optics = optics
        self._sampler = sampler
        self._head = head
        self._truth = truth.open("w", encoding="utf-8")
        self._published = threading.Condition()
        self._newest: tuple[int, int, bytes] = (-1, 0, b"")

    def after(self, seq: int) -> tuple[int, int, bytes]:
        """Wait for a frame with a higher number; return number, stamp and JPEG."""
        with self._published:
            self._published.wait_for(lambda: self._newest[0] > seq)
            return self._newest

    def run(self) -> None:
        optics, height = self._optics, self._optics.size_wh[1]
        period_ns = 1e9 / optics.fps * 1.00004
        exposure_ns, readout_ns = round(optics.exposure_ms * 1e6), round(optics.readout_ms * 1e6)
        share = np.arange(BAND_ROWS / 2, height, BAND_ROWS) / height
        zero_ns, seq = time.monotonic_ns(), -1
        while True:
            seq += 1
            exposed_ns = zero_ns + round(seq * period_ns)
            done_ns = exposed_ns + readout_ns + exposure_ns + 5_000_000
            if time.monotonic_ns() > done_ns + 60_000_000:
                continue
            _sleep_until(done_ns)
            starts = exposed_ns + np.rint(share * readout_ns).astype(np.int64)
            times, lights, names = self._sampler.since(exposed_ns)
            weights = row_shares(times, starts, exposure_ns)
            pixels = self._head.seen(weights @ lights, (exposed_ns - zero_ns) / 1e9)
            stamp_ns = exposed_ns + round(optics.latency_ms * 1e6)
            told = {
                n: weights[:, [m == n for m in names]].sum(axis=1) for n in dict.fromkeys(names)
            }
            entry = {
                "seq": seq,
                "t_ns": stamp_ns,
                "least": {n: round(float(v.min()), 4) for n, v in told.items()},
                "most": {n: round(float(v.max()), 4) for n, v in told.items()},
            }
            jpeg = _with_comment(pixels, f"seq={seq}")
            _sleep_until(stamp_ns + 1_000_000)
            self._truth.write(json.dumps(entry) + "\n")
            self._truth.flush()
            with self._published:
                self._newest = seq, stamp_ns, jpeg
                self._published.notify_all()


def _with_comment(pixels: NDArray[np.uint8], text: str) -> bytes:
    done, packed = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 92])
    if not done:
        raise SystemExit("the frame could not be encoded")
    comment, jpeg = text.encode("ascii"), packed.tobytes()
    return jpeg[:2] + b"\xff\xfe" + struct.pack(">H", len(comment) + 2) + comment + jpeg[2:]


def _sleep_until(t_ns: int) -> None:
    left_ns = t_ns - time.monotonic_ns()
    if left_ns > 0:
        time.sleep(left_ns / 1e9)


def handler_of(filming: Filming, *, stamps: bool) -> type[BaseHTTPRequestHandler]:
    """Return the handler of the stream's one page."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
            self.send_header("X-Provenance", "simulated")
            self.end_headers()
            last = -1
            while True:
                last, stamp_ns, jpeg = filming.after(last)
                stamp = f"X-Timestamp: {stamp_ns}\r\n" if stamps else ""
                head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n"
                try:
                    self.wfile.write(f"{head}{stamp}\r\n".encode() + jpeg + b"\r\n")
                except OSError:
                    return  # who watched has gone

        def log_message(self, *args: Any) -> None:
            pass

    return Handler


def main() -> None:
    """Serve until a signal."""
    parser = argparse.ArgumentParser()
    parser.add_argument("framebuffer", type=Path)
    parser.add_argument("--truth", type=Path, required=True)
    parser.add_argument("--fps", type=float, default=30.0)
    parser.add_argument("--latency-ms", type=float, default=85.0)
    parser.add_argument("--exposure-ms", type=float, default=16.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--no-stamps", action="store_true")
    asked = parser.parse_args()
    optics = Optics(
        fps=asked.fps,
        latency_ms=asked.latency_ms,
        exposure_ms=asked.exposure_ms,
        stamps=not asked.no_stamps,
    )
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    cv2.setNumThreads(1)
    sampler = Sampler(Framebuffer(asked.framebuffer))
    sampler.start()
    filming = Filming(optics, sampler, Head(optics, asked.seed), asked.truth)
    filming.start()
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler_of(filming, stamps=optics.stamps))
    server.daemon_threads = True
    port = server.server_address[1]
    sys.stdout.write(f"listening on http://127.0.0.1:{port}/stream.mjpg\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main()
