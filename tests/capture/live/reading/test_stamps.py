from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capture.live.reading.stamps import Stamper

MS = 1_000_000
NOW = 10**12


def stamped(sources_ms: list[float | None], interval_ms: float = 33) -> tuple[list[float], str]:
    """Return stamps relative to arrivals that come every ``interval_ms``; sources likewise."""
    stamper = Stamper(300 * MS, "driver", 0)
    lags = []
    for index, source_ms in enumerate(sources_ms):
        received = NOW + round(index * interval_ms * MS)
        source = None if source_ms is None else received + round(source_ms * MS)
        lags.append((stamper.stamp(source, received) - received) / MS)
    return lags, stamper.source


@pytest.mark.parametrize(
    ("sources_ms", "lags", "source"),
    [
        pytest.param([-40, -42, -38], [-40, -42, -38], "driver", id="sane"),
        pytest.param([-300, -301], [0, 0], "arrival", id="too old"),
        pytest.param([-299.9], [-299.9], "driver", id="just young enough"),
        pytest.param([0, 0.1], [0, 0], "arrival", id="not before the arrival"),
        pytest.param([None] * 6, [0] * 6, "arrival", id="none"),
        pytest.param([-40, None, -40], [-40, -40, -40], "driver", id="one missing"),
        pytest.param([-40, -50, 500, -40], [-40, -50, -45, -40], "driver", id="one from elsewhere"),
        pytest.param([-20, -60, -20], [-20, -20, -20], "driver", id="one backwards"),
        pytest.param(
            [-40, *[900] * 5, -40], [-40] * 5 + [0, 0], "arrival", id="wrong too often, for good"
        ),
    ],
)
def test_a_source_is_believed_as_long_as_it_can_be_true(
    sources_ms: list[float | None], lags: list[float], source: str
) -> None:
    found, named = stamped(sources_ms)
    assert found == pytest.approx(lags)
    assert named == source


def test_nothing_is_stamped_before_the_floor() -> None:
    stamper = Stamper(300 * MS, "driver", NOW)
    assert stamper.stamp(NOW - 100 * MS, NOW - 50 * MS) > NOW


def test_a_stamp_advances_only_within_its_limits() -> None:
    stamper = Stamper(300 * MS, "driver", 0)
    stamper.stamp(NOW - 40 * MS, NOW)
    assert not stamper.advanced(NOW - 40 * MS, NOW + MS)
    assert not stamper.advanced(NOW - 41 * MS, NOW + MS)
    assert not stamper.advanced(None, NOW + MS)
    assert stamper.advanced(NOW - 39 * MS, NOW + MS)


@given(
    st.lists(
        st.tuples(
            st.integers(0, 400 * MS),
            st.one_of(st.none(), st.integers(-(2**62), 2**62), st.integers(-400 * MS, 400 * MS)),
        ),
        max_size=60,
    )
)
def test_stamps_strictly_increase_whatever_a_driver_says(
    frames: list[tuple[int, int | None]],
) -> None:
    stamper = Stamper(300 * MS, "driver", NOW - 1)
    received, times = NOW, []
    for gap, offset in frames:
        received += gap + 1
        times.append(stamper.stamp(None if offset is None else received + offset, received))
        assert times[-1] <= received + 1000 * len(times)
    assert all(before < after for before, after in pairwise(times))
