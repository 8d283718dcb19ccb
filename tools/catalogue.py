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

from definitions import Definition, Refused, same
from schema_file import SchemaFile

PACKAGE_VERSION = "2.1.0"
CATALOGUE = Path(__file__).resolve().parent.parent / "crates" / "ocpp" / "catalogue"
# Version as OCPP writes it, folder of the package, file of ours, and the counts we expect to see.
VERSIONS = [("1.6", "v16", 78, 39), ("2.0.1", "v201", 128, 64), ("2.1", "v21", 181, 91)]
# OCPP 2.1's only SEND: a request that is never answered.
SENDS = {("2.1", "NotifyPeriodicEventStream")}


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
        reading = SchemaFile(self, message, load(path))
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


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Refused as refusal:
        sys.exit(f"refused: {refusal}")
