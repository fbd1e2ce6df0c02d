"""What the notebooks' tests share."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.notebooks.executing import ROOT


@pytest.fixture(scope="package")
def project(tmp_path_factory) -> Path:
    """A project of its own, with the small demo world: not the one somebody works in."""
    root = tmp_path_factory.mktemp("project")
    shutil.copytree(ROOT / "notebooks", root / "notebooks")
    shutil.copytree(ROOT / "params", root / "params")
    subprocess.run(
        [sys.executable, "-m", "trustlib", "demo"], cwd=root, check=True, capture_output=True
    )
    return root
