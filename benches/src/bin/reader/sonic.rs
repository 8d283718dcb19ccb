//! jsonschema over `sonic_rs::Value`: its own trait for foreign representations, so that the rival is
//! as quick as it can be.

use std::borrow::Cow;

use jsonschema::JsonType;
use jsonschema::json::{Array, Json, JsonNumber, Node, NodeIdentity, Object};
use sonic_rs::{JsonContainerTrait, JsonNumberTrait, JsonValueTrait, Value};

/// The representation.
pub struct Sonic;

impl Json for Sonic {
    type Node<'a> = &'a Value;
    type PreparedKey = String;
    type StringBuffer = Value;

    // An object is a list of members; walking it once beats looking each key up.
    const KEYS_PER_LOOKUP: usize = 4;

    fn prepare_key(key: &str) -> String {
        key.to_owned()
    }

    fn with_string_node<T>(buffer: &mut Value, string: &str, f: impl FnOnce(&Value) -> T) -> T {
        *buffer = Value::from(string);
        f(buffer)
    }
}

/// A number of theirs.
pub struct Number(sonic_rs::Number);

impl JsonNumber for Number {
    fn as_u64(&self) -> Option<u64> {
        self.0.as_u64()
    }
    fn as_i64(&self) -> Option<i64> {
        self.0.as_i64()
    }
    fn as_f64(&self) -> Option<f64> {
        self.0.as_f64()
    }
    fn as_str(&self) -> Cow<'_, str> {
        Cow::Owned(sonic_rs::to_string(&self.0).unwrap_or_default())
    }
    fn to_number(&self) -> Cow<'_, serde_json::Number> {
        let number = match (self.0.as_u64(), self.0.as_i64()) {
            (Some(value), _) => Some(value.into()),
            (_, Some(value)) => Some(value.into()),
            _ => self.0.as_f64().and_then(serde_json::Number::from_f64),
        };
        Cow::Owned(number.unwrap_or_else(|| 0.into()))
    }
    fn is_integer(&self) -> bool {
        self.is_written_as_integer() || self.as_f64().is_some_and(|value| value.fract() == 0.0)
    }
    fn is_written_as_integer(&self) -> bool {
        self.0.is_u64() || self.0.is_i64()
    }
}

impl<'a> Node<'a, Sonic> for &'a Value {
    type Object = &'a sonic_rs::Object;
    type Array = &'a sonic_rs::Array;
    type Number = Number;

    fn as_object(&self) -> Option<&'a sonic_rs::Object> {
        JsonContainerTrait::as_object(*self)
    }
    fn as_array(&self) -> Option<&'a sonic_rs::Array> {
        JsonContainerTrait::as_array(*self)
    }
    fn as_string(&self) -> Option<Cow<'a, str>> {
        JsonValueTrait::as_str(*self).map(Cow::Borrowed)
    }
    fn as_number(&self) -> Option<Number> {
        JsonValueTrait::as_number(*self).map(Number)
    }
    fn as_boolean(&self) -> Option<bool> {
        self.as_bool()
    }
    fn is_null(&self) -> bool {
        JsonValueTrait::is_null(*self)
    }
    fn is_number(&self) -> bool {
        JsonValueTrait::is_number(*self)
    }
    fn json_type(&self) -> JsonType {
        match self.get_type() {
            sonic_rs::JsonType::Null => JsonType::Null,
            sonic_rs::JsonType::Boolean => JsonType::Boolean,
            sonic_rs::JsonType::Number => JsonType::Number,
            sonic_rs::JsonType::String => JsonType::String,
            sonic_rs::JsonType::Object => JsonType::Object,
            sonic_rs::JsonType::Array => JsonType::Array,
        }
    }
    fn equals_value(&self, expected: &serde_json::Value) -> bool {
        match (JsonValueTrait::as_str(*self), expected) {
            (Some(text), serde_json::Value::String(expected)) => text == expected,
            _ => *self.to_value() == *expected,
        }
    }
    fn to_value(&self) -> Cow<'a, serde_json::Value> {
        let text = sonic_rs::to_string(*self).unwrap_or_default();
        Cow::Owned(serde_json::from_str(&text).unwrap_or_default())
    }
    fn identity(&self) -> Option<NodeIdentity> {
        Some(NodeIdentity::new(std::ptr::from_ref::<Value>(self) as usize))
    }
}

impl<'a> Object<'a, Sonic> for &'a sonic_rs::Object {
    type Node = &'a Value;
    type MemberName = &'a str;
    type MembersIter = Members<'a>;

    fn len(&self) -> usize {
        sonic_rs::Object::len(self)
    }
    fn get(&self, key: &String) -> Option<&'a Value> {
        sonic_rs::Object::get(self, key)
    }
    fn members(&self) -> Members<'a> {
        Members(self.iter())
    }
}

/// An object's members.
pub struct Members<'a>(<&'a sonic_rs::Object as IntoIterator>::IntoIter);

impl<'a> Iterator for Members<'a> {
    type Item = (&'a str, &'a Value);

    fn next(&mut self) -> Option<(&'a str, &'a Value)> {
        self.0.next()
    }
}

impl<'a> Array<'a, Sonic> for &'a sonic_rs::Array {
    type Node = &'a Value;
    type ElementsIter = std::slice::Iter<'a, Value>;

    fn len(&self) -> usize {
        sonic_rs::Array::len(self)
    }
    fn elements(&self) -> std::slice::Iter<'a, Value> {
        self.as_slice().iter()
    }
}
