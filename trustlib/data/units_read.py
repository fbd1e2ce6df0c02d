"""From a source with one row per unit to predictors: numbers by unit, or a refusal."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from trustlib.core import Check, NoData, Refusal, TrustlibError
from trustlib.core.format import plural
from trustlib.data.engine import panel as engine
from trustlib.data.engine import sources
from trustlib.data.panel_records import covariate_names
from trustlib.data.panel_values import refuse_what_is_no_number
from trustlib.data.parquet import keep
from trustlib.data.records import Snapshot
from trustlib.data.source import Source, names_told, near_column, resolve
from trustlib.data.units_records import UnitQuery, UnitRows

MOST_PREDICTORS = 50
_EVERY_OTHER = "every column but the unit's is read as a predictor"


def read_units(query: UnitQuery) -> UnitRows:
    """Read a source with one row per unit, and keep a snapshot.

    Raises
    ------
    Refusal
        The source or the unit column are not what the query says; a unit that is there twice; no
        other column, or more than 50; a column that holds no numbers, infinite ones, or none.
    NoData
        No rows, or no unit.
    """
    with _as_predictor_source(query):
        kept = _kept(query)
        with sources.snapshot_rows(kept.path) as table:
            rows = engine.numbers(table)
            _numbers_only(rows, kept)
            thousands = refuse_what_is_no_number(rows, kept.roles)
            arrow, sql = engine.columns(rows)
        names, unit = _units(arrow)
        used = _once(names, unit, query)
        frame = _frame(arrow, kept, names, unit, used)
    lacking = frame[list(frame.columns[1:])].isna().sum().to_numpy()
    asked = kept.predictors
    return UnitRows(
        frame=frame,
        predictors={
            name: _known(frame["unit"], frame.iloc[:, 1 + i]) for i, name in enumerate(asked)
        },
        health=_health(kept, len(names), int((unit < 0).sum()), lacking),
        checks=_checks(kept, int((unit < 0).sum()), lacking, len(names), thousands),
        snapshot=Snapshot(
            source=kept.source.name,
            kind=kept.source.kind,
            rows=kept.rows,
            sha256=kept.sha256,
            path=kept.path.as_posix(),
            window_start_at=None,
            window_end_at=None,
            sql=f"{kept.statement}\n\n-- read from the snapshot of it:\n{sql}",
        ),
    )


@contextmanager
def _as_predictor_source(query: UnitQuery) -> Iterator[None]:
    """What is said of a source is said of the parameter that names this one."""
    try:
        yield
    except TrustlibError as error:
        where = re.sub(r"\bsource:", "predictor_source:", error.where or "")
        if "predictor_source:" not in where:
            path = Path(query.source)
            name = path.name if path.is_absolute() else query.source
            where = f"{where}, predictor_source: {name}" if where else f"predictor_source: {name}"
        raise type(error)(
            error.what, where=where, nearest=error.nearest, next_step=error.next_step
        ) from None


@dataclass(frozen=True, kw_only=True)
class _Kept:
    source: Source
    roles: dict[str, str | None]
    path: Path
    sha256: str
    rows: int
    statement: str

    @property
    def predictors(self) -> tuple[str, ...]:
        return tuple(name for name in list(self.roles.values())[1:] if name is not None)


def _kept(query: UnitQuery) -> _Kept:
    source = resolve(query.source, query.connection)
    with sources.opened(source) as found:
        roles = _roles(tuple(found.columns), query, source)
        table = sources.roles(found, roles, source)
        with sources.batches(table, ordered=found.ordered) as (schema, batches):
            path, sha256, rows = keep(schema, batches)
    if rows == 0:
        raise NoData(
            "the source has no rows",
            where=f"source: {source.name}",
            next_step="check the export, or the WHERE of the query",
        )
    return _Kept(
        source=source, roles=roles, path=path, sha256=sha256, rows=rows, statement=found.statement
    )


def _roles(columns: Sequence[str], query: UnitQuery, source: Source) -> dict[str, str | None]:
    """The engine's roles, each with its column: the unit, and everything else."""
    where = f"source: {source.name}"
    if query.unit_column not in columns:
        told = names_told(tuple(columns)) if source.kind == "csv" else tuple(columns)
        raise Refusal(
            "there is no column with the unit",
            where=f"unit_column: {query.unit_column}, {where}",
            nearest=near_column(query.unit_column, told),
            next_step="the units' column is called there as in the panel: rename it in one of the "
            "two (a .sql source can)",
        )
    others = [column for column in columns if column != query.unit_column]
    if not others:
        raise Refusal(
            "there is no column beside the unit's, so there is no predictor",
            where=where,
            next_step="add one column with numbers per predictor, or set predictor_source: null",
        )
    nameless = sum(not column.strip() for column in others)
    if nameless:
        raise Refusal(
            f"{plural(nameless, 'column')} {'has' if nameless == 1 else 'have'} no name",
            where=where,
            next_step="row numbers that were exported are no predictor (pandas: index=False); "
            "else name the column",
        )
    if len(others) > MOST_PREDICTORS:
        raise Refusal(
            f"there are {len(others):,} columns beside the unit's, more than {MOST_PREDICTORS} "
            "predictors",
            where=where,
            next_step=f"{_EVERY_OTHER}: choose those that matter (a .sql source can)",
        )
    roles: dict[str, str | None] = {"unit": query.unit_column}
    return roles | {f"given_{i}": name for i, name in enumerate(others)}


