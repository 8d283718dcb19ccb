//! HTTP Basic (RFC 7617): what a station shows us, and what we show the CSMS.

use std::fmt;

use base64::Engine;
use base64::alphabet;
use base64::engine::general_purpose::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use guard::Secret;

/// The credential of a request.
#[derive(Clone, Debug)]
pub enum Offered {
    /// No `Authorization` at all.
    Nothing,
    /// Another scheme than Basic, or Basic that is not spelled as it must be.
    Unreadable,
    /// Basic.
    Basic(BasicCredential),
}

/// User name and password, as bytes: a password of OCPP 1.6 is seldom UTF-8.
#[derive(Clone)]
pub struct BasicCredential {
    /// What stands before the first colon; must be the identity.
    pub user: Vec<u8>,
    /// What stands after it, colons included.
    pub password: Secret,
    /// The header as it came, for a route that passes it on.
    pub authorization: Authorization,
}

impl fmt::Debug for BasicCredential {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("BasicCredential")
    }
}

/// The value of an `Authorization` header that may be sent: read from a request, or made here.
#[derive(Clone, Debug)]
pub struct Authorization(Secret);

impl Authorization {
    /// Basic with this user name and password.
    pub fn basic(user: &[u8], password: &[u8]) -> Authorization {
        let pair = Secret::new([user, b":", password].concat());
        let mut value = b"Basic ".to_vec();
        // Room first, so that no half-written copy of the secret is left behind.
        value.resize(6 + pair.expose().len().div_ceil(3) * 4, 0);
        let written = value
            .get_mut(6..)
            .and_then(|room| STANDARD.encode_slice(pair.expose(), room).ok())
            .unwrap_or_default();
        value.truncate(6 + written);
        Authorization(Secret::new(value))
    }

    /// The value, for the one who writes the header.
    pub(super) fn value(&self) -> &[u8] {
        self.0.expose()
    }
}

impl Offered {
    /// Reads the value of the one `Authorization` header.
    pub(super) fn read(value: Option<&[u8]>) -> Offered {
        match value {
            None => Offered::Nothing,
            Some(value) => read_basic(value).map_or(Offered::Unreadable, Offered::Basic),
        }
    }
}

/// Padding carries nothing, and some stations leave it away.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// One space, and one spelling of base64 but for its padding: no white space inside, no stray bits.
fn read_basic(value: &[u8]) -> Option<BasicCredential> {
    let (scheme, encoded) = value.split_first_chunk::<6>()?;
    if !scheme.eq_ignore_ascii_case(b"basic ") {
        return None;
    }
    let pair = Secret::new(BASE64.decode(encoded).ok()?);
    let colon = memchr::memchr(b':', pair.expose())?;
    let (user, password) = pair.expose().split_at_checked(colon)?;
    let password = password.get(1..)?;
    Some(BasicCredential {
        user: user.to_vec(),
        password: Secret::new(password.to_vec()),
        authorization: Authorization(Secret::new(value.to_vec())),
    })
}
