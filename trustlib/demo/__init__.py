"""A small made-up platform with planted incidents and a rollout, the same for everyone with
the same seed."""

from trustlib.demo.rollout import RolloutTruth, rollout_truth
from trustlib.demo.world import FOLDER, SIZES, DemoWorld, Truth, build, truth

__all__ = [
    "FOLDER",
    "SIZES",
    "DemoWorld",
    "RolloutTruth",
    "Truth",
    "build",
    "rollout_truth",
    "truth",
]
