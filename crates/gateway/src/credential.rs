//! What a station shows, held against what its registration says it must show.

use std::sync::{Arc, PoisonError};

use guard::admission::{
    self, Admitted, Basic, Circumstances, Claim, ExceptionFault, Offered, Prepared, Standing,
    Transport,
};
use guard::attempts::{Attempt, AttemptLimit, Guess, Source, Who};
use guard::{Book, RefusedHandshake, Route, Secret};
use ocpp::StationId;
use tokio::time::timeout;

use crate::change;
use crate::gate::Gate;
use crate::http::{self, Authorization, RequestHead};

/// Everything the handshake claims, as admission wants it.
pub(crate) fn claim(
    route: &Route,
    station: &StationId,
    transport: Transport,
    circumstances: Circumstances,
    head: &RequestHead,
) -> Result<Claim, RefusedHandshake> {
    Ok(Claim {
        tenant: route.tenant.clone(),
        station: station.clone(),
        transport,
        basic: basic(&head.credential)?,
        offered: Offered::read(head.subprotocols.iter().map(String::as_str)),
        circumstances,
    })
}

/// Checks the claim, unless too many failed before it. A slow hash runs on a blocking thread, few at
/// a time; a password that passed one before is known again without it.
pub(crate) async fn check(
    gate: &Arc<Gate>,
    book: &Book,
    claim: Claim,
    shown: Option<&Secret>,
) -> Result<Admitted, RefusedHandshake> {
    let who = Who::of(&claim.tenant, &claim.station, &gate.verifier_key);
    let peer = claim.circumstances.peer;
    let standing = Standing {
        book,
        exceptions: &gate.settings.exceptions,
        key: &gate.verifier_key,
        now: gate.clock.wall(),
    };
    let changing = change::standing(gate, book, &claim, shown);
    let mut prepared = admission::prepare_changing(claim, &changing, &standing)?;
    let Some(guess) = prepared.guess() else {
        return prepared.check(&gate.verifier_key);
    };
    let guesser = Guesser {
        source: Source::of(peer),
        who,
        guess,
        open: prepared.is_open(),
    };
    if prepared.needs_slow_hash() {
        gate.verified
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .recall(&mut prepared);
    }
    if prepared.needs_slow_hash() {
        return check_slowly(gate, prepared, &guesser).await;
    }
    let attempt = guesser.begin(gate)?;
    let outcome = prepared.check(&gate.verifier_key);
    guesser.conclude(gate, attempt, outcome)
}

async fn check_slowly(
    gate: &Arc<Gate>,
    prepared: Prepared,
    guesser: &Guesser,
) -> Result<Admitted, RefusedHandshake> {
    // Twice: whoever may not be checked must not stand in the queue, and of those in the queue at
    // once only as many count as are checked.
    guesser.may(gate)?;
    let key = Arc::clone(&gate.verifier_key);
    let waiting = timeout(
        gate.settings.limits.hash_deadline,
        gate.slow_hashes.acquire(),
    );
    let Ok(Ok(_turn)) = waiting.await else {
        return Err(RefusedHandshake::Deadline("hash_deadline"));
    };
    let attempt = guesser.begin(gate)?;
    let outcome = tokio::task::spawn_blocking(move || prepared.check(&key))
        .await
        .map_err(|_| RefusedHandshake::Limit("hashing thread"))?;
    let admitted = guesser.conclude(gate, attempt, outcome)?;
    gate.verified
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .learn(&admitted);
    Ok(admitted)
}

/// Somebody who shows a password, or nothing where nothing may do.
struct Guesser {
    source: Source,
    who: Who,
    guess: Guess,
    /// It has nothing to show.
    open: bool,
}

impl Guesser {
    fn may(&self, gate: &Gate) -> Result<(), RefusedHandshake> {
        let now = gate.clock.now();
        let may = gate.attempts().may(now, self.source, self.who, self.guess);
        may.map_err(RefusedHandshake::TooManyAttempts)
    }

    fn begin(&self, gate: &Gate) -> Result<Attempt, RefusedHandshake> {
        let now = gate.clock.now();
        let begun = gate
            .attempts()
            .begin(now, self.source, self.who, self.guess);
        begun.map_err(RefusedHandshake::TooManyAttempts)
    }

    /// Tells what came of an attempt. Whoever is over a limit and wrong hears what it would have heard
    /// without a check.
    fn conclude(
        &self,
        gate: &Gate,
        attempt: Attempt,
        outcome: Result<Admitted, RefusedHandshake>,
    ) -> Result<Admitted, RefusedHandshake> {
        let proved = match &outcome {
            // These two are only said to a station that has proved itself.
            Ok(_) | Err(RefusedHandshake::NoVersion | RefusedHandshake::BadIdentity) => true,
            // Of who shows nothing, all but the last day must have fitted.
            Err(RefusedHandshake::Exception(fault)) => {
                !self.open || *fault == ExceptionFault::Expired
            }
            Err(_) => false,
        };
        let over: Option<AttemptLimit> = match proved {
            true => {
                gate.attempts().succeeded(gate.clock.now(), attempt);
                None
            }
            false => gate.attempts().failed(attempt),
        };
        match over {
            Some(limit) => Err(RefusedHandshake::TooManyAttempts(limit)),
            None => outcome,
        }
    }
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

/// The password that was shown, if one was.
pub(crate) fn password(credential: &http::Offered) -> Option<&Secret> {
    match credential {
        http::Offered::Basic(basic) => Some(&basic.password),
        http::Offered::Nothing | http::Offered::Unreadable => None,
    }
}

/// The header as it came, for a route that passes it on.
pub(crate) fn authorization(credential: &http::Offered) -> Option<&Authorization> {
    match credential {
        http::Offered::Basic(basic) => Some(&basic.authorization),
        http::Offered::Nothing | http::Offered::Unreadable => None,
    }
}
