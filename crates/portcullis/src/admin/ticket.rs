//! Who may order the running gate about: whoever may read a file that only the gate's own user can.
//!
//! The gate writes it beside its store when it opens and takes it away when it closes: the address of
//! the admin listener and a token that was drawn for this one run. A token that is worth nothing once
//! its gate is gone does no harm when somebody else answers on that port later.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use aws_lc_rs::constant_time::verify_slices_are_equal;

use crate::config::Config;
use crate::private_file::{self, with_suffix};
use crate::{Exit, Failure};

/// First word of the file.
const MARK: &str = "portcullis-admin-1";
const TOKEN_BYTES: usize = 32;
/// The file is one line.
const FILE_BYTES_MAX: u64 = 512;

/// What opens the admin listener's orders.
pub(crate) struct Ticket {
    path: PathBuf,
    /// Where the admin listener is.
    pub(crate) address: SocketAddr,
    token: String,
}

impl Ticket {
    /// Draws a token, unless one has been taken over. The file is not written yet: a gate that cannot
    /// open must not take the ticket of the one that runs.
    pub(crate) fn draw(
        store: &Path,
        address: SocketAddr,
        token: Option<String>,
    ) -> Result<Ticket, Failure> {
        let mut drawn = [0; TOKEN_BYTES];
        getrandom::fill(&mut drawn).map_err(|error| failed(store, &error.to_string()))?;
        let drawn = || drawn.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Ticket {
            path: beside(store),
            address,
            token: token.unwrap_or_else(drawn),
        })
    }

    /// Writes the file; one that an earlier run left behind is replaced.
    pub(crate) fn write_down(&self) -> Result<(), Failure> {
        let written = private_file::replace(&self.path, self.line().as_bytes());
        written.map_err(|error| failed(&self.path, &error.to_string()))
    }

    /// What opens the orders, for the process that comes after this one.
    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    fn line(&self) -> String {
        format!("{MARK} {} {}\n", self.address, self.token)
    }

    /// The ticket of the gate that runs by this configuration.
    pub(crate) fn of_gate(config: &Path) -> Result<Ticket, Failure> {
        // A file that is wrong is no reason not to reach the gate that was started with a right one.
        Ticket::read(&Config::store_path(config)?)
    }

    /// The ticket of the gate that runs on this store.
    pub(crate) fn read(store: &Path) -> Result<Ticket, Failure> {
        let path = beside(store);
        let remedy = "See that the gate runs, and be its user: the file is for nobody else.";
        let length = std::fs::metadata(&path).map_or(0, |meta| meta.len());
        let text = match std::fs::read_to_string(&path) {
            Ok(text) if length <= FILE_BYTES_MAX => text,
            Ok(_) => String::new(),
            Err(error) => {
                let what = format!("{}: {error}", path.display());
                return Err(Failure::new(Exit::Failed, what, remedy));
            }
        };
        let mut words = text.split_whitespace();
        let mark = words.next().filter(|word| *word == MARK);
        let address = words.next().and_then(|word| word.parse().ok());
        match (mark, address, words.next()) {
            (Some(_), Some(address), Some(token)) => Ok(Ticket {
                path,
                address,
                token: token.to_owned(),
            }),
            _ => {
                let what = format!("{}: this is no ticket of a running gate", path.display());
                Err(Failure::new(Exit::Failed, what, remedy))
            }
        }
    }

    /// Whether somebody who says this may order us about.
    pub(crate) fn admits(&self, authorization: &[u8]) -> bool {
        let token = authorization.strip_prefix(b"Bearer ").unwrap_or_default();
        verify_slices_are_equal(token, self.token.as_bytes()).is_ok()
    }

    /// What to say.
    pub(crate) fn authorization(&self) -> String {
        format!("Bearer {}", self.token)
    }

    /// Where to say it: a listener on every address is here, too.
    pub(crate) fn reached_at(&self) -> SocketAddr {
        let here = match self.address.ip() {
            IpAddr::V4(any) if any.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(any) if any.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            other => other,
        };
        SocketAddr::new(here, self.address.port())
    }

    /// Takes the file away, unless another gate has written its own.
    pub(crate) fn withdraw(&self) {
        if std::fs::read_to_string(&self.path).is_ok_and(|text| text == self.line()) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

fn beside(store: &Path) -> PathBuf {
    with_suffix(store, ".admin")
}

fn failed(path: &Path, why: &str) -> Failure {
    let remedy = "See that the gate's user may write in that directory.";
    Failure::new(Exit::Failed, format!("{}: {why}", path.display()), remedy)
}
