//! docs/reference/limits.md names every limit: the settings as the configuration is read, and the
//! fixed ones as they stand in the source. A new limit without its line there does not pass.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use super::*;

/// What happens beyond a setting, and the threats it stands against. A name that stands in several
/// sections says the same in each.
#[rustfmt::skip]
const BEYOND: &[(&str, &str, &str)] = &[
    // [limits]
    ("workers", "threads, not a limit of what a peer may do", "–"),
    ("connections_max", "the connection is closed before TLS, and told", "A18"),
    ("waiting_max", "one connection of the source with the most is reset, the longest silent first", "A18, A20"),
    ("waiting_deadline_seconds", "the connection is reset, at a random moment from half of it on", "A20"),
    ("handshakes_max", "who comes waits in the lobby; one that dawdles gives way", "A18, A20"),
    ("handshakes_per_source_max", "that source's connections wait in the lobby", "A18"),
    ("handshake_grace_seconds", "while others wait, the handshake is closed", "A18"),
    ("connections_per_source_max", "the connection is reset, and told", "A18"),
    ("proxy_deadline_seconds", "the connection is reset, and told", "A18"),
    ("tls12_sessions_max", "the oldest session is forgotten: its station shakes hands anew", "–"),
    ("tls_deadline_seconds", "the connection is closed, and told", "A18"),
    ("head_deadline_seconds", "the connection is closed, and told", "A18"),
    ("upstream_deadline_seconds", "503", "–"),
    ("probe_deadline_seconds", "the old session is ended", "A02"),
    ("probe_pause_seconds", "a station that has just answered is not asked again: 503", "A02"),
    ("takeover_deadline_seconds", "503", "A02"),
    ("slow_hashes_max", "the check waits for its turn", "A06"),
    ("hash_deadline_seconds", "503", "A06"),
    ("hashes_remembered_max", "one is forgotten: the next check is a slow one", "–"),
    ("calls_queued_max", "that side is not read until a CALL has been answered", "B13"),
    ("calls_queued_bytes_max", "that side is not read until a CALL has been answered", "B13"),
    ("control_frames_max", "the session is closed with 1008", "A19"),
    ("accept_backlog", "the kernel leaves connections unanswered; their peers try again", "A20"),
    ("events_queued_max", "messages' events are dropped first, and counted", "–"),
    // [session]
    ("ping_after_seconds", "a ping", "–"),
    ("pong_deadline_seconds", "that side counts as dead: the session ends", "A02"),
    ("idle_after_seconds", "the session is closed with 1001", "A19"),
    ("close_deadline_seconds", "the socket is dropped", "–"),
    ("message_deadline_seconds", "the session is closed: a message that has begun must end", "A19"),
    ("drain_seconds", "the sessions that are left are ended together", "–"),
    // [attempts]
    ("source_failures_max", "refusals come late; passwords that people chose are not looked at: 429", "A06"),
    ("source_refill_seconds", "one failure is forgotten", "A06"),
    ("pair_failures_max", "429 without a look at the password", "A06"),
    ("pair_refill_seconds", "one failure is forgotten", "A06"),
    ("delay_max_seconds", "the refusal is sent", "A06"),
    ("sources_max", "those with the least to forget are forgotten first", "A06"),
    ("pairs_known_max", "the longest unseen is forgotten", "A06"),
    // [messages]
    ("bytes_max", "with the schema control at enforce: closed with 1009; else told, up to 1 MiB", "B01"),
    ("list_items_max", "the schema control objects", "B07"),
];

