"""The same effect by every estimator that can be had for the panel, side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from trustlib.core import Refusal
from trustlib.interventions.aggregation import aggregate
from trustlib.interventions.design import Design
from trustlib.interventions.effects import Effects
from trustlib.interventions.group_time import group_time
from trustlib.interventions.headline import Headline
from trustlib.interventions.imputation import imputation
from trustlib.interventions.margin import Margin
from trustlib.interventions.panel import Panel
from trustlib.interventions.spec import ControlGroup, CovariateMethod, DidSpec
from trustlib.interventions.sun_abraham import sun_abraham
from trustlib.interventions.two_way import two_way
from trustlib.interventions.two_way_wild import two_way_wild

_COVARIATES: dict[CovariateMethod, str] = {
    "doubly_robust": "doubly robust",
    "regression": "outcome regression",
    "ipw": "inverse probability weighting",
}


@dataclass(frozen=True, kw_only=True)
class _Row:
    """One way to estimate: its name, and how."""

    estimator: str
    description: str
    estimate: Callable[[], Effects]
    modern: bool  # makes no forbidden comparison


def comparison_frame(
    panel: Panel,
    design: Design,
    spec: DidSpec,
    headline: Headline,
    spread: Margin,
    *,
    description: str,
    displacement: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """`DidResult.comparison`: the headline, then every other estimator that applies.

    A row that cannot be had keeps its place, with NaN and the reason in `note`.
    """
    rows: list[dict[str, object]] = [
        {
            "estimator": design.estimator,
            "description": description,
            "point": headline.point,
            "standard_error": headline.standard_error,
            "low": headline.low,
            "high": headline.high,
            "headline": True,
            "modern": design.estimator != "two_way" or not design.staggered,
            "note": headline.note or "",
        }
    ]
    rows += [_row(row, spread) for row in _others(panel, design, spec)]
    if design.few_clusters and spread.estimable:
        rows = [_by_wild_bootstrap(row, panel, spec) for row in rows]
    if displacement is not None:
        rows.append(_without_neighbours(displacement))
    numbers = ["point", "standard_error", "low", "high"]
    return pd.DataFrame(rows).astype(dict.fromkeys(numbers, float))


def _row(row: _Row, spread: Margin) -> dict[str, object]:
    note, critical = "", float("nan")
    try:
        effects = row.estimate()
        point, error = effects.overall, effects.overall_standard_error
        critical = spread.of_overall(effects)
    except Refusal as refusal:
        point, error, note = np.nan, np.nan, refusal.what
    # One treated cluster leaves an error of nearly zero that means nothing.
    if not spread.estimable:
        error = np.nan
        note = note or "one treated, or untreated, cluster: no error can be estimated"
    return {
        "estimator": row.estimator,
        "description": row.description,
        "point": point,
        "standard_error": error,
        "low": point - critical * error,
        "high": point + critical * error,
        "headline": False,
        "modern": row.modern,
        "note": note,
    }


def _without_neighbours(displacement: pd.DataFrame) -> dict[str, object]:
    """The last row of `trustlib.interventions.displacement`: neighbours are no comparison."""
    last = displacement.iloc[-1]
    return {
        "estimator": "callaway_santanna",
        "description": "group-time effects, without neighbours",
        **{name: last[name] for name in ("point", "standard_error", "low", "high")},
        "headline": False,
        "modern": True,
        "note": "",
    }


def _by_wild_bootstrap(row: dict[str, object], panel: Panel, spec: DidSpec) -> dict[str, object]:
    """The two-way row with the interval that holds with few clusters."""
    if row["estimator"] != "two_way" or row["headline"]:
        return row
    found = two_way_wild(panel, level=spec.level, seed=spec.seed)
    if not np.isfinite(found.low) or not np.isfinite(found.high):
        return row
    words = f"{row['description']}, wild cluster bootstrap"
    return row | {"description": words, "low": found.low, "high": found.high}


def _others(panel: Panel, design: Design, spec: DidSpec) -> Iterator[_Row]:
    controls: tuple[ControlGroup, ...] = ("never", "not_yet")
    for control in controls:
        if control == "never" and not panel.never.any():
            continue
        led = design.estimator == "callaway_santanna" and control == design.control_group
        words = "never treated" if control == "never" else "not yet treated"
        if not led:
            yield _group_time(panel, spec, control, f"group-time effects, {words}")
        elif panel.covariate_names:
            plain = replace(panel, covariates=panel.covariates[:, :, :0], covariate_names=())
            yield _group_time(plain, spec, control, f"group-time effects, {words}, no covariates")
    if panel.covariate_names:
        for method, words in _COVARIATES.items():
            if method != spec.covariate_method:
                other = replace(spec, covariate_method=method)
                yield _group_time(
                    panel, other, design.control_group, f"group-time effects, {words}"
                )
    if design.estimator != "imputation":
        yield _Row(
            estimator="imputation",
            description="imputation (Borusyak, Jaravel and Spiess)",
            estimate=lambda: imputation(panel, anticipation=spec.anticipation, level=spec.level)[1],
            modern=True,
        )
    ahead = ", without anticipation" if spec.anticipation else ""
    if design.estimator != "sun_abraham":
        yield _Row(
            estimator="sun_abraham",
            description=f"interaction-weighted (Sun and Abraham){ahead}",
            estimate=lambda: sun_abraham(panel, level=spec.level)[1],
            modern=not spec.anticipation,
        )
    if design.estimator != "two_way":
        yield _Row(
            estimator="two_way",
            description=f"two-way fixed effects{ahead}",
            estimate=lambda: two_way(panel, level=spec.level),
            modern=not design.staggered,
        )


def _group_time(panel: Panel, spec: DidSpec, control: ControlGroup, description: str) -> _Row:
    def estimate() -> Effects:
        cells = group_time(
            panel,
            control_group=control,
            covariate_method=spec.covariate_method,
            anticipation=spec.anticipation,
            base_period="varying",
        )
        return aggregate(cells, "simple", level=spec.level, draws=0, seed=spec.seed)

    return _Row(
        estimator="callaway_santanna",
        description=description,
        estimate=estimate,
        modern=True,
    )
