"""The variance of whole windows, its t interval, Holm and von Neumann."""

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from trustlib.stats.multiplicity import holm
from trustlib.stats.serial import mad, von_neumann
from trustlib.stats.window_error import t_quantile, t_two_sided, window_error


def test_errors_no_larger_than_counting_leave_only_the_poisson_part():
    made = window_error(np.array([5.0, -5.0, 0.0, 3.0]), expected=np.full(4, 100.0))
    assert made.tau == 0
    assert made.standard_error(100.0) == pytest.approx(np.sqrt(100 + 0.5 / 4))


def test_tau_is_the_relative_spread_beyond_counting():
    errors, expected = np.array([60.0, -60.0, 60.0, -60.0]), np.full(4, 200.0)
    made = window_error(errors, expected=expected)
    # e² = mu + tau² mu², so that the standard error gives the errors back.
    assert made.tau == pytest.approx(np.sqrt((3600 - 200) / 200**2))
    assert made.standard_error(200.0) == pytest.approx(np.sqrt(3600 + 0.5 / 4))


def test_margin_uses_student_with_one_degree_less_than_windows():
    made = window_error(np.array([10.0, -20.0, 30.0]), expected=np.full(3, 50.0))
    assert made.degrees == 2
    assert made.margin(50.0, level=0.95) == pytest.approx(
        made.standard_error(50.0) * stats.t.ppf(0.975, 2)
    )


def test_one_window_is_refused():
    with pytest.raises(ValueError, match="two at least"):
        window_error(np.array([1.0]), expected=np.array([2.0]))


@pytest.mark.parametrize("degrees", [2, 7.5, 40])
def test_student_equals_scipy(degrees):
    assert t_quantile(0.9, degrees) == pytest.approx(stats.t.ppf(0.9, degrees))
    assert t_two_sided(-1.7, degrees) == pytest.approx(2 * stats.t.sf(1.7, degrees))


def test_holm_equals_statsmodels_in_any_order():
    p = np.random.default_rng(3).uniform(0, 0.2, 25)
    oracle = multipletests(p, method="holm")[1]
    np.testing.assert_allclose(holm(p), oracle, rtol=1e-12)
    order = np.random.default_rng(4).permutation(25)
    np.testing.assert_allclose(holm(p[order]), oracle[order], rtol=1e-12)


def test_von_neumann_holds_its_level_and_finds_a_wander():
    rng = np.random.default_rng(5)
    quiet = np.array([von_neumann(rng.normal(size=12)) for _ in range(2000)])
    assert 0.035 < (quiet < 0.05).mean() < 0.065
    walks = np.array([von_neumann(np.cumsum(rng.normal(size=20))) for _ in range(200)])
    assert (walks < 0.05).mean() > 0.9
    assert von_neumann(np.array([1.0, -1.0, 1.0, -1.0, 1.0, -1.0])) > 0.95
    with pytest.raises(ValueError, match="five at least"):
        von_neumann(np.zeros(4))


def test_mad_is_a_standard_deviation_that_outliers_do_not_move():
    values = np.random.default_rng(6).normal(0, 3, 4001)
    assert mad(values) == pytest.approx(3, rel=0.05)
    spoiled = values.copy()
    spoiled[:40] = 1e9
    assert mad(spoiled) == pytest.approx(mad(values), rel=0.03)
