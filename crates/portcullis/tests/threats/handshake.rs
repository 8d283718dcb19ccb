//! How somebody comes: TLS, paths, subprotocols, headers, and too slowly.

use std::time::Duration;

use sim::Station;
use sim::attack::Saw;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use crate::street::{From, PASSWORD, Street, THIEF, VICTIM, goes_on, turned_away};

/// Far more than the deadlines that these scenes set.
const PATIENCE: Duration = Duration::from_secs(20);

/// Signature schemes and groups that anybody has, as extensions.
const EXTENSIONS: [u8; 28] = [
    0, 26, 0, 13, 0, 8, 0, 6, 4, 3, 8, 4, 4, 1, 0, 10, 0, 6, 0, 4, 0, 29, 0, 23, 0, 23, 0, 0,
];

/// A ClientHello of that version with these cipher suites and little else.
fn client_hello(version: [u8; 2], suites: &[[u8; 2]]) -> Vec<u8> {
    let mut body = version.to_vec();
    body.extend([0x5a; 32]);
    body.push(0);
    body.extend([0, u8::try_from(suites.len() * 2).unwrap()]);
    body.extend(suites.concat());
    body.extend([1, 0]);
    body.extend(EXTENSIONS);
    let handshake = [&[1, 0, 0, u8::try_from(body.len()).unwrap()], &body[..]].concat();
    let length = u8::try_from(handshake.len()).unwrap();
    [&[0x16, 3, 1, 0, length], &handshake[..]].concat()
}

/// What comes back until the other side ends it.
async fn answer(street: &Street, bytes: &[u8]) -> Vec<u8> {
    let plain = Station::new(street.gate.tls().replace("wss", "ws"), VICTIM);
    let mut stream = plain.stream().await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    let end = timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
    drop(end.unwrap());
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn a10_tls_is_talked_down_at_enforce() {
    let street = Street::with("").await;
    let ecdhe_cbc = [0xc0, 0x13];
    let rsa = [0x00, 0x9c];
    for (version, suites) in [
        ([3, 1], [rsa, ecdhe_cbc]),
        ([3, 2], [rsa, ecdhe_cbc]),
        // TLS 1.2, but nothing with forward secrecy that is still sound.
        ([3, 3], [rsa, ecdhe_cbc]),
    ] {
        let answer = answer(&street, &client_hello(version, &suites)).await;
        // An alert of level 2, fatal, and the end.
        assert_eq!((answer[0], answer[5]), (0x15, 2), "{answer:?}");
    }
    street.counted_refusals("tls", 3);
    // Stations that can do no better are to be recognised.
    for told in [
        "can do no better than TLS 1.1",
        "no cipher suite with forward secrecy",
    ] {
        street.gate.expect_line(told);
    }
    street.nobody_arrived();
    street.honest_notices_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a15_identities_hide_in_paths_at_enforce() {
    let street = Street::with("").await;
    for name in [
        "path-traversal",
        "doubled-slash",
        "nul-in-path",
        "other-case",
    ] {
        let saw = street.attack(name).await;
        assert!(matches!(saw, Saw::TurnedAway(401 | 404)), "{name}: {saw}");
    }
    street.nobody_arrived();
    street.honest_notices_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a16_both_sides_choose_another_version_at_enforce() {
    let street = Street::with("").await;
    assert_eq!(street.attack("unknown-version").await, Saw::TurnedAway(400));
    assert_eq!(
        turned_away(&street.thief().subprotocols(&[])).await,
        400,
        "its registration names no version for it"
    );
    street.nobody_arrived();
    // Of a list the gate chooses, and the CSMS is offered just that one.
    let list = street.thief().subprotocols(&["ocpp1.5", "ocpp1.6", "soap"]);
    let (station, _) = street.talk(&list).await;
    goes_on(From::Station, &station).await;
    let last = street.csms.handshakes().pop().unwrap();
    assert_eq!(last.offers(), ["ocpp1.6"]);
    street.counted_refusals("no-version", 2);
    street.honest_notices_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a17_headers_are_forged_at_enforce() {
    let street = Street::with("").await;
    for (name, status) in [("forged-headers", 401), ("smuggled-body", 400)] {
        assert_eq!(street.attack(name).await, Saw::TurnedAway(status), "{name}");
    }
    street.nobody_arrived();
    // Nor do they arrive with a station that may come in.
    let forged = "6.6.6.6";
    let liar = street
        .thief()
        .header("X-Forwarded-For", forged)
        .header("Forwarded", "for=6.6.6.6")
        .header("X-Client-Cert-Chain-Verified", forged);
    let (station, _) = street.talk(&liar).await;
    goes_on(From::Station, &station).await;
    let last = street.csms.handshakes().pop().unwrap();
    let arrived = last
        .headers
        .iter()
        .filter(|(_, value)| String::from_utf8_lossy(value).contains(forged));
    assert_eq!(arrived.count(), 0, "{last:?}");
    street.honest_notices_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a18_handshakes_are_slow_or_huge_at_enforce() {
    let street = Street::with("tls_deadline_seconds = 3\nhead_deadline_seconds = 3").await;
    // One says nothing at all, one half a ClientHello, one half a request.
    let hello = client_hello([3, 3], &[[0xc0, 0x2b]]);
    let dribbled = async {
        let mut stream = street.stranger(VICTIM).stream().await.unwrap();
        let half = b"GET /ocpp/CP-VICTIM HTTP/1.1\r\nHost: gate\r\nX-Dribble: ";
        stream.write_all(half).await.unwrap();
        stream.flush().await.unwrap();
        let mut answer = Vec::new();
        let end = timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
        drop(end.unwrap());
    };
    let (silent, half, ()) = tokio::join!(
        answer(&street, b""),
        answer(&street, &hello[..20]),
        dribbled
    );
    assert_eq!((silent, half), (Vec::new(), Vec::new()));
    street.counted_refusals("deadline", 3);
    let huge = street.attack("huge-head").await;
    assert!(matches!(huge, Saw::TurnedAway(400 | 431)), "{huge}");
    street.nobody_arrived();
    street.honest_notices_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a22_side_doors_are_looked_for_at_enforce() {
    let street = Street::with("").await;
    assert_eq!(street.attack("side-door").await, Saw::TurnedAway(405));
    for path in ["/", "/metrics", "/sessions", "/ocpp", "/api/CP-THIEF"] {
        let station = street.thief().path(path);
        assert_eq!(turned_away(&station).await, 404, "{path}");
    }
    street.nobody_arrived();
    street.honest_notices_nothing().await;
    assert_eq!(street.csms.sessions(THIEF).len(), 0);
    assert_eq!(turned_away(&street.thief().password(PASSWORD)).await, 401);
}
