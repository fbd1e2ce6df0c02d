"""What a run found, in the form that leaves the notebook: the results.json contract.

The last cell of every notebook shows one `Results`. It travels inside the executed
notebook under a MIME type of our own, so that stock papermill carries it too, and its
presence there is also the sentinel that says the notebook ran to its end.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from trustlib.core.check import VERDICTS, Check
from trustlib.core.estimate import Estimate

SCHEMA = "trustlib.results/1"
MIME = "application/vnd.trustlib.results+json"
STATUSES = ("complete", "failed", "refused", "no_data")


@dataclass(frozen=True, kw_only=True)
class Results:
    """Everything a complete run found.

    Attributes
    ----------
    notebook
        The notebook's name.
    headline
        One sentence with the number and its interval.
    verdict
        What a gallery shows: a few words, for example "incident confirmed".
    estimates, checks, series
        By name; `series` maps a name to rows of plain values.
    snapshots
        One record per source that was read (see `trustlib.data.Snapshot.to_json`),
        for the manifest; not part of results.json.
    page
        What the report page prints around the body (``period``: the window in words);
        not part of results.json.
    """

    notebook: str
    headline: str
    verdict: str
    estimates: Mapping[str, Estimate]
    checks: Sequence[Check]
    series: Mapping[str, Sequence[Mapping[str, object]]] = field(default_factory=dict)
    snapshots: Sequence[Mapping[str, object]] = ()
    page: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, object]:
        """The results.json form without the run's own keys (slug, run_id, status)."""
        return {
            "schema": SCHEMA,
            "notebook": self.notebook,
            "headline": self.headline,
            "verdict": self.verdict,
            "estimates": {name: value.to_json() for name, value in self.estimates.items()},
            "checks": [check.to_json() for check in self.checks],
            "series": {name: [plain(row) for row in rows] for name, rows in self.series.items()},
        }

    def _repr_mimebundle_(
        self, include: object = None, exclude: object = None
    ) -> dict[str, object]:
        bundle = self.to_json() | {
            "snapshots": [plain(row) for row in self.snapshots],
            "page": dict(self.page),
        }
        # Refuse here, in the cell that made it, rather than in the runner later.
        validate(bundle)
        text = f"{self.headline}\n" + "\n".join(
            f"{check.verdict:>8}  {check.label}" for check in self.checks
        )
        return {MIME: bundle, "text/plain": text}


def plain(value: object) -> object:
    """`value` as JSON can hold it: no NaN, no numpy, aware instants in ISO form, UTC."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if hasattr(value, "isoformat"):
        if value != value:  # NaT
            return None
        return value.isoformat()
    if hasattr(value, "item"):
        return plain(value.item())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    raise TypeError(f"results cannot hold a {type(value).__name__}")


def validate(document: Mapping[str, object]) -> None:
    """Check a results document against the contract.

    Raises
    ------
    ValueError
        With the first thing that is wrong.
    """
    if document.get("schema") != SCHEMA:
        raise ValueError(f"results: schema is not {SCHEMA}")
    for key in ("notebook", "headline", "verdict"):
        if not isinstance(document.get(key), str) or not document[key]:
            raise ValueError(f"results: {key} is missing or empty")
    estimates = document.get("estimates")
    if not isinstance(estimates, Mapping):
        raise ValueError("results: estimates is missing")
    for name, value in estimates.items():
        try:
            Estimate(**value)
        except (TypeError, ValueError) as error:
            raise ValueError(f"results: estimate {name}: {error}") from None
    checks = document.get("checks")
    if not isinstance(checks, list):
        raise ValueError("results: checks is missing")
    names = [check.get("name") for check in checks]
    if len(set(names)) != len(names):
        raise ValueError("results: two checks have the same name")
    for check in checks:
        if check.get("verdict") not in VERDICTS:
            raise ValueError(f"results: check {check.get('name')} has no verdict")
    if not isinstance(document.get("series"), Mapping):
        raise ValueError("results: series is missing")
    # Python writes NaN happily; no other reader of JSON accepts it.
    json.dumps(document, allow_nan=False)