/// A fixed limit: its file, its unit, what happens beyond it, and the threats it stands against. The
/// name is the constant's, the value is read from the source.
#[rustfmt::skip]
const FIXED: &[(&str, &str, &str, &str, &str)] = &[
    ("ocpp/src/limits.rs", "MESSAGE_BYTES_MAX", "bytes", "closed with 1009, in every mode", "B01"),
    ("ocpp/src/limits.rs", "DEPTH_MAX", "levels", "the message cannot be read: refused in every mode", "B07"),
    ("ocpp/src/limits.rs", "UNKNOWN_KEYS_MAX", "keys of an object", "the schema control objects", "B07"),
    ("ocpp/src/limits.rs", "FACTS_MAX", "facts of a message", "counted, not kept", "B07"),
    ("ocpp/src/limits.rs", "FAULTS_MAX", "faults of a message", "counted, not described", "B07"),
    ("ocpp/src/limits.rs", "MESSAGE_ID_CHARS_MAX", "characters", "the schema control objects", "B05"),
    ("ocpp/src/limits.rs", "MESSAGE_ID_BYTES_MAX", "bytes", "the message cannot be read: refused in every mode", "B05"),
    ("ocpp/src/limits.rs", "ACTION_BYTES_MAX", "bytes", "the message cannot be read: refused in every mode", "B05"),
    ("gateway/src/events/batch.rs", "WORDS_BYTES_MAX", "bytes of messages that wait to be recorded", "their events are recorded without them; counted", "–"),
    ("gateway/src/events/batch.rs", "FACTS_MAX", "facts of these messages", "their events are recorded without them; counted", "–"),
    ("gateway/src/http/mod.rs", "HEAD_BYTES_MAX", "bytes of a request head", "431", "A18"),
    ("gateway/src/http/mod.rs", "HEADERS_MAX", "headers", "431", "A18"),
    ("gateway/src/http/mod.rs", "PATH_BYTES_MAX", "bytes of a path", "refused", "A15"),
    ("gateway/src/http/mod.rs", "EXTENSIONS_MAX", "extensions offered", "refused", "A18"),
    ("gateway/src/http/mod.rs", "SUBPROTOCOLS_MAX", "subprotocols offered", "refused", "A16"),
    ("gateway/src/proxy.rs", "LINE_BYTES_MAX", "bytes of a PROXY line", "refused", "A18"),
    ("gateway/src/proxy.rs", "REST_BYTES_MAX", "bytes of a PROXY header", "refused", "A18"),
    ("gateway/src/turns.rs", "HANDSHAKE_STEPS_MAX", "steps of TLS at once in a worker", "the next step waits until every session that is ready had its turn", "A18, A20"),
    ("gateway/src/accept.rs", "ACCEPTS_AT_ONCE_MAX", "connections accepted at once", "sessions have their turn first", "A20"),
    ("gateway/src/lobby/turned_away.rs", "TOLD_MAX", "refusals of strangers told one by one in a second", "told together", "A18, A20"),
    ("gateway/src/records.rs", "CUT_BYTES_MAX", "bytes of TLS that wait for their rest", "the connection is closed", "A18"),
    ("gateway/src/records.rs", "SEAL_BYTES_MAX", "bytes sealed at a time", "the rest waits", "–"),
    ("gateway/src/records.rs", "UNSENT_BYTES_MAX", "bytes sealed and not taken", "no more is taken", "A19"),
    ("gateway/src/ws/limits.rs", "FRAGMENTS_MAX", "fragments of a message", "closed with 1008", "A19"),
    ("gateway/src/ws/header.rs", "CONTROL_BYTES_MAX", "bytes of a control frame", "closed with 1002", "A19"),
    ("gateway/src/relay/mod.rs", "HEARD_MAX", "frames of one side at a time", "other sessions have their turn first", "A19, B12"),
    ("gateway/src/relay/mod.rs", "TURNS_MAX", "turns of a session at a time", "other sessions have theirs first", "A19, B12"),
    ("gateway/src/relay/probe.rs", "KEPT_BYTES_MAX", "bytes kept of a station that is only asked whether it lives", "it lives", "A02"),
    ("guard/src/rates.rs", "SLOWED_MILLIS_MAX", "milliseconds that a sender is not read at a time", "it is read again", "B12"),
    ("guard/src/rates.rs", "PER_MINUTE_MAX", "messages a minute, the fastest flow", "a setting beyond it is refused", "B12"),
    ("guard/src/attempts/known.rs", "SOURCES_PER_STATION_MAX", "sources remembered of a station", "the longest unseen is forgotten", "A06"),
    ("guard/src/attempts/failures.rs", "BEYOND_MAX", "failures counted beyond a limit", "not counted: everybody is forgiven in time", "A06"),
    ("guard/src/attempts/failures.rs", "PAIRS_PER_SOURCE_MAX", "identities remembered of a source with failures", "the one nearest to being forgotten goes", "A06"),
    ("guard/src/scope.rs", "SCOPES_MAX", "sections of a kind", "a configuration with more is refused", "–"),
    ("guard/src/state.rs", "HEARTBEAT_SECONDS_MAX", "seconds, the longest Heartbeat interval believed", "believed up to it", "A02"),
    ("guard/src/memory/transactions.rs", "OPEN_MAX", "open transactions remembered of a station", "the oldest is forgotten, and is nobody's", "C04, C08"),
    ("guard/src/memory/transactions.rs", "ENDED_MAX", "ended transactions remembered of a station", "the oldest is forgotten", "C04"),
    ("guard/src/memory/codec.rs", "TEXT_BYTES_MAX", "bytes of a text in a memory", "cut off", "E09"),
    ("guard/src/state/learn.rs", "STARTS_MAX", "StartTransactions of a session without an answer", "the oldest one's transaction stays unknown", "C04"),
    ("guard/src/ledger.rs", "OPEN_MAX", "open transactions in each of 16 parts", "one more is nobody's", "C04"),
    ("guard/src/ledger/disputes.rs", "IDS_MAX", "ids that a CSMS has given to two stations at once", "it counts for each of them: nothing is said of its ids", "C04"),
    ("guard/src/ledger/disputes.rs", "CSMS_MAX", "CSMSs that have given an id to two stations at once", "nothing is said of any CSMS's ids", "C04"),
    ("guard/src/change/memory.rs", "STATIONS_MAX", "stations with a change of credential under way", "the gate takes no part in one more, and tells", "D03"),
    ("guard/src/change/memory.rs", "PENDING_MAX", "new credentials of a station under way", "the oldest is good no more", "D03"),
    ("guard/src/admission/adopting.rs", "STATIONS_MAX", "stations that a window may adopt", "the window takes no more", "A06"),
    ("gateway/src/adoption.rs", "AT_ONCE_MAX", "strangers that the CSMS is asked about at once", "503", "A06"),
    ("portcullis/src/serve/learning.rs", "LESSONS_MAX", "new credentials that wait for the store", "the oldest is forgotten: its station is asked again", "D03"),
    ("ocpp/src/exchange.rs", "OPEN_MAX", "CALLs kept open for a side", "the oldest goes, and an answer to it is nobody's", "B08"),
    ("ocpp/src/exchange.rs", "REMEMBERED_MAX", "ids remembered of a side", "the oldest is forgotten", "B09"),
    ("gateway/src/kept.rs", "MESSAGES_MAX", "refused transaction messages on their way to the store", "refused and not kept; counted and told", "B12"),
    ("gateway/src/kept.rs", "BYTES_MAX", "bytes of them together", "refused and not kept; counted and told", "B12"),
    ("gateway/src/kept.rs", "STATION_MESSAGES_MAX", "of these, one station's messages", "refused and not kept; counted and told", "B12"),
    ("gateway/src/kept.rs", "STATION_BYTES_MAX", "of these, one station's bytes", "refused and not kept; counted and told", "B12"),
    ("gateway/src/client_hello.rs", "HELLO_BYTES_MAX", "bytes of a ClientHello that are read for its fingerprint", "it has none", "A18"),
    ("gateway/src/ws/inflate.rs", "DEFLATE_BLOCKS_MAX", "blocks of a compressed message", "closed with 1008", "A19"),
    ("portcullis/src/serve/orders.rs", "ORDERS_MAX", "changes that wait for the keeper", "one more is turned away", "–"),
    ("gateway/src/memories.rs", "STATIONS_MAX", "stations remembered", "one more is unknown whenever it comes", "B10"),
    ("guard/src/rules.rs", "RULES_MAX", "rules of a kind", "a configuration with more is refused", "–"),
    ("guard/src/rules.rs", "PATTERN_BYTES_MAX", "bytes of a pattern", "the rule is refused", "–"),
    ("guard/src/rules.rs", "MATCHED_BYTES_MAX", "bytes of a message that patterns are tried on", "an objection of its own", "B06"),
    ("guard/src/rules.rs", "COMPILED_BYTES_MAX", "bytes of the compiled patterns of a direction", "the rules are refused", "–"),
    ("guard/src/rules.rs", "CACHE_BYTES_MAX", "bytes in which a thread tries the patterns of a direction", "they are tried more slowly", "B06"),
    ("guard/src/policy/injection.rs", "SUSPECTS_MAX", "texts of a message that patterns are tried on", "an objection of its own", "B06"),
    ("guard/src/policy/injection.rs", "HITS_MAX", "places of a message in which a pattern is found", "an objection of its own", "B06"),
    ("guard/src/policy/timestamps.rs", "TIMES_MAX", "points in time of a message that are looked at", "not looked at", "B03"),
    ("guard/src/backend_url.rs", "ALLOWED_MAX", "addresses of CSMSs that are allowed", "a configuration with more is refused", "A14"),
    ("portcullis/src/findings.rs", "KINDS_MAX", "kinds of findings that are told apart", "counted together", "–"),
    ("portcullis/src/findings.rs", "STATIONS_MAX", "stations of such a kind that are named", "the rest is not named", "–"),
    ("guard/src/refusal.rs", "DESCRIPTION_CHARS_MAX", "characters of a CALLERROR's description", "cut off", "–"),
    ("guard/src/verifier.rs", "PASSWORD_BYTES_MAX", "bytes of a password", "refused", "A06"),
    ("journal/src/vault.rs", "CACHED_MAX", "identifiers whose handles are remembered in memory", "looked up in the file", "–"),
    ("journal/src/vault.rs", "IDENTIFIER_BYTES_MAX", "bytes of an identifier", "recorded as its length", "–"),
    ("journal/src/vault.rs", "NEW_SUBJECTS_A_DAY_MAX", "new identifiers a day", "recorded as their lengths", "–"),
    ("journal/src/vault/enclosing.rs", "KEYS_MAX", "configuration keys beside one value", "the value counts as a secret", "–"),
    ("journal/src/vault/recognise.rs", "HITS_MAX", "identifiers told apart in one text", "left in the sealed text", "G10"),
    ("journal/src/vault/erase.rs", "REASON_CHARS_MAX", "characters of a hold's reason", "cut off", "–"),
    ("journal/src/vault/reveal.rs", "REVEALED_ALONE_MAX", "originals that one person sees in 24 hours", "the request waits for another person", "–"),
    ("journal/src/vault/reveal.rs", "REVEALED_AT_ONCE_MAX", "originals of one request", "refused", "–"),
    ("journal/src/vault/reveal.rs", "PURPOSE_CHARS_MAX", "characters of a purpose", "cut off", "–"),
    ("portcullis/src/commands/journal/records.rs", "PURPOSE_CHARS_MAX", "characters of a purpose", "cut off", "–"),
    ("portcullis/src/commands/journal/evidence.rs", "RANGES_NAMED_MAX", "ranges of records that the act of making evidence names", "their number, the first and the last are", "–"),
    ("journal/src/keys/root.rs", "FILE_BYTES_MAX", "bytes of a root's, passphrase's or identity's file", "not read", "–"),
    ("journal/src/segments/block.rs", "GROUP_BYTES", "bytes of records, before compression, that are compressed together", "the next group begins", "–"),
    ("journal/src/segments/block.rs", "RECORD_BYTES_MAX", "bytes of a record", "not recorded; counted, and a gap", "B01"),
    ("journal/src/segments/batch.rs", "HANDLES_MAX", "handles of a record that are indexed", "the record is looked at for every handle", "–"),
    ("journal/src/segments/writer.rs", "UNSYNCED_BYTES_MAX", "bytes on their way to the disk", "they are synced before their time", "–"),
    ("journal/src/segments/index.rs", "INDEX_ENTRIES_MAX", "entries in the index of a segment that is written", "the segment ends", "–"),
    ("journal/src/segments/file.rs", "GROUP_BLOCKS_MAX", "blocks of a group that are read", "the segment is not ours", "–"),
    ("journal/src/segments/sidecar.rs", "BYTES_MAX", "bytes of an index file", "it is made again", "–"),
    ("journal/src/reading/reader.rs", "INDEX_CACHE_BYTES_MAX", "bytes of indexes kept for the next search", "the oldest is read again", "–"),
    ("journal/src/reading/exchange.rs", "OPEN_CALLS_MAX", "calls that wait for their answer in a search", "the oldest is shown without one", "–"),
    ("portcullis/src/recorder/publisher.rs", "HANDED_MAX", "batches of records that are handed on and not durable", "the last ones count as one", "–"),
    ("journal/src/reading/trace.rs", "SESSIONS_MAX", "sessions whose version an export remembers", "lines without `ocppVersion`", "–"),
];

