"""Small counts on the page of a deep-dive: nobody can work them out from all its tables."""

import math
import re
from dataclasses import replace

import numpy as np
import pytest

from tests.figures.harm_results import made
from tests.tables.harm_small import drawn
from trustlib.core import Check, Estimate
from trustlib.harm.count_tables import CountTable
from trustlib.harm.deep_dive import told
from trustlib.harm.deep_dive.published import (
    at_most,
    published,
    safe_checks,
    shown_n,
    without_small_counts,
)
from trustlib.harm.small_cells import attack
from trustlib.narrative import harm as say
from trustlib.tables import harm as tabulate
from trustlib.tables.harm_safe import small_cells

NBSP = "\u00a0"
SEEDS = range(8)
SECTIONS = (
    "how_much", "since_when", "who_is_behind", "where", "rate_or_mix", "how_it_works",
    "who_acts_together", "what_is_new", "what_controls_see", "what_nobody_sees",
    "are_labels_right", "what_is_left_out", "what_to_do_first",
)  # fmt: skip
TABLES = (
    "estimates", "strata", "methods", "segments", "mix", "searched", "clusters", "new_tokens",
    "controls", "overlap", "unseen_models", "options", "measurements", "lifecycles",
    "survivorship", "changes",
)  # fmt: skip
COUNTED = re.compile(
    rf"(?<![\d.,−–/])\b(\d+)[ {NBSP}](?:[a-z]+[ {NBSP}])?"
    r"(?:accounts?|items?|labels?|viewers?|votes?|people)\b"
)


def cells(view) -> list[list[str]]:
    """Rows of the first table of a view, as a reader sees them."""
    body = str(view.html).split("<tbody>")[1].split("</tbody>")[0]
    found = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in body.split("</tr>")[:-1]]
    return [[cell.replace(NBSP, " ") for cell in row] for row in found]


def number(cell: str) -> float:
    return math.nan if cell == "withheld" else float(cell.replace(",", ""))


def tables_of(view) -> list[list[list[str]]]:
    parts = str(view.html).split("<table>")[1:]
    return [cells(type(view)(html=part, text="")) for part in parts]


def grown(inner: np.ndarray, rows: np.ndarray, columns: np.ndarray, whole: float) -> np.ndarray:
    """A table with its totals: (r, c), (r,), (c,) and one number; NaN where not shown."""
    top = np.column_stack([inner, rows])
    return np.vstack([top, np.append(columns, whole)])


def by_label(name: str, rows: list[list[str]], n: float, positive: float) -> CountTable:
    """What strata or segments show of labels: name, population, labels, violating, …"""
    labels = np.array([number(row[2]) for row in rows])
    bad = np.array([number(row[3]) for row in rows])
    return CountTable(
        variables=(name, "label"),
        values=(tuple(row[0] for row in rows), ("violating", "not")),
        counts=grown(
            np.column_stack([bad, labels - bad]), labels, np.array([positive, n - positive]), n
        ),
    )


def least_room(tables, secret=None) -> float:
    """The smallest range that is left to what no table shows; of `secret` (a mask) only."""
    tables = tuple(tables)
    rooms = [math.inf]
    for table, bounds in zip(tables, attack(tables), strict=True):
        hidden = np.isnan(table.counts) if secret is None else secret
        rooms += list((bounds.high - bounds.low)[hidden])
    return min(rooms)


@pytest.mark.parametrize("seed", SEEDS)
def test_an_attack_on_the_labels_of_all_tables_of_a_page_recovers_nothing(seed) -> None:
    result = drawn(seed)
    strata, segments = cells(tabulate.strata(result)), tables_of(tabulate.segments(result))
    names = ("stratum", *result.where.segments)
    n = float(result.size.items.by_stratum["labelled"].sum())
    positive = float(result.size.items.by_stratum["positive"].sum())
    positive = math.nan if min(positive, n - positive) < 11 else positive
    shown = [
        by_label(name, rows, n, positive)
        for name, rows in zip(names, [strata, *segments], strict=True)
    ]
    assert any(np.isnan(table.counts).any() for table in shown)  # else the test tests nothing
    assert least_room(shown) >= 11


