"""A real result with each table absent in turn: every sentence and table of the page stands."""

import re

import pytest

from tests.harm.deep_dive.worlds import SPEC, without, world
from trustlib.harm.deep_dive.dive import deep_dive
from trustlib.narrative import harm as say
from trustlib.tables import harm as tabulate
from trustlib.tables.harm_assumptions import assumptions

ROLES = (
    "accounts", "views", "scores", "labels", "view_labels", "gold", "actions", "appeals",
    "reports", "links", "ledger",
)  # fmt: skip
OF_RESULT = (
    "how_much", "since_when", "who_is_behind", "where", "rate_or_mix", "how_it_works",
    "who_acts_together", "what_is_new", "what_controls_see", "what_nobody_sees",
    "are_labels_right", "what_is_left_out", "what_to_do_first", "what_it_rests_on",
)  # fmt: skip
TABLES = tuple(
    name for name in tabulate.__all__ if name not in ("checks", "health", "sources", "statement")
)
SMALL = re.compile(
    "(?<![\\d.,−–/])\\b(?:[1-9]|10)[ \u00a0](?:[a-z]+[ \u00a0])?"
    "(?:accounts?|items?|labels?|viewers?|votes?|people)\\b"
)


def page(*absent: str) -> list[str]:
    """Every text of a page."""
    made = world(1)
    rows = without(made[0] if isinstance(made, tuple) else made, *absent)
    result = deep_dive(rows, SPEC)
    texts = [say.headline_sentence(result), say.answer(result, result.checks).text]
    texts += [say.what_to_do(result, result.checks).text, say.what_was_read(rows).text]
    texts += [say.can_we_believe_it(result.checks).text]
    texts += [getattr(say, name)(result).text for name in OF_RESULT]
    abouts = [name for name in say.__all__ if name.startswith("about_")]
    texts += [" ".join(getattr(say, name)(result).values()) for name in abouts]
    texts += [getattr(tabulate, name)(result).text for name in TABLES]
    texts += [tabulate.checks(result.checks).text, tabulate.health(rows).text]
    return [*texts, assumptions(result, result.checks).text]


@pytest.mark.parametrize("absent", [(), *((role,) for role in ROLES), ROLES])
def test_the_page_stands_whatever_table_is_absent(absent) -> None:
    for text in page(*absent):
        assert text.strip()
        assert not re.search(r"\bnan\b|\bNone\b(?! of)|\binf\b|\bNaT\b|[{}]", text), text
        assert not SMALL.search(text.replace("ewer than 11", "few")), text


def test_without_labels_the_floor_and_the_accounts_behind_it_stand() -> None:
    texts = "\n".join(page("labels"))
    assert "Confirmed are" in texts
    assert "are behind half of the confirmed items" in texts
    assert "There is nothing of labels: no source was given." in texts


def test_with_nothing_but_items_a_labelling_round_is_asked_for() -> None:
    texts = page(*ROLES)
    assert "is not estimable (there is nothing of views: no source was given)" in texts[0]
    assert "Quote no share yet. Decide on a labelling round" in texts[1]
