"""How numbers read."""

from datetime import UTC, datetime, timedelta

import pytest

from trustlib.core import format as show

NBSP = "\u00a0"


@pytest.mark.parametrize(
    ("value", "sign", "text"),
    [
        (0, False, "0"),
        (11, False, "11"),
        (999, True, "+999"),
        (-719_123, True, "−719,000"),
        (1_113_000, False, f"1.11{NBSP}million"),
        (999_999, False, f"1{NBSP}million"),
        (999_600_000, False, f"1{NBSP}billion"),
        (12.5, False, "12.5"),
        (0.01234, False, "0.0123"),
        (None, False, "not estimable"),
    ],
)
def test_count(value, sign, text) -> None:
    assert show.count(value, sign=sign) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.653, "65"), (-0.0123, "−1.2"), (3.21, "320"), (0.1, "10"), (0, "0"), (0.0996, "10")],
)
def test_percent(share, text) -> None:
    assert show.percent(share) == f"{text}{NBSP}%"


@pytest.mark.parametrize(
    ("p", "text"),
    [(0.0833, ".08"), (0.0256, ".03"), (0.004, ".004"), (0.0002, f"<{NBSP}.001"), (1.0, "1")],
)
def test_probability(p, text) -> None:
    assert show.probability(p) == text


def test_a_window_shows_local_time_with_utc_beside() -> None:
    start = datetime(2015, 1, 26, 17, tzinfo=UTC)
    text = show.window(start, start + timedelta(hours=36), "America/New_York")
    assert text.replace(NBSP, " ") == (
        "26 Jan, 12:00 – 28 Jan 2015, 00:00 New York (17:00 – 05:00 UTC)"
    )
    plain = show.window(start, start + timedelta(hours=36))
    assert plain.replace(NBSP, " ") == "26 Jan, 17:00 – 28 Jan 2015, 05:00 UTC"


@pytest.mark.parametrize(
    ("hours", "text"), [(36, "36 hours"), (1, "1 hour"), (0.5, "30 minutes"), (96, "4 days")]
)
def test_duration(hours, text) -> None:
    assert show.duration(timedelta(hours=hours)).replace(NBSP, " ") == text
