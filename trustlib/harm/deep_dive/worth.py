"""Harm in the taxonomy's unit: what the window's violating items weigh together."""

from __future__ import annotations

import numpy as np

from trustlib.core import Estimate
from trustlib.harm.deep_dive.samples import Samples
from trustlib.harm.deep_dive.spec import DeepDiveSpec
from trustlib.harm.sample import FloatArray
from trustlib.harm.weighted_ratio import (
    GAMMA,
    expansion,
    sum_interval,
    unseen_part,
    weighted_sum,
)

AS_LABELLED = "as labelled: the raters' errors are not taken out"


def harm(samples: Samples, spec: DeepDiveSpec) -> Estimate | None:
    """Σ severity of violating items; None without a taxonomy or labels.

    Not estimable, with a note, where a label's policy belongs to no harm type, or a harm type is
    counted in what single items do not tell (accounts).
    """
    sample, known = samples.items, spec.taxonomy
    if sample is None or known is None:
        return None
    worth, why = item_worth(samples, spec)
    if worth is None:
        return Estimate(point=None, low=None, high=None, level=spec.level, unit=known.unit,
                        method=GAMMA, n=sample.n, note=f"not estimable: {why}")  # fmt: skip
    violating = sample.label > 0
    # A label that is not violating could have been one of the usual weight.
    usual = float(worth[violating].mean()) if violating.any() else 1.0
    found = weighted_sum(
        violating,
        weight=expansion(sample, samples.items_population, "items")
        * np.where(violating, worth, usual),
        unseen=unseen_part(sample, samples.items_population),
        cluster=sample.cluster,
        stratum=sample.stratum,
        possible=np.ones(sample.n, dtype=bool),
    )
    low, high = sum_interval(found, level=spec.level)
    return Estimate(point=found.total, low=low, high=high, level=spec.level, unit=known.unit,
                    method=GAMMA, n=sample.n, note=AS_LABELLED)  # fmt: skip


def item_worth(samples: Samples, spec: DeepDiveSpec) -> tuple[FloatArray | None, str]:
    """(n,) what each labelled item weighs, 0 where it is not violating; or None, and why."""
    sample, known = samples.items, spec.taxonomy
    if sample is None or known is None:
        return None, "there are no labels, or no taxonomy was given"
    violating = sample.label > 0
    policies = samples.rows_of_items["policy"].astype(object)[violating]
    strange = int((~policies.isin(known.policies)).sum())
    if strange:
        return None, f"the policy of {strange:,} violating labels belongs to no harm type"
    units = {known.harm_of(policy).counted_in for policy in policies}
    views = sample.views[violating]
    dollars = (spec.item_value_usd or 0.0) + (spec.view_value_usd or 0.0) * views
    if "accounts" in units:
        return None, "a harm type is counted in accounts, which single items do not tell"
    if "usd" in units and spec.item_value_usd is None and spec.view_value_usd is None:
        return None, "a harm type is counted in dollars, and no value in dollars was given"
    worth = np.zeros(sample.n)
    worth[violating] = known.worth(list(policies), {"views": views, "usd": dollars})
    return worth, ""
