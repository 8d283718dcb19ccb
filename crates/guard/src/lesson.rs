//! What the gate learns at its door and the register should keep. Lessons leave the gate through a
//! bounded queue that no handshake waits for; the register takes those that still fit it.

use ocpp::StationId;

use crate::{PasswordTraits, Tenant, Verifier};

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
}
