"""An outcome that is itself an estimate: how much of the answer's error is its own.

The simple ATT without covariates is Σ c_it Y_it (`trustlib.interventions.simple_att`), so
independent sampling errors s_it of the outcomes add Σ c_it² s_it² to its variance. They are
in the data that the clustered error is made from, so the interval holds them already: this
says how much of it would go away with better measurement, and whether the two agree.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trustlib.core import Check, format
from trustlib.interventions.design import design
from trustlib.interventions.panel import Panel
from trustlib.interventions.randomization import cluster_starts
from trustlib.interventions.simple_att import cell_weights, sums, with_error
from trustlib.interventions.spec import DidSpec


@dataclass(frozen=True, kw_only=True)
class MeasurementError:
    """The part of the simple ATT's error that comes from measuring the outcome.

    Attributes
    ----------
    measured, standard_error
        √Σ c² s², and the clustered error that holds it; in the outcome's unit.
    share
        Of the variance; may pass 1 where the stated errors are too large.
    known
        Share of cells, by their squared weight, whose error is given.
    """

    measured: float
    standard_error: float
    share: float
    known: float


def measurement_error(panel: Panel, spec: DidSpec) -> MeasurementError | None:
    """Propagate `panel.standard_error`; None without it, or where there is no clustered error."""
    start = cluster_starts(panel)
    if panel.standard_error is None or start is None:
        return None
    made = sums(
        panel, control_group=design(panel, spec).control_group, anticipation=spec.anticipation
    )
    weights = cell_weights(panel, made, start) ** 2
    given = np.isfinite(panel.standard_error)
    own = float(np.sum(np.where(given, weights * np.nan_to_num(panel.standard_error) ** 2, 0.0)))
    known = float(weights[given].sum() / weights.sum())
    error = with_error(made, start)[1]
    if not error > 0 or not known > 0:
        return None
    # Cells without a stated error count as if they had the average one.
    own /= known
    return MeasurementError(
        measured=own**0.5, standard_error=error, share=own / error**2, known=known
    )


def measurement_error_check(found: MeasurementError | None) -> Check:
    """How much of the interval is measurement."""
    name = "outcome_error"
    if found is None:
        text = "Not run: no column gives the outcome's own sampling error, or none can be used."
        label = "outcome taken as exact"
        return Check(name=name, verdict="not_run", label=label, text=text)
    text = (
        f"The outcome's own sampling error makes up {format.count(found.measured)} of the "
        f"effect's standard error of {format.count(found.standard_error)} "
        f"({format.percent(min(found.share, 1.0))} of its variance); the interval holds it "
        "already."
    )
    if found.known < 1:
        text += f" {format.percent(1 - found.known)} of it rests on cells without a stated error."
    if found.share > 1.5:
        text += " It is larger than what the data show: the stated errors are too large."
        label = "stated errors are too large"
        return Check(name=name, verdict="warn", label=label, text=text)
    if found.share > 0.5:
        text += " Better measurement would narrow it more than further units would."
        label = "mostly measurement error"
        return Check(name=name, verdict="warn", label=label, text=text)
    return Check(name=name, verdict="pass", label="measured well enough", text=text)
