"""Earlier runs of a report, from the manifest of the one that readers see."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from trustlib.report.manifest import sha256
from trustlib.report.publish import current_run, read_manifest


def earlier_runs(folder: Path) -> list[dict[str, Any]]:
    """Every run up to the current one, oldest first: what the next manifest lists.

    Each entry carries the seal of that run's manifest, so that the newest manifest
    vouches for all of them.
    """
    run_id = current_run(folder)
    newest = read_manifest(folder, run_id) if run_id else None
    if newest is not None:
        return [*newest["earlier_runs"], _entry(newest)]
    # What leads to the newest is damaged: keep the history that can still be trusted.
    runs = folder / "runs"
    names = sorted(entry.name for entry in runs.iterdir()) if runs.is_dir() else []
    sound = [told for name in names if (told := read_manifest(folder, name))]
    if not os.path.lexists(folder / "current"):
        # A first run that was killed while publishing was seen by nobody.
        listed = {run["run_id"] for told in sound for run in told["earlier_runs"]}
        sound = [told for told in sound if told["earlier_runs"] or told["run_id"] in listed]
    return [_entry(told) for told in sound]


def damage(folder: Path, past: Sequence[Mapping[str, Any]]) -> str | None:
    """What a person is told where something of the `past` runs is not as they left it."""
    manifests = [read_manifest(folder, run["run_id"]) for run in past]
    whole = all(
        told is not None and told["seal"] == run["seal"]
        for told, run in zip(manifests, past, strict=True)
    )
    pointer = folder / "current"
    led = current_run(folder) in {run["run_id"] for run in past}
    if whole and (led or not (past or os.path.lexists(pointer))):
        return None
    return (
        "Something of the earlier runs was changed, damaged or removed; this report is whole.\n"
        f"  next: trustlib verify {shlex.quote(str(folder))} tells what, "
        "as far as it can still be told"
    )


def _entry(manifest: Mapping[str, Any]) -> dict[str, Any]:
    return {key: manifest[key] for key in ("run_id", "started_at", "findings_sha256", "seal")}


def last_good(folder: Path) -> dict[str, Any] | None:
    """``run_id`` and ``ran_at`` of the report that readers see; None where there is none."""
    runs = earlier_runs(folder)
    if not runs:
        return None
    return {"run_id": runs[-1]["run_id"], "ran_at": runs[-1]["started_at"]}


def revisions(
    folder: Path, runs: Sequence[Mapping[str, Any]], fingerprint: str
) -> tuple[int, list[dict[str, Any]]]:
    """The number of this revision, from 1, and the earlier ones that found something else.

    Runs in a row with equal findings are one revision, told by its first run; so a second
    identical run makes the same page as the first.
    """
    groups: list[Mapping[str, Any]] = []
    for run in runs:
        if not groups or groups[-1]["findings_sha256"] != run["findings_sha256"]:
            groups.append(run)
    if groups and groups[-1]["findings_sha256"] == fingerprint:
        groups.pop()
    told = [_told(folder, run) for run in groups if run["findings_sha256"] != fingerprint]
    return len(groups) + 1, [one for one in told if one is not None]


def _told(folder: Path, run: Mapping[str, Any]) -> dict[str, Any] | None:
    manifest = read_manifest(folder, run["run_id"])
    sealed = (manifest or {}).get("outputs", {}).get("results.json")
    results = _read(folder / "runs" / run["run_id"] / "results.json", sealed)
    if manifest is None or results is None:
        return None  # damaged: verify tells which
    return {
        "run_id": run["run_id"],
        "ran_at": run["started_at"],
        "as_of": manifest.get("params", {}).get("as_of"),
        "headline": results.get("headline"),
        "verdict": results.get("verdict"),
        "estimates": results.get("estimates", {}),
    }


def _read(path: Path, sealed: object) -> dict[str, Any] | None:
    """Results as their run left them: what was changed since is no earlier finding."""
    try:
        data = path.read_bytes()
        document = json.loads(data) if sha256(data) == sealed else None
    except (OSError, ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None
