"""Guards of what was fitted: does it match before, is it unusual, do other methods agree."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from trustlib.core import Check
from trustlib.core.format import count, p_value, percent, plural
from trustlib.interventions.synth.case import Case
from trustlib.interventions.synth.fit import Preset
from trustlib.interventions.synth.hull import OWN_LEVEL
from trustlib.interventions.synth.placebos_in_space import InSpace
from trustlib.interventions.synth.spread import MATCHED

NO_FIT = 0.5  # misfit before the start, of what the outcome moves by
NOISE = 1.5  # times the placebos' median misfit: up to it, what no donor's synthetic can follow
WORSE_THAN_PLACEBOS = 2.0


def pre_fit(parts: Sequence[tuple[int, Case]], preset: Preset, chance: InSpace) -> Check:
    """Whether the synthetic was like the treated before, and as like as the placebos are."""
    name = "pre_fit"
    misfit = chance.own_pre_rmspe
    relative = misfit / _movement(parts, preset) if misfit > 0 else 0.0
    text = (
        f"Before the start the synthetic is {count(misfit)} off on average, {percent(relative)} "
        "of what outcomes move by"
    )
    beside = np.nan
    if chance.n:
        middle = float(np.median(chance.pre_rmspe))
        beside = misfit / middle if middle > 0 else (np.inf if misfit > 0 else 1.0)
        worse = int((chance.pre_rmspe < misfit).sum())
        text += f"; the placebos' median is {count(middle)}, and {worse} of {chance.n:,} fit better"
    text += "."
    if relative > NO_FIT and not beside <= NOISE:
        text += " It does not follow the treated, so the difference afterwards is no effect."
        return Check(name=name, verdict="fail", label="no match before the start", text=text)
    if relative > NO_FIT or beside > WORSE_THAN_PLACEBOS:
        return Check(name=name, verdict="warn", label="poor match before the start", text=text)
    return Check(name=name, verdict="pass", label="matched before the start", text=text)


def _movement(parts: Sequence[tuple[int, Case]], preset: Preset) -> float:
    """What outcomes move by before the start: over periods, and over units where levels count."""
    sizes = []
    for _, case in parts:
        paths = np.vstack([case.target, case.donors])[:, : case.n_pre]
        over_time = float(np.median(paths.std(axis=1)))
        # About their own means, donors still differ from each other in what they do.
        apart = float(paths.std(axis=0).mean()) if preset not in OWN_LEVEL else over_time
        sizes.append(max(over_time, apart))
    return max(min(sizes), np.finfo(float).tiny)


def exact_fit(chance: InSpace) -> Check:
    """Whether the match before is so close that ratios to it mean nothing."""
    name = "exact_fit"
    if not chance.n:
        text = "Not run: there are no placebos to compare the match with."
        return Check(name=name, verdict="not_run", label="no placebos", text=text)
    middle = float(np.median(chance.pre_rmspe))
    own = chance.own_pre_rmspe
    exact = int((chance.pre_rmspe <= MATCHED * max(middle, own)).sum())
    if own <= MATCHED * middle or middle == 0:
        text = (
            "Before the start the synthetic matches the treated exactly: there are as many free "
            "weights as there are periods. The match says nothing about the periods after, and "
            "ratios to it, the p-value among them, mean nothing."
        )
        return Check(name=name, verdict="warn", label="matched too well", text=text)
    if exact:
        text = (
            f"{plural(exact, 'placebo')} of {chance.n:,} {'is' if exact == 1 else 'are'} matched "
            "exactly before the start: their ratios are as large as can be, and the p-value is "
            "too large."
        )
        return Check(name=name, verdict="warn", label="placebos matched too well", text=text)
    text = f"No match is exact: {count(own)} off for the treated, {count(middle)} for placebos."
    return Check(name=name, verdict="pass", label="room in every match", text=text)


def placebo_rank(chance: InSpace, *, level: float) -> Check:
    """What the placebos' ranks say, in words."""
    name = "placebo_rank"
    if chance.p_value is None or chance.least_p is None:
        text = f"Not run: {chance.reason}."
        return Check(name=name, verdict="not_run", label="no placebos", text=text)
    n, rank = chance.n + 1, chance.rank
    how = "all placebos" if chance.exact else "placebos drawn at random"
    text = (
        f"Set in relation to the match before, the treated's gap after the start is number {rank} "
        f"of {n:,} ({how}): {p_value(chance.p_value)}."
    )
    if chance.p_value <= 1 - level + 1e-12:
        return Check(name=name, verdict="pass", label="unusual among placebos", text=text)
    if chance.least_p > 1 - level + 1e-12:
        text += " So few placebos could not make it smaller."
        label = "too few placebos to tell"
        return Check(name=name, verdict="warn", label=label, text=text)
    text += " Donors that had no intervention show as much."
    return Check(name=name, verdict="warn", label="not unusual among placebos", text=text)


def estimators_agree(comparison: pd.DataFrame) -> Check:
    """Whether the other presets say the same as the headline.

    Parameters
    ----------
    comparison
        `SynthResult.comparison`. Plain difference-in-differences is described and not counted: it
        weighs donors that the others weigh down.
    """
    name = "estimators_agree"
    head = comparison[comparison["headline"]].iloc[0]
    others = comparison[~comparison["headline"] & comparison["point"].notna()]
    counted = others[others["estimator"] != "did"]
    if counted.empty or not np.isfinite(head["low"]):
        text = "There is no interval, or no other estimator, to compare with."
        return Check(name=name, verdict="not_run", label="estimators not compared", text=text)
    points = counted["point"].to_numpy()
    text = (
        f"{plural(len(counted), 'other estimate')}: {count(points.min(), sign=True)}"
        + (f" to {count(points.max(), sign=True)}" if len(counted) > 1 else "")
        + f", beside {count(head['point'], sign=True)}."
    )
    plain = others.loc[others["estimator"] == "did", "point"]
    if len(plain):
        text += f" With all donors alike it would be {count(float(plain.iloc[0]), sign=True)}."
    inside = (points >= head["low"]) & (points <= head["high"])
    settled = not head["low"] <= 0 <= head["high"]
    contrary = (points * head["point"] < 0) & ~inside
    if settled and contrary.any():
        label = "estimators disagree on the sign"
        return Check(name=name, verdict="fail", label=label, text=text)
    if not inside.all():
        text += f" {int((~inside).sum())} outside the headline's interval."
        return Check(name=name, verdict="warn", label="estimators differ", text=text)
    return Check(name=name, verdict="pass", label="estimators agree", text=text)
