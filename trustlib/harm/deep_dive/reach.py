"""How many accounts saw a violating item: more than is confirmed, fewer than the violating views.

Views are counted by a sample; accounts are not, since one of them may be behind many views. How
many views an account has is known for the items that are confirmed: v views by d accounts. Of all
W violating views these are a part, and as more views are looked at, fewer of them are by somebody
new. If accounts differ in how much they see as an exponential distribution does, so that their
counts are geometric, then d / v = 1 / (1 + a v) and the accounts behind all of them are

    V = W / (1 + a W),    a = (v − d) / (v d),

which lies between what equal accounts give, W (1 − e^−λ) / λ with λ = λ_v W / v and λ_v solving
d / v = (1 − e^−λ_v) / λ_v, and a gamma distribution's other extreme. For any mixture of Poisson
counts equal accounts are the least (Jensen), so they give the interval's low end, at the fewest
violating views and the most repetition that the counts allow; or at what labelled items have in
common where that is surely more. The high end takes every view of what is not confirmed for
another account: V ≤ d + W − v whatever accounts are like. tests/studies/reach_coverage.md has the
alternatives.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.special import gammaincinv

from trustlib.core import Estimate
from trustlib.core.format import percent
from trustlib.data.abuse_records import AbuseRows
from trustlib.harm.deep_dive.result import Size
from trustlib.harm.deep_dive.samples import Samples
from trustlib.harm.deep_dive.size import of_views
from trustlib.harm.deep_dive.spec import DeepDiveSpec
from trustlib.harm.small_cells import SMALLEST_CELL

METHOD = "violating views, by the views that accounts have of confirmed items"
UNIT = "accounts"
LIMITS = (
    "The number assumes that accounts repeat among all violating views as they do among the "
    "confirmed ones; the upper end does not."
)


@dataclass(frozen=True, kw_only=True)
class _Views:
    """Violating views of the window: the number with its ends, and how it was found."""

    point: float
    low: float
    high: float
    labels: int
    remark: str


def affected_accounts(
    rows: AbuseRows, samples: Samples, size: Size, spec: DeepDiveSpec
) -> Estimate:
    """Distinct accounts that saw a violating item in the window.

    Returns
    -------
    Never below the accounts that saw a confirmed item, never above the violating views' upper
    end. Without a point where views carry no viewer, or no label tells how much is violating;
    its note then says why, and what the floor is.
    """
    known = size.confirmed
    if "views" in rows.missing or (known is not None and known.viewers is None):
        reason = rows.missing.get("views", "views carry no account that saw them")
        return _none(f"not estimable: {reason.rstrip('.')}", spec)
    views = _violating_views(samples, size)
    if known is None or known.views is None or known.viewers is None or views is None:
        # Fewer than 11 are not told: a note stands on the page as it is.
        told = known is not None and (known.viewers or 0) >= SMALLEST_CELL
        floor = f"; at least {known.viewers:,} saw a confirmed item" if told and known else ""
        return _none(f"not estimable: no label tells how much is violating{floor}", spec)
    return _estimate(rows, views, seen=known.views, accounts=known.viewers, spec=spec)


def _estimate(
    rows: AbuseRows, views: _Views, *, seen: int, accounts: int, spec: DeepDiveSpec
) -> Estimate:
    """From `views`, and `seen` views of confirmed items by so many `accounts`."""
    low, middle, high = (max(float(seen), w) for w in (views.low, views.point, views.high))
    point = max(_geometric(middle, seen=seen, accounts=accounts), float(accounts))
    most = _poisson_ends(seen - accounts, level=spec.level)[1]
    alike = _rate_of_equals(max(1.0, seen - most), seen=seen) * low / seen if seen else 0.0
    shared = _rate_of_labelled(rows, low, level=spec.level)
    least = low * _accounts_per_view(max(alike, shared))
    return Estimate(
        point=point,
        low=min(point, max(float(accounts), least)),
        high=max(point, accounts + high - seen),
        level=spec.level,
        unit=UNIT,
        method=METHOD,
        n=views.labels,
        note=f"{LIMITS}{views.remark}",
    )


def _violating_views(samples: Samples, size: Size) -> _Views | None:
    """Corrected for the raters' errors where these are known."""
    if size.views is None or size.views.estimate.point is None:
        return None
    drawn = of_views(samples)
    if drawn is None:
        return None
    total = float(drawn[1].views.sum()) * size.views.covered
    corrected = size.views_corrected
    share, remark = size.views.estimate, " The raters' own errors are still in it."
    if corrected is not None and corrected.estimate.point is not None:
        share, remark = corrected.estimate, ""
    if share.point is None or share.low is None or share.high is None:
        return None
    if size.views.covered < 1:
        remark += f" {percent(1 - size.views.covered)} of views are in strata without a label."
    return _Views(
        point=share.point * total,
        low=share.low * total,
        high=share.high * total,
        labels=size.views.labels,
        remark=remark,
    )


def _geometric(views: float, *, seen: int, accounts: int) -> float:
    """V of the module's head; every view by another account where nothing is confirmed."""
    if not seen:
        return views
    return views / (1 + views * (seen - accounts) / (seen * accounts))


def _accounts_per_view(rate: float) -> float:
    """(1 − e^−λ) / λ: accounts with at least one view over views, if all have λ on average."""
    return -math.expm1(-rate) / rate if rate > 1e-12 else 1.0


def _rate_of_equals(accounts: float, *, seen: int) -> float:
    """λ at which `seen` views are by so many `accounts`, if all are equal."""
    share = accounts / seen
    if share >= 1 - 1e-9:
        return 0.0
    return float(brentq(lambda rate: _accounts_per_view(rate) - share, 1e-9, 2 / share + 10))


def _poisson_ends(events: float, *, level: float) -> tuple[float, float]:
    """Garwood's exact interval of a Poisson mean."""
    tail = (1 - level) / 2
    low = float(gammaincinv(events, tail)) if events > 0 else 0.0
    return low, float(gammaincinv(events + 1, 1 - tail))


def _rate_of_labelled(rows: AbuseRows, views: float, *, level: float) -> float:
    """λ that two labelled violating items' common viewers show at the least.

    Common viewers are expected in proportion to the product of two items' viewers, c n₁ n₂, and
    λ = c W. Labelled items were drawn without looking at what is confirmed.
    """
    each = rows.viewers["viewers"].to_numpy(float)
    products = (each.sum() ** 2 - np.sum(each**2)) / 2
    common = float(rows.shared_viewers["viewers"].sum())
    if not products > 0:
        return 0.0
    return _poisson_ends(common, level=level)[0] / float(products) * views


def _none(note: str, spec: DeepDiveSpec) -> Estimate:
    return Estimate(
        point=None, low=None, high=None, level=spec.level, unit=UNIT, method=METHOD, n=0, note=note
    )
