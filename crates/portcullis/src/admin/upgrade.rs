//! The order to have a new process take this one's place, for the holder of the ticket.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Json, Response};

use super::{Shown, admit};
use crate::Exit;

/// `POST /upgrade`: 200 and the new process, or what is wrong: 409 where something must be decided
/// first, 500 else.
pub(super) async fn upgrade(
    State(shown): State<Arc<Shown>>,
    headers: HeaderMap,
) -> Result<Response, StatusCode> {
    admit(&shown, &headers)?;
    let outcome = shown.upgrades.upgrade().await;
    Ok(match outcome.ok_or(StatusCode::SERVICE_UNAVAILABLE)? {
        Ok(upgraded) => Json(upgraded).into_response(),
        Err(failure) => {
            let status = match failure.exit {
                Exit::Conflict => StatusCode::CONFLICT,
                _ => StatusCode::INTERNAL_SERVER_ERROR,
            };
            (status, Json(failure.problems)).into_response()
        }
    })
}
