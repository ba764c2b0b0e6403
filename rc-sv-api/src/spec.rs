//! The spec: the whole declarative description of a service that is handed to a backend.

use crate::error::{Error, Result};
use crate::key::{self, Role};
use crate::name::ServiceName;
use crate::value::{parse, Value};
use std::collections::BTreeMap;
use std::time::Duration;

/// Read access to the settings of one service, wherever they live.
///
/// Defaults of the registry are *not* filled in: a getter answers what was set. The methods on
/// `dyn Settings` fill them in.
pub trait Settings {
    /// The text of `key`, or `None` when it is unset or no text.
    fn text(&self, key: &str) -> Option<&[u8]>;
    /// The number of `key`, or `None` when it is unset or no number.
    fn int(&self, key: &str) -> Option<i64>;
    /// The list of `key`, or `None` when it is unset or no list.
    fn list(&self, key: &str) -> Option<Vec<&[u8]>>;
    /// The names of all settings that are set, in the host's order.
    fn keys(&self) -> Vec<&str>;
}

impl<'a> dyn Settings + 'a {
    /// The name of the service.
    ///
    /// # Errors
    /// [`crate::Code::Invalid`] when it is missing or no valid name.
    pub fn service(&self) -> Result<ServiceName> {
        ServiceName::new(self.text("service").unwrap_or_default())
    }

    /// A number, or the registry's default, or `None` where there is no default.
    pub fn int_or_default(&self, name: &str) -> Option<i64> {
        self.int(name).or_else(|| match default_of(name)? {
            Value::Int(number) => Some(number),
            _ => None,
        })
    }

    /// A flag; unset ones have the registry's default, else no.
    pub fn flag(&self, name: &str) -> bool {
        self.int_or_default(name) == Some(1)
    }

    /// A duration, or the registry's default, or `None` where there is no default.
    pub fn duration(&self, name: &str) -> Option<Duration> {
        let millis = self.int_or_default(name)?;
        Some(Duration::from_millis(millis.try_into().unwrap_or(0)))
    }

    /// A text as UTF-8 with the registry's default; empty when unset and without default.
    pub fn word(&self, name: &str) -> String {
        match self.text(name) {
            Some(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            None => key::find(name)
                .map(|key| key.default.to_string())
                .unwrap_or_default(),
        }
    }

    /// An owned copy of everything that is set.
    pub fn to_spec(&self) -> Spec {
        let mut spec = Spec::default();
        for name in self.keys() {
            let value = if let Some(number) = self.int(name) {
                Value::Int(number)
            } else if let Some(list) = self.list(name) {
                Value::List(list.into_iter().map(<[u8]>::to_vec).collect())
            } else if let Some(text) = self.text(name) {
                Value::Text(text.to_vec())
            } else {
                continue;
            };
            spec.put(name, value);
        }
        spec
    }
}

/// A spec in memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spec(BTreeMap<String, Value>);

impl Spec {
    /// A spec that only names the service.
    pub fn of_service(service: &ServiceName) -> Spec {
        let mut spec = Spec::default();
        spec.put("service", Value::Text(service.as_str().into()));
        spec
    }

    /// Parses and sets one setting of an administrator. An empty value unsets it, as in a shell.
    ///
    /// # Errors
    /// [`crate::Code::Invalid`]: unknown name (with the nearest known one), a name that cannot be
    /// set, or a value that does not fit (with what would be right). `origin` says where it came
    /// from and starts the message.
    pub fn set(&mut self, name: &str, value: &[u8], origin: &str) -> Result<()> {
        let Some(key) = key::find(name) else {
            let hint = match key::nearest(name) {
                Some(near) => format!("did you mean {near}?"),
                None => "see rc-sv(5) for the settings".to_string(),
            };
            return Err(Error::invalid(format!(
                "{origin}: unknown setting {}; {hint}",
                name.escape_debug()
            )));
        };
        if key.role != Role::Setting {
            let message = format!("{origin}: {name} cannot be set here");
            return Err(Error::invalid(message));
        }
        if value.is_empty() {
            self.0.remove(name);
            return Ok(());
        }
        let parsed = parse(key, value).map_err(|wanted| {
            let shown = shorten(&String::from_utf8_lossy(value));
            Error::invalid(format!("{origin}: {name}={shown:?}: must be {wanted}"))
        })?;
        self.put(name, parsed);
        Ok(())
    }

