"""The wait after the last frame, and the bytes at equal PSNR, beside what one would write instead.

``python -m bench.encode`` prints two tables: (a) from the moment in which the last of 45 crops of
720 pixels arrives until the file is complete, (h) the bytes of the clip at one and the same PSNR.
Frames arrive at 30 a second, as in a kiosk. Each peer works at the quality whose PSNR is nearest
to ours; peers that take frames one by one are also measured while fed live.
"""

from __future__ import annotations

import argparse
import functools
import io
import math
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import Image

from bench.figures import Figure, Section
from capture.frame import ImageU8
from preprocess.clip.clip import Candidate, CropOffset
from preprocess.clip.clip_builder import ClipBuilder, ClipOptions
from preprocess.face.face import Rect

FRAMES, SIDE_PX, INTERVAL_S = 45, 720, 1 / 30
SAMPLE = 9
"""Consecutive frames on which a peer's quality is searched."""

FOOTAGE = Path(__file__).parents[2] / "shared/data/videos/s18-lit.mkv"

Encode = Callable[[Sequence[ImageU8], int], bytes]


@dataclass
class Peer:
    """An encoder with the same task: all crops and a quality in, a file out."""

    name: str
    encode: Encode
    live: bool = False
    quality: int = 0
    waits_ms: list[float] = field(default_factory=list)
    bytes_: int = 0
    psnr_db: float = 0.0


def load_crops() -> tuple[list[ImageU8], str]:
    """Return 45 crops, (720, 720, 3) uint8 BGR, and what they show."""
    if not FOOTAGE.is_file():
        return list(_synthetic()), "synthetic: a drifting pattern with noise of sd 1.5"
    crops: list[ImageU8] = []
    with av.open(str(FOOTAGE)) as container:
        for index, frame in enumerate(container.decode(video=0)):
            pixels = frame.to_ndarray(format="bgr24")
            left = (pixels.shape[1] - SIDE_PX) // 2
            if index >= 25 and len(crops) < FRAMES:
                crops.append(np.ascontiguousarray(pixels[:SIDE_PX, left : left + SIDE_PX]))
    return crops, f"real footage: {FOOTAGE.name}"


def _synthetic() -> Iterator[ImageU8]:
    generator = np.random.default_rng(1)
    rows, columns = np.mgrid[0:SIDE_PX, 0:SIDE_PX]
    for index in range(FRAMES):
        smooth = 128 + 60 * np.sin((columns + 3 * index) / 37) + 40 * np.cos(rows / 23)
        noise = generator.normal(0, 1.5, (SIDE_PX, SIDE_PX, 3))
        yield np.clip(smooth[:, :, None] + noise, 0, 255).round().astype(np.uint8)


def paced(crops: Sequence[ImageU8]) -> Iterator[tuple[int, ImageU8, float]]:
    """Yield index, crop and arrival time; a consumer that is late gets the next crop at once."""
    start = time.perf_counter()
    for index, crop in enumerate(crops):
        arrival = start + index * INTERVAL_S
        time.sleep(max(0.0, arrival - time.perf_counter()))
        yield index, crop, arrival


def build_live(crops: Sequence[ImageU8]) -> tuple[float, bytes, int, tuple[str, ...]]:
    """Feed our builder as the kiosk does; return wait in ms, file, quality and fallbacks."""
    options = ClipOptions(max_frames=FRAMES, min_frames=1, live=True)
    place, last = CropOffset(0, 0, SIDE_PX, SIDE_PX), 0.0
    with ClipBuilder(options) as builder:
        for index, crop, arrival in paced(crops):
            last = arrival
            t_ns = round(index * INTERVAL_S * 1e9)
            builder.add(Candidate(index, t_ns, None, Rect(0, 0, 9, 9), place, 1.0), crop)
        clip = builder.finish()
        wait_ms = (time.perf_counter() - last) * 1000
        return wait_ms, clip.files[0].content, clip.quality or 0, builder.report.fallbacks


def save_all(crops: Sequence[ImageU8], quality: int, method: int) -> bytes:
    """Pillow's animation encoder, as its documentation shows it."""
    pictures = [Image.fromarray(np.ascontiguousarray(crop[:, :, ::-1])) for crop in crops]
    buffer = io.BytesIO()
    pictures[0].save(
        buffer, "WEBP", save_all=True, append_images=pictures[1:], duration=33,
        quality=quality, method=method,
    )  # fmt: skip
    return buffer.getvalue()


