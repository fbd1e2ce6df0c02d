"""A control series: moved by what moves the counts, untouched by the incident."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from trustlib.core import Check, format
from trustlib.incidents.counterfactual import default_season, log_control
from trustlib.incidents.grid import Grid
from trustlib.incidents.headline import Sized, sized

# Share of the fitted history that a control may miss before it is set aside.
_MOST_MISSING = 0.2
CONTROL_MOVED = "the control moved too"


@dataclass(frozen=True, kw_only=True)
class ControlUse:
    """Whether the control is used, and what is said about it.

    Attributes
    ----------
    asked
        The counts have a control column.
    why_not
        Why it is set aside; None where it is used.
    beyond
        Window buckets where log(control) is outside everything the fit has seen.
    own
        The control sized as if it were the counts: did it move itself?
    """

    asked: bool
    why_not: str | None
    beyond: int = 0
    own: Sized | None = None

    @property
    def moved(self) -> bool:
        """The control is used, and left its own season in the incident's hours."""
        return self.used and self.own is not None and self.own.significant

    @property
    def used(self) -> bool:
        return self.asked and self.why_not is None


def control_use(grid: Grid, *, level: float) -> ControlUse:
    """Look at the control before it is used."""
    if grid.control is None:
        return ControlUse(asked=False, why_not="no control series was given")
    known = np.isfinite(grid.control)
    fitted, missing = grid.fitted, grid.fitted & ~known
    if missing.sum() > _MOST_MISSING * fitted.sum():
        why = f"it is missing in {missing.sum()} of {fitted.sum()} buckets of the history"
        return ControlUse(asked=True, why_not=why)
    if (grid.present & ~known).any():
        n = int((grid.present & ~known).sum())
        return ControlUse(asked=True, why_not=f"it is missing in {n} buckets of the incident")
    values = grid.control[fitted & known]
    n = int((grid.control[grid.present] == 0).sum())
    if n and not (values == 0).any():
        # Where it was never zero before, a zero is an outage of the control, not of the world.
        why = f"it is zero in {n} buckets of the incident and never in the history"
        return ControlUse(asked=True, why_not=why)
    if not (values > 0).any() or np.ptp(values) == 0:
        return ControlUse(asked=True, why_not="it is constant over the history")
    seen = log_control(grid)
    inside = seen[fitted & known]
    window = seen[grid.present]
    beyond = int(((window < inside.min()) | (window > inside.max())).sum())
    of_control = replace(grid, count=grid.control, fitted=fitted & known)
    own = sized(of_control, default_season(of_control, control=False), level=level)
    return ControlUse(asked=True, why_not=None, beyond=beyond, own=own)


def control_check(use: ControlUse, *, level: float) -> Check:
    name = "control_usable"
    if not use.asked:
        return Check(
            name=name,
            verdict="not_run",
            label="no control series",
            text="No control series was given; one that shares the ups and downs but not the "
            "incident narrows the interval.",
        )
    if not use.used or use.own is None:
        return Check(
            name=name,
            verdict="fail",
            label="control not used",
            text=f"The control series is set aside: {use.why_not}.",
        )
    own = use.own
    share = own.excess / own.expected if own.expected > 0 else 0.0
    moved = (
        f"In the incident's hours the control itself came out {format.percent(share, sign=True)} "
        "from its own season"
    )
    if use.moved:
        ways = ("too high", "too low") if share > 0 else ("too low", "too high")
        return Check(
            name=name,
            verdict="warn",
            label=CONTROL_MOVED,
            text=f"{moved}, outside its {format.level(level)} interval. If the incident moved it, "
            f"what is expected is {ways[0]} and the excess {ways[1]}; the sensitivity table has "
            "the figure without it.",
        )
    if use.beyond:
        return Check(
            name=name,
            verdict="warn",
            label="control beyond its history",
            text=f"{moved}, and in {format.plural(use.beyond, 'bucket')} it is outside everything "
            "seen in the history: the forecast extrapolates.",
        )
    return Check(
        name=name,
        verdict="pass",
        label="control usable",
        text=f"{moved}, inside its {format.level(level)} interval.",
    )
