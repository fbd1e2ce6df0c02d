"""Today's controls on hand-made labels: recall, lists, appeals, and what is said when missing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.harm.deep_dive.worlds import SPEC, without, world
from trustlib.data.abuse_records import Appealed
from trustlib.harm.deep_dive.samples import samples
from trustlib.harm.deep_dive.today import flagged, today
from trustlib.harm.unseen import CHAPMAN, LOG_LINEAR

WORLD, TRUTH = world(4)


def made(histories: dict[tuple[bool, ...], int], names: tuple[str, ...], **more):
    """One stratum, every fourth item labelled; violating ones with these histories.

    The last of `names` is the user reports, unless it is another.
    """
    found = [history for history, count in histories.items() for _ in range(count)]
    n, clean = len(found), 40
    table = np.array(found + [(False,) * len(names)] * clean, dtype=bool)
    sample = WORLD.sample.iloc[: n + clean].reset_index(drop=True)
    sample = sample.drop(columns=["control:rule", "control:model"]).assign(
        item=np.arange(n + clean),
        actor=np.arange(n + clean),
        stratum="all",
        inclusion=0.25,
        label=np.r_[np.ones(n), np.zeros(clean)],
        in_window=True,
        reported=False,
    )
    for at, name in enumerate(names):
        sample["reported" if name == "reported" else f"control:{name}"] = table[:, at]
    population = pd.DataFrame({"stratum": ["all"], "items": [4 * (n + clean)], "views": [10_000]})
    missing = {} if "reported" in names else {"reports": "no source was given"}
    votes = pd.DataFrame({"item": sample["item"], "rater": 0, "label": sample["label"].astype(int)})
    return replace(WORLD, sample=sample, votes=votes, population=population,
                   by_segment=WORLD.by_segment.iloc[:0], missing=missing, **more)  # fmt: skip


TWO = {(True, False): 30, (False, True): 20, (True, True): 10, (False, False): 40}


def section(rows):
    return today(rows, samples(rows, SPEC), SPEC)


def test_recall_of_each_and_of_controls_and_reports_together():
    found, why = section(made(TWO, ("rule", "reported")))
    assert why == {}
    assert found.controls.names == ("rule", "user reports")
    assert [one.point for one in found.controls.recall] == pytest.approx([0.4, 0.3])
    assert found.controls.recall_of_controls.point == pytest.approx(0.6)
    assert found.controls.recall_of_controls.unit == "share of violating items"
    assert found.controls.missed.point == pytest.approx(160)


def gold(sensitivity: float, *, n: int = 4_000) -> pd.DataFrame:
    """Known answers: raters find this part of the violating ones and are never wrong on others."""
    half = n // 2
    said = np.r_[np.arange(half) < sensitivity * half, np.zeros(half, dtype=bool)]
    return pd.DataFrame({"item": np.arange(n), "rater": 0, "label": said.astype(int),
                         "truth": np.repeat([1, 0], half)})  # fmt: skip


def hits(right: int, wrong: int, **more):
    """A rule whose hits are labelled violating so often, and not so often."""
    rows = made({(True, False): right, (False, True): 20}, ("rule", "reported"), **more)
    clean = rows.sample["label"] == 0
    hit = rows.sample["control:rule"] | (clean & (np.cumsum(clean) <= wrong))
    return replace(rows, sample=rows.sample.assign(**{"control:rule": hit}))


def test_precision_is_corrected_for_what_raters_overlook():
    found = section(hits(27, 13, gold=gold(0.9)))[0].controls.precision[0]
    assert found.point == pytest.approx((27 / 40) / 0.9)
    plain = section(hits(27, 13, gold=gold(1.0)))[0].controls.precision[0]
    assert plain.point == pytest.approx(27 / 40)
    assert found.high - found.low == pytest.approx((plain.high - plain.low) / 0.9, rel=0.1)
    assert "corrected for the raters' errors" in found.method
    assert section(hits(39, 1, gold=gold(0.9)))[0].controls.precision[0].point == 1


def test_precision_without_known_answers_says_that_it_is_not_corrected():
    rows = replace(hits(27, 13), gold=WORLD.gold.iloc[:0])
    found = section(rows)[0].controls.precision[0]
    assert found.point == pytest.approx(27 / 40)
    assert found.note == "The raters' own errors are still in it."


def test_corrected_precision_holds_the_truth():
    held = 0
    for seed in range(40):
        random = np.random.default_rng(seed)
        right = int(random.binomial(random.binomial(40, 0.8), 0.85))
        rows = replace(hits(right, 40 - right), gold=gold(0.85, n=400))
        found = section(rows)[0].controls.precision[0]
        held += found.low <= 0.8 <= found.high
    assert held >= 35


def test_what_none_found_is_in_items_of_the_window():
    """Chapman on the 60 labelled ones, times the four items that each stands for."""
    found, _ = section(made(TWO, ("rule", "reported")))
    bound = found.unseen.unseen_lower_bound
    assert bound.method == CHAPMAN
    assert bound.point == pytest.approx(4 * 30 * 20 / 11)
    assert bound.n == 60
    assert found.unseen.seen == 240
    assert "lower bound" in bound.note
    assert (
        "Of 60\xa0labelled violating items that a control found, 10 were" in found.unseen.check.text
    )
    variance = 41 * 31 * 30 * 20 / (11**2 * 12)
    spread = np.exp(1.959964 * np.sqrt(np.log1p(variance / (30 * 20 / 11) ** 2)))
    assert bound.high / bound.point == pytest.approx(spread, rel=1e-6)
    assert bound.point / bound.low == pytest.approx(spread, rel=1e-6)


def test_items_of_one_account_widen_what_none_found():
    rows = made(TWO, ("rule", "reported"))
    grouped = replace(rows, sample=rows.sample.assign(actor=rows.sample["item"] // 5))
    plain, clumped = (section(one)[0].unseen.unseen_lower_bound for one in (rows, grouped))
    assert clumped.high / clumped.low > plain.high / plain.low * 1.5


def test_few_found_twice_are_said():
    few, _ = section(made(TWO | {(True, True): 3}, ("rule", "reported")))
    assert few.unseen.check.label == "few found twice"
    assert section(made(TWO, ("rule", "reported")))[0].unseen.check.label == "a lower bound"


def test_a_source_that_confirms_is_no_list_of_its_own():
    names = ("rule", "review", "reported")
    histories = {(a, a or b, b): count for (a, b), count in TWO.items()}
    query = replace(WORLD.query, confirming_sources=("review",))
    found, _ = section(made(histories, names, query=query))
    bound = found.unseen.unseen_lower_bound
    assert bound.point == pytest.approx(4 * 30 * 20 / 11)
    assert "review decides on what others found" in bound.note
    assert found.controls.names == ("review", "rule", "user reports")
    # Where it is one of only two, it has to do.
    alone, _ = section(made(TWO, ("rule", "review"), query=query))
    assert alone.unseen.unseen_lower_bound.point == pytest.approx(4 * 30 * 20 / 11)


def test_five_lists_become_four_and_it_is_said_which():
    random = np.random.default_rng(3)
    names = ("a", "b", "c", "twin", "reported")
    table = random.random((200, 5)) < 0.4
    table[:, 3] = table[:, 1] ^ (random.random(200) < 0.04)
    rows, count = np.unique(table, axis=0, return_counts=True)
    histories = {tuple(map(bool, row)): int(n) for row, n in zip(rows, count, strict=True)}
    found, _ = section(made(histories, names))
    assert found.unseen.unseen_lower_bound.method == LOG_LINEAR
    assert "they find the same: b and twin." in found.unseen.unseen_lower_bound.note
    assert len(found.controls.names) == 5
    assert {"a", "c", "b or twin", "user reports"} == set(
        "×".join(found.unseen.models["model"])
        .replace(" + ", "×")
        .replace("independent×", "")
        .split("×")
    )


def test_two_independent_controls_are_bounded_at_the_truth():
    """Over worlds in which lists are independent the interval holds the truth at its level."""
    held = 0
    for seed in range(30):
        random = np.random.default_rng(seed)
        table = random.random((120, 2)) < (0.5, 0.45)
        kinds = [tuple(map(bool, row)) for row in table]
        found, _ = section(made({k: kinds.count(k) for k in set(kinds)}, ("rule", "model")))
        bound = found.unseen.unseen_lower_bound
        held += bound.low <= 4 * 120 * 0.5 * 0.55 <= bound.high
    assert held >= 26


def test_a_list_that_found_nothing_is_left_out_and_named():
    names = ("idle", "rule", "reported")
    found, _ = section(made({(False, *history): n for history, n in TWO.items()}, names))
    assert found.unseen.unseen_lower_bound.point == pytest.approx(4 * 30 * 20 / 11)
    assert "idle found no violating item" in found.unseen.unseen_lower_bound.note


def test_appeals_and_the_proactive_rate():
    each = pd.DataFrame({"proactive": [0, 1, 2], "actioned": [1, 2, 2], "accounts": [10, 10, 20]})
    appealed = Appealed(enforced=100, appealed=20, decided=10, overturned=4)
    rows = made(TWO, ("rule", "reported"), appealed=appealed, proactive=each)
    found, _ = section(rows)
    assert found.overturns.overturn_rate.point == pytest.approx(0.4)
    assert found.overturns.appeal_rate.point == pytest.approx(0.2)
    assert found.proactive.point == pytest.approx(50 / 70)
    assert found.proactive.n == 70
    assert "not recall" in found.proactive.note


def test_labels_of_what_controls_acted_on_are_the_audit_of_appeals():
    appealed = Appealed(enforced=100, appealed=20, decided=10, overturned=4)
    rows = hits(27, 13, appealed=appealed, gold=gold(0.9))
    found = section(rows)[0].overturns
    # What was only reported was not acted on, and is not in it.
    assert found.wrong_rate.point == pytest.approx(1 - (27 / 40) / 0.9)
    assert found.wrong_rate.low <= 0.4 <= found.wrong_rate.high
    assert (found.check.name, found.check.verdict) == ("overturn_against_audit", "pass")
    many = replace(rows, appealed=Appealed(enforced=100, appealed=20, decided=10, overturned=10))
    assert section(many)[0].overturns.check.verdict == "warn"
    none = replace(rows, appealed=Appealed(enforced=100, appealed=20, decided=0, overturned=0))
    assert section(none)[0].overturns.check.verdict == "not_run"
    bare = section(without(WORLD, "labels"))[0].overturns
    assert bare.wrong_rate.point is None
    assert "There was none" in bare.check.text


def test_the_world_s_recall_is_held():
    found, _ = section(WORLD)
    assert found.controls.names == ("model", "rule", "user reports")
    rule = found.controls.recall[1]
    assert rule.low <= 0.3 <= rule.high
    pd.testing.assert_frame_equal(found.hits, WORLD.controls)


def test_rows_in_another_order_change_nothing():
    mixed = replace(
        WORLD,
        sample=WORLD.sample.sample(frac=1, random_state=5),
        proactive=WORLD.proactive.iloc[::-1],
    )
    one, other = section(WORLD)[0], section(mixed)[0]
    pd.testing.assert_frame_equal(one.controls.table(), other.controls.table())
    assert one.unseen.unseen_lower_bound == other.unseen.unseen_lower_bound
    assert one.proactive == other.proactive
    assert one.overturns == other.overturns


@pytest.mark.parametrize(
    ("roles", "fields"),
    [
        (("labels",), {"today.controls", "today.unseen"}),
        (("actions",), {"today.overturns", "today.proactive", "today.unseen"}),
        (("appeals",), {"today.overturns"}),
        (("reports",), {"today.proactive"}),
        (("actions", "reports"),
         {"today.controls", "today.overturns", "today.proactive", "today.unseen"}),
    ],
)  # fmt: skip
def test_missing_inputs_are_sentences(roles, fields):
    rows = WORLD
    for role in roles:
        rows = without(rows, role)
    found, why = section(rows)
    assert set(why) - {"today.hits"} == fields
    for field in fields:
        assert getattr(found, field.removeprefix("today.")) is None
        assert "no source was given" in why[field]
    if "reports" in roles:
        assert "user reports" not in flagged(rows, samples(rows, SPEC))[0]


def test_without_a_violating_label_nothing_is_unseen_but_recall_is_said_to_be_unknown():
    rows = replace(WORLD, sample=WORLD.sample.assign(label=0.0))
    found, why = section(rows)
    assert found.unseen is None
    assert "No labelled item is violating" in why["today.unseen"]
    assert found.controls.recall_of_controls.point is None
