"""Whom it hit, how often, and what it cost."""

from __future__ import annotations

from trustlib.core import View
from trustlib.core import format as show
from trustlib.harm.small_cells import SMALLEST_CELL
from trustlib.narrative import house
from trustlib.narrative.postmortem import numbers, words
from trustlib.narrative.postmortem.words import Point
from trustlib.postmortem.result import Postmortem

PEOPLE = ("accounts", "customers", "viewers")
# What happened to a person's item, by side.
HIT = {"over": "an item acted on wrongly", "under": "a harmful item that was missed"}
_CASES = {"over": "cases acted on", "under": "cases not acted on"}
_SETS = {
    "accounts over": "had a case acted on",
    "accounts under": "had a case not acted on",
    "viewers under": "saw a case not acted on",
}
_SIDES = (("false_positives", "over"), ("false_negatives", "under"))


def affected(result: Postmortem) -> View:
    """How many items were wrongly hit, and how many people they belong to."""
    if result.reason("affected") is not None:
        return words.absent(result, "affected", "Who was hit is not known")
    points: list[Point] = [*_people(result), *_overlap(result), *_where(result), *_weak(result)]
    return words.section(_items(result), points)


def hit(result: Postmortem) -> str | None:
    """``253 items (…) were acted on wrongly``: both sides, where something is known of them."""
    parts: list[str] = []
    for name, side in _SIDES:
        estimate = result.estimates.get(name)
        if not numbers.known(estimate):
            continue
        noun = "items" if side == "over" else "harmful items"
        told = numbers.brief(estimate, noun) if parts else numbers.told(estimate, noun)
        parts.append(f"{told} were {'acted on wrongly' if side == 'over' else 'missed'}")
    return " and ".join(parts) if parts else None


def _items(result: Postmortem) -> str:
    if (found := hit(result)) is not None:
        return found
    cases = result.affected[result.affected["kind"] == "items"]
    n = numbers.number(cases["candidates"].sum(min_count=1)) if len(cases) else None
    if n is None:
        return "How many were hit wrongly is not known"
    return f"{numbers.things(n, 'cases')} may have been hit; how many of them wrongly is not known"


def _people(result: Postmortem) -> list[Point]:
    """Accounts, customers and viewers, each beside those who have a case at all."""
    points: list[Point] = []
    frame = result.affected
    rows = frame[frame["kind"].isin(PEOPLE) & frame["side"].isin(list(HIT))]
    for _, row in rows.iterrows():
        kind, side = str(row["kind"]), str(row["side"])
        of = "saw" if kind == "viewers" else "have"
        more = kind == "viewers" and result.viewers_are_some
        known = f"{kind} {of} a case" + (" in the sample of views" if more else "")
        cases = numbers.exactly(row["candidates"], known)
        found = numbers.row_told(row, "", level=result.spec.sizing.level)
        if found is None:
            text = f"{cases}; how many with {HIT[side]} is not estimable or too few to show"
        else:
            text = f"{cases}; with {HIT[side]}: {'at least ' if more else ''}{found}"
        points.append((house.upper_first(kind), house.upper_first(f"{text}.")))
    return points


def _overlap(result: Postmortem) -> list[Point]:
    points: list[Point] = []
    for _, row in result.overlaps.head(3).iterrows():
        first, second = (
            _SETS.get(str(row[name]), words.name(row[name])) for name in ("first", "second")
        )
        text = numbers.exactly(row["people"], f"people {first} and {second}")
        points.append(("Counted in both", house.upper_first(f"{text}.")))
    return points


def _where(result: Postmortem) -> list[Point]:
    """The segment with most wrong cases, as far as that is known."""
    frame = result.by_segment
    known = frame[frame["point"].notna() & ~frame["value"].astype(str).str.startswith("the rest")]
    points: list[Point] = []
    for side, cells in known.groupby("side", sort=True):
        if str(side) not in HIT:
            continue
        row = cells.iloc[int(cells["point"].to_numpy().argmax())]
        place = f"{words.name(row['segment'], 24)} {words.name(row['value'], 40)}"
        found = numbers.row_told(row, "", level=result.spec.sizing.level)
        was = "acted on wrongly" if side == "over" else "missed"
        points.append(("Most in", f"{place}: {found} items {was}.".replace("  ", " ")))
    return points


def _weak(result: Postmortem) -> list[Point]:
    points: list[Point] = []
    names = [*(name for name, _ in _SIDES), *(f"affected_{kind}" for kind in PEOPLE)]
    made = [one for name in names if (one := result.estimates.get(name)) is not None]
    if any(one.low is not None and one.low != one.high for one in made):
        points.append(
            ("How it is known", "Estimated from the cases that have a label; labels are taken as "
             "right.")
        )  # fmt: skip
    notes = [words.stop(one.note) for one in made[:2] if one.low is not None and one.note]
    points += [("Not seen", house.upper_first(note)) for note in dict.fromkeys(notes)]
    if any(numbers.is_wide(one) for one in made):
        points.append(
            ("Wide", "An interval here is wider than its number: few labels stand behind it.")
        )
    if hit(result) is None:
        why = words.reason(result.estimates.get("false_positives"))
        points.append(("Too few labels", words.stop(f"Why there is no number: {why}")))
    return points


