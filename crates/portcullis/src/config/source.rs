//! The text that is being read: where everything stands in it, and what is wrong with it so far.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ops::Range;

use toml::Spanned;
use toml::de::DeTable;

use crate::Problem;

/// Longer than this, a problem's message is not read any more.
const PROBLEMS_MAX: usize = 100;

/// A value with the line it stands on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed<T> {
    /// The value.
    pub value: T,
    /// The line in the configuration file, from 1.
    pub line: usize,
}

impl<T> Placed<T> {
    /// Another value at the same place.
    pub fn with<U>(&self, value: U) -> Placed<U> {
        Placed {
            value,
            line: self.line,
        }
    }
}

/// The file that is being read, and what is wrong with it so far.
pub(super) struct Source<'t> {
    name: &'t str,
    text: &'t str,
    problems: RefCell<Vec<Problem>>,
    /// Every setting that was asked for, so that a test can hold the reference to it.
    pub(super) asked: RefCell<BTreeSet<(String, &'static str)>>,
    /// Every number that was asked for, with its least, its greatest and its default.
    #[cfg(test)]
    pub(super) numbers: RefCell<Vec<(String, &'static str, [u64; 3])>>,
}

impl<'t> Source<'t> {
    pub(super) fn new(name: &'t str, text: &'t str) -> Source<'t> {
        Source {
            name,
            text,
            problems: RefCell::default(),
            asked: RefCell::default(),
            #[cfg(test)]
            numbers: RefCell::default(),
        }
    }

    /// The file, as it was named to us.
    pub(super) fn name(&self) -> &'t str {
        self.name
    }

    pub(super) fn line(&self, span: &Range<usize>) -> usize {
        let end = span.start.min(self.text.len());
        1 + self.text.as_bytes()[..end]
            .iter()
            .filter(|byte| **byte == b'\n')
            .count()
    }

    pub(super) fn problem(&self, line: usize, what: impl Into<String>, remedy: impl Into<String>) {
        let mut problems = self.problems.borrow_mut();
        if problems.len() < PROBLEMS_MAX {
            problems.push(Problem::new(what, remedy).in_file(self.name).at_line(line));
        }
    }

    /// What the text says, unless it is not TOML: then every place where it is not is told. `like` is
    /// something to compare with.
    pub(super) fn document(&self, like: &str) -> Option<Spanned<DeTable<'t>>> {
        let (document, errors) = DeTable::parse_recoverable(self.text);
        for error in &errors {
            let line = self.line(&error.span().unwrap_or_default());
            let what = format!("this is not TOML: {}", error.message());
            let remedy = format!("See https://toml.io, or compare with {like}.");
            self.problem(line, what, remedy);
        }
        errors.is_empty().then_some(document)
    }

    #[cfg(test)]
    pub(super) fn asked(&self) -> BTreeSet<(String, &'static str)> {
        self.asked.borrow().clone()
    }

    /// What is wrong, from the top of the file to its end.
    pub(super) fn problems(self) -> Vec<Problem> {
        let mut problems = self.problems.into_inner();
        problems.sort_by_key(|problem| problem.line);
        problems
    }
}
