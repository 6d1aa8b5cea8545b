"""A folder of images as a camera: one file a frame, in the order in which people number files."""

from __future__ import annotations

import csv
import re
import warnings
from collections import Counter
from itertools import pairwise
from pathlib import Path
from statistics import median
from types import TracebackType
from typing import Self

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from capture.camera import CameraInfo, Provenance
from capture.errors import CameraError, SourceError
from capture.files.extent import check_frames, check_size
from capture.files.pictures.deep_images import FORMATS, bits_in_use, deep_values, is_deep, scaled
from capture.frame import Frame, ImageU8

ENDINGS = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".gif"})
UNREAD = frozenset({".heic", ".heif", ".avif", ".tif", ".tiff", ".jxl", ".jp2", ".jfif", ".dng"})
"""Pictures that are named, not read."""

TIMES = "frames.csv"
"""Optional, in the folder: columns ``file,t_ms`` (others are ignored), a row an image."""

DEFAULT_FPS = 30
MAX_TIME_MS = 86_400_000.0


class ImagesCamera:
    """The images of a folder (jpg, png, bmp, webp, gif: the first picture) as frames.

    Order and times come from ``frames.csv`` in the folder where there is one: ``file`` names an
    image, ``t_ms`` its time, strictly increasing; ``t_frame_ns`` is 0 at the first. Without it the
    order is that of the names, numbers by their value (``2.png`` before ``10.png``), and the
    frames are 1/30 s apart: such times say nothing of the light, so they can't be labelled.

    EXIF orientation is applied, transparency is dropped (what it hides is shown). Pictures of 16
    bits are scaled to 8 by the bits that their values use in the whole folder: sensors of 10 or 12
    bits write theirs unscaled. ``notes`` say so, and name files that look like pictures and are not
    read.

    Raises
    ------
    SourceError
        at construction: no folder, no images, a fault in ``frames.csv``. From ``read``, at every
        call from then on: the file that cannot be read or has another size than the first.
    """

    def __init__(self, folder: str | Path) -> None:
        self.path = Path(folder)
        if not self.path.is_dir():
            raise SourceError(self.path, "no such folder of images")
        times = self.path / TIMES
        self.timed = times.is_file()
        self._entries = _listed(self.path, times) if self.timed else _numbered(self.path)
        self._next = 0
        self._open = True
        self._failure: SourceError | None = None
        self._bits = bits_in_use(path for path, _ in self._entries)
        height, width = _load(self._entries[0][0], self._bits).shape[:2]
        self._info = CameraInfo(
            id=str(self.path),
            name=self.path.resolve().name,
            size_wh=(width, height),
            fps=None if self.timed else float(DEFAULT_FPS),
            provenance=Provenance.IMPORTED,
            details={"images": str(len(self._entries)), "times": TIMES if self.timed else "30 fps"},
        )

    @property
    def info(self) -> CameraInfo:
        """Folder name, size of the first image, frame rate where it is an assumption."""
        return self._info

    @property
    def duration_ns(self) -> int:
        """From the first frame to one interval after the last."""
        return self._entries[-1][1] + self.interval_ns

    @property
    def interval_ns(self) -> int:
        """Median distance of two frames; 1/30 s for a single one."""
        distances = [after - before for (_, before), (_, after) in pairwise(self._entries)]
        return round(median(distances)) if distances else 1_000_000_000 // DEFAULT_FPS

    @property
    def files(self) -> tuple[Path, ...]:
        """The images in the order of the frames."""
        return tuple(path for path, _ in self._entries)

    @property
    def notes(self) -> tuple[str, ...]:
        """What is to be said of the pictures, one sentence each."""
        notes = _unread_notes(self.path)
        if 8 < self._bits < 16:
            notes.append(f"pictures of 16 bits use {self._bits} of them: scaled by that")
        return tuple(notes)

    def read(self, timeout_s: float = 2.0) -> Frame | None:  # noqa: ARG002 - a file never waits
        """Return the next image, or None after the last."""
        if not self._open:
            raise CameraError(f"{self.path}: the folder is closed")
        if self._failure is not None:
            raise self._failure
        if self._next == len(self._entries):
            return None
        path, t_ns = self._entries[self._next]
        try:
            pixels = self._sized(path)
        except SourceError as error:
            self._failure = error
            raise
        self._next += 1
        return Frame(self._next - 1, t_ns, t_ns, pixels)

    def _sized(self, path: Path) -> ImageU8:
        pixels = _load(path, self._bits)
        height, width = pixels.shape[:2]
        if (width, height) != self._info.size_wh:
            first = "{}x{}".format(*self._info.size_wh)
            raise SourceError(path, f"is {width}x{height}, expected {first} like the first image")
        return pixels

    def close(self) -> None:
        """End the session; idempotent."""
        self._open = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def natural_key(name: str) -> tuple[tuple[int, int, str], ...]:
    """Return a sort key that reads digits as numbers, so that ``f2`` comes before ``f10``."""
    parts = re.findall(r"\d+|\D+", name)
    return tuple((0, int(p), p) if p.isdecimal() and p.isascii() else (1, 0, p) for p in parts)


