"""The fourteen blocks of the record: each is there, or says why it is not."""

from __future__ import annotations

import pandas as pd

from trustlib.data.earlier import Earlier
from trustlib.data.incident_records import AffectedRows, Role
from trustlib.postmortem.result import BLOCKS, Postmortem


def blocks(record: Postmortem, rows: AffectedRows, *, earlier: Earlier | None) -> pd.DataFrame:
    """`Postmortem.blocks`: number, block, present, reason."""
    reasons = _reasons(record, rows, earlier)
    return pd.DataFrame(
        {
            "number": range(1, len(BLOCKS) + 1),
            "block": BLOCKS,
            "present": [not reasons.get(name) for name in BLOCKS],
            "reason": [reasons.get(name, "") for name in BLOCKS],
        }
    )


def _reasons(record: Postmortem, rows: AffectedRows, earlier: Earlier | None) -> dict[str, str]:
    """Why a block is not there; "" where it is."""
    spec = record.spec
    excess = record.estimates["excess"]
    return {
        "verdict": _unless(
            record.sizing.verdict != "not estimable",
            f"Too little history to say whether this was an incident: {excess.note}.",
        ),
        "timeline": _unless(
            bool(spec.timeline) or len(rows.change_log) > 0 or any(vars(spec.stamps).values()),
            "No stamp and no timeline entry is stated, and there is no change log.",
        ),
        "affected": _unless(_counted(record.affected), _lacking(rows, "affected")),
        "dose": _dose(record, rows),
        "money": _money(record, rows),
        "lists": _lists(record, rows),
        "maturity": _unless(len(record.maturity) > 0, _lacking(rows, "arrivals")),
        "detection": _unless(
            bool(record.detection["false_alarms_per_week"].notna().any()),
            "Too little history to replay an alert on: less than a week in which rules could see.",
        ),
        "factors": _unless(
            bool((record.factors["verdict"] != "not tested").any()),
            "No possible cause could be tested: there is no change log, no segment that one cause "
            "would reach, and no labelled case with a dose.",
        ),
        "severity": _unless(len(spec.severity_rules) > 0, "severity_rules is empty."),
        "actions": _unless(len(spec.actions) > 0, "No action item is stated: actions is empty."),
        "revisions": _unless(
            earlier is not None,
            "This is the first revision, or previous_results does not name the earlier one.",
        ),
    }


def _unless(there: bool, reason: str) -> str:
    return "" if there else reason


def _counted(frame: pd.DataFrame) -> bool:
    return bool((frame["candidates"] > 0).any())


def _lacking(rows: AffectedRows, role: Role) -> str:
    return f"Nothing is known of it without {role}_source: {rows.missing.get(role, 'no rows')}."


def _dose(record: Postmortem, rows: AffectedRows) -> str:
    if len(record.doses):
        return ""
    if "affected" in rows.missing:
        return _lacking(rows, "affected")
    return (
        "The affected table has neither account_id nor customer_id, and there is no views_source: "
        "nothing says who was hit more than once."
    )


def _money(record: Postmortem, rows: AffectedRows) -> str:
    if record.estimates["net_loss_usd"].point is not None or "cost_usd" in record.estimates:
        return ""
    if "affected" in rows.missing:
        return _lacking(rows, "affected")
    if not rows.has_money:
        return "The affected table has no column gross, and unit_cost_usd is not set."
    return f"The amounts are there, the loss is not: {record.estimates['net_loss_usd'].note}."


def _lists(record: Postmortem, rows: AffectedRows) -> str:
    if record.lists:
        return ""
    if "affected" in rows.missing:
        return _lacking(rows, "affected")
    return "No list was written: lists_folder is not set, or there is nothing to put on one."
