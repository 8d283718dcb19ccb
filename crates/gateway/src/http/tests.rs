//! Scenes of the handshake: requests that try something, and answers that do.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ocpp::{StationId, Version};
use proptest::prelude::*;

use super::*;

const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// A lawful request with some of its lines changed.
struct Request {
    first: String,
    lines: Vec<(String, String)>,
}

impl Request {
    fn new() -> Request {
        let lines = [
            ("Host", "gate.example"),
            ("Upgrade", "websocket"),
            ("Connection", "Upgrade"),
            ("Sec-WebSocket-Version", "13"),
            ("Sec-WebSocket-Key", KEY),
        ];
        Request {
            first: "GET /ocpp/CP-1 HTTP/1.1".to_owned(),
            lines: lines
                .map(|(name, value)| (name.into(), value.into()))
                .into(),
        }
    }

    fn first(mut self, line: &str) -> Request {
        self.first = line.to_owned();
        self
    }

    fn target(self, target: &str) -> Request {
        self.first(&format!("GET {target} HTTP/1.1"))
    }

    fn without(mut self, name: &str) -> Request {
        self.lines.retain(|(present, _)| present != name);
        self
    }

    fn with(mut self, name: &str, value: &str) -> Request {
        self.lines.push((name.to_owned(), value.to_owned()));
        self
    }

    fn instead(self, name: &str, value: &str) -> Request {
        self.without(name).with(name, value)
    }

    fn bytes(&self) -> Vec<u8> {
        let lines = self.lines.iter();
        let lines: String = lines
            .map(|(name, value)| format!("{name}: {value}\r\n"))
            .collect();
        format!("{}\r\n{lines}\r\n", self.first).into_bytes()
    }

    fn head(&self) -> RequestHead {
        head_of(&self.bytes())
    }

    fn error(&self) -> RequestError {
        RequestHead::parse(&self.bytes()).expect_err("a request that must be refused")
    }
}

fn head_of(bytes: &[u8]) -> RequestHead {
    match RequestHead::parse(bytes).expect("a lawful request") {
        Parsed::Complete { head, consumed } => {
            assert_eq!(consumed, bytes.len());
            head
        }
        Parsed::Incomplete => panic!("an incomplete request"),
    }
}

fn basic_of(value: &str) -> Option<(Vec<u8>, Vec<u8>)> {
    match Request::new()
        .with("Authorization", value)
        .head()
        .credential
    {
        Offered::Basic(basic) => {
            assert_eq!(basic.authorization.value(), value.as_bytes());
            Some((basic.user, basic.password.expose().to_vec()))
        }
        Offered::Unreadable => None,
        Offered::Nothing => panic!("the header was not seen"),
    }
}

#[test]
fn a_station_asks_as_it_should() {
    let head = Request::new()
        .with("Sec-WebSocket-Protocol", "ocpp2.0.1, ocpp1.6")
        .with("User-Agent", "ACME wallbox/3")
        .head();
    assert_eq!(head.path, "/ocpp/CP-1");
    assert_eq!(head.subprotocols, ["ocpp2.0.1", "ocpp1.6"]);
    assert_eq!(head.user_agent.as_deref(), Some("ACME wallbox/3"));
    assert_eq!(head.key.accept(), ACCEPT);
    assert!(matches!(head.credential, Offered::Nothing));
}

#[test]
fn names_and_tokens_are_read_in_any_case() {
    let request = Request::new()
        .without("Upgrade")
        .without("Connection")
        .with("uPGRADE", "WebSocket")
        .with("CONNECTION", "keep-alive, upgrade");
    assert_eq!(request.head().path, "/ocpp/CP-1");
}

#[test]
fn a_head_may_arrive_in_any_pieces_and_frames_may_follow() {
    let mut bytes = Request::new().bytes();
    let head_bytes = bytes.len();
    for cut in 0..head_bytes {
        let partial = RequestHead::parse(&bytes[..cut]);
        assert!(
            matches!(partial, Ok(Parsed::Incomplete)),
            "{cut}: {partial:?}"
        );
    }
    bytes.extend_from_slice(&[0x81, 0x80, 0, 0, 0, 0]);
    let Ok(Parsed::Complete { consumed, .. }) = RequestHead::parse(&bytes) else {
        panic!("not complete");
    };
    assert_eq!(consumed, head_bytes);
}

