"""The design of a rollout, recognised in the panel instead of assumed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from trustlib.core import Refusal
from trustlib.interventions.disclosure import may_be_named
from trustlib.interventions.panel import FloatArray, Panel
from trustlib.interventions.spec import DidSpec, Estimator, Scale

FEW_CLUSTERS = 20  # below this, cluster-robust errors are too small (METHODS §1)
SMALL_COHORTS = 30  # the same where a cohort has fewer than five of them
LARGEST_LOG = 100.0  # e^100 of anything is more than there is
_RATE_NAME = re.compile(r"%|(?<![a-z])(?:per|rate|share|ratio|percent|percentage|pct)s?(?![a-z])")
FEW_OF_A_KIND = 5  # treated, or untreated, clusters: the same with many of the other kind


class _Scaled(Protocol):
    """What a spec says about the outcome's numbers."""

    @property
    def outcome(self) -> str: ...
    @property
    def outcome_name(self) -> str | None: ...
    @property
    def outcome_scale(self) -> Scale: ...
    @property
    def weight(self) -> str | None: ...


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
        Fewer than 20 clusters, fewer than 5 treated or untreated ones, or fewer than 30 with
        a cohort of fewer than 5: inference by re-assignment instead of cluster-robust errors.
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
    """Recognise the design of `panel`.

    Raises
    ------
    Refusal
        If the outcome's scale was given and its values contradict it.
    """
    never = panel.never
    groups = panel.groups
    treated_clusters = len(np.unique(panel.cluster[~never]))
    untreated_clusters = panel.n_clusters - treated_clusters
    few = panel.n_clusters < FEW_CLUSTERS or treated_clusters < FEW_OF_A_KIND
    if never.any():
        few = few or untreated_clusters < FEW_OF_A_KIND
    smallest = min(len(np.unique(panel.cluster[panel.first_treated == g])) for g in groups)
    few = few or (panel.n_clusters < SMALL_COHORTS and smallest < FEW_OF_A_KIND)
    control = spec.control_group if never.any() else "not_yet"
    return Design(
        units=panel.n_units,
        periods=panel.n_periods,
        clusters=panel.n_clusters,
        treated_units=int((~never).sum()),
        treated_clusters=treated_clusters,
        never_units=int(never.sum()),
        cohorts=len(groups),
        staggered=len(groups) > 1,
        balanced=panel.balanced,
        missing_cells=int(np.isnan(panel.outcome).sum()),
        periods_before=int(groups.min()),
        periods_after=int(panel.n_periods - groups.min()),
        few_clusters=few,
        estimator=_estimator(panel, spec),
        outcome_scale=resolved_scale(panel.outcome, spec),
        control_group=control,
        period_names=(panel.period_names[0], panel.period_names[-1]),
        names_shown=may_be_named(panel.unit_names) and may_be_named(panel.cluster_names),
    )


def _estimator(panel: Panel, spec: DidSpec) -> Estimator:
    if spec.estimator != "auto":
        return spec.estimator
    one_date = len(panel.groups) == 1 and panel.never.any()
    # With one date nothing is compared with what was treated before, and all periods before
    # it serve as the baseline; that is worth having, and it is the two-way regression.
    if one_date and panel.balanced and not panel.covariate_names and spec.anticipation == 0:
        return "two_way"
    return "callaway_santanna"


def resolved_scale(outcome: FloatArray, spec: _Scaled) -> Scale:
    """What the outcome's numbers are: as asked, or by the column's name and its values.

    Raises
    ------
    Refusal
        If the scale was given and the values contradict it.
    """
    values = outcome[~np.isnan(outcome)]
    if spec.outcome_scale in ("rate", "count") and (values < 0).any():
        raise Refusal(
            f"the outcome is called a {spec.outcome_scale} and has negative values",
            where=f"outcome_scale: {spec.outcome_scale}",
            next_step="set outcome_scale to level or log, or correct the source",
        )
    if spec.outcome_scale == "log" and values.max() > LARGEST_LOG:
        raise Refusal(
            "the outcome is called a logarithm and has values that none can have",
            where="outcome_scale: log",
            next_step="set outcome_scale to level or count, or take the logarithm in the source",
        )
    if spec.outcome_scale != "auto":
        return spec.outcome_scale
    name = str(spec.outcome_name or spec.outcome).lower()
    if values.max() <= LARGEST_LOG and re.match(r"(?:log|ln)_|.*_(?:log|ln)$", name):
        return "log"
    if (values < 0).any():
        return "level"
    whole = bool((values == np.round(values)).all())
    if spec.weight is None:
        return "count" if whole else "level"
    # Whole numbers above 1 are counted things, unless their name says per what.
    counted = whole and values.max() > 1 and not _RATE_NAME.search(name)
    return "count" if counted else "rate"
