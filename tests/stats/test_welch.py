import numpy as np
import pytest
from scipy import stats

from trustlib.stats.welch import joint_welch, welch


def test_two_groups_are_welchs_t_test():
    rng = np.random.default_rng(2)
    one, other = rng.normal(0, 3, 6), rng.normal(0, 1, 11)
    sums = np.concatenate([(one - one.mean()) / 6, -(other - other.mean()) / 11])
    stratum = np.repeat([4, 20], [6, 11])
    factor, degrees = welch(sums[:, None], stratum)
    wanted = stats.ttest_ind(one, other, equal_var=False)
    assert degrees[0] == pytest.approx(wanted.df)
    error = factor[0] * np.sqrt(np.sum(sums**2))
    assert (one.mean() - other.mean()) / error == pytest.approx(wanted.statistic)
    covariance, joint = joint_welch(sums[:, None], stratum)
    assert joint == pytest.approx(wanted.df)
    assert covariance[0, 0] == pytest.approx(error**2)


def test_joint_degrees_do_not_depend_on_the_basis():
    sums = np.random.default_rng(4).standard_normal((30, 3))
    stratum = np.repeat([0, 1, 2], [8, 10, 12])
    turn = np.array([[1.0, 2.0, 0.0], [0.0, 1.0, -1.0], [3.0, 0.0, 1.0]])
    assert joint_welch(sums @ turn, stratum)[1] == pytest.approx(joint_welch(sums, stratum)[1])


def test_a_stratum_of_one_gives_no_degrees():
    sums = np.random.default_rng(4).standard_normal((7, 1))
    factor, degrees = welch(sums, np.array([0, 0, 0, 0, 0, 0, 1]))
    assert degrees[0] == pytest.approx(5)
    assert np.isnan(welch(sums[:2], np.array([0, 1]))[1][0])
    assert joint_welch(sums[:2], np.array([0, 1]))[1] == 0
    assert factor[0] > 1


def test_one_stratum_has_its_clusters_less_one():
    sums = np.random.default_rng(4).standard_normal((9, 3))
    assert joint_welch(sums, np.zeros(9, dtype=int))[1] == pytest.approx(8)
    assert welch(sums, np.zeros(9, dtype=int))[1] == pytest.approx(8)
