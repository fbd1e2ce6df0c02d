"""Which number leads, and where its interval comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from trustlib.interventions.design import Design
from trustlib.interventions.effects import Effects
from trustlib.interventions.headline import Headline
from trustlib.interventions.imputation import imputation
from trustlib.interventions.margin import Margin
from trustlib.interventions.panel import Panel
from trustlib.interventions.randomization import Randomization, randomization_inference
from trustlib.interventions.spec import DidSpec
from trustlib.interventions.sun_abraham import sun_abraham
from trustlib.interventions.two_way import two_way, two_way_event_study
from trustlib.interventions.two_way_wild import two_way_wild

MOST_REASSIGNED = 1_000  # clusters: with more of them the usual errors need no help

_COVARIATES = {
    "doubly_robust": "doubly robust",
    "regression": "outcome regression",
    "ipw": "inverse probability weighting",
}


def led_by(
    panel: Panel, design: Design, spec: DidSpec, families: Mapping[str, Effects], margin: Margin
) -> tuple[Headline, Effects | None, str]:
    """The headline without re-assignment, its event study, and its description.

    The event study is None where the estimator is that of the group-time effects.
    """
    if design.estimator == "callaway_santanna":
        simple = families["simple"]
        return (
            _headline(simple, margin, _method(panel, design, spec), _n(panel), own=True),
            None,
            f"group-time effects, {_whom(design)}",
        )
    if design.estimator == "imputation":
        dynamic, simple = imputation(panel, anticipation=spec.anticipation, level=spec.level)
        words = "imputation (Borusyak, Jaravel and Spiess)"
        return _headline(simple, margin, words, _n(panel), own=False), dynamic, words
    if design.estimator == "sun_abraham":
        dynamic, simple = sun_abraham(panel, level=spec.level)
        words = "interaction-weighted event study (Sun and Abraham)"
        return _headline(simple, margin, words, _n(panel), own=False), dynamic, words
    effects = two_way(panel, level=spec.level)
    dynamic = two_way_event_study(panel, level=spec.level)
    words = "two-way fixed effects"
    if not design.staggered:
        words = "difference-in-differences of the means before and after"
    return _headline(effects, margin, words, _n(panel), own=False), dynamic, words


def reassigned(
    panel: Panel, design: Design, spec: DidSpec, headline: Headline
) -> tuple[Headline, Randomization | None]:
    """The headline with its p-value by re-assignment; with few clusters its interval too.

    The statistic is the simple average of the group-time effects without covariates, or the
    plain difference of means; where the headline is another number, only the p-value is told.
    """
    if not np.isfinite(headline.point):
        return headline, None
    if not design.few_clusters and panel.n_clusters > MOST_REASSIGNED:
        return headline, None
    plain = replace(panel, covariates=panel.covariates[:, :, :0], covariate_names=())
    if design.estimator == "two_way" and not design.staggered and panel.balanced:
        plain = replace(plain, outcome=_mean_base(panel))
    found = randomization_inference(
        plain,
        control_group=design.control_group,
        anticipation=spec.anticipation,
        seed=spec.seed,
        level=spec.level,
    )
    # It speaks of the headline only where it is the same number.
    same = found.point is not None and np.isclose(found.point, headline.point, rtol=1e-7, atol=0)
    if same:
        headline = replace(headline, p_value=found.p_value)
    if not design.few_clusters:
        return headline, found
    if not same and design.estimator == "two_way" and headline.low is not None:
        return _by_wild_bootstrap(panel, spec, headline), found
    if not same or found.low is None or found.high is None:
        why = found.reason or "re-assignment speaks of the effect without covariates"
        return (headline if headline.low is not None else replace(headline, note=why)), found
    return (
        replace(
            headline,
            low=min(found.low, headline.point),
            high=max(found.high, headline.point),
            standard_error=None,
            by_assignment=True,
            method=f"{headline.method}; interval by re-assignment of the start dates",
            note=None,
        ),
        found,
    )


def _by_wild_bootstrap(panel: Panel, spec: DidSpec, headline: Headline) -> Headline:
    wild = two_way_wild(panel, level=spec.level, seed=spec.seed)
    if not np.isfinite(wild.low) or not np.isfinite(wild.high):
        return headline
    return replace(
        headline,
        low=min(wild.low, headline.point),
        high=max(wild.high, headline.point),
        standard_error=None,
        by_assignment=False,
        method=f"{headline.method}; interval by wild cluster bootstrap",
    )


def _mean_base(panel: Panel) -> np.ndarray:
    """The outcome with the mean of all periods before the one start in the last of them."""
    start = int(panel.groups[0])
    outcome = panel.outcome.copy()
    outcome[:, start - 1] = panel.outcome[:, :start].mean(axis=1)
    return outcome


def _headline(effects: Effects, margin: Margin, method: str, n: int, *, own: bool) -> Headline:
    point, error = float(effects.overall), float(effects.overall_standard_error)
    if not np.isfinite(point):
        note = "not estimable: no treated cohort and period has a comparison"
        return Headline(point=np.nan, low=None, high=None, standard_error=None, method=method,
                        n=0, own_cells=own, note=note)  # fmt: skip
    half = margin.of_overall(effects) * error
    if not np.isfinite(half) or half <= 0:
        note = "no interval: too few clusters for an error of its own"
        return Headline(point=point, low=None, high=None, standard_error=None, method=method,
                        n=n, own_cells=own, note=note)  # fmt: skip
    return Headline(point=point, low=point - half, high=point + half, standard_error=error,
                    method=method, n=n, own_cells=own)  # fmt: skip


def _method(panel: Panel, design: Design, spec: DidSpec) -> str:
    words = f"group-time effects (Callaway and Sant'Anna), {_whom(design)}"
    if panel.covariate_names:
        words += f", {_COVARIATES[spec.covariate_method]}"
    return words


def _whom(design: Design) -> str:
    return "never treated" if design.control_group == "never" else "not yet treated"


def _n(panel: Panel) -> int:
    return int((~np.isnan(panel.outcome)).sum())
