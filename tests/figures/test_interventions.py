"""Figures of a rollout: what is drawn is what the result holds, for results of any shape."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.figures import rollouts
from tests.figures.described import assert_described, texts
from trustlib.figures import house, svg
from trustlib.figures import interventions as draw
from trustlib.figures.house import view

FIGURES = (
    "event_study", "observed_and_counterfactual", "group_time_map", "rollout_map", "estimators",
    "cohorts", "totals", "bacon_scatter", "sensitivity", "leave_one_out", "placebo_in_time",
    "randomization",
)  # fmt: skip
SHAPES = [name for name in rollouts.SHAPES if name not in ("money", "none", "more", "many")]


def made(result, name, **more):
    data = pd.DataFrame({"a": [1.0]})
    drawn = getattr(draw, name)(result, **more)
    return view(drawn, alt="what", caption="why or how", data=data, filename="f.csv")


@pytest.mark.parametrize("kind", SHAPES)
def test_every_figure_is_one_described_svg_or_a_box_with_the_reason(kind) -> None:
    result = rollouts.result(kind)
    for name in FIGURES:
        assert_described(made(result, name), name)


def test_only_what_has_nothing_to_draw_is_a_box() -> None:
    empty = {
        shape: {name for name in FIGURES if getattr(draw, name)(rollouts.result(shape)) is None}
        for shape in ("staggered", "single", "few", "nothing")
    }
    assert empty["staggered"] == {"randomization"}
    assert empty["single"] == {"bacon_scatter", "leave_one_out", "randomization"}
    assert empty["few"] == {"bacon_scatter", "leave_one_out", "sensitivity"}
    assert empty["nothing"] == set(FIGURES) - {"rollout_map"}


@pytest.mark.parametrize("kind", [name for name in SHAPES if name != "hostile"])
def test_nothing_is_drawn_outside_the_figure(kind) -> None:
    """Text is measured by a wider font than the page's, so what fits here fits there."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    result = rollouts.result(kind)
    for name in FIGURES:
        with house.style():
            ax = getattr(draw, name)(result)
            if ax is None:
                continue
            canvas = FigureCanvasAgg(ax.figure)
            canvas.draw()
            box = ax.figure.get_tightbbox(canvas.get_renderer())
        width, height = ax.figure.get_size_inches()
        assert box.x0 > -0.03, name
        assert box.x1 < width + 0.03, name
        assert box.y0 > -0.03, name
        assert box.y1 < height + 0.03, name


def segments(ax, colour, width) -> list[np.ndarray]:
    return [
        np.asarray(path)
        for collection in ax.collections
        if collection.get_linewidth()[0] == width
        and collection.get_edgecolor()[0][:3].tolist() == colour
        for path in collection.get_segments()
    ]


def rgb(name: str) -> list[float]:
    from matplotlib.colors import to_rgb

    return list(to_rgb(svg.PALETTE[name]))


def test_the_event_study_draws_both_intervals_and_the_reference() -> None:
    result = rollouts.result("staggered")
    frame = result.event_study_universal
    after = frame[frame["event_time"] >= 0]
    ax = draw.event_study(result)
    thin = segments(ax, rgb("actual"), 1.8)
    wide = [c for c in ax.collections if c.get_linewidth()[0] > 2 and c.get_alpha()]
    np.testing.assert_allclose([s[0, 1] for s in thin], after["low"])
    np.testing.assert_allclose([s[1, 1] for s in thin], after["high"])
    band = [s for c in wide for s in c.get_segments() if s[0, 0] >= 0]
    np.testing.assert_allclose([s[0, 1] for s in band], after["band_low"])
    diamonds = [line for line in ax.lines if line.get_marker() == "D"]
    assert diamonds[0].get_xdata().tolist() == [-1]
    assert any(set(np.atleast_1d(line.get_ydata())) == {0} for line in ax.lines)  # the zero line


def test_a_band_that_is_not_known_is_not_drawn() -> None:
    result = rollouts.result("staggered")
    frame = result.event_study_universal.assign(band_low=np.nan, band_high=np.nan)
    ax = draw.event_study(replace(result, event_study_universal=frame))
    wide = [s for c in ax.collections if c.get_alpha() for s in c.get_segments() if len(s)]
    assert not wide


def test_the_two_lines_are_the_result_s_and_named_at_their_ends() -> None:
    result = rollouts.result("staggered")
    frame = draw.shown(result)
    ax = draw.observed_and_counterfactual(result)
    lines = {line.get_color(): line.get_ydata() for line in ax.lines}
    np.testing.assert_allclose(lines[svg.PALETTE["actual"]], frame["observed"])
    np.testing.assert_allclose(lines[svg.PALETTE["expected"]], frame["counterfactual"])
    assert {"observed", "without it"} <= set(texts(made(result, "observed_and_counterfactual")))


def test_the_map_prints_every_effect_and_frames_those_that_exclude_zero() -> None:
    result = rollouts.result("staggered")
    root = made(result, "group_time_map")
    numbers = [t for t in texts(root) if re.fullmatch(r"[−+]?[\d.]+", t)]
    frame = result.group_time
    assert len(numbers) == len(frame)
    clear = int(((frame["low"] > 0) | (frame["high"] < 0)).sum())
    ax = draw.group_time_map(result)
    frames = [p for p in ax.patches if p.get_facecolor()[3] == 0 and p.get_linewidth() > 1]
    assert sum(len(p.get_path().vertices) for p in frames) == 5 * clear
    bold = [t for t in ax.texts if t.get_weight() == "bold"]
    assert len(bold) == clear
    assert any(t.get_text() == "−.6" for t in bold)


