//! What monit says of itself and its services: `GET /_status2?format=xml` of monit 5.25 to 6.0
//! (src/http/xml.c of monit).
//!
//! The encoding is ISO-8859-1, and up to 5.35 names are written as they are: `a&b` is no mistake of
//! whoever configured it, and must not hide the other services.

use quick_xml::events::{BytesStart, Event};
use quick_xml::Reader;

/// A monit that runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Monit {
    /// Its version, as it writes it.
    pub version: String,
    /// When it read its control file last: seconds since 1970.
    pub incarnation: u64,
    /// Seconds between two looks at the services.
    pub poll: u32,
    /// Seconds that it waits before the first.
    pub start_delay: u32,
    /// Its main control file.
    pub control_file: String,
    /// Whatever it checks.
    pub services: Vec<Service>,
    /// Groups, each with the names of its services.
    pub groups: Vec<(String, Vec<String>)>,
}

/// One thing that monit checks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Service {
    /// Its name; monit compares names without regard to case.
    pub name: String,
    /// What it is: [`PROCESS`], [`PROGRAM`], or something else.
    pub kind: u32,
    /// What is wrong: the bits of [`fault`]. Not remembered over `unmonitor`.
    pub status: u64,
    /// Whether it is watched: 0 no, else bits 1 yes, 2 beginning to, 4 waiting for its turn.
    pub monitor: u32,
    /// The action that was asked for and is not finished: 0 none, else of [`pending`].
    pub pending: u32,
    /// When it was looked at last: seconds since 1970.
    pub collected: u64,
    /// Its process, while it is watched and was found.
    pub pid: Option<i32>,
    /// For how many seconds that process has been up.
    pub uptime: Option<u64>,
}

/// `check process`.
pub const PROCESS: u32 = 3;
/// `check program`.
pub const PROGRAM: u32 = 7;

/// Bits of [`Service::status`] with their words.
pub const FAULTS: [(u64, &str); 10] = [
    (0x2, "uses too much"),
    (0x4, "was restarted too often"),
    (0x20, "a connection failed"),
    (0x200, "does not exist"),
    (0x400, "is no process"),
    (0x1000, "could not be started"),
    (0x40000, "its pid changed"),
    (0x80000, "its parent changed"),
    (0x200000, "a check failed"),
    (0x400000, "its uptime is out of bounds"),
];

/// Actions of [`Service::pending`] (`Action_Type` of src/monit.h).
pub mod pending {
    /// It is being restarted.
    pub const RESTART: u32 = 2;
    /// It is being stopped.
    pub const STOP: u32 = 3;
    /// It is being started.
    pub const START: u32 = 6;
    /// It is about to be watched.
    pub const MONITOR: u32 = 7;
}

impl Monit {
    /// The service called `name`, by monit's idea of equal names.
    pub fn service(&self, name: &str) -> Option<&Service> {
        self.services
            .iter()
            .find(|service| service.name.eq_ignore_ascii_case(name))
    }

