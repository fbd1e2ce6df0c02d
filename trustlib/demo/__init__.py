"""A small made-up platform with planted incidents, two interventions and rings of scammers, the
same for everyone with the same seed."""

from trustlib.demo.abuse import AbuseTruth, Control, Harm, Rater, abuse_truth
from trustlib.demo.incident_truth import IncidentTruth, TrueCase, incident_truth
from trustlib.demo.reply_limits import LimitsTruth, limits_truth
from trustlib.demo.rollout import RolloutTruth, rollout_truth
from trustlib.demo.world import FOLDER, SIZES, DemoWorld, Truth, build, truth

__all__ = [
    "FOLDER",
    "SIZES",
    "AbuseTruth",
    "Control",
    "DemoWorld",
    "Harm",
    "IncidentTruth",
    "LimitsTruth",
    "Rater",
    "RolloutTruth",
    "TrueCase",
    "Truth",
    "abuse_truth",
    "build",
    "incident_truth",
    "limits_truth",
    "rollout_truth",
    "truth",
]
