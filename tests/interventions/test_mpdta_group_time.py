"""County teen employment: every row of the R package `did` that the data allow.

Tolerances are those of the acceptance; without them the agreement is 1e-15, propensity scores
included, since both logits are solved to rounding error here.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from trustlib.interventions import DidSpec, aggregate, group_time, panel_from_frame

SOURCE = Path(__file__).parents[3] / "shared" / "realdata"
pytestmark = pytest.mark.skipif(
    not (SOURCE / "mpdta.csv").exists(),
    reason="../shared/realdata/mpdta.csv is not part of the project",
)
POINT, ERROR = 1e-8, 1e-6
# scenario: control group, method, covariates
SCENARIOS = {
    "mpdta_nev_dr": ("never", "doubly_robust", ()),
    "mpdta_nyt_dr": ("not_yet", "doubly_robust", ()),
    "mpdta_nev_reg_cov": ("never", "regression", ("log_pop",)),
    "mpdta_nev_ipw": ("never", "ipw", ()),
    "sim_nev_dr": None,
}
KINDS = ("simple", "group", "dynamic", "calendar")


def effects(control_group, method, covariates, **how):
    spec = DidSpec(
        unit="county",
        time="year",
        outcome="log_employment",
        treatment_start="first_treated",
        covariates=covariates,
    )
    panel = panel_from_frame(pd.read_csv(SOURCE / "mpdta.csv"), spec)
    return group_time(panel, control_group=control_group, covariate_method=method, **how)


def expected(file, scenario):
    table = pd.read_csv(SOURCE / file)
    assert set(table["scenario"]) == set(SCENARIOS)
    return table[table["scenario"] == scenario]


def of(scenario):
    if SCENARIOS[scenario] is None:
        pytest.skip("R simulated this scenario's panel, and its rows are not among the files")
    return effects(*SCENARIOS[scenario])


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_group_time_effects_row_by_row(scenario):
    found = of(scenario)
    rows = expected("mpdta_r_attgt.csv", scenario)
    years = np.asarray(found.panel.period_names, dtype=int)
    assert years[found.group].tolist() == rows["group"].tolist()
    assert years[found.time].tolist() == rows["t"].tolist()
    np.testing.assert_allclose(found.point, rows["att"], rtol=0, atol=POINT)
    np.testing.assert_allclose(found.standard_error, rows["se"], rtol=0, atol=ERROR)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_aggregations_row_by_row(scenario, kind):
    found = of(scenario)
    family = aggregate(found, kind, level=0.95, draws=99, seed=0)
    table = expected("mpdta_r_aggte.csv", scenario)
    rows = table[table["type"] == kind]
    near = pytest.approx
    assert family.overall == near(rows["overall_att"].iloc[0], rel=0, abs=POINT)
    assert family.overall_standard_error == near(rows["overall_se"].iloc[0], rel=0, abs=ERROR)
    if kind == "simple":
        assert len(rows) == 1
        return
    keys = family.keys
    if kind != "dynamic":
        keys = np.asarray(found.panel.period_names, dtype=int)[keys]
    assert keys.tolist() == rows["egt"].astype(int).tolist()
    np.testing.assert_allclose(family.point, rows["att_egt"], rtol=0, atol=POINT)
    np.testing.assert_allclose(family.standard_error, rows["se_egt"], rtol=0, atol=ERROR)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_pre_test_of_all_cells_before_treatment(scenario):
    from scipy.stats import chi2

    found = of(scenario)
    row = expected("mpdta_r_pretest.csv", scenario)
    before = found.event_time < 0
    point = found.point[before]
    statistic = point @ np.linalg.solve(found.covariance[np.ix_(before, before)], point)
    assert statistic == pytest.approx(row["W"].item(), rel=0, abs=1e-6)
    assert chi2.sf(statistic, before.sum()) == pytest.approx(row["Wpval"].item(), abs=6e-6)


# METHODS §1, ten digits as printed there.
PUBLISHED = {
    ("never", "doubly_robust", ()): {
        "simple": (-0.0399512752, 0.0120340128),
        "group": (-0.0310182822, 0.0124460593),
        "dynamic": (-0.0772398215, 0.0199649891),
        "calendar": (-0.0417004321, 0.0159718519),
    },
    ("not_yet", "doubly_robust", ()): {
        "simple": (-0.0397636256, 0.0120524248),
        "dynamic": (-0.0773993140, None),
    },
    ("never", "regression", ("log_pop",)): {"simple": (-0.0419686124, 0.0114448298)},
    ("never", "doubly_robust", ("log_pop",)): {
        "simple": (-0.0417517721, 0.0115028382),
        "group": (-0.0328195972, None),
        "dynamic": (-0.0803539497, None),
    },
}


@pytest.mark.parametrize("how", PUBLISHED)
def test_the_published_aggregations(how):
    found = effects(*how)
    for kind, (point, error) in PUBLISHED[how].items():
        family = aggregate(found, kind, level=0.95, draws=99, seed=0)
        assert family.overall == pytest.approx(point, abs=6e-11)
        if error is not None:
            assert family.overall_standard_error == pytest.approx(error, abs=6e-11)


def test_a_universal_base_changes_no_effect_after_treatment():
    varying = effects("never", "doubly_robust", ())
    universal = effects("never", "doubly_robust", (), base_period="universal")
    after, later = varying.event_time >= 0, universal.event_time >= 0
    np.testing.assert_allclose(universal.point[later], varying.point[after], atol=1e-12)
    assert universal.reference.sum() == 3
    assert (universal.point[universal.reference] == 0).all()
    assert (universal.standard_error[universal.reference] == 0).all()
