#!/usr/bin/env python3
"""Checks the records in evidence.json against the checkpoint that is in it.

Needs nothing but Python 3.8. Exit code 0: all of it holds; 1: something does not.
"""

import argparse
import base64
import datetime
import hashlib
import json
import os
import sys


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def unbase64(text):
    return base64.b64decode(text, validate=True)


# --- The tree (RFC 6962) -------------------------------------------------------------------------


def leads_to_root(leaf, number, size, path, root):
    """Whether this leaf is number `number` of the tree of that size and root."""
    if not 0 <= number < size:
        return False
    place, last, node = number, size - 1, leaf
    for beside in path:
        if last == 0:
            return False
        if place % 2 == 1 or place == last:
            node = sha256(b"\x01", beside, node)
            while place % 2 == 0 and place != 0:
                place, last = place // 2, last // 2
        else:
            node = sha256(b"\x01", node, beside)
        place, last = place // 2, last // 2
    return last == 0 and node == root


# --- Ed25519 (RFC 8032), verification only -------------------------------------------------------

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)


def add(one, other):
    x1, y1, z1, t1 = one
    x2, y2, z2, t2 = other
    a = (y1 - x1) * (y2 - x2) % P
    b = (y1 + x1) * (y2 + x2) % P
    c = 2 * t1 * t2 * D % P
    d = 2 * z1 * z2 % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(count, point):
    total = (0, 1, 1, 0)
    while count:
        if count & 1:
            total = add(total, point)
        point = add(point, point)
        count >>= 1
    return total


def same(one, other):
    return (
        (one[0] * other[2] - other[0] * one[2]) % P == 0
        and (one[1] * other[2] - other[1] * one[2]) % P == 0
    )


def point_of(text):
    """The point that is written so, or None."""
    y = int.from_bytes(text, "little")
    odd, y = y >> 255, y & (2**255 - 1)
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT_OF_MINUS_ONE % P
    if (x * x - square) % P or (x == 0 and odd):
        return None
    if x % 2 != odd:
        x = P - x
    return x, y, 1, x * y % P


BASE = point_of((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def signed_by(public, message, signature):
    if len(signature) != 64 or len(public) != 32:
        return False
    r, a = point_of(signature[:32]), point_of(public)
    s = int.from_bytes(signature[32:], "little")
    if r is None or a is None or s >= ORDER:
        return False
    digest = hashlib.sha512(signature[:32] + public + message).digest()
    k = int.from_bytes(digest, "little") % ORDER
    return same(times(s, BASE), add(r, times(k, a)))


# --- Signed notes (C2SP) -------------------------------------------------------------------------

LOG, WITNESS = 1, 4


class Key:
    def __init__(self, text):
        self.text = text.strip()
        self.name, digits, key = self.text.split("+", 2)
        key = unbase64(key)
        self.kind, self.public = key[0], key[1:]
        self.id = sha256(self.name.encode(), b"\n", key)[:4]
        if self.id != bytes.fromhex(digits):
            raise ValueError("the digits of a key do not belong to it")

    def signed(self, text, lines):
        """When this key signed the text (0 for a log), or None."""
        for line in lines:
            dash, name, rest = line.split(" ")
            rest = unbase64(rest)
            if dash != "\u2014" or name != self.name or rest[:4] != self.id:
                continue
            if self.kind == WITNESS:
                time = int.from_bytes(rest[4:12], "big")
                stated = "cosignature/v1\ntime %d\n%s" % (time, text)
                if signed_by(self.public, stated.encode(), rest[12:]):
                    return time
            elif signed_by(self.public, text.encode(), rest[4:]):
                return 0
        return None


def check(evidence, wanted_log, wanted_witness):
    """Yields what holds and what does not, as (whether, in words)."""
    log = Key(evidence["log_key"])
    text, lines = evidence["checkpoint"].rsplit("\n\n", 1)
    text += "\n"
    origin, size, root = text.split("\n")[:3]
    size, root = int(size), unbase64(root)
    lines = lines.splitlines()
    yield log.kind == LOG and origin == log.name, "the checkpoint is of %s: %d records" % (origin, size)
    yield log.signed(text, lines) is not None, "the log's key has signed it: %s" % log.text
    if wanted_log is not None:
        yield log.text == wanted_log.strip(), "that is the key that you named"
    if evidence["witness_key"] is not None:
        witness = Key(evidence["witness_key"])
        time = witness.signed(text, lines) if witness.kind == WITNESS else None
        when = datetime.datetime.fromtimestamp(time or 0, datetime.timezone.utc)
        yield time is not None, "a witness has signed it at %s: %s" % (when.isoformat(), witness.text)
        if wanted_witness is not None:
            yield witness.text == wanted_witness.strip(), "that is the witness that you named"
    elif wanted_witness is not None:
        yield False, "no witness has signed it"
    for exhibit in evidence["records"]:
        leaf = sha256(b"\x00", unbase64(exhibit["salt"]), exhibit["record"].encode())
        path = [unbase64(node) for node in exhibit["path"]]
        held = leads_to_root(leaf, exhibit["number"], size, path, root)
        yield held, "record %d stood in the log" % exhibit["number"]


def main():
    beside = os.path.join(os.path.dirname(os.path.abspath(__file__)), "evidence.json")
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("file", nargs="?", default=beside, help="evidence.json beside this script")
    parser.add_argument("--log-key", help="the log's public key, as you were given it by another way")
    parser.add_argument("--witness-key", help="the witness's public key, likewise")
    named = parser.parse_args()
    try:
        with open(named.file, encoding="utf-8") as file:
            evidence = json.load(file)
        results = list(check(evidence, named.log_key, named.witness_key))
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        results = [(False, "this is not evidence as it was written: %r" % error)]
    for held, words in results:
        print("%s  %s" % ("holds   " if held else "DOES NOT", words))
    everything = all(held for held, _ in results)
    print("Everything holds." if everything else "Not everything holds.")
    if everything and named.log_key is None:
        print("Compare the log's key above with what you were given by another way.")
    return 0 if everything else 1


if __name__ == "__main__":
    sys.exit(main())
