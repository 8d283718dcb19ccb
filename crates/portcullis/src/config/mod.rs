//! `portcullis.toml`: what the operator wrote, read whole. Everything that is wrong with it is told
//! at once, each problem with its line and its remedy; what is returned is right, as far as a text
//! can be. Whether the files it names are, [`Materials`] tells.

mod bounds;
mod exception;
mod journal;
mod listener;
mod materials;
mod passwords;
mod policy;
mod revocation;
mod route;
pub(crate) mod rules;
mod scope;
mod source;
mod stamp;
mod table;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use gateway::{GateLimits, SessionSettings};
use guard::attempts::AttemptLimits;
use guard::{Network, Policy};
use ocpp::{StationId, Version};
use store::RefusedRoom;

pub use exception::ExceptionSettings;
pub(crate) use exception::kind as exception_kind;
pub use journal::JournalConfig;
pub use listener::{ClientRules, IdentityFiles, Listener};
pub use materials::{CertificateDates, Materials};
pub use passwords::PasswordConfig;
pub(crate) use revocation::ListFile;
pub use revocation::ListenerLists;
pub(crate) use route::TENANT;
pub use route::{RouteCredential, RouteSettings};
pub use source::Placed;

pub(crate) use stamp::Stamp;

use crate::Problem;
use rules::RuleSources;
use source::Source;
use table::Section;
use toml::de::DeTable;

/// A configuration with every setting, to start from.
pub(crate) const EXAMPLE: &str = include_str!("example.toml");

/// A configuration file is a few hundred lines at most; more is another file.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Where the admin listener is unless set otherwise: this machine alone.
const ADMIN_ADDRESS: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 9180);

/// Where the store is unless set otherwise.
const STORE: &str = "portcullis.db";

/// How often the running gate looks at what it needs, unless set otherwise.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// Everything the file says.
#[derive(Clone, Debug)]
pub struct Config {
    /// The file, as it was named to us.
    pub name: String,
    /// The SQLite database.
    pub store: Placed<PathBuf>,
    /// The key file.
    pub key_file: Placed<PathBuf>,
    /// Where `/healthz`, `/readyz` and `/metrics` are served.
    pub admin: Placed<SocketAddr>,
    /// How often certificates, disk and CSMS are looked at.
    pub look_every: Duration,
    /// Where stations come in.
    pub listeners: Vec<Listener>,
    /// Which path leads to which CSMS.
    pub routes: Vec<RouteSettings>,
    /// Who may come in clear text, or without a credential.
    pub exceptions: Vec<ExceptionSettings>,
    /// What strangers may cost us.
    pub limits: GateLimits,
    /// Sources for which no cap of one source holds.
    pub exempt_sources: Vec<Network>,
    /// How many failed attempts are borne, from whom.
    pub attempts: AttemptLimits,
    /// Identities that no station has.
    pub canaries: BTreeSet<StationId>,
    /// What is made of stations' passwords.
    pub passwords: PasswordConfig,
    /// Events that wait to be told; more are counted and dropped.
    pub events_queued_max: usize,
    /// Megabytes that must be free where the store is, or the gate says so.
    pub disk_free_min_mb: u64,
    /// Pings, idleness and farewells.
    pub session: SessionSettings,
    /// Over which time stations are sent away when the gate stops or their way changes.
    pub drain: Duration,
    /// Controls, time-outs and sizes of messages.
    pub policy: Policy,
    /// How long refused transaction messages are kept, and how many.
    pub refused: RefusedSettings,
    /// Where the policy's rules come from.
    pub(crate) rules: RuleSources,
    /// Threads that relay; 0: one for each processor.
    pub workers: usize,
    /// How the log is written.
    pub log: Log,
    /// The record, where one is kept.
    pub journal: Option<JournalConfig>,
}

/// How long refused transaction messages are kept, and how many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedSettings {
    /// One that nobody has looked at is forgotten then.
    pub keep: Duration,
    /// What became of one is remembered for that long.
    pub keep_settled: Duration,
    /// That many wait for somebody, in all and of one station; more are counted and lost.
    pub room: RefusedRoom,
}

/// How the log is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// What is told.
    pub level: LogLevel,
    /// For people or for machines.
    pub json: bool,
}

/// What is told in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogLevel {
    /// Only what is broken.
    Error,
    /// And what will break.
    Warn,
    /// And who comes, goes, and is refused.
    Info,
    /// And every message.
    Debug,
}

