"""From command to page on the demo's over-blocking incident, beside the notebook's own cells.

    python tests/benchmarks/postmortem_speed.py [--rounds 3]

`trustlib run` goes from the command to the page: a kernel, the cells, the page, the gallery. Stock
papermill runs the same notebook on the same params in the same round and writes down how long each
cell took: their sum is what no runner can save, but for imports, which a forked kernel has already.
Printed: seconds (median of the rounds) of the command, its stages, the sum of the cells, the whole
stock way (papermill, then nbconvert), and both ratios. Aim: at most 1.5 times the cells' sum.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
NOTEBOOK, PARAMS = "notebooks/incident_postmortem.ipynb", "params/incident_postmortem/example.yaml"


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("--rounds", type=int, default=3)
    asked = words.parse_args()
    with tempfile.TemporaryDirectory(prefix="trustlib-speed-") as name:
        folder = Path(name)
        for part in ("notebooks", "params"):
            shutil.copytree(PROJECT / part, folder / part)
        run(folder, "trustlib", "demo")
        rounds = [once(folder) for _ in range(asked.rounds)]
    ours, cells, stock = (statistics.median(values) for values in zip(*rounds, strict=True))
    print(f"command to page {ours:.2f} s; cells {cells:.2f} s; stock {stock:.2f} s")
    print(f"ratio to the cells' sum {ours / cells:.2f}; ratio to stock {ours / stock:.2f}")


def once(folder: Path) -> tuple[float, float, float]:
    """Seconds of our command, of the notebook's cells, and of the stock way."""
    ours = run(folder, "trustlib", "run", PARAMS)
    manifest = folder / "reports/incident_postmortem/example/manifest.json"
    stages = json.loads(manifest.read_text(encoding="utf-8"))["stages_seconds"]
    print("  stages: " + ", ".join(f"{name} {took:.2f} s" for name, took in stages.items()))
    out = folder / "stock.ipynb"
    stock = run(folder, "papermill", NOTEBOOK, str(out), "-f", PARAMS, "-k", "python3")
    stock += run(folder, "jupyter", "nbconvert", "--to", "html", str(out))
    executed = json.loads(out.read_text(encoding="utf-8"))["cells"]
    took = [cell["metadata"].get("papermill", {}).get("duration") or 0 for cell in executed]
    return ours, sum(took), stock


def run(folder: Path, program: str, *words: str) -> float:
    """Seconds that a command of the environment takes in `folder`."""
    begun = time.perf_counter()
    done = subprocess.run(
        [str(BIN / program), *words], cwd=folder, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"{program} failed:\n{done.stdout}\n{done.stderr}")
    return time.perf_counter() - begun


if __name__ == "__main__":
    main()
