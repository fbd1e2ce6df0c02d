"""For all tests: small matrices, where BLAS threads only get in each other's way."""

import os

# Before anything imports numpy.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import pytest


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test of views that asks for `shape` runs once per shape of result."""
    if "shape" in metafunc.fixturenames:
        from tests.figures.shapes import SHAPES

        metafunc.parametrize("shape", list(SHAPES))


@pytest.fixture(scope="session")
def shapes():
    """The module that makes results of every shape."""
    from tests.figures import shapes

    return shapes
