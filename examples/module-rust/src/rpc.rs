//! supervisord's XML-RPC interface, over its socket. Reading and writing are pure.

use rc_sv_api::{Code, Error, Result};
use std::collections::BTreeMap;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

/// supervisord's fault for a program that it does not have.
pub const BAD_NAME: i64 = 10;
/// Its fault for one that cannot be executed, or has ended at once.
pub const SPAWN_ERROR: i64 = 50;
/// Its fault for one that is down already.
pub const NOT_RUNNING: i64 = 70;
/// The program has not ended yet, or supervisord does not know.
pub const STILL_RUNNING: i64 = 91;

/// Longer answers are cut: about 5,000 programs.
const LONGEST: u64 = 4 << 20;

/// What it answered.
#[derive(Debug, PartialEq)]
pub enum Answer {
    /// The structs of the value; none for a plain one.
    Value(Vec<Fields>),
    /// Number and text of a fault.
    Fault(i64, String),
}

impl Answer {
    /// The value.
    ///
    /// # Errors
    /// supervisord said no.
    pub fn value(self) -> Result<Vec<Fields>> {
        let why = match self {
            Answer::Value(value) => return Ok(value),
            Answer::Fault(SPAWN_ERROR, _) => "cannot be executed, or exited too quickly".into(),
            Answer::Fault(_, text) => format!("supervisord: {text}"),
        };
        Err(Error::new(Code::Failed, why))
    }
}

/// The members of one struct, as texts.
#[derive(Debug, Default, PartialEq)]
pub struct Fields(BTreeMap<String, String>);

impl Fields {
    #[cfg(test)]
    pub fn of(fields: &[(&str, &str)]) -> Fields {
        let owned = |(name, value): &(&str, &str)| (name.to_string(), value.to_string());
        Fields(fields.iter().map(owned).collect())
    }

    /// A text; empty when there is none.
    pub fn text(&self, name: &str) -> String {
        self.0.get(name).cloned().unwrap_or_default()
    }

    /// A number.
    pub fn number(&self, name: &str) -> Option<i64> {
        self.0.get(name)?.parse().ok()
    }
}

/// Calls `supervisor.METHOD` and waits for the answer.
///
/// # Errors
/// Nobody listens, the time-out passed, or the answer is none.
pub fn call(socket: &Path, method: &str, arguments: &[&str], timeout: Duration) -> Result<Answer> {
    let shown = socket.display();
    let failed = |error: std::io::Error| match error.kind() {
        ErrorKind::NotFound | ErrorKind::ConnectionRefused => {
            let what =
                format!("no supervisord listens at {shown}; start it, or install supervisor");
            Error::new(Code::NotRunning, what)
        }
        ErrorKind::WouldBlock | ErrorKind::TimedOut => {
            let what = format!("supervisord has not answered {method} for {timeout:?}");
            Error::new(Code::Timeout, what)
        }
        _ => Error::io(&shown, &error),
    };
    let deadline = Instant::now() + timeout;
    let mut stream = UnixStream::connect(socket).map_err(failed)?;
    stream.set_write_timeout(Some(timeout)).map_err(failed)?;
    stream
        .write_all(request(method, arguments).as_bytes())
        .map_err(failed)?;
    let mut bytes = Vec::new();
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        stream
            .set_read_timeout(Some(left.max(Duration::from_millis(1))))
            .map_err(failed)?;
        let mut part = [0; 4096];
        match stream.read(&mut part) {
            Ok(0) => break,
            Ok(count) => bytes.extend_from_slice(&part[..count]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(failed(error)),
        }
        if bytes.len() as u64 > LONGEST {
            break;
        }
    }
    let not_understood = || {
        let what = format!("supervisord's answer to {method} was not understood");
        Error::new(Code::Protocol, what)
    };
    answer(&String::from_utf8_lossy(&bytes)).ok_or_else(not_understood)
}

