"""Events that upstream delivers more than once are counted once, whatever the order."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from trustlib.core import Refusal

ASK = {"count_column": None, "event_id_column": "id", "segment_column": "s"}
HEADER = ["at", "id", "s", "more"]


def events(n=2400, seed=3):
    """Rows of distinct events over ten days, every twentieth without an id."""
    rng = np.random.default_rng(seed)
    at = datetime(2024, 6, 1, tzinfo=UTC)
    rows = []
    for i, second in enumerate(np.sort(rng.integers(0, 10 * 86400, n)).tolist()):
        name = "" if i % 20 == 0 else f"e{i}"
        rows.append([f"{at + timedelta(seconds=second):%Y-%m-%d %H:%M:%S}", name, "ab"[i % 2], i])
    return rows


def again(rows, share, seed=5):
    """The same rows with a share of those that have an id delivered once more, later; shuffled."""
    rng = np.random.default_rng(seed)
    whole = [row for row in rows if row[1]]
    picked = [whole[i] for i in rng.choice(len(whole), int(share * len(whole)), replace=False)]
    both = rows + [[*row[:3], f"again {row[3]}"] for row in picked]
    return [both[i] for i in rng.permutation(len(both))], len(picked)


def told(counts):
    return dict(zip(counts.health["item"], counts.health["n"], strict=True))


def check(counts):
    """The verdict on duplicates, its text with plain blanks."""
    found = next(each for each in counts.checks if each.name == "duplicates")
    return replace(found, text=found.text.replace("\u00a0", " "))


@pytest.mark.parametrize("share", [0.0, 0.01, 0.1, 1.0])
def test_duplicates_and_order_change_no_count(write, read, share):
    rows = events()
    write([HEADER, *rows])
    plain = read(count_column=None, segment_column="s")
    mixed, extra = again(rows, share)
    write([HEADER, *mixed])
    once = read(**ASK)
    pd.testing.assert_frame_equal(once.frame, plain.frame)
    pd.testing.assert_frame_equal(once.segments, plain.segments)
    found = told(once)
    assert found["rows read"] == 2400 + extra
    assert found["rows that repeat an id"] == extra
    assert found["rows counted"] == told(plain)["rows counted"]
    assert (found["rows without an id"], found["ids that differ in time or segment"]) == (120, 0)
    if share:
        assert read(count_column=None).frame["count"].sum() == plain.frame["count"].sum() + extra


@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
def test_the_earliest_row_of_an_id_counts(write, read, zone):
    hours = [[f"2024-06-{day:02d} {hour:02d}:00:00", "", "a", 0] for day in range(1, 11)
             for hour in range(24)]  # fmt: skip
    late, early = "2024-06-08 14:30:00", "2024-06-08 09:30:00"
    write([HEADER, *hours, [late, "x", "a", 1], [early, "x", "b", 2], [early, " x", "", 3]])
    counts = read(**ASK, timezone=zone, incident_end=datetime(2024, 6, 10, tzinfo=UTC))
    start = pd.Timestamp(early[:13] + ":00", tz=zone).tz_convert("UTC")
    by = counts.segments.set_index(["bucket_start_at", "segment"])["count"]
    assert (by[start, "a"], by[start, "b"]) == (1, 1)
    frame = counts.frame.set_index("bucket_start_at")["count"]
    assert frame[start] == 2
    assert frame[start + pd.Timedelta(hours=5)] == 1
    assert told(counts)["rows that repeat an id"] == 2
    assert told(counts)["ids that differ in time or segment"] == 1


def test_at_one_time_the_first_segment_by_name_counts(write, read):
    rows = [[at, "", s, i] for i, (at, _, s, _) in enumerate(events())]
    at = "2024-06-08 09:30:00"
    ties = [[at, "x", name, 0] for name in ("c", "B", "", "a")]
    for order in (ties, ties[::-1]):
        write([HEADER, *rows, *order])
        found = read(**ASK).segments.groupby("segment")["count"].sum()
        assert found.sum() == 2401
        assert found.to_dict() == {"a": 1200.0, "b": 1200.0, "B": 1.0}


def test_sub_seconds_and_segments_that_differ_are_told(write, read):
    rows = events()
    more = [[f"{rows[5][0]}.75", rows[5][1], rows[5][2], 0], [*rows[7][:2], "z", 0]]
    write([HEADER, *rows, *more])
    assert told(read(**ASK))["ids that differ in time or segment"] == 1
    assert told(read(**ASK | {"segment_column": None}))["ids that differ in time or segment"] == 0


def test_rows_without_a_time_neither_count_nor_hide_their_twin(write, read):
    rows = events()
    write([HEADER, *rows])
    plain = read(**ASK)
    write([HEADER, ["", rows[5][1], "a", 0], ["2024-06-31 00:00:00", rows[6][1], "a", 0], *rows])
    counts = read(**ASK)
    pd.testing.assert_frame_equal(counts.frame, plain.frame)
    found = told(counts)
    assert (found["rows without a time"], found["rows with an unreadable time"]) == (1, 1)
    assert found["rows that repeat an id"] == 0


def test_ids_may_be_numbers(here, read):
    rows = pd.DataFrame(events(), columns=HEADER)
    rows["at"] = pd.to_datetime(rows["at"]).dt.tz_localize("UTC")
    found = []
    for ids in (rows.index // 2, (rows.index // 2).astype(float), (rows.index // 2).astype(str)):
        rows.assign(id=ids).to_parquet(here / "counts.parquet")
        found.append(read(**ASK, source="counts.parquet"))
    assert told(found[0])["rows counted"] == 1200
    for other in found[1:]:
        pd.testing.assert_frame_equal(other.frame, found[0].frame)


@pytest.mark.parametrize(
    ("share", "verdict", "label"),
    [
        (0.0, "pass", "no event is there twice"),
        (0.01, "pass", "events that were delivered twice are counted once"),
        (0.02, "warn", "events that were delivered twice are counted once"),
    ],
)
def test_more_than_one_in_a_hundred_warns(write, read, share, verdict, label):
    rows = [row for row in events() if row[1]]
    mixed, extra = again(rows, share)
    write([HEADER, *mixed])
    found = check(read(**ASK))
    assert (found.verdict, found.label) == (verdict, label)
    assert (f"{extra} rows of {len(mixed):,}" in found.text) == bool(share)


def test_rows_that_an_id_sets_right_are_no_warning_and_others_are(write, read):
    rows = [row for row in events() if row[1]]
    write([HEADER, *rows, *rows[:5]])
    assert check(read(count_column=None)).verdict == "warn"
    found = check(read(**ASK))
    assert (found.verdict, "5 rows" in found.text) == ("pass", True)
    assert told(read(**ASK))["rows without an id equal to another"] == 0
    none = ["2024-06-08 09:30:00", "", "a", 0]
    write([HEADER, *rows, none, none, none])
    found = check(read(**ASK))
    assert (found.verdict, found.label) == ("warn", "rows without an id")
    assert "3 rows without an id are counted one by one. 2 of them equal another" in found.text


def test_an_id_that_is_none_is_doubted(write, read):
    rows = [[at, f"account {i % 40}", s, i] for i, (at, _, s, _) in enumerate(events())]
    write([HEADER, *rows])
    with pytest.raises(Refusal, match="2,360 of 2,400 rows repeat an id") as caught:
        read(**ASK)
    assert caught.value.where == "event_id_column: id"
    rows = [[at, f"account {i // 2}", s, i] for i, (at, _, s, _) in enumerate(events())]
    write([HEADER, *rows])
    found = check(read(**ASK | {"segment_column": None}))
    assert found.verdict == "warn"
    assert "1,198 ids differ in time or segment from row to row" in found.text


def test_many_rows_without_an_id_warn(write, read):
    write([HEADER, *[[at, "", s, i] for i, (at, _, s, _) in enumerate(events())]])
    found = check(read(**ASK))
    assert (found.verdict, found.label) == ("warn", "rows without an id")
    assert read(**ASK).frame["count"].sum() == 2400


def test_it_is_refused_with_ready_counts_and_where_it_is_not(write, read, hourly):
    write(hourly())
    with pytest.raises(Refusal, match="ready counts have no events to tell apart"):
        read(event_id_column="at")
    write([HEADER, *events()])
    with pytest.raises(Refusal, match="event_id_column names a column") as caught:
        read(**ASK | {"event_id_column": "idd"})
    assert caught.value.nearest == "id"


def test_the_appendix_tells_how_and_no_id_enters_a_message(write, read):
    write([HEADER, *events()])
    counts = read(**ASK)
    assert "ROW_NUMBER() OVER (" in counts.snapshot.sql
    assert "e17" not in " ".join(each.text for each in counts.checks) + counts.snapshot.sql
