"""The breakdown value: how badly trends must differ before the conclusion is lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
import numpy.typing as npt

from trustlib.interventions.honest.coefficients import Coefficients, coefficients
from trustlib.interventions.honest.conditional import accepted, bound_that_accepts_zero
from trustlib.interventions.honest.fixed_length import frontier, shortest

BreakdownKind = Literal["relative_magnitudes", "smoothness"]

MOST = 100.0  # times the worst violation before: beyond it nobody's conclusion hangs on it
SCAN, HALVINGS = 12, 16


def breakdown(
    point: npt.ArrayLike,
    covariance: npt.ArrayLike,
    *,
    n_pre: int,
    target: npt.ArrayLike,
    kind: BreakdownKind,
    level: float = 0.95,
) -> float | None:
    """The bound up to which the interval excludes zero.

    Mbar, or M in units of the outcome. None where it contains zero already at bound 0; infinite
    where an Mbar of 100 does not bring it in. Should the interval not widen steadily, the first
    bound that lets zero in counts. Shapes and Refusal as for `relative_magnitudes`.
    """
    study = coefficients(point, covariance, n_pre=n_pre, target=target)
    return breakdown_of(study, kind=kind, level=level)


def breakdown_of(study: Coefficients, *, kind: BreakdownKind, level: float) -> float | None:
    """As `breakdown`, of an event study already checked."""
    by_kind = _by_relative_magnitudes if kind == "relative_magnitudes" else _by_smoothness
    excludes, ceiling = by_kind(study, level)
    if not excludes(0.0):
        return None
    low = 0.0
    for high in np.linspace(0.0, ceiling, SCAN + 1)[1:].tolist():
        if not excludes(high):
            break
        low = high
    else:
        return float("inf")
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if excludes(middle) else (low, middle)
    return low


def _by_relative_magnitudes(
    study: Coefficients, level: float
) -> tuple[Callable[[float], bool], float]:
    def excludes(bound: float) -> bool:
        return not accepted(study, bound=bound, level=level).contains_zero

    return excludes, min(bound_that_accepts_zero(study), MOST)


def _by_smoothness(study: Coefficients, level: float) -> tuple[Callable[[float], bool], float]:
    path = frontier(study)

    def excludes(bound: float) -> bool:
        return not shortest(study, path, bound=bound, level=level).contains_zero

    # No combination on the path is further from zero than this, nor less biased.
    furthest = float(np.abs(path.weights @ study.point).max())
    return excludes, furthest / path.fixed_bias * 1.001
