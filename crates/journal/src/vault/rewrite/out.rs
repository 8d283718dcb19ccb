//! Where a rewritten message goes.

use crate::Handle;
use crate::vault::url;

/// Where rewritten bytes go, and the handles that are among them.
pub(super) struct Out<'o> {
    pub(super) bytes: &'o mut Vec<u8>,
    pub(super) handles: &'o mut Vec<Handle>,
}

impl Out<'_> {
    pub(super) fn lengths(&self) -> (usize, usize) {
        (self.bytes.len(), self.handles.len())
    }

    pub(super) fn take_back(&mut self, (bytes, handles): (usize, usize)) {
        self.bytes.truncate(bytes);
        self.handles.truncate(handles);
    }

    /// Newlines between two tokens become blanks: a record is a line. Within a string JSON has none.
    pub(super) fn put_on_one_line(&mut self, (bytes, _): (usize, usize)) {
        let mut rest = self.bytes.get_mut(bytes..).unwrap_or_default();
        while let Some(place) = memchr::memchr(b'\n', rest) {
            rest[place] = b' ';
            rest = &mut rest[place..];
        }
    }

    pub(super) fn handle(&mut self, handle: Handle) {
        self.bytes.push(b'"');
        self.bytes.extend_from_slice(&handle.text());
        self.bytes.push(b'"');
        self.handles.push(handle);
    }

    pub(super) fn length(&mut self, what: &str, length: usize) {
        let text = format!("\"{what} ({length} bytes)\"");
        self.bytes.extend_from_slice(text.as_bytes());
    }

    pub(super) fn url(&mut self, inside: &str) {
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
