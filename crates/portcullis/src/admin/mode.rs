//! The way back, for the holder of the ticket.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Json, Response};

use super::{Shown, admit};
use crate::serve::orders::ModeOrder;

/// `POST /mode`: 200 and how it is, or 404 and the station that nobody has.
pub(super) async fn mode(
    State(shown): State<Arc<Shown>>,
    headers: HeaderMap,
    Json(order): Json<ModeOrder>,
) -> Result<Response, StatusCode> {
    admit(&shown, &headers)?;
    let outcome = shown.orders.mode(order).await;
    Ok(match outcome.ok_or(StatusCode::SERVICE_UNAVAILABLE)? {
        Ok(view) => Json(view).into_response(),
        Err(refused) => (StatusCode::NOT_FOUND, Json(refused)).into_response(),
    })
}
