//! What is remembered of a station, as it is shown: by what each value means, never in clear where it
//! identifies somebody.

use guard::{BootIdentity, PseudonymKey, Shown, StationMemory, TransactionId, UnixMillis};
use ocpp::Meaning;
use serde::Serialize;

/// What is told of it.
#[derive(Serialize)]
pub(super) struct MemoryView {
    registration: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    boot: Option<BootView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bound_serial: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    connectors: Option<u16>,
    open_transactions: Vec<TransactionView>,
}

#[derive(Serialize)]
struct BootView {
    maker: Option<String>,
    model: Option<String>,
    serial: Option<String>,
    firmware: Option<String>,
    iccid: Option<String>,
    imsi: Option<String>,
}

#[derive(Serialize)]
struct TransactionView {
    id: String,
    /// The connector (1.6) or EVSE (2.x), where one was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<u16>,
}

impl MemoryView {
    pub(super) fn of(memory: &StationMemory, key: &PseudonymKey, now: UnixMillis) -> MemoryView {
        let show = |meaning, text: &str| Shown { meaning, text, key }.to_string();
        let open = memory.transactions().open().iter();
        let open = open.map(|open| TransactionView {
            id: match &open.id {
                TransactionId::Number(number) => number.to_string(),
                TransactionId::Text(text) => show(Meaning::TransactionId, text),
            },
            place: Some(open.place).filter(|place| *place > 0),
        });
        let serial = memory.bound_serial();
        MemoryView {
            registration: memory.registration(now).name(),
            boot: memory.boot().map(|boot| BootView::of(boot, &show)),
            bound_serial: serial.map(|serial| show(Meaning::Serial, serial)),
            connectors: memory.connectors(),
            open_transactions: open.collect(),
        }
    }

    pub(super) fn lines(&self) -> String {
        let none = || "not known".to_owned();
        let boot = self.boot.as_ref().map_or_else(none, BootView::in_words);
        let open: Vec<String> = self.open_transactions.iter().map(in_words).collect();
        let open = match open.is_empty() {
            true => "none that is known".to_owned(),
            false => open.join(", "),
        };
        let connectors = self.connectors.map_or_else(none, |many| many.to_string());
        let bound = self.bound_serial.clone();
        format!(
            "registration        {}\nsays it is          {boot}\nbound to serial     {}\n\
             connectors          {connectors}\nopen transactions   {open}",
            self.registration,
            bound.unwrap_or_else(|| "none yet".to_owned()),
        )
    }
}

impl BootView {
    fn of(boot: &BootIdentity, show: &impl Fn(Meaning, &str) -> String) -> BootView {
        let text = |meaning, text: &Option<Box<str>>| text.as_ref().map(|text| show(meaning, text));
        BootView {
            maker: text(Meaning::Maker, &boot.maker),
            model: text(Meaning::Model, &boot.model),
            serial: text(Meaning::Serial, &boot.serial),
            firmware: text(Meaning::Firmware, &boot.firmware),
            iccid: boot.iccid.map(|mark| mark.to_string()),
            imsi: boot.imsi.map(|mark| mark.to_string()),
        }
    }

    fn in_words(&self) -> String {
        let mut words = Vec::new();
        words.extend(self.maker.clone());
        words.extend(self.model.clone());
        words.extend(
            self.serial
                .as_ref()
                .map(|serial| format!("serial {serial}")),
        );
        let firmware = self.firmware.as_ref();
        words.extend(firmware.map(|firmware| format!("firmware {firmware}")));
        words.extend(self.iccid.clone());
        words.join(", ")
    }
}

fn in_words(open: &TransactionView) -> String {
    match open.place {
        Some(place) => format!("{} (connector {place})", open.id),
        None => open.id.clone(),
    }
}
