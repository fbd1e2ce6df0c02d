"""Along the path every point is the optimum that the exact program finds there."""

import itertools

import numpy as np
import pytest

from trustlib.stats.simplex import simplex_least_squares
from trustlib.stats.simplex_path import simplex_path


def _residuals(design, target, theta, **options):
    aim = target.copy()
    aim[-1] -= theta
    found = simplex_least_squares(design, aim, **options)
    return aim - design @ found.weights - found.intercept


@pytest.mark.parametrize("options", [{}, {"ridge": 0.7, "intercept": True}, {"intercept": True}])
@pytest.mark.parametrize("size", [(12, 5), (8, 30)])
@pytest.mark.parametrize("last", [9.0, -9.0])
def test_the_path_is_the_optimum_everywhere(options, size, last):
    rng = np.random.default_rng(size[0])
    design, target = rng.standard_normal(size), rng.standard_normal(size[0])
    path = list(simplex_path(design, target, first=0.5, last=last, **options))
    assert path[0].first == 0.5
    assert path[-1].last == pytest.approx(last)
    assert len(path) > 1
    for before, after in itertools.pairwise(path):
        assert before.last == after.first
    for stretch in path:
        for share in (0.0, 0.3, 0.8, 1.0):
            theta = stretch.first + share * (stretch.last - stretch.first)
            wanted = _residuals(design, target, theta, **options)
            told = stretch.residuals + stretch.slope * (theta - stretch.first)
            assert told == pytest.approx(wanted, abs=2e-6)


def test_one_column_is_one_stretch():
    path = list(simplex_path(np.ones((4, 1)), np.arange(4.0), first=0.0, last=5.0))
    assert [(part.first, part.last) for part in path] == [(0.0, 5.0)]
    assert path[0].slope == pytest.approx([0, 0, 0, -1])


def test_no_way_to_go_is_no_stretch():
    assert list(simplex_path(np.ones((4, 1)), np.arange(4.0), first=1.0, last=1.0)) == []