fn numbers() -> Vec<(String, &'static str, [u64; 3])> {
    let source = Source::new("portcullis.toml", SMALL);
    let document = DeTable::parse(SMALL).unwrap();
    super::super::sections(&source, document.get_ref(), Path::new(""));
    source.numbers.take()
}

fn unit(key: &str) -> &'static str {
    match key {
        _ if key.ends_with("_seconds") => "seconds",
        _ if key.contains("bytes") => "bytes",
        "control_frames_max" => "frames within `ping_after_seconds`",
        _ => "",
    }
}

fn settings() -> String {
    let beyond: BTreeMap<_, _> = BEYOND
        .iter()
        .map(|(key, beyond, threats)| (*key, (*beyond, *threats)))
        .collect();
    let mut table = String::new();
    for section in ["[limits]", "[session]", "[attempts]", "[messages]"] {
        let _ = write!(
            table,
            "### `{section}`\n\n| name | unit | default | from | to | beyond it | against |\n|---|---|---|---|---|---|---|\n"
        );
        let of_section = numbers();
        let of_section = of_section.iter().filter(|(name, ..)| *name == section);
        for (_, key, [least, most, default]) in of_section {
            let (beyond, threats) = beyond.get(key).copied().unwrap_or(("?", "?"));
            let unit = unit(key);
            let _ = writeln!(
                table,
                "| `{key}` | {unit} | {default} | {least} | {most} | {beyond} | {threats} |"
            );
        }
        table.push('\n');
    }
    table.push_str("### `[rates]`\n\n| class | at once | a minute |\n|---|---|---|\n");
    let rates = guard::rates::Rates::default();
    for class in guard::rates::Class::ALL {
        let rate = rates.of(*class);
        let words = class.words();
        let _ = writeln!(table, "| {words} | {} | {} |", rate.burst, rate.per_minute);
    }
    table.push('\n');
    table
}