    /// The names of the services in `group`.
    pub fn group(&self, group: &str) -> &[String] {
        self.groups
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(group))
            .map(|(_, names)| names.as_slice())
            .unwrap_or_default()
    }

    /// Major and minor of the version.
    pub fn release(&self) -> Option<(u32, u32)> {
        let mut parts = self.version.split('.').map(str::parse);
        Some((parts.next()?.ok()?, parts.next()?.ok()?))
    }

    /// Reads an answer.
    ///
    /// # Errors
    /// It is not monit's, or only a part of it; in words.
    pub fn parse(body: &[u8]) -> Result<Monit, String> {
        // One byte is one character.
        let text: String = body.iter().copied().map(char::from).collect();
        let mut reader = Reader::from_str(&text);
        reader.config_mut().allow_dangling_amp = true;
        reader.config_mut().check_end_names = true;
        let mut monit = Monit::default();
        let mut place: Vec<String> = Vec::new();
        let mut begun = false;
        loop {
            match reader.read_event() {
                Err(cause) => return Err(format!("monit's status is no XML: {cause}")),
                Ok(Event::Eof) if begun && place.is_empty() => return Ok(monit),
                Ok(Event::Eof) => return Err("monit's status breaks off".to_string()),
                Ok(Event::DocType(_)) => return Err("monit's status has a DTD".to_string()),
                Ok(Event::Start(tag)) => {
                    place.push(name_of(&tag));
                    begun = true;
                    if place[0] != "monit" {
                        return Err(format!("this is no status of monit, but <{}>", place[0]));
                    }
                    if place.len() > DEPTH_MAX {
                        return Err("monit's status is too deep".to_string());
                    }
                    monit.enter(&place, &tag);
                }
                Ok(Event::End(_)) => {
                    place.pop();
                }
                Ok(Event::Text(text)) => monit.take(&place, &String::from_utf8_lossy(&text)),
                Ok(Event::CData(text)) => monit.take(&place, &String::from_utf8_lossy(&text)),
                Ok(_) => {}
            }
        }
    }

    fn enter(&mut self, place: &[String], tag: &BytesStart<'_>) {
        let of = |name| attribute(tag, name).unwrap_or_default();
        match words(place).as_slice() {
            ["monit"] => {
                self.version = of("version");
                self.incarnation = of("incarnation").parse().unwrap_or(0);
            }
            ["monit", "services", "service"] => self.services.push(Service {
                name: of("name"),
                ..Service::default()
            }),
            ["monit", "servicegroups", "servicegroup"] => {
                self.groups.push((of("name"), Vec::new()));
            }
            _ => {}
        }
    }

    fn take(&mut self, place: &[String], text: &str) {
        match words(place).as_slice() {
            ["monit", "server", field] => self.take_server(field, text),
            ["monit", "services", "service", field] => {
                if let Some(service) = self.services.last_mut() {
                    service.take(field, text);
                }
            }
            ["monit", "servicegroups", "servicegroup", "service"] => {
                if let Some((_, names)) = self.groups.last_mut() {
                    names.push(text.to_string());
                }
            }
            ["monit", "servicegroups", "servicegroup", "name"] => {
                if let Some((name, _)) = self.groups.last_mut() {
                    name.push_str(text);
                }
            }
            _ => {}
        }
    }

    fn take_server(&mut self, field: &str, text: &str) {
        match field {
            "poll" => self.poll = text.parse().unwrap_or(0),
            "startdelay" => self.start_delay = text.parse().unwrap_or(0),
            "controlfile" => self.control_file.push_str(text),
            // Where these are no attributes.
            "version" => self.version.push_str(text),
            "incarnation" => self.incarnation = text.parse().unwrap_or(0),
            _ => {}
        }
    }
}

/// The start program on monit's page of a service (`print_service_rules_...` and
/// `do_service` of src/http/cervlet.c): a row of a table.
pub fn start_program(page: &str) -> Option<String> {
    let row = page.split("<td>Start program</td>").nth(1)?;
    let cell = row.split("<td>").nth(1)?.split("</td>").next()?;
    let text = cell.split('<').next()?;
    // How much of it is not shown to be a number of seconds.
    let command = text
        .rsplit_once(" timeout ")
        .map_or(text, |(command, _)| command);
    let plain = command
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&");
    Some(plain.trim().trim_matches('\'').to_string())
}

impl Service {
    /// Whether monit watches it.
    pub fn is_watched(&self) -> bool {
        self.monitor != 0
    }

    /// What is wrong with it, in words; empty when nothing is.
    pub fn faults(&self) -> String {
        let words = FAULTS
            .iter()
            .filter(|(bit, _)| self.status & bit != 0)
            .map(|(_, words)| *words);
        words.collect::<Vec<_>>().join(", ")
    }

    fn take(&mut self, field: &str, text: &str) {
        match field {
            "name" => self.name.push_str(text),
            "type" => self.kind = text.parse().unwrap_or(0),
            "status" => self.status = text.parse().unwrap_or(0),
            "monitor" => self.monitor = text.parse().unwrap_or(0),
            "pendingaction" => self.pending = text.parse().unwrap_or(0),
            "collected_sec" => self.collected = text.parse().unwrap_or(0),
            "pid" => self.pid = text.parse().ok().filter(|pid| *pid > 0),
            "uptime" => self.uptime = text.parse().ok(),
            _ => {}
        }
    }
}

/// monit's own answers are six deep.
const DEPTH_MAX: usize = 32;

fn words(place: &[String]) -> Vec<&str> {
    place.iter().map(String::as_str).collect()
}

fn name_of(tag: &BytesStart<'_>) -> String {
    String::from_utf8_lossy(tag.name().as_ref()).into_owned()
}

