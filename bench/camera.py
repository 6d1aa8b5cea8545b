"""The age of frames of an MJPEG stream when they are read, and how many are dropped.

    python -m bench.camera --size 1280x720 --fps 30 --seconds 60 --work-ms 15

A process of its own serves noisy pictures over loopback, each stamped with the monotonic clock at
the moment it is sent. ``--work-ms`` is the processor time that the reader spends on a frame before
it asks for the next, as tracking and measuring do. The age is taken when ``read`` returns, decoded.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import socket
import time
from multiprocessing.connection import Connection

import cv2
import numpy as np

from bench.footage import people
from capture.live.camera import LiveCamera
from capture.live.options import LiveOptions
from capture.live.spec import open_camera

HEAD = b"HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=frame\r\n\r\n"
PICTURES = 30


def pictures(size_wh: tuple[int, int]) -> list[bytes]:
    """Return moving shapes with sensor noise at JPEG quality 85: 200 kB at 720p."""
    width, height = size_wh
    rng = np.random.default_rng(0)
    ramp = (
        np.linspace(0, 12 * np.pi, width)[None, :, None] + np.linspace(0, 6, height)[:, None, None]
    )
    made = []
    for index in range(PICTURES):
        scene = 120 + 60 * np.sin(ramp + index / 5) + np.array([0, 10, 20])
        noisy = np.clip(scene + rng.normal(0, 3, (height, width, 3)), 0, 255).astype(np.uint8)
        made.append(cv2.imencode(".jpg", noisy, [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes())
    return made


def persons(size_wh: tuple[int, int]) -> tuple[list[bytes], str]:
    """Return somebody who moves, there and back, at JPEG quality 85, and what it is."""
    frames, told = people(size_wh, 2 * PICTURES)
    there = [cv2.imencode(".jpg", f, [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes() for f in frames]
    return there + there[-2:0:-1], told


def serve(size_wh: tuple[int, int], fps: float, told: Connection, person: bool = False) -> None:
    """Serve the stream to one reader after the other; tell port, bytes a frame, what it shows."""
    made, shown = persons(size_wh) if person else (pictures(size_wh), "moving shapes with noise")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        told.send((listener.getsockname()[1], sum(map(len, made)) / len(made), shown))
        while True:
            connection, _ = listener.accept()
            with connection:
                connection.recv(4096)
                send_all(connection, made, fps)


def send_all(connection: socket.socket, made: list[bytes], fps: float) -> None:
    """Send a picture at each beat until the reader has gone."""
    start_ns = time.monotonic_ns()
    count = 0
    try:
        connection.sendall(HEAD)
        while True:
            left_s = (start_ns + count * 1e9 / fps - time.monotonic_ns()) / 1e9
            time.sleep(max(0.0, left_s))
            body = made[count % len(made)]
            head = f"Content-Length: {len(body)}\r\nX-Timestamp: {time.monotonic_ns()}\r\n\r\n"
            connection.sendall(b"--frame\r\n" + head.encode() + body + b"\r\n")
            count += 1
    except OSError:
        return


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", default="1280x720")
    parser.add_argument("--fps", type=float, default=30)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--work-ms", type=float, default=15)
    asked = parser.parse_args()
    width, _, height = asked.size.partition("x")
    ours, theirs = multiprocessing.Pipe()
    context = multiprocessing.get_context("spawn")
    sender = context.Process(
        target=serve, args=((int(width), int(height)), asked.fps, theirs), daemon=True
    )
    sender.start()
    try:
        port, mean_bytes, _ = ours.recv()
        print(f"{asked.size} at {asked.fps:g} fps, {mean_bytes / 1e3:.0f} kB a frame")
        with open_camera(f"http://127.0.0.1:{port}/stream.mjpg", LiveOptions()) as camera:
            assert isinstance(camera, LiveCamera)
            report(camera, asked.seconds, asked.work_ms / 1e3)
    finally:
        sender.terminate()
        sender.join(10)


def report(camera: LiveCamera, seconds: float, work_s: float) -> None:
    """Read for a while and print what came of it."""
    ages_ms: list[float] = []
    cpu_s, end_s = time.process_time(), time.monotonic() + seconds
    first = camera.stats
    while time.monotonic() < end_s:
        frame = camera.read()
        assert frame is not None
        ages_ms.append((time.monotonic_ns() - frame.t_frame_ns) / 1e6)
        busy_until_s = time.process_time() + work_s
        while time.process_time() < busy_until_s:  # a core is taken, as tracking does
            np.sort(np.arange(20_000)[::-1])
    stats = camera.stats
    middle, p95, p99 = np.percentile(ages_ms, [50, 95, 99])
    cpu = 100 * (time.process_time() - cpu_s) / seconds - 100 * work_s * len(ages_ms) / seconds
    print(f"frames read      {len(ages_ms)} in {seconds:g} s")
    print(f"age when read    median {middle:.1f}, p95 {p95:.1f}, p99 {p99:.1f} ms, ", end="")
    print(f"oldest {max(ages_ms):.1f} ms")
    print(f"dropped          {stats.dropped - first.dropped} of {stats.received - first.received}")
    print(f"measured rate    {stats.fps:.2f} fps, stamps by {stats.stamp_source}")
    print(f"processor        {max(0.0, cpu):.0f} % of a core; load of the machine ", end="")
    print(" ".join(f"{value:.1f}" for value in os.getloadavg()))


if __name__ == "__main__":
    main()
