"""What controls see, what nobody sees, what to do first: headings and their sentences."""

from __future__ import annotations

from trustlib.core import View
from trustlib.harm.deep_dive.published import is_small
from trustlib.harm.deep_dive.result import DeepDive
from trustlib.harm.deep_dive.told import amount, is_countable, per_mistake, percent
from trustlib.harm.options import SURE, Ranking
from trustlib.harm.small_cells import SMALLEST_CELL
from trustlib.narrative import house
from trustlib.narrative.harm import words


def control(name: str) -> str:
    """A control as a reader calls it."""
    told = words.short(str(name).replace("_", " "), 40)
    return "user reports" if told == "reported" else told


def what_controls_see(result: DeepDive) -> View:
    """Recall of all controls together, and of the best one."""
    found = result.today.controls
    if found is None:
        return words.missing(result, "What today's controls find is not known", "today.controls")
    whole = found.recall_of_controls
    if whole.point is None:
        return words.said("What today's controls find is not estimable",
                          f"{house.upper_first(words.reason(whole))}.")  # fmt: skip
    heading = f"Today's controls find {percent(whole.point)} of violating {found.of}"
    if words.rough(whole):
        heading = (
            f"What today's controls find is known only roughly: {words.brief(whole)} of violating "
            f"{found.of}"
        )
    return words.said(heading, _whole(result), _best(result), _proactive(result))


def _whole(result: DeepDive) -> str:
    found = result.today.controls
    assert found is not None
    text = ""
    if words.has_interval(found.recall_of_controls):
        _, ends = amount(found.recall_of_controls)
        text = f"The {words.level(result)} interval is {ends}. "
    precision = found.precision_of_controls
    if precision.point is None:
        return text.strip()
    return (
        f"{text}Of what they act on or users report, {words.share(precision)} is violating; user "
        "reports count as a control in both."
    )


def _best(result: DeepDive) -> str:
    found = result.today.controls
    assert found is not None
    known = [
        (one.point, -at) for at, one in enumerate(found.recall) if one.point is not None
    ]  # fmt: skip
    if len(known) < 2:
        return ""
    at = -max(known)[1]
    alone = found.alone[at]
    text = f"Most of it is found by {control(found.names[at])}, {words.share(found.recall[at])}"
    if alone.point is None:
        return f"{text}."
    if alone.point < 0.0005:
        return f"{text}; the others find all of that too."
    return f"{text}; {percent(alone.point)} is found by nothing else."


def _proactive(result: DeepDive) -> str:
    rate = result.today.proactive
    if rate is None or rate.point is None:
        return ""
    return (
        f"{percent(rate.point)} of what was acted on had no user report before; that is not "
        "recall, since what nobody found is in neither count."
    )


def what_nobody_sees(result: DeepDive) -> View:
    """The lower bound of what no control found."""
    found = result.today.unseen
    if found is None:
        return words.missing(result, "What nobody sees is not known", "today.unseen")
    bound = found.unseen_lower_bound
    if bound.point is None:
        return words.said(
            "How much nobody sees cannot be told from the controls",
            f"{house.upper_first(words.reason(bound))}. That is no sign that there is nothing.",
        )
    number, interval = amount(bound)
    unit = words.short(bound.unit, 40)
    if is_small(bound.point):
        heading = f"Controls overlap so much that {number} {unit} need be unseen"
    elif words.rough(bound):
        heading = f"How much no control sees is hardly known: {interval} {unit}, or more"
    else:
        heading = f"About {number} {unit} or more are seen by no control"
    verb = "reaches" if interval.startswith("up to") else "is"
    known = f"The {words.level(result)} interval {verb} {interval}. " if interval != number else ""
    return words.said(
        heading,
        f"{known}It is a lower bound: controls look for the same signs, so what one finds another "
        "finds more often than by chance.",
    )


def what_to_do_first(result: DeepDive) -> View:
    """The first option, how sure that is, and what to measure next."""
    ranking = result.ranking
    if ranking is None:
        return words.missing(result, "What to do first cannot be ranked", "ranking")
    first, at = best(ranking), leading(ranking)
    if first is None or at is None:
        return words.said("No option can be weighed", _unweighed(ranking))
    heading = f"{house.upper_first(name(ranking, at))}: that comes first"
    sure = chance(ranking, first)
    if sure is not None and sure < SURE:
        heading = f"{heading}, but the order is not sure"
    elif at == first:
        heading = f"{house.upper_first(name(ranking, at))}: most harm for each mistake"
    return words.said(heading, effect(ranking, at), passed_over(ranking),
                      _chance(ranking, first), _most(ranking, at), _next(ranking))  # fmt: skip