fn crates() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The value of `const NAME: T = …;` in that file.
fn value(file: &str, name: &str) -> u64 {
    let text = fs::read_to_string(crates().join(file)).unwrap_or_else(|_| panic!("{file}"));
    let begin = format!("const {name}: ");
    let (_, rest) = text
        .split_once(&begin)
        .unwrap_or_else(|| panic!("no `{name}` in {file}"));
    let (_, rest) = rest.split_once(" = ").unwrap();
    let expression = rest.split(';').next().unwrap();
    sum(expression).unwrap_or_else(|| panic!("{name} = {expression} is more than a sum"))
}

/// Sums, products and shifts of whole numbers, with the brackets that these need.
fn sum(text: &str) -> Option<u64> {
    let terms = text.split('+').map(|term| {
        let term = term.trim().trim_matches(['(', ')']);
        match term.split_once("<<") {
            Some((base, by)) => Some(product(base)? << product(by)?),
            None => product(term),
        }
    });
    terms.sum()
}

fn product(text: &str) -> Option<u64> {
    let factors = text.split('*');
    factors
        .map(|factor| factor.trim().replace('_', "").parse::<u64>().ok())
        .product()
}

fn fixed() -> String {
    let mut table = String::from(
        "| name | where | value | unit | beyond it | against |\n|---|---|---|---|---|---|\n",
    );
    for (file, name, unit, beyond, threats) in FIXED {
        let value = value(file, name);
        let place = file
            .replace("/src/", "::")
            .replace(".rs", "")
            .replace('/', "::");
        let place = place.trim_end_matches("::mod");
        let _ = writeln!(
            table,
            "| `{name}` | `{place}` | {value} | {unit} | {beyond} | {threats} |"
        );
    }
    table.push('\n');
    table
}