#[test]
fn what_is_no_upgrade_is_refused_with_its_status() {
    use RequestError as E;
    let request = Request::new;
    let table = [
        (request().first("POST /ocpp/CP-1 HTTP/1.1"), E::NotGet, 405),
        (
            request().first("get /ocpp/CP-1 HTTP/1.1"),
            E::Malformed,
            400,
        ),
        (
            request().first("GET /ocpp/CP-1 HTTP/1.0"),
            E::NotHttp11,
            505,
        ),
        (
            request().first("GET /ocpp/CP-1 HTTP/2.0"),
            E::NotHttp11,
            505,
        ),
        (
            request().first("GET  /ocpp/CP-1 HTTP/1.1"),
            E::Malformed,
            400,
        ),
        (request().first("GET /ocpp/CP-1"), E::Malformed, 400),
        (request().without("Host"), E::Host, 400),
        (request().with("Host", "other.example"), E::Host, 400),
        (request().without("Upgrade"), E::NotUpgrade, 426),
        (request().instead("Upgrade", "h2c"), E::NotUpgrade, 426),
        (request().without("Connection"), E::NotUpgrade, 426),
        (request().instead("Connection", "close"), E::NotUpgrade, 426),
        (
            request().instead("Connection", "notupgrade"),
            E::NotUpgrade,
            426,
        ),
        (
            request().without("Sec-WebSocket-Version"),
            E::WebSocketVersion,
            426,
        ),
        (
            request().instead("Sec-WebSocket-Version", "8"),
            E::WebSocketVersion,
            426,
        ),
        (
            request().with("Sec-WebSocket-Version", "13"),
            E::WebSocketVersion,
            426,
        ),
        (request().without("Sec-WebSocket-Key"), E::Key, 400),
        (request().with("Sec-WebSocket-Key", KEY), E::Key, 400),
        (
            request().instead("Sec-WebSocket-Key", "c2hvcnQ="),
            E::Key,
            400,
        ),
        (request().with("Content-Length", "5"), E::Body, 400),
        (request().with("Content-Length", "0"), E::Body, 400),
        (request().with("Transfer-Encoding", "chunked"), E::Body, 400),
    ];
    for (request, error, status) in table {
        assert_eq!(request.error(), error);
        assert_eq!(error.status().code(), status);
        let answer = String::from_utf8(error.refusal()).expect("ASCII");
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")));
        assert!(answer.ends_with("\r\n\r\n"));
    }
}

#[test]
fn a15_a_target_is_a_plain_path() {
    use RequestError as E;
    let long = format!("/{}", "a".repeat(PATH_BYTES_MAX));
    let table = [
        ("/ocpp/CP-1?identity=CP-2", E::Query),
        ("/ocpp/CP-1#CP-2", E::Query),
        ("/ocpp/CP-1?", E::Query),
        ("ocpp/CP-1", E::Path),
        ("*", E::Path),
        ("http://gate.example/ocpp/CP-1", E::Path),
        ("gate.example:443", E::Path),
        (long.as_str(), E::Path),
        ("/ocpp/CP\u{e9}", E::Path),
        ("/ocpp/CP 1", E::NotHttp11),
    ];
    for (target, error) in table {
        assert_eq!(Request::new().target(target).error(), error, "{target}");
    }
    // What escapes and segments mean is decided once, by the route; here nothing is changed.
    for target in [
        "/ocpp/CP1%2F..%2FCP2",
        "//ocpp//CP-1",
        "/ocpp/../x",
        "/ocpp/CP-1/",
        "/%00",
    ] {
        assert_eq!(Request::new().target(target).head().path, target);
    }
}

#[test]
fn a15_control_characters_and_odd_line_ends_are_refused() {
    let good = String::from_utf8(Request::new().bytes()).expect("ASCII");
    let tricks = [
        good.replacen("\r\n", "\n", 1),
        good.replace("\r\n", "\n"),
        good.replacen("\r\n", "\r", 1),
        good.replacen("\r\n", "\r\r\n", 1),
        good.replacen("\r\n\r\n", "\n\n", 1),
        format!("\r\n{good}"),
        good.replace("CP-1", "CP\0-1"),
        good.replace("gate.example", "gate\0.example"),
        good.replace("gate.example", "gate\u{7f}.example"),
        good.replace("Host: gate.example", "Host : gate.example"),
        good.replace("Host: gate.example", " Host: gate.example"),
        good.replace("Host: gate.example", "Host: gate\r\n .example"),
        good.replace("Host: gate.example", "Host"),
        good.replace("Host: gate.example", "Ho st: gate.example"),
        good.replace("Host: gate.example", ": gate.example"),
    ];
    for trick in tricks {
        let heard = RequestHead::parse(trick.as_bytes());
        assert!(
            matches!(heard, Err(RequestError::Malformed)),
            "{trick:?}: {heard:?}"
        );
    }
}

