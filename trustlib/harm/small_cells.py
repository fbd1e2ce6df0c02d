"""Counts that may be shown: small cells withheld, with what would give them away.

A cell or total below `smallest` is withheld. Since rows and columns add up, others are withheld
with it until `attack` leaves every withheld cell a range at least `smallest` wide, so that nobody
can tell from the published numbers that it is small, let alone how small. Which others: the
cheapest flow of people along rows and columns that would move the cell far enough, a linear
program whose costs are the counts that it would hide (Cox 1995, JASA 90; Fischetti and Salazar
2000, JASA 95). What turns out not to be needed is shown again. Zero counts as small.

The result does not depend on the order of tables, rows or columns. It ends with the attack
itself, on the very tables that are handed back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_matrix, hstack, identity, vstack

from trustlib.core import Check
from trustlib.core.format import plural
from trustlib.harm.cell_attack import System, attack
from trustlib.harm.count_tables import Cell, CountTable, FloatArray, published

SMALLEST_CELL = 11

__all__ = ["SMALLEST_CELL", "SafeTables", "attack", "open_cells", "safe_tables"]


# Linear programs spent on showing again what need not be withheld: a few seconds. Tables with many
# values are safe without, they only withhold somewhat more.
PROGRAMS = 300


@dataclass(frozen=True, kw_only=True, eq=False)
class SafeTables:
    """Tables that may be published.

    Attributes
    ----------
    tables
        As given, with NaN where a count is withheld.
    small, others
        Cells and totals withheld because they are small, and because they would give those away;
        a cell that stands in two tables counts once.
    check
        What the attack on the published numbers recovers.
    """

    tables: tuple[CountTable, ...]
    small: int
    others: int
    check: Check


def safe_tables(
    tables: CountTable | Sequence[CountTable], *, smallest: int = SMALLEST_CELL
) -> SafeTables:
    """Withhold what is below `smallest` and what would reveal it.

    Parameters
    ----------
    tables
        About the same people, nothing withheld yet. Tables about other people (a subset, a later
        window) are made safe apart, and only where they cannot be subtracted from these.

    Raises
    ------
    ValueError
        If a count is missing, or the same cell has different counts in two tables.
    """
    tables = (tables,) if isinstance(tables, CountTable) else tuple(tables)
    if any(np.isnan(table.counts).any() for table in tables):
        raise ValueError("safe_tables: the tables already have withheld counts")
    truth = published(tables)
    small = {cell for cell, n in truth.items() if n < smallest}
    hidden = _Search(tables, truth, smallest).withheld(small) if small else set()
    shown = tuple(_without(table, hidden) for table in tables)
    left = open_cells(shown, smallest=smallest)
    if left:  # cannot happen while search and attack agree: then nothing is shown
        shown, hidden = tuple(_without(table, set(truth)) for table in tables), set(truth)
    return SafeTables(
        tables=shown,
        small=len(small),
        others=len(hidden) - len(small),
        check=_check(len(small), len(hidden) - len(small), len(truth), smallest, () in hidden),
    )


def open_cells(tables: Sequence[CountTable], *, smallest: int = SMALLEST_CELL) -> int:
    """Withheld cells that the published numbers pin to fewer than `smallest` + 1 values."""
    known, narrow = published(tables), set()
    for table, bounds in zip(tables, attack(tables), strict=True):
        width = (bounds.high - bounds.low).ravel()
        pairs = zip(table.cells(), width, strict=True)
        narrow |= {cell for cell, room in pairs if cell not in known and room < smallest}
    return len(narrow)


class _Search:
    """Which cells to withhold. Points that fit the published numbers are kept as witnesses."""

    def __init__(
        self, tables: Sequence[CountTable], truth: dict[Cell, float], smallest: int
    ) -> None:
        self._system = System(tables)
        self._truth = truth
        self._smallest = smallest
        self._values = np.array([truth[cell] for cell in self._system.cells])
        self._witnesses: list[FloatArray] = [self._values]
        self._programs = 0

    def withheld(self, small: set[Cell]) -> set[Cell]:
        hidden = set(small)
        order = sorted(hidden, key=lambda cell: (-self._truth[cell], cell))
        while (weak := self._first_open(hidden, order)) is not None:
            more = self._complement(weak, hidden)
            hidden |= more
            order = [*order, *sorted(more)]
        return self._shown_again(hidden, small)

    def _first_open(self, hidden: set[Cell], order: Sequence[Cell]) -> Cell | None:
        """The first withheld cell whose range is too narrow."""
        at = np.array([cell not in hidden for cell in self._system.cells])
        fitting = [w for w in self._witnesses if np.abs(w - self._values)[at].max(initial=0) < 1e-6]
        said = self._system.constraints(
            {cell: n for cell, n in self._truth.items() if cell not in hidden}
        )
        for cell in order:
            where = self._system.position[cell]
            reach = [w[where] for w in fitting]
            if max(reach) - min(reach) >= self._smallest - 1e-6:
                continue
            low, high, reached = self._system.range_of(cell, said)
            self._programs += 1
            fitting += reached
            self._witnesses += reached
            if high - low < self._smallest:
                return cell
        return None

    def _complement(self, weak: Cell, hidden: set[Cell]) -> set[Cell]:
        """Shown cells to withhold, so that `weak` can be `smallest` above its least."""
        count = self._truth[weak]
        down = min(count, self._smallest)
        more: set[Cell] = set()
        for target in (count - down, count - down + self._smallest):
            if target != count:
                more |= self._flow(weak, target, hidden | more)
        if not more:  # both ends can be reached, though not the room between whole numbers
            rest = sorted(set(self._truth) - hidden, key=lambda cell: (self._truth[cell], cell))
            more = set(rest[:1])
        return more

    def _flow(self, weak: Cell, target: float, hidden: set[Cell]) -> set[Cell]:
        """Shown cells that change when `weak` is `target` and as little as possible is moved."""
        system, cells = self._system, self._system.cells
        unknowns, m = system.sums.shape[1], len(cells)
        shown = [at for at, cell in enumerate(cells) if cell not in hidden]
        # Slightly dearer down the alphabet: one answer, whatever the order of the rows.
        # The grand total stands elsewhere on most pages: it goes last.
        dear = np.array([1.0 if cells[at] else 1e3 for at in shown])
        price = dear * np.array([self._truth[cells[at]] + 1 + at / (1e4 * m) for at in shown])
        eye = identity(len(shown), format="csr")
        none = csr_matrix((system.ties.shape[0], 2 * len(shown)))
        goal = hstack([system.sums[[system.position[weak]]], csr_matrix((1, 2 * len(shown)))])
        left = vstack(
            [
                hstack([system.sums[shown], -eye, eye]),
                hstack([system.ties, none]),
                goal,
            ],
            format="csr",
        )
        right = np.concatenate([self._values[shown], np.zeros(none.shape[0]), [target]])
        cost = np.concatenate([np.zeros(unknowns), price, price])
        found = linprog(cost, A_eq=left, b_eq=right, bounds=(0, None), method="highs-ds")
        moved = found.x[unknowns : unknowns + len(shown)] + found.x[unknowns + len(shown) :]
        self._witnesses.append(system.sums @ found.x[:unknowns])
        return {cells[at] for at, far in zip(shown, moved, strict=True) if far > 1e-6}

    def _shown_again(self, hidden: set[Cell], small: set[Cell]) -> set[Cell]:
        """Without what is not needed, the largest counts first, as far as `PROGRAMS` reach."""
        last = self._programs + PROGRAMS
        for cell in sorted(hidden - small, key=lambda cell: (-self._truth[cell], cell)):
            if self._programs > last:
                break
            fewer = hidden - {cell}
            if self._first_open(fewer, sorted(fewer)) is None:
                hidden = fewer
        return hidden


def _without(table: CountTable, hidden: set[Cell]) -> CountTable:
    keep = np.array([cell not in hidden for cell in table.cells()])
    counts = np.where(keep.reshape(table.counts.shape), table.counts, np.nan)
    return replace(table, counts=counts)


def _check(small: int, others: int, cells: int, smallest: int, total: bool) -> Check:
    if not small:
        return Check(name="small_cells", verdict="pass", label="no small counts",
                     text=f"No count that is shown is below {smallest}.")  # fmt: skip
    told = (
        f"{plural(small, 'count')} below {smallest} and {plural(others, 'other')} that would give "
        f"them away are withheld, of {cells:,}; a linear-programming attack on all that is shown "
        f"leaves each of them a range at least {smallest} wide."
    )
    label = "nothing left to show" if small + others == cells else "small counts withheld"
    if total:
        return Check(name="small_cells", verdict="warn", label=label,
                     text=f"{told} The grand total is one of them: it must not be shown elsewhere "
                     "either.")  # fmt: skip
    return Check(name="small_cells", verdict="pass", label=label, text=told)
