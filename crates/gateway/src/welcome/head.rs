//! The request head, within its deadline.

use guard::RefusedHandshake;
use tokio::io::AsyncReadExt;
use tokio::time::timeout;

use crate::gate::Gate;
use crate::http::{Parsed, RequestHead};
use crate::wire::Wire;

/// A head, and what followed it.
pub(super) type Head = (RequestHead, Vec<u8>);

/// Reads the request head; what follows it belongs to the session.
pub(super) async fn read_head(
    gate: &Gate,
    wire: &mut Wire,
) -> Result<Head, (RefusedHandshake, Option<Vec<u8>>)> {
    let mut bytes = Vec::with_capacity(1024);
    let reading = async {
        loop {
            match wire.read_buf(&mut bytes).await {
                Ok(0) | Err(_) => return Err((RefusedHandshake::BadRequest("gone"), None)),
                Ok(_) => {}
            }
            match RequestHead::parse(&bytes) {
                Ok(Parsed::Incomplete) => {}
                Ok(Parsed::Complete { head, consumed }) => return Ok((head, consumed)),
                Err(error) => {
                    let why = RefusedHandshake::BadRequest(error.words());
                    return Err((why, Some(error.refusal())));
                }
            }
        }
    };
    match timeout(gate.settings.limits.head_deadline, reading).await {
        Err(_) => Err((RefusedHandshake::Deadline("head_deadline"), None)),
        Ok(Err(rejected)) => Err(rejected),
        Ok(Ok((head, consumed))) => {
            let unread = bytes.get(consumed..).unwrap_or_default().to_vec();
            Ok((head, unread))
        }
    }
}
