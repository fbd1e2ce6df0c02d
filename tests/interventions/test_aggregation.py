"""Averages of group-time effects: weights, the error of estimated weights, bands."""

import numpy as np
import pytest
from scipy.special import ndtri

from tests.interventions.rollouts import ours, rollout
from trustlib.core import Refusal
from trustlib.interventions import aggregate

KINDS = ("simple", "group", "dynamic", "calendar")


def family(found, kind, *, draws=199, seed=0, level=0.95):
    return aggregate(found, kind, level=level, draws=draws, seed=seed)


@pytest.fixture(scope="module")
def found():
    return ours(rollout(units=400), weight="weight", control_group="not_yet", cluster="cluster")


@pytest.mark.parametrize("kind", KINDS)
def test_influence_covariance_and_overall_are_one_story(found, kind):
    one = family(found, kind)
    n, clusters = found.panel.n_units, found.panel.n_clusters
    psi = np.column_stack([one.influence, one.overall_influence])
    np.testing.assert_allclose(psi.mean(axis=0), 0, atol=1e-10)
    sums = np.zeros((clusters, psi.shape[1]))
    np.add.at(sums, found.panel.cluster, psi)
    joint = sums.T @ sums / n**2
    np.testing.assert_allclose(one.covariance, joint[:-1, :-1], atol=1e-12)
    np.testing.assert_allclose(one.standard_error**2, np.diag(joint)[:-1], rtol=1e-10)
    assert one.overall_standard_error**2 == pytest.approx(joint[-1, -1])
    if kind != "simple":
        assert one.overall_weights.sum() == pytest.approx(1)
        assert one.overall_weights @ one.point == pytest.approx(one.overall)
        assert (one.overall_weights[one.before] == 0).all() or kind != "dynamic"


def test_simple_is_an_average_over_treated_cells_by_cohort_share(found):
    one = family(found, "simple")
    after = found.event_time >= 0
    share = np.asarray(
        [found.panel.unit_weight[found.panel.first_treated == g].sum() for g in found.group]
    )
    expected = (share * found.point)[after].sum() / share[after].sum()
    assert one.overall == pytest.approx(expected)
    assert one.keys.shape == one.point.shape == (0,)
    assert one.covariance.shape == (0, 0)
    assert np.isnan(one.critical)


@pytest.mark.parametrize("kind", KINDS)
def test_the_influence_is_the_derivative_in_a_units_weight(kind):
    """Estimated weights included: an estimate moves by influence / n when a unit counts more."""
    frame = rollout(units=60)
    before = ours(frame, weight="weight")
    one = family(before, kind)
    weights = frame.groupby("unit")["weight"].first().to_numpy()
    step = 1e-6
    for unit in (0, 1, 2, 3, 17, 40):
        moved = frame.copy()
        # Relative to the mean weight of 1 that the influence is scaled to.
        moved.loc[moved["unit"] == unit, "weight"] += step * weights[unit]
        other = family(ours(moved, weight="weight"), kind)
        np.testing.assert_allclose(
            (other.point - one.point) / step, one.influence[unit] / 60, atol=1e-6
        )
        assert (other.overall - one.overall) / step == pytest.approx(
            one.overall_influence[unit] / 60, abs=1e-6
        )


def test_units_count_each_treated_unit_once(found):
    panel = found.panel
    sizes = {int(g): int((panel.first_treated == g).sum()) for g in panel.groups}
    assert family(found, "group").units.tolist() == [sizes[g] for g in sorted(sizes)]
    dynamic = family(found, "dynamic")
    first = dict(zip(dynamic.keys.tolist(), dynamic.units.tolist(), strict=True))
    assert first[0] == sum(sizes.values())
    assert first[4] == sizes[2]
    calendar = family(found, "calendar")
    assert calendar.units[0] == sizes[2]
    assert calendar.units[-1] == sum(sizes.values())


def test_cells_that_are_not_estimable_are_left_out_and_said():
    found = ours(rollout(units=300, never=0.0, groups=(3, 5)), control_group="not_yet")
    one = family(found, "dynamic")
    assert one.keys.tolist() == [-3, -1, 0, 1]  # at -2 the earlier cohort is treated
    assert np.isfinite(one.point).all()
    assert any("no unit to compare with" in note for note in one.notes)
    cells = (found.group == 2) & (found.event_time >= 0) & ~np.isnan(found.point)
    assert family(found, "simple").overall == pytest.approx(found.point[cells].mean())


def test_the_reference_of_a_universal_base_is_zero_and_costs_the_band_nothing():
    frame = rollout(units=300)
    one = family(ours(frame, base_period="universal"), "dynamic")
    at = one.keys.tolist().index(-1)
    assert one.point[at] == 0
    assert one.standard_error[at] == 0
    assert one.critical > ndtri(0.975)


def test_nothing_after_treatment_is_refused():
    found = ours(rollout(groups=(2,)), anticipation=1)
    with pytest.raises(Refusal, match="after treatment"):
        family(found, "simple")
    with pytest.raises(Refusal, match="dynamic"):
        family(found, "dynamics")


def test_the_band_is_that_of_the_joint_distribution(found):
    """Rademacher signs over 100 clusters come close to the normal's sup-t quantile."""
    one = family(found, "dynamic", draws=4999)
    scale = np.sqrt(np.diag(one.covariance))
    correlation = one.covariance / np.outer(scale, scale)
    values, vectors = np.linalg.eigh(correlation)
    root = vectors * np.sqrt(np.maximum(values, 0))
    draws = np.random.default_rng(1).standard_normal((40_000, len(root))) @ root.T
    normal = np.quantile(np.abs(draws).max(axis=1), 0.95)
    assert one.critical == pytest.approx(normal, abs=0.08)
    assert family(found, "dynamic", level=0.8, draws=999).critical < one.critical - 0.3


def test_the_seed_decides_the_band(found):
    assert family(found, "dynamic").critical == family(found, "dynamic").critical
    assert family(found, "dynamic").critical != family(found, "dynamic", seed=1).critical
