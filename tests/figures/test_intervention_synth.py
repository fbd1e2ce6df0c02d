"""Figures of a synthetic control: what is drawn is what the result holds, for any shape of it."""

import copy
import re
from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from tests.figures import synthetic
from tests.figures.described import assert_described, assert_words_apart, texts
from trustlib.figures import house, svg
from trustlib.figures import intervention_synth as draw
from trustlib.figures.house import view

FIGURES = (
    "actual_and_synthetic", "gaps", "placebo_ratios", "cumulative", "weights", "pool_map",
    "predictors", "estimators", "leave_one_out", "in_time",
)  # fmt: skip
ALL = list(synthetic.SHAPES)


def made(result, name, **more):
    data = pd.DataFrame({"a": [1.0]})
    drawn = getattr(draw, name)(result, **more)
    return view(drawn, alt="what", caption="why or how", data=data, filename="f.csv")


def rgb(name: str) -> tuple[float, ...]:
    from matplotlib.colors import to_rgb

    return to_rgb(svg.PALETTE[name])


def bands(ax) -> list[np.ndarray]:
    """Corners of every band."""
    return [
        path.vertices
        for collection in ax.collections
        if type(collection).__name__ == "FillBetweenPolyCollection"
        for path in collection.get_paths()
    ]


def bars(ax, colour: str = "actual") -> list[np.ndarray]:
    return [
        np.asarray(segment)
        for collection in ax.collections
        if type(collection).__name__ == "LineCollection"
        and tuple(collection.get_edgecolor()[0][:3]) == rgb(colour)
        for segment in collection.get_segments()
    ]


def forest_rows(ax) -> tuple[dict[float, float], dict[float, tuple[float, float]]]:
    """Points and intervals by row."""
    points, spans = {}, {}
    for line in ax.lines:
        x, y = line.get_xdata(), line.get_ydata()
        if line.get_marker() == "o":
            points[y[0]] = x[0]
        elif len(x) == 2 and y[0] == y[1] and y[0] == int(y[0]):
            spans[y[0]] = tuple(x)
    return points, spans


@pytest.mark.parametrize("kind", ALL)
def test_every_figure_is_one_described_svg_or_a_box_with_the_reason(kind) -> None:
    result = synthetic.result(kind)
    for name in FIGURES:
        assert_described(made(result, name), name)


def test_only_what_has_nothing_to_draw_is_a_box() -> None:
    empty = {
        shape: {name for name in FIGURES if getattr(draw, name)(synthetic.result(shape)) is None}
        for shape in ("one_market", "predictors", "staggered", "alone", "few_donors")
    }
    assert empty["one_market"] == {"predictors"}
    assert empty["predictors"] == set()
    assert empty["staggered"] == {"predictors"}
    assert empty["alone"] == {
        "placebo_ratios", "weights", "predictors", "estimators", "leave_one_out", "in_time",
    }  # fmt: skip
    assert empty["few_donors"] == {"placebo_ratios", "predictors"}


def test_what_is_not_known_is_not_drawn() -> None:
    result = synthetic.one_market()
    nothing = {
        "path": result.path.assign(synthetic=np.nan),
        "gap": result.gap.assign(point=np.nan, cumulative=np.nan),
        "pool": result.pool.iloc[:1],
        "comparison": result.comparison.iloc[:1],
        "leave_one_out": result.leave_one_out.iloc[:0],
        "in_time": result.in_time.iloc[:0],
        "placebos": result.placebos.iloc[:1],
    }
    for name in FIGURES:
        assert getattr(draw, name)(replace(result, **nothing)) is None, name


@pytest.mark.parametrize("kind", [name for name in ALL if name not in ("hostile", "money")])
def test_nothing_is_outside_the_figure_and_no_words_meet(kind) -> None:
    result = synthetic.result(kind)
    for name in FIGURES:
        shown = made(result, name)
        if "<svg" not in shown.html:
            continue
        assert_words_apart(shown, name)


