"""Does it hang on one donor: the headline without each donor that has weight."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from trustlib.core import Check
from trustlib.core.format import count, percent, plural
from trustlib.interventions.synth.case import Case
from trustlib.interventions.synth.cohorts import (
    combined,
    mean_weights,
    pooled_misfit,
    treated_by,
)
from trustlib.interventions.synth.fit import Fit, fit
from trustlib.interventions.synth.placebos_in_space import InSpace
from trustlib.interventions.synth.spread import spread_of

COLUMNS = ("left_out", "weight", "point", "low", "high")
LEAST_WEIGHT = 0.001
MOST = 30  # donors left out by turns, the heaviest


def leave_one_out(
    parts: Sequence[tuple[int, Case]],
    fits: Sequence[Fit],
    chance: InSpace,
    *,
    donor_names: Sequence[str],
    level: float,
) -> pd.DataFrame:
    """`SynthResult.leave_one_out`: a row per donor with weight, heaviest first.

    Weights are fitted anew, by the same preset. low and high come from the headline's own
    placebos and the new fit's misfit before the start.

    Parameters
    ----------
    fits, chance
        The headline's.
    donor_names
        (n_donors,) as readers see them.
    """
    weights = mean_weights(parts, fits)
    order = np.argsort(-np.abs(weights), kind="stable")
    heavy = [int(donor) for donor in order if abs(weights[donor]) > LEAST_WEIGHT][:MOST]
    if len(weights) < 2:
        heavy = []
    rows = []
    for donor in heavy:
        rest = [(start, case.without(donor)) for start, case in parts]
        again = [fit(case, fits[0].preset) for _, case in rest]
        point = combined(rest, again)
        half = _half(rest, again, chance, level=level)
        rows.append((donor_names[donor], weights[donor], point, point - half, point + half))
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    return frame.astype(dict.fromkeys(COLUMNS[1:], float))


def _half(
    parts: Sequence[tuple[int, Case]], fits: Sequence[Fit], chance: InSpace, *, level: float
) -> float:
    own, misfit = chance.own_pre_rmspe, pooled_misfit(parts, fits)
    by = spread_of(
        chance,
        fits[0].preset,
        level=level,
        misfit=chance.own_misfit * (misfit / own if own > 0 else 1.0),
    )
    treated = treated_by(
        parts[0][1].n_periods,
        units=np.array([case.n_treated for _, case in parts]),
        starts=np.array([start for start, _ in parts]),
    ).sum(axis=0)
    return by.half(treated / treated.sum())


def leave_one_out_check(found: pd.DataFrame, *, effect: float, error: float, half: float) -> Check:
    """Whether the answer keeps its sign and size without any single donor.

    Parameters
    ----------
    effect, error, half
        The headline, its standard error, and half its interval's width (NaN without).
    """
    name = "leave_one_donor_out"
    if found.empty:
        text = "Not run: there is a single donor, and without it nothing to compare with."
        return Check(name=name, verdict="not_run", label="no donor to leave out", text=text)
    points = found["point"].to_numpy()
    moved = np.abs(points - effect)
    worst = int(np.argmax(moved))
    low, high = float(points.min()), float(points.max())
    text = (
        f"Leaving out each of {plural(len(found), 'donor')} with weight in turn moves the effect "
        f"of {count(effect, sign=True)} between {count(low, sign=True)} and "
        f"{count(high, sign=True)}; {found['left_out'].iloc[worst]}, with "
        f"{percent(float(found['weight'].iloc[worst]))} of the weight, matters most."
    )
    settled = np.isfinite(half) and abs(effect) > half
    if (points * effect < 0).any():
        if settled:
            return Check(name=name, verdict="fail", label="one donor decides the sign", text=text)
        text += " The interval holds zero anyway: the sign is not settled."
        return Check(name=name, verdict="warn", label="sign not settled", text=text)
    if (np.abs(points) < 0.5 * abs(effect)).any():
        label = "one donor makes half the effect"
        return Check(name=name, verdict="fail" if settled else "warn", label=label, text=text)
    if np.isfinite(error) and moved.max() > error:
        text += f" That is more than one standard error ({count(error)})."
        return Check(name=name, verdict="warn", label="one donor matters much", text=text)
    holding = found[(found["low"] <= 0) & (found["high"] >= 0)]
    if settled and len(holding):
        text += (
            f" The interval of all donors leaves zero out; without {holding['left_out'].iloc[0]}"
            f"{f' or {len(holding) - 1} more' if len(holding) > 1 else ''} it holds zero."
        )
        return Check(name=name, verdict="warn", label="one donor makes it certain", text=text)
    return Check(name=name, verdict="pass", label="no single donor decides", text=text)
