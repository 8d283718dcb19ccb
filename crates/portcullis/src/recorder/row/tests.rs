//! A row that is full loses what is missed least, and counts it.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use gateway::event_queue;
use guard::{
    ConnectionKind, Heard, MessageEvent, MessageKind, Moment, Outcome, RouteId, SessionFacts,
    Tenant,
};
use ocpp::{Facts, Side, StationId, Version};

use super::*;

const PATIENCE: Duration = Duration::from_millis(1);

/// Messages that passed unremarked, and one that was refused.
fn batch(messages: usize) -> Batch {
    let (sender, receiver) = event_queue(100_000, true);
    let session = Arc::new(SessionFacts {
        number: 1,
        station: StationId::parse("CS1", Version::V16).unwrap(),
        tenant: Tenant("cpo".into()),
        route: RouteId("main".into()),
        version: Version::V16,
        kind: ConnectionKind::TlsBasic,
        peer: SocketAddr::from((Ipv4Addr::LOCALHOST, 1)),
        tls: None,
        exception: None,
    });
    for place in 0..=messages {
        let outcome = match place {
            0 => Outcome::Refused(None, None),
            _ => Outcome::Forwarded,
        };
        let event = Event::Message(MessageEvent {
            at: Moment::default(),
            session: Arc::clone(&session),
            from: Side::Station,
            kind: MessageKind::Call,
            action: "Heartbeat",
            bytes: 100,
            outcome,
            findings: Vec::new(),
            latency: None,
            model: None,
        });
        let heard = Heard {
            text: &[b'x'; 100],
            facts: Facts::NONE,
        };
        sender.tell_heard(event, heard);
    }
    receiver.take()
}

fn taken(row: &Row) -> Vec<usize> {
    let mut taken = Vec::new();
    while let Next::Item(item) = row.next(PATIENCE) {
        match item {
            Item::Events(batch, _) => taken.push(batch.len()),
            Item::Done(_) => taken.push(0),
        }
    }
    taken
}

fn done() -> Item {
    Item::Done(Done {
        at: guard::UnixMillis(0),
        what: "mode",
        by: "gate",
        details: String::new(),
    })
}

#[test]
fn unremarked_messages_go_first() {
    let one = batch(9).bytes();
    let row = Row::new(one * 4);
    for _ in 0..5 {
        row.put(Item::Events(batch(9), 0));
    }
    row.put(done());
    assert_eq!(
        row.missed().events,
        18,
        "nine of the fourth, nine of the fifth"
    );
    assert_eq!(taken(&row), [10, 10, 10, 1, 1, 0]);
    assert_eq!(row.bytes(), 0);
    row.put(Item::Events(batch(9), 0));
    assert_eq!(taken(&row), [10], "there is room again");
}

#[test]
fn a_full_row_never_grows() {
    let row = Row::new(1000);
    for _ in 0..100 {
        row.put(Item::Events(batch(3), 0));
        assert!(row.bytes() <= 1000);
    }
    let left: usize = taken(&row).iter().sum();
    assert_eq!(
        row.missed().events + left as u64,
        400,
        "each is there or counted"
    );
}

#[test]
fn what_is_put_back_comes_first_again() {
    let row = Row::new(1 << 20);
    row.put(Item::Events(batch(1), 0));
    row.put(done());
    let Next::Item(first) = row.next(PATIENCE) else {
        panic!("something waits");
    };
    row.put_back(first);
    assert_eq!(taken(&row), [2, 0]);
}

#[test]
fn a_closed_row_gives_what_it_has_and_then_ends() {
    let row = Row::new(1 << 20);
    row.put(done());
    assert!(!row.rest(PATIENCE));
    row.close();
    assert!(
        row.rest(Duration::from_secs(60)),
        "nobody rests in a closed row"
    );
    assert_eq!(taken(&row), [0]);
    assert!(matches!(row.next(Duration::from_secs(60)), Next::Closed));
}
