"""Sentences about one treated market: right for every shape, made of the result's own numbers."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.figures import synthetic as drawn
from tests.narrative import synth_results as made
from trustlib.core import Check
from trustlib.figures import intervention_synth as draw
from trustlib.narrative import intervention_synth as say
from trustlib.narrative.intervention_synth import donors, words

NBSP = "\u00a0"
SECTIONS = (
    "what_happened", "is_it_chance", "how_much_in_total", "who_is_the_synthetic",
    "would_another_say_the_same", "does_it_hang_on_a_choice", "what_it_rests_on",
)  # fmt: skip
ABOUT = tuple(name for name in say.__all__ if name.startswith("about_"))


def plain(text: str) -> str:
    return text.replace(NBSP, " ")


def answer(kind: str, **changes) -> str:
    result = made.result(kind, **changes)
    return plain(say.answer(result, result.checks).text)


def section(name: str, kind: str, **changes) -> str:
    return plain(getattr(say, name)(made.result(kind, **changes)).text)


def told(kind: str, **estimates: dict) -> object:
    """The shape's result with changes to its estimates."""
    result = made.result(kind)
    changed = dict(result.estimates)
    for name, values in estimates.items():
        changed[name] = replace(changed[name], **values)
    return replace(result, estimates=changed)


GOLDEN = {
    "one_market": "Effect shown: −20 packs per head and year, per period in California "
    "(95 % interval −32 to −8; synthetic control with predictors; ranks of 38 placebos in space, "
    "each relative to its fit), over 12 periods from 1989 on; in total −240 packs per head "
    "(−384 to −96).",
    "money": "Effect shown: −1.9 reports per 1,000 active accounts, per period in mint "
    "(95 % interval −2.5 to −1.3; synthetic difference-in-differences; standard deviation of 24 "
    "placebos in space, Student's t), over 26 periods from 5 Jan 2026 on; in total −40,500 "
    "reports (−53,300 to −27,700), $170,000 less ($116,000 to $224,000 less).",
    "alone": "A change, cause not shown: −12 packs per head and year, per period in California "
    "(95 % interval −18 to −6; interrupted time series, no comparison; Student's t, errors that "
    "allow for autocorrelation), over 12 periods from 1989 on; in total −144 packs per head "
    "(−216 to −72).",
    "none": "No effect shown: +1 packs per head and year, per period in California (95 % interval "
    "−11 to +13; synthetic control on past outcomes; ranks of 38 placebos in space, each relative "
    "to its fit), over 12 periods from 1989 on; in total +12 packs per head (−132 to +156).",
}


@pytest.mark.parametrize("kind", list(GOLDEN))
def test_the_headline_sentence(kind) -> None:
    assert say.headline_sentence(made.result(kind)) == GOLDEN[kind]


@pytest.mark.parametrize("kind", list(made.SHAPES))
def test_the_headline_has_verdict_method_and_interval_or_its_reason(kind) -> None:
    result = made.result(kind)
    sentence = say.headline_sentence(result)
    att = result.estimates["att"]
    assert sentence.startswith(result.verdict.capitalize())
    assert att.point is None or att.method in sentence
    if att.point is not None:
        spread = "95 % interval" if att.low is not None else "no interval: 2 placebos"
        assert spread in sentence
    assert NBSP not in sentence


@pytest.mark.parametrize("kind", list(made.SHAPES))
def test_every_sentence_is_whole_escaped_and_says_no_nan(kind) -> None:
    result = made.result(kind)
    views = [getattr(say, name)(result) for name in SECTIONS]
    views += [say.answer(result, result.checks), say.what_to_do(result, result.checks)]
    for view in views:
        html, text = str(view.html), view.text
        assert "<script" not in html
        assert "<img" not in html
        assert "<b>" not in html
        assert not re.search(r"\b(nan|inf|NaN)\b", text)
        assert not re.search(r" [.,;:](?!\d)|\(\)|  |\.\.", text), text
        assert "never printed" not in text
    for view in (getattr(say, name)(result) for name in SECTIONS):
        assert str(view.html).startswith('<p class="finding">')
        assert not view.text.splitlines()[0].endswith(".")


