//! Where a password comes from: a person at a terminal, a line on standard input, or chance.

use std::io::{BufRead, IsTerminal, Read};

use guard::Secret;
use zeroize::Zeroizing;

use crate::{Exit, Failure};

/// Random bytes of a password that we draw: what a 1.6 AuthorizationKey holds.
const DRAWN_BYTES: usize = 20;
/// No password is longer; what follows is not read.
const LINE_BYTES_MAX: u64 = 1024;

/// Asks for a secret at the terminal, without showing it, or reads a line of standard input.
pub(super) fn ask(what: &str) -> Result<Secret, Failure> {
    let mut line = Zeroizing::new(String::new());
    if std::io::stdin().is_terminal() {
        let terminal = console::Term::stderr();
        terminal.write_str(&format!("{what}: "))?;
        *line = terminal.read_secure_line()?;
    } else {
        // The lock keeps its buffer between calls, so the next line is still there.
        let mut input = std::io::stdin().lock().take(LINE_BYTES_MAX);
        input.read_line(&mut line)?;
    }
    let text = line.trim_end_matches(['\r', '\n']);
    if text.is_empty() {
        return Err(Failure::new(
            Exit::Input,
            format!("there is no {what} on standard input"),
            "Give each password on a line of its own: printf '%s\\n' … | portcullis station add …",
        ));
    }
    Ok(Secret::new(text.as_bytes().to_vec()))
}

/// Draws a password: 40 hexadecimal digits, which 1.6 stations take as an AuthorizationKey and 2.x
/// stations as text.
pub(super) fn draw() -> Result<Zeroizing<String>, Failure> {
    let bytes = Zeroizing::new(random::<DRAWN_BYTES>()?);
    Ok(Zeroizing::new(super::view::hex(&*bytes)))
}

/// Random bytes.
pub(super) fn random<const N: usize>() -> Result<[u8; N], Failure> {
    let mut bytes = [0_u8; N];
    getrandom::fill(&mut bytes).map_err(|error| {
        Failure::new(
            Exit::Failed,
            format!("the system gives no random numbers: {error}"),
            "",
        )
    })?;
    Ok(bytes)
}

/// Reads a fingerprint: 64 hexadecimal digits, with or without colons.
pub(super) fn fingerprint(digits: &str) -> Option<[u8; 32]> {
    let digits: Vec<u32> = digits
        .chars()
        .filter(|c| *c != ':')
        .map(|c| c.to_digit(16))
        .collect::<Option<_>>()?;
    let bytes: Vec<u8> = digits
        .chunks(2)
        .map(|pair| match pair {
            [high, low] => u8::try_from(high << 4 | low).ok(),
            _ => None,
        })
        .collect::<Option<_>>()?;
    bytes.try_into().ok()
}
