"""Poisson regression against statsmodels, and the refits against fits from scratch."""

import numpy as np
import pytest
from statsmodels.genmod import families
from statsmodels.genmod.generalized_linear_model import GLM

from trustlib.stats.glm import glm_fit
from trustlib.stats.poisson import leave_out_fits, poisson_fit


@pytest.fixture
def rows():
    rng = np.random.default_rng(1)
    design = np.column_stack([np.ones(300), rng.normal(size=(300, 5))])
    exposure = rng.uniform(0.5, 2.0, 300)
    mean = exposure * np.exp(1.0 + design[:, 1:] @ np.array([0.5, -0.3, 0.2, 0.0, 0.1]))
    return design, rng.poisson(mean).astype(float), exposure


@pytest.mark.parametrize("dispersion", [0.0, 0.4])
def test_coefficients_and_deviance_equal_statsmodels(rows, dispersion):
    design, counts, exposure = rows
    family = families.NegativeBinomial(alpha=0.4) if dispersion else families.Poisson()
    oracle = GLM(counts, design, family=family, offset=np.log(exposure)).fit(
        tol_criterion="params", tol=1e-12, maxiter=200
    )
    for fit in (poisson_fit, glm_fit):
        ours = fit(design, counts=counts, exposure=exposure, dispersion=dispersion)
        assert ours.converged
        np.testing.assert_allclose(ours.coefficients, oracle.params, rtol=0, atol=1e-8)
        assert ours.deviance == pytest.approx(oracle.deviance, abs=1e-7)


def test_leaving_a_block_out_is_fitting_the_rest(rows):
    design, counts, exposure = rows
    block = np.arange(300) % 6
    start = poisson_fit(design, counts=counts, exposure=exposure).coefficients
    fits = leave_out_fits(
        design,
        counts=np.stack([np.where(block == b, 0.0, counts) for b in range(6)]),
        exposure=np.stack([np.where(block == b, 0.0, exposure) for b in range(6)]),
        start=start,
    )
    for b in range(6):
        rest = block != b
        oracle = GLM(
            counts[rest],
            design[rest],
            family=families.Poisson(),
            offset=np.log(exposure[rest]),
        ).fit(tol_criterion="params", tol=1e-12, maxiter=200)
        np.testing.assert_allclose(fits[b], oracle.params, rtol=0, atol=1e-8)


def test_rows_with_the_same_regressors_may_be_added_together(rows):
    design, _, _ = rows
    rng = np.random.default_rng(2)
    cell = rng.integers(0, 20, 300)
    counts = rng.poisson(5, 300).astype(float)
    apart = poisson_fit(design[cell], counts=counts, exposure=np.ones(300))
    together = poisson_fit(
        design[:20],
        counts=np.bincount(cell, weights=counts, minlength=20),
        exposure=np.bincount(cell, minlength=20).astype(float),
    )
    np.testing.assert_allclose(apart.coefficients, together.coefficients, atol=1e-8)


def test_a_group_without_a_count_gets_a_mean_near_zero_and_spoils_no_other():
    design = np.column_stack([np.ones(40), np.repeat([0.0, 1.0], 20)])
    counts = np.concatenate([np.full(20, 4.0), np.zeros(20)])
    for fit in (poisson_fit, glm_fit):
        mean = fit(design, counts=counts, exposure=np.ones(40)).mean(design)
        np.testing.assert_allclose(mean[:20], 4.0, rtol=1e-6)
        assert np.all(mean[20:] < 1e-4)


def test_no_count_at_all_is_a_mean_of_nothing():
    design = np.column_stack([np.ones(10), np.arange(10.0)])
    fit = poisson_fit(design, counts=np.zeros(10), exposure=np.ones(10))
    assert np.all(fit.mean(design) < 1e-9)
