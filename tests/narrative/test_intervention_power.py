"""Power before launch, seen by a reader: sentences, figures and tables of one simulation."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from trustlib.core import Check
from trustlib.figures import intervention_power as draw
from trustlib.figures import svg
from trustlib.figures.house import view
from trustlib.interventions.panel import Panel
from trustlib.interventions.power import PowerSpec, power
from trustlib.narrative import intervention_power as say
from trustlib.tables import intervention_power as tabulate

FIGURES = ("power_curve", "alternatives", "placebo_rollouts")
TABLES = ("plan", "power_curve", "alternatives", "estimates", "definitions")


def plain(text: str) -> str:
    return text.replace("\u00a0", " ")


def panel(n: int = 40, periods: int = 24) -> Panel:
    rng = np.random.default_rng(1)
    outcome = 20 + rng.normal(0, 2, (n, 1)) + rng.normal(0, 1.2, (n, periods))
    names = tuple(f"u{i}" for i in range(n))
    return Panel(
        outcome=outcome, first_treated=np.full(n, periods), weight=np.ones((n, periods)),
        cluster=np.arange(n), covariates=np.zeros((n, periods, 0)), unit_names=names,
        period_names=tuple(str(2000 + i) for i in range(periods)), cluster_names=names,
    )  # fmt: skip


@pytest.fixture(scope="module")
def result():
    spec = PowerSpec(
        planned_units=(6, 6), periods_after=4, effects=(0.2, 2.0), draws=99,
        outcome_name="_$_ complaints <b>", unit_label="complaints",
    )  # fmt: skip
    return power(panel(), spec)


def nothing(result):
    """The same where no effect, however large, is found often enough."""
    names = ("smallest_detectable_effect", "smallest_detectable_relative_effect")
    estimates = dict(result.estimates)
    for name in names:
        note = "not estimable: no effect, however large, would be found so often"
        estimates[name] = replace(estimates[name], point=None, low=None, high=None, note=note)
    return replace(result, estimates=estimates, verdict="not detectable")


def test_the_headline_has_the_size_its_interval_and_the_plan(result) -> None:
    sentence = say.headline_sentence(result)
    size = result.estimates["smallest_detectable_effect"].point
    assert sentence.startswith(
        "An effect of 0.2, the smallest asked for, would be missed too often: in 80 % of cases the "
        "plan of 12 units in 2 waves, watched for 4 periods"
    )
    number = float(re.search(r"find an effect of ([\d.]+) ", sentence)[1])
    assert number == pytest.approx(size, rel=0.06)
    assert "95 % interval of the simulation" in sentence
    assert "% of its level" in sentence


def test_the_smallest_effect_asked_about_is_answered(result) -> None:
    text = plain(say.answer(result, result.checks).text)
    asked = result.power_curve[result.power_curve["asked"]]
    share = f"{100 * asked['power'].iloc[0]:.2g}"
    assert f"The smallest effect asked about, 0.2, would be found in {share} % of cases" in text
    assert "Treat more units, wait longer" in text
    assert "<b>" not in str(say.answer(result, result.checks).html)


def test_what_is_asked_follows_from_the_verdict(result) -> None:
    def asked(made) -> str:
        return plain(say.answer(made, ()).text)

    assert "Decide whether to launch" in asked(replace(result, verdict="detectable"))
    assert "would matter to you" in asked(replace(result, verdict="simulated"))
    assert "Do not launch with this plan" in asked(nothing(result))
    failed = Check(name="placebo_size", verdict="fail", label="cries wolf", text="too often")
    assert "settle what fails: “cries wolf”" in plain(say.answer(result, (failed,)).text)


def test_nothing_detectable_is_said_and_drawn_without_a_mark(result) -> None:
    none = nothing(result)
    assert say.answer(none, ()).text.startswith("Nothing is detectable")
    assert "however large" in say.headline_sentence(none)
    assert "80 % is not reached" in plain(say.about_power_curve(none)["alt"])
    ax = draw.power_curve(none)
    assert not [line for line in ax.lines if line.get_color() == svg.PALETTE["harm"]]
    assert draw.alternatives(none) is None
    assert say.about_alternatives(none)["caption"].startswith("No other plan")


def test_the_curve_is_the_result_s_with_its_band_and_the_mark(result) -> None:
    ax = draw.power_curve(result)
    frame = result.power_curve
    drawn = next(line for line in ax.lines if line.get_linewidth() == 2.2)
    np.testing.assert_allclose(drawn.get_ydata(), 100 * frame["power"])
    mark = next(line for line in ax.lines if line.get_color() == svg.PALETTE["harm"])
    assert mark.get_xdata()[0] == result.estimates["smallest_detectable_effect"].point
    rings = next(line for line in ax.lines if line.get_marker() == "o")
    np.testing.assert_allclose(rings.get_xdata(), [0.2, 2.0])
    assert len(ax.collections) == 1


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_is_described_and_stays_inside(result, name) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    from trustlib.figures import house

    about = getattr(say, f"about_{name}")(result)
    data = pd.DataFrame({"a": [1.0]})
    shown = view(getattr(draw, name)(result), **about, data=data, filename="f.csv")
    assert 'role="img"' in shown.html
    with house.style():
        ax = getattr(draw, name)(result)
        canvas = FigureCanvasAgg(ax.figure)
        canvas.draw()
        box = ax.figure.get_tightbbox(canvas.get_renderer())
    width, height = ax.figure.get_size_inches()
    assert (box.x0, box.y0) > (-0.03, -0.03)
    assert box.x1 < width + 0.03
    assert box.y1 < height + 0.03


def test_this_plan_leads_the_others(result) -> None:
    ax = draw.alternatives(result)
    ax.figure.canvas.draw()
    assert not [t for t in ax.get_xticklabels() if "+" in t.get_text()]
    rows = draw.alternative_rows(result)
    assert rows["change"].iloc[0] == "this plan"
    assert len(rows) == 1 + result.alternatives["smallest_detectable_effect"].notna().sum()
    text = plain(say.what_else(result).text)
    best = result.alternatives.loc[result.alternatives["ratio"].idxmin()]
    saved = best["ratio"] <= 0.97
    assert (str(best["change"]).capitalize() in text) == saved
    assert ("None of the other plans" in text) == (not saved)


def test_a_change_that_hardly_helps_is_not_recommended(result) -> None:
    worse = replace(result, alternatives=result.alternatives.assign(ratio=0.98))
    assert say.what_else(worse).text.startswith("None of the other plans")
    assert "finds effects from" not in say.what_to_do(worse, ()).text


@pytest.mark.parametrize("name", TABLES)
def test_every_table_is_escaped_and_says_no_nan(result, name) -> None:
    shown = getattr(tabulate, name)(result)
    assert "<b>" not in shown.html
    assert not re.search(r"\bnan\b", shown.text)


def test_false_alarms_are_set_beside_what_is_allowed(result) -> None:
    text = plain(say.when_nothing_happens(result).text)
    rate = result.estimates["false_alarm_rate"].point
    assert f"{100 * rate:.2g} % of placebo roll-outs" in text
    assert "5 % are allowed" in text
