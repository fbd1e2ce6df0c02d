"""What is read of tables whose every text holds identifiers, and what is said where it is not."""

from __future__ import annotations

import base64
import html
import json
from pathlib import Path
from urllib.parse import quote

import pandas as pd
import pytest

from tests.report import leaky
from trustlib import params
from trustlib.core import TrustlibError
from trustlib.data.abuse_read import read_abuse
from trustlib.data.abuse_records import TABLES, AbuseRows

WINDOW = {
    "window_start": leaky.START.isoformat(),
    "window_end": leaky.END.isoformat(),
    "history_start": leaky.HISTORY.isoformat(),
}


def test_identifiers_are_planted_in_every_text_column() -> None:
    world = leaky.World()
    assert len(world.names) == 500
    planted = world.planted()
    for role, columns in TABLES.items():
        for name, column in columns.items():
            if column.kind in ("key", "text") and (role, name) in planted:
                assert planted[role, name], (role, name)
            elif column.kind == "text" and column.needed:
                pytest.fail(f"{role}.{name} is not there")
    everything = "\n".join(
        str(value) for rows in world.tables.values() for row in rows for value in row.values()
    )
    assert not [name for name in world.names if name not in everything]


def test_a_planted_one_is_found_in_every_disguise(tmp_path: Path) -> None:
    name = leaky.identifiers()[7]
    for at, text in enumerate(
        (
            name, name[:12], name.upper(), html.escape(name).replace("@", "&#64;"),
            quote(name, safe=""), json.dumps({"a": name}).replace("@", "\\u0040"),
            f"zq007.<b>ada</b>{name[9:]}",
            "data:image/svg+xml;base64," + base64.b64encode(name.encode()).decode(),
        )
    ):  # fmt: skip
        (tmp_path / "x.html").write_text(text)
        assert leaky.found_in(tmp_path), at
    (tmp_path / "x.html").write_text("nobody")
    assert leaky.found_in(tmp_path, "nobody") == {}
    assert leaky.found_in(tmp_path, f"x {name} y") == {"text 0": [leaky.parts(name)]}


UNREADABLE = [
    (role, name)
    for role, columns in TABLES.items()
    for name, column in columns.items()
    if column.kind in ("time", "number", "flag")
]


@pytest.fixture(scope="module")
def tables(tmp_path_factory) -> Path:
    folder: Path = tmp_path_factory.mktemp("tables")
    leaky.World().write(folder)
    return folder


def told(tables: Path, folder: Path, role: str, rows: list[dict[str, object]]) -> str:
    """What reading says where the table of `role` has these rows; no other is read but those that
    it needs."""
    leaky.write_table(folder / f"{role}.csv", rows)
    needed = {"items", {"appeals": "actions", "view_labels": "views"}.get(role, role)}
    asked: dict[str, object] = dict(WINDOW)
    asked |= {f"{each}_source": str(tables / f"{each}.csv") for each in needed}
    asked[f"{role}_source"] = str(folder / f"{role}.csv")
    query = params.AbuseDeepDiveParams.from_notebook(asked).query()
    try:
        rows_read = read_abuse(query)
    except TrustlibError as error:
        return f"{type(error).__name__}: {error}"
    health = rows_read.health.to_csv(index=False)
    return "\n".join([health, *(f"{check.label} {check.text}" for check in rows_read.checks)])


@pytest.mark.parametrize(("role", "name"), UNREADABLE)
def test_no_cell_that_cannot_be_read_is_repeated(
    tables: Path, tmp_path: Path, role: str, name: str
) -> None:
    """All cells of a column, and one of them."""
    names = leaky.identifiers()
    rows = leaky.World().tables[role]
    if name not in rows[0]:
        pytest.skip("the column is not there")
    every = [row | {name: names[n % 500]} for n, row in enumerate(rows)]
    said = told(tables, tmp_path, role, every)
    assert said.startswith("Refusal: ")
    assert name in said
    assert leaky.found_in(tmp_path / "none", said) == {}
    one = [rows[0] | {name: names[3]}, *rows[1:]]
    assert leaky.found_in(tmp_path / "none", told(tables, tmp_path, role, one)) == {}


@pytest.mark.parametrize("role", list(TABLES))
def test_no_first_row_that_stands_where_names_should_is_repeated(
    tables: Path, tmp_path: Path, role: str
) -> None:
    rows = leaky.World().tables[role]
    names = iter(leaky.identifiers()[::7])
    file = [{next(names): value for value in row.values()} for row in rows[:1]]
    said = told(tables, tmp_path, role, file)
    assert said.startswith("Refusal: there is no column")
    assert leaky.found_in(tmp_path / "none", said) == {}


def shown(rows: AbuseRows) -> str:
    """All that a page may show of what was read: everything but the tokens' raw names."""
    frames = {name: value for name, value in vars(rows).items() if isinstance(value, pd.DataFrame)}
    frames["tokens"] = rows.tokens.drop(columns="name")
    texts = [frame.to_csv() for frame in frames.values()]
    texts += [frame.to_csv() for frame in rows.durations.values()]
    return "\n".join([*texts, repr(rows.checks), repr(rows.missing)])


def test_what_is_read_may_be_shown(tables: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = WINDOW | {f"{role}_source": str(tables / f"{role}.csv") for role in TABLES}
    asked |= {"segments": ["market", "kind", "tier"], "confirming_sources": ["review"]}
    query = params.AbuseDeepDiveParams.from_notebook(asked).query()
    found = read_abuse(query)
    monkeypatch.setattr("trustlib.data.abuse_read.unnamed", lambda rows: rows)
    read = read_abuse(query)
    assert leaky.found_in(tables / "none", shown(read))  # it is there
    assert leaky.found_in(tables / "none", shown(found)) == {}
    for name in ("sample", "by_segment", "cells", "population", "controls", "links"):
        assert getattr(found, name).shape == getattr(read, name).shape, name
    assert found.by_segment.groupby("segment")["value"].nunique().to_dict() == (
        read.by_segment.groupby("segment")["value"].nunique().to_dict()
    )
