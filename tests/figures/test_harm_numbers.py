"""Figures of a deep-dive: what is drawn, and what the frames beside them say, is the result's."""

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb
from matplotlib.dates import date2num

from tests.figures import harm_shapes
from tests.figures.harm_results import made
from tests.figures.test_harm_figures import made as shown
from tests.figures.test_harm_figures import texts
from trustlib.figures import harm as draw
from trustlib.figures import svg
from trustlib.harm.deep_dive.published import published
from trustlib.harm.lifecycle import lifecycles


def whole():
    return harm_shapes.result("whole")


def dots(ax, marker: str = "o") -> dict[float, float]:
    """Row -> value of the dots of a marker."""
    return {
        float(line.get_ydata()[0]): float(line.get_xdata()[0])
        for line in ax.lines
        if line.get_marker() == marker and len(line.get_xdata()) == 1
    }


def spans(ax) -> dict[float, tuple[float, float]]:
    """Row -> ends of its interval."""
    return {
        float(line.get_ydata()[0]): tuple(map(float, line.get_xdata()))
        for line in ax.lines
        if len(line.get_xdata()) == 2 and line.get_ydata()[0] == line.get_ydata()[1]
    }


def filled(ax) -> set[float]:
    return {
        float(line.get_ydata()[0])
        for line in ax.lines
        if line.get_marker() == "o" and line.get_markerfacecolor() == svg.PALETTE["actual"]
    }


def bars(ax) -> list[np.ndarray]:
    return [
        np.asarray(segment)
        for collection in ax.collections
        if type(collection).__name__ == "LineCollection"
        for segment in collection.get_segments()
    ]


def test_each_week_has_its_share_and_its_interval_and_each_era_its_line() -> None:
    result, ax = whole(), draw.prevalence_trend(whole())
    points = result.ledger.trend.points
    assert [bar[0, 1] for bar in bars(ax)] == pytest.approx(list(100 * points["low"]))
    assert [bar[1, 1] for bar in bars(ax)] == pytest.approx(list(100 * points["high"]))
    lines = [line for line in ax.lines if line.get_color() == svg.PALETTE["expected"]]
    drawn = np.concatenate([line.get_ydata() for line in lines])
    np.testing.assert_allclose(drawn, 100 * points["trend"])
    assert len(lines) == len(result.ledger.trend.eras) == 4
    bands = [c for c in ax.collections if type(c).__name__ == "FillBetweenPolyCollection"]
    top = max(path.vertices[:, 1].max() for band in bands for path in band.get_paths())
    assert top == pytest.approx(100 * points["trend_high"].max())


def test_changes_are_dashed_lines_with_dates_and_moves_are_filled_where_attributable() -> None:
    result, ax = whole(), draw.prevalence_trend(whole())
    dashed = [line for line in ax.lines if line.get_color() == svg.PALETTE["warn"]]
    at = [float(line.get_xdata()[0]) for line in dashed]
    assert at == [float(date2num(x)) for x in result.ledger.changes["at"]]
    words = texts(shown(result, "prevalence_trend"))
    assert "1 model, 17 Dec · 2 labelling, 16 Feb · 3 sampling, 2 Mar" in words
    up = [line for line in ax.lines if line.get_marker() == "^"]
    down = [line for line in ax.lines if line.get_marker() == "v"]
    assert [line.get_markerfacecolor() for line in up] == [svg.PALETTE["harm"]]
    assert [line.get_markerfacecolor() for line in down] == [svg.PALETTE["paper"]]
    first = result.ledger.moves.iloc[0]
    middle = (date2num(first["low_at"]) + date2num(first["high_at"]) + 7) / 2
    assert float(up[0].get_xdata()[0]) == pytest.approx(middle)
    assert any(word.startswith("×3.1") for word in words)


def test_few_changes_are_named_at_their_lines() -> None:
    result = made(ledger=harm_shapes.series_ledger(20, 0.02, changes=1))
    words = texts(shown(result, "prevalence_trend"))
    assert "policy, 13 Nov" in words
    assert not any(word.startswith("1 policy") for word in words)


