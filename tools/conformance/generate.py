#!/usr/bin/env python3
"""Writes the conformance cases: for each official schema file, instances and what the schema says of
them, as JSON lines. The same cases every time: each file seeds its own generator with its name.
"""

import json
import os
import random
import sys
import time
from multiprocessing import Pool
from pathlib import Path

from document import Style, write
from instances import Mood, Shape
from mutations import ABSENT, apply, around, mutations
from oracle import load, read_json, schema_files, validator

CASES_MIN = 220
CASES_MAX = 480
PAYLOAD_CHARS_MAX = 150_000
FILES_EXPECTED = 387


def main() -> int:
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    for stale in target.glob("*.jsonl"):
        stale.unlink()
    began = time.monotonic()
    files = schema_files()
    if len(files) != FILES_EXPECTED:
        print(f"{len(files)} schema files, expected {FILES_EXPECTED}", file=sys.stderr)
        return 1
    # The largest first, so that no process is left alone with one of them.
    files.sort(key=lambda file: -file[1].stat().st_size)
    with Pool(os.cpu_count()) as pool:
        counts = pool.starmap(write_file, [(target, *file) for file in files], chunksize=1)
    cases, valid = (sum(column) for column in zip(*counts))
    print(
        f"{len(files)} schema files, {cases} cases ({valid} valid, {cases - valid} not), "
        f"fewest {min(count for count, _ in counts)} a file, {time.monotonic() - began:.0f} s"
    )
    return 0


def write_file(target: Path, version: str, path: Path) -> tuple[int, int]:
    """The cases of one schema file; gives back how many, and how many of them are valid."""
    cases = Cases(version, path)
    lines = cases.collect()
    name = f"{version}-{path.stem}.jsonl"
    with (target / name).open("w", encoding="utf-8") as out:
        out.writelines(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    return len(lines), sum(line["valid"] for line in lines)


class Cases:
    """All cases of one schema file."""

    def __init__(self, version: str, path: Path) -> None:
        self.rng = random.Random(f"{version}/{path.stem}")
        schema = load(path)
        self.shape, self.oracle = Shape(schema), validator(schema)
        self.action = path.stem.removesuffix("Request").removesuffix("Response")
        self.head = {
            "version": version,
            "action": self.action,
            "role": "answer" if path.stem.endswith("Response") else "request",
        }
        self.sites = list(self.shape.sites())
        self.seen: set[str] = set()
        self.lines: list[dict] = []

    def collect(self) -> list[dict]:
        for label, optional, items in (("smallest", 0.0, 0), ("half", 0.5, 1), ("fullest", 2.0, 1)):
            self.add(label, self.shape.build(Mood(self.rng, optional, items)))
        # A third of the room is kept for what is random and for two mutations at once.
        for path, label, change in self.every_mutation()[: CASES_MAX * 2 // 3]:
            base = self.shape.build(Mood(self.rng, items_extra=0), towards=path)
            self.add(f"{place(path)}: {label}", apply(base, path, change))
        attempts = 0
        while len(self.lines) < CASES_MAX and attempts < 4 * CASES_MAX:
            attempts += 1
            if len(self.lines) >= CASES_MIN and attempts > CASES_MAX:
                break
            self.add_random()
        return self.lines

    def every_mutation(self) -> list:
        """Each site with each of its mutations: every site once before any comes again, and first
        those at the bounds that its own schema sets."""
        by_site = []
        for path, schema in self.sites:
            ways = self.ways(path, schema)
            ways.sort(key=lambda way: self.rng.random() - at_bound(way[0], schema))
            by_site.append([(path, *way) for way in ways])
        self.rng.shuffle(by_site)
        rounds = max(len(ways) for ways in by_site)
        return [ways[turn] for turn in range(rounds) for ways in by_site if turn < len(ways)]

    def ways(self, path: tuple, schema: dict) -> list:
        """The mutations of a site. The payload itself stays an object, which OCPP-J asks before any
        schema does."""
        return [way for way in mutations(schema, self.rng) if path or not way[0].startswith("type:")]

    def add_random(self) -> None:
        """A random instance, with none, one or two of its values changed."""
        mood = Mood(self.rng, self.rng.choice([0.1, 0.3, 0.6]), self.rng.choice([0, 1, 3]), odd=True)
        changes = self.rng.choice([0, 0, 1, 2])
        chosen = self.rng.choices(self.sites, k=changes)
        document, labels = self.shape.build(mood, towards=chosen[0][0] if chosen else ()), []
        for path, schema in chosen:
            ways = [way for way in self.ways(path, schema) if "64 unknown" not in way[0]]
            label, change = self.rng.choice(ways)
            changed = apply(document, path, change)
            if changed is not ABSENT:
                document = changed
                labels.append(f"{place(path)}: {label}")
        style = Style(self.rng, spaces=self.rng.random() < 0.3, escapes=self.rng.random() < 0.3)
        self.add(" + ".join(labels) or "random", document, style)

    def add(self, label: str, document, style: Style | None = None) -> None:
        if document is ABSENT:
            return
        payload = write(document, style or Style(self.rng))
        if payload in self.seen or len(payload) > PAYLOAD_CHARS_MAX:
            return
        self.seen.add(payload)
        value = read_json(payload)
        if keys_clash(value):
            return
        verdict = self.oracle.is_valid(value)
        self.lines.append({**self.head, "label": label, "valid": verdict, "payload": payload})


def at_bound(label: str, schema: dict) -> bool:
    """Whether a mutation stands at a limit that this schema names, or one beside it."""
    if label in ("text: exactly max", "text: max + 1", "array: empty", "choice: one letter less"):
        return True
    name, _, said = label.partition(": ")
    if name == "array" and said.endswith("items"):
        return "maxItems" in schema
    bounds = [int(schema[key]) for key in ("minimum", "maximum") if key in schema]
    return name in ("integer", "number") and any(said in around(bound) for bound in bounds)


def keys_clash(value) -> bool:
    """Whether two keys of an object differ only in case: a hard fault, so not for a schema to judge."""
    if isinstance(value, list):
        return any(keys_clash(item) for item in value)
    if not isinstance(value, dict):
        return False
    return len({key.lower() for key in value}) < len(value) or any(map(keys_clash, value.values()))


def place(path: tuple) -> str:
    return "".join("[0]" if step == 0 else f".{step}" for step in path).lstrip(".") or "(payload)"


if __name__ == "__main__":
    sys.exit(main())
