"""How often the sample's labels are wrong, from items whose answer is known.

Known items are often given to more raters than the sampled ones are. A sampled label that is one
rater's word errs as one rater does, not as the majority of twelve. So each known item is asked what
a label with as many votes as the sampled ones have would say: with k of its m votes violating, the
majority of r votes drawn from them is so with the hypergeometric chance. Sensitivity is the mean of
these chances over violating items, specificity one minus the mean over the others; a tie counts as
not violating, as in the sample.

Votes on one item hang together: the interval is Clopper and Pearson's on the effective number of
looks, p (1 − p) over the variance of the mean between items. Where no vote was wrong there is no
such variance; then the votes are thinned as those of the other kind of item are, and where these
were all right as well each item counts once.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import binom, hypergeom

from trustlib.core import Check, Estimate
from trustlib.core.format import percent, plural
from trustlib.harm.rater_error import FEW_GOLD, RaterError
from trustlib.harm.sample import FloatArray, IntArray
from trustlib.stats.melding import DRAWS, binomial_draws
from trustlib.stats.wilson import clopper_pearson

METHOD = "against known answers, Clopper–Pearson on the effective number of votes"


def label_error(
    gold: pd.DataFrame, votes: npt.ArrayLike, *, level: float = 0.95, seed: int = 0
) -> RaterError:
    """Sensitivity and specificity of a label that rests on so many votes.

    Parameters
    ----------
    gold
        item, label (0 or 1), truth (0 or 1): every vote on an item whose answer is known.
    votes
        (n,) votes behind each label of the sample; they are taken in these parts.
    """
    asked = gold.groupby("item", sort=True).agg(
        votes=("label", "size"), positive=("label", "sum"), truth=("truth", "max")
    )
    counts = np.maximum(np.asarray(votes, dtype=np.int64), 1)
    chance = _majority(asked["votes"].to_numpy(), asked["positive"].to_numpy(), counts)
    kinds = {
        kind: (chance[of_kind], asked["votes"].to_numpy()[of_kind])
        for kind, of_kind in (
            ("violating", asked["truth"].to_numpy() == 1),
            ("other", asked["truth"].to_numpy() == 0),
        )
    }
    looks = {kind: _looks(*values) for kind, values in kinds.items()}
    found = {
        kind: (float(values.mean()), _filled(looks, kinds, kind)) if len(values) else None
        for kind, (values, _) in kinds.items()
    }
    random = np.random.default_rng(seed)
    draws = {
        kind: binomial_draws(one[0] * one[1], one[1], draws=DRAWS, random=random) if one else None
        for kind, one in found.items()
    }
    sizes = {kind: len(values) for kind, (values, _) in kinds.items()}
    sensitivity = _estimate(found["violating"], sizes["violating"], level, "violating")
    other = found["other"]
    right = None if other is None else (1 - other[0], other[1])
    specificity = _estimate(right, sizes["other"], level, "other")
    return RaterError(
        sensitivity=sensitivity,
        specificity=specificity,
        of="label",
        sensitivity_draws=draws["violating"],
        false_positive_draws=draws["other"],
        check=_check(sensitivity, specificity, sizes, len(gold)),
    )


def _majority(asked: IntArray, positive: IntArray, counts: IntArray) -> FloatArray:
    """(items,) chance that the majority of votes drawn in the sample's numbers is violating."""
    needed, weight = np.unique(counts, return_counts=True)
    total = np.zeros(len(asked))
    for votes, part in zip(needed, weight / weight.sum(), strict=True):
        more = votes // 2
        whole = hypergeom.sf(more, asked, positive, np.minimum(votes, asked))
        # Fewer known votes than a label has: as if each further one erred alike.
        alike = binom.sf(more, votes, positive / asked)
        total += part * np.where(asked >= votes, whole, alike)
    return total


def _looks(chance: FloatArray, votes: IntArray) -> float | None:
    """Effective looks behind the mean of `chance`; None where no vote, or each, was wrong."""
    n, most = len(chance), float(votes.sum())
    mean = float(chance.mean()) if n else 0.0
    if not 0 < mean < 1:
        return None
    if n < 2:
        return 1.0
    variance = float(chance.var(ddof=1)) / n
    return min(mean * (1 - mean) / variance, most) if variance > 0 else most


def _filled(
    looks: dict[str, float | None], kinds: dict[str, tuple[FloatArray, IntArray]], kind: str
) -> float:
    own = looks[kind]
    if own is not None:
        return own
    mine, other = kinds[kind][1], kinds["other" if kind == "violating" else "violating"][1]
    known = looks["other" if kind == "violating" else "violating"]
    per, of_other = float(mine.mean()), float(other.mean()) if len(other) else 1.0
    if known is None or of_other <= 1:
        return float(len(mine))
    together = min(1.0, max(0.0, (float(other.sum()) / known - 1) / (of_other - 1)))
    return float(mine.sum()) / (1 + (per - 1) * together)


def _estimate(found: tuple[float, float] | None, n: int, level: float, kind: str) -> Estimate:
    if found is None:
        none = f"not estimable: no {kind} items with a known answer"
        return Estimate(point=None, low=None, high=None, level=level, unit="share", method=METHOD,
                        n=0, note=none)  # fmt: skip
    share, looks = found
    low, high = clopper_pearson(share, n=looks, level=level)
    return Estimate(point=share, low=min(low, share), high=max(high, share), level=level,
                    unit="share", method=METHOD, n=n)  # fmt: skip


def _check(se: Estimate, sp: Estimate, sizes: dict[str, int], votes: int) -> Check:
    name = "rater_error"
    if se.point is None or sp.point is None:
        lacking = (se if se.point is None else sp).note or ""
        return Check(name=name, verdict="not_run", label="rater error unknown",
                     text=f"How often labels are wrong is {lacking}.")  # fmt: skip
    text = (
        f"Labels find {percent(se.point)} of violating items and leave "
        f"{percent(sp.point, digits=4)} of the others alone, measured with {plural(votes, 'vote')} "
        f"on {plural(sizes['violating'], 'violating item')} and {sizes['other']:,} others with a "
        "known answer."
    )
    if se.point + sp.point <= 1:
        text += " That is no better than chance: no share can be told from them."
        return Check(name=name, verdict="fail", label="labels say nothing", text=text)
    if min(sizes.values()) < FEW_GOLD:
        text += " That is few."
        return Check(name=name, verdict="warn", label="few items behind rater error", text=text)
    return Check(name=name, verdict="pass", label="rater error is known", text=text)
