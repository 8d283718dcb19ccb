//! Who gets a place that is taken.

use std::future::poll_fn;
use std::task::Poll;

use super::*;
use guard::{ConnectionKind, RouteId};
use ocpp::Version;

const PATIENCE: Patience = Patience {
    takeover: Duration::from_secs(15),
    pause: Duration::from_secs(1),
};
/// Where the second one comes from.
const NEWCOMER: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 2);

fn key() -> Key {
    let station = StationId::parse("CP1", Version::V16).unwrap();
    (Tenant(Arc::from("cpo")), station)
}

fn session() -> Arc<SessionFacts> {
    let (tenant, station) = key();
    Arc::new(SessionFacts {
        number: 1,
        station,
        tenant,
        route: RouteId(Arc::from("main")),
        version: Version::V16,
        kind: ConnectionKind::TlsBasic,
        peer: "127.0.0.1:1".parse().unwrap(),
        tls: None,
        exception: None,
    })
}

async fn take(live: &Arc<Live>) -> Result<Seat, Taken> {
    live.take(key(), NEWCOMER, PATIENCE).await
}

/// A place whose relay runs.
async fn seated(live: &Arc<Live>) -> Seat {
    let seat = take(live).await.unwrap();
    seat.sit(session());
    seat
}

/// Waits until somebody asks, as a relay does.
async fn asked(seat: &mut Seat) -> Box<Question> {
    poll_fn(|context| {
        seat.watch(context.waker());
        match seat.has_orders().then(|| seat.question()).flatten() {
            Some(question) => Poll::Ready(question),
            None => Poll::Pending,
        }
    })
    .await
}

#[tokio::test(start_paused = true)]
async fn two_arrivals_of_one_station_do_not_both_get_in() {
    let live = Arc::new(Live::default());
    let first = take(&live).await.unwrap();
    assert_eq!(take(&live).await.err(), Some(Taken::Arriving));
    drop(first);
    assert!(take(&live).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_session_that_answers_keeps_its_place_and_is_not_asked_again_at_once() {
    let live = Arc::new(Live::default());
    let mut old = seated(&live).await;
    let relay = async {
        let question = asked(&mut old).await;
        assert_eq!(question.newcomer, NEWCOMER);
        old.alive(*question);
    };
    let (refused, ()) = tokio::join!(take(&live), relay);
    assert_eq!(refused.err(), Some(Taken::Alive(session().peer)));
    // Nobody answers now, and nobody is asked.
    let refused = take(&live).await.err();
    assert_eq!(refused, Some(Taken::Alive(session().peer)));
    assert!(!old.has_orders());
    tokio::time::advance(PATIENCE.pause).await;
    let (refused, ()) = tokio::join!(take(&live), async {
        let question = asked(&mut old).await;
        old.alive(*question);
    });
    assert_eq!(refused.err(), Some(Taken::Alive(session().peer)));
    assert!(!old.told_to_end());
}

#[tokio::test(start_paused = true)]
async fn a_session_that_gives_no_sign_is_awaited_and_its_late_end_touches_nobody() {
    let live = Arc::new(Live::default());
    let mut old = seated(&live).await;
    let relay = async {
        drop(asked(&mut old).await);
        tokio::time::sleep(Duration::from_secs(3)).await;
        assert_eq!(live.len(), 1, "the newcomer waits for the end");
        // It is gone, and yet something of it is dropped once more, later.
        let late = Seat {
            live: Arc::clone(&old.live),
            key: key(),
            place: Arc::clone(&old.place),
            watched_by: None,
        };
        drop(old);
        late
    };
    let (newcomer, late) = tokio::join!(take(&live), relay);
    let newcomer = newcomer.unwrap();
    drop(late);
    assert_eq!(live.len(), 1, "the newcomer keeps its place");
    drop(newcomer);
    assert_eq!(live.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_station_that_is_connected_elsewhere_is_awaited_and_not_counted() {
    let live = Arc::new(Live::default());
    live.keep_for_others([key()]);
    assert_eq!((live.len(), live.keys()), (0, vec![]));
    let release = async {
        tokio::time::sleep(Duration::from_secs(3)).await;
        assert_eq!(live.len(), 0, "the newcomer waits");
        live.let_go([key()]);
    };
    let (newcomer, ()) = tokio::join!(take(&live), release);
    assert_eq!(live.keys(), [key()]);
    // Who is here already is not elsewhere.
    live.keep_for_others([key()]);
    live.let_all_go();
    assert_eq!(live.len(), 1);
    drop(newcomer.unwrap());

    live.keep_for_others([key()]);
    assert_eq!(take(&live).await.err(), Some(Taken::WillNotLeave));
    live.let_all_go();
    assert!(take(&live).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn one_takeover_at_a_time() {
    let live = Arc::new(Live::default());
    let mut old = seated(&live).await;
    let other = async {
        let question = asked(&mut old).await;
        assert_eq!(take(&live).await.err(), Some(Taken::Arriving), "at once");
        old.alive(*question);
    };
    let (refused, ()) = tokio::join!(take(&live), other);
    assert_eq!(refused.err(), Some(Taken::Alive(session().peer)));
}

#[tokio::test(start_paused = true)]
async fn who_neither_answers_nor_leaves_keeps_the_place() {
    let live = Arc::new(Live::default());
    let old = seated(&live).await;
    assert_eq!(take(&live).await.err(), Some(Taken::WillNotLeave));
    // The question was for somebody who no longer waits.
    assert!(old.has_orders() && old.question().is_none() && !old.has_orders());
    // A session that is told to end, and takes its time, is awaited.
    drop(asked_by_nobody(&live, old).await);
}

/// Ends the session in time for whoever asks next.
async fn asked_by_nobody(live: &Arc<Live>, old: Seat) -> Seat {
    let (tenant, station) = key();
    assert!(live.end(&tenant, &station));
    let leaving = async {
        tokio::time::sleep(Duration::from_secs(4)).await;
        assert!(old.told_to_end());
        drop(old);
    };
    let (newcomer, ()) = tokio::join!(take(live), leaving);
    newcomer.unwrap()
}
