"""The answer where there is nothing to compare with: an interrupted time series as a result."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from trustlib.interventions.disclosure import may_be_named
from trustlib.interventions.panel import FloatArray
from trustlib.interventions.spec import Scale
from trustlib.interventions.synth import frames
from trustlib.interventions.synth.choice import Led, others
from trustlib.interventions.synth.cohorts import cases
from trustlib.interventions.synth.comparison import comparison_frame, headline_row, other_row
from trustlib.interventions.synth.estimates import Found, Numbers, estimates
from trustlib.interventions.synth.guards import missing_cells
from trustlib.interventions.synth.in_time import COLUMNS as IN_TIME
from trustlib.interventions.synth.interrupted import Interrupted, interrupted
from trustlib.interventions.synth.interrupted_checks import interrupted_checks
from trustlib.interventions.synth.leave_one_out import COLUMNS as LEAVE_ONE_OUT
from trustlib.interventions.synth.panel import SynthPanel
from trustlib.interventions.synth.people import small_cells
from trustlib.interventions.synth.result import SynthDesign, SynthResult
from trustlib.interventions.synth.spec import SynthSpec
from trustlib.interventions.synth.total import Sized, sized
from trustlib.interventions.synth.verdict import verdict_alone
from trustlib.interventions.synth.words import LED_NAMES, assumption, interval_name

METHOD: Led = "interrupted_time_series"
NO_PLACEBOS = "not estimable: no other unit was compared with"
UNUSED = "not used by this method"


def alone(panel: SynthPanel, spec: SynthSpec, *, scale: Scale, because: str) -> SynthResult:
    """`SynthResult` of an interrupted time series.

    The gap before the start is what the line misses; from the start on it is the line's change
    of level and trend, whose interval is drawn. Where donors were given although they are not
    used, the presets that use them stand beside the headline.

    Raises
    ------
    Refusal
        Treated units that start at different dates.
    """
    found = interrupted(panel, spec)
    shown = may_be_named((*panel.unit_names, *panel.left_out))
    names = frames.names_of(panel, shown=shown)
    size = sized(panel, {found.start: found.effect}, scale=scale, spec=spec)
    numbers = estimates(_numbers(found, size), spec)
    checks = (*interrupted_checks(found), missing_cells(panel), *small_cells(panel, spec))
    return SynthResult(
        spec=spec,
        design=_design(panel, found, scale=scale, because=because, shown=shown),
        estimates=numbers,
        checks=checks,
        verdict=verdict_alone(numbers["att"], checks),
        path=_path(panel, found),
        gap=_gap(panel, found, size),
        weights=_empty("unit", "group", weight=float),
        time_weights=_empty("time", "group", weight=float),
        pool=frames.pool_unused(panel, names, UNUSED),
        predictors=_empty("predictor", treated=float, synthetic=float, donors=float,
                          importance=float),
        placebos=_empty("unit", treated=bool, att=float, pre_rmspe=float, post_rmspe=float,
                        ratio=float, rank=int),
        placebo_paths=_empty("unit", "time", gap=float),
        leave_one_out=_empty(LEAVE_ONE_OUT[0], **dict.fromkeys(LEAVE_ONE_OUT[1:], float)),
        in_time=_empty(IN_TIME[0], pre=int, post=int, **dict.fromkeys(IN_TIME[3:], float)),
        comparison=_comparison(panel, found, spec),
        totals=frames.totals_frame(
            panel, size, found, all_half=found.half(size.slope), value_usd=spec.unit_value_usd
        ),
        regression=found.regression,
    )  # fmt: skip


def _mean_after(found: Interrupted) -> FloatArray:
    after = np.arange(len(found.actual)) >= found.start
    return np.asarray(after / after.sum())


def _att(found: Interrupted) -> Found:
    weights = _mean_after(found)
    return Found(point=found.att, half=found.half(weights), error=found.error(weights))


def _numbers(found: Interrupted, size: Sized) -> Numbers:
    last = np.eye(len(found.actual))[-1]
    before = (found.actual - found.counterfactual)[: found.start]
    method = f"{LED_NAMES[METHOD]}; {interval_name('regression', 0)}"
    known = found.reason is None
    return Numbers(
        att=_att(found),
        final=Found(point=float(found.effect[-1]), half=found.half(last), error=found.error(last)),
        total=Found(
            point=size.total if known else math.nan,
            half=found.half(size.slope),
            error=found.error(size.slope),
        ),
        observed=float(size.observed.sum()),
        method=method,
        period_method=method,
        why_none=found.reason or "",
        p_value=None,
        p_method="share of placebos in space",
        p_note=NO_PLACEBOS,
        pre_rmspe=float(np.sqrt(np.mean(before**2))) if known else math.nan,
        donors=0,
        cells=size.cells,
    )


def _design(
    panel: SynthPanel, found: Interrupted, *, scale: Scale, because: str, shown: bool
) -> SynthDesign:
    return SynthDesign(
        treated=int(panel.treated.sum()),
        donors=0,
        left_out=len(panel.left_out) + len(panel.donors),
        periods=panel.n_periods,
        pre=found.start,
        post=panel.n_periods - found.start,
        starts=(panel.period_names[found.start],),
        last_before=panel.period_names[found.start - 1],
        period_names=(panel.period_names[0], panel.period_names[-1]),
        preset=METHOD,
        chosen_because=because,
        inference="regression",
        assumption=assumption("regression" if found.reason is None else "none"),
        outcome_scale=scale,
        predictors=(),
        names_shown=shown,
    )


def _path(panel: SynthPanel, found: Interrupted) -> pd.DataFrame:
    half = (found.high - found.low) / 2
    return pd.DataFrame(
        {
            "time": panel.period_names,
            "group": "all",
            "actual": found.actual,
            "synthetic": found.counterfactual,
            "low": found.counterfactual - half,
            "high": found.counterfactual + half,
            "after": np.arange(panel.n_periods) >= found.start,
        }
    )


def _gap(panel: SynthPanel, found: Interrupted, size: Sized) -> pd.DataFrame:
    n = panel.n_periods
    after = np.arange(n) >= found.start
    return pd.DataFrame(
        {
            "time": panel.period_names,
            "group": "all",
            "point": np.where(after, found.effect, found.actual - found.counterfactual),
            "low": found.low,
            "high": found.high,
            "conformal_low": np.nan,
            "conformal_high": np.nan,
            "conformal_p": np.nan,
            **frames.running(size, found, found.start),
            "after": after,
        }
    )


def _comparison(panel: SynthPanel, found: Interrupted, spec: SynthSpec) -> pd.DataFrame:
    weights = _mean_after(found)
    rows = [headline_row(METHOD, _att(found), interval_name("regression", 0))]
    if len(panel.donors):
        parts = cases(panel)
        rows += [other_row(parts, weights, preset, spec) for preset in others(panel, METHOD)]
    return comparison_frame(rows)


def _empty(*text: str, **numbers: type) -> pd.DataFrame:
    """A frame without rows."""
    columns = {name: pd.Series(dtype=str) for name in text}
    return pd.DataFrame(columns | {name: pd.Series(dtype=kind) for name, kind in numbers.items()})
