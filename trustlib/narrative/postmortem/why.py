"""What would have found it sooner, what may have contributed, and how severe it was."""

from __future__ import annotations

import re
from dataclasses import replace

import pandas as pd

from trustlib.core import View
from trustlib.core import format as show
from trustlib.harm.small_cells import SMALLEST_CELL
from trustlib.narrative import house
from trustlib.narrative.postmortem import numbers, words
from trustlib.narrative.postmortem.words import Point
from trustlib.postmortem.result import Postmortem

_MOST = 3  # rows of a kind told in bullets; the table has all
_AT_ONCE = 1 / 60  # hours
_OPENING = 45  # words told of a factor
_TUNED = (
    "The recommended setting was chosen on the very history that it is judged by: expect more "
    "false alarms than these."
)
_NO_CAUSE = (
    "A factor that the data support goes with the incident; that does not make it the cause."
)


def detection(result: Postmortem) -> View:
    """Whether an alert would have found it, and at what price in false alarms."""
    if result.reason("detection") is not None:
        return words.absent(
            result, "detection", "Whether an alert would have found it is not known"
        )
    points: list[Point] = []
    for status in ("existing", "proposed", "recommended"):
        rows = result.detection[result.detection["status"] == status]
        points += [
            _alert(result, row)
            for _, row in rows.head(1 if status == "recommended" else _MOST).iterrows()
        ]
    return words.section(gap(result), [*points, *_setting(result), *_weak(result)])


def gap(result: Postmortem) -> str:
    """What existing alerts did, and what the recommended one would have done."""
    frame = result.detection
    existing = frame[frame["status"] == "existing"]
    fired = existing["fired_at"].notna()
    if not len(existing):
        first = "No existing alert was given to replay"
    elif not fired.any():
        first = (
            "The existing alert would not have fired" if len(existing) == 1
            else f"None of {house.number_word(len(existing))} existing alerts would have fired"
        )  # fmt: skip
    else:
        found = existing[fired]
        row = found.iloc[int(found["fired_at"].to_numpy().argmin())]
        first = f"An existing alert fires {_after(result, row)}"
    best = frame[(frame["status"] == "recommended") & frame["fired_at"].notna()]
    if not len(best):
        return first
    return f"{first}; the recommended one would have, {_after(result, best.iloc[0])}" if (
        not fired.any() and len(existing)
    ) else f"{first}; the recommended one fires {_after(result, best.iloc[0])}"  # fmt: skip


def _after(result: Postmortem, row: pd.Series) -> str:
    """``3 hours after the start``; in a replay that is known to the bucket."""
    delay = numbers.number(row["delay_hours"])
    if delay is None:
        return "at a time that is not known"
    start = "start of impact" if words.no_impact(result) is None else "stated start"
    if abs(delay) < _AT_ONCE:
        return f"at the {start} (replay)"
    side = "before" if delay < 0 else "after"
    return f"{numbers.length(abs(delay))} {side} the {start} (replay)"


def _alert(result: Postmortem, row: pd.Series) -> Point:
    name = words.name(row["alert"], 40)
    fired = "would not have fired" if pd.isna(row["fired_at"]) else f"fires {_after(result, row)}"
    status = house.upper_first(str(row["status"]))
    lead = "It" if name == status else f"“{name}”"
    return status, f"{lead} {fired}; {_false_alarms(result, row)}."


def _false_alarms(result: Postmortem, row: pd.Series) -> str:
    rate = numbers.row_told(
        row.rename({"false_alarms_per_week": "point"}), "", level=result.spec.sizing.level,
        unit=numbers.PLAIN,
    )  # fmt: skip
    return "its false alarms are not known" if rate is None else f"false alarms a week: {rate}"


def _setting(result: Postmortem) -> list[Point]:
    points: list[Point] = []
    value = result.estimates.get("recommended_alert_value")
    if value is not None and value.point is not None:
        told = numbers.told(replace(value, unit=numbers.PLAIN), value.unit)
        more = "" if value.low is not None else "; the same with every redraw of the weeks"
        points.append(
            ("Recommended setting",
             f"{house.upper_first(told.removesuffix(' (no interval)'))}{more}.")
        )  # fmt: skip
    best = result.detection[result.detection["status"] == "recommended"]
    if len(best) and words.no_impact(result) is None:
        found = _avoided(result, best.iloc[0])
        if found is not None:
            points.append(("Harm avoided", found))
    return points


def _avoided(result: Postmortem, row: pd.Series) -> str | None:
    ends = [numbers.number(row[name]) for name in ("avoided", "avoided_low", "avoided_high")]
    if ends[0] is None:
        return None
    verb = "restored" if result.spec.sizing.direction == "decrease" else "spared"
    if ends[0] == 0 and (ends[1] is None or ends[1] == ends[2] == 0):
        return (
            f"The recommended alert would have {verb} nothing if responders had taken as long as "
            "they did."
        )
    sign = -1 if ends[0] < 0 else 1
    point, low, high = (None if end is None else sign * end for end in ends)
    if low is not None and high is not None:
        low, high = min(low, high), max(low, high)
    made = pd.Series({"point": point, "low": low, "high": high}, dtype=float)
    told = numbers.row_told(
        made, words.unit(result), level=result.spec.sizing.level, unit=numbers.PLAIN
    )
    return f"The recommended alert would have {verb} {told}, had the response been as fast."


