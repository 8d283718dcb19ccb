//! permessage-deflate (RFC 7692), each hop for itself, and what it must not be good for (threat A19).

use std::time::{Duration, Instant};

use gateway::UpstreamSettings;
use gateway::ws::{
    Decoder, DeflateTerms, Deflater, Incoming, Inflater, Input, Role, WsLimits, append_close,
    append_deflated, append_text, apply_mask,
};
use guard::{Closing, Event, Mode, RefusedHandshake, RouteId};
use ocpp::Side;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{MissedTickBehavior, timeout};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::farewell::how;
use crate::scene::{PATIENCE, Scene, Setting};
use crate::trouble::heartbeat;

const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
const OFFER: &str = "permessage-deflate; client_max_window_bits";
const KEPT: &str = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

/// Long enough to be worth compressing.
fn status_notification(id: &str) -> String {
    format!(
        r#"[2,"{id}","StatusNotification",{{"connectorId":1,"errorCode":"NoError","info":"{}","status":"Available","timestamp":"2026-11-22T10:00:00Z"}}]"#,
        "all is well ".repeat(4)
    )
}

/// One end of a hop that speaks by hand: it says what no library would, and shows what stood on the
/// wire.
struct ByHand {
    socket: TcpStream,
    /// The head it was sent.
    head: String,
    role: Role,
    decoder: Decoder,
    inflater: Inflater,
    read: Vec<u8>,
    /// The first byte of the frame that is being read.
    first: u8,
}

impl ByHand {
    /// A station that offers compression in these words.
    async fn station(scene: &Scene, identity: &str, offer: &str) -> ByHand {
        let mut socket = TcpStream::connect(scene.gate.addresses()[0]).await.unwrap();
        socket.set_nodelay(true).unwrap();
        let basic = base64::Engine::encode(
            &base64::engine::general_purpose::STANDARD,
            [identity.as_bytes(), b":", crate::scene::PASSWORD].concat(),
        );
        let offer = match offer {
            "" => String::new(),
            offer => format!("Sec-WebSocket-Extensions: {offer}\r\n"),
        };
        let request = format!(
            "GET /ocpp/{identity} HTTP/1.1\r\nHost: gate\r\nUpgrade: websocket\r\n\
             Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             Sec-WebSocket-Protocol: ocpp1.6\r\nAuthorization: Basic {basic}\r\n{offer}\r\n"
        );
        socket.write_all(request.as_bytes()).await.unwrap();
        ByHand::with(socket, Role::Client).await
    }

