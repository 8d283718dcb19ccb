//! A station as the operator describes it, read and checked, before its password is hashed.

use std::sync::Arc;

use guard::{
    Credential, PasswordForm, PasswordRules, PasswordTraits, Protocols, Secret, StationRecord,
    Tenant, UnfitPassword, Verifier,
};
use ocpp::{StationId, Version};

use super::{IDENTITY, secret};
use crate::passwords::{Holders, Passwords};
use crate::{Exit, Failure, Problem};

/// What the station will have to show.
pub(super) enum Proof {
    Password {
        secret: Secret,
        form: PasswordForm,
        machine_made: bool,
    },
    Certificate([u8; 32]),
    CertificateName,
    ByException,
}

/// A station to be registered.
pub(super) struct Draft {
    pub(super) id: StationId,
    pub(super) tenant: Tenant,
    pub(super) enabled: bool,
    pub(super) proof: Proof,
    pub(super) protocols: Protocols,
    pub(super) upstream_password: Option<Secret>,
    pub(super) maker: Option<Box<str>>,
    pub(super) model: Option<Box<str>>,
    pub(super) serial: Option<Box<str>>,
}

impl Draft {
    /// The record, with a verifier in place of the password; takes some 20 ms where a person may
    /// have chosen it.
    pub(super) fn register(self, passwords: &Passwords) -> Result<StationRecord, Failure> {
        let id = self.id.as_str();
        let names = [id, self.serial.as_deref().unwrap_or(id)];
        let (credential, password) = self.proof.hashed(passwords, &names)?;
        Ok(StationRecord {
            enabled: self.enabled,
            password,
            protocols: self.protocols,
            upstream_password: self.upstream_password,
            maker: self.maker,
            model: self.model,
            serial: self.serial,
            ..StationRecord::new(self.id, self.tenant, credential)
        })
    }
}

impl Proof {
    /// What is kept of it: a verifier in place of the password, and what the password is worth on a
    /// station that bears these names.
    pub(super) fn hashed(
        self,
        passwords: &Passwords,
        names: &[&str],
    ) -> Result<(Credential, Option<PasswordTraits>), Failure> {
        let (secret, form, machine_made) = match self {
            Proof::Certificate(fingerprint) => {
                return Ok((Credential::Certificate(fingerprint), None));
            }
            Proof::CertificateName => return Ok((Credential::CertificateName, None)),
            Proof::ByException => return Ok((Credential::ByException, None)),
            Proof::Password {
                secret,
                form,
                machine_made,
            } => (secret, form, machine_made),
        };
        let salt = secret::random::<16>()?;
        let verifier = match machine_made {
            true => Verifier::fast(secret.expose(), form, &passwords.verifier_key, salt),
            false => Verifier::slow(secret.expose(), form, salt),
        };
        let credential = Credential::Password(verifier.map_err(unfit)?);
        let traits = passwords.rules.traits(secret.expose(), names);
        Ok((credential, Some(traits)))
    }
}

/// Refuses a weak password, unless the operator wants it all the same: then that is noted, and
/// returned in words.
pub(super) fn weak(
    record: &mut StationRecord,
    holders: &Holders,
    rules: &PasswordRules,
    allowed: bool,
) -> Result<Option<String>, Failure> {
    let (weaknesses, words) = holders.weaknesses(record, rules);
    if weaknesses.is_empty() {
        return Ok(None);
    }
    let what = format!("the password of {} is weak: {words}", record.id);
    match &mut record.password {
        Some(traits) if allowed => {
            traits.accepted = true;
            Ok(Some(what))
        }
        _ => Err(Failure::new(Exit::Input, what, WEAK)),
    }
}

const WEAK: &str = "Let one be drawn (--generate), or register it all the same: --allow-weak, which `station audit` goes on telling.";

fn unfit(why: UnfitPassword) -> Failure {
    let remedy = match why {
        UnfitPassword::Empty => "Give a password.",
        UnfitPassword::TooShort => "Leave out machine_made, or take a longer password.",
        UnfitPassword::TooLong => "OCPP allows 40 characters in 2.0.1 and 64 in 2.1.",
        UnfitPassword::NotHex => "Give 32 to 40 hexadecimal digits, or register it as text.",
        UnfitPassword::Hash => "Take another password.",
    };
    Failure::new(Exit::Input, why.to_string(), remedy)
}

/// Reads the versions a station may speak; none named: all.
pub(super) fn protocols(allowed: &[&str], unnamed: Option<&str>) -> Result<Protocols, Problem> {
    let version = |number: &str| {
        Version::from_number(number).ok_or_else(|| {
            Problem::new(
                format!("\"{number}\" is no version of OCPP we know"),
                VERSIONS,
            )
        })
    };
    let mut protocols = Protocols::default();
    if !allowed.is_empty() {
        protocols.allowed = allowed
            .iter()
            .copied()
            .map(version)
            .collect::<Result<_, _>>()?;
        protocols.allowed.sort_unstable();
        protocols.allowed.dedup();
    }
    protocols.unnamed = unnamed.map(version).transpose()?;
    if let Some(unnamed) = protocols.unnamed
        && !protocols.allowed.contains(&unnamed)
    {
        return Err(Problem::new(
            format!("without a subprotocol it would speak {unnamed}, which it may not"),
            "Name that version among those it may speak, or leave it out.",
        ));
    }
    Ok(protocols)
}

const VERSIONS: &str = "Write 1.6, 2.0.1 or 2.1.";

/// Reads an identity as the versions allow it that the station may speak.
pub(super) fn identity(
    text: &str,
    protocols: &Protocols,
    proof: &Proof,
) -> Result<StationId, Problem> {
    // 1.6 has the widest alphabet: who may speak it may be called so.
    let version = match protocols.allowed.contains(&Version::V16) {
        true => Version::V16,
        false => Version::V201,
    };
    let id = StationId::parse(text, version)
        .map_err(|error| Problem::new(format!("\"{text}\": {error}"), IDENTITY))?;
    if matches!(proof, Proof::Password { .. }) && !id.fits_basic() {
        return Err(Problem::new(
            format!("\"{text}\" holds a colon, which HTTP Basic cannot carry (RFC 7617, 2)"),
            "Register it with a certificate, or rename the station.",
        ));
    }
    Ok(id)
}

/// Reads a maker's or a model's name, as BootNotification spells it.
pub(super) fn model(key: &str, text: Option<&str>) -> Result<Option<Box<str>>, Problem> {
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    if text.chars().count() > MODEL_CHARS_MAX || text.chars().any(char::is_control) {
        return Err(Problem::new(
            format!("`{key}` is longer than {MODEL_CHARS_MAX} characters, or more than one line"),
            "Write it as the station's BootNotification does.",
        ));
    }
    Ok(Some(text.into()))
}

/// OCPP 2.1 allows a maker's and a model's name 50 characters, 1.6 and 2.0.1 fewer.
const MODEL_CHARS_MAX: usize = 50;

/// Reads a tenant's name.
pub(super) fn tenant(text: &str) -> Result<Tenant, Problem> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    match !text.is_empty() && text.len() <= 64 && text.chars().all(allowed) {
        true => Ok(Tenant(Arc::from(text))),
        false => Err(Problem::new(
            format!("\"{text}\" cannot be the name of a tenant"),
            "Use up to 64 letters, digits, hyphens, dots and underscores.",
        )),
    }
}
