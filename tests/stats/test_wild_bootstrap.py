"""The wild cluster bootstrap against one that fits every sample anew, and what must not matter."""

import numpy as np
import pytest

from trustlib.stats.wild_bootstrap import wild_cluster


@pytest.fixture
def data():
    rng = np.random.default_rng(5)
    cluster = np.repeat(np.arange(7), [4, 6, 5, 3, 8, 5, 4])
    others = np.column_stack([np.ones(35), rng.standard_normal((35, 2))])
    regressor = (cluster < 3) * 1.0 + 0.3 * others[:, 1]
    outcome = others @ [1.0, 2.0, -1.0] + rng.standard_normal(7)[cluster]
    return {
        "outcome": outcome + 0.5 * rng.standard_normal(35),
        "regressor": regressor,
        "others": others,
        "cluster": cluster,
    }


def _call(data, **options):
    rest = {name: data[name] for name in ("regressor", "others", "cluster")}
    return wild_cluster(data["outcome"], **{**rest, **options})


def _t(outcome, design, cluster, null):
    """Cluster-robust t of the first coefficient, fitted the long way."""
    inverse = np.linalg.inv(design.T @ design)
    beta = inverse @ design.T @ outcome
    residual = outcome - design @ beta
    scores = np.stack(
        [design[cluster == c].T @ residual[cluster == c] for c in range(cluster.max() + 1)]
    )
    n = len(scores)
    variance = n / (n - 1) * inverse @ scores.T @ scores @ inverse
    return (beta[0] - null) / np.sqrt(variance[0, 0]), beta[0], np.sqrt(variance[0, 0])


def _naive(data, null):
    """p-value over all sign patterns, each sample regressed anew."""
    design = np.column_stack([data["regressor"], data["others"]])
    adjusted = data["outcome"] - null * data["regressor"]
    fit = data["others"] @ np.linalg.lstsq(data["others"], adjusted, rcond=None)[0]
    observed = abs(_t(data["outcome"], design, data["cluster"], null)[0])
    beyond = []
    for pattern in range(2**7):
        signs = 1 - 2.0 * (pattern >> np.arange(7) & 1)
        sample = null * data["regressor"] + fit + (adjusted - fit) * signs[data["cluster"]]
        found = abs(_t(sample, design, data["cluster"], null)[0])
        beyond.append(found >= observed * (1 - 1e-9))
    return np.mean(beyond)


@pytest.mark.parametrize("null", [0.0, 0.4, -1.0])
def test_each_sample_fitted_anew_gives_the_same(data, null):
    found = _call(data, null=null)
    assert found.enumerated
    assert found.draws == 128
    assert found.p_value == pytest.approx(_naive(data, null))
    design = np.column_stack([data["regressor"], data["others"]])
    t, point, error = _t(data["outcome"], design, data["cluster"], null)
    assert (found.statistic, found.point, found.standard_error) == pytest.approx((t, point, error))


def test_the_interval_is_what_is_not_rejected(data):
    found = _call(data, level=0.9)
    assert found.low < found.point < found.high
    width = found.high - found.low
    for end, inwards in ((found.low, 1), (found.high, -1)):
        assert _naive(data, end + inwards * 1e-4 * width) > 0.1
        assert _naive(data, end - inwards * 1e-4 * width) <= 0.1


def test_what_must_not_matter(data):
    plain = _call(data)
    order = np.random.default_rng(1).permutation(35)
    shuffled = _call({name: values[order] for name, values in data.items()})
    scaled = _call({**data, "outcome": 1e4 * data["outcome"]})
    moved = _call({**data, "outcome": data["outcome"] + data["others"] @ [5.0, -3.0, 2.0]})
    for other, scale in ((shuffled, 1), (scaled, 1e4), (moved, 1)):
        assert other.p_value == pytest.approx(plain.p_value)
        assert other.low / scale == pytest.approx(plain.low, abs=1e-6)
        assert other.high / scale == pytest.approx(plain.high, abs=1e-6)


def test_weights_by_number_of_clusters(data):
    assert _call(data).weights == "rademacher"
    few = {**data, "cluster": data["cluster"] // 2}
    found = _call(few, draws=999)
    assert (found.weights, found.enumerated, found.draws) == ("webb", False, 1000)
    assert found.p_value == _call(few, draws=999).p_value
    assert found.p_value != _call(few, draws=999, seed=1).p_value


def test_refusals(data):
    with pytest.raises(ValueError, match="one cluster"):
        _call({**data, "cluster": np.zeros(35, dtype=int)})
    with pytest.raises(ValueError, match="explain the regressor"):
        _call({**data, "regressor": data["others"][:, 1]})
