//! What real stations do that the standard does not say: every habit passes at the defaults, and with
//! every control at enforce once the tolerances are written down that the gate itself has proposed
//! while it observed. The real program.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a scene that cannot be set has failed"
)]

mod scene;

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use guard::Control;
use ocpp::Version;
use scene::Scene;
use scene::gate::{Gate, eventually_in};
use serde_json::{Value, json};
use sim::{Conversation, Csms, Envelope, Station};

const PASSWORD: &str = "e5a0c1f7924b3d8860aa";

/// One habit: who has it, and what it says, one message after the other without waiting.
struct Habit {
    name: &'static str,
    version: Version,
    says: Vec<(&'static str, Value)>,
    /// It has been accepted before, and told its model; if not, that is what it is about.
    boots_before: bool,
}

impl Habit {
    fn boot(&self) -> (&'static str, Value) {
        if self.version == Version::V16 {
            return boot(self.name, "1");
        }
        let station = json!({ "vendorName": "Voltwerk", "model": self.name });
        let told = json!({ "reason": "PowerUp", "chargingStation": station });
        ("BootNotification", told)
    }

    fn not_booted(mut self) -> Habit {
        self.boots_before = false;
        self
    }
}

const NOON: &str = "2026-05-04T12:00:00Z";

fn habit(name: &'static str, says: Vec<(&'static str, Value)>) -> Habit {
    Habit {
        name,
        version: Version::V16,
        says,
        boots_before: true,
    }
}

fn status(timestamp: &str) -> (&'static str, Value) {
    let told = json!({
        "connectorId": 1, "errorCode": "NoError", "status": "Available", "timestamp": timestamp,
    });
    ("StatusNotification", told)
}

fn meter(sample: Value) -> (&'static str, Value) {
    let values = json!([{ "timestamp": NOON, "sampledValue": [sample] }]);
    (
        "MeterValues",
        json!({ "connectorId": 1, "meterValue": values }),
    )
}

fn stop(transaction: i64, timestamp: &str) -> (&'static str, Value) {
    let told = json!({ "transactionId": transaction, "meterStop": 7_400, "timestamp": timestamp });
    ("StopTransaction", told)
}

fn boot(model: &str, serial: &str) -> (&'static str, Value) {
    let told = json!({
        "chargePointVendor": "Voltwerk", "chargePointModel": model,
        "chargePointSerialNumber": serial,
    });
    ("BootNotification", told)
}

/// Every habit that is about messages.
fn habits() -> Vec<Habit> {
    let long_model = "VW-22 Duo in the version for car parks";
    let long_serial = "VW22-0000-0000-0000-0000-0000-1";
    let vendor_error = json!({ "connectorId": 1, "errorCode": "RcdTripped", "status": "Faulted" });
    let lost = [-1, 0].map(|number| stop(number, NOON));
    let mut burst = vec![boot("VW-22 Duo", "1")];
    for day in 1..=10 {
        let began = format!("2026-04-{day:02}T08:00:00Z");
        let start = json!({
            "connectorId": 1, "idTag": "TAG-1", "meterStart": day, "timestamp": began,
        });
        burst.push(("StartTransaction", start));
        burst.push(stop(day, &format!("2026-04-{day:02}T09:00:00Z")));
    }
    vec![
        habit(
            "pipelines",
            vec![boot("VW-22 Duo", "1"), status(NOON), status(NOON)],
        )
        .not_booted(),
        habit(
            "number-for-string",
            vec![meter(json!({ "value": 7_400, "unit": "Wh" }))],
        ),
        Habit {
            name: "empty-samples",
            version: Version::V201,
            says: vec![(
                "MeterValues",
                json!({
                    "evseId": 1,
                    "meterValue": [{ "timestamp": NOON, "sampledValue": [] }],
                }),
            )],
            boots_before: true,
        },
        habit("long-serial", vec![boot(long_model, long_serial)]).not_booted(),
        habit(
            "vendor-words",
            vec![
                meter(json!({ "value": "21.5", "measurand": "Voltwerk.CableTemperature" })),
                ("StatusNotification", vendor_error),
            ],
        ),
        habit(
            "timestamps",
            vec![
                status("2026-05-04T12:00:00Z"),
                status("2026-05-04T12:00:00.123Z"),
                status("2026-05-04T12:00:00+00:00"),
                status("2026-05-04T14:00:00.123456+02:00"),
            ],
        ),
        habit("lost-transaction", lost.to_vec()),
        habit("drains-its-queue", burst).not_booted(),
        habit(
            "wakes-in-1970",
            vec![status("1970-01-01T00:00:07Z"), boot("VW-22 Duo", "1")],
        )
        .not_booted(),
        habit(
            "wakes-in-2000",
            vec![boot("VW-22 Duo", "1"), status("2000-01-01T00:00:07Z")],
        )
        .not_booted(),
    ]
}

