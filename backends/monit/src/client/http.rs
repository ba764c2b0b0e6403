//! One exchange with monit's HTTP interface. monit answers one connection at a time and then closes
//! it, so each request has a connection of its own.

use nix::errno::Errno;
use nix::sys::socket::{
    connect, getsockopt, setsockopt, socket, sockopt, AddressFamily, SockFlag, SockType, UnixAddr,
};
use nix::sys::time::TimeVal;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Where monit listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// `set httpd unixsocket PATH`.
    Unix(PathBuf),
    /// `set httpd port N`, without TLS.
    Tcp(SocketAddr),
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status of HTTP.
    pub status: u16,
    /// The body, as it came: ISO-8859-1.
    pub body: Vec<u8>,
    /// The process at the other end, where the kernel tells.
    pub pid: Option<i32>,
}

/// 1,000 services with all their measurements are about 1.2 MB.
const BODY_MAX: u64 = 16 * 1024 * 1024;
const HEADERS_MAX: usize = 32;

/// Sends `request` and reads the answer, all of it before `deadline`.
///
/// # Errors
/// Of connecting, writing or reading; [`io::ErrorKind::TimedOut`] when the deadline passed, and
/// [`io::ErrorKind::InvalidData`] for what is no answer.
pub fn exchange(address: &Address, request: &[u8], deadline: Instant) -> io::Result<Answer> {
    let stream = Stream::connect(address, deadline)?;
    stream.send(request, deadline)?;
    let bytes = stream.receive(deadline)?;
    let (status, body) = parts(&bytes)?;
    Ok(Answer {
        status,
        body: body.to_vec(),
        pid: stream.peer(),
    })
}

/// The status of HTTP, and the body. Who ends writes no further, so half an answer is none.
fn parts(bytes: &[u8]) -> io::Result<(u16, &[u8])> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut response = httparse::Response::new(&mut headers);
    match response.parse(bytes) {
        Ok(httparse::Status::Complete(start)) => {
            let status = response.code.ok_or_else(|| invalid("no status"))?;
            let body = &bytes[start..];
            match length(response.headers) {
                Some(length) if body.len() < length => Err(half()),
                _ => Ok((status, body)),
            }
        }
        Ok(httparse::Status::Partial) => Err(half()),
        Err(cause) => Err(invalid(&format!("no HTTP: {cause}"))),
    }
}

