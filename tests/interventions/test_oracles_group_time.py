"""Two independent codes agree on simulated panels: diff-diff and csdid (a port of R's `did`).

Where they cannot be asked, or are known to do something else:

- diff-diff's doubly robust estimator divides the controls' part by the number of treated, not
  by the sum of the controls' odds as R's `drdid_panel` and csdid do: only csdid is asked, and
  the difference is shown to be just that.
- diff-diff's clustered errors carry a factor sqrt(G / (G − 1)): divided out.
- csdid drops a unit with any missing cell (or turns to repeated cross-sections, another
  estimator): it is asked for one comparison at a time, on the rows of its two periods.
- Without never-treated units csdid leaves out the last cohort's cells before treatment, which
  diff-diff and we keep: the cells that both have are compared.
"""

import numpy as np
import pytest

from tests.interventions.rollouts import aggregated, by_csdid, by_diff_diff, ours, rollout
from trustlib.interventions import DidSpec, aggregate, panel_from_frame
from trustlib.interventions.propensity import propensity

# Rounding error of sums over a few hundred units; logits on both sides are solved to about
# 1e-12 on these panels.
TOLERANCE = 1e-9

# name: what the panel is like, and how it is estimated.
BALANCED = {
    "one cohort": ({"groups": (4,)}, {}),
    "two cohorts": ({"groups": (3, 5)}, {}),
    "two cohorts, not yet": ({"groups": (3, 5)}, {"control_group": "not_yet"}),
    "six cohorts, not yet": (
        {"groups": (2, 3, 5, 6, 8, 9), "periods": 10, "units": 240},
        {"control_group": "not_yet"},
    ),
    "twelve cohorts": ({"groups": tuple(range(2, 14)), "periods": 14, "units": 500}, {}),
    "twelve cohorts, not yet": (
        {"groups": tuple(range(2, 14)), "periods": 14, "units": 500},
        {"control_group": "not_yet"},
    ),
    "nobody never": ({"never": 0.0, "groups": (3, 4, 7)}, {"control_group": "not_yet"}),
    "universal base": ({}, {"base_period": "universal"}),
    "universal base, not yet": ({}, {"base_period": "universal", "control_group": "not_yet"}),
    "anticipation": ({}, {"anticipation": 1}),
    "anticipation, not yet": ({}, {"anticipation": 1, "control_group": "not_yet"}),
    "anticipation of two, universal": (
        {"groups": (4, 6), "periods": 8},
        {"anticipation": 2, "control_group": "not_yet", "base_period": "universal"},
    ),
    "weights": ({}, {"weight": "weight"}),
    "weights, not yet": ({}, {"weight": "weight", "control_group": "not_yet"}),
    "clusters across starts": ({}, {"cluster": "cluster"}),
    "clusters within starts": ({}, {"cluster": "block", "control_group": "not_yet"}),
    "clusters and weights": ({}, {"cluster": "cluster", "weight": "weight"}),
    "regression": ({}, {"covariates": ("x",), "covariate_method": "regression"}),
    "regression, two covariates, weights": (
        {},
        {"covariates": ("x", "z"), "covariate_method": "regression", "weight": "weight"},
    ),
    "regression, not yet, clusters": (
        {},
        {
            "covariates": ("x",),
            "covariate_method": "regression",
            "control_group": "not_yet",
            "cluster": "cluster",
        },
    ),
    "ipw": ({}, {"covariates": ("x",), "covariate_method": "ipw"}),
    "ipw, not yet, weights": (
        {},
        {
            "covariates": ("x", "z"),
            "covariate_method": "ipw",
            "control_group": "not_yet",
            "weight": "weight",
        },
    ),
    "doubly robust": ({"units": 200}, {"covariates": ("x",)}),
    "doubly robust, not yet, weights": (
        {"units": 200},
        {"covariates": ("x", "z"), "control_group": "not_yet", "weight": "weight"},
    ),
    "doubly robust, universal, clusters": (
        {"units": 200},
        {"covariates": ("x",), "base_period": "universal", "cluster": "cluster"},
    ),
    "a covariate that moves": (
        {"units": 200, "moving": True},
        {"covariates": ("x",), "control_group": "not_yet"},
    ),
}


