"""Whole postmortems of many shapes, for the tests of figures, tables and narrative.

The sizing is a real one on a small made-up world; the other frames are stand-ins with the columns
that `trustlib.postmortem.result` names: views must be right for any `Postmortem`, also for ones
that the estimators rarely return. `result(kind)` is cached; `made(kind, money=…)` replaces what is
named, and a block whose frame is emptied says why it is not there.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

from tests.figures.shapes import HOSTILE
from trustlib.core import Check, Estimate
from trustlib.data.incident_records import RestrictedList
from trustlib.incidents import SizingResult, SizingSpec, sizing
from trustlib.incidents.worlds import World, draw
from trustlib.postmortem.result import BLOCKS, Postmortem
from trustlib.postmortem.spec import (
    ActionItem,
    Alert,
    PostmortemSpec,
    SeverityRule,
    Stamps,
    TimelineEntry,
)

NAN = math.nan
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "timeline": ("at", "kind", "event", "link"),
    "durations": ("name", "from_at", "to_at", "definition"),
    "affected": ("kind", "side", "candidates", "point", "low", "high"),
    "doses": ("kind", "side", "dose", "people", "cases"),
    "top_share": ("kind", "side", "top_people", "share"),
    "overlaps": ("first", "second", "people"),
    "by_segment": ("segment", "value", "side", "items", "point", "low", "high"),
    "money": ("item", "side", "point", "low", "high"),
    "maturity": ("kind", "seen", "factor", "final", "low", "high", "complete", "final_on"),
    "detection": (
        "alert", "status", "kind", "value", "fired_at", "delay_hours", "alarms", "weeks",
        "false_alarms_per_week", "low", "high", "avoided", "avoided_low", "avoided_high",
    ),
    "trade_off": ("kind", "value", "false_alarms_per_week", "delay_hours"),
    "factors": ("factor", "test", "verdict", "text"),
    "severity": ("severity", "measure", "at_least", "value", "basis", "met"),
    "revision": ("step", "amount"),
    "then_now": ("name", "then", "then_low", "then_high", "now", "low", "high"),
}  # fmt: skip
_TEXT = {
    "kind", "event", "link", "name", "definition", "side", "dose", "first", "second", "segment",
    "value_text", "item", "alert", "status", "factor", "test", "verdict", "text", "severity",
    "measure", "basis", "step",
}  # fmt: skip
_TIMES = {"at", "from_at", "to_at", "final_on", "fired_at"}
WORLD = World(name="rule actions", base=30, alpha=0.1)
KINDS = (
    "over", "under", "shortfall", "bare", "unknown", "one", "crowded", "hostile", "huge", "tiny",
)  # fmt: skip


@lru_cache(maxsize=16)
def sized(effect: float = 1.5, *, timezone: str = "America/New_York", unit: str = "rule actions",
          base: float = 30, after: int = 60, weeks: int = 8) -> SizingResult:  # fmt: skip
    """A real sizing of a small world."""
    world = draw(replace(WORLD, base=base), seed=3, weeks=weeks, effect=effect, hours=26,
                 after_hours=after)  # fmt: skip
    spec = SizingSpec(
        incident=world.incident, timezone=timezone, unit_label=unit,
        direction="increase" if effect > 0 else "decrease",
    )  # fmt: skip
    return sizing(world.counts, spec)


@lru_cache(maxsize=32)
def result(kind: str) -> Postmortem:
    """The postmortem of one of `KINDS`."""
    return made(kind)


def made(kind: str = "over", **changes: Any) -> Postmortem:
    """A postmortem of `kind`, with `changes` to its fields; "spec__currency" reaches the spec."""
    parts = _PARTS[kind]()
    inner = {name[6:]: value for name, value in changes.items() if name.startswith("spec__")}
    parts |= {name: value for name, value in changes.items() if not name.startswith("spec__")}
    parts["spec"] = replace(parts["spec"], **inner)
    for name in COLUMNS:
        if parts.get(name) is None:
            parts[name] = empty(name)
    record = Postmortem(**(parts | {"blocks": pd.DataFrame()}))
    return replace(record, blocks=changes.get("blocks", _blocks(record)))


def empty(name: str) -> pd.DataFrame:
    """A frame of the record without rows, its columns with the types they have."""
    return frame(name, [])


def frame(name: str, rows: list[tuple[Any, ...]]) -> pd.DataFrame:
    """A frame of the record from rows in the order of its columns."""
    whole = pd.DataFrame(rows, columns=list(COLUMNS[name]))
    text = _TEXT | ({"value"} if name == "by_segment" else set())
    for column in whole:
        if column in _TIMES:
            whole[column] = pd.to_datetime(whole[column], utc=True).dt.as_unit("us")
        elif column == "met":
            whole[column] = whole[column].astype(object)
        else:
            whole[column] = whole[column].astype(str if column in text else float)
    return whole


def estimate(point: float | None, low: float | None = None, high: float | None = None, *,
             unit: str = "items", n: int = 240, note: str | None = None,
             level: float = 0.95) -> Estimate:  # fmt: skip
    """An estimate with a stand-in's method."""
    if low is None and note is None:
        note = "not estimable: no label was read" if point is None else "exact by design"
    return Estimate(point=point, low=low, high=high, level=level, unit=unit,
                    method="labels weighed by their chance of being drawn", n=n,
                    note=note)  # fmt: skip


