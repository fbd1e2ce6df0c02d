"""Results of many shapes for the views' tests: made from a known mean, no estimator involved.

The numbers are stand-ins: the views must be right for any `SizingResult`, also for ones that the
estimator rarely returns.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from trustlib.core import Check, Estimate, Window
from trustlib.incidents import SizingResult, SizingSpec

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(2)>',
    "javascript:alert(3)",
    "_$_$ \\frac{a}{b} $x^2$",
    "**bold** [link](javascript:alert(4))",
    "x" * 10_000,
    "tab\tnul\x00bell\x07 line\nbreak\u202eright\u2066",
    "日本語のセグメント名 🦀",
    "",
)


@dataclass(frozen=True, kw_only=True)
class Shape:
    """What to simulate; `factor` multiplies the mean inside the window."""

    factor: float = 1.0
    mean: float = 20_000.0
    noise: float = 0.08
    weeks: int = 8
    bucket: str = "1h"
    window_buckets: int = 36
    after_buckets: int = 36
    timezone: str = "America/New_York"
    direction: str = "either"
    unit_label: str = "trips"
    unit_cost_usd: float | None = None
    verdict: str = "incident confirmed"
    segments: tuple[str, ...] | None = None
    segment_shares: tuple[float, ...] | None = None
    missing: int = 0
    seed: int = 1


SHAPES: dict[str, Shape] = {
    "decrease": Shape(factor=0.35, direction="decrease"),
    "increase": Shape(factor=2.4, direction="increase", mean=900, unit_label="user reports"),
    "cost": Shape(factor=1.8, unit_label="wrongly removed items", unit_cost_usd=12.5, mean=400),
    "none": Shape(verdict="no incident shown", direction="increase"),
    "not_conclusive": Shape(factor=1.05, verdict="not conclusive"),
    "sparse": Shape(
        factor=4, mean=0.4, noise=0, verdict="not conclusive", unit_label="appeals", timezone="UTC"
    ),
    "short_history": Shape(factor=0.4, weeks=2, verdict="not estimable"),
    "open": Shape(factor=2.2, after_buckets=0, direction="increase", mean=5_000),
    "daily": Shape(factor=1.6, bucket="1d", window_buckets=4, after_buckets=5, mean=3e6),
    "single": Shape(factor=3, window_buckets=1, bucket="30min", after_buckets=8, mean=120),
    "missing": Shape(factor=0.5, missing=5),
    "segments": Shape(
        factor=2.0,
        mean=700,
        unit_label="user reports",
        segments=("Brazil", "Germany", "India", "Japan", "Kenya", "United States"),
        segment_shares=(0.4, 0.2, 0.2, 0.1, 0.0997, 0.0003),
    ),
    "hostile": Shape(factor=2.0, unit_label="<b>_$_$</b>", segments=HOSTILE),
    "long_window": Shape(factor=0.8, window_buckets=24 * 10, after_buckets=24 * 5, weeks=16),
}

_STEP = {"30min": timedelta(minutes=30), "1h": timedelta(hours=1), "1d": timedelta(days=1)}


def result(name: str, **changes) -> SizingResult:
    """The `SizingResult` of one shape, with `changes` to the shape."""
    shape = replace(SHAPES[name], **changes)
    step = _STEP[shape.bucket]
    start = _start(shape)
    window = Window(start, start + shape.window_buckets * step)
    frame = _frame(shape, window, step)
    estimates = _estimates(shape, frame)
    return SizingResult(
        spec=SizingSpec(
            incident=window,
            bucket=shape.bucket,
            timezone=shape.timezone,
            direction=shape.direction,
            unit_label=shape.unit_label,
            unit_cost_usd=shape.unit_cost_usd,
        ),
        estimates=estimates,
        checks=_checks(shape),
        verdict=shape.verdict,
        counterfactual=frame,
        placebos=_placebos(shape, estimates, window),
        sensitivity=_sensitivity(estimates),
        segments=_segments(shape, estimates),
        onset=_onset(shape, window, step),
    )


def counts(name: str):
    """A stand-in for `Counts`: the two fields that the views read."""
    shape = SHAPES[name]
    return SimpleNamespace(
        health=pd.DataFrame(
            {
                "item": ["rows read", "duplicates", "empty buckets"],
                "n": [10_320, 0, 3],
                "note": ["every row of the source", "", "filled with zero <b>not bold</b>"],
            }
        ),
        checks=(
            Check(
                name="data_complete",
                verdict="pass",
                label="no missing hours",
                text="Every bucket of the window is there.",
            ),
        ),
        snapshot=SimpleNamespace(
            source="nyc_taxi.csv",
            kind="csv",
            rows=10_320,
            sha256="6f2a" * 16,
            sql="SELECT 1 < 2 AS yes",
            window_start_at=datetime(2014, 7, 1, tzinfo=UTC),
            window_end_at=datetime(2015, 2, 1, tzinfo=UTC),
            to_json=lambda: {"source": "nyc_taxi.csv", "rows": 10_320},
        ),
        shape=shape,
    )


def _start(shape: Shape) -> datetime:
    zone = ZoneInfo(shape.timezone)
    hour = 0 if shape.bucket == "1d" else 12
    return datetime(2015, 1, 26, hour, tzinfo=zone).astimezone(UTC)


def _frame(shape: Shape, window: Window, step: timedelta) -> pd.DataFrame:
    before = round(timedelta(weeks=shape.weeks) / step)
    size = before + shape.window_buckets + shape.after_buckets
    at = pd.date_range(window.start - before * step, periods=size, freq=step, unit="us")
    rng = np.random.default_rng(shape.seed)
    hour = at.hour.to_numpy()
    season = 1.0 if shape.bucket == "1d" else 1 - 0.7 * np.cos((hour - 9) * 2 * np.pi / 24)
    expected = shape.mean * season * (1 - 0.15 * (at.day_of_week.to_numpy() >= 5))
    in_window = (at >= window.start) & (at < window.end)
    level = expected * np.where(in_window, shape.factor, 1.0)
    actual = rng.poisson(level * np.exp(rng.normal(0, shape.noise, size))).astype(float)
    if shape.missing:
        actual[np.flatnonzero(in_window)[3 : 3 + shape.missing]] = np.nan
    half = 1.96 * np.sqrt(expected + (2 * shape.noise * expected) ** 2)
    known = shape.verdict != "not estimable"
    excess = np.where(
        in_window, np.nan_to_num(actual - np.where(np.isnan(actual), np.nan, expected)), np.nan
    )
    total = np.where(in_window, np.nancumsum(np.nan_to_num(excess)), np.nan)
    scale = np.where(in_window, np.cumsum(np.where(in_window, expected, 0)), np.nan)
    wide = 1.96 * np.sqrt(scale + (1.2 * shape.noise * scale) ** 2)
    nothing = np.full(size, np.nan)
    return pd.DataFrame(
        {
            "bucket_start_at": at,
            "actual": actual,
            "expected": expected,
            "low": np.maximum(expected - half, 0) if known else nothing,
            "high": expected + half if known else nothing,
            "in_window": in_window,
            "excluded": False,
            "fitted": ~in_window & (at < window.start),
            "cumulative_excess": total,
            "cumulative_low": total - wide if known else nothing,
            "cumulative_high": total + wide if known else nothing,
        }
    )


def _estimates(shape: Shape, frame: pd.DataFrame) -> dict[str, Estimate]:
    inside = frame[frame["in_window"] & frame["actual"].notna()]
    actual, expected = float(inside["actual"].sum()), float(inside["expected"].sum())
    last = frame[frame["in_window"]].iloc[-1]
    known = shape.verdict != "not estimable"
    note = None if known else "not estimable: 2 weeks of history, 3 are needed"
    half = float(last["cumulative_high"] - last["cumulative_excess"]) if known else 0.0

    def estimate(point, half, unit, **more) -> Estimate:
        return Estimate(
            point=point,
            low=point - half if known else None,
            high=point + half if known else None,
            level=0.95,
            unit=unit,
            method="leave-one-week-out counterfactual",
            n=len(inside),
            note=note,
            **more,
        )

    excess = actual - expected
    found = {
        "actual": Estimate(
            point=actual, low=actual, high=actual, level=0.95, unit=shape.unit_label,
            method="count", n=len(inside),
        ),
        "expected": estimate(expected, half, shape.unit_label),
        "excess": estimate(excess, half, shape.unit_label),
        "relative_excess": estimate(excess / expected, half / expected, "share"),
        "smallest_detectable_excess": Estimate(
            point=half * 1.43, low=None, high=None, level=0.95, unit=shape.unit_label,
            method="80 % power", n=8, note="a design quantity",
        )
        if known
        else _nothing(shape.unit_label, note),
        "placebo_p_value": Estimate(
            point=1 / 12 if shape.verdict == "incident confirmed" else 0.41, low=None, high=None,
            level=0.95, unit="probability", method="placebo windows", n=11, note="exact",
        )
        if known
        else _nothing("probability", note),
        "same_hours_excess": estimate(excess * 1.02, half * 1.1, shape.unit_label),
        "onset_hours": estimate(0.0, 1.0, "hours"),
    }  # fmt: skip
    if shape.unit_cost_usd is not None:
        found["cost_usd"] = estimate(
            excess * shape.unit_cost_usd, half * shape.unit_cost_usd, "USD"
        )
    return found


def _nothing(unit: str, note: str | None) -> Estimate:
    return Estimate(
        point=None, low=None, high=None, level=0.95, unit=unit, method="none", n=0,
        note=note or "not estimable",
    )  # fmt: skip


def _checks(shape: Shape) -> tuple[Check, ...]:
    if shape.verdict == "not estimable":
        return (
            Check(name="history_length", verdict="fail", label="too little history",
                  text="2 weeks of history; 3 are needed for an interval."),
            Check(name="placebo_windows", verdict="not_run", label="placebo windows",
                  text="Not run: too little history."),
        )  # fmt: skip
    return (
        Check(name="placebo_windows", verdict="pass", label="outside every placebo window",
              text="0 of 11 earlier windows deviate this much."),
        Check(name="two_methods_agree", verdict="pass", label="two methods agree",
              text="The same hours in previous weeks give nearly the same."),
        Check(name="holidays_or_masks", verdict="warn", label="holidays in the history",
              text="A holiday fell in the last comparable week <i>indeed</i>."),
    )  # fmt: skip


def _placebos(shape: Shape, estimates, window: Window) -> pd.DataFrame:
    known = shape.verdict != "not estimable"
    number = 11 if known else 0
    rng = np.random.default_rng(shape.seed + 1)
    spread = (estimates["relative_excess"].high or 0) - (estimates["relative_excess"].point or 0)
    relative = rng.normal(0, max(spread, 0.01) / 2, number)
    expected = estimates["expected"].point
    return pd.DataFrame(
        {
            "window_start_at": pd.DatetimeIndex(
                [window.start - timedelta(days=7) * (i + 1) for i in range(number)],
                dtype="datetime64[us, UTC]",
            ),
            "excess": relative * expected,
            "relative_excess": relative,
            "statistic": relative / max(spread, 0.01),
            "same_phase": np.arange(number) % 2 == 0,
        }
    )


def _sensitivity(estimates) -> pd.DataFrame:
    main, relative = estimates["excess"], estimates["relative_excess"]
    choices = {
        "headline": ("the choice of the headline", 1.0),
        "same hours": ("the same hours of earlier weeks", 1.02),
        "four weeks of history": ("only the last four weeks of history", 0.93),
        "robust to outliers": ("whole-window errors by their median", 1.0),
        "nothing excluded": ("holidays left in the history", 1.08),
    }
    half = (main.high - main.point) if main.high is not None else np.nan
    return pd.DataFrame(
        [
            {
                "choice": choice,
                "description": text,
                "excess": main.point * by,
                "low": main.point * by - half,
                "high": main.point * by + half,
                "relative_excess": relative.point * by,
            }
            for choice, (text, by) in choices.items()
        ]
    )


def _segments(shape: Shape, estimates) -> pd.DataFrame | None:
    if shape.segments is None:
        return None
    number = len(shape.segments)
    shares = np.asarray(shape.segment_shares or np.full(number, 1 / number))
    actual = np.round(estimates["actual"].point * shares)
    expected = estimates["expected"].point * np.roll(shares, 1) * 0.98
    expected[-1] += estimates["expected"].point - expected.sum()
    actual[0] += estimates["actual"].point - actual.sum()
    excess = actual - expected
    half = 0.1 * expected + 3
    moved = np.where(excess - half > 0, "up", np.where(excess + half < 0, "down", "no clear move"))
    return pd.DataFrame(
        {
            "segment": list(shape.segments),
            "actual": actual,
            "expected": expected,
            "excess": excess,
            "low": excess - half,
            "high": excess + half,
            "share_of_excess": excess / excess.sum(),
            "moved": moved,
        }
    ).sort_values("excess", key=lambda column: -column.abs(), ignore_index=True)


def _onset(shape: Shape, window: Window, step: timedelta) -> pd.DataFrame:
    known = shape.verdict == "incident confirmed"
    closed = known and shape.after_buckets > 0
    row = {
        "stated_at": window.start,
        "estimated_at": window.start + step if known else pd.NaT,
        "low_at": window.start - step if known else pd.NaT,
        "high_at": window.start + 2 * step if known else pd.NaT,
        "recovered_at": window.end if closed else pd.NaT,
        "note": "" if known else "not estimable: no clear deviation",
    }
    return pd.DataFrame([row])
