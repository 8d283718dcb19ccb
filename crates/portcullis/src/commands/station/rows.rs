//! A file of stations, read row by row: CSV or JSON, the same columns, every bad row with its line.

use std::collections::BTreeMap;

use guard::{PasswordForm, Secret};
use serde_json::value::RawValue;

use super::draft::{self, Draft, Proof};
use super::secret;
use crate::{Problem, nearest};

/// What a row may say.
const COLUMNS: [&str; 14] = [
    "identity",
    "tenant",
    "password_text",
    "password_hex",
    "machine_made",
    "certificate_sha256",
    "certificate_name",
    "versions",
    "unnamed",
    "by_exception",
    "upstream_password",
    "maker",
    "model",
    "enabled",
];

/// A row as it stands in the file: what is empty is not there.
pub(super) struct Row {
    pub(super) line: usize,
    fields: BTreeMap<&'static str, String>,
}

/// What was read, and what could not be.
#[derive(Default)]
pub(super) struct Rows {
    pub(super) rows: Vec<Row>,
    pub(super) problems: Vec<Problem>,
}

impl Rows {
    fn problem(&mut self, line: usize, what: impl Into<String>, remedy: impl Into<String>) {
        self.problems.push(Problem::new(what, remedy).at_line(line));
    }
}

/// Reads comma-separated values with a header line.
pub(super) fn from_csv(text: &[u8]) -> Rows {
    let mut rows = Rows::default();
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::Headers)
        .from_reader(text);
    let header = match reader.headers() {
        Ok(names) => header(names, &mut rows),
        Err(error) => {
            rows.problem(1, format!("this is not CSV: {error}"), SAVE_AS);
            Vec::new()
        }
    };
    if !rows.problems.is_empty() {
        return rows;
    }
    let mut record = csv::StringRecord::new();
    loop {
        let line = usize::try_from(reader.position().line()).unwrap_or(usize::MAX);
        match reader.read_record(&mut record) {
            Ok(false) => return rows,
            Ok(true) => {
                let line = record.position().map_or(line, |at| at.line() as usize);
                let fields = header.iter().zip(record.iter());
                let fields = fields.filter_map(|(name, value)| {
                    let value = trimmed(name, value);
                    (!value.is_empty()).then(|| (*name, value.to_owned()))
                });
                rows.rows.push(Row {
                    line,
                    fields: fields.collect(),
                });
            }
            Err(error) => {
                let line = error.position().map_or(line, |at| at.line() as usize);
                rows.problem(line, unreadable(&error), SAVE_AS);
            }
        }
    }
}

const SAVE_AS: &str = "Quote fields that hold a comma, and save as CSV in UTF-8.";

/// The columns that the header names, each once.
fn header(names: &csv::StringRecord, rows: &mut Rows) -> Vec<&'static str> {
    let mut header = Vec::new();
    for name in names {
        let Some(name) = column(name, 1, rows) else {
            continue;
        };
        if header.contains(&name) {
            let what = format!("the column `{name}` is there twice");
            rows.problem(1, what, "Leave one of the two.");
        }
        header.push(name);
    }
    if rows.problems.is_empty() && !header.contains(&"identity") {
        let columns = format!("Columns: {}.", COLUMNS.join(", "));
        rows.problem(1, "there is no column `identity`", columns);
    }
    header
}

/// A space at either end of a password is part of it; anywhere else it is an accident.
fn trimmed<'v>(column: &str, value: &'v str) -> &'v str {
    match column {
        "password_text" | "upstream_password" => value,
        _ => value.trim(),
    }
}

fn unreadable(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::UnequalLengths {
            expected_len, len, ..
        } => format!("this row has {len} fields, and the header {expected_len}"),
        csv::ErrorKind::Utf8 { .. } => "this row is not UTF-8".to_owned(),
        _ => format!("this row cannot be read: {error}"),
    }
}

/// Reads a JSON list of objects.
pub(super) fn from_json(text: &[u8]) -> Rows {
    let mut rows = Rows::default();
    let Ok(text) = std::str::from_utf8(text) else {
        rows.problem(1, "the file is not UTF-8", "Save it as UTF-8.");
        return rows;
    };
    let items: Vec<&RawValue> = match serde_json::from_str(text) {
        Ok(items) => items,
        Err(error) => {
            let what = format!("this is no JSON list: {error}");
            rows.problem(error.line(), what, "Write [{\"identity\": \"…\"}, …].");
            return rows;
        }
    };
    for item in items {
        // A raw value is a piece of the text itself, so its place in memory tells its line.
        let offset = item.get().as_ptr() as usize - text.as_ptr() as usize;
        let line = 1 + text.as_bytes()[..offset]
            .iter()
            .filter(|byte| **byte == b'\n')
            .count();
        match serde_json::from_str(item.get()) {
            Ok(object) => {
                let fields = fields(&object, line, &mut rows);
                rows.rows.push(Row { line, fields });
            }
            Err(_) => rows.problem(
                line,
                "this is no JSON object",
                "Write {\"identity\": \"…\"}.",
            ),
        }
    }
    rows
}

