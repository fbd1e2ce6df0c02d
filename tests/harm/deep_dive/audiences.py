"""Made-up worlds in which it is known who saw what: few views by many, or many by few.

600 violating items of 120 accounts, of unequal popularity; each viewer has a Poisson number of
violating views, with a mean that is the same for all, or differs as a gamma distribution does; or
eight of them see nearly everything. In "communities" viewers see items of their own only. What is
confirmed is what was labelled, and what a control found: items at random, all items of some
accounts, popular ones, or nearly only those that few people see over and over ("heavy"), or the
others ("light").
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
import pandas as pd

from tests.harm.deep_dive.worlds import world
from trustlib.data.abuse_records import AbuseRows, Confirmed

Audience = Literal["few repeats", "equal", "unequal", "very unequal", "bots", "communities",
                   "two crowds"]  # fmt: skip
Found = Literal["random", "accounts", "popular", "heavy", "light"]

ITEMS, ACCOUNTS, LABELLED, FOUND = 600, 120, 0.15, 0.4
CLEAN = {"low": 60_000, "high": 3_000}  # views of what does not violate
MEAN = {"few repeats": (6_000, 0.2, np.inf), "equal": (800, 4.0, np.inf),
        "unequal": (1_500, 2.0, 1.0), "very unequal": (2_500, 1.5, 0.3),
        "bots": (3_000, 0.3, np.inf), "communities": (1_500, 3.0, 1.0)}  # fmt: skip
_TEMPLATE, _ = world(0, items=6_000, labels=300, view_labels=100)


def audience(
    seed: int, kind: Audience, found: Found = "random", *, labels: int = 1_200
) -> tuple[AbuseRows, int]:
    """The rows, and how many accounts saw a violating item."""
    random = np.random.default_rng(seed)
    popular = random.gamma(0.7, 1, ITEMS)
    account = random.integers(0, ACCOUNTS, ITEMS)
    item, viewer, heavy = _views(random, kind, popular, account)
    labelled = random.random(ITEMS) < LABELLED
    positive = labelled & (random.random(ITEMS) < 0.9)
    confirmed = positive | _found(random, found, popular, account, heavy)
    each = pd.DataFrame({"item": item, "viewer": viewer})
    known = each[confirmed[item]]
    rows = replace(
        _TEMPLATE,
        **_drawn(random, item, account, labels),
        **_in_common(each[positive[item]], np.flatnonzero(positive)),
        confirmed=Confirmed(items=int(confirmed.sum()), views=len(known), accounts=1,
                            viewers=known["viewer"].nunique()),
    )  # fmt: skip
    return rows, int(each["viewer"].nunique())


def _views(random, kind, popular, account):
    """item, viewer (codes, one for each view), and which items have the crowd that repeats."""
    heavy = account % 2 == 0
    if kind == "two crowds":
        parts = [(200, 10.0, np.inf, heavy), (4_000, 0.25, np.inf, ~heavy)]
    elif kind == "communities":
        n, mean, shape = MEAN[kind]
        parts = [(n // 12, mean, shape, account % 12 == code) for code in range(12)]
    else:
        parts = [(*MEAN[kind], np.ones(ITEMS, dtype=bool))]
    items, viewers, first = [], [], 0
    for n, mean, shape, theirs in parts:
        rate = np.full(n, mean) if np.isinf(shape) else random.gamma(shape, mean / shape, n)
        if kind == "bots":
            rate[:8] = 0.5 * ITEMS
        viewer = np.repeat(np.arange(n), random.poisson(rate)) + first
        chance = popular * theirs
        items.append(random.choice(ITEMS, len(viewer), p=chance / chance.sum()))
        viewers.append(viewer)
        first += n
    return np.concatenate(items), np.concatenate(viewers), heavy


def _found(random, found, popular, account, heavy):
    if found == "accounts":
        return (random.random(ACCOUNTS) < FOUND)[account]
    chance = np.full(ITEMS, FOUND)
    if found == "popular":
        chance = np.clip(FOUND * popular / popular.mean(), 0, 0.95)
    if found in ("heavy", "light"):
        chance = np.where(heavy == (found == "heavy"), 0.6, 0.05)
    return random.random(ITEMS) < chance


def _drawn(random, item, account, labels):
    """Labelled views of two strata, a sensitivity of .9, a specificity of .9995, and totals."""
    high = random.random(len(item)) < 0.8
    total = {name: CLEAN[name] + int((high == (name == "high")).sum()) for name in CLEAN}
    parts = []
    for name in CLEAN:
        n = labels // 2
        bad = np.flatnonzero(high == (name == "high"))
        drawn = random.choice(total[name], n, replace=False)
        violating = drawn < len(bad)
        actor = np.where(violating, account[item[bad[np.minimum(drawn, len(bad) - 1)]]], -1)
        said = random.random(n) < np.where(violating, 0.9, 0.0005)
        parts.append(pd.DataFrame({"actor": actor, "stratum": name, "inclusion": n / total[name],
                                   "label": said.astype(float)}))  # fmt: skip
    sample = pd.concat(parts, ignore_index=True).assign(
        n_votes=1, seen_at=pd.Timestamp("2026-03-10", tz="UTC"), in_window=True, market="north",
        kind="text",
    )  # fmt: skip
    population = pd.DataFrame({"stratum": list(total), "items": 1_000, "views": total.values()})
    return {"view_sample": sample, "population": population,
            "by_segment": _TEMPLATE.by_segment.iloc[:0]}  # fmt: skip


def _in_common(views, labelled):
    """viewers, shared_viewers: of the labelled violating items."""
    distinct = views.drop_duplicates()
    each = distinct.groupby("item").size().reindex(labelled, fill_value=0)
    pairs = distinct.merge(distinct, on="viewer", suffixes=("_first", "_second"))
    pairs = pairs[pairs["item_first"] < pairs["item_second"]]
    both = pairs.groupby(["item_first", "item_second"]).size()
    return {
        "viewers": pd.DataFrame({"item": labelled, "viewers": each.to_numpy()}),
        "shared_viewers": both.rename("viewers").reset_index().rename(
            columns={"item_first": "first", "item_second": "second"}),
    }  # fmt: skip
