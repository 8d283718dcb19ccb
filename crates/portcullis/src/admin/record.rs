//! What a command has done to the record or read from it, recorded by the gate that runs: it alone
//! writes.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Json;
use serde::{Deserialize, Serialize};

use super::{OPERATOR, Shown, admit};

/// What is to be recorded.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ActOrder {
    /// In one word; one of [`ACTS`].
    pub(crate) what: String,
    /// What for and to what, without any identifier.
    pub(crate) details: String,
}

/// What commands do with a record.
pub(crate) const ACTS: [&str; 8] = [
    "look-up",
    "original",
    "export",
    "evidence",
    "erase",
    "hold",
    "release-hold",
    "retention",
];

/// Characters of the details at most.
const DETAILS_CHARS_MAX: usize = 1024;

/// `POST /record/act`: 200 once it is durable; 409 where no record is kept, 503 where it cannot be
/// made durable now.
pub(super) async fn act(
    State(shown): State<Arc<Shown>>,
    headers: HeaderMap,
    Json(order): Json<ActOrder>,
) -> Result<Json<bool>, StatusCode> {
    admit(&shown, &headers)?;
    let recorder = shown.recorder.clone().ok_or(StatusCode::CONFLICT)?;
    let what = ACTS.into_iter().find(|known| *known == order.what);
    let what = what.ok_or(StatusCode::BAD_REQUEST)?;
    if order.details.chars().count() > DETAILS_CHARS_MAX {
        return Err(StatusCode::PAYLOAD_TOO_LARGE);
    }
    match recorder.done_durably(what, OPERATOR, order.details).await {
        true => Ok(Json(true)),
        false => Err(StatusCode::SERVICE_UNAVAILABLE),
    }
}
