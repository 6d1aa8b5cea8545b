import csv
import tomllib

import pytest
from PIL import Image
from typer.testing import CliRunner

from calibration.tuning.material.cache import FILE, MeasureCache
from calibration.tuning.material.measuring import input_sha256, method_of
from facelight.cli import app
from facelight.config.settings import load_settings
from preprocess.gate.thresholds import Thresholds
from preprocess.tracking.tracker_options import TrackerOptions
from tests.calibration.tuning.made import measures, table

runner = CliRunner()
BLUR = Thresholds().blur_drop_pct


@pytest.fixture
def labelled(tmp_path):
    """Pictures of 40 people, labels, and a cache that knows their measures."""
    rows: list[tuple[object, ...]] = []
    with MeasureCache(tmp_path / "cache") as cache:

        def add(name, subject, blur, *rest):
            path = tmp_path / name
            number = len(rows)
            Image.new("RGB", (32, 32), (number % 256, number // 256, 9)).save(path)
            found = table([measures(blur_pct=blur)])
            cache.put(input_sha256(path), method_of(TrackerOptions()), found)
            rows.append((name, subject, *rest))

        for i in range(40):
            add(f"{i}.png", f"s{i}", BLUR * (0.85 + i / 150), "good", "", "xy"[i % 2])
            if i % 2:
                add(f"{i}-bad.png", f"s{i}", BLUR * (1.6 + i / 100), "bad", "blurry", "xy"[i % 2])
    write_labels(tmp_path, rows)
    return tmp_path


def write_labels(folder, rows):
    with (folder / "labels.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("path", "subject", "label", "reason", "group"))
        writer.writerows(rows)


def tuned(folder, *options):
    given = ["tune", folder / "labels.csv", "--cache", folder / "cache"]
    given += ["--out", folder / "t.toml", "--report", folder / "r.html", *options]
    return runner.invoke(app, [str(part) for part in given])


def test_thresholds_report_and_figures_are_written_and_read_again(labelled):
    done = tuned(labelled, "--target-frr", "0.1", "--limit", "0.5")
    assert done.exit_code == 0, done.output
    assert "40 subjects (12 held out), 60 frames (40 good)" in done.output
    written = tomllib.loads((labelled / "t.toml").read_text())
    loaded = load_settings({"thresholds_file": labelled / "t.toml"}, environment={})
    assert loaded.settings.thresholds.blur_drop_pct == written["thresholds"]["blur_drop_pct"]
    assert loaded.settings.thresholds != Thresholds()
    assert loaded.origins["thresholds.blur_drop_pct"] == str(labelled / "t.toml")
    told = written["provenance"]
    assert (told["subjects"], told["target_frr"], told["joint"]) == (40, 0.1, "evidence")
    assert told["keys"]["yaw_drop_deg"]["status"] == "kept"
    assert len(told["dataset_sha256"]) == 64
    assert set(told["groups"]) == {"x", "y"}
    assert told["held_out"]["false_rejects"]["subjects"] == 12
    assert (labelled / "r.html").read_text().startswith("<!doctype html>")
    assert (labelled / "r-figures" / "groups.csv").is_file()


@pytest.mark.slow
def test_the_command_line_and_the_report_say_the_same(labelled):
    done = tuned(labelled, "--target-frr", "0.1", "--limit", "0.5")
    line = next(row for row in done.output.splitlines() if row.startswith("held out, tuned"))
    rate = line.partition("good rejected ")[2].partition(", bad")[0]
    assert rate in (labelled / "r.html").read_text()


@pytest.mark.parametrize("name", ["t.toml", "r.html", "r-figures"])
def test_nothing_is_written_over_without_force(labelled, name):
    (labelled / name).write_text("mine")
    done = tuned(labelled, "--target-frr", "0.1", "--limit", "0.5")
    assert done.exit_code != 0
    assert f"{labelled / name}: is there already; --force replaces it" in str(done.exception)
    assert (labelled / name).read_text() == "mine"


def test_force_replaces_it(labelled):
    (labelled / "t.toml").write_text("mine")
    done = tuned(labelled, "--target-frr", "0.1", "--limit", "0.5", "--force")
    assert done.exit_code == 0
    assert "[thresholds]" in (labelled / "t.toml").read_text()


def test_too_few_people_get_a_report_and_no_thresholds(labelled):
    done = tuned(labelled, "--target-frr", "0.01")
    assert done.exit_code == 1
    assert "not enough data: 28 training subjects with good frames, 99 are needed" in done.output
    assert not (labelled / "t.toml").exists()
    assert "not written" in (labelled / "r.html").read_text()


@pytest.mark.slow
def test_refused_thresholds_leave_the_old_file_even_with_force(labelled):
    (labelled / "t.toml").write_text("mine")
    assert tuned(labelled, "--target-frr", "0.01", "--force").exit_code == 1
    assert (labelled / "t.toml").read_text() == "mine"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rows", "told"),
    [
        pytest.param([("0.png", "s0", "good", "", "")], "all is of one subject", id="one"),
        pytest.param(
            [("0.png", "s0", "good", "", ""), ("1.png", "s1", "good", "", "")],
            "all is good",
            id="good",
        ),
        pytest.param(
            [("0.png", "s0", "bad", "blur", ""), ("1.png", "s1", "bad", "blur", "")],
            "all is bad",
            id="bad",
        ),
        pytest.param([("0.png", "s0", "bad", "hm", "")], "labels.csv:2: reason", id="reason"),
    ],
)
def test_bad_material_ends_with_one_line_and_writes_nothing(labelled, rows, told):
    write_labels(labelled, rows)
    done = tuned(labelled)
    assert told in str(done.exception)
    assert "\n" not in str(done.exception)
    assert not any((labelled / name).exists() for name in ("t.toml", "r.html", "r-figures"))


def test_an_unreadable_picture_is_told_by_line_and_nothing_is_written(labelled):
    (labelled / "5.png").write_bytes(b"no picture")
    done = tuned(labelled)
    lines = (labelled / "labels.csv").read_text().splitlines()
    line = lines.index("5.png,s5,good,,y") + 1
    assert f"labels.csv:{line}: {labelled / '5.png'}: no image" in str(done.exception)
    assert not (labelled / "r.html").exists()


def test_a_damaged_cache_is_told_with_the_cure(labelled):
    for file in (labelled / "cache").iterdir():
        file.unlink()
    (labelled / "cache" / FILE).write_bytes(b"x" * 5000)
    assert "name another folder with --cache" in str(tuned(labelled).exception)


def test_nothing_to_tune_on_is_a_usage_error(tmp_path):
    assert "name a labels.csv" in str(runner.invoke(app, ["tune"]).exception)
    done = runner.invoke(app, ["tune", "labels.csv", "--subjects", "who.csv"])
    assert "--subjects: belongs to --results" in str(done.exception)


@pytest.mark.slow
def test_without_thumbnails_no_picture_is_in_the_report(labelled):
    tuned(labelled, "--target-frr", "0.1", "--limit", "0.5", "--no-thumbnails")
    assert "data:image/jpeg" not in (labelled / "r.html").read_text()
    tuned(labelled, "--target-frr", "0.1", "--limit", "0.5", "--force")
    assert "data:image/jpeg" in (labelled / "r.html").read_text()


def test_only_numbers_are_cached(labelled):
    assert b"JFIF" not in (labelled / "cache" / FILE).read_bytes()
    assert b"s39" not in (labelled / "cache" / FILE).read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize(
    "option", [("--target-frr", "2"), ("--holdout", "1"), ("--limit", "0.01"), ("--workers", "0")]
)
def test_an_option_out_of_range_is_named(labelled, option):
    done = tuned(labelled, *option)
    assert option[0] in str(done.exception)
    assert not (labelled / "r.html").exists()
