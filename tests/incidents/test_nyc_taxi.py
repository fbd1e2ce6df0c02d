"""Real counts: New York taxis in the blizzard of January 2015."""

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from trustlib.core import Window
from trustlib.incidents import SizingSpec, sizing

SOURCE = Path(__file__).parents[3] / "shared" / "realdata" / "nyc_taxi.csv"
pytestmark = pytest.mark.skipif(
    not SOURCE.exists(), reason="../shared/realdata/nyc_taxi.csv is not part of the project"
)
NEW_YORK = ZoneInfo("America/New_York")


def window(start, end):
    return Window(*(datetime.fromisoformat(at).replace(tzinfo=NEW_YORK) for at in (start, end)))


HOLIDAYS = (
    window("2014-11-02", "2014-11-03"),
    window("2014-11-27", "2014-11-29"),
    window("2014-12-24", "2014-12-27"),
    window("2014-12-31", "2015-01-03"),
    window("2015-01-19", "2015-01-20"),
)


def counts(bucket):
    raw = pd.read_csv(SOURCE, parse_dates=["timestamp"])
    local = raw["timestamp"].dt.tz_localize(NEW_YORK, ambiguous=True, nonexistent="shift_forward")
    table = raw.groupby(local.dt.tz_convert("UTC").dt.floor(bucket))["value"].agg(["sum", "count"])
    table = table.reindex(pd.date_range(table.index[0], table.index[-1], freq=bucket))
    whole = table["count"] == (2 if bucket == "1h" else 1)
    at = table.index.tz_convert(NEW_YORK)
    unsure = (at.strftime("%Y-%m-%d") == "2014-11-02") & (at.hour == 1)
    return pd.DataFrame(
        {
            "bucket_start_at": table.index.as_unit("us"),
            "count": table["sum"].where(whole).astype(float).to_numpy(),
            "ambiguous": unsure,
        }
    )


def spec(**options):
    made = {
        "incident": window("2015-01-26T12:00", "2015-01-28"),
        "timezone": "America/New_York",
        "exclude_windows": HOLIDAYS,
        "direction": "decrease",
        "unit_label": "trips",
    }
    return SizingSpec(**(made | options))


@pytest.mark.parametrize("bucket", ["1h", "30min"])
def test_the_blizzard_is_sized(bucket):
    result = sizing(counts(bucket), spec(bucket=bucket))
    made = result.estimates
    assert made["actual"].point == 391777
    assert -800_000 < made["excess"].point < -600_000
    assert made["excess"].high < -500_000
    assert made["placebo_p_value"].point < 0.01
    assert result.verdict == "incident confirmed"
    others = result.sensitivity.iloc[1:]
    assert len(others) >= 8
    assert others["excess"].between(-800_000, -600_000).all()
    row = result.onset.iloc[0]
    # The snow came in the afternoon of the 26th; the streets closed at 23:00.
    assert row["estimated_at"].tz_convert(NEW_YORK).strftime("%m-%d") == "01-26"
    assert 13 <= row["estimated_at"].tz_convert(NEW_YORK).hour <= 20
    assert row["recovered_at"].tz_convert(NEW_YORK).strftime("%m-%d") == "01-28"


def test_two_quiet_days_are_no_incident():
    quiet = spec(incident=window("2015-01-12T12:00", "2015-01-14"), direction="either")
    result = sizing(counts("1h"), quiet)
    made = result.estimates["excess"]
    assert result.verdict == "no incident shown"
    assert made.low < 0 < made.high


def test_independence_day_and_its_eve_are_seen_without_being_told():
    result = sizing(counts("1h"), spec())
    made = next(c for c in result.checks if c.name == "contaminated_history")
    assert "2014-07-04" in made.text
    fitted = result.counterfactual["fitted"].to_numpy()
    local = result.counterfactual["bucket_start_at"].dt.tz_convert(NEW_YORK)
    assert not fitted[(local.dt.strftime("%Y-%m-%d") == "2014-07-04").to_numpy()].any()
    assert not fitted[counts("1h")["ambiguous"].to_numpy()].any()
    assert np.isfinite(result.counterfactual["expected"]).all()
