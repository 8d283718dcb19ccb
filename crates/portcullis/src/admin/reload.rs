//! The order to read everything anew, for the holder of the ticket.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Json, Response};
use serde::{Deserialize, Serialize};

use super::{Shown, admit};
use crate::serve::orders::Reload;

/// How to reload.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct HowToReload {
    /// Also where many sessions end.
    pub(crate) force: bool,
}

/// `POST /reload`: 200 and what has changed, 422 and what is wrong, or 409 and whom it would end.
pub(super) async fn reload(
    State(shown): State<Arc<Shown>>,
    headers: HeaderMap,
    Json(how): Json<HowToReload>,
) -> Result<Response, StatusCode> {
    admit(&shown, &headers)?;
    let outcome = shown.orders.reload(how.force).await;
    Ok(match outcome.ok_or(StatusCode::SERVICE_UNAVAILABLE)? {
        Reload::Done(done) => Json(done).into_response(),
        Reload::Wrong(problems) => {
            (StatusCode::UNPROCESSABLE_ENTITY, Json(problems)).into_response()
        }
        Reload::Unconfirmed(ended) => (StatusCode::CONFLICT, Json(ended)).into_response(),
    })
}
