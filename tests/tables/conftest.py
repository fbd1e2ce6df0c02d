"""Results of every shape (tests/figures/shapes.py) for the tests of this room."""

import importlib.util
import sys
from pathlib import Path

import pytest


def _shapes():
    if "shapes_of_results" not in sys.modules:
        path = Path(__file__).resolve().parents[1] / "figures" / "shapes.py"
        spec = importlib.util.spec_from_file_location("shapes_of_results", path)
        module = importlib.util.module_from_spec(spec)
        sys.modules["shapes_of_results"] = module  # dataclasses look their module up
        spec.loader.exec_module(module)
    return sys.modules["shapes_of_results"]


@pytest.fixture(scope="session")
def shapes():
    """The module that makes results."""
    return _shapes()


def pytest_generate_tests(metafunc):
    """A test that asks for `shape` runs once per shape."""
    if "shape" in metafunc.fixturenames:
        metafunc.parametrize("shape", list(_shapes().SHAPES))
