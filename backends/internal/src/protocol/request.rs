//! What clients ask.

use super::{malformed, put_text, Header, Reader, MAX_REQUEST, VERSION};
use rc_sv_api::{signal, Code, Error, Result, ServiceName};

/// A request. Commands to one service are carried out in the order in which they arrive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Start the service whose spec lies in its directory; answered when it runs, or will not.
    Start(ServiceName),
    /// Take the spec that lies in the directory of a service whose runscript runs before a respawn.
    Renew(ServiceName),
    /// Stop it; answered when it is down.
    Stop(ServiceName),
    /// Stop and start it in one step; answered when it runs again, or will not.
    Restart(ServiceName),
    /// Send this signal to its main process.
    Signal(ServiceName, i32),
    /// Drop all memory of a service that is down.
    Forget(ServiceName),
    /// One snapshot of it.
    Status(ServiceName),
    /// One snapshot of each service.
    List,
    /// Who is there.
    Ping,
    /// Have the program at this absolute path take over; the connection ends when it does.
    Upgrade(String),
    /// What happens to all services, from the event with this number on: 0 is all that is remembered.
    /// One that is yet to come is the next one. Answered by [`super::Reply::Follows`], and by packets
    /// without an end.
    Follow(u64),
}

const START: u16 = 1;
const STOP: u16 = 2;
const RESTART: u16 = 3;
const SIGNAL: u16 = 4;
const FORGET: u16 = 5;
const STATUS: u16 = 6;
const LIST: u16 = 7;
const PING: u16 = 8;
const FOLLOW: u16 = 9;
const UPGRADE: u16 = 10;
const RENEW: u16 = 11;

impl Request {
    /// Whether asking for it twice is asking for it once.
    pub fn may_be_repeated(&self) -> bool {
        !matches!(self, Request::Signal(..) | Request::Upgrade(_))
    }

    /// This request as a packet; `id` comes back with the answer.
    pub fn encode(&self, id: u64) -> Vec<u8> {
        let mut packet = Header::encode(self.op(), id);
        match self {
            Request::Signal(_, number) => packet.extend(number.to_le_bytes()),
            Request::Follow(first) => packet.extend(first.to_le_bytes()),
            _ => {}
        }
        if let Request::Upgrade(path) = self {
            put_text(&mut packet, path);
        }
        if let Some(service) = self.service() {
            put_text(&mut packet, service.as_str());
        }
        packet
    }

    /// The request in `packet`, with the id for the answer.
    ///
    /// # Errors
    /// [`Code::Protocol`] with the id, as far as it could be read: the packet is malformed, of
    /// another version, or asks for what this version does not know. [`Code::Invalid`]: it names
    /// no possible service or signal.
    pub fn decode(packet: &[u8]) -> std::result::Result<(Request, u64), (Error, u64)> {
        if packet.len() > MAX_REQUEST {
            return Err((malformed("it is too long"), 0));
        }
        let (header, body) = Header::decode(packet).map_err(|error| (error, 0))?;
        match Request::decode_body(header, body) {
            Ok(request) => Ok((request, header.id)),
            Err(error) => Err((error, header.id)),
        }
    }

    fn decode_body(header: Header, body: &[u8]) -> Result<Request> {
        if header.version != VERSION {
            let message = format!(
                "the supervisor speaks protocol version {VERSION}, the module version {}: install \
                 both from one release, then restart the supervisor",
                header.version
            );
            return Err(Error::new(Code::Protocol, message));
        }
        let mut reader = Reader(body);
        let request = match header.op {
            START => Request::Start(service(&mut reader)?),
            RENEW => Request::Renew(service(&mut reader)?),
            STOP => Request::Stop(service(&mut reader)?),
            RESTART => Request::Restart(service(&mut reader)?),
            SIGNAL => {
                let number = reader.i32()?;
                if !(1..=signal::MAX).contains(&number) {
                    return Err(Error::invalid(format!("there is no signal {number}")));
                }
                Request::Signal(service(&mut reader)?, number)
            }
            FORGET => Request::Forget(service(&mut reader)?),
            STATUS => Request::Status(service(&mut reader)?),
            LIST => Request::List,
            PING => Request::Ping,
            FOLLOW => Request::Follow(reader.u64()?),
            UPGRADE => Request::Upgrade(reader.text()?.to_string()),
            other => {
                let message = format!("the supervisor does not know request {other}");
                return Err(Error::new(Code::Protocol, message));
            }
        };
        reader.end()?;
        Ok(request)
    }

