"""Sentences of a postmortem: right for every shape of record, made of the record's own numbers."""

import math
import re
from dataclasses import replace
from functools import lru_cache

import numpy as np
import pandas as pd
import pytest

from tests.figures import postmortem_results as records
from trustlib.core import Check, Estimate
from trustlib.core import format as show
from trustlib.narrative import postmortem as say
from trustlib.postmortem.result import BLOCKS, Postmortem

NBSP = show.NBSP
OF_RESULT = (*(name for name in BLOCKS if name != "data_health"), "what_it_rests_on")
CAPTIONS = tuple(name for name in say.__all__ if name.startswith("about_"))
KINDS = (*records.KINDS, "both", "few", "closed")
# Names and sentences of the record itself, cut or long, are not this package's wording.
OWN_WORDS = tuple(kind for kind in KINDS if kind not in ("hostile", "crowded"))


@lru_cache(maxsize=32)
def record(kind: str) -> Postmortem:
    """A record of `kind`: those of the views' tests, and three of this one's."""
    if kind == "both":
        return both()
    if kind == "few":
        return few()
    if kind == "closed":
        return closed(records.result("over"))
    return records.result(kind)


def closed(result: Postmortem) -> Postmortem:
    rules = result.severity.assign(basis="point", value=result.severity["value"] * 0.95)
    return replace(result, spec=replace(result.spec, status="closed"), severity=rules)


def changed(result: Postmortem, **estimates: Estimate) -> Postmortem:
    return replace(result, estimates={**result.estimates, **estimates})


def both() -> Postmortem:
    """Good users hit and a wave let through."""
    over = records.result("over")
    under = records.result("under")
    return replace(
        changed(over, **{
            name: under.estimates[name] for name in
            ("false_negatives", "affected_viewers", "back_fill_precision", "back_fill_recall")
        }),
        affected=pd.concat([over.affected, under.affected[under.affected["side"] == "under"]],
                           ignore_index=True),
        lists=(*over.lists, *under.lists),
    )  # fmt: skip


def few() -> Postmortem:
    """So few that nobody may be counted out loud: raw, and as the room withholds them."""
    small = records.estimate(4, 2, 9)
    gone = records.estimate(None, note="withheld: fewer than 11")
    return replace(
        changed(records.result("over"), false_positives=small, affected_items=small,
                affected_accounts=gone, affected_customers=records.estimate(6, 6, 6)),
        affected=records.frame("affected", [
            ("items", "over", 9, 4, 2, 9), ("accounts", "over", math.nan, math.nan, math.nan,
                                            math.nan), ("customers", "over", 8, 6, 3, 8),
        ]),
        doses=records.frame("doses", [("accounts", "over", "1", 7, 7)]),
        overlaps=records.frame("overlaps", [("accounts over", "accounts under", 3)]),
        by_segment=records.frame("by_segment", [("market", "birch", "over", 8, 3, 2, 7)]),
        lists=(replace(records.result("over").lists[0], rows=6, unlabelled=3, before=9, left=3,
                       left_resolved=2, left_judged=1),),
        maturity=records.frame("maturity", [
            ("appeals", 4, 1.5, 6, 4, 9, 0.66, pd.Timestamp("2024-03-10", tz="UTC")),
        ]),
    )  # fmt: skip


def blocks_of(result: Postmortem) -> dict[str, str]:
    counts, rows = records.read()
    texts = {name: getattr(say, name)(result).text for name in OF_RESULT}
    texts["data_health"] = say.data_health(result, counts, rows).text
    return texts


def page(result: Postmortem) -> dict[str, str]:
    """Every text that is made of a record, by the name of its function."""
    texts = blocks_of(result)
    texts |= {name: " ".join(getattr(say, name)(result).values()) for name in CAPTIONS}
    texts["answer"] = say.answer(result, result.checks).text
    texts["headline_sentence"] = say.headline_sentence(result)
    texts["what_to_do"] = say.what_to_do(result, result.checks).text
    texts["can_we_believe_it"] = say.can_we_believe_it(result.checks).text
    texts |= {row["version"]: row["text"] for row in say.communication(result)}
    return texts


@lru_cache(maxsize=32)
def pages(kind: str) -> dict[str, str]:
    return page(record(kind))


def plain(text: str) -> str:
    return text.replace(NBSP, " ")


