"""Text from data reads as text: one line, nothing unseen, no endless names."""

import pytest

from trustlib.core.text import clean, short


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
