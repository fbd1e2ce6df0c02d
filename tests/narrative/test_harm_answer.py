"""The top of a deep-dive: headline, points, what is asked, and what to do."""

from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from tests.figures.harm_results import bare, made
from trustlib.core import Check, Window
from trustlib.narrative import harm as say

NBSP = "\u00a0"
NONE = {"point": None, "low": None, "high": None, "standard_error": None,
        "note": "not estimable: two labels in all"}  # fmt: skip


def plain(text: str) -> str:
    return text.replace(NBSP, " ")


def answer(result, checks=None) -> str:
    return plain(say.answer(result, result.checks if checks is None else checks).text)


def without_numbers():
    result = made()
    return made(
        estimates={name: replace(one, **NONE) for name, one in result.estimates.items()},
        today__controls=None, today__unseen=None, ranking=None,
    )  # fmt: skip


def check(verdict: str, label: str, name: str = "x") -> Check:
    return Check(name=name, verdict=verdict, label=label, text=f"Because of {label}.")


def test_the_headline_sentence_has_number_interval_method_and_window() -> None:
    text = say.headline_sentence(made())
    assert text == (
        "Scam is 4.8 % of views, 2 Mar – 29 Mar 2026 (95 % interval 4 to 5.5 %; Rogan–Gladen, "
        "melded interval on the effective number of labels); the weekly share rose in the week of "
        "29 Dec."
    )
    assert NBSP not in text


def test_a_move_that_is_the_instruments_is_never_a_rise_in_the_headline() -> None:
    ledger = made().ledger
    tied = replace(ledger, moves=ledger.moves[~ledger.moves["attributable"]])
    text = say.headline_sentence(made(ledger=tied))
    assert text.endswith("the fall in the week of 16 Feb is not attributable.")
    assert "cannot be told from that change" in answer(made(ledger=tied))


def test_not_estimable_is_the_headline_where_nothing_can_be_told() -> None:
    result = without_numbers()
    assert say.headline_sentence(result) == (
        "Scam: the share of items and views is not estimable (two labels in all)."
    )
    text = answer(result)
    assert text.startswith("Not estimable\ntwo labels in all\nConfirmed are")
    assert "Quote no share yet" in text


def test_the_answer_has_strip_three_points_and_a_decision() -> None:
    view = say.answer(made(), made().checks)
    assert view.html.count("<li>") == 3
    assert 'class="headline"' in view.html
    assert "What we ask of you." in view.text
    assert "Decide on acting on scores from .85." in plain(view.text)


def test_the_headline_falls_back_to_items() -> None:
    result = made()
    views = replace(result.estimates["prevalence_views"], **NONE)
    found = made(estimates=dict(result.estimates) | {"prevalence_views": views})
    assert answer(found).startswith("2.4 % of items\n95 % interval 1.9 to 2.9 %\n")


def test_the_weakest_point_is_the_worst_check() -> None:
    checks = [check("pass", "fine"), check("warn", "so so"), check("fail", "broken")]
    text = answer(made(), checks)
    assert "Failed check. Broken: Because of broken." in text
    assert "Before that, judge what fails: “broken”." in text
    assert "Weakest point. So so: Because of so so." in answer(made(), checks[:2])
    assert "None of 1 checks found one." in answer(made(), checks[:1])
    assert "No assumption was tested." in answer(made(), [])


def test_a_lower_bound_is_the_weakest_point_only_where_nothing_else_is() -> None:
    bound = check("warn", "a lower bound", "capture_recapture")
    assert "Not tested. Open:" in answer(made(), [bound, check("not_run", "open")])
    assert "Weakest point. A lower bound:" in answer(made(), [bound, check("pass", "fine")])


def test_checks_in_the_answer_name_no_small_count() -> None:
    few = Check(name="positive_labels", verdict="warn", label="few", text="3 of 800 labels are.")
    assert "Fewer than 11 of 800 labels are." in answer(made(), [few])


def test_an_unsure_order_is_said_where_a_decision_is_asked() -> None:
    ranking = made().ranking
    first = ranking.probability_first.copy()
    first[0] = 0.55
    text = answer(made(ranking=replace(ranking, probability_first=first)))
    assert "the first is the best with a chance of 55 %." in text


def test_without_options_nothing_is_recommended() -> None:
    result = made(ranking=None)
    assert "No option could be weighed" in answer(result)
    text = say.what_to_do(result, result.checks).text
    assert text.startswith("Measure what could be done before choosing")


def test_what_to_do_follows_from_the_result() -> None:
    text = plain(say.what_to_do(made(), made().checks).text)
    assert text.startswith("Act on the first option, and measure again")
    assert "Quote 4.8 % of views with its 95 % interval, 4 to 5.5 %" in text
    assert "Credit nobody with a move" in text
    assert "a tie is no verdict" in text
    failed = plain(say.what_to_do(made(), [check("fail", "broken")]).text)
    assert failed.startswith("Mend what fails, then act")
    assert "Judge what fails: broken." in failed
    nothing = without_numbers()
    assert say.what_to_do(nothing, ()).text.startswith("Fund labels before anyone quotes")


def test_what_it_rests_on_names_labels_that_err() -> None:
    assert "random sample" in say.what_it_rests_on(made()).text
    unknown = made(size__rater_error=None)
    assert say.what_it_rests_on(unknown).text.endswith("labels whose errors are not known")


def test_checks_are_counted() -> None:
    text = say.can_we_believe_it([check("pass", "a"), check("fail", "b")]).text
    assert text == "One of two checks passes; one fails"


@pytest.mark.parametrize(
    ("start", "end", "zone", "said"),
    [
        ((2026, 3, 2), (2026, 3, 30), "UTC", "2 Mar – 29 Mar 2026"),
        ((2025, 12, 29), (2026, 1, 26), "UTC", "29 Dec 2025 – 25 Jan 2026"),
        ((2026, 3, 2, 6), (2026, 3, 30), "UTC", "2 Mar, 06:00 – 30 Mar 2026, 00:00 UTC"),
    ],
)
def test_the_period_is_days_where_it_starts_and_ends_at_midnight(start, end, zone, said) -> None:
    result = made()
    window = Window(datetime(*start, tzinfo=UTC), datetime(*end, tzinfo=UTC))
    spec = replace(result.spec, window=window, timezone=zone)
    assert plain(say.period(replace(result, spec=spec))) == said


def rows(n: int, roles: int, missing=(), checks=()):
    return SimpleNamespace(
        snapshots={f"role {at}": SimpleNamespace(rows=n) for at in range(roles)},
        missing=dict.fromkeys(missing, "nobody gave it"),
        checks=tuple(checks),
    )


def test_what_was_read_counts_rows_and_tables() -> None:
    assert say.what_was_read(rows(1, 1)).text == (
        "1 row was read from one table; nothing about them stands out"
    )
    text = say.what_was_read(rows(600, 3, ["view_labels"], [check("warn", "late rows")])).text
    assert text == (
        "1,800 rows were read from three tables; not given: view labels; to note: late rows"
    )


def test_the_answer_stands_with_nothing_but_items() -> None:
    text = answer(bare())
    assert "Whether it grows is not known." in text
    assert "What controls find. Not known: Nobody gave a source for this." in text
