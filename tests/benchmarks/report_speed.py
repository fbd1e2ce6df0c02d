"""Reports on real panels from command to page, beside the stock tools.

    python tests/benchmarks/report_speed.py [--rounds 3]

Stock is `papermill` followed by `jupyter nbconvert --to html` on the same notebook and params.
Needs ../shared/realdata, which is not part of the project.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
PARAMS = PROJECT / "tests" / "interventions" / "params"
REPORTS = (
    "intervention_did/mpdta.yaml",
    "intervention_synth/prop99.yaml",
    "intervention_synth/prop99_predictors.yaml",
)


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("--rounds", type=int, default=3)
    rounds = words.parse_args().rounds
    for report in REPORTS:
        sys.stdout.write(f"{report}, command to page: {_beside(report, rounds)}\n")


def _beside(report: str, rounds: int) -> str:
    if not (PROJECT / ".." / "shared" / "realdata").exists():
        return "not run, ../shared/realdata is not here"
    ours, stock = [], []
    params = PARAMS / report
    notebook = PROJECT / "notebooks" / f"{params.parent.name}.ipynb"
    for _ in range(rounds):
        with tempfile.TemporaryDirectory(prefix="trustlib-speed-") as name:
            ours.append(_timed([BIN / "trustlib", "run", params, "--reports", name]))
            out = Path(name) / "out.ipynb"
            stock.append(
                _timed([BIN / "papermill", notebook, out, "-f", params])
                + _timed([BIN / "jupyter", "nbconvert", "--to", "html", out])
            )
    mine, other = statistics.median(ours), statistics.median(stock)
    return f"{mine:.1f} s, stock {other:.1f} s, ratio {mine / other:.2f}"


def _timed(words: list[object]) -> float:
    begun = time.monotonic()
    subprocess.run([str(word) for word in words], cwd=PROJECT, check=True, capture_output=True)
    return time.monotonic() - begun


if __name__ == "__main__":
    main()
