//! Arbitrary bytes as a station's request and as a CSMS's response.
//!
//! The first byte says where the head is cut, for what has arrived before its end must never decide
//! otherwise than the whole.

#![no_main]

use std::net::{IpAddr, Ipv4Addr};

use fuzz::plant;
use gateway::http::{
    HEAD_BYTES_MAX, Offered, PATH_BYTES_MAX, Parsed, RequestHead, SUBPROTOCOLS_MAX, UpgradeRequest,
    WebSocketKey, read_response, switching_protocols,
};
use libfuzzer_sys::fuzz_target;
use ocpp::{StationId, Version};

fuzz_target!(init: plant(seeds()), |data: &[u8]| {
    let [cut, bytes @ ..] = data else {
        return;
    };
    let cut = bytes.len() * usize::from(*cut) / 256;
    ask(bytes, cut);
    answer(bytes, cut);
});

fn our_key() -> WebSocketKey {
    WebSocketKey::new([7; 16])
}

fn ask(bytes: &[u8], cut: usize) {
    let Ok(Parsed::Complete { head, consumed }) = RequestHead::parse(bytes) else {
        return;
    };
    assert!(consumed <= bytes.len().min(HEAD_BYTES_MAX));
    assert!(bytes[..consumed].ends_with(b"\r\n\r\n"));
    assert!(head.path.starts_with('/') && head.path.len() <= PATH_BYTES_MAX);
    assert!(head.path.bytes().all(|byte| byte.is_ascii_graphic()));
    assert!(head.subprotocols.len() <= SUBPROTOCOLS_MAX);
    let early = RequestHead::parse(&bytes[..cut]);
    match early {
        Ok(Parsed::Incomplete) => assert!(cut < consumed),
        Ok(Parsed::Complete { consumed: same, .. }) => assert_eq!(same, consumed),
        Err(error) => panic!("{error:?} before the end of a lawful head"),
    }
    pass_on(&head);
}

/// A request of our own, made from the station's, is one that we would take.
fn pass_on(head: &RequestHead) {
    let segment = head.path.rsplit('/').next().unwrap_or_default();
    let Ok(identity) = StationId::parse(segment, Version::V16) else {
        return;
    };
    let authorization = match &head.credential {
        Offered::Basic(basic) => Some(&basic.authorization),
        Offered::Nothing | Offered::Unreadable => None,
    };
    let request = UpgradeRequest {
        host: "csms.example",
        path: "/ocpp",
        identity: &identity,
        subprotocol: "ocpp1.6",
        deflate: true,
        key: our_key(),
        authorization,
        peer: IpAddr::V4(Ipv4Addr::LOCALHOST),
        tls: true,
        certificate: None,
    };
    let bytes = request.to_bytes();
    let Ok(Parsed::Complete {
        head: ours,
        consumed,
    }) = RequestHead::parse(bytes.expose())
    else {
        panic!("our own request is not lawful");
    };
    assert_eq!(consumed, bytes.expose().len());
    assert_eq!(ours.path.matches('/').count(), 2);
    assert_eq!(ours.subprotocols, ["ocpp1.6"]);
    assert!(ours.deflate.is_some());
    assert_eq!(ours.key, our_key());
    let kept = match (&head.credential, &ours.credential) {
        (Offered::Basic(theirs), Offered::Basic(ours)) => {
            theirs.user == ours.user && theirs.password.expose() == ours.password.expose()
        }
        (Offered::Basic(_), _) => false,
        (_, passed) => matches!(passed, Offered::Nothing),
    };
    assert!(kept, "the credential changed on its way");
}

fn answer(bytes: &[u8], cut: usize) {
    let read = |bytes| read_response(bytes, &our_key(), "ocpp1.6", true);
    let Ok(Parsed::Complete { consumed, .. }) = read(bytes) else {
        return;
    };
    assert!(bytes[..consumed].ends_with(b"\r\n\r\n"));
    match read(&bytes[..cut]) {
        Ok(Parsed::Incomplete) => assert!(cut < consumed),
        Ok(Parsed::Complete { consumed: same, .. }) => assert_eq!(same, consumed),
        Err(error) => panic!("{error:?} before the end of a lawful head"),
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let request = "\u{40}GET /ocpp/CP-1 HTTP/1.1\r\nHost: gate.example\r\nUpgrade: websocket\r\n\
        Connection: keep-alive, Upgrade\r\nSec-WebSocket-Version: 13\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
        Sec-WebSocket-Protocol: ocpp2.0.1, ocpp1.6\r\n\
        Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits, x; y=\"1\"\r\n\
        Authorization: Basic Q1AtMTpzZWNyZXQ=\r\nUser-Agent: wallbox\r\n\r\n";
    let mut response = b"\x80".to_vec();
    response.extend(switching_protocols(&our_key(), Some("ocpp1.6"), None));
    response.extend_from_slice(&[0x81, 2, b'[', b']']);
    let refusal = b"\x20HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n";
    vec![request.into(), response, refusal.into()]
}