def _estimates(size: SizingResult, **own: Estimate) -> dict[str, Estimate]:
    nothing = dict.fromkeys(
        ("affected_items", "affected_accounts", "affected_customers", "affected_viewers",
         "false_positives", "false_negatives"), estimate(None),
    )  # fmt: skip
    nothing |= dict.fromkeys(
        ("gross_loss_usd", "recovered_usd", "net_loss_usd"), estimate(None, unit="USD")
    )
    nothing |= dict.fromkeys(
        ("clean_up_precision", "clean_up_recall", "back_fill_precision", "back_fill_recall"),
        estimate(None, unit="share"),
    )
    nothing |= dict.fromkeys(
        ("time_to_detect_hours", "time_to_acknowledge_hours", "time_to_mitigate_hours",
         "time_to_recover_hours"),
        estimate(None, unit="hours", note="not estimable: mitigated_at is not stated"),
    )  # fmt: skip
    excess = size.estimates["excess"]
    point, low, high = excess.point, excess.low, excess.high
    narrow = excess
    if point is not None and low is not None and high is not None:
        narrow = replace(excess, level=0.8, low=point - 0.64 * (point - low),
                         high=point + 0.64 * (high - point))  # fmt: skip
    return {**size.estimates, "excess_80": narrow, **nothing, **own}


def _spec(size: SizingResult, **more: Any) -> PostmortemSpec:
    return PostmortemSpec(sizing=size.spec, **more)


