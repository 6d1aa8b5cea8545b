"""The page of a batch, looked at as its readers do: in a browser, without a server."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any, TypeAlias

import cv2
import numpy as np
import pytest

from facelight.report.index_page import index_page
from facelight.report.reason_texts import REASON_TEXTS, words_of
from facelight.result import ResultRecord
from preprocess.reasons import Reason
from tests.facelight.records import COUNTS, LIGHT, record

REASONS = (["face_too_small"], ["under_exposed", "blurred"], ["no_face", "too_few_frames"])
View: TypeAlias = Callable[[str], dict[str, Any]]
PROBE = """
const look = () => ({
  names: [...document.querySelectorAll("#rows td:nth-child(2) > :is(a, span)")]
    .map((n) => n.textContent),
  text: document.getElementById("rows").textContent,
  shown: document.getElementById("shown").textContent,
  chips: [...document.querySelectorAll(".chips button")].map((n) => n.textContent),
  pictures: [...document.querySelectorAll("td img")].filter((n) => n.complete).length,
  strips: document.querySelectorAll(".strip").length,
  requests: performance.getEntriesByType("resource").map((e) => e.name),
});
const chip = (name) => [...document.querySelectorAll(".chips button")]
  .find((n) => n.textContent.startsWith(name)).click();
const sort = (name) => [...document.querySelectorAll("th button")]
  .find((n) => n.textContent === name).click();
const type = (text) => { const box = document.getElementById("text");
  box.value = text; box.dispatchEvent(new Event("input")); };
"""


def result(number: int) -> ResultRecord:
    """Return one of a batch in which every eighth is rejected and every twentieth an error."""
    status = "rejected" if number % 8 == 1 else "error" if number % 20 == 6 else "accepted"
    more: dict[str, Any] = {
        "input": f"folder/s{number}.mp4",
        "counts": COUNTS | {"frames": 100 + number % 7, "bytes": 9000 - number},
        "label_runs": [["neutral", None, 20], ["clean", "Red", 30], ["transition", None, 4]],
        "light": LIGHT,
    }
    if status == "rejected":
        more["reasons"] = REASONS[number // 8 % 3]
    if status == "error":
        message = f"s{number}.mp4: truncated </script>"
        more |= {"counts": None, "error": {"code": "SourceError", "message": message}}
    return record(f"s{number}", status, **more)


def written(out: Path, count: int) -> Path:
    results = [result(number) for number in range(count)]
    page = index_page(results, Counter(r.status for r in results), 10_000, out)
    path = out / "index.html"
    path.write_bytes(b"".join(page))
    return path


def opened(tmp_path_factory: pytest.TempPathFactory, count: int) -> View:
    """Return what is seen, after actions, of a page of so many sessions in a headless browser."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("no chromium on this machine")
    folder = tmp_path_factory.mktemp("page")
    (folder / "s1").mkdir()
    (folder / "s1" / "thumbnail.jpg").write_bytes(
        cv2.imencode(".jpg", np.zeros((9, 9, 3)))[1].tobytes()
    )
    page = written(folder, count).read_text(encoding="utf-8")

    def seen(actions: str) -> dict[str, Any]:
        script = f"<script>{PROBE}{actions};document.title = JSON.stringify(look());</script>"
        probed = folder / "probed.html"
        probed.write_text(page.replace("</body>", f"{script}</body>"), encoding="utf-8")
        command = [
            str(chromium), "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr",
            "--v=0", f"--user-data-dir={folder / 'profile'}", "--dump-dom", probed.as_uri(),
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
        assert "CONSOLE" not in done.stderr
        title = re.search(r"<title>(.*?)</title>", done.stdout, re.S)
        assert title is not None
        found: dict[str, Any] = json.loads(unescape(title[1]))
        assert found["requests"] == []
        return found

    return seen


@pytest.fixture(scope="module")
def view(tmp_path_factory: pytest.TempPathFactory) -> View:
    """Open the page of 60 sessions."""
    return opened(tmp_path_factory, 60)


@pytest.mark.slow
def test_the_page_counts_by_status_and_reason_and_shows_every_session(view: View) -> None:
    found = view("")
    assert found["shown"] == "60 of 60 sessions"
    assert found["names"] == [f"s{number}" for number in range(60)]
    assert found["chips"][:3] == ["accepted 49", "rejected 8", "error 3"]
    assert "face too small 3" in found["chips"]
    assert found["strips"] == 60
    assert found["pictures"] == 1
    assert "s6.mp4: truncated </script>" in found["text"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("actions", "shown", "first"),
    [
        pytest.param("chip('rejected')", "8 of 60 sessions", "s1", id="a status"),
        pytest.param("chip('face too small')", "3 of 60 sessions", "s1", id="a reason"),
        pytest.param("chip('error');chip('error')", "60 of 60 sessions", "s0", id="taken back"),
        pytest.param("type('s1')", "11 of 60 sessions", "s1", id="part of a name"),
        pytest.param("sort('bytes')", "60 of 60 sessions", "s59", id="sorted by a number"),
        pytest.param("sort('bytes');sort('bytes')", "60 of 60 sessions", "s0", id="downwards"),
        pytest.param("sort('status')", "60 of 60 sessions", "s0", id="sorted by a word"),
    ],
)  # fmt: skip
def test_the_table_filters_and_sorts(view: View, actions: str, shown: str, first: str) -> None:
    found = view(actions)
    assert found["shown"] == shown
    assert found["names"][0] == first


@pytest.mark.slow
def test_a_rejected_session_says_why_and_what_to_do(view: View) -> None:
    found = view("chip('face too small')")
    assert "the face is too small" in found["text"]
    assert "come closer to the camera" in found["text"]


@pytest.mark.slow
def test_of_six_thousand_sessions_a_hundred_are_drawn_and_all_are_found(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    view = opened(tmp_path_factory, 6000)
    whole, found = view(""), view("type('s599')")
    assert (whole["shown"], len(whole["names"])) == ("6000 of 6000 sessions", 100)
    assert found["shown"] == "11 of 6000 sessions"


@pytest.mark.slow
def test_six_thousand_rows_are_one_page_and_drawn_a_few_at_a_time(tmp_path: Path) -> None:
    page = written(tmp_path, 6000).read_text(encoding="utf-8")
    assert "<h1>6000 sessions</h1>" in page
    assert len(json.loads(page.partition('id="data">')[2].partition("</script>")[0])) == 6000
    assert "<td>" not in page.partition("</script>")[0]


def test_a_picture_beside_the_result_is_in_the_page(tmp_path: Path) -> None:
    (tmp_path / "s0").mkdir()
    (tmp_path / "s0" / "thumbnail.jpg").write_bytes(b"jpeg")
    assert '"pictures">anBlZw==\n' in written(tmp_path, 1).read_text(encoding="utf-8")


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_has_its_words_and_its_cure(reason: Reason) -> None:
    assert REASON_TEXTS[reason].what
    assert REASON_TEXTS[reason].cure


def test_a_consequence_is_not_given_as_a_cause() -> None:
    what, cure = words_of(["blurred", "too_few_frames"])
    assert (what, cure) == words_of(["blurred"])
    assert "record for longer" in words_of(["too_few_frames"])[1]


def test_a_reason_of_another_version_is_its_own_name() -> None:
    assert words_of(["too_green"]) == ("too green", "see the report of the session")
