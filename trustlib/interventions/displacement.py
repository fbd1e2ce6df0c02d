"""Did harm move next door: untreated neighbours against the other untreated units.

Neighbours count as treated from the rollout's first date on, wherever it began: which cohort a
neighbour is near to is not known to the panel, and a later date would put periods in which
harm may already have moved into the baseline.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from trustlib.core import Check, format
from trustlib.interventions.aggregation import aggregate
from trustlib.interventions.design import Design, design
from trustlib.interventions.effects import Effects
from trustlib.interventions.group_time import group_time
from trustlib.interventions.margin import margin
from trustlib.interventions.panel import Panel
from trustlib.interventions.randomization import randomization_inference
from trustlib.interventions.spec import DidSpec
from trustlib.interventions.subset import subset

FEWEST = 2  # units on either side
COLUMNS = ("comparison", "point", "standard_error", "low", "high", "units", "controls")


def displacement(panel: Panel, spec: DidSpec) -> tuple[pd.DataFrame | None, Check]:
    """Neighbours against others, and the simple ATT with and without neighbours as controls.

    Returns
    -------
    Rows "neighbours against other untreated", "treated against all untreated", "treated
    against untreated that are not neighbours"; None where it was not run. With few clusters
    the interval of the first comes from re-assignment.
    """
    reason = _why_not(panel)
    if reason:
        text = f"Not run: {reason}."
        check = Check(name="displacement", verdict="not_run", label="displacement not looked at",
                      text=text)  # fmt: skip
        return None, check
    neighbour = np.asarray(panel.neighbour)
    untreated = panel.never
    start = np.where(neighbour, panel.groups.min(), panel.n_periods)
    moved = subset(panel, untreated, first_treated=start)
    rows = [
        _row("neighbours against other untreated", moved, spec),
        _row("treated against all untreated", panel, spec),
        _row(
            "treated against untreated that are not neighbours",
            subset(panel, ~(untreated & neighbour)),
            spec,
        ),
    ]
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    return frame, _check(frame, spec)


def _why_not(panel: Panel) -> str | None:
    if panel.neighbour is None:
        return "no column says which untreated units are neighbours of treated ones"
    near = int((panel.neighbour & panel.never).sum())
    far = int((~panel.neighbour & panel.never).sum())
    if near < FEWEST or far < FEWEST:
        return (
            f"{format.plural(near, 'untreated neighbour')} and "
            f"{format.plural(far, 'other untreated unit')}, two of each are needed"
        )
    return None


def _row(label: str, panel: Panel, spec: DidSpec) -> tuple[object, ...]:
    recognised = design(panel, spec)
    cells = group_time(
        panel,
        control_group="never",
        covariate_method=spec.covariate_method,
        anticipation=spec.anticipation,
    )
    found = aggregate(cells, "simple", level=spec.level, draws=0, seed=spec.seed)
    point, error = found.overall, found.overall_standard_error
    low, high = _interval(panel, recognised, spec, found)
    treated = int((~panel.never).sum())
    return label, point, error, low, high, treated, panel.n_units - treated


def _interval(
    panel: Panel, recognised: Design, spec: DidSpec, found: Effects
) -> tuple[float, float]:
    spread = margin(panel, recognised, level=spec.level)
    point, half = found.overall, spread.of_overall(found) * found.overall_standard_error
    if not recognised.few_clusters or panel.covariate_names:
        return point - half, point + half
    assigned = randomization_inference(
        panel, anticipation=spec.anticipation, seed=spec.seed, level=spec.level
    )
    if assigned.low is None or assigned.high is None:
        return point - half, point + half
    return assigned.low, assigned.high


def _check(frame: pd.DataFrame, spec: DidSpec) -> Check:
    """Whether neighbours moved, and whether leaving them out changes the answer."""
    name = "displacement"
    near, everyone, without = (frame.iloc[row] for row in range(3))
    text = (
        f"From the rollout's first date on, {format.plural(int(near['units']), 'neighbour')} "
        f"moved by {format.count(near['point'], sign=True)} "
        f"({_range(near)}) against {int(near['controls']):,} other untreated units. Without "
        f"neighbours in the comparison the average effect is "
        f"{format.count(without['point'], sign=True)} instead of "
        f"{format.count(everyone['point'], sign=True)}."
    )
    if not np.isfinite(near["low"]):
        label = "displacement not conclusive"
        return Check(name=name, verdict="warn", label=label, text=text)
    if near["low"] <= 0 <= near["high"]:
        largest = max(abs(near["low"]), abs(near["high"]))
        text += f" A move of up to {format.count(largest)} cannot be ruled out."
        return Check(name=name, verdict="pass", label="no displacement seen", text=text)
    opposite = np.sign(near["point"]) != np.sign(without["point"])
    text += (
        " Part of what the treated gained went to their neighbours: the total is smaller."
        if opposite
        else " Neighbours moved the same way as the treated: the comparison understates it."
    )
    label = "neighbours moved the other way" if opposite else "neighbours moved too"
    return Check(name=name, verdict="warn", label=label, text=text)


def _range(row: pd.Series) -> str:
    if not np.isfinite(row["low"]):
        return "interval not estimable"
    low, high = format.count(row["low"], sign=True), format.count(row["high"], sign=True)
    return f"{low} to {high}"
