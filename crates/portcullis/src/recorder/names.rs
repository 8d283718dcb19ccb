//! What a record may say, by the vault.

use guard::{Heard, UnixMillis};
use journal::Handle;
use journal::record::Pseudonyms;
use journal::vault::{Vault, VaultError};

/// The vault as the composer of records asks it.
pub(super) struct Names<'v> {
    pub(super) vault: &'v mut Vault,
}

impl Pseudonyms for Names<'_> {
    type Error = VaultError;

    fn message(
        &mut self,
        tenant: &str,
        heard: Heard<'_>,
        at: UnixMillis,
        out: &mut Vec<u8>,
        handles: &mut Vec<Handle>,
    ) -> Result<(), VaultError> {
        self.vault
            .rewrite(tenant, heard.text, heard.facts, at, out, handles)
    }

    fn station(
        &mut self,
        _tenant: Option<&str>,
        identity: &str,
        _at: UnixMillis,
        _handles: &mut Vec<Handle>,
    ) -> Result<String, VaultError> {
        Ok(identity.to_owned())
    }

    fn words(&mut self, text: &str) -> String {
        text.to_owned()
    }
}
