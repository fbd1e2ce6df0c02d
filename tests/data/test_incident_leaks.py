"""Identifiers planted in every text of an incident's tables, and what is shown of them."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from tests.data.incident_tables import FRAMES, QUERY, made, save
from trustlib.core.identifiers import identifies
from trustlib.data import read_affected
from trustlib.data.incident_links import told_change, told_link


def planted(n: int) -> str:
    return (f"ada{n}@mail.example", f"+44 20 7946 0{n:03d}", f"acct-{10_000_000 + n}")[n % 3]


def with_identifiers() -> tuple[dict, list[str]]:
    """Every text and key is an identifier; and all of them."""
    tables, names = made(), []
    codes = {
        f"{kind}{i}": planted(100 * at + i) for at, kind in enumerate("iacvrz") for i in range(10)
    }
    for table in tables.values():
        for column in table:
            if column.endswith("_id") and column != "arrival_id":
                table[column] = table[column].map(lambda key: codes.get(key, key))
    names += codes.values()
    for role, column in (
        ("affected", "market"), ("arrivals", "kind"), ("change_log", "change"),
        ("change_log", "link"),
    ):  # fmt: skip
        texts = [planted(900 + len(names) + i) for i in range(len(tables[role]))]
        tables[role][column] = texts
        names += texts
    tables["labels"]["stratum"] = planted(7)
    return tables, names


def shown(rows) -> str:
    """All that a page may show: frames, health, checks, reasons."""
    texts = [getattr(rows, name).to_csv() for name in (*FRAMES, "health")]
    return "\n".join([*texts, repr(rows.checks), repr(rows.missing)])


@pytest.fixture
def leaky(here):
    tables, names = with_identifiers()
    return replace(QUERY, sources=save(tables, here)), names


def test_no_identifier_is_in_any_frame(leaky, monkeypatch):
    query, names = leaky
    rows = read_affected(query)
    assert len(rows.labelled) == 4
    told = shown(rows)
    assert [name for name in names if name in told] == []
    assert rows.by_segment["value"].nunique() == 7  # as many as there were
    assert rows.arrivals["n"].sum() == 4
    monkeypatch.setattr("trustlib.data.incident_read.without", lambda frames, columns: (frames, {}))
    raw = shown(read_affected(query))
    assert [name for name in names if name in raw]  # they were there


def test_people_and_items_are_numbers(leaky):
    rows = read_affected(leaky[0])
    for column in ("item", "account", "customer"):
        assert rows.labelled[column].dtype == "int64"
    assert rows.labelled["item"].tolist() == [0, 1, 2, 3]


def test_a_file_without_its_header_is_refused_without_a_word_of_it(here):
    tables, names = with_identifiers()
    sources = save(tables, here)
    for file in sources.values():
        path = here / file
        path.write_text(path.read_text().split("\n", 1)[1])
    for role in sources:
        with pytest.raises(Exception, match="there is no column") as caught:
            read_affected(replace(QUERY, sources={role: sources[role]}, segments=()))
        assert [name for name in names if name in str(caught.value)] == []


@pytest.mark.parametrize(
    "link",
    [
        "https://git.example/app/commit/0123456789abcdef0123456789abcdef01234567",
        "http://tickets.example/browse/OPS-4711?tab=history#top",
        "changes/2026/rule-7.md", "OPS-4711", "#4711", "ops/4711",
    ],
)  # fmt: skip
def test_links_that_are_kept(link):
    assert told_link(f" {link}\n") == link


@pytest.mark.parametrize(
    "link",
    [
        "https://ada:secret@git.example/1", "https://ada@git.example/1",
        "https://x.example/c?user=ada@mail.example", "https://x.example/c?user=ada%40mail.example",
        "https://x.example/c?user=ada%2540mail.example", "https://x.example/c?id=12345678",
        "https://x.example/c#acct-12345678", "https://x.example/u/12345678",
        "https://x.example/0123456789abcdef0123456789abcdef01234567",
        "https://x.example/c?token=a", "https://x.example/c?a=1&X-Signature=b",
        "https://10.20.30.40/c", "https:///c", "javascript:alert(1)", "data:text/html,x",
        "file:///home/ada/x", "ftp://x.example/1", "//x.example/1", "/home/ada/changes",
        "../changes", "a/../../b", "C:\\changes", "ada", "call ada", "users/ada@mail.example",
        "notes/12345678", "https://x.example/a b", "https://x.example/\u202e", "http://[::1", "",
        "https://x.example/" + "a" * 500,
    ],
)  # fmt: skip
def test_links_that_are_dropped(link):
    assert told_link(link) == ""


def test_a_change_is_one_line_without_identifiers():
    told = told_change("  rule 7\nby ada@mail.example \u202e at 10.20.30.40 " + "x " * 400)
    assert told.startswith("rule 7 by [identifier] at [identifier] x x")
    assert len(told) <= 500
    assert not identifies(told)


def test_the_nearest_changes_are_kept_where_there_are_many(here, monkeypatch):
    monkeypatch.setattr("trustlib.data.engine.incident_times.MOST_CHANGES", 2)
    log = made()["change_log"]
    rows = read_affected(
        replace(QUERY, sources=save({"change_log": pd.concat([log, log])}, here), segments=())
    )
    assert rows.change_log["changed_at"].dt.day.tolist() == [17, 17]
    n = rows.health.set_index("item")["n"]
    assert n["changes far from the window"] == 1
    assert n["rows of change log that are there twice"] == 3
