"""Whether what is said of wrong cases can be believed: one check per assumption."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from trustlib.core import Check
from trustlib.core.format import level as told
from trustlib.core.format import percent, plural
from trustlib.data.incident_records import Side
from trustlib.postmortem.sides import SideCases
from trustlib.stats.wilson import none_seen

FEW = 30  # labels in a cell
UNLABELLED = 0.05  # of the cases
OFF = 0.05  # by which weights may miss the known number of cases, beyond chance
LARGE = 0.2  # of the labelled money, with one case
CELL = {("over", True): "suspects that were actioned", ("over", False): "others actioned",
        ("under", True): "suspects that were not actioned",
        ("under", False): "others not actioned"}  # fmt: skip


def case_checks(sides: Mapping[Side, SideCases], *, level: float, money: bool) -> tuple[Check, ...]:
    """case_labels, cases_without_wrong, cases_unlabelled, case_weights, labels_as_truth,
    large_amounts."""
    return (
        case_labels(sides),
        cases_without_wrong(sides, level),
        cases_unlabelled(sides),
        case_weights(sides),
        labels_as_truth(sides),
        large_amounts(sides, money),
    )


def _cells(sides: Mapping[Side, SideCases]) -> list[tuple[str, int, int, float]]:
    """What it is called, cases, labels, labelled wrong: of every cell with cases."""
    out = []
    for side, own in sides.items():
        n = np.bincount(own.cell, minlength=2)
        wrong = np.bincount(own.cell, own.wrong, minlength=2)
        for suspect in (True, False):
            items = int(own.totals["items"].loc[suspect])
            if items:
                name = CELL[side, suspect]
                out.append((name, items, int(n[int(suspect)]), float(wrong[int(suspect)])))
    return out


def _not_run(name: str, sides: Mapping[Side, SideCases]) -> Check | None:
    """The verdict where there is nothing to look at."""
    if any(own.n for own in sides.values()):
        return None
    some = any(own.items for own in sides.values())
    what = "No case is labelled." if some else "There are no cases."
    return Check(name=name, verdict="not_run", label="no labelled cases", text=what)


def case_labels(sides: Mapping[Side, SideCases]) -> Check:
    """Whether each cell has labels enough."""
    name = "case_labels"
    if missing := _not_run(name, sides):
        return missing
    few = [cell for cell, items, n, _ in _cells(sides) if 0 < n < min(FEW, items)]
    labels = sum(own.n for own in sides.values())
    if not few:
        return Check(name=name, verdict="pass", label="enough labelled cases",
                     text=f"{plural(labels, 'case')} labelled; each cell that has labels has at "
                     f"least {FEW}, or all of its cases.")  # fmt: skip
    return Check(
        name=name, verdict="warn", label="few labelled cases",
        text=f"Fewer than {FEW} labels each for: {', '.join(few)}. Read the intervals, not the "
        "points.",
    )  # fmt: skip


def cases_without_wrong(sides: Mapping[Side, SideCases], level: float) -> Check:
    """Cells whose labels hold no wrong case: how much could still be there."""
    name = "cases_without_wrong"
    if missing := _not_run(name, sides):
        return missing
    clean = [(cell, items, n) for cell, items, n, wrong in _cells(sides)
             if 0 < n < items and not wrong]  # fmt: skip
    if not clean:
        return Check(name=name, verdict="pass", label="wrong cases in every cell",
                     text="Every cell with labels has a wrong one among them, or is labelled in "
                     "full.")  # fmt: skip
    said = "; ".join(
        f"{cell}: at most {percent(none_seen(n=[n / (1 - n / items)], weight=[1.0], level=level))}"
        for cell, items, n in clean
    )
    return Check(
        name=name, verdict="warn", label="a cell without a wrong case",
        text="No label is wrong in some cells. That bounds their wrong cases from above "
        f"({told(level)} confidence, rule of three), it does not show that there are none. {said}.",
    )  # fmt: skip


def cases_unlabelled(sides: Mapping[Side, SideCases]) -> Check:
    """Cells of which nothing is known."""
    name = "cases_unlabelled"
    cells = _cells(sides)
    if not cells:
        return Check(name=name, verdict="not_run", label="no cases", text="There are no cases.")
    blind = [(cell, items) for cell, items, n, _ in cells if not n]
    if not blind:
        return Check(name=name, verdict="pass", label="labels in every cell",
                     text="Suspects and others have labels, on each side with cases.")  # fmt: skip
    part = sum(items for _, items in blind) / sum(items for _, items, _, _ in cells)
    return Check(
        name=name, verdict="fail" if part > UNLABELLED else "warn", label="cases without labels",
        text=f"No labels for: {', '.join(cell for cell, _ in blind)}, {percent(part)} of all "
        "cases. A side without any label is not estimable; else they are in no point, and in the "
        "upper ends as if all were wrong.",
    )  # fmt: skip


def case_weights(sides: Mapping[Side, SideCases]) -> Check:
    """Whether Σ 1/π gives back the known number of cases."""
    name = "case_weights"
    if missing := _not_run(name, sides):
        return missing
    wrong = []
    for side, own in sides.items():
        for suspect in (True, False):
            weight = own.weight[own.cell == int(suspect)]
            items = float(own.totals["items"].loc[suspect])
            if not len(weight) or not items:
                continue
            chance = float(np.sqrt(np.sum(weight**2 - weight))) / items
            if abs(weight.sum() / items - 1) > OFF + 3 * chance:
                wrong.append(CELL[side, suspect])
    if not wrong:
        return Check(name=name, verdict="pass", label="label weights add up",
                     text="One over the inclusion probabilities adds up to the known number of "
                     "cases.")  # fmt: skip
    return Check(
        name=name, verdict="warn", label="label weights do not add up",
        text=f"One over the inclusion probabilities misses the known number of cases for: "
        f"{', '.join(wrong)}. The known numbers are used. Labels may still be missing: if those "
        "to come differ from those that are in, the estimates are off.",
    )  # fmt: skip


def labels_as_truth(sides: Mapping[Side, SideCases]) -> Check:
    """Labels are taken as truth: how much stands behind them."""
    name = "labels_as_truth"
    if missing := _not_run(name, sides):
        return missing
    n = sum(own.n for own in sides.values())
    single = sum(int((own.labelled["n_votes"] <= 1).sum()) for own in sides.values()) / n
    ties = sum(int((own.labelled["ties"] > 0).sum()) for own in sides.values()) / n
    if not single and not ties:
        return Check(name=name, verdict="pass", label="several raters agree on labels",
                     text="Every labelled case has several raters, a majority of whom decides. "
                     "Labels are taken as truth.")  # fmt: skip
    said = []
    if single:
        said.append(f"{percent(single)} of the labelled cases have one rater only")
    if ties:
        said.append(
            f"in {percent(ties)} the raters are tied, which counts as not violating: wrong if "
            "actioned, right if not"
        )
    return Check(
        name=name, verdict="warn", label="labels taken as truth",
        text=f"{_capital('; '.join(said))}. Labels are taken as truth: the intervals know nothing "
        "of raters' mistakes.",
    )  # fmt: skip


def large_amounts(sides: Mapping[Side, SideCases], money: bool) -> Check:
    """Whether the money hangs on one labelled case."""
    name = "large_amounts"
    if not money:
        return Check(name=name, verdict="not_run", label="no amounts",
                     text="The affected table has no amounts.")  # fmt: skip
    if missing := _not_run(name, sides):
        return missing
    worst = 0.0
    for own in sides.values():
        held = own.weight * own.labelled["gross_cents"].to_numpy(float)
        if held.sum() > 0 and (own.fraction < 1).any():
            worst = max(worst, float((held * (own.fraction < 1)).max() / held.sum()))
    if worst <= LARGE:
        return Check(name=name, verdict="pass", label="money on many cases",
                     text=f"No labelled case stands for more than {percent(LARGE)} of its side's "
                     "money.")  # fmt: skip
    return Check(
        name=name, verdict="warn", label="money on one case",
        text=f"One labelled case stands for more than {percent(LARGE)} of the money of its side: "
        "intervals of money rest on few labels. Label the largest amounts in full.",
    )  # fmt: skip


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
