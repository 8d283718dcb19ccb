//! The sessions that are live now, and the order to end one. Both ask for the ticket: who is
//! connected from where is not for everybody on this machine.

use std::sync::{Arc, PoisonError};

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Json;
use guard::{Relaxed, SessionFacts, words};
use serde::{Deserialize, Serialize};
use tracing::info;

use super::{Shown, admit};
use crate::tell::last_day;

/// One live session.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SessionView {
    pub(crate) identity: String,
    pub(crate) tenant: String,
    pub(crate) route: String,
    pub(crate) version: String,
    pub(crate) by: String,
    pub(crate) peer: String,
    /// What its TLS is known by (JA4).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tls: Option<String>,
    /// The last day of the exception that let it in, where it needed one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) exception_until: Option<String>,
    /// Nothing is enforced for it: `portcullis mode observe`.
    #[serde(default)]
    pub(crate) observed_only: bool,
    /// Its number in the log.
    pub(crate) session: u64,
}

impl SessionView {
    fn of(session: &SessionFacts, relaxed: &Relaxed) -> SessionView {
        SessionView {
            identity: session.station.to_string(),
            tenant: session.tenant.0.to_string(),
            route: session.route.0.to_string(),
            version: session.version.number().to_owned(),
            by: words::connection(session.kind).to_owned(),
            peer: session.peer.to_string(),
            tls: session.tls.map(|tls| tls.to_string()),
            exception_until: session.exception.as_deref().map(last_day),
            observed_only: relaxed.covers(session),
            session: session.number,
        }
    }
}

/// Whose session to end.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Whose {
    pub(crate) identity: String,
    pub(crate) tenant: String,
}

/// `GET /sessions`
pub(super) async fn list(
    State(shown): State<Arc<Shown>>,
    headers: HeaderMap,
) -> Result<Json<Vec<SessionView>>, StatusCode> {
    admit(&shown, &headers)?;
    let policy = shown.policy.load();
    let relaxed = policy.scopes.relaxed();
    let mut views: Vec<SessionView> = live(&shown)
        .iter()
        .map(|facts| SessionView::of(facts, relaxed))
        .collect();
    views.sort_by(|a, b| (&a.tenant, &a.identity).cmp(&(&b.tenant, &b.identity)));
    Ok(Json(views))
}

/// `POST /sessions/end`: the session is told to end; both its sockets are gone within the time that
/// farewells have.
pub(super) async fn end(
    State(shown): State<Arc<Shown>>,
    headers: HeaderMap,
    Json(whose): Json<Whose>,
) -> Result<Json<SessionView>, StatusCode> {
    admit(&shown, &headers)?;
    let wanted = |facts: &&Arc<SessionFacts>| {
        facts.station.as_str() == whose.identity && *facts.tenant.0 == *whose.tenant
    };
    let sessions = live(&shown);
    let facts = sessions.iter().find(wanted).ok_or(StatusCode::NOT_FOUND)?;
    let gate = shown.gate.read().unwrap_or_else(PoisonError::into_inner);
    let ended = gate
        .as_ref()
        .is_some_and(|gate| gate.end_session(&facts.tenant, &facts.station));
    if !ended {
        return Err(StatusCode::NOT_FOUND);
    }
    info!(
        station = facts.station.as_str(),
        tenant = &*facts.tenant.0,
        session = facts.number,
        "the operator ends this session"
    );
    let (station, number) = (&facts.station, facts.number);
    shown.done("session-end", format!("session {number} of {station}"));
    Ok(Json(SessionView::of(
        facts,
        shown.policy.load().scopes.relaxed(),
    )))
}

fn live(shown: &Shown) -> Vec<Arc<SessionFacts>> {
    let gate = shown.gate.read().unwrap_or_else(PoisonError::into_inner);
    gate.as_ref()
        .map(|gate| gate.sessions())
        .unwrap_or_default()
}
