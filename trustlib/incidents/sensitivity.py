"""The same incident under other defensible choices."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd

from trustlib.core import Check, format
from trustlib.incidents.choice import Choice
from trustlib.incidents.contamination import odd_days
from trustlib.incidents.headline import Sized, no_noise, sized
from trustlib.incidents.level import GAINS
from trustlib.incidents.same_hours import SameHours
from trustlib.incidents.spec import SizingSpec
from trustlib.incidents.two_way import two_way
from trustlib.stats.serial import mad
from trustlib.stats.window_error import t_quantile

COLUMNS = ("choice", "description", "excess", "low", "high", "relative_excess")
Row = tuple[str, str, float, float | None, float | None, float]
# The MAD wastes data: its standard deviation is that of a sample this much smaller.
_MAD_EFFICIENCY = 0.37


def sensitivity_table(choice: Choice, *, cross_check: SameHours, level: float) -> pd.DataFrame:
    """One row per choice: choice, description, excess, low, high, relative_excess.

    The headline's first. Every alternative differs from it in one choice alone.
    """
    headline = choice.result
    rows = [_row("headline", _headline_text(choice), headline)]
    for make in (_level, _history, _days, _season, _weights, _control):
        rows += [_row(*other) for other in make(choice, level)]
    if headline.error is not None:
        rows.append(_robust(choice, level))
    low = None if cross_check.high is None else headline.actual - cross_check.high
    high = None if cross_check.low is None else headline.actual - cross_check.low
    if len(cross_check.totals):
        text = "No model: the same hours of previous weeks (log-t)."
        rows.append(_made("same_hours", text, headline.actual, cross_check.expected, low, high))
    rows += _two_way_row(choice, level)
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    return frame.astype({"excess": float, "low": float, "high": float, "relative_excess": float})


def sensitivity_check(table: pd.DataFrame, spec: SizingSpec) -> Check:
    """Do the other choices tell the same story."""
    name, others = "sensitivity", table.iloc[1:]
    first = table.iloc[0]
    if not np.isfinite(first["low"]) or others.empty:
        return Check(
            name=name,
            verdict="not_run",
            label="other choices not compared",
            text="Without an interval there is nothing to compare the other choices with.",
        )
    outside = others[(others["excess"] < first["low"]) | (others["excess"] > first["high"])]
    n = len(others)
    text = (
        f"Under {format.plural(n, 'other choice')} the excess runs from "
        f"{format.count(others['excess'].min(), sign=True)} to "
        f"{format.count(others['excess'].max(), sign=True)} {spec.unit_label}; "
        f"{n - len(outside)} of {n} lie inside the headline's interval."
    )
    turned = others[np.sign(others["excess"]) != np.sign(first["excess"])]
    shown = not first["low"] <= 0 <= first["high"]
    if len(turned) and shown:
        return Check(
            name=name,
            verdict="fail",
            label="some choices turn the answer",
            text=f"{text} {len(turned)} would turn the sign.",
        )
    return Check(
        name=name,
        verdict="warn" if len(outside) else "pass",
        label="answer depends on a choice" if len(outside) else "other choices agree",
        text=text,
    )


_Others = Iterator[tuple[str, str, Sized]]


def _headline_text(choice: Choice) -> str:
    parts = ["Hour-of-day and day-of-week season fitted to the usable history"]
    if choice.grid.bucket == "1d":
        parts = ["Day-of-week season fitted to the usable history"]
    if choice.control.used:
        parts.append("with the control series")
    if choice.gain is not None:
        parts.append("at the level of the recent weeks")
    if choice.grid is not choice.whole_grid:
        parts.append("odd days left out")
    return ", ".join(parts) + "."


def _level(choice: Choice, level: float) -> _Others:
    weeks = int(choice.grid.week[choice.grid.history].max())
    if choice.gain is not None:
        yield (
            "standing_level",
            "The same level in all weeks of the history.",
            sized(choice.grid, choice.season, level=level),
        )
    elif weeks >= 3:
        yield (
            "recent_level",
            "The level of the recent weeks: each older week counts for less.",
            sized(choice.grid, choice.season, level=level, gain=GAINS[-1]),
        )
    if weeks >= 4:
        yield (
            "linear_trend",
            "A straight line in time on the log scale, carried forward.",
            sized(choice.grid, replace(choice.season, trend=True), level=level),
        )


def _history(choice: Choice, level: float) -> _Others:
    on = choice.grid
    weeks = int(on.week[on.history].max())
    recent = on.history & (on.week <= weeks // 2)
    if (on.fitted & recent).sum() >= 2 * on.per_week:
        block = np.where(recent, on.block, -1)
        half = replace(on, history=recent, fitted=on.fitted & recent, block=block)
        yield (
            "recent_half",
            f"Only the last {weeks // 2} of {weeks} weeks.",
            sized(half, choice.season, level=level, gain=choice.gain),
        )


def _days(choice: Choice, level: float) -> _Others:
    if choice.grid is not choice.whole_grid:
        yield (
            "odd_days_kept",
            "The odd days of the history kept.",
            sized(choice.whole_grid, choice.season, level=level, gain=choice.gain),
        )
    on = choice.grid
    everything = on.history & np.isfinite(on.count) & ~on.ambiguous
    if (on.excluded & everything).any():
        yield (
            "no_exclusions",
            "Nothing left out of the history.",
            sized(replace(on, fitted=everything), choice.season, level=level, gain=choice.gain),
        )


def _season(choice: Choice, level: float) -> _Others:
    season = choice.season
    if choice.grid.bucket == "1d":
        other = replace(season, day_of_week=not season.day_of_week)
        text = "All days of the week alike."
    elif season.harmonics > 3:
        other = replace(season, harmonics=3)
        text = f"A smoother day: 3 harmonics instead of {season.harmonics}."
    else:
        other = replace(season, harmonics=season.harmonics + 2)
        text = f"A more detailed day: {season.harmonics + 2} harmonics."
    yield "other_season", text, sized(choice.grid, other, level=level, gain=choice.gain)


def _weights(choice: Choice, level: float) -> _Others:
    at, on = choice.result.made.fitted, choice.grid
    y, mu = on.count[at], choice.result.made.expected[at]
    size = float(np.sum(mu**2))
    alpha = max(1e-6, float(np.sum((y - mu) ** 2 - mu)) / size) if size > 0 else 1e-6
    season = replace(choice.season, dispersion=alpha)
    yield (
        "negative_binomial",
        "Negative binomial mean: busy hours weigh less in the fit.",
        sized(on, season, level=level, gain=choice.gain),
    )


def _control(choice: Choice, level: float) -> _Others:
    if choice.control.used:
        season = replace(choice.season, control=False)
        text = "Without the control series."
        yield "without_control", text, sized(choice.grid, season, level=level, gain=choice.gain)


def _robust(choice: Choice, level: float) -> Row:
    """Days beyond three robust deviations left out of the fit, and the MAD as the spread."""
    on = choice.grid
    odd = odd_days(on, choice.result.made, threshold=3.0)
    kept = on.fitted & ~odd.bucket
    if kept.sum() >= on.per_week:
        on = replace(on, fitted=kept)
    result = sized(on, choice.season, level=level, gain=choice.gain)
    past = result.past if len(result.past.block) >= 3 else choice.result.past
    relative = past.errors / np.maximum(past.totals, 1e-12)
    spread = np.hypot(np.sqrt(result.expected), mad(relative) * result.expected)
    degrees = max(2.0, _MAD_EFFICIENCY * (len(relative) - 1))
    margin = float(spread) * t_quantile(0.5 + level / 2, degrees)
    text = "Robust: days beyond 3 robust deviations left out, spread from the MAD."
    return _made(
        "robust",
        text,
        result.actual,
        result.expected,
        result.excess - margin,
        min(result.actual, result.excess + margin),
    )


def _two_way_row(choice: Choice, level: float) -> list[Row]:
    found = two_way(choice.grid, level=level)
    if found.expected is None:
        return []
    actual = choice.result.actual
    low = high = None
    if found.margin is not None:
        low = actual - found.expected - found.margin
        high = min(actual, actual - found.expected + found.margin)
    text = "Two-way fixed effects, hours of the week by weeks, the incident's cells imputed."
    return [_made("two_way_fixed_effects", text, actual, found.expected, low, high)]


def _row(name: str, description: str, result: Sized) -> Row:
    return _made(name, description, result.actual, result.expected, result.low, result.high)


def _made(
    name: str,
    description: str,
    actual: float,
    expected: float,
    low: float | None,
    high: float | None,
) -> Row:
    expected = no_noise(expected, actual=actual)
    relative = (actual - expected) / expected if expected > 0 else float("nan")
    return name, description, actual - expected, low, high, relative
