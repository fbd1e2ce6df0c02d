"""The whole record of one incident, from its counts and tables: the room's one verb."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pandas as pd

from trustlib.core import Check, Estimate
from trustlib.core.format import plural
from trustlib.data import Counts
from trustlib.data.earlier import Earlier
from trustlib.data.incident_records import AffectedRows, RestrictedList
from trustlib.harm.small_cells import SMALLEST_CELL
from trustlib.incidents import SizingResult, sizing
from trustlib.postmortem.alerts import back_test
from trustlib.postmortem.blocks import blocks
from trustlib.postmortem.cases import cases
from trustlib.postmortem.clock import clock
from trustlib.postmortem.factors import factors
from trustlib.postmortem.foreign import refuse_foreign
from trustlib.postmortem.lists import list_quality
from trustlib.postmortem.maturity import maturity
from trustlib.postmortem.people import people
from trustlib.postmortem.published import published
from trustlib.postmortem.result import Postmortem
from trustlib.postmortem.revisions import bridge, then_and_now
from trustlib.postmortem.severity import severity, undecided
from trustlib.postmortem.spec import PostmortemSpec


def postmortem(
    counts: Counts,
    rows: AffectedRows,
    spec: PostmortemSpec,
    *,
    lists: tuple[RestrictedList, ...] = (),
    earlier: Earlier | None = None,
) -> Postmortem:
    """Size the incident, say who was hit, what it cost, what found it, what comes next.

    Nothing in what comes back counts fewer than 11 people or cases
    (`trustlib.postmortem.published`).

    Parameters
    ----------
    counts
        The series that is sized (`trustlib.data.read_counts`).
    rows
        The tables about cases (`trustlib.data.incident_read.read_affected`); each may be missing.
        What was found in them is among the record's checks.
    lists
        As written by `trustlib.data.restricted.write_lists`.
    earlier
        The earlier revision of this record; None for the first.

    Raises
    ------
    Refusal, NoData
        As `trustlib.incidents.sizing`; an earlier report of another incident.
    """
    level, seed = spec.sizing.level, spec.sizing.seed
    sized = sizing(counts.frame, spec.sizing, segments=counts.segments)
    refuse_foreign(earlier, sized)
    hit = cases(rows, level=level, usd_rate=spec.usd_rate)
    who = people(rows, level=level, seed=seed, views_share=spec.views_share)
    listed, list_checks = list_quality(rows, lists, level=level)
    late = maturity(rows, level=level, seed=seed)
    alarms = back_test(counts.frame, sized, spec=spec)
    why = factors(sized, counts.segments, rows, spec=spec)
    # Without cases one check says so; ten that could not be run would hide it.
    of_cases = () if "affected" in rows.missing else (*hit.checks, *who.checks, *list_checks)
    times = clock(sized, rows.change_log, stamps=spec.stamps, timeline=spec.timeline)
    estimates = {
        **sized.estimates,
        "excess_80": _at_80(counts, spec),
        **hit.estimates,
        **who.estimates,
        **listed,
        **times.estimates,
        **late.estimates,
        **alarms.estimates,
    }
    rules, severe = severity(estimates, spec)
    changed = bridge(counts.frame, sized, earlier=earlier, spec=spec, estimates=estimates)
    record = Postmortem(
        spec=spec,
        sizing=sized,
        verdict=_verdict(sized, severe),
        estimates=estimates,
        checks=(
            *sized.checks, *times.checks, *_put_right(rows, spec), *of_cases, *late.checks,
            *alarms.checks, *why.checks, *changed.checks,
            *_severity_checks(rules, severe), *_shrunk(lists),
            *rows.checks,
        ),
        timeline=times.timeline,
        durations=times.durations,
        affected=pd.concat([hit.affected, who.affected], ignore_index=True),
        doses=who.doses,
        top_share=who.top_share,
        overlaps=who.overlaps,
        by_segment=hit.by_segment,
        money=hit.money,
        lists=lists,
        maturity=late.frame,
        detection=alarms.frame,
        trade_off=alarms.trade_off,
        factors=why.frame,
        severity=rules,
        severity_level=severe,
        revision=changed.revision,
        then_now=then_and_now(earlier, estimates),
        blocks=pd.DataFrame(),
        as_of=rows.query.as_of,
        observed_until=rows.observed_until if len(rows.arrivals) else None,
    )  # fmt: skip
    record = replace(record, blocks=blocks(record, rows, earlier=earlier))
    return published(record, earlier=earlier)


def _at_80(counts: Counts, spec: PostmortemSpec) -> Estimate:
    """The excess with its 80 % interval: what a reader may call likely."""
    likely: Mapping[str, Estimate] = sizing(counts.frame, replace(spec.sizing, level=0.8)).estimates
    return likely["excess"]


def _verdict(sized: SizingResult, severe: str | None) -> str:
    return sized.verdict if severe is None else f"{severe}, {sized.verdict}"


def _put_right(rows: AffectedRows, spec: PostmortemSpec) -> tuple[Check, ...]:
    """Whether the cases bear out that all is put right, where that is stated."""
    at = spec.stamps.recovered_at
    suspects = rows.cases[rows.cases["suspect"].astype(bool)]
    if at is None or not rows.has_resolved or not len(suspects):
        return ()
    left = int(suspects["items"].sum() - suspects["resolved"].sum())
    if not left:
        return (
            Check(
                name="all_put_right", verdict="pass", label="suspected cases are put right",
                text="Every suspected case is put right, as the stated recovery says.",
            ),
        )  # fmt: skip
    return (
        Check(
            name="all_put_right", verdict="warn", label="suspected cases are still open",
            text=f"{plural(left, 'case')} that the criterion suspects stood open as far as the "
            "tables tell, though recovery is stated: it is the service's, not theirs.",
        ),
    )  # fmt: skip


def _shrunk(lists: tuple[RestrictedList, ...]) -> tuple[Check, ...]:
    """A list that somebody works through must not lose rows unseen."""
    told = [_left(one) for one in lists if one.left]
    if not told:
        return ()
    lost = any(one.left > one.left_resolved + one.left_judged for one in lists)
    return (
        Check(
            name="lists_keep_their_rows",
            verdict="warn" if lost else "pass",
            label="a list lost rows" if lost else "rows left a list with a reason",
            text=" ".join(told) + " The earlier file is kept beside it.",
        ),
    )


def _left(one: RestrictedList) -> str:
    """How many rows a list lost, by why; without numbers where one of them is small."""
    other = one.left - one.left_resolved - one.left_judged
    parts = {
        "put right since": one.left_resolved,
        "judged otherwise since": one.left_judged,
        "gone because the sources changed": other,
    }
    there = {why: n for why, n in parts.items() if n}
    if any(n < SMALLEST_CELL for n in there.values()):
        return f"Rows of the {one.name} list that stood there before are {', '.join(there)}."
    counts = ", ".join(f"{n:,} {why}" for why, n in there.items())
    return f"Of the {one.name} list that stood there before, rows left: {counts}."


def _severity_checks(rules: pd.DataFrame, severe: str | None) -> tuple[Check, ...]:
    if not len(rules):
        return ()
    open_rules = undecided(rules, severe)
    if open_rules:
        return (
            Check(
                name="severity_decided", verdict="warn", label="severity may be higher",
                text=f"What the rules for {', '.join(open_rules)} look at is not estimable here, "
                "so that severity is neither met nor ruled out.",
            ),
        )  # fmt: skip
    return (
        Check(
            name="severity_decided", verdict="pass", label="severity follows from the rules",
            text="Every rule above the severity that is given could be held against an estimate.",
        ),
    )  # fmt: skip
