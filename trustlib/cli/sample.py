"""``trustlib sample``: the next labelling round, from a file of scored items to a worklist."""

from __future__ import annotations

import os
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from trustlib.core.errors import Refusal, RunFailed
from trustlib.core.text import visible

if TYPE_CHECKING:
    import pandas as pd

    from trustlib.harm.allocation import Strata
    from trustlib.harm.labelling_round import LabellingPlan

KEY = "TRUSTLIB_SAMPLE_KEY"
FEW_POSITIVES = 10
BESIDE = (0.5, 1.0, 2.0, 4.0)  # of the votes that were asked for


def sample(args: Namespace) -> int:
    """Print the plan and what other budgets would bring; with --out, draw and write the worklist.

    Raises
    ------
    Refusal
        The key is not set, a file to write is there already, or the source does not fit.
    """
    from trustlib.data.scored_items import ScoredItemsQuery, read_scored_items
    from trustlib.harm.labelling_round import plan, strata_by_score
    from trustlib.harm.worklist import draw

    if args.cuts and sorted(set(args.cuts)) != args.cuts:
        raise Refusal(
            "the cuts do not rise", where="--cuts", next_step="give each once, lowest first"
        )
    key = _key(args) if args.out or args.ids else b""
    files = [path for path in (args.out, args.ids) if path]
    _writable(files)
    views = args.views_column or ("views" if args.of == "views" else None)
    items = read_scored_items(
        ScoredItemsQuery(
            source=args.source,
            connection=args.connection,
            item_column=args.item_column,
            score_column=args.score_column,
            views_column=views,
        )
    )
    codes, names = strata_by_score(items["score"], cuts=args.cuts)
    strata = _strata(items, codes, names, args)
    asked = {"of": args.of, "overlap": args.overlap, "floor": args.floor, "level": args.level}
    made = plan(strata, votes=args.votes, **asked)
    worklist = None
    if files:
        worklist = draw(items.assign(stratum=codes), made, key=key, seed=args.seed)
    _print_plan(made)
    _print_budgets(
        _budgets(strata, args.votes, asked), args, few=made.expected.positives < FEW_POSITIVES
    )
    if worklist is None:
        print("\nnothing was drawn; --out FILE draws these items and writes the worklist")
        return 0
    if args.out:
        _write(args.out, worklist.exported)
        print(f"\n{visible(str(args.out))}  ({len(worklist.rows):,} items, for its owner alone)")
    if args.ids:
        _write(args.ids, _ids(items, worklist.rows["item_key"], key))
        print(f"{visible(str(args.ids))}  (which item each key is: keep it from the raters)")
    return 0


def _key(args: Namespace) -> bytes:
    key = os.environ.get(args.key, "")
    if not key:
        raise Refusal(
            "the environment variable with the key for ids is not set",
            where=f"--key {args.key}",
            next_step=f"export {args.key}=$(python -c 'import secrets; "
            "print(secrets.token_hex(32))'), and keep it: the same key makes the same ids",
        )
    from trustlib.harm.keyed import checked

    return checked(key.encode())


def _writable(files: list[Path]) -> None:
    """Refuse before the slow part what could not be written after it."""
    for path in files:
        if path.exists() or path.is_symlink():
            raise Refusal(
                "a file of that name is there, and nothing is overwritten",
                where=str(path),
                next_step="name another file, or move that one",
            )
        if not path.parent.is_dir():
            raise Refusal("the folder to write to does not exist", where=str(path),
                          next_step="make it first")  # fmt: skip
    if len(set(files)) < len(files):
        raise Refusal("--out and --ids name the same file", next_step="name two files")


def _strata(items: pd.DataFrame, codes: object, names: tuple[str, ...], args: Namespace) -> Strata:
    """The strata, with their mean scores scaled to --prevalence where that is given."""
    import numpy as np

    from trustlib.harm.allocation import strata_from_frame
    from trustlib.harm.labelling_round import strata_frame

    frame = strata_frame(items, codes=codes, names=names)  # type: ignore[arg-type]
    if args.prevalence is None:
        return strata_from_frame(frame)
    score = frame["score_mean"].to_numpy()
    mean = float(np.average(score, weights=frame[args.of].to_numpy()))
    if not mean > 0 or (score < 0).any():
        raise Refusal(
            "scores are not above 0, so that they cannot be scaled to a prevalence",
            where="--prevalence",
            next_step="give scores of 0 or more",
        )
    return strata_from_frame(
        frame.assign(score_mean=np.minimum(1.0, score * args.prevalence / mean))
    )


def _budgets(strata: Strata, votes: int, asked: dict[str, object]) -> pd.DataFrame:
    """The budgets beside the one asked for, those left out that floors or items do not allow."""
    import pandas as pd

    from trustlib.harm.labelling_round import budgets

    found = []
    for times in BESIDE:
        try:
            found.append(budgets(strata, [round(votes * times)], **asked))  # type: ignore[arg-type]
        except Refusal:
            continue
    return pd.concat(found, ignore_index=True)


def _print_plan(plan: LabellingPlan) -> None:
    from trustlib.core.format import count, percent

    rows = [
        (
            row["stratum"],
            f"{row['items']:,}",
            percent(row["expected_prevalence"]),
            f"{row['labels']:,}",
            f"{row['double_rated']:,}",
            count(row["expected_positives"]),
        )
        for row in plan.table.to_dict("records")
    ]
    heads = ("stratum", "items", "expected", "labels", "rated twice", "positives")
    _print_table(heads, rows)


def _print_budgets(table: pd.DataFrame, args: Namespace, *, few: bool) -> None:
    from trustlib.core.format import count, level, percent

    print(
        f"\nexpected {level(args.level)} interval of the prevalence in {args.of}, by votes "
        f"({percent(args.overlap)} of items rated twice)"
    )
    rows = [
        (("> " if row['votes'] == args.votes else "  ") + f"{row['votes']:,}", f"{row['labels']:,}",
         count(row['expected_positives']), percent(row['share']),
         f"{percent(row['low'])} to {percent(row['high'])}",
         f"{row['width'] / row['simple_random_width']:.2f}")
        for row in table.to_dict("records")
    ]  # fmt: skip
    heads = ("  votes", "labels", "positives", "share", "interval", "width vs unstratified")
    _print_table(heads, rows)
    if few:
        print(f"  ! fewer than {FEW_POSITIVES} positive labels are expected: a wide interval")
    print("  the intervals hold as far as the expected shares do, and these come from the scores")


def _print_table(heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    table = [heads, *rows]
    wide = [max(len(row[at]) for row in table) for at in range(len(heads))]
    for row in table:
        first = row[0].ljust(wide[0])
        print(
            "  ".join([first, *(cell.rjust(w) for cell, w in zip(row[1:], wide[1:], strict=True))])
        )


def _ids(items: pd.DataFrame, keys: pd.Series, key: bytes) -> pd.DataFrame:
    """item_key and item_id of the drawn items, in the worklist's order."""
    import pandas as pd

    from trustlib.harm.keyed import item_ids, keyed_ids

    all_keys = keyed_ids(item_ids(items["item_id"]), key=key)
    known = pd.Series(items["item_id"].to_numpy(), index=all_keys)
    return pd.DataFrame({"item_key": keys, "item_id": known.loc[keys].to_numpy()})


def _write(path: Path, frame: pd.DataFrame) -> None:
    """A CSV file that only its owner may read, made new."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            frame.to_csv(file, index=False, lineterminator="\n")
    except OSError as error:
        raise RunFailed(f"the file cannot be written: {error.strerror}", where=str(path)) from None
