"""The frames of a deep-dive without what identifies somebody in the texts that a page may show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import pandas as pd

from trustlib.core.identifiers import without_identifiers
from trustlib.data.abuse_records import AbuseRows

CONTROL = "control:"


def unnamed(rows: AbuseRows) -> AbuseRows:
    """`rows` with identifiers taken out of values of segments, strata, sources, policies, kinds of
    links and the ledger, whatever column of the source they stood in.

    What was different stays different: where two texts would read alike, they are numbered in
    the order of what they were. Numbers do not change. Tokens keep their raw name, which is
    never for a page.
    """
    segments = rows.query.segments
    columns: dict[str, tuple[str, ...]] = {
        "sample": ("stratum", "policy", *segments),
        "view_sample": ("stratum", *segments),
        "population": ("stratum",),
        "weeks": ("stratum",),
        "by_segment": ("value", "stratum"),
        "cells": segments,
        "controls": ("source",),
        "accounts_join": ("value",),
        "links": ("kind",),
    }
    frames: dict[str, pd.DataFrame] = {name: getattr(rows, name) for name in columns}
    if rows.ledger is not None:
        columns["ledger"], frames["ledger"] = ("instrument",), _notes(rows.ledger)
    headers = [str(name) for name in rows.sample]
    acted = {name.removeprefix(CONTROL) for name in headers if name.startswith(CONTROL)}
    found, told = without(frames, columns, acted)
    made: dict[str, Any] = {**found}
    heads = {CONTROL + name: CONTROL + told[name] for name in acted if name in told}
    made["sample"] = made["sample"].rename(columns=heads)
    return replace(rows, **made)


def without(
    frames: Mapping[str, pd.DataFrame],
    columns: Mapping[str, Iterable[str]],
    more: Iterable[str] = (),
) -> tuple[dict[str, pd.DataFrame], dict[str, str]]:
    """`frames` with identifiers taken out of these columns, and what was told for what.

    What was different stays different, in all frames alike; `more` are texts that stand elsewhere.
    """
    texts = (_texts(frame, column) for name, frame in frames.items() for column in columns[name])
    told = _told(set(more).union(*texts))
    made = {name: _renamed(frame, columns[name], told) for name, frame in frames.items()}
    return made, told


def _notes(ledger: pd.DataFrame) -> pd.DataFrame:
    """Notes are sentences: two that read alike may."""
    plain = {note: without_identifiers(note) for note in _texts(ledger, "note")}
    return _renamed(ledger, ("note",), plain)


def _texts(frame: pd.DataFrame, column: str) -> set[str]:
    return set(frame[column].dropna().astype("str")) if column in frame else set()


def _told(texts: Iterable[str]) -> dict[str, str]:
    """Each text with an identifier in it -> what is told instead, no two alike."""
    texts = set(texts)
    without = {text: without_identifiers(text) for text in sorted(texts)}
    taken = {text for text, told in without.items() if told == text}
    found: dict[str, str] = {}
    for text, told in without.items():
        if told == text:
            continue
        name, number = told, 1
        while name in taken:
            number += 1
            name = f"{told} {number}"
        taken.add(name)
        found[text] = name
    return found


def _renamed(frame: pd.DataFrame, columns: Iterable[str], told: Mapping[str, str]) -> pd.DataFrame:
    changed = {}
    for column in columns:
        if _texts(frame, column) & told.keys():
            changed[column] = frame[column].map(lambda text: told.get(text, text))
    return frame.assign(**changed) if changed else frame
