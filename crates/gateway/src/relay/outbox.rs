//! What is about to leave, as WebSocket frames. A text message gets in only as `Cleared` or `Own`:
//! there is no other way onto a socket.

use guard::{Cleared, Own};
use ocpp::Side;

use crate::events::Ordinal;
use crate::ws::{self, DeflateTerms, Deflater, Tally};

/// Frames for both hops, gathered while one turn of a session is worked off and then written at
/// once. One per thread; empty between turns.
pub(super) struct Outbox {
    pub(super) to_station: Vec<u8>,
    pub(super) to_csms: Vec<u8>,
    /// What station and CSMS have agreed to about compression.
    terms: [Option<DeflateTerms>; 2],
    deflater: Deflater,
    masks: Masks,
    filled: Filled,
}

/// What has been put into the outbox.
#[derive(Default)]
pub(super) struct Filled {
    pub(super) messages: u32,
    /// A goodbye is among it.
    pub(super) closes: bool,
    /// The last event that was told of it.
    pub(super) told: Ordinal,
}

impl Outbox {
    pub(super) fn new() -> Outbox {
        Outbox {
            to_station: Vec::new(),
            to_csms: Vec::new(),
            terms: [None; 2],
            deflater: Deflater::default(),
            masks: Masks::new(),
            filled: Filled::default(),
        }
    }

    /// For another session: nothing of the last one is left, whatever became of it.
    pub(super) fn begin(&mut self, station: Option<DeflateTerms>, csms: Option<DeflateTerms>) {
        self.to_station.clear();
        self.to_csms.clear();
        self.terms = [station, csms];
        self.filled = Filled::default();
    }

    /// Of what was put in, this is the event.
    pub(super) fn told(&mut self, event: Ordinal) {
        self.filled.told = self.filled.told.max(event);
    }

    /// What was put in since this was last asked.
    pub(super) fn take_filled(&mut self) -> Filled {
        std::mem::take(&mut self.filled)
    }

    /// What was compressed since this was last asked.
    pub(super) fn take_tally(&mut self) -> Tally {
        self.deflater.take_tally()
    }

    /// A peer's message, bytes untouched.
    pub(super) fn forward(&mut self, to: Side, message: &Cleared<'_>) {
        self.text(to, message.bytes());
    }

    /// A message of ours.
    pub(super) fn own(&mut self, message: &Own) {
        self.text(message.to(), message.bytes());
    }

    fn text(&mut self, to: Side, bytes: &[u8]) {
        self.filled.messages += 1;
        let [station, csms] = self.terms;
        let terms = match to {
            Side::Station => station,
            Side::Csms => csms,
        };
        if let Some(terms) = terms
            && self.deflated(to, bytes, terms)
        {
            return;
        }
        let (out, mask) = self.hop(to);
        ws::append_text(out, bytes, mask);
    }

    /// Sends it compressed, if that makes it smaller.
    #[cold]
    fn deflated(&mut self, to: Side, bytes: &[u8], terms: DeflateTerms) -> bool {
        let Some(deflated) = self.deflater.deflate(bytes, terms) else {
            return false;
        };
        match to {
            Side::Station => ws::append_deflated(&mut self.to_station, deflated, None),
            Side::Csms => {
                ws::append_deflated(&mut self.to_csms, deflated, Some(self.masks.next()));
            }
        }
        true
    }

    pub(super) fn ping(&mut self, to: Side) {
        let (out, mask) = self.hop(to);
        ws::append_ping(out, b"", mask);
    }

    pub(super) fn pong(&mut self, to: Side, payload: &[u8]) {
        let (out, mask) = self.hop(to);
        ws::append_pong(out, payload, mask);
    }

    pub(super) fn close(&mut self, to: Side, code: Option<u16>) {
        self.filled.closes = true;
        let (out, mask) = self.hop(to);
        ws::append_close(out, code, mask);
    }

    /// Towards the CSMS we are the client, and clients mask (RFC 6455, 5.3).
    fn hop(&mut self, to: Side) -> (&mut Vec<u8>, Option<[u8; 4]>) {
        match to {
            Side::Station => (&mut self.to_station, None),
            Side::Csms => (&mut self.to_csms, Some(self.masks.next())),
        }
    }
}

/// Mask keys from the system's random source (RFC 6455, 10.3), fetched 256 at a time: a system call
/// for each would cost more than the masking.
struct Masks {
    pool: [u8; 1024],
    used: usize,
}

impl Masks {
    fn new() -> Masks {
        Masks {
            pool: [0; 1024],
            used: 1024,
        }
    }

    fn next(&mut self) -> [u8; 4] {
        if self.used + 4 > self.pool.len() {
            // Should the system ever refuse, the old keys serve again: masks keep scripts in browsers
            // from choosing bytes on the wire, and no browser speaks through us.
            let _ = getrandom::fill(&mut self.pool);
            self.used = 0;
        }
        let mut mask = [0; 4];
        mask.copy_from_slice(&self.pool[self.used..self.used + 4]);
        self.used += 4;
        mask
    }
}
