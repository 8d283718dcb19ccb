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

impl Row {
    /// Takes one in if it has room for it; whether it had.
    fn put(&mut self, message: KeptMessage) -> bool {
        let bytes_more = bytes(&message);
        let (mut of_station, mut bytes_of_station) = (0, bytes_more);
        let station = |kept: &KeptMessage| {
            let (one, other) = (&kept.session, &message.session);
            one.station == other.station && one.tenant == other.tenant
        };
        for kept in self.messages.iter().filter(|kept| station(kept)) {
            of_station += 1;
            bytes_of_station += bytes(kept);
        }
        let has_room = self.messages.len() < Kept::MESSAGES_MAX
            && self.bytes + bytes_more <= Kept::BYTES_MAX
            && of_station < Kept::STATION_MESSAGES_MAX
            && bytes_of_station <= Kept::STATION_BYTES_MAX;
        if has_room {
            self.bytes += bytes_more;
            self.messages.push_back(message);
        }
        has_room
    }
}

fn bytes(kept: &KeptMessage) -> usize {
    kept.text.expose().len()
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
    /// Of these, one station's: no station takes the room of all.
    pub const STATION_MESSAGES_MAX: usize = 16;
    /// Their bytes together; a single message may have as many.
    pub const STATION_BYTES_MAX: usize = 1 << 20;

    /// Leaves one, or counts it as lost when there is no room for it, or none for more of its station.
    pub(crate) fn put(&self, message: KeptMessage) {
        let took = self.row().put(message);
        if !took {
            self.0.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Takes the oldest few.
    pub fn take(&self, most: usize) -> Vec<KeptMessage> {
        let mut row = self.row();
        let count = most.min(row.messages.len());
        let taken: Vec<KeptMessage> = row.messages.drain(..count).collect();
        row.bytes = row.messages.iter().map(bytes).sum();
        taken
    }

    /// Puts back what could not be stored, in front of what has come since. Where that is too much the
    /// oldest stay: they have waited longest for a disk that works again.
    pub fn put_back(&self, messages: Vec<KeptMessage>) {
        let mut row = self.row();
        let since = std::mem::take(&mut *row);
        let all = messages.into_iter().chain(since.messages);
        let lost = all.filter_map(|message| (!row.put(message)).then_some(()));
        let lost = lost.count() as u64;
        drop(row);
        self.0.lost.fetch_add(lost, Ordering::Relaxed);
    }

    /// None waits.
    pub fn is_empty(&self) -> bool {
        self.row().messages.is_empty()
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

    fn message(station: &str, bytes: usize, number: u64) -> KeptMessage {
        KeptMessage {
            at: Moment::default(),
            session: Arc::new(SessionFacts {
                number,
                station: StationId::parse(station, Version::V16).unwrap(),
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

    /// Of a station of its own.
    fn lone(bytes: usize, number: u64) -> KeptMessage {
        message(&format!("CP-{number}"), bytes, number)
    }

    #[test]
    fn a_full_row_counts_and_never_grows() {
        let kept = Kept::default();
        for number in 0..Kept::MESSAGES_MAX as u64 + 3 {
            kept.put(lone(1, number));
        }
        assert_eq!(kept.lost(), 3);
        assert_eq!(kept.take(usize::MAX).len(), Kept::MESSAGES_MAX);
        for number in 0..5 {
            kept.put(lone(Kept::BYTES_MAX / 4, number));
        }
        assert_eq!((kept.lost(), kept.take(9).len()), (4, 4));
        kept.put(lone(1, 3));
        assert_eq!(numbers(&kept.take(9)), [3], "there is room again");
    }

    #[test]
    fn one_station_does_not_take_the_room_of_the_others() {
        let kept = Kept::default();
        for number in 0..Kept::MESSAGES_MAX as u64 {
            kept.put(message("CP-LOUD", 1, number));
        }
        kept.put(message("CP-QUIET", 1, 1000));
        let beyond = (Kept::MESSAGES_MAX - Kept::STATION_MESSAGES_MAX) as u64;
        assert_eq!(kept.lost(), beyond);
        let taken = numbers(&kept.take(usize::MAX));
        assert_eq!(taken.len(), Kept::STATION_MESSAGES_MAX + 1);
        assert_eq!(taken.last(), Some(&1000));

        kept.put(message("CP-LOUD", Kept::STATION_BYTES_MAX, 1));
        kept.put(message("CP-LOUD", 1, 2));
        kept.put(message("CP-QUIET", 1, 3));
        assert_eq!(kept.lost(), beyond + 1, "its bytes are a share, too");
        assert_eq!(numbers(&kept.take(9)), [1, 3]);
    }

    #[test]
    fn what_could_not_be_stored_keeps_its_place() {
        let kept = Kept::default();
        for number in 0..4 {
            kept.put(lone(Kept::BYTES_MAX / 4, number));
        }
        let taken = kept.take(2);
        kept.put(lone(Kept::BYTES_MAX / 4, 4));
        kept.put_back(taken);
        assert_eq!(kept.lost(), 1);
        assert_eq!(numbers(&kept.take(9)), [0, 1, 2, 3]);

        let share = Kept::STATION_MESSAGES_MAX as u64;
        for number in 0..share {
            kept.put(message("CP-LOUD", 1, number));
        }
        let taken = kept.take(2);
        kept.put(message("CP-LOUD", 1, share));
        kept.put_back(taken);
        assert_eq!(kept.lost(), 2);
        let left: Vec<u64> = (0..share).collect();
        assert_eq!(numbers(&kept.take(99)), left, "the oldest of its share");
    }
}
