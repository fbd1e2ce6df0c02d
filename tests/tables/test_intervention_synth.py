"""Tables of one treated market: header scopes, captions, escaped cells, its own numbers."""

import re
from dataclasses import replace
from types import SimpleNamespace

import pandas as pd
import pytest

from tests.narrative import synth_results as made
from trustlib.core import Check
from trustlib.tables import intervention_synth as tabulate

NBSP = "\u00a0"
TABLES = ("estimates", "totals", "comparison", "weights", "placebos")


def rows_of(view) -> list[list[str]]:
    body = view.html.split("<tbody>")[1]
    return [
        re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in re.findall("<tr>(.*?)</tr>", body)
    ]


@pytest.mark.parametrize("kind", list(made.SHAPES))
def test_every_table_is_even_and_escaped_or_a_box_with_the_reason(kind) -> None:
    result = made.result(kind)
    views = [getattr(tabulate, name)(result) for name in TABLES]
    views += [tabulate.checks(result.checks), tabulate.assumptions(result, result.checks)]
    for view in [*views, tabulate.definitions(result)]:
        html = str(view.html)
        assert "<script" not in html
        assert "<img" not in html
        assert "never printed" not in html
        assert not re.search(r"\b(nan|inf|NaN)\b", view.text)
        if "<table" not in html:
            assert len(view.text) > 20
            continue
        for table in view.html.split("</table>")[:-1]:
            heads = table.count('<th scope="col"')
            assert heads >= 2
            assert all(len(row) == heads for row in rows_of(SimpleNamespace(html=table)))
        assert "<caption>" in html


def test_a_market_alone_has_no_tables_of_donors_but_their_reason() -> None:
    result = made.result("alone")
    boxes = {name for name in TABLES if "<table" not in getattr(tabulate, name)(result).html}
    assert boxes == {"weights", "placebos"}
    assert "there are no donors" in tabulate.placebos(result).text


def test_nothing_estimable_says_so() -> None:
    result = made.result("nothing")
    rows = rows_of(tabulate.estimates(result))
    assert rows[0][1:3] == ["not estimable", "not estimable"]
    assert "4 periods before the start" in rows[0][3]
    assert "4 periods before the start" in tabulate.totals(result).text


def test_estimates_carry_their_method_and_why_there_is_no_interval() -> None:
    rows = {row[0]: row for row in rows_of(tabulate.estimates(made.result("money")))}
    assert rows["Total effect, reports"][1] == "−40,500"
    assert rows["Total effect, reports"][2] == "−53,300 to −27,700"
    assert rows["Value of the total effect"][1] == "−$170,000"
    assert rows["Effect as a share of what would have been"][1] == f"−21{NBSP}%"
    assert "synthetic difference-in-differences" in rows["Effect per period (headline)"][3].lower()
    few = {row[0]: row for row in rows_of(tabulate.estimates(made.result("few_donors")))}
    assert few["Effect per period (headline)"][2] == "not estimable"
    assert "2 placebos, and an interval needs 3" in few["Effect per period (headline)"][3]
    several = tabulate.estimates(made.result("staggered")).text
    assert "Effect per treated unit and period (headline)" in several
    assert "log points" in tabulate.estimates(made.result("log")).text
    alone = tabulate.estimates(made.result("alone")).text
    assert "Change of level | −8 | −12 to −4" in alone
    assert "Change of level" not in several


def test_totals_end_with_everything_and_value_it_only_where_it_is_valued() -> None:
    view = tabulate.totals(made.result("money"))
    rows = rows_of(view)
    assert rows[0][0] == f"5{NBSP}Jan{NBSP}2026"
    assert rows[-1][0] == "Everything"
    assert rows[-1][-1] == "−$170,000"
    assert "intervals from placebos" in view.text
    assert len(rows_of(tabulate.totals(made.result("one_market")))[0]) == 3
    result = made.result("money")
    parts = pd.concat([result.totals.iloc[:-1]] * 4 + [result.totals.iloc[-1:]], ignore_index=True)
    view = tabulate.totals(replace(result, totals=parts))
    assert len(rows_of(view)) == tabulate.MOST_ROWS
    assert rows_of(view)[-1][0] == "Everything"
    assert "the last 59 of 104 periods" in view.text
    none = tabulate.totals(replace(result, totals=result.totals.assign(effect=float("nan"))))
    assert none.text.startswith("No totals")


def test_the_headline_s_method_is_marked() -> None:
    rows = rows_of(tabulate.comparison(made.result("one_market")))
    assert rows[0][0] == "Synthetic control with predictors (headline)"
    assert sum("(headline)" in row[0] for row in rows) == 1
    assert {row[0] for row in rows} >= {"Synthetic difference-in-differences"}


