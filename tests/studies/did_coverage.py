"""Coverage and false alarms of the difference-in-differences room, over simulated roll-outs.

    python -m tests.studies.did_coverage [--runs 1000]

writes tests/studies/did_coverage.md beside itself. Every draw is seeded; worlds and their
truth are in `trustlib.interventions.worlds`. The shorter test of the normal suite calls the
same functions with fewer runs.
"""

from __future__ import annotations

import argparse
import os
import time
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any

# Small matrices: threads only get in each other's way.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from tests.studies.incident_coverage import markdown
from trustlib.interventions.aggregation import Kind, aggregate
from trustlib.interventions.design import design
from trustlib.interventions.group_time import group_time
from trustlib.interventions.margin import margin
from trustlib.interventions.panel import Panel
from trustlib.interventions.placebo_in_time import placebo_in_time
from trustlib.interventions.power import PowerSpec, power
from trustlib.interventions.pre_trend import pre_trend
from trustlib.interventions.randomization import randomization_inference
from trustlib.interventions.simple_att import sums, with_error
from trustlib.interventions.spec import ControlGroup, DidSpec
from trustlib.interventions.two_way import two_way
from trustlib.interventions.two_way_wild import two_way_wild
from trustlib.interventions.worlds import (
    STAGGERED,
    World,
    draw,
    placebo_law,
    placebo_rollout,
)

_Z = 1.959963984540054
KINDS: tuple[Kind, ...] = ("simple", "group", "dynamic", "calendar")
SPEC = DidSpec(cluster="cluster")


def truth(world: World, kind: str) -> dict[int, float]:
    """The population's effects by key (-1 for the overall number of "simple")."""
    share = dict(zip(world.starts, world.shares, strict=True))
    cells = [
        (g, t) for g in world.starts for t in range(world.periods) if kind == "dynamic" or t >= g
    ]
    of_cell = {
        "simple": lambda g, t: -1,
        "group": lambda g, t: g,
        "dynamic": lambda g, t: t - g,
        "calendar": lambda g, t: t,
    }[kind]
    found: dict[int, list[tuple[float, float]]] = defaultdict(list)
    for g, t in cells:
        weight = 1.0 if kind == "group" else share[g]
        found[of_cell(g, t)].append((weight, world.effect(g, t - g)))
    return {
        key: sum(w * effect for w, effect in pairs) / sum(w for w, _ in pairs)
        for key, pairs in found.items()
    }


def overall_truth(world: World, kind: str) -> float:
    """The population's one number of an aggregation."""
    of = truth(world, kind)
    if kind == "simple":
        return of[-1]
    if kind == "group":
        total = sum(world.shares)
        return sum(s * of[g] for g, s in zip(world.starts, world.shares, strict=True)) / total
    return float(np.mean([effect for key, effect in of.items() if key >= 0]))


def bands(
    world: World, *, runs: int, control_group: ControlGroup = "never", first_seed: int = 0
) -> dict[str, float]:
    """Share of draws whose intervals and bands hold the truth."""
    seen: dict[str, list[float]] = defaultdict(list)
    truths = {kind: (truth(world, kind), overall_truth(world, kind)) for kind in KINDS}
    for seed in range(first_seed, first_seed + runs):
        panel = draw(world, seed=seed).panel
        cells = group_time(panel, control_group=control_group)
        spread = margin(panel, design(panel, SPEC), level=0.95)
        for kind in KINDS:
            of, overall = truths[kind]
            found = aggregate(cells, kind, level=0.95, draws=999, seed=seed)
            error = found.overall_standard_error
            seen[kind].append(abs(found.overall - overall) <= spread.of_overall(found) * error)
            if kind == "simple":
                seen["bias"].append((found.overall - overall) / overall)
                continue
            far = np.abs(found.point - [of[int(key)] for key in found.keys])
            t = far / found.standard_error
            seen[f"{kind} pointwise"].append(float(np.mean(t <= spread.of_family(found))))
            seen[f"{kind} band"].append(bool((t <= spread.band(found)).all()))
            seen[f"{kind} band, normal"].append(bool((t <= found.critical).all()))
        seen["two-way"].append(_two_way_covers(panel, truths["simple"][1]))
    return {key: float(np.mean(values)) for key, values in seen.items()}


def _two_way_covers(panel: Panel, value: float) -> bool:
    found = two_way(panel)
    half = float(stdtrit(found.degrees, 0.975)) * found.overall_standard_error
    return abs(found.overall - value) <= half


