"""Callaway–Sant'Anna on a large panel, beside diff-diff on the same machine at the same time.

    python tests/benchmarks/did_speed.py [--units 100000] [--periods 20] [--rounds 3]

From a long frame in memory to group-time effects, the four aggregations, their errors and
simultaneous bands (999 multiplier draws). Each run is a process of its own, both sides in
turn. Printed: median seconds, peak resident memory (and what it grew by over the frame and
the imports), the ratio ours / diff-diff, and how far the numbers are apart.
Aims: at most .50 of the time, and less memory.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

PROJECT = Path(__file__).resolve().parents[2]
DRAWS = 999
SIDES = ("diff-diff, errors only", "diff-diff", "trustlib")


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("--units", type=int, default=100_000)
    words.add_argument("--periods", type=int, default=20)
    words.add_argument("--cohorts", type=int, default=6)
    words.add_argument("--rounds", type=int, default=3)
    words.add_argument("--side", choices=SIDES, help="one run, for the benchmark's own use")
    words.add_argument("--frame", type=Path, help="its frame")
    asked = words.parse_args()
    if asked.side:
        print(json.dumps(one_run(asked.side, pd.read_parquet(asked.frame))))
        return
    with tempfile.TemporaryDirectory(prefix="trustlib-did-speed-") as folder:
        frame = Path(folder) / "panel.parquet"
        world(asked.units, asked.periods, asked.cohorts).to_parquet(frame)
        runs: dict[str, list[dict[str, float]]] = {side: [] for side in SIDES}
        for _ in range(asked.rounds):
            for side in SIDES:
                command = [sys.executable, __file__, "--side", side, "--frame", str(frame)]
                done = subprocess.run(
                    command, cwd=PROJECT, capture_output=True, text=True, check=False
                )
                if done.returncode:
                    sys.exit(f"{side} failed:\n{done.stderr}")
                runs[side].append(json.loads(done.stdout.splitlines()[-1]))
    print(f"{asked.units:,} units × {asked.periods} periods, {asked.cohorts} cohorts:")
    report(runs)


def world(units: int, periods: int, cohorts: int) -> pd.DataFrame:
    """A staggered rollout with growing effects, a third never treated; whole-number units."""
    rng = np.random.default_rng(1)
    first = np.linspace(3, periods - 3, cohorts).astype(np.int64)
    start = np.where(rng.random(units) < 1 / 3, 0, rng.choice(first, units))
    period = np.arange(1, periods + 1)
    after = (start[:, None] > 0) * np.maximum(period - start[:, None] + 1, 0)
    outcome = rng.normal(size=(units, 1)) + 0.1 * period + 0.2 * after
    outcome = outcome + rng.normal(size=(units, periods))
    return pd.DataFrame(
        {
            "unit": np.repeat(np.arange(units), periods),
            "time": np.tile(period, units),
            "outcome": outcome.ravel(),
            "treatment_start": np.repeat(start, periods),
        }
    )


def one_run(side: str, frame: pd.DataFrame) -> dict[str, float]:
    """One side on `frame`: seconds, memory in MB, and its numbers."""
    run = ours if side == "trustlib" else theirs
    draws = 0 if side == SIDES[0] else DRAWS
    run(frame.head(len(frame) // 1000 // 20 * 20), draws=0)  # imports and first calls apart
    before = _peak()
    begun = time.perf_counter()
    numbers = run(frame, draws=draws)
    seconds = time.perf_counter() - begun
    return {"seconds": seconds, "peak": _peak(), "growth": _peak() - before, **numbers}


def ours(frame: pd.DataFrame, *, draws: int) -> dict[str, float]:
    from trustlib.interventions import DidSpec, aggregate, group_time, panel_from_frame

    effects = group_time(panel_from_frame(frame, DidSpec()), control_group="never")
    found = [
        aggregate(effects, kind, level=0.95, draws=max(draws, 99), seed=0)
        for kind in ("simple", "group", "dynamic", "calendar")
    ]
    error = float(effects.standard_error.sum())
    return {
        "att": found[0].overall,
        "error": found[0].overall_standard_error,
        "cells": error,
        "critical": found[2].critical,
    }


def theirs(frame: pd.DataFrame, *, draws: int) -> dict[str, float]:
    from diff_diff import CallawaySantAnna

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = CallawaySantAnna(n_bootstrap=draws, seed=0).fit(
            frame,
            outcome="outcome",
            unit="unit",
            time="time",
            first_treat="treatment_start",
            aggregate="all",
        )
    return {
        "att": float(fitted.overall_att),
        "error": float(fitted.overall_se),
        "cells": float(sum(cell["se"] for cell in fitted.group_time_effects.values())),
        "critical": float(fitted.cband_crit_value or "nan") if draws else float("nan"),
    }


def report(runs: dict[str, list[dict[str, float]]]) -> None:
    median = {
        side: {key: statistics.median(run[key] for run in found) for key in found[0]}
        for side, found in runs.items()
    }
    for side, found in median.items():
        print(
            f"  {side}: {found['seconds']:.2f} s, peak {found['peak']:.0f} MB "
            f"(+{found['growth']:.0f} MB), simple ATT {found['att']:.10f} "
            f"± {found['error']:.8f}, critical value {found['critical']:.3f}"
        )
    mine = median["trustlib"]
    for side in SIDES[:2]:
        other = median[side]
        print(
            f"  ours / {side}: time {mine['seconds'] / other['seconds']:.2f}, "
            f"peak memory {mine['peak'] / other['peak']:.2f}, "
            f"growth {mine['growth'] / max(other['growth'], 1):.2f}; "
            f"ATT apart {abs(mine['att'] - other['att']):.1e}"
        )


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
