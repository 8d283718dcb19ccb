//! However an honest station's life goes, with lost connections, lost answers and restarts of the gate
//! in between, nothing is ever found against it; and what is lost makes it unknown, never foreign.

use guard::{ConnectionKind, Mode};
use ocpp::Version;
use proptest::prelude::*;

use crate::site::{Site, boot, booted, fine, start, stop};

const STATIONS: [&str; 3] = ["CP-1", "CP-2", "CP-3"];

/// What happens next, at which station.
#[derive(Clone, Copy, Debug)]
enum Step {
    Boot(u8),
    Heartbeat,
    Begin {
        connector: u8,
        answer_lost: bool,
    },
    End {
        answer_lost: bool,
    },
    Meter,
    Lose,
    Restart,
    /// The last changes were not written yet when the gate was killed.
    Kill,
    Wait(u16),
}

fn steps() -> impl Strategy<Value = Vec<(usize, Step)>> {
    let step = prop_oneof![
        2 => (0..8_u8).prop_map(Step::Boot),
        2 => Just(Step::Heartbeat),
        4 => (1..3_u8, any::<bool>()).prop_map(|(connector, answer_lost)| Step::Begin { connector, answer_lost }),
        4 => any::<bool>().prop_map(|answer_lost| Step::End { answer_lost }),
        2 => Just(Step::Meter),
        1 => Just(Step::Lose),
        1 => Just(Step::Restart),
        1 => Just(Step::Kill),
        2 => (0..4000_u16).prop_map(Step::Wait),
    ];
    prop::collection::vec((0..STATIONS.len(), step), 1..80)
}

/// What a station itself knows.
#[derive(Default)]
struct Charger {
    /// It was told to wait, and does.
    waits: bool,
    booted: bool,
    /// Connector, id if its answer has come, when it began.
    open: Vec<(u8, Option<i64>, String)>,
    messages: u32,
}

impl Charger {
    fn id(&mut self) -> String {
        self.messages += 1;
        format!("m{}", self.messages)
    }
}

struct Life {
    site: Site,
    chargers: Vec<Charger>,
    transactions: i64,
    /// Older than what is kept: what a kill leaves.
    written: std::collections::BTreeMap<String, Vec<u8>>,
}

impl Life {
    fn call(&mut self, who: usize, text: &str) {
        let told = self.site.says(STATIONS[who], text);
        assert_eq!(told, fine(), "{text}");
    }

    fn answer(&mut self, who: usize, id: &str, answer: &str) {
        let told = self
            .site
            .is_told(STATIONS[who], &format!(r#"[3,"{id}",{answer}]"#));
        assert_eq!(told, fine());
    }

    fn go(&mut self, who: usize, step: Step) {
        match step {
            Step::Boot(luck) => self.boot(who, luck),
            Step::Heartbeat if !self.chargers[who].waits => {
                let id = self.chargers[who].id();
                self.call(who, &format!(r#"[2,"{id}","Heartbeat",{{}}]"#));
                self.answer(who, &id, r#"{"currentTime":"2026-11-22T12:00:00Z"}"#);
            }
            Step::Begin {
                connector,
                answer_lost,
            } => self.begin(who, connector, answer_lost),
            Step::End { answer_lost } => self.end(who, answer_lost),
            Step::Meter => self.meter(who),
            Step::Lose => self.site.lose(STATIONS[who]),
            Step::Restart => {
                self.written = self.site.kept.clone();
                self.site.restart();
            }
            Step::Kill => self.kill(),
            Step::Wait(seconds) => {
                self.site.wait(seconds.into());
                if seconds % 3 == 0 {
                    self.written = self.site.kept.clone();
                }
            }
            Step::Heartbeat => {}
        }
    }

    fn boot(&mut self, who: usize, luck: u8) {
        let id = self.chargers[who].id();
        let text = boot(self.site.version, &id, Some(&format!("SN-{who}")), "");
        self.call(who, &text);
        let status = match luck {
            0 => "Pending",
            1 => "Rejected",
            _ => "Accepted",
        };
        self.answer(who, &id, &booted(status));
        self.chargers[who].waits = status != "Accepted";
        self.chargers[who].booted = true;
    }

    fn begin(&mut self, who: usize, connector: u8, answer_lost: bool) {
        let charger = &mut self.chargers[who];
        let busy = charger.open.iter().any(|(at, ..)| *at == connector);
        // Without the last one's id a station sends that StartTransaction again, before anything else.
        let unanswered = charger.open.iter().find(|(_, id, _)| id.is_none()).cloned();
        if charger.waits || (busy && unanswered.is_none()) {
            return;
        }
        let id = charger.id();
        let begins = unanswered.clone().unwrap_or_else(|| {
            let at = format!("2026-11-22T12:00:00.{:09}Z", charger.messages);
            (connector, None, at)
        });
        let text = start(&id, begins.0.into(), &begins.2);
        if unanswered.is_none() {
            charger.open.push(begins.clone());
        }
        self.call(who, &text);
        self.transactions += 1;
        let number = self.transactions;
        let answer = format!(r#"{{"transactionId":{number},"idTagInfo":{{"status":"Accepted"}}}}"#);
        self.answer(who, &id, &answer);
        if answer_lost {
            return self.site.lose(STATIONS[who]);
        }
        for open in &mut self.chargers[who].open {
            if open.0 == begins.0 {
                open.1 = Some(number);
            }
        }
    }

    fn end(&mut self, who: usize, answer_lost: bool) {
        let charger = &mut self.chargers[who];
        let place = charger.open.iter().position(|(_, id, _)| id.is_some());
        let (Some(place), false) = (place, charger.waits) else {
            return;
        };
        let id = charger.id();
        let number = charger.open[place].1.unwrap();
        self.call(who, &stop(&id, number));
        if answer_lost {
            return self.site.lose(STATIONS[who]);
        }
        self.chargers[who].open.remove(place);
        self.answer(who, &id, "{}");
    }

    fn meter(&mut self, who: usize) {
        let charger = &mut self.chargers[who];
        if charger.waits {
            return;
        }
        let Some((connector, Some(number), _)) = charger.open.first().cloned() else {
            return;
        };
        let id = charger.id();
        self.call(who, &format!(r#"[2,"{id}","MeterValues",{{"connectorId":{connector},"transactionId":{number},"meterValue":[{{"timestamp":"2026-11-22T12:30:00Z","sampledValue":[{{"value":"1"}}]}}]}}]"#));
        self.answer(who, &id, "{}");
    }

    /// What had not been written is lost, and who had to wait is in doubt.
    fn kill(&mut self) {
        let doubted = self.written.iter().map(|(station, bytes)| {
            let memory = guard::StationMemory::from_bytes(bytes).unwrap();
            (station.clone(), memory.in_doubt().to_bytes())
        });
        self.site.kept = doubted.collect();
        self.site.restart();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn nothing_is_found_against_an_honest_station(steps in steps(), certificate in any::<bool>()) {
        let mut site = Site::new(Version::V16, Mode::Enforce);
        if certificate {
            site.kind = ConnectionKind::TlsCertificate;
        }
        let chargers = STATIONS.iter().map(|_| Charger::default()).collect();
        let mut life = Life { site, chargers, transactions: 0, written: Default::default() };
        for (who, step) in steps {
            life.go(who, step);
        }
    }
}