    /// The service that it is about.
    pub fn service(&self) -> Option<&ServiceName> {
        match self {
            Request::Start(name)
            | Request::Renew(name)
            | Request::Stop(name)
            | Request::Restart(name)
            | Request::Signal(name, _)
            | Request::Forget(name)
            | Request::Status(name) => Some(name),
            Request::List | Request::Ping | Request::Follow(_) | Request::Upgrade(_) => None,
        }
    }

    /// Whether it only looks, which anybody may.
    pub fn is_harmless(&self) -> bool {
        matches!(
            self,
            Request::Status(_) | Request::List | Request::Ping | Request::Follow(_)
        )
    }

    fn op(&self) -> u16 {
        match self {
            Request::Start(_) => START,
            Request::Renew(_) => RENEW,
            Request::Stop(_) => STOP,
            Request::Restart(_) => RESTART,
            Request::Signal(..) => SIGNAL,
            Request::Forget(_) => FORGET,
            Request::Status(_) => STATUS,
            Request::List => LIST,
            Request::Ping => PING,
            Request::Follow(_) => FOLLOW,
            Request::Upgrade(_) => UPGRADE,
        }
    }
}

fn service(reader: &mut Reader<'_>) -> Result<ServiceName> {
    ServiceName::new(reader.text()?.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all() -> Vec<Request> {
        let foo = ServiceName::new(b"foo").unwrap();
        vec![
            Request::Start(foo.clone()),
            Request::Renew(foo.clone()),
            Request::Stop(foo.clone()),
            Request::Restart(foo.clone()),
            Request::Signal(foo.clone(), 64),
            Request::Forget(foo.clone()),
            Request::Status(foo),
            Request::List,
            Request::Ping,
            Request::Follow(u64::MAX),
        ]
    }

    #[test]
    fn requests_come_back_as_they_were() {
        for request in all() {
            let packet = request.encode(77);
            assert!(packet.len() <= MAX_REQUEST);
            assert_eq!(Request::decode(&packet), Ok((request, 77)));
        }
        let longest = ServiceName::new(&[b'x'; 200]).unwrap();
        let request = Request::Signal(longest, 1);
        assert_eq!(
            Request::decode(&request.encode(u64::MAX)),
            Ok((request, u64::MAX))
        );
    }

    #[test]
    fn cut_and_longer_requests_are_refused() {
        for request in all() {
            let mut packet = request.encode(1);
            for length in 0..packet.len() {
                assert!(
                    Request::decode(&packet[..length]).is_err(),
                    "{request:?} {length}"
                );
            }
            packet.push(0);
            assert!(Request::decode(&packet).is_err(), "{request:?} and a byte");
        }
    }

    #[test]
    fn another_version_is_answered_in_words() {
        let mut packet = Request::Ping.encode(5);
        packet[4] = 9;
        let (error, id) = Request::decode(&packet).unwrap_err();
        assert_eq!(id, 5);
        assert!(
            error.message.contains("version 1, the module version 9"),
            "{error}"
        );
    }

    #[test]
    fn what_is_impossible_is_refused() {
        let foo = ServiceName::new(b"foo").unwrap();
        for number in [0, -1, 65, i32::MIN] {
            let packet = Request::Signal(foo.clone(), number).encode(1);
            assert_eq!(Request::decode(&packet).unwrap_err().0.code, Code::Invalid);
        }
        let mut packet = Request::Status(foo).encode(1);
        *packet.last_mut().unwrap() = b'/';
        assert_eq!(Request::decode(&packet).unwrap_err().0.code, Code::Invalid);
    }

    proptest! {
        #[test]
        fn any_bytes_are_decoded_or_refused(packet: Vec<u8>) {
            let _ = Request::decode(&packet);
        }

        #[test]
        fn any_body_is_decoded_or_refused(op in 0u16..13, id: u64, body: Vec<u8>) {
            let mut packet = Header::encode(op, id);
            packet.extend(body);
            if let Ok((request, decoded)) = Request::decode(&packet) {
                prop_assert_eq!(decoded, id);
                prop_assert_eq!(request.encode(id), packet);
            }
        }
    }
}
