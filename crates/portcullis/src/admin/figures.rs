//! The gate's own counts, read when somebody asks: the road pays nothing for being measured.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use gateway::{CountersSnapshot, EventReceiver, Gateway, Kept};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, MetricEncoder};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

use crate::health::Level;
use crate::health::conditions::Conditions;
use crate::recorder::Recorder;
use crate::serve::RefusedFigures;

/// The running gate, until it is taken away to be shut down.
pub(crate) type GateView = Arc<RwLock<Option<Gateway>>>;

/// Everything that is read at the moment of asking.
pub(crate) struct Figures {
    pub(crate) gate: GateView,
    pub(crate) events: Arc<EventReceiver>,
    pub(crate) conditions: Arc<Mutex<Conditions>>,
    pub(crate) kept: Kept,
    pub(crate) refused: Arc<RefusedFigures>,
    pub(crate) recorder: Option<Recorder>,
}

impl fmt::Debug for Figures {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Figures")
    }
}

impl Figures {
    fn counts(&self) -> CountersSnapshot {
        let gate = self.gate.read().unwrap_or_else(PoisonError::into_inner);
        gate.as_ref()
            .map(|gate| gate.counters().snapshot())
            .unwrap_or_default()
    }
}

/// A total: its name, what it says, and where it stands among the gate's counts.
type Total = (&'static str, &'static str, fn(&CountersSnapshot) -> u64);

/// The gate's own counts, one line each.
#[rustfmt::skip]
const TOTALS: [Total; 20] = [
    ("connections_accepted", "TCP connections accepted", |counts| counts.accepted),
    ("connections_over_limit", "Connections closed because a limit was reached", |counts| counts.over_limit),
    ("handshakes_refused", "Handshakes refused", |counts| counts.refused),
    ("handshakes_throttled", "Handshakes refused after too many failed attempts", |counts| counts.throttled),
    ("sessions_admitted", "Handshakes that ended in a session", |counts| counts.admitted),
    ("sessions_ended", "Sessions that ended", |counts| counts.ended),
    ("sessions_panicked", "Sessions ended by a bug of ours", |counts| counts.panicked),
    ("messages_from_stations", "Messages from stations", |counts| counts.from_stations),
    ("messages_from_csms", "Messages from CSMSs", |counts| counts.from_csms),
    ("messages_forwarded", "Messages passed on", |counts| counts.forwarded),
    ("messages_joined", "Messages joined to an open CALL", |counts| counts.joined),
    ("messages_refused", "Messages refused", |counts| counts.messages_refused),
    ("messages_observed", "Messages objected to and passed on", |counts| counts.observed),
    ("messages_own", "Messages of the gate's own", |counts| counts.own),
    ("calls_queued", "CALLs that waited for the one in flight", |counts| counts.queued),
    ("payload_from_stations_bytes", "Payload from stations", |counts| counts.bytes_from_stations),
    ("payload_from_csms_bytes", "Payload from CSMSs", |counts| counts.bytes_from_csms),
    ("messages_inflated", "Messages that came compressed", |counts| counts.inflated),
    ("messages_deflated", "Messages sent compressed", |counts| counts.deflated),
    ("payload_saved_bytes", "Payload that compression kept off the wire", |counts| counts.bytes_saved),
];

impl Collector for Figures {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let counts = self.counts();
        for (name, help, of) in TOTALS {
            total(&mut encoder, name, help, of(&counts))?;
        }
        let help = "Events there was no room for";
        total(&mut encoder, "events_dropped", help, self.events.dropped())?;
        self.refused(&mut encoder)?;
        self.record(&mut encoder)?;
        let help = "Stations connected now";
        level(&mut encoder, "sessions_live", help, counts.live())?;
        self.conditions(&mut encoder)
    }
}

fn total(encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, count: u64) -> fmt::Result {
    let counter = ConstCounter::new(count);
    counter.encode(encoder.encode_descriptor(name, help, None, counter.metric_type())?)
}

fn level(encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, now: u64) -> fmt::Result {
    let gauge = ConstGauge::new(i64::try_from(now).unwrap_or(i64::MAX));
    gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)
}

impl Figures {
    /// Refused transaction messages: kept, lost, and waiting for somebody.
    fn refused(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let help = "Refused transaction messages that were kept";
        total(encoder, "refused_kept", help, count(&self.refused.kept))?;
        let help = "Refused transaction messages that found no room";
        let lost = self.kept.lost() + count(&self.refused.beyond);
        total(encoder, "refused_lost", help, lost)?;
        let help = "Refused transaction messages that wait for somebody";
        level(encoder, "refused_open", help, count(&self.refused.open))
    }

    /// Where a record is kept: what is in it, what is not, and what waits.
    fn record(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let Some(recorder) = &self.recorder else {
            return Ok(());
        };
        let figures = recorder.figures();
        let help = "Records that are durable";
        level(encoder, "record_durable", help, figures.durable)?;
        let help = "Events that are not recorded";
        total(encoder, "record_missed", help, figures.missed)?;
        if let Some(durable) = self.events.durable() {
            let help = "Messages that have passed before their records were durable";
            total(encoder, "record_not_awaited", help, durable.unwaited())?;
            let help = "Sessions whose messages wait for their records now";
            let waiting = durable.waiting() as u64;
            level(encoder, "record_sessions_waiting", help, waiting)?;
        }
        let help = "What waits to be recorded";
        level(encoder, "record_waiting_bytes", help, figures.waiting)?;
        let help = "Values recorded as a length, since more new subjects came than a day may bring";
        total(encoder, "record_withheld", help, figures.withheld)?;
        let help = "Rows of subjects that do not open under their day's key";
        level(encoder, "record_subjects_damaged", help, figures.damaged)?;
        let help = "Rows of subjects whose day's key is gone";
        level(encoder, "record_subjects_lost", help, figures.unopened)
    }

    /// 0 fine, 1 warning, 2 failure, for each thing that is watched.
    fn conditions(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let conditions = self
            .conditions
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let help = "0 as it should be, 1 should be looked at, 2 keeps the gate from its work";
        let mut family: MetricEncoder<'_> =
            encoder.encode_descriptor("condition", help, None, MetricType::Gauge)?;
        for finding in conditions.all() {
            let gauge = ConstGauge::new(match finding.level {
                Level::Ok => 0_i64,
                Level::Warn => 1,
                Level::Fail => 2,
            });
            gauge.encode(family.encode_family(&[("subject", finding.subject.as_str())])?)?;
        }
        Ok(())
    }
}
