"""Could it be chance: what the donors show that had no intervention."""

from __future__ import annotations

from trustlib.core import View, stack
from trustlib.core import format as show
from trustlib.core.text import clean
from trustlib.interventions.synth.result import SynthResult
from trustlib.narrative import house
from trustlib.narrative.intervention_synth import words


def is_it_chance(result: SynthResult) -> View:
    """The rank among placebos, its p-value, and the least that so few donors allow."""
    p = result.estimates.get("placebo_p_value")
    n = len(words.placebos(result))
    if p is None or p.point is None or not n:
        return stack([house.finding(_untold(result)), house.note(_why(result))])
    sentence = ranked(result)
    assert sentence is not None
    bullets: list[str | tuple[str, str]] = [_place(result), _least(result)]
    if (periods := _period_by_period(result)) is not None:
        bullets.append(periods)
    return stack([house.finding(sentence.rstrip(".")), house.bullets(bullets)])


def ranked(result: SynthResult) -> str | None:
    """How many placebos moved as far, with p; None where there are none."""
    p = result.estimates.get("placebo_p_value")
    n = len(words.placebos(result))
    if p is None or p.point is None or not n:
        return None
    untreated = house.number_word(n) + words.has(
        result, " untreated units", " groups of untreated units"
    )
    place = f"Tried in {words.has(result, 'its', 'their')} place"
    # The treated one counts among those that moved as far as it did.
    as_far = round(p.point * (n + 1)) - 1
    if as_far == 0:
        many = "many" if p.point <= 1 - result.spec.level + 1e-12 else "few"
        return (
            f"{place}, none of {untreated} strayed as far, set against each one's match before "
            f"({words.p_text(p.point)}, the least that so {many} can show)."
        )
    return (
        f"{place}, {house.number_word(as_far)} of {untreated} strayed as far or further, set "
        f"against each one's match before ({words.p_text(p.point)})."
    )


def _untold(result: SynthResult) -> str:
    if words.alone(result):
        return "No donor shows what chance alone would do"
    return "Too few donors to say what chance alone would do"


def _why(result: SynthResult) -> str:
    if words.alone(result):
        made = words.check(result.checks, "placebo_breaks")
        if made is not None:
            return f"{house.upper_first(clean(made.label))}: {clean(made.text)}"
        return "With no other unit, only the market's own past could be looked at."
    p = result.estimates.get("placebo_p_value")
    note = "there are no placebos" if p is None else words.reason(p.note or "")
    return f"No placebos: {note}."


def _place(result: SynthResult) -> tuple[str, str]:
    n = len(words.placebos(result))
    own = result.placebos[result.placebos["treated"].astype(bool)]
    rank = f"number {int(own['rank'].iloc[0]):,} of {n + 1:,}" if len(own) else "among them"
    each = (
        f"A placebo: each of {house.number_word(n)} donors, where nothing was done, is treated as "
        "if it had been the one"
        if result.design.treated == 1
        else f"A placebo: donors, where nothing was done, are put in the place of the treated, "
        f"{n:,} times"
    )
    return "How it is read", (
        f"{each}. By the gap after the start over the gap before it, {words.whom(result)} "
        f"{words.has(result, 'is', 'are')} {rank}. The p-value assumes that without the "
        "intervention any of them could have ranked there."
    )


def _least(result: SynthResult) -> tuple[str, str]:
    least = words.least_p(result)
    assert least is not None
    n = show.plural(len(words.placebos(result)), "placebo")
    chance = 1 - result.spec.level
    text = f"With {n} p cannot be below {show.probability(least)}, however large the effect"
    if least > chance + 1e-12:
        text += (
            f": these ranks alone can never show an effect at {words.level(result)}, and finding "
            "none is no proof that there was none"
        )
    return "What so many can show", f"{text}."


def _period_by_period(result: SynthResult) -> tuple[str, str] | None:
    frame = result.gap
    rows = frame[(frame["group"] == "all") & frame["after"].astype(bool)]
    rows = rows.dropna(subset=["conformal_low", "conformal_high"])
    if rows.empty:
        return None
    clear = int(((rows["conformal_low"] > 0) | (rows["conformal_high"] < 0)).sum())
    which = "none" if not clear else "all" if clear == len(rows) else house.number_word(clear)
    return "Period by period", (
        f"Of {show.plural(len(rows), 'period')} from the start on, {which} "
        f"{'has' if clear == 1 else 'have'} a {words.level(result)} conformal interval without "
        "zero. It sets the gap of one period against those before the start only, and not against "
        "what donors did later; it assumes that these could have come in any order."
    )
