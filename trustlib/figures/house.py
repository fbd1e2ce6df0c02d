"""The house style of figures, and the View that a page shows of one."""

from __future__ import annotations

import math
import unicodedata
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pandas as pd
from markupsafe import Markup

from trustlib.core import View
from trustlib.core.text import clean, short
from trustlib.core.view import note
from trustlib.figures.svg import PALETTE, fragment

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH = 6.2  # inches; a phone shows it at four fifths of its size, a desktop at 1.7 times
# Points at that width, as a phone shows it: about 10 pixels. Room is measured with this size;
# where the figure is shown wider, the page sets less (`--chart-text`, see `svg`).
TEXT = 12.0
UNDER = 42.0  # points below the axes where they have tick labels and a line of words

STYLE: dict[Any, Any] = {
    # Bundled with matplotlib and wider than the page's fonts: text that fits here fits there,
    # and the layout does not depend on what is installed.
    "font.family": ["DejaVu Sans"],
    "font.size": TEXT,
    "text.parse_math": False,
    "text.color": PALETTE["ink"],
    "axes.edgecolor": PALETTE["muted"],
    "axes.labelcolor": PALETTE["muted"],
    "axes.facecolor": "none",
    "axes.linewidth": 0.8,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.unicode_minus": True,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "grid.color": PALETTE["rule"],
    "grid.linewidth": 0.7,
    "xtick.color": PALETTE["muted"],
    "ytick.color": PALETTE["muted"],
    "xtick.major.size": 4,
    "xtick.minor.size": 2,
    "ytick.major.size": 0,
    "ytick.major.pad": 4,
    "figure.facecolor": "none",
    "lines.solid_capstyle": "round",
    "path.simplify": True,
    "path.simplify_threshold": 0.1,
}


@contextmanager
def style() -> Iterator[None]:
    """The house's settings of matplotlib, for the drawing of one figure."""
    import matplotlib as mpl

    with mpl.rc_context(STYLE):
        yield


def axes(ax: Axes | None, *, height: float) -> Axes:
    """`ax`, or the axes of a new figure of the house's width; `height` in inches.

    The figure is nobody's "current figure": nothing is left open behind it.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    if ax is not None:
        return ax
    figure = Figure(figsize=(WIDTH, height))
    FigureCanvasAgg(figure)
    return figure.add_subplot()


def size(ax: Axes) -> tuple[float, float]:
    """Width and height of the whole figure, in points."""
    figure = ax.get_figure(root=True)
    assert figure is not None
    width, height = figure.get_size_inches()
    return 72 * float(width), 72 * float(height)


def margins(ax: Axes, *, left: float, right: float, top: float, bottom: float) -> None:
    """Room around the axes, in points, whatever the figure's size."""
    width, height = size(ax)
    figure = ax.get_figure(root=True)
    assert figure is not None
    figure.subplots_adjust(
        left=left / width, right=1 - right / width, top=1 - top / height, bottom=bottom / height
    )


