"""What the design and the other estimators say about the headline: one check per assumption.

The checks of single diagnostics stand beside them (pre_trend, placebo_in_time, ...).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from trustlib.core import Check
from trustlib.core.format import count, percent, plural
from trustlib.interventions.design import FEW_CLUSTERS, FEW_OF_A_KIND, Design
from trustlib.interventions.headline import Headline
from trustlib.interventions.panel import Panel
from trustlib.interventions.panel_from_frame import BETWEEN
from trustlib.interventions.spec import DidSpec
from trustlib.interventions.total import Total

SMALL_COHORT = 5  # units: below it a cohort's own effect is an anecdote
MANY_MISSING = 0.05  # share of cells


def comparison_group(panel: Panel, design: Design, spec: DidSpec) -> Check:
    """Whom the treated are compared with."""
    name = "comparison_group"
    never = plural(design.never_units, "unit")
    if design.never_units == 0:
        return Check(
            name=name,
            verdict="warn",
            label="nobody stayed untreated",
            text="Every unit was treated in the end: comparisons are with units that were not "
            "treated yet, and the periods after the last start have none.",
        )
    if design.never_units < FEW_OF_A_KIND:
        return Check(
            name=name,
            verdict="warn",
            label="few untreated units",
            text=f"The comparison rests on {never} that stayed untreated: what happens to one of "
            "them moves the answer.",
        )
    with_whom = "and those not treated yet " if spec.control_group == "not_yet" else ""
    return Check(
        name=name,
        verdict="pass",
        label="an untreated comparison group",
        text=f"{never} of {design.units:,} stayed untreated; they {with_whom}are the comparison.",
    )


def balance(panel: Panel, design: Design) -> Check:
    """Whether every unit has every period."""
    cells = panel.n_units * panel.n_periods
    if design.balanced:
        return Check(
            name="balance",
            verdict="pass",
            label="no gaps in the panel",
            text=f"All {design.units:,} units have all {design.periods} periods.",
        )
    share = design.missing_cells / cells
    return Check(
        name="balance",
        verdict="warn" if share <= 0.2 else "fail",
        label="gaps in the panel",
        text=f"{plural(design.missing_cells, 'unit-period')} of {cells:,} ({percent(share)}) are "
        "missing. Each comparison uses the units that have both of its periods; if units go "
        "missing because of the treatment, the answer is wrong.",
    )


def dropped_and_read(panel: Panel) -> Check:
    """What was left out, and what was read in a way that a reader must know."""
    said = [f"{plural(n, 'unit')} {why}" for why, n in panel.dropped.items() if n]
    notes = [f"{n:,} {why}" for why, n in panel.notes.items() if n]
    if not said and not notes:
        return Check(
            name="left_out",
            verdict="pass",
            label="nothing left out",
            text="Every unit of the source is in the estimate.",
        )
    parts = []
    if said:
        parts.append(
            f"Left out: {'; '.join(said)}. Units treated from the first period on have no "
            "before to compare with."
            if any("start" in why for why in panel.dropped)
            else f"Left out: {'; '.join(said)}."
        )
    if notes:
        parts.append(f"{'; '.join(notes)}.")
    inside = bool(panel.notes.get(BETWEEN))
    if inside:
        parts.append(
            "A start inside a period counts from that period on: its first effect is diluted."
        )
    return Check(
        name="left_out",
        verdict="warn" if said or inside else "pass",
        label="units left out"
        if said
        else "starts inside a period"
        if inside
        else "how rows were read",
        text=" ".join(parts),
    )


def few_clusters(design: Design, headline: Headline) -> Check:
    """Whether the usual errors can be trusted."""
    untreated = design.clusters - design.treated_clusters
    have = (
        f"{plural(design.clusters, 'cluster')}, {design.treated_clusters:,} treated and "
        f"{untreated:,} untreated"
    )
    if not design.few_clusters:
        return Check(
            name="few_clusters",
            verdict="pass",
            label="enough clusters",
            text=f"{have}: enough for cluster-robust errors ({FEW_CLUSTERS} at least, "
            f"{FEW_OF_A_KIND} of each kind).",
        )
    if headline.by_assignment:
        return Check(
            name="few_clusters",
            verdict="warn",
            label="few clusters",
            text=f"{have}: too few for the usual errors, so the interval comes from re-assigning "
            "the start dates over the clusters. It holds if any of them could have been chosen.",
        )
    return Check(
        name="few_clusters",
        verdict="fail",
        label="too few clusters",
        text=f"{have}: too few for the usual errors, and re-assignment gives no interval either"
        f"{f' ({headline.note})' if headline.note else ''}.",
    )


def small_cohorts(panel: Panel) -> Check:
    """Cohorts of very few units."""
    size = {int(g): int((panel.first_treated == g).sum()) for g in panel.groups}
    small = [panel.period_names[g] for g, n in size.items() if n < SMALL_COHORT]
    if not small:
        return Check(
            name="small_cohorts",
            verdict="pass",
            label="cohorts large enough",
            text=f"The smallest cohort has {plural(min(size.values()), 'unit')}.",
        )
    return Check(
        name="small_cohorts",
        verdict="warn",
        label="small cohorts",
        text=f"{plural(len(small), 'cohort')} of {len(size)} "
        f"{'has' if len(small) == 1 else 'have'} fewer than {SMALL_COHORT} units: errors of its "
        "own effects are too small. The average over all cohorts suffers less.",
    )


def outcome_scale(design: Design, spec: DidSpec) -> Check:
    """How the outcome's numbers were read."""
    meaning = {
        "rate": "a rate: the total is effect × people"
        + (f" / {spec.rate_per:,.10g}" if spec.rate_per != 1 else ""),
        "count": "a count: the total is the sum of the effects",
        "level": "a level: the total is the sum of the effects",
        "log": "a logarithm: effects are log points, the total is in the level's own unit",
    }[design.outcome_scale]
    asked = spec.outcome_scale != "auto"
    return Check(
        name="outcome_scale",
        verdict="pass",
        label="scale of the outcome",
        text=f"The outcome is {'' if asked else 'taken for '}{meaning}."
        + ("" if asked else " Set outcome_scale if that is wrong."),
    )


