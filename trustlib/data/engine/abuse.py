"""A session over the copies of a deep-dive's or an incident's tables: a view per role, in the
few types.

Statements are our own; what params name is bound or renamed (segments are s0, s1 …). The engine
is always the embedded one, over the Parquet copies, so that every source gives the same numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from trustlib.core import RunFailed
from trustlib.data.clock import Clock
from trustlib.data.engine.session import locked
from trustlib.data.engine.typed import reading, to_utc, whole, written

MEMORY = "1600MB"  # of the engine; the whole process stays under 4 GB at 100 million views
# The column whose time says whether a row is there yet.
TIMES = {
    "items": "created_at", "accounts": "created_at", "views": "viewed_at",
    "labels": "labelled_at", "view_labels": "labelled_at", "actions": "acted_at",
    "appeals": "decided_at", "reports": "reported_at", "ledger": "changed_at",
}  # fmt: skip
UNSURE = ("time", "number", "flag")  # kinds that a column's cells may miss
# Keys that are compared between tables, or only have to be told apart.
KEYS = ("item_id", "account_id", "view_id", "viewer_id", "rater_id", "action_id", "token")


@dataclass(frozen=True, kw_only=True)
class Tables:
    """What the session knows of the copies.

    Attributes
    ----------
    con
        The connection.
    columns
        Role -> column -> kind.
    start, end, history, compare
        UTC seconds.
    as_of
        UTC seconds; None: all rows.
    """

    con: Any
    columns: Mapping[str, Mapping[str, str]]
    start: int
    end: int
    history: int
    compare: int
    as_of: int | None
    types: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def has(self, role: str, *columns: str) -> bool:
        """Whether the role is there, with these columns."""
        return role in self.columns and all(name in self.columns[role] for name in columns)

    def make(self, name: str, sql: str, values: Mapping[str, object] | None = None) -> None:
        """A temporary table of what `sql` selects."""
        self.con.execute(f"CREATE TEMP TABLE {name} AS {sql}", values or {})

    def drop(self, *names: str) -> None:
        """Give a table's memory back."""
        for name in names:
            self.con.execute(f"DROP TABLE {name}")

    def frame(self, sql: str, values: Mapping[str, object] | None = None) -> Any:
        """The rows of a statement, which has to order them."""
        return self.con.execute(sql, values or {}).df()

    def row(self, sql: str, values: Mapping[str, object] | None = None) -> tuple[Any, ...]:
        """The one row of a statement."""
        found = self.con.execute(sql, values or {}).fetchall()
        return tuple(found[0])

    def names(self, name: str, values: Sequence[str]) -> None:
        """A temporary table of parameter values: ``value``, ``place``."""
        self.con.execute(f"CREATE TEMP TABLE {name} (value VARCHAR, place INTEGER)")
        for place, value in enumerate(values):
            self.con.execute(
                f"INSERT INTO {name} VALUES ($value, $place)", {"value": value, "place": place}
            )


@contextmanager
def session(
    copies: Mapping[str, tuple[Path, Mapping[str, str]]],
    *,
    clock: Clock,
    start: int,
    end: int,
    history: int,
    compare: int,
    as_of: int | None,
    times: Mapping[str, str] = TIMES,
    keys: Sequence[str] = KEYS,
) -> Iterator[Tables]:
    """A locked connection with a view per role.

    Parameters
    ----------
    copies
        Role -> copy, and its columns' kinds.
    clock
        For times without an offset.
    start, end, history, compare, as_of
        As in `Tables`.
    times
        Role -> the column whose time says whether a row is there yet.
    keys
        Columns that are read alike in every table.
    """
    paths = [path for path, _ in copies.values()]
    try:
        with locked(paths, memory=MEMORY, ordered=False) as backend:
            con = backend.con
            columns = {role: kinds for role, (_, kinds) in copies.items()}
            files = {role: _file(path) for role, (path, _) in copies.items()}
            types = {role: _types(con, file) for role, file in files.items()}
            con.execute(to_utc(clock))
            wide = _text_keys(con, files, types, columns, keys)
            for role, file in files.items():
                for sql in _views(
                    role, file, columns[role], types[role], wide, times.get(role), as_of
                ):
                    con.execute(sql)
            for name, seconds in {"from_start": start, "from_history": history}.items():
                con.execute(f"CREATE TEMP MACRO {name}(t) AS t >= {seconds:d} AND t < {end:d}")
            yield Tables(
                con=con, columns=columns, start=start, end=end, history=history, compare=compare,
                as_of=as_of, types=types,
            )  # fmt: skip
    except duckdb.OutOfMemoryException:
        raise RunFailed(
            "the engine ran out of its memory",
            where=f"copies of {', '.join(copies)}",
            next_step="read fewer rows: a .sql source with a WHERE, or a later history_start",
        ) from None
    except duckdb.Error as error:
        raise RunFailed(
            f"the engine failed on the copies of the tables ({type(error).__name__})",
            where=f"copies of {', '.join(copies)}",
            next_step="run it again; if it fails again, delete .trustlib/snapshots first",
        ) from None


def _file(path: Path) -> str:
    where = str(path.resolve()).replace("'", "''")
    return f"read_parquet('{where}')"


def _types(con: Any, file: str) -> dict[str, str]:
    return {row[0]: row[1] for row in con.execute(f"DESCRIBE FROM {file}").fetchall()}


def _text_keys(
    con: Any,
    files: Mapping[str, str],
    types: Mapping[str, Mapping[str, str]],
    columns: Mapping[str, Mapping[str, str]],
    keys: Sequence[str],
) -> set[str]:
    """Keys that are text: those that are not a whole number in every row of every table."""
    wide = set()
    for key in keys:
        texts = [
            role for role in files
            if columns[role].get(key) == "key" and types[role][key] == "VARCHAR"
        ]  # fmt: skip
        for role in texts:
            found = con.execute(
                f"SELECT count(*) FROM {files[role]} WHERE NOT {whole(key)}"
            ).fetchall()
            if found[0][0]:
                wide.add(key)
                break
    return wide


def _views(
    role: str,
    file: str,
    kinds: Mapping[str, str],
    types: Mapping[str, str],
    wide: set[str],
    time: str | None,
    as_of: int | None,
) -> Iterator[str]:
    """Statements for ``all_<role>``, every row, and ``<role>``, the rows up to `as_of`.

    Beside each column whose kind it may miss, ``<column>_there`` says whether something stands
    there.
    """
    picked = []
    for name, kind in kinds.items():
        column = f'"{name}"'  # at is a word of the engine's own
        sql = reading(column, types[name], kind)
        if kind == "key" and name in wide:
            sql = f"CAST({sql} AS VARCHAR)"
        elif kind == "key" and types[name] == "VARCHAR":
            sql = f"CAST({sql} AS BIGINT)"
        picked.append(f"{sql} AS {column}")
        if kind in UNSURE:
            picked.append(f"{written(column, types[name])} IS NOT NULL AS {name}_there")
    yield f"CREATE TEMP VIEW all_{role} AS SELECT {', '.join(picked)} FROM {file}"
    late = ""
    if as_of is not None and time in kinds:
        late = f' WHERE "{time}" IS NULL OR "{time}" <= {as_of:d}'
    names = ", ".join(f'"{name}"' for name in kinds)
    yield f"CREATE TEMP VIEW {role} AS SELECT {names} FROM all_{role}{late}"
