"""Tables of counts with totals, and what someone who reads them all can work out.

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

FloatArray = npt.NDArray[np.float64]

# A cell or a total: the values it is about, each with its variable, in the variables' order.
Cell = tuple[tuple[str, str], ...]

_ROUNDING = 1e-6


@dataclass(frozen=True, kw_only=True, eq=False)
class CountTable:
    """Counts by one or two variables, with all totals.

    Attributes
    ----------
    variables
        One or two names. The same name in two tables is the same variable of the same people.
    values
        Their values' names, each of its own.
    counts
        (r + 1,) or (r + 1, c + 1): the last of each axis is the total. NaN where withheld.

    Raises
    ------
    ValueError
        If shapes differ, a count is not a whole number of 0 or more, or totals do not add up.
    """

    variables: tuple[str, ...]
    values: tuple[tuple[str, ...], ...]
    counts: FloatArray

    def __post_init__(self) -> None:
        counts = np.array(self.counts, dtype=np.float64)
        counts.setflags(write=False)
        object.__setattr__(self, "counts", counts)
        if not 1 <= len(self.variables) <= 2 or len(set(self.variables)) < len(self.variables):
            raise ValueError("CountTable: one or two variables, each with a name of its own")
        if len(self.values) != len(self.variables):
            raise ValueError("CountTable: each variable needs its values")
        if any(len(set(names)) < len(names) or not names for names in self.values):
            raise ValueError("CountTable: values need names, each of its own")
        shape = tuple(len(names) + 1 for names in self.values)
        if counts.shape != shape:
            raise ValueError(f"CountTable: counts have shape {counts.shape}, needed is {shape}")
        known = counts[~np.isnan(counts)]
        if (known < 0).any() or (known != np.floor(known)).any() or np.isinf(known).any():
            raise ValueError("CountTable: counts are whole numbers of 0 or more")
        for axis in range(counts.ndim):
            sums = np.take(counts, range(shape[axis] - 1), axis).sum(axis)
            gap = sums - np.take(counts, shape[axis] - 1, axis)
            if (np.abs(np.nan_to_num(gap)) > 0).any():
                raise ValueError("CountTable: cells do not add up to their totals")

    def cells(self) -> list[Cell]:
        """Every cell and total, in the order of `counts.ravel()`."""
        axes = [[*names, None] for names in self.values]
        return [
            tuple(
                sorted(
                    (variable, value)
                    for variable, value in zip(self.variables, at, strict=True)
                    if value is not None
                )
            )
            for at in product(*axes)
        ]


def count_table(
    counts: npt.ArrayLike, *, variables: tuple[str, ...], values: tuple[tuple[str, ...], ...]
) -> CountTable:
    """A table from its inner cells (r,) or (r, c); the totals are added."""
    full = np.asarray(counts, dtype=np.float64)
    for axis in range(full.ndim):
        full = np.concatenate([full, full.sum(axis, keepdims=True)], axis)
    return CountTable(variables=variables, values=values, counts=full)


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
    bounds = {
        cell: (known[cell], known[cell]) if cell in known else system.range_of(cell, known)[:2]
        for cell in system.cells
    }
    found = []
    for table in tables:
        ends = np.array([bounds[cell] for cell in table.cells()])
        low, high = (ends[:, end].reshape(table.counts.shape) for end in (0, 1))
        found.append(Bounds(low=low, high=high))
    return tuple(found)


def published(tables: Sequence[CountTable]) -> dict[Cell, float]:
    """The cells that are shown somewhere, with their counts."""
    known: dict[Cell, float] = {}
    for table in tables:
        for cell, count in zip(table.cells(), table.counts.ravel(), strict=True):
            if not math.isnan(count) and known.setdefault(cell, float(count)) != count:
                raise ValueError("attack: one cell has different counts in two tables")
    return known


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
        self, cell: Cell, known: dict[Cell, float]
    ) -> tuple[float, float, list[FloatArray]]:
        """Least and most of `cell`, and the cells' values (cells,) that reach them."""
        left, right = self.constraints(known)
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
