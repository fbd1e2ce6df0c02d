"""Sections that a table is missing for: what stands is said, and so is what is not there."""

from __future__ import annotations

from trustlib.core import View, stack
from trustlib.core.view import note
from trustlib.data.abuse_records import Role
from trustlib.harm.deep_dive.result import DeepDive
from trustlib.narrative.harm import how, size, today, where


def since_when(result: DeepDive) -> View:
    """The weekly share, and whether a ledger was kept."""
    return _with_absent(size.since_when(result), result, "ledger")


def how_much(result: DeepDive) -> View:
    """The size, and which samples it is without."""
    roles: tuple[Role, ...] = ("views", "view_labels", "scores")
    return _with_absent(size.how_much(result), result, *roles)


def are_labels_right(result: DeepDive) -> View:
    """The raters, and whether items of known truth were given."""
    return _with_absent(size.are_labels_right(result), result, "gold")


def how_it_works(result: DeepDive) -> View:
    """The stages, and which times are not known."""
    return _with_absent(how.how_it_works(result), result, "actions", "accounts")


def who_acts_together(result: DeepDive) -> View:
    """The clusters, and whether they rest on what accounts post alone."""
    return _with_absent(how.who_acts_together(result), result, "links")


def what_controls_see(result: DeepDive) -> View:
    """Recall and precision, and which controls are not in it."""
    roles: tuple[Role, ...] = ("actions", "reports", "appeals")
    return _with_absent(today.what_controls_see(result), result, *roles)


def what_is_left_out(result: DeepDive) -> View:
    """Who is missing, and whether there was a table to tell."""
    return _with_absent(where.what_is_left_out(result), result, "accounts")


def what_to_do_first(result: DeepDive) -> View:
    """The options, and whether thresholds could be among them."""
    return _with_absent(today.what_to_do_first(result), result, "scores")


def _with_absent(view: View, result: DeepDive, *roles: Role) -> View:
    """`view`, and a box for each missing table whose absence it does not give as its reason."""
    reasons = [result.why.get(f"roles.{role}", "") for role in roles]
    return stack([view, *(note(text) for text in reasons if text and text not in view.text)])
