//! `portcullis station set-password`: another password for a station that is registered.

use std::path::Path;

use guard::{Credential, PasswordForm, Secret, StationRecord};
use serde::Serialize;
use store::Store;
use zeroize::Zeroizing;

use super::draft::{Proof, weak};
use super::view::StationView;
use super::{named, secret};
use crate::cli::SetPassword;
use crate::output::Output;
use crate::passwords::{Holders, Passwords};
use crate::register::Register;
use crate::{Exit, Failure};

#[derive(Serialize)]
struct Set<'a> {
    station: StationView,
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<&'a str>,
}

pub(super) fn run(
    arguments: &SetPassword,
    config: &Path,
    output: &mut Output,
) -> Result<(), Failure> {
    let (tenant, id) = named(&arguments.station)?;
    let mut register = Register::open(config)?;
    let before = register.store.station(&tenant, &id)?;
    if !id.fits_basic() {
        return Err(Failure::new(
            Exit::Input,
            format!("\"{id}\" holds a colon, which HTTP Basic cannot carry (RFC 7617, 2)"),
            "A station of that name can only show a certificate.",
        ));
    }
    let choice = &arguments.password;
    let drawn = choice.generate.then(secret::draw).transpose()?;
    let (secret, form) = match &drawn {
        Some(drawn) => (Secret::new(drawn.as_bytes().to_vec()), PasswordForm::Hex),
        None => {
            let form = match choice.password_hex {
                true => PasswordForm::Hex,
                false => PasswordForm::Octets,
            };
            (secret::ask("password")?, form)
        }
    };
    let proof = Proof::Password {
        secret,
        form,
        machine_made: arguments.machine_made || drawn.is_some(),
    };
    let passwords = Passwords::of(&register.key);
    let (credential, password) = proof.hashed(&passwords, &before.names())?;
    let mut after = StationRecord {
        credential,
        password,
        ..before.clone()
    };
    let others = register.store.stations(None)?;
    let others = others
        .iter()
        .filter(|other| (&other.tenant, &other.id) != (&tenant, &id));
    let holders = Holders::of(others);
    if let Some(words) = weak(&mut after, &holders, &passwords.rules, arguments.allow_weak)? {
        output.note(&words);
    }
    let StationRecord {
        credential,
        password,
        ..
    } = &after;
    register
        .store
        .set_credential(&tenant, &id, credential, password.as_ref())?;
    told(&before, &after, drawn.as_ref(), output)
}

fn told(
    before: &StationRecord,
    after: &StationRecord,
    drawn: Option<&Zeroizing<String>>,
    output: &mut Output,
) -> Result<(), Failure> {
    let set = Set {
        station: StationView::of(after),
        password: drawn.map(|drawn| drawn.as_str()),
    };
    output.result(&set, || {
        let id = &after.id;
        let mut text =
            format!("Station {id} has to show the new password from its next connection on.");
        if !matches!(before.credential, Credential::Password(_)) {
            text.push_str(" Its certificate lets it in no longer.");
        }
        if let Some(password) = set.password {
            text.push_str(&format!(
                "\nIts password: {password}\nIt is shown this once and kept only as a hash."
            ));
        }
        text
    })
}
