"""Deep-dives with small counts everywhere, drawn at random: what tables must not give away."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd

from tests.figures.harm_results import made
from trustlib.core import Check
from trustlib.data.abuse_records import Confirmed
from trustlib.harm.accounts_join import AccountsJoin
from trustlib.harm.deep_dive.result import DeepDive
from trustlib.harm.survivorship import survivorship
from trustlib.stats.wilson import wilson

MARKETS, KINDS, STRATA = 6, 3, 4


@cache
def drawn(seed: int) -> DeepDive:
    """A result whose labels, clusters and missing accounts are few, and differ with `seed`."""
    random = np.random.default_rng(seed)
    n = int(random.integers(60, 700))
    frame = pd.DataFrame(
        {
            "stratum": random.choice(STRATA, n, p=random.dirichlet([3] * STRATA)),
            "market": random.choice(MARKETS, n, p=random.dirichlet([1] * MARKETS)),
            "kind": random.choice(KINDS, n),
        }
    )
    bad = random.random(n) < np.array([0.0, 0.01, 0.08, 0.4])[frame["stratum"]]
    frame["positive"] = bad
    base = made()
    strata = _strata(frame, random, base.size.items.by_stratum)
    items = replace(base.size.items, by_stratum=strata, positives=int(bad.sum()), labels=n)
    segments = {
        name: _segment(frame, name, size, random)
        for name, size in (("market", MARKETS), ("kind", KINDS))
    }
    clusters = _clusters(random, base.how.coordination.clusters)
    groups = replace(
        base.how.coordination,
        clusters=clusters,
        members=pd.DataFrame({"cluster": np.repeat(clusters["cluster"], clusters["size"])}),
    )
    confirmed = int(clusters["violating_items"].sum()) + int(random.integers(0, 30))
    return replace(
        base,
        size=replace(
            base.size,
            items=items,
            confirmed=Confirmed(items=confirmed, views=7, accounts=9, viewers=5),
        ),
        where=replace(
            base.where, segments=segments, survivorship=_join(random, base.where.survivorship)
        ),
        how=replace(base.how, coordination=groups),
        checks=(
            Check(name="positive_labels", verdict="warn", label="few positive labels",
                  text="3 of 800 labels are violating."),
            Check(name="actors_behind_positives", verdict="warn", label="few accounts behind it",
                  text="3 violating labels from 2 accounts; the largest has 50 % of them."),
        ),
    )  # fmt: skip


def _strata(frame: pd.DataFrame, random: np.random.Generator, like: pd.DataFrame) -> pd.DataFrame:
    counts = frame.groupby("stratum")["positive"].agg(["size", "sum"]).reindex(
        range(STRATA), fill_value=0
    )  # fmt: skip
    found = _shares(counts["sum"].to_numpy(), counts["size"].to_numpy())
    population = counts["size"].to_numpy() * random.integers(1, 40, STRATA)
    return pd.DataFrame(
        {"stratum": [f"score {h}" for h in range(STRATA)], "labelled": counts["size"].to_numpy(),
         "positive": counts["sum"].to_numpy(), "population": population.astype(float), **found,
         "weight": population / population.sum()}
    )[list(like.columns)]  # fmt: skip


def _segment(
    frame: pd.DataFrame, name: str, size: int, random: np.random.Generator
) -> pd.DataFrame:
    counts = frame.groupby(name)["positive"].agg(["size", "sum"]).reindex(
        range(size), fill_value=0
    )  # fmt: skip
    labelled, positive = counts["size"].to_numpy(), counts["sum"].to_numpy()
    found = _shares(positive, labelled)
    population = (labelled * random.integers(1, 40, size)).astype(float)
    table = {
        "value": [f"{name} {v}" for v in range(size)], "labelled": labelled, "positive": positive,
        "population": population, **found, "effective_n": labelled.astype(float),
    }  # fmt: skip
    for column, share in (("total", "share"), ("total_low", "low"), ("total_high", "high")):
        table[column] = found[share] * population
    return pd.DataFrame(table | {"method": "post-stratified", "note": ""})


def _shares(positive: np.ndarray, labelled: np.ndarray) -> dict[str, np.ndarray]:
    share = np.divide(positive, labelled, out=np.full(len(positive), np.nan), where=labelled > 0)
    ends = [
        wilson(p, n=float(n), level=0.95) if n else (np.nan, np.nan)
        for p, n in zip(share, labelled, strict=True)
    ]
    return {"share": share, "low": np.array(ends)[:, 0], "high": np.array(ends)[:, 1]}


def _clusters(random: np.random.Generator, like: pd.DataFrame) -> pd.DataFrame:
    n = int(random.integers(1, 16))
    size = random.integers(3, 30, n)
    bad = random.integers(0, 25, n)
    frame = pd.DataFrame(
        {"size": size, "violating_items": bad.astype(float),
         "items": (bad + random.integers(0, 25, n)).astype(float),
         "views": random.integers(0, 400, n).astype(float)}
    )  # fmt: skip
    frame = frame.sort_values(["violating_items", "views"], ascending=False, ignore_index=True)
    frame["cluster"] = np.arange(1, n + 1)
    frame["small"] = frame["size"] < 11
    for column in set(like.columns) - set(frame.columns):
        frame[column] = like[column].iloc[0]
    return frame[list(like.columns)]


def _join(random: np.random.Generator, like: object) -> object:
    n = MARKETS
    enforced, accounts = random.integers(0, 40, n), random.integers(40, 300, n)
    gone = np.minimum(enforced, random.integers(0, 25, n))
    missing = gone + random.integers(0, 15, n)

    def join(names: tuple[str, ...], *columns: np.ndarray) -> AccountsJoin:
        fields = ("accounts", "missing", "enforced", "enforced_missing", "items", "items_missing")
        return AccountsJoin(segments=names, **{
            field: [float(v) for v in values] for field, values in zip(fields, columns, strict=True)
        })  # fmt: skip

    columns = (accounts, missing, enforced, gone, accounts * 3, missing * 2)
    names = tuple(f"market {v}" for v in range(n))
    assert like is not None
    return survivorship(
        join(("all",), *(np.array([c.sum()]) for c in columns)), by_segment=join(names, *columns)
    )
