"""The kinds of value that a deep-dive has: names that data use, segments, harm types, scores.

As in `trustlib.params.fields`, each refuses what is almost right with the cure in the message.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from trustlib.core.errors import Refusal
from trustlib.core.identifiers import identifies
from trustlib.params.fields import fault, kind, line_of_text, listed

# What is known of each item; a taxonomy may be counted in accounts and dollars as well.
CountedIn = Literal["items", "views"]
_MOST, _LONGEST = 50, 80
_MOST_SEGMENTS = 8
_HARM = "{name: investment scam, policies: [scam_investment], severity: 3, counted_in: views}"

# Columns of items and accounts that say who, what or when, and so are no segments.
KEYS = frozenset(
    {"item_id", "account_id", "view_id", "viewer_id", "rater_id", "action_id", "token"}
    | {"url_domain", "text_hash", "created_at", "ip_block"}
)
# A column whose name ends in one of these words holds a value for each item or account.
_KEY_WORDS = ("id", "ids", "uuid", "guid", "hash", "token", "email", "phone", "ip", "domain", "url")
# What the reading itself calls a column that stands beside the segments.
OWN = frozenset(
    {"item", "actor", "stratum", "inclusion", "label", "n_votes", "ties", "policy", "views"}
    | {"score", "in_window", "seen_at", "domain", "reported", "confirmed", "before", "now"}
    | {"items", "segment", "value", "all"}
)


@dataclass(frozen=True, kw_only=True)
class Harm:
    """One kind of harm, as `trustlib.harm.taxonomy` weighs it.

    Attributes
    ----------
    name
        For a reader.
    policies
        As the labels write them.
    severity
        What one of `counted_in` weighs, above 0, in harm_unit.
    counted_in
        "items" or "views".
    """

    name: str
    policies: tuple[str, ...]
    severity: float
    counted_in: CountedIn


def one_name(value: str) -> str:
    """A text that stands in the report: nobody's address, telephone, key or token."""
    if identifies(value):
        raise fault(
            "looks like an identifier of a person or an account (not shown), and what is asked "
            "here is kept with the report",
            next_step="write a name; leave out in a .sql source what is not to be counted",
        )
    return value


def names(value: Any) -> tuple[str, ...]:
    """A list of texts, each once."""
    found = listed(value, "texts", example='["scam_rule"]', most=_MOST, fewer="name fewer")
    made: list[str] = []
    for number, item in enumerate(found, start=1):
        name = _name(item, f"item {number}")
        if name in made:
            raise fault(
                f"item {number} is the same as item {made.index(name) + 1}",
                next_step="keep one of the two",
            )
        made.append(name)
    return tuple(made)


def segment_names(value: Any, *, own: frozenset[str] = OWN) -> tuple[str, ...]:
    """A list of columns by which to count: none that tells items or accounts apart, and none of
    the names that the reading itself needs (`own`)."""
    made = names(value)
    listed(made, "texts", example="[]", most=_MOST_SEGMENTS, fewer="name fewer columns")
    for number, name in enumerate(made, start=1):
        low = name.lower()
        if low in KEYS or low.rsplit("_", 1)[-1] in _KEY_WORDS:
            raise fault(
                f"item {number} names a column that tells single items or accounts apart, and "
                "values of segments are shown",
                next_step="name a column that many accounts have in common, such as market; where "
                "this is one, call it otherwise in a .sql source",
            )
        if low in own or low.startswith("control:"):
            raise fault(
                f"item {number} is a name that the report needs for itself",
                next_step="call the column otherwise in a .sql source",
            )
    return made


def scores(value: Any) -> tuple[float, ...]:
    """A list of numbers, each greater than the one before."""
    found = listed(value, "numbers", example="[0.5, 0.8]", most=_MOST, fewer="name fewer")
    made: list[float] = []
    for number, item in enumerate(found, start=1):
        if isinstance(item, bool) or not isinstance(item, (int, float)):
            raise fault(f"item {number} is {kind(item)}", next_step="write plain numbers")
        if not abs(item) <= 1e9:  # neither is what is no number
            raise fault(
                f"item {number} is not between −1e9 and 1e9", next_step="write a score as it is"
            )
        if made and item <= made[-1]:
            raise fault(
                f"item {number} is not above item {number - 1}",
                next_step="write them in ascending order, each once",
            )
        made.append(float(item))
    return tuple(made)


