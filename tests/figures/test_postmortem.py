"""Figures of a postmortem: what is drawn is what the record holds, for records of any shape."""

import copy
import math
import pickle
import re
from functools import cache

import numpy as np
import pandas as pd
import pytest
from matplotlib.dates import date2num

from tests.figures import postmortem_results as records
from tests.figures.described import assert_described, assert_words_apart, texts
from trustlib.figures import house
from trustlib.figures import postmortem as draw
from trustlib.figures.house import PALETTE
from trustlib.figures.postmortem.shown import FIGURES

NAMES = tuple(FIGURES)
OWN = tuple(name for name in NAMES if name != "counterfactual")


@cache
def shown(kind, name):
    return draw.shown(name, records.result(kind), alt="what", caption="why or how")


def dots(ax) -> list[tuple[float, float]]:
    """Row and value of every dot, from the top."""
    found = [
        (float(line.get_ydata()[0]), float(line.get_xdata()[0]))
        for line in ax.lines
        if line.get_marker() == "o" and len(line.get_xdata()) == 1
    ]
    return sorted(found)


def spans(ax) -> list[tuple[float, float, float]]:
    """Row and ends of every interval, from the top."""
    found = []
    for line in ax.lines:
        x, y = np.asarray(line.get_xdata(), float), np.asarray(line.get_ydata(), float)
        if len(x) == 2 and y[0] == y[1] and line.get_linewidth() == 2:
            found.append((float(y[0]), float(x[0]), float(x[1])))
    return sorted(found)


def bars(ax) -> list[tuple[float, float, float]]:
    """Middle, left end and width of every bar, from the top."""
    found = [(p.get_y() + p.get_height() / 2, p.get_x(), p.get_width()) for p in ax.patches
             if type(p).__name__ == "Rectangle"]  # fmt: skip
    return sorted(found)


@pytest.mark.parametrize("kind", records.KINDS)
def test_every_figure_is_one_described_svg_or_nothing(kind) -> None:
    for name in NAMES if kind in ("over", "bare") else OWN:
        assert_described(shown(kind, name), name, box="")


def test_only_what_has_nothing_to_draw_is_empty() -> None:
    empty = {kind: {name for name in NAMES if not shown(kind, name).html} for kind in records.KINDS}
    cases = {"by_segment", "doses", "money", "maturity"}
    assert empty["under"] == {"money", "bridge"}
    assert empty["shortfall"] == cases
    assert empty["bare"] == set(OWN)
    assert empty["unknown"] == {*cases, "trade_off", "bridge"}
    assert empty["one"] == {"bridge"}  # one step of three does not lead to the figure now
    assert empty["tiny"] == cases - {"money"}  # counts below 11
    for kind in ("over", "crowded", "hostile", "huge"):
        assert empty[kind] == set(), kind
    assert shown("bare", "money").text == ""


def test_the_rows_of_what_is_missing_are_empty_and_keep_their_columns() -> None:
    for name in OWN:
        rows = FIGURES[name][1]
        assert rows(records.result("bare")).empty, name
        assert list(rows(records.result("bare"))) == list(rows(records.result("over"))), name
        assert len(rows(records.result("over"))), name


@pytest.mark.parametrize("kind", [kind for kind in records.KINDS if kind != "bare"])
def test_nothing_is_outside_the_figure_and_no_words_meet(kind) -> None:
    for name in OWN:
        if shown(kind, name).html:
            assert_words_apart(shown(kind, name), name)


@pytest.mark.parametrize("name", NAMES)
def test_a_figure_is_drawn_on_given_axes_and_leaves_the_record_as_it_was(name) -> None:
    result = records.result("over")
    before = pickle.dumps(result)
    with house.style():
        ax = house.axes(None, height=5)
        assert FIGURES[name][0](result, ax=ax) is ax
    assert pickle.dumps(result) == before


@pytest.mark.parametrize("name", ["timeline", "trade_off"])
def test_the_same_record_gives_the_same_bytes(name) -> None:
    again = draw.shown(
        name, copy.deepcopy(records.result("over")), alt="what", caption="why or how"
    )
    assert again.html == shown("over", name).html


@pytest.mark.parametrize("name", [name for name in OWN if name != "money"])  # has none
def test_names_from_data_are_cleaned_and_cut(name) -> None:
    html = str(shown("hostile", name).html)
    assert "<script" not in html
    assert "<img" not in html
    words = texts(shown("hostile", name))
    assert all(len(text) < 120 for text in words)
    assert not re.search("[\x00-\x1f\u202e\u2066]", "".join(words))


