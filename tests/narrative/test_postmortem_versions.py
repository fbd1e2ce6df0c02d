"""The two versions for others: the executive summary, and what users and regulators may read."""

import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

import pandas as pd
import pytest

from tests.figures import postmortem_results as records
from tests.narrative.test_postmortem import KINDS, changed, closed, plain, record, weak
from trustlib.narrative import postmortem as say
from trustlib.postmortem.spec import Alert, SeverityRule

MARK = "Qzx"
# Closed vocabularies, which decide what is said and are not free text.
_CLOSED_FIELDS = {"timezone", "bucket", "direction", "status", "type", "seed"}
_CLOSED_COLUMNS = {
    "affected": ("kind", "side"), "doses": ("kind", "side"), "top_share": ("kind", "side"),
    "money": ("item", "side"), "by_segment": ("side",), "timeline": ("kind",),
    "detection": ("status", "kind"), "trade_off": ("kind",), "factors": ("verdict",),
    "severity": ("measure", "basis"), "durations": ("name",), "then_now": ("name",),
    "blocks": ("block",),
}  # fmt: skip


def marked(value: Any, name: str = "", path: str = "") -> Any:
    """`value` with a mark of its own in front of every free text in it, however deep."""
    if name in _CLOSED_FIELDS or value is None or (name == "verdict" and path != ".verdict"):
        return value
    if isinstance(value, str):
        return f"{MARK}-{name} {value}"
    if isinstance(value, pd.DataFrame):
        kept = _CLOSED_COLUMNS.get(name, ())
        text = [c for c in value.select_dtypes(include=["object", "str"]) if c not in kept]
        return value.assign(
            **{c: [marked(v, c) if isinstance(v, str) else v for v in value[c]] for c in text}
        )
    if is_dataclass(value) and not isinstance(value, type):
        return replace(
            value,
            **{f.name: marked(getattr(value, f.name), f.name, f"{path}.{f.name}")
               for f in fields(value) if f.init},
        )  # fmt: skip
    if isinstance(value, tuple):
        return tuple(marked(one, name, path) for one in value)
    if isinstance(value, Mapping):
        return {key: marked(one, name, path) for key, one in value.items()}
    return value


def outside(result: Any) -> str:
    return plain(say.external(result).text)


# --- the external version -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "status"),
    [*((kind, "open") for kind in KINDS), ("over", "closed"), ("shortfall", "closed")],
)
def test_no_free_text_reaches_the_external_version(kind, status) -> None:
    result = record(kind)
    full = marked(replace(result, spec=replace(result.spec, status=status)))
    view = say.external(full)
    assert MARK not in view.text
    assert MARK not in str(view.html)
    rows = {row["version"]: row["text"] for row in say.communication(full)}
    assert MARK not in rows["external"]
    assert rows["external"] == outside(full)


def test_the_marks_were_planted_where_the_record_tells_them() -> None:
    full = marked(record("over"))
    assert full.spec.actions[0].owner.startswith(MARK)
    assert full.spec.timeline[0].link.startswith(MARK)
    assert full.timeline["event"].str.startswith(MARK).all()
    assert full.lists[0].sha256.startswith(MARK)
    assert full.spec.sizing.unit_label.startswith(MARK)
    for name in ("actions", "detection", "factors", "maturity", "severity", "revisions",
                 "affected", "excess"):  # fmt: skip
        assert MARK in getattr(say, name)(full).text, name
    assert MARK in say.executive(full).text


def test_no_threshold_unit_value_or_hash_reaches_it() -> None:
    result = record("over")
    spec = replace(
        result.spec,
        severity_rules=(SeverityRule(severity="SEV1", measure="excess", at_least=7_777.0),),
        alerts=(Alert(name="a", kind="threshold", value=6_666.0),),
        false_alarms_per_week=5_555.0, usd_rate=1.3737,
        sizing=replace(result.spec.sizing, unit_cost_usd=43.21),
    )  # fmt: skip
    costs = changed(replace(result, spec=spec),
                    cost_usd=records.estimate(64_271, 60_800, 67_700, unit="USD"))  # fmt: skip
    text = outside(costs)
    for number in ("7,7", "7,8", "6,6", "6,7", "5,5", "5,6", "1.37", "1.4", "43", "64,", "61,"):
        assert number not in text, number
    assert spec.rules_hash not in text
    assert not re.search(r"https?:|[0-9a-f]{12}|/|SEV|birch|clean-up|back-fill|cusum|rule", text)


