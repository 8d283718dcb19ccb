//! `portcullis demo`: the real gate between a fleet and a CSMS that are not real, with somebody
//! hostile at the door, shown as it happens.
//!
//! Everything is set up afresh in one directory: a CA, certificates, a key file, a register, and the
//! `portcullis.toml` that `serve` would be given. The gate is started as `serve` starts it.

mod account;
mod attackers;
mod cast;
mod faults;
mod guide;
mod paint;
mod record;
mod show;
mod stage;

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use guard::Event;
use sim::fleet::{Fleet, Plan};
use tokio::time::{Instant, interval, sleep_until};

use crate::config::Config;
use crate::serve::{self, Ready};
use crate::{Exit, Failure};
use show::Show;
use stage::Stage;

/// Between two summaries.
const SUMMARY_EVERY: Duration = Duration::from_secs(5);
/// Summaries between two lists of who is connected.
const SUMMARIES_A_LIST: u32 = 6;
/// How long the first summary lets itself be waited for, so that there is something in it.
const FIRST_SUMMARY_AFTER: Duration = Duration::from_secs(3);

/// What `portcullis demo` can be told.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct DemoArgs {
    /// Where everything is set up; emptied first if an earlier demo made it.
    #[arg(long, default_value = ".work/demo")]
    pub(crate) dir: PathBuf,
    /// End after so many seconds, with exit code 0 only if stations came in, messages passed and
    /// attacks were refused. Without it the demo runs until Ctrl-C.
    #[arg(long)]
    pub(crate) seconds: Option<u64>,
    /// How many stations.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u16).range(1..=2000))]
    pub(crate) stations: u16,
    /// How many times faster than life the stations live.
    #[arg(long, default_value_t = 10.0, value_parser = speed)]
    pub(crate) speed: f64,
    /// What the fleet's habits and haphazards follow from.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// The address to listen on; 0.0.0.0 lets stations of your own in from other machines.
    #[arg(long, default_value = "127.0.0.1")]
    pub(crate) listen: IpAddr,
    /// The port to listen on, or a free one if it is taken; 0 takes free ones for everything.
    #[arg(long, default_value_t = 8443)]
    pub(crate) port: u16,
    /// Further names for the gate's certificate, as those stations will call it.
    #[arg(long)]
    pub(crate) name: Vec<String>,
}

/// Runs the demo to its end.
pub(crate) fn run(args: &DemoArgs) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    runtime.block_on(play(args))
}

async fn play(args: &DemoArgs) -> Result<(), Failure> {
    let stage = stage::set(args).await?;
    let show = Arc::new(Mutex::new(Show::new(&stage.cast)));
    lock(&show).say(&guide::opening(&stage));

    let watching = Arc::clone(&show);
    let ready = Ready::of(Config::load(&stage.config)?)?;
    let onlooker = Box::new(move |event: &Event| lock(&watching).event(event));
    let gate = serve::open(&stage.config, ready, Some(onlooker)).await?;
    lock(&show).say(&guide::own_station(&stage));

    let fleet = Fleet::start(Plan {
        url: stage.url.clone(),
        trusted: vec![stage.authority.certificate()],
        chargers: stage.cast.chargers(),
        seed: args.seed,
        speed: args.speed,
    });
    let fleet = fleet.map_err(|error| {
        Failure::new(Exit::Failed, format!("the fleet cannot start: {error}"), "")
    })?;
    let attacks = tokio::spawn(attackers::attack(
        stage.target(),
        Arc::clone(&show),
        args.seed,
    ));
    let exploits = tokio::spawn(faults::exploit(
        Arc::clone(&stage.labs),
        stage.target(),
        Arc::clone(&show),
    ));
    let orders = tokio::spawn(attackers::order_about(Arc::clone(&stage.csms), args.seed));

    let watched = watch(&show, args.seconds).await;

    attacks.abort();
    exploits.abort();
    orders.abort();
    drop(fleet);
    gate.close().await;
    watched?;
    let config = stage.config.clone();
    let record = tokio::task::spawn_blocking(move || record::shown(&config)).await;
    let record = record.map_err(|error| Failure::new(Exit::Failed, error.to_string(), ""))?;
    lock(&show).say(&record?);
    conclude(&show, args.seconds.is_some(), &stage)
}

/// Reads a speed: slower than life is dull, and much faster is a load test, not a demo.
fn speed(text: &str) -> Result<f64, String> {
    let speed: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if (0.1..=1_000.0).contains(&speed) {
        Ok(speed)
    } else {
        Err("between 0.1 and 1000, please".to_owned())
    }
}

/// Shows summaries until time is up or somebody ends it.
async fn watch(show: &Mutex<Show>, seconds: Option<u64>) -> Result<(), Failure> {
    let end = seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds));
    let mut seconds_tick = interval(Duration::from_secs(1));
    let mut next_summary = Instant::now() + FIRST_SUMMARY_AFTER;
    let mut summaries = 0_u32;
    let mut stops = serve::Stops::listen()?;
    loop {
        tokio::select! {
            () = ended(end) => return Ok(()),
            () = stops.next() => return Ok(()),
            _ = seconds_tick.tick() => lock(show).tick(),
            () = sleep_until(next_summary) => {
                let mut show = lock(show);
                if summaries.is_multiple_of(SUMMARIES_A_LIST) {
                    show.who_is_here();
                }
                show.summary();
                summaries = summaries.wrapping_add(1);
                next_summary = Instant::now() + SUMMARY_EVERY;
            }
        }
    }
}

async fn ended(end: Option<Instant>) {
    match end {
        Some(end) => sleep_until(end).await,
        None => std::future::pending().await,
    }
}

/// The last words, and whether the demo showed what it is to show.
fn conclude(show: &Mutex<Show>, must_have_shown: bool, stage: &Stage) -> Result<(), Failure> {
    let mut show = lock(show);
    show.summary();
    let missing = show.account().missing();
    show.say(&guide::closing(stage));
    if must_have_shown && !missing.is_empty() {
        let what = format!("the demo did not show {}", missing.join(", nor "));
        return Err(Failure::new(
            Exit::Failed,
            what,
            "Give it more --seconds; if that does not help, its lines above say what went wrong.",
        ));
    }
    Ok(())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
