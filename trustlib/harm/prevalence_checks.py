"""Whether a prevalence can be believed: one check per assumption."""

from __future__ import annotations

import numpy as np
import pandas as pd

from trustlib.core import Check
from trustlib.core.format import count, percent, plural
from trustlib.core.format import level as told
from trustlib.harm.sample import LabelledSample, Population
from trustlib.harm.share import REACHING, Of, mass, one_more, share_interval
from trustlib.harm.strata import unlabelled, zero_strata
from trustlib.stats.horvitz_thompson import StratifiedShare

FEW = 10  # positive labels, or actors behind them
UNCOVERED = 0.05  # share of the population without labels that is too much
OFF = 0.05  # of the known totals by which the weights may miss them


def checks(
    sample: LabelledSample,
    population: Population,
    found: StratifiedShare,
    table: pd.DataFrame,
    *,
    level: float,
    of: Of,
) -> tuple[Check, ...]:
    """positive_labels, strata_without_positives, strata_without_labels, inclusion, actors."""
    return (
        positive_labels(table, level),
        strata_without_positives(table, found, level),
        strata_without_labels(table, found, of),
        inclusion_probabilities(sample, population),
        actors(sample, of),
    )


def positive_labels(table: pd.DataFrame, level: float) -> Check:
    """How many violating labels the share rests on."""
    positives, labels = int(table["positive"].sum()), int(table["labelled"].sum())
    name, seen = "positive_labels", f"{count(positives)} of {plural(labels, 'label')}"
    if labels == 0:
        return Check(name=name, verdict="not_run", label="no labels",
                     text="There are no labels, so nothing can be said.")  # fmt: skip
    if positives == 0:
        return Check(
            name=name,
            verdict="warn",
            label="no positive label",
            text=f"None of {plural(labels, 'label')} is violating. That bounds the share from "
            f"above at {told(level)} confidence; it does not show that there is nothing.",
        )
    if positives < FEW:
        return Check(
            name=name,
            verdict="warn",
            label="few positive labels",
            text=f"{seen} are violating. One more or less moves the share visibly: read the "
            "interval, not the point.",
        )
    return Check(name=name, verdict="pass", label="enough positive labels",
                 text=f"{seen} are violating.")  # fmt: skip


def strata_without_positives(table: pd.DataFrame, found: StratifiedShare, level: float) -> Check:
    """Strata that add no spread to the interval because no positive was seen there."""
    name = "strata_without_positives"
    zero, bound = zero_strata(table, found, level=level)
    labelled = int((table["labelled"] > 0).sum())
    if not labelled:
        return Check(name=name, verdict="not_run", label="no labels",
                     text="There are no labels in any stratum.")  # fmt: skip
    if not zero:
        return Check(name=name, verdict="pass", label="positives in every stratum",
                     text="Every stratum with labels has a violating one.")  # fmt: skip
    part = float(table["weight"][table["stratum"].isin(zero)].sum())
    text = (
        f"{len(zero)} of {plural(labelled, 'stratum', 'strata')}, with {percent(part)} of the "
        "population, have labels but no violating one. They enter as zero; with "
        f"{told(level)} confidence they hold at most {percent(bound)} of the "
        "population together (rule of three)."
    )
    if share_interval(found, level=level).method.endswith(REACHING):
        return Check(
            name=name,
            verdict="warn",
            label="one label could change it",
            text=f"{text} A single violating label there would lift the share to "
            f"{percent(found.share + one_more(found))}: the interval was made to reach so far. "
            "Put more labels into these strata.",
        )
    return Check(name=name, verdict="warn", label="strata without a positive", text=text)


def strata_without_labels(table: pd.DataFrame, found: StratifiedShare, of: Of) -> Check:
    """Strata of which nothing is known."""
    name = "strata_without_labels"
    blind = unlabelled(table)
    if not blind:
        return Check(name=name, verdict="pass", label="labels in every stratum",
                     text="Every stratum of the population has labels.")  # fmt: skip
    missing = 1 - found.covered
    return Check(
        name=name,
        verdict="fail" if missing > UNCOVERED else "warn",
        label="strata without labels",
        text=f"{len(blind)} of {plural(len(table), 'stratum', 'strata')}, with {percent(missing)} "
        f"of the {of}, have no labels: not estimable there. The share is that of the rest, and "
        "the total is a floor.",
    )


def inclusion_probabilities(sample: LabelledSample, population: Population) -> Check:
    """Whether Σ 1/π gives back the known number of items in each stratum."""
    name = "inclusion_probabilities"
    if not sample.n:
        return Check(name=name, verdict="not_run", label="no labels",
                     text="There are no labels to add up.")  # fmt: skip
    weights, strata = mass(sample, "items"), len(population.strata)
    n = np.bincount(sample.stratum, minlength=strata)
    total = np.bincount(sample.stratum, weights, minlength=strata)
    square = np.bincount(sample.stratum, weights**2 * (1 - sample.inclusion), minlength=strata)
    seen = n > 0
    off = np.abs(total[seen] / population.items[seen] - 1)
    # Where each item is drawn for itself, the sum is an estimate, with this relative error.
    spread = np.sqrt(square[seen]) / total[seen]
    wrong = int(np.sum(off > OFF + 3 * spread))
    if not wrong:
        return Check(name=name, verdict="pass", label="weights add up",
                     text="In every stratum the weights of the labels add up to its known number "
                     "of items.")  # fmt: skip
    return Check(
        name=name,
        verdict="warn",
        label="weights do not add up",
        text=f"In {wrong} of {plural(int(seen.sum()), 'stratum', 'strata')} the weights of the "
        "labels do not add up to the known number of items. The known numbers are used; check "
        "how the inclusion probabilities were recorded, and that no labels are missing.",
    )


def actors(sample: LabelledSample, of: Of) -> Check:
    """Whether the violating labels come from enough different accounts."""
    name = "actors_behind_positives"
    positive = (sample.label > 0) & (mass(sample, of) > 0)
    known = positive & (sample.actor >= 0)
    if not positive.any():
        return Check(name=name, verdict="not_run", label="no positive label",
                     text="No label is violating, so nobody stands behind one.")  # fmt: skip
    if not known.any():
        return Check(name=name, verdict="not_run", label="actors unknown",
                     text="The accounts behind the violating labels are not known: every label "
                     "is counted for itself, and the interval may be too narrow.")  # fmt: skip
    counted = np.unique(sample.actor[known], return_counts=True)[1]
    different = len(counted) + int(positive.sum() - known.sum())
    largest = counted.max() / positive.sum()
    text = (
        f"{plural(int(positive.sum()), 'violating label')} from "
        f"{plural(different, 'account')}; the largest has {percent(float(largest))} of them."
    )
    if different < FEW:
        text += " An interval from so few accounts can be too narrow."
        return Check(name=name, verdict="warn", label="few accounts behind it", text=text)
    return Check(name=name, verdict="pass", label="many accounts behind it", text=text)
