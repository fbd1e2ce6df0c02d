"""The sentence that each section found, which becomes its heading."""

from __future__ import annotations

import pandas as pd

from trustlib.core import View, stack
from trustlib.core import format as show
from trustlib.core.calendar import period as named
from trustlib.core.text import clean
from trustlib.interventions.synth.result import SynthResult
from trustlib.narrative import house
from trustlib.narrative.intervention_synth import words
from trustlib.narrative.intervention_synth.words import ALONE, NOT_CONCLUSIVE, NOT_SHOWN


def what_happened(result: SynthResult) -> View:
    """Actual against what would have been."""
    estimate = words.att(result)
    name = f"{words.first(words.thing(result))} in {words.whom(result)}"
    if estimate.point is None:
        return house.finding(
            f"What {words.outcome(result)} in {words.whom(result)} would have been cannot be told"
        )
    came = f"came out {words.relative(result) or words.away(result)}"
    lead = {
        NOT_CONCLUSIVE: f"{name} {came}, which does not settle the question",
        NOT_SHOWN: f"{name} {came}, within what chance allows",
        ALONE: f"{name} left its own earlier line at the start; why, this cannot show",
    }.get(result.verdict)
    if lead is None and not words.known(result):
        lead = f"{name} {came}, and how sure that is cannot be told"
    if lead is None:
        size = words.bare(words.size(result)[0])
        lead = (
            f"{name} {words.moved(estimate.point)} by {size} {words.per(result)} against what "
            "would have been without the intervention"
        )
    said = [item for item in (_before(result), _last(result)) if item is not None]
    return stack([house.finding(lead), *([house.bullets(said)] if said else [])])


def _before(result: SynthResult) -> tuple[str, str] | None:
    fit = result.estimates.get("pre_period_rmspe")
    if fit is None or fit.point is None or words.alone(result):
        return None
    size = words.bare(words.numbers(result, fit.point)[0])
    return "Before the start", (
        f"Over {show.plural(result.design.pre, 'period')} the two lines were {size} apart on "
        "average (root mean square)."
    )


def _last(result: SynthResult) -> tuple[str, str] | None:
    final = result.estimates.get("gap_final")
    if final is None or final.point is None:
        return None
    number, interval = words.numbers(result, final.point, final.low, final.high)
    spread = (
        f"{words.interval_of(result)}: {interval}"
        if words.has_interval(final)
        else f"no interval: {words.reason(final.note or '')}"
    )
    return "In the last period", f"{named(result.design.period_names[1])}: {number} ({spread})."


def how_much_in_total(result: SynthResult) -> View:
    """All that changed, in the reader's units."""
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
    unit = words.unit(result)
    lead, spread = f"{number} {unit} in total, and the interval holds zero", f"{interval} {unit}"
    if total.low is None or total.high is None:
        lead = f"{number} {unit} in total, without an interval"
    elif words.excludes_zero(total):
        near, far = sorted((abs(total.low), abs(total.high)))
        number, ends = show.triple(abs(total.point), near, far)
        side = "fewer" if total.point < 0 else "more"
        lead, spread = f"{number} {side} {unit} in total", f"{ends} {side}"
    bullets = []
    if words.has_interval(total):
        bullets.append(f"{house.upper_first(words.interval_of(result))}: {spread}.")
    else:
        bullets.append(f"No interval: {words.reason(total.note or '')}.")
    value = result.estimates.get("total_value_usd")
    if value is not None and value.point is not None:
        worth, ends = words.less(value.point, value.low, value.high)
        each = show.usd(result.spec.unit_value_usd)
        aside = f" ({words.level(result)} interval {ends})" if words.has_interval(value) else ""
        bullets.append(f"At {each} for each: {worth}{aside}.")
    if (share := _share(result)) is not None:
        bullets.append(share)
    return stack([house.finding(lead), house.bullets(bullets)])


def _share(result: SynthResult) -> str | None:
    estimate = result.estimates.get("relative_effect")
    if estimate is None or words.is_log(result):
        return None
    if estimate.point is None:
        why = words.reason(estimate.note or "")
        return f"As a share of what would have been: not estimable, {why}."
    relative = words.relative(result)
    aside = (
        f" ({words.level(result)} interval {words.amount(estimate)[1]})"
        if words.has_interval(estimate)
        else f" (no interval: {words.reason(estimate.note or '')})"
    )
    return f"{words.first(words.thing(result))} came out {relative}{aside}."


def would_another_say_the_same(result: SynthResult) -> View:
    """Whether other ways to weigh donors would have led elsewhere."""
    rows = result.comparison.dropna(subset=["point"])
    plain = rows[(rows["estimator"] == "did") & ~rows["headline"].astype(bool)]
    rows = rows.drop(index=plain.index)
    said = [_all_alike(result, plain)] if len(plain) else []
    if words.alone(result):
        return _beside_its_own_line(rows[~rows["headline"].astype(bool)], result, said)
    if len(rows) < 2:
        lead = "No other way to weigh donors could be set beside the headline"
        return stack([house.finding(lead), *([house.bullets(said)] if said else [])])
    low, high = float(rows["point"].min()), float(rows["point"].max())
    spread = words.numbers(result, low, low, high)[1]
    n = house.number_word(len(rows))
    if low < 0 < high:
        lead = f"{house.upper_first(n)} methods disagree on the direction: from {spread}"
    else:
        all_of = "Both" if len(rows) == 2 else f"All {n}"
        lead = f"{all_of} methods that weigh donors point one way, from {spread}"
    return stack([house.finding(lead), *([house.bullets(said)] if said else [])])


