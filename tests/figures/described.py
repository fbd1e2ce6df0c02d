"""What every figure of a page must be: one described SVG in the page's colours, words apart."""

import re
from itertools import combinations
from xml.etree import ElementTree

from trustlib.figures import house

SVG = "{http://www.w3.org/2000/svg}"
BOX = '<p class="note">why or how</p>'
TAGS = {"svg", "defs", "clipPath", "rect", "g", "path", "text"}


def tree(shown) -> ElementTree.Element:
    return ElementTree.fromstring(re.search("<svg.*</svg>", shown.html, re.DOTALL)[0])


def texts(shown) -> list[str]:
    return [(node.text or "").replace("\u00a0", " ") for node in tree(shown).iter(f"{SVG}text")]


def assert_described(shown, name: str, *, box: str = BOX) -> None:
    """One SVG that says "what" and takes its colours from the page, or else `box`."""
    html = str(shown.html)
    assert len(html) < 130_000, name
    if "<svg" not in html:
        assert html == box, name
        return
    root = tree(shown)
    assert (root.get("role"), root.get("aria-label")) == ("img", "what"), name
    assert {node.tag.removeprefix(SVG) for node in root.iter()} <= TAGS, name
    bare = re.sub(r"var\(--[a-z]+,#[0-9a-f]{6}\)", "", html)
    assert not re.search(r"(fill|stroke):#", bare), name


def boxes(shown) -> list[tuple[str, float, float, float, float]]:
    """Each text with its left, right, top and bottom, as large as a phone shows it.

    Text is measured by a wider font than the page's, so what fits here fits there.
    """
    found = []
    for node in tree(shown).iter(f"{SVG}text"):
        style, text = node.get("style", ""), node.text or ""
        width = house.text_width(text, bold="font-weight:700" in style)
        anchor = re.search(r"text-anchor:\s*(\w+)", style)
        share = {"end": 1.0, "middle": 0.5}.get(anchor[1] if anchor else "start", 0.0)
        x, y = float(node.get("x")) - share * width, float(node.get("y"))
        found.append((text, x, x + width, y - 5, y + 5))
    return found


def assert_words_apart(shown, name: str = "") -> None:
    """No text outside the figure, and none that meets another."""
    size = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', str(shown.html))
    words = boxes(shown)
    for text, left, right, top, bottom in words:
        assert left > -1, f"{name}: {text!r}"
        assert right < float(size[1]) + 1, f"{name}: {text!r}"
        assert top > -1, f"{name}: {text!r}"
        assert bottom < float(size[2]) + 1, f"{name}: {text!r}"
    for a, b in combinations(words, 2):
        wide = min(a[2], b[2]) - max(a[1], b[1])
        high = min(a[4], b[4]) - max(a[3], b[3])
        assert not (wide > 0 and high > 0), f"{name}: {a[0]!r} and {b[0]!r}"
