//! What the gate is told at start, and again when it is reloaded. Files have been read by then:
//! certificates and keys arrive as PEM.

use std::collections::{BTreeSet, HashMap};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use guard::admission::{CertificateRules, Exceptions};
use guard::attempts::AttemptLimits;
use guard::{Network, OnWeakPassword, PasswordRules, RouteId, Secret};
use ocpp::StationId;

use crate::lessons::LessonSender;

/// Everything but stations, routes and policy, which come as snapshots of their own.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Where stations come in.
    pub listeners: Vec<ListenerSettings>,
    /// How each route's CSMS is reached; a route that is not named gets the defaults.
    pub upstreams: HashMap<RouteId, UpstreamSettings>,
    /// Bounds on what strangers may cost us.
    pub limits: GateLimits,
    /// How many failed attempts are borne, from whom.
    pub attempts: AttemptLimits,
    /// Identities that no station has: whoever asks for one is trying identities out. They are never
    /// let in, registered or not.
    pub canaries: BTreeSet<StationId>,
    /// What is made of stations' passwords beyond the proof.
    pub passwords: PasswordSettings,
    /// Sources for which no cap of one source holds: load balancers that do not speak the PROXY
    /// protocol, and networks of the operator's own.
    pub exempt_sources: Vec<Network>,
    /// Who comes in by exception.
    pub exceptions: Arc<Exceptions>,
    /// Pings, idleness and farewells.
    pub session: SessionSettings,
    /// Threads that relay, each with its own connections; 0: one for each processor.
    pub workers: usize,
}

/// What is made of stations' passwords beyond the proof.
#[derive(Clone, Debug)]
pub struct PasswordSettings {
    /// By which they are judged; `None`: they are not.
    pub rules: Option<Arc<PasswordRules>>,
    /// What is done with a weak one.
    pub weak: OnWeakPassword,
    /// How long an old credential is good beside the one that the station has been given.
    pub change_time: Duration,
    /// Who keeps what is learnt; `None`: nobody.
    pub lessons: Option<LessonSender>,
}

impl Default for PasswordSettings {
    fn default() -> PasswordSettings {
        PasswordSettings {
            rules: None,
            weak: OnWeakPassword::default(),
            change_time: PasswordSettings::CHANGE_TIME,
            lessons: None,
        }
    }
}

impl PasswordSettings {
    /// Unless set otherwise: a station that is out of reach over a weekend comes back with either.
    pub const CHANGE_TIME: Duration = Duration::from_secs(72 * 3600);

    /// The rules hang on the key file, and the lessons on whoever keeps the register: neither changes
    /// while the gate runs.
    pub(crate) fn keep_what_stays(&mut self, before: &PasswordSettings) {
        self.rules.clone_from(&before.rules);
        self.lessons.clone_from(&before.lessons);
    }
}

/// One address that stations connect to.
#[derive(Clone, Debug)]
pub struct ListenerSettings {
    /// Address and port; port 0 takes a free one.
    pub address: SocketAddr,
    /// TLS, or `None` for a trusted network (security profile 1).
    pub tls: Option<TlsSettings>,
    /// Load balancers: who connects from there must say by the PROXY protocol for whom.
    pub proxy_protocol_from: Vec<Network>,
}

/// TLS towards stations. TLS 1.2 and 1.3; TLS 1.0, 1.1 and static-RSA suites are not offered.
#[derive(Clone, Debug)]
pub struct TlsSettings {
    /// Certificates, tried in order by what the station's ClientHello can verify: an ECDSA and an
    /// RSA one, side by side.
    pub identities: Vec<PemIdentity>,
    /// Roots that client certificates must lead to, as PEM; `None`: none is asked for.
    pub client_ca: Option<Vec<u8>>,
    /// What is asked of a client certificate on every connection, resumed or not. Whoever keeps the
    /// other end may change it while the gate runs.
    pub certificate_rules: Arc<ArcSwap<CertificateRules>>,
}

/// A certificate chain and its private key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PemIdentity {
    /// The chain, leaf first.
    pub chain: Vec<u8>,
    /// The key: PKCS#8, PKCS#1 or SEC1.
    pub key: Secret,
}

/// How a route's CSMS is reached.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct UpstreamSettings {
    /// Roots that the CSMS's certificate must lead to, as PEM; `None`: those of the system.
    pub ca: Option<Vec<u8>>,
    /// A client certificate to show the CSMS.
    pub identity: Option<PemIdentity>,
    /// Local addresses to connect from, in turn: one address pair carries about 28,000 connections.
    pub bind: Vec<IpAddr>,
    /// A header in which the CSMS wants the station's certificate as percent-encoded PEM (SteVe).
    pub certificate_header: Option<String>,
    /// The CSMS is offered permessage-deflate.
    pub compression: bool,
}

