//! Every event with its record, as somebody reads it who has nothing else.

use std::borrow::Cow;
use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use guard::{
    ChangeEvent, Closing, ConnectionKind, Control, Event, Finding, Heard, MessageEvent,
    MessageKind, Mode, Moment, Outcome, Reason, RefusedHandshake, RouteId, SessionFacts, Tenant,
    UnixMillis,
};
use ocpp::{Facts, HardFault, Side, StationId, Version};
use serde_json::{Value, json};

use super::*;

/// A token that must not stand in a record.
const TOKEN: &str = "04A2B3C4";

/// What stands in its place.
fn handle() -> Handle {
    Handle::from_random([1; 12])
}

/// Knows one token, and says who was asked for.
struct Asked;

impl Pseudonyms for Asked {
    type Error = Infallible;

    fn message(
        &mut self,
        tenant: &str,
        heard: Heard<'_>,
        _: UnixMillis,
        out: &mut Vec<u8>,
        handles: &mut Vec<Handle>,
    ) -> Result<(), Infallible> {
        assert_eq!(tenant, "cpo");
        let text = std::str::from_utf8(heard.text).unwrap();
        handles.extend(text.matches(TOKEN).map(|_| handle()));
        let said = text.replace(TOKEN, &handle().to_string());
        out.extend_from_slice(said.as_bytes());
        Ok(())
    }

    fn station<'i>(
        &mut self,
        tenant: Option<&str>,
        identity: &'i StationId,
        _: UnixMillis,
        _: &mut Vec<Handle>,
    ) -> Result<Cow<'i, str>, Infallible> {
        let identity = identity.as_str();
        Ok(match identity.strip_prefix("HOME") {
            Some(_) => Handle::from_random([2; 12]).to_string().into(),
            None => format!("{}/{identity}", tenant.unwrap_or("?")).into(),
        })
    }

    fn words(&mut self, text: &str) -> String {
        text.replace("ann@example.com", "(e-mail)")
    }
}

fn at() -> Moment {
    Moment {
        elapsed: Duration::from_secs(5),
        wall: UnixMillis(1_795_305_600_123),
    }
}

fn peer() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::new(192, 0, 2, 7), 4711))
}

fn station() -> StationId {
    StationId::parse("CS1", Version::V16).unwrap()
}

fn session() -> Arc<SessionFacts> {
    session_of("CS1")
}

fn session_of(identity: &str) -> Arc<SessionFacts> {
    Arc::new(SessionFacts {
        number: 12,
        station: StationId::parse(identity, Version::V16).unwrap(),
        tenant: Tenant("cpo".into()),
        route: RouteId("main".into()),
        version: Version::V16,
        kind: ConnectionKind::TlsBasic,
        peer: peer(),
        tls: None,
        exception: None,
    })
}

fn message(outcome: Outcome, action: &'static str, findings: Vec<Finding>) -> Event {
    Event::Message(MessageEvent {
        outcome,
        findings,
        ..call(action, 57)
    })
}

fn call(action: &'static str, bytes: usize) -> MessageEvent {
    MessageEvent {
        at: at(),
        session: session(),
        from: Side::Station,
        kind: MessageKind::Call,
        action,
        bytes: bytes.try_into().unwrap(),
        outcome: Outcome::Forwarded,
        findings: Vec::new(),
        latency: None,
        model: None,
    }
}

fn heard(text: &str) -> Heard<'_> {
    Heard {
        text: text.as_bytes(),
        facts: Facts::NONE,
    }
}

fn finding() -> Finding {
    Finding {
        control: Control::Schema,
        mode: Mode::Observe,
        kind: "too-long".into(),
        path: "idTag".to_owned(),
        tolerated: true,
        what: "mail ann@example.com \"now\"".to_owned(),
    }
}

/// A record as it stands.
fn text<'e>(event: &'e Event, heard: Option<Heard<'_>>) -> (String, About<'e>, Vec<Handle>) {
    let (mut out, mut handles) = (b"before".to_vec(), Vec::new());
    let Ok(about) = compose(event, heard, &mut Asked, &mut out, &mut handles);
    let text = std::str::from_utf8(&out[6..]).unwrap();
    assert!(!text.contains('\n'), "one line: {text}");
    (text.to_owned(), about, handles)
}

fn written<'e>(event: &'e Event, heard: Option<Heard<'_>>) -> (Value, About<'e>, Vec<Handle>) {
    let (text, about, handles) = text(event, heard);
    (serde_json::from_str(&text).unwrap(), about, handles)
}

