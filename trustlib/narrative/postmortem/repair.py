"""What is still to be put right, what is still to arrive, and what is promised."""

from __future__ import annotations

import pandas as pd

from trustlib.core import View
from trustlib.core import format as show
from trustlib.data.incident_records import RestrictedList
from trustlib.harm.deep_dive.published import is_small
from trustlib.narrative import house
from trustlib.narrative.postmortem import numbers, words
from trustlib.narrative.postmortem.words import Point
from trustlib.postmortem.result import Postmortem

_PURPOSE = {"clean-up": "to be reversed", "back-fill": "to be acted on"}
_TYPES = ("prevent", "detect", "mitigate", "process")


def lists(result: Postmortem) -> View:
    """How much is on the lists, and how good they are."""
    if result.reason("lists") is not None:
        return words.absent(result, "lists", "There is no list of what to put right")
    parts = [
        f"{numbers.rows_of(one.rows, 'case')} {_are(one.rows)} on the {one.name} list, "
        f"{_PURPOSE[one.name]}"
        for one in result.lists
    ]
    heading = "; ".join(parts) if parts else "No list was written"
    points: list[Point] = []
    for one in result.lists:
        points += [_quality(result, one), *_change(one), _file(one)]
    return words.section(heading, points)


def _are(n: int) -> str:
    return "is" if n == 1 else "are"


def _quality(result: Postmortem, one: RestrictedList) -> Point:
    """Precision and recall, each with what it is a share of."""
    key = one.name.replace("-", "_")
    precision = result.estimates.get(f"{key}_precision")
    recall = result.estimates.get(f"{key}_recall")
    lead = f"{house.upper_first(one.name)} list"
    if not numbers.known(precision) and not numbers.known(recall):
        return lead, words.stop(f"How good it is cannot be said: {words.reason(precision)}")
    good = (
        f"{numbers.told(precision)} of it is rightly there"
        if numbers.known(precision)
        else "How much of it is rightly there is not estimable"
    )
    whole = (
        f"it holds {numbers.brief(recall)} of all wrong cases in the table not yet put right"
        if numbers.known(recall)
        else "how much it misses is not estimable"
    )
    return lead, house.upper_first(f"{good}; {whole}.")


def _change(one: RestrictedList) -> list[Point]:
    """What left the list since the file before it."""
    if one.before is None:
        return [("Earlier file", f"There was no earlier {one.name} list.")]
    if not one.left:
        return [("Earlier file", f"Nothing left the {one.name} list since then.")]
    parts = {
        "put right": one.left_resolved,
        "judged otherwise": one.left_judged,
        "no longer in the sources": one.left - one.left_resolved - one.left_judged,
    }
    there = {why: n for why, n in parts.items() if n > 0}
    if any(is_small(n) for n in there.values()):  # one small part is the others' difference
        told = house.listed(list(there))
    else:
        told = house.listed([f"{numbers.rows_of(n, 'case')} {why}" for why, n in there.items()])
    left = house.upper_first(numbers.rows_of(one.left, "case"))
    return [("Left the list", f"{left} since the earlier file: {told}.")]


def _file(one: RestrictedList) -> Point:
    return (
        "File",
        f"Kept apart with restricted access; SHA-256 starts with {words.name(one.sha256, 80)[:12]}."
        f" {house.upper_first(numbers.rows_of(one.unlabelled))} of it have no label.",
    )


def maturity(result: Postmortem) -> View:
    """What is still to arrive, and when figures are final."""
    if result.reason("maturity") is not None:
        return words.absent(result, "maturity", "Whether more is still to arrive is not known")
    return words.section(least(result), [*_kinds(result), *_read_until(result), *_final(result)])


def least(result: Postmortem) -> str:
    """The kind that is least complete."""
    frame = result.maturity.dropna(subset=["complete"])
    if not len(frame):
        return "How much is still to arrive is not estimable or too little to show"
    row = frame.iloc[int(frame["complete"].to_numpy().argmin())]
    kind = house.upper_first(words.name(row["kind"], 32))
    if float(row["complete"]) >= 1:
        return "Nothing more is expected to arrive"
    found = _expected(result, row)
    text = f"{kind} are not all in"
    return text if found is None else f"{text}: {found} are expected in the end"


def _expected(result: Postmortem, row: pd.Series) -> str | None:
    renamed = row.rename({"final": "point"})
    return numbers.row_told(renamed, "", level=result.spec.sizing.level)


