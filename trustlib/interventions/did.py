"""Did it work, and how much: one difference-in-differences with what it takes to believe it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from trustlib.core import Check
from trustlib.interventions import checks as check
from trustlib.interventions import frames
from trustlib.interventions.aggregation import Kind, aggregate
from trustlib.interventions.bacon import bacon, forbidden_share, not_decomposed
from trustlib.interventions.comparison import comparison_frame
from trustlib.interventions.design import Design, design
from trustlib.interventions.disclosure import shown, small_cells, withheld_cohorts
from trustlib.interventions.displacement import displacement
from trustlib.interventions.effects import Effects
from trustlib.interventions.estimates import estimates
from trustlib.interventions.group_time import GroupTime, group_time
from trustlib.interventions.headline import Headline
from trustlib.interventions.honest import Sensitivity, sensitivity_check, sensitivity_of
from trustlib.interventions.leading import led_by, reassigned
from trustlib.interventions.leave_one_out import leave_one_out, leave_one_out_check
from trustlib.interventions.margin import margin
from trustlib.interventions.measurement import measurement_error, measurement_error_check
from trustlib.interventions.panel import Panel
from trustlib.interventions.panel_from_frame import panel_from_frame
from trustlib.interventions.paths import counterfactual_frame
from trustlib.interventions.placebo_in_time import placebo_in_time, placebo_in_time_check
from trustlib.interventions.pre_trend import (
    PreTrend,
    pre_trend,
    pre_trend_check,
    pre_trend_power_check,
)
from trustlib.interventions.randomization import Randomization, randomization_check
from trustlib.interventions.result import DidResult
from trustlib.interventions.spec import BasePeriod, DidSpec
from trustlib.interventions.total import Total, total
from trustlib.interventions.verdict import verdict
from trustlib.stats.sup_t import sup_t

MOST_CELLS = 500  # whose joint band is simulated
ONE_CLUSTER = "with a single treated, or untreated, cluster no error can be estimated"
KINDS: tuple[Kind, ...] = ("simple", "group", "dynamic", "calendar")


def did(frame: pd.DataFrame, spec: DidSpec) -> DidResult:
    """Estimate the effect of a rollout.

    Parameters
    ----------
    frame
        One row per unit and period, columns as `spec` names them. Not changed.

    Raises
    ------
    Refusal, NoData
        See `trustlib.interventions.panel_from_frame.panel_from_frame`; a Refusal also where
        not one effect after treatment is estimable.
    """
    return did_of_panel(panel_from_frame(frame, spec), spec)


def did_of_panel(panel: Panel, spec: DidSpec) -> DidResult:
    """`did` of a panel that has been read already."""
    recognised = design(panel, spec)
    spread = margin(panel, recognised, level=spec.level)
    cells = _cells(panel, recognised, spec, spec.base_period)
    universal = _cells(panel, recognised, spec, "universal")
    families: dict[str, Effects] = {kind: _family(cells, kind, spec) for kind in KINDS}
    anchored = _family(universal, "dynamic", spec)
    headline, events, description = led_by(panel, recognised, spec, families, spread)
    headline, reassignment = reassigned(panel, recognised, spec, headline)
    centred = recognised.estimator == "two_way" and not recognised.staggered
    whole = total(panel, recognised, spec, headline, cells, spread)
    honest = _honest(recognised, spec, universal, anchored, events)
    distance = _distance(panel) if centred else None
    before = pre_trend(cells, effect=headline.point, distance=distance, level=spec.level)
    if not spread.estimable:
        honest = Sensitivity(level=spec.level, reason=ONE_CLUSTER)
        before = replace(before, p_value=None, slope_80=None, reason=ONE_CLUSTER)
    near, displaced = displacement(panel, spec)
    comparison = comparison_frame(
        panel, recognised, spec, headline, spread, description=description, displacement=near
    )
    # Exact for weights that do not change; what they change within a unit is averaged.
    steady = replace(panel, weight=np.broadcast_to(panel.unit_weight[:, None], panel.weight.shape))
    weights = bacon(steady)
    placebo = placebo_in_time(panel, spec, universal=universal)
    without = leave_one_out(panel, spec)
    checks = (
        *_design_checks(panel, recognised, spec, headline, whole),
        *_trend_checks(before, honest, placebo, headline, spec),
        check.estimators_agree(comparison, headline),
        check.forbidden_comparisons(
            None if not_decomposed(steady) else forbidden_share(weights), comparison, recognised
        ),
        *_inference_checks(panel, spec, headline, reassignment, without),
        displaced,
        measurement_error_check(measurement_error(panel, spec)),
        check.outcome_scale(recognised, spec),
    )
    withheld = withheld_cohorts(panel)
    return DidResult(
        spec=spec,
        design=recognised,
        estimates=estimates(spec, recognised, headline, families, whole, honest, spread),
        checks=(*checks, *small_cells(panel, withheld)),
        verdict=verdict(headline, checks),
        event_study=shown(
            frames.event_study_frame(events or families["dynamic"], spread), withheld
        ),
        event_study_universal=shown(frames.event_study_frame(anchored, spread), withheld),
        group_time=shown(
            frames.group_time_frame(cells, panel, spread, critical=_critical_of(cells, spec)),
            withheld,
        ),
        group_effects=shown(
            frames.family_frame(families["group"], panel, spread, key="group"), withheld
        ),
        calendar_effects=shown(
            frames.family_frame(families["calendar"], panel, spread, key="time"), withheld
        ),
        counterfactual=shown(
            counterfactual_frame(panel, universal, spread, centred=centred), withheld
        ),
        comparison=comparison,
        bacon=shown(weights, withheld),
        sensitivity=honest.frame(),
        placebo_in_time=placebo,
        leave_one_out=shown(without, withheld),
        randomization=_draws(reassignment),
        rollout=shown(
            frames.rollout_frame(panel, named=recognised.names_shown),
            withheld,
        ),
        totals=shown(whole.table, withheld),
    )


def _cells(panel: Panel, recognised: Design, spec: DidSpec, base: BasePeriod) -> GroupTime:
    return group_time(
        panel,
        control_group=recognised.control_group,
        covariate_method=spec.covariate_method,
        anticipation=spec.anticipation,
        base_period=base,
    )


def _critical_of(cells: GroupTime, spec: DidSpec) -> float:
    """Of the band that holds all group-time cells at once; NaN where they are too many."""
    known = np.flatnonzero(~np.isnan(cells.point))
    if len(known) > MOST_CELLS:
        return float("nan")
    own = cells.covariance[np.ix_(known, known)]
    return sup_t(own, degrees=np.inf, level=spec.level, seed=spec.seed)


def _family(cells: GroupTime, kind: Kind, spec: DidSpec) -> Effects:
    return aggregate(cells, kind, level=spec.level, draws=spec.draws, seed=spec.seed)


def _distance(panel: Panel) -> float:
    """Periods between the means before and after the one start."""
    return float(panel.n_periods) / 2


def _honest(
    recognised: Design,
    spec: DidSpec,
    universal: GroupTime,
    anchored: Effects,
    events: Effects | None,
) -> Sensitivity:
    """Of the headline's own event study where it has one period as everybody's reference."""
    reference = -1 - spec.anticipation
    if events is not None and recognised.estimator in ("sun_abraham", "two_way"):
        return sensitivity_of(events, level=spec.level)
    target = _mass(universal, anchored, reference=reference)
    return sensitivity_of(anchored, reference=reference, target=target, level=spec.level)


def _mass(universal: GroupTime, anchored: Effects, *, reference: int) -> np.ndarray:
    """How the simple average weights event times after `reference`: by the units treated then."""
    panel = universal.panel
    size = {int(g): panel.unit_weight[panel.first_treated == g].sum() for g in panel.groups}
    known = ~np.isnan(universal.point) & (universal.event_time >= 0)
    mass: dict[int, float] = {}
    for group, event in zip(universal.group[known], universal.event_time[known], strict=True):
        mass[int(event)] = mass.get(int(event), 0.0) + float(size[int(group)])
    weights = np.array([mass.get(int(key), 0.0) for key in anchored.keys if key > reference])
    return weights / weights.sum()


def _design_checks(
    panel: Panel, recognised: Design, spec: DidSpec, headline: Headline, whole: Total
) -> tuple[Check, ...]:
    return (
        check.comparison_group(panel, recognised, spec),
        check.few_clusters(recognised, headline),
        check.small_cohorts(panel),
        check.balance(panel, recognised),
        check.dropped_and_read(panel),
        check.estimable_cells(whole),
    )


def _trend_checks(
    before: PreTrend,
    honest: Sensitivity,
    placebo: pd.DataFrame,
    headline: Headline,
    spec: DidSpec,
) -> tuple[Check, ...]:
    return (
        pre_trend_check(before),
        pre_trend_power_check(before),
        sensitivity_check(honest),
        placebo_in_time_check(placebo, spec, effect=headline.point),
    )


def _inference_checks(
    panel: Panel,
    spec: DidSpec,
    headline: Headline,
    reassignment: Randomization | None,
    without: pd.DataFrame,
) -> tuple[Check, ...]:
    found = () if reassignment is None else (randomization_check(reassignment),)
    return (*found, leave_one_out_check(without, spec, effect=headline.point))


def _draws(reassignment: Randomization | None) -> pd.DataFrame:
    if reassignment is None:
        return pd.DataFrame({"draw": pd.Series(dtype=int), "statistic": pd.Series(dtype=float)})
    return reassignment.frame