@pytest.mark.parametrize("seed", SEEDS)
def test_an_attack_on_the_populations_recovers_nothing(seed) -> None:
    result = drawn(seed)
    for rows, frame in zip(
        [cells(tabulate.strata(result)), *tables_of(tabulate.segments(result))],
        [result.size.items.by_stratum, *result.where.segments.values()],
        strict=True,
    ):
        shown = np.array([number(row[1]) for row in rows])
        table = CountTable(
            variables=("value",),
            values=(tuple(row[0] for row in rows),),
            counts=np.append(shown, frame["population"].sum()),
        )
        assert least_room([table]) >= 11


@pytest.mark.parametrize("seed", SEEDS)
def test_an_attack_on_the_clusters_recovers_nothing(seed) -> None:
    result = drawn(seed)
    rows = cells(tabulate.clusters(result))
    names = tuple(row[0] for row in rows)
    total = float(result.how.coordination.members_in_all)
    accounts = np.array([number(row[1]) for row in rows])
    people = CountTable(
        variables=("cluster",),
        values=(names,),
        counts=np.append(accounts, total if total >= 11 else math.nan),
    )
    assert least_room([people]) >= 11
    items, bad = (np.array([number(row[k]) for row in rows]) for k in (2, 3))
    confirmed = float(result.size.confirmed.items)  # named in the text; the rest is in no cluster
    everything = float(result.size.items.by_stratum["population"].sum())
    counts = grown(
        np.vstack([np.column_stack([bad, items - bad]), [math.nan, math.nan]]),
        np.append(items, math.nan),
        np.array([confirmed, everything - confirmed]) if confirmed >= 11 else np.full(2, math.nan),
        everything,
    )
    table = CountTable(
        variables=("cluster", "kind"), values=((*names, "no cluster"), ("bad", "good")),
        counts=counts,
    )  # fmt: skip
    # Beside what is printed as withheld: the items outside of clusters, where they are few.
    secret = np.zeros(counts.shape, dtype=bool)
    secret[: len(rows), 0] = np.isnan(bad)
    secret[: len(rows), 2] = np.isnan(items)
    secret[len(rows), 0] = (
        confirmed - result.how.coordination.clusters["violating_items"].sum() < 11
    )
    assert least_room([table], secret) >= 11


def test_one_small_cluster_is_not_the_rest_of_a_known_total() -> None:
    rows = {row[0]: row[1:] for row in cells(tabulate.clusters(made()))}
    assert made().how.coordination.clusters["size"].tolist() == [44, 23, 13, 8]
    accounts = {name: row[0] for name, row in rows.items()}
    assert accounts["1 smaller cluster"] == "withheld"
    assert sum(value == "withheld" for value in accounts.values()) == 2
    assert accounts["Cluster 1"] == "44"


def test_few_confirmed_items_outside_of_clusters_are_not_the_rest_of_a_known_total() -> None:
    result = made()
    inside = int(result.how.coordination.clusters["violating_items"].sum())
    confirmed = replace(result.size.confirmed, items=inside + 5)
    rows = cells(tabulate.clusters(made(size__confirmed=confirmed)))
    assert any(row[3] == "withheld" for row in rows)
    many = replace(confirmed, items=inside + 500)
    assert not any(row[3] == "withheld" for row in cells(tabulate.clusters(
        made(size__confirmed=many))))  # fmt: skip


def test_one_small_population_is_not_the_rest_of_a_known_total() -> None:
    market = made().where.segments["market"]
    few = market.assign(population=market["population"].where(market["value"] != "fir", 8.0))
    rows = {row[0]: row for row in cells(tabulate.segments(made(where__segments={"market": few})))}
    assert rows["fir"][1] == "withheld"
    assert sum(row[1] == "withheld" for row in rows.values()) == 2
    assert rows["fir"][5].startswith("at most")


@pytest.mark.parametrize("seed", SEEDS)
def test_an_attack_on_the_missing_accounts_recovers_nothing(seed) -> None:
    result = drawn(seed)
    rows = cells(tabulate.survivorship(result))
    inner = np.array([[number(cell) for cell in row[2:6]] for row in rows])
    accounts = np.array([number(row[1]) for row in rows])
    truth = result.where.survivorship.by_segment
    whole = float(truth["accounts"].sum())
    kinds = ("a", "b", "c", "d")
    table = CountTable(
        variables=("segment", "kind"),
        values=(tuple(row[0] for row in rows), kinds),
        counts=grown(inner, accounts, np.full(4, math.nan), whole),
    )
    assert np.isnan(inner).any()
    secret = np.isnan(table.counts)
    secret[-1] = False  # totals of columns are not shown, and large ones are no secret
    assert least_room([table], secret) >= 11


