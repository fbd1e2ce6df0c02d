"""Rules that look at one bucket after the other, knowing only the past: when they fire.

Reference of a bucket: the mean count of the same bucket of the week (on the local clock) in the
four weeks before it, without what was missing, excluded or part of the incident. With fewer than
two of the four a bucket has no reference: rules that need one are blind there. A day of 23 or 25
hours is compared by the hour.

threshold       count ≥ value
rate_of_change  count / reference ≥ value
cusum           S ≥ value, S = max(0, S + z − 1/2), z = (count − reference) / √(max(reference, 1) φ)
                (Page 1954, Biometrika 41); S is 0 again after it fired and stands still where
                there is no z
poisson         P(X ≥ count) ≤ 1 − value for X Poisson with the reference as mean

each mirrored for an incident that lowers counts. φ, at least 1, is the mean of
(count − reference)² / max(reference, 1) over the buckets of the four weeks before; until a quarter
of a week has one, the CUSUM is blind. Firing less than 6 hours apart is one alarm; one that goes
on counts again every 24 hours, or else a rule that always fires would alarm once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from trustlib.incidents.grid import Grid, grid
from trustlib.incidents.spec import SizingSpec

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

KINDS = ("threshold", "rate_of_change", "cusum")  # the simplest first
WEEKS_BACK, FEWEST_BACK = 4, 2
QUIET_HOURS, AGAIN_HOURS = 6, 24
_HOURS = {"30min": 0.5, "1h": 1.0, "1d": 24.0}


@dataclass(frozen=True, kw_only=True, eq=False)
class Watch:
    """What a rule sees; every array has shape (n_buckets,).

    Attributes
    ----------
    count
        NaN where missing.
    reference, phi
        NaN where there are none.
    quiet
        Outside the incident and what is excluded, from the start of the history on.
    week
        Of the local calendar, counted from the incident's start; what is resampled.
    length
        Of a bucket relative to a nominal one: 1 but for days of 23 or 25 hours.
    sign
        1 where the incident raises counts, −1 where it lowers them.
    """

    grid: Grid
    count: FloatArray
    reference: FloatArray
    phi: FloatArray
    quiet: BoolArray
    week: npt.NDArray[np.int64]
    length: FloatArray
    sign: int

    @property
    def hours(self) -> float:
        """Of a nominal bucket."""
        return _HOURS[self.grid.bucket]

    def judged(self, kind: str) -> BoolArray:
        """Buckets in which an alarm of this kind would have been a false one."""
        known = np.isfinite(self.phi) if kind == "cusum" else np.isfinite(self.reference)
        return np.asarray(self.quiet & known & np.isfinite(self.count))


def watch(
    counts: pd.DataFrame, spec: SizingSpec, *, impact_start: pd.Timestamp, sign: int
) -> Watch:
    """What rules would have seen of `counts` (bucket_start_at, count).

    The incident begins at `impact_start` or its stated start, whichever is first, and ends with
    its stated window.
    """
    on = grid(counts[["bucket_start_at", "count", *_ambiguous(counts)]], spec)
    start = min(impact_start, pd.Timestamp(spec.incident.start))
    inside = (on.start_at >= start) & (on.start_at < pd.Timestamp(spec.incident.end))
    begun = np.ones(len(on.count), dtype=bool)
    if spec.history_start is not None:
        begun = np.asarray(on.start_at >= pd.Timestamp(spec.history_start))
    quiet = np.asarray(begun & ~inside & ~on.excluded)
    label = on.local.astype("datetime64[D]") if on.bucket == "1d" else on.local
    teaches = np.where(quiet, on.count / on.exposure, np.nan)
    reference = _reference(label, teaches) * on.exposure
    return Watch(
        grid=on,
        count=np.where(begun, on.count, np.nan),
        reference=reference,
        phi=_phi(np.where(quiet, on.count, np.nan), reference, per_week=on.per_week),
        quiet=quiet,
        week=on.week.astype(np.int64),
        length=on.exposure,
        sign=sign,
    )


def _ambiguous(counts: pd.DataFrame) -> list[str]:
    return ["ambiguous"] if "ambiguous" in counts else []


def _reference(label: np.ndarray, teaches: FloatArray) -> FloatArray:
    """Mean over the four weeks before of the buckets with the same label; NaN under two."""
    usable = np.isfinite(teaches)
    labels, at = np.unique(label, return_inverse=True)
    n = np.bincount(at, usable)
    # An hour that a clock change repeats counts once: the mean of both.
    mean = np.bincount(at, np.where(usable, teaches, 0.0)) / np.maximum(n, 1)
    total, weeks = np.zeros(len(label)), np.zeros(len(label))
    for k in range(1, WEEKS_BACK + 1):
        then = label - k * np.timedelta64(7, "D")
        place = np.minimum(np.searchsorted(labels, then), len(labels) - 1)
        there = (labels[place] == then) & (n[place] > 0)
        total += np.where(there, mean[place], 0.0)
        weeks += there
    return np.where(weeks >= FEWEST_BACK, total / np.maximum(weeks, 1), np.nan)


def _phi(count: FloatArray, reference: FloatArray, *, per_week: int) -> FloatArray:
    """Dispersion of the four weeks before each bucket, at least 1; NaN until it is known."""
    square = (count - reference) ** 2 / np.maximum(reference, 1.0)
    known = np.isfinite(square)
    total = np.concatenate([[0.0], np.cumsum(np.where(known, square, 0.0))])
    n = np.concatenate([[0], np.cumsum(known)])
    end = np.arange(len(count))
    begin = np.maximum(0, end - WEEKS_BACK * per_week)
    many = n[end] - n[begin]
    mean = (total[end] - total[begin]) / np.maximum(many, 1)
    enough = (many >= per_week / 4) & np.isfinite(reference)
    return np.where(enough, np.maximum(mean, 1.0), np.nan)


def fires(kind: str, values: npt.ArrayLike, seen: Watch) -> BoolArray:
    """(n_values, n_buckets) whether a rule of `kind` fires at each setting.

    Raises
    ------
    ValueError
        For a kind that is unknown.
    """
    setting = np.asarray(values, dtype=float)[:, None]
    count, reference, sign = seen.count[None, :], seen.reference[None, :], seen.sign
    with np.errstate(invalid="ignore", divide="ignore"):
        if kind == "threshold":
            return np.asarray(sign * count >= sign * setting)
        if kind == "rate_of_change":
            # 0 / 0 is no change; what was never seen before is any change.
            return np.asarray(sign * (count / reference) >= sign * setting)
    if kind == "cusum":
        return _cusum(setting[:, 0], seen)
    if kind == "poisson":
        return _poisson(setting, seen)
    raise ValueError(f"fires: {kind!r} is not one of {', '.join(KINDS)}, poisson")


def scores(seen: Watch) -> FloatArray:
    """z of each bucket, in the incident's direction; NaN where the CUSUM is blind."""
    spread = np.sqrt(np.maximum(seen.reference, 1.0) * seen.phi)
    return np.asarray(seen.sign * (seen.count - seen.reference) / spread)


