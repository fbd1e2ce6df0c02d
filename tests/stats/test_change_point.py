"""Where a step is, and how sure its place."""

import numpy as np

from trustlib.stats.change_point import step_end, step_gain, step_interval


def test_the_best_split_of_exact_data_is_the_step():
    expected = np.array([[10.0, 20, 30, 10, 20, 30]])
    counts = expected * np.array([1, 1, 1, 1, 3, 3])
    assert np.argmax(step_gain(counts, expected=expected, sign=1)[0]) == 4
    assert np.argmax(step_gain(expected / counts * expected, expected=expected, sign=-1)[0]) == 4


def test_gain_is_the_poisson_profile_likelihood_up_to_a_constant():
    rng = np.random.default_rng(0)
    expected = rng.uniform(5, 20, (1, 30))
    counts = rng.poisson(expected * np.where(np.arange(30) < 12, 1.0, 2.0)).astype(float)
    gain = step_gain(counts, expected=expected, sign=1)[0]

    def likelihood(k):
        ratio = np.empty(30)
        for part in (slice(0, k), slice(k, None)):
            ratio[part] = counts[0, part].sum() / expected[0, part].sum()
        mean = ratio * expected[0]
        return float(np.sum(counts[0] * np.log(mean) - mean))

    whole = likelihood(12) - gain[12]
    for k in (5, 11, 20, 28):
        assert np.isclose(likelihood(k), gain[k] + whole)


def test_a_step_the_wrong_way_and_a_last_odd_bucket_are_not_steps():
    expected = np.full((1, 10), 10.0)
    fall = np.where(np.arange(10) < 5, 20.0, 5.0)[None]
    assert not np.isfinite(step_gain(fall, expected=expected, sign=1)).any()
    last = np.where(np.arange(10) < 9, 10.0, 90.0)[None]
    assert np.argmax(step_gain(last, expected=expected, sign=1)[0]) == 9
    assert np.argmax(step_gain(last, expected=expected, sign=1, shortest=3)[0]) <= 7


def test_interval_covers_the_true_place_at_its_level():
    rng = np.random.default_rng(7)
    width, at, effect = 40, 20, 1.6
    expected = np.full((1, width), 12.0)
    after = np.where(np.arange(width) >= at, effect, 1.0)
    replays = step_gain(
        rng.poisson(expected * after, (2000, width)).astype(float), expected=expected, sign=1
    )
    covered = []
    for _ in range(400):
        counts = rng.poisson(expected * after).astype(float)
        gain = step_gain(counts, expected=expected, sign=1)[0]
        low, high = step_interval(gain, replayed=replays, at=at, level=0.9)
        covered.append(low <= at <= high)
    assert 0.86 < np.mean(covered) < 0.96


def test_the_end_of_a_deviation():
    expected = np.full(20, 10.0)
    counts = np.where(np.arange(20) < 8, 30.0, 10.0)
    assert step_end(counts, expected=expected, outside=1.0) == 8
    assert step_end(np.full(20, 30.0), expected=expected, outside=1.0) == 20
    assert step_end(np.where(np.arange(20) < 8, 0.0, 10.0), expected=expected, outside=1.0) == 8
