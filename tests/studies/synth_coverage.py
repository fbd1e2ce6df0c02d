"""Coverage and false alarms of synthetic controls, over simulated markets.

    python -m tests.studies.synth_coverage [--runs 1000] [--draws 199]

writes tests/studies/synth_coverage.md beside itself. Every draw is seeded; worlds and their
truth are in `trustlib.interventions.synth.worlds`. The shorter test of the normal suite calls the
same functions with fewer runs.
"""

from __future__ import annotations

import argparse
import os
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

# Small matrices: threads only get in each other's way.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pandas as pd

from tests.studies.incident_coverage import markdown
from trustlib.interventions.synth.cohorts import cases
from trustlib.interventions.synth.conformal import conformal
from trustlib.interventions.synth.contaminated import contaminated
from trustlib.interventions.synth.fit import Preset, fit
from trustlib.interventions.synth.placebos_in_space import InSpace, in_space
from trustlib.interventions.synth.spread import Spread, spread
from trustlib.interventions.synth.worlds import (
    BASELINE,
    ONE_TREATED,
    World,
    draw,
    exchangeable,
)

MEASURED: tuple[Preset, ...] = ("synthetic_did", "synthetic_control", "did")
# Arkhangelsky et al. (2021), table 4, placebo inference: what their simulations cover.
TARGETS = {
    "baseline": {"synthetic_did": 0.95, "synthetic_control": 0.88, "did": 0.96},
    "one_treated": {"synthetic_did": 0.97, "synthetic_control": 0.95, "did": 0.96},
}
LEVEL = 0.95


def intervals(
    world: World,
    *,
    runs: int,
    draws: int,
    presets: Sequence[Preset] = MEASURED,
    first_seed: int = 0,
) -> pd.DataFrame:
    """A row per preset: error, coverage of the truth, false alarms.

    `draws` placebo assignments where several units are treated; else all donors.
    """
    seen: dict[str, dict[str, list[float]]] = {p: defaultdict(list) for p in presets}
    after = np.arange(world.periods) >= world.periods - world.post
    for seed in range(first_seed, first_seed + runs):
        parts = cases(draw(world, seed=seed).panel)
        for preset in presets:
            fits = [fit(case, preset) for _, case in parts]
            chance = in_space(parts, fits, draws=draws, seed=seed)
            as_reported = _spread(preset, chance)
            by_error = replace(as_reported, kind="placebo")
            error = chance.own_att - world.att
            weights = after / after.sum()
            one = seen[preset]
            one["error"].append(error)
            one["standard error"].append(chance.standard_error)
            one["by standard error"].append(abs(error) <= by_error.half(weights))
            one["as reported"].append(abs(error) <= as_reported.half(weights))
            one["each period"].append(_periods(fits[0].gap - world.effect, after, as_reported))
            if world.att == 0:
                one["p by ratio"].append((chance.p_value or 1.0) <= 1 - LEVEL)
                larger = int((np.abs(chance.att) >= abs(chance.own_att)).sum())
                one["p by size"].append((1 + larger) / (1 + chance.n) <= 1 - LEVEL)
    return pd.DataFrame(_row(world, preset, seen[preset]) for preset in presets)


def _spread(preset: Preset, chance: InSpace) -> Spread:
    return spread(
        preset,
        paths=chance.paths,
        pre_rmspe=chance.pre_rmspe,
        own_rmspe=chance.own_pre_rmspe,
        level=LEVEL,
    )


def _periods(errors: np.ndarray, after: np.ndarray, by: Spread) -> float:
    """Share of the single periods after the start whose interval holds the truth."""
    held = [abs(errors[t]) <= by.half(np.eye(len(after))[t]) for t in np.flatnonzero(after)]
    return float(np.mean(held))


def _row(world: World, preset: Preset, seen: dict[str, list[float]]) -> dict[str, object]:
    error = np.array(seen.pop("error"))
    return {
        "world": world.name,
        "preset": preset,
        "target": TARGETS.get(world.name, {}).get(preset, np.nan),
        "bias": error.mean(),
        "rmse": float(np.sqrt((error**2).mean())),
        **{name: float(np.mean(found)) for name, found in seen.items()},
    }


def single_periods(
    world: World, preset: Preset, *, runs: int, level: float, first_seed: int = 0
) -> dict[str, float]:
    """Share of conformal intervals that hold the truth, over periods after the start, and of
    p-values at or below 1 − `level` where nothing happened."""
    inside, found = [], []
    truth = world.effect[world.periods - world.post :]
    for seed in range(first_seed, first_seed + runs):
        ((_, case),) = cases(draw(world, seed=seed).panel)
        frame = conformal(case, preset, level=level)
        inside.append(np.mean((frame["low"] <= truth) & (truth <= frame["high"])))
        found.append(np.mean(frame["p_value"] <= 1 - level + 1e-12))
    return {
        "inside": float(np.mean(inside)),
        "p_value": float(np.mean(found)) if not truth.any() else np.nan,
    }