@pytest.mark.parametrize("kind", list(made.SHAPES))
def test_every_figure_has_words(kind) -> None:
    result = made.result(kind)
    for name in ABOUT:
        about = getattr(say, name)(result)
        assert about["alt"].endswith(".")
        assert about["caption"].endswith(".")
        assert about["caption"][:1] == about["caption"][:1].upper()
        assert not re.search(r"\b(nan|NaN)\b", f"{about['alt']} {about['caption']}"), name


@pytest.mark.parametrize("kind", ["money", "staggered", "alone", "few_donors", "hidden", "short"])
def test_a_figure_is_missing_where_its_words_are_the_reason(kind) -> None:
    result = drawn.result(kind)
    for name in ABOUT:
        about = getattr(say, name)(result)
        empty = getattr(draw, name.removeprefix("about_"))(result) is None
        assert empty == (about["alt"] == about["caption"]), name


def test_figures_that_do_not_apply_say_why() -> None:
    empty = {
        name: getattr(say, name)(made.result("alone"))["caption"]
        for name in ABOUT
        if getattr(say, name)(made.result("alone"))["alt"]
        == getattr(say, name)(made.result("alone"))["caption"]
    }
    assert set(empty) == {
        "about_estimators", "about_in_time", "about_leave_one_out", "about_placebo_ratios",
        "about_pool_map", "about_predictors", "about_weights",
    }  # fmt: skip
    assert all("compared with its own past, and with no donors" in why for why in empty.values())
    assert say.about_predictors(made.result("money"))["caption"] == (
        "No predictors: none were asked for."
    )


def test_a_number_leads_only_where_it_is_shown_to_be_an_effect() -> None:
    first = {kind: answer(kind).splitlines()[0] for kind in made.SHAPES}
    assert first["one_market"] == "−20 packs per head and year"
    assert first["more"] == "+22 packs per head and year"
    assert first["none"] == "No effect shown"
    assert first["doubt"] == "Not conclusive"
    assert first["few_donors"] == "Not estimable"
    assert first["alone"] == "A change, cause not shown"
    assert first["log"] == "−18 % in packs"


def test_nothing_estimable_says_why_and_quotes_nothing() -> None:
    text = answer("nothing")
    why = "4 periods before the start, and a line needs 8"
    assert text.splitlines()[:2] == ["Not estimable", f"No number: {why}"]
    assert "Quote no effect" in text
    assert "$" not in text
    assert section("what_happened", "nothing") == (
        "What packs per head and year in California would have been cannot be told"
    )
    assert f"No total: {why}." in section("how_much_in_total", "nothing")
    assert why in say.headline_sentence(made.result("nothing"))
    asked = made.result("nothing")
    beside = made.result("one_market").comparison.assign(headline=False)
    text = say.would_another_say_the_same(replace(asked, comparison=beside)).text
    assert text.startswith("Compared with other units it would be from −20 to −14\n")


def test_the_sign_decides_between_fell_and_rose() -> None:
    less, more = answer("one_market"), answer("more")
    assert "Because of the intervention, packs per head and year in California fell by 20 per" in (
        less
    )
    assert "240 fewer packs per head (95 % interval 96 to 384 fewer)" in less
    assert "rose by 22 per period on average" in more
    assert "264 more packs per head" in more
    assert "at the cautious end, +10. In total it is 264 more packs per head; at the" in more
    assert "fewer" not in more
    assert "18 % above what it would have been" in more


def test_no_effect_is_never_called_one() -> None:
    for kind in ("none", "zero"):
        text = answer(kind)
        assert "Because of" not in text
        assert "Do not credit the intervention" in text
        assert "an effect smaller than 16.8 per period would probably have gone unseen" in text
    assert "came out where it would have been, on average" in answer("zero")
    assert section("what_happened", "zero").startswith(
        "Packs per head and year in California came out as it would have been, within what chance"
    )