def _kinds(result: Postmortem) -> list[Point]:
    points: list[Point] = []
    for _, row in result.maturity.head(6).iterrows():
        kind = house.upper_first(words.name(row["kind"], 32))
        found = _expected(result, row)
        seen = numbers.exactly(row["seen"], "seen so far")
        if found is None:
            text = f"{seen}; the final number is not estimable or too small to show"
        else:
            text = f"{seen}; {found} in the end"
        at = row["final_on"]
        if not pd.isna(at):
            text += f", final on {words.day(result, at)}"
        points.append((kind, house.upper_first(f"{text}.")))
    return points


def _read_until(result: Postmortem) -> list[Point]:
    """The instant that "so far" means."""
    at = result.observed_until
    if at is None or pd.isna(at):
        return []
    until = words.when(result, at, year=True)
    return [("So far", f"Arrivals are read up to {until} ({words.clock(result)}).")]


def final_on(result: Postmortem, *, labels: bool = False) -> pd.Timestamp | None:
    """The day from which on everything known to be late is in; None where that is not known.

    With `labels`, of labels alone: the only arrivals that numbers of items and people rest on.
    """
    frame = _late(result, labels)
    if not len(frame) or frame["final_on"].isna().any():
        return None
    return frame["final_on"].max()


def is_final(result: Postmortem, *, labels: bool = False) -> bool:
    """Whether everything known to be late (with `labels`: every label) has arrived."""
    frame = _late(result, labels)
    return bool(len(frame) and (frame["complete"] >= 1).all())


def _late(result: Postmortem, labels: bool) -> pd.DataFrame:
    frame = result.maturity
    if not labels:
        return frame
    return frame[frame["kind"].astype(str).str.contains("label", case=False)]


def _final(result: Postmortem) -> list[Point]:
    points: list[Point] = []
    if (at := final_on(result)) is not None and not is_final(result):
        points.append(
            ("Final", f"At least 99 % of each are expected by {words.day(result, at)}; run this "
             "again then.")
        )  # fmt: skip
    points.append(
        ("Rests on", "The delays of earlier events; longer ones than were ever seen are not in it.")
    )
    return points


def actions(result: Postmortem) -> View:
    """What was promised, and what is due next."""
    if result.reason("actions") is not None:
        return words.absent(result, "actions", "Nothing is promised to keep it from coming again")
    return words.section(promised(result), [*_by_type(result), *_untouched(result)])


def promised(result: Postmortem) -> str:
    """``two of three action items are open; the next is due on 20 Mar 2024``."""
    whole = result.spec.actions
    open_ = [one for one in whole if one.status == "open"]
    if not whole:
        return "no action item is stated"
    if not open_:
        return "the only action item is done" if len(whole) == 1 else (
            f"all {house.number_word(len(whole))} action items are done"
        )  # fmt: skip
    due = min(one.due for one in open_)
    text = f"{house.number_word(len(open_))} of {house.number_word(len(whole))} action items"
    if len(whole) == 1:
        text = "the only action item"
    elif len(open_) == len(whole):
        text = f"all {house.number_word(len(whole))} action items"
    verb = "is" if len(open_) == 1 else "are"
    next_ = "due" if len(open_) == 1 else "the next due"
    return f"{text} {verb} open, {next_} on {show.day(pd.Timestamp(due, tz='UTC'))}"


def _by_type(result: Postmortem) -> list[Point]:
    points: list[Point] = []
    for type_ in _TYPES:
        own = [one for one in result.spec.actions if one.type == type_]
        if own:
            done = sum(one.status == "done" for one in own)
            titles = house.listed([f"“{words.name(one.title, 70)}”" for one in own[:2]])
            more = f" and {house.number_word(len(own) - 2)} more" if len(own) > 2 else ""
            some = house.number_word(done) if done else "none"
            state = f"{some} of {house.number_word(len(own))} done"
            if len(own) == 1:
                state = "done" if done else "open"
            points.append((house.upper_first(type_), f"{titles}{more} ({state})."))
    return points


def _untouched(result: Postmortem) -> list[Point]:
    there = {one.type for one in result.spec.actions}
    lacking = [type_ for type_ in ("prevent", "detect") if type_ not in there]
    if not lacking:
        return []
    return [("Not covered", f"No item is there to {' or '.join(lacking)} the next one.")]
