"""One window's log ratio against that of earlier weeks: the difference-in-differences.

    y_k = log((A_k + ½) / (U_k + ½))        k weeks before: the incident's hours of that week
    effect = y_0 − mean of y_1 … y_n        on the log scale; in events A_0 (1 − exp(−effect))

Interval: Student's t over weeks, s √(1 + 1/n) with n − 1 degrees of freedom. Where the mix of
affected and unaffected wanders, neighbouring weeks are alike and that interval is too short: with
12 weeks of a random walk it excludes zero in one of seven quiet cases instead of one of twenty.
So the interval also holds a second one: from the weeks' exponentially weighted mean (gain ½), whose
errors are measured by forecasting each earlier week from the weeks before it. Size and power:
tests/studies/postmortem_factors.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trustlib.stats.serial import von_neumann
from trustlib.stats.window_error import t_quantile, t_two_sided

FloatArray = npt.NDArray[np.float64]

WEEKS_FOR_DRIFT = 6
_GAIN = 0.5


@dataclass(frozen=True, kw_only=True, eq=False)
class Contrast:
    """The difference-in-differences of one window on the log scale.

    Attributes
    ----------
    earlier
        (n,) y of the earlier weeks, the latest first.
    now
        y of the incident.
    effect, low, high
        now − mean(earlier) and its interval.
    p_value
        Of the t statistic over weeks, the drift left aside.
    rank_p
        (1 + earlier weeks as far from the mean of the others) / (1 + n).
    drift_p
        Against weeks that are independent of their neighbours; None with fewer than six.
    """

    earlier: FloatArray
    now: float
    effect: float
    low: float
    high: float
    p_value: float
    rank_p: float
    drift_p: float | None


def contrast(
    earlier: FloatArray, now: float, *, level: float, extra_variance: float = 0.0
) -> Contrast:
    """Compare `now` with `earlier` (n,), the latest week first, n ≥ 2.

    Parameters
    ----------
    extra_variance
        Of `now` beyond that of an earlier week: few events are left after an outage.
    """
    n = len(earlier)
    effect = float(now - earlier.mean())
    spread = float(np.sqrt(earlier.var(ddof=1) * (1 + 1 / n) + extra_variance))
    quantile = t_quantile(0.5 + level / 2, n - 1)
    recent, error = _recent(earlier)
    error = float(np.hypot(error, np.sqrt(extra_variance)))
    ahead = now - recent
    others = (earlier - earlier.mean()) * n / (n - 1)  # each week against the mean of the others
    beyond = int((np.abs(others) >= abs(effect) * (1 - 1e-12)).sum())
    return Contrast(
        earlier=earlier,
        now=now,
        effect=effect,
        low=float(min(effect - quantile * spread, ahead - quantile * error, effect)),
        high=float(max(effect + quantile * spread, ahead + quantile * error, effect)),
        p_value=t_two_sided(effect / spread, n - 1) if spread > 0 else float(effect == 0),
        rank_p=(1 + beyond) / (1 + n),
        drift_p=von_neumann(earlier) if n >= WEEKS_FOR_DRIFT else None,
    )


def _recent(earlier: FloatArray) -> tuple[float, float]:
    """The weighted mean of the recent weeks, and how far such a mean was off one week ahead."""
    total = weight = 0.0
    errors = []
    for value in earlier[::-1]:
        if weight:
            errors.append(value - total / weight)
        total, weight = (1 - _GAIN) * total + value, (1 - _GAIN) * weight + 1.0
    return total / weight, float(np.sqrt(np.mean(np.square(errors))))
