"""Sections of a deep-dive in words: true for the result, with the reason where one is missing."""

import re
from dataclasses import replace

import pandas as pd
import pytest

from tests.figures.harm_results import bare, made
from trustlib.core import Estimate
from trustlib.narrative import harm as say
from trustlib.narrative.harm import words

NBSP = "\u00a0"
HOSTILE = '<img src=x onerror="alert(1)"> & \x00\u202e"'
WHERE = {
    "since_when": ("ledger", "ledger"),
    "who_is_behind": ("where__concentration", "where.concentration"),
    "where": ("where__segments", "where.segments"),
    "rate_or_mix": ("where__mix", "where.mix"),
    "how_it_works": ("how__lifecycles", "how.lifecycles"),
    "who_acts_together": ("how__coordination", "how.coordination"),
    "what_is_new": ("how__newly_frequent", "how.newly_frequent"),
    "what_controls_see": ("today__controls", "today.controls"),
    "what_nobody_sees": ("today__unseen", "today.unseen"),
    "what_is_left_out": ("where__survivorship", "where.survivorship"),
    "what_to_do_first": ("ranking", "ranking"),
}
SECTIONS = ("how_much", "are_labels_right", *WHERE)
CAPTIONS = tuple(name for name in say.__all__ if name.startswith("about_"))
EMPTY = {"where__segments": {}, "how__lifecycles": ()}


def plain(text: str) -> str:
    return text.replace(NBSP, " ")


def told(name: str, **changed) -> str:
    return plain(getattr(say, name)(made(**changed)).text)


def heading(name: str, **changed) -> str:
    return told(name, **changed).split("\n")[0]


def estimate(name: str, **values):
    result = made()
    return {"estimates": dict(result.estimates) | {name: replace(result.estimates[name], **values)}}


NONE = {"point": None, "low": None, "high": None, "standard_error": None,
        "note": "not estimable: two labels in all"}  # fmt: skip


@pytest.mark.parametrize("name", SECTIONS)
def test_every_heading_is_a_finding_without_a_full_stop(name) -> None:
    html = str(getattr(say, name)(made()).html)
    found = re.findall('<p class="finding">(.*?)</p>', html)
    assert len(found) == 1
    assert not found[0].endswith((".", "?"))
    assert found[0][0] == found[0][0].upper()


@pytest.mark.parametrize("name", SECTIONS)
def test_no_sentence_shows_what_only_code_would(name) -> None:
    text = told(name)
    for wrong in ("nan", "None", "inf", "_", "  ", "..", " ,", "{"):
        assert wrong not in text, text


@pytest.mark.parametrize("name", list(WHERE))
def test_a_missing_section_has_a_heading_and_the_reason(name) -> None:
    field, _ = WHERE[name]
    view = getattr(say, name)(made(**{field: EMPTY.get(field)}))
    first, rest = view.text.split("\n\n")
    assert first.endswith(("known", "ranked", "apart"))
    assert rest == "Nobody gave a source for this."
    assert '<p class="note">' in view.html


@pytest.mark.parametrize("name", list(WHERE))
def test_the_other_sections_stand_when_one_is_missing(name) -> None:
    field, _ = WHERE[name]
    result = made(**{field: EMPTY.get(field)})
    for other in SECTIONS:
        if other != name:
            assert "Nobody gave a source" not in getattr(say, other)(result).text


def test_with_nothing_but_items_every_section_says_why() -> None:
    result = bare()
    for name in WHERE:
        assert "Nobody gave a source for this." in getattr(say, name)(result).text
    assert "No floor is known" in say.how_much(result).text
    assert "How often labels are wrong is not known" in say.are_labels_right(result).text


def test_a_reason_that_nobody_gave_is_said_so() -> None:
    result = replace(made(ledger=None), why={})
    assert "There is nothing of it in the tables that were given." in say.since_when(result).text


@pytest.mark.parametrize("name", CAPTIONS)
def test_captions_and_alt_texts_are_sentences(name) -> None:
    about = getattr(say, name)(made())
    for text in about.values():
        assert text.endswith(".")
        assert text[0] == text[0].upper()
        assert "nan" not in text
        assert "None" not in text


@pytest.mark.parametrize("name", CAPTIONS)
def test_the_caption_of_a_missing_figure_is_the_reason(name) -> None:
    about = getattr(say, name)(bare())
    assert about["caption"] == "Nobody gave a source for this."
    assert "nothing to draw" in about["alt"]


def test_how_much_says_floor_and_estimate() -> None:
    result = made()
    text = plain(say.how_much(result).text)
    assert text.startswith("Scam is 4.8 % of views\n")
    assert "Of items it is 2.4 % (95 % interval 1.9 to 2.9 %)." in text
    found = result.size.confirmed
    assert f"Confirmed are {found.items} items from {found.accounts} accounts" in text
    assert "a floor" in text


