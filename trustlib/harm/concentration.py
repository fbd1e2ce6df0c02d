"""How few actors are behind the harm: Lorenz curve, Gini, shares of the top.

All from a histogram (how many actors have how much), so that millions of actors cost no more than
the number of different amounts. Ties share their rank: the top 1 % of 250 actors is two and a half
actors, and any of those with the same amount will do.

Intervals redraw the actors: another window, or another sample, would have had others. They say
nothing about errors in an actor's own amount. The bootstrap's spread and bias are taken on the
logit scale, with Student's t on half as many degrees of freedom as there are actors in the top: a
share that hangs on ten accounts is less sure than its own spread says. Measured at 95 %
(tests/harm/test_concentration.py and the note there): .89 to .97 with moderate tails; as low as .82
where amounts follow a Pareto law of index 2.2 and there are 200 actors, which no bootstrap mends,
so a very large first actor is said in a check.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit, logit, stdtrit

from trustlib.core import Check, Estimate
from trustlib.core.format import percent, plural
from trustlib.harm.sample import FloatArray, IntArray

METHOD = "actor bootstrap, logit scale"
FEW = 30  # actors with harm
FEWEST = 5  # actors in a top whose share gets an interval
LARGE = 0.1  # of the harm, with one actor
CURVE = 101  # points of the curve that is handed out


@dataclass(frozen=True, kw_only=True, eq=False)
class Histogram:
    """How many actors have how much harm.

    Attributes
    ----------
    value
        (V,) amounts, ascending, each once, ≥ 0.
    count
        (V,) actors with that amount, > 0.

    Raises
    ------
    ValueError
        If a value is negative or not a number, or a count is not a whole number of 0 or more.
    """

    value: FloatArray
    count: IntArray

    def __post_init__(self) -> None:
        value = np.asarray(self.value, dtype=np.float64)
        count = np.asarray(self.count, dtype=np.float64)
        if value.shape != count.shape or value.ndim != 1:
            raise ValueError("Histogram: value and count need one entry per amount")
        if not (np.isfinite(value) & (value >= 0)).all():
            raise ValueError("Histogram: an amount is not a number of 0 or more")
        if not (np.isfinite(count) & (count >= 0) & (count == np.floor(count))).all():
            raise ValueError("Histogram: a count is not a whole number of 0 or more")
        amounts, place = np.unique(value, return_inverse=True)
        summed = np.bincount(place, count, minlength=len(amounts)).astype(np.int64)
        object.__setattr__(self, "value", amounts[summed > 0])
        object.__setattr__(self, "count", summed[summed > 0])

    @property
    def actors(self) -> int:
        """All of them, those without harm too."""
        return int(self.count.sum())

    @property
    def harm(self) -> float:
        """Of all actors together."""
        return math.fsum(self.value * self.count)


@dataclass(frozen=True, kw_only=True, eq=False)
class Concentration:
    """How unevenly harm lies on actors.

    Attributes
    ----------
    actors, actors_with_harm, harm
        Counts, and the amount of all.
    gini
        0 where all have the same, near 1 where one has all.
    top_share, top_count
        part of the actors -> part of the harm that the highest have; and number of actors -> it.
    actors_behind_half
        The fewest actors who have half of the harm.
    curve
        Lorenz: actors (share, from those with least), harm, low, high (for each point of its own).
    checks
        enough_actors, largest_actor.
    """

    actors: int
    actors_with_harm: int
    harm: float
    gini: Estimate
    top_share: dict[float, Estimate]
    top_count: dict[int, Estimate]
    actors_behind_half: Estimate
    curve: pd.DataFrame
    checks: tuple[Check, ...]


def concentration(
    histogram: Histogram,
    *,
    level: float = 0.95,
    top_shares: tuple[float, ...] = (0.01, 0.1),
    top_counts: tuple[int, ...] = (10,),
    replicates: int = 999,
    seed: int = 0,
) -> Concentration:
    """Gini, Lorenz curve and shares of the top, with intervals from redrawn actors.

    Actors without harm count where the histogram has them (amount 0): say of whom it is. Whole
    histograms are redrawn as one multinomial each, so the cost is replicates × amounts. Intervals
    of shares are the bootstrap's spread on the logit scale around the point.

    Raises
    ------
    ValueError
        If a share is not in (0, 1], a count is not above 0, or there is no actor.
    """
    if not all(0 < part <= 1 for part in top_shares) or not all(k > 0 for k in top_counts):
        raise ValueError("concentration: a top is a share in (0, 1] or a number of actors above 0")
    if not histogram.actors:
        raise ValueError("concentration: there is no actor")
    value, count, n = histogram.value, histogram.count, histogram.actors
    point = _measures(value, np.asarray(count[None, :], dtype=np.float64), top_shares, top_counts)
    random = np.random.default_rng(seed)
    drawn = [point[:0]]
    per = max(1, 4_000_000 // len(value))
    for first in range(0, replicates, per):
        redrawn = random.multinomial(n, count / n, size=min(per, replicates - first))
        redrawn = redrawn[redrawn @ value > 0]
        whole = np.asarray(redrawn, dtype=np.float64)
        drawn.append(_measures(value, whole, top_shares, top_counts))
    again = np.concatenate(drawn)
    with_harm = int(count[value > 0].sum())

    def share(at: int, top: float, unit: str = "share of the harm") -> Estimate:
        return _share(point[0, at], again[:, at], top=top, level=level, unit=unit, n=with_harm)

    first, last = 2 + len(top_shares), 2 + len(top_shares) + len(top_counts)
    low, high = _ends(point[0, last:], again[:, last:], level)
    return Concentration(
        actors=n,
        actors_with_harm=with_harm,
        harm=histogram.harm,
        gini=share(0, with_harm, "Gini coefficient"),
        top_share={part: share(2 + at, part * n) for at, part in enumerate(top_shares)},
        top_count={k: share(first + at, k) for at, k in enumerate(top_counts)},
        actors_behind_half=_half(point[0, 1], again[:, 1], level=level, n=with_harm),
        curve=pd.DataFrame({"actors": _GRID, "harm": point[0, last:], "low": low, "high": high}),
        checks=(_enough_actors(with_harm), _largest_actor(histogram)),
    )


_GRID = np.linspace(0, 1, CURVE)


def _measures(
    value: FloatArray, count: FloatArray, shares: tuple[float, ...], counts: tuple[int, ...]
) -> FloatArray:
    """Gini, actors behind half, top shares, top counts and the curve; a row per histogram."""
    rows = np.full((len(count), 2 + len(shares) + len(counts) + CURVE), np.nan)
    for at, row in enumerate(count):
        n = row.sum()
        actors = np.concatenate([[0.0], np.cumsum(row)])
        harm = np.concatenate([[0.0], np.cumsum(row * value)])
        if not harm[-1] > 0:
            continue
        lorenz = harm / harm[-1]
        gini = 1 - float(np.sum(row * (lorenz[1:] + lorenz[:-1]))) / n
        # Of equal amounts any part may be taken, so the curve is straight between its corners.
        tops = np.concatenate([np.asarray(shares) * n, np.minimum(counts, n)])
        rows[at, 0] = max(0.0, gini)
        rows[at, 1] = n - np.interp(0.5, lorenz, actors)
        rows[at, 2 : 2 + len(tops)] = 1 - np.interp(n - tops, actors, lorenz)
        rows[at, 2 + len(tops) :] = np.interp(_GRID * n, actors, lorenz)
    return rows


def _ends(point: FloatArray, again: FloatArray, level: float) -> tuple[FloatArray, FloatArray]:
    """Percentiles of the bootstrap, around the point's own."""
    tail = (1 - level) / 2
    if not len(again):
        return np.full_like(point, np.nan), np.full_like(point, np.nan)
    low, high = np.quantile(again, [tail, 1 - tail], axis=0)
    return np.minimum(low, point), np.maximum(high, point)