def test_the_key_of_many_changes_ends_with_how_many_more() -> None:
    ledger = harm_shapes.series_ledger(20, 0.02, changes=1)
    many = pd.concat([ledger.changes] * 80, ignore_index=True)
    many["at"] = many["at"] + pd.to_timedelta(np.arange(80), unit="D")
    words = texts(shown(made(ledger=replace(ledger, changes=many)), "prevalence_trend"))
    assert any("more" in word and "80" not in word for word in words)
    rows = draw.prevalence_trend_rows(made(ledger=replace(ledger, changes=many)))
    assert rows["number"].max() == 80


def test_a_series_without_a_trend_says_why_and_weeks_of_few_labels_are_withheld() -> None:
    result = harm_shapes.result("small")
    words = texts(shown(result, "prevalence_trend"))
    assert "trend not estimable: fewer than 8 periods with labels" in words
    points = result.ledger.trend.points.assign(labels=[9.0, 3_000, 3_000, 3_000, 3_000])
    ledger = replace(result.ledger, trend=replace(result.ledger.trend, points=points))
    rows = draw.prevalence_trend_rows(made(ledger=ledger))
    assert rows.loc[0, ["labels", "share", "low", "high"]].isna().all()
    assert rows.loc[1:4, "share"].notna().all()


def test_many_weeks_are_a_band() -> None:
    result, ax = harm_shapes.result("long"), draw.prevalence_trend(harm_shapes.result("long"))
    assert not bars(ax)
    points = result.ledger.trend.points
    line = next(x for x in ax.lines if x.get_color() == svg.PALETTE["actual"])
    np.testing.assert_allclose(line.get_ydata(), 100 * points["estimate"])


def test_bands_that_know_next_to_nothing_do_not_set_the_scale() -> None:
    result = whole()
    words = "lines and bands that reach the upper end go on beyond it"
    assert words not in texts(shown(result, "prevalence_trend"))
    points = result.ledger.trend.points.assign(trend_high=0.9)
    points.loc[0, "high"] = 0.8
    ledger = replace(result.ledger, trend=replace(result.ledger.trend, points=points))
    wide = made(ledger=ledger)
    assert words in texts(shown(wide, "prevalence_trend"))
    assert draw.prevalence_trend(wide).get_ylim()[1] < 25
    assert draw.prevalence_trend_rows(wide).loc[0, "high"] == 0.8


def test_rare_shares_are_per_10_000_everywhere() -> None:
    result = harm_shapes.result("rare")
    for name in ("prevalence_trend", "segment_forest", "rate_and_mix_bars"):
        assert any("per 10,000" in word for word in texts(shown(result, name))), name
    ax = draw.segment_forest(result)
    table = result.where.segments["market"]
    assert list(dots(ax).values()) == pytest.approx(list(10_000 * table["share"]))


def test_the_curve_its_band_and_what_the_top_have_are_the_result_s() -> None:
    result, ax = whole(), draw.concentration_curve(whole())
    curve = result.where.concentration.curve
    line = next(x for x in ax.lines if x.get_color() == svg.PALETTE["actual"])
    rows = draw.concentration_curve_rows(result)
    np.testing.assert_allclose(line.get_xdata(), 100 * rows["accounts"])
    np.testing.assert_allclose(line.get_ydata(), 100 * rows["harm"])
    own = rows[rows["low"].notna()]
    for name in ("harm", "low", "high"):
        np.testing.assert_allclose(own[name], curve[name])
    more = rows.loc[rows["low"].isna(), ["accounts", "harm"]].to_numpy()
    found = result.where.concentration
    half = found.actors_behind_half.point
    known = [[1 - found.actors_with_harm / found.actors, 0], [1 - half / found.actors, 0.5]]
    np.testing.assert_allclose(more, known)
    assert ax.get_xlim() == pytest.approx((90, 100))
    words = texts(shown(result, "concentration_curve"))
    assert "1 % of accounts have 37 % (33 % to 43 %)" in words
    assert any("the first 90 % have none" in word for word in words)
    top = result.where.concentration.top_share[0.01].point
    ((y, x),) = dots(ax).items()
    assert (x, y) == pytest.approx((99, 100 * (1 - top)))


def test_a_curve_that_leaves_zero_early_is_drawn_whole() -> None:
    found = whole().where.concentration
    grid = found.curve["actors"].to_numpy()
    half = replace(found.actors_behind_half, point=1_172, low=1_100, high=1_300)
    even = replace(
        found, curve=found.curve.assign(harm=grid**2, low=grid**2.2, high=grid**1.8),
        actors_with_harm=found.actors, actors_behind_half=half,
    )  # fmt: skip
    result = made(where__concentration=even)
    assert draw.concentration_curve(result).get_xlim() == (0, 100)
    assert not any("have none" in word for word in texts(shown(result, "concentration_curve")))


