"""How long things take where not everything has happened yet: Kaplan and Meier's curves.

Sign-up to first abuse, abuse to action, views before action. What has not happened by the end
of the data is censored there, not left out: the mean of the finished ones alone is too short.
S(t) is the product over event times of 1 − d / Y, d events of Y at risk, with Greenwood's
variance and log(−log) intervals, which stay within 0 and 1 (Kalbfleisch and Prentice 2002,
section 1.4); the median's interval inverts them (Brookmeyer and Crowley 1982). With unequal
sampling weights the variance is that of the weighted influence (Lin 2000), since Greenwood's
would take a weight for that many accounts.

An account that comes under observation late (left truncation) is at risk only from its `entry`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from scipy import stats

from trustlib.core import Check, Estimate, NoData, Refusal
from trustlib.harm import token_pairs as tp
from trustlib.harm.token_pairs import FloatArray

SMALL = 11
METHOD = "Kaplan–Meier, log(−log) interval"
Weights = Literal["counts", "sampling"]


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One stretch of the way: what starts it, what ends it, and in what it is counted."""

    name: str
    start: str
    end: str
    unit: str


SIGN_UP_TO_ABUSE = Stage(name="sign_up_to_abuse", start="sign-up", end="first abuse", unit="hours")
ABUSE_TO_ACTION = Stage(name="abuse_to_action", start="abuse", end="action", unit="hours")
VIEWS_BEFORE_ACTION = Stage(
    name="views_before_action", start="publication", end="action", unit="views"
)
STAGES: tuple[Stage, ...] = (SIGN_UP_TO_ABUSE, ABUSE_TO_ACTION, VIEWS_BEFORE_ACTION)


@dataclass(frozen=True, kw_only=True, eq=False)
class Lifecycle:
    """One stage's curve.

    Attributes
    ----------
    curve
        time (in the stage's unit; the times of events), at_risk, events, surviving (share that
        the end has not reached), low, high, standard_error.
    median
        Time by which half have reached the end; no point where half never do.
    n, ended
        Cases (weighted where weights are counts), and those that reached the end.
    follow_up
        The longest time under observation.
    entered_late
        Rows that came under observation after their start.
    checks
        Whether the times can be read as they stand.
    """

    stage: Stage
    curve: pd.DataFrame
    median: Estimate
    n: int
    ended: int
    follow_up: float
    entered_late: int
    level: float
    checks: tuple[Check, ...]

    def quantile(self, share: float) -> Estimate:
        """Time by which `share` have reached the end.

        Raises
        ------
        ValueError
            If `share` is not between 0 and 1.
        """
        return _quantile(self, share)

    def ended_by(self, time: float) -> Estimate:
        """Share that reached the end by `time`; no number beyond the follow-up."""
        return _ended_by(self, time)

    @property
    def sentence(self) -> str:
        """The median, for a reader."""
        way = f"From {self.stage.start} to {self.stage.end}"
        if self.median.point is None:
            return f"{way}: {self.median.note}."
        text = f"{way}: half within {self.median.point:,.4g} {self.stage.unit}"
        if self.median.low is None or self.median.high is None:
            return f"{text} ({self.median.note})."
        return (
            f"{text} ({self.level:.0%} interval {self.median.low:,.4g} to {self.median.high:,.4g})."
        )


def lifecycle(
    durations: pd.DataFrame,
    *,
    stage: Stage,
    weights: Weights = "counts",
    level: float = 0.95,
) -> Lifecycle:
    """The curve of one stage.

    Parameters
    ----------
    durations
        duration (in the stage's unit, ≥ 0), observed (True: the end was reached then; False:
        not yet, by the end of the data); weight (default 1); entry (time since the start at
        which observation began, below duration; default 0).
    weights
        "counts": a row stands for `weight` cases, as an aggregate does. "sampling": a row is
        one case that was sampled, and stands for `weight` others like it.

    Raises
    ------
    Refusal
        If a column is missing, or a value is outside its range.
    NoData
        If there are no rows, or none has weight.
    """
    if not 0 < level < 1 or weights not in ("counts", "sampling"):
        raise Refusal("level must be between 0 and 1, weights counts or sampling")
    rows = _read(durations, weights)
    curve = _curve(rows, weights=weights, level=level)
    ended = rows[rows["observed"]]
    whole = rows["weight"] if weights == "counts" else np.ones(len(rows))
    found = Lifecycle(
        stage=stage,
        curve=curve,
        median=_NOT_YET,
        n=round(float(np.sum(whole))),
        ended=round(float(ended["weight"].sum())) if weights == "counts" else len(ended),
        follow_up=float(rows["duration"].max()),
        entered_late=int((rows["entry"] > 0).sum()),
        level=level,
        checks=_checks(rows, curve, stage),
    )
    object.__setattr__(found, "median", _quantile(found, 0.5))
    return found