def _over() -> dict[str, Any]:
    """Good users hit by a rule: everything is there."""
    size = sized()
    start, end = size.spec.incident.start, size.spec.incident.end
    stamps = Stamps(
        first_signal_at=start + timedelta(hours=3.5), declared_at=start + timedelta(hours=5),
        mitigated_at=end, recovered_at=end + timedelta(hours=30),
    )  # fmt: skip
    entries = (
        TimelineEntry(at=start + timedelta(hours=4), event="Support reports a wave of appeals",
                      link="https://tracker.example/1042"),
        TimelineEntry(at=end - timedelta(hours=1), event="The rule is rolled back",
                      link="runbook page 7"),
    )  # fmt: skip
    spec = _spec(
        size, stamps=stamps, timeline=entries, actions=ACTIONS, severity_rules=RULES,
        alerts=(Alert(name="hourly actions", kind="threshold", value=180, status="existing"),
                Alert(name="twice last weeks", kind="rate_of_change", value=2.0)),
        currency="EUR", usd_rate=1.08, affected_segments=("birch", "elm"), segments=("market",),
    )  # fmt: skip
    found = _estimates(
        size,
        affected_items=estimate(253, 239, 266),
        affected_accounts=estimate(243, 214, 255, unit="accounts"),
        affected_customers=estimate(231, 201, 248, unit="customers"),
        false_positives=estimate(253, 239, 266),
        gross_loss_usd=estimate(18_240.5, 16_900, 19_700, unit="USD"),
        recovered_usd=estimate(4_120, 3_600, 4_700, unit="USD"),
        net_loss_usd=estimate(14_120.5, 12_700, 15_600, unit="USD"),
        clean_up_precision=estimate(0.62, 0.55, 0.69, unit="share"),
        clean_up_recall=estimate(0.91, 0.84, 0.96, unit="share"),
        time_to_detect_hours=estimate(3.5, 2.5, 4.5, unit="hours"),
        time_to_acknowledge_hours=estimate(1.5, 1.5, 1.5, unit="hours"),
        time_to_mitigate_hours=estimate(26, 25, 27, unit="hours"),
        time_to_recover_hours=estimate(56, 55, 57, unit="hours"),
        final_appeals=estimate(171, 150, 199, unit="appeals"),
        recommended_alert_value=estimate(4.5, 3.5, 6.0, unit="standard deviations"),
    )
    return {
        "spec": spec, "sizing": size, "estimates": found,
        "verdict": "SEV2, incident confirmed",
        "checks": (*size.checks, *_CHECKS),
        "timeline": _timeline(spec, size, [
            (start - timedelta(minutes=20), "change log", "Rule 7 goes from 10 % to all traffic",
             "https://changes.example/88"),
        ]),
        "durations": _durations(spec, size),
        "affected": frame("affected", [
            ("items", "over", 456, 253, 239, 266),
            ("accounts", "over", 431, 243, 214, 255),
            ("customers", "over", 402, 231, 201, 248),
        ]),
        "doses": frame("doses", [
            ("accounts", "over", "1", 410, 410),
            ("accounts", "over", "2 or more", 21, 46),
            ("customers", "over", "1", 365, 365),
            ("customers", "over", "2", 25, 50),
            ("customers", "over", "3 or more", 12, 41),
        ]),
        "top_share": frame("top_share", [
            ("accounts", "over", 5, NAN), ("customers", "over", 11, 0.083),
        ]),
        "overlaps": frame("overlaps", [
            ("accounts over", "accounts under", 14), ("accounts over", "viewers under", NAN),
        ]),
        "by_segment": frame("by_segment", [
            ("market", "birch", "over", 220, 141, 129, 153),
            ("market", "elm", "over", 160, 98, 86, 109),
            ("market", "the rest (4 values)", "over", 76, 14, NAN, NAN),
        ]),
        "money": frame("money", [
            ("gross", "over", 18_240.5, 16_900, 19_700),
            ("recovered", "over", 4_120, 3_600, 4_700),
            ("net", "over", 14_120.5, 12_700, 15_600),
        ]),
        "lists": (RestrictedList(
            name="clean-up", path="/srv/restricted/2026/clean-up.csv", rows=382,
            sha256="5e" * 32, labelled_wrong=148, unlabelled=234, before=401, left=19,
            left_resolved=14, left_judged=3,
        ),),
        "maturity": frame("maturity", [
            ("labels", 240, 1.0, 240, 240, 240, 1.0, end + timedelta(days=2)),
            ("appeals", 132, 1.295, 171, 150, 199, 0.77, end + timedelta(days=12)),
            ("chargebacks", 41, 2.73, 112, 78, 161, 0.366, end + timedelta(days=48)),
        ]),
        "detection": _detection(start),
        "trade_off": _trade_off(),
        "factors": _factors(),
        "severity": frame("severity", [
            ("SEV1", "affected_accounts", 1_000, 255, "upper end", False),
            ("SEV1", "net_loss_usd", 100_000, 15_600, "upper end", False),
            ("SEV2", "affected_accounts", 200, 255, "upper end", True),
            ("SEV3", "excess", 100, 1_697.6, "upper end", True),
            ("SEV3", "affected_viewers", 500, NAN, "upper end", None),
        ]),
        "severity_level": "SEV2",
        "revision": frame("revision", [
            ("rows that came or went in the earlier window", 88.2),
            ("expected relearnt", -18.8), ("window moved", 61.0),
        ]),
        "then_now": frame("then_now", [
            ("excess", 1_320.4, 1_050, 1_590, 1_450.8, 1_204.1, 1_697.6),
            ("affected_accounts", 201, 170, 230, 243, 214, 255),
            ("net_loss_usd", NAN, NAN, NAN, 14_120.5, 12_700, 15_600),
        ]),
    }  # fmt: skip


