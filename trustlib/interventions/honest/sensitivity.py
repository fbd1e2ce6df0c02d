"""Both restrictions at a few bounds, their breakdown values, and the check made of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import ndtr

from trustlib.interventions.effects import Effects
from trustlib.interventions.honest.breakdown import BreakdownKind, breakdown_of
from trustlib.interventions.honest.coefficients import (
    Coefficients,
    HonestInterval,
    coefficients,
    reason_not_run,
)
from trustlib.interventions.honest.conditional import accepted
from trustlib.interventions.honest.fixed_length import frontier, largest_bend, shortest

MULTIPLES = (0.25, 0.5, 1.0, 1.5, 2.0)
FURTHER = (3.0, 5.0, 10.0, 20.0, 50.0, 100.0)  # as far as it takes to show the breakdown


@dataclass(frozen=True, kw_only=True)
class Sensitivity:
    """How the conclusion fares when trends are not parallel (Rambachan & Roth 2023).

    Attributes
    ----------
    level
        Of every interval.
    original
        The interval if trends are parallel; None where nothing could be run.
    relative_magnitudes
        Intervals by Mbar: trends differ from one period to the next by at most Mbar times the
        most they did before treatment.
    smoothness
        Intervals by M, in units of the outcome: the trend difference bends by at most M a
        period. M = 0 is any straight line, carried forward.
    breakdown_relative_magnitudes, breakdown_smoothness
        The bound up to which zero is excluded; None where it never is, or nothing was run.
    bend, bend_name
        The unit of the M shown, and what it is in words.
    worst_change, worst_change_p_value
        The largest change of the event study between two periods up to the reference, and the
        p-value of there being none at all (the smallest of all changes, Bonferroni-adjusted):
        whether the benchmark of Mbar is a violation that was seen or the noise of its estimate.
    reason
        Why nothing was run.
    left_out
        Event times that could not be used: not estimable, or beyond such a gap.
    """

    level: float
    original: HonestInterval | None = None
    relative_magnitudes: tuple[HonestInterval, ...] = ()
    smoothness: tuple[HonestInterval, ...] = ()
    breakdown_relative_magnitudes: float | None = None
    breakdown_smoothness: float | None = None
    bend: float = float("nan")
    bend_name: str = ""
    worst_change: float = float("nan")
    worst_change_p_value: float = float("nan")
    reason: str | None = None
    left_out: tuple[int, ...] = ()

    def why_no_breakdown(self, kind: BreakdownKind) -> str | None:
        """Why there is no breakdown value of `kind`; None where there is one."""
        if self.original is None:
            return self.reason
        if kind == "smoothness":
            found, where = self.breakdown_smoothness, "once a straight-line trend is allowed for"
        else:
            found, where = self.breakdown_relative_magnitudes, "even if trends are parallel"
        return None if found is not None else f"the interval contains zero {where}"

    def frame(self) -> pd.DataFrame:
        """kind, bound, low, high, contains_zero: each kind starts with the original interval,
        at bound 0 (relative magnitudes) or NaN (smoothness)."""
        rows: list[tuple[str, float, float, float, bool]] = []
        for kind, first, intervals in (
            ("relative_magnitudes", 0.0, self.relative_magnitudes),
            ("smoothness", float("nan"), self.smoothness),
        ):
            if self.original is not None:
                plain = self.original
                rows.append((kind, first, plain.low, plain.high, plain.contains_zero))
            rows.extend((kind, x.bound, x.low, x.high, x.contains_zero) for x in intervals)
        columns = ["kind", "bound", "low", "high", "contains_zero"]
        frame = pd.DataFrame(rows, columns=columns)
        return frame.astype(
            {"kind": str, "bound": float, "low": float, "high": float, "contains_zero": bool}
        )


def sensitivity(
    point: npt.ArrayLike,
    covariance: npt.ArrayLike,
    *,
    n_pre: int,
    target: npt.ArrayLike,
    level: float = 0.95,
) -> Sensitivity:
    """Both analyses of one event study; where they cannot be run, the reason.

    Shapes as for `relative_magnitudes`. Nothing is drawn at random. M is shown in multiples of
    the largest bend before treatment, or of the standard error where no bend can be seen.
    """
    reason = reason_not_run(point, covariance, n_pre=n_pre, target=target)
    if reason is not None:
        return Sensitivity(level=level, reason=reason)
    study = coefficients(point, covariance, n_pre=n_pre, target=target)
    at_most = breakdown_of(study, kind="relative_magnitudes", level=level)
    bend_at_most = breakdown_of(study, kind="smoothness", level=level)
    bend, bend_name = _bend(study)
    path = frontier(study)
    bends = [0.0, *_shown(None if bend_at_most is None else bend_at_most / bend)]
    worst_change, worst_change_p_value = _worst_change(study)
    return Sensitivity(
        level=level,
        original=study.plain(level),
        relative_magnitudes=tuple(
            accepted(study, bound=bound, level=level) for bound in _shown(at_most)
        ),
        smoothness=tuple(
            shortest(study, path, bound=bend * multiple, level=level) for multiple in bends
        ),
        breakdown_relative_magnitudes=at_most,
        breakdown_smoothness=bend_at_most,
        bend=bend,
        bend_name=bend_name,
        worst_change=worst_change,
        worst_change_p_value=worst_change_p_value,
    )


def sensitivity_of(
    effects: Effects,
    *,
    reference: int = -1,
    target: npt.ArrayLike | None = None,
    level: float = 0.95,
) -> Sensitivity:
    """The sensitivity of a dynamic family of effects with one reference period for all.

    `target` has a weight for each of `effects.keys` after `reference`; by default the family's
    own overall weights. Event times are used as far out as every one from the reference on is
    estimable; the target must not need one that is left out.
    """
    weights = effects.overall_weights[effects.keys > reference] if target is None else target
    at = {int(key): i for i, key in enumerate(effects.keys)}
    weight_at = dict(zip((key for key in at if key > reference), np.asarray(weights), strict=True))
    before = _unbroken(effects, at, range(reference - 1, min(at, default=0) - 1, -1))[::-1]
    after = _unbroken(effects, at, range(reference + 1, max(at, default=0) + 1))
    used = before + after
    left_out = tuple(sorted(set(at) - set(used) - {reference}))
    needed = [key for key in left_out if weight_at.get(key, 0.0) != 0]
    if needed or not after:
        return Sensitivity(
            level=level,
            reason="the effect rests on event times that are not estimable",
            left_out=left_out,
        )
    rows = np.array([at[key] for key in used])
    found = sensitivity(
        effects.point[rows],
        effects.covariance[np.ix_(rows, rows)],
        n_pre=len(before),
        target=[weight_at[key] for key in after],
        level=level,
    )
    return replace(found, left_out=left_out)


def _unbroken(effects: Effects, at: dict[int, int], outward: Sequence[int]) -> list[int]:
    """Event times from the reference outward, up to the first that is not estimable."""
    keys: list[int] = []
    for key in outward:
        i = at.get(key)
        if i is None or not np.isfinite(effects.point[i]):
            break
        variance = effects.covariance[i, i]
        if not (np.isfinite(variance) and variance > 0):
            break
        keys.append(key)
    return keys


def _bend(study: Coefficients) -> tuple[float, str]:
    seen = largest_bend(study)
    if np.isfinite(seen) and seen > 0:
        return seen, "the largest bend before treatment"
    return study.standard_error, "the standard error of the effect"


def _worst_change(study: Coefficients) -> tuple[float, float]:
    n_pre = study.n_pre
    changes = np.diff(np.vstack([np.eye(n_pre), np.zeros(n_pre)]), axis=0)  # reference last
    found = np.abs(changes @ study.point[:n_pre])
    covariance = study.covariance[:n_pre, :n_pre]
    errors = np.sqrt(np.einsum("si,ij,sj->s", changes, covariance, changes))
    smallest = 2 * float(ndtr(-(found / errors).max()))
    return float(found.max()), min(1.0, n_pre * smallest)


def _shown(at_most: float | None) -> list[float]:
    """Multiples that reach beyond the breakdown where there is one."""
    shown = list(MULTIPLES)
    for further in FURTHER:
        if at_most is None or not np.isfinite(at_most) or shown[-1] >= at_most:
            break
        shown.append(further)
    return shown
