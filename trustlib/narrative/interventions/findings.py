"""The sentence that each section found, which becomes its heading."""

from __future__ import annotations

import pandas as pd

from trustlib.core import View, stack
from trustlib.core import format as show
from trustlib.core.calendar import period as named
from trustlib.core.text import clean, short
from trustlib.interventions import DidResult
from trustlib.narrative import house
from trustlib.narrative.interventions import words
from trustlib.narrative.interventions.words import NOT_CONCLUSIVE, NOT_ESTIMABLE, NOT_SHOWN


def what_happened(result: DidResult) -> View:
    """Observed against what would have been without the rollout."""
    estimate = words.att(result)
    name = words.first(words.thing(result))
    if result.verdict == NOT_ESTIMABLE or estimate.point is None:
        return house.finding(f"What {words.outcome(result)} would have been cannot be told")
    against = words.relative(result)
    came = f"came out {against or words.away(result)}"
    if result.verdict == NOT_CONCLUSIVE:
        return house.finding(f"{name} {came}, which does not settle the question")
    if result.verdict == NOT_SHOWN:
        return house.finding(f"{name} {came}, within what chance allows")
    size = words.bare(words.size(result)[0])
    return house.finding(
        f"{name} {words.moved(estimate.point)} by {size} against what would have been without the "
        "rollout"
    )


def did_it_start_before(result: DidResult) -> View:
    """Whether the groups moved alike before the start, and what the test could have seen."""
    made = words.check(result.checks, "pre_trend")
    frame = result.event_study_universal
    tested = frame[(frame["event_time"] < 0) & ~frame["reference"].astype(bool)]
    outside = int(((tested["band_low"] > 0) | (tested["band_high"] < 0)).sum())
    n = len(tested.dropna(subset=["point"]))
    if made is None or made.verdict == "not_run" or n == 0:
        lead = "Whether the groups moved alike before the start could not be tested"
    elif made.verdict == "pass":
        lead = f"Before the start, {_periods_stay(n, outside)}"
    elif made.verdict == "warn":
        lead = "Before the start the groups may already have moved apart"
    else:
        lead = "Before the start the groups were already moving apart"
    power = words.check(result.checks, "pre_trend_power")
    said = [
        (house.upper_first(clean(check.label)), clean(check.text))
        for check in (made, power)
        if check is not None
    ]
    return stack([house.finding(lead), *([house.bullets(said)] if said else [])])


def _periods_stay(n: int, outside: int) -> str:
    if n == 1:
        return f"the one period tested {'leaves zero' if outside else 'holds zero'}"
    if outside == 0:
        return f"none of {house.number_word(n)} periods leaves zero"
    leave = "leaves" if outside == 1 else "leave"
    return f"{house.number_word(outside)} of {house.number_word(n)} periods {leave} zero"


def where(result: DidResult) -> View:
    """Which cohorts moved, and most."""
    rows = result.group_effects.dropna(subset=["point", "low", "high"])
    if rows.empty:
        return house.finding("No cohort has an effect of its own with an interval")
    clear = rows[(rows["low"] > 0) | (rows["high"] < 0)]
    if len(rows) == 1:
        number, interval = words.numbers(result, *rows.iloc[0][["point", "low", "high"]])
        return house.finding(f"One cohort, one effect: {number} ({interval})")
    if clear.empty:
        return house.finding(
            f"None of {house.number_word(len(rows))} cohorts clearly moved on its own"
        )
    first = clear.iloc[int(clear["point"].abs().argmax())]
    how_many = (
        f"All {house.number_word(len(rows))} cohorts"
        if len(clear) == len(rows)
        else f"{house.upper_first(house.number_word(len(clear)))} of "
        f"{house.number_word(len(rows))} cohorts"
    )
    most = f"most the one from {named(first['group'])} ({words.numbers(result, first['point'])[0]})"
    return house.finding(f"{how_many} {_ways(clear)}, {most}")


