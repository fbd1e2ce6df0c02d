"""Placebos in space: the list of them by hand, ties, several treated, dates apart, draws."""

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest

from tests.interventions.markets import panel, paths
from trustlib.interventions.synth import placebos_in_space
from trustlib.interventions.synth.case import Case
from trustlib.interventions.synth.cohorts import cases, combined
from trustlib.interventions.synth.fit import fit
from trustlib.interventions.synth.placebos_in_space import in_space

PRESETS = ("synthetic_did", "synthetic_control", "did")


def one_treated(*, seed: int = 0, donors: int = 9) -> Case:
    outcome = paths(seed=seed, donors=donors, periods=18, start=12)
    return Case(target=outcome[0], donors=outcome[1:], n_pre=12)


def several(starts: tuple[int, ...], *, units: int = 12, seed: int = 0):
    outcome = paths(seed=seed, donors=units - 1, periods=18, start=min(starts))
    return panel(outcome, start=starts)


def asked(one, preset, **options):
    parts = cases(one)
    fits = [fit(case, preset) for _, case in parts]
    return parts, fits, in_space(parts, fits, **options)


def steps(*after: float) -> Case:
    """Plain paths: up and down by one before the start, then at these levels; the first treated."""
    before = np.array([1.0, -1.0, 1.0, -1.0])
    rows = [np.concatenate([before, np.full(2, level)]) for level in after]
    return Case(target=rows[0], donors=np.array(rows[1:]), n_pre=4)


@pytest.mark.parametrize("preset", PRESETS)
def test_every_donor_once_against_the_others(preset) -> None:
    case = one_treated()
    found = in_space([(12, case)], [fit(case, preset)])
    assert found.exact
    assert found.reason is None
    assert found.donors.tolist() == [[i] for i in range(9)]
    for donor, placebo in enumerate(found.fits):
        others = np.delete(case.donors, donor, axis=0)
        alone = fit(Case(target=case.donors[donor], donors=others, n_pre=12), preset)
        assert placebo.unit_weights.tolist() == alone.unit_weights.tolist()
        assert found.att[donor] == pytest.approx(alone.att, abs=1e-12)
        assert found.paths[donor] == pytest.approx(alone.gap, abs=1e-12)
        assert found.pre_rmspe[donor] == pytest.approx(alone.pre_rmspe, abs=1e-12)
        assert found.post_rmspe[donor] == pytest.approx(np.sqrt(np.mean(alone.gap[12:] ** 2)))
    mean = sum(found.att) / 9
    assert found.standard_error == pytest.approx(
        math.sqrt(sum((att - mean) ** 2 for att in found.att) / 9)
    )
    own = fit(case, preset)
    assert found.own_att == pytest.approx(own.att)
    assert found.own_ratio == pytest.approx(
        np.sqrt(np.mean(own.gap[12:] ** 2)) / own.pre_rmspe, rel=1e-12
    )
    above = sum(ratio >= found.own_ratio for ratio in found.ratio)
    assert found.rank == 1 + above
    assert found.p_value == pytest.approx((1 + above) / 10)
    assert found.least_p == pytest.approx(1 / 10)


def test_donors_in_plain_numbers() -> None:
    # Averages of the others: a path at level a after the start, the others' mean at m, has gap
    # a − m, and no fit to speak of in either.
    case = steps(9.0, 0.0, 3.0, 6.0)
    noisy = replace(case, donors=case.donors + np.outer([1.0, 0.0, -1.0], [0, 0, 0, 1.0, 0, 0]))
    found = in_space([(4, noisy)], [fit(noisy, "did")])
    # The last period before the start differs: +1, 0, −1, and with it the mean before by ¼.
    assert found.att == pytest.approx(
        [0 - 4.5 - (0.25 + 0.125), 3 - 3 - 0, 6 - 1.5 - (-0.25 - 0.125)], abs=1e-12
    )
    assert found.own_att == pytest.approx(9 - 3, abs=1e-12)
    assert found.standard_error == pytest.approx(np.std([-4.875, 0.0, 4.875]), abs=1e-12)


