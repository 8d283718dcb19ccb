//! What holds for any stream of frames, well-formed or not.

use gateway::ws::{
    Decoder, Incoming, Input, Opcode, Role, WsError, WsLimits, append_ping, append_text,
    apply_mask, encode_header,
};
use proptest::prelude::*;

type Items = Vec<(&'static str, Vec<u8>)>;

/// Reads a stream cut at the given places; whatever is between two cuts comes in one read.
fn hear(role: Role, stream: &[u8], cuts: &[usize]) -> (Items, Option<WsError>) {
    let limits = WsLimits {
        fragments_max: 8,
        ordinary_bytes_max: 600,
        message_bytes_max: 70_000,
        allowance: &|opening| {
            opening
                .first()
                .map_or(0, |first| 600 + usize::from(*first) * 300)
        },
    };
    let mut places: Vec<usize> = cuts.iter().map(|cut| cut % (stream.len() + 1)).collect();
    places.extend([0, stream.len()]);
    places.sort_unstable();
    let mut decoder = Decoder::new(role);
    let mut items = Vec::new();
    for pair in places.windows(2) {
        let mut piece = stream[pair[0]..pair[1]].to_vec();
        let mut input = Input::new(&mut piece);
        loop {
            match decoder.next(&mut input, &limits) {
                Ok(Some(item)) => items.push(owned(item)),
                Ok(None) => break,
                Err(error) => return (items, Some(error)),
            }
        }
        assert_eq!(input.remaining(), 0);
        assert!(decoder.bytes_held() <= 70_000 + 125);
    }
    (items, None)
}

fn owned(item: Incoming<'_>) -> (&'static str, Vec<u8>) {
    match item {
        Incoming::Text(bytes) => ("text", bytes.to_vec()),
        Incoming::Binary(bytes) => ("binary", bytes.to_vec()),
        Incoming::Ping(bytes) => ("ping", bytes.to_vec()),
        Incoming::Pong(bytes) => ("pong", bytes.to_vec()),
        Incoming::Close(code) => ("close", code.unwrap_or(0).to_be_bytes().to_vec()),
    }
}

fn role() -> impl Strategy<Value = Role> {
    prop_oneof![Just(Role::Server), Just(Role::Client)]
}

/// Frames that are mostly in order, now and then broken.
fn stream(role: Role) -> impl Strategy<Value = Vec<u8>> {
    let first = prop_oneof![
        12 => prop_oneof![Just(0x81_u8), Just(0x82), Just(0x01), Just(0x00), Just(0x80)],
        6 => prop_oneof![Just(0x89_u8), Just(0x8a)],
        1 => any::<u8>(),
    ];
    let length = prop_oneof![8 => 0..130_usize, 3 => 500..1_500_usize, 1 => 60_000..75_000_usize];
    let frame = (first, length, any::<[u8; 4]>(), any::<u8>());
    prop::collection::vec(frame, 0..12).prop_map(move |frames| {
        let mut out = Vec::new();
        for (first, length, key, fill) in frames {
            let mask = (role == Role::Server).then_some(key);
            let start = out.len();
            encode_header(&mut out, Opcode::Text, length, mask);
            out[start] = first;
            let body = out.len();
            out.resize(body + length, fill);
            apply_mask(&mut out[body..], mask.unwrap_or_default());
        }
        out
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn where_a_stream_is_cut_changes_nothing(
        (role, stream) in role().prop_flat_map(|role| (Just(role), stream(role))),
        cuts in prop::collection::vec(any::<usize>(), 0..24),
    ) {
        prop_assert_eq!(hear(role, &stream, &cuts), hear(role, &stream, &[]));
    }

    #[test]
    fn arbitrary_bytes_are_read_or_refused(
        role in role(),
        bytes in prop::collection::vec(any::<u8>(), 0..300),
        cuts in prop::collection::vec(any::<usize>(), 0..8),
    ) {
        prop_assert_eq!(hear(role, &bytes, &cuts), hear(role, &bytes, &[]));
    }

    #[test]
    fn what_we_write_is_read_as_written(
        role in role(),
        key in any::<[u8; 4]>(),
        texts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..600), 0..8),
        body in prop::collection::vec(any::<u8>(), 0..126),
    ) {
        let mask = (role == Role::Server).then_some(key);
        let mut wire = Vec::new();
        let mut expected: Items = Vec::new();
        for text in texts {
            append_text(&mut wire, &text, mask);
            append_ping(&mut wire, &body, mask);
            expected.push(("text", text));
            expected.push(("ping", body.clone()));
        }
        prop_assert_eq!(hear(role, &wire, &[]), (expected, None));
    }
}
