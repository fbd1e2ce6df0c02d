"""The Goodman-Bacon decomposition: published weights, and that it adds up."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.interventions.rollouts import rollout
from trustlib.interventions import DidSpec, panel_from_frame
from trustlib.interventions.bacon import bacon, forbidden_share, not_decomposed
from trustlib.interventions.two_way import two_way

REAL = Path(__file__).parents[3] / "shared" / "realdata"
TREATED, EARLIER, FORBIDDEN = (
    "treated vs untreated",
    "earlier vs later treated",
    "later vs earlier treated (forbidden)",
)


def panel(frame=None, **options):
    return panel_from_frame(rollout() if frame is None else frame, DidSpec(**options))


@pytest.mark.skipif(
    not (REAL / "base_stagg.csv").exists(),
    reason="../shared/realdata/base_stagg.csv is not part of the project",
)
def test_base_stagg():
    frame = pd.read_csv(REAL / "base_stagg.csv").replace({"year_treated": {10000.0: np.nan}})
    spec = DidSpec(unit="id", time="year", outcome="y", treatment_start="year_treated")
    found = bacon(panel_from_frame(frame, spec))
    mass = found.groupby("kind")["weight"].sum()
    mean = (found["weight"] * found["estimate"]).groupby(found["kind"]).sum() / mass
    as_printed = {
        TREATED: (0.7143, -2.6658),
        EARLIER: (0.1429, -2.4600),
        FORBIDDEN: (0.1429, -8.4846),
    }
    for kind, (weight, estimate) in as_printed.items():
        assert mass[kind] == pytest.approx(weight, abs=5e-5)
        assert mean[kind] == pytest.approx(estimate, abs=5e-5)
    assert forbidden_share(found) == pytest.approx(0.1429, abs=5e-5)


@pytest.mark.parametrize("never", [0.0, 0.4])
@pytest.mark.parametrize("weight", [None, "weight"])
def test_it_adds_up_to_the_two_way_estimate(never, weight):
    made = panel(rollout(never=never, groups=(2, 3, 5, 6), seed=4), weight=weight)
    found = bacon(made)
    assert found["weight"].sum() == pytest.approx(1)
    assert (found["weight"] > 0).all()
    # Weighted: PanelOLS solves by iteration.
    assert (found["weight"] * found["estimate"]).sum() == pytest.approx(
        two_way(made).overall, rel=1e-9
    )


def test_one_row_per_comparison_with_labels():
    found = bacon(panel())
    assert list(found.columns) == ["kind", "group", "control", "weight", "estimate"]
    assert len(found) == 3 + 3 * 2
    assert set(found.loc[found["kind"] == TREATED, "control"]) == {"never"}
    forbidden = found[found["kind"] == FORBIDDEN]
    assert (forbidden["group"].astype(int) > forbidden["control"].astype(int)).all()
    earlier = found[found["kind"] == EARLIER]
    assert (earlier["group"].astype(int) < earlier["control"].astype(int)).all()


def test_each_estimate_is_its_two_by_two():
    frame = rollout()
    found = bacon(panel(frame)).set_index(["kind", "group", "control"])["estimate"]

    def change(start, first, then):
        rows = frame[frame["treatment_start"] == start]
        late = rows[rows["time"].isin(then)]["outcome"].mean()
        return late - rows[rows["time"].isin(first)]["outcome"].mean()

    before, between, after = range(1, 3), range(3, 6), range(6, 8)
    assert found[TREATED, "3", "never"] == pytest.approx(
        change(3, before, range(3, 8)) - change(0, before, range(3, 8))
    )
    assert found[EARLIER, "3", "6"] == pytest.approx(
        change(3, before, between) - change(6, before, between)
    )
    assert found[FORBIDDEN, "6", "3"] == pytest.approx(
        change(6, between, after) - change(3, between, after)
    )


def test_unit_and_period_shifts_change_nothing():
    frame = rollout()
    shifted = frame.assign(outcome=frame["outcome"] + 100 * frame["unit"] + 7 * frame["time"] ** 2)
    pd.testing.assert_frame_equal(bacon(panel(frame)), bacon(panel(shifted)), rtol=1e-8)


def test_where_it_does_not_apply_it_is_empty_with_a_reason():
    gap = panel(rollout(missing=0.1))
    moving = panel()
    moving = replace(moving, weight=np.random.default_rng(0).uniform(1, 2, moving.outcome.shape))
    one = replace(panel(), first_treated=np.full(120, 3))
    nobody = replace(panel(), first_treated=np.full(120, 7))
    reasons = ("cells are missing", "do not change", "nothing to compare", "nobody is treated")
    for made, reason in zip((gap, moving, one, nobody), reasons, strict=True):
        assert reason in not_decomposed(made)
        found = bacon(made)
        assert found.empty
        assert "estimate" in found
        assert np.isnan(forbidden_share(found))
    assert not_decomposed(panel()) is None


def test_one_date_has_no_forbidden_comparison():
    found = bacon(panel(rollout(groups=(4,))))
    assert forbidden_share(found) == 0
    assert list(found["kind"]) == [TREATED]