impl Config {
    /// The configuration file and those it names, but for the revocation lists, which are watched
    /// for themselves.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let pair = |files: &IdentityFiles| [files.chain.value.clone(), files.key.value.clone()];
        let mut files = vec![PathBuf::from(&self.name)];
        for listener in &self.listeners {
            files.extend(listener.certificates.iter().flat_map(pair));
            files.extend(listener.client_ca.as_ref().map(|file| file.value.clone()));
        }
        for route in &self.routes {
            files.extend(route.ca.as_ref().map(|file| file.value.clone()));
            files.extend(route.client_certificate.iter().flat_map(pair));
            if let RouteCredential::Fixed(file) = &route.credential {
                files.push(file.value.clone());
            }
        }
        files.extend(self.rules.paths());
        files
    }

    /// Reads the configuration file.
    pub fn load(path: &Path) -> Result<Config, Vec<Problem>> {
        let name = path.display().to_string();
        let unreadable =
            |what: String, remedy: &str| vec![Problem::new(what, remedy).in_file(name.clone())];
        let length = std::fs::metadata(path).map(|meta| meta.len());
        if length.is_ok_and(|length| length > FILE_BYTES_MAX) {
            return Err(unreadable(
                format!("the file is longer than {FILE_BYTES_MAX} bytes"),
                "Name the configuration file; `portcullis init` writes one to start from.",
            ));
        }
        let bytes = std::fs::read(path).map_err(|error| {
            unreadable(
                format!("cannot be read: {error}"),
                "`portcullis init` writes a configuration to start from; `--config` names another.",
            )
        })?;
        let text = String::from_utf8(bytes).map_err(|error| {
            let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            let line = 1 + valid.iter().filter(|byte| **byte == b'\n').count();
            vec![
                Problem::new("this line is not UTF-8", "Save the file as UTF-8.")
                    .in_file(name.clone())
                    .at_line(line),
            ]
        })?;
        let directory = path.parent().unwrap_or(Path::new(""));
        let mut config = Config::read(&name, &text, directory)?;
        if config.rules.has_files() {
            config.policy.rules = config.rules.read(&name)?;
        }
        Ok(config)
    }

    /// Where the store is, also when the rest of the file is wrong.
    pub(crate) fn store_path(path: &Path) -> Result<PathBuf, Vec<Problem>> {
        let problems = match Config::load(path) {
            Ok(config) => return Ok(config.store.value),
            Err(problems) => problems,
        };
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let (document, _) = DeTable::parse_recoverable(&text);
        let store = document.get_ref().get("store");
        let named = store.and_then(|store| store.get_ref().get("path"));
        let named = named.and_then(|path| path.get_ref().as_str());
        let directory = path.parent().unwrap_or(Path::new(""));
        let store = located(directory, named.unwrap_or(STORE));
        match store.exists() {
            true => Ok(store),
            false => Err(problems),
        }
    }

    /// Reads the text of a configuration file. Paths in it are meant from `directory`.
    pub fn read(name: &str, text: &str, directory: &Path) -> Result<Config, Vec<Problem>> {
        let source = Source::new(name, text);
        // What a broken line would have set is not missing as well: one mistake, one problem.
        let document = source.document("`portcullis init`");
        let config = document.map(|document| sections(&source, document.get_ref(), directory));
        let problems = source.problems();
        match config {
            Some(config) if problems.is_empty() => {
                let mut config = Config {
                    name: name.to_owned(),
                    ..config
                };
                config.policy.rules = config.rules.without_files()?;
                Ok(config)
            }
            _ => Err(problems),
        }
    }
}

fn sections<'s>(source: &'s Source<'s>, document: &'s DeTable<'s>, directory: &Path) -> Config {
    let mut root = Section::new(source, "", document);

    let mut section = root.section("store");
    let store = file(&mut section, "path", STORE, directory);
    let disk_free_min_mb = section.number("disk_free_min_mb", 1..=1_000_000, 256);
    section.finish();

    let mut section = root.section("keys");
    let key_file = file(&mut section, "file", "keys/portcullis.key", directory);
    section.finish();

    let (admin, look_every) = admin(root.section("admin"));
    let log = log(root.section("log"));
    let listeners = listener::listeners(&mut root, directory);
    let routes = route::routes(&mut root, directory);
    route::tell_pointless_organizations(&root, &routes, &listeners);
    let exceptions = exception::exceptions(&mut root, directory);
    let attempts = bounds::attempts(root.section("attempts"));
    let canaries = canaries(root.section("canaries"));
    let passwords = passwords::passwords(root.section("passwords"));
    let (session, drain) = bounds::session(root.section("session"));
    let mut section = root.section("limits");
    let exempt_sources = listener::networks(&mut section, "exempt_sources");
    let (limits, events_queued_max, workers) = bounds::limits(section, &session);
    let refused = bounds::refused(root.section("refused"));
    let policy = policy::policy(
        root.section("controls"),
        root.section("messages"),
        root.section("rates"),
        scope::scopes(&mut root),
    );
    let policy = Policy {
        times: policy::times(root.section("timestamps")),
        backends: policy::backends(root.section("backend_urls")),
        ..policy
    };
    let rules = rules::sources(&mut root, source.name(), directory);
    let journal = journal::journal(root.section("journal"), directory);
    root.finish();
    Config {
        name: String::new(),
        store,
        key_file,
        admin,
        look_every,
        listeners,
        routes,
        exceptions,
        limits,
        exempt_sources,
        attempts,
        canaries,
        passwords,
        events_queued_max,
        disk_free_min_mb,
        session,
        drain,
        policy,
        refused,
        rules,
        workers,
        log,
        journal,
    }
}