def false_alarms(
    world: World, *, runs: int, methods: tuple[str, ...], first_seed: int = 0
) -> dict[str, float]:
    """Share of draws without effect in which each method finds one at 5 %."""
    seen: dict[str, list[bool]] = defaultdict(list)
    for seed in range(first_seed, first_seed + runs):
        panel = draw(world, seed=seed).panel
        recognised = design(panel, SPEC)
        made = sums(panel)
        point, error, influence = with_error(made, _starts(panel))
        if "group-time, normal" in methods:
            seen["group-time, normal"].append(abs(point) > _Z * error)
        if "group-time, as reported" in methods:
            critical = margin(panel, recognised, level=0.95).of_sums(influence[:, None])[0]
            seen["group-time, as reported"].append(abs(point) > critical * error)
        if "two-way" in methods:
            found = two_way(panel)
            t = abs(found.overall) / found.overall_standard_error
            seen["two-way"].append(t > float(stdtrit(found.degrees, 0.975)))
        if "two-way, wild" in methods:
            wild = two_way_wild(panel, draws=999, seed=seed, interval=False)
            seen["two-way, wild"].append(wild.p_value <= 0.05)
        if "re-assignment" in methods:
            found_p = randomization_inference(panel, seed=seed, draws=999).p_value
            assert found_p is not None
            seen["re-assignment"].append(found_p <= 0.05)
    return {key: float(np.mean(values)) for key, values in seen.items()}


def _starts(panel: Panel) -> np.ndarray:
    start = np.empty(panel.n_clusters, dtype=np.int64)
    start[panel.cluster] = panel.first_treated
    return start


METHODS = (
    "group-time, normal",
    "group-time, as reported",
    "two-way",
    "two-way, wild",
    "re-assignment",
)


def false_alarm_cases() -> list[tuple[str, World]]:
    """Label and world of each row of placebo laws."""
    cases = [(f"one date, {c} clusters", placebo_law(c)) for c in (6, 8, 10, 20, 30, 50, 100)]
    cases += [(f"three waves, {c} clusters", placebo_rollout(c)) for c in (8, 10, 20, 30, 50, 100)]
    cases += [
        ("one date, 50 clusters, no autocorrelation", placebo_law(50, rho=0.0)),
        ("one date, 50 clusters, ρ .95", placebo_law(50, rho=0.95)),
        ("one date, 50 clusters, heavy tails (t₃)", placebo_law(50, degrees=3)),
        ("one date, 10 clusters, heavy tails (t₃)", placebo_law(10, degrees=3)),
        ("one date, 50 clusters, 5 treated", placebo_law(50, treated=5)),
        ("one date, 20 clusters, 3 treated", placebo_law(20, treated=3)),
        ("one date, 20 clusters, 1 treated", placebo_law(20, treated=1)),
    ]
    return cases


def diagnostics(world: World, *, runs: int, slope: float = 0.0) -> dict[str, Any]:
    """How often the diagnostics reject, under a difference in trends of `slope` per period."""
    seen: dict[str, list[float]] = defaultdict(list)
    bases: dict[str, int] = defaultdict(int)
    for seed in range(runs):
        panel = _sloped(draw(world, seed=seed).panel, slope)
        found = pre_trend(group_time(panel, control_group="never"))
        bases[found.basis] += 1
        seen["pre_trend"].append(found.p_value is not None and found.p_value <= 0.05)
        seen["slope_80"].append(found.slope_80 if found.slope_80 is not None else np.nan)
        placebo = placebo_in_time(panel, SPEC)
        adjusted = placebo["p_value"].min() * len(placebo)
        seen["placebo_in_time"].append(adjusted <= 0.05)
    out: dict[str, Any] = {key: float(np.mean(values)) for key, values in seen.items()}
    return {"tested": max(bases, key=lambda name: bases[name]), **out}


def _sloped(panel: Panel, slope: float) -> Panel:
    drift = slope * np.arange(panel.n_periods) * ~panel.never[:, None]
    return replace(panel, outcome=panel.outcome + drift)


