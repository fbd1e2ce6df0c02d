"""Synthetic-control results of many shapes for the views' tests; no estimator involved.

The numbers are stand-ins: the views must be right for any `SynthResult`, also for ones that the
estimators rarely return.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
import pandas as pd

from trustlib.core import Check, Estimate
from trustlib.interventions.synth.result import SynthDesign, SynthResult
from trustlib.interventions.synth.spec import SynthSpec
from trustlib.interventions.synth.words import LED_NAMES, PRESET_NAMES, assumption, interval_name

NAN = float("nan")
NO_INTERVAL = "not estimable: 2 placebos, and an interval needs 3 at least"
NO_NUMBER = "not estimable: 4 periods before the start, and a line needs 8"
NO_SHARE = "not estimable: a share needs an outcome that counts from zero"


@dataclass(frozen=True, kw_only=True)
class Shape:
    """What to make up; `starts` are indices of first treated periods, `sizes` units of each."""

    periods: int = 31
    first: date | int = 1970
    starts: tuple[int, ...] = (19,)
    sizes: tuple[int, ...] = (1,)
    donors: int = 38
    left_out: tuple[str, ...] = ()
    treated: str = "California"
    donor: str = "State"
    effect: float = -20.0  # the average
    error: float = 6.0
    rank: int = 1
    level: float = 120.0
    size: float = 1.0  # of the total per unit of the gap
    preset: str = "synthetic_control"
    kind: str = "rank"
    inference: str = "placebo"
    outcome_name: str = "packs per head and year"
    unit_label: str = "packs per head"
    unit_value_usd: float | None = None
    scale: str = "level"
    verdict: str = "effect shown"
    predictors: tuple[str, ...] = ()
    names_shown: bool = True
    share: bool = True
    failed: str = ""


SHAPES: dict[str, Shape] = {
    "one_market": Shape(predictors=("ln(income)", "beer", "packs in 1988"),
                        preset="synthetic_control_predictors"),
    "money": Shape(
        periods=78, first=date(2025, 1, 6), starts=(52,), donors=24, treated="mint",
        donor="market", left_out=("affected", "treated", "treated"), effect=-1.9, error=0.3,
        level=9.0, size=820.0, preset="synthetic_did", kind="placebo",
        outcome_name="reports per 1,000 active accounts", unit_label="reports",
        unit_value_usd=4.2, scale="rate",
    ),
    "staggered": Shape(
        periods=40, first=date(2025, 1, 6), starts=(24, 30), sizes=(7, 5), donors=30,
        treated="market", donor="market", effect=2.5, error=0.4, level=20.0,
        preset="synthetic_did", kind="jackknife", inference="jackknife",
        outcome_name="reports per 1,000", unit_label="reports", size=12.0,
    ),
    "alone": Shape(
        donors=0, preset="interrupted_time_series", kind="regression", inference="regression",
        verdict="a change, cause not shown", effect=-12.0, error=3.0,
    ),
    "nothing": Shape(
        donors=0, preset="interrupted_time_series", kind="none", inference="regression",
        verdict="not estimable", effect=NAN, periods=9, starts=(4,), unit_value_usd=2.0,
    ),
    "few_donors": Shape(
        donors=2, kind="none", verdict="not estimable", effect=-14.0, failed="enough_donors",
        left_out=("missing cells",), unit_value_usd=2.0,
    ),
    "nine": Shape(donors=9, kind="placebo", verdict="not conclusive", failed="enough_donors"),
    "doubt": Shape(rank=9, verdict="not conclusive"),
    "none": Shape(effect=1.0, rank=20, verdict="no effect shown"),
    "zero": Shape(effect=0.0, rank=39, verdict="no effect shown"),
    "more": Shape(effect=22.0),
    "hidden": Shape(names_shown=False, treated="treated 1", donor="donor"),
    "no_share": Shape(share=False),
    "log": Shape(scale="log", effect=-0.2, error=0.05, level=4.8, size=100.0,
                 outcome_name="log_packs"),
    "augmented": Shape(preset="augmented"),
    "did": Shape(preset="did", kind="placebo"),
    "hostile": Shape(
        treated='"><img src=x onerror=alert(2)>', donor="<script>alert(1)</script>", donors=5,
        outcome_name="<b>_$_$</b>", unit_label="<i>x</i> $y^2$", left_out=("affected",),
        predictors=("<script>",), preset="synthetic_control_predictors",
    ),
}  # fmt: skip


def result(name: str, **changes) -> SynthResult:
    """The `SynthResult` of one shape, with `changes` to the shape."""
    shape = replace(SHAPES[name], **changes)
    labels = _labels(shape)
    att = _numbers(shape)
    return SynthResult(
        spec=SynthSpec(
            treated_units=("never printed",), treatment_start=labels[shape.starts[0]],
            outcome_name=shape.outcome_name, unit_label=shape.unit_label,
            unit_value_usd=shape.unit_value_usd,
            weight="people" if shape.scale == "rate" else None,
        ),
        design=_design(shape, labels),
        estimates=_estimates(shape, att),
        checks=_checks(shape),
        verdict=shape.verdict,
        path=_path(shape, labels, att),
        gap=_gap(shape, labels, att),
        weights=_weights_frame(shape, labels),
        time_weights=_time_weights(shape, labels),
        pool=_pool(shape, labels),
        predictors=_predictors(shape),
        placebos=_placebos(shape),
        placebo_paths=_paths(shape, labels),
        leave_one_out=_leave_one_out(shape, att),
        in_time=_in_time(shape, labels),
        comparison=_comparison(shape, att),
        totals=_totals(shape, labels, att),
        regression=_regression(shape),
    )  # fmt: skip


@dataclass(frozen=True)
class _Att:
    point: float
    half: float


def alone(shape: Shape) -> bool:
    return shape.preset == "interrupted_time_series"


def _numbers(shape: Shape) -> _Att:
    return _Att(shape.effect, NAN if shape.kind == "none" else 2.0 * shape.error)


def _labels(shape: Shape) -> list[str]:
    if isinstance(shape.first, int):
        return [str(shape.first + i) for i in range(shape.periods)]
    return [(shape.first + timedelta(weeks=i)).isoformat() for i in range(shape.periods)]


def donor_names(shape: Shape) -> list[str]:
    return [f"{shape.donor} {i + 1}" for i in range(shape.donors)]


def treated_names(shape: Shape) -> list[str]:
    n = sum(shape.sizes)
    return [shape.treated] if n == 1 else [f"{shape.treated} T{i + 1}" for i in range(n)]


def weights(shape: Shape) -> np.ndarray:
    """(n_donors,) what the synthetic is made of, heaviest first."""
    if not shape.donors:
        return np.empty(0)
    if shape.preset == "did":
        return np.full(shape.donors, 1 / shape.donors)
    base = np.zeros(shape.donors)
    used = min(6, shape.donors)
    base[:used] = 0.5 ** np.arange(1, used + 1)
    base /= base.sum()
    if shape.preset == "augmented":
        base[-2:] = -0.05
        base[0] += 0.1
    return base


def _method(shape: Shape) -> str:
    return f"{LED_NAMES[shape.preset]}; {interval_name(shape.kind, shape.donors)}"


def _design(shape: Shape, labels: list[str]) -> SynthDesign:
    return SynthDesign(
        treated=sum(shape.sizes), donors=shape.donors, left_out=len(shape.left_out),
        periods=shape.periods, pre=shape.starts[0], post=shape.periods - shape.starts[0],
        starts=tuple(labels[at] for at in shape.starts), last_before=labels[shape.starts[0] - 1],
        period_names=(labels[0], labels[-1]), preset=shape.preset,
        chosen_because="it was asked for", inference=shape.inference,
        assumption=assumption(shape.kind),
        outcome_scale=shape.scale, predictors=shape.predictors, names_shown=shape.names_shown,
    )  # fmt: skip


def _estimate(shape: Shape, point, half, *, unit: str, note: str | None = None) -> Estimate:
    if point is not None and point != point:
        point, note = None, NO_NUMBER
    spread = point is not None and half == half
    return Estimate(
        point=point, low=point - half if spread else None, high=point + half if spread else None,
        level=0.95, unit=unit, method=_method(shape), n=12,
        note=None if spread else note or NO_INTERVAL,
    )  # fmt: skip


def cells(shape: Shape) -> int:
    return sum(
        size * (shape.periods - at) for at, size in zip(shape.starts, shape.sizes, strict=True)
    )


def _estimates(shape: Shape, att: _Att) -> dict[str, Estimate]:
    unit = shape.outcome_name
    scale = cells(shape) * shape.size
    p = shape.rank / (shape.donors + 1)
    made = {
        "att": _estimate(shape, att.point, att.half, unit=unit),
        "gap_final": _estimate(shape, att.point * 1.3, att.half * 1.5, unit=unit),
        "placebo_p_value": Estimate(
            point=None if alone(shape) else p, low=None, high=None, level=0.95,
            unit="probability", method="ranks of the placebos", n=shape.donors,
            note="not estimable: there are no donors" if alone(shape)
            else "a p-value has no interval",
        ),
        "total_effect": _estimate(shape, att.point * scale, att.half * scale,
                                  unit=shape.unit_label),
        "relative_effect": _share(shape, att),
    }  # fmt: skip
    if shape.unit_value_usd is not None:
        worth = scale * shape.unit_value_usd
        made["total_value_usd"] = _estimate(shape, att.point * worth, att.half * worth, unit="USD")
    made["smallest_detectable_effect"] = Estimate(
        point=None if shape.kind == "none" else 1.4 * att.half, low=None, high=None, level=0.95,
        unit=unit, method="power", n=12, note="a property of the design: it has no interval",
    )  # fmt: skip
    made["pre_period_rmspe"] = Estimate(
        point=None if att.point != att.point else abs(shape.error) / 3, low=None, high=None,
        level=0.95, unit=unit, method="root mean squared gap before the start", n=19,
        note="a description of the fit: it has no interval",
    )  # fmt: skip
    return made


def _share(shape: Shape, att: _Att) -> Estimate:
    if not shape.share:
        return _estimate(shape, None, NAN, unit="share", note=NO_SHARE)
    return _estimate(shape, att.point / shape.level, att.half / shape.level, unit="share")


def _checks(shape: Shape) -> tuple[Check, ...]:
    if alone(shape):
        return (
            Check(name="no_comparison", verdict="warn", label="no comparison",
                  text="What is found is a change at the time, not a cause."),
            Check(name="straight_before", verdict="pass", label="straight before", text="p = .4."),
            Check(name="placebo_breaks", verdict="pass", label="no such change before",
                  text="None of 8 earlier breaks is as large."),
        )  # fmt: skip
    made = [
        Check(name="pre_fit", verdict="pass", label="matched before the start", text="2.0 off."),
        Check(name="placebo_rank", verdict="pass", label="unusual among placebos", text="First."),
        Check(name="in_time_placebo", verdict="pass", label="no effect before the start",
              text="All near zero."),
        Check(name="leave_one_donor_out", verdict="pass", label="no single donor decides",
              text="Little moves."),
        Check(name="estimators_agree", verdict="pass", label="estimators agree", text="Alike."),
        Check(name="donors_affected", verdict="warn", label="a donor moved at the start",
              text="One of them jumped."),
        Check(name="enough_donors", verdict="pass", label="enough donors", text="p can be small."),
    ]  # fmt: skip
    return tuple(
        replace(one, verdict="fail", label="too few donors") if one.name == shape.failed else one
        for one in made
    )


def _gaps(shape: Shape, att: _Att) -> np.ndarray:
    at = shape.starts[0]
    after = np.arange(shape.periods) >= at
    growth = np.linspace(0.6, 1.4, shape.periods - at)
    wobble = np.random.default_rng(1).normal(0, abs(shape.error) / 3, shape.periods)
    gap = np.where(after, 0.0, wobble)
    gap[at:] = att.point * growth / growth.mean()
    return gap


def _path(shape: Shape, labels: list[str], att: _Att) -> pd.DataFrame:
    gap = _gaps(shape, att)
    after = np.arange(shape.periods) >= shape.starts[0]
    synthetic = shape.level + np.linspace(0, -0.1 * shape.level, shape.periods)
    if att.point != att.point:
        synthetic, gap = synthetic * NAN, gap * NAN
    half = np.where(after, att.half, NAN)
    frame = pd.DataFrame(
        {
            "time": labels, "group": "all", "actual": synthetic + gap, "synthetic": synthetic,
            "low": synthetic - half, "high": synthetic + half, "after": after,
        }
    )  # fmt: skip
    groups = [frame.assign(group=labels[at], low=NAN, high=NAN) for at in shape.starts]
    return pd.concat([frame, *groups], ignore_index=True) if len(groups) > 1 else frame


def _gap(shape: Shape, labels: list[str], att: _Att) -> pd.DataFrame:
    gap = _gaps(shape, att) + 0 * att.point
    after = np.arange(shape.periods) >= shape.starts[0]
    half = np.where(after, att.half, NAN)
    running = np.where(after, np.cumsum(np.where(after, gap, 0)) * shape.size, NAN)
    reach = half * np.maximum(np.arange(shape.periods) - shape.starts[0] + 1, 0) * shape.size
    inside = half * (NAN if alone(shape) else 1.1)
    frame = pd.DataFrame(
        {
            "time": labels, "group": "all", "point": gap, "low": gap - half, "high": gap + half,
            "conformal_low": gap - inside, "conformal_high": gap + inside, "conformal_p": inside,
            "cumulative": running, "cumulative_low": running - reach,
            "cumulative_high": running + reach, "after": after,
        }
    )  # fmt: skip
    if len(shape.starts) == 1:
        return frame
    blank = ["low", "high", *(name for name in frame if name.startswith(("con", "cum")))]
    own = [frame.assign(group=labels[at], **dict.fromkeys(blank, NAN)) for at in shape.starts]
    return pd.concat([frame, *own], ignore_index=True)


def _weights_frame(shape: Shape, labels: list[str]) -> pd.DataFrame:
    groups = ["all"] if len(shape.starts) == 1 else [labels[at] for at in shape.starts]
    parts = [
        pd.DataFrame({"unit": donor_names(shape), "group": group, "weight": weights(shape)})
        for group in groups
    ]
    return pd.concat(parts, ignore_index=True)


def _time_weights(shape: Shape, labels: list[str]) -> pd.DataFrame:
    n = 4 if shape.preset in ("synthetic_did", "did") else 0
    times = labels[shape.starts[0] - n : shape.starts[0]]
    return pd.DataFrame({"time": times, "group": "all", "weight": [0.25] * n})


def _pool(shape: Shape, labels: list[str]) -> pd.DataFrame:
    first = [labels[at] for at, n in zip(shape.starts, shape.sizes, strict=True) for _ in range(n)]
    dated = zip(treated_names(shape), first, strict=True)
    heavy = zip(donor_names(shape), weights(shape), strict=True)
    rows = [(name, "treated", "", at, NAN) for name, at in dated]
    rows += [(name, "donor", "", "", weight) for name, weight in heavy]
    rows += [
        (f"left out {i + 1}", "left out", why, "", NAN) for i, why in enumerate(shape.left_out)
    ]
    return pd.DataFrame(rows, columns=["unit", "role", "reason", "first_treated", "weight"])


def _predictors(shape: Shape) -> pd.DataFrame:
    n = len(shape.predictors)
    return pd.DataFrame(
        {
            "predictor": pd.Series(shape.predictors, dtype=str),
            "treated": np.linspace(10, 90, n), "synthetic": np.linspace(10, 90, n) + 0.5,
            "donors": np.linspace(20, 60, n), "importance": np.full(n, 1 / max(n, 1)),
        }
    )  # fmt: skip


def _placebos(shape: Shape) -> pd.DataFrame:
    columns = ["unit", "treated", "att", "pre_rmspe", "post_rmspe", "ratio", "rank"]
    if alone(shape):
        return pd.DataFrame(columns=columns).astype({"treated": bool})
    ratio = 10.0 / np.arange(1, shape.donors + 2)
    one = sum(shape.sizes) == 1
    names = donor_names(shape) if one else [f"draw {i + 1}" for i in range(shape.donors)]
    names.insert(shape.rank - 1, treated_names(shape)[0] if one else "treated")
    frame = pd.DataFrame(
        {
            "unit": names, "treated": [i == shape.rank - 1 for i in range(shape.donors + 1)],
            "att": ratio * shape.error / 3, "pre_rmspe": 1.5, "post_rmspe": 1.5 * ratio,
            "ratio": ratio, "rank": np.arange(1, shape.donors + 2),
        }
    )  # fmt: skip
    return frame


def _paths(shape: Shape, labels: list[str]) -> pd.DataFrame:
    if sum(shape.sizes) > 1 or not shape.donors:
        return pd.DataFrame({"unit": [], "time": [], "gap": []})
    rng = np.random.default_rng(3)
    parts = [
        pd.DataFrame({"unit": name, "time": labels, "gap": rng.normal(0, shape.error, len(labels))})
        for name in donor_names(shape)
    ]
    return pd.concat(parts, ignore_index=True)


def _leave_one_out(shape: Shape, att: _Att) -> pd.DataFrame:
    used = np.flatnonzero(np.abs(weights(shape)) > 0.001) if shape.donors > 1 else np.empty(0, int)
    point = att.point * (1 + 0.1 * np.cos(np.arange(len(used))))
    return pd.DataFrame(
        {
            "left_out": [donor_names(shape)[i] for i in used], "weight": weights(shape)[used],
            "point": point, "low": point - att.half, "high": point + att.half,
        }
    )  # fmt: skip


def _in_time(shape: Shape, labels: list[str]) -> pd.DataFrame:
    n = shape.starts[0]
    starts = [] if alone(shape) else [n // 2, 2 * n // 3, 3 * n // 4]
    point = 0.1 * shape.error * np.arange(1, len(starts) + 1)
    half = NAN if shape.kind == "none" else 2 * shape.error
    return pd.DataFrame(
        {
            "start": [labels[at] for at in starts], "pre": starts,
            "post": [n - at for at in starts], "point": point,
            "standard_error": shape.error, "low": point - half, "high": point + half,
            "p_value": 0.4,
        }
    )  # fmt: skip


def _comparison(shape: Shape, att: _Att) -> pd.DataFrame:
    names = [shape.preset]
    if not alone(shape):
        names += [preset for preset in PRESET_NAMES if preset != shape.preset]
    point = att.point * (1 - 0.1 * np.arange(len(names)))
    return pd.DataFrame(
        {
            "estimator": names, "description": [LED_NAMES[name] for name in names],
            "point": point, "standard_error": shape.error, "low": point - att.half,
            "high": point + att.half, "headline": [i == 0 for i in range(len(names))],
            "interval": [interval_name(shape.kind, shape.donors) for _ in names],
        }
    )  # fmt: skip


def _totals(shape: Shape, labels: list[str], att: _Att) -> pd.DataFrame:
    at = shape.starts[0]
    effect = _gaps(shape, att)[at:] * shape.size * sum(shape.sizes)
    scale = cells(shape) * shape.size
    point = np.append(effect, att.point * scale)
    half = np.append(np.full(len(effect), att.half * shape.size), att.half * scale)
    frame = pd.DataFrame({"time": [*labels[at:], "all"], "effect": point, "low": point - half,
                          "high": point + half})  # fmt: skip
    if shape.unit_value_usd is not None:
        frame["value_usd"] = frame["effect"] * shape.unit_value_usd
    return frame


def _regression(shape: Shape) -> pd.DataFrame:
    columns = ["term", "point", "standard_error", "low", "high"]
    if not alone(shape) or shape.kind == "none":
        return pd.DataFrame(columns=columns)
    return pd.DataFrame([("change of level", -8.0, 2.0, -12.0, -4.0),
                         ("change of trend", -0.5, 0.2, -0.9, -0.1)], columns=columns)  # fmt: skip
