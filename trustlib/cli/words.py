"""The words of the command line."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import NoReturn

EPILOG = """\
exit codes of run: 0 complete, 1 the report failed, 2 refused (nothing overwritten), 3 no data;
with several files the worst one

first steps:
  trustlib demo                                     make the demo world
  trustlib run params/incident_sizing/example.yaml  run the example on it
  trustlib new incident_sizing my-incident          a commented file for your own incident
"""


class _Parser(argparse.ArgumentParser):
    """argparse, with a word on what was probably meant."""

    def error(self, message: str) -> NoReturn:
        from trustlib.core.errors import did_you_mean

        if "invalid choice: '" in message:
            word = message.split("invalid choice: '", 1)[1].split("'", 1)[0]
            near = did_you_mean(word, VERBS)
            message = f"there is no command {word!r}" + (f", did you mean {near}?" if near else "")
        self.exit(2, f"trustlib: {message}\n  next: {self.prog} --help\n")


VERBS = ("run", "list", "params", "new", "verify", "gallery", "sample", "demo")


def parser() -> argparse.ArgumentParser:
    """The parser for the whole command."""
    top = _Parser(
        prog="trustlib",
        description="A params file and a data source go in, a report that people can act on"
        " and check comes out.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    top.add_argument("--version", action="version", version=f"trustlib {_version()}")
    verbs = top.add_subparsers(dest="verb", metavar="COMMAND", required=True)

    def verb(name: str, summary: str) -> argparse.ArgumentParser:
        return verbs.add_parser(name, help=summary, description=summary, allow_abbrev=False)

    run = verb("run", "run one or many params files, each to a report")
    run.add_argument(
        "paths", nargs="+", metavar="PARAMS", help="a params file, a folder of them, or a glob"
    )
    run.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="name=value",
        dest="overrides",
        help="change one parameter for this run; may be repeated",
    )
    run.add_argument(
        "--notebook", help="the notebook to run, where the file's folder does not name it"
    )
    run.add_argument("--jobs", type=_positive, default=1, metavar="N", help="reports side by side")
    run.add_argument(
        "--timeout",
        type=_positive,
        default=900,
        metavar="SECONDS",
        help="give up on a report after this long (900)",
    )
    run.add_argument("--json", action="store_true", help="print one JSON object per report")
    run.add_argument(
        "--debug",
        action="store_true",
        help="print a failed cell's own error here (it may hold data values; it is kept nowhere)",
    )
    _reports(run)

    list_ = verb("list", "the notebooks, their params files and their last reports")
    _reports(list_)

    params = verb("params", "what a notebook can be asked: name, type, default, meaning")
    params.add_argument("notebook", metavar="NOTEBOOK")
    params.add_argument(
        "--schema", action="store_true", help="print the JSON Schema that editors complete from"
    )

    new = verb("new", "write a commented params file to edit")
    new.add_argument("notebook", metavar="NOTEBOOK")
    new.add_argument("slug", metavar="SLUG", help="the report's name: lower case, digits, dashes")
    new.add_argument(
        "--params", type=Path, default=Path("params"), metavar="DIR", help="where (params)"
    )

    verify = verb("verify", "check that a report is byte for byte what its run left")
    verify.add_argument(
        "paths", nargs="+", type=Path, metavar="REPORT", help="a report's folder, or one above it"
    )

    gallery = verb("gallery", "write reports/index.html again and print its path")
    _reports(gallery)

    _sample(verb("sample", "plan the next labelling round, and draw its items"))

    demo = verb("demo", "make the demo world that the examples run on")
    demo.add_argument(
        "--size",
        choices=("small", "medium", "large"),
        default="small",
        help="small: seconds; medium: 1 million views; large: 100 million",
    )
    demo.add_argument("--seed", type=int, default=0, help="the same seed gives the same world (0)")
    return top


def _sample(sample: argparse.ArgumentParser) -> None:
    sample.add_argument(
        "source",
        metavar="SOURCE",
        help="scored items, one per row: .csv, .parquet, .sql or a table",
    )
    sample.add_argument(
        "--votes", type=_positive, required=True, metavar="N", help="votes that raters can give"
    )
    sample.add_argument(
        "--out", type=Path, metavar="FILE", help="draw the items and write the worklist (CSV)"
    )
    sample.add_argument(
        "--ids", type=Path, metavar="FILE", help="write which item each key of the worklist is"
    )
    sample.add_argument(
        "--key",
        default="TRUSTLIB_SAMPLE_KEY",
        metavar="VARIABLE",
        help="the environment variable with the key for ids (TRUSTLIB_SAMPLE_KEY)",
    )
    sample.add_argument(
        "--of",
        choices=("items", "views"),
        default="items",
        help="the prevalence is to be a share of items, or of views (items)",
    )
    sample.add_argument(
        "--prevalence",
        type=_share,
        metavar="SHARE",
        help="expected in all (0.003): scores are scaled to it, else taken as probabilities",
    )
    sample.add_argument(
        "--cuts", type=_score, nargs="+", metavar="SCORE", help="where score strata end"
    )
    sample.add_argument("--overlap", type=_overlap, default=0.1, help="part rated twice (0.1)")
    sample.add_argument("--floor", type=_floor, default=30, help="least labels per stratum (30)")
    sample.add_argument("--level", type=_share, default=0.95, help="of the interval (0.95)")
    sample.add_argument("--seed", type=int, default=0, help="another seed draws other items (0)")
    sample.add_argument("--connection", metavar="VARIABLE", help="variable that holds a URL")
    for name, otherwise in (("item", "item_id"), ("score", "score"), ("views", None)):
        sample.add_argument(
            f"--{name}-column",
            default=otherwise,
            metavar="NAME",
            help=f"the column with the {name} ({otherwise or 'with --of views: views'})",
        )


def _share(word: str, *, none: bool = False) -> float:
    try:
        number = float(word)
    except ValueError:
        number = -1.0
    if not (0 < number < 1 or (none and number == 0)):
        raise argparse.ArgumentTypeError("a share between 0 and 1 is needed")
    return number


def _overlap(word: str) -> float:
    return _share(word, none=True)


def _score(word: str) -> float:
    try:
        number = float(word)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise argparse.ArgumentTypeError("a number is needed")
    return number


def _floor(word: str) -> int:
    if _positive(word) < 2:
        raise argparse.ArgumentTypeError("2 or more are needed: one label shows no spread")
    return int(word)


def _reports(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--reports", type=Path, default=Path("reports"), metavar="DIR", help="where (reports)"
    )


def _positive(word: str) -> int:
    try:
        number = int(word)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError("a whole number from 1 up is needed")
    return number


def _version() -> str:
    from trustlib import __version__

    return __version__
