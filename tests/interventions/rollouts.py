"""Made-up roll-outs as long frames, and the two oracles on them."""

from __future__ import annotations

import contextlib
import io
import warnings

import numpy as np
import pandas as pd

from trustlib.interventions import DidSpec, GroupTime, group_time, panel_from_frame

METHODS = {"doubly_robust": "dr", "regression": "reg", "ipw": "ipw"}


def rollout(
    *,
    units: int = 120,
    periods: int = 7,
    groups: tuple[int, ...] = (3, 4, 6),
    never: float = 0.4,
    missing: float = 0.0,
    moving: bool = False,
    seed: int = 0,
) -> pd.DataFrame:
    """unit, time (1 …), outcome, treatment_start (0 = never), x, z, weight, cluster, block.

    The effect is .5 per period since the start; x shifts the trend and is more common among
    the treated. `cluster` holds four neighbours each, whatever their start; `block` never mixes
    starts. With `moving`, x varies over time.
    """
    rng = np.random.default_rng(seed)
    start = np.where(rng.random(units) < never, 0, rng.choice(groups, units))
    start[: len(groups) + 1] = (*groups, 0 if never else groups[0])
    time = np.arange(1, periods + 1)
    x = rng.normal(size=(units, 1)) + 0.3 * (start[:, None] > 0) + np.zeros(periods)
    if moving:
        x = x + 0.3 * rng.normal(size=x.shape)
    z = rng.normal(size=units)
    since = np.maximum(time - start[:, None] + 1, 0) * (start[:, None] > 0)
    outcome = rng.normal(size=(units, 1)) + 0.2 * time * x + 0.5 * since
    outcome = outcome + rng.normal(size=(units, periods))
    order = np.argsort(start, kind="stable")
    block = np.empty(units, dtype=np.int64)
    block[order] = start[order] * 1000 + np.arange(units) // 3
    frame = pd.DataFrame(
        {
            "unit": np.repeat(np.arange(units), periods),
            "time": np.tile(time, units),
            "outcome": outcome.ravel(),
            "treatment_start": np.repeat(start, periods),
            "x": x.ravel(),
            "z": np.repeat(z, periods),
            "weight": np.repeat(rng.uniform(0.5, 2.0, units), periods),
            "cluster": np.repeat(np.arange(units) // 4, periods),
            "block": np.repeat(block, periods),
        }
    )
    if missing:
        frame = frame[rng.random(len(frame)) >= missing].reset_index(drop=True)
    return frame


def ours(frame: pd.DataFrame, **options: object) -> GroupTime:
    """Group-time effects of `frame`; options of `DidSpec` and `group_time` alike."""
    names = ("control_group", "covariate_method", "anticipation", "base_period")
    how = {name: options.pop(name) for name in names if name in options}
    how.setdefault("control_group", "never")
    return group_time(panel_from_frame(frame, DidSpec(**options)), **how)


def by_diff_diff(frame: pd.DataFrame, *, weight: str | None = None, **options):
    """A diff-diff fit; its own warnings are not the test's."""
    with _quiet():
        from diff_diff import CallawaySantAnna, SurveyDesign

        control = {"never": "never_treated", "not_yet": "not_yet_treated"}
        estimator = CallawaySantAnna(
            control_group=control[options.get("control_group", "never")],
            estimation_method=METHODS[options.get("covariate_method", "doubly_robust")],
            anticipation=options.get("anticipation", 0),
            base_period=options.get("base_period", "varying"),
            cluster=options.get("cluster"),
            pscore_trim=1e-9,
        )
        return estimator.fit(
            frame,
            "outcome",
            "unit",
            "time",
            "treatment_start",
            covariates=list(options.get("covariates", ())) or None,
            survey_design=SurveyDesign(weights=weight) if weight else None,
        )


def by_csdid(frame: pd.DataFrame, **options):
    """A csdid fit with analytic errors; its own warnings and prints are not the test's."""
    with _quiet():
        from csdid.att_gt import ATTgt

        control = {"never": "nevertreated", "not_yet": "notyettreated"}
        covariates = options.get("covariates", ())
        model = ATTgt(
            "outcome",
            "time",
            "unit",
            "treatment_start",
            frame.copy(),
            control_group=[control[options.get("control_group", "never")]],
            xformla="outcome~" + "+".join(covariates) if covariates else None,
            anticipation=options.get("anticipation", 0),
            weights_name=options.get("weight"),
            clustervar=options.get("cluster"),
        )
        return model.fit(
            est_method=METHODS[options.get("covariate_method", "doubly_robust")],
            base_period=options.get("base_period", "varying"),
            bstrap=False,
        )


def aggregated(model, kind: str) -> dict[str, object]:
    """csdid's aggregation with analytic errors."""
    with _quiet():
        return dict(model.aggte(typec=kind, bstrap=False, cband=False, na_rm=True).atte)


@contextlib.contextmanager
def _quiet():
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        yield