def _cusum(limits: FloatArray, seen: Watch) -> BoolArray:
    step = scores(seen) - 0.5
    out = np.zeros((len(limits), len(step)), dtype=bool)
    total = np.zeros(len(limits))
    for i in np.flatnonzero(np.isfinite(step)):
        total = np.maximum(0.0, total + step[i])
        out[:, i] = total >= limits
        total[out[:, i]] = 0.0
    return out


def _poisson(share: FloatArray, seen: Watch) -> BoolArray:
    from scipy.stats import poisson

    known = np.isfinite(seen.count) & np.isfinite(seen.reference)
    count = np.where(known, seen.count, 0.0)
    mean = np.where(known, seen.reference, 1.0)
    tail = poisson.sf(np.ceil(count) - 1, mean) if seen.sign > 0 else poisson.cdf(count, mean)
    return np.asarray(known & (tail <= 1 - share + 1e-12))


def alarms(fired: BoolArray, seen: Watch) -> npt.NDArray[np.int64]:
    """Buckets in which an alarm begins, of one setting's `fired` (n_buckets,); ascending."""
    at = np.flatnonzero(fired)
    if not len(at):
        return at
    apart = (np.diff(at, prepend=at[0]) - 1) * seen.hours >= QUIET_HOURS
    begins = np.maximum.accumulate(np.where(apart, np.arange(len(at)), 0))
    again = ((at - at[begins]) * seen.hours) // AGAIN_HOURS
    return at[apart | (np.diff(again, prepend=-1) != 0)]