def predicted_power(clusters: int, *, runs: int) -> dict[str, float]:
    """The smallest detectable effect from one history, tried on `runs` other worlds."""
    quiet = replace(placebo_rollout(clusters), periods=60, counts=(0, 0, 0))
    history = draw(quiet, seed=1).panel
    waves = (clusters // 6 * 10,) * 3
    spec = PowerSpec(planned_units=waves, periods_before=6, wave_gap_periods=4, periods_after=6)
    found = power(history, spec)
    effect = found.estimates["smallest_detectable_effect"].point
    assert effect is not None
    hits = []
    for seed in range(runs):
        panel = draw(placebo_rollout(clusters), seed=seed).panel
        after = panel.first_treated[:, None] <= np.arange(panel.n_periods)
        panel = replace(panel, outcome=panel.outcome + effect * after)
        if found.by_assignment:
            p_value = randomization_inference(panel, seed=seed, draws=999).p_value
            hits.append(p_value is not None and p_value <= 0.05)
        else:
            point, error, influence = with_error(sums(panel), _starts(panel))
            spread = margin(panel, design(panel, SPEC), level=0.95)
            hits.append(abs(point) > spread.of_sums(influence[:, None])[0] * error)
    return {
        "clusters": clusters,
        "smallest_detectable": effect,
        "predicted": 0.8,
        "found": float(np.mean(hits)),
        "false_alarms_predicted": float(found.estimates["false_alarm_rate"].point or 0.0),
    }


def band_cases() -> list[tuple[str, World, ControlGroup]]:
    """Label, world and comparison group of each row of bands."""
    clustered = replace(STAGGERED, clusters=200, units_per_cluster=5, cluster_sd=0.7)
    return [
        ("400 units", STAGGERED, "never"),
        ("400 units, not yet treated", STAGGERED, "not_yet"),
        ("1,000 units", replace(STAGGERED, clusters=1000), "never"),
        ("150 units", replace(STAGGERED, clusters=150), "never"),
        ("200 clusters of 5", clustered, "never"),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1000)
    runs = parser.parse_args().runs
    began = time.monotonic()
    sections = {
        "bands": pd.DataFrame(
            {"world": label} | bands(world, runs=runs, control_group=control)
            for label, world, control in band_cases()
        ),
        "alarms": pd.DataFrame(
            {"world": label} | false_alarms(world, runs=runs, methods=METHODS)
            for label, world in false_alarm_cases()
        ),
        "diagnostics": pd.DataFrame(
            {"world": f"three waves, {clusters} clusters", "slope": slope}
            | diagnostics(placebo_rollout(clusters), runs=runs, slope=slope)
            for clusters in (12, 20, 50, 100, 400)
            for slope in (0.0, 0.05)
        ),
        "power": pd.DataFrame(predicted_power(c, runs=runs) for c in (12, 30, 60, 120)),
    }
    record = Path(__file__).with_suffix(".md")
    text = _TEXT.format(runs=runs, se=f"{(0.05 * 0.95 / runs) ** 0.5:.3f}",
                        **{name: markdown(frame) for name, frame in sections.items()})  # fmt: skip
    record.write_text(text, encoding="utf-8")
    print(f"{record} written in {time.monotonic() - began:.0f} s")


_TEXT = """# Difference-in-differences: coverage and false alarms over simulated roll-outs

Made by `python -m tests.studies.did_coverage --runs {runs}`; worlds and truth in
`trustlib/interventions/worlds.py`. {runs} seeded draws per row, nominal 95 %; the standard
error of a coverage of .95 or a rejection rate of .05 is {se}.

## Intervals and bands of group-time effects

Four cohorts, twenty periods, never-treated group, AR(1) noise (ρ .5), effects that differ by
cohort, grow and vary between units (`STAGGERED`); start dates are drawn, so that cohort shares
are estimated too. *simple … calendar*: the aggregation's one number, analytic error, the
report's quantile · *pointwise*: mean over the family's members (31 event times, 15 periods, 4
groups) · *band*: all members at once, multiplier bootstrap with 999 draws carried over to
Student's t (`trustlib/interventions/margin.py`) · *band, normal*: without that, as R's `did` ·
*bias* of the simple ATT, relative · *two-way*: the static two-way interval against the simple ATT.

{bands}

## Placebo laws (Bertrand, Duflo and Mullainathan)

Share of draws without any effect in which one is found at 5 %. Ten units a cluster, twenty
periods, AR(1) shocks that a cluster shares (ρ .8 unless said), half of the clusters treated.
*group-time, normal*: clustered influence function and normal quantile, R's `did` · *as
reported*: the house's quantile, Welch's below twenty clusters a cohort or sixty in all
(`trustlib/interventions/margin.py`; below twenty in all the report takes re-assignment) ·
*two-way*: fixest's small-sample convention, Student's t ·
*two-way, wild*: restricted wild cluster bootstrap (all sign
patterns up to 12 clusters) · *re-assignment*:
of the simple ATT; two-sided.

{alarms}

## Diagnostics

Rejection at 5 % with parallel trends (slope 0) and with treated units drifting off by .05 per
period. *tested*: what the pre-trend test fell back to · *slope_80*: the slope that it says it
would have found with 80 %, on average · *placebo_in_time*: most extreme of up to eight shifts,
Holm.

{diagnostics}

## Power before launch

The smallest effect that a history of 60 periods says is found with 80 %, injected into other
worlds with three waves: how often it was found.

{power}
"""

if __name__ == "__main__":
    main()
