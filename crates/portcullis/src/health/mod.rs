//! What the gate needs and can lose: certificates, the disk, the CSMS, the store. `doctor` looks at
//! all of it once; the running gate looks again and again and tells what has changed.

pub(crate) mod certificates;
pub(crate) mod conditions;
pub(crate) mod disk;
pub(crate) mod exceptions;
pub(crate) mod machine;
pub(crate) mod memory;
mod news;
pub(crate) mod revocation;
pub(crate) mod side_door;
pub(crate) mod upstream;

use serde::Serialize;

pub(crate) use news::tell;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Level {
    /// As it should be.
    Ok,
    /// It works, and somebody should look.
    Warn,
    /// It keeps the gate from doing its work.
    Fail,
}

/// What was found out about one thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Finding {
    /// The thing: `csms main`, `certificate ca/gate-rsa.pem`.
    pub(crate) subject: String,
    /// How it is.
    pub(crate) level: Level,
    /// In words.
    pub(crate) what: String,
    /// What to do about it; empty when it is as it should be.
    pub(crate) remedy: String,
    /// How near it has come, where it comes nearer by steps: each step is told.
    #[serde(skip)]
    pub(crate) urgency: u8,
}

impl Finding {
    pub(crate) fn ok(subject: impl Into<String>, what: impl Into<String>) -> Finding {
        Finding {
            subject: subject.into(),
            level: Level::Ok,
            what: what.into(),
            remedy: String::new(),
            urgency: 0,
        }
    }

    pub(crate) fn warn(
        subject: impl Into<String>,
        what: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Finding {
        Finding {
            subject: subject.into(),
            level: Level::Warn,
            what: what.into(),
            remedy: remedy.into(),
            urgency: 0,
        }
    }

    pub(crate) fn fail(
        subject: impl Into<String>,
        what: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Finding {
        Finding {
            level: Level::Fail,
            ..Finding::warn(subject, what, remedy)
        }
    }

    /// The same, this near.
    pub(crate) fn urgent(self, urgency: u8) -> Finding {
        Finding { urgency, ..self }
    }
}
