"""What all questions about a panel are asked."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, ValidationInfo, field_validator

from trustlib.params.fields import Column, Source, Text, fault
from trustlib.params.shared import OneSourceParams, SharedParams

# Columns that may play no second role; a cluster may be the unit itself.
ALONE = (
    "unit_column",
    "time_column",
    "outcome_column",
    "treatment_start_column",
    "treated_column",
)


OutcomeScale = Annotated[
    Literal["auto", "level", "log", "rate", "count"],
    Field(
        description="What the outcome's numbers are; decides how the total is sized. A rate "
        "is per person (or per rate_per people) of weight_column. auto: by name and values."
    ),
]
RatePer = Annotated[
    float,
    Field(
        gt=0,
        description="A rate's denominator: 1000 where the outcome is per 1,000 people.",
        examples=[1000],
    ),
]
OutcomeName = Annotated[
    Text | None,
    Field(
        max_length=80,
        description="The outcome's name for a reader. null: the column's.",
        examples=["complaints per 1,000 active accounts"],
    ),
]
TotalLabel = Annotated[
    Text, Field(max_length=60, description="What the total effect counts, in the plural.")
]
UnitValue = Annotated[
    float | None,
    Field(
        ge=0,
        description="Dollars per unit of the total effect; gives its value. null: no value.",
        examples=[3.5],
    ),
]


class PanelParams(OneSourceParams):
    """A panel: one row per unit and period, with an outcome."""

    notebook: ClassVar[str] = "panel"

    source: Annotated[
        Source,
        Field(
            description=OneSourceParams.model_fields["source"].description,
            examples=["data/my-panel.csv", "params/intervention_did/complaint_rates.sql"],
        ),
    ]
    unit_column: Annotated[
        Column,
        Field(
            description="Column with the unit that is treated or not: market, cohort, county.",
            examples=["market"],
        ),
    ]
    time_column: Annotated[
        Column,
        Field(
            description="Column with the period, evenly spaced: whole numbers, dates, months "
            "(2024-03), quarters (2024Q1) or ISO weeks (2024-W05). One row per unit and period.",
            examples=["week"],
        ),
    ]
    outcome_column: Annotated[
        Column,
        Field(
            description="Column with the outcome: a number; empty where it is missing.",
            examples=["complaints_per_1000"],
        ),
    ]

    @field_validator(
        "time_column",
        "outcome_column",
        "treatment_start_column",
        "treated_column",
        "weight_column",
        "standard_error_column",
        "neighbour_column",
        check_fields=False,
    )
    @classmethod
    def _one_role_each(cls, column: str | None, info: ValidationInfo) -> str | None:
        for role in ALONE:  # only the earlier ones are known here
            if column is not None and info.data.get(role) == column:
                raise fault(
                    f"names the column that {role} names too",
                    next_step="name another column for one of the two",
                )
        return column


def roles(params: SharedParams, *wanted: str) -> dict[str, Any]:
    """The frame's name of every optional role whose column is given, None for the others."""
    return {
        role: role if getattr(params, f"{role}_column") is not None else None for role in wanted
    }


def a_rate_is_of_people(scale: str, info: ValidationInfo) -> str:
    """`outcome_scale`, refused where it is a rate and nobody is named to multiply it with."""
    if scale == "rate" and "weight_column" in info.data and info.data["weight_column"] is None:
        raise fault(
            "rate needs to know of how many people, and weight_column is null",
            next_step="name the column with the number of people as weight_column, or set "
            "outcome_scale: level",
            lacks=("weight_column",),
        )
    return scale
