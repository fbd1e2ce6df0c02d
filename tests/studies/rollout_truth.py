"""Does a difference-in-differences find what the demo world's rollout changed?

    python -m tests.studies.rollout_truth [--seeds 400] [--calm 200]

writes tests/studies/rollout_truth.md beside itself. Each seed is the rollout of one world:
84 markets, 22 weeks, four waves, with effects that grow and differ between waves. The truth is
the complaints that were prevented; the panel and the design are those of
params/intervention_did/example.yaml. Beside the group-time effects: imputation, and the two-way
regression that most people would have run. The same panels with the prevented complaints put
back show the false alarms. The demo room's tests run a few seeds of it.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

# Small matrices: threads only get in each other's way.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import duckdb
import pandas as pd

from trustlib.demo.rollout import RolloutTruth, read_rollout_truth
from trustlib.demo.world import generate_rollouts
from trustlib.interventions.aggregation import aggregate
from trustlib.interventions.design import design
from trustlib.interventions.group_time import group_time
from trustlib.interventions.leading import led_by
from trustlib.interventions.margin import margin
from trustlib.interventions.panel_from_frame import panel_from_frame
from trustlib.interventions.spec import DidSpec, Estimator
from trustlib.interventions.total import total

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "params/intervention_did/complaint_rates.sql"
SPEC = DidSpec(
    unit="market",
    time="week_starting",
    outcome="complaints_per_1000",
    treatment_start="warning_since",
    weight="active_accounts",
    outcome_scale="rate",
    rate_per=1000,
)
ESTIMATORS: dict[Estimator, str] = {
    "callaway_santanna": "group-time effects (the report's)",
    "imputation": "imputation",
    "two_way": "two-way fixed effects",
}


@dataclass(frozen=True, kw_only=True)
class Run:
    """One number of one seed by one estimator: the truth, and the estimate with its interval."""

    seed: int
    estimator: str
    quantity: str
    truth: float
    point: float
    standard_error: float
    low: float
    high: float

    @property
    def inside(self) -> bool:
        return self.low <= self.truth <= self.high


def study(seeds: Iterable[int], *, warning: bool = True) -> list[Run]:
    """Every seed by every estimator: the average effect and the total.

    `warning` False puts the prevented complaints back; then the truth is 0.
    """
    runs = []
    for seed in seeds:
        with duckdb.connect() as engine:
            engine.execute("SET threads = 1")
            engine.execute("ATTACH ':memory:' AS truth")
            generate_rollouts(engine, seed=seed)
            truth = read_rollout_truth(engine)
            if not warning:
                _put_back(engine)
            frame = engine.execute(SOURCE.read_text(encoding="utf-8")).df()
        runs += _runs(frame, truth if warning else None, seed)
    return runs


def _put_back(engine: duckdb.DuckDBPyConnection) -> None:
    engine.execute(
        "UPDATE complaints SET complaints = complaints_without FROM truth.rollout AS t "
        "WHERE t.market = complaints.market AND t.week_starting = complaints.week_starting"
    )


def _runs(frame: pd.DataFrame, truth: RolloutTruth | None, seed: int) -> Iterable[Run]:
    panel = panel_from_frame(frame, SPEC)
    known = design(panel, SPEC)
    width = margin(panel, known, level=SPEC.level)
    cells = group_time(panel, control_group="never")
    families = {"simple": aggregate(cells, "simple", level=SPEC.level, draws=99, seed=0)}
    for estimator, name in ESTIMATORS.items():
        asked = replace(known, estimator=estimator)
        headline, _, _ = led_by(panel, asked, SPEC, families, width)
        whole = total(panel, asked, SPEC, headline, cells, width)
        for quantity, right, found in (
            ("average effect", truth.att if truth else 0.0, headline),
            ("total effect", float(truth.total) if truth else 0.0, whole),
        ):
            assert found.low is not None
            assert found.high is not None
            assert found.standard_error is not None
            yield Run(
                seed=seed,
                estimator=name,
                quantity=quantity,
                truth=right,
                point=found.point,
                standard_error=found.standard_error,
                low=found.low,
                high=found.high,
            )


def table(runs: list[Run]) -> str:
    """One line per quantity and estimator, in Markdown."""
    frame = pd.DataFrame([vars(run) | {"inside": run.inside} for run in runs])
    frame["error"] = frame["point"] - frame["truth"]
    lines = [
        "| quantity | estimator | worlds | truth (mean) | estimate (mean) | sd of the error | "
        "standard error (mean) | inside the 95 % interval |",
        "|---|---|--:|--:|--:|--:|--:|--:|",
    ]
    for (quantity, estimator), part in frame.groupby(["quantity", "estimator"], sort=False):
        digits = ",.3f" if quantity == "average effect" else ",.0f"
        numbers = [part["truth"].mean(), part["point"].mean(), part["error"].std(),
                   part["standard_error"].mean()]  # fmt: skip
        cells = [
            str(quantity),
            str(estimator),
            f"{len(part)}",
            *(format(number, digits) for number in numbers),
            f"{part['inside'].mean():.3f}",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    # The average of every estimator, then the totals.
    return "\n".join(lines[:2] + sorted(lines[2:], key=lambda line: "total effect" in line))


def shares(runs: list[Run]) -> tuple[float, float, float]:
    """The two-way regression's average effect as a share of the truth: mean, least, most."""
    found = [
        run.point / run.truth
        for run in runs
        if run.estimator == ESTIMATORS["two_way"] and run.quantity == "average effect"
    ]
    return sum(found) / len(found), min(found), max(found)


def page(seeds: int, runs: list[Run], calm: int, quiet: list[Run]) -> str:
    """The recorded figures, in Markdown."""
    mean, least, most = shares(runs)
    return f"""# The demo world's rollout against its estimate

Written by `python -m tests.studies.rollout_truth`: {seeds} seeds, each with 84 markets, 22 weeks
and four waves of 14 markets, effects that grow with the weeks and are larger in earlier waves. The
average effect is in complaints per 1,000 active accounts and week, the total in complaints; the
truth is what was prevented. Monte Carlo standard error of a rate of .95: {_error(seeds):.3f}.

{table(runs)}

The two-way regression finds {mean:.0%} of the truth on average ({least:.0%} to {most:.0%}): late
weeks of early waves serve as its comparison for later waves, and there the effect still grows.

The group-time errors are those of R's `did`. The average's is a little wider than its scatter,
because it counts the cohorts' shares as estimated, and here they are 14 markets in every world.
The total takes the cells' sizes as fixed; its error is a little narrower than its scatter, because
there is no degrees-of-freedom factor for cohorts of 14 and a comparison of 28; the report's
intervals make up for it (Welch's factor and quantile, `trustlib/interventions/margin.py`).

The first {calm} of these worlds with the prevented complaints put back (nothing to find;
Monte Carlo standard error {_error(calm):.3f}):

{table(quiet)}
"""


def _error(n: int) -> float:
    return (0.95 * 0.05 / n) ** 0.5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=400)
    parser.add_argument("--calm", type=int, default=200)
    asked = parser.parse_args()
    text = page(
        asked.seeds,
        study(range(asked.seeds)),
        asked.calm,
        study(range(asked.calm), warning=False),
    )
    Path(__file__).with_suffix(".md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
