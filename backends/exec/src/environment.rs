//! A list of `NAME=value`.

use rc_sv_api::{Error, Result, Settings};

/// An environment in the making. Order is kept; a name occurs once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Environment(Vec<Vec<u8>>);

impl Environment {
    /// The captured environment of a spec; of a repeated name the last one counts, as with
    /// putenv(3).
    ///
    /// # Errors
    /// [`rc_sv_api::Code::Invalid`]: a string that is none.
    pub(crate) fn from_settings(spec: &dyn Settings) -> Result<Environment> {
        let mut environment = Environment::default();
        for variable in spec.list("environment").unwrap_or_default() {
            let (name, value) = split(variable).ok_or_else(|| {
                let text = String::from_utf8_lossy(variable);
                Error::invalid(format!("environment={text:?}: must be NAME=value"))
            })?;
            environment.set(name, value);
        }
        Ok(environment)
    }

    /// The value of `name`.
    pub(crate) fn get(&self, name: &[u8]) -> Option<&[u8]> {
        let variables = self.0.iter().filter_map(|variable| split(variable));
        variables
            .filter(|(known, _)| *known == name)
            .map(|(_, value)| value)
            .next()
    }

    /// Sets `name`, where it is or at the end.
    pub(crate) fn set(&mut self, name: &[u8], value: &[u8]) {
        let variable = [name, b"=", value].concat();
        match self.position(name) {
            Some(index) => self.0[index] = variable,
            None => self.0.push(variable),
        }
    }

    /// The strings.
    pub(crate) fn into_list(self) -> Vec<Vec<u8>> {
        self.0
    }

    fn position(&self, name: &[u8]) -> Option<usize> {
        self.0
            .iter()
            .position(|known| split(known).is_some_and(|(known, _)| known == name))
    }
}

/// Name and value of `NAME=value`; `None` when there is no name or no `=`.
pub(crate) fn split(variable: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = variable.iter().position(|byte| *byte == b'=')?;
    (end > 0).then(|| (&variable[..end], &variable[end + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rc_sv_api::{Spec, Value};

    fn environment(list: &[&[u8]]) -> Result<Environment> {
        let mut spec = Spec::default();
        let list = list.iter().map(|variable| variable.to_vec()).collect();
        spec.put("environment", Value::List(list));
        Environment::from_settings(spec.settings())
    }

    #[test]
    fn the_last_of_a_name_counts() {
        let mut environment = environment(&[b"A=1", b"B=x=y", b"A=2", b"C="]).unwrap();
        assert_eq!(environment.get(b"A"), Some(&b"2"[..]));
        assert_eq!(environment.get(b"B"), Some(&b"x=y"[..]));
        environment.set(b"D", b"\xff\n");
        environment.set(b"B", b"");
        let expected: [&[u8]; 4] = [b"A=2", b"B=", b"C=", b"D=\xff\n"];
        assert_eq!(environment.into_list(), expected);
    }

    #[test]
    fn what_is_no_variable_is_named() {
        for variable in ["=x", "A"] {
            let error = environment(&[variable.as_bytes()]).unwrap_err();
            assert_eq!(
                error.message,
                format!("environment={variable:?}: must be NAME=value")
            );
        }
    }
}
