"""The whole path of a small lasso problem, corner by corner."""

from __future__ import annotations

import numpy as np

from trustlib.interventions.panel import FloatArray

TIED = 1e-12


def lasso_path(curvature: FloatArray, gradient: FloatArray) -> FloatArray:
    """(corners, k) minimisers of ½·x'Hx + g'x + penalty·Σ|x|, from the zero vector to penalty 0.

    `curvature` H (k, k) is positive definite, `gradient` g (k,). The minimiser is linear in the
    penalty between corners, where a coordinate leaves zero or returns to it (Osborne, Presnell &
    Turlach 2000). With exact ties the path may take a corner late; any point of it is still a
    vector of finite size, and only its optimality is lost.
    """
    k = len(gradient)
    corners: list[FloatArray] = [np.zeros(k)]
    penalty = float(np.abs(gradient).max(initial=0.0))
    if penalty == 0:
        return np.array(corners)
    active = np.abs(gradient) >= penalty * (1 - TIED)
    signs = np.where(active, -np.sign(gradient), 0.0)
    for _ in range(20 * k + 20):
        inverse = np.linalg.solve(
            curvature[np.ix_(active, active)],
            np.stack([-gradient[active], -signs[active]], axis=1),
        )
        base, slope = np.zeros(k), np.zeros(k)
        base[active], slope[active] = inverse.T
        next_penalty, joins, leaves = _next_corner(
            penalty, active, gradient + curvature @ base, curvature @ slope, base, slope
        )
        corner: FloatArray = base + next_penalty * slope
        corners.append(corner)
        if next_penalty == 0:
            return np.array(corners)
        corners[-1][leaves] = 0.0
        pull = gradient + curvature @ corners[-1]
        active = (active | joins) & ~leaves
        signs = np.where(joins, -np.sign(pull), np.where(active, signs, 0.0))
        penalty = next_penalty
        if not active.any():  # everything returned to zero: only rounding does that
            break
    corners.append(np.asarray(np.linalg.solve(curvature, -gradient), dtype=float))
    return np.array(corners)


def _next_corner(
    penalty: float,
    active: np.ndarray,
    pull: FloatArray,
    pull_slope: FloatArray,
    base: FloatArray,
    slope: FloatArray,
) -> tuple[float, np.ndarray, np.ndarray]:
    """The next smaller penalty at which a coordinate leaves zero (joins) or returns (leaves)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        up, down = pull / (1 - pull_slope), -pull / (1 + pull_slope)
        back = -base / slope
    ceiling = penalty * (1 - TIED)
    join_at = np.maximum(
        np.where((up > 0) & (up < ceiling), up, 0.0),
        np.where((down > 0) & (down < ceiling), down, 0.0),
    )
    join_at = np.where(active, 0.0, join_at)
    leave_at = np.where(active & (back > 0) & (back < ceiling), back, 0.0)
    corner = float(max(join_at.max(), leave_at.max()))
    if corner == 0:
        none = np.zeros_like(active)
        return 0.0, none, none
    return corner, join_at >= corner * (1 - TIED), leave_at >= corner * (1 - TIED)
