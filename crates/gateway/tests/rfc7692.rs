//! RFC 7692 by clause: compressed messages as the frame layer takes them, and what it refuses.

#![expect(
    clippy::expect_used,
    reason = "a test says what must hold, and fails where it does not"
)]

mod rfc6455_peer;

use gateway::ws::{
    DEFLATE_BLOCK_BYTES_MIN, DEFLATE_BLOCKS_FREE, DEFLATE_BLOCKS_MAX, DeflateTerms, Deflater,
    Inflater, WsError, WsLimits, append_deflated,
};
use proptest::prelude::*;
use rfc6455_peer::{FIN, Item, KEY, Peer};
use zlib_rs::{Deflate, DeflateFlush, Inflate, InflateFlush};

/// RSV1.
const RSV1: u8 = 0x40;
const MIB: usize = 1 << 20;

/// What is heard of a peer with whom compression was agreed on.
fn hear(peer: &Peer, limits: &WsLimits<'_>) -> (Vec<Item>, Option<WsError>) {
    peer.hear_inflated(limits, || Some(Inflater::default()))
}

fn in_pieces_of(peer: &Peer, size: usize, limits: &WsLimits<'_>) -> (Vec<Item>, Option<WsError>) {
    peer.hear_in_pieces_of(size, limits, Some(Inflater::default()))
}

fn texts(peer: &Peer) -> Vec<Item> {
    let (items, error) = hear(peer, &WsLimits::fixed(MIB));
    assert_eq!(error, None);
    items
}

fn error(peer: &Peer) -> Option<WsError> {
    hear(peer, &WsLimits::fixed(MIB)).1
}

fn hello() -> Item {
    Item::Text(b"Hello".to_vec())
}

#[test]
fn clause_7_2_3_1_a_message_in_one_block() {
    let payload = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
    for peer in [Peer::csms(), Peer::station()] {
        let whole = peer.frame(FIN | RSV1 | 1, &payload);
        assert_eq!(texts(&whole), [hello()]);
    }
    for peer in [Peer::csms(), Peer::station()] {
        let fragments = peer
            .frame(RSV1 | 1, &payload[..3])
            .frame(FIN, &payload[3..]);
        assert_eq!(texts(&fragments), [hello()]);
    }
}

#[test]
fn clause_7_2_3_2_a_message_that_leans_on_the_last_one_is_refused() {
    let first = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
    let leaning = [0xf2, 0x00, 0x11, 0x00, 0x00];
    let peer = Peer::csms()
        .frame(FIN | RSV1 | 1, &first)
        .frame(FIN | RSV1 | 1, &leaning);
    let heard = hear(&peer, &WsLimits::fixed(MIB));
    assert_eq!(heard, (vec![hello()], Some(WsError::Deflate)));
    assert_eq!(WsError::Deflate.close_code(), 1007);
}

#[test]
fn clause_7_2_3_3_a_block_without_compression() {
    let payload = [
        0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00,
    ];
    assert_eq!(
        texts(&Peer::csms().frame(FIN | RSV1 | 1, &payload)),
        [hello()]
    );
}

#[test]
fn clause_7_2_3_4_a_last_block_with_and_without_its_padding() {
    let payload = [0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00];
    assert_eq!(
        texts(&Peer::csms().frame(FIN | RSV1 | 1, &payload)),
        [hello()]
    );
    let bare = &payload[..7];
    assert_eq!(texts(&Peer::csms().frame(FIN | RSV1 | 1, bare)), [hello()]);
}

#[test]
fn clause_7_2_3_5_two_blocks_in_one_message() {
    let payload = [
        0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00,
    ];
    assert_eq!(
        texts(&Peer::csms().frame(FIN | RSV1 | 1, &payload)),
        [hello()]
    );
}

#[test]
fn clause_7_2_3_6_an_empty_message() {
    let peer = Peer::csms().frame(FIN | RSV1 | 1, &[0x00]);
    assert_eq!(texts(&peer), [Item::Text(Vec::new())]);
}