def test_where_one_per_cent_have_all_it_is_told_in_accounts() -> None:
    found = whole().where.concentration
    grid = found.curve["actors"].to_numpy()
    nothing = np.where(grid < 1, 0.0, 1.0)
    all_of_it = replace(found.top_share[0.01], point=1.0, low=None, high=None, note="none")
    few = replace(
        found, actors=17_000, actors_with_harm=72, top_share={0.01: all_of_it},
        curve=found.curve.assign(harm=nothing, low=nothing, high=nothing),
        actors_behind_half=replace(found.actors_behind_half, point=27, low=19, high=36),
    )  # fmt: skip
    result = made(where__concentration=few)
    words = texts(shown(result, "concentration_curve"))
    assert "72 accounts have all, 27 have half (19 to 36)" in words
    ax = draw.concentration_curve(result)
    assert ax.get_xlim() == pytest.approx((99, 100))
    ((y, x),) = dots(ax).items()
    assert (x, y) == pytest.approx((100 * (1 - 27 / 17_000), 50))
    assert spans(ax)[50.0] == pytest.approx((100 * (1 - 36 / 17_000), 100 * (1 - 19 / 17_000)))
    only = replace(
        few, actors_behind_half=replace(found.actors_behind_half, point=8, low=6, high=9)
    )
    words = texts(shown(made(where__concentration=only), "concentration_curve"))
    assert "72 accounts have all" in words


def test_the_curve_hides_what_fewer_than_11_accounts_have() -> None:
    found = whole().where.concentration
    rows = draw.concentration_curve_rows(made(where__concentration=replace(found, actors=400)))
    above = (1 - rows["accounts"]) * 400
    assert above[above > 0].min() >= 11
    for name in ("actors_with_harm", "harm"):
        few = made(where__concentration=replace(found, **{name: 10}))
        assert draw.concentration_curve(few) is None


def test_segments_are_drawn_highest_first_with_the_whole_and_the_confirmed_ones_filled() -> None:
    result, ax = whole(), draw.segment_forest(whole())
    market, kind = (result.where.segments[name] for name in ("market", "kind"))
    wanted = [*(100 * market["share"]), *(100 * kind["share"])]
    assert list(dots(ax).values()) == pytest.approx(wanted)
    ends = list(zip([*market["low"], *kind["low"]], [*market["high"], *kind["high"]], strict=True))
    np.testing.assert_allclose(list(spans(ax).values()), 100 * np.array(ends))
    assert filled(ax) == {1.0}
    rows = draw.segment_forest_rows(result)
    assert rows.loc[rows["confirmed"], "value"].tolist() == ["dogwood", "dogwood + video"]
    assert rows["note"].iloc[-1] == "6.3 times the rest (3.8 to 9.9)"
    assert rows["note"].iloc[-1] in texts(shown(result, "segment_forest"))
    overall = 100 * result.size.items.estimate.point
    assert any(
        line.get_xdata()[0] == pytest.approx(overall) and line.get_linestyle() == "--"
        for line in ax.lines
    )
    assert "all: 2.5" in texts(shown(result, "segment_forest"))


def test_of_many_values_sixteen_are_drawn_and_the_rest_counted() -> None:
    result = harm_shapes.result("crowded")
    rows = draw.segment_forest_rows(result)
    rows = rows[rows["segment"] != "confirmed together"]
    assert len(rows) == 70
    assert rows["drawn"].sum() == 16
    words = texts(shown(result, "segment_forest"))
    assert sum("more, not drawn" in word for word in words) == 2
    drawn = rows[rows["drawn"]].groupby("segment", sort=False).size()
    assert [int(word.split()[1]) for word in words if word.startswith("and ")] == [
        40 - drawn["market"], 27 - drawn["c" * 90],
    ]  # fmt: skip


