"""Local labels to UTC: as zoneinfo does it, in Python and through the engine."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trustlib.data.clock import clock, instant, seconds
from trustlib.data.grid import ceiling, floor, grid

ZONES = [
    "UTC",
    "America/New_York",
    "Europe/London",
    "Australia/Sydney",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "Asia/Kolkata",
    "America/Sao_Paulo",
    "America/Havana",
    "America/St_Johns",
    "Africa/Casablanca",
    "Pacific/Apia",
    "Europe/Dublin",
    "Asia/Tehran",
]
# Around a change of each: zone, first day, hours. Both directions.
CHANGES = [
    ("America/New_York", datetime(2014, 11, 1), 72),
    ("America/New_York", datetime(2015, 3, 7), 72),
    ("Australia/Sydney", datetime(2024, 4, 6), 72),
    ("Australia/Sydney", datetime(2024, 10, 5), 72),
    ("Australia/Lord_Howe", datetime(2024, 4, 6), 72),
    ("Australia/Lord_Howe", datetime(2024, 10, 5), 72),
    ("America/Sao_Paulo", datetime(2018, 2, 16), 72),
    ("America/Sao_Paulo", datetime(2018, 11, 3), 72),
    ("America/Havana", datetime(2024, 11, 2), 72),
    ("America/Havana", datetime(2024, 3, 9), 72),
    ("Asia/Kathmandu", datetime(2024, 3, 9), 72),
    ("Pacific/Apia", datetime(2011, 12, 28), 96),
    ("UTC", datetime(2024, 3, 9), 72),
]


@pytest.fixture(scope="module")
def clocks():
    low, high = datetime(1975, 1, 1, tzinfo=UTC), datetime(2036, 1, 1, tzinfo=UTC)
    return {zone: clock(zone, seconds(low), seconds(high)) for zone in ZONES}


@pytest.mark.parametrize("zone", ZONES)
def test_every_half_hour_around_every_change_is_zoneinfo_s(clocks, zone):
    info, ours = ZoneInfo(zone), clocks[zone]
    for change in ours.changes:
        for step in range(-6, 7):
            utc = change.at + 1800 * step
            local = instant(utc).astimezone(info)
            assert instant(ours.label(utc)).replace(tzinfo=None) == local.replace(tzinfo=None)
            label = ours.label(utc) - change.before + change.after + 7
            naive = instant(label).replace(tzinfo=info)
            assert ours.utc(label) == naive.astimezone(UTC).timestamp()


@given(
    zone=st.sampled_from(ZONES),
    naive=st.datetimes(datetime(1975, 1, 2), datetime(2035, 12, 30)),
)
def test_any_label_is_zoneinfo_s(zone, naive):
    naive = naive.replace(microsecond=0, fold=0)
    label = seconds(naive.replace(tzinfo=UTC))
    ours = clock(zone, label - 86400, label + 86400)
    expected = naive.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    assert instant(ours.utc(label)) == expected
    back = expected.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    assert instant(ours.label(ours.utc(label))).replace(tzinfo=None) == back


def test_the_known_changes_of_new_york():
    low, high = (datetime(2014, 7, 1, tzinfo=UTC), datetime(2015, 7, 1, tzinfo=UTC))
    back, forward = clock("America/New_York", seconds(low), seconds(high)).changes
    assert instant(back.at) == datetime(2014, 11, 2, 6, tzinfo=UTC)
    assert back.ambiguous == tuple(
        seconds(datetime(2014, 11, 2, hour, tzinfo=UTC)) for hour in (1, 2)
    )
    assert forward.impossible == tuple(
        seconds(datetime(2015, 3, 8, hour, tzinfo=UTC)) for hour in (2, 3)
    )


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("America/New_York", date(2014, 11, 2), 25),
        ("America/New_York", date(2015, 3, 8), 23),
        ("Australia/Lord_Howe", date(2024, 4, 7), 24.5),
        ("Australia/Lord_Howe", date(2024, 10, 6), 23.5),
        ("America/Sao_Paulo", date(2018, 11, 4), 23),
        ("America/Sao_Paulo", date(2018, 2, 17), 25),
        ("America/Havana", date(2024, 11, 3), 25),
        ("Asia/Kathmandu", date(2024, 3, 9), 24),
        ("Asia/Kathmandu", date(1986, 1, 1), 23.75),
    ],
)
def test_a_local_day_has_its_true_length(clocks, zone, day, hours):
    noon = seconds(datetime(day.year, day.month, day.day, 12, tzinfo=ZoneInfo(zone)))
    start = floor(noon, "1d", clocks[zone])
    end = ceiling(noon, "1d", clocks[zone])
    assert (end - start) / 3600 == hours
    assert instant(start).astimezone(ZoneInfo(zone)).date() == day
    assert instant(start - 1).astimezone(ZoneInfo(zone)).date() == day - timedelta(days=1)


def test_a_date_that_never_was_has_no_bucket(clocks):
    zone = clocks["Pacific/Apia"]
    low = floor(seconds(datetime(2011, 12, 28, 12, tzinfo=UTC)), "1d", zone)
    high = ceiling(seconds(datetime(2012, 1, 2, 12, tzinfo=UTC)), "1d", zone)
    days = grid(low, high, "1d", zone)
    apia = ZoneInfo("Pacific/Apia")
    dates = [instant(int(edge)).astimezone(apia).date().isoformat() for edge in days.edges]
    assert "2011-12-29" in dates
    assert "2011-12-30" not in dates
    assert "2011-12-31" in dates
    assert len(set(dates)) == len(dates)


def half_hours(zone: str, first: datetime, hours: int) -> list[datetime]:
    """Every half hour that really passes, as aware local times, from local `first`."""
    start = first.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    return [
        (start + timedelta(minutes=30 * i)).astimezone(ZoneInfo(zone)) for i in range(2 * hours)
    ]


def window(zone: str, times: list[datetime], bucket: str, grid_of: datetime) -> dict[str, datetime]:
    """The last whole local day, or the last eight hours, as the incident."""
    if bucket == "1d":
        last = seconds(times[-1])
        ours = clock(zone, last - 10 * 86400, last)
        end = floor(last, "1d", ours)
        return {"incident_start": instant(floor(end - 1, "1d", ours)), "incident_end": instant(end)}
    minutes = (times[-1] - grid_of) // timedelta(minutes=60) * 60 - 180
    end = grid_of + timedelta(minutes=minutes)
    return {"incident_start": end - timedelta(hours=8), "incident_end": end}


@pytest.mark.parametrize("bucket", ["1h", "1d"])
@pytest.mark.parametrize(("zone", "first", "hours"), CHANGES, ids=lambda v: str(v)[:18])
def test_half_hourly_counts_come_back_at_their_true_instants(
    write, read, zone, first, hours, bucket
):
    times = half_hours(zone, first, hours)
    rows = [[at.replace(tzinfo=None), 2**i % 1009] for i, at in enumerate(times)]
    write([["at", "n"], *rows])
    # Labels that no half hour of UTC holds (5:45) carry the grid with them.
    shift = timedelta(minutes=times[0].astimezone(UTC).minute % 30)
    base = times[0].astimezone(UTC).replace(minute=0) + shift
    frame = read(bucket=bucket, timezone=zone, **window(zone, times, bucket, base)).frame
    expected: Counter = Counter()
    for at, (_, n) in zip(times, rows, strict=True):
        utc = at.astimezone(UTC)
        start = (utc - shift).replace(minute=0) + shift
        if bucket == "1d":
            start = datetime(at.year, at.month, at.day, tzinfo=at.tzinfo).astimezone(UTC)
        expected[start] += n
    got = {
        start.to_pydatetime(): count
        for start, count in zip(frame["bucket_start_at"], frame["count"], strict=True)
        if count == count
    }
    inside = {at: n for at, n in expected.items() if at in got}
    assert got == inside
    # What is missing lies at the ends, where a bucket is not whole.
    assert len(expected) - len(inside) <= 2
    assert not frame["ambiguous"].any()


@pytest.mark.parametrize("bucket", ["1h", "1d"])
@pytest.mark.parametrize(
    ("zone", "first", "hours"),
    [*CHANGES, ("Asia/Kathmandu", datetime(1985, 12, 31), 72)],
    ids=lambda v: str(v)[:18],
)
def test_naive_events_follow_the_rule(write, read, zone, first, hours, bucket):
    """One event every 10 minutes of the clock's face, impossible and ambiguous ones too."""
    faces = [first + timedelta(minutes=10 * i, seconds=59) for i in range(6 * hours)]
    write([["at"], *[[face] for face in faces]])
    times = [face.replace(tzinfo=ZoneInfo(zone)) for face in faces]
    base = times[0].astimezone(UTC).replace(minute=0, second=0)
    ask = window(zone, times, bucket, base)
    counts = read(count_column=None, bucket=bucket, timezone=zone, **ask)
    expected: Counter = Counter()
    for face in faces:
        utc = face.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
        start = utc.replace(minute=0, second=0)
        if bucket == "1d":
            local = utc.astimezone(ZoneInfo(zone))
            start = datetime(local.year, local.month, local.day, tzinfo=local.tzinfo)
            start = start.astimezone(UTC)
        expected[start] += 1
    frame = counts.frame[counts.frame["count"].notna()]
    got = dict(zip(frame["bucket_start_at"].dt.to_pydatetime(), frame["count"], strict=True))
    for start, count in got.items():
        assert count == expected[start]
    assert sum(got.values()) >= len(faces) - 8  # the cut buckets at the ends


