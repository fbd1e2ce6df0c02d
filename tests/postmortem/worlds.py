"""Made-up incidents whose every case is known, and the rows that a reader would make of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import pandas as pd

from trustlib.core import Window
from trustlib.data.incident_records import AffectedQuery, AffectedRows

START = datetime(2026, 3, 17, 14, tzinfo=UTC)
END = datetime(2026, 3, 18, 16, tzinfo=UTC)
CASE = {
    "side": "over", "suspect": True, "wrong": True, "inclusion": 1.0, "labelled": True,
    "account": -1, "customer": -1, "gross_cents": 0, "recovered_cents": 0, "resolved": False,
    "n_votes": 2, "ties": 0, "market": "birch",
}  # fmt: skip
_LABELLED = [
    "side", "suspect", "inclusion", "label", "n_votes", "ties", "account", "customer",
    "account_dose", "customer_dose", "viewers", "gross_cents", "recovered_cents", "resolved",
    "market",
]  # fmt: skip


@dataclass(frozen=True, kw_only=True, eq=False)
class World:
    """Every case with what is true of it (columns of `CASE`), and who viewed which (pairs)."""

    cases: pd.DataFrame
    views: pd.DataFrame

    def wrong(self, side: str) -> pd.DataFrame:
        return self.cases[(self.cases["side"] == side) & self.cases["wrong"]]

    def hit(self, kind: str) -> int:
        """People truly hit: owners of wrong over cases, viewers of wrong under ones."""
        if kind == "viewers":
            seen = self.views[self.views["item"].isin(self.wrong("under").index)]
            return int(seen["viewer"].nunique())
        who = self.wrong("over")[kind[:-1]]
        return int(who[who >= 0].nunique())


def described(cases: list[dict], views: list[tuple[int, int]] = ()) -> World:
    """A world by hand: cases as far as they differ from `CASE`; (item, viewer) pairs."""
    frame = pd.DataFrame([CASE | case for case in cases])
    return World(
        cases=frame, views=pd.DataFrame(list(views), columns=["item", "viewer"], dtype="int64")
    )


def rows_of(
    world: World,
    *,
    currency: str | None = "USD",
    missing: Mapping[str, str] | None = None,
    has_money: bool = True,
    has_resolved: bool = True,
    segments: bool = True,
) -> AffectedRows:
    """As the reading would hand it out, its `labelled` cases labelled.

    Without `segments` nothing is counted by market, which takes time.
    """
    cases = world.cases.assign(stratum="all", items=1)
    by = ["side", "suspect", "stratum"]
    sums = ["items", "resolved", "gross_cents", "recovered_cents"]
    totals = cases.groupby(by, as_index=False)[sums].sum()
    people, doses = _people(world)
    labelled = cases[cases["labelled"]].copy()
    over = labelled["side"] == "over"
    labelled["label"] = np.where(over, ~labelled["wrong"], labelled["wrong"]).astype(int)
    for kind in ("account", "customer"):
        labelled[f"{kind}_dose"] = doses[kind][cases["labelled"].to_numpy()]
    counts = world.views.drop_duplicates().groupby("item").size()
    labelled["viewers"] = counts.reindex(labelled.index, fill_value=0).to_numpy()
    own = labelled[_LABELLED].reset_index(drop=True)
    own.insert(0, "item", np.arange(len(own)))
    own["dose"], own["labelled_at"] = np.nan, pd.NaT
    return AffectedRows(
        query=AffectedQuery(sources={}, window=Window(start=START, end=END), currency=currency,
                            segments=("market",)),
        cases=totals,
        has_money=has_money,
        has_resolved=has_resolved,
        has_dose=False,
        labelled=own,
        people=people,
        overlaps=pd.DataFrame(columns=["first", "second", "people"]),
        by_segment=_by_segment(cases if segments else cases.iloc[:0]),
        arrivals=pd.DataFrame(columns=["kind", "in_window", "age", "delay", "n"]),
        observed_until=END,
        change_log=pd.DataFrame(columns=["changed_at", "change", "link"]),
        missing=missing or {},
        health=pd.DataFrame(),
        checks=(),
        snapshots={},
    )  # fmt: skip


def _people(world: World) -> tuple[pd.DataFrame, dict[str, np.ndarray]]:
    """The histogram of doses, and each case's owner's dose (0 unknown)."""
    out: list[tuple[str, str, int, int]] = []
    doses = {}
    under = (world.cases["side"] == "under").to_numpy()
    for kind in ("account", "customer"):
        who = world.cases[kind].to_numpy()
        codes, place, dose = np.unique(2 * who + under, return_inverse=True, return_counts=True)
        doses[kind] = np.where(who >= 0, dose[place], 0)
        for side, code in (("over", 0), ("under", 1)):
            out += _histogram(f"{kind}s", side, dose[(codes >= 0) & (codes % 2 == code)])
    seen = world.views.drop_duplicates()
    viewer = seen["viewer"].to_numpy()[under[seen["item"].to_numpy()]]
    out += _histogram("viewers", "under", np.unique(viewer, return_counts=True)[1])
    return pd.DataFrame(out, columns=["kind", "side", "dose", "people"]), doses


def _histogram(kind: str, side: str, dose: np.ndarray) -> list[tuple[str, str, int, int]]:
    pairs = zip(*np.unique(dose, return_counts=True), strict=True)
    return [(kind, side, int(value), int(count)) for value, count in pairs]


def _by_segment(cases: pd.DataFrame) -> pd.DataFrame:
    if not len(cases):
        return pd.DataFrame(
            columns=["segment", "value", "side", "suspect", "items", "accounts", "resolved"]
        )
    known = cases.assign(segment="market", value=cases["market"])
    by = known.groupby(["segment", "value", "side", "suspect"])
    return by.agg(
        items=("items", "sum"), accounts=("account", "nunique"), resolved=("resolved", "sum")
    ).reset_index()


def drawn(
    seed: int,
    *,
    over: int = 600,
    under: int = 0,
    labels: int = 150,
    precision: tuple[float, float] = (0.9, 0.1),
    suspects: float = 0.7,
    spread: float = 1.5,
    unequal: float = 0.0,
    dose: float = 1.0,
    alike: float = 0.0,
    resolved: float = 0.0,
    viewers: float = 0.0,
) -> World:
    """A world from a seed.

    Parameters
    ----------
    labels
        Expected number of them, in all.
    precision
        Share of wrong ones among suspects and others.
    spread
        Standard deviation of the logarithm of an amount.
    unequal
        That of the logarithm of the inclusion probability.
    dose
        Mean number of cases of an account (one more than a geometric number).
    alike
        0: the cases of an account are wrong independently; 1: all or none of them are.
    viewers
        Mean number of views of an under case, by viewers whose zeal is skewed.
    """
    random = np.random.default_rng(seed)
    n = over + under
    account = _owners(random, n, dose)
    suspect = random.random(n) < suspects
    own, shared = random.random(n), random.random(n)[account]
    together = random.random(n)[account] < alike
    rate = np.where(suspect, *precision)
    gross = np.round(100 * random.lognormal(3.5, spread, n)).astype(np.int64)
    inclusion = np.exp(random.normal(0, unequal, n)) if unequal else np.ones(n)
    inclusion = np.minimum(1.0, inclusion * labels / inclusion.sum())
    cases = pd.DataFrame(CASE, index=range(n)).assign(
        side=np.repeat(["over", "under"], [over, under]),
        suspect=suspect,
        wrong=np.where(together, shared, own) < rate,
        inclusion=inclusion,
        labelled=random.random(n) < inclusion,
        account=account,
        customer=account // 2,
        gross_cents=gross,
        recovered_cents=(gross * random.choice([0, 0.2, 1], n, p=[0.5, 0.3, 0.2])).astype(np.int64),
        resolved=random.random(n) < resolved,
        market=random.choice(["birch", "elm", "alder"], n, p=[0.6, 0.3, 0.1]),
    )
    count = random.poisson(viewers * under)
    zeal = random.lognormal(0, 1, max(1, under))
    views = pd.DataFrame(
        {
            "item": over + random.integers(0, max(1, under), count),
            "viewer": random.choice(len(zeal), count, p=zeal / zeal.sum()),
        }
    )
    return World(cases=cases, views=views.drop_duplicates())


def _owners(random: np.random.Generator, n: int, dose: float) -> np.ndarray:
    """(n,) account of each case."""
    sizes = random.geometric(1 / dose, n)
    return random.permutation(np.repeat(np.arange(n), sizes)[:n])