@pytest.mark.parametrize("kind", ["one_market", "staggered", "alone", "quarters", "long"])
def test_the_two_lines_and_the_band_are_the_result_s(kind) -> None:
    result = synthetic.result(kind)
    frame = result.path[result.path["group"] == "all"]
    ax = draw.actual_and_synthetic(result)
    lines = {line.get_color(): line.get_ydata() for line in ax.lines}
    np.testing.assert_allclose(lines[svg.PALETTE["actual"]], frame["actual"])
    np.testing.assert_allclose(lines[svg.PALETTE["expected"]], frame["synthetic"])
    (band,) = bands(ax)
    after = frame[frame["after"]]
    assert band[:, 1].min() == pytest.approx(after["low"].min())
    assert band[:, 1].max() == pytest.approx(after["high"].max())
    assert band[:, 0].min() == int(frame["after"].to_numpy().argmax())
    other = "expected" if kind == "alone" else "synthetic"
    assert any(text.startswith(f"actual − {other}") for text in texts(made(result, "gaps")))
    assert {"actual", other} <= set(texts(made(result, "actual_and_synthetic")))


@pytest.mark.parametrize(
    ("kind", "label"),
    [
        ("one_market", "start, 2 Mar 2026"),
        ("predictors", "start, 1989"),
        ("weeks", "start, 2019-W27"),
        ("quarters", "start, 2032Q1"),
        ("staggered", "first start"),
    ],
)
def test_the_start_is_a_line_between_two_periods_with_its_date(kind, label) -> None:
    result = synthetic.result(kind)
    for name in ("actual_and_synthetic", "gaps"):
        ax = getattr(draw, name)(result)
        at = [float(line.get_xdata()[0]) for line in ax.lines if line.get_linestyle() == "--"]
        starts = [start - 0.5 for start in synthetic.SHAPES[kind].starts]
        assert [x for x in at if x % 1] == starts, name
        assert label in texts(made(result, name))


def test_every_start_has_a_panel_with_its_own_lines() -> None:
    result = synthetic.staggered()
    ax = draw.actual_and_synthetic(result)
    small = [other for other in ax.figure.axes if other is not ax]
    assert len(small) == 3
    for panel, start in zip(small, result.design.starts, strict=True):
        own = result.path[result.path["group"] == start]
        lines = {line.get_color(): line.get_ydata() for line in panel.lines}
        np.testing.assert_allclose(lines[svg.PALETTE["actual"]], own["actual"])
    assert {"from 8 Dec, 2 units", "from 19 Jan, 3 units", "from 16 Mar, 1 unit"} <= set(
        texts(made(result, "actual_and_synthetic"))
    )
    one = draw.actual_and_synthetic(result, group=result.design.starts[1])
    assert len(one.figure.axes) == 1
    lines = [line for line in one.lines if line.get_linestyle() == "--"]
    assert 19.5 in [float(line.get_xdata()[0]) for line in lines]


def test_of_many_starts_the_six_of_the_most_units_have_a_panel() -> None:
    starts = tuple(range(10, 34, 2))
    result = synthetic.staggered(starts=starts, sizes=(1, 2) * 6)
    ax = draw.actual_and_synthetic(result)
    assert len(ax.figure.axes) == 1 + 6
    assert all("2\u00a0units" in panel.texts[0].get_text() for panel in ax.figure.axes[1:])


def test_the_gap_has_its_interval_and_zero() -> None:
    result = synthetic.one_market()
    frame = result.gap
    ax = draw.gaps(result)
    (own,) = [line for line in ax.lines if line.get_color() == svg.PALETTE["actual"]]
    np.testing.assert_allclose(own.get_ydata(), frame["point"])
    (band,) = bands(ax)
    assert band[:, 1].min() == pytest.approx(frame["low"].min())
    assert band[:, 1].max() == pytest.approx(frame["high"].max())
    assert any(set(np.atleast_1d(line.get_ydata())) == {0} for line in ax.lines)
    assert {"market 01", "placebos"} <= set(texts(made(result, "gaps")))


