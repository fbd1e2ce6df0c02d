"""Tables of power before launch: the curve, other plans, estimates, definitions."""

from __future__ import annotations

from markupsafe import Markup

from trustlib.core import Estimate, View
from trustlib.core import format as show
from trustlib.core.text import short
from trustlib.core.view import note
from trustlib.interventions.power import PowerResult
from trustlib.tables import house
from trustlib.tables.run import checks, health, not_found, sources, statement

__all__ = [
    "alternatives",
    "checks",
    "definitions",
    "estimates",
    "health",
    "not_found",
    "plan",
    "power_curve",
    "sources",
    "statement",
]

_QUANTITIES = {
    "smallest_detectable_effect": "Smallest detectable effect",
    "smallest_detectable_relative_effect": "Smallest detectable effect, of the level",
    "false_alarm_rate": "False alarms where nothing happened",
}


def power_curve(result: PowerResult) -> View:
    """The chance to find an effect: the sizes asked for, or a few along the curve."""
    frame = result.power_curve
    asked = frame[frame["asked"].astype(bool)]
    shown = asked if len(asked) else frame.iloc[:: max(1, len(frame) // 8)]
    if shown.empty:
        return note("No power curve: nothing could be simulated.")
    rows = [
        (
            f"{float(row['effect']):,.3g}",
            _share(row["relative_effect"]),
            _share(row["power"]),
            f"{_share(row['low'])} to {_share(row['high'])}",
        )
        for _, row in shown.iterrows()
    ]
    columns = ("Effect", "Of the level", "Chance to find it", "Simulation's interval")
    outcome = short(result.spec.outcome_name, 60)
    return house.table(
        rows, columns=columns, caption=f"Power by size of the effect on {outcome}", numeric=columns
    )


def alternatives(result: PowerResult) -> View:
    """What other plans could show."""
    frame = result.alternatives
    if frame.empty:
        return note("No other plan fits the history.")
    own = result.estimates["smallest_detectable_effect"]
    first = "not estimable" if own.point is None else show.alike([own.point])[0]
    clusters = sum(result.plan.clusters)
    rows = [("This plan", f"{clusters:,}", f"{result.plan.after:,}", first, "1")]
    for _, row in frame.iterrows():
        size, ratio = float(row["smallest_detectable_effect"]), float(row["ratio"])
        rows.append(
            (
                house.capital(str(row["change"])),
                f"{int(row['treated_clusters']):,}",
                f"{int(row['periods_after']):,}",
                show.alike([size])[0] if size == size else "none found",
                f"{ratio:.2f}" if ratio == ratio else "–",
            )
        )
    columns = (
        "Plan", "Treated clusters", "Periods after", "Smallest detectable effect", "Of this plan's",
    )  # fmt: skip
    return house.table(rows, columns=columns, caption="Other plans", numeric=columns[1:])


def plan(result: PowerResult) -> View:
    """The plan as it was simulated, and the history it was placed on."""
    units = ", ".join(f"{n:,}" for n in result.spec.planned_units)
    clusters = ", ".join(f"{n:,}" for n in result.plan.clusters)
    how = "re-assignment of start dates" if result.by_assignment else "clustered errors"
    rows = [
        ("Units treated, wave by wave", units),
        ("As clusters", clusters),
        ("Periods between waves", f"{result.plan.gap:,}"),
        ("Periods before the first wave", f"{result.plan.before:,}"),
        ("Periods from the last wave on", f"{result.plan.after:,}"),
        ("History", f"{result.units:,} units, {result.clusters:,} clusters, "
                    f"{result.periods:,} periods"),
        ("Windows of the plan's length in it", f"{result.windows:,}"),
        ("Placebo roll-outs", f"{len(result.draws):,}"),
        ("Tested by", how),
        ("Level of the outcome", show.alike([result.baseline])[0]),
    ]  # fmt: skip
    return house.table(rows, columns=("What", "Value"), caption="The plan", numeric=("Value",))


def estimates(result: PowerResult) -> View:
    """Every estimate; its interval holds the simulation's own error."""
    rows = []
    for name, estimate in result.estimates.items():
        number, interval = _amount(estimate)
        quantity = _QUANTITIES.get(name, "")
        if name.startswith("power_at_"):
            quantity = f"Power at {name.removeprefix('power_at_').replace('-', show.MINUS)}"
        how = estimate.method if estimate.low is not None else estimate.note or estimate.method
        quantity = quantity or house.capital(name.replace("_", " "))
        rows.append((quantity, number, interval, house.capital(how), f"{estimate.n:,}"))
    level = f"{show.level(result.spec.level)} interval"
    return house.table(
        rows,
        columns=("Quantity", "Estimate", level, "How", "n"),
        caption=f"Estimates; effects are in {short(result.spec.outcome_name, 60)}",
        numeric=("Estimate", level, "n"),
    )


def definitions(result: PowerResult) -> View:
    """What the words of this report mean."""
    target = _share(result.spec.target_power)
    terms = {
        "Smallest detectable effect": f"What this plan would find in {target} of cases, in either "
        "direction.",
        "Power": "The chance that the interval excludes zero when the effect is as large as said.",
        "Placebo roll-out": "The planned roll-out, placed at random on a stretch of the history in "
        "which nothing happened, with units drawn at random.",
        "False alarms": "How often such a placebo shows an effect: it should be the level's "
        f"remainder, {_share(1 - result.spec.level)}.",
        "History": "The periods before anybody was treated.",
    }
    items = Markup("").join(
        Markup("<dt>{}</dt><dd>{}</dd>").format(term, text) for term, text in terms.items()
    )
    return View(
        html=Markup("<dl>{}</dl>").format(items),
        text="\n".join(f"{term}: {text}" for term, text in terms.items()),
    )


def _amount(estimate: Estimate) -> tuple[str, str]:
    if estimate.unit in ("share", "probability"):
        return _share(estimate.point), show.interval(estimate.low, estimate.high, _share)
    return show.triple(estimate.point, estimate.low, estimate.high)


def _share(value: float | None) -> str:
    """A share without a sign, at two digits; nothing measured reads a dash."""
    if value is None or value != value:
        return "–"
    return show.percent(round(float(value), 4), digits=2 if value < 0.995 else 3)