def sentences(text: str) -> list[str]:
    """Sentences of a text; a lead ("Gross.") counts as one."""
    lines = [line for line in text.split("\n") if " · " not in line]  # a strip or a large line
    return [part for line in lines for part in re.split(r"(?<=[.!?])\s+", line) if part]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "hostile"])
def test_every_text_reads_as_language(kind) -> None:
    for name, text in pages(kind).items():
        assert text.strip(), name
        assert not re.search(r"\bnan\b|\bNone\b(?! of)|\binf\b|\bNaT\b|[{}]", text), (name, text)
        assert not re.search(r"[−+]\s?[−+]|--|\$\s|\.\.|  | ,|\(\)| \.(?!\d)|;\.|:\.", text), (
            name,
            text,
        )
        # The same end twice, "from 3 to 3"; a plural of one, a singular of many.
        assert not re.search(r"(?<![\d,.])([\d,.]+) (?:to|and) \1(?![\d,.])", plain(text)), name
        assert not re.search(r"\bone \w+s are\b|\b1 (?:cases|hours|rows|days|checks)\b",
                             plain(text)), (name, text)  # fmt: skip
        assert not re.search(r"\d[eE][-−]\d", text), (name, text)


@pytest.mark.parametrize("kind", OWN_WORDS)
def test_no_sentence_is_longer_than_35_words(kind) -> None:
    for name, text in pages(kind).items():
        for sentence in sentences(text):
            assert len(sentence.split()) <= 35, (name, sentence)


@pytest.mark.parametrize("kind", KINDS)
def test_a_block_opens_with_its_finding(kind) -> None:
    for name in OF_RESULT:
        html = str(getattr(say, name)(record(kind)).html)
        assert html.startswith('<p class="finding">'), (name, html[:80])
        assert html.count('class="finding"') == 1, name


@pytest.mark.parametrize("block", [name for name in BLOCKS if name not in
                                   ("excess", "data_health")])  # fmt: skip
@pytest.mark.parametrize("kind", ["over", "shortfall"])
def test_an_absent_block_says_so_and_why(kind, block) -> None:
    full = record(kind)
    rows = full.blocks.assign(
        present=full.blocks["block"] != block,
        reason=np.where(full.blocks["block"] == block, "No source <b>x</b> was given", ""),
    )
    view = getattr(say, block)(replace(full, blocks=rows))
    heading, reason = view.text.split("\n\n")
    assert reason == "No source <b>x</b> was given."
    assert '<p class="note">No source &lt;b&gt;x&lt;/b&gt; was given.</p>' in str(view.html)
    assert re.search(r"\bno\b|not|nobody|nothing", heading.lower()), heading
    assert not re.search(r"\d", heading), heading


def test_a_record_of_a_window_and_nothing_else_stands() -> None:
    texts = pages("bare")
    assert "Quote no size yet" in texts["answer"]
    assert texts["affected"].startswith("Who was hit is not known\n")
    assert "no size should be quoted yet" in texts["executive"]
    assert "We cannot say yet how large it was" in texts["external"]


def test_blocks_that_are_there_without_a_row_stand_too() -> None:
    result = record("over")
    hollow = replace(
        result, **{name: records.empty(name) for name in records.COLUMNS},
        estimates=dict(result.sizing.estimates), lists=(), severity_level=None, checks=(),
        spec=replace(result.spec, actions=(), severity_rules=()),
    )  # fmt: skip
    texts = page(hollow)
    for name, text in texts.items():
        assert text.strip(), name
        assert not re.search(r"\bnan\b|NaT|\bNone\b(?! of)", text), (name, text)
    assert texts["dose"].startswith("How often each person was hit cannot be shown")
    assert texts["money"].startswith("What it cost is not estimable")
    assert "No assumption was tested." in texts["answer"]


# --- golden sentences -----------------------------------------------------------------------------

