//! A valid message of every kind that the catalogue knows, as seeds for the reader.

use std::fmt::Write;

use ocpp::Version;
use ocpp::catalogue::{ActionFacts, Kind, Schema, actions};

/// Objects inside one another beyond which optional fields are left out.
const DEPTH_OF_OPTIONAL_FIELDS: usize = 2;

/// Every message of a version: `(CALL or SEND, the answer to it)` with all fields, and with the
/// required ones only.
pub fn all(version: Version) -> impl Iterator<Item = (&'static ActionFacts, [String; 4])> {
    actions(version).iter().map(|action| {
        let call = |optional| {
            let kind = if action.answer.is_some() { 2 } else { 6 };
            let payload = object(action.request, optional);
            format!("[{kind},\"id-1\",\"{}\",{payload}]", action.name)
        };
        let answer = |optional| {
            let payload = action.answer.map(|schema| object(schema, optional));
            format!(
                "[3,\"id-1\",{}]",
                payload.unwrap_or_else(|| "{}".to_owned())
            )
        };
        (action, [call(2), call(0), answer(2), answer(0)])
    })
}

fn object(schema: &Schema, optional_depth: usize) -> String {
    let mut out = String::new();
    push_object(
        &mut out,
        schema,
        optional_depth.min(DEPTH_OF_OPTIONAL_FIELDS),
    );
    out
}

fn push_object(out: &mut String, schema: &Schema, optional_depth: usize) {
    out.push('{');
    let mut separator = "";
    for (at, field) in schema.fields.iter().enumerate() {
        let required = schema.required & (1 << at) != 0;
        if !required && optional_depth == 0 {
            continue;
        }
        let _ = write!(out, "{separator}\"{}\":", field.name);
        push_value(out, &field.kind, optional_depth.saturating_sub(1));
        separator = ",";
    }
    out.push('}');
}

fn push_value(out: &mut String, kind: &Kind, optional_depth: usize) {
    match kind {
        Kind::Text { max } => {
            let _ = write!(out, "\"{}\"", &"text"[..(*max).min(4) as usize]);
        }
        Kind::DateTime { .. } => out.push_str("\"2026-03-01T02:00:00Z\""),
        Kind::Choice(choice) => {
            let _ = write!(out, "\"{}\"", choice.values.first().unwrap_or(&""));
        }
        Kind::Integer { min, max, .. } => {
            let _ = write!(out, "{}", 1.clamp(*min, *max));
        }
        Kind::Number { min, max, .. } => {
            let _ = write!(out, "{:.1}", 1.5_f64.clamp(*min, *max));
        }
        Kind::Boolean => out.push_str("true"),
        Kind::Object(schema) => push_object(out, schema, optional_depth),
        Kind::List { of, min, .. } => {
            out.push('[');
            for at in 0..(*min).max(1) {
                out.push_str(if at == 0 { "" } else { "," });
                push_value(out, of, optional_depth);
            }
            out.push(']');
        }
        Kind::Any => out.push_str("{\"any\":[null,-1.5e3]}"),
    }
}
