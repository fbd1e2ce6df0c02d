"""Contributing factors: each test against its definition, its oracle, its size and its power."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache

import numpy as np
import pandas as pd
import pytest

from tests.studies import postmortem_factors as study
from tests.studies.postmortem_factors import SPEC, affected_rows, change_log, sized_at
from trustlib.core import Window
from trustlib.incidents import sizing
from trustlib.interventions.did import did
from trustlib.interventions.spec import DidSpec
from trustlib.postmortem.affected_only import affected_only
from trustlib.postmortem.against_unaffected import against_unaffected
from trustlib.postmortem.base_rate import chance_of
from trustlib.postmortem.change_before import change_before
from trustlib.postmortem.contrast import contrast
from trustlib.postmortem.dose_response import dose_response
from trustlib.postmortem.dose_trend import banded, ranks, trend
from trustlib.postmortem.factors import factors

START = datetime(2024, 3, 13, 12, tzinfo=UTC)  # a Wednesday


def hours_before(*hours):
    return [START - timedelta(hours=h) for h in hours]


def share(found, verdict="supported"):
    return np.mean([factor.verdict == verdict for factor in found])


# --- a change before ---------------------------------------------------------------------------


@pytest.mark.parametrize("timezone", ["UTC", "America/New_York"])
def test_the_chance_of_a_change_is_what_every_minute_of_the_log_says(timezone):
    rng = np.random.default_rng(5)
    start = pd.Timestamp(START)
    ago = rng.integers(60, 80640, 25)
    # Some close to each other: what two of them cover counts once.
    ago = np.sort(np.concatenate([ago, ago[:15] - 50]))[::-1]
    at = pd.DatetimeIndex([start - pd.Timedelta(minutes=int(m)) for m in ago])
    before, width = pd.Timedelta(minutes=150), pd.Timedelta(hours=2)
    found = chance_of(at, start, behind=before, ahead=width, timezone=timezone)

    first, last = at[0] + before, start - width - before
    minutes = pd.date_range(first, last, freq="min")
    held = np.zeros(len(minutes), dtype=bool)
    for change in at:
        held |= (change >= minutes - before) & (change <= minutes + width)
    own = (before + width) / pd.Timedelta(minutes=1)
    assert found.moments == pytest.approx((held.sum() + own) / (len(minutes) + own), abs=2e-3)

    n = hit = 0
    for k in range(1, 70):
        local = start.tz_convert(timezone).tz_localize(None) - pd.Timedelta(days=k)
        day = local.tz_localize(timezone)
        if local.weekday() < 5 and first <= day <= last:
            n += 1
            hit += ((at >= day - before) & (at <= day + width)).any()
    assert found.n_days == n
    assert found.days == pytest.approx((1 + hit) / (1 + n))


def test_every_change_so_close_is_listed_and_a_rare_one_is_supported():
    log = change_log(hours_before(2, 5, 9, *range(200, 1600, 150)))
    found = change_before(sized_at(START), affected_rows(log=log), spec=SPEC)
    assert found.verdict == "supported"
    assert "2\u00a0changes so close" in found.text
    assert found.text.index("(2\u00a0hours before that)") < found.text.index(
        "(5\u00a0hours before that)"
    )
    assert "9\u00a0hours" not in found.text
    assert "does not make it the cause" in found.text
    many = change_log(hours_before(*np.arange(0.1, 5, 0.5), *range(200, 1600, 150)))
    told = change_before(sized_at(START), affected_rows(log=many), spec=SPEC).text
    assert told.count("release") == 5
    assert "and 5 more" in told


def test_a_change_at_the_same_hour_of_every_weekday_is_no_sign():
    days = [d * 24 + 2 for d in range(60)]
    log = change_log(hours_before(*days))
    found = change_before(sized_at(START), affected_rows(log=log), spec=SPEC)
    assert found.verdict == "not supported"
    assert found.p_value == 1.0
    # At any other hour of the day it would have been one.
    other = change_log(hours_before(*[d * 24 + 2 for d in range(1, 60, 11)], 1.5))
    assert (
        change_before(sized_at(START), affected_rows(log=other), spec=SPEC).verdict == "supported"
    )


def test_the_interval_of_the_start_is_part_of_the_hours_in_question():
    log = change_log(hours_before(-1.5, *range(50, 1600, 150)))
    sure, unsure = sized_at(START), sized_at(START, unsure_hours=6)
    assert "no change" in change_before(sure, affected_rows(log=log), spec=SPEC).text
    found = change_before(unsure, affected_rows(log=log), spec=SPEC)
    assert "(90\u00a0minutes after that, perhaps after the true start)" in found.text
    assert "is estimated to have begun" in found.text
    near = replace(SPEC, change_hours=60.0)
    assert "50\u00a0hours before" in change_before(sure, affected_rows(log=log), spec=near).text


def test_the_chance_is_of_a_change_as_close_as_the_closest():
    def chance(*hours, unsure=0.0):
        log = change_log([*hours_before(*hours), *hours_before(*range(30, 1600, 97))])
        found = change_before(
            sized_at(START, unsure_hours=unsure), affected_rows(log=log), spec=SPEC
        )
        return found.p_value

    # A bucket at least; then the closer the rarer, up to the whole stretch.
    assert chance(0.2) == chance(0.9) < chance(2) < chance(5.9)
    # Estimated, the bucket of the start counts; later than that, the whole stretch does.
    assert chance(-0.9, unsure=6) == chance(0, unsure=6) < chance(2, unsure=6)
    assert chance(-2, unsure=6) > chance(5.9)
    assert chance(-2, unsure=6) >= chance(8.9, unsure=6)


@pytest.mark.parametrize(
    ("log", "missing", "words"),
    [
        (None, {"change_log": "no change log was given"}, "no change log was given"),
        (None, None, "no rows"),
        (change_log(hours_before(2)), None, "begins after the hours"),
        (change_log(hours_before(300, 310, 320)), None, "it may have ended"),
        (change_log(hours_before(2, 50, 100)), None, "too few days"),
    ],
)
def test_a_log_that_cannot_tell_is_not_tested(log, missing, words):
    found = change_before(sized_at(START), affected_rows(log=log, missing=missing), spec=SPEC)
    assert found.verdict == "not tested"
    assert words in found.text


@pytest.mark.parametrize(
    ("kind", "a_week"),
    [("any time", 0.5), ("any time", 3.0), ("office hours", 2.0), ("bursts", 2.0)],
)
def test_a_change_that_had_nothing_to_do_with_it_is_seldom_supported(kind, a_week):
    quiet = [study.change_found(s, kind, a_week=a_week, caused=False) for s in range(80)]
    assert share(quiet) <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / 80)


def test_a_change_that_was_the_cause_is_found_where_changes_are_rare():
    assert (
        share([study.change_found(s, "any time", a_week=0.5, caused=True) for s in range(60)])
        > 0.75
    )


# --- segments ----------------------------------------------------------------------------------


@cache
def _world(options):
    counts, segments, spec = study.segmented(3, **dict(options))
    return counts, segments, sizing(counts, spec, segments=segments)


def sized(**options):
    return _world(tuple(sorted(options.items())))


def test_only_the_affected_moved_or_all_did():
    hit = affected_only(sized(affected=2.0, world="poisson")[2], spec=SPEC)
    assert hit.verdict == "supported"
    assert 1 < hit.effect.low < hit.effect.high < 3
    both = affected_only(sized(affected=1.5, others=1.5, world="poisson")[2], spec=SPEC)
    assert both.verdict == "not supported"
    assert "So did 3 of 3 unaffected" in both.text
    quiet = affected_only(sized(world="poisson")[2], spec=SPEC)
    assert quiet.verdict == "not supported"
    assert "0 of 2\u00a0affected segments moved" in quiet.text


def table(*rows):
    frame = pd.DataFrame(rows, columns=["segment", "actual", "expected", "margin", "moved"])
    frame = frame.astype({"actual": float, "expected": float, "margin": float})
    frame["excess"] = frame["actual"] - frame["expected"]
    frame["low"], frame["high"] = (
        frame["excess"] - frame["margin"],
        frame["excess"] + frame["margin"],
    )
    frame["share_of_excess"] = frame["excess"] / frame["excess"].sum()
    return frame.drop(columns="margin")


@pytest.mark.parametrize(
    ("rows", "verdict", "words"),
    [
        # r is 1, its half .5.
        ([("c", 105, 100, 30, "no clear move")], "supported", "less than half"),
        ([("c", 105, 100, 46, "no clear move")], "not supported", "may have moved half as much"),
        ([("c", 90, 100, 41, "no clear move")], "not supported", "or the other way"),
        ([("c", 105, 100, 60, "no clear move")], "not supported", "too wide"),
        ([("c", 160, 100, 5, "up")], "not supported", "So did 1 of 1"),
        ([("c", 110, 100, 5, "up")], "supported", "less than half"),
        (
            [("c", 105, 100, 30, "no clear move"), ("d", 41, 40, 50, "no clear move")],
            "supported",
            "1 are too small to tell",
        ),
        (
            [("c", 105, 100, 30, "no clear move"), ("d", 160, 150, 180, "no clear move")],
            "not supported",
            "only 1 can tell",
        ),
        ([("c", 5, 4, np.nan, "not estimable")], "not tested", "no unaffected segment"),
        (
            [("c", 105, 100, 30, "no clear move"), ("counts without a segment", 300, 100, 9, "up")],
            "supported",
            "1 of 1",
        ),
    ],
)
def test_not_moved_means_shown_not_to_have(rows, verdict, words):
    made = table(("a", 200, 100, 40, "up"), ("b", 60, 30, 20, "up"), *rows)
    found = affected_only(replace(sized_at(START), segments=made), spec=SPEC)
    assert found.verdict == verdict
    assert words in found.text


def test_affected_segments_that_went_apart_or_are_not_there():
    one = table(("a", 200, 100, 40, "up"), ("c", 105, 100, 30, "no clear move"))
    found = affected_only(replace(sized_at(START), segments=one), spec=SPEC)
    assert found.verdict == "supported"
    assert "1\u00a0segment of affected_segments has no row" in found.text
    apart = table(
        ("a", 200, 100, 40, "up"), ("b", 10, 100, 40, "down"), ("c", 105, 100, 30, "no clear move")
    )
    found = affected_only(replace(sized_at(START), segments=apart), spec=SPEC)
    assert found.verdict == "not supported"
    assert "different directions" in found.text
    for spec, words in (
        (replace(SPEC, affected_segments=()), "does not say"),
        (replace(SPEC, affected_segments=("z",)), "no affected segment"),
    ):
        found = affected_only(replace(sized_at(START), segments=one), spec=spec)
        assert (found.verdict, words in found.text) == ("not tested", True)
    # All the smallest together may hold the affected one that has no row.
    rest = table(("a", 200, 100, 40, "up"), ("all others", 105, 100, 30, "no clear move"))
    assert affected_only(replace(sized_at(START), segments=rest), spec=SPEC).verdict == "not tested"


def test_per_cents_that_could_be_subtracted_are_not_told():
    open_, hidden = (
        affected_only(
            replace(
                sized_at(START),
                segments=table(
                    ("a", 200, 100, 40, "up"),
                    ("b", 60, 30, 20, "up"),
                    ("c", 105, 100, 30, "no clear move"),
                    ("d", small, 12, 3, "no clear move"),
                    ("e", small, 12, 3, "no clear move"),
                ),
            ),
            spec=replace(SPEC, affected_segments=("a", "b", "e") if small < 11 else ("a", "b")),
        ).text
        for small in (12, 9)
    )
    assert "%" in open_
    assert "%" not in hidden


def test_the_study_measures_what_sizing_gives():
    counts, segments, one = sized(affected=0.8)
    short = study.sized_segments(counts, segments, one.spec)
    pd.testing.assert_frame_equal(short.segments, one.segments)
    assert against_unaffected(short, segments, spec=SPEC) == against_unaffected(
        one, segments, spec=SPEC
    )


def test_no_single_small_segment_is_told():
    rows = [
        ("a", 200, 100, 40, "up"),
        ("b", 60, 30, 20, "up"),
        ("c", 105, 100, 30, "no clear move"),
    ]
    small = [("d", 7, 6.5, 2, "no clear move"), ("e", 30, 31, 7, "no clear move")]
    found = affected_only(replace(sized_at(START), segments=table(*rows, *small)), spec=SPEC)
    assert found.verdict == "supported"
    # Only c has a row of its own: d and e are merged.
    assert (
        "1 unaffected with enough events to be shown lie within −25\u00a0% to +35\u00a0%"
        in found.text
    )


def test_the_effect_is_the_difference_in_differences_of_the_log_ratio():
    _, segments, one = sized(affected=0.8)
    found, _ = against_unaffected(one, segments, spec=SPEC)
    incident, hours = one.spec.incident, []
    for week in range(9):
        begin = pd.Timestamp(incident.start) - pd.Timedelta(days=7 * week)
        inside = (segments["bucket_start_at"] >= begin) & (
            segments["bucket_start_at"] < begin + incident.duration
        )
        kind = segments["segment"].isin(SPEC.affected_segments)
        # The unaffected twice: the oracle refuses fewer than three units.
        for name, own in (("affected", kind), ("one", ~kind), ("two", ~kind)):
            total = segments.loc[inside & own, "count"].sum()
            first = 9 if name == "affected" else 0
            row = {"unit": name, "time": 9 - week, "treatment_start": first}
            hours.append(row | {"outcome": np.log(total + 0.5)})
    told = did(pd.DataFrame(hours), DidSpec(estimator="two_way"))
    oracle = next(iter(told.estimates.values())).point
    assert np.log1p(found.effect.point) == pytest.approx(oracle, abs=1e-9)


def test_affected_against_unaffected_finds_the_effect_and_no_other():
    _, segments, one = sized(affected=0.8)
    before = segments.copy(deep=True)
    found, check = against_unaffected(one, segments, spec=SPEC)
    pd.testing.assert_frame_equal(segments, before)
    assert found.verdict == "supported"
    assert found.effect.low <= 0.8 <= found.effect.high
    assert "none of 8 earlier weeks" in found.text
    assert check.verdict in ("pass", "warn")
    shuffled = segments.sample(frac=1, random_state=1)
    assert against_unaffected(one, shuffled, spec=SPEC) == (found, check)
    _, segments, one = sized(affected=1.5, others=1.5, world="poisson")
    assert against_unaffected(one, segments, spec=SPEC)[0].verdict == "not supported"


def test_an_outage_and_a_fall_where_a_rise_was_asked_about():
    _, segments, one = sized(affected=-0.8, world="poisson")
    found, _ = against_unaffected(one, segments, spec=SPEC)
    assert found.verdict == "supported"
    assert found.effect.low <= -0.8 <= found.effect.high
    rise = replace(one, spec=replace(one.spec, direction="increase"))
    found, _ = against_unaffected(rise, segments, spec=SPEC)
    assert (found.verdict, "not the direction" in found.text) == ("not supported", True)
    quiet = np.array([0.0, 0.1, -0.1, 0.05, -0.05])
    wide, narrow = (contrast(quiet, -2.0, level=0.95, extra_variance=v) for v in (0.04, 0.0))
    assert wide.high - wide.low > 1.5 * (narrow.high - narrow.low)
    assert wide.p_value > narrow.p_value


def test_excluded_weeks_are_left_out_and_three_are_too_few():
    counts, segments, one = sized(affected=0.8)
    start = pd.Timestamp(one.spec.incident.start)
    spoiled = segments.copy()
    week = (segments["bucket_start_at"] >= start - pd.Timedelta(days=14)) & (
        segments["bucket_start_at"] < start - pd.Timedelta(days=7)
    )
    spoiled.loc[week & segments["segment"].eq("a"), "count"] *= 50
    total = spoiled.groupby("bucket_start_at", as_index=False)["count"].sum()
    ends = [(start - pd.Timedelta(days=d)).to_pydatetime() for d in (14, 7)]
    spec = replace(one.spec, exclude_windows=(Window(*ends),))
    found, _ = against_unaffected(sizing(total, spec, segments=spoiled), spoiled, spec=SPEC)
    assert found.effect.n == 7
    assert found.effect.low <= 0.8 <= found.effect.high
    late = replace(one.spec, history_start=(start - pd.Timedelta(days=21)).to_pydatetime())
    found, check = against_unaffected(sizing(counts, late, segments=segments), segments, spec=SPEC)
    assert (found.verdict, check.verdict) == ("not tested", "not_run")
    assert "4 earlier weeks with these hours are needed, there are 3" in found.text


def test_a_week_that_misses_hours_is_scaled_up_and_one_that_misses_most_is_left_out():
    start = pd.Timestamp(START)
    at = pd.date_range(start - pd.Timedelta(days=56), periods=56 * 24 + 30, freq="h").as_unit("us")
    rng = np.random.default_rng(2)
    hour = np.arange(len(at)) % 168
    # The affected have their peak in the first six of the incident's hours, the others none.
    parts = {"a": np.where(hour < 6, 400, 20), "c": np.full(len(at), 200)}
    parts = {name: rng.poisson(mean).astype(float) for name, mean in parts.items()}
    spec = replace(study.SPEC.sizing, incident=Window(START, START + timedelta(hours=30)))
    found = {}
    for n_hours in (0, 6, 20):
        kept = ~((at >= at[168]) & (at < at[168] + pd.Timedelta(hours=n_hours)))
        segments = pd.concat(
            [
                pd.DataFrame({"bucket_start_at": at[kept], "segment": name, "count": own[kept]})
                for name, own in parts.items()
            ]
        )
        total = np.where(kept, sum(parts.values()), np.nan)
        counts = pd.DataFrame({"bucket_start_at": at, "count": total})
        one = sizing(counts, spec, segments=segments)
        found[n_hours] = against_unaffected(one, segments, spec=SPEC)[0].effect
    assert [one.n for one in found.values()] == [8, 8, 7]
    for one in found.values():
        assert one.point == pytest.approx(found[0].point, abs=0.02)
        assert one.low <= 0 <= one.high


@pytest.mark.parametrize("kind", ["independent", "random walk", "drifting level", "straight line"])
@pytest.mark.parametrize("n", [4, 12])
def test_weeks_that_drift_are_not_taken_for_an_effect(kind, n):
    row = study.contrast_row(kind, n, 1500)
    assert row["ours"] <= 0.05 + 2.5 * np.sqrt(0.05 * 0.95 / 1500)
    if (kind, n) == ("random walk", 12):
        assert row["plain t over weeks"] > 0.09


def test_the_rank_among_earlier_weeks_counts_those_as_far_apart():
    found = contrast(np.array([0.0, 0.1, -0.1, 0.5]), 0.4, level=0.95)
    # Against the mean of the others: .375 apart at most here, .167, .3 and .5 of the earlier.
    assert found.effect == pytest.approx(0.275)
    assert found.rank_p == pytest.approx((1 + 2) / 5)
    assert contrast(np.array([0.0, 0.1, -0.1, 0.0]), 3.0, level=0.95).rank_p == 0.2
    still = contrast(np.zeros(5), 0.0, level=0.95)
    assert (still.low, still.high, still.p_value) == (0, 0, 1)


# --- dose --------------------------------------------------------------------------------------


def test_the_trend_is_the_weighted_regression_with_errors_by_account():
    from statsmodels.regression.linear_model import WLS

    cases = study.labelled_cases(2, slope=0.5, within=0.5)
    x = ranks(cases["dose"].to_numpy(), 1 / cases["inclusion"].to_numpy())
    y, weight = 1.0 - cases["label"].to_numpy(), 1 / cases["inclusion"].to_numpy()
    account = cases["account"].to_numpy()
    found = trend(x, y, weight=weight, cluster=account, level=0.95)
    fit = WLS(y, np.column_stack([np.ones_like(x), x]), weights=weight).fit(
        cov_type="cluster", cov_kwds={"groups": account, "use_correction": False}
    )
    reach, g = x.max() - x.min(), len(np.unique(account))
    assert found.rise == pytest.approx(fit.params[1] * reach)
    from scipy.stats import t

    half = t.ppf(0.975, found.degrees) * fit.bse[1] * np.sqrt(g / (g - 1)) * reach
    assert (found.high - found.low) / 2 == pytest.approx(half)


def test_without_weights_and_clusters_it_is_cochran_and_armitage():
    cases = study.labelled_cases(2, slope=0.05, n=2000, accounts=2000, weighted=False)
    x = ranks(cases["dose"].to_numpy(float), np.ones(2000))
    y = 1.0 - cases["label"].to_numpy()
    found = trend(x, y, weight=np.ones(2000), cluster=np.arange(2000), level=0.95)
    p = y.mean()
    z = ((x - x.mean()) * y).sum() / np.sqrt(p * (1 - p) * ((x - x.mean()) ** 2).sum())
    from scipy.stats import norm

    assert found.p_value == pytest.approx(2 * norm.sf(abs(z)), rel=0.1)
    assert found.degrees > 500


@pytest.mark.parametrize(
    "options", [{}, {"within": 1.0}, {"base": 0.06}, {"n": 80, "accounts": 40}]
)
def test_no_trend_is_seldom_supported(options):
    found = [study.dose_found(s, **options) for s in range(120)]
    assert share(found) <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / 120)


def test_a_trend_is_found_and_its_direction_matters():
    rising = [study.dose_found(s, slope=np.log(2)) for s in range(40)]
    assert share(rising) > 0.8
    falling = [study.dose_found(s, slope=-np.log(2)) for s in range(10)]
    assert share(falling) == 0
    assert any("falls with the dose" in one.text for one in falling)
    assert all(one.effect.low > 0 for one in rising if one.verdict == "supported")


def test_a_heavy_account_is_no_trend():
    # One account with half of the cases, all wrong, at the highest dose.
    cases = study.labelled_cases(1, n=200, accounts=200, weighted=False)
    heavy = cases.assign(item=cases["item"] + 200, account=999, dose=50.0, label=0)
    rows = affected_rows(labelled=pd.concat([cases, heavy]))
    assert dose_response(rows, "over", spec=SPEC).verdict != "supported"
    apart = affected_rows(labelled=pd.concat([cases, heavy.assign(account=-1)]))
    assert dose_response(apart, "over", spec=SPEC).verdict == "supported"


def test_sides_are_apart_and_order_does_not_matter():
    over = study.labelled_cases(1, slope=np.log(3))
    under = study.labelled_cases(2, side="under").assign(item=lambda x: x["item"] + 1000)
    rows = affected_rows(labelled=pd.concat([over, under]), sides=("over", "under"))
    found = dose_response(rows, "over", spec=SPEC)
    assert found == dose_response(affected_rows(labelled=over), "over", spec=SPEC)
    assert found.verdict == "supported"
    assert dose_response(rows, "under", spec=SPEC).verdict == "not supported"
    shuffled = affected_rows(labelled=over.sample(frac=1, random_state=3))
    assert dose_response(shuffled, "over", spec=SPEC) == found
    flipped = affected_rows(labelled=over.assign(side="under", label=1 - over["label"]))
    assert dose_response(flipped, "under", spec=SPEC).p_value == found.p_value


def test_what_has_no_dose_or_no_labels_is_not_tested():
    cases = study.labelled_cases(1, slope=np.log(3))
    for rows, words in (
        (replace(affected_rows(labelled=cases), has_dose=False), "has no dose"),
        (affected_rows(missing={"labels": "no labels were given"}), "no labels were given"),
        (affected_rows(labelled=cases.head(20)), "fewer than 30"),
        (affected_rows(labelled=cases.assign(dose=np.nan)), "fewer than 30"),
        (affected_rows(labelled=cases.assign(dose=1.0)), "the same dose"),
        (affected_rows(labelled=cases.assign(label=1)), "rarer kind"),
        (
            affected_rows(labelled=cases.assign(dose=np.where(cases["item"] < 20, 1.0, 2.0))),
            "two doses",
        ),
        (affected_rows(labelled=cases.assign(account=cases["item"] % 2)), "handful of accounts"),
    ):
        found = dose_response(rows, "over", spec=SPEC)
        assert (found.verdict, words in found.text) == ("not tested", True), found.text


def test_a_share_that_falls_clearly_in_between_is_no_dose_response():
    n = 800
    dose = np.repeat([1.0, 2.0, 3.0, 4.0], n // 4)
    rng = np.random.default_rng(0)
    wrong = (rng.random(n) < np.repeat([0.1, 0.6, 0.3, 0.7], n // 4)).astype(float)
    bands = banded(dose, wrong, weight=np.ones(n), cluster=np.arange(n), level=0.95)
    assert (bands.clear_drop, bands.rising) == (True, False)
    np.testing.assert_allclose(bands.share, wrong.reshape(4, -1).mean(axis=1))
    cases = pd.DataFrame(
        {"item": np.arange(n), "side": "over", "inclusion": 1.0, "label": 1 - wrong.astype(int),
         "account": np.arange(n), "dose": dose}
    )  # fmt: skip
    found = dose_response(affected_rows(labelled=cases), "over", spec=SPEC)
    assert found.verdict == "not supported"
    assert "falls clearly" in found.text


def test_shares_of_small_bands_are_not_told():
    cases = study.labelled_cases(1, slope=np.log(2), n=900, accounts=400, weighted=False)
    assert "By bands" in dose_response(affected_rows(labelled=cases), "over", spec=SPEC).text
    few = affected_rows(labelled=study.labelled_cases(1, base=0.06, n=300))
    assert "By bands" not in dose_response(few, "over", spec=SPEC).text


# --- together ----------------------------------------------------------------------------------


def test_every_factor_has_a_row_with_a_verdict_and_a_sentence():
    _, segments, one = sized(affected=0.8)
    rows = affected_rows(labelled=study.labelled_cases(1, slope=np.log(3)), sides=("over", "under"))
    found = factors(one, segments, rows, spec=SPEC)
    assert list(found.frame.columns) == ["factor", "test", "verdict", "text"]
    assert found.frame["verdict"].iloc[0] == "not tested"
    assert len(found.frame) == len(found.tested) == 5
    assert [check.name for check in found.checks] == ["contributing_factors", "side_by_side"]
    assert found.checks[0].verdict == "pass"
    assert f"{1 - 0.95**3:.0%}".rstrip("%") in found.checks[0].text
    nothing = factors(one, None, affected_rows(sides=()), spec=SPEC)
    assert set(nothing.frame["verdict"]) <= {"not tested", "supported", "not supported"}
    quiet = factors(replace(one, verdict="no incident shown"), segments, rows, spec=SPEC)
    assert quiet.checks[0].verdict == "warn"
    empty = factors(replace(one, segments=None), None, affected_rows(), spec=SPEC)
    assert set(empty.frame["verdict"]) == {"not tested"}
    assert empty.checks[0].verdict == "not_run"
