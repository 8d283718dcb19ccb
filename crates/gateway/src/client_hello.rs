//! What a station's TLS is known by: the JA4 of its ClientHello, read from the first bytes of a
//! connection before TLS sees them.
//!
//! JA4 (<https://github.com/FoxIO-LLC/ja4>) says how a client's TLS library is set up. Four extensions
//! are left out of it here: pre-shared keys and early data, which only a resumed session brings along;
//! session tickets of TLS 1.2, which some libraries ask for only while they have none; and padding,
//! whose need depends on the length of the rest. So a station has one fingerprint, whether it resumes
//! or not; other programs, which count these in, find another one.
//!
//! TLS itself decides whether a handshake is right; what cannot be read here has no fingerprint.

use aws_lc_rs::digest;
use guard::TlsFingerprint;

/// Bytes of a ClientHello at most. Real ones have a few hundred, with post-quantum keys 1.7 kB.
pub const HELLO_BYTES_MAX: usize = 16 << 10;

/// What was read of a connection's first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hello {
    /// The ClientHello is not there to its end.
    Incomplete,
    /// It is, and this is what it is known by.
    Known(TlsFingerprint),
    /// These bytes are no ClientHello that can be read, or a longer one than any station's.
    Unreadable,
}

impl Hello {
    /// The fingerprint, if there is one.
    pub fn fingerprint(self) -> Option<TlsFingerprint> {
        match self {
            Hello::Known(fingerprint) => Some(fingerprint),
            Hello::Incomplete | Hello::Unreadable => None,
        }
    }
}

/// RFC 8446, 5.1.
const HANDSHAKE: u8 = 22;
/// RFC 8446, 4.
const CLIENT_HELLO: u8 = 1;

const SERVER_NAME: u16 = 0x0000;
const SIGNATURE_ALGORITHMS: u16 = 0x000d;
const APPLICATION_PROTOCOLS: u16 = 0x0010;
const PADDING: u16 = 0x0015;
const SESSION_TICKET: u16 = 0x0023;
const PRE_SHARED_KEY: u16 = 0x0029;
const EARLY_DATA: u16 = 0x002a;
const SUPPORTED_VERSIONS: u16 = 0x002b;

/// Reads a connection's bytes from their beginning, TLS records and all.
pub fn read(received: &[u8]) -> Hello {
    let message = match message(received) {
        Ok(message) => message,
        Err(unfit) => return unfit,
    };
    let offer = Offer::read(&mut Reader(&message));
    match offer.and_then(|offer| offer.fingerprint()) {
        Some(fingerprint) => Hello::Known(fingerprint),
        None => Hello::Unreadable,
    }
}

/// The body of the ClientHello, put together from its records.
fn message(received: &[u8]) -> Result<Vec<u8>, Hello> {
    let mut records = Reader(received);
    let mut message = Vec::new();
    loop {
        if let Some(body) = whole(&message)? {
            return Ok(body.to_vec());
        }
        let header = records.take(5).ok_or(Hello::Incomplete)?;
        let [kind, _, _, high, low] = *header else {
            return Err(Hello::Unreadable);
        };
        let length = usize::from(u16::from_be_bytes([high, low]));
        if kind != HANDSHAKE || length == 0 {
            return Err(Hello::Unreadable);
        }
        let missing = length.saturating_sub(records.0.len());
        message.extend_from_slice(records.take(length - missing).unwrap_or_default());
        if missing > 0 && whole(&message)?.is_none() {
            return Err(Hello::Incomplete);
        }
    }
}

/// The body of a handshake message, once it is all there.
fn whole(message: &[u8]) -> Result<Option<&[u8]>, Hello> {
    let Some((kind, rest)) = message.split_first() else {
        return Ok(None);
    };
    if *kind != CLIENT_HELLO {
        return Err(Hello::Unreadable);
    }
    let Some((length, body)) = rest.split_first_chunk::<3>() else {
        return Ok(None);
    };
    let [high, middle, low] = *length;
    let length = u32::from_be_bytes([0, high, middle, low]) as usize;
    match length > HELLO_BYTES_MAX {
        true => Err(Hello::Unreadable),
        false => Ok(body.get(..length)),
    }
}

/// What a client offers, as far as its fingerprint is concerned.
#[derive(Default)]
struct Offer {
    version: u16,
    suites: Vec<u16>,
    extensions: Vec<u16>,
    names_server: bool,
    protocol: Vec<u8>,
    signatures: Vec<u16>,
}

impl Offer {
    /// RFC 8446, 4.1.2 and 4.2; RFC 5246, 7.4.1.2.
    fn read(hello: &mut Reader<'_>) -> Option<Offer> {
        let mut offer = Offer {
            version: hello.number()?,
            ..Offer::default()
        };
        hello.take(32)?;
        hello.short_list()?;
        offer.suites = hello.list()?.numbers()?;
        hello.short_list()?;
        // An old client may end here.
        if hello.0.is_empty() {
            return Some(offer);
        }
        let mut extensions = hello.list()?;
        while !extensions.0.is_empty() {
            let kind = extensions.number()?;
            let body = extensions.list()?;
            offer.take_in(kind, body)?;
        }
        Some(offer)
    }

