"""Ways to change one value of an instance: most break it, some only look as if they did.

A mutation is a label and a function from the value that stands at a site to the one put there. None
of them states a verdict: the oracle judges the text.
"""

import random
from collections.abc import Callable, Iterator

from document import EscapedKey, Literal
from instances import DATE_TIMES_VALID, STRANGE_KEYS, anything

Mutation = tuple[str, Callable]
ABSENT = object()

DATE_TIMES_BAD = [
    "", "Z", "2024", "2024-02-29", "12:34:56Z", "2023-02-29T12:00:00Z", "1900-02-29T12:00:00Z",
    "2023-04-31T12:00:00Z", "2023-06-31T12:00:00Z", "2023-09-31T12:00:00Z", "2023-11-31T12:00:00Z",
    "2024-02-30T12:00:00Z", "2023-01-32T12:00:00Z", "2023-00-10T12:00:00Z", "2023-13-10T12:00:00Z",
    "2023-01-00T12:00:00Z", "2023-01-10T24:00:00Z", "2023-01-10T12:60:00Z", "2023-01-10T12:00:61Z",
    "2023-06-30T23:58:60Z", "2023-06-30T22:59:60Z", "2023-06-30T12:00:60Z", "1998-12-31T23:59:60-08:00",
    "1998-12-31T23:59:60+00:01", "2023-01-10T12:00:00", "2023-01-10T12:00:00+24:00",
    "2023-01-10T12:00:00-24:00", "2023-01-10T12:00:00+23:60", "2023-01-10T12:00:00+0100",
    "2023-01-10T12:00:00+01", "2023-01-10T12:00:00 Z", "2023-01-10 12:00:00Z", "2023-01-10_12:00:00Z",
    "2023-01-10T12:00Z", "2023-01-10T12Z", "2023-01-10T12:00:00.Z", "2023-01-10T12:00:00,5Z",
    "2023-01-10T12:00:00.5.5Z", "2023-1-10T12:00:00Z", "2023-01-1T12:00:00Z", "23-01-10T12:00:00Z",
    "12023-01-10T12:00:00Z", "+2023-01-10T12:00:00Z", "-2023-01-10T12:00:00Z", "20230110T120000Z",
    "2023-W02-2T12:00:00Z", "2023-010T12:00:00Z", "2023/01/10T12:00:00Z", " 2023-01-10T12:00:00Z",
    "2023-01-10T12:00:00Z ", "2023-01-10T12:00:00Z\n", "2023-01-10T12:00:00ZZ", "2023-01-10T12:00:00z+00:00",
    "２023-01-10T12:00:00Z", "2023-01-10T12:00:0٠Z", "2023-01-10T12:00:00\u2212" + "01:00",
    "2023-01-10T12:00:00.5", "2023-01-10T12:00:00\u212a", "2023-01-10T1:00:00Z", "2023-01-10T12:0a:00Z",
    "2023-01-10T-1:00:00Z", "2023-01-10T12:00:00+-1:00", "1673352000", "Tue, 10 Jan 2023 12:00:00 GMT",
]  # fmt: skip
INTEGERS = [
    "0", "-0", "-1", "2147483648", "-9007199254740991", "9007199254740991", "1.0", "-1.0", "0.0", "-0.0",
    "1e2", "1E+2", "100e-2", "10e-1", "1.5", "15e-1", "1e-1", "0.5", "-0.5", "1.50e1", "1.55e1", "0e5", "0e-5",
    "2.000000000000000000000000001", "2.000000000000000000000000000", "1e-400", "-1e-400", "0e400", "-0E-0",
]  # fmt: skip
TENTHS = [
    "0.1", "0.3", "0.30000000000000004", "0.25", "1e-1", "1e-2", "10", "1.10", "1.01", "-0.1", "-0.15", "16.0",
    "16.000000000000001", "2.5e1", "25e-2", "20e-2", "0.0", "-0.0", "0e-9", "1.234e2", "1.2345e2", "1234567.8",
    "1234567.89", "0.10000000000000001", "0.1000000000000000000000000000", "4503599627370496.1",
]  # fmt: skip
# One value of each JSON type, for the fields that want another.
OF_EACH_TYPE = {
    "string": "a word", "number": Literal("1"), "fraction": Literal("1.5"), "boolean": Literal("true"),
    "null": Literal("null"), "array": [], "object": {}, "text of a number": "1", "text of a word": "true",
    "list around": ["x"],
}  # fmt: skip


def mutations(schema: dict, rng: random.Random) -> Iterator[Mutation]:
    """What can be done to a value that this schema is to judge."""
    for name, value in OF_EACH_TYPE.items():
        yield f"type: {name}", put(value)
    kind = schema.get("type")
    if "enum" in schema:
        yield from choices(schema["enum"], rng)
    elif schema.get("format") == "date-time":
        for said in DATE_TIMES_BAD + DATE_TIMES_VALID:
            yield f"date-time: {said!r}", put(said)
    elif kind == "string":
        yield from texts(schema.get("maxLength"))
    elif kind == "integer":
        for said in INTEGERS + at_bounds(schema):
            yield f"integer: {said}", put(Literal(said))
    elif kind == "number":
        for said in (TENTHS if "multipleOf" in schema else rng.sample(INTEGERS + TENTHS, 12)) + at_bounds(schema):
            yield f"number: {said}", put(Literal(said))
    elif kind == "array":
        yield from (only(list, *way) for way in arrays(schema))
    elif kind == "object":
        yield from (only(dict, *way) for way in objects(schema, rng))


