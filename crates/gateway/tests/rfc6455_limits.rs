//! What a hop may cost (RFC 6455, 10.4), and what the frame layer promises beyond the standard.

mod rfc6455_peer;

use gateway::ws::{
    Decoder, Incoming, Input, Opcode, Role, WsError, WsLimits, append_close, append_ping,
    append_pong, append_text, encode_header,
};
use rfc6455_peer::{FIN, Item, KEY, Peer};

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
