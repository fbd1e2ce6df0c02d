"""One test of one assumption, with a verdict and the sentence that says why."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Verdict = Literal["pass", "warn", "fail", "not_run"]

# From worst to best: what a reader must see first.
VERDICTS: tuple[Verdict, ...] = ("fail", "warn", "not_run", "pass")


@dataclass(frozen=True, kw_only=True)
class Check:
    """The verdict on one assumption.

    Attributes
    ----------
    name
        Stable snake_case key, for example ``pre_trend``.
    label
        What a reader sees in the verdict strip, a few words that fit the verdict:
        "two methods agree", "holidays in the history".
    verdict
        ``pass``, ``warn``, ``fail`` or ``not_run``.
    text
        One sentence or two saying why, with the numbers.
    """

    name: str
    verdict: Verdict
    label: str
    text: str

    def __post_init__(self) -> None:
        if self.verdict not in VERDICTS:
            raise ValueError(f"Check: verdict {self.verdict!r} is not one of {', '.join(VERDICTS)}")
        if not self.text.strip() or not self.label.strip():
            raise ValueError(f"Check {self.name}: a verdict needs a label and a sentence")

    def to_json(self) -> dict[str, object]:
        """The results.json form; keys are a contract."""
        return {
            "name": self.name,
            "verdict": self.verdict,
            "label": self.label,
            "text": self.text,
        }


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The worst of `verdicts`; ``pass`` where there are none."""
    present = set(verdicts)
    return next((verdict for verdict in VERDICTS if verdict in present), "pass")
