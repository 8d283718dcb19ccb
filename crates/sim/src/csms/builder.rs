//! How a CSMS is set up before it starts.

use std::collections::HashMap;
use std::io;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex};

use ocpp::Version;
use rustls::ServerConfig;
use rustls::pki_types::CertificateDer;
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};
use tokio_rustls::TlsAcceptor;

use super::{Admission, Admit, Csms, Handshake, House, listen};
use crate::answers;
use crate::ca::Identity;
use crate::conversation::{Asked, Handler, Reply};
use crate::tls::{self, TlsError};

/// Messages recorded of each conversation unless told otherwise.
const ENTRIES_MAX: usize = 10_000;

/// A CSMS that is yet to start.
pub struct CsmsBuilder {
    tls: Option<Arc<ServerConfig>>,
    versions: Vec<Version>,
    actions: HashMap<String, Handler>,
    otherwise: Handler,
    admit: Admit,
    entries_max: usize,
}

impl CsmsBuilder {
    pub(super) fn new() -> CsmsBuilder {
        CsmsBuilder {
            tls: None,
            versions: Version::ALL.to_vec(),
            actions: HashMap::new(),
            otherwise: answers::csms(),
            admit: Arc::new(|_| Admission::Accept),
            entries_max: ENTRIES_MAX,
        }
    }

    /// Speaks TLS with that certificate; with a client CA it demands a certificate.
    pub fn tls(
        mut self,
        identity: &Identity,
        client_ca: Option<CertificateDer<'static>>,
    ) -> Result<CsmsBuilder, TlsError> {
        self.tls = Some(tls::server(identity, client_ca)?);
        Ok(self)
    }

    /// Speaks these versions only; the station's order decides among them.
    #[must_use]
    pub fn versions(mut self, versions: &[Version]) -> CsmsBuilder {
        self.versions = versions.to_vec();
        self
    }

    /// Answers that action so.
    #[must_use]
    pub fn on(
        mut self,
        action: &str,
        handler: impl Fn(&Asked<'_>) -> Reply + Send + Sync + 'static,
    ) -> CsmsBuilder {
        self.actions.insert(action.to_owned(), Arc::new(handler));
        self
    }

    /// Answers every action without a handler of its own so, in place of [`answers::csms`].
    #[must_use]
    pub fn answering(
        mut self,
        handler: impl Fn(&Asked<'_>) -> Reply + Send + Sync + 'static,
    ) -> CsmsBuilder {
        self.otherwise = Arc::new(handler);
        self
    }

    /// Decides about each handshake.
    #[must_use]
    pub fn admitting(
        mut self,
        admit: impl Fn(&Handshake) -> Admission + Send + Sync + 'static,
    ) -> CsmsBuilder {
        self.admit = Arc::new(admit);
        self
    }

    /// Records at most that many messages of each conversation; with 0 it keeps no handshakes
    /// either, as ten thousand stations want it.
    #[must_use]
    pub fn recording(mut self, entries_max: usize) -> CsmsBuilder {
        self.entries_max = entries_max;
        self
    }

    /// Starts on that address, such as `127.0.0.1:0`.
    pub async fn start(self, address: &str) -> io::Result<Csms> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let scheme = if self.tls.is_some() { "wss" } else { "ws" };
        let (actions, otherwise) = (self.actions, self.otherwise);
        let handler: Handler = Arc::new(move |asked| match actions.get(&asked.call.action) {
            Some(handler) => handler(asked),
            None => otherwise(asked),
        });
        let house = Arc::new(House {
            tls: self.tls.map(TlsAcceptor::from),
            versions: self.versions,
            handler,
            admit: Mutex::new(self.admit),
            entries_max: self.entries_max,
            held: watch::Sender::new(false),
            book: Mutex::default(),
            news: Notify::new(),
            live: AtomicUsize::new(0),
        });
        Ok(Csms {
            listening: tokio::spawn(listen(listener, Arc::clone(&house))),
            house,
            url: format!("{scheme}://localhost:{}/ocpp", address.port()),
            address,
        })
    }
}
