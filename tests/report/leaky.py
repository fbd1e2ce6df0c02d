"""A small made-up platform whose every text column holds identifiers, and how to find one again.

500 identifiers: addresses, telephones, IPv4, IPv6, keys and tokens, cards. Each begins with a part
of its own, so that one that was cut short is found as well as a whole one.
"""

from __future__ import annotations

import base64
import csv
import html
import json
import random
import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import unquote

START = datetime(2026, 3, 2, tzinfo=UTC)
END = START + timedelta(days=28)
HISTORY = START - timedelta(days=14)
_ITEMS, _ACCOUNTS, _VIEWS = 3000, 320, 6000


def identifiers() -> list[str]:
    """All 500, each different from every other within its first ten characters."""
    made = [f"zq{n:03d}.ada@mail.example" for n in range(100)]
    made += [f"+44 7{n:03d} 9{n:03d}1" for n in range(100)]
    made += [f"203.{n + 10}.113.{200 - n}" for n in range(80)]
    made += [f"2001:{n + 4096:x}:85a3::8a2e:{n + 1:x}" for n in range(40)]
    made += [f"sk_{n:03d}qz8Xw2Lm4Tr6Vb9" for n in range(45)]
    made += [f"Bearer q{n:03d}zk7w3x9v5y1t" for n in range(45)]
    made += [f"4929 {n + 1000} 7716 {9000 - n}" for n in range(90)]
    assert len(set(made)) == 500
    return made


def parts(text: str) -> str:
    """The part of an identifier that no other text has."""
    return text[:15] if text.startswith("Bearer") else text[:11]


