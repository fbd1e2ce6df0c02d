"""Segments, growth, concentration and what the join leaves out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.harm.deep_dive.worlds import SPEC, without, world
from trustlib.harm.deep_dive.samples import samples
from trustlib.harm.deep_dive.searched import searched
from trustlib.harm.deep_dive.size import size
from trustlib.harm.deep_dive.where import AS_LABELLED, TAKEN_OUT, where

ROWS, TRUTH = world(1, growing=8.0, labels=6_000)


def placed(rows, spec=SPEC):
    drawn = samples(rows, spec)
    error = size(rows, drawn, spec)[0].rater_error
    return where(rows, drawn, error, spec)


FOUND, WHY = placed(ROWS)


def test_segments_add_up_and_come_highest_first():
    assert WHY == {}
    assert list(FOUND.segments) == ["market", "kind"]
    for table in FOUND.segments.values():
        assert table["population"].sum() == ROWS.population["items"].sum()
        assert table["share"].is_monotonic_decreasing
        np.testing.assert_allclose(table["total"], table["share"] * table["population"])
    assert FOUND.segments["market"]["value"].iloc[0] == TRUTH.growing[0]


def test_rater_error_is_taken_out_of_segments_where_it_is_known():
    table = FOUND.segments["market"]
    assert table["method"].str.endswith(TAKEN_OUT).all()
    assert (table["share"] != table["share_labelled"]).all()
    plain = placed(without(ROWS, "gold"))[0].segments["market"]
    assert plain["method"].str.endswith(AS_LABELLED).all()
    pd.testing.assert_series_equal(plain["share"], plain["share_labelled"], check_names=False)
    both = table.merge(plain, on="value")
    np.testing.assert_array_equal(both["share_labelled_x"], both["share_y"])


def test_the_move_adds_up_and_is_rate_not_mix():
    mix = FOUND.mix
    parts = mix.rate.point + sum(one.point for one in mix.mix.values())
    assert parts == pytest.approx(mix.change.point, abs=1e-12)
    assert mix.by_segment["total"].sum() == pytest.approx(mix.change.point, abs=1e-12)
    assert mix.change.low > 0
    assert mix.rate.point > 0.9 * mix.change.point


def test_what_cannot_be_named_is_no_part_and_is_counted_as_left_out():
    lost = ROWS.cells["market"] == "north"
    cells = ROWS.cells.assign(now=ROWS.cells["now"].where(~lost, ROWS.cells["now"] * 3))
    named = {"market": {"north": "unknown"}}
    rows = replace(ROWS, cells=cells.replace(named), sample=ROWS.sample.replace(named),
                   by_segment=ROWS.by_segment.replace("north", "unknown"))  # fmt: skip
    mix = placed(rows)[0].mix
    assert "unknown" not in set(mix.by_segment["segment"])
    assert mix.covered == pytest.approx(
        1 - cells[lost][["before", "now"]].sum() / cells[["before", "now"]].sum()
    )
    # Three times as many that cannot be named are no move of the share that can.
    assert abs(mix.mix["market"].point) < 0.1 * abs(mix.rate.point)
    assert next(one for one in mix.checks if one.name == "decomposition_covered").verdict == "warn"


def test_the_segment_that_grows_is_confirmed():
    whole = " and ".join(
        f"{name} {value}" for name, value in zip(SPEC.segments, TRUTH.growing, strict=True)
    )
    own, grown = (
        list(search.segments.query("confirmed and explained_by == ''")["segment"])
        for search in (FOUND.search, FOUND.growing)
    )
    assert own == [whole]
    # Growth is harder to see: the half held out may show the wider segment only.
    assert grown
    assert all(f"market {TRUTH.growing[0]}" in name for name in grown)
    assert FOUND.growing.of == "growth"
    calm = placed(world(1, labels=6_000)[0])[0]
    assert calm.search.confirmed == 0
    assert calm.growing.confirmed == 0


def test_one_heavy_label_does_not_decide_the_search():
    """A violating label that stands for 5,000 items, in a segment of its own."""
    heavy = (ROWS.sample["market"] == "north") & ROWS.sample["in_window"]
    first = ROWS.sample.index[heavy & (ROWS.sample["label"] == 0)][0]
    sample = ROWS.sample.copy()
    sample.loc[first, ["label", "inclusion"]] = [1.0, 1 / 5_000]
    found = placed(replace(ROWS, sample=sample))[0].search.segments.query("confirmed")
    assert found["segment"].str.contains("south").any()
    assert not found["segment"].str.contains("north").any()


def test_the_search_counts_items_as_the_tables_do():
    drawn = samples(ROWS, SPEC)
    period = np.asarray(
        pd.DatetimeIndex(drawn.rows_of_items["created_at"]) >= pd.Timestamp(SPEC.compare_from)
    ).astype(int)
    cells = searched(drawn.items, ROWS.cells, period=period, seed=0)
    for at, part in ((0, "before"), (1, "now")):
        for half in (0, 1):
            mine = cells.size[(cells.period == at) & (cells.half == half)].sum()
            assert mine == pytest.approx(ROWS.cells[part].sum() / 2)
    plain = searched(drawn.items, ROWS.cells.iloc[:0], period=None, seed=0)
    assert plain.size.sum() < 0.5 * ROWS.cells[["before", "now"]].to_numpy().sum()
    part = searched(drawn.items, ROWS.cells.iloc[1:], period=None, seed=0)
    assert (part.size > 0).all()


def test_cells_without_labels_count_as_cells_without_harm():
    few = ROWS.sample["in_window"] & (ROWS.sample["market"] == "west")
    found, _ = placed(replace(ROWS, sample=ROWS.sample[~few]))
    assert list(found.mix.mix) == list(FOUND.mix.mix) == ["market", "kind"]
    west = found.mix.by_segment.set_index("segment").loc["west"]
    assert west["rate_before"] == west["rate_after"] == 0
    assert west["share_before"] > 0.3
    assert FOUND.mix.by_segment.set_index("segment").loc["west", "rate_after"] > 0


def test_missing_accounts_are_counted_and_bound_the_share():
    gone = FOUND.survivorship
    assert gone.check.name == "survivorship"
    assert gone.check.verdict == "fail"
    assert gone.missing_share.point == pytest.approx(
        ROWS.accounts_join["missing"].iloc[0] / ROWS.accounts_join["accounts"].iloc[0]
    )
    assert list(gone.by_segment["segment"]) == ["kind photo", "kind text"]
    # Of the segments only market is the accounts' own.
    assert set(gone.segment_bounds["segment"]) == set(FOUND.segments["market"]["value"])


def test_what_items_know_themselves_needs_no_join():
    turned = replace(SPEC, segments=("kind", "market"))
    assert set(placed(ROWS, turned)[0].survivorship.segment_bounds["segment"]) == set(
        FOUND.segments["market"]["value"]
    )


def test_items_of_unknown_market_are_left_out_of_the_joined_share_and_bound_it():
    lost = ROWS.sample["actor"] % 4 == 0
    by = ROWS.by_segment
    part = by[by["segment"] == "market"].assign(value="unknown")
    part = part.groupby(["segment", "value", "stratum"], as_index=False)[["items", "views"]].sum()
    part[["items", "views"]] //= 100
    rows = replace(
        ROWS,
        sample=ROWS.sample.assign(market=np.where(lost, "unknown", ROWS.sample["market"])),
        by_segment=pd.concat([by, part], ignore_index=True),
    )
    gone = placed(rows)[0].survivorship
    assert "unknown" not in set(gone.segment_bounds["segment"])
    assert gone.prevalence_high < 0.1
    whole = placed(ROWS)[0].survivorship
    assert gone.prevalence_high - gone.prevalence_low < whole.prevalence_high - whole.prevalence_low


def test_concentration_is_of_confirmed_items():
    assert FOUND.concentration.harm == ROWS.confirmed.items
    assert FOUND.concentration.actors_with_harm == ROWS.confirmed.accounts


@pytest.mark.parametrize(
    ("role", "fields"),
    [
        ("labels", {"segments", "mix", "search", "growing"}),
        ("accounts", {"survivorship"}),
        ("gold", set()),
        ("views", set()),
    ],
)
def test_what_is_missing_is_said(role, fields):
    found, why = placed(without(ROWS, role))
    assert set(why) == {f"where.{name}" for name in fields}
    for name in fields:
        value = getattr(found, name)
        assert value is None or not value
        assert why[f"where.{name}"].endswith(".")


def test_no_harm_anywhere_is_said_not_raised():
    calm = replace(
        ROWS,
        sample=ROWS.sample.assign(label=0.0),
        actor_harm=pd.DataFrame({"amount": [0], "actors": [100]}),
    )
    found, why = placed(calm)
    assert set(why) == {"where.search", "where.growing", "where.concentration"}
    assert found.mix.change.point == 0
    assert (found.segments["kind"]["share"] == 0).all()


def test_labels_of_one_period_only_give_no_comparison():
    early = ROWS.sample["created_at"] < pd.Timestamp(SPEC.compare_from)
    _, why = placed(replace(ROWS, sample=ROWS.sample[early]))
    assert set(why) == {"where.mix", "where.growing"}
    assert "periods" in why["where.mix"]


def test_without_segments_it_is_said():
    found, why = placed(ROWS, replace(SPEC, segments=()))
    assert found.segments == {}
    assert set(why) == {"where.segments", "where.mix", "where.search", "where.growing"}


def test_rows_in_another_order_give_the_same():
    other = replace(
        ROWS,
        sample=ROWS.sample.sample(frac=1, random_state=1),
        cells=ROWS.cells.sample(frac=1, random_state=1),
        by_segment=ROWS.by_segment.sample(frac=1, random_state=1),
        actor_harm=ROWS.actor_harm.iloc[::-1],
    )
    found, _ = placed(other)
    for name, table in FOUND.segments.items():
        pd.testing.assert_frame_equal(found.segments[name], table)
    assert found.mix.change == FOUND.mix.change
    pd.testing.assert_frame_equal(found.search.segments, FOUND.search.segments)
    assert found.concentration.gini == FOUND.concentration.gini
