"""Errors, estimates, checks, windows, formatting: what every room shares."""

from trustlib.core.check import VERDICTS, Check, Verdict, worst
from trustlib.core.errors import NoData, Refusal, RunFailed, TrustlibError, did_you_mean
from trustlib.core.estimate import Estimate
from trustlib.core.results import Results
from trustlib.core.view import View, stack
from trustlib.core.window import Window

__all__ = [
    "VERDICTS",
    "Check",
    "Estimate",
    "NoData",
    "Refusal",
    "Results",
    "RunFailed",
    "TrustlibError",
    "Verdict",
    "View",
    "Window",
    "did_you_mean",
    "stack",
    "worst",
]
