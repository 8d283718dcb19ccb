//! How a refused peer leaves: a status and no reason, at our pace and within a deadline.

use std::net::SocketAddr;
use std::time::Duration;

use guard::RefusedHandshake;
use guard::attempts::Source;
use tokio::io::AsyncWriteExt;
use tokio::time::timeout;

use crate::counters::count;
use crate::gate::Gate;
use crate::http::Status;
use crate::wire::Wire;

/// Whoever is over a limit waits for its refusal, as long as there is room to wait.
pub(super) async fn hold_back(gate: &Gate, peer: SocketAddr) {
    count(&gate.counters.throttled);
    let Ok(_place) = gate.held_back.try_acquire() else {
        return;
    };
    let source = Source::of(peer.ip());
    let delay = gate.attempts().delay(gate.clock.now(), source);
    tokio::time::sleep(delay).await;
}

/// What the peer hears: one status for everything that would tell an identity from a password. Who
/// is too slow to ask hears nothing.
pub(super) fn status(why: &RefusedHandshake) -> Option<Status> {
    match why {
        RefusedHandshake::NoRoute => Some(Status::NotFound),
        RefusedHandshake::NoCredential
        | RefusedHandshake::Unauthorized
        | RefusedHandshake::Certificate(_)
        | RefusedHandshake::Exception(_)
        | RefusedHandshake::UserNotIdentity
        | RefusedHandshake::WeakPassword(_)
        | RefusedHandshake::Canary
        | RefusedHandshake::BadIdentity => Some(Status::Unauthorized),
        RefusedHandshake::TooManyAttempts(_) => Some(Status::TooManyRequests),
        RefusedHandshake::AlreadyConnected
        | RefusedHandshake::SessionAlive { .. }
        | RefusedHandshake::Upstream(_)
        | RefusedHandshake::Deadline("hash_deadline")
        | RefusedHandshake::Limit(_) => Some(Status::ServiceUnavailable),
        RefusedHandshake::BadRequest(_) | RefusedHandshake::NoVersion => Some(Status::BadRequest),
        RefusedHandshake::Deadline(_)
        | RefusedHandshake::ProxyHeader(_)
        | RefusedHandshake::Tls(_) => None,
    }
}

/// How long a refused peer gets to take its answer.
const SEND_OFF: Duration = Duration::from_secs(2);

pub(super) async fn send_off(wire: &mut Wire, answer: Option<Vec<u8>>) {
    let Some(answer) = answer else { return };
    let sending = async {
        wire.write_all(&answer).await?;
        wire.shutdown().await
    };
    let _ = timeout(SEND_OFF, sending).await;
}
