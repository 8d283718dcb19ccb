//! The 101, and the relay that both wires are handed to.

use std::sync::Arc;

use guard::{Event, RefusedHandshake};
use tokio::io::AsyncWriteExt;
use tokio::time::timeout;

use super::{Arrival, Rejected, refuse};
use crate::counters::count;
use crate::gate::Gate;
use crate::relay::{Opened, Relay};

/// Sends the 101 and hands both wires to a relay; `None` when the station is gone by then.
pub(super) async fn seat(gate: &Arc<Gate>, arrival: Arrival) -> Option<Relay> {
    // Dropped last to first: whatever goes wrong, the seat is free only when the CSMS's socket is gone.
    let Arrival {
        seat,
        csms,
        mut station,
        unread,
        response,
        deflate,
        session,
        book,
    } = arrival;
    let session = Arc::new(session);
    let sent = async {
        station.write_all(&response).await?;
        station.flush().await
    };
    let deadline = gate.settings.limits.head_deadline;
    if !matches!(timeout(deadline, sent).await, Ok(Ok(()))) {
        let station = Some(session.station.clone());
        refuse(
            gate,
            session.peer,
            Rejected {
                station,
                why: RefusedHandshake::Deadline("101"),
                canary: false,
            },
        );
        return None;
    }
    count(&gate.counters.admitted);
    gate.events.tell(Event::Connected {
        at: gate.clock.now(),
        session: Arc::clone(&session),
    });
    let station = Opened {
        wire: station,
        unread,
        deflate,
    };
    let shown = seat.shown();
    let relay = Relay::new(gate, Arc::clone(&session), station, csms, seat, seed());
    // The book and the revocation lists may have changed since they were asked. From here on either
    // this look sees that, or whoever ends sessions by the new ones sees this one.
    let is_revoked = shown.is_some_and(|shown| shown.is_revoked());
    let now = gate.book.load();
    let objection = (!Arc::ptr_eq(&now, &book)).then(|| now.objection(&book, &session));
    if is_revoked || objection.flatten().is_some() {
        gate.live.end(&session.tenant, &session.station);
    }
    Some(relay)
}

/// The key of the session's id hashes: random and never shown. Without randomness TLS would not have
/// come about either; zero only makes ids collide for whoever knows it.
fn seed() -> u64 {
    getrandom::u64().unwrap_or_default()
}
