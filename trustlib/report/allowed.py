"""The page's vocabulary: what the gate lets through, and nothing else.

Tags, attributes, classes, forms of URL and SVG style properties. A construct that is not
named here does not reach a page, whatever it is.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_TEXT_TAGS = _words(
    "a abbr b blockquote br caption cite code col colgroup dd del details div dl dt em figcaption "
    "figure h1 h2 h3 h4 h5 h6 hr i img ins kbd li mark ol p pre q s samp section small span strong "
    "sub summary sup table tbody td tfoot th thead time tr u ul var"
)
_SVG_TAGS = _words(
    "svg g defs path use clipPath rect circle ellipse line polyline polygon text tspan image "
    "linearGradient radialGradient stop pattern"
)
# These go with what they contain; any other unknown tag loses the tag and keeps its text.
_DROPPED_WHOLE = _words(
    "script style title desc metadata template iframe frame frameset object embed applet noscript "
    "noembed noframes textarea select option button math foreignObject annotation-xml audio video "
    "canvas dialog map portal xmp animate animateTransform animateMotion set"
)
CLASSES = _words(
    "headline figure interval strip pass warn fail not_run ask finding expect n scroll note muted "
    "wide narrow dataframe key small text bullets xtick"
)
_SVG_NUMBERS = _words(
    "x y x1 y1 x2 y2 cx cy r rx ry dx dy d points width height viewBox preserveAspectRatio "
    "transform rotate offset opacity fill fill-opacity fill-rule stroke stroke-width "
    "stroke-opacity stroke-linecap stroke-linejoin stroke-dasharray stroke-dashoffset "
    "stroke-miterlimit clip-path clip-rule font-size font-weight font-style text-anchor "
    "dominant-baseline stop-color stop-opacity gradientUnits gradientTransform patternUnits "
    "patternTransform clipPathUnits"
)
_STYLES = _words(
    "fill fill-opacity fill-rule stroke stroke-width stroke-opacity stroke-linecap stroke-linejoin "
    "stroke-dasharray stroke-dashoffset stroke-miterlimit opacity font-size font-weight font-style "
    "text-anchor dominant-baseline clip-path clip-rule stop-color stop-opacity paint-order "
    "display"
)
_ATTRIBUTES: dict[str, set[str]] = {
    "*": {"class", "id", "role", "aria-label", "aria-hidden"},
    "a": {"href", "download"},
    "img": {"src", "alt", "width", "height"},
    "th": {"scope", "colspan", "rowspan"},
    "td": {"colspan", "rowspan"},
    "col": {"span"},
    "colgroup": {"span"},
    "ol": {"start"},
    "time": {"datetime"},
    "abbr": {"title"},
    "details": {"open"},
} | {tag: set(_SVG_NUMBERS) | {"style"} for tag in _SVG_TAGS}
_ATTRIBUTES["use"] |= {"href", "xlink:href"}
_ATTRIBUTES["image"] |= {"href", "xlink:href"}
for _gradient in ("linearGradient", "radialGradient", "pattern"):
    _ATTRIBUTES[_gradient] |= {"href", "xlink:href"}

_ID = re.compile(r"[A-Za-z_][\w.:-]{0,99}")
_LINK = re.compile(r"(?:https?://[^\s\"'<>\\]+|mailto:[^\s\"'<>\\]+|#[\w.:-]+)", re.IGNORECASE)
_CSV = re.compile(r"data:text/csv(?:;charset=utf-8)?(?:;base64)?,[^\s\"'<>\\]*")
_IMAGE = re.compile(r"data:image/(?:png|jpeg);base64,[A-Za-z0-9+/\s]+={0,2}\s*")
_PLAIN = re.compile(r"[\w\s.,#%()+-]*")
_FRAGMENT = re.compile(r"#[\w.:-]+")
_LOCAL_URL = re.compile(r"url\(['\"]?#([\w.:-]+)['\"]?\)")
_VALUE = re.compile(
    r"(?:[\w\s.,#%+-]|(?:var|rgb|rgba|hsl|hsla)\([\w\s.,#%+/-]*\)|url\(#[\w.:-]+\))+"
)
_DIGITS = {"width", "height", "colspan", "rowspan", "span", "start"}
_WORDS = {
    "scope": {"col", "row", "colgroup", "rowgroup"},
    "role": {"img", "note", "group", "presentation", "list"},
    "aria-hidden": {"true", "false"},
    "open": {""},
}


def _style(value: str) -> str | None:
    """The declarations of an SVG element that only paint, in their order."""
    kept = []
    for declaration in value.split(";"):
        name, _, setting = declaration.partition(":")
        name, setting = name.strip().lower(), _LOCAL_URL.sub(r"url(#\1)", setting.strip())
        if name in _STYLES and _VALUE.fullmatch(setting):
            kept.append(f"{name}:{setting}")
    return ";".join(kept) or None


def _attribute(tag: str, name: str, value: str) -> str | None:
    """nh3's callback: the value as it may stand, or None to leave the attribute out."""
    svg = tag in _SVG_TAGS
    if name == "class":
        return " ".join(word for word in value.split() if word in CLASSES) or None
    if name == "id":
        return value if _ID.fullmatch(value) else None
    if name == "style":
        return _style(value) if svg else None
    if name == "href":
        return _href(tag, value.strip())
    if name == "src":
        return "".join(value.split()) if _IMAGE.fullmatch(value) else None
    if name == "download":
        return re.sub(r"[^\w.-]+", "-", value)[-80:].strip(".-") or "data.csv"
    if name in _WORDS:
        return value if value in _WORDS[name] else None
    if name in _DIGITS and not svg:
        return value if re.fullmatch(r"\d{1,4}", value) else None
    if svg and name in _SVG_NUMBERS:
        value = _LOCAL_URL.sub(r"url(#\1)", value)
        whole = re.fullmatch(r"url\(#[\w.:-]+\)|var\([\w\s.,#-]*\)", value)
        return value if whole or (_PLAIN.fullmatch(value) and "url" not in value.lower()) else None
    return value  # text that the browser never interprets: alt, aria-label, title, datetime


def _href(tag: str, value: str) -> str | None:
    if tag == "a":
        return value if _LINK.fullmatch(value) or _CSV.fullmatch(value) else None
    if tag == "image":
        return "".join(value.split()) if _IMAGE.fullmatch(value) else None
    return value if _FRAGMENT.fullmatch(value) else None


@cache
def _cleaner() -> Any:
    import nh3

    return nh3.Cleaner(
        tags=set(_TEXT_TAGS | _SVG_TAGS),
        clean_content_tags=set(_DROPPED_WHOLE),
        attributes=_ATTRIBUTES,
        attribute_filter=_attribute,
        url_schemes={"http", "https", "mailto", "data"},
        link_rel="noopener noreferrer",
    )


def allow(fragment: str) -> str:
    """`fragment` through the allow-list, in canonical form."""
    return str(_cleaner().clean(fragment))


def allow_inline(fragment: str) -> str:
    """Text-level markup only, for headings: no blocks, links, figures, classes or ids."""
    return str(_inline_cleaner().clean(fragment)).strip()


@cache
def _inline_cleaner() -> Any:
    import nh3

    return nh3.Cleaner(
        tags=set(_words("em strong b i code sub sup span")),
        clean_content_tags=set(_DROPPED_WHOLE),
        attributes={},
        link_rel=None,
    )
