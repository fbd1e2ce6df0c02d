"""Affected against unaffected segments: difference-in-differences, in events and in per cent.

The arithmetic is `trustlib.postmortem.contrast`; here the counts are gathered and the result told.
A and U are the counts of the affected and of the unaffected segments over the incident's hours that
were counted, now and in earlier weeks. Excluded stretches are left out; odd days that nobody
announced are not, since how far the two stray from each other includes them. Windows longer than
a week are compared with blocks of as many weeks as they need.
"""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from trustlib.core import Check, Estimate, format
from trustlib.incidents import SizingResult
from trustlib.incidents.counterfactual import past_windows
from trustlib.incidents.grid import Grid, grid
from trustlib.postmortem.affected_sets import sets
from trustlib.postmortem.contrast import WEEKS_FOR_DRIFT, Contrast, contrast
from trustlib.postmortem.factor import Factor, FactorVerdict, not_tested
from trustlib.postmortem.spec import PostmortemSpec

FloatArray = npt.NDArray[np.float64]

FACTOR = "the suspected cause, set against segments that it did not reach"
TEST = "difference-in-differences, affected against unaffected"
METHOD = "log ratio of affected to unaffected against the same hours of earlier weeks, t over weeks"
FEWEST_WEEKS = 4
_FEWEST_EVENTS = 11.0
_WEAK = (
    "It takes for granted that both would have gone on side by side, and that nothing else set "
    "them apart in these hours; this is one incident."
)


def against_unaffected(
    sizing: SizingResult, segments: pd.DataFrame | None, *, spec: PostmortemSpec
) -> tuple[Factor, Check]:
    """The difference-in-differences, and whether its earlier weeks stand still.

    Parameters
    ----------
    segments
        As `sizing` was given them: bucket_start_at, segment, count. Not changed.
    """
    why = _why_not(sizing, segments, spec)
    if why is not None or segments is None or sizing.segments is None:
        return _neither(why or "the counts have no segments")
    parts = sets(sizing.segments, spec.affected_segments)
    on = grid(_counted(sizing), sizing.spec)
    sides = _by_side(on, segments, affected=spec.affected_segments)
    now, past = _windows(on, sides)
    n = past.shape[1]
    if n < FEWEST_WEEKS:
        past_ones = f"earlier {_past(sizing)} with these hours"
        return _neither(f"{FEWEST_WEEKS} {past_ones} are needed, there are {n}")
    if min(past.mean(axis=1).min(), now[1]) < _FEWEST_EVENTS:
        return _neither("one side has fewer than 11 events in a window")
    found = contrast(
        _log_ratio(past),
        float(_log_ratio(now)),
        level=sizing.spec.level,
        extra_variance=max(0.0, float(_counting(now) - _counting(past).mean())),
    )
    # A segment without a row of its own is in these counts, and in no published row.
    tellable = parts.tellable and not parts.unknown
    return (
        _factor(found, actual=float(now[0]), sizing=sizing, tellable=tellable),
        _side_by_side(found),
    )


def _why_not(
    sizing: SizingResult, segments: pd.DataFrame | None, spec: PostmortemSpec
) -> str | None:
    if segments is None or sizing.segments is None:
        return "the counts have no segments"
    if not spec.affected_segments:
        return "affected_segments does not say which a cause reached"
    names = set(segments["segment"].astype(str))
    if not names & set(spec.affected_segments):
        return "none of affected_segments is among the counts' segments"
    if not names - set(spec.affected_segments):
        return "there is no unaffected segment"
    return None


def _neither(why: str) -> tuple[Factor, Check]:
    check = Check(
        name="side_by_side",
        verdict="not_run",
        label="affected beside unaffected",
        text=f"Not run: {why}.",
    )
    return not_tested(FACTOR, TEST, why), check


def _counted(sizing: SizingResult) -> pd.DataFrame:
    table = sizing.counterfactual
    return pd.DataFrame({"bucket_start_at": table["bucket_start_at"], "count": table["actual"]})


def _by_side(on: Grid, segments: pd.DataFrame, *, affected: tuple[str, ...]) -> FloatArray:
    """(2, n_buckets) counts of the affected and of the unaffected; 0 where there is no row."""
    inside = segments["segment"].astype(str).isin(affected)
    out = np.zeros((2, len(on.start_at)))
    for row, own in enumerate((segments[inside], segments[~inside])):
        summed = own.groupby("bucket_start_at")["count"].sum()
        summed.index = pd.DatetimeIndex(summed.index).tz_convert("UTC").as_unit("us")
        out[row] = summed.reindex(on.start_at).fillna(0.0).to_numpy(dtype=float)
    return out


