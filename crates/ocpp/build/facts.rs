//! Reads a `.facts` file (`crates/ocpp/catalogue/README.md`) into plain values, and says file, line
//! and remedy of whatever it cannot read.

use std::collections::BTreeMap;
use std::fmt;

/// What is wrong with a file of the catalogue.
#[derive(Debug)]
pub(crate) struct Trouble {
    pub(crate) file: String,
    pub(crate) line: usize,
    pub(crate) what: String,
    pub(crate) remedy: String,
}

impl fmt::Display for Trouble {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Trouble {
            file,
            line,
            what,
            remedy,
        } = self;
        write!(out, "{file}:{line}: {what}; {remedy}")
    }
}

/// One version's messages.
#[derive(Debug, Default)]
pub(crate) struct Edition {
    pub(crate) file: String,
    /// `1.6`, `2.0.1` or `2.1`.
    pub(crate) version: String,
    pub(crate) choices: Vec<Choice>,
    pub(crate) objects: Vec<Object>,
    pub(crate) actions: Vec<Action>,
}

#[derive(Debug)]
pub(crate) struct Choice {
    pub(crate) name: String,
    pub(crate) values: Vec<String>,
    pub(crate) line: usize,
}

#[derive(Debug)]
pub(crate) struct Object {
    pub(crate) name: String,
    pub(crate) open: bool,
    pub(crate) fields: Vec<Field>,
    pub(crate) line: usize,
}

#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) required: bool,
    pub(crate) kind: Kind,
    pub(crate) line: usize,
}

#[derive(Debug, PartialEq)]
pub(crate) enum Kind {
    Text(Option<u32>),
    DateTime(Option<u32>),
    Choice(String),
    Integer {
        min: Option<i64>,
        max: Option<i64>,
        lenient: bool,
    },
    Number {
        min: Option<f64>,
        max: Option<f64>,
        decimals: Option<u8>,
    },
    Boolean,
    Any,
    Object(String),
    List {
        min: u32,
        max: Option<u32>,
        of: Box<Kind>,
    },
}

#[derive(Debug)]
pub(crate) struct Action {
    pub(crate) name: String,
    pub(crate) request: String,
    pub(crate) answer: Option<String>,
    pub(crate) line: usize,
}

impl Edition {
    pub(crate) fn trouble(&self, line: usize, what: impl Into<String>, remedy: &str) -> Trouble {
        Trouble {
            file: self.file.clone(),
            line,
            what: what.into(),
            remedy: remedy.to_owned(),
        }
    }
}

/// A line without its comment. `#` starts one where a line or a word starts.
pub(crate) fn content(line: &str) -> &str {
    let comment = line.char_indices().find(|&(at, letter)| {
        letter == '#'
            && line[..at]
                .chars()
                .next_back()
                .is_none_or(char::is_whitespace)
    });
    line[..comment.map_or(line.len(), |(at, _)| at)].trim_end()
}

enum Block {
    None,
    Choice,
    Object,
    Action,
}

/// Reads a version's file.
pub(crate) fn read(file: &str, text: &str) -> Result<Edition, Trouble> {
    let mut edition = Edition {
        file: file.to_owned(),
        ..Edition::default()
    };
    let mut block = Block::None;
    for (number, line) in text.lines().enumerate() {
        let (number, line) = (number + 1, content(line));
        if line.is_empty() {
            continue;
        }
        let Some(inner) = line.strip_prefix("  ") else {
            block = open_block(&mut edition, number, line)?;
            continue;
        };
        match block {
            Block::Choice => edition.add_value(inner),
            Block::Object => edition.add_field(number, inner)?,
            Block::Action => edition.add_payload(number, inner)?,
            Block::None => {
                return Err(edition.trouble(
                    number,
                    "a line that belongs to no block",
                    "put `choice`, `object` or `action NAME` at the left margin above it",
                ));
            }
        }
    }
    check(&edition)?;
    Ok(edition)
}

fn open_block(edition: &mut Edition, line: usize, text: &str) -> Result<Block, Trouble> {
    let words: Vec<&str> = text.split_whitespace().collect();
    match words.as_slice() {
        ["version", version] => {
            edition.version = (*version).to_owned();
            Ok(Block::None)
        }
        ["choice", name] => {
            let name = (*name).to_owned();
            edition.choices.push(Choice {
                name,
                values: Vec::new(),
                line,
            });
            Ok(Block::Choice)
        }
        ["object", name] | ["open", "object", name] => {
            let (name, open) = ((*name).to_owned(), words.len() == 3);
            edition.objects.push(Object {
                name,
                open,
                fields: Vec::new(),
                line,
            });
            Ok(Block::Object)
        }
        ["action", name] => {
            let name = (*name).to_owned();
            edition.actions.push(Action {
                name,
                request: String::new(),
                answer: None,
                line,
            });
            Ok(Block::Action)
        }
        _ => Err(edition.trouble(
            line,
            format!("no block starts with `{text}`"),
            "write `version V`, `choice NAME`, `object NAME`, `open object NAME` or `action NAME`",
        )),
    }
}

impl Edition {
    fn add_value(&mut self, text: &str) {
        if let Some(choice) = self.choices.last_mut() {
            choice.values.push(text.trim().to_owned());
        }
    }