def _ways(clear: pd.DataFrame) -> str:
    up, down = int((clear["point"] > 0).sum()), int((clear["point"] < 0).sum())
    if up and down:
        return f"clearly moved ({house.number_word(up)} up and {house.number_word(down)} down)"
    return "clearly rose" if up else "clearly fell"


def how_much_in_total(result: DidResult) -> View:
    """All that the rollout changed, in the reader's units."""
    total = result.estimates.get("total_effect")
    if total is None or total.point is None:
        why = "not estimable" if total is None else words.reason(total.note or "")
        return stack(
            [
                house.finding("The effect cannot be added up to a total"),
                house.note(f"No total: {why}."),
            ]
        )
    number, interval = words.amount(total)
    lead = f"{number} {words.unit(result)} in total, and the interval holds zero"
    known = f"{interval} {words.unit(result)}"
    if not words.has_interval(total):
        lead = f"{number} {words.unit(result)} in total, without an interval"
    elif words.excludes_zero(total) and total.low is not None and total.high is not None:
        near, far = sorted((abs(total.low), abs(total.high)))
        number, ends = show.triple(abs(total.point), near, far)
        side = "fewer" if total.point < 0 else "more"
        lead, known = f"{number} {side} {words.unit(result)} in total", f"{ends} {side}"
    bullets = []
    if words.has_interval(total):
        bullets.append(f"{words.level(result)} interval: {known}.")
    value = result.estimates.get("total_value_usd")
    if value is not None and value.point is not None:
        worth, ends = words.less(value.point, value.low, value.high)
        each = show.usd(result.spec.unit_value_usd)
        aside = f" ({ends})" if words.has_interval(value) else ""
        bullets.append(f"At {each} for each: {worth}{aside}.")
    relative = words.relative(result)
    if relative is not None:
        bullets.append(f"The treated came out {relative}.")
    return stack([house.finding(lead), *([house.bullets(bullets)] if bullets else [])])


def does_it_hang_on_a_choice(result: DidResult) -> View:
    """Whether other estimators that are right for this design would have led elsewhere."""
    rows = result.comparison.dropna(subset=["point"])
    if "modern" in rows:
        rows = rows[rows["modern"].astype(bool) | rows["headline"].astype(bool)]
    elif result.design.staggered:
        rows = rows[(rows["estimator"] != "two_way") | rows["headline"].astype(bool)]
    if len(rows) < 2:
        return house.finding("No other estimator could be set beside the headline")
    low, high = float(rows["point"].min()), float(rows["point"].max())
    spread = words.numbers(result, low, low, high)[1]
    n = house.number_word(len(rows))
    if low < 0 < high:
        return house.finding(
            f"{house.upper_first(n)} estimators disagree on the direction: from {spread}"
        )
    return house.finding(f"All {n} estimators that fit this design point one way, from {spread}")


def why_two_way_differs(result: DidResult) -> View:
    """What the usual regression would have said, and what it compares."""
    share, row = words.forbidden_share(result), words.two_way(result)
    own = words.att(result)
    if not result.design.staggered:
        return house.finding(
            "With one start date the usual regression makes no forbidden comparison"
        )
    said = ""
    if row is not None:
        said = f"says {words.numbers(result, row['point'], row['low'], row['high'])[0]}"
    right = "" if own.point is None else f" where the right comparisons say {words.size(result)[0]}"
    if share is None:
        lead = f"The usual regression {said or 'has no number'}{right if said else ''}"
        return house.finding(lead)
    weight = f"{words.percent(share)} of its weight compares with units already treated"
    if not share:
        weight = "none of its weight compares with units already treated"
    if not said:
        return house.finding(f"Of the usual regression, {weight}")
    return house.finding(f"The usual regression {said}{right}: {weight}")


