"""Coverage of prevalence intervals over simulated samples whose truth is known.

    python -m tests.studies.prevalence_coverage [--runs 2000]

writes tests/studies/prevalence_coverage.md beside itself. Every draw is seeded. The shorter test
of the normal suite calls the same functions with fewer runs.

The world: items fall into five strata by score, with SHARES of the items and RATES of violating
ones, .33 % in all. An item's own chance q to be violating is drawn around its stratum's rate,
Beta(5 rate, 5 (1 − rate)), and is its score; labels are Bernoulli(q).
"""

from __future__ import annotations

import argparse
import os
import time
from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pandas as pd

from tests.studies.incident_coverage import markdown
from trustlib.harm import (
    LabelledSample,
    Population,
    corrected_prevalence,
    prediction_powered,
    prevalence,
    prevalence_by,
    rater_error_from_gold,
    rater_error_from_votes,
)
from trustlib.stats.melding import binomial_draws, melded_interval
from trustlib.stats.wilson import wald, wilson

SHARES = np.array([0.60, 0.25, 0.10, 0.04, 0.01])
RATES = np.array([0.0001, 0.0008, 0.0040, 0.0200, 0.1900])
RATES = RATES * 0.0033 / float(SHARES @ RATES)
ITEMS = 1_000_000.0
NAMES = ("lowest", "low", "middle", "high", "highest")

SPREAD = (950, 575, 280, 120, 75)
ALLOCATIONS = {
    "spread (labels by share, the top strata more)": SPREAD,
    "in proportion to the strata": (1200, 500, 200, 80, 20),
    "half to the top strata": (700, 400, 300, 300, 300),
    "equal": (400, 400, 400, 400, 400),
}


@dataclass(frozen=True, kw_only=True)
class Raters:
    """Error of the labels, and the items of known truth on which it is measured."""

    sensitivity: float
    specificity: float
    gold_violating: int
    gold_clean: int


def population(strata: np.ndarray = SHARES) -> Population:
    names = NAMES[: len(strata)]
    return Population(items=strata * ITEMS, views=strata * ITEMS, strata=names)


def sample(
    labels: tuple[int, ...],
    *,
    rates: np.ndarray,
    shares: np.ndarray,
    random: np.random.Generator,
    raters: Raters | None = None,
    per_actor: int = 1,
) -> LabelledSample:
    """A stratified sample, perhaps with wrong labels or actors with several items each."""
    stratum = np.repeat(np.arange(len(labels)), labels)
    actor = np.arange(len(stratum)) // per_actor
    first = np.arange(len(stratum)) // per_actor * per_actor
    rate = rates[stratum[first]] if per_actor > 1 else rates[stratum]
    chance = random.beta(5 * rate, 5 * (1 - rate))[first]
    label = (random.random(len(stratum)) < chance).astype(float)
    if raters is not None:
        flips = np.where(label > 0, raters.sensitivity, 1 - raters.specificity)
        label = (random.random(len(stratum)) < flips).astype(float)
    n = np.asarray(labels)
    return LabelledSample(
        stratum=stratum,
        inclusion=(n / (shares * ITEMS))[stratum],
        label=label,
        views=np.ones(len(stratum)),
        actor=actor,
        score=chance,
        votes=np.empty((len(stratum), 0)),
    )


