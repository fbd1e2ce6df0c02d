"""A sized incident to put on record: made once, from a world that knows its truth."""

from __future__ import annotations

from functools import cache

from trustlib.incidents import SizingResult, SizingSpec, sizing
from trustlib.incidents.worlds import WORLDS, draw


@cache
def sized(effect: float = 2.0, seed: int = 1) -> SizingResult:
    """An incident of 36 hours; `effect` 0: none."""
    world = next(world for world in WORLDS if world.name == "ar_90")
    made = draw(world, seed=seed, effect=effect)
    counts = made.counts.drop(columns="control")
    return sizing(counts, SizingSpec(incident=made.incident, unit_label="actions"))