def estimators_agree(comparison: pd.DataFrame, headline: Headline) -> Check:
    """Whether the other estimators that are right for staggered designs say the same."""
    name = "estimators_agree"
    others = comparison[~comparison["headline"] & comparison["modern"]]
    others = others[others["point"].notna()]
    if headline.low is None or headline.high is None or others.empty:
        return Check(
            name=name,
            verdict="not_run",
            label="estimators not compared",
            text="There is no interval, or no other estimator, to compare with.",
        )
    points = others["point"].to_numpy()
    inside = (points >= headline.low) & (points <= headline.high)
    same_side = np.sign(points) == np.sign(headline.point)
    spread = f"from {count(points.min(), sign=True)} to {count(points.max(), sign=True)}"
    if inside.all():
        return Check(
            name=name,
            verdict="pass",
            label="estimators agree",
            text=f"{plural(len(others), 'other estimate')} {spread} all lie inside the interval.",
        )
    # Around zero the sign is not settled anyway.
    contrary = not same_side[~inside].all() and not headline.low <= 0 <= headline.high
    return Check(
        name=name,
        verdict="fail" if contrary else "warn",
        label="estimators disagree on the sign" if contrary else "estimators differ",
        text=f"{int((~inside).sum())} of {plural(len(others), 'other estimate')} lie outside the "
        f"interval ({spread}).",
    )


def forbidden_comparisons(share: float | None, comparison: pd.DataFrame, design: Design) -> Check:
    """How much of the two-way number compares with units that were treated before."""
    name = "forbidden_comparisons"
    if share is None:
        return Check(
            name=name,
            verdict="not_run",
            label="two-way weights not taken apart",
            text="The decomposition needs a balanced panel without weights or covariates.",
        )
    two_way = comparison.loc[comparison["estimator"] == "two_way", "point"]
    head = comparison.loc[comparison["headline"], "point"]
    led = design.estimator == "two_way"
    said = f"{percent(share)} of the two-way estimate's weight compares newly treated units with "
    said += "units that were treated before."
    if share < 0.01:
        return Check(
            name=name,
            verdict="pass",
            label="no forbidden comparisons",
            text="No unit is compared with one that was treated before it.",
        )
    if led:
        return Check(
            name=name,
            verdict="fail" if share > 0.05 else "warn",
            label="forbidden comparisons in the headline",
            text=f"{said} The headline is that estimate: choose another estimator.",
        )
    gap = ""
    if len(two_way) and len(head) and np.isfinite(two_way.iloc[0]) and np.isfinite(head.iloc[0]):
        gap = (
            f" The two-way estimate is {count(two_way.iloc[0], sign=True)}, the headline "
            f"{count(head.iloc[0], sign=True)}."
        )
    return Check(
        name=name,
        verdict="pass",
        label="forbidden comparisons avoided",
        text=f"{said} The headline makes no such comparison.{gap}",
    )


def estimable_cells(whole: Total) -> Check:
    """Whether the total covers all that was treated."""
    name = "coverage_of_the_total"
    if not whole.left_out:
        return Check(
            name=name,
            verdict="pass",
            label="every treated period counted",
            text=f"The total covers all {whole.cells:,} treated unit-periods.",
        )
    share = whole.left_out / (whole.cells + whole.left_out)
    return Check(
        name=name,
        verdict="warn",
        label="treated periods without an estimate",
        text=f"{plural(whole.left_out, 'treated unit-period')} ({percent(share)}) had nothing "
        "to be compared with: they are in no number here, and the total is of the rest.",
    )
