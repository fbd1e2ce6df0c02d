"""Agreement of raters: against statsmodels, brute force, published examples and simulation."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.inter_rater import cohens_kappa, fleiss_kappa

from trustlib.harm.agreement import agreement, agreement_from_counts, vote_counts
from trustlib.harm.rater_pairs import cohen_kappas
from trustlib.stats.item_bootstrap import resampled_sums

VOTES = Path(__file__).parents[3] / "shared" / "realdata" / "rater_votes.csv"
needs_votes = pytest.mark.skipif(
    not VOTES.exists(), reason="../shared/realdata/rater_votes.csv is not part of the project"
)
NAN = np.nan
ALL = ("percent_agreement", "fleiss_kappa", "krippendorff_alpha", "gwet_ac1")
# Krippendorff 2011, Computing Krippendorff's Alpha-Reliability, section C: 4 raters, 12 units.
KRIPPENDORFF = np.array([
    [1, 2, 3, 3, 2, 1, 4, 1, 2, NAN, NAN, NAN],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, NAN, 3],
    [NAN, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, NAN],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, NAN],
]).T  # fmt: skip
# Gwet 2002, Statistical Methods for Inter-Rater Reliability 2: 125 items, the paradox itself.
PARADOX = np.repeat([[0, 0], [0, 1], [1, 0]], [118, 5, 2], axis=0).astype(float)


def simulated(random, n, *, share=0.4, right=0.85, raters=3, rated=0.8):
    truth = random.random(n) < share
    wrong = random.random((n, raters)) > right
    votes = (truth[:, None] ^ wrong).astype(float)
    return np.where(random.random((n, raters)) < rated, votes, NAN)


def alpha_by_pairs(votes):
    """Krippendorff's definition, one ordered pair of votes at a time."""
    observed, pool = 0.0, []
    for row in votes:
        said = row[~np.isnan(row)]
        if len(said) < 2:
            continue
        pool += list(said)
        observed += sum(a != b for a, b in permutations(said, 2)) / (len(said) - 1)
    differ = sum(a != b for a, b in permutations(pool, 2)) / (len(pool) - 1)
    return 1 - observed / differ


@needs_votes
def test_real_votes_agree_with_statsmodels():
    table = pd.read_csv(VOTES)
    counts = table[["n_hate_speech", "n_offensive", "n_neither"]].to_numpy()
    three = counts[table["n_raters"] == 3]
    found = agreement_from_counts(three)
    assert found.items == 22_807
    assert found.fleiss_kappa.point == pytest.approx(fleiss_kappa(three), abs=1e-12)
    assert found.fleiss_kappa.point == pytest.approx(0.549, abs=0.0005)
    # krippendorff 0.9.0, alpha(value_counts=…, level_of_measurement="nominal").
    assert found.krippendorff_alpha.point == pytest.approx(0.5494761431210315, abs=1e-12)
    every = agreement_from_counts(counts)
    assert every.items == 24_783
    assert every.krippendorff_alpha.point == pytest.approx(REAL_ALPHA, abs=1e-12)
    # The resampling's width is that of the large-sample error.
    width = found.fleiss_kappa.high - found.fleiss_kappa.low
    assert width == pytest.approx(0.018, rel=0.06)


REAL_ALPHA = 0.5427989975742868


def test_fleiss_equals_statsmodels_where_all_items_have_as_many_votes():
    votes = np.random.default_rng(1).integers(0, 4, (60, 5)).astype(float)
    counts = vote_counts(votes)
    assert agreement(votes).fleiss_kappa.point == pytest.approx(fleiss_kappa(counts), abs=1e-13)


def test_alpha_is_the_published_one_and_that_of_all_pairs():
    found = agreement(KRIPPENDORFF).krippendorff_alpha
    assert found.point == pytest.approx(0.743, abs=0.0005)
    assert found.n == 11  # the unit with one vote tells nothing
    assert found.point == pytest.approx(alpha_by_pairs(KRIPPENDORFF), abs=1e-12)
    votes = simulated(np.random.default_rng(3), 60, rated=0.6)
    assert agreement(votes).krippendorff_alpha.point == pytest.approx(alpha_by_pairs(votes))


