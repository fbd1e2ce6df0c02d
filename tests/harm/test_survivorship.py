"""Accounts that are missing from the join: counts, and bounds against every possible world."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from trustlib.core import Estimate
from trustlib.harm.survivorship import AccountsJoin, JoinedShares, bounds, survivorship
from trustlib.stats.wilson import wilson


def join(segments=("all",), accounts=1000, missing=60, enforced=100, enforced_missing=50,
         items=20_000, items_missing=1000):  # fmt: skip
    counts = {
        "accounts": accounts, "missing": missing, "enforced": enforced,
        "enforced_missing": enforced_missing, "items": items, "items_missing": items_missing,
    }  # fmt: skip
    return AccountsJoin(segments=segments, **{k: np.atleast_1d(v) for k, v in counts.items()})


def share(point, low=None, high=None):
    return Estimate(point=point, low=low, high=high, level=0.95, unit="share", method="m", n=9,
                    note=None if low is not None else "none")  # fmt: skip


def test_shares_of_missing_accounts():
    found = survivorship(join(missing=61))
    assert found.missing_share.point == pytest.approx(0.061)
    assert found.enforced_missing_share.point == 0.5
    assert found.other_missing_share.point == pytest.approx(11 / 900)
    ends = (found.enforced_missing_share.low, found.enforced_missing_share.high)
    assert ends == pytest.approx(wilson(0.5, n=100, level=0.95))
    assert found.check.verdict == "warn"
    assert found.check.label == "enforced accounts vanish"
    assert "61 of 1,000 accounts" in found.check.text
    assert "50\u00a0% of the enforced" in found.check.text
    assert found.prevalence_low is None
    assert found.by_segment["segment"].tolist() == ["all"]


def test_few_missing_accounts_are_not_counted_out():
    text = survivorship(join(missing=60)).check.text  # ten that were not enforced
    assert "60 of 1,000" in text
    assert "of the enforced" not in text
    text = survivorship(join(missing=7, enforced_missing=7)).check.text
    assert text.startswith("Fewer than 11 of 1,000 accounts")
    assert "7" not in text


def test_missing_as_often_as_others_is_another_label():
    found = survivorship(join(missing=100, enforced_missing=11))
    assert found.check.label == "accounts are missing"
    assert found.check.verdict == "warn"


def test_nobody_missing_nobody_there_nobody_enforced():
    none = survivorship(join(missing=0, enforced_missing=0, items_missing=0))
    assert none.check.verdict == "pass"
    empty = survivorship(join(accounts=0, missing=0, enforced=0, enforced_missing=0, items=0,
                              items_missing=0))  # fmt: skip
    assert empty.check.verdict == "not_run"
    assert empty.missing_share.point is None
    quiet = survivorship(join(enforced=0, enforced_missing=0))
    assert quiet.enforced_missing_share.point is None
    assert quiet.check.verdict == "warn"


def test_bounds_hold_in_every_world_and_are_reached():
    joined, missing = [1, 0, 0, 1, 0, 0, 0], 3
    p = np.mean(joined)
    worlds = [np.mean([*joined, *rest]) for rest in product((0, 1), repeat=missing)]
    low, high = bounds(p, missing=missing / 10)
    assert (low, high) == pytest.approx((min(worlds), max(worlds)))


def test_segment_bounds_hold_wherever_the_missing_belong():
    labels = {"north": [1, 1, 0, 0], "south": [0, 0, 0, 1, 0]}
    shares = JoinedShares(
        prevalence=share(3 / 9),
        by_segment={name: share(float(np.mean(rows))) for name, rows in labels.items()},
        items={name: float(len(rows)) for name, rows in labels.items()},
    )
    whole = join(accounts=9, missing=2, enforced=2, enforced_missing=1, items=11, items_missing=2)
    found = survivorship(whole, shares=shares).segment_bounds.set_index("segment")
    for name, rows in labels.items():
        worlds = []
        for there in range(3):
            worlds += [np.mean([*rows, *rest]) for rest in product((0, 1), repeat=there)]
        assert found.loc[name, "low"] == pytest.approx(min(worlds))
        assert found.loc[name, "high"] == pytest.approx(max(worlds))


def test_the_verdict_compares_the_bounds_with_the_interval():
    whole = join()  # 5 % of the items are behind missing accounts
    rough = JoinedShares(prevalence=share(0.10, 0.05, 0.20))
    found = survivorship(whole, shares=rough)
    assert (found.prevalence_low, found.prevalence_high) == pytest.approx((0.095, 0.145))
    assert found.check.verdict == "warn"
    fine = JoinedShares(prevalence=share(0.10, 0.09, 0.11))
    assert survivorship(whole, shares=fine).check.verdict == "fail"
    assert "between 9.5\u00a0% and 14.5\u00a0%" in survivorship(whole, shares=fine).check.text
    told = JoinedShares(prevalence=share(0.10, 0.09, 0.11), of_missing=share(0.2, 0.1, 0.25))
    found = survivorship(whole, shares=told)
    assert (found.prevalence_low, found.prevalence_high) == pytest.approx((0.1, 0.1075))
    assert found.check.verdict == "warn"
    assert "as far as labels tell" in found.check.text
    unsure = survivorship(whole, shares=JoinedShares(prevalence=share(0.1)))
    assert unsure.check.verdict == "warn"
    unknown = survivorship(whole, shares=JoinedShares(prevalence=share(None)))
    assert unknown.prevalence_high is None


def test_by_segment_of_the_items():
    parts = join(("post", "ad"), [800, 300], [50, 20], [80, 0], [45, 0], [15_000, 0], [900, 0])
    table = survivorship(join(), by_segment=parts).by_segment.set_index("segment")
    assert table.loc["post", "missing_share"] == pytest.approx(50 / 800)
    assert table.loc["post", "enforced_missing_share"] == pytest.approx(45 / 80)
    assert table.loc["post", "items_missing_share"] == pytest.approx(0.06)
    assert np.isnan(table.loc["ad", "enforced_missing_share"])
    assert np.isnan(table.loc["ad", "items_missing_share"])
    with pytest.raises(ValueError, match="one segment"):
        survivorship(parts)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"missing": 2000}, "more missing than accounts"),
        ({"enforced_missing": 70}, "more enforced_missing than missing"),
        ({"items_missing": -1}, "0 or more"),
        ({"items": [1, 2]}, "one count for each of 1"),
    ],
)
def test_refusals(change, words):
    with pytest.raises(ValueError, match=words):
        join(**change)
