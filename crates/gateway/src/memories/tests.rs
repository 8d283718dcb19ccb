//! A session's memory goes back, is kept once, and is nobody's when its station is gone.

use std::net::{Ipv4Addr, SocketAddr};

use guard::{ConnectionKind, Credential, Policy, RouteId};
use ocpp::{Frame, Reader, Side, Version};

use super::*;

fn tenant() -> Tenant {
    Tenant("cpo".into())
}

fn record(name: &str) -> StationRecord {
    let id = StationId::parse(name, Version::V16).unwrap();
    StationRecord::new(id, tenant(), Credential::CertificateName)
}

fn book(names: &[&str]) -> Book {
    Book::new([], names.iter().map(|name| record(name))).unwrap()
}

fn facts(name: &str) -> Arc<SessionFacts> {
    Arc::new(SessionFacts {
        number: 1,
        station: StationId::parse(name, Version::V16).unwrap(),
        tenant: tenant(),
        route: RouteId("r".into()),
        version: Version::V16,
        kind: ConnectionKind::TlsBasic,
        peer: SocketAddr::from((Ipv4Addr::LOCALHOST, 1)),
        tls: None,
        exception: None,
    })
}

/// A session in which the station is accepted, or gets a transaction.
fn live(memories: &Memories, name: &str, book: &Book, talk: &[(Side, &str)]) -> StationState {
    let session = facts(name);
    let mut state = memories.begin(StationState::of(Arc::clone(&session), 3), &session, book);
    let (policy, mut reader) = (Policy::default(), Reader::new());
    for (from, text) in talk {
        let frame = Frame::text(text.as_bytes());
        let message = reader.read(frame, *from, Version::V16, &policy.limits, state.exchange());
        let now = guard::Moment::default();
        policy.judge(message, now, &mut state, now);
        if let Some(news) = state.take_news() {
            memories.put_back(&session, &state, news);
        }
    }
    state
}

const BOOT: [(Side, &str); 2] = [
    (
        Side::Station,
        r#"[2,"1","BootNotification",{"chargePointVendor":"V","chargePointModel":"M"}]"#,
    ),
    (
        Side::Csms,
        r#"[3,"1",{"status":"Accepted","currentTime":"2026-11-22T12:00:00Z","interval":300}]"#,
    ),
];

const START: [(Side, &str); 2] = [
    (
        Side::Station,
        r#"[2,"2","StartTransaction",{"connectorId":1,"idTag":"T","meterStart":0,"timestamp":"2026-11-22T12:00:00Z"}]"#,
    ),
    (
        Side::Csms,
        r#"[3,"2",{"transactionId":7,"idTagInfo":{"status":"Accepted"}}]"#,
    ),
];

const STOP: &str = r#"[2,"9","StopTransaction",{"transactionId":7,"meterStop":1,"timestamp":"2026-11-22T13:00:00Z"}]"#;

#[test]
fn a_session_takes_and_puts_back_and_each_change_is_kept_once() {
    let (memories, book) = (Memories::default(), book(&["CP-1"]));
    live(&memories, "CP-1", &book, &BOOT);
    let changed = memories.take_changed();
    assert_eq!(changed.len(), 1);
    assert!(memories.take_changed().is_empty());
    let next = live(&memories, "CP-1", &book, &[]);
    assert_eq!(**next.memory(), *changed[0].1);
    // Nothing new: the very same value, shared with whoever keeps it.
    assert!(Arc::ptr_eq(next.memory(), &changed[0].1));
    memories.give_back(changed);
    live(&memories, "CP-1", &book, &START);
    let newest = memories.take_changed();
    assert_eq!(
        newest[0].1.transactions().open().len(),
        1,
        "the newest is kept"
    );
}

#[test]
fn whose_a_transaction_is_outlives_sessions_and_the_process() {
    let (memories, book) = (Memories::default(), book(&["CP-1", "CP-2"]));
    let state = live(&memories, "CP-1", &book, &START);
    let csms = state.csms();
    assert!(memories.is_anothers(&facts("CP-2"), csms, 7));
    assert!(!memories.is_anothers(&facts("CP-1"), csms, 7));
    let kept = memories.take_changed();
    let after = Memories::default();
    let read = kept.iter().map(|(key, memory)| {
        let memory = StationMemory::from_bytes(&memory.to_bytes()).unwrap();
        (key.clone(), memory)
    });
    after.remember(read);
    assert!(after.is_anothers(&facts("CP-2"), csms, 7));
    assert!(!after.is_anothers(&facts("CP-1"), csms, 7));
}

