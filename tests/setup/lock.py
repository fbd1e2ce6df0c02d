"""Resolve the dependencies again: `make lock`.

One resolution for all platforms and Python versions, with hashes and without index
addresses. requirements.lock holds what a run needs, requirements-dev.lock adds the
tests' own, environment.yml holds Python, pip and the same pins as requirements.lock.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COMMON = ("--universal", "--python-version", "3.11", "--generate-hashes", "--no-header", "--quiet")
HEAD = """\
# Made by `make lock` from requirements.lock: do not edit. For conda and mamba:
#   conda env create -f environment.yml && conda activate trustlib
#   pip install --no-deps --no-build-isolation -e .
name: trustlib
channels:
  - conda-forge
  - nodefaults
dependencies:
  - python=3.11
  - pip
  - pip:
"""


def pins(lock: str) -> list[str]:
    """The lock's requirements, one line each, hashes included, comments left out."""
    lines: list[str] = []
    open_line = ""
    for raw in lock.splitlines():
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        open_line += line.removesuffix("\\").strip() + " "
        if not line.endswith("\\"):
            lines.append(open_line.strip())
            open_line = ""
    return lines


def environment(lock: str) -> str:
    """environment.yml for the given lock."""
    # Single quotes: a marker holds double ones, a pin never a single one.
    quoted = ("'" + pin.replace("'", '"') + "'" for pin in pins(lock))
    return HEAD + "".join(f"      - {pin}\n" for pin in quoted)


def main() -> None:
    resolve = [sys.executable, "-m", "uv", "pip", "compile", "pyproject.toml", *COMMON]
    run, dev = ["--extra", "build"], ["--extra", "build", "--extra", "dev"]
    subprocess.run([*resolve, *run, "-o", "requirements.lock"], cwd=ROOT, check=True)
    # The tests' own pins on top of the run's, never instead of them.
    on_top = ["-c", "requirements.lock", "-o", "requirements-dev.lock"]
    subprocess.run([*resolve, *dev, *on_top], cwd=ROOT, check=True)
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    (ROOT / "environment.yml").write_text(environment(lock), encoding="utf-8")


if __name__ == "__main__":
    main()
