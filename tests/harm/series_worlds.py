"""Prevalence series with a known trend, step and drift."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import expit

from trustlib.harm.series import PrevalenceSeries

START = pd.Timestamp("2026-01-05", tz="UTC")


def series(
    seed: int,
    *,
    periods=40,
    phi=0.0,
    tau=0.0,
    slope=0.0,
    step=0.0,
    at=None,
    labels=2000,
    base=-4.5,
    days=7,
    season=None,
) -> PrevalenceSeries:
    """Binomial labels around base + slope·t + step from `at` on + AR(1) drift + season (a week)."""
    random = np.random.default_rng(seed)
    drift = np.zeros(periods)
    drift[0] = random.normal(0, tau)
    for t in range(1, periods):
        drift[t] = phi * drift[t - 1] + random.normal(0, tau * np.sqrt(1 - phi**2))
    eta = base + slope * np.arange(periods) + drift
    if at is not None:
        eta[at:] += step
    if season is not None:
        eta += np.resize(season, periods)
    share = random.binomial(labels, expit(eta)) / labels
    return PrevalenceSeries(
        at=pd.date_range(START, periods=periods, freq=f"{days}D"),
        estimate=share,
        variance=share * (1 - share) / labels,
        labels=np.full(periods, labels),
    )


def without(made: PrevalenceSeries, rows) -> PrevalenceSeries:
    """The series with the labels of some periods missing."""
    estimate = made.estimate.copy()
    estimate[rows] = np.nan
    return PrevalenceSeries(at=made.at, estimate=estimate, variance=made.variance,
                            labels=made.labels)  # fmt: skip
