"""The sentences of a postmortem, all made from a `Postmortem`, none typed by hand."""

from trustlib.narrative.postmortem.captions import (
    about_bridge,
    about_by_segment,
    about_counterfactual,
    about_doses,
    about_maturity,
    about_money,
    about_timeline,
    about_trade_off,
)
from trustlib.narrative.postmortem.headline import answer, headline_sentence
from trustlib.narrative.postmortem.outside import communication, external
from trustlib.narrative.postmortem.record import (
    can_we_believe_it,
    data_health,
    revisions,
    what_it_rests_on,
    what_to_do,
)
from trustlib.narrative.postmortem.repair import actions, lists, maturity
from trustlib.narrative.postmortem.summary import executive
from trustlib.narrative.postmortem.was_it import verdict
from trustlib.narrative.postmortem.what import excess, timeline
from trustlib.narrative.postmortem.who import affected, dose, money
from trustlib.narrative.postmortem.why import detection, factors, severity
from trustlib.narrative.postmortem.words import period

__all__ = [
    "about_bridge",
    "about_by_segment",
    "about_counterfactual",
    "about_doses",
    "about_maturity",
    "about_money",
    "about_timeline",
    "about_trade_off",
    "actions",
    "affected",
    "answer",
    "can_we_believe_it",
    "communication",
    "data_health",
    "detection",
    "dose",
    "excess",
    "executive",
    "external",
    "factors",
    "headline_sentence",
    "lists",
    "maturity",
    "money",
    "period",
    "revisions",
    "severity",
    "timeline",
    "verdict",
    "what_it_rests_on",
    "what_to_do",
]
