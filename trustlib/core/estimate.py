"""A number that says how sure it is."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """One number with its interval, level, unit and method.

    Attributes
    ----------
    point
        The number, in `unit`. None where not even the point is estimable.
    low, high
        The interval's ends, in `unit`; both None where no interval can be justified,
        and then `note` says why.
    level
        Coverage of the interval, between 0 and 1.
    unit
        What is counted, for a reader: "reports", "share", "USD", "probability".
    method
        The method's name in the field's words.
    standard_error
        In `unit`, or None where the interval does not come from one.
    n
        The number of observations that the number rests on.
    note
        Why there is no interval, or no point: "not estimable: two weeks of history".

    Raises
    ------
    ValueError
        If the interval is incomplete, misses its point, or a number is not finite.
    """

    point: float | None
    low: float | None
    high: float | None
    level: float
    unit: str
    method: str
    n: int
    standard_error: float | None = None
    note: str | None = None

    def __post_init__(self) -> None:
        for name in ("point", "low", "high", "standard_error"):
            value = getattr(self, name)
            if value is None:
                continue
            value = float(value)
            if not math.isfinite(value):
                raise ValueError(f"Estimate: {name} is {value}, a finite number is needed")
            object.__setattr__(self, name, value)
        object.__setattr__(self, "n", int(self.n))
        object.__setattr__(self, "level", float(self.level))
        if not 0 < self.level < 1:
            raise ValueError(f"Estimate: level {self.level} is not between 0 and 1")
        if (self.low is None) != (self.high is None):
            raise ValueError("Estimate: an interval needs both ends")
        if self.low is None and not self.note:
            raise ValueError("Estimate: an estimate without an interval needs a note that says why")
        if self.point is None and self.low is not None:
            raise ValueError("Estimate: an interval without a point")
        if self.low is None or self.high is None or self.point is None:
            return
        if not self.low <= self.point <= self.high:
            raise ValueError(
                f"Estimate: the interval [{self.low}, {self.high}] misses its point {self.point}"
            )

    def to_json(self) -> dict[str, object]:
        """The results.json form; keys are a contract."""
        return {
            "point": self.point,
            "low": self.low,
            "high": self.high,
            "level": self.level,
            "standard_error": self.standard_error,
            "unit": self.unit,
            "method": self.method,
            "n": self.n,
            "note": self.note,
        }
