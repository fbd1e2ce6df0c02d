"""Whether the delays of the past may be trusted for what is still to come."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from trustlib.core import Check, format
from trustlib.core.text import short
from trustlib.data.incident_records import STEP_HOURS
from trustlib.postmortem.delays import STEPS_A_DAY, Delays
from trustlib.postmortem.nowcast import FINAL, Nowcast, excess_variance

_FEWEST_DAYS, _FEWEST_ARRIVALS = 5, 20
# Two standard errors of a mean per day, and a change that a reader would call one.
_SURELY, _MUCH = 2.6, 0.1
_MOST_IN_TAIL = 0.01
_WIDTH = 24  # of a kind's name in a sentence

Kinds = Mapping[str, tuple[pd.DataFrame, Nowcast]]


def delay_checks(kinds: Kinds, *, ages: range, still_open: bool) -> tuple[Check, ...]:
    """One check per assumption, over all kinds.

    Parameters
    ----------
    kinds
        Kind -> its arrivals (in_window, age, delay, n) and its nowcast.
    still_open
        The window ends after the last row.
    """
    return (
        _history(kinds, still_open=still_open),
        _drift(kinds),
        _own_delays(kinds),
        _tail(kinds, ages=ages),
        _stretches(kinds, ages=ages),
    )


def _history(kinds: Kinds, *, still_open: bool) -> Check:
    name = "maturity_history"
    without = [f"{short(kind, _WIDTH)}: {one.why}" for kind, (_, one) in kinds.items() if one.why]
    more = (
        " The window is not over: the final counts are those of its part up to the last row."
        if still_open
        else ""
    )
    if len(without) == len(kinds):
        return Check(
            name=name, verdict="warn", label="final counts unknown",
            text=f"No final count is estimable ({'; '.join(without)}).{more}",
        )  # fmt: skip
    if without or still_open:
        told = f"Some final counts are not estimable ({'; '.join(without)})." if without else ""
        return Check(
            name=name, verdict="warn", label="some final counts unknown" if without else
            "window still open", text=f"{told}{more}".strip(),
        )  # fmt: skip
    return Check(
        name=name, verdict="pass", label="delays known",
        text=f"The delays of {format.plural(len(kinds), 'kind')} of arrivals are learnt from "
        "events of other times.",
    )  # fmt: skip


def delay_drift(history: pd.DataFrame, learnt: Delays) -> tuple[float, float, float] | None:
    """Mean delay in steps of older and newer events, and t of their difference; None: too few.

    Only delays of up to H steps count, of events older than that: they are fully observed on both
    sides. H is the 90 % quantile of delays, or the median where events are younger than that.
    The error is that of sums per day of the event, since arrivals of a day come together.
    """
    for share in (0.9, 0.5):
        far = int(min(learnt.quantile(share), learnt.reach))
        if (found := _two_halves(history, far)) is not None:
            return found
    return None


def _two_halves(history: pd.DataFrame, far: int) -> tuple[float, float, float] | None:
    whole = history[(history["age"] > far) & (history["delay"] <= far)]
    n = whole["n"].to_numpy(dtype=float)
    days, day = np.unique(whole["age"].to_numpy(dtype=int) // STEPS_A_DAY, return_inverse=True)
    if len(days) < 2 * _FEWEST_DAYS:
        return None
    count = np.bincount(day, n)
    steps = np.bincount(day, n * (whole["delay"].to_numpy(dtype=float) + 0.5))
    newer = np.cumsum(count) <= count.sum() / 2
    means, variance = [], 0.0
    for half in (~newer, newer):
        size, k = float(count[half].sum()), int(half.sum())
        if size < _FEWEST_ARRIVALS or k < _FEWEST_DAYS:
            return None
        mean = float(steps[half].sum()) / size
        means.append(mean)
        strays = float(np.sum((steps[half] - mean * count[half]) ** 2))
        variance += strays * k / (k - 1) / size**2
    moved = means[1] - means[0]
    if variance <= 0:  # days that are all alike: any difference is sure
        return means[0], means[1], float(np.sign(moved) * np.inf) if moved else 0.0
    return means[0], means[1], float(moved / np.sqrt(variance))


def _drift(kinds: Kinds) -> Check:
    name = "delay_drift"
    moved, steady = [], 0
    for kind, (arrivals, one) in kinds.items():
        if one.learnt is None:
            continue
        found = delay_drift(arrivals[~arrivals["in_window"]], one.learnt)
        if found is None:
            continue
        older, newer, t = found
        if abs(t) >= _SURELY and abs(newer - older) >= _MUCH * older:
            way = "longer" if newer > older else "shorter"
            moved.append(
                f"{short(kind, _WIDTH)} took {_hours(older)} on average, then {_hours(newer)} "
                f"({way})"
            )
        else:
            steady += 1
    if moved:
        return Check(
            name=name, verdict="warn", label="delays have changed",
            text=f"Delays have changed over the history: {'; '.join(moved)}. The final count rests "
            "on the delays of all times: with longer ones it will be higher than its estimate.",
        )  # fmt: skip
    if not steady:
        return Check(
            name=name, verdict="not_run", label="delays not compared",
            text="Too few days of fully observed delays to tell older from newer ones.",
        )  # fmt: skip
    return Check(
        name=name, verdict="pass", label="delays are steady",
        text="Delays of older and of newer events do not differ by more than 10 % beyond chance.",
    )  # fmt: skip


def own_delays(own: pd.DataFrame, learnt: Delays) -> float | None:
    """z of the window's own delays against those learnt, as far as its events are old.

    An event of age a shows a delay below a; with F the mean of such delays and their spread are
    known. None with fewer than 20 arrivals.
    """
    whole = own[(own["delay"] < own["age"]) & (own["age"] <= learnt.reach)]
    n = whole["n"].to_numpy(dtype=float)
    if n.sum() < _FEWEST_ARRIVALS:
        return None
    mass = np.diff(learnt.share[0], prepend=0.0)
    steps = np.arange(learnt.reach) + 0.5
    sums = np.stack([np.cumsum(mass * steps**power) for power in (0, 1, 2)])
    at = whole["age"].to_numpy(dtype=int) - 1
    seen, first, second = sums[:, at]
    possible = seen > 0
    mean = np.divide(first, seen, out=np.zeros_like(first), where=possible)
    square = np.divide(second, seen, out=np.zeros_like(second), where=possible)
    n = np.where(possible, n, 0.0)
    error = float(np.sum(n * (whole["delay"].to_numpy(dtype=float) + 0.5 - mean)))
    variance = float(np.sum(n * np.maximum(square - mean**2, 0.0)))
    return error / np.sqrt(variance) if variance > 0 else None


def _own_delays(kinds: Kinds) -> Check:
    name = "window_delays"
    odd, alike = [], 0
    for kind, (arrivals, one) in kinds.items():
        if one.learnt is None:
            continue
        z = own_delays(arrivals[arrivals["in_window"]], one.learnt)
        if z is None:
            continue
        if abs(z) >= 3:
            odd.append(f"{short(kind, _WIDTH)} came {'later' if z > 0 else 'sooner'}")
        else:
            alike += 1
    if odd:
        return Check(
            name=name, verdict="warn", label="the window's delays differ",
            text=f"What has come about the window did not come as fast as usual: "
            f"{'; '.join(odd)} than such arrivals do. The final count takes the usual delays: "
            "where they come sooner it is too high, where later too low.",
        )  # fmt: skip
    if not alike:
        return Check(
            name=name, verdict="not_run", label="the window's delays not compared",
            text="Too few arrivals about the window to compare their delays with the usual ones.",
        )  # fmt: skip
    return Check(
        name=name, verdict="pass", label="the window's delays are usual",
        text="As far as they are seen, the window's delays are those of other times.",
    )  # fmt: skip


def _tail(kinds: Kinds, *, ages: range) -> Check:
    name = "delay_tail"
    long = []
    for kind, (_, one) in kinds.items():
        learnt = one.learnt
        if learnt is None:
            continue
        beyond = float(learnt.beyond[0])
        if beyond > _MOST_IN_TAIL:
            long.append(
                f"{format.percent(beyond)} of {short(kind, _WIDTH)} beyond {_hours(learnt.reach)}"
            )
    if long:
        return Check(
            name=name, verdict="warn", label="delays longer than the history shows",
            text=f"Some arrivals take longer than the history can show. Their share is a guess, "
            f"from how the longest delays seen fall off: {'; '.join(long)}.",
        )  # fmt: skip
    if all(one.learnt is None for _, one in kinds.values()):
        return Check(
            name=name, verdict="not_run", label="longest delays unknown",
            text="No delays could be learnt, so that nothing is known of the longest ones.",
        )  # fmt: skip
    return Check(
        name=name, verdict="pass", label="delays end within the history",
        text=f"The history is long enough to see at least {format.percent(FINAL)} of all delays; "
        "an arrival that takes longer than any seen so far is allowed for at the upper end.",
    )  # fmt: skip


def _stretches(kinds: Kinds, *, ages: range) -> Check:
    name = "nowcast_errors"
    found = {}
    for kind, (arrivals, one) in kinds.items():
        if one.final is not None and one.learnt is not None and len(ages):
            found[kind] = excess_variance(arrivals[~arrivals["in_window"]], one.learnt, ages)[1]
    few = [short(kind, _WIDTH) for kind, windows in found.items() if windows < 3]
    if few:
        return Check(
            name=name, verdict="warn", label="interval rests on few stretches",
            text="Fewer than three earlier stretches of the window's length show how far such a "
            f"forecast strays, for {', '.join(few)}: the interval may be too narrow.",
        )  # fmt: skip
    if not found:
        return Check(
            name=name, verdict="not_run", label="no nowcast to test",
            text="No final count was estimated, so that none could be tested on earlier times.",
        )  # fmt: skip
    return Check(
        name=name, verdict="pass", label="tested on earlier stretches",
        text="The same forecast was made for earlier stretches of the window's length; the "
        "interval is as wide as its errors there.",
    )  # fmt: skip


def _hours(steps: float) -> str:
    hours = steps * STEP_HOURS
    if hours >= 72:
        return format.plural(round(hours / 24), "day")
    return format.plural(round(hours), "hour")