fn memory() -> String {
    let mut table = String::from(
        "| of what | bytes each at most | how many | together at the defaults |\n|---|---|---|---|\n",
    );
    for part in gateway::Memory::of(&gateway::GateLimits::default()) {
        let _ = writeln!(
            table,
            "| {} | {} | {} | {} MB |",
            part.of_what,
            part.bytes_each,
            part.how_many,
            part.bytes().div_ceil(1 << 20)
        );
    }
    table.push('\n');
    table
}

/// Every part of the page that a machine writes, between its heading and the next one of its rank.
#[test]
fn the_page_of_limits_names_every_limit() {
    assert!(
        !settings().contains("| ? |"),
        "BEYOND is to say what happens:\n{}",
        settings()
    );
    let file = crates().join("../docs/reference/limits.md");
    let page = fs::read_to_string(&file).unwrap();
    for (head, wanted) in [
        ("## Settings", settings()),
        ("## Fixed", fixed()),
        ("## Memory", memory()),
    ] {
        let (_, chapter) = page.split_once(&format!("\n{head}\n")).expect(head);
        let chapter = chapter.split("\n## ").next().unwrap_or_default();
        assert!(
            chapter
                .replace('\n', "")
                .contains(&wanted.replace('\n', "")),
            "docs/reference/limits.md, \"{head}\", is to say:\n{wanted}"
        );
    }
}

