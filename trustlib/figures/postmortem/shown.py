"""A figure of a postmortem as its page shows it, with its words and the numbers behind it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import pandas as pd
from markupsafe import Markup

from trustlib.core import View
from trustlib.core.text import clean
from trustlib.figures import incidents
from trustlib.figures.house import view
from trustlib.figures.postmortem.bridge import bridge, bridge_rows
from trustlib.figures.postmortem.doses import doses, doses_rows
from trustlib.figures.postmortem.maturity import maturity, maturity_rows
from trustlib.figures.postmortem.money import money, money_rows
from trustlib.figures.postmortem.segments import by_segment, by_segment_rows
from trustlib.figures.postmortem.timeline import timeline, timeline_rows
from trustlib.figures.postmortem.trade_off import trade_off, trade_off_rows
from trustlib.postmortem.result import Postmortem

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def counterfactual(result: Postmortem, *, ax: Axes | None = None) -> Axes | None:
    """Actual against expected per bucket, as the sizing draws it."""
    return incidents.counterfactual(result.sizing, ax=ax)


def counterfactual_rows(result: Postmortem) -> pd.DataFrame:
    """As `trustlib.figures.incidents.shown`."""
    return incidents.shown(result.sizing)


# Name -> the figure, and the frame behind it.
FIGURES: Mapping[
    str, tuple[Callable[..., Axes | None], Callable[[Postmortem], pd.DataFrame]]
] = {
    "timeline": (timeline, timeline_rows),
    "counterfactual": (counterfactual, counterfactual_rows),
    "by_segment": (by_segment, by_segment_rows),
    "doses": (doses, doses_rows),
    "money": (money, money_rows),
    "maturity": (maturity, maturity_rows),
    "trade_off": (trade_off, trade_off_rows),
    "bridge": (bridge, bridge_rows),
}  # fmt: skip


def shown(name: str, result: Postmortem, *, alt: str, caption: str, title: str = "") -> View:
    """The figure `name` of `FIGURES`; an empty View where there is nothing to draw.

    Parameters
    ----------
    title
        What the figure shows, in front of the caption.

    Raises
    ------
    KeyError
        If there is no such figure.
    """
    draw, rows = FIGURES[name]
    drawn = draw(result)
    if drawn is None:
        return View(html=Markup(""), text="")
    told = f"{clean(title).rstrip('.')}. {caption}" if title else caption
    return view(
        drawn, alt=alt, caption=told, data=rows(result),
        filename=f"{name.replace('_', '-')}.csv",
    )  # fmt: skip
