"""How good the lists are for those who put things right: clean-up and back-fill.

A list holds the suspects of its side that are not put right yet, without those that labels have
found to be in order. Precision: the wrong part of its rows. Recall: the part of all wrong cases of
that side, not put right yet, that is on it. The others of the affected table are what a list leaves
out; wrong cases that are not in the table at all are in neither number.

With A and B the wrong cases among suspects and others, precision is A over the rows (known), since
a row that was found to be in order is no longer on the list; recall is A/(A + B). Of each, the
share has a confidence distribution Beta(x + ½, m − x + ½) on the effective number of labels m; the
interval of recall are quantiles of A/(A + B) over both (melding: Fay, Proschan and Brittain 2015,
Biometrics 71). Coverage: tests/studies/postmortem_coverage.md.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from trustlib.core import Check, Estimate
from trustlib.core.format import exact
from trustlib.data.incident_records import AffectedRows, ListName, RestrictedList, Side
from trustlib.postmortem.amounts import METHOD, WrongTotal
from trustlib.postmortem.sides import SideCases, side_cases, why_not, with_totals
from trustlib.stats.horvitz_thompson import FloatArray
from trustlib.stats.melding import binomial_draws

RATIO = "wrong cases of both cells from weighted labels, melded"
DRAWS = 20_000
SIDE_OF: dict[ListName, Side] = {"clean-up": "over", "back-fill": "under"}


@dataclass(frozen=True, kw_only=True, eq=False)
class _Open:
    """What of one side is not put right: suspects and others; None where it cannot be told."""

    suspects: WrongTotal | None
    others: WrongTotal | None
    suspect_items: int
    other_items: int
    rows: int  # on the list
    labelled_wrong: int
    n: int
    why: str | None


def list_quality(
    rows: AffectedRows, lists: tuple[RestrictedList, ...], *, level: float
) -> tuple[dict[str, Estimate], tuple[Check, ...]]:
    """Precision and recall of what the author's criterion puts on each list.

    The estimates are about the criterion: they are there without a written list as well, and say
    so.

    Returns
    -------
    clean_up_precision, clean_up_recall, back_fill_precision, back_fill_recall; and the checks
    list_rows (the written files have as many rows as the tables say) and list_leftovers (how much
    is left out of the lists).
    """
    written = {one.name: one for one in lists}
    estimates: dict[str, Estimate] = {}
    found: dict[ListName, _Open] = {}
    for name, side in SIDE_OF.items():
        found[name] = _open(rows, side, level)
        note = [] if name in written else ["no list was written: of what would stand on it"]
        if not rows.has_resolved:
            note.append("nothing tells which cases are put right, so all count as open")
        key = name.replace("-", "_")
        estimates[f"{key}_precision"] = _noted(_precision(found[name], level), note)
        estimates[f"{key}_recall"] = _noted(_recall(found[name], level), note)
    return estimates, (_rows_check(found, written), _left_check(found))


def _open(rows: AffectedRows, side: Side, level: float) -> _Open:
    """The side's cases that are not put right, by suspicion."""
    whole = side_cases(rows, side)
    totals = whole.totals.assign(items=whole.totals["items"] - whole.totals["resolved"])
    labelled = whole.labelled[~whole.labelled["resolved"].astype(bool)]
    own = with_totals(totals.reset_index(), labelled, side)
    items = own.totals["items"]
    suspects, others = _part(own, True, level), _part(own, False, level)
    of_suspects = own.wrong[own.cell == 1]
    on_list = int(items.loc[True]) - int(len(of_suspects) - of_suspects.sum())
    return _Open(
        suspects=suspects,
        others=others,
        suspect_items=int(items.loc[True]),
        other_items=int(items.loc[False]),
        rows=max(0, on_list),
        labelled_wrong=int(of_suspects.sum()),
        n=own.n,
        why=why_not(rows, whole),
    )


def _part(own: SideCases, suspect: bool, level: float) -> WrongTotal | None:
    """Wrong cases of one cell; None without labels there. Known where it has no cases."""
    keep = own.labelled["suspect"].astype(bool) == suspect
    cells = own.totals.reset_index()
    cells = cells[cells["suspect"] == suspect]
    if int(cells["items"].sum()) and not keep.any():
        return None
    return with_totals(cells, own.labelled[keep], own.side).wrong_items(level=level)


def _precision(own: _Open, level: float) -> Estimate:
    unit = "share of the list"
    if own.why or not own.rows or own.suspects is None:
        why = own.why or ("no case would stand on it" if not own.rows else
                          "no suspect case that is not put right is labelled")  # fmt: skip
        return _absent(why, unit=unit, level=level, method=METHOD)
    ends = [min(1.0, x / own.rows) for x in
            (own.suspects.point, own.suspects.low, own.suspects.high)]  # fmt: skip
    return Estimate(point=ends[0], low=ends[1], high=ends[2], level=level, unit=unit,
                    method=METHOD, n=own.suspects.n)  # fmt: skip


