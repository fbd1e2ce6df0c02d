"""A small made-up platform with planted incidents and two interventions, the same for
everyone with the same seed."""

from trustlib.demo.reply_limits import LimitsTruth, limits_truth
from trustlib.demo.rollout import RolloutTruth, rollout_truth
from trustlib.demo.world import FOLDER, SIZES, DemoWorld, Truth, build, truth

__all__ = [
    "FOLDER",
    "SIZES",
    "DemoWorld",
    "LimitsTruth",
    "RolloutTruth",
    "Truth",
    "build",
    "limits_truth",
    "rollout_truth",
    "truth",
]
