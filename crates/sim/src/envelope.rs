//! OCPP-J's envelope, read and written with serde_json.

use serde_json::{Value, json};

/// One OCPP-J message.
#[derive(Clone, Debug, PartialEq)]
pub enum Envelope {
    /// CALL (2).
    Call {
        /// The message id.
        id: String,
        /// What is asked.
        action: String,
        /// With what.
        payload: Value,
    },
    /// CALLRESULT (3).
    Result {
        /// The id of the CALL.
        id: String,
        /// The answer.
        payload: Value,
    },
    /// CALLERROR (4).
    Error {
        /// The id of the CALL.
        id: String,
        /// The error code.
        code: String,
        /// In words.
        description: String,
    },
    /// CALLRESULTERROR (5, OCPP 2.1).
    ResultError {
        /// The id of the CALL.
        id: String,
        /// The error code.
        code: String,
        /// In words.
        description: String,
    },
    /// SEND (6, OCPP 2.1).
    Send {
        /// The message id.
        id: String,
        /// What is told.
        action: String,
        /// With what.
        payload: Value,
    },
}

impl Envelope {
    /// Reads a message; `None` for anything that is none.
    pub fn read(text: &str) -> Option<Envelope> {
        let Ok(Value::Array(items)) = serde_json::from_str(text) else {
            return None;
        };
        let mut items = items.into_iter();
        let kind = items.next()?.as_u64()?;
        let Value::String(id) = items.next()? else {
            return None;
        };
        let mut string = || match items.next() {
            Some(Value::String(text)) => Some(text),
            _ => None,
        };
        Some(match kind {
            2 | 6 => {
                let action = string()?;
                let payload = items.next()?;
                if kind == 2 {
                    Envelope::Call {
                        id,
                        action,
                        payload,
                    }
                } else {
                    Envelope::Send {
                        id,
                        action,
                        payload,
                    }
                }
            }
            3 => Envelope::Result {
                id,
                payload: items.next()?,
            },
            4 | 5 => {
                let code = string()?;
                let description = string().unwrap_or_default();
                if kind == 4 {
                    Envelope::Error {
                        id,
                        code,
                        description,
                    }
                } else {
                    Envelope::ResultError {
                        id,
                        code,
                        description,
                    }
                }
            }
            _ => return None,
        })
    }

    /// Its text for the wire.
    pub fn write(&self) -> String {
        match self {
            Envelope::Call {
                id,
                action,
                payload,
            } => json!([2, id, action, payload]),
            Envelope::Send {
                id,
                action,
                payload,
            } => json!([6, id, action, payload]),
            Envelope::Result { id, payload } => json!([3, id, payload]),
            Envelope::Error {
                id,
                code,
                description,
            } => json!([4, id, code, description, {}]),
            Envelope::ResultError {
                id,
                code,
                description,
            } => json!([5, id, code, description, {}]),
        }
        .to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::Envelope;

    #[test]
    fn every_kind_comes_back_as_it_went() {
        for text in [
            r#"[2,"1","Heartbeat",{}]"#,
            r#"[3,"1",{"status":"Accepted"}]"#,
            r#"[4,"1","NotSupported","no",{}]"#,
            r#"[5,"1","FormatViolation","",{}]"#,
            r#"[6,"1","NotifyPeriodicEventStream",{"id":1}]"#,
        ] {
            let read = Envelope::read(text).expect(text);
            assert_eq!(read.write(), text);
        }
    }

    #[test]
    fn what_is_no_envelope_is_not_guessed_at() {
        for text in [
            "",
            "{}",
            "[]",
            "[2]",
            r#"[9,"1",{}]"#,
            r#"[2,1,"Heartbeat",{}]"#,
        ] {
            assert_eq!(Envelope::read(text), None, "{text}");
        }
    }
}
