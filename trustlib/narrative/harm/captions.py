"""What every figure shows, for those who see it (caption) and for those who cannot (alt)."""

from __future__ import annotations

from typing import TypedDict

from trustlib.core import format as show
from trustlib.core.text import clean
from trustlib.harm.deep_dive.published import published
from trustlib.harm.deep_dive.result import DeepDive
from trustlib.harm.deep_dive.told import amount, percent
from trustlib.harm.small_cells import SMALLEST_CELL
from trustlib.narrative import house
from trustlib.narrative.harm import words


class About(TypedDict):
    """The words of one figure: ``view(…, **about_size_range(result))``."""

    alt: str
    caption: str


def about_size_range(result: DeepDive) -> About:
    """What is confirmed, and the estimates, on one scale."""
    if result.size.items is None and result.size.views is None:
        return _none(result, "size.items", "Range of the share")
    parts = []
    for name, of in (("prevalence", "items"), ("prevalence_views", "views")):
        estimate = result.estimates[name]
        if estimate.point is not None:
            parts.append(f"{of} {words.share(estimate)}")
    told = house.listed(parts) if parts else "not estimable"
    return _about(
        alt=f"Shares of violating items and views with their intervals: {told}.",
        caption=f"What is confirmed (a floor) and what is estimated, as the labels say and with "
        f"the raters' errors out. Bars: {words.level(result)} intervals.",
    )


def about_prevalence_trend(result: DeepDive) -> About:
    """The weekly share with the ledger."""
    ledger = result.ledger
    if ledger is None:
        return _none(result, "ledger", "Weekly share")
    points = ledger.trend.points.dropna(subset=["estimate"])
    ends = ""
    if len(points):
        first, last = points.iloc[0], points.iloc[-1]
        ends = (
            f" From {percent(float(first['estimate']))} in the week of "
            f"{words.day(result, first['at'])} to {percent(float(last['estimate']))} in the week "
            f"of {words.day(result, last['at'])}."
        )
    inside = int(ledger.changes["inside"].sum()) if len(ledger.changes) else 0
    changes = show.plural(inside, "change") if inside else "no change"
    moves = len(ledger.moves)
    steps = show.plural(moves, "clear move") if moves else "no clear move"
    return _about(
        alt=f"Line chart of the share of violating items by week, with {changes} of the "
        f"instrument marked and {steps}.{ends}",
        caption=f"Share of violating items by week, as the labels say; bars and band: "
        f"{words.level(result)} intervals. Upright lines: changes of the instrument, where the "
        "trend is split, since shares before and after cannot be compared.",
    )


def about_concentration_curve(result: DeepDive) -> About:
    """The Lorenz curve."""
    found = result.where.concentration
    if found is None:
        return _none(result, "where.concentration", "Concentration")
    gini = "" if found.gini.point is None else f" Gini coefficient {found.gini.point:.2f}."
    who = words.things(found.actors_with_harm, "account")
    return _about(
        alt=f"Curve of the share of confirmed items against the share of accounts, those with "
        f"least first.{gini}",
        caption=f"How confirmed violating items lie on accounts; {who} have any. The further below "
        f"the straight line, the fewer accounts are behind them. Band: {words.level(result)} "
        "interval, from accounts drawn again.",
    )


def about_segment_forest(result: DeepDive) -> About:
    """Shares by segment."""
    segments = published(result).segments
    if not segments:
        return _none(result, "where.segments", "Share by segment")
    names = house.listed([words.short(name, 24) for name in segments])
    n = sum(len(frame) for frame in segments.values())
    few = sum(int(frame["withheld"].sum()) for frame in segments.values())
    hidden = (
        " Values with few violating labels have a bar up to a rounded end, and no point."
        if few
        else ""
    )
    return _about(
        alt=f"Shares of violating items by {names} with {words.level(result)} intervals, "
        f"{show.plural(n, 'value')}; the numbers are in the table below.",
        caption=f"Share of violating items by {names}; bars: {words.level(result)} intervals, each "
        f"for itself: where they overlap, the order is not sure.{hidden}",
    )


def about_rate_and_mix_bars(result: DeepDive) -> About:
    """The parts of the change."""
    found = result.where.mix
    if found is None:
        return _none(result, "where.mix", "Rate and mix")
    before, after = percent(found.before.point), percent(found.after.point)
    return _about(
        alt=f"Bars of what moved the share from {before} to {after}: rate within parts, and mix "
        f"by {house.listed([words.short(name, 24) for name in found.mix])}. The numbers are in "
        "the table below.",
        caption=f"The change of the share from before to now, taken apart; the parts add up. "
        f"Bars: {words.level(result)} intervals.",
    )