#[test]
fn clause_6_the_bit_stands_on_the_first_frame_of_a_message_only() {
    let payload = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
    let (front, back) = payload.split_at(3);
    for control in [8, 9, 10] {
        let peer = Peer::station().frame(FIN | RSV1 | control, b"");
        assert_eq!(error(&peer), Some(WsError::ReservedBits));
    }
    let on_both = Peer::station()
        .frame(RSV1 | 1, front)
        .frame(FIN | RSV1, back);
    assert_eq!(error(&on_both), Some(WsError::ReservedBits));
    let on_the_second = Peer::station().frame(1, front).frame(FIN | RSV1, back);
    assert_eq!(error(&on_the_second), Some(WsError::ReservedBits));
    for other in [0x20, 0x10, 0x60, 0x70] {
        let peer = Peer::station().frame(FIN | other | 1, &payload);
        assert_eq!(error(&peer), Some(WsError::ReservedBits));
    }
    let reserved = Peer::station().frame(FIN | RSV1 | 3, b"");
    assert_eq!(error(&reserved), Some(WsError::ReservedBits));
    // And where nothing was agreed on, nowhere.
    let unasked = Peer::station().frame(FIN | RSV1 | 1, &payload);
    assert_eq!(unasked.error(), WsError::ReservedBits);
}

#[test]
fn clause_6_compressed_and_plain_messages_follow_one_another() {
    let payload = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
    let peer = Peer::station()
        .frame(FIN | 1, b"plain")
        .frame(RSV1 | 1, &payload[..1])
        .frame(FIN | 9, b"there?")
        .frame(0, b"")
        .frame(FIN, &payload[1..])
        .frame(FIN | RSV1 | 2, &payload)
        .frame(1, b"pl")
        .frame(FIN, b"ain");
    let expected = [
        Item::Text(b"plain".to_vec()),
        Item::Ping(b"there?".to_vec()),
        hello(),
        Item::Binary(b"Hello".to_vec()),
        Item::Text(b"plain".to_vec()),
    ];
    assert_eq!(texts(&peer), expected);
}

/// What a peer sends for this text, with zlib at that level.
fn deflated(text: &[u8], level: i32, window_bits: u8) -> Vec<u8> {
    let mut stream = Deflate::new(level, false, window_bits);
    let mut out = vec![0; text.len() * 2 + 1_000];
    stream
        .compress(text, &mut out, DeflateFlush::SyncFlush)
        .expect("room enough");
    out.truncate(stream.total_out() as usize);
    assert!(out.ends_with(&[0, 0, 0xff, 0xff]));
    out.truncate(out.len() - 4);
    out
}

/// What no compressor makes smaller.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    (0..length).map(|_| next()).collect()
}

/// One frame of any length.
fn saying(payload: &[u8]) -> Peer {
    let mut peer = Peer::station();
    append_deflated(&mut peer.said, payload, Some(KEY));
    peer
}

fn outcome(payload: &[u8], limits: &WsLimits<'_>) -> Result<usize, WsError> {
    let peer = saying(payload);
    let (items, error) = in_pieces_of(&peer, peer.said.len(), limits);
    let cut = in_pieces_of(&peer, 1_000, limits);
    assert_eq!(cut, (items.clone(), error));
    match (items.as_slice(), error) {
        ([Item::Text(text)], None) => Ok(text.len()),
        ([], Some(error)) => Err(error),
        other => unreachable!("one message, or an error: {other:?}"),
    }
}

#[test]
fn a19_a_bomb_is_cut_off_where_its_bound_is() {
    let limits = WsLimits::fixed(MIB);
    let at_the_bound = deflated(&vec![b' '; MIB], 9, 15);
    assert!(
        at_the_bound.len() < 2_000,
        "a kilobyte or so for a megabyte"
    );
    assert_eq!(outcome(&at_the_bound, &limits), Ok(MIB));
    for bytes in [MIB + 1, 16 * MIB] {
        let bomb = deflated(&vec![0; bytes], 9, 15);
        assert_eq!(outcome(&bomb, &limits), Err(WsError::MessageTooBig));
    }
    let small = WsLimits::fixed(1_000);
    assert_eq!(outcome(&deflated(&[b'x'; 1_000], 6, 15), &small), Ok(1_000));
    let over = outcome(&deflated(&[b'x'; 1_001], 6, 15), &small);
    assert_eq!(over, Err(WsError::MessageTooBig));
}

