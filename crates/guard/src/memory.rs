//! What is remembered of one station across sessions and restarts: whether it is registered with its
//! CSMS, what it said it is, and which transactions it has open.
//!
//! A plain bounded value. What is not remembered is unknown, and what is unknown is never held
//! against a station: a memory may be lost, and then the gate knows less and refuses less.

mod boot;
mod codec;
mod transactions;

use std::time::Duration;

use crate::{StationRecord, UnixMillis};

pub use boot::{BootIdentity, SimMark};
pub use transactions::{EndedTransaction, OpenTransaction, TransactionId, Transactions};
pub(crate) use transactions::{mark, message_mark, number};

/// A short mark of a CSMS, by the URL of its route: ids that two of them give out are not compared.
pub fn csms_mark(upstream: &str) -> u64 {
    mark(&[upstream])
}

/// What its CSMS last answered to a station's BootNotification.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Registration {
    /// Nobody has seen an answer, or it has been forgotten.
    #[default]
    Unknown,
    /// It is to wait and to answer questions.
    Pending,
    /// It is to wait in silence.
    Rejected,
    /// It is in.
    Accepted,
}

impl Registration {
    /// Every state with its name.
    pub const NAMED: [(&'static str, Registration); 4] = [
        ("unknown", Registration::Unknown),
        ("pending", Registration::Pending),
        ("rejected", Registration::Rejected),
        ("accepted", Registration::Accepted),
    ];

    /// Its name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Registration::Unknown => "unknown",
            Registration::Pending => "pending",
            Registration::Rejected => "rejected",
            Registration::Accepted => "accepted",
        }
    }

    /// As OCPP spells it in the answer to a BootNotification.
    pub(crate) fn read(status: &str) -> Option<Registration> {
        match status {
            "Accepted" => Some(Registration::Accepted),
            "Pending" => Some(Registration::Pending),
            "Rejected" => Some(Registration::Rejected),
            _ => None,
        }
    }

    /// Whether it must wait for a better answer.
    pub const fn must_wait(self) -> bool {
        matches!(self, Registration::Pending | Registration::Rejected)
    }
}

/// What is remembered of one station.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StationMemory {
    pub(crate) registration: Registration,
    /// When its CSMS said so.
    pub(crate) registered_at: UnixMillis,
    /// What it said it is, when its CSMS last accepted it.
    pub(crate) boot: Option<Box<BootIdentity>>,
    /// The serial number that it is bound to: that of its first accepted Boot with a certificate.
    pub(crate) bound_serial: Option<Box<str>>,
    /// How many connectors it has, where it has said so.
    pub(crate) connectors: Option<u16>,
    /// It was told to take another firmware since its last Boot.
    pub(crate) firmware_job: bool,
    /// How often the operator had put another station in its place when all this was learnt.
    pub(crate) replaced: u32,
    pub(crate) transactions: Transactions,
}

impl StationMemory {
    /// A station that was told to wait asks again within minutes; one that has not for this long was
    /// accepted where we did not see it.
    pub const WAITING_MAX: Duration = Duration::from_hours(24);

    /// What its CSMS last said to it, as far as that still holds.
    pub fn registration(&self, now: UnixMillis) -> Registration {
        let age = now.0.saturating_sub(self.registered_at.0);
        let waiting_max = Self::WAITING_MAX.as_millis() as i64;
        match self.registration.must_wait() && !(0..=waiting_max).contains(&age) {
            true => Registration::Unknown,
            false => self.registration,
        }
    }

    /// What it said it is.
    pub fn boot(&self) -> Option<&BootIdentity> {
        self.boot.as_deref()
    }

    /// The serial number that it is bound to.
    pub fn bound_serial(&self) -> Option<&str> {
        self.bound_serial.as_deref()
    }

    /// How many connectors it has.
    pub fn connectors(&self) -> Option<u16> {
        self.connectors
    }

    /// Its transactions.
    pub fn transactions(&self) -> &Transactions {
        &self.transactions
    }

    /// How often the operator had put another station in its place when all this was learnt.
    pub fn replaced(&self) -> u32 {
        self.replaced
    }

    /// Nothing is remembered.
    pub fn is_empty(&self) -> bool {
        *self == StationMemory::default()
    }

    /// The same where the gate may have stopped before the last change was kept: a station that had
    /// to wait may be accepted by now.
    #[must_use]
    pub fn in_doubt(mut self) -> StationMemory {
        if self.registration.must_wait() {
            self.registration = Registration::Unknown;
        }
        self
    }

    /// What still holds when a session of a registered station begins: nothing that was learnt of a
    /// station whose place another one has taken, and no transaction is sure until the station speaks
    /// of it. A serial number that the operator has registered binds more than one that was learnt.
    #[must_use]
    pub fn for_session(self, record: &StationRecord) -> StationMemory {
        let mut memory = match self.replaced == record.replaced {
            true => self,
            false => StationMemory {
                replaced: record.replaced,
                ..StationMemory::default()
            },
        };
        if record.serial.is_some() {
            memory.bound_serial.clone_from(&record.serial);
        }
        memory.transactions.doubt();
        memory
    }
}

#[cfg(test)]
mod tests;
