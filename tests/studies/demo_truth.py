"""Does incident sizing find what the demo world planted, at the nominal rate?

    python -m tests.studies.demo_truth [--seeds 120] [--calm 60]

writes tests/studies/demo_truth.md beside itself. Each seed is one small world with its two
incidents; the truth is the number of rows planted in the window. The same worlds without
their incidents show the false alarms. The demo room's tests run a few seeds of it.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

# Small matrices: threads only get in each other's way.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import duckdb
import pandas as pd

from trustlib import incidents as sizing_room
from trustlib.core import Window
from trustlib.demo import Truth
from trustlib.demo.world import HOURS, START, generate, read_truth

TIMES = {
    "rule_actions": "SELECT acted_at AS moment FROM actions WHERE source = 'rule'",
    "user_reports": "SELECT reported_at AS moment FROM reports",
}


@dataclass(frozen=True, kw_only=True)
class Run:
    """One incident of one seed: rows planted, and the estimate with its 95 % interval."""

    seed: int
    kind: str
    planted: int
    actual: float
    point: float
    low: float
    high: float
    smallest_detectable: float
    verdict: str

    @property
    def inside(self) -> bool:
        return self.low <= self.planted <= self.high


def study(seeds: Iterable[int], *, incidents: bool = True) -> list[Run]:
    """Both incidents of every seed, sized from hourly counts of the small world."""
    planted = _windows()
    runs = []
    for seed in seeds:
        with duckdb.connect() as engine:
            engine.execute("SET threads = 1")
            engine.execute("ATTACH ':memory:' AS truth")
            generate(engine, seed=seed, incidents=incidents)
            truths = read_truth(engine, "truth") if incidents else planted
            for truth in truths:
                runs.append(_size(engine, truth, truths, seed, incidents))
    return runs


def _windows() -> tuple[Truth, ...]:
    """The incidents' windows, which are the same for every seed, with nothing planted."""
    hours = {"over-blocking": (1718, 1744, "rule_actions"),
             "under-blocking": (2154, 2184, "user_reports")}  # fmt: skip
    return tuple(
        Truth(
            incident_id=name,
            kind=name.replace("-", "_"),
            series=series,
            window=Window(START + pd.Timedelta(hours=first), START + pd.Timedelta(hours=last)),
            planted={},
        )
        for name, (first, last, series) in hours.items()
    )


def _size(
    engine: duckdb.DuckDBPyConnection,
    truth: Truth,
    truths: tuple[Truth, ...],
    seed: int,
    incidents: bool,
) -> Run:
    earlier = [each.window for each in truths if each.window.end <= truth.window.start]
    result = sizing_room.sizing(
        hourly(engine, TIMES[truth.series]),
        sizing_room.SizingSpec(
            incident=truth.window,
            exclude_windows=tuple(earlier) if incidents else (),
            direction="increase",
        ),
    )
    excess = result.estimates["excess"]
    assert excess.point is not None
    assert excess.low is not None
    assert excess.high is not None
    return Run(
        seed=seed,
        kind=truth.kind,
        planted=truth.total,
        actual=result.estimates["actual"].point or 0.0,
        point=excess.point,
        low=excess.low,
        high=excess.high,
        smallest_detectable=result.estimates["smallest_detectable_excess"].point or 0.0,
        verdict=result.verdict,
    )


def hourly(engine: duckdb.DuckDBPyConnection, times: str) -> pd.DataFrame:
    """Counts per hour of the whole world, as `trustlib.incidents.sizing` takes them."""
    hour = f"date_diff('hour', TIMESTAMP '{START:%Y-%m-%d}', moment)"
    rows = engine.execute(f"SELECT {hour}, count(*) FROM ({times}) GROUP BY 1").fetchall()
    found = pd.Series(dict(rows), dtype=float).reindex(range(HOURS), fill_value=0.0)
    return pd.DataFrame(
        {
            "bucket_start_at": pd.date_range(START, periods=HOURS, freq="h").as_unit("us"),
            "count": found.to_numpy(),
            "ambiguous": False,
        }
    )


def table(runs: list[Run]) -> str:
    """One line per kind of incident, in Markdown."""
    frame = pd.DataFrame([vars(run) | {"inside": run.inside} for run in runs])
    lines = [
        "| incident | worlds | planted (mean) | × normal | bias of the excess | "
        "half-width / planted | smallest detectable | inside the 95 % interval | "
        "“incident confirmed” |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for kind, part in frame.groupby("kind"):
        planted = part["planted"].mean()
        half = ((part["high"] - part["low"]) / 2).mean()
        cells = [
            str(kind).replace("_", "-"),
            f"{len(part)}",
            f"{planted:.0f}",
            f"{(part['actual'] / (part['actual'] - part['planted'])).mean():.2f}",
            f"{(part['point'] - part['planted']).mean():+.1f}",
            f"{half / planted:.2f}" if planted else "–",
            f"{part['smallest_detectable'].mean():.0f}",
            f"{part['inside'].mean():.3f}",
            f"{(part['verdict'] == 'incident confirmed').mean():.3f}",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def page(seeds: int, found: str, calm: int, quiet: str) -> str:
    """The recorded figures, in Markdown."""
    return f"""# The demo world's truth against its estimate

Written by `python -m tests.studies.demo_truth`: {seeds} seeds of the small world, hourly counts,
the 14 weeks that the world has, earlier incidents masked. The truth is the number of rows that
were planted in the window. Monte Carlo standard error of a rate of .95: {_error(seeds):.3f} for
one kind of incident, {_error(2 * seeds):.3f} for both.

With the incidents:

{found}

The first {calm} of these worlds without them (nothing to find; the same ordinary rows):

{quiet}
"""


def _error(n: int) -> float:
    return (0.95 * 0.05 / n) ** 0.5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=120)
    parser.add_argument("--calm", type=int, default=60)
    asked = parser.parse_args()
    text = page(
        asked.seeds,
        table(study(range(asked.seeds))),
        asked.calm,
        table(study(range(asked.calm), incidents=False)),
    )
    Path(__file__).with_suffix(".md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
