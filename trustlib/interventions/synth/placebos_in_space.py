"""Placebos in space: every donor in the treated unit's place.

With one treated unit all donors are taken, one after the other, which leaves nothing to a random
draw (on Proposition 99, 200 draws gave standard errors from 9.0 to 10.9). With several, donors
are assigned to the treated units' places and dates: every assignment where they are few, else
draws. The treated units themselves are never donors of a placebo.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from trustlib.core.format import plural
from trustlib.interventions.panel import FloatArray, IntArray
from trustlib.interventions.synth.case import Case
from trustlib.interventions.synth.cohorts import pooled_misfit, together, treated_by
from trustlib.interventions.synth.fit import Fit, fit
from trustlib.interventions.synth.weights import synthetic_did

MOST_ENUMERATED = 5_000
_EQUAL = 1e-9  # relative: ratios that differ by less are the same


@dataclass(frozen=True, kw_only=True, eq=False)
class InSpace:
    """What donors show that were never treated.

    Attributes
    ----------
    donors
        (n, n_treated) positions in the donor pool that stood in for the treated; one column where
        one unit was treated.
    fits
        Of each placebo with one treated unit; empty otherwise.
    paths
        (n, n_periods) gaps; with several dates the mean over the units treated by then (before
        the first of them, over all).
    att, pre_rmspe, post_rmspe
        (n,) of each placebo; fit and effect over all its cohorts' cells.
    own_att, own_pre_rmspe, own_post_rmspe
        Of the treated.
    beside_pre, beside_post
        (n,) pre_rmspe and post_rmspe of the treated as each placebo is to be set against. None
        with one treated unit: the treated's own. With several, of the treated fitted anew without
        the donors that stand in for them: a placebo has fewer donors to be matched from than the
        study, fits worse for that alone, and would make the treated look unusual.
    standard_error
        Population standard deviation of `att`; NaN without placebos.
    p_value
        Share of the placebos and the treated, together, whose ratio of root mean squared gaps
        after / before is at least the treated one's; None without placebos.
    exact
        All assignments were taken.
    reason
        Why there are no placebos; else None.
    """

    donors: IntArray
    fits: tuple[Fit, ...]
    paths: FloatArray
    att: FloatArray
    pre_rmspe: FloatArray
    post_rmspe: FloatArray
    own_att: float
    own_pre_rmspe: float
    own_post_rmspe: float
    exact: bool
    reason: str | None = None
    beside_pre: FloatArray | None = None
    beside_post: FloatArray | None = None

    @property
    def n(self) -> int:
        return len(self.att)

    @property
    def standard_error(self) -> float:
        return float(self.att.std()) if self.n else math.nan

    @property
    def ratio(self) -> FloatArray:
        """(n,) post / pre; infinite where a placebo was matched exactly."""
        return _ratio(self.post_rmspe, self.pre_rmspe)

    @property
    def own_ratio(self) -> float:
        return float(_ratio(np.array([self.own_post_rmspe]), np.array([self.own_pre_rmspe]))[0])

    @property
    def own_misfit(self) -> float | FloatArray:
        """The treated's fit before the start that each placebo's is set against."""
        return self.own_pre_rmspe if self.beside_pre is None else self.beside_pre

    @property
    def rank(self) -> int:
        """Of the treated one's ratio, 1 for the largest; ties count against it."""
        own: float | FloatArray = self.own_ratio
        if self.beside_pre is not None and self.beside_post is not None:
            own = _ratio(self.beside_post, self.beside_pre)
        return 1 + int((self.ratio >= own * (1 - _EQUAL)).sum())

    @property
    def p_value(self) -> float | None:
        return self.rank / (self.n + 1) if self.n else None

    @property
    def least_p(self) -> float | None:
        """The smallest p-value that so many placebos can give."""
        return 1 / (self.n + 1) if self.n else None


