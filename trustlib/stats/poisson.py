"""Poisson regression with a log link, and the refits without each block of its rows.

Iteratively reweighted least squares as in McCullagh and Nelder (1989), section 2.5. Ours
exists for speed alone: the refits share one small design, and a test holds the
coefficients against statsmodels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# The linear predictor is held here: a cell without counts has no finite maximum.
_FLOOR, _CEILING = -30.0, 40.0
# Keeps the normal equations solvable where the data cannot tell two columns apart; far
# below anything that moves a coefficient that they can.
_RIDGE = 1e-11


@dataclass(frozen=True, kw_only=True)
class PoissonFit:
    """A fitted log-linear mean.

    Attributes
    ----------
    coefficients
        Shape (n_columns,), on the log scale.
    deviance
        At the fit, on the rows that were fitted.
    converged
        False where the step limit was reached first.
    """

    coefficients: np.ndarray
    deviance: float
    converged: bool

    def mean(self, design: np.ndarray, *, exposure: np.ndarray | float = 1.0) -> np.ndarray:
        """Expected counts, shape (n_rows,), for rows of `design`."""
        return exposure * np.exp(np.clip(design @ self.coefficients, _FLOOR, _CEILING))


def poisson_fit(
    design: np.ndarray,
    *,
    counts: np.ndarray,
    exposure: np.ndarray,
    start: np.ndarray | None = None,
    dispersion: float = 0.0,
    steps: int = 60,
) -> PoissonFit:
    """Fit a log-linear mean to `counts`.

    Parameters
    ----------
    design
        Shape (n_rows, n_columns); the first column is the constant.
    counts, exposure
        Shape (n_rows,). Rows with exposure 0 are left out. Rows with the same
        regressors may be added together: the maximum is the same.
    start
        Coefficients to start from.
    dispersion
        0 for Poisson; alpha > 0 weighs rows as a negative binomial of variance
        mu + alpha mu² does (and then rows must not be added together).

    Notes
    -----
    With no count above zero there is no maximum; the mean is then held at exp(-30).
    """
    keep = exposure > 0
    x, y, e = design[keep], counts[keep], exposure[keep]
    if start is None:
        beta = np.zeros(design.shape[1])
        beta[0] = np.log(max(y.sum(), 1e-12) / max(e.sum(), 1e-12))
    else:
        beta = np.array(start, dtype=float)
    mu = _mean(x, beta, e)
    deviance = _deviance(y, mu, dispersion)
    for _ in range(steps):
        weight = mu / (1 + dispersion * mu)
        gram = x.T @ (weight[:, None] * x)
        gram[np.diag_indices_from(gram)] += _RIDGE * (np.trace(gram) / len(gram) + 1e-12)
        step = np.linalg.solve(gram, x.T @ ((y - mu) * weight / np.maximum(mu, 1e-300)))
        mu, new, step = _halved(x, y, e, beta, step, deviance, dispersion)
        beta = beta + step
        small = np.max(np.abs(step)) < 1e-9 or abs(deviance - new) < 1e-13 * (abs(new) + 1e-3)
        deviance = new
        if small:
            return PoissonFit(coefficients=beta, deviance=float(deviance), converged=True)
    return PoissonFit(coefficients=beta, deviance=float(deviance), converged=False)


def leave_out_fits(
    design: np.ndarray,
    *,
    counts: np.ndarray,
    exposure: np.ndarray,
    start: np.ndarray,
    dispersion: float = 0.0,
) -> np.ndarray:
    """Coefficients of the refit without each block, shape (n_blocks, n_columns).

    Parameters
    ----------
    design
        Shape (n_rows, n_columns).
    counts, exposure
        Shape (n_blocks, n_rows): what remains when each block is left out.
    start
        Coefficients of the fit to everything, shape (n_columns,).
    """
    return np.stack(
        [
            poisson_fit(
                design, counts=y, exposure=e, start=start, dispersion=dispersion
            ).coefficients
            for y, e in zip(counts, exposure, strict=True)
        ]
    )


def _mean(x: np.ndarray, beta: np.ndarray, exposure: np.ndarray) -> np.ndarray:
    return exposure * np.exp(np.clip(x @ beta, _FLOOR, _CEILING))


def _halved(
    x: np.ndarray,
    y: np.ndarray,
    exposure: np.ndarray,
    beta: np.ndarray,
    step: np.ndarray,
    deviance: float,
    dispersion: float,
) -> tuple[np.ndarray, float, np.ndarray]:
    """The step, halved until it does not make the fit worse."""
    for _ in range(12):
        mu = _mean(x, beta + step, exposure)
        new = _deviance(y, mu, dispersion)
        if np.isfinite(new) and new <= deviance + 1e-9 * (abs(deviance) + 1):
            break
        step = step / 2
    return mu, new, step


def _deviance(y: np.ndarray, mu: np.ndarray, dispersion: float) -> float:
    """Twice the log-likelihood's distance from the perfect fit."""
    safe = np.maximum(mu, 1e-300)
    with np.errstate(divide="ignore", invalid="ignore"):
        log_ratio = np.where(y > 0, y * np.log(np.maximum(y, 1e-300) / safe), 0.0)
    if dispersion == 0:
        return float(2 * np.sum(log_ratio - (y - mu)))
    tail = (y + 1 / dispersion) * np.log((1 + dispersion * y) / (1 + dispersion * mu))
    return float(2 * np.sum(log_ratio - tail))
