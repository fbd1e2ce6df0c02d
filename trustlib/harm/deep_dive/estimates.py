"""The numbers of a deep-dive by name, as results.json has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from trustlib.core import Estimate
from trustlib.harm.corrected import CorrectedPrevalence
from trustlib.harm.deep_dive.result import Size, Today, Where
from trustlib.harm.deep_dive.samples import Samples
from trustlib.harm.deep_dive.size import of_items, of_views
from trustlib.harm.deep_dive.spec import DeepDiveSpec
from trustlib.harm.deep_dive.worth import harm
from trustlib.harm.prevalence import Prevalence

KNOWN = "a count that is known, so it has no interval; there may be more"
AS_LABELLED = "as labelled: how often labels are wrong is not known"


def estimates(
    samples: Samples,
    *,
    size: Size,
    where: Where,
    today: Today,
    affected: Estimate,
    why: Mapping[str, str],
    spec: DeepDiveSpec,
) -> dict[str, Estimate]:
    """Shares and totals with rater error taken out where it is known, and all else that counts.

    prevalence, prevalence_views, affected_accounts, recall_of_controls and unseen_lower_bound are
    always there: what is not estimable has no point, and its note says why. The others are there
    where there is something to say.
    """
    items = _best(size.items, size.items_corrected)
    views = _best(size.views, size.views_corrected)
    drawn, seen = of_items(samples), of_views(samples)
    recall = today.controls.recall_of_controls if today.controls else None
    unseen = today.unseen.unseen_lower_bound if today.unseen else None
    found: dict[str, Estimate | None] = {
        "prevalence": items or _none("share of items", why.get("size.items"), spec),
        "prevalence_views": views or _none("share of views", why.get("size.views"), spec),
        "affected_accounts": affected,
        "recall_of_controls": recall
        or _none("share of violating items", why.get("today.controls"), spec),
        "unseen_lower_bound": unseen or _none("violating items", why.get("today.unseen"), spec),
        "prevalence_labelled": size.items.estimate if size.items else None,
        "prevalence_views_labelled": size.views.estimate if size.views else None,
        "violating_items": _total(items, size.items, drawn[1].items.sum() if drawn else 0, "items"),
        "violating_views": _total(views, size.views, seen[1].views.sum() if seen else 0, "views"),
    }
    found["violating_items"] = _above(found["violating_items"], size)
    found |= _floor(size, spec)
    found["cost_usd"] = _cost(found["violating_items"], found["violating_views"], spec)
    found["harm"] = harm(samples, spec)
    found |= _of_controls(today)
    found |= _of_actors(where)
    return {name: one for name, one in found.items() if one is not None}


def _best(plain: Prevalence | None, right: CorrectedPrevalence | None) -> Estimate | None:
    """With rater error taken out where that can be done."""
    if right is not None and right.estimate.point is not None:
        return right.estimate
    if plain is None:
        return None
    note = "; ".join(text for text in (plain.estimate.note, AS_LABELLED) if text)
    return replace(plain.estimate, note=note)


def _total(
    share: Estimate | None, plain: Prevalence | None, whole: float, unit: str
) -> Estimate | None:
    """The count that a share is, of the strata that have labels."""
    if share is None or plain is None or share.point is None:
        return None
    size = float(whole) * plain.covered

    def times(value: float | None) -> float | None:
        return None if value is None else value * size

    return replace(
        share,
        point=times(share.point),
        low=times(share.low),
        high=times(share.high),
        standard_error=times(share.standard_error),
        unit=f"violating {unit}",
        method=f"{share.method}, times the population",
    )


def _above(total: Estimate | None, size: Size) -> Estimate | None:
    """Its low end no lower than what is confirmed, where the point is not below that either."""
    known = size.confirmed.items if size.confirmed else 0
    if total is None or total.point is None or total.low is None:
        return total
    if not total.low < known <= total.point:
        return total
    return replace(total, low=known, method=f"{total.method}, no lower than what is confirmed")


def _floor(size: Size, spec: DeepDiveSpec) -> dict[str, Estimate | None]:
    known = size.confirmed
    if known is None:
        return {}
    counts = {"confirmed_items": (known.items, "violating items"),
              "confirmed_views": (known.views, "violating views"),
              "confirmed_accounts": (known.accounts, "accounts")}  # fmt: skip
    return {
        name: None
        if n is None
        else Estimate(point=n, low=None, high=None, level=spec.level, unit=unit, method="count",
                      n=n, note=KNOWN)
        for name, (n, unit) in counts.items()
    }  # fmt: skip


def _cost(items: Estimate | None, views: Estimate | None, spec: DeepDiveSpec) -> Estimate | None:
    """Values times counts; ends are added, since items and their views go up together."""
    parts = [
        (value, counted, noun)
        for value, counted, noun in (
            (spec.item_value_usd, items, "items"),
            (spec.view_value_usd, views, "views"),
        )
        if value is not None
    ]
    if not parts:
        return None
    lacking = [noun for _, counted, noun in parts if counted is None or counted.low is None]
    if lacking:
        return _none("USD", f"violating {' and '.join(lacking)} are not estimable", spec)
    known = [(value, counted) for value, counted, _ in parts if counted is not None]
    point, low, high = (
        sum(value * (getattr(counted, end) or 0.0) for value, counted in known)
        for end in ("point", "low", "high")
    )
    told = " and ".join(f"{value:g} USD a violating {noun[:-1]}" for value, _, noun in parts)
    return Estimate(
        point=point,
        low=low,
        high=high,
        level=spec.level,
        unit="USD",
        method=f"{told}, taken as known, times their number",
        n=max(counted.n for _, counted in known),
        note="the values are what was given: they have no interval",
    )


def _of_controls(today: Today) -> dict[str, Estimate | None]:
    return {
        "precision_of_controls": today.controls.precision_of_controls if today.controls else None,
        "proactive_rate": today.proactive,
        "overturn_rate": today.overturns.overturn_rate if today.overturns else None,
    }


def _of_actors(where: Where) -> dict[str, Estimate | None]:
    return {
        "gini": where.concentration.gini if where.concentration else None,
        "top_10pc_share": where.concentration.top_share.get(0.1) if where.concentration else None,
        "missing_account_share": where.survivorship.missing_share if where.survivorship else None,
    }


def _none(unit: str, why: str | None, spec: DeepDiveSpec) -> Estimate:
    text = (why or "there is nothing to tell it from").rstrip(".")
    return Estimate(point=None, low=None, high=None, level=spec.level, unit=unit,
                    method="not estimable", n=0, note=f"not estimable: {text}")  # fmt: skip