def put(value) -> Callable:
    return lambda _old: value


def only(kind: type, label: str, change: Callable) -> Mutation:
    """The mutation, where such a value still stands: an earlier one may have replaced it."""
    return label, lambda old: change(old) if isinstance(old, kind) else ABSENT


def texts(longest: int | None) -> Iterator[Mutation]:
    yield "text: empty", put("")
    if longest is None:
        yield "text: long, unbounded", put("x" * 3000)
        return
    yield "text: exactly max", put("x" * longest)
    yield "text: max + 1", put("x" * (longest + 1))
    if longest <= 1000:
        for name, one in (("2 bytes", "é"), ("3 bytes", "漢"), ("4 bytes", "😀")):
            yield f"text: exactly max, {name} each", put(one * longest)
            yield f"text: max + 1, {name} each", put(one * (longest + 1))
        yield "text: exactly max, escaped", put(Literal('"' + "\\u00e9" * longest + '"'))
        yield "text: max + 1, escaped", put(Literal('"' + "\\n" * (longest + 1) + '"'))
        yield "text: exactly max, surrogate pairs", put(Literal('"' + "\\ud83d\\ude00" * longest + '"'))
        yield "text: max + 1, surrogate pairs", put(Literal('"' + "\\uD83D\\uDE00" * (longest + 1) + '"'))
        yield "text: one wide beyond max", put("x" * longest + "漢")
        yield "text: combining, max + 1", put("e" * longest + "\u0301")


def choices(values: list[str], rng: random.Random) -> Iterator[Mutation]:
    one = rng.choice(values)
    for name, said in (
        ("unknown", "NoSuchValue"), ("empty", ""), ("upper case", one.upper()), ("lower case", one.lower()),
        ("one letter more", one + "s"), ("one letter less", one[:-1]), ("space after", one + " "),
        ("space before", " " + one), ("two values", "".join(values[:2])), ("look-alike", one.replace("e", "е") + "е"),
        ("long", one * 50),
    ):  # fmt: skip
        yield f"choice: {name}", put(said)
    yield "choice: escaped", put(Literal('"' + f"\\u{ord(one[0]):04x}" + one[1:] + '"'))
    for value in rng.sample(values, min(len(values), 6)):
        yield f"choice: {value}", put(value)


def at_bounds(schema: dict) -> list[str]:
    bounds = [int(schema[key]) for key in ("minimum", "maximum") if key in schema]
    return [said for bound in bounds for said in around(bound)]


def around(bound: int) -> list[str]:
    """A bound in several spellings, and what lies just below and above it."""
    said = [f"{bound}", f"{bound}.0", f"{bound - 1}", f"{bound + 1}", f"{bound}e0", f"{bound}.1", f"-{bound}.1"]
    said += [f"{bound}.00000000000000000000001", f"-{bound}.00000000000000000001"]
    return said + ([f"{bound - 1}.99999999999999999999999"] if bound > 0 else [])


def arrays(schema: dict) -> Iterator[Mutation]:
    low, high = schema.get("minItems", 0), schema.get("maxItems")
    yield "array: empty", put([])
    yield "array: a null inside", lambda old: [*old, Literal("null")]
    yield "array: an array inside", lambda old: [*old, []]
    yield "array: a wrong item first", lambda old: [Literal("1.5"), *old]
    if low > 0:
        yield "array: one below min", lambda old: repeated(old, low - 1)
    for count in [2, 7] if high is None else [high - 1, high, high + 1]:
        if count >= low:
            yield f"array: {count} items", lambda old, count=count: repeated(old, count)


def repeated(items: list, count: int) -> list:
    return [items[at % len(items)] for at in range(count)] if items else items


def objects(schema: dict, rng: random.Random) -> Iterator[Mutation]:
    for name in schema.get("properties", {}):
        yield f"object: without {name}", lambda old, name=name: {k: v for k, v in old.items() if k != name}
        yield f"object: {name} in another case", lambda old, name=name: renamed(old, name, swapped(name))
        yield f"object: {name} escaped", lambda old, name=name: renamed(old, name, EscapedKey(name))
        yield f"object: {name} with a space", lambda old, name=name: renamed(old, name, name + " ")
        yield f"object: {name} null", lambda old, name=name: {**old, name: Literal("null")}
    for key in rng.sample(STRANGE_KEYS, 4):
        yield f"object: unknown key {key[:12]!r}", lambda old, key=key: {**old, key: anything(rng, 1)}
    yield "object: unknown key first", lambda old: {"zzFirst": Literal("null"), **old}
    yield "object: 64 unknown keys", lambda old: {**old, **{f"zz{at}": Literal("1") for at in range(64)}}
    yield "object: reversed", lambda old: dict(reversed(old.items()))


def renamed(old: dict, name: str, new: str) -> dict:
    return {new if key == name else key: value for key, value in old.items()}


def swapped(name: str) -> str:
    return name[0].swapcase() + name[1:]


def apply(document, path: tuple, change: Callable):
    """The document with the value at that path changed; `ABSENT` when nothing stands there."""
    if not path:
        return change(document)
    step, *rest = path
    if isinstance(step, str) and isinstance(document, dict) and step in document:
        changed = apply(document[step], tuple(rest), change)
        return ABSENT if changed is ABSENT else {**document, step: changed}
    if step == 0 and isinstance(document, list) and document:
        changed = apply(document[0], tuple(rest), change)
        return ABSENT if changed is ABSENT else [changed, *document[1:]]
    return ABSENT
