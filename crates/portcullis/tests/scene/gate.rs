//! A running gate: the real program, its admin listener, and its log.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::{Outcome, Scene};

/// How long anything may take before the scene has failed.
const PATIENCE: Duration = Duration::from_secs(30);
/// Until the log of a gate that has ended is read to its end.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// The program serving, ended when it is dropped.
pub struct Gate {
    child: Child,
    reader: std::thread::JoinHandle<()>,
    log: Arc<Mutex<String>>,
    /// What it listens on, in the order of the configuration.
    pub listening: Vec<String>,
    admin: String,
}

/// An answer of the admin listener.
pub struct Page {
    pub status: u16,
    pub body: String,
}

impl Page {
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

impl Scene {
    /// Writes a configuration with a TLS listener and a plain one, whose one route leads there.
    pub fn configure(&self, upstream: &str, more_of_route: &str, more: &str) {
        self.write(
            "portcullis.toml",
            format!(
                "[[listener]]\naddress = \"127.0.0.1:0\"\n\
                 certificates = [\n  {{ chain = \"ca/gate-ecdsa.pem\", key = \"ca/gate-ecdsa.key\" }},\n  \
                 {{ chain = \"ca/gate-rsa.pem\", key = \"ca/gate-rsa.key\" }},\n]\n\
                 client_ca = \"ca/ca.pem\"\n\
                 [[listener]]\naddress = \"127.0.0.1:0\"\nplain = true\ntrusted_network = true\n\
                 [[exception]]\nkind = \"plain-basic\"\nstations = [\"*\"]\nuntil = \"2999-12-31\"\n\
                 reason = \"a scene on loopback\"\n\
                 [[route]]\nid = \"main\"\npath = \"/ocpp/{{identity}}\"\nupstream = \"{upstream}\"\n\
                 {more_of_route}\n\
                 [admin]\naddress = \"127.0.0.1:0\"\nlook_every_seconds = 1\n\
                 [limits]\nworkers = 1\n{more}\n"
            ),
        );
    }

    /// Registers a station with this password and what else is said of it.
    pub fn register(&self, identity: &str, password: &str, more: &[&str]) {
        // Scenes give all their stations one password.
        let add = [
            "station",
            "add",
            identity,
            "--password-text",
            "--allow-weak",
        ];
        let arguments = [&add, more].concat();
        self.run_with(&arguments, &format!("{password}\n")).is(0);
    }

    /// Registers stations that all have this password.
    pub fn register_all(&self, identities: impl Iterator<Item = String>, password: &str) {
        let rows = identities.map(|identity| format!("{identity},{password},true\n"));
        let rows: String = rows.collect();
        self.write(
            "fleet.csv",
            format!("identity,password_text,machine_made\n{rows}"),
        );
        self.run(&["station", "import", "fleet.csv", "--allow-weak"])
            .is(0);
    }

    /// Opens the gate.
    pub fn serve(&self) -> Gate {
        let mut child = self
            .command(&["serve", "--format", "json"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        let (told, pipe) = (Arc::clone(&log), child.stderr.take().unwrap());
        let reader = std::thread::spawn(move || {
            for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                let mut told = told.lock().unwrap();
                told.push_str(&line);
                told.push('\n');
            }
        });
        let mut said = String::new();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        while !said.ends_with("\n}\n") && out.read_line(&mut said).unwrap() > 0 {}
        let open = serde_json::from_str::<serde_json::Value>(&said);
        assert!(open.is_ok(), "{said}\n{}", log.lock().unwrap());
        let open = open.unwrap();
        let listening = open["listening"].as_array().unwrap();
        Gate {
            child,
            reader,
            log,
            listening: listening
                .iter()
                .map(|one| one.as_str().unwrap().to_owned())
                .collect(),
            admin: open["admin"].as_str().unwrap().to_owned(),
        }
    }
}

impl Gate {
    /// The URL of the plain listener.
    pub fn plain(&self) -> String {
        format!("ws://{}/ocpp", self.listening[1])
    }

