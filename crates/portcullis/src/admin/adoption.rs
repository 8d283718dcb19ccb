//! The adoption window, for the holder of the ticket.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Json, Response};
use guard::admission::Window;
use guard::{Network, Route, Tenant, UnixMillis, UpstreamCredential};
use serde::{Deserialize, Serialize};
use tracing::warn;

use super::{Shown, admit};

/// A window as it is asked for.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Wanted {
    pub(crate) tenant: String,
    pub(crate) minutes: u32,
    pub(crate) networks: Vec<String>,
    pub(crate) count: u32,
    /// The operator knows that the CSMS lets anybody in, and wants it all the same.
    pub(crate) csms_accepts_all: bool,
}

/// The window as it is.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct WindowView {
    pub(crate) open: bool,
    pub(crate) tenant: String,
    /// RFC 3339.
    pub(crate) until: String,
    pub(crate) left: u32,
}

/// Why a window is not opened.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct NotOpened {
    pub(crate) what: String,
    pub(crate) remedy: String,
}

/// `POST /adoption/open`: 200 and the window, or 409 and why not.
pub(super) async fn open(
    State(shown): State<Arc<Shown>>,
    headers: HeaderMap,
    Json(wanted): Json<Wanted>,
) -> Result<Response, StatusCode> {
    admit(&shown, &headers)?;
    let networks: Result<Vec<Network>, _> =
        wanted.networks.iter().map(|text| text.parse()).collect();
    let networks = networks.map_err(|_| StatusCode::BAD_REQUEST)?;
    if let Some(why) = objection(&shown, &wanted).await {
        return Ok((StatusCode::CONFLICT, Json(why)).into_response());
    }
    let minutes = Duration::from_secs(60 * u64::from(wanted.minutes));
    let millis = i64::try_from(minutes.as_millis()).unwrap_or(i64::MAX);
    let until = UnixMillis(
        jiff::Timestamp::now()
            .as_millisecond()
            .saturating_add(millis),
    );
    let tenant = Tenant(Arc::from(wanted.tenant.as_str()));
    let window = Window::new(tenant, until, networks, wanted.count);
    let view = WindowView::of(&window);
    warn!(
        tenant = view.tenant,
        until = view.until,
        count = view.left,
        networks = wanted.networks.join(", "),
        "the operator opens an adoption window: stations that nobody has registered are passed to the CSMS"
    );
    with_gate(&shown, |gate| gate.open_adoption(window)).ok_or(StatusCode::SERVICE_UNAVAILABLE)?;
    let (until, count) = (&view.until, view.left);
    shown.done(
        "adoption-open",
        format!("tenant {}, until {until}, {count} stations", view.tenant),
    );
    Ok(Json(view).into_response())
}

/// `POST /adoption/close`: 200, or 404 where there is none.
pub(super) async fn close(
    State(shown): State<Arc<Shown>>,
    headers: HeaderMap,
) -> Result<Json<()>, StatusCode> {
    admit(&shown, &headers)?;
    let closed = with_gate(&shown, gateway::Gateway::close_adoption).unwrap_or(false);
    if !closed {
        return Err(StatusCode::NOT_FOUND);
    }
    shown.done("adoption-close", "");
    Ok(Json(()))
}

/// `GET /adoption`: the window, or `null`.
pub(super) async fn show(
    State(shown): State<Arc<Shown>>,
    headers: HeaderMap,
) -> Result<Json<Option<WindowView>>, StatusCode> {
    admit(&shown, &headers)?;
    let window = with_gate(&shown, gateway::Gateway::adoption).flatten();
    Ok(Json(window.as_ref().map(WindowView::of)))
}

impl WindowView {
    fn of(window: &Window) -> WindowView {
        let now = UnixMillis(jiff::Timestamp::now().as_millisecond());
        let until = jiff::Timestamp::from_millisecond(window.until().0);
        WindowView {
            open: window.is_open(now),
            tenant: window.tenant().0.to_string(),
            until: until.map(|until| until.to_string()).unwrap_or_default(),
            left: window.left(),
        }
    }
}

/// What speaks against it: there is nothing to learn where the CSMS is not shown the station's own
/// password, or lets anybody in.
async fn objection(shown: &Shown, wanted: &Wanted) -> Option<NotOpened> {
    let no = |what: String, remedy: &str| {
        let remedy = remedy.to_owned();
        Some(NotOpened { what, remedy })
    };
    let routes: Vec<Route> = shown.routes.load().routes().cloned().collect();
    let forwarding = routes.into_iter().filter(|route| {
        *route.tenant.0 == *wanted.tenant && matches!(route.credential, UpstreamCredential::Forward)
    });
    let forwarding: Vec<Route> = forwarding.collect();
    if forwarding.is_empty() {
        let what = format!(
            "no route of tenant {} shows the CSMS the station's own password",
            wanted.tenant
        );
        return no(
            what,
            "Only credential = \"forward\" lets the CSMS decide; import the stations otherwise.",
        );
    }
    if wanted.csms_accepts_all {
        return None;
    }
    for route in forwarding {
        let id = route.id.0.to_string();
        let Some(asking) = with_gate(shown, |gate| gate.lets_anybody_in(route)) else {
            return no(
                "the gate is closing".to_owned(),
                "Ask again when it is open.",
            );
        };
        match asking.await {
            Ok(false) => {}
            Ok(true) => {
                let what = format!(
                    "the CSMS of route {id} let in a station that there is not: its 101 teaches nothing"
                );
                return no(
                    what,
                    "Import the stations with their passwords. If whoever comes in that time may be registered all the same: --csms-accepts-all",
                );
            }
            Err(why) => {
                let what = format!("the CSMS of route {id} cannot be asked: {why}");
                return no(what, "See `portcullis doctor`.");
            }
        }
    }
    None
}

fn with_gate<T>(shown: &Shown, act: impl FnOnce(&gateway::Gateway) -> T) -> Option<T> {
    let gate = shown.gate.read().unwrap_or_else(PoisonError::into_inner);
    gate.as_ref().map(act)
}
