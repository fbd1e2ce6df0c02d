"""The design of one difference-in-differences estimate, in words that a reviewer would use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from trustlib.core import Refusal, did_you_mean

ControlGroup = Literal["never", "not_yet"]
CovariateMethod = Literal["doubly_robust", "regression", "ipw"]
Estimator = Literal["auto", "callaway_santanna", "imputation", "sun_abraham", "two_way"]
BasePeriod = Literal["varying", "universal"]
Scale = Literal["auto", "level", "log", "rate", "count"]

_CHOICES: dict[str, tuple[str, ...]] = {
    "control_group": ("never", "not_yet"),
    "covariate_method": ("doubly_robust", "regression", "ipw"),
    "estimator": ("auto", "callaway_santanna", "imputation", "sun_abraham", "two_way"),
    "base_period": ("varying", "universal"),
    "outcome_scale": ("auto", "level", "log", "rate", "count"),
}


@dataclass(frozen=True, kw_only=True)
class DidSpec:
    """What to estimate and how.

    Attributes
    ----------
    unit, time, outcome, treatment_start
        Columns of the panel. `treatment_start` holds a unit's first treated period; empty, 0
        (where no period is 0 or earlier) or after the last period: not treated in the panel.
    covariates
        Numeric columns; the modern estimators use their values in the period before treatment.
    weight, cluster, standard_error, neighbour
        Optional columns: how many people a unit stands for; what assignment or errors share
        (None: the unit); sampling error of each outcome value; 1 where an untreated unit is
        close enough to a treated one that harm may have moved there.
    covariate_method
        How covariates enter the group-time effects.
    control_group
        Compare with units that are never treated, or with all that are not treated yet.
    estimator
        "auto" takes the one that is right for the design.
    base_period
        Of the pre-treatment group-time effects: the period before each ("varying"), or the last
        one before treatment for all ("universal").
    anticipation
        Periods before the start in which units may already react.
    outcome_scale
        What the outcome's numbers are; decides how the total is sized. "auto" goes by the
        column's name and values, and says so.
    rate_per
        A rate's denominator in people of `weight`: 1000 where the outcome is per 1,000.
    outcome_name
        The outcome's name for a reader; None: the column's.
    level, seed, draws
        Of every interval; of everything drawn at random; multiplier bootstrap draws.
    unit_label
        What the total effect counts, plural.
    unit_value_usd
        Dollars per unit of the total effect.
    """

    unit: str = "unit"
    time: str = "time"
    outcome: str = "outcome"
    treatment_start: str = "treatment_start"
    covariates: tuple[str, ...] = ()
    weight: str | None = None
    cluster: str | None = None
    standard_error: str | None = None
    neighbour: str | None = None
    covariate_method: CovariateMethod = "doubly_robust"
    control_group: ControlGroup = "never"
    estimator: Estimator = "auto"
    base_period: BasePeriod = "varying"
    anticipation: int = 0
    outcome_scale: Scale = "auto"
    rate_per: float = 1.0
    outcome_name: str | None = None
    level: float = 0.95
    seed: int = 0
    draws: int = 999
    unit_label: str = "units of the outcome"
    unit_value_usd: float | None = None

    def __post_init__(self) -> None:
        for name, allowed in _CHOICES.items():
            value = getattr(self, name)
            if value not in allowed:
                raise Refusal(
                    f"{name} {value!r} is not one of {', '.join(allowed)}",
                    nearest=did_you_mean(str(value), allowed),
                )
        if not 0.5 <= self.level < 1:
            raise Refusal(f"level {self.level} is not between 0.5 and 1")
        if self.anticipation < 0:
            raise Refusal(f"anticipation {self.anticipation} is negative")
        if self.anticipation and self.estimator in ("sun_abraham", "two_way"):
            raise Refusal(
                f"{self.estimator} knows no anticipation: its baseline would hold the reaction",
                where=f"estimator: {self.estimator}, anticipation: {self.anticipation}",
                next_step="set estimator to auto, callaway_santanna or imputation, or "
                "anticipation to 0",
            )
        if self.draws < 99:
            raise Refusal(f"draws {self.draws}: simultaneous bands need 99 at least")
        if not 0 < self.rate_per < float("inf"):
            raise Refusal(f"rate_per {self.rate_per} is not a positive amount")
        if self.outcome_scale == "rate" and self.weight is None:
            raise Refusal(
                "a rate needs to know of how many: there is no weight column",
                where="outcome_scale: rate, weight_column: null",
                next_step="name the column with the number of people behind each rate",
            )
        value_usd = self.unit_value_usd
        if value_usd is not None and not 0 <= value_usd < float("inf"):
            raise Refusal(f"unit_value_usd {value_usd} is not a finite amount of 0 or more")
        columns = [self.unit, self.time, self.outcome, self.treatment_start, *self.covariates]
        if len(set(columns)) != len(columns):
            raise Refusal("one column is named twice: unit, time, outcome, start and covariates")