def about_lifecycle_curves(result: DeepDive) -> About:
    """Kaplan–Meier curves."""
    stages = result.how.lifecycles
    if not stages:
        return _none(result, "how.lifecycles", "How long it takes")
    told = [
        f"{one.stage.start} to {one.stage.end}, half within "
        f"{show.count(one.median.point, digits=2)} {one.stage.unit}"
        for one in stages
        if one.median.point is not None
    ]  # fmt: skip
    halves = f": {'; '.join(told)}" if told else ""
    return _about(
        alt=f"Curves of the share that has not come to its end, by stage{halves}.",
        caption="Share that has not come to its end yet, by time since the start. What was not "
        f"over by the end of the data counts in until then. Band: {words.level(result)} interval.",
    )


def about_clusters(result: DeepDive) -> About:
    """Groups by size and harm."""
    found = result.how.coordination
    if found is None:
        return _none(result, "how.coordination", "Groups of accounts")
    n = len(found.clusters)
    groups = show.plural(n, "group") if n else "No group"
    return _about(
        alt=f"{groups} of accounts tied beyond chance, by size and violating items; the numbers "
        "are in the table below.",
        caption="Groups of accounts that share devices, payments, addresses or moments more often "
        "than in shuffled copies of the data. Groups of fewer than 11 accounts are put together.",
    )


def about_newly_frequent_tokens(result: DeepDive) -> About:
    """Ratios of the newly frequent."""
    found = result.how.newly_frequent
    if found is None:
        return _none(result, "how.newly_frequent", "Newly frequent domains and texts")
    n = len(found.tokens)
    if not (found.tokens["now"] >= SMALLEST_CELL).any():
        return _about(alt="", caption="Nothing that rose is frequent enough yet to be drawn.")
    return _about(
        alt=f"{show.plural(n, 'domain or text', 'domains and texts')} with how many times as often "
        "they came as before; the numbers are in the table below.",
        caption="How many times as often as before; bars: intervals, widened since these were "
        "picked for standing out. Names mean nothing outside this report. Where a count is small, "
        "no ratio is shown.",
    )


def about_control_recall(result: DeepDive) -> About:
    """Recall by control."""
    found = result.today.controls
    if found is None:
        return _none(result, "today.controls", "Recall of controls")
    number, interval = amount(found.recall_of_controls)
    return _about(
        alt=f"Recall of {show.plural(len(found.names), 'control')} with intervals; together "
        f"{number}, interval {interval}.",
        caption=f"Part of all violating {found.of} that each control finds, and all together. "
        f"Bars: {words.level(result)} intervals.",
    )


def about_control_overlap(result: DeepDive) -> About:
    """Overlap by pairs."""
    found = result.today.controls
    if found is None:
        return _none(result, "today.controls", "Overlap of controls")
    return _about(
        alt=f"Shares of violating {found.of} that two controls both find, "
        f"{show.plural(len(found.overlap), 'pair')}; the numbers are in the table below.",
        caption=f"Part of the violating {found.of} that two controls both find, against what "
        "chance would give if they looked independently. Above it, they look for the same signs.",
    )


def about_labels_arrived_bars(result: DeepDive) -> About:
    """Labels by week."""
    weeks = result.size.labels_arrived
    if weeks is None or not len(weeks):
        return _none(result, "size.labels_arrived", "Labels by week")
    least = weeks.iloc[int(weeks["share"].to_numpy(float).argmin())]
    return _about(
        alt=f"Bars of the share of expected labels that have arrived, by week. The lowest is "
        f"{percent(float(least['share']))}, in the week of {words.day(result, least['week'])}.",
        caption="Labels that are there, of those that the week's sampling gives. A week far below "
        "100\u00a0% can still move when the rest arrives.",
    )


def about_options(result: DeepDive) -> About:
    """Options by harm and mistakes."""
    ranking = result.ranking
    if ranking is None:
        return _none(result, "ranking", "Options")
    n = sum(1 for option in ranking.options if option.kind != "label")
    return _about(
        alt=f"{show.plural(n, 'option')} by harm addressed for each item hit by mistake, with "
        "intervals; the numbers are in the table below.",
        caption="Harm that each option would address and that nothing finds today, against what it "
        f"would hit by mistake. Bars: {words.level(result)} intervals.",
    )


def _none(result: DeepDive, field: str, what: str) -> About:
    """The caption of a figure that is not there: the reason."""
    why = words.why(result, field)
    return _about(alt=f"{what}: nothing to draw. {why}", caption=why)


def _about(*, alt: str, caption: str) -> About:
    return About(alt=clean(alt), caption=house.upper_first(clean(caption)))
