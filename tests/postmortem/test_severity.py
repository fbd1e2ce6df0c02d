"""Severity by rules: the upper end while open, the point when closed, nothing made up."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.postmortem.sized import sized
from trustlib.core import Estimate
from trustlib.postmortem.severity import severity, undecided
from trustlib.postmortem.spec import PostmortemSpec, SeverityRule


def estimate(point, low=None, high=None) -> Estimate:
    return Estimate(point=point, low=low, high=high, level=0.95, unit="accounts", method="m", n=9,
                    note=None if low is not None else "no interval")  # fmt: skip


RULES = (
    SeverityRule(severity="SEV1", measure="affected_accounts", at_least=1000),
    SeverityRule(severity="SEV2", measure="net_loss_usd", at_least=500),
    SeverityRule(severity="SEV2", measure="affected_accounts", at_least=200),
    SeverityRule(severity="SEV3", measure="excess", at_least=50),
)
SPEC = PostmortemSpec(sizing=sized().spec, severity_rules=RULES)
FOUND = {
    "affected_accounts": estimate(240.0, 150.0, 1000.0),
    "net_loss_usd": estimate(None),
    "excess": estimate(-60.0, -80.0, -40.0),
}


def test_while_open_the_upper_end_counts_and_when_closed_the_point() -> None:
    frame, level = severity(FOUND, SPEC)
    assert level == "SEV1"  # at least: the limit itself is met
    assert frame.loc[0, "basis"] == "upper end"
    closed, level = severity(FOUND, replace(SPEC, status="closed"))
    assert level == "SEV2"
    assert closed.loc[0, "value"] == 240
    assert closed["basis"].tolist() == ["point"] * 4


def test_a_shortfall_is_as_severe_as_an_excess_of_its_size() -> None:
    spec = replace(SPEC, severity_rules=RULES[3:])
    assert severity(FOUND, spec)[0]["value"].tolist() == [80]
    assert severity(FOUND, replace(spec, status="closed"))[0]["value"].tolist() == [60]


def test_a_gain_is_no_loss() -> None:
    spec = replace(SPEC, severity_rules=(RULES[1],))
    frame, level = severity({"net_loss_usd": estimate(-900.0, -950.0, -800.0)}, spec)
    assert level is None
    assert frame["value"].tolist() == [-800]


def test_what_is_not_estimable_is_neither_met_nor_ruled_out() -> None:
    frame, level = severity(FOUND, replace(SPEC, status="closed"))
    assert frame["met"].tolist() == [False, None, True, True]
    assert undecided(frame, level) == ()  # the other rule of SEV2 is met
    frame, level = severity(FOUND, replace(SPEC, status="closed", severity_rules=RULES[1:2]))
    assert level is None
    assert undecided(frame, level) == ("SEV2",)
    frame, level = severity({}, replace(SPEC, severity_rules=RULES))
    assert undecided(frame, level) == ("SEV1", "SEV2", "SEV3")


def test_without_an_interval_the_point_is_all_there_is() -> None:
    frame, _ = severity({"affected_accounts": estimate(240.0)}, SPEC)
    assert frame.loc[0, "basis"] == "point"


@pytest.mark.parametrize(
    "change", [{"at_least": 1001.0}, {"severity": "S1"}, {"measure": "excess"}]
)
def test_the_hash_changes_with_every_part_of_a_rule(change) -> None:
    other = replace(SPEC, severity_rules=(replace(RULES[0], **change), *RULES[1:]))
    assert other.rules_hash != SPEC.rules_hash
    assert len(SPEC.rules_hash) == 12
    assert replace(SPEC, severity_rules=RULES[::-1]).rules_hash != SPEC.rules_hash


def test_what_went_the_other_way_is_not_severe() -> None:
    asked = replace(
        SPEC, severity_rules=RULES[3:], sizing=replace(SPEC.sizing, direction="increase")
    )
    frame, level = severity(FOUND, asked)
    assert (frame["value"].tolist(), level) == ([0], None)
    asked = replace(asked, sizing=replace(SPEC.sizing, direction="decrease"))
    assert severity(FOUND, asked)[1] == "SEV3"
