"""What today's controls catch and what they hit by mistake, at the population's base rate.

Recall is Σ w y f / Σ w y and precision Σ w y f / Σ w f over a random labelled sample, with y the
label, f the control's flag and w what a label stands for: both ends are estimated
(`trustlib.harm.weighted_ratio`), labels of one actor counted together.

The labels must come from a sample that was drawn without looking at the controls' decisions
except through the strata: labels of what was reported or reviewed anyway know no misses.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from trustlib.core import Check, Estimate
from trustlib.harm.control_checks import checks
from trustlib.harm.sample import LabelledSample, Population, matching
from trustlib.harm.share import Of
from trustlib.harm.weighted_ratio import (
    GAMMA,
    MELDED,
    WeightedSum,
    expansion,
    ratio_interval,
    sum_interval,
    unseen_part,
    weighted_sum,
)

BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True, eq=False)
class Controls:
    """Recall, precision and overlap of K controls.

    Attributes
    ----------
    of
        "items" or "views": what recall and precision are shares of.
    names
        (K,) of the controls.
    recall, precision
        (K,) of each control.
    recall_of_controls, precision_of_controls
        Of all controls together: flagged by at least one.
    missed
        Violating items, or views of them, that no control flags.
    alone
        (K,) share of the violating that this control flags and no other does: what would be lost
        without it.
    overlap
        One row per pair: first, second, both, low, high (share of the violating that both flag)
        and expected, the share that they would both flag by chance if they were independent.
    checks
        One per assumption.
    """

    of: Of
    names: tuple[str, ...]
    recall: tuple[Estimate, ...]
    precision: tuple[Estimate, ...]
    recall_of_controls: Estimate
    precision_of_controls: Estimate
    missed: Estimate
    alone: tuple[Estimate, ...]
    overlap: pd.DataFrame
    checks: tuple[Check, ...]

    def table(self) -> pd.DataFrame:
        """One row per control, then all together: name, recall, precision, alone, each with ends.

        Columns are name and, of each of the three, the point, `_low` and `_high`; NaN where not
        estimable.
        """
        empty = replace(self.recall_of_controls, point=None, low=None, high=None, note="all")
        rows = []
        for name, *found in (
            *zip(self.names, self.recall, self.precision, self.alone, strict=True),
            ("all together", self.recall_of_controls, self.precision_of_controls, empty),
        ):
            row: dict[str, object] = {"name": name}
            for column, one in zip(("recall", "precision", "alone"), found, strict=True):
                row |= {column: one.point, f"{column}_low": one.low, f"{column}_high": one.high}
            rows.append(row)
        frame = pd.DataFrame(rows)
        return frame.astype({name: float for name in frame.columns if name != "name"})


def controls(
    sample: LabelledSample,
    population: Population,
    flags: npt.ArrayLike,
    *,
    names: tuple[str, ...],
    of: Of = "items",
    level: float = 0.95,
    cluster: bool = True,
) -> Controls:
    """Recall and precision of each control, of all together, and their overlap.

    Parameters
    ----------
    flags
        (n, K) whether each control flagged the labelled item.
    names
        (K,) of the controls.
    cluster
        Count the labels of one actor together.

    Raises
    ------
    ValueError
        If shapes differ, names repeat, or the sample's strata are not the population's.
    """
    matching(sample, population)
    flagged = _flags(flags, sample, names)
    keys = (*flagged.T, sample.score, sample.views, sample.inclusion, sample.label, sample.actor)
    order = np.lexsort((*keys, sample.stratum))
    sample, flagged = sample.take(order), flagged[order]
    seen: BoolArray = np.asarray(flagged.any(axis=1))
    solo = flagged.sum(axis=1) == 1
    how: dict[str, Any] = {"of": of, "level": level, "cluster": cluster}
    recall = tuple(recall_of(sample, population, flag, **how) for flag in flagged.T)
    together = recall_of(sample, population, seen, **how)
    return Controls(
        of=of,
        names=names,
        recall=recall,
        precision=tuple(precision_of(sample, population, flag, **how) for flag in flagged.T),
        recall_of_controls=together,
        precision_of_controls=precision_of(sample, population, seen, **how),
        missed=_missed(sample, population, seen, **how),
        alone=tuple(recall_of(sample, population, flag & solo, **how) for flag in flagged.T),
        overlap=_overlap(sample, population, flagged, names, recall, how),
        checks=checks(sample, population, together, seen, of=of, level=level),
    )


def recall_of(
    sample: LabelledSample, population: Population, flag: BoolArray, **how: Any
) -> Estimate:
    """The violating that `flag` (n,) marks, over all violating; `how` as in `controls`."""
    bad = sample.label > 0
    return _ratio(sample, population, bad & flag, bad & ~flag, (flag, ~flag), "violating", **how)


def precision_of(
    sample: LabelledSample, population: Population, flag: BoolArray, **how: Any
) -> Estimate:
    """The violating that `flag` (n,) marks, over all that it marks."""
    bad = sample.label > 0
    return _ratio(sample, population, bad & flag, ~bad & flag, (flag, flag), "flagged", **how)


def specificity_of(
    sample: LabelledSample, population: Population, flag: BoolArray, **how: Any
) -> Estimate:
    """What is not violating and not marked by `flag` (n,), over all that is not violating."""
    good = sample.label == 0
    return _ratio(
        sample, population, good & ~flag, good & flag, (~flag, flag), "not violating", **how
    )


def _ratio(
    sample: LabelledSample,
    population: Population,
    part: BoolArray,
    rest: BoolArray,
    possible: tuple[BoolArray, BoolArray],
    noun: str,
    *,
    of: Of = "items",
    level: float = 0.95,
    cluster: bool = True,
) -> Estimate:
    above, below = (
        _sum(sample, population, labels, could, of=of, cluster=cluster)
        for labels, could in zip((part, rest), possible, strict=True)
    )
    weighed = (sample.views > 0) if of == "views" else np.ones(sample.n, dtype=bool)
    n = int(((part | rest) & weighed).sum())
    total, unit = above.total + below.total, f"share of {noun} {of}"
    if not total > 0:
        return Estimate(point=None, low=None, high=None, level=level, unit=unit, method=MELDED,
                        n=n, note="not estimable: no label to divide by")  # fmt: skip
    low, high = ratio_interval(above, below, level=level)
    return Estimate(point=above.total / total, low=low, high=high, level=level, unit=unit,
                    method=MELDED, n=n, note=_covered(sample, population))  # fmt: skip


def _sum(
    sample: LabelledSample,
    population: Population,
    labels: BoolArray,
    could: BoolArray,
    *,
    of: Of,
    cluster: bool,
) -> WeightedSum:
    return weighted_sum(
        labels,
        weight=expansion(sample, population, of),
        unseen=unseen_part(sample, population),
        cluster=sample.cluster if cluster else np.arange(sample.n),
        stratum=sample.stratum,
        possible=could if could.any() else np.ones(sample.n, dtype=bool),
    )


def _missed(
    sample: LabelledSample,
    population: Population,
    seen: BoolArray,
    *,
    of: Of,
    level: float,
    cluster: bool,
) -> Estimate:
    unit, bad = f"violating {of}", sample.label > 0
    if not sample.n:
        return Estimate(point=None, low=None, high=None, level=level, unit=unit, method=GAMMA, n=0,
                        note="not estimable: there are no labels")  # fmt: skip
    found = _sum(sample, population, bad & ~seen, ~seen, of=of, cluster=cluster)
    low, high = sum_interval(found, level=level)
    return Estimate(point=found.total, low=low, high=high, level=level, unit=unit, method=GAMMA,
                    n=int((bad & ~seen).sum()), note=_covered(sample, population))  # fmt: skip


def _covered(sample: LabelledSample, population: Population) -> str | None:
    empty = np.bincount(sample.stratum, minlength=len(population.strata)) == 0
    return "only of the strata that have labels" if population.items[empty].any() else None


def _overlap(
    sample: LabelledSample,
    population: Population,
    flagged: BoolArray,
    names: tuple[str, ...],
    recall: tuple[Estimate, ...],
    how: dict[str, Any],
) -> pd.DataFrame:
    rows = []
    for j, k in combinations(range(len(names)), 2):
        both = recall_of(sample, population, flagged[:, j] & flagged[:, k], **how)
        one, other = recall[j].point, recall[k].point
        chance = None if one is None or other is None else one * other
        rows.append((names[j], names[k], both.point, both.low, both.high, chance))
    columns = ["first", "second", "both", "low", "high", "expected"]
    return pd.DataFrame(rows, columns=columns).astype(dict.fromkeys(columns[2:], float))


def _flags(flags: npt.ArrayLike, sample: LabelledSample, names: tuple[str, ...]) -> BoolArray:
    given = np.asarray(flags)
    if given.shape != (sample.n, len(names)):
        raise ValueError(
            f"controls: flags have shape {given.shape}, one row for each of {sample.n:,} labels "
            f"and one column for each of {len(names)} controls is needed"
        )
    if not names or len(set(names)) < len(names):
        raise ValueError("controls: each control needs a name of its own")
    if not np.isin(given, (0, 1)).all():
        raise ValueError("controls: flags are true or false")
    return given.astype(bool)
