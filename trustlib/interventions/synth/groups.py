"""Who was treated when, who may be a donor, and why the others may not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from trustlib.core import Refusal, did_you_mean
from trustlib.core.format import plural
from trustlib.interventions.columns import one_per_unit, starts
from trustlib.interventions.disclosure import key_like
from trustlib.interventions.panel import IntArray
from trustlib.interventions.periods import Periods
from trustlib.interventions.synth.labels import place
from trustlib.interventions.synth.spec import SynthSpec

BETWEEN = "units start inside a period"
_MOST_COMPARED = 5_000  # unit names that a misspelt one is compared with


@dataclass(frozen=True, kw_only=True, eq=False)
class Groups:
    """Units by their part in the question.

    Attributes
    ----------
    treated
        Positions, ascending.
    first
        (n_treated,) index of each one's first treated period on the source's axis, 1 or more.
    donors
        Positions of those that nothing keeps out.
    left_out
        Position -> reason, of all others.
    notes
        As in `SynthPanel`.
    """

    treated: IntArray
    first: IntArray
    donors: IntArray
    left_out: Mapping[int, str]
    notes: Mapping[str, int]


def groups(
    frame: pd.DataFrame,
    spec: SynthSpec,
    *,
    unit: IntArray,
    labels: Sequence[str],
    time: np.ndarray,
    axis: Periods,
) -> Groups:
    """The parts of all units; `unit` (n_rows,) codes of `labels`, `time` (n_rows,).

    Raises
    ------
    Refusal
        Names that are no unit's; a unit that is treated and a donor or affected; nobody treated;
        a start that is not on the axis, in its first period, or later than a unit's own.
    """
    own, notes = _own_starts(frame, spec, unit, len(labels), time, axis)
    n_periods = len(axis.names)
    treated, first, between = _treated(spec, labels, own, axis)
    if own is not None and spec.treatment_start is not None:
        _not_treated_before(own[treated], first, spec)
        later = int((own[treated] != first).sum())
        notes |= {"treated units whose own start is another": later} if later else {}
    if between:
        notes[BETWEEN] = notes.get(BETWEEN, 0) + between
    out = _kept_out(spec, labels, treated, own, n_periods)
    free = np.ones(len(labels), dtype=bool)
    free[treated] = False
    free[list(out)] = False
    return Groups(
        treated=treated, first=first, donors=np.flatnonzero(free), left_out=out, notes=notes
    )


def _own_starts(
    frame: pd.DataFrame,
    spec: SynthSpec,
    unit: IntArray,
    n_units: int,
    time: np.ndarray,
    axis: Periods,
) -> tuple[IntArray | None, dict[str, int]]:
    """(n_units,) the first treated period by the column, n_periods for never; and notes."""
    if spec.treatment_start_column is None:
        return None, {}
    column = spec.treatment_start_column
    start, notes = starts(frame[column], column, time)
    start = one_per_unit(start, unit, n_units, column)
    known = ~np.isnat(start) if axis.dated else ~np.isnan(start)
    own = np.full(n_units, len(axis.names), dtype=np.int64)
    own[known], between = axis.first_at(start[known])
    late = int((own[known] == len(axis.names)).sum())
    notes |= {"start after the last period read as never": late} if late else {}
    if between.any() and spec.treatment_start is None:
        notes[BETWEEN] = int(between.sum())
    return own, notes


def _treated(
    spec: SynthSpec, labels: Sequence[str], own: IntArray | None, axis: Periods
) -> tuple[IntArray, IntArray, int]:
    """Positions and first treated periods; how many of them start inside a period."""
    n_periods = len(axis.names)
    if spec.treated_units:
        treated = positions(spec.treated_units, labels, "treated_units")
    else:
        assert own is not None  # the spec sees to it
        treated = np.flatnonzero((own > 0) & (own < n_periods))
        if not len(treated):
            _nobody(int((own == 0).sum()), spec)
    if spec.treatment_start is not None:
        at, inside = place(
            spec.treatment_start, axis, where=f"treatment_start: {spec.treatment_start}"
        )
        first = np.full(len(treated), at, dtype=np.int64)
        between = len(treated) if inside else 0
    else:
        assert own is not None
        first, between = own[treated], 0
        never = int((first == n_periods).sum())
        if never:
            raise Refusal(
                f"no treatment start in the panel for {never} of "
                f"{plural(len(treated), 'treated unit')}",
                where=f"treated_units, column {spec.treatment_start_column!r}",
                next_step="set treatment_start, or correct the column",
            )
    early = int((first == 0).sum())
    if early:
        raise Refusal(
            f"the first period is treated already for {early} of "
            f"{plural(len(treated), 'treated unit')}: there is nothing before it to learn from",
            where=_start_where(spec),
            next_step="read periods from before the treatment's start",
        )
    return treated, first, between


def _nobody(from_start: int, spec: SynthSpec) -> None:
    are = "is" if from_start == 1 else "are"
    also = f"; {from_start} {are} treated from its first period on" if from_start else ""
    raise Refusal(
        f"no unit's treatment starts inside the panel{also}",
        where=f"column {spec.treatment_start_column!r}",
        next_step="check the column and the window of periods, or name treated_units",
    )


def _start_where(spec: SynthSpec) -> str:
    if spec.treatment_start is not None:
        return f"treatment_start: {spec.treatment_start}"
    return f"column {spec.treatment_start_column!r}"


def _not_treated_before(own: IntArray, first: IntArray, spec: SynthSpec) -> None:
    before = int((own < first).sum())
    if before:
        raise Refusal(
            f"treatment began before treatment_start for {before} of "
            f"{plural(len(own), 'treated unit')}, by the column: the periods before it would not "
            "be free of the treatment",
            where=f"treatment_start: {spec.treatment_start}, "
            f"column {spec.treatment_start_column!r}",
            next_step="set treatment_start: null to take each unit's own start, or set both right",
        )


def _kept_out(
    spec: SynthSpec, labels: Sequence[str], treated: IntArray, own: IntArray | None, n_periods: int
) -> dict[int, str]:
    """Position -> reason, of units that are neither treated nor may be donors."""
    is_treated = set(treated.tolist())
    chosen = positions(spec.donor_units, labels, "donor_units").tolist()
    affected = positions(spec.affected_units, labels, "affected_units").tolist()
    for parameter, named in (("donor_units", chosen), ("affected_units", affected)):
        both = len(is_treated & set(named))
        if both:
            raise Refusal(
                f"{both} treated {'unit is' if both == 1 else 'units are'} in {parameter} too",
                where=f"treated_units, {parameter}",
                next_step=f"take {'it' if both == 1 else 'them'} out of one of the two",
            )
    out = {}
    if spec.donor_units:
        out = dict.fromkeys(set(range(len(labels))) - set(chosen), "not in donor_units")
    out |= dict.fromkeys(affected, "affected")
    if own is not None:
        out |= dict.fromkeys(np.flatnonzero(own == 0).tolist(), "treated from the start")
        inside = np.flatnonzero((own > 0) & (own < n_periods))
        out |= dict.fromkeys(inside.tolist(), "treated")
    return {unit: reason for unit, reason in sorted(out.items()) if unit not in is_treated}


def positions(names: Sequence[str], labels: Sequence[str], parameter: str) -> IntArray:
    """Places of `names` among `labels`, ascending; refused where one is no unit's."""
    known = {label: number for number, label in enumerate(labels)}
    unknown = [name for name in names if name not in known]
    if unknown:
        few = len(labels) <= _MOST_COMPARED
        near = did_you_mean(unknown[0], labels) if few else None
        more = f", and {len(unknown) - 1} more" if len(unknown) > 1 else ""
        raise Refusal(
            f"{parameter} names {unknown[0]!r}{more}: no unit of the panel is called that",
            where=f"{parameter}; the panel has {plural(len(labels), 'unit')}",
            nearest=None if near is None or key_like([near]) else near,
            next_step="write the unit as the source does",
        )
    return np.array(sorted({known[name] for name in names}), dtype=np.int64)
