"""Every frame of a deep-dive's tables, against plain loops over small random platforms."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime

import duckdb
import numpy as np
import pandas as pd
import pytest

from tests.data.abuse_worlds import (
    COMPARE,
    DAY,
    END,
    HISTORY,
    QUERY,
    START,
    WEEK,
    ZERO,
    Counted,
    save,
    world,
)
from trustlib.data import AbuseRows, read_abuse
from trustlib.data.clock import clock, seconds
from trustlib.data.engine.typed import reading, to_utc

SEEDS = (1, 2, 3, 4)


@pytest.fixture(scope="module", params=SEEDS)
def both(request, tmp_path_factory) -> tuple[AbuseRows, Counted]:
    tables = world(request.param)
    folder = tmp_path_factory.mktemp("world")
    kind = "csv" if request.param % 2 else "parquet"
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        return read_abuse(replace(QUERY, sources=save(tables, folder, kind))), Counted(tables)


def table(frame: pd.DataFrame, keys: list[str]) -> dict:
    """Key -> the other columns, as plain tuples."""
    values = [name for name in frame if name not in keys]
    plain = frame.copy()
    for name in plain:
        if isinstance(plain[name].dtype, pd.DatetimeTZDtype):
            plain[name] = plain[name].astype("int64")
    rows = {}
    for row in plain.to_dict("records"):
        key = tuple(row[name] for name in keys)
        found = tuple(row[name] for name in values)
        rows[key if len(key) > 1 else key[0]] = found if len(found) > 1 else found[0]
    assert len(rows) == len(frame)
    return rows


def test_the_mean_score_of_a_stratum_is_of_all_its_items_or_not_known(both):
    rows, counted = both
    scores = {r["item_id"]: r["score"] for r in counted.rows["scores"]}
    strata = {item: r["stratum"] for item, r in counted.window.items()}
    for stratum, found in rows.population.set_index("stratum")["mean_score"].items():
        mine = [item for item in strata if strata[item] == stratum]
        known = [scores[item] for item in mine if item in scores]
        if len(known) < 0.999 * len(mine) or not known:
            assert np.isnan(found)
        else:
            assert found == pytest.approx(np.mean(known), abs=1e-9)


def test_the_mean_score_is_known_where_every_item_has_one(tmp_path, monkeypatch):
    tables = world(1)
    items = tables["items"]["item_id"]
    tables["scores"] = pd.DataFrame({"item_id": items, "score": np.arange(len(items)) % 97 / 97})
    monkeypatch.chdir(tmp_path)
    rows, counted = read_abuse(replace(QUERY, sources=save(tables, tmp_path))), Counted(tables)
    scores = {r["item_id"]: r["score"] for r in counted.rows["scores"]}
    for stratum, found in rows.population.set_index("stratum")["mean_score"].items():
        mine = [scores[i] for i, r in counted.window.items() if r["stratum"] == stratum]
        assert found == pytest.approx(np.mean(mine), abs=1e-9)


def test_totals(both):
    rows, counted = both
    assert table(rows.population.drop(columns="mean_score"), ["stratum"]) == counted.population()
    assert table(rows.weeks, ["week", "stratum"]) == counted.weeks()
    expected = {key: n for key, n in counted.by_segment().items() if any(n)}
    assert table(rows.by_segment, ["segment", "value", "stratum"]) == expected
    assert table(rows.cells, ["market", "kind"]) == counted.cells()
    assert rows.items_before + rows.items_now == len(counted.window)
    assert rows.strata_counted


def test_the_sample(both):
    rows, counted = both
    sample = rows.sample
    items = [counted.items[i] for i in counted.sample]
    assert sample["item"].tolist() == list(range(len(items)))
    for name in ("stratum", "market", "kind"):
        assert sample[name].tolist() == [item[name] for item in items]
    assert sample["actor"].tolist() == [counted.actor[item["account_id"]] for item in items]
    assert sample["inclusion"].tolist() == [(1 + i % 3) / 5 for i in counted.sample]
    assert sample["label"].tolist() == [int(i in counted.violating) for i in counted.sample]
    assert sample["ties"].tolist() == [i in counted.tied for i in counted.sample]
    assert sample["n_votes"].tolist() == [counted.n_votes[i] for i in counted.sample]
    assert sample["created_at"].astype("int64").tolist() == [i["created_at"] for i in items]
    assert sample["in_window"].tolist() == [i["created_at"] >= START for i in items]
    seen = pd.Series([r["item_id"] for r in counted.seen]).value_counts()
    assert sample["views"].tolist() == [seen.get(i, 0) for i in counted.sample]
    scores = {r["item_id"]: r["score"] for r in counted.rows["scores"]}
    expected = np.array([scores.get(i, np.nan) for i in counted.sample])
    np.testing.assert_array_equal(sample["score"], expected)
    for name in ("rule", "review"):
        assert sample[f"control:{name}"].tolist() == [
            i in counted.hits[name] for i in counted.sample
        ]
    assert sample["reported"].tolist() == [i in counted.reported for i in counted.sample]
    assert sample["confirmed"].tolist() == [i in counted.confirmed for i in counted.sample]
    some = {i for i in counted.sample for v in counted.votes if v["item_id"] == i and v["label"]}
    assert sample["policy"].tolist() == ["scam" if i in some else "" for i in counted.sample]


def test_votes_and_gold(both):
    rows, counted = both
    place = {i: code for code, i in enumerate(counted.sample)}
    gold_raters = {r["rater_id"] for r in counted.rows["gold"]}
    raters = sorted({v["rater_id"] for v in counted.votes} | gold_raters)
    code = {rater: i for i, rater in enumerate(raters)}
    expected = sorted(
        (place[v["item_id"]], code[v["rater_id"]], v["label"])
        for v in counted.votes if v["item_id"] in place
    )  # fmt: skip
    assert list(rows.votes.itertuples(index=False, name=None)) == expected
    expected = sorted(
        (r["item_id"] - 2000, code[r["rater_id"]], r["label"], r["gold"])
        for r in counted.rows["gold"]
    )
    assert list(rows.gold.itertuples(index=False, name=None)) == expected


def test_the_sample_of_views(both):
    rows, counted = both
    votes: dict[int, list[int]] = {}
    for vote in counted.rows["view_labels"]:
        votes.setdefault(vote["view_id"], []).append(vote["label"])
    seen = [
        r for r in sorted(counted.known, key=lambda r: r["view_id"])
        if r["view_id"] in votes and HISTORY <= r["viewed_at"] < QUERY.window.end.timestamp()
    ]  # fmt: skip
    found = rows.view_sample
    assert found["seen_at"].astype("int64").tolist() == [r["viewed_at"] for r in seen]
    items = [counted.items[r["item_id"]] for r in seen]
    assert found["actor"].tolist() == [counted.actor[i["account_id"]] for i in items]
    assert found["stratum"].tolist() == [i["stratum"] for i in items]
    assert found["label"].tolist() == [int(sum(votes[r["view_id"]]) == 2) for r in seen]
    assert found["in_window"].tolist() == [r["viewed_at"] >= START for r in seen]
    assert (found["n_votes"] == 2).all()
    assert (found["inclusion"] == 0.25).all()


def test_controls_and_appeals(both):
    rows, counted = both
    hits = {name: len(counted.hits[name] & set(counted.window)) for name in ("rule", "review")}
    hits["reported"] = len(set(counted.reported) & set(counted.window))
    assert table(rows.controls, ["source"]) == hits
    assert rows.appealed is not None
    for name in ("enforced", "appealed", "decided", "overturned"):
        assert getattr(rows.appealed, name) == len(counted.appealed[name])
    assert table(rows.proactive, ["proactive", "actioned"]) == counted.proactive()


def test_the_floor_and_viewers(both):
    rows, counted = both
    inside = counted.confirmed & set(counted.window)
    seen = [r for r in counted.seen if r["item_id"] in counted.confirmed]
    found = rows.confirmed
    assert found is not None
    assert (found.items, found.views) == (len(inside), len(seen))
    assert found.accounts == len({counted.items[i]["account_id"] for i in inside})
    assert found.viewers == len({r["viewer_id"] for r in seen})
    viewers = counted.viewers()
    place = {i: code for code, i in enumerate(counted.sample)}
    assert table(rows.viewers, ["item"]) == {place[i]: len(who) for i, who in viewers.items()}
    shared = {
        (place[a], place[b]): len(viewers[a] & viewers[b])
        for a in viewers for b in viewers if a < b and viewers[a] & viewers[b]
    }  # fmt: skip
    assert table(rows.shared_viewers, ["first", "second"]) == shared
    assert table(rows.actor_harm, ["amount"]) == counted.actor_harm()


def test_accounts(both):
    rows, counted = both
    assert table(rows.accounts_join, ["segment", "value"]) == counted.accounts_join()
    assert rows.accounts_join.iloc[0]["segment"] == "all"
    links = counted.links()
    names = {kind: sorted({t for _, k, t in links if k == kind}) for kind in ("ip", "device")}
    expected = sorted((actor, kind, names[kind].index(t)) for actor, kind, t in links)
    assert list(rows.links.itertuples(index=False, name=None)) == expected
    sharing = {
        (k, t): {a for a, kind, token in links if (kind, token) == (k, t)} for _, k, t in links
    }
    tied = {a for who in sharing.values() if len(who) > 1 for a in who}
    tied |= set(rows.shares["actor"])
    per = {}
    for account, code in counted.actor.items():
        mine = [r for r in counted.window.values() if r["account_id"] == account]
        if code in tied and mine:
            ids = {r["item_id"] for r in mine}
            per[code] = (
                len(mine), len(ids & counted.confirmed),
                sum(r["item_id"] in ids for r in counted.seen),
                min(r["created_at"] for r in mine), max(r["created_at"] for r in mine),
            )  # fmt: skip
    assert table(rows.actors, ["actor"]) == per


def test_tokens(both):
    rows, counted = both
    weeks = (COMPARE - HISTORY) // WEEK
    for kind, column in (("domain", "url_domain"), ("text", "text_hash")):
        uses = counted.uses(column)
        mine = {counted.items[i][column] for i in counted.sample} - {None}
        coded = sorted(
            name for name, (earlier, before, now, who) in uses.items()
            if earlier + before + now >= 3 or len(who) > 1 or name in mine
        )  # fmt: skip
        code = {name: i for i, name in enumerate(coded)}
        often = {
            code[n]: (before, now, n) for n, (_, before, now, _) in uses.items() if before + now > 2
        }
        found = rows.tokens[rows.tokens["kind"] == kind].drop(columns="kind")
        assert table(found, ["token"]) == often
        shares = sorted(
            (counted.actor[r["account_id"]], code[r[column]], r["created_at"])
            for r in counted.window.values()
            if r[column] is not None and len(uses[r[column]][3]) > 1
        )
        found = rows.shares[rows.shares["kind"] == kind].drop(columns="kind")
        assert sorted(found.itertuples(index=False, name=None)) == shares
        per: dict = {}
        for r in counted.items.values():
            window = (r["created_at"] - COMPARE) // WEEK + weeks
            if (
                r[column] is not None
                and 0 <= window < weeks
                and sum(uses.get(r[column], "")[:3]) > 2
            ):
                key = (code[r[column]], window)
                per[key] = per.get(key, 0) + 1
        found = rows.token_weeks[rows.token_weeks["kind"] == kind].drop(columns="kind")
        assert table(found, ["token", "window"]) == per
        name = "domain" if kind == "domain" else "text_hash"
        expected = [code.get(counted.items[i][column], -1) for i in counted.sample]
        assert rows.sample[name].tolist() == expected


def test_durations(both):
    rows, counted = both
    last = max(
        r[name] for role, name in (("items", "created_at"), ("views", "viewed_at"),
                                   ("actions", "acted_at"), ("reports", "reported_at"))
        for r in counted.rows[role]
    )  # fmt: skip
    mine = [i for i in counted.sample if i in counted.violating and i in counted.window]
    took, before = [], []
    for i in mine:
        made, first = counted.items[i]["created_at"], counted.first.get(i)
        took.append(max(0, (first or last) - made) / 3600)
        end = np.inf if first is None else first
        before.append(
            sum(r["item_id"] == i and HISTORY <= r["viewed_at"] < min(end, END)
                for r in counted.known)
        )  # fmt: skip
    found = rows.durations["abuse_to_action"]
    np.testing.assert_allclose(found["duration"], took, rtol=1e-12)
    assert found["observed"].tolist() == [i in counted.first for i in mine]
    np.testing.assert_allclose(found["weight"], [5 / (1 + i % 3) for i in mine], rtol=1e-12)
    assert rows.durations["views_before_action"]["duration"].tolist() == before
    expected = []
    for account in sorted(counted.actor):
        bad = [counted.items[i]["created_at"] for i in counted.confirmed
               if counted.items[i]["account_id"] == account]  # fmt: skip
        drawn = [i for i in counted.sample if i in counted.violating
                 and counted.items[i]["account_id"] == account]  # fmt: skip
        if not drawn or account not in counted.signed or min(bad) < HISTORY:
            continue
        signed = counted.signed[account]
        missed = np.prod([1 - (1 + i % 3) / 5 for i in drawn])
        entry = max(0, HISTORY - signed)
        if entry == 0 or entry < min(bad) - signed:
            expected.append(
                (max(0, min(bad) - signed) / 3600, True, 1 / (1 - missed), entry / 3600)
            )
    found = rows.durations["sign_up_to_abuse"]
    assert len(found) == len(expected) > 5
    np.testing.assert_allclose(found.astype(float), np.array(expected, float), rtol=1e-12)


def same(first: AbuseRows, second: AbuseRows, *, besides: tuple[str, ...] = ()) -> None:
    """All frames and numbers of both are equal."""
    for field in fields(AbuseRows):
        if field.name in ("query", "snapshots", "health", "checks", *besides):
            continue
        a, b = getattr(first, field.name), getattr(second, field.name)
        if isinstance(a, pd.DataFrame):
            pd.testing.assert_frame_equal(a, b, obj=field.name)
        elif field.name == "durations":
            for name in a:
                pd.testing.assert_frame_equal(a[name], b[name], obj=name)
        else:
            assert a == b, field.name


@pytest.mark.parametrize("share", [0.01, 0.1, 1.0])
def test_rows_there_twice_and_in_another_order_change_nothing(here, share):
    tables = world(5)
    plain = read_abuse(replace(QUERY, sources=save(tables, here)))
    rng = np.random.default_rng(0)
    twice = {
        role: pd.concat([rows, rows.sample(frac=share, random_state=rng)]).sample(
            frac=1, random_state=rng
        )
        for role, rows in tables.items()
    }
    again = read_abuse(replace(QUERY, sources=save(twice, here)))
    same(plain, again)
    verdicts = {check.name: check.verdict for check in again.checks}
    assert verdicts["rows_once"] == "warn"


def test_as_of_leaves_out_what_came_later(here):
    tables = world(6)
    as_of = pd.Timestamp(COMPARE + 3 * DAY, unit="s")
    times = {"items": "created_at", "accounts": "created_at", "views": "viewed_at",
             "actions": "acted_at", "reports": "reported_at", "ledger": "changed_at"}  # fmt: skip
    tables["labels"]["labelled_at"] = as_of
    cut = {
        role: rows[rows[times[role]] <= as_of] if role in times else rows
        for role, rows in tables.items()
    }
    plain = read_abuse(replace(QUERY, sources=save(cut, here)))
    sources = save(tables, here)
    late = read_abuse(
        replace(QUERY, sources=sources, as_of=as_of.tz_localize("UTC").to_pydatetime())
    )
    same(plain, late)
    assert len(late.sample) < len(read_abuse(replace(QUERY, sources=sources)).sample)
    assert "window_covered" in {c.name for c in late.checks if c.verdict == "warn"}


def test_times_without_an_offset_are_read_in_the_zone(here):
    tables = world(7)
    plain = read_abuse(replace(QUERY, sources=save(tables, here)))
    local = {}
    for role, rows in tables.items():
        local[role] = rows.copy()
        for name in rows:
            if pd.api.types.is_datetime64_any_dtype(rows[name]):
                zoned = rows[name].dt.tz_localize("UTC").dt.tz_convert("Asia/Kathmandu")
                local[role][name] = zoned.dt.tz_localize(None)
    same(
        plain,
        read_abuse(replace(QUERY, sources=save(local, here, "csv"), timezone="Asia/Kathmandu")),
    )
    for role, rows in tables.items():
        for name in rows:
            if pd.api.types.is_datetime64_any_dtype(rows[name]):
                zoned = rows[name].dt.tz_localize("UTC").dt.tz_convert("America/Lima")
                local[role][name] = [t.isoformat() for t in zoned]
    same(
        plain,
        read_abuse(replace(QUERY, sources=save(local, here, "csv"), timezone="Asia/Kathmandu")),
    )


def test_times_at_a_change_of_the_clock_are_read_by_the_rule():
    zone = clock("America/New_York", ZERO, ZERO + 400 * DAY)
    texts, expected = [], []
    for change in zone.changes:
        for step in range(-5, 6):
            label = change.at + change.before + step * 1800
            texts.append(f"{pd.Timestamp(label, unit='s'):%Y-%m-%d %H:%M:%S}")
            expected.append(zone.utc(label))
    assert len(zone.changes) == 2
    odd = {
        "2026-03-08": zone.utc(seconds(datetime(2026, 3, 8, tzinfo=UTC))),
        "2026-03-08T10:00:00+02": seconds(datetime(2026, 3, 8, 8, tzinfo=UTC)),
        " 2026-03-08 10:00:00Z ": seconds(datetime(2026, 3, 8, 10, tzinfo=UTC)),
        "2026-03-08T10:00:00.7-03:30": seconds(datetime(2026, 3, 8, 13, 30, tzinfo=UTC)),
        "infinity": None, "1772960400": None, "": None,
    }  # fmt: skip
    with duckdb.connect() as con:
        con.execute(to_utc(zone))
        con.execute("CREATE TABLE t (i INTEGER, made_at VARCHAR)")
        con.executemany("INSERT INTO t VALUES (?, ?)", list(enumerate([*texts, *odd])))
        sql = reading("made_at", "VARCHAR", "time")
        found = [row[0] for row in con.execute(f"SELECT {sql} FROM t ORDER BY i").fetchall()]
        assert found == [*expected, *odd.values()]
        plain = reading("made_at", "TIMESTAMP", "time")
        rows = con.execute(
            f"SELECT {plain} FROM (SELECT i, made_at::TIMESTAMP AS made_at FROM t "
            f"WHERE i < {len(texts)}) ORDER BY i"
        )
        assert [row[0] for row in rows.fetchall()] == expected


@pytest.mark.parametrize("numbered", [True, False])
def test_views_without_numbers_count_once_per_viewer_and_second(here, numbered):
    tables = world(8)
    plain = read_abuse(replace(QUERY, sources=save(tables, here)))
    views = pd.concat([tables["views"], tables["views"].iloc[::3]])
    if numbered:
        views["view_id"] = views["view_id"].astype(float).where(views["view_id"] % 2 == 0)
    else:
        views = views.drop(columns="view_id")
    rows = read_abuse(replace(QUERY, sources=save(tables | {"views": views}, here)))
    for name in ("population", "weeks", "by_segment", "actors", "viewers"):
        pd.testing.assert_frame_equal(getattr(plain, name), getattr(rows, name), obj=name)
    if not numbered:
        assert rows.missing == {"view_labels": "views have no column view_id"}
        assert len(rows.view_sample) == 0
