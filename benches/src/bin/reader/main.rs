//! The reader benchmark: one message at a time, read, judged and its facts taken, against other
//! people's readers doing the same job.
//!
//! `reader [--rounds N] [--schemas DIR] [--json [FILE]]`
//!
//! The readers take turns, round by round, on one thread; what counts is the thread's CPU time, and of
//! that the median. `--schemas`, or `OCPP_SCHEMAS`, is the folder of the PyPI package `ocpp`.

mod readers;
mod samples;
mod sonic;

use std::hint::black_box;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use benches::report::median;
use nix::time::{ClockId, clock_gettime};
use serde_json::{Value, json};

use readers::{Judge, readers};
use samples::{Sample, samples};

/// The others allocate a document for each message; they get the allocator that is quickest at it. Ours
/// allocates nothing.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match Options::read(std::env::args().skip(1)).and_then(run) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("reader: {error}");
            ExitCode::FAILURE
        }
    }
}

struct Options {
    rounds: usize,
    schemas: PathBuf,
    /// `None`: a table; `Some(None)`: JSON in its place; `Some(Some(path))`: both.
    json: Option<Option<PathBuf>>,
}

impl Options {
    fn read(mut arguments: impl Iterator<Item = String>) -> io::Result<Options> {
        let mut options = Options {
            rounds: 41,
            schemas: std::env::var_os("OCPP_SCHEMAS")
                .map(PathBuf::from)
                .unwrap_or_default(),
            json: None,
        };
        while let Some(name) = arguments.next() {
            match name.as_str() {
                "--rounds" => {
                    let rounds = arguments.next().and_then(|text| text.parse().ok());
                    options.rounds = rounds.ok_or_else(|| io::Error::other("--rounds NUMBER"))?;
                }
                "--schemas" => options.schemas = arguments.next().unwrap_or_default().into(),
                "--json" => options.json = Some(arguments.next().map(PathBuf::from)),
                other => return Err(io::Error::other(format!("{other}: no such option"))),
            }
        }
        if options.schemas.as_os_str().is_empty() {
            options.schemas = installed_schemas().ok_or_else(|| {
                io::Error::other("no schemas; run scripts/setup.sh, or set OCPP_SCHEMAS")
            })?;
        }
        Ok(options)
    }
}

/// Where `scripts/setup.sh` and `scripts/conformance.sh` put the package.
fn installed_schemas() -> Option<PathBuf> {
    let entries = |path: &Path| {
        let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
        entries.map(|entry| entry.path())
    };
    entries(Path::new(".work"))
        .flat_map(|venv| entries(&venv.join("lib")).collect::<Vec<_>>())
        .map(|python| python.join("site-packages/ocpp"))
        .find(|package| package.join("v201/schemas").is_dir())
}

fn run(options: Options) -> io::Result<()> {
    let samples = samples();
    let mut readers = readers(&options.schemas, &samples)?;
    for (name, judge) in &mut readers {
        if let Some(sample) = samples.iter().find(|sample| !judge(sample)) {
            return Err(io::Error::other(format!("{name} refuses {}", sample.name)));
        }
    }
    let figures = measure(&samples, &mut readers, options.rounds)?;
    let typed = typed();
    let names: Vec<&str> = readers.iter().map(|(name, _)| *name).collect();
    let page = page(&samples, &names, &figures, &typed);
    if options.json != Some(None) {
        println!("{page}");
    }
    let Some(json) = options.json else {
        return Ok(());
    };
    let rows: Vec<Value> = (samples.iter().zip(&figures))
        .map(|(sample, figures)| {
            let mut row = json!({ "message": sample.name, "bytes": sample.text.len() });
            for (name, figure) in names.iter().zip(figures) {
                row[*name] = json!(figure);
            }
            row["rust-ocpp"] = typed.get(sample.name).cloned().unwrap_or_default();
            row
        })
        .collect();
    let report = format!(
        "{:#}\n",
        json!({ "unit": "ns", "rows": rows, "markdown": page })
    );
    match json {
        Some(path) => std::fs::write(path, report),
        None => {
            print!("{report}");
            Ok(())
        }
    }
}

/// The median nanoseconds of each reader, sample by sample.
fn measure(
    samples: &[Sample],
    readers: &mut [(&'static str, Judge)],
    rounds: usize,
) -> io::Result<Vec<Vec<f64>>> {
    let mut figures = vec![vec![Vec::with_capacity(rounds); readers.len()]; samples.len()];
    for round in 0..=rounds {
        for (sample, figures) in samples.iter().zip(&mut figures) {
            // As many as take about a millisecond of the slowest.
            let times = 300_000 / sample.text.len();
            for ((_, judge), figures) in readers.iter_mut().zip(figures) {
                let before = cpu_nanoseconds()?;
                for _ in 0..times {
                    black_box(judge(black_box(sample)));
                }
                let nanoseconds = cpu_nanoseconds()? - before;
                // The first round warms up.
                if round > 0 {
                    figures.push(nanoseconds as f64 / times as f64);
                }
            }
        }
    }
    let medians = |figures: Vec<Vec<f64>>| figures.iter().map(|values| median(values)).collect();
    Ok(figures.into_iter().map(medians).collect())
}

fn cpu_nanoseconds() -> io::Result<i64> {
    let time = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID)?;
    Ok(time.tv_sec() * 1_000_000_000 + time.tv_nsec())
}

/// What the program next to this one measured of rust-ocpp, where it was built.
fn typed() -> Value {
    let program = std::env::current_exe().map(|path| path.with_file_name("typed"));
    let output = program.and_then(|program| Command::new(program).output());
    let figures = output
        .ok()
        .and_then(|output| serde_json::from_slice(&output.stdout).ok());
    figures.unwrap_or_default()
}

fn page(samples: &[Sample], names: &[&str], figures: &[Vec<f64>], typed: &Value) -> String {
    let mut page = String::from(
        "Nanoseconds of one thread's CPU time to read one message and judge it by its official schema; ours also\n\
         finds hard faults and takes the facts. Readers in turns, medians. rust-ocpp (typed; no lengths in 2.0.1) runs\n\
         apart, since it slows serde_json for all.\n\n",
    );
    page += &format!(
        "| message | bytes | {} | rust-ocpp | ours ÷ sonic-rs + jsonschema |\n|---|{}\n",
        names.join(" | "),
        "---|".repeat(names.len() + 3),
    );
    for (sample, figures) in samples.iter().zip(figures) {
        let cells: Vec<String> = figures
            .iter()
            .map(|figure| format!("{figure:.0}"))
            .collect();
        let typed = typed.get(sample.name).and_then(Value::as_f64);
        let typed = typed.map_or("–".to_owned(), |figure| format!("{figure:.0}"));
        let ratio = match figures.as_slice() {
            [ours, theirs, ..] if *theirs > 0.0 => ours / theirs,
            _ => f64::NAN,
        };
        page += &format!(
            "| {} | {} | {} | {typed} | {ratio:.2} |\n",
            sample.name,
            sample.text.len(),
            cells.join(" | "),
        );
    }
    page
}
