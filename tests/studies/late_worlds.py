"""Simulated arrivals that know their final count: what the nowcast is measured against.

Events happen at a steady rate over ten weeks (and go on after, as life does); `WINDOW` more happen
within the 28 hours of an incident. In hours, an event at e arrives at e + delay:

    steady      delay ~ Exp(36)
    few         the same, three events a day and 30 about the incident
    skewed      delay ~ 48 · exp(N(0, 1))
    long        delay ~ Gamma(2, 240): three weeks on average
    batches     Exp(36), but on days chosen at random (30 %) nothing is entered: it waits
    weekends    Exp(36), but what falls on a weekend is entered on the Monday
    cohorts     Exp(36 · f), f of the event's day ~ exp(N(0, .4))
    drift       Exp(24 + .6 · day): delays grow from 24 to 66 hours over the history
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd

from trustlib.core import Window
from trustlib.data.incident_records import STEP_HOURS

KINDS = ("steady", "few", "skewed", "long", "batches", "weekends", "cohorts", "drift")
WEEKS, WINDOW_HOURS, A_DAY, WINDOW = 10, 28.0, 40.0, 120
_EPOCH = datetime(2026, 1, 5, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True, eq=False)
class LateWorld:
    """One draw: hours since the epoch of events and arrivals, and which the incident had."""

    event: np.ndarray
    arrival: np.ndarray
    in_window: np.ndarray
    start: float

    @property
    def window(self) -> Window:
        start = _EPOCH + timedelta(hours=self.start)
        return Window(start, start + timedelta(hours=WINDOW_HOURS))

    @property
    def final(self) -> int:
        return int(self.in_window.sum())

    def withheld(self, share: float) -> float:
        """The hour at which this share of the window's arrivals is still to come."""
        own = np.quantile(self.arrival[self.in_window], 1 - share)
        return float(max(own, self.start + WINDOW_HOURS))

    def seen(self, until: float) -> tuple[pd.DataFrame, datetime]:
        """Arrivals up to hour `until` as the reading gives them, and that instant."""
        come = self.arrival <= until
        age = ((until - self.event[come]) // STEP_HOURS).astype(int)
        delay = ((self.arrival - self.event)[come] // STEP_HOURS).astype(int)
        frame = pd.DataFrame({"in_window": self.in_window[come], "age": age, "delay": delay})
        frame["delay"] = np.minimum(frame["delay"], frame["age"])
        rows = frame.groupby(list(frame)).size().rename("n").reset_index()
        return rows, _EPOCH + timedelta(hours=until)


def late_world(kind: str, *, seed: int, weeks: int = WEEKS, window: int | None = None) -> LateWorld:
    """One seeded draw; the incident is 10 to 17 days before the history's end (long: 20 to 27)."""
    rng = np.random.default_rng([seed, KINDS.index(kind)])
    hours = weeks * 168.0
    a_day, about = (3.0, 30) if kind == "few" else (A_DAY, WINDOW)
    about = about if window is None else window
    start = hours - (27 if kind == "long" else 17) * 24 + rng.uniform(0, 168)
    n = rng.poisson(a_day * 2 * hours / 24)
    inside = rng.uniform(start, start + WINDOW_HOURS, about)
    event = np.concatenate([rng.uniform(0, 2 * hours, n), inside])
    arrival = _entered(kind, event + _delay(kind, event, rng), rng)
    in_window = (event >= start) & (event < start + WINDOW_HOURS)
    return LateWorld(event=event, arrival=arrival, in_window=in_window, start=start)


def _delay(kind: str, event: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    n, day = len(event), (event // 24).astype(int)
    if kind == "skewed":
        return 48 * np.exp(rng.standard_normal(n))
    if kind == "long":
        return rng.gamma(2, 240, n)
    delay = rng.exponential(36, n)
    if kind == "cohorts":
        return delay * np.exp(0.4 * rng.standard_normal(day.max() + 1))[day]
    if kind == "drift":
        return delay / 36 * (24 + 0.6 * event / 24)
    return delay


def _entered(kind: str, arrival: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """When an arrival is entered: at once, or on the next day on which anybody does."""
    day = (arrival // 24).astype(int)
    if kind == "batches":
        shut = rng.random(day.max() + 60) < 0.3
    elif kind == "weekends":
        shut = np.arange(day.max() + 60) % 7 >= 5
    else:
        return arrival
    opens = np.arange(len(shut))
    for i in range(len(shut) - 2, -1, -1):
        opens[i] = opens[i + 1] if shut[i] else i
    waits = shut[day]
    return np.where(waits, opens[day] * 24 + rng.uniform(0, 24, len(day)), arrival)
