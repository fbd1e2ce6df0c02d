"""The kinds of value that a question about few treated units has: units, periods, predictors.

As in `trustlib.params.fields`, each refuses what is almost right with the cure in the message.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from trustlib.params.fields import fault, kind, listed
from trustlib.params.mappings import about, line, parts, text

_MOST_UNITS, _MOST_PREDICTORS = 10_000, 50
_LONGEST = {"unit": 200, "period": 40, "column": 128, "name": 80}
_PARTS = ("column", "first", "last", "name")
_EXAMPLE = "{column: retail_price, first: 1980, last: 1988}"


@dataclass(frozen=True, kw_only=True)
class PredictorColumn:
    """A predictor of the outcome: a column's mean over some periods before treatment.

    Attributes
    ----------
    column
        Of the source; the outcome's own for lagged outcomes.
    first, last
        Periods, both included, written as in the time column.
    name
        For a reader; None: the column's name and the periods.
    """

    column: str
    first: int | str
    last: int | str
    name: str | None = None


def unit_names(value: Any) -> tuple[str, ...]:
    """A list of units' names, each once; whole numbers as text."""
    given = listed(value, "names", example='["mint"]', most=_MOST_UNITS, fewer="name fewer units")
    names: list[str] = []
    for number, item in enumerate(given, start=1):
        if isinstance(item, int) and not isinstance(item, bool):
            item = str(item)
        if not isinstance(item, str):
            raise fault(
                f"name {number} is {kind(item)}",
                next_step="put it in quotes, as the source writes it",
            )
        names.append(line(item, f"name {number}", longest=_LONGEST["unit"]))
    for number, name in enumerate(names, start=1):
        if name in names[: number - 1]:
            raise fault(f"name {number} is there twice", next_step="keep one of the two")
    return tuple(names)


def period(value: Any) -> int | str:
    """A period as the time column writes it: a whole number, or text such as a date."""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, int) and not isinstance(value, bool):
        if abs(value) >= 10**15:
            raise fault("is no period: it has more than 15 digits", next_step="write it shorter")
        return value
    if not isinstance(value, str):
        raise fault(
            f"needs a period (a whole number or a date), not {kind(value)}",
            next_step='write it as the time column does, for example 1989 or "2026-01-05"',
        )
    return line(value, "", longest=_LONGEST["period"])


def predictor_columns(value: Any) -> tuple[PredictorColumn, ...]:
    """A list of mappings with column, first, last and perhaps name."""
    given = listed(
        value,
        "predictors",
        example=f"[{_EXAMPLE}]",
        most=_MOST_PREDICTORS,
        fewer="choose fewer predictors",
    )
    made: list[PredictorColumn] = []
    for number, item in enumerate(given, start=1):
        if not isinstance(item, PredictorColumn):
            item = _predictor(item, f"item {number}")
        for earlier, other in enumerate(made, start=1):
            _differ(other, item, earlier, number)
        made.append(item)
    return tuple(made)


def _predictor(given: Any, which: str) -> PredictorColumn:
    item = parts(
        given,
        which,
        thing="a predictor",
        has="a column, a first and a last period",
        names=_PARTS,
        needed=("column", "first", "last"),
        example=_EXAMPLE,
    )
    made = PredictorColumn(
        column=_text(item["column"], f"{which}, column", "column"),
        first=_within(item["first"], f"{which}, first"),
        last=_within(item["last"], f"{which}, last"),
        name=None if item.get("name") is None else _text(item["name"], f"{which}, name", "name"),
    )
    if reversed_periods(made.first, made.last):
        raise fault(f"{which}: first comes after last", next_step="swap the two")
    return made


def _differ(one: PredictorColumn, other: PredictorColumn, first: int, second: int) -> None:
    if (one.column, one.first, one.last) == (other.column, other.first, other.last):
        raise fault(
            f"item {second} is the same as item {first}: column and periods",
            next_step="take one of the two out",
        )
    if one.name is not None and one.name == other.name:
        raise fault(
            f"item {second} has the name of item {first}",
            next_step="give each predictor a name of its own, or none",
        )


def reversed_periods(first: int | str | None, last: int | str | None) -> bool:
    """Whether `first` is known to come after `last`: dates are compared on the axis only."""
    return isinstance(first, int) and isinstance(last, int) and first > last


def _within(value: Any, which: str) -> int | str:
    try:
        return period(value)
    except PydanticCustomError as error:
        raise about(error, which) from None


def _text(value: Any, which: str, what: str) -> str:
    return text(value, which, longest=_LONGEST[what])


_PERIOD_SCHEMA = {"anyOf": [{"type": "integer"}, {"type": "string", "minLength": 1}]}
UnitNames = Annotated[
    tuple[str, ...],
    BeforeValidator(unit_names),
    WithJsonSchema(
        {
            "type": "array",
            "items": {"anyOf": [{"type": "string", "minLength": 1}, {"type": "integer"}]},
            "uniqueItems": True,
        }
    ),
]
Period = Annotated[int | str, BeforeValidator(period), WithJsonSchema(_PERIOD_SCHEMA)]
Predictors = Annotated[
    tuple[PredictorColumn, ...],
    BeforeValidator(predictor_columns),
    WithJsonSchema(
        {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["column", "first", "last"],
                "properties": {
                    "column": {"type": "string", "minLength": 1},
                    "first": _PERIOD_SCHEMA,
                    "last": _PERIOD_SCHEMA,
                    "name": {"anyOf": [{"type": "string", "minLength": 1}, {"type": "null"}]},
                },
            },
        }
    ),
]
