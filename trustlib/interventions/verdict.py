"""What the numbers and the checks together allow to be said."""

from __future__ import annotations

from collections.abc import Iterable

from trustlib.core import Check
from trustlib.interventions.headline import Headline

# A failure of one of these means that the number cannot be read as the effect.
DECISIVE = frozenset(
    {
        "pre_trend",
        "few_clusters",
        "forbidden_comparisons",
        "estimators_agree",
        "sensitivity_to_trends",
        "balance",
    }
)


def verdict(headline: Headline, checks: Iterable[Check]) -> str:
    """ "effect shown", "no effect shown", "not conclusive" or "not estimable"."""
    if headline.low is None or headline.high is None:
        return "not estimable"
    failed = any(check.verdict == "fail" and check.name in DECISIVE for check in checks)
    if headline.low <= 0 <= headline.high:
        return "not conclusive" if failed else "no effect shown"
    return "not conclusive" if failed else "effect shown"
