"""Params files: find the notebook, read, validate."""

from __future__ import annotations

import hashlib
import json
import re
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trustlib.core.errors import Refusal, did_you_mean
from trustlib.params.problems import Problem, refusal, shown
from trustlib.params.reading import MAX_BYTES, UNREADABLE, Entry, entries, override
from trustlib.params.schemas import SCHEMAS, notebooks, schema
from trustlib.params.shared import OneSourceParams, SharedParams
from trustlib.params.validating import validate

SLUG = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}\Z")
# What stands inside every report's folder: a report of that name could not be told from it.
RESERVED = frozenset({"runs", "attempts", "current"})


@dataclass(frozen=True, kw_only=True)
class ParamsFile:
    """One params file, read and valid.

    Attributes
    ----------
    notebook, slug
        From the folder and the file's name: ``params/<notebook>/<slug>.yaml``.
    path
        As it was given.
    params
        The typed params.
    values
        The same as plain values, every name, to inject into the notebook.
    sha256
        Of `values`: equal where two runs were asked the same.
    overrides
        The ``--set`` arguments that were applied.
    """

    notebook: str
    slug: str
    path: Path
    params: SharedParams
    values: dict[str, Any]
    sha256: str
    overrides: tuple[str, ...] = ()


def load(
    path: str | Path, overrides: Sequence[str] = (), *, notebook: str | None = None
) -> SharedParams:
    """The typed params of one file; see `read` for the record around them."""
    return read(path, overrides, notebook=notebook).params


def read(
    path: str | Path, overrides: Sequence[str] = (), *, notebook: str | None = None
) -> ParamsFile:
    """One params file with its notebook and slug.

    Parameters
    ----------
    path
        A .yaml or .yml file. The parent folder names the notebook; in another folder
        it is the notebook whose names fit best.
    overrides
        ``name=value`` pairs from ``--set``, applied in order.
    notebook
        The notebook's name, where the folder does not say it.

    Raises
    ------
    Refusal
        With every fault of the file at once: line, nearest name, next step.
    """
    path = Path(path)
    slug = _slug(path)
    found, problems = entries(_text(path))
    if problems and not found:
        # Nothing could be read: what is missing cannot be known.
        raise refusal(problems, file=shown_path(path))
    for argument in overrides:
        name, entry, faults = override(argument)
        problems += faults
        found[name] = entry
    name = notebook or _notebook_of(path, found, problems)
    params, faults = validate(schema(name), _readable(found))
    problems += faults
    if params is None or problems:
        raise refusal(problems, file=shown_path(path), notebook=name)
    values = params.to_plain()
    return ParamsFile(
        notebook=name,
        slug=slug,
        path=path,
        params=params,
        values=values,
        sha256=digest(values),
        overrides=tuple(overrides),
    )


def digest(values: dict[str, Any]) -> str:
    """SHA-256 of plain values, independent of the order of names."""
    text = json.dumps(values, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _readable(found: dict[str, Entry]) -> dict[str, Entry]:
    """What `--set` could not even name is already among the problems."""
    return {
        name: entry
        for name, entry in found.items()
        if entry.value is not UNREADABLE or entry.line is not None or name.isidentifier()
    }


def shown_path(path: Path) -> str:
    """`path` as a message shows it: relative to the working directory where it lies below."""
    try:
        return str(path.relative_to(Path.cwd()) if path.is_absolute() else path)
    except (ValueError, OSError):
        return str(path)


def _slug(path: Path) -> str:
    if path.suffix not in (".yaml", ".yml"):
        raise Refusal(
            f"{shown(path.name)} is not a params file",
            where=shown_path(path),
            next_step="params files end in .yaml",
        )
    slug = path.stem
    if not SLUG.match(slug):
        better = suggest_slug(slug)
        raise Refusal(
            f"the file's name {shown(path.name)!r} cannot name a report",
            where=shown_path(path),
            nearest=f"{better}.yaml",
            next_step="rename it: small letters, digits, - and _, at most 64, "
            "starting with a letter or a digit",
        )
    if slug in RESERVED:
        raise Refusal(
            f"{slug!r} cannot name a report: every report holds something of that name",
            where=shown_path(path),
            nearest=f"my-{path.name}",
            next_step="rename it",
        )
    return slug


def suggest_slug(text: str) -> str:
    """The nearest name that a report may have."""
    slug = re.sub(r"[^a-z0-9_]+", "-", text.lower()).strip("-_")[:64].strip("-_") or "my-report"
    return f"my-{slug}" if slug in RESERVED else slug


def _text(path: Path) -> str:
    try:
        known = path.stat()
        if not stat.S_ISREG(known.st_mode) and not stat.S_ISDIR(known.st_mode):
            # A pipe or a device may never end.
            raise Refusal(
                "the params file is not a plain file",
                where=shown_path(path),
                next_step="save its text to a file of its own",
            )
        if known.st_size > MAX_BYTES:
            raise Refusal(
                "the file is too large for a params file",
                where=shown_path(path),
                next_step="data belong in a .csv, .parquet or .sql file that `source` names",
            )
        return path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        near = did_you_mean(path.name, [name for name in _siblings(path) if name != path.name])
        raise Refusal(
            "there is no such params file",
            where=shown_path(path),
            nearest=shown_path(path.with_name(near)) if near else None,
            next_step="`trustlib list` shows the params files; `trustlib new` writes one",
        ) from None
    except UnicodeDecodeError as error:
        raise Refusal(
            f"the file is not UTF-8 text (byte {error.start + 1})",
            where=shown_path(path),
            next_step="save it as UTF-8",
        ) from None
    except OSError as error:
        raise Refusal(
            f"the file cannot be read: {error.strerror}",
            where=shown_path(path),
            next_step="check the path and its permissions",
        ) from None


def _siblings(path: Path) -> list[str]:
    try:
        return [item.name for item in path.parent.iterdir() if item.suffix in (".yaml", ".yml")]
    except OSError:
        return []


def _notebook_of(path: Path, found: dict[str, Entry], problems: list[Problem]) -> str:
    folder = path.absolute().parent.name
    if folder in notebooks():
        return folder
    names = set(found)
    # Best fit: fewest names that the schema does not know, then the smallest schema.
    ranked = sorted(
        (len(names - set(each.model_fields)), len(each.model_fields), name)
        for name, each in SCHEMAS.items()
        if names & (set(each.model_fields) - set(OneSourceParams.model_fields))
    )
    if ranked and (len(ranked) == 1 or ranked[0][:2] < ranked[1][:2]):
        return ranked[0][2]
    if problems:
        raise refusal(problems, file=shown_path(path))
    near = did_you_mean(folder, notebooks())
    raise Refusal(
        f"no notebook is named {shown(folder)!r}, and the names in the file fit none",
        where=shown_path(path),
        nearest=f"params/{near}/{path.name}" if near else None,
        next_step=f"move the file to params/<notebook>/; notebooks: {', '.join(notebooks())}",
    )
