#!/usr/bin/env python3
"""Derives the facts of every OCPP message from the official JSON schemas.

Reads the schema files of the PyPI package `ocpp` (2.1.0, installed beside the running interpreter)
and writes `crates/ocpp/catalogue/{v16,v201,v21}.facts` in the form that the README there describes.
With `--check` nothing is written: it says whether the committed files are what the schemas give.

What the tool does not understand it refuses. A keyword skipped here would be a limit that the
reader does not hold.
"""

import argparse
import json
import sys
from importlib import metadata, util
from pathlib import Path

PACKAGE_VERSION = "2.1.0"
CATALOGUE = Path(__file__).resolve().parent.parent / "crates" / "ocpp" / "catalogue"
# Version as OCPP writes it, folder of the package, file of ours, and the counts we expect to see.
VERSIONS = [("1.6", "v16", 78, 39), ("2.0.1", "v201", 128, 64), ("2.1", "v21", 181, 91)]
# OCPP 2.1's only SEND: a request that is never answered.
SENDS = {("2.1", "NotifyPeriodicEventStream")}
FIELDS_MAX = 64  # one bit each in the reader's mask of what it has seen

DRAFT_04 = "http://json-schema.org/draft-04/schema#"
DRAFT_06 = "http://json-schema.org/draft-06/schema#"
# Keywords that say nothing about an instance.
ANNOTATIONS = {"$schema", "$id", "id", "title", "description", "comment", "javaType", "default"}
# Keywords that each type may carry. `additionalProperties` says nothing about a string and
# `additionalItems` nothing about an array whose `items` is one schema: the official files write
# both where they are idle, so they are allowed there and nowhere else.
KEYWORDS = {
    "string": {"type", "enum", "maxLength", "format", "additionalProperties"},
    "integer": {"type", "minimum", "maximum"},
    "number": {"type", "minimum", "maximum", "multipleOf"},
    "boolean": {"type"},
    "array": {"type", "items", "minItems", "maxItems", "additionalItems"},
    "object": {"type", "properties", "required", "additionalProperties", "definitions"},
}


