//! A CA for one scene: the gate's two certificates, and stations' client certificates.

use std::sync::Arc;

use gateway::{PemIdentity, TlsSettings};
use guard::Secret;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, PKCS_ECDSA_P256_SHA256,
    PKCS_RSA_SHA256, RsaKeySize,
};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig, SignatureScheme};
use tokio_rustls::{TlsAcceptor, TlsConnector};

pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    pub fn new() -> Authority {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params
            .distinguished_name
            .push(DnType::CommonName, "Scene CA");
        let pem = params.self_signed(&key).unwrap().pem();
        Authority {
            issuer: Issuer::new(params, key),
            pem,
        }
    }

    fn issue(&self, common_name: &str, key: &KeyPair) -> PemIdentity {
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        params
            .distinguished_name
            .push(DnType::CommonName, common_name);
        let certificate = params.signed_by(key, &self.issuer).unwrap();
        PemIdentity {
            chain: certificate.pem().into_bytes(),
            key: Secret::new(key.serialize_pem().into_bytes()),
        }
    }

    /// The root, for those who must trust it.
    pub fn root(&self) -> Vec<u8> {
        self.pem.clone().into_bytes()
    }

    /// A client certificate with this common name.
    pub fn client(&self, common_name: &str) -> PemIdentity {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        self.issue(common_name, &key)
    }

    /// A CSMS by TLS: it lets in whoever shows a certificate of this CA, or none.
    pub fn acceptor(&self) -> TlsAcceptor {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let clients = WebPkiClientVerifier::builder_with_provider(self.roots(), provider.clone())
            .allow_unauthenticated()
            .build()
            .unwrap();
        let (chain, key) = read(&self.client("csms"));
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(clients)
            .with_single_cert(chain, key)
            .unwrap();
        TlsAcceptor::from(Arc::new(config))
    }

    fn roots(&self) -> Arc<RootCertStore> {
        let mut roots = RootCertStore::empty();
        let root = CertificateDer::from_pem_slice(self.pem.as_bytes()).unwrap();
        roots.add(root).unwrap();
        Arc::new(roots)
    }

    /// A listener with an ECDSA and an RSA certificate side by side, that asks for client
    /// certificates of this CA.
    pub fn listener(&self) -> TlsSettings {
        let ecdsa = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        let rsa = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap();
        TlsSettings {
            identities: vec![self.issue("gate", &ecdsa), self.issue("gate", &rsa)],
            client_ca: Some(self.pem.clone().into_bytes()),
        }
    }

    /// A station that verifies one kind of signature only, and shows a certificate if it has one.
    pub fn station(&self, algorithm: &str, common_name: Option<&str>) -> TlsConnector {
        let mut provider = aws_lc_rs::default_provider();
        if algorithm == "RSA" {
            offer_only_rsa(&mut provider);
        }
        let builder = ClientConfig::builder_with_provider(Arc::new(provider))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(self.roots());
        let config = match common_name {
            None => builder.with_no_client_auth(),
            Some(name) => {
                let (chain, key) = read(&self.client(name));
                builder.with_client_auth_cert(chain, key).unwrap()
            }
        };
        TlsConnector::from(Arc::new(config))
    }
}

fn read(identity: &PemIdentity) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
    let chain = CertificateDer::pem_slice_iter(&identity.chain);
    let chain = chain.collect::<Result<Vec<_>, _>>().unwrap();
    let key = PrivateKeyDer::from_pem_slice(identity.key.expose()).unwrap();
    (chain, key)
}

/// The handshake's signature must be RSA; the CA's own signature over the leaf may be ECDSA, which
/// is checked by another list.
fn offer_only_rsa(provider: &mut CryptoProvider) {
    let mapping = provider.signature_verification_algorithms.mapping;
    let rsa: Vec<_> = mapping
        .iter()
        .filter(|(scheme, _)| {
            matches!(
                scheme,
                SignatureScheme::RSA_PSS_SHA256
                    | SignatureScheme::RSA_PSS_SHA384
                    | SignatureScheme::RSA_PSS_SHA512
            )
        })
        .copied()
        .collect();
    provider.signature_verification_algorithms.mapping = Box::leak(rsa.into_boxed_slice());
}
