"""A market with nothing to compare it with: its own line before, and the change at the start.

    y(t) = a + b t + season(t) + level · after(t) + trend · after(t) · (t − start) + u(t)

Segmented regression (Wagner, Soumerai, Zhang and Ross-Degnan 2002), coefficients by ordinary
least squares. Neighbouring u are alike: errors are those of `trustlib.stats.first_order`, made as
large as the autocorrelation-consistent ones (Newey and West 1987) where these are larger, with
Student's t. Whatever else happened at the start is in the change: it shows a change and no cause.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from trustlib.core import Refusal
from trustlib.core.format import plural
from trustlib.interventions.panel import FloatArray
from trustlib.interventions.synth.cohorts import cases
from trustlib.interventions.synth.panel import SynthPanel
from trustlib.interventions.synth.seasons import seasons
from trustlib.interventions.synth.spec import SynthSpec
from trustlib.stats.first_order import first_order

LEAST_BEFORE, LEAST_AFTER = 8, 3
MOST_PLACEBOS = 20
TERMS = ("level at the start", "trend before", "change of level", "change of trend")
COLUMNS = ("term", "point", "standard_error", "low", "high")


@dataclass(frozen=True, kw_only=True, eq=False)
class Interrupted:
    """What changed at the start.

    Attributes
    ----------
    actual, counterfactual
        (n_periods,) outcome, and the line (with season) before the start, drawn on after it.
    effect, low, high
        (n_periods,) level + trend × periods since the start, and its pointwise interval; 0 and
        NaN before the start.
    start
        Position of the first period after it.
    coefficients, covariance
        (2,) and (2, 2) of the change of level and of trend.
    degrees, level
        Of Student's t; of every interval.
    att, standard_error
        Mean effect after the start; NaN where not estimable.
    regression
        As `SynthResult.regression`.
    season
        What was taken out: "months of the year", or "none: …".
    correlation
        Of neighbouring residuals.
    bandwidth, hac_error
        Of the Newey–West errors, in periods, and what they give for the mean effect.
    durbin_watson, ljung_box_p
        Of the residuals; near 2, and the joint test that none of the first autocorrelations are
        different from zero.
    curve_p
        P-value that the series before the start is straight.
    placebo_rank, placebos
        Of |mean effect / error| among breaks pretended before the start (1: the largest), and
        how many those are.
    reason
        Why it is not estimable; else None.
    """

    actual: FloatArray
    counterfactual: FloatArray
    effect: FloatArray
    low: FloatArray
    high: FloatArray
    start: int
    coefficients: FloatArray
    covariance: FloatArray
    degrees: int
    level: float
    att: float
    standard_error: float
    regression: pd.DataFrame
    season: str
    correlation: float = math.nan
    bandwidth: int = 0
    hac_error: float = math.nan
    durbin_watson: float = math.nan
    ljung_box_p: float = math.nan
    curve_p: float = math.nan
    placebo_rank: int = 0
    placebos: int = 0
    reason: str | None = None

    def error(self, weights: FloatArray) -> float:
        """Standard error of Σ weights(t) · effect(t), `weights` (n_periods,); NaN where not
        estimable."""
        if self.reason:
            return math.nan
        after = np.asarray(weights)[self.start :]
        moved = np.array([after.sum(), after @ np.arange(len(after))])
        return float(np.sqrt(max(moved @ self.covariance @ moved, 0.0)))

    def half(self, weights: FloatArray) -> float:
        """Half the interval's width of the same; NaN where not estimable."""
        return _t(self.degrees, self.level) * self.error(weights)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Line:
    """A fitted line with a change at `start`."""

    coefficients: FloatArray
    covariance: FloatArray
    correlation: float
    degrees: int
    residuals: FloatArray
    bandwidth: int
    hac_error: float
    att: float
    error: float


def interrupted(panel: SynthPanel, spec: SynthSpec) -> Interrupted:
    """The change of the treated units' mean at their common start; donors are not used.

    Raises
    ------
    Refusal
        Treated units with different starts: there is no single before and after.
    """
    if len(panel.starts) != 1:
        raise Refusal(
            f"treated units start at {len(panel.starts)} dates: their mean has no single before",
            where="method: interrupted_time_series",
            next_step="name the units of one start in treated_units, or add donors",
        )
    ((start, case),) = cases(panel)
    outcome = case.target
    columns, season = seasons(panel.period_names, start)
    spare = start - 2 - columns.shape[1]
    if start < LEAST_BEFORE or len(outcome) - start < LEAST_AFTER or spare < LEAST_BEFORE // 2:
        return _not_estimable(outcome, start, season, spec.level)
    line = _fitted(outcome, start, columns)
    design = _design(len(outcome), start, columns)
    effect = design[:, 2:4] @ line.coefficients[2:4]
    since = np.maximum(np.arange(len(outcome)) - start, 0)
    changes = line.covariance[2:4, 2:4]
    variance = changes[0, 0] + 2 * since * changes[0, 1] + since**2 * changes[1, 1]
    half = _t(line.degrees, spec.level) * np.sqrt(np.maximum(variance, 0.0))
    half = np.where(np.arange(len(outcome)) >= start, half, np.nan)
    rank, placebos = _placebo_breaks(outcome[:start], columns[:start], line)
    return Interrupted(
        actual=outcome,
        counterfactual=design @ line.coefficients - effect,
        effect=effect,
        low=effect - half,
        high=effect + half,
        start=start,
        coefficients=line.coefficients[2:4],
        covariance=changes,
        degrees=line.degrees,
        level=spec.level,
        att=line.att,
        standard_error=line.error,
        regression=_terms(line, spec.level),
        season=season,
        correlation=line.correlation,
        bandwidth=line.bandwidth,
        hac_error=line.hac_error,
        durbin_watson=_durbin_watson(line.residuals),
        ljung_box_p=_ljung_box(line.residuals),
        curve_p=_curve(outcome[:start], columns[:start]),
        placebo_rank=rank,
        placebos=placebos,
    )


