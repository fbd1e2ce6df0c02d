"""From a platform's tables to the small frames of a deep-dive, with a snapshot of each table."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from trustlib.core import Check, NoData, Refusal, TrustlibError
from trustlib.core.format import plural
from trustlib.data import clock as clocks
from trustlib.data.abuse_records import TABLES, AbuseQuery, AbuseRows, Role
from trustlib.data.engine import abuse as engine
from trustlib.data.engine import sources
from trustlib.data.engine.typed import typed
from trustlib.data.parquet import keep
from trustlib.data.records import Snapshot
from trustlib.data.source import near_column, resolve

_STEP = "rename the column in a .sql source: SELECT … AS {name}"


@dataclass(frozen=True, kw_only=True)
class _Kept:
    path: Path
    rows: int
    columns: tuple[str, ...]
    snapshot: Snapshot


def read_abuse(query: AbuseQuery) -> AbuseRows:
    """Read every table that is there, and count in the engine.

    Raises
    ------
    Refusal
        A source, or a column that its role needs, that is not there; a type that cannot play the
        part; a segment that no table has; labels whose chance of being drawn is unusable.
    NoData
        No items in the window.
    """
    kept = {role: _kept(role, query) for role in TABLES if role in query.sources}
    roles = tuple(kept)
    segments = _segments(query, kept)
    start, end = (clocks.seconds(at) for at in (query.window.start, query.window.end))
    with engine.session({r: k.path for r, k in kept.items()}, start=start, end=end) as con:
        engine.prepare(con, roles, segments)
        items, views = engine.totals(con)
        if not items:
            raise NoData(
                "no item was made in the window",
                where=f"items_source: {kept['items'].snapshot.source}",
                next_step="check the window, the time zone and the source's filter",
            )
        votes = engine.votes(con, query.policy) if "labels" in roles else None
        known = None if votes is None else _majority(votes)
        sample, simple = _empty_sample(query), False
        if known is not None and len(known):
            facts = engine.labelled(con, known[["item_id"]], roles, tuple(segments))
            sample = _sample(known, facts, engine.hits(con, roles), query)
            simple = bool((sample["inclusion"] < 0).all())
            if simple:
                sample["inclusion"] = len(sample) / items
        frames = {
            "by_segment": _by_segment(con, query),
            "by_day": engine.by_day(con),
            "controls": engine.controls(con, roles),
        }
    frames["by_day"]["day"] = pd.to_datetime(frames["by_day"]["day"], unit="s").astype(
        "datetime64[s]"
    )
    return AbuseRows(
        sample=sample,
        votes=_votes(votes, known),
        population=_population(sample, items, views),
        **frames,
        missing={role: "no source was given" for role in TABLES if role not in kept},
        health=_health(kept, items, views, sample),
        checks=_checks(sample, simple=simple),
        snapshots={role: one.snapshot for role, one in kept.items()},
    )


def _kept(role: Role, query: AbuseQuery) -> _Kept:
    with _of(role):
        file = Path(query.sources[role]).suffix.lower() in (".csv", ".parquet")
        source = resolve(query.sources[role], None if file else query.connection)
        with sources.opened(source) as found:
            wanted = {name: column.kind for name, column in TABLES[role].items()}
            if role in ("items", "accounts"):
                wanted |= {name: "text" for name in query.segments if name not in wanted}
            table = _selected(found, role, wanted, query)
            with sources.batches(table, ordered=found.ordered) as (schema, batches):
                path, sha256, rows = keep(schema, batches)
        snapshot = Snapshot(
            source=source.name, kind=source.kind, rows=rows, sha256=sha256, path=path.as_posix(),
            window_start_at=None, window_end_at=None, sql=found.statement,
        )  # fmt: skip
        return _Kept(path=path, rows=rows, columns=tuple(schema.names), snapshot=snapshot)


def _selected(found: Any, role: Role, wanted: Mapping[str, str], query: AbuseQuery) -> Any:
    # A margin of a year: labels, appeals and sign-ups lie outside the window.
    low, high = (clocks.seconds(at) for at in (query.window.start, query.window.end))
    clock = clocks.clock(query.timezone, low - 366 * 86400, high + 366 * 86400)
    picked = {}
    for name, kind in wanted.items():
        if name not in found.columns:
            if name in TABLES[role] and TABLES[role][name].needed:
                raise Refusal(
                    f"there is no column {name}, which {role} need",
                    where=f"{role}_source",
                    nearest=near_column(name, tuple(found.columns)),
                    next_step=_STEP.format(name=name),
                )
            continue
        value = typed(found.table[found.columns[name]], kind, clock)
        if value is None:
            raise Refusal(
                f"column {name} is of a type that cannot be a {kind}",
                where=f"{role}_source",
                next_step="cast it in a .sql source",
            )
        picked[_place(name, query)] = value
    return found.table.select(**picked)


def _place(name: str, query: AbuseQuery) -> str:
    """Segments have names of their own in the engine; a role's own column keeps its name."""
    known = {column for columns in TABLES.values() for column in columns}
    return (
        f"s{query.segments.index(name)}" if name in query.segments and name not in known else name
    )


