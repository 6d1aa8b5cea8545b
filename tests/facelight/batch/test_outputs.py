"""Outputs are whole or absent."""

from __future__ import annotations

from pathlib import Path

import pytest

from facelight.batch.outputs import csv_bytes, whole_directory, write_file
from facelight.errors import OutputError


def test_a_directory_appears_only_when_it_is_complete(tmp_path: Path) -> None:
    with whole_directory(tmp_path / "a") as folder:
        (folder / "x").write_text("1")
        assert not (tmp_path / "a").exists()
    assert (tmp_path / "a" / "x").read_text() == "1"
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_an_error_leaves_what_was_there_before(tmp_path: Path) -> None:
    with whole_directory(tmp_path / "a") as folder:
        (folder / "x").write_text("old")
    with pytest.raises(KeyError), whole_directory(tmp_path / "a") as folder:
        (folder / "x").write_text("new")
        raise KeyError
    assert (tmp_path / "a" / "x").read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_a_second_run_replaces_the_directory_whole(tmp_path: Path) -> None:
    for name in ("x", "y"):
        with whole_directory(tmp_path / "a") as folder:
            (folder / name).write_text(name)
    assert [p.name for p in (tmp_path / "a").iterdir()] == ["y"]


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a file")
    with pytest.raises(OutputError, match="a: cannot be written"), whole_directory(tmp_path / "a"):
        pass
    assert (tmp_path / "a").read_text() == "a file"


def test_a_full_disk_is_an_output_error_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="No space"), whole_directory(tmp_path / "a"):
        raise OSError(28, "No space left on device")
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_replaced_in_one_step(tmp_path: Path) -> None:
    write_file(tmp_path / "x", b"1")
    write_file(tmp_path / "x", b"2")
    assert (tmp_path / "x").read_bytes() == b"2"
    assert len(list(tmp_path.iterdir())) == 1


def test_csv_leaves_missing_values_empty() -> None:
    assert csv_bytes(["a", "b"], [{"a": 1}, {"b": "x,y"}]) == b'a,b\n1,\n,"x,y"\n'
