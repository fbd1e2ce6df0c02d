"""Tables of a postmortem: one function per block of the record, named like the block.

A block that is not there gives an empty View: its reason stands in the text. The verdict has no
table. Counts of people or cases below 11 are withheld here too, whatever the record holds.
"""

from trustlib.tables.postmortem_clock import actions, timeline
from trustlib.tables.postmortem_data import (
    data_health,
    definitions,
    estimates,
    sources,
    statement,
)
from trustlib.tables.postmortem_found import detection, factors, lists, revisions, severity
from trustlib.tables.postmortem_rests import assumptions
from trustlib.tables.postmortem_size import affected, dose, excess, maturity, money
from trustlib.tables.run import checks, not_found

__all__ = [
    "actions",
    "affected",
    "assumptions",
    "checks",
    "data_health",
    "definitions",
    "detection",
    "dose",
    "estimates",
    "excess",
    "factors",
    "lists",
    "maturity",
    "money",
    "not_found",
    "revisions",
    "severity",
    "sources",
    "statement",
    "timeline",
]