def libwebp_anim(
    crops: Sequence[ImageU8] | Iterator[ImageU8], quality: int, method: int = 4
) -> bytes:
    """FFmpeg's libwebp_anim through PyAV."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="webp") as container:
        stream = container.add_stream("libwebp_anim", rate=30)
        stream.width = stream.height = SIDE_PX
        stream.pix_fmt = "bgra"
        stream.options = {"quality": str(quality), "compression_level": str(method)}
        for index, crop in enumerate(crops):
            frame = av.VideoFrame.from_ndarray(crop, format="bgr24").reformat(format="bgra")
            frame.pts, frame.time_base = index, Fraction(1, 30)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return buffer.getvalue()


def mean_psnr_db(content: bytes, crops: Sequence[ImageU8]) -> float:
    """Mean over the crops of the PSNR of the frame that the file shows at the crop's time."""
    picture = Image.open(io.BytesIO(content))
    shown: list[ImageU8] = []
    total_ms = 0.0
    for index in range(getattr(picture, "n_frames", 1)):
        picture.seek(index)
        pixels = np.asarray(picture.convert("RGB"))[:, :, ::-1]
        total_ms += picture.info.get("duration", 0) or len(crops) * 1000 * INTERVAL_S
        while len(shown) < len(crops) and (len(shown) + 0.5) * 1000 * INTERVAL_S < total_ms:
            shown.append(pixels)
    shown += [shown[-1]] * (len(crops) - len(shown))
    return statistics.fmean(map(_psnr_db, shown, crops))


def _psnr_db(a: ImageU8, b: ImageU8) -> float:
    error = float(np.mean((a.astype(np.float32) - b.astype(np.float32)) ** 2))
    return 10 * math.log10(255**2 / max(error, 1e-9))


def nearest_quality(encode: Encode, crops: Sequence[ImageU8], psnr_db: float) -> int:
    """Return the quality at which ``encode`` comes nearest to the PSNR, by halving."""
    reached: dict[int, float] = {}
    low, high = 30, 100
    while low < high:
        middle = (low + high) // 2
        reached[middle] = mean_psnr_db(encode(crops, middle), crops)
        low, high = (low, middle) if reached[middle] >= psnr_db else (middle + 1, high)
    return min(reached, key=lambda quality: abs(reached[quality] - psnr_db))


def bytes_at(encode: Encode, crops: Sequence[ImageU8], quality: int, psnr_db: float) -> int:
    """Bytes at exactly the PSNR, on the line through the qualities around ``quality``."""
    points = []
    for q in (quality - 1, quality, min(quality + 1, 100)):
        content = encode(crops, q)
        points.append((mean_psnr_db(content, crops), math.log(len(content))))
    psnrs, logs = zip(*sorted(points), strict=True)
    return round(math.exp(float(np.interp(psnr_db, psnrs, logs))))


def ours(crops: Sequence[ImageU8], quality: int, method: int = 2) -> bytes:
    """Our stills and muxer, all at once: what (h) compares."""
    options = ClipOptions(
        quality=quality, quality_min=0, method=method, min_frames=1, max_frames=len(crops)
    )
    place = CropOffset(0, 0, SIDE_PX, SIDE_PX)
    with ClipBuilder(options) as builder:
        for index, crop in enumerate(crops):
            t_ns = round(index * INTERVAL_S * 1e9)
            builder.add(Candidate(index, t_ns, None, Rect(0, 0, 9, 9), place, 1.0), crop)
        return builder.finish().files[0].content


def wait_of(peer: Peer, crops: Sequence[ImageU8]) -> tuple[float, bytes]:
    """Return ms from the last crop's arrival to the file, and the file."""
    if not peer.live:
        start = time.perf_counter()
        content = peer.encode(crops, peer.quality)
        return (time.perf_counter() - start) * 1000, content
    arrivals: list[float] = []

    def stream() -> Iterator[ImageU8]:
        for _, crop, arrival in paced(crops):
            arrivals.append(arrival)
            yield crop

    content = libwebp_anim(stream(), peer.quality)
    return (time.perf_counter() - arrivals[-1]) * 1000, content


