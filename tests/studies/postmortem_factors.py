"""Contributing factors of an incident: how often each test says "supported", rightly and wrongly.

    python -m tests.studies.postmortem_factors [--runs 400]

writes tests/studies/postmortem_factors.md beside itself. Every draw is seeded. The worlds below are
those of tests/postmortem/test_factors.py as well, which calls them with fewer runs.
"""

from __future__ import annotations

import argparse
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pandas as pd

from tests.studies.incident_coverage import markdown
from trustlib.core import Estimate, Window
from trustlib.data.incident_records import AffectedQuery, AffectedRows
from trustlib.incidents import SizingResult, SizingSpec
from trustlib.incidents.choice import choose
from trustlib.incidents.counterfactual_table import counterfactual_table
from trustlib.incidents.grid import grid
from trustlib.incidents.segments import segment_counts, segment_table
from trustlib.incidents.worlds import WORLDS, draw
from trustlib.postmortem.affected_only import affected_only
from trustlib.postmortem.against_unaffected import against_unaffected
from trustlib.postmortem.change_before import change_before
from trustlib.postmortem.contrast import contrast
from trustlib.postmortem.dose_response import dose_response
from trustlib.postmortem.factor import Factor
from trustlib.postmortem.spec import PostmortemSpec

START = datetime(2024, 3, 13, 12, tzinfo=UTC)  # a Wednesday
INCIDENT = Window(START, START + timedelta(hours=30))
SPEC = PostmortemSpec(sizing=SizingSpec(incident=INCIDENT), affected_segments=("a", "b"))
SHARES = {"a": 0.15, "b": 0.10, "c": 0.35, "d": 0.25, "e": 0.15}


def affected_rows(
    *,
    log: pd.DataFrame | None = None,
    labelled: pd.DataFrame | None = None,
    sides: tuple[str, ...] = ("over",),
    missing: dict[str, str] | None = None,
) -> AffectedRows:
    """Rows with a change log and labelled cases, and nothing else."""
    none = pd.DataFrame()
    log = pd.DataFrame(columns=["changed_at", "change", "link"]) if log is None else log
    columns = ["item", "side", "inclusion", "label", "account", "dose"]
    labelled = pd.DataFrame(columns=columns) if labelled is None else labelled
    return AffectedRows(
        query=AffectedQuery(sources={}, window=INCIDENT),
        cases=pd.DataFrame({"side": list(sides)}),
        has_money=False, has_resolved=False, has_dose=True,
        labelled=labelled, people=none, overlaps=none, by_segment=none, arrivals=none,
        observed_until=None, change_log=log, missing=missing or {}, health=none, checks=(),
        snapshots={},
    )  # fmt: skip


# --- a change before ---------------------------------------------------------------------------


def sized_at(start: datetime, *, unsure_hours: float = 0.0) -> SizingResult:
    """A sizing that knows no more than when the impact began."""
    none = pd.DataFrame()
    at = pd.Timestamp(start)
    ends: list[Any] = [None, None]
    if unsure_hours:
        half = pd.Timedelta(hours=unsure_hours / 2)
        ends = [at - half, at + half]
    onset = {"stated_at": at, "estimated_at": at, "low_at": ends[0], "high_at": ends[1]}
    frame = pd.DataFrame({k: pd.to_datetime(pd.Series([v]), utc=True) for k, v in onset.items()})
    spec = SizingSpec(incident=Window(start, start + timedelta(hours=30)))
    return SizingResult(
        spec=spec, estimates={}, checks=(), verdict="incident confirmed", counterfactual=none,
        placebos=none, sensitivity=none, segments=None, onset=frame,
    )  # fmt: skip


def change_log(at: list[datetime]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "changed_at": pd.to_datetime(pd.Series(sorted(at)), utc=True),
            "change": [f"release {k}" for k in range(len(at))],
            "link": "",
        }
    )