    /// The URL of the TLS listener.
    pub fn tls(&self) -> String {
        format!("wss://{}/ocpp", self.listening[0])
    }

    pub fn ask(&self, path: &str) -> Page {
        let mut stream = TcpStream::connect(&self.admin).unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: gate\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Page {
            status,
            body: body.to_owned(),
        }
    }

    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// How many lines of the log hold this.
    pub fn lines_with(&self, text: &str) -> usize {
        self.log()
            .lines()
            .filter(|line| line.contains(text))
            .count()
    }

    /// Waits for a line of the log that holds this.
    #[track_caller]
    pub fn line_with(&self, text: &str) -> String {
        self.expect_line(text);
        let log = self.log();
        let mut lines = log.lines();
        lines
            .find(|line| line.contains(text))
            .unwrap_or_default()
            .to_owned()
    }

    /// Waits until the log holds this.
    #[track_caller]
    pub fn expect_line(&self, text: &str) {
        eventually(
            || self.lines_with(text) > 0,
            || format!("{text:?} in:\n{}", self.log()),
        );
    }

    /// Waits until `/readyz` says so.
    #[track_caller]
    pub fn expect_ready(&self, ready: bool) {
        let status = if ready { 200 } else { 503 };
        eventually(
            || self.ask("/readyz").status == status,
            || format!("ready: {ready}; {}", self.ask("/readyz").body),
        );
    }

    /// Waits until `/metrics` holds this line.
    #[track_caller]
    pub fn expect_metric(&self, line: &str) {
        eventually(
            || self.ask("/metrics").body.lines().any(|found| found == line),
            || format!("{line} in:\n{}", self.ask("/metrics").body),
        );
    }

    /// What one figure of `/metrics` says; none says 0.
    pub fn figure(&self, name: &str) -> u64 {
        let page = self.ask("/metrics").body;
        let mut lines = page.lines().filter_map(|line| line.split_once(' '));
        let line = lines.find(|(found, _)| *found == name);
        line.and_then(|(_, figure)| figure.parse().ok())
            .unwrap_or(0)
    }

    /// Sends it a signal.
    pub fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let told = std::process::Command::new("kill")
            .args([name, &id])
            .status()
            .unwrap();
        assert!(told.success());
    }

    /// How it ended, once it has.
    pub fn ended(&mut self) -> Option<i32> {
        let ended = self.child.try_wait().unwrap();
        ended.map(|status| status.code().unwrap_or(-1))
    }

    /// Tells it to stop, as systemd does, and waits.
    pub fn stop(mut self) -> Outcome {
        self.signal("-TERM");
        let ended = self.child.wait().unwrap();
        // What it said last may still be in the pipe, which a successor keeps open.
        let deadline = Instant::now() + LAST_WORDS;
        while !self.reader.is_finished() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(1));
        }
        Outcome {
            code: ended.code().unwrap_or(-1),
            out: String::new(),
            err: self.log(),
        }
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A process that a gate has started, ended when the scene is.
pub struct Successor(pub u64);

impl Successor {
    /// Has a new process take the running gate's place.
    pub fn of(scene: &Scene) -> Successor {
        let upgraded = scene.run(&["upgrade", "--format", "json"]);
        Successor(upgraded.is(0).json()["process"].as_u64().unwrap())
    }
}

impl Drop for Successor {
    fn drop(&mut self) {
        let _ = std::process::Command::new("kill")
            .args(["-9", &self.0.to_string()])
            .status();
    }
}

/// Waits for a condition, with a deadline.
#[track_caller]
pub fn eventually(so: impl Fn() -> bool, what: impl Fn() -> String) {
    let deadline = Instant::now() + PATIENCE;
    while !so() {
        assert!(
            Instant::now() < deadline,
            "it did not come about: {}",
            what()
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Tries until it comes about, with a deadline.
pub async fn eventually_in<T>(attempt: impl AsyncFn() -> Option<T>, what: &str) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(done) = attempt().await {
            return done;
        }
        assert!(Instant::now() < deadline, "it did not come about: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
