//! Free texts, sealed under a key of their day, so that they can be forgotten sooner than the
//! records they stand in.

use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use crate::Day;
use crate::keys::{KeyError, KeyKind, KeyRing, Sealer};

/// What a sealed text begins with in a record.
const PREFIX: &str = "text:";

/// Seals today's texts and opens those of any day whose key is there.
pub(crate) struct Texts {
    keys: Arc<KeyRing>,
    today: Option<(Day, Sealer)>,
}

impl Texts {
    pub(crate) fn new(keys: Arc<KeyRing>) -> Texts {
        Texts { keys, today: None }
    }

    /// Puts `text:…` into `out`: letters that need no escape in JSON.
    pub(crate) fn seal(&mut self, day: Day, text: &str, out: &mut Vec<u8>) -> Result<(), KeyError> {
        let sealer = match self.today.take() {
            Some((known, sealer)) if known == day => sealer,
            _ => Sealer::new(&*self.keys.make(KeyKind::Texts, day)?)?,
        };
        let (_, sealer) = self.today.insert((day, sealer));
        let place = day.0.to_be_bytes();
        let sealed = [&place, sealer.seal(&place, text.as_bytes())?.as_slice()].concat();
        out.extend_from_slice(PREFIX.as_bytes());
        out.extend_from_slice(BASE64_URL_SAFE_NO_PAD.encode(sealed).as_bytes());
        Ok(())
    }

    /// What a sealed text says; `None` if it is none, or was changed.
    pub(crate) fn open(&self, text: &str) -> Result<Option<Zeroizing<String>>, KeyError> {
        let sealed = text
            .strip_prefix(PREFIX)
            .and_then(|letters| BASE64_URL_SAFE_NO_PAD.decode(letters).ok());
        let Some((place, sealed)) = sealed
            .as_deref()
            .and_then(|sealed| sealed.split_first_chunk())
        else {
            return Ok(None);
        };
        let day = Day(i32::from_be_bytes(*place));
        let sealer = Sealer::new(&*self.keys.find(KeyKind::Texts, day)?)?;
        let opened = sealer.open(place, sealed).ok();
        Ok(opened.map(|plain| Zeroizing::new(String::from_utf8_lossy(&plain).into_owned())))
    }
}
