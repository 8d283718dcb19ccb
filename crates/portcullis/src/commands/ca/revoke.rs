//! `portcullis ca revoke`: takes certificates back. `crl.pem` holds the lists of both roots and is
//! all there is to remember: each time it is read, added to, and signed anew.

use std::collections::BTreeSet;
use std::path::Path;

use gateway::read_revocation_lists;
use guard::admission::Serial;
use rcgen::{CertificateRevocationListParams, KeyIdMethod, RevokedCertParams, SerialNumber};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer};
use serde::Serialize;
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::revocation_list::CertificateRevocationList;

use super::authority::{Authority, Kind, moment, unix_now};
use super::files::{Files, day};
use crate::cli::CaPlace;
use crate::output::Output;
use crate::{Exit, Failure};

const LIST: &str = "crl.pem";

#[derive(Serialize)]
struct Revoked {
    list: String,
    /// By this call.
    revoked: usize,
    /// By all.
    entries: usize,
    next_update: String,
}

/// A certificate that is taken back.
#[derive(Clone)]
struct Entry {
    /// The root's name, DER.
    issuer: Vec<u8>,
    serial: Serial,
    at: i64,
}

pub(super) fn revoke(
    which: &[String],
    days: u32,
    place: &CaPlace,
    output: &mut Output,
) -> Result<(), Failure> {
    let files = Files::new(&place.directory);
    let roots = files.read("ca.pem")?;
    let authorities: Result<Vec<Authority>, Failure> = Kind::ALL
        .into_iter()
        .map(|kind| Authority::load(&files, kind))
        .collect();
    let authorities = authorities?;
    let now = i64::try_from(unix_now()?.as_secs()).unwrap_or(i64::MAX);
    let mut fresh = Vec::new();
    for which in which {
        fresh.extend(entries(which, &authorities, now)?);
    }
    let (mut before, mut after) = (0, 0);
    files.replace_public(LIST, |old| {
        let (mut known, number) = match old {
            Some(old) => remembered(old, &roots, &place.directory)?,
            None => (Vec::new(), 0),
        };
        before = distinct(&known);
        for entry in fresh {
            let again =
                |other: &Entry| other.serial == entry.serial && other.issuer == entry.issuer;
            if !known.iter().any(again) {
                known.push(entry);
            }
        }
        after = distinct(&known);
        let mut text = String::new();
        for authority in &authorities {
            text.push_str(&sign(authority, &known, now, days, number + 1)?);
        }
        Ok(text)
    })?;
    let told = Revoked {
        list: place.directory.join(LIST).display().to_string(),
        revoked: after - before,
        entries: after,
        next_update: day(now + i64::from(days) * 86_400),
    };
    output.result(&told, || told.in_words())
}

impl Revoked {
    fn in_words(&self) -> String {
        let Revoked {
            list,
            revoked,
            entries,
            next_update,
        } = self;
        format!(
            "{list}: {revoked} revoked now, {entries} in all; make it anew before {next_update}: \
             `portcullis ca revoke`\n\n\
             Name it beside `client_ca`: client_crl = [\"{list}\"]. A running gate that has it sees\n\
             the new one within seconds, and refuses what is revoked, resumed sessions included."
        )
    }
}

fn distinct(entries: &[Entry]) -> usize {
    let serials: BTreeSet<&Serial> = entries.iter().map(|entry| &entry.serial).collect();
    serials.len()
}

