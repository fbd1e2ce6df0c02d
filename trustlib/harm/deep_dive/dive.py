"""A whole deep-dive from the small frames of the tables: one call, one section per question."""

from __future__ import annotations

from trustlib.data.abuse_records import AbuseRows
from trustlib.harm.deep_dive.checks import all_checks
from trustlib.harm.deep_dive.estimates import estimates
from trustlib.harm.deep_dive.growth import growth
from trustlib.harm.deep_dive.how import absent, how
from trustlib.harm.deep_dive.options import ranking
from trustlib.harm.deep_dive.reach import affected_accounts
from trustlib.harm.deep_dive.result import DeepDive
from trustlib.harm.deep_dive.samples import samples
from trustlib.harm.deep_dive.size import size, size_checks
from trustlib.harm.deep_dive.spec import DeepDiveSpec
from trustlib.harm.deep_dive.today import today
from trustlib.harm.deep_dive.verdict import verdict
from trustlib.harm.deep_dive.where import where


def deep_dive(rows: AbuseRows, spec: DeepDiveSpec) -> DeepDive:
    """How big, since when, where and who, how, what controls miss, what to do.

    A role without a source, or with too little in it, leaves its fields None: `why` says so, field
    by field, and the rest stands.

    Raises
    ------
    ValueError
        If the spec asks for another window, or for segments, than the rows were read with.
    """
    _same(rows, spec)
    drawn = samples(rows, spec)
    why = {f"roles.{role}": absent(rows, role, "") for role in rows.missing}
    sized, more = size(rows, drawn, spec)
    why |= more
    ledger, more = growth(rows, drawn, spec)
    why |= more
    placed, more = where(rows, drawn, sized.rater_error, spec)
    why |= more
    ways, more = how(rows, spec)
    why |= more
    controlled, more = today(rows, drawn, spec)
    why |= more
    ranked, more = ranking(rows, drawn, controlled, ways, spec)
    why |= more
    return DeepDive(
        spec=spec,
        size=sized,
        ledger=ledger,
        where=placed,
        how=ways,
        today=controlled,
        ranking=ranked,
        why=why,
        estimates=estimates(
            drawn,
            size=sized,
            where=placed,
            today=controlled,
            affected=affected_accounts(rows, drawn, sized, spec),
            why=why,
            spec=spec,
        ),
        checks=all_checks(
            read=rows.checks,
            size=sized,
            of_size=size_checks(sized, drawn, spec),
            ledger=ledger,
            where=placed,
            how=ways,
            today=controlled,
            ranking=ranked,
        ),
        verdict=verdict(sized, ledger, placed, spec),
    )


def _same(rows: AbuseRows, spec: DeepDiveSpec) -> None:
    query = rows.query
    for name in ("window", "history_start", "compare_from"):
        if getattr(query, name) != getattr(spec, name):
            raise ValueError(f"deep_dive: {name} is not the one that the rows were read with")
    strange = [name for name in spec.segments if name not in query.segments]
    if strange:
        raise ValueError(f"deep_dive: {len(strange)} of the segments were not read with the rows")
