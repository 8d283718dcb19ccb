//! A message as it may be recorded: copied, with every value replaced that must not stand.

use std::borrow::Cow;

use guard::UnixMillis;
use ocpp::catalogue::Kind;
use ocpp::{Fact, Facts, Meaning};

use crate::Handle;

use super::enclosing::Enclosing;
use super::recognise::recognise;
use super::setting::{self, Setting};
use super::{Class, IDENTIFIER_BYTES_MAX, Vault, VaultError, certificate, url};

/// Where rewritten bytes go, and the handles that are among them.
struct Out<'o> {
    bytes: &'o mut Vec<u8>,
    handles: &'o mut Vec<Handle>,
}

/// What becomes of a value.
enum Treatment {
    Subject(Class),
    Setting,
    Secret,
    Url,
    Certificate,
    Length(&'static str),
    Text,
}

impl Vault {
    /// Puts a message's JSON into `out` with nothing in it that names a person, token, vehicle or
    /// SIM, no secret, and no free text that could be read without its day's text key; the handles
    /// that stand in it go to `handles`.
    ///
    /// `facts` are those that the reader found in `text`. What is put out is JSON, too. Before it may
    /// be kept, [`Vault::settle`] must have returned: until then a handle's row may still be lost.
    /// After an error nothing has been put out.
    pub fn rewrite(
        &mut self,
        tenant: &str,
        text: &[u8],
        facts: Facts<'_>,
        now: UnixMillis,
        out: &mut Vec<u8>,
        handles: &mut Vec<Handle>,
    ) -> Result<(), VaultError> {
        let mut out = Out {
            bytes: out,
            handles,
        };
        let before = out.lengths();
        let rewritten = self
            .look(now)
            .and_then(|()| self.rewrite_into(tenant, text, facts, &mut out));
        if rewritten.is_err() {
            out.take_back(before);
        }
        rewritten
    }

    fn rewrite_into(
        &mut self,
        tenant: &str,
        text: &[u8],
        facts: Facts<'_>,
        out: &mut Out<'_>,
    ) -> Result<(), VaultError> {
        let before = out.lengths();
        if facts.dropped() > 0 {
            // Where the reader has stopped noting values, nobody knows what stands.
            out.length("message", text.len());
            return Ok(());
        }
        let mut scene = Scene {
            tenant,
            text,
            facts,
            kinds_known: false,
            enclosing: None,
        };
        let (mut copied, mut replaced) = (0, 0..0);
        for fact in facts.iter() {
            let Some(treatment) = Treatment::of(fact, self.private) else {
                continue;
            };
            let Some(value) = Value::of(fact, &facts, text) else {
                continue;
            };
            if value.start < copied {
                if replaced.start <= value.start && value.end <= replaced.end {
                    continue;
                }
                // Facts come in the order in which they stand, so this does not happen; if it did,
                // a value would have been copied that must not stand.
                out.take_back(before);
                out.length("message", text.len());
                return Ok(());
            }
            out.bytes
                .extend_from_slice(text.get(copied..value.start).unwrap_or_default());
            self.replace(&mut scene, fact, treatment, &value, out)?;
            copied = value.end;
            replaced = value.start..value.end;
        }
        out.bytes
            .extend_from_slice(text.get(copied..).unwrap_or_default());
        Ok(())
    }

    fn replace(
        &mut self,
        scene: &mut Scene<'_>,
        fact: &Fact,
        treatment: Treatment,
        value: &Value<'_>,
        out: &mut Out<'_>,
    ) -> Result<(), VaultError> {
        let inside = value.inside();
        let inside = inside.as_ref();
        match treatment {
            Treatment::Subject(class) => {
                let secret = class == Class::Token && self.is_secret_token(scene, fact);
                match secret {
                    true => out.length("secret", inside.len()),
                    false => return self.put_subject(scene.tenant, class, inside, value, out),
                }
            }
            Treatment::Setting => {
                let setting = scene.setting(fact);
                return self.put_setting(scene.tenant, setting, inside, value, out);
            }
            Treatment::Secret => out.length("secret", inside.len()),
            Treatment::Url => out.url(inside),
            Treatment::Certificate => {
                return self.put_certificate(scene.tenant, Class::CertificateSubject, inside, out);
            }
            Treatment::Length(what) => out.length(what, inside.len()),
            Treatment::Text => return self.put_text(scene.tenant, inside, out),
        }
        Ok(())
    }

