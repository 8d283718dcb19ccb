//! A TOML table that is read key by key and remembers where everything stands, so that every
//! problem of a file is told in one go, each with its line. What was not asked for is unknown, and
//! being unknown is a problem.

use std::ops::RangeInclusive;
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::source::{Placed, Source};
use crate::nearest;

/// One table of the file.
pub(super) struct Section<'s> {
    source: &'s Source<'s>,
    /// As it is called in the file: `[[route]]`.
    name: String,
    table: Option<&'s DeTable<'s>>,
    asked: Vec<&'static str>,
    /// Where the table begins.
    pub(super) line: usize,
}

impl<'s> Section<'s> {
    pub(super) fn new(source: &'s Source<'s>, name: &str, table: &'s DeTable<'s>) -> Section<'s> {
        Section {
            source,
            name: name.to_owned(),
            table: Some(table),
            asked: Vec::new(),
            line: 1,
        }
    }

    pub(super) fn problem(&self, line: usize, what: impl Into<String>, remedy: impl Into<String>) {
        self.source.problem(line, what, remedy);
    }

    /// Tells of every key that nobody asked for. To be called when the section has been read.
    pub(super) fn finish(self) {
        for key in self.table.iter().flat_map(|table| table.keys()) {
            let name: &str = key.get_ref();
            if !self.asked.contains(&name) {
                let line = self.source.line(&key.span());
                let what = match self.name.as_str() {
                    "" => format!("there is no section `{name}`"),
                    section => format!("{section} has no setting `{name}`"),
                };
                self.problem(line, what, nearest::remedy(name, &self.asked));
            }
        }
    }

    fn take(&mut self, key: &'static str) -> Option<&'s Spanned<DeValue<'s>>> {
        self.asked.push(key);
        self.source
            .asked
            .borrow_mut()
            .insert((self.name.clone(), key));
        self.table?.get(key)
    }

    fn wrong_type(&self, key: &str, value: &Spanned<DeValue<'_>>, wanted: &str) {
        let line = self.source.line(&value.span());
        let found = value.get_ref().type_str();
        self.problem(
            line,
            format!("`{key}` is {} {found}", article(found)),
            format!("Write {wanted}."),
        );
    }

    /// A text, if there is one.
    pub(super) fn text(&mut self, key: &'static str) -> Option<Placed<String>> {
        let value = self.take(key)?;
        match value.get_ref().as_str() {
            Some("") => {
                let line = self.source.line(&value.span());
                self.problem(
                    line,
                    format!("`{key}` is empty"),
                    "Fill it in, or leave the line out.",
                );
                None
            }
            Some(text) => Some(Placed {
                value: text.to_owned(),
                line: self.source.line(&value.span()),
            }),
            None => {
                self.wrong_type(key, value, &format!("a text: {key} = \"…\""));
                None
            }
        }
    }

    /// A text that must be there.
    pub(super) fn needed_text(
        &mut self,
        key: &'static str,
        example: &str,
    ) -> Option<Placed<String>> {
        if self.table.is_some_and(|table| !table.contains_key(key)) {
            self.problem(
                self.line,
                format!("{} needs `{key}`", self.name),
                format!("Add: {key} = \"{example}\""),
            );
        }
        self.text(key)
    }

    /// A list of texts; one text alone counts as a list of one.
    pub(super) fn texts(&mut self, key: &'static str) -> Vec<Placed<String>> {
        let Some(value) = self.take(key) else {
            return Vec::new();
        };
        let items: Vec<&Spanned<DeValue<'_>>> = match value.get_ref() {
            DeValue::Array(items) => items.iter().collect(),
            _ => vec![value],
        };
        let mut texts = Vec::new();
        for item in items {
            match item.get_ref().as_str() {
                Some(text) => texts.push(Placed {
                    value: text.to_owned(),
                    line: self.source.line(&item.span()),
                }),
                None => self.wrong_type(key, item, &format!("texts: {key} = [\"…\"]")),
            }
        }
        texts
    }

    /// Yes or no.
    pub(super) fn flag(&mut self, key: &'static str, default: bool) -> bool {
        let Some(value) = self.take(key) else {
            return default;
        };
        value.get_ref().as_bool().unwrap_or_else(|| {
            self.wrong_type(key, value, &format!("{key} = true or {key} = false"));
            default
        })
    }

    /// A whole number within bounds.
    pub(super) fn number(
        &mut self,
        key: &'static str,
        bounds: RangeInclusive<u64>,
        default: u64,
    ) -> u64 {
        #[cfg(test)]
        self.source.numbers.borrow_mut().push((
            self.name.clone(),
            key,
            [*bounds.start(), *bounds.end(), default],
        ));
        let Some(value) = self.take(key) else {
            return default;
        };
        self.whole(key, value, bounds).unwrap_or(default)
    }

    fn whole(
        &self,
        key: &str,
        value: &Spanned<DeValue<'_>>,
        bounds: RangeInclusive<u64>,
    ) -> Option<u64> {
        let Some(integer) = value.get_ref().as_integer() else {
            self.wrong_type(
                key,
                value,
                &format!("a whole number: {key} = {}", bounds.start()),
            );
            return None;
        };
        let number = i128::from_str_radix(integer.as_str(), integer.radix()).ok();
        let fits = number.and_then(|number| u64::try_from(number).ok());
        fits.filter(|number| bounds.contains(number)).or_else(|| {
            self.problem(
                self.source.line(&value.span()),
                format!("`{key}` is {}", integer.as_str()),
                format!(
                    "Choose a number from {} to {}.",
                    bounds.start(),
                    bounds.end()
                ),
            );
            None
        })
    }

    /// A time in seconds within bounds.
    pub(super) fn seconds(
        &mut self,
        key: &'static str,
        bounds: RangeInclusive<u64>,
        default: Duration,
    ) -> Duration {
        Duration::from_secs(self.number(key, bounds, default.as_secs()))
    }

    /// One of a few words.
    pub(super) fn choice<T: Copy>(
        &mut self,
        key: &'static str,
        words: &[(&str, T)],
        default: T,
    ) -> T {
        let Some(text) = self.text(key) else {
            return default;
        };
        let found = words.iter().find(|(word, _)| *word == text.value);
        found.map(|(_, value)| *value).unwrap_or_else(|| {
            let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            self.problem(
                text.line,
                format!("`{key}` is \"{}\"", text.value),
                nearest::remedy(&text.value, &names),
            );
            default
        })
    }

    /// A table within this one; an empty one where there is none.
    pub(super) fn section(&mut self, key: &'static str) -> Section<'s> {
        let empty = Section {
            source: self.source,
            name: format!("[{key}]"),
            table: None,
            asked: Vec::new(),
            line: self.line,
        };
        let Some(value) = self.take(key) else {
            return empty;
        };
        let line = self.source.line(&value.span());
        match value.get_ref() {
            DeValue::Table(table) => Section {
                table: Some(table),
                line,
                ..empty
            },
            _ => {
                self.wrong_type(key, value, &format!("a section: [{key}]"));
                empty
            }
        }
    }

    /// Where a key stands; the table's own line where it is not written.
    pub(super) fn line_of(&self, key: &str) -> usize {
        let value = self.table.and_then(|table| table.get(key));
        value.map_or(self.line, |value| self.source.line(&value.span()))
    }

    /// Whether the key was written, however badly.
    pub(super) fn has(&self, key: &str) -> bool {
        self.table.is_some_and(|table| table.contains_key(key))
    }

    /// Whether the table was written at all.
    pub(super) fn is_there(&self) -> bool {
        self.table.is_some()
    }

    /// A list of tables.
    pub(super) fn sections(&mut self, key: &'static str) -> Vec<Section<'s>> {
        let Some(value) = self.take(key) else {
            return Vec::new();
        };
        let wanted = format!("a list of sections: [[{key}]]");
        let Some(items) = value.get_ref().as_array() else {
            self.wrong_type(key, value, &wanted);
            return Vec::new();
        };
        let mut sections = Vec::new();
        for item in items.iter() {
            match item.get_ref() {
                DeValue::Table(table) => sections.push(Section {
                    source: self.source,
                    name: format!("[[{key}]]"),
                    table: Some(table),
                    asked: Vec::new(),
                    line: self.source.line(&item.span()),
                }),
                _ => self.wrong_type(key, item, &wanted),
            }
        }
        sections
    }

    /// A table whose keys are names of the operator's choosing, each with a number.
    pub(super) fn numbers_by_name(
        &mut self,
        key: &'static str,
        bounds: RangeInclusive<u64>,
    ) -> Vec<(Placed<String>, u64)> {
        let section = self.section(key);
        let mut numbers = Vec::new();
        for (name, value) in section.table.iter().flat_map(|table| table.iter()) {
            let place = Placed {
                value: name.get_ref().to_string(),
                line: self.source.line(&name.span()),
            };
            if let Some(number) = section.whole(name.get_ref(), value, bounds.clone()) {
                numbers.push((place, number));
            }
        }
        numbers
    }
}

fn article(noun: &str) -> &'static str {
    if noun.starts_with(['a', 'e', 'i', 'o', 'u']) {
        "an"
    } else {
        "a"
    }
}