def test_a_map_of_twelve_by_twenty_prints_numbers_that_do_not_meet() -> None:
    result = rollouts.result("wide")
    ax = draw.group_time_map(result)
    room = house.size(ax)[0] * ax.get_position().width / ax.get_xlim()[1]
    cells = [t for t in ax.texts if re.fullmatch(r"[−+]?[\d.]+", t.get_text())]
    assert len(cells) == len(result.group_time)
    assert max(house.text_width(t.get_text(), bold=True) for t in cells) < room


def test_too_many_cells_become_signs_and_the_page_stays_light() -> None:
    shown = made(rollouts.result("many"), "group_time_map")
    assert not [t for t in texts(shown) if re.fullmatch(r"[−+]?\.?\d+", t)]
    assert len(str(shown.html)) < 200_000
    assert len(str(made(rollouts.result("many"), "bacon_scatter").html)) < 80_000


def test_a_map_of_tiny_or_huge_effects_says_the_power_of_ten() -> None:
    for factor, power in ((1e-5, "⁻"), (1e6, "× 10")):
        result = rollouts.result("staggered")
        cells = result.group_time.copy()
        cells[["point", "low", "high"]] *= factor
        words = texts(made(replace(result, group_time=cells), "group_time_map"))
        assert any(power in word and "effect on" in word for word in words)


def test_the_breakdown_is_marked_at_its_value() -> None:
    result = rollouts.result("staggered")
    ax = draw.sensitivity(result)
    marks = [line for line in ax.lines if line.get_color() == svg.PALETTE["harm"]]
    assert marks[0].get_xdata()[0] == 1.6
    assert "breaks down at 1.6" in texts(made(result, "sensitivity"))


def test_bounds_far_beyond_the_breakdown_are_left_to_the_table() -> None:
    result = rollouts.result("staggered")
    rows = draw.sensitivity_rows(result)
    more = [
        {"kind": "relative_magnitudes", "bound": bound, "low": -90.0, "high": 90.0,
         "contains_zero": True}
        for bound in (3.0, 4.0, 5.0)
    ]  # fmt: skip
    wide = replace(result, sensitivity=pd.concat([rows, pd.DataFrame(more)], ignore_index=True))
    assert draw.sensitivity(wide).get_xlim()[1] < 3.5
    assert len(draw.sensitivity_rows(wide)) == len(rows) + 3


def test_forbidden_comparisons_are_crosses() -> None:
    result = rollouts.result("staggered")
    bad = result.bacon["kind"].str.contains("forbidden")
    marks = {line.get_marker(): line for line in draw.bacon_scatter(result).lines}
    np.testing.assert_allclose(marks["x"].get_xdata(), 100 * result.bacon.loc[bad, "weight"])
    np.testing.assert_allclose(marks["o"].get_ydata(), result.bacon.loc[~bad, "estimate"])


def test_the_rollout_map_names_units_only_where_they_may_be_named() -> None:
    few = rollouts.result("few")
    assert "market 01" in texts(made(few, "rollout_map"))
    hidden = rollouts.result("few", names_shown=False)
    words = texts(made(hidden, "rollout_map"))
    assert not any("market" in word for word in words)
    assert {"4 units", "5 units", "never", "from 16 Feb"} <= set(words)
    assert "market" not in draw.rollout_rows(hidden).to_csv()
    many = draw.rollout_rows(rollouts.result("staggered"))
    assert many["units"].tolist() == [16, 14, 12, 10, 28]


def test_the_rollout_bars_start_with_the_treatment() -> None:
    ax = draw.rollout_map(rollouts.result("single"))
    bars = [line.get_xdata() for line in ax.lines if line.get_linewidth() == 9]
    assert [tuple(bar) for bar in bars] == [(7, 12)]


def test_many_cohorts_share_rows() -> None:
    rows = draw.rollout_rows(rollouts.result("many"))
    assert len(rows) <= 25
    assert rows["units"].sum() == 52 * 5 + 40
    assert rows["name"].iloc[0].endswith(" on")


def test_clusters_are_not_named_where_units_may_not_be() -> None:
    result = rollouts.result("staggered", names_shown=False)
    frame = result.leave_one_out.assign(kind="cluster", left_out="secret")
    hidden = draw.leave_one_out_rows(replace(result, leave_one_out=frame))
    assert "secret" not in hidden.to_csv()
    assert hidden["left_out"].iloc[1] == "without cluster 1"


def test_the_forest_of_totals_ends_with_everything() -> None:
    rows = draw.total_rows(rollouts.result("many"))
    assert len(rows) == 24
    assert rows["name"].iloc[-1] == "everything"
    own = rollouts.result("staggered")
    assert rows["effect"].iloc[-1] == rollouts.result("many").totals["effect"].iloc[-1]
    assert draw.total_rows(own)["name"].tolist()[0] == "from 2\u00a0Feb"


def test_names_are_cut_to_the_figure_and_are_no_formulas() -> None:
    assert house.fitted("x" * 3_000, 100).endswith("…")
    assert house.text_width(house.fitted("x" * 3_000, 100)) <= 100
    assert house.fitted("short", 100) == "short"
    assert house.text_width("_$_$ \\frac{a}{b}") > 50  # outside of the house's style too


def test_the_real_start_is_marked_among_the_re_assignments() -> None:
    result = rollouts.result("few")
    ax = draw.randomization(result)
    lines = [line for line in ax.lines if line.get_color() == svg.PALETTE["actual"]]
    assert lines[0].get_xdata()[0] == result.estimates["att"].point