def test_no_count_below_11_is_drawn_or_offered() -> None:
    whole = records.result("over")
    few = records.made(
        "over",
        doses=whole.doses.assign(people=[410.0, 7, 365, 25, 12]),
        by_segment=whole.by_segment.assign(items=[220.0, 9, 76]),
        maturity=whole.maturity.assign(seen=[240.0, 3, 41]),
    )
    assert draw.doses_rows(few)[["people", "cases"]].iloc[1].isna().all()
    assert draw.by_segment_rows(few)[["items", "point", "low", "high"]].iloc[1].isna().all()
    assert draw.maturity_rows(few)[["seen", "final", "complete"]].iloc[1].isna().all()
    words = texts(draw.shown("doses", few, alt="what", caption="c"))
    assert words.count("fewer than 11 people") == 1
    assert len(dots(draw.by_segment(few))) == 2


def test_the_title_stands_before_the_caption() -> None:
    with_title = draw.shown(
        "money", records.result("over"), alt="what", caption="why or how", title="Half is back"
    )
    assert "Half is back. why or how" in with_title.html


def test_an_unknown_figure_is_an_error() -> None:
    with pytest.raises(KeyError):
        draw.shown("sankey", records.result("over"), alt="a", caption="b")


def test_the_timeline_has_every_stamp_at_its_instant_in_their_order() -> None:
    result = records.result("over")
    ax = draw.timeline(result)
    own = result.timeline[result.timeline["kind"] != "change log"]
    marks = [line for line in ax.lines if len(line.get_xdata()) == 1]
    np.testing.assert_allclose(
        [line.get_xdata()[0] for line in marks], date2num(own["at"].dt.to_pydatetime())
    )
    assert [line.get_ydata()[0] for line in marks] == sorted(line.get_ydata()[0] for line in marks)
    words = texts(shown("over", "timeline"))
    assert "First signal, 20:30" in words  # New York; 01:30 UTC
    assert "Impact starts (estimated), 17:00" in words
    assert "Impact starts (stated), 17:00" in words
    assert "1 logged change" in words


def test_the_estimated_start_has_its_interval_as_a_bar() -> None:
    result = records.result("over")
    onset = result.sizing.onset.iloc[0]
    (bar,) = [line for line in draw.timeline(result).lines if len(line.get_xdata()) == 2]
    ends = [date2num(onset[end].to_pydatetime()) for end in ("low_at", "high_at")]
    np.testing.assert_allclose(bar.get_xdata(), ends)


def test_events_after_the_eighth_and_changes_are_ticks() -> None:
    result = records.result("crowded")
    ax = draw.timeline(result)
    ticks = [c for c in ax.collections if type(c).__name__ == "LineCollection"]
    assert [len(one.get_segments()) for one in ticks] == [32, 40]
    at = result.timeline.loc[result.timeline["kind"] == "change log", "at"]
    drawn = [segment[0][0] for segment in ticks[1].get_segments()]
    np.testing.assert_allclose(sorted(drawn), sorted(date2num(at.dt.to_pydatetime())))
    assert {"32 more events", "40 logged changes"} <= set(texts(shown("crowded", "timeline")))


def test_utc_is_called_utc() -> None:
    assert "UTC" in texts(shown("under", "timeline"))
    assert "local time, New York" in texts(shown("over", "timeline"))


def test_segments_have_their_wrong_cases_and_of_how_many() -> None:
    ax = draw.by_segment(records.result("over"))
    frame = records.result("over").by_segment
    np.testing.assert_allclose([x for _, x in dots(ax)], frame["point"])
    known = frame.dropna()
    np.testing.assert_allclose([s[1:] for s in spans(ax)], known[["low", "high"]])
    words = texts(shown("over", "by_segment"))
    assert {"Market, wrongly actioned", "birch", "of 220", "of 76"} <= set(words)
    assert "too few labels" in texts(shown("under", "by_segment"))


def test_of_forty_values_those_with_the_most_cases_are_drawn() -> None:
    rows = draw.by_segment_rows(records.result("crowded"))
    assert rows["drawn"].sum() == 14
    assert rows.loc[rows["drawn"], "items"].min() >= rows.loc[~rows["drawn"], "items"].max()
    assert "and 26 more values in the file" in texts(shown("crowded", "by_segment"))
    assert len(dots(draw.by_segment(records.result("crowded")))) == 14


