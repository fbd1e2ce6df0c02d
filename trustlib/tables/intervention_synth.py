"""Tables of a synthetic control: estimates, totals, methods, weights, placebos, definitions."""

from __future__ import annotations

from typing import Any

import pandas as pd
from markupsafe import Markup

from trustlib.core import View, stack
from trustlib.core import format as show
from trustlib.core.calendar import period
from trustlib.core.text import short, told_apart
from trustlib.core.view import note
from trustlib.interventions.synth.choice import Led
from trustlib.interventions.synth.result import SynthResult
from trustlib.interventions.synth.words import LED_NAMES
from trustlib.tables import house, numbers, run
from trustlib.tables.intervention_synth_assumptions import assumptions
from trustlib.tables.run import Read, checks, health, not_found, statement

__all__ = [
    "assumptions",
    "checks",
    "comparison",
    "definitions",
    "estimates",
    "health",
    "not_found",
    "placebos",
    "predictor_choices",
    "sources",
    "statement",
    "totals",
    "weights",
]

MOST_ROWS = 60
LEAST_WEIGHT = 0.001
_QUANTITIES = {
    "att": "Effect per period (headline)",
    "gap_final": "Effect in the last period",
    "placebo_p_value": "p-value of the placebos' ranks",
    "total_effect": "Total effect",
    "total_value_usd": "Value of the total effect",
    "relative_effect": "Effect as a share of what would have been",
    "smallest_detectable_effect": "Smallest effect likely to be seen",
    "pre_period_rmspe": "Misfit before the start (root mean square)",
}
_ALONE = "interrupted_time_series"


def estimates(result: SynthResult) -> View:
    """Every estimate with its interval, what it was made from, and how."""
    rows = []
    for name, estimate in result.estimates.items():
        number, interval = numbers.amount(estimate)
        how = estimate.method
        if estimate.low is None and estimate.note:
            how += f"; {estimate.note}"
        quantity = _QUANTITIES.get(name, house.capital(name.replace("_", " ")))
        if name == "att" and result.design.treated > 1:
            quantity = "Effect per treated unit and period (headline)"
        if name == "total_effect":
            quantity += f", {short(estimate.unit, 60)}"
        n = f"{estimate.n:,}" if estimate.n else "–"
        rows.append((quantity, number, interval, house.capital(how), n))
    outcome = short(result.spec.outcome_name or result.spec.outcome, 60)
    log = ", log points" if result.design.outcome_scale == "log" else ""
    columns = ("Quantity", "Estimate", _level(result), "How", "n")
    table = house.table(
        rows,
        columns=columns,
        caption=f"Estimates; effects are in {outcome}{log}",
        numeric=("Estimate", _level(result), "n"),
    )
    return stack([table, _regression(result)]) if len(result.regression) else table


def _regression(result: SynthResult) -> View:
    """The terms of an interrupted time series."""
    rows = [
        (house.capital(str(row["term"])), *_free(row)) for _, row in result.regression.iterrows()
    ]
    columns = ("Term", "Estimate", _level(result))
    caption = "The regression: level and trend, per period"
    return house.table(rows, columns=columns, caption=caption, numeric=columns[1:])


def _free(row: pd.Series) -> tuple[str, str]:
    """Terms of a regression are in units of their own: each has its own decimals."""
    point, low, high = (numbers.number(row[key]) for key in ("point", "low", "high"))
    return show.triple(point, low, high, sign=True)


def totals(result: SynthResult) -> View:
    """What changed, by period; the last row is everything."""
    frame = result.totals
    if frame.empty or frame["effect"].isna().all():
        total = result.estimates.get("total_effect")
        why = None if total is None else total.note
        return note(f"No totals: {why or 'the effect cannot be added up'}.")
    parts, whole = frame.iloc[:-1], frame.iloc[-1:]
    cut = len(frame) > MOST_ROWS
    shown = pd.concat([parts.tail(MOST_ROWS - 1), whole])
    beside = numbers.largest(shown, "effect")
    worth = "value_usd" in shown and bool(shown["value_usd"].notna().any())
    rows: list[tuple[str, ...]] = []
    for _, row in shown.iterrows():
        number, interval = numbers.triple(row, "effect", beside)
        name = "Everything" if row["time"] == "all" else period(row["time"])
        rows.append((name, number, interval, *_money(row, worth)))
    columns = ["Period", "Effect", _level(result), *(["Value"] if worth else [])]
    unit = short(result.spec.unit_label, 60)
    caption = f"Effect in {unit} by period; {_by(result)}"
    if cut:
        caption += f"; the last {MOST_ROWS - 1} of {len(parts):,} periods, all are in the data"
    return house.table(rows, columns=columns, caption=caption, numeric=columns[1:])


