"""Tables of an incident that are not there, or are not what they should be."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pandas as pd
import pytest

from tests.data.incident_tables import FRAMES, QUERY, ROLES, made, same, save
from trustlib.core import Refusal, Window
from trustlib.data import AffectedQuery, read_affected

SECRET = "s3cret-cell-content"


@pytest.fixture
def read(here):
    def _read(tables, **changes):
        return read_affected(replace(QUERY, **({"sources": save(tables, here)} | changes)))

    return _read


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        return read_affected(replace(QUERY, sources=save(made(), folder)))


# What a role's absence empties; and what it changes.
EMPTY = {
    "affected": ("cases", "labelled", "people", "overlaps", "by_segment"),
    "labels": ("labelled",),
    "views": (),
    "arrivals": ("arrivals",),
    "change_log": ("change_log",),
}
CHANGED = {"views": ("labelled", "people", "overlaps")}


def test_without_any_role_every_frame_is_there_and_empty(whole, here):
    rows = read_affected(AffectedQuery(sources={}, window=QUERY.window))
    assert rows.missing == dict.fromkeys(ROLES, "no source was given")
    for name in FRAMES:
        frame = getattr(rows, name)
        assert len(frame) == 0
        columns = [c for c in getattr(whole, name) if c != "market"]
        assert list(frame) == columns, name
        kinds = [str(getattr(whole, name)[c].dtype) for c in columns]
        assert [str(frame[c].dtype) for c in columns] == kinds, name
    assert rows.observed_until is None
    assert (rows.has_money, rows.has_resolved, rows.has_dose) == (False, False, False)
    assert rows.snapshots == {}
    assert [(c.name, c.verdict) for c in rows.checks] == [("affected_cases", "not_run")]


@pytest.mark.parametrize("role", ROLES)
def test_without_a_role_its_frames_are_empty_and_the_rest_stands(read, whole, role):
    rows = read({name: table for name, table in made().items() if name != role})
    assert rows.missing[role] == "no source was given"
    if role == "affected":
        why = "there are no cases that it could be of"
        assert rows.missing == {role: "no source was given", "labels": why, "views": why}
        assert (rows.has_money, rows.has_dose) == (False, False)
    else:
        assert len(rows.missing) == 1
    touched = (*EMPTY[role], *CHANGED.get(role, ()))
    moved = ("missing", "observed_until", "has_money", "has_resolved", "has_dose")
    arrivals = ("arrivals",) if role == "arrivals" else ()
    same(whole, rows, besides=(*touched, *moved, *arrivals))
    for name in EMPTY[role]:
        assert len(getattr(whole, name)) > 0
        assert len(getattr(rows, name)) == 0
    if role == "views":
        assert (rows.labelled["viewers"] == 0).all()
        assert set(rows.people["kind"]) == {"accounts", "customers"}
        assert len(rows.overlaps) == 1
    assert role not in rows.snapshots


def test_sources_without_rows_are_missing(read):
    rows = read({role: table.iloc[:0] for role, table in made().items()})
    assert rows.missing == dict.fromkeys(ROLES, "the source has no rows")
    assert all(len(getattr(rows, name)) == 0 for name in FRAMES)


def test_no_row_in_the_window_is_not_zero(read):
    later = Window(datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 5, 2, tzinfo=UTC))
    rows = read(made(), window=later)
    assert rows.missing["affected"] == "no row of the table lies in the incident's window"
    assert len(rows.cases) == 0
    check = rows.checks[0]
    assert (check.name, check.verdict) == ("affected_cases", "not_run")
    assert "9\xa0rows lie outside" in check.text
    assert rows.snapshots["affected"].rows == 9


def test_labels_without_chances_are_taken_for_draws_of_each_side_and_mark(read):
    tables = made()
    tables["labels"] = tables["labels"].drop(columns="inclusion_probability")
    rows = read(tables)
    assert rows.labelled["inclusion"].tolist() == [1.0, 1.0, 0.5, 1.0]  # 3 of 3; 1 of 2
    check = next(c for c in rows.checks if c.name == "affected_labels")
    assert (check.verdict, check.label) == ("warn", "sampling not told")
    assert "simple random sample is assumed" in check.text
    assert "strata" not in check.text
    tables["labels"]["stratum"] = ["low", "low", *["high"] * 8]
    check = next(c for c in read(tables).checks if c.name == "affected_labels")
    assert "2 strata" in check.text


def test_labels_of_other_items_alone_are_no_labels(read):
    tables = made()
    tables["labels"]["item_id"] = "other-" + tables["labels"]["item_id"]
    rows = read(tables)
    assert rows.missing == {"labels": "none of its labels is of a case"}
    check = next(c for c in rows.checks if c.name == "affected_labels")
    assert (check.verdict, check.label) == ("fail", "labels of other items")


def test_votes_without_a_rater_count_once_and_are_said(read):
    tables = made()
    tables["labels"] = tables["labels"].drop(columns=["rater_id", "labelled_at"])
    rows = read(tables)
    assert rows.labelled["n_votes"].tolist() == [2, 2, 1, 2]
    assert rows.labelled["labelled_at"].isna().all()
    check = next(c for c in rows.checks if c.name == "affected_once")
    assert "1\xa0equal row" in check.text
    assert check.verdict == "warn"


def test_without_optional_columns(read):
    tables = {"affected": made()["affected"][["item_id", "case_at", "actioned"]]}
    rows = read(tables, segments=(), currency=None)
    assert rows.cases[["side", "suspect", "items"]].values.tolist() == [
        ["over", True, 5], ["under", True, 2],
    ]  # fmt: skip
    assert (rows.has_money, rows.has_resolved, rows.has_dose) == (False, False, False)
    assert len(rows.people) == len(rows.overlaps) == len(rows.by_segment) == 0
    segments = made()["affected"][["item_id", "case_at", "actioned", "market"]]
    assert set(read({"affected": segments}, currency=None).by_segment["accounts"]) == {-1}


def test_thirty_values_of_a_segment_are_told(read):
    affected = pd.concat([made()["affected"].iloc[[1]]] * 40, ignore_index=True)
    affected["item_id"] = range(40)
    affected["market"] = [f"m{i:02d}" for i in range(40)]
    rows = read({"affected": affected})
    assert rows.by_segment["value"].nunique() == 31
    other = rows.by_segment.set_index("value")["items"]["other"]
    assert (other, rows.by_segment["items"].sum()) == (10, 40)


def test_only_actioned_cases_have_no_use_for_views(read):
    tables = made()
    tables["affected"]["actioned"] = 1
    rows = read(tables)
    assert rows.missing == {"views": "every case was actioned, and views are counted of the others"}


def test_accounts_and_viewers_that_never_meet_are_said(read):
    affected = pd.concat([made()["affected"].iloc[[3]]] * 12, ignore_index=True)
    affected["item_id"], affected["account_id"] = range(12), [f"acc-{i}" for i in range(12)]
    views = pd.DataFrame({"item_id": range(12), "viewer_id": range(12)})
    views["viewed_at"] = "2026-03-18"
    check = next(c for c in read({"affected": affected, "views": views}).checks
                 if c.name == "affected_ids")  # fmt: skip
    assert "accounts under and viewers under" in check.text


def cell(role, column, value, row=0):
    def change(tables):
        table = tables[role].copy()
        table[column] = table[column].astype(object)
        table.loc[row, column] = value
        return tables | {role: table}

    return change


def doubled(role, **values):
    return lambda t: t | {role: pd.concat([t[role], t[role].iloc[[0]].assign(**values)])}


def filled(role, **values):
    return lambda t: t | {role: t[role].assign(**values)}


def dropped(role, *columns):
    return lambda t: t | {role: t[role].drop(columns=list(columns))}


def only(*roles):
    return lambda t: {role: t[role] for role in roles}


# change of the tables; of the query; what, where, nearest
REFUSED = {
    "differing amount": (doubled("affected", gross=11.0), {}, "1\xa0item has rows that differ",
                         "they differ in gross (1)", "equal count once"),
    "differing time": (doubled("affected", case_at="2026-03-17 15:00"), {}, "rows that differ",
                       "differ in case_at (1)", "equal"),
    "differing side": (doubled("affected", actioned=0), {}, "rows that differ", "actioned",
                       "equal"),
    "an account there and not": (doubled("affected", account_id=None), {}, "rows that differ",
                                 "account_id (1)", "equal"),
    "differing segment": (doubled("affected", market=SECRET), {}, "rows that differ",
                          "market (1)", "equal"),
    "no currency": (only("affected"), {"currency": None}, "currency is missing",
                    "currency, affected_source: affected.csv, column gross", None),
    "recovered alone": (dropped("affected", "gross"), {}, "no column gross",
                        "affected_source: affected.csv, column gross", None),
    "negative": (cell("affected", "gross", -1), {}, "1\xa0case with a negative amount",
                 "affected_source, column gross", None),
    "more than gross": (cell("affected", "recovered", 10.11), {}, "more recovered than gross",
                        "affected_source, column recovered", None),
    "huge": (cell("affected", "gross", 1e12), {}, "more than 100 billion", "gross", None),
    "chance of 0": (filled("labels", inclusion_probability=0.0), {}, "not above 0",
                    "labels_source, column inclusion_probability", None),
    "chance above 1": (cell("labels", "inclusion_probability", 1.5, 5), {}, "not above 0",
                       "labels_source, column inclusion_probability", None),
    "two chances": (cell("labels", "inclusion_probability", 0.6), {},
                    "more than one inclusion_probability", "labels_source", None),
    "some chances": (cell("labels", "inclusion_probability", None, 5), {},
                     "without an inclusion_probability", "labels_source", None),
    "odd label": (cell("labels", "label", SECRET), {}, "answers cannot be read",
                  "labels_source, column label", None),
    "odd flag": (filled("affected", actioned=SECRET), {}, "answers cannot be read",
                 "affected_source, column actioned", None),
    "odd time": (filled("affected", case_at=SECRET), {}, "times cannot be read",
                 "affected_source, column case_at", None),
    "empty keys": (filled("views", item_id=None), {}, "empty in every row",
                   "views_source, column item_id", None),
    "no column": (lambda t: t | {"affected": t["affected"].rename(columns={"actioned": "action"})},
                  {}, "no column actioned, which affected items need",
                  "affected_source: affected.csv, column actioned", "action"),
    "no column of the log": (dropped("change_log", "change"), {}, "which changes need",
                             "change_log_source: change_log.csv, column change", "changed_at"),
    "segment": (lambda t: t, {"segments": ("markt",)}, "no column of the affected table",
                "segments: markt, affected_source: affected.csv", "market"),
    "segment of ids": (lambda t: t, {"segments": ("account_id",)}, "column of identifiers",
                       "segments: account_id", None),
    "taken segment": (lambda t: t, {"segments": ("dose",)}, "a column of the frames",
                      "segments: dose", None),
    "segment twice": (lambda t: t, {"segments": ("market", "market")}, "named twice",
                      "segments: market", None),
    "arrivals that differ": (doubled("arrivals", arrived_at="2026-03-19 15:00"), {},
                             "1\xa0arrival has rows with different times", "arrivals_source",
                             "equal"),
    "zone": (lambda t: t, {"timezone": "Europe/Berln"}, "time zone is not known", "timezone",
             "Europe/Berlin"),
    "no file": (only("affected"), {"sources": {"affected": "affectd.csv"}}, "does not exist",
                "affected_source: affectd.csv", "affected.csv"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED)
def test_refusals_say_what_where_and_what_next(here, case):
    change, query, what, where, nearest = case
    needed = {"affected", *(role for role in ROLES if f"{role}_source" in where)}
    tables = change(made())
    sources = save({role: tables[role] for role in needed if role in tables}, here)
    with pytest.raises(Refusal) as caught:
        read_affected(replace(QUERY, **({"sources": sources} | query)))
    error = caught.value
    assert what in error.what
    assert where in (error.where or "")
    assert error.next_step
    assert not [raw for raw in (SECRET, "i1", "2026-", "10.1") if raw in str(error)]
    if nearest is None:
        assert error.nearest is None
    else:
        assert nearest in (error.nearest or "")


def test_rows_that_differ_outside_the_window_or_after_as_of_do_not_matter(read, whole):
    tables = made()
    outside = tables["affected"].iloc[[0]].assign(case_at="2026-03-01", gross=77.0)
    again = tables["affected"].iloc[[1]].assign(resolved_at="2026-04-19")
    tables["affected"] = pd.concat([tables["affected"], outside, again])
    rows = read(tables, as_of=whole.observed_until)
    same(whole, rows)


def test_chances_of_items_that_are_no_case_do_not_matter(read, whole):
    tables = made()
    tables["labels"].loc[8, "inclusion_probability"] = 7.0
    same(whole, read(tables))


def test_arrivals_that_stop_long_before_as_of_are_said(read):
    arrivals = pd.DataFrame({"arrival_id": range(48), "kind": "appeals"})
    arrivals["event_at"] = "2026-03-17 15:00"
    arrivals["arrived_at"] = pd.date_range("2026-03-18", periods=48, freq="h")

    def said(until):
        rows = read({"arrivals": arrivals}, segments=(), as_of=until)
        return rows, [c.text for c in rows.checks if c.name == "affected_arrivals_end"]

    soon = datetime(2026, 3, 21, tzinfo=UTC)
    rows, none = said(soon)
    assert (rows.observed_until, none) == (soon, [])
    # Days of which nothing can be known are no days on which nothing came.
    rows, (text,) = said(datetime(2026, 4, 1, tzinfo=UTC))
    assert "Arrivals end 289 hours before" in text
    assert rows.observed_until == datetime(2026, 3, 19, 23, tzinfo=UTC)
    late = rows.arrivals["age"] - rows.arrivals["delay"]
    assert late.min() == 0


def test_what_came_back_after_as_of_had_not_come_back(read):
    def recovered(until):
        return int(read(made(), as_of=until).cases["recovered_cents"].sum())

    assert recovered(datetime(2026, 3, 18, tzinfo=UTC)) < recovered(None)
