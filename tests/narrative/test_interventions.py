"""Sentences about a rollout: right for every shape of result, made of the result's own numbers."""

import re
from dataclasses import replace

import pytest

from tests.figures import rollouts
from trustlib.core import Check, Estimate
from trustlib.figures import interventions as draw
from trustlib.narrative import interventions as say
from trustlib.narrative.interventions import words

NBSP = "\u00a0"
SHOWN, NOT_SHOWN = "effect shown", "no effect shown"
NOT_CONCLUSIVE, NOT_ESTIMABLE = "not conclusive", "not estimable"
SECTIONS = (
    "what_happened", "did_it_start_before", "where", "how_much_in_total",
    "does_it_hang_on_a_choice", "why_two_way_differs", "how_much_would_overturn_it",
    "is_it_chance", "who_and_when", "what_it_rests_on",
)  # fmt: skip


def plain(text: str) -> str:
    return text.replace(NBSP, " ")


def told(kind: str = "staggered", **estimates: dict) -> object:
    """The shape's result with changes to its estimates."""
    result = rollouts.result(kind)
    changed = dict(result.estimates)
    for name, values in estimates.items():
        changed[name] = replace(changed[name], **values)
    return replace(result, estimates=changed)


GOLDEN = {
    "staggered": "Effect shown: −1.13 complaints per 1,000 active accounts per treated unit and "
    "period (95 % interval −1.21 to −1.05), over 52 treated units and up to 10 periods; in total "
    "−1,730 complaints (−1,850 to −1,610).",
    "money": "Effect shown: −1.13 complaints per 1,000 active accounts per treated unit and period "
    "(95 % interval −1.21 to −1.05), over 52 treated units and up to 10 periods; in total −1,730 "
    "complaints (−1,850 to −1,610), $20,800 less in dollars.",
    "log": "Effect shown: −3.8 % in employment per treated unit and period (95 % interval −4.6 % "
    "to −3.1 %; −0.0392 log points), over 191 treated units and up to 4 periods; in total −11.4 "
    "units of the outcome (−13.7 to −9.1).",
    "few": "Not conclusive: −0.92 complaints per 1,000 active accounts per treated unit and period "
    "(95 % interval −1.25 to −0.60), over 4 treated units and 6 periods; in total −89 complaints "
    "(−120 to −57).",
    "none": "No effect shown: +0.0300 complaints per 1,000 active accounts per treated unit and "
    "period (95 % interval −0.0353 to +0.0953), over 52 treated units and up to 10 periods; in "
    "total +46 complaints (−54 to +146).",
    "nothing": "Not estimable: the effect on complaints per 1,000 active accounts has no number "
    "(no cohort has a period before and an untreated unit beside it).",
}


@pytest.mark.parametrize("kind", list(GOLDEN))
def test_the_headline_sentence(kind) -> None:
    assert say.headline_sentence(rollouts.result(kind)) == GOLDEN[kind]


@pytest.mark.parametrize("kind", list(rollouts.SHAPES))
def test_every_sentence_is_whole_escaped_and_says_no_nan(kind) -> None:
    result = rollouts.result(kind)
    views = [getattr(say, name)(result) for name in SECTIONS]
    views += [say.answer(result, result.checks), say.what_to_do(result, result.checks)]
    for view in views:
        html, text = str(view.html), view.text
        assert "<script" not in html
        assert "<img" not in html
        assert not re.search(r"\b(nan|inf)\b", text)
        assert not re.search(r" [.,;:](?!\d)|\(\)|  |\.\.", text), text
    for view in (getattr(say, name)(result) for name in SECTIONS):
        assert str(view.html).startswith('<p class="finding">')
        assert not view.text.splitlines()[0].endswith(".")


@pytest.mark.parametrize("kind", list(rollouts.SHAPES))
def test_every_figure_has_words_and_an_empty_one_its_reason(kind) -> None:
    result = rollouts.result(kind)
    for name in (n for n in say.__all__ if n.startswith("about_")):
        about = getattr(say, name)(result)
        assert about["alt"].endswith(".")
        assert about["caption"][:1] == about["caption"][:1].upper()
        assert not re.search(r"\bnan\b", f"{about['alt']} {about['caption']}"), name
        if kind == "many":
            continue
        empty = getattr(draw, name.removeprefix("about_"))(result) is None
        assert empty == (about["alt"] == about["caption"]), name


