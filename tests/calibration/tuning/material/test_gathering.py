import hashlib

import numpy as np
import pytest
from PIL import Image

from calibration.errors import MaterialError, TuningError
from calibration.tuning.material import measuring
from calibration.tuning.material.cache import MeasureCache
from calibration.tuning.material.gathering import GatherOptions, gather
from calibration.tuning.material.labels import LabelledItem
from calibration.tuning.material.measuring import Task, input_sha256, measure, method_of
from preprocess.reasons import Reason
from preprocess.tracking.tracker_options import TrackerOptions
from tests.calibration.tuning.made import measures, table

OPTIONS = GatherOptions(TrackerOptions(), workers=1)


def silent(_done, _total):
    """Show nothing."""


def picture(path, grey):
    Image.new("RGB", (64, 48), (grey, grey, grey)).save(path)
    return LabelledItem(path, path.name, path.stem, frozenset(), "", f"labels.csv:{path.name}")


def test_cached_inputs_are_not_measured_again(tmp_path):
    items = [picture(tmp_path / f"{i}.png", i) for i in range(3)]
    with MeasureCache(tmp_path / "cache") as cache:
        for item in items:
            cache.put(input_sha256(item.path), method_of(OPTIONS.tracker), table([measures()]))
        seen = []
        found = gather(items, cache, OPTIONS, lambda done, total: seen.append((done, total)))
    assert found.fresh == 0
    assert [len(t) for t in found.tables] == [1, 1, 1]
    assert seen == [(3, 3)]


def test_what_cannot_be_read_is_told_by_line_after_the_rest_is_measured(tmp_path, monkeypatch):
    good = picture(tmp_path / "good.png", 7)
    bad, gone = picture(tmp_path / "bad.png", 8), picture(tmp_path / "gone.png", 9)
    bad.path.write_bytes(b"no picture")
    gone.path.unlink()
    monkeypatch.setattr(measuring, "_tracker", lambda _options: Blind())
    with MeasureCache(tmp_path / "cache") as cache:
        with pytest.raises(MaterialError, match=r"labels.csv:gone.png: .*and 1 more input"):
            gather([bad, good, gone], cache, OPTIONS, silent)
        with pytest.raises(MaterialError, match=r"labels.csv:bad.png: .*no image"):
            gather([bad, good], cache, OPTIONS, silent)
        assert len(gather([good], cache, OPTIONS, silent).tables) == 1


class Blind:
    """A tracker that never finds a face, and counts how often it was asked."""

    asked = 0

    def reset(self):
        pass

    def track(self, frame):
        self.asked += 1


def test_a_still_is_searched_everywhere_before_it_counts_as_faceless(tmp_path, monkeypatch):
    blind = Blind()
    monkeypatch.setattr(measuring, "_tracker", lambda _options: blind)
    found = measure(Task(picture(tmp_path / "a.png", 3).path, TrackerOptions()))
    assert blind.asked == measuring.QUARTERS
    assert np.isnan(found.values).all()
    assert np.isnan(found.box).all()


def test_a_folder_of_images_is_one_session(tmp_path, monkeypatch):
    monkeypatch.setattr(measuring, "_tracker", lambda _options: Blind())
    for i in range(3):
        picture(tmp_path / f"{i}.png", i)
    found = measure(Task(tmp_path, TrackerOptions()))
    assert found.seq.tolist() == [0, 1, 2]
    assert found.t_ms[1] == pytest.approx(33.3, abs=0.1)


def test_the_method_follows_options_and_code(monkeypatch):
    first = method_of(TrackerOptions())
    assert method_of(TrackerOptions(found_score=0.6)) != first
    monkeypatch.setattr(measuring, "code_sha256", lambda: "other")
    assert method_of(TrackerOptions()) != first


def test_the_content_of_a_picture_is_its_bytes(tmp_path):
    item = picture(tmp_path / "a.png", 3)
    assert input_sha256(item.path) == hashlib.sha256(item.path.read_bytes()).hexdigest()


def test_workers_are_at_least_one():
    with pytest.raises(TuningError, match="--workers"):
        GatherOptions(TrackerOptions(), workers=0)


@pytest.mark.slow
def test_workers_measure_as_this_process_does(footage, tmp_path):
    paths = sorted((footage / "portraits").glob("*.jpg"))[:3]
    items = [
        LabelledItem(p, p.name, p.stem, frozenset({Reason.BLURRED}), "", p.name) for p in paths
    ]
    alone = GatherOptions(TrackerOptions(), workers=1)
    several = GatherOptions(TrackerOptions(), workers=2, alone_below=0)
    with MeasureCache(tmp_path / "a") as one, MeasureCache(tmp_path / "b") as two:
        first = gather(items, one, alone, silent)
        second = gather(items[::-1], two, several, silent)
    assert first.fresh == second.fresh == 3
    for found, again in zip(first.tables, second.tables[::-1], strict=True):
        assert np.array_equal(found.data, again.data, equal_nan=True)
        assert np.isfinite(found.box).all()
