"""Why to believe it: one check per assumption, in a stakeholder's words."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from trustlib.core import Check, format
from trustlib.incidents.choice import Choice
from trustlib.incidents.contamination import FEWEST_DAYS, THRESHOLD
from trustlib.incidents.grid import WEEKS_FOR_INTERVAL, Grid
from trustlib.incidents.headline import Sized
from trustlib.incidents.onset import Onset
from trustlib.incidents.placebos import placebo_p_value, placebo_windows, too_few_to_tell
from trustlib.incidents.same_hours import SameHours, earlier
from trustlib.incidents.spec import SizingSpec


def history_length(grid: Grid, result: Sized) -> Check:
    weeks = grid.history_weeks
    usable = len(result.past.block)
    blocks = "weeks" if grid.weeks_per_block == 1 else f"blocks of {grid.weeks_per_block} weeks"
    text = (
        f"{weeks:.1f} usable weeks before the incident; the incident's hours are usable in "
        f"{usable} earlier {blocks}."
    )
    if result.error is None:
        return Check(
            name="history_length",
            verdict="fail",
            label="history too short for an interval",
            text=f"{text} At least {WEEKS_FOR_INTERVAL} are needed for an interval.",
        )
    if usable < 6:
        return Check(
            name="history_length",
            verdict="warn",
            label="short history",
            text=f"{text} The interval is wide because so few weeks can tell how far "
            "a quiet week strays.",
        )
    return Check(name="history_length", verdict="pass", label="enough history", text=text)


def placebo_check(
    choice: Choice, placebos: pd.DataFrame, p_value: float | None, spec: SizingSpec
) -> Check:
    if p_value is None:
        return Check(
            name="placebo_windows",
            verdict="not_run",
            label="no quiet windows to compare",
            text=f"{format.plural(len(placebos), 'window')} of the same length in the usable "
            "history; too few earlier weeks tell how far a quiet one strays.",
        )
    n = len(placebos)
    beyond = round(p_value * (1 + n)) - 1
    ways = {"increase": "high", "decrease": "low", "either": "far off"}[spec.direction]
    text = (
        f"{beyond} of {n} windows of the same length in the history, where nothing is known "
        f"to have happened, came out as {ways}: {format.p_value(p_value)}. "
        f"{_overlap(placebos, spec)}{n} cannot give a p below {format.probability(1 / (1 + n))}."
    )
    if choice.grid is not choice.whole_grid:
        every = replace(choice.result, made=replace(choice.result.made, fitted=choice.with_odd))
        counted = placebo_p_value(
            choice.result, placebo_windows(choice.grid, every), direction=spec.direction
        )
        text += f" Counting the odd days too, {format.p_value(counted)}."
    small = p_value <= 1 - spec.level
    label = "unlike quiet weeks" if small else "quiet weeks look alike"
    if too_few_to_tell(p_value, n=n, level=spec.level):
        label = "too few quiet windows to tell"
    return Check(
        name="placebo_windows",
        verdict="pass" if small else "warn",
        label=label,
        text=text,
    )


def _overlap(placebos: pd.DataFrame, spec: SizingSpec) -> str:
    gap = placebos["window_start_at"].diff().abs().min()
    if pd.isna(gap) or gap >= spec.incident.duration:
        return ""
    return "The windows overlap, so they tell less than as many separate ones; "


def two_methods(result: Sized, cross: SameHours, spec: SizingSpec) -> Check:
    name = "two_methods_agree"
    if result.error is None or cross.low is None or cross.high is None:
        return Check(
            name=name,
            verdict="not_run",
            label="second method not run",
            text="The same hours of previous weeks need three usable weeks.",
        )
    low, high = result.actual - cross.high, result.actual - cross.low
    other = result.actual - cross.expected
    assert result.low is not None
    assert result.high is not None
    text = (
        f"The season puts the excess at {format.count(result.excess, sign=True)} "
        f"{spec.unit_label}, the same hours of {earlier(len(cross.totals), spec)} at "
        f"{format.count(other, sign=True)} ({format.interval(low, high)})."
    )
    apart = (low > 0 and result.high < 0) or (high < 0 and result.low > 0)
    if apart or high < result.low or low > result.high:
        return Check(name=name, verdict="fail", label="two methods disagree", text=text)
    inside = low <= result.excess <= high and result.low <= other <= result.high
    return Check(
        name=name,
        verdict="pass" if inside else "warn",
        label="two methods agree" if inside else "two methods differ",
        text=text if inside else f"{text} One lies outside the other's interval.",
    )


def masks(grid: Grid, spec: SizingSpec) -> Check:
    hidden = int((grid.excluded & grid.history).sum())
    n = len(spec.exclude_windows)
    if not n:
        return Check(
            name="holidays_or_masks",
            verdict="warn",
            label="nothing excluded",
            text="No holiday or earlier incident is excluded from the history. If there was "
            "one, it moves the expected count and widens the interval.",
        )
    return Check(
        name="holidays_or_masks",
        verdict="pass",
        label="holidays excluded",
        text=f"{format.plural(n, 'stretch', 'stretches')} ({format.plural(hidden, 'bucket')}) "
        "of the history were excluded: not fitted and not compared with.",
    )


def missing_in_window(grid: Grid) -> Check:
    missing = grid.n_window - int(grid.present.sum())
    if not missing:
        return Check(
            name="missing_in_window",
            verdict="pass",
            label="window complete",
            text=f"All {grid.n_window} buckets of the incident were counted.",
        )
    share = missing / grid.n_window
    unclear = int((grid.in_window & grid.ambiguous).sum())
    change = f" ({unclear} for a clock change: no telling which hour is counted there)"
    return Check(
        name="missing_in_window",
        verdict="fail" if share > 0.2 else "warn",
        label="counts missing in the window",
        text=f"{missing} of {grid.n_window} buckets of the incident are not compared"
        f"{change if unclear else ''}. "
        "They are left out of actual and expected alike, so the excess is of the rest only.",
    )


def model_fit(grid: Grid, result: Sized) -> Check:
    at = result.made.fitted
    mu = result.made.expected[at]
    pearson = float(np.sum((grid.count[at] - mu) ** 2 / np.maximum(mu, 1e-12)) / at.sum())
    if result.error is None:
        return Check(
            name="model_fit",
            verdict="not_run",
            label="fit not tested",
            text="Too few past windows to measure how far a quiet week strays.",
        )
    tau = result.error.tau
    text = (
        f"In quiet weeks the total of these hours strays from its forecast by about "
        f"{format.percent(tau)} (one standard deviation) beyond chance; the interval "
        f"allows for it. A single count varies {pearson:.3g} times as much as independent "
        "events would."
    )
    wide = tau > 0.3
    return Check(
        name="model_fit",
        verdict="warn" if wide else "pass",
        label="season fits loosely" if wide else "season fits",
        text=text,
    )


def onset_check(found: Onset, table: pd.DataFrame, spec: SizingSpec) -> Check:
    name = "onset_agrees"
    if found.start is None or found.low is None:
        return Check(
            name=name, verdict="not_run", label="onset not estimable", text=_sentence(found.note)
        )
    row = table.iloc[0]
    agree = row["low_at"] <= row["stated_at"] <= row["high_at"]
    text = (
        f"The deviation starts at {format.instant(row['estimated_at'], spec.timezone)} "
        f"({format.instant(row['low_at'], spec.timezone)} to "
        f"{format.instant(row['high_at'], spec.timezone)}); the stated start is "
        f"{format.instant(row['stated_at'], spec.timezone)}."
    )
    return Check(
        name=name,
        verdict="pass" if agree else "warn",
        label="onset as stated" if agree else "onset differs from the stated one",
        text=text,
    )


def _sentence(note: str) -> str:
    return note[0].upper() + note[1:] + "."


def level_drift(choice: Choice) -> Check:
    name, p = "level_drift", choice.level.drift_p
    if p is None:
        return Check(
            name=name,
            verdict="not_run",
            label="level drift not tested",
            text="Fewer than six full weeks: whether the level wanders from week to week "
            "cannot be told.",
        )
    if choice.gain is not None:
        return Check(
            name=name,
            verdict="warn",
            label="the level drifts",
            text="Neighbouring weeks resemble each other more than chance would have it "
            f"({format.p_value(p)}): the level wanders. The forecast follows the "
            f"recent weeks (gain {choice.gain:g}), and every past window was forecast in the "
            "same way, from the weeks before it.",
        )
    if choice.level.drifts:
        return Check(
            name=name,
            verdict="warn",
            label="the level may drift",
            text="Neighbouring weeks resemble each other more than chance would have it "
            f"({format.p_value(p)}), but following the recent weeks would not have "
            "forecast past windows better: the standing level is kept.",
        )
    return Check(
        name=name,
        verdict="pass",
        label="level stands still",
        text=f"From week to week the level shows no pattern beyond chance ({format.p_value(p)}).",
    )


def contaminated_history(choice: Choice) -> Check:
    name, odd = "contaminated_history", choice.odd
    n = len(odd.days)
    if odd.n_days < FEWEST_DAYS:
        return Check(
            name=name,
            verdict="not_run",
            label="odd days not looked for",
            text=f"{format.plural(odd.n_days, 'day')} could be forecast without themselves; "
            f"{FEWEST_DAYS} are needed to tell an odd one.",
        )
    if not n:
        return Check(
            name=name,
            verdict="pass",
            label="history looks quiet",
            text=f"None of {format.plural(odd.n_days, 'day')} in the history is further than "
            f"{THRESHOLD:g} robust standard deviations from its forecast.",
        )
    days = format.plural(n, "day")
    dates = ", ".join(f"{day}" for day in odd.days[:5]) + (", …" if n > 5 else "")
    if odd.too_many:
        return Check(
            name=name,
            verdict="warn",
            label="history is unruly",
            text=f"{days} of {odd.n_days} are far from their forecast: too many to be single "
            "incidents, so they are kept and the interval allows for them.",
        )
    if choice.grid is choice.whole_grid:
        return Check(
            name=name,
            verdict="warn",
            label="odd days in the history",
            text=f"{days} of {odd.n_days} in the history ({dates}) are far from their forecast. "
            "Too little history would be left without them: they are kept, and the interval "
            "allows for them.",
        )
    return Check(
        name=name,
        verdict="warn",
        label="odd days left out",
        text=f"{days} of {odd.n_days} in the history ({dates}) are further than "
        f"{THRESHOLD:g} robust standard deviations (MAD) from their forecast, as holidays and "
        "earlier incidents are. They were left out of the fit and of the placebo windows; "
        "the sensitivity table has the figure with them.",
    )
