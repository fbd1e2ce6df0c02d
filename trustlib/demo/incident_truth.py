"""What the demo world's incidents did in truth, case by case: kept apart for tests."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from trustlib.core import Refusal, Window, did_you_mean
from trustlib.demo.world import read_truth

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@dataclass(frozen=True, kw_only=True)
class TrueCase:
    """An item that the incident may have hit, as in ``incident_cases``, and what is true of it.

    Attributes
    ----------
    violating
        Whether the item violates.
    wrong
        Acted on and not violating, or not acted on and violating: by the incident or by the
        rules' ordinary mistakes.
    planted
        Whether the incident did it.
    gross_cents, recovered_cents
        US cents; they count where the case is wrong.
    resolved_at
        When it was put right; None: never, or it is not on record.
    """

    item_id: int
    account_id: int
    customer_id: int | None
    market: str
    suspect: bool
    violating: bool
    wrong: bool
    planted: bool
    dose: int
    gross_cents: int
    recovered_cents: int
    resolved_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class IncidentTruth:
    """One incident of the demo world.

    Attributes
    ----------
    incident_id, side
        ``over-blocking`` or ``under-blocking``; the cases' side in a postmortem.
    window
        From the first second of impact on; half-open.
    cause_at, cause
        When and how its cause stands in ``change_log``.
    cases
        By item_id, ascending.
    viewers
        Distinct accounts in ``views`` that saw a wrong case from the start on; 0 for "over", where
        nobody is harmed by what is seen.
    repeated
        Rows of ``action_log`` in the window that are deliveries of an event that is there already.
    final_appeals, final_labels, final_chargebacks
        About what happened in the window, whenever they came, after the world's end too. Appeals
        are against any action of the window, labels are the audit's.
    """

    incident_id: str
    side: Literal["over", "under"]
    window: Window
    cause_at: datetime
    cause: str
    cases: tuple[TrueCase, ...]
    viewers: int
    repeated: int
    final_appeals: int
    final_labels: int
    final_chargebacks: int

    @property
    def wrong(self) -> tuple[TrueCase, ...]:
        """The cases that were decided wrongly."""
        return tuple(case for case in self.cases if case.wrong)

    @property
    def accounts(self) -> int:
        """Distinct authors of wrong cases."""
        return len({case.account_id for case in self.wrong})

    @property
    def customers(self) -> int:
        """Distinct customers, as far as authors of wrong cases belong to one."""
        return len({case.customer_id for case in self.wrong} - {None})

    @property
    def gross_usd(self) -> float:
        """Lost by wrong cases."""
        return sum(case.gross_cents for case in self.wrong) / 100

    @property
    def recovered_usd(self) -> float:
        """Got back of it."""
        return sum(case.recovered_cents for case in self.wrong) / 100

    @property
    def net_usd(self) -> float:
        """Lost and not got back."""
        return sum(case.gross_cents - case.recovered_cents for case in self.wrong) / 100

    def left(self, as_of: datetime) -> tuple[TrueCase, ...]:
        """The wrong cases that were not put right by `as_of` (aware)."""
        return tuple(
            case for case in self.wrong if case.resolved_at is None or case.resolved_at > as_of
        )


def incident_truth(folder: Path, incident_id: str) -> IncidentTruth:
    """What is true of `incident_id` in the world of `folder`. For tests, as `truth`.

    Raises
    ------
    Refusal
        If the world has no such incident.
    """
    import duckdb

    with contextlib.closing(duckdb.connect()) as engine:
        for name in ("world", "truth"):
            path = str(folder / f"{name}.duckdb").replace("'", "''")
            engine.execute(f"ATTACH '{path}' AS {name} (READ_ONLY)")
        engine.execute("USE world")
        return read_incident_truth(engine, incident_id)


def read_incident_truth(engine: DuckDBPyConnection, incident_id: str) -> IncidentTruth:
    """`incident_truth` over an open connection with the truth attached as ``truth``."""
    known = {each.incident_id: each for each in read_truth(engine, "truth")}
    if incident_id not in known:
        raise Refusal(
            f"the demo world has no incident {incident_id!r}",
            nearest=did_you_mean(incident_id, known),
            next_step=f"choose one of {', '.join(known)}" if known else None,
        )
    incident = known[incident_id]
    ((cause_at, cause),) = engine.execute(
        "SELECT changed_at, change FROM truth.incident_causes WHERE incident_id = ?", [incident_id]
    ).fetchall()
    window = incident.window
    bounds = [at.astimezone(UTC).replace(tzinfo=None) for at in (window.start, window.end)]
    return IncidentTruth(
        incident_id=incident_id,
        side="over" if incident.kind == "over_blocking" else "under",
        window=window,
        cause_at=cause_at.replace(tzinfo=UTC),
        cause=cause,
        cases=_cases(engine, incident_id),
        viewers=_viewers(engine, incident_id, bounds[0]),
        repeated=_one(
            engine,
            "SELECT count(*) - count(DISTINCT event_id) FROM action_log "
            "WHERE acted_at >= ? AND acted_at < ?",
            bounds,
        ),
        final_appeals=_final(
            engine,
            "SELECT acted_at AS event_at FROM appeals JOIN actions USING (action_id)",
            "appeals",
            bounds,
        ),
        final_labels=_one(
            engine,
            "SELECT count(*) FROM (SELECT incident_id FROM incident_audit UNION ALL "
            "SELECT incident_id FROM truth.late_labels) WHERE incident_id = ?",
            [incident_id],
        ),
        final_chargebacks=_final(engine, "SELECT event_at FROM chargebacks", "chargebacks", bounds),
    )


def _cases(engine: DuckDBPyConnection, incident_id: str) -> tuple[TrueCase, ...]:
    rows = engine.execute(
        "SELECT item_id, account_id, customer_id, market, suspect, violating, wrong, planted, "
        "dose, gross_usd, recovered_usd, resolved_at FROM incident_cases "
        "JOIN truth.incident_cases AS t USING (incident_id, item_id) "
        "WHERE incident_id = ? ORDER BY item_id",
        [incident_id],
    ).fetchall()
    return tuple(
        TrueCase(
            item_id=item,
            account_id=account,
            customer_id=customer,
            market=market,
            suspect=suspect,
            violating=violating,
            wrong=wrong,
            planted=planted,
            dose=dose,
            gross_cents=round(gross * 100),
            recovered_cents=round(recovered * 100),
            resolved_at=resolved.replace(tzinfo=UTC) if resolved else None,
        )
        for (item, account, customer, market, suspect, violating, wrong, planted, dose, gross,
             recovered, resolved) in rows
    )  # fmt: skip


def _viewers(engine: DuckDBPyConnection, incident_id: str, start: datetime) -> int:
    return _one(
        engine,
        "SELECT count(DISTINCT viewer_id) FROM views JOIN truth.incident_cases USING (item_id) "
        "WHERE incident_id = ? AND side = 'under' AND wrong AND viewed_at >= ?",
        [incident_id, start],
    )


def _final(engine: DuckDBPyConnection, seen: str, kind: str, bounds: Sequence[datetime]) -> int:
    return _one(
        engine,
        f"SELECT count(*) FROM ({seen} UNION ALL SELECT event_at FROM truth.late_{kind}) "
        "WHERE event_at >= ? AND event_at < ?",
        bounds,
    )


def _one(engine: DuckDBPyConnection, sql: str, values: Sequence[Any]) -> int:
    row = engine.execute(sql, values).fetchone()
    return int(row[0]) if row else 0