/// A whole request: version 1.0, so that the connection ends with the answer.
fn request(method: &str, arguments: &[&str]) -> String {
    let parameter = |text: &&str| {
        let text = text.replace('&', "&amp;").replace('<', "&lt;");
        format!("<param><value><string>{text}</string></value></param>")
    };
    let parameters: String = arguments.iter().map(parameter).collect();
    let body = format!(
        "<?xml version='1.0'?><methodCall><methodName>supervisor.{method}</methodName>\
         <params>{parameters}</params></methodCall>"
    );
    let length = body.len();
    format!(
        "POST /RPC2 HTTP/1.0\r\nContent-Type: text/xml\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}

/// What a whole response says.
fn answer(response: &str) -> Option<Answer> {
    let (head, body) = response.split_once("\r\n\r\n")?;
    if head.split(' ').nth(1) != Some("200") || !body.contains("</methodResponse>") {
        return None;
    }
    let mut structs = body.split("</struct>").map(fields).collect::<Vec<_>>();
    structs.pop();
    if !body.contains("<fault>") {
        return Some(Answer::Value(structs));
    }
    let fault = structs.first()?;
    Some(Answer::Fault(
        fault.number("faultCode")?,
        fault.text("faultString"),
    ))
}

/// The members in a piece of XML: `<name>NAME</name> <value><TYPE>VALUE</TYPE></value>`.
fn fields(xml: &str) -> Fields {
    let member = |part: &str| {
        let (name, rest) = part.split_once("</name>")?;
        let (_, value) = rest.split_once("<value><")?;
        let (_, value) = value.split_once('>')?;
        let (value, _) = value.split_once("</").unwrap_or_default();
        Some((name.to_string(), plain(value)))
    };
    Fields(xml.split("<name>").skip(1).filter_map(member).collect())
}

fn plain(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "HTTP/1.0 200 OK\r\nContent-Type: text/xml\r\n\r\n";

    fn member(name: &str, value: &str) -> String {
        format!("<member>\n<name>{name}</name>\n<value>{value}</value>\n</member>\n")
    }

    #[test]
    fn structs_become_fields() {
        let one = member("pid", "<int>42</int>") + &member("spawnerr", "<string></string>");
        let two = member("spawnerr", "<string>no &lt;such&gt; &amp; file</string>");
        let body = format!(
            "<methodResponse><struct>{one}</struct><struct>{two}</struct></methodResponse>"
        );
        let answer = answer(&format!("{HEAD}{body}")).unwrap().value().unwrap();
        assert_eq!(answer.len(), 2);
        assert_eq!(
            (answer[0].number("pid"), answer[0].text("spawnerr")),
            (Some(42), String::new())
        );
        assert_eq!(answer[1].text("spawnerr"), "no <such> & file");
        assert_eq!(answer[1].number("pid"), None);
    }

    #[test]
    fn faults_are_errors_with_their_text() {
        let fields = member("faultCode", "<int>10</int>")
            + &member("faultString", "<string>BAD_NAME: a</string>");
        let body = format!("<methodResponse><fault><value><struct>{fields}</struct></value></fault></methodResponse>");
        let answer = answer(&format!("{HEAD}{body}")).unwrap();
        assert_eq!(answer, Answer::Fault(BAD_NAME, "BAD_NAME: a".into()));
        assert_eq!(
            answer.value().unwrap_err().message,
            "supervisord: BAD_NAME: a"
        );
    }

    #[test]
    fn half_an_answer_is_none() {
        assert_eq!(answer(&format!("{HEAD}<methodResponse><params>")), None);
        assert_eq!(
            answer("HTTP/1.0 500 Oops\r\n\r\n<methodResponse></methodResponse>"),
            None
        );
        assert_eq!(answer(""), None);
    }

    #[test]
    fn a_request_is_escaped_and_has_its_length() {
        let text = request("stopProcess", &["a<&"]);
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.ends_with(&format!("Content-Length: {}", body.len())));
        assert!(body.contains("<string>a&lt;&amp;</string>"), "{body}");
    }
}
