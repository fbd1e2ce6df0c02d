"""Did an intervention work: difference-in-differences, with what it takes to believe it."""

from trustlib.interventions.design import Design
from trustlib.interventions.panel import Panel
from trustlib.interventions.result import DidResult
from trustlib.interventions.spec import DidSpec

__all__ = ["Design", "DidResult", "DidSpec", "Panel"]
