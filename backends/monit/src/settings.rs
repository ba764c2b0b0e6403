//! Where this machine's monit is: `[modules.monit]` of rc-sv.toml.

use crate::client::http::Address;
use crate::client::Client;
use rc_sv_api::{Code, Error, Result, Section, Settings};
use rc_sv_exec::suite;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// The settings of the module.
#[derive(Clone, Debug)]
pub struct Monit {
    /// The way to it.
    pub client: Client,
    /// Where control files are put; monit includes `*.monitrc` of it.
    pub include: PathBuf,
    /// Where control files of `rc_monit_type=file` are given.
    pub files: PathBuf,
    /// Whether its password is that of monit's manual.
    pub is_password_known: bool,
    /// The program, only ever run to check a control file.
    program: Option<PathBuf>,
}

const SOCKET: &str = "/run/monit.sock";
const INCLUDE: &str = "/run/openrc-monit";
/// The credentials of monit's manual.
const EXAMPLE: &str = "admin:monit";
const FILES: &str = "/etc/conf.d/monit-files";
const KEYS: [&str; 7] = [
    "socket", "address", "user", "password", "include", "files", "program",
];

impl Monit {
    /// Reads the section.
    ///
    /// # Errors
    /// [`Code::Invalid`]: an unknown key, or a value that does not fit.
    pub fn from_settings(settings: &dyn Settings) -> Result<Monit> {
        let section = Section::new("monit", settings);
        section.check(&KEYS)?;
        let path = |key, default: &str| Ok(section.path(key)?.unwrap_or_else(|| default.into()));
        let address = match text(&section, "address")? {
            None => Address::Unix(path("socket", SOCKET)?),
            Some(_) if settings.text("socket").is_some() => {
                return Err(section.wrong("address", "and socket are both set; leave one out"));
            }
            Some(text) => Address::Tcp(local(&text).ok_or_else(|| {
                section.wrong(
                    "address",
                    "must be ADDRESS:PORT of this machine, such as 127.0.0.1:2812",
                )
            })?),
        };
        let credentials = match (text(&section, "user")?, text(&section, "password")?) {
            (None, None) => None,
            (Some(user), Some(password)) => Some(format!("{user}:{password}")),
            (Some(_), None) => return Err(section.wrong("user", "needs a password too")),
            (None, Some(_)) => return Err(section.wrong("password", "needs a user too")),
        };
        Ok(Monit {
            client: Client::new(address, credentials.as_deref()),
            is_password_known: credentials.as_deref() == Some(EXAMPLE),
            include: path("include", INCLUDE)?,
            files: path("files", FILES)?,
            program: section.path("program")?,
        })
    }

    /// monit's program.
    ///
    /// # Errors
    /// [`Code::Unavailable`]: it is not installed.
    pub fn program(&self) -> Result<PathBuf> {
        let found = self.program.clone().or_else(|| suite::find("monit"));
        found.filter(|path| path.is_file()).ok_or_else(|| {
            let what = match &self.program {
                Some(path) => format!("there is no {}", path.display()),
                None => "monit is not installed".to_string(),
            };
            Error::new(Code::Unavailable, what)
        })
    }
}

fn text(section: &Section<'_>, key: &str) -> Result<Option<String>> {
    let utf8 = |bytes: &[u8]| {
        let text = std::str::from_utf8(bytes);
        text.map(str::to_string)
            .map_err(|_| section.wrong(key, "must be UTF-8"))
    };
    section.text(key)?.map(utf8).transpose()
}

/// A password goes over it in clear text.
fn local(text: &str) -> Option<SocketAddr> {
    let address = text.parse::<SocketAddr>().ok();
    address.filter(|address| address.ip().is_loopback())
}

/// What names of control files in the include directory end with.
pub const SUFFIX: &str = ".monitrc";

/// The name of the control file of `service` in the include directory.
pub fn file_name(service: &str) -> String {
    format!("{service}{SUFFIX}")
}

/// The same with its path.
pub fn file_path(include: &Path, service: &str) -> PathBuf {
    include.join(file_name(service))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rc_sv_api::{Spec, Value};

    fn section(entries: &[(&str, &str)]) -> Spec {
        let mut spec = Spec::default();
        for (key, value) in entries {
            spec.put(key, Value::Text(value.as_bytes().to_vec()));
        }
        spec
    }

    fn refused(entries: &[(&str, &str)]) -> String {
        Monit::from_settings(&section(entries)).unwrap_err().message
    }

    #[test]
    fn an_empty_section_is_the_setup_of_the_manual() {
        let monit = Monit::from_settings(&section(&[])).unwrap();
        assert_eq!(monit.include, Path::new(INCLUDE));
        assert_eq!(monit.files, Path::new(FILES));
    }

    #[test]
    fn what_does_not_fit_is_named() {
        assert!(refused(&[("sockte", "/x")]).contains("[modules.monit] sockte is unknown"));
        assert!(refused(&[("socket", "monit.sock")]).contains("absolute path"));
        assert!(refused(&[("include", "/run/../etc")]).contains("absolute path"));
        assert!(refused(&[("address", "192.0.2.1:2812")]).contains("of this machine"));
        assert!(refused(&[("user", "admin")]).contains("password too"));
        let both = [("address", "127.0.0.1:2812"), ("socket", "/x")];
        assert!(refused(&both).contains("both set"));
    }
}
