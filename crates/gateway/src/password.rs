//! What a password that has just proved a station is worth (threat A07). Most are known already and
//! cost a look into the snapshot; one that nobody has looked at is looked at now, and the register is
//! told without being waited for.

use guard::admission::Admitted;
use guard::{
    Book, Credential, CredentialMark, Event, Lesson, OnWeakPassword, PasswordRules, PasswordTraits,
    RefusedHandshake, Secret, StationRecord, Weakness, Weaknesses,
};

use crate::gate::Gate;

/// Looks at the password of a station that has proved itself. A weak one is told, and refused where
/// the settings say so and the operator has not accepted it.
pub(crate) fn examine(
    gate: &Gate,
    book: &Book,
    admitted: &Admitted,
    shown: Option<&Secret>,
) -> Result<(), RefusedHandshake> {
    let settings = &gate.settings.passwords;
    let record = admitted.station();
    let Some(rules) = &settings.rules else {
        return Ok(());
    };
    let look = |shown: &Secret| rules.traits(shown.expose(), &record.names());
    let traits = match (admitted.changed(), &record.credential) {
        // The register knows nothing of it yet, and hears of it as a change (D03).
        (Some(CredentialMark::Password(_)), _) => shown.map(look),
        (None, Credential::Password(verifier)) => record.password.or_else(|| {
            let traits = look(shown?);
            if let Some(lessons) = &settings.lessons {
                lessons.teach(Lesson::Password {
                    tenant: record.tenant.clone(),
                    station: record.id.clone(),
                    verifier: verifier.clone(),
                    traits,
                });
            }
            Some(traits)
        }),
        _ => None,
    };
    let Some(traits) = traits else {
        return Ok(());
    };
    let weaknesses = weaknesses(book, rules, &traits);
    // What the operator has accepted is told by `station audit`, and not at every handshake.
    if weaknesses.is_empty() || traits.accepted {
        return Ok(());
    }
    if settings.weak == OnWeakPassword::Refuse {
        return Err(RefusedHandshake::WeakPassword(weaknesses));
    }
    tell(gate, record, weaknesses);
    Ok(())
}

/// Whether a password that a station is given is a weak one, which the operator has not accepted.
pub(crate) fn is_unwelcome(
    book: &Book,
    rules: &PasswordRules,
    record: &StationRecord,
    given: &Secret,
) -> bool {
    let traits = rules.traits(given.expose(), &record.names());
    let is_accepted = record
        .password
        .is_some_and(|held| held.accepted && held.fingerprint == traits.fingerprint);
    !is_accepted && !weaknesses(book, rules, &traits).is_empty()
}

fn weaknesses(book: &Book, rules: &PasswordRules, traits: &PasswordTraits) -> Weaknesses {
    let weaknesses = rules.weaknesses(traits);
    match book.is_shared(&traits.fingerprint) {
        true => weaknesses.with(Weakness::Shared),
        false => weaknesses,
    }
}

fn tell(gate: &Gate, record: &StationRecord, weaknesses: Weaknesses) {
    gate.events.tell(Event::WeakPassword {
        at: gate.clock.now(),
        station: record.id.clone(),
        tenant: record.tenant.clone(),
        weaknesses,
    });
}
