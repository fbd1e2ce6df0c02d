"""Estimate, Check, Window, Results: values that refuse to be wrong."""

import json
from dataclasses import FrozenInstanceError
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pandas as pd
import pytest

from trustlib.core import Check, Estimate, Results, Window, worst
from trustlib.core.results import MIME, plain, validate


def estimate(**change) -> Estimate:
    given = {
        "point": 2.0, "low": 1.0, "high": 3.0, "level": 0.95,
        "unit": "reports", "method": "exact", "n": 10,
    }  # fmt: skip
    return Estimate(**given | change)


def results(**change) -> Results:
    given = {
        "notebook": "incident_sizing",
        "headline": "Ten more than expected.",
        "verdict": "incident confirmed",
        "estimates": {"excess": estimate()},
        "checks": [Check(name="fit", verdict="pass", label="fits", text="It fits.")],
        "series": {"rows": [{"at": pd.Timestamp("2026-01-01", tz="UTC"), "n": np.int64(3)}]},
    }
    return Results(**given | change)


@pytest.mark.parametrize(
    "change",
    [
        {"low": 2.5},
        {"high": 1.5},
        {"low": None},
        {"high": None},
        {"low": None, "high": None},
        {"point": None},
        {"point": float("nan")},
        {"high": float("inf")},
        {"standard_error": float("nan")},
        {"level": 95},
        {"level": 0},
    ],
)
def test_an_estimate_that_contradicts_itself_is_refused(change) -> None:
    with pytest.raises(ValueError, match="Estimate"):
        estimate(**change)


def test_no_interval_needs_a_reason() -> None:
    assert estimate(low=None, high=None, note="two weeks of history").note


def test_an_estimate_is_frozen_and_plain() -> None:
    value = estimate(point=np.float64(2), n=np.int64(4))
    with pytest.raises(FrozenInstanceError):
        value.point = 3  # type: ignore[misc]
    assert json.loads(json.dumps(value.to_json()))["n"] == 4


def test_worst_verdict_comes_first() -> None:
    checks = [
        Check(name=verdict, verdict=verdict, label="l", text="t")  # type: ignore[arg-type]
        for verdict in ("pass", "not_run", "warn")
    ]
    assert worst(check.verdict for check in checks) == "warn"
    assert worst([]) == "pass"


@pytest.mark.parametrize("change", [{"verdict": "ok"}, {"text": " "}, {"label": ""}])
def test_a_check_without_verdict_or_sentence_is_refused(change) -> None:
    with pytest.raises(ValueError, match="Check"):
        Check(**{"name": "n", "verdict": "pass", "label": "l", "text": "t"} | change)


def test_window_is_half_open_aware_and_utc() -> None:
    east = timezone(timedelta(hours=-5))
    window = Window(datetime(2026, 1, 1, 12, tzinfo=east), datetime(2026, 1, 2, tzinfo=east))
    assert window.start == datetime(2026, 1, 1, 17, tzinfo=UTC)
    assert window.start.tzinfo is UTC
    assert window.duration == timedelta(hours=12)
    assert not window.overlaps(Window(window.end, window.end + timedelta(hours=1)))
    with pytest.raises(ValueError, match="naive"):
        Window(datetime(2026, 1, 1), datetime(2026, 1, 2))
    with pytest.raises(ValueError, match="after"):
        Window(window.end, window.start)


def test_results_travel_under_their_own_type() -> None:
    bundle = results()._repr_mimebundle_()
    document = bundle[MIME]
    validate(json.loads(json.dumps(document, allow_nan=False)))
    assert document["series"]["rows"] == [{"at": "2026-01-01T00:00:00+00:00", "n": 3}]


@pytest.mark.parametrize(
    "change",
    [
        {"headline": ""},
        {"checks": [Check(name="a", verdict="pass", label="l", text="t")] * 2},
    ],
)
def test_results_outside_the_contract_are_refused_where_they_are_made(change) -> None:
    with pytest.raises(ValueError, match="results"):
        results(**change)._repr_mimebundle_()


def test_validate_refuses_a_document_that_was_tampered_with() -> None:
    document = results()._repr_mimebundle_()[MIME]
    document["estimates"]["excess"]["low"] = 99
    with pytest.raises(ValueError, match="misses its point"):
        validate(document)


def test_plain_values_hold_no_nan_and_no_surprises() -> None:
    assert plain([np.nan, pd.NaT, np.float64(1.5), True]) == [None, None, 1.5, True]
    with pytest.raises(TypeError, match="object"):
        plain(object())
