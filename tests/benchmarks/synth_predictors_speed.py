"""Synthetic control with predictors on Proposition 99, beside diff-diff on the same machine.

    python tests/benchmarks/synth_predictors_speed.py [--rounds 3] [--placebos]

From a long frame in memory to donor weights: seven predictors (Abadie, Diamond and Hainmueller
2010), their weights fitted on 1970 to 1988. Each run is a process of its own, both sides in
turn. Printed: median seconds (elapsed, and of the processor), the mean squared gap before the
start, the ratio diff-diff / ours; with --placebos ours with all 38 placebos in space.
Aims: at least 4 times as fast at an objective that is not worse; with placebos under 10 s.
Real input: ../shared/realdata is not part of the project.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
import warnings
from pathlib import Path

import pandas as pd

PROJECT = Path(__file__).resolve().parents[2]
REAL = PROJECT / ".." / "shared" / "realdata"
PREDICTORS = ("ln_income", "retail_price", "share_aged_15_24", "beer_per_capita")
LAGS = (1988, 1980, 1975)
SIDES = ("diff-diff", "trustlib")


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("--rounds", type=int, default=3)
    words.add_argument("--placebos", action="store_true")
    words.add_argument("--side", help="one run, for the benchmark's own use")
    asked = words.parse_args()
    if not REAL.exists():
        sys.exit("../shared/realdata is not there")
    if asked.side:
        print(json.dumps(one_run(asked.side)))
        return
    sides = (*SIDES, "trustlib, with placebos") if asked.placebos else SIDES
    runs: dict[str, list[dict[str, float]]] = {side: [] for side in sides}
    for _ in range(asked.rounds):
        for side in sides:
            command = [sys.executable, __file__, "--side", side]
            done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
            if done.returncode:
                sys.exit(f"{side} failed:\n{done.stderr}")
            runs[side].append(json.loads(done.stdout.splitlines()[-1]))
    report(runs)


def one_run(side: str) -> dict[str, float]:
    """One side: seconds and what it reached. Reading and imports are not counted."""
    frame = pd.read_csv(REAL / "prop99.csv")
    predictors = pd.read_csv(REAL / "prop99_predictors.csv").set_index("state")
    run = theirs if side == "diff-diff" else ours
    prepared = run(frame, predictors)
    begun, used = time.perf_counter(), time.process_time()
    found = prepared(side.endswith("placebos"))
    return {
        "seconds": time.perf_counter() - begun,
        "processor": time.process_time() - used,
        **found,
    }


def ours(frame: pd.DataFrame, predictors: pd.DataFrame):
    from trustlib.interventions.synth.cohorts import cases
    from trustlib.interventions.synth.fit import fit
    from trustlib.interventions.synth.panel_from_frame import synth_panel
    from trustlib.interventions.synth.placebos_in_space import in_space
    from trustlib.interventions.synth.spec import SynthSpec

    spec = SynthSpec(
        unit="state",
        time="year",
        outcome="packs_per_capita",
        treated_units=("California",),
        treatment_start=1989,
        unit_predictors={name: predictors[name].to_dict() for name in predictors},
        method="synthetic_control",
    )

    def run(placebos: bool) -> dict[str, float]:
        parts = cases(synth_panel(frame, spec))
        found = fit(parts[0][1], "synthetic_control_predictors")
        p_value = in_space(parts, [found]).p_value if placebos else None
        return {"mspe": found.objective, "att": found.att, "p": p_value or float("nan")}

    return run


def theirs(frame: pd.DataFrame, predictors: pd.DataFrame):
    from diff_diff import SyntheticControl

    # The same numbers: predictors constant over periods, and the outcome in three years.
    wide = frame.join(predictors[list(PREDICTORS)], on="state")
    wide["on"] = ((wide["state"] == "California") & (wide["year"] >= 1989)).astype(int)

    def run(_: bool) -> dict[str, float]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = SyntheticControl(seed=0).fit(
                wide,
                "packs_per_capita",
                "on",
                "state",
                "year",
                predictors=list(PREDICTORS),
                pre_period_outcomes=list(LAGS),
            )
        gap = found.get_gap_df()
        column = next(name for name in gap.columns if name.startswith("gap"))
        year = gap["year"] if "year" in gap.columns else gap.iloc[:, 0]
        before = (year < 1989).to_numpy()
        return {
            "mspe": float((gap.loc[before, column] ** 2).mean()),
            "att": float(gap.loc[~before, column].mean()),
            "p": float("nan"),
        }

    return run


def report(runs: dict[str, list[dict[str, float]]]) -> None:
    median = {
        side: {key: statistics.median(run[key] for run in found) for key in found[0]}
        for side, found in runs.items()
    }
    for side, found in median.items():
        print(
            f"  {side}: {found['seconds']:.2f} s ({found['processor']:.2f} s of processor), mean "
            f"squared gap before {found['mspe']:.4f}, effect {found['att']:.3f}"
            + (f", p = {found['p']:.4f}" if found["p"] == found["p"] else "")
        )
    mine, other = median["trustlib"], median["diff-diff"]
    print(
        f"  diff-diff / ours: {other['seconds'] / mine['seconds']:.1f} times as long, "
        f"{other['processor'] / mine['processor']:.1f} of the processor; objective "
        f"{other['mspe'] / mine['mspe']:.4f} times ours"
    )


if __name__ == "__main__":
    main()
