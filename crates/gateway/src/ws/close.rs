//! The body of a close frame (RFC 6455, 5.5.1 and 7.4).

use super::WsError;

/// The close code, if there is one; the reason is checked and dropped, since nobody acts on it.
pub(super) fn read_close(body: &[u8]) -> Result<Option<u16>, WsError> {
    let Some((code, reason)) = body.split_first_chunk::<2>() else {
        return if body.is_empty() {
            Ok(None)
        } else {
            Err(WsError::CloseBodyTooShort)
        };
    };
    let code = u16::from_be_bytes(*code);
    if !may_be_sent(code) {
        return Err(WsError::CloseCode);
    }
    if std::str::from_utf8(reason).is_err() {
        return Err(WsError::CloseReasonNotUtf8);
    }
    Ok(Some(code))
}

/// Codes that may stand on the wire: 1004 is undefined; 1005, 1006 and 1015 are for local use; 1012
/// to 1014 came later, by IANA's registry; from 3000 on they belong to libraries and applications.
fn may_be_sent(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}
