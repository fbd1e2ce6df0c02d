"""Rollout map: who was treated, and since when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from trustlib.core.calendar import periods as named
from trustlib.core.text import told_apart
from trustlib.figures import house
from trustlib.figures.house import PALETTE
from trustlib.figures.interventions.words import periods, sparse
from trustlib.interventions import DidResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_UNITS = 30  # rows by unit; beyond it, by cohort
_MOST_COHORTS = 24
_ROW = 20.0


@dataclass(frozen=True, kw_only=True)
class _Line:
    """One row: its name, what stands behind it, and the position of its start (None: never)."""

    name: str
    units: int
    start: int | None


def rollout_map(result: DidResult, *, ax: Axes | None = None) -> Axes | None:
    """A row for each unit (30 at most, if they may be named) or cohort; dark since the start."""
    lines, labels = _lines(result), periods(result)
    if not lines:
        return None
    with house.style():
        ax = house.axes(ax, height=(len(lines) * _ROW + 54) / 72)
        by_unit = _by_unit(result)
        for y, line in enumerate(lines):
            until = len(labels) if line.start is None else line.start
            ax.plot([0, until], [y, y], color=PALETTE["expected"], linewidth=1.6)
            if line.start is not None:
                ax.plot(
                    [until, len(labels)], [y, y], color=PALETTE["actual"], linewidth=9,
                    solid_capstyle="butt",
                )  # fmt: skip
        names = [line.name for line in lines]
        ax.set_yticks(range(len(lines)), names)
        ax.tick_params(axis="y", labelcolor=PALETTE["ink"])
        ax.set_ylim(len(lines) - 0.4, -0.6)
        ax.set_xlim(0, len(labels))
        ax.grid(False)
        left = max(house.text_width(name) for name in names) + 10
        right = 16.0 if by_unit else 62.0
        house.margins(ax, left=left, right=right, top=26, bottom=24)
        _ticks(ax, labels, 72 * house.WIDTH - left - right)
        house.unit(ax, "thin: not treated yet · thick: treated")
        if not by_unit:
            _sizes(ax, lines)
    return ax


def rollout_rows(result: DidResult) -> pd.DataFrame:
    """What the figure draws, as data: units by name only where they may be named."""
    return pd.DataFrame(
        [
            {"name": line.name, "units": line.units,
             "first_treated": "" if line.start is None else periods(result)[line.start]}
            for line in _lines(result)
        ]
    )  # fmt: skip


def _by_unit(result: DidResult) -> bool:
    return result.design.names_shown and len(result.rollout) <= MOST_UNITS


def _lines(result: DidResult) -> list[_Line]:
    position = {label: i for i, label in enumerate(periods(result))}
    frame = result.rollout
    starts = [position.get(str(label)) for label in frame["first_treated"]]
    order = sorted(range(len(frame)), key=lambda i: (starts[i] is None, starts[i] or 0))
    if _by_unit(result):
        names = told_apart(frame["unit"], 26)
        return [_Line(name=names[i], units=1, start=starts[i]) for i in order]
    sizes = [int(n) for n in frame["units"]]
    groups: dict[int | None, int] = {}
    for i in order:
        groups[starts[i]] = groups.get(starts[i], 0) + sizes[i]
    known = [start for start in groups if start is not None]
    words = dict(zip(known, named(periods(result)[start] for start in known), strict=True))
    lines = [
        _Line(name="never" if start is None else f"from {words[start]}", units=n, start=start)
        for start, n in groups.items()
    ]
    return _cut(lines)


def _cut(lines: list[_Line]) -> list[_Line]:
    """At most 24 cohorts: neighbours in time share a row, from the first of their starts on."""
    treated = [line for line in lines if line.start is not None]
    if len(treated) <= _MOST_COHORTS:
        return lines
    size = -(-len(treated) // _MOST_COHORTS)
    merged = [
        _Line(
            name=part[0].name if len(part) == 1 else f"{part[0].name} on",
            units=sum(line.units for line in part),
            start=part[0].start,
        )
        for part in (treated[i : i + size] for i in range(0, len(treated), size))
    ]
    return merged + [line for line in lines if line.start is None]


def _ticks(ax: Axes, labels: list[str], width: float) -> None:
    shown = named(labels, width=12)
    at = sparse(shown, width)
    ax.set_xticks([i + 0.5 for i in at], [shown[i] for i in at])


def _sizes(ax: Axes, lines: list[_Line]) -> None:
    for y, line in enumerate(lines):
        ax.annotate(
            f"{line.units:,} {'unit' if line.units == 1 else 'units'}", (1, y),
            xycoords=("axes fraction", "data"), xytext=(5, 0), textcoords="offset points",
            va="center_baseline", color=PALETTE["muted"],
        )  # fmt: skip
