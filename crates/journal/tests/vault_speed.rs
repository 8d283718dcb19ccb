//! What pseudonyms cost. Run with `cargo test --release -p journal --test vault_speed -- --ignored
//! --nocapture --test-threads=1`; a build without optimisation measures nothing worth knowing.

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use guard::UnixMillis;
use journal::vault::{Class, Subject};
use journal::{Handle, KeyRing, Root, Vault, VaultSettings};
use ocpp::catalogue::ActionFacts;
use ocpp::{Frame, Limits, OpenCalls, Reader, Side, Version};

const NOW: UnixMillis = UnixMillis(1_795_305_600_123);
const ROUNDS: u32 = 200_000;

struct Nobody;

impl OpenCalls for Nobody {
    fn action_of(&self, _: Side, _: &str) -> Option<Option<&'static ActionFacts>> {
        None
    }
}

fn vault(dir: &tempfile::TempDir) -> Result<Vault, Box<dyn Error>> {
    let (keys, keks) = (dir.path().join("keys"), dir.path().join("keks"));
    let keys = KeyRing::init(Root::new([7; 32]), &keys, &keks)?;
    let rows = dir.path().join("subjects.db");
    Ok(Vault::open(
        &rows,
        Arc::new(keys),
        VaultSettings::default(),
    )?)
}

/// The best of ten, since the machine has other things to do.
fn each(rounds: u32, mut work: impl FnMut()) -> Duration {
    let run = |work: &mut dyn FnMut()| {
        let began = Instant::now();
        for _ in 0..rounds {
            work();
        }
        began.elapsed() / rounds
    };
    (0..10).map(|_| run(&mut work)).min().unwrap_or_default()
}

const MESSAGES: [(&str, Version, &str); 4] = [
    ("Heartbeat", Version::V16, r#"[2,"17","Heartbeat",{}]"#),
    (
        "Authorize, a known token",
        Version::V16,
        r#"[2,"17","Authorize",{"idTag":"04E91C5A123F80"}]"#,
    ),
    (
        "MeterValues",
        Version::V16,
        r#"[2,"1","MeterValues",{"connectorId":1,"transactionId":7,"meterValue":[{"timestamp":"2026-03-01T10:00:00Z","sampledValue":[{"value":"12.5","context":"Sample.Periodic","measurand":"Energy.Active.Import.Register","unit":"Wh"},{"value":"230.1","measurand":"Voltage","phase":"L1-N","unit":"V"},{"value":"16.0","measurand":"Current.Import","phase":"L1","unit":"A"}]}]}]"#,
    ),
    (
        "TransactionEvent, a known token",
        Version::V201,
        r#"[2,"t","TransactionEvent",{"eventType":"Started","timestamp":"2026-03-01T10:00:00Z","triggerReason":"Authorized","seqNo":0,"transactionInfo":{"transactionId":"tx-1","chargingState":"Charging"},"idToken":{"idToken":"04E91C5A123F80","type":"ISO14443"},"evse":{"id":1,"connectorId":1}}]"#,
    ),
];

#[test]
#[ignore = "a measurement"]
fn in_the_steady_state_a_message_costs_half_a_microsecond_beyond_its_copy()
-> Result<(), Box<dyn Error>> {
    let dir = tempfile::tempdir()?;
    let mut vault = vault(&dir)?;
    let mut reader = Reader::new();
    let (mut out, mut handles): (Vec<u8>, Vec<Handle>) = (Vec::new(), Vec::new());
    for (name, version, text) in MESSAGES {
        let text = text.as_bytes();
        let limits = Limits::default();
        let message = reader.read(Frame::text(text), Side::Station, version, &limits, &Nobody);
        let facts = message.facts();
        let copied = each(ROUNDS, || {
            out.clear();
            out.extend_from_slice(std::hint::black_box(text));
        });
        let mut trouble = None;
        let rewritten = each(ROUNDS, || {
            out.clear();
            handles.clear();
            let text = std::hint::black_box(text);
            if let Err(error) = vault.rewrite("cpo", text, facts, NOW, &mut out, &mut handles) {
                trouble = Some(error);
            }
        });
        assert!(trouble.is_none(), "{trouble:?}");
        let beyond = rewritten.saturating_sub(copied);
        println!("{name:<32} {rewritten:>8.0?}, copying {copied:.0?}");
        assert!(
            cfg!(debug_assertions) || beyond <= Duration::from_nanos(500),
            "{name}: {beyond:?}"
        );
    }
    Ok(())
}

#[test]
#[ignore = "a measurement"]
fn what_a_new_subject_costs_and_what_erasing_one_does() -> Result<(), Box<dyn Error>> {
    const SUBJECTS: u32 = 100_000;
    let dir = tempfile::tempdir()?;
    let mut vault = vault(&dir)?;
    let began = Instant::now();
    for number in 0..SUBJECTS {
        vault.handle_of("cpo", Class::Token, &format!("04{number:012X}"), NOW)?;
        if number % 1_000 == 0 {
            vault.settle()?;
        }
    }
    vault.settle()?;
    println!(
        "a new subject                    {:>8.1?}",
        began.elapsed() / SUBJECTS
    );
    let mut erasing = Vec::new();
    for number in 0..200 {
        let text = format!("04{number:012X}");
        let subject = Subject::Identifier {
            tenant: "cpo",
            text: &text,
        };
        let began = Instant::now();
        vault.erase(subject, "somebody", NOW)?;
        erasing.push(began.elapsed());
    }
    erasing.sort_unstable();
    let (median, worst) = (erasing[100], erasing[198]);
    println!("erasing one of {SUBJECTS}          median {median:.1?}, p99 {worst:.1?}");
    assert!(median <= Duration::from_millis(10), "{median:?}");
    Ok(())
}