#[test]
fn what_is_not_http_is_refused_at_its_first_bytes() {
    for bytes in [
        &b"\x16\x03\x01\x02"[..],
        b"SSH-2.0-x\r\n",
        b"PRI * HT",
        b"\0",
        b" GET /",
    ] {
        let heard = RequestHead::parse(bytes);
        assert!(matches!(heard, Err(RequestError::Malformed)), "{heard:?}");
    }
}

#[test]
fn a18_a_head_has_an_end() {
    let endless = [
        b"GET /ocpp/CP-1 HTTP/1.1\r\nX: ".to_vec(),
        vec![b'x'; HEAD_BYTES_MAX],
    ]
    .concat();
    let heard = RequestHead::parse(&endless);
    assert!(matches!(heard, Err(RequestError::TooLarge)), "{heard:?}");
    let just_short = &endless[..HEAD_BYTES_MAX - 1];
    assert!(matches!(
        RequestHead::parse(just_short),
        Ok(Parsed::Incomplete)
    ));
    let mut many = Request::new();
    for _ in 0..HEADERS_MAX - 5 {
        many = many.with("X-More", "1");
    }
    assert_eq!(many.head().path, "/ocpp/CP-1");
    assert_eq!(
        many.with("X-More", "1").error(),
        RequestError::TooManyHeaders
    );
}

#[test]
fn a16_subprotocols_are_read_in_order_and_within_bounds() {
    let offered = |lines: &[&str]| {
        let start = Request::new();
        let request = lines.iter().fold(start, |request, line| {
            request.with("Sec-WebSocket-Protocol", line)
        });
        request.head().subprotocols
    };
    assert_eq!(offered(&[]), [""; 0]);
    assert_eq!(offered(&["ocpp1.6"]), ["ocpp1.6"]);
    assert_eq!(
        offered(&["ocpp2.1,ocpp2.0.1", "ocpp1.6"]),
        ["ocpp2.1", "ocpp2.0.1", "ocpp1.6"]
    );
    assert_eq!(offered(&[" ,, ocpp1.6\t,"]), ["ocpp1.6"]);
    assert_eq!(offered(&["\"ocpp1.6\", ocpp 1.6, ocpp1.6"]), ["ocpp1.6"]);
    assert_eq!(offered(&["OCPP1.6"]), ["OCPP1.6"]);
    assert_eq!(offered(&[&"x,".repeat(100)]).len(), SUBPROTOCOLS_MAX);
    assert_eq!(offered(&[&"x".repeat(65)]), [""; 0]);
}

#[test]
fn a_basic_credential_is_bytes() {
    let pair = |user: &[u8], password: &[u8]| Some((user.to_vec(), password.to_vec()));
    assert_eq!(basic_of("Basic Q1AtMTpzZWNyZXQ="), pair(b"CP-1", b"secret"));
    assert_eq!(basic_of("bAsIc Q1AtMTpzZWNyZXQ="), pair(b"CP-1", b"secret"));
    assert_eq!(basic_of("Basic Q1AtMTpzZWNyZXQ"), pair(b"CP-1", b"secret"));
    assert_eq!(basic_of("Basic Q1AtMTphOmI6"), pair(b"CP-1", b"a:b:"));
    assert_eq!(basic_of("Basic Q1AtMTo="), pair(b"CP-1", b""));
    assert_eq!(basic_of("Basic Og=="), pair(b"", b""));
    assert_eq!(
        basic_of("Basic Q1AtMTr/AP4="),
        pair(b"CP-1", &[0xff, 0, 0xfe])
    );
}

