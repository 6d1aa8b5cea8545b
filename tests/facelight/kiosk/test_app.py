"""Whole sessions of a simulated kiosk on a virtual clock, and what they leave behind."""

from __future__ import annotations

import gc
import importlib
import re
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from capture.errors import PlanError
from capture.light.plan import PlanOptions
from capture.simulator.camera import simulated_camera as simulator
from facelight.config.kiosk_options import KioskOptions
from facelight.config.session_options import SessionOptions
from facelight.config.settings import Settings
from facelight.errors import SettingsError
from facelight.kiosk.app import Extras, KioskSession
from tests.facelight.kiosk.conftest import Recorded
from tests.facelight.kiosk.simulated import SPEC, WatchedCamera, recorded, run_simulated

PAGE = Path(__file__).parents[3] / "docs" / "kiosk.md"


@pytest.mark.slow
def test_the_events_tell_the_course_of_a_session(accepted: Recorded) -> None:
    told = [name for name, _ in accepted.run.events if name not in {"hint", "recording"}]
    assert told == [
        "idle",
        "person_seen",
        "ready",
        "session",
        "position",
        "settle",
        "camera",
        "capture",
        "encoder",
        "light",  # live these two come after finish: here the frame judge answers at once
        "finish",
        "clip",
        "submitted",
        "delivery",
        "result",
        "idle",
        "quit",
    ]
    (light,) = accepted.run.all("light")
    assert light["state"] == "ok"
    assert light["delay_ms"] == pytest.approx(85.0, abs=8.0)
    assert (accepted.run.ending.outcome, accepted.run.ending.delivered) == ("real", True)
    assert accepted.run.outbox.origins[0].provenance == "simulated"


@pytest.mark.slow
def test_the_camera_is_locked_for_the_light_and_given_back(accepted: Recorded) -> None:
    assert accepted.run.camera.asked == ["lock", "unlock", "close"]


@pytest.mark.slow
def test_every_label_is_the_truth_of_the_simulation(accepted: Recorded) -> None:
    last = accepted.run.last
    assert last is not None
    wrong = [
        report.seq
        for report in last.result.reports
        if report.label.colour and accepted.run.camera.truth(report.seq).label != report.label
    ]
    assert wrong == []


@pytest.mark.slow
def test_the_same_seed_gives_the_same_clip_byte_by_byte(accepted: Recorded, tmp_path: Path) -> None:
    again = run_simulated(extras=recorded(tmp_path))
    first = accepted.run.outbox.clips[0]
    assert again.outbox.clips[0].entries == first.entries
    assert [f.content for f in again.outbox.clips[0].files] == [f.content for f in first.files]
    assert again.all("session") == accepted.run.all("session")


@pytest.mark.slow
def test_stopped_in_the_colours_it_gives_all_back_and_keeps_nothing(tmp_path: Path) -> None:
    def stop(kiosk: KioskSession, name: str, _: dict[str, Any]) -> None:
        if name == "capture":
            kiosk.stop()

    run = run_simulated(extras=recorded(tmp_path / "records"), once=False, on_event=stop)
    assert run.camera.asked == ["lock", "unlock", "close"]
    assert run.outbox.clips == []
    assert run.ending.outcome == "quit"
    assert list((tmp_path / "records").iterdir()) == []


@pytest.mark.slow
def test_without_light_the_clip_claims_no_colours_and_nothing_flashes() -> None:
    settings = Settings(session=SessionOptions(light=False, plain_ms=1500))
    run = run_simulated(settings=settings)
    assert {entry.colour for entry in run.outbox.clips[0].entries} == {None}
    assert run.all("light") == []
    assert run.all("capture") == [{"light": False}]
    assert run.ending.delivered


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        pytest.param(
            Settings(plan=PlanOptions(colours=("Red", "White"), repeats=8, dwell_ms=334)),
            PlanError,
            id="unsafe plan",
        ),
        pytest.param(Settings(kiosk=KioskOptions(language="xx")), SettingsError, id="language"),
    ],
)
def test_unusable_settings_are_refused_and_the_devices_closed(
    settings: Settings, error: type[Exception]
) -> None:
    cameras: list[WatchedCamera] = []

    def made(*arguments: Any) -> WatchedCamera:
        cameras.append(WatchedCamera(*arguments))
        return cameras[-1]

    with pytest.raises(error):
        run_simulated("sim:size=160x90", settings, make_camera=made)
    assert cameras[0].asked == ["close"]


def test_the_tables_of_settings_in_the_page_are_those_of_the_options(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tools = Path(__file__).parents[3] / "tools"
    monkeypatch.syspath_prepend(str(tools))
    settings_tables = importlib.import_module("settings_tables")
    page = PAGE.read_text(encoding="utf-8")
    assert settings_tables.rewritten(page) == page, "run tools/settings_tables.py"


@pytest.mark.slow
def test_the_example_of_the_page_runs(capsys: pytest.CaptureFixture[str]) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)
    exec(compile(example, str(PAGE), "exec"), {})
    assert capsys.readouterr().out.splitlines()[-1] == "real realface"


@pytest.mark.slow
def test_every_event_that_was_told_is_in_the_page(accepted: Recorded) -> None:
    page = PAGE.read_text(encoding="utf-8")
    for name, values in accepted.run.events:
        row = next((line for line in page.splitlines() if line.startswith(f"| `{name}`")), None)
        shared = next((line for line in page.splitlines() if f", `{name}` |" in line), None)
        assert row or shared, f"no row for the event {name}"
        for field in values:
            assert f"`{field}`" in (row or shared or ""), f"{name}: no word about {field}"


def several(sessions: int) -> list[tuple[float, int, int]]:
    """Run sessions in one kiosk; return memory in MB, threads and files after each."""
    process, found = psutil.Process(), list[tuple[float, int, int]]()

    def count(kiosk: KioskSession, name: str, values: dict[str, Any]) -> None:
        if name != "idle" or "after" not in values:
            return
        assert values["after"] == "real"
        assert kiosk.last is None, "something of a person is left for the next one"
        gc.collect()
        files = process.num_fds() if sys.platform != "win32" else 0
        found.append((process.memory_info().rss / 1e6, threading.active_count(), files))
        if len(found) == sessions:
            kiosk.stop()

    settings = Settings(session=SessionOptions(again_ms=1000))
    spec = f"{SPEC},duration={sessions * 60}s"
    run_simulated(spec, settings, Extras(seed=0), once=False, on_event=count)
    return found


@pytest.mark.slow
def test_sessions_in_a_row_leave_no_thread_no_file_and_nothing_of_the_person() -> None:
    before = threading.active_count()
    found = several(2)
    assert len({threads for _, threads, _ in found}) == 1
    assert len({files for _, _, files in found}) == 1
    assert found[-1][0] - found[0][0] < 30
    assert threading.active_count() == before


@pytest.mark.soak
@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_hundred_sessions_keep_memory_flat(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(simulator, "_TRUTHS_KEPT", 100)  # 0.15 MB a session of the test's own
    found = several(100)
    memory = [megabytes for megabytes, _, _ in found]
    slope = float(np.polyfit(range(20, 100), memory[20:], 1)[0])
    (tmp_path / "figures.txt").write_text(f"slope {slope:.4f} MB a session\n{found}\n")
    assert slope < 0.1
    assert len({(threads, files) for _, threads, files in found[1:]}) == 1