def is_doubly_robust(how):
    return "covariates" in how and how.get("covariate_method", "doubly_robust") == "doubly_robust"


def by_cell(found):
    names = np.asarray(found.panel.period_names, dtype=int)
    return {
        (int(g), int(t)): (point, error)
        for g, t, point, error in zip(
            names[found.group], names[found.time], found.point, found.standard_error, strict=True
        )
        if np.isfinite(point)
    }


def csdid_cells(model):
    table = model.results
    rows = zip(table["group"], table["year"], table["att"], table["se"], strict=True)
    return {(int(g), int(t)): (att, se) for g, t, att, se in rows if np.isfinite(att)}


def zero_cells(found):
    names = np.asarray(found.panel.period_names, dtype=int)
    zero = found.reference
    return set(
        zip(names[found.group[zero]].tolist(), names[found.time[zero]].tolist(), strict=True)
    )


def compare(mine, theirs, *, error_factor=1.0, reference=()):
    for cell, (point, error) in theirs.items():
        assert mine[cell][0] == pytest.approx(point, rel=0, abs=TOLERANCE), cell
        if cell not in reference:
            assert mine[cell][1] * error_factor == pytest.approx(error, rel=0, abs=TOLERANCE), cell


@pytest.mark.parametrize("case", BALANCED)
@pytest.mark.parametrize("seed", [0, 1])
def test_csdid_agrees_on_every_cell_and_average(case, seed):
    world, how = BALANCED[case]
    frame = rollout(seed=seed, **world)
    found = ours(frame, **how)
    model = by_csdid(frame, **how)
    mine, theirs = by_cell(found), csdid_cells(model)
    names = np.asarray(found.panel.period_names, dtype=int)
    reference = zero_cells(found)  # csdid has no error for these
    compare(mine, theirs, reference=reference)
    if case != "nobody never":
        assert set(mine) == set(theirs)
    for kind in ("simple", "group", "calendar", "dynamic"):
        if case == "nobody never" and kind == "dynamic":
            continue  # with the last cohort's cells before treatment, another average
        family = aggregate(found, kind, level=0.95, draws=99, seed=0)
        other = aggregated(model, kind)
        near = pytest.approx
        assert family.overall == near(other["overall_att"], rel=0, abs=TOLERANCE)
        assert family.overall_standard_error == near(other["overall_se"], rel=0, abs=TOLERANCE)
        if kind != "simple":
            keys = family.keys if kind == "dynamic" else names[family.keys]
            assert keys.tolist() == [int(key) for key in other["egt"]]
            np.testing.assert_allclose(family.point, other["att_egt"], rtol=0, atol=TOLERANCE)
            errors = np.asarray(other["se_egt"], dtype=float).ravel()
            there = np.isfinite(errors)
            np.testing.assert_allclose(
                family.standard_error[there], errors[there], rtol=0, atol=TOLERANCE
            )


