"""A whole deep-dive: how big, since when, where and who, how, what controls miss, what to do."""

from trustlib.harm.deep_dive.dive import deep_dive
from trustlib.harm.deep_dive.published import safe_checks, safe_estimates
from trustlib.harm.deep_dive.result import DeepDive
from trustlib.harm.deep_dive.spec import DeepDiveSpec

__all__ = ["DeepDive", "DeepDiveSpec", "deep_dive", "safe_checks", "safe_estimates"]