def test_a_repeated_hour_that_occurs_twice_is_told_apart_by_file_order(write, read):
    rows = [[f"2014-11-01 {hour:02d}:00", 10] for hour in range(24)]
    rows += [["2014-11-02 00:00", 20], ["2014-11-02 01:00", 1], ["2014-11-02 01:00", 2]]
    rows += [[f"2014-11-02 {hour:02d}:00", 10] for hour in range(2, 24)]
    write([["at", "n"], *rows])
    ask = {
        "timezone": "America/New_York",
        "incident_start": datetime(2014, 11, 2, 20, tzinfo=UTC),
        "incident_end": datetime(2014, 11, 3, 0, tzinfo=UTC),
    }
    counts = read(**ask)
    by = counts.frame.set_index("bucket_start_at")["count"]
    assert by["2014-11-02T04:00Z"] == 20
    assert by["2014-11-02T05:00Z"] == 1
    assert by["2014-11-02T06:00Z"] == 2
    assert not counts.frame["ambiguous"].any()
    assert {check.name: check.verdict for check in counts.checks}["clock_change"] == "pass"


def test_an_impossible_hour_moves_forward_and_is_counted(write, read):
    rows = [[f"2015-03-0{day} {hour:02d}:00", 10] for day in (7, 8, 9) for hour in range(24)]
    write([["at", "n"], *rows])
    ask = {
        "timezone": "America/New_York",
        "incident_start": datetime(2015, 3, 9, 12, tzinfo=UTC),
        "incident_end": datetime(2015, 3, 9, 18, tzinfo=UTC),
    }
    counts = read(**ask)
    by = counts.frame.set_index("bucket_start_at")
    # 02:00 does not exist: it is read as 03:00, where another row stands.
    assert by.loc["2015-03-08T07:00Z", "count"] == 20
    assert by.loc["2015-03-08T07:00Z", "ambiguous"]
    assert by["ambiguous"].sum() == 1
    assert counts.health.set_index("item")["n"]["rows in impossible hours"] == 1
    check = next(check for check in counts.checks if check.name == "clock_change")
    assert check.verdict == "warn"
    assert "skipped" in check.text


