//! The readers that are compared. Each does a gate's whole job: read the envelope, find the action's
//! schema, judge the payload; ours collects the facts as well.

use std::collections::HashMap;
use std::io;
use std::path::Path;

use jsonschema::Validator;
use ocpp::catalogue::ActionFacts;
use ocpp::{Frame, Limits, Message, OpenCalls, Reader, Side, Version};
use sonic_rs::{JsonContainerTrait, JsonValueTrait};

use crate::samples::Sample;
use crate::sonic::Sonic;

/// Reads a message and says whether it is a valid CALL of a known action.
pub type Judge = Box<dyn FnMut(&Sample) -> bool>;

/// Every reader, with its name in the tables; ours first.
pub fn readers(schemas: &Path, samples: &[Sample]) -> io::Result<Vec<(&'static str, Judge)>> {
    Ok(vec![
        ("Portcullis", portcullis()),
        ("sonic-rs + jsonschema", sonic(schemas, samples)?),
        ("serde_json + jsonschema", serde(schemas, samples)?),
        (
            "sonic-rs, no judgement",
            Box::new(|sample| {
                sonic_rs::from_slice::<sonic_rs::Value>(sample.text.as_bytes()).is_ok()
            }),
        ),
    ])
}

struct Nobody;

impl OpenCalls for Nobody {
    fn action_of(&self, _: Side, _: &str) -> Option<Option<&'static ActionFacts>> {
        None
    }
}

fn portcullis() -> Judge {
    let mut reader = Reader::new();
    let limits = Limits::default();
    Box::new(move |sample| {
        let version = if sample.version == "1.6" {
            Version::V16
        } else {
            Version::V201
        };
        let frame = Frame::text(sample.text.as_bytes());
        match reader.read(frame, Side::Station, version, &limits, &Nobody) {
            Message::Call(call) => call.faults.is_empty() && call.facts.iter().next().is_some(),
            _ => false,
        }
    })
}

fn sonic(schemas: &Path, samples: &[Sample]) -> io::Result<Judge> {
    let mut validators: HashMap<String, Validator<Sonic>> = HashMap::new();
    for sample in samples {
        let schema = schema(schemas, sample)?;
        let options = jsonschema::options_for::<Sonic>().should_validate_formats(true);
        let validator = options.build(&schema).map_err(io::Error::other)?;
        validators.insert(sample.action.to_owned(), validator);
    }
    Ok(Box::new(move |sample| {
        let Ok(message) = sonic_rs::from_slice::<sonic_rs::Value>(sample.text.as_bytes()) else {
            return false;
        };
        let Some([kind, id, action, payload]) = message.as_array().map(|array| array.as_slice())
        else {
            return false;
        };
        let validator = action.as_str().and_then(|action| validators.get(action));
        kind.as_u64() == Some(2)
            && id.is_str()
            && validator.is_some_and(|validator| validator.is_valid(payload))
    }))
}

fn serde(schemas: &Path, samples: &[Sample]) -> io::Result<Judge> {
    let mut validators: HashMap<String, Validator> = HashMap::new();
    for sample in samples {
        let schema = schema(schemas, sample)?;
        let options = jsonschema::options().should_validate_formats(true);
        let validator = options.build(&schema).map_err(io::Error::other)?;
        validators.insert(sample.action.to_owned(), validator);
    }
    Ok(Box::new(move |sample| {
        let Ok(message) = serde_json::from_slice::<serde_json::Value>(sample.text.as_bytes())
        else {
            return false;
        };
        let Some([kind, id, action, payload]) = message.as_array().map(Vec::as_slice) else {
            return false;
        };
        let validator = action.as_str().and_then(|action| validators.get(action));
        kind.as_u64() == Some(2)
            && id.is_string()
            && validator.is_some_and(|validator| validator.is_valid(payload))
    }))
}

/// The official schema of a sample's action.
fn schema(schemas: &Path, sample: &Sample) -> io::Result<serde_json::Value> {
    let file = match sample.version {
        "1.6" => format!("v16/schemas/{}.json", sample.action),
        _ => format!("v201/schemas/{}Request.json", sample.action),
    };
    let path = schemas.join(file);
    let told =
        |error: &dyn std::fmt::Display| io::Error::other(format!("{}: {error}", path.display()));
    let text = std::fs::read_to_string(&path).map_err(|error| told(&error))?;
    serde_json::from_str(text.trim_start_matches('\u{feff}')).map_err(|error| told(&error))
}
