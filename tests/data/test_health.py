"""What the rows are made of is said in counts: gaps, duplicates, strays, lateness, segments."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from trustlib.core import NoData, Refusal

START = datetime(2024, 6, 1, tzinfo=UTC)
EVENTS = {"count_column": None}


def steady(hours: int = 240, per_hour: int = 30, **columns) -> list[list[object]]:
    """Event rows at a steady pace from 1 June 2024, with an id, as CSV rows."""
    gap = 3600 / per_hour
    rows: list[list[object]] = [["id", "at", *columns]]
    for i in range(hours * per_hour):
        at = (START + timedelta(seconds=gap * i)).strftime("%Y-%m-%d %H:%M:%S")
        rows.append([i, at, *[column[i % len(column)] for column in columns.values()]])
    return rows


def verdicts(counts) -> dict[str, str]:
    return {check.name: check.verdict for check in counts.checks}


def said(counts, name: str) -> str:
    return next(check.text for check in counts.checks if check.name == name).replace("\xa0", " ")


def health(counts) -> dict[str, int]:
    return dict(zip(counts.health["item"], counts.health["n"], strict=True))


def test_steady_events(write, read):
    write(steady())
    counts = read(**EVENTS)
    assert len(counts.frame) == 240
    assert (counts.frame["count"] == 30).all()
    assert set(verdicts(counts).values()) == {"pass"}
    assert counts.native_bucket is None
    assert health(counts)["rows read"] == 7200


def test_an_hour_without_events_inside_the_data_is_a_zero(write, read):
    rows = [row for row in steady() if not str(row[1]).startswith("2024-06-03 04")]
    write(rows)
    counts = read(**EVENTS)
    by = counts.frame.set_index("bucket_start_at")["count"]
    assert by["2024-06-03T04:00Z"] == 0
    assert health(counts)["zero buckets"] == 1
    assert health(counts)["missing buckets"] == 0


def test_hours_after_the_last_event_are_missing_not_zero(write, read):
    write(steady(hours=7 * 24 + 10))
    counts = read(**EVENTS)
    inside = counts.frame[counts.frame["bucket_start_at"] >= datetime(2024, 6, 8, tzinfo=UTC)]
    assert inside["count"].notna().sum() == 10
    assert (inside["count"].dropna() == 30).all()
    assert verdicts(counts)["data_complete"] == "fail"
    assert "10 of its 24 hours are there (42 %)" in said(counts, "data_complete")
    assert verdicts(counts)["freshness"] == "fail"


def test_a_bucket_that_the_export_cut_is_missing(write, read):
    write(steady()[: 1 + 30 * 200 + 10])
    counts = read(**EVENTS)
    assert np.isnan(counts.frame["count"].iloc[200])
    assert (counts.frame["count"].iloc[:200] == 30).all()
    assert health(counts)["partial buckets"] == 1


def test_silence_in_the_window_is_told(write, read):
    rows = [row for row in steady() if not str(row[1]).startswith("2024-06-08 0")]
    write(rows)
    counts = read(**EVENTS)
    assert verdicts(counts)["empty_buckets"] == "warn"
    assert "10 hours on end without a row" in said(counts, "empty_buckets")
    assert health(counts)["longest stretch without data"] == 10


def test_a_gap_in_the_history_is_told(write, read, hourly):
    write([row for row in hourly() if not str(row[0]).startswith("2024-06-03")])
    counts = read()
    assert counts.frame["count"].isna().sum() == 24
    assert verdicts(counts)["empty_buckets"] == "warn"
    assert "24 hours" in said(counts, "empty_buckets")
    assert verdicts(counts)["data_complete"] == "pass"


def test_a_gap_in_the_window_fails(write, read, hourly):
    write([row for row in hourly() if not str(row[0]).startswith("2024-06-08 1")])
    counts = read()
    assert verdicts(counts)["data_complete"] == "fail"
    assert "14 of the window's 24 hours" in said(counts, "data_complete")


def test_nothing_but_a_gap_in_the_window(write, read, hourly):
    write([row for row in hourly() if not str(row[0]).startswith("2024-06-08")])
    with pytest.raises(NoData, match="every bucket of it is missing"):
        read()


def test_a_part_of_a_bucket_is_a_missing_bucket(write, read):
    rows = [[START + timedelta(minutes=30 * i), 5] for i in range(480)]
    del rows[101]
    write([["at", "n"], *rows])
    counts = read()
    assert counts.native_bucket == "30min"
    assert counts.frame["count"].isna().to_numpy().nonzero()[0].tolist() == [50]
    assert health(counts)["partial buckets"] == 1


@pytest.mark.parametrize(("copies", "verdict"), [(1, "pass"), (2, "warn")])
def test_a_file_loaded_twice(write, read, copies, verdict):
    header, *rows = steady(per_hour=6)
    write([header, *rows * copies])
    counts = read(**EVENTS)
    assert verdicts(counts)["duplicates"] == verdict
    assert health(counts)["rows equal to another"] == (copies - 1) * 1440
    assert counts.frame["count"].sum() == 1440 * copies


def test_equal_rows_without_an_id_cannot_be_judged(write, read):
    rows = [[row[1]] for row in steady(per_hour=6)]
    write([*rows, rows[5]])
    counts = read(**EVENTS)
    assert verdicts(counts)["duplicates"] == "not_run"
    assert health(counts)["rows equal to another"] == 1
    write([rows[0], *rows[1:] * 2])
    counts = read(**EVENTS)
    assert verdicts(counts)["duplicates"] == "warn"
    assert "loaded twice" in said(counts, "duplicates")


def test_rows_without_a_time_are_counted_and_left_out(write, read):
    rows = steady()
    for i in (5, 6, 7):
        rows[i][1] = None
    rows[8][1] = "n/a"
    rows[9][1] = "2024-06-31 00:00:00"
    write(rows)
    counts = read(**EVENTS)
    assert counts.frame["count"].sum() == 7195
    assert verdicts(counts)["rows_readable"] == "warn"
    assert health(counts)["rows without a time"] == 3
    assert health(counts)["rows with an unreadable time"] == 2


@pytest.mark.parametrize("year", [1970, 2099])
def test_a_stray_date_neither_starts_nor_ends_the_data(write, read, year):
    write([*steady(hours=7 * 24 + 10), [-1, f"{year}-01-01 00:00:00"]])
    counts = read(**EVENTS)
    assert len(counts.frame) == 8 * 24
    assert counts.frame["count"].isna().sum() == 14
    assert verdicts(counts)["data_complete"] == "fail"
    assert verdicts(counts)["rows_readable"] == "warn"
    assert health(counts)["rows far from all others"] == 1


def test_history_start_and_as_of_cut_the_rows(write, read):
    write(steady())
    counts = read(
        **EVENTS,
        history_start=datetime(2024, 6, 2, 0, 30, tzinfo=UTC),
        as_of=datetime(2024, 6, 9, 2, 30, tzinfo=UTC),
    )
    starts = counts.frame["bucket_start_at"]
    assert starts.iloc[0] == datetime(2024, 6, 2, 1, tzinfo=UTC)
    assert starts.iloc[-1] == datetime(2024, 6, 9, 1, tzinfo=UTC)
    assert health(counts)["rows before the history"] == 25 * 30
    assert health(counts)["rows after as_of"] == 30 * (240 - 8 * 24) - 75
    assert "left out" in said(counts, "freshness")
    assert health(counts)["rows after the grid"] == 15


def test_stale_data_against_as_of(write, read):
    write(steady())
    counts = read(**EVENTS, as_of=datetime(2024, 6, 20, tzinfo=UTC))
    assert verdicts(counts)["freshness"] == "warn"
    assert read(**EVENTS, as_of=datetime(2024, 6, 11, tzinfo=UTC)).checks[-1].verdict == "pass"


def test_the_frame_shows_recovery_but_not_for_ever(write, read):
    write(steady(hours=24 * 20, per_hour=4))
    last = read(**EVENTS).frame["bucket_start_at"].iloc[-1]
    assert last == datetime(2024, 6, 11, 23, tzinfo=UTC)  # three days past the window
    counts = read(**EVENTS, incident_end=datetime(2024, 6, 10, tzinfo=UTC))
    last = counts.frame["bucket_start_at"].iloc[-1]
    assert last == datetime(2024, 6, 13, 23, tzinfo=UTC)  # twice the window


def test_dates_without_a_time_of_day(write, read):
    write([["at"], *[[f"2024-06-{1 + i // 20:02d}"] for i in range(200)]])
    with pytest.raises(Refusal, match="dates without a time of day"):
        read(**EVENTS)
    assert (read(**EVENTS, bucket="1d").frame["count"] == 20).all()


def test_segments_add_up(write, read):
    write(steady(market=["DE", "US", ""]))
    counts = read(**EVENTS, segment_column="market")
    assert sorted(set(counts.segments["segment"])) == ["(none)", "DE", "US"]
    total = counts.segments.groupby("bucket_start_at")["count"].sum()
    assert (total.to_numpy() == counts.frame["count"].to_numpy()).all()
    assert len(counts.segments) == 3 * len(counts.frame)
    assert health(counts)["segments"] == 3


def test_many_segments_keep_the_largest_and_the_rest(write, read):
    names = [f"s{i:03d}" for i in range(300)]
    weights = [1 if i >= 40 else 9 for i in range(300)]
    wide = [name for name, weight in zip(names, weights, strict=True) for _ in range(weight)]
    write(steady(per_hour=62, market=wide))
    counts = read(**EVENTS, segment_column="market")
    kept = list(dict.fromkeys(counts.segments["segment"]))
    assert kept[:40] == names[:40]
    assert kept[-1] == "all others"
    assert len(kept) == 51
    assert counts.segments["count"].sum() == counts.frame["count"].sum()
    assert health(counts)["segments"] == 300


def test_segments_of_ready_counts(write, read):
    rows = [["at", "n", "market", "control"]]
    for i in range(240):
        at = START + timedelta(hours=i)
        rows += [[at, 10, "DE", 500 + i], [at, i % 3, "US", 500 + i]]
    del rows[31]  # one cell of DE: the other market shows that the hour was there
    write(rows)
    counts = read(segment_column="market", control_column="control")
    assert counts.frame["count"].isna().sum() == 0
    total = counts.segments.groupby("bucket_start_at")["count"].sum()
    assert (total.to_numpy() == counts.frame["count"].to_numpy()).all()
    assert counts.frame["count"].sum() == 239 * 10 + 240
    # The control is repeated on each market's row: it is one series, not two.
    assert counts.frame["control"].tolist() == [500.0 + i for i in range(240)]


def test_an_unknown_cell_makes_the_whole_bucket_unknown(write, read):
    rows = [["at", "n", "market"]]
    for i in range(240):
        at = START + timedelta(hours=i)
        rows += [[at, 10, "DE"], [at, None if i == 7 else 1, "US"]]
    write(rows)
    counts = read(segment_column="market")
    assert counts.frame["count"].isna().to_numpy().nonzero()[0].tolist() == [7]
    assert counts.segments["count"].isna().sum() == 2


def test_a_control_of_its_own_gaps(write, read, hourly):
    header, *rows = hourly()
    write([[*header, "c"], *[[*row, None if i == 9 else i] for i, row in enumerate(rows)]])
    frame = read(control_column="c").frame
    assert frame["count"].isna().sum() == 0
    assert frame["control"].isna().to_numpy().nonzero()[0].tolist() == [9]


HOSTILE = [
    "<script>alert(1)</script>",
    "'; DROP TABLE snapshot; --",
    '"quoted", and comma',
    "$\\alpha$ ${x} {0} %s",
    "javascript:alert(1)",
    "x" * 10_000,
    "nul\x00inside",
    "line\nbreak",
    "\u202eevil\ufeff",
    "\U0001f600",
    "NULL",
    "all others",
]


def test_hostile_names_pass_as_values(here, read):
    rows = 240 * len(HOSTILE)
    at = [
        START.replace(tzinfo=None) + timedelta(minutes=60 / len(HOSTILE) * i) for i in range(rows)
    ]
    table = pa.table({"at": at, "market": HOSTILE * 240})
    pq.write_table(table, here / "x.parquet")
    counts = read(**EVENTS, source="x.parquet", segment_column="market")
    assert set(counts.segments["segment"]) == set(HOSTILE)
    assert (counts.segments["count"] == 1).all()


def test_hostile_names_in_a_csv(here, read):
    import csv

    with (here / "counts.csv").open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["at", "market"])
        for i in range(240 * len(HOSTILE)):
            at = START + timedelta(minutes=60 / len(HOSTILE) * i)
            out.writerow([f"{at:%Y-%m-%d %H:%M:%S}", HOSTILE[i % len(HOSTILE)]])
    counts = read(**EVENTS, segment_column="market")
    assert set(counts.segments["segment"]) == set(HOSTILE)


def test_blank_lines_at_the_end_are_nothing(write, read, hourly):
    path = write(hourly())
    path.write_text(path.read_text() + "\n\n")
    counts = read()
    assert counts.frame["count"].sum() == 24_000
    assert counts.snapshot.rows == 240


def test_a_history_shorter_than_asked(write, read):
    write(steady())
    counts = read(**EVENTS, history_start=datetime(2024, 5, 1, tzinfo=UTC))
    assert counts.frame["bucket_start_at"].iloc[0] == START
    assert verdicts(counts)["empty_buckets"] == "warn"
    assert "31 days after history_start" in said(counts, "empty_buckets")


def test_a_repeated_hour_told_apart_in_one_segment_only(write, read):
    rows: list[list[object]] = []
    for day in ("2014-11-01", "2014-11-02"):
        for hour in range(24):
            rows += [[f"{day} {hour:02d}:00", 10, "DE"], [f"{day} {hour:02d}:00", 20, "US"]]
    rows.insert(50, ["2014-11-02 01:00", 7, "DE"])
    write([["at", "n", "market"], *rows])
    counts = read(
        timezone="America/New_York",
        segment_column="market",
        incident_start=datetime(2014, 11, 2, 20, tzinfo=UTC),
        incident_end=datetime(2014, 11, 3, 0, tzinfo=UTC),
    )
    touched = counts.frame.loc[counts.frame["ambiguous"], "bucket_start_at"]
    assert [at.hour for at in touched] == [5, 6]
    by = counts.frame.set_index("bucket_start_at")["count"]
    assert by["2014-11-02T05:00Z"] + by["2014-11-02T06:00Z"] == 37


def test_rows_of_less_than_a_second_stay_in_their_bucket(write, read):
    """10:59:59.9 belongs to 10:00: a cast that rounds would make it 11:00."""
    rows = [[f"2024-06-{1 + i // 24:02d} {i % 24:02d}:59:59.9"] for i in range(240)]
    write([["at"], *rows])
    counts = read(**EVENTS)
    assert counts.frame["bucket_start_at"].iloc[0] == START
    assert (counts.frame["count"] == 1).all()