FINDINGS = {
    "over": {
        "verdict": "This was an incident: none of 228 quiet windows came out as high",
        "timeline": "Noticed after 3.5 hours (95 % interval 2.5 to 4.5) and stated as stopped "
        "after 26 hours (25 to 27)",
        "affected": "253 items (95 % interval 239 to 266) were acted on wrongly",
        "dose": "410 of 431 accounts (95 %, exact) have 1 case acted on",
        "money": "The net loss is $14,100 (95 % interval $12,700 to $15,600)",
        "lists": "382 cases are on the clean-up list, to be reversed",
        "maturity": "Chargebacks are not all in: 112 (95 % interval 78 to 161) are expected in "
        "the end",
        "detection": "The existing alert would not have fired; the recommended one would have, "
        "3 hours after the start of impact (replay)",
        "factors": "The data support two of three tested factors, and prove none",
        "severity": "Severity could be as high as SEV2 while the incident is open",
        "actions": "Two of three action items are open, the next due on 20 Mar 2024",
        "revisions": "The excess moved from +1,320 (+1,050 to +1,590) to +1,450 (+1,200 to "
        "+1,700) since the earlier revision",
    },
    "under": {
        "affected": "318 harmful items (95 % interval 290 to 341) were missed",
        "dose": "502 of 735 viewers (68 %, exact) saw 1 case not acted on",
        "lists": "251 cases are on the back-fill list, to be acted on",
        "severity": "No severity rule is met",
    },
    "shortfall": {
        "verdict": "This was an incident: none of 228 quiet windows came out as low",
        "excess": "Trips fell 52 % below what was expected and were back to normal by "
        "27 Feb, 20:00",
        "severity": "Severity is SEV3",
        "actions": "The only action item is open, due on 2 Apr 2024",
        "revisions": "The excess moved from −9,800 (−12,000 to −7,600) to −9,200 (−11,400 to "
        "−7,100) since the earlier revision",
    },
    "both": {
        "affected": "253 items (95 % interval 239 to 266) were acted on wrongly and 318 harmful "
        "items (290 to 341) were missed",
        "lists": "382 cases are on the clean-up list, to be reversed; 251 cases are on the "
        "back-fill list, to be acted on",
    },
    "closed": {"severity": "Severity is SEV2"},
}


@pytest.mark.parametrize("kind", FINDINGS)
def test_findings(kind) -> None:
    for name, expected in FINDINGS[kind].items():
        found = plain(getattr(say, name)(record(kind)).text).split("\n")[0]
        assert found == expected, name


def test_headline_sentences() -> None:
    assert say.headline_sentence(record("over")) == (
        "Incident confirmed: +1,490 rule actions against expectation over 26 hours (95 % interval "
        "+1,410 to +1,570; 179 % above expected); severity could be as high as SEV2."
    )
    assert say.headline_sentence(record("shortfall")) == (
        "Incident confirmed: −13,100 trips against expectation over 26 hours (95 % interval "
        "−14,900 to −11,300; 52 % below expected); severity is SEV3."
    )


@pytest.mark.parametrize("kind", KINDS)
def test_the_answer_has_number_strip_points_and_what_is_asked(kind) -> None:
    result = record(kind)
    html = str(say.answer(result, result.checks).html)
    assert html.count("<li>") == 3
    for part in ('class="headline"', 'class="strip"', 'class="figure"', 'class="ask"'):
        assert html.count(part) == 1, part


# --- open and closed ------------------------------------------------------------------------------


def test_open_and_closed_change_tense_and_the_severity_basis() -> None:
    before, after = pages("over"), pages("closed")
    for name in ("severity", "answer", "headline_sentence", "executive"):
        assert "could be as high as SEV2" in before[name], name
        assert "could be" not in after[name], name
        assert "everity is SEV2" in after[name] or "SEV2, closed" in after[name], name
    assert "upper end of each interval counts" in before["severity"]
    assert "each estimate's point counts" in after["severity"]
    assert "upper end" not in after["severity"]
    assert "still open" in before["executive"]
    assert "The record is closed." in after["executive"]
    assert "Our review is still open" in before["external"]
    assert "Our review is closed" in after["external"]
    assert "So far, we have counted" in before["external"]
    assert "We counted about" in after["external"]


def test_a_severity_that_could_not_be_decided_is_not_ruled_out() -> None:
    rules = record("over").severity.assign(met=[None, False, True, True, None])
    texts = page(replace(record("over"), severity=rules))
    assert "SEV1 cannot be ruled out" in texts["severity"].split("\n")[0]
    assert "SEV2 or higher, open" in texts["answer"]
    assert "SEV1 cannot be ruled out" in texts["executive"]


# --- weak evidence is said aloud ------------------------------------------------------------------