@pytest.mark.parametrize("seed", SEEDS)
def test_no_sentence_or_cell_names_fewer_than_eleven_people_or_items(seed) -> None:
    result = drawn(seed)
    texts = [getattr(say, name)(result).text for name in SECTIONS]
    texts += [say.answer(result, result.checks).text, say.what_to_do(result, result.checks).text]
    texts += [say.headline_sentence(result)]
    texts += [
        " ".join(getattr(say, f)(result).values()) for f in dir(say) if f.startswith("about_")
    ]
    texts += [getattr(tabulate, name)(result).text for name in TABLES]
    texts += [tabulate.checks(result.checks).text]
    for text in texts:
        few = text.replace("fewer than 11", "few").replace("Fewer than 11", "Few")
        small = [hit for hit in COUNTED.findall(few) if 0 < int(hit) < 11]
        assert not small, few


@pytest.mark.parametrize("seed", SEEDS)
def test_a_withheld_segment_has_no_point_and_no_lower_end(seed) -> None:
    found = published(drawn(seed)).segments
    for name, frame in found.items():
        hidden = frame[frame["withheld"]]
        numbers = ["labelled", "positive", "share", "low", "high", "effective_n", "total"]
        assert hidden[numbers].isna().all(axis=None)
        raw = drawn(seed).where.segments[name].set_index("value")["high"]
        for _, row in hidden.iterrows():
            high = raw[row["value"]]
            assert math.isnan(high) or row["at_most"] >= high
            assert f"{row['at_most']:.0e}"[0] in "125"


def test_every_count_below_eleven_is_withheld_and_a_safe_page_withholds_none() -> None:
    small, whole = drawn(1), published(made())
    for name, frame in published(small).segments.items():
        raw = small.where.segments[name]
        few = (raw["positive"] < 11) | (raw["labelled"] - raw["positive"] < 11)
        assert frame["withheld"][few].all()
    assert not any(frame["withheld"].any() for frame in whole.segments.values())


def test_the_answer_does_not_depend_on_the_order_of_rows() -> None:
    result = drawn(3)
    turned = {
        name: frame.iloc[::-1].reset_index(drop=True)
        for name, frame in result.where.segments.items()
    }
    again = published(replace(result, where=replace(result.where, segments=turned)))
    for name, frame in published(result).segments.items():
        other = again.segments[name].iloc[::-1].reset_index(drop=True)
        assert frame["withheld"].tolist() == other["withheld"].tolist()


def test_nothing_of_the_result_is_changed() -> None:
    result = drawn(2)
    before = {name: frame.copy() for name, frame in result.where.segments.items()}
    strata = result.size.items.by_stratum.copy()
    published(result)
    assert all(before[name].equals(frame) for name, frame in result.where.segments.items())
    assert strata.equals(result.size.items.by_stratum)


def test_the_check_counts_what_is_withheld() -> None:
    check = small_cells(drawn(1))
    groups = published(drawn(1)).groups
    assert check.verdict == "pass"
    assert f"{sum(g.small for g in groups):,} counts below 11" in check.text


@pytest.mark.parametrize(
    ("high", "shown"), [(0.0, 1.0), (0.0031, 0.005), (0.02, 0.02), (0.0201, 0.05), (0.7, 1.0)]
)
def test_upper_ends_are_rounded_up(high, shown) -> None:
    assert at_most(high) == pytest.approx(shown)


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("3 of 800 labels are violating.", "Fewer than 11 of 800 labels are violating."),
        ("From 4 accounts, 12 items.", "From fewer than 11 accounts, 12 items."),
        ("a violating label: 1 violating label", "a violating label: fewer than 11 violating "
         "labels"),
        ("11 labels, 1,004 items, 0.5 items, κ 0.4", "11 labels, 1,004 items, 0.5 items, κ 0.4"),
        ("In 3 of 4 strata 2 models fit.", "In 3 of 4 strata 2 models fit."),
    ],
)  # fmt: skip
def test_sentences_of_checks_name_no_small_count(text, safe) -> None:
    assert without_small_counts(text) == safe


