"""A prevalence series over time: each point's interval, a trend with its band, the season.

On the logit scale the series is a line per era, a season, a drift that fades (AR(1)) and the
sampling error that each point is known to have:

    logit p_t = a_e + b_e t + season_t + u_t + e_t,    u AR(1) (φ, τ²),
    Var e_t = 1 / (n_t p_t (1 − p_t))

n_t is the effective number of labels. φ and τ² are averaged over by their restricted likelihood,
so doubt about how much neighbouring periods hang together goes into the band, which is Student's t
on periods less columns. The response is that of a logit regression at the fitted share, so that
periods without a positive label count too.

Across a change of the instrument levels cannot be compared: give its date in `breaks`, and the
line is split there.

Measured on 40 weeks of 2,000 labels around 1 to 2 % (100 series each): the 95 % interval of the
change holds the truth in .99 without drift, .98 with φ = .5 and .92 with φ = .8.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit, fdtrc

from trustlib.core import Estimate
from trustlib.harm.sample import FloatArray
from trustlib.harm.series import PrevalenceSeries
from trustlib.harm.series_design import series_design, working_response
from trustlib.harm.series_noise import averaged
from trustlib.harm.trend_line import Line

FEWEST = 8  # periods with labels
METHOD = "line on the logit scale, drift between periods averaged over"
_ONE_KIND = "not estimable: labels of one kind only, or nearly"
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True, kw_only=True, eq=False)
class Trend:
    """A series and its trend.

    Attributes
    ----------
    points
        One row per period: at, estimate, low, high (its own interval), labels, era, trend,
        trend_low, trend_high (the line's band, without season), level, level_low, level_high
        (where the share really stood: line, season and drift, freed of sampling error). Trend and
        level are NaN where there is no trend, or no label.
    change
        The line's end over its start, a ratio; of a series that is not split. Otherwise none.
    eras
        start, end, periods, from_share, to_share, change, low, high, p (of a slope), note.
    jumps
        At each break: at, ratio (line after over line before; NaN where one side has labels of
        one kind only), low, high, p.
    season
        part, ratio (of the odds, against the average), low, high; empty where not estimable.
    season_kind, season_p
        What repeats, and the p-value of its being there at all (NaN without one).
    phi, tau
        Averages over the grid: autocorrelation of the drift, its standard deviation (logit).
    note
        Why there is no trend; empty where there is.
    """

    points: pd.DataFrame
    change: Estimate
    eras: pd.DataFrame
    jumps: pd.DataFrame
    season: pd.DataFrame
    season_kind: str
    season_p: float
    phi: float
    tau: float
    note: str


def trend(
    series: PrevalenceSeries, *, level: float = 0.95, breaks: Sequence[pd.Timestamp] = ()
) -> Trend:
    """The trend of a series, split at `breaks` (aware instants; a new era from each).

    With fewer than 8 periods that have labels, too few for the columns, or labels of one kind only
    there is no trend and the note says so; the points stand.
    """
    low, high = series.intervals(level)
    points = pd.DataFrame(
        {"at": series.at, "estimate": series.estimate, "low": low, "high": high,
         "labels": series.labels}
    )  # fmt: skip
    if len(series.known) < FEWEST:
        return _none(points, f"fewer than {FEWEST} periods with labels", level)
    shares = series.estimate[series.known]
    if (shares == 0).all() or (shares == 1).all():
        return _none(points, "all labels are of one kind", level)
    design = series_design(series, breaks=breaks)
    free = len(series.known) - design.columns.shape[1]
    if free < 3:
        return _none(points, "too few periods for so many changes of the instrument", level)
    y, made = working_response(series, design)
    found = averaged(made, design.columns, y)
    line = Line(series=series, design=design, found=found, degrees=free, level=level)
    season, season_p = _season(line)
    return Trend(
        points=_with_bands(points, line),
        change=_change(line),
        eras=_eras(line),
        jumps=_jumps(line, breaks),
        season=season,
        season_kind=design.season_kind,
        season_p=season_p,
        phi=found.phi,
        tau=found.tau,
        note="",
    )


def _with_bands(points: pd.DataFrame, line: Line) -> pd.DataFrame:
    design, found, known = line.design, line.found, line.series.known
    rows = design.columns.copy()
    rows[:, list(design.season)] = 0.0
    middle = rows @ found.coefficients
    half = line.t * np.sqrt(np.maximum(np.sum((rows @ found.covariance) * rows, axis=1), 0))
    wide = line.t * np.sqrt(found.level_variance)
    bands = {
        "trend": middle, "trend_low": middle - half, "trend_high": middle + half,
        "level": found.level, "level_low": found.level - wide, "level_high": found.level + wide,
    }  # fmt: skip
    era = np.full(len(points), np.nan)
    era[known] = design.era
    out = points.assign(era=era)
    for name, values in bands.items():
        column = np.full(len(points), np.nan)
        column[known] = expit(values)
        out[name] = column
    return out


def _ends(line: Line, era: int) -> tuple[FloatArray, FloatArray]:
    weeks = line.design.weeks[line.design.era == era]
    return line.at(era, float(weeks[0])), line.at(era, float(weeks[-1]))


def _change(line: Line) -> Estimate:
    unit, n = "ratio, end of the window over its start", len(line.series.known)
    if len(line.design.level) > 1:
        return Estimate(point=None, low=None, high=None, level=line.level, unit=unit,
                        method=METHOD, n=n, note="not estimable across a change of the instrument: "
                        "see the parts between the changes")  # fmt: skip
    point, low, high, _ = line.ratio(*_ends(line, 0))
    if math.isnan(point):
        return Estimate(point=None, low=None, high=None, level=line.level, unit=unit,
                        method=METHOD, n=n, note=_ONE_KIND)  # fmt: skip
    return Estimate(point=point, low=low, high=high, level=line.level, unit=unit, method=METHOD,
                    n=n)  # fmt: skip


def _eras(line: Line) -> pd.DataFrame:
    rows = []
    at = line.series.at[line.series.known]
    for era in range(len(line.design.level)):
        inside = line.design.era == era
        first, last = _ends(line, era)
        sloped = line.design.slope[era] >= 0
        useful = sloped and not line.one_kind(era)
        ratio = line.ratio(first, last) if useful else (math.nan,) * 4
        rows.append(
            {
                "start": at[inside][0],
                "end": at[inside][-1],
                "periods": int(inside.sum()),
                "from_share": float(expit(line.value(first)[0])),
                "to_share": float(expit(line.value(last)[0])),
                **dict(zip(("change", "low", "high", "p"), ratio, strict=True)),
                "note": _era_note(sloped, ratio[0]),
            }
        )
    return pd.DataFrame(rows)


def _era_note(sloped: bool, ratio: float) -> str:
    if not sloped:
        return "too few periods for a line: one level"
    return _ONE_KIND if math.isnan(ratio) else ""


def _jumps(line: Line, breaks: Sequence[pd.Timestamp]) -> pd.DataFrame:
    """Level right after each change of era over the level right before."""
    rows = []
    at, design = line.series.at[line.series.known], line.design
    for era in range(1, len(design.level)):
        week = float(design.weeks[design.era == era][0])
        ratio, low, high, p = line.ratio(line.at(era - 1, week), line.at(era, week))
        if line.one_kind(era - 1) or line.one_kind(era):
            ratio = low = high = math.nan
        last, first = at[design.era == era - 1][-1], at[design.era == era][0]
        for each in sorted(breaks):
            if last < each <= first:
                rows.append({"at": each, "ratio": ratio, "low": low, "high": high, "p": p})
    return pd.DataFrame(rows, columns=["at", "ratio", "low", "high", "p"])


def _season(line: Line) -> tuple[pd.DataFrame, float]:
    empty = pd.DataFrame(columns=["part", "ratio", "low", "high"])
    columns = list(line.design.season)
    if not columns:
        return empty, math.nan
    mean, spread = line.found.coefficients[columns], line.found.covariance
    wald = float(mean @ np.linalg.solve(spread[np.ix_(columns, columns)], mean)) / len(columns)
    p = float(fdtrc(len(columns), line.degrees, wald))
    if line.design.season_kind == "day of the week":
        parts: list[tuple[str, FloatArray]] = []
        for day, name in enumerate(_DAYS):
            row = np.zeros(line.width)
            row[columns] = -1.0 if day == 6 else np.arange(6) == day
            parts.append((name, row))
    else:
        turn = 2 * np.pi * np.arange(12) / 12
        parts = []
        for month, angle in enumerate(turn):
            row = np.zeros(line.width)
            row[columns] = math.cos(angle), math.sin(angle)
            parts.append((f"{month} twelfths of a year after the start", row))
    rows = []
    for name, row in parts:
        value, error = line.value(row)
        half = line.t * error
        rows.append((name, math.exp(value), math.exp(value - half), math.exp(value + half)))
    return pd.DataFrame(rows, columns=list(empty.columns)), p


def _none(points: pd.DataFrame, note: str, level: float) -> Trend:
    note = f"not estimable: {note}"
    blank = ("era", "trend", "trend_low", "trend_high", "level", "level_low", "level_high")
    return Trend(
        points=points.assign(**dict.fromkeys(blank, math.nan)),
        change=Estimate(point=None, low=None, high=None, level=level,
                        unit="ratio, end of the window over its start", method=METHOD,
                        n=int(points["estimate"].notna().sum()), note=note),
        eras=pd.DataFrame(columns=["start", "end", "periods", "from_share", "to_share", "change",
                                   "low", "high", "p", "note"]),
        jumps=pd.DataFrame(columns=["at", "ratio", "low", "high", "p"]),
        season=pd.DataFrame(columns=["part", "ratio", "low", "high"]),
        season_kind="",
        season_p=math.nan,
        phi=math.nan,
        tau=math.nan,
        note=note,
    )  # fmt: skip
