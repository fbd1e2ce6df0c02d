"""Where a postmortem's cases are counted and its files lie: segments, currency, paths."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from trustlib.params.abuse_fields import OWN, SEGMENTS_SCHEMA, segment_names
from trustlib.params.fields import fault, line_of_text

# What the tables of cases call their columns, and what the reading calls those that it makes.
CASE_NAMES = OWN | frozenset(
    {"case_at", "actioned", "suspect", "dose", "gross", "recovered", "resolved_at", "resolved"}
    | {"side", "account", "customer", "account_dose", "customer_dose", "viewers", "labelled_at"}
    | {"gross_cents", "recovered_cents", "viewed_at", "inclusion_probability", "kind", "people"}
    | {"accounts"}
)


def case_segments(value: Any) -> tuple[str, ...]:
    """A list of columns of the affected table that many cases have in common."""
    return segment_names(value, own=CASE_NAMES)


def currency_code(value: str) -> str:
    """Three capital letters, as ISO 4217 writes a currency."""
    if re.fullmatch(r"[A-Z]{3}", value, re.ASCII):
        return value
    near = value.upper() if re.fullmatch(r"[A-Za-z]{3}", value, re.ASCII) else None
    raise fault(
        "is not a currency of three capital letters",
        nearest=near,
        next_step=f"write {near}" if near else "write its ISO code, for example USD or EUR",
    )


def a_path(value: str) -> str:
    """A path of this machine, not an address."""
    if "://" in value:
        raise fault(
            "needs a path, and got an address (not shown: it may hold a secret)",
            next_step="write a path; relative ones start where the command runs",
        )
    return value


def outside_reports(value: str) -> str:
    """A folder that is no part of reports/, which readers are given, and does not hold it."""
    here = Path.cwd()
    # A link may lead there as well.
    whole = Path(os.path.realpath(here / value))
    names = [part.lower() for part in Path(os.path.normpath(value)).parts]
    if "reports" in names or whole.is_relative_to(os.path.realpath(here / "reports")):
        raise fault(
            "lies inside reports/, which readers are given: lists of raw ids stay out of it",
            next_step="write a folder outside it, for example restricted/rule-17",
        )
    if Path(os.path.realpath(here)).is_relative_to(whole):
        raise fault(
            "is the folder that the command runs in, or holds it: others could not read it any "
            "more",
            next_step="write a folder of its own, for example restricted/rule-17",
        )
    return value


def results_file(value: str) -> str:
    """A path that ends in .json."""
    if not value.lower().endswith(".json"):
        raise fault(
            "is no path to a results.json",
            next_step="write the path of the earlier run's results.json, "
            "reports/incident_postmortem/<slug>/runs/<run>/results.json",
        )
    return value


_Path = Annotated[
    str,
    Field(min_length=1, max_length=1024),
    AfterValidator(line_of_text),
    AfterValidator(a_path),
]
CaseSegments = Annotated[
    tuple[str, ...], BeforeValidator(case_segments), WithJsonSchema(SEGMENTS_SCHEMA)
]
Currency = Annotated[
    str,
    AfterValidator(currency_code),
    WithJsonSchema({"type": "string", "pattern": "^[A-Z]{3}$"}),
]
ListsFolder = Annotated[_Path, AfterValidator(outside_reports)]
EarlierResults = Annotated[_Path, AfterValidator(results_file)]
