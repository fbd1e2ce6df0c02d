"""Tables of a difference-in-differences: estimates, totals, effects, estimators, sensitivity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from markupsafe import Markup

from trustlib.core import View
from trustlib.core import format as show
from trustlib.core.calendar import period
from trustlib.core.text import short, told_apart
from trustlib.core.view import note
from trustlib.interventions import DidResult
from trustlib.tables import house, numbers
from trustlib.tables.run import checks, health, not_found, sources, statement

__all__ = [
    "checks",
    "comparison",
    "definitions",
    "estimates",
    "event_study",
    "group_time",
    "health",
    "leave_one_out",
    "not_found",
    "placebo_in_time",
    "sensitivity",
    "sources",
    "statement",
    "totals",
]

MOST_ROWS = 60
_QUANTITIES = {
    "att": "Effect per treated unit and period (headline)",
    "simple": "Average over treated unit-periods",
    "group": "Average over cohorts",
    "dynamic": "Average over time since the start",
    "calendar": "Average over calendar periods",
    "total_effect": "Total effect",
    "total_value_usd": "Value of the total effect",
    "relative_effect": "Effect as a share of what would have been",
    "randomization_p_value": "p-value of re-assigned start dates",
    "smallest_detectable_effect": "Smallest effect likely to be seen",
    "breakdown_relative_magnitudes": "Breakdown: times the worst departure before",
    "breakdown_smoothness": "Breakdown: bend of the trend per period",
}
_ESTIMATORS = {
    "callaway_santanna": "Group-time effects",
    "imputation": "Imputation",
    "sun_abraham": "Interaction-weighted",
    "two_way": "Two-way regression",
}
_KINDS = {
    "relative_magnitudes": "Times the worst departure before",
    "smoothness": "Bend of the trend per period",
}


def estimates(result: DidResult) -> View:
    """Every estimate with its interval, what it was made from, and how."""
    rows = []
    for name, estimate in result.estimates.items():
        number, interval = numbers.amount(estimate)
        how = estimate.method if estimate.low is not None else estimate.note or estimate.method
        quantity = _QUANTITIES.get(name, house.capital(name.replace("_", " ")))
        if name == "total_effect":
            quantity += f", {short(estimate.unit, 60)}"
        n = f"{estimate.n:,}" if estimate.n else "–"
        rows.append((quantity, number, interval, house.capital(how), n))
    level = f"{show.level(result.spec.level)} interval"
    outcome = short(result.spec.outcome_name or result.spec.outcome, 60)
    return house.table(
        rows,
        columns=("Quantity", "Estimate", level, "How", "n"),
        caption=f"Estimates; effects are in {outcome}{_log(result)}",
        numeric=("Estimate", level, "n"),
    )


def _log(result: DidResult) -> str:
    return ", log points" if result.design.outcome_scale == "log" else ""


def totals(result: DidResult) -> View:
    """What the rollout changed, by unit or cohort; the last row is everything."""
    frame = result.totals
    if frame.empty:
        total = result.estimates.get("total_effect")
        why = None if total is None else total.note
        return note(f"No totals: {why or 'the effect cannot be added up'}.")
    parts, whole = frame.iloc[:-1], frame.iloc[-1:]
    if cut := len(frame) > MOST_ROWS:
        kept = parts["effect"].abs().sort_values(ascending=False, kind="stable")
        parts = parts.loc[sorted(kept.index[: MOST_ROWS - 1])]
    shown = pd.concat([parts, whole])
    beside = numbers.largest(shown, "effect")
    worth = "value_usd" in shown and shown["value_usd"].notna().any()
    rows: list[tuple[str, ...]] = []
    for name, (_, row) in zip(_names(shown["name"]), shown.iterrows(), strict=True):
        number, interval = numbers.triple(row, "effect", beside)
        value = numbers.number(row["value_usd"]) if worth else None
        money = ("–" if value is None else show.alike([value], currency="$")[0],) if worth else ()
        periods = show.exact(numbers.number(row["periods_treated"]))
        rows.append((name, f"{int(row['units']):,}", periods, number, interval, *money))
    level = f"{show.level(result.spec.level)} interval"
    columns = ["Where", "Units", "Unit-periods treated", "Total effect", level]
    columns += ["Value"] if worth else []
    unit = short(result.spec.unit_label, 60)
    caption = f"Total effect in {unit}" + (f"; the {MOST_ROWS - 1} largest of them" if cut else "")
    return house.table(rows, columns=columns, caption=caption, numeric=columns[1:])


def group_time(result: DidResult) -> View:
    """Effects of every cohort in every period from its start on."""
    frame = result.group_time
    frame = frame[frame["after"].astype(bool)] if len(frame) else frame
    keys = {"group": "Cohort", "time": "Period", "event_time": "Since start", "units": "Units"}
    return _effects(result, frame, keys, caption="Effect by cohort and period, from the start on")


def event_study(result: DidResult) -> View:
    """Effects by periods since the start, with both intervals."""
    frame = result.event_study_universal
    keys = {"event_time": "Since start", "units": "Units"}
    return _effects(result, frame, keys, caption="Effect by periods since the start", band=True)


def comparison(result: DidResult) -> View:
    """The same effect by every estimator."""
    frame = result.comparison
    if frame.empty:
        return note("No estimators to compare.")
    beside = numbers.largest(frame, "point", "low", "high")
    rows = []
    for _, row in frame.iterrows():
        number, interval = numbers.triple(row, "point", beside)
        name = _ESTIMATORS.get(str(row["estimator"]), house.capital(str(row["estimator"])))
        how = house.capital(str(row["description"]))
        if why := _text(row.get("note")):
            how += f": {why}"
        lead = " (headline)" if row["headline"] else ""
        rows.append((f"{name}{lead}", number, interval, how))
    level = f"{show.level(result.spec.level)} interval"
    columns = ("Estimator", "Effect", level, "How")
    return house.table(
        rows, columns=columns, caption="The same effect by every estimator", numeric=columns[1:3]
    )


def sensitivity(result: DidResult) -> View:
    """Intervals under departures from parallel trends."""
    frame = result.sensitivity
    if frame.empty:
        return note("No sensitivity analysis: there are no intervals under departures.")
    rows = []
    for kind, part in frame.groupby("kind", sort=False):
        beside = numbers.largest(part, "low", "high")
        for at, (_, row) in enumerate(part.iterrows()):
            bound = "none: as it is" if at == 0 else f"{row['bound']:.3g}"
            _, interval = numbers.triple(
                row.rename({"low": "near"}), "near", beside, ends=("near", "high")
            )
            zero = "yes" if row["contains_zero"] else "no"
            rows.append((_KINDS.get(str(kind), str(kind)), bound, interval, zero))
    level = f"{show.level(result.spec.level)} interval"
    columns = ("Departure", "Bound", level, "Holds zero")
    caption = "The interval under departures from parallel trends"
    return house.table(rows, columns=columns, caption=caption, numeric=("Bound", level))


def leave_one_out(result: DidResult) -> View:
    """The effect with one cohort or cluster left out."""
    frame = result.leave_one_out
    if frame.empty:
        return note("Nothing could be left out: there is one cohort.")
    named = [
        period(name) if kind == "cohort" or result.design.names_shown else f"cluster {i + 1}"
        for i, (name, kind) in enumerate(zip(frame["left_out"], frame["kind"], strict=True))
    ]
    keys = {"left_out": "Left out", "kind": "What it is"}
    return _effects(
        result, frame.assign(left_out=named), keys, caption="The effect without one at a time"
    )


def placebo_in_time(result: DidResult) -> View:
    """The effect of starts that never were."""
    frame = result.placebo_in_time
    keys = {"shift": "Periods earlier"}
    return _effects(result, frame, keys, caption="The effect of placebo starts", p_value=True)


def definitions(result: DidResult) -> View:
    """What the words of this report mean."""
    level = show.level(result.spec.level)
    terms = {
        "Effect": "Observed minus what would have been without the rollout, per treated unit and "
        "period: negative where the outcome fell.",
        "What would have been": "The treated units' own level before their start, moved on by the "
        "change of the comparison units since then.",
        "Cohort": "Units that started in the same period.",
        f"{level} interval": "Of one effect on its own. Errors are summed within "
        f"{'units' if result.spec.cluster is None else 'clusters'}, so that periods that stray "
        "together count as what they are.",
        "Band": f"Wider intervals that hold all effects of a figure at once in {level} of cases.",
        "Parallel trends": "That treated and comparison units would have moved alike without the "
        "rollout. It cannot be tested after the start; before it, it can be looked at.",
        "Breakdown value": "How large a departure from parallel trends the conclusion survives.",
        "Forbidden comparison": "The two-way regression also compares with units that are already "
        "treated; their own growing effect is then taken from the result.",
        "Placebo start": "A start that never was, some periods before the real one.",
        "Smallest effect likely to be seen": "What this design would find four times out of five.",
    }
    items = Markup("").join(
        Markup("<dt>{}</dt><dd>{}</dd>").format(term, text) for term, text in terms.items()
    )
    return View(
        html=Markup("<dl>{}</dl>").format(items),
        text="\n".join(f"{term}: {text}" for term, text in terms.items()),
    )


def _effects(
    result: DidResult,
    frame: pd.DataFrame,
    keys: Mapping[str, str],
    *,
    caption: str,
    band: bool = False,
    p_value: bool = False,
) -> View:
    """Rows of effects: the keys, then the effect with its interval."""
    if frame.empty or frame["point"].isna().all():
        return note(f"{caption}: not estimable.")
    beside = numbers.largest(frame, "point", "low", "high")
    rows = []
    for _, row in frame.head(MOST_ROWS).iterrows():
        number, interval = numbers.triple(row, "point", beside)
        more = []
        if band:
            more.append(numbers.triple(row, "point", beside, ends=("band_low", "band_high"))[1])
        if p_value:
            more.append(show.probability(numbers.number(row["p_value"])))
        if bool(row.get("reference", False)):
            number, interval, more = "0", "reference", ["reference"] * len(more)
        rows.append((*(_key(name, row[name]) for name in keys), number, interval, *more))
    level = f"{show.level(result.spec.level)} interval"
    columns = (
        *keys.values(), "Effect", level, *(["Band"] if band else []), *(["p"] if p_value else []),
    )  # fmt: skip
    if len(frame) > MOST_ROWS:
        caption += f" (the first {MOST_ROWS} of {len(frame):,} rows; all are in the data)"
    text = ("Cohort", "Period", "Left out", "What it is")
    numeric = [name for name in columns if name not in text]
    return house.table(rows, columns=columns, caption=caption, numeric=numeric)


def _key(name: str, value: Any) -> str:
    if name == "event_time":
        return show.exact(float(value), sign=True)
    if name in ("units", "shift"):
        return show.exact(float(value))
    return period(value)


def _names(names: Sequence[Any] | pd.Series) -> list[str]:
    """Names of parts: dates as a person writes them, the others told apart."""
    texts = []
    for name in map(str, names):
        head, _, label = name.partition(" ")
        made = head in ("from", "started") and label
        texts.append(f"{head} {period(label)}" if made else "Everything" if name == "all" else name)
    return told_apart(texts, 64)


def _text(value: Any) -> str:
    return "" if value is None or value != value else str(value).strip()
