"""The known number of a real file: half-hourly counts in New York time, one clock change."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from trustlib.data import CountsQuery, read_counts

TAXI = Path(__file__).resolve().parents[2].parent / "shared" / "realdata" / "nyc_taxi.csv"
QUERY = CountsQuery(
    source=str(TAXI),
    time_column="timestamp",
    count_column="value",
    timezone="America/New_York",
    incident_start=datetime.fromisoformat("2015-01-26T12:00:00-05:00"),
    incident_end=datetime.fromisoformat("2015-01-28T00:00:00-05:00"),
)

pytestmark = pytest.mark.skipif(
    not TAXI.exists(), reason="the real data are not part of the project"
)


def test_the_window_sums_to_the_known_number(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    counts = read_counts(QUERY)
    frame = counts.frame
    inside = (frame["bucket_start_at"] >= QUERY.incident_start) & (
        frame["bucket_start_at"] < QUERY.incident_end
    )
    assert frame.loc[inside, "count"].sum() == 391_777
    assert inside.sum() == 36
    assert counts.native_bucket == "30min"
    assert counts.snapshot.rows == 10_320


def test_the_repeated_hour_is_marked_and_no_alarm(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    counts = read_counts(QUERY)
    marked = counts.frame[counts.frame["ambiguous"]]
    assert [at.isoformat() for at in marked["bucket_start_at"]] == [
        "2014-11-02T05:00:00+00:00",
        "2014-11-02T06:00:00+00:00",
    ]
    assert marked["count"].isna().tolist() == [False, True]
    health = counts.health.set_index("item")["n"]
    assert health["missing buckets"] == 0
    assert health["ambiguous labels that occur once"] == 2
    verdicts = {check.name: check.verdict for check in counts.checks}
    assert verdicts["clock_change"] == "warn"
    assert verdicts["empty_buckets"] == "pass"
