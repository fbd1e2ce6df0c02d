"""What was found, as the frames of `SynthResult`: labels for readers, NaN where not estimable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from trustlib.core.text import told_apart
from trustlib.interventions.panel import FloatArray, IntArray
from trustlib.interventions.synth.case import Case
from trustlib.interventions.synth.cohorts import mean_path, mean_weights, treated_by
from trustlib.interventions.synth.fit import Fit
from trustlib.interventions.synth.panel import SynthPanel
from trustlib.interventions.synth.placebos_in_space import InSpace
from trustlib.interventions.synth.spread import Reach
from trustlib.interventions.synth.total import Sized

LONGEST = 64  # characters of a unit's name


@dataclass(frozen=True, kw_only=True, eq=False)
class Cohort:
    """Units treated from one date on, and what was fitted to their mean."""

    case: Case
    fit: Fit

    @property
    def start(self) -> int:
        return self.case.n_pre

    @property
    def units(self) -> int:
        return self.case.n_treated


@dataclass(frozen=True, kw_only=True, eq=False)
class Mean:
    """Over the treated units: what was seen, and the gap to what the donors say.

    Attributes
    ----------
    actual, gap
        (n_periods,). Before the first start of all treated units; from it on of those treated
        by then.
    treated
        (n_periods,) units treated by then.
    """

    actual: FloatArray
    gap: FloatArray
    treated: IntArray

    @property
    def att_weights(self) -> FloatArray:
        """(n_periods,) with which the gaps sum to the average effect on the treated."""
        return np.asarray(self.treated / self.treated.sum())


def mean_of(cohorts: Sequence[Cohort]) -> Mean:
    """The cohorts' mean, each weighing its number of units."""
    units = np.array([cohort.units for cohort in cohorts])
    starts = np.array([cohort.start for cohort in cohorts])
    targets = np.stack([cohort.case.target for cohort in cohorts])
    gaps = np.stack([cohort.fit.gap for cohort in cohorts])
    return Mean(
        actual=mean_path(targets, units=units, starts=starts),
        gap=mean_path(gaps, units=units, starts=starts),
        treated=treated_by(gaps.shape[1], units=units, starts=starts).sum(axis=0),
    )


def names_of(panel: SynthPanel, *, shown: bool) -> tuple[str, ...]:
    """What units are called in a report: long names cut, but still told apart; numbers where
    names must stay in the room."""
    if shown:
        return tuple(told_apart(panel.unit_names, LONGEST))
    names = []
    counts = {"treated": 0, "donor": 0}
    for treated in panel.treated:
        kind = "treated" if treated else "donor"
        counts[kind] += 1
        names.append(f"{kind} {counts[kind]}")
    return tuple(names)


def path_frame(
    panel: SynthPanel, cohorts: Sequence[Cohort], mean: Mean, spread: Reach
) -> pd.DataFrame:
    """`SynthResult.path`."""
    first = min(cohort.start for cohort in cohorts)
    half = _halves(spread, panel.n_periods, first)
    parts = [("all", mean.actual, mean.gap, half, first)]
    if len(cohorts) > 1:
        blank = np.full(panel.n_periods, np.nan)
        parts += [
            (panel.period_names[c.start], c.case.target, c.fit.gap, blank, c.start) for c in cohorts
        ]
    return pd.concat(
        [
            pd.DataFrame(
                {
                    "time": panel.period_names,
                    "group": group,
                    "actual": actual,
                    "synthetic": actual - gap,
                    "low": actual - gap - width,
                    "high": actual - gap + width,
                    "after": np.arange(panel.n_periods) >= start,
                }
            )
            for group, actual, gap, width, start in parts
        ],
        ignore_index=True,
    )


def gap_frame(
    panel: SynthPanel,
    cohorts: Sequence[Cohort],
    mean: Mean,
    spread: Reach,
    size: Sized,
    conformal: Mapping[str, FloatArray],
) -> pd.DataFrame:
    """`SynthResult.gap`; `conformal` holds (n_periods,) low, high, p_value of the mean."""
    n = panel.n_periods
    first = min(cohort.start for cohort in cohorts)
    half = _halves(spread, n, first)
    after = np.arange(n) >= first
    blank = np.full(n, np.nan)
    frame = pd.DataFrame(
        {
            "time": panel.period_names,
            "group": "all",
            "point": mean.gap,
            "low": mean.gap - half,
            "high": mean.gap + half,
            "conformal_low": conformal.get("low", blank),
            "conformal_high": conformal.get("high", blank),
            "conformal_p": conformal.get("p_value", blank),
            **running(size, spread, first),
            "after": after,
        }
    )
    if len(cohorts) == 1:
        return frame
    own = [
        pd.DataFrame(
            {
                "time": panel.period_names,
                "group": panel.period_names[cohort.start],
                "point": cohort.fit.gap,
                "after": np.arange(n) >= cohort.start,
            }
        ).reindex(columns=frame.columns)
        for cohort in cohorts
    ]
    numbers = [name for name in frame.columns if name not in ("time", "group", "after")]
    own = [part.astype(dict.fromkeys(numbers, float)) for part in own]
    return pd.concat([frame, *own], ignore_index=True)


