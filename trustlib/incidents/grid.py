"""The buckets on the clock of the place: which are history, which week, which hour of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd

from trustlib.core import NoData, Refusal, Window
from trustlib.incidents.spec import SizingSpec

_LENGTH: dict[str, timedelta] = {
    "30min": timedelta(minutes=30),
    "1h": timedelta(hours=1),
    "1d": timedelta(days=1),
}
_WEEK = np.timedelta64(7, "D")
WEEKS_FOR_INTERVAL = 3


@dataclass(frozen=True, kw_only=True)
class Grid:
    """The regular grid of buckets, ascending; every array has shape (n_buckets,).

    Attributes
    ----------
    start_at
        Bucket starts, datetime64[us, UTC] index.
    count, control
        Counts (NaN = missing or ambiguous); control is None where there is none.
    local
        Bucket starts on the local clock, datetime64[us] without zone.
    exposure
        Length relative to a nominal bucket: 1 except for days of 23 or 25 hours.
    in_window, history, excluded, ambiguous
        Masks.
    fitted
        History that teaches the season: counted, not excluded, not ambiguous.
    week
        Weeks before the incident's start on the local clock: 1 is the week before; 0 and
        below from the start on.
    block
        Weeks left out together, 0-based; −1 outside the history.
    offset
        Buckets since the start of the block on the local clock: the phase that is
        compared with the incident's.
    weeks_per_block
        Whole weeks that the incident's window needs.
    """

    start_at: pd.DatetimeIndex
    count: np.ndarray
    control: np.ndarray | None
    local: np.ndarray
    exposure: np.ndarray
    in_window: np.ndarray
    history: np.ndarray
    excluded: np.ndarray
    ambiguous: np.ndarray
    fitted: np.ndarray
    week: np.ndarray
    block: np.ndarray
    offset: np.ndarray
    weeks_per_block: int
    bucket: str

    @property
    def present(self) -> np.ndarray:
        """Window buckets that were counted: what actual and expected add up over."""
        return self.in_window & np.isfinite(self.count)

    @property
    def n_window(self) -> int:
        return int(self.in_window.sum())

    @property
    def slot(self) -> np.ndarray:
        """Minutes since local midnight."""
        return ((self.local - self.local.astype("datetime64[D]")) // np.timedelta64(1, "m")).astype(
            int
        )

    @property
    def weekday(self) -> np.ndarray:
        """0 is Monday."""
        return (self.local.astype("datetime64[D]").astype(int) + 3) % 7

    @property
    def per_week(self) -> int:
        """Buckets in an ordinary week."""
        return {"30min": 336, "1h": 168, "1d": 7}[self.bucket]

    @property
    def history_weeks(self) -> float:
        """Weeks of usable history."""
        return float(self.fitted.sum()) / self.per_week


def grid(counts: pd.DataFrame, spec: SizingSpec) -> Grid:
    """Place `counts` on the incident's clock.

    Raises
    ------
    Refusal
        For missing columns, a naive or repeated or irregular bucket start, negative or
        infinite counts, a window off the bucket edges or outside the data, a history
        under one week.
    NoData
        Where nothing was counted: at all, in the window, or in the history.
    """
    frame = _validated(counts)
    start_at = pd.DatetimeIndex(frame["bucket_start_at"]).as_unit("us")
    local = start_at.tz_convert(spec.timezone).tz_localize(None).to_numpy()
    _regular(start_at, local, spec)
    _aligned(start_at[0].to_pydatetime(), spec)
    _inside(start_at, spec)

    starts = start_at.tz_localize(None).to_numpy()
    count = frame["count"].to_numpy(dtype=float)
    history = starts < _utc(spec.incident.start)
    if spec.history_start is not None:
        history &= starts >= _utc(spec.history_start)
    in_window = (starts >= _utc(spec.incident.start)) & (starts < _utc(spec.incident.end))
    excluded = np.zeros(len(starts), dtype=bool)
    ends = starts + np.timedelta64(_LENGTH[spec.bucket])
    for window in spec.exclude_windows:
        excluded |= (starts < _utc(window.end)) & (ends > _utc(window.start))
    ambiguous = (
        frame["ambiguous"].to_numpy(dtype=bool)
        if "ambiguous" in frame
        else np.zeros(len(starts), dtype=bool)
    )
    # Nobody knows for which hour, or for how many, such a bucket stands: no forecast compares.
    count = np.where(ambiguous, np.nan, count)
    fitted = history & np.isfinite(count) & ~excluded

    week, block, offset, span = _weeks(local, history, spec)
    made = Grid(
        start_at=start_at,
        count=count,
        control=frame["control"].to_numpy(dtype=float) if "control" in frame else None,
        local=local,
        exposure=_exposure(local, spec),
        in_window=in_window,
        history=history,
        excluded=excluded,
        ambiguous=ambiguous,
        fitted=fitted,
        week=week,
        block=block,
        offset=offset,
        weeks_per_block=span,
        bucket=spec.bucket,
    )
    _enough(made, spec)
    return made


def _weeks(
    local: np.ndarray, history: np.ndarray, spec: SizingSpec
) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """week, block and offset of each bucket, and the weeks that a block takes."""
    first = _local(spec.incident.start, spec.timezone)
    last = _local(spec.incident.end, spec.timezone)
    span = max(1, int(-((first - last) // _WEEK)))
    week = -((local - first) // _WEEK)
    block = np.where(history, (week - 1) // span, -1)
    block_start = first - (block + 1) * span * _WEEK
    length = np.timedelta64(_LENGTH[spec.bucket]).astype("timedelta64[us]")
    offset = (local - np.where(history, block_start, first)) // length
    return week.astype(int), block.astype(int), offset.astype(int), span


def _validated(counts: pd.DataFrame) -> pd.DataFrame:
    """Sorted copy; refuses what cannot be counted."""
    missing = [name for name in ("bucket_start_at", "count") if name not in counts]
    if missing:
        raise Refusal(
            f"the counts have no column {', '.join(missing)}",
            where=f"{len(counts.columns)} columns, {len(counts)} rows",
            next_step="pass the frame that trustlib.data.read_counts returns",
        )
    if counts.empty:
        raise NoData("there are no counts: 0 rows", next_step="check the source and its window")
    at = counts["bucket_start_at"]
    if not isinstance(at.dtype, pd.DatetimeTZDtype):
        raise Refusal(
            f"bucket_start_at holds {at.dtype}, aware instants are needed",
            next_step="localise it, then convert it to UTC",
        )
    if at.isna().any():
        raise Refusal(f"bucket_start_at is missing in {int(at.isna().sum())} rows")
    if at.duplicated().any():
        raise Refusal(
            f"bucket_start_at repeats in {int(at.duplicated().sum())} rows",
            next_step="give one row per bucket; several series belong in segments",
        )
    for name in ("count", "control"):
        if name in counts:
            _countable(counts[name], name)
    if counts["count"].isna().all():
        raise NoData("every count is missing", where=f"column count, {len(counts)} rows")
    frame = counts.sort_values("bucket_start_at", kind="stable").reset_index(drop=True)
    frame["bucket_start_at"] = frame["bucket_start_at"].dt.tz_convert("UTC")
    return frame


def _countable(values: pd.Series, name: str) -> None:
    if not pd.api.types.is_numeric_dtype(values.dtype) or values.dtype == bool:
        raise Refusal(f"column {name} holds {values.dtype}, numbers are needed")
    array = values.to_numpy(dtype=float)
    for fault, found in (("negative", array < 0), ("infinite", np.isinf(array))):
        if found.any():
            raise Refusal(
                f"column {name} is {fault} in {int(found.sum())} of {len(array)} rows",
                where=f"first at row {int(np.argmax(found)) + 1}",
                next_step="correct the source: a count is 0 or more and finite",
            )


def _regular(start_at: pd.DatetimeIndex, local: np.ndarray, spec: SizingSpec) -> None:
    steps = np.diff(local if spec.bucket == "1d" else start_at.tz_localize(None).to_numpy())
    wrong = steps != np.timedelta64(_LENGTH[spec.bucket])
    if spec.bucket == "1d":
        # A zone may change its clock at midnight: the day then starts at 01:00.
        wrong = np.diff(local.astype("datetime64[D]")) != np.timedelta64(1, "D")
    if wrong.any():
        raise Refusal(
            f"the buckets are not {spec.bucket} apart at {int(wrong.sum())} places",
            where=f"first after row {int(np.argmax(wrong)) + 1} in time order",
            next_step="give the whole grid; a bucket that was not counted has count NaN",
        )


def _aligned(first: datetime, spec: SizingSpec) -> None:
    """Both ends on bucket edges; a partly covered bucket would be silently counted whole."""
    for name, at in (
        ("incident_start", spec.incident.start),
        ("incident_end", spec.incident.end),
    ):
        below, above = _edges(at, first, spec)
        if below != at:
            raise Refusal(
                f"{name} is not on the edge of a {spec.bucket} bucket",
                where=f"{at:%Y-%m-%d %H:%M:%S} UTC",
                nearest=f"{below:%Y-%m-%d %H:%M} UTC or {above:%Y-%m-%d %H:%M} UTC",
                next_step="move it to the nearest edge or choose a finer bucket",
            )


def _edges(at: datetime, first: datetime, spec: SizingSpec) -> tuple[datetime, datetime]:
    """Bucket edges around `at`: both are `at` where it is an edge.

    Hours stand where the first bucket does: hourly counts of India begin at half past, UTC.
    """
    if spec.bucket == "1d":
        day = pd.Timestamp(at).tz_convert(spec.timezone).tz_localize(None).normalize()
        ends = [
            (day + pd.Timedelta(days=n)).tz_localize(
                spec.timezone, ambiguous=True, nonexistent="shift_forward"
            )
            for n in (0, 1)
        ]
        below, above = (end.tz_convert("UTC").to_pydatetime() for end in ends)
    else:
        length = _LENGTH[spec.bucket]
        below = at - (at - first) % length
        above = below + length
    return (at, at) if below == at else (below, above)


def _inside(start_at: pd.DatetimeIndex, spec: SizingSpec) -> None:
    covered = Window(
        start_at[0].to_pydatetime(), start_at[-1].to_pydatetime() + _LENGTH[spec.bucket]
    )
    if spec.incident.start < covered.start or spec.incident.end > covered.end + timedelta(
        hours=1 if spec.bucket == "1d" else 0
    ):
        raise Refusal(
            "the incident is not inside the data",
            where=f"data from {covered.start:%Y-%m-%d %H:%M} to {covered.end:%Y-%m-%d %H:%M} UTC",
            next_step="correct incident_start and incident_end, or read more data",
        )


def _enough(made: Grid, spec: SizingSpec) -> None:
    if not made.present.any():
        raise NoData(
            "nothing was counted in the incident's window",
            where=f"{made.n_window} buckets, all missing",
        )
    if not made.fitted.any():
        raise NoData(
            "nothing was counted in the history: nothing says what to expect",
            where=f"{int(made.history.sum())} buckets before incident_start",
            next_step="read rows from at least three weeks before incident_start (is "
            "history_start too late, or too much excluded?)",
        )
    if not (made.count[made.fitted].any() or made.count[made.present].any()):
        raise NoData(
            "every count is zero, in the history and in the window",
            where=f"{int(made.fitted.sum())} buckets of history, {made.n_window} in the window",
            next_step="check that the source was recording",
        )
    if made.fitted.sum() < made.per_week:
        raise Refusal(
            "the history is too short: one usable week at least is needed",
            where=f"{int(made.fitted.sum())} usable buckets of {made.per_week} in a week",
            next_step="move history_start earlier, exclude less, or read more data",
        )


def _exposure(local: np.ndarray, spec: SizingSpec) -> np.ndarray:
    if spec.bucket != "1d":
        return np.ones(len(local))
    edges = pd.DatetimeIndex(np.append(local, local[-1] + np.timedelta64(1, "D"))).normalize()
    aware = edges.tz_localize(spec.timezone, ambiguous=True, nonexistent="shift_forward")
    seconds = np.diff(aware.tz_convert("UTC").tz_localize(None).to_numpy()) / np.timedelta64(1, "s")
    return seconds / 86400.0


def _utc(at: datetime) -> np.datetime64:
    return np.datetime64(at.astimezone(UTC).replace(tzinfo=None), "us")


def _local(at: datetime, timezone: str) -> np.datetime64:
    return pd.Timestamp(at).tz_convert(timezone).tz_localize(None).as_unit("us").to_datetime64()