def _beside_its_own_line(rows: pd.DataFrame, result: SynthResult, said: list[str]) -> View:
    """Where the headline uses no donors: what those say that do."""
    if rows.empty:
        return house.finding("Without donors there is no second method to ask")
    low, high = float(rows["point"].min()), float(rows["point"].max())
    number, spread = words.numbers(result, low, low, high)
    say = f"from {spread}" if len(rows) > 1 else number
    known = words.att(result).point is not None
    own = f", and not {words.size(result)[0]}" if known else ""
    return stack(
        [
            house.finding(f"Compared with other units it would be {say}{own}"),
            *([house.bullets(said)] if said else []),
        ]
    )


def _all_alike(result: SynthResult, plain: pd.DataFrame) -> str:
    row = plain.iloc[0]
    number, interval = words.numbers(result, row["point"], row["low"], row["high"])
    aside = "" if interval == "not estimable" else f" ({words.level(result)} interval {interval})"
    return (
        f"With all donors and all periods before the start counted alike it would be {number}"
        f"{aside}: shown for comparison, since donors unlike the treated count as much as the rest."
    )


def does_it_hang_on_a_choice(result: SynthResult) -> View:
    """Whether one donor, or the date, carries the answer."""
    parts = [part for part in (_without_one(result), _pretended(result)) if part is not None]
    if not parts:
        made = words.check(result.checks, "placebo_breaks")
        if words.alone(result) and made is not None and made.verdict != "not_run":
            lead = "There is no donor to leave out; earlier dates were tried instead"
            tried = (house.upper_first(clean(made.label)), clean(made.text))
            return stack([house.finding(lead), house.bullets([tried])])
        why = (
            "There is no donor to leave out, and no earlier start was pretended"
            if words.alone(result)
            else "No donor could be left out, and no earlier start pretended"
        )
        return house.finding(why)
    said = [
        (house.upper_first(clean(made.label)), clean(made.text))
        for name in ("leave_one_donor_out", "in_time_placebo", "predictor_weights")
        if (made := words.check(result.checks, name)) is not None and made.verdict != "pass"
    ]
    if (other := _other_predictor_weights(result)) is not None:
        said.append(other)
    lead = house.upper_first("; ".join(parts))
    return stack([house.finding(lead), *([house.bullets(said)] if said else [])])


def _without_one(result: SynthResult) -> str | None:
    rows = result.leave_one_out.dropna(subset=["point"])
    own = words.att(result).point
    if rows.empty or own is None:
        return None
    low, high = float(rows["point"].min()), float(rows["point"].max())
    if len(rows) == 1:
        return (
            f"without its one donor with weight the effect would be {words.numbers(result, low)[0]}"
        )
    spread = words.numbers(result, low, low, high)[1]
    turns = low < 0 < high or (own != 0 and low * own < 0)
    if turns:
        return f"one donor decides the direction: without one at a time, effects run from {spread}"
    return f"without any one donor the effect is from {spread}"


def _pretended(result: SynthResult) -> str | None:
    rows = result.in_time.dropna(subset=["point", "low", "high"])
    if rows.empty:
        return None
    apart = int(((rows["low"] > 0) | (rows["high"] < 0)).sum())
    n = house.number_word(len(rows))
    starts = "start" if len(rows) == 1 else "starts"
    if not apart:
        none = f"none of {n} earlier pretended {starts} shows an effect"
        return f"{none}, but one gives as large a number" if words.as_large_before(result) else none
    show_it = "shows" if apart == 1 else "show"
    return f"{house.number_word(apart)} of {n} earlier pretended {starts} {show_it} an effect too"


def _other_predictor_weights(result: SynthResult) -> tuple[str, str] | None:
    points = result.predictor_choices["att"].dropna()
    if len(points) < 2:
        return None
    low, high = float(points.min()), float(points.max())
    return "Other weights of the predictors", (
        f"{house.upper_first(house.number_word(len(points)))} choices give effects from "
        f"{words.numbers(result, low, low, high)[1]}."
    )


def what_it_rests_on(result: SynthResult) -> View:
    """The assumption that no data can test, said first."""
    if words.att(result).point is None:
        return house.finding("There is no number to rest on anything")
    name, place = words.thing(result), words.whom(result)
    if words.alone(result):
        return house.finding(
            f"The number stands if {name} in {place} had gone on along its own earlier line, and "
            "nothing else began at the start"
        )
    return house.finding(
        f"The answer stands if, without the intervention, {name} in {place} had gone on like "
        "its weighted donors"
    )
