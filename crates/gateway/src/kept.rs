//! The way out for refused messages that money hangs on: a bounded row that the road never waits for.
//! They are rare, so whoever reads comes by when it likes; what finds no room is counted, and lost.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use guard::{Control, Moment, Secret, SessionFacts};
use ocpp::HardFault;

/// A refused message, whole.
#[derive(Debug)]
pub struct KeptMessage {
    /// When it was refused.
    pub at: Moment,
    /// Of which session.
    pub session: Arc<SessionFacts>,
    /// Its action; `?` where it could not be read.
    pub action: &'static str,
    /// Which control refused it.
    pub control: Option<Control>,
    /// Or which hard fault.
    pub fault: Option<HardFault>,
    /// Why, in words without any identifier.
    pub why: String,
    /// The message as it came: it names a token and a place, so it is treated as a secret.
    pub text: Secret,
}

#[derive(Default)]
struct Row {
    messages: VecDeque<KeptMessage>,
    bytes: usize,
}

#[derive(Default)]
struct Shelf {
    row: Mutex<Row>,
    lost: AtomicU64,
}

/// The end of the road, and of whoever puts them where they last.
#[derive(Clone, Default)]
pub struct Kept(Arc<Shelf>);

impl Kept {
    /// Messages that wait to be taken.
    pub const MESSAGES_MAX: usize = 256;
    /// Their bytes together.
    pub const BYTES_MAX: usize = 4 << 20;

    /// Leaves one, or counts it as lost when there is no room.
    pub(crate) fn put(&self, message: KeptMessage) {
        let bytes = message.text.expose().len();
        let mut row = self.row();
        if row.messages.len() < Self::MESSAGES_MAX && row.bytes + bytes <= Self::BYTES_MAX {
            row.bytes += bytes;
            row.messages.push_back(message);
        } else {
            drop(row);
            self.0.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Takes the oldest few.
    pub fn take(&self, most: usize) -> Vec<KeptMessage> {
        let mut row = self.row();
        let count = most.min(row.messages.len());
        let taken: Vec<KeptMessage> = row.messages.drain(..count).collect();
        row.bytes = row
            .messages
            .iter()
            .map(|kept| kept.text.expose().len())
            .sum();
        taken
    }

    /// Puts back what could not be stored, in front of what has come since.
    pub fn put_back(&self, messages: Vec<KeptMessage>) {
        let mut row = self.row();
        for message in messages.into_iter().rev() {
            row.bytes += message.text.expose().len();
            row.messages.push_front(message);
        }
        while row.messages.len() > Self::MESSAGES_MAX || row.bytes > Self::BYTES_MAX {
            // The oldest stay: they have waited longest for a disk that works again.
            let Some(newest) = row.messages.pop_back() else {
                break;
            };
            row.bytes = row.bytes.saturating_sub(newest.text.expose().len());
            self.0.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How many found no room since the start.
    pub fn lost(&self) -> u64 {
        self.0.lost.load(Ordering::Relaxed)
    }

    fn row(&self) -> MutexGuard<'_, Row> {
        // A panic leaves a row whole but for its sum, which the next taking puts right.
        self.0.row.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, SocketAddr};

    use guard::{ConnectionKind, RouteId, Tenant};
    use ocpp::{StationId, Version};

    use super::*;

    fn message(bytes: usize, number: u64) -> KeptMessage {
        KeptMessage {
            at: Moment::default(),
            session: Arc::new(SessionFacts {
                number,
                station: StationId::parse("CP", Version::V16).unwrap(),
                tenant: Tenant("t".into()),
                route: RouteId("r".into()),
                version: Version::V16,
                kind: ConnectionKind::TlsBasic,
                peer: SocketAddr::from((Ipv4Addr::LOCALHOST, 1)),
                tls: None,
                exception: None,
            }),
            action: "StopTransaction",
            control: None,
            fault: None,
            why: String::new(),
            text: Secret::new(vec![0; bytes]),
        }
    }

    fn numbers(kept: &[KeptMessage]) -> Vec<u64> {
        kept.iter().map(|kept| kept.session.number).collect()
    }

    #[test]
    fn a_full_row_counts_and_never_grows() {
        let kept = Kept::default();
        for number in 0..Kept::MESSAGES_MAX as u64 + 3 {
            kept.put(message(1, number));
        }
        assert_eq!(kept.lost(), 3);
        assert_eq!(kept.take(usize::MAX).len(), Kept::MESSAGES_MAX);
        kept.put(message(Kept::BYTES_MAX, 1));
        kept.put(message(1, 2));
        assert_eq!((kept.lost(), kept.take(9).len()), (4, 1));
        kept.put(message(1, 3));
        assert_eq!(numbers(&kept.take(9)), [3], "there is room again");
    }

    #[test]
    fn what_could_not_be_stored_keeps_its_place() {
        let kept = Kept::default();
        for number in 0..4 {
            kept.put(message(Kept::BYTES_MAX / 4, number));
        }
        let taken = kept.take(2);
        kept.put(message(Kept::BYTES_MAX / 4, 4));
        kept.put_back(taken);
        assert_eq!(kept.lost(), 1);
        assert_eq!(numbers(&kept.take(9)), [0, 1, 2, 3]);
    }
}