def _money(row: pd.Series, worth: bool) -> tuple[str, ...]:
    if not worth:
        return ()
    value = numbers.number(row["value_usd"])
    return ("–" if value is None else show.alike([value], currency="$")[0],)


def comparison(result: SynthResult) -> View:
    """The same effect by every method."""
    frame = result.comparison
    if frame.empty:
        return note("No methods to compare.")
    beside = numbers.largest(frame, "point", "low", "high")
    rows = []
    for _, row in frame.iterrows():
        number, interval = numbers.triple(row, "point", beside)
        name = house.capital(str(row["description"]))
        lead = " (headline)" if row["headline"] else ""
        rows.append((f"{name}{lead}", number, interval, house.capital(str(row["interval"]))))
    columns = ("Method", "Effect", _level(result), "Interval from")
    return house.table(
        rows, columns=columns, caption="The same effect by every method", numeric=columns[1:3]
    )


def predictor_choices(result: SynthResult) -> View:
    """The effect under other weights of the predictors."""
    frame = result.predictor_choices
    if frame.empty:
        return note("No other weights of predictors: the headline does not rest on predictors.")
    rows = [
        (
            house.capital(short(str(row["choice"]), 60)),
            show.count(row["att"], sign=True),
            show.count(float(row["mspe"]) ** 0.5),
            show.percent(round(float(row["largest_weight_change"]), 6)),
        )
        for _, row in frame.iterrows()
    ]
    columns = ("Weights", "Effect", "Misfit before the start", "Largest change of a weight")
    return house.table(
        rows,
        columns=columns,
        caption="The effect under other weights of the predictors; misfit: root mean square",
        numeric=columns[1:],
    )


def weights(result: SynthResult) -> View:
    """Every donor's weight, heaviest first; by date where there are several."""
    frame = result.weights
    if frame.empty:
        return note("No weights: there are no donors.")
    several = frame["group"].nunique() > 1
    carry = frame[frame["weight"].abs() >= LEAST_WEIGHT]
    shown = carry.head(MOST_ROWS)
    names = told_apart(shown["unit"], 64)
    rows = []
    for name, (_, row) in zip(names, shown.iterrows(), strict=True):
        date = (f"from {period(row['group'])}",) if several else ()
        rows.append((name, *date, _weight(row["weight"])))
    columns = ["Donor", *(["Start"] if several else []), "Weight"]
    caption = "Weight of every donor"
    if len(carry) > MOST_ROWS:
        caption = f"Weights of donors, the first {MOST_ROWS} of {len(carry):,}; all are in the data"
    if len(carry) < len(frame):
        caption += f"; those below {LEAST_WEIGHT} are not listed"
    return house.table(rows, columns=columns, caption=caption, numeric=("Weight",))


def _weight(weight: float) -> str:
    return f"{show.MINUS if weight < 0 else ''}{abs(weight):.3f}"


def placebos(result: SynthResult) -> View:
    """Every placebo by its rank, the treated among them."""
    frame = result.placebos
    if len(frame) < 2:
        p = result.estimates.get("placebo_p_value")
        why = (p.note if p is not None else None) or "there are no donors"
        return note(f"No placebos: {why}.")
    ranked = frame.sort_values("rank", kind="stable")
    shown = ranked.head(MOST_ROWS)
    own = ranked[ranked["treated"].astype(bool) & ~ranked.index.isin(shown.index)]
    shown = pd.concat([shown, own])
    beside = numbers.largest(shown, "att")
    beside_fit = numbers.largest(shown, "pre_rmspe", "post_rmspe")
    names = told_apart(shown["unit"], 64)
    rows = []
    for name, (_, row) in zip(names, shown.iterrows(), strict=True):
        lead = " (treated)" if row["treated"] else ""
        ends = numbers.triple(row, "att", beside, ends=("pre_rmspe", "post_rmspe"))
        before, after = (
            numbers.triple(row, key, beside_fit, ends=(key, key))[0].lstrip("+")
            for key in ("pre_rmspe", "post_rmspe")
        )
        rows.append((f"{name}{lead}", f"{int(row['rank']):,}", _ratio(row["ratio"]), ends[0],
                     before, after))  # fmt: skip
    columns = ("Placebo", "Rank", "After / before", "Effect", "Gap before", "Gap after")
    caption = "Every placebo by how much its gap grew (root mean squares, after over before)"
    if len(ranked) > MOST_ROWS:
        caption += f"; the first {MOST_ROWS} of {len(ranked):,}, all are in the data"
    return house.table(rows, columns=columns, caption=caption, numeric=columns[1:])


