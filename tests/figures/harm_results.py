"""A whole deep-dive of a made-up platform, every section filled by the functions of `harm`.

`made()` is complete; `made(ledger=None, where__mix=None)` lacks what is named (or has what is
given instead), and says why.
"""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache

import numpy as np
import pandas as pd

from tests.figures.harm_world import (
    CONTROLS,
    GUIDELINE,
    KINDS,
    MARKETS,
    NOW,
    STRATA,
    WEEKS,
    WINDOW,
    World,
    population_of,
    sample_of,
    world,
)
from trustlib.core import Estimate, Window
from trustlib.data.abuse_records import Confirmed
from trustlib.harm import LabelledSample, Population
from trustlib.harm.accounts_join import AccountsJoin
from trustlib.harm.agreement import agreement
from trustlib.harm.concentration import Concentration, Histogram, concentration
from trustlib.harm.control_rates import overturns, proactive_rate
from trustlib.harm.controls import Controls, controls
from trustlib.harm.coordination import Coordination, coordination
from trustlib.harm.corrected import corrected_prevalence
from trustlib.harm.deep_dive.result import DeepDive, How, Size, Today, Where
from trustlib.harm.deep_dive.spec import DeepDiveSpec
from trustlib.harm.instrument_ledger import InstrumentChange, InstrumentLedger, instrument_ledger
from trustlib.harm.lifecycle import Lifecycle, lifecycles
from trustlib.harm.newly_frequent import NewlyFrequent, newly_frequent
from trustlib.harm.option_sizes import option_from_sample
from trustlib.harm.options import Option, Ranking, ranked_options
from trustlib.harm.prediction_powered import prediction_powered
from trustlib.harm.prevalence import prevalence
from trustlib.harm.prevalence_by import prevalence_by
from trustlib.harm.rate_and_mix import RateAndMix, rate_and_mix
from trustlib.harm.rate_cells import cells_of_actors
from trustlib.harm.rater_error import rater_error_from_gold
from trustlib.harm.segment_cells import cells_of_sample
from trustlib.harm.segment_search import segment_search
from trustlib.harm.series import PrevalenceSeries
from trustlib.harm.shared_infrastructure import shared_infrastructure
from trustlib.harm.survivorship import survivorship
from trustlib.harm.unseen import Unseen, capture_histories, unseen

START = datetime(2025, 11, 10, tzinfo=UTC)  # a Monday
SPEC = DeepDiveSpec(
    window=Window(START + timedelta(weeks=WINDOW), START + timedelta(weeks=WEEKS)),
    history_start=START,
    compare_from=START + timedelta(weeks=NOW),
    area="scam",
    segments=("market", "kind"),
)
CHANGES = (
    InstrumentChange(at=START + timedelta(weeks=5, days=2), what="model", note="model version 2"),
    InstrumentChange(at=START + timedelta(weeks=GUIDELINE), what="labelling", note="new guideline"),
    InstrumentChange(at=START + timedelta(weeks=16), what="sampling", note="more labels"),
)
_MISSING = "Nobody gave a source for this."


def made(**missing) -> DeepDive:
    """The whole result; `section__field=value` (or `field=value`) puts something else there.

    What is None or empty then is in `why`.
    """
    found = _whole()
    for name, value in missing.items():
        head, _, field = name.partition("__")
        if field:
            value = replace(getattr(found, head), **{field: value})
        found = replace(found, **{head: value})
    return replace(found, why=_why(found))


def bare() -> DeepDive:
    """Only items were given: every section is missing that can be."""
    none = dict.fromkeys(("ledger", "ranking"))
    for head, part in (("size", Size), ("where", Where), ("how", How), ("today", Today)):
        none |= {f"{head}__{field.name}": None for field in fields(part)}
    empty = {
        "size__labels_arrived": _arrived([START] * WEEKS).iloc[:0],
        "where__segments": {},
        "how__lifecycles": (),
        "today__hits": pd.DataFrame({"source": [], "items": []}),
    }
    return made(**none | empty)


def _why(found: DeepDive) -> dict[str, str]:
    names = {name: getattr(found, name) for name in ("ledger", "ranking")}
    for head in ("size", "where", "how", "today"):
        part = getattr(found, head)
        names |= {f"{head}.{field.name}": getattr(part, field.name) for field in fields(part)}
    return {name: _MISSING for name, value in names.items() if value is None or not _filled(value)}


def _filled(value: object) -> bool:
    return len(value) > 0 if isinstance(value, (pd.DataFrame, dict, tuple)) else True


