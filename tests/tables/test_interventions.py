"""Tables of a rollout: header scopes, captions, escaped cells, and the result's own numbers."""

import re
from dataclasses import replace
from types import SimpleNamespace

import pandas as pd
import pytest

from tests.figures import rollouts
from trustlib.core import Check
from trustlib.tables import interventions as tabulate
from trustlib.tables.intervention_assumptions import assumptions

NBSP = "\u00a0"
TABLES = (
    "estimates", "totals", "group_time", "event_study", "comparison", "sensitivity",
    "leave_one_out", "placebo_in_time",
)  # fmt: skip


def rows_of(view) -> list[list[str]]:
    body = view.html.split("<tbody>")[1]
    return [
        re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in re.findall("<tr>(.*?)</tr>", body)
    ]


@pytest.mark.parametrize("kind", list(rollouts.SHAPES))
def test_every_table_is_even_and_escaped_or_a_box_with_the_reason(kind) -> None:
    result = rollouts.result(kind)
    views = [getattr(tabulate, name)(result) for name in TABLES]
    for view in [*views, tabulate.checks(result.checks), assumptions(result, result.checks)]:
        html = str(view.html)
        assert "<script" not in html
        if html.startswith('<p class="note">'):
            assert len(view.text) > 20
            continue
        heads = html.count('<th scope="col"')
        assert heads >= 3
        assert all(len(row) == heads for row in rows_of(view))
        assert "<caption>" in html
        assert not re.search(r"\bnan\b", view.text)


def test_nothing_estimable_says_so_instead_of_a_table() -> None:
    result = rollouts.result("nothing")
    boxes = {name for name in TABLES if "<table" not in getattr(tabulate, name)(result).html}
    assert boxes == set(TABLES) - {"estimates", "comparison"}
    rows = {row[0]: row for row in rows_of(tabulate.comparison(result))}
    assert rows["Two-way regression"][1] == "not estimable"


def test_estimates_carry_their_unit_and_why_there_is_no_interval() -> None:
    view = tabulate.estimates(rollouts.result("money"))
    rows = {row[0]: row for row in rows_of(view)}
    assert rows["Total effect, complaints"][1].startswith("−1,730")
    assert rows["Value of the total effect"][1].startswith("−$")
    assert rows["Effect as a share of what would have been"][1] == f"−14{NBSP}%"
    assert rows["Breakdown: times the worst departure before"][2] == "none"
    assert "effects are in complaints per 1,000 active accounts" in view.text
    assert "log points" in tabulate.estimates(rollouts.result("log")).text


def test_totals_end_with_everything_and_value_it_only_where_it_is_valued() -> None:
    rows = rows_of(tabulate.totals(rollouts.result("money")))
    assert rows[-1][0] == "Everything"
    assert rows[0][0] == f"from 2{NBSP}Feb{NBSP}2026"
    assert rows[-1][-1].startswith("−$")
    assert len(rows_of(tabulate.totals(rollouts.result("staggered")))[0]) == 5


def test_long_tables_are_cut_and_say_so() -> None:
    view = tabulate.group_time(rollouts.result("many"))
    assert len(rows_of(view)) == tabulate.MOST_ROWS
    after = rollouts.result("many").group_time["after"].sum()
    assert f"the first 60 of {after:,} rows" in view.text
    result = rollouts.result("many")
    parts = pd.concat([result.totals.iloc[:-1]] * 2 + [result.totals.iloc[-1:]], ignore_index=True)
    view = tabulate.totals(replace(result, totals=parts))
    assert len(rows_of(view)) == tabulate.MOST_ROWS
    assert rows_of(view)[-1][0] == "Everything"


def test_effects_of_a_column_have_the_same_decimals() -> None:
    rows = rows_of(tabulate.event_study(rollouts.result("staggered")))
    effects = [row[2] for row in rows if row[3] != "reference"]
    assert {len(text.partition(".")[2]) for text in effects} == {2}
    assert [row[2] for row in rows if row[3] == "reference"] == ["0"]


def test_the_headline_s_estimator_is_marked_and_reasons_are_told() -> None:
    result = rollouts.result("staggered")
    frame = result.comparison.copy()
    frame["note"] = ["", "the panel is too short", "", ""]
    frame.loc[1, ["point", "low", "high"]] = float("nan")
    rows = rows_of(tabulate.comparison(replace(result, comparison=frame)))
    assert rows[0][0] == "Group-time effects (headline)"
    assert "the panel is too short" in rows[1][3]
    assert rows[1][1] == "not estimable"


def test_clusters_are_named_only_where_they_may_be() -> None:
    result = rollouts.result("staggered", names_shown=False)
    frame = result.leave_one_out.assign(kind="cluster", left_out="secret")
    text = tabulate.leave_one_out(replace(result, leave_one_out=frame)).text
    assert "secret" not in text
    assert "cluster 1" in text


def test_assumptions_are_rated_by_the_worst_check_that_bears_on_them() -> None:
    result = rollouts.result("money")

    def evidence(name: str, verdict: str, row: int) -> str:
        made = [
            Check(name="pre_trend", verdict="pass", label="a", text="b"),
            Check(name=name, verdict=verdict, label="a", text="b"),
        ]
        return rows_of(assumptions(result, made))[row][1]

    assert evidence("sensitivity_to_trends", "warn", 0) == "◐ medium"
    assert evidence("sensitivity_to_trends", "fail", 0) == "○ weak"
    assert evidence("displacement", "pass", 3) == "● strong"
    assert evidence("few_clusters", "fail", 5) == "○ weak"
    text = assumptions(result, result.checks).text
    assert "holds up to 1.6 times the worst difference before" in text
    assert "Each is worth $12" in text
    assert "Each is worth" not in assumptions(rollouts.result("few"), ()).text


def test_sources_take_periods_in_the_place_of_instants() -> None:
    snapshot = SimpleNamespace(
        source="p.csv", kind="csv", rows=9, sha256="ab" * 32, sql="SELECT 1",
        window_start_at=None, window_end_at=None,
    )  # fmt: skip
    read = SimpleNamespace(snapshot=snapshot, health=pd.DataFrame(), checks=())
    assert rows_of(tabulate.sources(read, span="2003 – 2007"))[0][3] == "2003 – 2007"
    assert rows_of(tabulate.sources(read))[0][3] == "–"


def test_definitions_name_the_level_and_the_cluster() -> None:
    result = rollouts.result("staggered")
    assert f"95{NBSP}% interval: " in tabulate.definitions(result).text
    assert "summed within units" in tabulate.definitions(result).text
    own = replace(result, spec=replace(result.spec, cluster="region"))
    assert "summed within clusters" in tabulate.definitions(own).text
