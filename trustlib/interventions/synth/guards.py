"""Guards of the design: who may be compared, for how long, and resting on whom."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from trustlib.core import Check, Verdict
from trustlib.core.format import count, percent, plural, probability
from trustlib.core.format import level as level_text
from trustlib.interventions.synth.case import Case
from trustlib.interventions.synth.cohorts import mean_weights
from trustlib.interventions.synth.fit import Fit
from trustlib.interventions.synth.panel import SynthPanel
from trustlib.interventions.synth.spread import LEAST_PLACEBOS

FEW_BEFORE = 10
TOO_FEW_BEFORE = 5
HEAVY = 0.5  # of the weight on one donor
VERY_HEAVY = 0.8


def pre_periods(parts: Sequence[tuple[int, Case]]) -> Check:
    """Whether there is enough of a before to match on."""
    name = "pre_periods"
    least = min(case.n_pre for _, case in parts)
    text = f"{plural(least, 'period')} before the {'first ' if len(parts) > 1 else ''}start"
    if least < TOO_FEW_BEFORE:
        text += f": a match on so few can be luck; {TOO_FEW_BEFORE} at least are needed."
        return Check(name=name, verdict="fail", label="too little before the start", text=text)
    if least < FEW_BEFORE:
        text += f": a match on fewer than {FEW_BEFORE} is weak evidence of a match afterwards."
        return Check(name=name, verdict="warn", label="little before the start", text=text)
    text += " to match on."
    return Check(name=name, verdict="pass", label="enough before the start", text=text)


def enough_donors(
    n_placebos: int, n_donors: int, *, level: float, resampled: bool = False
) -> Check:
    """Whether the placebos are enough for a p-value as small as the level asks.

    Parameters
    ----------
    n_placebos
        Placebos in space that were had; 0 where there were none.
    resampled
        The headline's interval comes from units left out or drawn again, not from placebos.
    """
    name = "enough_donors"
    wanted = 1 - level
    if not n_placebos:
        text = (
            f"{plural(n_donors, 'donor')} cannot stand in for the treated and leave one to "
            "compare with: no placebo, no p-value"
        )
        if resampled:
            text += ". The interval comes from leaving units out or drawing them again."
            return Check(name=name, verdict="warn", label="few donors", text=text)
        text += ", no interval."
        return Check(name=name, verdict="fail", label="too few donors", text=text)
    least = 1 / (n_placebos + 1)
    have = f"{plural(n_placebos, 'placebo')} from {plural(n_donors, 'donor')}"
    if least <= wanted + 1e-12:
        text = (
            f"{have}: p can be as small as {probability(least)}, and {level_text(level)} asks "
            f"for {probability(wanted)}."
        )
        return Check(name=name, verdict="pass", label="enough donors", text=text)
    needed = round(1 / wanted) - 1
    text = (
        f"With {have} p cannot be below {probability(least)}, however large the effect: "
        f"{level_text(level)} asks for {probability(wanted)}, which takes {needed} of them. "
    )
    text += (
        f"An interval needs {LEAST_PLACEBOS} at least."
        if n_placebos < LEAST_PLACEBOS
        else "An interval can rest on the placebos' spread and a bell shape only, not on ranks."
    )
    verdict: Verdict = "fail" if least > 2 * wanted + 1e-12 else "warn"
    label = "too few donors" if verdict == "fail" else "few donors"
    return Check(name=name, verdict=verdict, label=label, text=text)


def donors_treated(panel: SynthPanel) -> Check:
    """Who was left out of the pool, and why; whether anyone could have been."""
    name = "donors_treated"
    reasons = Counter(panel.left_out.values())
    donors = plural(len(panel.donors), "donor")
    if not reasons:
        text = f"All {donors} are taken to be untouched: nothing says that any was treated."
        return Check(name=name, verdict="pass", label="no donor was treated", text=text)
    said = "; ".join(f"{n:,} {why}" for why, n in sorted(reasons.items()))
    text = f"Left out of the pool: {said}. {donors} remain{'s' if len(panel.donors) == 1 else ''}."
    unsaid = reasons["treated"] + reasons["treated from the start"] + reasons["affected"]
    if unsaid > len(panel.donors):
        text += " More units were treated or reached than are left to compare with."
        return Check(name=name, verdict="warn", label="few untouched donors", text=text)
    return Check(
        name=name,
        verdict="pass",
        label=_left_out(reasons) if unsaid else "donors as chosen",
        text=text,
    )


def _left_out(reasons: Counter[str]) -> str:
    treated = reasons["treated"] + reasons["treated from the start"]
    kinds = ["treated"] if treated else []
    kinds += ["reached"] if reasons["affected"] else []
    return f"{' and '.join(kinds)} donors left out"


def one_donor(
    parts: Sequence[tuple[int, Case]], fits: Sequence[Fit], *, donor_names: Sequence[str]
) -> Check:
    """Whether the synthetic rests on one donor."""
    name = "one_donor"
    weights = mean_weights(parts, fits)
    size = np.abs(weights) / np.abs(weights).sum()
    heaviest = int(np.argmax(size))
    effective = 1 / float(size @ size)
    text = (
        f"{donor_names[heaviest]} has {percent(float(size[heaviest]))} of the weight; together "
        f"the donors count like {effective:.1f} of equal weight."
    )
    if (weights < -1e-9).any():
        text += f" Weights below zero add up to {count(float(weights[weights < 0].sum()))}."
    if size[heaviest] > VERY_HEAVY:
        text += " What happened to it alone would look like an effect."
        return Check(name=name, verdict="fail", label="rests on one donor", text=text)
    if size[heaviest] > HEAVY:
        return Check(name=name, verdict="warn", label="one donor has most weight", text=text)
    return Check(name=name, verdict="pass", label="weight on several donors", text=text)


def missing_cells(panel: SynthPanel) -> Check:
    """What was dropped because a cell had no value."""
    name = "missing_cells"
    donors = sum(why == "missing cells" for why in panel.left_out.values())
    periods = int(panel.notes.get("periods without a treated outcome", 0))
    if not donors and not periods:
        text = "Every unit in use has a value in every period."
        return Check(name=name, verdict="pass", label="no gaps in the panel", text=text)
    parts = []
    if donors:
        parts.append(f"{plural(donors, 'donor')} with gaps left out")
    if periods:
        parts.append(f"{plural(periods, 'period')} dropped, in which a treated unit has no value")
    text = f"{'; '.join(parts)}. If values are missing because of the treatment, this misleads."
    text = text[0].upper() + text[1:]
    all_donors = donors + len(panel.donors)
    lost = periods / (periods + panel.n_periods)
    verdict: Verdict = "fail" if lost > 0.2 or (donors and donors / all_donors > 0.5) else "warn"
    return Check(name=name, verdict=verdict, label="gaps in the panel", text=text)
