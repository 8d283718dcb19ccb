//! Every event with its record, as somebody reads it who has nothing else.

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

/// Says who was asked for.
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
        handles.push(Handle::from_random([1; 12]));
        let said = json!({ "tenant": tenant, "bytes": heard.text.len() });
        out.extend_from_slice(said.to_string().as_bytes());
        Ok(())
    }

    fn station(
        &mut self,
        tenant: Option<&str>,
        identity: &StationId,
        _: UnixMillis,
        _: &mut Vec<Handle>,
    ) -> Result<Arc<str>, Infallible> {
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
        at: at(),
        session: session(),
        from: Side::Station,
        kind: MessageKind::Call,
        action,
        bytes: 57,
        outcome,
        findings,
        latency: None,
        model: None,
    })
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

fn written(event: &Event, heard: Option<Heard<'_>>) -> (Value, About, Vec<Handle>) {
    let (mut out, mut handles) = (b"before".to_vec(), Vec::new());
    let Ok(about) = compose(event, heard, &mut Asked, &mut out, &mut handles);
    let text = std::str::from_utf8(&out[6..]).unwrap();
    assert!(!text.contains('\n'), "one line: {text}");
    (serde_json::from_str(text).unwrap(), about, handles)
}

#[test]
fn a_message_with_what_was_said() {
    let heard = Heard {
        text: b"[2,\"1\",\"Heartbeat\",{}]",
        facts: Facts::NONE,
    };
    let event = message(Outcome::Forwarded, "Heartbeat", Vec::new());
    let (record, about, handles) = written(&event, Some(heard));
    assert_eq!(
        record,
        json!({
            "at": 1_795_305_600_123_i64, "kind": "message", "tenant": "cpo", "station": "cpo/CS1",
            "session": 12, "from": "station", "type": "call", "action": "Heartbeat",
            "verdict": "forwarded", "bytes": 57, "message": { "tenant": "cpo", "bytes": 22 },
        })
    );
    let expected = About {
        at: at().wall,
        weight: Weight::Telemetry,
        station: Some("cpo/CS1".into()),
        action: Some("Heartbeat"),
        is_refused: false,
    };
    assert_eq!((about, handles.len()), (expected, 1));
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
    let (record, about, _) = written(&message(refused, "Authorize", vec![finding()]), None);
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
