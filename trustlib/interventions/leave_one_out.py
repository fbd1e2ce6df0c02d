"""Does it hang on one cohort, or on one cluster: the headline without each of them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from trustlib.core import Check, Refusal, format
from trustlib.core.calendar import period
from trustlib.interventions.aggregation import aggregate
from trustlib.interventions.design import Design, design
from trustlib.interventions.effects import Effects
from trustlib.interventions.group_time import group_time
from trustlib.interventions.imputation import imputation
from trustlib.interventions.margin import margin
from trustlib.interventions.panel import Panel
from trustlib.interventions.randomization import cluster_starts
from trustlib.interventions.simple_att import sums, with_error
from trustlib.interventions.spec import DidSpec
from trustlib.interventions.subset import subset
from trustlib.interventions.sun_abraham import sun_abraham
from trustlib.interventions.two_way import two_way

MOST_CLUSTERS = 60
COLUMNS = ("left_out", "kind", "point", "standard_error", "low", "high")


def leave_one_out(panel: Panel, spec: DidSpec) -> pd.DataFrame:
    """`DidResult.leave_one_out`: a row per cohort, and per cluster where there are at most 60.

    The estimator is the headline's, fixed by the whole panel. A row that cannot be estimated
    holds NaN. Clusters that may not be named are numbered.
    """
    recognised = design(panel, spec)
    parts = []
    if len(panel.groups) > 1:
        parts += [
            (panel.period_names[group], "cohort", panel.first_treated != group)
            for group in panel.groups
        ]
    if 3 <= panel.n_clusters <= MOST_CLUSTERS:
        parts += [
            (_cluster_name(panel, recognised, code), "cluster", panel.cluster != code)
            for code in range(panel.n_clusters)
        ]
    rows = []
    for name, kind, kept in parts:
        rest = subset(panel, kept)
        point, error, critical = _estimate(rest, recognised, spec)
        half = critical * error
        rows.append((name, kind, point, error, point - half, point + half))
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    return frame.astype(dict.fromkeys(COLUMNS[2:], float))


def _cluster_name(panel: Panel, recognised: Design, code: int) -> str:
    return panel.cluster_names[code] if recognised.names_shown else f"cluster {code + 1}"


def _estimate(panel: Panel, whole: Design, spec: DidSpec) -> tuple[float, float, float]:
    """Point, error and critical value by the estimator of the whole panel."""
    if panel.never.all():
        return float("nan"), float("nan"), float("nan")
    try:
        spread = margin(panel, design(panel, spec), level=spec.level)
        if whole.estimator == "callaway_santanna" and not panel.covariate_names:
            # The closed form: the same number as the long way round, much sooner.
            made = sums(panel, control_group=whole.control_group, anticipation=spec.anticipation)
            start = cluster_starts(panel)
            if start is not None:
                point, error, influence = with_error(made, start)
                return point, error, float(spread.of_sums(influence[:, None])[0])
        found = _effects(panel, whole, spec)
    except Refusal:
        return float("nan"), float("nan"), float("nan")
    return found.overall, found.overall_standard_error, spread.of_overall(found)


def _effects(panel: Panel, whole: Design, spec: DidSpec) -> Effects:
    if whole.estimator == "imputation":
        return imputation(panel, anticipation=spec.anticipation, level=spec.level)[1]
    if whole.estimator == "sun_abraham":
        return sun_abraham(panel, level=spec.level)[1]
    if whole.estimator == "two_way":
        return two_way(panel, level=spec.level)
    cells = group_time(
        panel,
        control_group=whole.control_group,
        covariate_method=spec.covariate_method,
        anticipation=spec.anticipation,
    )
    return aggregate(cells, "simple", level=spec.level, draws=0, seed=spec.seed)


def leave_one_out_check(found: pd.DataFrame, spec: DidSpec, *, effect: float) -> Check:
    """Whether the answer keeps its sign and size without any single cohort or cluster."""
    name = "leave_one_out"
    known = found[found["point"].notna()]
    if known.empty:
        text = f"Not run: one cohort only, and no 3 to {MOST_CLUSTERS} clusters to leave out."
        return Check(name=name, verdict="not_run", label="nothing to leave out", text=text)
    away = (known["point"] - effect).abs()
    worst = known.iloc[int(away.to_numpy().argmax())]
    kinds = {kind: int((known["kind"] == kind).sum()) for kind in ("cohort", "cluster")}
    said = " and ".join(format.plural(n, kind) for kind, n in kinds.items() if n)
    who = "one cluster"
    if worst["kind"] == "cohort":
        who = f"the cohort of {period(worst['left_out'])}"
    low, high = float(known["point"].min()), float(known["point"].max())
    text = (
        f"Leaving out each of {said} in turn moves the effect of "
        f"{format.count(effect, sign=True)} between {format.count(low, sign=True)} and "
        f"{format.count(high, sign=True)}; {who} matters most."
    )
    lost = len(found) - len(known)
    if lost:
        text += f" Without {format.plural(lost, 'other')} there is no estimate at all."
    if (np.sign(known["point"]) != np.sign(effect)).any():
        if abs(effect) <= float(known["standard_error"].median()):
            text += " The effect is within one standard error of zero, so its sign is not settled."
            return Check(name=name, verdict="warn", label="sign not settled", text=text)
        return Check(name=name, verdict="fail", label="one part decides the sign", text=text)
    if away.max() > 0.5 * abs(effect) or lost:
        return Check(name=name, verdict="warn", label="one part matters much", text=text)
    return Check(name=name, verdict="pass", label="no single part decides", text=text)
