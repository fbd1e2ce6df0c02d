"""Errors: one message, nothing lost on the way between processes."""

import pickle

import pytest

from trustlib.core import NoData, Refusal, RunFailed, did_you_mean


def test_message_holds_what_where_nearest_and_next() -> None:
    error = Refusal(
        "unknown parameter incidnt_start",
        where="example.yaml, line 3",
        nearest="incident_start",
        next_step="correct the name",
    )
    assert str(error).splitlines() == [
        "unknown parameter incidnt_start",
        "  where: example.yaml, line 3",
        "  nearest: incident_start",
        "  next: correct the name",
    ]


@pytest.mark.parametrize(
    ("kind", "code", "status"),
    [(RunFailed, 1, "failed"), (Refusal, 2, "refused"), (NoData, 3, "no_data")],
)
def test_exit_codes_are_the_contract(kind, code, status) -> None:
    assert (kind.exit_code, kind.status) == (code, status)


def test_pickling_keeps_every_part() -> None:
    error = NoData("no rows", where="x.csv", nearest="y.csv", next_step="check the window")
    back = pickle.loads(pickle.dumps(error))
    assert type(back) is NoData
    assert vars(back) == vars(error)


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("incident_strat", "incident_start"),
        ("IncidentStart", "incident_start"),
        ("incident-start", "incident_start"),
        ("inciden_start", "incident_start"),
        ("buckt", "bucket"),
        ("zzz", None),
    ],
)
def test_did_you_mean(word, meant) -> None:
    assert did_you_mean(word, ["incident_start", "incident_end", "bucket", "title"]) == meant


def test_jupyter_shows_the_message_without_frames() -> None:
    (line,) = Refusal("no such column", next_step="see the file")._render_traceback_()
    assert line == "Refusal: no such column\n  next: see the file"