class Refused(Exception):
    """A schema says something that the catalogue has no words for."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    check = parser.parse_args().check
    stale = []
    for version, folder, files_expected, actions_expected in VERSIONS:
        catalogue = Catalogue(version)
        files = schema_files(folder)
        if len(files) != files_expected:
            raise Refused(f"{folder}: {len(files)} schema files, expected {files_expected}")
        for path in files:
            catalogue.add_file(path)
        text = catalogue.text()
        if len(catalogue.actions) != actions_expected:
            raise Refused(f"{version}: {len(catalogue.actions)} actions, expected {actions_expected}")
        target = CATALOGUE / f"{folder}.facts"
        if not check:
            target.write_text(text, encoding="utf-8")
        elif not target.exists() or target.read_text(encoding="utf-8") != text:
            stale.append(target.name)
        print(f"{folder}: {len(files)} files, {catalogue.summary()}")
    if stale:
        print(f"not what the schemas give: {', '.join(stale)}; run tools/catalogue.py", file=sys.stderr)
    return 1 if stale else 0


def schema_files(folder: str) -> list[Path]:
    """The schema files of one version, in the order of their names."""
    installed = metadata.version("ocpp")
    if installed != PACKAGE_VERSION:
        raise Refused(f"the package ocpp is {installed}, the catalogue is of {PACKAGE_VERSION}")
    spec = util.find_spec("ocpp")
    if spec is None or spec.origin is None:
        raise Refused("the package ocpp is not installed beside this interpreter")
    return sorted((Path(spec.origin).parent / folder / "schemas").glob("*.json"))


def load(path: Path) -> dict:
    """One schema file. Some begin with a byte order mark."""
    return json.loads(path.read_text(encoding="utf-8-sig"))


class Catalogue:
    """All that the schema files of one version say."""

    def __init__(self, version: str) -> None:
        self.version = version
        # Name of the definition -> its different contents, in the order they were met.
        self.definitions: dict[str, list[Definition]] = {}
        # Objects and choices that have no name of their own: named after where they stand.
        self.inline: list[Definition] = []
        self.actions: dict[str, dict[str, Definition]] = {}

    def add_file(self, path: Path) -> None:
        stem = path.stem
        action = stem.removesuffix("Request").removesuffix("Response")
        role = "answer" if stem.endswith("Response") else "request"
        is_send = (self.version, action) in SENDS
        message = stem if is_send or role == "answer" else action + "Request"
        reading = File(self, message, load(path))
        self.actions.setdefault(action, {})[role] = reading.root()

    def share(self, name: str, body: tuple, message: str) -> "Definition":
        """The definition of that name and content, the same one for every message that has it."""
        variants = self.definitions.setdefault(name, [])
        for definition in variants:
            if same(definition.body, body):
                definition.uses += 1
                return definition
        variants.append(Definition(name, body, message))
        return variants[-1]

    def name_variants(self) -> list["Definition"]:
        """Where one name has several contents, the commonest keeps it; the others are named after
        the first message that has them. Gives back those renamed."""
        renamed = []
        for name, variants in self.definitions.items():
            commonest = max(variants, key=lambda definition: definition.uses)
            for definition in variants:
                if definition is not commonest:
                    definition.name = f"{definition.message}.{name}"
                    renamed.append(definition)
        return renamed

    def all_definitions(self) -> list["Definition"]:
        shared = [one for variants in self.definitions.values() for one in variants]
        everything = sorted(shared + self.inline, key=lambda one: (one.body[0], one.name))
        names = [one.name for one in everything]
        if len(set(names)) != len(names):
            raise Refused(f"{self.version}: two definitions share a name")
        return everything

    def summary(self) -> str:
        kinds = [one.body[0] for one in self.all_definitions()]
        renamed = sum(len(variants) - 1 for variants in self.definitions.values())
        return (
            f"{len(self.actions)} actions, {kinds.count('object')} objects, "
            f"{kinds.count('choice')} choices, {renamed} renamed for their content"
        )

    def text(self) -> str:
        renamed = self.name_variants()
        lines = [
            f"# Made by tools/catalogue.py from the official schemas (PyPI: ocpp {PACKAGE_VERSION}).",
            "# Not edited by hand.",
        ]
        for definition in renamed:
            plain = definition.name.removeprefix(f"{definition.message}.")
            lines.append(f"# {definition.name}: unlike the {plain} of other messages.")
        blocks = ["\n".join(lines), f"version {self.version}"]
        blocks += [definition.block() for definition in self.all_definitions()]
        for action, roles in sorted(self.actions.items()):
            is_send = (self.version, action) in SENDS
            if set(roles) != ({"request"} if is_send else {"request", "answer"}):
                raise Refused(f"{self.version} {action} has {sorted(roles)}")
            block = [f"action {action}", f"  request  {roles['request'].name}"]
            if not is_send:
                block.append(f"  answer   {roles['answer'].name}")
            blocks.append("\n".join(block))
        return "\n\n".join(blocks) + "\n"


class Definition:
    """An object or a choice, and how often it is used.

    A choice's body is ("choice", values); an object's is ("object", open, fields), each field being
    (name, required, kind). A kind is a string, a Definition, or ("list", bounds, kind).
    """

    def __init__(self, name: str, body: tuple, message: str) -> None:
        self.name, self.body, self.message, self.uses = name, body, message, 1

    def block(self) -> str:
        if self.body[0] == "choice":
            return "\n".join([f"choice {self.name}"] + [f"  {value}" for value in self.body[1]])
        _, is_open, fields = self.body
        keys = [name + ("!" if required else "") for name, required, _ in fields]
        width = max((len(key) for key in keys), default=0)
        lines = [("open " if is_open else "") + f"object {self.name}"]
        for key, (_, _, kind) in zip(keys, fields):
            lines.append(f"  {key:<{width}}  {words(kind)}")
        return "\n".join(lines)


def words(kind) -> str:
    """A kind as the facts file writes it."""
    if isinstance(kind, Definition):
        return f"{kind.body[0]} {kind.name}"
    if isinstance(kind, tuple):
        return f"list {kind[1]} {words(kind[2])}"
    return kind


def same(one, other) -> bool:
    """Whether two bodies or kinds say the same; neither the order of the fields nor that of an
    enumeration's values says anything."""
    if isinstance(one, Definition) and isinstance(other, Definition):
        return one is other or same(one.body, other.body)
    if not (isinstance(one, tuple) and isinstance(other, tuple)):
        return one == other
    if one[0] != other[0] or len(one) != len(other):
        return False
    if one[0] == "choice":
        return set(one[1]) == set(other[1])
    if one[0] == "list":
        return one[1] == other[1] and same(one[2], other[2])
    mine, theirs = ({name: rest for name, *rest in body[2]} for body in (one, other))
    return (
        one[1] == other[1]
        and mine.keys() == theirs.keys()
        and all(
            required == theirs[name][0] and same(kind, theirs[name][1])
            for name, (required, kind) in mine.items()
        )
    )