#[test]
fn a_long_message_must_be_justified_by_its_inflated_opening() {
    let limits = WsLimits {
        fragments_max: 100,
        ordinary_bytes_max: 1_000,
        message_bytes_max: 8_000,
        allowance: &|opening| {
            assert!(opening.len() <= WsLimits::OPENING_BYTES);
            if opening.starts_with(b"L") { 5_000 } else { 0 }
        },
    };
    let of = |first: u8, length: usize| {
        let mut text = vec![b'.'; length];
        text[0] = first;
        outcome(&deflated(&text, 6, 15), &limits)
    };
    assert_eq!(of(b'x', 1_000), Ok(1_000));
    assert_eq!(of(b'x', 1_001), Err(WsError::MessageTooBig));
    assert_eq!(of(b'L', 5_000), Ok(5_000));
    assert_eq!(of(b'L', 5_001), Err(WsError::MessageTooBig));
}

#[test]
fn a19_blocks_that_say_nothing_are_counted() {
    let limits = WsLimits::fixed(MIB);
    let empty = |count: usize| {
        let mut payload = [0, 0, 0, 0xff, 0xff].repeat(count);
        payload.push(0);
        outcome(&payload, &limits)
    };
    assert_eq!(empty(DEFLATE_BLOCKS_FREE / 2), Ok(0));
    assert_eq!(empty(DEFLATE_BLOCKS_FREE * 2), Err(WsError::TooManyBlocks));
    assert_eq!(empty(200_000), Err(WsError::TooManyBlocks));
    assert_eq!(WsError::TooManyBlocks.close_code(), 1008);
    // A sender that flushes every hundred bytes is no attacker, unless it does so for a megabyte.
    let flushing = |length: usize| outcome(&flushed_often(length), &limits);
    assert_eq!(flushing(200_000), Ok(200_000));
    let most = DEFLATE_BLOCKS_MAX * DEFLATE_BLOCK_BYTES_MIN;
    assert_eq!(flushing(2 * most), Err(WsError::TooManyBlocks));
}

/// A text of that length whose sender flushes again and again: two blocks each time.
fn flushed_often(length: usize) -> Vec<u8> {
    let mut stream = Deflate::new(6, false, 15);
    let text: Vec<u8> = noise(length).iter().map(|byte| b'a' + byte % 23).collect();
    let mut payload = vec![0; 2 * text.len()];
    for piece in text.chunks(2 * DEFLATE_BLOCK_BYTES_MIN) {
        let filled = stream.total_out() as usize;
        stream
            .compress(piece, &mut payload[filled..], DeflateFlush::SyncFlush)
            .expect("room enough");
    }
    payload.truncate(stream.total_out() as usize - 4);
    payload
}

#[test]
fn a19_no_more_is_kept_of_a_compressed_message_than_any_text_could_need() {
    let limits = WsLimits::fixed(10_000);
    let noise = noise(10_000);
    assert_eq!(outcome(&deflated(&noise, 6, 15), &limits), Ok(10_000));
    let stored = deflated(&noise, 0, 15);
    assert!(stored.len() > noise.len());
    assert_eq!(outcome(&stored, &limits), Ok(10_000));
    // Announced is enough: none of it need arrive.
    let header = Peer::station().raw(&[FIN | RSV1 | 1, 0xfe, 0x2d, 0x00, 0, 0, 0, 0]);
    let heard = hear(&header, &limits);
    assert_eq!(heard, (Vec::new(), Some(WsError::MessageTooBig)));
}

#[test]
fn what_is_cut_or_bent_is_not_taken_for_a_message() {
    let limits = WsLimits::fixed(MIB);
    let text = br#"[2,"1","BootNotification",{"chargePointVendor":"v","chargePointModel":"m"}]"#;
    for level in [0, 1, 6] {
        let whole = deflated(text, level, 15);
        assert_eq!(outcome(&whole, &limits), Ok(text.len()));
        for cut in 0..whole.len() - 1 {
            let heard = outcome(&whole[..cut], &limits);
            assert_ne!(heard, Ok(text.len()), "level {level}, cut at {cut}");
        }
    }
    for junk in [
        &b"\x06"[..],
        b"\xff\xff",
        b"\x01\x05\x00\x00\x00",
        b"",
        b"\x05",
    ] {
        assert_eq!(outcome(junk, &limits), Err(WsError::Deflate), "{junk:?}");
    }
}