def weak(verdict: str, **estimates: tuple[float, float, float]) -> Postmortem:
    result = record("over")
    own = dict(result.sizing.estimates)
    for name, (point, low, high) in estimates.items():
        known = (None, None) if low is None else (low, high)
        own[name] = replace(own[name], point=point, low=known[0], high=known[1], note="none")
    return replace(result, sizing=replace(result.sizing, verdict=verdict, estimates=own))


def test_what_is_not_conclusive_is_called_so_everywhere() -> None:
    texts = page(weak("not conclusive", excess=(60, -50, 170)))
    assert "is not settled" in texts["verdict"]
    assert "interval of the excess holds zero" in texts["verdict"]
    assert "Do not decide on this number alone" in texts["answer"]
    assert "not conclusive" in texts["executive"]
    assert "The evidence is not conclusive: we counted between 50 fewer and 170 more events" in (
        plain(texts["external"])
    )
    assert "whether an incident affected our service" in texts["external"]
    assert "The interval is wider than the number itself" in texts["excess"]


def test_a_chance_placebo_and_another_direction_are_said() -> None:
    n = 1 + len(record("over").sizing.placebos)
    texts = page(weak("no incident shown", placebo_p_value=(40 / n, None, None),
                      excess=(30, -90, 150)))  # fmt: skip
    assert f"39 of {n - 1} quiet windows came out as high" in texts["verdict"]
    assert "no incident is shown" in texts["executive"]
    assert "no incident is shown" in texts["external"]
    texts = page(weak("incident confirmed", placebo_p_value=(3 / n, None, None)))
    assert "unlikely explanation, though a possible one" in texts["executive"]
    texts = page(weak("no incident shown", excess=(-300, -400, -200)))
    assert "the counts moved the other way" in texts["verdict"]


def test_methods_that_disagree_are_said() -> None:
    texts = page(weak("incident confirmed", same_hours_excess=(700, 600, 800)))
    for name in ("verdict", "excess"):
        assert "Methods disagree. The same hours of earlier weeks give +700" in texts[name]


def test_wide_intervals_and_a_shortage_of_labels_are_said() -> None:
    wide = changed(record("over"), false_positives=records.estimate(120, 30, 380))
    texts = page(wide)
    assert "An interval here is wider than its number" in texts["affected"]
    assert "Some intervals are wide" in texts["executive"]
    none = pages("unknown")
    assert "Too few labels. Why there is no number: no label was read." in none["affected"]
    assert "too few cases have a label" in none["executive"]


def test_a_rule_tuned_on_its_own_history_and_no_cause_are_said() -> None:
    texts = pages("over")
    assert "chosen on the very history that it is judged by" in texts["detection"]
    assert "that does not make it the cause" in texts["factors"]
    assert "is not thereby its cause" in texts["timeline"]


def test_what_fails_is_named_before_a_decision() -> None:
    fails = Check(name="season", verdict="fail", label="season does not fit", text="It does not.")
    result = replace(record("closed"), checks=(fails,))
    assert "Before that, judge what fails: “season does not fit”." in (
        say.answer(result, result.checks).text
    )
    assert "Settle the failed check: season does not fit." in (
        say.what_to_do(result, result.checks).text
    )
    assert "What fails: season does not fit." in say.executive(result).text
    assert say.can_we_believe_it(()).text == "No assumption was tested"


# --- small counts, hostile text, people -----------------------------------------------------------

SMALL = re.compile(
    r"(?<![\d.,−+$–/:“])\b(?:[1-9]|10)(?:\.0)? (?:[a-z]+ )?"
    r"(?:accounts?|customers?|items?|cases?|viewers?|people|rows?)\b"
)


def test_fewer_than_11_are_not_counted_out_loud() -> None:
    texts = pages("few")
    for name, text in texts.items():
        if name.startswith("about_"):
            continue
        rest = plain(text).replace("ewer than 11", "few")
        assert not SMALL.search(rest), (name, SMALL.search(rest))
    assert texts["affected"].startswith("Fewer than 11 items were acted on wrongly") or (
        texts["affected"].startswith("fewer than 11 items were acted on wrongly")
    )
    assert "fewer than 11 accounts" in texts["executive"]
    assert "Fewer than 11 cases are on the clean-up list" in texts["lists"]


