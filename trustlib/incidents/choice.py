"""The headline's choices, each made by a rule that looks only at the history."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from trustlib.incidents.contamination import OddDays, odd_days
from trustlib.incidents.control import ControlUse, control_use
from trustlib.incidents.counterfactual import Season, default_season
from trustlib.incidents.grid import Grid
from trustlib.incidents.headline import Sized, sized, sized_from
from trustlib.incidents.level import GAINS, WeeklyLevel, followed, weekly_level

# A gain this small weighs all earlier weeks alike: the standing level, forecast fairly.
_STANDING = 1e-6
# The recent level has to forecast past windows better than the standing one by this much.
_BETTER = 0.98


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What the headline rests on.

    Attributes
    ----------
    grid
        Without the odd days, where there are few of them.
    whole_grid
        With them.
    gain
        Of the recent level; None where the level stands still.
    """

    grid: Grid
    whole_grid: Grid
    season: Season
    control: ControlUse
    odd: OddDays
    level: WeeklyLevel
    gain: float | None
    result: Sized

    @property
    def with_odd(self) -> np.ndarray:
        """Usable history with the odd days, shape (n_buckets,)."""
        return self.result.made.fitted | (self.whole_grid.fitted & self.odd.bucket)


def choose(on: Grid, *, level: float) -> Choice:
    """Control if usable, odd days left out if few, recent level if the weeks drift."""
    use = control_use(on, level=level)
    season = default_season(on, control=use.used)
    plain = sized(on, season, level=level)
    odd = odd_days(on, plain.made)
    clean = on
    if len(odd.days) and not odd.too_many:
        without = replace(on, fitted=on.fitted & ~odd.bucket)
        # Leaving days out must not leave too little for a fit or for an interval.
        if without.fitted.sum() >= without.per_week:
            quieter = sized(without, season, level=level)
            if quieter.error is not None or plain.error is None:
                clean, plain = without, quieter
    weekly = weekly_level(clean, plain.made)
    gain, result = None, plain
    if weekly.drifts and plain.error is not None:
        gain, result = _recent(clean, plain, weekly, level=level)
    return Choice(
        grid=clean,
        whole_grid=on,
        season=season,
        control=use,
        odd=odd,
        level=weekly,
        gain=gain,
        result=result,
    )


def _recent(
    on: Grid, plain: Sized, weekly: WeeklyLevel, *, level: float
) -> tuple[float | None, Sized]:
    """The gain that forecast past windows best from the weeks before them, if it helps."""
    tried = {
        gain: sized_from(on, followed(on, plain.made, weekly, gain=gain), level=level)
        for gain in (_STANDING, *GAINS)
    }
    taus = {gain: one.error.tau for gain, one in tried.items() if one.error is not None}
    if len(taus) < len(tried):
        return None, plain
    best = min(GAINS, key=lambda gain: taus[gain])
    if taus[best] > _BETTER * taus[_STANDING]:
        return None, plain
    return best, tried[best]
