"""Why to believe a simulated power: enough history, enough clusters, the right size."""

from __future__ import annotations

import numpy as np

from trustlib.core import Check
from trustlib.core.format import level as level_words
from trustlib.core.format import percent, plural
from trustlib.interventions.panel import Panel
from trustlib.interventions.placebo_rollouts import Placebos, Plan

FEW_WINDOWS = 4


def history_check(panel: Panel, plan: Plan, found: Placebos) -> Check:
    """Whether the history holds enough windows that differ."""
    apart = 1 + (found.windows - 1) // plan.length
    text = (
        f"The plan lasts {plural(plan.length, 'period')} ({plan.before} before the first wave); "
        f"the history of {plural(panel.n_periods, 'period')} holds "
        f"{plural(found.windows, 'window')} of that length, {apart} without overlap."
    )
    short = found.windows < FEW_WINDOWS
    if short:
        text += " So few cannot tell how far quiet periods stray."
    return Check(
        name="history_length",
        verdict="warn" if short else "pass",
        label="short history" if short else "enough history",
        text=text,
    )


def clusters_check(
    panel: Panel, plan: Plan, found: Placebos, *, by_assignment: bool, level: float
) -> Check:
    """Whether so many treated and untreated clusters can show anything at all."""
    name = "few_clusters"
    treated = sum(plan.clusters)
    text = f"{plural(treated, 'cluster')} of {panel.n_clusters:,} are treated in the plan."
    if not by_assignment:
        return Check(name=name, verdict="pass", label="enough clusters", text=text)
    if not np.isfinite(found.low).any() and not np.isfinite(found.high).any():
        text += (
            f" There are so few ways to choose them that no {level_words(level)} test by "
            "re-assignment could find an effect of any size."
        )
        label = "too few clusters to show anything"
        return Check(name=name, verdict="fail", label=label, text=text)
    text += " That is few: tested by re-assignment, which needs larger effects."
    return Check(name=name, verdict="warn", label="few clusters", text=text)


def size_check(found: Placebos, *, level: float) -> Check:
    """How often the plan would find something where nothing happened."""
    rate, n = float(found.found(0.0).mean()), len(found.point)
    nominal = 1 - level
    margin = 2.5 * (nominal * (1 - nominal) / n) ** 0.5
    text = (
        f"Where nothing happened, {percent(rate)} of {n:,} placebo roll-outs found an effect; "
        f"{percent(nominal)} is what the level of {level_words(level)} allows."
    )
    if rate > 2 * nominal + margin:
        text += " The plan's estimate would often be wrong about nothing; its power is overstated."
        label = "too many false alarms"
        return Check(name="placebo_size", verdict="fail", label=label, text=text)
    if rate > nominal + margin:
        text += " Somewhat more false alarms than allowed, so the power is a little overstated."
        label = "more false alarms than allowed"
        return Check(name="placebo_size", verdict="warn", label=label, text=text)
    return Check(name="placebo_size", verdict="pass", label="few false alarms", text=text)
