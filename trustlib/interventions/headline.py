"""The one number that the report leads with, by the estimator of the design."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Headline:
    """The average effect on the treated, per unit and period, and how it was had.

    Attributes
    ----------
    point
        In the outcome's unit; NaN where not estimable.
    low, high
        None where no interval can be justified; `note` says why.
    standard_error
        None where the interval does not come from one.
    method
        In the field's words.
    n
        Unit-periods behind it.
    own_cells
        The estimator gives each cohort and period its own effect (group-time effects); False
        where one average stands for all treated cells.
    by_assignment
        The interval comes from re-assignment.
    p_value
        Of the re-assignment, or None.
    note
        Why there is no interval, or None.
    """

    point: float
    low: float | None
    high: float | None
    standard_error: float | None
    method: str
    n: int
    own_cells: bool
    by_assignment: bool = False
    p_value: float | None = None
    note: str | None = None
