"""Is the treated unit within what a mix of donors can be, or does the answer reach beyond them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trustlib.core import Check
from trustlib.core.format import count, percent, plural
from trustlib.interventions.panel import FloatArray
from trustlib.interventions.synth.case import Case
from trustlib.interventions.synth.fit import Preset
from trustlib.stats.simplex import simplex_least_squares

OWN_LEVEL: frozenset[Preset] = frozenset({"synthetic_did", "did"})
MANY_OUTSIDE = 0.2  # share of periods before the start
FAR = 0.5  # of the target's own movement: from here on no mix comes near
SOME = 0.25
FARTHER = 2.0  # times a usual donor's distance to the other donors: not the noise of them all


@dataclass(frozen=True, kw_only=True)
class Hull:
    """How far the target lies outside the donors' convex hull before treatment.

    Attributes
    ----------
    outside
        Share of the periods in which the target is above all donors, or below all.
    distance
        Root mean squared distance to the nearest mix of donors, in the outcome's unit.
    relative
        `distance` over the larger of the target's and a typical donor's standard deviation over
        the periods; 0 where neither moves nor differs.
    usual
        Median over donors of their distance to the nearest mix of the other donors; NaN with a
        single donor.
    own_level
        The target and each donor were taken about their own means, as the preset allows levels
        to differ.
    predictors_outside
        Positions of predictors whose target value no donor reaches.
    """

    outside: float
    distance: float
    relative: float
    usual: float
    own_level: bool
    predictors_outside: tuple[int, ...]


def hull(case: Case, preset: Preset) -> Hull:
    """Where `case`'s target lies; about its own mean for presets with an intercept."""
    target, donors = case.target[: case.n_pre], case.donors[:, : case.n_pre]
    own_level = preset in OWN_LEVEL
    if own_level:
        target = target - target.mean()
        donors = donors - donors.mean(axis=1, keepdims=True)
    slack = 1e-12 * max(float(np.abs(donors).max()), float(np.abs(target).max()))
    beyond = (target > donors.max(axis=0) + slack) | (target < donors.min(axis=0) - slack)
    distance = _distance(target, donors)
    others = (
        [_distance(donors[donor], np.delete(donors, donor, axis=0)) for donor in range(len(donors))]
        if len(donors) > 1
        else []
    )
    moves = max(float(target.std()), float(np.median(donors.std(axis=1))))
    return Hull(
        outside=float(beyond.mean()),
        distance=distance,
        relative=distance / moves if moves > 0 else float(distance > slack),
        usual=float(np.median(others)) if others else math.nan,
        own_level=own_level,
        predictors_outside=_beyond(case.target_predictors, case.donor_predictors),
    )


def _distance(target: FloatArray, donors: FloatArray) -> float:
    return math.sqrt(simplex_least_squares(donors.T, target).objective / len(target))


def _beyond(target: FloatArray, donors: FloatArray | None) -> tuple[int, ...]:
    if donors is None or not len(target):
        return ()
    outside = (target > donors.max(axis=0)) | (target < donors.min(axis=0))
    return tuple(np.flatnonzero(outside).tolist())


def convex_hull(
    parts: Sequence[tuple[int, Case]], preset: Preset, *, predictor_names: Sequence[str] = ()
) -> Check:
    """Whether the synthetic is a mix of donors and not a guess beyond them; the worst cohort."""
    found = max((hull(case, preset) for _, case in parts), key=lambda one: one.relative)
    about = ", each about its own mean," if found.own_level else ""
    text = (
        f"In {percent(found.outside)} of the periods before the start the treated{about} is "
        "above all donors or below all of them; the nearest mix of donors is "
        f"{count(found.distance)} away on average, {percent(found.relative)} of what the outcome "
        f"moves by{_beside(found)}."
    )
    names = [predictor_names[at] for at in found.predictors_outside if at < len(predictor_names)]
    if names:
        few = ", ".join(names[:3]) + (" …" if len(names) > 3 else "")
        text += f" No donor reaches it in {plural(len(names), 'predictor')}: {few}."
    name = "convex_hull"
    # What every donor is away from the others is noise that no mix could follow.
    farther = not found.distance <= FARTHER * found.usual
    if found.relative > FAR and farther:
        text += " No mix of donors looks like it."
        return Check(name=name, verdict="fail", label="outside what donors can be", text=text)
    if found.outside > MANY_OUTSIDE or (found.relative > SOME and farther) or names:
        return Check(name=name, verdict="warn", label="at the edge of the donors", text=text)
    return Check(name=name, verdict="pass", label="within what donors can be", text=text)


def _beside(found: Hull) -> str:
    if math.isnan(found.usual):
        return ""
    return f" (a usual donor is {count(found.usual)} away from the others)"
