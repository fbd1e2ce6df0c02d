"""What to do first: options by harm addressed per false positive, and what to measure next.

Each option brings the harm that it would address and the items that it would hit by mistake, both
with intervals. The order is that of the ratio of the points. How sure it is comes from draws:
each number is drawn from a distribution whose middle is its point and whose quantiles are its
interval's ends (a normal split at the point, of the logarithm where the interval is above 0), the
two numbers of one option with their correlation.

The next measurement is the one whose answer would most raise the chance of choosing the option
that is really first: the expected value of partial perfect information (Claxton 1999, J. Health
Economics 18) for a choice that is right or wrong.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from trustlib.core import Check, Estimate
from trustlib.core.format import count, percent
from trustlib.harm.option_draws import (
    Drawn,
    chance_first,
    divided,
    drawn_values,
    measurements,
)

FloatArray = npt.NDArray[np.float64]
Kind = Literal["rule", "threshold", "cluster", "label"]
Component = Literal["harm", "false_positives"]

DRAWS = 20_000
SURE = 0.95


@dataclass(frozen=True, kw_only=True)
class Option:
    """One thing that could be done.

    Attributes
    ----------
    name
        What a reader calls it.
    kind
        "rule" (add one), "threshold" (lower one), "cluster" (act on one), "label" (more labels:
        it addresses nothing by itself).
    harm
        Harm addressed that no control addresses today, in severity-weighted units, ≥ 0; None for
        "label".
    false_positives
        Items hit by mistake; None for "label".
    correlation
        Between the errors of the two, −1 to 1: below 0 where both come from one sample of what
        would be hit.
    measures
        For "label": the name of the option whose numbers the labels would sharpen.

    Raises
    ------
    ValueError
        If a number is missing or below 0, or the correlation is no correlation.
    """

    name: str
    kind: Kind
    harm: Estimate | None = None
    false_positives: Estimate | None = None
    correlation: float = 0.0
    measures: str | None = None

    def __post_init__(self) -> None:
        if self.kind == "label":
            if self.harm or self.false_positives or not self.measures:
                raise ValueError("Option: labels address nothing; say which option they measure")
            return
        if self.harm is None or self.false_positives is None or self.measures:
            raise ValueError("Option: harm and false_positives are needed")
        for one in (self.harm, self.false_positives):
            if (one.low if one.low is not None else one.point or 0) < 0:
                raise ValueError("Option: harm and false positives are 0 or more")
        if not -1 <= self.correlation <= 1:
            raise ValueError("Option: the correlation is between −1 and 1")


@dataclass(frozen=True, kw_only=True, eq=False)
class Ranking:
    """Options in order, and how sure the order is.

    Attributes
    ----------
    options
        First to last by the ratio's point; then those without one, then "label".
    ratio
        Harm addressed per false positive, of each of `options`.
    probability_first
        (m,) chance that each option is the first; NaN where it has no draws.
    measurements
        option, component ("harm" or "false_positives"), gain (rise of the chance of choosing
        rightly if it were known), flips (whether one of its interval's ends puts another option
        first), labels (name of the "label" option that would measure it, or ""); best first.
    check
        ranking: whether the first is first.
    """

    options: tuple[Option, ...]
    ratio: tuple[Estimate, ...]
    probability_first: FloatArray
    measurements: pd.DataFrame
    check: Check

    def table(self) -> pd.DataFrame:
        """name, kind, harm, false_positives and ratio with their ends, probability_first."""
        rows = []
        for option, ratio, first in zip(
            self.options, self.ratio, self.probability_first, strict=True
        ):
            row: dict[str, object] = {"name": option.name, "kind": option.kind}
            parts = {"harm": option.harm, "false_positives": option.false_positives, "ratio": ratio}
            for name, one in parts.items():
                row |= {
                    name: one.point if one else None,
                    f"{name}_low": one.low if one else None,
                    f"{name}_high": one.high if one else None,
                }
            rows.append(row | {"probability_first": first})
        frame = pd.DataFrame(rows)
        return frame.astype({name: float for name in frame.columns if name not in ("name", "kind")})


def ranked_options(
    options: Sequence[Option], *, level: float = 0.95, seed: int = 0, draws: int = DRAWS
) -> Ranking:
    """Rank `options` by harm addressed per false positive.

    Raises
    ------
    ValueError
        If names repeat, there is none, or labels measure an option that is not there.
    """
    _check_names(options)
    # Draws belong to a name's place in the alphabet, not to the order in which options came.
    ordered = sorted(options, key=lambda option: option.name)
    comparable = [option for option in ordered if _comparable(option)]
    drawn = {
        option.name: drawn_values(option, np.random.default_rng([seed, at]), draws)
        for at, option in enumerate(comparable)
    }
    ratio = {option.name: _ratio(option, drawn.get(option.name), level) for option in ordered}
    order = sorted(ordered, key=lambda option: _rank(option, ratio[option.name]))
    names = [option.name for option in order if option.name in drawn]
    chance = dict.fromkeys((option.name for option in ordered), math.nan)
    measured = [option for option in order if option.name in drawn]
    if names:
        values = np.column_stack([divided(*drawn[name]) for name in names])
        chance |= dict(zip(names, chance_first(values), strict=True))
    table = measurements(measured if len(names) > 1 else [], drawn, seed=seed)
    labels = {option.measures: option.name for option in order if option.kind == "label"}
    table["labels"] = [labels.get(name, "") for name in table["option"]]
    first = np.array([chance[option.name] for option in order])
    return Ranking(
        options=tuple(order),
        ratio=tuple(ratio[option.name] for option in order),
        probability_first=first,
        measurements=table,
        check=_check(order, first, table),
    )


def _check_names(options: Sequence[Option]) -> None:
    names = [option.name for option in options]
    if not names or len(set(names)) < len(names):
        raise ValueError("ranked_options: options need names, each of its own")
    for option in options:
        if option.measures is not None and option.measures not in names:
            raise ValueError("ranked_options: labels measure an option that is not there")


def _comparable(option: Option) -> bool:
    parts = (option.harm, option.false_positives)
    return all(one is not None and one.low is not None for one in parts)


def _rank(option: Option, ratio: Estimate) -> tuple[object, ...]:
    if option.kind == "label":
        return (3, 0.0, option.name)
    if ratio.point is not None:
        return (1, -ratio.point, option.name)
    harm, wrong = option.harm, option.false_positives
    # No false positive at all is the best ratio there is, though not a number.
    clean = harm and wrong and wrong.point == 0 and (harm.point or 0) > 0
    return (0, -(harm.point or 0), option.name) if clean and harm else (2, 0.0, option.name)


def _ratio(option: Option, drawn: Drawn | None, level: float) -> Estimate:
    harm, wrong = option.harm, option.false_positives
    method = "ratio, interval from draws"
    unit = f"{harm.unit} per false positive" if harm else "per false positive"
    n = min(harm.n, wrong.n) if harm and wrong else 0

    def without(point: float | None, why: str) -> Estimate:
        return Estimate(point=point, low=None, high=None, level=level, unit=unit, method=method,
                        n=n, note=why)  # fmt: skip

    if harm is None or wrong is None:
        return without(None, "labels address nothing by themselves")
    if harm.point is None or wrong.point is None:
        return without(None, "not estimable: a part is not estimable")
    if wrong.point == 0:
        return without(None, "not estimable: no false positive was found")
    point = harm.point / wrong.point
    if drawn is None:
        return without(point, "no interval: a part has none")
    values = divided(*drawn)
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2], method="higher")
    if wrong.low == 0 or not math.isfinite(high):
        return without(
            point, f"no upper end: there may be no false positive; at least {count(low)}"
        )
    return Estimate(point=point, low=min(float(low), point), high=max(float(high), point),
                    level=level, unit=unit, method=method, n=n)  # fmt: skip


def _check(order: Sequence[Option], first: FloatArray, table: pd.DataFrame) -> Check:
    name, ranked = "ranking", np.flatnonzero(np.isfinite(first))
    if len(ranked) < 2:
        return Check(name=name, verdict="not_run", label="nothing to rank",
                     text="Fewer than two options have both numbers with intervals.")  # fmt: skip
    best = int(ranked[0])
    text = (
        f"{order[best].name} addresses most harm per false positive; it is really the first of "
        f"{len(ranked)} options with a chance of {percent(float(first[best]))}."
    )
    if first[best] >= SURE:
        return Check(name=name, verdict="pass", label="the first is first", text=text)
    needed = table.iloc[0]
    if needed["gain"] > 0:
        what = "the harm" if needed["component"] == "harm" else "the false positives"
        text += (
            f" Measure {what} of {needed['option']} next: knowing them would raise the chance of "
            f"choosing rightly most, by {100 * float(needed['gain']):.0f} points."
        )
    return Check(name=name, verdict="warn", label="the order is not sure", text=text)
