//! The relay benchmark: Portcullis between nginx and HAProxy.
//!
//! `relay run [--quick] [--only NAME,…] [--part PART,…] [--portcullis FILE]
//! [--before FILE] [--work DIR] [--page FILE] [--reader FILE] [--record FILE]`

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use benches::pki::Pki;
use benches::proxies::{Ground, Kind, free_address};
use benches::report::Report;
use benches::scene::{CsmsProcess, Figures, Plan, Run, take_load_core};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.first().map(String::as_str) {
        Some("run") => Options::read(&arguments[1..]).and_then(|options| run(&options)),
        Some("csms") => csms(&arguments[1..]),
        Some("attack") => benches::floods::attack(&arguments[1..]),
        _ => Err(io::Error::other(
            "usage: relay run [--quick] [--only NAME,…] [--part PART,…] …",
        )),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("relay: {error}");
            ExitCode::FAILURE
        }
    }
}

struct Options {
    plan: Plan,
    kinds: Vec<Kind>,
    parts: Vec<String>,
    portcullis: PathBuf,
    before: PathBuf,
    work: PathBuf,
    page: Option<PathBuf>,
    reader: Option<PathBuf>,
    record: Option<PathBuf>,
}

impl Options {
    fn read(arguments: &[String]) -> io::Result<Options> {
        let mut options = Options {
            plan: Plan::full(),
            kinds: Kind::ALL.to_vec(),
            parts: ["calls", "connections", "idle", "growth", "floods", "storm"]
                .map(str::to_owned)
                .to_vec(),
            portcullis: "target/release/portcullis".into(),
            before: PathBuf::new(),
            work: ".work/bench".into(),
            page: None,
            reader: None,
            record: None,
        };
        let mut arguments = arguments.iter();
        while let Some(name) = arguments.next() {
            if name == "--quick" {
                options.plan = Plan::quick();
                continue;
            }
            let value = arguments
                .next()
                .ok_or_else(|| io::Error::other(format!("{name} wants a value")))?;
            match name.as_str() {
                "--only" => options.kinds.retain(|kind| {
                    value
                        .split(',')
                        .any(|only| only.eq_ignore_ascii_case(kind.name()))
                }),
                "--part" => options.parts = value.split(',').map(str::to_owned).collect(),
                "--portcullis" => options.portcullis = value.into(),
                "--before" => {
                    options.before = std::path::absolute(value)?;
                    options.kinds.insert(0, Kind::Before);
                }
                "--work" => options.work = value.into(),
                "--page" => options.page = Some(value.into()),
                "--reader" => options.reader = Some(value.into()),
                "--record" => options.record = Some(value.into()),
                unknown => return Err(io::Error::other(format!("unknown option {unknown}"))),
            }
        }
        Ok(options)
    }
}

fn run(options: &Options) -> io::Result<()> {
    take_load_core()?;
    let dir = std::path::absolute(options.work.join("run"))?;
    let _ = fs::remove_dir_all(&dir);
    fs::create_dir_all(&dir)?;
    let ground = Ground {
        pki: Pki::make(&dir)?,
        csms_plain: free_address()?,
        csms_tls: free_address()?,
        portcullis: std::path::absolute(&options.portcullis)?,
        before: options.before.clone(),
        stations: options.plan.stations_max(),
        dir: dir.clone(),
    };
    let _csms = CsmsProcess::start(&ground, &dir)?;
    let mut run = Run {
        plan: &options.plan,
        ground: &ground,
        kinds: &options.kinds,
        figures: Figures::default(),
    };
    for part in &options.parts {
        match part.as_str() {
            "calls" => run.calls()?,
            "connections" => run.connections()?,
            "idle" => run.idle()?,
            "growth" => run.growth()?,
            "floods" => run.floods()?,
            "storm" => run.storm()?,
            unknown => return Err(io::Error::other(format!("unknown part {unknown}"))),
        }
    }
    write_report(options, &run.figures)
}

fn write_report(options: &Options, figures: &Figures) -> io::Result<()> {
    let said = |file: &Option<PathBuf>| -> io::Result<Option<serde_json::Value>> {
        match file {
            Some(file) => Ok(Some(serde_json::from_slice(&fs::read(file)?)?)),
            None => Ok(None),
        }
    };
    let report = Report {
        date: jiff::Timestamp::now()
            .strftime("%Y-%m-%d %H:%M UTC")
            .to_string(),
        machine: machine(),
        load: load(),
        versions: versions(&options.portcullis),
        plan: &options.plan,
        figures,
        reader: said(&options.reader)?,
        record: said(&options.record)?,
    };
    fs::write(
        options.work.join("relay.json"),
        serde_json::to_vec_pretty(&report)?,
    )?;
    let page = report.markdown();
    println!("{page}");
    match &options.page {
        Some(file) => fs::write(file, page),
        None => Ok(()),
    }
}

fn csms(arguments: &[String]) -> io::Result<()> {
    let [plain, tls, dir] = arguments else {
        return Err(io::Error::other("usage: relay csms PLAIN TLS DIR"));
    };
    let address = |text: &String| text.parse().map_err(io::Error::other);
    benches::csms::serve(
        address(plain)?,
        address(tls)?,
        Pki::at(Path::new(dir)).server()?,
    )
}

fn machine() -> String {
    let processors = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let models = || {
        processors
            .lines()
            .filter_map(|line| line.strip_prefix("model name"))
            .map(|rest| rest.trim_matches([' ', '\t', ':']))
    };
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!(
        "{} × {}, Linux {}",
        models().count(),
        models().next().unwrap_or("unknown processor"),
        kernel.trim()
    )
}

/// The averages over one, five and fifteen minutes: how much else went on.
fn load() -> String {
    let averages = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    averages
        .split_whitespace()
        .take(3)
        .collect::<Vec<_>>()
        .join(" ")
}

fn versions(portcullis: &Path) -> Vec<String> {
    let first_line = |program: &Path, argument: &str| {
        let output = Command::new(program).arg(argument).output().ok()?;
        let text = if output.stdout.is_empty() {
            output.stderr
        } else {
            output.stdout
        };
        String::from_utf8_lossy(&text)
            .lines()
            .next()
            .map(str::to_owned)
    };
    [
        (portcullis, "--version"),
        (Path::new("nginx"), "-v"),
        (Path::new("haproxy"), "-v"),
        (Path::new("openssl"), "version"),
    ]
    .into_iter()
    .filter_map(|(program, argument)| first_line(program, argument))
    .collect()
}