@pytest.mark.parametrize("after", [1, 2])
def test_intervals_of_one_or_two_periods_are_bars(after) -> None:
    result = synthetic.one_market(periods=12, starts=(12 - after,))
    frame = result.gap[result.gap["after"]]
    for name, low, colour in (
        ("gaps", frame["low"], "actual"),
        ("cumulative", frame["cumulative_low"], "actual"),
        ("actual_and_synthetic", result.path.loc[result.path["after"], "low"], "expected"),
    ):
        drawn = bars(getattr(draw, name)(result), colour)
        assert [bar[0, 1] for bar in drawn] == pytest.approx(list(low)), name


def test_an_interval_that_is_not_known_is_not_drawn() -> None:
    result = synthetic.few_donors()
    for name in ("actual_and_synthetic", "gaps", "cumulative"):
        ax = getattr(draw, name)(result)
        assert not [band for band in bands(ax) if len(band)], name
        assert not bars(ax), name
    points, spans = forest_rows(draw.estimators(result))
    assert len(points) == 4
    assert not spans


def grey(ax) -> dict[float, np.ndarray]:
    """Placebo paths by their opacity, each (n, n_places)."""
    found = {}
    for line in ax.lines:
        if line.get_color() == svg.PALETTE["expected"] and line.get_alpha():
            y = np.asarray(line.get_ydata())
            size = int(np.flatnonzero(np.isnan(line.get_xdata()))[0]) + 1
            found[line.get_alpha()] = y.reshape(-1, size)[:, :-1]
    return found


def test_badly_matched_placebos_are_pale_and_counted_and_do_not_set_the_scale() -> None:
    result = synthetic.one_market()
    ax = draw.gaps(result)
    pale, well = grey(ax)[0.22], grey(ax)[0.55]
    assert (len(pale), len(well)) == (3, 21)
    whole = result.placebo_paths.groupby("unit", sort=False)["gap"].apply(np.asarray)
    badly = set(result.placebos.iloc[1:4]["unit"])
    wanted = {tuple(path) for unit, path in whole.items() if unit in badly}
    assert {tuple(path) for path in pale} == wanted
    low, high = ax.get_ylim()
    assert low < min(well.min(), result.gap["low"].min())
    assert high > max(well.max(), result.gap["high"].max())
    assert pale.max() > high
    assert "grey: 24 placebos (3 pale: matched over twice as badly)" in texts(made(result, "gaps"))
    assert "grey: 6 placebos" in texts(made(synthetic.result("short"), "gaps"))


def test_of_many_placebos_some_are_drawn_evenly_over_the_ranks_and_that_is_said() -> None:
    result = synthetic.result("wide")
    rows = draw.gap_rows(result)
    drawn = rows.loc[rows["kind"] != "treated", "path"].drop_duplicates()
    assert len(drawn) == 100
    ranks = result.placebos.set_index("unit").loc[drawn, "rank"]
    assert ranks.is_monotonic_increasing
    assert (ranks.iloc[0], ranks.iloc[-1]) == (2, 2_001)
    assert ranks.diff().max() <= 22
    assert any("grey: 100 of 2,000 placebos" in text for text in texts(made(result, "gaps")))


def test_of_many_periods_the_last_and_every_fourth_before_it_are_drawn() -> None:
    rows = draw.gap_rows(synthetic.result("long"))
    one = rows[rows["path"] == rows["path"].iloc[-1]]
    own = rows[rows["kind"] == "treated"]
    assert len(own) == 1_000
    assert len(one) == 250
    assert one["time"].iloc[-1] == own["time"].iloc[-1]
    assert own["time"].tolist().index(one["time"].iloc[-2]) == 995


def test_the_rows_of_the_gaps_are_what_is_drawn() -> None:
    result = synthetic.one_market()
    rows = draw.gap_rows(result)
    own = rows[rows["kind"] == "treated"]
    np.testing.assert_allclose(own["gap"], result.gap["point"])
    np.testing.assert_allclose(own["conformal_low"], result.gap["conformal_low"])
    assert len(rows) == 40 * 25
    assert (rows["kind"] == "placebo, matched badly").sum() == 3 * 40
    path = rows[rows["path"] == "market 09"]["gap"]
    frame = result.placebo_paths
    np.testing.assert_allclose(path, frame.loc[frame["unit"] == "market 09", "gap"])
    assert rows.loc[rows["kind"] != "treated", "low"].isna().all()
    for alone in (synthetic.alone(), synthetic.staggered(), synthetic.few_donors()):
        assert set(draw.gap_rows(alone)["path"]) == {"treated"}


