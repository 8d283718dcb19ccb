//! One hop of a session: its byte stream, its frames, and whether anybody is still there.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use ocpp::Side;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::Opened;
use super::conversation::End;
use crate::settings::SessionSettings;
use crate::wire::Wire;
use crate::ws::{Decoder, DeflateTerms, Role, WsError};

/// The station's hop or the CSMS's.
pub(super) struct Hop {
    wire: Wire,
    pub(super) decoder: Decoder,
    /// Messages may be compressed, both ways.
    pub(super) deflate: Option<DeflateTerms>,
    /// Since when a message has been open.
    open_since: Option<Duration>,
    /// Read but not yet decoded: what came with the handshake, or behind a full row of waiting CALLs.
    pub(super) unread: Vec<u8>,
    /// Written but not yet taken by the socket. While there is some, neither side is read.
    outgoing: Vec<u8>,
    unflushed: bool,
    heard: Duration,
    /// Signs that the peer is there: helpings read, and congestions in which it took something.
    signs: u32,
    pinged: Option<Duration>,
    controls: u32,
    controls_since: Duration,
    pub(super) close_sent: bool,
    pub(super) close_received: bool,
    /// The socket is of no more use.
    pub(super) lost: bool,
}

/// What a hop's silence asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Silence {
    /// Nothing yet; look again at this time.
    Fine(Duration),
    /// Send a ping now.
    WantsPing,
    /// The ping was not answered in time.
    Dead,
}

impl Hop {
    /// A hop whose handshake is done.
    pub(super) fn new(opened: Opened, side: Side, now: Duration) -> Hop {
        let role = match side {
            Side::Station => Role::Server,
            Side::Csms => Role::Client,
        };
        Hop {
            wire: opened.wire,
            decoder: Decoder::new(role),
            deflate: opened.deflate,
            open_since: None,
            unread: opened.unread,
            outgoing: Vec::new(),
            unflushed: false,
            heard: now,
            signs: 0,
            pinged: None,
            controls: 0,
            controls_since: now,
            close_sent: false,
            close_received: false,
            lost: false,
        }
    }

    /// Reads what is there: how many bytes, 0 when the peer is gone.
    pub(super) fn read(
        &mut self,
        context: &mut Context<'_>,
        input: &mut [u8],
        now: Duration,
    ) -> Poll<usize> {
        let mut buffer = ReadBuf::new(input);
        match Pin::new(&mut self.wire).poll_read(context, &mut buffer) {
            Poll::Pending => Poll::Pending,
            // Which error it was changes nothing: the socket is gone either way.
            Poll::Ready(Err(_)) => Poll::Ready(0),
            Poll::Ready(Ok(())) => {
                self.show_life(now);
                Poll::Ready(buffer.filled().len())
            }
        }
    }

    /// The peer is there.
    fn show_life(&mut self, now: Duration) {
        self.heard = now;
        self.signs = self.signs.wrapping_add(1);
    }

    /// How often the peer has shown that it is there.
    pub(super) fn signs(&self) -> u32 {
        self.signs
    }

    /// A pong that we ask for beside the usual ones must not count against its sender.
    pub(super) fn expect_pong(&mut self) {
        self.controls = self.controls.saturating_sub(1);
    }

    /// Bytes that the socket has not taken yet.
    pub(super) fn is_congested(&self) -> bool {
        !self.outgoing.is_empty()
    }

    /// All that was sent has left.
    pub(super) fn is_drained(&self) -> bool {
        self.outgoing.is_empty() && !self.unflushed
    }