    /// Sets a value that is already parsed.
    pub fn put(&mut self, name: &str, value: Value) {
        self.0.insert(name.to_string(), value);
    }

    /// Removes a setting.
    pub fn remove(&mut self, name: &str) {
        self.0.remove(name);
    }

    /// Whether `name` is set.
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// All names and values, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// This spec as [`Settings`].
    pub fn settings(&self) -> &dyn Settings {
        self
    }
}

impl Settings for Spec {
    fn text(&self, key: &str) -> Option<&[u8]> {
        match self.0.get(key)? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    fn int(&self, key: &str) -> Option<i64> {
        match self.0.get(key)? {
            Value::Int(number) => Some(*number),
            _ => None,
        }
    }

    fn list(&self, key: &str) -> Option<Vec<&[u8]>> {
        match self.0.get(key)? {
            Value::List(list) => Some(list.iter().map(Vec::as_slice).collect()),
            _ => None,
        }
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(String::as_str).collect()
    }
}

fn default_of(name: &str) -> Option<Value> {
    let key = key::find(name)?;
    if key.default.is_empty() {
        return None;
    }
    parse(key, key.default.as_bytes()).ok()
}

/// Long values are not worth a long line.
fn shorten(text: &str) -> String {
    const LONGEST: usize = 60;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(name: &str, value: &str) -> Result<Spec> {
        let mut spec = Spec::default();
        spec.set(name, value.as_bytes(), "conf.d/foo")?;
        Ok(spec)
    }

    #[test]
    fn an_unknown_name_stays_in_one_line() {
        let error = Spec::default().set("a\nb", b"1", "test").unwrap_err();
        assert!(error.message.starts_with("test: unknown setting a\\nb; "));
    }

    #[test]
    fn values_are_parsed_by_their_kind() {
        assert_eq!(
            set("respawn_delay", "1.5").unwrap().int("respawn_delay"),
            Some(1500)
        );
        assert_eq!(
            set("timeout_ready", "1500").unwrap().int("timeout_ready"),
            Some(1500)
        );
        assert_eq!(set("umask", "027").unwrap().int("umask"), Some(0o27));
        assert_eq!(set("stopsig", "SIGINT").unwrap().int("stopsig"), Some(2));
        assert_eq!(
            set("rc_supervise_delay_factor", "1.5")
                .unwrap()
                .iter()
                .next()
                .unwrap()
                .1,
            &Value::Int(1500)
        );
        let spec = set("rc_supervise_finish", "/bin/a 'b c'").unwrap();
        assert_eq!(
            spec.list("rc_supervise_finish").unwrap(),
            [&b"/bin/a"[..], b"b c"]
        );
    }

    #[test]
    fn complaints_say_where_what_and_what_would_be_right() {
        let message = |name, value| set(name, value).unwrap_err().message;
        assert_eq!(
            message("respawn_dealy", "1"),
            "conf.d/foo: unknown setting respawn_dealy; did you mean respawn_delay?"
        );
        assert_eq!(
            message("stopgroup", "perhaps"),
            "conf.d/foo: stopgroup=\"perhaps\": must be yes or no"
        );
        assert_eq!(
            message("directory", "var"),
            "conf.d/foo: directory=\"var\": must be an absolute path"
        );
        assert_eq!(message("argv", "x"), "conf.d/foo: argv cannot be set here");
    }

    #[test]
    fn unset_settings_have_the_default_of_the_registry() {
        let spec = Spec::default();
        let settings = spec.settings();
        assert_eq!(
            settings.duration("respawn_delay"),
            Some(Duration::from_millis(500))
        );
        assert_eq!(settings.int("respawn_delay"), None);
        assert_eq!(settings.word("rc_supervise_policy"), "always");
        assert!(!settings.flag("stopgroup"));
        assert_eq!(settings.duration("respawn_delay_step"), None);
    }

    #[test]
    fn an_empty_value_unsets() {
        let mut spec = set("umask", "022").unwrap();
        spec.set("umask", b"", "conf.d/foo").unwrap();
        assert!(!spec.has("umask"));
    }

    #[test]
    fn copies_are_equal() {
        let mut spec = set("umask", "022").unwrap();
        spec.put(
            "argv",
            Value::List(vec![b"/bin/x".to_vec(), b"\xff\n".to_vec()]),
        );
        spec.put("service", Value::Text(b"foo".to_vec()));
        assert_eq!(spec.settings().to_spec(), spec);
    }
}
