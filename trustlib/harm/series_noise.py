"""Regression on a series whose points have a known error and hang together by an unknown one.

y = X β + u + e with e independent of known variances and u an AR(1) of unknown φ and variance τ².
Everything is averaged over a grid of (φ, τ²), each weighted by its restricted likelihood
(Harville 1974, Biometrika 61), so that no single guess of the dependence is taken for the truth.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from trustlib.harm.sample import FloatArray, IntArray

# Before the data: drifts that fade quickly, and none at all, somewhat likelier than slow ones,
# which a short series cannot tell from a line. Chosen by the coverage of both, tests/harm.
_PHI = {0.0: 1.25, 0.3: 1.25, 0.6: 1.0, 0.85: 0.8, 0.95: 0.5}
_NO_DRIFT = 3.0
_TAU = (0.03, 0.1, 0.25, 0.5, 1.0, 2.0)  # of the residual variance


@dataclass(frozen=True, kw_only=True, eq=False)
class Noise:
    """The grid, worked out for one design: nothing here depends on the responses.

    Attributes
    ----------
    phi, tau
        (G,) autocorrelation, and variance of the drift.
    drift
        (G, T, T) covariance of u.
    precision
        (G, T, T) of u + e.
    residual
        (G, T, T) P = V⁻¹ − V⁻¹X(X′V⁻¹X)⁻¹X′V⁻¹.
    covariance, slope
        (G, k, k) of β, and (G, k, T) with β = slope · y.
    prior
        (G,) weights before the data.
    constant
        (G,) what the restricted log-likelihood has beside −y′Py/2.
    error
        (T,) known variances.
    """

    phi: FloatArray
    tau: FloatArray
    drift: FloatArray
    precision: FloatArray
    residual: FloatArray
    covariance: FloatArray
    slope: FloatArray
    prior: FloatArray
    constant: FloatArray
    error: FloatArray

    def log_likelihood(self, y: FloatArray) -> FloatArray:
        """(G,) or (G, B) prior and restricted log-likelihood of responses (T,) or (T, B)."""
        columns = y if y.ndim == 2 else y[:, None]
        squares = np.stack([np.sum(columns * (each @ columns), axis=0) for each in self.residual])
        out = (self.constant + np.log(self.prior))[:, None] - squares / 2
        return out if y.ndim == 2 else out[:, 0]

    def weights(self, y: FloatArray) -> FloatArray:
        """(G,) that sum to 1."""
        log = self.log_likelihood(y)
        found = np.exp(log - log.max())
        return np.asarray(found / found.sum(), dtype=np.float64)


@dataclass(frozen=True, kw_only=True, eq=False)
class Averaged:
    """β (k,) and its covariance; the series' level X β + u with its variance, each (T,)."""

    coefficients: FloatArray
    covariance: FloatArray
    level: FloatArray
    level_variance: FloatArray
    phi: float
    tau: float


def noise(design: FloatArray, *, error: FloatArray, position: IntArray, scale: float) -> Noise:
    """Work the grid out.

    Parameters
    ----------
    design
        (T, k) of full rank, k < T.
    error
        (T,) known variances, > 0.
    position
        (T,) in time; neighbours differ by 1.
    scale
        Variance that the grid of τ² is made around.
    """
    apart = np.abs(position[:, None] - position[None, :])
    pairs = [(0.0, 0.0)] + [(phi, share * scale) for phi in _PHI for share in _TAU]
    made = [_one(design, error, tau * np.power(phi, apart)) for phi, tau in pairs]
    drift, precision, residual, covariance, slope, constant = (
        np.stack([np.asarray(one[at]) for one in made]) for at in range(6)
    )
    return Noise(
        phi=np.array([phi for phi, _ in pairs]),
        tau=np.array([tau for _, tau in pairs]),
        drift=drift,
        precision=precision,
        residual=residual,
        covariance=covariance,
        slope=slope,
        prior=np.array([_NO_DRIFT] + [weight for weight in _PHI.values() for _ in _TAU]),
        constant=constant,
        error=error,
    )


def _one(design: FloatArray, error: FloatArray, drift: FloatArray) -> tuple[object, ...]:
    whole = cho_factor(drift + np.diag(error), lower=True)
    precision = cho_solve(whole, np.eye(len(error)))
    leaning = precision @ design
    inner = cho_factor(design.T @ leaning, lower=True)
    covariance = cho_solve(inner, np.eye(design.shape[1]))
    slope = covariance @ leaning.T
    log_det = 2 * np.log(np.diag(whole[0])).sum() + 2 * np.log(np.diag(inner[0])).sum()
    return drift, precision, precision - leaning @ slope, covariance, slope, -log_det / 2


def averaged(made: Noise, design: FloatArray, y: FloatArray) -> Averaged:
    """Estimates for the responses (T,), averaged over the grid."""
    weight = made.weights(y)
    each = made.slope @ y
    mean = weight @ each
    apart = each - mean
    covariance = np.einsum("g,gij->ij", weight, made.covariance)
    covariance = covariance + np.einsum("g,gi,gj->ij", weight, apart, apart)
    levels, spreads = np.zeros((len(weight), len(y))), np.zeros((len(weight), len(y)))
    for g in np.flatnonzero(weight > 1e-4):
        gain = made.drift[g] @ made.precision[g]
        levels[g] = design @ each[g] + gain @ (y - design @ each[g])
        own = np.diag(made.drift[g]) - np.sum(gain * made.drift[g], axis=1)
        lean = design - gain @ design
        spreads[g] = own + np.sum((lean @ made.covariance[g]) * lean, axis=1)
    used = np.where(weight > 1e-4, weight, 0.0)
    used = used / used.sum()
    level = used @ levels
    return Averaged(
        coefficients=mean,
        covariance=covariance,
        level=level,
        level_variance=used @ (np.maximum(spreads, 0) + (levels - level) ** 2),
        phi=float(weight @ made.phi),
        tau=float(np.sqrt(weight @ made.tau)),
    )
