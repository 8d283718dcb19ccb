"""What the official schemas say of a payload: the other opinion our reader is held to.

The validator is jsonschema with the draft that each file declares. Three things are pinned down,
because drafts and libraries leave them open: numbers are judged as they are written, in decimal;
`format: date-time` is asserted, by RFC 3339; no other format is.
"""

import decimal
import json
from importlib import util
from pathlib import Path

from jsonschema import FormatChecker, validators

from rfc3339 import is_date_time

# Room for every digit we write: a remainder must not fail, nor a comparison round.
decimal.getcontext().prec = 200


def schema_files() -> list[tuple[str, Path]]:
    """Every schema file of the installed package, with the version it belongs to."""
    root = Path(util.find_spec("ocpp").origin).parent
    folders = {"1.6": "v16", "2.0.1": "v201", "2.1": "v21"}
    return [
        (version, path)
        for version, folder in folders.items()
        for path in sorted((root / folder / "schemas").glob("*.json"))
    ]


def read_json(text: str):
    """JSON with its numbers exact: an integer where it is written as one, a decimal otherwise."""
    return json.loads(text, parse_float=decimal.Decimal)


def load(path: Path) -> dict:
    return read_json(path.read_text(encoding="utf-8-sig"))


def validator(schema: dict):
    """The validator of the draft that the schema declares."""
    declared = validators.validator_for(schema, default=None)
    is_draft_04 = schema["$schema"] == "http://json-schema.org/draft-04/schema#"
    checker = declared.TYPE_CHECKER.redefine("number", is_number).redefine(
        "integer", is_integer_04 if is_draft_04 else is_integer_06
    )
    formats = FormatChecker(formats=())
    formats.checks("date-time")(lambda value: not isinstance(value, str) or is_date_time(value))
    return validators.extend(declared, type_checker=checker)(schema, format_checker=formats)


def is_number(_checker, value) -> bool:
    return isinstance(value, (int, decimal.Decimal)) and not isinstance(value, bool)


def is_integer_04(_checker, value) -> bool:
    # Draft-04, 3.5: "a JSON number without a fraction or exponent part".
    return isinstance(value, int) and not isinstance(value, bool)


def is_integer_06(_checker, value) -> bool:
    # Draft-06, 6.25: "any number with a zero fractional part".
    return is_number(None, value) and value == value // 1
