"""Accounts and customers hit: labels tell which cases of which of them are wrong."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import ndtri, stdtrit

from trustlib.postmortem.doses import BANDS, band_of, fewest, largest_first, most
from trustlib.postmortem.hit import DRAWS, Hit, outwards
from trustlib.postmortem.sides import SideCases
from trustlib.stats.horvitz_thompson import FloatArray, IntArray, linearised_variance
from trustlib.stats.melding import binomial_draws


@dataclass(frozen=True, kw_only=True, eq=False)
class _Labels:
    """Labelled cases of known owners, (n,) each; `who` are codes from 0.

    `person_dose`, `person_labels`, `hit` and `clear` are of the owners, (P,).
    """

    who: IntArray
    band: IntArray
    wrong: FloatArray
    weight: FloatArray
    unseen: FloatArray
    cell: IntArray
    person_dose: IntArray
    person_labels: IntArray
    hit: npt.NDArray[np.bool_]  # a wrong case was seen
    clear: npt.NDArray[np.bool_]  # all of theirs were seen, none is wrong


def _labels(cases: SideCases, name: str) -> _Labels:
    dose = cases.labelled[f"{name}_dose"].to_numpy(np.int64)
    code = cases.labelled[name].to_numpy(np.int64)
    known = (code >= 0) & (dose > 0)
    who = np.unique(code[known], return_inverse=True)[1]
    persons = int(who.max(initial=-1)) + 1
    person_dose = np.zeros(persons, dtype=np.int64)
    np.maximum.at(person_dose, who, dose[known])
    seen = np.bincount(who, minlength=persons)
    hit = np.bincount(who, cases.wrong[known], minlength=persons) > 0
    return _Labels(
        who=who,
        band=band_of(person_dose)[who],
        wrong=cases.wrong[known],
        weight=cases.calibrated[known],
        unseen=1 - cases.fraction[known],
        cell=cases.cell[known],
        person_dose=person_dose,
        person_labels=seen,
        hit=hit,
        clear=~hit & (seen >= person_dose),
    )


def owners(
    cases: SideCases, own: pd.DataFrame, kind: str, *, level: float, random: np.random.Generator
) -> Hit:
    """Accounts or customers: band by band, since their cases' labels are known."""
    labels = _labels(cases, kind[:-1])
    everywhere = float(np.average(labels.wrong, weights=labels.weight))
    every_dose, every_count = largest_first(own)
    low = high = np.zeros(DRAWS)
    point = least = largest = 0.0
    bands = []
    for code, band in enumerate(BANDS):
        has = band_of(every_dose) == code
        if not has.any():
            continue
        dose, count = every_dose[has], every_count[has]
        held, size = float((dose * count).sum()), int(count.sum())
        inside = band_of(labels.person_dose) == code
        floor = float(np.sum(labels.hit & inside))
        ceiling = max(floor, float(size - np.sum(labels.clear & inside)))
        mine = (labels.band == code).astype(float)
        share, draws = _share(labels, mine, level=level, random=random)
        low = low + np.clip(fewest(held * draws, dose, count), floor, ceiling)
        highest = draws if mine.any() else np.ones(DRAWS)
        high = high + np.clip(most(held * highest, count), floor, ceiling)
        share = everywhere if math.isnan(share) else share
        at = np.array([held * share])
        least += float(np.clip(fewest(at, dose, count), floor, ceiling)[0])
        largest += float(np.clip(most(at, count), floor, ceiling)[0])
        point += _expected(share, labels, inside, dose, count)
        bands.append((band, size, int(mine.sum())))
    ends = outwards(low, high, level)
    return Hit(point=min(max(point, ends[0]), ends[1]), low=ends[0], high=ends[1], fewest=least,
               most=largest, n=len(labels.wrong), bands=tuple(bands))  # fmt: skip


def _expected(
    share: float,
    labels: _Labels,
    inside: npt.NDArray[np.bool_],
    dose: IntArray,
    count: IntArray,
) -> float:
    """People hit if cases were wrong independently of each other, given what is settled."""
    touched = np.array([np.sum(labels.person_dose[inside] == d) for d in dose])
    untouched = np.maximum(count - touched, 0)
    open_ = inside & ~labels.hit & ~labels.clear
    rest = labels.person_dose[open_] - labels.person_labels[open_]
    return float(
        np.sum(labels.hit & inside)
        + np.sum(untouched * (1 - (1 - share) ** dose))
        + np.sum(1 - (1 - share) ** rest)
    )


def _share(
    labels: _Labels, band: FloatArray, *, level: float, random: np.random.Generator
) -> tuple[float, FloatArray]:
    """The share of wrong cases of one band, and draws of it; NaN and zeros without labels.

    `labels` are those of all bands, since weights are scaled over cells, `band` (n,) is 1 within.
    """
    mass = labels.weight * band
    if not mass.sum() > 0:
        return math.nan, np.zeros(DRAWS)
    mass = mass / mass.sum()
    share = min(1.0, float(mass @ labels.wrong))
    if not (mass * labels.unseen).any():
        return share, np.full(DRAWS, share)
    persons = len(np.unique(labels.who[band > 0]))
    if 1e-12 < share < 1 - 1e-12:
        n = share * (1 - share) / _variance(labels, mass, share)
    else:  # all of one kind: as if each person were one label
        looks = 1 / float(np.sum(mass**2)) / float(mass @ labels.unseen)
        n = looks * persons / float(band.sum())
    middle = 0.5 + level / 2
    n *= float(ndtri(middle) / stdtrit(max(persons - 1, 1), middle)) ** 2
    return share, binomial_draws(share * n, n, draws=DRAWS, random=random).low


def _variance(labels: _Labels, mass: FloatArray, share: float) -> float:
    """Of the share, labels of one person together; at least that of labels on their own."""
    linearised = linearised_variance(
        mass * (labels.wrong - share),
        stratum=labels.cell,
        fraction=1 - labels.unseen,
        cluster=labels.who,
        n=np.bincount(labels.cell, minlength=2),
    )
    cell = labels.cell
    total, square = np.bincount(cell, mass), np.bincount(cell, mass**2)
    filled = total > 0
    of_cell = np.divide(np.bincount(cell, mass * labels.wrong), total, out=np.zeros(len(total)),
                        where=filled)  # fmt: skip
    kish = np.divide(total**2, square, out=np.zeros(len(total)), where=filled)
    smooth = (of_cell * kish + 0.5) / (kish + 1)
    alone = float(np.sum(np.bincount(cell, labels.unseen * mass**2) * smooth * (1 - smooth)))
    return max(linearised, alone)
