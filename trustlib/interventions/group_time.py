"""Group-time average treatment effects (Callaway and Sant'Anna 2021)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from trustlib.core import Refusal, did_you_mean
from trustlib.interventions.cell_by_cell import CellByCell, cell_by_cell
from trustlib.interventions.cells import Cells, cells
from trustlib.interventions.closed_form import ClosedForm, closed_form
from trustlib.interventions.panel import FloatArray, IntArray, Panel
from trustlib.interventions.spec import BasePeriod, ControlGroup, CovariateMethod

_NO_BASE = "no period before treatment and anticipation"
_NO_CONTROL = "no unit to compare with"
_ONE_UNIT = "one treated unit: its error holds the comparison's part only"


@dataclass(frozen=True, kw_only=True, eq=False)
class GroupTime:
    """Group-time effects: of the units first treated in one period, in each period.

    Attributes
    ----------
    panel
        What they come from.
    control_group, covariate_method, anticipation, base_period
        As asked.
    group, time
        (m,) period indices: first treated, and of the effect. By group, then by time.
    point
        (m,) NaN where not estimable. The reference cells of a universal base are 0.
    units
        (m,) treated units that a cell rests on.
    reason
        (m,) why a cell is not estimable, or what to know of its error; else empty.
    """

    panel: Panel
    control_group: ControlGroup
    covariate_method: CovariateMethod
    anticipation: int
    base_period: BasePeriod
    group: IntArray
    time: IntArray
    point: FloatArray
    units: IntArray
    reason: tuple[str, ...]
    source: ClosedForm | CellByCell

    @property
    def event_time(self) -> IntArray:
        """(m,) periods since the first treated one."""
        return self.time - self.group

    @property
    def reference(self) -> np.ndarray:
        """(m,) the cells that are 0 by construction, under a universal base."""
        is_base = self.event_time == -1 - self.anticipation
        return is_base if self.base_period == "universal" else np.zeros(len(is_base), dtype=bool)

    @cached_property
    def covariance(self) -> FloatArray:
        """(m, m) clustered as the panel says; NaN where not estimable."""
        out = self.source.covariance(self.panel.cluster)
        missing = np.isnan(self.point)
        out[missing, :] = out[:, missing] = np.nan
        return out

    @property
    def standard_error(self) -> FloatArray:
        """(m,) NaN where not estimable, 0 for reference cells."""
        return np.sqrt(np.maximum(np.diag(self.covariance), 0.0))

    def influence_of(self, weights: FloatArray) -> FloatArray:
        """(n_units, k) influence of each unit on Σ_j weights[j, k] · effect_j.

        Weights are taken as known; cells that are not estimable need weight 0.
        """
        return self.source.influence_of(weights)


def group_time(
    panel: Panel,
    *,
    control_group: ControlGroup,
    covariate_method: CovariateMethod = "doubly_robust",
    anticipation: int = 0,
    base_period: BasePeriod = "varying",
) -> GroupTime:
    """The effect on each cohort in each period, against units that are not treated (yet).

    Without covariates this is the difference of two mean changes, whatever `covariate_method`.
    With them, their values in the earlier of the two periods enter by regression of the
    controls' change ("regression"), by the odds of treatment ("ipw", normalised), or by both
    ("doubly_robust": Sant'Anna and Zhao 2020, the traditional estimator of R's `DRDID`).

    In a panel with missing cells each comparison uses the units seen in both of its periods;
    cohort sizes count every unit.

    Raises
    ------
    Refusal
        If `control_group` is "never" and every unit is treated at some time.
    """
    _allowed(control_group, covariate_method, base_period)
    if control_group == "never" and not panel.never.any():
        raise Refusal(
            "there is no never-treated unit to compare with",
            where="control_group never",
            next_step="set control_group to not_yet",
        )
    comparisons = cells(
        panel, control_group=control_group, anticipation=anticipation, base_period=base_period
    )
    reason = _reasons(panel, comparisons)
    estimable = np.asarray([not text for text in reason])
    source: ClosedForm | CellByCell
    if panel.balanced and not panel.covariate_names:
        source = closed_form(panel, comparisons, estimable)
    else:
        source = cell_by_cell(panel, comparisons, reason, covariate_method=covariate_method)
        reason = list(source.reason)
    units = source.units if isinstance(source, CellByCell) else _cohort_sizes(comparisons)
    for cell in np.flatnonzero((units == 1) & ~np.isnan(source.point)):
        reason[cell] = _ONE_UNIT
    return GroupTime(
        panel=panel,
        control_group=control_group,
        covariate_method=covariate_method,
        anticipation=anticipation,
        base_period=base_period,
        group=comparisons.group,
        time=comparisons.time,
        point=source.point,
        units=np.where(np.isnan(source.point), 0, units),
        reason=tuple(reason),
        source=source,
    )


def _allowed(control_group: str, covariate_method: str, base_period: str) -> None:
    for name, value, choices in (
        ("control_group", control_group, ("never", "not_yet")),
        ("covariate_method", covariate_method, ("doubly_robust", "regression", "ipw")),
        ("base_period", base_period, ("varying", "universal")),
    ):
        if value not in choices:
            raise Refusal(
                f"{name} {value!r} is not one of {', '.join(choices)}",
                nearest=did_you_mean(str(value), choices),
            )


def _reasons(panel: Panel, comparisons: Cells) -> list[str]:
    present = np.bincount(comparisons.of_unit, minlength=len(comparisons.cohorts)) > 0
    compared = (comparisons.controls & present).sum(axis=1).tolist()
    return [
        _NO_BASE if base < 0 else "" if n else _NO_CONTROL
        for base, n in zip(comparisons.base.tolist(), compared, strict=True)
    ]


def _cohort_sizes(comparisons: Cells) -> IntArray:
    size = np.bincount(comparisons.of_unit, minlength=len(comparisons.cohorts))
    return size[comparisons.cohort]
