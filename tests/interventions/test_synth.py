"""The whole answer: what leads, where its interval comes from, what is allowed to be said."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pandas as pd
import pytest

from trustlib.core import Refusal
from trustlib.interventions.synth.result import SynthResult
from trustlib.interventions.synth.spec import SynthSpec
from trustlib.interventions.synth.synth import synth
from trustlib.interventions.synth.verdict import objection, verdict

PRE, POST = 20, 8


def markets(
    *,
    donors: int = 24,
    starts: tuple[int, ...] = (PRE,),
    pre: int = PRE,
    post: int = POST,
    effect: float = -1.0,
    seed: int = 0,
    name: str = "market {:02d}",
) -> pd.DataFrame:
    """Rows of units that follow two common factors; the first ones are treated at `starts`."""
    rng = np.random.default_rng(seed)
    units, periods = len(starts) + donors, pre + post
    factors = 0.3 * rng.normal(size=(2, periods)).cumsum(axis=1)
    outcome = 10 + rng.normal(size=(units, 1)) + rng.uniform(0.2, 1, (units, 2)) @ factors
    outcome += 0.2 * rng.normal(size=outcome.shape)
    first = np.full(units, np.nan)
    for unit, start in enumerate(starts):
        first[unit] = start
        outcome[unit, start:] += effect
    return pd.DataFrame(
        {
            "unit": np.repeat([name.format(unit) for unit in range(units)], periods),
            "time": np.tile(np.arange(periods), units),
            "outcome": outcome.ravel(),
            "first": np.repeat(first, periods),
            "people": np.repeat(rng.uniform(100, 1000, units), periods),
        }
    )


def spec(**changes) -> SynthSpec:
    return SynthSpec(**({"treatment_start_column": "first"} | changes))


@pytest.fixture(scope="module")
def one() -> SynthResult:
    return synth(markets(), spec(unit_value_usd=2.0))


def test_one_market_end_to_end(one) -> None:
    assert one.design.preset == "synthetic_did"
    assert one.design.inference == "placebo"
    assert one.verdict == "effect shown"
    att = one.estimates["att"]
    assert att.low < -1 < att.high < 0
    assert one.estimates["placebo_p_value"].point == pytest.approx(1 / 25)
    assert one.estimates["total_value_usd"].point == pytest.approx(
        2 * one.estimates["total_effect"].point
    )
    beside = ["synthetic_control", "did"]
    assert {*beside, "synthetic_did"} <= set(one.comparison["estimator"])
    assert one.comparison["headline"].tolist().count(True) == 1


def test_the_frames_belong_to_each_other(one) -> None:
    att, total = one.estimates["att"], one.estimates["total_effect"]
    after = one.gap[one.gap["after"]]
    assert after["point"].mean() == pytest.approx(att.point)
    # One unit and a level: the total is the sum of the gaps.
    assert after["cumulative"].iloc[-1] == pytest.approx(total.point) == after["point"].sum()
    assert after["cumulative_low"].iloc[-1] == pytest.approx(total.low)
    whole = one.totals[one.totals["time"] == "all"].iloc[0]
    assert [whole["effect"], whole["low"], whole["high"]] == pytest.approx(
        [total.point, total.low, total.high]
    )
    assert one.totals["value_usd"].tolist() == pytest.approx((2 * one.totals["effect"]).tolist())
    assert (one.path["actual"] - one.path["synthetic"]).tolist() == pytest.approx(
        one.gap["point"].tolist()
    )
    assert one.weights["weight"].sum() == pytest.approx(1)
    assert one.pool["role"].value_counts().to_dict() == {"donor": 24, "treated": 1}
    head = one.comparison[one.comparison["headline"]].iloc[0]
    assert [head["low"], head["high"]] == pytest.approx([att.low, att.high])
    treated = one.placebos[one.placebos["treated"]].iloc[0]
    assert treated["rank"] == 1
    assert treated["att"] == pytest.approx(att.point)
    assert len(one.placebo_paths) == 24 * (PRE + POST)
    assert (after["conformal_p"] <= 0.2).any()


def test_every_series_is_plain(one) -> None:
    for rows in one.series().values():
        for row in rows:
            assert all(isinstance(value, str | float | int | bool | None) for value in row.values())
    kinds = {field.name for field in fields(one)}
    assert set(one.series()) < kinds


def test_rows_in_any_order_give_the_same(one) -> None:
    shuffled = markets().sample(frac=1, random_state=3)
    again = synth(shuffled, spec(unit_value_usd=2.0))
    assert again.estimates["att"] == one.estimates["att"]
    assert again.placebos.equals(one.placebos)


def cases() -> list:
    """Panel, spec, and (leads, interval, verdict, what fails among the decisive checks)."""
    few, many = (PRE,) * 3, (PRE,) * 12
    return [
        pytest.param(markets(donors=9), {}, ("synthetic_did", "placebo"), id="nine donors"),
        pytest.param(
            markets(donors=2), {}, ("synthetic_did", "placebo", "not estimable"), id="two donors"
        ),
        pytest.param(
            markets(donors=1), {}, ("synthetic_did", "placebo", "not estimable"), id="one donor"
        ),
        pytest.param(
            markets(donors=0), {}, ("interrupted_time_series", "regression"), id="no donor"
        ),
        pytest.param(
            markets(donors=0, pre=5, post=2, starts=(5,)),
            {},
            ("interrupted_time_series", "regression", "not estimable"),
            id="no donor, short",
        ),
        pytest.param(
            markets(donors=12, starts=few),
            {"method": "synthetic_control"},
            ("synthetic_control", "placebo", "effect shown"),
            id="three treated",
        ),
        pytest.param(
            markets(donors=12, starts=(15, 15, 20, 22)),
            {"draws": 199},
            ("synthetic_did", "placebo", "effect shown"),
            id="staggered",
        ),
        pytest.param(
            markets(donors=20, starts=many),
            {"draws": 99},
            ("synthetic_did", "jackknife", "effect shown"),
            id="twelve treated",
        ),
        pytest.param(
            markets(donors=20, starts=many),
            {"draws": 99, "inference": "bootstrap"},
            ("synthetic_did", "bootstrap", "effect shown"),
            id="bootstrap",
        ),
        pytest.param(
            markets(pre=2, post=1, starts=(2,)),
            {},
            ("synthetic_did", "placebo", "not conclusive"),
            id="short",
        ),
        pytest.param(
            markets(effect=0.0), {}, ("synthetic_did", "placebo", "no effect shown"), id="nothing"
        ),
        pytest.param(markets(), {"method": "did"}, ("did", "placebo"), id="alike"),
    ]


@pytest.mark.parametrize(("frame", "changes", "wanted"), cases())
def test_what_leads_and_what_may_be_said(frame, changes, wanted) -> None:
    found = synth(frame, spec(**changes))
    got = (found.design.preset, found.design.inference, found.verdict)
    assert got[: len(wanted)] == wanted
    att = found.estimates["att"]
    # Either an interval with its method, or the reason why there is none.
    assert (att.low is None) == (found.verdict == "not estimable")
    if att.low is None:
        assert att.note.startswith("not estimable: ")
    assert found.design.assumption
    assert found.series()["comparison"]


def test_nine_donors_cannot_show_five_percent() -> None:
    found = synth(markets(donors=9), spec())
    (check,) = (check for check in found.checks if check.name == "enough_donors")
    assert check.verdict == "warn"
    assert "cannot be below .10" in check.text
    assert "cannot be below 0.1" in found.estimates["placebo_p_value"].note


def test_ranks_that_contradict_the_interval_are_not_conclusive(monkeypatch) -> None:
    frame = markets(donors=24)
    # A placebo that is matched closely and then strays a little has a larger ratio.
    last = frame["unit"] == "market 24"
    near = frame[frame["unit"] == "market 23"]["outcome"].to_numpy()
    frame.loc[last, "outcome"] = near + np.where(np.arange(PRE + POST) >= PRE, 0.5, 0.0)
    found = synth(frame, spec(method="synthetic_control"))
    assert found.estimates["placebo_p_value"].point > 0.05
    assert found.verdict != "effect shown"


def test_people_scale_a_rate() -> None:
    frame = markets()
    rate = synth(frame, spec(outcome_scale="rate", weight="people", rate_per=100))
    people = frame.loc[frame["unit"] == "market 00", "people"].iloc[0]
    level = synth(frame, spec())
    assert rate.estimates["att"].point == pytest.approx(level.estimates["att"].point)
    assert rate.estimates["total_effect"].point == pytest.approx(
        level.estimates["total_effect"].point * people / 100
    )
    share = rate.estimates["relative_effect"]
    assert share.low < share.point < share.high < 0


def test_a_log_is_sized_in_levels() -> None:
    frame = markets()
    frame["outcome"] = np.log(frame["outcome"])
    found = synth(frame, spec(outcome_scale="log"))
    assert found.estimates["total_effect"].point == pytest.approx(-POST, rel=0.4)
    below_zero = markets()
    below_zero["outcome"] -= 10
    assert synth(below_zero, spec()).estimates["relative_effect"].point is None


@pytest.mark.parametrize("name", ["user{:08d}", "{}@example.org"])
def test_names_that_could_be_people_stay_in_the_room(name) -> None:
    frame = markets(name=name)
    found = synth(frame, spec(affected_units=(name.format(7),)))
    assert not found.design.names_shown
    told = str(found.series()) + " ".join(check.text for check in found.checks)
    told += found.placebo_paths.to_csv()
    assert not any(unit in told for unit in frame["unit"].unique())
    assert set(found.pool["role"]) == {"treated", "donor", "left out"}


@pytest.mark.parametrize(
    ("frame", "changes", "why"),
    [
        (markets(starts=(15, 20)), {"method": "interrupted_time_series"}, "2 dates"),
        (markets(), {"inference": "jackknife"}, "one start has a single one"),
        (markets(), {"method": "synthetic_control", "inference": "bootstrap"}, "not valid"),
        (markets(donors=0), {"method": "synthetic_control"}, "no donor is left"),
        (markets(), {"outcome_scale": "log", "method": "did", "treated_units": ("x",)}, "no unit"),
    ],
)
def test_refused(frame, changes, why) -> None:
    with pytest.raises(Refusal, match=why):
        synth(frame, spec(**changes))


def test_a_series_of_its_own_with_donors_beside_it() -> None:
    found = synth(markets(pre=30), spec(method="interrupted_time_series"))
    assert found.verdict in ("a change, cause not shown", "no effect shown", "not conclusive")
    assert found.weights.empty
    assert found.placebos.empty
    assert found.in_time.empty
    assert "synthetic_did" in found.comparison["estimator"].tolist()
    after = found.gap[found.gap["after"]]
    assert after["point"].mean() == pytest.approx(found.estimates["att"].point)
    assert found.totals["effect"].iloc[-1] == pytest.approx(after["point"].sum())
    assert found.pool["reason"].eq("not used by this method").sum() == 24


def test_counts_of_several_treated_are_added_up_whatever_their_people() -> None:
    frame = markets(donors=20, starts=(PRE, PRE))
    frame["outcome"] = (frame["outcome"] * 100).round()
    frame["people"] = frame["unit"].map({"market 00": 100.0, "market 01": 900.0}).fillna(500.0)
    large = (frame["unit"] == "market 00") & (frame["time"] >= PRE)
    frame.loc[large, "outcome"] -= 400  # in the market with few people
    alike = synth(frame, spec(outcome_scale="count"))
    people = synth(frame, spec(outcome_scale="count", weight="people"))
    assert people.estimates["total_effect"] == alike.estimates["total_effect"]
    assert people.estimates["att"] == alike.estimates["att"]


@pytest.mark.parametrize(
    ("name", "times", "scale"),
    [
        ("tickets", 100, "count"),
        ("tickets per 1,000", 100, "rate"),
        ("complaint_rate", 100, "rate"),
        ("tickets", 0.01, "rate"),
        ("open", 0, "rate"),
    ],
)
def test_whole_numbers_are_counts_though_people_are_known(name, times, scale) -> None:
    frame = markets()
    if times:
        frame["outcome"] *= times
    else:
        frame["outcome"] = (frame["outcome"] > frame["outcome"].mean()).astype(float)
    if times == 100:
        frame["outcome"] = frame["outcome"].round()
    assert synth(frame, spec(weight="people", outcome_name=name)).design.outcome_scale == scale


def test_an_exact_match_gives_no_interval_of_no_width() -> None:
    frame = markets()
    own = frame.loc[frame["unit"] == "market 00", "outcome"].to_numpy()
    twin = own + np.where(np.arange(PRE + POST) >= PRE, 0.1, 0.0)
    frame.loc[frame["unit"] == "market 07", "outcome"] = twin
    found = synth(frame, spec(method="synthetic_control"))
    att = found.estimates["att"]
    assert att.point == pytest.approx(-0.1, abs=1e-6)
    assert att.high - att.low > 0.1
    assert "standard deviation" in att.method
    assert "matched exactly" in found.design.assumption
    assert found.verdict != "effect shown"


@pytest.mark.parametrize(
    ("donors", "changes", "said"),
    [
        (24, {}, "people, and one is all that is treated: restrict who may see"),
        (0, {}, "people, and one is all that is treated: restrict who may see"),
        (
            24,
            {"treated_units": ("user00000000",), "affected_units": ("user00000007",)},
            "2 units are named in the parameters",
        ),
    ],
)
def test_few_people_and_those_named_in_params_are_said_aloud(donors, changes, said) -> None:
    found = synth(markets(name="user{:08d}", donors=donors), spec(**changes))
    made = {one.name: one for one in found.checks}["small_cells"]
    assert made.verdict == "warn"
    assert said in made.text.replace("\xa0", " ")


def test_markets_are_no_people(one) -> None:
    assert "small_cells" not in {made.name for made in one.checks}


@pytest.mark.parametrize("scale", ["level", "rate", "count"])
def test_total_and_share_fit_together_where_people_weigh(scale) -> None:
    frame = markets(starts=(PRE, PRE, PRE))
    # Each treated unit has an effect of its own, and people of its own.
    rows = frame["unit"].isin(["market 00", "market 01"]) & (frame["time"] >= PRE)
    frame.loc[rows, "outcome"] -= 2.0
    if scale == "count":
        frame["outcome"] = (100 * frame["outcome"]).round()
    found = synth(frame, spec(weight="people", outcome_scale=scale))
    treated = frame[frame["first"].notna() & (frame["time"] >= PRE)]
    total = found.estimates["total_effect"].point
    people = frame.groupby("unit")["people"].first()[treated["unit"].unique()]
    weight = {"level": 3 * people / people.sum(), "rate": people, "count": people * 0 + 1}[scale]
    observed = (treated["outcome"] * treated["unit"].map(weight)).sum()
    assert found.estimates["relative_effect"].point == pytest.approx(total / (observed - total))


def test_a_large_effect_before_the_start_takes_the_ground_from_one_after() -> None:
    frame = markets(effect=-0.6, seed=3)
    plain = synth(frame, spec())
    assert plain.verdict == "effect shown"
    checks = [
        replace(check, verdict="warn", label="as large before the start")
        if check.name == "in_time_placebo"
        else check
        for check in plain.checks
    ]
    p = plain.estimates["placebo_p_value"].point
    assert verdict(plain.estimates["att"], p, p, checks) == "not conclusive"
    assert objection(checks, apart=True).name == "in_time_placebo"
    assert objection(checks, apart=False) is None
