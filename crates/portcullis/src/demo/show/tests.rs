//! What the view prints for what happens, without a gate.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use guard::{
    Closing, ConnectionKind, Control, Finding, Mode, RefusedHandshake, RouteId, Tenant, UnixMillis,
};
use ocpp::{HardFault, StationId};

use super::*;

/// What was printed.
#[derive(Clone, Default)]
struct Page(Arc<Mutex<Vec<u8>>>);

impl Write for Page {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Scene {
    show: Show,
    page: Page,
    session: Arc<SessionFacts>,
}

const NOON: Moment = Moment {
    elapsed: Duration::ZERO,
    wall: UnixMillis(43_200_000),
};

impl Scene {
    fn new() -> Scene {
        let page = Page::default();
        let remarks = HashMap::from([("CP1".to_owned(), "boots in 1970")]);
        let session = SessionFacts {
            number: 1,
            station: StationId::parse("CP1", Version::V16).unwrap(),
            tenant: Tenant("default".into()),
            route: RouteId("demo".into()),
            version: Version::V16,
            kind: ConnectionKind::TlsBasic,
            peer: SocketAddr::from((Ipv4Addr::LOCALHOST, 1)),
            tls: None,
            exception: None,
        };
        Scene {
            show: Show::on(Box::new(page.clone()), Paint::none(), remarks),
            page,
            session: Arc::new(session),
        }
    }

    fn message(&mut self, outcome: Outcome, findings: Vec<Finding>) {
        self.show.event(&Event::Message(MessageEvent {
            at: NOON,
            session: Arc::clone(&self.session),
            from: Side::Station,
            kind: MessageKind::Call,
            action: "Heartbeat",
            bytes: 26,
            outcome,
            findings,
            latency: None,
            model: None,
        }));
    }

    fn printed(&self) -> String {
        String::from_utf8(self.page.0.lock().unwrap().clone()).unwrap()
    }
}

fn finding(mode: Mode) -> Finding {
    Finding {
        control: Control::Schema,
        mode,
        kind: "missing-field".into(),
        path: String::new(),
        tolerated: false,
        what: "a required field is missing".to_owned(),
    }
}

#[test]
fn a_station_comes_speaks_and_goes() {
    let mut scene = Scene::new();
    let session = Arc::clone(&scene.session);
    scene.show.event(&Event::Connected {
        at: NOON,
        session: Arc::clone(&session),
    });
    scene.message(Outcome::Forwarded, Vec::new());
    scene.show.who_is_here();
    scene.show.event(&Event::Disconnected {
        at: NOON,
        session,
        how: Closing::Lost(Side::Station),
    });
    let printed = scene.printed();
    for expected in [
        "12:00:00  CP1                1.6    IN, by TLS and password",
        "station → CSMS  Heartbeat (CALL, 26 B)  passed",
        "    1 messages  (boots in 1970)",
        "gone: the connection to the station broke",
    ] {
        assert!(
            printed.contains(expected),
            "{expected:?} is not in\n{printed}"
        );
    }
    let missing = scene.show.account().missing();
    assert_eq!(missing[0], "a refusal");
    assert!(missing[1..].iter().all(|what| what.starts_with("CWE-")));
}

#[test]
fn an_exploit_is_told_with_both_its_outcomes() {
    let mut scene = Scene::new();
    let [exploit, ..] = Exploit::all();
    let works = Saw::GotThrough("a bill for Anna".to_owned());
    scene.show.exploit(&exploit, &works, &Saw::TurnedAway(401));
    let account = scene.show.account();
    assert!(account.faults_held.contains(&306));
    assert!(account.got_through.is_empty() && account.blunt.is_empty());
    // One that does not work at the CSMS alone shows nothing, and one that works at the gate too much.
    scene.show.exploit(&exploit, &Saw::Ignored, &works);
    let account = scene.show.account();
    assert_eq!(account.got_through, ["no-credential"]);
    assert_eq!(account.blunt, ["no-credential"]);
    let printed = scene.printed();
    for expected in [
        "EXPLOIT   CWE-306 no-credential: comes as a station without any credential",
        "at the CSMS alone  it works: a bill for Anna",
        "at the gate        turned away with HTTP 401",
    ] {
        assert!(
            printed.contains(expected),
            "{expected:?} is not in\n{printed}"
        );
    }
}

#[test]
fn what_is_refused_is_told_with_its_reason() {
    let mut scene = Scene::new();
    scene.message(
        Outcome::Refused(None, Some(HardFault::DuplicateKey)),
        Vec::new(),
    );
    scene.message(
        Outcome::Refused(Some(Control::Schema), None),
        vec![finding(Mode::Enforce)],
    );
    scene.message(Outcome::Forwarded, vec![finding(Mode::Observe)]);
    scene.show.event(&Event::Refused {
        at: NOON,
        peer: SocketAddr::from((Ipv4Addr::LOCALHOST, 7)),
        station: None,
        why: RefusedHandshake::NoCredential,
    });
    scene.show.attack("no-credential", "tries without (A01)");
    let saw = Saw::TurnedAway(401).to_string();
    scene.show.attacker_saw("no-credential", &saw);
    scene.show.summary();
    let printed = scene.printed();
    for expected in [
        "REFUSED: an object names one key twice",
        "REFUSED: schema: a required field is missing",
        "passed, noted: a required field is missing",
        "127.0.0.1:7",
        "TURNED AWAY: it showed no credential that can be read",
        "ATTACK    no-credential: tries without (A01)",
        "ATTACKER  no-credential: turned away with HTTP 401",
        "refused     2 messages: an object names one key twice 1 · schema 1",
        "turned away 1 connections: no credential 1",
        "attacks     1 tried, 0 got through",
    ] {
        assert!(
            printed.contains(expected),
            "{expected:?} is not in\n{printed}"
        );
    }
}

#[test]
fn a_flood_of_messages_is_counted_not_printed() {
    let mut scene = Scene::new();
    for _ in 0..1_000 {
        scene.message(Outcome::Forwarded, Vec::new());
        scene.message(Outcome::Refused(None, Some(HardFault::NotJson)), Vec::new());
    }
    scene.show.tick();
    let printed = scene.printed();
    assert!(printed.lines().count() < 40);
    assert!(
        printed.contains("… and 995 more messages passed"),
        "{printed}"
    );
    assert_eq!(scene.show.account().passed, 1_000);
    assert_eq!(scene.show.account().refused_total(), 1_000);
}
