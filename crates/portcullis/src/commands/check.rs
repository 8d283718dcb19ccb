//! `portcullis check`: everything that is wrong with the configuration and the files it names.

use std::path::Path;

use serde::Serialize;
use store::KeyFile;

use crate::config::{Config, Materials};
use crate::health::{Finding, Level, exceptions};
use crate::output::Output;
use crate::{Exit, Failure, Problem};

#[derive(Serialize)]
struct Checked {
    ok: bool,
    listeners: usize,
    routes: usize,
    certificates: usize,
    /// Rules that were tried on their examples.
    rules: usize,
    /// What is right today, and will not always be.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    warnings: Vec<Finding>,
}

pub(crate) fn run(path: &Path, output: &mut Output) -> Result<(), Failure> {
    let config = Config::load(path)?;
    let mut problems = Vec::new();
    let key = &config.key_file;
    if let Err(error) = KeyFile::open(&key.value) {
        let problem = Problem::new(error.to_string(), error.remedy());
        problems.push(problem.in_file(config.name.clone()).at_line(key.line));
    }
    let certificates = match Materials::load(&config) {
        Ok(materials) => materials.certificates.len(),
        Err(found) => {
            problems.extend(found);
            0
        }
    };
    if !problems.is_empty() {
        problems.sort_by_key(|problem| problem.line);
        return Err(Failure {
            exit: Exit::Input,
            problems,
        });
    }
    let checked = Checked {
        ok: true,
        listeners: config.listeners.len(),
        routes: config.routes.len(),
        certificates,
        rules: config.policy.rules.texts().ids().count(),
        warnings: warnings(&config),
    };
    output.result(&checked, || {
        let mut text = format!(
            "{} is right: {} listeners, {} routes, {} certificates read, {} rules tried.",
            config.name, checked.listeners, checked.routes, checked.certificates, checked.rules
        );
        for Finding {
            subject,
            what,
            remedy,
            ..
        } in &checked.warnings
        {
            text.push_str(&format!("\nwarn  {subject}: {what}\n      → {remedy}"));
        }
        text
    })
}

fn warnings(config: &Config) -> Vec<Finding> {
    let mut findings = exceptions::look(&config.exceptions, crate::unix_seconds());
    findings.retain(|finding| finding.level > Level::Ok);
    findings
}
