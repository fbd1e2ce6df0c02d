"""The design of one synthetic-control estimate, in words that a reviewer would use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from trustlib.core import Refusal, did_you_mean
from trustlib.interventions.spec import Scale

Method = Literal[
    "auto", "synthetic_did", "synthetic_control", "augmented", "did", "interrupted_time_series"
]
Inference = Literal["auto", "placebo", "jackknife", "bootstrap"]
# A label as the panel has it: a number of the time axis, or text that the axis can read.
PeriodLabel = int | str

_CHOICES: dict[str, tuple[str, ...]] = {
    "method": (
        "auto",
        "synthetic_did",
        "synthetic_control",
        "augmented",
        "did",
        "interrupted_time_series",
    ),
    "inference": ("auto", "placebo", "jackknife", "bootstrap"),
    "outcome_scale": ("auto", "level", "log", "rate", "count"),
}


@dataclass(frozen=True, kw_only=True)
class Predictor:
    """A predictor of the outcome: a column's mean over some periods before treatment.

    Attributes
    ----------
    column
        Of the panel's frame; the outcome's own column for lagged outcomes.
    first, last
        Periods, both included, written as the time axis is; missing values are left out of the
        mean.
    name
        For a reader; None: the column's name and the periods.
    """

    column: str
    first: PeriodLabel
    last: PeriodLabel
    name: str | None = None


def predictor_name(column: str, first: PeriodLabel, last: PeriodLabel) -> str:
    """What a predictor without a name is called: the column and the periods."""
    if str(first) == str(last):
        return f"{column} {first}"
    return f"{column} {first}–{last}"


@dataclass(frozen=True, kw_only=True)
class SynthSpec:
    """What to estimate and how.

    Attributes
    ----------
    unit, time, outcome, weight
        Columns of the panel's frame; `weight` (people behind a unit) may be None.
    treatment_start_column
        Column with a unit's first treated period (empty: never), or None.
    treated_units
        Who was treated; () takes all that `treatment_start_column` says were treated.
    treatment_start
        The first treated period of all `treated_units`; None takes each unit's own from
        `treatment_start_column`, which may be staggered.
    donor_units
        The pool; () takes all other units. Units that `treatment_start_column` says were treated
        are left out in any case, and said.
    affected_units
        Units that the intervention may have reached otherwise: left out of the pool, and said.
    predictors
        Means of columns over periods. `unit_predictors` holds further ones as numbers.
    unit_predictors
        predictor -> unit -> number; every unit used must have it.
    fit_first, fit_last
        Periods, both included, on which the predictors' weights are fitted; None: from the
        first period, to the last one before treatment.
    method
        "auto" takes the one that is right for the design: synthetic_did, or synthetic_control
        where predictors are given, or interrupted_time_series where there is no donor.
    inference
        Of the headline's interval. "auto": placebo, or jackknife with many treated units.
    outcome_scale, rate_per, outcome_name, unit_label, unit_value_usd
        As in `DidSpec`.
    level, seed, draws
        Of every interval; of everything drawn at random; random placebo assignments (several
        treated units) and bootstrap draws.
    """

    unit: str = "unit"
    time: str = "time"
    outcome: str = "outcome"
    weight: str | None = None
    treatment_start_column: str | None = None
    treated_units: tuple[str, ...] = ()
    treatment_start: PeriodLabel | None = None
    donor_units: tuple[str, ...] = ()
    affected_units: tuple[str, ...] = ()
    predictors: tuple[Predictor, ...] = ()
    unit_predictors: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    fit_first: PeriodLabel | None = None
    fit_last: PeriodLabel | None = None
    method: Method = "auto"
    inference: Inference = "auto"
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
        if self.draws < 99:
            raise Refusal(f"draws {self.draws}: 99 at least are needed")
        if not self.treated_units and self.treatment_start_column is None:
            raise Refusal(
                "nothing says who was treated",
                where="treated_units: [], no column with the treatment's start",
                next_step="name the treated units, or the column with each unit's first treated "
                "period",
            )
        if self.treatment_start is None and self.treatment_start_column is None:
            raise Refusal(
                "nothing says when treatment started",
                where="treatment_start: null, no column with the treatment's start",
                next_step="set treatment_start to the first treated period",
            )
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
