"""All checks of a deep-dive, each name once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from trustlib.core import Check
from trustlib.harm.deep_dive.result import How, Size, Today, Where
from trustlib.harm.instrument_ledger import InstrumentLedger
from trustlib.harm.options import Ranking


def all_checks(
    *,
    read: Iterable[Check],
    size: Size,
    of_size: Iterable[Check],
    ledger: InstrumentLedger | None,
    where: Where,
    how: How,
    today: Today,
    ranking: Ranking | None,
) -> tuple[Check, ...]:
    """In the order of the page; of views, of growth and of lifecycles with a suffix.

    `read` are those of the reading, `of_size` those of `trustlib.harm.deep_dive.size`. Where both
    the reading and a section check the same, the section's stands: it knows more.
    """
    found = [
        *_of(size.items),
        *_of(size.views, "views"),
        *_of(size.rater_error),
        *_of(size.items_corrected),
        *_of(size.views_corrected, "views"),
        *_of(size.prediction_powered),
        *_of(size.agreement),
        *of_size,
        *_of(ledger),
        *_of(where.mix),
        *_of(where.search),
        *_of(where.growing, "growth"),
        *_of(where.concentration),
        *_of(where.survivorship),
    ]
    for one in how.lifecycles:
        found += _of(one, one.stage.name)
    found += [
        *_of(how.coordination),
        *_of(today.controls),
        *_of(today.overturns),
        *_of(today.unseen),
        *_of(ranking),
    ]
    of_sections = {check.name for check in found}
    return _once([*(one for one in read if one.name not in of_sections), *found])


def _of(section: object, suffix: str = "") -> list[Check]:
    """Its `checks`, or its `check`; none of what is not there."""
    if section is None:
        return []
    made = getattr(section, "checks", None) or (section.check,)  # type: ignore[attr-defined]
    return [replace(one, name=f"{one.name}_{suffix}") if suffix else one for one in made]


def _once(found: Iterable[Check]) -> tuple[Check, ...]:
    """A name that is taken gets a number: 2, 3, …"""
    kept: dict[str, Check] = {}
    for check in found:
        name, number = check.name, 2
        while name in kept:
            name, number = f"{check.name}_{number}", number + 1
        kept[name] = replace(check, name=name)
    return tuple(kept.values())