def test_ties_count_against_the_treated() -> None:
    # Mirror images: each has the same size of gap, before and after.
    before = np.array([1.0, -1.0, 2.0, -2.0])
    up, down = np.append(before, [4.0, 4.0]), np.append(-before, [-4.0, -4.0])
    case = Case(target=up, donors=np.array([down, up, down]), n_pre=4)
    found = in_space([(4, case)], [fit(case, "synthetic_control")])
    assert found.own_ratio == 0  # a twin among the donors: no gap at all, before or after
    assert found.rank == 4
    assert found.p_value == 1.0
    pair = Case(target=up, donors=np.array([down, down]), n_pre=4)
    apart = in_space([(4, pair)], [fit(pair, "did")])
    assert apart.ratio.tolist() == [0.0, 0.0]
    assert apart.own_ratio == pytest.approx(8 / np.sqrt(np.mean((2 * before) ** 2)))
    assert apart.rank == 1
    # A ratio that differs in the last digits only is the same ratio.
    same = replace(apart, post_rmspe=np.full(2, 2.0), pre_rmspe=np.full(2, 1.0), own_pre_rmspe=1.0)
    for own, rank in ((2.0, 3), (2.0 * (1 + 1e-12), 3), (2.0 * (1 + 1e-6), 1), (1.9, 3)):
        assert replace(same, own_post_rmspe=own).rank == rank
        assert replace(same, own_post_rmspe=own).p_value == pytest.approx(rank / 3)


def test_an_exact_match_has_the_largest_ratio() -> None:
    case = one_treated()
    mix = np.full(9, 1 / 9) @ case.donors
    matched = replace(case, target=mix + 5.0 * (np.arange(18) >= 12))
    found = in_space([(12, matched)], [replace(fit(matched, "did"), pre_rmspe=0.0)])
    assert found.own_ratio == math.inf
    assert found.rank == 1
    # Infinite ratios tie with each other.
    tied = replace(found, pre_rmspe=np.where(np.arange(9) < 3, 0.0, found.pre_rmspe))
    assert np.isinf(tied.ratio).sum() == 3
    assert tied.rank == 4


@pytest.mark.parametrize("preset", PRESETS)
def test_pairs_of_donors_stand_in_for_two_treated(preset) -> None:
    one = several((12, 12), units=9)
    parts, fits, found = asked(one, preset)
    donors = parts[0][1].donors
    pairs = list(itertools.combinations(range(7), 2))
    assert found.exact
    assert found.donors.tolist() == [list(pair) for pair in pairs]
    assert found.fits == ()
    for at, pair in enumerate(pairs):
        case = Case(
            target=donors[list(pair)].mean(axis=0),
            donors=np.delete(donors, pair, axis=0),
            n_pre=12,
            n_treated=2,
        )
        alone = fit(case, preset)
        assert found.att[at] == pytest.approx(alone.att, abs=1e-12)
        assert found.pre_rmspe[at] == pytest.approx(alone.pre_rmspe, abs=1e-12)
        assert found.paths[at] == pytest.approx(alone.gap, abs=1e-12)
    assert found.own_att == pytest.approx(fits[0].att)
    assert found.least_p == pytest.approx(1 / 22)


@pytest.mark.parametrize("preset", PRESETS)
def test_dates_apart_keep_their_shape(preset) -> None:
    # One unit from period 10, two from period 14: every donor in the first place, and every pair
    # of the others in the second.
    one = several((10, 14, 14), units=9)
    parts, fits, found = asked(one, preset)
    donors = parts[0][1].donors
    expected = [
        (first, *pair)
        for first in range(6)
        for pair in itertools.combinations([i for i in range(6) if i != first], 2)
    ]
    assert found.exact
    assert sorted(map(tuple, found.donors.tolist())) == sorted(expected)
    assert found.n == 6 * 10
    assert found.own_att == pytest.approx(combined(parts, fits), abs=1e-12)
    for at in (0, 17, 59):
        early, *late = found.donors[at].tolist()
        rest = np.delete(donors, [early, *late], axis=0)
        one_fit = fit(Case(target=donors[early], donors=rest, n_pre=10), preset)
        two_fit = fit(
            Case(target=donors[late].mean(axis=0), donors=rest, n_pre=14, n_treated=2), preset
        )
        # Eight treated periods of one unit, four of two.
        assert found.att[at] == pytest.approx((8 * one_fit.att + 8 * two_fit.att) / 16, abs=1e-12)
        squares = (one_fit.gap[10:] ** 2).sum() + 2 * (two_fit.gap[14:] ** 2).sum()
        assert found.post_rmspe[at] == pytest.approx(np.sqrt(squares / 16))
        before = 10 * one_fit.pre_rmspe**2 + 2 * 14 * two_fit.pre_rmspe**2
        assert found.pre_rmspe[at] == pytest.approx(np.sqrt(before / (10 + 28)))
        path = (one_fit.gap + 2 * two_fit.gap) / 3
        path[10:14] = one_fit.gap[10:14]
        assert found.paths[at] == pytest.approx(path, abs=1e-12)


