"""The short form of the coverage study; the long one is tests/studies/did_coverage.py."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.studies import did_coverage as study
from trustlib.interventions.worlds import STAGGERED, placebo_law, placebo_rollout

RECORD = (Path(__file__).parents[1] / "studies" / "did_coverage.py").with_suffix(".md")


def test_intervals_and_bands_cover():
    seen = study.bands(STAGGERED, runs=150, first_seed=3000)
    for kind in study.KINDS:
        # At a true .95, 134 of 150 or fewer happens once in 300.
        assert seen[kind] > 134 / 150
    for name in ("dynamic band", "calendar band", "group band"):
        assert seen[name] > 134 / 150
    assert seen["dynamic pointwise"] == pytest.approx(0.95, abs=0.02)
    assert abs(seen["bias"]) < 0.02
    assert seen["two-way"] < 0.2


@pytest.mark.parametrize("world", [placebo_law(10), placebo_rollout(20), placebo_law(30)])
def test_placebo_laws_are_seldom_found(world):
    world = replace(world, units_per_cluster=2)
    seen = study.false_alarms(world, runs=150, methods=study.METHODS, first_seed=3000)
    # At a true .05, 17 of 150 or more happens once in 500.
    for name in ("group-time, as reported", "two-way, wild", "re-assignment"):
        assert seen[name] < 17 / 150


def test_the_normal_quantile_fails_with_few_clusters():
    seen = study.false_alarms(
        replace(placebo_law(8), units_per_cluster=2),
        runs=300,
        methods=("group-time, normal", "re-assignment"),
    )
    assert seen["group-time, normal"] > 0.08
    assert seen["re-assignment"] < 0.065


def test_the_truth_of_an_aggregation_by_hand():
    sizes = dict(zip(STAGGERED.starts, STAGGERED.sizes, strict=True))
    group = study.truth(STAGGERED, "group")
    assert group[17] == pytest.approx(sizes[17] * (1 + 0.2 * 1))  # event times 0, 1, 2
    assert study.truth(STAGGERED, "dynamic")[14] == pytest.approx(1.0 * (1 + 0.2 * 14))
    assert study.truth(STAGGERED, "dynamic")[-3] == 0
    cells = [STAGGERED.effect(g, t - g) for g in sizes for t in range(g, 20)]
    assert study.overall_truth(STAGGERED, "simple") == pytest.approx(np.mean(cells))


def test_the_record_is_that_of_the_study():
    record = RECORD.read_text(encoding="utf-8")
    assert "did_coverage --runs" in record
    rows = [line.strip("| ").split(" | ") for line in record.splitlines() if line.startswith("| ")]
    bands = dict(zip(rows[0], next(r for r in rows if r[0] == "400 units"), strict=True))
    for name in ("simple", "dynamic", "dynamic pointwise", "dynamic band"):
        assert 0.928 <= float(bands[name]) <= 0.972
    header = next(r for r in rows if "re-assignment" in r)
    for label in ("one date, 20 clusters", "one date, 50 clusters", "three waves, 50 clusters"):
        row = dict(zip(header, next(r for r in rows if r[0] == label), strict=True))
        for name in ("group-time, as reported", "two-way", "re-assignment"):
            assert float(row[name]) <= 0.08