@lru_cache(maxsize=4096)
def text_width(text: str, size: float = TEXT, *, bold: bool = False) -> float:
    """Width of `text` in points."""
    import matplotlib as mpl
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextPath

    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    narrow = "".join(c for c in text if unicodedata.east_asian_width(c) not in "WF")
    if not narrow.strip():
        return wide * size
    font = FontProperties(family="DejaVu Sans", weight="bold" if bold else "normal")
    # Names are no formulas, whoever measures them and in whatever settings.
    with mpl.rc_context({"text.parse_math": False}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        path = TextPath((0, 0), narrow, size=size, prop=font, usetex=False)
    return wide * size + float(path.get_extents().width)


def fitted(text: object, width: float, *, bold: bool = False) -> str:
    """`text` cleaned and cut to `width` points, the cut shown."""
    whole = clean(text) or "(empty)"
    if len(whole) > 400:  # no figure is that wide
        whole = whole[:400] + "…"
    if text_width(whole, bold=bold) <= width:
        return whole
    low, high = 0, len(whole) - 1
    while low < high:
        middle = (low + high + 1) // 2
        fits = text_width(whole[:middle].rstrip() + "…", bold=bold) <= width
        low, high = (middle, high) if fits else (low, middle - 1)
    return whole[:low].rstrip() + "…"


def scale(largest: float) -> tuple[float, str]:
    """What to divide numbers up to `largest` by, and its word: ``(1000.0, "thousand ")``."""
    for by, word in ((1e12, "trillion "), (1e9, "billion "), (1e6, "million "), (1e3, "thousand ")):
        if math.isfinite(largest) and largest >= 4 * by:
            return by, word
    return 1.0, ""


def rectangles(ax: Axes, boxes: Sequence[tuple[float, float, float, float]], **paint: Any) -> None:
    """Boxes (x0, y0, x1, y1) as one path: a map of thousands of cells stays a small file."""
    if not boxes:
        return
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    corners, codes = [], []
    for x0, y0, x1, y1 in boxes:
        corners += [(x0, y0), (x1, y0), (x1, y1), (x0, y1), (x0, y0)]
        codes += [Path.MOVETO, Path.LINETO, Path.LINETO, Path.LINETO, Path.CLOSEPOLY]
    ax.add_patch(PathPatch(Path(corners, codes), **paint))


def unit(ax: Axes, text: str) -> None:
    """The unit of the values, above the axes: read without turning the head."""
    ax.annotate(
        text, (0, 1), xycoords=("figure fraction", "axes fraction"), xytext=(2, 7),
        textcoords="offset points", color=PALETTE["muted"], va="bottom",
    )  # fmt: skip


def signed_ticks(ax: Axes) -> None:
    """Few ticks on the x axis, with a sign: for differences."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    ax.xaxis.set_major_locator(MaxNLocator(5))
    ax.xaxis.set_major_formatter(FuncFormatter(_signed))


def whole_ticks(ax: Axes, *, most: int = 8) -> None:
    """At most `most` ticks on the x axis, at whole numbers, with a sign: periods from a start."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    ax.xaxis.set_major_locator(MaxNLocator(most, integer=True, min_n_ticks=1))
    ax.xaxis.set_major_formatter(FuncFormatter(_signed))


def under(ax: Axes, text: str) -> None:
    """What the x axis counts, under its tick labels; needs `UNDER` points at the bottom."""
    ax.annotate(
        text, (0.5, 0), xycoords="axes fraction", xytext=(0, -24), textcoords="offset points",
        color=PALETTE["muted"], va="top", ha="center",
    )  # fmt: skip


def headroom(ax: Axes, points: float) -> None:
    """Free space at the upper end of the axes, for words; call it when margins are set."""
    low, high = ax.get_ylim()
    height = size(ax)[1] * ax.get_position().height
    # No line of the grid through the words.
    marks = ax.yaxis.get_major_locator().tick_values(low, high)
    ax.set_yticks([mark for mark in marks if low <= mark <= high])
    ax.set_ylim(low, high + (high - low) * points / (height - points))


def y_labels(ax: Axes) -> float:
    """Few ticks on the y axis; returns the points that their labels need."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    ax.yaxis.set_major_locator(MaxNLocator(4))
    ax.yaxis.set_major_formatter(FuncFormatter(number))
    low, high = ax.get_ylim()
    at = [y for y in ax.yaxis.get_major_locator().tick_values(low, high) if low <= y <= high]
    labels = ax.yaxis.get_major_formatter().format_ticks(at)
    return max([text_width(label) for label in labels] or [0.0]) + 9


def number(value: float, _position: object = None) -> str:
    """A tick's label: thousands separators, a true minus, no needless zeros."""
    return _signed(value).removeprefix("+")


def _signed(value: float, _position: object = None) -> str:
    sign = "−" if value < 0 else "+" if value > 0 else ""
    return f"{sign}{abs(value):,.10g}"


def view(drawn: Axes | None, *, alt: str, caption: str, data: pd.DataFrame, filename: str) -> View:
    """A drawn figure as the page shows it, with its description and its data.

    Parameters
    ----------
    drawn
        Axes; a figure that pyplot opened is closed. None where there is nothing to draw: the
        View is then a box with the caption, which says why.
    alt
        What a reader who cannot see the figure should know.
    caption
        What is drawn, and what the band or bars are.
    data
        The numbers behind the figure, offered as a CSV file, rounded to six digits.
    filename
        Of that file: ``counterfactual.csv``. Its stem is the prefix of the figure's ids.
    """
    if drawn is None:
        return note(caption)
    figure = drawn.get_figure(root=True)
    assert figure is not None
    stem = filename.removesuffix(".csv")
    with style():
        svg = fragment(figure, name=stem, alt=alt)
    _close(figure)
    rows = rounded(data)
    link = "data:text/csv;charset=utf-8," + quote(rows.to_csv(index=False), safe=",:+-.")
    return View(
        html=Markup(
            '<figure>{}<figcaption>{} <a href="{}" download="{}">Data (CSV)</a></figcaption>'
            "</figure>"
        ).format(svg, clean(caption), link, f"{stem}.csv"),
        text=f"[{clean(alt)}]\n{clean(caption)}\n{_digest(rows)}",
    )


def rounded(data: pd.DataFrame, digits: int = 6) -> pd.DataFrame:
    """`data` with floats at `digits` significant digits, instants in ISO form, text cleaned."""
    columns = {}
    for name, column in data.items():
        if isinstance(column.dtype, pd.DatetimeTZDtype):
            columns[name] = [None if pd.isna(at) else at.isoformat() for at in column]
        elif pd.api.types.is_float_dtype(column):
            columns[name] = [None if pd.isna(x) else f"{x + 0.0:.{digits}g}" for x in column]
        elif pd.api.types.is_bool_dtype(column) or pd.api.types.is_integer_dtype(column):
            columns[name] = [str(x).lower() for x in column]
        else:
            columns[name] = [_cell(x) for x in column]
    return pd.DataFrame(columns, dtype=object)


def _cell(value: object) -> str:
    """Text for a spreadsheet: one that would be read as a formula is quoted."""
    text = short(value, 200) if clean(value) else ""
    return f"'{text}" if text[:1] in "=+-@" and text[:1] else text


def _digest(rows: pd.DataFrame, most: int = 12) -> str:
    """The numbers in a few lines of text: all rows, or the first and last of them."""
    cut = rows if len(rows) <= most else pd.concat([rows.head(most // 2), rows.tail(most // 2)])
    lines = [
        " | ".join("" if cell is None else str(cell)[:60] for cell in row) for row in cut.values
    ]
    if len(rows) > most:
        lines.insert(most // 2, f"… {len(rows) - most} more rows")
    return "\n".join([" | ".join(map(str, rows.columns)), *lines])


def _close(figure: Figure) -> None:
    import sys

    # Only a figure that pyplot opened is known to it, and only if somebody imported it.
    if (pyplot := sys.modules.get("matplotlib.pyplot")) is not None:
        pyplot.close(figure)
