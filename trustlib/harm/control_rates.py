"""Rates that are often taken for recall or precision, each with what it can and cannot say.

Precision at another base rate is Bayes' rule, Se π / (Se π + (1 − Sp)(1 − π)), on the log-odds
scale: logit π + log Se − log(1 − Sp). Its interval puts the three intervals together by their
distances from the points (MOVER: Zou and Donner 2008, Statistics in Medicine 27).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit

from trustlib.core import Check, Estimate
from trustlib.core.format import percent
from trustlib.stats.wilson import clopper_pearson, wilson

PROACTIVE_CAVEAT = (
    "The proactive rate is the part of what was actioned that no user had reported before. "
    "It is not recall: what nobody found is in neither count, and it rises when users report less."
)
OVERTURN_CAVEAT = (
    "The overturn rate is not the share of wrong decisions: who appeals is selected. "
    "Only a random audit of enforced items measures that."
)


@dataclass(frozen=True, kw_only=True)
class Overturns:
    """What appeals and a random audit say about wrong enforcement.

    Attributes
    ----------
    overturn_rate
        Overturned / decided appeals.
    appeal_rate
        Appealed / enforced.
    wrong_rate
        Wrong / audited, of a random audit; without a point where there was none.
    wrong_at_least, wrong_at_most
        Bounds of the share of wrong decisions from appeals alone, if every decision on appeal
        is right: those overturned, and all but those upheld, of all enforced.
    check
        Whether the overturn rate could stand for the share of wrong decisions.
    """

    overturn_rate: Estimate
    appeal_rate: Estimate
    wrong_rate: Estimate
    wrong_at_least: float
    wrong_at_most: float
    check: Check


def precision_at_base_rate(
    *, sensitivity: Estimate, specificity: Estimate, base_rate: Estimate | float
) -> Estimate:
    """Precision where `base_rate` of the items is violating, whatever the mix of the sample.

    Parameters
    ----------
    sensitivity, specificity
        Recall of the violating, and the share of the others that is not flagged.
    base_rate
        Between 0 and 1; a number is taken as known.

    Returns
    -------
    Without a point where a part has none; with a point and no interval where a part has none.
    """
    method = "Bayes' rule, intervals put together on the log-odds scale"
    level, n = sensitivity.level, min(sensitivity.n, specificity.n)
    known = base_rate if isinstance(base_rate, Estimate) else None
    prior = base_rate.point if isinstance(base_rate, Estimate) else base_rate
    points = (sensitivity.point, specificity.point, prior)
    unit = "share of flagged items"
    if any(point is None for point in points):
        return Estimate(point=None, low=None, high=None, level=level, unit=unit, method=method,
                        n=n, note="not estimable: a part is not estimable")  # fmt: skip
    se, sp, pi = (float(point) for point in points if point is not None)
    if not 0 <= pi <= 1:
        raise ValueError("precision_at_base_rate: the base rate is between 0 and 1")
    hits, mistakes = se * pi, (1 - sp) * (1 - pi)
    if hits + mistakes <= 0:
        return Estimate(point=None, low=None, high=None, level=level, unit=unit, method=method,
                        n=n, note="not estimable: nothing would be flagged")  # fmt: skip
    point = hits / (hits + mistakes)
    ends = _ends(sensitivity, specificity, known, pi)
    if ends is None:
        return Estimate(point=point, low=None, high=None, level=level, unit=unit, method=method,
                        n=n, note="no interval: a part has none")  # fmt: skip
    return Estimate(point=point, low=min(ends[0], point), high=max(ends[1], point), level=level,
                    unit=unit, method=method, n=n)  # fmt: skip


def _ends(
    se: Estimate, sp: Estimate, known: Estimate | None, pi: float
) -> tuple[float, float] | None:
    """MOVER on the log-odds of precision; the worst corner where a part is at its edge."""
    if se.low is None or sp.low is None or se.high is None or sp.high is None:
        return None
    if known is not None and (known.low is None or known.high is None):
        return None
    priors = (pi, known.low, known.high) if known else (pi, pi, pi)
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = np.array(
            [
                np.log([float(se.point or 0), se.low, se.high]),
                -np.log1p([-float(sp.point or 0), -sp.low, -sp.high]),
                logit([float(p or 0) for p in priors]),
            ]
        )
        if not np.isfinite(parts[:, 0]).all():
            return float(np.nan_to_num(expit(parts[:, 1].sum()))), float(
                np.nan_to_num(expit(parts[:, 2].sum()), nan=1.0)
            )
        middle = parts[:, 0].sum()
        low = middle - math.sqrt(np.sum((parts[:, 0] - parts[:, 1]) ** 2))
        high = middle + math.sqrt(np.sum((parts[:, 2] - parts[:, 0]) ** 2))
    return float(expit(low)), float(expit(high))


def proactive_rate(
    proactive: npt.ArrayLike, actioned: npt.ArrayLike, *, level: float = 0.95
) -> Estimate:
    """Actioned before any user report / actioned, with `PROACTIVE_CAVEAT` as its note.

    Parameters
    ----------
    proactive, actioned
        (A,) counts of each account, so that the items of one account are counted together; or
        two numbers, and then every item counts for itself.
    """
    return _rate(proactive, actioned, level=level, unit="share of actioned items",
                 nothing="nothing was actioned", note=PROACTIVE_CAVEAT)  # fmt: skip


def overturns(
    *,
    enforced: int,
    appealed: int,
    decided: int,
    overturned: int,
    audited: int = 0,
    wrong: int = 0,
    level: float = 0.95,
) -> Overturns:
    """Set the overturn rate beside a random audit of enforced items, where there was one.

    Raises
    ------
    ValueError
        Unless overturned ≤ decided ≤ appealed ≤ enforced and wrong ≤ audited.
    """
    if not 0 <= overturned <= decided <= appealed <= enforced or not 0 <= wrong <= audited:
        raise ValueError(
            "overturns: overturned ≤ decided ≤ appealed ≤ enforced and wrong ≤ audited are needed"
        )
    rate = _rate(overturned, decided, level=level, unit="share of decided appeals",
                 nothing="no appeal was decided", note=OVERTURN_CAVEAT)  # fmt: skip
    appeal_rate = _rate(appealed, enforced, level=level, unit="share of enforced items",
                        nothing="nothing was enforced")  # fmt: skip
    wrong_rate = _rate(wrong, audited, level=level, unit="share of enforced items",
                       nothing="no random audit of enforced items")  # fmt: skip
    least = overturned / enforced if enforced else 0.0
    most = 1 - (decided - overturned) / enforced if enforced else 1.0
    return Overturns(
        overturn_rate=rate,
        appeal_rate=appeal_rate,
        wrong_rate=wrong_rate,
        wrong_at_least=least,
        wrong_at_most=most,
        check=_overturn_check(rate, wrong_rate, least, most),
    )


def _overturn_check(rate: Estimate, wrong: Estimate, least: float, most: float) -> Check:
    name = "overturn_against_audit"
    between = f"Appeals alone leave it between {percent(least)} and {percent(most)}."
    if wrong.low is None or wrong.high is None:
        return Check(
            name=name,
            verdict="not_run",
            label="no audit of enforced items",
            text=f"{OVERTURN_CAVEAT} There was none. {between}",
        )
    audited = (
        f"A random audit puts wrong decisions at {percent(wrong.point)} "
        f"({percent(wrong.low)} to {percent(wrong.high)})"
    )
    if rate.point is None:
        return Check(name=name, verdict="not_run", label="no decided appeals",
                     text=f"{audited}; no appeal was decided.")  # fmt: skip
    inside = wrong.low <= rate.point <= wrong.high
    return Check(
        name=name,
        verdict="pass" if inside else "warn",
        label="appeals agree with the audit" if inside else "appeals are not the error rate",
        text=f"{audited}; {percent(rate.point)} of decided appeals were overturned. "
        f"{'' if inside else 'Who appeals is selected: use the audit.'}".strip(),
    )


def _rate(
    part: npt.ArrayLike,
    whole: npt.ArrayLike,
    *,
    level: float,
    unit: str,
    nothing: str,
    note: str | None = None,
) -> Estimate:
    """Σ part / Σ whole; with several accounts, Wilson's on the effective number of items."""
    above = np.atleast_1d(np.asarray(part, dtype=float))
    below = np.atleast_1d(np.asarray(whole, dtype=float))
    if above.shape != below.shape or (above < 0).any() or (above > below).any():
        raise ValueError("a rate needs two counts for each account, the part within the whole")
    used = below > 0
    order = np.lexsort((above[used], below[used]))
    above, below = above[used][order], below[used][order]
    total = float(below.sum())
    if not total:
        return Estimate(point=None, low=None, high=None, level=level, unit=unit,
                        method="Wilson", n=0, note=f"not estimable: {nothing}")  # fmt: skip
    share, accounts = float(above.sum() / total), len(below)
    if accounts == 1:
        low, high = wilson(share, n=total, level=level)
        return Estimate(point=share, low=low, high=high, level=level, unit=unit, method="Wilson",
                        n=int(total), note=note)  # fmt: skip
    variance = float(np.sum((above - share * below) ** 2)) * accounts / (accounts - 1) / total**2
    if share in (0.0, 1.0) or variance <= 0:
        looks = total**2 / float(np.sum(below**2))
        low, high = clopper_pearson(share, n=looks, level=level)
    else:
        low, high = wilson(share, n=share * (1 - share) / variance, level=level)
    return Estimate(point=share, low=low, high=high, level=level, unit=unit,
                    method="Wilson, items of one account counted together", n=int(total),
                    standard_error=math.sqrt(variance) if variance > 0 else None,
                    note=note)  # fmt: skip
