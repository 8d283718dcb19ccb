//! `portcullis ca …`: a certificate authority for a CPO without a PKI.
//!
//! There are two roots, ECDSA and RSA, since a station that knows only RSA can check neither an
//! ECDSA certificate nor the signature of an ECDSA root under an RSA one. What is issued is signed
//! by the root of its own kind; `ca.pem` holds both.

mod authority;
mod files;
mod revoke;

use rcgen::{
    CertificateParams, DnType, DnValue, ExtendedKeyUsagePurpose, KeyUsagePurpose, SerialNumber,
};
use serde::Serialize;

use crate::cli::{CaCommand, CaIssue, CaPlace};
use crate::output::Output;
use crate::{Exit, Failure};
use authority::{Authority, Kind};
use files::{Files, Written};

/// RFC 5280, appendix A: a common name and an organisation have at most this many characters.
const NAME_CHARS_MAX: usize = 64;

pub(crate) fn run(command: &CaCommand, output: &mut Output) -> Result<(), Failure> {
    match command {
        CaCommand::Init { name, days, place } => init(name, *days, place, output),
        CaCommand::Revoke {
            certificates,
            days,
            place,
        } => revoke::revoke(certificates, *days, place, output),
        CaCommand::Issue(CaIssue::Server { names, days, place }) => {
            server(names, *days, place, output)
        }
        CaCommand::Issue(CaIssue::Station {
            identity,
            cpo,
            rsa,
            days,
            place,
        }) => {
            let kind = if *rsa { Kind::Rsa } else { Kind::Ecdsa };
            station(identity, cpo, kind, *days, place, output)
        }
    }
}

#[derive(Serialize)]
struct Made {
    certificates: Vec<Written>,
}

impl Made {
    fn tell(&self, next: &str, output: &mut Output) -> Result<(), Failure> {
        output.result(self, || {
            let mut text = String::new();
            for written in &self.certificates {
                text.push_str(&format!("{written}\n"));
            }
            format!("{text}\n{next}")
        })
    }
}

fn init(name: &str, days: u32, place: &CaPlace, output: &mut Output) -> Result<(), Failure> {
    check_name("the name", name)?;
    let files = Files::new(&place.directory);
    files.must_be_free(&[
        "ca.pem",
        "ca-ecdsa.pem",
        "ca-ecdsa.key",
        "ca-rsa.pem",
        "ca-rsa.key",
    ])?;
    let mut certificates = Vec::new();
    let mut bundle = String::new();
    for kind in Kind::ALL {
        let (written, pem) = authority::found(&files, kind, &format!("{name} {kind}"), days)?;
        certificates.push(written);
        bundle.push_str(&pem);
    }
    files.write_public("ca.pem", &bundle)?;
    let directory = place.directory.display();
    Made { certificates }.tell(
        &format!(
            "{directory}/ca.pem holds both roots: install it on the stations, and name it as\n\
             `client_ca` to accept their certificates. Whoever has the keys can be any station:\n\
             keep {directory}/*.key where no gate runs."
        ),
        output,
    )
}

fn server(
    names: &[String],
    days: u32,
    place: &CaPlace,
    output: &mut Output,
) -> Result<(), Failure> {
    let first = names.first().map(String::as_str).unwrap_or_default();
    check_name("the first name", first)?;
    let subject_alt_names = subject_alt_names(names)?;
    let files = Files::new(&place.directory);
    files.must_be_free(&[
        "gate-ecdsa.pem",
        "gate-ecdsa.key",
        "gate-rsa.pem",
        "gate-rsa.key",
    ])?;
    let mut certificates = Vec::new();
    for kind in Kind::ALL {
        let authority = Authority::load(&files, kind)?;
        let mut params = leaf(first, days)?;
        params.subject_alt_names.clone_from(&subject_alt_names);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        certificates.push(authority.issue(&files, &format!("gate-{}", kind.file()), params)?);
    }
    Made { certificates }.tell(
        "Name both pairs in the [[listener]] of portcullis.toml: certificates = [{ chain, key }, …].",
        output,
    )
}

fn station(
    identity: &str,
    cpo: &str,
    kind: Kind,
    days: u32,
    place: &CaPlace,
    output: &mut Output,
) -> Result<(), Failure> {
    check_name("the identity", identity)?;
    check_name("the CPO", cpo)?;
    let files = Files::new(&place.directory);
    let stem = format!("station-{}", files::plain(identity));
    files.must_be_free(&[&format!("{stem}.pem"), &format!("{stem}.key")])?;
    let mut params = leaf(identity, days)?;
    // OCPP 2.0.1 A00.FR.409 and A00.FR.410 (1.6 security extension likewise): the CPO as O, the
    // station's serial number as CN.
    params
        .distinguished_name
        .push(DnType::OrganizationName, text(cpo));
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let written = Authority::load(&files, kind)?.issue(&files, &stem, params)?;
    Made {
        certificates: vec![written],
    }
    .tell(
        &format!(
            "Bring both files to the station, then register it:\n  \
             portcullis station add {identity} --certificate-name\n\
             or, for this one certificate only: --certificate {}",
            place.directory.join(format!("{stem}.pem")).display()
        ),
        output,
    )
}

/// What every certificate for an end has in common.
fn leaf(name: &str, days: u32) -> Result<CertificateParams, Failure> {
    let mut params = authority::params(name, days)?;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.use_authority_key_identifier_extension = true;
    let mut serial = [0_u8; 16];
    getrandom::fill(&mut serial).map_err(|error| failed(&error))?;
    // RFC 5280, 4.1.2.2: positive, and at most 20 octets.
    serial[0] = serial[0] & 0x7f | 0x40;
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    Ok(params)
}

fn subject_alt_names(names: &[String]) -> Result<Vec<rcgen::SanType>, Failure> {
    let wrong = |name: &str| {
        Failure::new(
            Exit::Input,
            format!("\"{name}\" is neither a host name nor an address"),
            "Write names and addresses such as gate.example or 192.0.2.7, without port or path.",
        )
    };
    for name in names {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '*' | ':');
        let is_address = name.parse::<std::net::IpAddr>().is_ok();
        if !name.chars().all(plain) || name.contains(':') && !is_address {
            return Err(wrong(name));
        }
    }
    let params = CertificateParams::new(names.to_vec())
        .map_err(|_| wrong(names.first().map(String::as_str).unwrap_or_default()))?;
    Ok(params.subject_alt_names)
}

fn check_name(what: &str, name: &str) -> Result<(), Failure> {
    let length = name.chars().count();
    if length == 0 || length > NAME_CHARS_MAX || name.chars().any(char::is_control) {
        return Err(Failure::new(
            Exit::Input,
            format!(
                "{what} \"{}\" cannot stand in a certificate",
                name.escape_debug()
            ),
            format!("Use 1 to {NAME_CHARS_MAX} printable characters (RFC 5280)."),
        ));
    }
    Ok(())
}

fn text(value: &str) -> DnValue {
    DnValue::Utf8String(value.to_owned())
}

fn failed(error: &dyn std::fmt::Display) -> Failure {
    Failure::new(
        Exit::Failed,
        format!("the certificate could not be made: {error}"),
        "",
    )
}