def test_weights_are_listed_where_there_are_any_and_the_others_counted() -> None:
    view = tabulate.weights(made.result("one_market"))
    rows = rows_of(view)
    assert rows[0] == ["State 1", "0.508"]
    assert len(rows) == 6
    assert "those below 0.001 are not listed" in view.text
    assert [row[-1] for row in rows_of(tabulate.weights(made.result("augmented")))][-1] == "−0.050"
    dated = rows_of(tabulate.weights(made.result("staggered")))
    assert dated[0][1] == f"from 23{NBSP}Jun{NBSP}2025"
    assert len(dated) == 12


def test_placebos_are_ranked_and_the_treated_is_marked_even_far_down() -> None:
    rows = rows_of(tabulate.placebos(made.result("one_market")))
    assert rows[0][:3] == ["California (treated)", "1", "10.00"]
    assert [int(row[1]) for row in rows] == sorted(int(row[1]) for row in rows)
    turned = made.result("one_market")
    turned = replace(turned, placebos=turned.placebos.iloc[::-1].reset_index(drop=True))
    assert rows_of(tabulate.placebos(turned)) == rows
    many = made.result("one_market", donors=90, rank=80)
    view = tabulate.placebos(many)
    assert len(rows_of(view)) == tabulate.MOST_ROWS + 1
    assert rows_of(view)[-1][0] == "California (treated)"
    assert "the first 60 of 91" in view.text
    frame = made.result("one_market").placebos
    frame.loc[0, "ratio"] = float("inf")
    exact = replace(made.result("one_market"), placebos=frame)
    assert "matched exactly" in tabulate.placebos(exact).text


def test_assumptions_are_rated_by_the_worst_check_that_bears_on_them() -> None:
    result = made.result("money")

    def evidence(name: str, verdict: str, row: int) -> str:
        found = [
            Check(name="pre_fit", verdict="pass", label="a", text="b"),
            Check(name=name, verdict=verdict, label="a", text="b"),
        ]
        return rows_of(tabulate.assumptions(result, found))[row][1]

    assert evidence("convex_hull", "warn", 0) == "◐ medium"
    assert evidence("in_time_placebo", "fail", 1) == "○ weak"
    assert evidence("donors_affected", "pass", 2) == "● strong"
    assert evidence("pre_fit", "pass", 3) == "○ not tested"
    assert evidence("one_donor", "warn", 4) == "◐ medium"
    assert evidence("enough_donors", "fail", 5) == "○ weak"
    assert evidence("missing_cells", "pass", 7) == "● strong"
    text = tabulate.assumptions(result, result.checks).text
    assert "without one at a time the effect is −2.09 to −1.71" in text
    assert "Each is worth $4.20" in text
    assert "Each is worth" not in tabulate.assumptions(made.result("one_market"), ()).text


def test_a_market_alone_rests_on_nothing_else_having_begun() -> None:
    result = made.result("alone")
    rows = rows_of(tabulate.assumptions(result, result.checks))
    assert rows[0][:2] == ["Nothing else began with it (1989)", "○ not tested"]
    assert "the two cannot be told apart" in rows[0][2]
    assert not any("donor" in row[0] for row in rows)


def test_definitions_say_what_the_interval_assumes_and_name_the_methods_used() -> None:
    result = made.result("one_market")
    text = tabulate.definitions(result).text
    assert result.design.assumption in text
    assert "Synthetic control with predictors: " in text
    alone = tabulate.definitions(made.result("alone")).text
    assert "Donor" not in alone
    assert "Interrupted time series: " in alone
    assert "There is none: 2 placebos" in tabulate.definitions(made.result("few_donors")).text


def test_both_snapshots_are_listed_and_the_periods_are_the_panel_s() -> None:
    def read(source: str) -> SimpleNamespace:
        snapshot = SimpleNamespace(
            source=source, kind="csv", rows=9, sha256="ab" * 32, sql="SELECT 1",
            window_start_at=None, window_end_at=None,
        )  # fmt: skip
        return SimpleNamespace(snapshot=snapshot, health=pd.DataFrame(), checks=())

    rows = rows_of(tabulate.sources(read("p.csv"), read("u.csv"), span="1970 – 2000"))
    assert [row[0] for row in rows] == ["p.csv", "u.csv"]
    assert [row[3] for row in rows] == ["1970 – 2000", "–"]
    assert len(rows_of(tabulate.sources(read("p.csv"), None, span="x"))) == 1
