"""Two-way event study on a large balanced panel, beside pyfixest on the same machine.

    python tests/benchmarks/two_way_speed.py [--units 50000] [--periods 20] [--rounds 3]
        [--linearmodels]

Coefficients and clustered errors of every event time. Each run is a process of its own, the
sides in turn; what is timed is the regression, from arrays (ours) or a long frame (theirs)
in memory, after a small one that compiles and imports everything; "from the frame" adds the
way from the same long frame to arrays, refusals included. Printed: median seconds, peak
resident memory (and what it grew by over the frame and the imports), the ratio theirs / ours,
and how far the numbers are apart. With --linearmodels `PanelOLS` runs once, too.
Aims: at least 3 times as fast as pyfixest, coefficients and errors equal to 1e-8.
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
OURS, FROM_FRAME, PYFIXEST, LINEARMODELS = (
    "trustlib",
    "trustlib, from the frame",
    "pyfixest",
    "linearmodels",
)


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("--units", type=int, default=50_000)
    words.add_argument("--periods", type=int, default=20)
    words.add_argument("--rounds", type=int, default=3)
    words.add_argument("--linearmodels", action="store_true")
    words.add_argument("--side", choices=tuple(SIDES), help="one run, for its own use")
    words.add_argument("--frame", type=Path, help="its frame")
    asked = words.parse_args()
    if asked.side:
        print(json.dumps(one_run(SIDES[asked.side], pd.read_parquet(asked.frame))))
        return
    with tempfile.TemporaryDirectory(prefix="trustlib-two-way-speed-") as folder:
        frame = Path(folder) / "panel.parquet"
        world(asked.units, asked.periods).to_parquet(frame)
        runs: dict[str, list[dict]] = {}
        for turn in range(asked.rounds):
            for side in (OURS, FROM_FRAME, PYFIXEST, LINEARMODELS):
                if side == LINEARMODELS and (turn or not asked.linearmodels):
                    continue
                runs.setdefault(side, []).append(_apart(side, frame))
    rows = asked.units * asked.periods
    print(f"{asked.units:,} units × {asked.periods} periods = {rows:,} rows, balanced:")
    report(runs)


def world(units: int, periods: int) -> pd.DataFrame:
    """Four cohorts and a third never treated; effects grow, errors wander."""
    rng = np.random.default_rng(3)
    starts = np.array([periods // 4, periods // 2, periods // 2 + 2, 3 * periods // 4])
    start = np.where(rng.random(units) < 1 / 3, 0, rng.choice(starts, units) + 1)
    when = np.arange(1, periods + 1)
    since = (when - start[:, None]) * (start[:, None] > 0) - (start[:, None] == 0)
    noise = np.cumsum(rng.normal(0, 0.5, (units, periods)), axis=1)
    outcome = rng.normal(size=(units, 1)) + np.sin(when) + 0.3 * np.maximum(since + 1, 0) + noise
    return pd.DataFrame(
        {
            "unit": np.repeat(np.arange(units), periods),
            "time": np.tile(when, units),
            "outcome": outcome.ravel(),
            "treatment_start": np.repeat(start, periods),
            "since": since.ravel(),
            # Another name for the unit: see tests/interventions/test_oracles_regression.py.
            "cl": np.repeat(np.arange(units), periods),
        }
    )


def by_us(frame: pd.DataFrame):
    from trustlib.interventions import DidSpec, panel_from_frame
    from trustlib.interventions.two_way import two_way_event_study

    panel = panel_from_frame(frame, DidSpec())

    def run():
        found = two_way_event_study(panel)
        free = found.keys != -1
        return found.keys[free], found.point[free], found.standard_error[free]

    return run


def by_us_from_the_frame(frame: pd.DataFrame):
    return lambda: by_us(frame)()


def by_pyfixest(frame: pd.DataFrame):
    import pyfixest

    def run():
        fit = pyfixest.feols("outcome ~ i(since, ref=-1) | unit + time", frame, vcov={"CRV1": "cl"})
        keys = [int(name.split("::")[1]) for name in fit.coef().index]
        return keys, fit.coef().to_numpy(), fit.se().to_numpy()

    return run


def by_linearmodels(frame: pd.DataFrame):
    from linearmodels.panel import PanelOLS

    def run():
        keys = [key for key in np.unique(frame["since"]) if key != -1]
        rows = frame[["unit", "time", "outcome"]].copy()
        for number, key in enumerate(keys):
            rows[f"d{number}"] = (frame["since"] == key).astype(float)
        rows = rows.set_index(["unit", "time"])
        model = PanelOLS(
            rows["outcome"], rows.drop(columns="outcome"), entity_effects=True, time_effects=True
        )
        fit = model.fit(cov_type="clustered", cluster_entity=True)
        return keys, fit.params.to_numpy(), fit.std_errors.to_numpy()

    return run


SIDES = {
    OURS: by_us,
    FROM_FRAME: by_us_from_the_frame,
    PYFIXEST: by_pyfixest,
    LINEARMODELS: by_linearmodels,
}


def one_run(side, frame: pd.DataFrame) -> dict:
    """Seconds, memory and numbers of one side."""
    warnings.simplefilter("ignore")
    side(world(200, int(frame["time"].max())))()
    before = _peak()
    run = side(frame)
    started = time.perf_counter()
    keys, point, error = run()
    seconds = time.perf_counter() - started
    order = np.argsort(keys)
    return {
        "seconds": seconds,
        "peak": _peak(),
        "grown": _peak() - before,
        "keys": np.asarray(keys)[order].tolist(),
        "point": np.asarray(point)[order].tolist(),
        "error": np.asarray(error)[order].tolist(),
    }


def _peak() -> float:
    """Megabytes; Linux counts kilobytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _apart(side: str, frame: Path) -> dict:
    command = [sys.executable, __file__, "--side", side, "--frame", str(frame)]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{side} failed:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def report(runs: dict[str, list[dict]]) -> None:
    ours = runs[OURS]
    base = statistics.median(run["seconds"] for run in ours)
    memory = statistics.median(run["peak"] for run in ours)
    for side, made in runs.items():
        seconds = statistics.median(run["seconds"] for run in made)
        peak = statistics.median(run["peak"] for run in made)
        grown = statistics.median(run["grown"] for run in made)
        print(
            f"  {side:25s} {seconds:8.3f} s ({seconds / base:6.1f} × ours)"
            f"  peak {peak:6.0f} MB ({peak / memory:4.1f} ×), grown by {grown:6.0f} MB"
        )
    for side in set(runs) - {OURS, FROM_FRAME}:
        theirs = runs[side][0]
        assert theirs["keys"] == ours[0]["keys"]
        apart = {
            what: max(abs(np.array(theirs[what]) / np.array(ours[0][what]) - 1))
            for what in ("point", "error")
        }
        print(
            f"  ours and {side}: coefficients {apart['point']:.1e} apart, "
            f"errors {apart['error']:.1e} (relative)"
        )


if __name__ == "__main__":
    main()