/// A certificate's file, or a serial number as `openssl x509 -serial` writes it. A number alone does
/// not tell whose it is, so every root lists it: numbers are drawn, and nobody else is hit.
fn entries(which: &str, authorities: &[Authority], now: i64) -> Result<Vec<Entry>, Failure> {
    let wrong = |what: String| {
        let remedy = "Name a certificate that this CA issued, or its serial number in hexadecimal.";
        Failure::new(Exit::Input, what, remedy)
    };
    let by = |issuer: &[u8], serial| Entry {
        issuer: issuer.to_vec(),
        serial,
        at: now,
    };
    let unreadable = || wrong(format!("{which}: there is no certificate in it"));
    if !Path::new(which).is_file() {
        let serial = hexadecimal(which).and_then(|bytes| Serial::new(&bytes));
        let serial =
            serial.ok_or_else(|| wrong(format!("{which}: neither a file nor a serial number")))?;
        let every = authorities.iter();
        return Ok(every.map(|root| by(root.name(), serial)).collect());
    }
    let der = CertificateDer::from_pem_file(which).map_err(|_| unreadable())?;
    let (_, certificate) = X509Certificate::from_der(&der).map_err(|_| unreadable())?;
    let issuer = certificate.issuer();
    if !authorities
        .iter()
        .any(|root| root.name() == issuer.as_raw())
    {
        return Err(wrong(format!("{which}: it is of {issuer}, not of this CA")));
    }
    let serial = Serial::new(certificate.raw_serial()).ok_or_else(unreadable)?;
    Ok(vec![by(issuer.as_raw(), serial)])
}

fn hexadecimal(text: &str) -> Option<Vec<u8>> {
    let text = text.strip_prefix("serial=").unwrap_or(text);
    let digits: Option<Vec<u8>> = text
        .chars()
        .filter(|c| *c != ':')
        .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect();
    let mut digits = digits.filter(|digits| !digits.is_empty())?;
    if digits.len() % 2 == 1 {
        digits.insert(0, 0);
    }
    let bytes = digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]);
    Some(bytes.collect())
}

/// What the lists so far hold, and the highest number one of them has.
fn remembered(old: &[u8], roots: &str, directory: &Path) -> Result<(Vec<Entry>, u64), Failure> {
    let unfit = |what: String| {
        Failure::new(
            Exit::Input,
            format!("{}: {what}", directory.join(LIST).display()),
            "Bring back the last good one, or move it away and revoke everything that was on it.",
        )
    };
    // Who could slip a list in between would give revoked certificates back.
    read_revocation_lists(old, roots.as_bytes()).map_err(|error| unfit(error.to_string()))?;
    let mut entries = Vec::new();
    let mut number = 0;
    for der in CertificateRevocationListDer::pem_slice_iter(old).flatten() {
        let Ok((_, list)) = CertificateRevocationList::from_der(&der) else {
            return Err(unfit("a list in it cannot be read".to_owned()));
        };
        let digits = list.crl_number().map(|number| number.to_u64_digits());
        let digits = digits.and_then(|digits| digits.first().copied());
        number = number.max(digits.unwrap_or_default());
        for revoked in list.iter_revoked_certificates() {
            entries.push(Entry {
                issuer: list.issuer().as_raw().to_vec(),
                serial: Serial::new(revoked.raw_serial())
                    .ok_or_else(|| unfit("a serial number in it is too long".to_owned()))?,
                at: revoked.revocation_date.timestamp(),
            });
        }
    }
    Ok((entries, number))
}

fn sign(
    authority: &Authority,
    entries: &[Entry],
    now: i64,
    days: u32,
    number: u64,
) -> Result<String, Failure> {
    let of_this = |entry: &&Entry| entry.issuer == authority.name();
    let revoked = |entry: &Entry| RevokedCertParams {
        serial_number: SerialNumber::from_slice(entry.serial.as_bytes()),
        revocation_time: moment(entry.at).into(),
        reason_code: None,
        invalidity_date: None,
    };
    authority.sign_list(&CertificateRevocationListParams {
        this_update: moment(now).into(),
        next_update: moment(now + i64::from(days) * 86_400).into(),
        crl_number: SerialNumber::from(number),
        issuing_distribution_point: None,
        revoked_certs: entries.iter().filter(of_this).map(revoked).collect(),
        key_identifier_method: KeyIdMethod::Sha256,
    })
}
