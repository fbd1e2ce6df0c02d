"""The frames of `AbuseRows` in their types, from what the engine counted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from trustlib.data.abuse_labels import chances, shared_out
from trustlib.data.abuse_records import AbuseQuery
from trustlib.data.engine import abuse_sample as engine
from trustlib.data.engine import abuse_totals as sums
from trustlib.data.engine.abuse import Tables

_HOUR = 3600.0
UNSCORED = 0.001  # of a stratum's items, at most, for a mean score of all


def instants(seconds: pd.Series) -> pd.Series:
    """UTC seconds as datetime64[s, UTC]."""
    at = pd.to_datetime(seconds.astype("int64").to_numpy(), unit="s", utc=True)
    return pd.Series(at.as_unit("s"), index=seconds.index)


def texts(frame: pd.DataFrame, *columns: str) -> pd.DataFrame:
    """`frame` with these columns as str, also where it has no rows."""
    return frame.astype(dict.fromkeys(columns, "str"))


def named(query: AbuseQuery) -> dict[str, str]:
    """The engine's name of each segment -> the segment."""
    return {f"s{i}": name for i, name in enumerate(query.segments)}


def sample(tables: Tables, query: AbuseQuery, *, counted: bool, told: bool) -> pd.DataFrame:
    """`AbuseRows.sample`; `counted` where items have strata, `told` where labels have chances."""
    names = named(query)
    frame = engine.sample_frame(tables, list(names), counted=counted).rename(columns=names)
    if not told:
        frame["inclusion"] = chances(frame, sums.item_totals(tables).set_index("stratum")["items"])
    frame["created_at"] = instants(frame["created_at"])
    hits = engine.hits(tables)
    sources = tables.frame("SELECT value, place FROM control_name ORDER BY place")
    for place, source in zip(sources["place"], sources["value"], strict=True):
        if tables.has("actions"):
            items = hits.loc[hits["place"] == place, "item"]
            frame[f"control:{source}"] = frame["item"].isin(items).to_numpy()
    columns = [*(c for c in frame if c not in ("reported", "confirmed")), "reported", "confirmed"]
    kinds = {"inclusion": "float64", "score": "float64", "label": "int64"}
    return texts(frame[columns].astype(kinds), "stratum", "policy", *query.segments)


def view_sample(tables: Tables, query: AbuseQuery, *, counted: bool, told: bool) -> pd.DataFrame:
    """`AbuseRows.view_sample`."""
    names = named(query)
    if not tables.has("views", "view_id"):
        frame = _no_views(query)
    else:
        frame = engine.view_sample(tables, list(names), counted=counted).rename(columns=names)
    if not told:
        frame["inclusion"] = chances(frame, sums.view_totals(tables).set_index("stratum")["views"])
    frame["seen_at"] = instants(frame["seen_at"])
    kinds = {"inclusion": "float64", "label": "int64", "in_window": "bool"}
    return texts(frame.astype(kinds), "stratum", *query.segments)


def _no_views(query: AbuseQuery) -> pd.DataFrame:
    columns = ("actor", "stratum", "inclusion", "label", "n_votes", "seen_at", "in_window")
    return pd.DataFrame({name: pd.Series(dtype="int64") for name in (*columns, *query.segments)})


