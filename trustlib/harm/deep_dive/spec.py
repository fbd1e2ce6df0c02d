"""What a deep-dive is asked, in words that a reviewer would use."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from trustlib.core import Window
from trustlib.harm.taxonomy import Taxonomy


@dataclass(frozen=True, kw_only=True)
class DeepDiveSpec:
    """The design of a deep-dive.

    Attributes
    ----------
    window
        What is sized: items made, and views seen, within it. Half-open.
    history_start
        From when on the trend is drawn.
    compare_from
        Within the window: what comes from here on is "now", what comes earlier "before".
    area
        What the abuse is called: "scam".
    segments
        Names of the segments by which to count, as `AbuseRows.sample` has them.
    taxonomy
        Harm types with their policies, severities and units; None: every violating item weighs 1.
    view_value_usd, item_value_usd
        What a violating view, or item, costs; None: unknown.
    thresholds
        Scores from which on an action is weighed as an option; empty: three that the sample's
        scores suggest.
    timezone
        IANA name, in which the ledger's dates are told.
    level
        Coverage of every interval.
    seed
        Of everything random.
    """

    window: Window
    history_start: datetime
    compare_from: datetime
    area: str = "abuse"
    segments: tuple[str, ...] = ()
    taxonomy: Taxonomy | None = None
    view_value_usd: float | None = None
    item_value_usd: float | None = None
    thresholds: tuple[float, ...] = ()
    timezone: str = "UTC"
    level: float = 0.95
    seed: int = 0
