"""matplotlib's SVG made fit for a report page: small, deterministic, themed, described.

matplotlib writes a document of its own (prologue, metadata, style sheet, ids, marker
definitions). A page needs a fragment: no ids but those of its clip paths, colours that follow
the reader's setting, text in the page's font, and a description for those who cannot see it.
"""

from __future__ import annotations

import io
import re
import warnings
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from markupsafe import Markup

from trustlib.core.text import clean

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# The page's palette in its light form; unique, since colours are found by their hex code.
PALETTE = {
    "paper": "#ffffff",
    "panel": "#f6f6f3",
    "ink": "#1c1d20",
    "muted": "#5d6067",
    "rule": "#dfdfd9",
    "actual": "#0b5cad",
    "expected": "#70757d",
    "harm": "#b3421f",
    "good": "#1d7446",
    "warn": "#8a5a00",
    "bad": "#a5281b",
}
_NAMES = {code: name for name, code in PALETTE.items()}
_SVG = "{http://www.w3.org/2000/svg}"
_HREF = "{http://www.w3.org/1999/xlink}href"
# One unit is one point of the figure; a tenth of it is invisible on any screen.
_NUMBER = re.compile(r"-?\d+\.\d+(?:e-?\d+)?")
_SIZE = re.compile(r"font-size:\s*([\d.]+)px")
_MIDDLE = 0.365  # of the letters' height above the baseline, in ems
_KEPT = [
    *("fill", "fill-opacity", "stroke", "stroke-width", "stroke-opacity", "stroke-dasharray"),
    *("stroke-dashoffset", "stroke-linecap", "stroke-linejoin", "opacity"),
    *("font-size", "font-weight", "text-anchor"),
]


def fragment(figure: Figure, *, name: str, alt: str) -> Markup:
    """`figure` as one ``<svg role="img">``.

    Parameters
    ----------
    name
        Prefix of the fragment's ids; unique on a page.
    alt
        What a reader who cannot see the figure should know.
    """
    import matplotlib as mpl

    buffer = io.StringIO()
    settings: dict[Any, Any] = {
        "svg.hashsalt": name,
        "svg.fonttype": "none",
        "text.parse_math": False,
    }
    with mpl.rc_context(settings), warnings.catch_warnings():
        # The reader's browser has the glyphs that the measuring font lacks.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(
            buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None}
        )
    root = ElementTree.fromstring(buffer.getvalue())
    rects = [(clip.get("id", ""), rect) for clip in root.iter(f"{_SVG}clipPath") for rect in clip]
    clips = {key: f"{name}-clip{i}" for i, (key, _) in enumerate(rects)}
    defs = "".join(
        f'<clipPath id="{clips[key]}">{_element(rect, {}, {})}</clipPath>' for key, rect in rects
    )
    body = _children(root, _shapes(root), clips)
    return Markup(
        '<svg role="img" aria-label="{}" xmlns="http://www.w3.org/2000/svg" viewBox="{}" '
        'style="max-width:46rem" '
        "font-family=\"Inter,'Helvetica Neue',Arial,'DejaVu Sans',sans-serif\">{}</svg>"
    ).format(clean(alt), _round(root.get("viewBox", "")), Markup(f"<defs>{defs}</defs>{body}"))


def _shapes(root: ElementTree.Element) -> dict[str, ElementTree.Element]:
    """Marker and band outlines by id, which matplotlib refers to with ``use``."""
    found = {}
    for defs in root.iter(f"{_SVG}defs"):
        for path in defs.iter(f"{_SVG}path"):
            found[path.get("id", "")] = path
    return found


def _children(
    parent: ElementTree.Element, shapes: dict[str, ElementTree.Element], clips: dict[str, str]
) -> str:
    return "".join(_element(child, shapes, clips) for child in parent)


