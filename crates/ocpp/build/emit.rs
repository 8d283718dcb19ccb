//! Writes the catalogue as Rust statics, for `src/catalogue/tables.rs` to include.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::facts::{Edition, Kind, Object};
use crate::people::Meanings;
use crate::{people, perfect, words};

/// Everything that one version's tables need.
pub(crate) struct Tables<'a> {
    edition: &'a Edition,
    meanings: &'a Meanings,
    senders: &'a BTreeMap<String, &'static str>,
    /// `V16`: the variant of `Version`, and the prefix of every static.
    tag: String,
}

impl<'a> Tables<'a> {
    pub(crate) fn new(
        edition: &'a Edition,
        meanings: &'a Meanings,
        senders: &'a BTreeMap<String, &'static str>,
    ) -> Tables<'a> {
        let tag = format!("V{}", edition.version.replace('.', ""));
        Tables {
            edition,
            meanings,
            senders,
            tag,
        }
    }

    pub(crate) fn write(&self, out: &mut String) -> Result<(), String> {
        for (place, choice) in self.edition.choices.iter().enumerate() {
            let values: Vec<&str> = choice.values.iter().map(String::as_str).collect();
            push(
                out,
                format!(
                    "static {}_C{place}: Choice = Choice {{ name: {:?}, values: &{values:?}, names: {} }};",
                    self.tag,
                    choice.name,
                    names(&values)?,
                ),
            );
        }
        for (place, object) in self.edition.objects.iter().enumerate() {
            self.object(out, place, object)?;
        }
        self.actions(out)
    }

    fn object(&self, out: &mut String, place: usize, object: &Object) -> Result<(), String> {
        let keys: Vec<&str> = object.fields.iter().map(|f| f.name.as_str()).collect();
        let mut required = 0_u64;
        let mut fields = String::new();
        for (bit, field) in object.fields.iter().enumerate() {
            required |= u64::from(field.required) << bit;
            let key = (
                self.edition.version.clone(),
                object.name.clone(),
                field.name.clone(),
            );
            let meaning = self.meanings.get(&key).map_or("Plain", String::as_str);
            push(
                &mut fields,
                format!(
                    "    Field {{ name: {:?}, kind: {}, meaning: Meaning::{meaning} }},",
                    field.name,
                    self.kind(&field.kind),
                ),
            );
        }
        push(
            out,
            format!(
                "static {}_S{place}: Schema = Schema {{ name: {:?}, open: {}, required: {required:#x}, \
             names: {}, fields: &[\n{fields}] }};",
                self.tag,
                object.name,
                object.open,
                names(&keys)?,
            ),
        );
        Ok(())
    }

    fn actions(&self, out: &mut String) -> Result<(), String> {
        let mut rows = String::new();
        let named: Vec<&str> = self
            .edition
            .actions
            .iter()
            .map(|a| a.name.as_str())
            .collect();
        for (index, action) in self.edition.actions.iter().enumerate() {
            let answer = match &action.answer {
                Some(name) => format!("Some(&{})", self.schema(name)),
                None => "None".to_owned(),
            };
            push(
                &mut rows,
                format!(
                    "    ActionFacts {{ name: {:?}, version: Version::{}, sender: Sender::{}, \
                 request: &{}, answer: {answer}, index: {index} }},",
                    action.name,
                    self.tag,
                    self.senders.get(&action.name).copied().unwrap_or_default(),
                    self.schema(&action.request),
                ),
            );
        }
        push(
            out,
            format!(
                "pub(super) static {}_ACTIONS: &[ActionFacts] = &[\n{rows}];",
                self.tag
            ),
        );
        push(
            out,
            format!(
                "pub(super) static {}_NAMES: Names = {};",
                self.tag,
                names(&named)?
            ),
        );
        Ok(())
    }

    fn schema(&self, name: &str) -> String {
        let place = self
            .edition
            .objects
            .iter()
            .position(|object| object.name == name);
        format!("{}_S{}", self.tag, place.unwrap_or(usize::MAX))
    }

    fn kind(&self, kind: &Kind) -> String {
        match kind {
            Kind::Text(max) => format!("Kind::Text {{ max: {} }}", bound(*max)),
            Kind::DateTime(max) => format!("Kind::DateTime {{ max: {} }}", bound(*max)),
            Kind::Choice(name) => {
                let place = self
                    .edition
                    .choices
                    .iter()
                    .position(|choice| choice.name == *name);
                format!(
                    "Kind::Choice(&{}_C{})",
                    self.tag,
                    place.unwrap_or(usize::MAX)
                )
            }
            Kind::Integer { min, max, lenient } => format!(
                "Kind::Integer {{ min: {}, max: {}, lenient: {lenient} }}",
                min.map_or("i64::MIN".to_owned(), |min| min.to_string()),
                max.map_or("i64::MAX".to_owned(), |max| max.to_string()),
            ),
            Kind::Number { min, max, decimals } => format!(
                "Kind::Number {{ min: {}, max: {}, decimals: {} }}",
                min.map_or("f64::NEG_INFINITY".to_owned(), |min| format!("{min:?}")),
                max.map_or("f64::INFINITY".to_owned(), |max| format!("{max:?}")),
                decimals.map_or("u8::MAX".to_owned(), |places| places.to_string()),
            ),
            Kind::Boolean => "Kind::Boolean".to_owned(),
            Kind::Any => "Kind::Any".to_owned(),
            Kind::Object(name) => format!("Kind::Object(&{})", self.schema(name)),
            Kind::List { min, max, of } => format!(
                "Kind::List {{ of: &{}, min: {min}, max: {} }}",
                self.kind(of),
                bound(*max),
            ),
        }
    }
}

/// Every meaning with its name, in the order of the variants.
pub(crate) fn meanings(known: &[String]) -> String {
    let rows: Vec<String> = known
        .iter()
        .map(|name| format!("({:?}, Meaning::{name})", people::to_kebab(name)))
        .collect();
    let rows = rows.join(", ");
    format!("pub(crate) static MEANINGS: &[(&str, Meaning)] = &[{rows}];\n")
}

fn bound(max: Option<u32>) -> String {
    max.map_or("u32::MAX".to_owned(), |max| max.to_string())
}

fn names(names: &[&str]) -> Result<String, String> {
    let found = perfect::search(names)?;
    let mut rows = String::new();
    for name in names {
        let words::Words(first, second, third) = words::words(name.as_bytes(), 0, name.len());
        rows += &format!(
            "Name {{ words: Words({first:#x}, {second:#x}, {third:#x}), text: {name:?} }}, "
        );
    }
    Ok(format!(
        "Names {{ multiplier: {:#x}, shift: {}, slots: &{:?}, names: &[{rows}] }}",
        found.multiplier, found.shift, found.slots,
    ))
}

fn push(out: &mut String, line: String) {
    // Writing to a String cannot fail.
    let _ = writeln!(out, "{line}");
}
