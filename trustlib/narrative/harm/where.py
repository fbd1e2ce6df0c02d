"""Where it sits, who is behind it, rate or mix, and what a join leaves out."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from trustlib.core import View
from trustlib.core import format as show
from trustlib.harm.deep_dive.published import is_small, published, shown_n
from trustlib.harm.deep_dive.result import DeepDive
from trustlib.harm.deep_dive.samples import UNKNOWN
from trustlib.harm.deep_dive.told import between, percent
from trustlib.harm.rate_and_mix import RateAndMix
from trustlib.harm.segment_search import SegmentSearch
from trustlib.narrative import house
from trustlib.narrative.harm import words


def who_is_behind(result: DeepDive) -> View:
    """How few accounts have how much of what is confirmed."""
    found = result.where.concentration
    if found is None:
        return words.missing(result, "How concentrated it is, is not known", "where.concentration")
    if not found.harm > 0:
        return words.said("No account has a confirmed item", "Nothing can be concentrated.")
    behind = words.things(found.actors_with_harm, "account")
    half = found.actors_behind_half
    heading = f"{house.upper_first(behind)} are behind the confirmed items"
    if half.point is not None and not is_small(found.actors_with_harm):
        heading = (
            f"{house.upper_first(words.things(half.point, 'account'))} of "
            f"{show.count(found.actors_with_harm)} are behind half of the confirmed items"
        )
    return words.said(heading, _interval_of_half(result), _top(result), _enough(result))


def _interval_of_half(result: DeepDive) -> str:
    half = result.where.concentration.actors_behind_half  # type: ignore[union-attr]
    if half.point is None or is_small(half.point) or is_small(half.low):
        return ""
    if not words.has_interval(half):
        return "There is no interval for that: too few accounts."
    low, high = show.exact(half.low), show.exact(half.high)
    return f"The {words.level(result)} interval of that number is {low} to {high}."


def _top(result: DeepDive) -> str:
    """The smallest top that is no small group."""
    found = result.where.concentration
    assert found is not None
    for part, estimate in sorted(found.top_share.items()):
        if estimate.point is None or is_small(part * found.actors):
            continue
        if estimate.point > 0.995 and not is_small(found.actors_with_harm):
            some = show.exact(found.actors_with_harm)
            return f"Of all {show.count(found.actors)} accounts, {some} have any."
        group = f"the {show.percent(part)} with most"
        return f"Of these, {group} have {words.share(estimate)}."
    return ""


def _enough(result: DeepDive) -> str:
    checks = result.where.concentration.checks  # type: ignore[union-attr]
    weak = words.check((c for c in checks if c.verdict == "warn"), "largest_actor", "enough_actors")
    if weak is None:
        return ""
    if weak.name == "largest_actor":
        return "One account alone weighs much, so the picture may change with it."
    return "So few accounts have any that the picture is little more than who they happen to be."


def where(result: DeepDive) -> View:
    """Segments that hold on the other half; without any, what the largest share is."""
    segments = published(result).segments
    if not segments:
        return words.missing(result, "Where it sits is not known", "where.segments")
    growth = confirmed(result.where.growing)
    rate = confirmed(result.where.search)
    more = "" if growth is None else _growth(growth)
    if rate is not None:
        heading = f"{house.upper_first(place(rate))} has {words.times(rate['ratio'])} the share "
        return words.said(f"{heading}of everybody else", _ends(rate), _held(result), more,
                          _few(segments))  # fmt: skip
    if growth is not None:
        heading = f"{house.upper_first(place(growth))} grew faster than the rest"
        return words.said(heading, more, _few(segments))
    return words.said("No segment stands out for sure", _highest(segments), _not_held(result),
                      _few(segments))  # fmt: skip


def confirmed(found: SegmentSearch | None) -> pd.Series | None:
    """The surest that stands for itself, with a finite ratio."""
    if found is None or not len(found.segments):
        return None
    frame = found.segments
    own = frame[frame["confirmed"].astype(bool) & (frame["explained_by"] == "")]
    own = own[own["ratio"] < float("inf")]
    return own.iloc[0] if len(own) else None


def place(row: pd.Series) -> str:
    return " × ".join(words.short(f"{k} {v}", 40) for k, v in row["attributes"].items())


def _ends(row: pd.Series) -> str:
    if not row["high"] < float("inf"):
        return f"The interval begins at {words.times(row['low'])}."
    low = words.times(row["low"]).removesuffix(" times")
    return f"The interval is {low} to {words.times(row['high'])}."


def _growth(row: pd.Series) -> str:
    """Growth with its interval, which is often wide."""
    wide = not row["high"] <= 10 * row["low"]
    rough = " That is a wide range: read it as “more”, not as a number." if wide else ""
    who = house.upper_first(place(row))
    return f"{who} grew {words.times(row['ratio'])} as fast as the others. {_ends(row)}{rough}"


def _held(result: DeepDive) -> str:
    found = result.where.search
    assert found is not None
    return (
        f"Found among {found.searched:,} combinations on one half of the accounts, and held on the "
        "other half, which was not looked at. Labels that stand for very many items are cut down "
        "in this search, so the ratio is rough; that there is a difference is the finding."
    )


def _not_held(result: DeepDive) -> str:
    found = result.where.search
    if found is None:
        return words.why(result, "where.search")
    return (
        f"{found.searched:,} combinations were searched on one half of the accounts; none of the "
        "differences held on the other half. That does not show that all are alike."
    )


def _highest(segments: Mapping[str, pd.DataFrame]) -> str:
    """The first row of the first segment that has a point, said with its interval."""
    for name, frame in segments.items():
        named = frame[frame["value"] != UNKNOWN]
        known = named[~named["withheld"].astype(bool)].dropna(subset=["share"])
        if len(known) > 1:
            row = known.sort_values("share", ascending=False, kind="stable").iloc[0]
            ends = between(row["low"], row["high"])
            value = words.short(row["value"], 40)
            told = f"{value}, {percent(row['share'])} ({ends})"
            return (
                f"The highest share by {words.short(name, 24)} is that of {told}; intervals of "
                "the others may reach as far."
            )
    return ""


def _few(segments: Mapping[str, pd.DataFrame]) -> str:
    hidden = sum(int(frame["withheld"].sum()) for frame in segments.values())
    if not hidden:
        return ""
    values = "value has" if hidden == 1 else "values have"
    return (
        f"{house.upper_first(house.number_word(hidden))} {values} too few violating labels for a "
        "number of their own: only a rounded upper end is shown."
    )


def rate_or_mix(result: DeepDive) -> View:
    """Whether the share moved within its parts, or because the parts grew and shrank."""
    found = result.where.mix
    if found is None:
        return words.missing(result, "Rate or mix cannot be told apart", "where.mix")
    return words.said(_moved(found), _parts(found), _unsure(found), _unlike(result, found))


def _moved(found: RateAndMix) -> str:
    change = found.change
    before, after = percent(found.before.point), percent(found.after.point)
    if not _clear(change.low, change.high):
        return "No clear change from before to now"
    way = "rise" if (change.point or 0.0) > 0 else "fall"
    mixed = sum(one.point or 0.0 for one in found.mix.values())
    rate = found.rate.point or 0.0
    total = change.point or 0.0
    part = rate / total if total else 0.0
    if 0.4 <= part <= 0.6:
        cause = "as much by rate as by mix"
    elif abs(rate) > abs(mixed):
        cause = "mostly within the parts (rate)"
    else:
        cause = "mostly because parts with more of it grew (mix)"
        if total < 0:
            cause = "mostly because parts with more of it shrank (mix)"
    return f"The {way} from {before} to {after} is {cause}"


def _parts(found: RateAndMix) -> str:
    def told(point: float | None, low: float | None, high: float | None) -> str:
        values = [100 * x for x in (point, low, high) if x is not None]
        texts = show.alike(values, sign=True, digits=2)
        return texts[0] if len(texts) < 3 else f"{texts[0]} points ({texts[1]} to {texts[2]})"

    parts = [f"within parts {told(found.rate.point, found.rate.low, found.rate.high)}"]
    parts += [
        f"sizes by {words.short(name, 24)} {told(one.point, one.low, one.high)}"
        for name, one in found.mix.items()
    ]
    whole = told(found.change.point, found.change.low, found.change.high)
    ends = f"Before it was {words.brief(found.before)}, now {words.brief(found.after)}."
    return f"{ends} The change of {whole} is: {house.listed(parts)}. They add up."


def _unlike(result: DeepDive, found: RateAndMix) -> str:
    """Said where these shares are not like the one in the headline: fewer labels stand behind."""
    share = result.estimates["prevalence"].point
    ends = [one.point for one in (found.before, found.after)]
    if not share or any(end is None for end in ends):
        return ""
    if min(ends) <= 1.5 * share and max(ends) >= share / 1.5:  # type: ignore[operator, type-var]
        return ""
    return (
        f"These shares rest on the labels of each part, and are rougher than the {percent(share)} "
        "of the whole window: read the change, not the levels."
    )


def _unsure(found: RateAndMix) -> str:
    """Said where the change is clear and the part that it is put down to is not."""
    if not _clear(found.change.low, found.change.high) or _clear(found.rate.low, found.rate.high):
        return ""
    return "The interval of the part within (rate) holds zero: it may all be mix."


def _clear(low: float | None, high: float | None) -> bool:
    return low is not None and high is not None and not low <= 0 <= high


def what_is_left_out(result: DeepDive) -> View:
    """What a join with the accounts table leaves out."""
    found = result.where.survivorship
    if found is None:
        return words.missing(result, "What joins leave out is not known", "where.survivorship")
    frame = published(result).missing
    enforced, other = found.enforced_missing_share, found.other_missing_share
    if found.missing_share.point is None:
        return words.said("No account stands behind the items", words.reason(found.missing_share))
    if found.check.verdict == "pass":
        return words.said("No account is missing from the accounts table",
                          "Tables by what only accounts know leave out nobody.")  # fmt: skip
    hidden = frame.isna().to_numpy().any()
    if hidden or enforced.point is None or other.point is None:
        heading = "Some accounts are missing from the accounts table"
        told = "How many of the enforced are among them is withheld: the counts are small."
        if shown_n(found.missing_share) is not None:
            heading = f"{percent(found.missing_share.point)} of accounts have no row"
            if found.check.label == "enforced accounts vanish":
                told = "Enforced accounts are missing more often; how many, is withheld."
        return words.said(heading, told, _bounds(result))
    heading = (
        f"{percent(enforced.point)} of enforced accounts have no row, against "
        f"{percent(other.point)} of the others"
    )
    if not (enforced.low or 0.0) > (other.high or 0.0):
        heading = f"{percent(found.missing_share.point)} of accounts have no row"
    return words.said(
        heading,
        "Whatever is cut by what only the accounts table knows leaves them out.",
        _bounds(result),
    )


def _bounds(result: DeepDive) -> str:
    found = result.where.survivorship
    assert found is not None
    if found.prevalence_low is None or found.prevalence_high is None:
        return "Shares that need no accounts table are not touched."
    low, high = percent(found.prevalence_low), percent(found.prevalence_high)
    span = f"about {low}" if low == high else f"between {low} and {high}"
    return (
        f"With them, the share of labels would be {span}; how far a sample can miss comes on top."
    )