def _ratio(value: Any) -> str:
    ratio = numbers.number(value)
    if ratio is None:
        return "–"
    return "matched exactly" if ratio == float("inf") else f"{ratio:,.2f}"


def definitions(result: SynthResult) -> View:
    """What the words of this report mean."""
    level = show.level(result.spec.level)
    terms = {
        "Effect": "Actual minus what would have been, per treated unit and period: negative where "
        "the outcome fell.",
        f"{level} interval": _spread(result),
        "Smallest effect likely to be seen": "What this design would find four times out of five.",
    }
    more = _alone_terms() if result.design.preset == _ALONE else _terms(result)
    terms = {**terms, **more}
    items = Markup("").join(
        Markup("<dt>{}</dt><dd>{}</dd>").format(term, text) for term, text in terms.items()
    )
    return View(
        html=Markup("<dl>{}</dl>").format(items),
        text="\n".join(f"{term}: {text}" for term, text in terms.items()),
    )


def _spread(result: SynthResult) -> str:
    estimate = result.estimates["att"]
    if estimate.low is None:
        return f"There is none: {(estimate.note or '').removeprefix('not estimable: ')}."
    return f"{house.capital(_by(result))}. They assume that {result.design.assumption}."


def _terms(result: SynthResult) -> dict[str, str]:
    terms = {
        "Donor": "A unit that the intervention did not reach, and that may stand in for the "
        "treated.",
        "Synthetic": "A weighted mean of donors, weighted so that it moved like the treated before "
        "the start. After it, it stands for what would have been.",
        "Gap": "Actual minus synthetic, period by period.",
        "Placebo": "The same estimate for a donor, as if it had been the treated one. What it "
        "shows is chance, since nothing was done there.",
        "p-value": "The share of placebos and treated together whose gap grew as much as the "
        "treated one's, or more. It cannot be below 1 / (placebos + 1).",
        "Conformal interval": "Of one period: the effects for which its misfit would not stand out "
        "from those before the start. It assumes that misfits could have come in any order.",
        "Pretended start": "A date before the real one, with all data from the real one on taken "
        "away: an effect there would be chance or a sign that something is wrong.",
    }
    used = {result.design.preset, *result.comparison["estimator"]}
    terms.update({house.capital(LED_NAMES[led]): _METHODS[led] for led in _METHODS if led in used})
    return terms


_METHODS: dict[Led, str] = {
    "synthetic_did": "Weights donors and periods before the start, and allows the treated a level "
    "of its own (Arkhangelsky and others, 2021).",
    "synthetic_control": "Weights donors, none below zero, to match every period before the start "
    "(Abadie, Diamond and Hainmueller, 2010; outcomes only).",
    "synthetic_control_predictors": "Weights donors, none below zero, to match predictors, each "
    "as important as it helps to follow the outcome (Abadie, Diamond and Hainmueller, 2010).",
    "augmented": "Synthetic control whose remaining misfit is taken off by ridge regression; "
    "weights can be below zero (Ben-Michael, Feller and Rothstein, 2021).",
    "did": "All donors, and all periods before the start, count alike.",
}


def _alone_terms() -> dict[str, str]:
    return {
        "Interrupted time series": "The market's own line before the start, drawn on; what differs "
        "from it afterwards, in level and in slope. Whatever else began at the start is in it.",
        "Autocorrelation": "That neighbouring periods are alike. Errors allow for it.",
    }


def sources(
    rows: Read, units: Read | None = None, *, timezone: str = "UTC", span: str | None = None
) -> View:
    """Which rows the report rests on: the panel's, and those of the predictors' file."""
    more = () if units is None else (units,)
    return run.sources(rows, *more, timezone=timezone, span=span)


def _level(result: SynthResult) -> str:
    return f"{show.level(result.spec.level)} interval"


def _by(result: SynthResult) -> str:
    return {
        "placebo": "intervals from placebos in space",
        "jackknife": "intervals by jackknife over units",
        "bootstrap": "intervals by bootstrap over units",
        "regression": "intervals from the regression",
    }[result.design.inference]
