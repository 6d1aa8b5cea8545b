import csv
import io
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser

import numpy as np
import pytest

from bench.quality.tuner import Population, population
from calibration.report.tune_page import percent, rate_text, tune_report
from calibration.tuning.evaluation import Judge
from calibration.tuning.options import TuneOptions
from calibration.tuning.thresholds_file import TuningOrigin
from preprocess.reasons import Reason
from tests.calibration.tuning.made import badness_of, item, material, measures, table, tune

ORIGIN = TuningOrigin("facelight/0", "2025-01-01T00:00:00+00:00", "labels.csv", "0" * 64)
PIXEL = "data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA="
HOSTILE = "</script><img src=x onerror=alert(1)><!--\"&'.png"


@pytest.fixture(scope="module")
def tuning():
    return tune(population(np.random.default_rng(5), Population(60, 12)), TuneOptions(0.1))


@pytest.fixture(scope="module")
def report(tuning):
    return tune_report(tuning, ORIGIN, ("a note",), {3: PIXEL, 700: PIXEL}, "report-figures")


class Elements(HTMLParser):
    """Start tags with their attributes."""

    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def by_id(self, name):
        return next(a for _, a in self.found if a.get("id") == name)

    def in_card(self, key, name):
        start = next(i for i, (_, a) in enumerate(self.found) if a.get("data-key") == key)
        return next(a for _, a in self.found[start:] if a.get("class") == name)


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    """Open a page in a browser that has no network; return its elements after the script."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    if browser is None:
        pytest.skip("chromium is not on this machine: the page's script is not run")
    folder = tmp_path_factory.mktemp("page")

    def open_page(page, state=""):
        (folder / "report.html").write_text(page, encoding="utf-8")
        command = [
            browser, "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr",
            "--disable-background-networking", "--host-resolver-rules=MAP * ~NOTFOUND",
            f"--user-data-dir={folder / 'profile'}", "--virtual-time-budget=30000", "--dump-dom",
            f"{(folder / 'report.html').as_uri()}#{state}",
        ]  # fmt: skip
        done = subprocess.run(
            command, capture_output=True, text=True, encoding="utf-8", timeout=300, check=True
        )
        assert "CONSOLE" not in done.stderr, done.stderr
        elements = Elements(done.stdout)
        assert next(a for t, a in elements.found if t == "body")["data-ready"] == "yes"
        return elements

    return open_page


def test_the_page_asks_nobody_and_holds_everything_itself(report):
    assert not re.findall(r"https?://|wss?://|url\(|@import|fetch\(|XMLHttp", report.page)
    assert "default-src 'none'" in report.page
    tags = Elements(report.page).found
    for tag, attributes in tags:
        assert tag not in {"link", "iframe", "object"}
        assert attributes.get("src", "data:").startswith("data:")
        assert not attributes.get("href", "report-figures/").partition("report-figures/")[0]
    links = {a["href"].split("/")[1] for t, a in tags if t == "a"}
    assert links == set(report.figures)


def test_the_page_says_what_the_tuner_found(tuning, report):
    assert rate_text(tuning.holdout.false_rejects) in report.page
    assert rate_text(tuning.before.false_accepts) in report.page
    assert tuning.chosen.note in report.page
    assert tuning.material.digest in report.page
    assert "a note" in report.page


def test_names_cannot_leave_their_place(report):
    pairs = [(item(f"s{i}", name=f"{i}{HOSTILE}"), table([measures()])) for i in range(30)]
    pairs.append((item("x", Reason.BLURRED), table([measures(blur_pct=3.0)])))
    hostile = tune(material(pairs), TuneOptions(0.1, limit=0.5))
    page = tune_report(hostile, TuningOrigin("s", "c", HOSTILE, "m"), (HOSTILE,), {}, "a&b c").page
    assert HOSTILE not in page
    assert page.count("</script>") == 2
    (data,) = re.findall(r'id="data">(.*?)</script>', page, re.DOTALL)
    assert json.loads(data)["items"][0].endswith(HOSTILE)
    assert 'href="a%26b%20c/rates.csv"' in page


def rows(content):
    return list(csv.DictReader(io.StringIO(content.decode())))


def test_every_figure_is_there_as_csv(tuning, report):
    levels = {row["key"]: row for row in rows(report.figures["levels.csv"])}
    for one in tuning.chosen.levels:
        assert float(levels[one.limit.key]["level"]) == pytest.approx(one.level, rel=1e-5)
    held = next(
        row
        for row in rows(report.figures["rates.csv"])
        if (row["side"], row["levels"], row["error"]) == ("held out", "tuned", "false rejects")
    )
    assert float(held["rate"]) == pytest.approx(tuning.holdout.false_rejects.value, rel=1e-5)
    frames = rows(report.figures["frames.csv"])
    assert len(frames) == len(tuning.material)
    rejected = [r for r in frames if r["side"] == "held out" and r["label"] == "good"]
    assert sum(int(r["rejected"]) for r in rejected) == tuning.holdout.false_rejects.errors
    blur = rows(report.figures["blur_drop_pct.distribution.csv"])
    good = np.isfinite(badness_of(tuning, "blur_drop_pct")) & tuning.material.good
    assert sum(int(row["good_frames"]) for row in blur) == good.sum()
    det = rows(report.figures["blur_drop_pct.det.csv"])
    assert 2 < len(det) <= 400


def test_shares_are_written_as_the_script_writes_them():
    assert percent(0.03333333) == "3.33 %"
    assert percent(float("nan")) == "-"


def shown(attributes):
    return (
        int(attributes["data-errors"]),
        int(attributes["data-frames"]),
        float(attributes["data-rate"]),
    )


def counted(rate):
    return rate.errors, rate.frames, pytest.approx(rate.value, abs=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("side", ["held", "training", "all"])
def test_moved_sliders_count_as_the_tuner_does(tuning, report, opened, side):
    state = {"blur_drop_pct": 1.2, "snr_drop": 9.5, "yaw_drop_deg": 7.25}
    among = {"held": tuning.held_out, "training": ~tuning.held_out}.get(
        side, np.ones(len(tuning.material), bool)
    )
    judge = Judge(tuning.material, tuning.limits, tuning.badness, among, 0.95, 0)
    expected = judge.evaluate(tuning.levels | state)
    asked = "&".join(f"{key}={level}" for key, level in state.items())
    page = opened(report.page, f"{asked}&side={side}")
    assert shown(page.by_id("good-rejected")) == counted(expected.false_rejects)
    assert shown(page.by_id("bad-accepted")) == counted(expected.false_accepts)
    for key in state:
        assert shown(page.in_card(key, "rejected")) == counted(expected.rejects_of[key])
        assert shown(page.in_card(key, "accepted")) == counted(expected.accepts_of[key])


@pytest.mark.slow
def test_untouched_the_page_shows_the_numbers_of_the_command_line(tuning, report, opened):
    page = opened(report.page)
    assert shown(page.by_id("good-rejected")) == counted(tuning.holdout.false_rejects)
    assert shown(page.by_id("bad-accepted")) == counted(tuning.holdout.false_accepts)
    for key, rate in tuning.holdout.rejects_of.items():
        if rate.frames:
            assert shown(page.in_card(key, "rejected")) == counted(rate)


@pytest.mark.slow
def test_frames_that_flip_are_shown_blurred(tuning, report, opened):
    blur = badness_of(tuning, "blur_drop_pct")
    flipping = next(
        f for f in np.flatnonzero(tuning.material.good & tuning.held_out) if 0.8 < blur[f] < 1.5
    )
    page = tune_report(tuning, ORIGIN, (), {int(flipping): PIXEL}, "f").page
    found = opened(page, f"blur_drop_pct={blur[flipping] - 0.001}")
    buttons = [a for t, a in found.found if t == "button" and "aria-pressed" in a]
    assert {b["aria-pressed"] for b in buttons} == {"false"}
    assert {a["src"] for t, a in found.found if t == "img"} == {PIXEL}


@pytest.mark.slow
def test_ten_thousand_frames_stay_responsive(opened):
    large = tune(population(np.random.default_rng(1), Population(400, 19)), TuneOptions())
    assert len(large.material) > 10_000
    page = tune_report(large, ORIGIN, (), {}, "f").page
    body = next(a for t, a in opened(page, "moves=300").found if t == "body")
    assert float(body["data-move-ms"]) < 50  # some .2 ms on an idle machine; 16 ms are one frame
