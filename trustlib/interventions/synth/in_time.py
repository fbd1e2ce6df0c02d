"""In-time placebos: the start pretended earlier, with all data since the real one taken away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy.special import ndtri

from trustlib.core import Check
from trustlib.core.calendar import period
from trustlib.core.format import count, p_value, plural
from trustlib.core.format import level as level_text
from trustlib.interventions.synth.cohorts import cases, combined
from trustlib.interventions.synth.fit import Preset, fit
from trustlib.interventions.synth.panel import SynthPanel
from trustlib.interventions.synth.placebos_in_space import in_space
from trustlib.interventions.synth.spread import spread_of

COLUMNS = ("start", "pre", "post", "point", "standard_error", "low", "high", "p_value")
PLACES = (1 / 2, 2 / 3, 3 / 4)  # of the periods before the start
LEAST_BEFORE = 3  # periods that a pretended start leaves before it
LARGE = 0.5  # of the effect: a placebo as large as this is a rival explanation


def in_time(
    panel: SynthPanel,
    preset: Preset,
    *,
    level: float = 0.95,
    draws: int = 999,
    seed: int = 0,
    places: Sequence[float] = PLACES,
) -> pd.DataFrame:
    """`SynthResult.in_time`: a row per pretended start, earliest first.

    All treated units start together at the pretended date, and nothing from the earliest real
    start on is used. Errors and p-values are those of placebos in space at that date. Predictors
    may be measured after the pretended start, and would tell what is to be found out: with them,
    donors are matched on outcomes alone.
    """
    first = int(panel.starts[0])
    wanted = sorted({round(first * place) for place in places})
    rows = [
        _row(panel, first, start, asked(preset), level=level, draws=draws, seed=seed)
        for start in wanted
        if LEAST_BEFORE <= start < first
    ]
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    return frame.astype(dict.fromkeys(COLUMNS[3:], float) | {"pre": int, "post": int})


def asked(preset: Preset) -> Preset:
    """The preset that a placebo in time can use."""
    return "synthetic_control" if preset == "synthetic_control_predictors" else preset


def _row(
    panel: SynthPanel,
    first: int,
    start: int,
    preset: Preset,
    *,
    level: float,
    draws: int,
    seed: int,
) -> tuple[object, ...]:
    cut = replace(
        panel,
        outcome=panel.outcome[:, :first],
        weight=panel.weight[:, :first],
        first_treated=np.where(panel.treated, start, first),
        period_names=panel.period_names[:first],
        fit_from=panel.fit_from if panel.fit_from < start else 0,
        fit_to=min(panel.fit_to, start),
    )
    parts = cases(cut)
    fits = [fit(case, preset) for _, case in parts]
    point = combined(parts, fits)
    chance = in_space(parts, fits, draws=draws, seed=seed)
    by = spread_of(chance, preset, level=level)
    after = np.arange(first) >= start
    weights = after / after.sum()
    half = by.half(weights)
    p_value = np.nan if chance.p_value is None else chance.p_value
    return (
        panel.period_names[start], start, first - start,
        point, by.error(weights), point - half, point + half, p_value,
    )  # fmt: skip


def in_time_check(found: pd.DataFrame, *, effect: float, preset: Preset, level: float) -> Check:
    """Whether an effect shows before there was anything to have one."""
    name = "in_time_placebo"
    known = found[found["low"].notna()]
    if known.empty:
        text = (
            "Not run: there are too few periods before the start to pretend an earlier one."
            if found.empty
            else "Not run: there are too few donors for an interval."
        )
        label = "no earlier start to pretend" if found.empty else "earlier starts not judged"
        return Check(name=name, verdict="not_run", label=label, text=text)
    apart = ((known["low"] > 0) | (known["high"] < 0)).to_numpy()
    size = known["point"].abs().to_numpy()
    # One of several dates leaves out zero more often than one date does.
    far = size > ndtri(1 - (1 - level) / (2 * len(known))) * known["standard_error"].to_numpy()
    apart = apart & far
    worst = known.iloc[int(np.argmax(size))]
    text = (
        f"With the start pretended at {plural(len(known), 'earlier date')}, where nothing "
        f"happened, effects are between {count(known['point'].min(), sign=True)} and "
        f"{count(known['point'].max(), sign=True)} (the real one: {count(effect, sign=True)}); "
        f"the largest, from {period(worst['start'])} on, has "
        f"{p_value(float(worst['p_value']))} by the donors' placebos."
    )
    if asked(preset) != preset:
        text += " Donors are matched on outcomes alone here."
    if (apart & (size >= LARGE * abs(effect))).any():
        text += f" An effect that large is not chance at {level_text(level)}, all dates counted."
        return Check(name=name, verdict="fail", label="an effect before the start", text=text)
    if apart.any():
        text += " One of them is not zero, but it is small beside the real one."
        return Check(name=name, verdict="warn", label="a small effect before the start", text=text)
    if (size >= abs(effect)).any():
        text += (
            f" One is as large as the real effect, and within chance at {level_text(level)}, all "
            "dates counted: chance alone makes such numbers here."
        )
        return Check(name=name, verdict="warn", label="as large before the start", text=text)
    return Check(name=name, verdict="pass", label="no effect before the start", text=text)