    /// The CSMS's end of a session; it answers our offer in these words.
    async fn csms(scene: &Scene, answer: &str) -> ByHand {
        let socket = scene.csms.accept_raw().await;
        socket.set_nodelay(true).unwrap();
        let mut end = ByHand::with(socket, Role::Server).await;
        let key = end.header("Sec-WebSocket-Key").unwrap();
        let extensions = match answer {
            "" => String::new(),
            answer => format!("Sec-WebSocket-Extensions: {answer}\r\n"),
        };
        let response = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {}\r\nSec-WebSocket-Protocol: ocpp1.6\r\n{extensions}\r\n",
            derive_accept_key(key.as_bytes())
        );
        end.socket.write_all(response.as_bytes()).await.unwrap();
        end
    }

    /// Reads the head that the other end sends.
    async fn with(mut socket: TcpStream, role: Role) -> ByHand {
        let mut read = Vec::new();
        let reading = async {
            loop {
                if let Some(end) = read.windows(4).position(|four| four == b"\r\n\r\n") {
                    return end + 4;
                }
                assert_ne!(socket.read_buf(&mut read).await.unwrap(), 0, "{read:?}");
            }
        };
        let end = timeout(PATIENCE, reading).await.expect("a head in time");
        let rest = read.split_off(end);
        ByHand {
            socket,
            head: String::from_utf8(read).unwrap(),
            role,
            decoder: Decoder::new(role),
            inflater: Inflater::default(),
            read: rest,
            first: 0,
        }
    }

    fn header(&self, name: &str) -> Option<String> {
        let prefix = format!("{name}: ");
        let mut lines = self.head.lines();
        lines.find_map(|line| line.strip_prefix(&prefix).map(str::to_owned))
    }

    fn mask(&self) -> Option<[u8; 4]> {
        (self.role == Role::Client).then_some(KEY)
    }

    async fn send(&mut self, bytes: &[u8]) {
        // What is sent after the gate has had enough may find the socket closed.
        let _ = self.socket.write_all(bytes).await;
    }

    async fn say(&mut self, text: &str) {
        let mut frame = Vec::new();
        append_text(&mut frame, text.as_bytes(), self.mask());
        self.send(&frame).await;
    }

    async fn say_deflated(&mut self, payload: &[u8]) {
        let mut frame = Vec::new();
        append_deflated(&mut frame, payload, self.mask());
        self.send(&frame).await;
    }

    /// The next text, and whether it came compressed. Pings are passed over.
    async fn hear(&mut self) -> (String, bool) {
        match self.next().await {
            Ok(heard) => heard,
            Err(code) => panic!("a text was expected, and it closed with {code:?}"),
        }
    }

    /// The code it closes with.
    async fn closed(&mut self) -> Option<u16> {
        loop {
            if let Err(code) = self.next().await {
                let mut frame = Vec::new();
                append_close(&mut frame, code, self.mask());
                self.send(&frame).await;
                return code;
            }
        }
    }

    /// A text, or the code of the goodbye; none where there was no goodbye.
    async fn next(&mut self) -> Result<(String, bool), Option<u16>> {
        loop {
            let before = self.read.len();
            if self.decoder.is_idle() {
                self.first = self.read.first().copied().unwrap_or_default();
            }
            let mut input = Input::new(&mut self.read).inflated_by(Some(&mut self.inflater));
            let limits = WsLimits::fixed(2 << 20);
            let heard = match self.decoder.next(&mut input, &limits).unwrap() {
                Some(Incoming::Text(text)) => {
                    let text = String::from_utf8(text.to_vec()).unwrap();
                    Some(Ok((text, self.first & 0x40 != 0)))
                }
                Some(Incoming::Close(code)) => Some(Err(code)),
                Some(_) | None => None,
            };
            let rest = input.remaining();
            self.read.drain(..before - rest);
            if let Some(heard) = heard {
                return heard;
            }
            if rest == 0 && self.fill().await == 0 {
                return Err(None);
            }
        }
    }

    async fn fill(&mut self) -> usize {
        let reading = self.socket.read_buf(&mut self.read);
        let count = timeout(PATIENCE, reading).await.expect("something in time");
        count.unwrap_or(0)
    }
}

/// A message as a peer compresses it that follows no terms.
fn deflated(text: &[u8]) -> Vec<u8> {
    let mut stream = zlib_rs::Deflate::new(9, false, 15);
    let mut out = vec![0; text.len() + 1_000];
    let flush = zlib_rs::DeflateFlush::SyncFlush;
    stream.compress(text, &mut out, flush).unwrap();
    out.truncate(stream.total_out() as usize - 4);
    out
}

fn offering() -> Setting {
    let mut setting = Setting::default();
    let upstream = UpstreamSettings {
        compression: true,
        ..UpstreamSettings::default()
    };
    let main = RouteId(std::sync::Arc::from("main"));
    setting.settings.upstreams.insert(main, upstream);
    setting
}

