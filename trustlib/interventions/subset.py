"""Part of a panel: what the diagnostics estimate again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from trustlib.interventions.panel import IntArray, Panel


def subset(panel: Panel, kept: np.ndarray, *, first_treated: IntArray | None = None) -> Panel:
    """The units of `panel` in the mask `kept` (n_units,); clusters are numbered anew.

    Parameters
    ----------
    first_treated
        (n_units,) start dates instead of the panel's.
    """
    codes, cluster = np.unique(panel.cluster[kept], return_inverse=True)
    starts = panel.first_treated if first_treated is None else first_treated
    return replace(
        panel,
        outcome=panel.outcome[kept],
        first_treated=starts[kept],
        weight=panel.weight[kept],
        cluster=cluster,
        covariates=panel.covariates[kept],
        standard_error=None if panel.standard_error is None else panel.standard_error[kept],
        neighbour=None if panel.neighbour is None else panel.neighbour[kept],
        unit_names=tuple(name for name, keep in zip(panel.unit_names, kept, strict=True) if keep),
        cluster_names=tuple(panel.cluster_names[code] for code in codes),
    )
