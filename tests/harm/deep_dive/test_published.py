"""What leaves a deep-dive as numbers: known counts of few are withheld, estimates are not."""

from __future__ import annotations

import pytest

from trustlib.core import Estimate
from trustlib.harm.deep_dive import safe_estimates


def known(n: float, method: str = "count") -> Estimate:
    return Estimate(point=n, low=None, high=None, level=0.95, unit="accounts", method=method,
                    n=int(n), note="a count that is known")  # fmt: skip


@pytest.mark.parametrize(("n", "shown"), [(0, False), (3, False), (10, False), (11, True)])
def test_known_counts_below_eleven_are_withheld(n: int, shown: bool) -> None:
    found = safe_estimates({"confirmed_accounts": known(n)})["confirmed_accounts"]
    assert (found.point, found.n) == ((n, n) if shown else (None, 0))
    assert ("fewer than 11" in found.note) is not shown


def test_what_is_estimated_stands() -> None:
    one = {"affected_accounts": known(7, method="violating views")}
    assert safe_estimates(one) == one
