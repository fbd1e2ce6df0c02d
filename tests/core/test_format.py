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


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ((-734_061.2, -838_570.7, -629_551.7), ("−734,000", "−839,000 to −630,000")),
        ((1.02e6, 0.987e6, 1.061e6), ("1.020 million", "0.987 to 1.061 million")),
        ((0.93e6, -0.1e6, 1.96e6), ("930,000", "−100,000 to 1,960,000")),
        # The point must not vanish, nor the ends meet.
        ((1234, -1.98e6, 2.1e6), ("1,000", "−1,980,000 to 2,100,000")),
        ((999_999, 999_000, 1_000_400), ("1,000,000", "999,000 to 1,000,400")),
        ((12.34, -5.12, 29.71), ("12.3", "−5.1 to 29.7")),
        ((7, 3, 12), ("7", "3 to 12")),
        ((-0.2, -3.0, 2.6), ("−0.2", "−3.0 to 2.6")),
        ((0.0, 0.0, 0.0), ("0", "0 to 0")),
        ((45.25, None, None), ("45.2", "not estimable")),
        ((None, None, None), ("not estimable", "not estimable")),
    ],
)
def test_a_point_and_its_interval_are_rounded_to_one_place(values, texts) -> None:
    assert tuple(text.replace(NBSP, " ") for text in show.triple(*values)) == texts


def test_alike_signs_every_value_and_keeps_cents() -> None:
    assert show.alike([12.3, -5.12, 29.71], sign=True) == ["+12.3", "−5.1", "+29.7"]
    assert show.alike([2.4, 1.8, 3.05], currency="$") == ["$2.40", "$1.80", "$3.05"]
    assert show.alike([-0.004, 0.0, 0.0], beside=250.0) == ["0", "0", "0"]
    assert show.alike([7.4, 1_074.6], beside=1_075.0) == ["7", "1,075"]
    assert show.alike([7_400.0, 107_460.0], beside=107_460.0) == ["7,000", "107,000"]


@pytest.mark.parametrize(
    ("value", "text"), [(2.4, "$2.40"), (2, "$2"), (-0.5, "−$0.50"), (1_130_000, "$1.13 million")]
)
def test_usd(value, text) -> None:
    assert show.usd(value).replace(NBSP, " ") == text


def test_a_count_is_not_rounded_twice() -> None:
    assert show.count(414.516, digits=4) == "415"
    assert show.count(1_125_838, digits=4) == f"1.126{NBSP}million"


def test_a_window_within_a_day_names_the_day_once() -> None:
    start = datetime(2015, 1, 26, 17, tzinfo=UTC)
    text = show.window(start, start + timedelta(minutes=30), "America/New_York")
    assert text.replace(NBSP, " ") == "26 Jan 2015, 12:00 – 12:30 New York (17:00 – 17:30 UTC)"


def test_a_window_given_in_local_time_still_shows_utc() -> None:
    start = datetime.fromisoformat("2015-01-26T12:00:00-05:00")
    assert "17:00" in show.window(start, start + timedelta(hours=2), "America/New_York")
