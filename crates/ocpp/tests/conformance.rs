//! The reader against the official schemas: every case that `tools/conformance/` wrote, and what the
//! schemas say of it. `make conformance` writes the cases and runs this.
#![expect(
    clippy::disallowed_methods,
    reason = "the cases are files, and a variable says where they lie"
)]
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test says what it saw, and stops where the cases are not as written"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use ocpp::catalogue::{self, ActionFacts};
use ocpp::{Frame, Limits, Message, OpenCalls, Reader, SchemaFault, Side, Version};
use serde_json::Value;

const FILES: usize = 387;
const CASES_PER_FILE: usize = 200;
const MISMATCHES_SHOWN: usize = 20;

#[test]
fn every_verdict_is_the_schemas_verdict() {
    let Ok(directory) = std::env::var("CONFORMANCE_CASES") else {
        println!("no cases here: run `make conformance`, which writes them");
        return;
    };
    let files = files_of(Path::new(&directory));
    assert_eq!(files.len(), FILES, "files of cases in {directory}");
    let mut tally = Tally::default();
    for file in files {
        let cases = fs::read_to_string(&file).unwrap();
        let before = tally.cases;
        for line in cases.lines() {
            tally.count(&Case::read(line));
        }
        assert!(
            tally.cases - before >= CASES_PER_FILE,
            "{} holds {} cases",
            file.display(),
            tally.cases - before
        );
    }
    tally.report();
    assert_eq!(
        tally.mismatches, 0,
        "verdicts that differ from the schemas'"
    );
}

fn files_of(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap();
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "jsonl")
        })
        .collect();
    files.sort();
    files
}

/// One payload, and what its schema says of it.
struct Case {
    action: &'static ActionFacts,
    is_answer: bool,
    label: String,
    payload: String,
    valid: bool,
}

impl Case {
    fn read(line: &str) -> Case {
        let said: Value = serde_json::from_str(line).unwrap();
        let text = |key: &str| said[key].as_str().unwrap().to_owned();
        let version = Version::from_number(&text("version")).unwrap();
        Case {
            action: catalogue::action(version, &text("action")).unwrap(),
            is_answer: text("role") == "answer",
            label: text("label"),
            payload: text("payload"),
            valid: said["valid"].as_bool().unwrap(),
        }
    }

    /// The payload in the envelope it travels in.
    fn message(&self) -> String {
        let Case {
            action, payload, ..
        } = self;
        match (self.is_answer, action.answer) {
            (true, _) => format!("[3,\"x\",{payload}]"),
            (false, Some(_)) => format!("[2,\"x\",\"{}\",{payload}]", action.name),
            (false, None) => format!("[6,\"x\",\"{}\",{payload}]", action.name),
        }
    }
}

/// A conversation in which exactly the case's action is open.
struct OneOpen(&'static ActionFacts);

impl OpenCalls for OneOpen {
    fn action_of(&self, _asker: Side, id: &str) -> Option<Option<&'static ActionFacts>> {
        (id == "x").then_some(Some(self.0))
    }
}

#[derive(Default)]
struct Tally {
    reader: Reader,
    cases: usize,
    mismatches: usize,
    /// Valid and invalid cases of each version.
    versions: BTreeMap<Version, [usize; 2]>,
}

impl Tally {
    fn count(&mut self, case: &Case) {
        let message = case.message();
        let open = OneOpen(case.action);
        let version = case.action.version;
        let frame = Frame::text(message.as_bytes());
        let read = self
            .reader
            .read(frame, Side::Station, version, &schemas_only(), &open);
        let verdict = faults(&read);
        self.cases += 1;
        self.versions.entry(version).or_default()[usize::from(!case.valid)] += 1;
        if verdict
            .as_ref()
            .is_ok_and(|faults| faults.is_empty() == case.valid)
        {
            return;
        }
        self.mismatches += 1;
        if self.mismatches <= MISMATCHES_SHOWN {
            let shown: String = case.payload.chars().take(600).collect();
            println!(
                "{version} {} ({}): schema says {}, reader says {verdict:?}\n    {shown}",
                case.action.name,
                case.label,
                if case.valid { "valid" } else { "invalid" },
            );
        }
    }

    fn report(&self) {
        for (version, [valid, invalid]) in &self.versions {
            println!("OCPP {version}: {valid} valid and {invalid} invalid payloads");
        }
        println!("{} cases, {} mismatches", self.cases, self.mismatches);
    }
}

/// Our own caps as wide as they go: they are not the schemas' matter.
fn schemas_only() -> Limits {
    Limits {
        message_bytes_max: Limits::MESSAGE_BYTES_MAX,
        action_bytes_max: Vec::new(),
        list_items_max: u32::MAX,
    }
}

/// The schema faults of a message, or why there is no verdict at all.
fn faults<'m>(message: &Message<'m>) -> Result<&'m [SchemaFault], String> {
    match message {
        Message::Call(call) | Message::Send(call) => Ok(call.faults),
        Message::Answer(answer) if answer.action.is_some() => Ok(answer.faults),
        Message::Answer(_) => Err("an answer to no call".to_owned()),
        Message::Unreadable(unreadable) => Err(unreadable.fault.to_string()),
    }
}
