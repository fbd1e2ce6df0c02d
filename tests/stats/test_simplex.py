"""Least squares over the simplex: the optimality conditions hold, and the answer is known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import nnls

from trustlib.stats.simplex import simplex_least_squares


def world(seed: int, rows: int, columns: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    factors = rng.normal(size=(rows, 3))
    design = factors @ rng.normal(size=(3, columns)) + rng.normal(size=(rows, columns))
    return design, factors @ rng.normal(size=3) + rng.normal(size=rows)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 10_000),
    rows=st.integers(1, 40),
    columns=st.integers(1, 60),
    ridge=st.sampled_from([0.0, 1e-6, 1.0, 1e3]),
    intercept=st.booleans(),
)
def test_the_optimality_conditions_hold(seed, rows, columns, ridge, intercept) -> None:
    design, target = world(seed, rows, columns)
    found = simplex_least_squares(design, target, ridge=ridge, intercept=intercept)
    assert (found.weights >= 0).all()
    assert found.weights.sum() == pytest.approx(1)
    residual = design @ found.weights + found.intercept - target
    if intercept:
        assert residual.mean() == pytest.approx(0, abs=1e-10)
    gradient = design.T @ residual + ridge * found.weights
    slack = gradient - gradient @ found.weights
    size = np.abs(design.T @ target).max() + ridge + 1
    assert slack.min() >= -1e-9 * size
    assert np.abs(slack[found.weights > 0]).max() <= 1e-9 * size
    assert found.kkt < 1e-6


def test_it_agrees_with_a_second_algorithm() -> None:
    # min |Aw − b| on the simplex is non-negative least squares of [A − b; 1] u = [0; 1].
    for seed in range(20):
        design, target = world(seed, 25, 12)
        found = simplex_least_squares(design, target)
        u, _ = nnls(np.vstack([design - target[:, None], np.ones(12)]), np.append(np.zeros(25), 1))
        assert found.weights == pytest.approx(u / u.sum(), abs=1e-9)


@pytest.mark.parametrize(("ridge", "rows"), [(0.0, 60), (1e-13, 60), (0.0, 30), (2.0, 30)])
def test_a_start_changes_the_way_and_not_the_end(ridge, rows) -> None:
    design, target = world(3, rows, 40)
    cold = simplex_least_squares(design, target, ridge=ridge, intercept=True)
    for seed in range(5):
        start = np.random.default_rng(seed).dirichlet(np.ones(40))
        warm = simplex_least_squares(design, target, ridge=ridge, intercept=True, start=start)
        assert warm.weights == pytest.approx(cold.weights, abs=1e-10)
    if not ridge:
        again = simplex_least_squares(design, target, intercept=True, start=cold.weights)
        assert again.iterations == 1


@pytest.mark.parametrize("size", [1e-6, 1.0, 1e6])
def test_units_of_measurement_change_nothing(size: float) -> None:
    design, target = world(4, 20, 15)
    plain = simplex_least_squares(design, target, ridge=0.5)
    scaled = simplex_least_squares(size * design, size * target, ridge=0.5 * size**2)
    assert scaled.weights == pytest.approx(plain.weights, abs=1e-10)
    assert scaled.objective == pytest.approx(size**2 * plain.objective)


def test_one_column_and_columns_alike() -> None:
    assert simplex_least_squares(np.ones((3, 1)), np.arange(3.0)).weights.tolist() == [1.0]
    design, target = world(5, 10, 4)
    twice = np.hstack([design, design])
    alone, found = simplex_least_squares(design, target), simplex_least_squares(twice, target)
    assert found.objective == pytest.approx(alone.objective)
    exact = simplex_least_squares(design, design @ np.array([0.2, 0.0, 0.5, 0.3]))
    assert exact.weights == pytest.approx([0.2, 0.0, 0.5, 0.3], abs=1e-9)


def mixes(
    seed: int, rows: int, columns: int, *, even: float = 5.0
) -> tuple[np.ndarray, np.ndarray]:
    """A target that many mixes of the columns match exactly; the less even, the fewer."""
    rng = np.random.default_rng(seed)
    design = rng.normal(size=(rows, columns))
    return design, design @ rng.dirichlet(np.full(columns, even))


@pytest.mark.parametrize(("rows", "columns"), [(1, 2), (2, 9), (4, 30), (8, 60), (3, 4)])
@pytest.mark.parametrize("ridge", [0.0, 1e-13])
@pytest.mark.parametrize("even", [5.0, 0.2])
def test_of_equal_optima_the_most_even_is_taken(rows, columns, ridge, even) -> None:
    for seed in range(5):
        design, target = mixes(seed, rows, columns, even=even)
        found = simplex_least_squares(design, target, ridge=ridge)
        assert design @ found.weights == pytest.approx(target, abs=1e-11)
        # Optimality of min |w|² over {w ≥ 0, [A; 1] w = [b; 1]}: w is the positive part of a
        # combination of the rows.
        system, held = np.vstack([design, np.ones(columns)]), found.weights > 1e-9
        price = np.linalg.lstsq(system[:, held].T, found.weights[held], rcond=None)[0]
        assert found.weights == pytest.approx(np.maximum(system.T @ price, 0), abs=1e-9)


def test_a_penalty_too_small_to_be_seen_is_the_limit_of_smaller_ones() -> None:
    design, target = mixes(7, 4, 30)
    limit = simplex_least_squares(design, target, ridge=1e-14, intercept=True).weights
    for ridge, near in ((1e-3, 1e-2), (1e-5, 1e-4), (1e-7, 1e-6)):
        seen = simplex_least_squares(design, target, ridge=ridge, intercept=True).weights
        assert seen == pytest.approx(limit, abs=near)


def test_the_order_of_columns_changes_no_weight() -> None:
    design, target = world(6, 12, 5)
    design = np.hstack([design, design[:, 1:4], design[:, 1:2]])
    plain = simplex_least_squares(design, target).weights
    for seed in range(10):
        order = np.random.default_rng(seed).permutation(9)
        assert simplex_least_squares(design[:, order], target).weights == pytest.approx(
            plain[order], abs=1e-12
        )
    # Columns alike share what one of them would have had.
    alone = simplex_least_squares(design[:, :5], target).weights
    assert alone[1] > 0.7
    assert plain[[1, 5, 8]] == pytest.approx(alone[1] / 3, abs=1e-12)
    assert plain[4] == pytest.approx(alone[4], abs=1e-12)


def test_columns_that_are_nearly_alike_are_told_apart() -> None:
    design, _ = world(8, 20, 5)
    design[:, 4] = design[:, 1] + 1e-5 * np.random.default_rng(0).normal(size=20)
    weights = np.array([0.1, 0.5, 0.1, 0.1, 0.2])
    found = simplex_least_squares(design, design @ weights).weights
    assert found == pytest.approx(weights, abs=1e-6)
