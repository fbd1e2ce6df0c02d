"""Cluster sums, fixed-order products, and the multiplier bootstrap's quantile."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.special import ndtri

from trustlib.stats.fixed_order import cross, times
from trustlib.stats.multiplier_bootstrap import (
    cluster_sums,
    covariance,
    simultaneous_critical,
)

ROOT = Path(__file__).resolve().parents[2]


def drawn(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


@pytest.mark.parametrize("n", [1, 255, 256, 1000])
@pytest.mark.parametrize(("p", "q"), [(1, 1), (5, 33), (70, 40)])
def test_products_in_blocks_are_products(n, p, q):
    left, right, small = drawn(n, p), drawn(n, q, seed=1), drawn(p, q, seed=2)
    np.testing.assert_allclose(cross(left, right), left.T @ right, atol=1e-10)
    np.testing.assert_allclose(times(left, small), left @ small, atol=1e-10)


def test_cluster_sums_in_any_order():
    values = drawn(7, 3)
    cluster = np.array([2, 0, 1, 0, 2, 2, 1])
    expected = np.stack([values[cluster == code].sum(axis=0) for code in range(3)])
    np.testing.assert_allclose(cluster_sums(values, cluster), expected)
    order = np.array([3, 0, 6, 1, 2, 5, 4])
    np.testing.assert_array_equal(cluster_sums(values, order), values[np.argsort(order)])
    assert cluster_sums(np.empty((7, 0)), cluster).shape == (3, 0)


def test_the_covariance_has_no_degrees_of_freedom_factor():
    psi = drawn(50, 1)
    psi -= psi.mean()
    assert covariance(psi, n=50)[0, 0] == pytest.approx(psi.var(ddof=0) / 50)


def test_one_number_gets_the_pointwise_value_and_many_get_more():
    one = simultaneous_critical(drawn(500, 1), level=0.95, draws=1999, seed=0)
    assert one == pytest.approx(ndtri(0.975), abs=0.12)
    independent = simultaneous_critical(drawn(2000, 10), level=0.95, draws=3999, seed=0)
    sidak = ndtri(0.5 + 0.95**0.1 / 2)
    assert independent == pytest.approx(sidak, abs=0.08)
    copies = np.repeat(drawn(500, 1), 10, axis=1)
    assert simultaneous_critical(copies, level=0.95, draws=1999, seed=0) == pytest.approx(one)


def test_a_column_without_error_costs_nothing():
    sums = drawn(300, 3)
    padded = np.column_stack([sums, np.zeros(300)])
    how = {"level": 0.95, "draws": 499, "seed": 3}
    assert simultaneous_critical(padded, **how) == simultaneous_critical(sums, **how)
    assert np.isnan(simultaneous_critical(np.zeros((9, 2)), **how))


def test_it_never_is_below_the_pointwise_value():
    """With three clusters a sum of signs cannot reach the normal's quantile."""
    found = simultaneous_critical(np.ones((3, 1)), level=0.95, draws=999, seed=0)
    assert found == ndtri(0.975)


CODE = """
import numpy as np
from trustlib.stats.fixed_order import cross, times
from trustlib.stats.multiplier_bootstrap import simultaneous_critical
psi = np.random.default_rng(0).normal(size=(70_000, 40))
print(simultaneous_critical(psi, level=0.95, draws=99, seed=0).hex(),
      cross(psi, psi).tobytes().hex()[:4000], times(psi, psi[:40]).sum().hex())
"""


def test_the_number_of_threads_changes_not_one_bit():
    answers = {
        subprocess.run(
            [sys.executable, "-c", CODE],
            cwd=ROOT,
            env=os.environ | {"OPENBLAS_NUM_THREADS": threads, "OMP_NUM_THREADS": threads},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for threads in ("1", "2", "3")
    }
    assert len(answers) == 1
