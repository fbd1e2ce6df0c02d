"""The clean-up list and the back-fill list: raw ids, apart from every report, for their owner."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from trustlib.core import RunFailed
from trustlib.data.engine.abuse import Tables
from trustlib.data.incident_prepare import opened
from trustlib.data.incident_records import (
    TABLES,
    AffectedRows,
    ListName,
    RestrictedList,
    Side,
)
from trustlib.data.records import Snapshot
from trustlib.data.restricted_files import (
    COLUMNS,
    Draft,
    Standing,
    draft,
    hide,
    not_put,
    put,
    ready,
    standing,
)
from trustlib.data.restricted_folder import alone, folder_for_lists

_LISTS: Mapping[ListName, tuple[Side, str]] = {
    # What a label says of a case that was dealt with wrongly.
    "clean-up": ("over", "NOT j.violating"),
    "back-fill": ("under", "j.violating"),
}
_BATCH = 20_000


def draft_lists(rows: AffectedRows, folder: str | None) -> tuple[RestrictedList, ...]:
    """Write drafts of ``clean-up.csv`` and ``back-fill.csv`` from the snapshots that were read.

    A draft waits hidden beside its place (``.clean-up.csv.draft``, for its owner alone) until
    `put_lists`, or until the next draft takes its place; the list that stands there stays. For a
    side that has no cases, nothing is written and no list is given. A side whose cases are all
    dealt with has a list with a header and no row.

    Parameters
    ----------
    folder
        Of the lists, as params give it; None: none are written.

    Returns
    -------
    tuple of RestrictedList
        clean-up first; `path` is where the list will stand, `before` and `left` compare it with
        the one that stands there now.

    Raises
    ------
    Refusal
        A folder that cannot hold lists (see `trustlib.data.restricted_folder.folder_for_lists`), or
        an earlier list that is damaged; nothing is written then.
    RunFailed
        A snapshot that is not there any more, or a disk that cannot take the lists.
    """
    sides = set(rows.cases["side"])
    if folder is None or not sides:
        return ()
    place = folder_for_lists(folder)
    files: dict[str, tuple[Path, Mapping[str, str]]]
    files = {role: _copy(role, one) for role, one in rows.snapshots.items()}
    with ExitStack() as stack:
        stack.enter_context(alone(place))
        there: dict[ListName, Standing | None] = {
            name: standing(place / f"{name}.csv", f"lists_folder, {name}.csv")
            for name, (side, _) in _LISTS.items()
            if side in sides
        }
        tables = stack.enter_context(opened(rows.query, files)).tables
        found = []
        drafts = {}
        for name, earlier in there.items():
            drafts[name] = _drafted(tables, name, place)
            stack.callback(drafts[name].path.unlink, missing_ok=True)
            path = place / f"{name}.csv"
            found.append(_told(tables, name, path, drafts[name], _left(tables, name, earlier)))
        for name, made in drafts.items():
            hide(made, place / f"{name}.csv")
    return tuple(found)


def put_lists(lists: Iterable[RestrictedList]) -> None:
    """Put drafts in their places, each in one step; putting them twice is harmless.

    Where rows left a list, the earlier one stays beside it as ``clean-up.<12 of its
    SHA-256>.csv``. A list of another incident's side, which has no draft, is left alone.

    Parameters
    ----------
    lists
        As `draft_lists` gave them.

    Raises
    ------
    RunFailed
        A draft that is not what the run wrote (another run drafted there since), in which case no
        list is put in its place; or a disk that refuses.
    """
    every = [(Path(one.path), one) for one in lists]
    for folder in sorted({path.parent for path, _ in every}):
        with ExitStack() as stack:
            try:
                stack.enter_context(alone(folder))
            except OSError as error:
                raise not_put(error, "the folder itself") from None
            here = [(path, one) for path, one in every if path.parent == folder]
            wait = [(path, one) for path, one in here if ready(path, one.sha256)]
            for path, one in wait:
                put(path, one.sha256, keep=one.left > 0)


def write_lists(rows: AffectedRows, folder: str | None) -> tuple[RestrictedList, ...]:
    """`draft_lists`, then `put_lists`: where nothing is to happen between the two."""
    lists = draft_lists(rows, folder)
    put_lists(lists)
    return lists


def _copy(role: str, one: Snapshot) -> tuple[Path, dict[str, str]]:
    """A snapshot that is what was read, and its columns' kinds."""
    import pyarrow.parquet as pq

    path = Path(one.path)
    try:
        with path.open("rb") as file:
            same = hashlib.file_digest(file, "sha256").hexdigest() == one.sha256
    except OSError:
        same = False
    if not same:
        raise RunFailed(
            "the snapshot that was read is not there any more",
            where=f"{role}_source: {one.source}",
            next_step="run it again, and keep .trustlib/snapshots while it runs",
        )
    columns = TABLES[role]  # type: ignore[index]
    return path, {
        name: columns[name].kind if name in columns else "text"
        for name in pq.read_schema(path).names
    }


