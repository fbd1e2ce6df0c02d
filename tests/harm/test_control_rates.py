"""Precision at another base rate, the proactive rate, and appeals beside an audit."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, logit

from trustlib.core import Estimate
from trustlib.harm.control_rates import (
    PROACTIVE_CAVEAT,
    overturns,
    precision_at_base_rate,
    proactive_rate,
)
from trustlib.stats.wilson import wilson


def share(point, low, high, n=100):
    return Estimate(point=point, low=low, high=high, level=0.95, unit="share", method="m", n=n,
                    note="none" if low is None else None)  # fmt: skip


def test_bayes_rule():
    found = precision_at_base_rate(
        sensitivity=share(0.9, 0.9, 0.9), specificity=share(0.99, 0.99, 0.99), base_rate=0.001
    )
    assert found.point == pytest.approx(0.0009 / (0.0009 + 0.01 * 0.999))
    assert found.low == pytest.approx(found.point)
    assert found.high == pytest.approx(found.point)


def test_one_uncertain_part_carries_its_ends_over():
    fixed, spread = share(0.9, 0.9, 0.9), share(0.99, 0.98, 0.995)
    found = precision_at_base_rate(sensitivity=fixed, specificity=spread, base_rate=0.01)

    def bayes(se, sp, pi):
        return se * pi / (se * pi + (1 - sp) * (1 - pi))

    assert found.low == pytest.approx(bayes(0.9, 0.98, 0.01))
    assert found.high == pytest.approx(bayes(0.9, 0.995, 0.01))
    rate = share(0.01, 0.005, 0.02)
    found = precision_at_base_rate(
        sensitivity=fixed, specificity=share(0.99, 0.99, 0.99), base_rate=rate
    )
    assert (found.low, found.high) == pytest.approx(
        (bayes(0.9, 0.99, 0.005), bayes(0.9, 0.99, 0.02))
    )


def test_symmetric_errors_add_in_quadrature_on_the_log_odds():
    a, b = 0.1, 0.3
    sensitivity = share(0.5, 0.5 * np.exp(-a), 0.5 * np.exp(a))
    specificity = share(0.9, 1 - 0.1 * np.exp(b), 1 - 0.1 * np.exp(-b))
    found = precision_at_base_rate(sensitivity=sensitivity, specificity=specificity, base_rate=0.02)
    half = np.hypot(a, b)
    assert found.low == pytest.approx(expit(logit(found.point) - half))
    assert found.high == pytest.approx(expit(logit(found.point) + half))


def test_parts_at_their_edge():
    clean = precision_at_base_rate(
        sensitivity=share(0.8, 0.7, 0.9), specificity=share(1, 0.99, 1), base_rate=0.01
    )
    assert (clean.point, clean.high) == (1, 1)
    assert clean.low == pytest.approx(0.7 * 0.01 / (0.7 * 0.01 + 0.01 * 0.99))
    blind = precision_at_base_rate(
        sensitivity=share(0, 0, 0.1), specificity=share(0.9, 0.8, 0.95), base_rate=0.5
    )
    assert (blind.low, blind.point) == (0, 0)
    assert blind.high == pytest.approx(0.1 / 0.15)
    nothing = precision_at_base_rate(
        sensitivity=share(0, 0, 0), specificity=share(1, 1, 1), base_rate=0.5
    )
    assert nothing.point is None
    assert precision_at_base_rate(
        sensitivity=share(None, None, None), specificity=share(0.9, 0.8, 1), base_rate=0.5
    ).note.startswith("not estimable")
    partly = precision_at_base_rate(
        sensitivity=share(0.5, None, None), specificity=share(0.9, 0.8, 1), base_rate=0.5
    )
    assert partly.point == pytest.approx(5 / 6)
    assert partly.low is None
    with pytest.raises(ValueError, match="between 0 and 1"):
        precision_at_base_rate(
            sensitivity=share(0.5, 0.4, 0.6), specificity=share(0.9, 0.8, 1), base_rate=1.5
        )


def test_the_proactive_rate_and_its_caveat():
    found = proactive_rate(60, 100)
    assert (found.low, found.high) == pytest.approx(wilson(0.6, n=100, level=0.95))
    assert found.note == PROACTIVE_CAVEAT
    assert "not recall" in PROACTIVE_CAVEAT
    singles = proactive_rate(np.r_[np.ones(60), np.zeros(40)], np.ones(100))
    assert (singles.low, singles.high) == pytest.approx(wilson(0.6, n=99, level=0.95))
    bulk = proactive_rate(np.r_[np.full(6, 10), np.zeros(4)], np.full(10, 10))
    assert (bulk.low, bulk.high) == pytest.approx(wilson(0.6, n=9, level=0.95))
    assert proactive_rate([0, 0], [0, 0]).point is None
    assert proactive_rate([5, 5], [5, 5]).low == pytest.approx(0.025**0.5)
    with pytest.raises(ValueError, match="the part within the whole"):
        proactive_rate(5, 4)


def test_overturns_beside_an_audit():
    found = overturns(enforced=1000, appealed=100, decided=80, overturned=40, audited=200, wrong=10)
    assert found.overturn_rate.point == 0.5
    assert found.appeal_rate.point == 0.1
    assert found.wrong_rate.point == 0.05
    assert found.wrong_at_least == pytest.approx(0.04)
    assert found.wrong_at_most == pytest.approx(0.96)
    assert found.check.verdict == "warn"
    assert "Who appeals is selected" in found.check.text
    same = overturns(enforced=1000, appealed=100, decided=80, overturned=4, audited=200, wrong=10)
    assert same.check.verdict == "pass"
    blind = overturns(enforced=1000, appealed=100, decided=80, overturned=40)
    assert blind.check.verdict == "not_run"
    assert blind.wrong_rate.point is None
    assert "between 4\u00a0% and 96\u00a0%" in blind.check.text
    assert overturns(enforced=9, appealed=0, decided=0, overturned=0, audited=5,
                     wrong=1).check.verdict == "not_run"  # fmt: skip
    with pytest.raises(ValueError, match="are needed"):
        overturns(enforced=10, appealed=11, decided=0, overturned=0)
