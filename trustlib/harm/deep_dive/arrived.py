"""Whether a week's labels have come in: those that are there against those the sampling gives."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import chi2

from trustlib.core import Check
from trustlib.core.format import day, percent, plural
from trustlib.harm.deep_dive.samples import WeekSample

ARRIVED = 0.9  # of the labels that a week's sampling gives: fewer are still arriving
_LEVEL = 0.95


def labels_arrived(weeks: tuple[WeekSample, ...]) -> pd.DataFrame:
    """week, share, low, high, labels, expected: one row per week with items.

    What a week's sampling gives is Σ over strata of items times the mean chance of its labels to
    be drawn (of the whole history, where the week has none there). Ends are those of a Poisson
    count at 95 %. A week's own labels tell that chance, so a share is far from 1 only where the
    chances that labels carry do not explain how few there are.
    """
    rows = []
    chance = _mean_chance(weeks)
    for week in weeks:
        own = chance | _mean_chance((week,))
        expected = sum(
            items * own.get(name, 0.0)
            for name, items in zip(week.population.strata, week.population.items, strict=True)
        )
        if expected > 0:
            n = week.sample.n if week.sample is not None else 0
            tail = (1 - _LEVEL) / 2
            low = chi2.ppf(tail, 2 * n) / 2 if n else 0.0
            high = chi2.ppf(1 - tail, 2 * n + 2) / 2
            rows.append((week.at, n / expected, low / expected, high / expected, n, expected))
    columns = ["week", "share", "low", "high", "labels", "expected"]
    return pd.DataFrame(rows, columns=columns)


def arrived_check(arrived: pd.DataFrame, *, timezone: str) -> Check:
    """Which weeks have clearly fewer labels than their sampling gives."""
    name = "labels_arrived"
    if arrived.empty or not arrived["labels"].any():
        return Check(name=name, verdict="not_run", label="no labels by week",
                     text="No week has both items and labels.")  # fmt: skip
    late = arrived[arrived["high"] < ARRIVED]
    if late.empty:
        return Check(name=name, verdict="pass", label="labels have arrived",
                     text="Every week has about as many labels as its sampling gives.")  # fmt: skip
    told = ", ".join(
        f"{day(at, timezone, year=False)} ({percent(share)})"
        for at, share in zip(late["week"], late["share"], strict=True)
    )
    return Check(
        name=name,
        verdict="warn",
        label="labels still arriving",
        text=f"{plural(len(late), 'week')} of {len(arrived)} have clearly fewer labels than their "
        f"sampling gives; part of those it gives is there: week of {told}. Labels that come late "
        "may differ from those that came early: these weeks can still move.",
    )


def _mean_chance(weeks: tuple[WeekSample, ...]) -> dict[str, float]:
    """Stratum -> harmonic mean of the chances of its labels to be drawn."""
    labels: dict[str, int] = {}
    stand_for: dict[str, float] = {}
    for week in weeks:
        if week.sample is None:
            continue
        for code, name in enumerate(week.population.strata):
            mine = week.sample.inclusion[week.sample.stratum == code]
            labels[name] = labels.get(name, 0) + len(mine)
            stand_for[name] = stand_for.get(name, 0.0) + float(np.sum(np.sort(1 / mine)))
    return {name: n / stand_for[name] for name, n in labels.items() if n}