/// The gate and the CSMS behind it, with every habit's station registered.
struct Street {
    scene: Scene,
    gate: Gate,
    csms: Csms,
}

async fn street(more: &str) -> Street {
    let scene = Scene::new();
    let csms = Csms::builder().start("127.0.0.1:0").await.unwrap();
    scene.configure(csms.url(), "", more);
    let mut rows = "identity,password_text,machine_made\n".to_owned();
    for name in habits().iter().map(|habit| habit.name) {
        writeln!(
            rows,
            "Q-{name}-1,{PASSWORD},true\nQ-{name}-2,{PASSWORD},true"
        )
        .unwrap();
    }
    writeln!(rows, "Q-repeats,{PASSWORD},true\nQ-dies,{PASSWORD},true").unwrap();
    scene.write("stations.csv", rows);
    let import = ["station", "import", "stations.csv", "--allow-weak"];
    scene.run(&import).is(0);
    let gate = scene.serve();
    Street { scene, gate, csms }
}

/// Every control as strict as it goes for every station, billing included.
fn everything_enforced() -> String {
    let controls: Vec<String> = Control::ALL
        .iter()
        .map(|control| format!("{} = \"{}\"", control.name(), control.strictest().name()))
        .collect();
    format!(
        "[controls]\n{}\n[[scope]]\nstations = [\"Q-*\"]\ncontrols = {{ {} }}\n",
        controls.join("\n"),
        controls.join(", ")
    )
}

impl Street {
    async fn talk(&self, name: &str, version: Version) -> (Conversation, Conversation) {
        let station = Station::new(self.gate.plain(), format!("Q-{name}")).version(version);
        let station = station.password(PASSWORD).connect().await.unwrap();
        let at_csms = self.csms.station(station.identity()).await.unwrap();
        (station, at_csms)
    }

    /// Says everything at once, as each of two stations of one model; which of it the CSMS did not
    /// get, byte for byte, or was not let answer.
    async fn lost(&self, habit: &Habit) -> Vec<String> {
        let mut lost = Vec::new();
        for number in 1..=2 {
            let name = format!("{}-{number}", habit.name);
            let (station, at_csms) = self.talk(&name, habit.version).await;
            if habit.boots_before {
                let (action, payload) = habit.boot();
                station.call(action, payload).await.unwrap();
            }
            let numbered = habit.says.iter().enumerate();
            let calls = numbered.map(|(number, (action, payload))| {
                json!([2, number.to_string(), action, payload]).to_string()
            });
            let calls: Vec<String> = calls.collect();
            for text in &calls {
                station.send_text(text.clone()).unwrap();
            }
            for (number, text) in calls.into_iter().enumerate() {
                let answer = station.expect_answer(&number.to_string()).await.unwrap();
                let answered = matches!(answer, Envelope::Result { .. });
                if !answered || !at_csms.received().contains(&text) {
                    lost.push(format!("{name}: {text}: {answer:?}"));
                }
            }
            station.close(Some(1000)).unwrap();
            station.expect_close().await.unwrap();
        }
        lost
    }

