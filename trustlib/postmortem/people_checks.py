"""Whether what is said of people can be believed."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from trustlib.core import Check
from trustlib.core.format import exact, percent
from trustlib.data.incident_records import Side
from trustlib.harm.deep_dive.published import is_small
from trustlib.postmortem.hit import Hit
from trustlib.postmortem.sides import SideCases

WIDE = 0.2  # of the point, between the two extremes
FEW = 10  # labels in a band
UNKNOWN = 0.05  # of the cases, without an account


def people_checks(
    hits: Mapping[str, Hit],
    sides: Mapping[Side, SideCases],
    people: pd.DataFrame,
    *,
    views_share: float | None = None,
) -> tuple[Check, ...]:
    """people_identified, people_labels, people_known; viewers_are_some where views are a sample.

    `views_share` is below 1, or None where all views were read.
    """
    made = people_identified(hits), people_labels(hits), people_known(sides, people)
    if views_share is None or not (people["kind"] == "viewers").any():
        return made
    return *made, viewers_are_some(views_share)


def people_identified(hits: Mapping[str, Hit]) -> Check:
    """How much hangs on how wrong cases lie on people, which labels of cases do not tell."""
    name = "people_identified"
    if not hits:
        return Check(name=name, verdict="not_run", label="people not estimable",
                     text="Nothing is estimable of people.")  # fmt: skip
    said, wide = [], False
    for kind, hit in hits.items():
        if hit.most <= 0 or is_small(hit.most):
            continue
        wide |= hit.most - hit.fewest > WIDE * hit.most
        said.append(f"{kind}: {exact(hit.fewest)} to {exact(hit.most)}")
    text = (
        "Labels tell how many cases are wrong, not whether one person has many of them. If all "
        "or none of a person's cases were wrong, or each on somebody else"
    )
    told = "; ".join(said) or "too few to be named"
    if wide:
        return Check(name=name, verdict="warn", label="people are bounded only",
                     text=f"{text}: {told}. The point takes them as independent; no number of "
                     "labels alone closes the gap, short of all.")  # fmt: skip
    return Check(name=name, verdict="pass", label="people follow from cases",
                 text=f"{text}, the numbers would hardly differ: {told}.")  # fmt: skip


def people_labels(hits: Mapping[str, Hit]) -> Check:
    """Whether each band of doses has labels."""
    name = "people_labels"
    if not hits:
        return Check(name=name, verdict="not_run", label="people not estimable",
                     text="Nothing is estimable of people.")  # fmt: skip
    bare = [f"{kind} with {band}" for kind, hit in hits.items() for band, _, n in hit.bands
            if not n]  # fmt: skip
    few = [f"{kind} with {band}" for kind, hit in hits.items() for band, size, n in hit.bands
           if 0 < n < min(FEW, size)]  # fmt: skip
    if not bare and not few:
        return Check(name=name, verdict="pass", label="labels at every dose",
                     text="Every band of cases per person has enough labels, or as many as "
                     "people.")  # fmt: skip
    said = []
    if bare:
        said.append(
            f"No labels for {', '.join(bare)} cases: all or none of these may be hit, and the "
            "point takes the share of the others."
        )
    if few:
        said.append(f"Fewer than {FEW} labels for {', '.join(few)} cases.")
    return Check(name=name, verdict="warn", label="few labels at a dose", text=" ".join(said))


def people_known(sides: Mapping[Side, SideCases], people: pd.DataFrame) -> Check:
    """Whether cases have an account."""
    name = "people_known"
    own = people[people["kind"] == "accounts"]
    items = sum(cases.items for cases in sides.values())
    if not len(own) or not items:
        return Check(name=name, verdict="not_run", label="accounts unknown",
                     text="The affected table does not tell whose the cases are.")  # fmt: skip
    missing = max(0.0, 1 - float((own["dose"] * own["people"]).sum()) / items)
    if missing <= 0:
        return Check(name=name, verdict="pass", label="accounts known",
                     text="Every case has an account.")  # fmt: skip
    return Check(
        name=name, verdict="warn" if missing > UNKNOWN else "pass",
        label="cases without account" if missing > UNKNOWN else "nearly all accounts known",
        text=f"{percent(missing)} of the cases have no account: numbers of people are of the rest, "
        "so too low.",
    )  # fmt: skip


def viewers_are_some(views_share: float) -> Check:
    """Viewers of a sample of the views are a lower bound."""
    return Check(
        name="viewers_are_some", verdict="warn", label="viewers are a lower bound",
        text=f"The views that were read are {percent(views_share)} of all. Viewers, their "
        "interval, and how much each of them saw are of these views alone: there are more "
        "viewers, and nothing tells how many more, since one viewer may have many views.",
    )  # fmt: skip
