"""The numbers of one synthetic-control estimate, each with its interval, unit and method."""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy.special import ndtri

from trustlib.core import Estimate
from trustlib.interventions.synth.spec import SynthSpec

POWER = 0.8


@dataclass(frozen=True, kw_only=True)
class Found:
    """A number and how far it may be off, before it is dressed for a reader.

    Attributes
    ----------
    point
        NaN where not estimable.
    half
        Half the interval's width; NaN where there is none.
    error
        Standard error; NaN without.
    """

    point: float
    half: float = math.nan
    error: float = math.nan


@dataclass(frozen=True, kw_only=True)
class Numbers:
    """What `estimates` dresses.

    Attributes
    ----------
    att, final, total
        Average effect per treated unit and period; gap of the last period; total effect.
    observed
        Of the same cells and in the same unit as the total; NaN where no share can be taken.
    method
        Of the headline, its interval included.
    period_method
        Of a single period's interval.
    why_none
        Why there is no interval, where there is none.
    p_value, least_p, p_method
        By the placebos' ranks; None where it could not be had (`p_note` says why).
    pre_rmspe
        Misfit before the start, in the outcome's unit.
    donors, cells
        Donor units, treated unit-periods.
    """

    att: Found
    final: Found
    total: Found
    observed: float
    method: str
    period_method: str
    why_none: str
    p_value: float | None
    p_method: str
    p_note: str
    pre_rmspe: float
    donors: int
    cells: int


def estimates(numbers: Numbers, spec: SynthSpec) -> dict[str, Estimate]:
    """By name, in the order that a reader meets them; see `SynthResult.estimates`."""
    unit = spec.outcome_name or spec.outcome
    n, why = numbers.cells, numbers.why_none

    def dressed(found: Found, unit: str, method: str, n: int) -> Estimate:
        return _dressed(found, unit=unit, method=method, n=n, why=why, level=spec.level)

    total = dressed(
        numbers.total, spec.unit_label, f"{numbers.method}; times what was exposed to it", n
    )
    out = {
        "att": dressed(numbers.att, unit, numbers.method, n),
        "gap_final": dressed(numbers.final, unit, numbers.period_method, 1),
        "placebo_p_value": Estimate(
            point=numbers.p_value, low=None, high=None, level=spec.level, unit="probability",
            method=numbers.p_method, n=numbers.donors, note=numbers.p_note,
        ),
        "total_effect": total,
        "relative_effect": _relative(numbers, total, spec),
    }  # fmt: skip
    if spec.unit_value_usd is not None:
        out["total_value_usd"] = _value(total, spec.unit_value_usd)
    out["smallest_detectable_effect"] = _detectable(numbers, unit, spec)
    out["pre_period_rmspe"] = Estimate(
        point=None if math.isnan(numbers.pre_rmspe) else numbers.pre_rmspe,
        low=None, high=None, level=spec.level, unit=unit,
        method="root mean squared gap before the start", n=n,
        note="a description of the fit: it has no interval",
    )  # fmt: skip
    return out


def _dressed(found: Found, *, unit: str, method: str, n: int, why: str, level: float) -> Estimate:
    known = math.isfinite(found.point)
    spread = known and math.isfinite(found.half)
    return Estimate(
        point=found.point if known else None,
        low=found.point - found.half if spread else None,
        high=found.point + found.half if spread else None,
        level=level,
        unit=unit,
        method=method,
        n=n,
        standard_error=found.error if known and math.isfinite(found.error) else None,
        note=None if spread else why or "not estimable",
    )


def _relative(numbers: Numbers, total: Estimate, spec: SynthSpec) -> Estimate:
    """Against what would have been: T / (observed − T), which rises with T."""
    method = "total effect over what there would have been without it"

    def share(amount: float | None) -> float | None:
        if amount is None or not numbers.observed - amount > 0:
            return None
        return amount / (numbers.observed - amount)

    point, low, high = share(total.point), share(total.low), share(total.high)
    note = None
    if point is None:
        note = "not estimable: a share needs an outcome that counts from zero"
        if total.point is None and total.note:
            note = total.note
    elif low is None or high is None:
        low = high = None
        note = total.note or "no interval: its upper end would be more than was there"
    return Estimate(point=point, low=low, high=high, level=spec.level, unit="share",
                    method=method, n=numbers.cells, note=note)  # fmt: skip


def _value(total: Estimate, unit_value_usd: float) -> Estimate:
    def worth(number: float | None) -> float | None:
        return None if number is None else number * unit_value_usd + 0.0

    return Estimate(
        point=worth(total.point), low=worth(total.low), high=worth(total.high),
        level=total.level, unit="USD", method=f"{total.method}; times a fixed unit value",
        n=total.n, standard_error=worth(total.standard_error), note=total.note,
    )  # fmt: skip


def _detectable(numbers: Numbers, unit: str, spec: SynthSpec) -> Estimate:
    quantile = float(ndtri(0.5 + spec.level / 2))
    found = numbers.att.half * (1 + float(ndtri(POWER)) / quantile)
    known = math.isfinite(found)
    return Estimate(
        point=found if known else None, low=None, high=None, level=spec.level, unit=unit,
        method="smallest average effect found with 80 % power, either direction",
        n=numbers.cells,
        note="a property of the design: it has no interval" if known else numbers.why_none,
    )  # fmt: skip