/// Begins the name of a file that systemd hands to the service (`LoadCredential=`).
const CREDENTIAL: &str = "credential:";
/// Where systemd puts them for our unit, for whoever asks from outside of it.
const CREDENTIALS: &str = "/run/credentials/portcullis.service";

/// Where a file is that the configuration names: from the directory of the configuration, or among
/// the credentials that systemd hands to the service.
fn located(directory: &Path, name: &str) -> PathBuf {
    match name.strip_prefix(CREDENTIAL) {
        None => directory.join(name),
        Some(credential) => {
            let handed = std::env::var_os("CREDENTIALS_DIRECTORY");
            let credentials = handed.map_or_else(|| PathBuf::from(CREDENTIALS), PathBuf::from);
            // A name, not a way out of the directory.
            credentials.join(Path::new(credential).file_name().unwrap_or_default())
        }
    }
}

/// A file that the configuration names, from the directory it lies in.
fn file(
    section: &mut Section<'_>,
    key: &'static str,
    default: &str,
    directory: &Path,
) -> Placed<PathBuf> {
    let line = section.line;
    match section.text(key) {
        Some(text) => text.with(located(directory, &text.value)),
        None => Placed {
            value: directory.join(default),
            line,
        },
    }
}

/// Where the admin listener is, and how often it looks at what it tells of.
fn admin(mut section: Section<'_>) -> (Placed<SocketAddr>, Duration) {
    let line = section.line;
    let text = section.text("address");
    let address = text
        .as_ref()
        .map(|text| (text, text.value.parse::<SocketAddr>()));
    let admin = match address {
        None => Placed {
            value: ADMIN_ADDRESS,
            line,
        },
        Some((text, Ok(address))) => text.with(address),
        Some((text, Err(_))) => {
            section.problem(
                text.line,
                format!(
                    "`address` is \"{}\", which is no address with a port",
                    text.value
                ),
                format!("Write it like \"{ADMIN_ADDRESS}\"."),
            );
            text.with(ADMIN_ADDRESS)
        }
    };
    let anywhere = section.flag("anywhere", false);
    if !anywhere && !admin.value.ip().is_loopback() {
        section.problem(
            admin.line,
            format!(
                "the admin listener asks for no password, and {} is not this machine",
                admin.value.ip()
            ),
            "Use 127.0.0.1, or, where a firewall stands before it, add: anywhere = true",
        );
    }
    let look_every = section.seconds("look_every_seconds", 1..=3600, LOOK_EVERY);
    section.finish();
    (admin, look_every)
}

/// Identities that no station has.
fn canaries(mut section: Section<'_>) -> BTreeSet<StationId> {
    let mut canaries = BTreeSet::new();
    for text in section.texts("identities") {
        // The widest alphabet: a canary may look like any station.
        match StationId::parse(&text.value, Version::V16) {
            Ok(identity) => {
                canaries.insert(identity);
            }
            Err(why) => section.problem(
                text.line,
                format!("\"{}\" cannot be an identity: {why}", text.value),
                "Write it as your stations' identities look, so that a guesser would try it.",
            ),
        }
    }
    section.finish();
    canaries
}

fn log(mut section: Section<'_>) -> Log {
    let levels = [
        ("error", LogLevel::Error),
        ("warn", LogLevel::Warn),
        ("info", LogLevel::Info),
        ("debug", LogLevel::Debug),
    ];
    let level = section.choice("level", &levels, LogLevel::Info);
    let json = section.choice("format", &[("text", false), ("json", true)], false);
    section.finish();
    Log { level, json }
}
