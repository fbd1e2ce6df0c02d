"""What `intervention_synth` is asked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field, ValidationInfo, field_validator

from trustlib.core.identifiers import identifies
from trustlib.params.fields import Column, Source, fault
from trustlib.params.panel_fields import (
    Period,
    PredictorColumn,
    Predictors,
    UnitNames,
    reversed_periods,
)
from trustlib.params.panels import (
    OutcomeName,
    OutcomeScale,
    PanelParams,
    RatePer,
    TotalLabel,
    UnitValue,
    a_rate_is_of_people,
    roles,
)

if TYPE_CHECKING:
    from trustlib.data import PanelQuery, UnitQuery
    from trustlib.interventions.synth.spec import Predictor, SynthSpec

_HOUR = re.compile(r"\d{4}-\d{2}-\d{2}[T ]")
# A predictor may be the outcome's own column, or the weight's.
_NO_PREDICTOR = ("unit_column", "time_column", "treatment_start_column", "treated_column")
_STARTS = ("treated_units", "treatment_start", "treatment_start_column")


def _hour_in_utc(label: str, info: ValidationInfo) -> None:
    """Times that carry an offset are told in UTC where they are hours, others in local time:
    an hour written here could be of either clock."""
    if _HOUR.match(label) and info.data.get("timezone", "UTC") != "UTC":
        raise fault(
            "says an hour, and timezone is not UTC: the clock on which it is meant is not clear",
            next_step="set timezone: UTC and write the hour in UTC, write the date alone, or let "
            "treatment_start_column say it",
        )


class InterventionSynthParams(PanelParams):
    """Did an intervention in one or few units work: who, from when on, compared with whom."""

    notebook: ClassVar[str] = "intervention_synth"
    edit_first: ClassVar[tuple[str, ...]] = (
        "treated_units",
        "treatment_start",
        "affected_units",
        "weight_column",
        "unit_label",
    )
    show_example: ClassVar[tuple[str, ...]] = ("owner", "treated_units", "treatment_start")

    treated_units: Annotated[
        UnitNames,
        Field(
            description="Who was treated, as unit_column writes them. []: all that "
            "treatment_start_column or treated_column says.",
            examples=[["mint"]],
        ),
    ] = ()
    treatment_start: Annotated[
        Period | None,
        Field(
            description="First treated period of all treated_units, written as the time is. null: "
            "each one's own, by treatment_start_column or treated_column.",
            examples=["2026-01-05", 1989],
        ),
    ] = None
    treatment_start_column: Annotated[
        Column | None,
        Field(
            description="Column with a unit's first treated period, on each of its rows; empty: "
            "never treated. Other treated units are no donors. null: no such column.",
            examples=["first_treated"],
        ),
    ] = None
    treated_column: Annotated[
        Column | None,
        Field(
            validate_default=True,
            description="Column that is 1 in the rows in which the unit is treated and 0 before, "
            "in the place of treatment_start_column. null: no such column.",
            examples=["treated"],
        ),
    ] = None
    donor_units: Annotated[
        UnitNames,
        Field(
            description="The only units to compare with. []: all that are not treated.",
            examples=[["basil", "thyme"]],
        ),
    ] = ()
    affected_units: Annotated[
        UnitNames,
        Field(
            description="Units that the intervention may have reached in another way, such as "
            "neighbours: not compared with. []: none.",
            examples=[["borage"]],
        ),
    ] = ()
    predictors: Annotated[
        Predictors,
        Field(
            description="What donors should match beside the outcome's path: means of columns over "
            "periods before treatment, each as {column: retail_price, first: 1980, last: 1988}, "
            "both included, with a name if wanted; outcome_column for earlier outcomes. []: none.",
            examples=[[{"column": "retail_price", "first": 1980, "last": 1988}]],
        ),
    ] = ()
    predictor_source: Annotated[
        Source | None,
        Field(
            description="What to read further predictors from, as source: one row per unit with "
            "unit_column; all other columns are numbers to match. null: none.",
            examples=["data/my-market-traits.csv"],
        ),
    ] = None
    fit_first: Annotated[
        Period | None,
        Field(
            description="First period on which the predictors' weights are fitted. null: the "
            "panel's first.",
            examples=[1970],
        ),
    ] = None
    fit_last: Annotated[
        Period | None,
        Field(
            description="Last period on which the predictors' weights are fitted. null: the last "
            "before treatment.",
            examples=[1988],
        ),
    ] = None
    method: Annotated[
        Literal[
            "auto",
            "synthetic_did",
            "synthetic_control",
            "augmented",
            "did",
            "interrupted_time_series",
        ],
        Field(
            description="Of the headline. auto: synthetic_did, synthetic_control where predictors "
            "are given, interrupted_time_series where nothing is left to compare with."
        ),
    ] = "auto"
    inference: Annotated[
        Literal["auto", "placebo", "jackknife", "bootstrap"],
        Field(
            description="Of the headline's interval. auto: placebo, or jackknife with many "
            "treated units."
        ),
    ] = "auto"
    weight_column: Annotated[
        Column | None,
        Field(
            description="Column with how many people a row stands for: weighs several "
            "treated units, and sizes the total. null: units count alike.",
            examples=["active_accounts"],
        ),
    ] = None
    outcome_scale: OutcomeScale = "auto"
    rate_per: RatePer = 1.0
    outcome_name: OutcomeName = None
    unit_label: TotalLabel = "units of the outcome"
    unit_value_usd: UnitValue = None

    _a_rate_is_of_people = field_validator("outcome_scale")(a_rate_is_of_people)

    @field_validator("treated_column")
    @classmethod
    def _someone_is_treated_at_some_time(
        cls, treated: str | None, info: ValidationInfo
    ) -> str | None:
        if any(name not in info.data for name in _STARTS):
            return treated  # refused already
        start = info.data["treatment_start_column"]
        if treated is not None and start is not None:
            raise fault(
                "is set, and so is treatment_start_column: they may say different things",
                next_step="set one of the two to null",
            )
        if treated is not None or start is not None:
            return treated
        if not info.data["treated_units"]:
            raise fault(
                "is null, and so is treatment_start_column, and treated_units is empty: nothing "
                "says who was treated",
                next_step='name them, for example  treated_units: ["mint"]',
                lacks=(*_STARTS[::2], "treated_column"),
            )
        if info.data["treatment_start"] is None:
            raise fault(
                "is null, and so are treatment_start and treatment_start_column: nothing says "
                "when treatment started",
                next_step="set treatment_start to the first treated period, written as the time is",
                lacks=(*_STARTS[1:], "treated_column"),
            )
        return treated

    @field_validator("treatment_start", "fit_first", "fit_last")
    @classmethod
    def _hours_are_those_of_one_clock(
        cls, period: int | str | None, info: ValidationInfo
    ) -> int | str | None:
        if isinstance(period, str):
            _hour_in_utc(period, info)
        return period

    @field_validator("treated_units", "donor_units", "affected_units")
    @classmethod
    def _nobody_is_named(cls, units: tuple[str, ...]) -> tuple[str, ...]:
        """What a run was asked is kept with its report, and no person's key may be."""
        for number, name in enumerate(units, start=1):
            if identifies(name):
                raise fault(
                    f"name {number} looks like the key of a person or an account, and what is "
                    "asked here is kept with the report",
                    next_step="let a column say it: treatment_start_column or treated_column; "
                    "leave donors out in a .sql source",
                )
        return units

    @field_validator("donor_units", "affected_units")
    @classmethod
    def _others_than_the_treated(
        cls, units: tuple[str, ...], info: ValidationInfo
    ) -> tuple[str, ...]:
        treated = info.data.get("treated_units", ())
        for number, name in enumerate(units, start=1):
            if name in treated:
                raise fault(
                    f"name {number} is in treated_units too",
                    next_step="take it out of one of the two",
                )
        return units

    @field_validator("predictors")
    @classmethod
    def _predictors_are_others(
        cls, predictors: tuple[PredictorColumn, ...], info: ValidationInfo
    ) -> tuple[PredictorColumn, ...]:
        for label in (label for item in predictors for label in (item.first, item.last)):
            _hour_in_utc(str(label), info)
        for number, item in enumerate(predictors, start=1):
            for role in _NO_PREDICTOR:
                if info.data.get(role) == item.column:
                    raise fault(
                        f"item {number} is the column that {role} names",
                        next_step="take it out: it says nothing about how alike units are",
                    )
        return predictors

    @field_validator("fit_last")
    @classmethod
    def _fit_is_not_reversed(cls, last: int | str | None, info: ValidationInfo) -> int | str | None:
        if reversed_periods(info.data.get("fit_first"), last):
            raise fault("comes before fit_first", next_step="swap the two")
        return last

    def panel_query(self) -> PanelQuery:
        """What to read, for `trustlib.data.read_panel`."""
        from trustlib.data import PanelQuery

        return PanelQuery(
            source=self.source,
            connection=self.connection,
            unit_column=self.unit_column,
            time_column=self.time_column,
            outcome_column=self.outcome_column,
            treatment_start_column=self.treatment_start_column,
            treated_column=self.treated_column,
            predictor_columns=self._predictor_columns,
            weight_column=self.weight_column,
            timezone=self.timezone,
            as_of=self.as_of,
        )

    def unit_query(self) -> UnitQuery | None:
        """What to read for `trustlib.data.read_units`; None without a predictor_source."""
        from trustlib.data import UnitQuery

        if self.predictor_source is None:
            return None
        # A file stands beside a warehouse's table as well.
        file = Path(self.predictor_source).suffix.lower() in (".csv", ".parquet")
        return UnitQuery(
            source=self.predictor_source,
            connection=None if file else self.connection,
            unit_column=self.unit_column,
        )

    def spec(self, unit_predictors: Mapping[str, Mapping[str, float]] | None = None) -> SynthSpec:
        """What to estimate, by the names of the frame that `trustlib.data.read_panel` makes.

        Parameters
        ----------
        unit_predictors
            predictor -> unit -> number, as `trustlib.data.read_units` gives them.
        """
        from trustlib.interventions.synth.spec import SynthSpec

        started = self.treatment_start_column is not None or self.treated_column is not None
        return SynthSpec(
            **roles(self, "weight"),
            treatment_start_column="treatment_start" if started else None,
            treated_units=self.treated_units,
            treatment_start=self.treatment_start,
            donor_units=self.donor_units,
            affected_units=self.affected_units,
            predictors=self._predictors(),
            unit_predictors=dict(unit_predictors or {}),
            fit_first=self.fit_first,
            fit_last=self.fit_last,
            method=self.method,
            inference=self.inference,
            outcome_scale=self.outcome_scale,
            rate_per=self.rate_per,
            outcome_name=self.outcome_name or self.outcome_column,
            level=self.level,
            seed=self.seed,
            unit_label=self.unit_label,
            unit_value_usd=self.unit_value_usd,
        )

    @property
    def _predictor_columns(self) -> tuple[str, ...]:
        """The columns to read for predictors, each once; the outcome is read already."""
        columns = dict.fromkeys(item.column for item in self.predictors)
        return tuple(column for column in columns if column != self.outcome_column)

    def _predictors(self) -> tuple[Predictor, ...]:
        from trustlib.data import covariate_names
        from trustlib.interventions.synth.spec import Predictor, predictor_name

        asked = self._predictor_columns
        named = dict(zip(asked, covariate_names(asked), strict=True))
        named[self.outcome_column] = "outcome"
        return tuple(
            Predictor(
                column=named[item.column],
                first=item.first,
                last=item.last,
                name=item.name or predictor_name(item.column, item.first, item.last),
            )
            for item in self.predictors
        )
