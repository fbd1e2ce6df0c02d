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

HOSTILE = (
    "_$_$ \\frac{a}{b} $x^2$",
    "<script>alert(1)</script>",
    "x" * 3_000,
    "tab\tnul\x00bell\x07 line\nbreak\u202eright\u2066",
    "日本語の市場 🦀",
    '"><img src=x onerror=alert(2)>',
    "",
)


@dataclass(frozen=True, kw_only=True)
class Shape:
    """What to make up; `starts` are indices of first treated periods, `sizes` units of each."""

    periods: int = 40
    first: date | int | str = date(2025, 9, 1)  # text: a format of the period's number
    starts: tuple[int, ...] = (26,)
    sizes: tuple[int, ...] = (1,)
    donors: int = 24
    left_out: tuple[str, ...] = ("affected", "affected", "missing cells")
    effect: float = -0.9  # at the start
    growth: float = -0.06  # each period more
    error: float = 0.28  # of one period's gap
    level: float = 9.0
    outcome_name: str = "harassment reports per 1,000 active accounts"
    unit_label: str = "harassment reports"
    unit_value_usd: float | None = None
    scale: str = "rate"
    preset: str = "synthetic_did"
    verdict: str = "effect shown"
    names: tuple[str, ...] | None = None  # of donors
    names_shown: bool = True
    placebos: bool = True
    intervals: bool = True
    badly: int = 3  # placebos that are matched badly
    predictors: tuple[str, ...] = ()
    used: int = 7  # donors with weight

    @property
    def alone(self) -> bool:
        return self.preset == "interrupted_time_series"

    @property
    def treated(self) -> int:
        return sum(self.sizes)


SHAPES: dict[str, Shape] = {
    "one_market": Shape(),
    "money": Shape(unit_value_usd=12.0),
    "predictors": Shape(
        preset="synthetic_control_predictors", periods=31, first=1970, starts=(19,), donors=38,
        level=120.0, effect=-8.0, growth=-1.6, error=2.0, scale="level", used=5, left_out=(),
        outcome_name="cigarette sales per capita, packs", unit_label="packs per capita",
        predictors=("income, log", "beer", "price", "aged 15-24", "sales 1975", "sales 1980"),
    ),
    "staggered": Shape(
        starts=(14, 20, 28), sizes=(2, 3, 1), donors=30, left_out=("treated", "missing cells"),
    ),
    "alone": Shape(
        preset="interrupted_time_series", donors=0, left_out=("affected",) * 4, placebos=False,
        verdict="a change, cause not shown",
    ),
    "few_donors": Shape(
        donors=2, sizes=(2,), starts=(12,), periods=18, placebos=False, intervals=False,
        verdict="not estimable", left_out=(), used=2,
    ),
    "hidden": Shape(names_shown=False),
    "short": Shape(periods=10, starts=(8,), donors=6, badly=0, used=3, left_out=()),
    "none": Shape(effect=0.02, growth=0.0, verdict="no effect shown"),
    "more": Shape(effect=1.4, growth=0.05),
    "quarters": Shape(first="{}Q{}", periods=60, starts=(52,), preset="augmented"),
    "weeks": Shape(first="{}-W{:02d}"),
    "long": Shape(periods=1_000, starts=(700,), growth=-0.001, donors=40),
    "wide": Shape(donors=2_000, names_shown=False, used=180, badly=160,
                  left_out=("affected",) * 3 + ("missing cells",) * 240),
    "hostile": Shape(
        outcome_name=HOSTILE[0], unit_label="<b>_$_$</b>", donors=12, names=HOSTILE,
        predictors=(HOSTILE[1], HOSTILE[2]), preset="synthetic_control_predictors",
    ),
}  # fmt: skip


def one_market(**changes) -> SynthResult:
    """One treated market, 24 donors, weeks; synthetic difference-in-differences."""
    return result("one_market", **changes)


def staggered(**changes) -> SynthResult:
    """Six treated markets from three dates on, 30 donors."""
    return result("staggered", **changes)


def alone(**changes) -> SynthResult:
    """No donor: an interrupted time series."""
    return result("alone", **changes)


def few_donors(**changes) -> SynthResult:
    """Two treated markets, two donors: no placebo and no interval."""
    return result("few_donors", **changes)