def lifecycles(
    durations: Mapping[str, pd.DataFrame | None],
    *,
    stages: tuple[Stage, ...] = STAGES,
    weights: Weights = "counts",
    level: float = 0.95,
) -> tuple[Lifecycle, ...]:
    """The curves of the stages that there are rows for, in their order.

    Parameters
    ----------
    durations
        Stage name -> rows as in `lifecycle`; absent, None or empty: that stage is left out.
    """
    given = {name: rows for name, rows in durations.items() if rows is not None and len(rows)}
    unknown = set(given) - {stage.name for stage in stages}
    if unknown:
        raise Refusal(f"{len(unknown)} stages have no description", next_step="give their Stage")
    return tuple(
        lifecycle(given[stage.name], stage=stage, weights=weights, level=level)
        for stage in stages
        if stage.name in given
    )


_NOT_YET = Estimate(
    point=None, low=None, high=None, level=0.95, unit="hours", method=METHOD, n=0, note="not yet"
)


def _read(durations: pd.DataFrame, weights: Weights) -> pd.DataFrame:
    """duration, observed, weight, entry; sorted, weightless rows dropped."""
    tp.columns(durations, ("duration", "observed"), what="durations")
    observed = durations["observed"]
    if observed.isna().any() or not observed.isin([0, 1]).all():
        raise Refusal("durations: observed is not true or false in some rows")
    rows = pd.DataFrame({"observed": observed.to_numpy(dtype=bool)})
    for name, default in (("duration", None), ("weight", 1.0), ("entry", 0.0)):
        if name in durations:
            numbers = pd.to_numeric(durations[name], errors="coerce")
            rows[name] = numbers.to_numpy(dtype=float, na_value=np.nan)
        else:
            rows[name] = default
        _refuse(~(np.isfinite(rows[name]) & (rows[name] >= 0)), f"{name} is not a number from 0")
    late = (rows["entry"] > 0) & (rows["entry"] >= rows["duration"])
    _refuse(late, "entry is not before the duration")
    if weights == "counts":
        _refuse(rows["weight"] != np.floor(rows["weight"]), "weight is not a count")
    rows = rows[rows["weight"] > 0]
    if rows.empty:
        raise NoData("no case has a weight above 0")
    # Equal rows together, so that nothing depends on how the cases were grouped or ordered.
    if weights == "counts":
        keys = ["duration", "observed", "entry"]
        return rows.groupby(keys)["weight"].sum().reset_index()
    return rows.sort_values(["duration", "observed", "entry", "weight"], ignore_index=True)


def _refuse(wrong: pd.Series, what: str) -> None:
    if wrong.any():
        raise Refusal(
            f"durations: {what} in {int(wrong.sum()):,} rows",
            where=f"the first is row {int(np.argmax(wrong.to_numpy())) + 1:,}",
        )


def _curve(rows: pd.DataFrame, *, weights: Weights, level: float) -> pd.DataFrame:
    duration, weight = rows["duration"].to_numpy(), rows["weight"].to_numpy()
    observed, entry = rows["observed"].to_numpy(), rows["entry"].to_numpy()
    times = np.unique(duration[observed])
    events = _summed(times, duration[observed], weight[observed])
    at_risk = _at_risk(times, duration, entry, weight)
    # Sums of weights that are not whole may miss each other by a rounding.
    at_risk = np.where(at_risk <= events * (1 + 1e-9), events, at_risk)
    with np.errstate(divide="ignore", invalid="ignore"):
        surviving = np.cumprod(1 - events / at_risk)
        if weights == "counts":
            variance = np.cumsum(events / (at_risk * (at_risk - events)))
        else:
            variance = _sampling_variance(rows, times, events, at_risk)
        error = surviving * np.sqrt(variance)
        z = stats.norm.isf((1 - level) / 2)
        reach = z * np.sqrt(variance) / np.log(surviving)
        low, high = surviving ** np.exp(-reach), surviving ** np.exp(reach)
    known = (surviving > 0) & (surviving < 1)
    return pd.DataFrame(
        {
            "time": times,
            "at_risk": at_risk,
            "events": events,
            "surviving": surviving,
            "low": np.where(known, np.minimum(low, surviving), np.nan),
            "high": np.where(known, np.maximum(high, surviving), np.nan),
            "standard_error": np.where(known, error, np.nan),
        }
    )


