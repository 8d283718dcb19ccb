//! A station as it is shown: everything but secrets.

use comfy_table::{ContentArrangement, Table, presets};
use guard::{Credential, PasswordForm, PasswordHash, StationRecord};
use serde::Serialize;

/// What is told of a station.
#[derive(Serialize)]
pub(super) struct StationView {
    identity: String,
    tenant: String,
    enabled: bool,
    credential: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    password_check: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate_sha256: Option<String>,
    versions: Vec<&'static str>,
    unnamed: Option<&'static str>,
    has_upstream_password: bool,
    /// It has been given another credential, and has not shown it yet.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    is_changing: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    maker: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<String>,
}

impl StationView {
    pub(super) fn of(station: &StationRecord) -> StationView {
        let (credential, password, certificate_sha256) = match &station.credential {
            Credential::Password(verifier) => {
                let password = match (&verifier.hash, verifier.form) {
                    (PasswordHash::Fast { .. }, PasswordForm::Hex) => "hex, fast check",
                    (PasswordHash::Fast { .. }, PasswordForm::Octets) => "text, fast check",
                    (PasswordHash::Slow(_), PasswordForm::Hex) => "hex, argon2id",
                    (PasswordHash::Slow(_), PasswordForm::Octets) => "text, argon2id",
                };
                ("password", Some(password), None)
            }
            Credential::Certificate(fingerprint) => ("certificate", None, Some(hex(fingerprint))),
            Credential::CertificateName => ("certificate-name", None, None),
            Credential::ByException => ("exception", None, None),
        };
        StationView {
            identity: station.id.to_string(),
            tenant: station.tenant.0.to_string(),
            enabled: station.enabled,
            credential,
            password_check: password,
            certificate_sha256,
            versions: station
                .protocols
                .allowed
                .iter()
                .map(|version| version.number())
                .collect(),
            unnamed: station.protocols.unnamed.map(|version| version.number()),
            has_upstream_password: station.upstream_password.is_some(),
            is_changing: !station.pending.is_empty(),
            maker: station.maker.as_deref().map(str::to_owned),
            model: station.model.as_deref().map(str::to_owned),
        }
    }

    pub(super) fn identity(&self) -> &str {
        &self.identity
    }

    pub(super) fn tenant(&self) -> &str {
        &self.tenant
    }

    fn model_in_words(&self) -> String {
        let words: Vec<&str> = [&self.maker, &self.model]
            .into_iter()
            .filter_map(|word| word.as_deref())
            .collect();
        match words.is_empty() {
            true => "not registered".to_owned(),
            false => words.join(" "),
        }
    }

    pub(super) fn lines(&self) -> String {
        let credential = match (self.password_check, &self.certificate_sha256) {
            (Some(password), _) => format!("password ({password})"),
            (_, Some(fingerprint)) => format!("certificate with SHA-256 {fingerprint}"),
            _ if self.credential == "exception" => {
                "nothing; it comes in where an exception lets it in".to_owned()
            }
            _ => "any certificate of the client CA with this name".to_owned(),
        };
        let changing = match self.is_changing {
            true => ", or a new one that it has been given and has not shown yet",
            false => "",
        };
        format!(
            "identity            {}\ntenant              {}\nmay connect         {}\n\
             shows               {credential}{changing}\nspeaks              {}\n\
             without subprotocol {}\nupstream password   {}\nmodel               {}",
            self.identity,
            self.tenant,
            if self.enabled { "yes" } else { "no" },
            self.versions.join(", "),
            self.unnamed.unwrap_or("refused"),
            if self.has_upstream_password {
                "registered"
            } else {
                "none"
            },
            self.model_in_words(),
        )
    }
}

/// Many stations, a line each.
pub(super) fn table(stations: &[StationView]) -> String {
    if stations.is_empty() {
        return "No station is registered; `portcullis station add --help` shows how.".to_owned();
    }
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(["IDENTITY", "TENANT", "CONNECTS", "SHOWS", "SPEAKS"]);
    for station in stations {
        let connects = if station.enabled { "yes" } else { "kept out" };
        let speaks = station.versions.join(" ");
        table.add_row([
            station.identity.as_str(),
            station.tenant.as_str(),
            connects,
            station.credential,
            speaks.as_str(),
        ]);
    }
    table.trim_fmt()
}

pub(super) fn hex(bytes: &[u8]) -> String {
    let digit = |half: u8| char::from_digit(u32::from(half), 16).unwrap_or('0');
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}
