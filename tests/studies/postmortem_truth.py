"""Does a postmortem of the demo world's incidents find what was planted, at the stated rates?

    python -m tests.studies.postmortem_truth [--seeds 50]

writes tests/studies/postmortem_truth.md beside itself. Each seed is one small world; both of its
incidents are put on record as params/incident_postmortem asks. The truth is kept apart from the
world (`trustlib.demo.incident_truth`). tests/notebooks/test_incident_postmortem.py runs a seed.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

# Small matrices: threads only get in each other's way.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pandas as pd

from tests.studies.incident_coverage import markdown
from trustlib.core import Estimate
from trustlib.data import read_affected, read_counts, write_lists
from trustlib.data.incident_records import RestrictedList
from trustlib.demo import truth as planted_truth
from trustlib.demo.incident_truth import IncidentTruth, incident_truth
from trustlib.demo.world import FOLDER, build
from trustlib.params import IncidentPostmortemParams, load
from trustlib.postmortem import postmortem
from trustlib.postmortem.result import Postmortem

PARAMS = Path(__file__).resolve().parents[2] / "params"
SLUGS = {"over-blocking": "example", "under-blocking": "under-blocking"}


@dataclass(frozen=True, kw_only=True)
class Number:
    """One estimate of one seed beside the truth; NaN where it has no point or no interval."""

    seed: int
    incident: str
    name: str
    truth: float
    point: float
    low: float
    high: float


def study(seeds: Iterable[int]) -> list[Number]:
    """Both incidents of every seed, put on record."""
    numbers: list[Number] = []
    for seed in seeds:
        with _world(seed):
            for incident in SLUGS:
                numbers += one_incident(seed, incident)
    return numbers


@contextlib.contextmanager
def _world(seed: int) -> Iterator[None]:
    """The working directory is one where the demo world is that of `seed`; gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="postmortem-") as folder, contextlib.chdir(folder):
        build("small", seed, FOLDER, threads=1)
        for part in ("incident_postmortem", "incident_sizing"):
            shutil.copytree(PARAMS / part, Path("params") / part)
        yield


def one_incident(seed: int, incident: str) -> list[Number]:
    """Every estimate with a truth, of one incident in the world of the working directory."""
    params = load(Path("params/incident_postmortem") / f"{SLUGS[incident]}.yaml")
    assert isinstance(params, IncidentPostmortemParams)
    rows = read_affected(params.affected_query())
    lists = write_lists(rows, params.lists_folder)
    result = postmortem(read_counts(params.counts_query()), rows, params.spec(), lists=lists)
    truth = incident_truth(FOLDER, incident)
    right = _truths(params, truth, incident) | _of_lists(params, truth, lists)
    found = [_number(seed, incident, name, value, result) for name, value in right.items()]
    return [*found, _onset(seed, incident, truth, result)]


def _truths(
    params: IncidentPostmortemParams, truth: IncidentTruth, incident: str
) -> dict[str, float]:
    signal, end = params.first_signal_at, params.mitigated_at
    assert signal is not None
    assert end is not None
    (planted,) = (one for one in planted_truth(FOLDER) if one.incident_id == incident)
    assert params.as_of is not None
    # What came back when a case was put right had not come back before.
    open_then = {case.item_id for case in truth.wrong if case.resolved_at} & {
        case.item_id for case in truth.left(params.as_of)
    }
    back = sum(c.recovered_cents for c in truth.wrong if c.item_id not in open_then) / 100
    told = {
        "excess": float(planted.total),
        "gross_loss_usd": truth.gross_usd,
        "recovered_usd": back,
        "net_loss_usd": truth.gross_usd - back,
        "affected_items": float(len(truth.wrong)),
        "time_to_detect_hours": (signal - truth.window.start).total_seconds() / 3600,
        "time_to_mitigate_hours": (end - truth.window.start).total_seconds() / 3600,
        "final_labels": float(truth.final_labels),
        "final_appeals": float(truth.final_appeals),
        "final_chargebacks": float(truth.final_chargebacks),
    }
    if truth.side == "over":
        return told | {
            "false_positives": float(len(truth.wrong)),
            "affected_accounts": float(truth.accounts),
            "affected_customers": float(truth.customers),
        }
    return told | {
        "false_negatives": float(len(truth.wrong)),
        "affected_viewers": float(truth.viewers),
    }


