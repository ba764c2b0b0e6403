//! A TOML file as tables of settings, each with its line. Pure.

use rc_sv_api::{Error, Result};
use std::ops::Range;
use std::path::Path;
use toml::de::{DeTable, DeValue};

/// One table; the top of the file has the empty name.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Table {
    /// Its name, such as `defaults` or `modules.s6`.
    pub name: String,
    /// The line of its first mention.
    pub line: usize,
    /// Its settings.
    pub entries: Vec<Entry>,
}

/// One setting as it is written.
#[derive(Debug, PartialEq)]
pub(super) struct Entry {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: Written,
    /// Its line, from 1.
    pub line: usize,
}

/// A value as it is written.
#[derive(Debug, PartialEq)]
pub(super) enum Written {
    /// `"text"`
    Text(String),
    /// `17`
    Integer(i64),
    /// `1.5`, as written.
    Float(String),
    /// `true`
    Flag(bool),
    /// `["a", "b"]`
    Words(Vec<String>),
}

/// Takes `text`, the contents of the file `path`, apart.
///
/// # Errors
/// It is no TOML, or has values that no setting has; with file and line.
pub(super) fn parse(path: &Path, text: &str) -> Result<Vec<Table>> {
    let at = |span: Range<usize>| line_of(text, span.start);
    let root = DeTable::parse(text).map_err(|error| {
        let line = at(error.span().unwrap_or(0..0));
        let mut what = error.message().lines().collect::<Vec<_>>().join(", ");
        if what.contains("leading zero") {
            what += "; an octal mask needs quotes";
        }
        // Not the value: it could be a password.
        let written = text.lines().nth(line - 1).unwrap_or_default();
        match written.split_once('=').map(|(name, _)| name.trim()) {
            Some(name) if is_name(name) => complaint(path, line, format!("{name}: {what}")),
            _ => complaint(path, line, what),
        }
    })?;
    let mut tables = vec![Table {
        line: 1,
        ..Table::default()
    }];
    collect(path, text, "", root.get_ref(), 0, &mut tables)?;
    tables.sort_by_key(|table| table.line);
    for table in &mut tables {
        table.entries.sort_by_key(|entry| entry.line);
    }
    Ok(tables)
}

/// Whether this is how a setting is called.
fn is_name(word: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    !word.is_empty() && word.bytes().all(is_part)
}

/// An error with its place, in one line: a name in quotes may have any characters.
pub(super) fn complaint(path: &Path, line: usize, what: impl std::fmt::Display) -> Error {
    let what = what.to_string().replace(char::is_control, "?");
    Error::invalid(format!("{}:{line}: {what}", path.display()))
}

/// Adds the settings of `table`, whose index is `own`, and all tables below it.
fn collect(
    path: &Path,
    text: &str,
    prefix: &str,
    table: &DeTable<'_>,
    own: usize,
    tables: &mut Vec<Table>,
) -> Result<()> {
    for (key, value) in table {
        let line = line_of(text, key.span().start);
        let name = key.get_ref().to_string();
        let full = if prefix.is_empty() {
            name.clone()
        } else {
            format!("{prefix}.{name}")
        };
        match value.get_ref() {
            DeValue::Table(inner) => {
                let index = tables.len();
                tables.push(Table {
                    name: full.clone(),
                    line,
                    entries: Vec::new(),
                });
                collect(path, text, &full, inner, index, tables)?;
            }
            other => {
                let value = written(other)
                    .map_err(|what| complaint(path, line, format!("{name}: must be {what}")))?;
                tables[own].entries.push(Entry { name, value, line });
            }
        }
    }
    Ok(())
}

