"""Labels of a deep-dive: refusals, chances of being drawn, totals that labels share out."""

from __future__ import annotations

import numpy as np
import pandas as pd

from trustlib.core import Refusal
from trustlib.core.format import plural
from trustlib.data.abuse_records import Role
from trustlib.data.engine import abuse_votes as engine
from trustlib.data.engine.abuse import Tables

_OTHER_STRATUM = 0.01  # of labelled items; more than that is another stratification
_NOUN = {"labels": "labelled item", "view_labels": "labelled view"}


def without_policy(tables: Tables, policy: str | None) -> dict[Role, str]:
    """Tables of labels that have none of the policy, and why they are of no use.

    Raises
    ------
    Refusal
        If no table has it.
    """
    roles: tuple[Role, ...] = ("labels", "view_labels", "gold")
    asked = [role for role in roles if policy is not None and tables.has(role, "policy")]
    said = {"p": policy}
    counts = {
        role: tables.row(f"SELECT count(*) FROM {role} WHERE policy = $p", said)[0]
        for role in asked
    }
    if any(counts.values()) or not asked:
        return {role: "none of its labels is of the policy" for role in asked if not counts[role]}
    role = asked[0]
    near = tables.row(f"SELECT count(*) FROM {role} WHERE lower(policy) = lower($p)", said)[0]
    raise Refusal(
        "no label has the policy that is asked for",
        where=f"policy: {policy}, {role}_source, column policy",
        nearest="one that differs in upper and lower case only is there" if near else None,
        next_step="look at the policies that the column has, and name one; null takes all",
    )


def refuse_two_strata(n: int) -> None:
    """Refuse `n` items whose rows name more than one stratum.

    Raises
    ------
    Refusal
    """
    if n:
        raise Refusal(
            f"{plural(n, 'item')} with more than one stratum",
            where="items_source, column stratum",
            next_step="an item is in one stratum: join the score of one version, one row an item",
        )


def refuse_drawn(tables: Tables, role: Role) -> bool:
    """Refuse labels that do not say, alike and usably, how they were drawn; whether they say it.

    Raises
    ------
    Refusal
        A labelled item with two strata or two chances; chances outside (0, 1], or of some only.
    """
    found, noun = engine.drawn_faults(tables, role), _NOUN[role]
    where = f"{role}_source, column "
    for key, column, what in (
        ("two_strata", "stratum", "more than one stratum"),
        ("two_chances", "inclusion_probability", "more than one inclusion_probability"),
    ):
        if found[key]:
            raise Refusal(
                f"{plural(found[key], noun)} with {what}",
                where=where + column,
                next_step="its labels say alike how it was drawn: keep one sample, or one policy",
            )
    if found["wrong"]:
        raise Refusal(
            f"{plural(found['wrong'], noun)} with an inclusion_probability that is not above 0 "
            "and at most 1",
            where=where + "inclusion_probability",
            next_step="write the chance with which it was drawn, above 0 and at most 1",
        )
    if 0 < found["given"] < found["n"]:
        raise Refusal(
            f"{plural(found['n'] - found['given'], noun)} without an inclusion_probability, while "
            "others have one",
            where=where + "inclusion_probability",
            next_step="give every label its chance of being drawn, or none (a simple random "
            "sample of each stratum is then taken for granted, and said)",
        )
    return found["given"] > 0


def refuse_strata(tables: Tables, role: Role) -> int:
    """Refuse labels whose strata are not those of the items; how many differ nevertheless.

    Raises
    ------
    Refusal
    """
    n, other, unknown = engine.other_stratum(tables, role)
    where = f"{role}_source, column stratum; items_source, column stratum"
    if unknown:
        raise Refusal(
            f"{plural(unknown, _NOUN[role])} in a stratum that no item has",
            where=where,
            next_step="call the strata alike in both tables, or leave the column out of items",
        )
    if other > _OTHER_STRATUM * n:
        raise Refusal(
            f"{other:,} of {plural(n, _NOUN[role])} {'is' if other == 1 else 'are'} in another "
            "stratum than the item itself",
            where=where,
            next_step="put items into the strata that labels were drawn from (the same cuts, the "
            "same version of the score), or leave the column out of items",
        )
    return other


