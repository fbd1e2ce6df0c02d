"""Two-way regressions, Sun–Abraham, imputation and Goodman-Bacon against independent codes.

pyfixest and diff-diff over a grid of made-up panels, linearmodels where ours is closed form.
Oracle fault met here (pyfixest 0.60): where the cluster column is itself a fixed effect, its
standard errors change with PYTHONHASHSEED (the period effects are sometimes counted as nested,
too), so it gets a cluster column of another name.
"""

import numpy as np
import pandas as pd
import pytest

from tests.interventions.rollouts import _quiet, rollout
from trustlib.interventions import DidSpec, Panel, panel_from_frame
from trustlib.interventions.bacon import bacon
from trustlib.interventions.imputation import imputation
from trustlib.interventions.sun_abraham import sun_abraham
from trustlib.interventions.two_way import two_way, two_way_event_study

COHORTS = {2: (3, 5), 5: (2, 3, 5, 6, 8), 12: tuple(range(2, 14))}
# cohorts, share of missing cells, covariates, weights that vary, clusters
GRID = [
    (2, 0.0, (), False, None),
    (2, 0.15, ("x",), True, "cluster"),
    (5, 0.0, ("x",), False, "cluster"),
    (5, 0.15, (), False, None),
    (5, 0.0, (), True, None),
    (5, 0.15, ("x",), True, None),
    (12, 0.0, (), False, "cluster"),
    (12, 0.0, ("x", "u"), True, None),
    (12, 0.15, (), True, "cluster"),
    (12, 0.15, ("x",), False, None),
]
grid = pytest.mark.parametrize(("cohorts", "missing", "covariates", "weighted", "cluster"), GRID)
# pyfixest iterates to this; its own default of 1e-6 is what would be seen otherwise.
DEMEANED = 1e-12
CLOSE = {"rtol": 1e-8, "atol": 1e-9}


def world(cohorts: int, missing: float, never: float = 0.35) -> pd.DataFrame:
    """A roll-out with `since` (event time), `treated`, `cl` (unit again) and weights by row."""
    frame = rollout(
        units=160,
        periods=max(COHORTS[cohorts]) + 2,
        groups=COHORTS[cohorts],
        never=never,
        missing=missing,
        moving=True,
        seed=cohorts,
    )
    rng = np.random.default_rng(cohorts + 100)
    joined = frame["treatment_start"] > 0
    since = (frame["time"] - frame["treatment_start"]).where(joined, -1)
    return frame.assign(
        since=since,
        treated=((since >= 0) & joined).astype(float),
        cl=frame["unit"],
        u=rng.normal(size=len(frame)),
        weight=rng.uniform(0.5, 2, len(frame)),
    )


def panel(frame, *, covariates=(), weighted=False, cluster=None) -> Panel:
    weight = "weight" if weighted else None
    return panel_from_frame(frame, DidSpec(covariates=covariates, weight=weight, cluster=cluster))


def by_pyfixest(frame, terms, *, covariates=(), weighted=False, cluster=None):
    """Coefficients (k,) and covariance (k, k) of the terms, clustered as fixest does."""
    with _quiet():
        import pyfixest

        fit = pyfixest.feols(
            f"outcome ~ {' + '.join([*terms, *covariates])} | unit + time",
            frame,
            vcov={"CRV1": cluster or "cl"},
            weights="weight" if weighted else None,
            fixef_tol=DEMEANED,
            fixef_maxiter=1_000_000,
        )
    k = len(fit.coef()) - len(covariates)
    return fit.coef().to_numpy()[:k], fit._vcov[:k, :k]


def dummies(frame, codes, keys) -> tuple[pd.DataFrame, list[str]]:
    """The frame with a column for each of `keys` that `codes` takes."""
    names = [f"d{number}" for number in range(len(keys))]
    columns = {name: (codes == key).astype(float) for name, key in zip(names, keys, strict=True)}
    return pd.concat([frame, pd.DataFrame(columns, index=frame.index)], axis=1), names


@grid
def test_static(cohorts, missing, covariates, weighted, cluster):
    frame = world(cohorts, missing)
    how = {"covariates": covariates, "weighted": weighted, "cluster": cluster}
    found = two_way(panel(frame, **how))
    point, covariance = by_pyfixest(frame, ["treated"], **how)
    np.testing.assert_allclose(found.overall, point[0], **CLOSE)
    np.testing.assert_allclose(found.overall_standard_error, covariance[0, 0] ** 0.5, **CLOSE)


