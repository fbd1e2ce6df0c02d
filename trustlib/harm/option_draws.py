"""Draws of what options would do, and what it would be worth to know a number better."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import ndtri

from trustlib.core import Estimate

if TYPE_CHECKING:
    from trustlib.harm.options import Option

FloatArray = npt.NDArray[np.float64]
Drawn = tuple[FloatArray, FloatArray]  # harm, false positives

GRID = 25  # answers that a measurement could give, equally likely
FEWER = 5  # draws for each answer: so many times fewer


def spread(estimate: Estimate, normal: FloatArray) -> FloatArray:
    """Values of `estimate` at the normal deviates `normal`, never below 0.

    A normal split at the point, on the logarithm where the interval is above 0: its quantiles at
    the interval's level are the interval's ends.
    """
    if estimate.point is None or estimate.low is None or estimate.high is None:
        raise ValueError("spread: an estimate without an interval has no distribution")
    z = float(ndtri(0.5 + estimate.level / 2))
    point, low, high = estimate.point, estimate.low, estimate.high
    if low > 0:
        step = np.where(normal > 0, math.log(high / point), math.log(point / low)) / z
        return np.asarray(point * np.exp(step * normal))
    step = np.where(normal > 0, high - point, point - low) / z
    return np.asarray(np.maximum(0.0, point + step * normal))


def drawn_values(option: Option, random: np.random.Generator, draws: int) -> Drawn:
    """Harm and false positives (draws,) of one option."""
    assert option.harm is not None
    assert option.false_positives is not None
    # In pairs of opposite sign: the draws' middle is the point.
    one, other = (np.concatenate([z, -z]) for z in random.standard_normal((2, draws // 2)))
    tied = option.correlation * one + math.sqrt(1 - option.correlation**2) * other
    return spread(option.harm, one), spread(option.false_positives, tied)


def divided(harm: FloatArray, wrong: FloatArray) -> FloatArray:
    """Harm per false positive; infinite without one, 0 without harm."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(harm > 0, harm / wrong, 0.0)


def chance_first(values: FloatArray) -> FloatArray:
    """(m,) how often each column of (draws, m) is the largest; ties are shared."""
    best = values == values.max(axis=1, keepdims=True)
    return np.asarray((best / best.sum(axis=1, keepdims=True)).mean(axis=0))


def measurements(
    options: Sequence[Option], drawn: Mapping[str, Drawn], *, seed: int
) -> pd.DataFrame:
    """option, component, gain, flips: see `Ranking.measurements`; best first.

    The gain is E[max P(first | answer)] − max E[P(first | answer)] over the answers that knowing
    the number could give: never below 0.
    """
    rows = []
    points = {option.name: _at_points(option) for option in options}
    for option in options:
        for component in ("harm", "false_positives"):
            gain = _gain(option, component, drawn, seed)
            rows.append((option.name, component, gain, _flips(option, component, points)))
    frame = pd.DataFrame(rows, columns=["option", "component", "gain", "flips"])
    return frame.sort_values(
        ["gain", "option", "component"], ascending=[False, True, True], ignore_index=True
    )


def _gain(option: Option, component: str, drawn: Mapping[str, Drawn], seed: int) -> float:
    fewer = {name: divided(harm[::FEWER], wrong[::FEWER]) for name, (harm, wrong) in drawn.items()}
    draws = len(fewer[option.name])
    answers = []
    for deviate in ndtri((np.arange(GRID) + 0.5) / GRID):
        known = divided(*_given(option, component, float(deviate), draws, seed))
        answers.append(chance_first(np.column_stack(list((fewer | {option.name: known}).values()))))
    return float(np.max(answers, axis=1).mean() - np.mean(answers, axis=0).max())


def _given(option: Option, component: str, deviate: float, draws: int, seed: int) -> Drawn:
    """Draws of one option with one of its numbers known to be at `deviate`."""
    assert option.harm is not None
    assert option.false_positives is not None
    other = np.random.default_rng([seed, 999_983]).standard_normal(draws)
    fixed = np.full(draws, deviate)
    free = option.correlation * fixed + math.sqrt(1 - option.correlation**2) * other
    one, two = (fixed, free) if component == "harm" else (free, fixed)
    return spread(option.harm, one), spread(option.false_positives, two)


def _at_points(option: Option) -> float:
    assert option.harm is not None
    assert option.false_positives is not None
    return _scalar(option.harm.point or 0.0, option.false_positives.point or 0.0)


def _scalar(harm: float, wrong: float) -> float:
    return float(divided(np.array([harm]), np.array([wrong]))[0])


def _flips(option: Option, component: str, points: dict[str, float]) -> bool:
    """Whether an end of the number's interval changes which option is first."""
    first = max(points, key=lambda name: points[name])
    harm, wrong = option.harm, option.false_positives
    assert harm is not None
    assert wrong is not None
    for end in (0, 1):
        if component == "harm":
            value = _scalar((harm.low, harm.high)[end] or 0.0, wrong.point or 0.0)
        else:
            value = _scalar(harm.point or 0.0, (wrong.low, wrong.high)[end] or 0.0)
        changed = points | {option.name: value}
        if max(changed, key=lambda name: changed[name]) != first:
            return True
    return False
