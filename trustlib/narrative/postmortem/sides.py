"""What users may be told of each side: an error is admitted or denied only as far as labels go."""

from __future__ import annotations

from trustlib.harm.deep_dive.published import is_small
from trustlib.narrative import house
from trustlib.narrative.postmortem import numbers
from trustlib.postmortem.result import Postmortem

# Estimate, what it counts, what was done to them.
BY_SIDE = {
    "over": ("false_positives", "items", "were restricted by mistake"),
    "under": ("false_negatives", "harmful items", "were not found in time"),
}
SIGN_OF = {
    "over": "our service restricted items that it should not have restricted",
    "under": "our service missed harmful items",
}
_DID = {
    "over": "restricted items that it should not have restricted",
    "under": "did not find harmful items in time",
}
_MAY = {
    "over": "may have restricted items that it should not have restricted",
    "under": "may not have found harmful items in time",
}
SURE, UNSURE, NO_SIGN = "sure", "unsure", "no sign"


def sides(result: Postmortem) -> dict[str, str]:
    """Sides that there are cases of, by `SURE` (some were wrong), `UNSURE` or `NO_SIGN`."""
    frame = result.affected
    items = zip(frame["kind"], frame["side"], frame["candidates"], strict=True)
    with_cases = {str(side) for kind, side, n in items if kind == "items" and n != 0}
    there = {}
    for side, (name, _, _) in BY_SIDE.items():
        if numbers.known(result.estimates.get(name)) or side in with_cases:
            there[side] = _known(result, name)
    return there


def _known(result: Postmortem, name: str) -> str:
    """A withheld number, or one surely below 11, may be none: it neither admits nor denies."""
    estimate = result.estimates.get(name)
    if estimate is None or estimate.point is None:
        return UNSURE
    if estimate.point == 0:
        return NO_SIGN
    sure = estimate.low is not None and estimate.low > 0 and not is_small(estimate.high)
    return SURE if sure else UNSURE


def happened(result: Postmortem) -> str:
    """``our service restricted items that it should not have restricted``, or that it may have."""
    found = sides(result)
    parts = [
        _DID[side] if known == SURE else _MAY[side]
        for side, known in found.items()
        if known != NO_SIGN
    ]
    return f"our service {house.listed(parts)}" if parts else "our service did not work as usual"