def test_a_change_without_a_comparison_is_no_effect() -> None:
    text = answer("alone")
    assert "Because of" not in text
    assert "against its own earlier line" in text
    assert "compared with no other unit: anything else that began at that time" in text
    assert "this is weak evidence" in text
    assert "Do not credit the intervention with −12 on this evidence alone" in text
    assert "Weakest point" not in text
    steps = plain(say.what_to_do(made.result("alone"), ()).text)
    assert "Add units that the intervention did not reach" in steps
    asked = made.result("alone", left_out=("not used by this method",) * 12)
    who = plain(say.who_is_the_synthetic(asked).text)
    assert "12 units were not used as donors: all not used by this method." in who
    unsure = section("what_happened", "alone", verdict=words.NOT_CONCLUSIVE)
    assert "came out 10 % below its own earlier line, which does not settle" in unsure
    text = plain(say.what_to_do(asked, ()).text)
    assert "Set method: auto, which compares with the 12 other units in the source." in text


def test_why_it_is_not_conclusive() -> None:
    assert "but among the placebos the gap is not unusual enough (p = .23)" in answer("doubt")
    assert "a check on which it rests fails: too few donors" in answer("nine")
    wide = told("doubt", att={"low": -41.0, "high": 1.0}, placebo_p_value={"point": 0.026})
    assert "The gap is unusual among the placebos (p = .03), but the interval" in plain(
        say.answer(wide, ()).text
    )


def test_what_the_interval_assumes_is_said_with_it() -> None:
    for kind in ("one_market", "money", "staggered", "alone"):
        result = made.result(kind)
        assert f"and assumes that {result.design.assumption}." in answer(kind)
    assert "assumes" not in answer("few_donors").split("What we ask")[0]
    assert "95 % interval from placebos" in section("how_much_in_total", "money")
    assert "95 % interval by jackknife" in section("how_much_in_total", "staggered")
    assert "95 % interval from the regression" in section("what_happened", "alone")


def test_ranks_are_said_with_the_least_that_so_few_can_show() -> None:
    first = section("is_it_chance", "one_market")
    assert first.startswith(
        "Tried in its place, none of 38 untreated units strayed as far, set against each one's "
        "match before (p = .03, the least that so many can show)"
    )
    assert "before it, California is number 1 of 39" in first
    nine = section("is_it_chance", "nine")
    assert "none of nine untreated units" in nine
    assert "p = .10, the least that so few can show" in nine
    assert "cannot be below .10, however large the effect: these ranks alone can never show" in nine
    often = section("is_it_chance", "doubt")
    assert "eight of 38 untreated units strayed as far or further" in often
    assert "(p = .23)" in often
    alone = section("is_it_chance", "alone")
    assert alone.splitlines()[0] == "No donor shows what chance alone would do"
    assert "None of 8 earlier breaks is as large" in alone
    groups = section("is_it_chance", "staggered")
    assert "in their place, none of 30 groups of untreated units" in groups
    assert "are put in the place of the treated, 30 times" in groups


def test_periods_are_counted_by_their_conformal_intervals() -> None:
    result = made.result("one_market")
    after = result.gap[result.gap["after"]]
    clear = int(((after["conformal_low"] > 0) | (after["conformal_high"] < 0)).sum())
    assert f"Of 12 periods from the start on, {clear} have" in section("is_it_chance", "one_market")
    none = replace(result, gap=result.gap.assign(conformal_low=np.nan))
    assert "conformal" not in say.is_it_chance(none).text


def test_totals_are_in_the_reader_s_units_and_dollars() -> None:
    text = section("how_much_in_total", "money")
    assert text.startswith("40,500 fewer reports in total")
    assert "27,700 to 53,300 fewer" in text
    assert "At $4.20 for each: $170,000 less (95 % interval $116,000 to $224,000 less)" in text
    assert "$" not in section("how_much_in_total", "one_market")
    zero = section("how_much_in_total", "none")
    assert zero.startswith("+12 packs per head in total, and the interval holds zero")
    few = section("how_much_in_total", "few_donors")
    assert few.startswith("−168 packs per head in total, without an interval")
    assert "No interval: 2 placebos, and an interval needs 3 at least." in few


def test_a_share_that_is_not_estimable_says_why() -> None:
    text = section("how_much_in_total", "no_share")
    assert "not estimable, a share needs an outcome that counts from zero." in text
    assert "%" not in answer("no_share").splitlines()[1].replace("95 %", "")
    assert "came out 20 below where it would have been" in section(
        "what_happened", "no_share", verdict=words.NOT_CONCLUSIVE
    )


