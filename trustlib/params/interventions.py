"""What `intervention_did` and `intervention_power` are asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field, ValidationInfo, field_validator

from trustlib.params.fields import Column, Text, fault
from trustlib.params.panels import (
    ALONE,
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
    from trustlib.data import PanelQuery
    from trustlib.interventions import DidSpec
    from trustlib.interventions.power import PowerSpec


class InterventionDidParams(PanelParams):
    """Did an intervention work: units, periods, an outcome, and when each unit was treated."""

    notebook: ClassVar[str] = "intervention_did"
    edit_first: ClassVar[tuple[str, ...]] = (
        "treatment_start_column",
        "treated_column",
        "weight_column",
        "unit_label",
    )
    show_example: ClassVar[tuple[str, ...]] = ("owner", "treatment_start_column")

    treatment_start_column: Annotated[
        Column | None,
        Field(
            description="Column with a unit's first treated period, on each of its rows, written "
            "as the time is; empty: never treated. null only with a treated_column.",
            examples=["first_treated"],
        ),
    ] = None
    treated_column: Annotated[
        Column | None,
        Field(
            validate_default=True,
            description="Column that is 1 in the rows in which the unit is treated and 0 before, "
            "in the place of treatment_start_column. null: the start says it.",
            examples=["treated"],
        ),
    ] = None
    covariate_columns: Annotated[
        tuple[Column, ...],
        Field(
            strict=False,
            max_length=50,
            description="Columns with numbers on which trends may depend; their values before "
            "treatment are used. []: none.",
            examples=[["log_population"]],
        ),
    ] = ()
    covariate_method: Annotated[
        Literal["doubly_robust", "regression", "ipw"],
        Field(description="How covariates enter: both ways, by outcome regression, by weighting."),
    ] = "doubly_robust"
    weight_column: Annotated[
        Column | None,
        Field(
            description="Column with how many people a row stands for. null: units count alike.",
            examples=["active_accounts"],
        ),
    ] = None
    cluster_column: Annotated[
        Column | None,
        Field(
            description="Column with what was assigned together or shares shocks, coarser than "
            "the unit. null: the unit.",
            examples=["country"],
        ),
    ] = None
    standard_error_column: Annotated[
        Column | None,
        Field(
            description="Column with the sampling error of each outcome, where it is itself an "
            "estimate. null: none.",
            examples=["prevalence_standard_error"],
        ),
    ] = None
    neighbour_column: Annotated[
        Column | None,
        Field(
            description="Column that is 1 for untreated units near a treated one, to which harm "
            "may have moved. null: not looked at.",
            examples=["borders_treated"],
        ),
    ] = None
    control_group: Annotated[
        Literal["never", "not_yet"],
        Field(
            description="Compare with units that are never treated, or also with those that are "
            "not treated yet."
        ),
    ] = "never"
    estimator: Annotated[
        Literal["auto", "callaway_santanna", "imputation", "sun_abraham", "two_way"],
        Field(description="Of the headline. auto: the one that is right for the design."),
    ] = "auto"
    base_period: Annotated[
        Literal["varying", "universal"],
        Field(
            description="Of effects before treatment: against the period before each (varying), "
            "or the last one before treatment (universal)."
        ),
    ] = "varying"
    anticipation: Annotated[
        int,
        Field(
            ge=0,
            le=1000,
            description="Periods before the start in which units may already react.",
        ),
    ] = 0
    outcome_scale: OutcomeScale = "auto"
    rate_per: RatePer = 1.0
    outcome_name: OutcomeName = None
    unit_label: TotalLabel = "units of the outcome"
    unit_value_usd: UnitValue = None

    @field_validator("treated_column")
    @classmethod
    def _treatment_is_named_once(cls, treated: str | None, info: ValidationInfo) -> str | None:
        if "treatment_start_column" not in info.data:
            return treated  # refused already
        start = info.data["treatment_start_column"]
        if treated is None and start is None:
            raise fault(
                "is null, and so is treatment_start_column: nothing says who was treated when",
                next_step="name the column with each unit's first treated period as "
                "treatment_start_column, or one with 0 and 1 as treated_column",
                lacks=("treatment_start_column", "treated_column"),
            )
        if treated is not None and start is not None:
            raise fault(
                "is set, and so is treatment_start_column: they may say different things",
                next_step="set one of the two to null",
            )
        return treated

    @field_validator("covariate_columns")
    @classmethod
    def _covariates_are_others(
        cls, columns: tuple[str, ...], info: ValidationInfo
    ) -> tuple[str, ...]:
        for number, column in enumerate(columns, start=1):
            if column in columns[: number - 1]:
                raise fault(f"name {number} is there twice", next_step="keep one of the two")
            for role in ALONE:
                if info.data.get(role) == column:
                    raise fault(
                        f"name {number} is the column that {role} names",
                        next_step="take it out: it cannot explain itself",
                    )
        return columns

    _a_rate_is_of_people = field_validator("outcome_scale")(a_rate_is_of_people)

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
            covariate_columns=self.covariate_columns,
            weight_column=self.weight_column,
            cluster_column=self.cluster_column,
            standard_error_column=self.standard_error_column,
            neighbour_column=self.neighbour_column,
            timezone=self.timezone,
            as_of=self.as_of,
        )

    def spec(self) -> DidSpec:
        """What to estimate, for `trustlib.interventions.did`, by the names of the frame that
        `trustlib.data.read_panel` makes."""
        from trustlib.data import covariate_names
        from trustlib.interventions import DidSpec

        return DidSpec(
            covariates=covariate_names(self.covariate_columns),
            **roles(self, "weight", "cluster", "standard_error", "neighbour"),
            covariate_method=self.covariate_method,
            control_group=self.control_group,
            estimator=self.estimator,
            base_period=self.base_period,
            anticipation=self.anticipation,
            outcome_scale=self.outcome_scale,
            rate_per=self.rate_per,
            outcome_name=self.outcome_name or self.outcome_column,
            level=self.level,
            seed=self.seed,
            unit_label=self.unit_label,
            unit_value_usd=self.unit_value_usd,
        )


class InterventionPowerParams(PanelParams):
    """What a planned rollout could show: history, waves of units, how long it is watched."""

    notebook: ClassVar[str] = "intervention_power"
    edit_first: ClassVar[tuple[str, ...]] = ("weight_column", "wave_gap_periods", "effect")

    treatment_start_column: Annotated[
        Column | None,
        Field(
            description="Column with a unit's first treated period, where some were treated "
            "already: their rows from then on are no history. null: nobody is treated yet.",
            examples=["first_treated"],
        ),
    ] = None
    weight_column: Annotated[
        Column | None,
        Field(
            description="Column with how many people a row stands for. null: units count alike.",
            examples=["active_accounts"],
        ),
    ] = None
    cluster_column: Annotated[
        Column | None,
        Field(
            description="Column with what is assigned together, coarser than the unit. null: the "
            "unit.",
            examples=["country"],
        ),
    ] = None
    planned_units: Annotated[
        tuple[Annotated[int, Field(ge=1, le=1_000_000)], ...],
        Field(
            strict=False,
            min_length=1,
            max_length=50,
            description="How many units each wave treats, in order; all other units are the "
            "comparison.",
            examples=[[8, 8, 8]],
        ),
    ]
    wave_gap_periods: Annotated[
        int, Field(ge=1, le=1000, description="Periods from one wave to the next.")
    ] = 1
    periods_before: Annotated[
        int | None,
        Field(
            ge=1,
            le=100_000,
            description="Periods before the first wave that the estimate may use. null: all that "
            "the history has.",
            examples=[12],
        ),
    ] = None
    periods_after: Annotated[
        int,
        Field(
            ge=1,
            le=100_000,
            description="Periods from the last wave's start to the end, that one included.",
            examples=[8],
        ),
    ]
    effect: Annotated[
        tuple[float, ...] | None,
        Field(
            strict=False,
            min_length=1,
            max_length=50,
            description="Effects to tabulate: how often each would be found. null: sizes around "
            "the smallest that can be detected.",
            examples=[[-0.5, -1.0, -2.0]],
        ),
    ] = None
    effect_scale: Annotated[
        Literal["absolute", "relative"],
        Field(
            description="Effects in the outcome's own units, or as shares of its level (-0.1: ten "
            "per cent less)."
        ),
    ] = "absolute"
    power: Annotated[
        float,
        Field(gt=0.5, lt=1, description="How often the smallest detectable effect is found."),
    ] = 0.8
    draws: Annotated[
        int, Field(ge=99, le=100_000, description="Simulated rollouts per effect.")
    ] = 500
    outcome_name: OutcomeName = None
    unit_label: Annotated[
        Text, Field(max_length=60, description="What the outcome counts, in the plural.")
    ] = "units of the outcome"

    @field_validator("effect_scale")
    @classmethod
    def _no_more_than_all(cls, scale: str, info: ValidationInfo) -> str:
        effects = info.data.get("effect") or ()
        if scale == "relative" and any(effect < -1 for effect in effects):
            raise fault(
                "relative takes shares, and effect holds one below -1: more than all there is",
                next_step="write -0.1 for ten per cent less, or set effect_scale: absolute",
            )
        return scale

    def panel_query(self) -> PanelQuery:
        """The history to read, for `trustlib.data.read_panel`."""
        from trustlib.data import PanelQuery

        return PanelQuery(
            source=self.source,
            connection=self.connection,
            unit_column=self.unit_column,
            time_column=self.time_column,
            outcome_column=self.outcome_column,
            treatment_start_column=self.treatment_start_column,
            weight_column=self.weight_column,
            cluster_column=self.cluster_column,
            timezone=self.timezone,
            as_of=self.as_of,
        )

    def panel_spec(self) -> DidSpec:
        """How the history's rows become a panel, for `trustlib.interventions.panel_from_frame`."""
        from trustlib.interventions import DidSpec

        return DidSpec(
            outcome_name=self.outcome_name or self.outcome_column,
            level=self.level,
            seed=self.seed,
            **roles(self, "weight", "cluster"),
        )

    def spec(self) -> PowerSpec:
        """What to simulate, for `trustlib.interventions.power.power`."""
        from trustlib.interventions.power import PowerSpec

        return PowerSpec(
            planned_units=self.planned_units,
            wave_gap_periods=self.wave_gap_periods,
            periods_before=self.periods_before,
            periods_after=self.periods_after,
            effects=self.effect,
            effect_scale=self.effect_scale,
            target_power=self.power,
            draws=self.draws,
            level=self.level,
            seed=self.seed,
            outcome_name=self.outcome_name or self.outcome_column,
            unit_label=self.unit_label,
        )
