"""The main fit, by statsmodels' GLM."""

from __future__ import annotations

import warnings

import numpy as np

from trustlib.stats.poisson import PoissonFit, poisson_fit


def glm_fit(
    design: np.ndarray, *, counts: np.ndarray, exposure: np.ndarray, dispersion: float = 0.0
) -> PoissonFit:
    """Fit a log-linear mean with statsmodels; arguments as in `poisson_fit`.

    Our own iteration finds the starting point and answers alone where no finite maximum
    exists (a weekday without a single count), which statsmodels treats as an error.
    """
    ours = poisson_fit(design, counts=counts, exposure=exposure, dispersion=dispersion)
    if not ours.converged or np.max(np.abs(ours.coefficients)) > 15:
        return ours
    from statsmodels.genmod import families
    from statsmodels.genmod.generalized_linear_model import GLM

    keep = exposure > 0
    family = families.NegativeBinomial(alpha=dispersion) if dispersion > 0 else families.Poisson()
    model = GLM(
        counts[keep], design[keep], family=family, offset=np.log(exposure[keep]), missing="none"
    )
    with warnings.catch_warnings():
        # Its remarks on convergence are judged below, from the answer.
        warnings.simplefilter("ignore")
        result = model.fit(
            start_params=ours.coefficients, tol_criterion="params", tol=1e-9, maxiter=25
        )
    if not result.converged or not np.isfinite(result.params).all():
        return ours
    return PoissonFit(
        coefficients=np.asarray(result.params, dtype=float),
        deviance=float(result.deviance),
        converged=True,
    )
