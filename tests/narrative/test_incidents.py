"""Sentences about incidents: right for every shape of result, made of the result's own numbers."""

import re
from dataclasses import replace
from datetime import timedelta

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trustlib.core import Check, Estimate, Window
from trustlib.core import format as show
from trustlib.narrative import house
from trustlib.narrative import incidents as say

NBSP = "\u00a0"
CONFIRMED, NOT_SHOWN = "incident confirmed", "no incident shown"
NOT_CONCLUSIVE, NOT_ESTIMABLE = "not conclusive", "not estimable"
PASS = Check(name="a", verdict="pass", label="season fits", text="It does.")
WARN = Check(name="b", verdict="warn", label="nothing excluded", text="No holiday is listed.")


def told(
    shapes,
    *,
    shape: str = "decrease",
    verdict: str = CONFIRMED,
    actual: float = 391_777.0,
    expected: float = 1_125_838.2,
    half: float | None = 104_509.5,
    p: float | None = 1 / 598,
    windows: int = 597,
    unit_cost_usd: float | None = None,
    **spec,
):
    """A result with these numbers; the rest is the shape's."""
    result = shapes.result(shape)
    note = None if half is not None else "not estimable: 2 earlier windows, 3 are needed"

    def estimate(point, half, unit) -> Estimate:
        ends = (None, None) if half is None else (point - half, point + half)
        return Estimate(
            point=point, low=ends[0], high=ends[1], level=result.spec.level, unit=unit,
            method="m", n=9, note=note,
        )  # fmt: skip

    unit, excess = spec.get("unit_label", "trips"), actual - expected
    estimates = dict(result.estimates)
    estimates |= {
        "actual": replace(estimates["actual"], point=actual, low=actual, high=actual),
        "expected": replace(estimate(expected, half, unit), low=None, high=None, note="n"),
        "excess": estimate(excess, half, unit),
        "relative_excess": estimate(excess / expected, None if half is None else half / expected,
                                    "share"),
        "same_hours_excess": estimate(1.01 * excess, half, unit),
        "placebo_p_value": replace(estimates["placebo_p_value"], point=p, note="n"),
    }  # fmt: skip
    if unit_cost_usd is not None:
        estimates["cost_usd"] = estimate(
            unit_cost_usd * excess, None if half is None else unit_cost_usd * half, "USD"
        )
    start = pd.Timestamp(result.spec.incident.start)
    placebos = pd.DataFrame({"same_phase": [True] * windows, "relative_excess": 0.0})
    confirmed = verdict == CONFIRMED
    onset = result.onset.assign(
        estimated_at=start + pd.Timedelta(hours=4) if confirmed else pd.NaT,
        low_at=start + pd.Timedelta(hours=3) if confirmed else pd.NaT,
        high_at=start + pd.Timedelta(hours=5) if confirmed else pd.NaT,
        recovered_at=start + pd.Timedelta(hours=40) if confirmed else pd.NaT,
        note="" if confirmed else "not estimable: no deviation is shown",
    )
    frame = result.counterfactual
    if verdict == NOT_ESTIMABLE:
        frame = frame.assign(fitted=frame["fitted"] & (frame.index >= len(frame) - 336))
    return replace(
        result,
        counterfactual=frame,
        spec=replace(result.spec, unit_cost_usd=unit_cost_usd, **spec),
        estimates=estimates,
        verdict=verdict,
        placebos=placebos,
        onset=onset,
    )


def plain(text: str) -> str:
    return text.replace(NBSP, " ")


