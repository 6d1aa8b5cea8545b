import numpy as np
import pytest

from calibration.errors import CacheError
from calibration.tuning.material.cache import FILE, MeasureCache
from calibration.tuning.material.table import FrameTable
from tests.calibration.tuning.made import measures, table


def test_what_is_put_is_found_again_bit_for_bit(tmp_path):
    kept = table([measures(blur_pct=1 / 3), None])
    with MeasureCache(tmp_path / "new") as cache:
        cache.put("a", "m", kept)
        assert cache.find(["a", "b"], "m").keys() == {"a"}
    with MeasureCache(tmp_path / "new") as cache:
        found = cache.find(["a"], "m")["a"]
    assert np.array_equal(found.data, kept.data, equal_nan=True)


def test_another_method_finds_nothing(tmp_path):
    with MeasureCache(tmp_path) as cache:
        cache.put("a", "m", table([measures()]))
        assert cache.find(["a"], "other") == {}


def test_many_inputs_are_found_at_once(tmp_path):
    with MeasureCache(tmp_path) as cache:
        names = [f"{i}" for i in range(1203)]
        for name in names:
            cache.put(name, "m", table([measures()]))
        assert len(cache.find(names, "m")) == 1203


def test_a_damaged_file_is_told_with_the_cure(tmp_path):
    (tmp_path / FILE).write_bytes(b"no database at all, but longer than a header" * 40)
    with pytest.raises(CacheError, match="--cache"):
        MeasureCache(tmp_path)


def test_a_row_of_another_length_is_told(tmp_path):
    with MeasureCache(tmp_path) as cache:
        cache.put("a", "m", table([measures()]))
        with cache._db:
            cache._db.execute("UPDATE measured SET rows = x'00'")
        with pytest.raises(CacheError, match="expected a multiple"):
            cache.find(["a"], "m")


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(CacheError, match="cannot be made"):
        MeasureCache(tmp_path / "file" / "deeper")


def test_a_table_of_the_wrong_length_is_refused():
    with pytest.raises(ValueError, match="expected a multiple"):
        FrameTable.from_bytes(b"12345678")
