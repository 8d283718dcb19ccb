#!/usr/bin/env python3
"""Writes `docs/reference/messages.md` from the catalogue: every action, and what each field means.

`--check` writes nothing and says whether the committed page is what the catalogue gives.
"""

import argparse
import re
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OCPP = ROOT / "crates" / "ocpp"
PAGE = ROOT / "docs" / "reference" / "messages.md"
VERSIONS = {"1.6": "v16", "2.0.1": "v201", "2.1": "v21"}
# Beyond so many actions a cell says how many instead of which.
ACTIONS_NAMED_MAX = 24

INTRODUCTION = """\
# Messages

<!-- Made by tools/messages.py from crates/ocpp/catalogue/. Not edited by hand. -->

Every OCPP message that Portcullis reads, and what each field means to it. The names, types and
limits are those of the official schemas; the senders, size caps and meanings are ours.

A message is judged field by field against this table, and what is stored, shown or asked of a
message is decided by the *meaning* of its fields: see [What the fields mean](#what-the-fields-mean).

Some fields are only as harmless as their neighbours: a `config-value` may be a password, as its key
or variable says (`AuthorizationKey`, `BasicAuthPassword`); a `token` may be a PIN, as its kind says
(`KeyCode`); `vendor-data` and `free-text` may hold anything.
"""


@dataclass
class Field:
    """One field of an object; `refers` is the object it holds, if it holds one."""

    name: str
    refers: str | None
    meaning: str = "plain"
    specificity: int = 0


@dataclass
class Version:
    """The blocks of one facts file."""

    objects: dict[str, list[Field]] = field(default_factory=dict)
    actions: dict[str, dict[str, str]] = field(default_factory=dict)

    def fields_of(self, name: str, seen: frozenset = frozenset()):
        """Every field of a message, however deep, with the object it stands in."""
        for one in self.objects[name]:
            yield name, one
            if one.refers and one.refers not in seen:
                yield from self.fields_of(one.refers, seen | {one.refers})


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    check = parser.parse_args().check
    versions = {number: read_version(stem) for number, stem in VERSIONS.items()}
    apply_meanings(versions)
    page = "\n".join([INTRODUCTION, *action_tables(versions), *meaning_tables(versions)])
    if not check:
        PAGE.parent.mkdir(parents=True, exist_ok=True)
        PAGE.write_text(page, encoding="utf-8")
    elif not PAGE.exists() or PAGE.read_text(encoding="utf-8") != page:
        print(f"{PAGE.relative_to(ROOT)} is stale; run tools/messages.py", file=sys.stderr)
        return 1
    return 0


def action_tables(versions: dict[str, Version]):
    senders = {action: who for who, *actions in lines_of("senders.facts") for action in actions}
    names = {"station": "station", "csms": "CSMS", "either": "either"}
    caps, cap_else = size_caps()
    for number, version in versions.items():
        yield f"## OCPP {number}: {len(version.actions)} actions\n"
        yield "Fields are counted through all objects inside; the cap is that of the whole message, call or answer.\n"
        yield "| action | sent by | fields asked | fields answered | size cap |"
        yield "|---|---|--:|--:|--:|"
        for action, roles in version.actions.items():
            asked = len(list(version.fields_of(roles["request"])))
            answered = len(list(version.fields_of(roles["answer"]))) if "answer" in roles else "never answered"
            cap = caps.get(action, cap_else) >> 10
            yield f"| {action} | {names[senders[action]]} | {asked} | {answered} | {cap} KiB |"
        yield ""


def size_caps() -> tuple[dict[str, int], int]:
    """The caps of `Limits::default`, by action, and the one for all others."""
    source = (OCPP / "src" / "limits.rs").read_text(encoding="utf-8")
    caps = {name: int(a) << int(b) for name, a, b in re.findall(r'\("(\w+)", (\d+) << (\d+)\)', source)}
    cap_else = re.search(r"message_bytes_max: (\d+) << (\d+)", source)
    if not caps or cap_else is None:
        sys.exit("limits.rs no longer says its caps as this tool reads them")
    return caps, int(cap_else[1]) << int(cap_else[2])


