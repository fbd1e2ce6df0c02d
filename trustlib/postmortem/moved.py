"""Which of the numbers of people, items and the loss left the interval that they had earlier."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from trustlib.core import Estimate
from trustlib.postmortem.measures import HIT
from trustlib.postmortem.steady import steady_count

_ROUNDING = 1e-9  # of the size: sums in another order are no move


def moved(
    earlier: Mapping[str, Estimate], estimates: Mapping[str, Estimate]
) -> tuple[list[str], list[str]]:
    """Of `HIT`, in words: what left its earlier interval, and what lies in it.

    Not compared is what has no interval then, no point now, or another unit.
    """
    left: list[str] = []
    stayed: list[str] = []
    for name, words in HIT.items():
        then, now = earlier.get(name), estimates.get(name)
        if then is None or now is None or then.unit != now.unit or now.point is None:
            continue
        if then.low is None or then.high is None:
            continue
        point = now.point
        if name != "net_loss_usd" and then.low == then.high and now.low == now.high:
            # Known counts: a step by a few people is not shown, so it is not told here either.
            steady = steady_count(point, then.point)
            point = point if steady is None else steady
        slack = _ROUNDING * abs(point)
        inside = then.low - slack <= point <= then.high + slack
        (stayed if inside else left).append(words)
    return left, stayed


def outside(left: Sequence[str]) -> str:
    """A sentence of what left."""
    intervals = "interval" if len(left) == 1 else "intervals"
    return f"Outside the earlier {intervals}: {', '.join(left)}."
