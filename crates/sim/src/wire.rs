//! WebSocket frames written by hand, for what a library refuses to send: no mask, bad UTF-8, a
//! continuation of nothing, reserved bits (RFC 6455, 5.2).

/// One frame as it is to stand on the wire, right or wrong.
#[derive(Clone, Debug)]
pub struct RawFrame {
    /// The FIN bit.
    pub fin: bool,
    /// The three reserved bits, as 0–7.
    pub reserved: u8,
    /// 0 continuation, 1 text, 2 binary, 8 close, 9 ping, 10 pong; others are reserved.
    pub opcode: u8,
    /// The masking key; `None` sends an unmasked frame, which no client may.
    pub mask: Option<[u8; 4]>,
    /// What it carries.
    pub payload: Vec<u8>,
    /// The length the header claims, where that is to differ from the truth.
    pub claimed_length: Option<u64>,
}

impl RawFrame {
    /// A whole, masked text frame with these bytes, UTF-8 or not.
    pub fn text(payload: impl Into<Vec<u8>>) -> RawFrame {
        RawFrame::new(1, payload)
    }

    /// A whole, masked frame of that opcode.
    pub fn new(opcode: u8, payload: impl Into<Vec<u8>>) -> RawFrame {
        RawFrame {
            fin: true,
            reserved: 0,
            opcode,
            mask: Some([0x37, 0xfa, 0x21, 0x3d]),
            payload: payload.into(),
            claimed_length: None,
        }
    }

    /// The same without a mask.
    #[must_use]
    pub fn unmasked(mut self) -> RawFrame {
        self.mask = None;
        self
    }

    /// The same with more frames of the message to follow.
    #[must_use]
    pub fn unfinished(mut self) -> RawFrame {
        self.fin = false;
        self
    }

    /// The same with reserved bits set.
    #[must_use]
    pub fn reserved(mut self, bits: u8) -> RawFrame {
        self.reserved = bits & 7;
        self
    }

    /// The same with a header that claims another length.
    #[must_use]
    pub fn claiming(mut self, length: u64) -> RawFrame {
        self.claimed_length = Some(length);
        self
    }

    /// The bytes for the wire.
    pub fn bytes(&self) -> Vec<u8> {
        let length = self.claimed_length.unwrap_or(self.payload.len() as u64);
        let masked = if self.mask.is_some() { 0x80 } else { 0 };
        let mut out = Vec::with_capacity(self.payload.len() + 14);
        out.push(u8::from(self.fin) << 7 | self.reserved << 4 | self.opcode & 0x0f);
        match (u8::try_from(length), u16::try_from(length)) {
            (Ok(short @ 0..=125), _) => out.push(masked | short),
            (_, Ok(medium)) => {
                out.push(masked | 126);
                out.extend(medium.to_be_bytes());
            }
            _ => {
                out.push(masked | 127);
                out.extend(length.to_be_bytes());
            }
        }
        match self.mask {
            None => out.extend(&self.payload),
            Some(key) => {
                out.extend(key);
                let masked = self.payload.iter().zip(key.iter().cycle());
                out.extend(masked.map(|(byte, key)| byte ^ key));
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::RawFrame;

    #[test]
    fn the_example_of_the_rfc_comes_out_byte_for_byte() {
        // RFC 6455, 5.7: a single-frame masked text message, "Hello".
        let hello = RawFrame::text("Hello").bytes();
        let expected = [
            0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58,
        ];
        assert_eq!(hello, expected);
        assert_eq!(
            RawFrame::text("Hello").unmasked().bytes(),
            b"\x81\x05Hello".to_vec()
        );
    }

    #[test]
    fn lengths_take_the_shortest_form() {
        let head = |length: usize| RawFrame::text(vec![0; length]).unmasked().bytes();
        assert_eq!(head(125)[..2], [0x81, 125]);
        assert_eq!(head(126)[..4], [0x81, 126, 0, 126]);
        assert_eq!(head(65_536)[..10], [0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]);
    }
}