def _numbers_only(rows: Any, kept: _Kept) -> None:
    """Refuse a column whose cells are text, or empty in every row."""
    for role, column in list(kept.roles.items())[1:]:
        faults = engine.value_faults(rows, role)
        bad, where = faults["unreadable"], f"column: {column}, source: {kept.source.name}"
        if bad:
            raise Refusal(
                f"{bad:,} of {plural(kept.rows, 'predictor value')} "
                f"{'is not a number' if bad == 1 else 'are not numbers'}",
                where=where,
                next_step="write plain numbers (1234.5) and leave a cell empty where there is "
                f"none; {_EVERY_OTHER}, so take out one that is none",
            )
        if not faults["written"]:
            raise Refusal(
                "a predictor is empty in every row",
                where=where,
                next_step=f"{_EVERY_OTHER}: fill it, or take it out",
            )


def _units(arrow: Any) -> tuple[list[str], npt.NDArray[np.int64]]:
    """The units' names, sorted, and each row's place among them (-1: empty)."""
    labels, codes = engine.coded(arrow["unit"])
    told = [label.strip() for label in labels.to_pylist()]
    names = sorted({label for label in told if label})
    place = {name: i for i, name in enumerate(names)}
    spread = np.array([*(place.get(label, -1) for label in told), -1], dtype=np.int64)
    return names, spread[codes]


def _once(names: list[str], unit: npt.NDArray[np.int64], query: UnitQuery) -> npt.NDArray[np.int64]:
    """(n_units,) the row of each unit; refused where one has several."""
    where = f"unit_column: {query.unit_column}"
    if not names:
        raise NoData(
            "every unit is empty", where=where, next_step="check the export, or unit_column"
        )
    rows = np.flatnonzero(unit >= 0)
    several = int((np.bincount(unit[rows]) > 1).sum())
    if several:
        raise Refusal(
            f"{plural(several, 'unit')} {'is' if several == 1 else 'are'} there more than once, "
            "and one row per unit is needed",
            where=where,
            next_step="give one number per unit: the mean before treatment for what changes over "
            "time, or name such columns of the panel as predictors",
        )
    return rows[np.argsort(unit[rows], kind="stable")]


def _frame(
    arrow: Any,
    kept: _Kept,
    names: list[str],
    unit: npt.NDArray[np.int64],
    used: npt.NDArray[np.int64],
) -> pd.DataFrame:
    made: dict[str, Any] = {"unit": pd.Series(names, dtype="str")}
    for i, name in enumerate(covariate_names(kept.predictors)):
        made[name] = arrow[f"given_{i}"].to_numpy()[used]
        if np.isnan(made[name]).all():
            raise Refusal(
                "a predictor is empty in every row that has a unit",
                where=f"column: {kept.predictors[i]}, source: {kept.source.name}",
                next_step=f"{_EVERY_OTHER}: fill it, or take it out",
            )
    return pd.DataFrame(made)


def _known(unit: pd.Series, values: pd.Series) -> dict[str, float]:
    there = values.notna()
    return dict(zip(unit[there].tolist(), values[there].tolist(), strict=True))


def _health(kept: _Kept, units: int, nameless: int, lacking: npt.NDArray[np.int64]) -> pd.DataFrame:
    rows = [
        ("rows read", kept.rows, "all rows of the source"),
        ("rows without a unit", nameless, "left out"),
        ("units", units, "one row each"),
        ("predictors", len(kept.predictors), "all columns but the unit's"),
    ]
    for name, n in zip(kept.predictors, lacking.tolist(), strict=True):
        rows.append((f"missing: predictor {name}", n, "a unit without it cannot be used"))
    return pd.DataFrame(rows, columns=["item", "n", "note"]).astype({"n": "int64"})


def _checks(
    kept: _Kept,
    nameless: int,
    lacking: npt.NDArray[np.int64],
    units: int,
    thousands: tuple[str, ...],
) -> tuple[Check, ...]:
    """One verdict: what is to note about the predictors' rows."""
    said = []
    if nameless:
        said.append(f"{plural(nameless, 'row')} without a unit {_was(nameless)} left out.")
    holes = int(lacking.sum())
    if holes:
        columns = plural(int((lacking > 0).sum()), "predictor")
        said.append(
            f"{plural(holes, 'number')} of {columns} {_was(holes)} missing: a unit without a "
            "predictor cannot be used."
        )
    if thousands:
        said.append(
            f"Every number of {' and of '.join(thousands)} is written like 1.234, and was read "
            "with a decimal point: if the dot marks thousands, take it out."
        )
    if said:
        label = "predictors to look at"
        return (Check(name="predictors_read", verdict="warn", label=label, text=" ".join(said)),)
    text = (
        f"{plural(len(kept.predictors), 'predictor')} of {plural(units, 'unit')}, a number for "
        "each."
    )
    return (
        Check(
            name="predictors_read", verdict="pass", label="every unit has its predictors", text=text
        ),
    )


def _was(n: int) -> str:
    return "was" if n == 1 else "were"
