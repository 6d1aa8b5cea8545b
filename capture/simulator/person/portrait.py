"""A photograph laid over the painted head: simple frontal projection, aligned by the eyes.

The photograph's own shading stays in the texture, and its eyes and mouth do not move.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import cast

import cv2
import numpy as np

from capture.errors import CameraError
from capture.simulator.colour import LINEAR_OF_CODE, ArrayF, ColourF, ImageU8
from capture.simulator.person.canvas import WHOLE, Canvas, encode, ramp
from capture.simulator.person.features import EYE_HEIGHT_CM
from capture.simulator.person.identity import Identity
from capture.simulator.raster import blurred, looked_up, resized

Eyes = tuple[float, float, float, float]
"""x, y of the left and of the right eye in the image, pixels."""

_LUMINANCE_BGR = np.array([0.0722, 0.7152, 0.2126])


@dataclass(frozen=True, slots=True, eq=False)
class Portrait:
    """A photograph, (H, W, 3) uint8 BGR, and where its eyes are."""

    image: ImageU8
    eyes: Eyes


def read_portrait(path: str, eyes: Eyes | None) -> Portrait:
    """Read the photograph in ``path``, and find its eyes where they are not given.

    Raises
    ------
    CameraError
        the file is no image, or its eyes are not found and not given, or lie outside of it.
    """
    image = _read(path)
    left_x, left_y, right_x, right_y = eyes or find_eyes(image, path)
    height, width = image.shape[:2]
    if not (0 <= left_x < right_x < width and 0 <= min(left_y, right_y) < height):
        raise CameraError(
            f"sim: portrait-eyes: expected the left eye, then the right one, inside {path} "
            f"({width}x{height}), got {left_x:g}/{left_y:g}/{right_x:g}/{right_y:g}"
        )
    return Portrait(image, (left_x, left_y, right_x, right_y))


def lay_portrait(canvas: Canvas, person: Identity, portrait: Portrait) -> ColourF:
    """Cover the front of the canvas with the face, its skin as bright as the person's.

    Returns the photograph's linear skin colour at that brightness, for the neck.
    """
    image, (left_x, left_y, right_x, right_y) = portrait.image, portrait.eyes
    height, width = image.shape[:2]
    across = np.array([right_x - left_x, right_y - left_y]) / (2 * person.eye_half_gap_cm)
    down = np.array([-across[1], across[0]])
    middle = np.array([left_x + right_x, left_y + right_y]) / 2
    drop = EYE_HEIGHT_CM - canvas.y_cm
    column = (middle[0] + canvas.x_cm * across[0] + drop * down[0]).astype(np.float32)
    row = (middle[1] + canvas.x_cm * across[1] + drop * down[1]).astype(np.float32)
    photo = looked_up(image, column, row)
    coded, skin = _matched(photo, canvas, person)
    inside = np.minimum.reduce([column, width - 1 - column, row, height - 1 - row])
    cover = _front(canvas) * ramp(inside - 6.0, 12.0)
    canvas.blend(WHOLE, cover.astype(np.float32), coded)
    return skin


def _read(path: str) -> ImageU8:
    try:
        packed = np.frombuffer(Path(path).read_bytes(), np.uint8)
    except OSError as problem:
        raise CameraError(f"sim: portrait: {path}: {problem.strerror or problem}") from problem
    image = cv2.imdecode(packed, cv2.IMREAD_COLOR) if packed.size else None
    if image is None:
        raise CameraError(f"sim: portrait: {path}: expected an image such as JPEG or PNG")
    return cast("ImageU8", image)


def find_eyes(image: ImageU8, path: str) -> Eyes:
    """Return the eyes of the largest face by OpenCV's Haar cascades.

    Raises
    ------
    CameraError
        no face, or not two eyes in it.
    """
    grey = cast("ImageU8", cv2.cvtColor(image, cv2.COLOR_BGR2GRAY))
    faces = _detect(grey, "haarcascade_frontalface_default.xml", max(40, min(grey.shape) // 8))
    if not faces:
        raise CameraError(f"sim: portrait: {path}: no face found; give portrait-eyes=X/Y/X/Y")
    x, y, side, _ = max(faces, key=lambda box: box[2])
    upper = grey[y : y + int(side * 0.6), x : x + side]
    halves = []
    for start, stop in ((0, side // 2), (side // 2, side)):
        found = _detect(upper[:, start:stop], "haarcascade_eye.xml", max(12, side // 8))
        if not found:
            raise CameraError(
                f"sim: portrait: {path}: no two eyes found; give portrait-eyes=X/Y/X/Y"
            )
        ex, ey, ew, eh = max(found, key=lambda box: box[2])
        halves.append((x + start + ex + ew / 2, y + ey + eh / 2))
    return (*halves[0], *halves[1])


def _detect(grey: ImageU8, cascade: str, least_px: int) -> list[tuple[int, ...]]:
    folder = Path(cast("str", vars(cv2)["data"].haarcascades))
    model = cv2.CascadeClassifier(str(folder / cascade))
    boxes = model.detectMultiScale(grey, 1.05, 4, minSize=(least_px, least_px))
    return [tuple(int(v) for v in box) for box in boxes]


def _front(canvas: Canvas) -> ArrayF:
    """Return where the head looks forward enough to be painted from the front, 0..1."""
    size = canvas.x_cm.shape[1], canvas.x_cm.shape[0]
    facing = resized(np.ascontiguousarray(canvas.shape.surface[..., 2]), size)
    ahead = resized(np.ascontiguousarray(canvas.shape.points_cm[..., 2]), size)
    cover = ramp(blurred(facing, 9.0) - 0.30, 0.25) * ramp(ahead - 0.5, 2.0)
    oval = 1 - np.hypot(canvas.x_cm / 7.0, (canvas.y_cm - 0.4) / 9.4)
    return cover * ramp(oval - 0.06, 0.12)


def _matched(photo: ImageU8, canvas: Canvas, person: Identity) -> tuple[ArrayF, ColourF]:
    """Return the photograph in canvas values, cheeks as light as the person's skin; and theirs."""
    light = LINEAR_OF_CODE[photo]
    cheeks = (np.abs(np.abs(canvas.x_cm) - 3.8) < 1.2) & (np.abs(canvas.y_cm + 0.3) < 1.0)
    skin = np.median(light[cheeks], axis=0)
    gain = float(_LUMINANCE_BGR @ np.asarray(person.skin)[::-1]) / max(
        float(_LUMINANCE_BGR @ skin), 1e-3
    )
    gain = min(gain, 0.95 / max(float(np.percentile(light[cheeks], 99)), 1e-3))
    blue, green, red = (float(v) for v in skin * gain)
    _recolour(canvas, person, encode((red, green, blue)))
    scaled = np.clip(light * np.float32(gain), 0, 1)
    coded = np.where(scaled <= 0.0031308, scaled * 12.92, 1.055 * np.power(scaled, 1 / 2.4) - 0.055)
    return coded.astype(np.float32), (red, green, blue)


def _recolour(canvas: Canvas, person: Identity, skin: ArrayF) -> None:
    """Shift the painted skin to the photograph's, so that its edge does not show."""
    shift = skin / encode(person.skin)
    distance = np.abs(canvas.pixels[..., :3] - encode(person.skin)).sum(axis=2)
    near = ramp(0.45 - distance, 0.3)
    canvas.pixels[..., :3] *= 1 + near[..., None] * (shift - 1)
