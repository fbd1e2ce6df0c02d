"""A break between the treated and the donors before treatment had started.

The treated unit's distance to the donors' mean is a straight line before the start, under the
null, with autocorrelated noise. The statistic is the largest F over all dates of a change in
level and slope (Andrews 1993). Its distribution comes from simulated lines with first-order
autocorrelation as the donors' own distances have it, so that it holds in short series; and where
there are donors enough, from the same statistic of every donor. The larger p-value counts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.signal import lfilter

from trustlib.core import Check
from trustlib.core.calendar import period
from trustlib.core.format import count, p_value
from trustlib.interventions.panel import FloatArray
from trustlib.interventions.synth.case import Case
from trustlib.interventions.synth.fit import Fit

LEAST_PERIODS = 10
TRIMMED = 0.2  # of the periods, at each end, where no break is looked for
MOST_CORRELATED = 0.95
LARGE = 0.5  # of the effect
DONORS_ENOUGH = 19  # below, their ranks reach no p-value of .05


@dataclass(frozen=True, kw_only=True)
class Break:
    """The likeliest break before treatment.

    Attributes
    ----------
    at
        Its first period's position; None where it was not looked for.
    statistic, p_value
        Largest F; the share of simulated lines, or of donors if that is more, with one as large.
        NaN where not looked for.
    step
        Of the gap to the synthetic at that date: the mean after it, less the mean before, within
        the periods before the start.
    """

    at: int | None
    statistic: float
    p_value: float
    step: float


def structural_break(case: Case, found: Fit, *, draws: int = 999, seed: int = 0) -> Break:
    """Look for a break in the periods before the start of `case`, fitted by `found`."""
    n = case.n_pre
    if n < LEAST_PERIODS:
        return Break(at=None, statistic=np.nan, p_value=np.nan, step=np.nan)
    donors = case.donors[:, :n]
    distance = case.target[:n] - donors.mean(axis=0)
    places, bases = _bases(n)
    scores = _largest(distance[None], bases)
    best = int(np.argmax(_scores(distance[None], bases)[0]))
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal((draws, 2 * n))
    rho = _correlation(distance, donors)
    lines = lfilter([1.0], [1.0, -rho], noise, axis=1)[:, n:]
    p_value = _share(_largest(lines, bases), scores[0])
    if len(donors) >= DONORS_ENOUGH:
        # Each donor's distance to the mean of the others: times a constant, which F forgets.
        p_value = max(p_value, _share(_largest(donors - donors.mean(axis=0), bases), scores[0]))
    at = places[best]
    before = found.gap[:n]
    return Break(
        at=at,
        statistic=float(scores[0]),
        p_value=p_value,
        step=float(before[at:].mean() - before[:at].mean()),
    )


def _share(null: FloatArray, own: float) -> float:
    return float((1 + (null >= own).sum()) / (1 + len(null)))


def _line(n: int) -> FloatArray:
    return np.column_stack([np.ones(n), np.arange(n) - (n - 1) / 2])


def _bases(n: int) -> tuple[list[int], list[FloatArray]]:
    """Dates, and for each an orthonormal basis of what a break adds to a straight line."""
    line, _ = np.linalg.qr(_line(n))
    edge = max(3, round(TRIMMED * n))
    places = list(range(edge, n - edge + 1))
    bases = []
    for at in places:
        added = _line(n) * (np.arange(n) >= at)[:, None]
        added = added - line @ (line.T @ added)
        bases.append(np.linalg.qr(added)[0])
    return places, bases


def _scores(series: FloatArray, bases: list[FloatArray]) -> FloatArray:
    """(n_series, n_places) F of each date."""
    n = series.shape[1]
    line, _ = np.linalg.qr(_line(n))
    left = series - (series @ line) @ line.T
    total = (left**2).sum(axis=1)
    gained = np.stack([((left @ basis) ** 2).sum(axis=1) for basis in bases], axis=1)
    rest = np.maximum(total[:, None] - gained, 1e-300)
    return np.where(gained > 0, (gained / 2) / (rest / (n - 4)), 0.0)


def _largest(series: FloatArray, bases: list[FloatArray]) -> FloatArray:
    return np.asarray(_scores(series, bases).max(axis=1))


def _correlation(distance: FloatArray, donors: FloatArray) -> float:
    """First-order autocorrelation of distances to the donors' mean about a line, pooled.

    Corrected for what a fitted line takes away, (2 + 4ρ) / n.
    """
    series = np.vstack([distance, donors - donors.mean(axis=0)])
    n = series.shape[1]
    line, _ = np.linalg.qr(_line(n))
    left = series - (series @ line) @ line.T
    size = (left**2).sum(axis=1)
    left = left[size > 1e-20 * max(float(size.max()), 1e-300)]
    if not len(left):
        return 0.0
    left = left / np.sqrt((left**2).sum(axis=1, keepdims=True))
    plain = float((left[:, 1:] * left[:, :-1]).sum() / (left**2).sum())
    return float(np.clip((plain * n + 2) / max(n - 4, 1), 0.0, MOST_CORRELATED))


def structural_break_check(
    found: Break, *, period_names: tuple[str, ...], effect: float, level: float
) -> Check:
    """Whether something else happened to the treated before the start."""
    name = "structural_break"
    if found.at is None:
        text = f"Not run: fewer than {LEAST_PERIODS} periods before the start show no break."
        return Check(name=name, verdict="not_run", label="breaks not looked for", text=text)
    date = period(period_names[found.at])
    if found.p_value > 1 - level:
        text = (
            "Against the donors' mean the treated runs straight before the start: the likeliest "
            f"break, at {date}, is no larger than chance makes ("
            f"{p_value(found.p_value)})."
        )
        return Check(name=name, verdict="pass", label="no break before the start", text=text)
    text = (
        f"At {date}, before the start, the treated's distance to the donors' mean breaks ("
        f"{p_value(found.p_value)}). Its distance to the synthetic changes by "
        f"{count(found.step, sign=True)} there, beside an effect of {count(effect, sign=True)}."
    )
    if abs(found.step) > LARGE * abs(effect):
        text += " Something else happened to it, which the donors do not follow."
        return Check(name=name, verdict="fail", label="a break before the start", text=text)
    text += " The synthetic follows it."
    return Check(name=name, verdict="warn", label="a break, followed", text=text)
