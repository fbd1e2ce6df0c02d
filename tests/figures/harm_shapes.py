"""Deep-dives of many shapes for the figures' tests: rare, crowded, small, long, hostile."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd

from tests.figures.harm_results import START, bare, made
from tests.figures.shapes import HOSTILE
from trustlib.core import Estimate
from trustlib.harm.deep_dive.result import DeepDive
from trustlib.harm.instrument_ledger import InstrumentChange, InstrumentLedger, instrument_ledger
from trustlib.harm.lifecycle import lifecycles
from trustlib.harm.options import Option, ranked_options
from trustlib.harm.series import PrevalenceSeries

LONG = tuple(f"a value with quite a long name, number {i:02d}" for i in range(40))


def series_ledger(weeks: int, share: float, *, changes: int = 0, seed: int = 1) -> InstrumentLedger:
    """Of 3,000 labels a week around `share`, with so many changes spread over the weeks."""
    random = np.random.default_rng(seed)
    found = random.binomial(3_000, np.full(weeks, share)) / 3_000
    listed = [
        InstrumentChange(at=START + pd.Timedelta(days=3 + 4 * i), what="policy", note=HOSTILE[0])
        for i in range(changes)
    ]
    return instrument_ledger(
        PrevalenceSeries(
            at=pd.date_range(START, periods=weeks, freq="7D"),
            estimate=found,
            variance=found * (1 - found) / 3_000 + 1e-9,
            labels=np.full(weeks, 3_000),
        ),
        listed,
        replays=39,
    )


def segments(names: tuple[str, ...], *, scale: float = 1.0, labelled: int = 0) -> pd.DataFrame:
    """Values from high to low; without `labelled` as many labels as the sample can have."""
    share, each = scale * np.linspace(0.09, 0.01, len(names)), labelled or 3_000 // len(names)
    return pd.DataFrame(
        {"value": names, "labelled": each, "positive": min(each // 2, 200 // len(names)),
         "population": 4_000.0, "share": share, "low": share * 0.6, "high": share * 1.5,
         "effective_n": 300.0, "total": share * 4_000, "total_low": share * 2_400,
         "total_high": share * 6_000, "method": "post-stratified", "note": ""}
    )  # fmt: skip


def _scaled(one: Estimate, by: float) -> Estimate:
    ends = {name: by * getattr(one, name) for name in ("point", "low", "high")}
    return replace(one, **ends, standard_error=None)


def rare() -> DeepDive:
    """Shares of a few in 10,000, of very many items."""
    size, by = made().size, 0.01
    changed = {}
    for name in ("items", "views"):
        found = getattr(size, name)
        table = found.by_stratum.assign(population=found.by_stratum["population"] * 5_000)
        changed[name] = replace(
            found, estimate=_scaled(found.estimate, by), total=_scaled(found.total, 50.0),
            by_stratum=table,
        )  # fmt: skip
        corrected = getattr(size, f"{name}_corrected")
        changed[f"{name}_corrected"] = replace(corrected, estimate=_scaled(corrected.estimate, by))
    mix = made().where.mix
    parts = {
        name: _scaled(getattr(mix, name), by) for name in ("before", "after", "change", "rate")
    }
    return made(
        size=replace(size, **changed),
        ledger=series_ledger(16, 0.0011),
        where__mix=replace(mix, **parts, mix={k: _scaled(v, by) for k, v in mix.mix.items()}),
        where__segments={"market": segments(LONG[:5], scale=0.02)},
    )


def crowded() -> DeepDive:
    """More of everything than there is room for."""
    result = made()
    rings, tokens = result.how.coordination, result.how.newly_frequent
    more = pd.concat([rings.clusters] * 9, ignore_index=True)
    many = pd.concat([tokens.tokens] * 5, ignore_index=True)
    moves = pd.concat([result.ledger.moves] * 3, ignore_index=True)
    ledger = series_ledger(20, 0.02, changes=30)
    found = result.today.controls
    pairs = pd.DataFrame(
        [(a, b, 0.04, 0.01, 0.12, 0.02) for i, a in enumerate(LONG[:6]) for b in LONG[i + 1 : 6]],
        columns=["first", "second", "both", "low", "high", "expected"],
    )
    return made(
        ledger=replace(ledger, moves=moves),
        where__segments={"market": segments(LONG), "kind": segments(LONG[:3]), "c" * 90:
                         segments(LONG[3:30])},
        how__coordination=replace(
            rings, clusters=more.assign(cluster=range(1, len(more) + 1), evidence=", ".join(LONG))
        ),
        how__newly_frequent=replace(
            tokens, tokens=many.assign(name=[f"domain {i:06x}" for i in range(len(many))])
        ),
        today__controls=replace(
            found, names=LONG[:6], overlap=pairs,
            **{name: (getattr(found, name) * 2)[:6] for name in ("recall", "precision", "alone")},
        ),
        ranking=_options(tuple(f"act on {name}" for name in LONG[:14])),
    )  # fmt: skip


def _options(names: tuple[str, ...]):
    def estimate(point: float) -> Estimate:
        return Estimate(point=point, low=point * 0.5, high=point * 2.2, level=0.95, n=40,
                        unit="severity-weighted views of violating items", method="x")  # fmt: skip

    return ranked_options(
        [
            Option(name=name, kind="rule", harm=estimate(4.0 + i), false_positives=estimate(9.0))
            for i, name in enumerate(names)
        ],
        draws=400,
    )


def small() -> DeepDive:
    """Counts below 11, five weeks, intervals that are not known."""
    result = made()
    none = {"low": None, "high": None, "note": "no interval: too few"}
    rings, tokens, mix = result.how.coordination, result.how.newly_frequent, result.where.mix
    tiny = {"n": 3, "duration": [5.0, 7.0, 9.0], "observed": [True, True, False]}
    rows = pd.DataFrame({name: tiny[name] for name in ("duration", "observed")})
    zero = replace(mix.change, point=0.0, low=0.0, high=0.0)
    few = result.where.concentration
    return made(
        size__items=replace(
            result.size.items, estimate=replace(result.size.items.estimate, **none),
            total=replace(result.size.items.total, **none),
        ),
        size__confirmed=replace(result.size.confirmed, items=7, views=None, accounts=3),
        size__items_corrected=None,
        size__views=None,
        size__labels_arrived=result.size.labels_arrived.head(1),
        ledger=series_ledger(5, 0.02),
        where__segments={"market": segments(("north", "south"), labelled=7),
                         "kind": segments(("image",))},
        where__mix=replace(mix, change=zero, rate=zero, mix={"market": zero}),
        where__concentration=replace(few, actors_with_harm=9),
        how__lifecycles=lifecycles({"abuse_to_action": rows}),
        how__coordination=replace(rings, clusters=rings.clusters.iloc[3:]),
        how__newly_frequent=replace(tokens, tokens=tokens.tokens.iloc[5:]),
    )  # fmt: skip


def long() -> DeepDive:
    """Two and a half years of weeks."""
    return made(ledger=series_ledger(130, 0.03, changes=2))


def hostile() -> DeepDive:
    """Names that would break a page or a picture wherever data can bring a name."""
    result = made()
    rings, mix, found = result.how.coordination, result.where.mix, result.today.controls
    tokens = result.how.newly_frequent
    named = dict(zip(HOSTILE[:2], mix.mix.values(), strict=True))
    pairs = found.overlap.assign(first=HOSTILE[2], second=HOSTILE[5])
    return made(
        where__segments={HOSTILE[0]: segments(HOSTILE), HOSTILE[3]: segments(HOSTILE[:3])},
        where__mix=replace(mix, mix=named),
        how__coordination=replace(
            rings, clusters=rings.clusters.assign(evidence=list(HOSTILE[: len(rings.clusters)]))
        ),
        how__newly_frequent=replace(
            tokens, tokens=tokens.tokens.assign(name=HOSTILE[2 : 2 + len(tokens.tokens)])
        ),
        today__controls=replace(found, names=HOSTILE[3:7], overlap=pairs),
        ranking=_options(HOSTILE[3:]),
    )


SHAPES = {
    "whole": made, "bare": bare, "rare": rare, "crowded": crowded, "small": small, "long": long,
    "hostile": hostile,
}  # fmt: skip


@cache
def result(name: str) -> DeepDive:
    return SHAPES[name]()
