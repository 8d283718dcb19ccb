//! Rules as data: the built-in ones, those of a directory, and `[[patch]]`. Read strictly, compiled,
//! and tried on their own examples before anything relies on them.

mod builtin;
mod read;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use guard::rules::{RuleFault, RuleTexts, Rules};

pub(super) use read::patch;

use super::source::Placed;
use super::table::Section;
use crate::Problem;

/// Files of a rules directory that are read; more is another directory.
const FILES_MAX: usize = 64;
/// Bytes of one of them.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Where rules come from, as the configuration says.
#[derive(Clone, Debug, Default)]
pub(crate) struct RuleSources {
    /// The operator's own files.
    directory: Option<Placed<PathBuf>>,
    /// Rules that are not to be used.
    off: Vec<Placed<String>>,
    /// Patches of the configuration itself.
    own: Gathered,
}

/// Rules, and where each was written.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gathered {
    pub(crate) texts: RuleTexts,
    places: BTreeMap<String, Place>,
}

/// A file and a line of it.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) file: String,
    pub(crate) line: usize,
}

impl Gathered {
    fn place(&mut self, id: &str, file: &str, line: usize) {
        let place = Place {
            file: file.to_owned(),
            line,
        };
        // The second of two rules with one id is the one to tell of.
        self.places.insert(id.to_owned(), place);
    }

    fn add(&mut self, more: &Gathered) {
        self.texts
            .injection
            .extend_from_slice(&more.texts.injection);
        self.texts.patches.extend_from_slice(&more.texts.patches);
        self.texts.keys.extend_from_slice(&more.texts.keys);
        self.places.extend(more.places.clone());
    }

    fn leave_out(&mut self, ids: &[Placed<String>]) {
        let used = |id: &str| !ids.iter().any(|off| off.value == id);
        self.texts.injection.retain(|rule| used(&rule.id));
        self.texts.patches.retain(|rule| used(&rule.id));
        self.texts.keys.retain(|rule| used(&rule.id));
    }

    fn problem(&self, id: &str, what: String, remedy: &str) -> Problem {
        let problem = Problem::new(format!("rule `{id}`: {what}"), remedy);
        match self.places.get(id) {
            Some(place) => problem.in_file(place.file.clone()).at_line(place.line),
            None => problem,
        }
    }

    /// Compiles and tries them.
    fn tried(&self) -> Result<Rules, Vec<Problem>> {
        let rules = Rules::new(self.texts.clone()).map_err(|faults| -> Vec<Problem> {
            let problem = |(id, fault): &(String, RuleFault)| {
                self.problem(id, fault.to_string(), remedy(fault))
            };
            faults.iter().map(problem).collect()
        })?;
        let missed: Vec<Problem> = rules
            .try_examples()
            .iter()
            .map(|(id, why)| {
                let remedy = "Mend its pattern, or its example: a rule does what its examples say.";
                self.problem(id, why.to_string(), remedy)
            })
            .collect();
        match missed.is_empty() {
            true => Ok(rules),
            false => Err(missed),
        }
    }
}

fn remedy(fault: &RuleFault) -> &'static str {
    match fault {
        RuleFault::Pattern(_) => "See https://docs.rs/regex for what a pattern may hold.",
        RuleFault::Anything => "Let it begin or end with the character that gives the text away.",
        RuleFault::Long => "Make two rules of it.",
        RuleFault::Many => "Join some, or take those out that your fleet does not need.",
        RuleFault::SameId => {
            "Give it another id, or set [rules] off = [\"…\"] for the built-in one."
        }
    }
}

/// The built-in rules, read and tried once.
static BUILT_IN: LazyLock<(Gathered, Vec<Problem>)> = LazyLock::new(|| {
    let mut all = Gathered::default();
    let mut problems = Vec::new();
    for (name, text) in builtin::FILES {
        let (gathered, found) = read::file(name, text);
        all.add(&gathered);
        problems.extend(found);
    }
    (all, problems)
});

/// The built-in rules alone, ready for use.
static PLAIN: LazyLock<Result<Arc<Rules>, Vec<Problem>>> = LazyLock::new(|| {
    let (built_in, problems) = &*BUILT_IN;
    match problems.is_empty() {
        true => built_in.tried().map(Arc::new),
        false => Err(problems.clone()),
    }
});

