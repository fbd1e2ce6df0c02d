"""What every notebook is asked: the shared parameters, and how params become plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from typing import Annotated, Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field

from trustlib.core.text import UNTITLED
from trustlib.params.fields import ConnectionName, Instant, Source, Text, Zone


class _Headed(BaseModel):
    """What a report is called."""

    model_config = ConfigDict(
        strict=True, frozen=True, extra="forbid", allow_inf_nan=False, hide_input_in_errors=True
    )

    title: Annotated[
        Text, Field(description="The report's heading.", examples=["Rule 17 over-blocking, March"])
    ] = UNTITLED
    owner: Annotated[
        Text,
        Field(description="Who answers for the report.", examples=["Integrity on-call"]),
    ] = "unassigned"


class SharedParams(_Headed):
    """Parameters that all notebooks share. Strict (no type is bent), frozen, nothing extra.

    The order matters: a rule across two parameters stands at the later one, where the
    earlier one is already known.
    """

    notebook: ClassVar[str]
    # Optional names that a new file shows among those to edit.
    edit_first: ClassVar[tuple[str, ...]] = ()
    # Optional names that a new file shows with their example and not with their default.
    show_example: ClassVar[tuple[str, ...]] = ("owner",)

    connection: Annotated[
        ConnectionName | None,
        Field(
            description="Name of the environment variable that holds the warehouse's address, "
            "never the address itself. null: the embedded engine.",
            examples=["WAREHOUSE_URL"],
        ),
    ] = None
    timezone: Annotated[
        Zone,
        Field(
            description="IANA zone in which naive times in the data are read and local time is "
            "shown.",
            examples=["America/New_York", "UTC"],
        ),
    ] = "UTC"
    as_of: Annotated[
        Instant | None,
        Field(
            description="Rows after this instant are left out, so that the report can be "
            "repeated as it was known then. null: all rows.",
            examples=["2026-03-20T00:00:00+00:00"],
        ),
    ] = None
    level: Annotated[
        float, Field(description="Coverage of every interval.", gt=0.5, lt=1, examples=[0.95])
    ] = 0.95
    seed: Annotated[
        int,
        Field(description="Seed of everything random.", ge=0, le=2**31 - 1, examples=[0]),
    ] = 0

    @classmethod
    def from_notebook(cls, namespace: Mapping[str, Any]) -> Self:
        """These parameters from a notebook's own variables: ``from_notebook(globals())``.

        Works after stock papermill's injected cell, under our runner and by hand in
        JupyterLab. Names that stand in the parameters cells and are no parameter of this
        notebook are refused as well.

        Raises
        ------
        Refusal
            With every fault at once.
        """
        from trustlib.params.injected import from_namespace

        return from_namespace(cls, namespace)

    def to_plain(self) -> dict[str, Any]:
        """Every parameter as JSON can hold it; dates and instants in ISO form, these with offset.

        The order is the schema's, so equal params give equal bytes.
        """
        return {name: _plain(getattr(self, name)) for name in type(self).model_fields}


class _Sourced(_Headed):
    """Read first, and so told before how it is read."""

    source: Annotated[
        Source,
        Field(
            description="What to read: a path to .csv or .parquet, a path to a .sql file with one "
            "SELECT, or a table name on the connection. Relative paths start where the command "
            "runs.",
            examples=["data/my-incident.csv", "params/incident_sizing/rule_actions.sql"],
        ),
    ]


class OneSourceParams(SharedParams, _Sourced):
    """The shared parameters of a notebook that reads one source; `source` comes third."""


def _plain(value: Any) -> Any:
    if isinstance(value, date):  # an instant is one too
        return value.isoformat()
    if is_dataclass(value) and not isinstance(value, type):
        parts = {part.name: _plain(getattr(value, part.name)) for part in fields(value)}
        # What may be left out is: one form of one meaning.
        return {name: part for name, part in parts.items() if part is not None}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value
