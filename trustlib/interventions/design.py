"""The design of a rollout, recognised in the panel instead of assumed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from trustlib.interventions.panel import Panel
from trustlib.interventions.spec import DidSpec, Estimator, Scale

FEW_CLUSTERS = 20  # below this, cluster-robust errors are too small (METHODS §1)


@dataclass(frozen=True, kw_only=True)
class Design:
    """What kind of rollout it was.

    Attributes
    ----------
    units, periods, clusters, treated_units, treated_clusters, never_units, cohorts
        Counts, after what had to be dropped.
    staggered
        More than one treatment date.
    balanced, missing_cells
        Whether every unit has every period, and how many cells are missing.
    periods_before, periods_after
        Fewest pre-periods of any cohort, most post-periods of any.
    few_clusters
        Fewer than 20 clusters, or fewer than 5 treated or untreated ones: inference by
        re-assignment instead of cluster-robust errors.
    estimator
        The estimator of the headline ("auto" resolved).
    outcome_scale
        "auto" resolved.
    control_group
        As used: "not_yet" where nobody is never treated.
    period_names
        First, and last, period's label.
    names_shown
        Whether units may be named on the page.
    """

    units: int
    periods: int
    clusters: int
    treated_units: int
    treated_clusters: int
    never_units: int
    cohorts: int
    staggered: bool
    balanced: bool
    missing_cells: int
    periods_before: int
    periods_after: int
    few_clusters: bool
    estimator: Estimator
    outcome_scale: Scale
    control_group: Literal["never", "not_yet"]
    period_names: tuple[str, str]
    names_shown: bool


def design(panel: Panel, spec: DidSpec) -> Design:
    """Recognise the design of `panel`; see `Design`."""
    raise NotImplementedError