def _share(
    point: float, again: FloatArray, *, top: float, level: float, unit: str, n: int
) -> Estimate:
    """With the bootstrap's spread and bias on the logit scale; `top` actors hold the share."""

    def made(low: float | None, high: float | None, note: str | None) -> Estimate:
        known = None if math.isnan(point) else float(point)
        return Estimate(point=known, low=low, high=high, level=level, unit=unit, method=METHOD,
                        n=n, note=note)  # fmt: skip

    inside = again[(again > 0) & (again < 1)]
    if math.isnan(point):
        return made(None, None, "not estimable: no actor has any harm")
    if not 0 < point < 1 or len(inside) < 0.9 * len(again) or np.ptp(inside) == 0:
        return made(None, None, "no interval: redrawn actors do not differ enough")
    if top < FEWEST:
        return made(None, None, f"no interval: fewer than {FEWEST} actors in the top")
    moved = logit(inside)
    centre = 2 * float(logit(point)) - float(moved.mean())
    half = float(stdtrit(max(top / 2, 1), 0.5 + level / 2)) * float(moved.std(ddof=1))
    low, high = float(expit(centre - half)), float(expit(centre + half))
    return made(min(low, point), max(high, point), None)


def _half(point: float, again: FloatArray, *, level: float, n: int) -> Estimate:
    """The fewest actors behind half of the harm, whole actors, on the log scale."""
    unit, again = "accounts", again[np.isfinite(again)]
    if math.isnan(point):
        return Estimate(point=None, low=None, high=None, level=level, unit=unit, method=METHOD,
                        n=n, note="not estimable: no actor has any harm")  # fmt: skip
    whole = math.ceil(point - 1e-9)
    if point < FEWEST or len(again) < 2:
        return Estimate(point=whole, low=None, high=None, level=level, unit=unit, method=METHOD,
                        n=n, note=f"no interval: fewer than {FEWEST} actors")  # fmt: skip
    moved = np.log(again)
    centre = 2 * math.log(point) - float(moved.mean())
    half = float(stdtrit(max(point / 2, 1), 0.5 + level / 2)) * float(moved.std(ddof=1))
    low, high = math.floor(math.exp(centre - half)), math.ceil(math.exp(centre + half))
    return Estimate(
        point=whole, low=min(max(low, 1), whole), high=max(min(high, n), whole), level=level,
        unit=unit, method="actor bootstrap, log scale", n=n,
    )  # fmt: skip


def _enough_actors(with_harm: int) -> Check:
    name, seen = "enough_actors", plural(with_harm, "account")
    if with_harm < FEW:
        return Check(name=name, verdict="warn", label="few accounts with harm",
                     text=f"{seen} with harm: how concentrated it is, is little more than who "
                     "they happen to be.")  # fmt: skip
    return Check(name=name, verdict="pass", label="enough accounts with harm",
                 text=f"{seen} with harm.")  # fmt: skip


def _largest_actor(histogram: Histogram) -> Check:
    name, harm = "largest_actor", histogram.harm
    if not harm > 0:
        return Check(name=name, verdict="not_run", label="no harm counted",
                     text="No account has any harm, so nothing is concentrated.")  # fmt: skip
    share = float(histogram.value[-1]) / harm
    if share > LARGE:
        return Check(name=name, verdict="warn", label="one account weighs much",
                     text=f"One account alone has {percent(share)} of the harm. Without it the "
                     "picture is another, and the intervals do not tell how much.")  # fmt: skip
    return Check(name=name, verdict="pass", label="no single account decides",
                 text=f"The account with most harm has {percent(share)} of it.")  # fmt: skip
