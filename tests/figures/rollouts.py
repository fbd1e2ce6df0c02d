"""Difference-in-differences results of many shapes for the views' tests; no estimator involved.

The numbers are stand-ins: the views must be right for any `DidResult`, also for ones that the
estimators rarely return.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
import pandas as pd

from trustlib.core import Check, Estimate
from trustlib.interventions import DidResult, DidSpec
from trustlib.interventions.design import Design

HOSTILE = (
    "_$_$ \\frac{a}{b} $x^2$",
    "<script>alert(1)</script>",
    "x" * 3_000,
    "tab\tnul\x00bell\x07 line\nbreak\u202eright\u2066",
    "日本語の市場 🦀",
    '"><img src=x onerror=alert(2)>',
)


@dataclass(frozen=True, kw_only=True)
class Shape:
    """What to make up; `starts` are indices of first treated periods, `sizes` units of each."""

    periods: int = 14
    first: date | int = date(2026, 1, 5)
    starts: tuple[int, ...] = (4, 6, 8, 10)
    sizes: tuple[int, ...] = (16, 14, 12, 10)
    never: int = 28
    effect: float = -0.6  # at the start
    growth: float = -0.15  # each period more
    error: float = 0.12
    level: float = 8.0
    outcome_name: str = "complaints per 1,000 active accounts"
    unit_label: str = "complaints"
    unit_value_usd: float | None = None
    scale: str = "rate"
    verdict: str = "effect shown"
    two_way: float = 0.45  # of the truth
    names: tuple[str, ...] | None = None
    names_shown: bool = True
    randomized: bool = False
    balanced: bool = True
    people: float = 4_000.0  # behind each rate


SHAPES: dict[str, Shape] = {
    "staggered": Shape(),
    "money": Shape(unit_value_usd=12.0),
    "single": Shape(starts=(7,), sizes=(20,), never=20, periods=12),
    "few": Shape(
        starts=(6,), sizes=(4,), never=5, periods=12, error=0.5, verdict="not conclusive",
        randomized=True, effect=-0.8, growth=-0.05,
    ),
    "log": Shape(
        periods=5, first=2003, starts=(1, 3, 4), sizes=(20, 40, 131), never=309, effect=-0.02,
        growth=-0.035, error=0.012, level=5.7, outcome_name="log_employment", scale="log",
        unit_label="units of the outcome", two_way=0.9,
    ),
    "none": Shape(effect=0.03, growth=0.0, error=0.1, verdict="no effect shown"),
    "more": Shape(effect=1.2, growth=0.2, two_way=1.4),
    "nothing": Shape(verdict="not estimable", balanced=False),
    "hostile": Shape(
        outcome_name=HOSTILE[0], unit_label="<b>_$_$</b>", starts=(4, 8), sizes=(3, 3), never=4,
        names=(*HOSTILE, "", "**bold**", "a|b", "javascript:alert(3)"),
    ),
    "wide": Shape(
        periods=20, starts=tuple(range(2, 14)), sizes=(8,) * 12, never=24, unit_value_usd=3.5,
    ),
    "long": Shape(periods=32, starts=(15,), sizes=(40,), never=60, names_shown=False),
    "many": Shape(periods=60, starts=tuple(range(3, 55)), sizes=(5,) * 52, never=40,
                  growth=-0.02, names_shown=False),
}  # fmt: skip


def result(name: str, **changes) -> DidResult:
    """The `DidResult` of one shape, with `changes` to the shape."""
    shape = replace(SHAPES[name], **changes)
    known = shape.verdict != "not estimable"
    labels = _labels(shape)
    group_time = _group_time(shape, labels)
    event_study = _event_study(shape, universal=False)
    att = _att(shape)
    return DidResult(
        spec=DidSpec(
            outcome_name=shape.outcome_name, unit_label=shape.unit_label,
            unit_value_usd=shape.unit_value_usd,
            weight="weight" if shape.scale == "rate" else None,
        ),
        design=_design(shape, labels),
        estimates=_estimates(shape, att),
        checks=_checks(shape),
        verdict=shape.verdict,
        event_study=event_study,
        event_study_universal=_event_study(shape, universal=True),
        group_time=group_time if known else group_time.iloc[:0],
        group_effects=_groups(shape, labels),
        calendar_effects=_calendar(shape, labels),
        counterfactual=_counterfactual(shape, labels),
        comparison=_comparison(shape, att),
        bacon=_bacon(shape, labels),
        sensitivity=_sensitivity(shape, att),
        placebo_in_time=_placebo(shape),
        leave_one_out=_leave_one_out(shape, labels, att),
        randomization=_randomization(shape, att),
        rollout=_rollout(shape, labels),
        totals=_totals(shape, labels),
    )  # fmt: skip


def _labels(shape: Shape) -> list[str]:
    if isinstance(shape.first, int):
        return [str(shape.first + i) for i in range(shape.periods)]
    return [(shape.first + timedelta(weeks=i)).isoformat() for i in range(shape.periods)]


def _true(shape: Shape, event_time) -> np.ndarray:
    e = np.asarray(event_time, dtype=float)
    return np.where(e < 0, 0.0, shape.effect + shape.growth * np.maximum(e, 0))


def _wobble(size: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.45, size)


def _effects(point, error, *, band: bool = False) -> dict[str, np.ndarray]:
    point, error = np.asarray(point, dtype=float), np.asarray(error, dtype=float)
    found = {
        "point": point,
        "standard_error": error,
        "low": point - 1.96 * error,
        "high": point + 1.96 * error,
    }
    if band:
        found |= {"band_low": point - 2.8 * error, "band_high": point + 2.8 * error}
    return found


def _event_study(shape: Shape, *, universal: bool) -> pd.DataFrame:
    if shape.verdict == "not estimable":
        return pd.DataFrame(
            columns=["event_time", "point", "standard_error", "low", "high", "band_low",
                     "band_high", "units", "reference"]
        )  # fmt: skip
    last = shape.periods - min(shape.starts)
    e = np.arange(-max(shape.starts) + (not universal), last)
    units = np.array([
        sum(n for g, n in zip(shape.starts, shape.sizes, strict=True)
            if 0 <= g + at < shape.periods)
        for at in e
    ])  # fmt: skip
    keep = units > 0
    e, units = e[keep], units[keep]
    error = shape.error * np.sqrt(max(shape.sizes) / units) * (1 + 0.03 * np.abs(e))
    point = _true(shape, e) + error * _wobble(len(e), 3)
    reference = (e == -1) & universal
    point[reference], error[reference] = 0.0, np.nan
    frame = pd.DataFrame({"event_time": e, **_effects(point, error, band=True), "units": units})
    return frame.assign(reference=reference)


def _group_time(shape: Shape, labels: list[str]) -> pd.DataFrame:
    rows = []
    for g, n in zip(shape.starts, shape.sizes, strict=True):
        for t in range(1, shape.periods):
            rows.append((labels[g], labels[t], t - g, n, t >= g))
    frame = pd.DataFrame(rows, columns=["group", "time", "event_time", "units", "after"])
    error = shape.error * (1 + 0.5 * (frame["units"] < 12)).to_numpy()
    point = _true(shape, frame["event_time"]) + error * _wobble(len(frame), 5)
    cells = frame.assign(**_effects(point, error, band=True))
    return cells[["group", "time", "event_time", "point", "standard_error", "low", "high",
                  "band_low", "band_high", "units", "after"]]  # fmt: skip


def _att(shape: Shape) -> float:
    cells = [
        (_true(shape, t - g), n)
        for g, n in zip(shape.starts, shape.sizes, strict=True)
        for t in range(g, shape.periods)
    ]
    return float(np.average([float(x) for x, _ in cells], weights=[n for _, n in cells]))


def _cells(shape: Shape) -> int:
    return sum(n * (shape.periods - g) for g, n in zip(shape.starts, shape.sizes, strict=True))


def _design(shape: Shape, labels: list[str]) -> Design:
    units = sum(shape.sizes) + shape.never
    return Design(
        units=units,
        periods=shape.periods,
        clusters=units,
        treated_units=sum(shape.sizes),
        treated_clusters=sum(shape.sizes),
        never_units=shape.never,
        cohorts=len(shape.starts),
        staggered=len(shape.starts) > 1,
        balanced=shape.balanced,
        missing_cells=0 if shape.balanced else 37,
        periods_before=min(shape.starts),
        periods_after=shape.periods - min(shape.starts),
        few_clusters=units < 20,
        estimator="callaway_santanna" if len(shape.starts) > 1 else "two_way",
        outcome_scale=shape.scale,
        control_group="never" if shape.never else "not_yet",
        period_names=(labels[0], labels[-1]),
        names_shown=shape.names_shown,
    )


def _estimates(shape: Shape, att: float) -> dict[str, Estimate]:
    if shape.verdict == "not estimable":
        why = "not estimable: no cohort has a period before and an untreated unit beside it"
        return {
            name: _none(unit, why)
            for name, unit in (
                ("att", shape.outcome_name), ("simple", shape.outcome_name),
                ("total_effect", shape.unit_label), ("relative_effect", "share"),
                ("breakdown_relative_magnitudes", "times the worst pre-period violation"),
                ("smallest_detectable_effect", shape.outcome_name),
            )
        }  # fmt: skip
    error = shape.error / 3

    def estimate(point, error, unit, method="group-time effects, simple average") -> Estimate:
        return Estimate(
            point=point, low=point - 1.96 * error, high=point + 1.96 * error, level=0.95,
            unit=unit, method=method, n=sum(shape.sizes), standard_error=error,
        )  # fmt: skip

    found = {"att": estimate(att, error, shape.outcome_name)}
    for name in ("simple", "group", "dynamic", "calendar"):
        found[name] = estimate(att * (1 + 0.03 * len(name)), error, shape.outcome_name)
    by = _cells(shape) * (shape.people / 1000 if shape.scale == "rate" else 1.0)
    found["total_effect"] = estimate(att * by, error * by, shape.unit_label, "sum over cells")
    if shape.unit_value_usd is not None:
        by *= shape.unit_value_usd
        found["total_value_usd"] = estimate(att * by, error * by, "USD", "sum over cells")
    found["relative_effect"] = estimate(att / shape.level, error / shape.level, "share")
    found["randomization_p_value"] = (
        Estimate(point=0.031, low=None, high=None, level=0.95, unit="probability",
                 method="re-assigned start dates", n=126, note="exact under the sharp null")
        if shape.randomized
        else _none("probability", "not run: enough clusters")
    )  # fmt: skip
    found["smallest_detectable_effect"] = Estimate(
        point=2.8 * error, low=None, high=None, level=0.95, unit=shape.outcome_name,
        method="80 % power", n=sum(shape.sizes), note="a design quantity",
    )  # fmt: skip
    found["breakdown_relative_magnitudes"] = Estimate(
        point=1.6, low=None, high=None, level=0.95, unit="times",
        method="HonestDiD", n=8, note="a bound, found by bisection",
    )  # fmt: skip
    found["breakdown_smoothness"] = Estimate(
        point=0.08 * abs(att), low=None, high=None, level=0.95,
        unit=f"{shape.outcome_name} per period", method="HonestDiD", n=8,
        note="a bound, found by bisection",
    )  # fmt: skip
    return found


def _none(unit: str, note: str) -> Estimate:
    return Estimate(
        point=None, low=None, high=None, level=0.95, unit=unit, method="none", n=0, note=note
    )


def _checks(shape: Shape) -> tuple[Check, ...]:
    if shape.verdict == "not estimable":
        return (
            Check(name="pre_trend", verdict="not_run", label="pre-trend",
                  text="Not run: there is one period before the start."),
        )  # fmt: skip
    return (
        Check(name="pre_trend", verdict="pass", label="alike before the start",
              text="The joint test of 8 differences before the start gives p = .42."),
        Check(name="pre_trend_power", verdict="warn", label="power of the pre-trend test",
              text="A drift of 0.05 a period would be found four times out of five; over the "
              "treated periods it would amount to 24 % of the effect."),
        Check(name="sensitivity_to_trends", verdict="pass", label="survives trends that differ",
              text="The conclusion survives violations up to 1.6 times the worst pre-period one."),
        Check(name="forbidden_comparisons", verdict="warn", label="two-way regression misleads",
              text="31 % of its weight compares with units that were already treated."),
        Check(name="leave_one_out", verdict="pass", label="no cohort carries it",
              text="Leaving out any cohort keeps the sign and at least 80 % of the size."),
        Check(name="displacement", verdict="not_run", label="displacement",
              text="Not run: no neighbour column was named."),
        Check(name="randomization", verdict="pass" if shape.randomized else "not_run",
              label="re-assigned start dates",
              text="p = .03 over 126 re-assignments." if shape.randomized
              else "Not run: 80 clusters are enough for cluster-robust errors."),
    )  # fmt: skip


def _groups(shape: Shape, labels: list[str]) -> pd.DataFrame:
    point = [
        float(_true(shape, np.arange(shape.periods - g)).mean()) for g in shape.starts
    ]  # fmt: skip
    error = [shape.error / np.sqrt(n / 4) for n in shape.sizes]
    frame = pd.DataFrame(
        {"group": [labels[g] for g in shape.starts], **_effects(point, error)}
    ).assign(units=list(shape.sizes))
    return frame.iloc[:0] if shape.verdict == "not estimable" else frame


def _calendar(shape: Shape, labels: list[str]) -> pd.DataFrame:
    at = np.arange(min(shape.starts), shape.periods)
    point = _true(shape, at - min(shape.starts)) * 0.8
    frame = pd.DataFrame(
        {"time": [labels[t] for t in at], **_effects(point, np.full(len(at), shape.error / 2))}
    ).assign(units=sum(shape.sizes))
    return frame.iloc[:0] if shape.verdict == "not estimable" else frame


def _counterfactual(shape: Shape, labels: list[str]) -> pd.DataFrame:
    if shape.verdict == "not estimable":
        return pd.DataFrame(
            columns=["time", "group", "observed", "counterfactual", "low", "high", "treated_units"]
        )
    t = np.arange(shape.periods)
    without = shape.level * (1 + 0.05 * np.sin(t / 2) + 0.01 * t)
    parts, total = [], sum(shape.sizes)
    share = (
        sum(n * _true(shape, t - g) for g, n in zip(shape.starts, shape.sizes, strict=True)) / total
    )
    treated = sum(n * (t >= g) for g, n in zip(shape.starts, shape.sizes, strict=True))
    everyone = [("all", share, treated)]
    for g, n in zip(shape.starts, shape.sizes, strict=True):
        everyone.append((labels[g], _true(shape, t - g), n * (t >= g)))
    for name, effect, by in everyone:
        half = np.where(by > 0, 1.96 * shape.error / 1.5, 0.0)
        parts.append(
            pd.DataFrame(
                {"time": labels, "group": name, "observed": without + effect,
                 "counterfactual": without, "low": without - half, "high": without + half,
                 "treated_units": by}
            )
        )  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def _comparison(shape: Shape, att: float) -> pd.DataFrame:
    rows = [
        ("callaway_santanna", "group-time effects, never treated", 1.0, 1.0),
        ("imputation", "imputed from untreated cells", 1.02, 0.9),
        ("sun_abraham", "interaction-weighted regression", 0.99, 1.05),
        ("two_way", "two-way fixed effects", shape.two_way, 0.8),
    ]
    frame = pd.DataFrame(
        {
            "estimator": [row[0] for row in rows],
            "description": [row[1] for row in rows],
            **_effects([att * row[2] for row in rows], [shape.error / 3 * row[3] for row in rows]),
            "headline": [True, False, False, False],
            "modern": [True, True, True, len(shape.starts) == 1],
            "note": "",
        }
    )
    if shape.verdict == "not estimable":
        return frame.assign(point=np.nan, standard_error=np.nan, low=np.nan, high=np.nan)
    return frame


def _bacon(shape: Shape, labels: list[str]) -> pd.DataFrame:
    columns = ["kind", "group", "control", "weight", "estimate"]
    if len(shape.starts) == 1 or not shape.balanced:
        return pd.DataFrame(columns=columns)
    rows = []
    for i, g in enumerate(shape.starts):
        rows.append(("treated vs untreated", labels[g], "never", 3.0, shape.effect * 2))
        for j, h in enumerate(shape.starts):
            if i == j:
                continue
            kind = "earlier vs later treated" if g < h else "later vs earlier treated (forbidden)"
            estimate = shape.effect * (1.2 if g < h else -0.4) * (1 + 0.05 * i)
            rows.append((kind, labels[g], labels[h], 1.0 / (1 + abs(i - j)), estimate))
    frame = pd.DataFrame(rows, columns=columns)
    return frame.assign(weight=frame["weight"] / frame["weight"].sum())


def _sensitivity(shape: Shape, att: float) -> pd.DataFrame:
    columns = ["kind", "bound", "low", "high", "contains_zero"]
    if shape.verdict == "not estimable" or shape.randomized:
        return pd.DataFrame(columns=columns)
    rows = []
    for kind, bounds in (
        ("relative_magnitudes", (0.0, 0.5, 1.0, 1.5, 2.0)),
        ("smoothness", (float("nan"), *(abs(att) * np.array([0.0, 0.02, 0.04, 0.08, 0.1])))),
    ):
        top = bounds[-1] / 1.25  # where the interval meets zero
        half = shape.error
        for bound in bounds:
            more = 0.0 if bound != bound else (abs(att) - half) * bound / top
            low, high = att - half - more, att + half + more
            rows.append((kind, bound, low, high, low <= 0 <= high))
    return pd.DataFrame(rows, columns=columns)


def _placebo(shape: Shape) -> pd.DataFrame:
    columns = ["shift", "point", "standard_error", "low", "high", "p_value"]
    if shape.verdict == "not estimable" or min(shape.starts) < 3:
        return pd.DataFrame(columns=columns)
    shifts = np.arange(1, min(6, min(shape.starts)))
    point = shape.error / 2 * _wobble(len(shifts), 9)
    frame = pd.DataFrame(
        {"shift": shifts, **_effects(point, np.full(len(shifts), shape.error / 2))}
    )
    return frame.assign(p_value=np.linspace(0.3, 0.8, len(shifts)))


def _leave_one_out(shape: Shape, labels: list[str], att: float) -> pd.DataFrame:
    columns = ["left_out", "kind", "point", "standard_error", "low", "high"]
    if shape.verdict == "not estimable" or len(shape.starts) == 1:
        return pd.DataFrame(columns=columns)
    point = att * (1 + 0.1 * _wobble(len(shape.starts), 11))
    return pd.DataFrame(
        {"left_out": [labels[g] for g in shape.starts], "kind": "cohort",
         **_effects(point, np.full(len(shape.starts), shape.error / 3))}
    )  # fmt: skip


def _randomization(shape: Shape, att: float) -> pd.DataFrame:
    if not shape.randomized:
        return pd.DataFrame({"draw": pd.Series(dtype=int), "statistic": pd.Series(dtype=float)})
    rng = np.random.default_rng(13)
    return pd.DataFrame({"draw": range(126), "statistic": rng.normal(0, abs(att) / 2.2, 126)})


def _units(shape: Shape) -> list[tuple[str, int]]:
    """Each unit's name and the index of its start; the never treated last, at `periods`."""
    starts = [g for g, n in zip(shape.starts, shape.sizes, strict=True) for _ in range(n)]
    starts += [shape.periods] * shape.never
    names = shape.names or tuple(f"market {i + 1:02d}" for i in range(len(starts)))
    return list(zip(names, starts, strict=True))


