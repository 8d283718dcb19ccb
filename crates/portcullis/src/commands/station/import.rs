//! `portcullis station import`: many stations from a file, all of them or none.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use guard::StationRecord;
use indicatif::ProgressBar;
use serde::Serialize;
use store::{ImportError, Store};
use zeroize::Zeroizing;

use super::draft::{self, Draft};
use super::rows::{self, Row, Rows};
use super::secret;
use crate::cli::ImportStations;
use crate::output::{Format, Output};
use crate::passwords::{Holders, Passwords};
use crate::register::Register;
use crate::{Exit, Failure, Problem};

/// A file of half a million stations is some 50 MB.
const FILE_BYTES_MAX: u64 = 256 << 20;

/// A password that was drawn for a row; shown once.
#[derive(Serialize)]
struct Drawn {
    identity: String,
    tenant: String,
    #[serde(serialize_with = "shown")]
    password: Zeroizing<String>,
}

fn shown<S: serde::Serializer>(secret: &Zeroizing<String>, out: S) -> Result<S::Ok, S::Error> {
    out.serialize_str(secret)
}

#[derive(Serialize)]
struct Imported<'a> {
    imported: usize,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    passwords: &'a [Drawn],
}

pub(crate) fn run(
    arguments: &ImportStations,
    config: &Path,
    output: &mut Output,
) -> Result<(), Failure> {
    let mut register = Register::open(config)?;
    let Rows { rows, mut problems } = read(&arguments.file)?;
    let mut drafts = Vec::with_capacity(rows.len());
    let mut drawn = Vec::new();
    for row in &rows {
        match drafted(row, arguments, &mut drawn)? {
            Ok(draft) => drafts.push((row.line, draft)),
            Err(problem) => problems.push(problem.at_line(row.line)),
        }
    }
    problems.extend(twice(&drafts));
    if !problems.is_empty() {
        return Err(refused(arguments, Exit::Input, problems));
    }
    let lines: Vec<usize> = drafts.iter().map(|(line, _)| *line).collect();
    let bar = output.progress("hashing", drafts.len());
    let passwords = Passwords::of(&register.key);
    let hashed = hash_all(drafts, &passwords, &bar);
    bar.finish_and_clear();
    let mut records = hashed.map_err(|problems| refused(arguments, Exit::Input, problems))?;
    let holders = Holders::of(&register.store.stations(None)?);
    let weak = weak(
        &mut records,
        &lines,
        holders,
        &passwords,
        arguments.allow_weak,
    );
    let weak = weak.map_err(|problems| refused(arguments, Exit::Input, problems))?;
    if weak > 0 {
        output.note(&format!(
            "{weak} of the passwords are weak: `portcullis station audit`."
        ));
    }

    let bar = output.progress("writing", records.len());
    let stored = register
        .store
        .import(&records, &mut |done| bar.set_position(done as u64));
    bar.finish_and_clear();
    match stored {
        Ok(()) => tell(records.len(), &drawn, output),
        Err(ImportError::Store(error)) => Err(error.into()),
        Err(ImportError::Rejected(rejected)) => {
            let problems = rejected.iter().map(|row| {
                let problem = Problem::new(row.why.to_string(), row.why.remedy());
                problem.at_line(lines.get(row.index).copied().unwrap_or_default())
            });
            Err(refused(arguments, Exit::Conflict, problems.collect()))
        }
    }
}

fn read(file: &Path) -> Result<Rows, Failure> {
    let unreadable = |why: String| {
        Failure::new(
            Exit::Failed,
            format!("{}: {why}", file.display()),
            "See that the file is there and that this user may read it.",
        )
    };
    let length = std::fs::metadata(file)
        .map_err(|error| unreadable(error.to_string()))?
        .len();
    if length > FILE_BYTES_MAX {
        return Err(unreadable(format!(
            "it is longer than {FILE_BYTES_MAX} bytes; split it"
        )));
    }
    let bytes = Zeroizing::new(std::fs::read(file).map_err(|error| unreadable(error.to_string()))?);
    let is_json = file
        .extension()
        .is_some_and(|end| end.eq_ignore_ascii_case("json"));
    Ok(if is_json {
        rows::from_json(&bytes)
    } else {
        rows::from_csv(&bytes)
    })
}

/// The station of a row, with a password drawn for it where it has none and we may.
fn drafted(
    row: &Row,
    arguments: &ImportStations,
    drawn: &mut Vec<Drawn>,
) -> Result<Result<Draft, Problem>, Failure> {
    if !arguments.generate || row.has_credential() {
        return Ok(row.draft(&arguments.tenant, None));
    }
    let password = secret::draw()?;
    Ok(row
        .draft(&arguments.tenant, Some(&password))
        .inspect(|draft| {
            let (identity, tenant) = (draft.id.to_string(), draft.tenant.0.to_string());
            drawn.push(Drawn {
                identity,
                tenant,
                password,
            });
        }))
}

