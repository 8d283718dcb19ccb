"""JSON documents before they are text: values whose spelling is ours to choose.

A `Literal` is written as it stands, so that 1, 1.0 and 1e0 stay three different texts; an
`EscapedKey` is the same key as its plain spelling, written with an escape.
"""

import random
from dataclasses import dataclass


class Literal(str):
    """A scalar in its JSON spelling: a number, a boolean, null, or a string with its quotes."""


class EscapedKey(str):
    """A key whose first character is written as an escape."""


@dataclass
class Style:
    """How a document is spelled; none of it may change a verdict."""

    rng: random.Random
    spaces: bool = False
    escapes: bool = False


def write(value, style: Style) -> str:
    if isinstance(value, Literal):
        return str(value)
    if isinstance(value, str):
        return quote(value, style)
    if isinstance(value, list):
        items = (gap(style) + write(item, style) + gap(style) for item in value)
        return "[" + ",".join(items) + "]" if value else "[" + gap(style) + "]"
    if not value:
        return "{" + gap(style) + "}"
    members = (
        f"{gap(style)}{quote(key, style)}{gap(style)}:{gap(style)}{write(item, style)}{gap(style)}"
        for key, item in value.items()
    )
    return "{" + ",".join(members) + "}"


def gap(style: Style) -> str:
    if not style.spaces or style.rng.random() < 0.6:
        return ""
    return style.rng.choice([" ", "  ", "\n", "\t", "\r\n", " \n\t "])


SHORT_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"}


def quote(text: str, style: Style) -> str:
    letters = [letter(one, style) for one in text]
    if isinstance(text, EscapedKey) and text:
        letters[0] = as_escape(text[0])
    return '"' + "".join(letters) + '"'


def letter(one: str, style: Style) -> str:
    if style.escapes and style.rng.random() < 0.3:
        return "\\/" if one == "/" and style.rng.random() < 0.5 else as_escape(one)
    if one in SHORT_ESCAPES:
        return SHORT_ESCAPES[one]
    return as_escape(one) if one < " " else one


def as_escape(one: str) -> str:
    """`\\uXXXX`, or two of them for a character outside the basic plane."""
    units = one.encode("utf-16-be")
    pairs = (units[at : at + 2].hex() for at in range(0, len(units), 2))
    return "".join("\\u" + pair for pair in pairs)
