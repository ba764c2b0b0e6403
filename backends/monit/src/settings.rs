//! Where this machine's monit is: `[modules.monit]` of rc-sv.toml.

use crate::client::http::Address;
use crate::client::Client;
use rc_sv_api::{Code, Error, Result, Settings};
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

/// Where this package is installed; compiled in.
const PREFIX: &str = match option_env!("RC_SV_PREFIX") {
    Some(prefix) => prefix,
    None => "/usr/local",
};

/// rc-sv-exec, which monit executes, and this module.
pub fn exec() -> String {
    format!("{PREFIX}/libexec/rc-sv/rc-sv-exec")
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
    pub fn from_settings(section: &dyn Settings) -> Result<Monit> {
        if let Some(unknown) = section.keys().into_iter().find(|key| !KEYS.contains(key)) {
            return Err(wrong(
                unknown,
                &format!("is unknown; there are {}", KEYS.join(", ")),
            ));
        }
        let address = match text(section, "address")? {
            None => Address::Unix(path(section, "socket", SOCKET)?),
            Some(_) if section.text("socket").is_some() => {
                return Err(wrong("address", "and socket are both set; leave one out"));
            }
            Some(text) => Address::Tcp(local(&text)?),
        };
        let credentials = match (text(section, "user")?, text(section, "password")?) {
            (None, None) => None,
            (Some(user), Some(password)) => Some(format!("{user}:{password}")),
            (Some(_), None) => return Err(wrong("user", "needs a password too")),
            (None, Some(_)) => return Err(wrong("password", "needs a user too")),
        };
        Ok(Monit {
            client: Client::new(address, credentials.as_deref()),
            is_password_known: credentials.as_deref() == Some(EXAMPLE),
            include: path(section, "include", INCLUDE)?,
            files: path(section, "files", FILES)?,
            program: section
                .text("program")
                .map(|_| path(section, "program", ""))
                .transpose()?,
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

fn text(section: &dyn Settings, key: &str) -> Result<Option<String>> {
    match section.text(key) {
        None if section.keys().contains(&key) => Err(wrong(key, "must be a text")),
        None => Ok(None),
        Some(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => Ok(Some(text.to_string())),
            Err(_) => Err(wrong(key, "must be UTF-8")),
        },
    }
}

fn path(section: &dyn Settings, key: &str, default: &str) -> Result<PathBuf> {
    let path = PathBuf::from(text(section, key)?.unwrap_or_else(|| default.to_string()));
    if !path.is_absolute() || path.components().any(|part| part.as_os_str() == "..") {
        return Err(wrong(key, "must be an absolute path"));
    }
    Ok(path)
}

/// A password goes over it in clear text.
fn local(text: &str) -> Result<SocketAddr> {
    match text.parse::<SocketAddr>() {
        Ok(address) if address.ip().is_loopback() => Ok(address),
        _ => Err(wrong(
            "address",
            "must be ADDRESS:PORT of this machine, such as 127.0.0.1:2812",
        )),
    }
}

fn wrong(key: &str, what: &str) -> Error {
    Error::invalid(format!("rc-sv.toml: [modules.monit] {key} {what}"))
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
