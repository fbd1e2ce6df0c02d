"""Names that the figures of one result share."""

from __future__ import annotations

from collections.abc import Sequence

from trustlib.figures import house
from trustlib.interventions import DidResult
from trustlib.interventions.synth.result import SynthResult


def outcome(
    result: DidResult | SynthResult, before: str = "", after: str = "", *, level: bool = False
) -> str:
    """A line that names the outcome, cut so that it fits into the figure's width.

    Parameters
    ----------
    before, after
        Around the name; a scale's word ("thousand ") may be `after`.
    level
        The outcome itself is shown and not an effect on it: a logarithm is no log points then.
    """
    tail = after.rstrip()
    tail = f", {tail}" if tail and not tail.startswith(",") else tail
    if result.design.outcome_scale == "log" and not level:
        tail = f", log points{tail}"
    room = 72 * house.WIDTH - 10 - house.text_width(before) - house.text_width(tail)
    return f"{before}{house.fitted(result.spec.outcome_name or result.spec.outcome, room)}{tail}"


def periods(result: DidResult) -> list[str]:
    """The labels of all periods in their order, as far as the result's frames have them."""
    frame = result.counterfactual
    whole = frame[frame["group"] == "all"] if len(frame) else frame
    if len(whole):
        return [str(label) for label in whole["time"]]
    seen = dict.fromkeys([result.design.period_names[0], *map(str, result.group_time["time"])])
    seen[result.design.period_names[1]] = None
    return sorted(seen) if all(len(label) == len(next(iter(seen))) for label in seen) else [*seen]


def sparse(labels: Sequence[str], width: float, *, gap: float = 8.0) -> list[int]:
    """Positions of the labels that fit side by side in `width` points, evenly spaced."""
    if not labels:
        return []
    widest = max(house.text_width(label) for label in labels) + gap
    every = max(1, -(-len(labels) // max(1, int(width // widest))))
    return list(range(0, len(labels), every))
