//! What the supervisor answers.

use super::{malformed, put_text, record, shortened, Header, Reader, MAX_REPLY, MAX_TEXT, VERSION};
use rc_sv_api::event::Event;
use rc_sv_api::{Code, Error, Result, Status};

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// It is done.
    Done,
    /// It was refused, or failed.
    Refused(Error),
    /// The snapshot that was asked for.
    Status(Status),
    /// The snapshots are in the memory file that came with this packet: this many bytes.
    List(u64),
    /// The supervisor's pid and its version.
    Here(i32, String),
    /// Events follow; the next one that happens has this number.
    Follows(u64),
    /// This has happened.
    Event(Event),
    /// So many events are forgotten: they were not taken in time.
    Lost(u64),
}

const DONE: u16 = 0x8001;
const REFUSED: u16 = 0x8002;
const STATUS: u16 = 0x8003;
const LIST: u16 = 0x8004;
const HERE: u16 = 0x8005;
const FOLLOWS: u16 = 0x8006;
const EVENT: u16 = 0x8007;
const LOST: u16 = 0x8008;

impl Reply {
    /// This answer as a packet for the request with this id. Long texts are cut.
    pub fn encode(&self, id: u64) -> Vec<u8> {
        let mut packet = Header::encode(self.op(), id);
        match self {
            Reply::Done => {}
            Reply::Refused(error) => {
                packet.extend((error.code as i32).to_le_bytes());
                packet.extend(error.os_errno.to_le_bytes());
                packet.extend(shortened(&error.message, MAX_TEXT).as_bytes());
            }
            Reply::Status(status) => record::put(&mut packet, status),
            Reply::List(size) => packet.extend(size.to_le_bytes()),
            Reply::Here(pid, version) => {
                packet.extend(pid.to_le_bytes());
                put_text(&mut packet, version);
            }
            Reply::Follows(number) | Reply::Lost(number) => packet.extend(number.to_le_bytes()),
            Reply::Event(event) => record::put_event(&mut packet, event),
        }
        packet
    }

    /// The answer in `packet`, with the id of its request.
    ///
    /// # Errors
    /// [`Code::Protocol`]: malformed, or of another version.
    pub fn decode(packet: &[u8]) -> Result<(Reply, u64)> {
        if packet.len() > MAX_REPLY {
            return Err(malformed("it is too long"));
        }
        let (header, body) = Header::decode(packet)?;
        // A refusal has the same form in every version.
        if header.version != VERSION && header.op != REFUSED {
            let message = format!(
                "the module speaks protocol version {VERSION}, the supervisor version {}: install \
                 both from one release, then restart the supervisor",
                header.version
            );
            return Err(Error::new(Code::Protocol, message));
        }
        let mut reader = Reader(body);
        let reply = match header.op {
            DONE => Reply::Done,
            REFUSED => {
                let (code, os_errno) = (reader.i32()?, reader.i32()?);
                let message = String::from_utf8_lossy(reader.take(reader.0.len())?).into_owned();
                let code = Code::from_raw(code).unwrap_or(Code::Failed);
                Reply::Refused(Error {
                    code,
                    os_errno,
                    message,
                })
            }
            STATUS => Reply::Status(record::take(&mut reader)?),
            LIST => Reply::List(reader.u64()?),
            HERE => Reply::Here(reader.i32()?, reader.text()?.to_string()),
            FOLLOWS => Reply::Follows(reader.u64()?),
            EVENT => Reply::Event(record::take_event(&mut reader)?),
            LOST => Reply::Lost(reader.u64()?),
            other => return Err(malformed(&format!("there is no answer {other}"))),
        };
        reader.end()?;
        Ok((reply, header.id))
    }

    fn op(&self) -> u16 {
        match self {
            Reply::Done => DONE,
            Reply::Refused(_) => REFUSED,
            Reply::Status(_) => STATUS,
            Reply::List(_) => LIST,
            Reply::Here(..) => HERE,
            Reply::Follows(_) => FOLLOWS,
            Reply::Event(_) => EVENT,
            Reply::Lost(_) => LOST,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rc_sv_api::State;

    #[test]
    fn answers_come_back_as_they_were() {
        let refused = Error {
            code: Code::Io,
            os_errno: 2,
            message: "cannot execute /x: No such file or directory".into(),
        };
        let replies = [
            Reply::Done,
            Reply::Refused(refused),
            Reply::Status(Status::of_state(State::Down)),
            Reply::List(1 << 40),
            Reply::Here(42, "0.1.0".into()),
            Reply::Follows(7),
            Reply::Lost(u64::MAX),
        ];
        for reply in replies {
            assert_eq!(Reply::decode(&reply.encode(9)), Ok((reply, 9)));
        }
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        let long = "ü".repeat(400);
        let packet = Reply::Refused(Error::new(Code::Failed, long.clone())).encode(1);
        assert!(packet.len() <= MAX_REPLY);
        let Ok((Reply::Refused(error), 1)) = Reply::decode(&packet) else {
            panic!("{packet:?}");
        };
        assert!(long.starts_with(&error.message) && error.message.len() == MAX_TEXT - 1);
    }

    #[test]
    fn a_refusal_of_another_version_is_understood() {
        let mut packet = Reply::Refused(Error::new(Code::Protocol, "too old")).encode(1);
        packet[4] = 200;
        let Ok((Reply::Refused(error), 1)) = Reply::decode(&packet) else {
            panic!("{packet:?}");
        };
        assert_eq!(error.message, "too old");
        let mut packet = Reply::Done.encode(1);
        packet[4] = 200;
        let error = Reply::decode(&packet).unwrap_err();
        assert!(
            error.message.contains("the supervisor version 200"),
            "{error}"
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_decoded_or_refused(packet: Vec<u8>) {
            let _ = Reply::decode(&packet);
        }

        #[test]
        fn any_body_is_decoded_or_refused(op in 0x8000u16..0x800a, body: Vec<u8>) {
            let mut packet = Header::encode(op, 3);
            packet.extend(body);
            let _ = Reply::decode(&packet);
        }
    }
}
