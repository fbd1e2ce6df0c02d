"""Did it work in the one market that had it: weights, what chance does, and how far to believe."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from trustlib.interventions.design import resolved_scale
from trustlib.interventions.disclosure import may_be_named
from trustlib.interventions.panel import FloatArray
from trustlib.interventions.synth import frames
from trustlib.interventions.synth.alone import alone
from trustlib.interventions.synth.case import Case
from trustlib.interventions.synth.checks import checks
from trustlib.interventions.synth.choice import chosen, inference, others
from trustlib.interventions.synth.cohorts import cases, combined
from trustlib.interventions.synth.comparison import (
    DRAWS_BESIDE,
    comparison_frame,
    headline_row,
    other_row,
)
from trustlib.interventions.synth.conformal import conformal
from trustlib.interventions.synth.estimates import Found, Numbers, estimates
from trustlib.interventions.synth.fit import Fit, Preset, fit
from trustlib.interventions.synth.in_time import in_time
from trustlib.interventions.synth.interrupted import no_regression
from trustlib.interventions.synth.leave_one_out import leave_one_out
from trustlib.interventions.synth.panel import SynthPanel
from trustlib.interventions.synth.panel_from_frame import synth_panel
from trustlib.interventions.synth.people import small_cells
from trustlib.interventions.synth.placebos_in_space import InSpace, in_space
from trustlib.interventions.synth.resampling import bootstrap, jackknife
from trustlib.interventions.synth.result import SynthDesign, SynthResult
from trustlib.interventions.synth.spec import SynthSpec
from trustlib.interventions.synth.spread import Reach, spread_of
from trustlib.interventions.synth.total import Sized, sized
from trustlib.interventions.synth.v_sensitivity import predictor_weights_check, v_sensitivity
from trustlib.interventions.synth.verdict import verdict
from trustlib.interventions.synth.words import LED_NAMES, assumption, interval_name


@dataclass(frozen=True, kw_only=True, eq=False)
class _Interval:
    """Where every interval of the headline comes from.

    Attributes
    ----------
    reach
        What makes them.
    by
        "placebo", "jackknife" or "bootstrap".
    kind, name
        "rank", "placebo", "jackknife", "bootstrap" or "none", and its name for a reader.
    why
        Why there is none, or why another rule had to step in; else "".
    """

    reach: Reach
    by: Literal["placebo", "jackknife", "bootstrap"]
    kind: str
    name: str
    why: str


def synth(frame: pd.DataFrame, spec: SynthSpec) -> SynthResult:
    """The effect on the treated units, against donors weighted to be like them.

    Parameters
    ----------
    frame
        One row per unit and period, as `trustlib.data.read_panel` makes it.

    Raises
    ------
    Refusal, NoData
        As `synth_panel`; a method or an inference that the design does not allow.
    """
    panel = synth_panel(frame, spec)
    scale = resolved_scale(panel.outcome, spec)
    if scale == "count":  # a sum of counts is the sum over units, however many people each has
        panel = replace(panel, weight=np.ones_like(panel.weight))
    led, because = chosen(panel, spec)
    if led == "interrupted_time_series":
        return alone(panel, spec, scale=scale, because=because)
    parts = cases(panel)
    fits = [fit(case, led) for _, case in parts]
    draws = spec.draws if led != "synthetic_control_predictors" else min(spec.draws, DRAWS_BESIDE)
    chance = in_space(parts, fits, draws=draws, seed=spec.seed)
    interval = _interval(panel, fits, chance, inference(panel, spec, led), spec)
    shown = may_be_named((*panel.unit_names, *panel.left_out))
    design = SynthDesign(
        treated=int(panel.treated.sum()),
        donors=len(panel.donors),
        left_out=len(panel.left_out),
        periods=panel.n_periods,
        pre=int(panel.starts[0]),
        post=panel.n_periods - int(panel.starts[0]),
        starts=tuple(panel.period_names[start] for start in panel.starts),
        last_before=panel.period_names[int(panel.starts[0]) - 1],
        period_names=(panel.period_names[0], panel.period_names[-1]),
        preset=led,
        chosen_because=because,
        inference=interval.by,
        assumption="; ".join(text for text in (assumption(interval.kind), interval.why) if text),
        outcome_scale=scale,
        predictors=panel.predictor_names,
        names_shown=shown,
    )
    return _result(panel, parts, fits, chance, interval, design, spec)


def _interval(
    panel: SynthPanel,
    fits: Sequence[Fit],
    chance: InSpace,
    by: Literal["placebo", "jackknife", "bootstrap"],
    spec: SynthSpec,
) -> _Interval:
    """The rule of the headline's interval; placebos where a resampling nobody asked for fails."""
    preset, why = fits[0].preset, ""
    if by != "placebo":
        found = (
            jackknife(panel, fits, level=spec.level)
            if by == "jackknife"
            else bootstrap(panel, preset, level=spec.level, draws=spec.draws, seed=spec.seed)
        )
        if found.kind != "none" or spec.inference != "auto":
            name = interval_name(found.kind, found.n)
            return _Interval(reach=found, by=by, kind=found.kind, name=name, why=found.reason or "")
        why = f"a jackknife is {found.reason}"
    placebos = spread_of(chance, preset, level=spec.level)
    reasons = [why, placebos.reason or ""] if chance.n else [f"not estimable: {chance.reason}"]
    return _Interval(
        reach=placebos,
        by="placebo",
        kind=placebos.kind,
        name=interval_name(placebos.kind, placebos.n),
        why="; ".join(text for text in reasons if text),
    )