def test_a_unit_is_named_only_from_the_fixed_list() -> None:
    assert "fewer trips than expected" in outside(record("shortfall"))
    assert "more user reports than expected" in outside(record("under"))
    assert "more events than expected" in outside(record("over"))  # "rule actions" is internal


EXTERNAL_OVER = (
    "Our service restricted items that it should not have restricted. This was from 26 Feb 2024, "
    "17:00 New York time (26 Feb 2024, 22:00 UTC) to 27 Feb 2024, 19:00 New York time (28 Feb "
    "2024, 00:00 UTC). So far, we have counted about 1,500 more events than expected (95 % "
    "interval 1,400 to 1,600).\n\nWe estimate that about 250 items (95 % interval 230 to 270) were "
    "restricted by mistake. This concerned about 240 accounts (95 % interval 210 to 260) and about "
    "230 customers (95 % interval 200 to 250). The money involved, less what was recovered, is "
    "about $14,000 (95 % interval $12,000 to $16,000). Numbers are rounded to two digits; an "
    "interval is the range in which the true number most likely lies.\n\nOur review is still open, "
    "and these findings may change. If you think that something of yours was restricted by mistake "
    "in these hours, please use the usual appeal route. No more labels are expected; the "
    "numbers stay estimates from a sample."
)


def test_golden_external_version() -> None:
    assert outside(record("over")) == EXTERNAL_OVER


@pytest.mark.parametrize("kind", KINDS)
def test_its_numbers_have_two_digits(kind) -> None:
    text = re.sub(r"\d+ [A-Z][a-z]{2} \d{4}|\d{2}:\d{2}|95 %", "", outside(record(kind)))
    for number in re.findall(r"\d[\d,.]*\d|\d", text):
        digits = number.replace(",", "").strip("0.").replace(".", "")
        assert len(digits) <= 2, number


def test_its_window_is_told_on_both_clocks() -> None:
    assert "17:00 New York time (26 Feb 2024, 22:00 UTC)" in outside(record("over"))
    assert "from 26 Feb 2024, 22:00 UTC to 28 Feb 2024, 00:00 UTC." in outside(record("under"))


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("over", ("restricted by mistake", "usual appeal route")),
        ("under", ("were not found in time", "please report it")),
        ("shortfall", ("did not work as usual", "contact our support")),
        ("both", ("restricted items that it should not", "usual appeal route", "please report it")),
    ],
)
def test_people_are_told_what_they_can_do(kind, expected) -> None:
    for part in expected:
        assert part in outside(record(kind)), part


def test_when_final_numbers_come() -> None:
    """Of labels alone: appeals and chargebacks feed no number that is told."""
    full, end = record("over"), pd.Timestamp("2024-02-28", tz="UTC")
    of_labels = full.maturity["kind"] == "labels"
    assert full.maturity["final_on"].max().date().isoformat() == "2024-04-16"  # of chargebacks
    late = full.maturity.assign(
        complete=full.maturity["complete"].mask(of_labels, 0.8),
        final_on=full.maturity["final_on"].mask(of_labels, end + pd.Timedelta(days=5)),
    )
    text = outside(replace(full, maturity=late))
    assert "Final numbers are expected by 3 Mar 2024." in text
    gone = late.assign(final_on=late["final_on"].mask(of_labels))
    assert "We cannot say yet when the numbers" in outside(replace(full, maturity=gone))
    for kept in (late[~of_labels], late[:0]):
        text = outside(replace(full, maturity=kept))
        assert "We cannot say yet when the numbers will be final." in text
        assert "These numbers stand unless" in outside(closed(replace(full, maturity=kept)))
    assert "These numbers stand unless new information" in outside(record("shortfall"))


