"""Verdicts on the tables of an incident, in a reader's words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pandas as pd

from trustlib.core import Check
from trustlib.core.format import percent, plural
from trustlib.data import clock as clocks
from trustlib.data.abuse_findings import readable
from trustlib.data.engine.abuse_made import UNKNOWN
from trustlib.data.incident_health import Seen
from trustlib.data.incident_label_findings import label_checks
from trustlib.data.incident_prepare import Ready
from trustlib.data.incident_records import STEP_HOURS, AffectedQuery, Role

_KNOWN = 0.95  # of the cases, by their segment
_SILENT = 2 * 24 // STEP_HOURS  # steps without an arrival that may be worth a word
_SPACINGS = 20  # and it is that many times the usual space between two


def checks(
    ready: Ready, seen: Seen, query: AffectedQuery, missing: Mapping[Role, str]
) -> tuple[Check, ...]:
    """All of them, in the order in which a reader would ask; names begin with ``affected_``."""
    found = [_cases(ready, seen, missing)]
    if query.sources:
        found.append(replace(readable(ready.cells), name="affected_readable"))
        found.append(_once(ready, seen))
    found += _late(ready, query)
    if "affected" not in missing:
        found += _resolved(seen)
        found += _money(ready, query)
        found += _segments(seen.frames["by_segment"])
    found += label_checks(ready, seen, missing)
    found += _apart(seen)
    found += _arrivals(seen)
    found += _ended(ready, seen) or _stale(seen.frames["arrivals"])
    return tuple(found)


def _cases(ready: Ready, seen: Seen, missing: Mapping[Role, str]) -> Check:
    name = "affected_cases"
    if "affected" in missing:
        text = f"Not run: of affected items, {missing['affected']}."
        if ready.outside:
            text += f" {plural(ready.outside, 'row')} {_lie(ready.outside)} outside of it: check "
            text += "the window, the time zone and the source's filter."
        return Check(name=name, verdict="not_run", label="no affected items", text=text)
    items = seen.frames["cases"].groupby("side")["items"].sum()
    over, under = int(items.get("over", 0)), int(items.get("under", 0))
    text = (
        "; ".join(
            f"{plural(n, 'item')} that {_was(n)} {'' if name == 'over' else 'not '}actioned"
            for name, n in (("over", over), ("under", under))
            if n
        )
        + "."
    )
    if ready.outside:
        text += f" {plural(ready.outside, 'row')} {_lie(ready.outside)} outside the window and "
        text += "do not count." if ready.outside > 1 else "does not count."
    return Check(name=name, verdict="pass", label="affected items counted", text=text)


def _was(n: int) -> str:
    return "was" if n == 1 else "were"


def _lie(n: int) -> str:
    return "lies" if n == 1 else "lie"


def _once(ready: Ready, seen: Seen) -> Check:
    name = "affected_once"
    more = {
        "affected": ready.repeated,
        "labels": ready.judged.get("twice", 0),
        "arrivals": seen.arrivals.get("twice", 0),
        "the change log": seen.changes.get("twice", 0),
    }
    said = ", ".join(f"{n:,} of {role}" for role, n in more.items() if n)
    text = f"Rows that are there more than once count once: {said}." if said else ""
    equal, nameless = seen.arrivals.get("equal", 0), 0
    if not ready.tables.has("labels", "rater_id"):
        nameless = ready.judged.get("twice", 0)
    if nameless:
        text += (
            f" Labels do not say who gave them: {plural(nameless, 'equal row')} may be votes of "
            "others, and count as one vote."
        )
    if equal:
        text += (
            f" {plural(equal, 'arrival')} {'equals' if equal == 1 else 'equal'} another in kind "
            "and times and still counts: a column arrival_id would tell whether it is one row "
            "that is there twice."
        )
    if not text:
        text = "No row is there twice."
        return Check(name=name, verdict="pass", label="no row twice", text=text)
    return Check(name=name, verdict="warn", label="rows there twice", text=text.strip())


def _late(ready: Ready, query: AffectedQuery) -> list[Check]:
    name = "affected_as_of"
    if query.as_of is None or ready.until is None:
        return []
    late = {role: n for role, n in ready.late.items() if n}
    text = "No row is later than as_of."
    if late:
        said = ", ".join(f"{n:,} of {role.replace('_', ' ')}" for role, n in late.items())
        text = f"Rows later than as_of are left out, as if they were not there yet: {said}."
    return [Check(name=name, verdict="pass", label="as of the stated instant", text=text)]


def _resolved(seen: Seen) -> list[Check]:
    if not seen.early:
        return []
    text = (
        f"{plural(seen.early, 'case')} {_was(seen.early)} put right before the time at which "
        f"{'it' if seen.early == 1 else 'they'} happened: one of the two times is not right."
    )
    return [Check(name="affected_resolved", verdict="warn", label="times out of order", text=text)]


def _money(ready: Ready, query: AffectedQuery) -> list[Check]:
    if not ready.amounts:
        return []
    name, empty, parts = "affected_money", ready.amounts["empty"], ready.amounts["parts"]
    text = f"Every case has an amount in {query.currency}."
    if empty:
        text = (
            f"{plural(empty, 'case')} {'has' if empty == 1 else 'have'} no gross amount and "
            f"{'counts' if empty == 1 else 'count'} as 0: the loss may be larger."
        )
    if parts:
        text += f" {plural(parts, 'case')} with parts of a cent, rounded to cents."
    label = "amounts missing" if empty else "amounts there"
    return [Check(name=name, verdict="warn" if empty else "pass", label=label, text=text)]


def _segments(by_segment: pd.DataFrame) -> list[Check]:
    if not len(by_segment):
        return []
    total = by_segment.groupby("segment")["items"].sum()
    of = by_segment[by_segment["value"] == UNKNOWN].groupby("segment")["items"].sum()
    known = 1 - of.reindex(total.index, fill_value=0) / total
    worst = str(known.idxmin())
    text = f"The {worst} of {percent(float(known.min()))} of the cases is known"
    text += ", of the other segments at least as many." if len(known) > 1 else "."
    few = bool(known.min() < _KNOWN)
    return [
        Check(
            name="affected_segments",
            verdict="warn" if few else "pass",
            label="segments with gaps" if few else "segments known",
            text=text,
        )
    ]


def _apart(seen: Seen) -> list[Check]:
    if not seen.apart:
        return []
    text = (
        f"Nobody is in both of {'; nor in '.join(seen.apart)}. Ids are compared as they are "
        "written: check that account_id and viewer_id are written alike."
    )
    return [Check(name="affected_ids", verdict="warn", label="nobody in both", text=text)]


def _arrivals(seen: Seen) -> list[Check]:
    early, after = seen.arrivals.get("early", 0), seen.arrivals.get("after", 0)
    if not early and not after:
        return []
    said = []
    if early:
        said.append(f"{plural(early, 'arrival')} came before the event")
    if after:
        said.append(f"{plural(after, 'arrival')} lie far after everything else")
    text = f"{' and '.join(said)}: left out, since one of the times is not right."
    return [Check(name="affected_arrivals", verdict="warn", label="times out of order", text=text)]


def _ended(ready: Ready, seen: Seen) -> list[Check]:
    """Whether the arrivals end before the instant that counts as now."""
    if ready.until is None or seen.heard is None or seen.heard >= ready.until:
        return []
    hours = (ready.until - seen.heard) / 3600
    text = (
        f"Arrivals end {hours:,.0f} hours before the instant that counts as now, with too many "
        "usual for that to be chance: the table was written earlier. What is final is told from "
        f"{clocks.instant(seen.heard):%d %b %Y, %H:%M} UTC on, where they end."
    )
    return [Check(name="affected_arrivals_end", verdict="warn", label="arrivals stop", text=text)]


def _stale(arrivals: pd.DataFrame) -> list[Check]:
    """Whether arrivals of a kind stop long before the instant up to which the tables are read."""
    since = arrivals["age"] - arrivals["delay"]
    silent = []
    for kind, mine in arrivals.groupby("kind"):
        ago = since.loc[mine.index]
        spacing = (ago.max() - ago.min()) / mine["n"].sum()
        if ago.min() > _SILENT and ago.min() > _SPACINGS * spacing:
            silent.append(f"{kind} ({plural(int(ago.min()) * STEP_HOURS // 24, 'day')})")
    if not silent:
        return []
    text = (
        f"Nothing arrived for long up to the instant that counts as now: {', '.join(silent)}. If "
        "the table was written earlier than that, what arrived since is missing: set as_of to "
        "the time at which it was written."
    )
    return [Check(name="affected_arrivals_end", verdict="warn", label="arrivals stop", text=text)]
