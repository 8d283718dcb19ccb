//! `portcullis station add`: one station, its password asked for or drawn.

use std::path::Path;

use guard::PasswordForm;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde::Serialize;
use store::Store;
use zeroize::Zeroizing;

use super::draft::{self, Draft, Proof};
use super::secret;
use super::view::StationView;
use crate::cli::{AddStation, CredentialChoice};
use crate::output::Output;
use crate::passwords::{Holders, Passwords};
use crate::register::Register;
use crate::{Exit, Failure, Problem};

#[derive(Serialize)]
struct Added<'a> {
    station: StationView,
    /// Only where we drew it; it is not kept and not shown again.
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<&'a str>,
}

pub(crate) fn run(
    arguments: &AddStation,
    config: &Path,
    output: &mut Output,
) -> Result<(), Failure> {
    let wrong = |problem: Problem| Failure {
        exit: Exit::Input,
        problems: vec![problem],
    };
    let mut register = Register::open(config)?;
    let versions: Vec<&str> = arguments.versions.iter().map(String::as_str).collect();
    let protocols = draft::protocols(&versions, arguments.unnamed.as_deref()).map_err(wrong)?;
    let tenant = draft::tenant(&arguments.station.tenant).map_err(wrong)?;
    let (proof, drawn) = proof(&arguments.credential, arguments.machine_made)?;
    let id = draft::identity(&arguments.station.identity, &protocols, &proof).map_err(wrong)?;
    let upstream_password = match arguments.upstream_password {
        true => Some(secret::ask("upstream password")?),
        false => None,
    };
    let enabled = !arguments.disabled;
    let maker = draft::model("maker", arguments.maker.as_deref()).map_err(wrong)?;
    let model = draft::model("model", arguments.model.as_deref()).map_err(wrong)?;
    let serial = draft::model("serial", arguments.serial.as_deref()).map_err(wrong)?;
    let draft = Draft {
        id,
        tenant,
        enabled,
        proof,
        protocols,
        upstream_password,
        maker,
        model,
        serial,
    };
    let passwords = Passwords::of(&register.key);
    let mut record = draft.register(&passwords)?;
    let holders = Holders::of(&register.store.stations(None)?);
    let allowed = arguments.allow_weak;
    if let Some(words) = draft::weak(&mut record, &holders, &passwords.rules, allowed)? {
        output.note(&words);
    }
    register.store.add(&record)?;
    let added = Added {
        station: StationView::of(&record),
        password: drawn.as_ref().map(|drawn| drawn.as_str()),
    };
    output.result(&added, || {
        let (identity, tenant) = (added.station.identity(), added.station.tenant());
        let mut text = format!("Station {identity} is registered for tenant {tenant}.");
        if let Some(password) = added.password {
            text.push_str(&format!(
                "\nIts password: {password}\nIt is shown this once and kept only as a hash."
            ));
        }
        text
    })
}

type Drawn = Option<Zeroizing<String>>;

fn proof(choice: &CredentialChoice, machine_made: bool) -> Result<(Proof, Drawn), Failure> {
    if let Some(file) = &choice.certificate {
        return Ok((Proof::Certificate(fingerprint(file)?), None));
    }
    if choice.certificate_name {
        return Ok((Proof::CertificateName, None));
    }
    if choice.by_exception {
        return Ok((Proof::ByException, None));
    }
    if choice.generate {
        let drawn = secret::draw()?;
        let secret = guard::Secret::new(drawn.as_bytes().to_vec());
        let form = PasswordForm::Hex;
        return Ok((
            Proof::Password {
                secret,
                form,
                machine_made: true,
            },
            Some(drawn),
        ));
    }
    let form = if choice.password_hex {
        PasswordForm::Hex
    } else {
        PasswordForm::Octets
    };
    let secret = secret::ask("password")?;
    Ok((
        Proof::Password {
            secret,
            form,
            machine_made,
        },
        None,
    ))
}

/// SHA-256 over the certificate's DER.
pub(super) fn fingerprint(file: &Path) -> Result<[u8; 32], Failure> {
    let unfit = |why: &str| {
        Failure::new(
            Exit::Input,
            format!("{}: {why}", file.display()),
            "Name a PEM file with the station's certificate.",
        )
    };
    let pem = std::fs::read(file).map_err(|error| unfit(&error.to_string()))?;
    let certificate =
        CertificateDer::from_pem_slice(&pem).map_err(|_| unfit("there is no certificate in it"))?;
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &certificate);
    digest
        .as_ref()
        .try_into()
        .map_err(|_| unfit("it has no fingerprint"))
}