/// The values of a JSON object under the columns' names.
fn fields(
    object: &serde_json::Map<String, serde_json::Value>,
    line: usize,
    rows: &mut Rows,
) -> BTreeMap<&'static str, String> {
    let mut fields = BTreeMap::new();
    for (name, value) in object {
        let Some(name) = column(name, line, rows) else {
            continue;
        };
        match plain(value) {
            Some(text) if text.is_empty() => {}
            Some(text) => {
                fields.insert(name, text);
            }
            None => {
                let what = format!("`{name}` is no text, number, true or false");
                rows.problem(line, what, "Write a plain value.");
            }
        }
    }
    fields
}

fn column(name: &str, line: usize, rows: &mut Rows) -> Option<&'static str> {
    let known = COLUMNS.into_iter().find(|column| *column == name);
    if known.is_none() {
        rows.problem(
            line,
            format!("there is no column `{name}`"),
            nearest::remedy(name, &COLUMNS),
        );
    }
    known
}

/// A JSON value as a CSV file would have it.
fn plain(value: &serde_json::Value) -> Option<String> {
    use serde_json::Value;
    match value {
        Value::Null => Some(String::new()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) => Some(text.clone()),
        Value::Array(items) => {
            let items: Option<Vec<&str>> = items.iter().map(Value::as_str).collect();
            items.map(|items| items.join(" "))
        }
        Value::Object(_) => None,
    }
}

impl Row {
    fn field(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(String::as_str)
    }

    fn flag(&self, name: &'static str, default: bool) -> Result<bool, Problem> {
        match self.field(name) {
            None => Ok(default),
            Some("true" | "yes" | "1") => Ok(true),
            Some("false" | "no" | "0") => Ok(false),
            Some(other) => Err(Problem::new(
                format!("`{name}` is \"{other}\""),
                "Write true or false.",
            )),
        }
    }

    /// Whether the row says what the station has to show.
    pub(super) fn has_credential(&self) -> bool {
        ["password_text", "password_hex", "certificate_sha256"]
            .iter()
            .any(|name| self.fields.contains_key(name))
            || self.flag("certificate_name", false) == Ok(true)
            || self.flag("by_exception", false) == Ok(true)
    }

    /// The station that the row describes; `drawn` is the password for a row without a credential.
    pub(super) fn draft(&self, tenant: &str, drawn: Option<&str>) -> Result<Draft, Problem> {
        let numbers: Vec<&str> = self
            .field("versions")
            .unwrap_or_default()
            .split([' ', ',', ';', '|'])
            .filter(|number| !number.is_empty())
            .collect();
        let protocols = draft::protocols(&numbers, self.field("unnamed"))?;
        let proof = self.proof(drawn)?;
        Ok(Draft {
            id: draft::identity(
                self.field("identity").unwrap_or_default(),
                &protocols,
                &proof,
            )?,
            tenant: draft::tenant(self.field("tenant").unwrap_or(tenant))?,
            enabled: self.flag("enabled", true)?,
            proof,
            protocols,
            upstream_password: self
                .field("upstream_password")
                .map(|text| Secret::new(text.as_bytes().to_vec())),
            maker: draft::model("maker", self.field("maker"))?,
            model: draft::model("model", self.field("model"))?,
            serial: None,
        })
    }

    fn proof(&self, drawn: Option<&str>) -> Result<Proof, Problem> {
        let machine_made = self.flag("machine_made", false)?;
        let by_name = self.flag("certificate_name", false)?;
        let by_exception = self.flag("by_exception", false)?;
        let password = |text: &str, form, machine_made| Proof::Password {
            secret: Secret::new(text.as_bytes().to_vec()),
            form,
            machine_made,
        };
        let mut proofs = Vec::new();
        if let Some(text) = self.field("password_text") {
            proofs.push(password(text, PasswordForm::Octets, machine_made));
        }
        if let Some(digits) = self.field("password_hex") {
            proofs.push(password(digits, PasswordForm::Hex, machine_made));
        }
        if let Some(digits) = self.field("certificate_sha256") {
            proofs.push(Proof::Certificate(secret::fingerprint(digits).ok_or_else(
                || {
                    Problem::new(
                        "`certificate_sha256` is not 64 hexadecimal digits",
                        "Take it from: openssl x509 -noout -fingerprint -sha256 -in station.pem",
                    )
                },
            )?));
        }
        if by_name {
            proofs.push(Proof::CertificateName);
        }
        if by_exception {
            proofs.push(Proof::ByException);
        }
        match (proofs.pop(), proofs.is_empty(), drawn) {
            (Some(proof), true, _) => Ok(proof),
            (Some(_), false, _) => Err(Problem::new(
                "the row names more than one credential",
                "Leave one of password_text, password_hex, certificate_sha256, certificate_name and by_exception.",
            )),
            (None, _, Some(drawn)) => Ok(password(drawn, PasswordForm::Hex, true)),
            (None, _, None) => Err(Problem::new(
                "the row names no credential",
                "Fill in password_text, password_hex, certificate_sha256 or certificate_name, or let passwords be drawn: --generate",
            )),
        }
    }
}
