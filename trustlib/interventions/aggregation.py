"""Averages of group-time effects: simple, by group, by time since treatment, by period.

Weights and their error are those of R's `did`: cohorts count by their share of all units
(weighted), and since the shares are estimated too, unit i of cohort g adds

    w_i Σ_{j of cohort g} (effect_j − average) / Σ_j share_j

to its influence on an average over cells j.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from trustlib.core import Refusal, did_you_mean
from trustlib.interventions.effects import Effects
from trustlib.interventions.group_time import GroupTime
from trustlib.interventions.panel import FloatArray, IntArray
from trustlib.stats.multiplier_bootstrap import (
    cluster_sums,
    covariance,
    simultaneous_critical,
)

Kind = Literal["simple", "group", "dynamic", "calendar"]
_KINDS = ("simple", "group", "dynamic", "calendar")


@dataclass(frozen=True, kw_only=True, eq=False)
class _Average:
    """k averages of m cells: their weights (m, k), and the share's part (m, k)."""

    keys: IntArray
    weights: FloatArray
    shares: FloatArray


def aggregate(effects: GroupTime, kind: Kind, *, level: float, draws: int, seed: int) -> Effects:
    """One family of averages of group-time `effects`, and its overall number.

    "simple" is the mean over all treated cells; "group" the mean over a cohort's treated
    periods; "dynamic" over cohorts by periods since the start (negative: before); "calendar"
    over treated cohorts by period. Overall: the mean of groups by their share, the plain mean
    of event times from 0 on, or of periods. Cells that are not estimable are left out.

    The simultaneous band is by multiplier bootstrap with Rademacher signs, `draws` of them.

    Raises
    ------
    Refusal
        If no cell after treatment is estimable.
    """
    if kind not in _KINDS:
        raise Refusal(
            f"aggregation {kind!r} is not one of {', '.join(_KINDS)}",
            nearest=did_you_mean(str(kind), _KINDS),
        )
    after = ~np.isnan(effects.point) & (effects.event_time >= 0)
    if not after.any():
        raise Refusal(
            "not one group-time effect after treatment is estimable",
            nearest="; ".join(sorted({text for text in effects.reason if text})),
            next_step="read more periods before treatment, or compare with not_yet treated units",
        )
    share = _share(effects)
    family = _family(effects, kind, share, after)
    point = _sums(family.weights, effects.point)
    overall = _overall(effects, kind, share, after, family, point)
    everything = np.column_stack([family.weights, overall.weights])
    influence = effects.influence_of(everything)
    influence += _share_influence(effects, np.column_stack([family.shares, overall.shares]))
    sums = cluster_sums(influence, effects.panel.cluster)
    joint = covariance(sums, n=effects.panel.n_units)
    k = len(family.keys)
    critical = float("nan")
    if k:
        critical = simultaneous_critical(sums[:, :k], level=level, draws=draws, seed=seed)
    return Effects(
        kind=kind,
        keys=family.keys,
        point=point,
        standard_error=np.sqrt(np.diag(joint)[:k]),
        covariance=joint[:k, :k],
        units=_units(effects, family.weights),
        overall=float(_sums(overall.weights, effects.point)[0]),
        overall_standard_error=float(np.sqrt(joint[k, k])),
        overall_weights=_overall_weights(effects, kind, share, family),
        influence=influence[:, :k],
        overall_influence=influence[:, k],
        critical=critical,
        notes=_notes(effects),
    )


def _notes(effects: GroupTime) -> tuple[str, ...]:
    """Why cells are left out or are to be read with care, and how many."""
    reasons = [text for text in effects.reason if text]
    return tuple(
        f"{reasons.count(text)} of {len(effects.point)} group-time cells: {text}"
        for text in sorted(set(reasons))
    )


def _share(effects: GroupTime) -> FloatArray:
    """(m,) weighted share of each cell's cohort among all units."""
    panel = effects.panel
    total = np.bincount(panel.first_treated, panel.unit_weight, minlength=panel.n_periods + 1)
    return total[effects.group] / panel.n_units