def test_one_small_part_of_a_sum_is_not_left_to_subtraction() -> None:
    left = plain(say.lists(record("over")).text)  # 19 left, 14 put right, 3 judged, 2 gone
    assert "19 cases since the earlier file: put right, judged otherwise and no longer" in left
    assert "14" not in left


@pytest.mark.parametrize("name", [*OF_RESULT, "answer", "executive", "external"])
def test_hostile_text_stays_text(name) -> None:
    result = record("hostile")
    made = getattr(say, name)
    html = str((made(result, result.checks) if name == "answer" else made(result)).html)
    bare = re.sub(r"</?(?:p|ul|li|strong|section|div)(?: (?:class|aria-label)=\"[^\"<>]*\")*>", "",
                  html)  # fmt: skip
    assert "<" not in bare, bare
    assert "\u202e" not in html
    assert "\x07" not in html
    assert max(map(len, re.findall(r"\S+", bare))) < 800


def test_nobody_is_named() -> None:
    result = record("over")
    owners = tuple(replace(one, owner="Zwqx Person") for one in result.spec.actions)
    named = replace(result, spec=replace(result.spec, actions=owners))
    for name, text in page(named).items():
        assert "Zwqx" not in text, name
        assert not re.search(r"\b(?:blame[ds]?|fault|guilty|negligen|careless)", text), (name, text)


# --- numbers --------------------------------------------------------------------------------------

_DATES = re.compile(
    r"\b\d{1,2} (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)(?: \d{4})?|\b\d{1,2}:\d{2}\b"
    r"|“[^”]*”|SHA-256 starts with \w+|SEV\d|\b(?:95|80) %(?= interval| prediction)"
    r"|\b99 %(?= of each)|\b1 %(?= \(| of [a-z]+ are)|fewer than 11"
    r"|Rule 7|10 % to all|20 minutes before|12 \(−40 to 64\)|6 hours"  # of the record's own texts
)
_NUMBER = re.compile(r"[−+$]*(\d[\d,]*(?:\.\d+)?)(?: (million|billion|trillion|minutes?|days?|%))?")
_SCALES = {"million": 1e6, "billion": 1e9, "trillion": 1e12, "%": 0.01, "minute": 1 / 60,
           "minutes": 1 / 60, "day": 24, "days": 24}  # fmt: skip


def pool(result: Postmortem) -> np.ndarray:
    """Every number of a record, and the few that sentences make of them."""
    frames = (result.affected, result.doses, result.top_share, result.overlaps, result.by_segment,
              result.money, result.maturity, result.detection, result.severity, result.revision,
              result.then_now, result.sizing.sensitivity)  # fmt: skip
    numbers = [v for frame in frames for v in frame.select_dtypes("number").to_numpy().ravel()]
    for estimate in (*result.estimates.values(), *result.sizing.estimates.values()):
        numbers += [estimate.point, estimate.low, estimate.high]
    for one in result.lists:
        numbers += [one.rows, one.labelled_wrong, one.unlabelled, one.left]
    spec = result.spec
    numbers += [spec.usd_rate, spec.sizing.unit_cost_usd, len(result.timeline), 26, 10_776,
                len(result.sizing.placebos), *(rule.at_least for rule in spec.severity_rules),
                len(result.checks), sum(c.verdict == "pass" for c in result.checks)]  # fmt: skip
    for _, cells in result.doses.groupby(["kind", "side"]):
        numbers += [cells["people"].sum(), *(cells["people"] / cells["people"].sum())]
    known = np.array([float(v) for v in numbers if v is not None and not pd.isna(v)])
    return np.abs(known)


def unknown(text: str, known: np.ndarray, *, within: float = 0.5000001) -> list[str]:
    """Numbers of a text that are not in the record within the rounding that they show."""
    wrong = []
    bare = _DATES.sub(" ", plain(text))
    shared = r"([−+]?[\d.,]+) to ([−+]?[\d.,]+ (million|billion|trillion|minutes|days|%))"
    for match in _NUMBER.finditer(re.sub(shared, r"\1 \3 to \2", bare)):
        digits, word = match[1].rstrip(","), match[2] or ""
        decimals = len(digits.partition(".")[2])
        bare = digits.replace(",", "").replace(".", "")
        zeros = 0 if decimals else len(bare) - len(bare.rstrip("0"))
        value, unit = float(digits.replace(",", "")), _SCALES.get(word, 1.0)
        near = within * 10.0 ** (zeros - decimals) * unit
        if value > 10 and not (np.abs(known - value * unit) <= near).any():
            wrong.append(match[0])
    return wrong