def test_the_sign_decides_between_fewer_and_more() -> None:
    less, more = (plain(say.answer(rollouts.result(k), ()).text) for k in ("staggered", "more"))
    assert "fell by 1.13 on average" in less
    assert "1,730 fewer complaints (95 % interval 1,610 to 1,850 fewer)" in less
    assert "rose by 1.90 on average" in more
    assert "more complaints" in more
    assert "fewer" not in more
    assert "24 % above" in more


def test_a_total_whose_interval_holds_zero_is_signed() -> None:
    text = plain(say.answer(rollouts.result("none"), ()).text)
    assert "In total that is +46 complaints (95 % interval −54 to +146)" in text
    finding = plain(say.how_much_in_total(rollouts.result("none")).text)
    assert finding.startswith("+46 complaints in total, and the interval holds zero")


def test_an_effect_on_a_logarithm_is_said_in_per_cent_and_log_points() -> None:
    text = plain(say.answer(rollouts.result("log"), ()).text)
    assert text.startswith("−3.8 % in employment\n95 % interval −4.6 % to −3.1 %")
    assert "−0.0392 log points" in text
    assert "employment fell by 3.8 %" in text
    spaced = rollouts.result("log", outcome_name="log teen employment")
    assert say.headline_sentence(spaced).startswith("Effect shown: −3.8 % in teen employment per")
    odd = rollouts.result("log", outcome_name="y")
    assert "the level behind y" in say.headline_sentence(odd)


def test_the_verdict_leads_where_the_number_must_not_stand_alone() -> None:
    def first(kind: str) -> list[str]:
        return plain(say.answer(rollouts.result(kind), ()).text).splitlines()[:2]

    assert first("staggered")[0] == "−1.13 complaints per 1,000 active accounts"
    assert first("none")[0] == "No effect shown"
    assert first("nothing")[0] == "Not estimable"
    assert first("few")[1].endswith("not conclusive")


def test_what_is_asked_follows_from_the_verdict() -> None:
    def asked(kind: str) -> str:
        result = rollouts.result(kind)
        return plain(say.ask(result, result.checks).text)

    assert "extend it to the 28 units that have not had it" in asked("staggered")
    assert "at the cautious end, −1.05" in asked("staggered")
    assert "“power of the pre-trend test”" in asked("staggered")
    assert "$20,800 less; at the cautious end, $19,300 less" in asked("money")
    assert "Do not credit the rollout" in asked("none")
    assert "Do not decide on −0.92 alone" in asked("few")
    assert "Quote no effect" in asked("nothing")
    assert "extend it" not in asked("none")


@pytest.mark.parametrize(
    ("point", "note", "sentence"),
    [
        (1.6, "n", "survives departures from parallel trends of up to 1.6 times"),
        (1.699, "n", "up to 1.6 times"),
        (0.379, "n", "is lost once trends differ by more than 0.37 times"),
        (None, "no bound that was tried brings zero into the interval", "survives every departure"),
    ],
)
def test_the_breakdown_value_in_words_is_never_rounded_up(point, note, sentence) -> None:
    result = told(breakdown_relative_magnitudes={"point": point, "note": note})
    assert sentence in plain(say.how_much_would_overturn_it(result).text)
    assert sentence in plain(say.points(result, ()).text)


def test_an_effect_that_holds_zero_has_nothing_to_survive() -> None:
    why = "the interval contains zero even if trends are parallel"
    result = told(breakdown_relative_magnitudes={"point": None, "note": why})
    assert say.how_much_would_overturn_it(result).text.startswith("The interval contains zero")
    assert "survives" not in say.points(replace(result, verdict=NOT_SHOWN), ()).text


def test_the_two_way_regression_is_quoted_alike_with_its_forbidden_share() -> None:
    result = rollouts.result("staggered")
    share = words.forbidden_share(result)
    bad = result.bacon[result.bacon["kind"].str.contains("forbidden")]
    assert share == pytest.approx(bad["weight"].sum())
    point, section = plain(say.points(result, ()).text), plain(say.why_two_way_differs(result).text)
    assert "would have said −0.508 (−0.570 to −0.445); do not use it: 14 % of its weight" in point
    assert "says −0.508 where the right comparisons say −1.13: 14 % of its weight" in section
    single = rollouts.result("single")
    assert "usual regression" not in say.points(single, ()).text
    assert "no forbidden comparison" in say.why_two_way_differs(single).text