@grid
def test_event_study(cohorts, missing, covariates, weighted, cluster):
    frame = world(cohorts, missing)
    how = {"covariates": covariates, "weighted": weighted, "cluster": cluster}
    found = two_way_event_study(panel(frame, **how))
    free = found.keys != -1
    wide, names = dummies(frame, frame["since"], found.keys[free])
    point, covariance = by_pyfixest(wide, names, **how)
    np.testing.assert_allclose(found.point[free], point, **CLOSE)
    np.testing.assert_allclose(found.covariance[np.ix_(free, free)], covariance, **CLOSE)


def test_event_study_without_never_treated():
    frame = world(5, 0.1, never=0.0)
    found = two_way_event_study(panel(frame))
    free = ~np.isin(found.keys, [-1, found.keys.min()])
    wide, names = dummies(frame, frame["since"], found.keys[free])
    point, covariance = by_pyfixest(wide, names)
    np.testing.assert_allclose(found.point[free], point, **CLOSE)
    np.testing.assert_allclose(found.covariance[np.ix_(free, free)], covariance, **CLOSE)


@grid
def test_sun_abraham_by_pyfixest(cohorts, missing, covariates, weighted, cluster):
    frame = world(cohorts, missing)
    how = {"covariates": covariates, "weighted": weighted, "cluster": cluster}
    found, simple = sun_abraham(panel(frame, **how))
    codes = frame["treatment_start"] * 1000 + frame["since"]
    free = (frame["treatment_start"] > 0) & (frame["since"] != -1)
    keys = np.unique(codes[free])
    wide, names = dummies(frame, codes.where(free, 0), keys)
    point, covariance = by_pyfixest(wide, names, **how)
    weight = frame["weight"] if weighted else pd.Series(1.0, index=frame.index)
    mass = weight[free].groupby(codes[free]).sum().reindex(keys).to_numpy()
    since = frame["since"][free].groupby(codes[free]).first().reindex(keys).to_numpy()
    for key, made, error in zip(found.keys, found.point, found.standard_error, strict=True):
        share = np.where(since == key, mass, 0) / max(mass[since == key].sum(), 1e-300)
        np.testing.assert_allclose(made, share @ point, **CLOSE)
        np.testing.assert_allclose(error, np.sqrt(share @ covariance @ share), **CLOSE)
    share = np.where(since >= 0, mass, 0) / mass[since >= 0].sum()
    np.testing.assert_allclose(simple.overall, share @ point, **CLOSE)
    np.testing.assert_allclose(
        simple.overall_standard_error, np.sqrt(share @ covariance @ share), **CLOSE
    )


@pytest.mark.parametrize("cohorts", COHORTS)
@pytest.mark.parametrize("missing", [0.0, 0.1])
@pytest.mark.parametrize("covariates", [(), ("x",)])
def test_sun_abraham_by_diff_diff(cohorts, missing, covariates):
    frame = world(cohorts, missing)
    with _quiet():
        from diff_diff import SunAbraham

        oracle = SunAbraham().fit(
            frame, "outcome", "unit", "time", "treatment_start", covariates=list(covariates) or None
        )
    found, simple = sun_abraham(panel(frame, covariates=covariates))
    _same_family(found, oracle.event_study_effects, at_least=len(found.keys) - 1)
    np.testing.assert_allclose(simple.overall, oracle.overall_att, rtol=1e-7)
    np.testing.assert_allclose(simple.overall_standard_error, oracle.overall_se, rtol=1e-6)


@pytest.mark.parametrize("cohorts", COHORTS)
@pytest.mark.parametrize("missing", [0.0, 0.1])
@pytest.mark.parametrize("covariates", [(), ("x",)])
@pytest.mark.parametrize("anticipation", [0, 1])
def test_imputation_by_diff_diff(cohorts, missing, covariates, anticipation):
    frame = world(cohorts, missing)
    with _quiet():
        from diff_diff import ImputationDiD

        oracle = ImputationDiD(anticipation=anticipation).fit(
            frame,
            "outcome",
            "unit",
            "time",
            "treatment_start",
            covariates=list(covariates) or None,
            aggregate="event_study",
        )
    found, simple = imputation(panel(frame, covariates=covariates), anticipation=anticipation)
    after = found.keys >= -anticipation
    _same_family(found, oracle.event_study_effects, at_least=int(after.sum()))
    if anticipation == 0:  # diff-diff's average takes the anticipated cells in
        np.testing.assert_allclose(simple.overall, oracle.overall_att, rtol=1e-7)
        np.testing.assert_allclose(simple.overall_standard_error, oracle.overall_se, rtol=1e-6)