def _recall(own: _Open, level: float) -> Estimate:
    """A/(A + B); others without labels may all be wrong, or none of them."""
    unit, a, b = "share of the wrong cases in the table", own.suspects, own.others
    if own.why or a is None:
        why = own.why or "no suspect case that is not put right is labelled"
        return _absent(why, unit=unit, level=level, method=RATIO)
    if not own.other_items:
        if not a.point:
            return _absent("no wrong case was seen", unit=unit, level=level, method=RATIO)
        return Estimate(point=1.0, low=1.0, high=1.0, level=level, unit=unit, method=RATIO,
                        n=own.n, note="every case of the table is a suspect")  # fmt: skip
    if b is None:
        return _absent("no label among the cases that the criterion leaves out", unit=unit,
                       level=level, method=RATIO)  # fmt: skip
    if a.point + b.point <= 0:
        return _absent("no wrong case was seen", unit=unit, level=level, method=RATIO)
    point = a.point / (a.point + b.point)
    random = np.random.default_rng(0)
    on = _draws(a, own.suspect_items, random)
    off = _draws(b, own.other_items, random)
    share = np.divide(on, on + off, out=np.full(DRAWS, point), where=on + off > 0)
    tail = (1 - level) / 2
    low, high = np.quantile(share, [tail, 1 - tail])
    return Estimate(point=point, low=min(float(low), point), high=max(float(high), point),
                    level=level, unit=unit, method=RATIO, n=own.n)  # fmt: skip


def _draws(found: WrongTotal, items: int, random: np.random.Generator) -> FloatArray:
    """(m,) of the wrong cases of a cell, within what its labels leave possible."""
    if math.isinf(found.effective_n) or not items:
        return np.full(DRAWS, found.point)
    share = found.point / items
    n = found.effective_n
    drawn = items * binomial_draws(share * n, n, draws=DRAWS, random=random).low
    return np.asarray(np.clip(drawn, found.floor, found.ceiling), dtype=np.float64)


def _absent(why: str, *, unit: str, level: float, method: str) -> Estimate:
    return Estimate(point=None, low=None, high=None, level=level, unit=unit, method=method, n=0,
                    note=f"not estimable: {why}")  # fmt: skip


def _noted(estimate: Estimate, notes: list[str]) -> Estimate:
    told = [note for note in (estimate.note, *notes) if note]
    return replace(estimate, note="; ".join(told) or None)


def _rows_check(found: dict[ListName, _Open], written: dict[ListName, RestrictedList]) -> Check:
    """Whether the files are those that the tables make."""
    name = "list_rows"
    if not written:
        return Check(name=name, verdict="not_run", label="no list written",
                     text="No list was written: precision and recall are of what the criterion "
                     "would put on one.")  # fmt: skip
    off = [
        f"{key}: {exact(one.rows)} rows, {exact(found[key].rows)} by the tables"
        for key, one in written.items()
        if one.rows != found[key].rows
    ]
    if not off:
        return Check(name=name, verdict="pass", label="lists hold what they should",
                     text="The files have as many rows as the tables say.")  # fmt: skip
    return Check(
        name=name, verdict="fail", label="lists are of other tables",
        text=f"{_capital('; '.join(off))}. Precision and recall are of the tables, not of these "
        "files: write the lists again.",
    )  # fmt: skip


def _left_check(found: dict[ListName, _Open]) -> Check:
    """What the criterion leaves out."""
    name = "list_leftovers"
    told = {key: one for key, one in found.items() if one.why is None and one.suspect_items}
    if not told:
        return Check(name=name, verdict="not_run", label="lists not estimable",
                     text="No side has labels: what lists leave out is unknown.")  # fmt: skip
    blind = [key for key, one in told.items() if one.other_items and one.others is None]
    if blind:
        return Check(
            name=name, verdict="warn", label="what lists leave out is unknown",
            text=f"No label among the cases that the {' and the '.join(blind)} list leaves out: "
            "recall is not estimable. Label some of them.",
        )  # fmt: skip
    alone = [key for key, one in told.items() if not one.other_items]
    text = (
        "Recall is against the wrong cases of the affected table that are not put right; cases "
        "outside that table are in no number."
    )
    if alone:
        return Check(
            name=name, verdict="warn", label="recall within the table only",
            text=f"Every open case of the table is a suspect, so the {' and the '.join(alone)} "
            f"list leaves none of them out. {text}",
        )  # fmt: skip
    return Check(name=name, verdict="pass", label="what lists leave out is labelled", text=text)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