    fn put_subject(
        &mut self,
        tenant: &str,
        class: Class,
        inside: &str,
        value: &Value<'_>,
        out: &mut Out<'_>,
    ) -> Result<(), VaultError> {
        if value.is_structure() {
            return self.put_text(tenant, inside, out);
        }
        if certificate::is_pem(inside) {
            return self.put_certificate(tenant, class, inside, out);
        }
        // An EXI stream, or something that only stands in a name's place.
        if inside.len() > IDENTIFIER_BYTES_MAX {
            out.length(class.name(), inside.len());
            return Ok(());
        }
        self.put_handle(tenant, class, inside, out)
    }

    fn put_handle(
        &mut self,
        tenant: &str,
        class: Class,
        identifier: &str,
        out: &mut Out<'_>,
    ) -> Result<(), VaultError> {
        match self.handle(tenant, class, identifier) {
            Ok(handle) => out.handle(handle),
            Err(VaultError::TooManyNew { .. }) => {
                self.withheld += 1;
                out.length(class.name(), identifier.len());
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// The value of a configuration key or variable: as secret as its key says.
    fn put_setting(
        &mut self,
        tenant: &str,
        setting: Setting,
        inside: &str,
        value: &Value<'_>,
        out: &mut Out<'_>,
    ) -> Result<(), VaultError> {
        match setting {
            Setting::Harmless if !value.is_structure() => out.bytes.extend_from_slice(value.raw),
            Setting::Secret => out.length("secret", inside.len()),
            Setting::Subject(class) => return self.put_subject(tenant, class, inside, value, out),
            Setting::Url => out.url(inside),
            Setting::Harmless | Setting::Unknown => return self.put_text(tenant, inside, out),
        }
        Ok(())
    }

    fn put_certificate(
        &mut self,
        tenant: &str,
        class: Class,
        inside: &str,
        out: &mut Out<'_>,
    ) -> Result<(), VaultError> {
        let length = inside.len();
        let subject = match certificate::subject(inside) {
            Some(subject) if subject.len() <= IDENTIFIER_BYTES_MAX => {
                self.handle(tenant, class, &subject)
            }
            _ => {
                out.length("certificate", length);
                return Ok(());
            }
        };
        match subject {
            Ok(handle) => {
                let text = format!("\"certificate ({length} bytes, subject {handle})\"");
                out.bytes.extend_from_slice(text.as_bytes());
                out.handles.push(handle);
            }
            Err(VaultError::TooManyNew { .. }) => out.length("certificate", length),
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Free text: what is recognised in it is replaced, and the rest sealed under its day's own key.
    fn put_text(
        &mut self,
        tenant: &str,
        inside: &str,
        out: &mut Out<'_>,
    ) -> Result<(), VaultError> {
        let plain = self.without_identifiers(tenant, inside, out)?;
        out.bytes.push(b'"');
        self.texts.seal(self.today, &plain, out.bytes)?;
        out.bytes.push(b'"');
        Ok(())
    }

    fn without_identifiers<'t>(
        &mut self,
        tenant: &str,
        text: &'t str,
        out: &mut Out<'_>,
    ) -> Result<Cow<'t, str>, VaultError> {
        let hits = recognise(text);
        if hits.is_empty() {
            return Ok(text.into());
        }
        let mut plain = String::with_capacity(text.len());
        let mut copied = 0;
        for hit in hits {
            plain.push_str(text.get(copied..hit.place.start).unwrap_or_default());
            let found = text.get(hit.place.clone()).unwrap_or_default();
            let handle = match hit.form.class() {
                Some(class) => match self.handle(tenant, class, found) {
                    Ok(handle) => Some(handle),
                    Err(VaultError::TooManyNew { .. }) => {
                        self.withheld += 1;
                        None
                    }
                    Err(error) => return Err(error),
                },
                None => None,
            };
            match handle {
                Some(handle) => {
                    plain.push_str(&handle.to_string());
                    out.handles.push(handle);
                }
                None => plain.push_str(&format!("{} ({} bytes)", hit.form.name(), found.len())),
            }
            copied = hit.place.end;
        }
        plain.push_str(text.get(copied..).unwrap_or_default());
        Ok(plain.into())
    }

    /// A key code is typed in, not held against a reader: whoever knows it, has it. The kind stands
    /// beside the token, before or after it.
    fn is_secret_token(&mut self, scene: &mut Scene<'_>, fact: &Fact) -> bool {
        if !scene.kinds_known {
            scene.kinds_known = true;
            self.kinds.clear();
            for (place, kind) in scene.facts.iter().enumerate() {
                if kind.field.meaning == Meaning::TokenKind {
                    self.kinds.push((kind.object, place));
                }
            }
            self.kinds.sort_unstable();
        }
        let Ok(found) = self
            .kinds
            .binary_search_by_key(&fact.object, |(object, _)| *object)
        else {
            return false;
        };
        let kind = self
            .kinds
            .get(found)
            .and_then(|(_, place)| scene.facts.iter().nth(*place));
        kind.is_some_and(|kind| setting::is_secret_kind(scene.facts.text(kind)))
    }
}

/// One message that is being rewritten.
struct Scene<'m> {
    tenant: &'m str,
    text: &'m [u8],
    facts: Facts<'m>,
    /// The vault's list of token kinds is this message's.
    kinds_known: bool,
    /// Made for the first setting that is met.
    enclosing: Option<Enclosing>,
}

impl Scene<'_> {
    fn setting(&mut self, fact: &Fact) -> Setting {
        let enclosing = self
            .enclosing
            .get_or_insert_with(|| Enclosing::of(self.text, &self.facts));
        let facts = self.facts;
        enclosing.setting(fact.start, |key| facts.text(key))
    }
}

impl Treatment {
    /// What becomes of a value of that meaning; `None` if it may stand.
    fn of(fact: &Fact, private: bool) -> Option<Treatment> {
        Some(match fact.field.meaning {
            Meaning::Reading
            | Meaning::Measurand
            | Meaning::Unit
            | Meaning::Timestamp
            | Meaning::Connector
            | Meaning::Evse
            | Meaning::Status => return None,
            Meaning::Person
            | Meaning::Token
            | Meaning::Contract
            | Meaning::Vehicle
            | Meaning::Sim => {
                // Of objects that the schema knows, the fields inside say what they are.
                let inner = matches!(
                    fact.field.kind,
                    Kind::Object(_)
                        | Kind::List {
                            of: Kind::Object(_),
                            ..
                        }
                );
                return match inner {
                    true => None,
                    false => Class::of(fact.field.meaning).map(Treatment::Subject),
                };
            }
            // A serial number is printed on the box, and is often the station's identity.
            Meaning::Serial if private => Treatment::Subject(Class::Station),
            Meaning::Network if private => Treatment::Text,
            Meaning::ConfigValue => Treatment::Setting,
            Meaning::Secret => Treatment::Secret,
            Meaning::Url => Treatment::Url,
            Meaning::Certificate => Treatment::Certificate,
            // Signed meter data repeats the token it was measured for (OCMF, "ID").
            Meaning::Signature => Treatment::Length("signature"),
            Meaning::FreeText | Meaning::VendorData | Meaning::Location => Treatment::Text,
            _ => return None,
        })
    }
}

/// A value where it stands in the message.
struct Value<'m> {
    /// With the quotes of a string.
    raw: &'m [u8],
    start: usize,
    end: usize,
    text: &'m str,
    quoted: bool,
    escaped: bool,
}

impl<'m> Value<'m> {
    /// The value, unless it says nothing: an empty string, list or object, `null`, `true`, `false`.
    fn of(fact: &Fact, facts: &Facts<'m>, bytes: &'m [u8]) -> Option<Value<'m>> {
        let text = facts.text(fact);
        if matches!(text, "" | "null" | "true" | "false" | "{}" | "[]") {
            return None;
        }
        let (start, end) = (fact.start as usize, fact.end as usize);
        // Before any other value stands a colon, a comma, a bracket or white space.
        let quoted = start > 0 && bytes.get(start - 1) == Some(&b'"');
        let around = usize::from(quoted);
        Some(Value {
            raw: bytes.get(start - around..end + around)?,
            start: start - around,
            end: end + around,
            text,
            quoted,
            escaped: fact.escaped,
        })
    }

