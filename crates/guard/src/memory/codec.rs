//! A memory as bytes, for the store: a version, then each part in its order. Short, since there is
//! one for each station, and read with care, since somebody may have edited it.

use super::{
    BootIdentity, EndedTransaction, OpenTransaction, Registration, StationMemory, TransactionId,
    Transactions,
};
use crate::UnixMillis;
use crate::memory::boot::SimMark;

/// Says how the rest is to be read, should that ever change.
const FORMAT: u8 = 1;

/// No text in a memory is longer: 50 characters of at most 4 bytes.
const TEXT_BYTES_MAX: usize = 200;

impl StationMemory {
    /// As the store keeps it.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = vec![FORMAT, self.registration as u8];
        out.extend(self.registered_at.0.to_be_bytes());
        out.extend(self.replaced.to_be_bytes());
        out.push(u8::from(self.firmware_job));
        // No station has 65,535 connectors.
        out.extend(self.connectors.unwrap_or(u16::MAX).to_be_bytes());
        write_text(&mut out, self.bound_serial.as_deref());
        out.push(u8::from(self.boot.is_some()));
        if let Some(boot) = &self.boot {
            for text in [&boot.maker, &boot.model, &boot.serial, &boot.firmware] {
                write_text(&mut out, text.as_deref());
            }
            for sim in [boot.iccid, boot.imsi] {
                out.push(u8::from(sim.is_some()));
                out.extend(sim.map(|mark| mark.0).into_iter().flatten());
            }
        }
        // Both lists are bounded far below 256.
        out.push(self.transactions.open.len() as u8);
        for open in &self.transactions.open {
            write_id(&mut out, &open.id);
            out.extend(open.place.to_be_bytes());
            out.extend(open.csms.to_be_bytes());
            out.extend(open.start.to_be_bytes());
        }
        out.push(self.transactions.ended.len() as u8);
        for ended in &self.transactions.ended {
            write_id(&mut out, &ended.id);
            out.extend(ended.csms.to_be_bytes());
        }
        out
    }

    /// Reads what the store kept; `None` where that is no memory, or one that a newer program wrote.
    pub fn from_bytes(bytes: &[u8]) -> Option<StationMemory> {
        let mut input = Input(bytes);
        if input.byte()? != FORMAT {
            return None;
        }
        let registration = match input.byte()? {
            0 => Registration::Unknown,
            1 => Registration::Pending,
            2 => Registration::Rejected,
            3 => Registration::Accepted,
            _ => return None,
        };
        let memory = StationMemory {
            registration,
            registered_at: UnixMillis(i64::from_be_bytes(input.take()?)),
            replaced: u32::from_be_bytes(input.take()?),
            firmware_job: input.flag()?,
            connectors: Some(u16::from_be_bytes(input.take()?)).filter(|many| *many != u16::MAX),
            bound_serial: input.text()?,
            boot: match input.flag()? {
                true => Some(Box::new(input.boot()?)),
                false => None,
            },
            transactions: Transactions {
                open: input.list(Transactions::OPEN_MAX, Input::open)?,
                ended: input.list(Transactions::ENDED_MAX, Input::ended)?,
            },
        };
        input.0.is_empty().then_some(memory)
    }
}

fn write_text(out: &mut Vec<u8>, text: Option<&str>) {
    let text = text.unwrap_or_default();
    let mut end = text.len().min(TEXT_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let text = text.get(..end).unwrap_or_default();
    out.push(text.len() as u8);
    out.extend(text.as_bytes());
}

fn write_id(out: &mut Vec<u8>, id: &TransactionId) {
    match id {
        TransactionId::Number(number) => {
            out.push(1);
            out.extend(number.to_be_bytes());
        }
        TransactionId::Text(text) => {
            out.push(2);
            write_text(out, Some(text));
        }
    }
}

/// What is left to read.
struct Input<'b>(&'b [u8]);

impl Input<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (first, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*first)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take::<1>().map(|[byte]| byte)
    }

    fn flag(&mut self) -> Option<bool> {
        match self.byte()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    /// The outer `None`: this is no text. An empty one is none at all.
    #[expect(clippy::option_option, reason = "unreadable and absent are two things")]
    fn text(&mut self) -> Option<Option<Box<str>>> {
        let length = usize::from(self.byte()?);
        if length > TEXT_BYTES_MAX {
            return None;
        }
        let (text, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        let text = std::str::from_utf8(text).ok()?;
        Some((!text.is_empty()).then(|| text.into()))
    }

    #[expect(clippy::option_option, reason = "unreadable and absent are two things")]
    fn sim(&mut self) -> Option<Option<SimMark>> {
        match self.flag()? {
            true => Some(Some(SimMark(self.take()?))),
            false => Some(None),
        }
    }

    fn boot(&mut self) -> Option<BootIdentity> {
        Some(BootIdentity {
            maker: self.text()?,
            model: self.text()?,
            serial: self.text()?,
            firmware: self.text()?,
            iccid: self.sim()?,
            imsi: self.sim()?,
        })
    }

    fn id(&mut self) -> Option<TransactionId> {
        match self.byte()? {
            1 => Some(TransactionId::Number(i64::from_be_bytes(self.take()?))),
            2 => self.text()?.map(TransactionId::Text),
            _ => None,
        }
    }

    fn open(&mut self) -> Option<OpenTransaction> {
        Some(OpenTransaction {
            id: self.id()?,
            place: u16::from_be_bytes(self.take()?),
            csms: u64::from_be_bytes(self.take()?),
            start: u64::from_be_bytes(self.take()?),
            sure: false,
        })
    }

    fn ended(&mut self) -> Option<EndedTransaction> {
        Some(EndedTransaction {
            id: self.id()?,
            csms: u64::from_be_bytes(self.take()?),
        })
    }

    fn list<T>(&mut self, max: usize, read: impl Fn(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let many = usize::from(self.byte()?);
        if many > max {
            return None;
        }
        (0..many).map(|_| read(self)).collect()
    }
}
