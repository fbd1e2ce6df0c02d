"""The phrases that sentences about one treated market share; every number through the formatter."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable

import pandas as pd

from trustlib.core import Check, Estimate
from trustlib.core import format as show
from trustlib.core.calendar import period as named
from trustlib.core.text import short
from trustlib.interventions.synth.result import SynthResult
from trustlib.interventions.synth.words import LED_NAMES
from trustlib.narrative import house
from trustlib.narrative.interventions.words import (
    amount,
    bare,
    check,
    excludes_zero,
    first,
    has_interval,
    less,
    moved,
    percent,
    percents,
    reason,
)

__all__ = [
    "ALONE",
    "NOT_CONCLUSIVE",
    "NOT_ESTIMABLE",
    "NOT_SHOWN",
    "SHOWN",
    "alone",
    "amount",
    "as_large_before",
    "att",
    "away",
    "bare",
    "by",
    "check",
    "comes",
    "counted",
    "excludes_zero",
    "first",
    "has",
    "has_interval",
    "how",
    "interval_of",
    "is_log",
    "known",
    "least_p",
    "less",
    "level",
    "method",
    "moved",
    "moved_donor",
    "numbers",
    "outcome",
    "over",
    "p_text",
    "per",
    "percent",
    "period",
    "placebos",
    "reason",
    "relative",
    "size",
    "thing",
    "unit",
    "whom",
    "why_none",
]

SHOWN = "effect shown"
NOT_SHOWN = "no effect shown"
NOT_CONCLUSIVE = "not conclusive"
NOT_ESTIMABLE = "not estimable"
ALONE = "a change, cause not shown"

_BY = {  # said in a word or two
    "placebo": "from placebos",
    "jackknife": "by jackknife",
    "bootstrap": "by bootstrap",
    "regression": "from the regression",
}
_WITH = {
    "synthetic_did": "a weighted mix of untreated units (donors) that moved like it before the "
    "start, at whatever level",
    "synthetic_control": "a weighted mix of untreated units (donors) that was like it in every "
    "period before the start",
    "synthetic_control_predictors": "a weighted mix of untreated units (donors) that was like it "
    "in what predicts the outcome",
    "augmented": "a weighted mix of untreated units (donors) that was like it before the start, "
    "less the difference that remained",
    "did": "the mean of all untreated units (donors), each counting alike",
    "interrupted_time_series": "its own line before the start, drawn on",
}
_COMES = {
    "placebo": "from placebos, donors put in its place",
    "jackknife": "from a jackknife, each unit left out in turn",
    "bootstrap": "from a bootstrap, units drawn again and again",
    "regression": "from the regression's errors",
}
# Why a unit is not in the pool, behind a number.
_LEFT_OUT = {
    "affected": "reached by it otherwise",
    "missing cells": "with missing cells",
    "no outcome": "without an outcome",
    "not in donor_units": "not among donor_units",
    "treated": "treated too",
}


def alone(result: SynthResult) -> bool:
    """The market is compared with its own past only."""
    return result.design.preset == "interrupted_time_series"


def outcome(result: SynthResult) -> str:
    """The outcome's name for a reader, as given."""
    return short(result.spec.outcome_name or result.spec.outcome, 60)


def thing(result: SynthResult) -> str:
    """What moved: the outcome; of a logarithm, what it is the logarithm of."""
    name = outcome(result)
    if not is_log(result):
        return name
    bare_name = re.sub(r"^(?:log|ln)[_ ](?:of )?|_(?:log|ln)$", "", name, flags=re.IGNORECASE)
    return bare_name if bare_name and bare_name != name else f"the level behind {name}"


def is_log(result: SynthResult) -> bool:
    return result.design.outcome_scale == "log"


def unit(result: SynthResult) -> str:
    """What the total counts, as given."""
    return short(result.spec.unit_label, 60)


def level(result: SynthResult) -> str:
    return show.level(result.spec.level)


def whom(result: SynthResult) -> str:
    """``California``; ``the treated unit``; ``the four treated units``."""
    treated = result.design.treated
    if treated != 1:
        return f"the {house.number_word(treated)} treated units"
    names = result.pool.loc[result.pool["role"] == "treated", "unit"]
    if result.design.names_shown and len(names) == 1:
        return short(names.iloc[0], 40)
    return "the treated unit"


def per(result: SynthResult) -> str:
    """``per period``, or ``per unit and period`` where several are treated."""
    return "per period" if result.design.treated == 1 else "per unit and period"


def over(result: SynthResult) -> str:
    """``12 periods from 1989 on``; ``up to 12 periods, with starts from 1989 to 1995``."""
    starts = result.design.starts
    periods = show.plural(result.design.post, "period")
    if len(starts) == 1:
        return f"{periods} from {named(starts[0])} on"
    return f"up to {periods}, with starts from {named(starts[0])} to {named(starts[-1])}"


