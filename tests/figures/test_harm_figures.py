"""Figures of a deep-dive: described, within their frame, no words that meet, for any result."""

import copy
import pickle
import re
from itertools import combinations
from xml.etree import ElementTree

import pandas as pd
import pytest

from tests.figures import harm_shapes
from trustlib.figures import harm as draw
from trustlib.figures import house
from trustlib.figures.harm.shown import FIGURES as SHOWN
from trustlib.figures.house import view

SVG = "{http://www.w3.org/2000/svg}"
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


def tree(shown) -> ElementTree.Element:
    return ElementTree.fromstring(re.search("<svg.*</svg>", shown.html, re.DOTALL)[0])


def texts(shown) -> list[str]:
    return [(node.text or "").replace("\u00a0", " ") for node in tree(shown).iter(f"{SVG}text")]


@pytest.mark.parametrize("kind", ALL)
def test_every_figure_is_one_described_svg_or_a_box_with_the_reason(kind) -> None:
    result = harm_shapes.result(kind)
    for name in FIGURES:
        shown = made(result, name)
        assert len(str(shown.html)) < 130_000, name
        if "<svg" not in shown.html:
            assert shown.html == '<p class="note">why or how</p>', name
            continue
        root = tree(shown)
        assert (root.get("role"), root.get("aria-label")) == ("img", "what")
        assert {node.tag.removeprefix(SVG) for node in root.iter()} <= {
            "svg", "defs", "clipPath", "rect", "g", "path", "text",
        }  # fmt: skip
        bare = re.sub(r"var\(--[a-z]+,#[0-9a-f]{6}\)", "", str(shown.html))
        assert not re.search(r"(fill|stroke):#", bare), name


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


def boxes(shown) -> list[tuple[str, float, float, float, float]]:
    """Each text with its left, right, top and bottom, as large as a phone shows it.

    Text is measured by a wider font than the page's, so what fits here fits there.
    """
    found = []
    for node in tree(shown).iter(f"{SVG}text"):
        style, text = node.get("style", ""), node.text or ""
        width = house.text_width(text, bold="font-weight:700" in style)
        anchor = re.search(r"text-anchor:\s*(\w+)", style)
        share = {"end": 1.0, "middle": 0.5}.get(anchor[1] if anchor else "start", 0.0)
        x, y = float(node.get("x")) - share * width, float(node.get("y"))
        found.append((text, x, x + width, y - 5, y + 5))
    return found


@pytest.mark.parametrize("kind", [kind for kind in ALL if kind != "bare"])
@pytest.mark.parametrize("name", FIGURES)
def test_nothing_is_outside_the_figure_and_no_words_meet(kind, name) -> None:
    shown = made(harm_shapes.result(kind), name)
    if "<svg" not in shown.html:
        assert kind == "small"
        return
    size = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', str(shown.html))
    words = boxes(shown)
    for text, left, right, top, bottom in words:
        assert left > -1, text
        assert right < float(size[1]) + 1, text
        assert top > -1, text
        assert bottom < float(size[2]) + 1, text
    for a, b in combinations(words, 2):
        wide = min(a[2], b[2]) - max(a[1], b[1])
        high = min(a[4], b[4]) - max(a[3], b[3])
        assert not (wide > 0 and high > 0), f"{a[0]!r} and {b[0]!r}"


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