def best(ranking: Ranking) -> int | None:
    """The first option that addresses something; None where none has a number above 0."""
    found = (
        at
        for at, option in enumerate(ranking.options)
        if option.kind != "label" and option.harm and option.harm.point
    )
    return next(found, None)


def leading(ranking: Ranking) -> int | None:
    """The first that addresses more than a few items; the first at all where none does."""
    found = (at for at in range(len(ranking.options)) if _harm(ranking, at) >= SMALLEST_CELL)
    return next(found, best(ranking))


def passed_over(ranking: Ranking) -> str:
    """The option with the best ratio, where it addresses too little to lead."""
    first, at = best(ranking), leading(ranking)
    if first is None or first == at:
        return ""
    return (
        f"“{house.upper_first(name(ranking, first))}” has the better ratio, but addresses fewer "
        "than 11."
    )


def name(ranking: Ranking, at: int) -> str:
    return words.short(ranking.options[at].name, 70)


def _harm(ranking: Ranking, at: int) -> float:
    """What an option addresses; what is no count of items is never few."""
    option = ranking.options[at]
    if option.kind == "label" or option.harm is None or not option.harm.point:
        return 0.0
    return option.harm.point if is_countable(option.harm.unit) else float("inf")


def _most(ranking: Ranking, at: int) -> str:
    """The option that addresses most, where that is clearly more than the leading one does."""
    sizes = [
        option.harm.point if option.kind != "label" and option.harm and option.harm.point else 0.0
        for option in ranking.options
    ]
    largest = max(range(len(sizes)), key=lambda k: (sizes[k], -k))
    if largest == at or sizes[largest] < 1.5 * sizes[at] or is_small(sizes[largest]):
        return ""
    option = ranking.options[largest]
    assert option.harm is not None
    told = words.number(option.harm, words.short(option.harm.unit, 40))
    hit, _ = amount(option.false_positives)
    return (
        f"Most is addressed by “{name(ranking, largest)}”: {told}, with {hit} other items hit by "
        "mistake."
    )


def chance(ranking: Ranking, at: int) -> float | None:
    value = float(ranking.probability_first[at])
    return None if value != value else value


def effect(ranking: Ranking, at: int) -> str:
    """What an option addresses and what it hits by mistake."""
    option, ratio = ranking.options[at], ranking.ratio[at]
    harm, wrong = option.harm, option.false_positives
    assert harm is not None
    assert wrong is not None
    text = f"It would address {words.number(harm, words.short(harm.unit, 40))}"
    if wrong.point is None:
        return f"{text}; what it would hit by mistake is not estimable."
    hit, interval = amount(wrong)
    ends = f" ({interval})" if interval not in (hit, "not estimable") else ""
    each, _ = per_mistake(harm, wrong, ratio)
    rate = f", {each} for each mistake" if each not in ("withheld", "not estimable") else ""
    return f"{text} and hit {hit} other items by mistake{ends}{rate}."


def _chance(ranking: Ranking, at: int) -> str:
    sure = chance(ranking, at)
    n = sum(1 for value in ranking.probability_first if value == value)
    if sure is None or n < 2:
        return "There is nothing else with both numbers to compare it with."
    return (
        f"Its ratio is really the best of {house.number_word(n)} with a chance of {percent(sure)}."
    )


def _next(ranking: Ranking) -> str:
    frame = ranking.measurements
    if not len(frame) or not frame["gain"].iloc[0] >= 0.005:
        return ""
    row = frame.iloc[0]
    what = "the harm" if row["component"] == "harm" else "the mistakes"
    points = f"{100 * float(row['gain']):.0f}"
    noun = "point" if points == "1" else "points"
    return (
        f"Measure {what} of “{words.short(row['option'], 60)}” next: that would raise the chance "
        f"to choose rightly by {points} {noun}."
    )


def _unweighed(ranking: Ranking) -> str:
    for option in ranking.options:
        for one in (option.harm, option.false_positives):
            if one is not None and one.point is None:
                return f"{house.upper_first(words.reason(one))}."
    return "None of them would address anything that is not found today."
