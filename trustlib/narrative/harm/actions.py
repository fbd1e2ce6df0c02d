"""What it rests on, and what to do next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from trustlib.core import Check, View, stack
from trustlib.core.text import clean
from trustlib.data import Snapshot
from trustlib.harm.deep_dive.published import safe_checks
from trustlib.harm.deep_dive.result import DeepDive
from trustlib.harm.deep_dive.told import amount
from trustlib.harm.options import SURE
from trustlib.narrative import house, run
from trustlib.narrative.harm import words
from trustlib.narrative.harm.today import best, chance


class Read(Protocol):
    """What was read of several tables: `AbuseRows`."""

    @property
    def checks(self) -> tuple[Check, ...]: ...
    @property
    def snapshots(self) -> object: ...


def can_we_believe_it(checks: Sequence[Check]) -> View:
    """How many checks pass, and what the others need."""
    return run.can_we_believe_it(safe_checks(checks))


def what_it_rests_on(result: DeepDive) -> View:
    """The heading above the table of assumptions."""
    estimate, of = words.headline(result)
    if estimate.point is None:
        return house.finding("What an answer would rest on")
    if result.size.rater_error is None:
        return house.finding(f"The share of {of} rests on labels whose errors are not known")
    return house.finding(f"The share of {of} rests on a random sample and on raters' labels")


def what_to_do(result: DeepDive, checks: Sequence[Check]) -> View:
    """Next steps that follow from the findings and the checks."""
    steps = _steps(result, safe_checks(checks))
    estimate, _ = words.headline(result)
    lead = "Fund labels before anyone quotes a share"
    if estimate.point is not None:
        weak = any(check.verdict == "fail" for check in checks)
        lead = "Act on the first option, and measure again"
        first = None if result.ranking is None else best(result.ranking)
        if result.ranking is None or first is None:
            lead = "Measure what could be done before choosing"
        elif weak:
            lead = "Mend what fails, then act"
        elif (chance(result.ranking, first) or 1.0) < SURE:
            lead = "Settle which option comes first, then act"
    return stack([house.finding(lead), house.bullets(steps)])


def _steps(result: DeepDive, checks: Sequence[Check]) -> list[str]:
    steps = []
    estimate, of = words.headline(result)
    if words.has_interval(estimate):
        number, interval = amount(estimate)
        steps.append(
            f"Quote {number} of {of} with its {words.level(result)} interval, {interval}; never "
            "the number alone."
        )
    ledger = result.ledger
    if ledger is not None and len(ledger.moves) and not ledger.moves["attributable"].all():
        steps.append(
            "Credit nobody with a move that came with a change of the instrument: label some items "
            "of before in the new way to tell the two apart."
        )
    if ledger is not None and ledger.check.verdict == "not_run":
        steps.append("Keep a ledger of changes of policies, models, sampling and logging.")
    if result.size.rater_error is None:
        steps.append("Have raters label items of known truth, so that their errors can be told.")
    join = result.where.survivorship
    if join is not None and join.check.verdict in ("warn", "fail"):
        steps.append("Keep a row for closed accounts: joins leave out those that matter most.")
    groups = result.how.coordination
    if groups is not None and len(groups.clusters):
        steps.append("Have a person look at each group before acting: a tie is no verdict.")
    steps += [text for name, text in _MENDED.items() if _warns(checks, name)]
    for check in checks:
        if check.verdict == "fail":
            steps.append(f"Judge what fails: {clean(check.label)}.")
    if result.estimates["recall_of_controls"].point is None:
        steps.append("Label a random sample of items, flagged or not, to learn what controls miss.")
    return steps or ["Repeat this when a new month of labels is there."]


_MENDED = {
    "strata_without_positives": "Put more labels into the strata without a violating one: a "
    "single one there would move the share.",
    "inclusion_probabilities": "Check how the chances to be labelled were recorded: the labels' "
    "weights do not add up.",
    "labels_arrived": "Repeat this when the late labels are there.",
}


def _warns(checks: Sequence[Check], name: str) -> bool:
    return any(c.verdict == "warn" and c.name in (name, f"{name}_views") for c in checks)


def what_was_read(rows: Read) -> View:
    """How many rows of how many tables, what is missing, and what stands out."""
    snapshots: dict[str, Snapshot] = dict(rows.snapshots)  # type: ignore[call-overload]
    n = sum(one.rows for one in snapshots.values())
    tables = "table" if len(snapshots) == 1 else "tables"
    verb = "was" if n == 1 else "were"
    text = f"{n:,} {'row' if n == 1 else 'rows'} {verb} read from "
    text += f"{house.number_word(len(snapshots))} {tables}"
    missing = [str(role).replace("_", " ") for role in getattr(rows, "missing", {})]
    flagged = [clean(c.label) for c in rows.checks if c.verdict in ("fail", "warn")]
    if missing:
        text += f"; not given: {house.listed(missing)}"
    if flagged:
        text += f"; to note: {house.listed(flagged[:3])}"
    return house.finding(text if missing or flagged else f"{text}; nothing about them stands out")