/// `[rules]` and `[[patch]]`.
pub(super) fn sources(root: &mut Section<'_>, name: &str, directory: &Path) -> RuleSources {
    let mut section = root.section("rules");
    let files = section.text("directory");
    let off = section.texts("off");
    for id in &off {
        if files.is_none() && !BUILT_IN.0.places.contains_key(&id.value) {
            section.problem(
                id.line,
                format!("there is no rule `{}`", id.value),
                "`portcullis rules list` shows them all.",
            );
        }
    }
    section.finish();
    let mut own = Gathered::default();
    for section in root.sections("patch") {
        let line = section.line;
        if let Some(patch) = patch(section) {
            own.place(&patch.id, name, line);
            own.texts.patches.push(patch);
        }
    }
    RuleSources {
        directory: files.map(|files| files.with(directory.join(&files.value))),
        off,
        own,
    }
}

impl RuleSources {
    /// The rules that need no file: the built-in ones and those of the configuration.
    pub(crate) fn without_files(&self) -> Result<Arc<Rules>, Vec<Problem>> {
        if self.off.is_empty() && self.own.places.is_empty() {
            return PLAIN.clone();
        }
        self.together(&Gathered::default())
    }

    /// All rules; the files of the directory are read.
    pub(crate) fn read(&self, config: &str) -> Result<Arc<Rules>, Vec<Problem>> {
        match &self.directory {
            None => self.without_files(),
            Some(directory) => {
                let files = files(directory).map_err(|what| {
                    let remedy =
                        "Name a directory with files like those of rules/, or take the line out.";
                    let problem = Problem::new(what, remedy);
                    vec![problem.in_file(config).at_line(directory.line)]
                })?;
                let mut all = Gathered::default();
                let mut problems = Vec::new();
                for (name, text) in &files {
                    let (gathered, found) = read::file(name, text);
                    all.add(&gathered);
                    problems.extend(found);
                }
                match problems.is_empty() {
                    true => self.together(&all),
                    false => Err(problems),
                }
            }
        }
    }

    /// The directory and the files that are in it now: what is to be watched for changes.
    pub(crate) fn paths(&self) -> Vec<PathBuf> {
        let Some(directory) = &self.directory else {
            return Vec::new();
        };
        let mut paths = vec![directory.value.clone()];
        paths.extend(listed(&directory.value).unwrap_or_default());
        paths
    }

    /// Whether there are files to read.
    pub(crate) fn has_files(&self) -> bool {
        self.directory.is_some()
    }

    fn together(&self, files: &Gathered) -> Result<Arc<Rules>, Vec<Problem>> {
        let (built_in, problems) = &*BUILT_IN;
        if !problems.is_empty() {
            return Err(problems.clone());
        }
        let mut all = built_in.clone();
        all.leave_out(&self.off);
        all.add(&self.own);
        let mut files = files.clone();
        files.leave_out(&self.off);
        all.add(&files);
        all.tried().map(Arc::new)
    }
}

fn listed(directory: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(directory)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|end| end == "toml"))
        .collect();
    paths.sort();
    Ok(paths)
}

/// The `.toml` files of a directory, in the order of their names, with their texts.
fn files(directory: &Placed<PathBuf>) -> Result<Vec<(String, String)>, String> {
    let shown = directory.value.display();
    let paths = listed(&directory.value).map_err(|error| format!("{shown}: {error}"))?;
    if paths.len() > FILES_MAX {
        return Err(format!("{shown}: more than {FILES_MAX} files"));
    }
    let read = |path: PathBuf| {
        let name = path.display().to_string();
        let length = std::fs::metadata(&path).map_or(0, |meta| meta.len());
        if length > FILE_BYTES_MAX {
            return Err(format!("{name}: longer than {FILE_BYTES_MAX} bytes"));
        }
        let text = std::fs::read_to_string(&path).map_err(|error| format!("{name}: {error}"))?;
        Ok((name, text))
    };
    paths.into_iter().map(read).collect()
}

#[cfg(test)]
mod tests;
