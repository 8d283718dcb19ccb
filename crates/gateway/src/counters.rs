//! What the gate counts for `/metrics`: relaxed atomics, one cache line's worth of work a message.

use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        /// Counts since the start of the process.
        #[derive(Debug, Default)]
        pub struct Counters { $($(#[$doc])* pub(crate) $name: AtomicU64),* }

        /// All counts at one moment.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct CountersSnapshot { $($(#[$doc])* pub $name: u64),* }

        impl Counters {
            /// Reads every count.
            pub fn snapshot(&self) -> CountersSnapshot {
                CountersSnapshot { $($name: self.$name.load(Ordering::Relaxed)),* }
            }
        }
    };
}

counters! {
    /// TCP connections accepted.
    accepted,
    /// Handshakes that ended in a session.
    admitted,
    /// Handshakes refused, for whatever reason.
    refused,
    /// Handshakes refused because too many before them had failed.
    throttled,
    /// Connections closed at once because a limit was reached.
    over_limit,
    /// Sessions that ended.
    ended,
    /// Sessions ended by a bug of ours.
    panicked,
    /// Messages from stations.
    from_stations,
    /// Messages from CSMSs.
    from_csms,
    /// Messages passed on.
    forwarded,
    /// Messages joined to a CALL that was still open.
    joined,
    /// Messages refused.
    messages_refused,
    /// Messages that a control in observe mode objected to.
    observed,
    /// Messages of our own sent.
    own,
    /// CALLs that had to wait for the one in flight.
    queued,
    /// Payload bytes from stations.
    bytes_from_stations,
    /// Payload bytes from CSMSs.
    bytes_from_csms,
    /// Messages that came compressed.
    inflated,
    /// Messages sent compressed.
    deflated,
    /// Payload bytes that compression kept off the wire, both ways.
    bytes_saved,
}

impl CountersSnapshot {
    /// Sessions live at that moment.
    pub fn live(&self) -> u64 {
        self.admitted.saturating_sub(self.ended)
    }
}

/// Adds one.
pub(crate) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

/// Adds many.
pub(crate) fn add(counter: &AtomicU64, many: usize) {
    counter.fetch_add(many as u64, Ordering::Relaxed);
}
