"""The tables of a deep-dive at scale: time and peak memory of every stage, printed.

    python tests/benchmarks/deep_dive_scale.py [views]

By default 100 million views. The tables are not the demo world's: they are made by short SQL over
ranges, as Parquet in a temporary folder (the large demo world has 108 million views of 24 million
items, and takes long to make), with as many items, accounts, labels, actions and reports for each
view as that world has. Printed of every stage: seconds on the clock, seconds of the processors
(which other work on the machine does not lengthen), and the resident set of the whole process,
sampled fifty times a second: the engine, pandas and Python together.
"""

from __future__ import annotations

import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from trustlib.core import Window
from trustlib.data import AbuseQuery, abuse_read
from trustlib.data.engine import (
    abuse_acts,
    abuse_health,
    abuse_made,
    abuse_people,
    abuse_sample,
    abuse_tokens,
    abuse_totals,
    abuse_votes,
)

# 98 days from 5 January 2026. Products of a large prime mix, the same everywhere.
MIX = "(({}) * 2654435761 % 4294967296)"
AT = "TIMESTAMP '2026-01-05' + INTERVAL 1 SECOND * ({}::BIGINT % 8467200)"
SEEN = (
    "greatest(0, ({0}) * {{items}} // {{views}} "
    "- (({0}) * 2654435761 % 4294967296) % ({{items}} // 14))"
)
TABLES = {
    "accounts": "SELECT i AS account_id, TIMESTAMP '2025-01-01' + INTERVAL 1 MINUTE * (i % 400000) "
    "AS created_at, 'market ' || (i * 7 % 6) AS market FROM range({accounts}) AS t(i) "
    "WHERE i % 300 <> 7",
    "items": f"SELECT i AS item_id, {MIX.format('i')} % {{accounts}} AS account_id, "
    f"{AT.format('i * 8467200 // {items}')} AS created_at, "
    "['post', 'photo', 'video', 'comment'][1 + i % 4] AS kind, "
    "CASE WHEN i % 3 = 0 THEN 'site-' || (" + MIX.format("i + 1") + " % 40000) || '.example' END "
    "AS url_domain, 'txt_' || printf('%08x', CASE WHEN i % 50 = 0 THEN i // 400 ELSE i END) "
    "AS text_hash, 'stratum ' || (CASE WHEN i % 1000 = 0 THEN 3 WHEN i % 100 = 0 THEN 2 "
    "WHEN i % 7 = 0 THEN 1 ELSE 0 END) AS stratum FROM range({items}) AS t(i)",
    # Of an item of the week before.
    "views": f"SELECT i AS view_id, {SEEN.format('i')} AS item_id, "
    f"{AT.format('i * 8467200 // {views}')} AS viewed_at, "
    f"{MIX.format('i + 5')} % {{accounts}} AS viewer_id FROM range({{views}}) AS t(i)",
    "scores": f"SELECT i AS item_id, {MIX.format('i + 9')} / 4294967296.0 AS score "
    "FROM range({items}) AS t(i)",
    "labels": "SELECT i * ({items} // {labels}) AS item_id, i % 12 AS rater_id, "
    "(i % 20 = 0)::INTEGER AS label, 1.0 * {labels} / {items} AS inclusion_probability "
    "FROM range({labels}) AS t(i)",
    "view_labels": "SELECT i * ({views} // {labels}) AS view_id, "
    f"{SEEN.format('i * ({views} // {labels})')} AS item_id, "
    "i % 12 AS rater_id, (i % 20 = 0)::INTEGER AS label, "
    "1.0 * {labels} / {views} AS inclusion_probability FROM range({labels}) AS t(i)",
    "actions": "SELECT i AS action_id, i * 14 AS item_id, "
    "['rule', 'model', 'review'][1 + i % 3] AS source, "
    f"{AT.format('i * 14 * 8467200 // {items}')} + INTERVAL 1 HOUR AS acted_at "
    "FROM range({items} // 14) AS t(i)",
    "reports": "SELECT i * 10 AS item_id, ['scam', 'spam'][1 + i % 2] AS reason, "
    f"{AT.format('i * 10 * 8467200 // {items}')} + INTERVAL 2 HOUR AS reported_at "
    "FROM range({items} // 10) AS t(i)",
    "links": "SELECT i AS account_id, 'device' AS kind, 'dev_' || i AS token "
    "FROM range({accounts}) AS t(i) UNION ALL "
    "SELECT i, 'ip', 'ip_' || (i // 6) FROM range({accounts}) AS t(i)",
}
STAGES: dict[Any, tuple[str, ...]] = {
    abuse_read: ("copies", "sample", "totals", "view_sample", "durations"),
    abuse_health: ("cells", "strangers", "times", "replaced"),
    abuse_made: ("once", "people", "strata", "values", "made"),
    abuse_totals: ("views_once", "seen", "cells"),
    abuse_acts: ("acts", "reports", "bad", "controls", "proactive"),
    abuse_votes: ("votes", "gold"),
    abuse_sample: ("sample", "close_views", "viewers", "shared_viewers"),
    abuse_people: ("account_items", "accounts_join", "links", "tied"),
    abuse_tokens: ("tokens", "shares", "frequent", "weekly"),
}