def _under() -> dict[str, Any]:
    """A wave that got through: viewers, no money, no first revision."""
    size = sized(2.4, timezone="UTC", unit="user reports", after=0)
    parts = _over()
    start = size.spec.incident.start
    spec = _spec(
        size,
        stamps=Stamps(first_signal_at=start + timedelta(hours=9)),
        status="open",
        actions=ACTIONS[:2],
        severity_rules=RULES[:2],
        segments=("market", "surface"),
    )
    found = _estimates(
        size,
        affected_items=estimate(318, 290, 341),
        false_negatives=estimate(318, 290, 341),
        affected_viewers=estimate(735, 690, 802, unit="viewers"),
        back_fill_precision=estimate(0.88, 0.8, 0.93, unit="share"),
        back_fill_recall=estimate(0.7, 0.61, 0.79, unit="share"),
        time_to_detect_hours=estimate(9, 8, 10, unit="hours"),
    )
    return parts | {
        "spec": spec, "sizing": size, "estimates": found, "verdict": "incident confirmed",
        "timeline": _timeline(spec, size, []), "durations": _durations(spec, size),
        "affected": frame("affected", [
            ("items", "under", 332, 318, 290, 341), ("items", "over", 40, 12, NAN, NAN),
            ("viewers", "under", 735, 735, 690, 802), ("accounts", "under", 88, NAN, NAN, NAN),
        ]),
        "doses": frame("doses", [
            ("viewers", "under", "1", 502, 502), ("viewers", "under", "2", 130, 260),
            ("viewers", "under", "3–5", 70, 265), ("viewers", "under", "6–10", 22, 160),
            ("viewers", "under", "11 or more", 11, 340),
        ]),
        "top_share": frame("top_share", [("viewers", "under", 11, 0.222)]),
        "overlaps": empty("overlaps"),
        "by_segment": frame("by_segment", [
            ("market", "alder", "under", 180, 171, 160, 176),
            ("market", "cedar", "under", 152, 147, 139, 151),
            ("surface", "feed", "under", 200, 190, 170, 198),
            ("surface", "search", "under", 132, NAN, NAN, NAN),
        ]),
        "money": empty("money"),
        "lists": (RestrictedList(name="back-fill", path="lists/back-fill.csv", rows=251,
                                 sha256="0b" * 32, labelled_wrong=120, unlabelled=131),),
        "severity_level": None,
        "revision": empty("revision"), "then_now": empty("then_now"),
    }  # fmt: skip


def _shortfall() -> dict[str, Any]:
    """A service shortfall: a negative excess, no table of cases."""
    size = sized(-0.6, unit="trips", base=900)
    spec = _spec(
        size,
        stamps=Stamps(mitigated_at=size.spec.incident.end),
        status="closed",
        actions=ACTIONS[2:],
        severity_rules=RULES[-1:],
    )
    excess = size.estimates["excess"]
    return {
        "spec": spec, "sizing": size, "estimates": _estimates(size), "verdict": size.verdict,
        "checks": size.checks, "timeline": _timeline(spec, size, []),
        "durations": _durations(spec, size), "lists": (), "severity_level": "SEV3",
        "detection": _detection(size.spec.incident.start), "trade_off": _trade_off(),
        "factors": _factors(),
        "severity": frame("severity", [
            ("SEV3", "excess", 100, abs(excess.point or 0), "point", True),
        ]),
        "revision": frame("revision", [
            ("rows that came or went in the earlier window", -640.0),
            ("expected relearnt", 1_210.0),
        ]),
        "then_now": frame("then_now", [
            ("excess", -9_800.0, -12_000.0, -7_600.0, -9_230.0, -11_400.0, -7_060.0),
        ]),
    }  # fmt: skip