/// How long the body is to be, where the head tells.
fn length(headers: &[httparse::Header<'_>]) -> Option<usize> {
    let is_it = |header: &&httparse::Header<'_>| header.name.eq_ignore_ascii_case("content-length");
    let value = headers.iter().find(is_it)?.value;
    std::str::from_utf8(value).ok()?.trim().parse().ok()
}

fn half() -> io::Error {
    let what = "the connection was closed before the end of the answer";
    io::Error::new(io::ErrorKind::ConnectionReset, what)
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

enum Stream {
    Unix(UnixStream),
    Tcp(TcpStream),
}

impl Stream {
    fn connect(address: &Address, deadline: Instant) -> io::Result<Stream> {
        match address {
            Address::Tcp(address) => {
                TcpStream::connect_timeout(address, left(deadline)?).map(Stream::Tcp)
            }
            Address::Unix(path) => {
                let kind = SockType::Stream;
                let fd = socket(AddressFamily::Unix, kind, SockFlag::SOCK_CLOEXEC, None)?;
                // A monit that is stopped lets its queue fill up; then connect(2) would wait for
                // ever. For this family its time-out is that of sending.
                setsockopt(&fd, sockopt::SendTimeout, &time_val(left(deadline)?))?;
                match connect(fd.as_raw_fd(), &UnixAddr::new(path)?) {
                    Err(Errno::EAGAIN) => Err(timed_out()),
                    connected => Ok(connected.map(|()| Stream::Unix(fd.into()))?),
                }
            }
        }
    }

    fn send(&self, mut bytes: &[u8], deadline: Instant) -> io::Result<()> {
        while !bytes.is_empty() {
            let sent = match self {
                Stream::Unix(stream) => {
                    stream.set_write_timeout(Some(left(deadline)?))?;
                    (&*stream).write(bytes)
                }
                Stream::Tcp(stream) => {
                    stream.set_write_timeout(Some(left(deadline)?))?;
                    (&*stream).write(bytes)
                }
            };
            match sent.map_err(in_words) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                sent => bytes = &bytes[sent?..],
            }
        }
        Ok(())
    }

    /// Everything until the other side closes.
    fn receive(&self, deadline: Instant) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let mut chunk = [0u8; 16 * 1024];
        loop {
            let received = match self {
                Stream::Unix(stream) => {
                    stream.set_read_timeout(Some(left(deadline)?))?;
                    (&*stream).read(&mut chunk)
                }
                Stream::Tcp(stream) => {
                    stream.set_read_timeout(Some(left(deadline)?))?;
                    (&*stream).read(&mut chunk)
                }
            };
            match received.map_err(in_words) {
                Ok(0) => return Ok(bytes),
                Ok(count) if (bytes.len() + count) as u64 > BODY_MAX => {
                    return Err(invalid("an answer of more than 16 MiB"))
                }
                Ok(count) => bytes.extend_from_slice(&chunk[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn peer(&self) -> Option<i32> {
        match self {
            Stream::Tcp(_) => None,
            Stream::Unix(stream) => getsockopt(stream, sockopt::PeerCredentials)
                .ok()
                .map(|credentials| credentials.pid())
                .filter(|pid| *pid > 0),
        }
    }
}

/// A time-out of a socket looks like a socket that would have to wait.
fn in_words(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::WouldBlock => timed_out(),
        _ => error,
    }
}

fn timed_out() -> io::Error {
    io::Error::from(io::ErrorKind::TimedOut)
}

/// Time until the deadline; never zero, which would mean for ever.
fn left(deadline: Instant) -> io::Result<Duration> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return Err(timed_out());
    }
    Ok(left.max(Duration::from_millis(1)))
}

fn time_val(time: Duration) -> TimeVal {
    TimeVal::new(time.as_secs() as i64, i64::from(time.subsec_micros()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sys::socket::{shutdown, Shutdown};
    use std::os::fd::AsRawFd;
    use std::os::unix::net::UnixListener;
    use std::thread;

    const SOON: Duration = Duration::from_millis(200);
    const LONG: Duration = Duration::from_secs(30);

    /// What `exchange` makes of a server that reads a line and writes `answer`.
    fn answered(answer: &'static [u8]) -> io::Result<Answer> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("sock");
        let listener = UnixListener::bind(&path).unwrap();
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0u8; 64];
            let read = stream.read(&mut request).unwrap();
            let _ = stream.write_all(answer);
            request[..read].to_vec()
        });
        let result = exchange(
            &Address::Unix(path),
            b"GET /_ping\r\n",
            Instant::now() + LONG,
        );
        assert_eq!(server.join().unwrap(), b"GET /_ping\r\n");
        result
    }

    #[test]
    fn an_answer_has_its_status_its_body_and_its_process() {
        let answer = answered(b"HTTP/1.0 200 OK\r\nServer: monit\r\n\r\npong\xe9").unwrap();
        assert_eq!((answer.status, &answer.body[..]), (200, &b"pong\xe9"[..]));
        assert_eq!(answer.pid, Some(std::process::id() as i32));
    }

    #[test]
    fn what_is_no_answer_is_an_error() {
        let kind = |bytes| answered(bytes).unwrap_err().kind();
        assert_eq!(kind(b""), io::ErrorKind::ConnectionReset);
        for half in [
            &b"HTTP/1.0 200 OK\r\n"[..],
            b"HTTP/1.0 200 OK\r\nContent-Length: 9\r\n\r\n<monit>",
        ] {
            assert_eq!(kind(half), io::ErrorKind::ConnectionReset);
        }
        assert_eq!(kind(b"SSH-2.0-OpenSSH\r\n\r\n"), io::ErrorKind::InvalidData);
    }

    #[test]
    fn a_server_that_does_not_accept_costs_no_more_than_the_deadline() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("sock");
        let _listener = UnixListener::bind(&path).unwrap();
        let address = Address::Unix(path);
        let ask = || exchange(&address, b"GET / HTTP/1.0\r\n\r\n", Instant::now() + SOON);
        assert_eq!(ask().unwrap_err().kind(), io::ErrorKind::TimedOut);
        let AddressQueue(_full) = AddressQueue::fill(&address);
        assert_eq!(ask().unwrap_err().kind(), io::ErrorKind::TimedOut);
    }

    /// So many connections that the next one has to wait.
    struct AddressQueue(Vec<Stream>);

    impl AddressQueue {
        fn fill(address: &Address) -> AddressQueue {
            let mut all = Vec::new();
            while let Ok(stream) = Stream::connect(address, Instant::now() + SOON) {
                all.push(stream);
                assert!(all.len() < 100_000, "the queue has no end");
            }
            AddressQueue(all)
        }
    }

    #[test]
    fn nobody_there_is_told_apart_from_a_stale_socket() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("sock");
        let ask = || exchange(&Address::Unix(path.clone()), b"x", Instant::now() + LONG);
        assert_eq!(ask().unwrap_err().kind(), io::ErrorKind::NotFound);
        // To close it is not enough: a child that another test has just forked has a copy.
        let listener = UnixListener::bind(&path).unwrap();
        shutdown(listener.as_raw_fd(), Shutdown::Both).unwrap();
        drop(listener);
        assert_eq!(ask().unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
    }
}