class File:
    """One schema file, read from its root; `where` is the name of the place we are at."""

    def __init__(self, catalogue: Catalogue, message: str, schema: dict) -> None:
        self.catalogue, self.message, self.schema = catalogue, message, schema
        if schema.get("$schema") not in (DRAFT_04, DRAFT_06):
            raise Refused(f"{message}: declares {schema.get('$schema')}")
        self.integer = "integer" if schema["$schema"] == DRAFT_04 else "whole"
        self.following: list[str] = []

    def root(self) -> Definition:
        if self.schema.get("type") != "object":
            raise Refused(f"{self.message}: not an object")
        return self.inline(self.message, self.body(self.schema, self.message, at_root=True))

    def kind(self, schema: dict, where: str):
        if "$ref" in schema:
            # Beside a $ref every other keyword is ignored in these drafts.
            if schema.keys() - ANNOTATIONS != {"$ref"}:
                raise Refused(f"{where}: {sorted(schema)}")
            return self.definition(schema["$ref"], where)
        if schema.get("type") == "object" or "enum" in schema:
            return self.inline(where, self.body(schema, where))
        return self.simple(schema, where)

    def definition(self, ref: str, where: str):
        """What a `$ref` names: objects and choices are shared, anything else is said in place."""
        name = ref.removeprefix("#/definitions/")
        schema = self.schema.get("definitions", {}).get(name)
        if schema is None or name in self.following:
            raise Refused(f"{where}: {ref} leads nowhere, or in a circle")
        if schema.get("type") != "object" and "enum" not in schema:
            return self.kind(schema, name)
        self.following.append(name)
        body = self.body(schema, f"{self.message}.{name}")
        self.following.pop()
        return self.catalogue.share(name, body, self.message)

    def inline(self, where: str, body: tuple) -> Definition:
        if self.following:
            raise Refused(f"{where}: has no name of its own, inside a definition that is shared")
        definition = Definition(where, body, self.message)
        self.catalogue.inline.append(definition)
        return definition

    def body(self, schema: dict, where: str, at_root: bool = False) -> tuple:
        kind = schema.get("type")
        self.only_known(schema, kind, where)
        if "definitions" in schema and not at_root:
            raise Refused(f"{where}: definitions inside")
        if "enum" in schema:
            return self.choice(schema, where)
        open_word = schema.get("additionalProperties", True)
        if open_word not in (True, False):
            raise Refused(f"{where}: additionalProperties is a schema")
        properties, required = schema.get("properties", {}), schema.get("required", [])
        if len(properties) > FIELDS_MAX:
            raise Refused(f"{where}: {len(properties)} fields, at most {FIELDS_MAX}")
        if not set(required) <= properties.keys():
            raise Refused(f"{where}: requires what it does not name")
        fields = [
            (name, name in required, self.kind(field, f"{where}.{name}"))
            for name, field in properties.items()
        ]
        return ("object", open_word, fields)

    def choice(self, schema: dict, where: str) -> tuple:
        values = schema["enum"]
        if schema["type"] != "string" or "format" in schema:
            raise Refused(f"{where}: an enumeration that is not plain strings")
        if not all(isinstance(value, str) and value and not set(value) & set(" \t\r\n#") for value in values):
            raise Refused(f"{where}: a value that the facts file cannot write: {values}")
        if any(len(value) > schema.get("maxLength", len(value)) for value in values):
            raise Refused(f"{where}: a value longer than maxLength")
        return ("choice", list(dict.fromkeys(values)))

    def simple(self, schema: dict, where: str):
        kind = schema.get("type")
        if kind is None:
            if schema.keys() - ANNOTATIONS:
                raise Refused(f"{where}: no type, but {sorted(schema)}")
            return "any"
        self.only_known(schema, kind, where)
        if kind == "string":
            return self.string(schema, where)
        if kind == "array":
            if not isinstance(schema.get("items"), dict):
                raise Refused(f"{where}: items is not one schema")
            bounds = f"{schema.get('minItems', 0)}..{schema.get('maxItems', '')}"
            return ("list", bounds, self.kind(schema["items"], where))
        if kind == "boolean":
            return kind
        return self.numeric(schema, where)

    def numeric(self, schema: dict, where: str) -> str:
        said = [self.integer if schema["type"] == "integer" else "number"]
        low, high = schema.get("minimum"), schema.get("maximum")
        if low is not None or high is not None:
            said.append(f"{bound(low, where)}..{bound(high, where)}")
        if "multipleOf" in schema:
            if schema["multipleOf"] != 0.1:
                raise Refused(f"{where}: a multiple of {schema['multipleOf']}")
            said.append("step 0.1")
        return " ".join(said)

    def string(self, schema: dict, where: str) -> str:
        form = schema.get("format")
        if form not in (None, "date-time", "uri"):
            raise Refused(f"{where}: format {form}")
        # A URI stays text: the schemas' `format: uri` is an annotation, and stations write what they
        # like; the meaning `url` makes policy look.
        said = "datetime" if form == "date-time" else "text"
        return f"{said} {schema['maxLength']}" if "maxLength" in schema else said

    def only_known(self, schema: dict, kind, where: str) -> None:
        if not isinstance(kind, str) or kind not in KEYWORDS:
            raise Refused(f"{where}: type {kind}")
        strange = schema.keys() - ANNOTATIONS - KEYWORDS[kind]
        if kind == "string" and "enum" not in schema:
            strange |= schema.keys() & {"additionalProperties"}
        if strange:
            raise Refused(f"{where}: {sorted(strange)}")


def bound(value, where: str) -> str:
    """A bound as the facts file writes it: 1 rather than 1.0."""
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != int(value):
        raise Refused(f"{where}: the bound {value}")
    return str(int(value))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Refused as refusal:
        sys.exit(f"refused: {refusal}")
