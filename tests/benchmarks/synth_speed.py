"""Synthetic difference-in-differences with placebos, beside diff-diff at the same time.

    python tests/benchmarks/synth_speed.py [--rounds 3] [--growth] [--plot growth.png]

From a long frame in memory to the effect and its placebo error: ours with every placebo there
is, diff-diff with its 200 random draws. Proposition 99 (from ../shared/realdata, where it is)
and simulated panels. Each run is a process of its own with one thread, both sides in turn.
Printed: median seconds by the clock and of the processor, peak resident memory, the ratios
diff-diff / ours, effects and errors. Aim: at least 10 times faster on Proposition 99.

`--growth` measures our own cost as units and periods grow, up to 200 units × 500 periods (one
run each), and prints the exponent: processor seconds ~ size^exponent.
"""

from __future__ import annotations

import argparse
import json
import os
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
PROP99 = PROJECT / ".." / "shared" / "realdata" / "prop99.csv"
DRAWS = 200
SIDES = ("diff-diff", "trustlib")
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "RAYON_NUM_THREADS": "1"}
# Units (one of them treated) × periods (a quarter of them after the start).
BESIDE = ((20, 24), (40, 40), (80, 60))
UNITS, PERIODS = (25, 50, 100, 200), (60, 125, 250, 500)
AT_UNITS, AT_PERIODS = 50, 100


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("--rounds", type=int, default=3)
    words.add_argument("--growth", action="store_true", help="our cost by units and by periods")
    words.add_argument("--plot", type=Path, help="where to draw it")
    words.add_argument("--side", choices=SIDES, help="one run, for the benchmark's own use")
    words.add_argument("--frame", type=Path, help="its frame")
    asked = words.parse_args()
    if asked.side:
        print(json.dumps(one_run(asked.side, pd.read_parquet(asked.frame))))
        return
    with tempfile.TemporaryDirectory(prefix="trustlib-synth-speed-") as folder:
        path = Path(folder) / "panel.parquet"
        if asked.growth or asked.plot:
            growth(path, asked.plot)
            return
        panels = {f"{units} units × {periods} periods": world(units, periods)
                  for units, periods in BESIDE}  # fmt: skip
        if PROP99.exists():
            panels = {"Proposition 99 (39 × 31)": proposition_99(), **panels}
        for name, frame in panels.items():
            frame.to_parquet(path)
            runs: dict[str, list[dict[str, float]]] = {side: [] for side in SIDES}
            for _ in range(asked.rounds):
                for side in SIDES:
                    runs[side].append(measured(side, path))
            report(name, runs)


def proposition_99() -> pd.DataFrame:
    frame = pd.read_csv(PROP99)
    return pd.DataFrame(
        {
            "unit": frame["state"],
            "time": frame["year"],
            "outcome": frame["packs_per_capita"].astype(float),
            "treatment_start": np.where(frame["state"] == "California", 1989.0, np.nan),
        }
    )


def world(units: int, periods: int) -> pd.DataFrame:
    """Levels, four moving factors and noise; the first unit is treated in the last quarter."""
    rng = np.random.default_rng(1)
    factors = np.cumsum(rng.normal(size=(4, periods)), axis=1) * 0.3
    outcome = 5 * rng.normal(size=(units, 1)) + rng.normal(size=(units, 4)) @ factors
    outcome += rng.normal(size=(units, periods))
    start = periods - periods // 4
    outcome[0, start:] -= 3.0
    return pd.DataFrame(
        {
            "unit": np.repeat([f"u{i:04}" for i in range(units)], periods),
            "time": np.tile(np.arange(periods), units),
            "outcome": outcome.ravel(),
            "treatment_start": np.repeat(np.where(np.arange(units) == 0, start, np.nan), periods),
        }
    )


