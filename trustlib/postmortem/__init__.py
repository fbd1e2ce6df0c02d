"""The record of one incident: its size, its clock, whom it hit, what it cost, what comes next."""

from trustlib.postmortem.record import postmortem
from trustlib.postmortem.result import Postmortem
from trustlib.postmortem.spec import PostmortemSpec

__all__ = ["Postmortem", "PostmortemSpec", "postmortem"]
