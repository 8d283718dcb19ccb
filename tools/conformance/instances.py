"""Instances that a schema allows: the smallest, the fullest, and random ones between."""

import random
from dataclasses import dataclass

from document import Literal

# Letters of one to four UTF-8 bytes, quotes, escapes and controls: maxLength counts code points.
LETTERS = "abcXYZ019 -_.:/\\\"'\n\tß€漢ж😀𝄞e\u0301\u200b\x7f"

DATE_TIMES_VALID = [
    "2024-02-29T12:34:56Z",
    "2000-02-29T00:00:00Z",
    "0000-02-29T00:00:00Z",
    "9999-12-31T23:59:59Z",
    "2023-01-31T10:00:00.0Z",
    "2023-03-31t10:00:00z",
    "2023-05-31T10:00:00.123456789012345678901234567890Z",
    "2023-06-30T23:59:60Z",
    "1998-12-31T23:59:60.999Z",
    "1998-12-31T15:59:60-08:00",
    "1999-01-01T05:29:60+05:30",
    "2023-12-31T23:59:59+23:59",
    "2023-12-31T00:00:00-23:59",
    "2023-07-01T10:00:00+00:00",
    "2023-07-01T10:00:00-00:00",
    "2023-11-30T10:00:00.5Z",
]


@dataclass
class Mood:
    """How generous a build is: which optional fields it gives, how many items, how odd its values."""

    rng: random.Random
    optional: float = 0.0
    items_extra: int = 0
    odd: bool = False


class Shape:
    """One schema file, with its `$ref`s followed."""

    def __init__(self, schema: dict) -> None:
        self.root = schema
        self.integers_by_value = "draft-06" in schema["$schema"]

    def resolve(self, schema: dict) -> dict:
        while "$ref" in schema:
            schema = self.root["definitions"][schema["$ref"].removeprefix("#/definitions/")]
        return schema

    def sites(self, schema: dict | None = None, path: tuple = ()):
        """Every place a value may stand: its path (a key, or 0 for an item) and what it must be."""
        schema = self.resolve(self.root if schema is None else schema)
        yield path, schema
        for name, field in schema.get("properties", {}).items():
            yield from self.sites(field, (*path, name))
        if "items" in schema:
            yield from self.sites(schema["items"], (*path, 0))

    def build(self, mood: Mood, schema: dict | None = None, towards: tuple = ()):
        """An instance; what lies on the way `towards` a site is there, required or not."""
        schema = self.resolve(self.root if schema is None else schema)
        kind = schema.get("type")
        if kind == "object":
            return self.build_object(mood, schema, towards)
        if kind == "array":
            low = max(schema.get("minItems", 0), 1 if towards else 0)
            high = max(low, min(schema.get("maxItems", 1 << 20), low + mood.items_extra))
            count = mood.rng.randint(low, high)
            return [
                self.build(mood, schema["items"], towards[1:] if at == 0 else ())
                for at in range(count)
            ]
        return scalar(mood, schema, self.integers_by_value)

    def build_object(self, mood: Mood, schema: dict, towards: tuple) -> dict:
        required, built = schema.get("required", []), {}
        # Deeper objects are leaner, or a full 2.1 message would grow beyond any cap.
        leaner = Mood(mood.rng, mood.optional * 0.8, mood.items_extra, mood.odd)
        for name, field in schema.get("properties", {}).items():
            on_the_way = bool(towards) and towards[0] == name
            if name in required or on_the_way or mood.rng.random() < mood.optional:
                built[name] = self.build(leaner, field, towards[1:] if on_the_way else ())
        if mood.odd:
            names = list(built)
            mood.rng.shuffle(names)
            built = {name: built[name] for name in names}
            if schema.get("additionalProperties", True) and mood.rng.random() < 0.5:
                built.update(anything_in_an_object(mood.rng))
        return built


def scalar(mood: Mood, schema: dict, integers_by_value: bool):
    rng, kind = mood.rng, schema.get("type")
    if "enum" in schema:
        return rng.choice(schema["enum"])
    if kind == "string":
        if schema.get("format") == "date-time":
            return rng.choice(DATE_TIMES_VALID) if mood.odd else "2026-03-01T02:00:00Z"
        return text(rng, schema.get("maxLength", 40)) if mood.odd else "a"
    if kind == "boolean":
        return Literal(rng.choice(["true", "false"]))
    if kind == "integer":
        return integer(mood, schema, integers_by_value)
    if kind == "number":
        return number(mood, schema)
    return anything(rng, 2)


def text(rng: random.Random, longest: int) -> str:
    return "".join(rng.choice(LETTERS) for _ in range(rng.randint(0, min(longest, 24))))


def integer(mood: Mood, schema: dict, integers_by_value: bool) -> Literal:
    low, high = int(schema.get("minimum", -1000)), int(schema.get("maximum", 100_000))
    value = mood.rng.randint(low, high) if mood.odd else max(low, min(1, high))
    if not mood.odd or not integers_by_value:
        return Literal(value)
    spellings = [f"{value}", f"{value}", f"{value}.0", f"{value}.000", f"{value}e0", f"{value}.0E+0"]
    spellings += [f"{value}0e-1"] if value else ["0e-1", "-0"]
    return Literal(mood.rng.choice(spellings))


def number(mood: Mood, schema: dict) -> Literal:
    low, high = int(schema.get("minimum", -500)), int(schema.get("maximum", 500))
    value = mood.rng.randint(low, high) if mood.odd else max(low, min(1, high))
    if not mood.odd or value in (low, high):
        return Literal(value)
    tenth = mood.rng.randint(0, 9)
    spellings = [f"{value}", f"{value}.{tenth}", f"{value}.{tenth}0", f"{value}E0"]
    spellings += [f"{value}{tenth}e-1"] if value else ["-0.0"]
    if "multipleOf" not in schema:
        spellings += [f"{value}.{tenth}0000000000001", f"{value}.5e-3"]
    return Literal(mood.rng.choice(spellings))


def anything(rng: random.Random, depth: int):
    """Any JSON at all, shallow enough not to be a fault of its own."""
    choices = ["text", "number", "word"] + (["list", "object"] if depth else [])
    match rng.choice(choices):
        case "text":
            return text(rng, 20)
        case "number":
            return Literal(rng.choice(["0", "-0", "-1.5", "1e3", "12345678901234", "0.1", "-0.0"]))
        case "word":
            return Literal(rng.choice(["true", "false", "null"]))
        case "list":
            return [anything(rng, depth - 1) for _ in range(rng.randint(0, 3))]
        case _:
            return anything_in_an_object(rng, depth - 1)


# Names that no schema uses, in any case of their letters: keys that differ only in case are a fault
# of their own, and not a schema's matter.
STRANGE_KEYS = ["zzExtra", "x-vendor.key", "ключ", "漢字", "", "a key with spaces", "q" * 100, 'quo"te', "😀", "99"]


def anything_in_an_object(rng: random.Random, depth: int = 1) -> dict:
    keys = rng.sample(STRANGE_KEYS, rng.randint(0, 3))
    return {key: anything(rng, depth) for key in keys}
