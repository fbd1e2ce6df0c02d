"""The final count of one kind of arrivals about the incident, from those that are in.

It is Σ c(a) / F(a − 1) over the ages a of the window's events: c(a) of them
arrived within the whole steps that they could, and F says which share that is
(`trustlib.postmortem.delays`, where the sources are). Arrivals in the step that an event is still
in are seen in part; they are counted as seen, never scaled up.

The prediction interval has four parts, drawn together:

- c(a) itself is a draw: the mean behind it is Gamma(c) at the low end and Gamma(c + 1) at the
  high end, as in Garwood's (1936) exact Poisson interval;
- F is learnt: whole days of the history are drawn anew (with replacement), and one arrival more
  may lie beyond the longest delay that any could have shown;
- windows differ beyond chance (batches, weekends, days that were slow): the same forecast is made
  for each earlier stretch of the window's length, and tau² = max(0, Σ(e² − v) / Σ m²) of its
  errors e, with v the variance that counting explains and m what was still to come by F; it is
  drawn as a variance known from w stretches is (chi-square), after √(2 / w) was added to it,
  since too small a tau is the dearer fault;
- what comes is counted: Poisson.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from trustlib.core import Window, format
from trustlib.data.incident_records import STEP_HOURS
from trustlib.postmortem.delays import (
    STEPS_A_DAY,
    Cohorts,
    Delays,
    FloatArray,
    cohorts,
    delays,
    reach,
)

FINAL = 0.99  # of the window's arrivals are in
DRAWS = 1000
# Below this share of what will come, a nowcast is a guess.
_LEAST_IN = 0.05
# Above this share beyond the longest delay seen, nobody knows where it ends.
_MOST_BEYOND = 0.25
_FEWEST_HISTORY = 20
_STEP = timedelta(hours=STEP_HOURS)


@dataclass(frozen=True, kw_only=True, eq=False)
class Nowcast:
    """One kind.

    Attributes
    ----------
    seen
        Arrivals about the window so far.
    final, low, high
        Their number in the end; None where not estimable, and then `why` says so.
    steps
        Delay within which 99 % arrive; NaN unknown.
    learnt
        The delays behind it; None where there are none.
    """

    seen: int
    final: float | None = None
    low: float | None = None
    high: float | None = None
    steps: float = float("nan")
    learnt: Delays | None = None
    why: str | None = None


def window_ages(window: Window, observed_until: datetime) -> range:
    """Whole steps from the events of `window` to `observed_until`, youngest first."""
    youngest = max(window.end - timedelta(microseconds=1), window.start)
    if window.start >= observed_until:
        return range(0)
    low = max(0, int((observed_until - youngest) // _STEP))
    return range(low, int((observed_until - window.start) // _STEP) + 1)


def nowcast(
    arrivals: pd.DataFrame, *, ages: range, level: float, seed: int, draws: int = DRAWS
) -> Nowcast:
    """The final count of one kind from its arrivals (in_window, age, delay, n).

    `ages` are those of the window's events, in steps (`window_ages`).
    """
    inside = arrivals["in_window"].to_numpy(dtype=bool)
    seen = int(arrivals["n"][inside].sum())
    own, history = arrivals[inside], arrivals[~inside]
    if not len(ages):
        return Nowcast(seen=seen, why="the window begins after the last row")
    n_history = int(history["n"].sum())
    if n_history < _FEWEST_HISTORY:
        return Nowcast(seen=seen, why="too few arrivals about other times to learn delays from")
    steps = int(arrivals["age"].max()) + 1
    all_days, own_days = cohorts(history, steps=steps), cohorts(own, steps=steps)
    came = all_days.came.sum(axis=0) + own_days.came.sum(axis=0)
    at_risk = all_days.at_risk.sum(axis=0) + own_days.at_risk.sum(axis=0)
    far = reach(at_risk)
    # Where all that was learnt came early, nothing is expected later either: then it may be short.
    if far == 0 or (far <= ages[0] and came[far // 2 : far].sum() > 0):
        return Nowcast(seen=seen, why="no other events are old enough to say what comes later")
    learnt = delays(came[None, :far], at_risk[None, :far])
    why = _too_open(learnt, ages)
    if why:
        return Nowcast(seen=seen, learnt=learnt, why=why)
    own_counts = _by_age(own, ages)
    point = max(float(seen), float(_final(*own_counts, learnt, ages)[0]))
    rng = np.random.default_rng([seed, 8])
    low, high = _interval(
        own_counts, (all_days, own_days), learnt, history, ages,
        level=level, draws=draws, rng=rng,
    )  # fmt: skip
    return Nowcast(
        seen=seen,
        final=point,
        low=max(float(seen), min(low, point)),
        high=max(high, point),
        steps=learnt.quantile(FINAL),
        learnt=learnt,
    )


def _too_open(learnt: Delays, ages: range) -> str | None:
    """Why the delays do not tell the final count, where they do not."""
    if learnt.beyond[0] > _MOST_BEYOND:
        return "arrivals take about as long as the history lasts, nobody sees where they end"
    if learnt.before(ages)[0].mean() < _LEAST_IN:
        share = format.percent(_LEAST_IN)
        return f"too early: less than {share} of what will come is expected to be in"
    return None


def _by_age(own: pd.DataFrame, ages: range) -> tuple[FloatArray, FloatArray]:
    """Arrivals of the window by the age of their event: in whole steps, and in the last one."""
    counts = np.zeros((2, len(ages)))
    at = np.clip(own["age"].to_numpy(dtype=int) - ages[0], 0, len(ages) - 1)
    part = (own["delay"] >= own["age"]).to_numpy(dtype=int)
    np.add.at(counts, (part, at), own["n"].to_numpy(dtype=float))
    return counts[0], counts[1]


def _means(counts: FloatArray, seen_share: FloatArray, old: np.ndarray) -> FloatArray:
    """(B, K) final counts by age; those too young to tell have the mean of the others."""
    safe = np.where(old, np.maximum(seen_share, 1e-9), 1.0)
    means = np.where(old, counts / safe, 0.0)
    return np.where(old, means, means.sum(axis=1, keepdims=True) / max(1, old.sum()))


def _old(learnt: Delays, ages: range) -> np.ndarray:
    return np.asarray(learnt.before(ages)[0] >= _LEAST_IN)


def _final(whole: FloatArray, part: FloatArray, learnt: Delays, ages: range) -> FloatArray:
    means = _means(whole[None, :], learnt.before(ages), _old(learnt, ages))
    return means.sum(axis=1)


def _interval(
    own_counts: tuple[FloatArray, FloatArray],
    parts: tuple[Cohorts, Cohorts],
    learnt: Delays,
    history: pd.DataFrame,
    ages: range,
    *,
    level: float,
    draws: int,
    rng: np.random.Generator,
) -> tuple[float, float]:
    """Ends of the prediction interval; the module's head names its parts."""
    whole, part = own_counts
    days, own = parts
    far = learnt.reach
    n_days = len(days.came)
    weight = rng.multinomial(n_days, np.full(n_days, 1 / n_days), size=draws).astype(float)
    drawn = delays(
        weight @ days.came[:, :far] + own.came[:, :far].sum(axis=0),
        weight @ days.at_risk[:, :far] + own.at_risk[:, :far].sum(axis=0),
    )
    old = _old(learnt, ages)
    share = drawn.before(ages)
    unseen = 1 + rng.exponential(size=draws) / learnt.far[0]
    base = rng.gamma(np.where(old, whole, 0.0), size=(draws, len(ages)))
    more = rng.gamma(1 / max(1, old.sum()), size=(draws, len(ages)))
    spread = _spread(history, learnt, ages, draws=draws, rng=rng)
    tail = (1 - level) / 2
    ends = []
    for counts, seen_share, strays, q, how in (
        (base, share, spread[0], tail, "lower"),
        (base + more, share / unseen[:, None], spread[1], 1 - tail, "higher"),
    ):
        means = _means(counts, seen_share, old)
        to_come = (means * np.where(old, 1 - seen_share, 1.0)).sum(axis=1)
        come = rng.poisson(np.minimum(to_come * strays, 1e15))
        final = whole.sum() + np.maximum(come, part.sum())
        ends.append(float(np.quantile(final, q, method=how)))  # type: ignore[call-overload]
    return ends[0], ends[1]


