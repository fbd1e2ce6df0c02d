"""Coverage of the 95 % interval of an incident's excess, over simulated worlds.

    python tests/studies/incident_coverage.py [--runs 300] [--quick]

writes tests/studies/incident_coverage.md beside itself. Every draw is seeded; the truth is
the number of events that the simulator added. The shorter test of the normal suite calls
`coverage` with fewer runs.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

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


def coverage_table(runs: int) -> pd.DataFrame:
    """World by weeks of history: coverage of each method, and our half width."""
    rows = []
    for world in WORLDS:
        for weeks in (8, 4, 3):
            seen = coverage(world, runs=runs, weeks=weeks)
            print(world.name, weeks, _share(seen.covered["ours"]), flush=True)
            row = {"world": world.name, "weeks": weeks, "control": "no"}
            rows.append(row | _coverage_row(seen))
    for name in ("ar_90", "ar_95", "level_drift"):
        world = next(w for w in WORLDS if w.name == name)
        seen = coverage(world, runs=runs, control=True)
        rows.append({"world": name, "weeks": 8, "control": "yes"} | _coverage_row(seen))
    strong = replace(_world("level_drift"), name="strong_drift", drift=0.004)
    for weeks in (8, 16, 30):
        seen = coverage(strong, runs=runs, weeks=weeks)
        row = {"world": strong.name, "weeks": weeks, "control": "no"}
        rows.append(row | _coverage_row(seen))
    growing = replace(_world("level_drift"), name="growth of 2 % a week", growth=0.02, drift=0.0)
    for weeks in (8, 16):
        seen = coverage(growing, runs=runs, weeks=weeks)
        row = {"world": growing.name, "weeks": weeks, "control": "no"}
        rows.append(row | _coverage_row(seen))
    for hours, weeks in ((6, 8), (1, 8), (240, 16)):
        for name in ("ar_90", "ar_95"):
            seen = coverage(_world(name), runs=runs, weeks=weeks, hours=hours)
            row = {"world": f"{name}, {hours} h window", "weeks": weeks, "control": "no"}
            rows.append(row | _coverage_row(seen))
    return pd.DataFrame(rows)


def _coverage_row(seen: Tally) -> dict[str, float]:
    row = {method: _share(seen.covered[method]) for method in METHODS}
    row["half_width"] = float(np.median(seen.half_width))
    row["bias"] = float(np.mean(seen.bias))
    row["estimable"] = _share(seen.estimable)
    row["follows_level"] = _share(seen.gains)
    return row


def verdict_table(runs: int) -> pd.DataFrame:
    """World by effect: how often each verdict, p ≤ .05, and the onset's coverage."""
    rows = []
    for world in WORLDS:
        for effect, late in ((0.0, 0), (1.0, 0), (1.0, 5), (-0.7, 0)):
            seen = coverage(world, runs=runs, effect=effect, late_hours=late, first_seed=5000)
            verdicts = pd.Series(seen.verdicts)
            rows.append(
                {
                    "world": world.name,
                    "effect": effect,
                    "late_hours": late,
                    "confirmed": _share(verdicts == "incident confirmed"),
                    "not_conclusive": _share(verdicts == "not conclusive"),
                    "none_shown": _share(verdicts == "no incident shown"),
                    "p_at_most_.05": _share(p <= 0.05 for p in seen.p_values),
                    "covered": _share(seen.covered["ours"]),
                    "onset_covered": _share(seen.onset) if seen.onset else np.nan,
                    "onset_hours_wide": np.median(seen.onset_width) if seen.onset else np.nan,
                }
            )
    return pd.DataFrame(rows)


def markdown(frame: pd.DataFrame) -> str:
    def cell(value: object) -> str:
        if isinstance(value, float):
            return "–" if np.isnan(value) else f"{value:.3f}"
        return str(value)

    lines = ["| " + " | ".join(map(str, frame.columns)) + " |", "|---" * frame.shape[1] + "|"]
    for row in frame.itertuples(index=False):
        lines.append("| " + " | ".join(cell(value) for value in row) + " |")
    return "\n".join(lines)


def segment_record(runs: int) -> pd.DataFrame:
    """Segments of a quiet world: coverage of each, and how often any is said to have moved."""
    rows = []
    shares = np.array([0.55, 0.25, 0.15, 0.05])
    for name in ("poisson", "ar_90", "ar_95"):
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
            found = segment_table(
                choice.grid, segment_counts(on, segments), choice.result, level=spec.level
            )
            covered.append(((found["low"] <= 0) & (found["high"] >= 0)).mean())
            any_moved.append(found["moved"].isin(["up", "down"]).any())
        rows.append({"world": name, "covered": np.mean(covered), "any_moved": _share(any_moved)})
    return pd.DataFrame(rows)


def _world(name: str) -> World:
    return next(world for world in WORLDS if world.name == name)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=300)
    runs = parser.parse_args().runs
    text = _RECORD.format(
        runs=runs,
        error=np.sqrt(0.95 * 0.05 / runs),
        coverage=markdown(coverage_table(runs)),
        verdicts=markdown(verdict_table(runs)),
        segments=markdown(segment_record(runs)),
    )
    Path(__file__).with_suffix(".md").write_text(text, encoding="utf-8")
    print(text)


_RECORD = """\
# Incident sizing: coverage over simulated worlds

Made by `python tests/studies/incident_coverage.py --runs {runs}`; worlds and truth in
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
