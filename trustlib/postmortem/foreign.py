"""An earlier report that is of another incident: its bridge would lead nowhere."""

from __future__ import annotations

from datetime import datetime

from trustlib.core import Refusal, Window
from trustlib.incidents import SizingResult
from trustlib.postmortem.revisions import EarlierReport


def refuse_foreign(earlier: EarlierReport | None, sizing: SizingResult) -> None:
    """Refuse an earlier report that counts something else, or at another time.

    Raises
    ------
    Refusal
        Where its unit or its direction is another, or its window and today's do not overlap.
    """
    rows = [] if earlier is None else earlier.series.get("revision_base", [])
    if not rows:
        return
    base, spec = rows[0], sizing.spec
    apart = [
        name for name in ("unit_label", "direction")
        if base.get(name) is not None and base[name] != getattr(spec, name)
    ]  # fmt: skip
    ends = [base.get(name) for name in ("incident_start", "incident_end")]
    if not apart and all(isinstance(end, str) for end in ends):
        start, end = (datetime.fromisoformat(str(one)) for one in ends)
        if not Window(start, end).overlaps(spec.incident):
            apart = ["the window"]
    if apart:
        raise Refusal(
            f"the earlier report is of another incident: {' and '.join(apart)} differ"
            + ("s" if len(apart) == 1 else ""),
            where="previous_results",
            next_step="name the results.json of an earlier run of this postmortem, or set it to "
            "null",
        )
