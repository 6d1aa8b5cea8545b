"""Results go to stdout, errors and, without a terminal, the pace now and then to stderr."""

from __future__ import annotations

import pytest

from facelight.batch.progress import Progress, line_of
from facelight.result import ResultRecord
from tests.facelight.records import outcome, record

FAILED = record("a", "error", error={"code": "X", "message": "a.mkv:\n broken\x1b[31m"})
REJECTED = record("b", "rejected", reasons=["no_face", "too_dark"], detail="x")
ACCEPTED = record("c")
UNDELIVERED = outcome(error={"code": "x", "message": "no", "advice": "wait"})


@pytest.mark.parametrize(
    ("result", "line"),
    [
        pytest.param(FAILED, "error: a.mkv: broken?[31m", id="error"),
        pytest.param(REJECTED, "b: rejected: no_face too_dark (x)", id="rejected"),
        pytest.param(ACCEPTED, "c: accepted: 45 frames, 1000 bytes", id="accepted"),
        pytest.param(
            record("c", outcome=outcome()),
            "c: accepted: 45 frames, 1000 bytes: 200 realface",
            id="decided",
        ),
        pytest.param(
            record("c", outcome=UNDELIVERED),
            "c: accepted: 45 frames, 1000 bytes: not delivered: no (wait)",
            id="not delivered",
        ),
    ],
)
def test_a_result_is_one_printable_line(result: ResultRecord, line: str) -> None:
    assert line_of(result) == line


def test_without_a_terminal_the_pace_is_told_every_half_minute(
    capsys: pytest.CaptureFixture[str],
) -> None:
    times = iter([0.0, 0.0, *(10.0 * index for index in range(1, 8))])
    with Progress(7, now_s=lambda: next(times)) as progress:
        for _ in range(7):
            progress.show(ACCEPTED)
    told = capsys.readouterr()
    assert len(told.out.splitlines()) == 7
    assert told.err.splitlines() == [
        "3 of 7, 6 a minute, 40 s left",
        "6 of 7, 6 a minute, 10 s left",
    ]


def test_errors_go_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress(1) as progress:
        progress.show(FAILED)
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("error: ")