def method(result: SynthResult) -> str:
    """What the headline's method is called."""
    return "interrupted time series" if alone(result) else LED_NAMES[result.design.preset]


def how(result: SynthResult) -> str:
    """What the headline's method compares with, a clause behind ``California is compared with``."""
    return _WITH[result.design.preset]


def by(result: SynthResult) -> str:
    """Where intervals come from, in two words: ``from placebos``."""
    return _BY[result.design.inference]


def comes(result: SynthResult) -> str:
    """Where intervals come from, in a clause: ``from placebos, donors put in its place``."""
    return _COMES[result.design.inference].replace("its", has(result, "its", "their"))


def interval_of(result: SynthResult) -> str:
    """``95 % interval from placebos``."""
    return f"{level(result)} interval {by(result)}"


def att(result: SynthResult) -> Estimate:
    """The effect of the headline: per treated unit and period."""
    return result.estimates["att"]


def known(result: SynthResult) -> bool:
    """There is a number with an interval."""
    return result.verdict != NOT_ESTIMABLE and has_interval(att(result))


def why_none(result: SynthResult) -> str:
    """Why the headline has no interval, or no number."""
    return reason(att(result).note or "too little in the panel to estimate it")


def numbers(
    result: SynthResult,
    point: float | None,
    low: float | None = None,
    high: float | None = None,
    *,
    sign: bool = True,
) -> tuple[str, str]:
    """An effect in the outcome's unit and its interval; of a logarithm, as per cent change."""
    values = [_finite(x) for x in (point, low, high)]
    if is_log(result):
        return percents([None if x is None else math.expm1(x) for x in values])
    return show.triple(values[0], values[1], values[2], sign=sign)


def size(result: SynthResult) -> tuple[str, str]:
    """The headline effect and its interval: ``("−20.0", "−34.2 to −5.8")``."""
    estimate = att(result)
    return numbers(result, estimate.point, estimate.low, estimate.high)


def away(result: SynthResult) -> str:
    """``20.0 below where it would have been``, or ``… below its own earlier line``."""
    point = att(result).point or 0.0
    where = "its own earlier line" if alone(result) else "where it would have been"
    if not point:
        return f"on {where}" if alone(result) else where
    side = "below" if point < 0 else "above"
    return f"{bare(size(result)[0])} {side} {where}"


def relative(result: SynthResult) -> str | None:
    """``23 % below what it would have been``; None where that share is not estimable."""
    estimate = result.estimates.get("relative_effect")
    if estimate is None or estimate.point is None or is_log(result):
        return None
    if abs(estimate.point) < 0.0005:
        return "on its own earlier line" if alone(result) else "as it would have been"
    side = "below" if estimate.point < 0 else "above"
    what = "its own earlier line" if alone(result) else "what it would have been"
    return f"{percent(abs(estimate.point))} {side} {what}"


def placebos(result: SynthResult) -> pd.DataFrame:
    """Those of the placebos that were not the treated."""
    return result.placebos[~result.placebos["treated"].astype(bool)]


def moved_donor(result: SynthResult) -> Check | None:
    """The check of donors that moved when treatment started, where one did."""
    made = check(result.checks, "donors_affected")
    return made if made is not None and made.verdict in ("warn", "fail") else None


def as_large_before(result: SynthResult) -> bool:
    """A start pretended earlier gives a number as large as the real one's."""
    own = att(result).point
    return own is not None and bool((result.in_time["point"].abs() >= abs(own)).any())


def least_p(result: SynthResult) -> float | None:
    """The smallest p-value that so many placebos can give; None without placebos."""
    n = len(placebos(result))
    return 1 / (n + 1) if n else None


def p_text(value: float) -> str:
    """``p = .03``, ``p < .001``."""
    text = show.probability(value)
    return f"p {text}" if text.startswith("<") else f"p = {text}"


def has(result: SynthResult, one: str, several: str) -> str:
    """`one` behind a single treated unit, `several` behind more."""
    return one if result.design.treated == 1 else several


def period(result: SynthResult) -> str:
    """The panel's span, for the page's head."""
    start, end = result.design.period_names
    return f"{named(start)} {show.EN_DASH} {named(end)}"


def counted(reasons: Iterable[str]) -> str:
    """``2 treated too and 1 with missing cells`` from the reasons of those left out."""
    seen = Counter(_LEFT_OUT.get(why, why) for why in reasons)
    if len(seen) == 1:
        ((why, n),) = seen.items()
        return f"all {why}" if n > 1 else why
    ranked = sorted(seen.items(), key=lambda item: (-item[1], item[0]))
    return house.listed([f"{n:,} {why}" for why, n in ranked])


def _finite(value: float | None) -> float | None:
    return None if value is None or pd.isna(value) else float(value)