def _result(
    panel: SynthPanel,
    parts: Sequence[tuple[int, Case]],
    fits: Sequence[Fit],
    chance: InSpace,
    interval: _Interval,
    design: SynthDesign,
    spec: SynthSpec,
) -> SynthResult:
    led: Preset = fits[0].preset
    cohorts = [
        frames.Cohort(case=case, fit=found) for (_, case), found in zip(parts, fits, strict=True)
    ]
    mean = frames.mean_of(cohorts)
    reach = interval.reach
    size = sized(
        panel, {one.start: one.fit.gap for one in cohorts}, scale=design.outcome_scale, spec=spec
    )
    att = Found(
        point=combined(parts, fits),
        half=reach.half(mean.att_weights),
        error=reach.error(mean.att_weights),
    )
    numbers = estimates(_numbers(att, mean, size, chance, interval, design), spec)
    rows = [headline_row(led, att, interval.name)]
    rows += [other_row(parts, mean.att_weights, one, spec) for one in others(panel, led)]
    comparison = comparison_frame(rows)
    names = frames.names_of(panel, shown=design.names_shown)
    donor_names = [names[donor] for donor in panel.donors]
    left_out = leave_one_out(parts, fits, chance, donor_names=donor_names, level=spec.level)
    earlier = in_time(
        panel, led, level=spec.level, draws=min(spec.draws, DRAWS_BESIDE), seed=spec.seed
    )
    found = checks(
        panel,
        parts,
        fits,
        chance,
        comparison=comparison,
        leave_one_out=left_out,
        in_time=earlier,
        effect=att.point,
        error=att.error,
        half=att.half,
        donor_names=donor_names,
        level=spec.level,
        resampled=interval.by != "placebo",
        seed=spec.seed,
    )
    found = (*found, *small_cells(panel, spec))
    choices: dict[str, pd.DataFrame] = {}
    if led == "synthetic_control_predictors":
        by_v = v_sensitivity(parts[0][1], fits[0], names=panel.predictor_names, seed=spec.seed)
        check = predictor_weights_check(by_v, standard_error=att.error, names=panel.predictor_names)
        found = (*found, check)
        choices["predictor_choices"] = by_v.frame
    return SynthResult(
        spec=spec,
        design=design,
        estimates=numbers,
        checks=found,
        verdict=verdict(numbers["att"], chance.p_value, chance.least_p, found),
        path=frames.path_frame(panel, cohorts, mean, reach),
        gap=frames.gap_frame(
            panel, cohorts, mean, reach, size, _by_period(parts, led, panel, spec)
        ),
        weights=frames.weights_frame(panel, cohorts, names),
        time_weights=frames.time_weights_frame(panel, cohorts),
        pool=frames.pool_frame(panel, cohorts, names),
        predictors=frames.predictors_frame(panel, cohorts),
        placebos=frames.placebos_frame(chance, panel, names),
        placebo_paths=frames.placebo_paths_frame(chance, panel, names),
        leave_one_out=left_out,
        in_time=earlier,
        comparison=comparison,
        totals=frames.totals_frame(
            panel, size, reach, all_half=reach.half(size.slope), value_usd=spec.unit_value_usd
        ),
        regression=no_regression(),
        **choices,
    )


def _numbers(
    att: Found,
    mean: frames.Mean,
    size: Sized,
    chance: InSpace,
    interval: _Interval,
    design: SynthDesign,
) -> Numbers:
    last = np.eye(len(mean.gap))[-1]
    reach = interval.reach
    method = f"{LED_NAMES[design.preset]}; {interval.name}"
    p_note = "a p-value has no interval"
    if chance.least_p is None:
        p_note = f"not estimable: {chance.reason}"
    else:
        p_note += f"; with {chance.n:,} placebos it cannot be below {chance.least_p:.3g}"
    return Numbers(
        att=att,
        final=Found(point=float(mean.gap[-1]), half=reach.half(last), error=reach.error(last)),
        total=Found(point=size.total, half=reach.half(size.slope), error=reach.error(size.slope)),
        observed=float(size.observed.sum()),
        method=method,
        period_method=method,
        why_none=interval.why,
        p_value=chance.p_value,
        p_method="share of the placebos in space, the treated among them, whose gap after the "
        "start over that before is as large",
        p_note=p_note,
        pre_rmspe=chance.own_pre_rmspe,
        donors=design.donors,
        cells=size.cells,
    )


def _by_period(
    parts: Sequence[tuple[int, Case]], led: Preset, panel: SynthPanel, spec: SynthSpec
) -> Mapping[str, FloatArray]:
    """Conformal intervals of single periods, where all treated start together."""
    if len(parts) > 1:
        return {}
    start, case = parts[0]
    found = conformal(case, led, level=spec.level)
    whole = {}
    for name in ("low", "high", "p_value"):
        column = np.full(panel.n_periods, math.nan)
        column[start:] = found[name].to_numpy()
        whole[name] = column
    return whole