def sizes(
    labels: tuple[int, ...], *, runs: int, first_seed: int = 0, scale: float = 1.0
) -> dict[str, float]:
    """Coverage of each method, and the default's width over a simple random sample's."""
    rates, whole = RATES * scale, population()
    truth, n = float(SHARES @ rates), int(np.sum(labels))
    seen: dict[str, list[float]] = defaultdict(list)
    for seed in range(first_seed, first_seed + runs):
        random = np.random.default_rng(seed)
        drawn = sample(labels, rates=rates, shares=SHARES, random=random)
        found = prevalence(drawn, whole)
        methods = found.methods.set_index("method")
        default = _holds(found.estimate, truth)
        seen["default"].append(default)
        row = methods.loc["stratified Wald"]
        seen["stratified Wald"].append(row["low"] <= truth <= row["high"])
        row = methods.loc["simple random Wilson"]
        seen["weights ignored"].append(row["low"] <= truth <= row["high"])
        share = random.binomial(n, truth) / n
        low, high = wilson(share, n=n, level=0.95)
        seen["simple random Wilson"].append(low <= truth <= high)
        seen["width"].append(found.estimate.high - found.estimate.low)
        seen["simple random width"].append(high - low)
        low, high = wald(share, variance=share * (1 - share) / n, level=0.95)
        seen["simple random Wald"].append(low <= truth <= high)
        zero = found.checks[1]
        seen["a stratum without positive"].append(zero.verdict == "warn")
        seen["zero-strata bound holds"].append(
            found.zero_strata_bound >= _hidden(found.zero_strata, rates)
        )
        own = found.effective_n
        if not np.isnan(own):
            low, high = wilson(found.estimate.point, n=own, level=0.95)
            seen["without reaching"].append(low <= truth <= high)
        warned = zero.label == "one label could change it"
        seen["warned: one label"].append(warned)
    out = {key: float(np.mean(values)) for key, values in seen.items()}
    out["width ratio"] = out.pop("width") / out.pop("simple random width")
    return out


def by_segment(*, runs: int, first_seed: int = 0) -> dict[str, float]:
    """Coverage of each value of a segment with 60, 30 and 10 % of the items; 3.3 % violating."""
    rates, parts = np.minimum(RATES * 10, 0.4), np.array([0.6, 0.3, 0.1])
    truth, names = float(SHARES @ rates), ("60 %", "30 %", "10 %")
    totals = {"part": parts[:, None] * SHARES * ITEMS}
    whole = replace(population(), by_segment=totals, views_by_segment=totals)
    seen: dict[str, list[float]] = defaultdict(list)
    for seed in range(first_seed, first_seed + runs):
        random = np.random.default_rng(seed)
        drawn = sample(SPREAD, rates=rates, shares=SHARES, random=random)
        code = random.choice(3, drawn.n, p=parts)
        drawn = replace(drawn, segments={"part": code}, segment_names={"part": names})
        for row in prevalence_by(drawn, whole, "part").itertuples():
            seen[f"{row.value} of the items"].append(row.low <= truth <= row.high)
    return {key: float(np.mean(values)) for key, values in seen.items()}


def clustered(*, runs: int, per_actor: int = 5, first_seed: int = 0) -> dict[str, float]:
    """Actors with several items that share their chance: prevalence 3.3 %."""
    rates, whole = np.minimum(RATES * 10, 0.4), population()
    truth = float(SHARES @ rates)
    seen: dict[str, list[float]] = defaultdict(list)
    for seed in range(first_seed, first_seed + runs):
        random = np.random.default_rng(seed)
        drawn = sample(SPREAD, rates=rates, shares=SHARES, random=random, per_actor=per_actor)
        for cluster, name in ((True, "by actor"), (False, "every label for itself")):
            seen[name].append(_holds(prevalence(drawn, whole, cluster=cluster).estimate, truth))
    return {key: float(np.mean(values)) for key, values in seen.items()}


def views(*, proportional: bool, runs: int, first_seed: int = 0) -> dict[str, float]:
    """Prevalence in views: items drawn in proportion to their views, or all items alike."""
    world = _seen_items()
    stratum, seen_by, violating = world
    totals = np.bincount(stratum, seen_by, minlength=5)
    items = np.bincount(stratum, minlength=5).astype(float)
    whole = Population(items=items, views=totals, strata=NAMES)
    truth = float(seen_by @ violating / seen_by.sum())
    n = np.array([500, 500, 400, 300, 300])
    size = seen_by / totals[stratum] if proportional else 1 / items[stratum]
    chance = np.minimum(1.0, n[stratum] * size)
    seen: dict[str, list[float]] = defaultdict(list)
    for seed in range(first_seed, first_seed + runs):
        random = np.random.default_rng(seed)
        at = np.flatnonzero(random.random(len(chance)) < chance)
        drawn = LabelledSample(
            stratum=stratum[at],
            inclusion=chance[at],
            label=violating[at],
            views=seen_by[at],
            actor=np.full(len(at), -1),
            score=np.full(len(at), np.nan),
            votes=np.empty((len(at), 0)),
        )
        found = prevalence(drawn, whole, of="views").estimate
        seen["views"].append(_holds(found, truth))
        seen["width"].append((found.high - found.low) / truth)
        seen["items, taken for views"].append(_holds(prevalence(drawn, whole).estimate, truth))
    return {key: float(np.mean(values)) for key, values in seen.items()}


