//! What a station shows, held against what its registration says it must show.

use std::sync::{Arc, PoisonError};

use guard::admission::{self, Admitted, Basic, Claim, Offered, Transport};
use guard::{Book, RefusedHandshake, Route};
use ocpp::StationId;
use tokio::time::timeout;

use crate::gate::Gate;
use crate::http::{self, Authorization, RequestHead};

/// Everything the handshake claims, as admission wants it.
pub(crate) fn claim(
    route: &Route,
    station: &StationId,
    transport: Transport,
    head: &RequestHead,
) -> Result<Claim, RefusedHandshake> {
    Ok(Claim {
        tenant: route.tenant.clone(),
        station: station.clone(),
        transport,
        basic: basic(&head.credential)?,
        offered: Offered::read(head.subprotocols.iter().map(String::as_str)),
    })
}

/// Checks the claim. A slow hash runs on a blocking thread, few at a time; a password that passed
/// one before is known again without it.
pub(crate) async fn check(
    gate: &Arc<Gate>,
    book: &Book,
    claim: Claim,
) -> Result<Admitted, RefusedHandshake> {
    let mut prepared = admission::prepare(claim, book, &gate.verifier_key)?;
    if !prepared.needs_slow_hash() {
        return prepared.check(&gate.verifier_key);
    }
    gate.verified
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .recall(&mut prepared);
    if !prepared.needs_slow_hash() {
        return prepared.check(&gate.verifier_key);
    }
    let key = Arc::clone(&gate.verifier_key);
    let waiting = timeout(
        gate.settings.limits.hash_deadline,
        gate.slow_hashes.acquire(),
    );
    let Ok(Ok(_turn)) = waiting.await else {
        return Err(RefusedHandshake::Deadline("hash_deadline"));
    };
    let admitted = tokio::task::spawn_blocking(move || prepared.check(&key))
        .await
        .map_err(|_| RefusedHandshake::Limit("hashing thread"))??;
    gate.verified
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .learn(&admitted);
    Ok(admitted)
}

fn basic(credential: &http::Offered) -> Result<Option<Basic>, RefusedHandshake> {
    match credential {
        http::Offered::Nothing => Ok(None),
        http::Offered::Unreadable => Err(RefusedHandshake::NoCredential),
        http::Offered::Basic(basic) => {
            Ok(Some(Basic::new(basic.user.clone(), basic.password.clone())))
        }
    }
}

/// The header as it came, for a route that passes it on.
pub(crate) fn authorization(credential: &http::Offered) -> Option<&Authorization> {
    match credential {
        http::Offered::Basic(basic) => Some(&basic.authorization),
        http::Offered::Nothing | http::Offered::Unreadable => None,
    }
}
