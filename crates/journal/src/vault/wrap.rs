//! What a day's wrapping key gives: the tags that rows are found by, and what seals them. All of it
//! takes the root as well, so that neither opens a row alone.

use aws_lc_rs::hmac::{self, HMAC_SHA256};
use zeroize::Zeroizing;

use crate::keys::{KeyError, KeyKind, KeyRing, Sealer};
use crate::{Day, Handle};

use super::Class;

/// A row's tag: a keyed hash, of which half is kept.
pub(crate) type Tag = [u8; 16];

/// The keys of the rows that were wrapped on one day.
pub(crate) struct DayKeys {
    pub(crate) day: Day,
    identifiers: hmac::Key,
    handles: hmac::Key,
    rows: Sealer,
}

/// What a row says, once it is open.
pub(crate) struct Inner {
    pub(crate) handle: Handle,
    pub(crate) class: Class,
    pub(crate) epoch: u32,
    /// The subject's own key.
    pub(crate) dek: Zeroizing<[u8; 32]>,
}

/// Whom a subject's own key reveals.
pub(crate) struct Identifier {
    pub(crate) tenant: String,
    pub(crate) folded: Zeroizing<Vec<u8>>,
    pub(crate) original: Zeroizing<String>,
}

const INNER_LEN: usize = 12 + 1 + 4 + 32;

impl DayKeys {
    /// The keys of a day that has some.
    pub(crate) fn find(keys: &KeyRing, day: Day) -> Result<DayKeys, KeyError> {
        DayKeys::from(keys, day, &*keys.find(KeyKind::Subjects, day)?)
    }

    /// The keys of a day, made if there are none.
    pub(crate) fn make(keys: &KeyRing, day: Day) -> Result<DayKeys, KeyError> {
        DayKeys::from(keys, day, &*keys.make(KeyKind::Subjects, day)?)
    }

    fn from(keys: &KeyRing, day: Day, kek: &[u8; 32]) -> Result<DayKeys, KeyError> {
        let hmac_key = |purpose| {
            let key = keys.derive(kek, purpose)?;
            Ok::<_, KeyError>(hmac::Key::new(HMAC_SHA256, &*key))
        };
        Ok(DayKeys {
            day,
            identifiers: hmac_key("identifier tags")?,
            handles: hmac_key("handle tags")?,
            rows: Sealer::new(&*keys.derive(kek, "subject rows")?)?,
        })
    }

    /// The only bridge from an identifier to its handle.
    pub(crate) fn tag(&self, tenant: &str, epoch: u32, folded: &[u8]) -> Tag {
        let mut context = hmac::Context::with_key(&self.identifiers);
        context.update(&(tenant.len() as u32).to_be_bytes());
        context.update(tenant.as_bytes());
        context.update(&epoch.to_be_bytes());
        context.update(folded);
        half(&context.sign())
    }

    pub(crate) fn handle_tag(&self, handle: Handle) -> Tag {
        half(&hmac::sign(&self.handles, handle.bytes()))
    }

    /// Bound to its tag, so that no row can be put in another one's place.
    pub(crate) fn seal(&self, tag: &Tag, inner: &Inner) -> Result<Vec<u8>, KeyError> {
        let mut plain = Zeroizing::new(Vec::with_capacity(INNER_LEN));
        plain.extend_from_slice(inner.handle.bytes());
        plain.push(inner.class.code());
        plain.extend_from_slice(&inner.epoch.to_be_bytes());
        plain.extend_from_slice(&*inner.dek);
        self.rows.seal(tag, &plain)
    }

    pub(crate) fn open(&self, tag: &Tag, sealed: &[u8]) -> Option<Inner> {
        let plain = self.rows.open(tag, sealed).ok()?;
        let (handle, rest) = plain.split_first_chunk::<12>()?;
        let (class, rest) = rest.split_first()?;
        let (epoch, rest) = rest.split_first_chunk::<4>()?;
        Some(Inner {
            handle: Handle::from_random(*handle),
            class: Class::from_code(*class)?,
            epoch: u32::from_be_bytes(*epoch),
            dek: Zeroizing::new(rest.try_into().ok()?),
        })
    }
}

impl Inner {
    pub(crate) fn seal(&self, identifier: &Identifier) -> Result<Vec<u8>, KeyError> {
        let mut plain = Zeroizing::new(Vec::new());
        for part in [identifier.tenant.as_bytes(), &identifier.folded] {
            plain.extend_from_slice(&(part.len() as u32).to_be_bytes());
            plain.extend_from_slice(part);
        }
        plain.extend_from_slice(identifier.original.as_bytes());
        Sealer::new(&self.dek)?.seal(self.handle.bytes(), &plain)
    }

    pub(crate) fn open(&self, sealed: &[u8]) -> Option<Identifier> {
        let sealer = Sealer::new(&self.dek).ok()?;
        let plain = sealer.open(self.handle.bytes(), sealed).ok()?;
        let (tenant, rest) = part(&plain)?;
        let (folded, original) = part(rest)?;
        Some(Identifier {
            tenant: String::from_utf8(tenant.to_vec()).ok()?,
            folded: Zeroizing::new(folded.to_vec()),
            original: Zeroizing::new(String::from_utf8(original.to_vec()).ok()?),
        })
    }
}

fn part(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(u32::from_be_bytes(*length) as usize)
}

fn half(tag: &hmac::Tag) -> Tag {
    let mut half = Tag::default();
    for (place, byte) in half.iter_mut().zip(tag.as_ref()) {
        *place = *byte;
    }
    half
}
