"""What a run was made of, and the seal that shows whether anything was changed since.

The manifest is written in one canonical form. Its ``seal`` is the SHA-256 of that form
without the seal, and it holds the SHA-256 of every other file of the run, so that each
single changed byte shows, in the manifest as in the files. It detects damage and editing;
it is not a signature against someone who recomputes it.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import platform
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

SCHEMA = "trustlib.manifest/1"


def sha256(data: bytes) -> str:
    """Hex digest."""
    return hashlib.sha256(data).hexdigest()


def canonical(document: Mapping[str, Any]) -> bytes:
    """The one way in which results.json and manifest.json are written."""
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, indent=1)
    return f"{text}\n".encode()


def params_hash(params: Mapping[str, Any]) -> str:
    """Of the validated values, whatever the file's order, comments and quoting."""
    text = json.dumps(params, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return sha256(text.encode())


def findings_hash(results: Mapping[str, Any]) -> str:
    """Of what was found, without the run's own keys: equal for two identical runs."""
    found = {key: value for key, value in results.items() if key not in ("run_id",)}
    return sha256(canonical(found))


def sealed(document: Mapping[str, Any]) -> bytes:
    """`document` with its seal, ready to be written."""
    plain = {key: value for key, value in document.items() if key != "seal"}
    return canonical({**plain, "seal": seal_of(plain)})


def seal_of(document: Mapping[str, Any]) -> str:
    """The seal that `document` ought to carry."""
    return sha256(canonical({key: value for key, value in document.items() if key != "seal"}))


def code_identity(project: Path) -> dict[str, Any]:
    """Commit and dirty flag of the project; both None where it is not in git."""
    status = _git(project, "status", "--porcelain", "--untracked-files=normal")
    return {
        "commit": (_git(project, "rev-parse", "HEAD") or "").strip() or None,
        "dirty": None if status is None else bool(status.strip()),
    }


def lock_hash(project: Path) -> str | None:
    """Of the lock file, or None where there is none (an installed package)."""
    path = project / "requirements.lock"
    return sha256(path.read_bytes()) if path.is_file() else None


def package_versions() -> dict[str, str]:
    """What is installed of what trustlib asks for, by name."""
    try:
        wanted = importlib.metadata.requires("trustlib") or []
    except importlib.metadata.PackageNotFoundError:
        wanted = []
    names = {re.split(r"[^A-Za-z0-9._-]", line)[0] for line in wanted if "extra ==" not in line}
    found = {}
    for name in sorted(names | {"trustlib"}):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def python_version() -> str:
    """Implementation and version."""
    return f"{platform.python_implementation()} {platform.python_version()}"


def _git(project: Path, *arguments: str) -> str | None:
    if not (project / ".git").exists():
        return None
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    command = ["git", "-c", "core.fsmonitor=false", "-C", str(project), *arguments]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=20, check=False, env=clean
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout if done.returncode == 0 else None
