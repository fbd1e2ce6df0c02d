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
bounds remain even then. Where the views are a sample, what is told is of the viewers in it: a lower
bound, not scaled up, since nothing tells how often one viewer views. Coverage:
tests/studies/postmortem_coverage.md.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from trustlib.core import Check, Estimate
from trustlib.core.format import percent
from trustlib.data.incident_records import AffectedRows, Side
from trustlib.harm.deep_dive.published import is_small
from trustlib.postmortem.amounts import wrong_total
from trustlib.postmortem.doses import dose_table, fewest, largest_first, most, top_shares
from trustlib.postmortem.hit import DRAWS, Hit, outwards
from trustlib.postmortem.owners import owners
from trustlib.postmortem.people_checks import people_checks
from trustlib.postmortem.sides import SideCases, side_cases, why_not
from trustlib.stats.melding import binomial_draws

KINDS: tuple[tuple[str, Side], ...] = (
    ("accounts", "over"), ("customers", "over"), ("viewers", "under"),
)  # fmt: skip
AT_LEAST = "viewers, at least"
METHOD = "bounds over how wrong cases lie on people, point as if independent"


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
        people_identified, people_labels, people_known; viewers_are_some, where they are.
    """

    estimates: dict[str, Estimate]
    affected: pd.DataFrame
    doses: pd.DataFrame
    top_share: pd.DataFrame
    overlaps: pd.DataFrame
    checks: tuple[Check, ...]


def people(
    rows: AffectedRows, *, level: float, seed: int, views_share: float | None = None
) -> People:
    """Distinct people who were wrongly hit, by how often.

    Parameters
    ----------
    seed
        Of the draws of the shares.
    views_share
        Share of all views that `rows` hold, in (0, 1]; None: all. Below 1 the unit of
        affected_viewers is "viewers, at least".
    """
    part = views_share if views_share is not None and views_share < 1 else None
    sides = {side: side_cases(rows, side) for _, side in KINDS}
    estimates: dict[str, Estimate] = {}
    hits: dict[str, Hit] = {}
    for kind, side in KINDS:
        own = rows.people[(rows.people["kind"] == kind) & (rows.people["side"] == side)]
        reason = _why_not(rows, sides[side], own, kind)
        if reason is None:
            find = _viewers if kind == "viewers" else owners
            random = np.random.default_rng([seed, len(hits)])
            hits[kind] = find(sides[side], own, kind, level=level, random=random)
        told = _estimate(hits.get(kind), reason, own, kind, level)
        if part is not None and kind == "viewers":
            told = _at_least(told, reason, part)
        estimates[f"affected_{kind}"] = told
    return People(
        estimates=estimates,
        affected=_affected(rows.people, estimates),
        doses=dose_table(rows.people),
        top_share=top_shares(rows.people),
        overlaps=rows.overlaps[["first", "second", "people"]].reset_index(drop=True),
        checks=people_checks(hits, sides, rows.people, views_share=part),
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


def _at_least(told: Estimate, reason: str | None, part: float) -> Estimate:
    """Viewers in a sample of the views; without a point not even an upper bound is known."""
    if told.point is None:
        return replace(told, unit=AT_LEAST, note=f"not estimable: {reason}")
    note = f"of the views that were read, {percent(part)} of all: there are more viewers"
    return replace(told, unit=AT_LEAST, note=note)


def _viewers(
    cases: SideCases, own: pd.DataFrame, kind: str, *, level: float, random: np.random.Generator
) -> Hit:
    """Viewers: the share of wrong ones among all views of cases, as labels do not tell who saw."""
    dose, count = largest_first(own)
    seen = cases.labelled["viewers"].to_numpy(float)
    views = max(float((dose * count).sum()), float(seen.sum()))
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
    ends = outwards(np.maximum(fewest(drawn, dose, count), floor), most(drawn, count), level)
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


def _affected(people: pd.DataFrame, estimates: dict[str, Estimate]) -> pd.DataFrame:
    out = []
    for (kind, side), part in people.groupby(["kind", "side"], sort=True):
        told = estimates[f"affected_{kind}"] if (kind, side) in KINDS else None
        ends = (told.point, told.low, told.high) if told else (None, None, None)
        count = int(part["people"].sum())
        out.append((kind, side, count, *(math.nan if x is None else x for x in ends)))
    columns = ["kind", "side", "candidates", "point", "low", "high"]
    return pd.DataFrame(out, columns=columns)
