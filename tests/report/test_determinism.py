"""Same inputs, same bytes: whatever the hash seed, zone, locale, threads and kind of kernel."""

from __future__ import annotations

import difflib
import json
import math
import os
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from trustlib.core import format as fmt

ENVIRONMENTS = (
    {"PYTHONHASHSEED": "1", "TZ": "UTC", "LC_ALL": "C"},
    {
        "PYTHONHASHSEED": "4711",
        "TZ": "Asia/Kathmandu",
        "LC_ALL": "C.UTF-8",
        "LANGUAGE": "de",
        "OMP_NUM_THREADS": "4",
        "OPENBLAS_NUM_THREADS": "4",
        "TRUSTLIB_KERNEL": "plain",
    },
    {"TZ": "America/New_York", "LANG": "de_DE.UTF-8", "COLUMNS": "43"},
)
PARAMS = """\
title: Missing reports
owner: Operations
source: counts.csv
time_column: hour
count_column: reports
incident_start: "2026-03-10T07:00:00+01:00"
incident_end: "2026-03-11T13:00:00+01:00"
timezone: Europe/Berlin
"""


def counts(path: Path) -> None:
    """Seven weeks of hourly counts with a season and a shortfall, without any randomness."""
    start = datetime(2026, 1, 26, tzinfo=UTC)
    lines = ["hour,reports"]
    for hour in range(7 * 7 * 24):
        at = start + timedelta(hours=hour)
        level = 120 + 60 * math.sin(2 * math.pi * at.hour / 24) - 15 * (at.weekday() > 4)
        wobble = (hour * 7919 % 23) - 11
        share = 0.4 if datetime(2026, 3, 10, 6, tzinfo=UTC) <= at < _END else 1.0
        lines.append(f"{at.isoformat()},{round(share * (level + wobble))}")
    path.write_text("\n".join(lines) + "\n")


_END = datetime(2026, 3, 11, 12, tzinfo=UTC)


def made(folder: Path, extra: dict[str, str]) -> Path:
    """The incident report of the same counts, made by a command in one environment."""
    counts(folder / "counts.csv")
    params = folder / "params" / "incident_sizing" / "dip.yaml"
    params.parent.mkdir(parents=True)
    params.write_text(PARAMS)
    command = [sys.executable, "-m", "trustlib", "run", "params", "--json"]
    base = {name: value for name, value in os.environ.items() if not name.startswith("LC_")}
    done = subprocess.run(
        command, cwd=folder, env=base | extra, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "reports" / "incident_sizing" / "dip"


def test_the_same_inputs_give_the_same_files_in_any_environment(tmp_path):
    runs = []
    for number, extra in enumerate(ENVIRONMENTS):
        folder = tmp_path / f"run{number}"
        folder.mkdir()
        runs.append(made(folder, extra))
    results = [json.loads((folder / "results.json").read_text()) for folder in runs]
    manifests = [json.loads((folder / "manifest.json").read_text()) for folder in runs]
    ids = {document.pop("run_id") for document in results}
    for document in manifests:
        for key in ("run_id", "started_at", "stages_seconds", "outputs", "seal", "code"):
            assert document.pop(key)

    assert len(ids) == len(runs)
    assert results[0]["estimates"]["excess"]["high"] < 0
    assert manifests[0]["snapshots"][0]["rows"] == 7 * 7 * 24
    assert len({json.dumps(document) for document in results}) == 1
    assert len({(folder / "executed.ipynb").read_bytes() for folder in runs}) == 1
    first, *others = [_without_the_run(folder).splitlines() for folder in runs]
    for other in others:
        assert list(difflib.unified_diff(first, other, lineterm="", n=0)) == []
    assert len({json.dumps(document) for document in manifests}) == 1


def _without_the_run(folder: Path) -> str:
    manifest = json.loads((folder / "manifest.json").read_text())
    page = (folder / "report.html").read_text().replace(manifest["run_id"], "RUN")
    # This checkout may be worked on while the test runs.
    page = re.sub(r"commit [0-9a-f]{12}( with changes)?", "commit", page)
    # Two runs may start in different minutes: the page's one clock time is the run's own.
    then = fmt.instant(datetime.fromisoformat(manifest["started_at"]))
    assert page.count(then) == 1
    return page.replace(then, "THEN")