#[test]
fn a_credential_that_is_not_spelled_canonically_is_none() {
    let wrong = [
        "Basic",
        "Basic ",
        "Basic Q1AtMQ==",
        "Basic  Q1AtMTpzZWNyZXQ=",
        "Basic\tQ1AtMTpzZWNyZXQ=",
        "Basic Q1AtMTpz ZWNyZXQ=",
        "Basic Q1AtMTpzZWNyZXR=",
        "Basic Q1AtMTpzZWNyZXQ==",
        "Basic Q1AtMTr_AP4=",
        "Basic Q1AtMTpzZWNyZXQ=, Basic Q1AtMTpzZWNyZXQ=",
        "Bearer Q1AtMTpzZWNyZXQ=",
        "Digest username=\"CP-1\"",
    ];
    for value in wrong {
        assert_eq!(basic_of(value), None, "{value}");
    }
}

#[test]
fn a17_two_credentials_are_refused() {
    let twice = Request::new()
        .with("Authorization", "Basic Q1AtMTpzZWNyZXQ=")
        .with("authorization", "Basic Q1AtMTpzZWNyZXQ=");
    assert_eq!(twice.error(), RequestError::TwoCredentials);
}

#[test]
fn no_credential_shows_in_debug_output() {
    let head = Request::new()
        .with("Authorization", "Basic Q1AtMTpzZWNyZXQ=")
        .head();
    let shown = format!("{head:?}");
    assert!(
        !shown.contains("secret") && !shown.contains("Q1At"),
        "{shown}"
    );
}

#[test]
fn a_refusal_says_its_status_and_no_more() {
    let text = |status| String::from_utf8(refusal(status, &[])).expect("ASCII");
    assert_eq!(
        text(Status::Unauthorized),
        "HTTP/1.1 401 Unauthorized\r\nConnection: close\r\nContent-Length: 0\r\n\
         WWW-Authenticate: Basic realm=\"ocpp\"\r\n\r\n"
    );
    assert!(text(Status::UpgradeRequired).contains("\r\nSec-WebSocket-Version: 13\r\n"));
    assert!(text(Status::MethodNotAllowed).contains("\r\nAllow: GET\r\n"));
    let later = refusal(Status::ServiceUnavailable, &[("Retry-After", "7\r\nX: y")]);
    let later = String::from_utf8(later).expect("ASCII");
    assert!(later.ends_with("\r\nRetry-After: 7X: y\r\n\r\n"), "{later}");
}

#[test]
fn a_101_answers_the_key_and_names_one_subprotocol() {
    let key = Request::new().head().key;
    let text = String::from_utf8(switching_protocols(&key, Some("ocpp1.6"), None)).expect("ASCII");
    assert_eq!(
        text,
        format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {ACCEPT}\r\nSec-WebSocket-Protocol: ocpp1.6\r\n\r\n"
        )
    );
    let unnamed = String::from_utf8(switching_protocols(&key, None, None)).expect("ASCII");
    assert!(!unnamed.contains("Protocol:"));
}

/// A request to the CSMS for a station with this identity.
fn request_for<'r>(identity: &'r StationId, key: WebSocketKey) -> UpgradeRequest<'r> {
    UpgradeRequest {
        host: "csms.example:8080",
        path: "/steve/websocket/CentralSystemService/",
        identity,
        subprotocol: Version::V16.subprotocol(),
        deflate: false,
        key,
        authorization: None,
        peer: IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7)),
        tls: true,
        certificate: None,
    }
}

fn text_of(request: &UpgradeRequest<'_>) -> String {
    String::from_utf8(request.to_bytes().expose().to_vec()).expect("ASCII")
}

fn station(identity: &str) -> StationId {
    StationId::parse(identity, Version::V16).expect("an identity")
}

#[test]
fn the_csms_gets_a_request_of_our_own() {
    let identity = station("CP-1");
    let authorization = Authorization::basic(b"CP-1", &[0xff, 0, 0xfe]);
    let request = UpgradeRequest {
        authorization: Some(&authorization),
        ..request_for(&identity, Request::new().head().key)
    };
    let expected = format!(
        "GET /steve/websocket/CentralSystemService/CP-1 HTTP/1.1\r\nHost: csms.example:8080\r\n\
         Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Protocol: ocpp1.6\r\nUser-Agent: Portcullis\r\n\
         X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: https\r\n\
         Forwarded: for=192.0.2.7;proto=https\r\nX-Client-Cert-Present: false\r\n\
         Authorization: Basic Q1AtMTr/AP4=\r\n\r\n"
    );
    assert_eq!(text_of(&request), expected);
}

