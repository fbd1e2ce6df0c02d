"""What is asked of a panel's source and what comes back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from trustlib.core import Check
from trustlib.data.records import Snapshot

if TYPE_CHECKING:
    import pandas as pd

ROLES = (
    "unit",
    "time",
    "outcome",
    "treatment_start",
    "weight",
    "cluster",
    "standard_error",
    "neighbour",
)


def covariate_names(columns: Sequence[str]) -> tuple[str, ...]:
    """The names of covariates, or of predictors, in the frame: their own, with ``x_`` before one
    that is a role's."""
    names: list[str] = []
    for column in columns:
        name = column
        while name in ROLES or (name != column and name in columns):
            name = f"x_{name}"
        names.append(name)
    return tuple(names)


@dataclass(frozen=True, kw_only=True)
class PanelQuery:
    """Which column means what: one row is one unit in one period.

    Attributes
    ----------
    source
        Path to .csv, .parquet or .sql (one SELECT), or a table name on the connection.
    connection
        Name of an environment variable that holds a URL; None is the embedded engine.
    unit_column
        Who was treated or not; read as text.
    time_column
        The period: whole numbers, dates, timestamps, months ("2024-03"), quarters ("2024Q1")
        or ISO weeks ("2024-W05").
    outcome_column
        A number; empty: missing.
    treatment_start_column
        A unit's first treated period, of the time's kind, on each of its rows; empty: never.
    treated_column
        0 or 1 per row, instead of a start. None for both: nobody is treated.
    covariate_columns, predictor_columns
        Numbers. Covariates are wanted wherever there is an outcome; predictors (of a synthetic
        control) in some periods only.
    weight_column, cluster_column, standard_error_column, neighbour_column
        Optional: how many people a row stands for; what errors share; sampling error of the
        outcome; 1 where an untreated unit lies near a treated one.
    timezone
        IANA name: times with an offset are read on this zone's calendar, naive ones are of it.
    as_of
        Dated periods that start at or after this instant are not used; None: all rows.

    Raises
    ------
    ValueError
        A naive `as_of`, both a start and a treated column, a covariate or predictor named twice.
    """

    source: str
    connection: str | None = None
    unit_column: str
    time_column: str
    outcome_column: str
    treatment_start_column: str | None = None
    treated_column: str | None = None
    covariate_columns: tuple[str, ...] = ()
    predictor_columns: tuple[str, ...] = ()
    weight_column: str | None = None
    cluster_column: str | None = None
    standard_error_column: str | None = None
    neighbour_column: str | None = None
    timezone: str = "UTC"
    as_of: datetime | None = None

    def __post_init__(self) -> None:
        if self.as_of is not None and self.as_of.tzinfo is None:
            raise ValueError("PanelQuery: as_of is naive, an aware instant is needed")
        if self.treatment_start_column is not None and self.treated_column is not None:
            raise ValueError("PanelQuery: a treatment start or a treated column, not both")
        if len(set(self._numbers)) != len(self._numbers):
            raise ValueError("PanelQuery: a covariate or predictor is named twice")

    @property
    def _numbers(self) -> tuple[str, ...]:
        return (*self.covariate_columns, *self.predictor_columns)

    @property
    def columns(self) -> dict[str, str | None]:
        """The engine's roles, each with its column; None where it was not asked for."""
        wanted = {
            "unit": self.unit_column,
            "period": self.time_column,
            "outcome": self.outcome_column,
            "start": self.treatment_start_column,
            "treated": self.treated_column,
            "weight": self.weight_column,
            "cluster": self.cluster_column,
            "standard_error": self.standard_error_column,
            "neighbour": self.neighbour_column,
        }
        wanted |= {f"covariate_{i}": name for i, name in enumerate(self.covariate_columns)}
        return wanted | {f"predictor_{i}": name for i, name in enumerate(self.predictor_columns)}


@dataclass(frozen=True, kw_only=True)
class PanelRows:
    """A panel in long form, and how healthy its rows were.

    Attributes
    ----------
    frame
        One row per row used, sorted by unit and time, no pair of them twice: ``unit`` (str),
        ``time`` (int64, or datetime64[us] without a zone: the period's start), ``outcome``
        (float64, NaN = missing), ``treatment_start`` (float64 where time is a whole number, else
        datetime64[us]; NaN or NaT = never; constant in a unit); where asked for ``weight``
        (positive wherever the outcome is there), ``cluster`` (str, constant in a unit),
        ``standard_error`` (NaN = missing) and ``neighbour`` (bool, constant in a unit);
        covariates and predictors (float64, NaN = missing) under `covariate_names`.
    health
        ``item``, ``n``, ``note``: one row per thing that was counted.
    checks
        Verdicts on the data.
    snapshot
        What was read.
    """

    frame: pd.DataFrame
    health: pd.DataFrame
    checks: tuple[Check, ...]
    snapshot: Snapshot