def test_values_with_few_labels_have_only_a_rounded_upper_end() -> None:
    table = harm_shapes.segments(("a", "b", "c")).assign(positive=[100, 90, 4])
    result = made(where__segments={"s": table})
    safe = published(result).segments["s"].set_index("value")
    assert safe["withheld"].any()
    rows = draw.segment_forest_rows(result).set_index("value")
    for value in ("a", "b", "c"):
        assert math.isnan(rows.loc[value, "share"]) == safe.loc[value, "withheld"]
    hidden = rows[rows["at_most"].notna()]
    assert hidden["at_most"].tolist() == safe.loc[hidden.index, "at_most"].tolist()
    assert hidden[["share", "low", "high"]].isna().all(axis=None)
    words = texts(shown(result, "segment_forest"))
    assert sum(word.startswith("≤") for word in words) == len(hidden)
    assert "dotted: few labels, so only a rounded upper end is shown" in words
    few = draw.segment_forest_rows(harm_shapes.result("small"))
    assert few.loc[few["segment"] == "market", "share"].isna().all()


def test_shares_that_are_withheld_do_not_show_in_the_order() -> None:
    table = harm_shapes.segments(("z", "y", "x"), labelled=12).assign(high=0.3)
    rows = draw.segment_forest_rows(made(where__segments={"s": table}))
    assert rows["value"].tolist()[:3] == ["x", "y", "z"]


def test_the_size_has_its_floor_and_both_shares_in_counts() -> None:
    result = whole()
    ax = draw.size_range(result)
    items, views = ax.figure.axes
    assert dots(items, "D") == {0.0: result.size.confirmed.items}
    assert dots(items)[1.0] == pytest.approx(result.size.items.total.point)
    share = result.size.items_corrected.estimate
    of = result.size.items.by_stratum["population"].sum()
    assert dots(items)[2.0] == pytest.approx(share.point * of)
    assert spans(items)[2.0] == pytest.approx((share.low * of, share.high * of))
    assert dots(views)[1.0] == pytest.approx(result.size.views.total.point / 1_000)
    assert filled(items) == {2.0}
    words = texts(shown(result, "size_range"))
    assert {"known to violate", "as labelled", "corrected"} <= set(words)
    assert "thousand views of violating items in the window" in words


def test_a_small_floor_is_withheld_and_what_is_not_known_says_so() -> None:
    result = harm_shapes.result("small")
    rows = draw.size_range_rows(result)
    assert rows["note"].tolist() == ["fewer than 11", "", "errors of raters not known"]
    assert rows["point"].isna().tolist() == [True, False, True]
    ax = draw.size_range(result)
    assert len(ax.figure.axes) == 1
    assert not spans(ax)


def test_the_bars_add_up_to_the_change_and_have_their_intervals() -> None:
    result = whole()
    mix = result.where.mix
    rows = draw.rate_and_mix_bars_rows(result)
    assert rows["point"].iloc[:-1].sum() == pytest.approx(mix.change.point)
    assert rows["end"].iloc[-2] == pytest.approx(rows["end"].iloc[-1])
    assert rows["start"].iloc[1:-1].tolist() == pytest.approx(rows["end"].iloc[:-2].tolist())
    ax = draw.rate_and_mix_bars(result)
    wide = [patch.get_width() for patch in ax.patches]
    assert wide == pytest.approx(list(100 * rows["point"]))
    ends = spans(ax)
    assert ends[3.0] == pytest.approx((100 * mix.change.low, 100 * mix.change.high))
    start = 100 * mix.rate.point
    market = mix.mix["market"]
    assert ends[1.0] == pytest.approx((start + 100 * market.low, start + 100 * market.high))
    words = texts(shown(result, "rate_and_mix_bars"))
    assert "before 16 Mar: 2.0 %, since then: 2.9 %" in words


def per_unit(result, one) -> float:
    """Of the stage's own unit in the one that is drawn."""
    rows = draw.lifecycle_curves_rows(result)
    return 24.0 if rows.loc[rows["stage"] == one.stage.name, "unit"].iloc[0] == "days" else 1.0


def test_each_stage_has_a_panel_with_its_curve_and_median() -> None:
    result = whole()
    ax = draw.lifecycle_curves(result)
    panels = ax.figure.axes
    assert len(panels) == len(result.how.lifecycles) == 3
    for panel, one in zip(panels, result.how.lifecycles, strict=True):
        by = per_unit(result, one)
        line = panel.lines[0]
        place = np.searchsorted(one.curve["time"], by * line.get_xdata()[1:] - 1e-6)
        known = one.curve.iloc[place]
        np.testing.assert_allclose(line.get_xdata()[1:], known["time"] / by)
        np.testing.assert_allclose(line.get_ydata()[1:], 100 * known["surviving"])
        mark = [x for x in panel.lines if x.get_marker() == "o"]
        assert mark[0].get_xdata()[0] == pytest.approx(one.median.point / by)
    words = texts(shown(result, "lifecycle_curves"))
    assert "abuse to action: half within 30 (25 to 36) hours" in words
    assert any(word.startswith("sign-up to first abuse: half within ") for word in words)
    assert "publication to action: half within 346 views" in words


