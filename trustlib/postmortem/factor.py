"""One contributing factor, held against the data: what was asked, what came out, how weak it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from trustlib.core import Estimate

FactorVerdict = Literal["supported", "not supported", "not tested"]


@dataclass(frozen=True, kw_only=True)
class Factor:
    """The verdict on one factor.

    "not supported" is no proof against a factor: the data do not show it, or cannot tell.

    Attributes
    ----------
    factor
        What may have contributed, in a few words.
    test
        How it was held against the data, in a few words.
    text
        The sentences with the numbers, their interval, and how weak the evidence is.
    effect
        What was measured, where it is a number with an interval.
    p_value
        The chance of what was seen, or more, if the factor had nothing to do with it.
    """

    factor: str
    test: str
    verdict: FactorVerdict
    text: str
    effect: Estimate | None = None
    p_value: float | None = None

    def row(self) -> dict[str, str]:
        """The row of `Postmortem.factors`: factor, test, verdict, text."""
        return {
            "factor": self.factor,
            "test": self.test,
            "verdict": self.verdict,
            "text": self.text,
        }


def not_tested(factor: str, test: str, why: str) -> Factor:
    """A factor that the data cannot speak about, and why."""
    return Factor(factor=factor, test=test, verdict="not tested", text=f"Not tested: {why}.")
