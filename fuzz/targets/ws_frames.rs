//! Arbitrary bytes as a stream of WebSocket frames: never a panic, and where the stream is cut
//! changes nothing.
//!
//! The first byte says which side we are, into which pieces the stream falls, and whether messages may
//! be compressed (RFC 7692).

#![no_main]

use fuzz::plant;
use gateway::ws::{
    Decoder, DeflateTerms, Deflater, Incoming, Inflater, Input, Role, WsError, WsLimits,
    append_close, append_deflated, append_ping, append_pong, append_text,
};
use libfuzzer_sys::fuzz_target;

const MESSAGE_BYTES_MAX: usize = 2_048;
const ORDINARY_BYTES_MAX: usize = 600;

/// Everything heard, one item after the other: kind, length, payload.
type Heard = (Vec<u8>, Option<WsError>);

fuzz_target!(init: plant(seeds()), |data: &[u8]| {
    let [setting, stream @ ..] = data else {
        return;
    };
    let role = if setting & 1 == 0 {
        Role::Server
    } else {
        Role::Client
    };
    let deflate = setting & 0x80 != 0;
    let whole = hear(role, deflate, stream, stream.len().max(1), say_again);
    let piece = usize::from((setting & 0x7f) >> 1) % 17 + 1;
    let pieces = hear(role, deflate, stream, piece, |_, _| ());
    assert_eq!(pieces, whole);
});

fn limits() -> WsLimits<'static> {
    WsLimits {
        fragments_max: 4,
        ordinary_bytes_max: ORDINARY_BYTES_MAX,
        message_bytes_max: MESSAGE_BYTES_MAX,
        allowance: &|opening| usize::from(opening.first().copied().unwrap_or_default()) * 16,
    }
}

fn hear(role: Role, deflate: bool, stream: &[u8], piece: usize, each: impl Fn(u8, &[u8])) -> Heard {
    let limits = limits();
    let mut decoder = Decoder::new(role);
    let mut inflater = Inflater::default();
    let mut heard = Vec::with_capacity(stream.len());
    let mut stream = stream.to_vec();
    for bytes in stream.chunks_mut(piece) {
        let mut input = Input::new(bytes).inflated_by(deflate.then_some(&mut inflater));
        loop {
            match decoder.next(&mut input, &limits) {
                Ok(Some(item)) => told(item, |kind, payload| {
                    heard.push(kind);
                    heard.extend_from_slice(&payload.len().to_le_bytes());
                    heard.extend_from_slice(payload);
                    each(kind, payload);
                }),
                Ok(None) => break,
                Err(error) => {
                    assert!(matches!(error.close_code(), 1002 | 1007 | 1008 | 1009));
                    return (heard, Some(error));
                }
            }
        }
        assert_eq!(input.remaining(), 0);
        // A compressed message is kept as it came, which may be an eighth more.
        assert!(decoder.bytes_held() <= MESSAGE_BYTES_MAX * 9 / 8 + 64 + 125);
        assert!(inflater.inflated().len() <= MESSAGE_BYTES_MAX + 1);
    }
    (heard, None)
}

fn told(item: Incoming<'_>, mut tell: impl FnMut(u8, &[u8])) {
    match item {
        Incoming::Text(bytes) => tell(1, bytes),
        Incoming::Binary(bytes) => tell(2, bytes),
        Incoming::Close(None) => tell(8, &[]),
        Incoming::Close(Some(code)) => tell(8, &code.to_be_bytes()),
        Incoming::Ping(bytes) => tell(9, bytes),
        Incoming::Pong(bytes) => tell(10, bytes),
    }
}

