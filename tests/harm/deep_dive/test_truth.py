"""One seed of the study in tests/studies/deep_dive_truth.md; deterministic: not a gamble."""

from __future__ import annotations

import pytest

from tests.studies.deep_dive_truth import bound_holds, rates, study


@pytest.fixture(scope="module")
def seeds():
    return study(range(1000, 1001), shuffles=1)


def test_the_truth_is_inside(seeds):
    table = rates(seeds[0]).set_index("name")
    for name in ("prevalence", "prevalence_views", "affected_accounts", "recall_of_controls"):
        assert table.loc[name, "told"] == 1
        assert table.loc[name, "inside"] == 1
    assert bound_holds(seeds[0])[0] == 1


def test_rings_are_found_and_none_where_there_are_none(seeds):
    for one in seeds[1]:
        assert one.members >= 10
        assert one.right >= 0.95 * one.members
        assert one.shuffled == (0,)
