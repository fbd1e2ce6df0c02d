"""A made-up platform for the tests of a deep-dive's views: items, labels, controls, rings.

Numbered by week from 0; the window is the last four weeks, "now" its last two. The share of
violating items doubles in week 8, for no reason of the instrument; raters miss nearly half of it
until the guideline of week 14; from week 18 on one market posts more, and more violating videos.
A ring of accounts posts much of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from trustlib.harm import LabelledSample, Population

WEEKS, WINDOW, NOW, GUIDELINE = 20, 16, 18, 14
MARKETS = ("acacia", "birch", "cedar", "dogwood", "elm", "fir")
KINDS = ("image", "text", "video")
STRATA = ("score-00-35", "score-35-65", "score-65-99")
CONTROLS = ("scam_model", "scam_review", "scam_rule", "reported")
_CUTS = (0.35, 0.65)
_ACCOUNTS, _A_WEEK, _LABELS = 4_000, 7_000, (500, 350, 70)


@dataclass(frozen=True, kw_only=True, eq=False)
class World:
    """`items`: one row each (account, ring, market, kind, stratum: codes; week, score, views,
    violating, one column per control). `labels`: the sampled rows, with inclusion and votes."""

    items: pd.DataFrame
    labels: pd.DataFrame
    votes: np.ndarray


def world(seed: int = 5) -> World:
    random = np.random.default_rng(seed)
    items = _items(random)
    rows, inclusion = _sampled(items, random)
    labels = items.iloc[rows].assign(inclusion=inclusion).reset_index(drop=True)
    truth = labels["violating"].to_numpy()
    seen = np.where(labels["week"] < GUIDELINE, 0.55, 0.9)
    rate = np.where(truth, seen, 0.001)[:, None]
    votes = (random.random((len(labels), 3)) < rate).astype(float)
    votes[random.random(votes.shape) < 0.3] = np.nan
    votes[:, 0] = np.where(np.isnan(votes).all(axis=1), truth, votes[:, 0])
    label = (np.nanmean(votes, axis=1) > 0.5).astype(float)
    return World(items=items, labels=labels.assign(label=label), votes=votes)


def _items(random: np.random.Generator) -> pd.DataFrame:
    n = WEEKS * _A_WEEK
    home = random.choice(len(MARKETS), _ACCOUNTS, p=(0.3, 0.24, 0.18, 0.14, 0.1, 0.04))
    ring = np.full(_ACCOUNTS, -1)
    for code, (first, size) in enumerate(((0, 48), (48, 26), (74, 14), (88, 8))):
        ring[first : first + size] = code
    home[ring == 0] = 3
    week = np.repeat(np.arange(WEEKS), _A_WEEK)
    account = random.integers(0, _ACCOUNTS, n)
    more = np.flatnonzero((week >= NOW) & (random.random(n) < 0.08))
    account[more] = random.choice(np.flatnonzero(home == 3), len(more))
    kind = random.choice(3, n, p=(0.4, 0.4, 0.2))
    chance = np.where(week < 8, 0.005, 0.014) * np.array([1, 1, 0.8, 1.2, 0.7, 2])[home[account]]
    chance = np.where(ring[account] >= 0, np.where(week < 8, 0.15, 0.45), chance)
    chance = np.where((week >= NOW) & (home[account] == 3) & (kind == 2), 0.25 + chance / 2, chance)
    violating = random.random(n) < chance
    score = np.clip(random.beta(2, 7, n) + violating * random.beta(3, 4, n), 0, 0.99)
    frame = pd.DataFrame(
        {
            "account": account,
            "ring": ring[account],
            "market": home[account],
            "kind": kind,
            "week": week,
            "score": score,
            "stratum": np.searchsorted(_CUTS, score, side="right"),
            "views": random.negative_binomial(1, 0.02, n) * (1 + violating),
            "violating": violating,
        }
    )
    for name, found, wrong in (
        ("scam_model", 0.45 * (score > 0.55), 0.004 * (score > 0.45)),
        ("scam_review", 0.16, 0.0002),
        ("scam_rule", 0.22, 0.001),
        ("reported", 0.14, 0.002),
    ):
        frame[name] = random.random(n) < np.where(violating, found, wrong)
    return frame


def _sampled(items: pd.DataFrame, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    rows, inclusion = [], []
    for _, part in items.groupby(["week", "stratum"]):
        take = min(len(part), _LABELS[int(part["stratum"].iloc[0])])
        rows.append(np.sort(random.choice(part.index.to_numpy(), take, replace=False)))
        inclusion.append(np.full(take, take / len(part)))
    return np.concatenate(rows), np.concatenate(inclusion)


def sample_of(made: World, inside: np.ndarray) -> LabelledSample:
    """The labels given by a mask over `labels`."""
    labels = made.labels[inside]
    columns = {name: labels[name].to_numpy() for name in ("stratum", "inclusion", "label", "score")}
    return LabelledSample(
        **columns,
        views=labels["views"].to_numpy(float),
        actor=labels["account"].to_numpy(),
        segments={name: labels[name].to_numpy() for name in ("market", "kind")},
        segment_names={"market": MARKETS, "kind": KINDS},
        votes=made.votes[inside],
    )


def population_of(items: pd.DataFrame) -> Population:
    """The totals of these items."""

    def counted(name: str, size: int, weight: pd.Series) -> np.ndarray:
        table = np.zeros((size, len(STRATA)))
        np.add.at(table, (items[name].to_numpy(), items["stratum"].to_numpy()), weight)
        return table

    one = pd.Series(1.0, index=items.index)
    sizes = {"market": len(MARKETS), "kind": len(KINDS)}
    return Population(
        items=counted("stratum", len(STRATA), one).diagonal(),
        views=counted("stratum", len(STRATA), items["views"]).diagonal(),
        strata=STRATA,
        by_segment={name: counted(name, size, one) for name, size in sizes.items()},
        views_by_segment={
            name: counted(name, size, items["views"]) for name, size in sizes.items()
        },
    )
