"""Whether each week's labels have arrived."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from trustlib.core import format as show
from trustlib.figures import house
from trustlib.figures.clock import local_axis
from trustlib.figures.house import PALETTE
from trustlib.harm.deep_dive.result import DeepDive
from trustlib.harm.small_cells import SMALLEST_CELL

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LATE = 0.9  # of the week: with less it is marked
_COLUMNS = ["week", "until", "share", "low", "high", "late"]


def labels_arrived_bars(result: DeepDive, *, ax: Axes | None = None) -> Axes | None:
    """Labels that are there, of those that each week's sampling gives, with intervals.

    Weeks that are clearly below 90 % stand out.

    None where no week is known.
    """
    rows = labels_arrived_bars_rows(result)
    if rows.empty or rows["share"].isna().all():
        return None
    from matplotlib.dates import date2num

    with house.style():
        ax = house.axes(ax, height=1.9)
        start, end = date2num(rows["week"]), date2num(rows["until"])
        wide = 0.8 * (end - start)
        late = rows["late"].to_numpy(dtype=bool)
        share = 100 * rows["share"].to_numpy(dtype=float)
        for part, name in ((~late, "expected"), (late, "harm")):
            if part.any():
                ax.bar(
                    start[part] + (end - start)[part] / 2, share[part], width=wide[part],
                    color=PALETTE[name], alpha=0.55 if name == "expected" else 1.0, linewidth=0,
                )  # fmt: skip
        local_axis(ax, rows["week"].iloc[0], rows["until"].iloc[-1], result.spec.timezone)
        low, high = (100 * rows[name].to_numpy(dtype=float) for name in ("low", "high"))
        ax.vlines(start + (end - start) / 2, low, high, color=PALETTE["ink"], linewidth=1.4)
        ax.set_ylim(0, max(104.0, 1.04 * float(rows["high"].max()) * 100))
        ax.set_yticks([0, 50, 100])
        ax.axhline(100, color=PALETTE["ink"], linewidth=1)
        house.margins(ax, left=40, right=26, top=26, bottom=24)
        house.unit(ax, _title(rows))
    return ax


def labels_arrived_bars_rows(result: DeepDive) -> pd.DataFrame:
    """week (its start), until, share, low, high, late (its interval is below 90 %).

    Weeks with fewer than 11 labels have no numbers.
    """
    frame = result.size.labels_arrived
    if frame is None or frame.empty:
        return pd.DataFrame(columns=_COLUMNS)
    week = pd.to_datetime(frame["week"], utc=True)
    few = frame["labels"] < SMALLEST_CELL
    numbers = {name: frame[name].astype(float).where(~few) for name in ("share", "low", "high")}
    rows = pd.DataFrame({"week": week, "until": week + pd.Timedelta(days=7), **numbers})
    rows = rows.sort_values("week", kind="stable", ignore_index=True)
    return rows.assign(late=rows["high"] < LATE)


def _title(rows: pd.DataFrame) -> str:
    last = float(rows["share"].iloc[-1])
    tail = f"; the last week: {show.percent(last)}" if rows["late"].iloc[-1] else ""
    return f"labels arrived, per cent of those sampled{tail}"
