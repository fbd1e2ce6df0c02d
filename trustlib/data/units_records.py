"""What is asked of a source with one row per unit, and what comes back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trustlib.core import Check
from trustlib.data.records import Snapshot

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, kw_only=True)
class UnitQuery:
    """Where the predictors of units stand: one row is one unit.

    Attributes
    ----------
    source
        Path to .csv, .parquet or .sql (one SELECT), or a table name on the connection.
    connection
        Name of an environment variable that holds a URL; None is the embedded engine.
    unit_column
        Who; read as text, as in a panel. Every other column is a predictor: a number.
    """

    source: str
    connection: str | None = None
    unit_column: str


@dataclass(frozen=True, kw_only=True)
class UnitRows:
    """Predictors per unit, and how healthy their rows were.

    Attributes
    ----------
    frame
        One row per unit, sorted: ``unit`` (str), then each predictor (float64, NaN = missing)
        under `trustlib.data.covariate_names`.
    predictors
        The same as predictor -> unit -> number, by the source's own column names; a missing
        number is left out.
    health
        ``item``, ``n``, ``note``: one row per thing that was counted.
    checks
        Verdicts on the data.
    snapshot
        What was read.
    """

    frame: pd.DataFrame
    predictors: Mapping[str, Mapping[str, float]]
    health: pd.DataFrame
    checks: tuple[Check, ...]
    snapshot: Snapshot