@contextmanager
def _of(role: Role) -> Iterator[None]:
    """What is said of a source is said of the parameter that names this one."""
    try:
        yield
    except TrustlibError as error:
        where = re.sub(r"\bsource:", f"{role}_source:", error.where or f"{role}_source")
        raise type(error)(
            error.what, where=where, nearest=error.nearest, next_step=error.next_step
        ) from None


def _segments(query: AbuseQuery, kept: Mapping[Role, _Kept]) -> dict[str, str]:
    """The engine's name of each segment, and the table that has it: items before accounts."""
    found = {}
    for name in query.segments:
        place = _place(name, query)
        tables = [role for role in ("items", "accounts") if place in _columns(kept, role)]
        if not tables:
            raise Refusal(
                "a segment is a column of neither items nor accounts",
                where=f"segments: {name}",
                next_step="name a column of one of them, or add it in a .sql source",
            )
        found[place] = tables[0]
    return found


def _columns(kept: Mapping[Role, _Kept], role: Role) -> tuple[str, ...]:
    return kept[role].columns if role in kept else ()


def _majority(votes: pd.DataFrame) -> pd.DataFrame:
    """One row per item: what most of its votes say, and how it was drawn.

    Raises
    ------
    Refusal
        An item whose rows disagree about how it was drawn; chances outside (0, 1].
    """
    votes = votes.assign(
        stratum=votes["stratum"].fillna("all"), inclusion=votes["inclusion"].fillna(-1.0)
    )
    drawn = votes.groupby("item_id")[["stratum", "inclusion"]].nunique()
    odd = int((drawn > 1).any(axis=1).sum())
    if odd:
        raise Refusal(
            f"{plural(odd, 'labelled item')} with more than one stratum or inclusion_probability",
            where="labels_source",
            next_step="an item's labels say alike how it was drawn: keep one sample, or one policy",
        )
    grouped = votes.groupby("item_id", sort=True)
    known = grouped.agg(
        stratum=("stratum", "first"), inclusion=("inclusion", "first"),
        positive=("label", "sum"), n_votes=("label", "size"),
    ).reset_index()  # fmt: skip
    given = known["inclusion"] >= 0
    if given.any() and not given.all():
        raise Refusal(
            f"{plural(int((~given).sum()), 'labelled item')} without an inclusion_probability, "
            "while others have one",
            where="labels_source, column inclusion_probability",
            next_step="give every label its chance of being drawn, or none (a simple random "
            "sample is then taken for granted, and said)",
        )
    wrong = int((given & ~known["inclusion"].between(0, 1, inclusive="right")).sum())
    if wrong:
        raise Refusal(
            f"{plural(wrong, 'labelled item')} with an inclusion_probability outside 0 to 1, or 0",
            where="labels_source, column inclusion_probability",
            next_step="write the chance with which the item was drawn, above 0 and at most 1",
        )
    known["label"] = (2 * known["positive"] > known["n_votes"]).astype(float)
    known["ties"] = 2 * known["positive"] == known["n_votes"]
    return known.drop(columns="positive")