#[tokio::test]
async fn a_station_on_a_metered_link_speaks_compressed_and_its_csms_plainly() {
    let scene = Scene::new().await;
    let (mut station, mut csms) =
        tokio::join!(ByHand::station(&scene, "CP1", OFFER), scene.csms.accept());
    assert_eq!(
        station.header("Sec-WebSocket-Extensions").as_deref(),
        Some(KEPT)
    );
    let request = csms.request.as_ref().unwrap();
    assert!(!request.headers().contains_key("Sec-WebSocket-Extensions"));
    let call = status_notification("1");
    station.say_deflated(&deflated(call.as_bytes())).await;
    assert_eq!(csms.hear().await, call);
    csms.say(r#"[3,"1",{}]"#).await;
    let short = (r#"[3,"1",{}]"#.to_owned(), false);
    assert_eq!(station.hear().await, short, "too short to be worth it");
    let long = format!(
        r#"[2,"2","DataTransfer",{{"vendorId":"v","data":"{}"}}]"#,
        "of one piece ".repeat(20)
    );
    csms.say(&long).await;
    assert_eq!(station.hear().await, (long, true));
    // It may also speak plainly.
    station.say(r#"[3,"2",{"status":"Accepted"}]"#).await;
    assert_eq!(csms.hear().await, r#"[3,"2",{"status":"Accepted"}]"#);
    let counts = scene.gate.counters().snapshot();
    assert_eq!((counts.inflated, counts.deflated), (1, 1));
    assert!(counts.bytes_saved > 200, "{}", counts.bytes_saved);
}

#[tokio::test]
async fn a_csms_far_away_gets_compressed_what_a_station_says_plainly() {
    let scene = Scene::with(offering()).await;
    let answer = format!("{KEPT}; client_max_window_bits=9");
    let (station, mut csms) = tokio::join!(scene.knock("CP1"), ByHand::csms(&scene, &answer));
    let offer = csms.header("Sec-WebSocket-Extensions").unwrap();
    assert_eq!(offer, format!("{KEPT}; client_max_window_bits"));
    let mut station = station.unwrap();
    let call = status_notification("1");
    station.say(&call).await;
    assert_eq!(csms.hear().await, (call, true));
    csms.say_deflated(&deflated(br#"[3,"1",{}]"#)).await;
    assert_eq!(station.hear().await, r#"[3,"1",{}]"#);
}

#[tokio::test]
async fn each_hop_is_compressed_on_terms_of_its_own() {
    let scene = Scene::with(offering()).await;
    let offer = "permessage-deflate; server_max_window_bits=10";
    let (mut station, mut csms) = tokio::join!(
        ByHand::station(&scene, "CP1", offer),
        ByHand::csms(&scene, KEPT)
    );
    let granted = station.header("Sec-WebSocket-Extensions").unwrap();
    assert_eq!(granted, format!("{KEPT}; server_max_window_bits=10"));
    // In fragments, with a ping between them.
    let call = status_notification("1");
    let payload = deflated(call.as_bytes());
    let (front, back) = payload.split_at(40);
    let frames = [
        masked(0x41, front),
        masked(0x89, b"there?"),
        masked(0x00, b""),
        masked(0x80, back),
    ];
    station.send(&frames.concat()).await;
    assert_eq!(csms.hear().await, (call, true));
    let answer = format!(r#"[3,"1",{{"{}":1}}]"#, "x".repeat(200));
    csms.say_deflated(&deflated(answer.as_bytes())).await;
    assert_eq!(station.hear().await, (answer, true));
}

/// A short frame of a station's.
fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first, 0x80 | u8::try_from(payload.len()).unwrap()];
    frame.extend_from_slice(&KEY);
    let start = frame.len();
    frame.extend_from_slice(payload);
    apply_mask(&mut frame[start..], KEY);
    frame
}

#[tokio::test]
async fn nobody_gets_what_nobody_asked_for() {
    let scene = Scene::with(offering()).await;
    let (mut station, mut csms) = tokio::join!(
        ByHand::station(&scene, "CP1", "permessage-deflate; unheard_of"),
        ByHand::csms(&scene, "")
    );
    assert_eq!(station.header("Sec-WebSocket-Extensions"), None);
    let call = status_notification("1");
    station.say(&call).await;
    assert_eq!(csms.hear().await, (call.clone(), false));
    station.say_deflated(&deflated(call.as_bytes())).await;
    assert_eq!(station.closed().await, Some(1002));
    assert_eq!(csms.closed().await, Some(1001));
}

#[tokio::test]
async fn a_gate_that_says_off_grants_nothing() {
    let mut setting = Setting::default();
    setting.settings.session.compression = false;
    let scene = Scene::with(setting).await;
    let (station, _csms) = tokio::join!(ByHand::station(&scene, "CP1", OFFER), scene.csms.accept());
    assert_eq!(station.header("Sec-WebSocket-Extensions"), None);
}

#[tokio::test]
async fn a_csms_that_would_keep_its_context_is_not_connected_to() {
    let scene = Scene::with(offering()).await;
    let (station, _csms) = tokio::join!(
        scene.knock("CP1"),
        ByHand::csms(&scene, "permessage-deflate; client_no_context_takeover")
    );
    assert!(station.is_err(), "503");
    let why = scene
        .event(|event| match event {
            Event::Refused { why, .. } => Some(why.clone()),
            _ => None,
        })
        .await;
    assert!(
        matches!(&why, RefusedHandshake::Upstream(what) if what.contains("extension")),
        "{why:?}"
    );
}

/// An attacker and an honest station, both with compression; what the attacker's end hears, what its
/// CSMS hears, and how it is told.
async fn attacked(setting: Setting, said: &[u8]) -> (Option<u16>, Option<u16>, Closing) {
    let scene = Scene::with(setting).await;
    let (mut honest, mut its_csms) =
        tokio::join!(ByHand::station(&scene, "CP2", OFFER), scene.csms.accept());
    let (mut attacker, mut csms) =
        tokio::join!(ByHand::station(&scene, "CP1", OFFER), scene.csms.accept());
    attacker.send(said).await;
    let heard = attacker.closed().await;
    let passed_on = csms.closed().await;
    let told = how(&scene).await;
    let call = status_notification("1");
    honest.say_deflated(&deflated(call.as_bytes())).await;
    assert_eq!(its_csms.hear().await, call, "the station beside it");
    (heard, passed_on, told)
}

fn frame(payload: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    append_deflated(&mut frame, payload, Some(KEY));
    frame
}

#[tokio::test]
async fn a19_a_bomb_costs_its_sender_the_connection() {
    // A thousand megabytes in as many kilobytes; the first is one too many.
    let bomb = frame(&deflated(&vec![b' '; 16 << 20]));
    let mut strict = Setting::default();
    strict.policy.controls.schema = Mode::Enforce;
    for setting in [Setting::default(), strict] {
        let (heard, passed_on, told) = attacked(setting, &bomb).await;
        assert_eq!((heard, passed_on), (Some(1009), Some(1001)));
        let words = "a message longer than allowed";
        assert_eq!(told, Closing::Protocol(Side::Station, words));
    }
}

#[tokio::test]
async fn a19_the_bound_of_an_ordinary_message_is_that_of_what_it_says() {
    let text = status_notification(&"x".repeat(70_000));
    let said = frame(&deflated(text.as_bytes()));
    assert!(said.len() < 1_000);
    let mut strict = Setting::default();
    strict.policy.controls.schema = Mode::Enforce;
    let (heard, passed_on, _) = attacked(strict, &said).await;
    assert_eq!((heard, passed_on), (Some(1009), Some(1001)));
}

#[tokio::test]
async fn a19_endless_empty_blocks_cost_their_sender_the_connection() {
    let said = frame(&[0, 0, 0, 0xff, 0xff].repeat(100_000));
    let (heard, passed_on, told) = attacked(Setting::default(), &said).await;
    assert_eq!((heard, passed_on), (Some(1008), Some(1001)));
    let words = "a compressed message in too many blocks";
    assert_eq!(told, Closing::Protocol(Side::Station, words));
}

#[tokio::test]
async fn a19_what_cannot_be_inflated_costs_its_sender_the_connection() {
    let mut payload = deflated(status_notification("1").as_bytes());
    payload.truncate(60);
    let (heard, passed_on, _) = attacked(Setting::default(), &frame(&payload)).await;
    assert_eq!((heard, passed_on), (Some(1007), Some(1001)));
    let not_utf8 = deflated(b"[2,\"1\",\"Heartbeat\",{\"x\":\"\xff\"}]");
    let (heard, passed_on, _) = attacked(Setting::default(), &frame(&not_utf8)).await;
    assert_eq!((heard, passed_on), (Some(1007), Some(1001)));
}

#[tokio::test]
async fn a19_a_csms_gets_no_bomb_through_either() {
    let scene = Scene::with(offering()).await;
    let (mut station, mut csms) = tokio::join!(
        ByHand::station(&scene, "CP1", OFFER),
        ByHand::csms(&scene, KEPT)
    );
    csms.say_deflated(&deflated(&vec![b' '; 8 << 20])).await;
    assert_eq!(csms.closed().await, Some(1009));
    assert_eq!(station.closed().await, Some(1001));
}

/// Messages must end within this time.
const SOON: Duration = Duration::from_millis(300);

fn in_a_hurry(message_deadline: Duration) -> Setting {
    let mut setting = Setting::default();
    setting.settings.session.message_deadline = message_deadline;
    setting
}

/// Says the first part once and the second again and again, until the gate has had enough.
async fn never_ends(first: &[u8], again: &[u8]) {
    let scene = Scene::with(in_a_hurry(SOON)).await;
    let (mut honest, mut its_csms) =
        tokio::join!(ByHand::station(&scene, "CP2", ""), scene.csms.accept());
    let (mut station, mut csms) =
        tokio::join!(ByHand::station(&scene, "CP1", ""), scene.csms.accept());
    let began = Instant::now();
    station.send(first).await;
    let mut id = 0;
    let mut pace = tokio::time::interval(SOON / 20);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (heard, dribbled) = loop {
        tokio::select! {
            heard = station.closed() => break (heard, id),
            _ = pace.tick() => {}
        }
        station.send(again).await;
        honest.say(&heartbeat(id)).await;
        its_csms.hear().await;
        let answer = format!(r#"[3,"{id}",{{"currentTime":"2026-11-22T10:00:00Z"}}]"#);
        its_csms.say(&answer).await;
        assert_eq!(honest.hear().await.0, answer);
        id += 1;
        assert!(began.elapsed() < PATIENCE, "nobody ended it");
    };
    assert_eq!(heard, Some(1008));
    assert!(began.elapsed() >= SOON && dribbled > 1, "{dribbled} pieces");
    assert_eq!(csms.closed().await, Some(1001));
    let words = "a message that was not ended in time";
    assert_eq!(how(&scene).await, Closing::Protocol(Side::Station, words));
}

#[tokio::test]
async fn a19_fragments_without_end_end_the_session() {
    never_ends(&masked(0x01, b"[2,"), &masked(0x00, b"")).await;
}

#[tokio::test]
async fn a19_a_dribbled_message_ends_the_session() {
    let mut frame = Vec::new();
    let long = status_notification(&"1".repeat(5_000));
    append_text(&mut frame, long.as_bytes(), Some(KEY));
    let (first, again) = (&frame[..20], b"x");
    never_ends(first, again).await;
}

#[tokio::test]
async fn a19_pings_between_do_not_stretch_the_deadline() {
    let again = masked(0x89, b"still here");
    never_ends(&masked(0x01, b"[2,"), &again).await;
}

#[tokio::test]
async fn messages_that_are_always_cut_but_end_are_nobodys_concern() {
    // Each of them has the time that a busy machine takes for a message and its answer.
    let deadline = 5 * SOON;
    let scene = Scene::with(in_a_hurry(deadline)).await;
    let (mut station, mut csms) =
        tokio::join!(ByHand::station(&scene, "CP1", ""), scene.csms.accept());
    let frame_of = |id: usize| {
        let mut frame = Vec::new();
        append_text(&mut frame, heartbeat(id).as_bytes(), Some(KEY));
        frame
    };
    let began = Instant::now();
    let mut id = 0;
    station.send(&frame_of(0)[..10]).await;
    // At every moment a message is open, and for longer than one may be.
    while began.elapsed() < 2 * deadline {
        let rest = frame_of(id)[10..].to_vec();
        let next = frame_of(id + 1)[..10].to_vec();
        station.send(&[rest, next].concat()).await;
        assert_eq!(csms.hear().await, heartbeat(id));
        csms.say(&format!(
            r#"[3,"{id}",{{"currentTime":"2026-11-22T10:00:00Z"}}]"#
        ))
        .await;
        station.hear().await;
        id += 1;
    }
    assert!(id > 1);
}

#[test]
fn a_message_that_we_compress_is_one_that_stands_for_itself() {
    let mut deflater = Deflater::default();
    let text = status_notification("1");
    let terms = DeflateTerms { window_bits: None };
    let mut message = || deflater.deflate(text.as_bytes(), terms).map(<[u8]>::to_vec);
    let first = message();
    assert!(first.is_some());
    assert_eq!(
        message(),
        first,
        "nothing of the first is left for the second"
    );
}
