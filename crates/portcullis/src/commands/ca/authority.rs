//! One root: how it is made, and how it signs.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, RsaKeySize,
};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use x509_parser::prelude::{FromDer, X509Certificate};
use zeroize::Zeroizing;

use super::files::{Files, Written};
use super::{failed, text};
use crate::{Exit, Failure};

/// Clocks of stations differ: a certificate is valid from an hour ago.
const LEEWAY: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);

/// What kind of key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// P-256.
    Ecdsa,
    /// 2,048 bits, as small stations have it; 3,072 for the root, which outlives them.
    Rsa,
}

impl Kind {
    pub(super) const ALL: [Kind; 2] = [Kind::Ecdsa, Kind::Rsa];

    /// Its name in a file's.
    pub(super) fn file(self) -> &'static str {
        match self {
            Kind::Ecdsa => "ecdsa",
            Kind::Rsa => "rsa",
        }
    }

    fn generate(self, rsa: RsaKeySize) -> Result<KeyPair, Failure> {
        match self {
            Kind::Ecdsa => KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256),
            Kind::Rsa => KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, rsa),
        }
        .map_err(|error| failed(&error))
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Kind::Ecdsa => "ECDSA",
            Kind::Rsa => "RSA",
        })
    }
}

/// A root with its key.
pub(super) struct Authority {
    kind: Kind,
    issuer: Issuer<'static, KeyPair>,
    /// DER.
    name: Vec<u8>,
}

/// Makes a root and writes it; its PEM is returned, too.
pub(super) fn found(
    files: &Files<'_>,
    kind: Kind,
    name: &str,
    days: u32,
) -> Result<(Written, String), Failure> {
    let mut params = params(name, days)?;
    // It signs ends and no further authorities.
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let key = kind.generate(RsaKeySize::_3072)?;
    let certificate = params.self_signed(&key).map_err(|error| failed(&error))?;
    let key = Zeroizing::new(key.serialize_pem());
    let written = files.write_pair(&format!("ca-{}", kind.file()), &certificate, &key)?;
    Ok((written, certificate.pem()))
}

impl Authority {
    pub(super) fn load(files: &Files<'_>, kind: Kind) -> Result<Authority, Failure> {
        let (certificate, key) = files.read_pair(&format!("ca-{}", kind.file()))?;
        let unfit = |error: rcgen::Error| {
            Failure::new(
                Exit::Input,
                format!(
                    "the authority in ca-{}.pem and .key cannot be used: {error}",
                    kind.file()
                ),
                "Bring back the files that `portcullis ca init` made.",
            )
        };
        let key = KeyPair::from_pem(&key).map_err(unfit)?;
        let issuer = Issuer::from_ca_cert_pem(&certificate, key).map_err(unfit)?;
        let name =
            name(&certificate).ok_or_else(|| unfit(rcgen::Error::CouldNotParseCertificate))?;
        Ok(Authority { kind, issuer, name })
    }

    /// Its name, DER.
    pub(super) fn name(&self) -> &[u8] {
        &self.name
    }

    /// Signs a list of what is revoked; PEM.
    pub(super) fn sign_list(
        &self,
        list: &CertificateRevocationListParams,
    ) -> Result<String, Failure> {
        let signed = list.signed_by(&self.issuer);
        let pem = signed.and_then(|signed| signed.pem());
        pem.map_err(|error| failed(&error))
    }

    /// Makes a key of the root's own kind, signs it, and writes both.
    pub(super) fn issue(
        &self,
        files: &Files<'_>,
        stem: &str,
        mut params: CertificateParams,
    ) -> Result<Written, Failure> {
        if self.kind == Kind::Rsa {
            // Without it, stations that still offer RSA key exchange refuse the certificate whole.
            params.key_usages.push(KeyUsagePurpose::KeyEncipherment);
        }
        let key = self.kind.generate(RsaKeySize::_2048)?;
        let certificate = params
            .signed_by(&key, &self.issuer)
            .map_err(|error| failed(&error))?;
        files.write_pair(stem, &certificate, &Zeroizing::new(key.serialize_pem()))
    }
}

fn name(pem: &str) -> Option<Vec<u8>> {
    let der = CertificateDer::from_pem_slice(pem.as_bytes()).ok()?;
    let (_, certificate) = X509Certificate::from_der(&der).ok()?;
    Some(certificate.subject().as_raw().to_vec())
}

/// A moment given in Unix seconds.
pub(super) fn moment(seconds: i64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(u64::try_from(seconds).unwrap_or_default())
}

/// Now, in whole seconds: X.509 knows no fractions.
pub(super) fn unix_now() -> Result<Duration, Failure> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_err(|_| {
        Failure::new(
            Exit::Failed,
            "the clock of this machine is before 1970",
            "Set the clock.",
        )
    })?;
    Ok(Duration::from_secs(now.as_secs()))
}

/// A certificate of that name, valid for so many days from now.
pub(super) fn params(name: &str, days: u32) -> Result<CertificateParams, Failure> {
    let now = unix_now()?;
    let mut params = CertificateParams::new(Vec::new()).map_err(|error| failed(&error))?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    params
        .distinguished_name
        .push(DnType::CommonName, text(name));
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    params.not_before = epoch + now.saturating_sub(LEEWAY);
    params.not_after = epoch + now + DAY * days;
    Ok(params)
}
