"""Donors that something happened to when treatment started: found in the data, without a list.

Each donor is compared with the other donors, as if it had been treated, and its gap after the
start is set against

- what the donors' gaps stray by (a robust z-score: distance from their median over their median
  absolute deviation, scaled; Student's t, Bonferroni over donors), and
- the largest step of the same length in its own gap before the start,

so that a donor that always wanders, or one among many that wander, is not taken for one that was
reached. What is found is taken away and the rest looked at again, as a reached donor bends the
comparison of all others.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import stdtrit

from trustlib.core import Check
from trustlib.core.format import count, percent, plural
from trustlib.interventions.panel import FloatArray
from trustlib.interventions.synth.case import Case
from trustlib.interventions.synth.cohorts import combined, mean_weights
from trustlib.interventions.synth.fit import Fit, fit
from trustlib.interventions.synth.leave_one_out import LEAST_WEIGHT
from trustlib.stats.serial import mad

FEWEST = 6  # donors, below which none stands out from the others
MOST_FOUND = 5
MATERIAL = 0.25  # of the effect
LEAST_SPREAD = 0.2  # of what gaps stray by before the start: jumps that agree by luck


@dataclass(frozen=True, kw_only=True)
class Reached:
    """A donor whose gap steps when treatment starts.

    Attributes
    ----------
    donor
        Position in the pool.
    weight
        Mean over cohorts in the headline.
    jump
        Mean gap after the start, to the other donors' mix, in the outcome's unit.
    z
        Robust z-score among the donors.
    """

    donor: int
    weight: float
    jump: float
    z: float


@dataclass(frozen=True, kw_only=True)
class Contamination:
    """All donors that stand out, worst first, and the effect without them.

    Attributes
    ----------
    reached
        Empty where none stands out.
    looked_at
        Donors; 0 where there are too few to tell.
    threshold
        Of |z|.
    effect, without
        The headline, and what it is without the donors in `reached`.
    """

    reached: tuple[Reached, ...]
    looked_at: int
    threshold: float
    effect: float
    without: float


def contaminated(
    parts: Sequence[tuple[int, Case]], fits: Sequence[Fit], *, level: float = 0.95
) -> Contamination:
    """Look for donors that were reached at the first start, and estimate without them."""
    case = parts[0][1]
    effect = combined(parts, fits)
    if case.n_donors < FEWEST:
        return Contamination(
            reached=(), looked_at=0, threshold=math.nan, effect=effect, without=effect
        )
    weights = mean_weights(parts, fits)
    kept = np.arange(case.n_donors)
    threshold = _threshold(len(kept), level)
    reached: list[Reached] = []
    while len(reached) < MOST_FOUND and len(kept) > FEWEST - 1:
        gaps = _gaps(case, kept)
        jump = gaps[:, case.n_pre :].mean(axis=1)
        z = (jump - np.median(jump)) / _spread(jump, gaps[:, : case.n_pre])
        step = _largest_step(gaps[:, : case.n_pre], case.n_post)
        stands_out = (np.abs(z) > _threshold(len(kept), level)) & (np.abs(jump) > step)
        if not stands_out.any():
            break
        worst = int(np.argmax(np.where(stands_out, np.abs(z), -np.inf)))
        donor = int(kept[worst])
        reached.append(
            Reached(
                donor=donor,
                weight=float(weights[donor]),
                jump=float(jump[worst]),
                z=float(z[worst]),
            )
        )
        kept = np.delete(kept, worst)
    return Contamination(
        reached=tuple(reached),
        looked_at=case.n_donors,
        threshold=threshold,
        effect=effect,
        without=_without(parts, fits, [one.donor for one in reached]),
    )


def _threshold(n: int, level: float) -> float:
    return float(stdtrit(max(n - 2, 2), 1 - (1 - level) / (2 * n)))


def _gaps(case: Case, kept: np.ndarray) -> FloatArray:
    """(n_kept, n_periods) of each donor to the mix of the others, about its mean before."""
    pool = replace(
        case,
        donors=case.donors[kept],
        donor_predictors=None,
        target_predictors=np.empty(0),
    )
    return np.stack([fit(pool.placebo(donor), "synthetic_did").gap for donor in range(len(kept))])


def _spread(jump: FloatArray, before: FloatArray) -> float:
    """What jumps stray by; not less than the noise of the gaps before lets a mean stray."""
    least = float(np.median(before.std(axis=1))) * LEAST_SPREAD
    return max(mad(jump), least, np.finfo(float).tiny)


def _largest_step(before: FloatArray, n_post: int) -> FloatArray:
    """(n,) largest change of the mean between two stretches next to each other before the start."""
    n = before.shape[1]
    after = max(1, min(n_post, n // 3))
    sums = np.concatenate([np.zeros((len(before), 1)), np.cumsum(before, axis=1)], axis=1)
    places = range(after, n - after + 1)
    steps = [
        np.abs((sums[:, at + after] - sums[:, at]) / after - sums[:, at] / at) for at in places
    ]
    return np.max(steps, axis=0) if steps else np.zeros(len(before))


def _without(
    parts: Sequence[tuple[int, Case]], fits: Sequence[Fit], donors: Sequence[int]
) -> float:
    if not donors:
        return combined(parts, fits)
    rest = [(start, case.without(*donors)) for start, case in parts]
    return combined(rest, [fit(case, fits[0].preset) for _, case in rest])


def donors_affected(found: Contamination, *, donor_names: Sequence[str], error: float) -> Check:
    """Whether a donor with weight moved when treatment started, and what that does.

    Parameters
    ----------
    donor_names
        (n_donors,) as readers see them.
    error
        The headline's standard error, NaN without.
    """
    name = "donors_affected"
    if not found.looked_at:
        text = f"Not run: with fewer than {FEWEST} donors none stands out from the others."
        return Check(name=name, verdict="not_run", label="donors not searched", text=text)
    if not found.reached:
        text = (
            f"None of {plural(found.looked_at, 'donor')} moves away from the others when "
            f"treatment starts (|z| above {found.threshold:.1f} would count)."
        )
        return Check(name=name, verdict="pass", label="no donor moved at the start", text=text)
    listed = ", ".join(
        f"{donor_names[one.donor]} by {count(one.jump, sign=True)} "
        f"(z = {count(one.z, sign=True)}, {percent(one.weight)} of the weight)"
        for one in found.reached
    )
    moved = abs(found.without - found.effect)
    text = (
        f"Away from the other donors when treatment starts: {listed}. Without "
        f"{'it' if len(found.reached) == 1 else 'them'} the effect is "
        f"{count(found.without, sign=True)} in place of {count(found.effect, sign=True)}. If the "
        "intervention reached them, list them in affected_units."
    )
    if not any(abs(one.weight) > LEAST_WEIGHT for one in found.reached):
        return Check(name=name, verdict="pass", label="no donor in use moved", text=text)
    material = moved > MATERIAL * abs(found.effect) or (np.isfinite(error) and moved > error)
    return Check(
        name=name,
        verdict="fail" if material else "warn",
        label="a donor moved at the start",
        text=text,
    )
