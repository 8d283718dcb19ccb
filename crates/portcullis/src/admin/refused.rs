//! Releasing a refused message: the gate reads it from its own store, so that the ticket is good for
//! what was kept and for nothing else.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Json;
use gateway::Released;
use guard::{Secret, UnixMillis};
use ocpp::{StationId, Version};
use serde::{Deserialize, Serialize};
use store::{RefusedRow, RefusedStore, Settlement};
use tokio::sync::oneshot;
use tracing::info;

use super::{Shown, admit};
use crate::serve::RefusedDesk;

/// Longer than that whoever asks does not wait; the release goes on.
const PATIENCE: Duration = Duration::from_secs(8);

/// Which message.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Which {
    pub(crate) number: u64,
}

/// What became of it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ReleaseView {
    pub(crate) number: u64,
    /// The CSMS has taken it.
    pub(crate) released: bool,
    /// In words.
    pub(crate) what: String,
}

/// `POST /refused/release`
pub(super) async fn release(
    State(shown): State<Arc<Shown>>,
    headers: HeaderMap,
    Json(which): Json<Which>,
) -> Result<Json<ReleaseView>, StatusCode> {
    admit(&shown, &headers)?;
    let number = which.number;
    let view = |released, what: String| {
        let view = ReleaseView {
            number,
            released,
            what,
        };
        Ok(Json(view))
    };
    let found = shown
        .refused
        .with(move |store| store.refused_message(number))
        .await;
    let found = found.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    let (row, text) = found.ok_or(StatusCode::NOT_FOUND)?;
    let Some(text) = text else {
        let how = row.settled.map_or("settled", |(how, _)| how.name());
        return view(false, format!("it is {how} already"));
    };
    let Some(outcome) = send(&shown, &row, text) else {
        let what = format!(
            "station {} is not connected; try again when it is",
            row.station
        );
        return view(false, what);
    };
    info!(
        number,
        station = row.station,
        action = row.action,
        "the operator releases a refused message"
    );
    let (station, action) = (&row.station, &row.action);
    shown.done(
        "refused-release",
        format!("{action} number {number} of {station}"),
    );
    let settling = tokio::spawn(settle(shown.refused.clone(), number, outcome));
    match tokio::time::timeout(PATIENCE, settling).await {
        Ok(Ok((released, what))) => view(released, what),
        Ok(Err(_)) => Err(StatusCode::INTERNAL_SERVER_ERROR),
        Err(_) => view(
            false,
            "it is under way; `portcullis refused list --all` tells more".to_owned(),
        ),
    }
}

fn send(shown: &Shown, row: &RefusedRow, text: Secret) -> Option<oneshot::Receiver<Released>> {
    let version = Version::from_number(&row.version)?;
    let station = StationId::parse(&row.station, version).ok()?;
    let gate = shown.gate.read().unwrap_or_else(PoisonError::into_inner);
    gate.as_ref()?.release(&row.tenant, &station, text)
}

/// Waits for the CSMS's word, however long that takes, and keeps it.
async fn settle(
    desk: RefusedDesk,
    number: u64,
    outcome: oneshot::Receiver<Released>,
) -> (bool, String) {
    let (released, what) = match outcome.await {
        Ok(Released::Accepted) => (true, "the CSMS has taken it".to_owned()),
        Ok(Released::Error(code)) => {
            let code = code.unwrap_or("a code that is none of OCPP's");
            (
                false,
                format!("the CSMS answered with an error ({code}); it stays open"),
            )
        }
        Ok(Released::Unanswered) => (
            false,
            "the CSMS did not answer in time and may have taken it; it stays open".to_owned(),
        ),
        Ok(Released::NotSent(why)) => (false, format!("it was not sent: {why}")),
        Err(_) => (
            false,
            "the station's session has ended before the CSMS answered; it stays open".to_owned(),
        ),
    };
    info!(number, what, "a released message");
    if !released {
        return (false, what);
    }
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let now = i64::try_from(now.unwrap_or_default().as_millis()).unwrap_or(i64::MAX);
    let settled = desk
        .with(move |store| store.settle(number, Settlement::Released, UnixMillis(now)))
        .await;
    match settled {
        Ok(_) => (true, what),
        Err(error) => (
            true,
            format!("{what}, but that cannot be written down: {error}"),
        ),
    }
}