def _element(
    node: ElementTree.Element, shapes: dict[str, ElementTree.Element], clips: dict[str, str]
) -> str:
    tag = node.tag.removeprefix(_SVG)
    if tag in ("defs", "metadata", "style"):
        return ""
    style = _style(node)
    if tag == "g":
        inside = _children(node, shapes, clips)
        clip = _clip(node, clips)
        return f"<g{clip}{style}>{inside}</g>" if inside and (clip or style) else inside
    if tag == "use":
        shape = shapes[node.get(_HREF, "").removeprefix("#")]
        at = _round(f"translate({node.get('x', '0')} {node.get('y', '0')})")
        move = "" if _is_zero(node) else f' transform="{at}"'
        return f'<path d="{_path(shape)}"{move}{style or _style(shape)}/>'
    if tag == "text":
        return _text(node, style)
    if tag == "path":
        if style == ' style="fill:none"':
            return ""  # the invisible patch behind every figure and axes
        return f'<path d="{_path(node)}"{_clip(node, clips)}{style}/>'
    if tag == "rect":
        box = "".join(
            f' {key}="{_round(node.get(key, "0"))}"' for key in ("x", "y", "width", "height")
        )
        return f"<rect{box}{style}/>"
    raise ValueError(f"figures: no place for <{tag}> in a house figure")


def _is_zero(node: ElementTree.Element) -> bool:
    """A band's ``use`` moves its outline by the height that the outline was drawn above."""
    return float(node.get("x", "0")) == 0 and float(node.get("y", "0")) == 0


def _text(node: ElementTree.Element, style: str) -> str:
    turn = node.get("transform", "")
    angle = re.match(r"(?:translate\(([-\d.]+) ([-\d.]+)\) ?)?rotate\(([-\d.]+)", turn)
    x, y = node.get("x", "0"), node.get("y", "0")
    if angle and angle[1]:
        x, y = angle[1], angle[2]
    # Held at the middle of its letters, so that it stays in place when the page sets it smaller.
    size = float(_SIZE.search(node.get("style", ""))[1])  # type: ignore[index]
    y = str(float(y) - _MIDDLE * size)
    style = style.replace('style="', 'style="dominant-baseline:central;', 1)
    at = f' x="{_round(x)}" y="{_round(y)}"'
    if angle and float(angle[3]) != 0:
        raise ValueError("figures: text stands upright in a house figure")
    return str(Markup("<text{}{}>{}</text>").format(Markup(at), Markup(style), node.text or ""))


def _clip(node: ElementTree.Element, clips: dict[str, str]) -> str:
    match = re.fullmatch(r"url\(#(.+)\)", node.get("clip-path", ""))
    return f' clip-path="url(#{clips[match[1]]})"' if match else ""


def _path(node: ElementTree.Element) -> str:
    return re.sub(r"\s*([A-Za-z])\s*", r"\1", _round(" ".join(node.get("d", "").split())))


def _style(node: ElementTree.Element) -> str:
    kept = []
    for declaration in node.get("style", "").split(";"):
        name, _, value = (part.strip() for part in declaration.partition(":"))
        if name in _KEPT and value and (name, value) != ("stroke-linejoin", "miter"):
            kept.append(f"{name}:{_themed(name, value)}")
    return f' style="{";".join(kept)}"' if kept else ""


def _themed(name: str, value: str) -> str:
    if value.lower() in _NAMES:
        return f"var(--{_NAMES[value.lower()]},{value.lower()})"
    if name == "font-size":
        # The page sets the size that fits its width; alone, a figure is shown on a wide screen.
        return "var(--chart-text,9px)"
    return _round(value, 2)


def _round(text: str, digits: int = 1) -> str:
    """`text` with its decimal numbers cut to `digits` decimals and no trailing zero."""

    def one(match: re.Match[str]) -> str:
        rounded = round(float(match[0]), digits) + 0.0  # + 0.0 makes -0.0 plain
        return f"{rounded:.{digits}f}".rstrip("0").rstrip(".")

    return _NUMBER.sub(one, text)