@pytest.mark.parametrize("kind", [k for k in OWN_WORDS if k not in ("tiny", "huge", "bare")])
def test_every_number_is_in_the_record_within_its_rounding(kind) -> None:
    result = record(kind)
    known = pool(result)
    for name, text in pages(kind).items():
        # Outside, intervals are rounded outwards: up to a whole unit of the last digit.
        wrong = unknown(text, known, within=1.0 if name == "external" else 0.5000001)
        assert not wrong, (name, wrong, text)


@pytest.mark.parametrize("kind", ["over", "under", "shortfall", "both"])
def test_a_number_has_its_interval_or_is_exact(kind) -> None:
    """The findings and the versions for readers; windows and rules are counted, not estimated."""
    counted = re.compile(r"quiet window|action item|tested factor|alert|on the [a-z-]+ list|replay"
                         r"|rows were|cases to put right")  # fmt: skip
    texts = pages(kind)
    lines = [texts[name].split("\n")[0] for name in (*BLOCKS, "headline_sentence")
             if name != "excess"]  # fmt: skip
    for version in ("executive", "external"):
        lines += sentences(texts[version])
    for line in lines:
        bare = _DATES.sub(" ", plain(line)).replace("two digits", "")
        if re.search(r"\d", bare) and not counted.search(bare):
            assert "interval" in line or "exact" in line or " to " in bare, line


def test_rows_without_ends_have_no_interval_and_say_so() -> None:
    rows = record("over").money.assign(low=math.nan, high=math.nan)
    rows = pd.concat([rows, rows.assign(side="under")], ignore_index=True)
    text = plain(say.money(replace(record("over"), money=rows)).text)
    assert "Acted on wrongly. $14,100 (no interval) net." in text


def test_nothing_is_changed_and_nothing_depends_on_the_order_of_rows() -> None:
    result = record("both")
    kept = {name: getattr(result, name).copy() for name in records.COLUMNS}
    texts = page(result)
    for name, frame in kept.items():
        pd.testing.assert_frame_equal(getattr(result, name), frame)
    names = ("affected", "doses", "maturity", "money", "top_share", "detection", "factors")
    turned = {name: getattr(result, name)[::-1].reset_index(drop=True) for name in names}
    again = page(replace(result, **turned))
    for name in ("executive", "external", "headline_sentence", "answer", "about_money"):
        assert again[name] == texts[name], name
    for name in BLOCKS:
        assert again[name].split("\n")[0] == texts[name].split("\n")[0], name


@pytest.mark.parametrize("kind", KINDS)
def test_captions_have_what_a_figure_takes(kind) -> None:
    for name in CAPTIONS:
        about = getattr(say, name)(record(kind))
        assert set(about) == {"title", "alt", "caption"}
        assert about["caption"][:1].upper() == about["caption"][:1]


def test_a_bridge_is_told_by_the_number_of_its_steps() -> None:
    n = len(record("over").revision)
    assert f"in {show.plural(n, 'step')};" in say.about_bridge(record("over"))["alt"]
    told = say.revisions(record("over")).text
    assert all(step.lower() in told.lower() for step in record("over").revision["step"])


def test_a_signal_before_the_impact_is_told_by_its_side() -> None:
    record = records.made(
        estimates=records.made().estimates | {"time_to_detect_hours": records.estimate(-3, -4, 1)}
    )
    text = say.timeline(record).text
    assert "oticed 3 hours before the estimated start" in text.replace("\xa0", " ")
    assert "4 hours before to 1 hour after it" in text.replace("\xa0", " ")
    assert "−" not in text.split("\n")[0]


# --- what is only stated, and what is not shown ---------------------------------------------------


