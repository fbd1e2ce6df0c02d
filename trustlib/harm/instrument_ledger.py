"""Did the harm move, or the instrument: a ledger of changes laid over a prevalence series.

A new policy, model version, way of sampling or of logging moves what is measured without anything
having happened outside. Each move of the series (`trustlib.harm.moves`) is held against the ledger:
where a change of the instrument falls into the move's interval, the two cannot be told apart, and
the move is not attributable, whatever its size. The trend is split at every change.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import pandas as pd

from trustlib.core import Check
from trustlib.core.format import day, percent, plural
from trustlib.core.format import level as told
from trustlib.core.text import short
from trustlib.harm.moves import moves
from trustlib.harm.series import PrevalenceSeries
from trustlib.harm.trend import Trend, trend
from trustlib.stats.multiplicity import holm

WHAT = ("policy", "model", "sampling", "labelling", "logging", "enforcement", "other")


@dataclass(frozen=True, kw_only=True)
class InstrumentChange:
    """One entry of the ledger.

    Attributes
    ----------
    at
        When it took effect, aware; held in UTC.
    what
        One of policy, model, sampling, labelling, logging, enforcement, other.
    note
        A few words for the reader.

    Raises
    ------
    ValueError
        If the instant is naive, or `what` is none of these.
    """

    at: datetime
    what: str
    note: str = ""

    def __post_init__(self) -> None:
        if self.at.tzinfo is None:
            raise ValueError("InstrumentChange: the instant is naive, an aware one is needed")
        if self.what not in WHAT:
            raise ValueError(f"InstrumentChange: what is one of {', '.join(WHAT)}")
        object.__setattr__(self, "at", self.at.astimezone(UTC))


@dataclass(frozen=True, kw_only=True, eq=False)
class InstrumentLedger:
    """A series with its moves, held against what changed in the instrument.

    Attributes
    ----------
    changes
        at, what, note, inside (the series' window), ratio, low, high, p (the line after the change
        over the line before, from the split trend; NaN where not estimable). In order of time.
    moves
        As `trustlib.harm.moves.moves`, with attributable (bool), instrument (what changed inside
        the move's interval, empty where nothing did) and text (a sentence).
    trend
        Split at every change inside the window.
    check
        ``instrument_changes``.
    """

    changes: pd.DataFrame
    moves: pd.DataFrame
    trend: Trend
    check: Check


def instrument_ledger(
    series: PrevalenceSeries,
    changes: Sequence[InstrumentChange] | None,
    *,
    level: float = 0.95,
    timezone: str = "UTC",
    replays: int = 199,
    seed: int = 0,
) -> InstrumentLedger:
    """Lay the ledger over the series.

    `changes` None: nobody kept a ledger, which is not the same as an empty one.
    """
    listed = sorted(changes or (), key=lambda change: (change.at, change.what, change.note))
    first, end = _window(series)
    inside = [first < change.at < end for change in listed]
    breaks = sorted(
        {pd.Timestamp(change.at) for change, there in zip(listed, inside, strict=True) if there}
    )
    fitted = trend(series, level=level, breaks=breaks)
    found = moves(series, level=level, replays=replays, seed=seed)
    step = pd.Timedelta(days=series.step_days)
    hits = [
        _inside(listed, pd.Timestamp(low), pd.Timestamp(high), step)
        for low, high in zip(found["low_at"], found["high_at"], strict=True)
    ]
    named = [", ".join(dict.fromkeys(change.what for change in hit)) for hit in hits]
    told_moves = found.assign(
        attributable=[changes is not None and not hit for hit in hits],
        instrument=named,
        text=[
            _text(row, hit, known=changes is not None, timezone=timezone, level=level)
            for row, hit in zip(found.itertuples(), hits, strict=True)
        ],
    )
    clear = fitted.jumps.loc[holm(fitted.jumps["p"].to_numpy(float)) <= 1 - level]
    return InstrumentLedger(
        changes=_changes(listed, inside, fitted),
        moves=told_moves,
        trend=fitted,
        check=_check(told_moves, known=changes is not None, inside=sum(inside), jumps=len(clear)),
    )


def _window(series: PrevalenceSeries) -> tuple[pd.Timestamp, pd.Timestamp]:
    if not len(series.at):
        raise ValueError("instrument_ledger: the series has no period")
    return series.at[0], series.at[-1] + pd.Timedelta(days=series.step_days)


def _inside(
    listed: Sequence[InstrumentChange],
    low: pd.Timestamp,
    high: pd.Timestamp,
    step: pd.Timedelta,
) -> list[InstrumentChange]:
    """Changes that could have started a move whose first period is one of `low` … `high`.

    A change within a period moves part of that period: the move may show in it or in the next.
    """
    return [change for change in listed if low - step < change.at < high + step]


def _text(
    row: object,
    hit: list[InstrumentChange],
    *,
    known: bool,
    timezone: str,
    level: float,
) -> str:
    at, low, high = row.at, row.low_at, row.high_at  # type: ignore[attr-defined]
    ratio = float(row.ratio)  # type: ignore[attr-defined]
    way = "rises" if ratio > 1 else "falls"
    where = f"in the period from {day(at, timezone)}"
    if low < high:
        where += f" ({told(level)} interval {day(low, timezone)} to {day(high, timezone)})"
    size = f"The measured share {way} by about {percent(abs(ratio - 1))} {where}"
    if hit:
        listed = "; ".join(
            f"{change.what} on {day(change.at, timezone)}"
            + (f" ({short(change.note, 60)})" if change.note.strip() else "")
            for change in hit
        )
        return (
            f"{size}. The instrument changed at the same time: {listed}. What happened outside "
            "cannot be told from what changed in the measurement: not attributable."
        )
    if not known:
        return f"{size}. Nobody listed changes of the instrument, so it may be one of those."
    return f"{size}. No listed change of the instrument falls into that time."


def _changes(
    listed: Sequence[InstrumentChange], inside: Sequence[bool], fitted: Trend
) -> pd.DataFrame:
    frame = pd.DataFrame(
        {
            "at": pd.DatetimeIndex([change.at for change in listed], tz="UTC"),
            "what": [change.what for change in listed],
            "note": [change.note for change in listed],
            "inside": list(inside),
        }
    )
    jumps = fitted.jumps.set_index("at")
    for name in ("ratio", "low", "high", "p"):
        frame[name] = [float(jumps[name].get(at, float("nan"))) for at in frame["at"]]
    return frame


def _check(found: pd.DataFrame, *, known: bool, inside: int, jumps: int) -> Check:
    """`inside` changes of the instrument in the window; at `jumps` of them the level jumps."""
    name, n = "instrument_changes", len(found)
    if not known:
        return Check(
            name=name,
            verdict="not_run",
            label="no ledger of instrument changes",
            text="Nobody listed when policies, models, sampling or logging changed. "
            + (
                f"{_moves(n)} may come from such a change."
                if n
                else "The series has no clear move that would need one."
            ),
        )
    listed = (plural(inside, "change") if inside else "no change") + " of the instrument is listed"
    if inside > 1:
        listed = listed.replace(" is ", " are ")
    listed += " in the window"
    tied = n - int(found["attributable"].sum())
    if tied:
        return Check(
            name=name,
            verdict="fail" if tied == n else "warn",
            label="moves when the instrument changed",
            text=f"{tied} of {_moves(n)} of the series cannot be told from a change of the "
            f"instrument: not attributable. The trend is split there; {listed}.",
        )
    if jumps:
        return Check(
            name=name,
            verdict="warn",
            label="level jumps with the instrument",
            text=f"At {plural(jumps, 'change')} of the instrument the measured level jumps. "
            "Shares before and after cannot be compared; the trend is split there.",
        )
    if not n:
        return Check(name=name, verdict="pass", label="no move to explain",
                     text=f"The series has no clear move; {listed}.")  # fmt: skip
    return Check(
        name=name,
        verdict="pass",
        label="moves apart from instrument changes",
        text=f"{_moves(n)} of the series, not at a time when the instrument changed; {listed}.",
    )


def _moves(n: int) -> str:
    return plural(n, "clear move")
