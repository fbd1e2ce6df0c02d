"""The clock: definitions, intervals that the start of impact brings, and what it cannot say."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pandas as pd
import pytest

from tests.postmortem.sized import sized
from trustlib.postmortem.clock import DEFINITIONS, clock
from trustlib.postmortem.spec import Stamps, TimelineEntry

SIZED = sized()
START, END = SIZED.spec.incident.start, SIZED.spec.incident.end
STAMPS = Stamps(
    first_signal_at=START + timedelta(hours=4),
    declared_at=START + timedelta(hours=5, minutes=30),
    mitigated_at=END,
    recovered_at=END + timedelta(days=2),
)
NO_CHANGES = pd.DataFrame(
    {"changed_at": pd.Series(dtype="datetime64[s, UTC]"), "change": [], "link": []}
)


def changes(*hours: float) -> pd.DataFrame:
    at = pd.to_datetime([START + timedelta(hours=h) for h in hours], utc=True).as_unit("s")
    return pd.DataFrame(
        {"changed_at": at, "change": [f"release {h:g}" for h in hours], "link": "https://a.example"}
    )


def test_durations_carry_the_interval_of_the_start() -> None:
    found = clock(SIZED, NO_CHANGES, stamps=STAMPS).estimates
    row = SIZED.onset.iloc[0]
    assert set(found) == set(DEFINITIONS)
    for name, stamp in (
        ("time_to_detect_hours", STAMPS.first_signal_at),
        ("time_to_mitigate_hours", STAMPS.mitigated_at),
        ("time_to_recover_hours", STAMPS.recovered_at),
    ):
        one = found[name]
        for end, at in (("point", "estimated_at"), ("low", "high_at"), ("high", "low_at")):
            assert getattr(one, end) == pytest.approx((stamp - row[at]).total_seconds() / 3600)
        assert one.low < one.high
        assert one.unit == "hours"
    # Two stated instants are as exact as they were stated.
    took = found["time_to_acknowledge_hours"]
    assert (took.low, took.point, took.high) == (1.5, 1.5, 1.5)


def test_without_an_estimated_start_a_duration_has_no_interval_and_says_so() -> None:
    quiet = sized(effect=0.0)
    assert pd.isna(quiet.onset.iloc[0]["estimated_at"])
    found = clock(quiet, NO_CHANGES, stamps=STAMPS).estimates["time_to_detect_hours"]
    assert found.point == 4
    assert found.low is None
    assert "stated, not estimated" in found.note


@pytest.mark.parametrize(
    ("name", "stamp"), [(name, words[1]) for name, words in DEFINITIONS.items()]
)
def test_a_stamp_that_is_not_stated_is_named(name: str, stamp: str) -> None:
    found = clock(SIZED, NO_CHANGES, stamps=replace(STAMPS, **{stamp: None})).estimates[name]
    assert found.point is None
    assert found.note == f"not estimable: {stamp} is not stated"


def test_the_timeline_holds_everything_in_order_of_time() -> None:
    entry = TimelineEntry(at=START + timedelta(hours=6), event="Rule off", link="TICKET-1")
    frame = clock(SIZED, changes(-100, -1, 3, 500), stamps=STAMPS, timeline=(entry,)).timeline
    assert frame["at"].is_monotonic_increasing
    assert str(frame["at"].dt.tz) == "UTC"
    assert set(frame["kind"]) == {"stated", "estimated", "timeline", "change log"}
    # What changed days before or after is no part of the story.
    assert list(frame.loc[frame["kind"] == "change log", "event"]) == ["release -1", "release 3"]
    assert frame.loc[frame["event"] == "Rule off", "link"].tolist() == ["TICKET-1"]
    stated = frame[frame["kind"] == "stated"]["event"].tolist()
    assert stated == ["Impact starts", "First signal", "Declared", "Mitigated", "Recovered"]


def test_changes_in_another_order_tell_the_same_story() -> None:
    log = changes(-3, -1, 1, 2)
    one = clock(SIZED, log, stamps=STAMPS).timeline
    pd.testing.assert_frame_equal(one, clock(SIZED, log.iloc[::-1], stamps=STAMPS).timeline)


def checks(stamps: Stamps) -> dict:
    return {one.name: one for one in clock(SIZED, NO_CHANGES, stamps=stamps).checks}


def test_stamps_that_the_data_contradict_are_warned_of() -> None:
    assert {one.verdict for one in checks(STAMPS).values()} == {"pass"}
    early = checks(replace(STAMPS, first_signal_at=START - timedelta(hours=30)))
    assert early["stamps_and_data"].verdict == "warn"
    assert "hours before the earliest start of impact" in early["stamps_and_data"].text
    # One contradiction does not hide the other.
    both = checks(replace(STAMPS, first_signal_at=START - timedelta(hours=30),
                          mitigated_at=END - timedelta(hours=18)))  # fmt: skip
    assert {one.verdict for one in both.values()} == {"warn"}
    assert list(checks(Stamps())) == ["stamps_and_data"]
    assert checks(Stamps())["stamps_and_data"].verdict == "not_run"


def test_harm_that_went_on_after_the_stated_mitigation_is_counted() -> None:
    frame = SIZED.counterfactual[SIZED.counterfactual["in_window"]]
    at = END - timedelta(hours=18)
    rest = frame[frame["bucket_start_at"] >= pd.Timestamp(at)]
    part = (rest["actual"] - rest["expected"]).sum() / SIZED.estimates["excess"].point
    found = checks(replace(STAMPS, mitigated_at=at))["excess_after_mitigation"]
    assert found.verdict == "warn"
    assert f"{part:.0%}".removesuffix("%") in found.text
    late = checks(replace(STAMPS, mitigated_at=END + timedelta(hours=5)))
    assert "5.0 hours after the end of the window" in late["excess_after_mitigation"].text
