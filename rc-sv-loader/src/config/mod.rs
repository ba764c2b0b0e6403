//! The configuration: the only place that reads variables and TOML.
//!
//! A setting of a service comes from, first one wins: `RCSV_<name>` (conf.d and the runscript,
//! exported by the drop-in), `rc-sv.d/<service>.toml`, `[defaults]` of `rc-sv.toml`, the registry.
//! A module's own settings are in `[modules.<name>]` of `rc-sv.toml`. For a user's services each file
//! is looked for in the user's directory too, and wins over that of the administrator.

mod file;
mod source;
mod variables;

pub use variables::Variables;

use file::{complaint, Entry, Table, Written};
use rc_sv_api::key::{self, Key, Kind, Role};
use rc_sv_api::name::is_module_name;
use rc_sv_api::{Error, Result, ServiceName, Spec, Value};
use std::path::{Path, PathBuf};

/// The administrator's directory, fixed when rc-sv is built.
pub const SYSCONFDIR: &str = match option_env!("RC_SV_SYSCONFDIR") {
    Some(path) => path,
    None => "/etc",
};

/// The configuration below some directories, and the variables of one process.
#[derive(Clone, Debug)]
pub struct Config {
    /// The last one wins.
    directories: Vec<PathBuf>,
    variables: Variables,
}

impl Config {
    /// That below `directory`, which is [`SYSCONFDIR`] for everybody but tests. For a user's services
    /// it is that below its `user`, as OpenRC has it, and below the user's own directory.
    pub fn new(directory: impl Into<PathBuf>, variables: Variables) -> Config {
        let mut directories = vec![directory.into()];
        if variables.is_users() {
            directories[0].push("user");
            directories.extend(variables.users_directory());
        }
        Config {
            directories,
            variables,
        }
    }

    /// The variables.
    pub fn variables(&self) -> &Variables {
        &self.variables
    }

    /// The settings of `service`: only those that somebody set; the registry has the defaults.
    ///
    /// # Errors
    /// A file cannot be read or trusted, or a setting is unknown or does not fit; the message
    /// names the file and line, or the variable.
    pub fn service(&self, service: &ServiceName) -> Result<Spec> {
        let mut spec = self.files(service)?;
        self.apply_variables(&mut spec, service)?;
        Ok(spec)
    }

    /// The same without the variables.
    ///
    /// # Errors
    /// As [`Config::service`].
    pub fn files(&self, service: &ServiceName) -> Result<Spec> {
        let mut spec = Spec::default();
        for path in self.globals() {
            apply_global(&mut spec, &path, service, source::read(&path)?)?;
        }
        let name = format!("rc-sv.d/{service}.toml");
        for path in self.directories.iter().map(|it| it.join(&name)) {
            apply_own(&mut spec, &path, service, source::read(&path)?)?;
        }
        Ok(spec)
    }

    /// The settings of the module `name`, from its own table. Their names are the module's.
    ///
    /// # Errors
    /// The file cannot be read or trusted.
    pub fn module(&self, name: &str) -> Result<Spec> {
        let mut spec = Spec::default();
        let wanted = format!("modules.{name}");
        let mut tables = Vec::new();
        for path in self.globals() {
            tables.extend(source::read(&path)?);
        }
        for entry in tables
            .into_iter()
            .filter(|table| table.name == wanted)
            .flat_map(|t| t.entries)
        {
            let value = match entry.value {
                Written::Text(text) | Written::Float(text) => Value::Text(text.into()),
                Written::Integer(number) => Value::Int(number),
                Written::Flag(flag) => Value::Int(flag.into()),
                Written::Words(words) => {
                    Value::List(words.into_iter().map(String::into_bytes).collect())
                }
            };
            spec.put(&entry.name, value);
        }
        Ok(spec)
    }

    fn globals(&self) -> impl Iterator<Item = PathBuf> + '_ {
        self.directories.iter().map(|it| it.join("rc-sv.toml"))
    }

    fn apply_variables(&self, spec: &mut Spec, service: &ServiceName) -> Result<()> {
        let origin = format!("conf.d/{service}");
        for (name, value) in self.variables.iter() {
            let Some(name) = name.strip_prefix(variables::PREFIX) else {
                continue;
            };
            let name = String::from_utf8_lossy(name);
            // OpenRC acts upon these itself, before it asks us.
            if key::find(&name).is_some_and(|key| key.role == Role::OpenRc) {
                continue;
            }
            spec.set(&name, value, &origin)?;
        }
        Ok(())
    }
}

/// Takes the settings for every service from the tables of `rc-sv.toml`.
fn apply_global(
    spec: &mut Spec,
    path: &Path,
    service: &ServiceName,
    tables: Vec<Table>,
) -> Result<()> {
    for table in tables {
        check_table(path, &table)?;
        if table.name == "defaults" {
            apply(spec, path, service, &table)?;
        }
    }
    Ok(())
}

