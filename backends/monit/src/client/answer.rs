//! What monit says of itself and its services: `GET /_status2?format=xml` of monit 5.25 to 6.0
//! (src/http/xml.c of monit).
//!
//! The encoding is ISO-8859-1, and up to 5.35 names are written as they are: `a&b` is no mistake of
//! whoever configured it, and must not hide the other services.

use super::service::Service;
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

    /// How many control files it includes at most; one more ends it.
    pub fn most_files(&self) -> u64 {
        match self.release() {
            Some(release) if release < (5, 30) => 512,
            _ => 1024,
        }
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
                Err(cause) => {
                    let what = plain(&cause.to_string());
                    return Err(format!("monit's status is no XML: {what}"));
                }
                Ok(Event::Eof) if begun && place.is_empty() => return Ok(monit),
                Ok(Event::Eof) => return Err("monit's status breaks off".to_string()),
                Ok(Event::DocType(_)) => return Err("monit's status has a DTD".to_string()),
                Ok(Event::Start(tag)) => {
                    place.push(name_of(&tag));
                    begun = true;
                    if place[0] != "monit" {
                        let what = plain(&place[0]);
                        return Err(format!("this is no status of monit, but <{what}>"));
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

/// monit's own answers are six deep.
const DEPTH_MAX: usize = 32;

/// The most characters of somebody else's words in a message.
const WORDS_MAX: usize = 120;

/// Words of others, in one short line.
fn plain(text: &str) -> String {
    let line = text.replace(char::is_control, "?");
    line.chars().take(WORDS_MAX).collect()
}

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
    use crate::client::service::{PROCESS, PROGRAM};
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
