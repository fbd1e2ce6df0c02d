"""No text of a deep-dive's frames that a page may show holds an identifier, and no number moves."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime

import pandas as pd

from trustlib.core import Window
from trustlib.core.identifiers import identifies
from trustlib.data.abuse_records import AbuseQuery, AbuseRows
from trustlib.data.abuse_unnamed import unnamed

EMPTY = pd.DataFrame()
ADA, BOB, PHONE = "ada@host.example", "bob@host.example", "+1 415 555 0100"


def at(day: int) -> datetime:
    return datetime(2026, 3, day, tzinfo=UTC)


def rows(**given: object) -> AbuseRows:
    query = AbuseQuery(
        sources={"items": "items.csv"},
        window=Window(at(2), at(30)),
        history_start=at(2),
        compare_from=at(16),
        segments=("market", "kind"),
    )
    made: dict[str, object] = {field.name: EMPTY for field in fields(AbuseRows)}
    made |= {
        "query": query, "strata_counted": True, "appealed": None, "confirmed": None,
        "items_before": 1, "items_now": 1, "durations": {}, "ledger": None, "missing": {},
        "checks": (), "snapshots": {},
        "sample": pd.DataFrame(
            {"item": [0, 1, 2], "stratum": ["low", ADA, f"high {PHONE}"],
             "market": ["elm", ADA, BOB], "kind": ["video", "video", PHONE],
             "policy": [BOB, None, "x"], f"control:{ADA}": [True, False, True],
             "control:rule": [False, True, True]}
        ),
        "view_sample": pd.DataFrame({"stratum": [ADA], "market": [BOB], "kind": ["video"]}),
        "population": pd.DataFrame({"stratum": ["low", ADA, f"high {PHONE}"], "items": [5, 6, 7]}),
        "weeks": pd.DataFrame({"stratum": [ADA], "items": [9]}),
        "by_segment": pd.DataFrame(
            {"segment": ["market"] * 3, "value": ["elm", ADA, BOB], "stratum": [ADA, "low", "low"],
             "items": [1, 2, 3]}
        ),
        "cells": pd.DataFrame({"market": [ADA, BOB], "kind": ["video", PHONE], "before": [1, 2]}),
        "controls": pd.DataFrame({"source": [ADA, "rule", "reported"], "items": [3, 4, 5]}),
        "accounts_join": pd.DataFrame({"segment": ["market"], "value": [BOB], "items": [8]}),
        "links": pd.DataFrame({"actor": [0, 1], "kind": ["device", f"card of {ADA}"]}),
    }  # fmt: skip
    return AbuseRows(**(made | given))  # type: ignore[arg-type]


def frames(found: AbuseRows) -> dict[str, pd.DataFrame]:
    every = {field.name: getattr(found, field.name) for field in fields(AbuseRows)}
    return {name: each for name, each in every.items() if isinstance(each, pd.DataFrame)}


def test_no_text_holds_an_identifier() -> None:
    ledger = pd.DataFrame(
        {"changed_at": [at(3), at(4)], "instrument": ["model", f"rule {PHONE}"],
         "note": [f"asked for by {ADA}, {BOB}", None]}
    )  # fmt: skip
    asked = rows(ledger=ledger)
    for name, frame in frames(unnamed(asked)).items():
        texts = [*frame.columns, *map(str, frame.to_numpy().ravel())]
        assert not [text for text in texts if identifies(text)], name
    assert unnamed(asked).ledger is not None
    note = unnamed(asked).ledger["note"]  # type: ignore[index]
    assert note[0] == "asked for by [identifier] [identifier]"
    assert note.isna()[1]


def test_what_was_different_stays_different_and_the_same_everywhere() -> None:
    found = unnamed(rows())
    ada, bob = "[identifier] 2", "[identifier] 3"  # after the telephone, by what they were
    assert list(found.by_segment["value"]) == ["elm", ada, bob]
    assert list(found.cells["market"]) == [ada, bob]
    assert list(found.cells["kind"]) == ["video", "[identifier]"]
    assert list(found.sample["stratum"]) == list(found.population["stratum"])
    assert list(found.controls["source"]) == [ada, "rule", "reported"]
    assert [name for name in found.sample if name.startswith("control:")] == [
        f"control:{ada}", "control:rule",
    ]  # fmt: skip
    assert list(found.sample["policy"].fillna("-")) == [bob, "-", "x"]


def test_a_text_that_reads_like_a_withheld_one_is_told_apart() -> None:
    market = ["[identifier]", "[identifier] 2", PHONE, ADA]
    found = unnamed(rows(cells=pd.DataFrame({"market": market, "kind": "a"}))).cells["market"]
    assert list(found[:2]) == market[:2]
    assert found.nunique() == 4


def test_numbers_and_what_names_nobody_stay_and_nothing_is_changed_in_place() -> None:
    asked = rows()
    before = {name: frame.copy() for name, frame in frames(asked).items()}
    found = unnamed(asked)
    for name, frame in frames(asked).items():
        pd.testing.assert_frame_equal(frame, before[name])
        numbers = frame.select_dtypes("number")
        pd.testing.assert_frame_equal(numbers, frames(found)[name].select_dtypes("number"))
    plain = pd.DataFrame({"stratum": ["low"], "market": ["elm"], "kind": ["video"]})
    clean = rows(**dict.fromkeys(frames(asked), plain), ledger=None)
    assert frames(unnamed(clean)).keys() == frames(clean).keys()
    for frame in frames(unnamed(clean)).values():
        pd.testing.assert_frame_equal(frame, plain)


def test_the_order_of_rows_does_not_matter() -> None:
    asked = rows()
    turned = replace(asked, **{name: frame.iloc[::-1] for name, frame in frames(asked).items()})
    for name, frame in frames(unnamed(asked)).items():
        pd.testing.assert_frame_equal(frame, frames(unnamed(turned))[name].iloc[::-1])
