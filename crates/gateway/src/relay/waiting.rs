//! CALLs that wait for the one in flight. OCPP-J wants one CALL in flight in each direction; real
//! stations send BootNotification and a row of StatusNotifications at once, so a few may wait. They
//! are judged when their turn comes, since what is allowed may depend on the answer before them.

use std::collections::VecDeque;

use guard::Moment;

use crate::settings::GateLimits;

/// One direction's waiting CALLs; costs 8 bytes while there are none.
#[derive(Default)]
pub(super) struct Waiting(Option<Box<Row>>);

#[derive(Default)]
struct Row {
    calls: VecDeque<(Box<[u8]>, Moment)>,
    bytes: usize,
}

impl Waiting {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Whether that very message waits already.
    pub(super) fn holds(&self, call: &[u8]) -> bool {
        let row = self.0.as_ref();
        row.is_some_and(|row| row.calls.iter().any(|(waiting, _)| **waiting == *call))
    }

    /// No more may come in: stop reading from that side.
    pub(super) fn is_full(&self, limits: &GateLimits) -> bool {
        self.0.as_ref().is_some_and(|row| {
            row.calls.len() >= limits.calls_queued_max || row.bytes >= limits.calls_queued_bytes_max
        })
    }

    /// Adds one; the bound on bytes may be passed by this last one, and then it is full.
    pub(super) fn push(&mut self, call: &[u8], arrived: Moment) {
        let row = self.0.get_or_insert_default();
        row.bytes += call.len();
        row.calls.push_back((call.into(), arrived));
    }

    /// The next in line, with the moment it arrived.
    pub(super) fn pop(&mut self) -> Option<(Box<[u8]>, Moment)> {
        let row = self.0.as_mut()?;
        let next = row.calls.pop_front();
        row.bytes -= next.as_ref().map_or(0, |(call, _)| call.len());
        if row.calls.is_empty() {
            self.0 = None;
        }
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fills_by_number_or_by_bytes_and_keeps_the_order() {
        let limits = GateLimits {
            calls_queued_max: 3,
            calls_queued_bytes_max: 10,
            ..GateLimits::default()
        };
        let mut waiting = Waiting::default();
        assert!(waiting.is_empty() && !waiting.is_full(&limits));
        for call in [b"1".as_slice(), b"2", b"3"] {
            assert!(!waiting.is_full(&limits));
            waiting.push(call, Moment::default());
        }
        assert!(waiting.is_full(&limits), "three of three");
        for expected in [b"1", b"2", b"3"] {
            assert_eq!(
                waiting.pop().map(|(call, _)| call.to_vec()),
                Some(expected.to_vec())
            );
        }
        assert!(waiting.is_empty() && waiting.pop().is_none());
        waiting.push(b"a long message", Moment::default());
        assert!(waiting.is_full(&limits), "more than ten bytes");
    }
}