@pytest.mark.parametrize("status", ["open", "closed"])
def test_estimates_from_a_sample_are_never_final(status) -> None:
    full = record("over")
    full = replace(full, spec=replace(full.spec, status=status),
                   maturity=full.maturity.assign(complete=1.0))  # fmt: skip
    stay = "No more labels are expected; the numbers stay estimates from a sample."
    assert stay in outside(full)
    assert "final" not in outside(full)
    exact = {name: records.estimate(one.point, one.point, one.point) for name in
             ("false_positives", "affected_accounts", "affected_customers")
             if (one := full.estimates[name]).point is not None}  # fmt: skip
    labelled = changed(full, **exact)
    assert "The numbers of items and people are final unless" in outside(labelled)
    assert stay in outside(changed(labelled, affected_customers=records.estimate(231, 201, 248)))


def test_fewer_than_11_stay_unnamed_outside() -> None:
    text = outside(record("few"))
    assert "fewer than 11 items, if any, were restricted by mistake" in text
    assert "may have concerned fewer than 11 accounts and fewer than 11 customers" in text
    assert "money" not in text  # an amount of so few would be theirs
    low = changed(record("over"), false_positives=records.estimate(14, 6, 31),
                  affected_accounts=records.estimate(8, 3, 27),
                  affected_customers=records.estimate(250, 249.6, 250.4))  # fmt: skip
    text = outside(low)
    assert "about 14 items (95 % interval from fewer than 11 to 31)" in text
    assert "fewer than 11 accounts (95 % interval up to 27)" in text
    assert "about 250 customers (95 % interval 240 to 260)" in text
    exact = changed(record("over"), affected_accounts=records.estimate(243, 243, 243))
    assert "about 240 accounts (exact count, rounded)" in outside(exact)
    none = changed(record("over"), affected_accounts=records.estimate(0, 0, 0))
    assert "accounts" not in outside(none)


def test_a_difference_of_a_few_events_is_not_counted_outside() -> None:
    """An end below 11 has no name of its own on either side of zero."""
    text = outside(weak("not conclusive", excess=(20, -5, 45)))
    assert "The evidence is not conclusive." in text
    assert "45" not in text
    text = outside(weak("incident confirmed", excess=(8, 2, 14)))
    assert "fewer than 11 more events than expected (95 % interval up to 14)" in text


def test_a_number_without_an_interval_is_not_told_outside() -> None:
    bare = changed(record("over"), false_positives=records.estimate(253, note="no labels"))
    text = outside(bare)
    assert "We do not know yet how many items, if any, were restricted by mistake." in text
    assert "250 items" not in text


ADMITTED = "Our service restricted items"
HEDGED = "Our service may have restricted items that it should not have restricted."


@pytest.mark.parametrize(
    ("known", "first", "told"),
    [
        ((253, 239, 266), ADMITTED, "We estimate that about 250 items (95 % interval"),
        ((None, None, None), HEDGED, "do not know yet how many items, if any, were restricted"),
        ((253, None, None), HEDGED, "do not know yet how many items, if any, were restricted"),
        ((14, 0, 31), HEDGED, "from fewer than 11 to 31), if any, were restricted by mistake"),
        ((4, 2, 9), HEDGED, "fewer than 11 items, if any, were restricted by mistake"),
        ((0, 0, 30), "Our service did not work as usual.", "up to 30 cannot be ruled out (95 %"),
        ((0, 0, 8), "Our service did not work", "what was checked; fewer than 11 cannot be ruled"),
        ((0, 0, 0), "Our service did not work as usual.", "of what was checked."),
    ],
)
def test_an_error_is_admitted_or_denied_only_as_far_as_labels_go(known, first, told) -> None:
    text = outside(changed(record("over"), false_positives=records.estimate(*known)))
    assert text.startswith(first), text
    assert told in text, text
    none = known[0] == 0
    assert ("We found no sign that our service restricted" in text) == none
    assert ("This concerned" in text) == (first == ADMITTED)
    assert ("This may have concerned" in text) == (first == HEDGED)


