"""Verdicts on the labels of an incident's cases, in a reader's words."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from trustlib.core import Check
from trustlib.core.format import percent, plural
from trustlib.data.incident_health import Seen
from trustlib.data.incident_prepare import Ready
from trustlib.data.incident_records import Role

_ENOUGH = 30  # labelled cases of a cell, for a look at what they stand for
_NEAR = (2 / 3, 3 / 2)  # what labels stand for, over what there is
_CELLS = {
    ("over", True): "actioned and suspect",
    ("over", False): "actioned and not suspect",
    ("under", True): "not actioned and suspect",
    ("under", False): "not actioned and not suspect",
}


def label_checks(ready: Ready, seen: Seen, missing: Mapping[Role, str]) -> list[Check]:
    """How labels were drawn, of which cases there are none, and whether they add up."""
    name = "affected_labels"
    if "affected" in missing:
        return []
    if "labels" in missing:
        text = f"Not run: of labels, {missing['labels']}. Which cases are wrong is not known."
        if ready.judged.get("items"):
            text += " Check that both tables write item_id alike."
            return [Check(name=name, verdict="fail", label="labels of other items", text=text)]
        return [Check(name=name, verdict="not_run", label="no labels", text=text)]
    labelled, cases = seen.frames["labelled"], seen.frames["cases"]
    ties, other = int(labelled["ties"].sum()), ready.judged["other"]
    text = f"{plural(len(labelled), 'case')} with a label."
    if ties:
        text += f" {plural(ties, 'case')} with tied votes {_count(ties)} as not violating."
    if other:
        text += f" {plural(other, 'labelled item')} {_is(other)} no case and left out."
    if not ready.told:
        text += (
            " Labels do not say with which chance they were drawn: within each side, and whether "
            "suspect or not, a simple random sample is assumed. If what looked wrong was labelled "
            "first, every share is too high."
        )
        if ready.judged["strata"] > 1:
            text += (
                f" They were drawn from {ready.judged['strata']:,} strata, which makes that "
                "assumption doubtful."
            )
    told = Check(
        name=name,
        verdict="pass" if ready.told else "warn",
        label="labels read" if ready.told else "sampling not told",
        text=text,
    )
    return [told, _unlabelled(labelled, cases), *_weights(ready, labelled, cases)]


def _count(n: int) -> str:
    return "counts" if n == 1 else "count"


def _is(n: int) -> str:
    return "is" if n == 1 else "are"


def _unlabelled(labelled: pd.DataFrame, cases: pd.DataFrame) -> Check:
    name = "affected_labelled_sides"
    drawn = set(zip(labelled["side"], labelled["suspect"], strict=True))
    without = [
        f"{_CELLS[side, bool(suspect)]} ({plural(int(items), 'case')})"
        for side, suspect, items in zip(
            cases["side"], cases["suspect"], cases["items"], strict=True
        )
        if (side, suspect) not in drawn
    ]
    if not without:
        text = "Some cases of every kind have a label."
        return Check(name=name, verdict="pass", label="all kinds labelled", text=text)
    text = f"No case has a label of those {'; and of those '.join(without)}: how many of them are "
    text += "wrong is not known."
    return Check(name=name, verdict="warn", label="cases without labels", text=text)


def _weights(ready: Ready, labelled: pd.DataFrame, cases: pd.DataFrame) -> list[Check]:
    """Whether labels stand for as many cases as there are."""
    if not ready.told:
        return []
    odd, looked = [], 0
    for side, suspect, items in zip(cases["side"], cases["suspect"], cases["items"], strict=True):
        mine = labelled[(labelled["side"] == side) & (labelled["suspect"] == suspect)]
        if len(mine) < _ENOUGH:
            continue
        looked += 1
        share = float((1 / mine["inclusion"]).sum()) / float(items)
        if not _NEAR[0] <= share <= _NEAR[1]:
            odd.append(f"{_CELLS[side, bool(suspect)]}: {percent(share)}")
    name = "affected_label_weights"
    if not looked:
        text = f"Not run: of no kind of cases {_ENOUGH} have a label."
        return [Check(name=name, verdict="not_run", label="too few labels to add up", text=text)]
    if not odd:
        text = "By their chances of being drawn, labels stand for about as many cases as there are."
        return [Check(name=name, verdict="pass", label="labels stand for the cases", text=text)]
    text = (
        f"By their chances of being drawn, labels stand for another number of cases than there are "
        f"({'; '.join(odd)}): labels that come late, a sample that was cut, or chances of another "
        "sample."
    )
    return [Check(name=name, verdict="warn", label="labels do not add up", text=text)]
