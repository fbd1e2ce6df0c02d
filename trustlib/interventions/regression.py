"""What the two-way regressions of this room share: the sample, its covariates, the family."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trustlib.core import Refusal
from trustlib.interventions.effects import Effects
from trustlib.interventions.panel import FloatArray, IntArray, Panel
from trustlib.stats.cell_regression import CellDesign, CellFit, cell_design
from trustlib.stats.clustered import clustered_covariance, small_sample_factor
from trustlib.stats.sup_t import sup_t
from trustlib.stats.within import covariate_fault


@dataclass(frozen=True, kw_only=True, eq=False)
class Sample:
    """The cells that a two-way regression can use.

    Attributes
    ----------
    weight
        (n_units, n_periods), 0 where a cell is left out.
    covariates, names, numbers
        (n_units, n_periods, p) finite, without those that the effects absorb; their names, and
        their numbers in the panel.
    notes
        What was left out and why.
    """

    weight: FloatArray
    covariates: FloatArray
    names: tuple[str, ...]
    numbers: tuple[int, ...]
    notes: tuple[str, ...]

    @property
    def rows(self) -> int:
        return int((self.weight > 0).sum())

    @property
    def periods(self) -> int:
        """Periods with a cell in the sample."""
        return int((self.weight > 0).any(axis=0).sum())


def sample(
    panel: Panel, *, cells: npt.NDArray[np.bool_] | None = None, singles: bool = False
) -> Sample:
    """The cells of `panel` (those in the mask `cells`) that a two-way regression can use.

    Left out, and said: cells without outcome or covariate, cells that are alone in their unit
    or period and so fit themselves (kept with `singles`), covariates that unit and period
    effects absorb, such as those that are constant within units.

    Raises
    ------
    Refusal
        If covariates are collinear: the columns are named.
    """
    there = np.isfinite(panel.outcome) & (True if cells is None else cells)
    weight = np.where(there, panel.weight, 0.0)
    kept, notes = _covariates_kept(panel, weight)
    covariates = panel.covariates[:, :, kept]
    unknown = there & ~np.isfinite(covariates.sum(axis=2))
    if unknown.any():
        notes.append(f"{int(unknown.sum())} cells without a covariate's value left out")
        weight = np.where(unknown, 0.0, weight)
    if not singles:
        weight, alone = _without_singles(weight)
        if alone:
            notes.append(f"{alone} cells alone in their unit or period left out")
    return Sample(
        weight=weight,
        covariates=np.where((weight > 0)[:, :, None], covariates, 0.0),
        names=tuple(panel.covariate_names[number] for number in kept),
        numbers=tuple(kept),
        notes=tuple(notes),
    )


def _covariates_kept(panel: Panel, weight: FloatArray) -> tuple[list[int], list[str]]:
    names = panel.covariate_names
    if not names:
        return [], []
    known = np.isfinite(panel.covariates.sum(axis=2))
    usable = np.where(known, weight, 0.0)
    fault = covariate_fault(np.where(known[:, :, None], panel.covariates, 0.0), usable)
    if fault.collinear:
        named = ", ".join(repr(names[number]) for number in fault.collinear)
        raise Refusal(
            f"covariates are collinear once unit and period effects are out: {named}",
            where="covariate_columns",
            next_step="leave one of them out",
        )
    notes = [
        f"covariate {names[number]!r} says nothing beyond unit and period effects: left out"
        for number in fault.absorbed
    ]
    return [number for number in range(len(names)) if number not in fault.absorbed], notes


def _without_singles(weight: FloatArray) -> tuple[FloatArray, int]:
    """Weights with lone cells of a unit or period at 0, and how many those were."""
    alone = 0
    while True:
        there = weight > 0
        lone = there & ((there.sum(axis=1) == 1)[:, None] | (there.sum(axis=0) == 1))
        if not lone.any():
            return weight, alone
        alone += int(lone.sum())
        weight = np.where(lone, 0.0, weight)


def cohort_codes(panel: Panel) -> tuple[IntArray, IntArray]:
    """Each unit's cohort number (n_units,), and each cohort's first treated period, with
    n_periods, never, last."""
    starts = np.append(panel.groups, panel.n_periods)
    return np.searchsorted(starts, np.minimum(panel.first_treated, panel.n_periods)), starts


def event_times(panel: Panel, starts: IntArray) -> IntArray:
    """(n_cohorts, n_periods) of `starts`."""
    return np.arange(panel.n_periods)[None, :] - starts[:, None]


def cohort_cells(
    weight: FloatArray, *, group: IntArray, n_cohorts: int
) -> tuple[IntArray, FloatArray]:
    """Units and their weight in each cohort's cells, (n_cohorts, n_periods) each."""
    cells = np.zeros((n_cohorts, weight.shape[1]), dtype=np.int64)
    mass = np.zeros(cells.shape)
    for g in range(n_cohorts):
        own = weight[group == g]
        cells[g], mass[g] = (own > 0).sum(axis=0), own.sum(axis=0)
    return cells, mass


