"""Tables of a deep-dive: the result's own numbers, captions, scopes, escaped cells, reasons."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from tests.figures.harm_results import bare, made
from trustlib.core import Check, Estimate
from trustlib.harm.taxonomy import taxonomy
from trustlib.tables import harm as tabulate
from trustlib.tables.harm_assumptions import assumptions

NBSP = "\u00a0"
HOSTILE = '<img src=x onerror="alert(1)"> & \x00\u202e"'
TABLES = (
    "estimates", "strata", "methods", "raters", "changes", "segments", "mix", "searched",
    "survivorship", "lifecycles", "clusters", "new_tokens", "controls", "overlap",
    "unseen_models", "options", "measurements", "harms",
)  # fmt: skip
MISSING = {
    "strata": {"size__items": None, "size__views": None},
    "methods": {"size__items": None, "size__views": None},
    "raters": {"size__rater_error": None, "size__agreement": None},
    "changes": {"ledger": None},
    "segments": {"where__segments": {}},
    "mix": {"where__mix": None},
    "searched": {"where__search": None, "where__growing": None},
    "survivorship": {"where__survivorship": None},
    "lifecycles": {"how__lifecycles": ()},
    "clusters": {"how__coordination": None},
    "new_tokens": {"how__newly_frequent": None},
    "controls": {"today__controls": None},
    "overlap": {"today__controls": None},
    "unseen_models": {"today__unseen": None},
    "options": {"ranking": None},
    "measurements": {"ranking": None},
}


def plain(text: str) -> str:
    return text.replace(NBSP, " ")


def told(name: str, **changed) -> str:
    return plain(getattr(tabulate, name)(made(**changed)).text)


def lines(name: str, **changed) -> dict[str, list[str]]:
    """First cell -> the others."""
    rows = [line.split(" | ") for line in told(name, **changed).split("\n") if " | " in line]
    return {row[0]: row[1:] for row in rows}


@pytest.mark.parametrize("name", TABLES)
def test_every_table_has_a_caption_scopes_and_even_rows(name) -> None:
    html = str(getattr(tabulate, name)(made()).html)
    for part in html.split('<div class="scroll">')[1:]:
        heads = part.count('<th scope="col"')
        assert part.startswith("<table><caption>")
        body = part.split("<tbody>")[1].split("</tbody>")[0]
        rows = re.findall("<tr>(.*?)</tr>", body)
        assert all(len(re.findall(r"<t[hd][ >]", row)) == heads for row in rows)


@pytest.mark.parametrize("name", TABLES)
def test_no_cell_shows_what_only_code_would(name) -> None:
    cells = [cell for line in told(name).split("\n") if line for cell in line.split(" | ")]
    assert not {"nan", "None", "inf", "NaN", ""} & set(cells)
    assert not any(re.search(r"\bnan\b|\binf\b|\bNone %", cell) for cell in cells)


@pytest.mark.parametrize("name", list(MISSING))
def test_a_missing_table_is_a_box_with_the_reason(name) -> None:
    view = getattr(tabulate, name)(made(**MISSING[name]))
    assert "Nobody gave a source for this." in view.text
    assert '<p class="note">' in view.html


def test_with_nothing_but_items_no_table_fails() -> None:
    for name in TABLES:
        assert getattr(tabulate, name)(bare()).text


def test_estimates_have_number_interval_method_and_n() -> None:
    rows = lines("estimates")
    assert rows["Share of items that violate"][:2] == ["2.4 %", "1.9 to 2.9 %"]
    assert rows["Accounts that saw violating items"][:2] == ["41,200", "35,800 to 47,900"]


def test_estimates_by_every_name_that_a_result_may_have() -> None:
    result = made()
    like = result.estimates["prevalence"]
    count = Estimate(point=124, low=None, high=None, level=0.95, unit="violating items",
                     method="count", n=124, note="a count that is known")  # fmt: skip
    cost = Estimate(point=1_200_000, low=900_000, high=1_500_000, level=0.95, unit="USD",
                    method="m", n=3)  # fmt: skip
    more = {"confirmed_items": count, "cost_usd": cost, "prevalence_labelled": like}
    rows = lines("estimates", estimates=dict(result.estimates) | more)
    assert rows["Confirmed items"][:2] == ["124", "none"]
    assert rows["Cost"][0] == "$1.20 million"
    assert "Share of items that violate, as the labels say" in rows


def test_shares_of_small_groups_are_withheld_among_the_estimates() -> None:
    result = made()

    def share(point: float, n: int, unit: str) -> Estimate:
        return Estimate(point=point, low=0.0, high=1.0, level=0.95, unit=unit, method="Wilson",
                        n=n)  # fmt: skip

    few = {"missing_account_share": share(0.00125, 4_000, "share of accounts"),
           "top_10pc_share": share(0.4, 199, "share of the harm")}  # fmt: skip
    rows = lines("estimates", estimates=dict(result.estimates) | few)
    assert rows["Accounts without a row in the accounts table"][0] == "withheld"
    assert rows["Confirmed items of the tenth of these accounts with most"][0] == "40 %"
    little = replace(result.where.concentration, actors=80)
    rows = lines("estimates", estimates=few | dict(result.estimates),
                 where__concentration=little)  # fmt: skip
    assert rows["Confirmed items of the tenth of these accounts with most"][0] == "withheld"


def test_an_estimate_that_is_not_estimable_says_why() -> None:
    result = made()
    none = Estimate(point=None, low=None, high=None, level=0.95, unit="accounts", method="m", n=0,
                    note="not estimable: views carry no account")  # fmt: skip
    rows = lines("estimates", estimates=dict(result.estimates) | {"affected_accounts": none})
    cells = rows["Accounts that saw violating items"]
    assert cells == ["not estimable", "not estimable", "Not estimable: views carry no account", "–"]


def test_strata_and_segments_are_the_results_own() -> None:
    result = made()
    rows = lines("segments")
    for _, row in result.where.segments["market"].iterrows():
        cells = rows[row["value"]]
        assert cells[:3] == [f"{row[c]:,.0f}" for c in ("population", "labelled", "positive")]
        assert float(cells[3].split(" ")[0]) == pytest.approx(100 * row["share"], rel=0.06)


def test_the_report_s_method_comes_first_and_wrong_ones_are_said() -> None:
    text = told("methods").split("\n")
    assert text[2].startswith("Rater errors taken out")
    assert any("ignores how the sample was drawn" in line for line in text)
    few = replace(made().size.items, positives=4)
    assert "Simple random" not in told("methods", size__items=few, size__views=None)


def test_the_parts_of_a_change_add_up_as_printed() -> None:
    rows = lines("mix")
    parts = [row for name, row in rows.items() if name.startswith("of that")]
    whole = sum(float(row[0].replace("−", "-")) for row in parts)
    change = float(rows["Change"][0].replace("−", "-"))
    assert whole == pytest.approx(change, abs=0.015)


def test_values_with_few_labels_are_added_up_in_the_mix() -> None:
    market = made().where.segments["market"]
    large = market["value"] == "dogwood"
    few = market.assign(positive=np.where(large, 273, 3))
    rows = lines("mix", where__segments={"market": few})
    assert "5 others together" in rows
    assert "fir" not in rows
    frame = made().where.mix.by_segment
    rest = 100 * frame.loc[frame["segment"] != "dogwood", "total"].sum()
    shown = float(rows["5 others together"][4].replace("−", "-"))
    assert shown == pytest.approx(rest, abs=0.006)
    assert rows["5 others together"][5] == "–"


def test_searched_says_what_held() -> None:
    rows = lines("searched")
    assert rows["market dogwood"][3] in ("confirmed", "did not hold")
    assert rows["kind video"][3].startswith("confirmed, through ")


def test_a_ratio_without_an_upper_end_is_open() -> None:
    search = made().where.search
    frame = search.segments.assign(ratio=np.inf, high=np.inf)
    open_ = replace(search, segments=frame)
    assert (
        lines("searched", where__search=open_, where__growing=None)["kind video"][0] == "only here"
    )


def test_changes_say_which_move_they_may_have_made() -> None:
    rows = lines("changes")
    assert rows["16 Feb 2026"][4] == "One at that time: cannot be told apart, not attributable"
    assert rows["17 Dec 2025"][4] == "None at that time"
    ledger = made().ledger
    outside = replace(ledger, changes=ledger.changes.assign(inside=False))
    assert lines("changes", ledger=outside)["2 Mar 2026"][4] == "Outside the weeks drawn"
    none = replace(ledger, changes=ledger.changes.iloc[:0])
    assert told("changes", ledger=none) == "No change of the instrument is listed."


def test_new_tokens_without_counts_below_eleven() -> None:
    frame = made().how.newly_frequent.tokens
    rows = lines("new_tokens")
    for _, row in frame.iterrows():
        cells = rows[row["name"]]
        assert cells[1] == ("fewer than 11" if row["before"] < 11 else f"{row['before']:,}")
        if row["before"] < 11 <= row["now"]:
            assert cells[3] == f"at least {row['now'] / 10:.1f}"
        if row["now"] < 11:
            assert cells[3:] == ["withheld", "withheld"]


def test_raw_names_of_tokens_are_never_needed() -> None:
    found = made().how.newly_frequent
    nameless = replace(found, tokens=found.tokens.drop(columns="name"))
    assert "domain | domain" in told("new_tokens", how__newly_frequent=nameless)


def test_controls_have_hits_recall_and_the_caveats() -> None:
    result = made()
    text, rows = told("controls"), lines("controls")
    hits = dict(zip(result.today.hits["source"], result.today.hits["items"], strict=True))
    assert rows["Scam model"][0] == f"{hits['scam_model']:,}"
    assert rows["All together"][1] == "59 %"
    assert "Not recall" in text
    assert "who appeals is selected" in text
    few = result.today.hits.assign(items=4)
    assert lines("controls", today__hits=few)["Scam model"][0] == "fewer than 11"


def test_hits_stand_where_labels_are_missing() -> None:
    text = told("controls", today__controls=None)
    assert "What each control acted on" in text
    assert "Nobody gave a source for this." in text


def test_options_are_in_order_and_labels_address_nothing() -> None:
    result = made()
    rows = list(lines("options"))
    assert [name.lower() for name in rows[1:]] == [o.name.lower() for o in result.ranking.options]
    assert lines("options")["Label more of the clusters"] == ["–"] * 6


def test_measurements_that_help_are_listed_and_others_are_not() -> None:
    ranking = made().ranking
    frame = ranking.measurements
    assert told("measurements", ranking=replace(ranking, measurements=frame.assign(
        gain=0.0, flips=False
    ))) == "No measurement would change which option is first."  # fmt: skip
    one = frame.assign(gain=[0.12, *[0.0] * (len(frame) - 1)], flips=False)
    rows = lines("measurements", ranking=replace(ranking, measurements=one))
    assert len(rows) == 2
    assert next(row for name, row in rows.items() if ": " in name)[0] == "12 points"


def test_lifecycles_say_how_many_came_to_the_end() -> None:
    rows = lines("lifecycles")
    one = made().how.lifecycles[1]
    assert rows["Abuse to action, hours"][:2] == [f"{one.n:,}", f"{one.ended:,}"]
    assert rows["Sign-up to first abuse, hours"][1] == "withheld"


def test_harms_are_those_of_the_taxonomy() -> None:
    plain_values = {
        "unit": "harm points",
        "harms": [{"name": "scam", "policies": ["scam", "phishing"], "severity": 2.5,
                   "counted_in": "views"}],
    }  # fmt: skip
    spec = replace(made().spec, taxonomy=taxonomy(plain_values))
    text = told("harms", spec=spec)
    assert "scam | scam, phishing | 2.5 | views" in text
    assert "harm points" in text
    assert "weighs the same" in told("harms")


def test_checks_name_no_small_count() -> None:
    few = Check(name="x", verdict="warn", label="few", text="From 4 accounts.")
    assert "From fewer than 11 accounts." in tabulate.checks([few]).text


def snapshot(rows: int = 10, sql: str = "SELECT 1", source: str = "world.duckdb"):
    return SimpleNamespace(
        source=source, kind="table", rows=rows, sha256="0123456789abcdef", sql=sql,
        window_start_at=datetime(2026, 3, 2, tzinfo=UTC),
        window_end_at=datetime(2026, 3, 30, tzinfo=UTC),
    )  # fmt: skip


def read(**snapshots):
    health = pd.DataFrame(
        {"item": ["rows read", "views without an item", "late rows"], "n": [1_200, 4, 0],
         "note": ["", "left out", ""]}
    )  # fmt: skip
    return SimpleNamespace(
        health=health, snapshots=snapshots, missing={"gold": "no source was given"}, checks=()
    )


def test_sources_have_a_row_for_each_table() -> None:
    view = tabulate.sources(read(items=snapshot(), view_labels=snapshot(2_000)))
    text = plain(view.text).split("\n")
    assert len(text) == 4
    assert text[3].startswith("Labels of views | world.duckdb | table | 2,000 | 2 Mar 2026, 00:00")
    spanned = tabulate.sources(read(items=snapshot()), span="2 – 29 Mar").text
    assert "2 – 29 Mar" in spanned


def test_statements_are_folded_one_for_each_table() -> None:
    view = tabulate.statement(
        read(items=snapshot(sql="SELECT '<b>'"), labels=snapshot(sql="SELECT 2"))
    )
    assert view.html.count("<details>") == 2
    assert "SELECT &#39;&lt;b&gt;&#39;" in view.html
    assert view.text == ("The statement that ran: items\n\nThe statement that ran: labels")


def test_health_names_no_small_count_and_what_was_not_given() -> None:
    text = plain(tabulate.health(read()).text)
    assert "Rows read | 1,200" in text
    assert "Views without an item | fewer than 11 | left out" in text
    assert "Late rows" not in text
    assert "Items of known truth | – | no source was given" in text


def test_definitions_are_terms_and_sentences() -> None:
    view = tabulate.definitions(made())
    assert view.html.count("<dt>") == view.html.count("<dd>") >= 10
    assert all(line.endswith(".") for line in view.text.split("\n"))


def test_assumptions_rate_the_evidence_by_the_checks() -> None:
    result = made()
    checks = [
        Check(name="inclusion_probabilities", verdict="fail", label="l", text="t"),
        Check(name="strata_without_labels", verdict="pass", label="l", text="t"),
        Check(name="instrument_changes", verdict="warn", label="l", text="t"),
    ]
    view = assumptions(result, checks)
    rows = [line.split(" | ") for line in view.text.split("\n")[2:]]
    found = {row[0]: row[1] for row in rows}
    assert found["Labels were drawn at random, with the chances that are recorded"] == "○ weak"
    assert found["Nothing in the way of measuring changed with the share"] == "◐ medium"
    assert found["Accounts that were closed are still in the tables"] == "○ not tested"
    assert "with the labels taken as they are, the share is 4.5 %" in plain(view.text)
    assert "not corrected for that" in assumptions(made(size__views_corrected=None), ()).text


def test_assumptions_of_missing_sections_are_left_out() -> None:
    text = assumptions(made(where__mix=None, today__unseen=None, how__coordination=None), ()).text
    assert "part by part" not in text
    assert "independently" not in text
    assert "beyond chance" not in text


def test_names_from_data_are_escaped_and_cleaned() -> None:
    result = made()
    market = result.where.segments["market"]
    found = result.how.newly_frequent
    controls = result.today.controls
    views = [
        tabulate.segments(made(where__segments={HOSTILE: market.assign(
            value=[f"{HOSTILE}{at}" for at in range(len(market))])})),
        tabulate.new_tokens(made(how__newly_frequent=replace(
            found, tokens=found.tokens.assign(name=HOSTILE, kind=HOSTILE)))),
        tabulate.controls(made(today__controls=replace(
            controls, names=(HOSTILE, *controls.names[1:])))),
        tabulate.health(SimpleNamespace(
            health=pd.DataFrame({"item": [HOSTILE], "n": [20], "note": [HOSTILE]}), missing={})),
        tabulate.sources(read(items=snapshot(source=HOSTILE))),
        tabulate.definitions(made(spec=replace(result.spec, area=HOSTILE))),
        tabulate.searched(made(where__search=replace(
            result.where.search, segments=result.where.search.segments.assign(segment=HOSTILE)))),
        tabulate.options(made(ranking=replace(result.ranking, options=(
            replace(result.ranking.options[0], name=HOSTILE), *result.ranking.options[1:])))),
        tabulate.changes(made(ledger=replace(
            result.ledger, changes=result.ledger.changes.assign(note=HOSTILE)))),
    ]  # fmt: skip
    for view in views:
        assert "<img" not in view.html
        assert not re.search("[\x00\u202e]", str(view.html) + view.text)
