"""What each setting of a rule costs: false alarms a week against the delay, and which to take.

The recommended setting is the one that fires soonest after the start of impact with at most so
many false alarms a week; of equals the one with fewer false alarms, then the simpler kind, then
the middle one of what is left. It is tuned on the history that judges it: whole weeks are drawn
anew (weeks keep their own dependence between hours), and `held_out` chooses on the older half of
the weeks and counts in the newer half.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from trustlib.postmortem.alert_rules import KINDS, FloatArray, Watch, alarms, fires, scores

SETTINGS = 40  # of each kind between always and never
DRAWS = 1000
_SAME = 1e-9


@dataclass(frozen=True, kw_only=True, eq=False)
class Played:
    """The settings of one kind, played over the whole record.

    Attributes
    ----------
    values
        (S,) from the most sensitive to the least.
    false_alarms
        (S, W) that began in each week.
    watched
        (W,) weeks' worth of buckets in which one could have.
    fired
        (S,) position of the first bucket in which it fires during the incident; −1 never.
    delay_hours
        (S,) from the start of impact to the end of that bucket; NaN never.
    """

    kind: str
    values: FloatArray
    false_alarms: FloatArray
    watched: FloatArray
    fired: npt.NDArray[np.int64]
    delay_hours: FloatArray

    def rates(self, weight: FloatArray | None = None) -> FloatArray:
        """False alarms a week, (S,), or (S, B) for weights (W, B); NaN where none was watched."""
        drawn = np.ones(len(self.watched)) if weight is None else weight
        weeks = np.asarray(self.watched @ drawn)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(weeks > _SAME, (self.false_alarms @ drawn) / weeks, np.nan)


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A kind (its place among the kinds played) and one of its settings."""

    kind: int
    setting: int


def settings(kind: str, seen: Watch) -> FloatArray:
    """From always to never, rounded so that one can type them: finest where alarms are few."""
    if kind == "cusum":
        z = scores(seen)
        running = np.cumsum(np.where(np.isfinite(z), z - 0.5, 0.0))
        unreset = running - np.minimum.accumulate(np.minimum(running, 0.0))
        top = max(2.0, float(np.max(unreset, initial=0.0)))
        wide = _rounded(np.geomspace(0.5, top, SETTINGS + 10))
        return np.unique(np.concatenate([[0.0], wide, [np.ceil(top) + 1]]))
    with np.errstate(divide="ignore", invalid="ignore"):
        score = seen.sign * (seen.count if kind == "threshold" else seen.count / seen.reference)
    known = np.isfinite(score)
    judged = np.sort(score[seen.judged(kind) & known])[::-1]
    if not len(judged):
        return np.zeros(0)
    ranks = np.unique(np.geomspace(1, len(judged), SETTINGS).astype(int)) - 1
    highest = float(score[known].max())
    inside = np.concatenate([judged[ranks], np.linspace(judged[0], highest, 12)])
    step = 1.0 if kind == "threshold" else 0.01
    # Rounded to the less sensitive side, as 11.2 fires from 12 on; the ends to the outside.
    made = np.ceil(np.round(inside / step, 6))
    ends = [np.floor(score[known].min() / step), np.floor(highest / step) + 1]
    made = np.clip(made, *ends)
    return np.asarray(seen.sign * np.round(np.unique(np.concatenate([made, ends])) * step, 6) + 0.0)


def _rounded(values: FloatArray) -> FloatArray:
    """To three significant digits."""
    place = 10.0 ** (np.floor(np.log10(values)) - 2)
    return np.round(np.round(values / place) * place, 9)


def played(
    kind: str, values: FloatArray, seen: Watch, *, impact_start: pd.Timestamp, weeks: np.ndarray
) -> Played:
    """Play each of `values`; `weeks` (W,) are those of `Watch.week` that count."""
    judged = seen.judged(kind)
    column = np.searchsorted(weeks, seen.week)
    column = np.where(weeks[np.minimum(column, len(weeks) - 1)] == seen.week, column, len(weeks))
    watched = np.bincount(
        column[judged], seen.length[judged] / seen.grid.per_week, minlength=len(weeks) + 1
    )
    fired = fires(kind, values, seen)
    false = np.zeros((len(values), len(weeks) + 1))
    for i, row in enumerate(fired):
        begun = alarms(row, seen)
        false[i] = np.bincount(column[begun[judged[begun]]], minlength=len(weeks) + 1)
    first, delay = _first(fired, seen, impact_start)
    return Played(
        kind=kind,
        values=np.asarray(values, dtype=float),
        false_alarms=false[:, : len(weeks)],
        watched=watched[: len(weeks)].astype(float),
        fired=first,
        delay_hours=delay,
    )


def ends_at(seen: Watch, position: int) -> pd.Timestamp:
    """When the bucket ends; a rule knows its count only then."""
    start = seen.grid.start_at[position]
    return start + pd.Timedelta(hours=seen.hours * float(seen.length[position]))