class Memory:
    """The most that the process held since it was last asked, bytes."""

    def __init__(self) -> None:
        self.peak = self.all = 0
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        page = os.sysconf("SC_PAGE_SIZE")
        while True:
            held = int(Path("/proc/self/statm").read_text().split()[1]) * page
            self.peak, self.all = max(self.peak, held), max(self.all, held)
            time.sleep(0.02)


def told(name: str, work: Callable[..., Any], memory: Memory) -> Callable[..., Any]:
    """`work`, with its time and peak printed where it takes a tenth of a second or more."""

    def timed(*args: Any, **keywords: Any) -> Any:
        began, busy, memory.peak = time.perf_counter(), time.process_time(), 0
        found = work(*args, **keywords)
        took, busy = time.perf_counter() - began, time.process_time() - busy
        if took >= 0.1:
            said = ", ".join(arg for arg in args[1:2] if isinstance(arg, str))
            label = f"{name} {said}"
            print(
                f"{label:<34}{took:>8.1f} s{busy:>8.1f} s{memory.peak / 1e6:>9,.0f} MB", flush=True
            )
        return found

    return timed


def main(views: int) -> None:
    """Make the tables, read them, print the stages."""
    sizes = {
        "views": views, "items": views * 24 // 108, "accounts": views * 2 // 108, "labels": 4_000
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as home:
        os.chdir(home)
        began = time.perf_counter()
        with duckdb.connect(config={"threads": 2, "memory_limit": "2GB"}) as con:
            con.execute("SET preserve_insertion_order = false")
            for name, sql in TABLES.items():
                con.execute(f"COPY ({sql.format(**sizes)}) TO '{name}.parquet' (FORMAT parquet)")
        print(f"tables made in {time.perf_counter() - began:.0f} s (not counted below)", flush=True)
        memory = Memory()
        for module, names in STAGES.items():
            for name in names:
                setattr(module, name, told(name, getattr(module, name), memory))
        began, busy = time.perf_counter(), time.process_time()
        rows = abuse_read.read_abuse(
            AbuseQuery(
                sources={name: f"{name}.parquet" for name in TABLES},  # type: ignore[misc]
                window=Window(datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 30, tzinfo=UTC)),
                history_start=datetime(2026, 2, 2, tzinfo=UTC),
                compare_from=datetime(2026, 3, 16, tzinfo=UTC),
                segments=("market", "kind"),
                control_sources=("rule", "model", "review"),
                confirming_sources=("review",),
                report_reasons=("scam",),
            )
        )
        took, busy = time.perf_counter() - began, time.process_time() - busy
        frames = sum(
            frame.memory_usage(deep=True).sum()
            for frame in vars(rows).values()
            if hasattr(frame, "memory_usage")
        )
        print(
            f"{views:,} views of {sizes['items']:,} items: {took:.0f} s "
            f"({busy:.0f} s of the processors), peak {memory.all / 1e6:,.0f} MB; "
            f"frames {frames / 1e6:,.0f} MB"
        )
        counted = rows.population.sum(numeric_only=True)
        print(f"in the window {counted['items']:,.0f} items, {counted['views']:,.0f} views")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000_000)