def logged(kind: str, rng: np.random.Generator, *, a_week: float, weeks: int) -> list[datetime]:
    """Changes of some weeks before 1 Jan 2024 + `weeks`, independent of any incident."""
    n = int(rng.poisson(a_week * weeks))
    if kind == "any time":
        hours = rng.uniform(0, weeks * 168, n)
    elif kind == "bursts":
        seeds = rng.uniform(0, weeks * 168, max(1, n // 3))
        hours = np.repeat(seeds, 3) + rng.exponential(2, 3 * len(seeds))
    else:  # weekdays, 9 to 17
        hours = rng.integers(0, weeks, n) * 168 + rng.integers(0, 5, n) * 24 + rng.uniform(9, 17, n)
    return [datetime(2024, 1, 1, tzinfo=UTC) + timedelta(hours=float(h)) for h in hours]


def change_found(
    seed: int, kind: str, *, a_week: float, caused: bool, unsure: float = 0.0, weeks: int = 12
) -> Factor:
    """One incident: it begins in the last week, in office hours where changes are made then."""
    rng = np.random.default_rng([seed, 1])
    at = logged(kind, rng, a_week=a_week, weeks=weeks)
    office = rng.integers(0, 5) * 24 + rng.uniform(9, 20)
    hour = (weeks - 1) * 168 + (office if kind == "office hours" else rng.uniform(0, 168))
    start = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(hours=float(np.floor(hour)))
    if caused:
        at.append(start - timedelta(hours=float(rng.uniform(0, 3))))
    if not at:
        at = [datetime(2024, 1, 1, tzinfo=UTC)]
    return change_before(
        sized_at(start, unsure_hours=unsure), affected_rows(log=change_log(at)), spec=SPEC
    )


# --- segments ----------------------------------------------------------------------------------


def segmented(
    seed: int,
    *,
    affected: float = 0.0,
    others: float = 0.0,
    drift: float = 0.0,
    weeks: int = 8,
    world: str = "ar_90",
) -> tuple[pd.DataFrame, pd.DataFrame, SizingSpec]:
    """counts, segments and spec of a world whose segments wander apart by `drift` a week.

    `affected` and `others` are the effects on the two kinds of segments, relative to what is there.
    """
    one = draw(next(w for w in WORLDS if w.name == world), seed=seed, weeks=weeks)
    rng = np.random.default_rng([seed, 2])
    at, quiet = one.counts["bucket_start_at"], one.counts["count"].to_numpy().astype(int)
    week = np.arange(len(at)) // 168
    walk = np.cumsum(drift * rng.standard_normal((week.max() + 1, len(SHARES))), axis=0)[week]
    share = np.array(list(SHARES.values())) * np.exp(walk)
    parts = rng.multinomial(quiet, share / share.sum(axis=1, keepdims=True)).astype(float)
    inside = ((at >= one.incident.start) & (at < one.incident.end)).to_numpy()
    for k, name in enumerate(SHARES):
        effect = affected if name in SPEC.affected_segments else others
        if effect >= 0:
            parts[inside, k] += rng.poisson(effect * parts[inside, k])
        else:
            parts[inside, k] -= rng.binomial(parts[inside, k].astype(int), -effect)
    counts = pd.DataFrame({"bucket_start_at": at, "count": parts.sum(axis=1)})
    segments = pd.concat(
        [
            pd.DataFrame({"bucket_start_at": at, "segment": name, "count": parts[:, k]})
            for k, name in enumerate(SHARES)
        ],
        ignore_index=True,
    )
    return counts, segments, SizingSpec(incident=one.incident)


def sized_segments(counts: pd.DataFrame, segments: pd.DataFrame, spec: SizingSpec) -> SizingResult:
    """`sizing` without what no factor looks at: placebos, sensitivity, the start."""
    found = choose(grid(counts, spec), level=spec.level)
    used, result = found.grid, found.result
    excess = Estimate(
        point=result.excess, low=result.low, high=result.high, level=spec.level, unit="events",
        method="as sizing", n=len(result.past.block), note="none",
    )  # fmt: skip
    none = pd.DataFrame()
    return SizingResult(
        spec=spec, estimates={"excess": excess}, checks=(), verdict="incident confirmed",
        counterfactual=counterfactual_table(used, result, level=spec.level),
        placebos=none, sensitivity=none, onset=none,
        segments=segment_table(used, segment_counts(used, segments), result, level=spec.level),
    )  # fmt: skip


def segments_found(seed: int, **world: Any) -> tuple[Factor, Factor]:
    counts, segments, spec = segmented(seed, **world)
    sized = sized_segments(counts, segments, spec)
    return affected_only(sized, spec=SPEC), against_unaffected(sized, segments, spec=SPEC)[0]


def log_ratios(kind: str, rng: np.random.Generator, *, n: int, runs: int) -> np.ndarray:
    """(runs, n + 1) quiet weekly log ratios, the earliest first."""
    e = rng.standard_normal((runs, n + 1))
    if kind == "independent":
        return e
    if kind == "random walk":
        return np.cumsum(e, axis=1)
    if kind == "drifting level":
        return np.cumsum(0.5 * e, axis=1) + rng.standard_normal((runs, n + 1))
    if kind == "straight line":
        return e + 0.3 * np.arange(n + 1)
    rho = float(kind.split()[-1])  # "autoregressive .9"
    y = e.copy()
    for k in range(1, n + 1):
        y[:, k] = rho * y[:, k - 1] + np.sqrt(1 - rho**2) * e[:, k]
    return y


def contrast_row(kind: str, n: int, runs: int) -> dict[str, Any]:
    """How often the interval, and the plain t interval, excludes zero where nothing happened."""
    from scipy.stats import t

    rng = np.random.default_rng([n, 3])
    out, plain, width = [], [], []
    quantile = t.ppf(0.975, n - 1)
    for y in log_ratios(kind, rng, n=n, runs=runs):
        found = contrast(y[:-1][::-1], float(y[-1]), level=0.95)
        half = quantile * y[:-1].std(ddof=1) * np.sqrt(1 + 1 / n)
        out.append(not found.low <= 0 <= found.high)
        plain.append(abs(found.effect) > half)
        width.append((found.high - found.low) / (2 * half))
    return {
        "weeks": kind,
        "n": n,
        "plain t over weeks": np.mean(plain),
        "ours": np.mean(out),
        "width beside plain": np.median(width),
    }


# --- dose --------------------------------------------------------------------------------------


def labelled_cases(
    seed: int,
    *,
    slope: float = 0.0,
    n: int = 300,
    accounts: int = 120,
    within: float = 0.0,
    base: float = 0.3,
    weighted: bool = True,
    side: str = "over",
) -> pd.DataFrame:
    """Labelled cases: logit of wrong = base + slope · log2(dose) + account effect.

    Dose goes with the account; `within` is the standard deviation of the account effect.
    """
    rng = np.random.default_rng([seed, 4])
    size = rng.lognormal(0, 1, accounts)
    account = rng.choice(accounts, n, p=size / size.sum())
    dose = np.minimum(rng.geometric(0.35, accounts), 12)[account].astype(float)
    logit = np.log(base / (1 - base)) + slope * (np.log2(dose) - 1.2)
    logit = logit + within * rng.standard_normal(accounts)[account]
    wrong = rng.random(n) < 1 / (1 + np.exp(-logit))
    inclusion = np.where(rng.random(n) < 0.5, 0.1, 0.8) if weighted else np.ones(n)
    return pd.DataFrame(
        {
            "item": np.arange(n),
            "side": side,
            "inclusion": inclusion,
            "label": np.where(wrong, 0, 1) if side == "over" else np.where(wrong, 1, 0),
            "account": account,
            "dose": dose,
        }
    )


def dose_found(seed: int, **world: Any) -> Factor:
    return dose_response(affected_rows(labelled=labelled_cases(seed, **world)), "over", spec=SPEC)


# --- the record --------------------------------------------------------------------------------


def shares(found: list[Factor]) -> dict[str, float]:
    verdicts = pd.Series([factor.verdict for factor in found])
    return {v: float((verdicts == v).mean()) for v in ("supported", "not supported", "not tested")}


CHANGES: list[tuple[str, dict[str, Any]]] = [
    (kind, {"kind": kind, "a_week": a_week, "caused": caused, "unsure": unsure})
    for kind in ("any time", "office hours", "bursts")
    for a_week, caused, unsure in (
        (0.5, False, 0.0), (2.0, False, 0.0), (8.0, False, 0.0), (2.0, False, 6.0),
        (0.5, True, 0.0), (2.0, True, 0.0), (8.0, True, 0.0),
    )
]  # fmt: skip
SEGMENTS: list[tuple[str, dict[str, Any]]] = [
    ("nothing happens", {}),
    ("nothing happens, segments wander 5 % a week", {"drift": 0.05}),
    ("nothing happens, segments wander 15 % a week", {"drift": 0.15}),
    ("nothing happens, 4 weeks", {"weeks": 4, "drift": 0.05}),
    ("nothing happens, 16 weeks", {"weeks": 16, "drift": 0.05}),
    ("all move alike by 100 %", {"affected": 1.0, "others": 1.0}),
    ("all move alike by 100 %, wander 5 %", {"affected": 1.0, "others": 1.0, "drift": 0.05}),
    ("others move half as much", {"affected": 1.0, "others": 0.5}),
    ("affected + 50 %", {"affected": 0.5}),
    ("affected + 100 %", {"affected": 1.0}),
    ("affected + 200 %", {"affected": 2.0}),
    ("affected + 200 %, wander 5 %", {"affected": 2.0, "drift": 0.05}),
    ("affected − 80 %", {"affected": -0.8}),
    ("nothing happens, Poisson", {"world": "poisson"}),
    ("affected + 50 %, Poisson", {"affected": 0.5, "world": "poisson"}),
    ("affected + 100 %, Poisson", {"affected": 1.0, "world": "poisson"}),
]
DOSES: list[tuple[str, dict[str, Any]]] = [
    ("no trend", {}),
    ("no trend, accounts differ", {"within": 1.0}),
    ("no trend, few cases", {"n": 60, "accounts": 40}),
    ("no trend, rare", {"base": 0.06}),
    ("no trend, equal weights", {"weighted": False}),
    ("no trend, 25 accounts that differ", {"accounts": 25, "within": 1.0}),
    ("odds × 1.3 a doubling", {"slope": np.log(1.3)}),
    ("odds × 2 a doubling", {"slope": np.log(2)}),
    ("odds × 2 a doubling, accounts differ", {"slope": np.log(2), "within": 1.0}),
    ("odds × 2 a doubling, few cases", {"slope": np.log(2), "n": 60, "accounts": 40}),
]


def change_table(runs: int) -> pd.DataFrame:
    rows = []
    for _, world in CHANGES:
        found = [change_found(seed, **world) for seed in range(runs)]
        rows.append(world | shares(found))
    return pd.DataFrame(rows).rename(
        columns={"a_week": "changes a week", "unsure": "hours unsure", "kind": "changes at"}
    )


def segment_tables(runs: int) -> pd.DataFrame:
    rows = []
    for name, world in SEGMENTS:
        pairs = [segments_found(seed, **world) for seed in range(runs)]
        only, apart = (shares([pair[k] for pair in pairs]) for k in (0, 1))
        truth = (1 + world.get("affected", 0.0)) / (1 + world.get("others", 0.0)) - 1
        covered = [
            e.low <= truth <= e.high
            for _, factor in pairs
            if (e := factor.effect) is not None and e.low is not None and e.high is not None
        ]
        rows.append(
            {
                "world": name,
                "affected only": only["supported"],
                "against the unaffected": apart["supported"],
                "its interval holds the truth": float(np.mean(covered)) if covered else np.nan,
            }
        )
        print(rows[-1], flush=True)
    return pd.DataFrame(rows)


def dose_table(runs: int) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"world": name} | shares([dose_found(seed, **world) for seed in range(runs)])
            for name, world in DOSES
        ]
    )


