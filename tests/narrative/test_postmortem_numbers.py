"""How numbers of a postmortem read: never more certain than they are."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.figures.postmortem_results import estimate
from trustlib.core import format as show
from trustlib.narrative.postmortem import numbers
from trustlib.narrative.postmortem.rounding import rounded, two, two_down, two_up

SHARES = st.floats(0, 1)
FEW = settings(max_examples=50, deadline=None)  # the machine may be busy


def plain(text: str) -> str:
    return text.replace("\u00a0", " ")


@FEW
@given(share=SHARES)
def test_only_all_reads_100_and_only_none_reads_0(share) -> None:
    text = plain(numbers.percent(share))
    assert (text == "100 %") == (share == 1)
    assert (text == "0 %") == (share == 0)
    value = float(re.findall(r"[\d.]+", text)[0]) / 100
    assert abs(value - share) <= 0.006


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.0, "0 %"), (1e-9, "less than 0.01 %"), (0.0001, "0.01 %"), (0.083, "8.3 %"),
        (0.99, "99 %"), (0.995, "99.5 %"), (0.9996, "99.96 %"), (0.99999, "more than 99.99 %"),
        (1.0, "100 %"), (1.79, "179 %"), (-0.52, "−52 %"),
        (-0.9999999, "beyond −99.99 %"), (-1e-9, "above −0.01 %"),
    ],
)  # fmt: skip
def test_shares(share, text) -> None:
    assert plain(numbers.percent(share)) == text


@FEW
@given(share=SHARES, digits=st.integers(1, 5))
def test_no_formatter_calls_all_what_is_short_of_it(share, digits) -> None:
    """Also sentences that the sizing makes: a shortfall of nearly everything is not of all."""
    assert (plain(show.percent(share, digits=digits)) == "100 %") == (share * 100 >= 100)
    assert (plain(show.percent(-share, digits=digits)) == "−100 %") == (share * 100 >= 100)


@FEW
@given(low=SHARES, high=SHARES)
def test_ends_of_a_share_are_not_the_same_word_twice(low, high) -> None:
    low, high = sorted((low, high))
    parts = plain(numbers.percents(low, high)).removesuffix(" %").split(" to ")
    assert len(set(parts)) == len(parts)


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (estimate(253, 239, 266), "253 items (95 % interval 239 to 266)"),
        (estimate(243, 243, 243), "243 items (exact)"),
        (estimate(0, 0, 0), "0 items (exact)"),
        (estimate(253, note="none"), "253 items (no interval)"),
        (estimate(None), "not estimable items"),
        (estimate(None, note="withheld: fewer than 11"), "fewer than 11 items"),
        (estimate(5, 2, 9), "fewer than 11 items"),
        (estimate(5, 5, 5), "fewer than 11 items"),
        (estimate(14, 6, 31), "14 items (95 % interval up to 31)"),
        (estimate(5, 2, 31), "fewer than 11 items (95 % interval up to 31)"),
        (estimate(0.62, 0.55, 0.69, unit="share"), "62 % items (95 % interval 55 to 69 %)"),
        (estimate(14_120.5, 12_700, 15_600, unit="USD"),
         "$14,100 items (95 % interval $12,700 to $15,600)"),
        (estimate(-40, -90, 12, unit="USD"), "−$40 items (95 % interval −$90 to $12)"),
        (estimate(0.5, 0.25, 0.75, unit="hours"), "30 minutes items (95 % interval 15 to 45)"),
        (estimate(1, 1, 1, unit="hours"), "1 hour items (exact)"),
        (estimate(0.5, 0.5, 2, unit="hours"),
         "30 minutes items (95 % interval 30 minutes to 2 hours)"),
        (estimate(-2, -3, -1, unit="hours"), "−2 hours items (95 % interval −3 to −1)"),
        (estimate(240, 216, 264, unit="hours"), "10 days items (95 % interval 9 to 11)"),
    ],
)  # fmt: skip
def test_a_number_is_told_with_its_interval(made, text) -> None:
    assert plain(numbers.told(made, "items")) == text


NUMBERS = st.floats(0, 1e12)


@FEW
@given(values=st.lists(NUMBERS, min_size=3, max_size=3), unit=st.sampled_from(
    ["items", "USD", "share", "hours", numbers.PLAIN]))  # fmt: skip
def test_an_interval_never_has_one_end_twice(values, unit) -> None:
    low, point, high = sorted(values)
    _, span = numbers.triple(point, low, high, unit)
    ends = plain(span).removesuffix(" %").split(" to ")
    assert len(set(ends)) == len(ends), span
    assert not re.search(r"e[-+]\d|nan|inf", span)


def read_back(text: str) -> float:
    number, _, word = plain(text).replace("$", "").partition(" ")
    assert len(number.replace(",", "").replace(".", "").strip("0")) <= 2
    scale = {"": 1.0, "million": 1e6, "billion": 1e9, "trillion": 1e12}[word]
    return float(number.replace(",", "")) * scale


@FEW
@given(value=st.floats(0.01, 1e14))
def test_two_digits_stay_near(value) -> None:
    assert read_back(two(value)) == pytest.approx(value, rel=0.051)
    assert read_back(two_up(value)) == pytest.approx(value, rel=0.11)
    assert read_back(two_down(value)) == pytest.approx(value, rel=0.11)


@FEW
@given(values=st.lists(st.floats(11, 1e12), min_size=3, max_size=3),
       currency=st.sampled_from(["", "$"]))  # fmt: skip
def test_outside_intervals_are_rounded_outwards_and_hold_their_point(values, currency) -> None:
    low, point, high = sorted(values)
    if low == high:
        return
    figure, span = rounded(point, low, high, currency)
    first, last = (read_back(end) for end in span.split(" to "))
    close = 1e-12  # of binary numbers, in "1.3 million"
    assert first <= low * (1 + close)
    assert last >= high * (1 - close)
    assert first * (1 - close) <= read_back(figure) <= last * (1 + close)


@pytest.mark.parametrize(
    ("ends", "text"),
    [
        ((253, 239, 266), ("250", "230 to 270")),
        ((1_490, 1_410, 1_570), ("1,500", "1,400 to 1,600")),
        ((99.6, 99.4, 99.7), ("100", "99 to 100")),
        ((240, 230, 270), ("240", "230 to 270")),
        ((14, 6, 30.2), ("14", "from fewer than 11 to 31")),
        ((5, 2, 99.1), ("fewer than 11", "up to 100")),
    ],
)
def test_two_digits_of_an_interval(ends, text) -> None:
    assert rounded(*ends) == text


@FEW
@given(values=st.lists(NUMBERS, min_size=3, max_size=3))
def test_outside_no_count_below_11_is_named(values) -> None:
    low, point, high = sorted(values)
    for text in rounded(point, low, high):
        rest = plain(text).replace("fewer than 11", "")
        for number in re.findall(r"\d[\d,.]*", rest):
            if "illion" not in rest:
                assert float(number.replace(",", "")) >= 11


def test_a_rate_has_two_digits_and_no_power_of_ten() -> None:
    assert numbers.triple(0, 0, 0.4612, numbers.PLAIN) == ("0", "0 to 0.46")
    assert numbers.triple(1e-5, 2e-6, 0.3, numbers.PLAIN) == (
        "less than 0.01", "less than 0.01 to 0.3",
    )  # fmt: skip
