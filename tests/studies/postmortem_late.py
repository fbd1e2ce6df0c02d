"""Coverage of the nowcast of late arrivals, and false alarms of alerts, over simulated worlds.

    python -m tests.studies.postmortem_late [--runs 500] [--alert-runs 30] [--processes 2]

writes tests/studies/postmortem_late.md beside itself. Every draw is seeded. The shorter forms are
in tests/postmortem.
"""

from __future__ import annotations

import argparse
import os
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pandas as pd

from tests.studies.late_worlds import KINDS, late_world
from trustlib.incidents import SizingSpec, sizing
from trustlib.incidents.worlds import WORLDS, World, draw
from trustlib.postmortem.alert_rules import watch
from trustlib.postmortem.alerts import back_test
from trustlib.postmortem.delay_checks import delay_drift
from trustlib.postmortem.nowcast import nowcast, window_ages
from trustlib.postmortem.spec import PostmortemSpec
from trustlib.postmortem.trade_off import played

WITHHELD = (0.05, 0.1, 0.2)
LEVEL = 0.95


def nowcast_row(kind: str, share: float, runs: int) -> dict[str, Any]:
    """Coverage with `share` of the window's arrivals withheld, and beside it of what is seen."""
    covered, below, naive, width, bias, warned = [], [], [], [], [], []
    for seed in range(runs):
        world = late_world(kind, seed=seed)
        rows, until = world.seen(world.withheld(share))
        made = nowcast(rows, ages=window_ages(world.window, until), level=LEVEL, seed=0, draws=400)
        if made.final is None or made.low is None or made.high is None or made.learnt is None:
            continue
        covered.append(made.low <= world.final <= made.high)
        below.append(world.final < made.low)
        naive.append(made.seen >= world.final)
        width.append((made.high - made.low) / world.final)
        bias.append(made.final / world.final - 1)
        drift = delay_drift(rows[~rows["in_window"]], made.learnt)
        warned.append(
            drift is not None and abs(drift[2]) > 2.6 and abs(drift[1] / drift[0] - 1) > 0.1
        )
    return {
        "world": kind,
        "withheld": f"{share:.0%}",
        "runs": runs,
        "estimable": len(covered) / runs,
        "covered": np.mean(covered),
        "final_below": np.mean(below),
        "naive_covered": np.mean(naive),
        "width": np.median(width),
        "bias": np.mean(bias),
        "drift_warned": np.mean(warned),
    }


def zero_row(runs: int) -> dict[str, Any]:
    """Small incidents of which nothing is seen yet: does the upper end hold?"""
    covered, high = [], []
    for seed in range(60 * runs):
        world = late_world("few", seed=seed, window=3)
        rows, until = world.seen(world.start + 34)
        if rows.loc[rows["in_window"], "n"].sum() > 0:
            continue
        made = nowcast(rows, ages=window_ages(world.window, until), level=LEVEL, seed=0, draws=400)
        if made.low is not None and made.high is not None:
            covered.append(made.low <= world.final <= made.high)
            high.append(made.high)
        if len(covered) >= runs:
            break
    return {"runs": len(covered), "covered": np.mean(covered), "upper_end": np.median(high)}


def alert_row(world: World, runs: int, *, weeks: int = 12, effect: float = 1.0) -> dict[str, Any]:
    """False alarms a week: Poisson .999, the recommended rule, and that rule on a new draw."""
    poisson, own, fresh, held, delays = [], [], [], [], []
    inside = []
    for seed in range(runs):
        one = draw(world, seed=seed, weeks=weeks, effect=effect)
        spec = SizingSpec(incident=one.incident, direction="increase")
        counts = one.counts.drop(columns="control")
        found = back_test(counts, sizing(counts, spec), spec=PostmortemSpec(sizing=spec))
        rows = found.frame.set_index("status")
        poisson.append(rows.loc["proposed", "false_alarms_per_week"])
        if "recommended" not in rows.index:
            continue
        best = rows.loc["recommended"]
        again = _on_new_history(world, best, seed=seed + 50_000, weeks=weeks, effect=effect)
        own.append(best["false_alarms_per_week"])
        fresh.append(again)
        inside.append(best["low"] <= again <= best["high"])
        delays.append(best["delay_hours"])
        held.append(best["kind"])
    kinds = pd.Series(held).value_counts()
    return {
        "world": world.name,
        "runs": runs,
        "poisson_999": np.mean(poisson),
        "recommended": len(own) / runs,
        "its_rate": np.mean(own),
        "new_history": np.mean(fresh),
        "new_above_1": np.mean(np.array(fresh) > 1),
        "in_interval": np.mean(inside),
        "delay_hours": np.median(delays),
        "kinds": ", ".join(f"{kind} {n}" for kind, n in kinds.items()),
    }


