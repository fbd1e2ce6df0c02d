"""Forests: other estimators, cohorts, totals, leaving one out, placebos in time."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pandas as pd

from trustlib.core.calendar import periods as named
from trustlib.core.text import short
from trustlib.figures.forest import Row, forest
from trustlib.figures.interventions.words import outcome
from trustlib.interventions import DidResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_ROWS = 24
ESTIMATORS = {
    "callaway_santanna": "group-time effects",
    "imputation": "imputation",
    "sun_abraham": "interaction-weighted",
    "two_way": "two-way regression",
}


def estimators(result: DidResult, *, ax: Axes | None = None) -> Axes | None:
    """The same effect by every estimator, the headline's filled. None without any estimate."""
    frame = result.comparison.dropna(subset=["point"])
    names = [_estimator(row) for _, row in frame.iterrows()]
    return _forest(result, frame, names, strong=frame["headline"].astype(bool), ax=ax)


def cohorts(result: DidResult, *, ax: Axes | None = None) -> Axes | None:
    """The effect by cohort; filled where the interval excludes zero."""
    frame = result.group_effects.dropna(subset=["point"])
    names = [f"from {name}" for name in named(frame["group"])]
    return _forest(result, frame, names, strong=_clear(frame), ax=ax)


def totals(result: DidResult, *, ax: Axes | None = None) -> Axes | None:
    """The total by unit or cohort, and the sum of all, which is filled."""
    frame = total_rows(result)
    if frame.empty or frame["effect"].isna().all():
        return None
    last = pd.Series(range(len(frame)), index=frame.index) == len(frame) - 1
    rows = [
        Row(label=str(row["name"]), point=float(row["effect"]), low=float(row["low"]),
            high=float(row["high"]), strong=bool(own))
        for (_, row), own in zip(frame.iterrows(), last, strict=True)
    ]  # fmt: skip
    unit = f"total effect, {{scale}}{short(result.spec.unit_label, 34)}"
    return forest(rows, unit=unit, ax=ax)


def total_rows(result: DidResult) -> pd.DataFrame:
    """The rows that the figure of totals draws: the largest, in their order, and the sum."""
    frame = result.totals
    if len(frame) > MOST_ROWS:
        parts = frame.iloc[:-1]
        kept = parts["effect"].abs().sort_values(ascending=False, kind="stable")
        chosen = sorted(kept.index[: MOST_ROWS - 1])
        frame = pd.concat([parts.loc[chosen], frame.iloc[-1:]])
    return frame.assign(name=_total_names(frame["name"])).reset_index(drop=True)


def leave_one_out(result: DidResult, *, ax: Axes | None = None) -> Axes | None:
    """The headline, then the same with one cohort or cluster left out."""
    frame = leave_one_out_rows(result)
    if len(frame) < 2:
        return None
    strong = pd.Series(range(len(frame)), index=frame.index) == 0
    return _forest(result, frame, list(frame["left_out"]), strong=strong, ax=ax)


def leave_one_out_rows(result: DidResult) -> pd.DataFrame:
    """The rows that the figure draws: everything, then what moves the answer most."""
    frame = result.leave_one_out.dropna(subset=["point"])
    whole = result.estimates["att"]
    if whole.point is None or frame.empty:
        return frame.iloc[:0]
    away = (frame["point"] - whole.point).abs().sort_values(ascending=False, kind="stable")
    frame = frame.loc[away.index[: MOST_ROWS - 1]].sort_index()
    shown = result.design.names_shown
    names = [
        f"without {name}" if kind == "cohort" or shown else f"without cluster {i + 1}"
        for i, (name, kind) in enumerate(zip(named(frame["left_out"]), frame["kind"], strict=True))
    ]
    first = pd.DataFrame(
        [{"left_out": "everything", "kind": "none", "point": whole.point,
          "standard_error": whole.standard_error, "low": whole.low, "high": whole.high}]
    )  # fmt: skip
    numbers = ["point", "standard_error", "low", "high"]
    first = first.astype(dict.fromkeys(numbers, float))
    return pd.concat([first, frame.assign(left_out=names)], ignore_index=True)


def placebo_in_time(result: DidResult, *, ax: Axes | None = None) -> Axes | None:
    """The effect of starts that never were, some periods earlier; the headline's first."""
    frame = result.placebo_in_time.dropna(subset=["point"])
    whole = result.estimates["att"]
    if frame.empty or whole.point is None:
        return None
    nan = float("nan")
    rows = [
        Row(label="the real start", point=whole.point, strong=True,
            low=nan if whole.low is None else whole.low,
            high=nan if whole.high is None else whole.high)
    ]  # fmt: skip
    rows += [
        Row(label=f"{int(shift)} {'period' if shift == 1 else 'periods'} earlier",
            point=float(point), low=float(low), high=float(high))
        for shift, point, low, high in frame[["shift", "point", "low", "high"]].itertuples(
            index=False
        )
    ]  # fmt: skip
    return forest(rows[:MOST_ROWS], unit=_effect_unit(result), ax=ax)


def _forest(
    result: DidResult, frame: pd.DataFrame, names: list[str], *, strong: pd.Series, ax: Axes | None
) -> Axes | None:
    if frame.empty:
        return None
    rows = [
        Row(label=name, point=float(point), low=float(low), high=float(high), strong=bool(own))
        for name, point, low, high, own in zip(
            names, frame["point"], frame["low"], frame["high"], strong, strict=True
        )
    ]
    return forest(rows[:MOST_ROWS], unit=_effect_unit(result), width=30, ax=ax)


def _effect_unit(result: DidResult) -> str:
    return outcome(result, "effect, {scale}")


def _estimator(row: pd.Series) -> str:
    plain = str(row["estimator"]).replace("_", " ")
    name = ESTIMATORS.get(str(row["estimator"]), plain)
    # The same estimator on other terms: what is said behind its name tells them apart.
    head, _, terms = str(row["description"]).partition(", ")
    if head == ESTIMATORS["callaway_santanna"] and terms and not row["headline"]:
        return f"group-time, {terms}"
    return name


def _total_names(names: Iterable[object]) -> list[str]:
    """Cohorts by their dates as a person writes them; the last row is everything."""
    texts = [str(name) for name in names]
    parts = texts[:-1]
    if parts and all(text.startswith("from ") for text in parts):
        texts = [f"from {date}" for date in named(text.removeprefix("from ") for text in parts)]
        return [*texts, "everything"]
    return [*parts, "everything"] if texts else []


def _clear(frame: pd.DataFrame) -> pd.Series:
    return (frame["low"] > 0) | (frame["high"] < 0)
