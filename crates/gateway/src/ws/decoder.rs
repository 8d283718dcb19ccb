//! Bytes of one hop become messages and control frames, one at a time.

use std::fmt;

use super::close::read_close;
use super::header::Header;
use super::mask::apply_mask;
use super::partial::Partial;
use super::{Inflater, Opcode, WsError, WsLimits};

/// Which side of the hop we are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// We serve a station: its frames must be masked, ours are not.
    Server,
    /// We are the client of a CSMS: its frames must not be masked, ours are.
    Client,
}

/// One thing that arrived. The bytes live until the decoder is asked again.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Incoming<'b> {
    /// A whole text message; whether it is UTF-8 is the reader's question.
    Text(&'b [u8]),
    /// A whole binary message.
    Binary(&'b [u8]),
    /// A ping; it wants a pong with the same body.
    Ping(&'b [u8]),
    /// A pong.
    Pong(&'b [u8]),
    /// A close frame and its code, if it gave one. Whatever follows it is dropped.
    Close(Option<u16>),
}

/// What was read from a socket, and how far the decoder has come with it.
pub struct Input<'b> {
    bytes: &'b mut [u8],
    at: usize,
    inflater: Option<&'b mut Inflater>,
}

impl<'b> Input<'b> {
    /// Fresh bytes, in the order they came.
    pub fn new(bytes: &'b mut [u8]) -> Input<'b> {
        Input {
            bytes,
            at: 0,
            inflater: None,
        }
    }

    /// The same, where the two ends may have agreed on compression: only with an inflater may a
    /// message be compressed.
    pub fn inflated_by(self, inflater: Option<&'b mut Inflater>) -> Input<'b> {
        Input { inflater, ..self }
    }

    /// Bytes the decoder has not looked at.
    pub fn remaining(&self) -> usize {
        self.bytes.len() - self.at
    }

    /// What the decoder has not looked at, for another time.
    pub fn into_rest(self) -> &'b mut [u8] {
        self.bytes.get_mut(self.at..).unwrap_or_default()
    }

    fn rest(&mut self) -> &mut [u8] {
        self.bytes.get_mut(self.at..).unwrap_or_default()
    }

    fn may_be_deflated(&self) -> bool {
        self.inflater.is_some()
    }

    fn inflated(&self) -> &[u8] {
        self.inflater
            .as_ref()
            .map_or(&[], |inflater| inflater.inflated())
    }

    fn advance(&mut self, by: usize) {
        self.at = self.bytes.len().min(self.at + by);
    }
}

/// Reads one hop's frames. Holds no heap unless something is cut or in fragments.
pub struct Decoder {
    role: Role,
    state: State,
    partial: Option<Box<Partial>>,
    /// The message last handed out, where it did not lie in the input.
    whole: Vec<u8>,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Reading,
    Closed,
    Failed(WsError),
}

/// How far what was cut has come.
enum Progress {
    /// The input is used up.
    Starved,
    /// Nothing is cut: a frame may start.
    FrameStart,
    /// Something became whole, and lies there.
    Whole(Opcode, Place),
}

/// Where a whole payload lies.
enum Place {
    Input(usize, usize),
    Held,
    Inflater,
}

impl Decoder {
    /// A fresh hop.
    pub fn new(role: Role) -> Decoder {
        Decoder {
            role,
            state: State::Reading,
            partial: None,
            whole: Vec::new(),
        }
    }

    /// The next message or control frame. `None` means that all of `input` is used up, and what was
    /// cut is kept here; the caller's buffer is free again. An error is final: it is said again
    /// whenever the decoder is asked.
    #[inline]
    pub fn next<'a>(
        &'a mut self,
        input: &'a mut Input<'_>,
        limits: &WsLimits<'_>,
    ) -> Result<Option<Incoming<'a>>, WsError> {
        if self.whole.capacity() > 0 {
            self.whole = Vec::new();
        }
        match self.state {
            State::Reading => {}
            State::Closed => {
                input.advance(input.remaining());
                return Ok(None);
            }
            State::Failed(error) => return Err(error),
        }
        match self.find(input, limits) {
            Ok(None) => Ok(None),
            Ok(Some((opcode, place))) => self.hand_out(opcode, place, input).map(Some),
            Err(error) => {
                self.fail(error);
                Err(error)
            }
        }
    }

    /// Nothing is cut and no message is open.
    pub fn is_idle(&self) -> bool {
        self.partial.is_none()
    }

    /// A message has begun and not ended. How long it may take is the session's question (threat A19).
    pub fn message_is_open(&self) -> bool {
        self.partial
            .as_ref()
            .is_some_and(|partial| partial.message_is_open())
    }

    /// Bytes of payload kept for later.
    pub fn bytes_held(&self) -> usize {
        self.partial
            .as_ref()
            .map_or(0, |partial| partial.bytes_held())
    }

    fn fail(&mut self, error: WsError) {
        self.state = State::Failed(error);
        self.partial = None;
    }

    fn hand_out<'a>(
        &'a mut self,
        opcode: Opcode,
        place: Place,
        input: &'a mut Input<'_>,
    ) -> Result<Incoming<'a>, WsError> {
        if opcode == Opcode::Close {
            return self.close(&place, input);
        }
        let payload = self.payload(&place, input);
        Ok(match opcode {
            Opcode::Text => Incoming::Text(payload),
            Opcode::Ping => Incoming::Ping(payload),
            Opcode::Pong => Incoming::Pong(payload),
            // `find` yields no continuation, which belongs to the message it ends, and a close was
            // dealt with above.
            Opcode::Binary | Opcode::Continuation | Opcode::Close => Incoming::Binary(payload),
        })
    }

    fn payload<'a>(&'a self, place: &Place, input: &'a Input<'_>) -> &'a [u8] {
        match *place {
            Place::Input(start, end) => input.bytes.get(start..end).unwrap_or_default(),
            Place::Held => &self.whole,
            Place::Inflater => input.inflated(),
        }
    }

    fn close(&mut self, place: &Place, input: &Input<'_>) -> Result<Incoming<'static>, WsError> {
        match read_close(self.payload(place, input)) {
            Ok(code) => {
                self.state = State::Closed;
                self.partial = None;
                Ok(Incoming::Close(code))
            }
            Err(error) => {
                self.fail(error);
                Err(error)
            }
        }
    }

    fn find(
        &mut self,
        input: &mut Input<'_>,
        limits: &WsLimits<'_>,
    ) -> Result<Option<(Opcode, Place)>, WsError> {
        loop {
            match self.resume(input, limits)? {
                Progress::Starved => return Ok(None),
                Progress::Whole(opcode, place) => return Ok(Some((opcode, place))),
                Progress::FrameStart => {}
            }
            let may_be_deflated = input.may_be_deflated();
            let rest = input.rest();
            if rest.is_empty() {
                return Ok(None);
            }
            let Some(header) = Header::parse(rest, self.role, may_be_deflated)? else {
                self.partial.get_or_insert_default().hold_header(rest);
                input.advance(input.remaining());
                return Ok(None);
            };
            if let Some(place) = self.in_place(&header, input, limits)? {
                return Ok(Some((header.opcode, place)));
            }
            self.partial.get_or_insert_default().open(&header, limits)?;
            input.advance(header.size);
        }
    }

    /// The short way: a whole control frame, or a whole message in one frame.
    #[inline]
    fn in_place(
        &self,
        header: &Header,
        input: &mut Input<'_>,
        limits: &WsLimits<'_>,
    ) -> Result<Option<Place>, WsError> {
        let fits = match header.opcode {
            Opcode::Continuation => false,
            Opcode::Text | Opcode::Binary => header.fin && !self.message_is_open(),
            Opcode::Close | Opcode::Ping | Opcode::Pong => true,
        };
        let rest = (input.remaining() - header.size) as u64;
        if !fits || header.payload > rest {
            return Ok(None);
        }
        if header.deflated {
            return self.inflate_in_place(header, input, limits);
        }
        if limits.is_hopeless(header.payload) && !header.opcode.is_control() {
            return Err(WsError::MessageTooBig);
        }
        let start = input.at + header.size;
        // No truncation: the payload is no longer than what lies in memory.
        let end = start + header.payload as usize;
        let Some(payload) = input.bytes.get_mut(start..end) else {
            return Ok(None);
        };
        if self.role == Role::Server {
            apply_mask(payload, header.key);
        }
        if limits.is_extraordinary(header.payload)
            && !header.opcode.is_control()
            && header.payload > limits.allowance_for(payload)
        {
            return Err(WsError::MessageTooBig);
        }
        input.at = end;
        Ok(Some(Place::Input(start, end)))
    }

    /// A whole compressed message in one frame.
    #[cold]
    fn inflate_in_place(
        &self,
        header: &Header,
        input: &mut Input<'_>,
        limits: &WsLimits<'_>,
    ) -> Result<Option<Place>, WsError> {
        if limits.is_hopeless_deflated(header.payload) {
            return Err(WsError::MessageTooBig);
        }
        let start = input.at + header.size;
        // No truncation: the payload is no longer than what lies in memory.
        let end = start + header.payload as usize;
        let (Some(payload), Some(inflater)) =
            (input.bytes.get_mut(start..end), &mut input.inflater)
        else {
            return Err(WsError::ReservedBits);
        };
        if self.role == Role::Server {
            apply_mask(payload, header.key);
        }
        inflater.inflate(payload, limits)?;
        input.at = end;
        Ok(Some(Place::Inflater))
    }

    /// The long way: goes on with a header or payload that was cut.
    fn resume(
        &mut self,
        input: &mut Input<'_>,
        limits: &WsLimits<'_>,
    ) -> Result<Progress, WsError> {
        let Some(partial) = &mut self.partial else {
            return Ok(Progress::FrameStart);
        };
        if partial.header_is_cut() {
            let may_be_deflated = input.may_be_deflated();
            let (taken, header) =
                partial.resume_header(input.rest(), self.role, may_be_deflated)?;
            input.advance(taken);
            let Some(header) = header else {
                return Ok(Progress::Starved);
            };
            partial.open(&header, limits)?;
        }
        let (taken, whole) = partial.resume_payload(input.rest(), limits)?;
        input.advance(taken);
        let Some(whole) = whole else {
            return Ok(if partial.between_frames() {
                Progress::FrameStart
            } else {
                Progress::Starved
            });
        };
        if partial.is_spent() {
            self.partial = None;
        }
        if !whole.deflated {
            self.whole = whole.bytes;
            return Ok(Progress::Whole(whole.opcode, Place::Held));
        }
        let Some(inflater) = &mut input.inflater else {
            return Err(WsError::ReservedBits);
        };
        inflater.inflate(&whole.bytes, limits)?;
        Ok(Progress::Whole(whole.opcode, Place::Inflater))
    }
}

impl fmt::Debug for Decoder {
    /// Payloads may hold what no log may.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Decoder")
            .field("role", &self.role)
            .field("state", &self.state)
            .field("bytes_held", &self.bytes_held())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Input<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Input({} of {} bytes)", self.at, self.bytes.len())
    }
}

impl fmt::Debug for Incoming<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Incoming::Text(bytes) => write!(out, "Text({} bytes)", bytes.len()),
            Incoming::Binary(bytes) => write!(out, "Binary({} bytes)", bytes.len()),
            Incoming::Ping(bytes) => write!(out, "Ping({} bytes)", bytes.len()),
            Incoming::Pong(bytes) => write!(out, "Pong({} bytes)", bytes.len()),
            Incoming::Close(code) => write!(out, "Close({code:?})"),
        }
    }
}
