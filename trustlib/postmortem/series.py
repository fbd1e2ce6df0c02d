"""The rows of a postmortem that leave it: results.json's series."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pandas as pd

from trustlib.harm.small_cells import SMALLEST_CELL
from trustlib.postmortem.result import Postmortem
from trustlib.postmortem.revisions import revision_base


def series(result: Postmortem) -> dict[str, list[dict[str, Any]]]:
    """Name -> rows of plain values; a block that is missing has no rows.

    Returns
    -------
    Those of the sizing, and a series per frame of the record: ``timeline``, ``durations``,
    ``affected``, ``doses``, ``top_share``, ``overlaps``, ``by_segment``, ``money``, ``lists``,
    ``maturity``, ``detection_gap``, ``trade_off``, ``factors``, ``severity``, ``actions``,
    ``revision``, ``then_now``, ``revision_base`` (what the next revision starts from), ``blocks``.
    """
    frames = {
        "timeline": result.timeline,
        "durations": result.durations,
        "affected": result.affected,
        "doses": result.doses,
        "top_share": result.top_share,
        "overlaps": result.overlaps,
        "by_segment": result.by_segment,
        "money": result.money,
        "maturity": result.maturity,
        "detection_gap": result.detection,
        "trade_off": result.trade_off,
        "factors": result.factors,
        "severity": result.severity.assign(
            level=result.severity_level, rules_hash=result.spec.rules_hash
        ),
        "revision": result.revision,
        "then_now": result.then_now,
        "blocks": result.blocks,
    }
    return {
        **result.sizing.series(),
        **{name: frame_rows(frame) for name, frame in frames.items()},
        "lists": [_list(one) for one in map(asdict, result.lists)],
        "actions": [asdict(one) | {"due": one.due.isoformat()} for one in result.spec.actions],
        "revision_base": revision_base(result.sizing, result.as_of),
    }


def frame_rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows with None where a frame has NaN or NaT."""
    plain = frame.astype(object).where(frame.notna(), None)
    return plain.to_dict("records")  # type: ignore[return-value]


def _list(row: dict[str, Any]) -> dict[str, Any]:
    """Without the folder; parts of a list all or none, since they add up to its rows."""
    parts = ("labelled_wrong", "unlabelled")
    gone = ("left_resolved", "left_judged")
    other = row["left"] - row["left_resolved"] - row["left_judged"]
    hidden: set[str] = set()
    if _few(row["rows"]):
        hidden |= {"rows", *parts}
    if any(_few(row[name]) for name in parts):
        hidden |= set(parts)
    if _few(row["left"]) or _few(row["before"]):
        hidden |= {"before", "left", *gone}
    if any(_few(n) for n in (*(row[name] for name in gone), other)):
        hidden |= set(gone)
    shown = {name: None if name in hidden else value for name, value in row.items()}
    shown.pop("path")
    return shown


def _few(n: int | None) -> bool:
    return n is not None and 0 < n < SMALLEST_CELL