#[test]
fn of_a_message_as_it_came_nothing_is_said_twice() {
    let said = r#"[2,"1","Heartbeat",{}]"#;
    let event = Event::Message(call("Heartbeat", said.len()));
    let (record, about, handles) = text(&event, Some(heard(said)));
    let head = r#"{"at":1795305600123,"kind":"call","tenant":"cpo","station":"cpo/CS1","session":12,"from":"station","action":"Heartbeat","#;
    assert_eq!(record, format!(r#"{head}"message":{said}}}"#));
    assert_eq!(handles, []);
    let expected = About {
        at: at().wall,
        weight: Weight::Telemetry,
        station: Some("cpo/CS1".into()),
        action: Some("Heartbeat"),
        is_refused: false,
    };
    assert_eq!(about, expected);
    // Without its words, its length is all that is known of it.
    let (record, ..) = text(&event, None);
    assert_eq!(record, format!(r#"{head}"bytes":{}}}"#, said.len()));
}

#[test]
fn of_a_message_that_came_otherwise_its_length_is_said() {
    for token in [
        TOKEN.to_owned(),
        format!("{TOKEN}{TOKEN}"),
        "04FF".to_owned(),
    ] {
        let said = format!(r#"[2,"1","Authorize",{{"idTag":"{token}"}}]"#);
        let event = Event::Message(call("Authorize", said.len()));
        let (record, _, handles) = text(&event, Some(heard(&said)));
        let replaced = token.matches(TOKEN).count();
        let end = match replaced {
            0 => String::from("\"}]}"),
            _ => format!("\"}}],\"bytes\":{}}}", said.len()),
        };
        assert!(record.ends_with(&end), "{record}");
        assert_eq!(handles, vec![handle(); replaced]);
        assert!(!record.contains(TOKEN), "{record}");
    }
}

#[test]
fn every_kind_of_message_is_read_as_one() {
    use crate::reading;
    let refused = Outcome::Refused(Some(Control::Schema), None);
    for (kind, word) in [
        (MessageKind::Call, "call"),
        (MessageKind::Result, "result"),
        (MessageKind::Error, "error"),
        (MessageKind::ResultError, "result-error"),
        (MessageKind::Send, "send"),
        (MessageKind::Unreadable, "unreadable"),
    ] {
        for (from, side) in [(Side::Station, "station"), (Side::Csms, "csms")] {
            for (outcome, verdict, is_refused) in [
                (Outcome::Forwarded, "forwarded", false),
                (Outcome::Joined, "joined", false),
                (refused, "refused", true),
                (Outcome::Disconnected, "disconnected", true),
            ] {
                let event = Event::Message(MessageEvent {
                    kind,
                    from,
                    outcome,
                    ..call("Heartbeat", 57)
                });
                let (record, about, _) = text(&event, None);
                let facts = reading::Facts::read(record.as_bytes());
                assert!(facts.is_message(), "{record}");
                assert_eq!((&*facts.kind, &*facts.from), (word, side));
                assert_eq!(facts.verdict, verdict);
                assert_eq!(
                    (facts.is_refused(), about.is_refused),
                    (is_refused, is_refused)
                );
                assert_eq!(
                    record.contains("verdict"),
                    verdict != "forwarded",
                    "{record}"
                );
            }
        }
    }
}

#[test]
fn what_is_remarked_is_kept_before_all_else() {
    let refused = Outcome::Refused(Some(Control::Schema), None);
    let unreadable = Outcome::Refused(None, Some(HardFault::NotJson));
    for (event, weight) in [
        (
            message(Outcome::Forwarded, "MeterValues", Vec::new()),
            Weight::Telemetry,
        ),
        (
            message(Outcome::Forwarded, "MeterValues", vec![finding()]),
            Weight::Kept,
        ),
        (
            message(Outcome::Forwarded, "StartTransaction", Vec::new()),
            Weight::Message,
        ),
        (message(refused, "Heartbeat", Vec::new()), Weight::Kept),
        (message(unreadable, "?", Vec::new()), Weight::Kept),
    ] {
        let (record, about, _) = written(&event, None);
        assert_eq!(about.weight, weight, "{record}");
        assert!(record.get("message").is_none(), "{record}");
    }
}

#[test]
fn a_refusal_says_by_whom_and_why() {
    let refused = Outcome::Refused(Some(Control::Schema), None);
    let event = message(refused, "Authorize", vec![finding()]);
    let (record, about, _) = written(&event, None);
    assert!(about.is_refused);
    assert_eq!(record["by"], "schema");
    assert_eq!(
        record["findings"],
        json!([{
            "control": "schema", "mode": "observe", "kind": "too-long", "path": "idTag",
            "tolerated": true, "what": "mail (e-mail) \"now\"",
        }])
    );
    let unreadable = Outcome::Refused(None, Some(HardFault::NotJson));
    let (record, ..) = written(&message(unreadable, "?", Vec::new()), None);
    assert_eq!(record["by"], "hard-fault");
    assert!(record["fault"].is_string());
}

#[test]
fn whatever_is_not_a_message_is_kept() {
    let (station, tenant) = (station(), Tenant("cpo".into()));
    let why = || RefusedHandshake::Upstream("503\n ann@example.com".to_owned());
    let policy = Closing::Policy(Reason::Control(Control::Schema));
    for (event, kind, named, is_refused) in [
        (
            Event::Connected {
                at: at(),
                session: session(),
            },
            "connected",
            Some("cpo/CS1"),
            false,
        ),
        (
            Event::Disconnected {
                at: at(),
                session: session(),
                how: Closing::Idle,
            },
            "disconnected",
            Some("cpo/CS1"),
            false,
        ),
        (
            Event::Disconnected {
                at: at(),
                session: session(),
                how: policy,
            },
            "disconnected",
            Some("cpo/CS1"),
            true,
        ),
        (
            Event::Refused {
                at: at(),
                peer: peer(),
                station: Some(station.clone()),
                why: why(),
            },
            "refused",
            Some("?/CS1"),
            true,
        ),
        (
            Event::Refused {
                at: at(),
                peer: peer(),
                station: None,
                why: why(),
            },
            "refused",
            None,
            true,
        ),
        (
            Event::TurnedAway {
                at: at(),
                why: why(),
                times: 3,
                last: peer(),
            },
            "turned-away",
            None,
            true,
        ),
        (
            Event::Adopted {
                at: at(),
                station: station.clone(),
                tenant: tenant.clone(),
            },
            "adopted",
            Some("cpo/CS1"),
            false,
        ),
        (
            Event::CredentialChange {
                at: at(),
                station: station.clone(),
                tenant: tenant.clone(),
                is_certificate: true,
                step: ChangeEvent::Offered,
            },
            "credential-change",
            Some("cpo/CS1"),
            false,
        ),
    ] {
        let (record, about, handles) = written(&event, None);
        assert_eq!(
            (record["kind"].as_str(), record["at"].as_i64()),
            (Some(kind), Some(at().wall.0))
        );
        let text = record.to_string();
        let facts = crate::reading::Facts::read(text.as_bytes());
        assert!(!facts.is_message() && facts.verdict.is_empty(), "{record}");
        assert_eq!(facts.is_refused(), is_refused, "{record}");
        assert_eq!(about.station.as_deref(), named, "{record}");
        assert_eq!(record["station"].as_str(), named, "{record}");
        assert_eq!(
            (about.weight, about.is_refused),
            (Weight::Kept, is_refused),
            "{record}"
        );
        assert!(handles.is_empty());
        assert!(
            !record.to_string().contains("ann@"),
            "words go through the filter: {record}"
        );
    }
}

#[test]
fn where_a_private_station_comes_from_is_not_said() {
    let session = session_of("HOME1");
    let (at, why) = (at(), RefusedHandshake::NoVersion);
    let station = Some(session.station.clone());
    for event in [
        Event::Refused {
            at,
            peer: peer(),
            station,
            why,
        },
        Event::Connected { at, session },
    ] {
        let (record, about, _) = written(&event, None);
        assert!(record.get("peer").is_none(), "{record}");
        assert!(Handle::parse(about.station.as_deref().unwrap()).is_some());
    }
}

#[test]
fn acts_and_gaps_are_records() {
    let mut out = Vec::new();
    let act = Act {
        at: UnixMillis(-5),
        what: "mode",
        by: "ops \"night\"",
        details: "everything at observe",
    };
    assert_eq!(compose_act(&act, &mut out).weight, Weight::Kept);
    assert_eq!(
        serde_json::from_slice::<Value>(&out).unwrap(),
        json!({
            "at": -5, "kind": "act", "what": "mode", "by": "ops \"night\"",
            "details": "everything at observe",
        })
    );
    out.clear();
    let gap = Gap {
        at: UnixMillis(9),
        since: UnixMillis(4),
        events: 17,
        words: u64::MAX,
        why: "queue-full",
    };
    assert_eq!(compose_gap(&gap, &mut out).weight, Weight::Kept);
    assert_eq!(
        serde_json::from_slice::<Value>(&out).unwrap(),
        json!({ "at": 9, "kind": "gap", "since": 4, "events": 17, "words": u64::MAX, "why": "queue-full" })
    );
}
