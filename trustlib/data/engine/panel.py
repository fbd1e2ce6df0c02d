"""The columns of a panel out of its snapshot: numbers read in the engine, labels as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ibis

from trustlib.data.engine import profile
from trustlib.data.panel_periods import MISSING

if TYPE_CHECKING:
    import pyarrow as pa

_YES, _NO = ("true", "t", "yes", "y"), ("false", "f", "no", "n")
LABELS = ("unit", "period", "start", "cluster")
FLAGS = ("treated", "neighbour")


def numbers(table: Any) -> Any:
    """`table` with every role but the labels as float64, null where missing; see
    `profile.valued`."""
    roles = tuple(name for name in table.columns if name not in (*LABELS, "row"))
    plain = {}
    for role in roles:
        column = table[role]
        if column.type().is_string():
            word = column.strip().lower()
            empty = word.isin(MISSING)
            if role in FLAGS:
                column = ibis.cases((word.isin(_YES), "1"), (word.isin(_NO), "0"), else_=column)
            plain[role] = ibis.ifelse(empty, ibis.null("string"), column)
    return profile.valued(table.mutate(**plain), roles)


def value_faults(rows: Any, role: str) -> dict[str, int]:
    """Rows whose `role` is no finite number, by kind, and how its numbers are written; see
    `profile.value_faults`. Beside it ``written``: numbers that are there."""
    found = profile.value_faults(rows, role)
    return found | {"written": profile.nulls(rows, role)["rows"] - found["nulls"]}


def columns(rows: Any) -> tuple[pa.Table, str]:
    """The rows in the snapshot's order, and the SQL that read them."""
    wanted = [name for name in rows.columns if name != "row" and not name.endswith("_raw")]
    # The order is what lets a message say "first in row 17".
    sql = str(ibis.to_sql(rows.order_by("row").select(wanted)))
    return rows.get_backend().con.sql(sql).to_arrow_table(), sql


def coded(column: pa.ChunkedArray) -> tuple[pa.Array, Any]:
    """The distinct labels of a column, and each row's place among them (int64, -1 = null)."""
    import pyarrow as pa

    encoded = column.dictionary_encode().combine_chunks()
    if isinstance(encoded, pa.ChunkedArray):  # how a column without rows comes back
        encoded = pa.array([], column.type).dictionary_encode()
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    return encoded.dictionary, codes.astype("int64")
