"""Which tokens are suddenly frequent: domains, texts, devices, address blocks.

Given how often a token came in both windows together, its count in the later one is binomial
with the later window's share of the exposure, if its rate did not change (Przyborowski and
Wilenski 1940): an exact test without a model of the rate. Real counts vary more than Poisson's;
`variance_ratio` measures by how much from several windows before, and counts are then divided
by it. Benjamini and Hochberg's step controls false discoveries over all tokens and kinds.
Intervals of the tokens that are found are widened for having been chosen (Benjamini and
Yekutieli 2005): of those shown, the level's share covers its own rate ratio.

Count accounts rather than items where one account can post a thousand: the test takes counts
for independent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import special, stats

from trustlib.core import NoData, Refusal
from trustlib.harm import token_pairs as tp
from trustlib.harm.token_pairs import FloatArray

SMALL = 11  # counts below are for the caller to suppress


@dataclass(frozen=True, kw_only=True, eq=False)
class NewlyFrequent:
    """Tokens with more than their share of the later window.

    Attributes
    ----------
    tokens
        kind, token (code), before, now (counts), ratio (of the rates, now over before; infinite
        where there was none before), low, high (of the ratio; high is infinite likewise), q,
        new (none before), small (fewer than 11 now), exposure (before over now, of its kind). The
        surest first.
    tested, untestable
        Tokens that were tested; tokens too rare ever to be found at this rate, which are not.
    variance_ratio
        Variance of the counts over Poisson's.
    level
        Of the intervals, before they were widened.
    rate
        False-discovery rate.
    """

    tokens: pd.DataFrame
    tested: int
    untestable: int
    variance_ratio: float
    level: float
    rate: float

    @property
    def sentence(self) -> str:
        """What was found, for a reader."""
        n, new = len(self.tokens), int(self.tokens["new"].sum())
        tested = f"Of {self.tested:,} tokens tested,"
        rare = f"{self.untestable:,} were too rare to test."
        if not n:
            return f"{tested} none is more frequent than before beyond chance; {rare}"
        return (
            f"{tested} {n:,} came more often than before beyond chance, {new:,} of them not seen "
            f"before; about {self.rate:.0%} of such a list may be chance. Of all, {rare}"
        )


def newly_frequent(
    counts: pd.DataFrame,
    *,
    exposure_before: float | Mapping[str, float],
    exposure_now: float | Mapping[str, float],
    variance_ratio: float = 1.0,
    rate: float = 0.05,
    level: float = 0.95,
) -> NewlyFrequent:
    """Tokens whose rate rose from the window before to the window now.

    Parameters
    ----------
    counts
        kind (name), token (code within its kind), before, now: one row for each token.
    exposure_before, exposure_now
        What counts are per, in both windows alike: hours, active accounts or items; one
        number, or one for each kind.
    variance_ratio
        1 for Poisson; from `variance_ratio` of this module.
    rate
        False-discovery rate.
    level
        Of the intervals of the ratios.

    Raises
    ------
    Refusal
        If a column is missing, a count is not a whole number from 0, a token repeats, or an
        exposure is not above 0.
    NoData
        If there are no tokens.
    """
    tp.columns(counts, ("kind", "token", "before", "now"), what="tokens")
    if not (0 < rate < 1 and 0 < level < 1 and np.isfinite(variance_ratio)):
        raise Refusal("rate and level must be between 0 and 1, variance_ratio a number")
    frame = _read(counts)
    ratio = np.maximum(variance_ratio, 1.0)
    first, second = (_exposures(e, frame["kind"]) for e in (exposure_before, exposure_now))
    share = second / (first + second)
    # A token that could not be found even with all of its counts in the later window.
    testable = upper_tail(frame["total"], frame["total"], share, ratio) <= rate
    frame, share = frame[testable].reset_index(drop=True), share[testable]
    odds = (first / second)[testable]
    p = upper_tail(frame["now"], frame["total"], share, ratio)
    q = stats.false_discovery_control(p, method="bh") if len(p) else p
    found = q <= rate
    widened = 1 - (1 - level) * found.mean() if found.any() else level
    low, high = ratio_interval(frame["now"], frame["before"], odds, ratio, level=widened)
    with np.errstate(divide="ignore"):
        frame["ratio"] = frame["now"] / frame["before"].to_numpy(dtype=float) * odds
    frame = frame.assign(low=low, high=high, q=q, new=frame["before"] == 0, exposure=odds)
    frame["small"] = frame["now"] < SMALL
    shown = frame[found].sort_values(
        ["q", "low", "kind", "token"], ascending=[True, False, True, True], ignore_index=True
    )
    return NewlyFrequent(
        tokens=shown.drop(columns="total"),
        tested=len(frame),
        untestable=int((~testable).sum()),
        variance_ratio=float(ratio),
        level=level,
        rate=rate,
    )


def upper_tail(now, total, share, variance_ratio: float) -> FloatArray:
    """P(as many of `total` in the later window or more), if its share is `share`.

    The binomial tail as an incomplete beta function, which also takes the counts that were
    divided by `variance_ratio`.
    """
    now, total = (np.asarray(x, dtype=float) / variance_ratio for x in (now, total))
    tail = special.betainc(np.maximum(now, 1e-300), total - now + 1, share)
    return np.where(now > 0, tail, 1.0)


def ratio_interval(
    now, before, odds, variance_ratio: float, *, level: float
) -> tuple[FloatArray, FloatArray]:
    """Clopper–Pearson's interval of the later window's share, as a ratio of rates.

    Parameters
    ----------
    now, before
        (n,) counts.
    odds
        (n,) exposure before over exposure now.
    """
    now, before = (np.asarray(x, dtype=float) / variance_ratio for x in (now, before))
    tail = (1 - level) / 2
    with np.errstate(invalid="ignore", divide="ignore"):
        low = special.betaincinv(np.maximum(now, 1e-300), before + 1, tail)
        high = special.betaincinv(now + 1, np.maximum(before, 1e-300), 1 - tail)
        low = np.where(now > 0, low, 0.0)
        high = np.where(before > 0, high, 1.0)
        return low / (1 - low) * odds, high / (1 - high) * odds


def variance_ratio(history: pd.DataFrame) -> float:
    """Variance of the tokens' counts over Poisson's, from windows of equal length before.

    Pearson's statistic of every token against its own mean, over the degrees of freedom; at
    least 1. Tokens with a mean below 1 are left out: their statistic tells nothing.

    Parameters
    ----------
    history
        kind, token, window (code), count: a window without a row counts 0, and every window
        has a row of some token.

    Raises
    ------
    Refusal
        If a column is missing, or there are fewer than two windows.
    NoData
        If no token is frequent enough.
    """
    tp.columns(history, ("kind", "token", "window", "count"), what="windows before")
    windows = history["window"].nunique()
    if windows < 2:
        raise Refusal("one window before cannot show how much counts vary", next_step="give two")
    each = history.groupby(["kind", "token", "window"])["count"].sum().astype(float)
    grouped = each.groupby(level=["kind", "token"])
    mean = grouped.sum() / windows
    squares = (each**2).groupby(level=["kind", "token"]).sum()
    often = mean >= 1
    if not often.any():
        raise NoData("no token comes once in a window on average: how counts vary is unknown")
    pearson = (squares[often] - windows * mean[often] ** 2) / mean[often]
    return max(float(pearson.sum() / (often.sum() * (windows - 1))), 1.0)


def _read(counts: pd.DataFrame) -> pd.DataFrame:
    frame = pd.DataFrame({"kind": counts["kind"].astype(str).to_numpy()})
    for name in ("token", "before", "now"):
        frame[name] = tp.whole(counts, name, what="tokens")
    twice = frame.duplicated(["kind", "token"])
    if twice.any():
        raise Refusal(
            f"tokens: a token repeats within its kind in {int(twice.sum()):,} rows",
            next_step="aggregate to one row for each token",
        )
    frame["total"] = frame["before"] + frame["now"]
    if not frame["total"].any():
        raise NoData("no token was counted in either window", next_step="check the windows")
    return frame


def _exposures(exposure: float | Mapping[str, float], kind: pd.Series) -> FloatArray:
    """(n,) exposure of each token's kind."""
    if isinstance(exposure, Mapping):
        missing = sorted(set(kind) - set(exposure))
        if missing:
            raise Refusal(f"an exposure is missing for {len(missing):,} kinds of tokens")
        values = np.asarray(kind.map(exposure), dtype=np.float64)
    else:
        values = np.full(len(kind), float(exposure), dtype=np.float64)
    if not (np.isfinite(values) & (values > 0)).all():
        raise Refusal("an exposure is not a number above 0")
    return values