def meaning_tables(versions: dict[str, Version]):
    carried = carriers(versions)
    yield "## What the fields mean\n"
    yield "For each meaning, the fields that have it and the actions whose call or answer carries them.\n"
    for meaning, description in meanings():
        if meaning == "plain" or meaning not in carried:
            continue
        yield f"### {meaning}\n"
        yield f"{description}\n"
        yield "| field | " + " | ".join(versions) + " |"
        yield "|---|" + "---|" * len(versions)
        for (owner, name), by_version in sorted(carried[meaning].items(), key=lambda one: one[0][::-1]):
            cells = (cell(by_version.get(number, []), versions[number]) for number in versions)
            yield f"| `{name}`{owner} | " + " | ".join(cells) + " |"
        yield ""


def carriers(versions: dict[str, Version]) -> dict:
    """Meaning -> (owner, field) -> version -> the actions that carry it. Only where one name means
    several things is its owner told."""
    meanings_of = defaultdict(set)
    for version in versions.values():
        for fields in version.objects.values():
            for one in fields:
                meanings_of[one.name].add(one.meaning)
    carried = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
    for number, version in versions.items():
        for action, roles in version.actions.items():
            for message in roles.values():
                for owner, one in version.fields_of(message):
                    told = f" of {owner.rsplit('.', 1)[-1]}" if len(meanings_of[one.name]) > 1 else ""
                    actions = carried[one.meaning][told, one.name][number]
                    if action not in actions:
                        actions.append(action)
    return carried


def cell(actions: list[str], version: Version) -> str:
    if len(actions) == len(version.actions):
        return "every action"
    if len(actions) > ACTIONS_NAMED_MAX:
        return f"{len(actions)} actions"
    return ", ".join(actions)


def meanings() -> list[tuple[str, str]]:
    """Every meaning with its description, in the order of the enumeration."""
    source = (OCPP / "src" / "meaning.rs").read_text(encoding="utf-8")
    body = source[source.index("pub enum Meaning") :]
    found = re.findall(r"((?:    /// .*\n)+)    (\w+),", body)
    return [
        (
            re.sub(r"(?<!^)([A-Z])", r"-\1", name).lower(),
            " ".join(line.strip().removeprefix("/// ") for line in docs.splitlines()),
        )
        for docs, name in found
    ]


def read_version(stem: str) -> Version:
    version, block, body = Version(), None, None
    for line in (OCPP / "catalogue" / f"{stem}.facts").read_text(encoding="utf-8").splitlines():
        said = line.split("#")[0].split()
        if not said:
            continue
        if not line.startswith("  "):
            said = said[1:] if said[0] == "open" else said
            block = said[0]
            if block == "object":
                body = version.objects.setdefault(said[1], [])
            elif block == "action":
                body = version.actions.setdefault(said[1], {})
        elif block == "object":
            refers = said[-1] if said[-2] == "object" else None
            body.append(Field(said[0].removesuffix("!"), refers))
        elif block == "action":
            body[said[0]] = said[1]
    return version


def lines_of(name: str) -> list[list[str]]:
    text = (OCPP / "catalogue" / name).read_text(encoding="utf-8")
    return [said for line in text.splitlines() if (said := line.split("#")[0].split())]


def apply_meanings(versions: dict[str, Version]) -> None:
    """Gives each field the meaning of the most specific pattern that names it. That every pattern
    matches and none is said twice is the build's to check."""
    for meaning, *patterns in lines_of("meanings.facts"):
        for pattern in patterns:
            scope, _, rest = pattern.rpartition(":")
            owner, _, name = rest.rpartition(".")
            specificity = 1 + bool(scope) + 2 * (owner != "*")
            for number, version in versions.items():
                if scope in ("", number):
                    for one in named(version, owner, name):
                        if specificity > one.specificity:
                            one.meaning, one.specificity = meaning, specificity


def named(version: Version, owner: str, name: str):
    owners = version.objects if owner == "*" else [owner] if owner in version.objects else []
    return (one for object_name in owners for one in version.objects[object_name] if one.name == name)


if __name__ == "__main__":
    sys.exit(main())
