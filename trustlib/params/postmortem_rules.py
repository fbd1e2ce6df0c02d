"""The rules that a postmortem has: how severe the incident was, and which alert sees the next.

As in `trustlib.params.fields`, each refuses what is almost right with the cure in the message.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal, cast, get_args

from pydantic import BeforeValidator, WithJsonSchema

from trustlib.params.fields import fault, listed
from trustlib.params.mappings import (
    MOST,
    TEXT_SCHEMA,
    again,
    choice,
    finite,
    parts,
    rows_schema,
    told,
    unlike,
)

AlertKind = Literal["threshold", "rate_of_change", "cusum"]
AlertStatus = Literal["existing", "proposed"]

_LONGEST = {"severity": 40, "name": 80}
_RULE = "{severity: SEV1, measure: false_positives, at_least: 1000}"
_ALERT = "{name: rule actions an hour, kind: threshold, value: 60, status: proposed}"


@dataclass(frozen=True, kw_only=True)
class SeverityRule:
    """`severity` holds where the estimate `measure` is at least `at_least`."""

    severity: str
    measure: str
    at_least: float


@dataclass(frozen=True, kw_only=True)
class Alert:
    """A rule to be tried on the history; `value` is what its kind compares with."""

    name: str
    kind: AlertKind
    value: float
    status: AlertStatus


def severity_rules(value: Any) -> tuple[SeverityRule, ...]:
    """A list of mappings with severity, measure and at_least, the most severe first."""
    given = listed(
        value, "severity rules", example=f"[{_RULE}]", most=MOST, fewer="keep those that decide"
    )
    made: list[SeverityRule] = []
    for number, item in enumerate(given, start=1):
        rule = _rule(item, f"item {number}")
        for earlier, other in enumerate(made, start=1):
            if rule == other:
                raise fault(
                    f"item {number} is the same as item {earlier}",
                    next_step="keep one of the two",
                )
            if rule.measure == other.measure and rule.at_least >= other.at_least:
                raise fault(
                    f"item {number} never decides: wherever it holds, item {earlier} holds as "
                    "well and comes first",
                    next_step="write the most severe first, with the highest at_least of a measure",
                )
        made.append(rule)
    return tuple(made)


def _rule(given: Any, which: str) -> SeverityRule:
    item = parts(
        again(given),
        which,
        thing="a severity rule",
        has="a severity, a measure and a least value (at_least)",
        names=("severity", "measure", "at_least"),
        needed=("severity", "measure", "at_least"),
        example=_RULE,
    )
    # The names are the subject's own; they are asked for where there is a rule.
    from trustlib.postmortem.measures import MEASURES

    return SeverityRule(
        severity=told(item, "severity", which, longest=_LONGEST["severity"]),
        measure=choice(item["measure"], f"{which}, measure", MEASURES),
        at_least=finite(item["at_least"], f"{which}, at_least"),
    )


def alerts(value: Any) -> tuple[Alert, ...]:
    """A list of mappings with name, kind, value and perhaps status."""
    given = listed(value, "alerts", example=f"[{_ALERT}]", most=MOST, fewer="try fewer")
    made: list[Alert] = []
    for number, item in enumerate(given, start=1):
        alert = _alert(item, f"item {number}")
        unlike(alert.name, [each.name for each in made], number, "name")
        made.append(alert)
    return tuple(made)


def _alert(given: Any, which: str) -> Alert:
    item = parts(
        again(given),
        which,
        thing="an alert",
        has="a name, a kind and a value",
        names=("name", "kind", "value", "status"),
        needed=("name", "kind", "value"),
        example=_ALERT,
    )
    sort = choice(item["kind"], f"{which}, kind", get_args(AlertKind))
    level = finite(item["value"], f"{which}, value")
    if level < 0 or (level == 0 and sort != "threshold"):
        least = "at least 0" if sort == "threshold" else "greater than 0"
        raise fault(
            f"{which}, value must be {least} for an alert of kind {sort}",
            next_step=f"write for example {_ALERT}",
        )
    status = "proposed" if item.get("status") is None else item["status"]
    return Alert(
        name=told(item, "name", which, longest=_LONGEST["name"]),
        kind=cast(AlertKind, sort),
        value=level,
        status=cast(AlertStatus, choice(status, f"{which}, status", get_args(AlertStatus))),
    )


class _RulesSchema:
    """So that editors complete the measures, which are loaded for who asks for the schema."""

    def __get_pydantic_json_schema__(self, core_schema: Any, handler: Any) -> dict[str, Any]:
        from trustlib.postmortem.measures import MEASURES

        properties = {
            "severity": TEXT_SCHEMA,
            "measure": {"enum": list(MEASURES)},
            "at_least": {"type": "number"},
        }
        return rows_schema(list(properties), properties)


Rules = Annotated[tuple[SeverityRule, ...], BeforeValidator(severity_rules), _RulesSchema()]
Alerts = Annotated[
    tuple[Alert, ...],
    BeforeValidator(alerts),
    WithJsonSchema(
        rows_schema(
            ("name", "kind", "value"),
            {
                "name": TEXT_SCHEMA,
                "kind": {"enum": list(get_args(AlertKind))},
                "value": {"type": "number", "minimum": 0},
                "status": {"enum": list(get_args(AlertStatus))},
            },
        )
    ),
]