def _bare() -> dict[str, Any]:
    """A count and a window, and nothing else: a quiet series of two weeks."""
    size = sized(1.5, weeks=2)
    return {
        "spec": _spec(size), "sizing": size, "estimates": _estimates(size),
        "verdict": size.verdict, "checks": size.checks, "lists": (), "severity_level": None,
        "factors": frame("factors", [
            ("change_before", "A change within 6 hours before", "not tested",
             "There is no change log."),
        ]),
    }  # fmt: skip


def _unknown() -> dict[str, Any]:
    """Every row is there, no number is."""
    parts = _over()
    known = {"top_people", "value", "at_least", "weeks"}
    for name in ("affected", "doses", "overlaps", "top_share", "by_segment", "money", "maturity",
                 "detection", "trade_off", "severity", "revision", "then_now"):  # fmt: skip
        blank = parts[name].copy()
        for column in blank:
            if column in ("fired_at", "final_on"):
                blank[column] = pd.Series(pd.NaT, index=blank.index).dt.tz_localize("UTC")
            elif pd.api.types.is_float_dtype(blank[column]) and column not in known:
                blank[column] = NAN
        if name == "severity":
            blank = blank.assign(met=None, value=NAN)
        parts[name] = blank
    return parts | {"estimates": _estimates(parts["sizing"]), "severity_level": None}


def _one() -> dict[str, Any]:
    """One row per frame."""
    parts = _over()
    return parts | {name: parts[name].iloc[:1] for name in COLUMNS}


def _crowded() -> dict[str, Any]:
    """Forty rows of everything, long names, events within minutes of each other."""
    parts, size = _over(), sized()
    start, end = size.spec.incident.start, size.spec.incident.end
    long = "a name that goes on and on, well beyond what any figure has room for, number"
    minutes = [timedelta(minutes=7 * i) for i in range(40)]
    entries = tuple(
        TimelineEntry(at=start + at, event=f"{long} {i}") for i, at in enumerate(minutes)
    )
    spec = replace(parts["spec"], timeline=entries, affected_segments=())
    rng = np.random.default_rng(5)
    sizes = np.sort(rng.integers(20, 900, 40))[::-1].astype(float)
    alarms = np.linspace(0, 30, 40)
    steps = [float((-1) ** i * (i + 1)) for i in range(38)]
    changes = [
        (start - at, "change log", f"Change {i} of {long}", "") for i, at in enumerate(minutes)
    ]
    return parts | {
        "spec": spec,
        "timeline": _timeline(spec, size, changes),
        "affected": frame("affected", [
            (k, s, 900, 400, 300, 500) for k in ("items", "accounts", "customers", "viewers")
            for s in ("over", "under")
        ]),
        "doses": frame("doses", [
            (k, s, d, n, 2 * n) for k in ("accounts", "customers", "viewers")
            for s in ("over", "under")
            for d, n in (("1", 4_000), ("2", 900), ("3–5", 300), ("6–10", 90), ("11 or more", 12))
        ]),
        "overlaps": frame("overlaps", [
            ("accounts over", "accounts under", 11 + i) for i in range(40)
        ]),
        "by_segment": frame("by_segment", [
            (f"segment {i % 3}", f"{long} {i}", ("over", "under")[i % 2], 2 * n, n, 0.8 * n,
             1.1 * n)
            for i, n in enumerate(sizes)
        ]),
        "money": frame("money", [
            (item, side, n, 0.9 * n, 1.2 * n)
            for side, by in (("over", 1), ("under", 3), ("both", 4))
            for item, n in (("gross", 9e4 * by), ("recovered", 2e4 * by), ("net", 7e4 * by))
        ]),
        "maturity": frame("maturity", [
            (f"{long} {i}", n, 1.4, 1.4 * n, 1.2 * n, 1.7 * n, 0.71, end + timedelta(days=i))
            for i, n in enumerate(sizes)
        ]),
        "detection": frame("detection", [
            (f"{long} {i}", ("existing", "proposed", "recommended")[min(i, 2)],
             ("threshold", "rate_of_change", "cusum")[i % 3], float(i + 1),
             start + timedelta(hours=i), float(i), 3 * i, 8.0, alarms[i], 0.8 * alarms[i],
             1.3 * alarms[i] + 0.4, 900.0 - i, 800.0 - i, 1_000.0 - i)
            for i in range(40)
        ]),
        "factors": frame("factors", [
            (f"factor_{i}", f"{long} {i}", ("supported", "not supported", "not tested")[i % 3],
             long)
            for i in range(40)
        ]),
        "revision": frame("revision", [(f"{long} {i}", steps[i]) for i in range(38)]),
        "then_now": frame("then_now", [
            ("excess", 1_000.0, 900.0, 1_100.0, 1_000.0 + sum(steps), 890.0, 1_070.0),
            *[(f"measure_{i}", n, 0.9 * n, 1.1 * n, 1.2 * n, n, 1.4 * n)
              for i, n in enumerate(sizes)],
        ]),
    }  # fmt: skip


