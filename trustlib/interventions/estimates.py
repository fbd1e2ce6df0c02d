"""The numbers of one difference-in-differences, each with its interval, unit and method."""

from __future__ import annotations

import math
from collections.abc import Mapping

from scipy.special import ndtri

from trustlib.core import Estimate
from trustlib.interventions.design import Design
from trustlib.interventions.effects import Effects
from trustlib.interventions.headline import Headline
from trustlib.interventions.honest import Sensitivity
from trustlib.interventions.honest.breakdown import BreakdownKind
from trustlib.interventions.margin import Margin
from trustlib.interventions.spec import DidSpec
from trustlib.interventions.total import Total

POWER = 0.8
_AGGREGATES = {
    "simple": "over all treated unit-periods",
    "group": "over cohorts, each weighted by its size",
    "dynamic": "over event times",
    "calendar": "over periods",
}


def estimates(
    spec: DidSpec,
    design: Design,
    headline: Headline,
    families: Mapping[str, Effects],
    total: Total | None,
    sensitivity: Sensitivity,
    margin: Margin,
) -> dict[str, Estimate]:
    """By name, in the order that a reader meets them; see `DidResult.estimates`."""
    unit = spec.outcome_name or spec.outcome
    out = {"att": _att(headline, unit, spec)}
    for kind, family in families.items():
        out[kind] = _family(kind, family, unit, spec, margin, n=headline.n)
    out["total_effect"] = _total(total, headline, spec)
    out["relative_effect"] = _relative(total, headline, design, spec)
    if spec.unit_value_usd is not None:
        out["total_value_usd"] = _value(out["total_effect"], spec.unit_value_usd)
    out["smallest_detectable_effect"] = _detectable(headline, unit, spec)
    out["randomization_p_value"] = Estimate(
        point=headline.p_value,
        low=None,
        high=None,
        level=spec.level,
        unit="probability",
        method="re-assignment of the start dates over clusters",
        n=design.clusters,
        note="a p-value has no interval"
        if headline.p_value is not None
        else "not estimable: see the check of the re-assignment",
    )
    bounds: dict[BreakdownKind, float | None] = {
        "relative_magnitudes": sensitivity.breakdown_relative_magnitudes,
        "smoothness": sensitivity.breakdown_smoothness,
    }
    for which, bound in bounds.items():
        out[f"breakdown_{which}"] = _breakdown(which, bound, unit, spec, sensitivity, n=headline.n)
    return out


def _att(headline: Headline, unit: str, spec: DidSpec) -> Estimate:
    known = math.isfinite(headline.point)
    return Estimate(
        point=headline.point if known else None,
        low=headline.low,
        high=headline.high,
        level=spec.level,
        unit=unit,
        method=headline.method,
        n=headline.n,
        standard_error=headline.standard_error,
        note=headline.note,
    )


def _family(
    kind: str, family: Effects, unit: str, spec: DidSpec, margin: Margin, *, n: int
) -> Estimate:
    method = f"group-time effects averaged {_AGGREGATES[kind]}"
    point, error = family.overall, family.overall_standard_error
    if not math.isfinite(point):
        why = "not estimable: no cohort and period has a comparison"
        return Estimate(point=None, low=None, high=None, level=spec.level, unit=unit,
                        method=method, n=n, note=why)  # fmt: skip
    half = margin.of_overall(family) * error
    if not math.isfinite(half):
        why = "no interval: too few clusters for an error of its own"
        return Estimate(point=point, low=None, high=None, level=spec.level, unit=unit,
                        method=method, n=n, note=why)  # fmt: skip
    return Estimate(point=point, low=point - half, high=point + half, level=spec.level, unit=unit,
                    method=method, n=n, standard_error=error)  # fmt: skip


def _total(total: Total | None, headline: Headline, spec: DidSpec) -> Estimate:
    method = f"{headline.method}, times the exposure of each cohort and period"
    if total is None or not math.isfinite(total.point):
        return Estimate(point=None, low=None, high=None, level=spec.level, unit=spec.unit_label,
                        method=method, n=0, note=headline.note or "not estimable")  # fmt: skip
    note = None
    if total.low is None:
        note = headline.note or "no interval: too few clusters for an error of its own"
    return Estimate(
        point=total.point, low=total.low, high=total.high, level=spec.level,
        unit=spec.unit_label, method=method, n=total.cells,
        standard_error=total.standard_error, note=note,
    )  # fmt: skip


def _relative(total: Total | None, headline: Headline, design: Design, spec: DidSpec) -> Estimate:
    """Against what would have been: T / (observed − T), which rises with T."""
    method = "effect over the counterfactual, both summed over the treated cells"
    blank = Estimate(point=None, low=None, high=None, level=spec.level, unit="share",
                     method=method, n=0, note="not estimable: a share needs an outcome that "
                     "counts from zero")  # fmt: skip
    if total is None or not math.isfinite(total.point) or math.isnan(total.observed):
        return blank
    shares = [_share(end, total.observed) for end in (total.low, total.point, total.high)]
    low, point, high = shares
    if point is None:
        return blank
    if low is None or high is None:
        return Estimate(point=point, low=None, high=None, level=spec.level, unit="share",
                        method=method, n=total.cells,
                        note=headline.note or "no interval of the total")  # fmt: skip
    return Estimate(point=point, low=low, high=high, level=spec.level, unit="share",
                    method=method, n=total.cells)  # fmt: skip


def _share(total: float | None, observed: float) -> float | None:
    if total is None or not observed - total > 0:
        return None
    return total / (observed - total)


def _value(total: Estimate, unit_value_usd: float) -> Estimate:
    def worth(number: float | None) -> float | None:
        return None if number is None else number * unit_value_usd + 0.0

    return Estimate(
        point=worth(total.point), low=worth(total.low), high=worth(total.high),
        level=total.level, unit="USD", method=f"{total.method}; times a fixed unit value",
        n=total.n, standard_error=worth(total.standard_error), note=total.note,
    )  # fmt: skip


def _detectable(headline: Headline, unit: str, spec: DidSpec) -> Estimate:
    method = "smallest effect found with 80 % power, either direction"
    if headline.low is None or headline.high is None:
        return Estimate(point=None, low=None, high=None, level=spec.level, unit=unit,
                        method=method, n=headline.n, note=headline.note)  # fmt: skip
    quantile = float(ndtri(0.5 + spec.level / 2))
    half = (headline.high - headline.low) / 2
    return Estimate(
        point=half * (1 + float(ndtri(POWER)) / quantile), low=None, high=None, level=spec.level,
        unit=unit, method=method, n=headline.n, note="a property of the design: it has no interval",
    )  # fmt: skip


def _breakdown(
    kind: BreakdownKind,
    bound: float | None,
    unit: str,
    spec: DidSpec,
    sensitivity: Sensitivity,
    *,
    n: int,
) -> Estimate:
    relative = kind == "relative_magnitudes"
    method = (
        "HonestDiD, relative magnitudes: multiples of the worst violation before the start"
        if relative
        else "HonestDiD, smoothness: change of the trend's slope from one period to the next"
    )
    note = "a bound that the conclusion survives: it has no interval"
    if bound is None:
        note = sensitivity.why_no_breakdown(kind) or "not run"
    elif not math.isfinite(bound):
        bound, note = None, "no bound that was tried brings zero into the interval"
    return Estimate(point=bound, low=None, high=None, level=spec.level,
                    unit="times" if relative else f"{unit} per period",
                    method=method, n=n, note=note)  # fmt: skip
