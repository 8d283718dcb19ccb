"""One official schema file, read into definitions. A keyword it does not know it refuses."""

from definitions import Definition, Refused

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
FIELDS_MAX = 64  # one bit each in the reader's mask of what it has seen


class SchemaFile:
    """One schema file, read from its root; `where` is the name of the place we are at."""

    def __init__(self, catalogue, message: str, schema: dict) -> None:
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
