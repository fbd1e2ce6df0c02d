"""Coverage of the 95 % interval of an incident's excess, over simulated worlds.

    python -m tests.studies.incident_coverage [--runs 300] [--processes 2]

writes tests/studies/incident_coverage.md beside itself. Every draw is seeded; the truth is
the number of events that the simulator added. The shorter test of the normal suite calls
`coverage` with fewer runs.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

# Small matrices: threads only get in each other's way.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pandas as pd

from trustlib.incidents.answer import Answer, answer
from trustlib.incidents.choice import choose
from trustlib.incidents.grid import Grid, grid
from trustlib.incidents.segments import segment_counts, segment_table
from trustlib.incidents.spec import SizingSpec
from trustlib.incidents.worlds import WORLDS, Draw, World, draw

METHODS = ("ours", "naive_poisson", "negbin_hours", "same_hours")
_Z = 1.959963984540054


@dataclass
class Tally:
    """What was seen over the runs of one world."""

    covered: dict[str, list[bool]] = field(default_factory=lambda: {m: [] for m in METHODS})
    half_width: list[float] = field(default_factory=list)
    bias: list[float] = field(default_factory=list)
    verdicts: list[str] = field(default_factory=list)
    p_values: list[float] = field(default_factory=list)
    onset: list[bool] = field(default_factory=list)
    onset_width: list[float] = field(default_factory=list)
    estimable: list[bool] = field(default_factory=list)
    gains: list[bool] = field(default_factory=list)


def coverage(
    world: World,
    *,
    runs: int,
    weeks: int = 8,
    effect: float = 0.0,
    control: bool = False,
    late_hours: int = 0,
    hours: int = 36,
    first_seed: int = 0,
) -> Tally:
    """Size `runs` draws of `world` and count what the intervals cover."""
    tally = Tally()
    for seed in range(first_seed, first_seed + runs):
        one = draw(world, seed=seed, weeks=weeks, effect=effect, late_hours=late_hours, hours=hours)
        counts = one.counts if control else one.counts.drop(columns="control")
        spec = SizingSpec(incident=one.incident)
        on = grid(counts, spec)
        _count(tally, on, answer(on, spec), one, late_hours)
    return tally


def _count(tally: Tally, on: Grid, found: Answer, one: Draw, late_hours: int) -> None:
    result, truth = found.choice.result, one.excess
    tally.estimable.append(result.low is not None)
    if result.low is None or result.high is None:
        return
    tally.covered["ours"].append(result.low <= truth <= result.high)
    plain = result.expected
    tally.covered["naive_poisson"].append(abs(result.excess - truth) <= _Z * np.sqrt(plain))
    tally.covered["negbin_hours"].append(
        abs(result.excess - truth) <= _Z * np.sqrt(_independent_hours(on, found))
    )
    low, high = found.cross.low, found.cross.high
    if low is not None and high is not None:
        inside = result.actual - high <= truth <= result.actual - low
        tally.covered["same_hours"].append(inside)
    tally.half_width.append((result.high - result.low) / 2 / max(plain, 1e-9))
    tally.bias.append((result.excess - truth) / max(plain, 1e-9))
    tally.verdicts.append(found.verdict)
    tally.p_values.append(1.0 if found.p_value is None else found.p_value)
    tally.gains.append(found.choice.gain is not None)
    if found.onset.low is not None and found.onset.high is not None:
        begin = int(np.argmax(on.in_window)) + late_hours
        tally.onset.append(found.onset.low <= begin <= found.onset.high)
        tally.onset_width.append(found.onset.high - found.onset.low)


def _independent_hours(on: Grid, found: Answer) -> float:
    """Variance of the total if hours were independent negative binomials."""
    made = found.choice.result.made
    y, mu = on.count[made.fitted], made.expected[made.fitted]
    alpha = max(0.0, float(np.sum((y - mu) ** 2 - mu) / np.sum(mu**2)))
    window = made.expected[on.present]
    return float(np.sum(window + alpha * window**2))


def _share(values: Iterable[bool]) -> float:
    return float(np.mean(list(values)))


Case = tuple[str, World, dict[str, Any]]


def coverage_cases() -> list[Case]:
    """What the table of intervals has rows for: label, world, options of `coverage`."""
    cases: list[Case] = [
        (world.name, world, {"weeks": weeks}) for world in WORLDS for weeks in (8, 4, 3)
    ]
    for name in ("ar_90", "ar_95", "level_drift"):
        cases.append((name, _world(name), {"weeks": 8, "control": True}))
    drift = _world("level_drift")
    for weeks in (8, 16, 30):
        cases.append(("strong_drift", replace(drift, drift=0.004), {"weeks": weeks}))
    for weeks in (8, 16):
        growing = replace(drift, growth=0.02, drift=0.0)
        cases.append(("growth of 2 % a week", growing, {"weeks": weeks}))
    for hours, weeks in ((6, 8), (1, 8), (240, 16)):
        for name in ("ar_90", "ar_95"):
            label = f"{name}, {hours} h window"
            cases.append((label, _world(name), {"weeks": weeks, "hours": hours}))
    return cases


def coverage_row(case: Case, runs: int) -> dict[str, Any]:
    """One row: coverage of each method, and our half width."""
    label, world, options = case
    seen = coverage(world, runs=runs, **options)
    control = "yes" if options.get("control") else "no"
    return {"world": label, "weeks": options["weeks"], "control": control} | _coverage_row(seen)


def _coverage_row(seen: Tally) -> dict[str, float]:
    row = {method: _share(seen.covered[method]) for method in METHODS}
    row["half_width"] = float(np.median(seen.half_width))
    row["bias"] = float(np.mean(seen.bias))
    row["estimable"] = _share(seen.estimable)
    row["follows_level"] = _share(seen.gains)
    return row


def verdict_cases() -> list[Case]:
    """Every world without an effect, with one, with a late one, with a fall."""
    return [
        (world.name, world, {"effect": effect, "late_hours": late})
        for world in WORLDS
        for effect, late in ((0.0, 0), (1.0, 0), (1.0, 5), (-0.7, 0))
    ]


def verdict_row(case: Case, runs: int) -> dict[str, Any]:
    """One row: how often each verdict, p ≤ .05, and the onset's coverage."""
    label, world, options = case
    runs = runs if options["effect"] == 0 else max(1, runs // 3)
    seen = coverage(world, runs=runs, first_seed=5000, **options)
    verdicts = pd.Series(seen.verdicts)
    return {
        "world": label,
        **options,
        "runs": runs,
        "confirmed": _share(verdicts == "incident confirmed"),
        "not_conclusive": _share(verdicts == "not conclusive"),
        "none_shown": _share(verdicts == "no incident shown"),
        "p_at_most_.05": _share(p <= 0.05 for p in seen.p_values),
        "covered": _share(seen.covered["ours"]),
        "onset_covered": _share(seen.onset) if seen.onset else np.nan,
        "onset_hours_wide": np.median(seen.onset_width) if seen.onset else np.nan,
    }


def markdown(frame: pd.DataFrame) -> str:
    def cell(value: object) -> str:
        if isinstance(value, float):
            return "–" if np.isnan(value) else f"{value:.3f}"
        return str(value)

    lines = ["| " + " | ".join(map(str, frame.columns)) + " |", "|---" * frame.shape[1] + "|"]
    for row in frame.itertuples(index=False):
        lines.append("| " + " | ".join(cell(value) for value in row) + " |")
    return "\n".join(lines)


def segment_row(name: str, runs: int) -> dict[str, Any]:
    """Four segments of a quiet world: their coverage, and how often any is said to move."""
    shares = np.array([0.55, 0.25, 0.15, 0.05])
    runs = max(1, runs // 3)
    covered, any_moved = [], []
    for seed in range(9000, 9000 + runs):
        one = draw(_world(name), seed=seed)
        counts = one.counts.drop(columns="control")
        rng = np.random.default_rng(seed)
        split = rng.multinomial(counts["count"].astype(int), shares)
        segments = pd.concat(
            counts.assign(segment=f"s{i}", count=split[:, i].astype(float)) for i in range(4)
        )
        spec = SizingSpec(incident=one.incident)
        on = grid(counts, spec)
        choice = choose(on, level=spec.level)
        parts = segment_counts(on, segments)
        found = segment_table(choice.grid, parts, choice.result, level=spec.level)
        covered.append(((found["low"] <= 0) & (found["high"] >= 0)).mean())
        any_moved.append(found["moved"].isin(["up", "down"]).any())
    return {
        "world": name,
        "runs": runs,
        "covered": np.mean(covered),
        "any_moved": _share(any_moved),
    }


def _world(name: str) -> World:
    return next(world for world in WORLDS if world.name == name)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=300)
    parser.add_argument("--processes", type=int, default=1)
    asked = parser.parse_args()
    runs = asked.runs
    names = ("poisson", "ar_90", "ar_95")
    with ProcessPoolExecutor(asked.processes) as pool:
        intervals = [pool.submit(coverage_row, case, runs) for case in coverage_cases()]
        verdicts = [pool.submit(verdict_row, case, runs) for case in verdict_cases()]
        segments = [pool.submit(segment_row, name, runs) for name in names]
        tables = {
            title: pd.DataFrame([_reported(task.result()) for task in tasks])
            for title, tasks in (
                ("coverage", intervals),
                ("verdicts", verdicts),
                ("segments", segments),
            )
        }
    text = _RECORD.format(
        runs=runs,
        error=np.sqrt(0.95 * 0.05 / runs),
        **{title: markdown(table) for title, table in tables.items()},
    )
    Path(__file__).with_suffix(".md").write_text(text, encoding="utf-8")
    print(text)


def _reported(row: dict[str, Any]) -> dict[str, Any]:
    print(row, flush=True)
    return row


_RECORD = """\
# Incident sizing: coverage over simulated worlds

Made by `python -m tests.studies.incident_coverage --runs {runs}`; worlds and truth in
`trustlib/incidents/worlds.py`. {runs} seeded draws per row, hourly counts, a window of 36 hours
unless said, nominal 95 %; the standard error of a coverage of .95 is {error:.3f}.

## Intervals

Share of draws whose interval covers the number of events that were added (none here).
*ours*: seasonal Poisson GLM with whole-window variance from leave-one-week-out refits ·
*naive_poisson*: same mean, Poisson variance · *negbin_hours*: same mean, independent
negative binomial hours · *same_hours*: log-t of the same hours in previous weeks.
*half_width* and *bias* are relative to the expected count (median, mean); *follows_level*
is the share of draws in which the drift test made the forecast follow the recent weeks.

{coverage}

## Verdicts and onset

Eight weeks of history, direction "either". *effect* is relative to the mean and sets
in *late_hours* after the stated start. *onset_covered* is among draws
whose onset interval was estimable.

{verdicts}

## Segments

Four segments of a world where nothing happened, eight weeks of history: share of segment
intervals that cover zero, and of draws in which any segment is said to have moved (Holm,
nominal at most .05).

{segments}
"""

if __name__ == "__main__":
    main()
