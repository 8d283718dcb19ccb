//! A throw-away certificate authority: a CA, server certificates on two kinds of key, and client
//! certificates, in memory or as PEM files.
//!
//! For tests and the demo only: nothing here is kept safe.

use std::io;
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, date_time_ymd,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// What can go wrong while making certificates.
#[derive(Debug, thiserror::Error)]
pub enum CaError {
    /// The certificate could not be made.
    #[error("certificate: {0}")]
    Certificate(#[from] rcgen::Error),
    /// A name that no certificate can carry.
    #[error("PEM: {0}")]
    Pem(String),
    /// A file could not be written.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// The kind of key under a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// ECDSA on P-256.
    Ecdsa,
    /// RSA with 2048 bits, for stations whose TLS knows nothing newer.
    Rsa,
}

/// A certificate authority nobody else should trust.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// A certificate with its chain and its key.
#[derive(Clone, Debug)]
pub struct Identity {
    certificate_pem: String,
    key_pem: String,
}

/// What a certificate is to say.
#[derive(Clone, Debug)]
pub struct Leaf {
    common_name: String,
    organisation: Option<String>,
    names: Vec<String>,
    usage: ExtendedKeyUsagePurpose,
    key: KeyKind,
    expired: bool,
}

impl Leaf {
    /// A server certificate for `localhost`, `127.0.0.1` and these names besides.
    pub fn server(names: &[&str]) -> Leaf {
        let mut all = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        all.extend(names.iter().map(|&name| name.to_owned()));
        Leaf {
            common_name: names.first().copied().unwrap_or("localhost").to_owned(),
            organisation: None,
            names: all,
            usage: ExtendedKeyUsagePurpose::ServerAuth,
            key: KeyKind::Ecdsa,
            expired: false,
        }
    }

    /// A station's certificate, with its identity or serial number as common name.
    pub fn client(common_name: &str) -> Leaf {
        Leaf {
            common_name: common_name.to_owned(),
            organisation: None,
            names: Vec::new(),
            usage: ExtendedKeyUsagePurpose::ClientAuth,
            key: KeyKind::Ecdsa,
            expired: false,
        }
    }

    /// The same with an organisation (OCPP asks for the CPO's name there).
    #[must_use]
    pub fn organisation(mut self, name: &str) -> Leaf {
        self.organisation = Some(name.to_owned());
        self
    }

    /// The same on that kind of key.
    #[must_use]
    pub fn key(mut self, key: KeyKind) -> Leaf {
        self.key = key;
        self
    }

    /// The same, but it ran out in 2020.
    #[must_use]
    pub fn expired(mut self) -> Leaf {
        self.expired = true;
        self
    }

    fn params(&self) -> Result<CertificateParams, CaError> {
        let mut params = CertificateParams::new(self.names.clone())?;
        params
            .distinguished_name
            .push(DnType::CommonName, &self.common_name);
        if let Some(organisation) = &self.organisation {
            params
                .distinguished_name
                .push(DnType::OrganizationName, organisation);
        }
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![self.usage.clone()];
        params.use_authority_key_identifier_extension = true;
        let (from, to) = if self.expired {
            (2019, 2020)
        } else {
            (2025, 2046)
        };
        params.not_before = date_time_ymd(from, 1, 1);
        params.not_after = date_time_ymd(to, 1, 1);
        Ok(params)
    }
}

impl Authority {
    /// A new authority of that name.
    pub fn new(name: &str) -> Result<Authority, CaError> {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.not_before = date_time_ymd(2025, 1, 1);
        params.not_after = date_time_ymd(2046, 1, 1);
        let issuer = CertifiedIssuer::self_signed(params, key_pair(KeyKind::Ecdsa)?)?;
        Ok(Authority { issuer })
    }

    /// Issues a certificate.
    pub fn issue(&self, leaf: &Leaf) -> Result<Identity, CaError> {
        let key = key_pair(leaf.key)?;
        let certificate = leaf.params()?.signed_by(&key, &self.issuer)?;
        Ok(Identity {
            certificate_pem: certificate.pem(),
            key_pem: key.serialize_pem(),
        })
    }

    /// The authority's own certificate, for those who are to trust it.
    pub fn certificate_pem(&self) -> String {
        self.issuer.pem()
    }

    /// The same as DER.
    pub fn certificate(&self) -> CertificateDer<'static> {
        self.issuer.der().clone()
    }

    /// Writes `<name>.pem`, the authority's certificate, into that folder.
    pub fn write(&self, folder: &Path, name: &str) -> Result<PathBuf, CaError> {
        let path = folder.join(format!("{name}.pem"));
        write(&path, &self.certificate_pem())?;
        Ok(path)
    }
}

impl Identity {
    /// The certificate as PEM.
    pub fn certificate_pem(&self) -> &str {
        &self.certificate_pem
    }

    /// The key as PEM (PKCS#8).
    pub fn key_pem(&self) -> &str {
        &self.key_pem
    }

    /// The certificate chain as DER.
    pub fn chain(&self) -> Result<Vec<CertificateDer<'static>>, CaError> {
        CertificateDer::pem_slice_iter(self.certificate_pem.as_bytes())
            .collect::<Result<_, _>>()
            .map_err(|error| CaError::Pem(error.to_string()))
    }

    /// The key as DER.
    pub fn key(&self) -> Result<PrivateKeyDer<'static>, CaError> {
        PrivateKeyDer::from_pem_slice(self.key_pem.as_bytes())
            .map_err(|error| CaError::Pem(error.to_string()))
    }

    /// Writes `<name>.pem` and `<name>.key` into that folder and says where they are.
    pub fn write(&self, folder: &Path, name: &str) -> Result<(PathBuf, PathBuf), CaError> {
        let certificate = folder.join(format!("{name}.pem"));
        let key = folder.join(format!("{name}.key"));
        write(&certificate, &self.certificate_pem)?;
        write(&key, &self.key_pem)?;
        restrict(&key)?;
        Ok((certificate, key))
    }
}

fn key_pair(kind: KeyKind) -> Result<KeyPair, CaError> {
    let algorithm = match kind {
        KeyKind::Ecdsa => &PKCS_ECDSA_P256_SHA256,
        KeyKind::Rsa => &PKCS_RSA_SHA256,
    };
    Ok(KeyPair::generate_for(algorithm)?)
}

fn write(path: &Path, text: &str) -> Result<(), CaError> {
    std::fs::write(path, text).map_err(|source| CaError::File {
        path: path.to_owned(),
        source,
    })
}

/// A key is for its owner's eyes, even a key of no worth: the gate refuses others.
#[cfg(unix)]
fn restrict(path: &Path) -> Result<(), CaError> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).map_err(|source| {
        CaError::File {
            path: path.to_owned(),
            source,
        }
    })
}

#[cfg(not(unix))]
fn restrict(_path: &Path) -> Result<(), CaError> {
    Ok(())
}
