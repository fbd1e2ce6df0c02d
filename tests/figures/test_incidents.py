"""Figures of incident sizing: what is drawn is what the result holds, for results of any shape."""

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

from trustlib.figures import incidents as draw
from trustlib.figures import svg
from trustlib.figures.house import view

DRAWN = ("counterfactual", "cumulative_excess", "placebo_windows", "sensitivity", "segments")
SVG = "{http://www.w3.org/2000/svg}"


def made(result, name, data=None):
    data = pd.DataFrame({"a": [1.0]}) if data is None else data
    return view(getattr(draw, name)(result), alt="what", caption="how", data=data, filename="f.csv")


def svg_of(shown) -> ElementTree.Element:
    return ElementTree.fromstring(re.search("<svg.*</svg>", shown.html, re.DOTALL)[0])


def texts(root) -> list[str]:
    return [node.text or "" for node in root.iter(f"{SVG}text")]


@pytest.fixture(scope="module")
def drawn(shapes):
    """One figure of one shape, drawn once for all tests."""

    @cache
    def one(shape, name):
        result = shapes.result(shape)
        skipped = name == "segments" and result.segments is None
        return None if skipped else made(result, name)

    return one


def test_every_figure_of_every_shape_is_one_described_svg_without_style_sheet_or_use(
    drawn, shape
) -> None:
    for name in DRAWN:
        if (shown := drawn(shape, name)) is None:
            continue
        root = svg_of(shown)
        assert (root.get("role"), root.get("aria-label")) == ("img", "what")
        tags = {node.tag.removeprefix(SVG) for node in root.iter()}
        assert tags <= {"svg", "defs", "clipPath", "rect", "g", "path", "text"}
        assert all(node.get("id", "f-clip").startswith("f-clip") for node in root.iter())


def test_colours_are_the_page_s_and_no_background_is_painted(drawn, shape) -> None:
    for name in ("counterfactual", "placebo_windows", "sensitivity"):
        html = str(drawn(shape, name).html)
        bare = re.sub(r"var\(--[a-z]+,#[0-9a-f]{6}\)", "", html)
        assert not re.search(r"(fill|stroke):#", bare)
        assert "var(--actual,#0b5cad)" in html
        assert "var(--panel" not in html


