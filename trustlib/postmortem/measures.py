"""What a severity rule may be about: the names of a postmortem's estimates, in a reader's order."""

from __future__ import annotations

SIZING = (
    "actual",
    "expected",
    "excess",
    "relative_excess",
    "smallest_detectable_excess",
    "placebo_p_value",
    "same_hours_excess",
    "onset_hours",
    "cost_usd",
)
MEASURES = (
    *SIZING,
    "excess_80",
    "affected_items",
    "affected_accounts",
    "affected_customers",
    "affected_viewers",
    "false_positives",
    "false_negatives",
    "gross_loss_usd",
    "recovered_usd",
    "net_loss_usd",
    "clean_up_precision",
    "clean_up_recall",
    "back_fill_precision",
    "back_fill_recall",
    "time_to_detect_hours",
    "time_to_acknowledge_hours",
    "time_to_mitigate_hours",
    "time_to_recover_hours",
)

# What an earlier report's interval is held against, besides the excess: whom it hit and the loss.
HIT = {
    "affected_items": "items wrongly actioned or missed",
    "affected_accounts": "accounts hit",
    "affected_customers": "customers hit",
    "affected_viewers": "viewers of what was missed",
    "false_positives": "items wrongly actioned",
    "false_negatives": "items missed",
    "net_loss_usd": "the net loss",
}
