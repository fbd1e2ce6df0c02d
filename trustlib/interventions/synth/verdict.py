"""What the numbers and the checks together allow to be said."""

from __future__ import annotations

from collections.abc import Iterable

from trustlib.core import Check, Estimate

# A failure of one of these means that the number cannot be read as the effect.
DECISIVE = frozenset(
    {
        "pre_fit",
        "pre_periods",
        "donors_affected",
        "enough_donors",
        "in_time_placebo",
        "leave_one_donor_out",
        "structural_break",
        "estimators_agree",
        "predictor_weights",
        "one_donor",
    }
)
# Warnings that take the ground from an effect where the interval shows one: check, label.
UNDERMINING = frozenset(
    {("in_time_placebo", "as large before the start"), ("exact_fit", "matched too well")}
)
ALONE = "a change, cause not shown"


def verdict(
    att: Estimate, p_value: float | None, least: float | None, checks: Iterable[Check]
) -> str:
    """ "effect shown", "no effect shown", "not conclusive" or "not estimable".

    Parameters
    ----------
    p_value, least
        Of the placebo ranks, and the smallest that so many placebos can give; None without.
    """
    if att.low is None or att.high is None:
        return "not estimable"
    apart = not att.low <= 0 <= att.high
    if objection(checks, apart=apart) is not None or not _ranks_agree(
        apart, p_value, least, 1 - att.level
    ):
        return "not conclusive"
    return "effect shown" if apart else "no effect shown"


def objection(checks: Iterable[Check], *, apart: bool) -> Check | None:
    """The check for which the number cannot be read as the effect; None where there is none.

    Parameters
    ----------
    apart
        Whether the interval leaves zero out.
    """
    checks = tuple(checks)
    for check in checks:
        if check.verdict == "fail" and check.name in DECISIVE:
            return check
    for check in checks:
        if apart and (check.name, check.label) in UNDERMINING:
            return check
    return None


def _ranks_agree(apart: bool, p_value: float | None, least: float | None, chance: float) -> bool:
    """Whether the placebos' ranks say what the interval says, as far as they can.

    Where so few placebos cannot give a p-value of `chance`, an effect must at least be the most
    unusual of all; being it proves nothing there.
    """
    if p_value is None or least is None:
        return True
    unusual = p_value <= max(chance, least) + 1e-12
    return unusual if apart else least > chance + 1e-12 or not unusual


def verdict_alone(att: Estimate, checks: Iterable[Check]) -> str:
    """Of an interrupted time series, which shows a change and never its cause."""
    if att.low is None or att.high is None:
        return "not estimable"
    if any(check.verdict == "fail" for check in checks):
        return "not conclusive"
    return "no effect shown" if att.low <= 0 <= att.high else ALONE
