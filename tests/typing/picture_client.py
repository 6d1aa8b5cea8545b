"""One picture: is this face good, and if not, why."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np

import facelight


def main(folder: Path) -> str:
    """Return the verdict on a picture in one line."""
    pixels = np.asarray(cv2.imread(str(folder / "face.png")), np.uint8)
    verdict = facelight.judge_picture(pixels)
    if verdict.accepted:
        return f"good, {verdict.measures.ied_px:.0f} px between the eyes"
    return f"{verdict.what}: {verdict.advice}"


if __name__ == "__main__":
    print(main(Path(sys.argv[1])))