def test_treated_units_are_nobodys_donors() -> None:
    one = several((12, 12), units=9)
    changed = replace(one, outcome=np.where(one.treated[:, None], 1e6, one.outcome))
    found, other = asked(one, "did")[2], asked(changed, "did")[2]
    assert found.att.tolist() == other.att.tolist()
    assert found.own_att != other.own_att


def test_too_many_to_list_are_drawn() -> None:
    one = several((12, 12, 14), units=24)
    _, _, found = asked(one, "did", draws=150, seed=4)
    assert found.n == 150
    assert not found.exact
    assert all(len(set(row)) == 3 for row in found.donors.tolist())
    assert set(found.donors.ravel().tolist()) == set(range(21))
    assert asked(one, "did", draws=150, seed=4)[2].att.tolist() == found.att.tolist()
    assert asked(one, "did", draws=150, seed=5)[2].att.tolist() != found.att.tolist()
    assert found.least_p == pytest.approx(1 / 151)
    # Draws enough for the whole list, and it is listed: it says what the draws said.
    whole = asked(one, "did", draws=5_000)[2]
    assert whole.exact
    assert whole.n == math.comb(21, 2) * 19
    assert found.standard_error == pytest.approx(whole.standard_error, rel=0.15)
    assert found.p_value == pytest.approx(whole.p_value, abs=0.1)


def test_a_list_beyond_reach_is_drawn_however_many_draws_are_asked(monkeypatch) -> None:
    one = several((12, 12), units=9)
    assert asked(one, "did", draws=30)[2].exact
    monkeypatch.setattr(placebos_in_space, "MOST_ENUMERATED", 20)
    found = asked(one, "did", draws=30)[2]
    assert not found.exact
    assert found.n == 30


def test_one_treated_unit_is_listed_whatever_the_draws() -> None:
    case = one_treated(donors=120)
    found = in_space([(12, case)], [fit(case, "did")], draws=99)
    assert found.exact
    assert found.n == 120


@pytest.mark.parametrize(
    ("starts", "donors", "some"), [((12,), 1, False), ((12,), 2, True), ((12, 14), 2, False),
                                   ((12, 14), 3, True)]
)  # fmt: skip
def test_a_placebo_needs_a_donor_of_its_own(starts, donors, some) -> None:
    _, _, found = asked(several(starts, units=donors + len(starts)), "synthetic_did")
    assert (found.reason is None) is some
    assert (found.n > 0) is some
    if not some:
        many = "1\xa0donor" if donors == 1 else f"{donors}\xa0donors"
        assert found.reason.startswith(f"{many} cannot stand in for {len(starts)} treated")
        assert math.isnan(found.standard_error)
        assert found.p_value is None
        assert found.least_p is None
        assert found.paths.shape == (0, 18)


def test_placebos_take_their_regularisation_from_their_own_donors() -> None:
    case = one_treated()
    found = in_space([(12, case)], [fit(case, "synthetic_did")])
    for donor, placebo in enumerate(found.fits):
        others = np.delete(case.donors[:, :12], donor, axis=0)
        assert placebo.notes["noise"] == pytest.approx(np.diff(others, axis=1).std(ddof=1))


def test_several_treated_are_set_against_placebos_with_the_same_donors() -> None:
    outcome = paths(donors=9, periods=30, start=20)
    one = panel(outcome, start=(20, 20))
    parts = cases(one)
    found = in_space(parts, [fit(parts[0][1], "synthetic_control")], draws=99)
    assert found.exact
    assert found.n == 28  # pairs of eight donors
    for row, chosen in enumerate(found.donors):
        left = np.setdiff1d(np.arange(8), chosen)
        case = parts[0][1]
        again = fit(replace(case, donors=case.donors[left]), "synthetic_control")
        assert found.beside_pre[row] == pytest.approx(again.pre_rmspe, rel=1e-9)
        post = np.sqrt(np.mean(again.gap[20:] ** 2))
        assert found.beside_post[row] == pytest.approx(post, rel=1e-9)
    ratios = found.beside_post / found.beside_pre
    assert found.rank == 1 + int((found.ratio >= ratios).sum())
    # Fewer donors match no better.
    assert (found.beside_pre >= found.own_pre_rmspe - 1e-12).all()
