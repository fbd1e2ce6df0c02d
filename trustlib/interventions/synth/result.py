"""All that one synthetic-control estimate found, with its spec, design and checks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import pandas as pd

from trustlib.core import Check, Estimate
from trustlib.interventions.result import plain_rows
from trustlib.interventions.spec import Scale
from trustlib.interventions.synth.fit import Preset
from trustlib.interventions.synth.spec import SynthSpec


@dataclass(frozen=True, kw_only=True)
class SynthDesign:
    """What kind of question it was, and how it was answered.

    Attributes
    ----------
    treated, donors, left_out
        Units, and units of the source in neither group.
    periods, pre, post
        Periods; before the first start; from the first start on.
    starts
        Labels of the first treated periods, one per cohort.
    last_before
        Label of the last period before the first start.
    period_names
        First, and last, period's label.
    preset
        What made the headline; "interrupted_time_series" where there is no donor.
    chosen_because
        A clause for a reader: "no predictors were given, and levels may differ".
    inference
        "placebo", "jackknife", "bootstrap", or "regression" (interrupted time series).
    assumption
        What the headline's interval assumes, a sentence without its final stop.
    outcome_scale
        "auto" resolved.
    predictors
        Names.
    names_shown
        Whether units may be named; where not, frames hold "donor 7" in their place.
    """

    treated: int
    donors: int
    left_out: int
    periods: int
    pre: int
    post: int
    starts: tuple[str, ...]
    last_before: str
    period_names: tuple[str, str]
    preset: Preset | Literal["interrupted_time_series"]
    chosen_because: str
    inference: Literal["placebo", "jackknife", "bootstrap", "regression"]
    assumption: str
    outcome_scale: Scale
    predictors: tuple[str, ...]
    names_shown: bool


def _no_choices() -> pd.DataFrame:
    numbers = ("att", "mspe", "largest_weight_change")
    empty = {name: pd.Series(dtype=float) for name in numbers}
    return pd.DataFrame({"choice": pd.Series(dtype=str)} | empty)


@dataclass(frozen=True, kw_only=True)
class SynthResult:
    """Did it work in the one market that had it, how much, and why to believe it.

    Gaps are actual − synthetic. Frames hold NaN where not estimable. Periods and units are the
    readers' labels (str). Frames that do not apply are empty, with their columns.

    Attributes
    ----------
    spec, design
        As asked, and as recognised.
    estimates
        att, gap_final, placebo_p_value, total_effect, relative_effect, pre_period_rmspe,
        smallest_detectable_effect; total_value_usd with a unit value.
    checks
        One per assumption.
    verdict
        "effect shown", "no effect shown", "not conclusive", "not estimable", or, of an
        interrupted time series, "a change, cause not shown".
    path
        time, group ("all", and each cohort's start where there are several), actual, synthetic,
        low, high (of the synthetic, pointwise, after the start; NaN before), after (bool).
        Of rows "all", means over treated units.
    gap
        time, group, point, low, high (pointwise, method of the headline), conformal_low,
        conformal_high, conformal_p, cumulative, cumulative_low, cumulative_high (in the total's
        unit; NaN before the start), after (bool).
    weights
        unit, group, weight: every donor of every cohort, heaviest first.
    time_weights
        time, group, weight; empty for presets without.
    pool
        unit, role ("treated", "donor", "left out"), reason (of those left out, else ""),
        first_treated (label or ""), weight (mean over cohorts; NaN off the pool).
    predictors
        predictor, treated, synthetic, donors (mean), importance (V); empty without.
    placebos
        unit, treated (bool), att, pre_rmspe, post_rmspe, ratio (post / pre), rank (1: largest
        ratio). With several treated units a row is an assignment ("draw 17") and not a unit.
    placebo_paths
        unit, time, gap: one path per placebo (of one treated unit), for drawing; the treated
        one's is in `gap`.
    leave_one_out
        left_out, weight (it had), point, low, high.
    in_time
        start (label of the pretended one), pre, post (periods), point, standard_error, low,
        high, p_value.
    comparison
        estimator, description, point, standard_error, low, high, headline (bool), interval
        (its method).
    totals
        time, effect, low, high, value_usd (with a unit value): per period after the start in the
        total's unit; the last row is "all".
    regression
        term, point, standard_error, low, high: of an interrupted time series; else empty.
    predictor_choices
        choice (of the predictors' weights), att, mspe (mean squared gap before the start),
        largest_weight_change (of any donor's weight, against those fitted), for the first start;
        empty where the headline does not rest on predictors.
    """

    spec: SynthSpec
    design: SynthDesign
    estimates: Mapping[str, Estimate]
    checks: tuple[Check, ...]
    verdict: str
    path: pd.DataFrame
    gap: pd.DataFrame
    weights: pd.DataFrame
    time_weights: pd.DataFrame
    pool: pd.DataFrame
    predictors: pd.DataFrame
    placebos: pd.DataFrame
    placebo_paths: pd.DataFrame
    leave_one_out: pd.DataFrame
    in_time: pd.DataFrame
    comparison: pd.DataFrame
    totals: pd.DataFrame
    regression: pd.DataFrame
    predictor_choices: pd.DataFrame = field(default_factory=_no_choices)

    def series(self) -> dict[str, list[dict[str, object]]]:
        """Rows of plain values for results.json, by name."""
        names = (
            "weights",
            "gap",
            "placebos",
            "path",
            "time_weights",
            "pool",
            "predictors",
            "leave_one_out",
            "in_time",
            "comparison",
            "totals",
            "regression",
            "predictor_choices",
        )
        return {name: plain_rows(getattr(self, name)) for name in names}
