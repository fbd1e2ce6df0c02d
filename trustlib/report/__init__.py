"""Run, publish, verify: from params files to reports that readers can trust.

The only room that knows papermill and nbconvert. What is heavy is imported where it is
used, so that this package itself is light.
"""

from trustlib.report.outcome import RunOutcome
from trustlib.report.running import run
from trustlib.report.verification import verify

__all__ = ["RunOutcome", "run", "verify"]
