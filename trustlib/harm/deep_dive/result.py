"""Everything that a deep-dive found, one field per question."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from trustlib.core import Check, Estimate
from trustlib.data.abuse_records import Confirmed
from trustlib.harm.agreement import Agreement
from trustlib.harm.concentration import Concentration
from trustlib.harm.control_rates import Overturns
from trustlib.harm.controls import Controls
from trustlib.harm.coordination import Coordination
from trustlib.harm.corrected import CorrectedPrevalence
from trustlib.harm.deep_dive.spec import DeepDiveSpec
from trustlib.harm.instrument_ledger import InstrumentLedger
from trustlib.harm.lifecycle import Lifecycle
from trustlib.harm.newly_frequent import NewlyFrequent
from trustlib.harm.options import Ranking
from trustlib.harm.prediction_powered import PredictionPowered
from trustlib.harm.prevalence import Prevalence
from trustlib.harm.rate_and_mix import RateAndMix
from trustlib.harm.rater_error import RaterError
from trustlib.harm.segment_search import SegmentSearch
from trustlib.harm.survivorship import Survivorship
from trustlib.harm.unseen import Unseen


@dataclass(frozen=True, kw_only=True, eq=False)
class Size:
    """How much: a floor that is known, an estimate, and how the labels were set right.

    Attributes
    ----------
    items, views
        As the labels say; None where there are no labels of this kind.
    items_corrected, views_corrected
        With the raters' errors taken out; None where these are not known.
    prediction_powered
        Beside it, with the score's help; None without scores.
    rater_error, agreement
        Of the raters; None without gold labels, or without items rated twice. The error is that of
        a label with as many votes as the sample's items have.
    confirmed
        The floor.
    labels_arrived
        week, share, low, high, labels, expected: labels over those that the week's sampling gives.
    """

    items: Prevalence | None
    views: Prevalence | None
    items_corrected: CorrectedPrevalence | None
    views_corrected: CorrectedPrevalence | None
    prediction_powered: PredictionPowered | None
    rater_error: RaterError | None
    agreement: Agreement | None
    confirmed: Confirmed | None
    labels_arrived: pd.DataFrame


@dataclass(frozen=True, kw_only=True, eq=False)
class Where:
    """Where and who.

    Attributes
    ----------
    segments
        Segment -> its values as `prevalence_by` gives them, highest share first.
    mix
        Rate against mix, before and now; None where not estimable, as all below.
    search
        Segments that stand out, confirmed on held-out accounts; `rate` is too low by the weights
        that were cut (`trustlib.harm.deep_dive.searched`), everywhere alike.
    growing
        The same for growth, before against now.
    concentration
        Of confirmed violating items on accounts.
    survivorship
        What the join with accounts leaves out.
    """

    segments: Mapping[str, pd.DataFrame]
    mix: RateAndMix | None
    search: SegmentSearch | None
    growing: SegmentSearch | None
    concentration: Concentration | None
    survivorship: Survivorship | None


@dataclass(frozen=True, kw_only=True, eq=False)
class How:
    """How it works.

    Attributes
    ----------
    lifecycles
        The stages that there are times for.
    coordination
        Clusters of accounts beyond chance; None without links and shares.
    newly_frequent
        Domains and texts that rose; None without any. Its tokens have a column name with a keyed
        name ("domain 3f9a1c") that means nothing outside this report.
    """

    lifecycles: tuple[Lifecycle, ...]
    coordination: Coordination | None
    newly_frequent: NewlyFrequent | None


@dataclass(frozen=True, kw_only=True, eq=False)
class Today:
    """What today's controls do, and what they miss.

    Attributes
    ----------
    controls
        Recall, precision and overlap, user reports among them; None without labels or controls.
    hits
        source, items: what each acted on in the window.
    overturns
        None without appeals.
    proactive
        None without reports or actions.
    unseen
        A lower bound; None with fewer than two controls.
    """

    controls: Controls | None
    hits: pd.DataFrame
    overturns: Overturns | None
    proactive: Estimate | None
    unseen: Unseen | None


@dataclass(frozen=True, kw_only=True, eq=False)
class DeepDive:
    """All of it.

    Attributes
    ----------
    ledger
        The weekly series with its trend, moves and instrument changes; None without labels.
    ranking
        Options by harm addressed per false positive; None without labels.
    why
        Field ("size.views", "ledger", "where.mix", "how.coordination", "today.overturns",
        "ranking", …) -> the sentence that says why it is None or empty. Every such field is in it;
        and "roles.links" … for every table that is not there.
    estimates
        By name, as results.json has them: prevalence, prevalence_views, affected_accounts,
        recall_of_controls, unseen_lower_bound always, not estimable ones with their note.
    checks
        Of all sections, each name once.
    verdict
        A few words for a gallery.
    """

    spec: DeepDiveSpec
    size: Size
    ledger: InstrumentLedger | None
    where: Where
    how: How
    today: Today
    ranking: Ranking | None
    why: Mapping[str, str]
    estimates: Mapping[str, Estimate]
    checks: tuple[Check, ...]
    verdict: str

    def series(self) -> dict[str, list[dict[str, object]]]:
        """Rows of plain values for results.json, by name: what of them may be shown."""
        from trustlib.harm.deep_dive.series import series

        return series(self)