def harm_types(value: Any) -> tuple[Harm, ...]:
    """A list of mappings with name and policies, perhaps severity and counted_in."""
    given = listed(
        value, "harm types", example=f"[{_HARM}]", most=_MOST, fewer="put harm types together"
    )
    if not given:
        return ()
    plain = [_harm_again(item) for item in given]
    # The rules are the subject's own; its arrays are loaded only for who asks for harm types.
    from trustlib.harm.taxonomy import taxonomy

    try:
        found = taxonomy({"unit": "points", "harms": plain})
    except Refusal as error:
        place = re.sub(r"^taxonomy, (?:harm (?=\d))?", "", error.where or "")
        raise fault(
            f"item {place}: {error.what}" if place[:1].isdigit() else f"{place}: {error.what}",
            nearest=error.nearest,
            next_step=error.next_step or f"write for example {_HARM}",
        ) from None
    for number, harm in enumerate(found.harms, start=1):
        for text, part in [(harm.name, "name"), *((each, "policies") for each in harm.policies)]:
            _name(text, f"item {number}, {part}")
    return tuple(
        Harm(
            name=harm.name,
            policies=harm.policies,
            severity=harm.severity,
            counted_in=_counted_in(harm.counted_in, number),
        )
        for number, harm in enumerate(found.harms, start=1)
    )


def _counted_in(unit: str, number: int) -> CountedIn:
    if unit == "items":
        return "items"
    if unit == "views":
        return "views"
    raise fault(
        f"item {number} is counted in {unit}, and of each item its views alone are known",
        next_step="count it in items or views, and let severity say what one of them weighs",
    )


def _harm_again(item: Any) -> Any:
    return vars(item) if isinstance(item, Harm) else item


def _name(value: Any, which: str) -> str:
    if not isinstance(value, str):
        raise fault(
            f"{which} is {kind(value)}", next_step="put it in quotes, as the source writes it"
        )
    if not value:
        raise fault(f"{which} is empty", next_step="write it, or take it out")
    if len(value) > _LONGEST:
        raise fault(f"{which} is longer than {_LONGEST} characters", next_step="write it shorter")
    try:
        return one_name(line_of_text(value))
    except PydanticCustomError as error:
        context = error.context or {}
        raise fault(f"{which} {context['what']}", next_step=context["next_step"]) from None


_TEXTS = {"type": "array", "items": {"type": "string", "minLength": 1}, "uniqueItems": True}
Names = Annotated[
    tuple[str, ...], BeforeValidator(names), WithJsonSchema(_TEXTS | {"maxItems": _MOST})
]
SEGMENTS_SCHEMA = _TEXTS | {"maxItems": _MOST_SEGMENTS}
Segments = Annotated[
    tuple[str, ...], BeforeValidator(segment_names), WithJsonSchema(SEGMENTS_SCHEMA)
]
Scores = Annotated[
    tuple[float, ...],
    BeforeValidator(scores),
    WithJsonSchema(
        {"type": "array", "items": {"type": "number"}, "uniqueItems": True, "maxItems": _MOST}
    ),
]
Harms = Annotated[
    tuple[Harm, ...],
    BeforeValidator(harm_types),
    WithJsonSchema(
        {
            "type": "array",
            "maxItems": _MOST,
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["name", "policies"],
                "properties": {
                    "name": {"type": "string", "minLength": 1},
                    "policies": _TEXTS | {"minItems": 1},
                    "severity": {"type": "number", "exclusiveMinimum": 0},
                    "counted_in": {"enum": ["items", "views"]},
                },
            },
        }
    ),
]
