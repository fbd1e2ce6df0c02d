"""What no list found: closed forms, likelihoods worked out apart, coverage, degenerate lists."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import chi2, poisson

from trustlib.harm.capture_models import log_linear
from trustlib.harm.unseen import CaptureHistories, capture_histories, unseen

ABC = ("rule", "model", "report")
THREE = {(1, 0, 0): 60, (0, 1, 0): 40, (0, 0, 1): 30, (1, 1, 0): 25, (1, 0, 1): 12,
         (0, 1, 1): 9, (1, 1, 1): 8}  # fmt: skip


def histories(cells, names=None, **more):
    found = np.array(list(cells))
    names = names or tuple("abcd"[: found.shape[1]])
    return CaptureHistories(names=names, found=found, counts=list(cells.values()), **more)


def two(first, second, both, **more):
    return histories({(1, 0): first, (0, 1): second, (1, 1): both}, **more)


def test_chapman_and_its_interval():
    found = unseen(two(150, 100, 50))
    n1, n2, m = 200, 150, 50
    total = (n1 + 1) * (n2 + 1) / (m + 1) - 1
    variance = (n1 + 1) * (n2 + 1) * (n1 - m) * (n2 - m) / ((m + 1) ** 2 * (m + 2))
    bound = found.unseen_lower_bound
    assert bound.point == pytest.approx(total - 300)
    assert found.total_lower_bound.point == pytest.approx(total)
    spread = np.exp(1.959964 * np.sqrt(np.log(1 + variance / bound.point**2)))
    assert (bound.low, bound.high) == pytest.approx(
        (bound.point / spread, bound.point * spread), rel=1e-5
    )
    assert found.seen == bound.n == 300
    assert "lower bound" in bound.note
    assert "50 of 300 violating items" in found.check.text


def test_clumps_of_one_account_widen():
    plain, clumped = unseen(two(150, 100, 50)), unseen(two(150, 100, 50, clumping=4.0))
    one, other = plain.unseen_lower_bound, clumped.unseen_lower_bound
    assert other.point == one.point
    ratio = np.log1p(4 * np.expm1(np.log(one.high / one.point) ** 2 / 1.959964**2))
    assert np.log(other.high / other.point) == pytest.approx(1.959964 * np.sqrt(ratio), rel=1e-5)
    three = histories(THREE)
    wide = unseen(histories(THREE, clumping=3.0)).unseen_lower_bound
    narrow = unseen(three).unseen_lower_bound
    assert wide.high - wide.low > 1.4 * (narrow.high - narrow.low)


def test_log_linear_points_in_closed_form():
    models = log_linear(histories(THREE).table(), names="abc", clumping=1, level=0.95)
    by_name = models.set_index("model")["unseen"]
    n = {"".join(map(str, key)): value for key, value in THREE.items()}
    # One pair: the third list is independent of the two.
    assert by_name["a×b"] == pytest.approx(
        (n["100"] + n["010"] + n["110"]) * n["001"] / (n["101"] + n["011"] + n["111"])
    )
    # Two pairs: given the list in both, the other two are independent.
    assert by_name["a×b + a×c"] == pytest.approx(n["010"] * n["001"] / n["011"])
    assert by_name["a×c + b×c"] == pytest.approx(n["100"] * n["010"] / n["110"])
    refused = models.set_index("model").loc["a×b + a×c + b×c"]
    assert "as many parameters" in refused["note"]
    assert np.isnan(refused["unseen"])


def fitted_apart(pairs, guess=None):
    """−2 log-likelihood of the model by a general optimiser; `guess` fixes the unseen count."""
    cells, counts = np.array(list(THREE)), np.array(list(THREE.values()), dtype=float)
    if guess is not None:
        cells, counts = np.vstack([[0, 0, 0], cells]), np.r_[guess, counts]
    design = np.column_stack(
        [np.ones(len(cells)), cells, *(cells[:, j] * cells[:, k] for j, k in pairs)]
    )

    def minus_twice(b):
        means = np.exp(design @ b)
        return 2 * np.sum(means - counts * np.log(means))

    def slope(b):
        return 2 * design.T @ (np.exp(design @ b) - counts)

    start = np.r_[4.0, np.zeros(design.shape[1] - 1)]
    best = minimize(minus_twice, start, jac=slope, method="BFGS", options={"gtol": 1e-9})
    return best.fun, np.exp(design @ best.x), counts


@pytest.mark.parametrize("pairs", [(), ((0, 1),)])
def test_criterion_and_profile_against_a_general_optimiser(pairs):
    models = log_linear(histories(THREE).table(), names="abc", clumping=1, level=0.95)
    name = "a×b" if pairs else "independent"
    row = models.set_index("model").loc[name]
    _, means, counts = fitted_apart(pairs)
    _, other_means, _ = fitted_apart(() if pairs else ((0, 1),))
    own = -2 * poisson.logpmf(counts, means).sum() + 2 * row["parameters"]
    other = -2 * poisson.logpmf(counts, other_means).sum() + 2 * (9 - row["parameters"])
    both = models.set_index("model")["aic"]
    assert both["a×b"] - both["independent"] == pytest.approx(
        (own - other) * (1 if pairs else -1), abs=1e-5
    )
    if np.isnan(row["low"]):
        pytest.fail("the model should be among the close ones")

    def deviance(guess):
        _, means, counts = fitted_apart(pairs, guess)
        return 2 * np.sum(counts * np.log(counts / means) - (counts - means))

    least = deviance(row["unseen"])
    for end in (row["low"], row["high"]):
        assert deviance(end) - least == pytest.approx(chi2.ppf(0.95, 1), rel=2e-3)


def test_the_best_model_and_all_that_are_as_good():
    found = unseen(histories(THREE))
    chosen = found.models[found.models["chosen"]]
    assert (chosen["aic"] <= 2).all()
    assert chosen["aic"].iloc[0] == 0
    assert found.unseen_lower_bound.point == chosen["unseen"].iloc[0]
    assert found.unseen_lower_bound.low == chosen["low"].min()
    assert found.unseen_lower_bound.high == chosen["high"].max()


def test_empty_cells_without_a_largest_likelihood_are_refused():
    cells = THREE | {(1, 1, 0): 0, (1, 1, 1): 0}
    models = log_linear(histories(cells).table(), names="abc", clumping=1, level=0.95)
    notes = models.set_index("model")["note"]
    # The first two lists share none: their pair would go to minus infinity.
    assert "no largest likelihood" in notes["a×b"]
    assert notes["a×c"] == ""
    assert np.isfinite(unseen(histories(cells)).unseen_lower_bound.high)


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ({(1, 0): 0, (0, 1): 0, (1, 1): 0}, "no list found any"),
        ({(1, 0): 5, (0, 1): 0, (1, 1): 0}, "found none"),
        ({(1, 0): 9, (0, 1): 9, (1, 1): 0}, "no two lists found the same"),
        ({(1, 0): 9, (0, 1): 0, (1, 1): 9}, "nothing that the other"),
        ({(1, 1, 0): 9, (0, 1, 1): 4, (1, 1, 1): 9}, "by itself"),
        ({(1, 0, 0): 9, (0, 1, 0): 4, (0, 0, 1): 9}, "no two lists found the same"),
    ],
)
def test_degenerate_lists_are_not_estimable(cells, words):
    found = unseen(histories(cells))
    assert found.unseen_lower_bound.point is None
    assert words in found.unseen_lower_bound.note
    assert found.check.verdict == "not_run"
    assert "no sign that there is nothing" in found.check.text


def test_few_shared_are_said():
    assert unseen(two(20, 20, 6)).check.label == "few found twice"
    assert unseen(two(20, 20, 7)).check.label == "a lower bound"


def test_histories_are_counted_and_accounts_clump():
    found = np.array([[1, 0], [1, 0], [0, 0], [1, 1], [0, 1], [1, 0]])
    made = capture_histories(found, names=("a", "b"), actor=[7, 7, 1, 7, 8, 9])
    assert np.array_equal(made.table(), [[np.nan, 1], [3, 1]], equal_nan=True)
    assert made.clumping == pytest.approx((4 + 1 + 1 + 1) / 5)
    assert capture_histories(found, names=("a", "b")).clumping == 1
    order = [5, 3, 1, 0, 2, 4]
    again = capture_histories(found[order], names=("a", "b"))
    assert np.array_equal(again.table(), made.table(), equal_nan=True)
    empty = capture_histories(np.zeros((3, 2)), names=("a", "b"))
    assert "no list found any" in unseen(empty).unseen_lower_bound.note


def test_the_order_of_lists_does_not_matter():
    turned = {(c, a, b): n for (a, b, c), n in reversed(THREE.items())}
    one, other = unseen(histories(THREE)), unseen(histories(turned, names=("c", "a", "b")))
    assert other.unseen_lower_bound.point == pytest.approx(one.unseen_lower_bound.point)
    assert other.unseen_lower_bound.high == pytest.approx(one.unseen_lower_bound.high, rel=1e-3)


def test_refusals():
    with pytest.raises(ValueError, match="two to 4 are needed"):
        unseen(histories({(1,): 5}))
    with pytest.raises(ValueError, match="each history once"):
        histories({(0, 0): 3, (1, 0): 5})
    with pytest.raises(ValueError, match="0 or more"):
        histories({(1, 0): -1})
    with pytest.raises(ValueError, match="a column for each of 3"):
        capture_histories(np.zeros((4, 2)), names=ABC)


def simulated(seed, dependent):
    random = np.random.default_rng(seed)
    easy = random.random(600) < 0.5
    chance = np.array([0.5, 0.4])
    if dependent:
        chance = np.where(easy[:, None], [0.75, 0.65], [0.25, 0.15])
    found = random.random((600, 2)) < chance
    return unseen(capture_histories(found, names=("a", "b"))), 600 - found.any(axis=1).sum()


def test_coverage_of_independent_lists_and_a_bound_for_dependent_ones():
    held = [
        found.unseen_lower_bound.low <= truth <= found.unseen_lower_bound.high
        for found, truth in (simulated(seed, False) for seed in range(400))
    ]
    assert 0.92 <= np.mean(held) <= 0.99
    below = [
        found.unseen_lower_bound.point < truth
        for found, truth in (simulated(seed, True) for seed in range(100))
    ]
    assert np.mean(below) >= 0.97