def test_every_placebo_is_a_dot_that_touches_no_other() -> None:
    result = synthetic.one_market()
    ax = draw.placebo_ratios(result)
    (dots,) = [line for line in ax.lines if line.get_marker() == "o"]
    frame = result.placebos
    np.testing.assert_allclose(dots.get_xdata(), frame.loc[~frame["treated"], "ratio"])
    at = ax.transData.transform(np.c_[dots.get_xdata(), dots.get_ydata()])
    points = at * 72 / ax.figure.dpi
    gap = [np.hypot(*(a - b)) for a, b in combinations(points, 2)]
    assert min(gap) > 6
    (mark,) = [line for line in ax.lines if line.get_marker() == "D"]
    assert mark.get_xdata()[0] == frame.loc[frame["treated"], "ratio"].iloc[0]
    assert "market 01: 11.3, the largest of 25" in texts(made(result, "placebo_ratios"))
    assert "market 01: 1.3, number 12 of 25" in texts(
        made(synthetic.result("none"), "placebo_ratios")
    )


def test_many_placebos_are_bars() -> None:
    ax = draw.placebo_ratios(synthetic.staggered())
    assert not [line for line in ax.lines if line.get_marker() == "o"]
    assert ax.patches
    assert "the treated: 24.1, the largest of 501" in texts(
        made(synthetic.staggered(), "placebo_ratios")
    )


def test_placebos_without_an_end_to_their_ratio_are_counted() -> None:
    result = synthetic.one_market()
    frame = result.placebos.copy()
    frame.loc[[2, 5], "ratio"] = np.inf
    words = texts(made(replace(result, placebos=frame), "placebo_ratios"))
    assert any(text.startswith("one dot per placebo; 2 more") for text in words)
    own = frame.assign(ratio=frame["ratio"].where(~frame["treated"], np.inf))
    assert draw.placebo_ratios(replace(result, placebos=own)) is None


def test_the_running_total_starts_with_the_treatment_and_ends_with_its_number() -> None:
    result = synthetic.one_market()
    rows = draw.cumulative_rows(result)
    assert len(rows) == 14
    assert rows["time"].iloc[0] == result.design.starts[0]
    filled = replace(result, gap=result.gap.fillna({"cumulative": 0.0}))
    assert len(draw.cumulative_rows(filled)) == 14
    ax = draw.cumulative(result)
    (own,) = [line for line in ax.lines if line.get_color() == svg.PALETTE["actual"]]
    np.testing.assert_allclose(own.get_ydata(), rows["cumulative"])
    (band,) = bands(ax)
    assert band[:, 1].min() == pytest.approx(rows["cumulative_low"].min())
    last = rows["cumulative"].iloc[-1]
    words = texts(made(result, "cumulative"))
    assert f"−{abs(last):.0f}" in words
    assert "since the start, harassment reports" in words


def test_the_total_of_thousands_is_written_as_its_axis_is() -> None:
    result = synthetic.staggered()
    last = draw.cumulative_rows(result)["cumulative"].iloc[-1]
    words = texts(made(result, "cumulative"))
    assert "since the start, thousand harassment reports" in words
    assert f"−{abs(last) / 1000:.1f}" in words


def test_weights_are_ranked_and_written() -> None:
    result = synthetic.one_market()
    ax = draw.weights(result)
    donors = result.pool[result.pool["weight"] > 0.001]
    (dots,) = [line for line in ax.lines if line.get_marker() == "o" and len(line.get_xdata())]
    np.testing.assert_allclose(dots.get_xdata(), 100 * donors["weight"])
    assert [tick.get_text() for tick in ax.get_yticklabels()] == donors["unit"].tolist()
    words = texts(made(result, "weights"))
    assert {"33 %", "6.5 %", "weight, per cent · 17 other donors with none"} <= set(words)


