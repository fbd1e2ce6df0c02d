"""From a worklist and the labels that came back to the sample that prevalence is told from."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd

from trustlib.core import Refusal
from trustlib.core.format import exact, plural
from trustlib.harm.sample import FloatArray, IntArray, LabelledSample
from trustlib.harm.worklist import Worklist

_WHERE = "labels returned"
_DECIDED = "decisions on ties"


def sample_of(
    worklist: Worklist,
    returned: pd.DataFrame,
    *,
    decisions: pd.DataFrame | None = None,
    missing: Literal["refuse", "reweight"] = "refuse",
) -> LabelledSample:
    """The labelled sample of a round, in the order of the worklist.

    Parameters
    ----------
    returned
        One row per vote: item_key, rater_id, label (1 violating, 0 not). The same row twice
        counts once.
    decisions
        One row per item that somebody decided: item_key, label. It stands over the votes and is
        none itself: votes asked for only where two raters differ would spoil the agreement.
    missing
        What to do with items that did not come back, or came with one vote of two. "reweight":
        the items that came back stand for the others of their stratum, which takes those to be
        like them, and the inclusion probabilities are scaled by the part that came back.

    Returns
    -------
    LabelledSample
        Its label is the majority of the votes; one column of votes for each rater, by rater_id.

    Raises
    ------
    Refusal
        A column is missing; a label for an item that is not on the worklist; one that is
        neither 1 nor 0; a rater who contradicts themself; votes that tie without a decision;
        labels that are missing.
    """
    rows = worklist.rows
    at, label = _labels(returned, rows, ("item_key", "rater_id", "label"), _WHERE)
    votes = _votes(at, label, returned["rater_id"], len(rows))
    cast = (~np.isnan(votes)).sum(axis=1)
    mean = np.divide(np.nansum(votes, axis=1), cast, out=np.full(len(rows), np.nan), where=cast > 0)
    final = np.where(
        mean == 0.5, np.nan, np.where(mean > 0.5, 1.0, np.where(cast > 0, 0.0, np.nan))
    )
    if decisions is not None:
        decided, value = _labels(decisions, rows, ("item_key", "label"), _DECIDED)
        _refuse_contradictions(decided, value, _DECIDED, "an item is decided both ways")
        final[decided] = value
    ties = int(((mean == 0.5) & np.isnan(final)).sum())
    if ties:
        raise Refusal(
            f"{plural(ties, 'item')} with as many votes for as against",
            where=_WHERE,
            next_step="have somebody decide them, and give the decisions apart (item_key, label)",
        )
    lacking = int(np.isnan(final).sum())
    single = int((rows["double_rated"].to_numpy() & (cast == 1)).sum())
    if missing == "refuse" and (lacking or single):
        raise Refusal(
            f"{exact(lacking)} of {plural(len(rows), 'item')} have no label, and {exact(single)} "
            "that should have two votes have one",
            where=_WHERE,
            next_step="wait for them, or take those that came back for the others "
            '(missing="reweight")',
        )
    return _sample(rows, final, votes, strata=len(worklist.plan.labels))


def _labels(
    frame: pd.DataFrame, rows: pd.DataFrame, columns: tuple[str, ...], where: str
) -> tuple[IntArray, FloatArray]:
    """(m,) rows of the worklist and (m,) labels."""
    lacking = [name for name in columns if name not in frame]
    if lacking:
        raise Refusal(f"there is no column {', '.join(lacking)}", where=where,
                      next_step=f"give the columns {', '.join(columns)}")  # fmt: skip
    at = pd.Index(rows["item_key"]).get_indexer(pd.Index(frame["item_key"].astype(str)))
    if (at < 0).any():
        raise Refusal(
            f"{plural(int((at < 0).sum()), 'label')} for items that are not on the worklist, the "
            f"first in row {int(np.argmax(at < 0)) + 1:,}",
            where=f"{where}: item_key",
            next_step="give the worklist that these labels were made from",
        )
    values = pd.to_numeric(frame["label"], errors="coerce")
    label = values.to_numpy(dtype=np.float64, na_value=np.nan)
    odd = ~np.isin(label, (0.0, 1.0))
    if odd.any():
        raise Refusal(
            f"{plural(int(odd.sum()), 'label')} neither 1 nor 0, the first in row "
            f"{int(np.argmax(odd)) + 1:,}",
            where=f"{where}: label",
            next_step="write 1 for violating and 0 for not, and leave out what was not rated",
        )
    return at.astype(np.int64), label


def _votes(at: IntArray, label: FloatArray, raters: pd.Series, n: int) -> FloatArray:
    """(n, n_raters) votes."""
    if raters.isna().any():
        raise Refusal(
            f"{plural(int(raters.isna().sum()), 'label')} without a rater",
            where=f"{_WHERE}: rater_id",
            next_step="give every vote the one who gave it",
        )
    names, who = np.unique(raters.astype(str).to_numpy(dtype=str), return_inverse=True)
    _refuse_contradictions(
        at * max(len(names), 1) + who, label, _WHERE, "a rater voted both ways on an item"
    )
    votes = np.full((n, len(names)), np.nan)
    votes[at, who] = label
    return votes


def _refuse_contradictions(what: IntArray, label: FloatArray, where: str, said: str) -> None:
    both = np.intersect1d(what[label == 1], what[label == 0])
    if len(both):
        raise Refusal(
            f"{said}: {plural(len(both), 'time')}",
            where=where,
            next_step="keep the one that counts",
        )


def _sample(
    rows: pd.DataFrame, final: FloatArray, votes: FloatArray, *, strata: int
) -> LabelledSample:
    code, inclusion = rows["code"].to_numpy(), rows["inclusion_probability"].to_numpy()
    back = ~np.isnan(final)
    asked = np.bincount(code, 1 / inclusion, minlength=strata)
    came = np.bincount(code[back], 1 / inclusion[back], minlength=strata)
    part = np.divide(came, asked, out=np.ones(strata), where=asked > 0)
    return LabelledSample(
        stratum=code[back],
        # Exactly the worklist's where all came back.
        inclusion=(inclusion * np.where(part < 1, part, 1.0)[code])[back],
        label=final[back],
        views=rows["views"].to_numpy()[back],
        actor=rows["actor"].to_numpy()[back],
        score=rows["score"].to_numpy()[back],
        votes=votes[back],
    )
