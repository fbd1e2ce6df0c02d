"""Models of capture histories: how many would the lists have found none of?

Two lists: Chapman's estimate (1951), unseen = (n₁ − m)(n₂ − m)/(m + 1), with Seber's variance and
a log-normal interval of the unseen (Burnham et al. 1987; Chao 1989, Biometrics 45). Three or
four: log-linear models (Fienberg 1972, Biometrika 59), main effects and any pairs, fitted as
Poisson regressions; intervals are profiles (Cormack 1992, Biometrics 48).

Not fitted: the model with all pairs of three lists, which has as many parameters as cells and
so cannot be wrong; and models whose likelihood has no maximum because of empty cells (Fienberg
and Rinaldo 2012, Annals of Statistics 40).
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from itertools import chain, combinations

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.optimize import brentq, linprog
from scipy.special import gammaln, ndtri, xlogy

FloatArray = npt.NDArray[np.float64]
Pairs = tuple[tuple[int, int], ...]


def chapman(table: FloatArray, *, clumping: float, level: float) -> pd.DataFrame:
    """Of (2, 2) counts by list, none of the lists alone empty; one row, see `log_linear`."""
    first, second, both = float(table[1, 0]), float(table[0, 1]), float(table[1, 1])
    found = first * second / (both + 1)
    variance = clumping * (
        (first + both + 1) * (second + both + 1) * first * second / ((both + 1) ** 2 * (both + 2))
    )
    z = float(ndtri(0.5 + level / 2))
    spread = math.exp(z * math.sqrt(math.log1p(variance / found**2)))
    return frame([("Chapman", 3, 0.0, found, found / spread, found * spread, "")])


def log_linear(
    table: FloatArray, *, names: Sequence[str], clumping: float, level: float
) -> pd.DataFrame:
    """All models with main effects and pairs, best first, then those that cannot be fitted.

    Parameters
    ----------
    table
        (2, …, 2) counts by list; what stands where no list found any is not used.

    Returns
    -------
    model, parameters, aic (above the best; over the clumping), unseen, low, high, chosen (False),
    note ("" where fitted). Ends only of models within two points of the best.
    """
    lists = len(names)
    pairs = list(combinations(range(lists), 2))
    rows = []
    for chosen in chain.from_iterable(combinations(pairs, k) for k in range(len(pairs) + 1)):
        name = " + ".join(f"{names[j]}×{names[k]}" for j, k in chosen)
        model = _Model(table, chosen, clumping)
        if model.parameters >= 2**lists - 1:
            note = "not fitted: as many parameters as cells"
        elif not model.exists():
            note = "not fitted: empty cells, no largest likelihood"
        else:
            aic, found = model.fit()
            rows.append((name or "independent", model, aic, found, ""))
            continue
        rows.append((name, model, math.nan, math.nan, note))
    best = min((aic for _, _, aic, _, note in rows if not note), default=math.nan)
    told = []
    for name, model, aic, found, note in rows:
        # Only models that may enter the interval are worth their profile.
        ends = model.profile(found, level) if aic <= best + 2 else (math.nan, math.nan)
        told.append((name, model.parameters, aic - best, found, *ends, note))
    return frame(sorted(told, key=lambda row: (bool(row[-1]), row[2], row[1], row[0])))


class _Model:
    """A log-linear model of the histories that were seen."""

    def __init__(self, table: FloatArray, pairs: Pairs, clumping: float) -> None:
        lists = table.ndim
        cells = np.array(list(np.ndindex(table.shape)))
        columns = [np.ones(len(cells)), *cells.T]
        columns += [cells[:, j] * cells[:, k] for j, k in pairs]
        # The history that nobody found is the first row; its mean is the intercept alone.
        self._design = np.column_stack(columns).astype(float)
        self._counts = table.ravel()[1:]
        self._clumping = clumping
        self.parameters = 1 + lists + len(pairs)

    def exists(self) -> bool:
        """Whether the likelihood has a largest value: no direction only lowers empty cells."""
        design, empty = self._design[1:], self._counts == 0
        if np.linalg.matrix_rank(design) < self.parameters:
            return False
        if not empty.any():
            return True
        found = linprog(
            design[empty].sum(axis=0), A_ub=design[empty], b_ub=np.zeros(int(empty.sum())),
            A_eq=design[~empty], b_eq=np.zeros(int((~empty).sum())), bounds=(-1, 1),
            method="highs",
        )  # fmt: skip
        return bool(found.fun > -1e-9)

    def fit(self) -> tuple[float, float]:
        """Akaike's criterion (over the clumping) and the expected count that nobody found."""
        fitted = self._poisson(self._design[1:], self._counts)
        means = np.exp(self._design[1:] @ fitted)
        fit = float(np.sum(xlogy(self._counts, means) - means - gammaln(self._counts + 1)))
        return -2 * fit / self._clumping + 2 * self.parameters, float(np.exp(fitted[0]))

    def profile(self, found: float, level: float) -> tuple[float, float]:
        """Counts of the unseen that the deviance does not rule out; infinite without limit."""
        limit = float(ndtri(0.5 + level / 2)) ** 2 * self._clumping
        least = self._deviance(found)

        def beyond(guess: float) -> float:
            return self._deviance(guess) - least - limit

        low = 0.0 if beyond(0.0) <= 0 else float(brentq(beyond, 0.0, found, rtol=1e-4))
        far = 2 * found + 10
        while beyond(far) < 0:
            far *= 4
            if far > 1e9 * (found + 1):
                return low, math.inf
        return low, float(brentq(beyond, found, far, rtol=1e-4))

    def _deviance(self, guess: float) -> float:
        """With `guess` as the count that nobody found."""
        counts = np.concatenate([[guess], self._counts])
        means = np.exp(self._design @ self._poisson(self._design, counts))
        return float(2 * np.sum(xlogy(counts, np.where(counts > 0, counts, 1.0) / means)
                                - (counts - means)))  # fmt: skip

    def _poisson(self, design: FloatArray, counts: FloatArray) -> FloatArray:
        from statsmodels.genmod.families import Poisson
        from statsmodels.genmod.generalized_linear_model import GLM
        from statsmodels.tools.sm_exceptions import PerfectSeparationWarning

        with warnings.catch_warnings():
            # A guess far off fits its cell exactly; whether there is a fit at all was asked before.
            warnings.simplefilter("ignore", PerfectSeparationWarning)
            fitted = GLM(counts, design, family=Poisson()).fit(maxiter=200, tol=1e-10)
        return np.asarray(fitted.params, dtype=np.float64)


def frame(rows: list[tuple[object, ...]]) -> pd.DataFrame:
    """The columns of `log_linear`."""
    columns = ["model", "parameters", "aic", "unseen", "low", "high", "note"]
    made = pd.DataFrame(rows, columns=columns)
    made.insert(6, "chosen", False)
    return made
