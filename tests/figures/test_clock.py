"""Ticks stand at whole hours and midnights of the local clock, few enough to read."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from trustlib.figures.clock import ticks

NEW_YORK = "America/New_York"
START = datetime(2015, 1, 26, 17, tzinfo=UTC)


@pytest.mark.parametrize("hours", [0.5, 1, 3, 8, 26, 36, 80, 200, 700, 2_000, 20_000])
@pytest.mark.parametrize("zone", ["UTC", NEW_YORK, "Asia/Kolkata"])
def test_few_ticks_inside_the_span_in_order(hours, zone) -> None:
    end = START + timedelta(hours=hours)
    marks = ticks(START, end, zone, most=6)
    at = [instant for instant, _ in marks]
    assert 1 <= len(marks) <= 6
    assert at == sorted(set(at))
    assert at[0] >= START
    assert at[-1] <= end


def test_labels_are_local() -> None:
    marks = ticks(START, START + timedelta(hours=36), NEW_YORK)
    assert [label for _, label in marks] == ["12:00", "Tue 27 Jan", "12:00", "Wed 28 Jan"]


def test_midnights_stay_midnights_across_a_clock_change() -> None:
    start = datetime(2014, 10, 31, 4, tzinfo=UTC)
    marks = ticks(start, start + timedelta(days=4), NEW_YORK)
    local = [at.astimezone(ZoneInfo(NEW_YORK)) for at, _ in marks]
    assert {(at.hour, at.minute) for at in local} == {(0, 0)}
    assert [label for _, label in marks] == ["Fri 31 Oct", "Sat 1 Nov", "Sun 2 Nov", "Mon 3 Nov"]


def test_a_year_is_marked_by_months() -> None:
    marks = ticks(START, START + timedelta(days=400), "UTC")
    assert [label for _, label in marks][:2] == ["Feb 2015", "May 2015"]
