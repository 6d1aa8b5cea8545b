"""Requests as a client would send them, with every part open to be spoilt."""

from __future__ import annotations

import dataclasses
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from PIL import Image

from capture.frame import ImageU8
from facelight.service.options import API_ROOT
from preprocess.webp.muxer import mux
from preprocess.webp.riff import Still, read_still, riff_body

KEY = {"Ocp-Apim-Subscription-Key": "local"}
JSON_TYPE = "application/json; charset=utf-8"
BYTES_TYPE = "application/octet-stream"
BOUNDARY = "23ac264d-6a58-4f66-929d-d4fd1fc4a7fa"

Json = dict[str, Any]


def noise(width: int = 320, height: int = 320, seed: int = 1) -> ImageU8:
    """Return a picture without a face that does not compress away."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def portrait(path: Path, left: int = 720, top: int = 40, side: int = 560) -> ImageU8:
    """Return a square of a photograph, BGR; the defaults hold obama-1080p's face."""
    rgb = np.asarray(Image.open(path).convert("RGB"))
    return np.ascontiguousarray(rgb[top : top + side, left : left + side, ::-1])


FACE_BOX = {"left": 125, "top": 105, "width": 300, "height": 310}
"""Where ``portrait`` shows the face."""


def still(bgr: ImageU8, quality: int = 90) -> Still:
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(bgr[:, :, ::-1])).save(
        buffer, "WEBP", quality=quality, method=0
    )
    return read_still(riff_body(buffer.getvalue()))


def image_file(bgr: ImageU8, kind: str) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(bgr[:, :, ::-1])).save(buffer, kind)
    return buffer.getvalue()


@dataclass(frozen=True)
class Clip:
    """Files by name, and the entries of the metadata."""

    files: dict[str, bytes]
    entries: list[Json]

    @staticmethod
    def of(
        frames: Sequence[ImageU8], colours: Sequence[str] | None = None, step_ms: int = 33
    ) -> Clip:
        data = mux([still(frame) for frame in frames], [step_ms] * len(frames))
        entries = [
            {
                "fileName": "video.webp",
                "frameNumber": n,
                "imageCreationTimeInMilliSeconds": 2_309_856 + n * step_ms,
            }
            for n in range(len(frames))
        ]
        for entry, colour in zip(entries, colours or (), strict=False):
            entry["activeIlluminationInformation"] = {"illuminatedColor": colour}
        return Clip({"video.webp": data}, entries)

    def changed(self, change: Callable[[Json], object], only: int | None = None) -> Clip:
        """Return the clip with every entry (or one) passed through ``change``."""
        entries = json.loads(json.dumps(self.entries))
        for index, entry in enumerate(entries):
            if only is None or index == only:
                change(entry)
        return dataclasses.replace(self, entries=entries)

    def aimed(self, box: Json, only: int | None = None) -> Clip:
        return self.changed(lambda entry: entry.update(targetFaceRectangle=box), only)

    @property
    def metadata(self) -> bytes:
        return json.dumps({"metadata": {"imageType": 0, "imageData": self.entries}}).encode()

    def parts(self) -> list[tuple[str, tuple[str | None, bytes, str]]]:
        contents = [("Content", (n, data, BYTES_TYPE)) for n, data in self.files.items()]
        return [("Metadata", (None, self.metadata, JSON_TYPE)), *contents]


def post(url: str, clip: Clip, query: str = "", **headers: str) -> httpx.Response:
    return httpx.post(
        f"{url}{API_ROOT}{query}",
        headers=headers or KEY,
        files=clip.parts(),
        timeout=300,
        trust_env=False,
    )


def post_body(url: str, body: bytes, content_type: str | None = None) -> httpx.Response:
    headers = KEY | {"Content-Type": content_type or f'multipart/form-data; boundary="{BOUNDARY}"'}
    return httpx.post(f"{url}{API_ROOT}", headers=headers, content=body, trust_env=False)


def part(headers: str, data: bytes) -> bytes:
    return f"--{BOUNDARY}\r\n{headers}\r\n\r\n".encode() + data + b"\r\n"


def closed(*parts: bytes) -> bytes:
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


METADATA_HEAD = f'Content-Type: {JSON_TYPE}\r\nContent-Disposition: form-data; name="Metadata"'
CONTENT_HEAD = (
    f"Content-Type: {BYTES_TYPE}\r\n"
    'Content-Disposition: form-data; name="Content"; filename="video.webp"'
)
