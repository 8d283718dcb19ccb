//! Every message of the catalogue, each field filled, with something planted wherever the field's
//! meaning says that the record must not hold it.

use ocpp::catalogue::{self, ActionFacts, Field, Kind as Values, Schema};
use ocpp::{Meaning, OpenCalls, Side, Version};
use serde_json::{Map, Value, json};

/// A request or an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Request,
    Answer,
}

/// What was planted, and as what.
#[derive(Clone, Debug)]
pub(crate) struct Planted {
    pub(crate) meaning: Meaning,
    pub(crate) text: String,
}

/// A message and what is planted in it.
pub(crate) struct Message {
    pub(crate) version: Version,
    pub(crate) action: &'static ActionFacts,
    pub(crate) kind: Kind,
    pub(crate) text: String,
    pub(crate) planted: Vec<Planted>,
}

impl OpenCalls for Message {
    fn action_of(&self, _: Side, _: &str) -> Option<Option<&'static ActionFacts>> {
        Some(Some(self.action))
    }
}

/// The keys that settings stand under: one whose value is a secret, and one of a vendor.
const KEYS: [&str; 2] = ["AuthorizationKey", "VendorRemark"];
/// The kinds that tokens are said to be of: one that is a secret, and one that is read from a card.
const TOKEN_KINDS: [&str; 2] = ["KeyCode", "ISO14443"];

/// Every request and answer, with each of the keys and kinds.
pub(crate) fn every_message(seed: u64) -> Vec<Message> {
    let mut planter = Planter {
        random: seed,
        variant: 0,
        planted: Vec::new(),
    };
    let mut messages = Vec::new();
    for variant in 0..KEYS.len() {
        planter.variant = variant;
        for version in Version::ALL {
            for action in catalogue::actions(version) {
                let schemas = [
                    (Kind::Request, Some(action.request)),
                    (Kind::Answer, action.answer),
                ];
                for (kind, schema) in schemas {
                    messages.extend(
                        schema.map(|schema| planter.message(version, action, kind, schema)),
                    );
                }
            }
        }
    }
    messages
}

struct Planter {
    random: u64,
    variant: usize,
    planted: Vec<Planted>,
}

impl Planter {
    fn message(
        &mut self,
        version: Version,
        action: &'static ActionFacts,
        kind: Kind,
        schema: &'static Schema,
    ) -> Message {
        let payload = self.object(schema);
        let envelope = match (kind, action.answer) {
            (Kind::Request, Some(_)) => json!([2, "1", action.name, payload]),
            (Kind::Request, None) => json!([6, "1", action.name, payload]),
            (Kind::Answer, _) => json!([3, "1", payload]),
        };
        Message {
            version,
            action,
            kind,
            text: envelope.to_string(),
            planted: std::mem::take(&mut self.planted),
        }
    }

    fn object(&mut self, schema: &'static Schema) -> Value {
        let mut object = Map::new();
        for field in schema.fields {
            object.insert(field.name.to_owned(), self.value(field, &field.kind));
        }
        // Nobody knows what a field is that the schema does not name.
        let text = self.plant(Meaning::VendorData, 24);
        object.insert("unheardOf".to_owned(), json!({ "inside": [text] }));
        Value::Object(object)
    }

    fn value(&mut self, field: &'static Field, kind: &'static Values) -> Value {
        match kind {
            Values::Text { max } => Value::String(self.text(field, *max)),
            Values::DateTime { .. } => json!("2026-03-01T10:00:00Z"),
            Values::Choice(choice) => {
                let preferred = TOKEN_KINDS[self.variant % TOKEN_KINDS.len()];
                match choice.allows(preferred) {
                    true => json!(preferred),
                    false => json!(choice.values.first().unwrap()),
                }
            }
            Values::Integer { min, max, .. } if is_hidden(field.meaning) => {
                let number = self.next() % 900_000_000 + 100_000_000;
                let number = i64::try_from(number).unwrap().clamp(*min, *max);
                let text = number.to_string();
                self.planted.push(Planted {
                    meaning: field.meaning,
                    text,
                });
                json!(number)
            }
            Values::Integer { min, max, .. } => json!(1.clamp(*min, *max)),
            Values::Number { min, max, .. } => json!(1_f64.clamp(*min, *max)),
            Values::Boolean => json!(true),
            Values::Object(schema) => self.object(schema),
            Values::List { of, .. } => {
                let items = (0..2).map(|_| self.value(field, of));
                Value::Array(items.collect())
            }
            Values::Any => {
                let text = self.plant(field.meaning, 20);
                json!({ "any": [text, null, 1.5] })
            }
        }
    }

    fn text(&mut self, field: &'static Field, max: u32) -> String {
        let max = usize::try_from(max).unwrap_or(usize::MAX);
        match field.meaning {
            Meaning::ConfigKey => KEYS[self.variant % KEYS.len()].to_owned(),
            Meaning::TokenKind => TOKEN_KINDS[self.variant % TOKEN_KINDS.len()].to_owned(),
            Meaning::Url => {
                let [user, password, token] =
                    [12, 14, 16].map(|length| self.plant(Meaning::Url, length));
                format!("https://{user}:{password}@files.example/logs/today?sig={token}")
            }
            meaning if is_hidden(meaning) => self.plant(meaning, max.min(20)),
            _ => "plain".chars().take(max).collect(),
        }
    }

    /// Letters and digits that stand nowhere else.
    fn plant(&mut self, meaning: Meaning, length: usize) -> String {
        const LETTERS: &[u8] = b"ABCDEFGHKLMNPQRSTUVWXYZ23456789";
        let text: String = (0..length)
            .map(|_| {
                let place = usize::try_from(self.next() % LETTERS.len() as u64).unwrap();
                char::from(LETTERS[place])
            })
            .collect();
        self.planted.push(Planted {
            meaning,
            text: text.clone(),
        });
        text
    }

    /// SplitMix64.
    fn next(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

/// What the catalogue says names somebody, opens something, or is anybody's own words.
fn is_hidden(meaning: Meaning) -> bool {
    matches!(
        meaning,
        Meaning::Person
            | Meaning::Token
            | Meaning::Contract
            | Meaning::Vehicle
            | Meaning::Sim
            | Meaning::Secret
            | Meaning::Url
            | Meaning::Certificate
            | Meaning::Signature
            | Meaning::FreeText
            | Meaning::VendorData
            | Meaning::Location
            | Meaning::ConfigValue
    )
}