def test_cohen_equals_statsmodels_for_every_pair():
    votes = simulated(np.random.default_rng(4), 80)
    pairs = cohen_kappas(votes)
    assert [(pair.first, pair.second) for pair in pairs] == [(0, 1), (0, 2), (1, 2)]
    for pair in pairs:
        both = votes[:, [pair.first, pair.second]]
        both = both[~np.isnan(both).any(axis=1)].astype(int)
        table = np.zeros((2, 2))
        np.add.at(table, (both[:, 0], both[:, 1]), 1)
        theirs = cohens_kappa(table)
        assert pair.kappa.point == pytest.approx(theirs.kappa, abs=1e-13)
        assert pair.items == pair.kappa.n == len(both)
        assert pair.kappa.high - pair.kappa.low == pytest.approx(
            theirs.kappa_upp - theirs.kappa_low, rel=0.15
        )


def test_a_rater_who_always_says_the_same_adds_nothing_to_chance():
    votes = np.array([[0, 0], [0, 1], [0, 0], [0, 1], [0, 0]], dtype=float)
    for pair in (votes, votes[:, ::-1]):
        assert cohen_kappas(pair)[0].kappa.point == pytest.approx(0, abs=1e-15)


def test_the_prevalence_paradox():
    found = agreement(PARADOX)
    assert found.percent_agreement.point == pytest.approx(0.944)
    assert cohen_kappas(PARADOX)[0].kappa.point == pytest.approx(-0.0234, abs=5e-5)
    assert found.gwet_ac1.point == pytest.approx(0.9408, abs=5e-5)
    assert found.fleiss_kappa.point < 0
    assert (found.check.verdict, found.check.label) == ("warn", "agreement on the common category")
    assert "94 %" in found.check.text.replace("\u00a0", " ")


def test_more_categories_than_occur_count_for_ac1_alone():
    two, three = agreement(PARADOX), agreement(PARADOX, categories=(0, 1, 2))
    share = two.shares[1]
    for found, q in ((two, 2), (three, 3)):
        chance = 2 * share * (1 - share) / (q - 1)
        assert found.gwet_ac1.point == pytest.approx((0.944 - chance) / (1 - chance))
    assert three.fleiss_kappa.point == pytest.approx(two.fleiss_kappa.point)
    with pytest.raises(ValueError, match=r"7.votes in none of the 1 categories"):
        agreement(PARADOX, categories=(0,))


def test_one_category_is_not_estimable():
    found = agreement(np.zeros((40, 2)))
    for name in ("fleiss_kappa", "krippendorff_alpha"):
        assert getattr(found, name).point is None
        assert "every vote is in the same category" in getattr(found, name).note
    assert found.gwet_ac1.point == 1
    assert found.gwet_ac1.low is None
    assert found.percent_agreement.point == found.percent_agreement.high == 1
    assert found.percent_agreement.low == pytest.approx(0.025 ** (1 / 40))
    assert found.check.label == "one category only"
    assert cohen_kappas(np.zeros((40, 2)))[0].kappa.point is None
    seven = agreement(np.full((40, 2), 7.0))
    assert seven.gwet_ac1.point is None


def test_no_item_with_two_votes():
    for votes in (np.array([[1, NAN], [NAN, 0.0]]), np.empty((3, 0)), np.empty((0, 2))):
        found = agreement(votes)
        assert found.items == found.votes == 0
        for name in ALL:
            assert getattr(found, name).note == "not estimable: no item has two votes"
        assert found.check.verdict == "not_run"
    assert cohen_kappas(np.array([[1, NAN], [NAN, 0.0]]))[0].kappa.point is None


def test_intervals_that_cannot_be_justified_are_not_given():
    perfect = agreement(np.repeat([[0.0, 0.0], [1.0, 1.0]], [60, 40], axis=0))
    assert perfect.fleiss_kappa.point == 1
    assert "shows no spread" in perfect.fleiss_kappa.note
    assert perfect.percent_agreement.low < 1
    assert perfect.check.verdict == "pass"
    single = agreement(np.array([[0.0, 1.0], [1.0, NAN]]))
    assert single.fleiss_kappa.note == "interval not estimable: a single item has two votes"
    rare = agreement(np.repeat([[0.0, 0.0], [1.0, 0.0]], [99, 1], axis=0))
    assert "too few items" in rare.fleiss_kappa.note
    assert rare.percent_agreement.low is not None