/// What came in can go out and come in again.
fn say_again(kind: u8, payload: &[u8]) {
    let mask = Some([0x37, 0xfa, 0x21, 0x3d]);
    let mut wire = Vec::new();
    match (kind, payload) {
        (1, text) => append_text(&mut wire, text, mask),
        (8, [high, low]) => append_close(&mut wire, Some(u16::from_be_bytes([*high, *low])), mask),
        (8, _) => append_close(&mut wire, None, mask),
        (9, body) => append_ping(&mut wire, body, mask),
        (10, body) => append_pong(&mut wire, body, mask),
        _ => return,
    }
    let mut input = Input::new(&mut wire);
    let limits = WsLimits::fixed(MESSAGE_BYTES_MAX);
    let mut decoder = Decoder::new(Role::Server);
    let heard = decoder.next(&mut input, &limits);
    let Ok(Some(item)) = heard else {
        panic!("{heard:?} for a frame of ours");
    };
    told(item, |same, bytes| {
        assert_eq!((same, bytes), (kind, payload));
    });
    if kind == 1 {
        say_again_compressed(payload, mask);
    }
}

/// What came in can also go out compressed, in windows of any size.
fn say_again_compressed(payload: &[u8], mask: Option<[u8; 4]>) {
    let bits = payload.first().map_or(8, |first| 8 + first % 8);
    let (mut deflater, mut inflater) = (Deflater::default(), Inflater::default());
    let terms = DeflateTerms {
        window_bits: Some(bits),
    };
    let Some(message) = deflater.deflate(payload, terms) else {
        return;
    };
    assert!(message.len() < payload.len());
    let mut wire = Vec::new();
    append_deflated(&mut wire, message, mask);
    let mut input = Input::new(&mut wire).inflated_by(Some(&mut inflater));
    let limits = WsLimits::fixed(MESSAGE_BYTES_MAX);
    let mut decoder = Decoder::new(Role::Server);
    let heard = decoder.next(&mut input, &limits);
    assert_eq!(heard, Ok(Some(Incoming::Text(payload))));
}

fn seeds() -> Vec<Vec<u8>> {
    let message = br#"[2,"1","Heartbeat",{}]"#;
    let mut seeds = Vec::new();
    for (setting, mask) in [(0, Some([1, 2, 3, 4])), (1, None)] {
        let mut stream = vec![setting];
        append_text(&mut stream, message, mask);
        append_ping(&mut stream, b"there?", mask);
        append_pong(&mut stream, b"", mask);
        append_text(&mut stream, &[b'x'; 700], mask);
        append_close(&mut stream, Some(1000), mask);
        seeds.push(stream);
    }
    // In fragments with a ping between them, and a close with a reason.
    seeds.push(b"\x05\x01\x03Hel\x89\x01?\x00\x01l\x80\x01o\x88\x05\x03\xe8bye".to_vec());
    seeds.push(b"\x03\x82\x7e\x00\x7eshort of its length".to_vec());
    seeds.extend(compressed_seeds());
    seeds
}

/// The examples of RFC 7692, 7.2.3, a message of ours, and one in fragments.
fn compressed_seeds() -> Vec<Vec<u8>> {
    let hello = b"\xf2\x48\xcd\xc9\xc9\x07\x00";
    let mut seeds = vec![
        [b"\x81\xc1\x07".as_slice(), hello].concat(),
        [
            b"\x81\x41\x03".as_slice(),
            &hello[..3],
            b"\x80\x04",
            &hello[3..],
        ]
        .concat(),
        b"\x81\xc1\x0b\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00".to_vec(),
        b"\x81\xc1\x08\xf3\x48\xcd\xc9\xc9\x07\x00\x00".to_vec(),
        b"\x81\xc1\x0d\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00".to_vec(),
        b"\x81\xc1\x01\x00".to_vec(),
    ];
    let text = br#"[2,"1","MeterValues",{"connectorId":1,"meterValue":[]}]"#.repeat(6);
    let message = Deflater::default()
        .deflate(&text, DeflateTerms { window_bits: None })
        .map(<[u8]>::to_vec);
    for (setting, mask) in [(0x80, Some([1, 2, 3, 4])), (0x81, None)] {
        let mut stream = vec![setting];
        append_deflated(&mut stream, message.as_deref().unwrap_or_default(), mask);
        append_text(&mut stream, b"[]", mask);
        seeds.push(stream);
    }
    seeds
}
