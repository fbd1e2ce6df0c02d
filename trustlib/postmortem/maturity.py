"""What is still to come: labels, appeals, chargebacks about the incident that are not in yet.

Delays are learnt from arrivals of all times (`trustlib.postmortem.delays`: Lawless 1994), and with
them each kind's final count is foretold (`trustlib.postmortem.nowcast`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

from trustlib.core import Check, Estimate, Window
from trustlib.data.incident_records import STEP_HOURS, AffectedRows
from trustlib.postmortem.delay_checks import delay_checks
from trustlib.postmortem.nowcast import Nowcast, nowcast, window_ages

METHOD = "delays by reverse-time hazards (Lawless 1994), interval by a bootstrap of days"
_LONGEST = 20 * 365 * 24 / STEP_HOURS  # steps; beyond it a date says nothing


@dataclass(frozen=True, kw_only=True, eq=False)
class Maturity:
    """How complete the counts are, and what they will be.

    Attributes
    ----------
    frame
        kind, seen, factor (final over seen; NaN where none was seen), final, low, high, complete
        (seen over final), final_on (datetime64[us, UTC]); one row per kind, by name.
    estimates
        final_<kind> per kind.
    checks
        Whether the delays may be trusted.
    """

    frame: pd.DataFrame
    estimates: dict[str, Estimate]
    checks: tuple[Check, ...]


def maturity(rows: AffectedRows, *, level: float, seed: int) -> Maturity:
    """How complete each kind of arrival about the window is, and its final count.

    Parameters
    ----------
    rows
        `arrivals` (kind, in_window, age, delay, n) and `observed_until` are read, and the window
        of its query.
    level
        Of the prediction intervals.
    seed
        Of their draws; each kind draws its own, whatever the others are.
    """
    window, until = rows.query.window, rows.observed_until
    if rows.arrivals.empty or until is None:
        reason = rows.missing.get("arrivals", "no arrivals are in the data")
        return Maturity(frame=_frame([], window), estimates={}, checks=(_nothing(reason),))
    ages = window_ages(window, until)
    made: dict[str, Nowcast] = {}
    parts = {str(kind): part for kind, part in rows.arrivals.groupby("kind")}
    for kind in sorted(parts):
        made[kind] = nowcast(parts[kind], ages=ages, level=level, seed=seed)
    names = dict(zip(made, _names(list(made)), strict=True))
    return Maturity(
        frame=_frame(list(made.items()), window),
        estimates={names[kind]: _estimate(kind, one, level) for kind, one in made.items()},
        checks=delay_checks(
            {kind: (parts[kind], one) for kind, one in made.items()},
            ages=ages,
            still_open=window.end > until,
        ),
    )


def _names(kinds: list[str]) -> list[str]:
    """final_<kind> in snake case; a number where two would be the same."""
    out: list[str] = []
    for kind in kinds:
        plain = "final_" + (re.sub(r"[^a-z0-9]+", "_", kind.lower()).strip("_") or "unnamed")
        same = sum(name == plain or name.startswith(f"{plain}__") for name in out)
        out.append(f"{plain}__{same + 1}" if same else plain)
    return out


def _estimate(kind: str, one: Nowcast, level: float) -> Estimate:
    note = None if one.why is None else f"not estimable: {one.why}"
    return Estimate(
        point=one.final, low=one.low, high=one.high, level=level, unit=kind, method=METHOD,
        n=one.seen, note=note,
    )  # fmt: skip


def _frame(made: list[tuple[str, Nowcast]], window: Window) -> pd.DataFrame:
    """The columns of `Maturity.frame`."""
    rows = []
    for kind, one in made:
        nan = float("nan")
        final = nan if one.final is None else one.final
        rows.append(
            {
                "kind": kind,
                "seen": one.seen,
                "factor": final / one.seen if one.seen else nan,
                "final": final,
                "low": nan if one.low is None else one.low,
                "high": nan if one.high is None else one.high,
                "complete": one.seen / final if final > 0 else nan,
                "final_on": _final_on(one, window),
            }
        )
    columns = ["kind", "seen", "factor", "final", "low", "high", "complete", "final_on"]
    frame = pd.DataFrame(rows, columns=columns)
    numbers = dict.fromkeys(columns[2:7], float)
    frame = frame.astype({"kind": "str", "seen": "int64", **numbers})
    frame["final_on"] = pd.to_datetime(frame["final_on"], utc=True).dt.as_unit("us")
    return frame


def _final_on(one: Nowcast, window: Window) -> pd.Timestamp | None:
    """From then on 99 % are in; None where no final count is estimable."""
    if one.final is None or not one.steps < _LONGEST:
        return None
    hours = int(np.ceil(one.steps)) * STEP_HOURS
    return pd.Timestamp(window.end).tz_convert("UTC") + pd.Timedelta(hours=hours)


def _nothing(reason: str) -> Check:
    return Check(
        name="maturity_history",
        verdict="not_run",
        label="late arrivals unknown",
        text=f"What is still to come is not estimated: {reason.rstrip('.')}. The counts are those "
        "of today.",
    )
