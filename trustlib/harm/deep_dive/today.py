"""What today's controls do and what they miss: recall, overlap, appeals, what none of them sees."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from trustlib.core import Check, Estimate
from trustlib.core.format import interval, percent
from trustlib.data.abuse_records import AbuseRows
from trustlib.harm.control_rates import Overturns, overturns, proactive_rate
from trustlib.harm.controls import Controls, controls, precision_of
from trustlib.harm.deep_dive.capture_lists import USER_REPORTS, unseen_by
from trustlib.harm.deep_dive.corrected_precision import corrected_precision, corrected_precisions
from trustlib.harm.deep_dive.how import Why, absent
from trustlib.harm.deep_dive.label_error import label_error
from trustlib.harm.deep_dive.result import Today
from trustlib.harm.deep_dive.samples import Samples
from trustlib.harm.deep_dive.spec import DeepDiveSpec
from trustlib.harm.rater_error import RaterError
from trustlib.harm.unseen import Unseen
from trustlib.harm.weighted_ratio import expansion

BoolArray = npt.NDArray[np.bool_]

PREFIX = "control:"


def today(rows: AbuseRows, samples: Samples, spec: DeepDiveSpec) -> tuple[Today, Why]:
    """Controls, hits, overturns, proactive rate and the unseen; and why a part is missing.

    Precision is corrected for the raters' errors where answers are known; recall, in which they
    cancel but for false positives, is as the labels say.
    User reports count as one of today's controls: what they find is found. So
    `recall_of_controls` is of rules, models, reviews and reports together, and each has its own.

    Returns
    -------
    The section, and field ("today.controls", …) -> why it is None or empty.
    """
    why: Why = {}
    names, flags = flagged(rows, samples)
    found = Today(
        controls=_controls(rows, samples, spec, names, flags, why),
        hits=rows.controls,
        overturns=_overturns(rows, samples, spec, why),
        proactive=_proactive(rows, spec, why),
        unseen=_unseen(rows, samples, spec, names, flags, why),
    )
    if rows.controls.empty:
        why["today.hits"] = absent(rows, "actions", "No control acted on an item of the window.")
    return found, why


def flagged(rows: AbuseRows, samples: Samples) -> tuple[tuple[str, ...], BoolArray]:
    """Today's controls by name, and (n, K) whether each found the labelled item."""
    columns = sorted(str(c) for c in samples.rows_of_items if str(c).startswith(PREFIX))
    names = [name.removeprefix(PREFIX) for name in columns]
    if "reports" not in rows.missing and "reported" in samples.rows_of_items:
        columns, names = [*columns, "reported"], [*names, USER_REPORTS]
    return tuple(names), samples.rows_of_items[columns].to_numpy(bool)


def _controls(
    rows: AbuseRows,
    samples: Samples,
    spec: DeepDiveSpec,
    names: tuple[str, ...],
    flags: BoolArray,
    why: Why,
) -> Controls | None:
    if samples.items is None:
        why["today.controls"] = absent(rows, "labels", "No item of the window was labelled.")
        return None
    if not names:
        why["today.controls"] = absent(rows, "actions", "There is no control in the tables.")
        return None
    found = controls(samples.items, samples.items_population, flags, names=names, level=spec.level)
    return corrected_precisions(found, _error(rows, samples, spec), seed=spec.seed)


def _error(rows: AbuseRows, samples: Samples, spec: DeepDiveSpec) -> RaterError | None:
    """Of labels with as many votes as the sample's; None without known answers."""
    if rows.gold.empty:
        return None
    votes = samples.rows_of_items["n_votes"]
    return label_error(rows.gold, votes, level=spec.level, seed=spec.seed)


def _overturns(rows: AbuseRows, samples: Samples, spec: DeepDiveSpec, why: Why) -> Overturns | None:
    seen = rows.appealed
    if seen is None:
        none = absent(rows, "actions", "No appeal belongs to an item of the window.")
        why["today.overturns"] = absent(rows, "appeals", none)
        return None
    found = overturns(
        enforced=seen.enforced,
        appealed=seen.appealed,
        decided=seen.decided,
        overturned=seen.overturned,
        level=spec.level,
    )
    return _audited(found, rows, samples, spec)


def _audited(found: Overturns, rows: AbuseRows, samples: Samples, spec: DeepDiveSpec) -> Overturns:
    """With the labels of what controls acted on: drawn at random, they are an audit."""
    sample, (names, flags) = samples.items, flagged(rows, samples)
    acts = [at for at, name in enumerate(names) if name != USER_REPORTS]
    if sample is None or not flags[:, acts].any():
        return found
    acted = np.asarray(flags[:, acts].any(axis=1), dtype=bool)
    # One order for every file, so that sums are the same to the last digit.
    order = np.lexsort((sample.inclusion, sample.label, sample.actor, acted, sample.stratum))
    precision = precision_of(
        sample.take(order), samples.items_population, acted[order], level=spec.level
    )
    right = corrected_precision(precision, _error(rows, samples, spec), seed=spec.seed)
    if right.point is None or right.low is None or right.high is None:
        return found
    wrong = replace(right, point=1 - right.point, low=1 - right.high, high=1 - right.low,
                    unit="share of enforced items")  # fmt: skip
    return replace(found, wrong_rate=wrong, check=_audit_check(found, wrong))


def _audit_check(found: Overturns, wrong: Estimate) -> Check:
    rate = found.overturn_rate.point
    text = (
        f"Of what controls acted on, labels drawn at random say that {percent(wrong.point)} "
        f"({interval(wrong.low, wrong.high, percent)}) is not violating"
    )
    if rate is None or wrong.low is None or wrong.high is None:
        return replace(found.check, label="no decided appeals",
                       text=f"{text}; no appeal was decided.")  # fmt: skip
    text += f"; {percent(rate)} of decided appeals were overturned."
    if wrong.low <= rate <= wrong.high:
        return replace(found.check, verdict="pass", label="appeals agree with labels", text=text)
    return replace(found.check, verdict="warn", label="appeals are not the error rate",
                   text=f"{text} Who appeals is selected: use the labels.")  # fmt: skip


def _proactive(rows: AbuseRows, spec: DeepDiveSpec, why: Why) -> Estimate | None:
    each = rows.proactive
    times = each["accounts"].to_numpy(np.int64)
    if not (each["actioned"].to_numpy(np.int64) * times).sum() > 0:
        none = absent(rows, "actions", "No control acted on an item of the window.")
        why["today.proactive"] = absent(rows, "reports", none)
        return None
    return proactive_rate(
        np.repeat(each["proactive"].to_numpy(), times),
        np.repeat(each["actioned"].to_numpy(), times),
        level=spec.level,
    )


def _unseen(
    rows: AbuseRows,
    samples: Samples,
    spec: DeepDiveSpec,
    names: tuple[str, ...],
    flags: BoolArray,
    why: Why,
) -> Unseen | None:
    """From the histories of the violating labelled items, each counted for what it stands for."""
    field, sample = "today.unseen", samples.items
    if sample is None:
        why[field] = absent(rows, "labels", "No item of the window was labelled.")
        return None
    bad = sample.label > 0
    if not bad.any():
        why[field] = "No labelled item is violating, so there is nothing that controls found."
        return None
    seen = unseen_by(
        flags[bad],
        names=names,
        confirming=rows.query.confirming_sources,
        weight=expansion(sample, samples.items_population, "items")[bad],
        actor=sample.cluster[bad],
        level=spec.level,
    )
    if seen is None:
        few = "Fewer than two controls found a labelled violating item by themselves."
        why[field] = absent(rows, "actions", few)
    return seen
