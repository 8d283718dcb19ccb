//! Whom a certificate names.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use x509_parser::prelude::{FromDer as _, X509Certificate};

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// Whether that is a certificate, or several, in PEM.
pub(crate) fn is_pem(text: &str) -> bool {
    text.contains(BEGIN)
}

/// The common name in the first certificate's subject, or the whole subject where it has none. In a
/// contract's certificate it is the eMAID.
pub(crate) fn subject(text: &str) -> Option<String> {
    let base64 = match text.split_once(BEGIN) {
        Some((_, rest)) => rest.split_once(END)?.0,
        None => text,
    };
    let base64: String = base64.split_whitespace().collect();
    let der = BASE64_STANDARD.decode(base64).ok()?;
    let (_, certificate) = X509Certificate::from_der(&der).ok()?;
    let name = certificate.subject();
    let common = name
        .iter_common_name()
        .find_map(|part| part.as_str().ok().map(str::to_owned));
    common
        .or_else(|| Some(name.to_string()))
        .filter(|name| !name.is_empty())
}