def test_a_withheld_number_neither_admits_nor_denies() -> None:
    gone = records.estimate(None, note="withheld: fewer than 11")
    text = outside(changed(record("over"), false_positives=gone, affected_accounts=gone))
    assert text.startswith(HEDGED)
    assert "The hours in question run" in text
    assert "fewer than 11 items, if any, were" in text
    assert "This may have concerned fewer than 11 accounts and" in text


def test_each_side_is_told_by_what_is_known_of_it() -> None:
    one = changed(record("both"), false_negatives=records.estimate(None))
    text = outside(one)
    assert text.startswith(
        "Our service restricted items that it should not have restricted and may not have found "
        "harmful items in time. This was"
    )
    text = outside(changed(record("both"), false_negatives=records.estimate(0, 0, 40)))
    assert text.startswith("Our service restricted items that it should not have restricted. This")
    assert "no sign that our service missed harmful items, of what was checked; up to 40" in text


def test_counts_that_went_the_other_way_are_not_called_quiet() -> None:
    text = outside(weak("no incident shown", excess=(-300, -400, -200)))
    assert "The counts moved the other way" in text
    assert "quiet times" not in text
    assert "quiet times show as well" in outside(weak("no incident shown", excess=(30, -90, 150)))


# --- the executive summary ------------------------------------------------------------------------

LONG = "units of a kind that has a long name and goes on and on"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("status", "long"), [("open", True), ("closed", False)])
def test_the_summary_has_120_to_180_words(kind, status, long) -> None:
    result = record(kind)
    spec = replace(result.spec, status=status)
    if long:
        label = replace(spec.sizing, unit_label=LONG)
        spec = replace(spec, sizing=label)
        result = replace(result, sizing=replace(result.sizing, spec=label),
                         severity_level="one level of six words here")  # fmt: skip
    for verdict in ("incident confirmed", "no incident shown", "not conclusive", "not estimable"):
        sized = replace(result.sizing, verdict=verdict)
        text = say.executive(replace(result, spec=spec, sizing=sized)).text
        assert 120 <= len(text.split()) <= 180, (verdict, len(text.split()), text)


EXECUTIVE_CLOSED = (
    "There was an incident in the 26 hours from 26 Feb 2024, 17:00 (New York time): 13,100 fewer "
    "trips than expected (95 % interval 11,300 to 14,900). None of 228 quiet windows came out as "
    "low, so chance is an unlikely explanation."
)


def test_golden_summary_of_a_shortfall() -> None:
    first, second, third, fourth = plain(say.executive(record("shortfall")).text).split("\n\n")
    assert first == EXECUTIVE_CLOSED
    assert second == (
        "How many people were hit is not known, since no table of cases was given. What it cost is "
        "not known."
    )
    assert third == (
        "The record is closed. Severity is SEV3. Next: the only action item is open, due on 2 Apr "
        "2024. What is weak: nothing excluded."
    )
    assert "the range that should hold the true number" in fourth


def test_the_summary_says_all_that_it_must() -> None:
    text = plain(say.executive(record("both")).text)
    for part in ("more rule actions than expected", "unlikely explanation", "253 items",
                 "318 harmful items", "243 accounts", "735 viewers", "The cost is $14,100",
                 "still open", "SEV2", "two of three action items are open"):  # fmt: skip
        assert part in text, part


def test_explanations_are_told_only_where_there_is_little_else() -> None:
    assert say.executive(record("under")).text.count("\n\n") == 2
    assert say.executive(record("bare")).text.count("\n\n") == 3


def test_communication_has_both_versions() -> None:
    rows = say.communication(record("over"))
    assert [row["version"] for row in rows] == ["executive", "external"]
    assert all(set(row) == {"version", "text"} for row in rows)
    assert not any("\u00a0" in row["text"] for row in rows)
    assert rows[0]["text"] == plain(say.executive(record("over")).text)