@pytest.mark.parametrize("cohorts", COHORTS)
def test_weighted_imputation_by_diff_diff(cohorts):
    """Points only: diff-diff's errors of weighted panels are those of a survey design."""
    frame = world(cohorts, 0.0)
    frame["weight"] = frame.groupby("unit")["weight"].transform("mean")
    with _quiet():
        from diff_diff import ImputationDiD, SurveyDesign

        oracle = ImputationDiD().fit(
            frame,
            "outcome",
            "unit",
            "time",
            "treatment_start",
            survey_design=SurveyDesign(weights="weight"),
        )
    _, simple = imputation(panel(frame, weighted=True))
    np.testing.assert_allclose(simple.overall, oracle.overall_att, rtol=1e-7)


@grid
def test_coefficients_before_treatment_by_pyfixest(cohorts, missing, covariates, weighted, cluster):
    """The test of Borusyak, Jaravel and Spiess: leads in a regression on untreated cells."""
    frame = world(cohorts, missing)
    how = {"covariates": covariates, "weighted": weighted, "cluster": cluster}
    found, _ = imputation(panel(frame, **how))
    free = found.before & (found.keys != -1)
    untreated = frame[frame["treated"] == 0]
    wide, names = dummies(untreated, untreated["since"], found.keys[free])
    point, covariance = by_pyfixest(wide, names, **how)
    np.testing.assert_allclose(found.point[free], point, **CLOSE)
    np.testing.assert_allclose(found.covariance[np.ix_(free, free)], covariance, **CLOSE)


@pytest.mark.parametrize("cohorts", COHORTS)
@pytest.mark.parametrize("never", [0.0, 0.35])
def test_bacon_by_diff_diff(cohorts, never):
    frame = world(cohorts, 0.0, never=never)
    with _quiet():
        from diff_diff import BaconDecomposition

        oracle = BaconDecomposition(weights="exact").fit(
            frame, "outcome", "unit", "time", "treatment_start"
        )
    rows = oracle.to_dataframe()
    names = {"never_treated": "never"}
    theirs = {
        (str(names.get(row.treated_group, row.treated_group)),
         str(names.get(row.control_group, row.control_group))): (row.weight, row.estimate)
        for row in rows.itertuples()
    }  # fmt: skip
    made = bacon(panel(frame))
    assert len(made) == len(theirs)
    for row in made.itertuples():
        np.testing.assert_allclose(
            (row.weight, row.estimate), theirs[row.group, row.control], rtol=1e-8
        )


@pytest.mark.parametrize("cohorts", COHORTS)
@pytest.mark.parametrize("covariates", [(), ("x",)])
def test_closed_form_by_linearmodels(cohorts, covariates):
    """Coefficients, and errors but for the small-sample factor, which is taken out of both."""
    from linearmodels.panel import PanelOLS

    frame = world(cohorts, 0.0)
    found = two_way(panel(frame, covariates=covariates))
    rows = frame.set_index(["unit", "time"])
    fit = PanelOLS(
        rows["outcome"], rows[["treated", *covariates]], entity_effects=True, time_effects=True
    ).fit(cov_type="clustered", cluster_entity=True, debiased=False, auto_df=False,
          count_effects=False)  # fmt: skip
    units, n = 160, len(frame)
    k = 1 + len(covariates) + frame["time"].nunique()
    factor = units / (units - 1) * (n - 1) / (n - k)
    np.testing.assert_allclose(found.overall, fit.params["treated"], rtol=1e-9)
    np.testing.assert_allclose(
        found.overall_standard_error, np.sqrt(factor) * fit.std_errors["treated"], rtol=1e-9
    )


def _same_family(found, oracle, *, at_least: int) -> None:
    compared = 0
    for key, point, error in zip(found.keys, found.point, found.standard_error, strict=True):
        theirs = oracle.get(key)
        if theirs is None or theirs["se"] == 0:
            continue
        compared += 1
        np.testing.assert_allclose(point, theirs["effect"], rtol=1e-7, atol=1e-8)
        np.testing.assert_allclose(error, theirs["se"], rtol=1e-6)
    assert compared >= at_least
