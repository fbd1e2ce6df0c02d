"""How big was an incident, since when, and who: sizing against a counterfactual."""

from trustlib.incidents.result import SizingResult
from trustlib.incidents.sizing import sizing
from trustlib.incidents.spec import SizingSpec

__all__ = ["SizingResult", "SizingSpec", "sizing"]