def test_nothing_is_drawn_outside_the_figure(shapes, shape) -> None:
    """Text is measured by a wider font than the page's, so what fits here fits there."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    from trustlib.figures import house

    result = shapes.result(shape)
    for name in DRAWN:
        if name == "segments" and (result.segments is None or shape == "hostile"):
            continue  # the measuring font lacks Japanese
        with house.style():
            ax = getattr(draw, name)(result)
            canvas = FigureCanvasAgg(ax.figure)
            canvas.draw()
            box = ax.figure.get_tightbbox(canvas.get_renderer())
        width, height = ax.figure.get_size_inches()
        assert box.x0 > -0.02, name
        assert box.x1 < width + 0.02, name
        assert box.y0 > -0.02, name
        assert box.y1 < height + 0.02, name


def test_labels_at_the_lines_ends_do_not_meet(drawn, shape) -> None:
    root = svg_of(drawn(shape, "counterfactual"))
    at = {n.text: float(n.get("y")) for n in root.iter(f"{SVG}text") if n.text in _NAMES}
    assert set(at) == set(_NAMES)
    assert abs(at["actual"] - at["expected"]) > 12


_NAMES = ("actual", "expected")


def test_the_lines_are_the_result_s_numbers(shapes) -> None:
    result = shapes.result("decrease")
    ax = draw.counterfactual(result)
    frame = draw.shown(result)
    lines = {line.get_color(): line.get_ydata() for line in ax.lines}
    np.testing.assert_allclose(1000 * lines[svg.PALETTE["actual"]], frame["actual"])
    np.testing.assert_allclose(1000 * lines[svg.PALETTE["expected"]], frame["expected"])


def test_the_band_is_drawn_wherever_there_is_an_interval(shapes, shape) -> None:
    result = shapes.result(shape)
    drawn = draw.counterfactual(result).collections
    band = [c for c in drawn if len(c.get_paths()) and "Poly" in type(c).__name__]
    assert bool(band) == bool(result.counterfactual["low"].notna().any())


def test_the_running_excess_starts_at_zero_and_ends_at_the_total(shapes) -> None:
    result = shapes.result("increase")
    rows = draw.accumulated(result)
    assert rows["cumulative_excess"].iloc[0] == 0
    assert rows["until_at"].iloc[0] == pd.Timestamp(result.spec.incident.start)
    assert rows["until_at"].iloc[-1] == pd.Timestamp(result.spec.incident.end)
    assert rows["cumulative_excess"].iloc[-1] == pytest.approx(result.estimates["excess"].point)


def test_the_figure_starts_two_windows_or_three_days_before(shapes) -> None:
    for name, days in (("single", 3), ("long_window", 20), ("daily", 14)):
        result = shapes.result(name)
        before = (
            pd.Timestamp(result.spec.incident.start) - draw.shown(result)["bucket_start_at"].min()
        )
        assert before == pd.Timedelta(days=days), name


def test_missing_buckets_are_marked_on_the_axis(shapes) -> None:
    whole = draw.counterfactual(shapes.result("decrease"))
    gaps = draw.counterfactual(shapes.result("missing"))
    marks = len(gaps.collections) - len(whole.collections)
    assert marks == 1
    assert len(gaps.collections[-1].get_segments()) == 5


def test_many_placebo_windows_are_one_path(shapes) -> None:
    result = shapes.result("decrease")
    many = pd.concat([result.placebos] * 40, ignore_index=True)
    few, crowd = (
        len(made(replace(result, placebos=p), "placebo_windows").html)
        for p in (result.placebos, many)
    )
    assert crowd < few + 12_000


def test_names_from_the_data_are_cut_and_escaped(shapes) -> None:
    result = shapes.result("hostile")
    html = str(made(result, "segments", draw.segment_rows(result)).html)
    assert "<script" not in html
    assert "<img" not in html
    assert not re.search(r"[\x00-\x08\x0b-\x1f\u202e\u2066]", html)
    shown = texts(svg_of(made(result, "segments")))
    assert all(len(text) <= 60 for text in shown)
    assert "_$_$ \\frac{a}{b} $x^2$" in shown
    assert "(empty)" in shown
    assert any(text.startswith("xxxx") and text.endswith("…") for text in shown)


def test_small_segments_are_merged_in_the_figure_and_in_its_file(shapes) -> None:
    result = shapes.result("segments")
    assert (result.segments["actual"] < 11).any() or result.segments["actual"].min() < 20
    small = result.segments.copy()
    small.loc[small["segment"] == "United States", "actual"] = 4.0
    result = replace(result, segments=small)
    shown = made(result, "segments", draw.segment_rows(result))
    assert "United States" not in shown.html
    assert "the rest (2 segments)" in shown.html
    assert "United" not in unquote(str(shown.html))


def test_the_csv_file_holds_the_rows_rounded(shapes) -> None:
    result = shapes.result("increase")
    shown = made(result, "counterfactual", draw.shown(result))
    link = re.search('href="(data:text/csv[^"]*)" download="f.csv"', shown.html)[1]
    lines = unquote(link.partition(",")[2]).splitlines()
    assert lines[0].startswith("bucket_start_at,actual,expected,low,high,in_window")
    assert len(lines) == 1 + len(draw.shown(result))
    first = dict(zip(lines[0].split(","), lines[1].split(","), strict=True))
    assert float(first["expected"]) == pytest.approx(draw.shown(result)["expected"].iloc[0], 1e-5)
    assert first["cumulative_excess"] == ""


def test_a_cell_that_a_spreadsheet_would_run_is_quoted() -> None:
    from trustlib.figures.house import rounded

    rows = rounded(pd.DataFrame({"segment": ["=HYPERLINK(1)", "+1", "plain"]}))
    assert list(rows["segment"]) == ["'=HYPERLINK(1)", "'+1", "plain"]


def test_the_text_holds_the_numbers(shapes) -> None:
    shown = made(shapes.result("decrease"), "sensitivity", shapes.result("decrease").sensitivity)
    assert "what" in shown.text
    assert "four weeks of history" in shown.text
    assert f"{shapes.result('decrease').sensitivity['excess'].iloc[0]:.6g}" in shown.text


def test_drawing_changes_neither_the_result_nor_matplotlib(shapes) -> None:
    import matplotlib as mpl

    result, before = shapes.result("segments"), dict(mpl.rcParams)
    frames = [result.counterfactual, result.placebos, result.sensitivity, result.segments]
    copies = [frame.copy() for frame in frames]
    for name in DRAWN:
        made(result, name)
    for frame, copy in zip(frames, copies, strict=True):
        pd.testing.assert_frame_equal(frame, copy)
    assert dict(mpl.rcParams) == before


def test_axes_of_one_s_own_are_drawn_on_and_figures_of_pyplot_are_closed(shapes) -> None:
    import matplotlib as mpl

    mpl.use("agg")
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots()
    assert draw.sensitivity(shapes.result("decrease"), ax=ax) is ax
    view(ax, alt="a", caption="c", data=pd.DataFrame({"a": [1]}), filename="x.csv")
    assert figure.number not in plt.get_fignums()


_ONE = """
import sys; sys.path.insert(0, {folder!r})
import importlib.util
spec = importlib.util.spec_from_file_location("shapes", {shapes!r})
module = importlib.util.module_from_spec(spec); sys.modules["shapes"] = module
spec.loader.exec_module(module)
from trustlib.figures import incidents as draw
from trustlib.figures.house import view
import json
result = module.result("segments")
out = []
for name in {names!r}:
    ax = getattr(draw, name)(result)
    out.append(str(view(ax, alt="a", caption="c", data=result.sensitivity, filename="x.csv").html))
