"""How far a back-test of alerts can be trusted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pandas as pd

from trustlib.core import Check, format
from trustlib.postmortem.alert_rules import Watch
from trustlib.postmortem.spec import PostmortemSpec
from trustlib.postmortem.trade_off import Choice, Played, held_out

WORDS = {
    "threshold": "fixed threshold",
    "rate_of_change": "ratio to earlier weeks",
    "cusum": "CUSUM",
    "poisson": "Poisson threshold",
}
BUCKETS = {"30min": "half an hour", "1h": "an hour", "1d": "a day"}
_BUCKETS_A_WEEK = {"30min": 336, "1h": 168, "1d": 7}
ENOUGH_WEEKS = 5


@dataclass(frozen=True, kw_only=True)
class Again:
    """How the recommendation fares when weeks are drawn anew."""

    same_kind: float
    none: float
    words: str


def history(
    kinds: Sequence[Played], seen: Watch, *, start: pd.Timestamp, end: pd.Timestamp
) -> Check:
    """Enough weeks, and no blind buckets during the incident."""
    name = "alerts_history"
    weeks = float(kinds[0].watched.sum())
    during = np.asarray((seen.grid.start_at >= start) & (seen.grid.start_at < end))
    share = 1.0 - float(np.isfinite(seen.reference[during]).mean()) if during.any() else 0.0
    quiet = seen.quiet & np.isfinite(seen.count)
    without = 1.0 - float(np.isfinite(seen.reference[quiet]).mean()) if quiet.any() else 1.0
    text = (
        f"Rules are judged on {weeks:.1f} quiet weeks; {format.percent(without)} of the quiet "
        "buckets have fewer than two of the four weeks before them, so that no rule is judged "
        "there. What rings during the incident is no false alarm; what begins after its end is."
    )
    if share > 0:
        text += (
            f" In {format.percent(share)} of the incident's buckets rules that compare with "
            "earlier weeks are blind."
        )
    if weeks < 1:
        return Check(
            name=name, verdict="warn", label="too little history for alerts",
            text=f"{text} No rate of false alarms is estimable.",
        )  # fmt: skip
    if weeks < ENOUGH_WEEKS:
        return Check(
            name=name, verdict="warn", label="little history for alerts",
            text=f"{text} So few weeks hardly tell one false alarm a week from three.",
        )  # fmt: skip
    if share > 0.2:
        return Check(name=name, verdict="warn", label="rules were blind", text=text)
    return Check(name=name, verdict="pass", label="alerts are judged on enough weeks", text=text)


def hindsight(kinds: Sequence[Played], *, limit: float) -> Check:
    """What a rule gives in weeks that did not choose it."""
    name = "alerts_hindsight"
    found = held_out(kinds, limit=limit)
    said = (
        "The recommended rule is chosen on the very history that judges it, and on this one "
        "incident: it flatters itself."
    )
    if found is None:
        return Check(
            name=name, verdict="not_run", label="chosen in hindsight",
            text=f"{said} There are too few weeks, or no rule good enough on the older half of "
            "them, to try it on weeks that it was not chosen on.",
        )  # fmt: skip
    before, after, weeks = found
    text = (
        f"{said} Chosen on the older half of the weeks alone, a rule with {before:.2f} false "
        f"alarms a week there gives {after:.2f} in the {weeks:.1f} newer weeks; {limit:g} can be "
        "borne."
    )
    if after > limit:
        return Check(name=name, verdict="warn", label="more false alarms than promised", text=text)
    return Check(name=name, verdict="pass", label="holds in weeks not chosen on", text=text)


def recommendation(
    kinds: Sequence[Played], choice: Choice | None, again: Again | None, *, limit: float,
    enough: bool,
) -> Check:  # fmt: skip
    """How firm the choice is."""
    name = "alerts_recommendation"
    if choice is None or again is None:
        why = (
            f"no setting of any rule fires during the incident with at most {limit:g} false "
            "alarms a week: what would have seen it cries wolf more often"
            if enough
            else "the history is too short"
        )
        return Check(
            name=name, verdict="warn" if enough else "not_run", label="no alert to recommend",
            text=f"No alert is recommended: {why}.",
        )  # fmt: skip
    share = format.percent(again.same_kind)
    text = f"With weeks drawn anew, a {again.words} is the choice in {share} of draws"
    if again.none > 0:
        text += f", and nothing is good enough in {format.percent(again.none)}"
    text += ". It is tuned on one incident: the next one may look different."
    if again.same_kind < 0.8:
        return Check(name=name, verdict="warn", label="the kind of alert is a toss-up", text=text)
    return Check(name=name, verdict="pass", label="the same kind of alert each time", text=text)


def poisson(frame: pd.DataFrame, *, bucket: str) -> Check:
    """What a Poisson threshold promises, and what it gives here.

    An interval that holds the promise is no proof that it is kept: the measured rate must not
    exceed it either.
    """
    name = "alerts_poisson"
    row = frame[frame["kind"] == "poisson"].iloc[0]
    promised = (1 - float(row["value"])) * _BUCKETS_A_WEEK[bucket]
    text = f"A Poisson .999 threshold promises at most {promised:.2g} false alarms a week"
    if not np.isfinite(row["false_alarms_per_week"]):
        return Check(
            name=name, verdict="not_run", label="Poisson threshold not judged",
            text=f"{text}; the history is too short to say what it gives.",
        )  # fmt: skip
    text += (
        f"; on this history it gives {row['false_alarms_per_week']:.2f} "
        f"({row['low']:.2f} to {row['high']:.2f})."
    )
    if row["low"] > promised:
        return Check(
            name=name, verdict="warn", label="Poisson thresholds cry wolf",
            text=f"{text} Four weeks give an uncertain mean, counts stray more than chance makes "
            "them, and hours that follow each other stray together.",
        )  # fmt: skip
    if row["false_alarms_per_week"] > promised:
        return Check(
            name=name, verdict="warn", label="Poisson threshold not shown to keep its promise",
            text=f"{text} The interval still holds what was promised, but what was measured is "
            f"{row['false_alarms_per_week'] / promised:.2g} times as much: it is not shown to "
            "keep its promise.",
        )  # fmt: skip
    return Check(name=name, verdict="pass", label="Poisson threshold keeps its promise", text=text)


def spared(
    frame: pd.DataFrame, *, response: timedelta | None, spec: PostmortemSpec, sized: bool
) -> Check:
    """What "spared" assumes."""
    name = "alerts_avoided"
    if not sized:
        return Check(
            name=name, verdict="not_run", label="nothing to spare",
            text="What an alarm would have spared is not estimable: no excess in the incident's "
            "direction is estimated.",
        )  # fmt: skip
    assumed = (
        f"the {format.duration(response)} from first signal to mitigation"
        if response is not None
        else "no time at all, since first signal and mitigation are not both stated"
    )
    text = (
        f"What an alarm would have spared assumes that responders act on it and take {assumed}; "
        "then the excess ends."
    )
    if frame["avoided"].gt(0).any() and frame["avoided_low"].isna().all():
        text += " It has no interval, because the sizing has none."
    if response is None:
        return Check(
            name=name, verdict="warn", label="response time unknown",
            text=f"{text} That is the most that an alarm can spare.",
        )  # fmt: skip
    return Check(name=name, verdict="pass", label="what an alarm spares", text=text)
