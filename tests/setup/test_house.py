"""The house stands as DESIGN draws it: layers hold and the command starts light."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEAVY = (
    "pandas", "numpy", "matplotlib", "seaborn", "statsmodels", "linearmodels", "scipy", "duckdb",
    "ibis", "pyarrow", "papermill", "nbconvert", "nbclient", "nbformat", "jsonschema", "pydantic",
    "rich", "IPython",
)  # fmt: skip


def test_imports_point_down_only() -> None:
    run = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout[-3000:]


def test_an_import_against_the_layers_is_found(tmp_path) -> None:
    """The contract can fail: core importing the report room is refused."""
    import shutil

    shutil.copytree(ROOT / "trustlib", tmp_path / "trustlib")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    with (tmp_path / "trustlib/core/check.py").open("a", encoding="utf-8") as file:
        file.write("\nimport trustlib.report\n")
    run = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 1
    assert "trustlib.core.check -> trustlib.report" in run.stdout


@pytest.mark.parametrize(
    "statement",
    [
        "import trustlib",
        "import trustlib.core.errors",
        "import trustlib.report",
        "import trustlib.cli; trustlib.cli.parser()",
    ],
)
def test_the_command_starts_without_heavy_imports(statement) -> None:
    code = f"{statement}\nimport sys; print([n for n in {HEAVY!r} if n in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert out.stdout.strip() == "[]", out.stdout + out.stderr


def test_only_what_tools_insist_on_stands_at_the_root() -> None:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    top = {name.split("/", 1)[0] for name in listed}
    house = {"notebooks", "trustlib", "params", "reports", "tests"}
    files = {
        "environment.yml", "README.md", "pyproject.toml", "Makefile", "requirements.lock",
        "requirements-dev.lock", "LICENSE", "CHANGELOG.md",
    }  # fmt: skip
    assert {name for name in top if not name.startswith(".")} <= house | files