def _on_new_history(
    world: World, best: pd.Series, *, seed: int, weeks: int, effect: float
) -> float:
    one = draw(world, seed=seed, weeks=weeks, effect=effect)
    spec = SizingSpec(incident=one.incident)
    start = pd.Timestamp(one.incident.start)
    seen = watch(one.counts, spec, impact_start=start, sign=1)
    made = played(
        best["kind"], np.array([best["value"]]), seen, impact_start=start,
        weeks=np.unique(seen.week),
    )  # fmt: skip
    return float(made.rates()[0])


def table(rows: list[dict[str, Any]]) -> str:
    """Markdown."""

    def text(value: Any) -> str:
        return f"{value:.3f}" if isinstance(value, float) else str(value)

    head = list(rows[0])
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    lines += [f"| {' | '.join(text(row[name]) for name in head)} |" for row in rows]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--alert-runs", type=int, default=30)
    parser.add_argument("--processes", type=int, default=2)
    asked = parser.parse_args()
    with ProcessPoolExecutor(asked.processes) as pool:
        late = [
            pool.submit(nowcast_row, kind, share, asked.runs)
            for kind in KINDS
            for share in WITHHELD
        ]
        none_seen = pool.submit(zero_row, asked.runs)
        played_on = [pool.submit(alert_row, world, asked.alert_runs) for world in WORLDS]
        nowcasts = [one.result() for one in late]
        zero = none_seen.result()
        rates = [one.result() for one in played_on]
    text = f"""# Postmortem: late arrivals and alerts over simulated worlds

Made by `python -m tests.studies.postmortem_late --runs {asked.runs} --alert-runs \
{asked.alert_runs}`.

## Nowcast of late arrivals

Worlds in `tests/studies/late_worlds.py`; ten weeks of history, an incident of 28 hours. The last
5, 10 and 20 % of the window's arrivals are withheld, with all others that come later than they.
*covered*: share of draws whose nominal 95 % prediction interval holds the final count (standard
error at .95 and 500 draws: .010) · *final_below*: the count came out below the interval ·
*naive_covered*: what is seen so far taken as final · *width*: of the interval, relative to the
final count (median) · *bias*: mean relative error of the point · *drift_warned*: share of draws
in which the check of drifting delays warns. The world *drift* breaks the assumption that delays
are those of the past: there the interval does not hold, and the check says so.

{table(nowcasts)}

Six or seven events in the window and none of them seen six hours after its end: the interval
(0 to {zero["upper_end"]:.0f}, median) holds the final count in {zero["covered"]:.3f} of
{zero["runs"]} such draws.

## False alarms a week

Worlds of `trustlib/incidents/worlds.py`, twelve weeks of hourly history, an incident that doubles
counts for 36 hours, at most one false alarm a week. *poisson_999*: an hourly threshold at the
.999 quantile of a Poisson count, which promises .17 · *recommended*: share of draws in which a
rule is good enough · *its_rate*: its false alarms a week on the history that chose it ·
*new_history*: the same rule on twelve other weeks of the world · *new_above_1*: share of draws in
which it gives more than one there · *in_interval*: share of draws in which that lies in the
interval that was shown (which is of the rate in the long run: a new history strays by itself) ·
*delay_hours*: median, from the start of impact.

{table(rates)}
"""
    Path(__file__).with_suffix(".md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
