"""One function per command: call the room, print what a person needs, return the exit code."""

from __future__ import annotations

import json
import shutil
import sys
import textwrap
from argparse import Namespace
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TextIO

from trustlib.core.check import VERDICTS
from trustlib.core.errors import Refusal, did_you_mean
from trustlib.core.text import visible

_SIGNS = {"pass": "✓", "warn": "!", "fail": "✗", "not_run": "–"}


def run_(args: Namespace) -> int:
    """``trustlib run``."""
    from trustlib import report

    outcomes = report.run(
        params_files(args.paths),
        overrides=args.overrides,
        notebook=args.notebook,
        reports=args.reports,
        jobs=args.jobs,
        timeout=args.timeout,
        quiet=args.json,
        debug=args.debug,
    )
    for outcome in outcomes:
        if args.json:
            print(json.dumps(outcome.to_json(), ensure_ascii=False, allow_nan=False))
        else:
            _print_outcome(outcome)
    if len(outcomes) > 1 and not args.json:
        _print_tally(outcomes)
    return max((outcome.exit_code for outcome in outcomes), key=_severity, default=0)


def _severity(exit_code: int) -> int:
    """How bad an exit code is: no data and a refusal are milder than a report that broke."""
    return (0, 3, 2, 1).index(exit_code) if exit_code in (0, 1, 2, 3) else 9


def params_files(words: Iterable[str]) -> list[Path]:
    """The params files that `words` name: files, folders (searched whole) and globs, in order.

    Raises
    ------
    Refusal
        If a word names nothing, or one file is named as two reports.
    """
    found: dict[Path, None] = {}
    for word in words:
        path = Path(word)
        if path.is_dir():
            files = sorted([*path.rglob("*.yaml"), *path.rglob("*.yml")])
        elif any(sign in word for sign in "*?["):
            anchor = Path(path.anchor)
            files = sorted(anchor.glob(str(path.relative_to(anchor))))
        else:
            files = [path]
        if not files:
            raise Refusal(
                "no params file is there",
                where=word,
                next_step="trustlib new NOTEBOOK SLUG writes one",
            )
        found.update(dict.fromkeys(files))
    return list(found)


def _print_outcome(outcome) -> None:
    out = sys.stdout if outcome.exit_code == 0 else sys.stderr
    known = outcome.notebook and outcome.slug
    name = f"{outcome.notebook}/{outcome.slug}" if known else str(outcome.params)
    _say(f"\n{name}: {outcome.status.replace('_', ' ')}", out)
    if outcome.headline:
        _say(_headline(outcome.headline, wide=out.isatty()), out)
    # What needs a reader's eye stands on its own line; what passed is still all named.
    for verdict in VERDICTS:
        labels = [check["label"] for check in outcome.checks if check["verdict"] == verdict]
        if verdict == "pass" and labels:
            passed = f"{_SIGNS[verdict]} {len(labels)} pass: {', '.join(labels)}"
            _say(textwrap.fill(passed, 96, initial_indent="  ", subsequent_indent="    "), out)
            continue
        for label in labels:
            _say(f"  {_SIGNS[verdict]} {verdict.replace('_', ' ')}: {label}", out)
    if outcome.message:
        _say("\n".join(f"  {line}" for line in visible(outcome.message).splitlines()), out)
    if outcome.page:
        _say(f"  {outcome.page}", out)


def _say(text: str, out: TextIO) -> None:
    """Print names of files and columns, which may be anybody's, as no more than text."""
    print(visible(text), file=out)


def _headline(text: str, *, wide: bool) -> str:
    """Whole words on a terminal; one line where a program may read it."""
    if not wide:
        return f"  {text}"
    width = min(96, shutil.get_terminal_size().columns)
    return textwrap.fill(text, width, initial_indent="  ", subsequent_indent="  ")


def _print_tally(outcomes) -> None:
    """How many of many reports ended how: the refused ones may have scrolled away."""
    ends = Counter(outcome.status.replace("_", " ") for outcome in outcomes)
    print(f"\n{len(outcomes)} reports: {', '.join(f'{n} {end}' for end, n in ends.items())}")


def list_(args: Namespace) -> int:
    """``trustlib list``."""
    from trustlib import params
    from trustlib.report import gallery

    last = {row.place: row for row in gallery.rows(args.reports)}
    for notebook in params.notebooks():
        print(notebook)
        slugs = {path.stem for path in Path("params", notebook).glob("*.yaml")}
        slugs |= {place.split("/")[1] for place in last if place.startswith(f"{notebook}/")}
        for slug in sorted(slugs):
            row = last.get(f"{notebook}/{slug}")
            said = f"{row.ran_at}  {row.headline}" if row and row.ran_at else "no report yet"
            if row and row.attempt:
                said += f"  ({row.attempt[0]})"
            print(f"  {slug:<24} {said}")
    return 0


def params_(args: Namespace) -> int:
    """``trustlib params NOTEBOOK``."""
    from trustlib import params

    _known(args.notebook, params.notebooks())
    if args.schema:
        print(params.json_schema_text(args.notebook), end="")
        return 0
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"Parameters of {args.notebook}", title_justify="left", box=None)
    for heading, most in (("name", None), ("type", 16), ("default", 17), ("meaning", None)):
        # The meaning is what a person came for: it gets what the others do not need.
        table.add_column(heading, overflow="fold", no_wrap=heading == "name", max_width=most)
    for row in params.table(args.notebook):
        table.add_row(*(str(cell) for cell in row))
    # Markup off: a default such as [] is text, not a style.
    Console(markup=False, highlight=False).print(table)
    return 0


def new_(args: Namespace) -> int:
    """``trustlib new NOTEBOOK SLUG``."""
    from trustlib import params

    _known(args.notebook, params.notebooks())
    path = params.new(args.notebook, args.slug, args.params)
    print(f"{path}\n  edit it, then: trustlib run {path}")
    return 0


def verify_(args: Namespace) -> int:
    """``trustlib verify REPORT…``."""
    from trustlib import report

    findings = report.verify(args.paths)
    for finding in findings:
        print(finding, file=sys.stderr)
    if not findings:
        print("every byte is as its run left it")
    return 1 if findings else 0


def gallery_(args: Namespace) -> int:
    """``trustlib gallery``."""
    from trustlib.report import gallery

    print(gallery.write(args.reports))
    return 0


def sample_(args: Namespace) -> int:
    """``trustlib sample SOURCE``."""
    from trustlib.cli.sample import sample

    return sample(args)


def demo_(args: Namespace) -> int:
    """``trustlib demo``."""
    from trustlib import demo

    world = demo.build(size=args.size, seed=args.seed)
    for table, rows in world.rows.items():
        print(f"  {table:<14} {rows:>13,} rows")
    print(f"{world.path}  (size {world.size}, seed {world.seed})")
    return 0


def _known(notebook: str, names: Iterable[str]) -> None:
    names = list(names)
    if notebook not in names:
        raise Refusal(
            f"there is no notebook {notebook!r} with parameters of its own",
            nearest=did_you_mean(notebook, names),
            next_step="trustlib list",
        )
