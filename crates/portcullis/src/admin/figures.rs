//! The gate's own counts, read when somebody asks: the road pays nothing for being measured.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use gateway::{CountersSnapshot, EventReceiver, Gateway};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, MetricEncoder};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

use crate::health::Level;
use crate::health::conditions::Conditions;

/// The running gate, until it is taken away to be shut down.
pub(crate) type GateView = Arc<RwLock<Option<Gateway>>>;

/// Everything that is read at the moment of asking.
pub(crate) struct Figures {
    pub(crate) gate: GateView,
    pub(crate) events: Arc<EventReceiver>,
    pub(crate) conditions: Arc<Mutex<Conditions>>,
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

impl Collector for Figures {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let counts = self.counts();
        let totals: [(&str, &str, u64); 15] = [
            (
                "connections_accepted",
                "TCP connections accepted",
                counts.accepted,
            ),
            (
                "sessions_admitted",
                "Handshakes that ended in a session",
                counts.admitted,
            ),
            ("handshakes_refused", "Handshakes refused", counts.refused),
            (
                "connections_over_limit",
                "Connections closed because a limit was reached",
                counts.over_limit,
            ),
            ("sessions_ended", "Sessions that ended", counts.ended),
            (
                "sessions_panicked",
                "Sessions ended by a bug of ours",
                counts.panicked,
            ),
            (
                "messages_from_stations",
                "Messages from stations",
                counts.from_stations,
            ),
            (
                "messages_from_csms",
                "Messages from CSMSs",
                counts.from_csms,
            ),
            ("messages_forwarded", "Messages passed on", counts.forwarded),
            (
                "messages_joined",
                "Messages joined to an open CALL",
                counts.joined,
            ),
            (
                "messages_refused",
                "Messages refused",
                counts.messages_refused,
            ),
            (
                "messages_observed",
                "Messages objected to and passed on",
                counts.observed,
            ),
            ("messages_own", "Messages of the gate's own", counts.own),
            (
                "calls_queued",
                "CALLs that waited for the one in flight",
                counts.queued,
            ),
            (
                "events_dropped",
                "Events there was no room for",
                self.events.dropped(),
            ),
        ];
        for (name, help, count) in totals {
            let counter = ConstCounter::new(count);
            counter.encode(encoder.encode_descriptor(
                name,
                help,
                None,
                counter.metric_type(),
            )?)?;
        }
        for (name, help, count) in [
            (
                "payload_from_stations_bytes",
                "Payload from stations",
                counts.bytes_from_stations,
            ),
            (
                "payload_from_csms_bytes",
                "Payload from CSMSs",
                counts.bytes_from_csms,
            ),
        ] {
            let counter = ConstCounter::new(count);
            counter.encode(encoder.encode_descriptor(
                name,
                help,
                None,
                counter.metric_type(),
            )?)?;
        }
        let live = ConstGauge::new(i64::try_from(counts.live()).unwrap_or(i64::MAX));
        let help = "Stations connected now";
        live.encode(encoder.encode_descriptor("sessions_live", help, None, live.metric_type())?)?;
        self.conditions(&mut encoder)
    }
}

impl Figures {
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
