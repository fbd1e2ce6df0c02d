"""Errors under autocorrelated residuals: against dense algebra, and what they cover."""

import numpy as np
import pytest
from scipy.signal import lfilter
from scipy.special import stdtrit

from trustlib.stats.first_order import _correlated, _whitened, first_order


def _design(n, start):
    since = np.arange(n) - start
    return np.column_stack([np.ones(n), since, since >= 0, since * (since >= 0)]).astype(float)


def test_filters_are_the_matrices_that_they_stand_for():
    rho, n = 0.6, 9
    places = np.arange(n)
    dense = rho ** np.abs(places[:, None] - places) / (1 - rho * rho)
    assert _correlated(np.eye(n), rho) == pytest.approx(dense)
    white = _whitened(np.eye(n), rho)
    assert white @ dense @ white.T == pytest.approx(np.eye(n), abs=1e-12)


def test_the_unit_scales_and_nothing_else():
    rng = np.random.default_rng(0)
    design, outcome = _design(40, 25), rng.standard_normal(40)
    plain = first_order(design, outcome)
    for scale in (1e-6, 1e6):
        scaled = first_order(design, outcome * scale)
        assert scaled.covariance / scale**2 == pytest.approx(plain.covariance, rel=1e-9)
        assert scaled.correlation == pytest.approx(plain.correlation)
    assert plain.degrees == 36
    with pytest.raises(ValueError, match="4 rows for 4 columns"):
        first_order(design[:4], outcome[:4])


@pytest.mark.parametrize(("rho", "least"), [(0.0, 0.93), (0.6, 0.92), (0.8, 0.91)])
def test_intervals_of_a_change_hold_in_sixty_periods(rho, least):
    """Sandwich errors hold .89, .76 and .64 of the time here."""
    design, change = _design(60, 40), np.array([0, 0, 1, 9.5])
    rng = np.random.default_rng(2)
    noise = lfilter([1.0], [1.0, -rho], rng.standard_normal((300, 160)), axis=1)[:, 100:]
    inside = 0
    for outcome in noise:
        point = change @ np.linalg.lstsq(design, outcome, rcond=None)[0]
        found = first_order(design, outcome)
        error = np.sqrt(change @ found.covariance @ change)
        inside += abs(point) <= stdtrit(found.degrees, 0.975) * error
    assert least <= inside / 300 <= 0.995
