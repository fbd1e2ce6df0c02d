"""One target and its donors: what every preset fits, and every placebo fits again."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from trustlib.interventions.panel import FloatArray


@dataclass(frozen=True, kw_only=True, eq=False)
class Case:
    """A target path, its donors, and where treatment starts.

    Attributes
    ----------
    target
        (n_periods,) the treated unit's outcome, or the mean of several.
    donors
        (n_donors, n_periods).
    n_pre
        Periods before treatment.
    n_treated
        Units that `target` is the mean of.
    target_predictors, donor_predictors
        (k,) and (n_donors, k); k may be 0.
    fit_from, fit_to
        Periods [fit_from, fit_to) on which predictor weights are fitted, within [0, n_pre).
    noise
        Standard deviation of the donors' first differences before treatment, if it is to be
        taken from elsewhere (placebos of a study keep the study's regularisation); None: from
        these donors.
    """

    target: FloatArray
    donors: FloatArray
    n_pre: int
    n_treated: int = 1
    target_predictors: FloatArray = field(default_factory=lambda: np.empty(0))
    donor_predictors: FloatArray | None = None
    fit_from: int = 0
    fit_to: int | None = None
    noise: float | None = None

    @property
    def n_donors(self) -> int:
        return int(self.donors.shape[0])

    @property
    def n_periods(self) -> int:
        return int(self.target.shape[0])

    @property
    def n_post(self) -> int:
        return self.n_periods - self.n_pre

    @property
    def n_predictors(self) -> int:
        return len(self.target_predictors)

    def placebo(self, donor: int, *, noise: float | None = None) -> Case:
        """The same question of a donor, with the other donors as its pool."""
        predictors = self.donor_predictors
        return replace(
            self.without(donor),
            target=self.donors[donor],
            n_treated=1,
            target_predictors=np.empty(0) if predictors is None else predictors[donor],
            noise=noise,
        )

    @property
    def fitted(self) -> slice:
        """The periods on which predictor weights are fitted."""
        return slice(self.fit_from, self.n_pre if self.fit_to is None else self.fit_to)

    def without(self, *donors: int) -> Case:
        """The same target without the donors at these positions."""
        others = ~np.isin(np.arange(self.n_donors), donors)
        predictors = self.donor_predictors
        return replace(
            self,
            donors=self.donors[others],
            donor_predictors=None if predictors is None else predictors[others],
        )