def _of_lists(
    params: IncidentPostmortemParams, truth: IncidentTruth, lists: tuple[RestrictedList, ...]
) -> dict[str, float]:
    """Precision and recall of what was written, row by row."""
    assert params.as_of is not None
    wrong = {str(case.item_id) for case in truth.wrong}
    left = {str(case.item_id) for case in truth.left(params.as_of)}
    found = {}
    for one in lists:
        with Path(one.path).open(encoding="utf-8", newline="") as file:
            listed = {row["item_id"].lstrip("'") for row in csv.DictReader(file)}
        name = one.name.replace("-", "_")
        found[f"{name}_precision"] = len(listed & wrong) / len(listed)
        found[f"{name}_recall"] = len(listed & left) / len(left)
    return found


def _number(seed: int, incident: str, name: str, truth: float, result: Postmortem) -> Number:
    one: Estimate | None = result.estimates.get(name)
    ends = (None, None, None) if one is None else (one.point, one.low, one.high)
    point, low, high = (np.nan if end is None else end for end in ends)
    return Number(
        seed=seed, incident=incident, name=name, truth=truth, point=point, low=low, high=high
    )


def _onset(seed: int, incident: str, truth: IncidentTruth, result: Postmortem) -> Number:
    """Start of impact, hours from the true start."""
    row, start = result.sizing.onset.iloc[0], pd.Timestamp(truth.window.start)
    point, low, high = (
        (row[name] - start) / pd.Timedelta(hours=1)
        for name in ("estimated_at", "low_at", "high_at")
    )
    return Number(seed=seed, incident=incident, name="start_of_impact_hours", truth=0.0,
                  point=point, low=low, high=high)  # fmt: skip


def rates(numbers: list[Number]) -> pd.DataFrame:
    """One row per incident and number: how often the truth is inside, how wide, how far off."""
    frame = pd.DataFrame([vars(one) for one in numbers])
    told = frame["low"].notna()
    # A share or a count that is known exactly is held to what floats can hold.
    slack = 1e-9 * frame["truth"].abs()
    inside = (frame["low"] - slack <= frame["truth"]) & (frame["truth"] <= frame["high"] + slack)
    frame = frame.assign(
        told=told,
        inside=inside.where(told),
        above=(frame["low"] > frame["truth"] + slack).where(told),
        below=(frame["high"] < frame["truth"] - slack).where(told),
        off=frame["point"] - frame["truth"],
        width=frame["high"] - frame["low"],
    )
    by = frame.groupby(["incident", "name"], sort=False)
    return pd.DataFrame(
        {
            "told": by["told"].mean(),
            "truth (mean)": by["truth"].mean().map("{:.4g}".format),
            "point − truth (median)": by["off"].median().map("{:.3g}".format),
            "width (median)": by["width"].median().map("{:.3g}".format),
            "inside": by["inside"].mean(),
            "interval above the truth": by["above"].mean(),
            "below": by["below"].mean(),
        }
    ).reset_index()


def page(numbers: list[Number]) -> str:
    """The recorded figures, in Markdown."""
    seeds = len({one.seed for one in numbers})
    return f"""# The demo world's incidents against their postmortems

Written by `python -m tests.studies.postmortem_truth`: {seeds} seeds of the small world, both
incidents of each put on record as `params/incident_postmortem` asks. Intervals are 95 % ones; Monte
Carlo standard error of a rate of .95: {(0.95 * 0.05 / seeds) ** 0.5:.3f}.

*told*: share of seeds in which there is an interval · *inside*: of those, how often it holds the
truth. Wrong cases are the incident's and the rules' ordinary mistakes in its window, as the tables
have them. Precision and recall are those of the files that were written, row by row. What is final
counts all that ever arrives about the window, after the world's end too.

{markdown(rates(numbers))}
"""


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("--seeds", type=int, default=50)
    asked = words.parse_args()
    text = page(study(range(asked.seeds)))
    Path(__file__).with_suffix(".md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
