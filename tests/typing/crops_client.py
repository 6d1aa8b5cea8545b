"""Crops of one's own into a WebP and its metadata."""

from __future__ import annotations

import sys
from pathlib import Path

import facelight


def main(folder: Path) -> list[str]:
    """Write the clip of a video's frames and return the names of its files."""
    with facelight.open_source(folder / "session.mkv") as source:
        frames = list(facelight.frames_of(source.camera))[:10]
    height, width = frames[0].pixels.shape[:2]
    whole = facelight.CropOffset(0, 0, width, height)
    face = facelight.Rect(width // 4, height // 4, width // 2, height // 2)
    clip = facelight.pack_clip(
        [facelight.Crop(f.pixels, f.t_frame_ns // 1_000_000, face, whole) for f in frames]
    )
    Path("metadata.json").write_bytes(facelight.metadata_of(clip).to_bytes())
    for file in clip.files:
        Path(file.name).write_bytes(file.content)
    return [file.name for file in clip.files]


if __name__ == "__main__":
    print(main(Path(sys.argv[1])))
