"""Moves and the ledger: steps found where they are, told from lines, and from the instrument."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from tests.harm.series_worlds import START, series, without
from trustlib.harm.instrument_ledger import InstrumentChange, instrument_ledger
from trustlib.harm.moves import moves

WEEK25 = START + pd.Timedelta(weeks=25)


def change(weeks: float, what="model", note="version 7") -> InstrumentChange:
    return InstrumentChange(at=(START + pd.Timedelta(weeks=weeks)).to_pydatetime(), what=what,
                            note=note)  # fmt: skip


def stepped(seed: int = 4, **more):
    return series(seed, **{"phi": 0.3, "tau": 0.1, "step": 0.7, "at": 25} | more)


def test_a_step_is_found_with_its_size():
    found = moves(series(1, step=0.8, at=25, labels=50_000))
    assert len(found) == 1
    row = found.iloc[0]
    assert row["at"] == row["low_at"] == row["high_at"] == WEEK25
    assert row["ratio_low"] < np.exp(0.8) < row["ratio_high"]
    assert row["p"] == pytest.approx(1 / 200)


def test_a_line_is_no_step_and_two_steps_are_two():
    assert moves(series(2, slope=0.05, labels=20_000)).empty
    two = series(4, periods=50, step=0.9, at=15, labels=20_000)
    eta = np.where(np.arange(50) >= 35, 0.4, 1.0)
    two.estimate[:] = two.estimate * eta
    two.variance[:] = two.estimate * (1 - two.estimate) / 20_000
    found = moves(two)
    assert list(found["at"]) == [START + pd.Timedelta(weeks=15), START + pd.Timedelta(weeks=35)]
    assert found["ratio"][0] > 1 > found["ratio"][1]


def test_chance_and_power():
    """A small run of what stands at the head of `trustlib.harm.moves`."""
    false = [len(moves(series(seed, phi=0.4, tau=0.15), replays=59)) > 0 for seed in range(25)]
    assert np.sum(false) <= 5
    covered, found = 0, 0
    for seed in range(20):
        table = moves(stepped(seed, step=0.9), replays=59)
        if len(table):
            found += 1
            near = table.iloc[int((table["at"] - WEEK25).abs().argmin())]
            covered += near["low_at"] <= WEEK25 <= near["high_at"]
    assert found >= 15
    assert covered >= 0.8 * found


def test_same_seed_same_moves_and_short_series_none():
    made = stepped()
    pd.testing.assert_frame_equal(moves(made, seed=4), moves(made, seed=4))
    assert moves(series(1, periods=11, step=3, at=5)).empty
    assert list(moves(series(1, periods=11)).columns)[:3] == ["at", "low_at", "high_at"]


def test_gaps_do_not_hide_a_step():
    found = moves(without(stepped(labels=20_000), [3, 9, 24, 30]))
    assert len(found) == 1
    assert found["low_at"][0] <= WEEK25 <= found["high_at"][0]


def test_a_move_at_an_instrument_change_is_not_attributable():
    found = instrument_ledger(stepped(), [change(24.6), change(10, "policy", "")])
    row = found.moves.iloc[0]
    assert not row["attributable"]
    assert row["instrument"] == "model"
    assert "not attributable" in row["text"]
    assert "version 7" in row["text"]
    assert found.check.name == "instrument_changes"
    assert found.check.verdict == "fail"
    assert list(found.changes["what"]) == ["policy", "model"]
    jump = found.changes.iloc[1]
    assert jump["low"] < np.exp(0.7) < jump["high"]
    assert len(found.trend.eras) == 3
    assert found.trend.change.point is None


def test_a_move_apart_from_the_ledger_is_attributable():
    found = instrument_ledger(stepped(labels=20_000), [change(8)])
    assert found.moves["attributable"].all()
    assert found.moves["instrument"].iloc[0] == ""
    assert found.check.verdict == "pass"
    assert "No listed change" in found.moves["text"].iloc[0]
    # Two moves, one of them the instrument's.
    both = stepped(labels=20_000, periods=60)
    both.estimate[45:] *= 0.4
    both.variance[:] = both.estimate * (1 - both.estimate) / 20_000
    mixed = instrument_ledger(both, [change(45)])
    assert list(mixed.moves["attributable"]) == [True, False]
    assert mixed.check.verdict == "warn"


def test_no_ledger_is_not_an_empty_ledger():
    made = stepped()
    unknown, empty = instrument_ledger(made, None), instrument_ledger(made, [])
    assert unknown.check.verdict == "not_run"
    assert not unknown.moves["attributable"].any()
    assert "Nobody listed" in unknown.moves["text"].iloc[0]
    assert empty.check.verdict == "pass"
    assert empty.moves["attributable"].all()
    assert empty.changes.empty
    quiet = instrument_ledger(series(1), [])
    assert quiet.check.label == "no move to explain"


def test_a_jump_too_weak_for_a_search_is_seen_at_its_known_date():
    made = series(4, step=0.25, at=25, labels=3000)
    assert moves(made).empty
    found = instrument_ledger(made, [change(25)])
    assert found.changes["p"][0] < 0.05
    assert found.check.verdict == "warn"
    assert "level jumps" in found.check.label


def test_changes_outside_the_window_do_not_split():
    found = instrument_ledger(series(1), [change(-5), change(90)])
    assert list(found.changes["inside"]) == [False, False]
    assert found.changes["ratio"].isna().all()
    assert found.trend.change.point is not None


def test_order_of_the_ledger_does_not_matter_and_entries_are_checked():
    entries = [change(24.6), change(10, "policy", "")]
    made = stepped()
    one, other = instrument_ledger(made, entries), instrument_ledger(made, entries[::-1])
    pd.testing.assert_frame_equal(one.moves, other.moves)
    pd.testing.assert_frame_equal(one.changes, other.changes)
    with pytest.raises(ValueError, match="naive"):
        InstrumentChange(at=datetime(2026, 1, 1), what="model")
    with pytest.raises(ValueError, match="one of policy"):
        InstrumentChange(at=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=1), what="weather")
