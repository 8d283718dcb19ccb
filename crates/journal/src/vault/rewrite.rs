//! A message as it may be recorded: copied, with every value replaced that must not stand.

mod out;
mod value;

use std::borrow::Cow;

use guard::UnixMillis;
use ocpp::{Fact, Facts, Meaning};

use crate::Handle;

use out::Out;
use value::{Treatment, Value};

use super::enclosing::Enclosing;
use super::recognise::recognise;
use super::setting::{self, Setting};
use super::{Class, IDENTIFIER_BYTES_MAX, Vault, VaultError, certificate};

impl Vault {
    /// Puts a message's JSON into `out` with nothing in it that names a person, token, vehicle or
    /// SIM, no secret, and no free text that could be read without its day's text key; the handles
    /// that stand in it go to `handles`.
    ///
    /// `facts` are those that the reader found in `text`. What is put out is JSON, too, and on one line,
    /// however it was laid out. Before it may be kept, [`Vault::settle`] must have returned: until then a handle's row may still be lost.
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
        match &rewritten {
            Ok(()) => out.put_on_one_line(before),
            Err(_) => out.take_back(before),
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
