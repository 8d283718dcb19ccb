
"use strict";
// Everything that is shown goes through textContent: what a station said is never markup.
const show = (place, name, text, kind) => {
  const element = document.createElement(name);
  element.textContent = text;
  if (kind) element.className = kind;
  place.append(element);
};
const unbase64 = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
const utf8 = (text) => new TextEncoder().encode(text);
const joined = (...parts) => {
  const bytes = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) { bytes.set(part, at); at += part.length; }
  return bytes;
};
const sha256 = async (...parts) => new Uint8Array(await crypto.subtle.digest("SHA-256", joined(...parts)));
const same = (one, other) => one.length === other.length && one.every((byte, at) => byte === other[at]);

// The tree (RFC 6962). Numbers may be beyond what a double counts, so they are BigInt.
async function leadsToRoot(leaf, number, size, path, root) {
  if (number < 0n || number >= size) return false;
  let place = number, last = size - 1n, node = leaf;
  for (const beside of path) {
    if (last === 0n) return false;
    if (place % 2n === 1n || place === last) {
      node = await sha256(Uint8Array.of(1), beside, node);
      while (place % 2n === 0n && place !== 0n) { place /= 2n; last /= 2n; }
    } else {
      node = await sha256(Uint8Array.of(1), node, beside);
    }
    place /= 2n; last /= 2n;
  }
  return last === 0n && same(node, root);
}

async function keyOf(text) {
  const first = text.indexOf("+"), second = text.indexOf("+", first + 1);
  const name = text.slice(0, first), key = unbase64(text.slice(second + 1));
  const id = (await sha256(utf8(name + "\n"), key)).slice(0, 4);
  const digits = Array.from(id, (byte) => byte.toString(16).padStart(2, "0")).join("");
  if (digits !== text.slice(first + 1, second)) throw new Error("the digits of a key do not belong to it");
  return { name, kind: key[0], raw: key.slice(1), id };
}

// When the key has signed (0 for a log), or null; undefined where this browser has no Ed25519.
async function signed(key, text, lines) {
  let imported;
  try {
    imported = await crypto.subtle.importKey("raw", key.raw, { name: "Ed25519" }, false, ["verify"]);
  } catch { return undefined; }
  for (const line of lines) {
    const [dash, name, rest] = line.split(" ");
    const bytes = unbase64(rest);
    if (dash !== "\u2014" || name !== key.name || !same(bytes.slice(0, 4), key.id)) continue;
    let time = 0n, stated = text, signature = bytes.slice(4);
    if (key.kind === 4) {
      for (const byte of bytes.slice(4, 12)) time = time * 256n + BigInt(byte);
      stated = `cosignature/v1\ntime ${time}\n${text}`;
      signature = bytes.slice(12);
    }
    if (await crypto.subtle.verify({ name: "Ed25519" }, imported, signature, utf8(stated))) return Number(time);
  }
  return null;
}

async function check(evidence, log, records) {
  const cut = evidence.checkpoint.lastIndexOf("\n\n");
  const text = evidence.checkpoint.slice(0, cut + 1);
  const lines = evidence.checkpoint.slice(cut + 2).split("\n").filter((line) => line !== "");
  const [origin, count, hash] = text.split("\n");
  const size = BigInt(count), root = unbase64(hash);
  const key = await keyOf(evidence.log_key);
  const verdict = (held) => (held === undefined ? "unknown" : held ? "holds" : "fails");
  show(log, "p", `The checkpoint is of ${origin}: ${count} records.`, verdict(origin === key.name && key.kind === 1));
  const bySignature = async (who, key, text_of_key) => {
    const time = await signed(key, text, lines);
    const held = time === undefined ? undefined : time !== null;
    const when = time ? ` at ${new Date(time * 1000).toISOString()}` : "";
    const words = held === undefined
      ? `This browser cannot check signatures; check.py can. ${who}:`
      : held ? `${who} has signed it${when}:` : `${who} has not signed it:`;
    show(log, "p", words, verdict(held));
    show(log, "pre", text_of_key);
  };
  await bySignature("The log\u2019s key", key, evidence.log_key);
  if (evidence.witness_key) await bySignature("A witness", await keyOf(evidence.witness_key), evidence.witness_key);
  show(log, "p", "Compare these keys with what you were given by another way.");
  let holding = 0;
  for (const exhibit of evidence.records) {
    const leaf = await sha256(Uint8Array.of(0), unbase64(exhibit.salt), utf8(exhibit.record));
    const path = exhibit.path.map(unbase64);
    const held = await leadsToRoot(leaf, BigInt(exhibit.number), size, path, root);
    if (held) holding += 1;
    show(records, "h2", `Record ${exhibit.number}`);
    show(records, "p", held ? "stood in the log when it was signed" : "does NOT lead to what was signed", verdict(held));
    show(records, "pre", exhibit.record);
  }
  show(log, "p", `${holding} of ${evidence.records.length} records lead to the checkpoint.`, verdict(holding === evidence.records.length));
}

const log = document.getElementById("log"), records = document.getElementById("records");
log.textContent = "";
if (globalThis.crypto && crypto.subtle) {
  check(JSON.parse(document.getElementById("evidence").textContent), log, records)
    .catch((error) => show(log, "p", `This is not evidence as it was written: ${error.message}`, "fails"));
} else {
  show(log, "p", "This browser gives pages from files no SHA-256; check.py does the same as this page.", "unknown");
}