print(json.dumps(out))
"""


def test_the_bytes_do_not_depend_on_hash_seed_time_zone_or_locale() -> None:
    here = Path(__file__).resolve().parent
    code = _ONE.format(folder=str(here), shapes=str(here / "shapes.py"), names=DRAWN)
    runs = []
    for seed, zone, language in (("0", "UTC", "C.UTF-8"), ("7", "Asia/Tokyo", "de_DE.UTF-8")):
        env = os.environ | {"PYTHONHASHSEED": seed, "TZ": zone, "LC_ALL": language}
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", code],
            env=env, cwd=here.parents[1], capture_output=True, text=True, check=True,
        )  # fmt: skip
        runs.append(json.loads(done.stdout))
    assert runs[0] == runs[1]


def test_segments_need_segments(shapes) -> None:
    with pytest.raises(ValueError, match="segment_column"):
        draw.segments(shapes.result("decrease"))


def test_what_is_not_estimable_is_left_out_not_guessed(shapes) -> None:
    """No share, no placebo, no interval, a choice that could not be fitted: still drawn."""
    result = shapes.result("segments")
    none = replace(result.estimates["relative_excess"], point=None, low=None, high=None, note="n")
    nothing = {"low": np.nan, "high": np.nan}
    result = replace(
        result,
        estimates={**result.estimates, "relative_excess": none},
        placebos=result.placebos.iloc[:0],
        sensitivity=result.sensitivity.assign(**nothing).assign(excess=[1.0, np.nan, 2, 3, 4]),
        segments=result.segments.assign(**nothing),
        counterfactual=result.counterfactual.assign(
            **nothing, cumulative_excess=np.nan, cumulative_low=np.nan, cumulative_high=np.nan
        ),
    )
    for name in DRAWN:
        assert "<svg" in made(result, name).html
    rows = draw.sensitivity(result)
    assert sum(len(line.get_xdata()) == 1 for line in rows.lines) == 4
