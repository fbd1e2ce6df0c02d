"""Sentences that every report has: the headline's frame, the strip of checks, what was read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from markupsafe import Markup

from trustlib.core import Check, View
from trustlib.core.text import clean, short
from trustlib.narrative import house

if TYPE_CHECKING:
    from trustlib.data import Snapshot

_SIGNS = {"pass": "✓", "warn": "!", "fail": "✗", "not_run": "–"}
_SPOKEN = {"pass": "passed", "warn": "warning", "fail": "failed", "not_run": "not run"}
_STRIP = 8


class Read(Protocol):
    """What was read of a source: `Counts`, `PanelRows`."""

    @property
    def checks(self) -> tuple[Check, ...]: ...
    @property
    def snapshot(self) -> Snapshot: ...


def headline(figure: str, interval: str, sentence: str, checks: Sequence[Check]) -> View:
    """The answer: a number (or verdict) large, its interval, a sentence, the strip of checks."""
    html = Markup(
        '<section class="headline" aria-label="Answer"><p class="figure">{}</p>'
        '<p class="interval">{}</p><p>{}</p>{}</section>'
    ).format(clean(figure), clean(interval), clean(sentence), _strip(checks))
    marks = [f"{_SIGNS[check.verdict]} {clean(check.label)}" for check in _chosen(checks)]
    text = "\n".join([clean(figure), clean(interval), clean(sentence), " · ".join(marks)])
    return View(html=html, text=text)


def ask(sentence: str) -> View:
    """The box that says what the reader is asked to decide."""
    text = clean(sentence)
    html = Markup('<div class="ask"><p><strong>What we ask of you.</strong> {}</p></div>')
    return View(html=html.format(text), text=f"What we ask of you. {text}")


def can_we_believe_it(checks: Sequence[Check]) -> View:
    """How many checks pass, and what the others need."""
    total = len(checks)
    tally = {v: sum(c.verdict == v for c in checks) for v in ("pass", "warn", "fail", "not_run")}
    if tally["pass"] == total:
        return house.finding(f"All {house.number_word(total)} checks pass")
    rest = []
    if n := tally["fail"]:
        rest.append(f"{house.number_word(n)} {'fails' if n == 1 else 'fail'}")
    if n := tally["warn"]:
        rest.append(f"{house.number_word(n)} {'needs' if n == 1 else 'need'} a reader's judgement")
    if n := tally["not_run"]:
        rest.append(f"{house.number_word(n)} could not be run")
    passed = house.upper_first(house.number_word(tally["pass"])) if tally["pass"] else "None"
    verb = "passes" if tally["pass"] == 1 else "pass"
    return house.finding(
        f"{passed} of {house.number_word(total)} checks {verb}; {house.listed(rest)}"
    )


def what_was_read(read: Read) -> View:
    """How many rows, and the weakest thing about them."""
    rows = f"{read.snapshot.rows:,} {'row was' if read.snapshot.rows == 1 else 'rows were'}"
    source = short(read.snapshot.source, 60)
    flagged = [check for check in read.checks if check.verdict in ("fail", "warn")]
    if not flagged:
        return house.finding(f"{rows} read from {source}; nothing about them stands out")
    labels = house.listed([clean(check.label) for check in flagged[:3]])
    return house.finding(f"{rows} read from {source}; to note: {labels}")


def _chosen(checks: Sequence[Check]) -> list[Check]:
    """The strip: everything that did not pass, then what did, in the order given."""
    weak = [check for check in checks if check.verdict != "pass"]
    strong = [check for check in checks if check.verdict == "pass"]
    kept = set(map(id, [*weak, *strong][: max(_STRIP, len(weak))]))
    return [check for check in checks if id(check) in kept]


def _strip(checks: Sequence[Check]) -> Markup:
    items = Markup("").join(
        Markup('<li class="{}" aria-label="{}: {}">{} {}</li>').format(
            check.verdict, _SPOKEN[check.verdict], clean(check.label),
            _SIGNS[check.verdict], clean(check.label),
        )
        for check in _chosen(checks)
    )  # fmt: skip
    return Markup('<ul class="strip" aria-label="Checks">{}</ul>').format(items)