def _summed(times: FloatArray, at: FloatArray, weight: FloatArray) -> FloatArray:
    total = np.bincount(np.searchsorted(times, at), weights=weight, minlength=len(times))
    return np.asarray(total, dtype=np.float64)


def _at_risk(
    times: FloatArray, duration: FloatArray, entry: FloatArray, weight: FloatArray
) -> FloatArray:
    """(n_times,) weight with entry < t ≤ duration; those there from the start are at 0 too."""
    began = np.where(entry > 0, entry, -1.0)
    order = np.argsort(began, kind="stable")
    arrived = np.append(0.0, np.cumsum(weight[order]))
    in_order = np.argsort(duration, kind="stable")
    gone = np.append(0.0, np.cumsum(weight[in_order]))
    return (
        arrived[np.searchsorted(began[order], times, side="left")]
        - gone[np.searchsorted(duration[in_order], times, side="left")]
    )


def _sampling_variance(
    rows: pd.DataFrame, times: FloatArray, events: FloatArray, at_risk: FloatArray
) -> FloatArray:
    """(n_times,) Σ w² ψ², ψ the influence of a case on −log S (Lin 2000).

    ψ(t) = 1(ended by t) / (Y − d) − Σ over event times in (entry, min(t, duration)] of
    d / (Y (Y − d)); with equal weights this is Greenwood's variance.
    """
    duration, weight = rows["duration"].to_numpy(), rows["weight"].to_numpy()
    # Where all at risk end, S is 0 and its variance is not asked for.
    left = np.where(events < at_risk, at_risk - events, np.inf)
    passed = np.append(0.0, np.cumsum(events / (at_risk * left)))
    before = passed[np.searchsorted(times, rows["entry"].to_numpy(), side="right")]
    before = np.where(rows["entry"] > 0, before, 0.0)
    here = np.searchsorted(times, duration, side="right")  # event times up to the duration
    jump = np.where(rows["observed"], 1 / left[np.maximum(here - 1, 0)], 0.0)
    final = (jump - (passed[here] - before)) ** 2 * weight**2
    # Until its duration a case moves with `passed`: Σ w² (passed(t) − before)² over those there.
    n = len(times)
    first = np.searchsorted(times, np.where(rows["entry"] > 0, rows["entry"], -1.0), side="right")
    last = np.searchsorted(times, duration, side="left")
    moments = []
    for power in (0, 1, 2):
        value = weight**2 * before**power
        gain = np.bincount(first, weights=value, minlength=n + 1)
        loss = np.bincount(np.maximum(last, first), weights=value, minlength=n + 1)
        moments.append(np.cumsum(gain - loss)[:n])
    moving = moments[0] * passed[1:] ** 2 - 2 * moments[1] * passed[1:] + moments[2]
    return np.cumsum(np.bincount(last, weights=final, minlength=n + 1))[:n] + moving


def _quantile(found: Lifecycle, share: float) -> Estimate:
    if not 0 < share < 1:
        raise ValueError("a quantile's share is between 0 and 1")
    curve, unit = found.curve, found.stage.unit
    point = _first_at_most(curve["time"], curve["surviving"], 1 - share)
    low = _first_at_most(curve["time"], curve["low"], 1 - share)
    high = _first_at_most(curve["time"], curve["high"], 1 - share)
    note = None
    if point is None:
        reached = 1 - float(curve["surviving"].min()) if len(curve) else 0.0
        note = (
            f"not reached: {reached:.0%} of {found.n:,} got to {found.stage.end} within the "
            f"{found.follow_up:,.4g} {unit} that they were followed"
        )
    elif low is None or high is None:
        note = (
            "no interval: its upper end lies beyond the "
            f"{found.follow_up:,.4g} {unit} of follow-up"
            + (f", its lower end is {low:,.4g}" if low is not None else "")
        )
    known = note is None
    return Estimate(
        point=point,
        low=low if known else None,
        high=high if known else None,
        level=found.level,
        unit=unit,
        method=METHOD,
        n=found.n,
        note=note,
    )