def _hostile() -> dict[str, Any]:
    """Text that would break out of a page, in every field that carries text."""
    parts, size = _over(), sized(unit=HOSTILE[1])
    start = size.spec.incident.start
    links = ("javascript:alert(1)", "https://ok.example/<x>", "data:text/html,<b>", *HOSTILE)
    entries = tuple(
        TimelineEntry(at=start + timedelta(hours=i), event=HOSTILE[i % len(HOSTILE)], link=link)
        for i, link in enumerate(links)
    )
    actions = tuple(
        ActionItem(
            title=text, type="prevent", owner=text, due=date(2024, 3, 20), check=text, link=text
        )
        for text in HOSTILE
    )
    rules = tuple(SeverityRule(severity=text, measure="excess", at_least=1) for text in HOSTILE)
    spec = replace(
        parts["spec"],
        sizing=size.spec,
        timeline=entries,
        actions=actions,
        severity_rules=rules,
        currency="<b>",
        alerts=(),
        affected_segments=HOSTILE,
    )
    found: dict[str, Any] = {
        "spec": spec, "sizing": size, "timeline": _timeline(spec, size, []),
        "estimates": parts["estimates"] | {f"final_{HOSTILE[0]}": estimate(40, 30, 60)},
        "lists": (replace(parts["lists"][0], path="a/b/<script>alert(1)<.csv"),),
        "severity_level": HOSTILE[0],
    }  # fmt: skip
    text_columns = {
        "by_segment": ("segment", "value"), "maturity": ("kind",), "detection": ("alert",),
        "factors": ("factor", "test", "text"), "severity": ("severity",), "revision": ("step",),
        "doses": ("dose",), "durations": ("definition",),
    }  # fmt: skip
    for name, columns in text_columns.items():
        whole = parts[name]
        words = [f"\x00\u202e{HOSTILE[i % len(HOSTILE)]}" for i in range(len(whole))]
        found[name] = whole.assign(**dict.fromkeys(columns, words))
    return parts | found


def _scaled(by: float) -> dict[str, Any]:
    parts = _over()
    numbers = {
        "affected": ("candidates", "point", "low", "high"), "doses": ("people", "cases"),
        "by_segment": ("items", "point", "low", "high"), "money": ("point", "low", "high"),
        "maturity": ("seen", "final", "low", "high"),
        "detection": ("false_alarms_per_week", "low", "high", "avoided", "avoided_low",
                      "avoided_high", "delay_hours"),
        "trade_off": ("false_alarms_per_week", "delay_hours"), "revision": ("amount",),
        "then_now": ("then", "then_low", "then_high", "now", "low", "high"),
        "severity": ("at_least", "value"), "overlaps": ("people",),
    }  # fmt: skip
    return parts | {
        name: parts[name].assign(**{c: parts[name][c] * by for c in columns})
        for name, columns in numbers.items()
    }


