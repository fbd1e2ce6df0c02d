"""How much: what is known for sure, what the labels say, and that freed of the raters' errors."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pandas as pd

from trustlib.core import Estimate
from trustlib.core import format as show
from trustlib.figures import house
from trustlib.figures.harm import dots
from trustlib.figures.harm.dots import Line
from trustlib.figures.harm.words import FEW, number, share_unit, told
from trustlib.figures.house import PALETTE
from trustlib.harm.corrected import CorrectedPrevalence
from trustlib.harm.deep_dive.result import DeepDive
from trustlib.harm.prevalence import Prevalence
from trustlib.harm.small_cells import SMALLEST_CELL

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_KINDS = ("known to violate", "as labelled", "corrected")
_COLUMNS = ["of", "kind", "point", "low", "high", "share", "share_low", "share_high", "note"]
_PANEL = 26.0 + 3 * dots.ROW + 28.0  # points: words above, three rows, tick labels
_BETWEEN = " · "


def size_range(result: DeepDive, *, ax: Axes | None = None) -> Axes | None:
    """From the floor that is known to the estimate with its interval, in items and in views.

    A panel for each of the two, with an axis of its own; on `ax` that of items alone, or of views
    where there is none of items. None where nothing of either is known.
    """
    rows = size_range_rows(result)
    parts = [part for _, part in rows.groupby("of", sort=False) if part["point"].notna().any()]
    if not parts:
        return None
    with house.style():
        if ax is not None:
            _panel(result, ax, parts[0])
            right = _right(result, parts[:1])
            house.margins(ax, left=_left(), right=right, top=26, bottom=28)
            _finish(ax, result, parts[0], right)
            return ax
        right = _right(result, parts)
        ax = house.axes(None, height=_PANEL * len(parts) / 72)
        figure = ax.get_figure(root=True)
        assert figure is not None
        width, height = house.size(ax)
        for i, part in enumerate(parts):
            place = (
                _left() / width, (_PANEL * (len(parts) - 1 - i) + 28) / height,
                (width - _left() - right) / width, 3 * dots.ROW / height,
            )  # fmt: skip
            panel = ax if i == 0 else figure.add_axes(place)
            panel.set_position(place)
            _panel(result, panel, part)
            _finish(panel, result, part, right)
    return ax


def size_range_rows(result: DeepDive) -> pd.DataFrame:
    """of, kind, point, low, high, share, share_low, share_high, note: three rows of each.

    `of` is "items" or "views", `kind` "known to violate" (a floor, without interval),
    "as labelled" or "corrected". Counts below 11 are withheld.
    """
    size, rows = result.size, []
    known: dict[str, int | None] = {"items": None, "views": None}
    if size.confirmed is not None:
        known = {"items": size.confirmed.items, "views": size.confirmed.views}
    for of, found, corrected in (
        ("items", size.items, size.items_corrected),
        ("views", size.views, size.views_corrected),
    ):
        if found is None and known[of] is None:
            continue
        rows += [
            {"of": of, "kind": _KINDS[0], **_floor(known[of])},
            {"of": of, "kind": _KINDS[1], **_labelled(found)},
            {"of": of, "kind": _KINDS[2], **_corrected(found, corrected)},
        ]
    frame = pd.DataFrame(rows, columns=_COLUMNS)
    return frame.astype(dict.fromkeys(_COLUMNS[2:8], float)).fillna({"note": ""})


def _floor(known: int | None) -> dict[str, object]:
    if known is None:
        return {"note": "not known"}
    return {"note": FEW} if known < SMALLEST_CELL else {"point": known, "note": ""}


def _labelled(found: Prevalence | None) -> dict[str, object]:
    if found is None or found.total.point is None:
        return {"note": "not estimable"}
    return {**_ends(found.total), **_ends(found.estimate, "share"), "note": ""}


def _corrected(
    found: Prevalence | None, corrected: CorrectedPrevalence | None
) -> dict[str, object]:
    """The corrected share in counts: of the population that the labels cover."""
    if found is None or corrected is None or corrected.estimate.point is None:
        return {"note": "not estimable" if corrected is not None else "errors of raters not known"}
    covered = float(found.by_stratum["population"].sum()) * found.covered
    share = _ends(corrected.estimate, "share")
    counts = {name: share[f"share{tail}"] for name, tail in _TAILS.items()}
    return {name: covered * value for name, value in counts.items()} | share | {"note": ""}


_TAILS = {"point": "", "low": "_low", "high": "_high"}


def _ends(one: Estimate, name: str = "") -> dict[str, float]:
    values = {"point": number(one.point), "low": number(one.low), "high": number(one.high)}
    return {f"{name}{_TAILS[key]}" if name else key: value for key, value in values.items()}


def _lines(result: DeepDive, part: pd.DataFrame) -> list[Line]:
    by, _ = share_unit(result)
    scale, _ = house.scale(float(part[["point", "low", "high"]].max().max()))
    lines = []
    for row in part.to_dict("records"):
        floor, point = row["kind"] == _KINDS[0], float(row["point"]) / scale
        text = "" if math.isnan(point) else _count(float(row["point"]), exact=floor)
        if row["share"] == row["share"]:
            text += f"{_BETWEEN}{told(by * float(row['share']))}"
        lines.append(
            Line(
                label=str(row["kind"]), point=math.nan if floor else point,
                mark=point if floor else math.nan, low=float(row["low"]) / scale,
                high=float(row["high"]) / scale, note=str(row["note"]), text=text,
                strong=row["kind"] == _KINDS[2] and not math.isnan(point),
            )
        )  # fmt: skip
    return lines


def _count(value: float, *, exact: bool) -> str:
    return show.exact(value) if exact and value < 100_000 else show.count(value, digits=2)


def _left() -> float:
    return max(house.text_width(kind, bold=True) for kind in _KINDS) + 16


def _right(result: DeepDive, parts: list[pd.DataFrame]) -> float:
    lines = [line for part in parts for line in _lines(result, part)]
    return dots.widest([line.text for line in lines], lines) + 14


def _panel(result: DeepDive, ax: Axes, part: pd.DataFrame) -> None:
    lines = _lines(result, part)
    dots.rows(ax, lines, [line.label for line in lines])
    floor = lines[0].mark
    if not math.isnan(floor):
        dots.reference(ax, floor, lines)
    dots.linear(ax)


def _finish(ax: Axes, result: DeepDive, part: pd.DataFrame, right: float) -> None:
    _, word = house.scale(float(part[["point", "low", "high"]].max().max()))
    dots.finish(ax, _lines(result, part), room=right - 3)
    noun = {"items": "violating items", "views": "views of violating items"}[part["of"].iloc[0]]
    house.unit(ax, f"{word}{noun} in the window")
    if part["share"].notna().any():
        ax.annotate(
            f"count{_BETWEEN}{share_unit(result)[1]}", (1, 1), xycoords="axes fraction",
            xytext=(right - 3, 7), textcoords="offset points", color=PALETTE["muted"],
            va="bottom", ha="right",
        )  # fmt: skip
