"""The demo: simulated people meet the kiosk's own loop and the local service."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from capture.simulator.sim_spec import parse_spec
from facelight.commands.demo_session import DemoError, run_demo
from facelight.config.settings import Settings

SMALL = "size=640x360,distance=45"


def demo(person: str, out: Path) -> dict[str, list[object]]:
    """Run it and return what its events told, by name."""
    told: dict[str, list[object]] = {}
    # the other colours of a replay want as many frames as there are; who is not alone, hardly any
    rate = {"replay": 30, "real": 15, "unlit": 15}.get(person, 8)
    options = parse_spec(f"sim:{SMALL},person={person},fps={rate}")
    done = run_demo(options, Settings(), out, lambda name, v: told.setdefault(name, []).append(v))
    told["done"] = [done]
    return told


@pytest.mark.slow
@pytest.mark.parametrize(
    ("person", "decision"),
    [("real", "realface"), ("replay", "spoofface"), ("unlit", "uncertain")],
)
def test_the_decision_follows_the_light_on_the_face(
    tmp_path: Path, person: str, decision: str
) -> None:
    (done,) = demo(person, tmp_path)["done"]
    assert done.result.outcome.decision == decision  # type: ignore[attr-defined]
    folder = tmp_path / "demo"
    written = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    assert written["outcome"]["decision"] == decision
    assert written["provenance"] == "simulated"
    names = {path.name for path in folder.iterdir()}
    assert names == {"frames.csv", "metadata.json", "report.html", "result.json", "video.webp"}
    assert decision in (folder / "report.html").read_text(encoding="utf-8")
    assert done.timings_s["session_simulated"] < 12  # type: ignore[attr-defined]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("person", "told"),
    [("none", "nobody stood right within 8 simulated seconds"), ("two", "'time'")],
)
def test_without_one_person_there_is_an_error_that_says_why(
    tmp_path: Path, person: str, told: str
) -> None:
    with pytest.raises(DemoError, match=f"person={person}.*{told}") as caught:
        demo(person, tmp_path)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []
