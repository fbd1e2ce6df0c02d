"""What identifies somebody is found by its form; what names a market, a rule or a day is not."""

from __future__ import annotations

import pytest

from trustlib.core.identifiers import WITHHELD, identifies, without_identifiers

SOMEBODY = [
    "ada@host.example", "first.last+tag@sub.host.example", "@ada_l", "+1 415 555 0100",
    "+442079460000", "(415) 555-0100", "415-555-0100", "0044 20 7946 0000", "020 7946 0000",
    "192.0.2.17", "10.0.0.1:8080", "2001:db8::1", "2001:1024:85a3::8a2e:25",
    "2001:0db8:0000:0000:0000:ff00:0042:8329",
    "fe80::1ff:fe23:4567:890a", "00:1a:2b:3c:4d:5e", "4111 1111 1111 1111", "4111-1111-1111-1111",
    "4111111111111111", "3782 822463 10005", "Bearer abc.def", "sk_live_4eC39HqLyjWDarjt",
    "ghp_16C7e42F292c6912E7710c838347Ae178B4a", "xoxb-1234567890-abcd", "AKIAIOSFODNN7EXAMPLE",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln", "user-10000077", "deadbeefdeadbeef",
    "c9bf9e57-1685-4c89-bafb-ff5af830be8a", "a1B2c3D4e5F6g7H8i9J0",
]  # fmt: skip
NOBODY = [
    "dogwood", "score-65-100", "scam_review", "video", "(unknown)", "2026-03-02", "12:30:00",
    "2 March 2026, 14:00 to 16:00", "2026-03-02 to 2026-03-30", "Guideline 2 names kinds of scam",
    "Scam classifier 2 replaces 1: scores are on another scale", "iOS 17.4.1", "New York, 10001",
    "std::vector", "100,000", "1.5 million", "San Juan-2024", "53033", "5 000", "Q1 2026",
    "investment scam (crypto)", "reports per 1,000 active accounts", "São Paulo", "東京", "",
    "rule 17", "skateboarding", "bearer", "reply-limits-2026-q1", "beach facade cafe", "v2.0.1",
]  # fmt: skip


@pytest.mark.parametrize("text", SOMEBODY)
def test_somebody_is_withheld_wherever_it_stands(text: str) -> None:
    for around in ("{}", "asked by {}.", "{} asked", "({})", "x: {}; y", "by {}: that"):
        whole = around.format(text)
        assert identifies(whole), whole
        told = without_identifiers(whole)
        assert WITHHELD in told
        assert text not in told
        assert not identifies(told)


@pytest.mark.parametrize("text", NOBODY)
def test_what_names_nobody_stays_as_it_is(text: str) -> None:
    assert not identifies(text)
    assert without_identifiers(text) == text


def test_all_of_a_text_with_several() -> None:
    told = without_identifiers("from 192.0.2.17 by ada@host.example, card 4111 1111 1111 1111")
    assert told == f"from {WITHHELD} by {WITHHELD} card {WITHHELD}"


def test_a_long_text_takes_no_time() -> None:
    import time

    began = time.perf_counter()
    for text in (
        "a" * 50_000,
        "1a" * 25_000,
        "1:" * 25_000,
        "1-" * 25_000,
        "@ " * 25_000,
        "sk-" * 15_000,
        "00 " * 15_000,
        "+1" * 25_000,
        "0a" * 7 + "z" * 40_000,
    ):
        without_identifiers(text)
    assert time.perf_counter() - began < 5
