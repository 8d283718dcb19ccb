//! TLS at both ends: what stations are offered, and how we come to the CSMS.
//!
//! rustls with aws-lc-rs: TLS 1.3 and 1.2 with forward secrecy. OCPP 2.0.1 A00.FR.318 (1.6 security
//! extension A00.FR.317) also asks a CSMS for TLS_RSA_WITH_AES_*_GCM, and 1.6 lets old stations use
//! TLS 1.0 and 1.1; neither is offered here, and the guide says so.

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;

use guard::Secret;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{
    ClientHello, ProducesTickets, ResolvesServerCert, StoresServerSessions, WebPkiClientVerifier,
};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, PeerIncompatible, RootCertStore, ServerConfig};

use crate::settings::{PemIdentity, TlsSettings, UpstreamSettings};

/// Why TLS could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A PEM text does not hold what it should.
    #[error("{what}: {why}")]
    Pem {
        /// Which of them.
        what: &'static str,
        /// What the parser says.
        why: String,
    },
    /// Key and certificate do not belong together, or rustls cannot use them.
    #[error("certificate and key: {0}")]
    Identity(rustls::Error),
    /// No certificate to show.
    #[error("a TLS listener needs at least one certificate")]
    NoIdentity,
    /// The client CA cannot be used.
    #[error("client CA: {0}")]
    ClientCa(String),
    /// Anything else rustls objects to.
    #[error(transparent)]
    Rustls(#[from] rustls::Error),
}

/// What rustls says when the resolver of certificates, which looks at the suites, gives none.
const NO_CERTIFICATE_SUITS: &str = "no server certificate chain resolved";
/// What the operator is told of such a station.
const NO_SUITE: &str =
    "it has no cipher suite with forward secrecy that we have (old ones: TLS_RSA, CBC)";

/// Why TLS with a station did not come about. Some stations can do no better than what we do not
/// offer: the operator is to recognise them in the log.
pub(crate) fn in_words(error: &io::Error) -> String {
    let inner = error.get_ref();
    let told = match inner.and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        // Who names no signature schemes has not heard of TLS 1.2 (RFC 5246, 7.4.1.4.1).
        Some(rustls::Error::PeerIncompatible(
            PeerIncompatible::Tls12NotOffered
            | PeerIncompatible::Tls12NotOfferedOrEnabled
            | PeerIncompatible::SignatureAlgorithmsExtensionRequired,
        )) => "it can do no better than TLS 1.1, and 1.2 is the least here",
        // Our choice of a certificate comes first, and finds none for such suites either.
        Some(rustls::Error::PeerIncompatible(PeerIncompatible::NoCipherSuitesInCommon)) => NO_SUITE,
        Some(rustls::Error::General(what)) if what == NO_CERTIFICATE_SUITS => NO_SUITE,
        _ => return error.to_string(),
    };
    told.to_owned()
}

/// What stations are offered on one listener. Resumption: a ticket holds the session itself, sealed
/// under keys that change every 6 hours and open tickets for at most 12, so a fleet of any size costs
/// no memory; TLS 1.2 stations without tickets take a place among `tls12_sessions_max`. What a resumed
/// session says about the station's certificate is old: admission asks again each time.
pub(crate) fn server_config(
    settings: &TlsSettings,
    tls12_sessions_max: usize,
    resumption: Option<Resumption>,
) -> Result<Arc<ServerConfig>, TlsError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?;
    let builder = match &settings.client_ca {
        None => builder.with_no_client_auth(),
        Some(pem) => {
            let roots = Arc::new(roots("client CA", pem)?);
            // A listener with a client CA still lets stations in that authenticate by password:
            // which of the two a station must show is its registration's to say, not TLS's.
            let verifier =
                WebPkiClientVerifier::builder_with_provider(roots, Arc::clone(&provider))
                    .allow_unauthenticated()
                    .build()
                    .map_err(|error| TlsError::ClientCa(error.to_string()))?;
            builder.with_client_cert_verifier(verifier)
        }
    };
    let mut config = builder.with_cert_resolver(Arc::new(SideBySide::new(settings, &provider)?));
    let Resumption { tickets, by_number } = match resumption {
        Some(resumption) => resumption,
        None => Resumption {
            tickets: aws_lc_rs::Ticketer::new()?,
            by_number: rustls::server::ServerSessionMemoryCache::new(tls12_sessions_max),
        },
    };
    config.ticketer = tickets;
    config.session_storage = by_number;
    // One ticket is what a station uses to come back; a second costs CPU on every connection.
    config.send_tls13_tickets = 1;
    Ok(Arc::new(config))
}

