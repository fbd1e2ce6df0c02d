"""The detection gap: when alerts would have fired, how often for nothing, what that had spared.

Every rule sees only the past (`trustlib.postmortem.alert_rules`). A false alarm is one that begins
outside the incident and what is excluded. Its rate has two intervals, the exact Poisson one
(Garwood 1936) and one from whole weeks drawn anew; hours depend on each other, so the wider of the
two is shown. What an alarm would have spared is the excess from its time (and the time that
responders took) to the end of the window.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd

from trustlib.core import Check, Estimate, format
from trustlib.incidents import SizingResult
from trustlib.postmortem import alert_checks as check
from trustlib.postmortem.alert_rules import KINDS, FloatArray, Watch, watch
from trustlib.postmortem.spec import PostmortemSpec
from trustlib.postmortem.trade_off import (
    Choice,
    Played,
    chosen,
    ends_at,
    played,
    redrawn,
    resampled_weeks,
    settings,
    trade_off_frame,
)

POISSON, POISSON_SHARE = "Poisson .999", 0.999
RECOMMENDED = "Recommended"
_LEAST_WEEKS = 1.0  # watched; under it a rate a week is no rate
_COLUMNS: dict[str, Any] = {
    "alert": "str", "status": "str", "kind": "str", "value": float,
    "fired_at": "datetime64[us, UTC]", "delay_hours": float, "alarms": "int64", "weeks": float,
    "false_alarms_per_week": float, "low": float, "high": float, "avoided": float,
    "avoided_low": float, "avoided_high": float,
}  # fmt: skip


@dataclass(frozen=True, kw_only=True, eq=False)
class Detection:
    """What alerts would have done.

    Attributes
    ----------
    frame
        As in `Postmortem.detection`: the alerts of the spec in their order, the Poisson .999
        threshold (kind "poisson", value .999), and the recommended one where there is one.
    trade_off
        kind, value, false_alarms_per_week, delay_hours (NaN: never fires).
    estimates
        recommended_alert_value.
    checks
        How far to trust all this.
    """

    frame: pd.DataFrame
    trade_off: pd.DataFrame
    estimates: dict[str, Estimate]
    checks: tuple[Check, ...]


def back_test(counts: pd.DataFrame, sizing: SizingResult, *, spec: PostmortemSpec) -> Detection:
    """Play existing, proposed and possible alerts over the record.

    Parameters
    ----------
    counts
        bucket_start_at (aware), count (NaN = missing); the grid that was sized. Not changed.
    sizing
        Its onset dates the start of impact (else the stated start does); its counterfactual says
        what an alarm would have spared.

    Raises
    ------
    Refusal, NoData
        As `trustlib.incidents.grid.grid` does.
    """
    incident = spec.sizing.incident
    start = _impact_start(sizing)
    sign = _sign(sizing, spec)
    seen = watch(counts, spec.sizing, impact_start=start, sign=sign)
    weeks = np.unique(seen.week[seen.judged("threshold")])
    if not len(weeks):
        weeks = np.unique(seen.week)[-1:]
    kinds = [
        played(kind, settings(kind, seen), seen, impact_start=start, weeks=weeks) for kind in KINDS
    ]
    weight = resampled_weeks(len(weeks), seed=spec.sizing.seed)
    limit = spec.false_alarms_per_week
    enough = float(kinds[0].watched.sum()) >= _LEAST_WEEKS
    choice = chosen(kinds, limit=limit) if enough else None

    def play(kind: str, value: float) -> Played:
        return played(kind, np.array([value]), seen, impact_start=start, weeks=weeks)

    listed: list[tuple[str, str, str, Played]] = [
        (alert.name, alert.status, alert.kind, play(alert.kind, alert.value))
        for alert in spec.alerts
    ]
    plain = play("poisson", POISSON_SHARE)
    listed.append((POISSON, "proposed", "poisson", plain))
    if choice is not None:
        kind = kinds[choice.kind].kind
        value = float(kinds[choice.kind].values[choice.setting])
        listed.append((RECOMMENDED, "recommended", kind, play(kind, value)))
    response = response_time(spec)
    rows = [
        {
            "alert": name, "status": status, "kind": kind, "value": float(one.values[0]),
            **_fired(one, seen, start),
            **_rate(one, weight, level=spec.sizing.level),
            **_avoided(one, seen, sizing, sign=sign, response=response, spec=spec),
        }
        for name, status, kind, one in listed
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=list(_COLUMNS))
    frame["fired_at"] = pd.to_datetime(frame["fired_at"], utc=True)  # all may be NaT
    frame = frame.astype(_COLUMNS)
    recommended, again = _recommended(kinds, choice, weight, enough=enough, spec=spec)
    return Detection(
        frame=frame,
        trade_off=trade_off_frame(kinds),
        estimates={"recommended_alert_value": recommended},
        checks=(
            check.history(kinds, seen, start=start, end=pd.Timestamp(incident.end)),
            check.hindsight(kinds, limit=limit),
            check.recommendation(kinds, choice, again, limit=limit, enough=enough),
            check.poisson(frame, bucket=spec.sizing.bucket),
            check.spared(frame, response=response, spec=spec, sized=_excess(sizing, sign) > 0),
        ),
    )


def response_time(spec: PostmortemSpec) -> timedelta | None:
    """From first signal to mitigation; None where they are not both stated."""
    first, last = spec.stamps.first_signal_at, spec.stamps.mitigated_at
    return None if first is None or last is None else last - first


def _impact_start(sizing: SizingResult) -> pd.Timestamp:
    """Estimated, else stated."""
    found = sizing.onset["estimated_at"].iloc[0] if len(sizing.onset) else pd.NaT
    return pd.Timestamp(sizing.spec.incident.start if pd.isna(found) else found).tz_convert("UTC")


def _sign(sizing: SizingResult, spec: PostmortemSpec) -> int:
    stated = {"increase": 1, "decrease": -1}.get(spec.sizing.direction)
    if stated is not None:
        return stated
    excess = sizing.estimates["excess"].point
    return -1 if excess is not None and excess < 0 else 1


def _excess(sizing: SizingResult, sign: int) -> float:
    point = sizing.estimates["excess"].point
    return 0.0 if point is None else sign * point


def _fired(one: Played, seen: Watch, start: pd.Timestamp) -> dict[str, object]:
    at = int(one.fired[0])
    return {
        "fired_at": pd.NaT if at < 0 else ends_at(seen, at),
        "delay_hours": float(one.delay_hours[0]),
    }


def _rate(one: Played, weight: FloatArray, *, level: float) -> dict[str, float]:
    """Alarms, weeks and their ratio, with the wider of two intervals."""
    false, weeks = one.false_alarms[0], float(one.watched.sum())
    n = float(false.sum())
    if weeks < _LEAST_WEEKS:
        nan = float("nan")
        return {"alarms": n, "weeks": weeks, "false_alarms_per_week": nan, "low": nan, "high": nan}
    low, high = poisson_interval(n, weeks, level=level)
    again = one.rates(weight)[0]
    again = again[np.isfinite(again)]
    if len(again):
        tail = (1 - level) / 2
        ends = np.quantile(again, [tail, 1 - tail])
        if ends[1] - ends[0] > high - low:
            low, high = min(float(ends[0]), n / weeks), max(float(ends[1]), n / weeks)
    return {
        "alarms": n, "weeks": weeks, "false_alarms_per_week": n / weeks, "low": low, "high": high,
    }  # fmt: skip


def poisson_interval(n: float, weeks: float, *, level: float) -> tuple[float, float]:
    """Exact interval of a rate from `n` events in `weeks` (Garwood 1936)."""
    from scipy.stats import chi2

    tail = (1 - level) / 2
    low = float(chi2.ppf(tail, 2 * n)) / 2 if n else 0.0
    return low / weeks, float(chi2.ppf(1 - tail, 2 * n + 2)) / 2 / weeks


def _avoided(
    one: Played,
    seen: Watch,
    sizing: SizingResult,
    *,
    sign: int,
    response: timedelta | None,
    spec: PostmortemSpec,
) -> dict[str, float]:
    nan = float("nan")
    made = (nan, nan, nan)
    mitigated = spec.stamps.mitigated_at
    if _excess(sizing, sign) > 0:
        made = (0.0, 0.0, 0.0)
        if one.fired[0] >= 0:
            acted = ends_at(seen, int(one.fired[0])) + (response or timedelta(0))
            # An alarm that comes after the harm was ended in fact would not have ended it.
            if mitigated is None or acted < mitigated:
                made = spared(sizing, acted=acted, sign=sign)
    return dict(zip(("avoided", "avoided_low", "avoided_high"), made, strict=True))


def spared(sizing: SizingResult, *, acted: pd.Timestamp, sign: int) -> tuple[float, float, float]:
    """The excess of the window's buckets that begin at or after `acted`, and its interval.

    Never more than the whole excess. The error is that of a window of as many buckets as are left
    (`SizingResult.counterfactual`'s cumulative columns), larger where more was expected in them.
    Ends are NaN where the sizing has no interval.
    """
    table = sizing.counterfactual[sizing.counterfactual["in_window"]]
    running = sign * table["cumulative_excess"].to_numpy()
    counted = np.isfinite(table["actual"].to_numpy())
    expected = np.where(counted, table["expected"].to_numpy(), 0.0)
    left = np.asarray(table["bucket_start_at"] >= acted)
    n = int(left.sum())
    if not n:
        return 0.0, 0.0, 0.0
    before = float(running[~left][-1]) if n < len(left) else 0.0
    total = max(0.0, float(running[-1]))
    point = float(np.clip(running[-1] - before, 0.0, total))
    margin = abs(
        float(table["cumulative_excess"].iloc[n - 1] - table["cumulative_low"].iloc[n - 1])
    )
    made = sizing.estimates["excess"]
    if not np.isfinite(margin) or made.low is None or made.high is None:
        return point, float("nan"), float("nan")
    size, like = float(expected[left].sum()), float(expected[:n].sum())
    scale = size / like if like > 0 else 1.0
    margin *= max(scale, np.sqrt(scale))
    most = made.high if sign > 0 else -made.low
    return point, max(0.0, point - margin), max(point, min(point + margin, most))


def _recommended(
    kinds: list[Played],
    choice: Choice | None,
    weight: FloatArray,
    *,
    enough: bool,
    spec: PostmortemSpec,
) -> tuple[Estimate, check.Again | None]:
    limit, level = spec.false_alarms_per_week, spec.sizing.level
    method = (
        f"soonest of {sum(len(one.values) for one in kinds)} settings with at most {limit:g} false "
        "alarms a week; interval from weeks drawn anew"
    )
    n = int(np.sum(kinds[0].watched > 0))
    if choice is None:
        why = (
            f"no setting fires during the incident with at most {limit:g} false alarms a week"
            if enough
            else "less than a week of history in which rules could see"
        )
        none = Estimate(
            point=None, low=None, high=None, level=level, unit="setting", method=method, n=n,
            note=f"not estimable: {why}",
        )  # fmt: skip
        return none, None
    one = kinds[choice.kind]
    value = float(one.values[choice.setting])
    again = redrawn(kinds, choice, limit=limit, weight=weight)
    tail = (1 - level) / 2
    low = float(np.quantile(again.values, tail, method="lower")) if len(again.values) else value
    high = (
        float(np.quantile(again.values, 1 - tail, method="higher")) if len(again.values) else value
    )
    units = {
        "threshold": f"{spec.sizing.unit_label} in {check.BUCKETS[spec.sizing.bucket]}",
        "rate_of_change": "times the mean of the weeks before",
        "cusum": "standard deviations",
    }
    words = check.WORDS[one.kind]
    note = (
        f"of a {words}, which is the choice in {format.percent(again.same_kind)} of histories "
        "whose weeks are drawn anew"
    )
    made = Estimate(
        point=value, low=min(low, value), high=max(high, value), level=level,
        unit=units[one.kind], method=method, n=n, note=note,
    )  # fmt: skip
    if made.low == made.high:  # no width is not exactness: the grid of settings is coarse
        made = replace(made, low=None, high=None, note=f"{note}: each time with this setting")
    return made, check.Again(same_kind=again.same_kind, none=again.none, words=words)