def test_a_long_tail_is_cut_and_the_median_lies_on_the_curve() -> None:
    random = np.random.default_rng(1)
    times = np.append(random.exponential(200, 120), 20_000.0).round(1)
    frame = pd.DataFrame({"duration": times, "observed": True})
    result = made(how__lifecycles=lifecycles({"abuse_to_action": frame}))
    ax = draw.lifecycle_curves(result)
    words = texts(shown(result, "lifecycle_curves"))
    assert "share not there yet, per cent, over days, the last after 833" in words
    assert ax.get_xlim()[1] < 60
    (mark,) = [line for line in ax.lines if line.get_marker() == "o"]
    curve = ax.lines[0]
    assert mark.get_xdata()[0] in curve.get_xdata()
    at = np.interp(mark.get_xdata()[0], curve.get_xdata(), curve.get_ydata())
    assert at == pytest.approx(100 * 60 / 121, abs=0.5)


def test_what_ends_at_once_is_said_in_words() -> None:
    frame = pd.DataFrame(
        {"duration": [0.0] * 30 + [5.0] * 10, "observed": [True] * 30 + [False] * 10}
    )
    result = made(how__lifecycles=lifecycles({"views_before_action": frame}))
    words = texts(shown(result, "lifecycle_curves"))
    assert "publication to action: half before the first view" in words
    assert "25 % not while followed, the others at once" in words


def test_a_curve_shows_no_single_case() -> None:
    result = whole()
    rows = draw.lifecycle_curves_rows(result)
    for one in result.how.lifecycles:
        by = per_unit(result, one)
        times = rows.loc[rows["stage"] == one.stage.name, "time"].to_numpy() * by
        ended = one.curve.set_index("time")["events"] * one.ended / one.curve["events"].sum()
        cases = [ended.loc[a + 1e-6 : b + 1e-6].sum() for a, b in pairwise(times)]
        assert min(cases) >= 11 - 1e-6
        assert sum(cases) == pytest.approx(one.ended)
    few = harm_shapes.result("small")
    assert draw.lifecycle_curves_rows(few).empty
    assert "fewer than 11 cases got there" in texts(shown(few, "lifecycle_curves"))


def test_clusters_have_bars_for_what_may_be_shown() -> None:
    result = whole()
    safe = published(result).clusters
    rows = draw.clusters_rows(result)
    measures = ["accounts", "violating_items", "views"]
    pd.testing.assert_frame_equal(rows[measures], safe[measures])
    own = safe[safe["evidence"] != ""]
    ax = draw.clusters(result)
    assert len(ax.patches) == int(own[measures].notna().sum().sum())
    long = [patch.get_width() for patch in ax.patches if patch.get_facecolor()[:3] == harm()]
    ratio = np.array(long) / long[0]
    assert ratio == pytest.approx(list(own["violating_items"] / own["violating_items"].iloc[0]))
    words = texts(shown(result, "clusters"))
    assert {"cluster 1", "1 smaller cluster", "withheld", "160"} <= set(words)
    assert not {"8", "13"} & set(words)
    few = texts(shown(harm_shapes.result("small"), "clusters"))
    assert "1 smaller cluster" in few
    assert "8" not in few


def harm() -> tuple[float, ...]:
    return to_rgb(svg.PALETTE["harm"])


