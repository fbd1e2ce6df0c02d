"""What to do first: options that the data suggest, ranked by harm addressed per false positive."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from trustlib.core import Estimate, Refusal
from trustlib.core.format import plural
from trustlib.data.abuse_records import AbuseRows
from trustlib.harm.deep_dive.capture_lists import USER_REPORTS
from trustlib.harm.deep_dive.how import Why, absent
from trustlib.harm.deep_dive.result import How, Today
from trustlib.harm.deep_dive.samples import Samples
from trustlib.harm.deep_dive.spec import DeepDiveSpec
from trustlib.harm.deep_dive.today import flagged
from trustlib.harm.option_sizes import option_from_sample
from trustlib.harm.options import Kind, Option, Ranking, ranked_options
from trustlib.harm.sample import FloatArray, LabelledSample
from trustlib.harm.small_cells import SMALLEST_CELL

BoolArray = npt.NDArray[np.bool_]

CLUSTERS = 3
# Parts of the violating labels that no control acts on, which a suggested threshold would catch.
CAUGHT = (0.5, 0.75, 0.9)
# One violating label of three accounts' items makes no option the best there is.
FEWEST_LABELS = 5
LEAST_GAIN = 0.005  # rise of the chance of choosing rightly for which labels are worth asking


@dataclass(frozen=True, kw_only=True, eq=False)
class _Candidate:
    name: str
    kind: Kind
    flagged: BoolArray  # (n,) of the labelled items
    most: float | None = None  # items of the window that it would hit at all


def ranking(
    rows: AbuseRows, samples: Samples, today: Today, how: How, spec: DeepDiveSpec
) -> tuple[Ranking | None, Why]:
    """Lower the score's threshold, act on newly frequent domains, act on clusters, label more.

    What an option adds is what no control acts on today. Acting on a whole
    segment is no option: nobody is violating for where they live. Domains and clusters were found
    in the same window in which they are weighed; the labels that weigh them were drawn without
    them.

    Returns
    -------
    The ranking, None without labels or without anything to weigh, and then why; "ranking.harm" ->
    why harm is not weighed as the taxonomy asks.
    """
    sample = samples.items
    if sample is None:
        return None, {"ranking": absent(rows, "labels", "No item of the window was labelled.")}
    names, flags = flagged(rows, samples)
    # What users report is found, but nobody has acted on it yet.
    acts = [at for at, name in enumerate(names) if name != USER_REPORTS]
    caught = np.asarray(flags[:, acts].any(axis=1), dtype=bool)
    candidates = _candidates(rows, samples, how, spec, sample, caught)
    if not candidates:
        return None, {"ranking": "There is no score, no newly frequent domain and no cluster to "
                      "act on."}  # fmt: skip
    why: Why = {}
    worth, unit = _worth(samples, sample, rows, spec, why)
    options = [
        _enough(
            option_from_sample(
                sample,
                samples.items_population,
                name=one.name,
                kind=one.kind,
                flagged=one.flagged,
                caught=caught,
                worth=worth,
                most=one.most,
                unit=unit,
                level=spec.level,
            )
        )
        for one in candidates
    ]
    return _ranked(options, spec), why


def _enough(option: Option) -> Option:
    """The option without its numbers where too few labels stand behind them."""
    if option.harm is None or option.false_positives is None or option.harm.n >= FEWEST_LABELS:
        return option
    found = plural(option.harm.n, "label") if option.harm.n else "no label"
    note = f"not estimable: {found} of what it would act on, {FEWEST_LABELS} are needed"

    def without(one: Estimate) -> Estimate:
        return replace(one, point=None, low=None, high=None, standard_error=None, note=note)

    return replace(
        option,
        harm=without(option.harm),
        false_positives=without(option.false_positives),
        correlation=0.0,
    )


def _ranked(options: list[Option], spec: DeepDiveSpec) -> Ranking:
    """The options, and labels for those whose numbers are not known or would change the order."""
    first = ranked_options(options, level=spec.level, seed=spec.seed)
    needed = [one.name for one in options if one.harm is None or one.harm.point is None]
    best = first.measurements
    if len(best) and best["gain"].iloc[0] > LEAST_GAIN:
        needed.append(str(best["option"].iloc[0]))
    labels = [
        Option(name=f"more labels for {name}", kind="label", measures=name) for name in needed
    ]
    return ranked_options([*options, *labels], level=spec.level, seed=spec.seed)


def _candidates(
    rows: AbuseRows,
    samples: Samples,
    how: How,
    spec: DeepDiveSpec,
    sample: LabelledSample,
    caught: BoolArray,
) -> list[_Candidate]:
    found = [
        _Candidate(
            name=f"acting on scores from {at:.2f}", kind="threshold", flagged=sample.score >= at
        )
        for at in thresholds(sample, spec, caught=caught)
    ]
    found += _domains(samples, how)
    return found + _clusters(rows, sample, how)


def thresholds(
    sample: LabelledSample, spec: DeepDiveSpec, *, caught: BoolArray
) -> tuple[float, ...]:
    """Those of the spec; else three that would catch given parts of what no control acts on.

    Rounded down to a hundredth; none without scores, or where controls act on all violating labels.
    """
    scored = ~np.isnan(sample.score)
    if not scored.any():
        return ()
    if spec.thresholds:
        return tuple(sorted(set(spec.thresholds), reverse=True))
    missed = sample.score[scored & (sample.label > 0) & ~caught]
    if not len(missed):
        return ()
    cuts = np.quantile(missed, [1 - part for part in CAUGHT], method="lower")
    return tuple(sorted({float(at) for at in np.floor(cuts * 100) / 100}, reverse=True))


def _domains(samples: Samples, how: How) -> list[_Candidate]:
    """One rule for all newly frequent domains."""
    if how.newly_frequent is None:
        return []
    tokens = how.newly_frequent.tokens
    domains = tokens[tokens["kind"] == "domain"]
    codes = domains["token"].to_numpy(np.int64)
    if not len(codes):
        return []
    hit = samples.rows_of_items["domain"].isin(codes).to_numpy(bool)
    name = f"acting on items with {plural(len(codes), 'newly frequent domain')}"
    most = _known(domains[["before", "now"]].sum().sum())
    return [_Candidate(name=name, kind="rule", flagged=hit, most=most)]


def _clusters(rows: AbuseRows, sample: LabelledSample, how: How) -> list[_Candidate]:
    if how.coordination is None:
        return []
    members = how.coordination.members
    found = []
    for cluster in how.coordination.clusters["cluster"].to_numpy(np.int64)[:CLUSTERS]:
        actors = members.loc[members["cluster"] == cluster, "actor"].to_numpy(np.int64)
        hit = np.isin(sample.actor, actors)
        items = rows.actors.set_index("actor")["items"].reindex(actors)
        name = f"acting on cluster {cluster}"
        most = _known(items.sum()) if items.notna().all() else None
        found.append(_Candidate(name=name, kind="cluster", flagged=hit, most=most))
    return found


def _known(items: float) -> float:
    """A known number of items as a limit; a count below 11 is not given away by one."""
    return max(float(items), float(SMALLEST_CELL))


def _worth(
    samples: Samples, sample: LabelledSample, rows: AbuseRows, spec: DeepDiveSpec, why: Why
) -> tuple[FloatArray | None, str]:
    """Severity times views or items by the taxonomy; one for each violating item without it."""
    items = "violating items"
    if spec.taxonomy is None:
        return None, items
    bad = sample.label > 0
    policy = samples.rows_of_items["policy"].astype("object")
    # Labels without a policy mean the one that was asked for.
    policy = policy.where(policy.notna() & (policy != ""), rows.query.policy or "")
    worth = np.zeros(sample.n)
    try:
        worth[bad] = spec.taxonomy.worth(policy[bad].tolist(), {"views": sample.views[bad]})
    except Refusal as refused:
        why["ranking.harm"] = (
            f"Harm could not be weighed by the taxonomy ({refused.what}), so every violating item "
            "counts as 1."
        )
        return None, items
    return worth, spec.taxonomy.unit