def test_periods_before_that_leave_zero_are_counted() -> None:
    result = rollouts.result("staggered")
    assert "none of nine periods leaves zero" in say.did_it_start_before(result).text
    frame = result.event_study_universal.copy()
    frame.loc[:1, ["point", "band_low", "band_high"]] = (0.5, 0.1, 0.9)
    moved = replace(result, event_study_universal=frame)
    assert "two of nine periods leave zero" in say.did_it_start_before(moved).text
    failed = Check(name="pre_trend", verdict="fail", label="apart before", text="p < .001.")
    already = replace(result, checks=(failed,))
    assert "already moving apart" in say.did_it_start_before(already).text
    assert "already moving apart" in say.points(already, ()).text


def test_cohorts_are_counted_by_their_own_intervals() -> None:
    assert plain(say.where(rollouts.result("staggered")).text) == (
        "All four cohorts clearly fell, most the one from 2 Feb 2026 (−1.3)"
    )
    assert say.where(rollouts.result("none")).text == (
        "None of four cohorts clearly moved on its own"
    )


def test_placebos_and_re_assignments_in_one_line() -> None:
    text = plain(say.is_it_chance(rollouts.result("few")).text)
    assert text == (
        "Re-assigned start dates seldom did as much (p = .03); none of five earlier placebo starts "
        "shows an effect"
    )
    often = told("few", randomization_p_value={"point": 0.31})
    assert "often did as much (p = .31)" in plain(say.is_it_chance(often).text)
    assert say.is_it_chance(rollouts.result("nothing")).text.startswith("No placebo")


def test_estimators_that_disagree_on_the_direction_are_said_to() -> None:
    result = rollouts.result("staggered")
    assert say.does_it_hang_on_a_choice(result).text.startswith("All three estimators")
    frame = result.comparison.copy()
    frame.loc[1, "point"] = 0.7
    other = say.does_it_hang_on_a_choice(replace(result, comparison=frame)).text
    assert "disagree on the direction" in other
    frame = result.comparison.copy()
    frame.loc[3, "point"] = 0.7  # the two-way regression does not count
    same = say.does_it_hang_on_a_choice(replace(result, comparison=frame)).text
    assert same.startswith("All three estimators")


def test_no_number_is_quoted_without_an_interval_but_with_its_reason() -> None:
    why = "no interval: one treated cluster"
    result = told(att={"low": None, "high": None, "standard_error": None, "note": why})
    text = plain(say.answer(replace(result, verdict=NOT_ESTIMABLE), ()).text)
    assert text.startswith("Not estimable\n−1.1 complaints")
    assert "no 95 % interval: one treated cluster" in text
    assert "In total" not in text


def test_the_reason_of_an_empty_figure_is_the_check_s() -> None:
    result = rollouts.result("staggered")
    assert say.about_randomization(result)["caption"] == (
        "No re-assignment of start dates: 80 clusters are enough for cluster-robust errors."
    )
    gaps = rollouts.result("staggered", balanced=False)
    assert "needs a panel without gaps; 37" in plain(say.about_bacon_scatter(gaps)["caption"])


def test_numbers_of_money_have_no_sign_unless_zero_is_possible() -> None:
    assert words.less(-78_000, -91_000, -65_100) == ("$78,000 less", "$65,100 to $91,000 less")
    assert words.less(78_000, 65_100, 91_000)[0] == "$78,000 more"
    assert words.less(-5.0, -12.0, 2.0)[0].startswith("−$")


def test_the_smallest_detectable_effect_is_said_where_nothing_is_shown() -> None:
    text = plain(say.answer(rollouts.result("none"), ()).text)
    assert "an effect smaller than 0.0933 would probably have gone unseen" in text


def test_estimates_that_are_missing_leave_their_sentence_out() -> None:
    result = rollouts.result("staggered")
    only: dict[str, Estimate] = {"att": result.estimates["att"]}
    bare = replace(result, estimates=only)
    text = say.answer(bare, ()).text
    assert "In total" not in text
    for name in SECTIONS:
        assert getattr(say, name)(bare).text


def test_a_line_without_a_band_does_not_promise_one() -> None:
    result = rollouts.result("staggered")
    plain = replace(
        result, counterfactual=result.counterfactual.assign(low=float("nan"), high=float("nan"))
    )
    assert "Band: 95" in say.about_observed_and_counterfactual(result)["caption"]
    assert "No band" in say.about_observed_and_counterfactual(plain)["caption"]
