"""Bad sources: one clear refusal or NO DATA each, and never a number or a cell's content."""

from __future__ import annotations

import os
from datetime import UTC, datetime

import pytest

from trustlib.core import NoData, Refusal, RunFailed

SECRET = "s3cret-cell-content"


def test_the_standard_source_reads(write, read, hourly):
    write(hourly())
    counts = read()
    assert counts.frame["count"].sum() == 24_000
    assert {check.verdict for check in counts.checks} == {"pass"}


def test_missing_file_names_the_nearest(write, read, hourly):
    write(hourly(), "counts.csv")
    with pytest.raises(Refusal) as caught:
        read(source="count.csv")
    assert caught.value.nearest == "counts.csv"


def test_missing_folder(read):
    with pytest.raises(Refusal, match="folder does not exist"):
        read(source="nowhere/counts.csv")


def test_a_folder_is_no_file(here, read):
    (here / "data.csv").mkdir()
    with pytest.raises(Refusal, match="a folder"):
        read(source="data.csv")


@pytest.mark.parametrize(
    ("name", "words"),
    [("counts.csv.gz", "gunzip"), ("counts.xlsx", "save as CSV"), ("counts.tsv", "ends in .csv")],
)
def test_a_file_of_another_kind_is_told_what_to_become(write, read, hourly, name, words):
    write(hourly(), name)
    with pytest.raises(Refusal) as caught:
        read(source=name)
    assert words in caught.value.next_step


@pytest.mark.parametrize(
    ("begins", "words"),
    [
        (b"\x1f\x8b\x08\x00", "packed with gzip"),
        (b"PK\x03\x04", "Excel or ZIP"),
        (b"PAR1", "a Parquet file"),
    ],
)
def test_a_file_that_only_says_it_is_csv(here, read, begins, words):
    (here / "counts.csv").write_bytes(begins + bytes(range(256)))
    with pytest.raises(Refusal, match=words):
        read()


def test_utf16_is_told_its_own_conversion(write, read, hourly):
    path = write(hourly())
    path.write_text(path.read_text(), encoding="utf-16")
    with pytest.raises(Refusal) as caught:
        read()
    assert "iconv -f UTF-16 " in caught.value.next_step


@pytest.mark.parametrize("name", ["counts.xlsx", "counts.CSVX", "counts"])
def test_unknown_extension(write, read, hourly, name):
    write(hourly(), name)
    with pytest.raises(Refusal, match="neither a"):
        read(source=name)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_unreadable_file(write, read, hourly):
    write(hourly()).chmod(0)
    with pytest.raises(Refusal, match="may not be read"):
        read()


def test_unreadable_file_by_the_system_call(write, read, hourly, monkeypatch):
    path = write(hourly())
    real = type(path).open

    def denied(self, *args, **kwargs):
        if self.name == path.name:
            raise PermissionError(13, "Permission denied")
        return real(self, *args, **kwargs)

    monkeypatch.setattr(type(path), "open", denied)
    with pytest.raises(Refusal, match="may not be read"):
        read()


def test_a_pipe_is_refused_at_once(here, read):
    os.mkfifo(here / "pipe.csv")
    with pytest.raises(Refusal, match="regular file"):
        read(source="pipe.csv")


def test_empty_file(here, read):
    (here / "counts.csv").touch()
    with pytest.raises(NoData, match="empty"):
        read()


def test_header_only(write, read):
    write([["at", "n"]])
    with pytest.raises(NoData, match="no rows"):
        read()


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16", "utf-16-le", "cp1252"])
def test_wrong_encoding(here, read, hourly, encoding):
    rows = [*hourly(), ["2024-06-11 00:00:00", "é"]]
    text = "\n".join(",".join(map(str, row)) for row in rows)
    (here / "counts.csv").write_bytes(text.encode(encoding))
    with pytest.raises(Refusal, match="not UTF-8") as caught:
        read()
    if encoding in ("latin-1", "cp1252"):
        assert caught.value.where.endswith("line 242")


def test_a_byte_order_mark_is_no_fault(here, read, hourly):
    text = "\n".join(",".join(map(str, row)) for row in hourly())
    (here / "counts.csv").write_bytes(text.encode("utf-8-sig"))
    assert read().frame["count"].sum() == 24_000


@pytest.mark.parametrize("line", [f"2024-06-11 00:00:00,1,{SECRET}", SECRET])
def test_ragged_lines_say_where_and_not_what(write, read, hourly, line):
    path = write(hourly())
    path.write_text(path.read_text() + line + "\n")
    with pytest.raises(Refusal, match="as many fields") as caught:
        read()
    assert "line 242" in caught.value.where
    assert SECRET not in str(caught.value)