def refuse_one_answer(tables: Tables, role: Role, policy: str | None) -> None:
    """Refuse votes of which a policy keeps the violating ones alone.

    Raises
    ------
    Refusal
        Every vote of the policy says violating, and votes of another say that items do not.
    """
    if policy is None or not tables.has(role, "policy"):
        return
    kept, clean = tables.row(f"SELECT count(*), count(*) FILTER (label = 0) FROM {role}_vote")
    others = tables.row(f"SELECT count(*) FROM {role} WHERE label = 0")[0]
    if kept and not clean and others:
        raise Refusal(
            "every vote of the policy says violating, and the votes that say otherwise have "
            "another policy",
            where=f"{role}_source, column policy",
            next_step="leave the policy empty, or write this one, on votes that found no "
            "violation; or set policy: null",
        )


def chances(frame: pd.DataFrame, totals: pd.Series) -> pd.Series:
    """Inclusion where labels do not give it: labels of a stratum over all of it.

    Parameters
    ----------
    frame
        stratum: one row for each label.
    totals
        stratum -> items or views that could have been drawn; strata that are not in it are
        taken together.
    """
    if not frame["stratum"].isin(totals.index).all():
        if frame["stratum"].nunique() > 1:
            raise Refusal(
                "labels stand in several strata, and nothing says how much each stands for",
                where="labels_source, column inclusion_probability",
                next_step="give every label its chance of being drawn, or items a column stratum",
            )
        whole = float(totals.sum())
        return pd.Series(min(1.0, len(frame) / whole) if whole else 1.0, index=frame.index)
    drawn = frame["stratum"].map(frame["stratum"].value_counts())
    return (drawn / frame["stratum"].map(totals)).clip(upper=1.0).astype(float)


def shared_out(
    counts: pd.DataFrame, sample: pd.DataFrame, by: list[str], key: pd.Series | None
) -> pd.DataFrame:
    """Counts of a table among strata, by the labels' own weights.

    Parameters
    ----------
    counts
        by, stratum ("all" in every row), items, views.
    sample
        stratum, inclusion, views: of the window, or of the rows that `key` tells.
    key
        For each row of `sample`, which row of `counts` it belongs to (its values of `by`, one
        column); None: all share alike. A row of `counts` without labels is shared out as all are.
    """
    weight = pd.DataFrame(
        {
            "stratum": sample["stratum"],
            "items": 1 / sample["inclusion"],
            "views": sample["views"] / sample["inclusion"],
        }
    )
    whole = _shares(weight.groupby("stratum", sort=True)[["items", "views"]].sum())
    parts = []
    grouped = dict(list(weight.groupby(key.to_numpy()))) if key is not None else {}
    for row in counts.itertuples(index=False):
        mine = grouped.get(getattr(row, by[-1])) if by else None
        share = whole
        if mine is not None:
            share = _shares(mine.groupby("stratum", sort=True)[["items", "views"]].sum())
        parts.append(
            pd.DataFrame(
                {name: getattr(row, name) for name in by}
                | {
                    "stratum": share.index.astype(str),
                    "items": row.items * share["items"].to_numpy(),
                    "views": row.views * share["views"].to_numpy(),
                }
            )
        )
    empty = counts.iloc[:0].astype({"items": float, "views": float})
    return pd.concat([empty, *parts], ignore_index=True)[[*by, "stratum", "items", "views"]]


def _shares(sums: pd.DataFrame) -> pd.DataFrame:
    total = sums.sum()
    items = sums["items"] / total["items"]
    # Labelled items that nobody saw say nothing of views: these go as items do.
    views = sums["views"] / total["views"] if total["views"] > 0 else items
    return pd.DataFrame({"items": items, "views": np.asarray(views)}, index=sums.index)
