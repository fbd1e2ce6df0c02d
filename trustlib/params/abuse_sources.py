"""The tables that a deep-dive reads, a source for each; all but the items' may be missing."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import Field, ValidationInfo, field_validator

from trustlib.params.fields import Source, fault
from trustlib.params.shared import SharedParams

Value = TypeVar("Value")


def _role(columns: str, *, also: str = "", without: str, example: str) -> Any:
    """A role that may be missing: what its table has, and what is not known without it."""
    more = f"; {also} if known" if also else ""
    return Field(
        default=None,
        description=f"As items_source, one row with {columns}{more}. null: {without}.",
        examples=[example],
    )


def needs(value: Value, info: ValidationInfo, role: str, what: str) -> Value:
    """`value`, refused where it is given and the source that says more of it is not."""
    if not value or info.data.get(role, "") is not None:
        return value
    raise fault(
        f"is set, and {role} is null: nothing says {what}",
        next_step=f"set {role}, or leave this out",
        lacks=(role,),
    )


class AbuseSources(SharedParams):
    """Items, and what is known of them."""

    notebook: ClassVar[str] = "abuse"

    items_source: Annotated[
        Source,
        Field(
            description="Items that people made, a path to .csv, .parquet or .sql, or a table "
            "name: one row with item_id, account_id and created_at; kind, url_domain, text_hash, "
            "stratum (as labels have it) and columns for segments if known. Columns that are "
            "called otherwise are renamed in a .sql file.",
            examples=["data/my-items.csv", "params/abuse_deep_dive/items_by_score.sql"],
        ),
    ]
    accounts_source: Source | None = _role(
        "account_id", also="created_at and columns for segments",
        without="nothing is said of sign-ups and of what a join would leave out",
        example="accounts",
    )  # fmt: skip
    views_source: Source | None = _role(
        "item_id and viewed_at", also="view_id and viewer_id",
        without="items are counted, exposure is not", example="views",
    )  # fmt: skip
    scores_source: Source | None = _role(
        "item_id and score, one for each item",
        without="no score helps the estimate, and no threshold is weighed", example="scores",
    )  # fmt: skip
    labels_source: Source | None = _role(
        "item_id and label (1 violates, 0 does not), for each rater's vote",
        also="rater_id, policy, stratum, inclusion_probability and labelled_at",
        without="a floor is known, and no size", example="labels",
    )  # fmt: skip
    view_labels_source: Source | None = _role(
        "view_id, item_id and label, of views that were drawn",
        also="the rest as labels_source",
        without="the share of views is told from labels of items, where it can be",
        example="view_labels",
    )  # fmt: skip
    gold_source: Source | None = _role(
        "item_id, label (a rater's) and gold (the known answer)", also="rater_id and policy",
        without="raters' errors stay in the estimate", example="gold_labels",
    )  # fmt: skip
    actions_source: Source | None = _role(
        "item_id, source (which control) and acted_at", also="action_id and action",
        without="nothing is said of today's controls", example="actions",
    )  # fmt: skip
    appeals_source: Source | None = _role(
        "action_id and outcome", also="decided_at", without="nothing is said of overturned actions",
        example="appeals",
    )  # fmt: skip
    reports_source: Source | None = _role(
        "item_id and reported_at", also="reason", without="nothing is said of users' reports",
        example="reports",
    )  # fmt: skip
    links_source: Source | None = _role(
        "account_id, kind (device, payment …) and token, for each thing that an account uses",
        without="accounts are brought together by what they share in items alone",
        example="params/abuse_deep_dive/account_links.sql",
    )  # fmt: skip
    ledger_source: Source | None = _role(
        "changed_at and instrument (model, guideline, sampling …), for each change to how abuse "
        "is measured", also="note",
        without="a move cannot be told from a change of the instrument",
        example="instrument_changes",
    )  # fmt: skip

    @field_validator("view_labels_source")
    @classmethod
    def _views_say_when(cls, source: str | None, info: ValidationInfo) -> str | None:
        # A labelled view has no time of its own, and its sample no size without the views.
        return needs(source, info, "views_source", "when a labelled view was seen")

    @field_validator("appeals_source")
    @classmethod
    def _appeals_are_of_actions(cls, source: str | None, info: ValidationInfo) -> str | None:
        return needs(source, info, "actions_source", "what an appeal is about")
