"""Was it an incident at all: the same arithmetic on windows where all was quiet."""

from __future__ import annotations

import numpy as np
import pandas as pd

from trustlib.incidents.counterfactual import USABLE_SHARE
from trustlib.incidents.grid import Grid
from trustlib.incidents.headline import Sized

# Windows of a few buckets would come in thousands.
_MOST = 500


def placebo_windows(grid: Grid, result: Sized) -> pd.DataFrame:
    """Windows of the incident's length rolled back through the history.

    They step back by about a quarter of a window, so neighbours overlap; short windows step
    further, so that there are some 500 to 1,000. Each is forecast
    by fits that left its weeks out. Windows with under 80 % usable buckets are left out,
    and so is any that touches an excluded stretch.

    Returns
    -------
    pd.DataFrame
        window_start_at, excess, relative_excess, statistic (excess over the standard error
        of a window of that size), same_phase; latest window first.
    """
    made = result.made
    tau, half = (0.0, 0.5) if result.error is None else (result.error.tau, 0.5 / result.error.n)
    first = int(np.argmax(grid.in_window))
    length = grid.n_window
    step = _step(max(length // 4, first // _MOST), grid.per_week)
    starts = np.arange(first - length, -1, -step)
    # Same hours as the incident, which a clock change moves off the regular steps.
    same = np.flatnonzero(grid.history & (grid.offset == 0))
    starts = np.union1d(starts, same[same + length <= first])[::-1]
    usable = made.fitted & np.isfinite(made.left_out)
    error = _running(np.where(usable, grid.count - made.left_out, 0.0))
    mean = _running(np.where(usable, made.left_out, 0.0))
    n_usable, n_masked = _running(usable), _running(grid.excluded)
    ends = starts + length
    keep = (n_usable[ends] - n_usable[starts]) >= USABLE_SHARE * length
    keep &= n_masked[ends] == n_masked[starts]
    starts, ends = starts[keep], ends[keep]
    excess, expected = error[ends] - error[starts], mean[ends] - mean[starts]
    spread = np.sqrt(expected + half + (tau * expected) ** 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = np.where(expected > 0, excess / expected, np.nan)
        statistic = np.where(spread > 0, excess / spread, 0.0)
    return pd.DataFrame(
        {
            "window_start_at": grid.start_at[starts],
            "excess": excess,
            "relative_excess": relative,
            "statistic": statistic,
            "same_phase": np.isin(starts, same),
        }
    )


def placebo_p_value(result: Sized, placebos: pd.DataFrame, *, direction: str) -> float | None:
    """(1 + placebos at least as extreme) / (1 + placebos), in `direction`.

    None without placebos, or where too few past windows tell how far a quiet one strays.
    """
    if placebos.empty or result.error is None:
        return None
    statistic = result.excess / result.error.standard_error(result.expected)
    others = placebos["statistic"].to_numpy()
    if direction == "increase":
        beyond = others >= statistic
    elif direction == "decrease":
        beyond = others <= statistic
    else:
        beyond = np.abs(others) >= abs(statistic)
    return float((1 + beyond.sum()) / (1 + len(others)))


def too_few_to_tell(p_value: float | None, *, n: int, level: float) -> bool:
    """No placebo is as extreme, yet `n` of them cannot give a p at or below 1 − level."""
    return p_value is not None and round(p_value * (1 + n)) == 1 and p_value > 1 - level


def _step(wanted: int, per_week: int) -> int:
    """The largest divisor of the week that is at most `wanted`: the steps meet its phases."""
    return max(d for d in range(1, max(1, wanted) + 1) if per_week % d == 0)


def _running(values: np.ndarray) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(values)])
