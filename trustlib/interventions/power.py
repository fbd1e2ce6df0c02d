"""Power before launch: what a planned roll-out could show, simulated on the panel's history.

See `trustlib.interventions.placebo_rollouts` for the simulation. The statistic is the simple
average of the group-time effects without covariates, tested as the estimate itself would be:
with clustered errors from twenty clusters on, by re-assignment below.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd
from scipy.special import ndtri

from trustlib.core import Check, Estimate, NoData, Refusal
from trustlib.core.format import plural
from trustlib.interventions.panel import FloatArray, Panel
from trustlib.interventions.placebo_rollouts import Placebos, Plan, placebos, usable_windows
from trustlib.interventions.power_checks import clusters_check, history_check, size_check

_CURVE = 25  # points
_QUICK = 200  # draws for each change of the plan


@dataclass(frozen=True, kw_only=True)
class PowerSpec:
    """The planned roll-out.

    Attributes
    ----------
    planned_units
        Units that each wave treats, in order; all others are the comparison. Where clusters
        are coarser than units, the nearest number of whole clusters.
    wave_gap_periods, periods_before, periods_after
        Periods between waves; before the first one (None: as many as the history allows);
        from the last wave's start to the end, that one included.
    effects, effect_scale
        Sizes to tabulate, in the outcome's unit or as shares of its level; None: around the
        smallest detectable one.
    target_power, draws, level, seed
        What "detectable" means; placebo roll-outs; of the test; of everything drawn.
    outcome_name, unit_label
        For a reader.
    """

    planned_units: tuple[int, ...]
    periods_after: int
    wave_gap_periods: int = 1
    periods_before: int | None = None
    effects: tuple[float, ...] | None = None
    effect_scale: Literal["absolute", "relative"] = "absolute"
    target_power: float = 0.8
    draws: int = 500
    level: float = 0.95
    seed: int = 0
    outcome_name: str = "outcome"
    unit_label: str = "units of the outcome"

    def __post_init__(self) -> None:
        if not self.planned_units or min(self.planned_units) < 1:
            raise Refusal("planned_units needs one wave of one unit at least")
        for name, least in (("periods_after", 1), ("wave_gap_periods", 1), ("draws", 99)):
            if getattr(self, name) < least:
                raise Refusal(f"{name} is below {least}")
        if self.periods_before is not None and self.periods_before < 1:
            raise Refusal("periods_before is below 1: an effect needs a period before it")
        if not 0.5 < self.target_power < 1 or not 0.5 <= self.level < 1:
            raise Refusal("power and level lie between 0.5 and 1")


@dataclass(frozen=True, kw_only=True)
class PowerResult:
    """What the plan could show.

    Attributes
    ----------
    spec, plan
        As asked, and as clusters and periods.
    estimates
        smallest_detectable_effect, smallest_detectable_relative_effect, false_alarm_rate, and
        power_at_<effect> for each effect that was asked for. Their intervals hold the
        simulation's own error.
    checks
        history_length, few_clusters, placebo_size.
    verdict
        "detectable", "not detectable" (of the smallest effect asked for), or "simulated".
    power_curve
        effect, relative_effect, power, low, high, asked (bool).
    alternatives
        change (words), treated_clusters, periods_after, smallest_detectable_effect, ratio (to
        the plan's own).
    draws
        Of each placebo roll-out: window (label of its first period), point, low, high.
    units, clusters, periods, windows
        Of the history; windows of the plan's length in it.
    baseline
        Mean outcome of the history, weighted.
    by_assignment
        Tested by re-assignment, not by clustered errors.
    """

    spec: PowerSpec
    plan: Plan
    estimates: Mapping[str, Estimate]
    checks: tuple[Check, ...]
    verdict: str
    power_curve: pd.DataFrame
    alternatives: pd.DataFrame
    draws: pd.DataFrame
    units: int
    clusters: int
    periods: int
    windows: int
    baseline: float
    by_assignment: bool

    def series(self) -> dict[str, list[dict[str, object]]]:
        """Rows of plain values for results.json."""
        return {
            name: [
                {str(k): None if v != v else v for k, v in row.items()}
                for row in frame.to_dict("records")
            ]
            for name, frame in (
                ("power_curve", self.power_curve),
                ("alternatives", self.alternatives),
            )
        }


def smallest_detectable(standard_error: float, *, level: float = 0.95, power: float = 0.8) -> float:
    """The effect that a two-sided normal test finds with `power`: (z_{1−α/2} + z_power) · error."""
    return float(standard_error * (ndtri(0.5 + level / 2) + ndtri(power)))


def power(panel: Panel, spec: PowerSpec) -> PowerResult:
    """Simulate the plan of `spec` on the history `panel`.

    Where units of `panel` are treated already, only what comes before is history.

    Raises
    ------
    Refusal
        If the plan needs more units or periods than there are, or a relative effect has no
        level to refer to.
    NoData
        If the history holds no outcome.
    """
    plan = _plan(panel, spec)
    baseline = _baseline(panel)
    if spec.effect_scale == "relative" and not baseline > 0:
        raise Refusal(
            "relative effects need an outcome with a positive level",
            where="effect_scale: relative",
            next_step="set effect_scale to absolute",
        )
    found = placebos(panel, plan, draws=spec.draws, level=spec.level, seed=spec.seed)
    smallest = _quantile(found, spec.target_power)
    unit = baseline if spec.effect_scale == "relative" else 1.0
    asked = sorted({abs(effect) * unit for effect in spec.effects or ()})
    by_assignment = plan.few(panel.n_clusters)
    return PowerResult(
        spec=spec,
        plan=plan,
        estimates=_estimates(found, spec, plan, baseline, unit, by_assignment),
        checks=(
            history_check(panel, plan, found),
            clusters_check(panel, plan, found, by_assignment=by_assignment, level=spec.level),
            size_check(found, level=spec.level),
        ),
        verdict=_verdict(smallest, asked),
        power_curve=_curve(found, smallest, asked, baseline, spec),
        alternatives=_alternatives(panel, plan, spec, smallest),
        draws=pd.DataFrame(
            {
                "window": [panel.period_names[at] for at in found.window],
                "point": found.point,
                "low": found.low,
                "high": found.high,
            }
        ),
        units=panel.n_units,
        clusters=panel.n_clusters,
        periods=panel.n_periods,
        windows=found.windows,
        baseline=baseline,
        by_assignment=by_assignment,
    )


def _plan(panel: Panel, spec: PowerSpec) -> Plan:
    """The plan in clusters and periods, refused where it does not fit the history."""
    if np.isnan(panel.outcome).all():
        raise NoData("the history holds no outcome")
    untreated = panel.never
    planned, there = sum(spec.planned_units), int(untreated.sum())
    if planned > there:
        raise Refusal(
            f"the plan treats {plural(planned, 'unit')}, the history has {there:,} that are not "
            "treated yet",
            where="planned_units",
            next_step="plan fewer units, or read more of them",
        )
    per_unit = len(np.unique(panel.cluster[untreated])) / there
    clusters = tuple(max(1, round(units * per_unit)) for units in spec.planned_units)
    rest = len(np.unique(panel.cluster[untreated])) - sum(clusters)
    if rest < 0 or rest == 1 or (rest == 0 and len(clusters) == 1):
        raise Refusal(
            "the plan leaves fewer than two clusters to compare with",
            where="planned_units",
            next_step="leave two untreated at least, or treat everyone in two waves or more",
        )
    fixed = (len(clusters) - 1) * spec.wave_gap_periods + spec.periods_after
    before = spec.periods_before or max(1, min(panel.n_periods - fixed, _room(panel, fixed)))
    plan = Plan(
        clusters=clusters, before=before, gap=spec.wave_gap_periods, after=spec.periods_after
    )
    if not len(usable_windows(panel, plan)):
        raise Refusal(
            f"the plan lasts {plural(plan.length, 'period')}, the history has "
            f"{panel.n_periods:,} before treatment",
            where="periods_before, periods_after, wave_gap_periods",
            nearest=f"periods_after up to {max(1, panel.n_periods - plan.length + plan.after)}"
            if panel.n_periods - plan.length + plan.after >= 1
            else None,
            next_step="shorten the plan or read a longer history",
        )
    return plan


def _room(panel: Panel, fixed: int) -> int:
    """Periods before that leave windows to choose from: half of what is not needed."""
    return max(1, -(-(panel.n_periods - fixed) // 2))


def _baseline(panel: Panel) -> float:
    early = np.arange(panel.n_periods) < panel.first_treated[:, None]
    weight = np.where(np.isnan(panel.outcome) | ~early, 0.0, panel.unit_weight[:, None])
    return float(np.sum(np.nan_to_num(panel.outcome) * weight) / weight.sum())


def _quantile(found: Placebos, target: float) -> float:
    """The smallest size that a share `target` of the draws finds."""
    sizes = found.thresholds
    return max(0.0, float(sizes[min(len(sizes) - 1, math.ceil(target * len(sizes)) - 1)]))


def _between(found: Placebos, target: float, level: float) -> tuple[float, float]:
    """The simulation's interval of that size: binomial order statistics of the draws."""
    sizes = found.thresholds
    # Both directions of one draw tell little more than one: counted as `draws`, not twice.
    spread = float(ndtri(0.5 + level / 2)) * (target * (1 - target) / len(found.point)) ** 0.5
    at = [
        min(len(sizes) - 1, max(0, math.ceil(share * len(sizes)) - 1))
        for share in (target - spread, min(1.0, target + spread))
    ]
    return max(0.0, float(sizes[at[0]])), max(0.0, float(sizes[at[1]]))


def _share(found: Placebos, effect: float, level: float) -> tuple[float, float, float]:
    """The share of draws that find `effect`, with its Wilson interval."""
    hits, n = found.found(effect), len(found.point)
    share, z = float(hits.mean()), float(ndtri(0.5 + level / 2))
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z * (share * (1 - share) / n + z**2 / (4 * n**2)) ** 0.5 / (1 + z**2 / n)
    return share, min(share, max(0.0, middle - half)), max(share, min(1.0, middle + half))


def _estimates(
    found: Placebos, spec: PowerSpec, plan: Plan, baseline: float, unit: float, by_assignment: bool
) -> dict[str, Estimate]:
    how = "re-assignment of the start dates" if by_assignment else "clustered errors"
    method = f"{len(found.point):,} placebo roll-outs on the history, tested by {how}"
    n = len(found.point)
    size = _quantile(found, spec.target_power)
    low, high = _between(found, spec.target_power, spec.level)
    out = {}
    for name, scale, words in (
        ("smallest_detectable_effect", 1.0, spec.outcome_name),
        ("smallest_detectable_relative_effect", 1 / baseline if baseline > 0 else None, "share"),
    ):
        values = [] if scale is None else [value * scale for value in (size, low, high)]
        known = bool(values) and math.isfinite(values[0])
        bounded = known and math.isfinite(values[2])
        why = (
            "the outcome has no positive level" if scale is None else "the simulation is too short"
        )
        if scale is not None and not known:
            why = "not estimable: no effect, however large, would be found so often"
        out[name] = Estimate(
            point=values[0] if known else None,
            low=values[1] if bounded else None,
            high=values[2] if bounded else None,
            level=spec.level,
            unit=words,
            method=method,
            n=n,
            note=None if bounded else why,
        )
    wanted = {f"power_at_{effect:g}": abs(effect) * unit for effect in spec.effects or ()}
    for name, effect in {**wanted, "false_alarm_rate": 0.0}.items():
        share, least, most = _share(found, effect, spec.level)
        out[name] = Estimate(point=share, low=least, high=most, level=spec.level,
                             unit="probability", method=method, n=n)  # fmt: skip
    return out


def _verdict(smallest: float, asked: list[float]) -> str:
    if not asked:
        return "simulated" if math.isfinite(smallest) else "not detectable"
    return "detectable" if asked[0] >= smallest else "not detectable"


def _curve(
    found: Placebos, smallest: float, asked: list[float], baseline: float, spec: PowerSpec
) -> pd.DataFrame:
    end = 2 * smallest if math.isfinite(smallest) else 4 * float(np.std(found.point))
    end = max([end, *(1.1 * effect for effect in asked)])
    effects: FloatArray = np.unique(np.concatenate([np.linspace(0, end, _CURVE), asked]))
    shares = np.array([_share(found, effect, spec.level) for effect in effects])
    return pd.DataFrame(
        {
            "effect": effects,
            "relative_effect": effects / baseline if baseline > 0 else np.nan,
            "power": shares[:, 0],
            "low": shares[:, 1],
            "high": shares[:, 2],
            "asked": np.isin(effects, asked),
        }
    )


def _alternatives(panel: Panel, plan: Plan, spec: PowerSpec, smallest: float) -> pd.DataFrame:
    """What other plans could show: watched shorter or longer, fewer or more treated."""
    rows = []
    for words, other in _changes(panel, plan):
        if not len(usable_windows(panel, other)):
            continue
        draws = min(spec.draws, _QUICK)
        found = placebos(panel, other, draws=draws, level=spec.level, seed=spec.seed)
        size = _quantile(found, spec.target_power)
        finite = math.isfinite(size)
        rows.append(
            {
                "change": words,
                "treated_clusters": sum(other.clusters),
                "periods_after": other.after,
                "smallest_detectable_effect": size if finite else float("nan"),
                "ratio": size / smallest if finite and smallest > 0 else float("nan"),
            }
        )
    columns = ["change", "treated_clusters", "periods_after", "smallest_detectable_effect", "ratio"]
    return pd.DataFrame(rows, columns=columns)


def _changes(panel: Panel, plan: Plan) -> list[tuple[str, Plan]]:
    half = tuple(max(1, count // 2) for count in plan.clusters)
    double = tuple(2 * count for count in plan.clusters)
    there = len(np.unique(panel.cluster[panel.never]))
    changes = [
        ("watched half as long", replace(plan, after=plan.after // 2), plan.after > 1),
        ("watched twice as long", replace(plan, after=2 * plan.after), True),
        ("half as many treated", replace(plan, clusters=half), half != plan.clusters),
        ("twice as many treated", replace(plan, clusters=double), sum(double) <= there - 2),
    ]
    return [(words, other) for words, other, possible in changes if possible]
