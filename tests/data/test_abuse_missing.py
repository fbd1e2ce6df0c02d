"""Tables of a deep-dive that are not there, or are not what they should be."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import numpy as np
import pandas as pd
import pytest

from tests.data.abuse_worlds import END, QUERY, at, save, world
from tests.data.test_abuse_frames import same
from trustlib.core import NoData, Refusal, Window
from trustlib.data import AbuseQuery, read_abuse
from trustlib.data.abuse_records import TABLES

NAIVE = datetime(2026, 2, 1)
SECRET = "s3cret-cell-content"


@pytest.fixture
def tables():
    return world(1)


@pytest.fixture
def read(here):
    """Read these tables; `changes` go into the query."""

    def _read(tables, **changes):
        return read_abuse(replace(QUERY, **({"sources": save(tables, here)} | changes)))

    return _read


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        return read_abuse(replace(QUERY, sources=save(world(1), folder)))


# What each role's absence empties or changes; all else stays.
TOUCHED = {
    "accounts": ("sample", "view_sample", "by_segment", "cells", "accounts_join", "durations"),
    "views": ("sample", "view_sample", "population", "weeks", "by_segment", "confirmed", "viewers",
              "shared_viewers", "actors", "durations"),
    "scores": ("sample", "population"),
    "labels": ("sample", "votes", "gold", "confirmed", "viewers", "shared_viewers", "actor_harm",
               "actors", "tokens", "shares", "token_weeks", "durations"),
    "view_labels": ("view_sample",),
    "gold": ("gold", "votes"),
    "actions": ("sample", "controls", "appealed", "proactive", "confirmed", "actor_harm",
                "actors", "accounts_join", "durations"),
    "appeals": ("appealed", "sample", "confirmed", "actor_harm", "actors", "durations"),
    "reports": ("sample", "controls", "proactive", "durations"),
    "links": ("links", "actors"),
    "ledger": ("ledger",),
}  # fmt: skip
EMPTY = {
    "accounts": ("accounts_join",),
    "views": ("view_sample", "viewers", "shared_viewers"),
    "labels": ("sample", "votes", "viewers", "shared_viewers"),
    "view_labels": ("view_sample",),
    "gold": ("gold",),
    "actions": ("proactive",),
    "reports": ("proactive",),
    "links": ("links",),
}


def test_a_clean_vote_that_names_no_policy_counts(read, tables, whole):
    labels = tables["labels"].copy()
    clean = (labels["label"] == 0) & (labels["policy"] == "scam")
    assert clean.any()
    labels["policy"] = labels["policy"].where(~clean, None)
    rows = read(tables | {"labels": labels})
    pd.testing.assert_frame_equal(rows.sample, whole.sample)


@pytest.mark.parametrize("role", TOUCHED)
def test_without_a_role_its_frames_are_empty_and_the_rest_stands(read, tables, whole, role):
    rows = read({name: table for name, table in tables.items() if name != role})
    reasons = {role: "no source was given"}
    if role == "views":
        reasons["view_labels"] = "there are no views"
    if role == "actions":
        reasons["appeals"] = "there are no actions"
    assert rows.missing == reasons
    same(whole, rows, besides=("missing", *TOUCHED[role]))
    for name in EMPTY.get(role, ()):
        frame, before = getattr(rows, name), getattr(whole, name)
        assert len(frame) == 0
        assert len(before) > 0
        columns = [c for c in before if not (role == "actions" and c.startswith("control:"))]
        assert list(frame) == columns
        assert [str(frame[c].dtype) for c in columns] == [str(before[c].dtype) for c in columns]
    assert role not in rows.snapshots
    if role in ("actions", "appeals"):
        assert rows.appealed is None
    if role == "ledger":
        assert rows.ledger is None


def test_items_alone_still_say_how_much_there_is(read, tables, whole):
    rows = read({"items": tables["items"]}, segments=("kind",))
    assert set(rows.missing) == set(TABLES) - {"items"}
    assert rows.population["items"].tolist() == whole.population["items"].tolist()
    assert (rows.population["views"] == 0).all()
    assert rows.confirmed is None
    assert len(rows.tokens) > 0
    assert {c.name for c in rows.checks if c.verdict == "warn"} == {"segments_known"}


def test_a_segment_that_only_accounts_know_is_unknown_without_them(read, tables):
    rows = read({role: table for role, table in tables.items() if role != "accounts"})
    assert set(rows.sample["market"]) == set(rows.cells["market"]) == {"unknown"}
    check = next(c for c in rows.checks if c.name == "segments_known")
    assert (check.verdict, check.text) == (
        "warn", "Of no item the market is known: there is no source of accounts."
    )  # fmt: skip


def test_tables_without_rows_are_missing(read, tables, whole):
    rows = read(tables | {"gold": tables["gold"].iloc[:0]})
    assert rows.missing == {"gold": "the source has no rows"}
    with pytest.raises(NoData, match="the source of items has no rows") as caught:
        read(tables | {"items": tables["items"].iloc[:0]})
    assert caught.value.exit_code == 3


def test_no_item_in_the_window_says_what_there_is(read, tables):
    late = {"window": Window(at(END + 9_000_000), at(END + 9_900_000)),
            "compare_from": at(END + 9_500_000)}  # fmt: skip
    with pytest.raises(NoData, match="no item was made in the window") as caught:
        read(tables, **late)
    assert "items were made from 2026-01-0" in str(caught.value)
    assert "items_source: items.parquet" in str(caught.value)


def test_labels_without_chances_are_taken_for_simple_random_ones(read, tables):
    tables["labels"] = tables["labels"].drop(columns="inclusion_probability")
    rows = read(tables)
    items = rows.weeks.groupby("stratum")["items"].sum()
    drawn = rows.sample["stratum"].value_counts()
    for stratum, chance in zip(rows.sample["stratum"], rows.sample["inclusion"], strict=True):
        assert chance == pytest.approx(drawn[stratum] / items[stratum], rel=1e-12)
    verdicts = {check.name: check.verdict for check in rows.checks}
    assert verdicts["labels_read"] == "warn"
    assert verdicts["labels_arrived"] == "not_run"


def test_items_without_strata_are_shared_out_by_the_labels(read, tables, whole):
    tables["items"] = tables["items"].drop(columns="stratum")
    rows = read(tables)
    assert not rows.strata_counted
    inside = rows.sample[rows.sample["in_window"]]
    weight = 1 / inside["inclusion"]
    shares = weight.groupby(inside["stratum"]).sum() / weight.sum()
    total = whole.population["items"].sum()
    found = rows.population.set_index("stratum")["items"]
    np.testing.assert_allclose(found, shares[found.index] * total, rtol=1e-12)
    for name in ("week", "value"):
        frame, before = (
            (rows.weeks, whole.weeks) if name == "week" else (rows.by_segment, whole.by_segment)
        )
        for count in ("items", "views"):
            np.testing.assert_allclose(
                frame.groupby(name)[count].sum(), before.groupby(name)[count].sum(), rtol=1e-12
            )
    verdicts = {check.name: check.verdict for check in rows.checks}
    assert verdicts["strata_counted"] == "warn"


def test_only_thirty_values_of_a_segment_are_told(read, tables):
    tables["items"]["city"] = [f"c{i % 57}" for i in range(len(tables["items"]))]
    rows = read(tables, segments=("city",))
    values = set(rows.by_segment["value"])
    assert len(values) == 31
    assert "other" in values
    assert set(rows.sample["city"]) <= values
    assert rows.by_segment["items"].sum() == rows.items_before + rows.items_now


def test_text_keys_and_whole_numbers_give_the_same(read, tables, whole):
    """Keys are compared as numbers where all of them are, whatever the type of the column."""
    tables["labels"]["item_id"] = tables["labels"]["item_id"].astype(str)
    tables["views"]["item_id"] = tables["views"]["item_id"].astype(float)
    same(whole, read(tables))
    named = {
        role: table.assign(**{k: "item-" + table[k].astype(int).astype(str)
                              for k in ("item_id",) if k in table})
        for role, table in tables.items()
    }  # fmt: skip
    same(whole, read(named))


def test_a_later_vote_replaces_the_earlier(read, tables):
    one = tables["labels"].query("policy == 'scam'").iloc[[0]].copy()
    later = one.assign(label=1 - one["label"], labelled_at=one["labelled_at"] + pd.Timedelta("1h"))
    plain = read(tables | {"labels": one})
    changed = read(tables | {"labels": pd.concat([later, one])})
    assert len(plain.votes) == len(changed.votes) == 1
    assert plain.votes["label"].iloc[0] == 1 - changed.votes["label"].iloc[0]
    replaced = changed.health.set_index("item")["n"]["votes that the same rater replaced"]
    assert replaced == 1


def broken(tables, role, **columns):
    table = tables[role].copy()
    for name, value in columns.items():
        table[name] = value
    return tables | {role: table}


def without(tables, role, column):
    return tables | {role: tables[role].drop(columns=column)}


def doubled(tables, role, **columns):
    """With a second row of the first key that says something else."""
    other = tables[role].iloc[[0]].assign(**columns)
    return tables | {role: pd.concat([tables[role], other])}


REFUSED = {
    "no item_id": (lambda t: {**t, "views": t["views"].rename(columns={"item_id": "itemid"})}, {},
                   "no column item_id", "views_source: views.parquet", "itemid"),
    "no time": (lambda t: without(t, "items", "created_at"), {},
                "no column created_at", "items_source", None),
    "nested key": (lambda t: broken(t, "labels", item_id=[[1]] * len(t["labels"])), {},
                   "needs an identifier", "labels_source: labels.parquet, column item_id", None),
    "time of a number": (lambda t: broken(t, "views", viewed_at=1_700_000_000), {},
                         "needs a time", "views_source: views.parquet, column viewed_at", None),
    "time of text": (lambda t: broken(t, "views", viewed_at=SECRET), {},
                     "times cannot be read", "views_source, column viewed_at", None),
    "one answer": (lambda t: broken(t, "labels", policy=np.where(t["labels"]["label"] == 1, "scam",
                                                                  "none")), {},
                   "every vote of the policy says violating", "labels_source, column policy", None),
    "strata of labels alone": (
        lambda t: without(without(t, "labels", "inclusion_probability"), "items", "stratum"), {},
        "labels stand in several strata", "labels_source", None),
    "odd answers": (lambda t: broken(t, "labels", label=SECRET), {},
                    "answers cannot be read", "labels_source, column label", None),
    "odd scores": (lambda t: broken(t, "scores", score=SECRET), {},
                   "numbers cannot be read", "scores_source, column score", None),
    "empty keys": (lambda t: broken(t, "views", item_id=None), {},
                   "empty in every row", "views_source, column item_id", None),
    "chance of 0": (lambda t: broken(t, "labels", inclusion_probability=0.0), {},
                    "not above 0", "labels_source, column inclusion_probability", None),
    "chance above 1": (lambda t: broken(t, "view_labels", inclusion_probability=1.5), {},
                       "not above 0", "view_labels_source, column inclusion_probability", None),
    "two chances": (lambda t: doubled(t, "labels", inclusion_probability=0.9), {},
                    "more than one inclusion_probability", "labels_source", None),
    "two strata of a label": (lambda t: doubled(t, "labels", stratum="s9"), {},
                              "more than one stratum", "labels_source, column stratum", None),
    "two strata of an item": (lambda t: doubled(t, "items", stratum="s9"), {},
                              "with more than one stratum", "items_source, column stratum", None),
    "a stratum of labels only": (lambda t: broken(t, "labels", stratum=SECRET), {},
                                 "in a stratum that no item has", "labels_source", None),
    "another stratification": (
        lambda t: broken(t, "labels", stratum="s1"), {},
        "in another stratum than the item itself", "labels_source", None),
    "segment": (lambda t: t, {"segments": ("markt",)},
                "neither items nor accounts", "segments: markt", "market"),
    "segment of a taken name": (lambda t: t, {"segments": ("stratum",)},
                                "a column of the frames", "segments: stratum", None),
    "segment named twice": (lambda t: t, {"segments": ("kind", "kind")},
                            "named twice", "segments: kind", None),
    "segment without accounts": (
        lambda t: {k: v for k, v in t.items() if k != "accounts"}, {"segments": ("Kind",)},
        "no source of accounts", "segments: Kind", "kind"),
    "control": (lambda t: t, {"control_sources": ("rule", "Re-View")},
                "no row of actions has", "control_sources: Re-View, actions_source", "case"),
    "confirming source": (lambda t: t, {"confirming_sources": ("nobody",)},
                          "no row of actions has", "confirming_sources: nobody", None),
    "reason": (lambda t: t, {"report_reasons": ("scams",)},
               "no row of reports has", "report_reasons: scams", None),
    "no reasons at all": (lambda t: without(t, "reports", "reason"), {},
                          "needs a column reason", "reports_source, column reason", None),
    "policy": (lambda t: t, {"policy": "Scam"},
               "no label has the policy", "policy: Scam, labels_source", "case"),
    "outcomes": (lambda t: broken(t, "appeals", outcome=SECRET), {},
                 "none of the outcomes", "appeals_source, column outcome", None),
    "zone": (lambda t: t, {"timezone": "Europe/Berln"}, "time zone is not known",
             "timezone: Europe/Berln", "Europe/Berlin"),
    "no file": (lambda t: t, {"sources": {"items": "items.parquet", "gold": "golt.parquet"}},
                "does not exist", "gold_source: golt.parquet", "gold.parquet"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED)
def test_refusals_say_what_where_and_what_next(here, tables, case):
    change, query, what, where, nearest = case
    sources = save(change(tables), here)
    with pytest.raises(Refusal) as caught:
        read_abuse(replace(QUERY, **({"sources": sources} | query)))
    error = caught.value
    assert what in error.what
    assert where in (error.where or "")
    assert error.next_step
    assert SECRET not in str(error)
    if nearest is None:
        assert error.nearest is None
    else:
        assert nearest in (error.nearest or "")


def test_a_few_cells_that_cannot_be_read_are_left_out_and_said(read, tables):
    views = pd.concat([tables["views"]] * 3, ignore_index=True)
    views["view_id"] = range(len(views))
    views["viewed_at"] = views["viewed_at"].astype(str)
    plain = read(tables | {"views": views.iloc[1:]}, policy=None)
    views.loc[0, "viewed_at"] = "31 June"
    rows = read(tables | {"views": views}, policy=None)
    pd.testing.assert_frame_equal(rows.weeks, plain.weeks)
    check = next(c for c in rows.checks if c.name == "rows_readable")
    assert check.verdict == "warn"
    assert "1 of views.viewed_at cannot be read" in check.text
    assert "31 June" not in check.text


def test_labels_of_unknown_items_are_counted_and_left_out(read, tables, whole):
    more = tables["labels"].iloc[:40].assign(item_id=range(90_000, 90_040))
    rows = read(tables | {"labels": pd.concat([tables["labels"], more])})
    pd.testing.assert_frame_equal(rows.sample, whole.sample)
    n = rows.health.set_index("item")["n"]["votes on items that are not known"]
    assert 30 <= n <= 40
    check = next(c for c in rows.checks if c.name == "keys_match")
    assert check.verdict == "warn"
    lost = tables["labels"].assign(item_id=tables["labels"]["item_id"] + 90_000)
    check = next(c for c in read(tables | {"labels": lost}).checks if c.name == "keys_match")
    assert check.verdict == "fail"


def test_an_export_that_ends_early_is_said(read, tables):
    cut = tables["items"][tables["items"]["created_at"] < "2026-02-05"]
    check = read(tables | {"items": cut}).checks[0]
    assert (check.name, check.verdict) == ("window_covered", "fail")
    assert "nothing of the later part" in check.text


def test_a_query_needs_items_and_instants_in_order():
    with pytest.raises(ValueError, match="no source of items"):
        AbuseQuery(
            sources={}, window=QUERY.window, history_start=QUERY.history_start,
            compare_from=QUERY.compare_from,
        )  # fmt: skip
    with pytest.raises(ValueError, match="compare_from"):
        replace(QUERY, compare_from=QUERY.window.end)
    with pytest.raises(ValueError, match="as_of is naive"):
        replace(QUERY, as_of=NAIVE)


def test_with_all_policies_a_rater_votes_once(read, tables):
    """One rater, two policies, one of them violated: one vote, violating, of that policy."""
    one = tables["labels"].query("label == 0").iloc[[0]]
    item = one["item_id"].iloc[0]
    both = pd.concat([one.assign(policy="fraud", label=1), one.assign(policy="spam", label=0)])
    rows = read(tables | {"labels": both}, policy=None)
    assert rows.sample[["label", "n_votes", "policy"]].to_numpy().tolist() == [[1, 1, "fraud"]]
    assert rows.votes["label"].tolist() == [1]
    assert item in set(tables["items"]["item_id"])
    rows = read(tables | {"labels": both}, policy="spam")
    assert rows.sample[["label", "n_votes", "policy"]].to_numpy().tolist() == [[0, 1, ""]]
    assert rows.missing == {"view_labels": "none of its labels is of the policy"}
    assert len(rows.view_sample) == 0


def test_actions_without_numbers_have_no_appeals(read, tables, whole):
    rows = read(without(tables, "actions", "action_id"))
    assert rows.missing == {"appeals": "actions have no column action_id"}
    assert rows.appealed is None
    pd.testing.assert_frame_equal(rows.controls, whole.controls)
    # No decision is known to be overturned: the floor is at least as high.
    assert rows.confirmed is not None
    assert rows.confirmed.items >= whole.confirmed.items
