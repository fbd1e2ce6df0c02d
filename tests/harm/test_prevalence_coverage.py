"""The short form of the coverage study; the long one is tests/studies/prevalence_coverage.py."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.studies import prevalence_coverage as study

RECORD = (Path(__file__).parents[1] / "studies" / "prevalence_coverage.py").with_suffix(".md")


def test_the_default_covers_at_less_width_and_ignoring_weights_does_not():
    seen = study.sizes(study.SPREAD, runs=200, first_seed=9000)
    # At a true .95, 179 of 200 or fewer happens once in 900.
    assert seen["default"] > 179 / 200
    assert seen["width ratio"] <= 0.65
    assert seen["weights ignored"] < 0.12
    assert seen["stratified Wald"] < seen["default"]
    assert seen["a stratum without positive"] > 0.95
    assert seen["zero-strata bound holds"] > 179 / 200
    assert seen["warned: one label"] < 0.05


def test_labels_heaped_on_the_top_strata_are_warned_about_and_covered():
    seen = study.sizes((400,) * 5, runs=100, first_seed=9000)
    assert seen["warned: one label"] > 0.3
    assert seen["default"] > 88 / 100
    assert seen["default"] > seen["without reaching"] + 0.02


def test_imperfect_raters_are_corrected_at_nominal_coverage():
    name, labels, raters, world = study.melded_cases()[2]
    assert name.startswith("spread, 5")
    seen = study.melded(labels, raters, runs=150, first_seed=9000, **world)
    # At a true .95, 134 of 150 or fewer happens once in 300.
    assert seen["melded"] > 134 / 150
    assert seen["uncorrected"] < 0.5
    assert seen["width"] < 1.02 * seen["width, as published"]


def test_actors_with_many_items_are_counted_once():
    seen = study.clustered(runs=150, first_seed=9000)
    assert seen["by actor"] > 132 / 150
    assert seen["every label for itself"] < seen["by actor"] - 0.05


def test_views_are_covered_and_items_are_not_views():
    for proportional in (True, False):
        seen = study.views(proportional=proportional, runs=100, first_seed=9000)
        assert seen["views"] > 87 / 100
        assert seen["items, taken for views"] < 0.7


def test_scores_are_used_only_past_the_gate():
    few = study.powered((500,), shares=study.ONE, runs=60, first_seed=9000)
    assert few["run"] == 0
    assert few["without the gate"] < 0.9
    many = study.powered(tuple(4 * n for n in study.SPREAD), shares=study.SHARES, runs=60,
                         first_seed=9000)  # fmt: skip
    assert many["run"] > 0.9
    assert many["where run"] > 50 / 60
    assert many["gain"] > 1.1


def test_the_world_has_the_prevalence_that_it_says():
    assert float(study.SHARES @ study.RATES) == pytest.approx(0.0033)
    labels = (600_000, 250_000, 100_000, 40_000, 10_000)
    random = np.random.default_rng(0)
    drawn = study.sample(labels, rates=study.RATES, shares=study.SHARES, random=random)
    seen = np.bincount(drawn.stratum, drawn.label)
    expected = np.array(labels) * study.RATES
    assert (np.abs(seen - expected) < 3.5 * expected**0.5).all()


def test_the_record_is_that_of_the_study():
    record = RECORD.read_text(encoding="utf-8")
    assert "prevalence_coverage --runs 2000" in record
    rows = [line.strip("| ").split(" | ") for line in record.splitlines() if line.startswith("| ")]
    sizes = dict(zip(rows[0], next(r for r in rows if r[0].startswith("spread (")), strict=True))
    assert 0.94 <= float(sizes["default"]) <= 0.965
    assert float(sizes["width ratio"]) <= 0.65
    assert float(sizes["weights ignored"]) < 0.1
    assert float(sizes["stratified Wald"]) < float(sizes["default"])
    equal = dict(zip(rows[0], next(r for r in rows if r[0] == "equal"), strict=True))
    assert float(equal["without reaching"]) < 0.93 < 0.94 <= float(equal["default"])
    header = next(r for r in rows if "melded" in r)
    for name, *_ in study.melded_cases():
        row = dict(zip(header, next(r for r in rows if r[0] == name), strict=True))
        assert 0.94 <= float(row["melded"]) <= 0.995