/// An attribute as it stands there: what monit writes is not escaped.
fn attribute(tag: &BytesStart<'_>, name: &str) -> Option<String> {
    tag.attributes()
        .with_checks(false)
        .filter_map(Result::ok)
        .find(|attribute| attribute.key.as_ref() == name.as_bytes())
        .map(|attribute| String::from_utf8_lossy(&attribute.value).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Verbatim, but for what is left out.
    const OF_5_33: &str = concat!(
        r#"<?xml version="1.0" encoding="ISO-8859-1"?>"#,
        r#"<monit id="33f1f9" incarnation="1795356946" version="5.33.0"><server><uptime>3</uptime>"#,
        r#"<poll>1</poll><startdelay>0</startdelay><localhostname>vm</localhostname>"#,
        r#"<controlfile>/etc/monitrc</controlfile></server><platform><name>Linux</name></platform>"#,
        r#"<services><service name="foo"><type>3</type><collected_sec>1795356948</collected_sec>"#,
        r#"<status>0</status><monitor>5</monitor><pendingaction>0</pendingaction>"#,
        r#"<every><type>2</type></every><pid>16743</pid><uptime>2</uptime>"#,
        r#"<port><type>TCP</type><request><![CDATA[]]></request></port></service>"#,
        r#"<service name="a&b"><type>3</type><status>4608</status><monitor>1</monitor></service>"#,
        r#"<service name="prog"><type>7</type><status>2097152</status><program><status>2</status>"#,
        r#"<output><![CDATA[<oops>&]]></output></program></service></services>"#,
        r#"<servicegroups><servicegroup name="rcsv.foo.3f9a"><service>foo</service>"#,
        r#"</servicegroup></servicegroups></monit>"#,
    );

    #[test]
    fn an_answer_of_5_33_is_read_with_names_that_are_not_escaped() {
        let monit = Monit::parse(OF_5_33.as_bytes()).unwrap();
        assert_eq!(monit.release(), Some((5, 33)));
        assert_eq!((monit.incarnation, monit.poll), (1_795_356_946, 1));
        assert_eq!(monit.control_file, "/etc/monitrc");
        let foo = monit.service("FOO").unwrap();
        assert_eq!(
            (foo.kind, foo.pid, foo.uptime),
            (PROCESS, Some(16743), Some(2))
        );
        assert!(foo.is_watched() && foo.faults().is_empty());
        let other = monit.service("a&b").unwrap();
        assert_eq!(other.faults(), "does not exist, could not be started");
        assert_eq!(other.pid, None);
        assert_eq!(monit.service("prog").unwrap().kind, PROGRAM);
        assert_eq!(monit.group("rcsv.foo.3f9a"), ["foo"]);
        assert!(monit.group("rcsv").is_empty());
    }

    #[test]
    fn an_answer_of_6_0_has_its_names_in_elements() {
        let text = OF_5_33.replace(
            r#"<service name="foo">"#,
            "<service><name><![CDATA[foo]]></name>",
        );
        let monit = Monit::parse(text.as_bytes()).unwrap();
        assert_eq!(monit.service("foo").unwrap().pid, Some(16743));
    }

    #[test]
    fn bytes_above_ascii_are_characters_of_latin_1() {
        let mut bytes = OF_5_33.as_bytes().to_vec();
        let at = OF_5_33.find("prog").unwrap();
        bytes[at] = 0xe9;
        assert!(Monit::parse(&bytes).unwrap().service("érog").is_some());
    }

    #[test]
    fn what_is_no_whole_answer_is_refused() {
        let refused = |bytes: &[u8]| Monit::parse(bytes).unwrap_err();
        assert_eq!(refused(b""), "monit's status breaks off");
        assert_eq!(
            refused(b"<html></html>"),
            "this is no status of monit, but <html>"
        );
        assert_eq!(
            refused(b"<!DOCTYPE monit [<!ENTITY a 'aaaa'>]><monit>&a;</monit>"),
            "monit's status has a DTD"
        );
        let deep = "<monit>".repeat(1000);
        assert_eq!(refused(deep.as_bytes()), "monit's status is too deep");
        for length in 1..OF_5_33.len() {
            assert!(
                Monit::parse(&OF_5_33.as_bytes()[..length]).is_err(),
                "{length}"
            );
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = Monit::parse(&bytes);
            let mut damaged = OF_5_33.as_bytes().to_vec();
            for (place, byte) in damaged.iter_mut().step_by(7).zip(&bytes) {
                *place = *byte;
            }
            let _ = Monit::parse(&damaged);
        }
    }
}