ACTIONS = (
    ActionItem(title="Rules reach all traffic only after a day at 10 %", type="prevent",
               owner="rules team", due=date(2024, 3, 20),
               check="No rule of the last quarter skipped the step", status="open",
               link="https://tracker.example/1050"),
    ActionItem(title="An alert on actions per hour", type="detect", owner="on-call",
               due=date(2024, 3, 8), check="Fires on a replay of this incident", status="done"),
    ActionItem(title="Appeals are answered within a day", type="mitigate", owner="support",
               due=date(2024, 4, 2), check="Median under 24 hours for four weeks"),
)  # fmt: skip
RULES = (
    SeverityRule(severity="SEV1", measure="affected_accounts", at_least=1_000),
    SeverityRule(severity="SEV1", measure="net_loss_usd", at_least=100_000),
    SeverityRule(severity="SEV2", measure="affected_accounts", at_least=200),
    SeverityRule(severity="SEV3", measure="excess", at_least=100),
    SeverityRule(severity="SEV3", measure="affected_viewers", at_least=500),
)
_CHECKS = (
    Check(name="stamps_and_data", verdict="pass", label="stated instants go with the data",
          text="The first signal comes after the earliest start of impact."),
    Check(name="label_coverage", verdict="warn", label="half of the cases are labelled",
          text="240 of 456 cases have a label."),
)  # fmt: skip


def _timeline(
    spec: PostmortemSpec, size: SizingResult, changes: list[tuple[datetime, str, str, str]]
) -> pd.DataFrame:
    rows: list[tuple[Any, ...]] = [(size.spec.incident.start, "stated", "Impact starts", "")]
    words = {"first_signal_at": "First signal", "declared_at": "Declared",
             "mitigated_at": "Mitigated", "recovered_at": "Recovered"}  # fmt: skip
    rows += [
        (getattr(spec.stamps, name), "stated", event, "")
        for name, event in words.items()
        if getattr(spec.stamps, name) is not None
    ]
    onset = size.onset.iloc[0]
    for column, event in (("estimated_at", "Impact starts"),
                          ("recovered_at", "Counts are back to normal")):  # fmt: skip
        if not pd.isna(onset[column]):
            rows.append((onset[column], "estimated", event, ""))
    rows += [(one.at, "timeline", one.event, one.link) for one in spec.timeline]
    return frame("timeline", [*rows, *changes]).sort_values(
        ["at", "kind", "event", "link"], kind="stable", ignore_index=True
    )


def _durations(spec: PostmortemSpec, size: SizingResult) -> pd.DataFrame:
    at, start = spec.stamps, size.onset.iloc[0]["estimated_at"]
    start = size.spec.incident.start if pd.isna(start) else start
    return frame("durations", [
        ("time_to_detect_hours", start, at.first_signal_at,
         "From the start of impact to the first signal that anyone had."),
        ("time_to_acknowledge_hours", at.first_signal_at, at.declared_at,
         "From the first signal to the incident being declared."),
        ("time_to_mitigate_hours", start, at.mitigated_at,
         "From the start of impact to the end of new harm."),
        ("time_to_recover_hours", start, at.recovered_at,
         "From the start of impact to everything being put right."),
    ])  # fmt: skip


def _detection(start: datetime) -> pd.DataFrame:
    return frame("detection", [
        ("hourly actions", "existing", "threshold", 180, None, NAN, 0, 8, 0.0, 0.0, 0.461,
         0.0, 0.0, 0.0),
        ("twice last weeks", "proposed", "rate_of_change", 2.0, start + timedelta(hours=2), 2.0,
         9, 8, 1.125, 0.514, 2.136, 1_210.0, 980.0, 1_440.0),
        ("cusum at 4.5", "recommended", "cusum", 4.5, start + timedelta(hours=3), 3.0,
         5, 8, 0.625, 0.203, 1.459, 1_130.0, 900.0, 1_350.0),
    ])  # fmt: skip