    fn add_field(&mut self, line: usize, text: &str) -> Result<(), Trouble> {
        let mut words = text.split_whitespace();
        let name = words.next().unwrap_or_default();
        let required = name.ends_with('!');
        let name = name.trim_end_matches('!').to_owned();
        let words: Vec<&str> = words.collect();
        let Some(kind) = kind(&words) else {
            return Err(self.trouble(
                line,
                format!("`{}` is no kind", words.join(" ")),
                "the kinds are listed in catalogue/README.md",
            ));
        };
        if let Some(object) = self.objects.last_mut() {
            object.fields.push(Field {
                name,
                required,
                kind,
                line,
            });
        }
        Ok(())
    }

    fn add_payload(&mut self, line: usize, text: &str) -> Result<(), Trouble> {
        let words: Vec<&str> = text.split_whitespace().collect();
        match (words.as_slice(), self.actions.last_mut()) {
            (["request", name], Some(action)) => action.request = (*name).to_owned(),
            (["answer", name], Some(action)) => action.answer = Some((*name).to_owned()),
            _ => {
                return Err(self.trouble(
                    line,
                    format!("an action has no `{}`", text.trim()),
                    "write `request OBJECT` or `answer OBJECT`",
                ));
            }
        }
        Ok(())
    }
}

fn kind(words: &[&str]) -> Option<Kind> {
    let (first, rest) = words.split_first()?;
    Some(match (*first, rest) {
        ("text", rest) => Kind::Text(length(rest)?),
        ("datetime", rest) => Kind::DateTime(length(rest)?),
        ("choice", [name]) => Kind::Choice((*name).to_owned()),
        ("object", [name]) => Kind::Object((*name).to_owned()),
        ("integer" | "whole", rest) => {
            let (min, max) = match rest {
                [] => (None, None),
                [bounds] => range(bounds)?,
                _ => return None,
            };
            Kind::Integer {
                min,
                max,
                lenient: *first == "whole",
            }
        }
        ("number", rest) => {
            let (rest, decimals) = match rest {
                [rest @ .., "step", step] => (rest, Some(decimals(step)?)),
                rest => (rest, None),
            };
            let (min, max) = match rest {
                [] => (None, None),
                [bounds] => range(bounds)?,
                _ => return None,
            };
            Kind::Number { min, max, decimals }
        }
        ("boolean", []) => Kind::Boolean,
        ("any", []) => Kind::Any,
        ("list", [bounds, of @ ..]) => {
            let (min, max) = range::<u32>(bounds)?;
            Kind::List {
                min: min.unwrap_or(0),
                max,
                of: Box::new(kind(of)?),
            }
        }
        _ => return None,
    })
}

fn length(words: &[&str]) -> Option<Option<u32>> {
    match words {
        [] => Some(None),
        [max] => max.parse().ok().map(Some),
        _ => None,
    }
}

/// `1..5`, `1..`, `..5`.
fn range<T: std::str::FromStr>(text: &str) -> Option<(Option<T>, Option<T>)> {
    let (low, high) = text.split_once("..")?;
    let bound = |text: &str| match text {
        "" => Some(None),
        text => text.parse().ok().map(Some),
    };
    Some((bound(low)?, bound(high)?))
}

/// The n of a step of 10^-n, written out: 1 for `0.1`.
fn decimals(step: &str) -> Option<u8> {
    if step == "1" {
        return Some(0);
    }
    let digits = step.strip_prefix("0.")?;
    let zeros = digits.strip_suffix('1')?;
    zeros.bytes().all(|digit| digit == b'0').then_some(())?;
    u8::try_from(digits.len()).ok()
}

/// Everything named is defined once, and what is used is defined.
fn check(edition: &Edition) -> Result<(), Trouble> {
    if !["1.6", "2.0.1", "2.1"].contains(&edition.version.as_str()) {
        let what = format!("version `{}` is none we read", edition.version);
        return Err(edition.trouble(1, what, "write `version 1.6`, `2.0.1` or `2.1` at the top"));
    }
    let mut known: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let names = (edition
        .choices
        .iter()
        .map(|c| ("choice", c.name.as_str(), c.line)))
    .chain(
        edition
            .objects
            .iter()
            .map(|o| ("object", o.name.as_str(), o.line)),
    )
    .chain(
        edition
            .actions
            .iter()
            .map(|a| ("action", a.name.as_str(), a.line)),
    );
    for (what, name, line) in names {
        if let Some(first) = known.insert((what, name), line) {
            let what = format!("{what} {name} stands on line {first} as well");
            return Err(edition.trouble(line, what, "take one of them out"));
        }
    }
    for object in &edition.objects {
        if object.fields.len() > 64 {
            let what = format!("object {} has more than 64 fields", object.name);
            return Err(edition.trouble(object.line, what, "widen `Schema::required` first"));
        }
        for field in &object.fields {
            check_kind(edition, &known, field.line, &field.kind)?;
        }
    }
    for action in &edition.actions {
        for name in std::iter::once(&action.request).chain(&action.answer) {
            check_kind(edition, &known, action.line, &Kind::Object(name.clone()))?;
        }
    }
    Ok(())
}

fn check_kind(
    edition: &Edition,
    known: &BTreeMap<(&str, &str), usize>,
    line: usize,
    kind: &Kind,
) -> Result<(), Trouble> {
    let used = match kind {
        Kind::Choice(name) => ("choice", name.as_str()),
        Kind::Object(name) => ("object", name.as_str()),
        Kind::List { of, .. } => return check_kind(edition, known, line, of),
        _ => return Ok(()),
    };
    if known.contains_key(&used) {
        return Ok(());
    }
    let what = format!("no {} is called `{}`", used.0, used.1);
    Err(edition.trouble(line, what, "define it in this file, or correct the name"))
}