def event_sizes(
    weight: FloatArray,
    *,
    group: IntArray,
    times: IntArray,
    treated: npt.NDArray[np.bool_],
    keys: IntArray,
) -> tuple[IntArray, FloatArray]:
    """Units and their weight at each of the event times `keys`, over cohorts `treated`."""
    cells, mass = cohort_cells(weight, group=group, n_cohorts=len(times))
    at = [(times == key) & treated[:, None] for key in keys]
    units = np.array([cells[here].sum() for here in at], dtype=np.int64)
    return units, np.array([mass[here].sum() for here in at], dtype=np.float64)


def regression_design(
    kept: Sample, *, group: IntArray, column: IntArray, treatment: str
) -> CellDesign:
    """The normal equations of `column`'s dummies with the sample's covariates.

    Raises
    ------
    Refusal
        If a covariate cannot be told from the treatment.
    """
    design = cell_design(kept.weight, group=group, column=column, covariates=kept.covariates)
    if kept.names:
        everything = np.eye(design.n_columns)
        bare = cell_design(
            kept.weight, group=group, column=column, covariates=kept.covariates[:, :, :0]
        )
        if (bare.estimable(everything) & ~design.estimable(everything)).any():
            named = ", ".join(repr(name) for name in kept.names)
            raise Refusal(
                f"a covariate cannot be told from {treatment}; covariates: {named}",
                where="covariate_columns",
                next_step="leave out the column that follows the treatment",
            )
    return design


@dataclass(frozen=True, kw_only=True, eq=False)
class Inference:
    """Influence (n_units, m), covariance (m, m) and degrees of freedom by the house's
    convention (`trustlib.stats.clustered`)."""

    influence: FloatArray | None
    covariance: FloatArray
    degrees: float

    def only(self, number: int) -> Inference:
        """Of one entry alone."""
        influence = None if self.influence is None else self.influence[:, [number]]
        return Inference(
            influence=influence,
            covariance=self.covariance[[number]][:, [number]],
            degrees=self.degrees,
        )


def inference(panel: Panel, kept: Sample, fit: CellFit, targets: FloatArray) -> Inference:
    """Of linear combinations `targets` (n_columns, m) of the fit's dummies."""
    influence = unit_influence(panel, kept, fit, targets)
    return Inference(
        influence=panel.n_units * influence,
        covariance=clustered_covariance(influence, cluster=panel.cluster),
        degrees=clusters_of(panel, kept) - 1,
    )


def unit_influence(panel: Panel, kept: Sample, fit: CellFit, targets: FloatArray) -> FloatArray:
    """(n_units, m): each unit's part of the error of `targets`, times the root of the
    small-sample factor; NaN where not estimable."""
    design = fit.design
    estimable = int(design.estimable(np.eye(design.n_columns)).sum())
    influence = np.sqrt(house_factor(panel, kept, dummies=estimable)) * fit.influence(targets)
    influence[:, ~design.estimable(targets)] = np.nan
    return influence


def house_factor(panel: Panel, kept: Sample, *, dummies: int) -> float:
    """The small-sample factor of a regression with `dummies`."""
    return small_sample_factor(
        clusters=clusters_of(panel, kept),
        rows=kept.rows,
        coefficients=dummies + len(kept.names) + kept.periods,
    )


def clusters_of(panel: Panel, kept: Sample) -> int:
    """Clusters with a cell in the sample."""
    return len(np.unique(panel.cluster[(kept.weight > 0).any(axis=1)]))


def family(
    kind: str,
    *,
    keys: Sequence[int] | IntArray,
    point: FloatArray,
    covariance: FloatArray,
    units: IntArray,
    overall_weights: FloatArray,
    degrees: float,
    level: float,
    influence: FloatArray | None = None,
    notes: Sequence[str] = (),
) -> Effects:
    """Effects from points and covariance; the overall is their weighted mean.

    Entries with weight 0 do not enter it, whether estimable or not.
    """
    used = overall_weights != 0
    share = overall_weights[used]
    variance = share @ covariance[np.ix_(used, used)] @ share
    return Effects(
        kind=kind,
        keys=np.asarray(keys, dtype=np.int64),
        point=point,
        standard_error=np.sqrt(np.diag(covariance)),
        covariance=covariance,
        units=units,
        overall=float(share @ point[used]) if used.any() else float("nan"),
        overall_standard_error=float(np.sqrt(variance)) if used.any() else float("nan"),
        overall_weights=overall_weights,
        influence=influence,
        overall_influence=None if influence is None else influence[:, used] @ share,
        critical=sup_t(covariance, degrees=degrees, level=level),
        degrees=degrees,
        notes=tuple(notes),
    )


def one_number(
    *, point: float, inference: Inference, level: float, notes: Sequence[str] = ()
) -> Effects:
    """The family of kind "simple": no keys, the effect is the overall."""
    nothing = np.zeros(0)
    influence = inference.influence
    return Effects(
        kind="simple",
        keys=np.zeros(0, dtype=np.int64),
        point=nothing,
        standard_error=nothing,
        covariance=np.zeros((0, 0)),
        units=np.zeros(0, dtype=np.int64),
        overall=point,
        overall_standard_error=float(np.sqrt(inference.covariance[0, 0])),
        overall_weights=nothing,
        overall_influence=None if influence is None else influence[:, 0],
        critical=sup_t(inference.covariance, degrees=inference.degrees, level=level),
        degrees=inference.degrees,
        notes=tuple(notes),
    )