GOLDEN = {
    "a decrease": (
        {},
        "Incident confirmed: −734,000 trips against expectation over 36 hours "
        "(95 % interval −839,000 to −630,000; 65 % below expected).",
        "−734,000 trips\n95 % interval −839,000 to −630,000 · 65 % below expected\n"
        "Over 36 hours, 391,777 trips were counted where 1.126 million were expected. "
        "None of 597 quiet windows of the same length came out as low. "
        "Counts were back to normal by 28 Jan, 04:00.",
        "Trips fell 65 % below what was expected and were back to normal by 28 Jan, 04:00",
        "None of 597 earlier windows came out this low (p = .002)",
    ),
    "an increase": (
        {"actual": 475, "expected": 205.2, "half": 52.2, "unit_label": "rule actions",
         "direction": "increase"},
        "Incident confirmed: +270 rule actions against expectation over 36 hours "
        "(95 % interval +218 to +322; 131 % above expected).",
        "+270 rule actions\n95 % interval +218 to +322 · 131 % above expected\n"
        "Over 36 hours, 475 rule actions were counted where 205 were expected. "
        "None of 597 quiet windows of the same length came out as high. "
        "Counts were back to normal by 28 Jan, 04:00.",
        "Rule actions rose 131 % above what was expected and were back to normal by 28 Jan, 04:00",
        "None of 597 earlier windows came out this high (p = .002)",
    ),
    "many times the expected": (
        {"actual": 9_200, "expected": 800.4, "half": 210.3, "direction": "either"},
        "Incident confirmed: +8,400 trips against expectation over 36 hours "
        "(95 % interval +8,190 to +8,610; 11 times the expected).",
        "+8,400 trips\n95 % interval +8,190 to +8,610 · 11 times the expected\n"
        "Over 36 hours, 9,200 trips were counted where 800 were expected. "
        "None of 597 quiet windows of the same length came out as far off. "
        "Counts were back to normal by 28 Jan, 04:00.",
        "Trips rose to 11 times the expected number and were back to normal by 28 Jan, 04:00",
        "None of 597 earlier windows came out this far off (p = .002)",
    ),
    "no incident": (
        {"verdict": NOT_SHOWN, "actual": 1_130_000, "expected": 1_126_000.5, "p": 240 / 598},
        "No incident shown: +4,000 trips against expectation over 36 hours "
        "(95 % interval −101,000 to +109,000; 0.36 % above expected).",
        "No incident shown\n+4,000 trips against expectation · "
        "95 % interval −101,000 to +109,000\n"
        "Over 36 hours, 1,130,000 trips were counted where 1.126 million were expected. "
        "239 of 597 quiet windows of the same length came out as low. "
        "A difference of this size is what quiet weeks show as well.",
        "Trips came in 0.36 % above expected, within what quiet weeks show",
        "239 of 597 earlier windows came out this low (p = .40)",
    ),
    "the other way": (
        {"verdict": NOT_SHOWN, "actual": 1_500_000, "p": 1.0},
        "No incident shown: +374,000 trips against expectation over 36 hours "
        "(95 % interval +270,000 to +479,000; 33 % above expected).",
        "No incident shown\n+374,000 trips against expectation · "
        "95 % interval +270,000 to +479,000\n"
        "Over 36 hours, 1,500,000 trips were counted where 1.126 million were expected. "
        "597 of 597 quiet windows of the same length came out as low. "
        "The counts moved the other way: the question was about a decrease.",
        "Trips came in 33 % above expected: not the way that was asked about",
        "597 of 597 earlier windows came out this low (p = 1)",
    ),
    "not conclusive, zero inside": (
        {"verdict": NOT_CONCLUSIVE, "actual": 1_070_000, "p": 20 / 598, "direction": "either"},
        "Not conclusive: −56,000 trips against expectation over 36 hours "
        "(95 % interval −160,000 to +49,000; 5 % below expected).",
        "−56,000 trips\n95 % interval −160,000 to +49,000 · 5 % below expected · not conclusive\n"
        "Over 36 hours, 1,070,000 trips were counted where 1.126 million were expected. "
        "19 of 597 quiet windows of the same length came out as far off. "
        "The interval holds zero, so chance alone could explain it.",
        "Trips came in 5 % below expected, which does not settle the question",
        "19 of 597 earlier windows came out this far off (p = .03)",
    ),
    "not conclusive, placebos alike": (
        {"verdict": NOT_CONCLUSIVE, "p": 0.2, "windows": 9, "direction": "either"},
        "Not conclusive: −734,000 trips against expectation over 36 hours "
        "(95 % interval −839,000 to −630,000; 65 % below expected).",
        "−734,000 trips\n95 % interval −839,000 to −630,000 · 65 % below expected · "
        "not conclusive\n"
        "Over 36 hours, 391,777 trips were counted where 1.126 million were expected. "
        "1 of 9 quiet windows of the same length came out as far off. "
        "The interval excludes zero, but the placebo windows do not set these hours apart.",
        "Trips came in 65 % below expected, which does not settle the question",
        "1 of 9 earlier windows came out this far off (p = .20)",
    ),
    "not conclusive, methods apart": (
        {"verdict": NOT_CONCLUSIVE, "direction": "either"},
        "Not conclusive: −734,000 trips against expectation over 36 hours "
        "(95 % interval −839,000 to −630,000; 65 % below expected).",
        "−734,000 trips\n95 % interval −839,000 to −630,000 · 65 % below expected · "
        "not conclusive\n"
        "Over 36 hours, 391,777 trips were counted where 1.126 million were expected. "
        "None of 597 quiet windows of the same length came out as far off. "
        "The interval excludes zero, but a second method does not agree.",
        "Trips came in 65 % below expected, which does not settle the question",
        "None of 597 earlier windows came out this far off (p = .002)",
    ),
    "not estimable": (
        {"verdict": NOT_ESTIMABLE, "half": None, "p": None, "windows": 0},
        "Not estimable: −734,000 trips against expectation over 36 hours, "
        "without an interval (2 earlier windows, 3 are needed).",
        "Not estimable\ncounted minus expected: −734,000 trips; no 95 % interval: "
        "2 earlier windows, 3 are needed\n"
        "Over 36 hours, 391,777 trips were counted where 1.126 million were expected. "
        "Too little history stands behind that expectation to say how sure it is.",
        "Trips came in 65 % below expected, by a season that rests on little history",
        "No earlier window could stand beside the incident",
    ),
    "one placebo window": (
        {"p": 0.5, "windows": 1, "verdict": NOT_CONCLUSIVE},
        "Not conclusive: −734,000 trips against expectation over 36 hours "
        "(95 % interval −839,000 to −630,000; 65 % below expected).",
        "−734,000 trips\n95 % interval −839,000 to −630,000 · 65 % below expected · "
        "not conclusive\n"
        "Over 36 hours, 391,777 trips were counted where 1.126 million were expected. "
        "None of 1 quiet window of the same length came out as low. "
        "The interval excludes zero, but so few quiet windows cannot set these hours apart.",
        "Trips came in 65 % below expected, which does not settle the question",
        "None of 1 earlier window came out this low (p = .50)",
    ),
    "a small count": (
        {"actual": 7, "expected": 1.2, "half": 3.1, "direction": "increase",
         "unit_label": "appeals"},
        "Incident confirmed: +5.8 appeals against expectation over 36 hours "
        "(95 % interval +2.7 to +8.9; 5.8 times the expected).",
        "+5.8 appeals\n95 % interval +2.7 to +8.9 · 5.8 times the expected\n"
        "Over 36 hours, 7 appeals were counted where 1.2 were expected. "
        "None of 597 quiet windows of the same length came out as high. "
        "Counts were back to normal by 28 Jan, 04:00.",
        "Appeals rose to 5.8 times the expected number and were back to normal by 28 Jan, 04:00",
        "None of 597 earlier windows came out this high (p = .002)",
    ),
    "exactly as expected": (
        {"actual": 1_000.0, "expected": 1_000.0, "half": 50.0, "verdict": NOT_SHOWN, "p": 0.5},
        "No incident shown: 0 trips against expectation over 36 hours "
        "(95 % interval −50 to +50; as expected).",
        "No incident shown\n0 trips against expectation · 95 % interval −50 to +50\n"
        "Over 36 hours, 1,000 trips were counted where 1,000 were expected. "
        "298 of 597 quiet windows of the same length came out as low. "
        "A difference of this size is what quiet weeks show as well.",
        "Trips came in as expected, within what quiet weeks show",
        "298 of 597 earlier windows came out this low (p = .50)",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", GOLDEN)
def test_golden_sentences(shapes, name) -> None:
    changes, sentence, headline, happened, placebo = GOLDEN[name]
    result = told(shapes, **changes)
    assert say.headline_sentence(result) == sentence
    assert plain(say.headline(result, [PASS]).text) == f"{headline}\n✓ season fits"
    assert plain(say.what_happened(result).text) == happened
    assert plain(say.was_it_an_incident(result).text) == placebo


ASKED = {
    "a decrease": (
        {},
        "Decide what this calls for: make good, notify, change a rule, or nothing. "
        "The shortfall is −734,000 trips; at the cautious end of its interval, −630,000.",
    ),
    "an increase with its cost": (
        {"actual": 475, "expected": 205.2, "half": 52.2, "direction": "increase",
         "unit_label": "rule actions", "unit_cost_usd": 2.4},
        "Decide what this calls for: make good, notify, change a rule, or nothing. "
        "The excess is +270 rule actions ($648); at the cautious end of its interval, "
        "+218 ($522).",
    ),
    "no incident": (
        {"verdict": NOT_SHOWN, "actual": 1_130_000},
        "Open no incident on this series alone.",
    ),
    "not conclusive": (
        {"verdict": NOT_CONCLUSIVE, "actual": 1_070_000},
        "Do not decide on −56,000 trips alone: anything from −160,000 to +49,000 is possible. "
        "Look for a second signal first.",
    ),
    "not estimable": (
        {"verdict": NOT_ESTIMABLE, "half": None, "p": None},
        "Quote no size yet. Bring at least three usable weeks of history before the incident "
        "and run this again.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ASKED)
def test_what_is_asked_follows_from_the_verdict(shapes, name) -> None:
    changes, asked = ASKED[name]
    text = plain(say.ask(told(shapes, **changes), [PASS]).text)
    assert text.startswith(f"What we ask of you. {asked}")


def test_what_the_checks_flag_is_asked_about(shapes) -> None:
    text = say.ask(told(shapes), [PASS, WARN]).text
    assert text.endswith("Before that, judge what the checks flag: “nothing excluded”.")
    assert "flag" not in say.ask(told(shapes), [PASS]).text


def test_an_open_incident_is_contained_first_and_run_again(shapes) -> None:
    result = told(shapes)
    result = replace(result, onset=result.onset.assign(recovered_at=pd.NaT))
    assert "decide on containment first" in say.ask(result, [PASS]).text
    assert ", the last count read" in say.what_happened(result).text
    assert "Run this again" in say.what_to_do(result, [PASS]).text
    assert "had not ended by 29 Jan, 12:00, the last count read" in plain(
        say.headline(result, [PASS]).text
    )


def test_a_window_with_missing_buckets_is_not_said_to_be_whole(shapes) -> None:
    result = told(shapes)
    frame = result.counterfactual.copy()
    frame.loc[frame.index[frame["in_window"]][-6:], "actual"] = float("nan")
    partial = replace(result, counterfactual=frame)
    assert "over the 30 hours counted of 36 hours" in say.headline_sentence(partial)
    assert "Over the 30 hours counted of 36 hours" in plain(say.headline(partial, [PASS]).text)
    assert "over 36 hours" in say.headline_sentence(result)


def test_the_three_points(shapes) -> None:
    lines = plain(say.points(told(shapes), [PASS, WARN]).text).splitlines()
    assert lines == [
        "- Second method. The same hours of earlier weeks give −741,000 (−846,000 to −637,000).",
        "- Since when. The deviation starts at 26 Jan, 16:00 (15:00 to 17:00), 4 hours "
        "after the stated start; back to normal by 28 Jan, 04:00.",
        "- Weakest point. Nothing excluded: No holiday is listed.",
    ]
    costly = plain(say.points(told(shapes, unit_cost_usd=2.4), [PASS]).text)
    assert (
        "- Cost. −$1.76 million at $2.40 each (95 % interval −$2.01 to −$1.51 million)." in costly
    )
    assert "- Weakest point. None of 1 checks found one." in costly


def test_an_onset_as_stated_and_one_before(shapes) -> None:
    result = told(shapes)
    stated = result.onset["stated_at"]
    on_time = replace(result, onset=result.onset.assign(estimated_at=stated))
    assert "as stated" in say.points(on_time, [PASS]).text
    early = replace(result, onset=result.onset.assign(estimated_at=stated - pd.Timedelta(hours=1)))
    assert "1\u00a0hour before the stated start" in say.points(early, [PASS]).text


@pytest.mark.parametrize(
    ("verdicts", "sentence"),
    [
        (["pass"] * 3, "All three checks pass"),
        (["pass", "pass", "warn"], "Two of three checks pass; one needs a reader's judgement"),
        (["warn", "warn", "fail"], "None of three checks pass; one fails and two need a reader's "
         "judgement"),
        (["pass", "not_run"], "One of two checks passes; one could not be run"),
        (["pass"] * 11 + ["fail"] * 2, "11 of 13 checks pass; two fail"),
    ],
)  # fmt: skip
def test_checks_are_counted_in_words(verdicts, sentence) -> None:
    made = [replace(PASS, name=str(i), verdict=v) for i, v in enumerate(verdicts)]
    assert say.can_we_believe_it(made).text == sentence


def test_the_strip_shows_every_check_that_did_not_pass(shapes) -> None:
    made = [replace(PASS, name=f"p{i}", label=f"fine {i}") for i in range(12)]
    made += [replace(WARN, name=f"w{i}", label=f"odd {i}") for i in range(10)]
    html = str(say.headline(told(shapes), made).html)
    assert html.count('<li class="warn"') == 10
    assert html.count('<li class="pass"') == 0
    few = str(say.headline(told(shapes), made[:13]).html)
    assert few.count('<li class="pass"') == 7
    assert few.count('<li class="warn"') == 1


def test_where_it_happened(shapes) -> None:
    result = shapes.result("segments")
    moved = result.segments.assign(moved="no clear move", share_of_excess=0.1)
    assert say.where(replace(result, segments=moved)).text == (
        "No single segment clearly moved on its own"
    )
    moved.loc[0, ["moved", "share_of_excess"]] = ["up", 0.73]
    name = moved.loc[0, "segment"]
    assert plain(say.where(replace(result, segments=moved)).text) == (
        f"One of six segments clearly rose, 73 % of the excess in {name}"
    )
    moved.loc[1, "moved"] = "down"
    assert "clearly moved (one up and one down)" in say.where(replace(result, segments=moved)).text
    both = say.where(replace(result, segments=moved.assign(moved="down"))).text
    assert both.startswith("All six segments clearly fell")
    asked = say.where(shapes.result("decrease"))
    assert 'class="note"' in asked.html
    assert "segment_column" in asked.text


def test_a_share_beyond_the_whole_is_not_told_as_a_share(shapes) -> None:
    result = shapes.result("segments")
    odd = result.segments.assign(moved="up", share_of_excess=1.7)
    assert say.where(replace(result, segments=odd)).text.endswith(" most")


def test_small_segments_are_not_named(shapes) -> None:
    result = shapes.result("segments")
    small = result.segments.assign(moved="no clear move")
    small.loc[0, "moved"] = "up"
    small.loc[0, "actual"] = 3.0
    told_of = say.where(replace(result, segments=small)).text
    assert small.loc[0, "segment"] not in told_of
    assert (
        small.loc[0, "segment"] not in say.what_to_do(replace(result, segments=small), [PASS]).text
    )


def test_other_choices(shapes) -> None:
    result = shapes.result("decrease")
    same = plain(say.does_it_hang_on_a_choice(result).text)
    assert same.startswith("All five choices point the same way, from −")
    flipped = result.sensitivity.copy()
    flipped.loc[1, "excess"] = 1_000.0
    text = say.does_it_hang_on_a_choice(replace(result, sensitivity=flipped)).text
    assert text.startswith("Five choices disagree on the sign: from −")
    alone = say.does_it_hang_on_a_choice(replace(result, sensitivity=flipped[:1])).text
    assert alone == "No other choice could be fitted to set beside the headline"


NUMBER = re.compile(r"[−+]?\d[\d,]*(?:\.\d+)?(?: (?:million|billion|trillion))?")


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    actual=st.integers(0, 10**9),
    expected=st.floats(0.5, 1e9),
    half=st.floats(0.01, 1e9),
)
def test_numbers_in_the_sentence_are_the_result_s_rounded_numbers(
    shapes, actual, expected, half
) -> None:
    result = told(shapes, actual=float(actual), expected=expected, half=half)
    sentence = say.headline_sentence(result)
    point, low, high = NUMBER.findall(sentence.replace("36 hours", "").replace("95 %", ""))[:3]
    excess = result.estimates["excess"]
    # The word of the interval stands once, at its end.
    word = f" {high.split(' ')[1]}" if " " in high else ""
    width = excess.high - excess.low
    for text, value in ((point, excess.point), (low + word, excess.low), (high, excess.high)):
        largest = max(abs(excess.low), abs(excess.high))
        # From 1 on, a tenth is as fine as a count reads.
        allowed = max(0.006 * largest, 0.0501 if largest >= 1 else 1e-9)
        assert abs(parse(text) - value) <= allowed
        assert abs(parse(text) - value) <= 0.06 * width + 0.5
    assert parse(low + word) <= parse(point) + 1e-9 <= parse(high) + 2e-9


def parse(text: str) -> float:
    number, _, word = text.partition(" ")
    factor = {"": 1.0, "million": 1e6, "billion": 1e9, "trillion": 1e12}[word]
    return float(number.replace(",", "").replace("−", "-")) * factor


def test_the_headline_s_numbers_are_those_of_the_table(shapes, shape) -> None:
    from trustlib.tables import incidents as tabulate

    result = shapes.result(shape)
    excess = result.estimates["excess"]
    number, interval = show.triple(excess.point, excess.low, excess.high, sign=True)
    assert number in say.headline(result, [PASS]).text
    line = next(x for x in tabulate.estimates(result).text.splitlines() if "Excess: c" in x)
    assert number.lstrip("+") in line
    if excess.low is not None:
        assert interval in say.headline(result, [PASS]).text


def test_every_sentence_of_every_shape_is_escaped_and_whole(shapes, shape) -> None:
    result, counts = shapes.result(shape), shapes.counts(shape)
    checks = (*result.checks, *counts.checks)
    views = [
        say.answer(result, checks), say.what_happened(result), say.how_it_added_up(result),
        say.was_it_an_incident(result), say.where(result), say.can_we_believe_it(checks),
        say.what_it_rests_on(result), say.what_to_do(result, checks),
        say.does_it_hang_on_a_choice(result), say.what_was_read(counts),
    ]  # fmt: skip
    for shown in views:
        assert not re.search(r"<(script|b|i|img)\b", str(shown.html))
        assert not re.search(r"\b(nan|None|NaT|inf)\b", shown.text.replace("None of", ""))
    for about in (
        say.about_counterfactual, say.about_cumulative_excess, say.about_placebo_windows,
        say.about_segments, say.about_sensitivity,
    ):  # fmt: skip
        words = about(result)
        assert set(words) == {"alt", "caption"}
        assert not re.search(r"\b(nan|None|NaT|inf)\b", words["alt"] + words["caption"])


def test_every_section_starts_with_its_finding(shapes, shape) -> None:
    result = shapes.result(shape)
    for shown in (
        say.what_happened(result), say.how_it_added_up(result), say.was_it_an_incident(result),
        say.where(result), say.can_we_believe_it(result.checks), say.what_it_rests_on(result),
        say.what_to_do(result, result.checks), say.does_it_hang_on_a_choice(result),
    ):  # fmt: skip
        assert str(shown.html).startswith('<p class="finding">')
        assert not shown.text.splitlines()[0].endswith(".")


def test_hostile_words_stay_words(shapes) -> None:
    bad = "<img src=x onerror=alert(1)>"
    result = told(shapes, unit_label=bad)
    check = replace(WARN, label=bad, text=bad)
    for shown in (
        say.answer(result, [check]), say.what_to_do(result, [replace(check, verdict="fail")]),
        say.can_we_believe_it([check]), house.note(bad), house.folded(bad, house.note(bad)),
    ):  # fmt: skip
        assert "<img" not in shown.html
    assert "&lt;img" in say.answer(result, [check]).html


def test_the_headline_for_programs_has_ordinary_spaces(shapes, shape) -> None:
    assert NBSP not in say.headline_sentence(shapes.result(shape))


@pytest.mark.parametrize(
    ("items", "text"),
    [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (list("abc"), "a, b and c")],
)
def test_listed(items, text) -> None:
    assert house.listed(items) == text


def test_daily_buckets_are_told_in_days(shapes) -> None:
    result = shapes.result("daily")
    text = plain(say.answer(result, [PASS]).text)
    assert "Over 4 days, " in text
    assert (
        "at 27 Jan (25 Jan to 28 Jan), 1 day after the stated start; back to normal by 30 Jan."
        in (text)
    )
    assert "00:00" not in text


def test_too_little_history_says_nothing_about_placebos(shapes) -> None:
    result = told(shapes, verdict=NOT_ESTIMABLE, half=None, p=None, windows=48)
    assert say.was_it_an_incident(result).text == (
        "Too few earlier weeks to tell an incident from a bad week"
    )
    words = say.about_placebo_windows(result)
    assert "extreme" not in words["alt"]
    assert "Placebo p: not estimable" in words["caption"]


def test_no_incident_is_not_its_own_weakest_point(shapes) -> None:
    alike = replace(WARN, name="placebo_windows", label="quiet weeks look alike")
    result = told(shapes, verdict=NOT_SHOWN, actual=1_130_000, p=0.4)
    assert "Weakest point. Nothing excluded" in say.points(result, [alike, WARN]).text
    assert "Quiet weeks look alike" in say.points(told(shapes), [alike, WARN]).text


def test_back_in_season_is_said_only_where_the_counts_bear_it_out(shapes) -> None:
    """An estimated end inside a deviation that goes on is a step, not a return."""
    result = told(shapes)
    half_way = pd.Timestamp(result.spec.incident.start) + pd.Timedelta(hours=10)
    cut = result.counterfactual[
        result.counterfactual["bucket_start_at"] < pd.Timestamp(result.spec.incident.end)
    ]
    early = replace(result, counterfactual=cut, onset=result.onset.assign(recovered_at=half_way))
    assert "back to normal" not in say.answer(early, [PASS]).text
    assert ", the last count read" in say.what_happened(early).text
    assert "back to normal by" in say.what_happened(result).text


def test_a_clear_move_the_other_way_is_not_closed(shapes) -> None:
    result = told(shapes, verdict=NOT_SHOWN, direction="increase", p=1.0)
    asked = plain(say.ask(result, [PASS]).text)
    assert "Do not close this: the counts show a decrease, −734,000 trips" in asked
    assert "Open no incident" not in asked
    steps = say.what_to_do(result, [PASS]).text
    assert "Set direction to either" in steps
    assert "Nothing to repair" not in steps


def test_too_few_quiet_windows_are_not_said_to_look_alike(shapes) -> None:
    result = told(shapes, verdict=NOT_CONCLUSIVE, p=1 / 13, windows=12)
    assert "so few quiet windows cannot set these hours apart" in say.headline(result, [PASS]).text


def test_failed_checks_are_flagged_before_warnings(shapes) -> None:
    fail = Check(name="f", verdict="fail", label="data end inside the window", text="They do.")
    text = say.ask(told(shapes), [WARN, WARN, WARN, fail]).text
    assert "flag: “data end inside the window”" in text


def test_a_long_window_asks_for_enough_weeks(shapes) -> None:
    result = told(shapes, verdict=NOT_ESTIMABLE, half=None, p=None)
    start = result.spec.incident.start
    long = replace(result.spec, incident=Window(start, start + timedelta(days=10)))
    assert "at least six usable weeks" in say.ask(replace(result, spec=long), [PASS]).text


def test_a_long_history_with_holes_is_not_told_to_be_short(shapes) -> None:
    result = told(shapes, verdict=NOT_ESTIMABLE, half=None, p=None)
    hours = pd.date_range("2014-10-01", periods=168 * 8, freq="h", tz="UTC")
    long = pd.DataFrame(
        {"bucket_start_at": hours, "actual": 1.0, "in_window": False, "fitted": True}
    )
    text = say.ask(replace(result, counterfactual=long), [PASS]).text
    assert "exclude less, or bring more" in text
    assert "three usable weeks" not in text