def test_check_says_what_is_weak():
    random = np.random.default_rng(8)
    guesses = (random.random((200, 2)) < 0.5).astype(float)
    assert agreement(guesses).check.verdict == "fail"
    good = simulated(random, 400, right=0.97, rated=1)
    assert agreement(good).check.verdict == "pass"
    assert agreement(good[:30]).check.label == "few items rated twice"
    assert agreement(simulated(random, 400, right=0.85)).check.label == "raters often disagree"


def test_weights_bring_the_population_back():
    # One stratum rich in abuse and sampled in full, one poor and sampled at a tenth.
    random = np.random.default_rng(5)
    rich = simulated(random, 300, share=0.5, rated=1)
    poor = simulated(random, 3000, share=0.02, rated=1)
    whole = agreement(np.vstack([rich, poor]))
    taken = np.vstack([rich, poor[::10]])
    weight = np.repeat([1.0, 10.0], 300)
    plain = agreement(taken)
    heavy = agreement(taken, weight=weight, stratum=np.repeat([0, 1], 300))
    assert abs(plain.fleiss_kappa.point - whole.fleiss_kappa.point) > 0.1
    assert heavy.fleiss_kappa.low < whole.fleiss_kappa.point < heavy.fleiss_kappa.high
    # Weight two is the item twice.
    doubled = agreement(np.repeat(rich, 2, axis=0)[:400])
    as_weights = agreement(rich[:200], weight=np.full(200, 2.0))
    assert as_weights.fleiss_kappa.point == pytest.approx(doubled.fleiss_kappa.point)
    assert as_weights.gwet_ac1.point == pytest.approx(doubled.gwet_ac1.point)


def test_orders_and_names_do_not_matter():
    random = np.random.default_rng(6)
    votes = simulated(random, 120)
    kept = votes.copy()
    found = agreement(votes, seed=3)
    again = agreement(votes[random.permutation(120)][:, [2, 0, 1]], seed=3)
    for name in ALL:
        assert getattr(found, name) == getattr(again, name)
        turned = getattr(agreement(1 - votes, seed=3), name)
        assert turned.point == pytest.approx(getattr(found, name).point)
    assert found.fleiss_kappa != agreement(votes, seed=4).fleiss_kappa
    np.testing.assert_array_equal(votes, kept)


def test_a_resample_has_the_spread_of_drawing_items():
    random = np.random.default_rng(2)
    features = random.integers(0, 3, (50, 1)).astype(float)
    stratum = np.repeat([4, 9], [20, 30])
    weight = np.where(stratum == 4, 2.0, 0.5)
    sums, drawn = resampled_sums(features, weight=weight, stratum=stratum, draws=20_000, seed=0)
    assert sums[0] == pytest.approx(float(weight @ features[:, 0]))
    assert drawn.mean() == pytest.approx(sums[0], abs=0.3)
    parts = [(features[stratum == 4] * 2.0), (features[stratum == 9] * 0.5)]
    spread = np.sqrt(sum(len(part) * part.var() for part in parts))
    assert drawn.std() == pytest.approx(spread, rel=0.03)


def test_intervals_cover():
    # The truth: agreement of a pair is .85² + .15², the shares are known.
    agree = 0.85**2 + 0.15**2
    share = 0.4 * 0.85 + 0.6 * 0.15
    chance = share**2 + (1 - share) ** 2
    truth = {
        "percent_agreement": agree,
        "fleiss_kappa": (agree - chance) / (1 - chance),
        "krippendorff_alpha": (agree - chance) / (1 - chance),
        "gwet_ac1": (agree - (1 - chance)) / chance,
    }
    hits = dict.fromkeys(ALL, 0)
    random = np.random.default_rng(11)
    for seed in range(600):
        found = agreement(simulated(random, 150, rated=1), draws=400, seed=seed)
        for name in ALL:
            one = getattr(found, name)
            hits[name] += one.low <= truth[name] <= one.high
    for name in ALL:
        assert 0.93 <= hits[name] / 600 <= 0.97, (name, hits[name])


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"counts": np.ones(3)}, "one row for each item"),
        ({"counts": [[1, -1]]}, "whole number of 0 or more"),
        ({"counts": [[1.5, 1]]}, "whole number of 0 or more"),
        ({"counts": [[2, 1]], "weight": [0.0]}, "above 0"),
        ({"counts": [[2, 1]], "weight": [1.0, 1.0]}, "one value for each item"),
    ],
)
def test_what_does_not_fit_is_refused(given, said):
    with pytest.raises(ValueError, match=said):
        agreement_from_counts(**given)
