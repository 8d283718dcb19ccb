//! What controls have objected to so far, for the holder of the ticket.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Json;
use tracing::info;

use super::{Shown, admit};
use crate::findings::{Report, lock};

/// `GET /findings`
pub(super) async fn list(
    State(shown): State<Arc<Shown>>,
    headers: HeaderMap,
) -> Result<Json<Report>, StatusCode> {
    admit(&shown, &headers)?;
    let report = lock(&shown.findings).report();
    Ok(Json(report))
}

/// `POST /findings/forget`: how many kinds were known.
pub(super) async fn forget(
    State(shown): State<Arc<Shown>>,
    headers: HeaderMap,
) -> Result<Json<usize>, StatusCode> {
    admit(&shown, &headers)?;
    let kinds = lock(&shown.findings).forget();
    info!(kinds, "the operator begins to count findings anew");
    Ok(Json(kinds))
}
