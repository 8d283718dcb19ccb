//! Attacks before there is a conversation: credentials, identities, paths, and the handshake itself.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::{Saw, Target};
use crate::ca::{Authority, Leaf};
use crate::station::{ConnectError, Station};

/// How long an attacker waits for an answer.
const ANSWER_MAX: Duration = Duration::from_secs(12);
/// As much of an answer as is read.
const ANSWER_BYTES_MAX: usize = 4_096;

/// One way of coming to the door.
#[derive(Clone, Copy, Debug)]
pub(super) enum Trick {
    NoCredential,
    WrongPassword,
    UnknownIdentity,
    OtherUser,
    OtherCase,
    ForgedHeaders,
    StrangeCertificate,
    UnknownVersion,
    /// This path, by the stolen identity where it says `{}`.
    Path(&'static str),
    /// This request head, verbatim.
    Head(&'static str),
    HugeHead,
    NotTls,
}

/// Every door attack: its name, what it tries, how.
pub(super) const ALL: &[(&str, &str, Trick)] = &[
    (
        "no-credential",
        "connects as a known station without any credential (A01)",
        Trick::NoCredential,
    ),
    (
        "wrong-password",
        "guesses a known station's password (A06)",
        Trick::WrongPassword,
    ),
    (
        "unknown-identity",
        "tries an identity that was never registered (A04)",
        Trick::UnknownIdentity,
    ),
    (
        "other-user",
        "shows one station's good password at another's path (A08)",
        Trick::OtherUser,
    ),
    (
        "other-case",
        "writes an identity in the other case (A15)",
        Trick::OtherCase,
    ),
    (
        "forged-headers",
        "claims by X-Client-Cert headers to be verified already (A17)",
        Trick::ForgedHeaders,
    ),
    (
        "strange-certificate",
        "shows a certificate of a CA nobody trusts (A12)",
        Trick::StrangeCertificate,
    ),
    (
        "unknown-version",
        "asks for OCPP 1.5 (A16)",
        Trick::UnknownVersion,
    ),
    (
        "path-traversal",
        "climbs out of its path with %2F..%2F (A15)",
        Trick::Path("/ocpp/{}%2F..%2Fadmin"),
    ),
    (
        "doubled-slash",
        "hides behind doubled slashes (A15)",
        Trick::Path("//ocpp//{}"),
    ),
    (
        "nul-in-path",
        "ends its identity with a NUL (A15)",
        Trick::Path("/ocpp/{}%00"),
    ),
    (
        "side-door",
        "looks for the SOAP service of OCPP 1.5 (A22)",
        Trick::Head(
            "POST /services/CentralSystemService HTTP/1.1\r\nHost: gate\r\nContent-Length: 0\r\n\r\n",
        ),
    ),
    (
        "smuggled-body",
        "sends a request with two lengths, hoping two parsers disagree (A17)",
        Trick::Head(
            "GET /ocpp/x HTTP/1.1\r\nHost: gate\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        ),
    ),
    (
        "huge-head",
        "sends 200 kB of headers (A18)",
        Trick::HugeHead,
    ),
    (
        "not-tls",
        "speaks plain HTTP to the TLS port (A09)",
        Trick::NotTls,
    ),
];

pub(super) async fn run(trick: Trick, target: &Target) -> Saw {
    let victim = target.stranger(&target.victim);
    let identity = &target.stolen.identity;
    let station = match trick {
        Trick::NoCredential => victim,
        Trick::WrongPassword => victim.password("letmein-letmein-letmein"),
        Trick::UnknownIdentity => target.stranger("CP-0000").password("letmein-letmein-1"),
        Trick::OtherUser => victim
            .user(identity)
            .password(target.stolen.password.clone()),
        Trick::OtherCase => target
            .stranger(&other_case(identity))
            .password(target.stolen.password.clone()),
        Trick::ForgedHeaders => victim
            .header("X-Client-Cert-Present", "true")
            .header("X-Client-Cert-Chain-Verified", "true")
            .header("X-Forwarded-For", "127.0.0.1"),
        Trick::StrangeCertificate => match strange_certificate(&victim, &target.victim) {
            Some(station) => station,
            None => return Saw::NoHandshake("no certificate could be made".to_owned()),
        },
        Trick::UnknownVersion => target.impostor().subprotocols(&["ocpp1.5"]),
        Trick::Path(path) => target.impostor().path(&path.replace("{}", identity)),
        Trick::Head(head) => return bare(&victim, head.as_bytes()).await,
        Trick::HugeHead => {
            let filler = "X-Filler: ".to_owned() + &"a".repeat(1_000) + "\r\n";
            let head = "GET /ocpp/x HTTP/1.1\r\n".to_owned() + &filler.repeat(200) + "\r\n";
            return bare(&victim, head.as_bytes()).await;
        }
        Trick::NotTls => {
            let plain = Station::new(target.url.replace("wss:", "ws:"), identity);
            return bare(&plain, b"GET /ocpp/x HTTP/1.1\r\nHost: gate\r\n\r\n").await;
        }
    };
    match timeout(ANSWER_MAX, station.connect()).await {
        Err(_) => Saw::NoHandshake("no answer".to_owned()),
        Ok(Ok(_)) => Saw::GotThrough("101 Switching Protocols".to_owned()),
        Ok(Err(ConnectError::Refused { status, .. })) => Saw::TurnedAway(status),
        Ok(Err(error)) => Saw::NoHandshake(error.to_string()),
    }
}

fn other_case(identity: &str) -> String {
    let lower = identity.to_lowercase();
    if lower == identity {
        identity.to_uppercase()
    } else {
        lower
    }
}

fn strange_certificate(station: &Station, name: &str) -> Option<Station> {
    let authority = Authority::new("Nobody's CA").ok()?;
    let identity = authority.issue(&Leaf::client(name)).ok()?;
    Some(station.clone().certificate(&identity))
}

/// Writes these bytes, with nothing of WebSocket about them, and looks what status comes back.
async fn bare(station: &Station, bytes: &[u8]) -> Saw {
    let exchange = async {
        let mut stream = station.stream().await.map_err(|error| error.to_string())?;
        // The other side may stop reading half-way; what it answered still counts.
        drop(stream.write_all(bytes).await);
        drop(stream.flush().await);
        let mut answer = Vec::new();
        let mut limited = stream.take(ANSWER_BYTES_MAX as u64);
        drop(limited.read_to_end(&mut answer).await);
        Ok::<_, String>(String::from_utf8_lossy(&answer).into_owned())
    };
    match timeout(ANSWER_MAX, exchange).await {
        Err(_) => Saw::NoHandshake("no answer".to_owned()),
        Ok(Err(error)) => Saw::NoHandshake(error),
        Ok(Ok(answer)) => {
            let status = answer.split(' ').nth(1).and_then(|code| code.parse().ok());
            match status {
                Some(101 | 200) => Saw::GotThrough(answer),
                Some(status) => Saw::TurnedAway(status),
                None => Saw::NoHandshake("the connection was cut".to_owned()),
            }
        }
    }
}
