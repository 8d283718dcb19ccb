//! `[[exception]]`: who may come in clear text, or without a credential, until when, and what must be
//! to be seen of it instead.

use std::path::{Path, PathBuf};

use guard::admission::{BootDemand, ExceptionKind, Stations};
use guard::{Network, TlsFingerprint, UnixMillis};
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::listener::networks;
use super::located;
use super::route::{TENANT, check_name};
use super::source::Placed;
use super::table::Section;

/// One exception as it is written; its secret is still in its file.
#[derive(Clone, Debug)]
pub struct ExceptionSettings {
    /// Where it stands.
    pub line: usize,
    /// What need not be there.
    pub kind: ExceptionKind,
    /// Whose stations it is for.
    pub tenant: String,
    /// Which of them.
    pub stations: Stations,
    /// Its last day, by UTC.
    pub until: Date,
    /// Where the station must come from.
    pub networks: Vec<Network>,
    /// The file with the secret that must stand in the path.
    pub path_secret: Option<Placed<PathBuf>>,
    /// How its TLS must look.
    pub tls_fingerprints: Vec<TlsFingerprint>,
    /// What its BootNotification must say.
    pub boot: Option<BootDemand>,
    /// Why it is there.
    pub reason: String,
}

impl ExceptionSettings {
    /// The moment from which on it lets nobody in.
    pub fn ends(&self) -> UnixMillis {
        let midnight = self.until.saturating_add(jiff::Span::new().days(1));
        let midnight = midnight.to_zoned(TimeZone::UTC);
        UnixMillis(midnight.map_or(0, |at| at.timestamp().as_millisecond()))
    }

    /// Whole days that are left of it, the last one included; none when it is over.
    pub(crate) fn days_left(&self, now: i64) -> i64 {
        let seconds = self.ends().0 / 1000 - now;
        seconds.max(0).div_euclid(DAY) + i64::from(seconds.max(0) % DAY > 0)
    }

    /// What it is called wherever it is spoken of.
    pub(crate) fn name(&self) -> String {
        format!("exception on line {} ({})", self.line, kind(self.kind))
    }
}

const DAY: i64 = 86_400;

const KINDS: [(&str, ExceptionKind); 3] = [
    ("plain", ExceptionKind::Plain),
    ("plain-basic", ExceptionKind::PlainBasic),
    ("tls-open", ExceptionKind::TlsOpen),
];

/// A kind as it is written.
pub(crate) fn kind(kind: ExceptionKind) -> &'static str {
    let mut kinds = KINDS.iter();
    kinds
        .find(|(_, one)| *one == kind)
        .map_or("", |(word, _)| word)
}

pub(super) fn exceptions(root: &mut Section<'_>, directory: &Path) -> Vec<ExceptionSettings> {
    let sections = root.sections("exception");
    let read = |mut section: Section<'_>| {
        let exception = exception(&mut section, directory);
        section.finish();
        exception
    };
    sections.into_iter().filter_map(read).collect()
}

fn exception(section: &mut Section<'_>, directory: &Path) -> Option<ExceptionSettings> {
    let line = section.line;
    let named = section.needed_text("kind", "tls-open").is_some();
    let kind = section.choice("kind", &KINDS, ExceptionKind::TlsOpen);
    let tenant = section.text("tenant");
    if let Some(tenant) = &tenant {
        check_name(section, tenant);
    }
    let stations = stations(section);
    let until = last_day(section);
    let networks = networks(section, "networks");
    if let Some(network) = networks.iter().find(|network| network.is_everywhere()) {
        section.problem(
            line,
            format!("`networks` holds {network}, in which every address lies: that checks nothing"),
            "Name the networks that these stations come from, or remove the line and ask for something else that is to be seen of them.",
        );
    }
    let path_secret = section.text("path_secret_file");
    let path_secret = path_secret.map(|text| text.with(located(directory, &text.value)));
    let tls_fingerprints = fingerprints(section, kind);
    let boot = boot(section.section("boot"));
    let reason = section.needed_text("reason", "replaced in spring 2027");
    let unchecked = networks.is_empty()
        && path_secret.is_none()
        && tls_fingerprints.is_empty()
        && boot.is_none();
    if named && unchecked && kind != ExceptionKind::PlainBasic {
        section.problem(
            line,
            "this exception asks for nothing at all, so whoever knows an identity is that station",
            "Add what is to be seen of these stations: networks = [\"…\"], path_secret_file = \"…\", tls_fingerprints = [\"…\"] or boot = { maker = \"…\" }",
        );
    }
    Some(ExceptionSettings {
        line,
        kind,
        tenant: tenant.map_or_else(|| TENANT.to_owned(), |text| text.value),
        stations: stations?,
        until: until?,
        networks,
        path_secret,
        tls_fingerprints,
        boot,
        reason: reason?.value,
    })
}

fn stations(section: &mut Section<'_>) -> Option<Stations> {
    let named = section.texts("stations");
    let maker = section.text("maker").map(|text| text.value);
    let model = section.text("model").map(|text| text.value);
    let of_model = maker.is_some() || model.is_some();
    if named.is_empty() != of_model {
        let (what, remedy) = match of_model {
            true => (
                "an exception is for stations or for a model, not for both",
                "Write two exceptions.",
            ),
            false => (
                "nobody is named whom this exception is for",
                "Add: stations = [\"CP-0001\", \"OLD-*\"], or, of the register: maker = \"…\" and model = \"…\"",
            ),
        };
        section.problem(section.line, what, remedy);
        return None;
    }
    Some(match of_model {
        true => Stations::Model { maker, model },
        false => Stations::Named(named.iter().map(|text| text.value.as_str()).collect()),
    })
}

fn last_day(section: &mut Section<'_>) -> Option<Date> {
    let text = section.needed_text("until", "2027-03-31")?;
    let day = text.value.parse().ok();
    if day.is_none() {
        section.problem(
            text.line,
            format!("`until` is \"{}\", which is no day", text.value),
            "Write the last day, by UTC, like \"2027-03-31\".",
        );
    }
    day
}

fn fingerprints(section: &mut Section<'_>, kind: ExceptionKind) -> Vec<TlsFingerprint> {
    let mut fingerprints = Vec::new();
    for text in section.texts("tls_fingerprints") {
        if kind != ExceptionKind::TlsOpen {
            section.problem(
                text.line,
                "`tls_fingerprints` asks for TLS, and this exception is for clear text",
                "Remove the line, or set: kind = \"tls-open\"",
            );
            return Vec::new();
        }
        match text.value.parse() {
            Ok(fingerprint) => fingerprints.push(fingerprint),
            Err(why) => section.problem(
                text.line,
                format!("\"{}\" is no TLS fingerprint: {why}", text.value),
                "Take it from `portcullis session list --format json`, or from the log, once the station has come by TLS.",
            ),
        }
    }
    fingerprints
}

fn boot(mut section: Section<'_>) -> Option<BootDemand> {
    let is_there = section.is_there();
    let mut word = |key| section.text(key).map(|text| text.value);
    let demand = BootDemand {
        maker: word("maker"),
        model: word("model"),
        serial: word("serial"),
    };
    let words = [&demand.maker, &demand.model, &demand.serial];
    let demands = words.into_iter().flatten().any(|word| word.trim() != "*");
    if is_there && !demands {
        section.problem(
            section.line,
            "`boot` demands nothing of the BootNotification",
            "Name what it must say: boot = { maker = \"…\", model = \"…\", serial = \"…\" }",
        );
    }
    section.finish();
    demands.then_some(demand)
}