def _seen_items() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A fixed population of 200,000 items: stratum, views (heavy-tailed), violating."""
    random = np.random.default_rng(99)
    stratum = np.repeat(np.arange(5), (SHARES * 200_000).astype(int))
    seen_by = np.ceil(random.lognormal(3, 1.3, len(stratum)))
    rate = np.minimum(0.4, 10 * RATES[stratum]) * np.where(seen_by > 60, 0.3, 1.0)
    return stratum, seen_by, (random.random(len(stratum)) < rate).astype(float)


def melded(
    labels: tuple[int, ...],
    raters: Raters,
    *,
    runs: int,
    scale: float = 1.0,
    shares: np.ndarray = SHARES,
    rates: np.ndarray = RATES,
    first_seed: int = 0,
) -> dict[str, float]:
    """Coverage of the corrected share, beside the uncorrected one and Bayer's own intervals."""
    rates, whole = rates * scale, population(shares)
    truth = float(shares @ rates)
    seen: dict[str, list[float]] = defaultdict(list)
    for seed in range(first_seed, first_seed + runs):
        random = np.random.default_rng(seed)
        drawn = sample(labels, rates=rates, shares=shares, random=random, raters=raters)
        gold = np.repeat([1.0, 0.0], [raters.gold_violating, raters.gold_clean])
        chance = np.where(gold > 0, raters.sensitivity, 1 - raters.specificity)
        said = (random.random(len(gold)) < chance).astype(float)
        error = rater_error_from_gold(said, gold)
        found = corrected_prevalence(drawn, whole, error)
        assert found.estimate.low is not None
        seen["melded"].append(_holds(found.estimate, truth))
        seen["too low"].append(found.estimate.high < truth)
        seen["too high"].append(found.estimate.low > truth)
        seen["width"].append((found.estimate.high - found.estimate.low) / truth)
        low, high = _published(drawn, labels, shares, said, gold, random)
        seen["as published"].append(low <= truth <= high)
        seen["width, as published"].append((high - low) / truth)
        seen["uncorrected"].append(_holds(found.apparent, truth))
    return {key: float(np.mean(values)) for key, values in seen.items()}


def _published(drawn, labels, shares, said, gold, random) -> tuple[float, float]:
    """Bayer, Fay and Graubard's "binomial" interval, from their own effective number."""
    share_of = np.bincount(drawn.stratum, drawn.label) / labels
    share = float(shares @ share_of)
    spread = float(np.sum(shares**2 * share_of / labels))
    n = share * (1 - share) / spread if spread > 0 else float(np.sum(labels))

    def draws(positives: float, looks: float):
        return binomial_draws(positives, looks, draws=5000, random=random, exact=True)

    return melded_interval(
        draws(share * n, n),
        false_positive=draws(float(said[gold == 0].sum()), float((gold == 0).sum())),
        sensitivity=draws(float(said[gold == 1].sum()), float((gold == 1).sum())),
        level=0.95,
    )


