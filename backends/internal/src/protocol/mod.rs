//! What clients and the supervisor say to each other.
//!
//! A packet of a `SOCK_SEQPACKET` socket is one message: a [`Header`] and a body that the header's
//! operation defines. All numbers are little endian. Packets are small and bounded; the one long
//! answer, the list, travels as a sealed memory file whose descriptor comes with the packet.
//!
//! Compatibility: the header and the body of [`reply::Reply::Refused`] never change. So a peer of
//! any version can be told in words that versions do not match.
//!
//! Everything here is pure: bytes in, values out. Nothing panics on any input.

pub mod record;
pub mod reply;
pub mod request;

pub use reply::Reply;
pub use request::Request;

use rc_sv_api::{Code, Error, Result};

/// The version of this protocol.
pub const VERSION: u16 = 1;

/// The longest request, in bytes.
pub const MAX_REQUEST: usize = 256;

/// The longest answer, in bytes.
pub const MAX_REPLY: usize = 1024;

/// The longest text in an answer, in bytes; it fits the error of the C ABI.
pub const MAX_TEXT: usize = 231;

const MAGIC: [u8; 4] = *b"RCsv";

/// What each packet begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The protocol version of the sender.
    pub version: u16,
    /// What the packet asks or answers.
    pub op: u16,
    /// Chosen by the client; the answer carries the same.
    pub id: u64,
}

impl Header {
    /// Its length, in bytes.
    pub const SIZE: usize = 16;

    /// The header and the body of `packet`.
    ///
    /// # Errors
    /// [`Code::Protocol`]: too short, or no packet of ours.
    pub fn decode(packet: &[u8]) -> Result<(Header, &[u8])> {
        let mut reader = Reader(packet);
        if reader.take(MAGIC.len())? != MAGIC {
            return Err(malformed("it does not begin with the protocol's mark"));
        }
        let header = Header {
            version: reader.u16()?,
            op: reader.u16()?,
            id: reader.u64()?,
        };
        Ok((header, reader.0))
    }

    /// Writes another id into a packet of ours.
    pub(crate) fn address(packet: &mut [u8], id: u64) {
        if let Some(place) = packet.get_mut(Header::SIZE - 8..Header::SIZE) {
            place.copy_from_slice(&id.to_le_bytes());
        }
    }

    fn encode(op: u16, id: u64) -> Vec<u8> {
        let mut packet = Vec::with_capacity(64);
        packet.extend(MAGIC);
        packet.extend(VERSION.to_le_bytes());
        packet.extend(op.to_le_bytes());
        packet.extend(id.to_le_bytes());
        packet
    }
}

fn malformed(why: &str) -> Error {
    Error::new(Code::Protocol, format!("malformed packet: {why}"))
}

/// The longest part of `text` that has at most `most` bytes and ends between two characters.
fn shortened(text: &str, most: usize) -> &str {
    let mut end = text.len().min(most);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// Takes numbers and texts from the front of a packet.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let Some((taken, rest)) = self.0.split_at_checked(count) else {
            return Err(malformed("it is too short"));
        };
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let taken = self.take(N)?;
        taken.try_into().map_err(|_| malformed("it is too short"))
    }

    fn u8(&mut self) -> Result<u8> {
        Ok(u8::from_le_bytes(self.array()?))
    }

    fn u16(&mut self) -> Result<u16> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    fn u32(&mut self) -> Result<u32> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    fn i32(&mut self) -> Result<i32> {
        Ok(i32::from_le_bytes(self.array()?))
    }

    fn u64(&mut self) -> Result<u64> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    fn i64(&mut self) -> Result<i64> {
        Ok(i64::from_le_bytes(self.array()?))
    }

    /// A text with its length in one byte before it.
    fn text(&mut self) -> Result<&'a str> {
        let length = self.u8()?;
        let bytes = self.take(usize::from(length))?;
        std::str::from_utf8(bytes).map_err(|_| malformed("a text is not UTF-8"))
    }

    fn end(self) -> Result<()> {
        match self.0 {
            [] => Ok(()),
            _ => Err(malformed("it is too long")),
        }
    }
}

fn put_text(packet: &mut Vec<u8>, text: &str) {
    let text = shortened(text, MAX_TEXT);
    packet.push(text.len() as u8);
    packet.extend(text.as_bytes());
}
