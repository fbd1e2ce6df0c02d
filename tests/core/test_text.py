"""Text from data reads as text: one line, nothing unseen, no endless names."""

import pytest

from trustlib.core.text import clean, short, told_apart


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("  a\tb\nc  d ", "a b c d"),
        ("nul\x00bell\x07", "nulbell"),
        ("left\u202eright\u2066", "leftright"),
        ("half\ud800", "half"),
        ("1\u00a0million", "1\u00a0million"),
        ("a\u00a0 \u00a0b", "a\u00a0 \u00a0b"),
        ("👩\u200d🚒", "👩\u200d🚒"),
        ("_$_$ <b>", "_$_$ <b>"),
        (None, "None"),
    ],
)
def test_clean(raw, text) -> None:
    assert clean(raw) == text


def test_short_shows_its_cut() -> None:
    assert short("abcdef", 6) == "abcdef"
    assert short("abcdefg", 6) == "abcde…"
    assert short("abcd efgh", 6) == "abcd…"
    assert short(" \n", 7) == "(empty)"
    assert len(short("x" * 10_000, 24)) == 24


def test_names_that_begin_alike_are_told_apart() -> None:
    names = ["https://example.com/rules/spam-17", "https://example.com/rules/spam-18", "short one"]
    assert told_apart(names, 24) == [
        "https://…m/rules/spam-17",
        "https://…m/rules/spam-18",
        "short one",
    ]
    assert told_apart(["x" * 30, "y" * 30], 24) == ["x" * 23 + "…", "y" * 23 + "…"]
    assert all(len(cut) <= 24 for cut in told_apart(names * 2, 24))