def test_ratios_are_on_a_log_axis_and_rest_on_no_small_count() -> None:
    result = whole()
    tokens = result.how.newly_frequent.tokens
    ax = draw.newly_frequent_tokens(result)
    assert ax.get_xscale() == "log"
    large = tokens[(tokens["before"] >= 11) & (tokens["now"] >= 11)]
    assert list(dots(ax).values()) == pytest.approx(list(large["ratio"]))
    ends = [spans(ax)[float(at)] for at in large.index]
    np.testing.assert_allclose(ends, large[["low", "high"]])
    assert set(dots(ax, ">")) == {1.0, 2.0}
    assert spans(ax)[1.0][0] == pytest.approx(140 / 10)  # exposures are alike
    words = texts(shown(result, "newly_frequent_tokens"))
    assert {"≥ ×14", "fewer than 11 times", *tokens["name"]} <= set(words)
    rows = draw.newly_frequent_tokens_rows(result)
    assert rows.loc[[1, 2, 5], ["ratio", "low", "high"]].isna().all(axis=None)
    assert math.isnan(rows.loc[5, "at_least"])
    assert not {"token", "before", "now"} & set(rows.columns)


def test_a_token_that_was_not_there_before_has_a_least_and_no_ratio() -> None:
    found = whole().how.newly_frequent
    new = found.tokens[found.tokens["new"]]
    result = made(how__newly_frequent=replace(found, tokens=new))
    rows = draw.newly_frequent_tokens_rows(result)
    often = (new["now"] >= 11).to_numpy()
    assert often.any()
    assert not often.all()
    # Ten before is the most that "fewer than 11" allows.
    expected = new["now"] / 10 * new["exposure"]
    assert rows["at_least"][often].tolist() == pytest.approx(expected[often].tolist())
    assert rows["at_least"][~often].isna().all()
    assert rows["ratio"].isna().all()
    assert set(rows["note"]) == {"", "fewer than 11 times"}
    rare = made(how__newly_frequent=replace(found, tokens=new[~often]))
    assert draw.newly_frequent_tokens(rare) is None


def test_recall_and_precision_stand_side_by_side_and_all_together_is_strong() -> None:
    result = whole()
    table = result.today.controls.table()
    left, right = draw.control_recall(result).figure.axes
    for panel, name in ((left, "recall"), (right, "precision")):
        assert list(dots(panel).values()) == pytest.approx(list(100 * table[name]))
        ends = 100 * table[[f"{name}_low", f"{name}_high"]].to_numpy()
        np.testing.assert_allclose(list(spans(panel).values()), ends)
        assert filled(panel) == {4.0}
    words = texts(shown(result, "control_recall"))
    assert {"scam_model", "user reports", "all together", "recall, per cent"} <= set(words)


def test_pairs_of_controls_stand_against_chance() -> None:
    result = whole()
    pairs = result.today.controls.overlap.sort_values("both", ascending=False)
    ax = draw.control_overlap(result)
    assert list(dots(ax).values()) == pytest.approx(list(100 * pairs["both"]))
    assert list(dots(ax, "D").values()) == pytest.approx(list(100 * pairs["expected"]))
    sure = {float(i) for i, up in enumerate(pairs["low"] > pairs["expected"]) if up}
    assert filled(ax) == sure


def test_options_have_their_ratio_and_chance_and_labels_are_left_out() -> None:
    result = whole()
    table = result.ranking.table()
    real = table[table["kind"] != "label"]
    ax = draw.options(result)
    assert ax.get_xscale() == "log"
    assert list(dots(ax).values()) == pytest.approx(list(real["ratio"]))
    assert spans(ax)[0.0] == pytest.approx((real["ratio_low"].iloc[0], real["ratio_high"].iloc[0]))
    words = texts(shown(result, "options"))
    assert not any("label more" in word for word in words)
    assert "98 %" in words
    assert len(draw.options_rows(result)) == len(table)


def test_weeks_whose_labels_are_late_stand_out() -> None:
    result = whole()
    frame = result.size.labels_arrived
    ax = draw.labels_arrived_bars(result)
    assert sorted(p.get_height() for p in ax.patches) == pytest.approx(sorted(100 * frame["share"]))
    late = [patch.get_height() for patch in ax.patches if patch.get_facecolor()[:3] == harm()]
    assert late == pytest.approx([58.0])
    np.testing.assert_allclose([bar[0, 1] for bar in bars(ax)], 100 * frame["low"])
    np.testing.assert_allclose([bar[1, 1] for bar in bars(ax)], 100 * frame["high"])
    assert draw.labels_arrived_bars_rows(result)["late"].tolist()[-2:] == [False, True]
    few = frame.assign(labels=[10, *frame["labels"][1:]])
    rows = draw.labels_arrived_bars_rows(made(size__labels_arrived=few))
    assert rows["share"].isna().tolist() == [True] + [False] * (len(few) - 1)
