"""Is a case with more exposure wrong more often: the wrong share of labelled cases by dose.

The arithmetic is `trustlib.postmortem.dose_trend`; here it is decided what can be tested, and told.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from trustlib.core import Estimate, format
from trustlib.data.incident_records import AffectedRows, Side
from trustlib.harm.small_cells import SMALLEST_CELL
from trustlib.postmortem.dose_trend import Bands, Trend, banded, ranks, trend
from trustlib.postmortem.factor import Factor, FactorVerdict, not_tested
from trustlib.postmortem.spec import PostmortemSpec

FloatArray = npt.NDArray[np.float64]

TEST = "trend of the wrong share over dose, errors by account"
METHOD = "weighted linear trend over ranks of the dose, errors clustered by account"
_NAMES: dict[Side, str] = {
    "over": "a dose–response among the actioned cases",
    "under": "a dose–response among the cases that were not actioned",
}
_WRONG: dict[Side, str] = {"over": "wrongly actioned", "under": "missed"}
_FEWEST_LABELS = 30
_FEWEST_OF_EACH = 10  # wrong and right ones, and accounts, in effect
_WEAK = (
    "Dose may stand for something else, such as how busy an account is; labels are taken as true."
)


def dose_response(rows: AffectedRows, side: Side, *, spec: PostmortemSpec) -> Factor:
    """Whether cases of `side` with a higher dose were wrong more often."""
    factor = _NAMES[side]
    for role in ("affected", "labels"):
        if role in rows.missing:
            return not_tested(factor, TEST, rows.missing[role].rstrip("."))
    if not rows.has_dose:
        return not_tested(factor, TEST, "the affected table has no dose")
    labelled = rows.labelled[(rows.labelled["side"] == side) & rows.labelled["dose"].notna()]
    why = _why_not(labelled, side)
    if why is not None:
        return not_tested(factor, TEST, why)
    dose, wrong, weight, account = _arrays(labelled, side)
    level = spec.sizing.level
    x = ranks(dose, weight)
    found = trend(x, wrong, weight=weight, cluster=account, level=level)
    if found is None:
        return not_tested(factor, TEST, "a handful of accounts carries all of the difference")
    bands = banded(dose, wrong, weight=weight, cluster=account, level=level)
    verdict, told = _judged(found, bands, alpha=1 - level, what=_WRONG[side])
    effect = Estimate(
        point=found.rise, low=found.low, high=found.high, level=level, unit="share",
        method=METHOD, n=len(labelled),
    )  # fmt: skip
    text = f"{_told(found, bands, level=level, side=side)} {told} {_WEAK}"
    return Factor(
        factor=factor, test=TEST, verdict=verdict, text=text, effect=effect, p_value=found.p_value
    )


def _why_not(labelled: pd.DataFrame, side: Side) -> str | None:
    if len(labelled) < _FEWEST_LABELS:
        return f"fewer than {_FEWEST_LABELS} labelled cases have a dose"
    wrong = _is_wrong(labelled, side)
    if min(wrong.sum(), (~wrong).sum()) < _FEWEST_OF_EACH:
        return f"fewer than {_FEWEST_OF_EACH} labels are of the rarer kind, wrong or right"
    per_dose = labelled["dose"].value_counts()
    if len(per_dose) < 2:
        return "all labelled cases have the same dose"
    if len(per_dose) == 2 and per_dose.min() < _FEWEST_LABELS:
        return f"there are two doses, and one has fewer than {_FEWEST_LABELS} labels"
    return None


def _is_wrong(labelled: pd.DataFrame, side: Side) -> pd.Series:
    return labelled["label"].eq(0 if side == "over" else 1)


def _arrays(
    labelled: pd.DataFrame, side: Side
) -> tuple[FloatArray, FloatArray, FloatArray, npt.NDArray[np.int64]]:
    """dose, wrong, weight and cluster; in one order whatever the order of the rows."""
    rows = labelled.sort_values("item", kind="stable")
    known = rows["account"].to_numpy(dtype=np.int64)
    alone = -1 - np.arange(len(rows), dtype=np.int64)
    cluster = np.unique(np.where(known >= 0, known, alone), return_inverse=True)[1]
    return (
        rows["dose"].to_numpy(dtype=np.float64),
        _is_wrong(rows, side).to_numpy(dtype=np.float64),
        1 / rows["inclusion"].to_numpy(dtype=np.float64),
        cluster.astype(np.int64),
    )


def _judged(found: Trend, bands: Bands, *, alpha: float, what: str) -> tuple[FactorVerdict, str]:
    if found.p_value > alpha:
        return "not supported", (
            f"No trend is shown ({format.p_value(found.p_value)}); a slight one is not ruled out."
        )
    p = format.p_value(found.p_value)
    if found.rise < 0:
        return "not supported", f"The share falls with the dose ({p}), where it should rise."
    if bands.clear_drop:
        return "not supported", (
            f"There is a trend ({p}), but the share falls clearly between two neighbouring bands."
        )
    shape = "rises from band to band" if bands.rising else "does not rise in every band"
    return "supported", f"There is a trend ({p}); the share {shape}."


def _told(found: Trend, bands: Bands, *, level: float, side: Side) -> str:
    """The rise; shares of bands only where none of them would give a small count away."""
    rise, low, high = (_points(value) for value in (found.rise, found.low, found.high))
    text = (
        f"From the lowest to the highest dose, the share {_WRONG[side]} changes by {rise} "
        f"percentage points ({format.level(level)} interval {low} to {high})."
    )
    if bands.smallest >= SMALLEST_CELL:
        shares = ", ".join(format.percent(float(value)) for value in bands.share)
        text += f" By bands of dose: {shares}."
    return text


def _points(share: float) -> str:
    value = round(100 * share)
    return f"{format.MINUS if value < 0 else '+' if value > 0 else ''}{abs(value)}"
