//! A fleet: many stations living their days at once, driven by a seed and by real time.

mod charger;
mod charging;
mod life;
mod orders;
mod quirk;
mod words;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rustls::ClientConfig;
use rustls::pki_types::CertificateDer;
use tokio::task::JoinSet;

pub use charger::{Charger, Proof, mixed};
pub use orders::{Order, order};
pub use quirk::Quirk;

use crate::tls::{self, TlsError};

/// What a fleet is and where it goes.
#[derive(Clone)]
pub struct Plan {
    /// `wss://host:port/ocpp`, without the identity.
    pub url: String,
    /// Whom the stations trust; empty over `ws`.
    pub trusted: Vec<CertificateDer<'static>>,
    /// The stations.
    pub chargers: Vec<Charger>,
    /// Everything random follows from it.
    pub seed: u64,
    /// How many times faster than life; a heartbeat every 300 s is one every 10 s at 30.
    pub speed: f64,
}

/// What a fleet has done so far; counts only grow, but for `live`.
#[derive(Debug, Default)]
pub struct Tally {
    /// Connections that stand now.
    pub live: AtomicU64,
    /// Connections made.
    pub connected: AtomicU64,
    /// Connections that did not come about.
    pub turned_away: AtomicU64,
    /// Calls made.
    pub calls: AtomicU64,
    /// Calls answered with a result.
    pub answered: AtomicU64,
    /// Calls answered with an error.
    pub refused: AtomicU64,
    /// Calls that nobody answered in time, or whose connection went.
    pub unanswered: AtomicU64,
    /// Charging sessions begun.
    pub transactions: AtomicU64,
}

impl Tally {
    pub(crate) fn add(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// Reads one of its counts.
    pub fn read(counter: &AtomicU64) -> u64 {
        counter.load(Ordering::Relaxed)
    }
}

/// What all stations of a fleet share.
struct Ground {
    url: String,
    speed: f64,
    tally: Arc<Tally>,
}

impl Ground {
    /// So much of the fleet's time, in ours.
    fn scaled(&self, seconds: f64) -> Duration {
        Duration::try_from_secs_f64(seconds / self.speed.max(0.001)).unwrap_or(Duration::MAX)
    }
}

/// A fleet at work; dropping it cuts every station off.
pub struct Fleet {
    tally: Arc<Tally>,
    stations: JoinSet<()>,
}

impl Fleet {
    /// Lets the stations loose, one after the other within the first moments.
    pub fn start(plan: Plan) -> Result<Fleet, TlsError> {
        let tally = Arc::new(Tally::default());
        let ground = Arc::new(Ground {
            url: plan.url,
            speed: plan.speed,
            tally: Arc::clone(&tally),
        });
        let mut chance = fastrand::Rng::with_seed(plan.seed);
        let common = tls::client(&plan.trusted, None)?;
        let mut stations = JoinSet::new();
        for charger in plan.chargers {
            let config: Arc<ClientConfig> = match &charger.proof {
                Proof::Certificate(identity) => tls::client(&plan.trusted, Some(identity))?,
                Proof::Password(_) | Proof::Nothing => Arc::clone(&common),
            };
            let chance = chance.fork();
            stations.spawn(life::live(charger, config, chance, Arc::clone(&ground)));
        }
        Ok(Fleet { tally, stations })
    }

    /// What it has done so far.
    pub fn tally(&self) -> &Arc<Tally> {
        &self.tally
    }

    /// How many stations it has, connected or not.
    pub fn len(&self) -> usize {
        self.stations.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.stations.is_empty()
    }
}
