//! A peer at the other end of a hop, for the tests of the frame layer.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::expect_used,
    reason = "part of several test crates, none of which uses all of it"
)]

use gateway::ws::{Decoder, Incoming, Inflater, Input, Role, WsError, WsLimits, apply_mask};

pub const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
pub const FIN: u8 = 0x80;

/// An [`Incoming`] that owns its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    Text(Vec<u8>),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(Option<u16>),
}

impl From<Incoming<'_>> for Item {
    fn from(incoming: Incoming<'_>) -> Item {
        match incoming {
            Incoming::Text(bytes) => Item::Text(bytes.to_vec()),
            Incoming::Binary(bytes) => Item::Binary(bytes.to_vec()),
            Incoming::Ping(bytes) => Item::Ping(bytes.to_vec()),
            Incoming::Pong(bytes) => Item::Pong(bytes.to_vec()),
            Incoming::Close(code) => Item::Close(code),
        }
    }
}

/// A peer that speaks to us; what it says is read in one go and byte by byte, which must agree.
pub struct Peer {
    pub role: Role,
    pub said: Vec<u8>,
}

impl Peer {
    /// A station: it masks.
    pub fn station() -> Peer {
        Peer {
            role: Role::Server,
            said: Vec::new(),
        }
    }

    /// A CSMS: it does not.
    pub fn csms() -> Peer {
        Peer {
            role: Role::Client,
            said: Vec::new(),
        }
    }

    pub fn raw(mut self, bytes: &[u8]) -> Peer {
        self.said.extend_from_slice(bytes);
        self
    }

    /// A frame of up to 125 bytes with this first byte, masked as the role asks.
    pub fn frame(mut self, first: u8, payload: &[u8]) -> Peer {
        let length = u8::try_from(payload.len()).expect("short frames only");
        let mut payload = payload.to_vec();
        match self.role {
            Role::Server => {
                self.said.extend_from_slice(&[first, 0x80 | length]);
                self.said.extend_from_slice(&KEY);
                apply_mask(&mut payload, KEY);
            }
            Role::Client => self.said.extend_from_slice(&[first, length]),
        }
        self.said.extend_from_slice(&payload);
        self
    }

    /// What is heard of it, in one go and in pieces.
    pub fn hear(&self, limits: &WsLimits<'_>) -> (Vec<Item>, Option<WsError>) {
        self.hear_inflated(limits, || None)
    }

    /// The same where compression was agreed on.
    pub fn hear_inflated(
        &self,
        limits: &WsLimits<'_>,
        inflater: impl Fn() -> Option<Inflater>,
    ) -> (Vec<Item>, Option<WsError>) {
        let whole = self.hear_in_pieces_of(self.said.len().max(1), limits, inflater());
        for size in [1, 2, 3, 7] {
            let pieces = self.hear_in_pieces_of(size, limits, inflater());
            assert_eq!(pieces, whole, "pieces of {size}");
        }
        whole
    }

    /// The same in pieces of one size.
    pub fn hear_in_pieces_of(
        &self,
        size: usize,
        limits: &WsLimits<'_>,
        mut inflater: Option<Inflater>,
    ) -> (Vec<Item>, Option<WsError>) {
        let mut decoder = Decoder::new(self.role);
        let mut items = Vec::new();
        for piece in self.said.chunks(size) {
            let mut piece = piece.to_vec();
            let mut input = Input::new(&mut piece).inflated_by(inflater.as_mut());
            loop {
                match decoder.next(&mut input, limits) {
                    Ok(Some(item)) => items.push(item.into()),
                    Ok(None) => break,
                    Err(error) => return (items, Some(error)),
                }
            }
            assert_eq!(input.remaining(), 0);
        }
        (items, None)
    }

    pub fn items(&self) -> Vec<Item> {
        let (items, error) = self.hear(&WsLimits::fixed(1 << 20));
        assert_eq!(error, None);
        items
    }

    pub fn error(&self) -> WsError {
        let (_, error) = self.hear(&WsLimits::fixed(1 << 20));
        error.expect("the peer broke a rule")
    }
}
