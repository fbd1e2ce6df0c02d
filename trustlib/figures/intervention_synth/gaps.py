"""The gap of the treated among those of donors that were treated only on paper."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from trustlib.figures import house
from trustlib.figures.house import PALETTE
from trustlib.figures.intervention_synth.timeline import (
    band,
    left_room,
    of_group,
    period_ticks,
    start_labels,
    start_lines,
    starts,
    synthetic_name,
    treated_name,
)
from trustlib.figures.interventions.words import outcome
from trustlib.figures.labels import End, beside, ends_apart
from trustlib.interventions.synth.result import SynthResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_POINTS = 6_000  # of all placebo paths together: a page has to carry them
MOST_PATHS = 100
MOST_PLACES = 250  # of one placebo path: of more periods every second, third … is drawn
BADLY = 2.0  # times the treated's misfit before the start: beyond it a placebo says little
_NUMBERS = ["point", "low", "high"]


@dataclass(frozen=True, kw_only=True)
class _Placebos:
    """Paths (n, n_places) that are drawn, whether each was matched badly, and all there are.

    `places` are the periods' positions.
    """

    names: list[str]
    places: np.ndarray
    paths: np.ndarray
    badly: np.ndarray
    of: int

    @property
    def n(self) -> int:
        return len(self.names)


def gaps(result: SynthResult, *, ax: Axes | None = None) -> Axes | None:
    """Actual − synthetic of the treated with its band, over the same of every donor, in grey.

    Placebos that were matched more than twice as badly before the start are pale and may leave
    the frame; both are counted under the axis. Without placebos the gap stands alone. None where
    no gap is known.
    """
    frame = of_group(result.gap)
    if frame.empty or frame["point"].isna().all():
        return None
    placebos = _placebos(result, [str(time) for time in frame["time"]])
    with house.style():
        ax = house.axes(ax, height=3.7 if placebos.n else 3.2)
        low, high = _limits(frame, placebos)
        by, word = house.scale(max(abs(low), abs(high)))
        at = starts(result, list(frame["time"]))
        ax.axhline(0, color=PALETTE["ink"], linewidth=1)
        start_lines(ax, at)
        _spaghetti(ax, placebos, by)
        _treated(ax, frame, by)
        ax.set_ylim(low / by, high / by)
        name = treated_name(result, 92)
        texts = [(name, True), *([("placebos", False)] if placebos.n else [])]
        right = max(house.text_width(text, bold=bold) for text, bold in texts) + 12
        left = left_room(ax, list(frame["time"]))
        bottom = house.UNDER if placebos.n else 24
        house.margins(ax, left=left, right=right, top=24, bottom=bottom)
        house.headroom(ax, 18)
        period_ticks(ax, list(frame["time"]), house.size(ax)[0] - left - right)
        house.unit(ax, outcome(result, f"actual − {synthetic_name(result)}, ", word))
        start_labels(ax, list(frame["time"]), at)
        _name_ends(ax, frame, placebos, name, by)
        if placebos.n:
            _count(ax, placebos)
    return ax


def gap_rows(result: SynthResult) -> pd.DataFrame:
    """What the figure draws, in long form: the treated's gap, then every placebo path drawn.

    Columns: path ("treated", or the placebo's unit), kind ("treated", "placebo", "placebo,
    matched badly"), time, gap, and, of the treated, the intervals and the running total of
    `SynthResult.gap`.
    """
    frame = of_group(result.gap).rename(columns={"point": "gap"})
    own = frame.drop(columns="group").assign(path="treated", kind="treated")
    first = ["path", "kind", "time", "gap"]
    own = own[[*first, *(name for name in own.columns if name not in first)]]
    every = [str(time) for time in frame["time"]]
    placebos = _placebos(result, every)
    if not placebos.n:
        return own
    times = [every[place] for place in placebos.places]
    kinds = np.where(placebos.badly, "placebo, matched badly", "placebo")
    paths = pd.DataFrame(
        {
            "path": np.repeat(placebos.names, len(times)),
            "kind": np.repeat(kinds, len(times)),
            "time": times * placebos.n,
            "gap": placebos.paths.ravel(),
            "after": np.tile(frame["after"].to_numpy(dtype=bool)[placebos.places], placebos.n),
        }
    ).reindex(columns=own.columns)
    numbers = [name for name in own.columns if name not in ("path", "kind", "time", "after")]
    paths = paths.astype(dict.fromkeys(numbers, float))
    return pd.concat([own, paths], ignore_index=True)


def _placebos(result: SynthResult, times: list[str]) -> _Placebos:
    """The paths, in the order of their ranks; evenly over the ranks where they are too many."""
    frame = result.placebo_paths
    known = {str(unit): i for i, unit in enumerate(dict.fromkeys(frame["unit"]))}
    place = {time: i for i, time in enumerate(times)}
    paths = np.full((len(known), len(times)), np.nan)
    unit = frame["unit"].astype(str).map(known).to_numpy(dtype=int)
    time = frame["time"].astype(str).map(place)
    on = time.notna().to_numpy()
    paths[unit[on], time[on].to_numpy(dtype=int)] = frame["gap"].to_numpy(dtype=float)[on]
    of = len(known)
    rows = result.placebos
    own = rows.loc[rows["treated"].astype(bool), "pre_rmspe"]
    others = rows[~rows["treated"].astype(bool)].drop_duplicates("unit").set_index("unit")
    misfit = others["pre_rmspe"].reindex(list(known)).to_numpy(dtype=float)
    rank = others["rank"].reindex(list(known)).to_numpy(dtype=float)
    badly = misfit > BADLY * float(own.iloc[0]) if len(own) else np.zeros(of, dtype=bool)
    order = np.argsort(rank, kind="stable")
    step = -(-len(times) // MOST_PLACES)
    places = np.arange(len(times) - 1, -1, -step)[::-1]  # the last one in any case
    most = min(MOST_PATHS, MOST_POINTS // max(1, len(places)))
    if of > most:
        order = order[np.linspace(0, of - 1, most).round().astype(int)]
    names = list(known)
    return _Placebos(
        names=[names[i] for i in order],
        places=places,
        paths=paths[np.ix_(order, places)],
        badly=badly[order],
        of=of,
    )


def _limits(frame: pd.DataFrame, placebos: _Placebos) -> tuple[float, float]:
    """Room for the treated, its band and the placebos that were matched well."""
    well = placebos.paths[~placebos.badly]
    parts = [frame[_NUMBERS].to_numpy(dtype=float).ravel(), well.ravel(), np.zeros(1)]
    values = np.concatenate(parts)
    values = values[np.isfinite(values)]
    low, high = float(values.min()), float(values.max())
    edge = 0.06 * ((high - low) or 1.0)
    return low - edge, high + edge


def _spaghetti(ax: Axes, placebos: _Placebos, by: float) -> None:
    """One path for all placebos that look alike; the breaks between them are NaN."""
    x = np.append(placebos.places.astype(float), np.nan)
    for badly, opacity, width in (
        (True, 0.22, 0.7),
        (False, 0.55 if placebos.n <= 60 else 0.35, 0.9),
    ):
        chosen = placebos.paths[placebos.badly == badly]
        if not len(chosen):
            continue
        broken = np.hstack([chosen / by, np.full((len(chosen), 1), np.nan)]).ravel()
        ax.plot(
            np.tile(x, len(chosen)),
            broken,
            color=PALETTE["expected"],
            alpha=opacity,
            linewidth=width,
        )


def _treated(ax: Axes, frame: pd.DataFrame, by: float) -> None:
    place = list(range(len(frame)))
    band(ax, frame, ("low", "high"), by, color=PALETTE["actual"])
    ax.plot(
        place, frame["point"] / by, color=PALETTE["actual"],
        linewidth=2.4 if len(place) <= 300 else 1.2,
        marker="o" if len(place) <= 40 else "", markersize=3,
    )  # fmt: skip


def _name_ends(ax: Axes, frame: pd.DataFrame, placebos: _Placebos, name: str, by: float) -> None:
    last = float(frame["point"].dropna().iloc[-1]) / by
    own = End(last, name, PALETTE["actual"], "bold")
    ends = placebos.paths[~placebos.badly, -1] if placebos.n else np.empty(0)
    ends = ends[np.isfinite(ends)]
    if not len(ends):
        beside(ax, own.y, own.text, color=own.color, weight=own.weight)
        return
    middle = float(np.median(ends)) / by
    ends_apart(ax, [own, End(middle, "placebos", PALETTE["expected"], "normal")])


def _count(ax: Axes, placebos: _Placebos) -> None:
    """How many lines there are, and what the pale ones are."""
    badly = int(placebos.badly.sum())
    some = f"{placebos.n:,} of {placebos.of:,}" if placebos.n < placebos.of else f"{placebos.n:,}"
    text = f"grey: {some} placebo{'s' if placebos.of != 1 else ''}"
    if badly:
        text += f" ({badly:,} pale: matched over twice as badly)"
    ax.annotate(
        text, (0, 0), xycoords=("figure fraction", "axes fraction"), xytext=(2, -24),
        textcoords="offset points", color=PALETTE["muted"], va="top",
    )  # fmt: skip