def _trade_off() -> pd.DataFrame:
    rows = [
        *[("threshold", v, a, d) for v, a, d in
          ((80, 21.0, 1), (100, 9.5, 2), (120, 4.1, 4), (150, 0.9, 9), (180, 0.0, NAN))],
        *[("rate_of_change", v, a, d) for v, a, d in
          ((1.3, 18.0, 1), (1.6, 6.0, 1), (2.0, 1.125, 2), (2.5, 0.25, 4), (3.0, 0.0, 7))],
        *[("cusum", v, a, d) for v, a, d in
          ((2, 11.0, 1), (3, 3.4, 2), (4.5, 0.625, 3), (6, 0.25, 4), (9, 0.0, 6))],
    ]  # fmt: skip
    return frame("trade_off", rows)


def _factors() -> pd.DataFrame:
    return frame("factors", [
        ("change_before", "A change within 6 hours before the start of impact", "supported",
         "One change was logged 20 minutes before: Rule 7 goes from 10 % to all traffic."),
        ("affected_segment", "Only the segments that the cause reaches moved", "supported",
         "Outside birch and elm the excess is 12 (−40 to 64)."),
        ("difference_in_differences", "Against the segments it does not reach", "not supported",
         "The interval of the difference holds zero."),
        ("dose_response", "More of the cause, more harm", "not tested",
         "No labelled case has a dose."),
    ])  # fmt: skip


def read() -> tuple[SimpleNamespace, SimpleNamespace]:
    """Stand-ins for `Counts` and `AffectedRows`: the fields that the views read."""
    start = sized().spec.incident.start

    def snapshot(source: str, rows: int) -> SimpleNamespace:
        return SimpleNamespace(
            source=source, kind="csv", rows=rows, sha256="6f2a" * 16, sql="SELECT 1 < 2 AS yes",
            window_start_at=start, window_end_at=start + timedelta(days=2),
            to_json=lambda: {"source": source, "rows": rows},
        )  # fmt: skip

    def health(*rows: tuple[str, int, str]) -> pd.DataFrame:
        return pd.DataFrame(rows, columns=["item", "n", "note"])

    counts = SimpleNamespace(
        health=health(("rows read", 10_320, "every row of the source"),
                      ("duplicates", 44, "counted once"), ("late rows", 0, "")),
        checks=(), snapshot=snapshot("action_log.csv", 10_320),
    )  # fmt: skip
    rows = SimpleNamespace(
        health=health(("cases read", 456, "every row of the source"),
                      ("cases outside the window", 3, "left out"),
                      ("labels of no case", 0, "")),
        missing={"views": "views_source is not set <b>here</b>"},
        checks=(), snapshots={"affected": snapshot("incident_cases.csv", 456)},
    )  # fmt: skip
    return counts, rows


def _blocks(record: Postmortem) -> pd.DataFrame:
    """A block is there where its frame has rows."""
    there = dict.fromkeys(BLOCKS, True) | {
        "timeline": len(record.timeline), "affected": len(record.affected),
        "dose": len(record.doses), "money": len(record.money), "lists": len(record.lists),
        "maturity": len(record.maturity), "detection": len(record.detection),
        "factors": int((record.factors["verdict"] != "not tested").sum()),
        "severity": len(record.spec.severity_rules), "actions": len(record.spec.actions),
        "revisions": len(record.revision),
    }  # fmt: skip
    return pd.DataFrame(
        {
            "number": range(1, len(BLOCKS) + 1),
            "block": BLOCKS,
            "present": [bool(there[name]) for name in BLOCKS],
            "reason": [
                "" if there[name] else f"Nothing is known of it: {name} <i>x</i>."
                for name in BLOCKS
            ],
        }
    )


_PARTS = {
    "over": _over, "under": _under, "shortfall": _shortfall, "bare": _bare, "unknown": _unknown,
    "one": _one, "crowded": _crowded, "hostile": _hostile, "huge": lambda: _scaled(3e9),
    "tiny": lambda: _scaled(1e-5),
}  # fmt: skip