#[test]
fn what_is_short_or_grows_leaves_as_it_is() {
    let mut deflater = Deflater::default();
    let terms = DeflateTerms { window_bits: None };
    assert_eq!(deflater.deflate(&[b'x'; 127], terms), None);
    let short = deflater.deflate(&[b'x'; 128], terms).map(<[u8]>::len);
    assert!(short.is_some_and(|length| length < 20), "{short:?}");
    assert_eq!(deflater.deflate(&noise(5_000), terms), None);
}

/// Inflates in small pieces, so that everything is looked up in a window of that size.
fn inflated(message: &[u8], window_bits: u8) -> Result<Vec<u8>, String> {
    let message = [message, &[0, 0, 0xff, 0xff]].concat();
    let mut stream = Inflate::new(false, window_bits);
    let mut out = Vec::new();
    loop {
        let (taken, mut piece) = (stream.total_in() as usize, [0; 64]);
        let filled = stream.total_out();
        stream
            .decompress(&message[taken..], &mut piece, InflateFlush::NoFlush)
            .map_err(|error| format!("{error:?}"))?;
        let fresh = (stream.total_out() - filled) as usize;
        out.extend_from_slice(&piece[..fresh]);
        if fresh == 0 {
            return Ok(out);
        }
    }
}

fn text() -> impl Strategy<Value = Vec<u8>> {
    let word = prop_oneof![
        Just(&br#"{"timestamp":"2026-11-22T10:00:00Z","#[..]),
        Just(&br#""measurand":"Energy.Active.Import.Register","#[..]),
        Just(&b"0123456789abcdef"[..]),
        Just("ÄÖÜß€".as_bytes()),
        Just(&b"\x00\xff\x80"[..]),
    ];
    let words = prop::collection::vec((word, 1..40_usize), 0..30);
    words.prop_map(|words| {
        let repeated = words.iter().map(|(word, times)| word.repeat(*times));
        repeated.collect::<Vec<_>>().concat()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_text_in_any_fragments_is_read_as_it_was_written(
        texts in prop::collection::vec(text(), 1..4),
        level in 0..=9_i32,
        window_bits in 9..=15_u8,
        fragment_bytes in 1..125_usize,
    ) {
        let mut peer = Peer::station();
        for text in &texts {
            let message = deflated(text, level, window_bits);
            let mut pieces = message.chunks(fragment_bytes).peekable();
            let mut first = RSV1 | 1;
            while let Some(piece) = pieces.next() {
                let last = if pieces.peek().is_none() { FIN } else { 0 };
                peer = peer.frame(first | last, piece);
                first = 0;
            }
        }
        let limits = WsLimits { fragments_max: u32::MAX, ..WsLimits::fixed(MIB) };
        let expected: Vec<Item> = texts.into_iter().map(Item::Text).collect();
        for pieces in [1, 50, peer.said.len()] {
            let heard = in_pieces_of(&peer, pieces, &limits);
            prop_assert_eq!(&heard, &(expected.clone(), None));
        }
    }

    #[test]
    fn what_we_compress_any_peer_reads_within_its_window(
        texts in prop::collection::vec(text(), 1..4),
        window_bits in prop_oneof![Just(None), (9..=15_u8).prop_map(Some)],
    ) {
        let mut deflater = Deflater::default();
        for text in &texts {
            let Some(message) = deflater.deflate(text, DeflateTerms { window_bits }) else {
                continue;
            };
            prop_assert!(message.len() < text.len());
            let back = inflated(message, window_bits.unwrap_or(15));
            prop_assert_eq!(back.as_deref(), Ok(text.as_slice()));
            prop_assert_eq!(outcome(message, &WsLimits::fixed(MIB)), Ok(text.len()));
        }
    }

    #[test]
    fn arbitrary_bytes_are_inflated_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let limits = WsLimits::fixed(2_000);
        if let Ok(length) = outcome(&bytes, &limits) {
            prop_assert!(length <= 2_000);
        }
    }
}
