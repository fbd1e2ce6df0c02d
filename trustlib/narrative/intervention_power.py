"""Sentences about power before launch, all made from a `PowerResult`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

from trustlib.core import VERDICTS, Check, View, stack
from trustlib.core import format as show
from trustlib.core.text import clean, short
from trustlib.interventions.power import PowerResult
from trustlib.narrative import house, run
from trustlib.narrative.run import can_we_believe_it, what_was_read

__all__ = [
    "about_alternatives",
    "about_placebo_rollouts",
    "about_power_curve",
    "answer",
    "can_we_believe_it",
    "headline_sentence",
    "how_likely",
    "what_else",
    "what_to_do",
    "what_was_read",
    "when_nothing_happens",
]

_DETECTABLE, _NOT = "detectable", "not detectable"


class About(TypedDict):
    """The words of one figure."""

    alt: str
    caption: str


def answer(result: PowerResult, checks: Sequence[Check]) -> View:
    """Everything above the first figure."""
    figure, line = _figure(result)
    return stack(
        [
            run.headline(figure, line, " ".join(_sentences(result)), checks),
            house.bullets(_points(result, checks)),
            run.ask(_request(result, checks)),
        ]
    )


def headline_sentence(result: PowerResult) -> str:
    """One sentence with the number and its interval, for results.json and the gallery."""
    size = _size(result)
    head = _head(result)
    if size is None:
        sentence = (
            f"{head}: {_plan(result)} would find no effect on {_outcome(result)}, however large, "
            f"in {_target(result)} of cases."
        )
    else:
        sentence = (
            f"{head}: in {_target(result)} of cases {_plan(result)} would find an effect of {size} "
            f"{_outcome(result)}{_of(result)} ({_known(result)})."
        )
    return clean(sentence).replace(show.NBSP, " ")


def _head(result: PowerResult) -> str:
    """What the verdict says of the sizes that were asked for."""
    asked = [abs(effect) for effect in result.spec.effects or ()]
    if result.verdict == _DETECTABLE:
        return "Detectable, every size that was asked for"
    if result.verdict == _NOT and asked:
        relative = result.spec.effect_scale == "relative"
        least = _percent(min(asked)) if relative else _asked(min(asked))
        return f"An effect of {least}, the smallest asked for, would be missed too often"
    return "Not detectable" if result.verdict == _NOT else "Simulated"


def how_likely(result: PowerResult) -> View:
    """Power of the sizes that were asked for."""
    asked = result.power_curve[result.power_curve["asked"].astype(bool)]
    if asked.empty:
        size = _size(result)
        if size is None:
            return house.finding(f"No effect reaches {_target(result)}")
        return house.finding(f"Effects from {size} on are found in {_target(result)} of cases")
    said = [
        f"{_asked(row['effect'])} in {_percent(float(row['power']))}"
        for _, row in asked.head(3).iterrows()
    ]
    return house.finding(f"Chance to find an effect: {house.listed(said)} of cases")


def what_else(result: PowerResult) -> View:
    """Which change of the plan helps most."""
    rows = result.alternatives.dropna(subset=["ratio"])
    if rows.empty:
        return house.finding("No other plan fits the history")
    best = rows.iloc[int(rows["ratio"].to_numpy().argmin())]
    ratio = float(best["ratio"])
    if ratio > 0.97:
        return house.finding("None of the other plans would see clearly smaller effects")
    less = _percent(1 - ratio)
    return house.finding(f"{house.upper_first(str(best['change']))}, it would see {less} less")


def when_nothing_happens(result: PowerResult) -> View:
    """False alarms on the quiet history."""
    rate = result.estimates["false_alarm_rate"]
    allowed = _percent(1 - result.spec.level)
    if rate.point is None:
        return house.finding("How often it would cry wolf could not be simulated")
    return house.finding(
        f"Where nothing happened, {_percent(rate.point)} of placebo roll-outs show an effect; "
        f"{allowed} are allowed"
    )


def what_to_do(result: PowerResult, checks: Sequence[Check]) -> View:
    """Next steps that follow from the verdict."""
    lead = {
        _DETECTABLE: "Launch as planned, and leave the comparison group alone",
        _NOT: "Change the plan before launch, or do not promise an answer",
    }.get(result.verdict, "Decide which effect would matter, then judge the plan by it")
    steps = []
    rows = result.alternatives.dropna(subset=["ratio"])
    better = rows[rows["ratio"] < 0.97].sort_values("ratio", kind="stable")
    for _, row in better.head(2).iterrows():
        size = show.alike([float(row["smallest_detectable_effect"])])[0]
        steps.append(f"{house.upper_first(str(row['change']))}: finds effects from {size} on.")
    if not result.spec.effects:
        steps.append("Set effects to the sizes that would matter, and run this again.")
    steps += [f"Settle the failed check: {clean(c.label)}." for c in checks if c.verdict == "fail"]
    steps.append("Write down the plan, the outcome and this size before the launch.")
    return stack([house.finding(lead), house.bullets(steps)])


def about_power_curve(result: PowerResult) -> About:
    """The power curve."""
    if result.power_curve.empty:
        return _about("No power curve: nothing could be simulated.", "")
    size = _size(result)
    reach = (
        f"{_target(result)} is not reached"
        if size is None
        else f"{_target(result)} is reached at {size}"
    )
    return _about(
        f"Line chart of the chance to find an effect on {_outcome(result)} by its size: {reach}.",
        f"Chance that this plan finds a true effect on {_outcome(result)}, by its size; band: "
        f"{show.level(result.spec.level)} interval of the simulation. Rings: the sizes asked for.",
    )


def about_alternatives(result: PowerResult) -> About:
    """Other plans."""
    rows = result.alternatives.dropna(subset=["smallest_detectable_effect"])
    if rows.empty or _size(result) is None:
        return _about("No other plan to compare: none fits the history.", "")
    return _about(
        f"The smallest detectable effect of {len(rows)} other plans beside this one's, "
        f"{_size(result)}; the numbers are in the table.",
        f"Smallest effect found in {_target(result)} of cases: this plan (filled; bar: the "
        "simulation's interval) and others, simulated more briefly.",
    )


def about_placebo_rollouts(result: PowerResult) -> About:
    """What the plan would have shown where nothing happened."""
    n = len(result.draws)
    if n == 0:
        return _about("No placebo roll-outs: nothing could be simulated.", "")
    return _about(
        f"Histogram of the estimates of {n:,} placebo roll-outs, spread around zero.",
        f"What the plan would have estimated in {n:,} placebo roll-outs on the history, where "
        "nothing happened. Dashed: the smallest detectable effect, either way.",
    )


def _about(alt: str, caption: str) -> About:
    return About(alt=clean(alt), caption=house.upper_first(clean(caption or alt)))


def _figure(result: PowerResult) -> tuple[str, str]:
    size = _size(result)
    if size is None:
        return "Nothing is detectable", f"no effect reaches {_target(result)} with this plan"
    verdict = [] if result.verdict == "simulated" else [result.verdict]
    return f"{size} {_outcome(result)}", " · ".join(
        ["smallest detectable effect", _known(result), *verdict]
    )


def _sentences(result: PowerResult) -> list[str]:
    size = _size(result)
    plan = _plan(result)
    if size is None:
        never = f"no effect on {_outcome(result)} in {_target(result)} of cases"
        return [f"{house.upper_first(plan)} would find {never}."]
    found = [
        f"In {_target(result)} of cases {plan} would find an effect of {size}, up or down"
        f"{_of(result)}; a smaller one would more often be missed."
    ]
    asked = result.power_curve[result.power_curve["asked"].astype(bool)]
    if len(asked):
        row = asked.iloc[0]
        least = _asked(row["effect"])
        found.append(
            f"The smallest effect asked about, {least}, would be found in "
            f"{_percent(float(row['power']))} of cases."
        )
    return found


def _points(result: PowerResult, checks: Sequence[Check]) -> list[tuple[str, str]]:
    how = "re-assigning start dates" if result.by_assignment else "clustered errors"
    found = [
        (
            "How it was found",
            f"{show.plural(len(result.draws), 'placebo roll-out')} on the panel's own history "
            f"({show.plural(result.units, 'unit')}, {show.plural(result.periods, 'period')}), "
            f"tested by {how}.",
        )
    ]
    rate = result.estimates["false_alarm_rate"]
    if rate.point is not None:
        found.append(
            (
                "When nothing happens",
                f"{_percent(rate.point)} of them show an effect; "
                f"{_percent(1 - result.spec.level)} are allowed.",
            )
        )
    ranked = [check for verdict in VERDICTS for check in checks if check.verdict == verdict]
    if ranked and ranked[0].verdict != "pass":
        lead = {"fail": "Failed check", "warn": "Weakest point"}.get(
            ranked[0].verdict, "Not tested"
        )
        text = clean(ranked[0].text).removeprefix("Not run: ")
        found.append((lead, f"{house.upper_first(clean(ranked[0].label))}: {text}"))
    return found


def _request(result: PowerResult, checks: Sequence[Check]) -> str:
    size = _size(result)
    if size is None:
        sentence = "Do not launch with this plan if an answer is wanted: change it first."
    elif result.verdict == _DETECTABLE:
        sentence = (
            "Decide whether to launch: the effects asked about would be found. Agree before the "
            f"launch that effects below {size} will not be claimed."
        )
    elif result.verdict == _NOT:
        sentence = (
            f"Decide whether an answer is needed: only effects from {size} on would be found, and "
            "the smallest one asked about is below that. Treat more units, wait longer, or accept "
            "that the launch will not be evaluated."
        )
    else:
        sentence = (
            f"Decide whether an effect below {size} would matter to you: it would probably be "
            "missed."
        )
    failed = [f"“{clean(check.label)}”" for check in checks if check.verdict == "fail"]
    if failed:
        sentence += f" Before that, settle what fails: {house.listed(failed)}."
    return sentence


def _plan(result: PowerResult) -> str:
    """``the plan of 24 units in 3 waves, watched for 8 periods``."""
    units, waves = sum(result.spec.planned_units), len(result.spec.planned_units)
    in_waves = f" in {show.plural(waves, 'wave')}" if waves > 1 else ""
    watched = show.plural(result.spec.periods_after, "period")
    return f"the plan of {show.plural(units, 'unit')}{in_waves}, watched for {watched}"


def _outcome(result: PowerResult) -> str:
    return short(result.spec.outcome_name, 60)


def _size(result: PowerResult) -> str | None:
    estimate = result.estimates["smallest_detectable_effect"]
    if estimate.point is None:
        return None
    return show.triple(estimate.point, estimate.low, estimate.high)[0]


def _known(result: PowerResult) -> str:
    estimate = result.estimates["smallest_detectable_effect"]
    if estimate.low is None:
        return f"no interval: {clean(estimate.note or 'the simulation is too short').rstrip('.')}"
    interval = show.triple(estimate.point, estimate.low, estimate.high)[1]
    return f"{show.level(result.spec.level)} interval of the simulation {interval}"


def _of(result: PowerResult) -> str:
    """``, 6.1 % of its level``."""
    share = result.estimates.get("smallest_detectable_relative_effect")
    if share is None or share.point is None:
        return ""
    return f", {_percent(share.point)} of its level"


def _target(result: PowerResult) -> str:
    return _percent(result.spec.target_power)


def _asked(effect: float) -> str:
    """A size as it was asked for: no digits that nobody wrote."""
    return f"{float(effect):,.4g}"


def _percent(share: float) -> str:
    return show.percent(round(share, 4), digits=2 if abs(share) < 0.995 else 3)