def test_hourly_counts_of_india_follow_their_own_half_hour(write, read):
    rows = [[f"2024-06-{1 + i // 24:02d} {i % 24:02d}:00", i] for i in range(240)]
    write([["at", "n"], *rows])
    ask = {"timezone": "Asia/Kolkata", "incident_end": datetime(2024, 6, 9, 0, 30, tzinfo=UTC)}
    counts = read(incident_start=datetime(2024, 6, 8, 0, 30, tzinfo=UTC), **ask)
    assert counts.frame["bucket_start_at"].iloc[0].isoformat() == "2024-05-31T18:30:00+00:00"
    assert counts.frame["count"].tolist() == list(range(240))


def test_the_second_of_two_equal_hours_is_unknown_and_not_zero(write, read):
    faces = [datetime(2014, 11, 1) + timedelta(minutes=10 * i) for i in range(6 * 60)]
    write([["at"], *[[face] for face in faces]])
    counts = read(
        count_column=None,
        timezone="America/New_York",
        incident_start=datetime(2014, 11, 3, 0, tzinfo=UTC),
        incident_end=datetime(2014, 11, 3, 8, tzinfo=UTC),
    )
    by = counts.frame.set_index("bucket_start_at")
    assert by.loc["2014-11-02T05:00Z", "count"] == 6
    assert by.loc["2014-11-02T06:00Z", "count"] != 0  # NaN: its events are read as the hour before
    assert by.index[by["ambiguous"]].hour.tolist() == [5, 6]


def test_a_window_over_the_repeated_hour_says_which_hours_are_unclear(write, read):
    faces = [datetime(2014, 11, 1) + timedelta(minutes=10 * i) for i in range(6 * 60)]
    write([["at"], *[[face] for face in faces]])
    counts = read(
        count_column=None,
        timezone="America/New_York",
        incident_start=datetime(2014, 11, 2, 4, tzinfo=UTC),
        incident_end=datetime(2014, 11, 2, 12, tzinfo=UTC),
    )
    text = next(check.text for check in counts.checks if check.name == "data_complete")
    text = text.replace("\N{NO-BREAK SPACE}", " ")
    assert "hold data, but for 2 hours that a clock change leaves unclear" in text


def test_a_file_that_ends_in_the_repeated_hour_keeps_its_last_rows(write, read):
    times = half_hours("America/New_York", datetime(2014, 10, 31), 51)
    write([["at", "n"], *[[at.replace(tzinfo=None), 5] for at in times]])
    frame = read(
        timezone="America/New_York",
        incident_start=datetime(2014, 11, 1, 12, tzinfo=UTC),
        incident_end=datetime(2014, 11, 1, 16, tzinfo=UTC),
    ).frame
    assert times[-1].fold == 1
    assert frame["bucket_start_at"].iloc[-1].isoformat() == "2014-11-02T06:00:00+00:00"
    assert frame["count"].sum() == 5 * len(times)
