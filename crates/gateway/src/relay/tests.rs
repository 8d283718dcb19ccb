//! A panic of ours ends one session, tells so, and frees the seat.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use guard::{Book, Closing, ConnectionKind, Event, Policy, RouteId, SessionFacts, StationRecord};
use guard::{Tenant, VerifierKey};
use ocpp::{StationId, Version};

use super::Farewell;
use crate::gate::{Gate, Shared};
use crate::live::Patience;
use crate::settings::Settings;
use crate::{EventReceiver, event_queue};

fn gate() -> (Arc<Gate>, EventReceiver) {
    let (events, receiver) = event_queue(16, true);
    let book = Book::new([], Vec::<StationRecord>::new()).unwrap();
    let shared = Shared::new(
        Arc::new(ArcSwap::from_pointee(book)),
        Arc::new(ArcSwap::from_pointee(Policy::default())),
        events,
        Arc::new(VerifierKey::new([0; 32])),
    );
    let gate = Gate::new(Settings::default(), shared).unwrap();
    (Arc::new(gate), receiver)
}

fn session(name: &str) -> Arc<SessionFacts> {
    Arc::new(SessionFacts {
        number: 1,
        station: StationId::parse(name, Version::V16).unwrap(),
        tenant: Tenant(Arc::from("cpo")),
        route: RouteId(Arc::from("main")),
        version: Version::V16,
        kind: ConnectionKind::TlsBasic,
        peer: "127.0.0.1:1".parse().unwrap(),
        tls: None,
        exception: None,
    })
}

#[tokio::test]
async fn a_panic_ends_one_session_and_is_told() {
    let (gate, events) = gate();
    let key = |session: &SessionFacts| (session.tenant.clone(), session.station.clone());
    let (broken, sound) = (session("CP1"), session("CP2"));
    let take = async |session: &SessionFacts| {
        let patience = Patience {
            takeover: Duration::from_secs(5),
            pause: Duration::ZERO,
        };
        gate.live.take(key(session), session.peer, patience).await
    };
    let seat = take(&broken).await.unwrap();
    let _other = take(&sound).await.unwrap();
    let farewell = Farewell {
        gate: Arc::clone(&gate),
        session: Arc::clone(&broken),
        how: Closing::Idle,
    };
    let task = tokio::spawn(async move {
        let _held = (farewell, seat);
        tokio::task::yield_now().await;
        panic!("a bug of ours");
    });
    assert!(task.await.unwrap_err().is_panic());
    let told = events.take();
    let Some(Event::Disconnected { session, how, .. }) = told.iter().next().map(|(event, _)| event)
    else {
        panic!("nothing was told");
    };
    assert_eq!((session.number, how), (1, &Closing::Panic));
    assert_eq!(gate.counters.snapshot().panicked, 1);
    assert_eq!(gate.live.len(), 1, "the other session keeps its seat");
    assert!(take(&broken).await.is_ok(), "the seat is free again");
}