def test_checks_keep_their_verdicts() -> None:
    checks = drawn(0).checks
    assert [c.verdict for c in safe_checks(checks)] == [c.verdict for c in checks]
    assert "2 accounts" not in safe_checks(checks)[1].text


def test_the_share_of_a_single_account_is_not_named() -> None:
    largest = Check(name="largest_actor", verdict="pass", label="no single account decides",
                    text="The account with most harm has 3.3 % of it.")  # fmt: skip
    text = "46 violating labels from 39 accounts; the largest has 6.5 % of them."
    behind = Check(name="actors_behind_positives", verdict="pass", label="many", text=text)
    many = replace(behind, text=text.replace("46 ", "460 "))
    told_ = [one.text for one in safe_checks([largest, behind, many])]
    assert told_[0].replace(NBSP, " ") == "No account has more than 10 % of the harm."
    assert told_[1] == "46 violating labels from 39 accounts."
    assert told_[2] == many.text
    warned = safe_checks([replace(largest, verdict="warn")])[0].text
    assert warned.startswith("One account alone has more than")


def test_checks_of_the_same_label_are_told_apart() -> None:
    items = Check(name="positive_labels", verdict="pass", label="enough", text="a.")
    views = replace(items, name="positive_labels_views")
    assert [c.label for c in safe_checks([items, views])] == ["enough", "enough, views"]
    assert [c.label for c in safe_checks([views])] == ["enough"]


def test_wide_intervals_keep_both_ends() -> None:
    assert told.rounded(168.9, 27.4, 10_900.6) == ("169", "27.4 to 10,900")
    assert told.rounded(0.103, 0.044, 54.1) == ("0.103", "0.044 to 54.1")


def share(point: float, n: int) -> Estimate:
    return Estimate(point=point, low=0.0, high=1.0, level=0.95, unit="share of items",
                    method="Wilson", n=n)  # fmt: skip


@pytest.mark.parametrize(
    ("estimate", "n"),
    [(share(0.5, 40), 40), (share(0.1, 40), None), (share(0.9, 40), None), (share(0.5, 9), None)],
)
def test_the_number_beside_a_share_is_withheld_where_the_part_is_small(estimate, n) -> None:
    assert shown_n(estimate) == n


def amount(point: float, low: float | None, high: float | None, unit: str = "items") -> Estimate:
    return Estimate(point=point, low=low, high=high, level=0.95, unit=unit, method="m", n=50,
                    note=None if low is not None else "no interval: few")  # fmt: skip


@pytest.mark.parametrize(
    ("estimate", "said"),
    [
        (amount(4, 1, 8), ("fewer than 11", "fewer than 11")),
        (amount(4, 1, 37.4), ("fewer than 11", "up to 37")),
        (amount(20.2, 3, 37.4), ("20", "up to 37")),
        (amount(20.2, 12, 37.4), ("20", "12 to 37")),
        (amount(6, None, None), ("fewer than 11", "not estimable")),
        (amount(6, 2, 9, "hours"), ("6", "2 to 9")),
        (amount(6, 2, 9, "violating views"), ("fewer than 11", "fewer than 11")),
    ],
)
def test_an_estimated_number_of_people_or_items_below_eleven_is_not_named(estimate, said) -> None:
    assert told.amount(estimate) == said


def test_harm_for_each_mistake_does_not_give_the_mistakes_away() -> None:
    ratio = amount(40, 20, 80, "violating items per false positive")
    assert told.per_mistake(amount(160, 90, 200), amount(4, 1, 9), ratio)[0] == "more than 14.5"
    assert told.per_mistake(amount(160, 90, 200), amount(9, 1, 12), ratio)[0] == "more than 14.5"
    assert told.per_mistake(amount(6, 2, 9), amount(400, 1, 900), ratio)[0] == "withheld"
    assert told.per_mistake(amount(160, 90, 200), amount(20, 12, 30), ratio)[0] == "40"


def test_segments_that_cannot_be_parts_of_the_sample_are_withheld_whole() -> None:
    market = made().where.segments["market"]
    odd = market.assign(labelled=market["labelled"] * 3)
    assert published(made(where__segments={"market": odd})).segments["market"]["withheld"].all()
    unknown = published(made(size__items=None))
    assert unknown.segments["market"]["withheld"].all()
    assert unknown.strata.empty