/// Takes the settings from the tables of a service's own file.
fn apply_own(
    spec: &mut Spec,
    path: &Path,
    service: &ServiceName,
    tables: Vec<Table>,
) -> Result<()> {
    for table in tables {
        if !table.name.is_empty() {
            let what = format!("[{}]: this file has no tables, only settings", table.name);
            return Err(complaint(path, table.line, what));
        }
        apply(spec, path, service, &table)?;
    }
    Ok(())
}

/// Whether `rc-sv.toml` may have this table and these entries outside of `[defaults]`.
fn check_table(path: &Path, table: &Table) -> Result<()> {
    let module = table.name.strip_prefix("modules.");
    match (table.name.as_str(), table.entries.first()) {
        ("", Some(entry)) => {
            let what = format!("{} belongs below [defaults] or [modules.NAME]", entry.name);
            Err(complaint(path, entry.line, what))
        }
        ("modules", Some(entry)) => {
            let what = format!("{} belongs below [modules.NAME]", entry.name);
            Err(complaint(path, entry.line, what))
        }
        ("" | "modules" | "defaults", _) => Ok(()),
        _ if module.is_some_and(|name| is_module_name(name.as_bytes())) => Ok(()),
        (name, _) => {
            let what = format!("unknown table [{name}]; there are [defaults] and [modules.NAME]");
            Err(complaint(path, table.line, what))
        }
    }
}

fn apply(spec: &mut Spec, path: &Path, service: &ServiceName, table: &Table) -> Result<()> {
    for entry in &table.entries {
        let origin = format!("{}:{}", path.display(), entry.line);
        let Some(key) = key::find(&entry.name) else {
            // With the suggestion of the registry.
            return spec.set(&entry.name, b"", &origin);
        };
        if key.role == Role::OpenRc {
            let name = &entry.name;
            let what = format!("{name} is read by OpenRC: it belongs into conf.d/{service}");
            return Err(complaint(path, entry.line, what));
        }
        match text_of(key, entry) {
            Ok(Text::Plain(text)) => spec.set(&entry.name, text.as_bytes(), &origin)?,
            Ok(Text::Words(words)) => spec.put(&entry.name, Value::List(words)),
            Err(wanted) => {
                let what = format!("{}: must be {wanted}", entry.name);
                return Err(complaint(path, entry.line, what));
            }
        }
    }
    Ok(())
}

enum Text {
    Plain(String),
    Words(Vec<Vec<u8>>),
}

/// The value as an administrator would write it in conf.d.
fn text_of(key: &Key, entry: &Entry) -> std::result::Result<Text, String> {
    let numeric = !matches!(
        key.kind,
        Kind::Flag | Kind::Umask | Kind::Path | Kind::Command | Kind::Choice(_)
    );
    let factor = matches!(key.kind, Kind::Factor | Kind::Duration(_));
    let plain = match (&entry.value, key.kind) {
        (Written::Text(text), _) => text.clone(),
        (Written::Flag(flag), Kind::Flag) => if *flag { "yes" } else { "no" }.to_string(),
        (Written::Integer(number), _) if numeric => number.to_string(),
        (Written::Float(number), _) if factor => number.clone(),
        (Written::Words(words), Kind::Command) => {
            let words: Vec<Vec<u8>> = words.iter().map(|word| word.clone().into_bytes()).collect();
            return match words.iter().any(|word| word.contains(&0)) {
                true => Err("free of NUL bytes".into()),
                false => Ok(Text::Words(words)),
            };
        }
        (_, Kind::Flag) => return Err("true or false".into()),
        (_, Kind::Umask) => return Err("an octal mask in quotes, such as \"022\"".into()),
        (_, Kind::Command) => return Err("a string or an array of strings".into()),
        (Written::Words(_) | Written::Flag(_), _) if numeric => {
            return Err("a string or a number".into())
        }
        _ => return Err("a string".into()),
    };
    Ok(Text::Plain(plain))
}

/// No module was chosen for `service`.
pub fn no_module(service: &ServiceName) -> Error {
    Error::invalid(format!(
        "no module is chosen: set rc_supervise_module in conf.d/{service} and use rc-service, or \
         give --module"
    ))
}

/// What fuzz/ calls besides.
#[cfg(fuzzing)]
pub mod fuzzed {
    use super::*;

    /// The settings in the text of the file `path`: `rc-sv.toml`, or the file of a service.
    pub fn settings(path: &Path, text: &str, is_global: bool) -> Result<Spec> {
        let service = ServiceName::new(b"foo")?;
        let mut spec = Spec::default();
        let tables = file::parse(path, text)?;
        match is_global {
            true => apply_global(&mut spec, path, &service, tables)?,
            false => apply_own(&mut spec, path, &service, tables)?,
        }
        Ok(spec)
    }
}

#[cfg(test)]
mod tests;
