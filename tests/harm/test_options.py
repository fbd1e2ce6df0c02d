"""Options: log-normal closed forms for ratios, chances and the value of a measurement."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from tests.harm.samples import drawn, population, sample
from trustlib.core import Estimate
from trustlib.harm.option_draws import spread
from trustlib.harm.option_sizes import option_from_sample
from trustlib.harm.options import Option, ranked_options

Z = norm.ppf(0.975)


def number(point, sd=None, *, ends=None):
    """An estimate whose logarithm strays by `sd`."""
    if sd is not None:
        ends = (point * math.exp(-Z * sd), point * math.exp(Z * sd))
    low, high = ends or (None, None)
    return Estimate(point=point, low=low, high=high, level=0.95, unit="points", method="m", n=50,
                    note=None if ends else "none")  # fmt: skip


def option(name, harm, wrong, **more):
    return Option(name=name, kind="rule", harm=harm, false_positives=wrong, **more)


def test_quantiles_of_the_draws_are_the_intervals_ends():
    deviates = norm.ppf([0.025, 0.5, 0.975])
    for one in (number(5.0, ends=(2.0, 30.0)), number(5.0, ends=(0.0, 12.0)),
                number(0.0, ends=(0.0, 3.0))):  # fmt: skip
        assert spread(one, deviates) == pytest.approx([one.low, one.point, one.high])
    assert (spread(number(5.0, ends=(0.0, 12.0)), np.array([-6.0])) == 0).all()
    with pytest.raises(ValueError, match="no distribution"):
        spread(number(5.0), deviates)


def test_ratio_chance_and_order_in_closed_form():
    better = option("better", number(100, 0.2), number(10, 0.3))
    other = option("other", number(60, 0.1), number(8, 0.4))
    found = ranked_options([other, better], seed=4)
    assert [one.name for one in found.options] == ["better", "other"]
    ratio = found.ratio[0]
    assert ratio.point == pytest.approx(10)
    half = Z * math.hypot(0.2, 0.3)
    assert math.log(ratio.high / 10) == pytest.approx(half, rel=0.04)
    assert math.log(10 / ratio.low) == pytest.approx(half, rel=0.04)
    gap = math.log(10 / 7.5) / math.sqrt(0.2**2 + 0.3**2 + 0.1**2 + 0.4**2)
    assert found.probability_first == pytest.approx([norm.cdf(gap), norm.sf(gap)], abs=0.01)
    assert found.check.verdict == "warn"
    assert ratio.unit == "points per false positive"


def test_the_value_of_a_measurement_in_closed_form():
    first = option("first", number(100, 0.1), number(10, 0.8))
    second = option("second", number(90, 0.2), number(10, 0.05))
    found = ranked_options([first, second], seed=1)
    gap, parts = math.log(100 / 90), {"first": (0.1, 0.8), "second": (0.2, 0.05)}
    total = sum(sd**2 for both in parts.values() for sd in both)
    now = norm.cdf(gap / math.sqrt(total))
    for row in found.measurements.itertuples():
        sd = parts[row.option][0 if row.component == "harm" else 1]
        rest = math.sqrt(total - sd**2)

        def right(z, sd=sd, rest=rest):
            chance = norm.cdf((gap + sd * z) / rest)
            return max(chance, 1 - chance) * norm.pdf(z)

        assert row.gain == pytest.approx(max(0, quad(right, -8, 8)[0] - now), abs=0.02)
    best = found.measurements.iloc[0]
    assert (best["option"], best["component"]) == ("first", "false_positives")
    assert bool(best["flips"])
    told = found.measurements.set_index(["option", "component"])["flips"]
    assert not told["second", "false_positives"]  # 90 / (10 e^-0.1) is still below 10
    assert told["second", "harm"]
    assert "the false positives of first next" in found.check.text


def test_perfectly_opposed_errors_are_the_odds_of_one_share():
    hits, low, high = 0.7, 0.5, 0.85
    harm = number(100 * hits, ends=(100 * low, 100 * high))
    wrong = number(100 * (1 - hits), ends=(100 * (1 - high), 100 * (1 - low)))
    found = ranked_options([option("cluster", harm, wrong, correlation=-1.0)])
    assert found.ratio[0].low == pytest.approx(low / (1 - low), rel=0.03)
    assert found.ratio[0].high == pytest.approx(high / (1 - high), rel=0.03)
    assert found.check.verdict == "not_run"
    assert found.measurements.empty


def test_a_sure_first_passes():
    found = ranked_options(
        [option("a", number(100, 0.1), number(1, 0.1)), option("b", number(5, 0.1), number(1, 0.1))]
    )
    assert found.check.verdict == "pass"
    assert found.probability_first == pytest.approx([1, 0])
    assert not found.measurements["flips"].any()
    assert (found.measurements["gain"] == 0).all()


def test_no_false_positive_no_interval_and_labels():
    clean = option("clean", number(40, 0.1), number(0, ends=(0, 3)))
    maybe = option("maybe", number(50, 0.1), number(2, ends=(0, 6)))
    unknown = option("unknown", number(10), number(5, 0.1))
    blank = option("blank", number(None), number(5, 0.1))
    labels = Option(name="label clean", kind="label", measures="clean")
    found = ranked_options([labels, blank, unknown, maybe, clean])
    assert [one.name for one in found.options] == [
        "clean", "maybe", "unknown", "blank", "label clean",
    ]  # fmt: skip
    ratio = {one.name: r for one, r in zip(found.options, found.ratio, strict=True)}
    assert ratio["clean"].point is None
    assert "no false positive was found" in ratio["clean"].note
    assert (ratio["maybe"].point, ratio["maybe"].low) == (25, None)
    assert "at least 8." in ratio["maybe"].note
    assert ratio["unknown"].point == 2
    assert "address nothing" in ratio["label clean"].note
    assert np.isnan(found.probability_first[2:]).all()
    assert found.probability_first[:2].sum() == pytest.approx(1)
    rows = found.measurements
    assert set(rows["labels"][rows["option"] == "clean"]) == {"label clean"}
    assert set(rows["labels"][rows["option"] == "maybe"]) == {""}
    table = found.table()
    assert table["harm_low"].iloc[0] == pytest.approx(40 * math.exp(-Z * 0.1))
    assert table["ratio"].isna().tolist() == [True, False, False, True, True]


def test_the_order_given_does_not_matter_and_the_unit_neither():
    options = [option(name, number(harm, 0.3), number(10, 0.2))
               for name, harm in (("a", 20), ("b", 25), ("c", 5))]  # fmt: skip
    one, other = ranked_options(options, seed=9), ranked_options(options[::-1], seed=9)
    assert [o.name for o in one.options] == [o.name for o in other.options] == ["b", "a", "c"]
    assert one.ratio == other.ratio
    assert one.probability_first.tolist() == other.probability_first.tolist()
    assert one.measurements.equals(other.measurements)
    scaled = [option(o.name, number(o.harm.point * 7, 0.3), number(10, 0.2)) for o in options]
    found = ranked_options(scaled, seed=9)
    assert found.probability_first == pytest.approx(one.probability_first)
    assert found.ratio[0].high == pytest.approx(7 * one.ratio[0].high)


def test_refusals():
    good = option("a", number(1, 0.1), number(1, 0.1))
    with pytest.raises(ValueError, match="each of its own"):
        ranked_options([good, good])
    with pytest.raises(ValueError, match="not there"):
        ranked_options([good, Option(name="l", kind="label", measures="x")])
    with pytest.raises(ValueError, match="say which option"):
        Option(name="l", kind="label")
    with pytest.raises(ValueError, match="are needed"):
        Option(name="r", kind="rule", harm=number(1, 0.1))
    with pytest.raises(ValueError, match="0 or more"):
        option("r", number(1, ends=(-1, 2)), number(1, 0.1))
    with pytest.raises(ValueError, match="between"):
        option("r", number(1, 0.1), number(1, 0.1), correlation=2.0)


def test_an_option_from_a_sample_by_hand():
    made = sample([0] * 4 + [1] * 4, [1, 1, 0, 0, 1, 0, 0, 1],
                  inclusion=[0.01] * 4 + [0.1] * 4)  # fmt: skip
    whole = population([400, 40])
    flagged, caught = [1, 1, 1, 0, 1, 1, 0, 0], [0, 1, 0, 0, 0, 0, 0, 1]
    found = option_from_sample(made, whole, name="rule", kind="rule", flagged=flagged,
                               caught=caught, worth=[3, 1, 1, 1, 2, 1, 1, 1],
                               unit="harm points")  # fmt: skip
    assert found.harm.point == pytest.approx(300 + 20)
    assert found.false_positives.point == pytest.approx(110)
    assert found.harm.unit == "harm points"
    assert found.harm.low > 0
    assert found.harm.low < 320 < found.harm.high
    assert found.correlation == 0
    assert found.harm.n == 4


def test_an_option_from_clusters_and_from_nothing():
    made = sample([0] * 4, [1, 0, 1, 0], inclusion=0.01, actor=[1, 1, 2, 2])
    whole = population([400])
    tied = option_from_sample(made, whole, name="r", kind="cluster", flagged=[1] * 4,
                              caught=[0] * 4)  # fmt: skip
    assert tied.correlation == pytest.approx(1)
    none = option_from_sample(made, whole, name="r", kind="rule", flagged=[1] * 4,
                              caught=[1] * 4)  # fmt: skip
    assert none.harm.point is None
    assert "no label of what it would act on" in none.harm.note
    with pytest.raises(ValueError, match="each of 4 labels"):
        option_from_sample(made, whole, name="r", kind="rule", flagged=[1], caught=[0] * 4)
    with pytest.raises(ValueError, match="0 or more"):
        option_from_sample(made, whole, name="r", kind="rule", flagged=[1] * 4, caught=[0] * 4,
                           worth=[-1] * 4)  # fmt: skip


def test_harm_of_an_option_covers_the_truth():
    items, rate, size = np.array([9e4, 1e4]), np.array([0.02, 0.2]), np.array([500, 500])
    flag = np.array([0.05, 0.6])
    truth = float(items @ (rate * flag))
    held = 0
    for seed in range(200):
        random = np.random.default_rng(seed)
        stratum = np.repeat([0, 1], size)
        label = (random.random(1000) < rate[stratum]).astype(float)
        made = sample(stratum, label, inclusion=(size / items)[stratum])
        found = option_from_sample(
            made, population(items), name="r", kind="rule",
            flagged=random.random(1000) < flag[stratum], caught=np.zeros(1000),
        )  # fmt: skip
        held += found.harm.low <= truth <= found.harm.high
    assert held >= 188


def test_rows_do_not_matter():
    made, whole = drawn(3)
    random = np.random.default_rng(0)
    flagged, caught = random.random((2, made.n)) < 0.3
    order = random.permutation(made.n)
    one = option_from_sample(made, whole, name="r", kind="rule", flagged=flagged, caught=caught)
    other = option_from_sample(made.take(order), whole, name="r", kind="rule",
                               flagged=flagged[order], caught=caught[order])  # fmt: skip
    assert other.harm.high == pytest.approx(one.harm.high)
    assert other.false_positives.low == pytest.approx(one.false_positives.low)
