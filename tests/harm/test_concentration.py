"""Concentration: closed forms, ties and zeros, scale, and coverage.

Coverage of 95 % intervals in a larger simulation (200 samples of 200 redraws each; log-normal with
half zeros, Pareto of index 2.2, geometric; Gini, top 1 %, top 10 %, top 10):
2,000 actors .92 .92 .92 .93 | .92 .89 .90 .90 | .97 .94 .98 .96;
200 actors .92 (none) .89 .92 | .82 (none) .84 .85 | .95 (none) .95 .97.
Percentile intervals: as low as .45 (top 1 % of 200), .68 (top 10 of 2,000, Pareto).
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trustlib.harm.concentration import Histogram, concentration


def of(values, **more):
    values, counts = np.unique(np.asarray(values, dtype=float), return_counts=True)
    return concentration(Histogram(value=values, count=counts), **{"replicates": 50} | more)


def pairwise_gini(values) -> float:
    """Mean absolute difference of all pairs over twice the mean."""
    x = np.asarray(values, dtype=float)
    return float(np.abs(x[:, None] - x[None, :]).mean() / (2 * x.mean()))


amounts = st.lists(st.integers(0, 30), min_size=1, max_size=60).filter(lambda x: sum(x) > 0)


@settings(max_examples=60, deadline=None)
@given(values=amounts)
def test_gini_and_tops_equal_the_sorted_definition(values):
    found = of(values, top_counts=(1, 3), top_shares=(0.5, 1.0), replicates=5)
    assert found.gini.point == pytest.approx(pairwise_gini(values), abs=1e-12)
    ranked = np.sort(values)[::-1]
    for k in (1, 3):
        assert found.top_count[k].point == pytest.approx(ranked[:k].sum() / sum(values))
    assert found.top_share[1.0].point == pytest.approx(1)
    half = len(values) / 2
    whole = ranked[: math.floor(half)].sum()
    whole += (half % 1) * ranked[min(math.floor(half), len(values) - 1)]
    assert found.top_share[0.5].point == pytest.approx(whole / sum(values))
    least = np.argmax(np.cumsum(ranked) >= sum(values) / 2) + 1
    assert found.actors_behind_half.point == least


def test_closed_forms():
    same = of([4] * 50)
    assert same.gini.point == pytest.approx(0, abs=1e-12)
    assert same.gini.low is None
    assert "do not differ" in same.gini.note
    assert same.top_share[0.1].point == pytest.approx(0.1)
    one = of([0] * 99 + [7])
    assert one.gini.point == pytest.approx(0.99)
    assert one.top_count[10].point == 1
    assert one.actors_behind_half.point == 1
    # Exponential amounts: Gini 1/2, Lorenz p + (1 − p) log(1 − p).
    p = (np.arange(20_000) + 0.5) / 20_000
    found = of(-np.log1p(-p), replicates=20)
    assert found.gini.point == pytest.approx(0.5, abs=1e-3)
    x = found.curve["actors"].to_numpy()[1:-1]
    assert found.curve["harm"].to_numpy()[1:-1] == pytest.approx(x + (1 - x) * np.log1p(-x),
                                                                 abs=1e-3)  # fmt: skip
    assert found.top_share[0.1].point == pytest.approx(0.1 * (1 + np.log(10)), abs=1e-3)


def test_scale_and_order_change_nothing_and_zeros_do():
    random = np.random.default_rng(1)
    values = random.geometric(0.2, 300)
    found, larger = of(values), of(values * 40)
    assert larger.gini.point == pytest.approx(found.gini.point, abs=1e-13)
    assert larger.gini.low == pytest.approx(found.gini.low, abs=1e-13)
    assert larger.top_count[10].high == pytest.approx(found.top_count[10].high)
    amounts, counts = np.unique(values, return_counts=True)
    turn = random.permutation(len(amounts))
    split = Histogram(
        value=np.repeat(amounts[turn], 2),
        count=np.column_stack([counts[turn] - 1, counts[turn] * 0 + 1]).ravel(),
    )
    again = concentration(split, replicates=50)
    assert again.gini.to_json() == found.gini.to_json()
    with_zeros = of([*values, *[0] * 300])
    assert with_zeros.gini.point == pytest.approx((found.gini.point + 1) / 2)
    assert with_zeros.actors_with_harm == 300
    assert with_zeros.top_count[10].point == pytest.approx(found.top_count[10].point)


def test_a_top_of_few_actors_has_no_interval_and_says_why():
    found = of(np.arange(1, 201), top_shares=(0.01,), top_counts=(4, 500))
    assert found.top_share[0.01].low is None
    assert "fewer than 5" in found.top_share[0.01].note
    assert found.top_count[4].low is None
    assert found.top_count[500].point == 1
    assert found.top_count[500].low is None


def test_no_harm_is_not_estimable():
    found = of([0] * 20)
    assert found.gini.point is None
    assert found.actors_behind_half.point is None
    assert found.top_count[10].note.startswith("not estimable")
    assert found.checks[1].verdict == "not_run"
    with pytest.raises(ValueError, match="no actor"):
        concentration(Histogram(value=[1.0], count=[0]))


def test_checks_say_few_and_large():
    assert [check.verdict for check in of([1] * 5 + [100]).checks] == ["warn", "warn"]
    assert [check.verdict for check in of([1, 2, 3] * 20).checks] == ["pass", "pass"]


def test_histograms_and_tops_are_checked():
    for value, count in (([-1.0], [1]), ([1.0], [0.5]), ([np.nan], [1]), ([1.0, 2.0], [1])):
        with pytest.raises(ValueError, match="Histogram"):
            Histogram(value=value, count=count)
    for wrong in ({"top_shares": (0.0,)}, {"top_counts": (0,)}):
        with pytest.raises(ValueError, match="a top is"):
            of([1, 2], **wrong)


def test_millions_of_actors_are_a_histogram():
    value = np.arange(3000)
    count = np.maximum(1, (3_000_000 / (1 + value) ** 2.3)).astype(int)
    found = concentration(Histogram(value=value, count=count), replicates=99)
    assert found.actors > 4_000_000
    assert found.gini.high - found.gini.low < 0.01
    curve = found.curve
    assert (curve["low"] <= curve["harm"]).all()
    assert (curve["harm"] <= curve["high"]).all()


def test_intervals_cover_and_are_not_endless():
    """200 samples of 500 actors with geometric amounts: measured .985, .965, .965, .98."""
    random = np.random.default_rng(3)
    p = 0.3
    many = random.geometric(p, 1_000_000)
    truth = of(many, replicates=1, top_shares=(0.02, 0.1))
    half = truth.actors_behind_half.point / 1_000_000 * 500
    hit = np.zeros(4)
    for seed in range(200):
        found = of(random.geometric(p, 500), top_shares=(0.02, 0.1), replicates=150, seed=seed)
        true = [truth.gini.point, truth.top_share[0.02].point, truth.top_share[0.1].point, half]
        made = [found.gini, found.top_share[0.02], found.top_share[0.1], found.actors_behind_half]
        hit += [e.low <= t <= e.high for e, t in zip(made, true, strict=True)]
        assert found.gini.high - found.gini.low < 0.08
    assert ((hit / 200 >= 0.91) & (hit / 200 <= 0.99)).all(), hit / 200
