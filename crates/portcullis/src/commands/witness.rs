//! `portcullis witness …`: another host, which sees that a record only grows.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use journal::proof::{KeyKind, NoteError, Refusal, Request, VerifierKey, Witness, WitnessKey};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::cli::WitnessCommand;
use crate::output::Output;
use crate::private_file;
use crate::{Exit, Failure};

/// Bytes of what a witness is asked, at most: a proof and a checkpoint.
const REQUEST_BYTES_MAX: u64 = 128 * 1024;

pub(crate) fn run(command: &WitnessCommand, output: &mut Output) -> Result<(), Failure> {
    match command {
        WitnessCommand::Begin {
            directory,
            name,
            log,
        } => begin(directory, name, log, output),
        WitnessCommand::Sign { directory, file } => sign(directory, file.as_deref()),
        WitnessCommand::Show { directory } => show(directory),
        WitnessCommand::PublicKey { directory } => {
            let (key, _) = Place(directory).keys()?;
            public_key(key.verifier(), output)
        }
    }
}

/// What a witness's directory holds.
struct Place<'a>(&'a Path);

impl Place<'_> {
    fn key(&self) -> PathBuf {
        self.0.join("witness.key")
    }

    fn log(&self) -> PathBuf {
        self.0.join("log.pub")
    }

    fn memory(&self) -> PathBuf {
        self.0.join("seen")
    }

    fn keys(&self) -> Result<(WitnessKey, VerifierKey), Failure> {
        let path = self.key();
        let text = Zeroizing::new(read_named(&path)?);
        let broken = || {
            let what = format!("{}: not a witness's key", path.display());
            Failure::new(Exit::Failed, what, "Put it back from a copy.")
        };
        let (name, seed) = text.trim().split_once(' ').ok_or_else(broken)?;
        let seed = Zeroizing::new(STANDARD.decode(seed).map_err(|_| broken())?);
        let seed: &[u8; 32] = seed.as_slice().try_into().map_err(|_| broken())?;
        let key = WitnessKey::new(name, seed).map_err(|error| of_key(&error))?;
        let log = read_named(&self.log())?.parse::<VerifierKey>();
        Ok((key, log.map_err(|error| of_key(&error))?))
    }

    fn open(&self) -> Result<Witness, Failure> {
        let (key, log) = self.keys()?;
        Witness::open(&self.memory(), key, log).map_err(|refusal| refused(&refusal))
    }
}

fn begin(directory: &Path, name: &str, log: &str, output: &mut Output) -> Result<(), Failure> {
    let log: VerifierKey = log.parse().map_err(|error| of_key(&error))?;
    if log.kind() != KeyKind::Log {
        let what = "that is a witness's public key, not a log's";
        let remedy = "`portcullis journal public-key` shows it, where the record is.";
        return Err(Failure::new(Exit::Input, what, remedy));
    }
    let mut seed = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *seed).map_err(io::Error::from)?;
    let key = WitnessKey::new(name, &seed).map_err(|error| of_key(&error))?;
    fs::create_dir(directory).map_err(|error| {
        let exit = match error.kind() {
            io::ErrorKind::AlreadyExists => Exit::Conflict,
            _ => Exit::Failed,
        };
        let what = format!("{}: {error}", directory.display());
        Failure::new(exit, what, "Name a directory that is not there yet.")
    })?;
    let place = Place(directory);
    let text = Zeroizing::new(format!("{name} {}\n", STANDARD.encode(seed.as_slice())));
    private_file::create(&place.key(), text.as_bytes())?;
    fs::write(place.log(), format!("{log}\n"))?;
    Witness::begin(&place.memory()).map_err(|error| refused(&error.into()))?;
    public_key(key.verifier(), output)
}

/// What was signed goes to standard output as it is, whatever the format: it is piped on.
fn sign(directory: &Path, file: Option<&Path>) -> Result<(), Failure> {
    let request: Request = read(file)?.parse().map_err(|refusal| refused(&refusal))?;
    let mut witness = Place(directory).open()?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.map_or(0, |since| since.as_secs());
    let signed = witness.cosign(&request, now);
    let signed = signed.map_err(|refusal| refused(&refusal))?;
    io::stdout()
        .lock()
        .write_all(signed.note().to_string().as_bytes())?;
    Ok(())
}

fn show(directory: &Path) -> Result<(), Failure> {
    let witness = Place(directory).open()?;
    let seen = witness.seen().ok_or_else(|| {
        let what = "the witness has signed nothing yet";
        Failure::new(Exit::NotFound, what, "")
    })?;
    io::stdout()
        .lock()
        .write_all(seen.note().to_string().as_bytes())?;
    Ok(())
}

fn public_key(key: &VerifierKey, output: &mut Output) -> Result<(), Failure> {
    #[derive(Serialize)]
    struct View {
        public_key: String,
    }
    let view = View {
        public_key: key.to_string(),
    };
    output.result(&view, || view.public_key.clone())
}

/// What was piped in, or the file; no more of it than a request may have.
pub(super) fn read(file: Option<&Path>) -> Result<String, Failure> {
    let mut text = String::new();
    let read = match file {
        Some(path) => fs::File::open(path)?
            .take(REQUEST_BYTES_MAX)
            .read_to_string(&mut text),
        None => io::stdin()
            .lock()
            .take(REQUEST_BYTES_MAX)
            .read_to_string(&mut text),
    };
    read?;
    Ok(text)
}

fn read_named(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|error| {
        let what = format!("{}: {error}", path.display());
        let remedy = "`portcullis witness begin` makes a witness's directory.";
        Failure::new(Exit::NotFound, what, remedy)
    })
}

fn of_key(error: &NoteError) -> Failure {
    Failure::new(Exit::Input, error.to_string(), "")
}

fn refused(refusal: &Refusal) -> Failure {
    let exit = match refusal {
        Refusal::Form | Refusal::Checkpoint(_) => Exit::Input,
        Refusal::Conflict { .. } | Refusal::RolledBack { .. } | Refusal::Forked { .. } => {
            Exit::Conflict
        }
        Refusal::NoMemory(_) => Exit::NotFound,
        Refusal::State(_) => Exit::Failed,
    };
    Failure::new(exit, refusal.to_string(), "")
}