@lru_cache(maxsize=1)
def _whole() -> DeepDive:
    own = world()
    inside = own.labels["week"].to_numpy() >= WINDOW
    items = own.items[own.items["week"] >= WINDOW]
    sample, population = sample_of(own, inside), population_of(items)
    size, where = _size(own, sample, population, items), _where(own, sample, population, items)
    how = How(lifecycles=_lifecycles(own), coordination=_rings(items), newly_frequent=_tokens())
    found, hidden = _controls(own, sample, population, inside)
    today = _today(items, found, hidden)
    return DeepDive(
        spec=SPEC,
        size=size,
        ledger=_ledger(),
        where=where,
        how=how,
        today=today,
        ranking=_ranking(own, sample, population, inside),
        why={},
        estimates={
            "prevalence": size.items_corrected.estimate,
            "prevalence_views": size.views_corrected.estimate,
            "affected_accounts": Estimate(
                point=41_200, low=35_800, high=47_900, level=0.95, unit="accounts",
                method="expansion of the sample", n=610,
            ),
            "recall_of_controls": found.recall_of_controls,
            "unseen_lower_bound": hidden.unseen_lower_bound,
        },
        checks=(
            size.items.checks[0], size.rater_error.check, size.agreement.check,
            *where.mix.checks, *where.search.checks, *where.concentration.checks,
            *how.coordination.checks, hidden.check,
        ),
        verdict="scams 2.4 % of items, rising",
    )  # fmt: skip


def _size(own: World, sample: LabelledSample, population: Population, items) -> Size:
    random = np.random.default_rng(2)
    truth = np.repeat([1, 0], [240, 1_500])
    error = rater_error_from_gold(random.random(1_740) < np.where(truth, 0.9, 0.003), truth)
    known = own.items["violating"] & own.items["scam_review"] & (own.items["week"] >= WINDOW)
    weeks = [START + timedelta(weeks=week) for week in range(WEEKS)]
    mean = items.groupby("stratum")["score"].mean().to_numpy()
    return Size(
        items=prevalence(sample, population),
        views=prevalence(sample, population, of="views"),
        items_corrected=corrected_prevalence(sample, population, error),
        views_corrected=corrected_prevalence(sample, population, error, of="views"),
        prediction_powered=prediction_powered(sample, population, mean_score=mean),
        rater_error=error,
        agreement=agreement(sample.votes, draws=200),
        confirmed=Confirmed(
            items=int(known.sum()),
            views=int(own.items.loc[known, "views"].sum()),
            accounts=int(own.items.loc[known, "account"].nunique()),
            viewers=None,
        ),
        labels_arrived=_arrived(weeks),
    )


def _arrived(weeks: list[datetime]) -> pd.DataFrame:
    share = np.array([1.0] * (WEEKS - 2) + [0.93, 0.58])
    labels = (800 * share).round()
    spread = 1.96 * np.sqrt(labels) / 800
    return pd.DataFrame(
        {"week": pd.DatetimeIndex(weeks), "share": share, "low": share - spread,
         "high": share + spread, "labels": labels.astype(int), "expected": 800.0}
    )  # fmt: skip


def _ledger() -> InstrumentLedger:
    """Labels of 20 weeks: the share rises in week 7, and falls in week 14 with the guideline."""
    random = np.random.default_rng(6)
    share = np.select([np.arange(WEEKS) < 7, np.arange(WEEKS) < GUIDELINE], [0.018, 0.055], 0.026)
    labels = np.full(WEEKS, 4_000)
    found = random.binomial(labels, share) / labels
    at = pd.date_range(START, periods=WEEKS, freq="7D")
    series = PrevalenceSeries(
        at=at, estimate=found, variance=1.4 * found * (1 - found) / labels, labels=labels
    )
    return instrument_ledger(series, CHANGES, replays=99)


def _where(own: World, sample: LabelledSample, population: Population, items) -> Where:
    tables = {
        name: prevalence_by(sample, population, name).sort_values(
            ["share", "value"], ascending=[False, True], ignore_index=True
        )
        for name in ("market", "kind")
    }
    week = own.labels.loc[own.labels["week"] >= WINDOW, "week"].to_numpy()
    period = (week >= NOW).astype(np.int64)
    return Where(
        segments=tables,
        mix=_mix(sample, period, items),
        search=segment_search(cells_of_sample(sample)),
        growing=segment_search(cells_of_sample(sample, period=period)),
        concentration=_concentration(items),
        survivorship=survivorship(
            AccountsJoin(
                segments=("all",), accounts=[4_000.0], missing=[212.0], enforced=[260.0],
                enforced_missing=[148.0], items=[28_000.0], items_missing=[1_730.0],
            )
        ),
    )  # fmt: skip


def _mix(sample: LabelledSample, period: np.ndarray, items: pd.DataFrame) -> RateAndMix:
    codes = np.array([(m, k) for m in range(len(MARKETS)) for k in range(len(KINDS))])
    place = items["market"].to_numpy() * len(KINDS) + items["kind"].to_numpy()
    now = (items["week"] >= NOW).to_numpy()
    totals = np.stack([np.bincount(place[now == late], minlength=len(codes)) for late in (0, 1)])
    return rate_and_mix(
        cells_of_actors(
            period,
            np.column_stack([sample.segments["market"], sample.segments["kind"]]),
            weight=1 / sample.inclusion,
            label=sample.label,
            actor=sample.actor,
            names={"market": MARKETS, "kind": KINDS},
            totals=(codes, totals),
        )
    )


