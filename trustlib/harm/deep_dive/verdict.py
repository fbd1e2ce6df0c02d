"""A few words for a gallery: is it sized, does it grow, and can the move be believed."""

from __future__ import annotations

from trustlib.core import Estimate
from trustlib.harm.deep_dive.result import Size, Where
from trustlib.harm.deep_dive.spec import DeepDiveSpec
from trustlib.harm.instrument_ledger import InstrumentLedger
from trustlib.harm.prevalence_checks import FEW

NOT_SIZED = "not sized"
TOO_FEW = "too few labels"
SAY_NOTHING = "labels say nothing"
SIZED = "sized"
GROWING = "growing"
FALLING = "falling"
IN_A_SEGMENT = "growing in a segment"
NOT_ATTRIBUTABLE = "not attributable"
NO_LEDGER = "instrument not known"


def verdict(size: Size, ledger: InstrumentLedger | None, where: Where, spec: DeepDiveSpec) -> str:
    """The first that holds of:

    not sized
        there is no label of items or views;
    labels say nothing
        raters find violating items no better than chance;
    too few labels
        fewer than 10 violating labels of either kind;
    sized
        the share did not clearly move from before to now;
    sized, not attributable
        it moved, and the instrument changed within the window;
    sized, growing (or falling, or growing in a segment)
        it moved, with "instrument not known" where nobody listed changes of the instrument.

    The whole is said to move only where labels of both kinds stand in nearly all parts (check
    rates_known): elsewhere its interval is too narrow. In a segment, where one that stands for
    itself is confirmed to grow on the accounts that were held out.
    """
    shares = [one for one in (size.items, size.views) if one is not None]
    if not any(one.estimate.point is not None for one in shares):
        return NOT_SIZED
    error = size.rater_error
    measured = error is not None and error.check.verdict != "not_run"
    if error is not None and measured and not error.informative:
        return SAY_NOTHING
    if max(one.positives for one in shares) < FEW:
        return TOO_FEW
    move = _move(ledger, where)
    if not move:
        return SIZED
    if _changed(ledger, spec):
        return f"{SIZED}, {NOT_ATTRIBUTABLE}"
    known = ledger is not None and ledger.check.verdict != "not_run"
    return f"{SIZED}, {move}" if known else f"{SIZED}, {move}, {NO_LEDGER}"


def _move(ledger: InstrumentLedger | None, where: Where) -> str:
    """From before to now; of the whole history where the two were not compared."""
    if where.mix is None:
        whole = _side(ledger.trend.change, still=1.0) if ledger is not None else ""
    else:
        known = all(c.verdict == "pass" for c in where.mix.checks if c.name == "rates_known")
        whole = _side(where.mix.change, still=0.0) if known else ""
    if whole or where.growing is None:
        return whole
    own = where.growing.segments.query("confirmed and explained_by == ''")
    return IN_A_SEGMENT if len(own) else ""


def _side(change: Estimate, *, still: float) -> str:
    if change.low is None or change.high is None:
        return ""
    if change.low > still:
        return GROWING
    return FALLING if change.high < still else ""


def _changed(ledger: InstrumentLedger | None, spec: DeepDiveSpec) -> bool:
    """Whether the instrument changed within the window, after its first instant."""
    if ledger is None:
        return False
    at = ledger.changes["at"]
    return bool(((at > spec.window.start) & (at < spec.window.end)).any())