def in_space(
    parts: Sequence[tuple[int, Case]],
    fits: Sequence[Fit],
    *,
    draws: int = 999,
    seed: int = 0,
) -> InSpace:
    """Placebos of the cohorts `parts`, whose own fits are `fits`.

    Each placebo chooses its regularisation from its own donors, as the study did from its own.
    """
    sizes = [case.n_treated for _, case in parts]
    n_donors = parts[0][1].n_donors
    own = _gathered(parts, fits)
    if sum(sizes) >= n_donors:
        have = plural(n_donors, "donor")
        why = f"{have} cannot stand in for {sum(sizes)} treated and leave one to compare"
        return _placebos(parts, (), own, exact=False, reason=why, donors=np.empty((0, sum(sizes))))
    chosen, exact = _assignments(sizes, n_donors, draws=draws, seed=seed)
    results = [_assigned(parts, fits, row) for row in chosen]
    found = _placebos(parts, results, own, exact=exact, reason=None, donors=np.array(chosen))
    if sum(sizes) == 1:
        return found
    beside = [_beside(parts, fits, row) for row in chosen]
    return replace(
        found,
        beside_pre=np.array([one.pre for one in beside]),
        beside_post=np.array([one.post for one in beside]),
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _One:
    """One placebo, or the treated: its cohorts' fits, gathered."""

    fits: tuple[Fit, ...]
    path: FloatArray
    att: float
    pre: float
    post: float


def _gathered(parts: Sequence[tuple[int, Case]], fits: Sequence[Fit]) -> _One:
    """The cohorts together, each cell weighing its units."""
    units = np.array([case.n_treated for _, case in parts])
    starts = np.array([start for start, _ in parts])
    gaps = np.stack([found.gap for found in fits])
    path, att = together(gaps, units=units, starts=starts)
    cells = treated_by(gaps.shape[1], units=units, starts=starts)
    return _One(
        fits=tuple(fits),
        path=path,
        att=att,
        pre=pooled_misfit(parts, fits),
        post=float(np.sqrt((cells * gaps**2).sum() / cells.sum())),
    )


def _assignments(
    sizes: Sequence[int], n_donors: int, *, draws: int, seed: int
) -> tuple[list[tuple[int, ...]], bool]:
    """Donors in the treated units' places, cohort after cohort; and whether these are all."""
    count, left = 1, n_donors
    for size in sizes:
        count *= math.comb(left, size)
        left -= size
    if sum(sizes) == 1 or count <= min(MOST_ENUMERATED, draws):
        return list(_every(tuple(range(n_donors)), tuple(sizes))), True
    rng = np.random.default_rng(seed)
    total = sum(sizes)
    return [tuple(rng.permutation(n_donors)[:total].tolist()) for _ in range(draws)], False


def _every(pool: tuple[int, ...], sizes: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    if not sizes:
        yield ()
        return
    for chosen in itertools.combinations(pool, sizes[0]):
        rest = tuple(donor for donor in pool if donor not in chosen)
        for others in _every(rest, sizes[1:]):
            yield (*chosen, *others)


def _refitted(case: Case, near: Fit) -> Fit:
    """The study's preset on other donors; the periods' weights will be much like the study's."""
    if near.preset == "synthetic_did":
        return synthetic_did(case, near=near)
    return fit(case, near.preset)


def _assigned(
    parts: Sequence[tuple[int, Case]], fits: Sequence[Fit], chosen: tuple[int, ...]
) -> _One:
    """The placebo in which the donors `chosen` were the treated."""
    if len(chosen) == 1:
        case = parts[0][1].placebo(chosen[0])
        return _gathered([(parts[0][0], case)], [_refitted(case, fits[0])])
    moved, at = [], 0
    for start, case in parts:
        members = list(chosen[at : at + case.n_treated])
        at += case.n_treated
        predictors = case.donor_predictors
        moved.append(
            (
                start,
                replace(
                    case.without(*chosen),
                    target=case.donors[members].mean(axis=0),
                    target_predictors=case.target_predictors
                    if predictors is None
                    else predictors[members].mean(axis=0),
                ),
            )
        )
    refits = [_refitted(case, near) for (_, case), near in zip(moved, fits, strict=True)]
    return _gathered(moved, refits)


def _beside(
    parts: Sequence[tuple[int, Case]], fits: Sequence[Fit], chosen: tuple[int, ...]
) -> _One:
    """The treated, fitted to the donors that the placebo of `chosen` has."""
    left = [(start, case.without(*chosen)) for start, case in parts]
    refits = [_refitted(case, near) for (_, case), near in zip(left, fits, strict=True)]
    return _gathered(left, refits)


def _placebos(
    parts: Sequence[tuple[int, Case]],
    results: Sequence[_One],
    own: _One,
    *,
    exact: bool,
    reason: str | None,
    donors: np.ndarray,
) -> InSpace:
    n_periods = parts[0][1].n_periods
    alone = sum(case.n_treated for _, case in parts) == 1
    return InSpace(
        donors=donors.astype(np.int64),
        fits=tuple(one.fits[0] for one in results) if alone else (),
        paths=np.array([one.path for one in results]).reshape(len(results), n_periods),
        att=np.array([one.att for one in results]),
        pre_rmspe=np.array([one.pre for one in results]),
        post_rmspe=np.array([one.post for one in results]),
        own_att=own.att,
        own_pre_rmspe=own.pre,
        own_post_rmspe=own.post,
        exact=exact,
        reason=reason,
    )


def _ratio(after: FloatArray, before: FloatArray) -> FloatArray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(after > 0, after / before, 0.0)