#[test]
fn a_csms_that_repeats_one_id_is_believed_in_none() {
    let (memories, book) = (Memories::default(), book(&["CP-1", "CP-2", "CP-3"]));
    let state = live(&memories, "CP-1", &book, &START);
    let other = START.map(|(side, text)| (side, text));
    live(&memories, "CP-2", &book, &other);
    let csms = state.csms();
    for id in [7, 8] {
        assert!(!memories.is_anothers(&facts("CP-3"), csms, id));
    }
    let eighth = START[1].1.replace(":7,", ":8,");
    let elsewhere = START[0].1.replace("\"connectorId\":1", "\"connectorId\":2");
    let talk = [(Side::Station, &*elsewhere), (Side::Csms, &*eighth)];
    live(&memories, "CP-1", &book, &talk);
    assert!(!memories.is_anothers(&facts("CP-3"), csms, 8), "in no part");
    // Both end what they have of it: it counts for each of them, whatever comes.
    for name in ["CP-1", "CP-2"] {
        live(&memories, name, &book, &[(Side::Station, STOP)]);
    }
    begins(&memories, "CP-1", &book, 9);
    assert!(!memories.is_anothers(&facts("CP-3"), csms, 9));
}

/// A transaction of that id begins, in a session of its own.
fn begins(memories: &Memories, name: &str, book: &Book, id: i64) {
    let answer = START[1].1.replace(":7,", &format!(":{id},"));
    live(memories, name, book, &[START[0], (Side::Csms, &answer)]);
}

#[test]
fn a_doubt_about_an_id_ends_with_what_it_stands_on() {
    let names = ["CP-1", "CP-2", "CP-3"];
    let csms = live(&Memories::default(), "CP-1", &book(&names), &START).csms();
    let is_seen = |memories: &Memories| memories.is_anothers(&facts("CP-3"), csms, 7);

    // The old owner goes on to another transaction at its only connector.
    let (memories, all) = (Memories::default(), book(&names));
    begins(&memories, "CP-1", &all, 7);
    begins(&memories, "CP-2", &all, 7);
    assert!(!is_seen(&memories));
    begins(&memories, "CP-1", &all, 8);
    assert!(is_seen(&memories));

    // It is struck from the register.
    let memories = Memories::default();
    begins(&memories, "CP-1", &all, 7);
    begins(&memories, "CP-2", &all, 7);
    memories.forget_strangers(&book(&["CP-2", "CP-3"]));
    assert!(is_seen(&memories));

    // Another station stands in its place.
    let memories = Memories::default();
    begins(&memories, "CP-1", &all, 7);
    let mut other = record("CP-1");
    other.replaced = 1;
    let replaced = Book::new([], [other, record("CP-2"), record("CP-3")]).unwrap();
    live(&memories, "CP-1", &replaced, &[]);
    begins(&memories, "CP-2", &replaced, 7);
    assert!(is_seen(&memories));
}

#[test]
fn a_station_that_is_gone_is_forgotten_and_a_replaced_one_begins_anew() {
    let memories = Memories::default();
    let before = book(&["CP-1", "CP-2"]);
    live(&memories, "CP-1", &before, &BOOT);
    live(&memories, "CP-2", &before, &BOOT);
    memories.forget_strangers(&book(&["CP-2"]));
    assert_eq!((memories.len(), memories.take_changed().len()), (1, 1));
    let mut other = record("CP-2");
    other.replaced = 1;
    let after = Book::new([], [other]).unwrap();
    assert!(memories.is_replaced(&facts("CP-2"), &after));
    let state = live(&memories, "CP-2", &after, &[]);
    assert_eq!(state.memory().boot(), None);
    assert!(!memories.is_replaced(&facts("CP-2"), &after));
}