def test_light_donors_are_summed_up() -> None:
    result = synthetic.result("wide")
    pool = result.pool[result.pool["role"] == "donor"]
    rest = 100 * pool["weight"].iloc[15:].sum()
    assert f"weight, per cent · 1,985 other donors with {rest:.0f} % together" in texts(
        made(result, "weights")
    )


def test_negative_weights_are_hollow_and_left_of_zero() -> None:
    ax = draw.weights(synthetic.result("quarters"))
    (hollow,) = [line for line in ax.lines if line.get_markerfacecolor() == svg.PALETTE["paper"]]
    assert (np.asarray(hollow.get_xdata()) < 0).all()
    assert len(hollow.get_xdata()) == 3
    assert ax.get_xlim()[0] < min(hollow.get_xdata())


def test_weights_of_single_starts_are_ticks() -> None:
    result = synthetic.staggered()
    ax = draw.weights(result)
    (ticks,) = [line for line in ax.lines if line.get_marker() == "|"]
    names = [tick.get_text() for tick in ax.get_yticklabels()]
    own = result.weights[result.weights["unit"].isin(names)]
    np.testing.assert_allclose(ticks.get_xdata(), 100 * own["weight"])
    assert [names[int(y)] for y in ticks.get_ydata()] == own["unit"].tolist()


def test_periods_with_weight_are_bars_under_the_donors() -> None:
    ax = draw.weights(synthetic.one_market())
    (panel,) = [other for other in ax.figure.axes if other is not ax]
    x = panel.lines[0].get_xdata()
    assert sorted({int(at) for at in x}) == [20, 21, 22, 23, 24, 25]
    top = np.nanmax(np.reshape(panel.lines[0].get_ydata(), (-1, 3)), axis=1)
    np.testing.assert_allclose(top / top.max(), np.arange(1, 7) / 6)
    staggered = draw.weights(synthetic.staggered())
    assert {"from 8 Dec 2025", "from 19 Jan 2026", "from 16 Mar 2026"} <= {
        tick.get_text().replace("\u00a0", " ")
        for tick in staggered.figure.axes[1].get_yticklabels()
    }


def test_periods_that_weigh_nothing_have_no_panel_and_even_ones_are_said_to_be_alike() -> None:
    assert len(draw.weights(synthetic.result("predictors")).figure.axes) == 1
    result = synthetic.one_market()
    same = result.time_weights.assign(weight=1 / len(result.time_weights))
    even = made(replace(result, time_weights=same), "weights")
    assert "weight of the periods before the start, all alike" in texts(even)
    assert "weight of the periods before the start, 29 % at most" in texts(made(result, "weights"))


