"""Did an intervention work: difference-in-differences, with what it takes to believe it."""

from trustlib.interventions.aggregation import aggregate
from trustlib.interventions.design import Design
from trustlib.interventions.did import did
from trustlib.interventions.effects import Effects
from trustlib.interventions.group_time import GroupTime, group_time
from trustlib.interventions.panel import Panel
from trustlib.interventions.panel_from_frame import panel_from_frame
from trustlib.interventions.result import DidResult
from trustlib.interventions.spec import DidSpec

__all__ = [
    "Design",
    "DidResult",
    "DidSpec",
    "Effects",
    "GroupTime",
    "Panel",
    "aggregate",
    "did",
    "group_time",
    "panel_from_frame",
]
