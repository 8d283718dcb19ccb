//! A CA for one scene: the gate's two certificates, and stations' client certificates.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use gateway::{PemIdentity, TlsSettings};
use guard::Secret;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType, IsCa, Issuer,
    KeyIdMethod, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, RevokedCertParams, RsaKeySize,
    SerialNumber,
};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig, SignatureScheme};
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// A station's certificate, its key, and the number it is revoked by.
pub struct Certificate {
    identity: PemIdentity,
    serial: SerialNumber,
}

impl Certificate {
    /// Itself, PEM.
    pub fn chain(&self) -> &[u8] {
        &self.identity.chain
    }
}

/// Unix seconds.
pub fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since.as_secs()).unwrap()
}

pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
    issued: AtomicU64,
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
            issued: AtomicU64::new(1),
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

    /// A station's certificate of the scene's CPO.
    pub fn certificate(
        &self,
        common_name: &str,
        change: impl FnOnce(&mut CertificateParams),
    ) -> Certificate {
        let mut params = CertificateParams::default();
        let name = &mut params.distinguished_name;
        name.push(DnType::CommonName, common_name);
        name.push(DnType::OrganizationName, "Scene Charging");
        let serial = SerialNumber::from(self.issued.fetch_add(1, Ordering::Relaxed));
        params.serial_number = Some(serial.clone());
        change(&mut params);
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let identity = PemIdentity {
            chain: certificate.pem().into_bytes(),
            key: Secret::new(key.serialize_pem().into_bytes()),
        };
        Certificate { identity, serial }
    }

    /// A list of what is revoked, PEM, made two days ago; the next one is due then (Unix seconds).
    pub fn revocation_list(&self, revoked: &[&Certificate], next_update: i64) -> String {
        let at = |seconds: i64| {
            let since = Duration::from_secs(u64::try_from(seconds).unwrap());
            (UNIX_EPOCH + since).into()
        };
        let made = now() - 2 * 86_400;
        let entry = |certificate: &&Certificate| RevokedCertParams {
            serial_number: certificate.serial.clone(),
            revocation_time: at(made),
            reason_code: None,
            invalidity_date: None,
        };
        let list = CertificateRevocationListParams {
            this_update: at(made),
            next_update: at(next_update),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: revoked.iter().map(entry).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        list.signed_by(&self.issuer).unwrap().pem().unwrap()
    }

    /// A station that shows this certificate, by TLS 1.3 or by 1.2 alone.
    pub fn client_config(&self, tls12: bool, shown: &Certificate) -> ClientConfig {
        let version = match tls12 {
            true => &rustls::version::TLS12,
            false => &rustls::version::TLS13,
        };
        let (chain, key) = read(&shown.identity);
        ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(self.roots())
            .with_client_auth_cert(chain, key)
            .unwrap()
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
            certificate_rules: Arc::default(),
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