def test_without_views_the_share_of_items_leads() -> None:
    text = told("how_much", **estimate("prevalence_views", **NONE))
    assert text.startswith("Scam is 2.4 % of items\n")
    assert "The share of views is not estimable: two labels in all." in text


def test_not_estimable_at_all() -> None:
    result = made()
    nothing = {name: replace(one, **NONE) for name, one in result.estimates.items()}
    text = told("how_much", estimates=nothing)
    assert text.startswith("How much scam there is, is not estimable\n\nTwo labels in all.")
    assert "accounts saw it" not in text


def test_a_move_with_a_change_of_the_instrument_is_not_attributable() -> None:
    ledger = made().ledger
    tied = ledger.moves[~ledger.moves["attributable"]]
    assert len(tied) == 1
    text = told("since_when", ledger=replace(ledger, moves=tied))
    assert "came with a change of the labelling: not attributable" in text.split("\n")[0]
    own = heading("since_when", ledger=replace(ledger, moves=ledger.moves.iloc[:1]))
    assert own == "The share of scam rose in the week of 29 Dec"


def test_a_move_without_any_ledger_may_be_the_measurement() -> None:
    ledger = made().ledger
    moves = ledger.moves.iloc[:1].assign(attributable=False, instrument="")
    assert heading("since_when", ledger=replace(ledger, moves=moves)) == (
        "The rise in the week of 29 Dec may be one of the measurement"
    )


def test_no_move_is_no_step() -> None:
    ledger = made().ledger
    found = heading("since_when", ledger=replace(ledger, moves=ledger.moves.iloc[:0]))
    assert found == "Scam: no clear step in the weekly share"


def test_who_is_behind_names_no_small_number() -> None:
    found = made().where.concentration
    half = replace(found.actors_behind_half, point=4, low=None, high=None, note="no interval: few")
    text = told("who_is_behind", where__concentration=replace(found, actors_behind_half=half))
    assert text.startswith("Fewer than 11 accounts of 199 are behind half of the confirmed items")
    assert " 4 " not in text


def test_nothing_confirmed_is_nobody_behind_it() -> None:
    found = replace(made().where.concentration, harm=0.0)
    assert heading("who_is_behind", where__concentration=found) == (
        "No account has a confirmed item"
    )


def test_where_names_the_segment_that_holds() -> None:
    text = told("where")
    row = made().where.search.segments.iloc[0]
    assert text.startswith(f"Market dogwood has {row['ratio']:.1f} times the share of everybody")
    assert f"The interval is {row['low']:.1f} to {row['high']:.1f} times." in text


def test_where_growth_was_confirmed_it_is_said() -> None:
    search = made().where.search
    growing = replace(search, of="growth")
    text = told("where", where__growing=growing, where__search=None)
    assert text.startswith("Market dogwood grew faster than the rest")
    row = growing.segments.iloc[0]
    assert f"grew {row['ratio']:.1f} times as fast as the others" in text
    both = told("where", where__growing=growing)
    assert both.startswith("Market dogwood has 4.3 times the share")
    assert "Market dogwood grew 4.3 times as fast as the others." in both


def test_growth_that_is_hardly_a_number_is_said_so() -> None:
    growing = made().where.search
    wide = replace(growing, of="growth", segments=growing.segments.assign(low=2.0, high=792.0))
    assert "read it as “more”, not as a number" in told("where", where__growing=wide)
    assert "read it as" not in told("where", where__growing=replace(growing, of="growth"))


def test_where_nothing_holds_the_highest_is_not_overclaimed() -> None:
    search = made().where.search
    none = replace(search, segments=search.segments.assign(confirmed=False), confirmed=0)
    text = told("where", where__search=none, where__growing=None)
    assert text.startswith("No segment stands out for sure")
    assert "the others may reach as far" in text
    assert "none of the differences held on the other half" in text


@pytest.mark.parametrize(
    ("change", "rate", "mix", "said"),
    [
        ((0.01, 0.005, 0.015), 0.008, 0.002, "mostly within the parts (rate)"),
        ((0.01, 0.005, 0.015), 0.002, 0.008, "mostly because parts with more of it grew (mix)"),
        ((-0.01, -0.015, -0.005), -0.002, -0.008, "parts with more of it shrank (mix)"),
        ((0.01, 0.005, 0.015), 0.005, 0.005, "as much by rate as by mix"),
        ((0.01, -0.005, 0.025), 0.009, 0.001, "No clear change from before to now"),
    ],
)
def test_rate_or_mix_says_which_and_only_of_a_clear_change(change, rate, mix, said) -> None:
    found = made().where.mix
    point, low, high = change
    moved = replace(
        found,
        change=replace(found.change, point=point, low=low, high=high),
        rate=replace(found.rate, point=rate, low=rate - 0.001, high=rate + 0.001),
        mix={"market": replace(found.rate, point=mix, low=mix - 0.001, high=mix + 0.001)},
    )
    assert said in heading("rate_or_mix", where__mix=moved)


