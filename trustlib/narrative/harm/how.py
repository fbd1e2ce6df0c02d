"""How it works, who acts together, what is new: headings and their sentences."""

from __future__ import annotations

from trustlib.core import View
from trustlib.core import format as show
from trustlib.harm.deep_dive.published import is_small, published
from trustlib.harm.deep_dive.result import DeepDive
from trustlib.harm.deep_dive.told import percent
from trustlib.harm.lifecycle import Lifecycle
from trustlib.narrative import house
from trustlib.narrative.harm import words

_WAYS = {
    "sign_up_to_abuse": "sign-up to first abuse",
    "abuse_to_action": "abuse to action",
    "views_before_action": "publication to action",
}


def how_it_works(result: DeepDive) -> View:
    """How long each stage takes."""
    stages = result.how.lifecycles
    if not stages:
        return words.missing(result, "How long it takes is not known", "how.lifecycles")
    named = {one.stage.name: one for one in stages}
    lead = next(
        (named[name] for name in ("abuse_to_action", "views_before_action", "sign_up_to_abuse")
         if name in named and named[name].median.point is not None),
        None,
    )  # fmt: skip
    if lead is None:
        return words.said("No stage is half over by the end of the data",
                          *(_stage(one) for one in stages))  # fmt: skip
    return words.said(_lead(lead), _interval(lead),
                      *(_stage(one) for one in stages if one is not lead))  # fmt: skip


def _lead(one: Lifecycle) -> str:
    half = _amount(one, one.median.point)
    if one.stage.name == "abuse_to_action":
        return f"Half of it is acted on within {half}"
    if one.stage.name == "views_before_action":
        if not one.median.point:
            return "Half of it is acted on before anybody sees it"
        return f"Half of it has more than {half} before anything is done"
    return f"Half of the accounts begin within {half} of signing up"


def _amount(one: Lifecycle, value: float | None) -> str:
    if value is not None and one.stage.unit == "hours":
        return words.duration(value)
    return "no view" if not value else f"{show.count(value, digits=2)} {one.stage.unit}"


def _interval(one: Lifecycle) -> str:
    if not words.has_interval(one.median):
        return f"That number has no interval: {words.reason(one.median)}."
    return f"The {show.level(one.level)} interval of that is {_ends(one)}."


def _ends(one: Lifecycle) -> str:
    """Both ends; a unit that they share is said once."""
    low, high = _amount(one, one.median.low), _amount(one, one.median.high)
    number, _, unit = low.replace(show.NBSP, " ").partition(" ")
    shared = unit.rstrip("s") == high.replace(show.NBSP, " ").partition(" ")[2].rstrip("s")
    return f"{number if shared else low} to {high}"


def _stage(one: Lifecycle) -> str:
    way = _WAYS.get(one.stage.name, f"{one.stage.start} to {one.stage.end}")
    if one.median.point is None:
        reached = 1 - float(one.curve["surviving"].min()) if len(one.curve) else 0.0
        small = is_small(min(one.ended, one.n - one.ended))
        part = "fewer than half" if small else percent(reached)
        return f"From {way}: {part} had come to its end by the end of the data."
    ends = " (no interval)"
    if words.has_interval(one.median):
        ends = f" ({_ends(one)})"
    if one.stage.unit == "views" and not one.median.point:
        return "Half are acted on before anybody sees them."
    late = " Only cases that are over are in it, so long times are missing."
    only = late if any(c.label == "only finished cases" for c in one.checks) else ""
    return f"From {way}, half take at most {_amount(one, one.median.point)}{ends}.{only}"


def who_acts_together(result: DeepDive) -> View:
    """Groups of accounts tied beyond chance."""
    found = result.how.coordination
    if found is None:
        return words.missing(result, "Who acts together is not known", "how.coordination")
    n = len(found.clusters)
    if not n:
        return words.said(
            "No group of accounts is tied beyond chance",
            "Nothing stands out from shuffled copies of the data. That is not proof of absence.",
        )
    frame = published(result).clusters
    hidden = frame["accounts"].isna().any() and is_small(found.members_in_all)
    members = "fewer than 11" if hidden else show.exact(found.members_in_all)
    groups = f"{house.number_word(n)} {'group' if n == 1 else 'groups'}"
    heading = f"{house.upper_first(members)} accounts act in {groups}"
    if is_small(found.members_in_all):
        verb = "acts" if n == 1 else "act"
        heading = f"{house.upper_first(groups)} of accounts {verb} together, all of them small"
    return words.said(heading, _largest(result), _not_verdict(result))


def _largest(result: DeepDive) -> str:
    row = published(result).clusters.iloc[0]
    if not row["evidence"] or row["accounts"] != row["accounts"]:
        return ""
    kinds = [words.short(kind.replace("_", " "), 24) for kind in str(row["evidence"]).split(", ")]
    text = f"The one with most harm has {show.exact(row['accounts'])} accounts"
    if row["violating_items"] == row["violating_items"]:
        text += f" and {show.exact(row['violating_items'])} confirmed violating items"
    return f"{text}; they have in common: {house.listed(kinds)}."


def _not_verdict(result: DeepDive) -> str:
    return "A group is no verdict: households, offices and fan clubs share devices and moments too."


def what_is_new(result: DeepDive) -> View:
    """Domains and texts that came more often than before."""
    found = result.how.newly_frequent
    if found is None:
        return words.missing(result, "What is newly frequent is not known", "how.newly_frequent")
    n = len(found.tokens)
    rare = f" {found.untestable:,} were too rare to test." if found.untestable else ""
    if not n:
        heading = "No domain or text is more frequent than before"
        return words.said(heading, f"{found.tested:,} were tested.{rare}")
    kinds = found.tokens["kind"].value_counts().sort_index()
    parts = [show.plural(int(count), words.short(kind, 24)) for kind, count in kinds.items()]
    heading = f"{house.upper_first(house.listed(parts))} came more often than before"
    share = show.percent(found.rate)
    return words.said(
        heading,
        f"Of {found.tested:,} tested; about {share} of such a list may be chance.{rare}",
        "More frequent is not yet violating: look at them before acting.",
    )
