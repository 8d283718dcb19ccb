//! Records as lines for people: one each, and nothing in them that a terminal would obey.

use std::time::Duration;

use journal::Record;
use journal::reading::Exchange;
use serde_json::Value;

/// One record on one line.
pub(super) fn line(record: &Record) -> String {
    let facts = record.facts();
    let arrow = match &*facts.from {
        "station" => "→",
        "csms" => "←",
        _ => " ",
    };
    let rest = match facts.latency_us {
        Some(micros) => in_millis(Duration::from_micros(micros)),
        None => facts.why.clone().into_owned(),
    };
    let line = format!(
        "{:>10}  {}  {:<16} {arrow} {:<12} {:<26} {:<12} {rest}",
        record.number,
        at(facts.at),
        facts.station,
        facts.kind,
        facts.action,
        facts.verdict,
    );
    harmless(line.trim_end())
}

/// A call and its answer on one line.
pub(super) fn exchange_line(exchange: &Exchange) -> String {
    let said = line(&exchange.said);
    match (&exchange.answer, exchange.latency()) {
        (Some(answer), Some(latency)) => format!(
            "{said}  ⤶ {} {} {}",
            answer.number,
            harmless(&answer.facts().kind),
            in_millis(latency)
        ),
        _ => said,
    }
}

/// One record in full.
pub(super) fn page(record: &Record) -> String {
    let pretty = serde_json::from_slice::<Value>(&record.json)
        .and_then(|value| serde_json::to_string_pretty(&value));
    let text = pretty.unwrap_or_else(|_| String::from_utf8_lossy(&record.json).into_owned());
    let lines: Vec<String> = text.lines().map(harmless).collect();
    lines.join("\n")
}

/// A record as a value, with its number.
pub(super) fn value(record: &Record) -> Value {
    let mut value = serde_json::from_slice(&record.json)
        .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&record.json).into_owned()));
    if let Value::Object(fields) = &mut value {
        fields.insert("number".to_owned(), Value::from(record.number));
    }
    value
}

pub(super) fn exchange_value(exchange: &Exchange) -> Value {
    serde_json::json!({
        "said": value(&exchange.said),
        "answer": exchange.answer.as_ref().map(value),
        "latency_us": exchange.latency().map(|latency| latency.as_micros() as u64),
    })
}

pub(super) fn at(millis: i64) -> String {
    match jiff::Timestamp::from_millisecond(millis) {
        Ok(at) => format!("{at:.3}"),
        Err(_) => millis.to_string(),
    }
}

fn in_millis(latency: Duration) -> String {
    format!("{:.1} ms", latency.as_secs_f64() * 1000.0)
}

/// Without what a terminal would obey, or would show in another order than it stands.
pub(super) fn harmless(text: &str) -> String {
    let is_harmful = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let mut clean = String::with_capacity(text.len());
    for c in text.chars() {
        if is_harmful(c) {
            clean.extend(c.escape_unicode());
        } else {
            clean.push(c);
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(json: &str) -> Record {
        Record {
            number: 12,
            json: json.as_bytes().to_vec(),
        }
    }

    #[test]
    fn a_record_is_one_line() {
        let answer = record(
            r#"{"at":1795305600123,"kind":"result","station":"CS-1","from":"csms","action":"Heartbeat","latency_us":12345,"message":[3,"1",{}]}"#,
        );
        let line = line(&answer);
        let words: Vec<&str> = line.split_whitespace().collect();
        assert_eq!(
            words,
            [
                "12",
                "2026-11-22T00:00:00.123Z",
                "CS-1",
                "←",
                "result",
                "Heartbeat",
                "forwarded",
                "12.3",
                "ms"
            ]
        );
        let refused = super::line(&record(
            r#"{"at":0,"kind":"refused","station":"x","why":"no\u001b[2Jroute"}"#,
        ));
        assert!(refused.ends_with(r"no\u{1b}[2Jroute"), "{refused}");
    }

    #[test]
    fn nothing_speaks_to_the_terminal() {
        for text in ["\u{1b}]0;x\u{7}", "a\u{9b}31m", "b\u{202e}c", "d\ne"] {
            let clean = harmless(text);
            assert!(
                clean.is_ascii() && !clean.chars().any(char::is_control),
                "{clean:?}"
            );
        }
        assert_eq!(harmless("Zürich → 5 €"), "Zürich → 5 €");
    }
}