def result(name: str, **changes) -> SynthResult:
    """The `SynthResult` of one shape, with `changes` to the shape."""
    shape = replace(SHAPES[name], **changes)
    labels = _labels(shape)
    gap = _gap(shape, labels)
    treated, donors = _names(shape)
    weights = _weights(shape)
    placebos, paths = _placebos(shape, labels, donors, gap)
    estimates = _estimates(shape, placebos)
    return SynthResult(
        spec=SynthSpec(
            treated_units=tuple(treated), treatment_start=labels[shape.starts[0]],
            outcome_name=shape.outcome_name, unit_label=shape.unit_label,
            unit_value_usd=shape.unit_value_usd,
            weight="weight" if shape.scale == "rate" else None,
        ),
        design=_design(shape, labels),
        estimates=estimates,
        checks=_checks(shape),
        verdict=shape.verdict,
        path=_path(shape, labels, gap),
        gap=gap,
        weights=_weight_rows(shape, labels, donors, weights),
        time_weights=_time_weights(shape, labels),
        pool=_pool(shape, labels, treated, donors, weights),
        predictors=_predictors(shape),
        placebos=placebos,
        placebo_paths=paths,
        leave_one_out=_leave_one_out(shape, donors, weights, estimates["att"]),
        in_time=_in_time(shape, labels),
        comparison=_comparison(shape, estimates["att"]),
        totals=_totals(shape, labels, gap),
        regression=_regression(shape),
    )  # fmt: skip


