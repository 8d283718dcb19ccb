//! Which messages give a station a new credential, and what the station says to that.

use ocpp::catalogue::ActionFacts;
use ocpp::{Answer, AnswerOutcome, Fact, Facts, Meaning, Side, Version};

use super::{CredentialChange, NewCredential};
use crate::Secret;

/// A CALL that gives the station a new credential, and has no answer yet.
#[derive(Debug)]
pub(crate) struct Asked {
    id: Box<str>,
    /// Of several variables, the answer names the one.
    variable: Option<&'static str>,
    /// An Accepted means that the new one is in force, and not that it will be some day.
    at_once: bool,
    credential: NewCredential,
}

/// 1.6: the security extension, A01; 2.x: A01, A05 and B09.
const AUTHORIZATION_KEY: &str = "AuthorizationKey";
const BASIC_AUTH_PASSWORD: &str = "BasicAuthPassword";
/// The component of network profiles, each with a password of its own.
const NETWORK_CONFIGURATION: &str = "NetworkConfiguration";

impl Asked {
    /// Reads a CALL of the CSMS. Nearly every one is of another action and costs a comparison.
    pub(crate) fn of(
        id: &str,
        action: &ActionFacts,
        facts: &Facts<'_>,
        version: Version,
    ) -> Option<Asked> {
        let asked = |credential, variable, at_once| Asked {
            id: id.into(),
            variable,
            at_once,
            credential,
        };
        match action.name {
            "ChangeConfiguration" => {
                let value = value_of(facts, AUTHORIZATION_KEY, Meaning::ConfigValue)?;
                Some(asked(password(facts, value)?, None, true))
            }
            "SetVariables" if version != Version::V16 => {
                let value = value_of(facts, BASIC_AUTH_PASSWORD, Meaning::ConfigValue)?;
                let variable = Some(BASIC_AUTH_PASSWORD);
                let at_once = !is_of_a_profile(facts, value);
                Some(asked(password(facts, value)?, variable, at_once))
            }
            "SetNetworkProfile" => {
                let mut secrets = facts.iter();
                let value = secrets.find(|fact| fact.field.name == "basicAuthPassword")?;
                Some(asked(password(facts, value)?, None, false))
            }
            "CertificateSigned" => {
                let mut kinds = facts.iter();
                let kind = kinds.find(|fact| fact.field.name == "certificateType");
                if kind.is_some_and(|kind| facts.text(kind) != "ChargingStationCertificate") {
                    return None;
                }
                let chain = facts.first(Meaning::Certificate)?;
                let chain = NewCredential::Certificate(ocpp::unescape(chain).as_ref().into());
                Some(asked(chain, None, true))
            }
            _ => None,
        }
    }

    pub(crate) fn offered(&self) -> CredentialChange {
        CredentialChange::Offered(self.credential.clone())
    }

    /// Whether that is the answer to it.
    pub(crate) fn is_answered_by(&self, answer: &Answer<'_>) -> bool {
        answer.from == Side::Station
            && answer.outcome != AnswerOutcome::ResultError
            && *self.id == *answer.id
    }

    /// What the station says to it; `None` where that leaves open whether it will.
    pub(crate) fn answered(self, answer: &Answer<'_>) -> Option<CredentialChange> {
        let accepted = match answer.outcome {
            AnswerOutcome::Result => self.accepted_by(&answer.facts)?,
            AnswerOutcome::Error => false,
            AnswerOutcome::ResultError => return None,
        };
        Some(CredentialChange::Answered {
            credential: self.credential,
            accepted,
        })
    }

    fn accepted_by(&self, facts: &Facts<'_>) -> Option<bool> {
        let status = match self.variable {
            Some(variable) => facts.text(value_of(facts, variable, Meaning::Status)?),
            None => facts.first(Meaning::Status)?,
        };
        match status {
            "Accepted" if self.at_once => Some(true),
            // Some day; until then both are good.
            "Accepted" | "RebootRequired" => None,
            _ => Some(false),
        }
    }
}

/// The value that stands with a key of that name. Objects are numbered as they open: in 1.6 both stand
/// in one, in 2.x the key in one of those inside its value's, which opened before.
fn value_of<'m>(facts: &Facts<'m>, name: &str, meaning: Meaning) -> Option<&'m Fact> {
    let mut keys = facts
        .iter()
        .filter(|fact| fact.field.meaning == Meaning::ConfigKey);
    let key = keys.find(|key| ocpp::unescape(facts.text(key)).eq_ignore_ascii_case(name))?;
    facts
        .iter()
        .filter(|fact| fact.field.meaning == meaning && fact.object <= key.object)
        .max_by_key(|fact| fact.object)
}

/// Whether a variable's value belongs to a network profile (2.1: B09), which comes into force some day,
/// and not to the connection that there is. The value stands in the object that holds its component's.
fn is_of_a_profile(facts: &Facts<'_>, value: &Fact) -> bool {
    let components = facts.iter().filter(|fact| {
        let is_name = fact.field.meaning == Meaning::Component && fact.field.name == "name";
        is_name && fact.object > value.object
    });
    let component = components.min_by_key(|fact| fact.object);
    component.is_some_and(|fact| {
        ocpp::unescape(facts.text(fact)).eq_ignore_ascii_case(NETWORK_CONFIGURATION)
    })
}

fn password(facts: &Facts<'_>, value: &Fact) -> Option<NewCredential> {
    let text = ocpp::unescape(facts.text(value));
    // An empty one is none: the station would show nothing.
    let is_some = !text.is_empty() && text.len() <= crate::Verifier::PASSWORD_BYTES_MAX;
    is_some.then(|| NewCredential::Password(Secret::new(text.into_owned().into_bytes())))
}
