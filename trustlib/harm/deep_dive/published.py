"""What of a deep-dive may be shown: counts below 11 withheld, with what would give them away.

All counts of labels share one sample, so the strata and every segment are made safe together
(`trustlib.harm.small_cells`); clusters and missing accounts each in tables of their own.

A share beside a withheld count would give it away: share times labels is the count, and the two
ends of an interval tell how many labels and violating ones it rests on even where neither is
shown. So a segment whose counts are withheld has no point and no lower end, and its upper end is
rounded up to 1, 2 or 5 of its decimal place. A count of 0 and one of 10 then read alike wherever
the number of labels, which is withheld as well, is not known.

Estimates for everything (prevalence, recall) are of no small group: they stand, without the
numbers of labels they rest on where these are small. That a whole stratum has no violating label is
said by a check, since a reader who does not know it believes too much.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import pandas as pd

from trustlib.core import Check, Estimate
from trustlib.core.format import percent
from trustlib.harm.concentration import LARGE
from trustlib.harm.count_tables import CountTable, count_table
from trustlib.harm.deep_dive.result import DeepDive
from trustlib.harm.prevalence import Prevalence
from trustlib.harm.small_cells import SMALLEST_CELL, SafeTables, safe_tables

FEWER = f"fewer than {SMALLEST_CELL}"
MOST_CLUSTERS = 12  # rows of their own
_COUNTS = ["labelled", "positive", "population", "total", "total_low", "total_high"]
_SHARES = ["share", "low", "high", "effective_n"]
_NOBODY = "none of these"


@dataclass(frozen=True, kw_only=True, eq=False)
class Published:
    """A deep-dive's small tables with nothing in them that may not be shown.

    Attributes
    ----------
    strata, view_strata
        As `Prevalence.by_stratum`, with withheld (bool); labelled, positive and the share with
        its interval are NaN where withheld.
    segments
        Name -> as `prevalence_by` gives it, with withheld and at_most (the rounded upper end of
        the share, of withheld rows). Numbers of a withheld row are NaN, but for at_most, and
        population where that is not small.
    clusters
        cluster (rank, text), accounts, items, violating_items, views, evidence, first_at,
        last_at; NaN where withheld. Clusters of fewer than 11 accounts, and those after the
        first `MOST_CLUSTERS`, are one row, in which evidence is empty.
    missing
        segment, accounts, enforced_missing, enforced_there, others_missing, others_there; NaN
        where withheld.
    groups
        The tables of counts themselves, made safe together: what an attack starts from.
    """

    strata: pd.DataFrame
    view_strata: pd.DataFrame
    segments: Mapping[str, pd.DataFrame]
    clusters: pd.DataFrame
    missing: pd.DataFrame
    groups: tuple[SafeTables, ...]


@lru_cache(maxsize=16)
def published(result: DeepDive) -> Published:
    """What of `result` may be shown. The same record gives the same answer without a new search."""
    items, views = result.size.items, result.size.views
    labels, strata, segments = _labels(items, result.where.segments)
    more, view_strata, _ = _labels(views, {})
    clusters, cluster_tables = _clusters(result)
    missing, join = _missing(result)
    return Published(
        strata=strata,
        view_strata=view_strata,
        segments=segments,
        clusters=clusters,
        missing=missing,
        groups=tuple(one for one in (labels, more, *cluster_tables, join) if one is not None),
    )


def is_small(n: float | None) -> bool:
    """Whether a count must not be named; a missing one is not shown either."""
    return n is None or not n >= SMALLEST_CELL


def at_most(high: float) -> float:
    """`high`, a share, rounded up to 1, 2 or 5 of its decimal place, at most 1."""
    if not 0 < high < 1:
        return 1.0
    place = 10.0 ** math.floor(math.log10(high))
    return next((s * place for s in (1, 2, 5, 10) if high <= s * place * (1 + 1e-12)), 1.0)


def shown_n(estimate: Estimate) -> int | None:
    """The number that a share rests on; None where it or the part would be a small count."""
    n, share = estimate.n, estimate.point
    if is_small(n):
        return None
    if share is not None and estimate.unit.startswith("share") and 0 <= share <= 1:
        part = round(share * n)
        return None if min(part, n - part) < SMALLEST_CELL else n
    return n


def safe_checks(checks: Iterable[Check]) -> tuple[Check, ...]:
    """`checks` whose sentences name no count of people or items below 11, labels told apart."""
    made = list(checks)
    seen = Counter(one.label for one in made)
    return tuple(
        replace(
            one,
            text=without_small_counts(_without_largest(one)),
            label=one.label + (_of_what(one.name) if seen[one.label] > 1 else ""),
        )
        for one in made
    )


def _without_largest(check: Check) -> str:
    """The sentence without the share of a single account, which times all is a small count."""
    if check.name == "largest_actor" and "%" in check.text:
        more = "One account alone has more" if check.verdict == "warn" else "No account has more"
        return f"{more} than {percent(LARGE)} of the harm."
    found = _LARGEST.search(check.text)
    if found is None or float(found[1].replace(",", "")) * float(found[3]) / 100 >= SMALLEST_CELL:
        return check.text
    return check.text.replace(found[2], "")


def _of_what(name: str) -> str:
    return next((f", {told}" for end, told in _ENDINGS.items() if name.endswith(end)), "")


_LARGEST = re.compile(r"([\d,]+)\s[^.;]*(; the largest has ([\d.]+)\s% of them)")
_ENDINGS = {
    "_views": "views",
    "_growth": "growth",
    "_sign_up_to_abuse": "from sign-up",
    "_abuse_to_action": "to action",
    "_views_before_action": "views before action",
}


def safe_estimates(estimates: Mapping[str, Estimate]) -> dict[str, Estimate]:
    """`estimates` without known counts below 11; what is estimated is of no known few."""
    return {
        name: replace(one, point=None, n=0, note=f"withheld: {FEWER}")
        if one.method == "count" and is_small(one.point)
        else one
        for name, one in estimates.items()
    }


_THINGS = "|".join(
    ("accounts?", "items?", "labels?", "viewers?", "votes?", "people", "cases?", "appeals?",
     "actors?", "users?", "reports?")
)  # fmt: skip
_PART = re.compile(rf"(?<![\d.,/–-])(?:[1-9]|10)(?= of [\d,]+\s(?:[\w-]+\s)?(?:{_THINGS})\b)")
_FEW = re.compile(
    rf"(?<![\d.,/–-])(?:[1-9]|10)\s(?=((?:[\w-]+\s)?)({_THINGS})\b)(?!\w+\s(?:more|less)\b)"
)
_ONE = {"account": "accounts", "item": "items", "label": "labels", "viewer": "viewers",
        "vote": "votes", "case": "cases", "appeal": "appeals", "actor": "actors", "user": "users",
        "report": "reports"}  # fmt: skip


def without_small_counts(text: str) -> str:
    """`text` with "fewer than 11" in the place of such counts of people or items."""
    told = _PART.sub(FEWER, text)
    told = _FEW.sub(f"{FEWER} ", told).replace(f"about {FEWER}", FEWER)
    singular = "|".join(_ONE)
    told = re.sub(rf"({FEWER} (?:[\w-]+ )?)({singular})\b", lambda m: m[1] + _ONE[m[2]], told)
    return re.sub(rf"(^|[.!?] ){FEWER}", lambda m: m[1] + FEWER.capitalize(), told)


def _labels(
    whole: Prevalence | None, segments: Mapping[str, pd.DataFrame]
) -> tuple[SafeTables | None, pd.DataFrame, dict[str, pd.DataFrame]]:
    """Strata and segments of one sample, their labels by kind made safe together."""
    if whole is None:
        hidden = {name: _withheld(frame, None) for name, frame in segments.items() if len(frame)}
        return None, pd.DataFrame(), hidden
    frames = {"stratum": whole.by_stratum.rename(columns={"stratum": "value"})}
    frames |= {f"segment {name}": frame for name, frame in segments.items() if len(frame)}
    n, positive = int(whole.by_stratum["labelled"].sum()), int(whole.by_stratum["positive"].sum())
    tables = {name: _by_label(name, frame, n, positive) for name, frame in frames.items()}
    known = {name: table for name, table in tables.items() if table is not None}
    safe = safe_tables(list(known.values()))
    made = dict(zip(known, safe.tables, strict=True))
    shown = [_withheld(frame, made.get(name)) for name, frame in frames.items()]
    strata = shown[0].rename(columns={"value": "stratum"}).drop(columns="at_most")
    strata["labelled"] = safe.tables[0].counts[: len(strata), -1]  # how the sample was drawn
    names = [name for name, frame in segments.items() if len(frame)]
    return safe, strata, dict(zip(names, shown[1:], strict=True))


def _by_label(name: str, frame: pd.DataFrame, n: int, positive: int) -> CountTable | None:
    """Labels by value and kind; labels without a value make the totals those of the sample.

    None where they cannot be parts of the sample: then nothing of them can be shown.
    """
    counts = np.column_stack([frame["positive"], frame["labelled"] - frame["positive"]])
    counts = counts.astype(float).round()
    rest = np.array([positive, n - positive]) - counts.sum(axis=0)
    values = [str(value) for value in frame["value"]]
    if not (counts >= 0).all() or (rest < 0).any():
        return None
    if rest.any():
        counts, values = np.vstack([counts, rest]), [*values, _NOBODY]
    return count_table(
        counts, variables=(name, "label"), values=(tuple(values), ("violating", "not"))
    )


def _withheld(frame: pd.DataFrame, table: CountTable | None) -> pd.DataFrame:
    """`frame` without the numbers of the rows whose labels are not all shown."""
    values = tuple(map(str, frame["value"]))
    people = frame["population"].fillna(0).round()
    totals = count_table(people, variables=("value",), values=(values,))
    population = safe_tables(totals).tables[0].counts[:-1]
    hidden = np.isnan(population)
    hidden |= True if table is None else np.isnan(table.counts[: len(frame)]).any(axis=1)
    out = frame.assign(withheld=hidden)
    out["at_most"] = [at_most(high) if hide else math.nan for high, hide in zip(
        frame["high"], hidden, strict=True)]  # fmt: skip
    for column in [name for name in (*_COUNTS, *_SHARES) if name in frame]:
        out[column] = out[column].astype(float).where(~hidden)
    return out.assign(population=population)


def _clusters(result: DeepDive) -> tuple[pd.DataFrame, tuple[SafeTables, ...]]:
    """Clusters large enough for a row of their own, the others in one, and their safe tables."""
    columns = ["cluster", "accounts", "items", "violating_items", "views", "evidence",
               "first_at", "last_at"]  # fmt: skip
    found = result.how.coordination
    if found is None or not len(found.clusters):
        return pd.DataFrame(columns=columns), ()
    frame = found.clusters.rename(columns={"size": "accounts"})
    own = ~frame["small"].astype(bool) & (frame["cluster"] <= MOST_CLUSTERS)
    rows = frame[own].assign(cluster=[f"cluster {rank}" for rank in frame["cluster"][own]])
    if len(rest := frame[~own]):
        noun = "cluster" if len(rest) == 1 else "clusters"
        sums = {name: rest[name].sum(min_count=1)
                for name in ("accounts", "items", "violating_items", "views")}  # fmt: skip
        one = {"cluster": f"{len(rest):,} smaller {noun}", "evidence": "",
               "first_at": rest["first_at"].min(), "last_at": rest["last_at"].max()}  # fmt: skip
        rows = pd.concat([rows, pd.DataFrame([one | sums])], ignore_index=True)
    shown = rows[columns].reset_index(drop=True)
    names = tuple(shown["cluster"])
    people = safe_tables(count_table(shown["accounts"], variables=("cluster",), values=(names,)))
    shown["accounts"] = people.tables[0].counts[:-1]
    tables = [people]
    if shown["items"].notna().all() and shown["violating_items"].notna().all():
        made = safe_tables(_items_of(result, shown, names))
        inner = made.tables[0].counts[: len(shown)]
        shown["violating_items"], shown["items"] = inner[:, 0], inner[:, -1]
        tables.append(made)
    hidden = shown["accounts"].isna() | shown["items"].isna()
    shown["views"] = shown["views"].where(~hidden & (shown["views"] >= SMALLEST_CELL))
    return shown, tuple(tables)


def _items_of(result: DeepDive, shown: pd.DataFrame, names: tuple[str, ...]) -> CountTable:
    """Items of clusters by kind. All confirmed ones are named elsewhere: the rest is a row too."""
    bad = shown["violating_items"].to_numpy(float)
    counts = np.column_stack([bad, shown["items"].to_numpy(float) - bad])
    confirmed, items = result.size.confirmed, result.size.items
    if confirmed is not None and items is not None:
        all_items = round(float(items.by_stratum["population"].sum()))
        rest = np.array([confirmed.items, all_items - confirmed.items]) - counts.sum(axis=0)
        if (rest >= 0).all():
            counts, names = np.vstack([counts, rest]), (*names, _NOBODY)
    return count_table(counts, variables=("cluster", "kind"), values=(names, ("violating", "not")))


def _missing(result: DeepDive) -> tuple[pd.DataFrame, SafeTables | None]:
    """Accounts by whether they were enforced and whether they have a row, by segment."""
    kinds = ("enforced_missing", "enforced_there", "others_missing", "others_there")
    found = result.where.survivorship
    if found is None or not len(found.by_segment):
        return pd.DataFrame(columns=["segment", "accounts", *kinds]), None
    frame = found.by_segment
    gone, known = frame["enforced_missing"], frame["enforced"]
    counts = np.column_stack(
        [gone, known - gone, frame["missing"] - gone,
         frame["accounts"] - known - frame["missing"] + gone]
    ).astype(float)  # fmt: skip
    names = tuple(str(name) for name in frame["segment"])
    safe = safe_tables(count_table(counts, variables=("segment", "kind"), values=(names, kinds)))
    inner = safe.tables[0].counts[:-1]
    shown = pd.DataFrame(inner[:, :-1], columns=list(kinds))
    shown.insert(0, "accounts", inner[:, -1])
    shown.insert(0, "segment", list(names))
    return shown, safe
