"""Exactness of the test, and the interval against brute force."""

import itertools

import numpy as np
import pytest

from trustlib.stats.randomization import (
    all_assignments,
    drawn_assignments,
    invert,
    n_assignments,
)


def test_every_assignment_once():
    labels = np.array([2, 0, 1, 0, 2])
    found = all_assignments(labels)
    wanted = sorted(set(itertools.permutations(labels.tolist())))
    assert found.tolist() == [list(row) for row in wanted]
    assert len(found) == n_assignments([2, 1, 2]) == 30


def test_drawn_assignments_keep_the_labels_and_start_with_the_observed():
    labels = np.arange(7) % 3
    found = drawn_assignments(labels, draws=50, rng=np.random.default_rng(1))
    assert found.shape == (51, 7)
    assert found[0].tolist() == labels.tolist()
    assert (np.sort(found, axis=1) == np.sort(labels)).all()
    assert len(np.unique(found, axis=0)) > 20


def _mean_difference(outcome, treated):
    on = treated.astype(float)
    return on @ outcome / on.sum(axis=-1) - (1 - on) @ outcome / (1 - on).sum(axis=-1)


@pytest.mark.parametrize("level", [0.5, 0.8, 0.9, 0.95])
def test_the_interval_is_what_the_test_does_not_reject(level):
    rng = np.random.default_rng(3)
    treated = np.array([1, 1, 1, 0, 0, 0, 0, 1, 0])
    outcome = rng.standard_normal(9) + 0.7 * treated
    ways = all_assignments(treated)
    found = invert(
        _mean_difference(outcome, treated),
        statistics=_mean_difference(outcome, ways),
        treatment=_mean_difference(treated.astype(float), ways),
        level=level,
    )

    def p_value(effect):
        adjusted = outcome - effect * treated
        statistics = np.abs(_mean_difference(adjusted, ways))
        return np.mean(statistics >= abs(_mean_difference(adjusted, treated)) - 1e-12)

    assert found.p_value == pytest.approx(p_value(0.0))
    for end, outwards in ((found.low, -1), (found.high, 1)):
        assert p_value(end - outwards * 1e-6) > 1 - level
        assert p_value(end + outwards * 1e-6) <= 1 - level


def test_three_of_six_cannot_reach_five_per_cent():
    treated = np.array([1, 1, 1, 0, 0, 0])
    outcome = np.array([100.0, 101.0, 103.0, 0.0, 1.0, 2.5])
    ways = all_assignments(treated)
    found = invert(
        _mean_difference(outcome, treated),
        statistics=_mean_difference(outcome, ways),
        treatment=_mean_difference(treated.astype(float), ways),
        level=0.95,
    )
    assert found.p_value == pytest.approx(0.1)  # its mirror image is as far out
    assert found.smallest_p_value == pytest.approx(0.1)
    assert found.low == -np.inf
    assert found.high == np.inf


def test_the_test_is_exact_under_the_sharp_null():
    # The outcome is fixed; each assignment is the observed one in its turn.
    outcome = np.random.default_rng(8).standard_normal(7) ** 3
    ways = all_assignments(np.array([0, 0, 0, 0, 1, 1, 1]))
    statistics = _mean_difference(outcome, ways)
    p_values = [
        invert(
            observed,
            statistics=statistics,
            treatment=_mean_difference(treated.astype(float), ways),
            level=0.9,
        ).p_value
        for observed, treated in zip(statistics, ways, strict=True)
    ]
    n = len(ways)
    # No ties here: the p-values are 1/n, 2/n, …, 1, each once.
    assert np.sort(p_values) == pytest.approx(np.arange(1, n + 1) / n)