class World:
    """Tables by role, as rows of text."""

    def __init__(self) -> None:
        self.random = random.Random(5)
        self.names = identifiers()
        self.next = 0
        self.tables: dict[str, list[dict[str, object]]] = {}
        self.make()

    def who(self) -> str:
        """The next identifier; after the last one the first again."""
        self.next += 1
        return self.names[(self.next - 1) % len(self.names)]

    def some(self, *plain: str, often: int = 2, rare: int = 12) -> Iterator[str]:
        """Plain texts, among them identifiers: some as often as they, some once."""
        frequent = [*plain, *(self.who() for _ in range(often))]
        seldom = iter([self.who() for _ in range(rare)])
        while True:
            if self.random.random() < 0.02:
                yield next(seldom, plain[0])
            else:
                yield self.random.choice(frequent)

    def at(self, low: datetime, high: datetime) -> datetime:
        seconds = int((high - low).total_seconds())
        return low + timedelta(seconds=self.random.randrange(seconds))

    def make(self) -> None:
        keys = [self.who() if n % 4 == 0 else f"account{n}" for n in range(_ACCOUNTS)]
        tier = self.some("new", "old")
        self.tables["accounts"] = [
            {"account_id": key, "created_at": _text(self.at(HISTORY - timedelta(days=90), END)),
             "tier": next(tier)}
            for key in keys[:-20]
        ]  # fmt: skip
        self._items(keys)
        self._labels()
        self._views()
        self._controls()
        # Rings of twelve that have two things in common; a kind of thing that nobody should name.
        odd = f"card of {self.who()}"
        shared = [(kind, [self.who() for _ in range(4)]) for kind in ("device", odd)]
        kinds = self.some("device", "payment", often=1, rare=3)
        self.tables["links"] = [
            {"account_id": key, "kind": kind, "token": tokens[n // 12]}
            for kind, tokens in shared
            for n, key in enumerate(keys[:48])
        ] + [
            {"account_id": key, "kind": next(kinds), "token": self.who()} for key in keys[48:]
        ]  # fmt: skip
        self.tables["ledger"] = [
            {"changed_at": _text(START + timedelta(days=days)), "instrument": instrument,
             "note": f"Asked for by {self.who()}, see {self.who()}"}
            for days, instrument in ((-3, "model"), (5, self.who()), (14, f"rule of {self.who()}"))
        ]  # fmt: skip

    def _items(self, keys: list[str]) -> None:
        kind, market = self.some("video", "post"), self.some("dogwood", "elm")
        domain = self.some(*(f"site{n}.example" for n in range(20)), often=15)
        texts = self.some(*(f"text{n}" for n in range(200)), often=30)
        burst, shared = self.who(), self.who()
        self.strata = {"low": "low", "middle": self.who(), "high": f"high, {self.who()}"}
        items: list[dict[str, object]] = []
        for n in range(_ITEMS):
            at = HISTORY + (END - HISTORY) * n / _ITEMS
            ring = self.random.random() < 0.08 and at > START
            who = self.random.choice(keys[:48]) if ring else self.random.choice(keys)
            score = min(0.999, self.random.random() ** 2 + 0.4 * ring)
            stratum = "low" if score < 0.3 else "middle" if score < 0.6 else "high"
            late = ring and at > START + timedelta(days=14)
            items.append(
                {"item_id": self.who() + f"/{n}" if n % 10 == 0 else f"item{n}", "account_id": who,
                 "created_at": _text(at), "kind": next(kind), "market": next(market),
                 "url_domain": burst if late else next(domain),
                 "text_hash": shared if late else next(texts), "stratum": self.strata[stratum],
                 "score": f"{score:.3f}", "bad": ring or self.random.random() < 0.3 * score}
            )  # fmt: skip
        self.items = items
        self.tables["items"] = [_without(row, "score", "bad") for row in items]
        self.tables["scores"] = [{"item_id": r["item_id"], "score": r["score"]} for r in items]

    def _labels(self) -> None:
        raters = [self.who() for _ in range(6)]
        policies = self.some("scam", often=1, rare=5)
        chance = dict(zip(self.strata.values(), (0.1, 0.2, 0.4), strict=True))
        self.chance = chance

        def vote(row: dict[str, object]) -> dict[str, object]:
            wrong = self.random.random() < (0.1 if row["bad"] else 0.005)
            return {
                "item_id": row["item_id"],
                "label": int(bool(row["bad"]) != wrong),
                "rater_id": self.random.choice(raters),
                "policy": next(policies),
                "stratum": row["stratum"],
                "inclusion_probability": chance[str(row["stratum"])],
                "labelled_at": row["created_at"],
            }

        drawn = [row for row in self.items if self.random.random() < chance[str(row["stratum"])]]
        self.tables["labels"] = [vote(row) for row in [*drawn, *drawn[::5]]]
        self.vote = vote
        self.tables["gold"] = [
            _without(vote(row), "stratum", "inclusion_probability", "labelled_at")
            | {"gold": int(bool(row["bad"]))}
            for row in self.items[:600]
            for _ in range(2)
        ]

    def _views(self) -> None:
        viewers = [self.who() if n % 3 == 0 else f"viewer{n}" for n in range(600)]
        views = []
        for n in range(_VIEWS):
            row = self.random.choice(self.items)
            at = min(_time(row) + timedelta(hours=self.random.random() * 24), END)
            views.append(
                {"item_id": row["item_id"], "viewed_at": _text(at),
                 "view_id": f"{self.who()}#{n}" if n % 10 == 0 else f"view{n}",
                 "viewer_id": self.random.choice(viewers)}
            )  # fmt: skip
        self.tables["views"] = views
        known = {row["item_id"]: row for row in self.items}
        drawn = [view for view in views if self.random.random() < 0.1]
        self.tables["view_labels"] = [
            self.vote(known[view["item_id"]])
            | {"view_id": view["view_id"], "inclusion_probability": 0.1}
            for view in drawn
        ]

    def _controls(self) -> None:
        sources = self.some("rule", "review", rare=4)
        kinds = self.some("remove", often=1)
        reasons = self.some("scam", "spam")
        outcomes = self.some("upheld", "overturned", often=0, rare=6)
        actions, reports = [], []
        for n, row in enumerate(self.items):
            if self.random.random() < (0.5 if row["bad"] else 0.03):
                at = _time(row) + timedelta(hours=1 + self.random.random() * 40)
                actions.append(
                    {"action_id": f"{self.who()}!{n}" if n % 5 == 0 else f"action{n}",
                     "item_id": row["item_id"], "source": next(sources), "action": next(kinds),
                     "acted_at": _text(at)}
                )  # fmt: skip
            if self.random.random() < (0.3 if row["bad"] else 0.02):
                at = _time(row) + timedelta(hours=self.random.random() * 40)
                reports.append(
                    {"item_id": row["item_id"], "reason": next(reasons), "reported_at": _text(at)}
                )
        self.tables["actions"], self.tables["reports"] = actions, reports
        self.tables["appeals"] = [
            {"action_id": row["action_id"], "outcome": next(outcomes), "decided_at": _text(END)}
            for row in actions[::4]
        ]

    def write(self, folder: Path) -> None:
        """``<role>.csv`` of every role."""
        folder.mkdir(exist_ok=True)
        for role, rows in self.tables.items():
            write_table(folder / f"{role}.csv", rows)

    def planted(self) -> dict[tuple[str, str], int]:
        """(role, column) -> how many different identifiers stand in it."""
        found = {}
        for role, rows in self.tables.items():
            for column in rows[0]:
                texts = {str(row[column]) for row in rows}
                joined = "\n".join(texts)
                found[role, column] = sum(name in joined for name in self.names)
        return found


def write_table(path: Path, rows: list[dict[str, object]]) -> None:
    """A CSV file of `rows`."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def found_in(folder: Path, *texts: str) -> dict[str, list[str]]:
    """Place -> identifiers in it, of every file below `folder` and of `texts`."""
    places = {f"text {n}": text for n, text in enumerate(texts)}
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            places[str(file.relative_to(folder))] = file.read_bytes().decode("utf-8", "replace")
    wanted = sorted(parts(name).lower() for name in identifiers())
    found = {}
    for place, text in places.items():
        forms = {form.lower() for form in _forms(text)}
        hits = [part for part in wanted if any(part in form for form in forms)]
        if hits:
            found[place] = hits
    return found


def _forms(text: str) -> Iterator[str]:
    """`text` as it is, and as a browser or a program would read it."""
    yield text
    yield html.unescape(text)
    yield re.sub(r"<[^>]*>", "", html.unescape(text))
    yield unquote(text)
    if text.lstrip().startswith("{"):
        with suppress(ValueError):
            yield json.dumps(json.loads(text), ensure_ascii=False)
    for block in re.findall(r"base64,([A-Za-z0-9+/=\s]+)", text):
        yield base64.b64decode(re.sub(r"\s", "", block) + "==").decode("utf-8", "replace")


def _text(at: datetime) -> str:
    return at.replace(microsecond=0).isoformat()


def _time(row: dict[str, object]) -> datetime:
    return datetime.fromisoformat(str(row["created_at"]))


def _without(row: dict[str, object], *names: str) -> dict[str, object]:
    return {name: value for name, value in row.items() if name not in names}


def inside(row: dict[str, object]) -> bool:
    """Whether the item of `row` was made in the window."""
    return START <= _time(row) < END