@pytest.mark.parametrize("missing", [0.0, 0.12])
@pytest.mark.parametrize(
    "case", [name for name, (_, how) in BALANCED.items() if not is_doubly_robust(how)]
)
def test_diff_diff_agrees_on_every_cell_and_average(case, missing):
    world, how = BALANCED[case]
    frame = rollout(seed=2, missing=missing, **world)
    found = ours(frame, **how)
    fitted = by_diff_diff(frame, **how)
    theirs = {
        (int(g), int(t)): (cell["effect"], cell["se"])
        for (g, t), cell in fitted.group_time_effects.items()
        if np.isfinite(cell["effect"])
    }
    clusters = found.panel.n_clusters
    factor = np.sqrt(clusters / (clusters - 1)) if "cluster" in how else 1.0
    mine = by_cell(found)
    assert set(mine) == set(theirs)
    compare(mine, theirs, error_factor=factor, reference=zero_cells(found))


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"control_group": "not_yet", "weight": "weight"},
        {"covariates": ("x",), "control_group": "not_yet"},
        {"covariates": ("x", "z"), "covariate_method": "regression"},
        {"covariates": ("x",), "covariate_method": "ipw", "anticipation": 1},
    ],
    ids=["plain", "not yet, weights", "doubly robust", "regression", "ipw, anticipation"],
)
def test_csdid_agrees_on_single_comparisons_of_a_panel_with_gaps(how):
    frame = rollout(units=260, missing=0.15, seed=3)
    found = ours(frame, **how)
    assert not found.panel.balanced
    names = np.asarray(found.panel.period_names, dtype=int)
    source = found.source
    mine = by_cell(found)
    asked = {name: value for name, value in how.items() if name not in ("anticipation",)}
    asked["control_group"] = "never"
    for cell in range(0, len(found.point), 4):
        group, time = int(names[found.group[cell]]), int(names[found.time[cell]])
        units = np.asarray(found.panel.unit_names, dtype=int)[source.members[cell]]
        base = time - 1 if time < group else group - 1 - how.get("anticipation", 0)
        rows = frame[frame["unit"].isin(units) & frame["time"].isin([base, time])].copy()
        # One comparison: the cohort against the rest, over two periods numbered 1 and 2.
        own = rows["treatment_start"] == group
        rows["time"] = (rows["time"] == max(base, time)).astype(int) + 1
        rows["treatment_start"] = np.where(own, 2, 0)
        model = by_csdid(rows, **asked)
        ((point, error),) = csdid_cells(model).values()
        assert mine[group, time][0] == pytest.approx(point, rel=0, abs=TOLERANCE)
        assert mine[group, time][1] == pytest.approx(error, rel=0, abs=TOLERANCE)


def test_diff_diff_averages_a_panel_with_gaps_by_the_units_of_each_cell():
    """Their weights are the treated units seen in a cell; ours, as R's, whole cohorts."""
    frame = rollout(units=260, missing=0.15, seed=3)
    found = ours(frame)
    fitted = by_diff_diff(frame)
    after = found.event_time >= 0
    seen, point = found.units[after], found.point[after]
    assert (seen @ point) / seen.sum() == pytest.approx(float(fitted.overall_att), abs=TOLERANCE)
    sizes = frame.groupby("unit")["treatment_start"].first().value_counts()
    whole = sizes[np.asarray(found.panel.period_names, dtype=int)[found.group[after]]].to_numpy()
    simple = aggregate(found, "simple", level=0.95, draws=99, seed=0)
    assert simple.overall == pytest.approx((whole @ point) / whole.sum(), abs=TOLERANCE)
    assert not np.array_equal(seen, whole)


def test_diff_diffs_doubly_robust_differs_by_its_missing_normalisation_alone():
    """Their point is ours with the controls' part divided by the number of treated."""
    frame = rollout(units=200, groups=(3,), seed=1)
    fitted = by_diff_diff(frame, covariates=("x",))
    panel = panel_from_frame(frame, DidSpec(covariates=("x",)))
    treated = ~panel.never
    x = panel.covariates[:, 0, 0]
    design = np.column_stack([np.ones(len(x)), (x - x.mean()) / x.std()])
    odds = propensity(treated, weight=np.ones(len(x)), design=design).odds
    for time in (3, 5, 7):
        change = panel.outcome[:, time - 1] - panel.outcome[:, 1]
        slope = np.linalg.lstsq(design[~treated], change[~treated], rcond=None)[0]
        rest = change - design @ slope
        part = (odds * rest)[~treated].sum() / treated.sum()
        theirs = fitted.group_time_effects[(3, time)]["effect"]
        assert rest[treated].mean() - part == pytest.approx(theirs, rel=0, abs=TOLERANCE)
