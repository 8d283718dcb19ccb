//! Compiles the catalogue (`catalogue/*.facts`) into the static tables that the reader walks.
#![expect(
    clippy::disallowed_methods,
    reason = "a build script reads files; the crate that it builds does not"
)]

use std::io::Write as _;
use std::process::ExitCode;
use std::{env, fs, io};

#[path = "build/emit.rs"]
mod emit;
#[path = "build/facts.rs"]
mod facts;
#[path = "build/people.rs"]
mod people;
#[path = "build/perfect.rs"]
mod perfect;
#[path = "src/catalogue/words.rs"]
mod words;

const EDITIONS: [&str; 3] = ["v16", "v201", "v21"];

fn main() -> ExitCode {
    match compile() {
        Ok(()) => ExitCode::SUCCESS,
        Err(what) => {
            let _ = writeln!(io::stderr(), "crates/ocpp/{what}");
            ExitCode::FAILURE
        }
    }
}

fn compile() -> Result<(), String> {
    let editions = EDITIONS
        .iter()
        .map(|name| {
            let path = format!("catalogue/{name}.facts");
            facts::read(&path, &read(&path)?).map_err(|trouble| trouble.to_string())
        })
        .collect::<Result<Vec<_>, _>>()?;
    let known = people::variants(&read("src/meaning.rs")?);
    let senders = people::senders(&read("catalogue/senders.facts")?, &editions);
    let senders = senders.map_err(|trouble| trouble.to_string())?;
    let meanings = people::meanings(&read("catalogue/meanings.facts")?, &known, &editions);
    let meanings = meanings.map_err(|trouble| trouble.to_string())?;

    let mut tables = emit::meanings(&known);
    for edition in &editions {
        emit::Tables::new(edition, &meanings, &senders).write(&mut tables)?;
    }
    let folder = env::var("OUT_DIR").map_err(|error| error.to_string())?;
    fs::write(format!("{folder}/catalogue.rs"), tables).map_err(|error| error.to_string())
}

/// Reads a file and asks Cargo to build again when it changes.
fn read(path: &str) -> Result<String, String> {
    let _ = writeln!(io::stdout(), "cargo::rerun-if-changed={path}");
    fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))
}
