//! Byte strings in a row, each with its length: how calls and replies cross a pipe. Pure.

use rc_sv_api::{Code, Error, Result};
use std::fmt::Display;
use std::str::FromStr;

/// Writes one message.
#[derive(Default)]
pub(crate) struct Writer(Vec<u8>);

impl Writer {
    pub fn bytes(&mut self, bytes: &[u8]) {
        // Nothing here comes near four gigabytes.
        self.0.extend((bytes.len() as u32).to_le_bytes());
        self.0.extend(bytes);
    }

    pub fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    pub fn number(&mut self, number: impl Display) {
        self.text(&number.to_string());
    }

    /// The message.
    pub fn finish(self) -> Vec<u8> {
        self.0
    }
}

/// Reads one message.
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub fn new(message: &'a [u8]) -> Reader<'a> {
        Reader(message)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn bytes(&mut self) -> Result<&'a [u8]> {
        let (length, rest) = self.0.split_first_chunk().ok_or_else(unreadable)?;
        let length = u32::from_le_bytes(*length) as usize;
        let (bytes, rest) = rest.split_at_checked(length).ok_or_else(unreadable)?;
        self.0 = rest;
        Ok(bytes)
    }

    pub fn text(&mut self) -> Result<String> {
        let bytes = self.bytes()?.to_vec();
        String::from_utf8(bytes).map_err(|_| unreadable())
    }

    pub fn number<T: FromStr>(&mut self) -> Result<T> {
        self.text()?.parse().map_err(|_| unreadable())
    }
}

/// What was read is no message, or not a whole one.
pub(crate) fn unreadable() -> Error {
    Error::new(Code::Protocol, "a message between processes is incomplete")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_nothing_more() {
        let mut writer = Writer::default();
        writer.bytes(b"");
        writer.text("a b");
        writer.number(-7);
        let message = writer.finish();
        let mut reader = Reader::new(&message);
        assert_eq!(reader.bytes().unwrap(), b"");
        assert_eq!(reader.text().unwrap(), "a b");
        assert_eq!(reader.number::<i32>().unwrap(), -7);
        assert!(reader.is_empty() && reader.bytes().is_err());
        let mut short = Reader::new(&message[..6]);
        assert!(short.bytes().is_ok() && short.bytes().is_err());
        assert!(Reader::new(&[0xff; 4]).bytes().is_err());
    }
}