#[test]
fn an_identity_stays_one_segment() {
    for (identity, segment) in [
        ("CP 1", "CP%201"),
        ("a:b", "a%3Ab"),
        ("a?b#c", "a%3Fb%23c"),
        ("...", "..."),
        ("Säule", "S%C3%A4ule"),
    ] {
        let identity = station(identity);
        let text = text_of(&request_for(&identity, WebSocketKey::new([0; 16])));
        let line = format!("GET /steve/websocket/CentralSystemService/{segment} HTTP/1.1\r\n");
        assert!(text.starts_with(&line), "{text}");
    }
}

#[test]
fn an_ipv6_station_is_named_as_rfc_7239_wants_it() {
    let identity = station("CP-1");
    let peer = IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1));
    let request = UpgradeRequest {
        peer,
        tls: false,
        ..request_for(&identity, WebSocketKey::new([0; 16]))
    };
    let text = text_of(&request);
    assert!(text.contains("\r\nX-Forwarded-For: 2001:db8::1\r\n"));
    assert!(text.contains("\r\nX-Forwarded-Proto: http\r\n"));
    assert!(text.contains("\r\nForwarded: for=\"[2001:db8::1]\";proto=http\r\n"));
    let mapped = UpgradeRequest {
        peer: IpAddr::V6(Ipv4Addr::new(192, 0, 2, 7).to_ipv6_mapped()),
        ..request
    };
    assert!(text_of(&mapped).contains("\r\nX-Forwarded-For: 192.0.2.7\r\n"));
}

#[test]
fn a_verified_certificate_is_told_as_maeve_and_steve_read_it() {
    let identity = station("CP-1");
    let request = UpgradeRequest {
        certificate: Some(ForwardedCertificate {
            der: b"abc",
            pem_header: Some("X-Client-Cert"),
        }),
        ..request_for(&identity, WebSocketKey::new([0; 16]))
    };
    let text = text_of(&request);
    assert!(text.contains("\r\nX-Client-Cert-Present: true\r\n"));
    assert!(text.contains("\r\nX-Client-Cert-Chain-Verified: true\r\n"));
    // SHA-256 of "abc" (FIPS 180-2, B.1).
    let hash = "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0";
    assert!(
        text.contains(&format!("\r\nX-Client-Cert-Hash: {hash}\r\n")),
        "{text}"
    );
    let pem = "-----BEGIN%20CERTIFICATE-----%0AYWJj%0A-----END%20CERTIFICATE-----%0A";
    assert!(
        text.contains(&format!("\r\nX-Client-Cert: {pem}\r\n")),
        "{text}"
    );
}

#[test]
fn a17_no_header_of_the_station_reaches_the_csms() {
    let spoofed = [
        "X-Forwarded-For",
        "X-Forwarded-Proto",
        "X-Forwarded-Host",
        "Forwarded",
        "Via",
        "X-Real-IP",
        "X-Client-Cert-Present",
        "X-Client-Cert-Hash",
        "X-Client-Cert",
        "Cookie",
        "Origin",
        "Proxy-Authorization",
        "Sec-WebSocket-Extensions",
        "User-Agent",
        "X-Anything",
    ];
    let asked = spoofed
        .iter()
        .fold(Request::new(), |request, name| {
            request.with(name, "spoofed-value")
        })
        .head();
    let identity = station(asked.path.trim_start_matches("/ocpp/"));
    let text = text_of(&request_for(&identity, WebSocketKey::new([9; 16])));
    assert!(!text.contains("spoofed"), "{text}");
    assert!(!text.contains("Extensions"));
    assert!(!text.contains(KEY), "the station's key is for its own hop");
}

/// The CSMS's answer with one line replaced; an empty one leaves it out.
fn answer(replace: &str, by: &str) -> Vec<u8> {
    let good = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {ACCEPT}\r\nSec-WebSocket-Protocol: ocpp1.6\r\n\r\n"
    );
    assert!(good.contains(replace));
    good.replacen(replace, by, 1).into_bytes()
}

fn read(bytes: &[u8]) -> Result<Parsed<Switched>, ResponseError> {
    let key = Request::new().head().key;
    read_response(bytes, &key, "ocpp1.6", false)
}