/// Rows of the file that name the same station.
fn twice(drafts: &[(usize, Draft)]) -> Vec<Problem> {
    let mut seen = HashMap::new();
    let mut problems = Vec::new();
    for (line, draft) in drafts {
        if let Some(first) = seen.insert((draft.tenant.clone(), draft.id.folded()), *line) {
            let what = format!(
                "station {} is on line {first} already, case aside",
                draft.id
            );
            problems.push(Problem::new(what, "Leave one of the two rows.").at_line(*line));
        }
    }
    problems
}

/// Tells every row with a weak password, or, where they are allowed, how many there are.
fn weak(
    records: &mut [StationRecord],
    lines: &[usize],
    mut holders: Holders,
    passwords: &Passwords,
    allowed: bool,
) -> Result<usize, Vec<Problem>> {
    let (mut problems, mut weak) = (Vec::new(), 0);
    for (record, line) in records.iter_mut().zip(lines) {
        match draft::weak(record, &holders, &passwords.rules, allowed) {
            Ok(words) => weak += usize::from(words.is_some()),
            Err(failure) => {
                problems.extend(failure.problems.into_iter().map(|p| p.at_line(*line)));
            }
        }
        holders.add(record);
    }
    match problems.is_empty() {
        true => Ok(weak),
        false => Err(problems),
    }
}

/// The place of a row among the others, and what became of it.
type Hashed = (usize, Result<StationRecord, Vec<Problem>>);

/// Makes a verifier of every password, on all processors: argon2 takes its time by design.
fn hash_all(
    drafts: Vec<(usize, Draft)>,
    passwords: &Passwords,
    bar: &ProgressBar,
) -> Result<Vec<StationRecord>, Vec<Problem>> {
    let work: Vec<Mutex<Option<(usize, Draft)>>> = drafts
        .into_iter()
        .map(|draft| Mutex::new(Some(draft)))
        .collect();
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<Hashed>> = Mutex::new(Vec::with_capacity(work.len()));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    let Some(slot) = work.get(place) else { return };
                    let taken = slot.lock().ok().and_then(|mut slot| slot.take());
                    let Some((line, draft)) = taken else { continue };
                    let record = draft.register(passwords).map_err(|failure| {
                        failure
                            .problems
                            .into_iter()
                            .map(|p| p.at_line(line))
                            .collect()
                    });
                    if let Ok(mut done) = done.lock() {
                        done.push((place, record));
                    }
                    bar.inc(1);
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_default();
    done.sort_by_key(|(place, _)| *place);
    let mut records = Vec::with_capacity(done.len());
    let mut problems = Vec::new();
    for (_, result) in done {
        match result {
            Ok(record) => records.push(record),
            Err(found) => problems.extend(found),
        }
    }
    if problems.is_empty() {
        Ok(records)
    } else {
        Err(problems)
    }
}

/// Nothing was imported, and these are all the reasons.
fn refused(arguments: &ImportStations, exit: Exit, mut problems: Vec<Problem>) -> Failure {
    problems.sort_by_key(|problem| problem.line);
    let file = arguments.file.display().to_string();
    let rows = problems.len();
    let mut problems: Vec<Problem> = problems
        .into_iter()
        .map(|problem| problem.in_file(file.clone()))
        .collect();
    problems.push(Problem::new(
        format!("nothing was imported: {rows} problems"),
        "Correct the rows named above and import the file again.",
    ));
    Failure { exit, problems }
}

fn tell(imported: usize, drawn: &[Drawn], output: &mut Output) -> Result<(), Failure> {
    if drawn.is_empty() || output.format() == Format::Json {
        let told = Imported {
            imported,
            passwords: drawn,
        };
        return output.result(&told, || format!("{imported} stations are registered."));
    }
    output.note(&format!(
        "{imported} stations are registered. The passwords that were drawn are shown this once:"
    ));
    output.result(&(), || {
        let mut text = String::from("identity,tenant,password\n");
        for row in drawn {
            text.push_str(&format!(
                "{},{},{}\n",
                quoted(&row.identity),
                row.tenant,
                row.password.as_str()
            ));
        }
        text
    })
}

/// A CSV field; identities of 1.6 may hold commas and quotes.
fn quoted(field: &str) -> String {
    match field.contains([',', '"']) {
        true => format!("\"{}\"", field.replace('"', "\"\"")),
        false => field.to_owned(),
    }
}
