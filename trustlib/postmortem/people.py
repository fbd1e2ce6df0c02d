"""How many people were wrongly hit, when only some of their cases are labelled.

Accounts and customers are those who own a wrongly actioned case; viewers are those who saw a
missed one. Owners of missed items are offenders, not hit: they are counted, as candidates alone.

A person is hit with one wrong case among the d that they have (the dose). With p_d the share of
wrong ones among cases of people with that dose, what labels tell is how many cases are wrong,
p_d × cases; not how these lie on people. Two extremes bound it: all or nothing within a person,
those with most cases first (fewest people), and one wrong case each (most people). The point lies
between: cases of one person wrong independently, 1 − (1 − p_d)^d, given what the labels have
already settled of single people.

Interval: p_d is drawn from its confidence distribution, Beta(x + ½, m − x + ½) at x = m p_d, with m
the effective number of labels: labels of one person are counted together (design effect), and
Student's t on the number of persons makes up for few of them. The low end is the α/2 quantile of
the fewest, the high end the 1 − α/2 quantile of the most. People with a labelled wrong case are
hit, and people all of whose cases are labelled right are not; so nothing is unsure where every
case is labelled. Of viewers, labels do not tell who saw what: p is that of all views of cases, and
bounds remain even then. Coverage: tests/studies/postmortem_coverage.md.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtri, stdtrit

from trustlib.core import Check, Estimate
from trustlib.data.incident_records import AffectedRows, Side
from trustlib.harm.deep_dive.published import is_small
from trustlib.postmortem.amounts import wrong_total
from trustlib.postmortem.doses import (
    BANDS,
    band_of,
    dose_table,
    fewest,
    largest_first,
    most,
    top_shares,
)
from trustlib.postmortem.people_checks import people_checks
from trustlib.postmortem.sides import SideCases, side_cases, why_not
from trustlib.stats.horvitz_thompson import FloatArray, linearised_variance
from trustlib.stats.melding import binomial_draws

KINDS: tuple[tuple[str, Side], ...] = (
    ("accounts", "over"), ("customers", "over"), ("viewers", "under"),
)  # fmt: skip
METHOD = "bounds over how wrong cases lie on people, point as if independent"
DRAWS = 4000
FEW = 10  # labels in a band


@dataclass(frozen=True, kw_only=True, eq=False)
class People:
    """Who was hit, and how often.

    Attributes
    ----------
    estimates
        affected_accounts, affected_customers, affected_viewers.
    affected
        kind, side, candidates (people with a case), point, low, high (wrongly hit; NaN where not
        estimable, and for those who own missed items: they are not hit).
    doses
        kind, side, dose, people, cases.
    top_share
        kind, side, top_people, share.
    overlaps
        first, second, people.
    checks
        people_identified, people_labels, people_known.
    """

    estimates: dict[str, Estimate]
    affected: pd.DataFrame
    doses: pd.DataFrame
    top_share: pd.DataFrame
    overlaps: pd.DataFrame
    checks: tuple[Check, ...]


@dataclass(frozen=True, kw_only=True)
class Hit:
    """How many people were hit; the two extremes at the estimated shares; labels by band."""

    point: float
    low: float
    high: float
    fewest: float
    most: float
    n: int
    bands: tuple[tuple[str, int, int], ...]  # name, people, labels


def people(rows: AffectedRows, *, level: float, seed: int) -> People:
    """Distinct people who were wrongly hit, by how often.

    Parameters
    ----------
    seed
        Of the draws of the shares.
    """
    sides = {side: side_cases(rows, side) for _, side in KINDS}
    estimates: dict[str, Estimate] = {}
    hits: dict[str, Hit] = {}
    for kind, side in KINDS:
        own = rows.people[(rows.people["kind"] == kind) & (rows.people["side"] == side)]
        reason = _why_not(rows, sides[side], own, kind)
        if reason is None:
            find = _viewers if kind == "viewers" else _owners
            random = np.random.default_rng([seed, len(hits)])
            hits[kind] = find(sides[side], own, kind, level=level, random=random)
        estimates[f"affected_{kind}"] = _estimate(hits.get(kind), reason, own, kind, level)
    return People(
        estimates=estimates,
        affected=_affected(rows.people, estimates),
        doses=dose_table(rows.people),
        top_share=top_shares(rows.people),
        overlaps=rows.overlaps[["first", "second", "people"]].reset_index(drop=True),
        checks=people_checks(hits, sides, rows.people),
    )


def _why_not(rows: AffectedRows, cases: SideCases, own: pd.DataFrame, kind: str) -> str | None:
    if (reason := why_not(rows, cases)) and not cases.items:
        return reason
    if not len(own):
        if kind == "viewers":
            return rows.missing.get("views", "nobody is known to have seen a case")
        return f"the affected table does not tell the {kind[:-1]} of its cases"
    if reason:
        return reason
    if kind == "viewers" and not (cases.labelled["viewers"] > 0).any():
        return "nobody is known to have seen a labelled case"
    if kind != "viewers" and not (cases.labelled[f"{kind[:-1]}_dose"] > 0).any():
        return f"no labelled case has a known {kind[:-1]}"
    return None


def _estimate(
    hit: Hit | None, reason: str | None, own: pd.DataFrame, kind: str, level: float
) -> Estimate:
    if hit is None:
        count = int(own["people"].sum())
        bounds = f"; it lies between 0 and {count:,}" if not is_small(count) else ""
        return Estimate(point=None, low=None, high=None, level=level, unit=kind, method=METHOD,
                        n=0, note=f"not estimable: {reason}{bounds}")  # fmt: skip
    return Estimate(point=hit.point, low=hit.low, high=hit.high, level=level, unit=kind,
                    method=METHOD, n=hit.n)  # fmt: skip


def _owners(
    cases: SideCases, own: pd.DataFrame, kind: str, *, level: float, random: np.random.Generator
) -> Hit:
    """Accounts or customers: band by band, since their cases' labels are known."""
    name = kind[:-1]
    labels = pd.DataFrame(
        {
            "who": cases.labelled[name],
            "dose": cases.labelled[f"{name}_dose"],
            "wrong": cases.wrong,
            "weight": cases.calibrated,
            "fraction": cases.fraction,
            "cell": cases.cell,
        }
    )
    labels = labels[(labels["who"] >= 0) & (labels["dose"] > 0)]
    settled = _settled(labels)
    everywhere = float(np.average(labels["wrong"], weights=labels["weight"]))
    low = high = np.zeros(DRAWS)
    point = least = largest = 0.0
    bands = []
    for code, band in enumerate(BANDS):
        has = own[band_of(own["dose"].to_numpy(np.int64)) == code]
        if not len(has):
            continue
        dose, count = largest_first(has)
        held = float((dose * count).sum())
        mine = (band_of(labels["dose"].to_numpy(np.int64)) == code).astype(float)
        known = settled[band_of(settled["dose"].to_numpy(np.int64)) == code]
        floor, ceiling = float(known["hit"].sum()), float(count.sum() - known["clear"].sum())
        share, draws = _share(labels, mine, level=level, random=random)
        low = low + np.clip(fewest(held * draws.low, dose, count), floor, ceiling)
        high = high + np.clip(most(held * draws.high, count), floor, ceiling)
        at = np.array([held * (everywhere if math.isnan(share) else share)])
        least += float(np.clip(fewest(at, dose, count), floor, ceiling)[0])
        largest += float(np.clip(most(at, count), floor, ceiling)[0])
        point += _expected(at[0] / held, known, dose, count)
        bands.append((band, int(count.sum()), int(mine.sum())))
    ends = _ends(low, high, level)
    return Hit(point=min(max(point, ends[0]), ends[1]), low=ends[0], high=ends[1], fewest=least,
               most=largest, n=len(labels), bands=tuple(bands))  # fmt: skip


