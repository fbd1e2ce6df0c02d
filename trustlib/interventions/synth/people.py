"""Where units look like people: how few the page speaks of, and who is named beside it."""

from __future__ import annotations

from trustlib.core import Check
from trustlib.core.format import plural
from trustlib.interventions.disclosure import FEWEST_SHOWN, key_like
from trustlib.interventions.synth.panel import SynthPanel
from trustlib.interventions.synth.spec import SynthSpec


def small_cells(panel: SynthPanel, spec: SynthSpec) -> tuple[Check, ...]:
    """A warning where few people are treated, or stand by name in the parameters; else nothing.

    Names are taken off the page, but what a run was asked is kept with it as it was written.
    """
    if not key_like((*panel.unit_names, *panel.left_out)):
        return ()
    treated = int(panel.treated.sum())
    named = len({*spec.treated_units, *spec.donor_units, *spec.affected_units})
    said = []
    if treated < FEWEST_SHOWN:
        are = "one is" if treated == 1 else f"{plural(treated, 'unit')} are"
        said.append(f"{are} all that is treated")
    if named:
        are = "one is" if named == 1 else f"{plural(named, 'unit')} are"
        said.append(
            f"{are} named in the parameters, which the folded code, executed.ipynb and "
            "manifest.json repeat (treatment_start_column or treated_column can say who was "
            "treated without naming anyone)"
        )
    if not said:
        return ()
    text = f"Units look like people, and {', and '.join(said)}: restrict who may see this report."
    return (
        Check(name="small_cells", verdict="warn", label="speaks of very few people", text=text)
        if treated < FEWEST_SHOWN
        else Check(name="small_cells", verdict="warn", label="names people", text=text),
    )
