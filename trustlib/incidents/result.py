"""All that one incident sizing found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import pandas as pd

from trustlib.core import Check, Estimate
from trustlib.incidents.disclosure import published_segments
from trustlib.incidents.spec import SizingSpec


@dataclass(frozen=True, kw_only=True)
class SizingResult:
    """How big, how sure, and why to believe it. Excess is actual − expected.

    Attributes
    ----------
    estimates
        actual, expected, excess, relative_excess, smallest_detectable_excess,
        placebo_p_value, same_hours_excess, onset_hours, and cost_usd with a unit cost.
    checks
        One per assumption.
    verdict
        "incident confirmed", "no incident shown", "not conclusive" or "not estimable".
    counterfactual
        One row per bucket: bucket_start_at, actual, expected, low, high (of a single
        bucket), in_window, excluded, fitted, cumulative_excess, cumulative_low,
        cumulative_high (NaN outside the window).
    placebos
        One row per placebo window: window_start_at, excess, relative_excess, statistic,
        same_phase.
    sensitivity
        One row per choice: choice, description, excess, low, high, relative_excess; the
        headline's first.
    segments
        One row per segment: segment, actual, expected, excess, low, high,
        share_of_excess, moved. None without segments.
    onset
        One row: stated_at, estimated_at, low_at, high_at, recovered_at, note.
    """

    spec: SizingSpec
    estimates: Mapping[str, Estimate]
    checks: tuple[Check, ...]
    verdict: str
    counterfactual: pd.DataFrame
    placebos: pd.DataFrame
    sensitivity: pd.DataFrame
    segments: pd.DataFrame | None
    onset: pd.DataFrame

    def series(self) -> dict[str, list[dict[str, object]]]:
        """Rows of plain values for results.json.

        The counterfactual starts two window lengths, or three days, before the incident.
        Segments with few events are merged (see `trustlib.incidents.disclosure`).
        """
        incident = self.spec.incident
        lead = max(2 * incident.duration, timedelta(days=3))
        near = self.counterfactual["bucket_start_at"] >= pd.Timestamp(incident.start - lead)
        frames = {
            "counterfactual": self.counterfactual[near],
            "sensitivity": self.sensitivity,
            "placebos": self.placebos,
            "onset": self.onset,
        }
        if self.segments is not None:
            frames["segments"] = published_segments(self.segments)
        return {name: _plain_rows(frame) for name, frame in frames.items()}


def _plain_rows(frame: pd.DataFrame) -> list[dict[str, object]]:
    columns = {}
    for name, column in frame.items():
        if isinstance(column.dtype, pd.DatetimeTZDtype):
            columns[str(name)] = [None if pd.isna(at) else at.isoformat() for at in column]
        else:
            columns[str(name)] = [
                None if value is None or value != value else value for value in column.tolist()
            ]
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
