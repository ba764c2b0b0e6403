//! What a start is asked for: the spec before configuration files and surroundings are added.

use rc_sv_api::key::{self, Kind};
use rc_sv_api::{Error, Result, ServiceName, Spec, Value};
use std::collections::BTreeMap;

/// The arguments of the daemon, `argv[0]` first.
pub const ARGV: &str = "argv";
/// The environment of the daemon as NAME=value.
pub const ENVIRONMENT: &str = "environment";

/// A service, and what whoever starts it says of it. That goes before all configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    service: ServiceName,
    variables: bool,
    forks: bool,
    written: BTreeMap<String, Written>,
}

/// What was said of one setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Written {
    /// As an administrator writes it; empty unsets it.
    Text(Vec<u8>),
    /// Word by word.
    Words(Vec<Vec<u8>>),
}

impl Draft {
    /// A draft that names `service` only.
    pub fn new(service: ServiceName) -> Draft {
        Draft {
            service,
            variables: false,
            forks: false,
            written: BTreeMap::new(),
        }
    }

    /// The service.
    pub fn service(&self) -> &ServiceName {
        &self.service
    }

    /// Lets the variables `RCSV_*` of the process count, as the drop-in exports them.
    pub fn use_variables(&mut self) {
        self.variables = true;
    }

    /// Whether they count.
    pub fn uses_variables(&self) -> bool {
        self.variables
    }

    /// Says that the program goes into the background by itself: a module that can watch leaves
    /// the start to OpenRC.
    pub fn set_forks(&mut self) {
        self.forks = true;
    }

    /// Whether it does.
    pub fn forks(&self) -> bool {
        self.forks
    }

    /// Sets `name` to what an administrator would write; an empty value unsets it, whatever is
    /// configured.
    ///
    /// # Errors
    /// The name is unknown or cannot be set, or the value does not fit.
    pub fn set(&mut self, name: &str, value: &[u8]) -> Result<()> {
        Spec::default().set(name, value, &self.origin())?;
        let written = Written::Text(value.to_vec());
        self.written.insert(name.to_string(), written);
        Ok(())
    }

    /// Adds a word to a list: [`ARGV`], [`ENVIRONMENT`] or a setting that is a command. The first
    /// one replaces what is configured.
    ///
    /// # Errors
    /// `name` is unknown or no such list, or the word contains a NUL byte or, in the environment, no
    /// name.
    pub fn add(&mut self, name: &str, word: &[u8]) -> Result<()> {
        let is_list = match key::find(name) {
            // With the suggestion of the registry.
            None => return Spec::default().set(name, word, &self.origin()),
            Some(key) => key.kind == Kind::Command || [ARGV, ENVIRONMENT].contains(&name),
        };
        if !is_list {
            let what = format!("{}: {name} is no list of words", self.origin());
            return Err(Error::invalid(what));
        }
        if word.contains(&0) {
            let what = format!("{}: {name}: must be free of NUL bytes", self.origin());
            return Err(Error::invalid(what));
        }
        if name == ENVIRONMENT && !matches!(word.iter().position(|byte| *byte == b'='), Some(1..)) {
            // What stands there may be a secret: it is not repeated.
            let what = format!("{}: {name}: must be lines NAME=value", self.origin());
            return Err(Error::invalid(what));
        }
        match self.written.get_mut(name) {
            Some(Written::Words(words)) => words.push(word.to_vec()),
            _ => {
                let words = Written::Words(vec![word.to_vec()]);
                self.written.insert(name.to_string(), words);
            }
        }
        Ok(())
    }

    /// Everything that was said.
    pub(crate) fn written(&self) -> impl Iterator<Item = (&str, &Written)> {
        self.written.iter().map(|(name, it)| (name.as_str(), it))
    }

    /// The daemon's arguments.
    pub(crate) fn argv(&self) -> Vec<Vec<u8>> {
        self.words(ARGV).unwrap_or_default().to_vec()
    }

    /// Overrules what is configured. Neither arguments nor environment.
    pub(crate) fn apply_settings(&self, spec: &mut Spec) -> Result<()> {
        for (name, written) in &self.written {
            match written {
                Written::Text(text) => spec.set(name, text, &self.origin())?,
                Written::Words(_) if name == ARGV || name == ENVIRONMENT => {}
                Written::Words(words) => spec.put(name, Value::List(words.clone())),
            }
        }
        Ok(())
    }

    /// Overrules the environment that was captured.
    pub(crate) fn apply_environment(&self, spec: &mut Spec) {
        if let Some(words) = self.words(ENVIRONMENT) {
            spec.put(ENVIRONMENT, Value::List(words.to_vec()));
        }
    }

    fn words(&self, name: &str) -> Option<&[Vec<u8>]> {
        match self.written.get(name)? {
            Written::Words(words) => Some(words),
            Written::Text(_) => None,
        }
    }

    fn origin(&self) -> String {
        format!("spec of {}", self.service)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rc_sv_api::Settings;

    fn draft() -> Draft {
        Draft::new(ServiceName::new(b"foo").unwrap())
    }

    #[test]
    fn what_is_said_overrules_what_is_configured() {
        let mut spec = Spec::default();
        for (name, value) in [("umask", "077"), ("respawn_delay", "9")] {
            spec.set(name, value.as_bytes(), "test").unwrap();
        }
        let mut draft = draft();
        draft.set("umask", b"022").unwrap();
        draft.set("respawn_delay", b"").unwrap();
        draft.set("rc_supervise_finish", b"/bin/a b").unwrap();
        for word in [&b"/bin/c"[..], b"d e"] {
            draft.add("rc_supervise_finish", word).unwrap();
            draft.add(ARGV, word).unwrap();
        }
        draft.apply_settings(&mut spec).unwrap();
        assert_eq!(spec.int("umask"), Some(0o22));
        assert!(!spec.has("respawn_delay") && !spec.has(ARGV));
        let finish = spec.list("rc_supervise_finish").unwrap();
        assert_eq!(finish, [&b"/bin/c"[..], b"d e"]);
        assert_eq!(draft.argv().len(), 2);
        draft.add(ENVIRONMENT, b"A=b").unwrap();
        draft.apply_environment(&mut spec);
        assert_eq!(spec.list(ENVIRONMENT).unwrap(), [&b"A=b"[..]]);
    }

    #[test]
    fn complaints_name_the_spec() {
        let set = |name, value: &[u8]| draft().set(name, value).unwrap_err().message;
        let add = |name, word: &[u8]| draft().add(name, word).unwrap_err().message;
        let unknown = "spec of foo: unknown setting respawn_dealy; did you mean respawn_delay?";
        assert_eq!(set("respawn_dealy", b"1"), unknown);
        assert_eq!(add("respawn_dealy", b"1"), unknown);
        assert_eq!(set(ARGV, b"x"), "spec of foo: argv cannot be set here");
        assert_eq!(add("umask", b"1"), "spec of foo: umask is no list of words");
        let nul = "spec of foo: argv: must be free of NUL bytes";
        assert_eq!(add(ARGV, b"a\0b"), nul);
    }
}
