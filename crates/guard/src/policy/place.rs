//! Where in a message a value stands, in the schema's own names and without places in lists: asked
//! only when there is something to object to.

/// Arrays and objects inside one another that are followed; the reader allows no more.
const DEPTH_MAX: usize = ocpp::Limits::DEPTH_MAX + 1;

/// The path of the value that stands at that byte, such as `meterValue[].sampledValue[].value`.
///
/// The message has been read, and values that somebody objects to stand in fields that the schema
/// names, so the path holds nothing of the peer's.
pub(super) fn place(frame: &[u8], at: usize) -> String {
    let mut steps: Vec<Step<'_>> = Vec::new();
    let mut last: &[u8] = b"";
    let mut next = 0;
    while let Some(byte) = frame.get(next).filter(|_| next < at) {
        next += 1;
        match byte {
            b'"' => {
                let end = closing_quote(frame, next);
                if end >= at {
                    break;
                }
                last = frame.get(next..end).unwrap_or_default();
                next = end + 1;
            }
            b':' => {
                if let Some(Step::Object(key)) = steps.last_mut() {
                    *key = last;
                }
            }
            b'{' if steps.len() < DEPTH_MAX => steps.push(Step::Object(b"")),
            b'[' if steps.len() < DEPTH_MAX => steps.push(Step::List),
            b'}' | b']' => drop(steps.pop()),
            _ => {}
        }
    }
    in_words(steps.get(1..).unwrap_or_default())
}

/// One array or object that is open.
enum Step<'m> {
    /// With the key whose value is being read.
    Object(&'m [u8]),
    List,
}

fn closing_quote(frame: &[u8], mut at: usize) -> usize {
    loop {
        match frame.get(at) {
            Some(b'\\') => at += 2,
            Some(b'"') | None => return at.min(frame.len()),
            Some(_) => at += 1,
        }
    }
}

fn in_words(steps: &[Step<'_>]) -> String {
    let mut path = String::new();
    for step in steps {
        match step {
            Step::List => path.push_str("[]"),
            Step::Object(key) => {
                if !path.is_empty() {
                    path.push('.');
                }
                let key = std::str::from_utf8(key).unwrap_or_default();
                path.push_str(&ocpp::unescape(key));
            }
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::place;

    #[test]
    fn a_place_is_told_in_names() {
        let frame = r#"[2, "a:{", "MeterValues", {"connectorId":1, "meter\u0056alue" : [
            {"timestamp":"x:\"{", "sampledValue":[{"value":"1"},{"value":"HERE"}]}]}]"#;
        let at = frame.find("HERE").unwrap();
        let path = "meterValue[].sampledValue[].value";
        assert_eq!(place(frame.as_bytes(), at), path);
        let at = frame.find("x:").unwrap();
        assert_eq!(place(frame.as_bytes(), at), "meterValue[].timestamp");
        assert_eq!(place(b"", 0), "");
        assert_eq!(place(b"[3,\"\\", 99), "");
    }
}
