//! Five hundred stations behind one address, with somebody in their midst who guesses passwords: the
//! guesser is slowed and turned away, and the others notice nothing, in their sessions and when they
//! all come anew (A06). The real program.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a scene that cannot be set has failed"
)]

mod scene;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use ocpp::Version;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use scene::Scene;
use scene::gate::Gate;
use serde_json::json;
use sim::{Conversation, Csms, Station};
use tokio::task::JoinSet;

const STATIONS: usize = 500;
/// Guesses under way at any time.
const GUESSERS: usize = 24;
/// Guesses that are turned away before anything else happens.
const TURNED_AWAY: usize = 10;
/// Stations that come in at the same time.
const AT_ONCE: usize = 25;
/// One failure of a source is forgotten in so many seconds, by default; thirty are free.
const REFILL_SECONDS: u64 = 5;

fn identity(number: usize) -> String {
    format!("HOME-{number:03}")
}

fn password(number: usize) -> String {
    format!("drawn-by-a-machine-{number:03}")
}

#[tokio::test(flavor = "multi_thread")]
async fn a06_five_hundred_stations_notice_nothing_of_a_guesser_behind_their_address() {
    let scene = Scene::new();
    let csms = Csms::builder().recording(0).start("127.0.0.1:0").await;
    let csms = csms.unwrap();
    scene.configure(csms.url(), "", "");
    let mut rows = "identity,password_text,machine_made\n".to_owned();
    for number in 0..STATIONS {
        writeln!(rows, "{},{},true", identity(number), password(number)).unwrap();
    }
    scene.write("stations.csv", rows);
    scene.run(&["station", "import", "stations.csv"]).is(0);
    let gate = scene.serve();
    let street = Arc::new(street(&scene, &gate));

    let before = everybody_comes(&street).await;
    let guessing = Arc::new(Guessing::default());
    let begun = Instant::now();
    let mut guessers = JoinSet::new();
    for start in 0..GUESSERS {
        guessers.spawn(guess(Arc::clone(&street), Arc::clone(&guessing), start));
    }
    guessing.has_been_turned_away(TURNED_AWAY).await;
    // In their sessions …
    for talk in &before {
        talk.call("Heartbeat", json!({})).await.unwrap();
    }
    assert!(before.iter().all(|talk| talk.ended().is_none()));
    drop(before);
    // … and when all of them come anew, which takes no longer than anybody's time-out.
    let longest = street.longest_wait();
    let again = everybody_comes(&street).await;
    assert!(street.longest_wait() < longest + Duration::from_secs(5));
    for talk in &again {
        talk.call("Heartbeat", json!({})).await.unwrap();
    }
    guessing.over.store(true, Ordering::Relaxed);
    let told = guessing.told.lock().unwrap().clone();
    let seconds = begun.elapsed().as_secs();
    // A guess that was looked at is one that could have been right.
    let looked_at = told.get(&401).copied().unwrap_or_default();
    let most = 30 + 1 + usize::try_from(seconds / REFILL_SECONDS).unwrap();
    assert!(looked_at <= most, "{told:?} in {seconds} s");
    assert!(told[&429] >= TURNED_AWAY, "{told:?}");
    assert_eq!(told.len(), 2, "{told:?}");
    guessers.abort_all();
}

/// What all of them share: an address, a router, and a gate.
struct Street {
    url: String,
    tls: Arc<rustls::ClientConfig>,
    longest_wait: Mutex<Duration>,
}

fn street(scene: &Scene, gate: &Gate) -> Street {
    let roots = CertificateDer::pem_file_iter(scene.path("ca/ca.pem")).unwrap();
    let roots: Vec<CertificateDer<'static>> = roots.map(Result::unwrap).collect();
    Street {
        url: gate.tls(),
        tls: sim::tls::client(&roots, None).unwrap(),
        longest_wait: Mutex::default(),
    }
}

impl Street {
    fn station(&self, number: usize) -> Station {
        let station = Station::new(&self.url, identity(number)).version(Version::V16);
        station.tls(Arc::clone(&self.tls)).recording(0)
    }

    /// As long as one station has had to wait for its 101.
    fn longest_wait(&self) -> Duration {
        *self.longest_wait.lock().unwrap()
    }
}

async fn everybody_comes(street: &Arc<Street>) -> Vec<Conversation> {
    let next = Arc::new(AtomicUsize::new(0));
    let mut coming = JoinSet::new();
    for _ in 0..AT_ONCE {
        let (street, next) = (Arc::clone(street), Arc::clone(&next));
        coming.spawn(async move {
            let mut here = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= STATIONS {
                    return here;
                }
                let station = street.station(number).password(password(number));
                let asked = Instant::now();
                here.push(station.connect().await.unwrap());
                let mut longest = street.longest_wait.lock().unwrap();
                *longest = (*longest).max(asked.elapsed());
            }
        });
    }
    let everybody: Vec<Conversation> = coming.join_all().await.into_iter().flatten().collect();
    assert_eq!(everybody.len(), STATIONS);
    everybody
}

/// What the guesser is told.
#[derive(Default)]
struct Guessing {
    told: Mutex<BTreeMap<u16, usize>>,
    over: AtomicBool,
}

impl Guessing {
    async fn has_been_turned_away(&self, times: usize) {
        let enough = async {
            while self.told.lock().unwrap().get(&429).copied() < Some(times) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let patience = Duration::from_secs(60);
        let turned_away = tokio::time::timeout(patience, enough).await;
        turned_away.unwrap_or_else(|_| panic!("{:?}", self.told.lock().unwrap()));
    }
}

/// Tries passwords at every station of the street, one after another.
async fn guess(street: Arc<Street>, guessing: Arc<Guessing>, start: usize) {
    for number in start.. {
        let station = street.station(number % STATIONS);
        let wrong = station.password(format!("drawn-by-a-person-{number:03}"));
        let refused = wrong.connect().await.err().and_then(|error| error.status());
        if guessing.over.load(Ordering::Relaxed) {
            return;
        }
        let status = refused.unwrap_or_default();
        *guessing.told.lock().unwrap().entry(status).or_default() += 1;
    }
}
