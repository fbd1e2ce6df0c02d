"""What an earlier run of the postmortem found, from its results.json."""

from __future__ import annotations

import json
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trustlib.core import Estimate, Refusal
from trustlib.core.results import SCHEMA, STATUSES, validate

NOTEBOOK = "incident_postmortem"
MAX_BYTES = 20 * 1024 * 1024
_PART = re.compile(r"results: (schema|notebook|headline|verdict|estimate|check|two checks|series)")


@dataclass(frozen=True, kw_only=True, eq=False)
class Earlier:
    """An earlier revision, as it was published.

    Attributes
    ----------
    run_id
        Of the run that found it.
    headline
        Its sentence.
    estimates
        By name.
    series
        By name, rows of plain values.
    """

    run_id: str
    headline: str
    estimates: Mapping[str, Estimate]
    series: Mapping[str, list[dict[str, Any]]]


def read_earlier(path: str | None) -> Earlier | None:
    """The results at `path`; None where none is named.

    Raises
    ------
    Refusal
        If there is no such file, it is larger than 20 MB or no JSON, it does not keep the
        contract of results.json, or it is not of a complete run of the postmortem.
    """
    if path is None:
        return None
    where = f"previous_results: {path}"
    document = _document(_bytes(path, where), where)
    if str(document.get("status")) in set(STATUSES) - {"complete"}:
        raise Refusal(
            "these are results of a run that did not end well: there is no earlier figure",
            where=where,
            next_step="name the results of a complete run: reports/…/runs/<run>/results.json",
        )
    try:
        validate(document)
        series = _series(document["series"])
        run_id = document.get("run_id")
        if not isinstance(run_id, str) or not run_id or document.get("status") != "complete":
            raise ValueError
        estimates = {name: Estimate(**value) for name, value in document["estimates"].items()}
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        # Of the fault only the part: what stands in the file is not repeated.
        part = _PART.match(str(error))
        about = f" ({part[1]})" if part else ""
        raise Refusal(
            f"the file does not keep the contract {SCHEMA}{about}",
            where=where,
            next_step="name a results.json as `trustlib run` wrote it, unchanged",
        ) from None
    if document["notebook"] != NOTEBOOK:
        raise Refusal(
            f"these are results of another notebook than {NOTEBOOK}",
            where=where,
            next_step=f"name a file below reports/{NOTEBOOK}/, or set previous_results to null",
        )
    return Earlier(run_id=run_id, headline=document["headline"], estimates=estimates, series=series)


def _bytes(path: str, where: str) -> bytes:
    try:
        if not stat.S_ISREG(Path(path).stat().st_mode):
            # A pipe may never end; a folder is none.
            raise Refusal(
                "the earlier results are not a plain file",
                where=where,
                next_step="name the results.json of an earlier run",
            )
        with Path(path).open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise Refusal(
            "there is no such results.json",
            where=where,
            next_step="check the path (relative ones start where the command runs), or set "
            "previous_results to null",
        ) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a path"
        raise Refusal(
            f"the earlier results cannot be read: {reason}",
            where=where,
            next_step="name the results.json of an earlier run, and check its permissions",
        ) from None
    if len(data) > MAX_BYTES:
        raise Refusal(
            "the file is larger than 20 MB: no results.json is",
            where=where,
            next_step="name the results.json of an earlier run",
        )
    return data


def _document(data: bytes, where: str) -> dict[str, Any]:
    def no_number(_: str) -> None:
        raise ValueError

    try:
        document = json.loads(data.decode("utf-8"), parse_constant=no_number)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise Refusal(
            "the file is not the JSON of earlier results",
            where=where,
            next_step="name a results.json as `trustlib run` wrote it, unchanged",
        )
    return document


def _series(found: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    for rows in found.values():
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise ValueError("results: series")
    return dict(found)