def _concentration(items: pd.DataFrame) -> Concentration:
    amount = (items["violating"] & items["scam_model"]).groupby(items["account"]).sum()
    value, count = np.unique(amount.to_numpy(), return_counts=True)
    return concentration(Histogram(value=value, count=count), replicates=299)


def _lifecycles(own: World) -> tuple[Lifecycle, ...]:
    random = np.random.default_rng(8)
    weight = 1 / own.labels.loc[own.labels["label"] > 0, "inclusion"].to_numpy()[:400]
    rows = {}
    for name, typical, follow in (
        ("sign_up_to_abuse", 60.0, 900.0),
        ("abuse_to_action", 30.0, 240.0),
        ("views_before_action", 300.0, 420.0),
    ):
        time, limit = random.exponential(typical * 1.4, 400), random.uniform(0.2, 1, 400) * follow
        rows[name] = pd.DataFrame(
            {"duration": np.minimum(time, limit).round(1), "observed": time <= limit,
             "weight": weight}
        )  # fmt: skip
    return lifecycles(rows, weights="sampling")


def _rings(items: pd.DataFrame) -> Coordination:
    random = np.random.default_rng(3)
    ring = items.drop_duplicates("account").set_index("account")["ring"].sort_index()
    rows = []
    for kind, each in (("device", 1), ("ip_block", 2), ("payment", 1)):
        actor = np.repeat(ring.index.to_numpy(), each)
        rows.append((kind, actor, random.integers(0, len(ring), len(actor))))
        member = ring.index[(ring >= 0) & (random.random(len(ring)) < 0.8)].to_numpy()
        rows.append((kind, member, 10_000 + ring[member].to_numpy()))
    links = [pd.DataFrame({"actor": a, "kind": kind, "token": t}) for kind, a, t in rows]
    of = items.groupby("account")
    at = (START + timedelta(weeks=WINDOW)).timestamp()
    actors = pd.DataFrame(
        {"items": of.size(), "violating_items": of["violating"].sum(), "views": of["views"].sum(),
         "first_at": at, "last_at": at + 86_400 * 20.0}
    )  # fmt: skip
    return coordination(
        infrastructure=shared_infrastructure(pd.concat(links, ignore_index=True), draws=19),
        co_sharing=None,
        actors=actors.rename_axis("actor").reset_index(),
    )


def _tokens() -> NewlyFrequent:
    random = np.random.default_rng(4)
    before = random.poisson(14, 300)
    frame = pd.DataFrame(
        {"kind": np.repeat(["domain", "text"], 150), "token": np.tile(np.arange(150), 2),
         "before": before, "now": random.poisson(before)}
    )  # fmt: skip
    frame.loc[[3, 9, 40, 160, 222], "now"] = [310, 96, 74, 58, 140]
    frame.loc[[40, 77], "before"] = 0
    frame.loc[77, "now"] = 10
    found = newly_frequent(frame, exposure_before=14_000.0, exposure_now=14_000.0)
    names = [f"{row.kind} {row.token * 7919 + 40_503:06x}" for row in found.tokens.itertuples()]
    return replace(found, tokens=found.tokens.assign(name=names))


def _controls(
    own: World, sample: LabelledSample, population: Population, inside: np.ndarray
) -> tuple[Controls, Unseen]:
    flags = own.labels.loc[inside, list(CONTROLS)].to_numpy()
    found = controls(sample, population, flags, names=CONTROLS)
    bad = sample.label > 0
    hidden = unseen(capture_histories(flags[bad], names=CONTROLS, actor=sample.actor[bad]))
    return found, hidden


def _today(items: pd.DataFrame, found: Controls, hidden: Unseen) -> Today:
    of = items[items["scam_model"] | items["scam_rule"]].groupby("account")["reported"]
    return Today(
        controls=found,
        hits=pd.DataFrame(
            {"source": CONTROLS, "items": [int(items[name].sum()) for name in CONTROLS]}
        ),
        overturns=overturns(enforced=820, appealed=140, decided=122, overturned=31),
        proactive=proactive_rate(of.size() - of.sum(), of.size()),
        unseen=hidden,
    )


def _ranking(
    own: World, sample: LabelledSample, population: Population, inside: np.ndarray
) -> Ranking:
    labels = own.labels[inside]
    caught = labels[list(CONTROLS[:3])].any(axis=1).to_numpy()
    chosen = {
        "acting on scores from .85": ("threshold", sample.score >= 0.85),
        "acting on scores from .65": ("threshold", sample.score >= 0.65),
        "act on the largest clusters": ("cluster", labels["ring"].to_numpy() >= 0),
        "act on every report": ("rule", labels["reported"].to_numpy()),
    }
    options = [
        option_from_sample(
            sample, population, name=name, kind=kind, flagged=flagged, caught=caught,
            unit="violating items",
        )
        for name, (kind, flagged) in chosen.items()
    ]  # fmt: skip
    more = Option(
        name="label more of the clusters", kind="label", measures="act on the largest clusters"
    )
    return ranked_options([*options, more], draws=4_000)


__all__ = ["CHANGES", "CONTROLS", "SPEC", "START", "STRATA", "bare", "made"]
