//! Taking part when a station is given another credential (threat D03): what the CSMS offers is good
//! before its message leaves, what the station refuses is not any more when its answer does, and the
//! register is told without being waited for.

use guard::admission::{Admitted, Claim, Transport};
use guard::{
    Book, ChangeEvent, ChangeStep, Changing, CredentialChange, CredentialMark, Event, Lesson,
    Moment, NewCredential, OnWeakPassword, PasswordRules, PendingCredential, Secret, SessionFacts,
    StationRecord, UnixMillis,
};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::certificate::PeerCertificate;
use crate::gate::Gate;
use crate::password;

/// A message that has been judged changes what the station will show, or answers one that would.
pub(crate) fn take_part(
    gate: &Gate,
    session: &SessionFacts,
    change: CredentialChange,
    now: Moment,
) {
    let book = gate.book.load();
    let (Some(rules), Some(record)) = (
        &gate.settings.passwords.rules,
        book.find(&session.tenant, &session.station),
    ) else {
        return;
    };
    match change {
        CredentialChange::Offered(credential) => {
            if let Some(mark) = mark(gate, rules, record, &credential, now) {
                offer(gate, &book, record, mark, now);
                if let NewCredential::Password(secret) = &credential
                    && password::is_unwelcome(&book, rules, record, secret)
                {
                    // Before the station shows it: where weak ones are refused, it would be locked out.
                    let is_refused = gate.settings.passwords.weak == OnWeakPassword::Refuse;
                    tell(gate, record, mark, ChangeEvent::Weak { is_refused }, now);
                }
            }
        }
        CredentialChange::Answered {
            credential,
            accepted,
        } => {
            if let Some(mark) = mark(gate, rules, record, &credential, now) {
                gate.changes().answered(record, mark, accepted);
                let (step, told) = match accepted {
                    true => (ChangeStep::Accepted(mark), ChangeEvent::Accepted),
                    false => (ChangeStep::Refused(mark), ChangeEvent::Refused),
                };
                teach(gate, record, step);
                tell(gate, record, mark, told, now);
            }
        }
    }
}

fn offer(gate: &Gate, book: &Book, record: &StationRecord, mark: CredentialMark, now: Moment) {
    let is_held = |held: &guard::PasswordTraits| CredentialMark::Password(held.fingerprint) == mark;
    let is_registered = record.password.as_ref().is_some_and(is_held);
    if is_registered && !gate.changes().is_under_way(record) {
        // The one that it has already; where it has been told another in between, it is told to go back.
        return;
    }
    let time = gate.settings.passwords.change_time.as_millis();
    let pending = PendingCredential {
        mark,
        until: UnixMillis(
            now.wall
                .0
                .saturating_add(i64::try_from(time).unwrap_or(i64::MAX)),
        ),
        accepted: false,
    };
    let offered = gate.changes().offered(record, pending, book, now.wall);
    let told = match offered {
        Ok(()) => {
            teach(gate, record, ChangeStep::Offered(pending));
            ChangeEvent::Offered
        }
        Err(guard::NoRoom) => ChangeEvent::NoRoom,
    };
    tell(gate, record, mark, told, now);
}

/// By what the new credential will be known, where it is one that this station could show.
fn mark(
    gate: &Gate,
    rules: &PasswordRules,
    record: &StationRecord,
    credential: &NewCredential,
    now: Moment,
) -> Option<CredentialMark> {
    let mark = match credential {
        NewCredential::Password(secret) => {
            CredentialMark::Password(rules.fingerprint(secret.expose()))
        }
        NewCredential::Certificate(chain) => {
            let leaf = CertificateDer::from_pem_slice(chain.as_bytes()).ok()?;
            let leaf = PeerCertificate::read(&leaf);
            let mark = CredentialMark::Certificate(leaf.fingerprint()?);
            if mark.suits(&record.credential) && !is_for(gate, record, &leaf) {
                tell(gate, record, mark, ChangeEvent::Foreign, now);
                return None;
            }
            mark
        }
    };
    mark.suits(&record.credential).then_some(mark)
}

/// Whether a certificate is this station's: it names the identity, or what the one names with which
/// the station is connected now (a serial number, OCPP 2.0.1 A00.FR.404).
fn is_for(gate: &Gate, record: &StationRecord, leaf: &PeerCertificate) -> bool {
    let Some(name) = leaf.common_name() else {
        return false;
    };
    let held = gate.live.shown_by(&record.tenant, &record.id);
    name == record.id.as_str() || held.is_some_and(|held| held.common_name() == Some(name))
}

/// How what a station shows stands to the changes under way.
pub(crate) fn standing(
    gate: &Gate,
    book: &Book,
    claim: &Claim,
    shown: Option<&Secret>,
) -> Changing {
    let Some(rules) = &gate.settings.passwords.rules else {
        return Changing::ORDINARY;
    };
    // Made of every password, known or not, so that it costs the same whose it is.
    let password = shown.map(|shown| CredentialMark::Password(rules.fingerprint(shown.expose())));
    let certificate = match &claim.transport {
        Transport::Tls(Some(certificate)) => Some(*certificate.fingerprint()),
        Transport::Tls(None) | Transport::Plain => None,
    };
    let Some(record) = book.find(&claim.tenant, &claim.station) else {
        return Changing::ORDINARY;
    };
    let certificate = certificate.map(CredentialMark::Certificate);
    let shown: Vec<CredentialMark> = password.into_iter().chain(certificate).collect();
    gate.changes().standing(record, &shown, gate.clock.wall())
}

/// A station has proved itself with what it has been given: from now on that alone is good.
pub(crate) fn proved(gate: &Gate, book: &Book, admitted: &Admitted, shown: Option<&Secret>) {
    let station = admitted.station();
    let (Some(mark), Some(record)) = (admitted.changed(), book.find(&station.tenant, &station.id))
    else {
        return;
    };
    if !gate.changes().proved(record, mark) {
        return;
    }
    // Whoever is connected in its name has shown what is over now, maybe not by right: that session
    // does not keep the station out.
    gate.live.end(&record.tenant, &record.id);
    if let Some(lessons) = &gate.settings.passwords.lessons {
        let is_password = matches!(mark, CredentialMark::Password(_));
        lessons.teach(Lesson::Proved {
            tenant: record.tenant.clone(),
            station: record.id.clone(),
            basis: record.credential.clone(),
            mark,
            password: shown.filter(|_| is_password).cloned(),
        });
    }
    tell(gate, record, mark, ChangeEvent::Proved, gate.clock.now());
}

fn teach(gate: &Gate, record: &StationRecord, step: ChangeStep) {
    if let Some(lessons) = &gate.settings.passwords.lessons {
        lessons.teach(Lesson::Change {
            tenant: record.tenant.clone(),
            station: record.id.clone(),
            basis: record.credential.clone(),
            step,
        });
    }
}

fn tell(gate: &Gate, record: &StationRecord, mark: CredentialMark, step: ChangeEvent, now: Moment) {
    gate.events.tell(Event::CredentialChange {
        at: now,
        station: record.id.clone(),
        tenant: record.tenant.clone(),
        is_certificate: matches!(mark, CredentialMark::Certificate(_)),
        step,
    });
}