def _first(
    fired: np.ndarray, seen: Watch, impact_start: pd.Timestamp
) -> tuple[npt.NDArray[np.int64], FloatArray]:
    hit = np.asarray(seen.grid.start_at >= impact_start)
    stop = np.flatnonzero(seen.grid.in_window)[-1]
    hit &= np.arange(len(hit)) <= stop
    during = fired & hit
    first = np.where(during.any(axis=1), during.argmax(axis=1), -1).astype(np.int64)
    delay = [
        (ends_at(seen, i) - impact_start).total_seconds() / 3600 if i >= 0 else np.nan
        for i in first.tolist()
    ]
    return first, np.array(delay, dtype=float)


def chosen(
    kinds: Sequence[Played], *, limit: float, weight: FloatArray | None = None
) -> Choice | None:
    """The recommended setting, by the module's rule; None where none is good enough."""
    found = [_best(one, limit=limit, weight=None if weight is None else weight[:, None])
             for one in kinds]  # fmt: skip
    order = [
        (one[1][0], round(float(one[2][0]), 9), place)
        for place, one in enumerate(found)
        if one[0][0] >= 0
    ]
    if not order:
        return None
    place = min(order)[2]
    return Choice(kind=place, setting=int(found[place][0][0]))


def _best(
    one: Played, *, limit: float, weight: FloatArray | None
) -> tuple[npt.NDArray[np.int64], FloatArray, FloatArray]:
    """Best setting (−1 none), its delay and rate, each (B,), for weights (W, B)."""
    weight = np.ones((len(one.watched), 1)) if weight is None else weight
    n = weight.shape[1]
    if not len(one.values):
        return np.full(n, -1), np.full(n, np.inf), np.full(n, np.inf)
    rate = one.rates(weight)
    fine = (rate <= limit + _SAME) & np.isfinite(one.delay_hours)[:, None]
    delay = np.where(fine, one.delay_hours[:, None], np.inf)
    soonest = delay.min(axis=0)
    close = fine & (delay <= soonest + _SAME)
    fewest = np.where(close, rate, np.inf).min(axis=0)
    close &= rate <= fewest + _SAME
    middle = (close.sum(axis=0) + 1) // 2
    at = (np.cumsum(close, axis=0) == np.maximum(middle, 1)).argmax(axis=0)
    return np.where(close.any(axis=0), at, -1).astype(np.int64), soonest, fewest


def resampled_weeks(n_weeks: int, *, seed: int, draws: int = DRAWS) -> FloatArray:
    """(W, draws) how often each week is in each draw of as many weeks."""
    rng = np.random.default_rng([seed, 9])
    return rng.multinomial(n_weeks, np.full(n_weeks, 1 / n_weeks), size=draws).T.astype(float)


@dataclass(frozen=True, kw_only=True, eq=False)
class Redrawn:
    """The choice in each draw of weeks.

    Attributes
    ----------
    values
        (n,) settings of the recommended kind, in the draws in which one is good enough.
    same_kind
        Share of all draws that choose the recommended kind.
    none
        Share of draws in which nothing is good enough.
    """

    values: FloatArray
    same_kind: float
    none: float


def redrawn(
    kinds: Sequence[Played], choice: Choice, *, limit: float, weight: FloatArray
) -> Redrawn:
    """How the recommendation moves when weeks are drawn anew, `weight` (W, B)."""
    found = [_best(one, limit=limit, weight=weight) for one in kinds]
    delay = np.stack([one[1] for one in found])
    rate = np.stack([np.where(np.isfinite(one[1]), one[2], np.inf) for one in found])
    soonest = delay.min(axis=0)
    close = np.isfinite(delay) & (delay <= soonest + _SAME)
    fewest = np.where(close, rate, np.inf).min(axis=0)
    first = (close & (rate <= fewest + _SAME)).argmax(axis=0)
    any_good = np.isfinite(soonest)
    setting = found[choice.kind][0]
    return Redrawn(
        values=kinds[choice.kind].values[setting[setting >= 0]],
        same_kind=float(np.mean(any_good & (first == choice.kind))),
        none=float(np.mean(~any_good)),
    )


def held_out(kinds: Sequence[Played], *, limit: float) -> tuple[float, float, float] | None:
    """Choose on the older half of the weeks: its rate there, in the newer half, and those weeks.

    None where a half holds under two weeks, or nothing is good enough on the older one.
    """
    watched = kinds[0].watched
    at = np.flatnonzero(watched > 0)[::-1]  # weeks are counted back from the incident
    if len(at) < 4:
        return None
    older = np.zeros(len(watched))
    older[at[: len(at) // 2]] = 1.0
    newer = (watched > 0) - older
    choice = chosen(kinds, limit=limit, weight=older)
    if choice is None:
        return None
    one = kinds[choice.kind]
    return (
        float(one.rates(older)[choice.setting]),
        float(one.rates(newer)[choice.setting]),
        float(one.watched @ newer),
    )


def trade_off_frame(kinds: Sequence[Played]) -> pd.DataFrame:
    """kind, value, false_alarms_per_week, delay_hours; each kind from always to never."""
    parts = [
        pd.DataFrame(
            {
                "kind": one.kind,
                "value": one.values,
                "false_alarms_per_week": one.rates(),
                "delay_hours": one.delay_hours,
            }
        )
        for one in sorted(kinds, key=lambda one: KINDS.index(one.kind))
    ]
    return pd.concat(parts, ignore_index=True)