def _first_at_most(times: pd.Series, values: pd.Series, level: float) -> float | None:
    """The first time whose value is at most `level`; None where none is."""
    # A sum of many shares may miss 1/2 by a rounding.
    below = np.flatnonzero(values.to_numpy() <= level + 1e-12)
    return float(times.iloc[below[0]]) if len(below) else None


def _ended_by(found: Lifecycle, time: float) -> Estimate:
    label = f"{METHOD}, by {time:,.4g} {found.stage.unit}"
    row = int(np.searchsorted(found.curve["time"].to_numpy(), time, side="right")) - 1
    last_zero = len(found.curve) and found.curve["surviving"].iloc[-1] == 0
    point = low = high = error = note = None
    if time > found.follow_up and not last_zero:
        note = f"not estimable: nobody was followed for more than {found.follow_up:,.4g}"
    elif row < 0:
        point, note = 0.0, "no interval: nothing had happened by then"
    else:
        at = found.curve.iloc[row]
        point = 1 - float(at["surviving"])
        if np.isfinite(at["low"]):
            low, high, error = 1 - at["high"], 1 - at["low"], at["standard_error"]
        else:
            note = "no interval: everything at risk had happened by then"
    return Estimate(
        point=point,
        low=low,
        high=high,
        standard_error=error,
        level=found.level,
        unit="share",
        method=label,
        n=found.n,
        note=note,
    )


def _checks(rows: pd.DataFrame, curve: pd.DataFrame, stage: Stage) -> tuple[Check, ...]:
    return (
        _censoring_check(rows, stage),
        _truncation_check(rows, stage),
        _risk_set_check(curve, stage),
    )


def _censoring_check(rows: pd.DataFrame, stage: Stage) -> Check:
    share = float(rows.loc[~rows["observed"], "weight"].sum() / rows["weight"].sum())
    name, label = "censoring", "cases not over yet"
    if share == 0:
        text = (
            f"All cases got to {stage.end}: if cases were chosen because they did, long times "
            "are missing and the curve is too short."
        )
        return Check(name=name, verdict="warn", label="only finished cases", text=text)
    text = (
        f"By the weights of the sample, {share:.0%} of cases had not got to {stage.end} by the end "
        "of the data; they count."
    )
    return Check(name=name, verdict="pass", label=label, text=text)


def _truncation_check(rows: pd.DataFrame, stage: Stage) -> Check:
    late = float(rows.loc[rows["entry"] > 0, "weight"].sum() / rows["weight"].sum())
    name, label = "left_truncation", "cases from before the data"
    if late > 0:
        text = (
            f"{late:.0%} of cases began before the data; they count from when they came into "
            "view, and those that were over before that are not seen."
        )
        return Check(name=name, verdict="pass", label=label, text=text)
    text = (
        f"Every case is taken to be in view from its {stage.start}. Cases that began before the "
        "data need an entry time, or the curve is too long."
    )
    return Check(name=name, verdict="not_run", label=label, text=text)


def _risk_set_check(curve: pd.DataFrame, stage: Stage) -> Check:
    name = "risk_set"
    if curve.empty:
        text = f"No case got to {stage.end}: there is no curve, only a bound."
        return Check(name=name, verdict="warn", label="nothing happened", text=text)
    few = int((curve["at_risk"] < SMALL).sum())
    early = curve["at_risk"].iloc[0] < SMALL
    text = (
        f"{few:,} of {len(curve):,} event times have fewer than {SMALL} cases at risk"
        + (", the first among them: the whole curve rests on them." if early else ", at the end.")
        if few
        else f"At least {SMALL} cases are at risk at every event time."
    )
    return Check(name=name, verdict="warn" if early else "pass", label="cases at risk", text=text)