def test_donors_are_counted_by_the_weight_that_they_carry() -> None:
    result = made.result("one_market")
    weights = donors.donor_weights(result)
    assert donors.effective_number(weights) == pytest.approx(1 / (weights**2).sum())
    text = section("who_is_the_synthetic", "one_market")
    assert text.startswith("Six of 38 donors stand in for California, State 1 most (51 %)")
    assert "count like 2.9 donors of equal weight" in text
    assert section("who_is_the_synthetic", "did").startswith(
        "All 38 donors stand in for California, each with the same weight"
    )
    assert "2 donors with a negative weight, −0.1" in section("who_is_the_synthetic", "augmented")
    few = section("who_is_the_synthetic", "few_donors")
    assert few.startswith("Both donors stand in for California, State 1 most (67 %)")
    assert "1 unit was not used as a donor: with missing cells." in few
    assert (
        "3 units were not used as donors: 2 treated too and 1 reached by it otherwise"
        in section("who_is_the_synthetic", "money")
    )
    one = section("who_is_the_synthetic", "one_market", donors=1)
    assert one.startswith("The one donor stands in for California")


def test_nobody_is_named_where_names_are_hidden() -> None:
    result = made.result("hidden", treated="Ann Lee", donor="Bo Ek")
    views = [getattr(say, name)(result) for name in SECTIONS]
    views += [say.answer(result, result.checks), say.what_to_do(result, result.checks)]
    texts = [view.text for view in views] + [say.headline_sentence(result)]
    texts += ["".join(getattr(say, name)(result).values()) for name in ABOUT]
    assert not any(name in text for text in texts for name in ("Ann", "Bo Ek", "never printed"))
    assert "in the treated unit" in texts[0]
    assert "; the heaviest has 51" in say.who_is_the_synthetic(result).text


def test_several_treated_are_counted_and_their_dates_said() -> None:
    text = answer("staggered")
    assert "per unit and period in the 12 treated units" in text
    assert "up to 16 periods, with starts from 23 Jun 2025 to 4 Aug 2025" in text
    assert "market T1" not in text


def test_methods_that_disagree_on_the_direction_are_said_to() -> None:
    assert section("would_another_say_the_same", "one_market").startswith(
        "All four methods that weigh donors point one way, from −20 to −14"
    )
    result = made.result("one_market")
    frame = result.comparison.copy()
    frame.loc[1, "point"] = 7.0
    other = say.would_another_say_the_same(replace(result, comparison=frame)).text
    assert "Four methods disagree on the direction" in other
    frame = result.comparison.copy()
    frame.loc[frame["estimator"] == "did", "point"] = 7.0  # all donors alike does not count
    same = say.would_another_say_the_same(replace(result, comparison=frame)).text
    assert same.startswith("All four methods")
    assert "counted alike it would be +7" in same


def test_one_donor_that_decides_and_an_earlier_effect_are_said() -> None:
    result = made.result("one_market")
    text = say.does_it_hang_on_a_choice(result).text
    assert text.startswith("Without any one donor the effect is from −22.0 to −18.0; none of three")
    choices = pd.DataFrame({"choice": ["fitted", "equal"], "att": [-20.0, -17.0]})
    other = say.does_it_hang_on_a_choice(replace(result, predictor_choices=choices)).text
    assert "Other weights of the predictors. Two choices give effects from −20 to −17." in other
    frame = result.leave_one_out.copy()
    frame.loc[0, "point"] = 3.0
    turned = say.does_it_hang_on_a_choice(replace(result, leave_one_out=frame)).text
    assert turned.startswith("One donor decides the direction")
    early = result.in_time.assign(low=1.0, high=9.0)
    failed = Check(name="in_time_placebo", verdict="fail", label="an effect before", text="p = 0.")
    text = say.does_it_hang_on_a_choice(replace(result, in_time=early, checks=(failed,))).text
    assert "three of three earlier pretended starts show an effect too" in text
    assert "3 with an interval" in plain(say.about_in_time(replace(result, in_time=early))["alt"])
    assert "0 with an interval" in plain(say.about_in_time(result)["alt"])
    assert "An effect before. p = 0." in text