def _sample(
    known: pd.DataFrame, facts: pd.DataFrame, hits: pd.DataFrame | None, query: AbuseQuery
) -> pd.DataFrame:
    """`AbuseRows.sample`."""
    whole = known.merge(facts, on="item_id", how="inner", validate="1:1").sort_values("item_id")
    codes, _ = pd.factorize(whole["account_id"], sort=True)
    made = pd.DataFrame(
        {
            "item": np.arange(len(whole)),
            "actor": codes.astype(np.int64),
            "stratum": whole["stratum"].astype(str).to_numpy(),
            "inclusion": whole["inclusion"].to_numpy(float),
            "label": whole["label"].to_numpy(float),
            "n_votes": whole["n_votes"].to_numpy(np.int64),
            "ties": whole["ties"].to_numpy(bool),
            "views": whole["views"].to_numpy(float),
            "score": whole["score"].to_numpy(float),
            "created_at": pd.to_datetime(whole["created_at"], unit="s").astype("datetime64[s]"),
        }
    )
    made["created_at"] = made["created_at"].to_numpy()
    for name in query.segments:
        made[name] = whole[_place(name, query)].astype(str).to_numpy()
    if hits is not None:
        for source, rows in hits.groupby("source"):
            made[str(source)] = whole["item_id"].isin(set(rows["item_id"])).to_numpy()
    return made.reset_index(drop=True)


def _empty_sample(query: AbuseQuery) -> pd.DataFrame:
    numbers = {
        "item": "int64", "actor": "int64", "stratum": "str", "inclusion": "float64",
        "label": "float64", "n_votes": "int64", "ties": "bool", "views": "float64",
        "score": "float64", "created_at": "datetime64[s]",
    } | dict.fromkeys(query.segments, "str")  # fmt: skip
    return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in numbers.items()})


def _votes(votes: pd.DataFrame | None, known: pd.DataFrame | None) -> pd.DataFrame:
    """`AbuseRows.votes`: items as in the sample, raters numbered."""
    if votes is None or known is None:
        return pd.DataFrame({"item": [], "rater": [], "label": []}).astype(np.int64)
    place = pd.Series(np.arange(len(known)), index=known["item_id"])
    raters, _ = pd.factorize(votes["rater_id"], sort=True)
    return pd.DataFrame(
        {
            "item": place[votes["item_id"]].to_numpy(np.int64),
            "rater": raters.astype(np.int64),
            "label": votes["label"].to_numpy(np.int64),
        }
    )


def _population(sample: pd.DataFrame, items: int, views: int) -> pd.DataFrame:
    """`AbuseRows.population`: by the labels' own weights, scaled to what was counted."""
    if sample.empty:
        return pd.DataFrame(
            {"stratum": pd.Series(dtype=str), "items": pd.Series(dtype=float),
             "views": pd.Series(dtype=float)}
        )  # fmt: skip
    weight = 1 / sample["inclusion"]
    per = pd.DataFrame(
        {"stratum": sample["stratum"], "items": weight, "views": weight * sample["views"]}
    )
    by = per.groupby("stratum", sort=True).sum().reset_index()
    by["items"] *= items / by["items"].sum()
    seen = by["views"].sum()
    by["views"] *= views / seen if seen > 0 else 0.0
    return by


def _by_segment(con: Any, query: AbuseQuery) -> pd.DataFrame:
    parts = [
        engine.by_segment(con, _place(name, query)).assign(segment=name) for name in query.segments
    ]
    columns = ["segment", "value", "items", "views"]
    if not parts:
        return pd.DataFrame(columns=columns)
    return pd.concat(parts, ignore_index=True)[columns]


def _health(
    kept: Mapping[Role, _Kept], items: int, views: int, sample: pd.DataFrame
) -> pd.DataFrame:
    rows = [(f"rows of {role}", one.rows, "all rows of the source") for role, one in kept.items()]
    rows += [
        ("items made in the window", items, "one per item_id"),
        ("views of them in the window", views, "of items made in the window"),
        ("labelled items of the window", len(sample), "one per item_id"),
    ]
    return pd.DataFrame(rows, columns=["item", "n", "note"])


def _checks(sample: pd.DataFrame, *, simple: bool) -> tuple[Check, ...]:
    if sample.empty:
        text = "Not run: no item of the window has a label."
        return (Check(name="labels_read", verdict="not_run", label="no labels", text=text),)
    ties = int(sample["ties"].sum())
    text = (
        f"{plural(len(sample), 'item')} with a label; {ties} whose votes are tied count as not "
        "violating."
    )
    if simple:
        text += " Labels do not say how they were drawn: a simple random sample is assumed."
        return (Check(name="labels_read", verdict="warn", label="sampling not told", text=text),)
    return (Check(name="labels_read", verdict="pass", label="labels read", text=text),)