    /// What it says, escapes undone.
    fn inside(&self) -> Cow<'m, str> {
        match self.escaped {
            true => ocpp::unescape(self.text),
            false => self.text.into(),
        }
    }

    /// A list or an object.
    fn is_structure(&self) -> bool {
        !self.quoted && self.text.starts_with(['{', '['])
    }
}

impl Out<'_> {
    fn lengths(&self) -> (usize, usize) {
        (self.bytes.len(), self.handles.len())
    }

    fn take_back(&mut self, (bytes, handles): (usize, usize)) {
        self.bytes.truncate(bytes);
        self.handles.truncate(handles);
    }

    fn handle(&mut self, handle: Handle) {
        self.bytes.push(b'"');
        self.bytes.extend_from_slice(&handle.text());
        self.bytes.push(b'"');
        self.handles.push(handle);
    }

    fn length(&mut self, what: &str, length: usize) {
        let text = format!("\"{what} ({length} bytes)\"");
        self.bytes.extend_from_slice(text.as_bytes());
    }

    fn url(&mut self, inside: &str) {
        match url::without_secrets(inside) {
            Some(shown) => {
                // Whatever a URL holds, JSON can say it.
                let text = serde_json::to_string(&shown).unwrap_or_else(|_| "\"\"".to_owned());
                self.bytes.extend_from_slice(text.as_bytes());
            }
            None => self.length("url", inside.len()),
        }
    }
}