def contrast_table(runs: int) -> pd.DataFrame:
    kinds = (
        "independent", "autoregressive 0.5", "autoregressive 0.9", "drifting level",
        "random walk", "straight line",
    )  # fmt: skip
    return pd.DataFrame([contrast_row(kind, n, runs) for kind in kinds for n in (4, 8, 12, 26)])


_RECORD = """\
# Contributing factors: how often each test says "supported"

Made by `python -m tests.studies.postmortem_factors --runs {runs}`; worlds in that file, {runs}
seeded draws per row ({few} for the segments). Level 95 %: where a factor had nothing to do with the
incident, at most .05 should be supported (standard error {error:.3f}, {error_few:.3f} for the
segments).

## A change within 6 hours before

Twelve weeks of log. *caused*: a change within three hours before the start was put into it.
With *hours unsure*, the start has an interval of that length.

{changes}

Where changes are made every day, one that came just before says little: it is seldom supported even
where it was the cause.

## Segments

Five segments, of which two are affected, with 25 % of events, in the worlds ar_90 (60 events an
hour, that go up and down together) and poisson (30); 36 hours, eight weeks of history unless said.
*affected only* should be supported in the rows where only these move.

{segments}

*Others move half as much* is the border of what "affected only" rules out; the other test asks
only whether the affected moved by more.

## Difference-in-differences: weeks that are alike

How often an interval excludes zero where nothing happened, {many} draws a row.

{contrasts}

## Dose–response

300 labelled cases of 120 accounts of very unequal size, dose by account, labels drawn with chances
.1 and .8; "not tested" where too few are wrong.

{doses}
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=400)
    runs = parser.parse_args().runs
    few, many = max(1, runs // 4), 10 * runs
    text = _RECORD.format(
        runs=runs,
        few=few,
        many=f"{many:,}",
        error=(0.05 * 0.95 / runs) ** 0.5,
        error_few=(0.05 * 0.95 / few) ** 0.5,
        changes=markdown(change_table(runs)),
        segments=markdown(segment_tables(few)),
        contrasts=markdown(contrast_table(many)),
        doses=markdown(dose_table(runs)),
    )
    Path(__file__).with_suffix(".md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
