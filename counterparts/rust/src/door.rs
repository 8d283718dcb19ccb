//! Where the station knocks, and with which credential.

use std::path::PathBuf;
use std::sync::Arc;

use ocpp_client::rustls::pki_types::pem::PemObject;
use ocpp_client::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use ocpp_client::rustls::{ClientConfig, RootCertStore};
use ocpp_client::{
    ConnectOptions, OcppVersion, ReconnectBehavior, TransportSink, TransportStream,
    websocket_transport,
};
use serde::Deserialize;

use crate::Failure;

/// What the driver tells us on the command line.
#[derive(Deserialize)]
pub(crate) struct Door {
    endpoint: String,
    identity: String,
    pub(crate) protocol: String,
    password: Option<String>,
    ca: Option<PathBuf>,
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
    pub(crate) script: PathBuf,
}

impl Door {
    /// Connects through the library's own plumbing.
    pub(crate) async fn open(
        &self,
    ) -> Result<(Box<dyn TransportSink>, Box<dyn TransportStream>), Failure> {
        let version = match self.protocol.as_str() {
            "ocpp1.6" => OcppVersion::V1_6,
            "ocpp2.0.1" => OcppVersion::V2_0_1,
            _ => OcppVersion::V2_1,
        };
        let options = ConnectOptions {
            username: self.password.is_some().then_some(self.identity.as_str()),
            password: self.password.as_deref().map(str::as_bytes),
            reconnect: ReconnectBehavior::Disabled,
            tls_config: self.tls()?,
            ..ConnectOptions::default()
        };
        let address = format!("{}/{}", self.endpoint, self.identity);
        websocket_transport(&address, version, Some(options)).await
    }

    fn tls(&self) -> Result<Option<Arc<ClientConfig>>, Failure> {
        let Some(ca) = &self.ca else { return Ok(None) };
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_file_iter(ca)? {
            roots.add(certificate?)?;
        }
        let trusting = ClientConfig::builder().with_root_certificates(roots);
        let config = match (&self.certificate, &self.key) {
            (Some(certificate), Some(key)) => trusting.with_client_auth_cert(
                CertificateDer::pem_file_iter(certificate)?.collect::<Result<_, _>>()?,
                PrivateKeyDer::from_pem_file(key)?,
            )?,
            _ => trusting.with_no_client_auth(),
        };
        Ok(Some(Arc::new(config)))
    }
}
