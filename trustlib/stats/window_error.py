"""The variance of a whole window's forecast error, from windows that are known to be quiet.

The errors of neighbouring hours move together, so the variance of a window's total is not
the sum of its hours' variances. It is measured instead: each past window is forecast by a
fit that never saw it, and the errors of the totals give

    Var(actual − expected) = mu + tau² mu²,     tau² = max(0, Σ(e² − m) / Σ m²)

with e the error and m the expected total of each past window. Half a count, spread over
the past windows, is added to mu: where nothing was ever counted the rate is small, not
zero (Jeffreys' prior).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr, stdtrit


@dataclass(frozen=True, kw_only=True)
class WindowError:
    """How far the actual total of a window falls from its forecast.

    Attributes
    ----------
    tau
        Relative standard deviation beyond the Poisson part, a share.
    degrees
        Degrees of freedom of the t distribution.
    n
        Past windows that it rests on.
    """

    tau: float
    degrees: float
    n: int

    def standard_error(self, expected: float) -> float:
        """Of a window's total around `expected`, in counts."""
        return float(np.sqrt(expected + 0.5 / self.n + (self.tau * expected) ** 2))

    def margin(self, expected: float, *, level: float) -> float:
        """Half the width of the interval around a window's excess, in counts."""
        return self.standard_error(expected) * t_quantile(0.5 + level / 2, self.degrees)


def window_error(errors: np.ndarray, *, expected: np.ndarray) -> WindowError:
    """From past windows' errors and expected totals, each of shape (n_windows,).

    Degrees of freedom are n − 1: the windows of a fit without them still share the other
    weeks.

    Raises
    ------
    ValueError
        With fewer than two windows.
    """
    if len(errors) < 2:
        raise ValueError(f"window_error: {len(errors)} windows, two at least are needed")
    size = float(np.sum(expected**2))
    tau_squared = max(0.0, float(np.sum(errors**2 - expected)) / size) if size > 0 else 0.0
    return WindowError(tau=float(np.sqrt(tau_squared)), degrees=len(errors) - 1, n=len(errors))


def t_quantile(share: float, degrees: float) -> float:
    """Quantile of Student's t."""
    return float(stdtrit(degrees, share))


def t_two_sided(statistic: float, degrees: float) -> float:
    """Two-sided p-value of a t statistic."""
    return float(2 * stdtr(degrees, -abs(statistic)))