def _spread(
    history: pd.DataFrame, learnt: Delays, ages: range, *, draws: int, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """(draws,) factors by which what comes strays beyond chance: for the low end, for the high.

    Gamma and log-normal of the same variance: nobody knows the law of few stretches, and the one
    has more mass near nothing, the other far out.
    """
    tau_squared, windows = excess_variance(history, learnt, ages)
    if tau_squared <= 0:
        return np.ones(draws), np.ones(draws)
    drawn = np.minimum(tau_squared * windows / rng.chisquare(windows, size=draws), 20.0)
    normal = np.sqrt(np.log1p(drawn)) * rng.standard_normal(draws)
    return rng.gamma(1 / drawn) * drawn, np.exp(np.clip(normal, -5.0, 5.0))


def excess_variance(history: pd.DataFrame, learnt: Delays, ages: range) -> tuple[float, float]:
    """tau² of the same forecast for earlier stretches, and how many of them it rests on.

    A stretch began j steps before the window did. Of its events of age x, those that had come
    by x − j foretell those that came from then to x, which are all in.
    """
    length = -(-len(ages) // STEPS_A_DAY) * STEPS_A_DAY  # whole days: the same hours
    age, delay = (history[name].to_numpy(dtype=int) for name in ("age", "delay"))
    n = history["n"].to_numpy(dtype=float)
    stretch, offset = np.divmod(age - ages[0], length)
    ages_then = ages[0] + offset
    then = learnt.before(ages_then)[0]
    keep = (stretch >= 1) & (offset < len(ages)) & (then >= _LEAST_IN) & (delay < age)
    age, delay, n, stretch, then, ages_then = (
        values[keep] for values in (age, delay, n, stretch, then, ages_then)
    )
    if not len(n):
        return 0.0, 1.0
    later = 1 - then / learnt.before(age)[0]  # of those that had x steps, so many took longer
    early = delay < ages_then
    error = np.bincount(stretch, n * np.where(early, -later / (1 - later), 1.0))
    forecast = np.bincount(stretch, n * later)
    chance = np.bincount(stretch, n * later / (1 - later))
    size = float(np.sum(forecast**2))
    if size <= 0:
        return 0.0, 1.0
    windows = max(1.0, size**2 / float(np.sum(forecast**4)))
    tau_squared = max(0.0, float(np.sum(error**2 - chance)) / size)
    return tau_squared * (1 + np.sqrt(2 / windows)), windows
