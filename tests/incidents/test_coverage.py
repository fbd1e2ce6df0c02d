"""The short form of the coverage study; the long one is tests/studies/incident_coverage.py."""

from pathlib import Path

import numpy as np
import pytest

from tests.studies import incident_coverage as study
from trustlib.incidents.worlds import AUTOCORRELATED, WORLDS

STUDY = Path(__file__).parents[1] / "studies" / "incident_coverage.py"
RUNS = 60


@pytest.fixture(scope="module")
def seen():
    return {world.name: study.coverage(world, runs=RUNS, first_seed=700) for world in WORLDS}


@pytest.mark.parametrize("name", [world.name for world in WORLDS])
def test_our_interval_covers(seen, name):
    # At a true .95 fewer than 52 of 60 happens once in 200.
    assert np.sum(seen[name].covered["ours"]) >= 52


def test_over_the_autocorrelated_worlds_together(seen):
    ours, naive, hours = (
        np.mean([np.mean(seen[name].covered[method]) for name in AUTOCORRELATED])
        for method in ("ours", "naive_poisson", "negbin_hours")
    )
    assert ours >= 0.92
    assert naive < 0.55
    assert hours < 0.75


def test_naive_poisson_fails_where_hours_move_together(seen):
    for name in ("ar_90", "ar_95", "level_drift"):
        assert np.mean(seen[name].covered["naive_poisson"]) < 0.4


def test_quiet_worlds_are_seldom_called_incidents(seen):
    verdicts = np.concatenate([seen[world.name].verdicts for world in WORLDS])
    assert np.mean(verdicts == "incident confirmed") <= 0.07


def test_the_record_is_that_of_the_study():
    record = STUDY.with_suffix(".md").read_text(encoding="utf-8")
    assert "incident_coverage --runs" in record
    header, *lines = [line for line in record.splitlines() if line.startswith("| ")]
    ours = header.strip("| ").split(" | ").index("ours")
    cells = [line.strip("| ").split(" | ") for line in lines]
    for name in AUTOCORRELATED:
        eight = next(row for row in cells if row[:3] == [name, "8", "no"])
        assert float(eight[ours]) >= 0.92
