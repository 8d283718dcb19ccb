//! Which key a configuration value belongs to.
//!
//! In OCPP 1.6 both stand in one object; in 2.x a variable's name stands in an object beside the
//! value, or beside the list that the value is in. So the key is in the innermost object that holds
//! the value and any key; if that holds several, nobody can tell, and the worst of them counts.

use ocpp::{Fact, Facts, Meaning};

use super::setting::{self, Setting};

/// The objects of a message, and the keys in it.
pub(crate) struct Enclosing {
    /// In the order in which they open.
    objects: Vec<Object>,
    /// In the order in which they stand.
    keys: Vec<Fact>,
}

struct Object {
    open: u32,
    close: u32,
    parent: Option<usize>,
}

/// Keys of one object that are looked at.
const KEYS_MAX: usize = 8;

impl Enclosing {
    /// `text` is JSON: the reader has passed it.
    pub(crate) fn of(text: &[u8], facts: &Facts<'_>) -> Enclosing {
        let mut objects: Vec<Object> = Vec::new();
        let mut inside: Vec<usize> = Vec::new();
        let mut string = false;
        let mut escaped = false;
        for (place, byte) in text.iter().enumerate() {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = string,
                b'"' => string = !string,
                b'{' if !string => {
                    objects.push(Object {
                        open: place as u32,
                        close: u32::MAX,
                        parent: inside.last().copied(),
                    });
                    inside.push(objects.len() - 1);
                }
                b'}' if !string => {
                    let closed = inside.pop().and_then(|object| objects.get_mut(object));
                    if let Some(object) = closed {
                        object.close = place as u32;
                    }
                }
                _ => {}
            }
        }
        let keys = facts
            .iter()
            .filter(|fact| fact.field.meaning == Meaning::ConfigKey);
        Enclosing {
            objects,
            keys: keys.copied().collect(),
        }
    }

    /// What the key of the value that stands at `at` says of it.
    pub(crate) fn setting<'m>(&self, at: u32, text: impl Fn(&Fact) -> &'m str) -> Setting {
        let after = self.objects.partition_point(|object| object.open < at);
        let mut around = after.checked_sub(1);
        while let Some(object) = around.and_then(|place| self.objects.get(place)) {
            if object.close > at {
                let first = self.keys.partition_point(|key| key.start < object.open);
                let end = self.keys.partition_point(|key| key.start < object.close);
                match self.keys.get(first..end).unwrap_or_default() {
                    [] => {}
                    keys => return worst(keys, text),
                }
            }
            around = object.parent;
        }
        Setting::Unknown
    }
}

fn worst<'m>(keys: &[Fact], text: impl Fn(&Fact) -> &'m str) -> Setting {
    if keys.len() > KEYS_MAX {
        return Setting::Secret;
    }
    let settings = keys
        .iter()
        // An instance tells which of several, not what it is; but it may say that it is a secret.
        .filter_map(|key| match setting::of(&ocpp::unescape(text(key))) {
            Setting::Secret => Some(Setting::Secret),
            _ if key.field.name == "instance" => None,
            found => Some(found),
        });
    settings.max().unwrap_or(Setting::Unknown)
}
