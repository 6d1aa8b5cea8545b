"""What a camera may offer beyond its frames is used, or refused by name: never passed over."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from capture.camera import OFFERED, Camera, check_offers
from capture.errors import CameraError
from tests.capture.cameras import CASES, CameraCase


class Plain:
    """A camera that offers nothing but frames."""

    info = None

    def read(self, timeout_s: float = 2.0) -> None:
        """Have no frame."""

    def close(self) -> None:
        """Have nothing open."""


def camera(**members: Any) -> Camera:
    return cast("Camera", type("MyCamera", (Plain,), members)())


@pytest.mark.parametrize("members", list(OFFERED.values()), ids=list(OFFERED))
def test_a_whole_protocol_may_be_offered(members: tuple[str, ...]) -> None:
    check_offers(camera(**dict.fromkeys(members, None), gain=1, rotate=None))


@pytest.mark.parametrize(
    ("member", "meant"),
    [("last_jpg", "last_jpeg"), ("unlcok", "unlock"), ("control", "controls"), ("stat", "stats"),
     ("raedy", "ready")],
)  # fmt: skip
def test_a_misspelt_offer_is_named_with_what_was_meant(member: str, meant: str) -> None:
    with pytest.raises(CameraError, match=f"MyCamera: offers '{member}'; did you mean '{meant}'"):
        check_offers(camera(**{member: None}))


def test_half_of_a_protocol_is_named() -> None:
    with pytest.raises(CameraError, match="Lockable without unlock"):
        check_offers(camera(lock=None))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_our_own_cameras_offer_nothing_by_half(case: CameraCase, tmp_path: Path) -> None:
    with case.make(tmp_path) as opened:
        check_offers(opened)
