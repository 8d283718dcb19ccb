//! Records as Open OCPP Trace, version 1.1: a format that simulators, debuggers and other people's
//! tools read. It knows messages and nothing else, so other records are left out.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::Record;

/// The version of the format.
const SCHEMA: &str = "1.1";
/// Sessions whose version of OCPP is remembered; more than any export meets at a time.
pub const SESSIONS_MAX: usize = 100_000;

/// Turns records into lines of a trace. What it says is as pseudonymous as the records are.
#[derive(Debug, Default)]
pub struct Traces {
    /// What the connections that came by speak.
    versions: HashMap<(String, u64), String>,
    left_out: u64,
}

impl Traces {
    /// How many records were left out because the format has no place for them.
    pub fn left_out(&self) -> u64 {
        self.left_out
    }

    /// A record as a line, without its newline. `None`: the format has no place for it.
    pub fn line(&mut self, record: &Record) -> Option<String> {
        let line = self.trace(record);
        if line.is_none() {
            self.left_out += 1;
        }
        Some(line?.to_string())
    }

    fn trace(&mut self, record: &Record) -> Option<Value> {
        let facts = record.facts();
        let session = (
            facts.station.clone().into_owned(),
            facts.session.unwrap_or_default(),
        );
        if facts.kind == "connected" && !facts.ocpp.is_empty() {
            if self.versions.len() >= SESSIONS_MAX {
                self.versions.clear();
            }
            self.versions.insert(session, facts.ocpp.into_owned());
            return None;
        }
        let message_type = match &*facts.kind {
            "call" => "CALL",
            "result" => "CALLRESULT",
            "error" => "CALLERROR",
            _ => return None,
        };
        let whole: Value = serde_json::from_slice(&record.json).ok()?;
        let message = whole.get("message")?.as_array()?;
        let at = jiff::Timestamp::from_millisecond(facts.at).ok()?;
        let mut line = Map::new();
        let mut put = |name: &str, value: Value| line.insert(name.to_owned(), value);
        put("schemaVersion", json!(SCHEMA));
        put("timestamp", json!(format!("{at:.3}")));
        if let Some(version) = self.versions.get(&session) {
            put("ocppVersion", json!(version));
        }
        put("transport", json!("json"));
        put("chargePointId", json!(facts.station));
        let direction = match &*facts.from {
            "station" => "cp-to-csms",
            _ => "csms-to-cp",
        };
        put("direction", json!(direction));
        put("messageType", json!(message_type));
        put("messageId", message.get(1)?.clone());
        match message_type {
            "CALL" => {
                put("action", message.get(2)?.clone());
                let payload = message.get(3)?;
                if let Some(connector) = payload.get("connectorId").and_then(Value::as_u64) {
                    put("connectorId", json!(connector));
                }
                put("payload", payload.clone());
            }
            "CALLRESULT" => {
                put("payload", message.get(2)?.clone());
            }
            _ => {
                let part = |at| message.get(at).cloned().unwrap_or_default();
                put(
                    "error",
                    json!({ "code": part(2), "description": part(3), "details": part(4) }),
                );
            }
        }
        put("meta", meta(record.number, &facts.verdict, &whole));
        Some(Value::Object(line))
    }
}

/// What we know and the format does not ask for.
fn meta(number: u64, verdict: &str, record: &Value) -> Value {
    let mut meta = Map::new();
    meta.insert("record".to_owned(), json!(number));
    meta.insert("pseudonymous".to_owned(), json!(true));
    meta.insert("verdict".to_owned(), json!(verdict));
    for name in ["tenant", "session", "by", "latency_us"] {
        if let Some(value) = record.get(name) {
            meta.insert(name.to_owned(), value.clone());
        }
    }
    json!({ "portcullis": meta })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(json: &str) -> Record {
        Record {
            number: 7,
            json: json.as_bytes().to_vec(),
        }
    }

    #[test]
    fn messages_become_lines_and_other_records_do_not() {
        let mut traces = Traces::default();
        let connected = r#"{"at":1795305600000,"kind":"connected","tenant":"cpo","station":"CS-1","session":3,"ocpp":"1.6"}"#;
        assert_eq!(traces.line(&record(connected)), None);
        let call = r#"{"at":1795305600123,"kind":"call","tenant":"cpo","station":"CS-1","session":3,"from":"station","action":"StatusNotification","message":[2,"a","StatusNotification",{"connectorId":2,"status":"Faulted"}]}"#;
        let line: Value = serde_json::from_str(&traces.line(&record(call)).unwrap()).unwrap();
        assert_eq!(
            line,
            json!({
                "schemaVersion": "1.1", "timestamp": "2026-11-22T00:00:00.123Z", "ocppVersion": "1.6",
                "transport": "json", "chargePointId": "CS-1", "direction": "cp-to-csms",
                "messageType": "CALL", "messageId": "a", "action": "StatusNotification",
                "connectorId": 2, "payload": { "connectorId": 2, "status": "Faulted" },
                "meta": { "portcullis": {
                    "record": 7, "pseudonymous": true, "tenant": "cpo", "session": 3,
                    "verdict": "forwarded",
                } },
            })
        );
        let error = r#"{"at":1795305600150,"kind":"error","tenant":"cpo","station":"CS-1","session":3,"from":"csms","action":"StatusNotification","verdict":"joined","latency_us":27000,"message":[4,"a","InternalError","",{}]}"#;
        let line: Value = serde_json::from_str(&traces.line(&record(error)).unwrap()).unwrap();
        assert_eq!(line["direction"], "csms-to-cp");
        assert_eq!(line["messageType"], "CALLERROR");
        assert_eq!(line["meta"]["portcullis"]["verdict"], "joined");
        assert_eq!(
            line["error"],
            json!({ "code": "InternalError", "description": "", "details": {} })
        );
        assert!(line.get("action").is_none() && line.get("payload").is_none());
        for other in [
            r#"{"at":1,"kind":"unreadable","station":"CS-1","bytes":3}"#,
            r#"{"at":1,"kind":"call","station":"CS-1","message":[2]}"#,
            r#"{"at":1,"kind":"gap"}"#,
            "no JSON",
        ] {
            assert_eq!(traces.line(&record(other)), None, "{other}");
        }
        assert_eq!(traces.left_out(), 5);
    }
}
