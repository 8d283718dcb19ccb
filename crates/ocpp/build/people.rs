//! The two files that people write: who may send an action, and what a field means.

use std::collections::BTreeMap;

use crate::facts::{self, Edition, Kind, Trouble};

const SENDERS: &str = "catalogue/senders.facts";
const MEANINGS: &str = "catalogue/meanings.facts";

/// The sender of each action, as the name of a `Sender`.
pub(crate) fn senders(
    text: &str,
    editions: &[Edition],
) -> Result<BTreeMap<String, &'static str>, Trouble> {
    let trouble = |line, what, remedy: &str| Trouble {
        file: SENDERS.to_owned(),
        line,
        what,
        remedy: remedy.to_owned(),
    };
    let mut senders = BTreeMap::new();
    for (number, line) in text.lines().enumerate() {
        let number = number + 1;
        let mut words = facts::content(line).split_whitespace();
        let Some(word) = words.next() else { continue };
        let sender = match word {
            "station" => "Station",
            "csms" => "Csms",
            "either" => "Either",
            _ => {
                let what = format!("`{word}` sends nothing");
                return Err(trouble(
                    number,
                    what,
                    "start the line with station, csms or either",
                ));
            }
        };
        for action in words {
            let known = editions
                .iter()
                .flat_map(|e| &e.actions)
                .any(|a| a.name == action);
            if !known {
                let what = format!("no version knows the action {action}");
                return Err(trouble(number, what, "correct its name"));
            }
            if senders.insert(action.to_owned(), sender).is_some() {
                let what = format!("{action} has a sender already");
                return Err(trouble(number, what, "name it once"));
            }
        }
    }
    for action in editions.iter().flat_map(|edition| &edition.actions) {
        if !senders.contains_key(&action.name) {
            let what = format!("nothing says who sends {}", action.name);
            return Err(trouble(
                1,
                what,
                "name it on a station, csms or either line",
            ));
        }
    }
    Ok(senders)
}

/// What a line of `meanings.facts` says of one pattern.
struct Said {
    meaning: String,
    line: usize,
    matched: bool,
}

/// Every field's meaning, by version, object and field, as the name of a `Meaning`.
pub(crate) type Meanings = BTreeMap<(String, String, String), String>;

/// Reads `meanings.facts` and settles the meaning of every field.
pub(crate) fn meanings(
    text: &str,
    known: &[String],
    editions: &[Edition],
) -> Result<Meanings, Trouble> {
    let mut said = read_patterns(text, known)?;
    let mut meanings = Meanings::new();
    for edition in editions {
        for object in &edition.objects {
            for field in &object.fields {
                let (version, object, name) = (&edition.version, &object.name, &field.name);
                // From the most to the least specific.
                let patterns = [
                    format!("{version}:{object}.{name}"),
                    format!("{object}.{name}"),
                    format!("{version}:*.{name}"),
                    format!("*.{name}"),
                ];
                let mut meaning = None;
                for pattern in &patterns {
                    if let Some(said) = said.get_mut(pattern) {
                        // A broader pattern counts as used as well: it is what holds elsewhere.
                        said.matched = true;
                        meaning.get_or_insert_with(|| said.meaning.clone());
                    }
                }
                if meaning.is_none() && is_text(&field.kind) {
                    let what = format!("nothing says what {object}.{name} means");
                    let remedy = format!("add `MEANING {object}.{name}` to {MEANINGS}");
                    return Err(edition.trouble(field.line, what, &remedy));
                }
                let key = (version.clone(), object.clone(), name.clone());
                meanings.insert(key, meaning.unwrap_or_else(|| "Plain".to_owned()));
            }
        }
    }
    match said.iter().find(|(_, said)| !said.matched) {
        Some((pattern, said)) => Err(trouble(
            said.line,
            format!("`{pattern}` matches no field of any version"),
            "correct it or take it out",
        )),
        None => Ok(meanings),
    }
}

fn is_text(kind: &Kind) -> bool {
    match kind {
        Kind::Text(_) => true,
        Kind::List { of, .. } => is_text(of),
        _ => false,
    }
}

fn trouble(line: usize, what: String, remedy: &str) -> Trouble {
    Trouble {
        file: MEANINGS.to_owned(),
        line,
        what,
        remedy: remedy.to_owned(),
    }
}

fn read_patterns(text: &str, known: &[String]) -> Result<BTreeMap<String, Said>, Trouble> {
    let mut patterns = BTreeMap::new();
    for (number, line) in text.lines().enumerate() {
        let line_number = number + 1;
        let mut words = facts::content(line).split_whitespace();
        let Some(word) = words.next() else { continue };
        let meaning = from_kebab(word);
        if !known.contains(&meaning) {
            let what = format!("`{word}` is no meaning");
            return Err(trouble(
                line_number,
                what,
                "src/meaning.rs lists them; write kebab-case",
            ));
        }
        for pattern in words {
            if !pattern.contains('.') {
                let what = format!("`{pattern}` is no pattern");
                let remedy = "write *.field, Object.field or 2.1:Object.field";
                return Err(trouble(line_number, what, remedy));
            }
            let said = Said {
                meaning: meaning.clone(),
                line: line_number,
                matched: false,
            };
            if let Some(first) = patterns.insert(pattern.to_owned(), said) {
                let what = format!("`{pattern}` stands on line {} as well", first.line);
                return Err(trouble(line_number, what, "name it once"));
            }
        }
    }
    Ok(patterns)
}

/// `vendor-data` is `VendorData`.
fn from_kebab(word: &str) -> String {
    word.split('-')
        .map(|part| {
            let mut letters = part.chars();
            let first = letters.next().map(|letter| letter.to_ascii_uppercase());
            first.into_iter().chain(letters).collect::<String>()
        })
        .collect()
}

/// `VendorData` is `vendor-data`.
pub(crate) fn to_kebab(name: &str) -> String {
    let mut word = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !word.is_empty() {
            word.push('-');
        }
        word.push(letter.to_ascii_lowercase());
    }
    word
}

/// The variants of `Meaning`, read from its source, so that there is one list of them.
pub(crate) fn variants(source: &str) -> Vec<String> {
    let body = source
        .split_once("pub enum Meaning {")
        .map_or("", |(_, body)| body);
    body.lines()
        .take_while(|line| !line.starts_with('}'))
        .filter_map(|line| line.trim().strip_suffix(','))
        .filter(|name| name.chars().all(|letter| letter.is_ascii_alphanumeric()))
        .map(str::to_owned)
        .collect()
}
