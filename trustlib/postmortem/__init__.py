"""The record of one incident: its size, its clock, whom it hit, what it cost, what comes next."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trustlib.postmortem.record import postmortem

__all__ = ["postmortem"]


def __getattr__(name: str) -> object:
    # Params look up which estimates a severity rule may name: that must not load all estimators.
    if name == "postmortem":
        from trustlib.postmortem.record import postmortem

        return postmortem
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
