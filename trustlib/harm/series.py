"""A prevalence, period by period, each point with its own error."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from trustlib.harm.sample import FloatArray, IntArray
from trustlib.stats.wilson import none_seen, wilson

_KNOWN = 1e9  # labels that a point without any error counts as


@dataclass(frozen=True, kw_only=True, eq=False)
class PrevalenceSeries:
    """One point per day or week; periods without labels are left out or NaN.

    Attributes
    ----------
    at
        (T,) starts of the periods, aware, ascending, on a grid of equal steps.
    estimate
        (T,) share in the period, NaN where there are no labels.
    variance
        (T,) of the estimate, from the sample's design.
    labels
        (T,) labelled items.

    Raises
    ------
    ValueError
        If lengths differ, times are naive, repeated or off the grid, or a number is out of range.
    """

    at: pd.DatetimeIndex
    estimate: FloatArray
    variance: FloatArray
    labels: FloatArray

    def __post_init__(self) -> None:
        n = len(self.at)
        for name in ("estimate", "variance", "labels"):
            values = np.asarray(getattr(self, name), dtype=np.float64)
            object.__setattr__(self, name, values)
            if values.shape != (n,):
                raise ValueError(f"PrevalenceSeries: {name} needs one value for each of {n} times")
        if self.at.tz is None or not (self.at.is_monotonic_increasing and self.at.is_unique):
            raise ValueError("PrevalenceSeries: times need a zone, ascending, each once")
        share = self.estimate[~np.isnan(self.estimate)]
        if not ((share >= 0) & (share <= 1)).all():
            raise ValueError("PrevalenceSeries: a share is not between 0 and 1")
        known = ~np.isnan(self.estimate)
        if not ((self.variance >= 0) & np.isfinite(self.variance) & (self.labels > 0))[known].all():
            raise ValueError("PrevalenceSeries: a share needs a variance and labels")
        if n >= 2 and not np.allclose(self._places(), self.position, atol=0.25):
            raise ValueError("PrevalenceSeries: times are not on a grid of equal steps")

    @property
    def step_days(self) -> float:
        """Days from one period to the next: the shortest step."""
        if len(self.at) < 2:
            return 1.0
        # A day may have 23 or 25 hours.
        return float(max(1, round(np.diff(self._days()).min())))

    @property
    def position(self) -> IntArray:
        """(T,) of each period on the grid, from 0."""
        return np.asarray(np.round(self._places()), dtype=np.int64)

    @property
    def known(self) -> IntArray:
        """Positions in the arrays of the periods that have labels."""
        return np.flatnonzero(~np.isnan(self.estimate))

    @property
    def effective_labels(self) -> FloatArray:
        """(T,) simple random labels that would be as precise.

        p(1 − p) over the variance; where all labels are of one kind, the labels over the design
        effect of the other periods.
        """
        p, n = self.estimate, self.labels
        with np.errstate(divide="ignore", invalid="ignore"):
            own = np.minimum(p * (1 - p) / self.variance, _KNOWN)
        mixed = (p > 0) & (p < 1)
        some = mixed & (own < _KNOWN)
        effect = float(n[some].sum() / own[some].sum()) if some.any() else 1.0
        return np.where(mixed, own, n / max(effect, 1e-6))

    def intervals(self, level: float) -> tuple[FloatArray, FloatArray]:
        """(T,) ends of each point's own interval: Wilson's, exact where labels are of one kind."""
        low, high = np.full(len(self.at), np.nan), np.full(len(self.at), np.nan)
        looks = self.effective_labels
        for at in self.known:
            p = float(self.estimate[at])
            if p in (0.0, 1.0):
                bound = none_seen(n=[looks[at]], weight=[1.0], level=level)
                low[at], high[at] = (0.0, bound) if p == 0 else (1 - bound, 1.0)
            else:
                low[at], high[at] = wilson(p, n=float(looks[at]), level=level)
        return low, high

    def _days(self) -> FloatArray:
        return np.asarray((self.at - self.at[0]) / pd.Timedelta(days=1), dtype=np.float64)

    def _places(self) -> FloatArray:
        return self._days() / self.step_days


def series_from_frame(frame: pd.DataFrame) -> PrevalenceSeries:
    """From columns at (aware), estimate, variance, labels; rows in any order.

    Raises
    ------
    ValueError
        If a column is missing, or as `PrevalenceSeries`.
    """
    missing = [name for name in ("at", "estimate", "variance", "labels") if name not in frame]
    if missing:
        raise ValueError(f"series_from_frame: there is no column {', '.join(missing)}")
    frame = frame.sort_values("at", kind="stable")
    columns = {name: frame[name].to_numpy(float) for name in ("estimate", "variance", "labels")}
    return PrevalenceSeries(at=pd.DatetimeIndex(frame["at"]), **columns)
