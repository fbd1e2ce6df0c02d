"""Small cells: the attack against enumeration, and tables that it recovers nothing from."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trustlib.harm.count_tables import CountTable, count_table, count_table_of, long_frame
from trustlib.harm.small_cells import attack, open_cells, safe_tables

BOUNDED = settings(max_examples=20, deadline=None, derandomize=True, database=None)


def table(counts, variables="ab"):
    counts = np.asarray(counts)
    values = tuple(
        tuple(f"{name}{at:02}" for at in range(n))
        for name, n in zip(variables, counts.shape, strict=False)
    )
    return count_table(counts, variables=tuple(variables[: counts.ndim]), values=values)


def withheld(made, *cells):
    counts = np.array(made.counts)
    for cell in cells:
        counts[cell] = np.nan
    return CountTable(variables=made.variables, values=made.values, counts=counts)


def enumerated(made):
    """Least and most of every cell over all 2 × 3 tables of the grand total with what is shown."""
    total = int(made.counts[-1, -1])
    bars = np.array(list(combinations(range(total + 5), 5)))
    edges = np.pad(bars, ((0, 0), (1, 1)), constant_values=((0, 0), (-1, total + 5)))
    full = (np.diff(edges, axis=1) - 1).reshape(-1, 2, 3)
    full = np.concatenate([full, full.sum(1, keepdims=True)], 1)
    full = np.concatenate([full, full.sum(2, keepdims=True)], 2)
    shown = ~np.isnan(made.counts)
    fits = (full[:, shown] == made.counts[shown]).all(axis=1)
    return full[fits].min(axis=0), full[fits].max(axis=0)


def test_totals_are_added_and_checked():
    made = table([[1, 2], [3, 4]])
    assert made.counts.tolist() == [[1, 2, 3], [3, 4, 7], [4, 6, 10]]
    assert made.cells()[1] == (("a", "a00"), ("b", "b01"))
    assert made.cells()[-1] == ()
    wrong = [[1, 2, 3], [3, 4, 8], [4, 6, 10]]
    with pytest.raises(ValueError, match="do not add up"):
        CountTable(variables=("a", "b"), values=made.values, counts=wrong)
    with pytest.raises(ValueError, match="whole numbers"):
        table([1.5, 2])
    with pytest.raises(ValueError, match="needed is"):
        CountTable(variables=("a",), values=(("x", "y"),), counts=[1, 2])


def test_one_withheld_cell_is_recovered_and_two_are_bounded():
    made = table([3, 15, 200])
    (found,) = attack(withheld(made, 0))
    assert (found.low[0], found.high[0]) == (3, 3)
    (found,) = attack(withheld(made, 0, 1))
    assert found.low.tolist() == [0, 0, 200, 218]
    assert found.high.tolist() == [18, 18, 200, 218]
    (found,) = attack(withheld(made, 0, 1, 3))
    assert found.low.tolist() == [0, 0, 200, 200]
    assert math.isinf(found.high[0])
    assert open_cells((withheld(made, 0),)) == 1
    assert open_cells((withheld(made, 0, 1),)) == 0


@BOUNDED
@given(
    st.lists(st.integers(0, 2), min_size=6, max_size=6),
    st.lists(st.booleans(), min_size=11, max_size=11),
)
def test_the_attack_is_exact_on_small_tables(values, hide):
    made = table(np.array(values).reshape(2, 3))
    cells = list(np.ndindex(3, 4))[:-1]  # the grand total is shown: ranges are finite
    made = withheld(made, *[cell for cell, gone in zip(cells, hide, strict=True) if gone])
    (found,) = attack(made)
    low, high = enumerated(made)
    assert (found.low == low).all()
    assert (found.high == high).all()


def test_a_total_in_another_table_is_used():
    first = withheld(table([[5, 40], [30, 50]]), (0, 0), (0, 1), (1, 0), (1, 1))
    first = withheld(first, (0, 2), (1, 2))
    alone = attack(first)[0]
    assert alone.high[0, 0] == 35
    rows = count_table([45, 80], variables=("a",), values=(first.values[0],))
    assert attack([first, rows])[0].low[0, 2] == 45
    third = count_table([[6, 39], [0, 80]], variables=("a", "c"),
                        values=(first.values[0], ("x", "y")))  # fmt: skip
    assert attack([first, third])[0].low[0, 2] == 45
    fourth = count_table([[6, 39], [50, 30]], variables=("a", "c"), values=third.values)
    hidden = withheld(fourth, (0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2))
    assert attack(hidden)[0].high[0, 0] == 56
    shown = table([[5, 40], [30, 50]])
    assert attack([shown, hidden])[1].high[0, 0] == 45  # the row's total in the other table
    other = count_table([45, 81], variables=("a",), values=(first.values[0],))
    with pytest.raises(ValueError, match="different counts"):
        attack([first, other])


def test_a_cycle_of_tables_is_attacked_through_the_joint_table():
    # AB and BC say that a = c; then AC's withheld diagonal is known, which pairs of tables hide.
    names = {"a": ("a0", "a1"), "b": ("b0", "b1"), "c": ("c0", "c1")}

    def pair(one, other, counts):
        return count_table(counts, variables=(one, other), values=(names[one], names[other]))

    ab, bc = pair("a", "b", [[20, 0], [0, 30]]), pair("b", "c", [[20, 0], [0, 30]])
    ac = withheld(pair("a", "c", [[20, 0], [0, 30]]), (0, 0), (0, 1), (1, 0), (1, 1))
    assert attack([ac])[0].high[0, 1] == 20
    found = attack([ab, bc, ac])[2]
    assert (found.low == found.high).all()
    assert found.high[0, 1] == 0


@pytest.mark.parametrize(
    ("counts", "shown"),
    [
        ([100, 200], [100, 200, 300]),
        ([3, 15, 200], [None, None, 200, 218]),
        ([3, 4, 100, 300], [None, None, None, 300, 407]),
        ([3, 9, 300], [None, None, 300, 312]),
        ([5, 6], [None, None, 11]),
        ([5, 5], [None, None, None]),
        ([0, 0, 50], [None, None, None, 50]),
        ([3], [None, None]),
        ([0, 0], [None, None, None]),
        ([50], [50, 50]),
    ],
)
def test_one_way_tables_by_hand(counts, shown):
    found = safe_tables(table(counts))
    expected = np.array([np.nan if n is None else n for n in shown], dtype=float)
    assert np.array_equal(found.tables[0].counts, expected, equal_nan=True)
    assert found.check.verdict == ("warn" if shown[-1] is None else "pass")


def test_the_least_is_lost():
    # One small cell: the cheapest rectangle through it has the corner 12 + 13 + 14.
    counts = [[4, 12, 500], [13, 14, 600], [700, 800, 900]]
    found = safe_tables(table(counts)).tables[0].counts
    assert np.argwhere(np.isnan(found)).tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]


def counts_of(shape):
    size = st.one_of(st.integers(0, 12), st.integers(0, 80))
    n = math.prod(shape)
    return st.lists(size, min_size=n, max_size=n).map(lambda flat: np.reshape(flat, shape))


@BOUNDED
@given(st.tuples(st.integers(1, 5), st.integers(1, 5)).flatmap(counts_of))
def test_nothing_can_be_worked_back_from_a_two_way_table(counts):
    made = table(counts)
    found = safe_tables(made)
    (bounds,) = attack(found.tables)
    shown = found.tables[0].counts
    gone = np.isnan(shown)
    assert ((made.counts < 11) <= gone).all()
    assert (shown[~gone] == made.counts[~gone]).all()
    assert (bounds.high - bounds.low)[gone].min(initial=np.inf) >= 11
    assert (bounds.high[gone] >= 11).all()
    assert (bounds.low[gone] <= made.counts[gone]).all()
    assert found.small + found.others == gone.sum()


@settings(parent=BOUNDED, max_examples=6)
@given(counts_of((3, 3, 2)))
def test_nor_from_tables_that_share_totals(counts):
    for axes in (((2,), (1,)), ((2,), (1,), (0,)), ((2,), (1, 2))):
        tables = [
            table(counts.sum(axis), "".join(v for at, v in enumerate("abc") if at not in axis))
            for axis in axes
        ]
        found = safe_tables(tables)
        assert open_cells(found.tables) == 0
        for made, safe in zip(tables, found.tables, strict=True):
            assert np.isnan(safe.counts[made.counts < 11]).all()


@settings(parent=BOUNDED, max_examples=5)
@given(counts_of((4, 3)), st.randoms(use_true_random=False))
def test_order_of_rows_columns_and_tables_does_not_matter(counts, random):
    rows, columns = random.sample(range(4), 4), random.sample(range(3), 3)
    made, one_way = table(counts), table(counts.sum(1))
    shuffled = count_table(
        counts[rows][:, columns],
        variables=("a", "b"),
        values=(
            tuple(made.values[0][at] for at in rows),
            tuple(made.values[1][at] for at in columns),
        ),
    )
    turned = count_table(counts.T, variables=("b", "a"), values=(made.values[1], made.values[0]))
    found = safe_tables([made, one_way])
    other = safe_tables([one_way, shuffled])
    back = other.tables[1].counts[np.ix_([*np.argsort(rows), 4], [*np.argsort(columns), 3])]
    assert np.array_equal(found.tables[0].counts, back, equal_nan=True)
    assert np.array_equal(found.tables[1].counts, other.tables[0].counts, equal_nan=True)
    assert np.array_equal(
        safe_tables(turned).tables[0].counts.T,
        safe_tables(made).tables[0].counts,
        equal_nan=True,
    )


def test_large_counts_and_a_table_of_a_page():
    random = np.random.default_rng(2)
    made = table(np.floor(np.exp(random.normal(6, 3, (12, 6)))))
    found = safe_tables(made)
    assert found.small > 0
    assert open_cells(found.tables) == 0
    assert made.counts[-1, -1] > 1e5
    assert f"{found.small}\u00a0counts below 11" in found.check.text


def test_the_given_tables_stay_as_they_were():
    made = table([3, 15, 200])
    before = made.counts.copy()
    found = safe_tables(made)
    assert np.array_equal(made.counts, before)
    with pytest.raises(ValueError, match="already have withheld"):
        safe_tables(found.tables)
    with pytest.raises(ValueError, match="same values"):
        safe_tables([made, count_table([18, 200], variables=("a",), values=(("x", "y"),))])


def test_from_and_to_long_frames():
    frame = pd.DataFrame(
        {"market": ["b", "a", "b"], "kind": ["x", "y", "y"], "accounts": [40, 5, 50]}
    )
    made = count_table_of(frame, variables=("market", "kind"), count="accounts")
    assert made.counts.tolist() == [[0, 5, 5], [40, 50, 90], [40, 55, 95]]
    told = long_frame(safe_tables(made).tables[0])
    whole = told.set_index(["market", "kind"])
    assert whole.loc[("all", "all"), "count"] == 95
    assert whole.loc[("a", "y"), "withheld"]
    assert np.isnan(whole.loc[("a", "all"), "count"])
    assert len(told) == 9
    with pytest.raises(ValueError, match="two rows"):
        count_table_of(pd.concat([frame, frame]), variables=("market", "kind"), count="accounts")
    with pytest.raises(ValueError, match="is missing"):
        count_table_of(frame.assign(kind=None), variables=("market", "kind"), count="accounts")
