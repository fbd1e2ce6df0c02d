"""HonestDiD's published example: Medicaid expansion, base year 2013, the effect in 2014."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtri

from trustlib.interventions.honest import (
    breakdown,
    original,
    relative_magnitudes,
    sensitivity,
    sensitivity_check,
    smoothness,
)
from trustlib.interventions.honest import fixed_length as fl
from trustlib.interventions.honest.coefficients import coefficients

SOURCE = Path(__file__).parents[3] / "shared" / "realdata" / "medicaid_event_study.csv"
pytestmark = pytest.mark.skipif(
    not SOURCE.exists(),
    reason="../shared/realdata/medicaid_event_study.csv is not part of the project",
)

RELATIVE_MAGNITUDES = {
    0.5: (0.0241, 0.0673),
    1.0: (0.0171, 0.0720),
    1.5: (0.00859, 0.0796),
    2.0: (-0.00107, 0.0883),
}
SMOOTHNESS = {
    0.00: (0.0259, 0.0607),
    0.01: (0.0132, 0.0787),
    0.02: (0.00286, 0.0907),
    0.03: (-0.00714, 0.101),
    0.04: (-0.0171, 0.111),
    0.05: (-0.0271, 0.121),
}


@pytest.fixture(scope="module")
def medicaid():
    table = pd.read_csv(SOURCE)
    return {
        "point": table["beta"].to_numpy(),
        "covariance": table.iloc[:, 2:].to_numpy(),
        "n_pre": 5,
        "target": [1.0, 0.0],
    }


def test_relative_magnitudes(medicaid):
    """Within 5e-4: the published ends are points of a grid with steps of 3.7e-4, and rest on a
    critical value from 1,000 draws where ours is exact."""
    found = relative_magnitudes(**medicaid, bounds=RELATIVE_MAGNITUDES)
    for interval, published in zip(found, RELATIVE_MAGNITUDES.values(), strict=True):
        assert (interval.low, interval.high) == pytest.approx(published, abs=5e-4)
    assert [interval.contains_zero for interval in found] == [False, False, False, True]


def test_smoothness(medicaid):
    """Within 3e-5 beyond the printed digits: the published quantile of the folded normal law is
    that of one set of a million draws (1.96224 instead of 1.95996 at M = 0)."""
    found = smoothness(**medicaid, bounds=SMOOTHNESS)
    for interval, published in zip(found, SMOOTHNESS.values(), strict=True):
        for end, printed in zip((interval.low, interval.high), published, strict=True):
            assert abs(end - printed) < _half_unit(printed) + 3e-5


def test_smoothness_is_published_to_the_printed_digits_with_the_draws_of_r(medicaid):
    draws = _normals_of_r(0, 1_000_000)
    assert np.quantile(np.abs(draws), 0.95) == pytest.approx(1.96224, abs=1e-5)
    study = coefficients(**medicaid)
    path = fl.frontier(study)
    for bound, published in SMOOTHNESS.items():
        chosen = _chosen(study, path, bound)
        weights, bias = path.at(np.array([chosen]))
        error = np.sqrt(weights[0] @ study.covariance @ weights[0])
        half = error * np.quantile(np.abs(draws + bound * bias[0] / error), 0.95)
        middle = weights[0] @ study.point
        for end, printed in zip((middle - half, middle + half), published, strict=True):
            # 2e-6: the published optimum is located to a hundredth of its range.
            assert abs(end - printed) < _half_unit(printed) + 2e-6


def test_original_is_the_plain_interval(medicaid):
    interval = original(**medicaid)
    half = 1.959963984540054 * np.sqrt(medicaid["covariance"][5, 5])
    assert interval.low == pytest.approx(medicaid["point"][5] - half, rel=1e-12)
    assert interval.high == pytest.approx(medicaid["point"][5] + half, rel=1e-12)


def test_breakdown_is_where_zero_enters(medicaid):
    times = breakdown(**medicaid, kind="relative_magnitudes")
    assert 1.5 < times < 2.0
    just_within, just_beyond = relative_magnitudes(**medicaid, bounds=[times, times + 1e-3])
    assert not just_within.contains_zero
    assert just_beyond.contains_zero

    bend = breakdown(**medicaid, kind="smoothness")
    assert 0.02 < bend < 0.03
    just_within, just_beyond = smoothness(**medicaid, bounds=[bend, bend + 1e-5])
    assert not just_within.contains_zero
    assert just_beyond.contains_zero


def test_check_reads_in_words(medicaid):
    check = sensitivity_check(sensitivity(**medicaid))
    assert check.verdict == "pass"
    assert "survives violations up to 1.9 times the worst pre-period one" in check.text
    assert "bends of up to 0.022 from one period to the next" in check.text


def _half_unit(printed):
    """Half a unit of the third significant digit."""
    return 0.5 * 10.0 ** (np.floor(np.log10(abs(printed))) - 2)


def _chosen(study, path, bound):
    """Position on the path of the shortest interval, on a fine grid."""
    positions = np.linspace(0, len(path.weights) - 1, 20_001)
    weights, bias = path.at(positions)
    errors = np.sqrt(np.einsum("ki,ij,kj->k", weights, study.covariance, weights))
    return positions[np.argmin(errors * fl.folded_quantile(bound * bias / errors, 0.95))]


def _normals_of_r(seed, n):
    """R's rnorm after set.seed(seed): Mersenne twister seeded by a congruential generator,
    inversion of 27 + 32 bits."""
    state = seed
    for _ in range(50):
        state = (69069 * state + 1) % 2**32
    words = []
    for _ in range(625):
        state = (69069 * state + 1) % 2**32
        words.append(state)
    twister = np.random.MT19937()
    twister.state = {
        "bit_generator": "MT19937",
        "state": {"key": np.array(words[1:], dtype=np.uint32), "pos": 624},
    }
    uniform = twister.random_raw(2 * n) * 2.3283064365386963e-10
    return ndtri((np.floor(2.0**27 * uniform[::2]) + uniform[1::2]) / 2.0**27)
