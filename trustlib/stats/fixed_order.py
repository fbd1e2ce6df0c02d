"""Matrix products whose last digit does not depend on the number of threads.

A BLAS library splits a large product over its threads, and with it the order of the sums.
Here a product is cut into blocks of fixed shape, small enough that OpenBLAS gives each to one
thread (below 2**18 multiplications), and the blocks are added up in their order.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

_TILE = 32  # columns of a block
_ROWS = 256  # rows of a block: 32 × 32 × 256 = 2**18


def cross(left: FloatArray, right: FloatArray) -> FloatArray:
    """leftᵀ right for `left` (n, p) and `right` (n, q): shape (p, q)."""
    out = np.zeros((left.shape[1], right.shape[1]))
    whole = len(left) // _ROWS * _ROWS
    for i in range(0, left.shape[1], _TILE):
        for j in range(0, right.shape[1], _TILE):
            a, b = left[:, i : i + _TILE], right[:, j : j + _TILE]
            if whole:
                stack = a[:whole].reshape(-1, _ROWS, a.shape[1]).transpose(0, 2, 1)
                blocks = np.matmul(stack, b[:whole].reshape(-1, _ROWS, b.shape[1]))
                out[i : i + _TILE, j : j + _TILE] = blocks.sum(axis=0)
            out[i : i + _TILE, j : j + _TILE] += a[whole:].T @ b[whole:]
    return out


def times(rows: FloatArray, matrix: FloatArray) -> FloatArray:
    """rows matrix for `rows` (n, p) and a small `matrix` (p, k): shape (n, k)."""
    out = np.zeros((len(rows), matrix.shape[1]))
    whole = len(rows) // _ROWS * _ROWS
    for i in range(0, matrix.shape[0], _TILE):
        a = rows[:, i : i + _TILE]
        for j in range(0, matrix.shape[1], _TILE):
            b = matrix[i : i + _TILE, j : j + _TILE]
            if whole:
                blocks = np.matmul(a[:whole].reshape(-1, _ROWS, a.shape[1]), b)
                out[:whole, j : j + _TILE] += blocks.reshape(whole, -1)
            out[whole:, j : j + _TILE] += a[whole:] @ b
    return out