def _settled(labels: pd.DataFrame) -> pd.DataFrame:
    """One row per person with a label: dose, labelled, hit (known), clear (known not to be)."""
    each = labels.groupby("who").agg(
        dose=("dose", "max"), labelled=("wrong", "size"), wrong=("wrong", "sum")
    )
    hit = each["wrong"] > 0
    return each.assign(hit=hit, clear=~hit & (each["labelled"] >= each["dose"]))


def _expected(share: float, known: pd.DataFrame, dose: np.ndarray, count: np.ndarray) -> float:
    """People hit if cases were wrong independently of each other, given what is settled."""
    untouched = pd.Series(count, index=dose).sub(known.groupby("dose").size(), fill_value=0)
    untouched = untouched.clip(lower=0)
    rest = (known["dose"] - known["labelled"])[~known["hit"] & ~known["clear"]]
    return float(
        known["hit"].sum()
        + np.sum(untouched * (1 - (1 - share) ** untouched.index.to_numpy(float)))
        + np.sum(1 - (1 - share) ** rest.to_numpy(float))
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Draws:
    low: FloatArray
    high: FloatArray


def _share(
    labels: pd.DataFrame, band: FloatArray, *, level: float, random: np.random.Generator
) -> tuple[float, _Draws]:
    """The share of wrong cases of one band, and draws of it; NaN and 0, 1 without labels.

    `labels` are those of all bands, since weights are scaled over cells, `band` (n,) is 1 within.
    """
    mass = labels["weight"].to_numpy(float) * band
    if not mass.sum() > 0:
        return math.nan, _Draws(low=np.zeros(DRAWS), high=np.ones(DRAWS))
    mass /= mass.sum()
    wrong, unseen = labels["wrong"].to_numpy(float), 1 - labels["fraction"].to_numpy(float)
    share = min(1.0, float(mass @ wrong))
    persons = labels.loc[band > 0, "who"].nunique()
    if not (mass * unseen).any():
        return share, _Draws(low=np.full(DRAWS, share), high=np.full(DRAWS, share))
    if 1e-12 < share < 1 - 1e-12:
        n = share * (1 - share) / _variance(labels, mass, share)
    else:  # all of one kind: as if each person were one label
        looks = 1 / float(np.sum(mass**2)) / float(mass @ unseen)
        n = looks * persons / float(band.sum())
    middle = 0.5 + level / 2
    n *= float(ndtri(middle) / stdtrit(max(persons - 1, 1), middle)) ** 2
    drawn = binomial_draws(share * n, n, draws=DRAWS, random=random)
    return share, _Draws(low=drawn.low, high=drawn.high)


def _variance(labels: pd.DataFrame, mass: FloatArray, share: float) -> float:
    """Of the share, labels of one person together; at least that of labels on their own."""
    wrong, unseen = labels["wrong"].to_numpy(float), 1 - labels["fraction"].to_numpy(float)
    cell = labels["cell"].to_numpy(np.int64)
    linearised = linearised_variance(
        mass * (wrong - share),
        stratum=cell,
        fraction=1 - unseen,
        cluster=np.unique(labels["who"], return_inverse=True)[1],
        n=np.bincount(cell, minlength=2),
    )
    total, square = np.bincount(cell, mass), np.bincount(cell, mass**2)
    filled = total > 0
    of_cell = np.divide(np.bincount(cell, mass * wrong), total, out=np.zeros(len(total)),
                        where=filled)  # fmt: skip
    kish = np.divide(total**2, square, out=np.zeros(len(total)), where=filled)
    smooth = (of_cell * kish + 0.5) / (kish + 1)
    alone = float(np.sum(np.bincount(cell, unseen * mass**2) * smooth * (1 - smooth)))
    return max(linearised, alone)


def _viewers(
    cases: SideCases, own: pd.DataFrame, kind: str, *, level: float, random: np.random.Generator
) -> Hit:
    """Viewers: the share of wrong ones among all views of cases, as labels do not tell who saw."""
    dose, count = largest_first(own)
    views = float((dose * count).sum())
    seen = cases.labelled["viewers"].to_numpy(float)
    found = wrong_total(
        cases.wrong,
        cell=np.zeros(cases.n, dtype=np.int64),
        weight=cases.calibrated,
        fraction=cases.fraction,
        amount=seen[:, None],
        totals=np.array([[views]]),
        level=level,
    )
    share, n = found.point / views, found.effective_n
    drawn = np.full(DRAWS, share)
    if math.isfinite(n):
        drawn = binomial_draws(share * n, n, draws=DRAWS, random=random).low
    # What labels have settled: views of wrong cases, and viewers of the widest seen of them.
    drawn = np.clip(views * drawn, seen @ cases.wrong, views - seen @ (1 - cases.wrong))
    floor = float((seen * cases.wrong).max(initial=0.0))
    ends = _ends(np.maximum(fewest(drawn, dose, count), floor), most(drawn, count), level)
    at = np.array([found.point])
    point = float(np.sum(count * (1 - (1 - share) ** dose)))
    return Hit(
        point=min(max(point, ends[0]), ends[1]),
        low=ends[0],
        high=ends[1],
        fewest=max(floor, float(fewest(at, dose, count)[0])),
        most=float(most(at, count)[0]),
        n=int(np.count_nonzero(seen)),
        bands=(("all", int(count.sum()), int(np.count_nonzero(seen))),),
    )


def _ends(low: FloatArray, high: FloatArray, level: float) -> tuple[float, float]:
    """Quantiles of the two extremes, rounded outwards to whole people."""
    tail = (1 - level) / 2
    return (
        float(math.floor(np.quantile(low, tail) + 1e-9)),
        float(math.ceil(np.quantile(high, 1 - tail) - 1e-9)),
    )


def _affected(people: pd.DataFrame, estimates: dict[str, Estimate]) -> pd.DataFrame:
    out = []
    for (kind, side), part in people.groupby(["kind", "side"], sort=True):
        told = estimates[f"affected_{kind}"] if (kind, side) in KINDS else None
        ends = (told.point, told.low, told.high) if told else (None, None, None)
        count = int(part["people"].sum())
        out.append((kind, side, count, *(math.nan if x is None else x for x in ends)))
    columns = ["kind", "side", "candidates", "point", "low", "high"]
    return pd.DataFrame(out, columns=columns)
