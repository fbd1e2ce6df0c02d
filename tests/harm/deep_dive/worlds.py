"""Small made-up `AbuseRows` with their truth, as the tables of a platform would give them.

Eight weeks from Monday 2 February 2026, the window is the last four, "now" the last two. A few
accounts post what violates; one market × kind can grow from compare_from on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
import pandas as pd

from trustlib.core import Window
from trustlib.data.abuse_records import TABLES, AbuseQuery, AbuseRows, Appealed, Confirmed
from trustlib.harm.deep_dive.spec import DeepDiveSpec

HISTORY = datetime(2026, 2, 2, tzinfo=UTC)
WINDOW = Window(datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 30, tzinfo=UTC))
COMPARE = datetime(2026, 3, 16, tzinfo=UTC)
SEGMENTS = ("market", "kind")
SPEC = DeepDiveSpec(
    window=WINDOW, history_start=HISTORY, compare_from=COMPARE, area="scam", segments=SEGMENTS
)
STRATA = ("score-00-25", "score-25-50", "score-50-75", "score-75-100")
MARKETS = ("north", "south", "west")
KINDS = ("photo", "text")
CONTROLS = ("rule", "model")
_DAY = 86_400


@dataclass(frozen=True, kw_only=True)
class Truth:
    """Shares of the window, and violating items before and now, by market × kind."""

    prevalence: float
    prevalence_views: float
    violating_items: int
    growing: tuple[str, str] | None


def world(
    seed: int = 0,
    *,
    items: int = 60_000,
    accounts: int = 6_000,
    abusers: float = 0.04,
    labels: int = 3_000,
    view_labels: int = 1_500,
    sensitivity: float = 0.9,
    specificity: float = 0.9995,
    growing: float = 1.0,
    gold: int = 400,
    double: float = 0.1,
) -> tuple[AbuseRows, Truth]:
    """A world of `items` items in eight weeks; `growing` times more in one segment from COMPARE.

    Labels are drawn by stratum in equal parts, raters err alike, and a share `double` of the items
    has two votes more.
    """
    random = np.random.default_rng(seed)
    frame = _items(random, items, accounts, abusers, growing)
    inside = frame["second"] >= 28 * _DAY
    sample, votes = _labelled(random, frame, labels, (sensitivity, specificity), double)
    rows = AbuseRows(
        query=AbuseQuery(sources={role: role for role in TABLES}, window=WINDOW,
                         history_start=HISTORY, compare_from=COMPARE, segments=SEGMENTS,
                         control_sources=CONTROLS),
        sample=sample,
        view_sample=_view_sample(random, frame, view_labels, (sensitivity, specificity)),
        votes=votes,
        gold=_gold(random, gold, (sensitivity, specificity)),
        population=_sums(frame, "stratum", inside),
        weeks=_weeks(frame),
        by_segment=_by_segment(frame[inside]),
        cells=_cells(frame[inside]),
        strata_counted=True,
        controls=pd.DataFrame(
            {"source": [*CONTROLS, "reported"],
             "items": [int(frame.loc[inside, name].sum()) for name in (*CONTROLS, "reported")]}
        ),
        appealed=Appealed(enforced=400, appealed=60, decided=50, overturned=8),
        proactive=pd.DataFrame({"proactive": [0, 1, 2], "actioned": [1, 1, 3],
                                "accounts": [20, 30, 10]}),
        confirmed=_confirmed(frame[inside]),
        viewers=pd.DataFrame({"item": pd.Series(dtype="int64"),
                              "viewers": pd.Series(dtype="int64")}),
        shared_viewers=pd.DataFrame(
            {name: pd.Series(dtype="int64") for name in ("first", "second", "viewers")}
        ),
        actor_harm=_actor_harm(frame[inside]),
        accounts_join=_accounts_join(frame[inside]),
        actors=_empty(actor="int64", items="int64", violating_items="int64", views="int64",
                      first_at="int64", last_at="int64"),
        links=_empty(actor="int64", kind="str", token="int64"),
        shares=_empty(actor="int64", kind="str", token="int64", time="int64"),
        tokens=_empty(kind="str", token="int64", before="int64", now="int64", name="str"),
        token_weeks=_empty(kind="str", token="int64", window="int64", count="int64"),
        items_before=int((inside & ~frame["now"]).sum()),
        items_now=int((inside & frame["now"]).sum()),
        durations={},
        ledger=ledger(),
        missing={},
        health=pd.DataFrame({"item": ["rows of items"], "n": [items], "note": [""]}),
        checks=(),
        snapshots={},
    )  # fmt: skip
    mine = frame[inside]
    return rows, Truth(
        prevalence=float(mine["bad"].mean()),
        prevalence_views=float(mine.loc[mine["bad"], "views"].sum() / mine["views"].sum()),
        violating_items=int(mine["bad"].sum()),
        growing=(MARKETS[1], KINDS[0]) if growing != 1 else None,
    )


def ledger(changes: Mapping[str, str] | None = None) -> pd.DataFrame:
    """changed_at, instrument, note; `changes` are day -> instrument."""
    changes = changes or {}
    at = pd.to_datetime(list(changes), utc=True).astype("datetime64[s, UTC]")
    return pd.DataFrame(
        {"changed_at": at, "instrument": pd.Series(list(changes.values()), dtype="str"),
         "note": pd.Series(["a change"] * len(changes), dtype="str")}
    )  # fmt: skip


def without(rows: AbuseRows, *roles: str) -> AbuseRows:
    """The rows as they are where these roles have no source."""
    for role in roles:
        rows = replace(rows, **_LEFT_OUT[role](rows))
    missing = dict(rows.missing) | dict.fromkeys(roles, "no source was given")
    return replace(rows, missing=missing)


def _bare(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.iloc[:0]


_LEFT_OUT = {
    "labels": lambda r: {"sample": _bare(r.sample), "votes": _bare(r.votes),
                         "viewers": _bare(r.viewers)},
    "view_labels": lambda r: {"view_sample": _bare(r.view_sample)},
    "gold": lambda r: {"gold": _bare(r.gold)},
    "ledger": lambda r: {"ledger": None},
    "views": lambda r: {
        "view_sample": _bare(r.view_sample),
        "sample": r.sample.assign(views=0.0),
        "population": r.population.assign(views=0),
        "weeks": r.weeks.assign(views=0),
        "by_segment": r.by_segment.assign(views=0),
        "viewers": _bare(r.viewers),
    },
    "scores": lambda r: {"sample": r.sample.assign(score=np.nan)},
    "accounts": lambda r: {"accounts_join": _bare(r.accounts_join)},
    "actions": lambda r: {
        "controls": r.controls[r.controls["source"] == "reported"],
        "sample": r.sample.drop(columns=[f"control:{name}" for name in CONTROLS]),
        "appealed": None,
        "proactive": _bare(r.proactive),
    },
    "appeals": lambda r: {"appealed": None},
    "reports": lambda r: {"proactive": _bare(r.proactive),
                          "sample": r.sample.assign(reported=False)},
    "links": lambda r: {"links": _bare(r.links), "actors": _bare(r.actors)},
}  # fmt: skip


def _empty(**kinds: str) -> pd.DataFrame:
    return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in kinds.items()})


def _items(
    random: np.random.Generator, n: int, accounts: int, abusers: float, growing: float
) -> pd.DataFrame:
    """One row per item, in order of nothing in particular."""
    actor = random.integers(0, accounts, n)
    market, kind = actor % 3, random.integers(0, 2, n)
    second = random.integers(0, 56 * _DAY, n)
    now = second >= 42 * _DAY
    chance = np.where(actor < abusers * accounts, 0.2, 0.0)
    # The growing segment has its own accounts, so that it is not a single one that grows.
    more = now & (market == 1) & (kind == 0) & (actor < 3 * abusers * accounts)
    chance = np.where(more, np.minimum(0.9, 0.12 * (growing - 1) + chance), chance)
    bad = random.random(n) < chance
    score = np.clip(np.where(bad, random.beta(4, 2, n), random.beta(1.3, 6, n)), 0, 0.999)
    return pd.DataFrame(
        {
            "actor": actor,
            "market": np.array(MARKETS)[market],
            "kind": np.array(KINDS)[kind],
            "second": second,
            "now": now,
            "bad": bad,
            "score": score,
            "stratum": np.array(STRATA)[(score * 4).astype(int)],
            "views": random.poisson(np.where(bad, 4.0, 2.0)),
            "rule": random.random(n) < np.where(bad, 0.3, 0.0005),
            "model": (score > 0.8) & (random.random(n) < 0.9),
            "reported": random.random(n) < np.where(bad, 0.2, 0.002),
        }
    )


def _votes_of(
    random: np.random.Generator, bad: np.ndarray, error: tuple[float, float]
) -> np.ndarray:
    return (random.random(len(bad)) < np.where(bad, error[0], 1 - error[1])).astype(np.int64)


def _drawn(random: np.random.Generator, stratum: pd.Series, n: int) -> pd.Series:
    """Inclusion probability of each drawn row: as many of each stratum, in expectation."""
    chance = np.minimum(1.0, n / len(STRATA) / stratum.map(stratum.value_counts()))
    return chance[random.random(len(stratum)) < chance]


def _labelled(
    random: np.random.Generator,
    frame: pd.DataFrame,
    n: int,
    error: tuple[float, float],
    double: float,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    inclusion = _drawn(random, frame["stratum"], n)
    part = frame.loc[inclusion.index]
    votes = np.where(random.random(len(part)) < double, 3, 1)
    item = np.repeat(np.arange(len(part)), votes)
    said = _votes_of(random, part["bad"].to_numpy()[item], error)
    order = np.arange(len(item)) - np.repeat(np.cumsum(votes) - votes, votes)
    positive = np.bincount(item, said)
    created = pd.Series(HISTORY.timestamp() + part["second"].to_numpy())
    sample = pd.DataFrame(
        {
            "item": np.arange(len(part)),
            "actor": part["actor"].to_numpy(),
            "stratum": part["stratum"].to_numpy(),
            "inclusion": inclusion.to_numpy(),
            "label": (2 * positive > votes).astype(float),
            "n_votes": votes,
            "ties": False,
            "policy": "scam",
            "views": np.where(part["second"] >= 28 * _DAY, part["views"], 0).astype(float),
            "score": part["score"].to_numpy(),
            "created_at": pd.to_datetime(created, unit="s", utc=True).astype("datetime64[s, UTC]"),
            "in_window": (part["second"] >= 28 * _DAY).to_numpy(),
            "market": part["market"].to_numpy(),
            "kind": part["kind"].to_numpy(),
            "domain": -1,
            "text_hash": -1,
            "control:rule": part["rule"].to_numpy(),
            "control:model": part["model"].to_numpy(),
            "reported": part["reported"].to_numpy(),
            "confirmed": positive > 0,
        }
    )
    return sample, pd.DataFrame({"item": item, "rater": order % 3, "label": said})


def _view_sample(
    random: np.random.Generator, frame: pd.DataFrame, n: int, error: tuple[float, float]
) -> pd.DataFrame:
    """Views stand with their item, in its second."""
    mine = frame[frame["second"] >= 28 * _DAY]
    views = mine.loc[mine.index.repeat(mine["views"])].reset_index(drop=True)
    inclusion = _drawn(random, views["stratum"], n)
    part = views.loc[inclusion.index]
    seen = pd.Series(HISTORY.timestamp() + part["second"].to_numpy())
    return pd.DataFrame(
        {
            "actor": part["actor"].to_numpy(),
            "stratum": part["stratum"].to_numpy(),
            "inclusion": inclusion.to_numpy(),
            "label": _votes_of(random, part["bad"].to_numpy(), error).astype(float),
            "n_votes": 1,
            "seen_at": pd.to_datetime(seen, unit="s", utc=True).astype("datetime64[s, UTC]"),
            "in_window": True,
            "market": part["market"].to_numpy(),
            "kind": part["kind"].to_numpy(),
        }
    )


def _gold(random: np.random.Generator, n: int, error: tuple[float, float]) -> pd.DataFrame:
    """Half of n items violate, each with four votes."""
    truth = np.repeat([1, 0], n // 2)
    item = np.repeat(np.arange(len(truth)), 4)
    said = _votes_of(random, truth[item] > 0, error)
    return pd.DataFrame(
        {"item": item, "rater": np.tile(np.arange(4), len(truth)), "label": said,
         "truth": truth[item]}
    )  # fmt: skip


def _sums(frame: pd.DataFrame, by: str, inside: pd.Series) -> pd.DataFrame:
    grouped = frame[inside].groupby(by)
    return pd.DataFrame({"items": grouped.size(), "views": grouped["views"].sum()}).reset_index()


def _weeks(frame: pd.DataFrame) -> pd.DataFrame:
    week = frame["second"] // (7 * _DAY)
    grouped = frame.groupby([week.rename("week"), "stratum"])
    table = pd.DataFrame({"items": grouped.size(), "views": grouped["views"].sum()}).reset_index()
    monday = pd.Timestamp(HISTORY) + pd.to_timedelta(table["week"] * 7, unit="D")
    return table.assign(week=monday.astype("datetime64[s, UTC]"))


def _by_segment(frame: pd.DataFrame) -> pd.DataFrame:
    parts = []
    for name in SEGMENTS:
        grouped = frame.groupby([name, "stratum"])
        table = pd.DataFrame({"items": grouped.size(), "views": grouped["views"].sum()})
        parts.append(table.reset_index().rename(columns={name: "value"}).assign(segment=name))
    return pd.concat(parts, ignore_index=True)[["segment", "value", "stratum", "items", "views"]]


def _cells(frame: pd.DataFrame) -> pd.DataFrame:
    grouped = frame.groupby(list(SEGMENTS))["now"]
    return pd.DataFrame(
        {"before": grouped.apply(lambda now: int((~now).sum())), "now": grouped.sum()}
    ).reset_index()


def _confirmed(frame: pd.DataFrame) -> Confirmed:
    known = frame[frame["bad"] & frame["rule"]]
    return Confirmed(items=len(known), views=int(known["views"].sum()),
                     accounts=known["actor"].nunique(), viewers=None)  # fmt: skip


def _actor_harm(frame: pd.DataFrame) -> pd.DataFrame:
    known = (frame["bad"] & frame["rule"]).groupby(frame["actor"]).sum()
    table = known.value_counts().sort_index()
    return pd.DataFrame({"amount": table.index.to_numpy(), "actors": table.to_numpy()})


def _accounts_join(frame: pd.DataFrame) -> pd.DataFrame:
    """Every fourth account with a violating item is gone."""
    enforced = frame.groupby("actor")["rule"].any()
    gone = frame.groupby("actor")["bad"].any() & (frame.groupby("actor").size().index % 4 == 0)
    rows = []
    parts = [("all", "all", frame)] + [("kind", k, frame[frame["kind"] == k]) for k in KINDS]
    for segment, value, part in parts:
        actors = pd.Index(part["actor"].unique())
        out, acted = gone.reindex(actors), enforced.reindex(actors)
        rows.append((segment, value, len(actors), int(out.sum()), int(acted.sum()),
                     int((out & acted).sum()), len(part),
                     int(part["actor"].map(gone).sum())))  # fmt: skip
    columns = ["segment", "value", "accounts", "missing", "enforced", "enforced_missing", "items",
               "items_missing"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)