/// Bounds on what strangers may cost us; every one has a name, a unit and a default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GateLimits {
    /// Connections of one worker, handshakes included.
    pub connections_max: usize,
    /// Connections that wait in one worker: for their peer's first words, or for a place among the
    /// handshakes. Beyond it, one of the source with the most is closed at once.
    pub waiting_max: usize,
    /// Waiting for a place; each connection waits for a random part of it, no less than half, so that
    /// those turned away together do not come back together.
    pub waiting_deadline: Duration,
    /// Handshakes under way in one worker.
    pub handshakes_max: usize,
    /// Handshakes of one source (an IPv4 address, or an IPv6 network of /64) in one worker.
    pub handshakes_per_source_max: usize,
    /// While others wait for a place, a handshake may take so long over TLS, and over its request.
    pub handshake_grace: Duration,
    /// Connections of one source in the whole gate, sessions included. Whole fleets share the address
    /// of their mobile network.
    pub connections_per_source_max: usize,
    /// TLS 1.2 sessions of one listener that can be resumed by number, by stations that know no
    /// tickets (about 2 kB each where stations show certificates). A ticket costs no memory.
    pub tls12_sessions_max: usize,
    /// From accept to the end of a load balancer's PROXY header.
    pub proxy_deadline: Duration,
    /// From accept, or from there, to the end of TLS.
    pub tls_deadline: Duration,
    /// From the end of TLS to a complete request head.
    pub head_deadline: Duration,
    /// For connection, TLS and upgrade towards the CSMS together.
    pub upstream_deadline: Duration,
    /// A live session whose station comes anew shows a sign of life within this time, or is ended.
    pub probe_deadline: Duration,
    /// A session that has shown one is not asked again within this time.
    pub probe_pause: Duration,
    /// From the newcomer's credential to its place: the sign of life and the end of the old session,
    /// its upstream included. Longer than `probe_deadline` and [`SessionSettings::close_deadline`]
    /// together, since a dead session needs both.
    pub takeover_deadline: Duration,
    /// argon2 runs under way at once in the whole gate (each takes 19 MiB).
    pub slow_hashes_max: usize,
    /// Waiting for a turn to hash a password slowly.
    pub hash_deadline: Duration,
    /// Stations whose slow password check is remembered in memory (80 bytes each).
    pub hashes_remembered_max: usize,
    /// Calls of one direction that wait for the one in flight.
    pub calls_queued_max: usize,
    /// Bytes of such calls together.
    pub calls_queued_bytes_max: usize,
    /// Pings and pongs of one side in one ping interval.
    pub control_frames_max: u32,
    /// The kernel's queue of connections not yet accepted.
    pub accept_backlog: u32,
}

impl GateLimits {
    /// Takes over from a running gate what stays as it is until the next start: the bounds of what
    /// has been made by then.
    pub(crate) fn keep_what_stays(&mut self, running: &GateLimits) {
        self.connections_max = running.connections_max;
        self.waiting_max = running.waiting_max;
        self.handshakes_max = running.handshakes_max;
        self.handshakes_per_source_max = running.handshakes_per_source_max;
        self.handshake_grace = running.handshake_grace;
        self.tls12_sessions_max = running.tls12_sessions_max;
        self.slow_hashes_max = running.slow_hashes_max;
        self.hashes_remembered_max = running.hashes_remembered_max;
        self.accept_backlog = running.accept_backlog;
    }
}

impl Default for GateLimits {
    fn default() -> GateLimits {
        GateLimits {
            connections_max: 60_000,
            waiting_max: 16_384,
            waiting_deadline: Duration::from_secs(30),
            handshakes_max: 512,
            handshakes_per_source_max: 256,
            handshake_grace: Duration::from_secs(4),
            connections_per_source_max: 1_000_000,
            proxy_deadline: Duration::from_secs(5),
            tls12_sessions_max: 20_000,
            tls_deadline: Duration::from_secs(10),
            head_deadline: Duration::from_secs(10),
            upstream_deadline: Duration::from_secs(10),
            probe_deadline: Duration::from_secs(5),
            probe_pause: Duration::from_secs(1),
            takeover_deadline: Duration::from_secs(15),
            slow_hashes_max: 2,
            hash_deadline: Duration::from_secs(20),
            hashes_remembered_max: 100_000,
            calls_queued_max: 32,
            calls_queued_bytes_max: 64 << 10,
            control_frames_max: 600,
            accept_backlog: 4096,
        }
    }
}

/// Pings, idleness and farewells. Each hop is watched for itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionSettings {
    /// A hop that has been silent for this long gets a ping.
    pub ping_after: Duration,
    /// A hop that then stays silent for this long is dead.
    pub pong_deadline: Duration,
    /// A station that says nothing but pongs for this long is disconnected; never less than twice
    /// the longest Heartbeat interval its CSMS has given it.
    pub idle_after: Duration,
    /// A message that has begun must end within this time, however it is cut (threat A19).
    pub message_deadline: Duration,
    /// Stations that offer permessage-deflate get it.
    pub compression: bool,
    /// What a peer gets to answer a close frame before its socket is closed.
    pub close_deadline: Duration,
}

impl Default for SessionSettings {
    fn default() -> SessionSettings {
        SessionSettings {
            ping_after: Duration::from_secs(60),
            pong_deadline: Duration::from_secs(20),
            idle_after: Duration::from_secs(3600),
            message_deadline: Duration::from_secs(120),
            compression: true,
            close_deadline: Duration::from_secs(5),
        }
    }
}
