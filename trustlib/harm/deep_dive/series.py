"""The rows of a deep-dive that leave it: results.json's series, nothing in them that may not be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from trustlib.harm.deep_dive.published import published

if TYPE_CHECKING:
    from trustlib.harm.deep_dive.result import DeepDive

_TREND = ["at", "estimate", "low", "high", "trend", "trend_low", "trend_high", "era"]
_CLUSTERS = ["cluster", "accounts", "items", "violating_items", "views", "evidence"]
_SEGMENTS = ["segment", "value", "population", "share", "low", "high", "withheld", "at_most"]


def series(result: DeepDive) -> dict[str, list[dict[str, object]]]:
    """Name -> rows of plain values; a section that is missing has no rows.

    Returns
    -------
    ``trend`` (weeks: share with its interval, line with its band), ``instrument_changes``,
    ``moves``, ``segments`` (shares by value, small ones withheld), ``actors`` (the Lorenz curve),
    ``clusters`` (small ones together), ``controls`` (recall and precision), ``options``.
    """
    frames = {
        "trend": _trend(result),
        "instrument_changes": None if result.ledger is None else result.ledger.changes,
        "moves": None if result.ledger is None else result.ledger.moves,
        "segments": _segments(result),
        "actors": None if (many := result.where.concentration) is None else many.curve,
        "clusters": published(result).clusters.reindex(columns=_CLUSTERS),
        "controls": _controls(result),
        "options": _options(result),
    }
    return {name: _rows(frame) for name, frame in frames.items()}


def _rows(frame: pd.DataFrame | None) -> list[dict[str, object]]:
    return [] if frame is None else frame.to_dict("records")  # type: ignore[return-value]


def _trend(result: DeepDive) -> pd.DataFrame | None:
    if result.ledger is None:
        return None
    points = result.ledger.trend.points
    return points[[name for name in _TREND if name in points]]


def _segments(result: DeepDive) -> pd.DataFrame | None:
    frames = [frame.assign(segment=name) for name, frame in published(result).segments.items()]
    return pd.concat(frames, ignore_index=True)[_SEGMENTS] if frames else None


def _controls(result: DeepDive) -> pd.DataFrame | None:
    found = result.today.controls
    if found is None:
        return None
    rows = [
        {"control": name, "measure": measure, "point": one.point, "low": one.low, "high": one.high}
        for measure, estimates in (("recall", found.recall), ("precision", found.precision))
        for name, one in zip(found.names, estimates, strict=True)
    ]
    return pd.DataFrame(rows)


def _options(result: DeepDive) -> pd.DataFrame | None:
    ranked = result.ranking
    if ranked is None:
        return None
    return pd.DataFrame(
        {
            "option": [one.name for one in ranked.options],
            "kind": [one.kind for one in ranked.options],
            "probability_first": ranked.probability_first,
        }
    )
