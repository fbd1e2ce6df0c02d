"""Draws of simulated worlds, made once."""

from dataclasses import replace
from functools import cache

import pytest

from trustlib.incidents import SizingSpec
from trustlib.incidents.worlds import WORLDS, draw


@cache
def _draw(name, seed, items):
    return draw(next(world for world in WORLDS if world.name == name), seed=seed, **dict(items))


@pytest.fixture
def drawn():
    """drawn("ar_90", seed=1, effect=1.0): counts without control, the spec, the truth."""

    def make(name, *, seed=1, control=False, spec=None, **options):
        one = _draw(name, seed, tuple(sorted(options.items())))
        counts = one.counts.copy() if control else one.counts.drop(columns="control")
        return counts, SizingSpec(incident=one.incident, **(spec or {})), one.excess

    return make


@pytest.fixture
def with_spec():
    return replace
