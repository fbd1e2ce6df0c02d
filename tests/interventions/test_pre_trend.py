"""The joint test against R's rows, and its power against simulation."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from trustlib.interventions.group_time import group_time
from trustlib.interventions.panel_from_frame import panel_from_frame
from trustlib.interventions.pre_trend import pre_trend, pre_trend_check, pre_trend_power_check
from trustlib.interventions.spec import DidSpec
from trustlib.interventions.worlds import STAGGERED, draw, placebo_rollout

REALDATA = Path(__file__).parents[2] / ".." / "shared" / "realdata"
QUIET = replace(STAGGERED, sizes=(0.0,) * 4, spread=0.0)


@pytest.fixture(scope="module")
def mpdta():
    if not (REALDATA / "mpdta.csv").exists():
        pytest.skip("../shared/realdata/mpdta.csv is not part of the project")
    frame = pd.read_csv(REALDATA / "mpdta.csv").rename(
        columns={"county": "unit", "year": "time", "log_employment": "outcome"}
    )
    frame["unit"] = frame["unit"].astype(str)
    return frame.rename(columns={"first_treated": "treatment_start"})


@pytest.mark.parametrize(
    ("scenario", "covariates", "options"),
    [
        ("mpdta_nev_dr", (), {"control_group": "never"}),
        ("mpdta_nyt_dr", (), {"control_group": "not_yet"}),
        (
            "mpdta_nev_reg_cov",
            ("log_pop",),
            {"control_group": "never", "covariate_method": "regression"},
        ),
        ("mpdta_nev_ipw", (), {"control_group": "never", "covariate_method": "ipw"}),
    ],
)
def test_the_rows_of_r(mpdta, scenario, covariates, options):
    published = pd.read_csv(REALDATA / "mpdta_r_pretest.csv").set_index("scenario").loc[scenario]
    panel = panel_from_frame(mpdta, DidSpec(covariates=covariates))
    found = pre_trend(group_time(panel, **options))
    assert found.statistic == pytest.approx(published["W"], rel=1e-9)
    assert found.p_value == pytest.approx(published["Wpval"], abs=5.1e-6)  # printed to 5 places
    assert (found.degrees, found.distribution) == (5, "chi-square")


def test_the_base_period_does_not_matter(mpdta):
    panel = panel_from_frame(mpdta, DidSpec())
    one, other = (
        pre_trend(group_time(panel, control_group="never", base_period=base))
        for base in ("varying", "universal")
    )
    for name in ("statistic", "slope", "slope_80", "slope_50", "bias_80"):
        assert getattr(one, name) == pytest.approx(getattr(other, name), rel=1e-8)


def _tilted(panel, slope):
    drift = slope * np.arange(panel.n_periods) * ~panel.never[:, None]
    return replace(panel, outcome=panel.outcome + drift)


def test_a_linear_trend_is_the_slope_and_its_bias():
    panel = draw(replace(QUIET, noise_sd=0.0), seed=1).panel
    noise = np.random.default_rng(0).standard_normal(panel.outcome.shape)
    panel = replace(panel, outcome=panel.outcome + 1e-4 * noise)
    found = pre_trend(group_time(_tilted(panel, 0.25), control_group="never"))
    assert found.slope == pytest.approx(0.25, abs=1e-3)
    # Nothing but the trend: the whole effect is its bias.
    assert found.slope * found.distance == pytest.approx(found.effect, abs=1e-2)
    assert pre_trend_check(found).verdict == "fail"


@pytest.mark.parametrize("world", [QUIET, placebo_rollout(40)])
def test_the_slope_said_to_be_found_in_four_of_five_is(world):
    stated = np.mean(
        [
            pre_trend(group_time(draw(world, seed=s).panel, control_group="never")).slope_80
            for s in range(10)
        ]
    )
    hits, alarms = [], []
    for seed in range(100, 200):
        panel = draw(world, seed=seed).panel
        for slope, seen in ((0.0, alarms), (stated, hits)):
            cells = group_time(_tilted(panel, slope), control_group="never")
            seen.append(pre_trend(cells).p_value <= 0.05)
    assert 0.68 <= np.mean(hits) <= 0.92
    assert np.mean(alarms) <= 0.12


def test_power_in_words():
    found = pre_trend(group_time(draw(STAGGERED, seed=2).panel, control_group="never"))
    check = pre_trend_power_check(
        replace(found, slope_50=0.02, slope_80=0.03, distance=5, effect=0.2)
    )
    assert "0.03 per period would have been missed one time in five" in check.text
    assert "explain 75 % of the effect" in check.text.replace("\u00a0", " ")
    assert check.verdict == "warn"
    assert pre_trend_power_check(replace(found, slope_80=1e-4)).verdict == "pass"


def test_one_period_before_is_not_tested():
    panel = draw(replace(QUIET, starts=(1, 2, 3, 4)), seed=1).panel
    panel = replace(panel, first_treated=np.where(panel.never, panel.n_periods, 1))
    found = pre_trend(group_time(panel, control_group="never"))
    assert found.p_value is None
    for check in (pre_trend_check(found), pre_trend_power_check(found)):
        assert check.verdict == "not_run"
        assert "two periods before" in check.text