def test_a_rate_part_that_may_be_zero_is_said_so() -> None:
    assert "it may all be mix" in told("rate_or_mix")
    found = made().where.mix
    clear = replace(found, rate=replace(found.rate, point=0.01, low=0.005, high=0.02))
    assert "it may all be mix" not in told("rate_or_mix", where__mix=clear)


def test_how_it_works_leads_with_the_time_to_action() -> None:
    text = told("how_it_works")
    action = made().how.lifecycles[1]
    assert text.startswith(f"Half of it is acted on within {action.median.point:.0f} hours")
    assert "half take at most 346 views (no interval)" in text


def test_a_stage_that_is_not_half_over_has_no_half() -> None:
    stages = tuple(
        replace(one, median=Estimate(point=None, low=None, high=None, level=0.95, unit="hours",
                                     method="m", n=one.n, note="not reached"))
        for one in made().how.lifecycles
    )  # fmt: skip
    text = told("how_it_works", how__lifecycles=stages)
    assert text.startswith("No stage is half over by the end of the data")
    assert "half take" not in text


def test_groups_in_singular_and_plural_and_none() -> None:
    found = made().how.coordination
    assert heading("who_acts_together") == "88 accounts act in four groups"
    one = replace(found, clusters=found.clusters.iloc[:1], members=found.members.iloc[:44])
    assert heading("who_acts_together", how__coordination=one) == "44 accounts act in one group"
    none = replace(found, clusters=found.clusters.iloc[:0], members=found.members.iloc[:0])
    text = told("who_acts_together", how__coordination=none)
    assert text.startswith("No group of accounts is tied beyond chance")
    assert "not proof of absence" in text


def test_new_tokens_in_singular_and_plural_and_none() -> None:
    found = made().how.newly_frequent
    assert heading("what_is_new") == "4 domains and 2 texts came more often than before"
    one = replace(found, tokens=found.tokens[found.tokens["kind"] == "domain"].iloc[:1])
    assert heading("what_is_new", how__newly_frequent=one) == (
        "1 domain came more often than before"
    )
    none = replace(found, tokens=found.tokens.iloc[:0], untestable=12)
    text = told("what_is_new", how__newly_frequent=none)
    assert text.startswith("No domain or text is more frequent than before")
    assert "12 were too rare to test." in text


def test_the_best_control_is_named_with_what_only_it_finds() -> None:
    found = made().today.controls
    best = max(found.recall, key=lambda one: one.point)
    at = found.recall.index(best)
    text = told("what_controls_see")
    assert f"found by {found.names[at].replace('_', ' ')}, {100 * best.point:.0f} %" in text
    assert f"{100 * found.alone[at].point:.0f} % is found by nothing else" in text
    assert "that is not recall" in text


def test_recall_that_is_not_estimable() -> None:
    found = made().today.controls
    none = replace(found, recall_of_controls=replace(found.recall_of_controls, **NONE))
    text = told("what_controls_see", today__controls=none)
    assert text == "What today's controls find is not estimable\n\nTwo labels in all."


def test_what_nobody_sees_is_a_lower_bound() -> None:
    text = told("what_nobody_sees")
    assert "or more are seen by no control" in text
    assert "lower bound" in text
    found = made().today.unseen
    low = replace(found, unseen_lower_bound=replace(found.unseen_lower_bound, low=0.0))
    assert "interval reaches up to 185" in told("what_nobody_sees", today__unseen=low)
    none = replace(found, unseen_lower_bound=replace(found.unseen_lower_bound, **NONE))
    text = told("what_nobody_sees", today__unseen=none)
    assert "no sign that there is nothing" in text


def test_labels_that_say_nothing() -> None:
    error = made().size.rater_error
    blind = replace(
        error,
        sensitivity=replace(error.sensitivity, point=0.2, low=0.1, high=0.3),
        specificity=replace(error.specificity, point=0.5, low=0.4, high=0.6),
    )
    found = heading("are_labels_right", size__rater_error=blind)
    assert found == "The labels do not tell violating items from others"


def test_labels_still_arriving_are_said() -> None:
    weeks = pd.DataFrame({"week": pd.to_datetime(["2026-03-16"], utc=True), "share": [0.4]})
    assert "Of the week of 16 Mar, 40 %" in told("are_labels_right", size__labels_arrived=weeks)
    whole = weeks.assign(share=1.0)
    assert "every week have arrived" in told("are_labels_right", size__labels_arrived=whole)


