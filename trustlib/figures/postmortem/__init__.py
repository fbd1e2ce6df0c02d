"""Figures of a postmortem.

Every function draws what a `Postmortem` holds and computes no statistic; it returns None where
there is nothing to draw. Beside each stands the frame of the numbers behind it (`…_rows`).
"""

from trustlib.figures.postmortem.bridge import bridge, bridge_rows
from trustlib.figures.postmortem.doses import doses, doses_rows
from trustlib.figures.postmortem.maturity import maturity, maturity_rows
from trustlib.figures.postmortem.money import money, money_rows
from trustlib.figures.postmortem.segments import by_segment, by_segment_rows
from trustlib.figures.postmortem.shown import counterfactual, counterfactual_rows, shown
from trustlib.figures.postmortem.timeline import timeline, timeline_rows
from trustlib.figures.postmortem.trade_off import trade_off, trade_off_rows

__all__ = [
    "bridge",
    "bridge_rows",
    "by_segment",
    "by_segment_rows",
    "counterfactual",
    "counterfactual_rows",
    "doses",
    "doses_rows",
    "maturity",
    "maturity_rows",
    "money",
    "money_rows",
    "shown",
    "timeline",
    "timeline_rows",
    "trade_off",
    "trade_off_rows",
]