ROUNDS, PEER_ROUNDS = 20, 5


def run(rounds: int = ROUNDS, peer_rounds: int = PEER_ROUNDS) -> Section:
    """Measure everything and return the two tables."""
    crops, shown = load_crops()
    sample = crops[:SAMPLE]
    us = Peer("facelight, stills while capturing", ours)
    _, content, us.quality, _ = build_live(crops)
    us.bytes_, us.psnr_db = len(content), mean_psnr_db(content, crops)
    wanted_db = mean_psnr_db(ours(sample, us.quality), sample)
    peers = [
        Peer("Pillow save_all, method 4", functools.partial(save_all, method=4)),
        Peer("Pillow save_all, method 0", functools.partial(save_all, method=0)),
        Peer("PyAV libwebp_anim, at the end", libwebp_anim),
        Peer("PyAV libwebp_anim, fed while capturing", libwebp_anim, live=True),
    ]
    for peer in peers:
        peer.quality = nearest_quality(peer.encode, sample, wanted_db)
    fallbacks: set[str] = set()
    for turn in range(rounds):
        wait_ms, _, _, said = build_live(crops)
        us.waits_ms.append(wait_ms)
        fallbacks |= set(said)
        for peer in peers if turn < peer_rounds else []:
            wait_ms, content = wait_of(peer, crops)
            peer.waits_ms.append(wait_ms)
            peer.bytes_, peer.psnr_db = len(content), mean_psnr_db(content, crops)
    head = f"{FRAMES} crops of {SIDE_PX}x{SIDE_PX}, 30 a second; {shown}."
    if fallbacks:
        head += f" The machine could not keep up: {'; '.join(sorted(fallbacks))}."
    tables = (head, _wait_table(us, peers), _bytes_table(peers, sample, us, wanted_db))
    slowest = statistics.median(peers[0].waits_ms) / statistics.median(us.waits_ms)
    return Section(
        "\n\n".join(tables),
        (
            Figure("wait, 95th percentile", float(np.percentile(us.waits_ms, 95)), "<= 33.3", "ms"),
            Figure("times less than save_all at method 4", slowest, ">= 40"),
        ),
    )


def _wait_table(us: Peer, peers: Sequence[Peer]) -> str:
    lines = [
        "| (a) wait after the last frame | median ms | p5..p95 ms | times ours"
        " | kB | PSNR dB | quality | runs |",
        "|---|---|---|---|---|---|---|---|",
    ]
    base = statistics.median(us.waits_ms)
    for peer in (us, *peers):
        median = statistics.median(peer.waits_ms)
        low, high = np.percentile(peer.waits_ms, (5, 95))
        lines.append(
            f"| {peer.name} | {median:.1f} | {low:.1f}..{high:.1f} | {median / base:.1f}"
            f" | {peer.bytes_ / 1000:.0f} | {peer.psnr_db:.2f} | {peer.quality}"
            f" | {len(peer.waits_ms)} |"
        )
    return "\n".join(lines)


def _bytes_table(
    peers: Sequence[Peer], sample: Sequence[ImageU8], us: Peer, wanted_db: float
) -> str:
    ours_bytes = len(ours(sample, us.quality))
    lines = [
        f"| (h) bytes of {len(sample)} frames at {wanted_db:.2f} dB | kB | of ours |",
        "|---|---|---|",
        f"| facelight, method 2 | {ours_bytes / 1000:.1f} | 1.00 |",
    ]
    others: list[tuple[str, Encode, int]] = [
        (f"facelight, method {method}", encode, nearest_quality(encode, sample, wanted_db))
        for method in (0, 4)
        for encode in [functools.partial(ours, method=method)]
    ]
    others += [
        (peer.name.removesuffix(", at the end"), peer.encode, peer.quality)
        for peer in peers
        if not peer.live
    ]
    for name, encode, quality in others:
        size = bytes_at(encode, sample, quality, wanted_db)
        lines.append(f"| {name} | {size / 1000:.1f} | {size / ours_bytes:.2f} |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m bench.encode")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="runs of our own encoder")
    parser.add_argument("--peer-rounds", type=int, default=PEER_ROUNDS, help="runs of each peer")
    given = parser.parse_args(arguments)
    print(run(given.rounds, given.peer_rounds).body)


if __name__ == "__main__":
    main()
