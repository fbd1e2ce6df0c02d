"""Small tables of one incident, by hand, and random ones with their counts by plain loops."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from trustlib.core import Window
from trustlib.data import AffectedQuery, AffectedRows

WINDOW = Window(datetime(2026, 3, 17, 14, tzinfo=UTC), datetime(2026, 3, 18, 16, tzinfo=UTC))
QUERY = AffectedQuery(sources={}, window=WINDOW, segments=("market",), currency="USD")
FRAMES = (
    "cases", "labelled", "people", "overlaps", "by_segment", "arrivals", "change_log",
)  # fmt: skip
ROLES = ("affected", "labels", "views", "arrivals", "change_log")


def _table(columns: str, *rows: tuple[Any, ...]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=columns.split())


def made() -> dict[Any, pd.DataFrame]:
    """Role -> rows: seven cases, one of them resolved, and two rows outside the window."""
    return {
        "affected": _table(
            "item_id case_at actioned suspect account_id customer_id dose gross recovered "
            "resolved_at market",
            ("i1", "2026-03-17 14:00", 1, 1, "a1", "c1", 2.0, 10.10, 1.25, "2026-03-19", "birch"),
            ("i2", "2026-03-17 16:00", 1, 1, "a1", "c1", 1.0, 20.00, 0.00, None, "birch"),
            ("i3", "2026-03-17 17:00", 1, 0, "a2", "c2", None, None, None, None, "elm"),
            ("i4", "2026-03-17 18:00", 0, 1, "a3", None, 3.0, 5.00, 5.00, None, "elm"),
            ("i5", "2026-03-17 19:00", 0, 1, "a1", "c1", 4.5, 7.77, 0.01, None, None),
            ("i6", "2026-03-18 15:59:59", 1, 1, None, "c3", 1.0, 0.50, 0.00, None, "birch"),
            ("i7", "2026-03-17 20:00", 1, None, "a4", None, 1.0, 0.00, 0.00, None, "birch"),
            ("i8", "2026-03-18 16:00", 1, 1, "a1", "c1", 9.0, 99.0, 0.00, None, "birch"),
            ("i9", "2026-03-17 13:59:59", 0, 1, "a9", "c9", 9.0, 99.0, 0.00, None, "oak"),
        ),
        "labels": _table(
            "item_id rater_id label inclusion_probability labelled_at",
            ("i1", "r1", 0, 0.5, "2026-03-20 10:00"),
            ("i1", "r2", 1, 0.5, "2026-03-20 12:00"),
            ("i2", "r1", 1, 0.5, "2026-03-20 10:00"),
            ("i2", "r2", 1, 0.5, "2026-03-20 10:00"),
            ("i2", "r3", 0, 0.5, "2026-03-20 11:00"),
            ("i4", "r1", 1, 1.0, "2026-03-22 10:00"),
            ("i6", "r1", 1, 0.5, "2026-03-20 09:00"),
            ("i6", "r1", 0, 0.5, "2026-03-21 09:00"),  # the later vote counts
            ("z1", "r1", 1, 0.5, "2026-03-20 10:00"),
            ("i9", "r1", 1, 0.5, "2026-03-20 10:00"),
        ),
        "views": _table(
            "item_id viewer_id viewed_at",
            ("i4", "v1", "2026-03-17 19:00"),
            ("i4", "v1", "2026-03-17 20:00"),
            ("i4", "a1", "2026-03-25 20:00"),
            ("i5", "v1", "2026-03-17 20:00"),
            ("i5", "v2", "2026-03-17 13:59"),  # before the window
            ("i1", "v3", "2026-03-17 20:00"),  # of an item that was actioned
            ("z9", "v3", "2026-03-17 20:00"),
        ),
        "arrivals": _table(
            "arrival_id kind event_at arrived_at",
            (1, "chargebacks", "2026-03-17 15:00", "2026-03-18 15:00"),
            (2, "chargebacks", "2026-03-17 15:00", "2026-03-18 15:00"),
            (3, "chargebacks", "2026-02-17 15:00", "2026-02-18 20:59:59"),
            (1, "appeals", "2026-03-17 15:00", "2026-03-25 21:00"),
            (2, "appeals", "2026-03-17 15:00", "2026-03-17 14:59"),  # before its event
        ),
        "change_log": _table(
            "changed_at change link",
            ("2026-03-17 13:40", "rule 7 live, by ada@mail.example", "https://x.example/c/17"),
            ("2026-03-01 09:00", "model 3 live", "TS-123"),
            ("2026-03-17 13:40", "flag on", "https://ada:secret@x.example/1"),
        ),
    }  # fmt: skip


def save(tables: dict[Any, pd.DataFrame], folder: Path, kind: str = "csv") -> dict[Any, str]:
    """Write every table; role -> file name, as `AffectedQuery.sources` wants it."""
    for role, table in tables.items():
        if kind == "csv":
            table.to_csv(folder / f"{role}.csv", index=False)
        else:
            table.to_parquet(folder / f"{role}.parquet", index=False)
    return {role: f"{role}.{kind}" for role in tables}


def same(one: AffectedRows, other: AffectedRows, besides: tuple[str, ...] = ()) -> None:
    """Every number of two readings."""
    for name in FRAMES:
        if name not in besides:
            pd.testing.assert_frame_equal(getattr(one, name), getattr(other, name), obj=name)
    for name in ("has_money", "has_resolved", "has_dose", "observed_until", "missing"):
        if name not in besides:
            assert getattr(one, name) == getattr(other, name), name


def world(seed: int, n: int = 300) -> dict[Any, pd.DataFrame]:
    """Random tables; ids are whole numbers, and every item is a case of the window."""
    rng = np.random.default_rng(seed)
    start, hours = pd.Timestamp(WINDOW.start).tz_localize(None), 26

    def times(low: float, high: float, size: int) -> Any:
        return start + pd.to_timedelta(rng.integers(int(low * 3600), int(high * 3600), size), "s")

    ids = rng.permutation(np.arange(1000, 1000 + n))
    gross = rng.integers(0, 5000, n)
    affected = pd.DataFrame(
        {
            "item_id": ids,
            "case_at": times(0, hours, n),
            "actioned": rng.integers(0, 2, n),
            "suspect": rng.integers(0, 2, n),
            "account_id": rng.integers(1, 60, n),
            "customer_id": rng.integers(1, 200, n),
            "dose": rng.integers(1, 5, n) / 2,
            "gross": gross / 100,
            "recovered": (gross * rng.random(n)).astype(int) / 100,
            "market": rng.choice(["x", "y"], n),
        }
    )
    affected["resolved_at"] = times(hours, 200, n)
    affected.loc[rng.random(n) < 0.6, "resolved_at"] = pd.NaT
    drawn = rng.choice(ids, n // 2, replace=False)
    votes = [(i, r, int(rng.random() < 0.5)) for i in drawn for r in range(rng.integers(1, 4))]
    labels = pd.DataFrame(votes, columns=["item_id", "rater_id", "label"])
    labels["inclusion_probability"] = 0.5
    labels["labelled_at"] = times(30, 300, len(labels))
    views = pd.DataFrame(
        {
            "item_id": rng.choice(ids, 800),
            "viewer_id": rng.integers(30, 90, 800),
            "viewed_at": times(-5, 40, 800),
        }
    )
    event = times(-500, 20, 400)
    arrivals = pd.DataFrame(
        {
            "arrival_id": np.arange(400),
            "kind": rng.choice(["appeals", "chargebacks"], 400),
            "event_at": event,
            "arrived_at": event + pd.to_timedelta(rng.integers(0, 200 * 3600, 400), "s"),
        }
    )
    changes = pd.DataFrame(
        {"changed_at": times(-100, 100, 5), "change": list("abcde"), "link": [None] * 5}
    )
    return {
        "affected": affected, "labels": labels, "views": views, "arrivals": arrivals,
        "change_log": changes,
    }  # fmt: skip
