"""Small labelled samples for the tests of this room."""

from __future__ import annotations

import numpy as np

from trustlib.harm import LabelledSample, Population


def sample(stratum, label, *, inclusion=0.001, views=1.0, actor=None, **more) -> LabelledSample:
    """One row per label; what is not said is the same for all."""
    n = len(label)
    filled = {
        "stratum": np.asarray(stratum),
        "inclusion": np.broadcast_to(inclusion, n),
        "label": np.asarray(label, dtype=float),
        "views": np.broadcast_to(views, n),
        "actor": np.full(n, -1) if actor is None else np.asarray(actor),
        "score": np.full(n, np.nan),
        "votes": np.empty((n, 0)),
    }
    return LabelledSample(**filled | more)


def population(items, *, views=None, **more) -> Population:
    items = np.asarray(items, dtype=float)
    return Population(
        items=items,
        views=items if views is None else views,
        strata=tuple(f"stratum {code}" for code in range(len(items))),
        **more,
    )


def drawn(seed: int, *, n=(200, 300), rate=(0.02, 0.2), items=(40_000, 5_000)):
    """A stratified sample with actors, views and a segment, and its population."""
    random = np.random.default_rng(seed)
    stratum = np.repeat(np.arange(len(n)), n)
    size, total = np.asarray(n), np.asarray(items, dtype=float)
    label = (random.random(len(stratum)) < np.asarray(rate)[stratum]).astype(float)
    made = sample(
        stratum,
        label,
        inclusion=(size / total)[stratum],
        views=random.integers(0, 40, len(stratum)).astype(float),
        actor=random.integers(-1, 150, len(stratum)),
        score=random.random(len(stratum)),
        segments={"market": random.integers(0, 3, len(stratum))},
        segment_names={"market": ("north", "south", "west")},
    )
    parts = np.array([[0.5], [0.3], [0.2]])
    whole = population(
        total,
        views=total * 20,
        by_segment={"market": parts * total},
        views_by_segment={"market": parts * total * 20},
    )
    return made, whole