def test_an_open_quote(write, read, hourly):
    path = write(hourly())
    path.write_text(path.read_text() + f'2024-06-11 00:00:00,"{SECRET}\n')
    with pytest.raises(Refusal) as caught:
        read()
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(("asked", "near"), [("N", "n"), ("At", "at"), ("att", "at")])
def test_missing_column_names_the_nearest(write, read, hourly, asked, near):
    write(hourly())
    role = "count_column" if near == "n" else "time_column"
    with pytest.raises(Refusal) as caught:
        read(**{role: asked})
    assert caught.value.nearest == near
    assert caught.value.where.startswith(f"{role}: {asked}")


@pytest.mark.parametrize(
    "first",
    [
        ["2024-06-01T00:00:00Z", SECRET],
        ["1717200000", SECRET],
        ["Jun 1 2024 12:00", SECRET],
        [SECRET, "0.5"],
        [SECRET, "somebody@example.com"],
        [SECRET, "10.66.77.88"],
        [SECRET, "+1 (555) 0100"],
    ],
)
def test_a_first_line_of_data_is_not_told_as_names(write, read, first):
    write([first, ["2024-06-01T00:00:00Z", SECRET]])
    with pytest.raises(Refusal, match="does not have") as caught:
        read(time_column=f"{SECRET}s")
    told = str(caught.value) + caught.value.message()
    assert "first line" in told
    # What was asked for stands in the params; what stands in the file does not.
    assert SECRET not in told.replace(f"{SECRET}s", "")
    assert not any(cell in told for cell in first if cell != SECRET)


@pytest.mark.parametrize("name", ["T1", "7d_avg", "p95", "count 2", "Q1/2024"])
def test_names_with_digits_are_names(write, read, name):
    write([["at", name], ["2024-06-01T00:00:00Z", 1]])
    with pytest.raises(Refusal) as caught:
        read()
    assert name in caught.value.next_step


def test_a_doubled_header(write, read, hourly):
    rows = hourly()
    write([["at", "n", "n"], *[[*row, 1] for row in rows[1:]]])
    with pytest.raises(Refusal, match="more than once in the header"):
        read()


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("-1", "1 count is negative"),
        ("inf", "1 count is infinite"),
        ("-Infinity", "1 count is infinite"),
        (SECRET, "1 count is not a number"),
        ('"1,234"', "1 count is not a number"),
        ("1e300", "above 10"),
    ],
)
def test_counts_that_are_none(write, read, hourly, cell, words):
    rows = hourly()
    rows[20][1] = cell
    write(rows)
    with pytest.raises(Refusal, match=words) as caught:
        read()
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("high", "low", "ambiguous"),
    [
        ("1.234", "950", True),  # 1,234 and 950 as half of Europe writes them
        ("1.234", "950.5", False),
        ("220.000", "1.000", False),  # a whole column written with three decimals
        ("0.234", "1.500", False),
    ],
)
def test_a_dot_that_may_mark_thousands(write, read, hourly, high, low, ambiguous):
    write([[row[0], (high, low)[i % 2]] if i else row for i, row in enumerate(hourly())])
    if ambiguous:
        with pytest.raises(Refusal, match=r"120 counts written like 1\.234 can be"):
            read()
    else:
        total = 120 * (float(high) + float(low))
        assert read().frame["count"].sum() == pytest.approx(total)


@pytest.mark.parametrize("cell", ["", "NaN", "nan"])
def test_an_empty_count_is_a_missing_bucket(write, read, hourly, cell):
    rows = hourly()
    rows[20][1] = cell
    write(rows)
    counts = read()
    assert counts.frame["count"].isna().to_numpy().nonzero()[0].tolist() == [19]
    health = counts.health.set_index("item")["n"]
    assert health["empty counts"] == 1
    assert health["missing buckets"] == 1


def test_all_counts_empty(write, read, hourly):
    write([[row[0], None] if i else row for i, row in enumerate(hourly())])
    with pytest.raises(NoData):
        read()


def test_all_times_empty(write, read, hourly):
    write([[None, row[1]] if i else row for i, row in enumerate(hourly())])
    with pytest.raises(NoData, match="every time is empty"):
        read()


def test_one_row(write, read):
    write([["at", "n"], ["2024-06-08 00:00:00", 100]])
    with pytest.raises(NoData):
        read()
    with pytest.raises(NoData):
        read(count_column=None)


def test_times_that_are_none(write, read, hourly):
    write([[SECRET, row[1]] if i else row for i, row in enumerate(hourly())])
    with pytest.raises(Refusal, match="240 of 240 rows have a time that is not ISO 8601") as caught:
        read()
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    "cell",
    [
        "06/01/2024 00:00",
        "2024-06-01 00:00 America/New_York",
        "2024-06-01 00:00 -05:00",
        "    2024-06-01 00:00",
        "2024-06-01 12:00 AM",
        "2024-06-31 00:00",
        "now",
        "infinity",
    ],
)
def test_times_are_never_guessed(write, read, hourly, cell):
    rows = hourly()
    rows[1][0] = cell
    write(rows)
    with pytest.raises(Refusal, match="1 of 240"):
        read()


