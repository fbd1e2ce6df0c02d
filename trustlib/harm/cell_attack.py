"""What someone who reads all published tables can work out about a withheld count.

Every table publishes its cells and all its totals. Tables about the same people may share
variables (market by surface, market by age), and then share totals. A reader knows that counts
are whole numbers of 0 or more and that cells add up; `attack` finds the least and the most that
each withheld cell can be, by linear programming over all published numbers at once.

The unknowns are the cells of each table, with the totals that two tables share set equal. That is
all there is to know where the tables' variables form a tree (no cycle such as AB, BC, CA); with a
cycle the unknowns are the cells of the joint table of all variables (Dobra and Fienberg 2000,
PNAS 97; Fischetti and Salazar 2000, JASA 95 for the attack).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, combinations, product

import numpy as np
import numpy.typing as npt
from scipy.optimize import linprog
from scipy.sparse import coo_matrix, csr_matrix, vstack

from trustlib.harm.count_tables import Cell, CountTable, FloatArray, published

_ROUNDING = 1e-6


@dataclass(frozen=True, kw_only=True, eq=False)
class Bounds:
    """The least and the most that each cell of a table can be, in the shape of its counts.

    A published cell is its own bound; `high` is infinite where nothing published limits it.
    """

    low: FloatArray
    high: FloatArray


def attack(tables: CountTable | Sequence[CountTable]) -> tuple[Bounds, ...]:
    """What the published numbers of all `tables` together say of every withheld cell.

    Raises
    ------
    ValueError
        If the same cell has different counts in two tables.
    """
    tables = (tables,) if isinstance(tables, CountTable) else tuple(tables)
    system = System(tables)
    known = published(tables)
    said = system.constraints(known)
    bounds = {
        cell: (known[cell], known[cell]) if cell in known else system.range_of(cell, said)[:2]
        for cell in system.cells
    }
    found = []
    for table in tables:
        ends = np.array([bounds[cell] for cell in table.cells()])
        low, high = (ends[:, end].reshape(table.counts.shape) for end in (0, 1))
        found.append(Bounds(low=low, high=high))
    return tuple(found)


class System:
    """Cells of several tables as sums of unknowns ≥ 0, and what ties the unknowns together.

    Attributes
    ----------
    cells
        All cells and totals, each once, in alphabetical order.
    sums
        (cells, unknowns) of 0 and 1.
    ties
        (ties, unknowns): each row times the unknowns is 0.
    """

    def __init__(self, tables: Sequence[CountTable]) -> None:
        names: dict[str, tuple[str, ...]] = {}
        for table in tables:
            for variable, values in zip(table.variables, table.values, strict=True):
                if set(names.setdefault(variable, tuple(sorted(values)))) != set(values):
                    raise ValueError("tables that share a variable need the same values of it")
        blocks = _blocks({frozenset(table.variables) for table in tables})
        self._unknowns = [_Block(block, names) for block in blocks]
        self._offsets = np.cumsum([0] + [block.size for block in self._unknowns])
        self.cells: list[Cell] = sorted(set(chain.from_iterable(t.cells() for t in tables)))
        self.sums: csr_matrix = vstack([self._row(cell) for cell in self.cells], format="csr")
        self.position = {cell: at for at, cell in enumerate(self.cells)}
        rows = list(self._tie_rows(names))
        self.ties = vstack(rows, format="csr") if rows else csr_matrix((0, self._offsets[-1]))

    def _row(self, cell: Cell, block: int | None = None) -> csr_matrix:
        """The sum that `cell` is, in the first block that knows its variables."""
        variables = {variable for variable, _ in cell}
        if block is None:
            block = next(
                at for at, one in enumerate(self._unknowns) if variables <= set(one.variables)
            )
        inside = self._unknowns[block].inside(cell) + self._offsets[block]
        zero = np.zeros(len(inside), dtype=int)
        return coo_matrix(
            (np.ones(len(inside)), (zero, inside)), shape=(1, int(self._offsets[-1]))
        ).tocsr()

    def _tie_rows(self, names: dict[str, tuple[str, ...]]):
        for one, other in combinations(range(len(self._unknowns)), 2):
            shared = sorted(
                set(self._unknowns[one].variables) & set(self._unknowns[other].variables)
            )
            for at in product(*(names[variable] for variable in shared)):
                cell = tuple(zip(shared, at, strict=True))
                yield self._row(cell, one) - self._row(cell, other)

    def constraints(self, known: dict[Cell, float]) -> tuple[csr_matrix, FloatArray]:
        """Left and right side of what `known` says of the unknowns."""
        shown = [self.position[cell] for cell in self.cells if cell in known]
        right = np.array([known[self.cells[at]] for at in shown])
        return (
            vstack([self.sums[shown], self.ties], format="csr"),
            np.concatenate([right, np.zeros(self.ties.shape[0])]),
        )

    def range_of(
        self, cell: Cell, said: tuple[csr_matrix, FloatArray]
    ) -> tuple[float, float, list[FloatArray]]:
        """Least and most of `cell`, and the cells' values (cells,) that reach them.

        `said` is what `constraints` gives.
        """
        left, right = said
        goal = self.sums[[self.position[cell]]].toarray()[0]
        ends, reached = [0.0, math.inf], []
        for end, sign in ((0, 1.0), (1, -1.0)):
            # Where the most is not limited, the solver says so by its status.
            found = linprog(sign * goal, A_eq=left, b_eq=right, bounds=(0, None), method="highs")
            if found.status == 0:
                ends[end] = sign * found.fun
                reached.append(self.sums @ found.x)
            elif found.status not in (3, 4) or sign > 0:
                raise ValueError(f"attack: the published counts do not add up ({found.message})")
        return (
            max(0.0, math.ceil(ends[0] - _ROUNDING)),
            math.floor(ends[1] + _ROUNDING) if math.isfinite(ends[1]) else math.inf,
            reached,
        )


class _Block:
    """The unknowns of one table, or of the joint table of a cycle of tables."""

    def __init__(self, variables: frozenset[str], names: dict[str, tuple[str, ...]]) -> None:
        self.variables = tuple(sorted(variables))
        self._names = {variable: names[variable] for variable in self.variables}
        shape = tuple(len(values) for values in self._names.values())
        self._positions = np.arange(math.prod(shape)).reshape(shape)
        self.size = self._positions.size

    def inside(self, cell: Cell) -> npt.NDArray[np.int64]:
        """Positions of the unknowns that `cell` adds up."""
        where = dict(cell)
        at = tuple(
            values.index(where[variable]) if variable in where else slice(None)
            for variable, values in self._names.items()
        )
        return np.ravel(self._positions[at])


def _blocks(tables: set[frozenset[str]]) -> list[frozenset[str]]:
    """The largest sets of variables; all in one where they form a cycle (Graham's reduction)."""
    largest = [one for one in tables if not any(one < other for other in tables)]
    left = sorted((set(one) for one in largest), key=sorted)
    while True:
        size = sum(map(len, left))
        for one in left:
            one -= {v for v in one if sum(v in other for other in left) == 1}
        left = [
            one
            for at, one in enumerate(left)
            if one and not any(one < o or (one == o and at > k) for k, o in enumerate(left))
        ]
        if not left:
            return sorted(largest, key=sorted)
        if sum(map(len, left)) == size:
            return [frozenset().union(*largest)]
