"""Rate and mix: identities, closed forms, an actor bootstrap and coverage."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trustlib.harm.rate_and_mix import rate_and_mix
from trustlib.harm.rate_cells import RateCells, cells_of_actors


def cells(size, rate, variance=0.0, *, codes=None, names=None) -> RateCells:
    size = np.asarray(size, dtype=float)
    if codes is None:
        codes = np.arange(size.shape[1])[:, None]
        names = {"market": tuple(f"m{at}" for at in range(size.shape[1]))}
    return RateCells(
        codes=codes, names=names, size=size, rate=np.asarray(rate, dtype=float),
        variance=np.broadcast_to(variance, size.shape), labels=100,
    )  # fmt: skip


def grid(seed: int, *, shape=(3, 4, 2), gone=0.3) -> RateCells:
    """Nested cells, some without items in one period, shuffled."""
    random = np.random.default_rng(seed)
    codes = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), -1).reshape(-1, len(shape))
    size = random.integers(1, 1000, (2, len(codes))) * (random.random((2, len(codes))) > gone)
    size[:, 0] = 5
    names = {f"d{d}": tuple(f"v{at}" for at in range(n)) for d, n in enumerate(shape)}
    order = random.permutation(len(codes))
    rate = np.where(size > 0, random.random(size.shape) * 0.1, np.nan)
    return cells(size[:, order], rate[:, order], random.random(size.shape)[:, order] * 1e-6,
                 codes=codes[order], names=names)  # fmt: skip


def turned(made: RateCells, order, periods) -> RateCells:
    return replace(
        made, codes=made.codes[order], size=made.size[periods][:, order],
        rate=made.rate[periods][:, order], variance=made.variance[periods][:, order],
    )  # fmt: skip


def test_two_segments_by_hand():
    # Shares .5/.5 then .2/.8; rates .1/.3 then .2/.3.
    found = rate_and_mix(cells([[50, 50], [20, 80]], [[0.1, 0.3], [0.2, 0.3]]))
    assert found.before.point == pytest.approx(0.2)
    assert found.after.point == pytest.approx(0.28)
    assert found.rate.point == pytest.approx(0.35 * 0.1)
    assert found.mix["market"].point == pytest.approx(0.15 * -0.3 + 0.3 * 0.3)
    table = found.by_segment
    assert list(table["rate_part"]) == pytest.approx([0.035, 0])
    # Against the average rate of .24: the first has .15 and shrinks, the second .3 and grows.
    assert list(table["mix_part"]) == pytest.approx([-0.3 * (0.15 - 0.24), 0.3 * (0.3 - 0.24)])


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), depth=st.integers(1, 3), gone=st.sampled_from([0.0, 0.4, 0.8]))
def test_parts_add_up_exactly(seed, depth, gone):
    found = rate_and_mix(grid(seed, shape=(3, 4, 2)[:depth], gone=gone))
    change = found.after.point - found.before.point
    assert abs(found.change.point - change) <= 1e-12
    parts = found.rate.point + sum(part.point for part in found.mix.values())
    assert abs(parts - change) <= 1e-12
    table = found.by_segment
    assert abs(table["total"].sum() - change) <= 1e-12
    assert abs(table["rate_part"].sum() - found.rate.point) <= 1e-12
    outer, *inner = found.mix.values()
    assert abs(table["mix_part"].sum() - outer.point) <= 1e-12
    assert abs(table["inner_mix_part"].sum() - sum(part.point for part in inner)) <= 1e-12
    rest = table["rate_part"] + table["mix_part"] + table["inner_mix_part"] - table["total"]
    assert rest.abs().max() <= 1e-12


@pytest.mark.parametrize("seed", range(5))
def test_turning_the_periods_round_turns_every_sign(seed):
    made = grid(seed)
    there = rate_and_mix(made)
    back = rate_and_mix(turned(made, np.arange(len(made.codes)), [1, 0]))
    assert back.rate.point == pytest.approx(-there.rate.point, abs=1e-14)
    for name, part in there.mix.items():
        assert back.mix[name].point == pytest.approx(-part.point, abs=1e-14)
    assert list(back.by_segment["total"]) == pytest.approx(list(-there.by_segment["total"]))


def test_order_of_cells_and_split_of_a_cell_do_not_matter():
    made = grid(3, shape=(3, 4), gone=0.0)
    turn = np.random.default_rng(1).permutation(len(made.codes))
    again = rate_and_mix(turned(made, turn, [0, 1]))
    found = rate_and_mix(made)
    assert again.rate.point == pytest.approx(found.rate.point, abs=1e-15)
    assert again.change.low == pytest.approx(found.change.low, abs=1e-15)
    # The outer dimension alone: the same mix, and its rate part holds the inner mix.
    size, harm = made.size, made.size * made.rate
    outer = [made.codes[:, 0] == at for at in range(3)]
    whole = np.array([size[:, rows].sum(axis=1) for rows in outer]).T
    flat = rate_and_mix(cells(whole, np.array([harm[:, at].sum(axis=1) for at in outer]).T / whole))
    assert flat.mix["market"].point == pytest.approx(found.mix["d0"].point, abs=1e-14)
    inside = found.rate.point + found.mix["d1"].point
    assert flat.rate.point == pytest.approx(inside, abs=1e-14)


def test_pure_mix_and_pure_rate():
    sizes = [[10, 30, 60], [50, 30, 20]]
    mixed = rate_and_mix(cells(sizes, [[0.01, 0.02, 0.05]] * 2))
    assert mixed.rate.point == 0
    assert mixed.mix["market"].point == pytest.approx(mixed.change.point)
    moved = rate_and_mix(cells([sizes[0], [100, 300, 600]], [[0.01, 0.02, 0.05], [0.03, 0, 0.1]]))
    assert moved.mix["market"].point == pytest.approx(0, abs=1e-17)
    assert moved.rate.point == pytest.approx(moved.change.point)


def test_new_and_gone_segments_are_mix():
    found = rate_and_mix(cells([[50, 50, 0], [50, 0, 50]],
                               [[0.1, 0.2, np.nan], [0.1, np.nan, 0.4]]))  # fmt: skip
    assert found.rate.point == 0
    assert found.mix["market"].point == pytest.approx(0.5 * 0.4 - 0.5 * 0.2)
    notes = list(found.by_segment["note"])
    assert notes[0] == ""
    assert notes[1].startswith("gone")
    assert notes[2].startswith("new")


def test_items_without_labels_are_left_out_and_said():
    made = cells([[50, 40, 10], [50, 30, 20]], [[0.1, 0.2, np.nan], [0.1, 0.3, 0.9]])
    found = rate_and_mix(made)
    assert list(found.covered) == pytest.approx([0.9, 0.8])
    assert found.before.point == pytest.approx((50 * 0.1 + 40 * 0.2) / 90)
    assert found.checks[0].verdict == "warn"
    assert "80" in found.checks[0].text
    with pytest.raises(ValueError, match="no cell"):
        rate_and_mix(cells([[1, 0], [0, 1]], [[np.nan, 0], [0, 0.1]]))


def test_variance_is_that_of_a_linear_form():
    variance = np.array([[1e-4, 4e-4], [9e-4, 16e-4]])
    found = rate_and_mix(cells([[50, 50], [20, 80]], [[0.1, 0.3], [0.2, 0.3]], variance))
    mean_share = np.array([0.35, 0.65])
    within = np.sum(mean_share**2 * variance.sum(axis=0))
    assert found.rate.standard_error == pytest.approx(np.sqrt(within))
    mixed = np.sum((0.3 / 2) ** 2 * variance)
    assert found.mix["market"].standard_error == pytest.approx(np.sqrt(mixed))
    whole = np.sum(np.array([[0.5, 0.5], [0.2, 0.8]]) ** 2 * variance)
    assert found.change.standard_error == pytest.approx(np.sqrt(whole))


def test_parts_with_one_kind_of_label_are_said():
    found = rate_and_mix(cells([[50, 50], [50, 50]], [[0.0, 0.1], [0.0, 0.1]],
                               [[0, 1e-4], [0, 1e-4]]))  # fmt: skip
    assert found.checks[1].verdict == "warn"
    assert rate_and_mix(grid(1)).checks[1].verdict == "pass"


def world(seed: int, *, actors=300):
    """Labelled items of actors who post in several cells and both periods."""
    random = np.random.default_rng(seed)
    effect = random.normal(0, 1, actors)
    n = 4000
    actor = random.integers(0, actors, n)
    period = random.integers(0, 2, n)
    market = np.where(random.random(n) < 0.5, actor % 3, random.integers(0, 3, n))
    codes = np.column_stack([market, random.integers(0, 2, n)])
    eta = -2 + 0.5 * codes[:, 0] + 0.4 * period + effect[actor]
    label = (random.random(n) < 1 / (1 + np.exp(-eta))).astype(float)
    all_codes = np.array([(a, b) for a in range(3) for b in range(2)])
    size = np.array([[300, 200, 100, 400, 250, 150], [200, 250, 300, 100, 350, 250.0]])
    return period, codes, label, actor, all_codes, size


def of_actors(period, codes, label, actor, all_codes, size, *, weight=None) -> RateCells:
    return cells_of_actors(
        period, codes, weight=np.ones(len(label)) if weight is None else weight, label=label,
        actor=actor, names={"market": ("a", "b", "c"), "kind": ("x", "y")},
        totals=(all_codes, size),
    )  # fmt: skip


def test_actors_errors_agree_with_their_bootstrap():
    made = world(2)
    found = rate_and_mix(of_actors(*made))
    random = np.random.default_rng(0)
    replicates = []
    for _ in range(400):
        times = random.multinomial(300, np.full(300, 1 / 300))
        again = rate_and_mix(of_actors(*made, weight=times[made[3]].astype(float)))
        replicates.append([again.change.point, again.rate.point, again.mix["market"].point])
    spread = np.std(replicates, axis=0, ddof=1)
    errors = [part.standard_error for part in (found.change, found.rate, found.mix["market"])]
    assert errors == pytest.approx(list(spread), rel=0.12)
    # Items on their own: an actor's items move together, so this is too narrow.
    alone = rate_and_mix(of_actors(*made[:3], np.full(4000, -1), *made[4:]))
    assert alone.mix["market"].standard_error < 0.8 * found.mix["market"].standard_error


def test_labels_outside_the_known_totals_are_refused():
    period, codes, label, actor, all_codes, size = world(1)
    with pytest.raises(ValueError, match="no items"):
        of_actors(period, codes, label, actor, all_codes[1:], size[:, 1:])
    with pytest.raises(ValueError, match="no items"):
        of_actors(period, codes, label, actor, all_codes, size * [[1], [0]])


def test_intervals_cover():
    """300 pairs of simple samples, six segments: .927, .943 and .963 of the 95 % intervals."""
    random = np.random.default_rng(5)
    size = np.array([[300, 200, 100, 400, 250, 150], [200, 250, 300, 100, 350, 250.0]])
    truth = np.array([[0.02, 0.05, 0.1, 0.03, 0.04, 0.2], [0.03, 0.05, 0.12, 0.03, 0.06, 0.15]])
    true = rate_and_mix(cells(size, truth))
    hit = np.zeros(3)
    runs, labels = 300, 250
    for _ in range(runs):
        rate = random.binomial(labels, truth) / labels
        found = rate_and_mix(cells(size, rate, rate * (1 - rate) / (labels - 1)))
        for at, part in enumerate(("change", "rate")):
            estimate = getattr(found, part)
            hit[at] += estimate.low <= getattr(true, part).point <= estimate.high
        mix = found.mix["market"]
        hit[2] += mix.low <= true.mix["market"].point <= mix.high
    assert ((hit / runs >= 0.925) & (hit / runs <= 0.98)).all(), hit / runs


def test_cells_are_checked():
    with pytest.raises(ValueError, match="twice"):
        cells([[1, 1], [1, 1]], [[0, 0], [0, 0]], codes=np.zeros((2, 1)), names={"m": ("a",)})
    with pytest.raises(ValueError, match="no name"):
        cells([[1, 1], [1, 1]], [[0, 0], [0, 0]], codes=np.array([[0], [3]]), names={"m": ("a",)})
    with pytest.raises(ValueError, match="size"):
        cells([[1, -1], [1, 1]], [[0, 0], [0, 0]])
    with pytest.raises(ValueError, match="variance"):
        cells([[1, 1], [1, 1]], [[0, 0], [0, 0]], np.nan)
