//! How the program says that something is wrong: where, what, and what to do about it. And the exit
//! code that goes with it, so that a script can tell the cases apart.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// The file it is in, as it was named to us.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The line of that file, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// What is wrong.
    pub what: String,
    /// What to do about it.
    pub remedy: String,
}

impl Problem {
    /// A problem that is in no file.
    pub fn new(what: impl Into<String>, remedy: impl Into<String>) -> Problem {
        Problem {
            file: None,
            line: None,
            what: what.into(),
            remedy: remedy.into(),
        }
    }

    /// The same problem, in this file.
    #[must_use]
    pub fn in_file(self, file: impl Into<String>) -> Problem {
        Problem {
            file: Some(file.into()),
            ..self
        }
    }

    /// The same problem, on this line.
    #[must_use]
    pub fn at_line(self, line: usize) -> Problem {
        Problem {
            line: Some(line),
            ..self
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.file, self.line) {
            (Some(file), Some(line)) => write!(out, "{file}:{line}: ")?,
            (Some(file), None) => write!(out, "{file}: ")?,
            (None, Some(line)) => write!(out, "line {line}: ")?,
            (None, None) => {}
        }
        write!(out, "{}", self.what)?;
        if !self.remedy.is_empty() {
            write!(out, "\n  → {}", self.remedy)?;
        }
        Ok(())
    }
}

/// How the program ends. The numbers are a promise to scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Exit {
    /// 1: it was tried and failed: a file, the store, the network.
    Failed = 1,
    /// 2: the command line, the configuration or an input file is wrong.
    Input = 2,
    /// 3: what was asked for is not there.
    NotFound = 3,
    /// 4: what was to be made is there already, or is at odds with what is.
    Conflict = 4,
    /// 5: `doctor` found something that keeps the gate from working.
    Unhealthy = 5,
}

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub struct Failure {
    /// The exit code.
    pub exit: Exit,
    /// Everything that is wrong, at once.
    pub problems: Vec<Problem>,
}

impl Failure {
    /// A failure with one problem.
    pub fn new(exit: Exit, what: impl Into<String>, remedy: impl Into<String>) -> Failure {
        Failure {
            exit,
            problems: vec![Problem::new(what, remedy)],
        }
    }
}

impl From<Vec<Problem>> for Failure {
    /// Problems of the configuration.
    fn from(problems: Vec<Problem>) -> Failure {
        Failure {
            exit: Exit::Input,
            problems,
        }
    }
}

impl From<store::StoreError> for Failure {
    fn from(error: store::StoreError) -> Failure {
        let exit = match &error {
            store::StoreError::Unknown { .. } => Exit::NotFound,
            error if error.is_conflict() => Exit::Conflict,
            _ => Exit::Failed,
        };
        Failure::new(exit, error.to_string(), error.remedy())
    }
}

impl From<store::KeyFileError> for Failure {
    fn from(error: store::KeyFileError) -> Failure {
        let exit = match &error {
            store::KeyFileError::Exists(_) => Exit::Conflict,
            store::KeyFileError::Missing(_) => Exit::NotFound,
            store::KeyFileError::NotAKey(_) => Exit::Input,
            store::KeyFileError::Io { .. } => Exit::Failed,
        };
        Failure::new(exit, error.to_string(), error.remedy())
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Failure {
        Failure::new(Exit::Failed, error.to_string(), "")
    }
}
