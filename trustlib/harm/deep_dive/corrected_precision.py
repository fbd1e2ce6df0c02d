"""What of a control's hits violates, with the raters' own errors taken out.

Labels that overlook one violating item in ten make every control look as if one of its true hits
in ten were a mistake. Recall has hits and misses overlooked alike, so that cancels; precision has
not. Rogan and Gladen's correction with melded ends (`trustlib.stats.melding`).
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from scipy.special import expit, logit, ndtri

from trustlib.core import Estimate
from trustlib.harm.controls import Controls
from trustlib.harm.rater_error import RaterError
from trustlib.stats.melding import ConfidenceDraws, binomial_draws, melded_interval, rogan_gladen

NOT_CORRECTED = "The raters' own errors are still in it."
CORRECTED = "corrected for the raters' errors"


def corrected_precisions(found: Controls, error: RaterError | None, *, seed: int) -> Controls:
    """`found` with each precision corrected, or with a note that it is not."""
    return replace(
        found,
        precision=tuple(corrected_precision(one, error, seed=seed) for one in found.precision),
        precision_of_controls=corrected_precision(found.precision_of_controls, error, seed=seed),
    )


def corrected_precision(found: Estimate, error: RaterError | None, *, seed: int) -> Estimate:
    """One precision, corrected, or with a note that it is not."""
    if found.point is None or found.low is None or found.high is None:
        return found
    if error is None or not error.informative:
        return replace(found, note=" ".join(filter(None, (found.note, NOT_CORRECTED))))
    se, sp = error.sensitivity.point, error.specificity.point
    hits, false = error.sensitivity_draws, error.false_positive_draws
    assert se is not None
    assert sp is not None
    assert hits is not None
    assert false is not None
    raw = rogan_gladen(found.point, false_positive=1 - sp, sensitivity=se)
    low, high = melded_interval(
        _drawn(found, len(hits.low), seed),
        false_positive=false,
        sensitivity=hits,
        level=found.level,
    )
    point = min(1.0, max(0.0, raw))
    return replace(
        found,
        point=point,
        low=min(low, point),
        high=max(high, point),
        standard_error=None,
        method=f"{found.method}, {CORRECTED}",
    )


def _drawn(found: Estimate, draws: int, seed: int) -> ConfidenceDraws:
    """Quantiles at the interval's level are its ends: a normal of the log-odds, split at the point.

    At 0 and 1 the beta distribution of so many labels as have the same exact bound.
    """
    assert found.point is not None
    assert found.low is not None
    assert found.high is not None
    share, tail = found.point, (1 - found.level) / 2
    random = np.random.default_rng([seed, 2])
    if 0 < share < 1:
        middle = logit(share)
        low, high = logit(np.clip([found.low, found.high], 1e-9, 1 - 1e-9))
        normal = random.standard_normal(draws)
        step = np.where(normal > 0, high - middle, middle - low)
        values = expit(middle - normal * step / ndtri(tail))
        return ConfidenceDraws(low=values, high=values)
    bound = found.high if share == 0 else 1 - found.low
    n = math.log(tail) / math.log1p(-bound) if 0 < bound < 1 else math.inf
    if math.isinf(n):
        return ConfidenceDraws(low=np.full(draws, share), high=np.full(draws, share))
    return binomial_draws(share * n, n, draws=draws, random=random)