def _family(effects: GroupTime, kind: Kind, share: FloatArray, after: np.ndarray) -> _Average:
    m = len(effects.point)
    if kind == "simple":
        return _Average(
            keys=np.empty(0, dtype=np.int64), weights=np.zeros((m, 0)), shares=np.zeros((m, 0))
        )
    of_cell = {"group": effects.group, "dynamic": effects.event_time, "calendar": effects.time}
    values = of_cell[kind]
    use = ~np.isnan(effects.point) if kind == "dynamic" else after
    keys = np.unique(values[use])
    member = (values[:, None] == keys) & use[:, None]
    mass = member * share[:, None]
    weights = mass / mass.sum(axis=0)
    shares = np.zeros_like(weights)
    if kind != "group":  # within a cohort every period counts the same: no share is estimated
        shares = _share_part(effects.point, member, share)
    return _Average(keys=keys.astype(np.int64), weights=weights, shares=shares)


def _overall(
    effects: GroupTime,
    kind: Kind,
    share: FloatArray,
    after: np.ndarray,
    family: _Average,
    point: FloatArray,
) -> _Average:
    none = np.zeros(0, dtype=np.int64)
    if kind == "simple":
        member = after[:, None]
        mass = member * share[:, None]
        shares = _share_part(effects.point, member, share)
        return _Average(keys=none, weights=mass / mass.sum(), shares=shares)
    by_key = _overall_weights(effects, kind, share, family)
    weights = (family.weights @ by_key)[:, None]
    shares = (family.shares @ by_key)[:, None]
    if kind == "group":
        average = float(point @ by_key)
        first = effects.group[:, None] == family.keys
        # One row stands for its cohort: the first of each.
        stands = first & (np.cumsum(first, axis=0) == 1)
        total = float((stands * share[:, None]).sum())
        shares = (stands @ (point - average) / total)[:, None]
    return _Average(keys=none, weights=weights, shares=shares)


def _overall_weights(
    effects: GroupTime, kind: Kind, share: FloatArray, family: _Average
) -> FloatArray:
    """(k,) how the family averages to the one number."""
    if kind == "group":
        mass = np.asarray([share[effects.group == key][0] for key in family.keys])
        return mass / mass.sum()
    use = family.keys >= 0 if kind == "dynamic" else np.ones(len(family.keys), dtype=bool)
    return use / max(int(use.sum()), 1)


def _share_part(point: FloatArray, member: np.ndarray, share: FloatArray) -> FloatArray:
    """(m, k) what a cell's cohort adds to the influence through its estimated share."""
    value = np.where(np.isnan(point), 0.0, point)[:, None]
    mass = member * share[:, None]
    total = mass.sum(axis=0)
    average = (mass * value).sum(axis=0) / total
    return member * (value - average) / total


def _share_influence(effects: GroupTime, shares: FloatArray) -> FloatArray:
    """(n_units, k) from the cells' parts (m, k): those of a unit's own cohort, weighted."""
    panel = effects.panel
    of_cohort = np.zeros((panel.n_periods + 1, shares.shape[1]))
    np.add.at(of_cohort, effects.group, shares)
    return panel.unit_weight[:, None] * of_cohort[np.minimum(panel.first_treated, panel.n_periods)]


def _sums(weights: FloatArray, point: FloatArray) -> FloatArray:
    return (weights * np.where(np.isnan(point), 0.0, point)[:, None]).sum(axis=0)


def _units(effects: GroupTime, weights: FloatArray) -> IntArray:
    """(k,) treated units of the cohorts in each average."""
    out = np.zeros(weights.shape[1], dtype=np.int64)
    for group in np.unique(effects.group):
        own = effects.group == group
        out += np.where(weights[own] > 0, effects.units[own][:, None], 0).max(axis=0)
    return out
