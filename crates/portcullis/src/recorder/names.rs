//! What a record may say, by the vault.

use std::borrow::Cow;

use guard::{Heard, UnixMillis};
use journal::Handle;
use journal::record::{PRIVATE, Pseudonyms};
use journal::vault::recognise::without_identifiers;
use journal::vault::{Class, Vault, VaultError};
use ocpp::StationId;

use crate::config::JournalConfig;

/// The vault as the composer of records asks it.
pub(super) struct Names<'v> {
    pub(super) vault: &'v mut Vault,
    pub(super) config: &'v JournalConfig,
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

    fn station<'i>(
        &mut self,
        tenant: Option<&str>,
        identity: &'i StationId,
        at: UnixMillis,
        handles: &mut Vec<Handle>,
    ) -> Result<Cow<'i, str>, VaultError> {
        let private = self.config.is_private(identity.as_str());
        self.vault.of_private_station(private);
        if !private {
            return Ok(identity.as_str().into());
        }
        let tenant = tenant.unwrap_or_default();
        match self
            .vault
            .handle_of(tenant, Class::Station, identity.as_str(), at)
        {
            Ok(handle) => {
                handles.push(handle);
                Ok(handle.to_string().into())
            }
            // Whoever tries identities at random, or a day that brought too many cards.
            Err(VaultError::TooManyNew { .. }) => Ok(PRIVATE.into()),
            Err(error) => Err(error),
        }
    }

    fn words(&mut self, text: &str) -> String {
        without_identifiers(text).into_owned()
    }
}
