"""Small random platforms, and what `read_abuse` has to make of them, counted by plain loops."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from trustlib.core import Window
from trustlib.data import AbuseQuery

DAY, WEEK = 86_400, 7 * 86_400
ZERO = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp())  # a Thursday
HISTORY, START, COMPARE, END = (ZERO + days * DAY for days in (5, 26, 40, 54))
CONTROLS = ("rule", "review")


def at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


QUERY = AbuseQuery(
    sources={"items": "items.parquet"},
    window=Window(at(START), at(END)),
    history_start=at(HISTORY),
    compare_from=at(COMPARE),
    policy="scam",
    segments=("market", "kind"),
    control_sources=CONTROLS,
    confirming_sources=("review",),
    report_reasons=("scam", "fraud"),
)


def world(seed: int) -> dict[str, pd.DataFrame]:
    """Role -> rows; times are naive UTC."""
    rng = np.random.default_rng(seed)

    def pick(values: list[Any], n: int, p: list[float] | None = None) -> list[Any]:
        return [values[i] for i in rng.choice(len(values), n, p=p)]

    def times(low: int, high: int, n: int) -> Any:
        return pd.to_datetime(rng.integers(low, high, n), unit="s")

    n, people = 260, 60
    ids = rng.permutation(np.arange(1000, 1000 + n))
    items = pd.DataFrame(
        {
            "item_id": ids,
            "account_id": rng.integers(1, people, n),
            "created_at": times(ZERO, END + 3 * DAY, n),
            "kind": pick(["post", "photo", None], n),
            "url_domain": pick(["a.example", "b.example", None], n, [0.2, 0.1, 0.7]),
            "text_hash": pick([f"t{i}" for i in range(60)] + [None], n),
            "stratum": [f"s{i % 3}" for i in ids],
        }
    )
    known = [i for i in range(1, people) if i % 7]
    accounts = pd.DataFrame(
        {
            "account_id": known,
            "created_at": times(ZERO - 40 * DAY, ZERO + 20 * DAY, len(known)),
            "market": pick(["x", "y", None], len(known)),
        }
    )
    v = 700
    views = pd.DataFrame(
        {
            "view_id": rng.permutation(v),
            "item_id": pick([*ids.tolist(), 5], v),
            "viewed_at": times(ZERO, END + 3 * DAY, v),
            "viewer_id": rng.integers(1, 40, v),
        }
    )
    drawn = np.sort(rng.choice(ids, 120, replace=False))
    votes = [
        (int(i), rater, int(rng.random() < 0.45), "scam" if rng.random() < 0.9 else "spam")
        for i in drawn
        for rater in rng.choice(6, rng.integers(1, 4), replace=False)
    ]
    labels = pd.DataFrame(votes, columns=["item_id", "rater_id", "label", "policy"])
    labels["stratum"] = [f"s{i % 3}" for i in labels["item_id"]]
    labels["inclusion_probability"] = [(1 + i % 3) / 5 for i in labels["item_id"]]
    labels["labelled_at"] = times(END, END + DAY, len(labels))
    seen = views.iloc[:90]
    view_labels = pd.DataFrame(
        {
            "view_id": np.repeat(seen["view_id"].to_numpy(), 2),
            "item_id": np.repeat(seen["item_id"].to_numpy(), 2),
            "rater_id": np.tile([1, 2], 90),
            "label": rng.integers(0, 2, 180),
            "policy": "scam",
            "inclusion_probability": 0.25,
        }
    )
    gold = pd.DataFrame(
        [(2000 + i, r, int(rng.random() < 0.5), int(i % 2)) for i in range(20) for r in range(8)],
        columns=["item_id", "rater_id", "label", "gold"],
    )
    a = 150
    actions = pd.DataFrame(
        {
            "action_id": np.arange(a),
            "item_id": rng.choice(ids, a),
            "source": pick(["rule", "review", "other"], a),
            "acted_at": times(ZERO, END + 3 * DAY, a),
        }
    )
    appeals = pd.DataFrame(
        {
            "action_id": np.arange(0, a, 3),
            "outcome": pick(["overturned", "upheld", None], a // 3),
        }
    )
    reports = pd.DataFrame(
        {
            "item_id": rng.choice(ids, 120),
            "reason": pick(["scam", "fraud", "dislike"], 120),
            "reported_at": times(ZERO, END + 3 * DAY, 120),
        }
    )
    links = pd.DataFrame(
        {
            "account_id": rng.integers(1, people, 80),
            "kind": pick(["ip", "device"], 80),
            "token": pick([f"k{i}" for i in range(50)], 80),
        }
    )
    scores = pd.DataFrame({"item_id": ids[:-20], "score": rng.random(n - 20).round(4)})
    ledger = pd.DataFrame(
        {"changed_at": times(ZERO, END, 3), "instrument": ["a", "b", "c"], "note": "n"}
    )
    return {
        "items": items, "accounts": accounts, "views": views, "scores": scores, "labels": labels,
        "view_labels": view_labels, "gold": gold, "actions": actions, "appeals": appeals,
        "reports": reports, "links": links, "ledger": ledger,
    }  # fmt: skip


def save(tables: dict[str, pd.DataFrame], folder: Path, kind: str = "parquet") -> dict[Any, str]:
    """Write every table; role -> file name, as `AbuseQuery.sources` wants it."""
    for role, table in tables.items():
        if kind == "csv":
            table.to_csv(folder / f"{role}.csv", index=False)
        else:
            table.to_parquet(folder / f"{role}.parquet", index=False)
    return {role: f"{role}.{kind}" for role in tables}


class Counted:
    """The numbers of every frame of `AbuseRows`, by loops over the rows of a world."""

    def __init__(self, tables: dict[str, pd.DataFrame]) -> None:
        rows = {role: _records(table) for role, table in tables.items()}
        self.rows = rows
        market = {r["account_id"]: r["market"] for r in rows["accounts"]}
        self.signed = {r["account_id"]: r["created_at"] for r in rows["accounts"]}
        self.items = {r["item_id"]: r for r in rows["items"] if r["created_at"] < END}
        for item in self.items.values():
            item["market"] = market.get(item["account_id"]) or "unknown"
            item["kind"] = item["kind"] or "unknown"
        people = sorted({item["account_id"] for item in self.items.values()})
        self.actor = {account: code for code, account in enumerate(people)}
        self.window = {i: r for i, r in self.items.items() if r["created_at"] >= START}
        self.known = [r for r in rows["views"] if r["item_id"] in self.items]
        self.seen = [r for r in self.known if START <= r["viewed_at"] < END]
        self._labels()
        self._acts()

    def _labels(self) -> None:
        votes: dict[int, list[int]] = defaultdict(list)
        self.votes = [r for r in self.rows["labels"] if r["policy"] == "scam"]
        for vote in self.votes:
            votes[vote["item_id"]].append(vote["label"])
        self.violating = {i for i, v in votes.items() if 2 * sum(v) > len(v)}
        self.tied = {i for i, v in votes.items() if 2 * sum(v) == len(v)}
        self.sample = [
            i for i in sorted(votes) if i in self.items and self.items[i]["created_at"] >= HISTORY
        ]
        self.n_votes = {i: len(v) for i, v in votes.items()}

    def _acts(self) -> None:
        gone = {r["action_id"] for r in self.rows["appeals"] if r["outcome"] == "overturned"}
        decided = {r["action_id"] for r in self.rows["appeals"] if r["outcome"]}
        asked = {r["action_id"] for r in self.rows["appeals"]}
        self.first: dict[int, int] = {}
        self.hits: dict[str, set[int]] = defaultdict(set)
        stands = set()
        self.appealed: dict[str, set[int]] = defaultdict(set)
        for act in self.rows["actions"]:
            item = act["item_id"]
            if act["source"] == "review" and act["action_id"] not in gone:
                stands.add(item)
            if act["source"] not in CONTROLS:
                continue
            self.hits[act["source"]].add(item)
            self.first[item] = min(self.first.get(item, act["acted_at"]), act["acted_at"])
            if item in self.window:
                self.appealed["enforced"].add(item)
                for name, ids in (("appealed", asked), ("decided", decided), ("overturned", gone)):
                    if act["action_id"] in ids:
                        self.appealed[name].add(item)
        self.reported: dict[int, int] = {}
        for one in self.rows["reports"]:
            if one["reason"] in ("scam", "fraud"):
                item = one["item_id"]
                first = self.reported.get(item, one["reported_at"])
                self.reported[item] = min(first, one["reported_at"])
        self.confirmed = {i for i in self.violating | stands if i in self.items}

    def population(self) -> dict[str, tuple[int, int]]:
        items = Counter(r["stratum"] for r in self.window.values())
        views = Counter(self.items[r["item_id"]]["stratum"] for r in self.seen)
        return {s: (items[s], views[s]) for s in ("s0", "s1", "s2")}

    def weeks(self) -> dict[tuple[int, str], tuple[int, int]]:
        monday = ZERO - 3 * DAY
        items = Counter(
            ((r["created_at"] - monday) // WEEK, r["stratum"])
            for r in self.items.values() if r["created_at"] >= HISTORY
        )  # fmt: skip
        views = Counter(
            ((r["viewed_at"] - monday) // WEEK, self.items[r["item_id"]]["stratum"])
            for r in self.known if HISTORY <= r["viewed_at"] < END
        )  # fmt: skip
        return {
            (monday + week * WEEK, s): (items[week, s], views[week, s])
            for week in range((HISTORY - monday) // WEEK, (END - 1 - monday) // WEEK + 1)
            for s in ("s0", "s1", "s2")
        }

    def by_segment(self) -> dict[tuple[str, str, str], tuple[int, int]]:
        found = {}
        for name in ("market", "kind"):
            items = Counter((r[name], r["stratum"]) for r in self.window.values())
            views = Counter(
                (self.items[r["item_id"]][name], self.items[r["item_id"]]["stratum"])
                for r in self.seen if r["item_id"] in self.window
            )  # fmt: skip
            found |= {(name, *key): (items[key], views[key]) for key in items}
        return found

    def cells(self) -> dict[tuple[str, str], tuple[int, int]]:
        before, now = Counter(), Counter()
        for row in self.window.values():
            (before if row["created_at"] < COMPARE else now)[row["market"], row["kind"]] += 1
        return {key: (before[key], now[key]) for key in before | now}

    def actor_harm(self) -> dict[int, int]:
        per = {r["account_id"]: 0 for r in self.window.values()}
        for item in self.confirmed & set(self.window):
            per[self.window[item]["account_id"]] += 1
        return dict(Counter(per.values()))

    def accounts_join(self) -> dict[tuple[str, str], tuple[int, ...]]:
        acted = {self.window[i]["account_id"] for i in self.first if i in self.window}
        found = {}
        for segment, value in [
            ("all", "all"),
            *(("kind", k) for k in ("photo", "post", "unknown")),
        ]:
            rows = [r for r in self.window.values() if value in ("all", r["kind"])]
            people = {r["account_id"] for r in rows}
            gone = {p for p in people if p not in self.signed}
            found[segment, value] = (
                len(people), len(gone), len(people & acted), len(gone & acted), len(rows),
                sum(r["account_id"] in gone for r in rows),
            )  # fmt: skip
        return found

    def proactive(self) -> dict[tuple[int, int], int]:
        per: dict[int, list[int]] = defaultdict(lambda: [0, 0])
        for item, first in self.first.items():
            if item in self.window:
                cell = per[self.window[item]["account_id"]]
                cell[0] += not (item in self.reported and self.reported[item] < first)
                cell[1] += 1
        return dict(Counter(map(tuple, per.values())))

    def viewers(self) -> dict[int, set[int]]:
        """Violating item of the sample, in the window -> who saw it in the window."""
        return {
            i: {r["viewer_id"] for r in self.seen if r["item_id"] == i}
            for i in self.sample if i in self.violating and i in self.window
        }  # fmt: skip

    def uses(self, column: str) -> dict[str, tuple[int, int, int, set[int]]]:
        """Token -> uses before the window, in it before and from compare_from, its accounts."""
        found: dict[str, list[Any]] = defaultdict(lambda: [0, 0, 0, set()])
        for row in self.items.values():
            name, time = row[column], row["created_at"]
            if name is None or time < HISTORY:
                continue
            found[name][0 if time < START else 1 if time < COMPARE else 2] += 1
            if time >= START:
                found[name][3].add(row["account_id"])
        return {name: tuple(uses) for name, uses in found.items()}

    def links(self) -> set[tuple[int, str, str]]:
        active = {r["account_id"] for r in self.window.values()}
        return {
            (self.actor[r["account_id"]], r["kind"], r["token"])
            for r in self.rows["links"] if r["account_id"] in active
        }  # fmt: skip


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    plain = table.copy()
    for name in plain:
        if pd.api.types.is_datetime64_any_dtype(plain[name]):
            plain[name] = plain[name].astype("datetime64[s]").astype("int64")
    records = plain.astype(object).where(plain.notna(), None).to_dict("records")
    return [{str(key): value for key, value in row.items()} for row in records]