def test_doses_are_bars_of_people_and_cases_with_their_numbers() -> None:
    frame = records.result("over").doses
    drawn = bars(draw.doses(records.result("over")))
    np.testing.assert_allclose(
        [width for _, _, width in drawn], frame[["people", "cases"]].to_numpy().ravel()
    )
    words = texts(shown("over", "doses"))
    assert {"410 people", "46 cases", "once", "2 or more times"} <= set(words)
    few = records.made("over", doses=frame.assign(people=[np.nan, *frame["people"][1:]]))
    assert "fewer than 11 people" in texts(draw.shown("doses", few, alt="what", caption="c"))


def test_a_kind_of_people_is_drawn_whole_or_not_at_all() -> None:
    rows = draw.doses_rows(records.result("crowded"))
    assert rows.groupby(["kind", "side"])["drawn"].nunique().eq(1).all()
    assert rows["drawn"].sum() == 10
    assert "4 more kinds of people in the file" in texts(shown("crowded", "doses"))


def test_money_is_the_record_s_with_its_intervals() -> None:
    frame = records.result("over").money
    ax = draw.money(records.result("over"))
    np.testing.assert_allclose([1000 * x for _, x in dots(ax)], frame["point"])
    np.testing.assert_allclose(1000 * np.array([s[1:] for s in spans(ax)]), frame[["low", "high"]])
    words = texts(shown("over", "money"))
    assert {"Net", "$14,100", "thousand US dollars, with interval"} <= set(words)


def test_a_gain_stands_left_of_zero() -> None:
    gain = records.frame("money", [("net", "over", -50.0, -80.0, -20.0)])
    ax = draw.money(records.made("over", money=gain))
    assert ax.get_xlim()[0] < -80
    assert [x for _, x in dots(ax)] == [-50.0]


def test_maturity_is_a_bar_of_what_is_in_and_a_dot_of_what_is_expected() -> None:
    frame = records.result("over").maturity
    ax = draw.maturity(records.result("over"))
    np.testing.assert_allclose([width for _, _, width in bars(ax)], frame["seen"])
    np.testing.assert_allclose([x for _, x in dots(ax)], frame["final"])
    np.testing.assert_allclose([s[1:] for s in spans(ax)], frame[["low", "high"]])
    assert {"77 % in", "Chargebacks"} <= set(texts(shown("over", "maturity")))


def curves(ax) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    return {
        line.get_label(): (line.get_xdata(), line.get_ydata())
        for line in ax.lines
        if not line.get_label().startswith("_")
    }


def test_the_trade_off_is_a_line_per_kind_with_its_name() -> None:
    result = records.result("over")
    drawn = curves(draw.trade_off(result))
    assert set(drawn) == {"threshold", "rate_of_change", "cusum"}
    for kind, (x, y) in drawn.items():
        own = result.trade_off[result.trade_off["kind"] == kind].dropna()
        own = own.sort_values("false_alarms_per_week")
        np.testing.assert_allclose(x, own["false_alarms_per_week"])
        np.testing.assert_allclose(y, own["delay_hours"])
    assert {"Threshold", "Rate of change", "Cusum"} <= set(texts(shown("over", "trade_off")))


def test_what_can_be_borne_is_a_line_at_its_rate() -> None:
    result = records.made("over", spec__false_alarms_per_week=2.5)
    ax = draw.trade_off(result)
    (line,) = [line for line in ax.lines if line.get_linewidth() == 1.2]
    assert list(line.get_xdata()) == [2.5, 2.5]
    view = draw.shown("trade_off", result, alt="what", caption="c")
    assert "can be borne: 2.5 a week" in texts(view)


def test_alerts_stand_at_their_rate_and_delay_with_the_interval_of_the_rate() -> None:
    result = records.result("over")
    ax = draw.trade_off(result)
    marks = {
        (float(line.get_xdata()[0]), float(line.get_ydata()[0])): line.get_marker()
        for line in ax.lines
        if line.get_markersize() == 8
    }
    never = ax.get_yticks()[-1]
    assert marks == {(0.625, 3.0): "D", (0.0, never): "s", (1.125, 2.0): "o"}
    assert ax.get_yticklabels()[-1].get_text() == "never"
    assert never > result.trade_off["delay_hours"].max()
    found = {tuple(line.get_xdata()) for line in ax.lines if line.get_linewidth() == 1.6}
    assert found == {(0.203, 1.459), (0.0, 0.461), (0.514, 2.136)}
    words = " ".join(texts(shown("over", "trade_off")))
    assert "A cusum at 4.5, recommended" in words
    assert "B hourly actions, existing" in words


