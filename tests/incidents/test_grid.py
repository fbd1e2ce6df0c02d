"""The clock: local weeks, changes of the clock, edges, and what is refused."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from trustlib.core import NoData, Refusal, Window
from trustlib.incidents import SizingSpec, sizing
from trustlib.incidents.counterfactual import past_windows
from trustlib.incidents.grid import grid

NEW_YORK = ZoneInfo("America/New_York")


def hourly(start, hours, *, value=10.0):
    at = pd.date_range(start, periods=hours, freq="h", tz="UTC").as_unit("us")
    return pd.DataFrame({"bucket_start_at": at, "count": np.full(hours, value)})


def days(start, n, zone):
    at = pd.date_range(start, periods=n, freq="D").tz_localize(zone).tz_convert("UTC")
    return pd.DataFrame({"bucket_start_at": at.as_unit("us"), "count": np.full(n, 240.0)})


def local(text, zone=NEW_YORK):
    return datetime.fromisoformat(text).replace(tzinfo=zone)


def spec_of(start, end, **options):
    return SizingSpec(incident=Window(start, end), **options)


def test_weeks_follow_the_local_clock_over_a_change():
    # Clocks in New York go back on 2 November 2014: the week before has 169 hours.
    counts = hourly("2014-10-01", 24 * 45)
    spec = spec_of(
        local("2014-11-05T12:00"), local("2014-11-06T00:00"), timezone="America/New_York"
    )
    made = grid(counts, spec)
    assert (made.week[made.history] == 1).sum() == 169
    assert (made.week[made.history] == 2).sum() == 168
    starts = made.start_at[made.history & (made.offset == 0)].tz_convert("America/New_York")
    assert set(starts.hour) == {12}
    assert set(starts.day_name()) == {"Wednesday"}


def test_days_of_23_and_25_hours_have_their_length():
    spec = spec_of(
        local("2014-11-20T00:00"),
        local("2014-11-21T00:00"),
        timezone="America/New_York",
        bucket="1d",
    )
    made = grid(days("2014-10-01", 60, "America/New_York"), spec)
    long_day = made.local == np.datetime64("2014-11-02")
    assert made.exposure[long_day] == pytest.approx(25 / 24)
    assert made.exposure[~long_day] == pytest.approx(1.0)
    # Counts that are proportional to the length of the day have no day out of the ordinary.
    counts = days("2014-10-01", 60, "America/New_York")
    counts["count"] *= made.exposure
    result = sizing(counts, spec)
    assert result.estimates["excess"].point == pytest.approx(0, abs=1e-6)


def test_a_window_longer_than_a_week_takes_blocks_of_whole_weeks():
    counts = hourly("2024-01-01", 168 * 14)
    start = datetime(2024, 3, 25, tzinfo=UTC)
    made = grid(counts, spec_of(start, start + timedelta(days=10)))
    assert made.weeks_per_block == 2
    assert made.block[made.history].max() == 5
    assert (made.block == 0).sum() == 2 * 168


@pytest.mark.parametrize(
    ("start", "end"),
    [("2024-02-19T00:30", "2024-02-20T00:00"), ("2024-02-19T00:00", "2024-02-20T00:00:01")],
)
def test_a_window_off_the_bucket_edges_names_the_nearest_edges(start, end):
    spec = spec_of(local(start, UTC), local(end, UTC))
    with pytest.raises(Refusal, match="edge of a 1h bucket") as refusal:
        grid(hourly("2024-01-01", 168 * 9), spec)
    assert refusal.value.nearest is not None
    assert "2024-02-" in refusal.value.nearest


def test_a_daily_window_has_to_start_at_local_midnight():
    counts = days("2014-10-01", 60, "America/New_York")
    spec = spec_of(
        datetime(2014, 11, 20, tzinfo=UTC),
        local("2014-11-21T00:00"),
        timezone="America/New_York",
        bucket="1d",
    )
    with pytest.raises(Refusal, match="incident_start is not on the edge") as refusal:
        grid(counts, spec)
    assert "2014-11-19 05:00 UTC or 2014-11-20 05:00 UTC" in str(refusal.value)


def quiet():
    start = datetime(2024, 2, 19, tzinfo=UTC)
    return hourly("2024-01-01", 168 * 8), spec_of(start, start + timedelta(hours=12))


def set_count(counts, row, value):
    counts.loc[row, "count"] = value
    return counts


FAULTS = {
    "no count column": (lambda c: c.drop(columns="count"), Refusal, "no column count"),
    "no rows": (lambda c: c.head(0), NoData, "0 rows"),
    "all missing": (lambda c: c.assign(count=np.nan), NoData, "every count is missing"),
    "all zero": (lambda c: c.assign(count=0.0), NoData, "every count is zero"),
    "negative": (lambda c: set_count(c, 5, -31337.0), Refusal, "negative in 1 of"),
    "infinite": (lambda c: set_count(c, 5, np.inf), Refusal, "infinite in 1 of"),
    "text": (lambda c: c.assign(count="7"), Refusal, "numbers are needed"),
    "naive": (
        lambda c: c.assign(bucket_start_at=c["bucket_start_at"].dt.tz_localize(None)),
        Refusal,
        "aware instants",
    ),
    "repeated": (lambda c: pd.concat([c, c.tail(1)]), Refusal, "repeats in 1 rows"),
    "a gap": (lambda c: c.drop(index=700), Refusal, "not 1h apart"),
    "one row": (lambda c: c.head(1), Refusal, "not inside the data"),
    "ends before": (lambda c: c.head(168 * 7 - 1), Refusal, "not inside the data"),
    "starts after": (lambda c: c.tail(160), Refusal, "not inside the data"),
    "window missing": (
        lambda c: c.assign(count=c["count"].mask(c.index >= 168 * 7)),
        NoData,
        "in the incident's window",
    ),
    "history missing": (
        lambda c: c.assign(count=c["count"].mask(c.index < 168 * 7)),
        NoData,
        "in the history",
    ),
    "six days": (
        lambda c: c.assign(count=c["count"].mask(c.index < 168 * 7 - 144)),
        Refusal,
        "too short",
    ),
    "negative control": (lambda c: c.assign(control=-31337.0), Refusal, "control is negative"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_cannot_be_measured_is_refused_without_showing_a_value(fault):
    spoil, error, words = FAULTS[fault]
    counts, spec = quiet()
    with pytest.raises(error, match=words) as refusal:
        sizing(spoil(counts), spec)
    assert "31337" not in str(refusal.value)


def test_a_spec_that_makes_no_sense_is_refused():
    start = datetime(2024, 2, 19, tzinfo=UTC)
    window = Window(start, start + timedelta(hours=12))
    for options, words in (
        ({"bucket": "2h"}, "bucket"),
        ({"direction": "up"}, "direction"),
        ({"level": 95}, "level"),
        ({"history_start": start}, "history starts at or after"),
        ({"history_start": datetime(2024, 1, 1)}, "naive"),
        ({"exclude_windows": (window,)}, "excluded window overlaps"),
    ):
        with pytest.raises(Refusal, match=words):
            SizingSpec(incident=window, **options)


def test_hours_stand_where_the_counts_put_them():
    """Hourly counts of India begin at half past, UTC."""
    counts = hourly("2026-01-01 18:30", 24 * 30)
    zone = ZoneInfo("Asia/Kolkata")
    spec = spec_of(local("2026-01-28T10:00", zone), local("2026-01-28T16:00", zone))
    assert grid(counts, spec).n_window == 6
    with pytest.raises(Refusal, match="edge of a 1h bucket"):
        grid(counts, spec_of(local("2026-01-28T10:30", zone), local("2026-01-28T16:30", zone)))


def test_a_bucket_whose_hour_cannot_be_told_is_not_compared():
    """Two hours' counts under one label would stand against one hour's expectation."""
    counts = hourly("2014-09-01", 24 * 70)
    at = counts["bucket_start_at"]
    double = (at == "2014-11-02 05:00+00:00", at == "2014-11-02 06:00+00:00")
    counts.loc[double[0], "count"] = 20.0
    counts.loc[double[1], "count"] = np.nan
    counts["ambiguous"] = double[0] | double[1]
    spec = spec_of(
        local("2014-11-02T00:00"), local("2014-11-02T12:00"), timezone="America/New_York"
    )
    result = sizing(counts, spec)
    assert result.estimates["actual"].point == 110.0
    assert result.estimates["actual"].n == 11
    assert abs(result.estimates["excess"].point) < 1
    check = next(c for c in result.checks if c.name == "missing_in_window")
    assert "2 of 13 buckets" in check.text
    assert "clock change" in check.text


def test_a_start_in_the_second_of_two_equal_hours_keeps_the_past_windows_apart():
    counts = hourly("2014-09-01", 24 * 70)
    start = pd.Timestamp("2014-11-02 06:00", tz="UTC")  # 01:00 for the second time
    before = counts["bucket_start_at"] == start - pd.Timedelta(hours=1)
    counts.loc[before, "count"] = 5000.0
    spec = spec_of(
        start.to_pydatetime(), (start + pd.Timedelta(hours=4)).to_pydatetime(),
        timezone="America/New_York",
    )  # fmt: skip
    made = grid(counts, spec)
    expected = np.where(made.history, 10.0, np.nan)
    found = past_windows(made, counts=made.count, expected=expected, fitted=made.fitted)
    assert found.actual.max() == 10.0
