"""The county-employment report from command to page, beside the stock tools.

    python tests/benchmarks/did_report.py [--rounds 3]

Stock is `papermill` followed by `jupyter nbconvert --to html` on the same notebook and params.
Needs ../shared/realdata/mpdta.csv, which is not part of the project.
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
PARAMS = PROJECT / "tests" / "interventions" / "params" / "intervention_did" / "mpdta.yaml"


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("--rounds", type=int, default=3)
    rounds = words.parse_args().rounds
    if not (PROJECT / ".." / "shared" / "realdata" / "mpdta.csv").exists():
        sys.stdout.write("mpdta report: not run, ../shared/realdata is not here\n")
        return
    ours, stock = [], []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory(prefix="trustlib-did-") as name:
            ours.append(_timed([BIN / "trustlib", "run", PARAMS, "--reports", name]))
            out = Path(name) / "out.ipynb"
            notebook = PROJECT / "notebooks" / "intervention_did.ipynb"
            stock.append(
                _timed([BIN / "papermill", notebook, out, "-f", PARAMS])
                + _timed([BIN / "jupyter", "nbconvert", "--to", "html", out])
            )
    mine, other = statistics.median(ours), statistics.median(stock)
    sys.stdout.write(
        f"mpdta report, command to page: {mine:.1f} s, stock {other:.1f} s, "
        f"ratio {mine / other:.2f}\n"
    )


def _timed(words: list[object]) -> float:
    begun = time.monotonic()
    subprocess.run([str(word) for word in words], cwd=PROJECT, check=True, capture_output=True)
    return time.monotonic() - begun


if __name__ == "__main__":
    main()
