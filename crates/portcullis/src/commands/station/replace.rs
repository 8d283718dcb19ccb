//! `portcullis station replace`: another station stands in this one's place. What the gate has learnt
//! of the one before does not hold for it, and its next Boot binds its certificate anew.

use std::path::Path;

use guard::Credential;
use store::Store;

use super::add::fingerprint;
use super::view::StationView;
use super::{draft, named};
use crate::cli::ReplaceStation;
use crate::output::Output;
use crate::register::Register;
use crate::{Exit, Failure};

pub(super) fn run(
    arguments: &ReplaceStation,
    config: &Path,
    output: &mut Output,
) -> Result<(), Failure> {
    let (tenant, id) = named(&arguments.station)?;
    let serial = draft::model("serial", arguments.serial.as_deref());
    let serial = serial.map_err(|problem| Failure {
        exit: Exit::Input,
        problems: vec![problem],
    })?;
    let certificate = arguments.certificate.as_deref().map(fingerprint);
    let certificate = certificate.transpose()?.map(Credential::Certificate);
    let mut register = Register::open(config)?;
    if let Some(credential) = &certificate {
        register
            .store
            .set_credential(&tenant, &id, credential, None)?;
    }
    register.store.replace(&tenant, &id, serial.as_deref())?;
    let view = StationView::of(&register.store.station(&tenant, &id)?);
    output.result(&view, || match &serial {
        Some(serial) => format!(
            "Another station stands in the place of {id}; with a certificate it must say the serial number {serial}."
        ),
        None => format!(
            "Another station stands in the place of {id}; the serial number of its first accepted Boot with a certificate binds it."
        ),
    })
}