def running(size: Sized, spread: Reach, first: int) -> dict[str, FloatArray]:
    """The total as it grows, (n_periods,) cumulative, cumulative_low, cumulative_high; NaN before
    the period `first`."""
    periods = np.arange(len(size.effect))
    total = np.where(periods >= first, np.cumsum(size.effect), np.nan)
    half = np.array([spread.half(np.where(periods <= t, size.slope, 0.0)) for t in periods])
    return {
        "cumulative": total, "cumulative_low": total - half, "cumulative_high": total + half,
    }  # fmt: skip


def _halves(spread: Reach, n_periods: int, first: int) -> FloatArray:
    """(n_periods,) half the pointwise interval's width; NaN before the start."""
    return np.array(
        [spread.half(row) if t >= first else np.nan for t, row in enumerate(np.eye(n_periods))]
    )


def weights_frame(
    panel: SynthPanel, cohorts: Sequence[Cohort], names: Sequence[str]
) -> pd.DataFrame:
    """`SynthResult.weights`."""
    donors = [names[i] for i in panel.donors]
    parts = []
    for cohort in cohorts:
        group = "all" if len(cohorts) == 1 else panel.period_names[cohort.start]
        part = pd.DataFrame({"unit": donors, "group": group, "weight": cohort.fit.unit_weights})
        parts.append(part.sort_values("weight", ascending=False, kind="stable"))
    return pd.concat(parts, ignore_index=True)


def time_weights_frame(panel: SynthPanel, cohorts: Sequence[Cohort]) -> pd.DataFrame:
    """`SynthResult.time_weights`; no rows where the preset has none."""
    parts = []
    for cohort in cohorts:
        weights = cohort.fit.time_weights
        group = "all" if len(cohorts) == 1 else panel.period_names[cohort.start]
        used = weights if np.any(weights) else weights[:0]
        times = panel.period_names[: len(used)]
        parts.append(pd.DataFrame({"time": times, "group": group, "weight": used}))
    frame = pd.concat(parts, ignore_index=True)
    return frame.astype({"time": str, "group": str, "weight": float})


def pool_frame(panel: SynthPanel, cohorts: Sequence[Cohort], names: Sequence[str]) -> pd.DataFrame:
    """`SynthResult.pool`: treated first, donors by weight, then who was left out."""
    parts = [(cohort.start, cohort.case) for cohort in cohorts]
    mean = mean_weights(parts, [cohort.fit for cohort in cohorts])
    donors = [
        _pooled(names[unit], "donor", weight=weight)
        for unit, weight in zip(panel.donors.tolist(), mean.tolist(), strict=True)
    ]
    donors.sort(key=lambda row: -float(str(row["weight"])))
    return pd.DataFrame([*_treated_rows(panel, names), *donors, *_left_out_rows(panel, names)])


def pool_unused(panel: SynthPanel, names: Sequence[str], reason: str) -> pd.DataFrame:
    """`SynthResult.pool` of a method that has no use for donors, and says so by `reason`."""
    unused = [_pooled(names[unit], "left out", reason=reason) for unit in panel.donors.tolist()]
    return pd.DataFrame([*_treated_rows(panel, names), *unused, *_left_out_rows(panel, names)])


def _pooled(
    unit: str, role: str, *, reason: str = "", first: str = "", weight: float = np.nan
) -> dict[str, object]:
    return {
        "unit": unit, "role": role, "reason": reason, "first_treated": first, "weight": weight,
    }  # fmt: skip


def _treated_rows(panel: SynthPanel, names: Sequence[str]) -> list[dict[str, object]]:
    return [
        _pooled(names[unit], "treated", first=panel.period_names[panel.first_treated[unit]])
        for unit in np.flatnonzero(panel.treated).tolist()
    ]


