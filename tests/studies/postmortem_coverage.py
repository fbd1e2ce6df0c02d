"""Coverage of a postmortem's numbers of wrong cases, their money, people hit and lists.

    python -m tests.studies.postmortem_coverage [--runs 1000]

writes tests/studies/postmortem_coverage.md beside itself. Every draw is seeded. The shorter tests
of the normal suite call the same functions with fewer runs.

`totals`: one side of 2,000 cases, 70 % of them suspects, of whom `precision` are wrong, 5 % of the
others. Suspects are labelled twice as often. Amounts are lognormal. `record`: whole incidents of
tests/postmortem/worlds.py, from their rows to the estimates.
"""

from __future__ import annotations

import argparse
import os
import time
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pandas as pd

from tests.postmortem.worlds import World, drawn, rows_of
from tests.studies.incident_coverage import markdown
from trustlib.postmortem.amounts import wrong_total
from trustlib.postmortem.cases import cases
from trustlib.postmortem.lists import list_quality
from trustlib.postmortem.people import people
from trustlib.stats.horvitz_thompson import sampled_fraction
from trustlib.stats.wilson import wilson

TOTALS: dict[str, dict[str, Any]] = {
    **{
        f"{labels} labels, precision {precision}": {"labels": labels, "precision": precision}
        for labels in (50, 150, 500)
        for precision in (0.5, 0.9, 0.99)
    },
    "100 labels, precision 0.5": {"labels": 100, "precision": 0.5},
    "100 labels, precision 0.9": {"labels": 100, "precision": 0.9},
    "150 labels, precision 0.9, chances unequal": {
        "labels": 150, "precision": 0.9, "unequal": 0.7},
    "150 labels, precision 0.99, chances unequal": {
        "labels": 150, "precision": 0.99, "unequal": 0.7},
    "100 labels, precision 0.5, wrong ones dearer": {
        "labels": 100, "precision": 0.5, "related": 0.5},
    "100 labels, precision 0.5, wrong ones cheaper, chances unequal": {
        "labels": 100, "precision": 0.5, "related": -0.5, "unequal": 0.5},
    "100 labels, precision 0.5, spread 2": {"labels": 100, "precision": 0.5, "spread": 2.0},
    "150 labels of 300 cases, precision 0.9": {
        "labels": 150, "precision": 0.9, "cases_in_all": 300},
}  # fmt: skip
RECORDS: dict[str, dict[str, Any]] = {
    "50 labels, one case each": {"over": 500, "under": 300, "labels": 50, "dose": 1.0},
    "150 labels, precision .99, chances unequal": {
        "over": 500, "under": 300, "labels": 150, "precision": (0.99, 0.05), "unequal": 0.7,
        "dose": 1.5, "viewers": 2.0, "resolved": 0.3,
    },
    "150 labels, precision .5, all or none of an account": {
        "over": 500, "under": 300, "labels": 150, "precision": (0.5, 0.05), "dose": 3.0,
        "alike": 1.0, "viewers": 2.0, "resolved": 0.3,
    },
    "500 labels, precision .9, half of the accounts all or none": {
        "over": 500, "under": 300, "labels": 500, "dose": 3.0, "alike": 0.5, "viewers": 4.0,
    },
}  # fmt: skip


def totals(
    *,
    runs: int,
    labels: int,
    precision: float,
    spread: float = 1.5,
    unequal: float = 0.0,
    related: float = 0.0,
    cases_in_all: int = 2000,
    first_seed: int = 0,
) -> dict[str, float]:
    """Coverage of the number of wrong cases and of their money, beside plainer intervals."""
    seen: dict[str, list[float]] = defaultdict(list)
    for seed in range(first_seed, first_seed + runs):
        random = np.random.default_rng(seed)
        cell = (np.arange(cases_in_all) < 0.7 * cases_in_all).astype(np.int64)
        log = random.normal(0, 1, cases_in_all)
        amount = np.round(100 * np.exp(3.5 + spread * log))
        odds = np.where(cell == 1, precision / (1 - precision), 0.05 / 0.95)
        odds = odds * np.exp(related * spread * log)
        wrong = (random.random(cases_in_all) < odds / (1 + odds)).astype(float)
        chance = np.exp(unequal * random.normal(0, 1, cases_in_all)) * (1 + cell)
        chance = np.minimum(1.0, chance * labels / chance.sum())
        at = np.flatnonzero(random.random(cases_in_all) < chance)
        _one_draw(seen, wrong, amount, cell, chance, at)
    return {key: float(np.mean(values)) for key, values in seen.items()}


def _one_draw(
    seen: dict[str, list[float]],
    wrong: np.ndarray,
    amount: np.ndarray,
    cell: np.ndarray,
    chance: np.ndarray,
    at: np.ndarray,
) -> None:
    units = np.bincount(cell, minlength=2).astype(float)
    fraction = sampled_fraction(stratum=cell[at], inclusion=chance[at], units=units)
    design = {"cell": cell[at], "weight": 1 / chance[at], "fraction": fraction, "level": 0.95}
    for name, each in (("items", np.ones(len(wrong))), ("money", amount)):
        known = np.bincount(cell, each, minlength=2)[:, None]
        found = wrong_total(wrong[at], amount=each[at][:, None], totals=known, **design)
        if name == "items":
            found = found.whole()
        truth = float(wrong @ each)
        seen[name].append(found.low - 1e-6 <= truth <= found.highest + 1e-6)
        seen[f"{name}, width"].append((found.highest - found.low) / truth)
        low, high = _weighted_total(wrong[at] * each[at], cell[at], chance[at], units)
        seen[f"{name}, weighted total ± 1.96 errors"].append(low <= truth <= high)
        if name == "items":
            low, high = wilson(float(wrong[at].mean()), n=len(at), level=0.95)
            seen["items, weights ignored"].append(low <= truth / len(wrong) <= high)


