//! What is different between two configurations, by the names that an operator knows.

use gateway::{ListenerSettings, Settings};

use crate::config::{Config, Listener};

/// What changes while the gate runs.
pub(super) fn between(old: &Config, was: &Settings, new: &Config, is: &Settings) -> Vec<String> {
    let parts = [
        ("[controls], [messages]", old.policy != new.policy),
        ("[limits]", old.limits != new.limits),
        (
            "[limits] exempt_sources",
            was.exempt_sources != is.exempt_sources,
        ),
        ("[attempts]", old.attempts != new.attempts),
        ("[[exception]]", was.exceptions != is.exceptions),
        ("[canaries]", old.canaries != new.canaries),
        (
            "[session]",
            (&old.session, old.drain) != (&new.session, new.drain),
        ),
        ("[passwords]", old.passwords != new.passwords),
        ("[log] level", old.log.level != new.log.level),
        (
            "[admin] look_every_seconds",
            old.look_every != new.look_every,
        ),
        (
            "[store] disk_free_min_mb",
            old.disk_free_min_mb != new.disk_free_min_mb,
        ),
    ];
    let mut changed: Vec<String> = named(&parts);
    for listener in &is.listeners {
        let address = listener.address;
        let is_it = |was: &&ListenerSettings| {
            (was.address, was.tls.is_some()) == (address, listener.tls.is_some())
        };
        if let Some(before) = was.listeners.iter().find(is_it) {
            let parts = of_listener(before, listener);
            let parts = parts.into_iter().filter(|(_, differs)| *differs);
            changed.extend(parts.map(|(part, _)| format!("{part} of listener {address}")));
        }
    }
    for (old, new) in both(&old.listeners, &new.listeners) {
        if old.client != new.client {
            changed.push(format!(
                "what listener {} asks of client certificates",
                new.address.value
            ));
        }
    }
    for (route, upstream) in &is.upstreams {
        let before = was.upstreams.get(route);
        if before.is_some_and(|before| before != upstream) {
            changed.push(format!("TLS and addresses of route {}", route.0));
        }
    }
    changed.sort_unstable();
    changed
}

fn of_listener(old: &ListenerSettings, new: &ListenerSettings) -> [(&'static str, bool); 3] {
    let identities = |one: &ListenerSettings| one.tls.as_ref().map(|tls| tls.identities.clone());
    let client_ca = |one: &ListenerSettings| one.tls.as_ref().map(|tls| tls.client_ca.clone());
    [
        ("certificates", identities(old) != identities(new)),
        ("client CA", client_ca(old) != client_ca(new)),
        (
            "load balancers",
            old.proxy_protocol_from != new.proxy_protocol_from,
        ),
    ]
}

fn both<'c>(
    old: &'c [Listener],
    new: &'c [Listener],
) -> impl Iterator<Item = (&'c Listener, &'c Listener)> {
    new.iter().filter_map(|new| {
        let mut old = old.iter();
        let old =
            old.find(|old| (old.address.value, old.plain) == (new.address.value, new.plain))?;
        Some((old, new))
    })
}

/// What the file says otherwise than the process was started with, and is only read at a start.
pub(super) fn for_the_next_start(started: &Config, now: &Config) -> Vec<String> {
    let (was, is) = (&started.limits, &now.limits);
    let (tried, tries) = (&started.attempts, &now.attempts);
    let listeners = |config: &Config| {
        let listeners = config.listeners.iter();
        listeners
            .map(|listener| (listener.address.value, listener.plain))
            .collect::<Vec<_>>()
    };
    let parts = [
        ("listeners", listeners(started) != listeners(now)),
        ("[store] path", started.store.value != now.store.value),
        ("[keys] file", started.key_file.value != now.key_file.value),
        ("[admin] address", started.admin.value != now.admin.value),
        ("[log] format", started.log.json != now.log.json),
        ("[refused]", started.refused != now.refused),
        ("[journal]", recorded(started) != recorded(now)),
        ("[limits] workers", started.workers != now.workers),
        (
            "[limits] events_queued_max",
            started.events_queued_max != now.events_queued_max,
        ),
        (
            "[limits] connections_max",
            was.connections_max != is.connections_max,
        ),
        (
            "[limits] handshakes_max",
            was.handshakes_max != is.handshakes_max,
        ),
        ("[limits] waiting_max", was.waiting_max != is.waiting_max),
        (
            "[limits] handshakes_per_source_max",
            was.handshakes_per_source_max != is.handshakes_per_source_max,
        ),
        (
            "[limits] handshake_grace_seconds",
            was.handshake_grace != is.handshake_grace,
        ),
        (
            "[limits] tls12_sessions_max",
            was.tls12_sessions_max != is.tls12_sessions_max,
        ),
        (
            "[limits] slow_hashes_max",
            was.slow_hashes_max != is.slow_hashes_max,
        ),
        (
            "[limits] hashes_remembered_max",
            was.hashes_remembered_max != is.hashes_remembered_max,
        ),
        (
            "[limits] accept_backlog",
            was.accept_backlog != is.accept_backlog,
        ),
        (
            "[attempts] sources_max",
            tried.sources_max != tries.sources_max,
        ),
        (
            "[attempts] pairs_known_max",
            tried.pairs_known_max != tries.pairs_known_max,
        ),
    ];
    named(&parts)
}

fn named(parts: &[(&str, bool)]) -> Vec<String> {
    let differing = parts.iter().filter(|(_, differs)| *differs);
    differing.map(|(part, _)| (*part).to_owned()).collect()
}

/// What is said of the record, whole; the root's own text is in none of it.
fn recorded(config: &Config) -> String {
    format!("{:?}", config.journal)
}