def squares(ax, colour: str) -> int:
    """How many outlines of one colour."""
    outlines = [
        patch
        for patch in ax.patches
        if patch.get_facecolor()[3] == 0 and tuple(patch.get_edgecolor()[:3]) == rgb(colour)
    ]
    return sum(len(patch.get_path().vertices) // 5 for patch in outlines)


def test_everybody_is_on_the_map_of_the_pool() -> None:
    result = synthetic.one_market()
    ax = draw.pool_map(result)
    assert squares(ax, "actual") == 1
    assert squares(ax, "expected") == 24 + 1
    assert squares(ax, "harm") == 2
    crosses = [line for line in ax.lines if np.isnan(line.get_xdata()).any()]
    assert sum(len(line.get_xdata()) // 3 for line in crosses) == 3
    words = texts(made(result, "pool_map"))
    assert {
        "treated: 1, from 2 Mar 2026 on", "donors with weight: 7 of 24 donors",
        "donors without weight: 17", "left out, reached by it otherwise: 2",
        "left out, periods are missing: 1",
    } <= set(words)  # fmt: skip
    told = " ".join(words)
    for unit in result.pool["unit"]:
        assert unit in told


def test_the_map_names_the_start_of_each_where_they_differ() -> None:
    words = " ".join(texts(made(synthetic.staggered(), "pool_map")))
    assert "treated: 6, 3 starts" in words
    assert "market 03 (19 Jan 2026)" in words


def test_names_that_do_not_fit_are_counted() -> None:
    words = texts(made(synthetic.one_market(donors=90), "pool_map"))
    (last,) = [text for text in words if "more" in text]
    shown = set(re.findall(r"market \d\d", " ".join(words)))
    assert int(re.search(r"and (\d+) more", last)[1]) == 91 - len(shown)


def test_a_hundred_units_and_more_are_a_bar_as_long_as_they_are_many() -> None:
    ax = draw.pool_map(synthetic.result("wide"))
    assert squares(ax, "expected") == 0
    lengths = [
        np.ptp(patch.get_path().vertices[:, 0])
        for patch in ax.patches
        if patch.get_facecolor()[3] == 0.45
    ]
    assert np.array(lengths) / lengths[1] == pytest.approx([180 / 1820, 1, 240 / 1820])


def test_balance_is_a_share_of_the_donors_distance_with_the_numbers() -> None:
    result = synthetic.result("predictors")
    frame = result.predictors
    points = [line for line in draw.predictors(result).lines if line.get_marker() == "o"]
    wanted = (frame["synthetic"] - frame["treated"]) / (frame["donors"] - frame["treated"])
    np.testing.assert_allclose([line.get_xdata()[0] for line in points], wanted)
    words = texts(made(result, "predictors"))
    assert {"treated", "synthetic", "donors", "income, log", "0.198", "25,400"} <= set(words)


def test_a_synthetic_farther_than_the_donors_is_an_arrow_at_the_edge() -> None:
    result = synthetic.result("predictors")
    frame = result.predictors.assign(
        treated=[1.0, 1.0, 1.0, 1.0, np.nan, 1.0],
        synthetic=[9.0, -9.0, 1.0, 2.0, 1.0, 1.5],
        donors=[2.0, 2.0, 1.0, 1.0, 2.0, 2.0],
    )
    ax = draw.predictors(replace(result, predictors=frame))
    marks = {line.get_ydata()[0]: line for line in ax.lines if line.get_marker() in "o<>"}
    assert {y: mark.get_marker() for y, mark in marks.items()} == {
        0: ">", 1: "<", 2: "o", 3: ">", 5: "o",
    }  # fmt: skip
    assert marks[2].get_xdata()[0] == 0
    assert marks[5].get_xdata()[0] == 0.5


def test_of_many_predictors_the_most_important_are_shown() -> None:
    result = synthetic.result("predictors", predictors=tuple(f"p{i}" for i in range(40)))
    ax = draw.predictors(result)
    assert [tick.get_text() for tick in ax.get_yticklabels()] == [f"p{i}" for i in range(24)]


def test_methods_stand_beside_each_other_with_their_intervals() -> None:
    result = synthetic.result("predictors")
    frame = result.comparison
    ax = draw.estimators(result)
    points, spans = forest_rows(ax)
    assert list(points.values()) == pytest.approx(frame["point"].tolist())
    assert [low for low, _ in spans.values()] == pytest.approx(frame["low"].tolist())
    assert [high for _, high in spans.values()] == pytest.approx(frame["high"].tolist())
    bold = [tick.get_text() for tick in ax.get_yticklabels() if tick.get_weight() == "bold"]
    assert bold == ["synthetic control + predictors"]


def test_leaving_donors_out_starts_with_all_of_them() -> None:
    result = synthetic.one_market()
    ax = draw.leave_one_out(result)
    points, spans = forest_rows(ax)
    att = result.estimates["att"]
    assert points[0] == att.point
    assert spans[0] == (att.low, att.high)
    assert [points[i] for i in range(1, 8)] == pytest.approx(result.leave_one_out["point"].tolist())
    assert [spans[i][0] for i in range(1, 8)] == pytest.approx(result.leave_one_out["low"].tolist())
    words = texts(made(result, "leave_one_out"))
    assert {"all donors", "without market 02 (33 %)"} <= set(words)


def test_of_many_donors_those_that_move_the_answer_most_are_left_out_by_turns() -> None:
    result = synthetic.result("wide")
    points, _ = forest_rows(draw.leave_one_out(result))
    frame = result.leave_one_out
    away = (frame["point"] - result.estimates["att"].point).abs()
    most = frame.loc[sorted(away.nlargest(12).index), "point"]
    assert [points[i] for i in range(1, 13)] == pytest.approx(most.tolist())
    assert "of 30 donors left out by turns the 12 that matter most" in texts(
        made(result, "leave_one_out")
    )


def test_pretended_starts_stand_under_the_real_one() -> None:
    result = synthetic.one_market()
    points, spans = forest_rows(draw.in_time(result))
    assert points[0] == result.estimates["att"].point
    assert [points[i] for i in (1, 2, 3)] == pytest.approx(result.in_time["point"].tolist())
    assert [spans[i][1] for i in (1, 2, 3)] == pytest.approx(result.in_time["high"].tolist())
    words = texts(made(result, "in_time"))
    assert {"real start, 2 Mar 2026", "pretended, 1 Dec 2025"} <= set(words)


def test_no_unit_is_named_where_names_are_to_stay_in_the_room() -> None:
    for shape in ("hidden", "staggered"):
        result = synthetic.result(shape, names_shown=False)
        result = replace(result, spec=replace(result.spec, treated_units=("Secretia",)))
        for name in FIGURES:
            shown = made(result, name)
            assert "market" not in shown.html, name
            assert "Secretia" not in shown.html, name
        rows = draw.gap_rows(result)
        assert not rows["path"].str.contains("market|Secretia").any()
        words = texts(made(result, "pool_map"))
        assert not [text for text in words if re.fullmatch(r".*donor \d+.*", text)]
    assert "the treated" in texts(made(synthetic.result("hidden"), "gaps"))


def test_long_names_are_cut_and_told_apart() -> None:
    long = "the market of the north-western and south-eastern coasts and islands, number {}"
    names = tuple(long.format(i) for i in range(24))
    result = synthetic.one_market(names=names)
    pool = result.pool.assign(
        unit=["Saint-Pierre-et-Miquelon-et-Dépendances", *names, "a", "b", "c"]
    )
    result = replace(result, pool=pool)
    for name in ("gaps", "placebo_ratios", "weights", "pool_map", "leave_one_out"):
        words = texts(made(result, name))
        assert max(house.text_width(text, bold=True) for text in words) < 72 * house.WIDTH, name
    labels = [tick.get_text() for tick in draw.weights(result).get_yticklabels()]
    assert len(set(labels)) == 7


@pytest.mark.parametrize("kind", ["one_market", "staggered", "predictors"])
def test_results_stay_as_they_are_and_figures_are_the_same_twice(kind) -> None:
    result = synthetic.result(kind)
    before = copy.deepcopy(result)
    first = [str(made(result, name).html) for name in FIGURES]
    draw.gap_rows(result), draw.cumulative_rows(result)
    assert first == [str(made(result, name).html) for name in FIGURES]
    for name in ("path", "gap", "pool", "weights", "placebos", "placebo_paths", "predictors"):
        pd.testing.assert_frame_equal(getattr(result, name), getattr(before, name))


@pytest.mark.parametrize("by", [1e-7, 1e-3, 1e4, 1e9])
def test_tiny_and_huge_outcomes_are_drawn(by) -> None:
    result = synthetic.one_market()
    gap, path, paths = result.gap.copy(), result.path.copy(), result.placebo_paths.copy()
    numbers = [name for name in gap.columns if gap[name].dtype == float and name != "conformal_p"]
    gap[numbers] *= by
    path[["actual", "synthetic", "low", "high"]] *= by
    paths["gap"] *= by
    result = replace(result, gap=gap, path=path, placebo_paths=paths)
    for name in ("actual_and_synthetic", "gaps", "cumulative"):
        assert "<svg" in made(result, name).html