    /// Writes `fresh` behind what is still waiting, as far as the socket takes it, and empties it.
    /// True when a congestion is over, so that the other side may be read again.
    pub(super) fn write(
        &mut self,
        context: &mut Context<'_>,
        fresh: &mut Vec<u8>,
        now: Duration,
    ) -> bool {
        let was_congested = self.is_congested();
        let was_unflushed = self.unflushed;
        if self.lost {
            fresh.clear();
            self.outgoing = Vec::new();
            self.unflushed = false;
            return was_congested;
        }
        if self.outgoing.is_empty() && !fresh.is_empty() {
            let taken = self.write_slice(context, fresh);
            if let Some(rest) = fresh.get(taken..).filter(|rest| !rest.is_empty()) {
                self.outgoing = rest.to_vec();
                self.heard = now;
            }
        } else if !self.outgoing.is_empty() {
            self.outgoing.extend_from_slice(fresh);
            let outgoing = std::mem::take(&mut self.outgoing);
            let taken = self.write_slice(context, &outgoing);
            if taken > 0 {
                // We do not read it now, so that it takes something is the sign of life to go by.
                self.show_life(now);
            }
            if let Some(rest) = outgoing.get(taken..).filter(|rest| !rest.is_empty()) {
                self.outgoing = rest.to_vec();
            }
        }
        fresh.clear();
        if self.unflushed && !self.lost {
            match Pin::new(&mut self.wire).poll_flush(context) {
                Poll::Ready(Ok(())) => {
                    self.unflushed = false;
                    if was_unflushed {
                        self.signs = self.signs.wrapping_add(1);
                    }
                }
                Poll::Ready(Err(_)) => self.lost = true,
                Poll::Pending => {}
            }
        }
        was_congested && !self.is_congested()
    }

    fn write_slice(&mut self, context: &mut Context<'_>, bytes: &[u8]) -> usize {
        let mut taken = 0;
        while let Some(rest) = bytes.get(taken..).filter(|rest| !rest.is_empty()) {
            match Pin::new(&mut self.wire).poll_write(context, rest) {
                Poll::Ready(Ok(count)) if count > 0 => {
                    taken += count;
                    self.unflushed = true;
                }
                Poll::Ready(_) => {
                    self.lost = true;
                    return bytes.len();
                }
                Poll::Pending => break,
            }
        }
        taken
    }

    /// Says goodbye on the transport, as far as that goes without waiting.
    pub(super) fn shut_down(&mut self, context: &mut Context<'_>) {
        let _ = Pin::new(&mut self.wire).poll_shutdown(context);
    }

    /// Counts a ping or pong; too many of them within `window` end the session (threat A19).
    pub(super) fn count_control(
        &mut self,
        max: u32,
        window: Duration,
        now: Duration,
    ) -> Result<(), End> {
        if now >= self.controls_since + window {
            self.controls_since = now;
            self.controls = 0;
        }
        self.controls = self.controls.saturating_add(1);
        if self.controls > max {
            Err(End::Protocol(WsError::TooManyControls))
        } else {
            Ok(())
        }
    }

    /// Nothing more is expected of this hop.
    pub(super) fn is_over(&self) -> bool {
        self.lost || (self.close_sent && self.close_received && self.is_drained())
    }

    /// What this hop's silence asks for at `now`. Called once in a while, not for every message.
    pub(super) fn silence(&mut self, settings: &SessionSettings, now: Duration) -> Silence {
        if self.pinged.is_some_and(|pinged| self.heard > pinged) {
            self.pinged = None;
        }
        match self.pinged {
            Some(pinged) if now >= pinged + settings.pong_deadline => Silence::Dead,
            Some(pinged) => Silence::Fine(pinged + settings.pong_deadline),
            None if now >= self.heard + settings.ping_after => {
                self.pinged = Some(now);
                Silence::WantsPing
            }
            None => Silence::Fine(self.heard + settings.ping_after),
        }
    }

    /// Notes, when all that was read has been decoded, whether a message is still open; `another_ended`
    /// since the last note. True when one has begun: it has its deadline from now on.
    pub(super) fn note_open_message(&mut self, another_ended: bool, now: Duration) -> bool {
        if !self.decoder.message_is_open() {
            self.open_since = None;
            return false;
        }
        let is_new = another_ended || self.open_since.is_none();
        if is_new {
            self.open_since = Some(now);
        }
        is_new
    }

    /// When the message that is open must have ended.
    pub(super) fn message_due(&self, settings: &SessionSettings) -> Option<Duration> {
        self.open_since
            .map(|since| since + settings.message_deadline)
    }

    /// We do not read this hop for now, so its message cannot go on.
    pub(super) fn excuse_message(&mut self, now: Duration) {
        if self.open_since.is_some() {
            self.open_since = Some(now);
        }
    }

    /// We have stopped reading this hop ourselves, so its silence says nothing.
    pub(super) fn excuse(&mut self, now: Duration) {
        self.heard = now;
    }
}