def _not_estimable(outcome: FloatArray, start: int, season: str, level: float) -> Interrupted:
    blank = np.full(len(outcome), np.nan)
    after = len(outcome) - start
    return Interrupted(
        actual=outcome, counterfactual=blank, effect=blank, low=blank, high=blank, start=start,
        coefficients=np.full(2, np.nan), covariance=np.full((2, 2), np.nan), degrees=0,
        level=level, att=math.nan, standard_error=math.nan,
        regression=no_regression(),
        season=season,
        reason=f"not estimable: {plural(start, 'period')} before the start and {after} from it "
        f"on, and a line with a change needs {LEAST_BEFORE} and {LEAST_AFTER} at least",
    )  # fmt: skip


def no_regression() -> pd.DataFrame:
    """`SynthResult.regression` where there is none: its columns, without rows."""
    return pd.DataFrame(columns=list(COLUMNS)).astype(dict.fromkeys(COLUMNS[1:], float))


def _design(n: int, start: int, columns: FloatArray) -> FloatArray:
    since = np.arange(n) - start
    after = (since >= 0).astype(float)
    return np.column_stack([np.ones(n), since, after, after * since, columns])


def _fitted(outcome: FloatArray, start: int, columns: FloatArray) -> _Line:
    from statsmodels.regression.linear_model import OLS

    n = len(outcome)
    design = _design(n, start, columns)
    bandwidth = max(1, math.floor(4 * (n / 100) ** (2 / 9)))
    found = OLS(outcome, design).fit(
        cov_type="HAC", cov_kwds={"maxlags": bandwidth, "use_correction": True}, use_t=True
    )
    mean = np.zeros(design.shape[1])
    mean[2:4] = 1.0, (n - start - 1) / 2
    hac = float(np.sqrt(max(mean @ found.cov_params() @ mean, 0.0)))
    errors = first_order(design, outcome)
    plain = float(np.sqrt(mean @ errors.covariance @ mean))
    larger = max(1.0, (hac / plain) ** 2) if plain > 0 else 1.0
    return _Line(
        coefficients=np.asarray(found.params),
        covariance=errors.covariance * larger,
        correlation=errors.correlation,
        degrees=errors.degrees,
        residuals=np.asarray(found.resid),
        bandwidth=bandwidth,
        hac_error=hac,
        att=float(mean @ found.params),
        error=plain * math.sqrt(larger),
    )


def _t(degrees: int, level: float) -> float:
    return float(stdtrit(degrees, 0.5 + level / 2))


def _terms(line: _Line, level: float) -> pd.DataFrame:
    error = np.sqrt(np.diag(line.covariance))[:4]
    point = line.coefficients[:4]
    half = _t(line.degrees, level) * error
    return pd.DataFrame(
        {
            "term": TERMS,
            "point": point,
            "standard_error": error,
            "low": point - half,
            "high": point + half,
        }
    )


def _durbin_watson(residuals: FloatArray) -> float:
    total = float(residuals @ residuals)
    return float((np.diff(residuals) ** 2).sum() / total) if total > 0 else math.nan


def _ljung_box(residuals: FloatArray) -> float:
    from statsmodels.stats.diagnostic import acorr_ljungbox

    if not float(np.ptp(residuals)) > 0:
        return math.nan
    lags = max(1, min(10, len(residuals) // 5))
    return float(acorr_ljungbox(residuals, lags=[lags])["lb_pvalue"].iloc[0])


def _curve(before: FloatArray, columns: FloatArray) -> float:
    """P-value of a bend in the series before the start."""
    n = len(before)
    place = np.linspace(-1, 1, n)
    design = np.column_stack([np.ones(n), place, place**2, columns])
    if n - design.shape[1] < LEAST_BEFORE // 2:
        return math.nan
    errors = first_order(design, before)
    bend = float(np.linalg.lstsq(design, before, rcond=None)[0][2])
    error = float(np.sqrt(errors.covariance[2, 2]))
    if not error > 0:
        return math.nan
    return float(2 * (1 - _cdf(abs(bend / error), errors.degrees)))


def _cdf(statistic: float, degrees: int) -> float:
    from scipy.special import stdtr

    return float(stdtr(degrees, statistic))


def _placebo_breaks(before: FloatArray, columns: FloatArray, line: _Line) -> tuple[int, int]:
    """Rank of the change among those at dates before the start, and how many were pretended."""
    n = len(before)
    needed = max(LEAST_BEFORE, columns.shape[1] + 2 + LEAST_BEFORE // 2)
    dates = range(needed, n - LEAST_AFTER + 1)
    if not dates or not line.error > 0:
        return 0, 0
    taken = sorted({round(at) for at in np.linspace(dates[0], dates[-1], MOST_PLACEBOS)})
    own = abs(line.att / line.error)
    larger = 0
    for at in taken:
        found = _fitted(before, at, columns)
        larger += found.error > 0 and abs(found.att / found.error) >= own
    return 1 + larger, len(taken)