def _weak(result: Postmortem) -> list[Point]:
    points: list[Point] = []
    if (result.detection["status"] == "recommended").any():
        points.append(("Tuned on its own history", _TUNED))
    weeks = result.detection["weeks"].dropna()
    if len(weeks):
        told = house.upper_first(words.counted_in_words(round(float(weeks.max())), "week"))
        rough = "hours hang together, so a rate from few weeks is rough"
        points.append(("Replayed on", f"{told} of counts; {rough}."))
    return points


def factors(result: Postmortem) -> View:
    """Which possible causes the data support; none is proven by that."""
    if result.reason("factors") is not None:
        return words.absent(result, "factors", "No possible cause could be tested")
    points: list[Point] = []
    for verdict in ("supported", "not supported", "not tested"):
        rows = result.factors[result.factors["verdict"] == verdict]
        points += [_factor(row, verdict) for _, row in rows.head(_MOST).iterrows()]
    return words.section(supported(result), [*points, ("Mind", _NO_CAUSE)])


def supported(result: Postmortem) -> str:
    """``the data support two of three tested factors, and prove none``."""
    frame = result.factors
    n = int((frame["verdict"] != "not tested").sum())
    some = int((frame["verdict"] == "supported").sum())
    if not n:
        return "no possible cause could be tested"
    factor = "factor" if n == 1 else "factors"
    if not some:
        return f"the data support none of {house.number_word(n)} tested {factor}"
    if n == 1:
        return "the data support the only tested factor, and do not prove it"
    part = f"{house.number_word(some)} of {house.number_word(n)}" if some < n else (
        f"all {house.number_word(n)}"
    )  # fmt: skip
    return f"the data support {part} tested {factor}, and prove none"


def _factor(row: pd.Series, verdict: str) -> Point:
    name = house.upper_first(words.name(row["factor"], 90))
    text = _opening(words.name(row["text"], 600).removeprefix("Not tested: "))
    return name, words.stop(f"{house.upper_first(verdict)}. {house.upper_first(text)}")


def _opening(text: str) -> str:
    """The first sentences of a longer text, which the table below has in full."""
    parts = re.split(r"(?<=[.!?])\s+(?=[A-Z0-9“])", text)
    kept = parts[:1]
    if len(parts) > 1 and len(f"{parts[0]} {parts[1]}".split()) <= _OPENING:
        kept = parts[:2]
    return " ".join(kept)


def severity(result: Postmortem) -> View:
    """How severe, by the rules; while open, by the upper end of each interval."""
    if result.reason("severity") is not None:
        return words.absent(result, "severity", "No severity is given")
    points = [_rule(row) for _, row in result.severity.head(2 * _MOST).iterrows()]
    return words.section(how_severe(result), [*_basis(result), *points, *_undecided(result)])


def how_severe(result: Postmortem) -> str:
    """``severity could be as high as SEV2 while the incident is open``; closed, ``is``."""
    if result.severity_level is None:
        if not len(result.spec.severity_rules):
            return "no severity rule is given"
        return "no severity rule is met" if not undecided(result) else (
            "no severity rule is known to be met"
        )  # fmt: skip
    named = words.name(result.severity_level, 24)
    higher = undecided(result)
    more = f"; {house.listed(higher)} cannot be ruled out" if higher else ""
    if words.is_open(result):
        return f"severity could be as high as {named} while the incident is open{more}"
    return f"severity is {named}{more}"


def undecided(result: Postmortem) -> list[str]:
    """Severities above the one given whose rules could be held against nothing."""
    names: list[str] = []
    for _, row in result.severity.iterrows():
        if row["met"] is not None and not pd.isna(row["met"]) and bool(row["met"]):
            break
        if row["met"] is None or pd.isna(row["met"]):
            names.append(words.name(row["severity"], 24))
    return list(dict.fromkeys(names))


def _basis(result: Postmortem) -> list[Point]:
    if words.is_open(result):
        return [("Basis", "While open, the upper end of each interval counts; once closed, the "
                 "point.")]  # fmt: skip
    return [("Basis", "The record is closed, so each estimate's point counts.")]


def _rule(row: pd.Series) -> Point:
    named, value = words.name(row["severity"], 24), numbers.number(row["value"])
    what = house.upper_first(words.measure(str(row["measure"])).removeprefix("the "))
    least = _value(str(row["measure"]), numbers.number(row["at_least"]) or 0.0)
    asks = f"the rule asks for {least} or more"
    if value is None:
        return named, f"Not decided. {what}: not estimable; {asks}."
    basis = "upper end of the interval" if row["basis"] == "upper end" else "point of the estimate"
    lead = "Met" if bool(row["met"]) else "Not met"
    told = _value(str(row["measure"]), value, data=True)
    return named, f"{lead}. {what}: {told} ({basis}); {asks}."


def _value(measure: str, value: float, *, data: bool = False) -> str:
    """A measure's number in its unit; what counts people is withheld where small."""
    if measure.endswith("_usd"):
        return show.usd(value)
    if measure.endswith("_hours"):
        return numbers.length(value)
    if measure.endswith(("_precision", "_recall", "relative_excess")):
        return numbers.percent(value)
    if measure == "placebo_p_value":
        return show.probability(value)
    people = measure.startswith(("affected_", "false_"))
    if data and people and 0 < value < SMALLEST_CELL:
        return numbers.FEWER
    return show.count(value)


def _undecided(result: Postmortem) -> list[Point]:
    open_ = undecided(result)
    if not open_:
        return []
    return [("Not ruled out", f"{house.listed(open_)}: what its rules look at is not estimable.")]
