//! The admin listener: is the process there, can the gate do its work, and the figures. That shows
//! no secret and changes nothing; what does, the sessions, is for the holder of the ticket. It is for
//! this machine alone unless the operator says otherwise.

mod adoption;
pub(crate) mod client;
mod figures;
mod findings;
mod mode;
mod refused;
mod reload;
mod sessions;
mod ticket;
mod upgrade;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Json};
use axum::routing::{get, post};
use guard::Book;
use guard::Policy;
use prometheus_client::registry::Registry;
use serde::Serialize;
use tokio::net::TcpListener;

use crate::findings::SharedFindings;
use crate::health::Finding;
use crate::health::conditions::Conditions;
use crate::recorder::Recorder;
use crate::serve::RefusedDesk;
use crate::serve::orders::Orders;
use crate::serve::upgrade::Upgrades;

pub(crate) use adoption::{NotOpened, Wanted, WindowView};
pub(crate) use figures::{Figures, GateView};
pub(crate) use refused::{ReleaseView, Which};
pub(crate) use reload::HowToReload;
pub(crate) use sessions::{SessionView, Whose};
pub(crate) use ticket::Ticket;

/// What the admin listener shows.
pub(crate) struct Shown {
    /// The state of everything that is watched.
    pub(crate) conditions: Arc<Mutex<Conditions>>,
    /// The figures.
    pub(crate) registry: Registry,
    /// Stations and routes as they are in force.
    pub(crate) routes: Arc<ArcSwap<Book>>,
    /// The gate whose sessions are listed and ended.
    pub(crate) gate: GateView,
    /// Who may do that.
    pub(crate) ticket: Arc<Ticket>,
    /// Refused messages that may be released.
    pub(crate) refused: RefusedDesk,
    /// Where orders are put that change what the gate goes by.
    pub(crate) orders: Orders,
    /// Where a new process is asked for.
    pub(crate) upgrades: Upgrades,
    /// What controls have objected to.
    pub(crate) findings: SharedFindings,
    /// The rules in force.
    pub(crate) policy: Arc<ArcSwap<Policy>>,
    /// Where what the operator does is recorded, where a record is kept.
    pub(crate) recorder: Option<Recorder>,
}

/// Who holds the ticket.
pub(crate) const OPERATOR: &str = "operator";

impl Shown {
    /// Records what the holder of the ticket does.
    fn done(&self, what: &'static str, details: impl Into<String>) {
        if let Some(recorder) = &self.recorder {
            recorder.done(what, OPERATOR, details);
        }
    }
}

/// Listens; the address is told, since the port may have been left open.
pub(crate) fn bind(address: SocketAddr) -> std::io::Result<std::net::TcpListener> {
    let listener = std::net::TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Answers until the process ends.
pub(crate) async fn serve(listener: TcpListener, shown: Arc<Shown>) -> std::io::Result<()> {
    let router = Router::new()
        .route("/healthz", get(async || "alive\n"))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .route("/sessions", get(sessions::list))
        .route("/sessions/end", post(sessions::end))
        .route("/refused/release", post(refused::release))
        .route("/reload", post(reload::reload))
        .route("/findings", get(findings::list))
        .route("/findings/forget", post(findings::forget))
        .route("/mode", post(mode::mode))
        .route("/upgrade", post(upgrade::upgrade))
        .route("/adoption", get(adoption::show))
        .route("/adoption/open", post(adoption::open))
        .route("/adoption/close", post(adoption::close))
        .with_state(shown);
    axum::serve(listener, router).await
}

/// Only the holder of the ticket gets any further.
fn admit(shown: &Shown, headers: &HeaderMap) -> Result<(), StatusCode> {
    let said = headers.get(header::AUTHORIZATION);
    let admitted = said.is_some_and(|said| shown.ticket.admits(said.as_bytes()));
    admitted.then_some(()).ok_or(StatusCode::UNAUTHORIZED)
}

#[derive(Serialize)]
struct Readiness {
    ready: bool,
    /// Why not, and what else should be looked at.
    reasons: Vec<Finding>,
    /// What is as it should be.
    fine: Vec<Finding>,
}

async fn ready(State(shown): State<Arc<Shown>>) -> impl IntoResponse {
    let conditions = shown
        .conditions
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    let (fine, mut reasons): (Vec<Finding>, Vec<Finding>) = conditions
        .all()
        .cloned()
        .partition(|finding| finding.level == crate::health::Level::Ok);
    if !conditions.is_complete() {
        let what = "not everything has been looked at yet";
        reasons.push(Finding::fail("start", what, "Ask again in a moment."));
    }
    let readiness = Readiness {
        ready: conditions.is_ready(),
        reasons,
        fine,
    };
    let status = match readiness.ready {
        true => StatusCode::OK,
        false => StatusCode::SERVICE_UNAVAILABLE,
    };
    (status, Json(readiness))
}

async fn metrics(State(shown): State<Arc<Shown>>) -> impl IntoResponse {
    let mut text = String::new();
    match prometheus_client::encoding::text::encode(&mut text, &shown.registry) {
        Ok(()) => (
            StatusCode::OK,
            [(
                header::CONTENT_TYPE,
                "application/openmetrics-text; version=1.0.0; charset=utf-8",
            )],
            text,
        ),
        Err(_) => (
            StatusCode::INTERNAL_SERVER_ERROR,
            [(header::CONTENT_TYPE, "text/plain")],
            "the figures cannot be written\n".to_owned(),
        ),
    }
}
