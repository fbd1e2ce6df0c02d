"""Figures of a deep-dive: described, within their frame, no words that meet, for any result."""

import copy
import pickle
import re

import pandas as pd
import pytest

from tests.figures import harm_shapes
from tests.figures.described import assert_described, assert_words_apart, texts
from trustlib.figures import harm as draw
from trustlib.figures import house
from trustlib.figures.harm.shown import FIGURES as SHOWN
from trustlib.figures.house import view

FIGURES = (
    "prevalence_trend", "concentration_curve", "segment_forest", "size_range",
    "rate_and_mix_bars", "lifecycle_curves", "clusters", "newly_frequent_tokens",
    "control_recall", "control_overlap", "options", "labels_arrived_bars",
)  # fmt: skip
ALL = list(harm_shapes.SHAPES)


def made(result, name, **more):
    data = getattr(draw, f"{name}_rows")(result)
    drawn = getattr(draw, name)(result, **more)
    return view(drawn, alt="what", caption="why or how", data=data, filename="f.csv")


@pytest.mark.parametrize("kind", ALL)
def test_every_figure_is_one_described_svg_or_a_box_with_the_reason(kind) -> None:
    result = harm_shapes.result(kind)
    for name in FIGURES:
        assert_described(made(result, name), name)


def test_only_what_has_nothing_to_draw_is_a_box() -> None:
    empty = {
        kind: {name for name in FIGURES if getattr(draw, name)(harm_shapes.result(kind)) is None}
        for kind in ("whole", "bare", "crowded", "small")
    }
    assert empty["whole"] == empty["crowded"] == set()
    assert empty["bare"] == set(FIGURES)
    assert empty["small"] == {"concentration_curve", "newly_frequent_tokens"}


def test_the_rows_of_what_is_missing_are_empty_and_keep_their_columns() -> None:
    whole, bare = harm_shapes.result("whole"), harm_shapes.result("bare")
    for name in FIGURES:
        rows = getattr(draw, f"{name}_rows")
        assert rows(bare).empty, name
        assert list(rows(bare).columns) == list(rows(whole).columns), name
        assert len(rows(whole)), name


@pytest.mark.parametrize("kind", [kind for kind in ALL if kind != "bare"])
@pytest.mark.parametrize("name", FIGURES)
def test_nothing_is_outside_the_figure_and_no_words_meet(kind, name) -> None:
    shown = made(harm_shapes.result(kind), name)
    if "<svg" not in shown.html:
        assert kind == "small"
        return
    assert_words_apart(shown)


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_drawn_on_given_axes_and_leaves_the_result_as_it_was(name) -> None:
    result = harm_shapes.result("whole")
    before = pickle.dumps(result)
    with house.style():
        ax = house.axes(None, height=5)
        assert getattr(draw, name)(result, ax=ax) is ax
    assert pickle.dumps(result) == before


@pytest.mark.parametrize("name", FIGURES)
def test_the_same_result_gives_the_same_bytes(name) -> None:
    result = harm_shapes.result("whole")
    assert made(result, name).html == made(copy.deepcopy(result), name).html


@pytest.mark.parametrize("name", FIGURES)
def test_names_from_data_are_cleaned_and_cut(name) -> None:
    result = harm_shapes.result("hostile")
    words = texts(made(result, name))
    assert all(len(text) < 120 for text in words)
    assert not re.search("[\x00-\x1f\u202e\u2066]", "".join(words))
    rows = getattr(draw, f"{name}_rows")(result)
    told = "".join(str(value) for value in rows.to_numpy().ravel())
    assert not re.search("[\x00-\x1f\u202e\u2066]", told)
    assert "<script>" not in str(made(result, name).html)


def test_what_the_house_imports_is_all_there_is() -> None:
    every = {f"{name}{tail}" for name in FIGURES for tail in ("", "_rows")}
    assert set(draw.__all__) == {*every, "shown"}
    assert set(FIGURES) == set(SHOWN)
    assert isinstance(draw.clusters_rows(harm_shapes.result("whole")), pd.DataFrame)