def test_an_earlier_start_with_as_large_a_number_is_not_called_a_little() -> None:
    result = made.result("one_market")
    large = result.in_time.assign(point=25.0, low=-5.0, high=55.0)
    check = Check(name="in_time_placebo", verdict="warn", label="as large", text="p = .04.")
    result = replace(result, in_time=large, checks=(check,))
    text = say.does_it_hang_on_a_choice(result).text
    assert "none of three earlier pretended starts shows an effect, but one gives as large" in text
    assert "gives a number as large" in plain(say.points(result, result.checks).text)
    small = replace(result, in_time=large.assign(point=2.0))
    assert "shows a little" in plain(say.points(small, small.checks).text)


def test_a_line_of_its_own_does_not_say_that_no_earlier_date_was_tried() -> None:
    result = made.result("alone")
    told = say.does_it_hang_on_a_choice(result).text + say.about_in_time(result)["caption"]
    assert "earlier dates were tried instead" in told
    assert "None of 8 earlier breaks is as large" in told
    assert "start was pretended" not in told
    untried = replace(result, checks=())
    assert "no earlier start was pretended" in say.does_it_hang_on_a_choice(untried).text


def test_captions_say_what_is_drawn_of_many() -> None:
    result = made.result("staggered")
    assert "from the first start on, over those treated by then" in plain(
        say.about_actual_and_synthetic(result)["caption"]
    )
    assert "treated by then" not in say.about_actual_and_synthetic(made.result("money"))["caption"]
    times = result.gap["time"].unique()
    many = pd.DataFrame(
        {
            "unit": np.repeat([f"draw {n}" for n in range(120)], len(times)),
            "time": np.tile(times, 120),
            "gap": 0.0,
        }
    )
    caption = plain(say.about_gaps(replace(result, placebo_paths=many))["caption"])
    assert "Grey: some of 120 placebos" in caption
    own = say.about_gaps(made.result("alone"))["caption"]
    assert "the change that the regression finds" in own


def test_what_is_asked_follows_from_the_verdict_and_the_checks() -> None:
    text = answer("money").split("What we ask of you. ")[1]
    assert "keep the intervention in mint, extend it, change it or end it" in text
    assert "at the cautious end, −1.3" in text
    assert "$170,000 less; at the cautious end, $116,000 less" in text
    assert "“a donor moved at the start”" in text
    assert "Quote no effect" in answer("few_donors")
    doubt = answer("doubt")
    assert "Do not decide on −20 alone: the interval runs from −32 to −8, and a donor that" in doubt
    calm = replace(made.result("doubt"), checks=())
    assert "has two answers. Wait for more periods" in plain(say.answer(calm, ()).text)
    assert "a check on which it rests fails (too few donors). Settle it first." in answer("nine")
    earlier = Check(
        name="in_time_placebo", verdict="warn", label="as large before the start", text="Seen."
    )
    warned = plain(say.answer(replace(calm, checks=(earlier,)), (earlier,)).text)
    assert "a check on which it rests does not hold (as large before the start)" in warned
    assert "rests fails" not in warned
    result = made.result("nine")
    steps = plain(say.what_to_do(result, result.checks).text)
    assert "Whoever quotes −20 per period gives its 95 % interval, −32 to −8" in steps
    assert "and says: not conclusive." in steps
    shown = plain(say.what_to_do(made.result("one_market"), ()).text)
    assert "Quote −20 per period with its 95 % interval, −32 to −8, and the method" in shown
    assert "list it in affected_units" in steps
    assert "Add donors to the source" in steps


def test_an_effect_on_a_logarithm_is_said_in_per_cent() -> None:
    text = answer("log")
    assert "packs in California fell by 18 % per period" in text
    assert "95 % interval −26 % to −10 %" in text
    assert "below what it would" not in text


def test_the_page_s_period_is_the_panel_s() -> None:
    assert say.period(made.result("one_market")) == "1970 – 2000"
    assert plain(say.period(made.result("money"))) == "6 Jan 2025 – 29 Jun 2026"
