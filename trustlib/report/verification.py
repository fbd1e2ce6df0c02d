"""Is a report byte for byte what its run left?"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from trustlib.report import manifest, publish


def verify(paths: Iterable[str | Path]) -> list[str]:
    """Every difference from what the runs left, one sentence each; an empty list is good.

    Parameters
    ----------
    paths
        Reports' folders, files in them, or folders above them, such as ``reports``.
    """
    findings: list[str] = []
    for path in map(Path, paths):
        folders = report_folders(path)
        if not folders:
            findings.append(f"{path}: there is no report here")
        for folder in folders:
            # A folder that was sent or copied alone still carries its slug, above it nothing.
            whose = (
                None if folder == path else folder.resolve().parent.name,
                folder.resolve().name,
            )
            findings += _report(folder) + _strangers(folder, *whose)
    return findings


def report_folders(path: Path) -> list[Path]:
    """The folders of all reports at, below or (for a file of one) above `path`."""
    if path.is_file():
        path = path.parent
    for candidate in (path, *path.parents[:2]):
        if _is_report(candidate):
            return [candidate]
    found = {child.parent for child in path.rglob("runs") if _is_report(child.parent)}
    found |= {child.parent for child in path.rglob("attempts") if _is_report(child.parent)}
    return sorted(found)


def _is_report(folder: Path) -> bool:
    return (folder / "runs").is_dir() or (folder / "attempts").is_dir()


def _report(folder: Path) -> list[str]:
    findings: list[str] = []
    run_id = publish.current_run(folder)
    if run_id is None:
        if _names(folder / "runs"):
            findings.append(f"{folder}/current: leads to no run")
    else:
        findings += _current(folder, run_id)
    for attempt in _folders(folder / "attempts"):
        findings += _files(attempt, publish.ATTEMPT_FILES)[1]
    return findings


def _strangers(folder: Path, notebook: str | None, slug: str) -> list[str]:
    """Runs and attempts that are whole, but another report's."""
    findings = []
    for place in [*_folders(folder / "runs"), *_folders(folder / "attempts")]:
        told, _ = _manifest(place / "manifest.json")
        if told is None:
            continue  # said already
        if told.get("slug") != slug or (notebook and told.get("notebook") != notebook):
            findings.append(
                f"{place}: belongs to another report, {told.get('notebook')}/{told.get('slug')}"
            )
    return findings


def _current(folder: Path, run_id: str) -> list[str]:
    """The current run, the earlier ones it vouches for, and the links."""
    document, findings = _files(folder / "runs" / run_id, publish.FILES)
    for name in publish.FILES:
        shown = folder / name
        if not _same(shown, folder / "runs" / run_id / name):
            findings.append(f"{shown}: is not the current run's file")
    known = {run_id}
    for entry in _earlier(document):
        known.add(entry["run_id"])
        earlier = folder / "runs" / entry["run_id"]
        told, wrong = _files(earlier, publish.FILES)
        findings += wrong
        if told is not None and told.get("seal") != entry["seal"]:
            findings.append(f"{earlier}/manifest.json: is not the one the current run vouches for")
    for extra in sorted(_names(folder / "runs") - known):
        findings.append(f"{folder}/runs/{extra}: belongs to no known run (an interrupted one?)")
    expected = {*publish.FILES, "runs", "attempts", "current", ".lock"}
    for extra in sorted(_names(folder) - expected):
        findings.append(f"{folder}/{extra}: no run left this")
    return findings


def _files(folder: Path, names: Iterable[str]) -> tuple[dict[str, Any] | None, list[str]]:
    """One run's folder against its own manifest, which comes back where it can be read."""
    if not folder.is_dir():
        return None, [f"{folder}: is missing"]
    findings = [
        f"{folder}/{extra}: no run left this" for extra in sorted(_names(folder) - set(names))
    ]
    findings += [
        f"{place}: was replaced by a link"
        for place in (folder, *(folder / name for name in names))
        if place.is_symlink()
    ]
    document, wrong = _manifest(folder / "manifest.json")
    findings += wrong
    outputs = (document or {}).get("outputs")
    outputs = outputs if isinstance(outputs, Mapping) else {}
    for name in names:
        if name == "manifest.json":
            continue
        path = folder / name
        if not path.is_file():
            findings.append(f"{path}: is missing")
        elif document is not None and manifest.sha256(path.read_bytes()) != outputs.get(name):
            findings.append(f"{path}: was changed")
    return document, findings


def _manifest(path: Path) -> tuple[dict[str, Any] | None, list[str]]:
    try:
        data = path.read_bytes()
    except OSError:
        return None, [f"{path}: is missing"]
    try:
        document = json.loads(data)
        sound = isinstance(document, dict) and manifest.sealed(document) == data
        sound = sound and publish.well_formed(document)
        sound = sound and document.get("run_id") == path.parent.name
    except (ValueError, RecursionError):
        return None, [f"{path}: was changed"]
    return (document, []) if sound else (None, [f"{path}: was changed"])


def _earlier(document: Mapping[str, Any] | None) -> list[Mapping[str, Any]]:
    return list((document or {}).get("earlier_runs", []))


def _same(shown: Path, original: Path) -> bool:
    try:
        if shown.is_symlink():
            return shown.resolve() == original.resolve()
        return shown.read_bytes() == original.read_bytes()
    except (OSError, RuntimeError):  # the latter: links that lead in a circle
        return False


def _folders(path: Path) -> list[Path]:
    return sorted(path / name for name in _names(path))


def _names(path: Path) -> set[str]:
    return {entry.name for entry in path.iterdir()} if path.is_dir() else set()
