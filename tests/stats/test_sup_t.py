"""The sup-t critical value against what is known in closed form."""

import numpy as np
import pytest
from scipy import stats

from trustlib.stats.sup_t import sup_t


def test_independent_normals():
    exact = stats.norm.ppf((1 + 0.95 ** (1 / 5)) / 2)
    made = sup_t(np.diag([1.0, 4.0, 1e-8, 9.0, 1e6]), degrees=np.inf, level=0.95)
    assert made == pytest.approx(exact, abs=0.03)  # Monte Carlo: 20,000 draws


def test_one_effect_many_times_is_one_effect():
    made = sup_t(np.full((4, 4), 2.0), degrees=9, level=0.9)
    assert made == pytest.approx(stats.t.ppf(0.95, 9), abs=0.03)
    assert sup_t(np.array([[2.0]]), degrees=9, level=0.9) == pytest.approx(stats.t.ppf(0.95, 9))


def test_references_and_what_is_not_estimable_are_left_out():
    whole = np.diag([1.0, 0.0, 2.0])
    whole[1, 1] = 0
    gap = np.full((4, 4), np.nan)
    gap[:3, :3] = whole
    bare = sup_t(np.diag([1.0, 2.0]), degrees=30, level=0.95)
    assert sup_t(gap, degrees=30, level=0.95) == bare
    assert np.isnan(sup_t(np.zeros((2, 2)), degrees=30, level=0.95))
