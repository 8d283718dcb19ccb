//! RFC 6455 by clause: what the frame layer takes, what it refuses, and the close code it answers.

#![expect(
    clippy::expect_used,
    reason = "a test fails where something does not hold"
)]

use gateway::ws::{
    Decoder, Incoming, Input, Opcode, Role, WsError, WsLimits, append_close, append_ping,
    append_pong, append_text, apply_mask, encode_header,
};

const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
const FIN: u8 = 0x80;

/// An [`Incoming`] that owns its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Item {
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
struct Peer {
    role: Role,
    said: Vec<u8>,
}

impl Peer {
    /// A station: it masks.
    fn station() -> Peer {
        Peer {
            role: Role::Server,
            said: Vec::new(),
        }
    }

    /// A CSMS: it does not.
    fn csms() -> Peer {
        Peer {
            role: Role::Client,
            said: Vec::new(),
        }
    }

    fn raw(mut self, bytes: &[u8]) -> Peer {
        self.said.extend_from_slice(bytes);
        self
    }

    /// A frame of up to 125 bytes with this first byte, masked as the role asks.
    fn frame(mut self, first: u8, payload: &[u8]) -> Peer {
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

    fn hear(&self, limits: &WsLimits<'_>) -> (Vec<Item>, Option<WsError>) {
        let whole = self.hear_in_pieces_of(self.said.len().max(1), limits);
        for size in [1, 2, 3, 7] {
            assert_eq!(
                self.hear_in_pieces_of(size, limits),
                whole,
                "pieces of {size}"
            );
        }
        whole
    }

    fn hear_in_pieces_of(
        &self,
        size: usize,
        limits: &WsLimits<'_>,
    ) -> (Vec<Item>, Option<WsError>) {
        let mut decoder = Decoder::new(self.role);
        let mut items = Vec::new();
        for piece in self.said.chunks(size) {
            let mut piece = piece.to_vec();
            let mut input = Input::new(&mut piece);
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

    fn items(&self) -> Vec<Item> {
        let (items, error) = self.hear(&WsLimits::fixed(1 << 20));
        assert_eq!(error, None);
        items
    }

    fn error(&self) -> WsError {
        let (_, error) = self.hear(&WsLimits::fixed(1 << 20));
        error.expect("the peer broke a rule")
    }
}

#[test]
fn clause_5_1_a_client_must_mask() {
    let error = Peer::station().raw(&[FIN | 1, 2, b'h', b'i']).error();
    assert_eq!(error, WsError::Unmasked);
    assert_eq!(error.close_code(), 1002);
    for control in [8, 9, 10] {
        let error = Peer::station().raw(&[FIN | control, 0]).error();
        assert_eq!(error, WsError::Unmasked);
    }
}

#[test]
fn clause_5_1_a_server_must_not_mask() {
    let error = Peer::csms()
        .raw(&[FIN | 1, 0x82, 0, 0, 0, 0, b'h', b'i'])
        .error();
    assert_eq!(error, WsError::Masked);
    assert_eq!(error.close_code(), 1002);
}

#[test]
fn clause_5_2_no_reserved_bit_without_an_extension() {
    for bit in [0x40, 0x20, 0x10, 0x70] {
        for opcode in [0, 1, 2, 8, 9, 10] {
            let error = Peer::station().frame(FIN | bit | opcode, b"").error();
            assert_eq!((error, error.close_code()), (WsError::ReservedBits, 1002));
        }
    }
}

#[test]
fn clause_5_2_reserved_opcodes_are_refused() {
    for opcode in [3, 4, 5, 6, 7, 11, 12, 13, 14, 15] {
        let error = Peer::station().frame(FIN | opcode, b"").error();
        assert_eq!((error, error.close_code()), (WsError::ReservedOpcode, 1002));
    }
}

#[test]
fn clause_5_2_lengths_are_written_minimally() {
    for length in [0_u16, 1, 125] {
        let [high, low] = length.to_be_bytes();
        let error = Peer::csms().raw(&[FIN | 1, 126, high, low]).error();
        assert_eq!(error, WsError::LengthNotMinimal);
    }
    for length in [0_u64, 125, 126, 65_535] {
        let mut bytes = vec![FIN | 1, 127];
        bytes.extend_from_slice(&length.to_be_bytes());
        assert_eq!(Peer::csms().raw(&bytes).error(), WsError::LengthNotMinimal);
    }
}

#[test]
fn clause_5_2_the_top_bit_of_a_64_bit_length_is_zero() {
    for length in [1_u64 << 63, u64::MAX] {
        let mut bytes = vec![FIN | 2, 127];
        bytes.extend_from_slice(&length.to_be_bytes());
        assert_eq!(Peer::csms().raw(&bytes).error(), WsError::LengthTopBit);
    }
}

#[test]
fn clause_5_2_every_length_form_is_read() {
    for length in [0, 1, 125, 126, 127, 65_535, 65_536, 70_000] {
        for (role, mask) in [(Role::Server, Some(KEY)), (Role::Client, None)] {
            let payload: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
            let mut said = Vec::new();
            append_text(&mut said, &payload, mask);
            assert_eq!(Peer { role, said }.items(), [Item::Text(payload)]);
        }
    }
}

#[test]
fn clause_5_3_the_standards_own_example_is_unmasked() {
    let masked_hello = [
        0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58,
    ];
    let items = Peer::station().raw(&masked_hello).items();
    assert_eq!(items, [Item::Text(b"Hello".to_vec())]);
    let mut ours = Vec::new();
    append_text(&mut ours, b"Hello", Some(KEY));
    assert_eq!(ours, masked_hello);
}

#[test]
fn clause_5_4_fragments_make_one_message() {
    let items = Peer::station()
        .frame(1, b"Hel")
        .frame(0, b"")
        .frame(0, b"l")
        .frame(FIN, b"o")
        .frame(2, b"")
        .frame(FIN, b"\x00")
        .items();
    assert_eq!(
        items,
        [Item::Text(b"Hello".to_vec()), Item::Binary(vec![0])]
    );
}

#[test]
fn clause_5_4_control_frames_may_stand_between_fragments() {
    let items = Peer::csms()
        .frame(1, b"Hel")
        .frame(FIN | 9, b"there?")
        .frame(FIN | 10, b"")
        .frame(FIN, b"lo")
        .items();
    assert_eq!(
        items,
        [
            Item::Ping(b"there?".to_vec()),
            Item::Pong(Vec::new()),
            Item::Text(b"Hello".to_vec())
        ]
    );
}

#[test]
fn clause_5_4_a_continuation_continues_something() {
    for first in [0, FIN] {
        let error = Peer::station().frame(first, b"x").error();
        assert_eq!(
            (error, error.close_code()),
            (WsError::NothingToContinue, 1002)
        );
    }
    let after_a_whole_message = Peer::station().frame(FIN | 1, b"x").frame(FIN, b"y");
    assert_eq!(after_a_whole_message.error(), WsError::NothingToContinue);
}

#[test]
fn clause_5_4_messages_are_not_interleaved() {
    for first in [1, 2, FIN | 1, FIN | 2] {
        let error = Peer::station().frame(1, b"x").frame(first, b"y").error();
        assert_eq!(
            (error, error.close_code()),
            (WsError::MessageStillOpen, 1002)
        );
    }
}

#[test]
fn clause_5_5_control_frames_hold_at_most_125_bytes() {
    let full = [b'p'; 125];
    assert_eq!(
        Peer::csms().frame(FIN | 9, &full).items(),
        [Item::Ping(full.to_vec())]
    );
    for control in [8, 9, 10] {
        for length in [126, 127] {
            let error = Peer::csms().raw(&[FIN | control, length]).error();
            assert_eq!((error, error.close_code()), (WsError::ControlTooLong, 1002));
        }
    }
}

#[test]
fn clause_5_5_control_frames_are_never_fragmented() {
    for control in [8, 9, 10] {
        let error = Peer::station().frame(control, b"").error();
        assert_eq!(
            (error, error.close_code()),
            (WsError::ControlFragmented, 1002)
        );
    }
}

#[test]
fn clause_5_5_1_a_close_body_is_empty_or_starts_with_a_code() {
    assert_eq!(
        Peer::csms().frame(FIN | 8, b"").items(),
        [Item::Close(None)]
    );
    let error = Peer::csms().frame(FIN | 8, &[3]).error();
    assert_eq!(
        (error, error.close_code()),
        (WsError::CloseBodyTooShort, 1002)
    );
}

#[test]
fn clause_5_5_1_a_close_reason_is_utf8() {
    let body = [&1000_u16.to_be_bytes()[..], "wir schließen".as_bytes()].concat();
    assert_eq!(
        Peer::station().frame(FIN | 8, &body).items(),
        [Item::Close(Some(1000))]
    );
    let body = [&1000_u16.to_be_bytes()[..], &[0xce, 0xba, 0xff]].concat();
    let error = Peer::station().frame(FIN | 8, &body).error();
    assert_eq!(
        (error, error.close_code()),
        (WsError::CloseReasonNotUtf8, 1007)
    );
}

#[test]
fn clause_5_5_1_nothing_is_heard_after_a_close() {
    let items = Peer::station()
        .frame(FIN | 1, b"before")
        .frame(FIN | 8, &1001_u16.to_be_bytes())
        .frame(FIN | 1, b"after")
        .raw(&[0xff, 0xff, 0xff])
        .items();
    assert_eq!(
        items,
        [Item::Text(b"before".to_vec()), Item::Close(Some(1001))]
    );
}

#[test]
fn clause_5_6_binary_is_told_from_text() {
    let items = Peer::csms()
        .frame(FIN | 2, b"[]")
        .frame(FIN | 1, b"[]")
        .items();
    assert_eq!(
        items,
        [Item::Binary(b"[]".to_vec()), Item::Text(b"[]".to_vec())]
    );
}

#[test]
fn clause_7_4_only_sendable_close_codes_are_taken() {
    for code in 0..=u16::MAX {
        let sendable = matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999);
        let mut said = vec![FIN | 8, 2];
        said.extend_from_slice(&code.to_be_bytes());
        let mut input = Input::new(&mut said);
        let mut decoder = Decoder::new(Role::Client);
        let heard = decoder.next(&mut input, &WsLimits::fixed(10));
        let expected = if sendable {
            Ok(Some(Incoming::Close(Some(code))))
        } else {
            Err(WsError::CloseCode)
        };
        assert_eq!(heard, expected, "{code}");
    }
}

#[test]
fn clause_7_4_1_every_breach_has_its_close_code() {
    assert_eq!(WsError::TextNotUtf8.close_code(), 1007);
    assert_eq!(WsError::TooManyFragments.close_code(), 1008);
    assert_eq!(WsError::TooManyControls.close_code(), 1008);
    assert_eq!(WsError::MessageTooBig.close_code(), 1009);
    assert_eq!(WsError::CloseCode.close_code(), 1002);
}

#[test]
fn clause_8_1_text_is_handed_on_for_the_reader_to_check() {
    let not_utf8 = [0xce, 0xba, 0xff];
    let items = Peer::station().frame(FIN | 1, &not_utf8).items();
    assert_eq!(items, [Item::Text(not_utf8.to_vec())]);
}

#[test]
fn clause_10_4_fragments_are_counted_even_when_empty() {
    let limits = WsLimits {
        fragments_max: 3,
        ..WsLimits::fixed(100)
    };
    let three = Peer::csms().frame(1, b"").frame(0, b"").frame(FIN, b"");
    assert_eq!(three.hear(&limits).1, None);
    let four = Peer::csms()
        .frame(1, b"")
        .frame(0, b"")
        .frame(0, b"")
        .frame(FIN, b"");
    assert_eq!(four.hear(&limits).1, Some(WsError::TooManyFragments));
}

#[test]
fn clause_10_4_a_message_keeps_its_bound_whole_or_in_fragments() {
    let limits = WsLimits::fixed(10);
    let whole = Peer::csms().frame(FIN | 1, b"0123456789a");
    assert_eq!(whole.hear(&limits).1, Some(WsError::MessageTooBig));
    let parts = Peer::csms().frame(1, b"0123456").frame(FIN, b"789a");
    assert_eq!(parts.hear(&limits).1, Some(WsError::MessageTooBig));
    let fits = Peer::csms().frame(1, b"0123456").frame(FIN, b"789");
    assert_eq!(fits.hear(&limits).1, None);
}

/// Messages that start with `L` may have 5,000 bytes, all others 1,000.
fn lists_may_be_long(opening: &[u8]) -> usize {
    assert!(opening.len() <= WsLimits::OPENING_BYTES);
    if opening.first() == Some(&b'L') {
        5_000
    } else {
        0
    }
}

#[test]
fn clause_10_4_a_long_message_must_be_justified_by_its_opening() {
    let limits = WsLimits {
        fragments_max: 100,
        ordinary_bytes_max: 1_000,
        message_bytes_max: 8_000,
        allowance: &lists_may_be_long,
    };
    let outcome = |first: u8, length: usize| {
        let mut payload = vec![b'.'; length];
        payload[0] = first;
        let mut said = Vec::new();
        append_text(&mut said, &payload, Some(KEY));
        let whole = Peer {
            role: Role::Server,
            said,
        }
        .hear(&limits);
        let mut in_fragments = Peer::station();
        for (at, piece) in payload.chunks(100).enumerate() {
            let last = (at + 1) * 100 >= length;
            let first = u8::from(at == 0) | if last { FIN } else { 0 };
            in_fragments = in_fragments.frame(first, piece);
        }
        assert_eq!(in_fragments.hear(&limits), whole);
        whole.1
    };
    let too_big = Some(WsError::MessageTooBig);
    assert_eq!(outcome(b'x', 1_000), None);
    assert_eq!(outcome(b'x', 1_001), too_big);
    assert_eq!(outcome(b'L', 1_001), None);
    assert_eq!(outcome(b'L', 5_000), None);
    assert_eq!(outcome(b'L', 5_001), too_big);
}

#[test]
fn clause_10_4_memory_follows_what_came_not_what_was_announced() {
    let mut decoder = Decoder::new(Role::Client);
    let limits = WsLimits::fixed(1 << 20);
    let mut said = Vec::new();
    encode_header(&mut said, Opcode::Text, 1 << 20, None);
    said.extend_from_slice(b"[2,");
    let mut input = Input::new(&mut said);
    let heard = decoder.next(&mut input, &limits);
    assert_eq!(heard, Ok(None));
    assert!(decoder.message_is_open());
    assert_eq!(decoder.bytes_held(), 3);
}

#[test]
fn an_idle_hop_is_small_and_holds_nothing() {
    assert!(std::mem::size_of::<Decoder>() <= 64);
    let mut decoder = Decoder::new(Role::Client);
    let limits = WsLimits::fixed(1 << 20);
    let mut said = Vec::new();
    append_text(&mut said, &[b'x'; 5_000], None);
    let (front, back) = said.split_at_mut(1_000);
    assert_eq!(decoder.next(&mut Input::new(front), &limits), Ok(None));
    assert!(!decoder.is_idle());
    let mut input = Input::new(back);
    let heard = decoder.next(&mut input, &limits).map(|item| item.is_some());
    assert_eq!(heard, Ok(true));
    assert_eq!(decoder.next(&mut input, &limits), Ok(None));
    assert!(decoder.is_idle());
    assert_eq!(decoder.bytes_held(), 0);
}

#[test]
fn a_whole_message_is_read_where_it_lies() {
    let mut said = Vec::new();
    append_text(&mut said, b"[3,\"1\",{}]", Some(KEY));
    let range = said.as_ptr_range();
    let mut decoder = Decoder::new(Role::Server);
    let mut input = Input::new(&mut said);
    let heard = decoder.next(&mut input, &WsLimits::fixed(100));
    let Ok(Some(Incoming::Text(text))) = heard else {
        panic!("no text: {heard:?}");
    };
    assert_eq!(text, b"[3,\"1\",{}]");
    assert!(range.contains(&text.as_ptr()));
    assert!(decoder.is_idle());
}

#[test]
fn an_error_is_final() {
    let mut decoder = Decoder::new(Role::Server);
    let limits = WsLimits::fixed(100);
    let mut said = vec![FIN | 3, 0x80, 0, 0, 0, 0];
    let mut input = Input::new(&mut said);
    let heard = decoder.next(&mut input, &limits);
    assert_eq!(heard, Err(WsError::ReservedOpcode));
    let mut good = Vec::new();
    append_text(&mut good, b"x", Some(KEY));
    let mut input = Input::new(&mut good);
    let heard = decoder.next(&mut input, &limits);
    assert_eq!(heard, Err(WsError::ReservedOpcode));
}

#[test]
fn our_control_frames_are_read_as_meant() {
    for (role, mask) in [(Role::Server, Some(KEY)), (Role::Client, None)] {
        let mut said = Vec::new();
        append_ping(&mut said, b"a", mask);
        append_pong(&mut said, &[b'b'; 200], mask);
        append_close(&mut said, Some(1001), mask);
        let items = Peer { role, said }.items();
        let expected = [
            Item::Ping(b"a".to_vec()),
            Item::Pong(vec![b'b'; 125]),
            Item::Close(Some(1001)),
        ];
        assert_eq!(items, expected);
        let mut said = Vec::new();
        append_close(&mut said, None, mask);
        assert_eq!(Peer { role, said }.items(), [Item::Close(None)]);
    }
}

#[test]
fn no_payload_shows_in_debug_output() {
    let mut said = Vec::new();
    append_text(&mut said, b"AuthorizationKey", None);
    let mut decoder = Decoder::new(Role::Client);
    let mut input = Input::new(&mut said);
    let shown = format!("{:?}", decoder.next(&mut input, &WsLimits::fixed(100)));
    assert_eq!(shown, "Ok(Some(Text(16 bytes)))");
}
