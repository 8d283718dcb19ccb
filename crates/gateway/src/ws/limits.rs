//! What one message may cost before anyone has judged it.

use std::fmt;

/// The bounds of one hop. Cheap to make; borrowed from the session's settings.
#[derive(Clone, Copy)]
pub struct WsLimits<'s> {
    /// Fragments of one message, the first included; empty ones count (threat A19).
    pub fragments_max: u32,
    /// Bytes that any message may have, no questions asked.
    pub ordinary_bytes_max: usize,
    /// Bytes that no message may have more of, whatever `allowance` says.
    pub message_bytes_max: usize,
    /// How long a message longer than `ordinary_bytes_max` may become, judged by its opening: its
    /// first [`WsLimits::OPENING_BYTES`] bytes, or all of it if it is shorter. So a list-like action
    /// can have its megabyte while everything else stays small. Asked at most once a message.
    pub allowance: &'s (dyn Fn(&[u8]) -> usize + Sync),
}

impl WsLimits<'_> {
    /// How much of a message `allowance` gets to see.
    pub const OPENING_BYTES: usize = 512;
    /// The usual bound for fragments: 1 MiB from a stack that sends 1 KiB at a time.
    pub const FRAGMENTS_MAX: u32 = 1024;

    /// Bytes that a compressed message may be longer than an eighth more than its text.
    const DEFLATE_OVERHEAD_BYTES: u64 = 64;

    /// The same bound for every message.
    pub fn fixed(message_bytes_max: usize) -> WsLimits<'static> {
        WsLimits {
            fragments_max: WsLimits::FRAGMENTS_MAX,
            ordinary_bytes_max: message_bytes_max,
            message_bytes_max,
            allowance: &|_| 0,
        }
    }

    /// Refuses a total that no opening could justify.
    pub(super) fn is_hopeless(&self, total: u64) -> bool {
        total > self.hard_max() as u64
    }

    /// The same for a compressed message as it stands on the wire. Nine bits for a byte is the worst
    /// that a compressor makes of any text, so whoever sends more means something else.
    pub(super) fn is_hopeless_deflated(&self, total: u64) -> bool {
        let max = self.hard_max() as u64;
        total > max + max / 8 + WsLimits::DEFLATE_OVERHEAD_BYTES
    }

    /// Whether a total needs the opening's leave.
    pub(super) fn is_extraordinary(&self, total: u64) -> bool {
        total > self.ordinary_bytes_max as u64
    }

    /// What a message with this opening may become.
    pub(super) fn allowance_for(&self, payload: &[u8]) -> u64 {
        let opening = payload.get(..WsLimits::OPENING_BYTES).unwrap_or(payload);
        (self.allowance)(opening).clamp(self.ordinary_bytes_max, self.hard_max()) as u64
    }

    fn hard_max(&self) -> usize {
        self.message_bytes_max.max(self.ordinary_bytes_max)
    }
}

impl fmt::Debug for WsLimits<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("WsLimits")
            .field("fragments_max", &self.fragments_max)
            .field("ordinary_bytes_max", &self.ordinary_bytes_max)
            .field("message_bytes_max", &self.message_bytes_max)
            .finish_non_exhaustive()
    }
}