    async fn all_lost(&self) -> Vec<String> {
        let mut lost = Vec::new();
        for habit in habits() {
            lost.extend(self.lost(&habit).await);
        }
        lost
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_habit_passes_at_the_defaults() {
    let street = street("").await;
    assert_eq!(street.all_lost().await, [""; 0]);
}

/// Messages that break the schema, by habit: what enforce refuses where nothing is tolerated.
const BREACHES: [(&str, &str); 5] = [
    ("number-for-string", "MeterValues"),
    ("empty-samples", "MeterValues"),
    ("long-serial", "BootNotification"),
    ("vendor-words", "MeterValues"),
    ("vendor-words", "StatusNotification"),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_habit_passes_at_enforce_with_the_tolerances_that_observe_proposed() {
    let observing = street("").await;
    assert_eq!(observing.all_lost().await, [""; 0]);
    let Street { scene, gate, csms } = observing;
    let proposed = scene
        .run(&["tolerance", "propose", "--toml"])
        .is(0)
        .out
        .clone();
    tokio::task::spawn_blocking(move || gate.stop())
        .await
        .unwrap()
        .is(0);
    scene.configure(csms.url(), "", &(everything_enforced() + &proposed));
    let gate = scene.serve();
    let enforcing = Street { scene, gate, csms };
    assert_eq!(enforcing.all_lost().await, [""; 0], "{proposed}");
    let metric = "portcullis_findings_total{control=\"schema\",mode=\"tolerated\"}";
    // Two of them are in one Boot, and there are two stations of each model.
    let count = 2 * (BREACHES.len() + 1);
    enforcing.gate.expect_metric(&format!("{metric} {count}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn habits_that_break_the_schema_are_refused_at_enforce_without_a_tolerance() {
    let street = street(&everything_enforced()).await;
    let lost = street.all_lost().await;
    for (name, action) in BREACHES {
        let refused = |text: &&String| text.starts_with(name) && text.contains(action);
        assert_eq!(lost.iter().filter(refused).count(), 2, "{name}: {lost:#?}");
    }
    assert_eq!(lost.len(), 2 * BREACHES.len(), "{lost:#?}");
}

/// The same id and body, again and again, whether the answer has come or not.
async fn repeats_itself(more: &str) {
    let street = street(more).await;
    let (station, at_csms) = street.talk("repeats", Version::V16).await;
    let (action, payload) = status(NOON);
    let text = json!([2, "again", action, payload]).to_string();
    for _ in 0..3 {
        station.send_text(text.clone()).unwrap();
        station.send_text(text.clone()).unwrap();
        let answer = station.expect_answer("again").await.unwrap();
        assert!(matches!(answer, Envelope::Result { .. }), "{answer:?}");
    }
    station.call("Heartbeat", json!({})).await.unwrap();
    assert!(at_csms.received().contains(&text));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_station_that_repeats_itself_is_answered_at_the_defaults() {
    repeats_itself("").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_station_that_repeats_itself_is_answered_at_enforce() {
    repeats_itself(&everything_enforced()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_that_dies_without_a_word_is_no_hindrance() {
    let street = street(&everything_enforced()).await;
    for _ in 0..3 {
        let (station, _) = street.talk("dies", Version::V16).await;
        station.call("Heartbeat", json!({})).await.unwrap();
        station.die().unwrap();
    }
    // Half open, which is worse: it is not known to be dead until it has been asked.
    let (station, _) = street.talk("dies", Version::V16).await;
    station.freeze().unwrap();
    let begun = Instant::now();
    // It tries again as stations do: who has just been asked for a sign of life gets a moment.
    let again = Station::new(street.gate.plain(), "Q-dies").version(Version::V16);
    let again = again.password(PASSWORD);
    let station = eventually_in(async || again.connect().await.ok(), "a takeover").await;
    assert!(begun.elapsed() < Duration::from_secs(15));
    station.call("Heartbeat", json!({})).await.unwrap();
}

/// An AuthorizationKey of 1.6, in digits; its octets are no UTF-8.
const DIGITS: &str = "ff00fe80c1d2e3f4a5b6978800112233";

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_octets_or_the_digits_that_stand_for_them() {
    let street = street("").await;
    let add = ["station", "add", "Q-HEX", "--password-hex"];
    street.scene.run_with(&add, &format!("{DIGITS}\n")).is(0);
    street.gate.expect_line("the register has changed");
    let octets: Vec<u8> = (0..DIGITS.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&DIGITS[at..at + 2], 16).unwrap())
        .collect();
    for shown in [octets, DIGITS.into(), DIGITS.to_uppercase().into_bytes()] {
        let station = Station::new(street.gate.plain(), "Q-HEX").version(Version::V16);
        let talk = station.password(shown).connect().await.unwrap();
        talk.call("Heartbeat", json!({})).await.unwrap();
        talk.close(Some(1000)).unwrap();
        talk.expect_close().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn handshakes_without_a_subprotocol_or_with_a_strange_one_first_come_in() {
    let street = street(&everything_enforced()).await;
    street.scene.register(
        "Q-SILENT",
        PASSWORD,
        &["--unnamed", "1.6", "--machine-made"],
    );
    street.gate.expect_line("the register has changed");
    for offered in [&[][..], &["ocpp1.5", "voltwerk", "ocpp1.6"][..]] {
        let station = Station::new(street.gate.plain(), "Q-SILENT").subprotocols(offered);
        let talk = station.password(PASSWORD).connect().await.unwrap();
        let (action, payload) = boot("VW-22 Duo", "1");
        talk.call(action, payload).await.unwrap();
        talk.close(Some(1000)).unwrap();
        talk.expect_close().await.unwrap();
    }
    let offers: Vec<_> = street.csms.handshakes();
    assert_eq!(offers[1].offers(), ["ocpp1.6"], "the CSMS is offered one");
}

#[tokio::test(flavor = "multi_thread")]
async fn identities_hold_spaces_colons_and_letters_of_either_case() {
    let street = street(&everything_enforced()).await;
    let by_password = ["Q-Station 7 (north)", "q-lower", "Q-UPPER"];
    for identity in by_password {
        street
            .scene
            .register(identity, PASSWORD, &["--machine-made"]);
    }
    // A colon ends the user name in Basic, so such a station shows a certificate.
    let colon = "00:50:C2:01:17:A1";
    let issue = ["ca", "issue", "station", colon, "--cpo", "Example"];
    street.scene.run(&issue).is(0);
    let add = ["station", "add", colon, "--certificate-name"];
    street.scene.run(&add).is(0);
    street.gate.expect_line("the register has changed");
    for identity in by_password {
        let station = Station::new(street.gate.plain(), identity).version(Version::V16);
        let station = station.password(PASSWORD);
        eventually_in(async || station.connect().await.ok(), identity).await;
    }
    let pem = std::fs::read_dir(street.scene.path("ca")).unwrap();
    let pem = pem.map(|entry| entry.unwrap().path());
    let chain = pem
        .filter(|path| path.to_string_lossy().contains("station-"))
        .find(|path| path.extension().is_some_and(|is| is == "pem"))
        .unwrap();
    let key = chain.with_extension("key");
    let tls = scene::client_tls(&street.scene.path("ca/ca.pem"), &chain, &key);
    let station = Station::new(street.gate.tls(), colon).version(Version::V16);
    let station = station.tls(tls);
    let talk = eventually_in(async || station.connect().await.ok(), colon).await;
    talk.call("Heartbeat", json!({})).await.unwrap();
    let seen = street.csms.handshakes();
    let who: Vec<String> = seen.iter().map(sim::Handshake::identity).collect();
    assert!(who.iter().any(|name| name == colon), "{who:?}");
}
