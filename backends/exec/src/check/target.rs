//! What is looked at.

use rc_sv_api::words;
use std::ffi::OsStr;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

/// The port of `http://` where none is given.
const HTTP_PORT: u16 = 80;

/// The longest path of a socket: `sun_path` with its final NUL.
const LONGEST_PATH: usize = 107;

/// What is looked at. Addresses are numeric: whoever looks must not wait for a name service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A connection is accepted here.
    Tcp(SocketAddr),
    /// A connection is accepted by this socket.
    Unix(PathBuf),
    /// A GET is answered with a status from 200 to 399.
    Http(Http),
    /// This command exits with 0. The first word is an absolute path.
    Exec(Vec<Vec<u8>>),
    /// healthcheck() of the runscript returns 0.
    Hook,
    /// The processes of the service use no more memory than this, in bytes.
    Memory(u64),
}

/// What is asked for by HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Http {
    /// Where.
    pub address: SocketAddr,
    /// As in the URL, for the header of that name.
    pub host: String,
    /// From the `/` on.
    pub path: String,
}

impl fmt::Display for Target {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Tcp(address) => write!(out, "tcp:{address}"),
            Target::Unix(path) => write!(out, "unix:{}", path.display()),
            Target::Http(Http { host, path, .. }) => write!(out, "http://{host}{path}"),
            Target::Exec(words) => {
                let program = words.first().map(Vec::as_slice).unwrap_or_default();
                write!(out, "{}", String::from_utf8_lossy(program))
            }
            Target::Hook => out.write_str("healthcheck()"),
            Target::Memory(_) => out.write_str("memory"),
        }
    }
}

/// What there is to write.
const FORMS: &str = "tcp:[HOST:]PORT, unix:/path, http://HOST[:PORT]/path or exec:COMMAND";

impl Target {
    /// Parses `tcp:[HOST:]PORT`, `unix:/path`, `http://HOST[:PORT]/path` or `exec:COMMAND`.
    ///
    /// # Errors
    /// The words for what would be right.
    pub fn parse(text: &[u8]) -> Result<Target, String> {
        if let Some(path) = text.strip_prefix(b"unix:") {
            if !path.starts_with(b"/") || path.len() > LONGEST_PATH || path.contains(&0) {
                return Err(format!(
                    "unix: and an absolute path of at most {LONGEST_PATH} bytes"
                ));
            }
            return Ok(Target::Unix(OsStr::from_bytes(path).into()));
        }
        if let Some(line) = text.strip_prefix(b"exec:") {
            let words = words::split(line)?;
            return match words.first() {
                Some(program) if program.starts_with(b"/") => Ok(Target::Exec(words)),
                _ => Err("exec: and a command whose program is an absolute path".into()),
            };
        }
        let text = std::str::from_utf8(text).unwrap_or_default();
        if let Some(place) = text.strip_prefix("tcp:") {
            return address(place, None).map(Target::Tcp);
        }
        if let Some(url) = text.strip_prefix("http://") {
            return http(url).map(Target::Http);
        }
        Err(FORMS.into())
    }

    /// The same where the word `other` could stand as well.
    ///
    /// # Errors
    /// As [`Target::parse`], and the word where nothing else fits.
    pub fn parse_or(other: &str, text: &[u8]) -> Result<Target, String> {
        Target::parse(text).map_err(|wanted| match wanted == FORMS {
            true => format!("{other}, {wanted}"),
            false => wanted,
        })
    }
}

fn http(url: &str) -> Result<Http, String> {
    let (place, path) = match url.find('/') {
        Some(at) => url.split_at(at),
        None => (url, "/"),
    };
    if !path.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("a URL without blanks, others than ASCII written as %XX".into());
    }
    Ok(Http {
        address: address(place, Some(HTTP_PORT))?,
        host: place.to_string(),
        path: path.to_string(),
    })
}

/// `HOST:PORT`, `[IPv6]:PORT`; without `default_port` also `PORT`, with it also `HOST`.
fn address(place: &str, default_port: Option<u16>) -> Result<SocketAddr, String> {
    let wanted = || {
        "an address such as 127.0.0.1:80, [::1]:80 or localhost:80; no name, because whoever looks \
         must not wait for a name service"
            .to_string()
    };
    let port = |text: &str| text.parse::<u16>().ok().filter(|port| *port != 0);
    let local = IpAddr::V4(Ipv4Addr::LOCALHOST);
    if let (Some(port), None) = (port(place), default_port) {
        return Ok(SocketAddr::new(local, port));
    }
    let host = |text: &str| match text.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']')?.parse().ok().map(IpAddr::V6),
        None if text == "localhost" => Some(local),
        None => text.parse().ok().map(IpAddr::V4),
    };
    if let (Some(host), Some(port)) = (host(place), default_port) {
        return Ok(SocketAddr::new(host, port));
    }
    let (name, number) = place.rsplit_once(':').ok_or_else(wanted)?;
    match (host(name), port(number)) {
        (Some(host), Some(port)) => Ok(SocketAddr::new(host, port)),
        _ => Err(wanted()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Target {
        Target::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn each_kind_is_known() {
        assert_eq!(
            parsed("tcp:80"),
            Target::Tcp("127.0.0.1:80".parse().unwrap())
        );
        assert_eq!(
            parsed("tcp:10.0.0.1:80"),
            Target::Tcp("10.0.0.1:80".parse().unwrap())
        );
        assert_eq!(
            parsed("tcp:[::1]:80"),
            Target::Tcp("[::1]:80".parse().unwrap())
        );
        assert_eq!(parsed("tcp:localhost:80"), parsed("tcp:80"));
        assert_eq!(parsed("unix:/run/x y"), Target::Unix("/run/x y".into()));
        let words = [&b"/bin/x"[..], b"a b"].map(<[u8]>::to_vec).to_vec();
        assert_eq!(parsed("exec:/bin/x 'a b'"), Target::Exec(words));
        let http = |address: &str, host: &str, path: &str| {
            let (address, host, path) = (address.parse().unwrap(), host.into(), path.into());
            Target::Http(Http {
                address,
                host,
                path,
            })
        };
        assert_eq!(parsed("http://[::1]"), http("[::1]:80", "[::1]", "/"));
        let full = http("127.0.0.1:8080", "localhost:8080", "/a?b=c");
        assert_eq!(parsed("http://localhost:8080/a?b=c"), full);
    }

    #[test]
    fn what_is_none_is_refused() {
        for text in [
            "",
            "tcp:",
            "tcp:0",
            "tcp:65536",
            "tcp:example.org:80",
            "tcp:::1:80",
            "tcp:[::1",
            "udp:5",
            "unix:run",
            "unix:",
            "exec:",
            "exec:ls",
            "exec:/bin/x 'a",
            "https://127.0.0.1/",
            "http://127.0.0.1:0/",
            "http://127.0.0.1/a b",
            "http:///x",
            "http://example.org/",
        ] {
            assert!(Target::parse(text.as_bytes()).is_err(), "{text}");
        }
    }
}
