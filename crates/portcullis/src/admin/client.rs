//! Speaking to the running gate's admin listener from the command line: one request, one answer.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde::de::DeserializeOwned;

use super::Ticket;
use crate::{Exit, Failure};

/// The gate is on this machine; longer than this it does not take, a large register included.
const PATIENCE: Duration = Duration::from_secs(60);
/// Some hundred thousand sessions.
const ANSWER_BYTES_MAX: u64 = 64 << 20;

/// A status and what came with it.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

/// Asks, and waits for the whole answer.
pub(crate) fn ask(
    ticket: &Ticket,
    method: &str,
    path: &str,
    body: &str,
) -> Result<Answer, Failure> {
    ask_within(PATIENCE, ticket, method, path, body)
}

/// The same, for what may take another time.
pub(crate) fn ask_within(
    patience: Duration,
    ticket: &Ticket,
    method: &str,
    path: &str,
    body: &str,
) -> Result<Answer, Failure> {
    let answer = exchange(patience, ticket, method, path, body).map_err(|error| {
        let what = format!("the gate at {} cannot be asked: {error}", ticket.address);
        Failure::new(Exit::Failed, what, "See that it runs: /healthz tells.")
    })?;
    read(&answer).ok_or_else(|| {
        let what = format!("what answers at {} is not the gate", ticket.address);
        Failure::new(Exit::Failed, what, "See which program has that port.")
    })
}

fn exchange(
    patience: Duration,
    ticket: &Ticket,
    method: &str,
    path: &str,
    body: &str,
) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&ticket.reached_at(), patience)?;
    stream.set_read_timeout(Some(patience))?;
    stream.set_write_timeout(Some(patience))?;
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: {}\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        ticket.address,
        ticket.authorization(),
        body.len()
    );
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.take(ANSWER_BYTES_MAX).read_to_string(&mut answer)?;
    Ok(answer)
}

fn read(answer: &str) -> Option<Answer> {
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()?;
    Some(Answer {
        status,
        body: body.to_owned(),
    })
}

/// What a good answer holds; `otherwise` says what another one means.
pub(crate) fn understood<T: DeserializeOwned>(
    answer: &Answer,
    otherwise: impl FnOnce() -> Failure,
) -> Result<T, Failure> {
    match answer.status {
        200 => serde_json::from_str(&answer.body).map_err(|_| unexpected(200)),
        _ => Err(otherwise()),
    }
}

/// An answer that nobody has promised.
pub(crate) fn unexpected(status: u16) -> Failure {
    let what = format!("the gate answered in a way we do not understand (HTTP {status})");
    let remedy = "See that program and gate are of the same version, and that one gate alone uses this store.";
    Failure::new(Exit::Failed, what, remedy)
}
