"""How long a report takes, beside the stock tools on the same machine at the same time.

    python tests/benchmarks/run_speed.py [--rounds 3] [--reports 12] [--jobs 2]

Both sides run in turn, so that a busy machine slows both. Printed: seconds (median of the
rounds) and the ratio ours / stock. Stock is `papermill` followed by
`jupyter nbconvert --to html`, one report after another, as its users run it.
Aims: a trivial notebook at most .35; twelve incident reports with two jobs at most .25.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
TRIVIAL = """\
from trustlib.core import Check, Estimate, Results
Results(
    notebook="trivial", headline="There are 3.", verdict="counted",
    estimates={"n": Estimate(point=n, low=n, high=n, level=0.95, unit="things", method="count",
                             n=n)},
    checks=[Check(name="c", verdict="pass", label="plausible", text="It is plausible.")],
)"""


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("--rounds", type=int, default=3)
    words.add_argument("--reports", type=int, default=12)
    words.add_argument("--jobs", type=int, default=2)
    asked = words.parse_args()
    with tempfile.TemporaryDirectory(prefix="trustlib-speed-") as name:
        folder = Path(name)
        trivial(folder, rounds=asked.rounds)
        incidents(folder, reports=asked.reports, jobs=asked.jobs)


def trivial(folder: Path, *, rounds: int) -> None:
    """One notebook that does next to nothing."""
    _notebook(folder / "notebooks" / "trivial.ipynb")
    params = folder / "params" / "trivial" / "one.yaml"
    params.parent.mkdir(parents=True)
    params.write_text("n: 3\n")
    stock, ours = [], []
    for _ in range(rounds):
        stock.append(_timed(lambda: _stock(folder, "notebooks/trivial.ipynb", params)))
        ours.append(_timed(lambda: _ours(folder, params, jobs=1)))
    _print("trivial notebook", statistics.median(stock), statistics.median(ours))


def incidents(folder: Path, *, reports: int, jobs: int) -> None:
    """Incident reports on hourly counts."""
    counts(folder / "counts.csv")
    params = folder / "params" / "incident_sizing"
    params.mkdir(parents=True)
    files = [params / f"incident-{number:02d}.yaml" for number in range(reports)]
    for number, file in enumerate(files):
        file.write_text(INCIDENT.format(number=number))
    notebook = str(PROJECT / "notebooks" / "incident_sizing.ipynb")
    stock = _timed(lambda: [_stock(folder, notebook, file) for file in files])
    ours = _timed(lambda: _ours(folder, params, jobs=jobs))
    _print(f"{reports} incident reports, {jobs} jobs", stock, ours)


INCIDENT = """\
title: Incident {number}
owner: Operations
source: counts.csv
time_column: hour
count_column: reports
incident_start: "2026-03-10T06:00:00+00:00"
incident_end: "2026-03-11T12:00:00+00:00"
"""


def counts(path: Path) -> None:
    """Seven weeks of hourly counts with a season and a shortfall."""
    start = datetime(2026, 1, 26, tzinfo=UTC)
    first, last = datetime(2026, 3, 10, 6, tzinfo=UTC), datetime(2026, 3, 11, 12, tzinfo=UTC)
    lines = ["hour,reports"]
    for hour in range(7 * 7 * 24):
        at = start + timedelta(hours=hour)
        level = 120 + 60 * math.sin(2 * math.pi * at.hour / 24) - 15 * (at.weekday() > 4)
        share = 0.4 if first <= at < last else 1.0
        lines.append(f"{at.isoformat()},{round(share * (level + (hour * 7919 % 23) - 11))}")
    path.write_text("\n".join(lines) + "\n")


def _notebook(path: Path) -> None:
    def cell(source: str, **metadata: object) -> dict[str, object]:
        return {
            "cell_type": "code",
            "source": source,
            "metadata": metadata,
            "outputs": [],
            "execution_count": None,
        }

    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    document = {
        "nbformat": 4,
        "nbformat_minor": 4,
        "metadata": {"kernelspec": kernel},
        "cells": [cell("n = 1", tags=["parameters"]), cell(TRIVIAL)],
    }
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(document))


def _stock(folder: Path, notebook: str, params: Path) -> None:
    out = f"stock-{params.stem}.ipynb"
    _run(folder, [BIN / "papermill", notebook, out, "-f", params, "-k", "python3"])
    _run(folder, [BIN / "jupyter", "nbconvert", "--to", "html", out])


def _ours(folder: Path, params: Path, *, jobs: int) -> None:
    _run(folder, [BIN / "trustlib", "run", params, "--jobs", str(jobs), "--json"])


def _run(folder: Path, command: list[str | Path]) -> None:
    done = subprocess.run(
        [str(word) for word in command],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}"},
    )
    if done.returncode:
        sys.exit(f"{command[0]} failed:\n{done.stdout}\n{done.stderr}")


def _timed(action: Callable[[], object]) -> float:
    begun = time.perf_counter()
    action()
    return time.perf_counter() - begun


def _print(name: str, stock: float, ours: float) -> None:
    print(
        f"{name}: stock {stock:.2f} s, trustlib {ours:.2f} s, ratio {ours / stock:.2f}", flush=True
    )


if __name__ == "__main__":
    main()