def from_votes(*, runs: int, first_seed: int = 0) -> dict[str, float]:
    """Errors told from doubly rated items alone, 400 more of them; prevalence 3.3 %."""
    rates, whole = np.minimum(RATES * 10, 0.4), population()
    truth, se, sp = float(SHARES @ rates), 0.85, 0.99
    seen: dict[str, list[float]] = defaultdict(list)
    for seed in range(first_seed, first_seed + runs):
        random = np.random.default_rng(seed)
        drawn = sample(SPREAD, rates=rates, shares=SHARES, random=random,
                       raters=Raters(sensitivity=se, specificity=sp, gold_violating=0,
                                     gold_clean=0))  # fmt: skip
        stratum = np.repeat(np.arange(5), 80)
        violating = random.random(400) < rates[stratum]
        chance = np.where(violating, se, 1 - sp)[:, None]
        votes = (random.random((400, 2)) < chance).astype(float)
        error = rater_error_from_votes(votes, stratum=stratum, seed=seed)
        if not error.informative:
            seen["not estimable"].append(1.0)
            continue
        seen["not estimable"].append(0.0)
        seen["sensitivity"].append(_holds(error.sensitivity, se))
        seen["specificity"].append(_holds(error.specificity, sp))
        single = replace(drawn, votes=drawn.label[:, None])  # one vote an item
        seen["corrected"].append(_holds(corrected_prevalence(single, whole, error).estimate, truth))
    return {key: float(np.mean(values)) for key, values in seen.items()}


def powered(
    labels: tuple[int, ...], *, shares: np.ndarray, runs: int, first_seed: int = 0
) -> dict[str, float]:
    """Prediction-powered intervals: how often they run, and cover with and without the gate."""
    one = len(shares) == 1
    whole = population(shares)
    truth = float(SHARES @ RATES)
    seen: dict[str, list[float]] = defaultdict(list)
    for seed in range(first_seed, first_seed + runs):
        random = np.random.default_rng(seed)
        split = tuple(random.multinomial(labels[0], SHARES)) if one else labels
        drawn = sample(split, rates=RATES, shares=SHARES, random=random)
        mean_score = RATES
        if one:
            zeros, everywhere = np.zeros(drawn.n, dtype=np.int64), np.full(drawn.n, drawn.n / ITEMS)
            drawn = replace(drawn, stratum=zeros, inclusion=everywhere)
            mean_score = np.array([truth])
        gated = prediction_powered(drawn, whole, mean_score=mean_score)
        ran = gated.estimate.point is not None
        seen["run"].append(ran)
        if ran:
            seen["where run"].append(_holds(gated.estimate, truth))
            seen["gain"].append(gated.gain)
        open_ = prediction_powered(drawn, whole, mean_score=mean_score, gate=0.5)
        if open_.estimate.point is not None:
            seen["without the gate"].append(_holds(open_.estimate, truth))
        else:
            seen["without the gate"].append(False)
    keys = ("run", "where run", "without the gate", "gain")
    return {key: float(np.mean(seen[key])) if seen[key] else float("nan") for key in keys}


def _holds(estimate, truth: float) -> bool:
    return estimate.low is not None and estimate.low <= truth <= estimate.high


def _hidden(zero: tuple[str, ...], rates: np.ndarray) -> float:
    """What the strata named in `zero` truly hold."""
    at = [NAMES.index(name) for name in zero]
    return float(SHARES[at] @ rates[at])


ONE = np.array([1.0])


def melded_cases() -> list[tuple[str, tuple[int, ...], Raters, dict]]:
    """Label, labels per stratum, raters and the rest of the world of each row of `melded`."""

    def raters(se: float, sp: float, violating: int = 300, clean: int = 3000) -> Raters:
        return Raters(sensitivity=se, specificity=sp, gold_violating=violating, gold_clean=clean)

    return [
        ("spread, Se .85, Sp .9995", SPREAD, raters(0.85, 0.9995), {}),
        ("spread, Se .85, Sp .999", SPREAD, raters(0.85, 0.999), {}),
        ("spread, 5 × the rate, Se .8, Sp .99", SPREAD, raters(0.8, 0.99), {"scale": 5.0}),
        ("equal labels, Se .85, Sp .999", (400,) * 5, raters(0.85, 0.999), {}),
        ("simple random, Se .85, Sp .999", (2000,), raters(0.85, 0.999), _simple(0.0033)),
        ("simple random, 2 %, Se .85, Sp .99, gold 50 + 500", (2000,),
         raters(0.85, 0.99, 50, 500), _simple(0.02)),
    ]  # fmt: skip


