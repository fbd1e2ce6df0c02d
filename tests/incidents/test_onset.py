"""Onset and recovery, from the data."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd

from trustlib.core import Window
from trustlib.incidents import sizing


def test_onset_and_recovery_are_found_where_they_are(drawn):
    counts, spec, _ = drawn("level_drift", effect=1.0, late_hours=5)
    row = sizing(counts, spec).onset.iloc[0]
    stated = pd.Timestamp(spec.incident.start)
    assert row["stated_at"] == stated
    assert row["estimated_at"] == stated + pd.Timedelta(hours=5)
    assert row["low_at"] <= row["estimated_at"] <= row["high_at"]
    assert row["high_at"] - row["low_at"] <= pd.Timedelta(hours=4)
    assert row["recovered_at"] == pd.Timestamp(spec.incident.end)


def test_a_stated_start_that_is_late_is_told(drawn):
    counts, spec, _ = drawn("level_drift", effect=1.0)
    late = Window(spec.incident.start + timedelta(hours=8), spec.incident.end)
    result = sizing(counts, replace(spec, incident=late))
    made = result.estimates["onset_hours"]
    assert made.point == -8
    assert made.low <= -8 <= made.high < 0
    check = next(c for c in result.checks if c.name == "onset_agrees")
    assert check.verdict == "warn"


def test_no_deviation_has_no_beginning(drawn):
    counts, spec, _ = drawn("ar_90", seed=4)
    result = sizing(counts, spec)
    assert result.onset[["estimated_at", "low_at", "high_at"]].isna().all(axis=None)
    made = result.estimates["onset_hours"]
    assert made.point is None
    assert made.note.startswith("not estimable")


def test_too_little_history_is_not_said_to_be_no_deviation(drawn):
    counts, spec, _ = drawn("ar_90", weeks=2, effect=1.0)
    made = sizing(counts, spec).estimates["onset_hours"]
    assert made.point is None
    assert made.note == "not estimable: too little history to tell a start from chance"


def test_still_open_where_the_data_end(drawn):
    counts, spec, _ = drawn("level_drift", effect=1.0)
    until = counts[counts["bucket_start_at"] < pd.Timestamp(spec.incident.end)]
    row = sizing(until, spec).onset.iloc[0]
    assert pd.isna(row["recovered_at"])
    assert row["estimated_at"] == pd.Timestamp(spec.incident.start)


def test_counts_that_stop_have_not_recovered(drawn):
    """A window stated past the last count: the missing buckets are no return."""
    counts, spec, _ = drawn("level_drift", effect=1.0)
    stop = pd.Timestamp(spec.incident.end) - pd.Timedelta(hours=12)
    unseen = counts["bucket_start_at"] >= stop
    result = sizing(counts.assign(count=counts["count"].mask(unseen)), spec)
    assert result.verdict == "incident confirmed"
    assert pd.isna(result.onset.iloc[0]["recovered_at"])


def test_a_step_that_leads_into_another_is_no_return(drawn):
    """A high stretch, then 24 low hours outside the band, then all is quiet."""
    counts, spec, _ = drawn("level_drift", effect=1.0)
    end = pd.Timestamp(spec.incident.end)
    after = (counts["bucket_start_at"] >= end) & (
        counts["bucket_start_at"] < end + pd.Timedelta(hours=24)
    )
    low = counts["count"].where(~after, (0.3 * counts["count"]).round())
    row = sizing(counts.assign(count=low), spec).onset.iloc[0]
    assert row["recovered_at"] == end + pd.Timedelta(hours=24)


def test_a_slow_beginning_widens_the_interval_to_its_first_odd_hour(drawn):
    counts, spec, _ = drawn("level_drift", effect=0.0)
    first = int(np.flatnonzero(counts["bucket_start_at"] == pd.Timestamp(spec.incident.start))[0])
    ramp = np.ones(len(counts))
    ramp[first : first + 36] = np.minimum(3.0, np.linspace(1.5, 6.0, 36))
    result = sizing(counts.assign(count=(counts["count"] * ramp).round()), spec)
    row = result.onset.iloc[0]
    assert row["estimated_at"] > pd.Timestamp(spec.incident.start)
    assert row["low_at"] <= pd.Timestamp(spec.incident.start)


def test_the_seed_decides_the_replays_and_nothing_else(drawn):
    counts, spec, _ = drawn("ar_90", effect=3.0)
    one, same = sizing(counts, spec), sizing(counts, spec)
    pd.testing.assert_frame_equal(one.onset, same.onset)
    other = sizing(counts, replace(spec, seed=99))
    assert one.onset["estimated_at"].equals(other.onset["estimated_at"])
    assert one.estimates["excess"] == other.estimates["excess"]
    gap = (one.onset["low_at"] - other.onset["low_at"]).abs().iloc[0]
    assert gap <= pd.Timedelta(hours=12)
