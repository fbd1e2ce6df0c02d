"""A small made-up platform with planted incidents, the same for everyone with the same seed."""

from trustlib.demo.world import FOLDER, SIZES, DemoWorld, Truth, build, truth

__all__ = ["FOLDER", "SIZES", "DemoWorld", "Truth", "build", "truth"]