/// What makes a station's earlier TLS session one that can be resumed.
pub(crate) struct Resumption {
    tickets: Arc<dyn ProducesTickets>,
    by_number: Arc<dyn StoresServerSessions>,
}

impl Resumption {
    /// That of a listener, for the one in its place: a fleet that comes back need not begin anew.
    pub(crate) fn of(config: &ServerConfig) -> Resumption {
        Resumption {
            tickets: Arc::clone(&config.ticketer),
            by_number: Arc::clone(&config.session_storage),
        }
    }
}

/// The certificates of a PEM text, as sets are compared.
pub(crate) fn certificates(pem: &[u8]) -> Result<BTreeSet<Vec<u8>>, TlsError> {
    let certificates = CertificateDer::pem_slice_iter(pem);
    certificates
        .map(|certificate| {
            let certificate = certificate.map_err(|error| TlsError::Pem {
                what: "client CA",
                why: error.to_string(),
            })?;
            Ok(certificate.to_vec())
        })
        .collect()
}

/// How we come to a CSMS by `wss`.
pub(crate) fn client_config(settings: &UpstreamSettings) -> Result<Arc<ClientConfig>, TlsError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let roots = match &settings.ca {
        Some(pem) => roots("upstream CA", pem)?,
        None => system_roots(),
    };
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?
        .with_root_certificates(roots);
    let config = match &settings.identity {
        None => builder.with_no_client_auth(),
        Some(identity) => {
            let (chain, key) = read_identity(identity)?;
            builder
                .with_client_auth_cert(chain, key)
                .map_err(TlsError::Identity)?
        }
    };
    Ok(Arc::new(config))
}

/// The certificate authorities this machine trusts; what cannot be read of them is left out.
fn system_roots() -> RootCertStore {
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    store
}

fn roots(what: &'static str, pem: &[u8]) -> Result<RootCertStore, TlsError> {
    let wrong = |why: String| TlsError::Pem { what, why };
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|error| wrong(error.to_string()))?;
        store
            .add(certificate)
            .map_err(|error| wrong(error.to_string()))?;
    }
    if store.is_empty() {
        return Err(wrong("no certificate in it".to_owned()));
    }
    Ok(store)
}

type Identity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

fn read_identity(identity: &PemIdentity) -> Result<Identity, TlsError> {
    let chain = CertificateDer::pem_slice_iter(&identity.chain)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| TlsError::Pem {
            what: "certificate chain",
            why: error.to_string(),
        })?;
    let key = private_key(&identity.key)?;
    Ok((chain, key))
}

fn private_key(pem: &Secret) -> Result<PrivateKeyDer<'static>, TlsError> {
    PrivateKeyDer::from_pem_slice(pem.expose()).map_err(|error| TlsError::Pem {
        what: "private key",
        why: error.to_string(),
    })
}

/// Several certificates on one listener: the first whose key can sign what the station verifies.
#[derive(Debug)]
struct SideBySide(Vec<Arc<CertifiedKey>>);

impl SideBySide {
    fn new(settings: &TlsSettings, provider: &CryptoProvider) -> Result<SideBySide, TlsError> {
        let mut keys = Vec::with_capacity(settings.identities.len());
        for identity in &settings.identities {
            let (chain, key) = read_identity(identity)?;
            let key = CertifiedKey::from_der(chain, key, provider).map_err(TlsError::Identity)?;
            keys.push(Arc::new(key));
        }
        if keys.is_empty() {
            Err(TlsError::NoIdentity)
        } else {
            Ok(SideBySide(keys))
        }
    }
}

impl ResolvesServerCert for SideBySide {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let schemes = hello.signature_schemes();
        self.0
            .iter()
            .find(|key| key.key.choose_scheme(schemes).is_some())
            .cloned()
    }
}
