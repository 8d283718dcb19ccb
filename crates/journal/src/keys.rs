//! The keys of the record: the root that somebody holds, and the keys of each day that are sealed
//! under it.
//!
//! | key | made | where | opens |
//! |---|---|---|---|
//! | root | once | age file, environment or systemd credential | every other key file |
//! | segment key of a day | random | `<dir>/keys/` | that day's segments |
//! | text key of a day | random | `<dir>/keys/` | that day's free texts |
//! | wrapping key of a day (KEK) | random | its own directory, in no backup | the subject rows of that day |
//! | log key | random | `<dir>/keys/` | nothing: it signs checkpoints |

mod error;
mod file;
mod ring;
mod root;
mod sealer;

pub use error::KeyError;
pub use file::KeyKind;
pub use ring::KeyRing;
pub use root::{Opener, Root, RootSource};

pub(crate) use sealer::{Sealer, derive, random};

use std::fmt;

use zeroize::Zeroizing;

use crate::Day;

/// The key of one day's segments.
#[derive(Clone)]
pub struct SegmentKey(Zeroizing<[u8; 32]>);

impl SegmentKey {
    /// Takes 32 random bytes as the key.
    pub fn new(bytes: [u8; 32]) -> SegmentKey {
        SegmentKey(Zeroizing::new(bytes))
    }

    /// Its bytes, for deriving from.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for SegmentKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("SegmentKey")
    }
}

/// Where segments get their keys from.
pub trait SegmentKeys: Send + Sync {
    /// The key of a day that is written: made, and durable, if there is none yet.
    fn seal(&self, day: Day) -> Result<SegmentKey, KeyError>;

    /// The key of a day that is read; [`KeyError::Missing`] when its retention has ended.
    fn open(&self, day: Day) -> Result<SegmentKey, KeyError>;
}
