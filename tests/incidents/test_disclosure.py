"""Small segments cannot be read, nor worked back from what is shown."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trustlib.incidents.disclosure import SMALLEST_CELL, published_segments

ADDED = ["actual", "expected", "excess", "share_of_excess"]


def segments(actual: list[float]) -> pd.DataFrame:
    frame = pd.DataFrame({"segment": [f"s{i}" for i in range(len(actual))], "actual": actual})
    frame["expected"] = [10.0 + i for i in range(len(actual))]
    frame["excess"] = frame["actual"] - frame["expected"]
    frame["low"], frame["high"] = frame["excess"] - 3, frame["excess"] + 3
    frame["share_of_excess"] = frame["excess"] / (frame["excess"].sum() or 1.0)
    frame["moved"] = "no clear move"
    return frame


@given(st.lists(st.integers(0, 40).map(float), min_size=1, max_size=12), st.none() | st.just(4))
def test_every_row_shown_is_large_and_the_sums_stay(actual, most) -> None:
    raw = segments(actual)
    before = raw.copy()
    shown = published_segments(raw, most=most)
    pd.testing.assert_frame_equal(raw, before)
    assert list(shown.columns) == list(raw.columns)
    for name in ADDED:
        assert shown[name].sum() == pytest.approx(raw[name].sum(), abs=1e-9)
    alone = shown[shown["segment"].isin(raw["segment"])]
    assert (alone["actual"] >= SMALLEST_CELL).all()
    merged = shown[~shown["segment"].isin(raw["segment"])]
    assert len(merged) <= 1
    if len(merged):
        hidden = raw[~raw["segment"].isin(alone["segment"])]
        # Two or more are behind the row, and at least 11 events unless there are no more at all.
        assert len(hidden) >= 2 or len(raw) == 1
        assert hidden["actual"].sum() >= SMALLEST_CELL or len(alone) == 0
        assert merged["low"].isna().all()
    if most is not None:
        assert len(shown) <= most


def test_one_small_segment_takes_the_next_smallest_with_it() -> None:
    shown = published_segments(segments([100.0, 50.0, 12.0, 3.0]))
    assert sorted(shown["segment"]) == ["s0", "s1", "the rest (2 segments)"]
    assert shown.set_index("segment").loc["the rest (2 segments)", "actual"] == 15


def test_an_outage_is_small_as_well() -> None:
    shown = published_segments(segments([100.0, 50.0, 0.0]))
    assert "s2" not in set(shown["segment"])


def test_large_segments_are_shown_as_they_are_largest_excess_first() -> None:
    raw = segments([12.0, 400.0, 30.0])
    shown = published_segments(raw)
    assert list(shown["segment"]) == ["s1", "s2", "s0"]
    assert shown["low"].notna().all()


def test_a_single_small_segment_is_only_the_total() -> None:
    shown = published_segments(segments([3.0]))
    assert list(shown["segment"]) == ["all (1 segment)"]