def _simple(rate: float) -> dict:
    return {"shares": ONE, "rates": np.array([rate])}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=2000)
    runs = parser.parse_args().runs
    began = time.monotonic()
    sections = {
        "sizes": pd.DataFrame(
            {"labels": name} | sizes(labels, runs=runs) for name, labels in ALLOCATIONS.items()
        ),
        "clustered": pd.DataFrame([clustered(runs=runs)]),
        "segments": pd.DataFrame([by_segment(runs=runs)]),
        "views": pd.DataFrame(
            {"sample": name} | views(proportional=proportional, runs=runs)
            for name, proportional in (("by views", True), ("by items", False))
        ),
        "melded": pd.DataFrame(
            {"world": name} | melded(labels, raters, runs=runs, **world)
            for name, labels, raters, world in melded_cases()
        ),
        "votes_table": pd.DataFrame([from_votes(runs=max(2, runs // 5))]),
        "powered": pd.DataFrame(
            {"labels": name} | powered(labels, shares=shares, runs=runs)
            for name, labels, shares in (
                ("500 simple random", (500,), ONE),
                ("2,000 simple random", (2000,), ONE),
                ("8,000 simple random", (8000,), ONE),
                ("2,000 spread", SPREAD, SHARES),
                ("8,000 spread", tuple(4 * n for n in SPREAD), SHARES),
            )
        ),
    }
    record = Path(__file__).with_suffix(".md")
    text = _TEXT.format(runs=runs, votes=max(2, runs // 5),
                        se=f"{(0.05 * 0.95 / runs) ** 0.5:.3f}",
                        **{name: markdown(frame) for name, frame in sections.items()})  # fmt: skip
    record.write_text(text, encoding="utf-8")
    print(f"{record} written in {time.monotonic() - began:.0f} s")


_TEXT = """# Prevalence: coverage of its intervals over simulated samples

Made by `python -m tests.studies.prevalence_coverage --runs {runs}`; the world is described at the
head of that file. {runs} seeded samples per row, nominal 95 %; the standard error of a coverage of
.95 is {se}.

## Size: .33 % violating, 2,000 labels, five score strata

*default*: stratified Wilson on the effective number of labels · *width ratio*: its mean width over
that of Wilson's interval from 2,000 simple random labels · *weights ignored*: Wilson's from the
same labels as if they were a simple random sample · *zero-strata bound holds*: the strata without
a positive hold no more than what is said (rule of three) · *warned: one label*: a single positive
in a stratum without any would have moved the share out of its interval, which was made to reach
so far · *without reaching*: had it not been.

{sizes}

Where most labels go to the top strata, the few that stand for the bulk of the items see no
positive and lend no spread: without reaching to one more positive the interval would be too short.
The report's check says so (*warned*).

## Actors with five items each, 3.3 %

{clustered}

## By segment, 3.3 %

{segments}

## Views

200,000 items with heavy-tailed views, violating items seen less. *by views*: drawn in proportion
to views · *width*: relative to the truth · *items, taken for views*: the share of items against
the truth in views.

{views}

## Imperfect raters

*melded*: corrected share, `trustlib.harm.corrected_prevalence`, errors measured on items of known
truth (300 violating and 3,000 others unless said) · *width*: relative to the truth ·
*as published*: Bayer, Fay and Graubard's binomial method, Clopper–Pearson distributions and no
spread in strata without positives · *uncorrected*: of the labels as they are.

{melded}

## Raters' errors from doubly rated items, 3.3 %

400 more items with two votes, 80 a stratum, Se .85, Sp .99; {votes} samples.

{votes_table}

## Prediction-powered inference

The score is an item's true chance, as good as a score can be. *run*: share of samples that pass
the gate of 25 expected positives · *gain*: variance without over variance with the score.

{powered}
"""

if __name__ == "__main__":
    main()
