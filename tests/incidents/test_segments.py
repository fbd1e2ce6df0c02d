"""Segments: exact sums, who moved, relabelling, small and many segments."""

import numpy as np
import pandas as pd
import pytest

from trustlib.core import Refusal
from trustlib.incidents import sizing


def split(counts, spec, shares, *, seed=0, boost=None, factor=3.0):
    """Multinomial segments; segment `boost` gets (factor − 1) times its counts on top."""
    rng = np.random.default_rng(seed)
    parts = rng.multinomial(counts["count"].astype(int), shares).T.astype(float)
    inside = (counts["bucket_start_at"] >= pd.Timestamp(spec.incident.start)) & (
        counts["bucket_start_at"] < pd.Timestamp(spec.incident.end)
    )
    if boost is not None:
        parts[boost] *= np.where(inside, factor, 1.0)
    total = counts.assign(count=parts.sum(axis=0))
    rows = [
        counts[["bucket_start_at"]].assign(segment=f"s{i}", count=part)
        for i, part in enumerate(parts)
    ]
    return total, pd.concat(rows, ignore_index=True)


@pytest.mark.parametrize("name", ["ar_90", "sparse", "poisson"])
def test_segments_add_up_exactly(drawn, name):
    counts, spec, _ = drawn(name, effect=0.7)
    total, segments = split(counts, spec, [0.5, 0.3, 0.15, 0.05])
    result = sizing(total, spec, segments=segments)
    for column in ("actual", "expected", "excess"):
        assert result.segments[column].sum() == result.estimates[column].point
    assert result.segments["share_of_excess"].sum() == pytest.approx(1.0)


def test_the_segment_that_moved_is_named_and_no_other(drawn):
    counts, spec, _ = drawn("poisson", effect=0.0)
    total, segments = split(counts, spec, [0.4, 0.3, 0.2, 0.1], boost=2)
    table = sizing(total, spec, segments=segments).segments.set_index("segment")
    assert table.loc["s2", "moved"] == "up"
    assert (table.drop("s2")["moved"] == "no clear move").all()
    extra = segments[segments["segment"] == "s2"].merge(total, on="bucket_start_at")
    inside = (extra["bucket_start_at"] >= pd.Timestamp(spec.incident.start)) & (
        extra["bucket_start_at"] < pd.Timestamp(spec.incident.end)
    )
    truth = extra.loc[inside, "count_x"].sum() * 2 / 3
    assert table.loc["s2", "low"] <= truth <= table.loc["s2", "high"]


def test_names_and_row_order_do_not_matter(drawn):
    counts, spec, _ = drawn("ar_90", effect=1.0)
    total, segments = split(counts, spec, [0.5, 0.3, 0.2])
    one = sizing(total, spec, segments=segments).segments
    renamed = segments.assign(segment="<b>" + segments["segment"] + "$_$").sample(
        frac=1, random_state=1
    )
    before = renamed.copy(deep=True)
    other = sizing(total, spec, segments=renamed).segments
    pd.testing.assert_frame_equal(renamed, before)
    assert list(other["segment"]) == [f"<b>{name}$_$" for name in one["segment"]]
    pd.testing.assert_frame_equal(one.drop(columns="segment"), other.drop(columns="segment"))


def test_a_segment_without_counts_and_one_with_few_are_not_estimable(drawn):
    counts, spec, _ = drawn("ar_90", effect=1.0)
    total, segments = split(counts, spec, [0.999, 0.001, 0.0])
    table = sizing(total, spec, segments=segments).segments.set_index("segment")
    assert list(table.loc[["s1", "s2"], "moved"]) == ["not estimable"] * 2
    assert table.loc[["s1", "s2"], "low"].isna().all()
    assert table.loc["s2", "actual"] == 0


def test_beyond_twenty_the_smallest_are_put_together(drawn):
    counts, spec, _ = drawn("ar_90", effect=1.0)
    shares = np.linspace(2, 0.2, 30)
    total, segments = split(counts, spec, shares / shares.sum())
    result = sizing(total, spec, segments=segments)
    assert len(result.segments) == 21
    assert result.segments["segment"].iloc[-1] == "all others"
    assert result.segments["excess"].sum() == result.estimates["excess"].point
    taken = segments.assign(segment=segments["segment"].replace("s3", "all others"))
    names = sizing(total, spec, segments=taken).segments["segment"]
    assert names.is_unique
    assert names.iloc[-1] != "all others"


def test_counts_without_a_segment_are_shown_apart(drawn):
    counts, spec, _ = drawn("ar_90", effect=1.0)
    total, segments = split(counts, spec, [0.6, 0.3, 0.1])
    result = sizing(total, spec, segments=segments[segments["segment"] != "s1"])
    assert "counts without a segment" in set(result.segments["segment"])
    assert result.segments["actual"].sum() == result.estimates["actual"].point
    check = next(c for c in result.checks if c.name == "segments")
    assert check.verdict == "warn"


def test_segments_that_hold_more_than_the_total_are_refused(drawn):
    counts, spec, _ = drawn("ar_90", effect=1.0)
    total, segments = split(counts, spec, [0.6, 0.4])
    for spoiled, words in (
        (segments.assign(count=segments["count"] * 2), "more than the total"),
        (pd.concat([segments, segments.tail(1)]), "repeats"),
        (segments.assign(count=-segments["count"]), "negative"),
        (segments.drop(columns="segment"), "no column segment"),
    ):
        with pytest.raises(Refusal, match=words):
            sizing(total, spec, segments=spoiled)


def test_under_three_weeks_no_segment_has_an_interval(drawn):
    counts, spec, _ = drawn("ar_90", weeks=2, effect=1.0)
    total, segments = split(counts, spec, [0.6, 0.4])
    result = sizing(total, spec, segments=segments)
    assert (result.segments["moved"] == "not estimable").all()
    assert result.segments["excess"].sum() == result.estimates["excess"].point


def test_equal_segments_have_equal_shares_of_what_the_total_expects(drawn):
    counts, spec, _ = drawn("ar_90", effect=1.0, control=True)
    half = (counts["count"] // 2).clip(lower=0)
    total = counts.assign(count=2 * half)
    segments = pd.concat(
        counts[["bucket_start_at"]].assign(segment=name, count=half) for name in ("a", "b")
    )
    result = sizing(total, spec, segments=segments)
    # The total follows its control; the segments have none and take it from the total.
    assert next(c for c in result.checks if c.name == "control_usable").verdict == "pass"
    a, b = result.segments["expected"]
    assert a == pytest.approx(b, rel=1e-9)


def test_a_segment_that_appears_with_the_incident_is_named(drawn):
    counts, spec, _ = drawn("poisson", effect=0.0)
    inside = (counts["bucket_start_at"] >= pd.Timestamp(spec.incident.start)) & (
        counts["bucket_start_at"] < pd.Timestamp(spec.incident.end)
    )
    fresh = np.where(inside, 20.0, 0.0)
    parts = {"old": counts["count"], "fresh": fresh}
    segments = pd.concat(
        [counts[["bucket_start_at"]].assign(segment=k, count=v) for k, v in parts.items()]
    )
    total = counts.assign(count=counts["count"] + fresh)
    table = sizing(total, spec, segments=segments).segments.set_index("segment")
    assert table.loc["fresh", "moved"] == "up"
    assert table.loc["fresh", "low"] <= 720 <= table.loc["fresh", "high"]
    assert table.loc["old", "moved"] == "no clear move"