    fn take_in(&mut self, kind: u16, mut body: Reader<'_>) -> Option<()> {
        match kind {
            PADDING | SESSION_TICKET | PRE_SHARED_KEY | EARLY_DATA => return Some(()),
            SERVER_NAME => self.names_server = true,
            SIGNATURE_ALGORITHMS => self.signatures = body.list()?.numbers()?,
            APPLICATION_PROTOCOLS => {
                self.protocol = body.list()?.short_list()?.0.to_vec();
            }
            SUPPORTED_VERSIONS => {
                let versions = body.short_list()?.numbers()?;
                let highest = versions
                    .into_iter()
                    .filter(|version| !is_grease(*version))
                    .max();
                self.version = highest.unwrap_or(self.version);
            }
            _ => {}
        }
        self.extensions.push(kind);
        Some(())
    }

    fn fingerprint(mut self) -> Option<TlsFingerprint> {
        self.suites.retain(|suite| !is_grease(*suite));
        self.extensions.retain(|kind| !is_grease(*kind));
        self.signatures.retain(|scheme| !is_grease(*scheme));
        let start = self.start();
        self.suites.sort_unstable();
        self.extensions
            .retain(|kind| !matches!(*kind, SERVER_NAME | APPLICATION_PROTOCOLS));
        self.extensions.sort_unstable();
        let mut rest = hexadecimal(&self.extensions);
        if !rest.is_empty() && !self.signatures.is_empty() {
            rest.push('_');
            rest.push_str(&hexadecimal(&self.signatures));
        }
        TlsFingerprint::new(start, hash(&hexadecimal(&self.suites)), hash(&rest))
    }

    /// `t13d1516h2`
    fn start(&self) -> [u8; 10] {
        let [v0, v1] = match self.version {
            0x0304 => *b"13",
            0x0303 => *b"12",
            0x0302 => *b"11",
            0x0301 => *b"10",
            0x0300 => *b"s3",
            _ => *b"00",
        };
        let name = if self.names_server { b'd' } else { b'i' };
        let [s0, s1] = count(self.suites.len());
        let [e0, e1] = count(self.extensions.len());
        let [p0, p1] = self.ends_of_protocol();
        [b't', v0, v1, name, s0, s1, e0, e1, p0, p1]
    }

    /// The first protocol's first and last letter; where one of them is neither letter nor digit, those
    /// of its hexadecimal form.
    fn ends_of_protocol(&self) -> [u8; 2] {
        let (Some(first), Some(last)) = (self.protocol.first(), self.protocol.last()) else {
            return *b"00";
        };
        if first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric() {
            return [*first, *last];
        }
        [digit(first >> 4), digit(last & 15)]
    }
}

/// Two decimal digits, 99 at most.
fn count(items: usize) -> [u8; 2] {
    let items = u8::try_from(items.min(99)).unwrap_or(99);
    [b'0' + items / 10, b'0' + items % 10]
}

fn digit(half: u8) -> u8 {
    match half {
        0..=9 => b'0' + half,
        _ => b'a' + (half & 15) - 10,
    }
}

/// RFC 8701: values that mean nothing, so that servers stay used to unknown ones.
fn is_grease(value: u16) -> bool {
    let [high, low] = value.to_be_bytes();
    high == low && low & 15 == 10
}

/// `002f,0035`
fn hexadecimal(values: &[u16]) -> String {
    let mut text = String::with_capacity(values.len() * 5);
    for value in values {
        if !text.is_empty() {
            text.push(',');
        }
        // Digit by digit, since every handshake has some thirty of these, and `format!` is slow.
        let [high, low] = value.to_be_bytes();
        for half in [high >> 4, high & 15, low >> 4, low & 15] {
            text.push(char::from(digit(half)));
        }
    }
    text
}

/// The first six bytes of the SHA-256, or zeros for nothing at all.
fn hash(text: &str) -> [u8; 6] {
    let mut start = [0; 6];
    if !text.is_empty() {
        let digest = digest::digest(&digest::SHA256, text.as_bytes());
        for (byte, of_digest) in start.iter_mut().zip(digest.as_ref()) {
            *byte = *of_digest;
        }
    }
    start
}

/// What is left to be read.
struct Reader<'b>(&'b [u8]);

impl<'b> Reader<'b> {
    fn take(&mut self, count: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn number(&mut self) -> Option<u16> {
        let (bytes, rest) = self.0.split_first_chunk::<2>()?;
        self.0 = rest;
        Some(u16::from_be_bytes(*bytes))
    }

    /// A list that says its length in two bytes.
    fn list(&mut self) -> Option<Reader<'b>> {
        let length = self.number()?;
        self.take(length.into()).map(Reader)
    }

    /// A list that says its length in one byte.
    fn short_list(&mut self) -> Option<Reader<'b>> {
        let length = *self.take(1)?.first()?;
        self.take(length.into()).map(Reader)
    }

    fn numbers(mut self) -> Option<Vec<u16>> {
        let mut numbers = Vec::with_capacity(self.0.len() / 2);
        while !self.0.is_empty() {
            numbers.push(self.number()?);
        }
        Some(numbers)
    }
}

#[cfg(test)]
mod tests;
