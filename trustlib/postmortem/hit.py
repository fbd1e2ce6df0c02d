"""How many people were hit, with the two extremes that bound it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from trustlib.stats.horvitz_thompson import FloatArray

DRAWS = 4000  # of each share


@dataclass(frozen=True, kw_only=True)
class Hit:
    """How many people were hit; the two extremes at the estimated shares; labels by band."""

    point: float
    low: float
    high: float
    fewest: float
    most: float
    n: int
    bands: tuple[tuple[str, int, int], ...]  # name, people, labels


def outwards(low: FloatArray, high: FloatArray, level: float) -> tuple[float, float]:
    """Quantiles of the two extremes, rounded outwards to whole people."""
    tail = (1 - level) / 2
    return (
        float(math.floor(np.quantile(low, tail) + 1e-9)),
        float(math.ceil(np.quantile(high, 1 - tail) - 1e-9)),
    )
