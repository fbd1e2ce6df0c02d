"""YAML text to names and plain values, with line numbers, the same for every reader.

A params file is read by us (YAML 1.2) and by stock papermill (PyYAML, YAML 1.1, dates
left as text). Where the two would differ, or where either would guess, the value is
refused: ``NO`` is False to one and text to the other, ``010`` is 8 or 10.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trustlib.params.problems import Problem, shown

MAX_BYTES = 256 * 1024
MAX_DEPTH = 8
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")

_NULL = re.compile(r"(?:~|null|Null|NULL|)\Z")
_TRUE = re.compile(r"(?:true|True|TRUE)\Z")
_FALSE = re.compile(r"(?:false|False|FALSE)\Z")
_INT = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})\Z")
_FLOAT = re.compile(r"(?:[-+]?[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][-+][0-9]{1,3})?\Z")
# Plain words that at least one reader takes for something else than text: YAML 1.1's other
# booleans, octal, binary, hexadecimal, sexagesimal, digits with underscores, other floats,
# infinities, the merge key and the default value.
_AMBIGUOUS = re.compile(
    r"""(?:
      yes|Yes|YES|no|No|NO|on|On|ON|off|Off|OFF
    | [-+]?\.?[0-9][0-9_,]*\.?[0-9_]*(?:[eE][-+]?[0-9]*)?
    | [-+]?0[xXoObB][0-9a-fA-F_]+
    | [-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?
    | [-+]?\.[0-9_.]+(?:[eE][-+]?[0-9]*)?
    | [-+]?\.(?:inf|Inf|INF)
    | \.(?:nan|NaN|NAN)
    | <<|=
    )\Z""",
    re.VERBOSE,
)
# Line and paragraph separators that readers of YAML 1.1 and 1.2 treat differently.
_ODD = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")

# Parts of YAML that a flat file needs not, by the parser's token.
_UNUSED = {
    "TagToken": "tags (!)",
    "AnchorToken": "anchors (&)",
    "AliasToken": "aliases (*)",
    "DirectiveToken": "directives (%)",
    "DocumentEndToken": "document marks (...)",
}
_DEEPER = {
    "FlowSequenceStartToken": 1,
    "FlowMappingStartToken": 1,
    "BlockSequenceStartToken": 1,
    "BlockMappingStartToken": 1,
    "FlowSequenceEndToken": -1,
    "FlowMappingEndToken": -1,
    "BlockEndToken": -1,
}


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One parameter as it was written.

    Attributes
    ----------
    value
        Plain value: None, bool, int, float, str, list or dict of these.
    line
        Line in the file, from 1; None for ``--set``.
    place
        ``--set name=value`` where it came from the command line.
    """

    value: Any
    line: int | None = None
    place: str | None = None


def entries(text: str) -> tuple[dict[str, Entry], list[Problem]]:
    """The top-level names of a YAML text with their values, and what is wrong with it.

    Only a flat mapping of names to plain values is accepted: no tags, anchors, aliases,
    directives or further documents, no name twice.
    """
    odd = _ODD.search(text.removeprefix("\ufeff"))
    if odd:
        line = text.count("\n", 0, odd.start()) + 1
        what = f"a control character (U+{ord(odd.group()):04X}) stands in the file"
        return {}, [Problem(what=what, line=line, next_step="delete it or save as plain UTF-8")]
    return _from_node(*_compose(text))


def _compose(text: str) -> tuple[Any, list[Problem]]:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    cure = "check quotes, colons and indentation: one `name: value` a line"
    try:
        depth = 0
        for token in YAML(typ="safe", pure=True).scan(text):
            kind = type(token).__name__
            # Counted here, because the parser's time grows with the square of the depth.
            depth += _DEEPER.get(kind, 0)
            unused = _UNUSED.get(kind) or ("deeply nested values" if depth > MAX_DEPTH else None)
            if unused:
                line = token.start_mark.line + 1
                what = f"{unused} are not used in params files"
                return None, [Problem(what=what, line=line, next_step="write plain values out")]
        return YAML(typ="safe", pure=True).compose(text), []
    except MarkedYAMLError as error:
        # Only the parser's own words: its snippet would show the value.
        mark = error.problem_mark or error.context_mark
        reason = re.sub(r"\s+", " ", str(error.problem or error.context or "not valid YAML"))
        line = mark.line + 1 if mark is not None else None
        if "'\\t'" in reason:
            reason, cure = "a tab stands where only blanks may", "write blanks instead of the tab"
        return None, [Problem(what=f"not valid YAML: {shown(reason)}", line=line, next_step=cure)]
    except (YAMLError, ValueError, TypeError, AttributeError, IndexError, OverflowError) as error:
        # The parser's own slips on malformed text count as malformed text.
        kind = type(error).__name__
        return None, [Problem(what=f"not valid YAML ({kind})", next_step=cure)]


def _from_node(node: Any, problems: list[Problem]) -> tuple[dict[str, Entry], list[Problem]]:
    found: dict[str, Entry] = {}
    if problems:
        return found, problems
    if node is None or (node.id == "scalar" and node.value == ""):
        return found, [Problem(what="the file is empty", next_step="write `name: value` lines")]
    if node.id != "mapping":
        what = "the file is not a list of `name: value` lines"
        return found, [Problem(what=what, line=node.start_mark.line + 1)]
    for key, value in node.value:
        line = key.start_mark.line + 1
        if key.id != "scalar" or not NAME.match(key.value):
            word = shown(key.value) if key.id == "scalar" else key.id
            problems.append(
                Problem(
                    what=f"{word!r} is not a parameter name",
                    line=line,
                    next_step="names are letters, digits and underscores",
                )
            )
            continue
        if key.value in found:
            first = found[key.value].line
            what = f"{shown(key.value)} is set twice, first on line {first}"
            problems.append(Problem(what=what, line=line, next_step="keep one of the two"))
            continue
        try:
            found[key.value] = Entry(value=_value(value), line=line)
        except _Unclear as unclear:
            # Kept as a name, so that it is not called missing as well.
            found[key.value] = Entry(value=UNREADABLE, line=line)
            problems.append(
                Problem(
                    what=f"{key.value}: {unclear.what}",
                    line=unclear.line,
                    next_step=unclear.next_step,
                )
            )
    return found, problems


class _Unreadable:
    """Stands for a value that was already refused."""

    def __repr__(self) -> str:
        return "unreadable"


UNREADABLE = _Unreadable()


class _Unclear(Exception):
    def __init__(self, what: str, line: int, next_step: str) -> None:
        self.what, self.line, self.next_step = what, line, next_step
        super().__init__(what)


def _value(node: Any) -> Any:
    line = node.start_mark.line + 1
    if node.id == "sequence":
        return [_value(item) for item in node.value]
    if node.id == "mapping":
        return _mapping(node)
    if node.style:
        return node.value
    return scalar(node.value, line=line)


def _mapping(node: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in node.value:
        line = key.start_mark.line + 1
        name = _value(key)
        if not isinstance(name, str):
            raise _Unclear("a key inside a value is not text", line, "quote the key")
        if name in found:
            raise _Unclear(f"key {shown(name)} is set twice", line, "keep one of the two")
        found[name] = _value(value)
    return found


def scalar(text: str, *, line: int = 0) -> Any:
    """The value of an unquoted word: null, boolean, number or text. Dates stay text."""
    if _NULL.match(text):
        return None
    if _TRUE.match(text):
        return True
    if _FALSE.match(text):
        return False
    if _INT.match(text):
        return int(text)
    if _FLOAT.match(text) and math.isfinite(float(text)):
        return float(text)
    if _AMBIGUOUS.match(text):
        raise _Unclear(
            f"{shown(text)} is read differently by different programs",
            line,
            f'write "{shown(text)}" in quotes if it is text, or a plain number or true/false',
        )
    return text


def override(argument: str) -> tuple[str, Entry, list[Problem]]:
    """One ``--set name=value``: the value is one word of YAML, or a ``[list]`` or ``{map}``.

    Text needs no quotes here: what is not null, a boolean or a number is text.
    """
    name, sign, text = argument.partition("=")
    name, text = name.strip(), text.strip()
    # The value may be a pasted secret: only the name is ever repeated.
    place = f"--set {shown(name)}=…"
    if not sign or not NAME.match(name):
        problem = Problem(
            what=f"--set needs name=value, not {shown(name)!r}",
            next_step="write for example --set level=0.9",
        )
        return name, Entry(value=UNREADABLE, place=place), [problem]
    if text[:1] in ("[", "{", '"', "'"):
        found, problems = entries(f"{name}: {text}")
        moved = [
            Problem(what=item.what, place=place, nearest=item.nearest, next_step=item.next_step)
            for item in problems
        ]
        value = found[name].value if name in found else UNREADABLE
        return name, Entry(value=value, place=place), moved
    if _ODD.search(text) or "\n" in text:
        problem = Problem(what=f"{name}: the value holds a control character", place=place)
        return name, Entry(value=UNREADABLE, place=place), [problem]
    try:
        return name, Entry(value=scalar(text), place=place), []
    except _Unclear:
        if re.match(r"[-+.0-9]", text):
            problem = Problem(
                what=f"{name}: {shown(text)} is not a plain number",
                place=place,
                next_step="write digits with at most one decimal point",
            )
            return name, Entry(value=UNREADABLE, place=place), [problem]
        return name, Entry(value=text, place=place), []


def values(found: Mapping[str, Entry]) -> dict[str, Any]:
    """Names and values without their places; what was already refused left out."""
    return {name: entry.value for name, entry in found.items() if entry.value is not UNREADABLE}
