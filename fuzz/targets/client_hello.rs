//! Arbitrary bytes as the first ones of a connection: what the fingerprint of a station's TLS is read
//! from, before TLS itself has looked at them.
//!
//! The first byte says how large the records are that the second reading gets the same message in.

#![no_main]

use fuzz::plant;
use gateway::client_hello::{Hello, read};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: plant(seeds()), |data: &[u8]| {
    let [size, bytes @ ..] = data else {
        return;
    };
    let whole = read(bytes);
    if let Some(fingerprint) = whole.fingerprint() {
        let text = fingerprint.to_string();
        assert_eq!(text.len(), 36);
        assert_eq!(text.parse(), Ok(fingerprint));
    }
    // What has arrived before the end never decides otherwise than the whole.
    let cut = bytes.len() * usize::from(*size) / 256;
    match read(&bytes[..cut]) {
        Hello::Incomplete => {}
        early => assert_eq!(early, whole),
    }
    // As a message, it reads the same in records of any size.
    if !bytes.is_empty() {
        assert_eq!(read(&records(bytes, usize::MAX)), read(&records(bytes, usize::from(*size).max(1))));
    }
});

/// A handshake message in records of that size, 16 KiB at most.
fn records(message: &[u8], size: usize) -> Vec<u8> {
    let mut records = Vec::new();
    for part in message.chunks(size.min(16 << 10)) {
        let length = u16::try_from(part.len()).unwrap_or(u16::MAX);
        records.extend([22, 3, 1]);
        records.extend(length.to_be_bytes());
        records.extend(part);
    }
    records
}

/// A small ClientHello: as a record, and as the message alone.
fn seeds() -> Vec<Vec<u8>> {
    let mut body = vec![3, 3];
    body.extend([7; 32]);
    body.extend([0, 0, 4, 0x13, 1, 0x0a, 0x0a, 1, 0]);
    let extensions: [&[u8]; 5] = [
        &[0, 0, 0, 6, 0, 4, 0, 0, 1, b'g'],
        &[0, 13, 0, 4, 0, 2, 4, 3],
        &[0, 16, 0, 5, 0, 3, 2, b'h', b'2'],
        &[0, 43, 0, 5, 4, 3, 4, 3, 3],
        &[0, 41, 0, 2, 1, 1],
    ];
    let extensions = extensions.concat();
    body.extend(u16::try_from(extensions.len()).unwrap_or_default().to_be_bytes());
    body.extend(extensions);
    let length = u8::try_from(body.len()).unwrap_or_default();
    let message = [&[1, 0, 0, length], &body[..]].concat();
    let as_record = [vec![128], records(&message, usize::MAX)].concat();
    vec![as_record, [vec![3], message].concat()]
}
