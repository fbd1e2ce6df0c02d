"""Tables of a postmortem: the record's numbers, nothing small, nothing for a block that is not."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from tests.figures import postmortem_results as records
from trustlib.core import Check
from trustlib.postmortem.result import BLOCKS
from trustlib.tables import house
from trustlib.tables import postmortem as tabulate

TABLES = tuple(block for block in BLOCKS if block not in ("verdict", "data_health"))
# Figures' words for what is there in every record.
MORE = ("estimates", "definitions")


def rows_of(view, caption: str = "") -> list[list[str]]:
    """The cells of the table whose caption starts so; of the first."""
    tables = re.findall(r"<table><caption>(.*?)</caption>.*?<tbody>(.*?)</tbody>", str(view.html))
    body = next(body for told, body in tables if told.startswith(caption))
    return [
        re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in re.findall("<tr>(.*?)</tr>", body)
    ]


def table(name, kind="over", **changes):
    result = records.made(kind, **changes) if changes else records.result(kind)
    return getattr(tabulate, name)(result)


def plain(text: str) -> str:
    return text.replace("\u00a0", " ")


@pytest.mark.parametrize("kind", records.KINDS)
def test_every_table_has_a_caption_scopes_a_scroll_box_and_even_rows(kind) -> None:
    counts, read = records.read()
    result = records.result(kind)
    views = [table(name, kind) for name in (*TABLES, "estimates")]
    views += [tabulate.data_health(counts, read), tabulate.sources(counts, read)]
    views.append(tabulate.assumptions(result, result.checks))
    for view in views:
        html = str(view.html)
        found = re.findall(r'<div class="scroll"><table>(.*?)</table></div>', html)
        assert html.count("<table") == len(found)
        for one in found:
            heads = one.count('<th scope="col"')
            assert heads >= 2
            body = one.split("<tbody>")[1]
            rows = re.findall("<tr>(.*?)</tr>", body)
            assert all(row.startswith('<th scope="row">') for row in rows)
            assert all(len(re.findall("<t[hd][ >]", row)) == heads for row in rows)
        assert "nan" not in re.sub(r"<[^>]*>", " ", html).lower().split()
        assert "NaT" not in html


@pytest.mark.parametrize("name", TABLES)
def test_a_block_that_is_not_there_has_no_table(name) -> None:
    blocks = records.result("over").blocks.copy()
    mine = blocks["block"] == name
    blocks.loc[mine, "present"], blocks.loc[mine, "reason"] = False, "Why not."
    view = table(name, blocks=blocks)
    assert (view.html, view.text) == ("", "")
    assert table(name).html != ""


def test_the_verdict_has_no_table_and_every_other_block_has_one() -> None:
    assert {*TABLES, "data_health"} == set(BLOCKS) - {"verdict"}
    assert {*TABLES, "data_health", *MORE} <= set(tabulate.__all__)


@pytest.mark.parametrize("name", [*TABLES, "estimates", "definitions"])
def test_hostile_text_is_escaped_and_cleaned(name) -> None:
    html = str(table(name, "hostile").html)
    assert not re.search(r"<(script|img|b>|i>)", html)
    assert not re.search("[\x00-\x08\x0b-\x1f\u202e\u2066]", html)
    assert not re.search(r'href="(?!https?://)', html)
    assert len(html) < 60_000


def test_the_timeline_tells_both_clocks_and_the_interval_of_the_start() -> None:
    view = table("timeline")
    rows = [[plain(cell) for cell in row] for row in rows_of(view, "What happened")]
    assert len(rows) == len(records.result("over").timeline)
    by_event = {row[2]: row for row in rows}
    first = by_event["First signal"]
    assert first[:2] == ["26 Feb, 20:30", "27 Feb, 01:30"]
    assert first[3] == "stated in params"
    assert table("timeline").text.startswith("What happened when in 2024\n")
    (estimated,) = [what for what in by_event if what.startswith("Impact starts (95 %")]
    assert "26 Feb, 16:00 to 26 Feb, 18:00" in estimated


def test_a_clock_that_is_utc_stands_once() -> None:
    html = str(table("timeline", "under").html)
    assert '<th scope="col">UTC</th><th scope="col">What</th>' in html
    assert '<th scope="col">New York</th><th scope="col">UTC</th>' in plain(
        str(table("timeline").html)
    )


def test_only_addresses_of_the_web_are_links() -> None:
    html = str(table("timeline").html)
    assert '<a href="https://tracker.example/1042">tracker.example/1042</a>' in html
    assert "<td>runbook page 7</td>" in html
    hostile = str(table("timeline", "hostile").html)
    assert "<a " not in hostile  # one has characters that no address may have
    assert "javascript:alert(1)" in hostile


def test_a_link_is_escaped_and_its_twin_is_its_text() -> None:
    cell = house.Link("a <b>", 'https://x.example/?a=1&b="2"')
    view = house.table([("row", cell)], columns=("a", "b"), caption="c")
    assert '<a href="https://x.example/?a=1&amp;b=&#34;2&#34;">a &lt;b&gt;</a>' in view.html
    assert view.text.splitlines()[-1] == "row | a <b>"


def test_durations_are_the_estimates() -> None:
    rows = {row[0]: row for row in rows_of(table("timeline"), "How long")}
    assert rows["Time to detect"][1:3] == ["3.5", "2.5 to 4.5"]
    assert rows["Time to acknowledge"][1:3] == ["1.5", "exact"]
    absent = {row[0]: row for row in rows_of(table("timeline", "under"), "How long")}
    assert absent["Time to recover"][1:4] == ["not estimable", "not estimable", "not stated"]


def test_the_excess_has_both_intervals_and_its_sensitivity() -> None:
    result = records.result("over")
    rows = {row[0]: row for row in rows_of(table("excess"))}
    excess = rows["Excess: counted minus expected"]
    assert [plain(cell) for cell in excess[1:]] == [
        "+1,490",
        "+1,440 to +1,540",
        "+1,410 to +1,570",
    ]
    assert rows["Counted in the window"][3] == "exact"
    assert len(rows_of(table("excess"), "The same incident")) == len(result.sizing.sensitivity)
    bare = {row[0]: row for row in rows_of(table("excess", "bare"))}
    assert bare["Excess: counted minus expected"][2:] == ["not estimable", "not estimable"]


def test_affected_are_the_record_s_and_small_counts_are_not_shown() -> None:
    rows = rows_of(table("affected"))
    assert rows[0] == ["Items", "wrongly actioned", "456", "253", "239 to 266"]
    few = records.frame("affected", [
        ("items", "over", 40, 7, 3, 10), ("accounts", "over", 8, 4, 2, 6),
        ("customers", "over", 30, 12, 9, 16), ("viewers", "under", np.nan, np.nan, np.nan, np.nan),
    ])  # fmt: skip
    told = [row[2:] for row in rows_of(table("affected", affected=few))]
    assert told == [
        ["40", "not shown", "not shown"], ["fewer than 11", "not shown", "not shown"],
        ["30", "12", "9 to 16"], ["fewer than 11", "not shown", "not shown"],
    ]  # fmt: skip


def test_a_segment_without_enough_labels_says_so() -> None:
    rows = {row[0]: row for row in rows_of(table("affected", "under"), "Wrong cases by segment")}
    assert rows["search"][3:] == ["132", "not shown", "not shown"]
    assert rows["alder"][3:] == ["180", "171", "160 to 176"]
    crowded = table("affected", "crowded")
    assert len(rows_of(crowded, "Wrong cases by segment")) == 40


def test_doses_overlaps_and_the_top_are_counts_from_11_on() -> None:
    rows = rows_of(table("dose"))
    assert rows[1] == ["Accounts", "actioned", "2 or more", "21", "46"]
    few = records.frame(
        "doses", [("accounts", "over", "2", 5, 10), ("accounts", "over", "3", 9, 30)]
    )
    told = [row[3:] for row in rows_of(table("dose", doses=few))]
    assert told == [["fewer than 11", "not shown"]] * 2
    top = [row[2:] for row in rows_of(table("dose"), "Those who")]
    assert [plain(cell) for cell in top[0]] == ["fewer than 11", "not shown"]
    assert [plain(cell) for cell in top[1]] == ["11", "8.3 %"]
    both = [row[2] for row in rows_of(table("dose"), "People in two")]
    assert both == ["14", "fewer than 11"]


def test_money_has_its_unit_values_printed() -> None:
    view = table("money")
    assert view.text.splitlines()[0] == "Money; amounts in EUR, 1 EUR taken as $1.08"
    assert rows_of(view)[2][2:] == ["$14,100", "$12,700 to $15,600"]
    dollars = table("money", spec__currency="USD", spec__usd_rate=1.0)
    assert "amounts in USD" in dollars.text
    assert "taken as" not in dollars.text


def test_the_cost_of_the_excess_stands_beside_the_amounts() -> None:
    result = records.result("over")
    cost = records.estimate(18_000, 15_000, 21_000, unit="USD")
    spec = replace(result.spec.sizing, unit_cost_usd=12.5)
    view = table("money", estimates={**result.estimates, "cost_usd": cost}, spec__sizing=spec)
    assert rows_of(view)[-1][2:] == ["$18,000", "$15,000 to $21,000"]
    assert "each of the excess taken to cost $12.50" in view.text


def test_lists_show_neither_a_folder_nor_a_small_part() -> None:
    view = table("lists")
    assert "/srv" not in view.html
    assert "restricted" not in view.html.replace("Restricted lists", "")
    row = {what: plain(told) for what, told in rows_of(view)}
    assert [row[what] for what in ("File", "Rows")] == ["clean-up.csv", "382"]
    assert row["Content (SHA-256 begins with)"] == "5e" * 6
    assert [row["Rows with a label, wrong"], row["Rows without a label"]] == ["148", "234"]
    quality = [told for what, told in row.items() if what.startswith("Part of")]
    assert quality == ["62 % (55 % to 69 %)", "91 % (84 % to 96 %)"]
    # 19 left, three of them judged otherwise: no part of the 19 is told.
    assert row["Since the last file"] == (
        "401 rows before, 19 left it: put right, judged otherwise, by a change of the sources"
    )


def test_parts_of_what_left_a_list_are_told_where_none_is_small() -> None:
    one = records.result("over").lists[0]
    many = replace(one, left=60, left_resolved=40, left_judged=20)
    assert "60 left it: 40 put right, 20 judged otherwise" in table("lists", lists=(many,)).text
    small = replace(one, path="C:\\secret\\a.csv", labelled_wrong=4, before=None)
    told = dict(rows_of(table("lists", lists=(small,))))
    assert told["File"] == "a.csv"
    assert told["Rows with a label, wrong"] == "fewer than 11"
    assert told["Rows without a label"] == "not shown"
    assert told["Since the last file"] == "the first file"
    both = table("lists", lists=(many, replace(small, name="back-fill")))
    assert [len(row) for row in rows_of(both)] == [3] * 8


def test_maturity_says_the_factor_and_when_it_is_final() -> None:
    rows = {row[0]: [plain(cell) for cell in row] for row in rows_of(table("maturity"))}
    assert rows["Appeals"][1:] == ["132", "77 %", "×1.29", "171", "150 to 199", "10 Mar 2024"]
    few = records.result("over").maturity.assign(seen=[240.0, 4.0, np.nan])
    hidden = {row[0]: row for row in rows_of(table("maturity", maturity=few))}
    assert hidden["Appeals"][1:4] == ["fewer than 11", "not shown", "not shown"]
    assert hidden["Chargebacks"][1] == "fewer than 11"


def test_every_alert_has_its_replay() -> None:
    view = table("detection")
    when = {row[0]: [plain(cell) for cell in row[1:]] for row in rows_of(view)}
    assert when["hourly actions"] == ["existing", "count, 180", "never", "–"]
    assert when["cusum at 4.5"] == ["recommended", "CUSUM, 4.5", "26 Feb 2024, 20:00", "3"]
    cost = {row[0]: [plain(cell) for cell in row[1:]] for row in rows_of(view, "What they cost")}
    assert cost["hourly actions"][:2] == ["0", "0 to 0.46"]
    assert cost["cusum at 4.5"] == ["0.62", "0.2 to 1.5", "8", "1,130", "900 to 1,350"]
    assert "What they cost (responders can bear 1 a week)" in view.text
    assert len(rows_of(table("detection", "crowded"))) == 40


def test_factors_say_their_verdict_in_words() -> None:
    rows = rows_of(table("factors"))
    assert [row[1] for row in rows] == ["supported", "supported", "not supported", "not tested"]
    assert rows[0][0] == "Change before"


def test_severity_shows_what_each_rule_was_held_against() -> None:
    view = table("severity")
    rows = [[plain(cell) for cell in row] for row in rows_of(view)]
    assert rows[1] == ["SEV1", "Money lost, net", "$100,000", "$15,600", "upper end", "not met"]
    assert rows[2] == ["SEV2", "Accounts hit", "200", "255", "upper end", "met"]
    assert rows[4][3:] == ["not estimable", "upper end", "not decided"]
    assert records.result("over").spec.rules_hash in view.text
    assert "Severity: SEV2;" in view.text
    assert "no rule is met" in table("severity", severity_level=None).text


def test_a_withheld_measure_is_withheld_in_its_rule() -> None:
    result = records.result("over")
    few = replace(records.estimate(None), note="withheld: fewer than 11")
    view = table("severity", estimates={**result.estimates, "affected_accounts": few})
    assert [row[3] for row in rows_of(view) if row[1] == "Accounts hit"] == ["fewer than 11"] * 2


def test_actions_have_owner_due_check_and_the_open_ones_come_first() -> None:
    view = table("actions")
    rows = [[plain(cell) for cell in row] for row in rows_of(view)]
    assert [row[1] for row in rows] == ["open", "open", "done"]
    assert rows[0][2:4] == ["20 Mar 2024", "rules team"]
    assert 'href="https://tracker.example/1050"' in view.html
    assert view.text.startswith("Actions: 2 open of 3")


def test_the_bridge_starts_then_and_ends_now() -> None:
    rows = [[plain(cell) for cell in row] for row in rows_of(table("revisions"))]
    assert [row[1] for row in rows] == ["+1,320", "+88", "−19", "+61", "+1,451"]
    both = rows_of(table("revisions"), "Then and now")
    assert both[1] == ["Accounts hit", "201", "170 to 230", "243", "214 to 255"]
    assert both[2][1:3] == ["not estimable", "not estimable"]


def test_what_is_withheld_now_is_withheld_then() -> None:
    result = records.result("over")
    few = replace(records.estimate(None), note="withheld: fewer than 11")
    view = table("revisions", estimates={**result.estimates, "affected_accounts": few})
    row = next(row for row in rows_of(view, "Then and now") if row[0] == "Accounts hit")
    assert row[1:] == ["fewer than 11"] * 4


def test_health_withholds_few_cases_and_names_what_was_not_read() -> None:
    counts, read = records.read()
    view = tabulate.data_health(counts, read)
    assert rows_of(view, "Data from")[1][:2] == ["Duplicates", "44"]
    rows = {row[0]: row for row in rows_of(view, "The tables")}
    assert rows["Cases outside the window"][1] == "fewer than 11"
    assert rows["Views of what was missed"][1:] == [
        "not read", "views_source is not set &lt;b&gt;here&lt;/b&gt;",
    ]  # fmt: skip
    assert "Labels of no case" not in rows


def test_sources_and_statements_are_of_every_table() -> None:
    counts, read = records.read()
    rows = rows_of(tabulate.sources(counts, read, timezone="America/New_York"))
    assert [row[0] for row in rows] == ["Counts", "Cases"]
    assert plain(rows[0][4]) == "26 Feb 2024, 17:00 to 28 Feb 2024, 17:00"
    html = str(tabulate.statement(counts, read).html)
    assert html.count("SELECT 1 &lt; 2 AS yes") == 2


def test_every_estimate_is_told_and_few_labels_are_not_counted() -> None:
    result = records.result("over")
    rows = {row[0]: row for row in rows_of(table("estimates"))}
    assert len(rows) == len(result.estimates)
    assert plain(rows["Excess, the narrower interval"][2]).endswith("(80 %)")
    assert rows["Items missed"][1:3] == ["not estimable", "not estimable"]
    few = records.estimate(30, 20, 40, n=6)
    small = records.estimate(5, 3, 8, n=60)
    told = {**result.estimates, "affected_items": few, "false_positives": small}
    hidden = {row[0]: row for row in rows_of(table("estimates", estimates=told))}
    assert hidden["Items wrongly actioned or missed"][1:] == [
        "30", "20 to 40", "Labels weighed by their chance of being drawn", "fewer than 11",
    ]  # fmt: skip
    assert hidden["Items wrongly actioned"][1:3] == ["fewer than 11", "fewer than 11"]


def test_assumptions_are_rated_by_the_checks_that_bear_on_them() -> None:
    result = records.result("over")

    def evidence(name: str, verdict: str, assumption: str) -> str:
        made = [Check(name=name, verdict=verdict, label="label", text="why")]
        rows = rows_of(tabulate.assumptions(result, made), "What the rest")
        return {row[0]: row for row in rows}[assumption][1]

    once, right = "The affected table holds every case, once", "Labels are right"
    assert evidence("affected_once", "pass", once) == "● strong"
    assert evidence("affected_once", "fail", once) == "○ weak"
    assert evidence("labels_as_truth", "pass", right) == "◐ medium"  # taken as truth, not tested
    assert evidence("affected_once", "pass", right) == "○ not tested"


def test_only_what_the_record_has_is_assumed() -> None:
    text = tabulate.assumptions(records.result("over"), ()).text
    assert "1 EUR is $1.08" in text
    assert "outside 239 to 266" in text
    bare = tabulate.assumptions(records.result("bare"), ()).text
    for words in ("EUR", "affected table", "One person", "Alerts meet", "still to come"):
        assert words not in bare
    assert "The stamps are when it happened" in bare


def test_definitions_are_those_of_the_record() -> None:
    text = plain(tabulate.definitions(records.result("over")).text)
    assert "Time to detect: From the start of impact to the first signal that anyone had." in text
    assert "95 % interval: " in text


def test_an_open_item_whose_day_has_passed_is_overdue() -> None:
    record = records.made()
    first = min(one.due for one in record.spec.actions if one.status == "open")
    on = datetime(first.year, first.month, first.day, 12, tzinfo=UTC)

    def statuses(at: datetime | None) -> set[str]:
        told = str(tabulate.actions(replace(record, as_of=at)))
        return {word for word in ("overdue",) if word in told}

    assert statuses(None) == set()
    assert statuses(on) == set()  # the day itself is not over
    assert statuses(on + timedelta(days=1)) == {"overdue"}
