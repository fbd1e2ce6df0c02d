"""An incident's tables whose every column of keys and of free text holds identifiers."""

from __future__ import annotations

import csv
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.report.leaky import identifiers

START = datetime(2026, 3, 17, 14, tzinfo=UTC)
END = START + timedelta(hours=26)
FIRST = START - timedelta(days=49)
AS_OF = START + timedelta(days=9)
_CASES = 240


def tables() -> dict[str, list[dict[str, object]]]:
    """Tables by role; `events` is the series."""
    draw, names = random.Random(11), identifiers()

    def who() -> str:
        return draw.choice(names)

    events, hour = [], FIRST
    while hour < START + timedelta(days=4):
        level = 12 + 6 * (hour.hour in range(8, 20)) - 4 * (hour.weekday() > 4)
        count = draw.randint(level - 4, level + 4) + (9 if START <= hour < END else 0)
        for _ in range(count):
            at = hour + timedelta(seconds=draw.randrange(3600))
            market = draw.choice(["birch", "elm"] if START <= hour < END else
                                 ["birch", "elm", "fir", "oak"])  # fmt: skip
            events.append({"event_id": f"{who()}/{len(events)}", "acted_at": at, "market": market})
        hour += timedelta(hours=1)
    accounts = [who() if n % 2 else f"account{n}" for n in range(150)]
    cases = []
    for n in range(_CASES):
        over = n % 3 != 0
        at = START + (END - START) * draw.random()
        wrong = draw.random() < 0.8
        cases.append(
            {
                "item_id": f"{names[n * 2]}" if n % 2 else f"item{n}", "case_at": at,
                "actioned": int(over), "suspect": int(draw.random() < (0.9 if wrong else 0.3)),
                "account_id": draw.choice(accounts), "customer_id": who(),
                "market": draw.choice(["birch", "elm", who() if n < 4 else "elm"]),
                "gross": f"{draw.lognormvariate(2, 1):.2f}", "recovered": "0.50",
                "resolved_at": at + timedelta(days=2) if n % 5 == 0 else "",
                "wrong": wrong,
            }
        )  # fmt: skip
    labels = [
        {"item_id": row["item_id"], "label": int(bool(row["wrong"]) != bool(row["actioned"])),
         "rater_id": who(), "stratum": f"audit of {names[0]}", "inclusion_probability": 0.6,
         "labelled_at": END + timedelta(hours=draw.random() * 300)}
        for row in cases
        if draw.random() < 0.6
    ]  # fmt: skip
    views = [
        {"item_id": row["item_id"], "viewer_id": who() if draw.random() < 0.5 else f"v{n % 190}",
         "viewed_at": row["case_at"] + timedelta(hours=draw.random() * 5)}
        for row in cases
        for n in range(draw.randrange(6))
    ]  # fmt: skip
    arrivals = [
        {"kind": draw.choice(["appeals", "chargebacks"]), "event_at": at,
         "arrived_at": at + timedelta(hours=1 + draw.expovariate(1 / 50))}
        for at in (FIRST + (AS_OF - FIRST) * draw.random() for _ in range(2500))
    ]  # fmt: skip
    changes = [
        {"changed_at": START - timedelta(hours=hours), "change": f"Asked for by {who()}: {who()}",
         "link": f"https://changes.example/{hours}?by={who()}" if hours % 2 else who()}
        for hours in (1, 2, 50, 99, 300, 700)
    ]  # fmt: skip
    for row in cases:
        row.pop("wrong")
    return {"events": events, "affected": cases, "labels": labels, "views": views,
            "arrivals": arrivals, "change_log": changes}  # fmt: skip


def write(folder: Path) -> None:
    """All tables as CSV files in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in tables().items():
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(
                {key: value.isoformat() if isinstance(value, datetime) else value
                 for key, value in row.items()}
                for row in rows
            )  # fmt: skip


def asked() -> dict[str, object]:
    """The params of a whole record on these tables."""
    roles = ("affected", "labels", "views", "arrivals", "change_log")
    return {
        "title": "Rule 17 removed too many posts",
        "owner": "Integrity",
        "source": "data/events.csv",
        "time_column": "acted_at",
        "event_id_column": "event_id",
        "segment_column": "market",
        "incident_start": START.isoformat(),
        "incident_end": END.isoformat(),
        "direction": "increase",
        "unit_label": "actions",
        **{f"{role}_source": f"data/{role}.csv" for role in roles},
        "segments": ["market"],
        "affected_segments": ["birch", "elm"],
        "first_signal_at": (START + timedelta(hours=3)).isoformat(),
        "declared_at": (START + timedelta(hours=4)).isoformat(),
        "mitigated_at": END.isoformat(),
        "recovered_at": (END + timedelta(days=2)).isoformat(),
        "as_of": AS_OF.isoformat(),
        "currency": "USD",
        "lists_folder": "restricted/rule-17",
        "timeline": [{"at": (START + timedelta(hours=3)).isoformat(), "event": "Support calls"}],
        "actions": [
            {"title": "Canary", "type": "prevent", "owner": "Rules", "due": "2026-04-30",
             "check": "No rule without one"}
        ],
        "severity_rules": [{"severity": "SEV2", "measure": "false_positives", "at_least": 50}],
        "alerts": [{"name": "queue", "kind": "threshold", "value": 40, "status": "existing"}],
    }  # fmt: skip