/// A constant that bounds something stands in the table, or is named here as none.
#[test]
fn no_fixed_limit_is_forgotten() {
    /// Sizes of words, buffers of a thread, and what bounds the operator's own files.
    const NONE: &[&str] = &[
        "HEADER_BYTES_MAX",
        "RECORD_BYTES_MAX",
        "WINDOW_BITS_MAX",
        "ROOM_KEPT_MAX",
        "SEALED_KEPT_MAX",
        "DAWDLERS_LOOKED_AT_MAX",
        "WINDOW_MILLIS_MAX",
        "SLOWED_MAX",
    ];
    let mut files = Vec::new();
    for room in [
        "gateway/src/relay",
        "gateway/src/lobby",
        "guard/src/crowd",
        "guard/src/attempts",
    ] {
        let folder = fs::read_dir(crates().join(room)).unwrap();
        files.extend(folder.map(|entry| entry.unwrap().path()));
    }
    for file in ["lobby", "accept", "turns", "records", "proxy", "http/mod"] {
        files.push(crates().join(format!("gateway/src/{file}.rs")));
    }
    files.extend(
        ["crowd", "attempts", "rates"].map(|file| crates().join(format!("guard/src/{file}.rs"))),
    );
    for file in files.iter().filter(|file| file.is_file()) {
        let text = fs::read_to_string(file).unwrap();
        for line in text.lines().filter(|line| !line.starts_with("        ")) {
            let Some((_, rest)) = line.split_once("const ") else {
                continue;
            };
            let name = rest.split(':').next().unwrap();
            let bounds = name.ends_with("_MAX") && !name.contains(' ');
            let listed = FIXED.iter().any(|(_, fixed, ..)| *fixed == name) || NONE.contains(&name);
            assert!(
                !bounds || listed,
                "{name} of {} is a limit: name it in FIXED",
                file.display()
            );
        }
    }
}