def donors_found(world: World, *, runs: int, first_seed: int = 0) -> float:
    """Share of draws in which a donor is said to have moved at the start; none did."""
    found = 0
    for seed in range(first_seed, first_seed + runs):
        parts = cases(draw(world, seed=seed).panel)
        fits = [fit(case, "synthetic_did") for _, case in parts]
        found += bool(contaminated(parts, fits, level=LEVEL).reached)
    return found / runs


def conformal_rows(runs: int) -> pd.DataFrame:
    """Exchangeable periods, where the rate is exact, and the design with one treated unit."""
    rows = []
    for world, level in (
        (exchangeable(pre=9), 0.9),
        (exchangeable(pre=19), 0.9),
        (exchangeable(pre=19), 0.95),
        (exchangeable(pre=39), 0.95),
        (replace(exchangeable(pre=19), size=0.3, name="exchangeable_19, effect"), 0.95),
        (ONE_TREATED, 0.9),
        (replace(ONE_TREATED, periods=80, name="one_treated, 70 before"), 0.95),
    ):
        long = world.post > 1
        for preset in MEASURED:
            rows.append(
                {"world": world.name, "before": world.periods - world.post, "level": level}
                | {"preset": preset}
                | single_periods(world, preset, runs=runs // 5 if long else runs, level=level)
            )
    return pd.DataFrame(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--draws", type=int, default=199)
    asked = parser.parse_args()
    runs, draws = asked.runs, asked.draws
    began = time.monotonic()
    calm = replace(BASELINE, selection=0.0, name="baseline, at random")
    few = replace(ONE_TREATED, units=21, name="one_treated, 20 donors")
    grows = replace(ONE_TREATED, size=0.1, growth=0.2, name="one_treated, growing effect")
    found = pd.concat(
        [intervals(w, runs=runs, draws=draws) for w in (BASELINE, ONE_TREATED, calm, few, grows)]
    )
    text = _TEXT.format(
        runs=runs,
        draws=draws,
        se=f"{(0.05 * 0.95 / runs) ** 0.5:.3f}",
        intervals=markdown(found),
        conformal=markdown(conformal_rows(runs)),
        fifth=runs // 5,
        donors=f"{donors_found(ONE_TREATED, runs=runs // 2):.3f}",
        half=runs // 2,
    )
    record = Path(__file__).with_suffix(".md")
    record.write_text(text, encoding="utf-8")
    print(f"{record} written in {time.monotonic() - began:.0f} s")


_TEXT = """# Synthetic controls: coverage and false alarms over simulated markets

Made by `python -m tests.studies.synth_coverage --runs {runs} --draws {draws}`; worlds and truth in
`trustlib/interventions/synth/worlds.py`. {runs} seeded draws per row, nominal 95 %; the standard
error of a coverage of .95 or a rejection rate of .05 is {se}.

## The effect, by placebos in space

50 units, 40 periods, the last ten treated; rank-4 factors, AR(2) noise, treatment more likely
where level and first factor are high. *baseline*: up to ten units treated, {draws} placebo
assignments · *one_treated*: one, every donor as placebo · *at random*: treatment hangs on nothing ·
*target*: what Arkhangelsky et al. (2021, table 4) report for placebo inference in theirs ·
*by standard error*: the placebos' standard deviation and Student's t, as theirs but for the
quantile · *as reported*: the rule of `trustlib/interventions/synth/spread.py` · *each period*:
single periods after the start, as reported · *p by ratio*, *p by size*: share of p ≤ .05 without
any effect, placebos ranked by the fit ratio after / before, and by the effect's size.

{intervals}

## Single periods, conformal

*inside*: intervals that hold the truth · *p_value*: share at or below 1 − level without an effect.
*exchangeable*: 12 units, one treated period, nothing that differs between periods but chance:
there the rate is exact whatever the weights, if weights are fitted alike on all periods. With
*one_treated* (ten treated periods, {fifth} draws) periods resemble their neighbours.

{conformal}

## Donors that moved at the start

Share of {half} draws of *one_treated* in which a donor is said to have moved when treatment
started. None did: {donors}. How often one that did is found: `tests/studies/synth_truth.md`.
"""

if __name__ == "__main__":
    main()
