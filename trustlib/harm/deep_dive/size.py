"""How much: a floor that is known, and shares of items and of views with their errors."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from trustlib.core import Check, Estimate
from trustlib.core.format import exact, plural
from trustlib.data.abuse_records import AbuseRows
from trustlib.harm.agreement import Agreement, agreement
from trustlib.harm.corrected import CorrectedPrevalence, corrected_prevalence
from trustlib.harm.deep_dive.arrived import arrived_check, labels_arrived
from trustlib.harm.deep_dive.label_error import label_error
from trustlib.harm.deep_dive.result import Size
from trustlib.harm.deep_dive.samples import Samples
from trustlib.harm.deep_dive.spec import DeepDiveSpec
from trustlib.harm.prediction_powered import PredictionPowered, prediction_powered
from trustlib.harm.prevalence import Prevalence, prevalence
from trustlib.harm.rater_error import RaterError
from trustlib.harm.sample import LabelledSample, Population
from trustlib.harm.share import Of

SEEN_ITEMS = "from labelled items, weighed by their views"
NO_LABELS = "No item made in the window has a label."

Drawn = tuple[LabelledSample, Population]


def size(rows: AbuseRows, samples: Samples, spec: DeepDiveSpec) -> tuple[Size, dict[str, str]]:
    """Shares of items and views, as labelled and corrected, beside what is confirmed."""
    error, view_error = _errors(rows, samples, spec)
    found = Size(
        items=_prevalence(of_items(samples), spec, "items"),
        views=_prevalence(of_views(samples), spec, "views", seen=samples.views is None),
        items_corrected=_corrected(of_items(samples), error, spec, "items"),
        views_corrected=_corrected(
            of_views(samples), view_error, spec, "views", seen=samples.views is None
        ),
        prediction_powered=_powered(rows, samples, spec),
        rater_error=error,
        agreement=_agreement(samples, spec),
        confirmed=rows.confirmed,
        labels_arrived=labels_arrived(samples.weeks),
    )
    return found, _why(rows, found)


def of_items(samples: Samples) -> Drawn | None:
    """What a share of items is measured on."""
    if samples.items is None or not samples.items_population.items.sum() > 0:
        return None
    return samples.items, samples.items_population


def of_views(samples: Samples) -> Drawn | None:
    """What a share of views is measured on: labelled views, or labelled items that were seen."""
    if samples.views is not None:
        return samples.views, samples.views_population
    if samples.seen is not None and samples.seen_population.views.sum() > 0:
        return samples.seen, samples.seen_population
    return None


def size_checks(found: Size, samples: Samples, spec: DeepDiveSpec) -> tuple[Check, ...]:
    """labels_arrived; labels_outside_strata and floor_below_estimate where they can be told."""
    made = [arrived_check(found.labels_arrived, timezone=spec.timezone)]
    if any(samples.outside):
        left = plural(sum(samples.outside), "label")
        made.append(Check(
            name="labels_outside_strata", verdict="warn", label="labels of unknown strata",
            text=f"{left} of the window stand in a stratum of which nothing was counted, and are "
            "left out. Name the strata of items and labels alike.",
        ))  # fmt: skip
    best = found.items_corrected or found.items
    if found.confirmed is not None and best is not None and best.estimate.high is not None:
        whole = float(samples.items_population.items.sum())
        made.append(_floor_check(found.confirmed.items, best.estimate.high * whole))
    return tuple(made)


def _prevalence(
    drawn: Drawn | None, spec: DeepDiveSpec, of: Of, *, seen: bool = False
) -> Prevalence | None:
    if drawn is None:
        return None
    found = prevalence(*drawn, level=spec.level, of=of)
    if not seen:
        return found
    return replace(found, estimate=_told(found.estimate), total=_told(found.total))


def _corrected(
    drawn: Drawn | None,
    error: RaterError | None,
    spec: DeepDiveSpec,
    of: Of,
    *,
    seen: bool = False,
) -> CorrectedPrevalence | None:
    if drawn is None or error is None:
        return None
    found = corrected_prevalence(*drawn, error, level=spec.level, of=of, seed=spec.seed)
    return replace(found, estimate=_told(found.estimate)) if seen else found


def _told(estimate: Estimate) -> Estimate:
    return replace(estimate, method=f"{estimate.method}, {SEEN_ITEMS}")


def _errors(
    rows: AbuseRows, samples: Samples, spec: DeepDiveSpec
) -> tuple[RaterError | None, RaterError | None]:
    """Of labels of items and of views, each with as many votes as those have."""
    if rows.gold.empty:
        return None, None

    def error(votes: npt.ArrayLike) -> RaterError:
        given = np.asarray(votes)
        return label_error(
            rows.gold, given if given.size else [1], level=spec.level, seed=spec.seed
        )

    items = error(samples.rows_of_items["n_votes"])
    if samples.views is None:
        return items, items
    return items, error(rows.view_sample.loc[rows.view_sample["in_window"], "n_votes"])


def _powered(rows: AbuseRows, samples: Samples, spec: DeepDiveSpec) -> PredictionPowered | None:
    """Only where some labelled item has a score."""
    drawn = of_items(samples)
    if drawn is None or np.isnan(drawn[0].score).all():
        return None
    names = list(drawn[1].strata)
    mean = np.full(len(names), np.nan)
    if "mean_score" in rows.population:
        mean = rows.population.set_index("stratum")["mean_score"].reindex(names).to_numpy(float)
    return prediction_powered(*drawn, mean_score=mean, level=spec.level)


def _agreement(samples: Samples, spec: DeepDiveSpec) -> Agreement | None:
    """Of items of the window that were rated twice, each standing for 1 / its chance to be drawn.

    Which of the drawn are rated twice is left to chance, so that part cancels out.
    """
    sample = samples.items
    if sample is None or not ((~np.isnan(sample.votes)).sum(axis=1) >= 2).any():
        return None
    order = np.lexsort((np.nansum(sample.votes, axis=1), sample.inclusion, sample.stratum))
    return agreement(
        sample.votes[order],
        categories=(0.0, 1.0),
        weight=1 / sample.inclusion[order],
        stratum=sample.stratum[order],
        level=spec.level,
        seed=spec.seed,
    )


def _floor_check(confirmed: int, most: float) -> Check:
    name = "floor_below_estimate"
    if confirmed > most:
        return Check(
            name=name,
            verdict="fail",
            label="more is confirmed than estimated",
            text=f"{exact(confirmed)} items are confirmed to violate, more than the "
            f"{exact(most)} at which the estimate's interval ends. Labels, their chances to be "
            "drawn, or what confirms, do not mean the same.",
        )
    return Check(name=name, verdict="pass", label="floor below the estimate",
                 text="What is confirmed to violate lies below the end of the estimate's "
                 "interval.")  # fmt: skip


def _why(rows: AbuseRows, found: Size) -> dict[str, str]:
    labels = lacking(rows, "labels", NO_LABELS)
    views = lacking(
        rows, "views", "Neither a view of the window nor an item seen in it has a label."
    )
    if "views" not in rows.missing and "labels" in rows.missing:
        views = f"{lacking(rows, 'view_labels', 'No view of the window has a label.')} {labels}"
    gold = lacking(rows, "gold", "No item with a known answer was rated.")
    unlabelled = found.items is None
    scores = lacking(rows, "scores", "No labelled item has a score.")
    again = "No item of the window was rated twice."
    told = {
        "items": labels,
        "views": views,
        "items_corrected": labels if unlabelled else gold,
        "views_corrected": views if found.views is None else gold,
        "prediction_powered": labels if unlabelled else scores,
        "rater_error": gold,
        "agreement": labels if unlabelled else again,
        "confirmed": f"{labels} No decision of a source that confirms was given either.",
    }
    why = {f"size.{name}": text for name, text in told.items() if getattr(found, name) is None}
    if found.labels_arrived.empty:
        why["size.labels_arrived"] = labels
    return why


def lacking(rows: AbuseRows, role: str, otherwise: str) -> str:
    """A sentence: the role's own reason where it is missing."""
    reason = rows.missing.get(role)  # type: ignore[call-overload]
    return f"There is nothing of {role.replace('_', ' ')}: {reason}." if reason else otherwise