def totals(
    tables: Tables, query: AbuseQuery, rows: pd.DataFrame, *, counted: bool
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """`AbuseRows.population`, ``weeks`` and ``by_segment``."""
    population, weeks = sums.population(tables), sums.weeks(tables)
    segments = sums.by_segment(tables, named(query))
    if not counted and len(rows) and set(rows["stratum"]) != {"all"}:
        inside = rows[rows["in_window"]] if rows["in_window"].any() else rows
        population = shared_out(population, inside, [], None)
        monday = (rows["created_at"].astype("int64") - 345600) // 604800 * 604800 + 345600
        weeks = shared_out(weeks, rows, ["week"], monday)
        parts = [
            shared_out(
                segments[segments["segment"] == name], inside, ["segment", "value"], inside[name]
            )
            for name in sorted(query.segments)
        ]
        segments = pd.concat([segments.iloc[:0], *parts], ignore_index=True)
        population["mean_score"] = np.nan  # whose stratum is not known, its score is of none
    else:
        population["mean_score"] = _mean_score(sums.mean_scores(tables), population["stratum"])
    weeks = _whole_grid(weeks, query)
    weeks["week"] = instants(weeks["week"])
    return (
        texts(population, "stratum"),
        texts(weeks, "stratum"),
        texts(segments, "segment", "value", "stratum"),
    )


def _mean_score(sums_of_scores: pd.DataFrame, strata: pd.Series) -> np.ndarray:
    """(S,) NaN where too many items have no score for the mean to be of all."""
    of = sums_of_scores.set_index("stratum").reindex(strata)
    enough = (of["scored"] >= (1 - UNSCORED) * of["items"]) & (of["scored"] > 0)
    mean = of["billionths"] / of["scored"].where(enough) / 1e9
    return mean.to_numpy(float)


def _whole_grid(weeks: pd.DataFrame, query: AbuseQuery) -> pd.DataFrame:
    """Every week with every stratum; where nothing was counted, 0."""
    monday = [
        (int(at.timestamp()) - 345600) // 604800 * 604800 + 345600
        for at in (query.history_start, query.window.end)
    ]
    last = monday[1] if query.window.end.timestamp() > monday[1] else monday[1] - 604800
    grid = pd.MultiIndex.from_product(
        [range(monday[0], last + 1, 604800), sorted(set(weeks["stratum"]))],
        names=["week", "stratum"],
    )
    counts = weeks.set_index(["week", "stratum"]).reindex(grid, fill_value=0)
    return counts.reset_index()


def durations(tables: Tables, rows: pd.DataFrame) -> Mapping[str, pd.DataFrame]:
    """`AbuseRows.durations`."""
    empty = pd.DataFrame(
        {"duration": pd.Series(dtype="float64"), "observed": pd.Series(dtype="bool"),
         "weight": pd.Series(dtype="float64"), "entry": pd.Series(dtype="float64")}
    )  # fmt: skip
    found = dict.fromkeys(("sign_up_to_abuse", "abuse_to_action", "views_before_action"), empty)
    if not tables.has("labels"):
        return found
    weight = 1 / rows["inclusion"]
    if tables.has("actions"):
        times = engine.item_times(tables)
        took = times["first_at"].fillna(engine.last(tables)) - times["created_at"]
        base = pd.DataFrame(
            {"duration": took.clip(lower=0).astype(float) / _HOUR,
             "observed": times["first_at"].notna(),
             "weight": weight.loc[times["item"]].to_numpy(float), "entry": 0.0}
        )  # fmt: skip
        found["abuse_to_action"] = base
        if tables.has("views"):
            found["views_before_action"] = base.assign(duration=times["before"].astype(float))
    if tables.has("accounts", "created_at"):
        found["sign_up_to_abuse"] = _sign_up(tables, rows)
    return found


def _sign_up(tables: Tables, rows: pd.DataFrame) -> pd.DataFrame:
    """Accounts whose first confirmed item falls into the weeks that are looked at.

    An account stands for 1 over the chance that one of its violating items was drawn.
    """
    times = engine.account_times(tables)
    times = times[times["first_at"] >= tables.history]
    violating = rows[rows["label"] == 1]
    missed = np.log1p(-violating["inclusion"].clip(upper=1 - 1e-15)).groupby(violating["actor"])
    drawn = -np.expm1(missed.sum())
    frame = pd.DataFrame(
        {
            "duration": (times["first_at"] - times["signed_up"]).clip(lower=0) / _HOUR,
            "observed": True,
            "weight": 1 / drawn.reindex(times["actor"]).to_numpy(float),
            "entry": (tables.history - times["signed_up"]).clip(lower=0) / _HOUR,
        }
    )
    # Who was there before the weeks began is in view from their start, and at risk only then.
    return frame[(frame["entry"] == 0) | (frame["entry"] < frame["duration"])].reset_index(
        drop=True
    )


def ledger(tables: Tables) -> pd.DataFrame | None:
    """`AbuseRows.ledger`."""
    if not tables.has("ledger"):
        return None
    note = "coalesce(note, '')" if tables.has("ledger", "note") else "''"
    frame: Any = tables.frame(
        f"SELECT DISTINCT changed_at, coalesce(instrument, 'unknown') AS instrument, "
        f"{note} AS note FROM ledger WHERE changed_at IS NOT NULL ORDER BY ALL"
    )
    frame["changed_at"] = instants(frame["changed_at"])
    return texts(frame, "instrument", "note")