def _labels(shape: Shape) -> list[str]:
    first, periods = shape.first, range(shape.periods)
    if isinstance(first, int):
        return [str(first + i) for i in periods]
    if isinstance(first, str):
        per = 4 if "Q" in first else 52
        return [first.format(2019 + i // per, i % per + 1) for i in periods]
    return [(first + timedelta(weeks=i)).isoformat() for i in periods]


def _names(shape: Shape) -> tuple[list[str], list[str]]:
    if not shape.names_shown:
        return (
            [f"treated {i + 1}" for i in range(shape.treated)],
            [f"donor {i + 1}" for i in range(shape.donors)],
        )
    treated = [f"market {i + 1:02d}" for i in range(shape.treated)]
    donors = [f"market {i + 1 + shape.treated:02d}" for i in range(shape.donors)]
    own = list(shape.names or ())[: shape.donors]
    return treated, [*own, *donors[len(own) :]]


def _draws(seed: int, *size: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 1, size)


def _true(shape: Shape, since: np.ndarray) -> np.ndarray:
    return np.where(since < 0, 0.0, shape.effect + shape.growth * np.maximum(since, 0))


def _cohort_gaps(shape: Shape) -> np.ndarray:
    t = np.arange(shape.periods)
    size = np.sqrt(shape.sizes)[:, None]
    own = np.stack([_true(shape, t - start) for start in shape.starts])
    return own + 0.5 * shape.error * _draws(2, *own.shape) / size


def _people(shape: Shape) -> float:
    return 40.0 * shape.treated if shape.scale == "rate" else float(shape.treated)


def _gap(shape: Shape, labels: list[str]) -> pd.DataFrame:
    t, first = np.arange(shape.periods), min(shape.starts)
    after, each = t >= first, _cohort_gaps(shape)
    counted = np.array(shape.sizes)[:, None] * (
        (t >= np.array(shape.starts)[:, None]) | (t < first)
    )
    point = (counted * each).sum(axis=0) / counted.sum(axis=0)
    spread = 1.0 if shape.intervals else np.nan
    half = np.where(after, 1.96 * shape.error * (1 + 0.02 * np.maximum(t - first, 0)), np.nan)
    half = half * spread
    running = np.where(after, np.cumsum(np.where(after, point, 0)) * _people(shape), np.nan)
    far = half * np.sqrt(np.maximum(t - first + 1, 1)) * 1.3 * _people(shape)
    frame = pd.DataFrame(
        {"time": labels, "group": "all", "point": point, "low": point - half,
         "high": point + half, "conformal_low": point - 1.1 * half,
         "conformal_high": point + 1.1 * half,
         "conformal_p": np.where(after & shape.intervals, 1 / (first + 1), np.nan),
         "cumulative": running, "cumulative_low": running - far, "cumulative_high": running + far,
         "after": after}
    )  # fmt: skip
    if shape.alone:
        frame[["conformal_low", "conformal_high", "conformal_p"]] = np.nan
    if len(shape.starts) == 1:
        return frame
    own = [
        pd.DataFrame({"time": labels, "group": labels[start], "point": path, "after": t >= start})
        for start, path in zip(shape.starts, each, strict=True)
    ]
    return pd.concat([frame, *own], ignore_index=True)[list(frame.columns)]


def _path(shape: Shape, labels: list[str], gap: pd.DataFrame) -> pd.DataFrame:
    t = np.arange(shape.periods)
    without = shape.level * (1 + 0.05 * np.sin(t / 4) + 0.1 * t / shape.periods)
    parts = []
    for group, part in gap.groupby("group", sort=False):
        by = 1.0 if group == "all" else 1 + 0.08 * len(parts)
        point = part["point"].to_numpy()
        half = (part["high"] - part["point"]).to_numpy()
        parts.append(
            pd.DataFrame(
                {"time": labels, "group": group, "actual": by * without + point,
                 "synthetic": by * without, "low": by * without - half,
                 "high": by * without + half, "after": part["after"].to_numpy()}
            )
        )  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def _weights(shape: Shape) -> np.ndarray:
    """(donors,) descending, `used` of them positive."""
    raw = 0.72 ** np.arange(shape.donors) if shape.donors else np.zeros(0)
    if shape.preset == "synthetic_did":
        raw = 1 / (1.5 + np.arange(shape.donors))
    raw = np.where(np.arange(shape.donors) < shape.used, raw, 0.0)
    weights = raw / raw.sum() if len(raw) else raw
    if shape.preset == "augmented":
        weights = weights + np.where(np.arange(shape.donors) % 5 == 4, -0.03, 0.0)
        weights = weights / weights.sum()
    return np.asarray(weights)


def _weight_rows(
    shape: Shape, labels: list[str], donors: list[str], weights: np.ndarray
) -> pd.DataFrame:
    groups = ["all"] if len(shape.starts) == 1 else [labels[start] for start in shape.starts]
    parts = [
        pd.DataFrame(
            {"unit": donors, "group": group, "weight": np.roll(weights, i)}
        ).sort_values("weight", ascending=False, kind="stable")
        for i, group in enumerate(groups)
    ]  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def _time_weights(shape: Shape, labels: list[str]) -> pd.DataFrame:
    if shape.preset not in ("synthetic_did", "did"):
        return pd.DataFrame({"time": [], "group": [], "weight": []}).astype({"weight": float})
    parts = []
    for start in shape.starts:
        raw = np.where(np.arange(start) >= start - 6, 1.0 + np.arange(start) - start + 6, 0.0)
        group = "all" if len(shape.starts) == 1 else labels[start]
        parts.append(
            pd.DataFrame({"time": labels[:start], "group": group, "weight": raw / raw.sum()})
        )
    return pd.concat(parts, ignore_index=True)


def _pool(
    shape: Shape, labels: list[str], treated: list[str], donors: list[str], weights: np.ndarray
) -> pd.DataFrame:
    starts = [labels[s] for s, n in zip(shape.starts, shape.sizes, strict=True) for _ in range(n)]
    out = [
        f"left out {i + 1}" if not shape.names_shown else f"border market {i + 1}"
        for i in range(len(shape.left_out))
    ]
    return pd.DataFrame(
        {
            "unit": [*treated, *donors, *out],
            "role": ["treated"] * len(treated) + ["donor"] * len(donors) + ["left out"] * len(out),
            "reason": [""] * (len(treated) + len(donors)) + list(shape.left_out),
            "first_treated": [*starts, *[""] * (len(donors) + len(out))],
            "weight": [*[np.nan] * len(treated), *weights, *[np.nan] * len(out)],
        }
    )


def _predictors(shape: Shape) -> pd.DataFrame:
    n = len(shape.predictors)
    size = 10.0 ** (np.arange(n) - 1)
    return pd.DataFrame(
        {
            "predictor": pd.Series(shape.predictors, dtype=str),
            "treated": size * 2.0,
            "synthetic": size * (2.0 + 0.02 * _draws(5, n)),
            "donors": size * (2.0 + 0.4 * _draws(6, n)),
            "importance": 0.6 ** np.arange(n) / max((0.6 ** np.arange(n)).sum(), 1e-12),
        }
    )


def _placebos(
    shape: Shape, labels: list[str], donors: list[str], gap: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    columns = ["unit", "treated", "att", "pre_rmspe", "post_rmspe", "ratio", "rank"]
    if not shape.placebos:
        return pd.DataFrame(columns=columns), pd.DataFrame(columns=["unit", "time", "gap"])
    several = shape.treated > 1
    n = 500 if several else shape.donors
    names = [f"draw {i + 1}" for i in range(n)] if several else donors
    first = min(shape.starts)
    wide = np.where(np.arange(n) < shape.badly, 5.0, 1.0)[:, None]
    paths = (
        wide
        * shape.error
        * (
            0.6 * _draws(3, n, shape.periods)
            + 0.12 * np.cumsum(_draws(4, n, shape.periods), axis=1)
        )
    )
    paths -= paths[:, :first].mean(axis=1)[:, None]
    own = gap[gap["group"] == "all"]["point"].to_numpy()
    every = np.vstack([own, paths])
    pre = np.sqrt((every[:, :first] ** 2).mean(axis=1))
    post = np.sqrt((every[:, first:] ** 2).mean(axis=1))
    ratio = post / pre
    frame = pd.DataFrame(
        {"unit": ["treated" if several else "market 01", *names],
         "treated": [True] + [False] * n, "att": every[:, first:].mean(axis=1),
         "pre_rmspe": pre, "post_rmspe": post, "ratio": ratio,
         "rank": np.argsort(np.argsort(-ratio, kind="stable"), kind="stable") + 1}
    )  # fmt: skip
    if not shape.names_shown:
        frame.loc[0, "unit"] = "treated 1"
    shown = pd.DataFrame(
        {"unit": np.repeat(names, shape.periods), "time": labels * n, "gap": paths.ravel()}
    )
    return frame, shown.iloc[:0] if several else shown


def _att(shape: Shape) -> float:
    t, each = np.arange(shape.periods), _cohort_gaps(shape)
    cells = np.array(shape.sizes)[:, None] * (t >= np.array(shape.starts)[:, None])
    return float((cells * each).sum() / cells.sum())


def _estimates(shape: Shape, placebos: pd.DataFrame) -> dict[str, Estimate]:
    error = shape.error * 0.8
    cells = sum(n * (shape.periods - g) for g, n in zip(shape.starts, shape.sizes, strict=True))
    why = "not estimable: 2 donors cannot stand in for 2 treated and leave one to compare"

    def estimate(point: float, error: float, unit: str, method: str) -> Estimate:
        known = shape.intervals
        return Estimate(
            point=point, low=point - 1.96 * error if known else None,
            high=point + 1.96 * error if known else None, level=0.95, unit=unit, method=method,
            n=cells, standard_error=error if known else None, note=None if known else why,
        )  # fmt: skip

    def plain(point: float | None, unit: str, method: str, note: str) -> Estimate:
        return Estimate(point=point, low=None, high=None, level=0.95, unit=unit, method=method,
                        n=cells, note=note)  # fmt: skip

    att, method = _att(shape), f"standard deviation of {shape.donors} placebos in space"
    if shape.alone:
        method = "segmented regression"
    by = cells * (40.0 if shape.scale == "rate" else 1.0)
    last = shape.effect + shape.growth * (shape.periods - 1 - min(shape.starts))
    found = {
        "att": estimate(att, error, shape.outcome_name, method),
        "gap_final": estimate(last, shape.error, shape.outcome_name, method),
    }
    if len(placebos):
        p = float(placebos.loc[placebos["treated"], "rank"].iloc[0]) / len(placebos)
        found["placebo_p_value"] = plain(
            p, "probability", f"rank among {len(placebos)}", "a probability has no interval"
        )
    else:
        found["placebo_p_value"] = plain(None, "probability", "none", "no placebos: " + why)
    found["total_effect"] = estimate(att * by, error * by, shape.unit_label, method)
    found["relative_effect"] = estimate(
        att / (shape.level - att), error / shape.level, "share", method
    )
    if shape.unit_value_usd is not None:
        by *= shape.unit_value_usd
        found["total_value_usd"] = estimate(att * by, error * by, "USD", method)
    found["smallest_detectable_effect"] = plain(
        2.8 * error if shape.intervals else None, shape.outcome_name, "80 % power",
        "a property of the design: it has no interval",
    )  # fmt: skip
    found["pre_period_rmspe"] = plain(
        0.5 * shape.error, shape.outcome_name, "root mean squared gap before the start",
        "a description of the fit: it has no interval",
    )  # fmt: skip
    return found


def _design(shape: Shape, labels: list[str]) -> SynthDesign:
    first = min(shape.starts)
    return SynthDesign(
        treated=shape.treated,
        donors=shape.donors,
        left_out=len(shape.left_out),
        periods=shape.periods,
        pre=first,
        post=shape.periods - first,
        starts=tuple(labels[start] for start in shape.starts),
        last_before=labels[first - 1],
        period_names=(labels[0], labels[-1]),
        preset=shape.preset,  # type: ignore[arg-type]
        chosen_because="no predictors were given, and levels may differ",
        inference="regression" if shape.alone else "placebo",
        assumption="without the intervention, any donor could as well have been the treated one",
        outcome_scale=shape.scale,  # type: ignore[arg-type]
        predictors=shape.predictors,
        names_shown=shape.names_shown,
    )


def _checks(shape: Shape) -> tuple[Check, ...]:
    if shape.alone:
        return (
            Check(name="autocorrelation", verdict="pass", label="errors allow for likeness in time",
                  text="Neighbouring weeks' residuals correlate at .2, which errors allow for."),
        )  # fmt: skip
    return (
        Check(name="pre_fit", verdict="pass", label="matched before the start",
              text="Before the start the synthetic is 0.14 off on average."),
        Check(name="donors_affected", verdict="warn", label="a donor moved at the start",
              text="1 of 24 donors jumps at the start beyond chance."),
        Check(name="placebo_rank", verdict="pass" if shape.placebos else "not_run",
              label="unusual among placebos" if shape.placebos else "no placebos",
              text="Number 1 of 25: p = .04." if shape.placebos else "Not run: too few donors."),
    )  # fmt: skip


def _leave_one_out(
    shape: Shape, donors: list[str], weights: np.ndarray, att: Estimate
) -> pd.DataFrame:
    n = 0 if shape.donors < 2 else int(min(30, (weights > 0.001).sum()))
    assert att.point is not None
    point = att.point * (1 + 0.08 * _draws(7, n))
    half = 1.6 * shape.error if shape.intervals else np.nan
    return pd.DataFrame(
        {"left_out": pd.Series(donors[:n], dtype=str), "weight": weights[:n], "point": point,
         "low": point - half, "high": point + half}
    )  # fmt: skip


def _in_time(shape: Shape, labels: list[str]) -> pd.DataFrame:
    first = min(shape.starts)
    at = [round(first * place) for place in (1 / 2, 2 / 3, 3 / 4)] if first >= 6 else []
    at = [] if shape.alone else at
    point = 0.4 * shape.error * _draws(8, len(at))
    error = shape.error * 0.9 if shape.placebos else np.nan
    return pd.DataFrame(
        {"start": pd.Series([labels[i] for i in at], dtype=str), "pre": at,
         "post": [first - i for i in at], "point": point, "standard_error": error,
         "low": point - 1.96 * error, "high": point + 1.96 * error,
         "p_value": 0.4 if shape.placebos else np.nan}
    )  # fmt: skip


def _comparison(shape: Shape, att: Estimate) -> pd.DataFrame:
    rows = [
        ("synthetic_did", "donors and periods weighted, levels may differ", 1.0, 1.0),
        ("synthetic_control", "donors weighted to match every period", 1.08, 1.2),
        ("synthetic_control_predictors", "donors weighted to match the predictors", 0.97, 1.1),
        ("augmented", "what is left of its misfit taken off by ridge regression", 0.95, 1.3),
        ("did", "all donors and all periods before the start count alike", 1.4, 1.5),
    ]
    if not shape.predictors:
        rows.pop(2)
    if shape.alone:
        rows = [("interrupted_time_series", "its own line before the start, drawn on", 1.0, 1.0)]
    assert att.point is not None
    point = att.point * np.array([row[2] for row in rows])
    error = shape.error * 0.8 * np.array([row[3] for row in rows])
    error = error if shape.intervals else error * np.nan
    return pd.DataFrame(
        {"estimator": [row[0] for row in rows], "description": [row[1] for row in rows],
         "point": point, "standard_error": error, "low": point - 1.96 * error,
         "high": point + 1.96 * error, "headline": [row[0] == shape.preset for row in rows]}
    )  # fmt: skip


def _totals(shape: Shape, labels: list[str], gap: pd.DataFrame) -> pd.DataFrame:
    own = gap[(gap["group"] == "all") & gap["after"].astype(bool)]
    by = _people(shape)
    last = own.iloc[-1]
    frame = pd.DataFrame(
        {"time": [*own["time"], "all"], "effect": [*own["point"] * by, last["cumulative"]],
         "low": [*own["low"] * by, last["cumulative_low"]],
         "high": [*own["high"] * by, last["cumulative_high"]]}
    )  # fmt: skip
    if shape.unit_value_usd is not None:
        frame["value_usd"] = frame["effect"] * shape.unit_value_usd
    return frame


def _regression(shape: Shape) -> pd.DataFrame:
    columns = ["term", "point", "standard_error", "low", "high"]
    if not shape.alone:
        return pd.DataFrame(columns=columns)
    terms = ("level at the start", "trend before", "change of level", "change of trend")
    point = np.array([shape.level, 0.02, shape.effect, shape.growth])
    error = np.array([0.1, 0.004, 0.2, 0.02])
    return pd.DataFrame(
        {"term": terms, "point": point, "standard_error": error, "low": point - 1.96 * error,
         "high": point + 1.96 * error}
    )  # fmt: skip