#[test]
fn the_csms_agrees_in_any_pieces_and_may_speak_at_once() {
    let mut bytes = answer("Upgrade", "Upgrade");
    let head_bytes = bytes.len();
    for cut in 0..head_bytes {
        assert_eq!(read(&bytes[..cut]), Ok(Parsed::Incomplete), "{cut}");
    }
    bytes.extend_from_slice(&[0x81, 0x00]);
    let Ok(Parsed::Complete { consumed, .. }) = read(&bytes) else {
        panic!("not complete");
    };
    assert_eq!(consumed, head_bytes);
}

#[test]
fn an_answer_that_does_not_fit_is_refused() {
    use ResponseError as E;
    let accept = format!("Sec-WebSocket-Accept: {ACCEPT}\r\n");
    let twice = format!("{accept}{accept}");
    let other = "Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n";
    let protocol = "Sec-WebSocket-Protocol: ocpp1.6\r\n";
    let table = [
        ("101 Switching Protocols", "301 Moved", E::Status(301)),
        (
            "101 Switching Protocols",
            "401 Unauthorized",
            E::Status(401),
        ),
        ("101 Switching Protocols", "200 OK", E::Status(200)),
        ("101 Switching Protocols", "100 Continue", E::Status(100)),
        ("HTTP/1.1", "HTTP/1.0", E::Malformed),
        ("HTTP/1.1 101", "ICY 101", E::Malformed),
        ("Upgrade: websocket\r\n", "", E::NotWebSocket),
        ("Upgrade: websocket", "Upgrade: h2c", E::NotWebSocket),
        ("Connection: Upgrade\r\n", "", E::NotWebSocket),
        (accept.as_str(), "", E::Accept),
        (accept.as_str(), other, E::Accept),
        (accept.as_str(), twice.as_str(), E::Accept),
        (protocol, "", E::Subprotocol),
        (
            protocol,
            "Sec-WebSocket-Protocol: ocpp2.0.1\r\n",
            E::Subprotocol,
        ),
        (
            protocol,
            "Sec-WebSocket-Protocol: OCPP1.6\r\n",
            E::Subprotocol,
        ),
        (
            protocol,
            "Sec-WebSocket-Protocol: ocpp1.6, ocpp2.0.1\r\n",
            E::Subprotocol,
        ),
        (
            protocol,
            "Sec-WebSocket-Protocol: ocpp1.6\r\nSec-WebSocket-Extensions: permessage-deflate\r\n",
            E::Extension,
        ),
        ("\r\nUpgrade", "\nUpgrade", E::Malformed),
    ];
    for (replace, by, error) in table {
        assert_eq!(read(&answer(replace, by)), Err(error), "{by:?}");
    }
    let endless = [b"HTTP/1.1 101 ".to_vec(), vec![b'x'; HEAD_BYTES_MAX]].concat();
    assert_eq!(read(&endless), Err(E::TooLarge));
}

proptest! {
    #[test]
    fn arbitrary_heads_are_read_or_refused(
        start in prop_oneof![Just("GET /"), Just("HTTP/1.1 101 x\r\n"), Just("")],
        bytes in prop::collection::vec(any::<u8>(), 0..400),
    ) {
        let bytes = [start.as_bytes(), &bytes].concat();
        let _ = RequestHead::parse(&bytes);
        let _ = read(&bytes);
    }

    #[test]
    fn a_bent_request_is_read_or_refused(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = Request::new().with("Authorization", "Basic Q1AtMTpzZWNyZXQ=").bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(Parsed::Complete { head, consumed }) = RequestHead::parse(&bytes) {
            prop_assert!(consumed <= bytes.len());
            prop_assert!(head.path.starts_with('/'));
            prop_assert!(head.path.bytes().all(|letter| letter.is_ascii_graphic()));
        }
    }

    #[test]
    fn a_credential_we_write_is_one_we_read(
        user in prop::collection::vec(any::<u8>(), 0..48),
        password in prop::collection::vec(any::<u8>(), 0..64),
    ) {
        prop_assume!(!user.contains(&b':'));
        let authorization = Authorization::basic(&user, &password);
        let text = String::from_utf8(authorization.value().to_vec());
        let value = text.expect("ASCII");
        prop_assert_eq!(basic_of(&value), Some((user, password)));
    }
}
