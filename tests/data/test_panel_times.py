"""Periods and starts as people write them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from tests.data.test_panel import ASK, check, item, panel, wrote
from trustlib.core import NoData
from trustlib.data import PanelRows, read_panel

DAYS = ["2024-01-01", "2024-01-08", "2024-01-15"]
MONTHS = ["2023-12-01", "2024-01-01", "2024-02-01"]
WAYS = {
    "integers": (["2003", "2004", "2005"], [2003, 2004, 2005]),
    "floats": (["2003.0", "2004.0", "2005."], [2003, 2004, 2005]),
    "signed, with blanks": (["-1", "0", " +1 "], [-1, 0, 1]),
    "in order of size": (["9", "10", "11"], [9, 10, 11]),
    "many digits": ([str(10**8 - 3 + i) for i in range(3)], [10**8 - 3, 10**8 - 2, 10**8 - 1]),
    "dates": (DAYS, DAYS),
    "times": (
        ["2024-01-01 00:00", "2024-01-01T01:00:00", "2024-01-01 02:00:00.000000000"],
        ["2024-01-01 00:00", "2024-01-01 01:00", "2024-01-01 02:00"],
    ),
    "months": (["2023-12", "2024-01", "2024-02"], MONTHS),
    "months as Stata has them": (["2023m12", "2024m1", "2024M02"], MONTHS),
    "quarters": (["2023Q4", "2024-Q1", "2024 q2"], ["2023-10-01", "2024-01-01", "2024-04-01"]),
    "weeks": (["2020-W53", "2021-W01", "2021w2"], ["2020-12-28", "2021-01-04", "2021-01-11"]),
}


def times(found: PanelRows) -> np.ndarray:
    return found.frame["time"].drop_duplicates().to_numpy()


def starts(found: PanelRows) -> list[object]:
    """Of the units a, b, c; None for never."""
    values = found.frame.groupby("unit")["treatment_start"].first()
    return [None if pd.isna(value) else value for value in values]


@pytest.mark.parametrize("way", WAYS)
def test_ways_to_write_a_period(way: str) -> None:
    labels, expected = WAYS[way]
    wrote(panel(period=labels * 3, start=np.repeat([labels[2], labels[1], ""], 3)))
    found = read_panel(ASK)
    whole = isinstance(expected[0], int)
    at = np.array(expected, dtype="int64" if whole else "datetime64[us]")
    assert found.frame["time"].dtype == at.dtype
    np.testing.assert_array_equal(times(found), at)
    assert found.frame["treatment_start"].dtype == ("float64" if whole else at.dtype)
    assert starts(found) == [at[2], at[1], None]


TYPES = {
    "small integers": np.array([3, 4, 5], dtype="uint8"),
    "large integers": np.array([3, 4, 5], dtype="uint64"),
    "floats": np.array([3, 4, 5], dtype="float32"),
    "text": np.array(["3", "4", "5"], dtype=object),
    "timestamps": pd.to_datetime(DAYS),
    "nanoseconds": pd.to_datetime(DAYS).as_unit("ns"),
    "days": pd.to_datetime(DAYS).date,
    "instants": pd.to_datetime(DAYS).tz_localize("America/New_York"),
    "instants by the hour": pd.to_datetime(DAYS).tz_localize("UTC") + pd.Timedelta(hours=7),
}


@pytest.mark.parametrize("name", TYPES)
def test_types_that_hold_a_period(name: str) -> None:
    labels = list(TYPES[name])
    begin = [labels[2]] * 3 + [labels[1]] * 3 + [None] * 3
    wrote(panel(period=labels * 3, start=begin), "panel.parquet")
    found = read_panel(replace(ASK, source="panel.parquet", timezone="America/New_York"))
    at = np.array(DAYS, dtype="datetime64[us]")
    if name == "instants by the hour":  # no midnights in New York: they stay in UTC
        at = at + np.timedelta64(7, "h")
        assert "in UTC" in found.health.set_index("item")["note"]["periods"]
    if found.frame["time"].dtype == "int64":
        at = np.array([3, 4, 5])
    np.testing.assert_array_equal(times(found), at)
    assert starts(found) == [at[2], at[1], None]


@pytest.mark.parametrize("word", ["", "NA", "nan", "inf", "Inf", "never", "+Infinity"])
def test_words_for_never(word: str) -> None:
    wrote(panel(start=np.repeat(["3", "2.0", word], 3)))
    found = read_panel(ASK)
    assert starts(found) == [3, 2, None]
    said = word.strip("+").lower()[:3] in ("inf", "nev")
    assert item(found, "rows whose start says never") == 3 * said


def test_zero_passes_through_whole_numbers_and_is_never_beside_dates() -> None:
    wrote(panel(start=np.repeat([3, 2, 0], 3)))
    found = read_panel(ASK)
    assert starts(found) == [3, 2, 0]
    assert item(found, "units whose treatment start is 0") == 1
    wrote(panel(period=DAYS * 3, start=np.repeat([DAYS[2], DAYS[1], "0"], 3)))
    found = read_panel(ASK)
    assert starts(found)[2] is None
    assert item(found, "rows whose start is 0") == 3


def test_infinity_in_a_typed_column_is_never() -> None:
    wrote(panel(start=np.repeat([3, 2, np.inf], 3)), "panel.parquet")
    assert starts(read_panel(replace(ASK, source="panel.parquet"))) == [3, 2, None]


def test_a_start_may_lie_inside_or_after_the_periods() -> None:
    wrote(panel(period=DAYS * 3, start=np.repeat(["2024-01-10", "2031-01-01", ""], 3)))
    assert starts(read_panel(ASK)) == [
        pd.Timestamp("2024-01-10"), pd.Timestamp("2031-01-01"), None
    ]  # fmt: skip


def test_starts_with_an_offset_go_to_the_periods_calendar() -> None:
    begin = np.repeat(["2024-01-08T04:30:00Z", "2024-01-08T05:00:00Z", ""], 3)
    wrote(panel(period=DAYS * 3, start=begin))
    found = read_panel(replace(ASK, timezone="America/New_York"))
    assert starts(found)[:2] == [pd.Timestamp("2024-01-07 23:30"), pd.Timestamp("2024-01-08")]


def test_starts_without_an_offset_go_to_utc_with_hourly_instants() -> None:
    hours = [f"2024-03-10T0{hour}:00:00Z" for hour in (6, 7, 8)]
    begin = np.repeat(["2024-03-10 03:00", "2024-03-10 01:00", ""], 3)
    wrote(panel(period=hours * 3, start=begin))
    found = read_panel(replace(ASK, timezone="America/New_York"))
    assert starts(found)[:2] == [pd.Timestamp("2024-03-10 07:00"), pd.Timestamp("2024-03-10 06:00")]


def test_an_hourly_panel_has_no_hour_twice() -> None:
    hours = [f"2024-11-03T0{hour}:00:00Z" for hour in (5, 6, 7)]  # 01:00 twice in New York
    wrote(panel(period=hours * 3, start=""))
    found = read_panel(replace(ASK, timezone="America/New_York"))
    assert len(times(found)) == 3
    assert found.snapshot.to_json()["window_end_at"] == "2024-11-03T07:00:00+00:00"


def test_as_of_cuts_periods_that_start_at_or_after_it() -> None:
    wrote(panel(period=DAYS * 3, start=np.repeat([DAYS[2], DAYS[1], ""], 3)))
    at = datetime(2024, 1, 15, tzinfo=UTC)
    found = read_panel(replace(ASK, as_of=at))
    np.testing.assert_array_equal(times(found), np.array(DAYS[:2], dtype="datetime64[us]"))
    assert item(found, "rows after as_of") == 3
    assert starts(found)[0] == pd.Timestamp(DAYS[2])
    # Five hours later midnight of the 15th has come in New York as well.
    west = replace(ASK, timezone="America/New_York")
    assert len(times(read_panel(replace(west, as_of=at.replace(hour=5))))) == 2
    assert len(times(read_panel(replace(west, as_of=at.replace(hour=5, minute=1))))) == 3
    assert found.snapshot.to_json()["window_start_at"] == "2024-01-01T00:00:00+00:00"
    moved = read_panel(west).snapshot.to_json()["window_start_at"]
    assert moved == "2024-01-01T05:00:00+00:00"


def test_nothing_before_as_of_is_no_data() -> None:
    wrote(panel(period=DAYS * 3, start=""))
    with pytest.raises(NoData, match="no period starts before as_of"):
        read_panel(replace(ASK, as_of=datetime(2024, 1, 1, tzinfo=UTC)))


@pytest.mark.parametrize(
    ("labels", "day", "verdict", "words"),
    [
        (DAYS, "2024-01-18", "warn", "had not ended at as_of"),
        (DAYS, "2024-01-22", "pass", "the last that had ended"),
        (DAYS, "2024-01-28", "pass", "the last that had ended"),
        (DAYS, "2024-01-29", "warn", "ended about 7 days before as_of"),
        (MONTHS, "2024-02-29", "warn", "had not ended at as_of"),
        (MONTHS, "2024-03-01", "pass", "the last that had ended"),
        (MONTHS, "2024-03-31", "pass", "the last that had ended"),
        (MONTHS, "2024-04-02", "warn", "before as_of"),
    ],
)
def test_freshness(labels: list[str], day: str, verdict: str, words: str) -> None:
    wrote(panel(period=labels * 3, start=""))
    seen = check(
        read_panel(replace(ASK, as_of=datetime.fromisoformat(f"{day}T00:00Z"))), "freshness"
    )
    assert (seen.verdict, words in seen.text.replace("\xa0", " ")) == (verdict, True), seen.text


def test_freshness_of_one_period_or_without_as_of() -> None:
    wrote(panel(period=DAYS * 3, start="").query("period == @DAYS[0]"))
    seen = check(read_panel(replace(ASK, as_of=datetime(2024, 2, 1, tzinfo=UTC))), "freshness")
    assert "cannot be told from one period" in seen.text
    assert "no as_of was given" in check(read_panel(ASK), "freshness").text