def _windows(on: Grid, sides: FloatArray) -> tuple[FloatArray, FloatArray]:
    """(2,) of the incident's counted buckets, and (2, n_weeks) of earlier weeks, latest first.

    A past week that misses buckets is scaled up by their usual share of that side's window.
    """
    affected, unaffected = sides
    past = past_windows(on, counts=affected, expected=unaffected, fitted=on.fitted)
    both = np.stack([past.actual, past.expected])
    have = np.isfinite(both[0])
    if not len(have):
        return sides[:, on.present].sum(axis=1), np.zeros((2, 0))
    profile = np.nansum(both, axis=1) / np.maximum(have.sum(axis=0), 1)
    whole = profile.sum(axis=1)[:, None]
    seen = np.where(have[None], profile[:, None, :], 0.0).sum(axis=2)
    share = np.divide(seen, whole, out=np.ones_like(seen), where=(whole > 0) & (seen > 0))
    return sides[:, on.present].sum(axis=1), np.nansum(both, axis=2) / share


def _log_ratio(sides: FloatArray) -> FloatArray:
    return np.asarray(np.log((sides[0] + 0.5) / (sides[1] + 0.5)), dtype=np.float64)


def _counting(sides: FloatArray) -> FloatArray:
    """Variance of the log ratio from counting alone."""
    return np.asarray((1 / (sides + 0.5)).sum(axis=0), dtype=np.float64)


def _same_way(effect: float, sizing: SizingResult) -> bool:
    """Whether the effect goes the incident's way; true where that way is not known."""
    if sizing.spec.direction != "either":
        return (effect > 0) == (sizing.spec.direction == "increase")
    excess = sizing.estimates["excess"]
    if excess.low is None or excess.high is None or excess.low <= 0 <= excess.high:
        return True
    return effect * (excess.point or 0.0) > 0


def _factor(found: Contrast, *, actual: float, sizing: SizingResult, tellable: bool) -> Factor:
    n, level = len(found.earlier), sizing.spec.level
    clear = not found.low <= 0 <= found.high
    rare = found.rank_p <= max(1 - level, 1 / (1 + n)) + 1e-12
    same_way = _same_way(found.effect, sizing)
    verdict: FactorVerdict = "supported" if clear and rare and same_way else "not supported"
    share = [float(np.expm1(x)) for x in (found.effect, found.low, found.high)]
    effect = Estimate(
        point=share[0], low=share[1], high=share[2], level=level, unit="share", method=METHOD, n=n
    )
    past = _past(sizing)
    text = _reason(clear=clear, rare=rare, same_way=same_way, past=past)
    if tellable:
        text = f"{_told(found, share, actual, sizing)} {text}"
    text += f" {_placebos(found, past)} {_WEAK}"
    return Factor(
        factor=FACTOR, test=TEST, verdict=verdict, text=text, effect=effect, p_value=found.p_value
    )


def _past(sizing: SizingResult) -> str:
    """What an incident is compared with: a window of more than a week is not one of them."""
    return "windows" if sizing.spec.incident.duration > timedelta(days=7) else "weeks"


def _told(found: Contrast, share: list[float], actual: float, sizing: SizingResult) -> str:
    point, low, high = (format.percent(x, sign=True) for x in share)
    level = format.level(sizing.spec.level)
    events = [actual * -float(np.expm1(-x)) for x in (found.effect, found.low, found.high)]
    number, span = format.triple(*events, sign=True)
    return (
        f"Beside the unaffected segments, the affected ones are {point} off their usual ratio "
        f"({level} interval {low} to {high}), or {number} {sizing.spec.unit_label} ({span})."
    )


def _reason(*, clear: bool, rare: bool, same_way: bool, past: str) -> str:
    if clear and rare and same_way:
        return "That is more than they drifted apart before."
    if clear and not same_way:
        return "That is not the direction of the excess."
    return f"They drifted apart as far in earlier {past}, or nearly."


def _placebos(found: Contrast, past: str) -> str:
    n = len(found.earlier)
    beyond = round(found.rank_p * (1 + n)) - 1
    return (
        f"In {beyond or 'none'} of {n} earlier {past} were the two as far apart at the same hours "
        f"(the smallest chance that so few {past} can show is {format.percent(1 / (1 + n))})."
    )


def _side_by_side(found: Contrast) -> Check:
    name, label = "side_by_side", "affected beside unaffected"
    if found.drift_p is None:
        return Check(
            name=name,
            verdict="not_run",
            label=label,
            text=f"Not run: {len(found.earlier)} earlier weeks, {WEEKS_FOR_DRIFT} are needed to "
            "tell a drift.",
        )
    p = format.p_value(found.drift_p)
    if found.drift_p < 0.05:
        return Check(
            name=name,
            verdict="warn",
            label="segments drift apart",
            text=f"The ratio of affected to unaffected wandered from week to week ({p}): its "
            "earlier mean is a poor guide. The interval allows for that as far as the recent "
            "weeks can tell.",
        )
    return Check(
        name=name,
        verdict="pass",
        label="segments went side by side",
        text=f"The ratio of affected to unaffected shows no drift over {len(found.earlier)} "
        f"earlier weeks ({p}); so few weeks would show a strong one only.",
    )