def test_the_end_of_harm_is_told_as_stated() -> None:
    """Nothing in the data shows it: the counts may have stayed off."""
    for kind in ("over", "both", "closed", "shortfall"):
        texts = page(changed(record(kind), time_to_mitigate_hours=records.estimate(
            26, 25, 27, unit="hours")))  # fmt: skip
        for name, text in texts.items():
            assert not re.search(r"[Hh]arm stopped|Put right\.", text), (name, text)
        assert "tated as stopped after 26" in plain(texts["answer"]), kind
        if kind != "both":  # which has more to tell in as many words
            assert "Harm is stated as stopped after 26" in plain(texts["executive"]), kind
        assert "tated as stopped after 26" in plain(texts["timeline"]).split("\n")[0], kind
    assert "Stated as put right. 56 hours" in plain(pages("over")["timeline"])


@pytest.mark.parametrize("verdict", ["warn", "pass", "not_run"])
def test_counts_that_stayed_off_stand_right_behind_the_stated_end(verdict) -> None:
    text = "The counts stayed 400 above what was expected in the 6 hours after it."
    check = Check(name="excess_after_mitigation", verdict=verdict, text=text,
                  label="counts stayed off after the stated end")  # fmt: skip
    result = replace(record("over"), checks=(*record("over").checks, check))
    points = [line for line in say.timeline(result).text.split("\n") if line]
    assert (f"Counts stayed off after the stated end. {text}" in points[1]) == (verdict == "warn")


@pytest.mark.parametrize("direction", ["increase", "decrease"])
def test_an_alert_that_spares_nothing_is_not_exact_about_it(direction) -> None:
    full = record("over")
    spec = replace(full.spec, sizing=replace(full.spec.sizing, direction=direction))
    for end in (0.0, math.nan):
        frame = full.detection.assign(avoided=0.0, avoided_low=end, avoided_high=end)
        text = say.detection(replace(full, spec=spec, detection=frame)).text
        verb = "spared" if direction == "increase" else "restored"
        assert f"would have {verb} nothing if responders had taken as long as they did." in text
        assert "(exact), had" not in text
    frame = full.detection.assign(avoided=0.0, avoided_low=-10.0, avoided_high=30.0)
    assert "(95 % interval" in plain(say.detection(replace(full, detection=frame)).text)


def test_where_no_incident_is_shown_nothing_stopped_and_nobody_noticed() -> None:
    texts = page(weak("no incident shown", excess=(30, -90, 150)))
    for name in ("answer", "executive", "external", "timeline", "detection", "about_trade_off"):
        assert not re.search(r"oticed|stopped|start of impact|spared", texts[name]), texts[name]
    assert texts["timeline"].startswith("No incident is shown, so the record dates no impact\n")
    assert "Clock. No incident is shown, so the record dates no impact." in texts["answer"]
    assert "The record dates no impact." in texts["executive"]
    assert "after the stated start (replay)" in texts["detection"]
    assert "dates no impact" not in "".join(pages("over").values())


# --- clocks ---------------------------------------------------------------------------------------


def test_what_a_time_without_an_offset_was_taken_for_is_said() -> None:
    told = plain(pages("over")["data_health"])
    assert "Times without an offset in the sources, if any, were read as New York time." in told
    assert "without an offset" not in pages("under")["data_health"]  # which is told in UTC


@pytest.mark.parametrize("kind", ["over", "under"])
def test_maturity_says_up_to_which_instant_arrivals_are_read(kind) -> None:
    result = replace(record(kind))
    object.__setattr__(result, "observed_until", pd.Timestamp("2024-03-05 06:30", tz="UTC"))
    told = plain(say.maturity(result).text)
    clock = {"over": "5 Mar 2024, 01:30 (New York time)", "under": "5 Mar 2024, 06:30 (UTC)"}
    assert f"So far. Arrivals are read up to {clock[kind]}." in told
    object.__setattr__(result, "observed_until", None)
    assert "read up to" not in say.maturity(result).text


def test_viewers_of_a_sample_of_views_are_a_lower_bound_everywhere() -> None:
    plain = records.made("under")
    some = replace(plain.estimates["affected_viewers"], unit="viewers, at least")
    record = records.made(
        "under",
        spec=replace(plain.spec, views_share=0.05),
        estimates=plain.estimates | {"affected_viewers": some},
    )
    number = show.alike([some.point])[0]
    for said in (say.executive, say.external, say.affected):
        assert "at least" in said(record).text
        assert "at least" not in said(plain).text
    assert f"at least {number}" in say.executive(record).text.replace("\xa0", " ")
    assert "exact" not in say.executive(record).text
