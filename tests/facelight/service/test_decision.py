"""The decision comes from the light: real faces, relit by computation with a known truth."""

from __future__ import annotations

import csv
import random
from pathlib import Path

import av
import numpy as np
import pytest

from capture.frame import ImageU8
from facelight.service.server import LocalService
from tests.facelight.service.requests import Clip, post

pytestmark = pytest.mark.slow

PLACES = {"s18": (480, 60), "d13": (90, 370)}
"""Left and top of a square of 540 px that holds the face."""

SIDE = 540
FRAMES = 36


def lit_frames(footage: Path, name: str) -> tuple[list[ImageU8], list[str], list[int]]:
    """Return evenly chosen clean frames, cropped, their true colours and times."""
    folder = footage / "videos"
    with (folder / f"{name}-lit.truth.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    clean = [n for n, row in enumerate(rows) if row["label"].startswith("clean:")]
    wanted = set(clean[:: max(1, len(clean) // FRAMES)])
    left, top = PLACES[name]
    frames, colours, times = [], [], []
    with av.open(str(folder / f"{name}-lit.mkv")) as container:
        for n, picture in enumerate(container.decode(video=0)):
            if n in wanted:
                whole = picture.to_ndarray(format="bgr24")
                frames.append(np.ascontiguousarray(whole[top : top + SIDE, left : left + SIDE]))
                colours.append(rows[n]["label"].removeprefix("clean:"))
                times.append(int(rows[n]["t_ms"]))
    return frames, colours, times


@pytest.fixture(scope="module", params=["s18", "d13"])
def lit(request: pytest.FixtureRequest, footage: Path) -> tuple[Clip, list[str]]:
    frames, colours, times = lit_frames(footage, request.param)
    clip = Clip.of(frames, colours)
    for entry, t_ms in zip(clip.entries, times, strict=True):
        entry["imageCreationTimeInMilliSeconds"] = t_ms
    return clip, colours


def declared(clip: Clip, colours: list[str]) -> Clip:
    named = iter(colours)
    return clip.changed(
        lambda e: e.update(activeIlluminationInformation={"illuminatedColor": next(named)})
    )


def decision(service: LocalService, clip: Clip) -> str:
    answer = post(service.url, clip)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["livenessDecision"])


def test_a_face_lit_as_declared_is_a_realface(
    service: LocalService, lit: tuple[Clip, list[str]]
) -> None:
    assert decision(service, lit[0]) == "realface"


@pytest.mark.parametrize("turn", [1, 2])
def test_other_colours_than_declared_are_a_spoofface(
    service: LocalService, lit: tuple[Clip, list[str]], turn: int
) -> None:
    order = ["Red", "Green", "Blue"]
    others = [order[(order.index(colour) + turn) % 3] for colour in lit[1]]
    assert decision(service, declared(lit[0], others)) == "spoofface"


def test_another_order_of_the_slots_is_a_spoofface(
    service: LocalService, lit: tuple[Clip, list[str]]
) -> None:
    swapped = {"Red": "Green", "Green": "Red", "Blue": "Blue"}
    others = [swapped[colour] for colour in lit[1]]
    assert decision(service, declared(lit[0], others)) == "spoofface"


def test_without_light_information_nothing_is_certain(
    service: LocalService, lit: tuple[Clip, list[str]]
) -> None:
    dark = lit[0].changed(lambda e: e.pop("activeIlluminationInformation"))
    assert decision(service, dark) == "uncertain"


def test_declared_light_that_does_not_show_is_uncertain(
    service: LocalService, footage: Path
) -> None:
    left, top = PLACES["d13"]
    with av.open(str(footage / "videos" / "d13.mp4")) as container:
        pictures = [p.to_ndarray(format="bgr24") for p in container.decode(video=0)]
    frames = [
        np.ascontiguousarray(p[top : top + SIDE, left : left + SIDE])
        for p in pictures[: 4 * FRAMES : 4]
    ]
    slots = random.Random(5).choices(["Red", "Green", "Blue"], k=6)
    colours = [slots[n * 6 // len(frames)] for n in range(len(frames))]
    assert decision(service, Clip.of(frames, colours, step_ms=133)) == "uncertain"
