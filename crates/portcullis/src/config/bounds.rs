//! `[limits]`, `[attempts]` and `[session]`: every number has a name, a unit, a default and bounds of its own.

use std::time::Duration;

use gateway::{GateLimits, SessionSettings};
use guard::attempts::AttemptLimits;
use store::RefusedRoom;

use super::RefusedSettings;
use super::table::Section;

/// Longer than a day, no wait of the gate is meant.
const DAY: u64 = 86_400;

/// The bounds of the gate, how many events may wait, and how many threads relay.
pub(super) fn limits(
    mut section: Section<'_>,
    session: &SessionSettings,
) -> (GateLimits, usize, usize) {
    let events = count(&mut section, "events_queued_max", 1024..=16_777_216, 65_536);
    let workers = count(&mut section, "workers", 0..=1024, 0);
    let limits = door(&mut section, GateLimits::default());
    let limits = inside(&mut section, limits);
    must_allow_takeovers(&section, &limits, session);
    section.finish();
    (limits, events, workers)
}

/// What whoever knocks may cost, until the gate has heard who it is.
fn door(section: &mut Section<'_>, d: GateLimits) -> GateLimits {
    GateLimits {
        connections_max: count(section, "connections_max", 1..=1_000_000, d.connections_max),
        waiting_max: count(section, "waiting_max", 16..=1_000_000, d.waiting_max),
        waiting_deadline: section.seconds("waiting_deadline_seconds", 1..=300, d.waiting_deadline),
        handshakes_max: count(section, "handshakes_max", 1..=100_000, d.handshakes_max),
        handshakes_per_source_max: count(
            section,
            "handshakes_per_source_max",
            1..=100_000,
            d.handshakes_per_source_max,
        ),
        handshake_grace: section.seconds("handshake_grace_seconds", 1..=300, d.handshake_grace),
        connections_per_source_max: count(
            section,
            "connections_per_source_max",
            1..=1_000_000,
            d.connections_per_source_max,
        ),
        proxy_deadline: section.seconds("proxy_deadline_seconds", 1..=300, d.proxy_deadline),
        tls12_sessions_max: count(
            section,
            "tls12_sessions_max",
            0..=1_000_000,
            d.tls12_sessions_max,
        ),
        tls_deadline: section.seconds("tls_deadline_seconds", 1..=300, d.tls_deadline),
        head_deadline: section.seconds("head_deadline_seconds", 1..=300, d.head_deadline),
        ..d
    }
}

/// What comes after that: the CSMS, an old connection, a password's check, and the session.
fn inside(section: &mut Section<'_>, d: GateLimits) -> GateLimits {
    GateLimits {
        upstream_deadline: section.seconds(
            "upstream_deadline_seconds",
            1..=300,
            d.upstream_deadline,
        ),
        probe_deadline: section.seconds("probe_deadline_seconds", 1..=300, d.probe_deadline),
        probe_pause: section.seconds("probe_pause_seconds", 0..=60, d.probe_pause),
        takeover_deadline: section.seconds(
            "takeover_deadline_seconds",
            1..=600,
            d.takeover_deadline,
        ),
        slow_hashes_max: count(section, "slow_hashes_max", 1..=1024, d.slow_hashes_max),
        hash_deadline: section.seconds("hash_deadline_seconds", 1..=300, d.hash_deadline),
        hashes_remembered_max: count(
            section,
            "hashes_remembered_max",
            0..=10_000_000,
            d.hashes_remembered_max,
        ),
        calls_queued_max: count(section, "calls_queued_max", 0..=1024, d.calls_queued_max),
        calls_queued_bytes_max: count(
            section,
            "calls_queued_bytes_max",
            1024..=16_777_216,
            d.calls_queued_bytes_max,
        ),
        control_frames_max: small(section, "control_frames_max", d.control_frames_max),
        accept_backlog: small(section, "accept_backlog", d.accept_backlog),
        ..d
    }
}

/// The old connection is asked, and then closed, before the new one is let in.
fn must_allow_takeovers(section: &Section<'_>, limits: &GateLimits, session: &SessionSettings) {
    let takeover_min = limits.probe_deadline + session.close_deadline;
    if limits.takeover_deadline < takeover_min {
        section.problem(
            section.line,
            "a dead connection could not be taken over within takeover_deadline_seconds",
            format!(
                "Choose at least {}: probe_deadline_seconds and close_deadline_seconds together.",
                takeover_min.as_secs()
            ),
        );
    }
}

/// How many failed attempts are borne, from whom.
pub(super) fn attempts(mut section: Section<'_>) -> AttemptLimits {
    let d = AttemptLimits::default();
    let attempts = AttemptLimits {
        source_failures_max: small(&mut section, "source_failures_max", d.source_failures_max),
        source_refill: section.seconds("source_refill_seconds", 1..=3600, d.source_refill),
        pair_failures_max: small(&mut section, "pair_failures_max", d.pair_failures_max),
        pair_refill: section.seconds("pair_refill_seconds", 1..=3600, d.pair_refill),
        delay_max: section.seconds("delay_max_seconds", 0..=60, d.delay_max),
        sources_max: count(&mut section, "sources_max", 1..=1_000_000, d.sources_max),
        pairs_known_max: count(
            &mut section,
            "pairs_known_max",
            0..=10_000_000,
            d.pairs_known_max,
        ),
    };
    section.finish();
    attempts
}

/// Over which time a fleet is sent away unless set otherwise.
const DRAIN: Duration = Duration::from_secs(20);

/// Pings, idleness and farewells; and over which time a fleet is sent away.
pub(super) fn session(mut section: Section<'_>) -> (SessionSettings, Duration) {
    let d = SessionSettings::default();
    let session = SessionSettings {
        ping_after: section.seconds("ping_after_seconds", 1..=DAY, d.ping_after),
        pong_deadline: section.seconds("pong_deadline_seconds", 1..=3600, d.pong_deadline),
        idle_after: section.seconds("idle_after_seconds", 10..=7 * DAY, d.idle_after),
        message_deadline: section.seconds("message_deadline_seconds", 1..=3600, d.message_deadline),
        compression: section.choice(
            "compression",
            &[("on", true), ("off", false)],
            d.compression,
        ),
        close_deadline: section.seconds("close_deadline_seconds", 1..=300, d.close_deadline),
    };
    let drain = section.seconds("drain_seconds", 0..=600, DRAIN);
    section.finish();
    (session, drain)
}

fn count(
    section: &mut Section<'_>,
    key: &'static str,
    bounds: std::ops::RangeInclusive<u64>,
    default: usize,
) -> usize {
    usize::try_from(section.number(key, bounds, default as u64)).unwrap_or(default)
}

fn small(section: &mut Section<'_>, key: &'static str, default: u32) -> u32 {
    u32::try_from(section.number(key, 1..=65_535, u64::from(default))).unwrap_or(default)
}

/// `[refused]`: transaction messages that were refused.
pub(super) fn refused(mut section: Section<'_>) -> RefusedSettings {
    let mut days = |key, default| {
        let days = section.number(key, 1..=3650, default);
        Duration::from_secs(days * DAY)
    };
    let (keep, keep_settled) = (days("keep_days", 90), days("settled_days", 365));
    let room = RefusedRoom {
        all: section.number("messages_max", 1..=1_000_000, 10_000),
        of_a_station: section.number("station_messages_max", 1..=1_000_000, 200),
    };
    section.finish();
    RefusedSettings {
        keep,
        keep_settled,
        room,
    }
}