def how_much_would_overturn_it(result: DidResult) -> View:
    """Sensitivity to departures from parallel trends, in words."""
    survives = words.survives(result)
    estimate = result.estimates.get("breakdown_relative_magnitudes")
    if result.sensitivity.empty or estimate is None:
        return stack(
            [
                house.finding("How large a departure from parallel trends it survives is unknown"),
                house.note(sensitivity_missing(result)),
            ]
        )
    bullets = []
    lead = survives or house.upper_first(words.reason(estimate.note or ""))
    smooth = result.estimates.get("breakdown_smoothness")
    if smooth is not None and smooth.point is not None and smooth.point > 0:
        text = words.rounded_down(smooth.point)
        unit = "log points" if words.is_log(result) else words.outcome(result)
        bullets.append(
            f"If the trends' difference bends, it survives bends of up to {text} {unit} from one "
            "period to the next."
        )
    return stack([house.finding(lead), *([house.bullets(bullets)] if bullets else [])])


def sensitivity_missing(result: DidResult) -> str:
    """Why there is no sensitivity to departures from parallel trends."""
    made = words.check(result.checks, "sensitivity_to_trends")
    if made is not None and made.verdict == "not_run":
        return clean(made.text)
    for name in ("breakdown_relative_magnitudes", "breakdown_smoothness"):
        estimate = result.estimates.get(name)
        if estimate is not None and estimate.point is None:
            return f"Not run: {words.reason(estimate.note or '')}."
    return "Not run: too few periods before the start to say how trends differ."


def is_it_chance(result: DidResult) -> View:
    """Starts that never were: earlier ones, and other units'."""
    p = result.estimates.get("randomization_p_value")
    placebos = result.placebo_in_time.dropna(subset=["point", "low", "high"])
    moved = int(((placebos["low"] > 0) | (placebos["high"] < 0)).sum())
    parts = []
    if p is not None and p.point is not None:
        text = show.probability(p.point)
        how = "seldom" if p.point <= 1 - result.spec.level else "often"
        said = text if text.startswith("<") else f"= {text}"
        parts.append(f"re-assigned start dates {how} did as much (p {said})")
    if len(placebos):
        n = house.number_word(len(placebos))
        starts = "start" if len(placebos) == 1 else "starts"
        parts.append(
            f"none of {n} earlier placebo {starts} shows an effect"
            if moved == 0
            else f"{house.number_word(moved)} of {n} earlier placebo {starts} show an effect too"
        )
    if not parts:
        return house.finding("No placebo could be run on this panel")
    return house.finding(house.upper_first("; ".join(parts)))


def who_and_when(result: DidResult) -> View:
    """The rollout in one line."""
    design = result.design
    first, last = _first_and_last(result)
    units = f"{design.treated_units:,} of {design.units:,} units"
    if not design.staggered:
        return house.finding(f"{units} were treated, all from {first}")
    never = (
        f"{design.never_units:,} never were" if design.never_units else "nobody stayed untreated"
    )
    return house.finding(
        f"{units} were treated, in {house.number_word(design.cohorts)} cohorts from {first} to "
        f"{last}; {never}"
    )


def _first_and_last(result: DidResult) -> tuple[str, str]:
    starts = [str(label) for label in result.rollout["first_treated"] if str(label)]
    order = {label: i for i, label in enumerate(result.counterfactual["time"])}
    known = sorted(set(starts), key=lambda label: (order.get(label, 0), label))
    if not known:
        return "?", "?"
    return named(known[0]), named(known[-1])


def what_it_rests_on(result: DidResult) -> View:
    """The assumption that no data can test, said first."""
    if result.verdict == NOT_ESTIMABLE:
        return house.finding("There is no number to rest on anything")
    whom = (
        "untreated units"
        if result.design.control_group == "never"
        else "units that were not treated yet"
    )
    name = short(words.thing(result), 60)
    return house.finding(
        f"The answer stands if, without the rollout, {name} of the treated had moved like that of "
        f"the {whom}"
    )
