"""The made-up deep-dive of the views' tests has what they draw, and lacks what it should."""

from dataclasses import fields

from tests.figures.harm_results import bare, made


def test_a_whole_result_lacks_nothing_and_holds_both_kinds_of_moves() -> None:
    result = made()
    assert not result.why
    assert sorted(result.ledger.moves["attributable"]) == [False, True]
    assert result.ledger.trend.points["trend"].notna().all()
    assert result.where.search.confirmed
    assert len(result.where.growing.segments)
    assert set(result.how.coordination.clusters["small"]) == {False, True}
    assert set(result.how.newly_frequent.tokens["new"]) == {False, True}
    assert all(one.median.point is not None for one in result.how.lifecycles)
    assert result.today.unseen.unseen_lower_bound.low is not None


def test_what_is_missing_is_named_with_its_reason() -> None:
    assert set(made(ledger=None, where__mix=None).why) == {"ledger", "where.mix"}
    result = bare()
    every = {
        f"{head}.{field.name}"
        for head in ("size", "where", "how", "today")
        for field in fields(getattr(result, head))
    }
    assert set(result.why) == every | {"ledger", "ranking"}