def measured(side: str, path: Path) -> dict[str, float]:
    """One run in a process of its own."""
    done = subprocess.run(
        [sys.executable, __file__, "--side", side, "--frame", str(path)],
        cwd=PROJECT,
        env=os.environ | ONE_THREAD | {"PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{side} failed:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def one_run(side: str, frame: pd.DataFrame) -> dict[str, float]:
    """One side on `frame`: seconds, memory in MB, and its numbers."""
    run = ours if side == "trustlib" else theirs
    run(world(6, 12))  # imports and first calls apart
    begun, worked = time.perf_counter(), time.process_time()
    numbers = run(frame)
    seconds, busy = time.perf_counter() - begun, time.process_time() - worked
    return {"seconds": seconds, "busy": busy, "peak": _peak(), **numbers}


def ours(frame: pd.DataFrame) -> dict[str, float]:
    from trustlib.interventions.synth.cohorts import cases
    from trustlib.interventions.synth.fit import fit
    from trustlib.interventions.synth.panel_from_frame import synth_panel
    from trustlib.interventions.synth.placebos_in_space import in_space
    from trustlib.interventions.synth.spec import SynthSpec

    begun = time.process_time()
    parts = cases(synth_panel(frame, SynthSpec(treatment_start_column="treatment_start")))
    fits = [fit(case, "synthetic_did") for _, case in parts]
    fitted = time.process_time() - begun
    chance = in_space(parts, fits)
    return {"att": chance.own_att, "error": chance.standard_error, "n": chance.n, "fit": fitted}


def theirs(frame: pd.DataFrame) -> dict[str, float]:
    from diff_diff import SyntheticDiD

    start = frame["treatment_start"].min()
    times = sorted(frame["time"].unique())
    frame = frame.assign(ever=frame["treatment_start"].notna().astype(int))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = SyntheticDiD(variance_method="placebo", n_bootstrap=DRAWS, seed=0).fit(
            frame,
            outcome="outcome",
            treatment="ever",
            unit="unit",
            time="time",
            post_periods=[t for t in times if t >= start],
        )
    return {"att": float(fitted.att), "error": float(fitted.se), "n": DRAWS, "fit": float("nan")}


def report(name: str, runs: dict[str, list[dict[str, float]]]) -> None:
    median = {
        side: {key: statistics.median(run[key] for run in found) for key in found[0]}
        for side, found in runs.items()
    }
    print(f"{name}:")
    for side, found in median.items():
        print(
            f"  {side}: {found['seconds']:.3f} s ({found['busy']:.3f} s of the processor), "
            f"peak {found['peak']:.0f} MB, "
            f"effect {found['att']:.4f}, error {found['error']:.4f} from {found['n']:.0f} placebos"
        )
    other, mine = median["diff-diff"], median["trustlib"]
    print(
        f"  diff-diff / ours: {other['seconds'] / mine['seconds']:.1f} by the clock, "
        f"{other['busy'] / mine['busy']:.1f} of the processor"
    )


def growth(path: Path, plot: Path | None) -> None:
    """Our seconds by units at a fixed number of periods, and the other way round."""
    rows = []
    for by, sizes in (
        ("units", [(units, AT_PERIODS) for units in UNITS]),
        ("periods", [(AT_UNITS, periods) for periods in PERIODS]),
        ("both", [(UNITS[-1], PERIODS[-1])]),
    ):
        for units, periods in sizes:
            world(units, periods).to_parquet(path)
            found = measured("trustlib", path)
            rows.append({"by": by, "units": units, "periods": periods, **found})
            print(
                f"{units} units × {periods} periods: effect {found['fit']:.3f} s, with all "
                f"{found['n']:.0f} placebos {found['busy']:.2f} s of the processor "
                f"({found['seconds']:.2f} s by the clock), peak {found['peak']:.0f} MB"
            )
    table = pd.DataFrame(rows)
    for by in ("units", "periods"):
        part = table[table["by"] == by]
        exponent = np.polyfit(np.log(part[by]), np.log(part["busy"]), 1)[0]
        print(f"processor seconds ~ {by}^{exponent:.2f}")
    if plot:
        drawn(table, plot)


def drawn(table: pd.DataFrame, plot: Path) -> None:
    import matplotlib.pyplot as plt

    _, axes = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
    for axis, by, fixed in zip(
        axes, ("units", "periods"), (f"{AT_PERIODS} periods", f"{AT_UNITS} units"), strict=True
    ):
        part = table[table["by"] == by]
        axis.loglog(part[by], part["busy"], "o-", label="with all placebos")
        axis.loglog(part[by], part["fit"], "o-", label="the effect alone")
        axis.set_xticks(part[by], labels=part[by].astype(str))
        axis.set_xticks([], minor=True)
        axis.set(xlabel=f"{by} ({fixed})", ylabel="processor seconds")
        axis.legend()
    plt.savefig(plot, dpi=120)


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
