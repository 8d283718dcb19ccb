//! `portcullis journal reveal` and `agree`: whom pseudonyms stand for, with a purpose, and many of
//! them with two people.

use std::env;

use journal::Handle;
use journal::vault::{Original, REVEALED_ALONE_MAX, Revealed};
use serde::Serialize;

use super::subjects::now;
use super::{open, vault, vault_failure};
use crate::cli::RevealArgs;
use crate::config::JournalConfig;
use crate::output::Output;
use crate::{Exit, Failure};

/// In a handle's place: handles are read from standard input, one a line.
const STANDARD_INPUT: &str = "-";

#[derive(Serialize)]
struct Shown {
    handle: String,
    class: Option<&'static str>,
    tenant: Option<String>,
    /// As it was first said; nothing where nobody can say it any more.
    original: Option<String>,
}

#[derive(Serialize)]
struct Waiting {
    case: String,
    originals: usize,
}

pub(super) fn reveal(
    config: &JournalConfig,
    args: &RevealArgs,
    output: &mut Output,
) -> Result<(), Failure> {
    let by = person();
    if let Some(case) = &args.case {
        let shown = vault(&open(config)?)?.reveal_case(case, &by, now());
        return tell(shown.map_err(|error| vault_failure(&error))?, output);
    }
    let handles = handles(&args.handles)?;
    let purpose = args.purpose.as_deref().unwrap_or_default();
    let revealed = vault(&open(config)?)?.reveal(&handles, purpose, &by, now());
    match revealed.map_err(|error| vault_failure(&error))? {
        Revealed::Originals(originals) => tell(originals, output),
        Revealed::Waits(case) => {
            let waiting = Waiting {
                case,
                originals: handles.len(),
            };
            output.result(&waiting, || {
                let Waiting { case, originals } = &waiting;
                format!(
                    "case {case}  {originals} originals wait for another person: one alone sees \
                     {REVEALED_ALONE_MAX} in 24 hours\n  portcullis journal agree {case}           \
                     another person\n  portcullis journal reveal --case {case}   then you, within \
                     24 hours"
                )
            })
        }
    }
}

pub(super) fn agree(
    config: &JournalConfig,
    case: &str,
    output: &mut Output,
) -> Result<(), Failure> {
    #[derive(Serialize)]
    struct Agreed {
        originals: usize,
        purpose: String,
    }
    let agreed = vault(&open(config)?)?.approve(case, &person(), now());
    let (originals, purpose) = agreed.map_err(|error| vault_failure(&error))?;
    let agreed = Agreed { originals, purpose };
    output.result(&agreed, || {
        format!(
            "agreed: {} originals, for \"{}\"; whoever asked can see them now",
            agreed.originals, agreed.purpose
        )
    })
}

fn tell(originals: Vec<(Handle, Option<Original>)>, output: &mut Output) -> Result<(), Failure> {
    let shown: Vec<Shown> = originals
        .into_iter()
        .map(|(handle, original)| Shown {
            handle: handle.to_string(),
            class: original.as_ref().map(|original| original.class.name()),
            tenant: original.as_ref().map(|original| original.tenant.clone()),
            original: original.map(|original| original.text.to_string()),
        })
        .collect();
    output.result(&shown, || {
        let lines = shown.iter().map(|shown| match &shown.original {
            // A peer wrote it: nothing in it may move a terminal's cursor.
            Some(original) => format!("{}  {}", shown.handle, original.escape_debug()),
            None => format!("{}  nobody any more", shown.handle),
        });
        lines.collect::<Vec<_>>().join("\n")
    })
}

fn handles(named: &[String]) -> Result<Vec<Handle>, Failure> {
    let mut written = Vec::new();
    for name in named {
        match name.as_str() {
            STANDARD_INPUT => {
                written.extend(std::io::stdin().lines().collect::<Result<Vec<_>, _>>()?)
            }
            name => written.push(name.to_owned()),
        }
    }
    let handles: Option<Vec<Handle>> = written
        .iter()
        .map(|written| Handle::parse(written.trim()))
        .collect();
    handles.filter(|handles| !handles.is_empty()).ok_or_else(|| {
        Failure::new(
            Exit::Input,
            "these are not handles",
            "A handle is what a record holds in an identifier's place: z and 19 more letters and \
             digits.",
        )
    })
}

/// Who asks: the user behind `sudo`, or whoever runs this.
pub(super) fn person() -> String {
    let uid = rustix::process::getuid().as_raw();
    match env::var("SUDO_UID") {
        Ok(behind) if uid == 0 && behind.bytes().all(|digit| digit.is_ascii_digit()) => {
            format!("uid {behind}")
        }
        _ => format!("uid {uid}"),
    }
}
