//! What the gate learns at its door and the register should keep. Lessons leave the gate through a
//! bounded queue that no handshake waits for; the register takes those that still fit it.

use ocpp::StationId;

use crate::{
    ChangeStep, Credential, CredentialMark, PasswordTraits, Secret, StationRecord, Tenant, Verifier,
};

/// One thing learnt.
#[derive(Clone, Debug)]
pub enum Lesson {
    /// A station has shown its password, of which only the verifier was known.
    Password {
        /// Whose.
        tenant: Tenant,
        /// Which station.
        station: StationId,
        /// What the password was checked against: the lesson is about no other.
        verifier: Verifier,
        /// What is known of it now.
        traits: PasswordTraits,
    },
    /// A station is being given another credential (D03).
    Change {
        /// Whose.
        tenant: Tenant,
        /// Which station.
        station: StationId,
        /// What it had to show until then: the lesson is about no other.
        basis: Credential,
        /// How far it is.
        step: ChangeStep,
    },
    /// A station has shown its new credential for the first time.
    Proved {
        /// Whose.
        tenant: Tenant,
        /// Which station.
        station: StationId,
        /// What it had to show until then.
        basis: Credential,
        /// By what the new one is known.
        mark: CredentialMark,
        /// The password it has shown; in memory only, until it is hashed.
        password: Option<Secret>,
    },
    /// The same when it has been hashed: the new credential takes the old one's place.
    Renewed {
        /// Whose.
        tenant: Tenant,
        /// Which station.
        station: StationId,
        /// What it had to show until then.
        basis: Credential,
        /// And from now on.
        credential: Credential,
        /// What is known of its password.
        password: Option<PasswordTraits>,
        /// What the CSMS is shown in its name from now on, where it had something of its own.
        upstream_password: Option<Secret>,
    },
    /// The CSMS has agreed to a station that nobody had registered, in an adoption window.
    Adopted(Box<StationRecord>),
}