def _weighted_total(
    value: np.ndarray, cell: np.ndarray, chance: np.ndarray, units: np.ndarray
) -> tuple[float, float]:
    """Hájek's mean of each cell times its known number of cases, with a normal interval."""
    weight, total, variance = 1 / chance, 0.0, 0.0
    for code, size in enumerate(units):
        w, y = weight[cell == code], value[cell == code]
        if len(y) < 2:
            continue
        mean = float(np.average(y, weights=w))
        total += size * mean
        variance += float(np.sum((size * w * (y - mean) / w.sum()) ** 2 * (1 - 1 / w)))
    return total - 1.96 * variance**0.5, total + 1.96 * variance**0.5


def truth(world: World) -> dict[str, float]:
    """What each estimate is of."""
    wrong = world.cases[world.cases["wrong"]]
    gross = float(wrong["gross_cents"].sum()) / 100
    recovered = float(wrong["recovered_cents"].sum()) / 100
    out: dict[str, float] = {
        "affected_items": len(wrong),
        "gross_loss_usd": gross,
        "net_loss_usd": gross - recovered,
    }
    for kind in ("accounts", "customers", "viewers"):
        out[f"affected_{kind}"] = world.hit(kind)
    for name, side in (("clean_up", "over"), ("back_fill", "under")):
        still = world.cases[(world.cases["side"] == side) & ~world.cases["resolved"]]
        if not still["wrong"].any():
            continue
        listed = still[still["suspect"] & ~(still["labelled"] & ~still["wrong"])]
        out[f"{name}_precision"] = float(listed["wrong"].mean())
        out[f"{name}_recall"] = float(listed["wrong"].sum() / still["wrong"].sum())
    return out


def record(*, runs: int, first_seed: int = 0, **world: Any) -> dict[str, float]:
    """Coverage of every estimate of whole incidents, from their rows; widths over the truth."""
    seen: dict[str, list[float]] = defaultdict(list)
    for seed in range(first_seed, first_seed + runs):
        made = drawn(seed, **world)
        rows, true = rows_of(made, segments=False), truth(made)
        estimates = {
            **cases(rows, level=0.95, usd_rate=None).estimates,
            **people(rows, level=0.95, seed=0).estimates,
            **list_quality(rows, (), level=0.95)[0],
        }
        for name, value in true.items():
            told = estimates[name]
            if told.low is None:
                continue
            seen[name].append(told.low - 1e-6 <= value <= told.high + 1e-6)
            if name.startswith("affected_"):
                seen[f"{name}, width"].append((told.high - told.low) / max(value, 1))
        seen["accounts as if independent"].append(
            independent(rows, estimates["false_positives"], true["affected_accounts"])
        )
    return {key: float(np.mean(values)) for key, values in seen.items()}


def independent(rows: Any, wrong: Any, true: float) -> bool:
    """Whether Σ 1 − (1 − p)^dose at the ends of p alone would hold the number of accounts."""
    own = rows.people[(rows.people["kind"] == "accounts") & (rows.people["side"] == "over")]
    items = float((own["dose"] * own["people"]).sum())
    low, high = (
        float(np.sum(own["people"] * (1 - (1 - min(1.0, end / items)) ** own["dose"])))
        for end in (wrong.low, wrong.high)
    )
    return low <= true <= high


HEAD = """# Postmortem: coverage of wrong cases, money, people and lists

Made by `python -m tests.studies.postmortem_coverage --runs {runs}`; the worlds are described at the
head of that file and in `tests/postmortem/worlds.py`. {runs} seeded draws per row, nominal 95 %;
the standard error of a coverage of .95 is {error:.3f}.

## One side: wrong cases and their money

*items*, *money*: the report's intervals · *width*: over the truth, on average · *weighted total*:
the mean of each cell times its number of cases, ± 1.96 linearised errors · *weights ignored*:
Wilson's interval of the plain share of labels. Amounts are lognormal, the logarithm's standard
deviation is 1.5 unless said.

"""
MIDDLE = """

The money of a cell is known in all; only its wrong part is estimated, and the interval has at least
the spread that it would have if being wrong had nothing to do with the amount. Without either, few
labels that hold most of the money and happen to agree make it far too sure (*weighted total*).

## Whole incidents

From the rows of a reader to the estimates, both sides; *width*: over the truth.
*as if independent*: accounts from the ends of the share of wrong cases alone, as though cases of
one account were wrong independently. An en dash: not in that world.

"""
TAIL = """

Numbers of people cover more often than said wherever people have several cases, because their ends
are bounds: they hold for whatever way wrong cases lie on people. The narrow interval does not.
"""


def page(rows_totals: pd.DataFrame, rows_records: pd.DataFrame, runs: int) -> str:
    head = HEAD.format(runs=runs, error=(0.95 * 0.05 / runs) ** 0.5)
    return head + markdown(rows_totals) + MIDDLE + markdown(rows_records) + TAIL


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--processes", type=int, default=1)
    asked, began = parser.parse_args(), time.perf_counter()
    runs = asked.runs
    with ProcessPoolExecutor(asked.processes) as pool:
        records = {name: pool.submit(record, runs=runs, **world) for name, world in RECORDS.items()}
        plain = {name: pool.submit(totals, runs=runs, **world) for name, world in TOTALS.items()}
        first = pd.DataFrame([{"world": name} | one.result() for name, one in plain.items()])
        second = pd.DataFrame({name: one.result() for name, one in records.items()})
    whole = second.rename_axis("estimate").reset_index()
    Path(__file__).with_suffix(".md").write_text(page(first, whole, runs) + "\n", encoding="utf-8")
    print(f"{time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