def dose(result: Postmortem) -> View:
    """How often a person was hit."""
    if result.reason("dose") is not None:
        return words.absent(result, "dose", "How often each person was hit is not known")
    told = [text for key in _groups(result) if (text := _most(result, *key)) is not None]
    heading = told[0] if told else "How often each person was hit cannot be shown"
    points: list[Point] = [house.upper_first(f"{text}.") for text in told[1:]]
    points += _top(result)
    points.append(
        ("Mind", "These count cases, wrong or not. Where people have many, how many people were "
         "wrongly hit is known less well.")
    )  # fmt: skip
    return words.section(heading, points)


def _groups(result: Postmortem) -> list[tuple[str, str]]:
    pairs = result.doses[["kind", "side"]].drop_duplicates().itertuples(index=False, name=None)
    there = {(str(kind), str(side)) for kind, side in pairs}
    return [(kind, side) for kind in PEOPLE for side in HIT if (kind, side) in there]


def _most(result: Postmortem, kind: str, side: str) -> str | None:
    """``410 of 431 accounts with a case (95 %, exact) have 1``."""
    frame = result.doses
    cells = frame[(frame["kind"] == kind) & (frame["side"] == side)]
    if not len(cells) or cells["people"].isna().any() or cells["people"].sum() < SMALLEST_CELL:
        return None
    row = cells.iloc[int(cells["people"].to_numpy().argmax())]
    n, total = float(row["people"]), float(cells["people"].sum())
    band = words.name(row["dose"], 24)
    noun = "case" if band == "1" else "cases"
    verb = "saw" if kind == "viewers" else "have"
    act = _CASES[side].removeprefix("cases ")
    part = f"{show.exact(n)} of {show.exact(total)} {kind}" if n < total else (
        f"all {show.exact(total)} {kind}"
    )  # fmt: skip
    share = f"{numbers.percent(n / total)}, exact" if n < total else "exact"
    return f"{part} ({share}) {verb} {band} {noun} {act}"


def _top(result: Postmortem) -> list[Point]:
    points: list[Point] = []
    for _, row in result.top_share.iterrows():
        kind = str(row["kind"])
        if kind not in PEOPLE:
            continue
        share = numbers.number(row["share"])
        if share is None:
            points.append(
                ("Most hit", f"The top 1 % of {kind} are fewer than 11, so their share of cases is "
                 "not shown.")
            )  # fmt: skip
            continue
        top = numbers.things(row["top_people"], kind)
        points.append(
            ("Most hit", f"The top 1 % ({top}) hold {numbers.percent(share)} of all cases (exact).")
        )
    return points


def money(result: Postmortem) -> View:
    """What it cost."""
    if result.reason("money") is not None:
        return words.absent(result, "money", "What it cost is not known")
    net, unit_cost = result.estimates.get("net_loss_usd"), result.estimates.get("cost_usd")
    if numbers.known(net):
        heading = f"The net loss is {numbers.told(net)}"
    elif numbers.known(unit_cost):
        heading = f"The excess cost {numbers.told(unit_cost)}"
    else:
        heading = "What it cost is not estimable"
    return words.section(heading, [*_amounts(result), *_sides(result), *_rates(result)])


def _amounts(result: Postmortem) -> list[Point]:
    points: list[Point] = []
    means = {
        "gross_loss_usd": ("Gross", "in cases that were wrongly handled"),
        "recovered_usd": ("Recovered", "of it by the time of reading"),
    }
    for name, (lead, what) in means.items():
        estimate = result.estimates.get(name)
        if numbers.known(estimate):
            points.append((lead, f"{numbers.told(estimate)} {what}."))
    net, cost = result.estimates.get("net_loss_usd"), result.estimates.get("cost_usd")
    if numbers.known(net) and numbers.known(cost):
        points.append(("By unit cost", f"The excess comes to {numbers.told(cost)}."))
    if not numbers.known(net):
        points.append(("Net", words.stop(f"Not estimable: {words.reason(net)}")))
    elif net is not None and net.low is not None and net.low < 0 <= (net.high or 0):
        points.append(("Not sure", "The interval holds zero: there may be no net loss."))
    return points


def _sides(result: Postmortem) -> list[Point]:
    """Net by side, where there are two."""
    frame = result.money
    rows = frame[(frame["item"] == "net") & frame["side"].isin(list(HIT))]
    if len(rows) < 2:
        return []
    points: list[Point] = []
    for _, row in rows.iterrows():
        found = numbers.row_told(row, "", level=result.spec.sizing.level, unit="USD")
        if found is not None:
            lead = "Acted on wrongly" if row["side"] == "over" else "Missed"
            points.append((lead, f"{found} net."))
    return points


def _rates(result: Postmortem) -> list[Point]:
    points: list[Point] = []
    each = result.spec.sizing.unit_cost_usd
    if each is not None:
        points.append(
            ("Unit value", f"{show.usd(each)} for one of the {words.unit(result)}, as stated "
             "(exact).")
        )  # fmt: skip
    spec = result.spec
    if len(result.money) and spec.currency not in (None, "USD") and spec.usd_rate is not None:
        points.append(
            ("Currency", f"Amounts in {words.name(spec.currency, 12)}, at "
             f"{show.usd(spec.usd_rate)} for one, as stated (exact).")
        )  # fmt: skip
    return points
