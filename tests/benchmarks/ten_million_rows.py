"""The incident report from ten million event rows: time and peak memory, printed.

    python tests/benchmarks/ten_million_rows.py [rows]

Memory is the sum over the command and all its processes (proportional set size,
sampled twenty times a second), so that nothing hides in a child.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb

PARAMS = """\
title: "Ten million rows"
owner: "Benchmark"
source: "events.parquet"
time_column: "at"
segment_column: "market"
incident_start: "2026-03-15T12:00:00+00:00"
incident_end: "2026-03-16T12:00:00+00:00"
bucket: "1h"
direction: "increase"
unit_label: "events"
"""
# 75 days; a fifth more in the incident day. Multiplicative mixing keeps it the same everywhere.
ROWS = """
COPY (
  SELECT TIMESTAMP '2026-01-01' + INTERVAL 1 SECOND * CAST(
           CASE WHEN i % 60 = 0 THEN 6350400 + (i * 2654435761) % 86400
                ELSE (i * 2654435761) % 6480000 END AS BIGINT) AS at,
         'market ' || (i * 40503) % 8 AS market
  FROM range({rows}) AS t(i)
) TO '{path}' (FORMAT parquet)
"""


def memory(pid: int) -> int:
    """Proportional set size of a process and all below it, bytes."""
    total, queue = 0, [pid]
    while queue:
        one = queue.pop()
        try:
            rollup = Path(f"/proc/{one}/smaps_rollup").read_text()
            total += 1024 * int(rollup.split("Pss:", 1)[1].split()[0])
            for task in Path(f"/proc/{one}/task").iterdir():
                queue += [int(child) for child in (task / "children").read_text().split()]
        except (OSError, IndexError):
            continue
    return total


def main(rows: int) -> int:
    """Make the rows, run the report, print time and peak memory; the command's exit code."""
    with tempfile.TemporaryDirectory() as home:
        root = Path(home)
        duckdb.sql(ROWS.format(rows=rows, path=root / "events.parquet"))
        params = root / "params/incident_sizing/ten-million.yaml"
        params.parent.mkdir(parents=True)
        params.write_text(PARAMS, encoding="utf-8")
        began, peak = time.perf_counter(), 0
        run = subprocess.Popen(
            [sys.executable, "-m", "trustlib", "run", params.relative_to(root)], cwd=root
        )
        while run.poll() is None:
            peak = max(peak, memory(run.pid))
            time.sleep(0.05)
        took = time.perf_counter() - began
    print(f"{rows:,} event rows: {took:.1f} s, peak {peak / 1e6:,.0f} MB over all processes")
    return run.returncode


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000_000))
