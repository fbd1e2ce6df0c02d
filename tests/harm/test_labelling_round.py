"""The next labelling round: allocation, promise, draw, and the labels' way back."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest

from trustlib.core import Refusal
from trustlib.harm import prevalence
from trustlib.harm.agreement import agreement
from trustlib.harm.allocation import Strata, allocate, expected, spread, strata_from_frame
from trustlib.harm.keyed import item_ids, keyed_ids, keyed_numbers
from trustlib.harm.labelling_round import budgets, plan, strata_by_score, strata_frame
from trustlib.harm.returned_labels import sample_of
from trustlib.harm.share import effective_n, estimated, share_interval
from trustlib.harm.worklist import by_size, draw, systematic
from trustlib.stats.wilson import wilson

KEY = b"a key that only this test knows "
FRAME = pd.DataFrame(
    {
        "stratum": list("abcde"),
        "items": [500_000, 300_000, 150_000, 40_000, 10_000],
        "expected_prevalence": [0.0002, 0.001, 0.005, 0.02, 0.1],
    }
)


def world(n, *, seed=0, share=0.02):
    """Items with a score that is their probability to violate, views, accounts, and the truth."""
    random = np.random.default_rng(seed)
    score = random.beta(0.3, 12, n)
    score = np.clip(score * share / score.mean(), 0, 1)
    return pd.DataFrame(
        {
            "item_id": [f"item {i}" for i in range(n)],
            "score": score,
            "views": np.floor(random.lognormal(2, 1.2, n)),
            "account_id": random.integers(0, n // 5, n),
            "truth": (random.random(n) < score).astype(float),
        }
    )


def planned(items, *, votes, of="items", **more):
    codes, names = strata_by_score(items["score"])
    made = plan(strata_from_frame(strata_frame(items, codes=codes, names=names)),
                votes=votes, of=of, **more)  # fmt: skip
    return items.assign(stratum=codes), made


def known(items):
    """The truth by item_key."""
    return pd.Series(items["truth"].to_numpy(), keyed_ids(item_ids(items["item_id"]), key=KEY))


def told(worklist, items, truth=None):
    """Labels that are always right: one for each item, two where two are asked."""
    truth = known(items) if truth is None else truth
    rows = worklist.rows
    once = pd.DataFrame({"item_key": rows["item_key"], "rater_id": "ann",
                         "label": truth.loc[rows["item_key"]].to_numpy()})  # fmt: skip
    twice = once[rows["double_rated"].to_numpy()].assign(rater_id="ben")
    return pd.concat([once, twice], ignore_index=True)


# Allocation.


def variance(strata, labels):
    p, w = strata.expected, strata.mass("items")
    return float(np.sum(w**2 * p * (1 - p) / labels))


def test_neyman_is_proportional_and_no_whole_numbers_do_better():
    strata = strata_from_frame(FRAME[2:])
    labels = allocate(strata, 60, floor=2)
    p, size = strata.expected, strata.items
    exact = size * np.sqrt(p * (1 - p))
    assert np.abs(labels - 60 * exact / exact.sum()).max() < 1
    best = min(
        (variance(strata, np.array([a, b, 60 - a - b])), (a, b, 60 - a - b))
        for a, b in product(range(2, 57), repeat=2)
        if 60 - a - b >= 2
    )
    assert np.abs(labels - best[1]).max() <= 1
    assert variance(strata, labels) == pytest.approx(best[0], rel=1e-3)


def test_floors_and_caps_hold_and_the_rest_stays_in_proportion():
    strata = strata_from_frame(FRAME)
    for total in (200, 1000, 60_000, 990_000):
        labels = allocate(strata, total, floor=40)
        assert labels.sum() == total
        assert (labels >= 40).all()
        assert (labels <= strata.items).all()
        free = (labels > 40) & (labels < strata.items)
        p = strata.expected[free]
        rate = labels[free] / (strata.items[free] * np.sqrt(p * (1 - p)))
        assert all(rate == pytest.approx(one, rel=0.02) for one in rate)
    assert (allocate(strata, 60_000, cap=0.1) <= 0.1 * strata.items + 1).all()
    assert list(allocate(strata, 1_000_000)) == list(strata.items)


def test_spread_adds_up_within_its_bounds():
    random = np.random.default_rng(0)
    for _ in range(300):
        size = random.gamma(0.4, 1, 6) + 1e-6
        least = random.integers(0, 5, 6)
        most = least + random.integers(0, 40, 6)
        total = int(random.integers(least.sum(), most.sum() + 1))
        found = spread(total, size=size, least=least, most=most)
        assert found.sum() == total
        assert ((least <= found) & (found <= most)).all()
    third = spread(10, size=np.ones(3), least=np.zeros(3, int), most=np.full(3, 9))
    assert list(third) == [4, 3, 3]
    # 1.5, 2.6 and 5.9: the two largest remainders are rounded up.
    parts = spread(10, size=np.array([0.15, 0.26, 0.59]), least=np.zeros(3, int),
                   most=np.full(3, 9))  # fmt: skip
    assert list(parts) == [1, 3, 6]


def test_strata_that_promise_nothing_keep_a_share():
    strata = strata_from_frame(FRAME.assign(expected_prevalence=0.0))
    labels = allocate(strata, 1000, floor=2)
    assert labels == pytest.approx(1000 * strata.items / 1e6, abs=1)


def test_earlier_labels_move_the_guess():
    given = FRAME.assign(labelled=[0, 80, 80, 80, 80], positive=[0, 0, 4, 40, 80])
    found = strata_from_frame(given).expected
    assert found == pytest.approx([0.0002, 0.0002, 0.041, 0.404, 0.82])
    as_score = FRAME.rename(columns={"expected_prevalence": "score_mean"})
    assert list(strata_from_frame(as_score).expected) == list(FRAME["expected_prevalence"])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda f: f.drop(columns="items"), "no column items"),
        (lambda f: f.drop(columns="expected_prevalence"), "no column score_mean"),
        (lambda f: f.assign(stratum="a"), "there twice"),
        (lambda f: f.assign(items=[1, 2, 3, 4, 5.5]), "row 5"),
        (lambda f: f.assign(expected_prevalence=[0, 0, 1.01, 0, 2]), r"2.values of .* row 3"),
        (lambda f: f.assign(items=0), "no items"),
        (lambda f: f.assign(labelled=1), "no column positive"),
        (lambda f: f.assign(labelled=1, positive=2), "more items are positive"),
        (lambda f: f[:0], "no strata"),
    ],
)
def test_strata_that_do_not_fit_are_refused(change, said):
    kept = FRAME.copy()
    with pytest.raises(Refusal, match=said):
        strata_from_frame(change(FRAME))
    pd.testing.assert_frame_equal(FRAME, kept)


def test_budgets_outside_floors_and_caps_are_refused():
    strata = strata_from_frame(FRAME)
    with pytest.raises(Refusal, match=r"100.labels are fewer than the floors need: 150"):
        allocate(strata, 100)
    with pytest.raises(Refusal, match="more than can be given: 100,000"):
        allocate(strata, 200_000, cap=0.1)
    with pytest.raises(Refusal, match="no views"):
        plan(strata_from_frame(FRAME.assign(views=0)), votes=1000, of="views")
    for wrong in ({"floor": 1}, {"cap": 0.0}, {"overlap": 1.5}, {"of": "posts"}):
        with pytest.raises(ValueError, match=r"must|is of"):
            plan(strata, **{"votes": 1000} | wrong)


# Plans and budgets.


def test_every_vote_is_planned():
    strata = strata_from_frame(FRAME)
    for votes in (401, 1000, 2200, 12_345):
        made = plan(strata, votes=votes)
        labels, again = int(made.labels.sum()), int(made.double_rated.sum())
        assert labels + again == made.votes == votes
        assert 0 <= again - 0.1 * labels < 1.1
        assert (made.double_rated <= made.labels).all()
        assert np.abs(made.double_rated - again * made.labels / labels).max() <= 1
    assert plan(strata, votes=500, overlap=0).double_rated.sum() == 0
    everything = plan(strata, votes=1000, overlap=1)
    assert list(everything.double_rated) == list(everything.labels)
    assert made.table["labels"].sum() == labels
    assert made.table["expected_positives"].sum() == pytest.approx(made.expected.positives)


def test_budgets_say_what_each_would_bring():
    strata = strata_from_frame(FRAME)
    table = budgets(strata, [1000, 2200, 8800])
    assert list(table["votes"]) == [1000, 2200, 8800]
    assert (np.diff(table["width"]) < 0).all()
    # Four times the votes, half the width (nearly: Wilson's has a part in 1/n).
    assert table["width"][1] / table["width"][2] == pytest.approx(2, rel=0.1)
    assert (table["width_if_half"] < table["width"]).all()
    assert (table["width_if_double"] > table["width"]).all()
    assert (table["width"] < 0.7 * table["simple_random_width"]).all()
    row = table.iloc[1]
    made = plan(strata, votes=2200)
    share = float(FRAME["items"] @ FRAME["expected_prevalence"]) / 1e6
    assert row["share"] == pytest.approx(share)
    assert row["low"] < share < row["high"]
    rate = FRAME["expected_prevalence"].to_numpy()
    assert row["expected_positives"] == pytest.approx(float(made.labels @ rate))
    assert row["none_probability"] == pytest.approx(np.prod((1 - rate) ** made.labels))


def test_views_that_are_taken_in_part_narrow_the_interval():
    # Views all alike, a fifth of the items drawn: the variance has the part 1/(1 + a), a = .2.
    frame = pd.DataFrame({"stratum": ["a"], "items": [1000], "views": [5000],
                          "views_squared": [25_000], "score_mean": [0.1]})  # fmt: skip
    labels = np.array([200])
    found = expected(strata_from_frame(frame), labels, of="views")
    variance = 0.1 * 0.9 / 200 / 1.2
    n = effective_n(0.1, variance=variance, labels=200)
    assert (found.low, found.high) == pytest.approx(wilson(0.1, n=n, level=0.95))
    blind = expected(strata_from_frame(frame.drop(columns="views_squared")), labels, of="views")
    assert blind.width > found.width


def test_a_census_has_no_width():
    strata = strata_from_frame(FRAME)
    whole = expected(strata, strata.items)
    assert whole.low == whole.high == pytest.approx(whole.share)


def test_strata_by_score():
    score = np.array([0.1, 0.2, 0.3, np.nan, 0.9, 0.2])
    codes, names = strata_by_score(score, cuts=(0.2, 0.5))
    assert list(codes) == [0, 1, 1, 3, 2, 1]
    assert names == ("score below 0.2", "score 0.2 to 0.5", "score 0.5 and above", "no score")
    same, few = strata_by_score(np.full(4, 0.5))
    assert list(same) == [0, 0, 0, 0]
    assert few == ("score 0.5 and above",)
    assert strata_by_score(np.full(2, np.nan))[1] == ("no score",)
    many, five = strata_by_score(np.linspace(0, 1, 10_000))
    assert np.bincount(many) == pytest.approx([5000, 3000, 1500, 400, 100], abs=1)
    assert len(set(five)) == 5
    close = strata_by_score(np.array([0.0, 1.0]), cuts=(0.99991, 0.99992))[1]
    assert close == ("score below 0.99991", "score 0.99992 and above")
    for wrong in ((0.5, 0.2), (0.5, 0.5), (np.nan,)):
        with pytest.raises(ValueError, match="cuts must"):
            strata_by_score(score, cuts=wrong)
    with pytest.raises(ValueError, match="finite or missing"):
        strata_by_score([np.inf])


# Drawing.


def test_a_worklist_is_what_was_planned():
    items, made = planned(world(5000), votes=660)
    worklist = draw(items, made, key=KEY)
    rows = worklist.rows
    assert np.bincount(rows["code"]) == pytest.approx(made.labels)
    assert np.bincount(rows["code"], rows["double_rated"]) == pytest.approx(made.double_rated)
    for code, rate in enumerate(made.table["inclusion_probability"]):
        assert rows.loc[rows["code"] == code, "inclusion_probability"].unique() == [rate]
    twice = rows[rows["double_rated"]]
    assert np.bincount(twice["code"], 1 / twice["double_probability"]) == pytest.approx(
        made.strata.items
    )
    assert list(worklist.population.items) == list(made.strata.items)
    assert worklist.population.views.sum() == items["views"].sum()
    assert list(worklist.exported) == [
        "item_key", "stratum", "inclusion_probability", "double_rated",
    ]  # fmt: skip


def test_no_id_leaves_and_the_key_finds_it_again():
    items, made = planned(world(3000), votes=440)
    rows = draw(items, made, key=KEY).rows
    text = rows.to_csv()
    assert not any(one in text for one in items["item_id"])
    assert rows["item_key"].str.fullmatch("[0-9a-f]{32}").all()
    keys = pd.Series(items.index, keyed_ids(item_ids(items["item_id"]), key=KEY))
    found = items.loc[keys.loc[rows["item_key"]]]
    assert list(found["views"]) == list(rows["views"])
    assert list(found["score"]) == list(rows["score"])
    assert list(found["stratum"]) == list(rows["code"])
    same = pd.Series(rows["actor"].to_numpy()).groupby(found["account_id"].to_numpy()).nunique()
    assert (same == 1).all()
    assert rows["actor"].nunique() == found["account_id"].nunique()
    other = keyed_ids(item_ids(items["item_id"]), key=b"another key, quite as long as it")
    assert not set(other) & set(rows["item_key"])


@pytest.mark.parametrize("of", ["items", "views"])
def test_key_and_seed_decide_and_the_order_of_rows_does_not(of):
    items, made = planned(world(3000), votes=440, of=of)
    kept = items.copy()
    once = draw(items, made, key=KEY, seed=4)
    shuffled = items.sample(frac=1, random_state=3)
    again = draw(shuffled, made, key=KEY, seed=4)
    pd.testing.assert_frame_equal(once.rows, again.rows)
    assert list(once.population.views) == list(again.population.views)
    pd.testing.assert_frame_equal(items, kept)
    first, second = (set(draw(items, made, key=KEY, seed=seed).rows["item_key"]) for seed in (4, 5))
    assert first == set(once.rows["item_key"])
    assert len(first & second) < 0.7 * len(first)


def test_random_numbers_are_even():
    numbers = keyed_numbers([str(i).encode() for i in range(20_000)], key=KEY, purpose="draw",
                            seed=0)  # fmt: skip
    assert np.histogram(numbers, 10, (0, 1))[0] == pytest.approx(2000, abs=200)
    assert abs(np.corrcoef(numbers[1:], numbers[:-1])[0, 1]) < 0.03


def test_probabilities_by_size_are_those_that_are_drawn():
    size = np.array([0.0, 1, 2, 3, 4, 50])
    pi = by_size(size, 3)
    assert pi == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1])
    random, often = np.random.default_rng(1), np.zeros(6)
    for _ in range(4000):
        order = random.permutation(6)
        taken = order[systematic(pi[order], start=random.random())]
        assert len(set(taken)) == 3
        often[taken] += 1
    assert often / 4000 == pytest.approx(pi, abs=0.03)
    with pytest.raises(Refusal, match="5 with views"):
        by_size(size, 6)
    assert by_size(np.full(4, 2.0), 4) == pytest.approx(np.ones(4))


@pytest.mark.parametrize("of", ["items", "views"])
def test_totals_are_unbiased_and_the_promised_width_is_met(of):
    items = world(12_000, seed=2, share=0.05)
    x = np.ones(len(items)) if of == "items" else items["views"].to_numpy()
    y = items["truth"].to_numpy()
    items, made = planned(items, votes=660, of=of)
    truth = np.bincount(items["stratum"], x * y) / np.bincount(items["stratum"], x)
    strata = Strata(**{**vars(made.strata), "expected": truth})
    made = plan(strata, votes=660, of=of)
    keys = known(items)
    totals, widths, hits, share = [], [], 0, float(x @ y / x.sum())
    for seed in range(120):
        worklist = draw(items, made, key=KEY, seed=seed)
        sample = sample_of(worklist, told(worklist, items, keys))
        weigh = sample.views if of == "views" else 1.0
        totals.append(float(np.sum(weigh * sample.label / sample.inclusion)))
        found = share_interval(
            estimated(sample, worklist.population, label=sample.label, of=of, cluster=False),
            level=0.95,
        )
        widths.append(found.high - found.low)
        hits += found.low <= share <= found.high
    error = np.std(totals) / np.sqrt(120)
    assert np.mean(totals) == pytest.approx(float(x @ y), abs=3 * error)
    assert error < 0.02 * float(x @ y)
    assert np.mean(widths) == pytest.approx(made.expected.width, rel=0.06)
    assert 0.91 <= hits / 120 <= 0.99


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda f: f.drop(columns="item_id"), "no column item_id"),
        (lambda f: f.drop(columns="views"), "no column views"),
        (lambda f: f.assign(item_id=f["item_id"].where(f.index > 4)), r"5.items without an id"),
        (lambda f: f.assign(item_id=f.index * 0.5), "neither text nor a whole number"),
        (lambda f: f.assign(item_id=f.index // 2), "there before"),
        (lambda f: f[1:], "not those of the plan"),
        (lambda f: f.assign(stratum=f["stratum"].where(f.index > 2)), r"3.items in none"),
        (lambda f: f.assign(views=-f["views"]), "views cannot be used"),
        (lambda f: f.assign(views=0.0), "0 with views"),
    ],
)
def test_items_that_cannot_be_drawn_are_refused(change, said):
    items, made = planned(world(600), votes=220, of="views")
    with pytest.raises(Refusal, match=said) as refused:
        draw(change(items), made, key=KEY)
    assert "item 1" not in str(refused.value)


def test_a_short_key_is_refused():
    items, made = planned(world(600), votes=220)
    for key in (b"short", "a text that is long enough, but no bytes"):
        with pytest.raises(Refusal, match="16 bytes"):
            draw(items, made, key=key)


# The way back.


def test_labels_come_back_as_a_sample():
    items, made = planned(world(5000), votes=660)
    worklist = draw(items, made, key=KEY)
    returned = told(worklist, items)
    sample = sample_of(worklist, returned.sample(frac=1, random_state=1))
    assert sample.n == made.labels.sum()
    assert list(sample.inclusion) == list(worklist.rows["inclusion_probability"])
    assert list(sample.stratum) == list(worklist.rows["code"])
    assert list(sample.actor) == list(worklist.rows["actor"])
    first = returned["label"][: sample.n]
    assert list(sample.label) == list(first)
    assert (~np.isnan(sample.votes)).sum(axis=0).tolist() == [sample.n, made.double_rated.sum()]
    found = prevalence(sample, worklist.population)
    assert found.estimate.low < items["truth"].mean() < found.estimate.high
    overlap = agreement(
        sample.votes[worklist.rows["double_rated"]],
        weight=1 / worklist.rows["double_probability"][worklist.rows["double_rated"]],
        stratum=sample.stratum[worklist.rows["double_rated"]],
    )
    assert overlap.items == made.double_rated.sum()
    assert overlap.percent_agreement.point == 1
    repeated = pd.concat([returned, returned[:5]])
    assert list(sample_of(worklist, repeated).label) == list(sample.label)


def back():
    items, made = planned(world(600), votes=220)
    worklist = draw(items, made, key=KEY)
    return worklist, told(worklist, items)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda f: f.drop(columns="rater_id"), "no column rater_id"),
        (lambda f: f.assign(item_key=f["item_key"].where(f.index > 1, "f" * 32)),
         r"2.labels for items that are not on the worklist, the first in row 1"),
        (lambda f: f.assign(label=f["label"].where(f.index != 3, 0.5)),
         r"1.label neither .* row 4"),
        (lambda f: f.assign(label=f["label"].where(f.index != 3)), r"1.label neither"),
        (lambda f: f.assign(rater_id=f["rater_id"].where(f.index > 0)), r"1.label without a rater"),
        (lambda f: pd.concat([f, f[:3].assign(label=1 - f["label"])]), r"both ways .* 3.times"),
        (lambda f: f[~f["item_key"].isin(f["item_key"][:3])], r"3 of 200.items have no label"),
        (lambda f: f[:-2], "2 that should have two votes have one"),
    ],
)  # fmt: skip
def test_labels_that_do_not_fit_are_refused(change, said):
    worklist, returned = back()
    with pytest.raises(Refusal, match=said) as refused:
        sample_of(worklist, change(returned))
    assert not any(key in str(refused.value) for key in worklist.rows["item_key"])


def test_ties_are_decided_apart_from_the_votes():
    worklist, returned = back()
    second = returned["rater_id"] == "ben"
    torn = returned.assign(label=returned["label"].where(~second, 1 - returned["label"]))
    with pytest.raises(Refusal, match=r"20.items with as many votes for as against"):
        sample_of(worklist, torn)
    decisions = torn.loc[second, ["item_key", "label"]]
    sample = sample_of(worklist, torn, decisions=decisions)
    assert sample.votes.shape == (200, 2)
    chosen = worklist.rows["item_key"].isin(decisions["item_key"]).to_numpy()
    assert list(sample.label[chosen]) == list(sample.votes[chosen, 1])
    with pytest.raises(Refusal, match="decided both ways"):
        sample_of(worklist, torn, decisions=pd.concat([decisions, decisions.assign(
            label=1 - decisions["label"])]))  # fmt: skip


def test_what_came_back_can_stand_for_the_rest():
    items, made = planned(world(5000), votes=660)
    worklist = draw(items, made, key=KEY)
    returned = told(worklist, items)
    lost = worklist.rows.groupby("code").head(15)["item_key"]
    partial = returned[~returned["item_key"].isin(lost)]
    sample = sample_of(worklist, partial, missing="reweight")
    assert sample.n == made.labels.sum() - 15 * len(made.labels)
    stands_for = np.bincount(sample.stratum, 1 / sample.inclusion)
    assert stands_for == pytest.approx(made.strata.items)
    none = sample_of(worklist, returned[:0], missing="reweight")
    assert none.n == 0
