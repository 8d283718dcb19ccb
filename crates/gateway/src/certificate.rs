//! A station's certificate, as admission and the CSMS want to know it.

use aws_lc_rs::digest;
use guard::admission::ClientCertificate;
use x509_parser::prelude::{FromDer, X509Certificate};

/// A client certificate whose key the station has proved to hold.
pub(crate) struct PeerCertificate {
    pub(crate) der: Vec<u8>,
    pub(crate) fingerprint: [u8; 32],
    common_name: Option<String>,
}

impl PeerCertificate {
    /// Reads the leaf that TLS has verified against the listener's client CA.
    pub(crate) fn read(der: &[u8]) -> PeerCertificate {
        let mut fingerprint = [0; 32];
        fingerprint.copy_from_slice(digest::digest(&digest::SHA256, der).as_ref());
        PeerCertificate {
            der: der.to_vec(),
            fingerprint,
            common_name: common_name(der),
        }
    }

    /// What admission compares. rustls has built the chain to the client CA before it hands out a
    /// certificate; without one there would be no connection.
    pub(crate) fn claim(&self) -> ClientCertificate {
        ClientCertificate {
            fingerprint: self.fingerprint,
            common_name: self.common_name.clone(),
            chain_verified: true,
        }
    }
}

/// The subject's common name, if there is exactly one: two of them would let two readers disagree.
fn common_name(der: &[u8]) -> Option<String> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    let mut names = certificate.subject().iter_common_name();
    let name = names.next()?.as_str().ok()?.to_owned();
    names.next().is_none().then_some(name)
}