def test_missing_accounts_are_said_with_those_that_were_enforced() -> None:
    found = made().where.survivorship
    text = heading("what_is_left_out")
    assert text == (
        f"{100 * found.enforced_missing_share.point:.0f} % of enforced accounts have no row, "
        f"against {100 * found.other_missing_share.point:.1f} % of the others"
    )


def test_an_order_that_is_not_sure_is_said_so() -> None:
    ranking = made().ranking
    first = ranking.probability_first.copy()
    first[0] = 0.6
    text = told("what_to_do_first", ranking=replace(ranking, probability_first=first))
    assert "comes first, but the order is not sure" in text.split("\n")[0]
    assert "with a chance of 60 %" in text
    assert heading("what_to_do_first") == "Acting on scores from .85: most harm for each mistake"


def few_at_first():
    ranking = made().ranking
    few = replace(ranking.options[0].harm, point=4.0, low=1.0, high=9.0)
    return replace(ranking, options=(replace(ranking.options[0], harm=few), *ranking.options[1:]))


def test_an_option_that_addresses_next_to_nothing_does_not_lead() -> None:
    text = told("what_to_do_first", ranking=few_at_first())
    assert text.startswith("Act on every report: that comes first")
    assert "“Acting on scores from .85” has the better ratio, but addresses fewer than 11." in text


def test_the_option_that_addresses_most_is_named_beside_the_first() -> None:
    text = told("what_to_do_first")
    assert "Most is addressed by “acting on scores from .65”: 142 violating items" in text


def test_numbers_that_are_only_rough_are_said_so() -> None:
    wide = estimate("prevalence_views", low=0.001, high=0.09)
    assert heading("how_much", **wide) == "Scam is roughly 4.8 % (0.1 to 9 %) of views"
    found = made().today.controls
    rough = replace(found, recall_of_controls=replace(found.recall_of_controls, low=0.04))
    assert heading("what_controls_see", today__controls=rough).startswith(
        "What today's controls find is known only roughly: 59 % (4 to 66 %)"
    )
    unseen = made().today.unseen
    bound = replace(unseen.unseen_lower_bound, low=27, high=10_900)
    assert heading("what_nobody_sees", today__unseen=replace(unseen, unseen_lower_bound=bound)) == (
        "How much no control sees is hardly known: 27 to 10,900 violating items, or more"
    )


def test_levels_that_are_not_the_headlines_are_said_so() -> None:
    assert "read the change, not the levels" not in told("rate_or_mix")
    low = estimate("prevalence", point=0.002, low=0.0003, high=0.005)
    assert "rougher than the 0.2 % of the whole window" in told("rate_or_mix", **low)


@pytest.mark.parametrize(
    ("hours", "said"), [(0.1, "6 minutes"), (1.2, "1 hour"), (30, "30 hours"), (281, "12 days")]
)
def test_times_are_in_the_unit_that_a_person_would_use(hours, said) -> None:
    assert plain(words.duration(hours)) == said


def test_small_groups_are_not_counted_in_accounts() -> None:
    found = made().how.coordination
    few = replace(found, clusters=found.clusters.iloc[:2].assign(size=4, small=True),
                  members=found.members.iloc[:8])  # fmt: skip
    text = told("who_acts_together", how__coordination=few)
    assert text.startswith("Two groups of accounts act together, all of them small")
    assert "8" not in text


def test_names_from_data_are_escaped_and_cleaned() -> None:
    result = made()
    segments = {
        HOSTILE: result.where.segments["market"].assign(
            value=[HOSTILE, *result.where.segments["market"]["value"][1:]]
        )
    }
    search = result.where.search
    rows = search.segments.assign(
        segment=[f"market {HOSTILE}"] * len(search.segments),
        attributes=[{"market": HOSTILE}] * len(search.segments),
    )
    ledger = replace(result.ledger, moves=result.ledger.moves.assign(text=HOSTILE))
    hostile = made(
        spec=replace(result.spec, area=HOSTILE, segments=(HOSTILE,)),
        where__segments=segments,
        where__search=replace(search, segments=rows),
        ledger=ledger,
        today__controls=replace(
            result.today.controls, names=(HOSTILE, *result.today.controls.names[1:])
        ),
        ranking=replace(
            result.ranking,
            options=(
                replace(result.ranking.options[0], name=HOSTILE), *result.ranking.options[1:]
            ),
        ),
    )  # fmt: skip
    views = [getattr(say, name)(hostile) for name in SECTIONS]
    views += [say.answer(hostile, hostile.checks), say.what_to_do(hostile, hostile.checks)]
    for view in views:
        assert "<img" not in view.html
        assert not re.search("[\x00\u202e]", str(view.html) + view.text)
    for name in CAPTIONS:
        assert not re.search("[\x00\u202e]", "".join(getattr(say, name)(hostile).values()))
