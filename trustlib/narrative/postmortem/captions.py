"""What every figure shows, for those who see it (caption) and for those who cannot (alt)."""

from __future__ import annotations

from typing import TypedDict

from trustlib.core import format as show
from trustlib.core.text import clean
from trustlib.narrative import house, incidents
from trustlib.narrative.postmortem import numbers, repair, why, words
from trustlib.postmortem.result import Postmortem


class About(TypedDict):
    """The words of one figure: ``shown("money", result, **about_money(result))``."""

    title: str
    alt: str
    caption: str


def about_timeline(result: Postmortem) -> About:
    """What happened when."""
    frame = result.timeline.dropna(subset=["at"])
    if not len(frame):
        return _none(result, "timeline", "Timeline")
    first, last = frame["at"].min(), frame["at"].max()
    n = show.plural(len(frame), "event")
    if first == last:
        span = f"at {words.when(result, first, year=True)}"
    else:
        begins, ends = words.when(result, first), words.when(result, last, year=True)
        span = f"from {begins} to {ends}"
    return _about(
        title="What happened when",
        alt=f"Timeline of {n}, {span}, {words.clock(result)}; the events are in the table below.",
        caption=f"What was stated, logged and estimated, {words.clock(result)}. The estimated "
        "start of impact comes from the counts; everything else was stated or logged. Order in "
        "time is no cause.",
    )


def about_counterfactual(result: Postmortem) -> About:
    """Actual against expected."""
    sized = incidents.about_counterfactual(result.sizing)
    return About(title="Counted against expected", alt=sized["alt"], caption=sized["caption"])


def about_by_segment(result: Postmortem) -> About:
    """Wrong cases by segment."""
    frame = result.by_segment
    if not len(frame):
        return _none(result, "affected", "Cases by segment")
    names = house.listed(
        [words.name(name, 24) for name in dict.fromkeys(frame["segment"].astype(str))][:4]
    )
    n = show.plural(len(frame), "row")
    return _about(
        title="Where the wrong cases are",
        alt=f"Wrong cases by {names} with {words.level(result)} intervals, {n}; the numbers are in "
        "the table below.",
        caption=f"Cases that were wrong, by {names}; bars: {words.level(result)} intervals, each "
        "for itself: where they overlap, the order is not sure. Values with few cases are merged.",
    )


def about_doses(result: Postmortem) -> About:
    """How many people had how many cases."""
    frame = result.doses
    if not len(frame):
        return _none(result, "dose", "People by number of cases")
    kinds = [words.name(kind, 24) for kind in dict.fromkeys(frame["kind"].astype(str))]
    who = house.listed(kinds)
    return _about(
        title="How often each was hit",
        alt=f"Bars of how many {who} had one, two or more cases in the window; the numbers are in "
        "the table below.",
        caption=f"{who} by how many cases they had, wrong or not (exact counts, so no bars of "
        "error). Bands with fewer than 11 people are merged.",
    )


def about_money(result: Postmortem) -> About:
    """Gross, recovered, net."""
    if not len(result.money):
        return _none(result, "money", "Money")
    net = result.estimates.get("net_loss_usd")
    told = numbers.told(net) if numbers.known(net) else "not estimable"
    return _about(
        title="What it cost",
        alt=f"Gross, recovered and net amounts with their intervals; the net loss is {told}.",
        caption="Gross amounts in cases that were wrongly handled, what was recovered of them, and "
        f"the net, in US dollars. Bars: {words.level(result)} intervals.",
    )


def about_maturity(result: Postmortem) -> About:
    """What has arrived, and what is still to come."""
    frame = result.maturity
    if not len(frame):
        return _none(result, "maturity", "What is still to arrive")
    kinds = [words.name(kind, 24) for kind in frame["kind"].astype(str)][:6]
    return _about(
        title="What is still to arrive",
        alt=f"Bars of {house.listed(kinds)}: seen so far and expected in the end. "
        f"{house.upper_first(repair.least(result))}.",
        caption="What had arrived by the time of reading (filled) and what is expected in the end, "
        f"from the delays of earlier events. Bars: {words.level(result)} prediction intervals.",
    )


def about_trade_off(result: Postmortem) -> About:
    """False alarms against delay."""
    if not len(result.trade_off):
        return _none(result, "detection", "False alarms against delay")
    n = show.plural(int(result.trade_off["kind"].nunique()), "kind")
    return _about(
        title="False alarms against delay",
        alt=f"False alarms a week against the delay until an alert fires, for {n} of alert. "
        f"{house.upper_first(why.gap(result))}.",
        caption="What each setting of an alert costs: few false alarms or a short delay. Every "
        "point is a replay of the same history, so that settings chosen here look better than they "
        "will be. Lower left is better.",
    )


def about_bridge(result: Postmortem) -> About:
    """From the earlier excess to this one."""
    frame = result.revision.dropna(subset=["amount"])
    if not len(frame):
        return _none(result, "revisions", "From the earlier excess to this one")
    n = show.plural(len(frame), "step")
    return _about(
        title="From the earlier excess to this one",
        alt=f"Bridge from the earlier excess of {words.unit(result)} to this one in {n}; the "
        "numbers are in the table below.",
        caption=f"How the excess of {words.unit(result)} moved since the earlier revision. Steps "
        "add up exactly; the intervals of both revisions are in the table.",
    )


def _about(*, title: str, alt: str, caption: str) -> About:
    return About(title=title, alt=clean(alt), caption=house.upper_first(clean(caption)))


def _none(result: Postmortem, block: str, figure: str) -> About:
    """The caption becomes the box with the reason."""
    why_not = words.stop(result.reason(block) or "Nothing of it is known.")
    return _about(title=figure, alt=f"{figure}: not drawn.", caption=why_not)