def test_of_forty_alerts_eight_have_letters_which_do_not_meet() -> None:
    rows = draw.trade_off_rows(records.result("crowded"))
    assert "".join(rows["mark"]) == "ABCDEFGH"
    words = texts(shown("crowded", "trade_off"))
    assert [word for word in words if len(word) == 1 and word.isalpha()] == list("ABCDEFGH")


def test_alerts_in_one_place_have_letters_apart() -> None:
    one = records.result("over").detection.iloc[[1]]
    same = pd.concat([one] * 8, ignore_index=True)
    result = records.made("over", detection=same)
    assert_words_apart(draw.shown("trade_off", result, alt="what", caption="c"), "eight alike")


def test_the_bridge_leads_from_the_earlier_figure_to_this_one() -> None:
    for kind in ("over", "shortfall", "crowded"):
        result = records.result(kind)
        rows = draw.bridge_rows(result)
        excess = result.then_now.set_index("name").loc["excess"]
        assert rows["amount"].iloc[0] == excess["then"]
        assert rows["amount"].iloc[-1] == excess["now"]
        steps = rows[~rows["total"]]
        assert rows["amount"].iloc[0] + steps["amount"].sum() == pytest.approx(excess["now"])
        assert steps["until"].iloc[-1] == pytest.approx(excess["now"])
        assert list(steps["since"][1:]) == pytest.approx(list(steps["until"][:-1]))


def test_the_bridge_draws_its_steps_and_both_intervals() -> None:
    result = records.result("over")
    ax, rows = draw.bridge(result), draw.bridge_rows(result)
    steps = rows[~rows["total"]]
    drawn = [(since + min(width, 0), abs(width)) for _, since, width in bars(ax)]
    expected = [
        (min(a, b), abs(b - a)) for a, b in zip(steps["since"], steps["until"], strict=True)
    ]
    np.testing.assert_allclose(drawn, expected)
    excess = result.then_now.set_index("name").loc["excess"]
    np.testing.assert_allclose([x for _, x in dots(ax)], excess[["then", "now"]].astype(float))
    ends = [excess[["then_low", "then_high"]], excess[["low", "high"]]]
    np.testing.assert_allclose([s[1:] for s in spans(ax)], np.array(ends, dtype=float))
    assert {"1,320", "+88.2", "−18.8", "1,450"} <= set(texts(shown("over", "bridge")))


def test_the_smaller_of_many_steps_are_added_up() -> None:
    rows = draw.bridge_rows(records.result("crowded"))
    assert len(rows) == 12
    assert rows["step"].iloc[-2] == "29 smaller steps"
    sizes = records.result("crowded").revision["amount"].abs().sort_values(ascending=False)
    assert set(rows["amount"].iloc[1:-2].abs()) == set(sizes[:9])


def test_steps_that_do_not_add_up_are_not_drawn() -> None:
    wrong = records.result("over").revision.assign(amount=lambda frame: frame["amount"] + 1)
    assert draw.bridge(records.made("over", revision=wrong)) is None


def test_every_colour_is_told_apart_without_colour() -> None:
    """Kinds of alert differ by line and marker, steps by their sign, marks by their form."""
    ax = draw.trade_off(records.result("over"))
    lines = [line for line in ax.lines if not line.get_label().startswith("_")]
    assert len({(line.get_linestyle(), line.get_marker()) for line in lines}) == 3
    marks = {
        line.get_marker(): line.get_color()
        for line in draw.timeline(records.result("over")).lines
        if len(line.get_xdata()) == 1
    }
    assert marks == {"D": PALETTE["harm"], "o": PALETTE["actual"]}


def test_the_csv_has_the_record_s_numbers() -> None:
    rows = draw.maturity_rows(records.result("over"))
    assert list(rows["final"]) == list(records.result("over").maturity["final"])
    assert math.isnan(draw.trade_off_rows(records.result("over"))["delay_hours"].iloc[-2])
    assert "data:text/csv" in shown("over", "maturity").html
    assert 'download="trade-off.csv"' in shown("over", "trade_off").html


def test_what_the_room_offers_is_all_there_is() -> None:
    assert set(draw.__all__) == {*(f"{n}{tail}" for n in NAMES for tail in ("", "_rows")), "shown"}
