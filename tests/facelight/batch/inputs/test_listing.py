"""What is named on the command line becomes single inputs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from facelight.batch.inputs.listing import Expansion, InputError, Listing, output_names


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in (
        "b.mkv",
        "a.mp4",
        "notes.txt",
        "deep/c.webm",
        "pictures/1.jpg",
        "r.flrec/video.mkv",
    ):
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return tmp_path / "in"


def expand(given: list[str], out: Path | None = None) -> Iterator[str]:
    return (item.path for item in Expansion(out).inputs(given))


def names(found: list[str], root: Path) -> list[str]:
    return [str(Path(item).relative_to(root)) for item in found]


def test_a_folder_is_searched_for_sessions_in_a_stable_order(tree: Path) -> None:
    found = names(list(expand([str(tree)])), tree)
    assert found == ["a.mp4", "b.mkv", "deep/c.webm", "pictures", "r.flrec"]


def test_wildcards_are_expanded_here_too(tree: Path) -> None:
    assert names(list(expand([str(tree / "*.m*")])), tree) == ["a.mp4", "b.mkv"]


def test_a_list_file_names_one_input_a_line(tree: Path, tmp_path: Path) -> None:
    listing = tmp_path / "list.txt"
    listing.write_text(f"# sessions\n{tree / 'b.mkv'}\n\n{tree / 'a.mp4'}\n")
    assert names(list(expand([f"@{listing}"])), tree) == ["b.mkv", "a.mp4"]


def test_a_missing_file_stays_an_input_so_that_processing_tells_of_it(tmp_path: Path) -> None:
    missing = str(tmp_path / "missing.mkv")
    assert list(expand([missing])) == [missing]


@pytest.mark.parametrize(
    "given",
    [
        pytest.param("@no-such-list.txt", id="list that is not there"),
        pytest.param("no-such-*.mkv", id="wildcard without a match"),
    ],
)
def test_what_names_nothing_is_an_error_that_repeats_it(given: str) -> None:
    with pytest.raises(InputError, match=given.strip("@").split("*")[0]):
        list(expand([given]))


def test_an_empty_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no video"):
        list(expand([str(tmp_path)]))


def test_the_results_of_an_earlier_run_are_no_inputs(tree: Path) -> None:
    pictures = tree / "out" / "a" / "images"
    pictures.mkdir(parents=True)
    (pictures / "1.jpg").write_bytes(b"")
    found = names(list(expand([str(tree)], out=tree / "out")), tree)
    assert found == ["a.mp4", "b.mkv", "deep/c.webm", "pictures", "r.flrec"]


def test_a_file_url_is_a_path(tree: Path) -> None:
    assert names(list(expand([(tree / "a.mp4").as_uri()])), tree) == ["a.mp4"]


def test_two_inputs_of_one_name_get_two_directories() -> None:
    named = dict(output_names(["x/a.mp4", "y/a.mp4", "z/b.flrec"]))
    assert named["x/a.mp4"] == "a"
    assert named["z/b.flrec"] == "b"
    assert named["y/a.mp4"].startswith("a-")
    assert named == dict(output_names(["x/a.mp4", "y/a.mp4", "z/b.flrec"]))


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(["x/a.mp4", "x/A.MP4"], id="names that differ by case"),
        pytest.param(["x/a.mp4"] * 4, id="the same input again and again"),
        pytest.param(["x/a.mp4", "s3://bucket/a.mp4?versionId=3"], id="path and URL"),
        pytest.param(["x/index.html", "x/summary.csv.mp4"], id="names of the batch's own files"),
        pytest.param(["/", ".", ".."], id="folders without a name of their own"),
        pytest.param(["x/.hidden.mp4", "x/hidden.mp4"], id="hidden"),
    ],
)
def test_no_two_inputs_share_a_directory(given: list[str]) -> None:
    found = [name.casefold() for _, name in output_names(given)]
    assert len({*found, "summary.csv", "index.html"}) == len(given) + 2
    assert not any(name.startswith(".") or "/" in name for name in found)


def test_a_listing_gives_its_jobs_in_order_as_often_as_asked(tree: Path, tmp_path: Path) -> None:
    with Listing([str(tree / "*.m*")], tmp_path / "out") as listing:
        assert listing.total == 2
        twice = [[(job.place, job.name) for job in listing.jobs()] for _ in range(2)]
    assert twice == [[(0, "a"), (1, "b")]] * 2


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        pytest.param(["in"], ["a.mp4", "b.mkv", "deep/c.webm", "pictures", "r.flrec"], id="folder"),
        pytest.param(["in/a.mp4"], ["a.mp4"], id="a file"),
        pytest.param(["in/a.mp4", "in/deep/c.webm"], ["a.mp4", "deep/c.webm"], id="two files"),
        pytest.param(["in/deep", "in/b.mkv"], ["deep/c.webm", "b.mkv"], id="folder and file"),
        pytest.param(["in/deep", "s3://b/x.mp4"], ["{}/in/deep/c.webm", "s3://b/x.mp4"], id="URL"),
        pytest.param(["s3://u:p@b/y/x.mp4?sig=1"], ["x.mp4"], id="URL with secrets"),
    ],
)
def test_an_input_is_named_below_the_folder_that_holds_all_that_was_given(
    given: list[str], shown: list[str], tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with Listing(given, tmp_path / "out") as listing:
        found = [job.shown_input for job in listing.jobs()]
    assert found == [name.format(tmp_path) for name in shown]


def test_bytes_that_are_no_utf8_get_a_directory_that_any_system_can_name() -> None:
    given = [f"x/{os.fsdecode(name)}.mp4" for name in (b"b\xe9", b"b\xe8", b"b\n")]
    assert [name for _, name in output_names(given)] == ["b%E9", "b%E8", "b%0A"]
