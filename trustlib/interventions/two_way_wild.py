"""The two-way effect with few clusters: wild cluster bootstrap instead of Student's t."""

from __future__ import annotations

import numpy as np

from trustlib.interventions.panel import FloatArray, Panel
from trustlib.interventions.regression import Sample, sample
from trustlib.stats.wild_bootstrap import WildBootstrap, wild_cluster


def two_way_wild(
    panel: Panel,
    *,
    level: float = 0.95,
    draws: int = 9999,
    seed: int = 0,
    interval: bool = True,
) -> WildBootstrap:
    """Test and interval of `two_way`'s coefficient by the restricted wild cluster bootstrap.

    Unit effects lie within clusters, so they are projected out once; periods and covariates
    are the other regressors of every bootstrap sample.

    Raises
    ------
    Refusal
        If covariates are collinear.
    ValueError
        If the treatment cannot be told from the other regressors.
    """
    kept = sample(panel)
    treated = panel.first_treated[:, None] <= np.arange(panel.n_periods)
    columns = [panel.outcome, treated.astype(float)]
    columns += [kept.covariates[:, :, k] for k in range(len(kept.names))]
    columns += [np.broadcast_to(row, panel.outcome.shape) for row in np.eye(panel.n_periods)[1:]]
    there = kept.weight > 0
    stacked = np.stack([_within(values, kept)[there] for values in columns], axis=1)
    cluster = np.unique(
        np.broadcast_to(panel.cluster[:, None], there.shape)[there], return_inverse=True
    )[1]
    return wild_cluster(
        stacked[:, 0],
        regressor=stacked[:, 1],
        others=stacked[:, 2:],
        cluster=cluster,
        level=level,
        draws=draws,
        seed=seed,
        interval=interval,
    )


def _within(values: FloatArray, kept: Sample) -> FloatArray:
    """Values less their unit's weighted mean, times the root of the weight."""
    there = np.where(kept.weight > 0, values, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = (there * kept.weight).sum(axis=1) / kept.weight.sum(axis=1)
    return (there - mean[:, None]) * np.sqrt(kept.weight)
