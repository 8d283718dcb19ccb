//! A claim of a station that is being given another credential (D03).

use std::sync::Arc;

use super::prepared::{Prepared, Standing, prepare, stray_secret};
use super::{Claim, ExceptionKind, Transport};
use crate::change::Stands;
use crate::{Changing, ConnectionKind, CredentialMark, RefusedHandshake, Secret, StationRecord};

/// Holds a claim against the registry and the changes under way ([`crate::Changes::standing`]).
///
/// A new password is known by its fingerprint, so it costs no hash that a wrong one does not cost as
/// well; what is not new is checked as ever, with the same number of runs.
pub fn prepare_changing(
    claim: Claim,
    changing: &Changing,
    standing: &Standing<'_>,
) -> Result<Prepared, RefusedHandshake> {
    let record = standing.book.find(&claim.tenant, &claim.station);
    let enabled = record.filter(|record| record.enabled && changing.is_of(record));
    match (changing.stands(), enabled) {
        (Stands::Changed(mark), Some(record)) => changed(claim, mark, record, standing),
        (Stands::Over, _) => prepare(claim, standing).map(Prepared::withdrawn),
        _ => prepare(claim, standing),
    }
}

fn changed(
    claim: Claim,
    mark: CredentialMark,
    record: &Arc<StationRecord>,
    standing: &Standing<'_>,
) -> Result<Prepared, RefusedHandshake> {
    let user = claim.basic.as_ref().map(|basic| basic.user.as_slice());
    if user.is_some_and(|user| user != claim.station.as_str().as_bytes()) {
        return Err(RefusedHandshake::UserNotIdentity);
    }
    let kind = match (mark, &claim.transport) {
        (CredentialMark::Certificate(_), _) => ConnectionKind::TlsCertificate,
        (CredentialMark::Password(_), Transport::Plain) => ConnectionKind::PlainBasic,
        (CredentialMark::Password(_), Transport::Tls(_)) => ConnectionKind::TlsBasic,
    };
    let exception = match kind {
        ConnectionKind::PlainBasic => {
            Some(standing.exception(ExceptionKind::PlainBasic, record, &claim))
        }
        _ => stray_secret(&claim),
    };
    let password = claim.basic.map(|basic| basic.password);
    let password = password.filter(|_| matches!(mark, CredentialMark::Password(_)));
    let record = shown_upstream(record, password);
    Ok(Prepared::by_change(
        record,
        mark,
        kind,
        exception,
        claim.offered,
    ))
}

/// Who has a password of its own towards the CSMS has got the new one there, too.
fn shown_upstream(record: &Arc<StationRecord>, password: Option<Secret>) -> Arc<StationRecord> {
    match password {
        Some(password) if record.upstream_password.is_some() => Arc::new(StationRecord {
            upstream_password: Some(password),
            ..StationRecord::clone(record)
        }),
        _ => Arc::clone(record),
    }
}
