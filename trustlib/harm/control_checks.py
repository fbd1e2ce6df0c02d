"""Why to believe what is said of the controls: one check per assumption."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from trustlib.core import Check, Estimate
from trustlib.core.format import percent, plural
from trustlib.harm.sample import LabelledSample, Population
from trustlib.harm.share import Of, estimated
from trustlib.harm.strata import stratum_table, zero_strata

FEW_LABELS = 25


def checks(
    sample: LabelledSample,
    population: Population,
    recall: Estimate,
    seen: npt.NDArray[np.bool_],
    *,
    of: Of,
    level: float,
) -> tuple[Check, ...]:
    if recall.point is None or recall.low is None:
        return (
            Check(
                name="recall_labels",
                verdict="not_run",
                label="recall not estimable",
                text="No label is violating, so nothing says what the controls miss.",
            ),
        )
    few = recall.n < FEW_LABELS
    counted = f"Recall rests on {plural(recall.n, 'violating label')}"
    enough = Check(
        name="recall_labels",
        verdict="warn" if few else "pass",
        label="few violating labels" if few else "enough violating labels",
        text=f"{counted}; below {FEW_LABELS} the interval is rough." if few else f"{counted}.",
    )
    found = estimated(sample, population, label=sample.label, of=of, cluster=False)
    caught = estimated(sample, population, label=sample.label * seen, of=of, cluster=False)
    table = stratum_table(sample, population, found, level=level, of=of, cluster=False)
    strata, bound = zero_strata(table, found, level=level)
    worst = caught.share / (found.share + bound)
    hidden = worst < recall.low
    text = (
        f"{plural(len(strata), 'stratum', 'strata')} without a violating label could still hide "
        f"some; if all that the labels allow were there and missed, recall would be "
        f"{percent(worst)} instead of {percent(recall.point)}."
    )
    return (
        enough,
        Check(
            name="recall_empty_strata",
            verdict="warn" if hidden else "pass",
            label="recall may be lower" if hidden else "no stratum can hide much",
            text=text if strata else "Every labelled stratum has a violating label.",
        ),
    )