def is_image(path: Path) -> bool:
    """Whether a file counts as an image of a session: by its ending, hidden files aside."""
    return path.suffix.lower() in ENDINGS and not path.name.startswith(".") and path.is_file()


def read_image(path: Path) -> ImageU8:
    """Return one image file as (H, W, 3) uint8 BGR, upright, read-only.

    Raises
    ------
    SourceError
        missing, unreadable, damaged, or too large.
    """
    return _load(path)


def image_files(folder: Path) -> list[Path]:
    """Return the files that make up a folder's session: images and ``frames.csv``, sorted."""
    try:
        found = [path for path in folder.iterdir() if is_image(path) or path.name == TIMES]
    except OSError as error:
        raise SourceError(folder, f"cannot be listed: {error.strerror or error}") from error
    return sorted(found, key=lambda path: (natural_key(path.name), path.name))


def _numbered(folder: Path) -> list[tuple[Path, int]]:
    found = image_files(folder)
    check_frames(folder, len(found))
    if not found:
        endings = " ".join(sorted(ENDINGS))
        unread = "".join(f"; {note}" for note in _unread_notes(folder))
        raise SourceError(folder, f"no images in the folder, expected {endings}{unread}")
    return [(path, i * 1_000_000_000 // DEFAULT_FPS) for i, path in enumerate(found)]


def _listed(folder: Path, times: Path) -> list[tuple[Path, int]]:
    entries: list[tuple[Path, int]] = []
    try:
        with times.open(newline="", encoding="utf-8-sig") as file:
            for row in csv.DictReader(file, strict=True):
                entries.append(_entry(folder, times, row, len(entries) + 1))
                check_frames(times, len(entries))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SourceError(times, f"cannot be read: {error}") from error
    if not entries:
        raise SourceError(times, "lists no images, expected a row with file,t_ms for each")
    for number, ((_, before), (_, after)) in enumerate(pairwise(entries), 2):
        if after <= before:
            raise SourceError(times, f"row {number}: t_ms: expected later than the row before")
    first_ns = entries[0][1]
    return [(path, t_ns - first_ns) for path, t_ns in entries]


def _entry(folder: Path, times: Path, row: dict[str, str], number: int) -> tuple[Path, int]:
    name, text = row.get("file"), row.get("t_ms")
    if name is None or text is None:
        raise SourceError(times, f"row {number}: expected the columns file,t_ms")
    try:
        t_ms = float(text)
    except ValueError:
        t_ms = float("nan")
    if not -MAX_TIME_MS <= t_ms <= MAX_TIME_MS:
        raise SourceError(times, f"row {number}: t_ms: expected milliseconds, got {text[:40]!r}")
    path = folder / name
    if name != Path(name).name or not is_image(path):
        raise SourceError(times, f"row {number}: file: no such image: {name[:80]!r}")
    return path, round(t_ms * 1_000_000)


def _unread_notes(folder: Path) -> list[str]:
    """Name pictures of kinds that are not read, by their endings."""
    counts = Counter(p.suffix.lower() for p in folder.iterdir() if not p.name.startswith("."))
    return [
        f"{counts[ending]} files {ending} are not read: convert them to JPEG or PNG"
        for ending in sorted(UNREAD & set(counts))
    ]


def _load(path: Path, bits: int | None = None) -> ImageU8:
    """Return an image file as (H, W, 3) uint8 BGR, upright, read-only.

    ``bits`` are those in use of a picture of 16; None: as this picture uses them.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path, formats=FORMATS) as image:
                check_size(path, *image.size)
                if is_deep(image):
                    pixels = scaled(deep_values(path, image), bits or bits_in_use([path]))
                else:
                    rgb = ImageOps.exif_transpose(image).convert("RGB")
                    pixels = np.ascontiguousarray(np.asarray(rgb)[..., ::-1])
    except UnidentifiedImageError as error:
        raise SourceError(path, "no image that can be read") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise SourceError(path, "claims more pixels than any camera has") from error
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        raise SourceError(path, f"damaged image: {error}") from error
    pixels.flags.writeable = False
    return pixels