def _left_out_rows(panel: SynthPanel, names: Sequence[str]) -> list[dict[str, object]]:
    """Who is in neither group, and why; numbered where names must stay in the room."""
    out = sorted(panel.left_out)
    hidden = tuple(names) == names_of(panel, shown=False)
    called = (
        [f"left out {i}" for i in range(1, len(out) + 1)] if hidden else told_apart(out, LONGEST)
    )
    return [
        _pooled(name, "left out", reason=panel.left_out[unit])
        for name, unit in zip(called, out, strict=True)
    ]


def predictors_frame(panel: SynthPanel, cohorts: Sequence[Cohort]) -> pd.DataFrame:
    """`SynthResult.predictors`; V and the synthetic values are means over cohorts."""
    columns = ["predictor", "treated", "synthetic", "donors", "importance"]
    if not panel.predictor_names:
        return pd.DataFrame({name: pd.Series(dtype=str if name == columns[0] else float)
                             for name in columns})  # fmt: skip
    share = np.array([cohort.units for cohort in cohorts], dtype=float)
    share /= share.sum()
    donors = panel.predictors[panel.donors]

    def over(values: list[FloatArray]) -> FloatArray:
        return np.asarray(share @ np.stack(values))

    importance = [
        cohort.fit.predictor_weights
        if len(cohort.fit.predictor_weights)
        else np.full(len(panel.predictor_names), np.nan)
        for cohort in cohorts
    ]
    return pd.DataFrame(
        {
            "predictor": panel.predictor_names,
            "treated": over([cohort.case.target_predictors for cohort in cohorts]),
            "synthetic": over([cohort.fit.unit_weights @ donors for cohort in cohorts]),
            "donors": donors.mean(axis=0),
            "importance": over(importance),
        }
    )


def totals_frame(
    panel: SynthPanel, size: Sized, spread: Reach, *, all_half: float, value_usd: float | None
) -> pd.DataFrame:
    """`SynthResult.totals`."""
    first = int(np.flatnonzero(np.asarray(size.slope) != 0)[0])
    times = range(first, panel.n_periods)
    halves = [spread.half(size.slope[t] * np.eye(panel.n_periods)[t]) for t in times]
    effect = [*size.effect[first:].tolist(), size.total]
    half = np.array([*halves, all_half])
    frame = pd.DataFrame(
        {
            "time": [*panel.period_names[first:], "all"],
            "effect": effect,
            "low": effect - half,
            "high": effect + half,
        }
    )
    if value_usd is not None:
        frame["value_usd"] = frame["effect"] * value_usd
    return frame


def placebos_frame(chance: InSpace, panel: SynthPanel, names: Sequence[str]) -> pd.DataFrame:
    """`SynthResult.placebos`, largest ratio first."""
    treated = [names[unit] for unit in np.flatnonzero(panel.treated).tolist()]
    own = treated[0] if len(treated) == 1 else f"the {len(treated)} treated"
    ratio = np.array([chance.own_ratio, *chance.ratio])
    frame = pd.DataFrame(
        {
            "unit": [own, *_stand_ins(chance, panel, names)],
            "treated": [True, *[False] * chance.n],
            "att": [chance.own_att, *chance.att],
            "pre_rmspe": [chance.own_pre_rmspe, *chance.pre_rmspe],
            "post_rmspe": [chance.own_post_rmspe, *chance.post_rmspe],
            # A match that is exact has no ratio to speak of, and stands first.
            "ratio": np.where(np.isfinite(ratio), ratio, np.nan),
            "rank": pd.Series(-ratio).rank(method="max").astype(int),
        }
    )
    frame.loc[0, "rank"] = chance.rank
    return frame.sort_values("rank", kind="stable", ignore_index=True)


def placebo_paths_frame(chance: InSpace, panel: SynthPanel, names: Sequence[str]) -> pd.DataFrame:
    """`SynthResult.placebo_paths`."""
    who = _stand_ins(chance, panel, names)
    return pd.DataFrame(
        {
            "unit": np.repeat(np.array(who, dtype=object), panel.n_periods),
            "time": np.tile(np.array(panel.period_names, dtype=object), chance.n),
            "gap": chance.paths.ravel(),
        }
    ).astype({"unit": str, "time": str, "gap": float})


def _stand_ins(chance: InSpace, panel: SynthPanel, names: Sequence[str]) -> list[str]:
    if chance.donors.shape[1] != 1:
        return [f"draw {number}" for number in range(1, chance.n + 1)]
    return [names[unit] for unit in panel.donors[chance.donors[:, 0]].tolist()]