fn written(value: &DeValue<'_>) -> std::result::Result<Written, &'static str> {
    const WANTED: &str = "a string, a number, true, false or an array of strings";
    match value {
        DeValue::String(text) => Ok(Written::Text(text.to_string())),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map(Written::Integer)
            .map_err(|_| "a smaller number"),
        DeValue::Float(number) => Ok(Written::Float(number.as_str().to_string())),
        DeValue::Boolean(flag) => Ok(Written::Flag(*flag)),
        DeValue::Array(words) => {
            let words = words.iter().map(|word| match word.get_ref() {
                DeValue::String(text) => Ok(text.to_string()),
                _ => Err(WANTED),
            });
            words
                .collect::<std::result::Result<_, _>>()
                .map(Written::Words)
        }
        DeValue::Datetime(_) | DeValue::Table(_) => Err(WANTED),
    }
}

/// The line, from 1, of the byte at `offset`.
fn line_of(text: &str, offset: usize) -> usize {
    text.as_bytes()[..offset.min(text.len())]
        .iter()
        .filter(|byte| **byte == b'\n')
        .count()
        + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tables(text: &str) -> Result<Vec<Table>> {
        parse(Path::new("/etc/rc-sv.toml"), text)
    }

    #[test]
    fn every_setting_has_its_table_and_its_line() {
        let text = "# note\n[defaults]\nrespawn_max = 3\nstopgroup = true\n\n[modules.s6]\n\
                    scandir = \"/run/s6\"\nfactor = 1.5\nargs = [\"a\", \"b c\"]\n";
        let found = tables(text).unwrap();
        let names: Vec<_> = found
            .iter()
            .map(|table| (table.name.as_str(), table.line))
            .collect();
        assert_eq!(
            names,
            [("", 1), ("defaults", 2), ("modules", 6), ("modules.s6", 6)]
        );
        let entry = |name: &str, value, line| Entry {
            name: name.into(),
            value,
            line,
        };
        assert_eq!(
            found[1].entries,
            [
                entry("respawn_max", Written::Integer(3), 3),
                entry("stopgroup", Written::Flag(true), 4)
            ]
        );
        assert_eq!(
            found[3].entries,
            [
                entry("scandir", Written::Text("/run/s6".into()), 7),
                entry("factor", Written::Float("1.5".into()), 8),
                entry("args", Written::Words(vec!["a".into(), "b c".into()]), 9)
            ]
        );
        assert_eq!(tables("").unwrap().len(), 1);
    }

    #[test]
    fn complaints_name_file_and_line() {
        let message = |text: &str| tables(text).unwrap_err().message;
        assert_eq!(
            message("a = 1\nb = \"open\n"),
            "/etc/rc-sv.toml:2: b: invalid basic string, expected `\"`"
        );
        assert_eq!(
            message("umask = 022\n"),
            "/etc/rc-sv.toml:1: umask: unexpected leading zero, expected nothing; an octal mask \
             needs quotes"
        );
        assert_eq!(
            message("a = 1\na = 2\n"),
            "/etc/rc-sv.toml:2: a: duplicate key"
        );
        let secret = message("password = \"s3cret\" x\n");
        assert!(secret.contains("password") && !secret.contains("s3cret"));
        assert_eq!(
            message("\nwhen = 1979-05-27\n"),
            "/etc/rc-sv.toml:2: when: must be a string, a number, true, false or an array of strings"
        );
        assert_eq!(
            message("a = [1]\n"),
            "/etc/rc-sv.toml:1: a: must be a string, a number, true, false or an array of strings"
        );
        assert_eq!(
            message("a = 99999999999999999999\n"),
            "/etc/rc-sv.toml:1: a: must be a smaller number"
        );
        assert!(message("a = 1\na = 2\n").starts_with("/etc/rc-sv.toml:2: "));
    }
    #[test]
    fn a_name_of_any_characters_stays_in_one_line() {
        let message = tables("\"a\\nb\" = [1]\n").unwrap_err().message;
        assert!(message.starts_with("/etc/rc-sv.toml:1: a?b: must be "));
    }

    #[test]
    fn depth_is_bounded() {
        let deep = ["a."; 300_000].concat();
        for text in [
            format!("{deep}a = 1"),
            format!("[{deep}a]"),
            "[".repeat(500_000),
        ] {
            assert!(tables(&text).is_err());
        }
    }
}
