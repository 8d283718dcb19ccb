//! `portcullis journal erase` and `hold`: what becomes of those whom the record is about.
//!
//! The rows are changed here, whether or not the gate runs; what was done waits beside them until the
//! gate has put it into the record.

use std::io::BufRead as _;
use std::time::SystemTime;

use comfy_table::{ContentArrangement, Table, presets};
use guard::UnixMillis;
use journal::vault::Subject;
use journal::{Handle, Vault};
use serde::Serialize;
use zeroize::Zeroizing;

use super::{open, vault, vault_failure};
use crate::cli::{HoldArgs, SubjectArgs};
use crate::config::JournalConfig;
use crate::output::Output;
use crate::{Exit, Failure};

/// Who does it, as far as anybody can tell: whoever may read the root.
const OPERATOR: &str = "operator";
/// In an argument's place: it is read from standard input, where no other process sees it.
const STANDARD_INPUT: &str = "-";

pub(super) fn erase(
    config: &JournalConfig,
    who: &SubjectArgs,
    output: &mut Output,
) -> Result<(), Failure> {
    #[derive(Serialize)]
    struct Erased {
        case: String,
        rows: usize,
        backups_until: String,
    }
    let named = Named::of(who)?;
    let mut vault = vault(&open(config)?)?;
    let receipt = vault
        .erase(named.subject(), OPERATOR, now())
        .map_err(|error| vault_failure(&error))?;
    // Where the gate is reading just then, it does so itself.
    vault.wipe_log().map_err(|error| vault_failure(&error))?;
    let erased = Erased {
        case: receipt.case,
        rows: receipt.rows,
        backups_until: receipt.backups_until.to_string(),
    };
    output.result(&erased, || {
        format!(
            "case {}  erased, {}; write the case's number on the request: the record holds it, and \
             nothing that says who it was\nBackups made before today can be opened until {} at most, \
             by whoever has the root and the keys in subject_keys.",
            erased.case,
            in_rows(erased.rows),
            erased.backups_until,
        )
    })
}

pub(super) fn hold(
    config: &JournalConfig,
    args: &HoldArgs,
    output: &mut Output,
) -> Result<(), Failure> {
    let mut vault = vault(&open(config)?)?;
    if !args.who.is_somebody() {
        return list(&vault, output);
    }
    let Some(reason) = &args.reason else {
        return Err(Failure::new(
            Exit::Input,
            "a hold without a reason",
            "Say why with `--reason`; the record keeps it, so name nobody in it.",
        ));
    };
    #[derive(Serialize)]
    struct Held {
        held: bool,
        rows: usize,
    }
    let named = Named::of(&args.who)?;
    let (subject, now) = (named.subject(), now());
    let rows = match args.release {
        true => vault.release(subject, OPERATOR, reason, now),
        false => vault.hold(subject, OPERATOR, reason, now),
    };
    let held = Held {
        held: !args.release,
        rows: rows.map_err(|error| vault_failure(&error))?,
    };
    output.result(&held, || match held.held {
        true => format!(
            "held, {}; neither they nor the days on which they were seen are erased or forgotten",
            in_rows(held.rows)
        ),
        false => format!("released, {}", in_rows(held.rows)),
    })
}

fn list(vault: &Vault, output: &mut Output) -> Result<(), Failure> {
    #[derive(Serialize)]
    struct View {
        handle: String,
        class: &'static str,
        first_day: String,
        last_day: String,
    }
    let held = vault.held().map_err(|error| vault_failure(&error))?;
    let views: Vec<View> = held
        .iter()
        .map(|held| View {
            handle: held.handle.to_string(),
            class: held.class.name(),
            first_day: held.days.0.to_string(),
            last_day: held.days.1.to_string(),
        })
        .collect();
    output.result(&views, || {
        if views.is_empty() {
            return "No hold stands on anybody.".to_owned();
        }
        let mut table = Table::new();
        table
            .load_style(presets::NOTHING)
            .set_content_arrangement(ContentArrangement::Disabled);
        table.set_header(["HANDLE", "CLASS", "FIRST SEEN", "LAST SEEN"]);
        for view in &views {
            table.add_row([&view.handle, view.class, &view.first_day, &view.last_day]);
        }
        table.trim_fmt()
    })
}

/// Who is meant, as far as the command line says it.
enum Named {
    Handle(Handle),
    Identifier {
        tenant: String,
        text: Zeroizing<String>,
    },
}

impl Named {
    fn of(who: &SubjectArgs) -> Result<Named, Failure> {
        if let Some(written) = &who.handle {
            return match Handle::parse(written) {
                Some(handle) => Ok(Named::Handle(handle)),
                None => Err(Failure::new(
                    Exit::Input,
                    "that is no handle",
                    "A handle is what a record holds in an identifier's place: z and 19 more letters \
                     and digits. For an identifier itself there is `--subject`.",
                )),
            };
        }
        let text = match who.subject.as_deref() {
            Some(STANDARD_INPUT) => {
                let mut line = Zeroizing::new(String::new());
                std::io::stdin().lock().read_line(&mut line)?;
                line
            }
            named => Zeroizing::new(named.unwrap_or_default().to_owned()),
        };
        let text = Zeroizing::new(text.trim().to_owned());
        if text.is_empty() {
            return Err(Failure::new(
                Exit::Input,
                "nobody is named",
                "Name them by an identifier with `--subject`, or `--subject -` to give it on \
                 standard input, or by a pseudonym with `--handle`.",
            ));
        }
        Ok(Named::Identifier {
            tenant: who.tenant.clone(),
            text,
        })
    }

    fn subject(&self) -> Subject<'_> {
        match self {
            Named::Handle(handle) => Subject::Handle(*handle),
            Named::Identifier { tenant, text } => Subject::Identifier { tenant, text },
        }
    }
}

fn in_rows(rows: usize) -> String {
    match rows {
        1 => "one row".to_owned(),
        rows => format!("{rows} rows"),
    }
}

pub(super) fn now() -> UnixMillis {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let millis = since.map_or(0, |since| since.as_millis());
    UnixMillis(i64::try_from(millis).unwrap_or(i64::MAX))
}
