"""Tables: header scopes, captions, escaped cells, and the result's own numbers."""

import re
from dataclasses import replace

import pytest

from trustlib.core import Check
from trustlib.tables import house
from trustlib.tables import incidents as tabulate
from trustlib.tables.assumptions import assumptions

HOSTILE = '<img src=x onerror="alert(1)"> & \x00\u202e"'


def every_table(shapes, shape):
    result, counts = shapes.result(shape), shapes.counts(shape)
    checks = (*result.checks, *counts.checks)
    yield tabulate.checks(checks)
    yield tabulate.estimates(result)
    yield tabulate.sensitivity(result)
    yield tabulate.health(counts)
    yield tabulate.not_found(counts)
    yield tabulate.sources(counts, timezone=result.spec.timezone)
    yield assumptions(result, checks)
    if result.segments is not None:
        yield tabulate.segments(result)


def rows_of(view) -> list[list[str]]:
    body = view.html.split("<tbody>")[1]
    return [
        re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in re.findall("<tr>(.*?)</tr>", body)
    ]


def test_every_table_has_a_caption_scopes_a_scroll_box_and_even_rows(shapes, shape) -> None:
    for view in every_table(shapes, shape):
        html = str(view.html)
        assert html.startswith('<div class="scroll"><table><caption>')
        heads = html.count('<th scope="col"')
        assert heads >= 3
        assert html.count("<th") == heads + html.count('<th scope="row"') + html.count("<thead")
        assert all(len(row) == heads for row in rows_of(view))
        assert len(view.text.splitlines()) == 2 + len(rows_of(view))


def test_cells_are_escaped_and_cleaned() -> None:
    view = house.table(
        [(HOSTILE, "1")], columns=("a", "b"), caption=HOSTILE, numeric=("b",),
    )  # fmt: skip
    assert "<img" not in view.html
    assert "&lt;img" in view.html
    assert not re.search("[\x00\u202e]", str(view.html).split("</caption>")[1])
    assert '<td class="n">1</td>' in view.html


def test_a_row_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="2 cells"):
        house.table([("a",)], columns=("a", "b"), caption="c")


def test_checks_come_worst_first_with_word_sign_and_class(shapes) -> None:
    made = [
        Check(name=v, verdict=v, label=f"the {v} one", text="why")
        for v in ("pass", "not_run", "fail", "warn")
    ]
    view = tabulate.checks(made)
    shown = re.findall(r'<td class="(\w+)">([^<]+)</td>', str(view.html))
    assert shown == [
        ("fail", "✗ fail"), ("warn", "! warn"), ("not_run", "– not run"), ("pass", "✓ pass"),
    ]  # fmt: skip


def test_segments_add_up_and_hide_small_ones(shapes) -> None:
    result = shapes.result("segments")
    segments = result.segments.copy()
    segments.loc[segments["segment"] == "United States", "actual"] = 4.0
    view = tabulate.segments(replace(result, segments=segments))
    rows = {row[0]: row for row in rows_of(view)}
    assert "United States" not in rows
    assert "the rest (2 segments)" in rows
    assert "small ones merged" in view.text
    counted = sum(int(row[1].replace(",", "")) for row in rows.values())
    assert counted == segments["actual"].sum()


def test_many_segments_are_cut(shapes) -> None:
    names = tuple(f"segment {i}" for i in range(60))
    view = tabulate.segments(shapes.result("segments", segments=names, segment_shares=None))
    assert len(rows_of(view)) == tabulate.MOST_SEGMENTS
    assert "the rest (36 segments)" in view.text


def test_segments_need_segments(shapes) -> None:
    with pytest.raises(ValueError, match="segment_column"):
        tabulate.segments(shapes.result("decrease"))


def test_estimates_say_why_there_is_no_interval(shapes) -> None:
    rows = {row[0]: row for row in rows_of(tabulate.estimates(shapes.result("short_history")))}
    excess = rows["Excess: counted minus expected"]
    assert excess[2] == "not estimable"
    assert "2 weeks of history" in excess[3]
    known = {row[0]: row for row in rows_of(tabulate.estimates(shapes.result("cost")))}
    assert known["Counted in the window"][2] == "exact"
    assert known["Placebo p-value"][2] == "none"
    assert known["Cost of the excess"][1].startswith("$")


def test_health_is_what_was_found_and_what_was_not(shapes) -> None:
    counts = shapes.counts("decrease")
    found, absent = tabulate.health(counts).text, tabulate.not_found(counts).text
    assert "Rows read | 10,320" in found
    assert "Duplicates" not in found
    assert "Duplicates | 0" in absent
    assert "Rows read" not in absent


def test_assumptions_are_rated_by_the_checks_that_bear_on_them(shapes) -> None:
    result = shapes.result("decrease")

    def evidence(verdict: str) -> str:
        made = [Check(name="onset_agrees", verdict=verdict, label="onset", text="why")]
        rows = {row[0]: row for row in rows_of(assumptions(result, made))}
        return rows["The stated window is when it happened"][1]

    assert [evidence(v) for v in ("pass", "warn", "fail", "not_run")] == [
        "● strong", "◐ medium", "○ weak", "○ not tested",
    ]  # fmt: skip
    both = [
        Check(name="two_methods_agree", verdict="pass", label="a", text="b"),
        Check(name="model_fit", verdict="warn", label="a", text="b"),
    ]
    first = rows_of(assumptions(result, both))[0]
    assert first[1] == "◐ medium"  # the worst of those that bear on it
    everything = assumptions(result, result.checks).text
    assert "Nothing else moved them in the same hours | ○ not tested" in everything


def test_the_unit_cost_is_an_assumption(shapes) -> None:
    result = shapes.result("cost")
    assert "Each costs $12.50" in assumptions(result, result.checks).text
    assert "Each costs" not in assumptions(shapes.result("decrease"), ()).text


def test_the_statement_is_shown_as_it_ran_and_escaped(shapes) -> None:
    view = tabulate.statement(shapes.counts("decrease"))
    assert "SELECT 1 &lt; 2 AS yes" in view.html
    assert view.html.startswith("<details><summary>")


def test_a_control_series_is_an_assumption_only_where_it_is_used(shapes) -> None:
    result = shapes.result("decrease")
    used = Check(name="control_usable", verdict="warn", label="control", text="why")
    unused = Check(name="control_usable", verdict="not_run", label="control", text="why")
    assert "control series | ◐ medium" in assumptions(result, [used]).text
    assert "control series" not in assumptions(result, [unused]).text


def test_the_twin_of_a_long_statement_is_short(shapes) -> None:
    counts = shapes.counts("decrease")
    counts.snapshot.sql = "\n".join(f"line {i}" for i in range(100))
    view = tabulate.statement(counts)
    assert "line 99" in view.html
    assert view.text.splitlines()[-1] == "… 92 more lines"


def test_definitions_name_the_level(shapes) -> None:
    assert "95\u00a0% interval: " in tabulate.definitions(shapes.result("decrease")).text