def test_epoch_seconds(write, read):
    rows = [["at", "n"], *[[1717200000 + 3600 * i, 100] for i in range(240)]]
    write(rows)
    with pytest.raises(Refusal, match="bare numbers"):
        read()


def test_aware_and_naive_times_do_not_mix(write, read, hourly):
    rows = hourly()
    rows[5][0] = "2024-06-01T04:00:00Z"
    write(rows)
    with pytest.raises(Refusal, match="1 times carry an offset from UTC and 239 do not"):
        read()


@pytest.mark.parametrize(("value", "words"), [(100, "with equal counts"), (7, "1 with different")])
def test_a_doubled_count_is_refused(write, read, hourly, value, words):
    rows = hourly()
    write([*rows, [rows[30][0], value]])
    with pytest.raises(Refusal, match=words):
        read()


def test_window_outside_the_data(write, read, hourly):
    write(hourly())
    for year in (2023, 2025):
        with pytest.raises(NoData, match="no data in the incident window"):
            read(
                incident_start=datetime(year, 6, 8, tzinfo=UTC),
                incident_end=datetime(year, 6, 9, tzinfo=UTC),
            )


def test_window_off_the_buckets(write, read, hourly):
    write(hourly())
    with pytest.raises(Refusal, match="incident_end does not stand") as caught:
        read(incident_end=datetime(2024, 6, 8, 20, 20, tzinfo=UTC))
    assert caught.value.nearest == "2024-06-08T20:00+00:00 or 2024-06-08T21:00+00:00"


def test_bucket_finer_than_the_counts(write, read, hourly):
    write(hourly())
    with pytest.raises(Refusal, match="coarser") as caught:
        read(bucket="30min")
    assert caught.value.nearest == "bucket: 1h"


def test_irregular_labels(write, read):
    write([["at", "n"], *[[f"2024-06-08 {i:02d}:{i * i % 60:02d}", 1] for i in range(20)]])
    with pytest.raises(Refusal, match="no regular spacing"):
        read()


def test_a_label_off_the_counts_own_grid(write, read, hourly):
    write([*hourly(), ["2024-06-05 10:17:00", 3]])
    with pytest.raises(Refusal, match="1 times do not stand on the counts' own grid"):
        read()


def test_as_of_inside_the_window(write, read, hourly):
    write(hourly())
    with pytest.raises(Refusal, match="as_of lies before the end") as caught:
        read(as_of=datetime(2024, 6, 8, 20, 20, tzinfo=UTC))
    assert caught.value.nearest == "2024-06-08T20:00+00:00"


def test_control_needs_ready_counts(write, read, hourly):
    write(hourly())
    with pytest.raises(Refusal, match="control series needs ready counts"):
        read(count_column=None, control_column="n")


@pytest.mark.parametrize("name", ["counts[1].csv", "c*.csv", "co?nts.csv"])
def test_a_name_that_is_a_pattern_to_the_engine_is_refused(write, read, hourly, name):
    write(hourly())
    write(hourly(), name)
    with pytest.raises(Refusal, match="pattern"):
        read(source=name)


def test_an_unknown_zone_names_the_nearest(write, read, hourly):
    write(hourly())
    with pytest.raises(Refusal, match="time zone") as caught:
        read(timezone="America/NewYork")
    assert caught.value.nearest == "America/New_York"


@pytest.mark.parametrize("change", ["naive", "reversed"])
def test_a_question_that_makes_no_sense(change, read):
    end = datetime(2024, 6, 9) if change == "naive" else datetime(2024, 6, 1, tzinfo=UTC)
    with pytest.raises(ValueError, match="incident_end"):
        read(incident_end=end)


def test_a_line_without_end(write, read, hourly):
    path = write(hourly())
    path.write_text(path.read_text() + '2024-06-11 00:00:00,"' + "x" * 3_000_000 + '"\n')
    with pytest.raises(Refusal, match="longer than 1 MB"):
        read()


def test_a_blank_first_line(write, read, hourly):
    path = write(hourly())
    path.write_text("\n" + path.read_text())
    with pytest.raises(Refusal, match="not a header"):
        read()


def test_a_window_far_from_the_data_is_told_at_once(write, read, hourly):
    write(hourly())
    with pytest.raises(NoData):
        read(
            incident_start=datetime(9000, 6, 8, tzinfo=UTC),
            incident_end=datetime(9000, 6, 9, tzinfo=UTC),
        )


def test_a_history_of_centuries_is_a_wrong_date(write, read):
    rows = [[f"{1800 + i // 4}-{1 + i % 4 * 3:02d}-08 00:00:00"] for i in range(900)]
    write([["at"], *rows])
    with pytest.raises(Refusal, match="more than 400,000 buckets"):
        read(count_column=None)


def test_a_folder_that_cannot_be_written(write, read, hourly, here):
    write(hourly())
    (here / ".trustlib").write_text("a file where the folder should be")
    with pytest.raises(RunFailed, match="cannot be written"):
        read()