def _drafted(tables: Tables, name: ListName, place: Path) -> Draft:
    header = [c for c in COLUMNS if c != "account_id" or tables.has("affected", c)]
    account = "account_id::VARCHAR, " if len(header) == len(COLUMNS) else ""
    time = "strftime(make_timestamp(happened * 1000000), '%Y-%m-%dT%H:%M:%SZ')"
    tables.make(f"list_{_LISTS[name][0]}", _listed(name))
    sql = f"SELECT item_id::VARCHAR, {account}{time} FROM list_{_LISTS[name][0]} ORDER BY item_id"
    return draft(place, header, _rows(tables, sql))


def _listed(name: ListName) -> str:
    """SQL: the cases of a list."""
    side, wrong = _LISTS[name]
    return (
        "SELECT c.item_id, c.account_id, c.happened, j.item_id IS NOT NULL AS labelled "
        f"FROM cases AS c LEFT JOIN judged AS j USING (item_id) WHERE c.side = '{side}' "
        f"AND c.suspect AND NOT c.resolved AND coalesce({wrong}, true)"
    )


def _rows(tables: Tables, sql: str) -> Iterator[tuple[str | None, ...]]:
    found = tables.con.execute(sql)
    while block := found.fetchmany(_BATCH):
        yield from block


@dataclass(frozen=True, kw_only=True)
class _Left:
    before: int | None = None
    left: int = 0
    resolved: int = 0
    judged: int = 0


def _left(tables: Tables, name: ListName, earlier: Standing | None) -> _Left:
    """What left the list since, and why."""
    if earlier is None:
        return _Left()
    side, wrong = _LISTS[name]
    ids = pd.DataFrame({"id": pd.Series(earlier.ids, dtype="str")})
    tables.con.register("earlier_frame", ids)
    gone, resolved, judged = tables.row(
        "SELECT count(*), count(*) FILTER (c.resolved), "
        f"count(*) FILTER (NOT c.resolved AND NOT ({wrong})) FROM (SELECT id FROM earlier_frame "
        f"ANTI JOIN list_{side} AS l ON l.item_id::VARCHAR = id) AS e "
        f"LEFT JOIN (SELECT * FROM cases WHERE side = '{side}') AS c "
        "ON c.item_id::VARCHAR = e.id LEFT JOIN judged AS j ON j.item_id = c.item_id"
    )
    tables.con.unregister("earlier_frame")
    return _Left(
        before=len(earlier.ids), left=int(gone), resolved=int(resolved), judged=int(judged)
    )


def _told(tables: Tables, name: ListName, path: Path, made: Draft, left: _Left) -> RestrictedList:
    labelled = tables.row(f"SELECT count(*) FILTER (labelled) FROM list_{_LISTS[name][0]}")[0]
    return RestrictedList(
        name=name,
        path=path.as_posix(),
        rows=made.rows,
        sha256=made.sha256,
        labelled_wrong=int(labelled),
        unlabelled=made.rows - int(labelled),
        before=left.before,
        left=left.left,
        left_resolved=left.resolved,
        left_judged=left.judged,
    )
