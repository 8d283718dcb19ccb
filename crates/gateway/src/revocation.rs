//! Revocation lists as their authority publishes them, read and checked: whoever holds a
//! [`RevocationList`] from here knows that a client CA signed it.
//!
//! Lists are not handed to rustls as well. It would ask them on full handshakes only, and two sources
//! of one truth drift apart.

use guard::admission::{RevocationList, Serial};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer};
use x509_parser::extensions::ParsedExtension;
use x509_parser::oid_registry::{
    OID_PKCS1_SHA1WITHRSA, OID_SHA1_WITH_RSA, OID_X509_EXT_DELTA_CRL_INDICATOR,
    OID_X509_EXT_ISSUER_DISTRIBUTION_POINT, OID_X509_EXT_REASON_CODE,
};
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::revocation_list::{CertificateRevocationList, RevokedCertificate};

/// Lists in one file.
const LISTS_MAX: usize = 64;

/// Why a file of revocation lists is none that we go by.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RevocationError {
    /// Neither PEM nor DER.
    #[error("there is no revocation list in it")]
    None,
    /// More than any authority splits its list into.
    #[error("there are more than {LISTS_MAX} revocation lists in it")]
    TooMany,
    /// A list is broken.
    #[error("a revocation list in it cannot be read")]
    Unreadable,
    /// A list uses what we do not understand, so it may mean something else than we would read.
    #[error("the revocation list of {issuer} {what}")]
    Unsupported {
        /// Whose.
        issuer: String,
        /// What it uses.
        what: &'static str,
    },
    /// None of the client CA's certificates has the name of the issuer.
    #[error("the revocation list is of {issuer}, which is not in the client CA")]
    Stranger {
        /// Whose.
        issuer: String,
    },
    /// Nobody of that name in the client CA has signed it.
    #[error("the signature of the revocation list of {issuer} is not the client CA's")]
    Signature {
        /// Whose.
        issuer: String,
    },
}

/// Reads a file of revocation lists, PEM or DER, and checks each against the client CA (PEM).
pub fn read_revocation_lists(
    file: &[u8],
    client_ca: &[u8],
) -> Result<Vec<RevocationList>, RevocationError> {
    // What cannot be read among the authorities has signed nothing.
    let authorities: Vec<CertificateDer<'_>> = CertificateDer::pem_slice_iter(client_ca)
        .filter_map(Result::ok)
        .collect();
    let authorities: Vec<X509Certificate<'_>> = authorities
        .iter()
        .filter_map(|der| X509Certificate::from_der(der).ok())
        .map(|(_, certificate)| certificate)
        .collect();
    let lists = split(file)?;
    if lists.len() > LISTS_MAX {
        return Err(RevocationError::TooMany);
    }
    lists.iter().map(|der| read(der, &authorities)).collect()
}

/// The lists of a file, DER.
fn split(file: &[u8]) -> Result<Vec<CertificateRevocationListDer<'_>>, RevocationError> {
    /// A DER sequence, which no PEM begins with.
    const SEQUENCE: u8 = 0x30;
    if file.first() == Some(&SEQUENCE) {
        return Ok(vec![CertificateRevocationListDer::from(file)]);
    }
    let lists: Result<Vec<_>, _> = CertificateRevocationListDer::pem_slice_iter(file)
        .take(LISTS_MAX + 1)
        .collect();
    match lists {
        Ok(lists) if !lists.is_empty() => Ok(lists),
        Ok(_) => Err(RevocationError::None),
        Err(_) => Err(RevocationError::Unreadable),
    }
}

fn read(
    der: &[u8],
    authorities: &[X509Certificate<'_>],
) -> Result<RevocationList, RevocationError> {
    let Ok(([], list)) = CertificateRevocationList::from_der(der) else {
        return Err(RevocationError::Unreadable);
    };
    let issuer = list.issuer().to_string();
    if let Some(what) = unsupported(&list) {
        return Err(RevocationError::Unsupported { issuer, what });
    }
    let mut named = authorities
        .iter()
        .filter(|authority| authority.subject().as_raw() == list.issuer().as_raw())
        .peekable();
    if named.peek().is_none() {
        return Err(RevocationError::Stranger { issuer });
    }
    // An authority may have changed its key and kept its name.
    if !named.any(|authority| has_signed(authority, &list)) {
        return Err(RevocationError::Signature { issuer });
    }
    let Some(next_update) = list.next_update() else {
        let what = "does not say when the next one is due";
        return Err(RevocationError::Unsupported { issuer, what });
    };
    let revoked: Option<Vec<Serial>> = list
        .iter_revoked_certificates()
        .map(|entry| Serial::new(entry.raw_serial()))
        .collect();
    let Some(revoked) = revoked else {
        let what = "holds a serial number of absurd length";
        return Err(RevocationError::Unsupported { issuer, what });
    };
    Ok(RevocationList::new(
        list.issuer().as_raw().to_vec(),
        list.last_update().timestamp(),
        next_update.timestamp(),
        revoked,
    ))
}

/// RFC 5280, 5.2 and 6.3.3: a list that means something else than "all that is revoked" is not to be
/// taken for one. What a list is about may be split among several files, which count together.
fn unsupported(list: &CertificateRevocationList<'_>) -> Option<&'static str> {
    for extension in list.extensions() {
        match extension.parsed_extension() {
            _ if extension.oid == OID_X509_EXT_DELTA_CRL_INDICATOR => {
                return Some("holds changes only (a delta list); name the whole list");
            }
            ParsedExtension::IssuingDistributionPoint(scope) => {
                if scope.indirect_crl || scope.only_some_reasons.is_some() {
                    return Some("is indirect, or for some reasons only");
                }
                if scope.only_contains_ca_certs || scope.only_contains_attribute_certs {
                    return Some("is not about stations' certificates");
                }
            }
            _ if extension.critical => {
                return Some("holds a critical extension that we do not know");
            }
            _ => {}
        }
        if extension.oid == OID_X509_EXT_ISSUER_DISTRIBUTION_POINT
            && !matches!(
                extension.parsed_extension(),
                ParsedExtension::IssuingDistributionPoint(_)
            )
        {
            return Some("has a scope that cannot be read");
        }
    }
    let is_strange = |entry: &RevokedCertificate<'_>| {
        let mut extensions = entry.iter_extensions();
        extensions.any(|one| one.critical && one.oid != OID_X509_EXT_REASON_CODE)
    };
    list.iter_revoked_certificates()
        .any(is_strange)
        .then_some("holds an entry with a critical extension that we do not know")
}

fn has_signed(authority: &X509Certificate<'_>, list: &CertificateRevocationList<'_>) -> bool {
    let algorithm = &list.signature_algorithm;
    // Whole bytes: what says otherwise was not written by an authority.
    if list.signature_value.unused_bits != 0 {
        return false;
    }
    // RFC 5280, 5.1.1.2: it is named twice, and what is signed must name the same.
    if *algorithm != list.tbs_cert_list.signature {
        return false;
    }
    // SHA-1 collides; x509-parser would still take it.
    if [OID_PKCS1_SHA1WITHRSA, OID_SHA1_WITH_RSA].contains(&algorithm.algorithm) {
        return false;
    }
    let may_sign = match authority.key_usage() {
        Ok(None) => true,
        Ok(Some(usage)) => usage.value.crl_sign(),
        Err(_) => false,
    };
    may_sign && list.verify_signature(authority.public_key()).is_ok()
}

#[cfg(test)]
mod tests;