def _rollout(shape: Shape, labels: list[str]) -> pd.DataFrame:
    rows = [
        (name, labels[g] if g < shape.periods else "never",
         labels[g] if g < shape.periods else "", max(0, shape.periods - g), 1.0)
        for name, g in _units(shape)
    ]  # fmt: skip
    frame = pd.DataFrame(
        rows, columns=["unit", "group", "first_treated", "periods_treated", "weight"]
    ).assign(units=1)
    if shape.names_shown:
        return frame
    merged = frame.groupby(["group", "first_treated", "periods_treated"], sort=False)
    cohorts = merged.agg(weight=("weight", "sum"), units=("units", "sum")).reset_index()
    return cohorts.assign(unit=cohorts["group"])[list(frame.columns)]


def _totals(shape: Shape, labels: list[str]) -> pd.DataFrame:
    columns = ["name", "units", "group", "periods_treated", "effect", "low", "high"]
    if shape.verdict == "not estimable":
        return pd.DataFrame(columns=columns)
    rows = []
    by = shape.people / 1000 if shape.scale == "rate" else 1.0
    for g, n in zip(shape.starts, shape.sizes, strict=True):
        effect = float(_true(shape, np.arange(shape.periods - g)).sum()) * n * by
        half = 1.96 * shape.error / 2 * n * by * np.sqrt(shape.periods - g)
        rows.append((f"from {labels[g]}", n, labels[g], shape.periods - g, effect, half))
    effect, half = sum(row[4] for row in rows), np.sqrt(sum(row[5] ** 2 for row in rows))
    rows.append(("all", sum(shape.sizes), "all", _cells(shape), effect, half))
    frame = pd.DataFrame(
        [(*row[:5], row[4] - row[5], row[4] + row[5]) for row in rows], columns=columns
    )
    if shape.unit_value_usd is None:
        return frame
    return frame.assign(value_usd=shape.unit_value_usd * frame["effect"])
